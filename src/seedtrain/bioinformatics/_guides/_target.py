"""The stretch in which to cut: coordinates of the genome, or a sequence of one's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from seedtrain.base import InputError, Position
from seedtrain.bioinformatics._guides._fasta import AMBIGUOUS, Codes, codes_of, read_contigs
from seedtrain.bioinformatics._guides._index import BASES, GenomeIndex

LONGEST_TARGET: Final = 1_000_000
"""Bases, assumed: beyond it the guides are a library, not a design."""
SHORTEST_TARGET: Final = 1
SHORTEST_FOUND: Final = 30
"""Bases below which a target's own sequence is not looked up in the genome: it would be found by chance."""
FLANK: Final = 64
"""Bases looked at on either side, for guides that reach out of the target and for their context."""
SEARCHED_AT_ONCE: Final = 16 * 1024 * 1024

_PLACE: Final = re.compile(r"(?P<contig>.+):(?P<start>[\d,]+)(?:-|\.\.)(?P<end>[\d,]+)")


@dataclass(frozen=True)
class Target:
    """Where guides are wanted.

    - `name`: for people; `codes`: the target with `FLANK` codes on either side, ambiguous where nothing is known.
    - `length`: without the flanks.
    - `contig`, `start`: its place in the genome, 0-based; `None` and 0 where it does not stand there.
    - `copies`: how often the genome holds it, on either strand; `strand`: of its first copy.
    """

    name: str
    codes: Codes
    length: int
    contig: int | None
    start: int
    copies: int = 1
    strand: str = "+"


def target_region(index: GenomeIndex, place: str) -> Target:
    """The target at `contig:start-end`, from 1, both ends inside; in a circle `end` may lie before `start`.

    Raises `InputError` for another form, an unknown contig, or ends outside of it.
    """
    match = _PLACE.fullmatch(place.strip())
    if not match:
        raise InputError(
            f"{place!r} is no region",
            remedy="Write contig:start-end, such as chr1:10468-10968, or name a FASTA file that exists.",
        )
    contig = index.contig(match["contig"])
    start, end = (int(match[key].replace(",", "")) for key in ("start", "end"))
    size = index.contigs[contig].length
    if not (1 <= start <= size and 1 <= end <= size) or (end < start and not index.circular):
        raise InputError(
            f"{place!r} is not inside {match['contig']}, which has {size} bases",
            remedy="Give two places inside the contig, the lower first.",
        )
    length = (end - start) % size + 1
    _check_length(length, Position(place))
    codes = index.codes(contig, start - 1 - FLANK, start - 1 + length + FLANK)
    return Target(place.strip(), codes, length, contig, start - 1)


def target_file(index: GenomeIndex, path: Path) -> Target:
    """The target in a FASTA file of one sequence: located in the genome where that holds it, letter for letter.

    Raises `InputError` for bad FASTA, more than one sequence, or a target that is too long.
    """
    position = Position(str(path))
    name, parts = "", []
    for contig, codes in read_contigs(path):
        if name and contig != name:
            raise InputError("the target holds more than one sequence", position=position, remedy="Give one.")
        name = contig
        parts.append(codes)
        _check_length(sum(map(len, parts)), position)
    return located(index, name, np.concatenate(parts))


def located(index: GenomeIndex, name: str, codes: Codes) -> Target:
    """A target of its own sequence, with the place where the genome holds it."""
    found = _occurrences(index, codes) if len(codes) >= SHORTEST_FOUND and codes.max() < AMBIGUOUS else []
    if not found:
        edge = np.full(FLANK, AMBIGUOUS, dtype=np.uint8)
        return Target(name, np.concatenate([edge, codes, edge]), len(codes), None, 0, 0)
    contig, start, strand = found[0]
    around = index.codes(contig, start - FLANK, start + len(codes) + FLANK)
    return Target(name, around, len(codes), contig, start, len(found), strand)


def _check_length(length: int, position: Position) -> None:
    if length > LONGEST_TARGET:
        raise InputError(
            f"a target of more than {LONGEST_TARGET} bases", position=position, remedy="Design for it in parts."
        )


def _occurrences(index: GenomeIndex, codes: Codes) -> list[tuple[int, int, str]]:
    """Every place (contig, start, strand) of a sequence, plus strand first; a palindrome is found once."""
    other = (3 - codes[::-1]).astype(np.uint8)
    strands = [("+", codes.tobytes())] + ([("-", other.tobytes())] if not np.array_equal(other, codes) else [])
    found: list[tuple[int, int, str]] = []
    for strand, wanted in strands:
        for number, contig in enumerate(index.contigs):
            beyond = len(wanted) - 1 if index.circular and len(wanted) <= contig.length else 0
            for first in range(0, contig.length, SEARCHED_AT_ONCE):
                last = min(first + SEARCHED_AT_ONCE, contig.length)
                text = _text(index, number, first, last, len(wanted) - 1, beyond)
                at = text.find(wanted)
                while at >= 0:
                    found.append((number, first + at, strand))
                    at = text.find(wanted, at + 1)
    return found


def _text(index: GenomeIndex, number: int, first: int, last: int, more: int, beyond: int) -> bytes:
    """Codes of `[first, last)` and `more` behind them, going round the origin by `beyond` at most."""
    contig = index.contigs[number]
    end = min(last + more, contig.length)
    bases = np.memmap(index.folder / BASES, dtype=np.uint8, mode="r", offset=contig.offset, shape=(contig.length,))
    text = bases[first:end].tobytes()
    if last + more > contig.length and beyond:
        text += bases[: last + more - contig.length].tobytes()
    return text


def target_sequence(index: GenomeIndex, text: str) -> Target:
    """A target from what a person wrote: letters of DNA."""
    letters = "".join(text.split()).upper()
    if not letters or set(letters) - set("ACGTN"):
        raise InputError("a target's sequence is written in A, C, G, T and N", remedy="Give DNA.")
    return located(index, "target", codes_of(letters))
