"""What a CAPA follows from: a case of the ledger by its name, or something outside it by its kind and in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from seedtrain.base import InputError
from seedtrain.record import Ledger

OUTSIDE: Final = ("audit", "complaint", "inspection", "recall", "supplier", "trend", "other")
"""Kinds of sources that this ledger does not hold (ICH Q10 3.2.2: complaints, rejections, recalls, deviations, audits,
inspections, trends)."""


def read_source(ledger: Ledger, text: str) -> str:
    """A source as a CAPA states it: the name of a case of the ledger, or `complaint: words` for one outside it.

    Raises `InputError` for a name that the ledger does not have, and for a kind without words.
    """
    kind, colon, words = (part.strip() for part in text.partition(":"))
    if colon and kind.lower() in OUTSIDE:
        if not words:
            raise InputError(f"the source {text!r} says nothing", remedy=f"Say which {kind}: {kind}:TEXT.")
        return f"{kind.lower()}: {words}"
    if text.strip() in set(_cases(ledger)):
        return text.strip()
    raise InputError(
        f"the ledger has no deviation, investigation, CAPA or change {text!r}",
        remedy=f"Correct the name; what is outside this system is given as KIND:TEXT ({', '.join(OUTSIDE)}).",
    )


def _cases(ledger: Ledger) -> Iterator[str]:
    for type, name in (("deviation.opened", "deviation"), ("oos.opened", "oos")):
        yield from (str(event.payload.get(name)) for event in ledger.events(type=type))
    for type in ("capa.opened", "change.opened"):
        yield from (event.subject for event in ledger.events(type=type))
