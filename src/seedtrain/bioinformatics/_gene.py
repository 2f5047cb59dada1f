"""A designed gene: its sequence, figures, the limits that it was held to, and its lever on the culture."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.bioinformatics._protein import Protein
from seedtrain.quality import Verdict

DEFAULT_SITES: Final = ("BsaI", "BsmBI", "NdeI", "XhoI", "NcoI", "BamHI", "HindIII", "EcoRI")


@dataclass(frozen=True)
class GeneRequirements:
    """What a gene must be: each limit with what is preferred and how far it may be relaxed and still pass.

    - `sites`: restriction enzymes without a site in the gene; `patterns`: further IUPAC patterns, on both strands.
    - `gc`, `gc_allowed`: GC fraction of any `window` nucleotides; not judged in a gene shorter than that.
    - `repeat`, `repeat_allowed`: longest stretch that stands twice on either strand, nucleotides.
    - `homopolymer`, `homopolymer_allowed`: longest run of one nucleotide.
    - `cai_lowest`: codon adaptation index.

    The defaults are assumed: what houses of gene synthesis commonly advise.
    """

    sites: tuple[str, ...] = DEFAULT_SITES
    patterns: tuple[str, ...] = ()
    window: int = 50
    gc: tuple[float, float] = (0.35, 0.65)
    gc_allowed: tuple[float, float] = (0.25, 0.75)
    repeat: int = 19
    repeat_allowed: int = 29
    homopolymer: int = 6
    homopolymer_allowed: int = 8
    cai_lowest: float = 0.6

    def __post_init__(self) -> None:
        (low, high), (lowest, highest) = self.gc, self.gc_allowed
        faults = [
            (
                not 0 <= lowest <= low < high <= highest <= 1,
                f"GC {self.gc} within {self.gc_allowed}",
                "0 <= low < high",
            ),
            (self.window < 10, f"a GC window of {self.window} nt", "10 nt or more"),
            (not 8 <= self.repeat <= self.repeat_allowed, f"a longest repeat of {self.repeat} nt", "8 nt or more"),
            (not 3 <= self.homopolymer <= self.homopolymer_allowed, f"a run of {self.homopolymer} nt", "3 nt or more"),
            (not 0 <= self.cai_lowest <= 1, f"a CAI of {self.cai_lowest}", "0 to 1"),
        ]
        for wrong, what, limit in faults:
            if wrong:
                raise InputError(f"{what} cannot be asked for", remedy=f"Give {limit}, within what is allowed.")

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {name: list(x) if isinstance(x, tuple) else x for name, x in dataclasses.asdict(self).items()}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> GeneRequirements:
        """The requirements of `to_data`."""
        fields: dict[str, Any] = {name: tuple(x) if isinstance(x, list) else x for name, x in data.items()}
        return cls(**fields)


@dataclass(frozen=True)
class Relaxation:
    """A limit that no gene was found to meet: `asked`, `used` instead, and the first residue where it stuck."""

    limit: str
    asked: str
    used: str
    residue: int


@dataclass(frozen=True)
class GeneFigures:
    """Measured on the finished sequence, not taken from the tool that made it.

    - `length`: nt with start and stop. `cai`: against the host's highly expressed genes; `cai_genome`: against its
      whole genome; both `None` where no codon has a synonym. `gc`, `gc_window_low`, `gc_window_high`: fractions.
    - `longest_repeat`: nt, either strand; `unique_words`: share of places whose `word` nt stand nowhere else.
    - `longest_homopolymer`: nt. `start_gc`: of the first `start_length` nt; `start_stem`: base pairs of the longest
      perfect hairpin there (no folding energy). `avoided_codons`, `internal_starts`: counts.
    - `start_energy`: kcal/mol, least free energy at 37 degrees Celsius of the host's leader and the start of the gene.
    """

    length: int
    cai: float | None
    cai_genome: float | None
    gc: float
    gc_window_low: float
    gc_window_high: float
    longest_repeat: int
    word: int
    unique_words: float
    longest_homopolymer: int
    start_length: int
    start_gc: float
    start_stem: int
    start_energy: float
    avoided_codons: int
    internal_starts: int


@dataclass(frozen=True)
class TranslationRule:
    """How the gene moves the culture's `q_P_max`: (CAI / `reference`) ** `exponent`, within `lowest` and `highest`."""

    reference: float = 0.8
    exponent: float = 0.5
    lowest: float = 0.5
    highest: float = 1.1
    status: str = "assumed"
    source: str = (
        "assumed: an exponent between none (Kudla et al. 2009, Science 324:255: no correlation of CAI with expression "
        "among 154 synonymous genes) and one (elongation alone limits)"
    )

    def factor(self, cai: float | None) -> float:
        """Dimensionless factor on `q_P_max`; 1 where the gene has no choice of codons."""
        if cai is None:
            return 1.0
        return float(min(self.highest, max(self.lowest, (cai / self.reference) ** self.exponent)))


