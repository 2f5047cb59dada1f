"""What the reads say at each site, strand by strand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.bioinformatics._reads._align import Laid, Segment, batches, oriented
from seedtrain.bioinformatics._reads._reference import Ints, Reference

LEAST_QUALITY: Final = 10
"""Phred quality under which a base is no evidence for a substitution (one error in ten)."""
LONG_INDEL: Final = 20
"""Bases of one insertion or deletion from which it is a matter of structure, not of a site."""
RUN_SPAN: Final = 4
"""Bases on either side of a homopolymer that a read must cover to measure it."""
MOST_CHANGE: Final = 250
"""Largest change of a homopolymer's length that is told apart from the next: a poly-A may lose most of itself."""
OWN_CHANGE: Final = 40
"""Bases up to which a gap inside a homopolymer is a change of its length alone, and no matter of structure."""
BREAK_SPAN: Final = 25
"""Bases on either side of a site that a read must cover without a break to span it."""


@dataclass(frozen=True)
class Pile:
    """Counts by strand (0 forward, 1 reverse).

    - `bases`: shape (strand, site, A C G T), bases of `LEAST_QUALITY` or better; `deleted`, `covered`: shape
      (strand, site); `inserted`: reads with an insertion before the site, shape (strand, site).
    - `run_changes`: shape (strand, run, change of length + `MOST_CHANGE`); `spanning`: shape "site", reads that
      cross the site unbroken; `inserted` leaves out what only lengthens a homopolymer.
    """

    bases: Ints
    deleted: Ints
    inserted: Ints
    covered: Ints
    run_changes: Ints
    spanning: Ints

    @property
    def depth(self) -> Ints:
        """Reads over each site, both strands; shape "site"."""
        total: Ints = self.covered.sum(axis=0)
        return total


