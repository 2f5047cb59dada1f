"""Guides for a target: every candidate with its off-targets, scores, editing windows and verdict, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError, Progress, silent
from seedtrain.bioinformatics._guides._fasta import complement, letters_of
from seedtrain.bioinformatics._guides._guide import (
    ABE_WINDOW,
    CBE_WINDOW,
    PBS_LENGTH,
    PRIME_WINDOW,
    TEMPLATE_LENGTHS,
    Editing,
    Guide,
    GuideRequirements,
    OtherSites,
    PrimeExtension,
)
from seedtrain.bioinformatics._guides._index import GenomeIndex
from seedtrain.bioinformatics._guides._judge import judge_guide, reasons
from seedtrain.bioinformatics._guides._nucleases import Nuclease, nuclease_of
from seedtrain.bioinformatics._guides._score import CONTEXT_BEFORE, CONTEXT_LENGTH, rule_set_1
from seedtrain.bioinformatics._guides._search import Hit, Hits, search_guides
from seedtrain.bioinformatics._guides._sites import ROOM_EXACT, STRAND_SHIFT, bases_of, find_sites, reach, room_of
from seedtrain.bioinformatics._guides._target import FLANK, Target
from seedtrain.quality import VerdictWord

SHOWN_OFF_TARGETS: Final = 20
"""Nearest other sites kept with a guide; all are counted and judged."""
RULE_SET_1_NUCLEASE: Final = "SpCas9"
_RANK: Final = {"pass": 0, "inconclusive": 1, "fail": 2}


@dataclass(frozen=True)
class GuideDesign:
    """The answer for one target.

    - `guides`: ranked; `requirements`: what they were judged by; `genome`: digest of what was searched.
    """

    target: Target
    contig: str
    nuclease: Nuclease
    requirements: GuideRequirements
    genome: str
    guides: tuple[Guide, ...]
    candidates: int

    @property
    def verdict(self) -> VerdictWord:
        """That of the best guide; without a candidate it fails."""
        return self.guides[0].verdict.verdict if self.guides else "fail"

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "target": self.target.name,
            "contig": self.contig,
            "start": self.target.start + 1,
            "length": self.target.length,
            "copies_in_genome": self.target.copies,
            "nuclease": self.nuclease.name,
            "pams_searched": list(self.nuclease.searched),
            "genome_digest": self.genome,
            "candidates": self.candidates,
            "verdict": self.verdict,
            "guides": [guide.to_data() for guide in self.guides],
        }


@dataclass(frozen=True)
class _Candidate:
    sequence: str
    pam: str
    start: int
    strand: str
    cut: int
    context: str | None


def design_guides(
    index: GenomeIndex,
    target: Target,
    nuclease: str = "SpCas9",
    *,
    requirements: GuideRequirements | None = None,
    count: int | None = None,
    progress: Progress = silent,
) -> GuideDesign:
    """Every guide that cuts inside `target`, ranked: verdict, then CFD specificity, then nearest other site, then
    predicted activity, then place.

    - `count`: of guides kept, the best; by default all.

    The guide's own site is not an off-target; a second copy of the target is. Raises `InputError` for an unknown
    nuclease or an index without its PAMs.
    """
    wanted, kind = requirements or GuideRequirements(), nuclease_of(nuclease)
    if count is not None and count < 1:
        raise InputError(f"{count} guides", remedy="Ask for one or more.")
    contig = target.name if target.contig is None else index.contigs[target.contig].name
    found = _candidates(target, kind)
    others = _others(index, target, found, kind, wanted, progress)
    guides = [
        _judged(index, target, contig, kind, wanted, candidate, hits)
        for candidate, hits in zip(found, others, strict=True)
    ]
    guides.sort(key=_rank)
    return GuideDesign(target, contig, kind, wanted, index.digest, tuple(guides[:count]), len(guides))


def _rank(guide: Guide) -> tuple[Any, ...]:
    nearest = next((at for at, number in enumerate(guide.counts) if number), len(guide.counts))
    return (
        _RANK[guide.verdict.verdict],
        -(guide.specificity or 0.0),
        -nearest,
        -(guide.activity or 0.0),
        guide.start,
        guide.strand,
    )


def _candidates(target: Target, nuclease: Nuclease) -> list[_Candidate]:
    """Guides whose cut falls between two bases of the target, or at its edge; by place in `target.codes`."""
    size, pam = nuclease.length, len(nuclease.pam)
    low, high = reach(size, nuclease.pam), len(target.codes) - reach(size, nuclease.pam)
    places, words = find_sites(target.codes, low, high, nuclease.pam, size, pam_first=nuclease.pam_first)
    bases, room = bases_of(words, size), room_of(words)
    found = []
    for at, place in enumerate(places.tolist()):
        minus = bool(words[at] >> np.uint64(STRAND_SHIFT))
        right = minus != nuclease.pam_first
        cut = place + pam + nuclease.cut if right else place - nuclease.cut
        if room[at] < ROOM_EXACT or not FLANK <= cut <= FLANK + target.length:
            continue
        letters = letters_of(bases[at])
        sequence = letters if nuclease.pam_first else letters[::-1]
        start, strand = place + pam if right else place - size, "-" if minus else "+"
        motif = _read(target, place, place + pam, strand)
        context = _context(target, start, strand) if nuclease.name == RULE_SET_1_NUCLEASE else None
        found.append(_Candidate(sequence, motif, start, strand, cut, context))
    return sorted(found, key=lambda item: (item.start, item.strand))


def _read(target: Target, start: int, end: int, strand: str) -> str:
    letters = letters_of(target.codes[start:end])
    return letters if strand == "+" else complement(letters)


def _context(target: Target, start: int, strand: str) -> str | None:
    """The 30 letters that Rule Set 1 reads; none where one of them is not known."""
    before, after = CONTEXT_BEFORE, CONTEXT_LENGTH - CONTEXT_BEFORE
    first, last = (start - before, start + after) if strand == "+" else (start + 20 - after, start + 20 + before)
    letters = _read(target, first, last, strand)
    return None if "N" in letters else letters


def _others(
    index: GenomeIndex,
    target: Target,
    found: Sequence[_Candidate],
    nuclease: Nuclease,
    wanted: GuideRequirements,
    progress: Progress,
) -> list[OtherSites]:
    """For every candidate the sites of the genome that are not its own; as arrays, for a large genome has millions."""
    guides, most = [candidate.sequence for candidate in found], wanted.mismatches
    plain, bulged = (np.zeros((len(found), most + 1), dtype=np.int64) for _ in range(2))
    sums, own = np.zeros(len(found)), np.zeros(len(found), dtype=np.int64)
    nearest: list[list[Hit]] = [[] for _ in found]
    for hits in search_guides(index, guides, nuclease, mismatches=most, bulge=wanted.bulge, progress=progress):
        exact = np.flatnonzero((hits.mismatches == 0) & (hits.kind == 0))
        mine = np.array([at for at in exact.tolist() if _is_own(index, target, found, hits.take(np.array([at])))], int)
        np.add.at(own, hits.guide[mine], 1)
        others = hits.take(np.delete(np.arange(len(hits)), mine)).by_nearness()
        plain += others.counts(most)
        bulged += others.counts(most, bulged=True)
        sums += np.bincount(others.guide, weights=others.cfd(), minlength=len(found))
        rank = np.arange(len(others)) - np.searchsorted(others.guide, others.guide)
        for number, hit in others.take(np.flatnonzero(rank < SHOWN_OFF_TARGETS)).rows():
            nearest[number].append(hit)
    assert target.contig is None or (own == 1).all(), "a candidate is not in the index"
    return [
        OtherSites(tuple(plain[at].tolist()), tuple(bulged[at].tolist()), float(sums[at]), _few(nearest[at]))
        for at in range(len(found))
    ]


def _few(hits: list[Hit]) -> tuple[Hit, ...]:
    """The nearest of all PAMs, by edits and CFD."""
    order = sorted(hits, key=lambda hit: (hit.mismatches + bool(hit.bulge), -(hit.cfd or 0.0), hit.contig, hit.start))
    return tuple(order[:SHOWN_OFF_TARGETS])


def _is_own(index: GenomeIndex, target: Target, found: Sequence[_Candidate], one: Hits) -> bool:
    """Whether a perfect hit is the candidate's own site."""
    if target.contig is None:
        return False
    number, hit = next(one.rows())
    candidate, contig = found[number], index.contigs[target.contig].name
    own = (contig, _place(index, target, candidate.start), candidate.strand)
    return (hit.contig, hit.start, hit.strand) == own


