"""One gene deleted in frame: the guide that cuts it, the arms that mend it, and the primers that show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from seedtrain.base import Progress, part, silent
from seedtrain.base import translate as _
from seedtrain.bioinformatics._constructs import DnaRecord, Feature, join
from seedtrain.bioinformatics._edits._edit import Edit
from seedtrain.bioinformatics._edits._locus import (
    LONGEST_NAME,
    ROOM,
    EditQuestion,
    arms_of,
    around,
    check_primers,
    genes_of,
    guide_criterion,
    guide_of,
    index_of,
    kept_criterion,
    place_criteria,
    touched_by,
)
from seedtrain.bioinformatics._guides import GenomeIndex, Guide
from seedtrain.quality import Criterion, Verdict

KEPT_START: Final = 3
KEPT_END: Final = 21
"""Bases of a gene that stay: its start codon, and at the end what may start the next gene, as in the Keio collection
(Baba et al. 2006, Mol Syst Biol 2:2006.0008)."""
SHORTEST_GENE: Final = KEPT_START + KEPT_END + 30
LEAST_DIFFERENCE: Final = 50
"""Base pairs between both check products that a gel tells apart (assumed)."""


@dataclass(frozen=True, kw_only=True)
class Deletion(Edit):
    """A gene that goes: from `first` to `last` nothing is left, and the arms join in frame."""


def delete_genes(
    genome: DnaRecord, genes: Sequence[str], question: EditQuestion | None = None, *, progress: Progress = silent
) -> tuple[Deletion, ...]:
    """A deletion for each gene, independent of the others.

    - `genome`: one contig with its genes as features. `genes`: locus tags (as in gene rules) or names.

    The index for guides is kept in the cache. Raises `InputError` for genes that are not there or too short, all at
    once.
    """
    asked = question or EditQuestion()
    found = genes_of(genome, genes, SHORTEST_GENE)
    index = index_of(genome, asked, part(progress, 0.0, 0.4))
    made = []
    for number, (name, feature) in enumerate(found):
        progress(0.4 + 0.6 * number / len(found), _("deletion of {gene}").format(gene=name))
        made.append(_deletion(genome, index, name, feature, asked))
    return tuple(made)


def _deletion(genome: DnaRecord, index: GenomeIndex, name: str, feature: Feature, asked: EditQuestion) -> Deletion:
    size = len(genome)
    start = feature.spans[0][0] - 1
    length = sum(last - first + 1 for first, last in feature.spans)
    head, tail = (KEPT_START, KEPT_END) if feature.strand == "+" else (KEPT_END, KEPT_START)
    begin, gone = start + head, length - head - tail
    gone -= gone % 3
    place = around(genome, name, begin, gone, asked)
    arms = arms_of(place, name, asked)
    donor = join(f"{name}_donor"[:LONGEST_NAME], arms, circular=False, description=f"donor to delete {name}")
    outer = (place.cut_out(0, ROOM)[0], place.cut_out(len(place) - ROOM, ROOM)[0])
    locus = join(f"{name}_deleted"[:LONGEST_NAME], [outer[0], *arms, outer[1]], circular=False)
    guide = guide_of(index, genome, begin, gone, locus, asked)
    check, wild = check_primers(place, name, asked)
    touched = touched_by(genome, begin, gone, feature)
    return Deletion(
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
        verdict=_verdict(guide, gone, touched, place_criteria(genome, arms, check, touched)),
    )


def _verdict(guide: Guide | None, gone: int, touched: tuple[str, ...], places: Sequence[Criterion]) -> Verdict:
    criteria = [
        guide_criterion(guide),
        kept_criterion("bases deleted", gone, "multiple of 3", gone % 3 == 0 and gone > 0),
        *places[:2],
        kept_criterion(
            "difference of the check products", f"{gone} bp", f">= {LEAST_DIFFERENCE} bp", gone >= LEAST_DIFFERENCE
        ),
        places[2],
    ]
    evidence = [f"touched: {', '.join(touched)}"] if touched else []
    return Verdict.of(criteria, evidence, {name: version(name) for name in ("biopython", "seedtrain")})


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
