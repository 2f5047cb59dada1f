"""Peak lists of MALDI: which animals' masses are there. Masses alone confirm nothing, so none is ever *detected*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from seedtrain.base import load
from seedtrain.quality import Criterion
from seedtrain.vectors._species._animals import Judged
from seedtrain.vectors._table import Column, Sheet

COLUMNS: Final = (
    Column("role", "word", "sample", words=("sample", "blank")),
    Column("mz", "number", None, 500.0, 6000.0),
    Column("intensity", "number", None, 0.0, 1e15),
)
TOLERANCE: Final = 0.2
"""m/z; the masses are listed with one decimal (assumed)."""
ISOTOPE: Final = 1.00335
ISOTOPE_PER_DA: Final = 1 / 1800
"""Height of the second isotope over the first, per Da of a peptide (averagine, Senko et al. 1995)."""
ISOTOPE_EXCESS: Final = 1.5
"""A peak this much higher than the isotope of the one below it is a peptide of its own (assumed)."""
LEAST_SIGNAL: Final = 0.01
"""Share of the highest peak below which a peak is noise (assumed)."""


class _Peptide(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    masses: Mapping[str, float]


class _Fingerprints(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    species: str
    peptides: Annotated[tuple[_Peptide, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Fingerprint:
    """One animal in one sheet: masses found of those listed for it."""

    animal: str
    found: int
    listed: int

    @property
    def whole(self) -> bool:
        """Whether all its masses are there; an animal with fewer than three listed is never told."""
        return self.found == self.listed >= 3


@cache
def fingerprints() -> tuple[_Peptide, ...]:
    """The peptides with their masses by animal."""
    return load(Path(__file__).with_name("fingerprints.yaml"), _Fingerprints, what="fingerprints")[0].peptides


def single_peaks(peaks: Sequence[tuple[float, float]]) -> list[float]:
    """m/z of the peaks that are no noise and no second isotope of the peak below them."""
    highest = max((height for _mz, height in peaks), default=0.0)
    kept = [(mz, height) for mz, height in sorted(peaks) if height >= LEAST_SIGNAL * highest and height > 0]
    found = []
    for mz, height in kept:
        below = sum(other for at, other in kept if abs(mz - at - ISOTOPE) <= TOLERANCE / 2)
        if height > ISOTOPE_EXCESS * below * mz * ISOTOPE_PER_DA:
            found.append(mz)
    return found


def compare(peaks: Sequence[float]) -> list[Fingerprint]:
    """Every animal listed, those with most of their masses first."""
    animals = dict.fromkeys(animal for peptide in fingerprints() for animal in peptide.masses)
    made = []
    for animal in animals:
        wanted = [peptide.masses[animal] for peptide in fingerprints() if animal in peptide.masses]
        made.append(Fingerprint(animal, sum(_seen(mass, peaks) for mass in wanted), len(wanted)))
    return sorted(made, key=lambda item: (-item.found / item.listed, -item.listed, item.animal))


def _seen(mass: float, peaks: Sequence[float]) -> bool:
    return any(abs(mass - peak) <= TOLERANCE for peak in peaks)


def _groups(found: Sequence[Fingerprint]) -> tuple[tuple[str, ...], ...]:
    """Animals whose masses are all there; those with the same masses together."""
    groups: dict[tuple[float, ...], list[str]] = {}
    for item in found:
        if item.whole:
            masses = tuple(peptide.masses.get(item.animal, 0.0) for peptide in fingerprints())
            groups.setdefault(masses, []).append(item.animal)
    return tuple(tuple(sorted(names)) for names in groups.values())


def judge_peaks(sheet: Sheet) -> Judged:
    """What a list of peaks says; porcine material is never detected by it.

    A porcine mass counts as a doubt unless an animal whose masses are all there has it too.
    """
    samples, blanks = (
        single_peaks([(row.number("mz"), row.number("intensity")) for row in sheet.rows if row.word("role") == role])
        for role in ("sample", "blank")
    )
    found = compare(samples)
    told = [item.animal for item in found if item.whole and item.animal != "porcine"]
    explained = {mass for peptide in fingerprints() for name, mass in peptide.masses.items() if name in told}
    porcine = [peptide.masses["porcine"] for peptide in fingerprints()]
    doubts = [mass for mass in porcine if _seen(mass, samples) and mass not in explained]
    has_blank = any(row.word("role") == "blank" for row in sheet.rows)
    dirty = sum(_seen(mass, blanks) for mass in porcine)
    clean = has_blank and not dirty
    criteria = [
        _count("porcine masses that no other animal explains", len(doubts), "= 0", met=not doubts),
        _count("other animals whose masses are all there", ", ".join(told) or "none", ">= 1", met=bool(told)),
        _count("markers in blanks", dirty if has_blank else None, "= 0", met=clean),
    ]
    evidence = [f"{item.animal}: {item.found} of {item.listed} masses" for item in found]
    if not any(item.found for item in found):
        evidence.append("no mass of the list is there; none of fish is listed: amplicons or qPCR tell it")
    if doubts:
        listed = ", ".join(f"{mass:g}" for mass in doubts)
        evidence.append(f"porcine masses {listed}: masses alone confirm nothing; confirm by fragments or qPCR")
    return Judged(tuple(criteria), tuple(evidence), False, not doubts and bool(told) and clean, _groups(found))


def _count(name: str, value: str | float | None, limit: str, *, met: bool) -> Criterion:
    return Criterion(name, value, None, limit, None, "pass" if met else "inconclusive")
