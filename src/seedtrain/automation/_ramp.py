"""Where a ramp stands: what its targets are at a time, stepped by the executor at the control interval."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, runtime_checkable

from seedtrain.automation._devices import Ending
from seedtrain.quantity import Quantity
from seedtrain.recipe import PHASE_KINDS, Phase, PhaseAt

CONTROL_INTERVAL: Final = timedelta(seconds=30)
"""Of process time, between two steps of a target."""
INITIAL: Final = "initial_"
"""How the parameter is called that says where the ramp of a target begins."""
STANDING: Final = ("grow", "feed", "perfuse", "chemostat")
"""Kinds that state every set point of a culture; those of a ramp come on top."""


@runtime_checkable
class Steered(Protocol):
    """What a unit must offer so that its targets can be moved while a phase runs."""

    def now(self) -> datetime:
        """The process clock."""

    def poll(self, path: str) -> Ending | None:
        """One look at the running phase: how it ended, or None."""

    def override(self, values: Mapping[str, Quantity]) -> None:
        """Set targets beside what the phase set."""


def ramped(phase: Phase) -> tuple[str, ...]:
    """The targets that the phase moves; none where it is no ramp."""
    return tuple(name for name in phase.set if f"{INITIAL}{name}" in phase.set) if phase.do == "ramp" else ()


def position(phase: Phase, done: timedelta) -> dict[str, Quantity]:
    """Where each target of a ramp is when it has run for `done`, in the unit of its end."""
    share = 1.0
    if phase.duration is not None and phase.duration.value > 0:
        share = min(max(done.total_seconds() / 3600.0 / phase.duration.magnitude("h"), 0.0), 1.0)
    found = {}
    for name in ramped(phase):
        end, begin = phase.quantity(name), phase.quantity(f"{INITIAL}{name}")
        assert end is not None
        assert begin is not None
        start = begin.magnitude(end.unit)
        # The ends are exact: a set point of 30 is 30 and not 29.999999999999996.
        value = end.value if share == 1.0 else start + share * (end.value - start)
        found[name] = Quantity(value, end.unit)
    return found


def set_points(phase: Phase, done: timedelta = timedelta(0)) -> dict[str, Quantity | str]:
    """The set points with which a phase starts, or goes on when it has run for `done`."""
    return {**phase.set, **position(phase, done)}


def standing(step: PhaseAt) -> dict[str, Quantity]:
    """The set points that stand when a phase begins which leaves them as they are, by the recipe; else nothing.

    They are given again once a hold is over, because the safe state may have been another one.
    """
    found: dict[str, Quantity] = {}
    if step.phase.do not in ("wait", "ramp"):
        return found
    targets = [name.removeprefix(INITIAL) for name in PHASE_KINDS["ramp"].parameters if name.startswith(INITIAL)]
    for phase in (phase for operation in step.unit_procedure.operations for phase in operation.phases):
        if phase is step.phase:
            break
        if phase.do in STANDING:
            found = {name: value for name in targets if (value := phase.quantity(name)) is not None}
        elif phase.do == "ramp":
            found |= position(phase, timedelta.max)
        elif phase.do == "sterilise":
            found = {}
    return found


@dataclass
class Ramp:
    """The targets of one phase on their way, since it `began`; of another kind of phase nothing is due."""

    phase: Phase
    began: datetime
    stepped: datetime | None = None

    def due(self, now: datetime, stood: timedelta, by_hand: Collection[str] = ()) -> dict[str, Quantity]:
        """Targets to set now, once each control interval: where the ramp is at the end of that interval.

        - `stood`: time that the phase was held. `by_hand`: targets that people have set, which stay theirs.
        """
        names = ramped(self.phase)
        if not names or (self.stepped is not None and now - self.stepped < CONTROL_INTERVAL):
            return {}
        self.stepped = now
        found = position(self.phase, now - self.began - stood + CONTROL_INTERVAL)
        return {name: value for name, value in found.items() if name not in by_hand}

    def end(self, by_hand: Collection[str] = ()) -> dict[str, Quantity]:
        """Where the targets are when the phase is over."""
        found = position(self.phase, timedelta.max)
        return {name: value for name, value in found.items() if name not in by_hand}


def stepped_end(unit: Steered, step: PhaseAt, began: datetime) -> Ending:
    """Step the targets of a ramp until it has ended."""
    ramp = Ramp(step.phase, began)
    while (ending := unit.poll(step.path)) is None:
        values = ramp.due(unit.now(), timedelta(0))
        if values:
            unit.override(values)
    unit.override(ramp.end())
    return ending
