"""What stands on a lot's label, in print and in its GS1 symbols."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from seedtrain.base import InputError, language
from seedtrain.base import translate as _
from seedtrain.gmp._lots._amounts import Stock, amount_in, plain_text
from seedtrain.gmp._lots._book import LotEntry, lot_book
from seedtrain.gmp._lots._gs1 import (
    CHARACTERS,
    INTERNAL,
    Element,
    check_element,
    element_string,
    gtin14,
    is_predefined,
    read_yymmdd,
    yymmdd,
)
from seedtrain.gmp._lots._symbols import data_matrix, gs1_128
from seedtrain.record import Ledger
from seedtrain.report import SHEETS, Label, render_labels

AUTOLOGOUS: Final = "FOR AUTOLOGOUS USE ONLY"
"""The words that 21 CFR 1271.90(c)(1) asks for; they stand in English in every language."""

MOST_LABELS: Final = 2000  # of one file, so that it is made while somebody waits
_LONGEST_LOT: Final = 20
_ROOMY_MM: Final = 35.0  # labels that are less high carry only what a person needs to know the lot
_MEASURES: Final = (("kg", "310"), ("L", "315"), ("m2", "314"))


def print_labels(
    ledger: Ledger, lots: Sequence[str], sheet: str, *, copies: int = 1, bars: bool = False, first: int = 1
) -> bytes:
    """Labels of lots as PDF in the language in use: GS1 DataMatrix, and GS1-128 where `bars` are wanted.

    - `sheet`: one of `report.SHEETS`; where it is less than 35 mm high, supplier, batch and place are left out.
    - `copies`: of each lot, one a container: numbered (as serials where there is a GTIN), and without an amount.
    - `first`: the place of the first label on the first sheet.

    Raises `InputError` for an unknown lot or sheet, and where a lot's id cannot stand in a symbol, or is too long.
    """
    if sheet not in SHEETS:
        raise InputError(f"there is no sheet {sheet!r}", remedy=f"Use one of: {', '.join(SHEETS)}.")
    if not 1 <= copies * len(lots) <= MOST_LABELS:
        raise InputError(
            f"{copies * len(lots)} labels are out of 1 .. {MOST_LABELS}, what one file holds",
            remedy="Print one at least, and more than that in several files.",
        )
    labels, brief = [], SHEETS[sheet].label_height < _ROOMY_MM
    with lot_book(ledger) as book:
        for name in lots:
            entry, stock = book.entry(name), book.stock(name)
            for number in range(1, copies + 1):
                serial = number if copies > 1 else None
                labels.append(lot_label(entry, stock, ledger.now.date(), serial, bars=bars, brief=brief))
    return render_labels(labels, SHEETS[sheet], first=first, title=_("Lot labels"))


def lot_label(
    entry: LotEntry,
    stock: Stock | None,
    today: date,
    serial: int | None = None,
    *,
    bars: bool = False,
    brief: bool = False,
) -> Label:
    """The label of one lot; what stands in its symbols stands below them in letters and digits."""
    elements = lot_elements(entry, stock, today, serial)
    text = element_string(elements)
    short = element_string([item for item in elements if item.ai in ("01", "17", "10", INTERNAL)]) if bars else ""
    below = ["".join(str(item) for item in sorted(elements, key=lambda item: not is_predefined(item.ai)))]
    return Label(
        entry.id,
        _lines(entry, stock, serial, brief),
        _marks(entry, today),
        matrix=data_matrix(text),
        bars=gs1_128(short) if bars else (),
        below=below,
    )


def lot_elements(entry: LotEntry, stock: Stock | None, today: date, serial: int | None) -> tuple[Element, ...]:
    """What the symbols say: GTIN, expiry, lot, amount and serial; the lot's id alone (91) where there is no GTIN."""
    gtin = entry.particulars.gtin
    stray = sorted(set(entry.id) - CHARACTERS)
    if stray:
        raise InputError(
            f"the id of lot {entry.id} has {stray[0]!r}, which no GS1 barcode can hold",
            remedy="Give lots ids of letters, digits, and - . / _.",
        )
    if not gtin:
        alone = Element(INTERNAL, entry.id)
        check_element(alone)
        return (alone,)
    elements = [Element("01", gtin14(gtin))]
    if entry.lot is not None and read_yymmdd(yymmdd(entry.lot.expiry), today) == entry.lot.expiry:
        elements.append(Element("17", yymmdd(entry.lot.expiry)))
    elements += _amount(stock) if serial is None else []  # what one of several containers holds nobody recorded
    elements.append(Element("10" if len(entry.id) <= _LONGEST_LOT else INTERNAL, entry.id))
    if serial is not None:
        elements.append(Element("21", str(serial)))
    return tuple(elements)


def _amount(stock: Stock | None) -> list[Element]:
    """What remains, where six digits hold it exactly: net weight (310n), volume (315n), area (314n) or count (30)."""
    if stock is None or stock.remaining <= 0:
        return []
    if not stock.unit:
        count = stock.remaining
        return [Element("30", plain_text(count))] if count == count.to_integral_value() and count < 10**8 else []
    for unit, ai in _MEASURES:
        amount = amount_in(plain_text(stock.remaining), stock.unit, unit)
        for places in range(6) if amount is not None else ():
            digits = Decimal(amount or 0).scaleb(places)
            if digits == digits.to_integral_value() and digits < 10**6:
                return [Element(f"{ai}{places}", f"{int(digits):06d}")]
    return []


def _marks(entry: LotEntry, today: date) -> list[str]:
    marks = []
    if entry.expired(today):
        marks.append(_("EXPIRED"))
    if entry.holds:
        marks.append(_("ON HOLD"))
    if entry.decided == "quarantined":
        marks.append(_("QUARANTINE"))
    if entry.decided == "rejected":
        marks.append(_("REJECTED"))
    if entry.particulars.origin == "simulated":
        marks.append(_("SIMULATED"))
    if entry.particulars.patient:
        marks.append(AUTOLOGOUS)
        if language() != "en":
            marks.append(_("For autologous use only"))
    return marks


def _lines(entry: LotEntry, stock: Stock | None, serial: int | None, brief: bool) -> list[tuple[str, str]]:
    beside = entry.particulars
    amount = "" if stock is None or serial is not None else f"{plain_text(stock.remaining)} {stock.unit}".strip()
    lines = [
        (_("material"), entry.material),
        (_("expiry"), entry.expiry),
        (_("retest"), beside.retest.isoformat() if beside.retest else ""),
        (_("amount"), amount),
        (_("storage"), beside.storage),
    ]
    more = [
        (_("supplier"), entry.lot.supplier if entry.lot else ""),
        (_("supplier's lot"), beside.supplier_lot),
        (_("location"), beside.location),
        (_("batch"), entry.batch),
        (_("container"), "" if serial is None else str(serial)),
    ]
    lines += [] if brief else more
    return [line for line in lines if line[1]]
