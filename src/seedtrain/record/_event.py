"""One event of the ledger: what happened, as the exact bytes that are hashed and signed."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from seedtrain.base import InputError, digest_bytes, signed_bytes

LARGEST_EVENT_BYTES: Final = 1024 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")
_QUOTE: Final = json.encoder.encode_basestring  # what canonical JSON writes for a text
_READ: Final = json.JSONDecoder().decode
_TYPE: Final = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")


@dataclass(frozen=True)
class Event:
    """A stored event. `occurred_at` is the clock of the process, `recorded_at` that of the ledger (ISO 8601, UTC).

    - `prev`: SHA-256 of the bytes of the event before (64 zeros before the first).
    - `actor`: an opaque identity, never a name; `corrects`: the `id` of the event that this one puts right.
    - `digest`: SHA-256 of `body`, the exact canonical bytes.
    """

    seq: int
    prev: str
    id: str
    type: str
    subject: str
    occurred_at: str
    recorded_at: str
    actor: str
    device: str | None
    payload: Mapping[str, Any]
    reason: str | None
    corrects: str | None
    digest: str = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def occurred(self) -> datetime:
        """`occurred_at` as a time."""
        return moment(self.occurred_at)

    def to_data(self) -> dict[str, Any]:
        """The event as JSON-ready data, in the order in which people read it, with the digest of its exact bytes."""
        names = ("seq", "type", "subject", "occurred_at", "recorded_at", "actor", "device", "payload", "reason")
        return {name: getattr(self, name) for name in (*names, "corrects", "id", "prev", "digest")}


@dataclass(frozen=True)
class Draft:
    """An event that the ledger is asked to append.

    - `occurred_at`: time zone aware; None: the time at which the ledger records it.
    - `id`: None: a new one. An id given by the caller makes the append safe to repeat.
    - `corrects`: the id of an earlier event; it needs a `reason` (21 CFR 11.10(e), EU Annex 11 section 9).
    """

    type: str
    subject: str
    payload: Mapping[str, Any]
    actor: str
    occurred_at: datetime | str | None = None
    device: str | None = None
    reason: str | None = None
    corrects: str | None = None
    id: str | None = None


LaterDraft = Callable[[Sequence[Event]], Draft]


def timestamp(time: datetime) -> str:
    """A time as the ledger writes it: `2026-03-01T08:00:00.000000Z`; a time without a zone is refused."""
    if time.tzinfo is None:
        raise InputError(f"{time!s} has no time zone", remedy="Give an aware time, best in UTC.")
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str) -> datetime:
    """The time of an ISO 8601 text with a time zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not an ISO 8601 time", remedy="Write 2026-03-01T08:00:00Z.") from None
    if time.tzinfo is None:
        raise InputError(f"{text!r} has no time zone", remedy="Add Z or an offset.")
    return time.astimezone(UTC)


def check_draft(draft: Draft) -> None:
    """Refuse a draft that could not be stored as it is."""
    if not _TYPE.fullmatch(draft.type):
        raise InputError(f"{draft.type!r} is not a type of event", remedy="Write it like batch.created.")
    if not _NAME.fullmatch(draft.actor):
        raise InputError(
            f"{draft.actor!r} is not an actor", remedy="Give the opaque identity that enrolment returned, not a name."
        )
    if not draft.subject or len(draft.subject) > 200 or not draft.subject.isprintable():
        raise InputError(f"{draft.subject!r} is not a subject", remedy="Give an identity of 1 to 200 characters.")
    if draft.id is not None and not _NAME.fullmatch(draft.id):
        raise InputError(f"{draft.id!r} is not an identity of an event", remedy="Use letters, digits and dashes.")
    if not isinstance(draft.payload, Mapping):
        raise InputError(f"the payload of {draft.type} is no mapping", remedy="Give names and values.")
    if draft.corrects is not None and not (draft.reason or "").strip():
        raise InputError(f"the correction of {draft.corrects} has no reason", remedy="Say why the value changes.")


def new_identity() -> str:
    """A new event's id: the time, then 80 random bits, so that the index of ids grows at its end."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def encode(draft: Draft, *, seq: int, prev: str, identity: str, recorded_at: str) -> Event:
    """The event of a draft at its place in the chain."""
    occurred = draft.occurred_at
    if occurred is None:
        occurred_at = recorded_at
    else:
        occurred_at = timestamp(occurred if isinstance(occurred, datetime) else moment(occurred))
    try:
        payload = signed_bytes(draft.payload).decode("utf-8")
        # The canonical bytes: keys in order. The payload is written once, and read back so that the event holds it
        # as stored (a tuple became a list) and not the caller's own object.
        text = (
            f'{{"actor":{_quoted(draft.actor)},"corrects":{_quoted(draft.corrects)},"device":{_quoted(draft.device)},'
            f'"id":{_quoted(identity)},"occurred_at":"{occurred_at}","payload":{payload},"prev":"{prev}",'
            f'"reason":{_quoted(draft.reason)},"recorded_at":"{recorded_at}","seq":{seq},'
            f'"subject":{_quoted(draft.subject)},"type":{_quoted(draft.type)}}}'
        )
        body = text.encode("utf-8")
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise InputError(
            f"the payload of {draft.type} of {draft.subject} cannot be stored: {error}",
            remedy="Use strings, integers, booleans, lists and mappings; write decimals as strings.",
        ) from error
    if len(body) > LARGEST_EVENT_BYTES:
        raise InputError(
            f"{draft.type} of {draft.subject} has {len(body)} bytes, the limit is {LARGEST_EVENT_BYTES}",
            remedy="Keep series in a telemetry segment and record its digest.",
        )
    return Event(
        seq,
        prev,
        identity,
        draft.type,
        draft.subject,
        occurred_at,
        recorded_at,
        draft.actor,
        draft.device,
        _READ(payload),
        draft.reason,
        draft.corrects,
        digest=digest_bytes(body),
        body=body,
    )


def _quoted(text: str | None) -> str:
    return "null" if text is None else _QUOTE(text)


def decode(body: bytes) -> Event:
    """The event of stored bytes; they are trusted to be an event (`verify` does not trust them)."""
    fields = json.loads(body)
    return Event(**fields, digest=digest_bytes(body), body=body)
