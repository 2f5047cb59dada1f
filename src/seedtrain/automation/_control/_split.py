"""One output for several actuators, one after the other or either side of zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seedtrain.base import InputError


@dataclass(frozen=True)
class Stage:
    """One actuator of a cascade: from `low` at `start` to `high` at `end` of the output, constant beyond."""

    actuator: str
    start: float
    end: float
    low: float
    high: float

    def at(self, output: float) -> float:
        """Where the actuator stands."""
        if self.end == self.start:
            return self.high if output >= self.end else self.low
        share = min(max((output - self.start) / (self.end - self.start), 0.0), 1.0)
        return self.low + share * (self.high - self.low)


def split(stages: Sequence[Stage], output: float) -> dict[str, float]:
    """Every actuator's place for one output; raises `InputError` where an actuator is named twice."""
    names = [stage.actuator for stage in stages]
    if len(set(names)) != len(names):
        raise InputError(f"the cascade drives one actuator twice: {', '.join(names)}", remedy="Name each once.")
    return {stage.actuator: stage.at(output) for stage in stages}
