"""Overhangs of Golden Gate assemblies: chosen so that no two ligate with each other, and how faithful a set is.

Counts of ligations (Potapov et al. 2018, ACS Synth Biol 7:2665; Pryor et al. 2020, PLoS ONE 15:e0238592, whose tables
are CC BY) are read from a file of the user's, as the supplements have them; without one, rules decide, and say so.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from seedtrain.bioinformatics._hosts import reverse_complement

Counts = Mapping[str, Mapping[str, int]]
"""Ligations seen, by one overhang and by the other, both 5' to 3'."""


def weaknesses(overhangs: Sequence[str]) -> tuple[str, ...]:
    """What speaks against a set, by rules: `AATG palindrome`, `AATG like ACTG`; empty where nothing does.

    Two overhangs clash where one, or its complement, has all but one letter of the other at the same places, for T4
    ligase seals one mismatch (Potapov et al. 2018, ACS Synth Biol 7:2665); one clashes with itself where it is its own
    complement. All A and T, or all G and C, ligates badly (assumed from Potapov et al. 2018).
    """
    found = []
    for item in overhangs:
        if item == reverse_complement(item):
            found.append(f"{item} palindrome")
        if not set(item) - set("AT"):
            found.append(f"{item} only A and T")
        if not set(item) - set("GC"):
            found.append(f"{item} only G and C")
    for one, other in itertools.combinations(overhangs, 2):
        least = len(one) - 1
        if max(_alike(one, other), _alike(one, reverse_complement(other))) >= least:
            found.append(f"{one} like {other}")
    return tuple(found)


def _alike(one: str, other: str) -> int:
    return sum(a == b for a, b in zip(one, other, strict=True))


def fidelity(overhangs: Sequence[str], counts: Counts) -> float:
    """Estimated share of assemblies without a wrong ligation, 0 to 1.

    The product over the junctions of right over all ligations of both its ends within the set: Pryor et al. 2020, PLoS
    ONE 15:e0238592, "Fidelity F for a set of n overhangs". A palindrome ligates with its own copy as readily as with
    its partner, which no count tells apart: half of its ligations are taken for right.
    """
    if len({min(one, reverse_complement(one)) for one in overhangs}) < len(overhangs):
        return 0.0  # two junctions that ligate alike are one
    ends = tuple(dict.fromkeys(item for one in overhangs for item in (one, reverse_complement(one))))
    share = 1.0
    for one in overhangs:
        both = (one, reverse_complement(one))
        right = sum(counts[end].get(reverse_complement(end), 0) for end in both) / (2 if both[0] == both[1] else 1)
        every = sum(counts[end].get(other, 0) for end in both for other in ends)
        share *= right / every if every else 0.0
    return share


def choose(windows: Sequence[Sequence[str]], counts: Counts | None) -> tuple[int, ...]:
    """For each junction which of its windows serves best as overhang: the fewest weaknesses (or the best fidelity),
    then the windows that stand first. A window that is fixed is a list of one.

    Exhaustive up to some ten thousand sets; beyond, junction by junction until nothing improves.
    """
    total = 1
    for item in windows:
        total *= len(item)
    if total <= 5_000:
        return min(
            itertools.product(*[range(len(item)) for item in windows]), key=lambda at: _cost(windows, at, counts)
        )
    best = tuple(0 for _item in windows)
    for _round in range(4):
        before = best
        for place, options in enumerate(windows):
            tries = [(*best[:place], at, *best[place + 1 :]) for at in range(len(options))]
            best = min(tries, key=lambda at: _cost(windows, at, counts))
        if best == before:
            break
    return best


def _cost(
    windows: Sequence[Sequence[str]], at: Sequence[int], counts: Counts | None
) -> tuple[float, int, tuple[int, ...]]:
    chosen = [options[place] for options, place in zip(windows, at, strict=True)]
    worth = len(weaknesses(chosen)) if counts is None else -round(fidelity(chosen, counts), 9)
    return float(worth), sum(at), tuple(at)
