"""The steps of a stability study, each signed: protocol, start, pulls, results; and the trend that they come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from seedtrain.base import InputError, decimal_text, digest
from seedtrain.gmp._authority import another_person, authorise
from seedtrain.gmp._quality._case import counting, day, is_product, step_draft, take_step
from seedtrain.gmp._quality._context import TestContext
from seedtrain.gmp._quality._results import SIGNIFICANT, reported, state_of
from seedtrain.gmp._quality._stability import (
    DAYS_A_MONTH,
    Protocol,
    StabilityResult,
    Study,
    Trend,
    approved_protocol,
    read_protocol,
    study_of,
    tested_of,
)
from seedtrain.gmp._quality._standards import checked_context
from seedtrain.quality import Result, StabilityPoint, out_of_trend, shelf_life
from seedtrain.quantity import Quantity
from seedtrain.record import Draft, Event, Ledger, moment


def submit_protocol(
    ledger: Ledger, text: str, actor: str, *, file: str = "protocol", at: datetime | None = None
) -> Protocol:
    """Put a protocol up for approval, signed by its author; a changed one needs another name."""
    authorise(ledger, actor, "quality.investigate")
    found = read_protocol(text, file)
    subject = f"stability:{found.protocol}"

    def step(events: tuple[Event, ...]) -> Draft | Event:
        before = next((item for item in events if item.type == "stability.protocol_submitted"), None)
        if before is not None:
            if before.payload["text"] == text and before.actor == actor:
                return before
            raise InputError(f"there is a protocol {found.protocol} already", remedy="Give the changed one a new name.")
        payload = {"protocol": found.protocol, "text": text, "digest": digest(text)}
        identity = digest(["stability.protocol_submitted", found.protocol])[:32]
        return Draft("stability.protocol_submitted", subject, payload, actor, at, id=identity)

    take_step(ledger, subject, "authorship", step)
    return found


def approve_protocol(ledger: Ledger, protocol: str, actor: str, *, at: datetime | None = None) -> Protocol:
    """Quality approves a protocol, signed; another person than its author."""
    authorise(ledger, actor, "quality.approve")
    subject = f"stability:{protocol}"
    submitted = next(iter(ledger.events(subject=subject, type="stability.protocol_submitted")), None)
    if submitted is None:
        raise InputError(f"the ledger has no protocol {protocol!r}", remedy="Submit it first.")
    another_person(ledger, actor, [submitted.actor], f"the approval of {protocol}")
    payload = {"digest": submitted.payload["digest"]}

    def step(events: tuple[Event, ...]) -> Draft | Event:
        kind = "stability.protocol_approved"
        return step_draft(events, kind, subject, ("protocol", protocol), payload, actor, at=at)

    take_step(ledger, subject, "approval", step)
    return _protocol(ledger, protocol)


def _protocol(ledger: Ledger, name: str) -> Protocol:
    found = approved_protocol(counting(ledger, ledger.events(subject=f"stability:{name}")))
    if found is None:
        raise InputError(f"there is no approved protocol {name!r}", remedy="Submit it, and have quality approve it.")
    return found[0]


def start_study(
    ledger: Ledger, protocol: str, batch: str, start: str, actor: str, *, at: datetime | None = None
) -> Study:
    """Put a batch into storage under an approved protocol; signed."""
    authorise(ledger, actor, "result.record")
    found = _protocol(ledger, protocol)
    if not is_product(ledger, batch):
        raise InputError(f"the ledger knows no batch or lot {batch!r}", remedy="Check its id.")
    first = day(start, "the start")
    name = f"{protocol}/{batch}"
    payload = {"protocol": found.protocol, "batch": batch, "start": first}

    def step(events: tuple[Event, ...]) -> Draft | Event:
        if events:
            begun = events[0]
            if begun.payload == payload:
                return begun
            raise InputError(f"{name} was started on {begun.payload['start']}", remedy="A study starts once.")
        identity = digest(["stability.started", name])[:32]
        return Draft("stability.started", name, payload, actor, at, id=identity)

    take_step(ledger, name, "start of a stability study", step)
    return find_study(ledger, name)


def find_study(ledger: Ledger, name: str) -> Study:
    """The study of this name, `PROTOCOL/BATCH`; raises `InputError` for one that there is not."""
    events = tuple(ledger.events(subject=name))
    if not any(item.type == "stability.started" for item in events):
        known = ", ".join(item.subject for item in ledger.events(type="stability.started")) or "none"
        raise InputError(f"the ledger has no study {name!r}", remedy=f"It has: {known}.")
    return study_of(events, _protocol(ledger, name.partition("/")[0]))


def all_studies(ledger: Ledger, protocol: str = "") -> tuple[Study, ...]:
    """Every study, or those under one protocol."""
    names = dict.fromkeys(item.subject for item in ledger.events(type="stability.started"))
    return tuple(find_study(ledger, name) for name in names if not protocol or name.partition("/")[0] == protocol)


def pull_sample(
    ledger: Ledger, study: str, month: int, sample: str, actor: str, *, at: datetime | None = None
) -> Study:
    """Take the sample of a time point out of storage; signed. Out of its window it says so, and is never refused."""
    authorise(ledger, actor, "result.record")
    found = find_study(ledger, study)
    if month not in found.protocol.months:
        known = ", ".join(str(item) for item in found.protocol.months)
        raise InputError(f"{study} has no time point at {month} months", remedy=f"It has: {known}.")
    if not sample.strip():
        raise InputError("the sample has no name", remedy="Name it.")
    pulled = (at or ledger.now).date()
    due = found.due(month)
    off = abs((pulled - date.fromisoformat(due)).days)
    payload = {
        "sample": sample.strip(),
        "due": due,
        "pulled": pulled.isoformat(),
        "in_window": off <= found.protocol.window_days,
    }

    def step(events: tuple[Event, ...]) -> Draft | Event:
        for item in events:
            if item.type == "stability.pulled" and item.payload["month"] == month:
                if item.payload["sample"] == sample.strip() and item.actor == actor:
                    return item
                raise InputError(f"{study} was pulled at {month} months", remedy="A time point is pulled once.")
        identity = digest(["stability.pulled", study, month])[:32]
        return Draft("stability.pulled", study, {"month": month, **payload}, actor, at, id=identity)

    take_step(ledger, study, "stability pull", step)
    return find_study(ledger, study)


def record_stability(
    ledger: Ledger,
    study: str,
    sample: str,
    value: Result,
    actor: str,
    *,
    context: TestContext | None = None,
    at: datetime | None = None,
) -> StabilityResult:
    """Record a result of a pulled sample with its state; signed. It stands once under sample, attribute and method."""
    authorise(ledger, actor, "result.record")
    found = find_study(ledger, study)
    pull = next((item for item in found.pulls if item.sample == sample), None)
    if pull is None:
        raise InputError(f"{study} has no pulled sample {sample!r}", remedy="Record the pull first.")
    test = found.protocol.test(value.attribute)
    if value.method != test.method:
        raise InputError(
            f"{value.attribute} was tested by {value.method!r}, the protocol asks for {test.method!r}",
            remedy="Test by the method of the protocol.",
        )
    own = checked_context(ledger, test.method, context, at)
    tested = value if own is None or own.suitable else replace(value, valid=False)
    number = None
    if isinstance(tested.value, Quantity):
        number = decimal_text(tested.value.magnitude(test.limit.unit), SIGNIFICANT)
    months = (date.fromisoformat(pull.pulled) - date.fromisoformat(found.start)).days / DAYS_A_MONTH
    payload = {
        "month": pull.month,
        "sample": sample,
        "attribute": test.attribute,
        "method": test.method,
        "time": decimal_text(months, 6),
        "number": number,
        "unit": test.limit.unit,
        "reported": reported(test.line, tested),
        "limit": test.limit.text,
        "state": state_of(test.line, tested),
        **(own.to_data() if own else {}),
    }
    identity = digest(["stability.tested", study, sample, test.attribute, test.method])[:32]

    def step(_: tuple[Event, ...]) -> Draft:
        return Draft("stability.tested", study, payload, actor, at, id=identity)

    event, _ = take_step(ledger, study, "stability result", step)
    return tested_of(event)


def stability_trend(ledger: Ledger, protocol: str, attribute: str) -> Trend:
    """The trend of an attribute over every study of a protocol: shelf life by ICH Q1E, and what is out of trend."""
    found = _protocol(ledger, protocol)
    test = found.test(attribute)
    studies = all_studies(ledger, protocol)
    results = [(study.batch, item) for study in studies for item in study.results if item.attribute == attribute]
    points = tuple(
        StabilityPoint(batch, item.time, item.value)
        for batch, item in results
        if item.value is not None and item.state != "invalid"
    )
    low, high = test.limit.range.bounds(test.limit.unit) if test.limit.range else (None, None)
    ends = (_finite(low), _finite(high))
    life, why = None, ""
    try:
        life = shelf_life(points, low=ends[0], high=ends[1], direction=test.direction)
    except InputError as error:
        why = error.message
    failing = tuple(item for _, item in results if item.state == "oos")
    return Trend(
        protocol, attribute, test.limit.text, test.limit.unit, points, life, why, out_of_trend(points), failing
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and abs(value) < float("inf") else None


def today(ledger: Ledger) -> str:
    """The day on the ledger's clock."""
    return moment(ledger.now.isoformat()).date().isoformat()
