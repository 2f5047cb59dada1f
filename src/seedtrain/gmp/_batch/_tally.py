"""What was read of a batch so far, before it is made up into a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from seedtrain.gmp._batch._judged_lines import DeviationLine, ResultLine
from seedtrain.gmp._batch._lines import ConsumedLine, Header, StepLine, ValueLine
from seedtrain.recipe import State
from seedtrain.record import Event

Line = TypeVar("Line")


@dataclass
class Tally:
    """What later events change stands under what they name it by; every other line in `lines`, as the record has it.

    - `corrected`: phase -> seq of its last correction. `digests`: of an event -> its seq.
    """

    batch: str | None
    header: Header | None = None
    steps: dict[str, StepLine] = field(default_factory=dict)
    values: dict[str, ValueLine] = field(default_factory=dict)
    results: dict[str, ResultLine] = field(default_factory=dict)
    consumed: dict[str, ConsumedLine] = field(default_factory=dict)
    deviations: dict[str, DeviationLine] = field(default_factory=dict)
    lines: list[object] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    illegal: list[tuple[int, str]] = field(default_factory=list)
    digests: dict[str, int] = field(default_factory=dict)
    corrected: dict[str, int] = field(default_factory=dict)
    lot: str | None = None
    material: str = ""
    amount: str = ""
    last: int = 0
    completed_by: str = ""

    def of(self, kind: type[Line]) -> tuple[Line, ...]:
        """The lines of one kind, in their order."""
        return tuple(item for item in self.lines if isinstance(item, kind))

    def by_hand(self, event: Event, phase: str, what: str) -> None:
        """Somebody did something in a phase; outside its time it is a fault, and takes back who checked it before."""
        self.does(phase, event.actor)
        step = self.steps.get(phase)
        if phase and step is None:
            self.illegal.append((event.seq, f"{what} was recorded for {phase}, which was not started"))
        elif step is not None and step.completed_at is not None:
            self.illegal.append((event.seq, f"{what} was recorded after the end of {phase}"))
            self.corrected[phase] = event.seq

    def does(self, phase: str, actor: str) -> None:
        if phase in self.steps:
            self.steps[phase] = replace(self.steps[phase], doers=self.steps[phase].doers | {actor})


Handler = Callable[[Tally, Event, Mapping[str, Any]], None]
"""What one type of event adds to a tally."""


def optional(value: Any) -> str | None:
    """A part of a payload as text; None where it is not given."""
    return None if value is None else str(value)
