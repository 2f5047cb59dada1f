"""What every edit of a genome needs: the gene, arms, a guide that the edit destroys, and primers that show it."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, Progress, SeedtrainError, collect
from seedtrain.bioinformatics._constructs import Conditions, DnaRecord, Feature, Primer, fasta, primer_pair
from seedtrain.bioinformatics._guides import (
    GenomeIndex,
    Guide,
    GuideRequirements,
    design_guides,
    genome_index,
    target_region,
)
from seedtrain.bioinformatics._hosts import reverse_complement
from seedtrain.quality import Criterion, VerdictWord

ROOM: Final = 200
"""Bases outside the arms in which the check primers are sought."""
WORD: Final = 16
"""Bases at a check primer's 3' end that must stand once in the genome."""
LONGEST_NAME: Final = 40


@dataclass(frozen=True)
class EditQuestion:
    """How a genome is edited: homology `arm` on either side, bp; the `nuclease`; what a guide must meet."""

    arm: int = 500
    nuclease: str = "SpCas9"
    requirements: GuideRequirements = dataclasses.field(default_factory=lambda: GuideRequirements(promoter="bacterial"))
    conditions: Conditions = dataclasses.field(default_factory=Conditions)

    def __post_init__(self) -> None:
        if not 30 <= self.arm <= 3000:
            raise InputError(f"homology arms of {self.arm} bp", remedy="Give 30 to 3000.")


def genes_of(genome: DnaRecord, names: Sequence[str], shortest: int = 0) -> list[tuple[str, Feature]]:
    """Each name once with its coding sequence (or gene), by locus tag or name; every fault at once."""
    errors: list[SeedtrainError] = []
    found = []
    for name in dict.fromkeys(names):
        try:
            found.append((name, _gene(genome, name, shortest)))
        except SeedtrainError as error:
            errors.append(error)
    collect(errors)
    return found


def _gene(genome: DnaRecord, name: str, shortest: int) -> Feature:
    for keys in (("CDS",), ("gene",)):
        for feature in genome.features:
            if feature.key in keys and name in names_of(feature):
                size = sum(last - first + 1 for first, last in feature.spans)
                if size < shortest:
                    raise InputError(f"{name} has {size} bases", remedy="Delete so short a gene by hand.")
                return feature
    raise InputError(
        f"{genome.name} has no gene {name!r}", remedy="Give a GenBank genome with locus tags as the model names genes."
    )


def index_of(genome: DnaRecord, asked: EditQuestion, progress: Progress) -> GenomeIndex:
    """Guides search FASTA; the index is kept by what it holds, so the file itself may go."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "genome.fasta"
        path.write_text(fasta(dataclasses.replace(genome, name="genome")), encoding="ascii")
        return genome_index(path, (asked.nuclease,), circular=genome.circular, progress=progress)


def around(genome: DnaRecord, name: str, begin: int, gone: int, asked: EditQuestion) -> DnaRecord:
    """The place with arms and room on either side, a line; `InputError` too near the end of a contig."""
    size, outside = len(genome), asked.arm + ROOM
    if not genome.circular and (begin < outside or begin + gone + outside > size):
        raise InputError(
            f"{name} stands within {outside} bases of the end of {genome.name}", remedy="Shorten the arms."
        )
    return genome.cut_out((begin - outside) % size, 2 * outside + gone)[0]


def arms_of(place: DnaRecord, name: str, asked: EditQuestion) -> tuple[DnaRecord, DnaRecord]:
    """Both arms of a place, each with itself as its only feature: a gene at its edge is cut and would mislead."""
    far = len(place) - ROOM - asked.arm
    return _arm(place, ROOM, asked.arm, f"{name} left arm"), _arm(place, far, asked.arm, f"{name} right arm")


def _arm(place: DnaRecord, start: int, arm: int, label: str) -> DnaRecord:
    record, _broken = place.cut_out(start, arm)
    return dataclasses.replace(record, features=(Feature("misc_feature", ((1, arm),), "+", {"label": (label,)}),))


