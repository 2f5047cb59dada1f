"""The phase that an integrated unit runs: what it reports, how long it lasts, and by what it ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from seedtrain.automation._control import ConstantFeed, ExponentialFeed, Feeding, MuStat, RiseStat, SetPoints
from seedtrain.automation._devices import EndedBy
from seedtrain.automation._plant._base import Template
from seedtrain.automation._ramp import ramped
from seedtrain.quantity import Quantity
from seedtrain.recipe import CALIBRATE, Phase, PhaseAt, references
from seedtrain.simulation import Plan, Segment, highest_gas

STANDS: Final = ("wait", "ramp")
"""Kinds that leave the set points as they are, but for those that a ramp moves."""
PULSE_H: Final = 0.05
"""h that a DO-stat or pH-stat feeds once it has begun; assumed, as in `bench feeding`."""
RESTS: Final = ("sterilise", "manual")


@dataclass
class Running:
    """The phase that runs: how long at most, what is awaited, when its next values are due.

    - `feeding`: the feed that stands while the unit is held. `held`: time that the phase was held so far; its own clock
      (durations, the exponential feed) stands still meanwhile.
    """

    step: PhaseAt
    segment: Segment | None
    began: datetime
    longest: float
    next_show: datetime
    hit: bool = False
    feeding: Feeding | None = None
    held_at: datetime | None = None
    held: timedelta = timedelta(0)

    def hours(self, at: datetime) -> float:
        """Hours of the phase at `at`, without those in hold."""
        return (at - self.began - self.held).total_seconds() / 3600.0

    def reference(self, hours: float) -> dict[str, float]:
        """Where a probe that is calibrated stands, by its tag; each reference has an equal part of the phase."""
        if self.step.phase.do != CALIBRATE:
            return {}
        tag, known = references(self.step.phase)
        return {tag: known[min(int(hours / self.longest * len(known)), len(known) - 1)]}

    def ended(self, hours: float, shown: Callable[[str], Quantity]) -> EndedBy | None:
        """By what the phase ends now, `hours` into it, or None; `shown` gives what a transition waits for."""
        until = self.step.phase.until
        awaited = self.segment.until if self.segment is not None else None
        if awaited is not None and isinstance(awaited.value, Quantity) and hours > 0:
            value = shown(awaited.quantity)
            holds = math.isfinite(value.value) and awaited.holds(value)
            both, self.hit = holds and self.hit, holds  # twice in a row, so that noise alone does not end it
            if both:
                return "condition"
        if hours >= self.longest - 1e-9:
            if awaited is not None:
                return "at_most"
            return "condition" if until is not None else "duration"
        return None


def template_of(plan: Plan, step: PhaseAt, tags: Iterable[str], base: str) -> Template:
    """What a phase reports (`tags` where there is a culture), and what it draws by itself: `base`, if there is one."""
    lives = any(item.path == step.path for item in plan.segments)
    cultured = step.phase.do in ("grow", "feed", "induce") or (step.phase.do in STANDS and lives)
    functions = tuple(tags) if cultured else ("temperature",) if step.phase.do == "sterilise" else ()
    if step.phase.do == CALIBRATE:
        functions = references(step.phase)[:1]
    return Template(functions, (base,) if cultured and base else ())


def by_hand(targets: Mapping[str, float], given: Mapping[str, float], phase: Phase | None) -> tuple[str, ...]:
    """Which of stirrer and gas somebody has set to something else than the recipe gives; what a ramp moves is not."""
    moved = ramped(phase) if phase is not None else ()
    found = [name for name in ("stirrer_speed", "aeration") if math.isfinite(targets.get(name, math.nan))]
    return tuple(
        name for name in found if name not in moved and not math.isclose(targets[name], given.get(name, math.nan))
    )


def set_points_of(targets: Mapping[str, float], phase: Phase | None, by_hand: tuple[str, ...] = ()) -> SetPoints:
    """What the controllers are to hold: `targets` as the unit's functions have them, not a number where there is none.

    Where `phase` limits the gas, the cascade ends a little within that, as in a simulated run.
    """

    def wanted(name: str) -> float | None:
        value = targets.get(name, math.nan)
        return value if math.isfinite(value) else None

    oxygen = wanted("dissolved_oxygen")
    return SetPoints(
        temperature=wanted("temperature"),
        pH=wanted("pH"),
        dissolved_oxygen=None if oxygen is None else oxygen / 100.0,
        stirrer_speed=wanted("stirrer_speed"),
        aeration=wanted("aeration"),
        head_pressure=wanted("head_pressure") or 0.0,
        aeration_high=None if phase is None else highest_gas(phase),
        by_hand=by_hand if oxygen is not None else (),
    )


def feeding_of(phase: Phase) -> Feeding:
    """How a feed phase feeds."""
    growth = phase.number("growth_rate", "1/h", 0.0)
    match phase.set.get("strategy"):
        case "mu_stat":
            return MuStat(phase.number("initial_rate", "L/h"), growth)
        case "DO_stat":
            threshold = phase.number("feed_above_dissolved_oxygen", "%") / 100.0
            return RiseStat("dissolved_oxygen", threshold, phase.number("pulse_rate", "L/h"), PULSE_H, 0.0)
        case "pH_stat":
            return RiseStat("pH", phase.number("feed_above_pH", ""), phase.number("pulse_rate", "L/h"), PULSE_H, 0.0)
    rate = phase.number("rate", "L/h") if "rate" in phase.set else phase.number("initial_rate", "L/h")
    return ExponentialFeed(rate, growth) if growth else ConstantFeed(rate)


def phases_of(step: PhaseAt) -> list[Phase]:
    """The phases of its unit procedure, in their order."""
    return [phase for operation in step.unit_procedure.operations for phase in operation.phases]


def duration_of(phase: Phase) -> float:
    """h that the recipe gives it; 0 where it gives none."""
    return phase.duration.magnitude("h") if phase.duration is not None else 0.0