def _place(index: GenomeIndex, target: Target, at: int) -> int:
    """The place in the contig of a place in `target.codes`."""
    place = target.start + at - FLANK
    if index.circular and target.contig is not None:
        place %= index.contigs[target.contig].length
    return place


def _judged(
    index: GenomeIndex,
    target: Target,
    contig: str,
    nuclease: Nuclease,
    wanted: GuideRequirements,
    candidate: _Candidate,
    others: OtherSites,
) -> Guide:
    """The candidate with everything that was found about it."""
    verdict, specific = judge_guide(
        candidate.sequence,
        others,
        wanted,
        known_share=index.known_share,
        copies=target.copies,
        scored_by_cfd=not nuclease.pam_first,
    )
    activity = None if candidate.context is None else rule_set_1(candidate.context)
    start = _place(index, target, candidate.start)
    return Guide(
        name=f"{contig}_{start + 1}{candidate.strand}",
        sequence=candidate.sequence,
        pam=candidate.pam,
        contig=contig,
        start=start,
        end=start + nuclease.length,
        strand=candidate.strand,
        cut=_place(index, target, candidate.cut),
        offset=candidate.start - FLANK,
        context=candidate.context,
        gc=(candidate.sequence.count("G") + candidate.sequence.count("C")) / nuclease.length,
        activity=activity,
        editing=None if nuclease.pam_first else _editing(target, candidate, _place(index, target, candidate.cut)),
        counts=others.counts,
        bulged_counts=others.bulged_counts if wanted.bulge else None,
        specificity=specific,
        off_targets=others.nearest,
        verdict=verdict,
        reasons=reasons(verdict, activity),
    )


