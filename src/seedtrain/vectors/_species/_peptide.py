"""Masses of tryptic peptides of collagen and their fragments, hydroxyproline included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Final

from seedtrain.base import InputError

# Monoisotopic residues, Da (IUPAC 2021 atomic masses; cysteine as it stands).
RESIDUES: Final = {
    "G": 57.021464,
    "A": 71.037114,
    "S": 87.032028,
    "P": 97.052764,
    "V": 99.068414,
    "T": 101.047679,
    "C": 103.009185,
    "L": 113.084064,
    "I": 113.084064,
    "N": 114.042927,
    "D": 115.026943,
    "Q": 128.058578,
    "K": 128.094963,
    "E": 129.042593,
    "M": 131.040485,
    "H": 137.058912,
    "F": 147.068414,
    "R": 156.101111,
    "Y": 163.063329,
    "W": 186.079313,
}
WATER: Final = 18.010565
PROTON: Final = 1.007276
OXYGEN: Final = 15.994915
MOST_PLACEMENTS: Final = 400


def check_sequence(sequence: str) -> str:
    """The sequence in upper case. Raises `InputError` for a letter that is no residue."""
    upper = sequence.strip().upper()
    wrong = sorted(set(upper) - set(RESIDUES))
    if wrong or len(upper) < 4:
        raise InputError(
            f"{sequence!r} is no peptide" + (f": {wrong[0]!r} is no residue" if wrong else ""),
            remedy="Write four or more one-letter residues; hydroxyprolines go into their own column.",
        )
    return upper


def mass_to_charge(sequence: str, hydroxyprolines: int, charge: int) -> float:
    """m/z of the protonated peptide, Da."""
    neutral = sum(RESIDUES[letter] for letter in sequence) + WATER + hydroxyprolines * OXYGEN
    return (neutral + charge * PROTON) / charge


def placements(sequence: str, hydroxyprolines: int) -> Iterator[frozenset[int]]:
    """Which prolines may be hydroxylated: all choices, the Y-positions of Gly-X-Y first, at most `MOST_PLACEMENTS`."""
    sites = [index for index, letter in enumerate(sequence) if letter == "P"]
    # In Gly-X-Y the residue before glycine is Y.
    sites.sort(key=lambda index: (sequence[index + 1 : index + 2] != "G", index))
    for count, chosen in enumerate(combinations(sites, hydroxyprolines)):
        if count == MOST_PLACEMENTS:
            return
        yield frozenset(chosen)


@lru_cache(maxsize=256)
def fragments(sequence: str, hydroxyprolines: int) -> tuple[tuple[float, ...], ...]:
    """Singly charged b and y ions (m/z, from the second residue on), one tuple for every placement."""
    found = []
    for chosen in placements(sequence, hydroxyprolines):
        masses = [RESIDUES[letter] + (OXYGEN if index in chosen else 0.0) for index, letter in enumerate(sequence)]
        ions, ahead = [], 0.0
        whole = sum(masses)
        for index, mass in enumerate(masses[:-1]):
            ahead += mass
            if index:
                ions.append(ahead + PROTON)
            if index < len(masses) - 2:
                ions.append(whole - ahead + WATER + PROTON)
        found.append(tuple(sorted(ions)))
    return tuple(found)


def matched(seen: Sequence[float], sequence: str, hydroxyprolines: int, tolerance: float) -> int:
    """How many of the fragments `seen` are b or y ions, at the placement that explains most; tolerance in Da."""
    best = 0
    for ions in fragments(sequence, hydroxyprolines):
        best = max(best, sum(any(abs(ion - mass) <= tolerance for ion in ions) for mass in seen))
    return best
