"""A lot stated anew, field by field, with what the change must not do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from seedtrain.base import InputError, SeedtrainError, collect
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._lots._amounts import Stock, amount_in, plain_text
from seedtrain.gmp._lots._book import LotEntry, lot_book
from seedtrain.gmp._lots._genealogy import unknown_lot
from seedtrain.gmp._lots._goods import NAMES, NO_EXPIRY, Fields
from seedtrain.gmp._lots._received import amend_lot, stated_lots
from seedtrain.quality import Lot
from seedtrain.quantity import number_text
from seedtrain.record import Event, Ledger

_FIXED = ("lot", "material")


def restate_lot(
    ledger: Ledger,
    lot: str,
    changes: Mapping[str, str],
    reason: str,
    actor: str,
    *,
    dates: str = "YYYY-MM-DD",
    at: datetime | None = None,
) -> tuple[Event, ...]:
    """State fields of a received lot anew, with a reason, and sign; what was stated before stays in the ledger.

    - `changes`: texts by field, as in a CSV file; an empty one takes the field away. Its status stays as it is.

    Nothing happens if nothing differs. Raises `InputError` for an unknown field, a text that cannot be taken, a
    quantity below what was used already, and another quantity for a part of other lots.
    """
    authorise(ledger, actor, "lot.decide")
    stray = [name for name in changes if name not in NAMES or name in _FIXED]
    if stray:
        free = [name for name in NAMES if name not in _FIXED]
        raise InputError(f"{stray[0]!r} is no field that can change", remedy=f"Use one of: {', '.join(free)}.")
    with lot_book(ledger) as book:
        entry, stock = book.entry(lot), book.stock(lot)
    if entry.lot is None:
        raise unknown_lot(lot)
    errors: list[SeedtrainError] = []
    texts = _texts(entry, entry.lot)
    if "quantity" in changes and "unit" not in changes and not changes["quantity"].strip()[-1:].isdigit():
        texts["unit"] = ""
    goods = Fields(texts | dict(changes), lambda name, error: errors.append(_named(name, error)), dates).goods()
    collect(errors)
    assert goods is not None
    status = stated_lots(ledger.events(subject=lot))[lot].status
    stated = replace(goods.lot, status=status)
    if stated.quantity != entry.lot.quantity:
        _quantity_may_change(entry, stock, stated)
    return amend_lot(ledger, stated, reason, actor, particulars=goods.particulars, at=at)


def _named(name: str, error: InputError) -> InputError:
    return InputError(f"{name}: {error.message}", remedy=error.remedy)


def _texts(entry: LotEntry, lot: Lot) -> dict[str, str]:
    """What is stated now, as texts by field."""
    beside = entry.particulars
    return {
        "lot": lot.id,
        "material": lot.material,
        "quantity": number_text(lot.quantity.value),
        "unit": lot.quantity.unit,
        "supplier": lot.supplier,
        "expiry": "" if lot.expiry == NO_EXPIRY else lot.expiry.isoformat(),
        "retest": beside.retest.isoformat() if beside.retest else "",
        "contains": "; ".join(f"{item.name}={item.origin or ''}" for item in lot.contains),
        "certificates": "; ".join(beside.certificates),
        "containers": "" if beside.containers is None else str(beside.containers),
        **{
            name: str(getattr(beside, name))
            for name in ("supplier_lot", "manufacturer", "storage", "location", "order", "gtin", "patient", "origin")
        },
    }


def _quantity_may_change(entry: LotEntry, stock: Stock | None, stated: Lot) -> None:
    if entry.kind != "received":
        raise InputError(
            f"lot {entry.id} is a part of other lots, and what it took from them stands",
            remedy="Discard what is not there, with a reason; or correct the lots that it came from.",
        )
    assert stock is not None
    gone = stock.taken_in - stock.remaining
    left = amount_in(number_text(stated.quantity.value), stated.quantity.unit, stock.unit)
    if left is None or left < gone:
        raise InputError(
            f"{plain_text(gone)} {stock.unit} of lot {entry.id} are gone already, and {stated.quantity} would be less",
            remedy="Count the stock, and state at least what was used.",
        )
