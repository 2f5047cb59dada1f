"""What an administrator does for people, signed: roles, training, retirement, and an end to a lockout.

A role changes only by an event that another person signed: an unsigned one, or one's own, counts for nothing.
Clauses: 21 CFR 11.10(d) limited access, (g) authority, (i) training; 11.300(d) attempts are noticed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seedtrain.base import InputError
from seedtrain.record._access import access
from seedtrain.record._event import SYSTEM, Draft, Event, moment, timestamp
from seedtrain.record._ledger import ALERT, Ledger
from seedtrain.record._people import append_signed, find_person


@dataclass(frozen=True)
class Alert:
    """Something that somebody in charge must look at now. `open`: nobody has dealt with it."""

    at: str
    kind: str
    subject: str
    words: str
    open: bool


def set_roles(ledger: Ledger, actor: str, roles: Sequence[str], reason: str, *, by: str) -> Event:
    """Give a person these roles instead of the ones they have; signed by somebody else, with a reason."""
    person = find_person(ledger, actor)
    if person is None:
        raise _stranger(actor)
    if actor == by:
        raise InputError(
            f"{by} cannot change their own roles", remedy="Have another administrator do it; enrol one if needed."
        )
    wanted = tuple(dict.fromkeys(role.strip() for role in roles))
    if not wanted or not all(wanted):
        raise InputError(f"a person needs a role, not {list(roles)!r}", remedy="Give at least one, or retire them.")
    payload = {"roles": list(wanted), "before": list(person.roles)}
    draft = Draft("person.roles_set", actor, payload, by, reason=_reason(reason, "a change of roles"))
    return append_signed(ledger, draft, "change of roles")[0]


def unlock_access(ledger: Ledger, actor: str, reason: str, *, by: str) -> Event:
    """End a lockout before its time, once it is known who tried; signed, with a reason."""
    until = access(ledger, actor).locked_until
    if until is None or until <= timestamp(ledger.now):
        raise InputError(f"{actor} is not locked", remedy="See: seedtrain person list.")
    draft = Draft("person.unlocked", actor, {"until": until}, by, reason=_reason(reason, "an unlocking"))
    return append_signed(ledger, draft, "unlocking")[0]


def retire(ledger: Ledger, actor: str, reason: str, *, by: str = SYSTEM) -> Event:
    """End a person's right to act. The identity is never used again; what they signed stays signed.

    - `by`: a person signs it, and so stands in `with signing_as(unlocked)`.
    """
    if ledger.enrolment(actor) is None:
        raise _stranger(actor)
    words = _reason(reason, "a retirement")
    return _by(ledger, Draft("person.retired", actor, {}, by, reason=words, id=f"{actor}-retired"), "retirement")


def train(ledger: Ledger, actor: str, course: str, *, until: str | None = None, by: str = SYSTEM) -> Event:
    """Record that a person is trained in something, until a time or for good; a person (`by`) signs it."""
    if ledger.enrolment(actor) is None or not course.strip():
        raise InputError(f"{actor!r} is not enrolled, or the course has no name", remedy="See: seedtrain person list.")
    payload = {"course": course.strip(), "until": timestamp(moment(until)) if until else None}
    return _by(ledger, Draft("person.trained", actor, payload, by), "training")


def alerts(ledger: Ledger) -> tuple[Alert, ...]:
    """Every alert in the ledger, in order; a lockout is open while it lasts and nobody has ended it."""
    found = []
    for event in ledger.events(type=ALERT):
        until = event.payload.get("until")
        open_ = until is None or (
            until > timestamp(ledger.now) and access(ledger, event.subject).locked_until is not None
        )
        kind, words = str(event.payload["kind"]), str(event.payload["words"])
        found.append(Alert(event.recorded_at, kind, event.subject, words, open_))
    return tuple(found)


def _by(ledger: Ledger, draft: Draft, meaning: str) -> Event:
    return ledger.append(draft)[0] if draft.actor == SYSTEM else append_signed(ledger, draft, meaning)[0]


def _reason(text: str, what: str) -> str:
    if not text.strip():
        raise InputError(f"{what} has no reason", remedy="Say why.")
    return text.strip()


def _stranger(actor: str) -> InputError:
    return InputError(f"{actor!r} is not enrolled", remedy="See: seedtrain person list.")
