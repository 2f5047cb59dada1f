"""A cell bank's or a plasmid lot's reads against its specification: one verdict a lot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from seedtrain.base import InputErrors, SeedtrainError, digest_bytes, load, read_text
from seedtrain.bioinformatics._reads._clone import CloneReport
from seedtrain.bioinformatics._reads._criteria import share_text
from seedtrain.bioinformatics._reads._statistics import wilson
from seedtrain.quality import (
    Criterion,
    Limit,
    Specification,
    SpecificationEntry,
    Verdict,
    VerdictWord,
    combine,
    judge_interval,
)
from seedtrain.quantity import Quantity, QuantityError

IDENTITY: Final = (
    "reads of the clone",
    "thinnest strand of any site",
    "reads across any site, unbroken",
    "edit distance of the consensus",
    "length of homopolymers",
)
"""Criteria of the clone's verdict that its identity rests on."""
LEAST_POLY_A: Final = 15
"""Bases of one kind from which on a run of A (or T) is a poly-A."""


class _SpecificationFile(BaseModel):
    """The same file as `seedtrain quality specification` takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    specification: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(min_length=1)]
    lines: Annotated[list[SpecificationEntry], Field(min_length=1)]


@dataclass(frozen=True)
class _Share:
    """A fraction with its 95 % interval and the least that would have been seen."""

    value: float
    low: float
    high: float
    detection: float


def read_lot_specification(path: Path) -> tuple[Specification, str]:
    """A specification of what reads can tell, and a line that names it with its digest.

    Raises `InputErrors` for every line that reads say nothing about, or whose limit has another dimension.
    """
    entry, document = load(path, _SpecificationFile, what="specification")
    faults: list[SeedtrainError] = []
    for index, line in enumerate(entry.lines):
        if line.attribute not in ATTRIBUTES:
            known = ", ".join(ATTRIBUTES)
            faults.append(
                document.error(
                    ("lines", index, "attribute"),
                    f"reads say nothing about {line.attribute!r}",
                    remedy=f"Use of: {known}; judge the rest with `seedtrain verify panel`.",
                )
            )
        elif not _fits(line.attribute, line.limit):
            wanted = "= conforms" if line.attribute == "identity" else "a number, such as <= 5 %"
            words = f"{line.limit.text!r} cannot be judged"
            faults.append(document.error(("lines", index, "limit"), words, remedy=f"Write {wanted}."))
    if faults:
        raise InputErrors(tuple(faults))
    digest = digest_bytes(read_text(path, what="specification").encode())
    words = f"specification {entry.specification} {entry.version}, SHA-256 {digest}"
    return Specification(tuple(line.line() for line in entry.lines)), words


def _fits(attribute: str, limit: Limit) -> bool:
    if attribute == "identity":
        return limit.word == "conforms"
    try:
        Quantity(1.0, "").magnitude(limit.unit)
    except QuantityError:
        return False
    return limit.range is not None


def judge_lot(report: CloneReport, specification: Specification, words: str = "") -> CloneReport:
    """The same report with a verdict on the lot: each line of the specification, and what the reads showed."""
    criteria = [_judge(report, line.attribute, line.limit) for line in specification.lines]
    told = [
        f"{item.name}: {item.verdict}, {'-' if item.value is None else item.value}" for item in report.verdict.criteria
    ]
    parental = report.parental
    if parental is not None:
        told.append(f"parental plasmid: {parental[0]} of {parental[1]} reads that tell")
    evidence = [*([words] if words else []), *report.verdict.evidence, *told]
    return replace(report, verdict=Verdict.of(criteria, evidence, report.verdict.versions))


def _judge(report: CloneReport, attribute: str, limit: Limit) -> Criterion:
    if attribute == "identity":
        return _identity(report, limit)
    if attribute == "reads":
        reads = float(report.shares.clone_reads)
        return _number(attribute, reads, reads, reads, limit)
    if attribute == "poly-A length":
        return _poly_a(report, limit)
    shares = ATTRIBUTES[attribute](report)
    if not shares:
        return Criterion(attribute, None, None, limit.text, None, "inconclusive")
    worst = max(shares, key=lambda item: (item.low, item.value, item.high))
    scale = Quantity(1.0, "").magnitude(limit.unit)
    found = [
        judge_interval(attribute, scale * item.low, scale * item.value, scale * item.high, limit).verdict
        for item in shares
    ]
    detection = max(item.detection for item in shares)
    # What would not have been seen is not known to be absent.
    found.append("pass" if limit.admits(Quantity(detection, "")) else "inconclusive")
    value = share_text(worst.value) if worst.value else f"< {share_text(detection)}"
    ends = (share_text(worst.low), share_text(worst.high))
    return Criterion(attribute, value, ends, limit.text, share_text(detection), combine(found))


def _number(attribute: str, low: float, value: float, high: float, limit: Limit) -> Criterion:
    found = judge_interval(attribute, low, value, high, limit)
    word: VerdictWord = "inconclusive" if attribute == "reads" and found.verdict == "fail" else found.verdict
    return replace(found, verdict=word)


def _identity(report: CloneReport, limit: Limit) -> Criterion:
    """Conforms where consensus and homopolymers are the reference's, at enough depth."""
    found = [item for item in report.verdict.criteria if item.name in IDENTITY]
    word = combine(item.verdict for item in found) if len(found) == len(IDENTITY) else "inconclusive"
    value = {"pass": "conforms", "fail": "does not conform", "inconclusive": None}[word]
    return Criterion("identity", value, None, limit.text, None, word)


