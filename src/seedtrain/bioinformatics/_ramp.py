"""The start of a gene, made weak in structure by other codons where draft and polish left it strong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from seedtrain.bioinformatics._checks import meets, merit, translate
from seedtrain.bioinformatics._draft import Limits
from seedtrain.bioinformatics._fold import start_energy
from seedtrain.bioinformatics._hosts import Host

WIDTH: Final = 3
"""Genes kept after each round; a stem often opens only after two codons have changed."""
ROUNDS: Final = 8
PATIENCE: Final = 2
"""Rounds without a better gene before the search ends."""
WORTH_OF_ENERGY: Final = 0.45
"""What one kcal/mol counts beside a unit of ln w: initiation goes with exp(-0.45 mol/kcal times the free energy), as
Salis, Mirsky & Voigt 2009 measured in E. coli (Nat Biotechnol 27:946); assumed for every host."""


def loosen_start(dna: str, encoded: str, host: Host, limits: Limits) -> str:
    """`dna` with synonymous codons near its start, until that folds no more strongly than the host prefers.

    A beam search, one codon a round, in which all keep `limits`: first up to what is allowed, then a weaker start
    counts beside the codons that it costs. The same gene where the start is weak already, or nothing helps. The protein
    stays.
    """
    best, kept, seen, better = dna, [dna], {dna}, 0
    for number in range(ROUNDS if start_energy(dna, host) < host.start.energy else 0):
        fresh = {other for one in kept for other in _near(one, host)} - seen
        seen |= fresh
        kept = []
        for other in sorted(fresh, key=lambda item: (*_rank(item, host), item)):
            if meets(other, encoded, limits):
                kept.append(other)
                if len(kept) == WIDTH:
                    break
        if not kept or number > better + PATIENCE:
            break
        if _rank(kept[0], host) < _rank(best, host):
            best, better = kept[0], number
    return best


def _rank(dna: str, host: Host) -> tuple[float, float]:
    """What is least for the best start: its strength beyond what is allowed, then what it costs."""
    energy, worth = start_energy(dna, host), merit(dna[: host.start.window + 3], host)
    return (
        -min(energy, host.start.energy_allowed),
        -round(worth + WORTH_OF_ENERGY * min(energy, host.start.energy), 9),
    )


def _near(dna: str, host: Host) -> Iterator[str]:
    """The gene with one other codon within the window of the start."""
    last = min(host.start.window // 3 * 3, len(dna) - 3)
    for at in range(3, last, 3):
        codon = dna[at : at + 3]
        for other in host.usable(translate(codon, host.genetic_code)):
            if other != codon:
                yield dna[:at] + other + dna[at + 3 :]
