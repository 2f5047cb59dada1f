"""Stability studies: an approved protocol, pulls at their time points, results, and what they come to.

Source: ICH Q1A(R2) for protocol and time points, ICH Q1E for the evaluation (`seedtrain.quality.shelf_life`);
21 CFR 211.166. A month is a twelfth of 365.25 days where times are compared.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, InstanceOf, PlainValidator

from seedtrain.base import InputError, digest, parse_document, validate
from seedtrain.gmp._quality._case import signed_pairs
from seedtrain.quality import (
    Limit,
    ShelfLife,
    SpecificationLine,
    StabilityPoint,
)
from seedtrain.quantity import QuantityError
from seedtrain.record import Event

DAYS_A_MONTH: Final = 365.25 / 12
Storage = Literal["long term", "intermediate", "accelerated"]
Direction = Literal["falling", "rising", "unknown"]
_Text = Annotated[str, Field(min_length=1)]


def _limit(value: Any) -> Limit:
    try:
        return Limit.parse(str(value))
    except QuantityError as error:
        raise ValueError(f"{error.message} | {error.remedy}") from None


def _whole(value: Any) -> int:
    if not isinstance(value, str) or not value.isdigit() or len(value) > 3:
        raise ValueError(f"{value!r} is no whole number | Write a number such as 12.")
    return int(value)


def _rising(months: list[int]) -> list[int]:
    if len(months) < 2 or months != sorted(set(months)):
        raise ValueError(f"{months} are no time points | Give two or more months, each later than the one before.")
    return months


_Whole = Annotated[int, PlainValidator(_whole)]


class StabilityTest(BaseModel):
    """One test of a protocol; `direction`: how the attribute changes, where that is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attribute: _Text
    method: _Text
    limit: Annotated[InstanceOf[Limit], PlainValidator(_limit)]
    direction: Direction = "unknown"

    @property
    def line(self) -> SpecificationLine:
        """The test as a line of a specification."""
        return SpecificationLine(self.attribute, self.method, self.limit)


class Protocol(BaseModel):
    """A stability protocol as its file states it. `months`: the time points; `window_days`: a pull may be off by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    protocol: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
    version: _Text
    product: _Text
    storage: Storage
    condition: _Text
    months: Annotated[list[_Whole], AfterValidator(_rising)]
    window_days: _Whole
    tests: Annotated[list[StabilityTest], Field(min_length=1)]

    def test(self, attribute: str) -> StabilityTest:
        """The test of an attribute; raises `InputError` with the known ones."""
        for item in self.tests:
            if item.attribute == attribute:
                return item
        known = ", ".join(item.attribute for item in self.tests)
        raise InputError(f"{self.protocol} tests no {attribute!r}", remedy=f"Use one of: {known}.")


@dataclass(frozen=True)
class Pull:
    """A sample that was taken out of storage, and the day on which it was due; days as year-month-day."""

    month: int
    sample: str
    due: str
    pulled: str
    in_window: bool
    actor: str
    seq: int


@dataclass(frozen=True)
class StabilityResult:
    """One result of a study. `time`: months from the start to the pull."""

    seq: int
    month: int
    sample: str
    attribute: str
    time: float
    value: float | None
    reported: str
    state: str
    analyst: str


@dataclass(frozen=True)
class Study:
    """A batch in storage under a protocol; `start`: year-month-day."""

    name: str
    protocol: Protocol
    batch: str
    start: str
    pulls: tuple[Pull, ...] = ()
    results: tuple[StabilityResult, ...] = ()

    def due(self, month: int) -> str:
        """The day on which a time point is due."""
        return month_later(self.start, month)

    def overdue(self, today: str) -> tuple[int, ...]:
        """Time points whose window has passed without a pull."""
        done = {item.month for item in self.pulls}
        span = timedelta(days=self.protocol.window_days)
        last = (date.fromisoformat(today) - span).isoformat()
        return tuple(month for month in self.protocol.months if month not in done and self.due(month) < last)


@dataclass(frozen=True)
class Trend:
    """What the studies under a protocol say of one attribute; `shelf_life` is None where there is too little, and
    `why` says so. `strange`: batch and month of each point out of trend; `failing`: out of specification."""

    protocol: str
    attribute: str
    limit: str
    unit: str
    points: tuple[StabilityPoint, ...]
    shelf_life: ShelfLife | None
    why: str
    strange: tuple[StabilityPoint, ...]
    failing: tuple[StabilityResult, ...]


def month_later(start: str, months: int) -> str:
    """The day `months` after a day; the last of the month where that has fewer days."""
    first = date.fromisoformat(start)
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(first.day, last)).isoformat()


def approved_protocol(events: Iterable[Event]) -> tuple[Protocol, str] | None:
    """The approved protocol of the events of its subject, and who wrote it; None where it is not approved.

    Its author's signature, and that of another person, over the same text.
    """
    kept = list(events)
    signed = signed_pairs(kept)
    text, author = "", ""
    for event in kept:
        if (event.digest, event.actor) not in signed:
            continue
        if event.type == "stability.protocol_submitted" and not text:
            text, author = str(event.payload["text"]), event.actor
        approves = event.type == "stability.protocol_approved" and event.actor != author
        if approves and text and event.payload["digest"] == digest(text):
            return read_protocol(text), author
    return None


def read_protocol(text: str, file: str = "protocol") -> Protocol:
    """A protocol's YAML; every fault at once with its place."""
    return validate(parse_document(text, file), Protocol)


def study_of(events: Iterable[Event], protocol: Protocol) -> Study:
    """Fold a study out of the events of its subject; what is not signed does not count."""
    kept = list(events)
    signed = signed_pairs(kept)
    found: Study | None = None
    for event in kept:
        payload = event.payload
        if (event.digest, event.actor) not in signed:
            continue
        if event.type == "stability.started" and found is None:
            found = Study(event.subject, protocol, str(payload["batch"]), str(payload["start"]))
        elif found is not None and event.type == "stability.pulled":
            pull = Pull(
                month=int(payload["month"]),
                sample=str(payload["sample"]),
                due=str(payload["due"]),
                pulled=str(payload["pulled"]),
                in_window=payload["in_window"] is True,
                actor=event.actor,
                seq=event.seq,
            )
            found = replace(found, pulls=(*found.pulls, pull))
        elif found is not None and event.type == "stability.tested":
            found = replace(found, results=(*found.results, tested_of(event)))
    assert found is not None
    return found


def tested_of(event: Event) -> StabilityResult:
    """A result as its event has it."""
    payload: Mapping[str, Any] = event.payload
    number = payload.get("number")
    return StabilityResult(
        event.seq,
        int(payload["month"]),
        str(payload["sample"]),
        str(payload["attribute"]),
        float(payload["time"]),
        None if number is None else float(number),
        str(payload["reported"]),
        str(payload["state"]),
        event.actor,
    )
