"""The bench rig simulated with its settings, and held against the large vessel: does it show the same fluctuations?"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from seedtrain.base import Progress, silent
from seedtrain.development._agitation import match
from seedtrain.development._scale import ScaleResult
from seedtrain.development._scaling._fluctuations import Fluctuations, Zone
from seedtrain.development._scaling._gradients import RTOL, SHOWN, Floats, Gradients, hardest, low_share
from seedtrain.development._scaling._rig import LARGEST_FLOW, Rig
from seedtrain.quantity import Quantity
from seedtrain.recipe import at_scale
from seedtrain.simulation import (
    Culture,
    OverfillError,
    Run,
    SideCompartment,
    StirredTank,
    TrajectoryError,
    simulate,
)

Kind = Literal["times", "contrast", "swing"]
KINDS: Final[tuple[Kind, ...]] = ("times", "contrast", "swing")
Verdict = Literal["pass", "fail", "inconclusive"]
TOLERANCE: Final = 0.25
"""Relative difference of a deviation or a persistence that still counts as the same; assumed: mixing times, on which
the large vessel's zones rest, are hardly known better."""
OXYGEN_TOLERANCE: Final = 2.0  # % of air: so little does not matter, whatever its part of the deviation; assumed
LOW_TOLERANCE: Final = 0.05  # of the cells' time with little oxygen; assumed
TITRE_TOLERANCE: Final = 0.05  # of the titre in zones: what the fluctuations do to the culture; assumed
CORRECTIONS: Final = 4
SPEEDS: Final = 8
CLOSE: Final = 0.05
LEAST_SHARE: Final = 0.02
LEAST_SUBSTRATE: Final = 1e-4  # g/L
STAND_IN: Final = StirredTank(
    name="rig", scale="bench", nominal_volume=2.0, working_volume=(0.2, 1.6), diameter=0.12, impellers=2,
    impeller="rushton", impeller_diameter=0.05, stirrer_speed=(200.0, 1500.0), motor_power=40.0, aeration=(0.1, 3.0),
    head_pressure=(0.0, 0.2), cooling_area=0.04, heat_transfer_coefficient=300.0, coolant_temperature=10.0,
)  # fmt: skip
"""The bench vessel of a rig where the recipe's own is none; assumed: a usual glass vessel."""


@dataclass(frozen=True)
class RigRow:
    """One figure in the large vessel and in the rig, and how far they may lie apart (in its unit)."""

    name: str
    unit: str
    large: float
    rig: float
    allowed: float

    @property
    def within(self) -> bool:
        """Whether the rig shows the same."""
        return abs(self.rig - self.large) <= self.allowed


@dataclass(frozen=True)
class RigTrial:
    """One setting, simulated: the side compartment, what cells meet, and the comparison.

    - `kind`: what the setting was made to match. `titre`: at harvest, g/L.
    """

    kind: Kind
    side: SideCompartment
    met: Fluctuations
    rows: tuple[RigRow, ...]
    titre: float

    @property
    def pumped(self) -> bool:
        """Whether a bench pump carries the flow."""
        return self.side.flow <= LARGEST_FLOW

    @property
    def misfit(self) -> float:
        """The largest difference over what is allowed; up to 1 it passes."""
        return max((abs(row.rig - row.large) / row.allowed for row in self.rows), default=0.0)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "kind": self.kind,
            "side_volume_L": self.side.volume,
            "flow_L_per_h": self.side.flow,
            "aerated": self.side.aerated,
            "pumped": self.pumped,
            "misfit": self.misfit,
            "titre": self.titre,
            "rows": [{**vars(row), "within": row.within} for row in self.rows],
            **self.met.to_data(),
        }


@dataclass(frozen=True)
class RigCheck:
    """Every setting tried, the best first, beside the large vessel.

    - `volume`: L of broth at the hardest moment, in the rig's `vessel`, stirred at `speed` 1/min at most.
    """

    large: Fluctuations
    trials: tuple[RigTrial, ...]
    volume: float
    vessel: str
    speed: float

    @property
    def best(self) -> RigTrial:
        """The setting that comes nearest."""
        return self.trials[0]

    @property
    def verdict(self) -> Verdict:
        """Whether the best setting shows the fluctuations of the large vessel; without any there is nothing to show."""
        if not swings(self.large) and self.large.oxygen.deviation < OXYGEN_TOLERANCE:
            return "inconclusive"
        return "pass" if self.best.misfit <= 1.0 and self.best.pumped else "fail"

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "verdict": self.verdict,
            "volume_L": self.volume,
            "vessel": self.vessel,
            "stirrer_speed_per_min": self.speed,
            "large": self.large.to_data(),
            "trials": [trial.to_data() for trial in self.trials],
        }


def swings(found: Fluctuations) -> bool:
    """Whether cells meet more and less substrate, by more than can be told."""
    substrate = found.substrate
    return substrate.deviation >= max(SHOWN * substrate.mean, LEAST_SUBSTRATE)


