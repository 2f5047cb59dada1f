"""One event of the ledger: what happened, as the exact bytes that are hashed and signed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from seedtrain.base import InputError, signed_bytes
from seedtrain.record._verifier import FIELDS

SYSTEM: Final = "system"  # the actor of what no person did
LARGEST_EVENT_BYTES: Final = 1024 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")
_QUOTE: Final = json.encoder.encode_basestring  # what canonical JSON writes for a text
_sha256: Final = hashlib.sha256
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

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """The payload of an event that was just written, read from its bytes when somebody asks."""
            if name != "payload" or "body" not in self.__dict__:
                raise AttributeError(f"an event has no {name}")
            payload = json.loads(self.body)["payload"]
            self.__dict__["payload"] = payload
            return payload

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
    return time.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def moment(text: str) -> datetime:
    """The time of an ISO 8601 text with a time zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not an ISO 8601 time", remedy="Write 2026-03-01T08:00:00Z.") from None
    if time.tzinfo is None:
        raise InputError(f"{text!r} has no time zone", remedy="Add Z or an offset.")
    return time.astimezone(UTC)


class Prepared(NamedTuple):
    """A draft that can be stored, written as far as its place in the chain does not matter."""

    draft: Draft
    head: str  # what stands before the id
    occurred_at: str | None
    payload: str
    reason: str
    tail: str  # what stands after the seq


def prepare(draft: Draft) -> Prepared:
    """Check a draft and write its parts; `InputError` where it could not be stored as it is."""
    tail = _tail(draft.type, draft.subject)
    head = _head(draft.actor, draft.corrects, draft.device)
    if draft.id is not None and not _NAME.fullmatch(draft.id):
        raise InputError(f"{draft.id!r} is not an identity of an event", remedy="Use letters, digits and dashes.")
    payload = draft.payload
    if type(payload) is not dict and not isinstance(payload, Mapping):
        raise InputError(f"the payload of {draft.type} is no mapping", remedy="Give names and values.")
    if draft.corrects is not None and not (draft.reason or "").strip():
        raise InputError(f"the correction of {draft.corrects} has no reason", remedy="Say why the value changes.")
    occurred = draft.occurred_at
    if occurred is not None:
        occurred = timestamp(occurred if isinstance(occurred, datetime) else moment(occurred))
    try:
        text = _written(payload)
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise _unstorable(draft, error) from error
    reason = "null" if draft.reason is None else _QUOTE(draft.reason)
    return _new_tuple(Prepared, (draft, head, occurred, text, reason, tail))


_new_tuple: Final = tuple.__new__  # a named tuple's own `__new__` is a Python function
_LARGEST: Final = 2**53  # as in `signed_bytes`


def _written(payload: Mapping[str, Any]) -> str:
    """What `signed_bytes` writes, as a text: for payloads of scalars by a form learnt from the first with its keys."""
    if type(payload) is dict:
        try:
            names, form = _form(tuple(payload))
            return form % tuple([_WRITER[type(value)](value) for value in map(payload.__getitem__, names)])
        except (KeyError, TypeError):  # what is nested, or cannot be signed
            pass
    return signed_bytes(payload).decode("utf-8")


@lru_cache(maxsize=4096)
def _form(names: tuple[str, ...]) -> tuple[list[str], str]:
    if not all(type(name) is str and name.isascii() for name in names):
        raise TypeError
    ordered = sorted(names)
    return ordered, "{" + ",".join(_QUOTE(name).replace("%", "%%") + ":%s" for name in ordered) + "}"


def _integer(value: int) -> str:
    if -_LARGEST <= value <= _LARGEST:
        return str(value)
    raise TypeError


_WRITER: Final[dict[type, Callable[[Any], str]]] = {
    str: _QUOTE,
    int: _integer,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): {None: "null"}.__getitem__,
}


@lru_cache(maxsize=4096)
def _tail(kind: str, subject: str) -> str:
    if not _TYPE.fullmatch(kind):
        raise InputError(f"{kind!r} is not a type of event", remedy="Write it like batch.created.")
    if not subject or len(subject) > 200 or not subject.isprintable():
        raise InputError(f"{subject!r} is not a subject", remedy="Give an identity of 1 to 200 characters.")
    return f',"subject":{_QUOTE(subject)},"type":{_QUOTE(kind)}}}'


@lru_cache(maxsize=4096)
def _head(actor: str, corrects: str | None, device: str | None) -> str:
    if not _NAME.fullmatch(actor):
        raise InputError(
            f"{actor!r} is not an actor", remedy="Give the opaque identity that enrolment returned, not a name."
        )
    return f'{{"actor":{_QUOTE(actor)},"corrects":{_quoted(corrects)},"device":{_quoted(device)},"id":'


def new_identities() -> Iterator[str]:
    """New events' ids: the time, then 80 random bits, so that the index of ids grows at its end.

    The random bits are drawn once for the ids of one commit, which count on from them.
    """
    start = f"{time.time_ns() // 1_000_000:012x}{os.urandom(6).hex()}"
    drawn = int.from_bytes(os.urandom(4), "big")
    while True:
        yield f"{start}{drawn:08x}"
        drawn = (drawn + 1) % 2**32


def place(ready: Prepared, seq: int, prev: str, identity: str, recorded_at: str) -> Event:
    """The event of a draft at its place in the chain."""
    draft, head, occurred_at, payload, reason, tail = ready
    occurred_at = occurred_at or recorded_at
    try:  # the canonical bytes: keys in order
        body = (
            f'{head}"{identity}","occurred_at":"{occurred_at}","payload":{payload},"prev":"{prev}",'
            f'"reason":{reason},"recorded_at":"{recorded_at}","seq":{seq}{tail}'
        ).encode()
    except UnicodeEncodeError as error:
        raise _unstorable(draft, error) from error
    if len(body) > LARGEST_EVENT_BYTES:
        raise InputError(
            f"{draft.type} of {draft.subject} has {len(body)} bytes, the limit is {LARGEST_EVENT_BYTES}",
            remedy="Keep series in a telemetry segment and record its digest.",
        )
    event = object.__new__(Event)  # the payload is read from the bytes, so that it is what is stored
    values = {
        "seq": seq,
        "prev": prev,
        "id": identity,
        "type": draft.type,
        "subject": draft.subject,
        "occurred_at": occurred_at,
        "recorded_at": recorded_at,
        "actor": draft.actor,
        "device": draft.device,
        "reason": draft.reason,
        "corrects": draft.corrects,
        "digest": _sha256(body).hexdigest(),
        "body": body,
    }
    _set_values(event, values)
    return event


_set_values: Final = Event.__dict__["__dict__"].__set__  # past the frozen `__setattr__`


def _unstorable(draft: Draft, error: Exception) -> InputError:
    return InputError(
        f"the payload of {draft.type} of {draft.subject} cannot be stored: {error}",
        remedy="Use strings, integers, booleans, lists and mappings; write decimals as strings.",
    )


def _quoted(text: str | None) -> str:
    return "null" if text is None else _QUOTE(text)


def decode(body: bytes) -> Event:
    """The event of stored bytes; they are trusted to be an event (`verify` does not trust them)."""
    fields = json.loads(body)
    if not isinstance(fields, dict) or fields.keys() != FIELDS:
        raise TypeError("these are not the values of an event")
    event = object.__new__(Event)
    fields["digest"], fields["body"] = _sha256(body).hexdigest(), body
    _set_values(event, fields)
    return event
