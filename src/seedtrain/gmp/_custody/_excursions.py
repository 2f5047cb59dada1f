"""Freezers out of their limit: read from a logger's table, laid on the vials that stood there, held until assessed."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from seedtrain.base import InputError, Position, SeedtrainError, collect, decimal_text, digest, digest_bytes, read_text
from seedtrain.gmp._authority import another_person, authorise
from seedtrain.gmp._custody._banks import Excursion, Inventory, Vial, inventory
from seedtrain.gmp._custody._keeping import KEEP
from seedtrain.gmp._lots._holds import hold_downstream, lift_hold, open_holds
from seedtrain.gmp._master._approval import at_head
from seedtrain.quantity import Quantity, Range
from seedtrain.record import Draft, Event, Ledger, append_signed, moment, timestamp

ASSESS: Final = "quality.approve"
DECISIONS: Final = ("keep", "reject")
_COLUMNS: Final = ("time", "temperature")


@dataclass(frozen=True)
class Reading:
    """One line of a logger: when, and in degC."""

    time: datetime
    temperature: float


@dataclass(frozen=True)
class Found:
    """A stretch out of the limit, or without data; `peak` is the value farthest out, None for a silence.

    `start` is the first reading out (the last before a silence), `end` the first one back in: the time in between
    counts as out. A stretch that the table does not see the end of ends with its last reading.
    """

    kind: Literal["temperature", "no data"]
    start: datetime
    end: datetime
    peak: float | None

    @property
    def minutes(self) -> float:
        """How long."""
        return (self.end - self.start).total_seconds() / 60


def read_logger(path: Path) -> tuple[tuple[Reading, ...], str]:
    """The readings of a table with the columns time (ISO 8601 with a zone) and temperature (degC), and its SHA-256.

    Raises `InputErrors` with every fault and its line: no time, no number, a time that does not follow the one before.
    """
    text = read_text(path, what="logger's table")
    rows = [(at, cells) for at, cells in enumerate(csv.reader(io.StringIO(text)), start=1) if any(cells)]
    head = [cell.strip().lower() for cell in rows[0][1]] if rows else []
    missing = [name for name in _COLUMNS if name not in head]
    if missing or len(rows) < 2:
        raise InputError(
            f"the table has no column {missing[0]!r}" if missing else "the table has no rows",
            position=Position(str(path), 1, 1),
            remedy="Write the columns time (ISO 8601 with a zone) and temperature (degC).",
        )
    at_time, at_value = (head.index(name) for name in _COLUMNS)
    readings: list[Reading] = []
    faults: list[SeedtrainError] = []
    for line, cells in rows[1:]:
        try:
            if len(cells) != len(head):
                raise InputError(f"{len(cells)} cells under {len(head)} heads", remedy="Complete the line.")
            readings.append(_reading(cells[at_time], cells[at_value], readings[-1].time if readings else None))
        except InputError as error:
            faults.append(InputError(error.message, position=Position(str(path), line, 1), remedy=error.remedy))
    collect(faults)
    return tuple(readings), digest_bytes(text.encode())


def _reading(time: str, value: str, before: datetime | None) -> Reading:
    when = moment(time.strip())
    if before is not None and when <= before:
        raise InputError(f"{time} does not follow {timestamp(before)}", remedy="Sort the readings, each time once.")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not -273.15 <= number < 1000:
        raise InputError(f"{value!r} is not a temperature in degC", remedy="Write a number, such as -152.4.")
    return Reading(when, number)


def find_excursions(
    readings: Sequence[Reading], limit: Range, *, longer_than: Quantity, silence: Quantity
) -> tuple[Found, ...]:
    """Stretches out of `limit` for longer than allowed, and silences of the logger longer than `silence`.

    - `limit`: of the temperature, `<= -130 degC`. `longer_than`, `silence`: times.
    """
    allowed, quiet = (timedelta(minutes=item.magnitude("min")) for item in (longer_than, silence))
    low, high = limit.bounds("degC")
    found = [item for item in _stretches(readings, low, high) if item.end - item.start > allowed]
    found += [
        Found("no data", before.time, after.time, None)
        for before, after in itertools.pairwise(readings)
        if after.time - before.time > quiet
    ]
    return tuple(sorted(found, key=lambda item: (item.start, item.kind)))


def _stretches(readings: Sequence[Reading], low: float, high: float) -> Iterator[Found]:
    out: list[Reading] = []
    for item in readings:
        if not low <= item.temperature <= high:
            out.append(item)
        elif out:
            yield _stretch(out, item.time, low, high)
            out = []
    if out:
        yield _stretch(out, out[-1].time, low, high)


def _stretch(out: Sequence[Reading], end: datetime, low: float, high: float) -> Found:
    worst = max(out, key=lambda item: max(low - item.temperature, item.temperature - high))
    return Found("temperature", out[0].time, end, worst.temperature)


def affected(held: Inventory, freezer: str, start: datetime, end: datetime) -> tuple[Vial, ...]:
    """The vials that stood in this freezer at any moment from `start` to `end`, wherever they are now."""
    span = timestamp(start), timestamp(end)
    return tuple(
        vial
        for vial in held.vials.values()
        if any(stay.place.box.freezer == freezer and stay.meets(*span) for stay in vial.stays)
    )


def record_excursions(
    ledger: Ledger,
    freezer: str,
    log: Path,
    actor: str,
    *,
    limit: Range,
    longer_than: Quantity,
    silence: Quantity,
    at: datetime | None = None,
) -> tuple[Excursion, ...]:
    """Read a logger's table and put every vial that was affected on hold; the same table again changes nothing.

    Returns the excursions in the table. Raises `InputErrors` for a table that cannot be used; then nothing is written.
    """
    authorise(ledger, actor, KEEP)
    readings, log_digest = read_logger(log)
    found = find_excursions(readings, limit, longer_than=longer_than, silence=silence)

    def decide(head: int) -> tuple[str, ...]:
        held = inventory(ledger)
        if freezer not in {box.freezer for box in held.boxes}:
            known = ", ".join(sorted({box.freezer for box in held.boxes})) or "none"
            raise InputError(f"no vial stands in a freezer {freezer!r}", remedy=f"Freezers: {known}.")
        drafts = [_draft(held, freezer, item, limit, log_digest, actor, at) for item in found]
        fresh = [draft for draft in drafts if draft.payload["excursion"] not in held.excursions]
        if fresh:
            append_signed(ledger, fresh[-1], "excursion found", more=fresh[:-1], at_head=head)
        return tuple(str(draft.payload["excursion"]) for draft in drafts)

    names = at_head(ledger, decide)
    held = inventory(ledger)
    for name in names:
        if held.excursions[name].undecided:
            for vial in _used(held, held.excursions[name]):
                hold_downstream(ledger, vial.id, _held_words(name), actor, cause=name, at=at)
    return tuple(held.excursions[name] for name in names)


def _used(held: Inventory, excursion: Excursion) -> list[Vial]:
    """The vials of an excursion that something was made from."""
    vials = [held.vials[name] for name in excursion.vials]
    return [vial for vial in vials if vial.purpose in ("production", "bank")]


def _held_words(name: str) -> str:
    return f"the vial stood in a freezer during the excursion {name}"


def _draft(
    held: Inventory, freezer: str, item: Found, limit: Range, log_digest: str, actor: str, at: datetime | None
) -> Draft:
    start, end = timestamp(item.start), timestamp(item.end)
    name = f"EXC-{digest([freezer, item.kind, start])[:8]}"
    payload = {
        "excursion": name,
        "kind": item.kind,
        "start": start,
        "end": end,
        "minutes": decimal_text(item.minutes, 5),
        "peak": "" if item.peak is None else decimal_text(item.peak, 6),
        "limit": str(limit),
        "log": log_digest,
        "vials": [vial.id for vial in affected(held, freezer, item.start, item.end)],
    }
    return Draft("bank.excursion_found", freezer, payload, actor, at)


def assess_excursion(
    ledger: Ledger, name: str, decision: str, assessment: str, actor: str, *, at: datetime | None = None
) -> tuple[Event, ...]:
    """Quality decides on the vials of an excursion: `keep` lets them go, `reject` leaves them for testing or the bin.

    Signed by a person who did not report it; once, and again for vials that a late entry put there afterwards. Raises
    `InputError`, also for another decision on the same vials.
    """
    authorise(ledger, actor, ASSESS)
    if decision not in DECISIONS or not assessment.strip():
        raise InputError(
            f"{decision!r} is no decision, or it has no reason",
            remedy="Decide keep or reject, and say what the assessment rests on.",
        )

    def decide(head: int) -> tuple[Event, ...]:
        held = inventory(ledger)
        excursion = held.excursions.get(name)
        if excursion is None:
            known = ", ".join(held.excursions) or "none"
            raise InputError(f"there is no excursion {name!r}", remedy=f"The ledger has: {known}.")
        reporter = next(
            event.actor
            for event in ledger.events(subject=excursion.freezer, type="bank.excursion_found")
            if event.payload["excursion"] == name
        )
        another_person(ledger, actor, [reporter], f"the assessment of {name}")
        done = bool(excursion.decision) and not excursion.undecided
        payload: dict[str, object] = {"excursion": name, "decision": decision}
        key: list[object] = ["bank.excursion_assessed", name]
        late = [] if done else [item for item in excursion.undecided if excursion.decision]
        if late:
            payload |= {"vials": late}
            key.append(late)
        draft = Draft(
            *("bank.excursion_assessed", excursion.freezer, payload, actor, at),
            reason=assessment,
            id=digest(key)[:32],
        )
        return append_signed(ledger, draft, "excursion assessed", at_head=None if done else head)

    events = at_head(ledger, decide)
    if decision == "keep":
        _lift(ledger, name, assessment, actor, at)
    return events


def _lift(ledger: Ledger, name: str, assessment: str, actor: str, at: datetime | None) -> None:
    """What was made from these vials is free of this excursion too."""
    held = inventory(ledger)
    for vial in _used(held, held.excursions[name]):
        for hold in open_holds(ledger, vial.id):
            if (hold.root, hold.reason) == (vial.id, _held_words(name)):
                lift_hold(ledger, hold.hold, assessment, actor, at=at)
