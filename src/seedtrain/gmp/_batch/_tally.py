"""What was read of a batch so far, before it is made up into a record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from seedtrain.gmp._batch._lines import (
    CheckLine,
    ClearanceLine,
    CommentLine,
    ConsumedLine,
    DecisionLine,
    DeviationLine,
    Header,
    Intervention,
    LiftLine,
    ResultLine,
    ReviewLine,
    SampleLine,
    SegmentLine,
    SignatureLine,
    StepLine,
    StopLine,
    ValueLine,
)
from seedtrain.recipe import State
from seedtrain.record import Event


@dataclass
class Tally:
    """Lines in the order of the record, each under what later events name it by; the handlers add to it."""

    batch: str | None
    header: Header | None = None
    steps: dict[str, StepLine] = field(default_factory=dict)
    values: dict[str, ValueLine] = field(default_factory=dict)
    results: dict[str, ResultLine] = field(default_factory=dict)
    consumed: list[ConsumedLine] = field(default_factory=list)
    samples: list[SampleLine] = field(default_factory=list)
    deviations: dict[str, DeviationLine] = field(default_factory=dict)
    interventions: list[Intervention] = field(default_factory=list)
    segments: list[SegmentLine] = field(default_factory=list)
    signatures: list[SignatureLine] = field(default_factory=list)
    reviews: list[ReviewLine] = field(default_factory=list)
    decisions: list[DecisionLine] = field(default_factory=list)
    checks: list[CheckLine] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    illegal: list[tuple[int, str]] = field(default_factory=list)
    digests: dict[str, int] = field(default_factory=dict)
    corrected: dict[str, int] = field(default_factory=dict)  # phase -> seq of its last correction
    lot: str | None = None
    material: str = ""
    amount: str = ""
    last: int = 0
    comments: list[CommentLine] = field(default_factory=list)
    clearances: list[ClearanceLine] = field(default_factory=list)
    stops: list[StopLine] = field(default_factory=list)
    lifts: list[LiftLine] = field(default_factory=list)
    completed_by: str = ""

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


def optional(value: Any) -> str | None:
    """A part of a payload as text; None where it is not given."""
    return None if value is None else str(value)
