"""People and their signatures: an opaque identity in the ledger, a name only under a key of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from seedtrain.base import InputError, UnavailableError
from seedtrain.record._access import PASSWORD_DAYS, first_password, is_signed, signing_key
from seedtrain.record._clock import CLOCK_TOLERANCE_S
from seedtrain.record._credentials import Unlocked, check_password, new_secrets
from seedtrain.record._event import SYSTEM, Draft, Event, LaterDraft
from seedtrain.record._keys import SigningKey
from seedtrain.record._ledger import ConflictError, Ledger
from seedtrain.record._verifier import signature_message

LONGEST_MEANING: Final = 200
ENROLMENT: Final = "enrolment"


@dataclass(frozen=True)
class Person:
    """Somebody enrolled. `scripted`: a program acts in this role, as in a simulated batch."""

    actor: str
    roles: tuple[str, ...]
    public_key: str
    scripted: bool
    credentials: str = "none"


def enrol_person(
    ledger: Ledger,
    name: str,
    roles: Sequence[str],
    *,
    scripted: bool = False,
    password: str | None = None,
    totp: bool = False,
    days: int = PASSWORD_DAYS,
    show: Callable[[str], None] | None = None,
    by: str = SYSTEM,
) -> str:
    """Enrol a person and return the opaque identity (`person-1`) that stands for them from now on.

    The name is stored only sealed under a key outside the ledger. A scripted person of the same name and roles is
    found again, so that a killed program can call this twice; two real people may share a name.

    - `password`: seals the person's signing key; it lasts `days`. Without one a real person cannot sign.
    - `totp`: one-time codes are asked for too; `show` is given the URL for an authenticator app, once.
    - `by`: who enrols. A person signs the enrolment, and so stands in `with signing_as(unlocked)`.
    """
    if password is not None:
        check_password(password)
    held = new_secrets(totp=totp) if password is not None else None
    if not name.strip() or not roles or not all(role.strip() for role in roles):
        raise InputError(
            f"a person needs a name and a role, not {name!r} and {list(roles)!r}",
            remedy="Give the name, and at least one role: --role operator.",
        )
    while True:
        head = ledger.head
        enrolled = people(ledger)
        if scripted:
            for person in enrolled:
                if person.scripted and person.roles == tuple(roles) and person_name(ledger, person.actor) == name:
                    return person.actor
        actor = f"person-{len(enrolled) + 1}"
        payload = {
            "roles": list(roles),
            "public_key": (held.key if held else ledger.keys.person(actor, create=True)).public.hex(),
            "sealed_name": ledger.keys.seal_name(actor, name),
            "scripted": scripted,
        }
        drafts: list[Draft | LaterDraft] = [Draft("person.enrolled", actor, payload, by)]
        url = None
        if held and password is not None:
            payload["credentials"] = "password+totp" if totp else "password"
            draft, url = first_password(ledger, actor, password, held, days)
            drafts.append(draft)
        if by != SYSTEM:
            drafts.append(_enrolment_signed(ledger, by, actor))
        try:
            ledger.append(*drafts, at_head=head.seq)
        except ConflictError:
            continue
        if url and show:
            show(url)
        return actor


def _enrolment_signed(ledger: Ledger, by: str, actor: str) -> LaterDraft:
    key = _key(ledger, by, None)
    return lambda events: _signature(ledger, by, key, events[0].digest, ENROLMENT, actor, None)


def people(ledger: Ledger) -> tuple[Person, ...]:
    """Everybody enrolled, in order, with the roles that they have now."""
    changed = {event.subject for event in ledger.events(type="person.roles_set")}
    return tuple(
        _person(event, _roles(ledger, event.subject) if event.subject in changed else None)
        for event in ledger.events(type="person.enrolled")
    )


def find_person(ledger: Ledger, actor: str, *, before: int | None = None) -> Person | None:
    """The person of an identity, with the roles that they have now; None for a stranger or a program.

    - `before`: the roles that they had when the event of this seq was written; None for who was not enrolled then.
    """
    event = ledger.enrolment(actor)
    if event is None or (before is not None and event.seq >= before):
        return None
    return _person(event, _roles(ledger, actor, before))


def person_name(ledger: Ledger, actor: str) -> str | None:
    """The name of a person; None for a stranger, and once it was erased, even if the key comes back from a backup."""
    event = ledger.enrolment(actor)
    if event is None or any("name" in item.payload["keys"] for item in ledger.events(actor, "personal.erased")):
        return None
    return ledger.keys.open_name(actor, str(event.payload["sealed_name"]))


def sign(
    ledger: Ledger,
    actor: str,
    digest: str,
    meaning: str,
    *,
    subject: str | None = None,
    occurred_at: datetime | str | None = None,
    by: Unlocked | None = None,
) -> Event:
    """A person signs the record of this digest with a meaning; the event `signature.applied`.

    - `digest`: SHA-256 of what is signed, 64 hexadecimal digits (`Event.digest`, a recipe's digest).
    - `subject`: what the event is filed under; the digest itself if not given.
    - `occurred_at`: the clock of the process; the wall clock if not given (`recorded_at` is always that).
    - `by`: the person, unlocked by identity and password; or the call stands in `with signing_as(unlocked)`.

    Raises `InputError` for somebody who is not enrolled, `UnavailableError` while the clock stands behind.
    """
    key = _key(ledger, actor, by)
    return ledger.append(lambda _: _signature(ledger, actor, key, digest, meaning, subject or digest, occurred_at))[0]


def append_signed(
    ledger: Ledger,
    draft: Draft,
    meaning: str,
    *,
    more: Sequence[Draft] = (),
    at_head: int | None = None,
    by: Unlocked | None = None,
) -> tuple[Event, Event]:
    """Append an event and its actor's signature over it in one commit, and return both; `more` is put before them.

    A draft with an `id` that is stored already is not signed again: the stored event and its signature come back.
    """
    stored = ledger.find(draft.id) if draft.id is not None else None
    if stored is not None:
        ledger.append(draft)  # refuses another content under the same id
        for event in ledger.events(type="signature.applied", after=stored.seq):
            if event.payload["record_digest"] == stored.digest and event.actor == draft.actor:
                return stored, event

    key = _key(ledger, draft.actor, by)

    def signature(events: Sequence[Event]) -> Draft:
        return _signature(ledger, draft.actor, key, events[-1].digest, meaning, draft.subject, draft.occurred_at)

    events = ledger.append(*more, draft, signature, at_head=at_head)
    return events[-2], events[-1]


def _key(ledger: Ledger, actor: str, by: Unlocked | None) -> SigningKey:
    """Found in the caller's own thread: the commit may be made by another."""
    enrolled = ledger.enrolment(actor)
    if enrolled is None:
        raise InputError(f"{actor!r} is not enrolled", remedy="Enrol the person, then sign.")
    return signing_key(ledger, actor, enrolled, (by,) if by else ())


def _signature(
    ledger: Ledger,
    actor: str,
    key: SigningKey,
    digest: str,
    meaning: str,
    subject: str,
    occurred_at: datetime | str | None,
) -> Draft:
    """Signed inside the commit, so that the checkpoint named is the last one before it."""
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise InputError(f"{digest!r} is not a digest", remedy="Give the 64 hexadecimal digits of a SHA-256.")
    if not meaning.strip() or len(meaning) > LONGEST_MEANING:
        raise InputError(f"{meaning!r} is not a meaning", remedy="Say what the signature means: review, approval ...")
    behind = ledger.clock_behind_s
    if behind > CLOCK_TOLERANCE_S:
        raise UnavailableError(
            f"the clock stands {behind:.0f} s behind the ledger: signing pauses",
            remedy="Set the clock right, then sign.",
        )
    nonce = uuid.uuid4().hex
    payload: dict[str, Any] = {
        "record_digest": digest,
        "meaning": meaning,
        "nonce": nonce,
        "checkpoint": ledger.checkpoint,
        "public_key": key.public.hex(),
    }
    payload["signature"] = key.sign(signature_message(actor, payload)).hex()
    return Draft("signature.applied", subject, payload, actor, occurred_at, id=nonce)


def _roles(ledger: Ledger, actor: str, before: int | None = None) -> tuple[str, ...] | None:
    """The roles last set by somebody else who signed for it; None where the enrolment's still hold."""
    roles = None
    changes = [
        event for event in ledger.events(subject=actor, type="person.roles_set") if before is None or event.seq < before
    ]
    signatures = list(ledger.events(subject=actor, type="signature.applied")) if changes else []
    for event in changes:
        if is_signed(event, signatures):
            roles = tuple(str(role) for role in event.payload["roles"])
    return roles


def _person(event: Event, roles: tuple[str, ...] | None) -> Person:
    payload = event.payload
    return Person(
        event.subject,
        tuple(payload["roles"]) if roles is None else roles,
        str(payload["public_key"]),
        bool(payload["scripted"]),
        str(payload.get("credentials", "none")),
    )
