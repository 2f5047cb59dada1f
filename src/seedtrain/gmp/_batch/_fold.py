"""The fold that reads a batch record: events in, the record out, as often as events come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from seedtrain.base import InputError
from seedtrain.gmp._batch._content import BatchRecord
from seedtrain.gmp._batch._judged import JUDGED
from seedtrain.gmp._batch._lines import (
    DeviationLine,
    LiftLine,
    StepLine,
    StopLine,
)
from seedtrain.gmp._batch._made import MADE
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
        signed = {(item.over, item.actor) for item in tally.signatures}
        reviews = [replace(item, signed=(item.seq, item.actor) in signed) for item in tally.reviews]
        lifts = [replace(item, signed=(item.seq, item.actor) in signed) for item in tally.lifts]
        return BatchRecord(
            header=tally.header,
            steps=tuple(self._step(step, signed) for step in tally.steps.values()),
            values=tuple(tally.values.values()),
            consumed=tuple(tally.consumed),
            samples=tuple(tally.samples),
            results=tuple(tally.results.values()),
            deviations=tuple(_closed(item, signed) for item in tally.deviations.values()),
            interventions=tuple(tally.interventions),
            segments=tuple(tally.segments),
            signatures=tuple(tally.signatures),
            reviews=tuple(replace(item, stale=tally.last > item.seq) for item in reviews),
            decisions=tuple(replace(item, signed=(item.seq, item.actor) in signed) for item in tally.decisions),
            states=dict(tally.states),
            illegal=tuple(tally.illegal),
            lot=tally.lot,
            material=tally.material,
            amount=tally.amount,
            last=tally.last,
            comments=tuple(tally.comments),
            clearances=tuple(replace(item, signed=(item.seq, item.actor) in signed) for item in tally.clearances),
            stops=tuple(replace(item, lifted_by=_lifting(item, lifts)) for item in tally.stops),
            lifts=tuple(lifts),
            completed_by=tally.completed_by,
        )

    def _step(self, step: StepLine, signed: _Signed) -> StepLine:
        """With its checks and signatures: one that stands before a correction in the same phase does not count."""
        corrected = self.tally.corrected.get(step.phase, 0)
        checks = tuple(
            replace(item, signed=(item.seq, item.actor) in signed, stale=corrected > item.seq)
            for item in self.tally.checks
            if item.phase == step.phase
        )
        ends = [item for item in self.tally.signatures if item.over is not None and item.over == step.completed_seq]
        releases = tuple(
            item
            for item in ends
            if item.meaning.startswith(HOLD_POINT) and item.seq > corrected and item.actor not in step.doers
        )
        performed = any(item.actor == step.completed_by and item.seq > corrected for item in ends)
        return replace(step, checks=checks, hold_signatures=releases, performed=performed)


_Signed = set[tuple[int | None, str]]


def _closed(item: DeviationLine, signed: _Signed) -> DeviationLine:
    if item.closure is None:
        return item
    closure = item.closure
    return replace(item, closure=replace(closure, signed=(closure.seq, closure.actor) in signed))


def _lifting(stop: StopLine, lifts: Sequence[LiftLine]) -> int | None:
    """The signed decision after a stop that lets the same thing go on; the last one."""
    found = [item.seq for item in lifts if item.signed and item.seq > stop.seq and item.covers(stop)]
    return found[-1] if found else None
