"""Traces laid on the reference: what each says of every site, small differences, breaks and mixed peaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.bioinformatics._reads._align import Laid, Segment, lay, make_aligner, oriented
from seedtrain.bioinformatics._reads._pile import LONG_INDEL
from seedtrain.bioinformatics._reads._reference import ALLOWED, Ints, Reference
from seedtrain.bioinformatics._reads._source import Read
from seedtrain.bioinformatics._reads._structure import Break, breaks_of, changes_run
from seedtrain.bioinformatics._reads._trace import Floats, Trace

_COMPLEMENT: Final = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True)
class Word:
    """What one trace says against the reference at one site: `before` reads `after`, at this Phred quality."""

    site: int
    before: str
    after: str
    quality: int
    trace: int


@dataclass(frozen=True)
class Mixed:
    """A second peak: its letter on the reference's strand, and its height over the called one's."""

    site: int
    base: str
    ratio: float
    trace: int


@dataclass(frozen=True)
class LaidTrace:
    """One trace on the reference, or nowhere (no segments).

    - `sites`, `qualities`: reference sites that it confirms, with the Phred quality; shape "site" of this trace.
    - `reach`: sites that it runs over, confirmed or not. `coded`: letters of the reference that allow several bases, by
      site, and the allowed base that it shows there.
    """

    trace: Trace
    laid: Laid
    sites: Ints
    qualities: Ints
    reach: Ints
    words: tuple[Word, ...]
    mixed: tuple[Mixed, ...]
    breaks: tuple[Break, ...]
    detectable: float
    coded: tuple[tuple[int, str], ...]

    @property
    def identity(self) -> float:
        """Identical bases per column; 0 where it lies nowhere."""
        columns = sum(item.columns for item in self.laid.segments)
        return sum(item.matches for item in self.laid.segments) / columns if columns else 0.0


def lay_traces(reference: Reference, traces: Sequence[Trace], mixed: float) -> tuple[LaidTrace, ...]:
    """Each trace's good stretch with minimap2; second peaks from `mixed` on count where the trace can show them."""
    aligner = make_aligner(reference.unrolled, "nanopore")
    return tuple(_laid(reference, aligner, trace, index, mixed) for index, trace in enumerate(traces))


def detectable_ratio(trace: Trace) -> float:
    """The least height of a second peak that stands out of this trace: twice the 99th percentile, at least 0.1.

    On four public traces of ABI 3100 and 3730 sequencers the percentile was 0.06 to 0.10.
    """
    ratios = trace.ratio[trace.start : trace.end]
    return max(0.1, 2 * float(np.percentile(ratios, 99))) if len(ratios) else 1.0


def _laid(reference: Reference, aligner: object, trace: Trace, index: int, mixed: float) -> LaidTrace:
    quality = trace.quality[trace.start : trace.end]
    text = (np.minimum(quality, 93) + 33).astype(np.uint8).tobytes().decode("ascii")
    bases = "".join(base if base in "ACGT" else "N" for base in trace.good)
    laid = lay(aligner, Read(trace.name, bases, text))
    confirmed: list[tuple[Ints, Ints]] = []
    reach: list[Ints] = []
    words: list[Word] = []
    peaks: list[Mixed] = []
    coded: list[tuple[int, str]] = []
    least = detectable_ratio(trace)
    for segment in laid.segments:
        right, wrong, seen, letters = _walk(reference, laid.read, segment, index)
        confirmed.append(right)
        words += wrong
        coded += letters
        peaks += _mixed(reference, trace, segment, seen, max(mixed, least), index)
        reach.append(np.arange(segment.start, segment.end) % len(reference))
    empty = np.zeros(0, dtype=np.int64)
    return LaidTrace(
        trace,
        laid,
        np.concatenate([item[0] for item in confirmed] or [empty]),
        np.concatenate([item[1] for item in confirmed] or [empty]),
        np.unique(np.concatenate(reach or [empty])),
        tuple(words),
        tuple(peaks),
        tuple(breaks_of(reference, [laid], "illumina")),
        least,
        tuple(coded),
    )


def _walk(
    reference: Reference, read: Read, segment: Segment, index: int
) -> tuple[tuple[Ints, Ints], list[Word], tuple[Ints, Ints], list[tuple[int, str]]]:
    """Confirmed sites with their qualities, differences, which base of the read stands at which site, and what stands
    at letters of the reference that allow several bases."""
    codes, phred = oriented(read, segment)
    assert phred is not None
    quality, size = phred.astype(np.int64), len(reference)
    at, here = segment.start, 0
    sites: list[Ints] = []
    bases: list[Ints] = []
    words: list[Word] = []
    for many, code in segment.cigar.tolist():
        if code == 0:
            sites.append(np.arange(at, at + many))
            bases.append(np.arange(here, here + many))
        elif many < LONG_INDEL or changes_run(reference, at, many, codes[here : here + many] if code == 1 else None):
            low = int(quality[max(0, here - 1) : here + (many if code == 1 else 0) + 1].min())
            after = "".join("ACGTN"[item] for item in codes[here : here + many]) if code == 1 else ""
            before = "" if code == 1 else _letters(reference, at, many)
            words.append(_leftmost(reference, Word(at, before, after, low, index)))
        at += many if code != 1 else 0
        here += many if code <= 1 else 0
    on = np.concatenate(sites) if sites else np.zeros(0, dtype=np.int64)
    off = np.concatenate(bases) if bases else np.zeros(0, dtype=np.int64)
    same = codes[off] == reference.codes[on % size]
    coded: list[tuple[int, str]] = []
    for place in np.flatnonzero(~same & (codes[off] < 4)).tolist():
        before, after = reference.sequence[on[place] % size], "ACGT"[codes[off[place]]]
        if after in ALLOWED.get(before, ""):
            same[place] = True
            coded.append((int(on[place]) % size, after))
            continue
        words.append(Word(int(on[place]) % size, before, after, int(quality[off[place]]), index))
    return (on[same] % size, quality[off[same]]), words, (on, off), coded


def _letters(reference: Reference, at: int, many: int) -> str:
    return "".join(reference.sequence[item % len(reference)] for item in range(at, at + many))


def _leftmost(reference: Reference, word: Word) -> Word:
    """The same insertion or deletion as far to the left as it goes, so that both strands write it alike."""
    text, size, site = word.before or word.after, len(reference), word.site
    for _each in range(size):
        if not reference.circular and site == 0:
            break
        left = reference.sequence[(site - 1) % size]
        if left != text[-1]:
            break
        text, site = left + text[:-1], site - 1
    return Word(site % size, text if word.before else "", "" if word.before else text, word.quality, word.trace)


def _mixed(
    reference: Reference, trace: Trace, segment: Segment, seen: tuple[Ints, Ints], least: float, index: int
) -> Iterator[Mixed]:
    start, end = trace.start + segment.read_start, trace.start + segment.read_end
    ratio: Floats = trace.ratio[start:end]
    second = trace.second[start:end]
    if segment.strand < 0:
        ratio, second = ratio[::-1], second[::-1].translate(_COMPLEMENT)
    on, off = seen
    for place in np.flatnonzero(ratio[off] >= least).tolist():
        yield Mixed(int(on[place]) % len(reference), second[int(off[place])], float(ratio[off[place]]), index)
