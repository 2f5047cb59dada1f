"""The batch record: a pure fold over the events of one batch, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from seedtrain.base import IntegrityError
from seedtrain.gmp._batch._content import WHOLE, BatchRecord
from seedtrain.gmp._batch._fold import Fold
from seedtrain.record import Event, Ledger

__all__ = ["WHOLE", "BatchRecord", "RunningRecord", "batch_record"]


def batch_record(events: Iterable[Event], batch: str | None = None) -> BatchRecord:
    """Fold the events of a batch, in the order of the record, into its record.

    - `batch`: which one, where `events` are of several subjects.

    Raises `InputError` where the batch is not there, `IntegrityError` for an event that lacks what its type needs.
    """
    fold = Fold(batch)
    _take(fold, events)
    return fold.finish()


class RunningRecord:
    """The record of a batch that goes on: each call reads what is new in the ledger, and nothing twice."""

    def __init__(self, ledger: Ledger, batch: str) -> None:
        self._ledger = ledger
        self._fold = Fold(batch)
        self._seq = 0
        self._record: BatchRecord | None = None
        self.batch = batch

    def now(self) -> BatchRecord:
        """As it stands in the ledger; raises as `batch_record` does."""
        events = list(self._ledger.events(subject=self.batch, after=self._seq))
        if events or self._record is None:
            _take(self._fold, events)
            self._seq = events[-1].seq if events else self._seq
            self._record = self._fold.finish()
        return self._record


def _take(fold: Fold, events: Iterable[Event]) -> None:
    for event in events:
        if event.type == "batch.created" and fold.tally.batch is None:
            fold.tally.batch = event.subject
        if event.subject != fold.tally.batch:
            continue
        try:
            fold.apply(event)
        except (KeyError, ValueError, TypeError, ArithmeticError) as error:
            raise IntegrityError(
                f"event {event.seq} ({event.type}) of {event.subject} lacks a part or holds a wrong one: {error!r}",
                remedy="Check the ledger with `seedtrain record verify`, then ask who wrote this event.",
            ) from error
