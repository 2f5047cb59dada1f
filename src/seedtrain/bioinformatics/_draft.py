"""A first gene, built codon by codon so that it respects every limit that reaches back over what is already written.

DNA Chisel mends a sequence place by place. For a protein of identical repeats that ends in poor codons, because each
mend is blind to the other copies; a beam search that writes from the start sees them all.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.bioinformatics._hosts import IUPAC, Forbidden, Host, reverse_complement

BEAM_WIDTHS: Final = (40, 80, 160)
"""Drafts kept in each try; a limit is relaxed only after the last of them is stuck."""
DISTINCT_END: Final = 15
"""Nucleotides; two drafts that end alike are one, so that the beam keeps room to turn."""
JITTER: Final = 0.1


@dataclass(frozen=True)
class Limits:
    """What a draft must respect: GC fractions of `window` nucleotides, longest repeat and run in nucleotides.

    A gene shorter than one window has no limit of GC.
    """

    window: int
    gc_low: float
    gc_high: float
    longest_repeat: int
    longest_homopolymer: int
    forbidden: tuple[Forbidden, ...]


@dataclass(frozen=True)
class DeadEnd:
    """No codon fits: at which residue of the protein (from 1), and how often each limit refused one."""

    residue: int
    refused: Mapping[str, int]

    @property
    def reason(self) -> str:
        """The limit that refused most: gc_low, gc_high, repeat, homopolymer or the name of a pattern."""
        return max(sorted(self.refused), key=lambda name: self.refused[name])


def draft(encoded: str, host: Host, limits: Limits, seed: Sequence[int]) -> str | DeadEnd:
    """A coding sequence with its stop for `encoded` (starts with M), or where and why the search stuck.

    The sum of ln w over the codons is what it seeks to raise; in the host's first `start.nucleotides`, A and T first.
    """
    found: str | DeadEnd = DeadEnd(1, {"repeat": 0})
    for attempt, width in enumerate(BEAM_WIDTHS):
        found = _Beam(encoded, host, limits, np.random.default_rng([*seed, attempt])).search(width)
        if isinstance(found, str):
            return found
    return found


class _Beam:
    def __init__(self, encoded: str, host: Host, limits: Limits, random: np.random.Generator) -> None:
        assert encoded.startswith("M")
        self.encoded = encoded
        self.host = host
        self.limits = limits
        self.gc_low = math.ceil(limits.gc_low * limits.window - 1e-9)
        self.gc_high = math.floor(limits.gc_high * limits.window + 1e-9)
        self.word = limits.longest_repeat + 1
        self.patterns = tuple((item.name, _expression(item)) for item in limits.forbidden)
        run = rf"([ACGT])\1{{{limits.longest_homopolymer}}}"
        self.any = re.compile("|".join((run, *(item.pattern for _name, item in self.patterns))))
        self.longest = max(limits.longest_homopolymer + 3, *(len(item.pattern) + 2 for item in limits.forbidden), 0)
        # Another seed gives another gene of nearly the same worth, for whom the first one fails in the cell.
        self.jitter = random.normal(0.0, JITTER, size=(len(encoded) + 1, 6))

    def search(self, width: int) -> str | DeadEnd:
        states: list[tuple[float, str]] = [(0.0, "ATG")]
        for index, letter in enumerate(self.encoded[1:] + "*", start=1):
            codons = (self.host.stop,) if letter == "*" else self.host.usable(letter)
            refused: Counter[str] = Counter()
            longer: list[tuple[float, str]] = []
            for score, written in states:
                for rank, codon in enumerate(codons):
                    candidate = written + codon
                    reason = self._refusal(candidate)
                    if reason:
                        refused[reason] += 1
                    else:
                        longer.append((score + self._gain(codon, index) + self.jitter[index, rank], candidate))
            if not longer:
                return DeadEnd(index + 1, refused)
            states = _best(longer, width)
        return states[0][1]

    def _gain(self, codon: str, index: int) -> float:
        preference = math.log(self.host.weights[codon])
        if 3 * index < self.host.start.nucleotides:
            weak = codon.count("A") + codon.count("T")
            return self.host.start.codon_weight * preference + self.host.start.at_weight * weak
        return preference

    def _refusal(self, dna: str) -> str:
        """The limit that the last codon of `dna` breaks, or nothing."""
        tail = max(0, len(dna) - self.longest)
        if self.any.search(dna, tail):
            return next((name for name, item in self.patterns if item.search(dna, tail)), "homopolymer")
        begin = len(dna) - self.word
        shared = dna[begin:-2]  # by the words that end in the last codon: where it is new, they are
        new = begin < 0 or (dna.find(shared) == begin and reverse_complement(shared) not in dna)
        for end in range(len(dna) - 2, len(dna) + 1):
            start = end - self.limits.window
            if start >= 0:
                count = dna.count("G", start, end) + dna.count("C", start, end)
                if count < self.gc_low:
                    return "gc_low"
                if count > self.gc_high:
                    return "gc_high"
            if not new and end >= self.word and self._stands_elsewhere(dna, end):
                return "repeat"
        return ""

    def _stands_elsewhere(self, dna: str, end: int) -> bool:
        """Whether the word before `end` is in `dna` once more, on either strand."""
        word = dna[end - self.word : end]
        return dna.find(word) < end - self.word or reverse_complement(word) in dna


def _best(states: list[tuple[float, str]], width: int) -> list[tuple[float, str]]:
    states.sort(key=lambda state: (-state[0], state[1]))
    kept: list[tuple[float, str]] = []
    ends: set[str] = set()
    for state in states:
        end = state[1][-DISTINCT_END:]
        if end not in ends:
            ends.add(end)
            kept.append(state)
            if len(kept) == width:
                break
    return kept


def _expression(item: Forbidden) -> re.Pattern[str]:
    words = [item.pattern] if item.strands == "forward" else [item.pattern, reverse_complement(item.pattern)]
    return re.compile("|".join("".join(IUPAC[letter] for letter in word) for word in dict.fromkeys(words)))
