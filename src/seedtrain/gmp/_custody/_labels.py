"""Labels of a chain of custody: each of the two identifiers apart, so that one scan cannot stand for both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.gmp._custody._chain import Chain
from seedtrain.gmp._lots._gs1 import INTERNAL, Element, element_string
from seedtrain.gmp._lots._symbols import data_matrix
from seedtrain.report import SHEETS, Label, render_labels

PREFIXES: Final = ("]d2", "]C1", "]Q3")  # what a scanner may put before a GS1 symbol (GS1 General Specifications)


def print_custody_labels(found: Chain, sheet: str, *, copies: int = 1, first: int = 1) -> bytes:
    """Labels of a chain as PDF: one with the code and one with the patient's token, each as a GS1 DataMatrix.

    - `sheet`: one of `report.SHEETS`. `copies`: pairs of labels. The warnings stand in the rule's own words on each.

    Raises `InputError` for an unknown sheet.
    """
    if sheet not in SHEETS or copies < 1:
        raise InputError(
            f"{copies} labels on the sheet {sheet!r} cannot be printed", remedy=f"Sheets: {', '.join(SHEETS)}."
        )
    pair = [_label(found, text) for text in (found.code, found.token)]
    return render_labels(pair * copies, SHEETS[sheet], first=first, title=_("Labels of a chain of custody"))


def _label(found: Chain, text: str) -> Label:
    lines: Sequence[tuple[str, str]] = [(_("product"), found.product), (_("collected"), found.opened_at[:16])]
    return Label(text, lines, found.label, matrix=symbol(text), below=[f"({INTERNAL}){text}"])


def symbol(text: str) -> tuple[tuple[bool, ...], ...]:
    """The modules of the DataMatrix of one identifier, row by row."""
    return tuple(tuple(row) for row in data_matrix(element_string([Element(INTERNAL, text)])))


def scanned(text: str) -> str:
    """The identifier in what a scanner typed: without blanks around it, its own prefix, and the number of the element.

    Nothing else is forgiven: what remains is compared letter by letter.
    """
    plain = text.strip()
    for prefix in PREFIXES:
        plain = plain.removeprefix(prefix)
    rest = plain.removeprefix(INTERNAL)
    return rest if rest.startswith(("COI-", "PT-")) else plain
