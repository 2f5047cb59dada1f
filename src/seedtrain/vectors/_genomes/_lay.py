"""Reads laid on the vector, and on what else may be in the lot, with minimap2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, Position
from seedtrain.bioinformatics import Read, best_hits, make_aligner, reads_package
from seedtrain.vectors._genomes._vector import Source, Vector

LEAST_SCORE: Final = 60
"""Score of the shortest alignment kept: about 60 bases of PacBio. minimap2's own 200 loses short arms of snapbacks."""
SHORTEST_GAP: Final = 10
"""Bases of a deletion in a CIGAR that count towards a deletion of the genome; shorter ones are errors of reading."""
SHORTEST_REST: Final = 70
"""Bases of a read without alignment that are worth a second one."""


@dataclass(frozen=True)
class Segment:
    """One alignment: where on the read as sequenced, where on the sequence, and what is missing inside.

    - `start`, `end`: 0-based on the sequence; `deleted`, `inserted`: bases in gaps (CIGAR D and N, and I) of
      `SHORTEST_GAP` or more; `matches`: identical bases.
    """

    read_start: int
    read_end: int
    start: int
    end: int
    strand: int
    deleted: int
    inserted: int
    matches: int


@dataclass(frozen=True)
class Other:
    """A source that is not the vector, with its index."""

    source: Source
    aligner: Any


def vector_aligner(vector: Vector, platform: str) -> Any:
    """The index of the vector."""
    return make_aligner(vector.sequence, platform, least_score=LEAST_SCORE)


def other_aligners(sources: Sequence[Source], platform: str) -> tuple[Other, ...]:
    """The indexes of all sources but the vector; a named record alone, or a whole file."""
    read_fasta: Any = reads_package("mappy").fastx_read
    found = []
    for source in sources:
        if source.role == "vector":
            continue
        whole: str | Path = source.path
        if source.record:
            bases = [item[1] for item in read_fasta(str(source.path)) if item[0] == source.record]
            if not bases:
                words = f"the file holds no record {source.record!r}"
                raise InputError(words, position=Position(str(source.path)), remedy="Check the file.")
            whole = bases[0]
        found.append(Other(source, make_aligner(whole, platform)))
    return tuple(found)


def segments_of(aligner: Any, read: Read) -> tuple[Segment, ...]:
    """The alignments of one read in the order in which it runs through them; overlaps with better ones are dropped.

    What the first pass leaves is aligned once more by itself: minimap2 may drop what lies behind a long deletion.
    """
    found = _best(aligner, read.sequence, 0)
    size = len(read.sequence)
    held = covered(found)
    edges = [0, *(edge for stretch in held for edge in stretch), size]
    free = [(low, high) for low, high in zip(edges[::2], edges[1::2], strict=True) if high - low >= SHORTEST_REST]
    if held:
        for low, high in free:
            found += _best(aligner, read.sequence[low:high], low)
    return tuple(sorted(found, key=lambda item: item.read_start))


def _best(aligner: Any, sequence: str, offset: int) -> list[Segment]:
    return [_segment(hit, offset) for hit in best_hits(aligner, sequence)]


def _segment(hit: Any, offset: int) -> Segment:
    deleted = inserted = 0
    for length, kind in hit.cigar:
        if length >= SHORTEST_GAP:
            if kind in (2, 3):
                deleted += length
            elif kind == 1:
                inserted += length
    return Segment(hit.q_st + offset, hit.q_en + offset, hit.r_st, hit.r_en, hit.strand, deleted, inserted, hit.mlen)


def covered(segments: Sequence[Segment]) -> list[tuple[int, int]]:
    """The stretches of the read that lie on something, joined and in order."""
    found: list[tuple[int, int]] = []
    for start, end in sorted((item.read_start, item.read_end) for item in segments):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def bases(stretches: Sequence[tuple[int, int]]) -> int:
    """Bases in stretches."""
    return sum(end - start for start, end in stretches)


def bases_outside(stretches: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]) -> int:
    """Bases of `stretches` that no stretch of `others` holds."""
    shared = sum(
        max(0, min(end, other_end) - max(start, other_start))
        for start, end in stretches
        for other_start, other_end in others
    )
    return bases(stretches) - shared
