"""The molecule that the reads agree on, and how it differs from the reference."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from seedtrain.bioinformatics._reads._align import Laid, Segment, read_position
from seedtrain.bioinformatics._reads._packages import reads_package
from seedtrain.bioinformatics._reads._pile import Pile
from seedtrain.bioinformatics._reads._reference import ALLOWED, IUPAC, Reference, reverse_complement
from seedtrain.bioinformatics._reads._structure import MULTIMER

MOST_CONSENSUS_READS: Final = 24
"""Reads in the consensus; more cost time and change nothing in simulations."""
CLIP: Final = 100
"""Bases at either end of a whole read that may lie nowhere (adapters)."""
ANCHOR_SPAN: Final = 60
"""Bases on either side of the place at which circular reads are cut open."""
WORD: Final = 21
"""Bases of the words that anchor the consensus on the reference."""
LARGEST_BLOCK: Final = 4_000_000
"""Cells of an alignment between two anchors; a larger block is one edit."""


@dataclass(frozen=True)
class Edit:
    """One difference of the consensus: `before` at `site` (from 0, on the reference) reads `after`.

    An insertion has an empty `before` and stands in front of `site`.
    """

    site: int
    before: str
    after: str

    @property
    def distance(self) -> int:
        """Bases changed, added or removed."""
        return max(len(self.before), len(self.after))


@dataclass(frozen=True)
class Consensus:
    """The consensus from the reference's first base on, the number of reads in it, and its edits.

    - `method`: `partial order of whole reads`, or `none` where too few reads run through the whole molecule.
    """

    sequence: str
    reads: int
    edits: tuple[Edit, ...]
    method: str

    @property
    def distance(self) -> int:
        """Edit distance that the edits add up to."""
        return sum(item.distance for item in self.edits)


NONE: Final = Consensus("", 0, (), "none")


def build_consensus(
    reference: Reference, laid: Sequence[Laid], pile: Pile, *, most_reads: int = MOST_CONSENSUS_READS
) -> Consensus:
    """Partial-order consensus of the best whole reads, half from either strand, all cut open at one place.

    The same reads in the same order give the same consensus.
    **Source** Lee, Grasso & Sharlow 2002, Bioinformatics 18:452; abPOA, Gao et al. 2021, Bioinformatics 37:2209.
    """
    anchor = _anchor(reference, pile) if reference.circular else 0
    chosen = _whole_reads(reference, laid, anchor, most_reads)
    if len(chosen) < 3:
        return NONE
    text = _partial_order(chosen)
    opened = reference.sequence[anchor:] + reference.sequence[:anchor]
    edits = tuple(
        sorted(
            (Edit((item.site + anchor) % len(reference), item.before, item.after) for item in compare(opened, text)),
            key=lambda item: (item.site, item.before, item.after),
        )
    )
    return Consensus(
        _from_first_base(reference, anchor, text, edits), len(chosen), edits, "partial order of whole reads"
    )


def _anchor(reference: Reference, pile: Pile) -> int:
    """The site about which the reads agree best with the reference, over `ANCHOR_SPAN` on either side."""
    size = len(reference)
    right = np.zeros(size, dtype=np.float64)
    known = reference.codes < 4
    sites = np.arange(size)
    right[known] = pile.bases.sum(axis=0)[sites[known], reference.codes[known]]
    clean = right - pile.deleted.sum(axis=0) - pile.inserted.sum(axis=0)
    clean[reference.run_sites] -= pile.depth.mean()
    ring = np.concatenate([clean[-ANCHOR_SPAN:], clean, clean[:ANCHOR_SPAN]])
    sums = np.concatenate([[0.0], np.cumsum(ring)])
    return int(np.argmax(sums[2 * ANCHOR_SPAN + 1 :] - sums[: -2 * ANCHOR_SPAN - 1]))


def _whole_reads(reference: Reference, laid: Sequence[Laid], anchor: int, most: int) -> list[str]:
    """Reads that run through the whole molecule, in the reference's direction from the anchor on; the best first."""
    found: list[tuple[float, int, int, str]] = []
    for index, item in enumerate(laid):
        opened = _opened(reference, item, anchor) if reference.circular else _whole_line(reference, item)
        if opened:
            right = sum(segment.matches for segment in item.segments)
            columns = sum(segment.columns for segment in item.segments)
            found.append((-right / columns, index, item.segments[0].strand, opened))
    if not found:
        return []
    # Molecules of the commonest length: a read with a piece missing would only add noise.
    middle = float(np.median([len(item[3]) for item in found]))
    found = sorted(item for item in found if abs(len(item[3]) - middle) <= 0.05 * middle)
    strands = [[item for item in found if item[2] == strand] for strand in (1, -1)]
    taken: list[tuple[float, int, int, str]] = []
    for pair in range(max(len(strands[0]), len(strands[1]))):
        taken += [strand[pair] for strand in strands if pair < len(strand)]
    return [item[3] for item in taken[:most]]