TRANSLATION_RULE: Final = TranslationRule()


@dataclass(frozen=True)
class Gene:
    """A coding sequence for `product` in `host`.

    - `dna`: from the start codon to the stop, upper case. `encoded`: what it encodes, the first Met included.
    - `methionine`: `own` where the product starts with Met, `added` where the gene had to add it.
    - `methionine_removed`: whether the host is assumed to cut it off, from the second residue.
    - `translation_factor`: factor on the culture's `q_P_max` by `TRANSLATION_RULE`; assumed.
    """

    name: str
    dna: str
    product: Protein
    encoded: str
    host: str
    organism: str
    seed: int
    methionine: str
    methionine_removed: bool
    methionine_source: str
    requirements: GeneRequirements
    relaxed: tuple[Relaxation, ...]
    figures: GeneFigures
    checks: Verdict
    translation_factor: float
    sources: tuple[str, ...]

    @property
    def protein(self) -> Protein:
        """The product that was asked for."""
        return self.product

    @property
    def mature(self) -> str:
        """The chain that the host is assumed to leave."""
        return self.encoded[1:] if self.methionine_removed else self.encoded

    @property
    def lever(self) -> tuple[str, float, str, str]:
        """Name of the culture's parameter that the gene moves, the factor on it, its status and its source."""
        return "q_P_max", self.translation_factor, TRANSLATION_RULE.status, TRANSLATION_RULE.source

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures must know, in the language in use."""
        notes = []
        if self.methionine == "added":
            notes.append(_("The product has no methionine to start with; the gene adds one."))
        if self.methionine_removed:
            notes.append(
                _("Assumed: the host removes the first methionine, because {residue} follows it.").format(
                    residue=self.encoded[1:2]
                )
            )
        else:
            notes.append(_("Assumed: the first methionine stays on the product."))
        for item in self.relaxed:
            notes.append(
                _(
                    "No gene was found with {limit} {asked} (stuck at residue {residue}); {used} was used instead."
                ).format(limit=limit_words(item.limit), asked=item.asked, residue=item.residue, used=item.used)
            )
        notes.append(
            _(
                "Assumed: the gene moves q_P_max by (CAI/{reference})^{exponent}, {lowest} to {highest}; here {factor}."
            ).format(
                reference=TRANSLATION_RULE.reference,
                exponent=TRANSLATION_RULE.exponent,
                lowest=TRANSLATION_RULE.lowest,
                highest=TRANSLATION_RULE.highest,
                factor=f"{self.translation_factor:.3f}",
            )
        )
        return tuple(notes)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready; `from_data` reads it back."""
        data = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        data["product"] = self.product.to_data()
        data["requirements"] = self.requirements.to_data()
        data["relaxed"] = [dataclasses.asdict(item) for item in self.relaxed]
        data["figures"] = dataclasses.asdict(self.figures)
        data["checks"] = self.checks.to_data()
        data["translation_rule"] = dataclasses.asdict(TRANSLATION_RULE)
        data["sources"] = list(self.sources)
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Gene:
        """The gene of `to_data`."""
        fields = {item.name: data[item.name] for item in dataclasses.fields(cls)}
        fields["product"] = Protein.from_data(data["product"])
        fields["requirements"] = GeneRequirements.from_data(data["requirements"])
        fields["relaxed"] = tuple(Relaxation(**item) for item in data["relaxed"])
        fields["figures"] = GeneFigures(**data["figures"])
        fields["checks"] = Verdict.from_data(data["checks"])
        fields["sources"] = tuple(data["sources"])
        return cls(**fields)


def limit_words(limit: str) -> str:
    """A criterion or a limit of a gene in the language in use; enzymes and patterns keep their names."""
    return {
        "translation": _("translation"),
        "restriction sites": _("restriction sites"),
        "forbidden patterns": _("forbidden patterns"),
        "GC window": _("GC window"),
        "longest repeat": _("longest repeat"),
        "homopolymer": _("homopolymer"),
        "avoided codons": _("avoided codons"),
        "structure of the start": _("structure of the start"),
        "codon adaptation index": _("codon adaptation index"),
    }.get(limit, limit)