def _editing(target: Target, candidate: _Candidate, cut: int) -> Editing:
    """Windows of base and prime editors that are built on SpCas9."""

    def positions(letter: str, window: tuple[int, int]) -> tuple[int, ...]:
        return tuple(at for at in range(window[0], window[1] + 1) if candidate.sequence[at - 1] == letter)

    first, last = PRIME_WINDOW
    prime = (cut + first, cut + last) if candidate.strand == "+" else (cut - first + 1, cut - last + 1)
    extension = _extension(target, candidate)
    return Editing(positions("C", CBE_WINDOW), positions("A", ABE_WINDOW), prime, extension)


def _extension(target: Target, candidate: _Candidate) -> PrimeExtension | None:
    """Primer binding site and what lies behind the nick; none where a letter of them is not known."""
    cut, (shortest, longest) = candidate.cut, TEMPLATE_LENGTHS
    if candidate.strand == "+":
        before, behind = (cut - PBS_LENGTH, cut), (cut, cut + longest)
    else:
        before, behind = (cut, cut + PBS_LENGTH), (cut - longest, cut)
    binding, reached = (_read(target, *span, candidate.strand) for span in (before, behind))
    if "N" in binding + reached:
        return None
    avoided = tuple(size for size in range(shortest, longest + 1) if reached[size - 1] == "G")
    return PrimeExtension(complement(binding), reached, avoided)
