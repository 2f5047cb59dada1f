"""What one read says of a provirus: intact, or what is wrong with it; and where in the host it sits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from seedtrain.bioinformatics import Laid, Read, Segment, lay, make_aligner, oriented, reverse_complement
from seedtrain.vectors._lentivirus._provirus import Provirus

KINDS: Final = (
    "intact",
    "hypermutated",
    "spliced",
    "internal-deletion",
    "truncated",
    "solo-ltr",
    "rearranged",
    "open",
    "host",
    "unknown",
)
NOT_TOLD: Final = ("open", "host", "unknown")
"""Reads that do not run over both ends of a provirus, and reads of something else."""
COMPLETE: Final = 20
"""Bases that may be missing at an end of the provirus, or lie nowhere between provirus and host (assumed)."""
FLANK: Final = 60
"""Bases beside the provirus from which on a read has left it."""
LONG_GAP: Final = 50
"""Bases that are missing, or too many, from which on they count (assumed)."""
SPLICE_REACH: Final = 10
"""Bases within which a gap's end is an annotated splice site's."""
SPLICE_SHIFT: Final = 3
"""Bases by which a gap is shifted to end in GT and AG where no splice site is annotated; by chance one
gap in 37 does."""
HYPERMUTATED: Final = 0.001
"""Fisher's p value below which G to A in the context of APOBEC3G is more frequent than outside it (assumed)."""
PART_COVERED: Final = 0.95
LEAST_SCORE: Final = 60
"""Score of the shortest alignment kept: about 60 bases of PacBio."""


@dataclass(frozen=True)
class Site:
    """A place in the host: `position` from 0 at the junction, `strand` of the provirus there."""

    contig: str
    position: int
    strand: int


@dataclass(frozen=True)
class ProvirusRead:
    """One read: its kind, gaps on the provirus, which parts are whole (by name), and the place in the host.

    - `flanks`: how many of its ends lie beside the provirus in something else.
    """

    kind: str
    gaps: tuple[tuple[int, int], ...] = ()
    whole: tuple[str, ...] = ()
    site: Site | None = None
    flanks: int = 0


@dataclass(frozen=True)
class _Arm:
    """A stretch that lies on the provirus, both counted in the provirus's direction."""

    read_start: int
    read_end: int
    start: int
    end: int
    segment: Segment


@dataclass(frozen=True)
class Indexes:
    """minimap2's indexes of the provirus and of the host (or `None`), and the platform of the reads."""

    provirus: Any
    host: Any
    platform: str


def classify_read(read: Read, indexes: Indexes, provirus: Provirus) -> ProvirusRead:
    """The kind of one read."""
    host = indexes.host
    laid = lay(indexes.provirus, read)
    if not laid.segments or laid.aligned < FLANK:
        return ProvirusRead("host" if host is not None and lay(host, read).segments else "unknown")
    strand = _strand(laid)
    size = len(read.sequence)
    text = read.sequence if strand > 0 else reverse_complement(read.sequence)
    arms = _with_rests(_arms(laid, strand, size), text, provirus, indexes.platform)
    left, right = arms[0].read_start, size - arms[-1].read_end
    flanks = (left >= FLANK) + (right >= FLANK)
    site = None if host is None else site_of(text[:left], text[arms[-1].read_end :], host)
    gaps = _gaps(arms)
    kind = _kind(laid, arms, gaps, (left, right), provirus)
    if kind == "intact" and hypermutated(provirus, laid):
        kind = "hypermutated"
    whole = tuple(item.name for item in provirus.parts if _covered(item.start, item.end, arms, gaps) >= PART_COVERED)
    return ProvirusRead(kind, tuple(gaps), whole, site, flanks)


def _strand(laid: Laid) -> int:
    return 1 if sum(item.strand * item.matches for item in laid.segments) >= 0 else -1


def _arms(laid: Laid, strand: int, size: int) -> list[_Arm]:
    arms = []
    for item in laid.segments:
        low, high = (item.read_start, item.read_end) if strand > 0 else (size - item.read_end, size - item.read_start)
        arms.append(_Arm(low, high, item.start, item.end, item))
    return sorted(arms, key=lambda item: item.read_start)


def _with_rests(arms: list[_Arm], text: str, provirus: Provirus, platform: str) -> list[_Arm]:
    """Arms that minimap2 drops behind a long gap: an end of the read beside the part of the provirus not yet seen.

    The repeats are equal, so that a short arm in one of them is told by its side of the read.
    """
    first, last = arms[0], arms[-1]
    found = list(arms)
    if first.read_start >= FLANK and first.start >= FLANK:
        part = make_aligner(provirus.sequence[: first.start], platform, least_score=LEAST_SCORE)
        for item in lay(part, Read("left", text[: first.read_start])).segments:
            if item.strand > 0:
                found.append(_Arm(item.read_start, item.read_end, item.start, item.end, item))
    rest, behind = len(text) - last.read_end, len(provirus) - last.end
    if rest >= FLANK and behind >= FLANK:
        part = make_aligner(provirus.sequence[last.end :], platform, least_score=LEAST_SCORE)
        for item in lay(part, Read("right", text[last.read_end :])).segments:
            if item.strand > 0:
                place = (last.read_end + item.read_start, last.read_end + item.read_end)
                found.append(_Arm(*place, last.end + item.start, last.end + item.end, item))
    return sorted(found, key=lambda item: item.read_start)


