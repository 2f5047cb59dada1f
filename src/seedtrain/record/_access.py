"""Who may act: unlocking by identity and password, lockout, expiry, retirement, training, and four eyes.

What happened to a person's access are events, so that it is part of the record and survives a restart; no secret is.
Clauses: 21 CFR 11.200(a) two components, 11.300(b) ageing, (d) attempts are noticed; 11.100(a) identities not reused.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from seedtrain.base import InputError
from seedtrain.record._credentials import (
    Secrets,
    Unlocked,
    check_password,
    matching_step,
    open_sealed,
    seal,
    totp_url,
    waste_time,
)
from seedtrain.record._event import Draft, Event, moment, timestamp
from seedtrain.record._keys import SigningKey
from seedtrain.record._ledger import SYSTEM, Ledger

MOST_FAILURES: Final = 5  # in a row; assumed
LOCKED_MINUTES: Final = 15  # assumed
PASSWORD_DAYS: Final = 90  # assumed; 21 CFR 11.300(b) asks for ageing, and names no figure
_UNLOCKED: ContextVar[tuple[Unlocked, ...]] = ContextVar("unlocked", default=())


class RefusedError(InputError):
    """Somebody may not act; the attempt is in the ledger."""


@dataclass(frozen=True)
class Access:
    """How things stand with a person's access. Times are those of the ledger."""

    credentials: str  # "none" (a script), "password", "password+totp"
    failures: int
    locked_until: str | None
    expires_at: str | None
    retired: bool
    trained: tuple[tuple[str, str | None], ...]  # course, valid until
    last_step: int


def access(ledger: Ledger, actor: str) -> Access:
    """Read off the person's events."""
    enrolled = ledger.enrolment(actor)
    credentials = str(enrolled.payload.get("credentials", "none")) if enrolled else "none"
    failures, last_failure, expires_at, retired, last_step = 0, "", None, False, -1
    trained: dict[str, str | None] = {}
    for event in ledger.events(subject=actor):
        if event.type == "person.refused":
            failures, last_failure = failures + 1, event.recorded_at
        elif event.type in ("person.admitted", "person.password_set"):
            failures = 0
            expires_at = event.payload.get("expires_at", expires_at)
            last_step = max(last_step, int(event.payload.get("totp_step", -1)))
        elif event.type == "person.trained":
            trained[str(event.payload["course"])] = event.payload["until"]
        retired |= event.type == "person.retired"
    until = None
    if failures >= MOST_FAILURES:
        until = timestamp(moment(last_failure) + timedelta(minutes=LOCKED_MINUTES))
    return Access(credentials, failures, until, expires_at, retired, tuple(trained.items()), last_step)


def unlock(ledger: Ledger, actor: str, password: str, *, code: str | None = None) -> Unlocked:
    """The person of this identity, if the password opens their key and the one-time code fits, where there is one.

    Raises `RefusedError`: wrong (it does not tell which part, and is recorded), locked, expired or retired.
    """
    return Unlocked(actor, _opened(ledger, actor, password, code, expired_too=False).key)


def change_password(
    ledger: Ledger, actor: str, old: str, new: str, *, code: str | None = None, days: int = PASSWORD_DAYS
) -> Event:
    """Seal the person's key under a new password; the old one, even if expired, must be right."""
    held = _opened(ledger, actor, old, code, expired_too=True)
    if hmac.compare_digest(_plain(old), _plain(new)):
        raise InputError("the new password is the old one", remedy="Choose another.")
    check_password(new)
    ledger.keys.put_sealed(held.key.public, seal(actor, new, held))
    return ledger.append(Draft("person.password_set", actor, _expiry(ledger, days), actor))[0]


def first_password(ledger: Ledger, actor: str, password: str, held: Secrets, days: int) -> tuple[Draft, str | None]:
    """Seal a new person's key; the event to append with the enrolment, and the URL for an authenticator app."""
    ledger.keys.put_sealed(held.key.public, seal(actor, password, held))
    url = totp_url(actor, ledger.id, held.totp) if held.totp else None
    return Draft("person.password_set", actor, _expiry(ledger, days), SYSTEM), url


def retire(ledger: Ledger, actor: str, reason: str, *, by: str = SYSTEM) -> Event:
    """End a person's right to act. The identity is never used again; what they signed stays signed."""
    if ledger.enrolment(actor) is None:
        raise InputError(f"{actor!r} is not enrolled", remedy="See: seedtrain person list.")
    if not reason.strip():
        raise InputError("a retirement has no reason", remedy="Say why.")
    return ledger.append(Draft("person.retired", actor, {}, by, reason=reason, id=f"{actor}-retired"))[0]


