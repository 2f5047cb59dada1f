"""What happens to the amount of a lot: used, discarded, shipped, moved. No more leaves it than it has."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._lots._amounts import Stock, amount_in, plain_text, read_amount
from seedtrain.gmp._lots._book import LotEntry, lot_book
from seedtrain.gmp._lots._decisions import lot_faults
from seedtrain.gmp._lots._holds import at_head
from seedtrain.quantity import read_unit
from seedtrain.record import Draft, Event, Ledger, append_signed


def consumption(
    ledger: Ledger,
    lot: str,
    amount: str,
    unit: str,
    use: str,
    actor: str,
    *,
    phase: str = "",
    target: str | None = None,
    tolerance_percent: str | None = None,
    reference: str = "",
    origin: str = "measured",
    at: datetime | None = None,
) -> Draft:
    """The event that records the use of an amount of a lot in a batch, refused where it may not be or is not there.

    - `amount`: a decimal above 0, in `unit`. `use`: the batch, under which the event is filed.
    - `reference`: a weighing ticket or request; the same one again is the same use. Without one, the same amount of
      the same lot in the same batch is the same use.

    Append it `at_head` of what was read before, so that two uses at once cannot both take the last of a lot;
    `consume_lot` does. Raises `InputError` for a lot that may not be used today (`lot_faults`), or holds less, and
    where `use` is a lot of material itself.
    """
    entry, _ = have(ledger, lot, amount, unit)
    _into_a_batch(ledger, lot, use)
    _usable(ledger, lot, at)
    spelled = read_unit(unit).spelling
    payload = {
        "lot": lot,
        "material": entry.material,
        "amount": amount,
        "unit": spelled,
        "target": target,
        "tolerance_percent": tolerance_percent,
        "phase": phase,
        "origin": entry.particulars.origin or origin,
    }
    if reference:
        payload["reference"] = reference
    return Draft(
        "lot.consumed", use, payload, actor, at, id=_once("lot.consumed", lot, use, reference, amount, spelled)
    )


def consume_lot(
    ledger: Ledger, lot: str, amount: str, unit: str, use: str, actor: str, *, reference: str = "", **more: Any
) -> Event:
    """As `consumption`, signed and recorded; returns the event."""
    authorise(ledger, actor, "batch.execute")
    spelled = read_unit(unit).spelling

    def take(head: int) -> Event:
        known = ledger.find(_once("lot.consumed", lot, use, reference, amount, spelled))
        if known is not None:
            return same(known, lot=lot, amount=amount, unit=spelled)
        draft = consumption(ledger, lot, amount, unit, use, actor, reference=reference, **more)
        return append_signed(ledger, draft, "lot used", at_head=head)[0]

    return at_head(ledger, take)


def _into_a_batch(ledger: Ledger, lot: str, use: str) -> None:
    with lot_book(ledger) as book:
        if use in book and book.entry(use).kind in ("received", "split", "merged"):
            raise InputError(
                f"{use} is a lot of {book.entry(use).material}, and no batch in which lot {lot} can be used",
                remedy="Name the batch; lots of one material become one by: seedtrain lot merge.",
            )


def discard_lot(
    ledger: Ledger, lot: str, amount: str, unit: str, reason: str, actor: str, *, reference: str = "", **more: Any
) -> Event:
    """Record that an amount of a lot was destroyed or sent back, with a reason, and sign; any status may be discarded.

    - `reference`: the record of destruction; the same one again is the same discarding. Without one, the same amount
      for the same reason is.
    """
    if not reason.strip():
        raise InputError(f"lot {lot} cannot be discarded without a reason", remedy="Say why, and how.")
    return _leave(ledger, "lot.discarded", lot, amount, unit, actor, reference, {}, reason=reason, **more)


def ship_lot(
    ledger: Ledger, lot: str, amount: str, unit: str, to: str, actor: str, *, document: str = "", **more: Any
) -> Event:
    """Record that an amount of a lot went to a consignee, and sign; a recall asks for it (21 CFR 211.150(b), 211.196).

    - `to`: name and address. `document`: the despatch note; the same one again is the same shipment. Without one, the
      same amount to the same consignee is.

    Raises `InputError` for a lot that may not be used today: nothing on hold, expired or not released is shipped.
    """
    if not to.strip():
        raise InputError(f"lot {lot} cannot be shipped to nobody", remedy="Name the consignee, with the address.")
    return _leave(ledger, "lot.shipped", lot, amount, unit, actor, document, {"to": to}, usable=True, **more)


def move_lot(
    ledger: Ledger,
    lot: str,
    location: str,
    actor: str,
    *,
    container: str = "",
    logger: str = "",
    at: datetime | None = None,
) -> Event | None:
    """Record where a lot stands now, and sign; None if it stands there already.

    - `container`: the box or shipper that it was put in; `logger`: the temperature logger that goes with it.
    """
    with lot_book(ledger) as book:
        entry = book.entry(lot)
    if not location.strip():
        raise InputError(f"lot {lot} cannot be moved to nowhere", remedy="Name the location.")
    if entry.particulars.location == location and not container and not logger:
        return None
    authorise(ledger, actor, "lot.receive")
    payload = {"before": entry.particulars.location, "location": location}
    payload |= {name: value for name, value in (("container", container), ("logger", logger)) if value}
    return append_signed(ledger, Draft("lot.moved", lot, payload, actor, at), "lot moved")[0]


def _leave(
    ledger: Ledger,
    type: str,
    lot: str,
    amount: str,
    unit: str,
    actor: str,
    document: str,
    extra: dict[str, str],
    *,
    usable: bool = False,
    reason: str | None = None,
    at: datetime | None = None,
) -> Event:
    authorise(ledger, actor, "lot.receive")
    spelled = read_unit(unit).spelling
    identity = _once(type, lot, extra.get("to", ""), document, amount, spelled, reason or "")

    def leave(head: int) -> Event:
        known = ledger.find(identity)
        if known is not None:
            return same(known, amount=amount, unit=spelled)
        entry, _ = have(ledger, lot, amount, unit)
        if usable:
            _usable(ledger, lot, at)
        payload = {"amount": amount, "unit": spelled, "material": entry.material, **extra}
        payload |= {"document": document} if document else {}
        draft = Draft(type, lot, payload, actor, at, reason=reason, id=identity)
        return append_signed(ledger, draft, type.replace(".", " "), at_head=head)[0]

    return at_head(ledger, leave)


def _usable(ledger: Ledger, lot: str, at: datetime | None) -> None:
    faults = lot_faults(ledger, lot, (at or ledger.now).date())
    if faults:
        raise InputError("; ".join(faults), remedy="Take another lot, or have quality decide on this one.")


def have(ledger: Ledger, lot: str, amount: str, unit: str) -> tuple[LotEntry, Stock]:
    """The lot and its stock, if that much remains."""
    number = read_amount(amount, unit)
    with lot_book(ledger) as book:
        entry, stock = book.entry(lot), book.stock(lot)
    if stock is None:
        raise InputError(f"nobody recorded how much there is of lot {lot}", remedy="Receive or produce it first.")
    wanted = amount_in(plain_text(number), unit, stock.unit)
    if wanted is None:
        raise InputError(
            f"lot {lot} is kept in {stock.unit or 'pieces'}, and {amount} {unit} does not convert to it",
            remedy=f"Give the amount in {stock.unit or 'pieces'}.",
        )
    if wanted > stock.remaining:
        raise InputError(
            f"lot {lot} has {plain_text(stock.remaining)} {stock.unit} left of {plain_text(stock.taken_in)}, "
            f"and {amount} {unit} is wanted".replace("  ", " "),
            remedy="Take less, or take another lot; count the stock if that much is there.",
        )
    return entry, stock


def _once(type: str, lot: str, other: str, reference: str, amount: str, unit: str, reason: str = "") -> str:
    """The id of a movement: that of its ticket, else that of what it says, so that a command repeated adds nothing."""
    if reference:
        return digest([type, lot, other, reference])[:32]
    try:
        number = plain_text(Decimal(amount))
    except InvalidOperation:
        number = amount  # refused below, with the reason
    return digest([type, lot, other, "", number, unit, reason])[:32]


def stored(ledger: Ledger, identity: str | None) -> Event | None:
    """The event of this id, if there is one."""
    return None if identity is None else ledger.find(identity)


def _equal(one: Any, other: str) -> bool:
    try:
        return Decimal(str(one)) == Decimal(other)
    except InvalidOperation:
        return False


def same(known: Event, **wanted: str) -> Event:
    """The stored event, if it says the same; an id stands for one thing."""
    for name, value in wanted.items():
        if known.payload[name] != value and not _equal(known.payload[name], value):
            raise InputError(
                f"{known.type.replace('.', ' ')} already, by {known.actor} at {known.occurred_at} (event {known.seq}), "
                f"with {name} {known.payload[name]}, not {value}",
                remedy="Use another reference or id for another movement.",
            )
    return known