def _opened(reference: Reference, item: Laid, anchor: int) -> str:
    """A read that runs once around, cut open at the anchor; "" for any other read."""
    if not item.segments:
        return ""
    size, first, last = len(reference), item.segments[0], item.segments[-1]
    read = item.read.sequence
    if first.strand != last.strand or first.read_start >= CLIP or len(read) - last.read_end >= CLIP:
        return ""
    begin = first.start if first.strand > 0 else first.end
    end = last.end if last.strand > 0 else last.start
    shift = ((end - begin) * first.strand + size // 2) % size - size // 2
    if abs(shift) > 50 or item.crossed > MULTIMER * size or item.crossed < 0.3 * size:
        return ""
    for segment in item.segments:
        for site in (anchor, anchor + size):
            if segment.strand == first.strand and segment.start <= site < segment.end:
                return _cut(read, first, last, read_position(segment, site))
    return ""


def _cut(read: str, first: Segment, last: Segment, at: int) -> str:
    start, end = first.read_start, last.read_end
    if first.strand > 0:
        return read[at:end] + read[start:at]
    # `at` is the base that comes first in the other direction.
    return reverse_complement(read[start : at + 1]) + reverse_complement(read[at + 1 : end])


def _whole_line(reference: Reference, item: Laid) -> str:
    if not item.segments:
        return ""
    first, last = item.segments[0], item.segments[-1]
    low = min(segment.start for segment in item.segments)
    high = max(segment.end for segment in item.segments)
    if first.strand != last.strand or low > CLIP or high < len(reference) - CLIP:
        return ""
    text = item.read.sequence[first.read_start : last.read_end]
    # What the alignment leaves off at the reference's ends is taken from the reference.
    middle = text if first.strand > 0 else reverse_complement(text)
    return reference.sequence[:low] + middle + reference.sequence[high:]


def _partial_order(sequences: list[str]) -> str:
    make: Any = reads_package("pyabpoa").msa_aligner
    result = make(aln_mode="g").msa(sequences, out_cons=True, out_msa=False)
    return str(result.cons_seq[0])


def _from_first_base(reference: Reference, anchor: int, text: str, edits: Sequence[Edit]) -> str:
    """The consensus turned back so that it begins where the reference does."""
    if anchor == 0:
        return text
    size = len(reference)
    shift = sum(len(item.after) - len(item.before) for item in edits if (item.site - anchor) % size < size - anchor)
    cut = size - anchor + shift
    return text[cut:] + text[:cut]


def compare(reference: str, other: str) -> list[Edit]:
    """The edits that turn `reference` into `other`: exact words anchor, an affine alignment fills between them.

    Insertions and deletions stand as far left as they can.
    """
    edits: list[Edit] = []
    at_reference = at_other = 0
    for site, place, length in [*_anchors(reference, other), (len(reference), len(other), 0)]:
        edits += _block(reference, at_reference, site, other, at_other, place)
        at_reference, at_other = site + length, place + length
    return [_left(reference, item) for item in edits]


def _anchors(reference: str, other: str) -> list[tuple[int, int, int]]:
    """Stretches that both have exactly, in one order: (site, place, length)."""
    first = _unique_words(reference)
    pairs = sorted((first[word], place) for word, place in _unique_words(other).items() if word in first)
    # The longest rising chain (patience) of words that each side has once.
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_site, place) in enumerate(pairs):
        at = bisect.bisect_left(tails, place)
        before.append(ends[at - 1] if at else -1)
        if at == len(tails):
            tails.append(place)
            ends.append(index)
        else:
            tails[at], ends[at] = place, index
    chain: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    found: list[tuple[int, int, int]] = []
    for site, place in reversed(chain):
        if found:
            last_site, last_place, length = found[-1]
            if site - last_site == place - last_place and site <= last_site + length:
                found[-1] = (last_site, last_place, site - last_site + WORD)
                continue
            overlap = max(last_site + length - site, last_place + length - place, 0)
            if overlap >= WORD:
                continue
            site, place, rest = site + overlap, place + overlap, WORD - overlap
            found.append((site, place, rest))
            continue
        found.append((site, place, WORD))
    return found


