"""A messenger for a protein: untranslated regions, poly-A, and a coding sequence out of the front, with its checks."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

from seedtrain.base import InputError, Progress, digest, part, silent
from seedtrain.base import translate as _
from seedtrain.bioinformatics._checks import restriction_sites, translate
from seedtrain.bioinformatics._constructs import DnaRecord, Feature
from seedtrain.bioinformatics._design import design_gene
from seedtrain.bioinformatics._draft import Limits
from seedtrain.bioinformatics._fold import start_energy, window_energy
from seedtrain.bioinformatics._fold_whole import DEFAULT_LIMIT, Vienna
from seedtrain.bioinformatics._gene import GeneRequirements
from seedtrain.bioinformatics._hosts import Host, read_host
from seedtrain.bioinformatics._measure import places
from seedtrain.bioinformatics._mrna._front import Candidate, front, measured, undominated
from seedtrain.bioinformatics._mrna._parts import Utr, poly_a, utr
from seedtrain.bioinformatics._protein import Protein
from seedtrain.quality import Criterion, Verdict, VerdictWord

CAP_WINDOW: Final = 50
"""Nucleotides behind the cap that must not fold strongly."""
CAP_ENERGY: Final = -15.0
"""kcal/mol (assumed: Babendure et al. 2006, RNA 12:851, find cap-proximal hairpins of -25 to -35 to be enough to stop
ribosomes)."""
POLY_A_LEAST: Final = 60
"""A in all (assumed; Holtkamp et al. 2006, Blood 108:4009, find 120 better than less)."""
URIDINE_WEIGHT: Final = 1.0
"""What one U counts beside a unit of ln w, and beside structure, where uridine is to be depleted (assumed)."""
LONGEST_PROTEIN: Final = 1_500
GC_PREFERRED: Final = (0.35, 0.75)
GC_ALLOWED: Final = (0.25, 0.80)
"""Of any 50 nt: wider than for a gene, because structure is made of G and C (assumed)."""


@dataclass(frozen=True)
class MessengerQuestion:
    """What a messenger must be.

    - `utr5`, `utr3`: names that Seedtrain ships, or letters. `poly_a`: lengths, such as `30+70`.
    - `deplete_uridine`: prefer codons with less U. `whole`: fold the whole messenger too, which needs ViennaRNA.
    - `cai_lowest`: the strongest structure is taken among those that have this codon adaptation index.
    - `linearise`: the enzyme that opens the template behind the poly-A; no site of it may stand in the messenger.
    - `fold_limit`: s that ViennaRNA may take for one folding.
    """

    host: str = "human"
    utr5: str = "human_alpha_globin"
    utr3: str = "human_beta_globin"
    poly_a: str = "30+70"
    deplete_uridine: bool = False
    whole: bool = False
    cai_lowest: float = 0.8
    linearise: str = "SapI"
    seed: int = 1
    fold_limit: float = DEFAULT_LIMIT

    def __post_init__(self) -> None:
        if not 0 <= self.cai_lowest <= 1:
            raise InputError(f"a codon adaptation index of {self.cai_lowest:g}", remedy="Give 0 to 1.")


@dataclass(frozen=True)
class Messenger:
    """A designed messenger, written as DNA.

    - `coding`: taken out of `candidates`, the front from the best codons to the strongest structure.
    - `cap_energy`, `start_energy`: kcal/mol of the first `CAP_WINDOW` nucleotides, and of the Kozak leader with the
      start of the coding sequence. `structure`: of the whole in dots and brackets, where it was asked for.
    """

    name: str
    question: MessengerQuestion
    protein: Protein
    encoded: str
    utr5: Utr
    utr3: Utr
    leader: str
    tail: str
    coding: Candidate
    candidates: tuple[Candidate, ...]
    cap_energy: float
    start_energy: float
    structure: str | None
    verdict: Verdict

    @property
    def dna(self) -> str:
        """The whole messenger with T for U."""
        return self.utr5.sequence + self.leader + self.coding.dna + self.utr3.sequence + self.tail

    @property
    def record(self) -> DnaRecord:
        """The messenger with its parts as features."""
        size, found = 0, []
        kozak = self.utr5.sequence + self.leader
        parts = (
            ("5'UTR", kozak, {"label": (self.utr5.name,), "note": (self.utr5.source,)}),
            ("CDS", self.coding.dna, {"label": (self.name,), "translation": (self.encoded,), "codon_start": ("1",)}),
            ("3'UTR", self.utr3.sequence, {"label": (self.utr3.name,), "note": (self.utr3.source,)}),
            ("misc_feature", self.tail, {"label": (f"poly-A {self.question.poly_a}",)}),
        )
        for key, text, qualifiers in parts:
            found.append(Feature(key, ((size + 1, size + len(text)),), "+", qualifiers))
            size += len(text)
        return DnaRecord(self.name, self.dna, False, tuple(found), f"messenger RNA of {self.name}, as DNA")

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "question": dataclasses.asdict(self.question),
            "rna": self.dna.replace("T", "U"),
            "length": len(self.dna),
            "utr5": self.utr5.model_dump(),
            "leader": self.leader,
            "utr3": self.utr3.model_dump(),
            "poly_a": self.tail.count("A"),
            "coding": dataclasses.asdict(self.coding),
            "front": [dataclasses.asdict(item) for item in self.candidates],
            "cap_energy": self.cap_energy,
            "start_energy": self.start_energy,
            "structure": self.structure,
            "verdict": self.verdict.to_data(),
        }


def design_mrna(
    protein: Protein, question: MessengerQuestion | None = None, *, progress: Progress = silent
) -> Messenger:
    """A messenger for `protein`: of the front between codons and structure, the strongest with the codons asked for.

    The same protein and question give the same messenger; where the whole is folded, the search folds by ViennaRNA
    too, and else by seqfold. Raises `InputError` for an unknown host, UTR, enzyme or a tail of another
    form, and `UnavailableError` where the whole is to be folded without ViennaRNA, or takes longer than it may.
    """
    asked = question or MessengerQuestion()
    host, ends, tail = read_host(asked.host), (utr(asked.utr5, 5), utr(asked.utr3, 3)), poly_a(asked.poly_a)
    if len(protein) > LONGEST_PROTEIN:
        raise InputError(
            f"protein {protein.name} has {len(protein)} residues, more than {LONGEST_PROTEIN}",
            remedy="Design a shorter messenger, or only its gene (design gene).",
        )
    before, behind = ends[0].sequence + host.start.leader, ends[1].sequence + tail
    with Vienna(asked.fold_limit) if asked.whole else nullcontext() as vienna:
        encoded, found = _candidates(protein, asked, host, progress, vienna)
        candidates, chosen, structure = _taken(found, asked, (before, behind), vienna)
    whole = before + chosen.dna + behind
    cap, start = window_energy(whole[:CAP_WINDOW]), start_energy(chosen.dna, host)
    progress(1.0, _("verdict"))
    return Messenger(
        name=protein.name,
        question=asked,
        protein=protein,
        encoded=encoded,
        utr5=ends[0],
        utr3=ends[1],
        leader=host.start.leader,
        tail=tail,
        coding=chosen,
        candidates=tuple(candidates),
        cap_energy=cap,
        start_energy=start,
        structure=structure,
        verdict=_verdict(asked, host, encoded, chosen, (before, tail, whole), (cap, start)),
    )


def _taken(
    found: list[Candidate], asked: MessengerQuestion, around: tuple[str, str], vienna: Vienna | None
) -> tuple[list[Candidate], Candidate, str | None]:
    """The front, what is taken of it, and the structure of the whole messenger where ViennaRNA folds it."""
    before, behind = around
    structures: dict[str, str] = {}
    if vienna:
        folded = [vienna.fold(before + item.dna + behind) for item in found]
        structures = {item.dna: structure for item, (structure, _energy) in zip(found, folded, strict=True)}
        found = [dataclasses.replace(item, energy=energy) for item, (_shape, energy) in zip(found, folded, strict=True)]
    candidates = undominated(found)
    enough = [item for item in candidates if item.cai is None or item.cai >= asked.cai_lowest] or candidates[:1]
    chosen = min(enough, key=lambda item: (item.strength, item.dna))
    return candidates, chosen, structures.get(chosen.dna)


def _candidates(
    protein: Protein, asked: MessengerQuestion, host: Host, progress: Progress, vienna: Vienna | None = None
) -> tuple[str, list[Candidate]]:
    """What is encoded, and coding sequences for it from the best codons to the strongest structure."""
    progress(0.0, _("codons"))
    names = (asked.linearise,) if asked.linearise else ()
    wanted = GeneRequirements(sites=names, gc_allowed=GC_ALLOWED, gc=GC_PREFERRED)
    gene = design_gene(protein, asked.host, seed=asked.seed, requirements=wanted)
    forbidden = (*host.forbidden, *restriction_sites(names))
    limits = Limits(wanted.window, *wanted.gc_allowed, wanted.repeat_allowed, wanted.homopolymer, forbidden)
    texts = front(
        gene.dna,
        host,
        limits,
        uridine_weight=URIDINE_WEIGHT if asked.deplete_uridine else 0.0,
        energy=vienna.energy if vienna else window_energy,
        seed=[asked.seed, int(digest(gene.encoded)[:8], 16)],
        progress=part(progress, 0.1, 0.8),
    )
    progress(0.8, _("folding"))
    return gene.encoded, [measured(text, host, number) for number, text in texts]


def _verdict(
    asked: MessengerQuestion,
    host: Host,
    encoded: str,
    chosen: Candidate,
    texts: tuple[str, str, str],
    energies: tuple[float, float],
) -> Verdict:
    (before, tail, whole), (cap, start) = texts, energies
    same = translate(chosen.dna, host.genetic_code) == f"{encoded}*"
    upstream = len(places(before, "ATG", both=False))
    kozak = _kozak(before, chosen.dna)
    word: VerdictWord = "inconclusive" if kozak == "weak" else "pass"
    forbidden = sum(len(places(chosen.dna, item.pattern, both=item.strands == "both")) for item in host.forbidden)
    criteria = [
        _of("translation", "identical" if same else "different", "= identical", same),
        _of("forbidden patterns", forbidden, "<= 0", forbidden == 0),
        _of("AUG in front of the start", upstream, "= 0", upstream == 0),
        Criterion("context of the start", kozak, None, "= strong or adequate", None, word),
        _of("structure at the cap", f"{cap:.1f} kcal/mol", f">= {CAP_ENERGY:g} kcal/mol", cap >= CAP_ENERGY),
        _of(
            "structure of the start",
            f"{start:.1f} kcal/mol",
            f">= {host.start.energy_allowed:g} kcal/mol",
            start >= host.start.energy_allowed,
        ),
        _of("A in the tail", tail.count("A"), f">= {POLY_A_LEAST}", tail.count("A") >= POLY_A_LEAST),
    ]
    if chosen.cai is not None:
        kept = chosen.cai >= asked.cai_lowest
        criteria.append(_of("codon adaptation index", round(chosen.cai, 3), f">= {asked.cai_lowest:g}", kept))
    if asked.linearise:
        count = sum(len(places(whole, item.pattern, both=True)) for item in restriction_sites((asked.linearise,)))
        criteria.append(_of("sites of the linearising enzyme", count, "= 0", count == 0))
    names = ["biopython", "dnachisel", "seedtrain", "seqfold", *(["ViennaRNA"] if asked.whole else [])]
    evidence = ["energies of windows by seqfold" + (", of the whole by ViennaRNA" if asked.whole else "")]
    return Verdict.of(criteria, evidence, {name: version(name) for name in names}, asked.seed)


def _kozak(before: str, coding: str) -> str:
    """Strong with a purine at -3 and G at +4, adequate with one of them, else weak (Kozak 1987)."""
    good = (before[-3:-2] in {"A", "G"}) + (coding[3:4] == "G")
    return ("weak", "adequate", "strong")[good]


def _of(name: str, value: str | float, limit: str, kept: bool) -> Criterion:
    return Criterion(name, value, None, limit, None, "pass" if kept else "fail")


def messenger_words(name: str) -> str:
    """A criterion's name in the language in use; a name that is none of ours as it stands."""
    return {
        "translation": _("translation"),
        "forbidden patterns": _("forbidden patterns"),
        "AUG in front of the start": _("AUG in front of the start"),
        "context of the start": _("context of the start"),
        "structure at the cap": _("structure at the cap"),
        "structure of the start": _("structure of the start"),
        "A in the tail": _("A in the tail"),
        "codon adaptation index": _("codon adaptation index"),
        "sites of the linearising enzyme": _("sites of the linearising enzyme"),
    }.get(name, name)
