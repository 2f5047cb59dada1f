"""Reads laid on the (doubled) reference with minimap2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError, Position
from seedtrain.bioinformatics._reads._fasta import check_fasta
from seedtrain.bioinformatics._reads._packages import reads_package
from seedtrain.bioinformatics._reads._reference import Bytes, Ints, Reference, encode
from seedtrain.bioinformatics._reads._source import Read

PRESETS: Final = {"nanopore": "map-ont", "pacbio": "map-hifi", "illumina": "sr"}
BATCH_BASES: Final = 1_500_000
"""Bases piled up at once: bounds memory, and makes numpy worth its call."""


@dataclass(frozen=True)
class Segment:
    """One stretch of a read that lies on the unrolled reference without a break.

    - `read_start`, `read_end`: 0-based on the read as sequenced; `start`, `end`: on the unrolled reference.
    - `strand`: 1 or -1. `cigar`: shape (operation, 2), length and code (0 both, 1 read only, 2 reference only).
    - `matches`, `columns`: identical bases, and columns of the alignment.
    """

    read_start: int
    read_end: int
    start: int
    end: int
    strand: int
    cigar: Ints
    matches: int
    columns: int


@dataclass(frozen=True)
class Laid:
    """A read and its segments in the order in which the read runs through them; none: it is something else."""

    read: Read
    segments: tuple[Segment, ...]

    @property
    def aligned(self) -> int:
        """Bases of the read that lie on the reference."""
        return sum(item.read_end - item.read_start for item in self.segments)

    @property
    def crossed(self) -> int:
        """Bases of the unrolled reference that the read crosses; what is inserted in it does not count."""
        return sum(item.end - item.start for item in self.segments)


def make_aligner(sequence: str | Path, platform: str = "nanopore", *, least_score: int | None = None) -> Any:
    """A minimap2 index in memory, of one sequence or of a FASTA file (gzipped or not).

    - `least_score`: of the shortest alignment that is kept, where minimap2's own would lose short arms.
    """
    if platform not in PRESETS:
        raise InputError(f"there is no platform {platform!r}", remedy=f"Use one of: {', '.join(PRESETS)}.")
    make: Any = reads_package("mappy").Aligner
    more = {} if least_score is None else {"min_dp_score": least_score, "min_chain_score": 25}
    if isinstance(sequence, str):
        return make(seq=sequence, preset=PRESETS[platform], best_n=1, **more)
    position = Position(str(sequence))
    check_fasta(sequence)
    aligner = make(str(sequence), preset=PRESETS[platform], best_n=1, **more)
    if not aligner or not aligner.n_seq:
        raise InputError("the file holds no sequence", position=position, remedy="Give FASTA.")
    return aligner


def best_hits(aligner: Any, sequence: str) -> list[Any]:
    """Primary and supplementary hits of minimap2, the best first; one that half overlaps a better one is dropped."""
    hits = [hit for hit in aligner.map(sequence) if hit.is_primary]
    hits.sort(key=lambda hit: (-hit.mlen, hit.q_st, hit.r_st))
    kept: list[Any] = []
    for hit in hits:
        overlap = sum(max(0, min(hit.q_en, other.q_en) - max(hit.q_st, other.q_st)) for other in kept)
        if overlap <= 0.5 * (hit.q_en - hit.q_st):
            kept.append(hit)
    return kept


def lay(aligner: Any, read: Read) -> Laid:
    """The primary and supplementary alignments of one read; those that overlap a better one are dropped."""
    kept = sorted(best_hits(aligner, read.sequence), key=lambda hit: hit.q_st)
    return Laid(
        read,
        tuple(
            Segment(
                hit.q_st,
                hit.q_en,
                hit.r_st,
                hit.r_en,
                hit.strand,
                np.array(hit.cigar, dtype=np.int64).reshape(-1, 2),
                hit.mlen,
                hit.blen,
            )
            for hit in kept
        ),
    )


def lay_all(reference: Reference, reads: Sequence[Read], platform: str = "nanopore") -> Iterator[Laid]:
    """`lay` for every read."""
    aligner = make_aligner(reference.unrolled, platform)
    for read in reads:
        yield lay(aligner, read)


def batches(laid: Sequence[Laid]) -> Iterator[list[tuple[Laid, Segment]]]:
    """Segments in groups of about `BATCH_BASES`."""
    group: list[tuple[Laid, Segment]] = []
    held = 0
    for item in laid:
        for segment in item.segments:
            group.append((item, segment))
            held += segment.read_end - segment.read_start
        if held >= BATCH_BASES:
            yield group
            group, held = [], 0
    if group:
        yield group


def oriented(read: Read, segment: Segment) -> tuple[Bytes, Bytes | None]:
    """Codes and Phred qualities of the segment's bases in the direction of the reference."""
    codes = encode(read.sequence[segment.read_start : segment.read_end])
    quality: Bytes | None = None
    if read.quality:
        text = read.quality[segment.read_start : segment.read_end].encode("ascii")
        quality = np.frombuffer(text, dtype=np.uint8) - 33
    if segment.strand < 0:
        codes = np.array([3, 2, 1, 0, 4], dtype=np.uint8)[codes[::-1]]
        quality = None if quality is None else quality[::-1]
    return codes, quality


def read_position(segment: Segment, site: int) -> int:
    """Where on the read the base at `site` of the unrolled reference lies (the next one where it is deleted)."""
    at_reference, at_read = segment.start, 0
    for length, code in segment.cigar:
        step_reference = int(length) if code in (0, 2) else 0
        step_read = int(length) if code in (0, 1) else 0
        if site < at_reference + step_reference:
            at_read += (site - at_reference) if code == 0 else 0
            break
        at_reference += step_reference
        at_read += step_read
    if segment.strand > 0:
        return segment.read_start + at_read
    return segment.read_end - 1 - at_read
