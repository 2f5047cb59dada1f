"""How much of the plasmid that a clone was made from is left in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from seedtrain.bioinformatics._reads._align import Laid, lay, make_aligner
from seedtrain.bioinformatics._reads._reference import Reference
from seedtrain.bioinformatics._reads._structure import SHORTEST_TELLING

LEAST_DIFFERENCE: Final = 50
"""Bases by which a read must fit one plasmid better than the other; a read of what both share tells nothing."""


def count_parental(parental: Reference, laid: Sequence[Laid], platform: str = "nanopore") -> tuple[int, int]:
    """Reads that are the parental plasmid's, and reads that tell which of the two they are."""
    aligner = make_aligner(parental.unrolled, platform)
    theirs = telling = 0
    for item in laid:
        if len(item.read.sequence) < SHORTEST_TELLING[platform]:
            continue
        better = _fit(lay(aligner, item.read)) - _fit(item)
        telling += abs(better) >= LEAST_DIFFERENCE
        theirs += better >= LEAST_DIFFERENCE
    return theirs, telling


def _fit(item: Laid) -> int:
    """Identical bases less the other columns."""
    return sum(2 * one.matches - one.columns for one in item.segments)
