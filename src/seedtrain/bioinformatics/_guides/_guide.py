"""A guide, what is asked of it, and what was found about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from seedtrain.bioinformatics._guides._search import Hit
from seedtrain.quality import Verdict

Promoter = Literal["pol_iii", "bacterial"]

CBE_WINDOW: Final = (4, 8)
"""Positions, 1 far from the PAM, where BE3 turns C into T (Komor et al. 2016, Nature 533:420)."""
ABE_WINDOW: Final = (4, 8)
"""Positions where ABE8e turns A into G (Richter et al. 2020, Nat Biotechnol 38:883); ABE7.10 reaches 4 to 7 (Gaudelli
et al. 2017, Nature 551:464)."""
PRIME_WINDOW: Final = (1, 16)
"""Bases behind the nick that a reverse-transcription template of 10 to 16 nt reaches, the length that is tried first
(Anzalone et al. 2019, Nature 576:149); longer templates reach further."""
PBS_LENGTH: Final = 13
"""Bases of the primer binding site that are tried first (Anzalone et al. 2019)."""
TEMPLATE_LENGTHS: Final = (10, 16)
"""Of the reverse-transcription template, tried first (Anzalone et al. 2019)."""
POL_III_STOP: Final = "TTTT"
"""Ends transcription by RNA polymerase III (Braglia et al. 2005, J Biol Chem 280:19551)."""


@dataclass(frozen=True)
class GuideRequirements:
    """What a guide must meet. Every default limit but that of specificity is assumed, to be set for
    one's own work.

    - `mismatches`: searched up to here, exactly; `bulge`: whether one bulge is searched as well.
    - `nearest_lowest`: mismatches that the nearest other site must have at least.
    - `bulged_lowest`: the same for sites with one bulge, whose bulge is counted beside.
    - `specificity_lowest`: of the CFD specificity, 0 to 1, where CFD is known (Tycko et al. 2019, Nat Commun 10:4063:
      guides at 0.2 and below, counted to 3 mismatches, were toxic by their off-targets in a human genome).
    - `gc`: fraction, low and high; `homopolymer`: longest run allowed, nt.
    - `promoter`: `pol_iii` (U6, 7SK, SNR52) forbids TTTT, `bacterial` does not.
    - `known_share`: of the genome that must be A, C, G or T before the absence of off-targets means anything.
    """

    mismatches: int = 4
    bulge: bool = True
    nearest_lowest: int = 3
    bulged_lowest: int = 1
    specificity_lowest: float = 0.2
    gc: tuple[float, float] = (0.25, 0.80)
    homopolymer: int = 4
    promoter: Promoter = "pol_iii"
    known_share: float = 0.9


@dataclass(frozen=True)
class PrimeExtension:
    """What the 3' end of a prime-editing guide is made of, as DNA, 5' to 3'.

    - `binding`: the primer binding site; it pairs with the `PBS_LENGTH` bases in front of the nick.
    - `reached`: bases behind the nick on the guide's strand, up to the longest template. The template is the reverse
      complement of as many of them as it is long, with the edit written in, and stands in front of `binding`.
    - `avoided`: lengths of the unedited template that make the extension begin with C, which disturbs the scaffold
      (Anzalone et al. 2019, Nature 576:149).
    """

    binding: str
    reached: str
    avoided: tuple[int, ...]

    @property
    def binding_gc(self) -> float:
        """G and C of the primer binding site, fraction; about 0.4 to 0.6 is tried first."""
        return (self.binding.count("G") + self.binding.count("C")) / len(self.binding)


@dataclass(frozen=True)
class Editing:
    """What else the guide's site allows, each 1-based: positions in the guide, or places on the plus strand.

    - `cytosines`, `adenines`: positions of C or A in the windows of base editors; whichever is meant, the others of its
      letter are bystanders.
    - `prime`: first and last base that a prime editor's template reaches, in the order of the guide's strand.
    - `extension`: letters for it, where all are known.
    """

    cytosines: tuple[int, ...]
    adenines: tuple[int, ...]
    prime: tuple[int, int] | None
    extension: PrimeExtension | None = None

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "cytosine_base_editor": _base_editor(CBE_WINDOW, self.cytosines),
            "adenine_base_editor": _base_editor(ABE_WINDOW, self.adenines),
            "prime_editor": None if self.prime is None else self._prime(*self.prime),
        }

    def _prime(self, first: int, last: int) -> dict[str, Any]:
        data: dict[str, Any] = {"first": first, "last": last}
        if self.extension is not None:
            data["primer_binding_site"] = self.extension.binding
            data["primer_binding_site_gc"] = round(self.extension.binding_gc, 4)
            data["behind_the_nick"] = self.extension.reached
            data["template_lengths"] = list(TEMPLATE_LENGTHS)
            data["template_lengths_to_avoid"] = list(self.extension.avoided)
        return data


def _base_editor(window: tuple[int, int], positions: tuple[int, ...]) -> dict[str, Any]:
    bystanders = {str(at): [other for other in positions if other != at] for at in positions}
    return {"window": list(window), "positions": list(positions), "bystanders": bystanders}


@dataclass(frozen=True)
class OtherSites:
    """What a search found beside a guide's own site.

    - `counts`, `bulged_counts`: by mismatches, without and with a bulge; `cfd_sum`: of CFD over those without.
    - `nearest`: the nearest few.
    """

    counts: tuple[int, ...]
    bulged_counts: tuple[int, ...]
    cfd_sum: float
    nearest: tuple[Hit, ...]


@dataclass(frozen=True)
class Guide:
    """One candidate with everything that is known about it.

    - `start`, `end`: of the protospacer, 0-based half-open on the plus strand of the genome, or of the target where
      that does not stand in the genome; `cut`: bases before the cut on that strand;
      `offset`: of the protospacer from the beginning of the target.
    - `context`: 30 letters for Rule Set 1, where known; `activity`: what that predicts, 0 to 1.
    - `counts`, `bulged_counts`: other sites by number of mismatches, without and with a bulge.
    - `specificity`: from CFD, 0 to 1; `off_targets`: the nearest other sites.
    - `reasons`: why it stands where it stands, in the language in use at the time of the design.
    """

    name: str
    sequence: str
    pam: str
    contig: str
    start: int
    end: int
    strand: str
    cut: int
    offset: int
    context: str | None
    gc: float
    activity: float | None
    editing: Editing | None
    counts: tuple[int, ...]
    bulged_counts: tuple[int, ...] | None
    specificity: float | None
    off_targets: tuple[Hit, ...]
    verdict: Verdict
    reasons: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        """JSON-ready; `start` counts from 1 and `end` is the last base."""
        return {
            "name": self.name,
            "sequence": self.sequence,
            "pam": self.pam,
            "contig": self.contig,
            "start": self.start + 1,
            "end": self.end,
            "strand": self.strand,
            "cut_after": self.cut,
            "gc": round(self.gc, 4),
            "activity_rule_set_1": None if self.activity is None else round(self.activity, 6),
            "specificity_cfd": None if self.specificity is None else round(self.specificity, 6),
            "off_targets_by_mismatches": list(self.counts),
            "bulged_off_targets_by_mismatches": None if self.bulged_counts is None else list(self.bulged_counts),
            "nearest_off_targets": [hit.to_data() for hit in self.off_targets],
            "editing": None if self.editing is None else self.editing.to_data(),
            "verdict": self.verdict.to_data(),
            "reasons": list(self.reasons),
        }
