"""One gene deleted in frame: the guide that cuts it, the arms that mend it, and the primers that show it."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, Progress, SeedtrainError, collect, part, silent
from seedtrain.base import translate as _
from seedtrain.bioinformatics._constructs import Conditions, DnaRecord, Feature, Primer, fasta, join, primer_pair
from seedtrain.bioinformatics._guides import (
    GenomeIndex,
    Guide,
    GuideRequirements,
    design_guides,
    genome_index,
    target_region,
)
from seedtrain.bioinformatics._hosts import reverse_complement
from seedtrain.quality import Criterion, Verdict, VerdictWord

KEPT_START: Final = 3
KEPT_END: Final = 21
"""Bases of a gene that stay: its start codon, and at the end what may start the next gene, as in the Keio collection
(Baba et al. 2006, Mol Syst Biol 2:2006.0008)."""
SHORTEST_GENE: Final = KEPT_START + KEPT_END + 30
ROOM: Final = 200
"""Bases outside the arms in which the check primers are sought."""
WORD: Final = 16
"""Bases at a check primer's 3' end that must stand once in the genome."""
LEAST_DIFFERENCE: Final = 50
"""Base pairs between both check products that a gel tells apart (assumed)."""
LONGEST_NAME: Final = 40


@dataclass(frozen=True)
class DeletionQuestion:
    """How genes are deleted: homology `arm` on either side, bp; the `nuclease`; what a guide must meet."""

    arm: int = 500
    nuclease: str = "SpCas9"
    requirements: GuideRequirements = dataclasses.field(default_factory=lambda: GuideRequirements(promoter="bacterial"))
    conditions: Conditions = dataclasses.field(default_factory=Conditions)

    def __post_init__(self) -> None:
        if not 30 <= self.arm <= 3000:
            raise InputError(f"homology arms of {self.arm} bp", remedy="Give 30 to 3000.")


@dataclass(frozen=True)
class Deletion:
    """One gene and everything to delete it.

    - `first`, `last`: bases that go, from 1, both inside; across the origin `last` is the smaller. `strand`: the
      gene's.
    - `donor`: both arms joined, with each as a feature. `locus`: the place after the edit, `ROOM` more than the arms.
    - `guide`: the best that the edit destroys; none where there is none. `check`: primers outside the arms; `wild`,
      `edited`: bp of their products. `touched`: other features that lose bases.
    """

    gene: str
    name: str
    first: int
    last: int
    strand: str
    guide: Guide | None
    donor: DnaRecord
    locus: DnaRecord
    check: tuple[Primer, Primer]
    wild: int
    edited: int
    touched: tuple[str, ...]
    verdict: Verdict

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "gene": self.gene,
            "name": self.name,
            "first": self.first,
            "last": self.last,
            "strand": self.strand,
            "guide": None if self.guide is None else self.guide.to_data(),
            "donor": self.donor.to_data(),
            "check_primers": [item.to_data() for item in self.check],
            "wild_type_bp": self.wild,
            "edited_bp": self.edited,
            "features_touched": list(self.touched),
            "verdict": self.verdict.to_data(),
        }


def delete_genes(
    genome: DnaRecord, genes: Sequence[str], question: DeletionQuestion | None = None, *, progress: Progress = silent
) -> tuple[Deletion, ...]:
    """A deletion for each gene, independent of the others.

    - `genome`: one contig with its genes as features. `genes`: locus tags (as in gene rules) or names.

    The index for guides is kept in the cache. Raises `InputError` for genes that are not there or too short, all at
    once.
    """
    asked = question or DeletionQuestion()
    errors: list[SeedtrainError] = []
    found = []
    for name in dict.fromkeys(genes):
        try:
            found.append((name, _gene(genome, name)))
        except SeedtrainError as error:
            errors.append(error)
    collect(errors)
    index = _index(genome, asked, part(progress, 0.0, 0.4))
    made = []
    for number, (name, feature) in enumerate(found):
        progress(0.4 + 0.6 * number / len(found), _("deletion of {gene}").format(gene=name))
        made.append(_deletion(genome, index, name, feature, asked))
    return tuple(made)


def _gene(genome: DnaRecord, name: str) -> Feature:
    for keys in (("CDS",), ("gene",)):
        for feature in genome.features:
            if feature.key in keys and name in _names(feature):
                size = sum(last - first + 1 for first, last in feature.spans)
                if size < SHORTEST_GENE:
                    raise InputError(f"{name} has {size} bases", remedy="Delete so short a gene by hand.")
                return feature
    raise InputError(
        f"{genome.name} has no gene {name!r}", remedy="Give a GenBank genome with locus tags as the model names genes."
    )


def _index(genome: DnaRecord, asked: DeletionQuestion, progress: Progress) -> GenomeIndex:
    """Guides search FASTA; the index is kept by what it holds, so the file itself may go."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "genome.fasta"
        path.write_text(fasta(dataclasses.replace(genome, name="genome")), encoding="ascii")
        return genome_index(path, (asked.nuclease,), circular=genome.circular, progress=progress)


