"""How long records are kept, and so when personal data may be erased: never while a record that it belongs to is kept.

Sources: 21 CFR 211.180(a)-(b), 1 year after expiry; Directive (EU) 2017/1572 Art. 9(1), 5 years after certification,
whichever is longer; Regulation (EC) 1394/2007 Art. 15, 30 years after expiry for donor and patient; Regulation (EU)
2016/679 Art. 17(3)(b), no erasure where the law asks for the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Final

from seedtrain.base import InputError
from seedtrain.gmp._authority import another_person, authorise
from seedtrain.gmp._lots._goods import NO_EXPIRY
from seedtrain.record import (
    Draft,
    ErasedPart,
    Event,
    Ledger,
    access,
    append_signed,
    destroy,
    find_person,
    moment,
)

RULE_SET: Final = "retention.set"
STATED: Final = "retention.stated"
NAMED_MOST: Final = 5  # records named in a refusal
_NOT_WORK: Final = (RULE_SET, STATED, "signature.applied")  # what is written about a record does not lengthen its time
_WITH_EXPIRY: Final = ("lot.received", "lot.produced", "lot.split", "lot.merged", "lot.amended")


@dataclass(frozen=True)
class RetentionRule:
    """How long a class of records is kept: to the later of both ends; None: without end until quality states one.

    - `after_expiry`: years after the expiry of the product; `after_last`: years after the record's last event.
    """

    record_class: str
    after_expiry: int
    after_last: int
    source: str


@dataclass(frozen=True)
class Kept:
    """A record and the day until which it is kept; None: no end is known."""

    record: str
    record_class: str
    until: date | None
    why: str


LEAST: Final[Mapping[str, RetentionRule]] = MappingProxyType(
    {
        "batch": RetentionRule("batch", 1, 5, "21 CFR 211.180(a); Directive (EU) 2017/1572 Art. 9(1)"),
        "lot": RetentionRule("lot", 1, 5, "21 CFR 211.180(b)"),
        "traceability": RetentionRule("traceability", 30, 0, "Regulation (EC) 1394/2007 Art. 15"),
        "other": RetentionRule("other", 1, 5, "assumed"),
    }
)
"""The least; `set_rule` lengthens it. The five years after certification are counted from the record's last event,
which is not before it."""


def retention_rules(ledger: Ledger) -> dict[str, RetentionRule]:
    """The rules in force: the least, or what was set since and signed."""
    rules = dict(LEAST)
    for event in _signed(ledger.events(type=RULE_SET), ledger):
        least, payload = LEAST[event.subject], event.payload
        rules[event.subject] = replace(
            least,
            after_expiry=max(least.after_expiry, int(payload["after_expiry"])),
            after_last=max(least.after_last, int(payload["after_last"])),
            source=f"{least.source}; {event.reason}",
        )
    return rules


def set_rule(
    ledger: Ledger, record_class: str, *, after_expiry: int, after_last: int, reason: str, by: str
) -> RetentionRule:
    """Keep a class of records longer than the least; signed by quality."""
    authorise(ledger, by, "quality.approve")
    least = LEAST.get(record_class)
    if least is None:
        raise InputError(f"{record_class!r} is no class of records", remedy=f"Use one of: {', '.join(LEAST)}.")
    if after_expiry < least.after_expiry or after_last < least.after_last:
        raise InputError(
            f"{record_class}: {after_expiry} and {after_last} years are less than {least.after_expiry} and "
            f"{least.after_last} ({least.source})",
            remedy="Keep them as long, or longer.",
        )
    payload = {"after_expiry": after_expiry, "after_last": after_last}
    append_signed(ledger, Draft(RULE_SET, record_class, payload, by, reason=_reason(reason)), "retention")
    return retention_rules(ledger)[record_class]


def state_expiry(ledger: Ledger, record: str, expiry: date, *, reason: str, by: str) -> Kept:
    """Say when the product of a record expires, from which its time runs; the last word counts."""
    authorise(ledger, by, "quality.approve")
    events = list(ledger.events(subject=record))
    if not events:
        raise InputError(f"the ledger has no record {record!r}", remedy="Give the batch, lot or chain.")
    payload = {"expiry": expiry.isoformat()}
    append_signed(ledger, Draft(STATED, record, payload, by, reason=_reason(reason)), "retention")
    return kept(ledger, record)


def kept(ledger: Ledger, record: str) -> Kept:
    """Until when a record is kept. A lot is kept as long as every batch that took it."""
    return _kept(ledger, record, retention_rules(ledger), frozenset())


def records_of(ledger: Ledger, subject: str) -> tuple[str, ...]:
    """The records to which a person or a patient belongs: where they acted or signed, and what names their token."""
    found: dict[str, None] = {}
    for event in ledger.events():
        if event.subject != subject and (event.actor == subject or subject in event.payload.values()):
            found[event.subject] = None
    return tuple(found)


def erase_personal(ledger: Ledger, subject: str, *, contact_only: bool, reason: str, by: str) -> Event:
    """Erase a person's data, or only what is not their name, for good; the chain still verifies.

    - `contact_only`: what belongs to no record: address, telephone. It may be erased at any time.

    Raises `InputError` while the person is in service, or any record that they belong to is kept.
    """
    authorise(ledger, by, "person.administer")
    another_person(ledger, by, [subject], f"the erasure of the data of {subject}")
    patient = find_person(ledger, subject) is None
    if patient and not any(True for _ in ledger.events(subject=subject)) and not records_of(ledger, subject):
        raise InputError(f"the ledger knows no {subject!r}", remedy="See: seedtrain person list.")
    if contact_only and not patient:
        return destroy(ledger, subject, ("data",), reason, by=by)
    if not patient and not access(ledger, subject).retired:
        raise InputError(f"{subject} is in service", remedy="Retire the person first; --contact erases the rest.")
    today = ledger.now.date()
    held = [item for item in (kept(ledger, name) for name in records_of(ledger, subject)) if _runs(item, today)]
    if held:
        named = "; ".join(f"{item.record} ({item.why})" for item in held[:NAMED_MOST])
        more = f" and {len(held) - NAMED_MOST} more" if len(held) > NAMED_MOST else ""
        raise InputError(
            f"{subject} belongs to {len(held)} records that are kept: {named}{more}",
            remedy="The data is erased once no record needs it (GDPR Art. 17(3)(b)); state expiries with: "
            "seedtrain retention state.",
        )
    parts: tuple[ErasedPart, ...] = ("name", "data")
    return destroy(ledger, subject, parts, reason, by=by)


def _runs(item: Kept, today: date) -> bool:
    return item.until is None or item.until >= today


def _kept(ledger: Ledger, record: str, rules: Mapping[str, RetentionRule], seen: frozenset[str]) -> Kept:
    events = list(ledger.events(subject=record))
    rule = rules[_class_of(events)]
    expiry = _expiry(events, ledger)
    if expiry is None:
        return Kept(record, rule.record_class, None, "its expiry is not known")
    last = max(moment(item.recorded_at).date() for item in events if item.type not in _NOT_WORK)
    until = max(_years(expiry, rule.after_expiry), _years(last, rule.after_last))
    for batch in _consumers(ledger, record) - seen if rule.record_class == "lot" else ():
        taken = _kept(ledger, batch, rules, seen | {record})
        if taken.until is None:
            return Kept(record, rule.record_class, None, f"taken by {batch}, whose expiry is not known")
        until = max(until, taken.until)
    return Kept(record, rule.record_class, until, f"until {until.isoformat()}, {rule.source}")


def _consumers(ledger: Ledger, lot: str) -> frozenset[str]:
    return frozenset(event.subject for event in ledger.events(type="lot.consumed") if event.payload["lot"] == lot)


def _class_of(events: Iterable[Event]) -> str:
    types = {event.type for event in events}
    if any(item.startswith("custody.") for item in types) or "patient.registered" in types:
        return "traceability"
    if "batch.created" in types:
        return "batch"
    return "lot" if types & {"lot.received", "lot.split", "lot.merged"} else "other"


def _expiry(events: Sequence[Event], ledger: Ledger) -> date | None:
    """The later of the expiry that the record itself tells, and quality's last word on it."""
    told = [str(item.payload.get("expiry", "")) for item in events if item.type in _WITH_EXPIRY]
    own = [text for text in told if text and text != NO_EXPIRY.isoformat()]
    stated = [str(item.payload["expiry"]) for item in _signed(events, ledger) if item.type == STATED]
    return max((date.fromisoformat(text[:10]) for text in (*own, *stated[-1:])), default=None)


def _signed(events: Iterable[Event], ledger: Ledger) -> list[Event]:
    """Those that their own actor signed."""
    found = []
    for event in events:
        if event.type not in (RULE_SET, STATED):
            continue
        after = ledger.events(subject=event.subject, type="signature.applied", after=event.seq)
        if any(item.actor == event.actor and item.payload["record_digest"] == event.digest for item in after):
            found.append(event)
    return found


def _years(day: date, years: int) -> date:
    """The same day that many years later; 1 March for 29 February of a year without one."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def _reason(text: str) -> str:
    if not text.strip():
        raise InputError("this has no reason", remedy="Say why.")
    return text.strip()
