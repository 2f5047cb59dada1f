"""Parts of a lot with ids of their own, and lots put together under a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from seedtrain.base import InputError, SeedtrainError, collect, digest
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._lots._amounts import amount_in, plain_text, read_amount
from seedtrain.gmp._lots._book import LotEntry, lot_book
from seedtrain.gmp._lots._genealogy import unknown_lot
from seedtrain.gmp._lots._holds import at_head, held_too
from seedtrain.gmp._lots._particulars import Particulars
from seedtrain.gmp._lots._stock import have, same, stored
from seedtrain.quality import Lot
from seedtrain.quantity import Quantity, read_unit
from seedtrain.record import Draft, Event, Ledger, append_signed


@dataclass(frozen=True)
class Part:
    """A part of a lot that gets an id of its own: `amount` in `unit`; where it goes, if elsewhere."""

    lot: str
    amount: str
    unit: str
    location: str = ""


def split_lot(
    ledger: Ledger, lot: str, parts: Sequence[Part], actor: str, *, at: datetime | None = None
) -> tuple[Event, ...]:
    """Give parts of a lot ids of their own, so that each has its own status; what is not split off remains.

    Material, expiry, what is inside and open holds go with each part. Nothing happens if they were split off like this
    before. Raises `InputError` for a taken id, or for more than remains.
    """
    authorise(ledger, actor, "lot.receive")

    def split(head: int) -> tuple[Event, ...]:
        known = [stored(ledger, _stated_id("lot.split", part.lot)) for part in parts]
        found = [event for event in known if event is not None]
        if parts and len(found) == len(parts):
            for event, part in zip(found, parts, strict=True):
                same(event, quantity=part.amount, unit=read_unit(part.unit).spelling)
            return tuple(found)
        entry = _whole(ledger, lot, parts)
        drafts = [_part_draft(entry, part, actor, at) for part in parts]
        holds = [draft for part in parts for draft in held_too(ledger, lot, part.lot, actor, at)]
        append_signed(ledger, drafts[-1], "lot split", more=[*drafts[:-1], *holds], at_head=head)
        return tuple(event for event in (ledger.find(str(draft.id)) for draft in drafts) if event is not None)

    return at_head(ledger, split)


def merge_lots(
    ledger: Ledger, lots: Sequence[str], into: str, actor: str, *, location: str = "", at: datetime | None = None
) -> Event:
    """Put all that remains of several lots of one material together under a new id.

    The earliest expiry and retest date count, a quarantined one quarantines all, everything inside any is inside, and
    open holds go with it. Raises `InputError` for different materials, patients or kinds of amount, a rejected lot, an
    empty one, or a taken id.
    """
    authorise(ledger, actor, "lot.receive")

    def merge(head: int) -> Event:
        known = stored(ledger, _stated_id("lot.merged", into))
        if known is not None:
            if [part["lot"] for part in known.payload["from"]] == list(lots):
                return known
            raise _taken(into)
        draft = _merged(ledger, lots, into, actor, location, at)
        holds = {item.id: item for lot in lots for item in held_too(ledger, lot, into, actor, at)}
        return append_signed(ledger, draft, "lots merged", more=list(holds.values()), at_head=head)[0]

    return at_head(ledger, merge)


def _whole(ledger: Ledger, lot: str, parts: Sequence[Part]) -> LotEntry:
    """The lot, if all the parts can be taken from it."""
    if not parts:
        raise InputError(f"lot {lot} is split into nothing", remedy="Name one part at least.")
    errors: list[SeedtrainError] = []
    total = Decimal(0)
    seen: set[str] = set()
    entry, stock = have(ledger, lot, parts[0].amount, parts[0].unit)
    for part in parts:
        try:
            _free(ledger, part.lot, seen)
            number = amount_in(plain_text(read_amount(part.amount, part.unit)), part.unit, stock.unit)
            if number is None:
                raise InputError(
                    f"part {part.lot}: {part.amount} {part.unit} does not convert to {stock.unit or 'pieces'}",
                    remedy=f"Give it in {stock.unit or 'pieces'}.",
                )
            total += number
        except SeedtrainError as error:
            errors.append(error)
    collect(errors)
    if entry.lot is None:
        raise InputError(f"lot {lot} was never received", remedy="Receive it, or split what its batch produced there.")
    if total > stock.remaining:
        raise InputError(
            f"the parts of lot {lot} come to {plain_text(total)} {stock.unit}, "
            f"and {plain_text(stock.remaining)} remain",
            remedy="Split off less.",
        )
    return entry


def _free(ledger: Ledger, lot: str, seen: set[str]) -> None:
    with lot_book(ledger) as book:
        taken = lot in book or lot in seen
    seen.add(lot)
    if taken or not lot.strip():
        raise _taken(lot)


def _taken(lot: str) -> InputError:
    return InputError(f"{lot!r} is no id for a new lot: it is taken or empty", remedy="Give another id.")


def _part_draft(entry: LotEntry, part: Part, actor: str, at: datetime | None) -> Draft:
    assert entry.lot is not None
    lot = replace(entry.lot, id=part.lot, quantity=Quantity(float(part.amount), part.unit))
    beside = replace(entry.particulars, location=part.location or entry.particulars.location, containers=None)
    share = {"lot": entry.id, "amount": part.amount, "unit": lot.quantity.unit}
    payload = {**lot.to_data(), "status": entry.decided, "quantity": part.amount, **beside.to_data(), "from": [share]}
    return Draft("lot.split", part.lot, payload, actor, at, id=_stated_id("lot.split", part.lot))


def _merged(ledger: Ledger, lots: Sequence[str], into: str, actor: str, location: str, at: datetime | None) -> Draft:
    if len(set(lots)) < 2 or len(set(lots)) != len(lots):
        raise InputError("two different lots at least are merged", remedy="Name each lot once.")
    _free(ledger, into, set())
    with lot_book(ledger) as book:
        entries = [book.entry(lot) for lot in lots]
        stocks = [book.stock(lot) for lot in lots]
    collect([error for entry in entries for error in _unlike(entry, entries[0])])
    unit = stocks[0].unit if stocks[0] else ""
    shares, total = [], Decimal(0)
    for entry, stock in zip(entries, stocks, strict=True):
        left = None if stock is None else amount_in(plain_text(stock.remaining), stock.unit, unit)
        if stock is None or left is None or left <= 0:
            raise InputError(f"nothing of lot {entry.id} is left that counts in {unit or 'pieces'}", remedy="Leave it.")
        shares.append({"lot": entry.id, "amount": plain_text(stock.remaining), "unit": stock.unit})
        total += left
    payload = _merged_payload(entries, location) | {"quantity": plain_text(total), "unit": unit, "from": shares}
    return Draft("lot.merged", into, payload, actor, at, id=_stated_id("lot.merged", into))


def _unlike(entry: LotEntry, first: LotEntry) -> list[SeedtrainError]:
    if entry.lot is None:
        return [unknown_lot(entry.id)]
    faults = []
    if entry.material != first.material:
        faults.append(f"lot {entry.id} is {entry.material}, lot {first.id} is {first.material}")
    if entry.particulars.patient != first.particulars.patient:
        faults.append(f"lot {entry.id} is for another patient than lot {first.id}")
    if entry.decided == "rejected":
        faults.append(f"lot {entry.id} is rejected")
    return [InputError(fault, remedy="Merge lots of one material, for one patient, none rejected.") for fault in faults]


def _merged_payload(entries: Sequence[LotEntry], location: str) -> dict[str, Any]:
    lots = [entry.lot for entry in entries if entry.lot is not None]
    beside = [entry.particulars for entry in entries]
    retests = [item.retest for item in beside if item.retest is not None]
    merged = Lot(
        "",
        lots[0].material,
        "; ".join(dict.fromkeys(lot.supplier for lot in lots)),
        lots[0].quantity,
        min(lot.expiry for lot in lots),
        "quarantined" if any(entry.decided == "quarantined" for entry in entries) else "released",
        tuple(dict.fromkeys(item for lot in lots for item in lot.contains)),
    )
    common = Particulars(
        retest=min(retests) if retests else None,
        storage="; ".join(dict.fromkeys(item.storage for item in beside if item.storage)),
        location=location or beside[0].location,
        certificates=tuple(dict.fromkeys(name for item in beside for name in item.certificates)),
        gtin=beside[0].gtin if len({item.gtin for item in beside}) == 1 else "",
        patient=beside[0].patient,
        origin="simulated" if any(item.origin == "simulated" for item in beside) else beside[0].origin,
    )
    return merged.to_data() | common.to_data()


def _stated_id(type: str, lot: str) -> str:
    return digest([type, lot])[:32]
