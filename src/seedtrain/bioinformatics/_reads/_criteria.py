"""What the findings mean: one criterion each, and never a pass on too little evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import numpy as np
from numpy.typing import NDArray

import seedtrain
from seedtrain.bioinformatics._reads._alleles import LONG_RUN, Allele, ClassResult, RunLength
from seedtrain.bioinformatics._reads._coded import CodedSite, open_edits
from seedtrain.bioinformatics._reads._consensus import Consensus, Edit
from seedtrain.bioinformatics._reads._limits import CloneLimits
from seedtrain.bioinformatics._reads._reference import Reference
from seedtrain.bioinformatics._reads._source import Sample
from seedtrain.bioinformatics._reads._statistics import wilson
from seedtrain.bioinformatics._reads._structure import WINDOW, Shares, Structure
from seedtrain.quality import Criterion, Verdict, VerdictWord, combine

MOST_LISTED: Final = 30
NEAR: Final = WINDOW + 10
"""Bases within which the pile-up or split reads confirm an edit of the consensus."""


@dataclass(frozen=True)
class Findings:
    """All that was measured on one sample; `fewest_at`: the site, from 0, that `spanning` reads cross."""

    sample: Sample
    source: str
    shares: Shares
    classes: tuple[ClassResult, ...]
    runs: tuple[RunLength, ...]
    structures: tuple[Structure, ...]
    structure_limit: float
    consensus: Consensus
    coded: tuple[CodedSite, ...]
    multimers: tuple[int, int]
    strand_depth: int
    spanning: int
    fewest_at: int
    identity: NDArray[np.float64]
    controlled: bool
    simulated: bool


def judge_clone(reference: Reference, findings: Findings, limits: CloneLimits) -> Verdict:
    """The verdict of one sample."""
    criteria = [
        _count("reads of the clone", findings.shares.clone_reads, limits.reads),
        _count("thinnest strand of any site", findings.strand_depth, limits.strand_depth),
        _count("reads across any site, unbroken", findings.spanning, limits.spanning),
        *_foreign(findings.shares, limits),
        *_consensus(reference, findings, limits),
        *_class_criteria(findings, limits),
        *_structures(findings, limits),
        *_multimers(reference, findings, limits),
    ]
    evidence = [*_evidence(reference, findings), *_topology(reference, findings, limits)]
    return Verdict.of(criteria, evidence, _versions())


def share_text(value: float) -> str:
    """A share as percent with three digits, such as `9.72 %`."""
    return f"{float(f'{100 * value:.3g}'):g} %"


def _count(name: str, value: int, least: int) -> Criterion:
    return Criterion(name, value, None, f">= {least}", None, "pass" if value >= least else "inconclusive")


def _against(low: float, high: float, limit: float) -> VerdictWord:
    return "pass" if high <= limit else "fail" if low > limit else "inconclusive"


def _interval(low: float, high: float) -> tuple[str, str]:
    return share_text(low), share_text(high)


def _foreign(shares: Shares, limits: CloneLimits) -> Iterator[Criterion]:
    if limits.foreign is None:
        return
    low, high = shares.interval
    word = _against(low, high, limits.foreign)
    value = share_text(shares.foreign_fraction)
    yield Criterion(
        "bases of something else", value, _interval(low, high), f"<= {share_text(limits.foreign)}", None, word
    )


def _multimers(reference: Reference, findings: Findings, limits: CloneLimits) -> Iterator[Criterion]:
    if limits.multimers is None or not reference.circular:
        return
    many, telling = findings.multimers
    low, high = wilson(many, telling)
    value = share_text(many / telling) if telling else None
    yield Criterion(
        "reads around more than once",
        value,
        _interval(low, high),
        f"<= {share_text(limits.multimers)}",
        share_text(min(1.0, 3 / telling)) if telling else share_text(1.0),
        _against(low, high, limits.multimers),
    )


def _class_criteria(findings: Findings, limits: CloneLimits) -> Iterator[Criterion]:
    groups = (
        ("other bases at a site", ("substitutions, plain",), limits.alleles),
        ("small insertions and deletions at a site", ("indels, plain",), limits.alleles),
        ("Dam and Dcm sites", ("substitutions, methylation motif", "indels, methylation motif"), limits.masked),
    )
    for name, classes, limit in groups:
        mine = [item for item in findings.classes if item.site_class in classes]
        if limit is not None and mine:
            yield _alleles(name, mine, limit)
    if limits.homopolymers is not None:
        yield _homopolymers(findings, limits.homopolymers, limits.strand_depth)


def _alleles(name: str, classes: Sequence[ClassResult], limit: float) -> Criterion:
    detection = max(item.limit_of_detection for item in classes)
    alleles = [one for item in classes for one in item.alleles]
    words: list[VerdictWord] = [_against(one.interval[0], one.interval[1], limit) for one in alleles]
    words.append("pass" if detection <= limit else "inconclusive")
    worst = max(alleles, key=lambda one: (one.interval[0], one.fraction), default=None)
    value = "none found" if worst is None else share_text(worst.fraction)
    interval = None if worst is None else _interval(*worst.interval)
    return Criterion(name, value, interval, f"<= {share_text(limit)}", share_text(detection), combine(words))


def _homopolymers(findings: Findings, limit: float, least: int) -> Criterion:
    """Medians of the length for the majority; with a control, or where enough runs teach, shares as well."""
    words: list[VerdictWord] = ["pass"]
    changed = [run for run in findings.runs if run.change]
    words += ["fail" if run.sure else "inconclusive" for run in changed]
    classes = [item for item in findings.classes if item.site_class.startswith("homopolymers")]
    alleles = [one for item in classes for one in item.alleles]
    words += [_against(one.interval[0], one.interval[1], limit) for one in alleles if one.interval[0] > limit]
    detection = 0.5
    if findings.controlled or limit < 0.5:
        detection = max((item.limit_of_detection for item in classes), default=0.5)
        words += [_against(one.interval[0], one.interval[1], limit) for one in alleles]
    words.append("pass" if detection <= limit else "inconclusive")
    if findings.strand_depth < least:
        words.append("inconclusive")
    worst = max(changed, key=lambda run: (run.sure, abs(run.change)), default=None)
    value = None if not findings.strand_depth else "as the reference"
    if worst is not None:
        value = f"{worst.length}{worst.base} {worst.change:+d}"
    return Criterion(
        "length of homopolymers", value, None, f"<= {share_text(limit)} changed", share_text(detection), combine(words)
    )


def _structures(findings: Findings, limits: CloneLimits) -> Iterator[Criterion]:
    if limits.structures is None:
        return
    limit = limits.structures
    words: list[VerdictWord] = [_against(*item.interval, limit) for item in findings.structures]
    words.append("pass" if findings.structure_limit <= limit else "inconclusive")
    worst = max(findings.structures, key=lambda item: (item.interval[0], item.fraction), default=None)
    yield Criterion(
        "insertions, deletions and junctions",
        "none found" if worst is None else share_text(worst.fraction),
        None if worst is None else _interval(*worst.interval),
        f"<= {share_text(limit)}",
        share_text(findings.structure_limit),
        combine(words),
    )


def _consensus(reference: Reference, findings: Findings, limits: CloneLimits) -> Iterator[Criterion]:
    """An edit that the pile-up or split reads confirm is a fail; one that only the consensus has is inconclusive."""
    if limits.consensus_reads is None:
        return
    consensus = findings.consensus
    edits = open_edits(consensus.edits)
    words: list[VerdictWord] = ["pass" if consensus.reads >= limits.consensus_reads else "inconclusive"]
    words += ["fail" if _confirmed(edit, reference, findings) else "inconclusive" for edit in edits]
    value = sum(item.distance for item in edits) if consensus.reads else None
    limit = f"0 edits in {limits.consensus_reads} reads"
    yield Criterion("edit distance of the consensus", value, None, limit, None, combine(words))


def _confirmed(edit: Edit, reference: Reference, findings: Findings) -> bool:
    size = len(reference)

    def near(site: int, reach: int = NEAR) -> bool:
        gap = abs(site - edit.site) % size
        return min(gap, size - gap) <= reach + len(edit.before)

    runs = any(near(run.start, run.length + 1) and run.sure for run in findings.runs)
    alleles = any(near(one.site) and one.interval[0] > 0.3 for item in findings.classes for one in item.alleles)
    structures = any((near(item.site) or near(item.other)) and item.interval[0] > 0.3 for item in findings.structures)
    letters = any(one.refuted and 0 <= one.site - edit.site < len(edit.before) for one in findings.coded)
    return runs or alleles or structures or letters


def _evidence(reference: Reference, findings: Findings) -> Iterator[str]:
    sample, shares = findings.sample, findings.shares
    yield f"reads: {findings.source}"
    judged = "all judged" if sample.complete else f"{len(sample.reads)} judged, chosen by the digests of the reads"
    yield f"{sample.total_reads} reads of {sample.total_bases} bases, {judged}"
    if findings.simulated:
        yield "origin: simulated"
    topology = "circle" if reference.circular else "line"
    yield f"reference: {reference.name}, {topology} of {len(reference)} bases, SHA-256 {reference.digest}"
    yield from (f"reference: read with {note.replace('_', ' ')}" for note in reference.notes)
    yield (
        f"{shares.clone_reads} reads of the clone, {shares.foreign_reads} of something else, "
        f"{shares.short_reads} too short to tell"
    )
    yield from (f"{name}: {bases} bases of something else" for name, bases in sorted(shares.known.items()))
    if len(findings.identity):
        low, middle = np.percentile(findings.identity, [5, 50])
        yield f"identity of a read: median {share_text(middle)}, 5th percentile {share_text(low)}"
    masks = Counter(mask.kind for mask in reference.masks)
    yield from (f"masked: {count} {kind}" for kind, count in sorted(masks.items()))
    yield "errors learned from " + ("a matched control" if findings.controlled else "this sample")
    for item in findings.classes:
        yield _class_words(item)
    alleles = [one for item in findings.classes for one in item.alleles]
    yield from (_allele_words(one) for one in alleles[:MOST_LISTED])
    if len(alleles) > MOST_LISTED:
        yield f"and {len(alleles) - MOST_LISTED} more sites"
    biased = sum(len(item.biased) for item in findings.classes)
    if biased:
        yield f"{biased} sites where one strand alone differs: taken for errors of the method"
    for run in findings.runs:
        if run.change or run.length > LONG_RUN:
            yield (
                f"homopolymer of {run.length} {run.base} at {run.start + 1}: medians of the strands "
                f"{run.length + run.medians[0]} and {run.length + run.medians[1]} in {run.reads} reads"
            )
    yield from (_structure_words(item) for item in findings.structures)
    yield f"consensus: {findings.consensus.method}, {findings.consensus.reads} reads"
    yield from (edit_words(edit) for edit in open_edits(findings.consensus.edits)[:MOST_LISTED])
    yield from (coded_words(one) for one in findings.coded[:MOST_LISTED])
    if len(findings.coded) > MOST_LISTED:
        yield f"and {len(findings.coded) - MOST_LISTED} more letters that allow several bases"


def _topology(reference: Reference, findings: Findings, limits: CloneLimits) -> Iterator[str]:
    """Whether the reads look as if a circle was given as a line, or a line as a circle."""
    size, shares = len(reference), findings.shares
    if not reference.circular:
        around = sum(
            item.reads for item in findings.structures if abs(item.size - size) <= NEAR and item.kind == "insertion"
        )
        if around > shares.clone_reads / 2:
            yield (
                f"{around} reads run on from its end to its beginning: if the molecule is a circle, give it as one "
                "(GenBank: circular; FASTA: leave --linear out)"
            )
    elif findings.spanning < limits.spanning <= shares.clone_reads:
        yield (
            f"{findings.spanning} reads cross base {findings.fewest_at + 1}: if the molecule is a line that ends "
            "there, give it as one (GenBank: linear; FASTA: --linear)"
        )


def _class_words(item: ClassResult) -> str:
    means = " and ".join(share_text(profile.mean) for profile in item.profiles)
    if item.learned == "cannot be learned":
        return f"{item.site_class}: {item.sites} sites, too few to learn their error"
    return f"{item.site_class}: {item.sites} sites, error {means}, seen from {share_text(item.limit_of_detection)}"


def _allele_words(one: Allele) -> str:
    low, high = _interval(*one.interval)
    return f"site {one.site + 1} {one.change}: {share_text(one.fraction)} ({low} to {high}), {one.site_class}"


def _structure_words(item: Structure) -> str:
    low, high = _interval(*item.interval)
    size = f" of {item.size} bases" if item.size else ""
    to = f" to {item.other + 1}" if item.kind in ("deletion", "junction") else ""
    share = f"{share_text(item.fraction)} ({low} to {high})"
    return f"{item.kind}{size} at {item.site + 1}{to}: {item.reads} reads, {share}"


def coded_words(one: CodedSite) -> str:
    """A letter of the reference that allows several bases, and what the clone has: R at 101: G 99 %, A 1 %."""
    if not one.depth:
        return f"letter {one.letter} of the reference at {one.site + 1}: no base was read"
    found = ", ".join(f"{base} {share_text(share)}" for base, share in one.shares)
    said = f"letter {one.letter} of the reference at {one.site + 1}: {found} of {one.depth} bases"
    return f"{said}, allowed" if one.allowed else f"{said}, not allowed"


def edit_words(edit: Edit) -> str:
    """An edit as people write it: `2001 delG`, `2500 insACT`, `1501 T>C`; sites from 1."""
    if not edit.before:
        shown = edit.after if len(edit.after) <= 40 else f"{edit.after[:20]}...{edit.after[-10:]}"
        return f"edit: {len(edit.after)} bases before {edit.site + 1}: ins{shown}"
    if not edit.after:
        shown = edit.before if len(edit.before) <= 40 else f"{edit.before[:20]}...{edit.before[-10:]}"
        return f"edit: {len(edit.before)} bases from {edit.site + 1}: del{shown}"
    return f"edit: {edit.site + 1} {edit.before[:40]}>{edit.after[:40]}"


def _versions() -> dict[str, str]:
    found = {"seedtrain": seedtrain.__version__}
    for name in ("mappy", "pyabpoa"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