def _unique_words(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    twice: set[str] = set()
    for place in range(len(text) - WORD + 1):
        word = text[place : place + WORD]
        if word in found:
            twice.add(word)
        found[word] = place
    return {word: place for word, place in found.items() if word not in twice}


def _block(reference: str, start: int, end: int, other: str, low: int, high: int) -> list[Edit]:
    before, after = reference[start:end], other[low:high]
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    before, after, start = before[head:], after[head:], start + head
    tail = 0
    while tail < min(len(before), len(after)) and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    if tail:
        before, after = before[:-tail], after[:-tail]
    if not before and not after:
        return []
    if not before or not after or len(before) * len(after) > LARGEST_BLOCK:
        return [Edit(start, before, after)]
    return _affine(before, after, start)


def _affine(before: str, after: str, start: int) -> list[Edit]:
    from Bio.Align import PairwiseAligner

    make: Any = PairwiseAligner
    aligner = make(mode="global", match_score=2, mismatch_score=-4, open_gap_score=-6, extend_gap_score=-0.5)
    if set(before) & set(IUPAC):
        aligner.substitution_matrix = _scores()
    alignment = next(iter(aligner.align(before, after)))
    edits: list[Edit] = []
    at_before = at_after = 0
    for (b0, b1), (a0, a1) in [*zip(*alignment.aligned, strict=True), ((len(before),) * 2, (len(after),) * 2)]:
        if b0 > at_before or a0 > at_after:
            edits.append(Edit(start + at_before, before[at_before:b0], after[at_after:a0]))
        edits += [
            Edit(start + int(b0) + step, before[b0 + step], after[a0 + step])
            for step in range(int(b1 - b0))
            if before[b0 + step] != after[a0 + step]
        ]
        at_before, at_after = int(b1), int(a1)
    return edits


@cache
def _scores() -> Any:
    """Matches where a letter of the reference allows the base."""
    from Bio.Align.substitution_matrices import Array

    make: Any = Array
    letters = "ACGT" + IUPAC
    scores = make(letters, dims=2)
    for one in letters:
        for other in letters:
            scores[one, other] = 2.0 if other in ALLOWED.get(one, one) else -4.0
    return scores


def _left(reference: str, edit: Edit) -> Edit:
    site, before, after = edit.site, edit.before, edit.after
    if before and after:
        return edit
    text = before or after
    while site > 0 and reference[site - 1] == text[-1]:
        text = text[-1] + text[:-1]
        site -= 1
    return Edit(site, text if before else "", text if after else "")