def rig_check(
    culture: Culture, result: ScaleResult, found: Gradients, settings: Rig, bench: StirredTank | None,
    progress: Progress = silent,
) -> RigCheck | None:  # fmt: skip
    """Simulate the settings of the rig, each with and without gas in its side compartment, and compare.

    - `result`: the large vessel's batch, `found`: its zones. `bench`: the vessel of the rig, None for a usual one.

    The rig runs the large vessel's control recipe at its own volume with the inoculum of the same seed train, stirred
    at most so fast that its cells have as much oxygen on the mean as in the large vessel. The setting for the swing
    starts from an even uptake and is corrected by what its run shows: of both compartments' deviation, which falls with
    the share f of the side compartment as ((1 - f) / f)^0.5, and of its persistence f (1 - f) V/Q. None where no
    setting runs to the
    harvest.
    """
    name = _substrate(culture, found)
    large = _of_zones(found, result, name)
    tank = bench or STAND_IN
    plain = SideCompartment(settings.side_volume, settings.flow, True)

    def mean_oxygen(speed: float) -> float:
        try:
            run = _run(culture, result, found, settings.volume, tank, speed, plain)
        except (OverfillError, TrajectoryError):
            return 0.0
        return _of_rig(run, result, found, plain, name).oxygen.mean

    start = match(result.vessel, result.agitation.scaled, tank, settings.volume, "oxygen_transfer").scaled.speed
    speed = _speed(mean_oxygen, large.oxygen.mean, start, tank.stirrer_speed)

    def tried(kind: Kind, side: SideCompartment) -> RigTrial:
        run = _run(culture, result, found, settings.volume, tank, speed, side)
        met, titre = _of_rig(run, result, found, side, name), run.totals["titre"][0]
        return RigTrial(kind, side, met, tuple(_rows(large, met, found.titre[0], titre)), titre)

    trials: list[RigTrial] = []
    for aerated in (False, True):
        progress(0.5 * aerated, "rig")
        sides = {
            "times": SideCompartment(settings.side_volume, settings.flow, aerated),
            "contrast": SideCompartment(settings.side_volume, settings.flow_for_contrast, aerated),
            "swing": SideCompartment(settings.side_for_swing, settings.flow_for_swing, aerated),
        }
        for kind in KINDS:
            try:
                trial = tried(kind, sides[kind])
                trials.append(_corrected(large, trial, settings.volume, tried) if kind == "swing" else trial)
            except (OverfillError, TrajectoryError):  # a culture that suffocates there is no setting to offer
                continue
    order = sorted(trials, key=lambda trial: (not trial.pumped, trial.misfit))
    return RigCheck(large, tuple(order), settings.volume, tank.name, speed) if order else None


def _speed(oxygen: Callable[[float], float], wanted: float, start: float, span: tuple[float, float]) -> float:
    """The stirrer's highest speed in `span`, 1/min, at which the mean `oxygen` (% of air) is `wanted`; from `start` on.

    More speed than the oxygen's set point takes changes nothing: the search then ends where it is close.
    """
    low, high, speed = *span, start
    for _step in range(SPEEDS):
        off = oxygen(speed) - wanted
        if abs(off) < OXYGEN_TOLERANCE / 4.0:
            break
        low, high = (low, speed) if off > 0 else (speed, high)
        speed = math.sqrt(max(low, 1.0) * high)
    return speed


def _substrate(culture: Culture, found: Gradients) -> str | None:
    """The symbol of what is fed: glucose, else the species whose zones differ most, None where none does."""
    glucose = culture.symbol("glucose")
    if glucose is not None:
        return glucose
    rows = [row for row in found.rows if row.name in culture.species]
    return max(rows, key=lambda row: row.spread / max(row.zones)).name if rows else None


def _corrected(
    large: Fluctuations, trial: RigTrial, volume: float, tried: Callable[[Kind, SideCompartment], RigTrial]
) -> RigTrial:
    """The trial of the swing's setting, its compartment and flow changed until deviation and persistence agree."""
    wanted, best = large.substrate, trial
    for _step in range(CORRECTIONS):
        have = trial.met.substrate
        if have.deviation <= 0 or wanted.deviation <= 0:
            break
        off = max(abs(have.deviation / wanted.deviation - 1.0), abs(have.persistence / wanted.persistence - 1.0))
        if off < CLOSE:
            break
        share = trial.side.volume / volume
        odds = share / (1.0 - share) * (have.deviation / wanted.deviation) ** 2
        share = min(max(odds / (1.0 + odds), LEAST_SHARE), 0.5)
        flow = 3600.0 * share * (1.0 - share) * volume / wanted.persistence
        trial = tried("swing", SideCompartment(share * volume, flow, trial.side.aerated))
        best = min(best, trial, key=lambda item: item.misfit)
    return best


