"""What is put in front of a gene to raise it: shipped promoters with their ribosome binding site, or one's own."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from seedtrain.base import InputError, load
from seedtrain.bioinformatics._constructs import DnaRecord, join, stretch

SHORTEST: Final = 20
LONGEST: Final = 2_000
"""Bases of a promoter of one's own."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Piece(_Entry):
    key: str
    label: str
    sequence: Annotated[str, Field(pattern="^[ACGT]+$")]


class Promoter(_Entry):
    """Pieces in the order in which they stand in front of the start codon, the host they work in, and their source."""

    name: str
    host: str
    pieces: tuple[_Piece, ...]
    source: str

    @property
    def record(self) -> DnaRecord:
        """The whole as a line, each piece a feature."""
        lines = [stretch(item.key, item.sequence, {"label": (item.label,)}) for item in self.pieces]
        return join(self.name, lines, circular=False, description=self.source)


class _File(_Entry):
    promoters: tuple[Promoter, ...]


@cache
def promoters() -> tuple[Promoter, ...]:
    """Those that Seedtrain ships."""
    found, _document = load(Path(__file__).parent / "promoters.yaml", _File, what="list of promoters")
    return found.promoters


def promoter(text: str) -> Promoter:
    """One of `promoters` by name, or one's own letters (promoter and ribosome binding site, up to the start codon)."""
    known = {item.name: item for item in promoters()}
    if text in known:
        return known[text]
    letters = text.upper()
    if re.fullmatch("[ACGT]+", letters) and SHORTEST <= len(letters) <= LONGEST:
        piece = _Piece(key="promoter", label="own promoter", sequence=letters)
        return Promoter(name="own", host="", pieces=(piece,), source="given")
    raise InputError(
        f"there is no promoter {text[:40]!r}",
        remedy=f"Use one of: {', '.join(known)}; or its letters with the ribosome binding site, {SHORTEST} or more.",
    )