def _poly_a(report: CloneReport, limit: Limit) -> Criterion:
    """The longest run of A, or of T on the other strand: the medians of both strands bound it."""
    runs = [item for item in report.runs if item.base in "AT" and item.length >= LEAST_POLY_A]
    if not runs:
        return Criterion("poly-A length", None, None, limit.text, None, "inconclusive")
    run = max(runs, key=lambda item: (item.length, -item.start))
    ends = sorted(float(run.length + item) for item in run.medians)
    return _number("poly-A length", ends[0], sum(ends) / 2, ends[1], limit)


def _seen(reads: float) -> float:
    return 1 - 0.05 ** (1 / reads) if reads > 0 else 1.0


def _parental(report: CloneReport) -> list[_Share]:
    if report.parental is None:
        return []
    many, telling = report.parental
    if not telling:
        return [_Share(0.0, 0.0, 1.0, 1.0)]
    return [_Share(many / telling, *wilson(many, telling), _seen(telling))]


def _mixture(report: CloneReport) -> list[_Share]:
    """Every difference at an ordinary site, and every break; what none shows is bounded by the limit of detection."""
    classes = [item for item in report.classes if item.site_class.endswith(", plain")]
    if not classes:
        return []
    detection = max([report.structure_limit, *(item.limit_of_detection for item in classes)])
    found = [_Share(one.fraction, *one.interval, detection) for item in classes for one in item.alleles]
    found += [_Share(item.fraction, *item.interval, detection) for item in report.structures]
    return found or [_Share(0.0, 0.0, detection, detection)]


def _of_role(role: str) -> Callable[[CloneReport], list[_Share]]:
    def share(report: CloneReport) -> list[_Share]:
        mine = [bases for name, bases in report.shares.known.items() if name.split(":")[0] == role]
        return [_bases(report, sum(mine))] if mine else []

    return share


def _unknown(report: CloneReport) -> list[_Share]:
    return [_bases(report, report.shares.foreign_bases - sum(report.shares.known.values()))]


def _bases(report: CloneReport, bases: int) -> _Share:
    shares = report.shares
    total, reads = shares.clone_bases + shares.foreign_bases, shares.effective_reads
    value = bases / total if total else 0.0
    return _Share(value, *wilson(value * reads, reads), _seen(reads))


def _multimers(report: CloneReport) -> list[_Share]:
    many, telling = report.multimers
    if not telling:
        return [_Share(0.0, 0.0, 1.0, 1.0)] if report.reference.circular else []
    return [_Share(many / telling, *wilson(many, telling), _seen(telling))]


def _nothing(_report: CloneReport) -> list[_Share]:
    return []


ATTRIBUTES: Final[Mapping[str, Callable[[CloneReport], list[_Share]]]] = {
    "identity": _nothing,
    "reads": _nothing,
    "parental plasmid": _parental,
    "mixture": _mixture,
    "host": _of_role("host"),
    "helper": _of_role("helper"),
    "unknown": _unknown,
    "multimers": _multimers,
    "poly-A length": _nothing,
}
"""What a specification may ask of reads, and where its share comes from."""
