"""Personal data: sealed under a key per person that stands beside the ledger, so that erasing it breaks no chain.

Two keys a person: one for the name, which is part of every signature's meaning, and one for everything else. Whether a
key may be destroyed now, retention says; here is how. Source: Regulation (EU) 2016/679 Art. 17, 4(5) (pseudonyms).
"""

from __future__ import annotations

import re
from typing import Final, Literal

from seedtrain.base import InputError
from seedtrain.record._event import SYSTEM, Draft, Event
from seedtrain.record._ledger import Ledger
from seedtrain.record._people import append_signed

SEALED: Final = "personal.sealed"
ERASED: Final = "personal.erased"
ErasedPart = Literal["name", "data"]
_FIELD: Final = re.compile(r"[a-z][a-z_]{0,39}")


def seal(ledger: Ledger, subject: str, field: str, value: str, *, by: str = SYSTEM) -> Event:
    """Put personal data into the ledger, sealed; the event `personal.sealed`. The newest value of a field counts.

    - `subject`: a person enrolled, or the token that stands for a patient. `field`: a word such as `email`, not sealed.

    Raises `InputError` for a person who is not enrolled, and for a field that is none.
    """
    if subject.startswith("person-") and ledger.enrolment(subject) is None:
        raise InputError(f"{subject!r} is not enrolled", remedy="Enrol the person first.")
    if not _FIELD.fullmatch(field) or not value.strip():
        raise InputError(f"{field!r} holds nothing to seal", remedy="Give a word for the field, and a value.")
    payload = {"field": field, "sealed": sealed_text(ledger, subject, field, value)}
    return ledger.append(Draft(SEALED, subject, payload, by))[0]


def unseal(ledger: Ledger, subject: str, field: str) -> str | None:
    """The newest value of a field; None where there is none, its key is not here, or it was erased."""
    found = None
    for event in ledger.events(subject=subject):
        if event.type == SEALED and event.payload["field"] == field:
            found = str(event.payload["sealed"])
        elif event.type == ERASED and "data" in event.payload["keys"]:
            found = None
    return None if found is None else ledger.keys.open_field(subject, field, found)


def sealed_text(ledger: Ledger, subject: str, field: str, value: str) -> str:
    """Personal data as it may stand in the payload of any event; `open_text` opens it."""
    return ledger.keys.seal_field(subject, field, value)


def open_text(ledger: Ledger, subject: str, field: str, sealed: str) -> str | None:
    """The text behind `sealed`; None once this subject's data was erased, even if the key comes back from a backup."""
    if any("data" in event.payload["keys"] for event in ledger.events(subject, ERASED)):
        return None
    return ledger.keys.open_field(subject, field, sealed)


def erased(ledger: Ledger, subject: str) -> tuple[ErasedPart, ...]:
    """Which parts of a person's data were erased, by signed events."""
    events = list(ledger.events(subject=subject))
    signed = {item.payload["record_digest"] for item in events if item.type == "signature.applied"}
    keys = {key for item in events if item.type == ERASED and item.digest in signed for key in item.payload["keys"]}
    parts: tuple[ErasedPart, ...] = ("name", "data")
    return tuple(part for part in parts if part in keys)


def destroy(ledger: Ledger, subject: str, parts: tuple[ErasedPart, ...], reason: str, *, by: str) -> Event:
    """Sign that these parts are erased, then destroy their keys. Again after a kill, it goes on; nothing comes back.

    This asks nothing about retention: `seedtrain.gmp.erase_personal` does, and is what a user calls. A copy of the
    keys in a backup must be destroyed too.
    """
    if not reason.strip():
        raise InputError("an erasure has no reason", remedy="Say why, and on whose request.")
    draft = Draft(ERASED, subject, {"keys": list(parts)}, by, reason=reason.strip())
    last = [item for item in ledger.events(subject=subject, type=ERASED) if set(parts) <= set(item.payload["keys"])]
    since = next(ledger.events(subject=subject, type=SEALED, after=last[-1].seq if last else 0), None)
    event = last[-1] if last and since is None else append_signed(ledger, draft, "erasure")[0]
    for part in parts:
        ledger.keys.destroy(subject, part)
    return event
