"""One gene raised in its place: its promoter replaced, with guide, homology arms and primers that show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

from seedtrain.base import InputError, Progress, part, silent
from seedtrain.base import translate as _
from seedtrain.bioinformatics._constructs import DnaRecord, Feature, Primer, join, primer_pair
from seedtrain.bioinformatics._edits._edit import Edit
from seedtrain.bioinformatics._edits._locus import (
    LONGEST_NAME,
    ROOM,
    WORD,
    EditQuestion,
    arms_of,
    around,
    check_primers,
    count_in,
    genes_of,
    guide_criterion,
    guide_of,
    index_of,
    kept_criterion,
    place_criteria,
    touched_by,
)
from seedtrain.bioinformatics._edits._promoter import Promoter, promoter
from seedtrain.bioinformatics._guides import GenomeIndex
from seedtrain.bioinformatics._hosts import reverse_complement
from seedtrain.quality import Criterion, Verdict, VerdictWord

REPLACED: Final = 100
"""Bases in front of the start codon that go, where so many are free (assumed: a bacterial promoter and leader)."""
OPERON: Final = 50
"""Bases to the next gene in front on the same strand, below which both are likely of one operon (assumed; most gaps
inside operons are shorter: Salgado et al. 2000, Proc Natl Acad Sci USA 97:6652)."""
SEEN: Final = 30
"""Bases beside what goes in which a guide is sought too: the new promoter parts what lies across its ends."""
STARTS: Final = ("ATG", "GTG", "TTG")
OWN_KEYS: Final = frozenset({"promoter", "regulatory", "RBS", "5'UTR", "protein_bind", "source"})
"""What stands in front of a gene and is meant to go."""


@dataclass(frozen=True, kw_only=True)
class PromoterReplacement(Edit):
    """A gene behind a new promoter; `donor` and `locus` lie along the gene.

    - `replaced`: bases that go, 0 where the promoter is put in only.
    - `junction`: a primer in the new promoter, which amplifies `junction_bp` with the second check primer in the edited
      strain alone.
    """

    promoter: Promoter
    replaced: int
    junction: Primer
    junction_bp: int

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            **super().to_data(),
            "promoter": self.promoter.model_dump(),
            "replaced": self.replaced,
            "junction_primer": self.junction.to_data(),
            "junction_bp": self.junction_bp,
        }


def raise_genes(
    genome: DnaRecord,
    genes: Sequence[str],
    with_promoter: str = "J23119",
    question: EditQuestion | None = None,
    *,
    progress: Progress = silent,
) -> tuple[PromoterReplacement, ...]:
    """A new promoter in front of each gene, independent of the others.

    - `with_promoter`: a shipped name, or letters of promoter and ribosome binding site up to the start codon.

    Raises `InputError` for genes that are not there, all at once, and for a promoter that is none.
    """
    asked, new = question or EditQuestion(), promoter(with_promoter)
    found = genes_of(genome, genes)
    index = index_of(genome, asked, part(progress, 0.0, 0.4))
    made = []
    for number, (name, feature) in enumerate(found):
        progress(0.4 + 0.6 * number / len(found), _("new promoter of {gene}").format(gene=name))
        made.append(_replacement(genome, index, name, feature, new, asked))
    return tuple(made)


def _replacement(
    genome: DnaRecord, index: GenomeIndex, name: str, feature: Feature, new: Promoter, asked: EditQuestion
) -> PromoterReplacement:
    forward, size = feature.strand == "+", len(genome)
    free, same = _room(genome, feature)
    gone = min(REPLACED, free)
    edge = feature.spans[0][0] - 1 if forward else feature.spans[-1][1]
    begin = edge - gone if forward else edge
    place = around(genome, name, begin, gone, asked)
    place = place if forward else place.reversed()
    left, right = arms_of(place, name, asked)
    outer = (place.cut_out(0, ROOM)[0], place.cut_out(len(place) - ROOM, ROOM)[0])
    words = f"donor to put {new.name} in front of {name}"
    donor = join(f"{name}_raised_donor"[:LONGEST_NAME], [left, new.record, right], circular=False, description=words)
    locus = join(f"{name}_raised"[:LONGEST_NAME], [outer[0], left, new.record, right, outer[1]], circular=False)
    guide = guide_of(index, genome, begin - SEEN, gone + 2 * SEEN, locus, asked)
    check, wild = check_primers(place, name, asked)
    behind = locus.sequence[ROOM + asked.arm :]
    junction = _junction(name, locus, behind, asked)
    touched = touched_by(genome, begin, gone, feature, OWN_KEYS)
    criteria = [
        guide_criterion(guide),
        _start(right),
        *place_criteria(genome, (left, right), check, touched),
        _junction_criterion(genome, junction),
        _operon(free, same=same),
    ]
    return PromoterReplacement(
        gene=name,
        name=feature.label,
        promoter=new,
        first=begin % size + 1,
        last=(begin + gone - 1) % size + 1,
        strand=feature.strand,
        replaced=gone,
        guide=guide,
        donor=donor,
        locus=locus,
        check=check,
        wild=wild,
        edited=wild - gone + len(new.record),
        junction=junction,
        junction_bp=behind.find(reverse_complement(check[1].annealing)) + len(check[1].annealing),
        touched=touched,
        verdict=_verdict(criteria, new, touched),
    )


def _verdict(criteria: Sequence[Criterion], new: Promoter, touched: tuple[str, ...]) -> Verdict:
    evidence = [f"promoter: {new.source}", *([f"touched: {', '.join(touched)}"] if touched else [])]
    return Verdict.of(criteria, evidence, {name: version(name) for name in ("biopython", "seedtrain")})


def _start(right: DnaRecord) -> Criterion:
    """Whether what follows the promoter begins as a gene does."""
    codon = right.sequence[:3]
    return kept_criterion("start codon", codon, f"one of {', '.join(STARTS)}", codon in STARTS)


def _room(genome: DnaRecord, own: Feature) -> tuple[int, bool]:
    """Bases between a gene's start and the next coding sequence in front of it, and whether that reads the same way."""
    size, forward = len(genome), own.strand == "+"
    edge = own.spans[0][0] if forward else own.spans[-1][1]
    nearest = (size, False) if genome.circular else (edge - 1 if forward else size - edge, False)
    for item in genome.features:
        if item.key != "CDS" or item.spans == own.spans:
            continue
        if any(first <= edge <= last for first, last in item.spans):
            return 0, item.strand == own.strand
        gap = edge - item.spans[-1][1] - 1 if forward else item.spans[0][0] - edge - 1
        gap = gap % size if genome.circular else gap
        if 0 <= gap < nearest[0]:
            nearest = (gap, item.strand == own.strand)
    return nearest


