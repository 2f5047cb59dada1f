"""Excursions of values from their limits, and the deviations that they open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from seedtrain.base import decimal_text, digest
from seedtrain.gmp._batch._judged_lines import DeviationLine
from seedtrain.gmp._batch._lines import ConsumedLine, StepLine, ValueLine, limit_words
from seedtrain.gmp._batch._record import BatchRecord, batch_record
from seedtrain.gmp._master._approval import at_head
from seedtrain.record import SYSTEM, Draft, Event, Ledger, moment

_SUMMARY: Final = "calculated"


@dataclass(frozen=True)
class Deviating:
    """An excursion: consecutive values of one tag in one phase outside their limits; `value` is the worst.

    - `first_seq`, `last_seq`: of its values. `start_h`, `end_h`: h since the phase began.
    - `accepted`: the words that are in order, where the value is one.
    """

    phase: str
    tag: str
    value: str
    unit: str
    low: str | None
    high: str | None
    start_h: str
    end_h: str
    first_seq: int
    last_seq: int
    count: int
    time: str
    accepted: str = ""

    @property
    def words(self) -> str:
        """The excursion in one line."""
        found = f"{self.tag} {self.value} {self.unit}".rstrip()
        limits = f"{limit_words(self.low, self.high)} {self.unit}".strip() or self.accepted
        limits = limits or "what was recorded as its limits"
        span = f"at {self.start_h} h" if self.start_h == self.end_h else f"from {self.start_h} to {self.end_h} h"
        return f"{found} outside {limits}, {span} of {self.phase}"


def excursions(record: BatchRecord) -> tuple[Deviating, ...]:
    """Every excursion of a batch, in the order of the record; amounts weighed out of their tolerance among them.

    A value counts as out where it was recorded so, and where its own limits say so: neither the flag nor a later
    correction can take an excursion away. A summary of readings adds to their excursion and never ends it.
    """
    found: list[list[ValueLine]] = []
    running: dict[tuple[str, str], list[ValueLine]] = {}
    for item in record.values:
        key = (item.phase, item.tag)
        if item.within and item.keeps_limits:
            if item.kind != _SUMMARY:
                running.pop(key, None)
        elif key in running:
            running[key].append(item)
        else:
            running[key] = [item]
            found.append(running[key])
    made = [_of_values(items, record.step(items[0].phase)) for items in found]
    made += [_of_amount(item, record.step(item.phase)) for item in record.consumed if not item.keeps_limits]
    return tuple(sorted(made, key=lambda item: item.first_seq))


def _of_values(items: Sequence[ValueLine], step: StepLine | None) -> Deviating:
    readings = [item for item in items if item.kind != _SUMMARY] or list(items)
    worst = max(readings, key=_beyond)
    hours = [_hours(item, step) for item in readings]
    return Deviating(
        phase=worst.phase,
        tag=worst.tag,
        value=_worst_value(worst),
        unit=worst.unit,
        low=worst.low,
        high=worst.high,
        start_h=decimal_text(min(hours), 4),
        end_h=decimal_text(max(hours), 4),
        first_seq=items[0].seq,
        last_seq=items[-1].seq,
        count=len(readings),
        time=max(item.occurred_at for item in items),
        accepted="" if worst.low is not None or worst.high is not None else worst.limits,
    )


def _of_amount(item: ConsumedLine, step: StepLine | None) -> Deviating:
    low, high = item.bounds
    hours = decimal_text(_since(item.occurred_at, step), 4)
    return Deviating(
        phase=item.phase,
        tag=f"amount of {item.material} ({item.lot})",
        value=item.worst,
        unit=item.unit,
        low=low,
        high=high,
        start_h=hours,
        end_h=hours,
        first_seq=item.seq,
        last_seq=item.seq,
        count=1,
        time=item.occurred_at,
    )


def _worst_value(item: ValueLine) -> str:
    return max((item.value, *(fix.value for fix in item.corrections)), key=lambda text: _outside(text, item))


def _beyond(item: ValueLine) -> Decimal:
    return _outside(_worst_value(item), item)


def _outside(text: str, item: ValueLine) -> Decimal:
    """By how much a value lies outside its limits."""
    try:
        value = Decimal(text)
        below = Decimal(item.low) - value if item.low is not None else Decimal(0)
        above = value - Decimal(item.high) if item.high is not None else Decimal(0)
    except InvalidOperation:
        return Decimal(0)
    return max(below, above, Decimal(0))


def _hours(item: ValueLine, step: StepLine | None) -> float:
    said = item.more.get("time_h")
    return float(str(said)) if said is not None else _since(item.occurred_at, step)


def _since(time: str, step: StepLine | None) -> float:
    return 0.0 if step is None else (moment(time) - moment(step.started_at)).total_seconds() / 3600.0


def uncovered(record: BatchRecord, found: Sequence[Deviating] | None = None) -> tuple[Deviating, ...]:
    """Excursions for which no deviation was opened; `found`: the batch's excursions, where they are known already.

    A deviation covers the excursion whose values it names; one that names none covers what its phase and tag had
    until it was opened.
    """
    out = excursions(record) if found is None else found
    return tuple(item for item in out if not any(_covers(deviation, item) for deviation in record.deviations))


def _covers(deviation: DeviationLine, item: Deviating) -> bool:
    if (deviation.phase, deviation.tag) != (item.phase, item.tag):
        return False
    if deviation.covers is not None:
        return deviation.covers[0] == item.first_seq
    return item.first_seq < deviation.seq


def open_deviations(
    ledger: Ledger, batch: str, actor: str = SYSTEM, *, at: datetime | None = None
) -> tuple[Event, ...]:
    """Open one deviation for every excursion of the batch that has none; returns those opened now.

    - `at`: the process clock; the time of the excursion's last value if not given.
    """

    def decide(head: int) -> tuple[Event, ...]:
        record = batch_record(ledger.events(subject=batch), batch)
        count = len(record.deviations)
        drafts = [
            _opening(record, item, f"{batch}-DEV-{count + number:02d}", actor, at)
            for number, item in enumerate(uncovered(record), start=1)
        ]
        return ledger.append(*drafts, at_head=head) if drafts else ()

    return at_head(ledger, decide)


def _opening(record: BatchRecord, item: Deviating, name: str, actor: str, at: datetime | None) -> Draft:
    payload = {
        "deviation": name,
        "phase": item.phase,
        "tag": item.tag,
        "value": item.value,
        "unit": item.unit,
        "low": item.low,
        "high": item.high,
        "start_h": item.start_h,
        "end_h": item.end_h,
        "words": item.words,
        "first_seq": item.first_seq,
        "last_seq": item.last_seq,
        "count": item.count,
        "origin": record.header.origin,
    }
    identity = digest(["deviation.opened", record.batch, item.first_seq])[:32]
    return Draft("deviation.opened", record.batch, payload, actor, at or item.time, id=identity)
