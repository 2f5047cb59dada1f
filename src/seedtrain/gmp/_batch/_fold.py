"""The fold that reads a batch record: events in, the record out, as often as events come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from seedtrain.base import InputError
from seedtrain.gmp._batch._content import BatchRecord
from seedtrain.gmp._batch._judged import JUDGED
from seedtrain.gmp._batch._judged_lines import DecisionLine, DeviationLine, ReviewLine, SampleLine
from seedtrain.gmp._batch._lines import (
    CheckLine,
    ClearanceLine,
    CommentLine,
    Intervention,
    LiftLine,
    SegmentLine,
    SignatureLine,
    StepLine,
    StopLine,
)
from seedtrain.gmp._batch._made import MADE
from seedtrain.gmp._batch._probes import CalibrationLine
from seedtrain.gmp._batch._tally import Tally
from seedtrain.record import Event

HOLD_POINT: Final = "hold point"  # how the meaning of a signature that releases one begins
_NOT_OF_SUBSTANCE: Final = (
    "signature.applied",
    "batch.reviewed",
    "batch.released",
    "batch.rejected",
    "batch.on_hold",
    "exception.acknowledged",
)


class Fold:
    """What was read so far of a batch (None: the first one that is created); more events may follow a `finish`."""

    def __init__(self, batch: str | None) -> None:
        self.tally = Tally(batch)

    def apply(self, event: Event) -> None:
        """Take the next event of the batch; raises what a missing or wrong part of it raises."""
        self.tally.digests[event.digest] = event.seq
        if event.type not in _NOT_OF_SUBSTANCE:
            self.tally.last = event.seq
        handler = MADE.get(event.type) or JUDGED.get(event.type)
        if handler is not None:
            handler(self.tally, event, event.payload)

    def finish(self) -> BatchRecord:
        """The record of what was read; raises `InputError` where no batch is in it."""
        tally = self.tally
        if tally.header is None:
            words = f"the ledger holds no batch {tally.batch!r}" if tally.batch else "there is no batch in these events"
            raise InputError(words, remedy="Check the batch's id.")
        signatures = tally.of(SignatureLine)
        signed = {(item.over, item.actor) for item in signatures}
        lifts = _signed(tally.of(LiftLine), signed)
        return BatchRecord(
            header=tally.header,
            steps=tuple(self._step(step, signed) for step in tally.steps.values()),
            values=tuple(tally.values.values()),
            consumed=tuple(tally.consumed.values()),
            samples=tally.of(SampleLine),
            results=tuple(tally.results.values()),
            deviations=tuple(_closed(item, signed) for item in tally.deviations.values()),
            interventions=tally.of(Intervention),
            segments=tally.of(SegmentLine),
            signatures=signatures,
            reviews=tuple(replace(item, stale=tally.last > item.seq) for item in _signed(tally.of(ReviewLine), signed)),
            decisions=_signed(tally.of(DecisionLine), signed),
            states=dict(tally.states),
            illegal=tuple(tally.illegal),
            lot=tally.lot,
            material=tally.material,
            amount=tally.amount,
            last=tally.last,
            comments=tally.of(CommentLine),
            clearances=_signed(tally.of(ClearanceLine), signed),
            stops=tuple(replace(item, lifted_by=_lifting(item, lifts)) for item in tally.of(StopLine)),
            lifts=lifts,
            completed_by=tally.completed_by,
            calibrations=tally.of(CalibrationLine),
        )

    def _step(self, step: StepLine, signed: _Signed) -> StepLine:
        """With its checks and signatures: one that stands before a correction in the same phase does not count."""
        corrected = self.tally.corrected.get(step.phase, 0)
        checks = tuple(
            replace(item, signed=(item.seq, item.actor) in signed, stale=corrected > item.seq)
            for item in self.tally.of(CheckLine)
            if item.phase == step.phase
        )
        ends = [
            item for item in self.tally.of(SignatureLine) if item.over is not None and item.over == step.completed_seq
        ]
        releases = tuple(
            item
            for item in ends
            if item.meaning.startswith(HOLD_POINT) and item.seq > corrected and item.actor not in step.doers
        )
        performed = any(item.actor == step.completed_by and item.seq > corrected for item in ends)
        return replace(step, checks=checks, hold_signatures=releases, performed=performed)


_Signed = set[tuple[int | None, str]]
_Signable = TypeVar("_Signable", ReviewLine, DecisionLine, LiftLine, ClearanceLine)


def _signed(lines: Iterable[_Signable], signed: _Signed) -> tuple[_Signable, ...]:
    """Each with whether its own actor signed it."""
    return tuple(replace(item, signed=(item.seq, item.actor) in signed) for item in lines)


def _closed(item: DeviationLine, signed: _Signed) -> DeviationLine:
    if item.closure is None:
        return item
    closure = item.closure
    return replace(item, closure=replace(closure, signed=(closure.seq, closure.actor) in signed))


def _lifting(stop: StopLine, lifts: Sequence[LiftLine]) -> int | None:
    """The signed decision after a stop that lets the same thing go on; the last one."""
    found = [item.seq for item in lifts if item.signed and item.seq > stop.seq and item.covers(stop)]
    return found[-1] if found else None