class _Counter:
    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.size = len(reference)
        self.wide = len(reference.unrolled)
        self.bases = np.zeros(2 * self.wide * 5, dtype=np.int64)
        self.deleted = np.zeros(2 * self.wide, dtype=np.int64)
        self.inserted = np.zeros(2 * (self.wide + 1), dtype=np.int64)
        self.covered = np.zeros(2 * self.wide, dtype=np.int64)
        self.edges = np.zeros(self.wide + 1, dtype=np.int64)
        runs = reference.runs
        self.changes = np.zeros((2, len(runs), 2 * MOST_CHANGE + 1), dtype=np.int64)
        self.run_at = np.full(self.wide + 1, -1, dtype=np.int64)
        self.run_start = np.array([run.start for run in runs], dtype=np.int64)
        self.run_length = np.array([run.length for run in runs], dtype=np.int64)
        self.run_code = np.array(["ACGT".index(run.base) for run in runs], dtype=np.int64)
        for index, run in enumerate(runs):
            for shift in (-self.size, 0, self.size) if reference.circular else (0,):
                start, end = run.start + shift, run.start + shift + run.length
                if end > 0 and start < self.wide:
                    self.run_at[max(start, 0) : min(end, self.wide)] = index

    def add(self, group: Sequence[tuple[Laid, Segment]]) -> None:
        parts = [oriented(laid.read, segment) for laid, segment in group]
        codes = np.concatenate([item[0] for item in parts]).astype(np.int64)
        qualities = [np.full(len(item[0]), 93, dtype=np.uint8) if item[1] is None else item[1] for item in parts]
        good = np.concatenate(qualities) >= LEAST_QUALITY
        operations = np.concatenate([segment.cigar for _laid, segment in group])
        counts = np.array([len(segment.cigar) for _laid, segment in group])
        owner = np.repeat(np.arange(len(group)), counts)
        length, code = operations[:, 0], operations[:, 1]
        on_read = np.where(code <= 1, length, 0)
        on_reference = np.where(code != 1, length, 0)
        read_at = np.cumsum(on_read) - on_read
        before = np.cumsum(on_reference) - on_reference
        starts = np.array([segment.start for _laid, segment in group])
        first = np.cumsum(counts) - counts
        reference_at = before - before[first][owner] + starts[owner]
        strand = np.array([segment.strand < 0 for _laid, segment in group], dtype=np.int64)[owner]
        assert int(on_read.sum()) == len(codes), "the alignments do not consume their reads"
        self._bases(code, length, read_at, reference_at, strand, codes, good)
        self._indels(code, length, read_at, reference_at, strand, codes, owner, group)

    def _bases(self, code: Ints, length: Ints, read_at: Ints, at: Ints, strand: Ints, codes: Ints, good: Any) -> None:
        both = code == 0
        lengths = length[both]
        offset = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        sites = np.repeat(at[both] + strand[both] * self.wide, lengths) + offset
        on_read = np.repeat(read_at[both], lengths) + offset
        kept = np.where(good[on_read], codes[on_read], 4)
        self.bases += np.bincount(sites * 5 + kept, minlength=self.bases.size)
        self.covered += np.bincount(sites, minlength=self.covered.size)

    def _indels(
        self,
        code: Ints,
        length: Ints,
        read_at: Ints,
        at: Ints,
        strand: Ints,
        codes: Ints,
        owner: Ints,
        group: Sequence[tuple[Laid, Segment]],
    ) -> None:
        gone = code == 2
        lengths = length[gone]
        offset = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        sites = np.repeat(at[gone] + strand[gone] * self.wide, lengths) + offset
        self.deleted += np.bincount(sites, minlength=self.deleted.size)
        self.covered += np.bincount(sites, minlength=self.covered.size)
        run = self.run_at[at]
        own = (run >= 0) & (codes[np.minimum(read_at, len(codes) - 1)] == self.run_code_of(run))
        added = (code == 1) & ~own  # a longer homopolymer is counted as such, not as an insertion
        self.inserted += np.bincount(at[added] + strand[added] * (self.wide + 1), minlength=self.inserted.size)
        broken = (code >= 1) & (length >= LONG_INDEL)
        self._edges(group, owner[broken], at[broken], np.where(code[broken] == 2, length[broken], 0))
        if len(self.run_start):
            last = np.minimum(at + np.maximum(length, 1) - 1, self.wide)
            within = (run >= 0) & ((code == 1) | (self.run_at[last] == run))  # of a poly-A, however long
            told = (code >= 1) & ((length < LONG_INDEL) | within)
            self._runs(group, code[told], length[told], read_at[told], at[told], owner[told], codes)

    def run_code_of(self, run: Ints) -> Ints:
        return self.run_code[run] if len(self.run_code) else np.full(len(run), -1, dtype=np.int64)

    def _edges(self, group: Sequence[tuple[Laid, Segment]], owner: Ints, at: Ints, width: Ints) -> None:
        """Unbroken stretches: +1 where one begins (inside its margin), -1 where it ends."""
        starts = np.array([segment.start for _laid, segment in group])
        ends = np.array([segment.end for _laid, segment in group])
        # Each stretch ends at the next break of its segment, or at the segment's end.
        order = np.lexsort((at, owner))
        owner, at, width = owner[order], at[order], width[order]
        low = np.concatenate([starts, at + width]) + BREAK_SPAN
        high = np.concatenate([ends, np.zeros(len(at), dtype=np.int64)])
        for index, (who, where) in enumerate(zip(owner, at, strict=True)):
            last = index + 1 == len(owner) or owner[index + 1] != who
            if index == 0 or owner[index - 1] != who:
                high[who] = where
            high[len(starts) + index] = ends[who] if last else at[index + 1]
        high = high - BREAK_SPAN
        real = high > low
        self.edges += np.bincount(low[real], minlength=self.wide + 1)
        self.edges -= np.bincount(high[real], minlength=self.wide + 1)

    def _runs(
        self,
        group: Sequence[tuple[Laid, Segment]],
        code: Ints,
        length: Ints,
        read_at: Ints,
        at: Ints,
        owner: Ints,
        codes: Ints,
    ) -> None:
        starts = np.array([segment.start for _laid, segment in group])
        ends = np.array([segment.end for _laid, segment in group])
        strands = np.array([segment.strand < 0 for _laid, segment in group], dtype=np.int64)
        shifts = (0, self.size) if self.reference.circular else (0,)
        runs = len(self.run_start)
        for shift in shifts:
            begin = self.run_start + shift
            end = begin + self.run_length
            covers = (starts[:, None] <= begin - RUN_SPAN) & (ends[:, None] >= end + RUN_SPAN)
            run = self.run_at[at]
            inside = (run >= 0) & (at >= shift) & (at < shift + self.size + MOST_CHANGE)
            run = np.where(inside, run, 0)
            inside &= (at >= begin[run]) & (at < end[run]) & covers[owner, run]
            same = (code == 2) | (codes[np.minimum(read_at, len(codes) - 1)] == self.run_code[run])
            inside &= same
            change = np.where(code == 1, length, -np.minimum(length, end[run] - at))
            key = (owner * runs + run)[inside]
            unique, place = np.unique(key, return_inverse=True)
            total = np.bincount(place, weights=change[inside], minlength=len(unique)).astype(np.int64)
            total = np.clip(total, -MOST_CHANGE, MOST_CHANGE)
            who, which = unique // runs, unique % runs
            np.add.at(self.changes, (strands[who], which, total + MOST_CHANGE), 1)
            for strand in (0, 1):
                spans = covers[strands == strand].sum(axis=0)
                changed = np.bincount(which[strands[who] == strand], minlength=runs)
                self.changes[strand, :, MOST_CHANGE] += spans - changed

    def pile(self) -> Pile:
        def folded(values: Ints, width: int) -> Ints:
            shaped = values.reshape(2, -1)[:, : self.wide * width].reshape(2, -1, self.size, width)
            total: Ints = shaped.sum(axis=1)
            return total

        inserted = self.inserted.reshape(2, -1).copy()
        if self.reference.circular:
            inserted[:, 0] += inserted[:, self.wide]
        spanning = np.cumsum(self.edges[:-1]).reshape(-1, self.size).sum(axis=0)
        return Pile(
            bases=folded(self.bases, 5)[:, :, :4],
            deleted=folded(self.deleted, 1)[:, :, 0],
            inserted=folded(inserted[:, : self.wide].reshape(-1), 1)[:, :, 0],
            covered=folded(self.covered, 1)[:, :, 0],
            run_changes=self.changes,
            spanning=spanning,
        )


def pile_up(reference: Reference, laid: Sequence[Laid]) -> Pile:
    """Count bases, deletions, insertions and homopolymer lengths of all segments."""
    counter = _Counter(reference)
    for group in batches(laid):
        counter.add(group)
    return counter.pile()


def identity_of(laid: Sequence[Laid]) -> NDArray[np.float64]:
    """Identical bases per alignment column of each read on the reference; shape "read"."""
    return np.array(
        [
            sum(segment.matches for segment in item.segments) / sum(segment.columns for segment in item.segments)
            for item in laid
            if item.segments
        ],
        dtype=np.float64,
    )
