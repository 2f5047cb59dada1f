"""The verdict of a guide: its own sequence, its nearest other sites, and how much was searched."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from seedtrain.base import translate as _
from seedtrain.bioinformatics._guides._guide import POL_III_STOP, GuideRequirements, OtherSites
from seedtrain.bioinformatics._guides._score import specificity
from seedtrain.quality import Criterion, Verdict, VerdictWord


def judge_guide(
    sequence: str,
    others: OtherSites,
    wanted: GuideRequirements,
    *,
    known_share: float,
    copies: int,
    scored_by_cfd: bool,
) -> tuple[Verdict, float | None]:
    """The verdict, and the specificity by CFD where that is defined.

    - `others`: sites that are not the guide's own; `copies`: of the target in the genome (0: it stands elsewhere).
    """
    scored = specificity(others.cfd_sum) if scored_by_cfd else None
    gc = (sequence.count("G") + sequence.count("C")) / len(sequence)
    run = longest_run(sequence)
    criteria = [
        _nearest("nearest off-target", others.counts, wanted.nearest_lowest),
        _bulged(others.bulged_counts, wanted),
        _of("GC", round(gc, 4), f"{wanted.gc[0]:g} .. {wanted.gc[1]:g}", wanted.gc[0] <= gc <= wanted.gc[1]),
        _of("homopolymer", f"{run} nt", f"<= {wanted.homopolymer} nt", run <= wanted.homopolymer),
    ]
    if scored is not None:
        kept = scored >= wanted.specificity_lowest
        criteria.insert(2, _of("CFD specificity", round(scored, 4), f">= {wanted.specificity_lowest:g}", kept))
    if wanted.promoter == "pol_iii":
        stops = sequence.count(POL_III_STOP)
        criteria.append(_of("Pol III terminators", stops, "= 0", stops == 0))
    enough = known_share >= wanted.known_share
    limit, share = f">= {wanted.known_share:g}", round(known_share, 4)
    criteria.append(Criterion("genome searched", share, None, limit, None, "pass" if enough else "inconclusive"))
    bulged = f"{sum(others.bulged_counts)} with one" if wanted.bulge else "none searched with one"
    evidence = [f"other sites up to {wanted.mismatches} mismatches: {sum(others.counts)} without bulge, {bulged}"]
    evidence += [f"{copies} copies of the target in the genome"] if copies != 1 else []
    return Verdict.of(criteria, evidence, {"seedtrain": version("seedtrain")}), scored


def longest_run(sequence: str) -> int:
    """Length of the longest run of one letter."""
    best = run = 0
    last = ""
    for letter in sequence:
        run = run + 1 if letter == last else 1
        best, last = max(best, run), letter
    return best


def reasons(verdict: Verdict, activity: float | None) -> tuple[str, ...]:
    """What speaks for or against the guide, worst first, in the language in use."""
    words = {
        "nearest off-target": _("nearest other site: {value} mismatches (limit {limit})"),
        "nearest bulged off-target": _("nearest other site beside one bulge: {value} mismatches (limit {limit})"),
        "CFD specificity": _("specificity by CFD {value} (limit {limit})"),
        "GC": _("GC {value} (limit {limit})"),
        "homopolymer": _("longest run {value} (limit {limit})"),
        "Pol III terminators": _("{value} terminators of Pol III (limit {limit})"),
        "genome searched": _("share of the genome that could be searched: {value} (limit {limit})"),
    }
    lines = []
    for word in ("fail", "inconclusive"):
        for item in verdict.criteria:
            if item.verdict == word:
                value = _("not searched") if item.value is None else item.value
                lines.append(words[item.name].format(value=value, limit=item.limit))
    if not lines:
        best = verdict.criteria[0]
        lines.append(words[best.name].format(value=best.value, limit=best.limit))
    if activity is not None:
        lines.append(_("predicted activity {value} (Rule Set 1, mammalian cells)").format(value=f"{activity:.2f}"))
    return tuple(lines)


def _of(name: str, value: str | float, limit: str, kept: bool) -> Criterion:
    return Criterion(name, value, None, limit, None, "pass" if kept else "fail")


def _nearest(name: str, counts: Sequence[int], lowest: int) -> Criterion:
    """Mismatches of the nearest site; where there is none the search's own reach stands as the limit of detection."""
    searched = len(counts) - 1
    if any(counts):
        least = next(at for at, number in enumerate(counts) if number)
        return Criterion(name, least, None, f">= {lowest}", searched, "pass" if least >= lowest else "fail")
    word: VerdictWord = "pass" if searched + 1 >= lowest else "inconclusive"
    return Criterion(name, f"> {searched}", None, f">= {lowest}", searched, word)


def _bulged(counts: Sequence[int], wanted: GuideRequirements) -> Criterion:
    if not wanted.bulge:
        limit = f">= {wanted.bulged_lowest}"
        return Criterion("nearest bulged off-target", None, None, limit, None, "inconclusive")
    return _nearest("nearest bulged off-target", counts, wanted.bulged_lowest)