def _kind(
    laid: Laid, arms: Sequence[_Arm], gaps: Sequence[tuple[int, int]], outside: tuple[int, int], provirus: Provirus
) -> str:
    size = len(provirus)
    turned = len({item.strand for item in laid.segments}) > 1
    back = any(second.start < first.end - LONG_GAP for first, second in pairwise(arms))
    added = any(_inserted(first, second) >= LONG_GAP for first, second in pairwise(arms))
    added = added or any(
        length >= LONG_GAP and code == 1 for item in arms for length, code in item.segment.cigar.tolist()
    )
    if turned or back or added:
        return "rearranged"
    whole = (arms[0].start <= COMPLETE, arms[-1].end >= size - COMPLETE)
    told = [is_whole or beside >= FLANK for is_whole, beside in zip(whole, outside, strict=True)]
    if not all(told):
        return "open"
    repeats = [item for item in (provirus.part("5' LTR"), provirus.part("3' LTR")) if item is not None]
    inside = any(item.start - COMPLETE <= arms[0].start and arms[-1].end <= item.end + COMPLETE for item in repeats)
    if inside and not all(whole):
        return "solo-ltr"
    if not all(whole):
        return "truncated"
    if not gaps:
        return "intact"
    return "spliced" if all(is_splice(provirus, gap) for gap in gaps) else "internal-deletion"


def _inserted(first: _Arm, second: _Arm) -> int:
    return (second.read_start - first.read_end) - max(0, second.start - first.end)


def _gaps(arms: Sequence[_Arm]) -> list[tuple[int, int]]:
    """Missing stretches of the provirus: in an arm's alignment, or between two arms."""
    found = []
    for item in arms:
        at = item.start
        for length, code in item.segment.cigar.tolist():
            if code in (2, 3) and length >= LONG_GAP:
                found.append((at, at + length))
            at += length if code != 1 else 0
    for first, second in pairwise(arms):
        missing = (second.start - first.end) - (second.read_start - first.read_end)
        if missing >= LONG_GAP and second.start > first.end:
            found.append((first.end, second.start))
    return sorted(found)


def is_splice(provirus: Provirus, gap: tuple[int, int]) -> bool:
    """Whether a gap runs from a splice donor to an acceptor: annotated ones, or GT and AG at its ends."""
    start, end = gap
    if provirus.donors and provirus.acceptors:
        return any(abs(start - item) <= SPLICE_REACH for item in provirus.donors) and any(
            abs(end - item) <= SPLICE_REACH for item in provirus.acceptors
        )
    text = provirus.sequence
    return any(
        text[start + shift : start + shift + 2] == "GT" and text[end + shift - 2 : end + shift] == "AG"
        for shift in range(-SPLICE_SHIFT, SPLICE_SHIFT + 1)
    )


def _covered(start: int, end: int, arms: Sequence[_Arm], gaps: Sequence[tuple[int, int]]) -> float:
    held = np.zeros(end - start, dtype=np.bool_)
    for item in arms:
        held[max(0, item.start - start) : max(0, item.end - start)] = True
    for low, high in gaps:
        held[max(0, low - start) : max(0, high - start)] = False
    return float(held.mean()) if len(held) else 0.0


def hypermutated(provirus: Provirus, laid: Laid) -> bool:
    """Whether G to A is more frequent before GD and AD (D: not C) than elsewhere, by Fisher's one-sided test.

    **Source** Rose & Korber 2000, Bioinformatics 16:400 (Hypermut), contexts GRD against GYN and GRC.
    """
    from scipy.stats import fisher_exact

    text = provirus.sequence
    counts = np.zeros((2, 2), dtype=np.int64)
    for segment in laid.segments:
        codes, _quality = oriented(laid.read, segment)
        at, here = segment.start, 0
        for length, code in segment.cigar.tolist():
            if code == 0:
                for step in range(length):
                    site = at + step
                    if text[site] == "G" and site + 2 < len(text) and codes[here + step] in (0, 2):
                        target = text[site + 1] in "AG" and text[site + 2] != "C"
                        counts[0 if target else 1, 0 if codes[here + step] == 0 else 1] += 1
            at += length if code != 1 else 0
            here += length if code <= 1 else 0
    if counts[0, 0] < 4:
        return False
    return float(fisher_exact(counts, alternative="greater").pvalue) < HYPERMUTATED


def site_of(left: str, right: str, host: Any) -> Site | None:
    """Where the flanks join the host: the hit next to the provirus on either side, the left one first."""
    if len(left) >= FLANK:
        for item in lay(host, Read("left", left)).segments:
            if item.read_end >= len(left) - COMPLETE:
                return Site(_contig(host, left), item.end if item.strand > 0 else item.start, item.strand)
    if len(right) >= FLANK:
        for item in lay(host, Read("right", right)).segments:
            if item.read_start <= COMPLETE:
                return Site(_contig(host, right), item.start if item.strand > 0 else item.end, item.strand)
    return None


def _contig(host: Any, flank: str) -> str:
    """The name of the sequence that minimap2 lays the flank on."""
    named = next((str(hit.ctg) for hit in host.map(flank) if hit.is_primary), "")
    return "host" if named in ("", "N/A") else named
