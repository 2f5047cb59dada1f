"""Letters of DNA, and what is none."""

from __future__ import annotations

import re
from typing import Final

from seedtrain.base import InputError, Position
from seedtrain.bioinformatics._hosts import IUPAC

PROTEIN_ONLY: Final = "EFILPQZX*J"


def check_letters(text: str, file: str, line: int, offset: int = 0) -> None:
    """Raise for the first letter of one line that is no nucleotide."""
    wrong = re.search(f"[^U{''.join(IUPAC)}]", text, re.IGNORECASE)
    if wrong is None:
        return
    position = Position(file, line, offset + wrong.start() + 1) if line else Position(file)
    if sum(letter in PROTEIN_ONLY for letter in text.upper()) > 0.05 * len(text):
        raise InputError(
            "this is a protein, and DNA is needed",
            position=position,
            remedy="Give DNA; `seedtrain design gene` writes a gene for a protein.",
        )
    raise InputError(
        f"{wrong.group()!r} is no base", position=position, remedy="Use A, C, G, T or an IUPAC letter, without gaps."
    )