def _deletion(genome: DnaRecord, index: GenomeIndex, name: str, feature: Feature, asked: DeletionQuestion) -> Deletion:
    size = len(genome)
    start = feature.spans[0][0] - 1
    length = sum(last - first + 1 for first, last in feature.spans)
    head, tail = (KEPT_START, KEPT_END) if feature.strand == "+" else (KEPT_END, KEPT_START)
    begin, gone = start + head, length - head - tail
    gone -= gone % 3
    outside = asked.arm + ROOM
    if not genome.circular and (begin < outside or begin + gone + outside > size):
        raise InputError(
            f"{name} stands within {outside} bases of the end of {genome.name}", remedy="Shorten the arms."
        )
    around, _broken = genome.cut_out((begin - outside) % size, 2 * outside + gone)
    left, right = (_arm(around, at, asked.arm, f"{name} {word}") for at, word in _sides(outside, gone, asked.arm))
    donor = join(f"{name}_donor"[:LONGEST_NAME], [left, right], circular=False, description=f"donor to delete {name}")
    outer = (around.cut_out(0, ROOM)[0], around.cut_out(len(around) - ROOM, ROOM)[0])
    locus = join(f"{name}_deleted"[:LONGEST_NAME], [outer[0], left, right, outer[1]], circular=False)
    guide = _guide(index, genome, begin, gone, locus, asked)
    check, wild = _check(around, name, asked)
    touched = _touched(genome, begin, gone, feature)
    counts = tuple(_count(genome, item.annealing[-WORD:]) for item in check)
    made = Deletion(
        gene=name,
        name=feature.label,
        first=begin % size + 1,
        last=(begin + gone - 1) % size + 1,
        strand=feature.strand,
        guide=guide,
        donor=donor,
        locus=locus,
        check=check,
        wild=wild,
        edited=wild - gone,
        touched=touched,
        verdict=Verdict.of([Criterion("guide", None, None, None, None, "inconclusive")]),
    )
    return dataclasses.replace(made, verdict=_verdict(genome, made, counts, gone, (left, right)))


def _sides(outside: int, gone: int, arm: int) -> tuple[tuple[int, str], tuple[int, str]]:
    return (outside - arm, "left arm"), (outside + gone, "right arm")


def _arm(around: DnaRecord, start: int, arm: int, label: str) -> DnaRecord:
    """One arm with itself as its only feature: a gene at its edge is cut and would mislead."""
    record, _broken = around.cut_out(start, arm)
    return dataclasses.replace(record, features=(Feature("misc_feature", ((1, arm),), "+", {"label": (label,)}),))


