"""Lots as they were stated: received once, stated anew, released, quarantined or rejected by a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from seedtrain.base import InputError, digest
from seedtrain.gmp._lots._particulars import Particulars
from seedtrain.quality import Lot
from seedtrain.record import SYSTEM, Draft, Event, Ledger, append_signed

STATED: Final = ("lot.received", "lot.split", "lot.merged")
"""Events that state a whole lot under its own id; their payload holds what `Lot.to_data` and `Particulars` give."""
_NONE: Final[Mapping[str, Particulars]] = MappingProxyType({})


def receive_lots(
    ledger: Ledger,
    lots: Iterable[Lot],
    actor: str = SYSTEM,
    *,
    particulars: Mapping[str, Particulars] = _NONE,
    at: datetime | None = None,
) -> tuple[Event, ...]:
    """Record each lot as received, once; raises `InputError` if a lot of this id was received as another one.

    - `particulars`: by the lot's id. The status is what the lot says; goods from outside wait in quarantine until
      they are released (21 CFR 211.82(b), 211.84(a)).
    """
    drafts = [receipt(lot, particulars.get(lot.id, Particulars()), actor, at) for lot in lots]
    return ledger.append(*drafts) if drafts else ()


def receipt(lot: Lot, particulars: Particulars, actor: str, at: datetime | None = None) -> Draft:
    """The event by which a lot is received; its id is that of the lot, so that it happens once."""
    payload = lot.to_data() | particulars.to_data()
    return Draft("lot.received", lot.id, payload, actor, at, id=receipt_id(lot.id))


def receipt_id(lot: str) -> str:
    """The id of the event that received this lot."""
    return digest(["lot.received", lot])[:32]


def amend_lot(
    ledger: Ledger,
    lot: Lot,
    reason: str,
    actor: str,
    *,
    particulars: Particulars | None = None,
    at: datetime | None = None,
) -> tuple[Event, ...]:
    """A person states a received lot anew (quantity, expiry, status, what is inside), with a reason, and signs.

    - `particulars`: what is known beside; what was stated before stands where they are not given.

    What was stated before stays in the ledger. Nothing happens if the lot is stated like this already.
    """
    events = list(ledger.events(subject=lot.id))
    received = next((event for event in events if event.type in STATED), None)
    if received is None:
        raise InputError(f"the ledger knows no lot {lot.id!r}", remedy="Receive it first.")
    known = stated_lots(events)[lot.id]
    before = stated_particulars(events)
    after = before if particulars is None else particulars
    if known == lot and before == after:
        return ()
    if known.material != lot.material:
        raise InputError(
            f"lot {lot.id} was received as {known.material} and cannot become {lot.material}",
            remedy="Give the other material a lot of its own.",
        )
    payload = lot.to_data() | after.to_data()
    draft = Draft("lot.amended", lot.id, payload, actor, at, reason=reason, corrects=received.id)
    return append_signed(ledger, draft, "lot amended")


def received_lot(ledger: Ledger, lot: str) -> Lot | None:
    """A lot as it was received, or split off or merged from others, with its present status; None if it never was."""
    return received_lots(ledger.events(subject=lot)).get(lot)


def received_lots(events: Iterable[Event]) -> dict[str, Lot]:
    """Every lot that was received, by id, as it was stated last and with its present status.

    A released lot on hold (`lot.held`) is quarantined until the hold is lifted.
    """
    kept = [event for event in events if event.type.startswith("lot.")]
    lots = stated_lots(kept)
    for lot in held_lots(kept):
        if lot in lots and lots[lot].status == "released":
            lots[lot] = replace(lots[lot], status="quarantined")
    return lots


def stated_lots(events: Iterable[Event]) -> dict[str, Lot]:
    """As `received_lots`, with the status that a person decided, whatever holds there are."""
    lots: dict[str, Lot] = {}
    for event in events:
        if event.type in STATED:
            lots.setdefault(event.subject, Lot.from_data(event.subject, event.payload))
        elif event.type == "lot.amended" and event.subject in lots:
            lots[event.subject] = Lot.from_data(event.subject, event.payload)
        elif event.type == "lot.status_changed" and event.subject in lots:
            lots[event.subject] = replace(lots[event.subject], status=event.payload["status"])
    return lots


def stated_particulars(events: Iterable[Event]) -> Particulars:
    """What was stated last of the one lot whose events these are; a later move changes its location."""
    found = Particulars()
    for event in events:
        if event.type in (*STATED, "lot.amended"):
            found = Particulars.from_data(event.payload)
        elif event.type == "lot.moved":
            found = replace(found, location=str(event.payload["location"]))
    return found


def held_lots(events: Iterable[Event]) -> dict[str, tuple[str, ...]]:
    """The lots (and batches) on hold, with the ids of the holds that are open on each."""
    holds: dict[str, dict[str, None]] = {}
    for event in events:
        if event.type == "lot.held":
            holds.setdefault(event.subject, {})[str(event.payload["hold"])] = None
        elif event.type == "lot.hold_lifted":
            holds.get(event.subject, {}).pop(str(event.payload["hold"]), None)
    return {lot: tuple(found) for lot, found in holds.items() if found}
