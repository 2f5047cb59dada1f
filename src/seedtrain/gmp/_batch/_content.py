"""All that the ledger says of one batch, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from seedtrain.gmp._batch._judged_lines import DecisionLine, DeviationLine, ResultLine, ReviewLine, SampleLine
from seedtrain.gmp._batch._lines import (
    ClearanceLine,
    CommentLine,
    ConsumedLine,
    Header,
    Intervention,
    LiftLine,
    SegmentLine,
    SignatureLine,
    StepLine,
    StopLine,
    ValueLine,
)
from seedtrain.gmp._batch._probes import CalibrationLine
from seedtrain.recipe import State

WHOLE: Final = ""  # the `unit_procedure` under which the state of the whole batch stands


@dataclass(frozen=True)
class BatchRecord:
    """All that the ledger says of one batch, in the order of the record.

    - `lot`: what the batch produced, as a lot of its own; None while it has not. `amount`: of it, with unit.
    - `completed_by`: who ended the whole batch as complete; empty while nobody has.
    - `illegal`: state changes that ISA-88 does not allow, by seq. `last`: seq of the last event of substance.
    """

    header: Header
    steps: tuple[StepLine, ...]
    values: tuple[ValueLine, ...]
    consumed: tuple[ConsumedLine, ...]
    samples: tuple[SampleLine, ...]
    results: tuple[ResultLine, ...]
    deviations: tuple[DeviationLine, ...]
    interventions: tuple[Intervention, ...]
    segments: tuple[SegmentLine, ...]
    signatures: tuple[SignatureLine, ...]
    reviews: tuple[ReviewLine, ...]
    decisions: tuple[DecisionLine, ...]
    states: Mapping[str, State]
    illegal: tuple[tuple[int, str], ...]
    lot: str | None
    material: str
    amount: str
    last: int
    comments: tuple[CommentLine, ...] = ()
    clearances: tuple[ClearanceLine, ...] = ()
    stops: tuple[StopLine, ...] = ()
    lifts: tuple[LiftLine, ...] = ()
    completed_by: str = ""
    calibrations: tuple[CalibrationLine, ...] = ()

    @property
    def batch(self) -> str:
        """Its id."""
        return self.header.batch

    @property
    def state(self) -> State:
        """The ISA-88 state of the whole batch."""
        return self.states.get(WHOLE, State.IDLE)

    @property
    def simulated(self) -> bool:
        """Whether anything in it was simulated."""
        return self.header.origin != "measured" or any(item.origin == "simulated" for item in self.values)

    @property
    def last_order(self) -> Intervention | None:
        """The last command to hold, pause, stop or abort the whole batch, or to bring it back, that ISA-88 allowed."""
        refused = {seq for seq, _ in self.illegal}
        orders = (item for item in reversed(self.interventions) if item.unit_procedure == WHOLE)
        return next((item for item in orders if item.seq not in refused), None)

    def step(self, phase: str) -> StepLine | None:
        """The phase of this path, if it was started."""
        return next((item for item in self.steps if item.phase == phase), None)

    @property
    def running(self) -> StepLine | None:
        """The phase that was started and is not complete, the first of several; None between phases."""
        return next(iter(self.all_running), None)

    @property
    def all_running(self) -> tuple[StepLine, ...]:
        """Every phase that was started and is not complete: more than one where unit procedures run beside others."""
        return tuple(item for item in self.steps if item.completed_at is None)

    def values_of(self, phase: str) -> dict[str, ValueLine]:
        """The entries and calculated values of a phase by tag, the last of each."""
        return {item.tag: item for item in self.values if item.phase == phase and item.kind in ("entry", "calculated")}

    def consumed_in(self, phase: str, material: str) -> tuple[ConsumedLine, ...]:
        """What a phase took of a material."""
        return tuple(item for item in self.consumed if (item.phase, item.material) == (phase, material))

    @property
    def operators(self) -> frozenset[str]:
        """Everybody who acted in a phase, cleared a line or gave an order; none of them reviews or decides."""
        ordered = {*(item.actor for item in self.interventions), *(item.actor for item in self.clearances)}
        return frozenset({actor for item in self.steps for actor in item.doers} | ordered)

    @property
    def decision(self) -> DecisionLine | None:
        """The last decision."""
        return self.decisions[-1] if self.decisions else None
