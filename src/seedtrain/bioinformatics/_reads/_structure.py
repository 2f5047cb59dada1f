"""Insertions, deletions and junctions from split reads and long gaps; multimers; reads of something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from seedtrain.bioinformatics._reads._align import Laid, Segment, oriented
from seedtrain.bioinformatics._reads._pile import BREAK_SPAN, LONG_INDEL, OWN_CHANGE, Pile
from seedtrain.bioinformatics._reads._reference import Bytes, Reference
from seedtrain.bioinformatics._reads._statistics import poisson_tail, wilson

CLIP: Final = {"nanopore": 100, "pacbio": 100, "illumina": 30}
"""Bases at a read's end that lie nowhere on the reference, from which on the end is a break; adapters are shorter."""
WINDOW: Final = 25
"""Bases within which two reads show the same break point."""
FEWEST_READS: Final = 3
ALPHA: Final = 0.001
MULTIMER: Final = 1.15
"""Turns of a circle that one read runs, from which on its molecule is more than a monomer."""
MONOMER: Final = 0.9
"""Turns from which on a read can tell."""
SHORTEST_TELLING: Final = {"nanopore": 200, "pacbio": 200, "illumina": 50}
"""Bases of a read below which minimap2 finds no seeds reliably: such a read is counted apart."""
ALIGNED: Final = 0.5
"""Share of a read that must lie on the reference for it to be the clone's."""
OWN_BASES: Final = 0.9
"""Share of inserted bases that must be a homopolymer's own to lengthen it; the others are errors of the read."""
SEEN: Final = 0.85
"""Share of the molecules with an insertion that minimap2 shows as split (676 of 800 reads in a simulation)."""


@dataclass(frozen=True)
class Break:
    """One read's departure from the reference: `kind` insertion, deletion, junction or clip; `read` its index.

    - `site`, `other`: break points on the reference from 0; `size`: bases inserted or deleted (0: unknown).
    - `read_span`: where on the read the inserted bases lie.
    """

    kind: str
    site: int
    other: int
    size: int
    strand: int
    read: int
    read_span: tuple[int, int]


@dataclass(frozen=True)
class Structure:
    """Reads that agree on one difference: how many, of how many that cover the place, with a 95 % interval."""

    kind: str
    site: int
    other: int
    size: int
    reads: int
    strands: tuple[int, int]
    spanning: int
    fraction: float
    interval: tuple[float, float]
    p_value: float
    members: tuple[Break, ...] = ()


