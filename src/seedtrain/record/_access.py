"""Who may act: unlocking by identity and password, lockout, expiry, the end of a session, and four eyes.

What happened to a person's access are events, so that it is part of the record and survives a restart; no secret is.
Clauses: 21 CFR 11.200(a) two components, 11.300(b) ageing, (d) attempts are noticed; 11.100(a) identities not reused.
"""

from __future__ import annotations

import hmac
import logging
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
from seedtrain.record._event import SYSTEM, Draft, Event, moment, timestamp
from seedtrain.record._keys import SigningKey
from seedtrain.record._ledger import ALERT, ConflictError, Ledger

MOST_FAILURES: Final = 5  # in a row; assumed
LOCKED_MINUTES: Final = 15  # assumed
PASSWORD_DAYS: Final = 90  # assumed; 21 CFR 11.300(b) asks for ageing, and names no figure
SESSION_MINUTES: Final = 15  # assumed; 21 CFR 11.200(a)(1) speaks of one continuous period of access
_LOCKED: Final = (
    "Wait, and tell quality. Once it is known who tried, an administrator ends it: seedtrain person unlock."
)
_LOG: Final = logging.getLogger(__name__)
_ENDS_SESSIONS: Final = ("person.password_set", "person.unlocked", "person.retired")
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
    changed_seq: int = 0  # the last event after which a session begun earlier is over


def access(ledger: Ledger, actor: str) -> Access:
    """Read off the person's events."""
    enrolled = ledger.enrolment(actor)
    credentials = str(enrolled.payload.get("credentials", "none")) if enrolled else "none"
    failures, last_failure, expires_at, retired, last_step, changed = 0, "", None, False, -1, 0
    trained: dict[str, str | None] = {}
    events = list(ledger.events(subject=actor))
    for event in events:
        if event.type == "person.refused" and event.payload.get("cause", "secret") == "secret":
            failures, last_failure = failures + 1, event.recorded_at
        elif event.type in ("person.admitted", "person.password_set"):
            failures = 0
            expires_at = event.payload.get("expires_at", expires_at)
            last_step = max(last_step, int(event.payload.get("totp_step", -1)))
        elif event.type == "person.trained":
            trained[str(event.payload["course"])] = event.payload["until"]
        elif event.type == "person.unlocked" and is_signed(event, events):
            failures = 0
        retired |= event.type == "person.retired"
        changed = event.seq if event.type in _ENDS_SESSIONS or event.payload.get("locked") is True else changed
    until = None
    if failures >= MOST_FAILURES:
        until = timestamp(moment(last_failure) + timedelta(minutes=LOCKED_MINUTES))
    return Access(credentials, failures, until, expires_at, retired, tuple(trained.items()), last_step, changed)


def is_signed(event: Event, events: Sequence[Event]) -> bool:
    """Whether the event's own actor, who is not its subject, signed it; `events`: those of its subject."""
    return event.actor != event.subject and any(
        item.type == "signature.applied"
        and item.seq > event.seq
        and item.actor == event.actor
        and item.payload["record_digest"] == event.digest
        for item in events
    )


def unlock(ledger: Ledger, actor: str, password: str, *, code: str | None = None) -> Unlocked:
    """The person of this identity, if the password opens their key and the one-time code fits, where there is one.

    It is good for `SESSION_MINUTES`, and no longer than until the password changes, access is locked or the person is
    retired. Raises `RefusedError`: wrong (it does not tell which part, and is recorded), locked, expired or retired.
    """
    key = _opened(ledger, actor, password, code, expired_too=False).key
    return Unlocked(actor, key, ledger.now, ledger.head.seq)


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
            _check_session(ledger, person)
            return person.key
    if not enrolled.payload["scripted"]:
        raise RefusedError(f"{actor} has not unlocked their key", remedy="Give identity and password, then sign.")
    return ledger.keys.person(actor)


def _check_session(ledger: Ledger, person: Unlocked) -> None:
    stands = access(ledger, person.actor)
    if stands.retired:
        raise RefusedError(f"{person.actor} is retired and cannot sign", remedy="Sign as somebody in service.")
    if stands.changed_seq > person.seq:
        raise RefusedError(
            f"the session of {person.actor} is over: their access has changed since",
            remedy="Give identity and password again.",
        )
    if ledger.now - person.at > timedelta(minutes=SESSION_MINUTES):
        raise RefusedError(
            f"the session of {person.actor} is over: {SESSION_MINUTES} minutes have passed",
            remedy="Give identity and password again.",
        )


def _opened(ledger: Ledger, actor: str, password: str, code: str | None, *, expired_too: bool) -> Secrets:
    enrolled = ledger.enrolment(actor)
    stands = access(ledger, actor)
    if enrolled is None or stands.credentials == "none" or stands.retired:
        waste_time(password)
        if enrolled is not None and stands.retired:
            _note_refusal(ledger, actor, "retired", stands)
        raise _refusal()
    now = timestamp(ledger.now)
    if stands.locked_until and now < stands.locked_until:
        raise RefusedError(f"{actor} is locked until {stands.locked_until}", remedy=_LOCKED)
    public = bytes.fromhex(enrolled.payload["public_key"])
    held = open_sealed(actor, public, password, ledger.keys.sealed(public))
    step = _step(held, code, ledger.now.timestamp(), stands.last_step)
    if held is None or step is None:
        _note_refusal(ledger, actor, "secret", stands)
        raise _refusal()
    if stands.expires_at and stands.expires_at <= now and not expired_too:
        _note_refusal(ledger, actor, "expired", stands)
        raise RefusedError(
            f"the password of {actor} expired at {stands.expires_at}", remedy="seedtrain person password"
        )
    _admit(ledger, actor, step)
    return held


def _admit(ledger: Ledger, actor: str, step: int) -> None:
    """Note the success where it must be noted, on what others have written while the password was being checked.

    Checking takes a tenth of a second: guesses made side by side must not outrun the lockout, nor a code be used twice.
    """
    while True:
        head = ledger.head.seq
        stands = access(ledger, actor)
        if stands.locked_until and timestamp(ledger.now) < stands.locked_until:
            raise RefusedError(f"{actor} is locked until {stands.locked_until}", remedy=_LOCKED)
        if step >= 0 and step <= stands.last_step:
            _note_refusal(ledger, actor, "secret", stands)
            raise _refusal()
        if not stands.failures and step < 0:
            return
        try:
            ledger.append(Draft("person.admitted", actor, {"totp_step": step}, SYSTEM), at_head=head)
        except ConflictError:
            continue
        return


def _note_refusal(ledger: Ledger, actor: str, cause: str, stands: Access) -> None:
    """Put a refused attempt into the ledger; the one that locks raises an alert, there and in the log, at once."""
    attempt = stands.failures + 1
    locked = cause == "secret" and attempt >= MOST_FAILURES
    payload = {"attempt": attempt, "locked": locked, "cause": cause}
    drafts = [Draft("person.refused", actor, payload, SYSTEM)]
    if locked:
        until = timestamp(ledger.now + timedelta(minutes=LOCKED_MINUTES))
        words = f"{attempt} failed attempts in a row to sign as {actor}"
        drafts.append(Draft(ALERT, actor, {"kind": "lockout", "words": words, "until": until}, SYSTEM))
        _LOG.warning("%s: access is locked until %s", words, until)
    ledger.append(*drafts)


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
