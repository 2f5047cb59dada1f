"""Structure against codons: messengers of one protein from the best codons to the strongest folding.

Structure lets a messenger live longer, and common codons let it be read faster; one costs the other (Zhang et al. 2023,
Nature 621:396, whose LinearDesign solves it exactly under a licence for research). Here it is a local search: no point
of the front is proven to be the best.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.base import Progress, silent
from seedtrain.bioinformatics._draft import Limits
from seedtrain.bioinformatics._fold import window_energy
from seedtrain.bioinformatics._hosts import IUPAC, Host, adaptation_index, reverse_complement

WINDOW: Final = 60
"""Nucleotides folded around a codon that is tried: longer pairs are not seen by the search."""
WEIGHTS: Final = (0.0, 0.15, 0.4, 1.0, 3.0)
"""What one kcal/mol counts beside a unit of ln w, from point to point of the front."""
STEP: Final = 30
"""Nucleotides between windows of the local measure of structure."""
_REACH: Final = 16


@dataclass(frozen=True)
class Candidate:
    """One coding sequence of the front.

    - `weight`: that it was sought with. `cai`: against the host's reference. `uridine`: share of U.
    - `local_energy`: kcal/mol a window of `WINDOW`, the mean over the coding sequence, by seqfold.
    - `energy`: kcal/mol of the whole messenger by ViennaRNA, where it was asked for.
    """

    weight: float
    dna: str
    cai: float | None
    uridine: float
    local_energy: float
    energy: float | None = None

    @property
    def strength(self) -> float:
        """The energy by which candidates compare."""
        return self.local_energy if self.energy is None else self.energy


def local_energy(dna: str) -> float:
    """Mean least free energy of overlapping windows, kcal/mol; by seqfold."""
    starts = range(0, max(len(dna) - WINDOW, 0) + 1, STEP)
    return float(np.mean([window_energy(dna[at : at + WINDOW]) for at in starts]))


def front(
    dna: str,
    host: Host,
    limits: Limits,
    *,
    uridine_weight: float,
    seed: list[int],
    energy: Callable[[str], float] = window_energy,
    progress: Progress = silent,
) -> list[tuple[float, str]]:
    """Weights and coding sequences for `dna`'s protein, by `WEIGHTS`; all keep `limits`, but that of repeats.

    - `energy`: folds a window, kcal/mol; by seqfold unless another is given.

    The start, as far as the host keeps it weak, stays as it is. Deterministic for a seed.
    """
    found, current = dict[str, float](), dna
    for number, weight in enumerate(WEIGHTS):
        search = _Search(host, limits, weight, uridine_weight, energy)
        random = np.random.default_rng([*seed, number])
        progress(number / len(WEIGHTS), "structure against codons")
        current = search.sweep(current, random)
        found.setdefault(current, weight)
    return [(weight, text) for text, weight in found.items()]


def measured(dna: str, host: Host, weight: float) -> Candidate:
    """A candidate with its figures."""
    return Candidate(weight, dna, adaptation_index(dna, host.weights), dna.count("T") / len(dna), local_energy(dna))


def undominated(candidates: list[Candidate]) -> list[Candidate]:
    """Those that no other beats in both codons and structure, from the best codons on."""
    kept = [
        one
        for one in candidates
        if not any(
            (other.cai or 0) >= (one.cai or 0)
            and other.strength <= one.strength
            and ((other.cai or 0), -other.strength) != ((one.cai or 0), -one.strength)
            for other in candidates
        )
    ]
    return sorted(kept, key=lambda item: (-(item.cai or 0), item.strength, item.dna))


class _Search:
    """Codon by codon, each the best of its synonyms for what is sought, others kept."""

    def __init__(
        self, host: Host, limits: Limits, weight: float, uridine_weight: float, energy: Callable[[str], float]
    ) -> None:
        self.host, self.limits = host, limits
        self.weight, self.uridine_weight, self.energy = weight, uridine_weight, energy
        words = [
            word
            for item in limits.forbidden
            for word in (
                {item.pattern} if item.strands == "forward" else {item.pattern, reverse_complement(item.pattern)}
            )
        ]
        words += [base * (limits.longest_homopolymer + 1) for base in "ACGT"]
        self.forbidden = re.compile("|".join("".join(IUPAC[letter] for letter in word) for word in words))
        self.letters = {codon: letter for letter, codons in host.synonyms.items() for codon in codons}

    def sweep(self, dna: str, random: np.random.Generator) -> str:
        first = -(-max(self.host.start.window, self.host.start.nucleotides) // 3)
        for at in random.permutation(np.arange(first, len(dna) // 3 - 1)):
            dna = self._best(dna, 3 * int(at))
        return dna

    def _best(self, dna: str, at: int) -> str:
        codon = dna[at : at + 3]
        best, worth = dna, self._worth(dna, at)
        for other in self.host.usable(self.letters[codon]):
            if other != codon:
                tried = dna[:at] + other + dna[at + 3 :]
                if self._keeps(tried, at) and (found := self._worth(tried, at)) > worth + 1e-9:
                    best, worth = tried, found
        return best

    def _worth(self, dna: str, at: int) -> float:
        codon = dna[at : at + 3]
        worth = math.log(self.host.weights[codon]) - self.uridine_weight * (1 + self.weight) * codon.count("T")
        if not self.weight:
            return worth
        low = max(0, at - WINDOW // 2)
        return worth - self.weight * self.energy(dna[low : at + WINDOW // 2])

    def _keeps(self, dna: str, at: int) -> bool:
        if self.forbidden.search(dna[max(0, at - _REACH) : at + 3 + _REACH]):
            return False
        return all(self.limits.gc_low <= share <= self.limits.gc_high for share in self._shares(dna, at))

    def _shares(self, dna: str, at: int) -> Iterator[float]:
        width = self.limits.window
        for low in range(max(0, at + 3 - width), min(at, len(dna) - width) + 1, 3):
            part = dna[low : low + width]
            yield (part.count("G") + part.count("C")) / width