@dataclass(frozen=True)
class Shares:
    """Reads and bases by what they are; reads under `SHORTEST_TELLING` only as `short`."""

    clone_reads: int
    clone_bases: int
    foreign_reads: int
    foreign_bases: int
    short_reads: int
    effective_reads: float
    known: dict[str, int]

    @property
    def foreign_fraction(self) -> float:
        """Share of the telling bases that are not the clone's, known others included."""
        total = self.clone_bases + self.foreign_bases
        return self.foreign_bases / total if total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % of it, from the number of reads that carry the same information (Kish 1965)."""
        return wilson(self.foreign_fraction * self.effective_reads, self.effective_reads)


def is_clone(item: Laid) -> bool:
    """Whether enough of a read lies on the reference."""
    return item.aligned >= ALIGNED * len(item.read.sequence)


def is_related(item: Laid) -> bool:
    """Whether a read begins or ends in the clone: at least 300 bases of it lie there."""
    return is_clone(item) or item.aligned >= 300


def share_out(
    laid: Sequence[Laid], others: Sequence[tuple[str, str | Path]] = (), platform: str = "nanopore"
) -> Shares:
    """Clone, foreign and too short; foreign reads are laid on the known `others` (name, sequence or FASTA file)."""
    from seedtrain.bioinformatics._reads._align import lay, make_aligner

    telling = [item for item in laid if len(item.read.sequence) >= SHORTEST_TELLING[platform]]
    foreign = [item for item in telling if not is_related(item)]
    sizes = np.array([len(item.read.sequence) for item in telling], dtype=np.float64)
    known: dict[str, int] = {}
    rest = foreign
    for name, sequence in others:
        aligner = make_aligner(sequence, platform)
        back = []
        for item in rest:
            if is_clone(lay(aligner, item.read)):
                known[name] = known.get(name, 0) + len(item.read.sequence)
            else:
                back.append(item)
        known.setdefault(name, 0)
        rest = back
    foreign_bases = sum(len(item.read.sequence) for item in foreign)
    return Shares(
        clone_reads=len(telling) - len(foreign),
        clone_bases=int(sizes.sum()) - foreign_bases,
        foreign_reads=len(foreign),
        foreign_bases=foreign_bases,
        short_reads=len(laid) - len(telling),
        effective_reads=float(sizes.sum() ** 2 / (sizes**2).sum()) if len(sizes) else 0.0,
        known=known,
    )


def multimers(reference: Reference, laid: Sequence[Laid]) -> tuple[int, int]:
    """Reads that run more than `MULTIMER` turns, and reads that run `MONOMER` turns or more."""
    if not reference.circular:
        return 0, 0
    turns = np.array([item.crossed / len(reference) for item in laid if item.segments])
    return int((turns >= MULTIMER).sum()), int((turns >= MONOMER).sum())


def breaks_of(reference: Reference, laid: Sequence[Laid], platform: str = "nanopore") -> Iterator[Break]:
    """Every departure of every read, in the order of the reads."""
    for index, item in enumerate(laid):
        if not item.segments:
            continue
        for segment in item.segments:
            yield from _gaps(reference, item, segment, index)
        for first, second in zip(item.segments, item.segments[1:], strict=False):
            found = _between(reference, first, second, index)
            if found is not None:
                yield found
        yield from _clips(reference, item, index, CLIP[platform])


def _gaps(reference: Reference, item: Laid, segment: Segment, index: int) -> Iterator[Break]:
    size = len(reference)
    long = (segment.cigar[:, 1] >= 1) & (segment.cigar[:, 0] >= LONG_INDEL)
    if not long.any():
        return
    length, code = segment.cigar[:, 0], segment.cigar[:, 1]
    on_reference = np.where(code != 1, length, 0)
    on_read = np.where(code <= 1, length, 0)
    at = segment.start + np.cumsum(on_reference) - on_reference
    read_at = np.cumsum(on_read) - on_read
    codes, _quality = oriented(item.read, segment)
    for place in np.flatnonzero(long):
        start, many = int(at[place]), int(length[place])
        added = codes[read_at[place] : read_at[place] + many] if code[place] == 1 else None
        if changes_run(reference, start, many, added):
            continue  # judged as such
        if segment.strand > 0:
            span = segment.read_start + int(read_at[place])
        else:
            span = segment.read_end - int(read_at[place]) - (many if code[place] == 1 else 0)
        if code[place] == 1:
            yield Break("insertion", start % size, start % size, many, segment.strand, index, (span, span + many))
        else:
            yield Break("deletion", start % size, (start + many) % size, many, segment.strand, index, (span, span))


def changes_run(reference: Reference, at: int, many: int, added: Bytes | None) -> bool:
    """Whether a gap of `many` bases at `at` changes a homopolymer's length and nothing else.

    - `added`: the inserted bases; none for a deletion, which must lie in the homopolymer from end to end.
    """
    site = at % len(reference)
    if not reference.run_sites[site] or many > OWN_CHANGE:
        return False
    if added is not None:
        return bool(np.mean(added == reference.codes[site]) >= OWN_BASES)
    gone = reference.codes[np.arange(at, at + many) % len(reference)]
    return bool((gone == reference.codes[site]).all())


def _between(reference: Reference, first: Segment, second: Segment, index: int) -> Break | None:
    """What lies between two segments that follow one another on the read."""
    size = len(reference)
    read_gap = second.read_start - first.read_end
    span = (min(first.read_end, second.read_start), max(first.read_end, second.read_start))
    if first.strand != second.strand:
        leave = first.end if first.strand > 0 else first.start
        enter = second.start if second.strand > 0 else second.end
        low, high = sorted((leave % size, enter % size))
        return Break("junction", low, high, 0, first.strand, index, span)
    if first.strand > 0:
        site, gap = first.end, second.start - first.end
    else:
        site, gap = second.end, first.start - second.end
    if reference.circular:
        gap = (gap + size // 2) % size - size // 2
    net = read_gap - gap
    if abs(net) < LONG_INDEL or (gap > 0 and read_gap > 0 and abs(net) < 0.2 * max(gap, read_gap)):
        return None
    if net > 0:
        return Break("insertion", site % size, (site + gap) % size, net, first.strand, index, span)
    return Break("deletion", site % size, (site + gap) % size, -net, first.strand, index, span)


def _clips(reference: Reference, item: Laid, index: int, least: int) -> Iterator[Break]:
    """Ends that lie nowhere; not where the unrolled circle itself ends, which is an end of the method."""
    if not is_related(item):
        return
    size, length = len(reference), len(item.read.sequence)
    first, last = item.segments[0], item.segments[-1]

    def unrolled_end(site: int) -> bool:
        return reference.circular and not WINDOW < site < len(reference.unrolled) - WINDOW

    site = first.start if first.strand > 0 else first.end
    if first.read_start >= least and not unrolled_end(site):
        yield Break("clip", site % size, site % size, 0, first.strand, index, (0, first.read_start))
    site = last.end if last.strand > 0 else last.start
    if length - last.read_end >= least and not unrolled_end(site):
        yield Break("clip", site % size, site % size, 0, last.strand, index, (last.read_end, length))


def find_structures(reference: Reference, found: Sequence[Break], pile: Pile) -> tuple[Structure, ...]:
    """Groups of reads that break at one place more often than chance scatters breaks; ordered by site."""
    size = len(reference)
    accepted: list[Structure] = []
    clips = [item for item in found if item.kind == "clip"]
    for kind in ("insertion", "deletion", "junction", "clip"):
        mine = [item for item in found if item.kind == kind]
        groups = list(_groups(mine, size))
        for group in groups:
            if len(group) < FEWEST_READS:
                continue
            site, other = _middle([item.site for item in group], size), _middle([item.other for item in group], size)
            if kind == "clip" and any(_near(site, one, size) for item in accepted for one in (item.site, item.other)):
                continue  # reads that end inside an insertion already counted
            scattered = len(mine) - len(group) + 1
            chance = poisson_tail(len(group), scattered * (2 * WINDOW + 1) / size) * max(1, len(groups))
            if chance > ALPHA:
                continue
            # Reads that begin or end inside what is inserted, or behind a junction, show the same molecule.
            ends = [] if kind == "clip" else [item for item in clips if _at(item.site, (site, other), size)]
            accepted.append(_structure(kind, site, other, group, ends, pile, chance))
    return tuple(sorted(accepted, key=lambda item: (item.site, item.kind)))


def _structure(
    kind: str, site: int, other: int, group: list[Break], ends: list[Break], pile: Pile, chance: float
) -> Structure:
    size = len(pile.spanning)
    readers = len({item.read for item in (*group, *ends)})
    middle = (site + ((other - site) % size) // 2) % size if kind == "deletion" else site
    spanning = int(pile.spanning[middle % size])
    low, high = wilson(readers, readers + spanning)
    return Structure(
        kind,
        site,
        other,
        int(np.median([item.size for item in group])),
        readers,
        (
            len({item.read for item in (*group, *ends) if item.strand > 0}),
            len({item.read for item in (*group, *ends) if item.strand < 0}),
        ),
        spanning,
        readers / (readers + spanning),
        (low, high),
        min(1.0, chance),
        tuple(group),
    )


def _groups(items: list[Break], size: int) -> Iterator[list[Break]]:
    """Single linkage along the circle by break point, then by size."""
    if not items:
        return
    ordered = sorted(items, key=lambda item: (item.site, item.size, item.read))
    chains: list[list[Break]] = [[ordered[0]]]
    for item in ordered[1:]:
        if item.site - chains[-1][-1].site <= WINDOW:
            chains[-1].append(item)
        else:
            chains.append([item])
    if len(chains) > 1 and ordered[0].site + size - ordered[-1].site <= WINDOW:
        chains[0] = chains.pop() + chains[0]
    for chain in chains:
        by_size = sorted(chain, key=lambda item: (item.size, item.site, item.read))
        group = [by_size[0]]
        for item in by_size[1:]:
            near_size = item.size - group[-1].size <= LONG_INDEL + 0.15 * group[-1].size
            if near_size and (item.kind != "junction" or _near(item.other, group[-1].other, size)):
                group.append(item)
            else:
                yield group
                group = [item]
        yield group


def _at(site: int, places: tuple[int, int], size: int) -> bool:
    return any(min((site - place) % size, (place - site) % size) <= WINDOW for place in places)


def _near(one: int, other: int, size: int) -> bool:
    gap = abs(one - other) % size
    return min(gap, size - gap) <= WINDOW + BREAK_SPAN


def _middle(sites: list[int], size: int) -> int:
    """The median of sites that may lie on both sides of the origin."""
    anchor = sites[0]
    shifted = sorted((site - anchor + size // 2) % size for site in sites)
    return (shifted[len(shifted) // 2] + anchor - size // 2) % size


def structure_detection_limit(found: Sequence[Break], spanning: int, size: int, power: float = 0.95) -> float:
    """The least fraction of molecules with one new break point that would be found with probability `power`."""
    from scipy.stats import binom

    if spanning < FEWEST_READS:
        return 1.0
    mean = (len(found) + 1) * (2 * WINDOW + 1) / size
    count = FEWEST_READS
    while poisson_tail(count, mean) * max(1, len(found)) > ALPHA:
        count += 1
    low, high = 0.0, 1.0
    if float(binom.sf(count - 1, spanning, SEEN)) < power:
        return 1.0
    for _each in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if float(binom.sf(count - 1, spanning, middle * SEEN)) >= power else (middle, high)
    return high