def _run(
    culture: Culture, result: ScaleResult, found: Gradients, volume: float, bench: StirredTank, speed: float,
    side: SideCompartment,
) -> Run:  # fmt: skip
    """The production of `result` in the rig, which holds `volume` L where the large vessel has its hardest moment."""
    control = result.control
    charge = control.volume.magnitude("L") * volume / found.volume
    high = max(bench.working_volume[1], 2.0 * volume)
    tank = dataclasses.replace(
        bench, name="rig", working_volume=(min(bench.working_volume[0], charge / 2.0), high), zones=1, feed_zone=0,
        probe_zone=1, side_compartment=side,
    )  # fmt: skip
    points = {
        (place.path, "stirrer_speed"): Quantity(speed, "1/min")
        for place in control.recipe.phases()
        if place.unit_procedure is control.recipe.production and "stirrer_speed" in place.phase.set
    }
    made = at_scale(control.recipe, unit="rig", volume=Quantity(charge, "L"), set_points=points)
    return simulate(
        culture,
        tank,
        made.recipe,
        unit_procedure=made.recipe.production.name,
        inoculum=_plenty(result.seeds[-1], charge) if result.seeds else None,
        rtol=RTOL,
    )


def _plenty(seed: Run, litres: float) -> Run:
    """The seed culture with as much broth as a rig larger than the vessel that it was made for may want."""
    volume = seed.variables["V"]
    more = dataclasses.replace(volume, values=volume.values * max(litres / float(volume.values[-1]), 1.0))
    return dataclasses.replace(seed, variables={**seed.variables, "V": more})


def _of_zones(found: Gradients, result: ScaleResult, name: str | None) -> Fluctuations:
    """Of the large vessel's layers: neighbours exchange the flow of the zone model."""
    count, run = found.count, found.run
    between = found.exchange * count / found.volume
    rates = tuple(tuple(between if abs(here - there) == 1 else 0.0 for there in range(count)) for here in range(count))
    shares = np.full((count, len(run.time)), 1.0 / count)
    at = hardest(run, result)
    return Fluctuations(_zones(run, shares, at, name), rates, count - 1, low_share(run, result, shares))


def _of_rig(run: Run, result: ScaleResult, found: Gradients, side: SideCompartment, name: str | None) -> Fluctuations:
    """Of the tank (1) and its side compartment (2)."""
    beside = side.volume / run["V"]
    shares = np.array([1.0 - beside, beside])
    at = _same_moment(found.run, found.time, run)
    tank = float(run["V"][at]) - side.volume
    rates = ((0.0, side.flow / tank), (side.flow / side.volume, 0.0))
    return Fluctuations(_zones(run, shares, at, name), rates, 1, low_share(run, result, shares))


def _same_moment(large: Run, time: float, rig: Run) -> int:
    """Index in `rig` of the moment that lies as far into the same phase as `time` (h) in `large`."""
    span = next(item for item in reversed(large.phases) if item.start <= time <= item.end)
    there = next((item for item in rig.phases if item.path == span.path), None)
    if there is None:
        return len(rig.time) - 1
    part = (time - span.start) / (span.end - span.start) if span.end > span.start else 1.0
    return int(np.argmin(np.abs(rig.time - (there.start + part * (there.end - there.start)))))


def _zones(run: Run, shares: Floats, at: int, name: str | None) -> tuple[Zone, ...]:
    percent = 100.0 / float(_saturation(run)[at])
    numbers = range(1, len(shares) + 1)
    return tuple(
        Zone(float(shares[zone - 1, at]), _there(run, name, zone, at), _there(run, "DO", zone, at) * percent)
        for zone in numbers
    )


def _there(run: Run, name: str | None, zone: int, at: int) -> float:
    return float(run[f"{name}[{zone}]"][at]) if name is not None else 0.0


def _saturation(run: Run) -> Floats:
    percent = run["DO_percent"]
    found = np.divide(100.0 * run["DO"], percent, out=np.zeros_like(percent), where=percent > 1e-9)
    return np.where(found > 0, found, found.max())


def _rows(large: Fluctuations, rig: Fluctuations, titre: float, reached: float) -> Iterator[RigRow]:
    first, second = large.substrate, rig.substrate
    if swings(large):
        yield RigRow("substrate_deviation", "g/L", first.deviation, second.deviation, TOLERANCE * first.deviation)
        yield RigRow("substrate_persistence", "s", first.persistence, second.persistence, TOLERANCE * first.persistence)
    first, second = large.oxygen, rig.oxygen
    allowed = max(TOLERANCE * first.deviation, OXYGEN_TOLERANCE)
    yield RigRow("oxygen_deviation", "%", first.deviation, second.deviation, allowed)
    if first.deviation >= OXYGEN_TOLERANCE:
        yield RigRow("oxygen_persistence", "s", first.persistence, second.persistence, TOLERANCE * first.persistence)
    yield RigRow("low_oxygen", "", large.low, rig.low, LOW_TOLERANCE)
    if titre > 0:
        yield RigRow("titre", "g/L", titre, reached, TITRE_TOLERANCE * titre)
