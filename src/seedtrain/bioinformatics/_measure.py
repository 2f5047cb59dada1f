"""Figures of a DNA sequence, computed here and not by the tool that designs it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from seedtrain.bioinformatics._hosts import IUPAC, reverse_complement

SHORTEST_LOOP: Final = 3
"""Nucleotides; a hairpin's loop is never shorter."""


def gc_fraction(dna: str) -> float:
    """G and C over all nucleotides, 0 to 1."""
    return (dna.count("G") + dna.count("C")) / len(dna)


def gc_windows(dna: str, window: int) -> tuple[float, float]:
    """Lowest and highest GC fraction of any `window` nucleotides; of the whole where it is shorter."""
    width = min(window, len(dna))
    count = dna[:width].count("G") + dna[:width].count("C")
    low = high = count
    for at in range(width, len(dna)):
        count += (dna[at] in "GC") - (dna[at - width] in "GC")
        low, high = min(low, count), max(high, count)
    return low / width, high / width


def longest_repeat(dna: str) -> int:
    """Length in nucleotides of the longest stretch that stands twice, on the same strand or on the other one."""
    low, high = 0, len(dna)
    while high - low > 1:  # a repeat of n holds one of n - 1: bisect
        middle = (low + high) // 2
        if unique_share(dna, middle) < 1.0:
            low = middle
        else:
            high = middle
    return low


def unique_share(dna: str, length: int) -> float:
    """Share of the places whose `length` nucleotides stand nowhere else, on either strand; 0 to 1."""
    words = [min(word, reverse_complement(word)) for word in _words(dna, length)]
    if not words:
        return 1.0
    counts = Counter(words)
    return sum(1 for word in words if counts[word] == 1) / len(words)


def longest_homopolymer(dna: str) -> int:
    """Length in nucleotides of the longest run of one nucleotide."""
    return max((len(found.group()) for found in re.finditer(r"(.)\1*", dna)), default=0)


def longest_stem(dna: str) -> int:
    """Base pairs of the longest perfect hairpin stem: Watson-Crick pairs only, a loop of three or more.

    A crude measure of structure; it is no folding energy.
    """
    best = 0
    for left in range(len(dna)):
        for right in range(left + SHORTEST_LOOP + 1, len(dna)):
            pairs = 0
            while right - left - 2 * pairs > SHORTEST_LOOP and _pair(dna[left + pairs], dna[right - pairs]):
                pairs += 1
            best = max(best, pairs)
    return best


def places(dna: str, pattern: str, *, both: bool) -> tuple[int, ...]:
    """Where an IUPAC `pattern` stands (first nucleotide counts as 1), overlaps included; on `both` strands or one."""
    found = {at + 1 for at in _matches(dna, pattern)}
    if both:
        found |= {at + 1 for at in _matches(dna, reverse_complement(pattern))}
    return tuple(sorted(found))


def internal_starts(dna: str) -> int:
    """In-frame ATG codons after the first that follow a Shine-Dalgarno-like core by 4 to 10 nucleotides."""
    core = re.compile(r"(?:GGAG|GAGG|AGGA)[ACGT]{4,10}$")
    return sum(1 for at in range(3, len(dna) - 2, 3) if dna[at : at + 3] == "ATG" and core.search(dna[:at]))


def _matches(dna: str, pattern: str) -> Iterator[int]:
    expression = re.compile(f"(?={''.join(IUPAC[letter] for letter in pattern)})")
    return (found.start() for found in expression.finditer(dna))


def _words(dna: str, length: int) -> Iterator[str]:
    return (dna[at : at + length] for at in range(len(dna) - length + 1))


def _pair(left: str, right: str) -> bool:
    return left + right in {"AT", "TA", "GC", "CG"}