def _guide(
    index: GenomeIndex, genome: DnaRecord, begin: int, gone: int, locus: DnaRecord, asked: DeletionQuestion
) -> Guide | None:
    """The best guide whose site the edited locus no longer holds."""
    size = len(genome)
    contig = index.contigs[0].name
    place = f"{contig}:{begin % size + 1}-{(begin + gone - 1) % size + 1}"
    design = design_guides(index, target_region(index, place), asked.nuclease, requirements=asked.requirements)
    both = locus.sequence + "|" + reverse_complement(locus.sequence)
    return next((guide for guide in design.guides if guide.sequence not in both), None)


def _check(around: DnaRecord, name: str, asked: DeletionQuestion) -> tuple[tuple[Primer, Primer], int]:
    """Primers outside the arms, the best of places ten bases apart, and the length of their product."""
    size = len(around)
    best: tuple[float, tuple[Primer, Primer], int] | None = None
    for step in range(0, ROOM - 60, 20):
        piece = around.sequence[step : size - step]
        try:
            pair = primer_pair(f"{name}_check", around.sequence, piece, ("", ""), asked.conditions)
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


def _count(genome: DnaRecord, word: str) -> int:
    text = genome.sequence + (genome.sequence[: len(word) - 1] if genome.circular else "")
    return sum(_occurrences(text, one) for one in {word, reverse_complement(word)})


def _occurrences(text: str, word: str) -> int:
    count, at = 0, text.find(word)
    while at >= 0:
        count, at = count + 1, text.find(word, at + 1)
    return count


def _touched(genome: DnaRecord, begin: int, gone: int, feature: Feature) -> tuple[str, ...]:
    """Features of other genes that lose bases."""
    size = len(genome)
    first, last = begin % size + 1, (begin + gone - 1) % size + 1
    spans = [(first, last)] if first <= last else [(first, size), (1, last)]
    own = _names(feature)
    found = [
        item.label
        for item in genome.features
        if any(one <= high and two >= low for one, two in item.spans for low, high in spans) and not own & _names(item)
    ]
    return tuple(dict.fromkeys(found))


def _names(feature: Feature) -> set[str]:
    return {value for key in ("locus_tag", "gene") for value in feature.qualifiers.get(key, ())}


def _verdict(
    genome: DnaRecord, made: Deletion, counts: tuple[int, ...], gone: int, arms: tuple[DnaRecord, DnaRecord]
) -> Verdict:
    word: VerdictWord = "fail" if made.guide is None else made.guide.verdict.verdict
    shown = "none" if made.guide is None else f"{made.guide.sequence} {made.guide.pam}"
    once = all(_count(genome, item.sequence) == 1 for item in arms)
    criteria = [
        Criterion("guide that the edit destroys", shown, None, "passes on its own", None, word),
        _of("bases deleted", gone, "multiple of 3", gone % 3 == 0 and gone > 0),
        _of("homology arms in the genome", "once" if once else "more often", "= once", once),
        _of("check primers in the genome", ", ".join(map(str, counts)), "= 1, 1", counts == (1, 1)),
        _of("difference of the check products", f"{gone} bp", f">= {LEAST_DIFFERENCE} bp", gone >= LEAST_DIFFERENCE),
    ]
    words: VerdictWord = "inconclusive" if made.touched else "pass"
    criteria.append(Criterion("other features that lose bases", len(made.touched), None, "= 0", None, words))
    evidence = [f"touched: {', '.join(made.touched)}"] if made.touched else []
    return Verdict.of(criteria, evidence, {name: version(name) for name in ("biopython", "seedtrain")})


def _of(name: str, value: str | float, limit: str, kept: bool) -> Criterion:
    return Criterion(name, value, None, limit, None, "pass" if kept else "fail")


def deletion_words(name: str) -> str:
    """A criterion's name in the language in use; a name that is none of ours as it stands."""
    return {
        "guide that the edit destroys": _("guide that the edit destroys"),
        "bases deleted": _("bases deleted"),
        "homology arms in the genome": _("homology arms in the genome"),
        "check primers in the genome": _("check primers in the genome"),
        "difference of the check products": _("difference of the check products"),
        "other features that lose bases": _("other features that lose bases"),
    }.get(name, name)