def _junction(name: str, locus: DnaRecord, behind: str, asked: EditQuestion) -> Primer:
    """A primer at the start of the new promoter, along the gene."""
    try:
        return primer_pair(f"{name}_junction", locus.sequence, behind, ("", ""), asked.conditions)[0]
    except InputError as error:
        raise InputError(f"no primer at the new promoter of {name}: {error.message}", remedy=error.remedy) from None


def _junction_criterion(genome: DnaRecord, junction: Primer) -> Criterion:
    count = count_in(genome, junction.annealing[-WORD:])
    return kept_criterion("primer of the new junction in the genome", count, "= 0", count == 0)


def _operon(free: int, *, same: bool) -> Criterion:
    """Whether the gene may be one of an operon, whose other genes go on being read through."""
    word: VerdictWord = "inconclusive" if same and free < OPERON else "pass"
    return Criterion("room to the gene in front", f"{free} bp", None, f">= {OPERON} bp on one strand", None, word)


def raising_words(name: str) -> str:
    """A criterion's name in the language in use; a name that is none of ours as it stands."""
    return {
        "guide that the edit destroys": _("guide that the edit destroys"),
        "start codon": _("start codon"),
        "homology arms in the genome": _("homology arms in the genome"),
        "check primers in the genome": _("check primers in the genome"),
        "other features that lose bases": _("other features that lose bases"),
        "primer of the new junction in the genome": _("primer of the new junction in the genome"),
        "room to the gene in front": _("room to the gene in front"),
    }.get(name, name)