def guide_of(
    index: GenomeIndex, genome: DnaRecord, begin: int, gone: int, locus: DnaRecord, asked: EditQuestion
) -> Guide | None:
    """The best guide at a place whose site the edited locus no longer holds."""
    size = len(genome)
    contig = index.contigs[0].name
    where = f"{contig}:{begin % size + 1}-{(begin + gone - 1) % size + 1}"
    design = design_guides(index, target_region(index, where), asked.nuclease, requirements=asked.requirements)
    both = locus.sequence + "|" + reverse_complement(locus.sequence)
    return next((guide for guide in design.guides if guide.sequence not in both), None)


def check_primers(place: DnaRecord, name: str, asked: EditQuestion) -> tuple[tuple[Primer, Primer], int]:
    """Primers outside the arms, the best of places ten bases apart, and the length of their product."""
    size = len(place)
    best: tuple[float, tuple[Primer, Primer], int] | None = None
    for step in range(0, ROOM - 60, 20):
        piece = place.sequence[step : size - step]
        try:
            pair = primer_pair(f"{name}_check", place.sequence, piece, ("", ""), asked.conditions)
        except InputError:
            continue
        cost = sum(
            abs(item.melting - asked.conditions.melting) - item.hairpin + 50 * (item.sites != 1) for item in pair
        )
        if best is None or cost < best[0]:
            best = (cost, pair, len(piece))
    if best is None:
        raise InputError(f"no check primers around {name}", remedy="Give a genome without IUPAC letters there.")
    return best[1], best[2]


def count_in(genome: DnaRecord, word: str) -> int:
    """How often a word stands in the genome, on either strand."""
    text = genome.sequence + (genome.sequence[: len(word) - 1] if genome.circular else "")
    return sum(_occurrences(text, one) for one in {word, reverse_complement(word)})


def _occurrences(text: str, word: str) -> int:
    count, at = 0, text.find(word)
    while at >= 0:
        count, at = count + 1, text.find(word, at + 1)
    return count


def touched_by(
    genome: DnaRecord, begin: int, gone: int, own: Feature, but: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Features of other genes that lose bases; of the keys `but`, none."""
    if not gone:
        return ()
    size = len(genome)
    first, last = begin % size + 1, (begin + gone - 1) % size + 1
    spans = [(first, last)] if first <= last else [(first, size), (1, last)]
    found = [
        item.label
        for item in genome.features
        if item.key not in but
        and any(one <= high and two >= low for one, two in item.spans for low, high in spans)
        and not names_of(own) & names_of(item)
    ]
    return tuple(dict.fromkeys(found))


def names_of(feature: Feature) -> set[str]:
    """Locus tag and name."""
    return {value for key in ("locus_tag", "gene") for value in feature.qualifiers.get(key, ())}


def guide_criterion(guide: Guide | None) -> Criterion:
    """Whether there is a guide, and how good it is by itself."""
    word: VerdictWord = "fail" if guide is None else guide.verdict.verdict
    shown = "none" if guide is None else f"{guide.sequence} {guide.pam}"
    return Criterion("guide that the edit destroys", shown, None, "passes on its own", None, word)


def place_criteria(
    genome: DnaRecord, arms: tuple[DnaRecord, DnaRecord], check: tuple[Primer, Primer], touched: tuple[str, ...]
) -> list[Criterion]:
    """Whether arms and check primers stand once in the genome, and whether other features are touched."""
    once = all(count_in(genome, item.sequence) == 1 for item in arms)
    counts = tuple(count_in(genome, item.annealing[-WORD:]) for item in check)
    words: VerdictWord = "inconclusive" if touched else "pass"
    return [
        kept_criterion("homology arms in the genome", "once" if once else "more often", "= once", once),
        kept_criterion("check primers in the genome", ", ".join(map(str, counts)), "= 1, 1", counts == (1, 1)),
        Criterion("other features that lose bases", len(touched), None, "= 0", None, words),
    ]


def kept_criterion(name: str, value: str | float, limit: str, kept: bool) -> Criterion:
    """Pass where a limit is kept, else fail."""
    return Criterion(name, value, None, limit, None, "pass" if kept else "fail")
