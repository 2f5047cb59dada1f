"""From a plan to a construct: product, primers, fragments, the simulation of its cloning, and the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

from seedtrain.base import Progress, silent
from seedtrain.base import translate as _
from seedtrain.bioinformatics._constructs._assemble import Assembly, Fragment, Piece, assemble, cuts, sites
from seedtrain.bioinformatics._constructs._overhangs import fidelity, weaknesses
from seedtrain.bioinformatics._constructs._plan import AssemblyPlan
from seedtrain.bioinformatics._constructs._primers import Primer
from seedtrain.bioinformatics._constructs._record import DnaRecord, same_circle
from seedtrain.bioinformatics._constructs._simulate import simulated_pcr, simulated_products
from seedtrain.bioinformatics._hosts import reverse_complement
from seedtrain.quality import Criterion, Verdict, VerdictWord

MELTING_SPREAD: Final = 5.0
"""Degrees Celsius that a primer may melt away from what was asked for (assumed)."""
HAIRPIN_LOWEST: Final = -9.0
"""kcal/mol, of a primer with its tail (assumed, as suppliers advise); below it the PCR is in doubt."""
FIDELITY_LOWEST: Final = 0.9
"""Share of assemblies without a wrong ligation (assumed)."""


@dataclass(frozen=True)
class Construct:
    """A planned construct.

    - `product`: the annotated circle. `pieces`: what each part gives to it. `overhangs`: of each junction, where an
      enzyme leaves them. `by_products`: other circles of all fragments that pydna finds.
    """

    plan: AssemblyPlan
    product: DnaRecord
    pieces: tuple[Piece, ...]
    fragments: tuple[Fragment, ...]
    overhangs: tuple[str, ...]
    fidelity: float | None
    by_products: tuple[str, ...]
    verdict: Verdict

    @property
    def primers(self) -> tuple[Primer, ...]:
        """All that are to be ordered."""
        return tuple(primer for fragment in self.fragments for primer in fragment.primers)

    @property
    def broken(self) -> tuple[str, ...]:
        """Features of the parts' files that the product does not hold whole."""
        return tuple(dict.fromkeys(label for piece in self.pieces for label in piece.broken))

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "construct": self.plan.name,
            "method": self.plan.method,
            "enzymes": list(self.plan.enzymes),
            "product": self.product.to_data(),
            "parts": [
                {"name": item.part.name, "supply": item.part.supply, "length": len(item.record)} for item in self.pieces
            ],
            "fragments": [item.to_data() for item in self.fragments],
            "primers": [item.to_data() for item in self.primers],
            "overhangs": list(self.overhangs),
            "overhang_fidelity": self.fidelity,
            "features_cut_apart": list(self.broken),
            "by_products_bp": [len(item) for item in self.by_products],
            "verdict": self.verdict.to_data(),
        }


def design_construct(plan: AssemblyPlan, *, simulated: bool = True, progress: Progress = silent) -> Construct:
    """The construct of a plan: assembled in the order of its parts, then cloned by pydna, which must find the same.

    - `simulated`: without it the cloning is not simulated, and its criterion is inconclusive.

    Raises `InputError` for a plan that cannot be built and `UnavailableError` where pydna is not installed.
    """
    progress(0.0, _("parts, primers and fragments"))
    made = assemble(plan)
    progress(0.4, _("simulated cloning"))
    circles, criteria, evidence = _cloned(plan, made) if simulated else _not_cloned()
    share = fidelity(made.overhangs, plan.counts) if plan.counts and made.overhangs else None
    criteria += _quality(plan, made, share)
    evidence += list(weaknesses(made.overhangs))
    if made.overhangs and plan.counts is None:
        evidence.append("overhangs judged by rules: no table of ligations for this enzyme")
    elif made.overhangs:
        evidence.append(f"overhangs judged by ligations counted: {plan.ligations}")
    packages = ("biopython", *(("pydna",) if simulated else ()), "seedtrain", "seqfold")
    verdict = Verdict.of(criteria, evidence, {name: version(name) for name in packages})
    others = tuple(text for text in circles if not same_circle(text, made.product.sequence))
    progress(1.0, _("verdict"))
    return Construct(plan, made.product, made.pieces, made.fragments, made.overhangs, share, others, verdict)


def _cloned(plan: AssemblyPlan, made: Assembly) -> tuple[list[str], list[Criterion], list[str]]:
    """Circles that pydna makes of all fragments, what that says of the plan, and the evidence."""
    amplified = {item.name: simulated_pcr(item) for item in made.fragments if item.supply == "pcr"}
    circles = simulated_products(plan, made.fragments)
    meant = [text for text in circles if _holds(text, made.pieces[0].record.sequence)]
    evidence = [f"circles of all fragments by pydna: {', '.join(f'{len(x)} bp' for x in circles) or 'none'}"]
    evidence += [f"PCR products of {name}: {len(found)}" for name, found in amplified.items()]
    return circles, list(_cloning(made, amplified, meant)), evidence


def _not_cloned() -> tuple[list[str], list[Criterion], list[str]]:
    words = "cloning was not simulated: that needs pydna (pip install 'seedtrain[constructs]')"
    return [], [Criterion("product", None, None, "= identical", None, "inconclusive")], [words]


