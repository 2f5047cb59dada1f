"""What a keyboard wedge types when a label is scanned, and the lot that it opens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from seedtrain.base import InputError, SeedtrainError, collect
from seedtrain.gmp._lots._book import LotBook, LotEntry, lot_book
from seedtrain.gmp._lots._gs1 import GS, INTERNAL, Element, gtin14, read_elements, read_yymmdd
from seedtrain.record import Ledger

GS1_SYMBOLOGIES: Final = {"]d2": "GS1 DataMatrix", "]C1": "GS1-128", "]Q3": "GS1 QR Code", "]e0": "GS1 DataBar"}
"""Symbology identifiers (ISO/IEC 15424) that announce GS1 element strings."""

SUBSTITUTES: Final = ("\u241d", "<GS>", "{GS}", "^]", "\\x1d", "\\u001d")
"""What scanners type for the separator (0x1D), which no keyboard has."""

_IDENTIFIER: Final = re.compile(r"\][A-Za-z][0-9A-Fa-f]")
_BRACKETS: Final = re.compile(r"\((\d{2,4})\)([^()]*)")


@dataclass(frozen=True)
class Scan:
    """A scanned or typed GS1 string: the symbology that the scanner named (empty: none), and its elements."""

    symbology: str
    elements: tuple[Element, ...]

    def value(self, ai: str) -> str:
        """The value of an application identifier; empty where it is not there."""
        return next((item.value for item in self.elements if item.ai == ai), "")

    @property
    def lot(self) -> str:
        """The lot that the label names: (10), or our own (91)."""
        return self.value("10") or self.value(INTERNAL)


def read_scan(text: str, *, separator: str = "") -> Scan:
    """Read what a scanner sent: a symbology identifier or none, elements, `GS` or what stands for it; or a text as
    people read it, `(01)...(10)...`.

    - `separator`: what this scanner types for `GS`, beside the usual ones.

    Raises `InputError` for another kind of symbol, and for what is no GS1 string.
    """
    line = text.strip("\r\n\t ")
    if not line:
        raise InputError("nothing was scanned", remedy="Scan the label again.")
    symbology = ""
    if found := _IDENTIFIER.match(line):
        symbology = GS1_SYMBOLOGIES.get(found[0], "")
        if not symbology:
            raise InputError(
                f"the scanner names the symbology {found[0]}, which is no GS1 symbol",
                remedy="Scan the GS1 DataMatrix or GS1-128 of the label.",
            )
        line = line[len(found[0]) :]
    for substitute in (separator, *SUBSTITUTES) if separator else SUBSTITUTES:
        line = line.replace(substitute, GS)
    if line.startswith("(") and "".join(found[0] for found in _BRACKETS.finditer(line)) == line:
        line = "".join(f"{ai}{value}{GS}" for ai, value in _BRACKETS.findall(line))
    elements = read_elements(line.removesuffix(GS))
    names = [item.ai for item in elements]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"({twice[0]}) stands twice in {text!r}", remedy="Scan one label at a time.")
    return Scan(symbology, elements)


def open_scanned(
    ledger: Ledger, text: str, *, expect: str = "", material: str = "", separator: str = "", today: date | None = None
) -> LotEntry:
    """The lot whose label was scanned, found by its own id, or by a supplier's lot number with its GTIN.

    - `expect`: the lot, `material`: the material that is wanted here.

    Raises `InputError` for a label of no lot that the ledger knows, and for one that says something else of its lot
    than the ledger (GTIN, expiry), all differences at once.
    """
    if any(0xD800 <= ord(letter) < 0xE000 for letter in text):  # bytes that were no text when they were read
        raise InputError("what was scanned is no UTF-8 text", remedy="Scan again; check the scanner's keyboard layout.")
    with lot_book(ledger) as book:
        if text.strip() in book:
            entry, scan = book.entry(text.strip()), Scan("", ())
        else:
            scan = read_scan(text, separator=separator)
            entry = _found(book, scan)
    faults = _differences(entry, scan, today or ledger.now.date())
    if expect and entry.id != expect:
        faults.append(f"lot {entry.id} was scanned, and lot {expect} is wanted")
    if material and entry.material != material:
        faults.append(f"lot {entry.id} is {entry.material}, and {material} is wanted")
    remedy = "Put it aside, and take the right one; a label that does not match its lot is a deviation."
    errors: list[SeedtrainError] = [InputError(fault, remedy=remedy) for fault in faults]
    collect(errors)
    return entry


def _found(book: LotBook, scan: Scan) -> LotEntry:
    if not scan.lot:
        raise InputError("the label names no lot: neither (10) nor (91)", remedy="Scan the lot's label.")
    if scan.lot in book:
        return book.entry(scan.lot)
    gtin = scan.value("01")
    theirs = [item for item in book.entries(supplier_lot=scan.lot) if gtin and _same_gtin(item, gtin)]
    if len(theirs) > 1:
        raise InputError(
            f"the supplier's lot {scan.lot} is {', '.join(item.id for item in theirs)} here",
            remedy="Scan our own label.",
        )
    if not theirs:
        raise InputError(f"the ledger knows no lot {scan.lot!r}", remedy="Receive it first, or check the label.")
    return theirs[0]


def _same_gtin(entry: LotEntry, gtin: str) -> bool:
    return bool(entry.particulars.gtin) and gtin14(entry.particulars.gtin) == gtin


def _differences(entry: LotEntry, scan: Scan, today: date) -> list[str]:
    faults = []
    gtin, expiry = scan.value("01"), scan.value("17")
    if gtin and not _same_gtin(entry, gtin):
        faults.append(
            f"the label's GTIN is {gtin}, that of lot {entry.id} is {entry.particulars.gtin or 'not recorded'}"
        )
    if expiry and (entry.lot is None or read_yymmdd(expiry, today) != entry.lot.expiry):
        known = entry.lot.expiry.isoformat() if entry.lot else "not recorded"
        faults.append(
            f"the label's expiry is {read_yymmdd(expiry, today).isoformat()}, that of lot {entry.id} is {known}"
        )
    return faults
