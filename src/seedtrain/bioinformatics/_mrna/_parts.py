"""What stands around the coding sequence of a messenger: untranslated regions by name, and the poly-A."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from seedtrain.base import InputError, load
from seedtrain.bioinformatics._hosts import PatternText

LINKER: Final = "GCATATGACT"
"""Between two stretches of A, as in BNT162b2: a plasmid keeps 30 and 70 better than 100 (Trepotec et al. 2019, RNA
25:507)."""
LONGEST_POLY_A: Final = 300
LONGEST_UTR: Final = 2_000


class Utr(BaseModel):
    """An untranslated region: its end of the messenger (5 or 3), its letters as DNA, and where it is from."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    end: int
    sequence: PatternText
    source: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    utrs: tuple[Utr, ...]


@cache
def utrs() -> tuple[Utr, ...]:
    """Those that Seedtrain ships."""
    found, _document = load(Path(__file__).parent / "utrs.yaml", _File, what="list of UTRs")
    return found.utrs


def utr(text: str, end: int) -> Utr:
    """One of `utrs` by name, or one's own letters; `InputError` for another name or other letters."""
    known = {item.name: item for item in utrs() if item.end == end}
    if text in known:
        return known[text]
    letters = text.upper().replace("U", "T")
    if re.fullmatch("[ACGT]+", letters) and len(letters) <= LONGEST_UTR:
        return Utr(name="own", end=end, sequence=letters, source="given")
    raise InputError(
        f"there is no {end}' UTR {text[:40]!r}",
        remedy=f"Use one of: {', '.join(sorted(known))}; or its letters as DNA.",
    )


def poly_a(text: str) -> str:
    """A tail from its lengths: `100` as one stretch, `30+70` with a linker between; `InputError` for another form."""
    if not re.fullmatch(r"\d{1,3}(\+\d{1,3}){0,3}", text):
        raise InputError(f"a poly-A of {text!r}", remedy="Write its length, or stretches such as 30+70.")
    stretches = [int(item) for item in text.split("+")]
    if min(stretches) < 5 or sum(stretches) > LONGEST_POLY_A:
        raise InputError(f"a poly-A of {text}", remedy=f"Give stretches of 5 or more, {LONGEST_POLY_A} in all at most.")
    return LINKER.join("A" * item for item in stretches)
