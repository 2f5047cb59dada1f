"""One recipe in two vessels: every way to hold agitation, what gives way, gradients, the rig, times and assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.base import InputError, Progress, part, silent
from seedtrain.development._agitation import KEEP, Agitation, match
from seedtrain.development._scale import ScaleResult, scale
from seedtrain.development._scaling._gradients import Gradients, check_zones, gradients
from seedtrain.development._scaling._rig import Rig, rig
from seedtrain.development._scaling._timing import Moment, timing
from seedtrain.recipe import Change, MasterRecipe, diff
from seedtrain.simulation import Culture, Vessel

ZONES: Final = 4


@dataclass(frozen=True)
class Headspace:
    """Room over the broth: its height without gas, m, and the foaminess that fills it, s.

    Foaminess is the height of foam over the gas velocity that makes it (Bikerman 1973, Foams); measure it in a column
    with the broth and its antifoam, and compare.
    """

    height: float
    foaminess: float


@dataclass(frozen=True)
class ScaleUp:
    """A recipe carried from one vessel to another.

    - `options`: for every criterion that can be kept, what holding it makes of the others (by its name).
    - `changes`: set points that differ between the two control recipes.
    - `gradients`: in the larger vessel; `rig`: at the volume of the recipe's own vessel, the bench; `moments`: of the
      train that ends in `end`.
    """

    recipe: MasterRecipe
    keep: str
    start: ScaleResult
    end: ScaleResult
    options: Mapping[str, Agitation]
    changes: tuple[Change, ...]
    gradients: Gradients
    rig: Rig
    moments: tuple[Moment, ...]
    culture: Culture

    def headspace(self, result: ScaleResult) -> Headspace:
        """Room for foam over the fullest broth."""
        vessel = result.vessel
        height = vessel.height(vessel.nominal_volume) - vessel.height(result.broth.volume)
        velocity = result.transfer.matched.gas_velocity
        return Headspace(height, height / velocity if velocity > 0 else float("inf"))

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
            "headspace": {item.unit: dict(vars(self.headspace(item))) for item in (self.start, self.end)},
            "gradients": self.gradients.to_data(),
            "rig": self.rig.to_data(),
            "moments": [moment.to_data() for moment in self.moments],
        }


def scale_up(
    culture: Culture,
    vessels: Mapping[str, Vessel],
    master: MasterRecipe,
    *,
    start: str,
    end: str,
    keep: str = "power_per_volume",
    zones: int = ZONES,
    molar_mass: float = 44.8,
    progress: Progress = silent,
) -> ScaleUp:
    """`master` from the vessel `start` to the vessel `end`, agitation held by `keep`.

    Raises `InputError` for the same vessel twice, an unknown one or criterion, and what `scale` and `gradients` refuse.
    """
    if start == end:
        raise InputError(f"{start} is both where the recipe comes from and where it goes", remedy="Name two vessels.")
    if keep not in KEEP:
        raise InputError(f"{keep!r} cannot be kept", remedy=f"Use one of: {', '.join(KEEP)}.")
    check_zones(zones)
    given: dict[str, Any] = {"molar_mass": molar_mass}
    (small,) = scale(culture, vessels, master, targets=[start], progress=part(progress, 0.0, 0.3), **given)
    (large,) = scale(
        culture, vessels, master, targets=[end], keep=keep, start=start, progress=part(progress, 0.3, 0.7), **given
    )
    volume = large.control.volume.magnitude("L")
    options = {name: match(small.vessel, small.agitation.scaled, large.vessel, volume, name) for name in KEEP}
    progress(0.7, f"{end}: zones")
    bigger = large if large.broth.volume >= small.broth.volume else small
    found = gradients(culture, bigger, zones)
    progress(1.0, end)
    return ScaleUp(
        recipe=master,
        keep=keep,
        start=small,
        end=large,
        options=options,
        changes=tuple(diff(small.control.recipe, large.control.recipe)),
        gradients=found,
        rig=rig(found, master.basis_volume.magnitude("L")),
        moments=timing(large),
        culture=culture,
    )
