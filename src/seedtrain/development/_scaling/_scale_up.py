"""One recipe in two vessels: every way to hold agitation, what gives way, gradients, the rig, times and assumptions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.base import InputError, Progress, finite, part, silent
from seedtrain.development._agitation import KEEP, Agitation, match
from seedtrain.development._scalable import can_be_kept, checked_keep, scalable
from seedtrain.development._scale import ScaleResult, scale
from seedtrain.development._scaling._gradients import Gradients, check_zones, gradients
from seedtrain.development._scaling._rig import Rig, rig
from seedtrain.development._scaling._rig_check import RigCheck, rig_check
from seedtrain.development._scaling._shaken import shaken_limits
from seedtrain.development._scaling._timing import Moment, timing
from seedtrain.recipe import Change, MasterRecipe, diff
from seedtrain.simulation import Culture, StirredTank, Vessel

ZONES: Final = 4
BENCH: Final = 1.0
"""Broth of the rig where the recipe's own vessel is shaken or too small for a pump, L; assumed."""
LEAST_BENCH: Final = 0.2


@dataclass(frozen=True)
class Headspace:
    """Room over the broth of a sparged vessel: its height without gas, m, the foaminess that fills it, s, and the
    height of the foam, m, where the foaminess is known.

    Foaminess is the height of foam over the gas velocity that makes it (Bikerman 1973, Foams); measure it in a column
    with the broth and its antifoam, and compare.
    """

    height: float
    foaminess: float
    foam: float = math.nan

    @property
    def overflows(self) -> bool:
        """Whether the foam, as far as it is known, is higher than its room."""
        return self.foam > self.height


@dataclass(frozen=True)
class ScaleUp:
    """A recipe carried from one vessel to another.

    - `options`: for every criterion that can be kept, what holding it makes of the others (by its name).
    - `changes`: set points that differ between the two control recipes.
    - `gradients`: in the larger vessel, `rig`: beside a bench vessel, `rig_check`: that rig simulated; None where the
      larger vessel is shaken. `moments`: of the train that ends in `end`.
    """

    recipe: MasterRecipe
    keep: str
    start: ScaleResult
    end: ScaleResult
    options: Mapping[str, Agitation]
    changes: tuple[Change, ...]
    gradients: Gradients | None
    rig: Rig | None
    rig_check: RigCheck | None
    moments: tuple[Moment, ...]
    culture: Culture
    foaminess: float | None = None

    @property
    def larger(self) -> ScaleResult:
        """The one of both with more broth."""
        return max((self.start, self.end), key=lambda item: item.broth.volume)

    @property
    def shaken(self) -> tuple[ScaleResult, ...]:
        """Those of both that stand on a shaker."""
        return tuple(item for item in (self.start, self.end) if not isinstance(item.vessel, StirredTank))

    def headspace(self, result: ScaleResult) -> Headspace:
        """Room for foam over the fullest broth; not a number where no gas rises through it."""
        vessel = result.vessel
        if not isinstance(vessel, StirredTank):
            return Headspace(math.nan, math.nan)
        height = vessel.height(vessel.nominal_volume) - vessel.height(result.broth.volume)
        velocity = result.transfer.matched.gas_velocity
        fills = height / velocity if velocity > 0 else math.inf
        return Headspace(height, fills, math.nan if self.foaminess is None else self.foaminess * velocity)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data without trajectories."""
        return {
            "recipe": self.recipe.name,
            "recipe_digest": self.recipe.digest,
            "from": self.start.unit,
            "to": self.end.unit,
            "keep": self.keep,
            "simulated": True,
            "start": self.start.summary(),
            "end": self.end.summary(),
            "options": {name: option.to_data() for name, option in self.options.items()},
            "changes": [
                {"path": item.path, "parameter": item.parameter, "before": item.before, "after": item.after}
                for item in self.changes
            ],
            "headspace": finite({item.unit: dict(vars(self.headspace(item))) for item in (self.start, self.end)}),
            "gradients": None if self.gradients is None else self.gradients.to_data(),
            "rig": None if self.rig is None else self.rig.to_data(),
            "rig_check": None if self.rig_check is None else finite(self.rig_check.to_data()),
            "shaken": {item.unit: shaken_limits(item).to_data() for item in self.shaken},
            "moments": [moment.to_data() for moment in self.moments],
        }


def scale_up(
    culture: Culture,
    vessels: Mapping[str, Vessel],
    master: MasterRecipe,
    *,
    start: str,
    end: str,
    keep: str | None = None,
    zones: int = ZONES,
    foaminess: float | None = None,
    molar_mass: float = 44.8,
    progress: Progress = silent,
) -> ScaleUp:
    """`master` from the vessel `start` to the vessel `end`, agitation held by `keep` (None: power per volume, or kLa
    where power is not known).

    - `foaminess`: of the broth with its antifoam, measured in a column, s; see `Headspace`.

    Raises `InputError` for the same vessel twice, an unknown one or criterion, and what `scale` and `gradients` refuse.
    """
    if start == end:
        raise InputError(f"{start} is both where the recipe comes from and where it goes", remedy="Name two vessels.")
    if foaminess is not None and not 0 <= foaminess < math.inf:
        raise InputError(
            f"a foaminess of {foaminess:g} s", remedy="Give the height of foam over the gas velocity, in s."
        )
    names = tuple(KEEP)
    if start in vessels and end in vessels:
        keep = checked_keep(scalable(vessels[start]), scalable(vessels[end]), keep, names)
    check_zones(zones)
    given: dict[str, Any] = {"molar_mass": molar_mass}
    (small,) = scale(culture, vessels, master, targets=[start], progress=part(progress, 0.0, 0.3), **given)
    (large,) = scale(
        culture, vessels, master, targets=[end], keep=keep, start=start, progress=part(progress, 0.3, 0.7), **given
    )
    volume = large.control.volume.magnitude("L")
    possible = can_be_kept(small.vessel, large.vessel, names)
    options = {name: match(small.vessel, small.agitation.scaled, large.vessel, volume, name) for name in possible}
    progress(0.7, f"{end}: zones")
    bigger = large if large.broth.volume >= small.broth.volume else small
    stirred = isinstance(bigger.vessel, StirredTank)
    found = gradients(culture, bigger, zones) if stirred else None
    settings = None if found is None else rig(found, _bench_volume(master, vessels))
    checked = None
    if found is not None and settings is not None:
        bench = vessels[master.basis_unit]
        own = bench if isinstance(bench, StirredTank) and settings.volume <= bench.working_volume[1] else None
        checked = rig_check(culture, bigger, found, settings, own, part(progress, 0.8, 1.0))
    progress(1.0, end)
    return ScaleUp(
        recipe=master,
        keep=large.agitation.keep,
        start=small,
        end=large,
        options=options,
        changes=tuple(diff(small.control.recipe, large.control.recipe)),
        gradients=found,
        rig=settings,
        rig_check=checked,
        moments=timing(large),
        culture=culture,
        foaminess=foaminess,
    )


def _bench_volume(master: MasterRecipe, vessels: Mapping[str, Vessel]) -> float:
    """Broth of the rig, L: that of the recipe's own vessel, where it is one that a pump can be put to."""
    own = master.basis_volume.magnitude("L")
    return own if isinstance(vessels[master.basis_unit], StirredTank) and own >= LEAST_BENCH else BENCH