def train(ledger: Ledger, actor: str, course: str, *, until: str | None = None, by: str = SYSTEM) -> Event:
    """Record that a person is trained in something, until a time or for good."""
    if ledger.enrolment(actor) is None or not course.strip():
        raise InputError(f"{actor!r} is not enrolled, or the course has no name", remedy="See: seedtrain person list.")
    payload = {"course": course.strip(), "until": timestamp(moment(until)) if until else None}
    return ledger.append(Draft("person.trained", actor, payload, by))[0]


def is_trained(ledger: Ledger, actor: str, course: str) -> bool:
    """Whether the person's training in this has not lapsed."""
    until = dict(access(ledger, actor).trained).get(course, "")
    return until is None or until > timestamp(ledger.now)


def different_people(ledger: Ledger, one: str, other: str) -> bool:
    """Whether two identities are two people who may act: four eyes. Roles do not enter, names do.

    One identity is one person whatever its roles; nor do two identities under the same name count as two.
    """
    if hmac.compare_digest(one.encode(), other.encode()):
        return False
    names = []
    for actor in (one, other):
        enrolled = ledger.enrolment(actor)
        if enrolled is None or access(ledger, actor).retired:
            return False
        names.append(ledger.keys.open_name(actor, str(enrolled.payload["sealed_name"])))
    return None in names or not same_name(*(str(name) for name in names))


def same_name(one: str, other: str) -> bool:
    """Whether two names read alike."""
    first, second = (" ".join(unicodedata.normalize("NFKC", name).casefold().split()) for name in (one, other))
    return hmac.compare_digest(first.encode(), second.encode())


@contextmanager
def signing_as(*people: Unlocked) -> Iterator[None]:
    """Within the block these people sign; their keys are forgotten at its end."""
    token = _UNLOCKED.set((*_UNLOCKED.get(), *people))
    try:
        yield
    finally:
        _UNLOCKED.reset(token)


def signing_key(ledger: Ledger, actor: str, enrolled: Event, people: Sequence[Unlocked] = ()) -> SigningKey:
    """The key with which this person signs now: opened by the password, or a script's own."""
    for person in (*people, *_UNLOCKED.get()):
        if person.actor == actor and person.key.public.hex() == enrolled.payload["public_key"]:
            return person.key
    if not enrolled.payload["scripted"]:
        raise RefusedError(f"{actor} has not unlocked their key", remedy="Give identity and password, then sign.")
    return ledger.keys.person(actor)


def _opened(ledger: Ledger, actor: str, password: str, code: str | None, *, expired_too: bool) -> Secrets:
    enrolled = ledger.enrolment(actor)
    stands = access(ledger, actor)
    if enrolled is None or stands.credentials == "none" or stands.retired:
        waste_time(password)
        raise _refusal()
    now = timestamp(ledger.now)
    if stands.locked_until and now < stands.locked_until:
        raise RefusedError(f"{actor} is locked until {stands.locked_until}", remedy="Wait, and tell QA.")
    public = bytes.fromhex(enrolled.payload["public_key"])
    held = open_sealed(actor, public, password, ledger.keys.sealed(public))
    step = _step(held, code, ledger.now.timestamp(), stands.last_step)
    if held is None or step is None:
        payload = {"attempt": stands.failures + 1, "locked": stands.failures + 1 >= MOST_FAILURES}
        ledger.append(Draft("person.refused", actor, payload, SYSTEM))
        raise _refusal()
    if stands.expires_at and stands.expires_at <= now and not expired_too:
        raise RefusedError(
            f"the password of {actor} expired at {stands.expires_at}", remedy="seedtrain person password"
        )
    if stands.failures or held.totp:
        ledger.append(Draft("person.admitted", actor, {"totp_step": step}, SYSTEM))
    return held


def _step(held: Secrets | None, code: str | None, now_s: float, last: int) -> int | None:
    """-1 where no code is asked for; None for a code that is wrong, missing or used before."""
    if held is None or held.totp is None:
        return -1
    step = matching_step(held.totp, code or "", now_s)
    return step if step is not None and step > last else None


def _refusal() -> RefusedError:
    return RefusedError("identity, password or code is wrong", remedy="Try again; after 5 failures access is locked.")


def _expiry(ledger: Ledger, days: int) -> dict[str, str]:
    if days < 1:
        raise InputError(f"a password cannot last {days} days", remedy="Give a day or more.")
    return {"expires_at": timestamp(ledger.now + timedelta(days=days))}


def _plain(text: str) -> bytes:
    return unicodedata.normalize("NFKC", text).encode("utf-8", "surrogatepass")