def _holds(circle: str, piece: str) -> bool:
    """Whether a circle contains a piece, on either strand."""
    doubled = circle + circle[: len(piece)]
    return piece in doubled or reverse_complement(piece) in doubled


def _cloning(made: Assembly, amplified: dict[str, list[str]], meant: Sequence[str]) -> Iterator[Criterion]:
    """Whether the simulation finds the product, and nothing else with the first part in it."""
    wrong = [item.name for item in made.fragments if item.supply == "pcr" and amplified[item.name] != [item.sequence]]
    if amplified:
        value = "one each, as planned" if not wrong else f"not so: {', '.join(wrong)}"
        yield _of("PCR products", value, "= one each, as planned", not wrong)
    yield _of("circles with the first part", len(meant), "= 1", len(meant) == 1)
    same = any(same_circle(text, made.product.sequence) for text in meant)
    yield _of("product", "identical" if same else "different", "= identical", same)


def _quality(plan: AssemblyPlan, made: Assembly, share: float | None) -> Iterator[Criterion]:
    if plan.enzymes:
        yield _sites(plan, made)
    if plan.method == "restriction":
        wanted = len(set(plan.enzymes))
        found = sum(len(cuts(made.fragments[0].sequence, name, circular=True)) for name in set(plan.enzymes))
        few: VerdictWord = "pass" if found == wanted else "inconclusive"
        yield Criterion("cuts of the vector", found, None, f"= {wanted}", None, few)
    if made.overhangs:
        clashes = weaknesses(made.overhangs)
        if share is not None:
            kept = share >= FIDELITY_LOWEST
            yield _of("overhang fidelity", round(share, 4), f">= {FIDELITY_LOWEST:g}", kept)
        else:
            word: VerdictWord = "inconclusive" if clashes else "pass"
            yield Criterion("overhangs against each other", len(clashes), None, "= 0", None, word)
    primers = [primer for item in made.fragments for primer in item.primers]
    if primers:
        yield from _primer_criteria(plan, primers)
    coding = [item for item in made.product.features if item.key == "CDS" and item.qualifiers.get("translation")]
    if coding:
        broken = [item.label for item in coding if not _translates(made.product, item)]
        value = f"{len(coding)} as stated" if not broken else f"different: {', '.join(broken)}"
        yield _of("coding sequences", value, "= as stated", not broken)


def _sites(plan: AssemblyPlan, made: Assembly) -> Criterion:
    """Sites where a fragment would be cut a second time: none may be left inside a piece."""
    inside = {
        item.part.name: count
        for item in made.pieces
        if (count := sum(sites(item.record.sequence[6:-6], name) for name in dict.fromkeys(plan.enzymes)))
    }
    value = "none" if not inside else ", ".join(f"{name} {count}" for name, count in inside.items())
    return _of("enzyme sites inside a part", value, "= none", not inside)


def _primer_criteria(plan: AssemblyPlan, primers: Sequence[Primer]) -> Iterator[Criterion]:
    melting = [item.melting for item in primers]
    low, high = plan.conditions.melting - MELTING_SPREAD, plan.conditions.melting + MELTING_SPREAD
    value = f"{min(melting):.1f} .. {max(melting):.1f} C"
    yield _of("melting temperatures", value, f"{low:.1f} .. {high:.1f} C", low <= min(melting) and max(melting) <= high)
    elsewhere = [item.name for item in primers if item.sites != 1]
    value = "one place each" if not elsewhere else f"not so: {', '.join(elsewhere)}"
    yield _of("places of the primers", value, "= one place each", not elsewhere)
    worst = min(item.hairpin for item in primers)
    word: VerdictWord = "pass" if worst >= HAIRPIN_LOWEST else "inconclusive"
    limit = f">= {HAIRPIN_LOWEST:g} kcal/mol"
    yield Criterion("hairpins of the primers", f"{worst:.1f} kcal/mol", None, limit, None, word)


def _translates(record: DnaRecord, feature: Any) -> bool:
    """Whether a coding sequence still encodes what its annotation states."""
    from Bio.Seq import Seq

    make: Any = Seq
    start = int((feature.qualifiers.get("codon_start") or ("1",))[0]) - 1
    table = int((feature.qualifiers.get("transl_table") or ("1",))[0])
    letters = record.text_of(feature)[start:]
    found = str(make(letters[: len(letters) // 3 * 3]).translate(table=table)).rstrip("*")
    stated = "".join(feature.qualifiers["translation"][0].split()).rstrip("*")
    return found[1:] == stated[1:] and found[:1] in {stated[:1], "V", "L", "I", "M"}


def _of(name: str, value: str | float, limit: str, kept: bool) -> Criterion:
    return Criterion(name, value, None, limit, None, "pass" if kept else "fail")


def construct_words(name: str) -> str:
    """A criterion's name in the language in use; a name that is none of ours as it stands."""
    return {
        "PCR products": _("PCR products"),
        "circles with the first part": _("circles with the first part"),
        "product": _("product"),
        "enzyme sites inside a part": _("enzyme sites inside a part"),
        "cuts of the vector": _("cuts of the vector"),
        "overhang fidelity": _("overhang fidelity"),
        "overhangs against each other": _("overhangs against each other"),
        "melting temperatures": _("melting temperatures"),
        "places of the primers": _("places of the primers"),
        "hairpins of the primers": _("hairpins of the primers"),
        "coding sequences": _("coding sequences"),
    }.get(name, name)
