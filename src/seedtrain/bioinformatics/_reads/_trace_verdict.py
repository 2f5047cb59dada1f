"""Sanger traces against the sequence that a clone should have: what is covered, what differs, and one verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import seedtrain
from seedtrain.base import InputError, Position, Progress, silent
from seedtrain.base import translate as _
from seedtrain.bioinformatics._reads._criteria import share_text
from seedtrain.bioinformatics._reads._reference import Ints, Reference
from seedtrain.bioinformatics._reads._structure import Break
from seedtrain.bioinformatics._reads._trace import SHORTEST_TRACE, Trace, read_trace
from seedtrain.bioinformatics._reads._trace_lay import LaidTrace, Mixed, lay_traces
from seedtrain.quality import Criterion, Verdict, VerdictWord, combine

SURE: Final = 30
"""Phred: the sum of the qualities that show a difference, less those that show the reference, from which on it is
counted; below that it is a doubt (assumed: one error in a thousand)."""
SAME_PLACE: Final = 10
"""Bases within which two traces show the same break."""
SUFFIXES: Final = (".ab1", ".abi")
MOST_TRACES: Final = 400
MOST_LISTED: Final = 40


@dataclass(frozen=True)
class TraceLimits:
    """Acceptance limits; every default is assumed.

    - `quality`: Phred of a base that covers its site; `depth`: least traces that cover each site.
    - `covered`: least share of the sites; `mixed`: second peak over the called one from which on a site is mixed.
    """

    quality: int = 20
    depth: int = 1
    covered: float = 1.0
    mixed: float = 0.3


@dataclass(frozen=True)
class Difference:
    """What traces show against the reference: `before` at `site` (from 0) reads `after`, or `kind` and `size`.

    - `score`: Phred, for it less against it; `traces`: names that show it. `inside`: in the part that is judged.
    """

    site: int
    kind: str
    before: str
    after: str
    size: int
    score: int
    traces: tuple[str, ...]
    against: int
    inside: bool

    @property
    def sure(self) -> bool:
        """Whether it counts."""
        return self.score >= SURE

    @property
    def refuted(self) -> bool:
        """Whether other traces show the reference here so clearly that it was an error of one trace."""
        return self.score <= -SURE

    @property
    def words(self) -> str:
        """As people write it: `701 A>G`, `801 delT`, `2001 insACT`, `2601 break`."""
        if self.kind != "small":
            return f"{self.site + 1} {self.kind}" + (f" of {self.size}" if self.size else "")
        if self.before and self.after:
            return f"{self.site + 1} {self.before}>{self.after}"
        return f"{self.site + 1} del{self.before}" if self.before else f"{self.site + 1} ins{self.after}"


@dataclass(frozen=True)
class TraceReport:
    """The answer for the traces of one clone.

    - `depth`: traces that confirm or contradict each site at the quality asked, shape "site".
    - `judged`: which sites are asked; `mixed`: second peaks there, those that a second trace shows as well first.
    """

    name: str
    reference: Reference
    verdict: Verdict
    limits: TraceLimits
    traces: tuple[LaidTrace, ...]
    differences: tuple[Difference, ...]
    mixed: tuple[tuple[Mixed, bool], ...]
    depth: Ints
    judged: NDArray[np.bool_]
    simulated: bool

    def gaps(self) -> list[tuple[int, int]]:
        """Judged stretches that are not covered: from 0, past the last."""
        return stretches(self.judged & (self.depth < self.limits.depth))


def stretches(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of true: from 0, past the last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def trace_limits_from(texts: Mapping[str, str]) -> TraceLimits:
    """Limits from texts such as `covered: 95 %`, `depth: 2`; raises `InputError` for another."""
    used = TraceLimits()
    names = [item.name for item in fields(TraceLimits)]
    for name, text in texts.items():
        if name not in names:
            raise InputError(f"traces have no limit {name!r}", remedy=f"Use one of: {', '.join(names)}.")
        whole, words = name in ("quality", "depth"), text.strip()
        try:
            value = float(words[:-1]) / 100 if words.endswith("%") else float(words)
        except ValueError:
            value = -1.0
        good = (1 <= value <= 93 and value == int(value)) if whole else 0 < value <= 1
        if not good:
            wanted = "a whole number" if whole else "a share such as 95 %"
            raise InputError(f"the limit {name} cannot be {text!r}", remedy=f"Give {wanted}.")
        changed: dict[str, Any] = {name: int(value) if whole else value}
        used = replace(used, **changed)
    return used


def is_trace(path: Path) -> bool:
    """Whether a path names traces: an `.ab1` file, or a folder (of them)."""
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def trace_files(path: Path) -> tuple[Path, ...]:
    """The traces that a path names: one `.ab1` file, or all of a folder in the order of their names."""
    if not path.is_dir():
        return (path,)
    found = sorted(item for item in path.iterdir() if item.suffix.lower() in SUFFIXES)
    if not found:
        raise InputError("the folder holds no traces", position=Position(str(path)), remedy="Give .ab1 files.")
    if len(found) > MOST_TRACES:
        raise InputError(
            f"{len(found)} traces, at most {MOST_TRACES} of one clone", position=Position(str(path)), remedy="Split it."
        )
    return tuple(found)


def verify_traces(
    paths: Sequence[Path],
    reference: Reference,
    *,
    name: str = "",
    region: tuple[int, int] | None = None,
    limits: TraceLimits | None = None,
    progress: Progress = silent,
) -> TraceReport:
    """Whether Sanger traces show `reference` and nothing else.

    - `region`: first and last base that is judged, from 1; across the origin of a circle where the first is larger.
      Without it all of the reference is, and sites that no trace covers make the verdict inconclusive.

    Raises `InputError` for files that cannot be used.
    """
    used = limits or TraceLimits()
    judged = _judged(reference, region)
    traces = []
    for index, path in enumerate(paths):
        progress(0.6 * index / len(paths), _("reading {file}").format(file=path.name))
        traces.append(read_trace(path))
    progress(0.6, _("aligning reads"))
    usable = [item for item in traces if item.end - item.start >= SHORTEST_TRACE]
    laid = lay_traces(reference, usable, used.mixed)
    mine = [item for item in laid if item.laid.segments]
    depth = _depth(reference, mine, used.quality)
    differences = _differences(reference, mine, judged)
    mixed = _confirmed_mixed(mine, judged)
    limit_of_detection = max((item.detectable for item in mine), default=1.0)
    criteria = list(_criteria(laid, mine, used, judged, depth, differences, mixed, limit_of_detection))
    evidence = list(_evidence(reference, traces, laid, judged, depth, used, differences, mixed))
    progress(1.0, _("verdict"))
    return TraceReport(
        name or (paths[0].stem if len(paths) == 1 else reference.name),
        reference,
        Verdict.of(criteria, evidence, _versions()),
        used,
        laid,
        differences,
        mixed,
        depth,
        judged,
        any(item.simulated for item in traces),
    )


def _judged(reference: Reference, region: tuple[int, int] | None) -> NDArray[np.bool_]:
    size = len(reference)
    judged = np.zeros(size, dtype=np.bool_)
    if region is None:
        return ~judged
    first, last = region
    if not (1 <= first <= size and 1 <= last <= size) or (first > last and not reference.circular):
        raise InputError(
            f"the region {first}-{last} does not lie on the reference of {size} bases",
            remedy="Give the first and the last base, from 1; only on a circle may the first be the larger one.",
        )
    judged[np.arange(first - 1, last if first <= last else last + size) % size] = True
    return judged


def _depth(reference: Reference, mine: Sequence[LaidTrace], least: int) -> Ints:
    """Traces with a word at each site, for the reference or against it, at the quality asked."""
    depth = np.zeros(len(reference), dtype=np.int64)
    for item in mine:
        seen = np.zeros(len(reference), dtype=np.bool_)
        seen[item.sites[item.qualities >= least]] = True
        for word in item.words:
            if word.quality >= least:
                seen[np.arange(word.site, word.site + len(word.before)) % len(reference)] = True
        depth += seen
    return depth


def _differences(reference: Reference, mine: Sequence[LaidTrace], judged: NDArray[np.bool_]) -> tuple[Difference, ...]:
    size = len(reference)
    confirmed = np.zeros(size, dtype=np.int64)
    for item in mine:
        np.add.at(confirmed, item.sites, item.qualities)
    found: dict[tuple[int, str, str], list[tuple[int, str]]] = {}
    for item in mine:
        for word in item.words:
            found.setdefault((word.site, word.before, word.after), []).append((word.quality, item.trace.name))
    made = []
    for (site, before, after), shown in found.items():
        against = 0
        names = {name for _quality, name in shown}
        for item in mine:  # a trace that shows the reference here and runs on to both sides speaks against it
            if item.trace.name not in names and {site, (site + len(before)) % size} <= set(item.reach.tolist()):
                here = item.qualities[item.sites == site]
                against += int(here.max()) if len(here) else 0
        score = sum(quality for quality, _name in shown) - against
        inside = bool(judged[site])
        made.append(
            Difference(
                site, "small", before, after, max(len(before), len(after)), score, tuple(sorted(names)), against, inside
            )
        )
    made += _together([_of_break(one, item, judged) for item in mine for one in item.breaks])
    return tuple(sorted(made, key=lambda item: (item.site, item.kind, item.before, item.after, item.traces)))


def _of_break(one: Break, item: LaidTrace, judged: NDArray[np.bool_]) -> Difference:
    """Thirty good bases that lie nowhere, or a long gap: no error of a trace makes them."""
    inside = bool(judged[one.site % len(judged)] or judged[(one.site - 1) % len(judged)])
    return Difference(
        one.site, "break" if one.kind == "clip" else one.kind, "", "", one.size, 60, (item.trace.name,), 0, inside
    )


def _together(found: Sequence[Difference]) -> list[Difference]:
    """Breaks of several traces at one place as one; aligners put them a few bases apart."""
    made: list[Difference] = []
    for item in sorted(found, key=lambda one: (one.kind, one.site, one.size, one.traces)):
        last = made[-1] if made else None
        if last and last.kind == item.kind and item.site - last.site <= SAME_PLACE:
            names = tuple(sorted({*last.traces, *item.traces}))
            made[-1] = replace(last, score=60 * len(names), traces=names, inside=last.inside or item.inside)
        else:
            made.append(item)
    return made


def _confirmed_mixed(mine: Sequence[LaidTrace], judged: NDArray[np.bool_]) -> tuple[tuple[Mixed, bool], ...]:
    found: dict[int, list[Mixed]] = {}
    for item in mine:
        for one in item.mixed:
            if judged[one.site]:
                found.setdefault(one.site, []).append(one)
    both = [(max(many, key=lambda one: one.ratio), len({one.trace for one in many}) > 1) for many in found.values()]
    return tuple(sorted(both, key=lambda pair: (not pair[1], pair[0].site)))


def _criteria(
    laid: Sequence[LaidTrace],
    mine: Sequence[LaidTrace],
    limits: TraceLimits,
    judged: NDArray[np.bool_],
    depth: Ints,
    differences: Sequence[Difference],
    mixed: Sequence[tuple[Mixed, bool]],
    detection: float,
) -> Iterator[Criterion]:
    enough: VerdictWord = "pass" if laid else "inconclusive"
    yield Criterion("usable traces", len(laid), None, ">= 1", None, enough)
    strange = len(laid) - len(mine)
    word: VerdictWord = "pass" if not strange else "inconclusive" if mine else "fail"
    yield Criterion("traces of something else", strange, None, "= 0", None, word if laid else "inconclusive")
    asked = int(judged.sum())
    covered = int((judged & (depth >= limits.depth)).sum())
    yield Criterion(
        "bases covered by traces",
        f"{covered} of {asked}",
        None,
        f">= {share_text(limits.covered)} by {limits.depth}",
        None,
        "pass" if covered >= limits.covered * asked else "inconclusive",
    )
    inside = [item for item in differences if item.inside and not item.refuted]
    words: list[VerdictWord] = ["fail" if item.sure else "inconclusive" for item in inside]
    words.append("pass" if mine else "inconclusive")
    doubts = sum(not item.sure for item in inside)
    value = f"{len(inside) - doubts}" + (f", and {doubts} in doubt" if doubts else "")
    yield Criterion("differences from the reference", value, None, "= 0", None, combine(words))
    words = ["fail" if sure else "inconclusive" for _one, sure in mixed]
    words.append("pass" if mine and detection <= limits.mixed else "inconclusive")
    worst = max((one.ratio for one, _sure in mixed), default=None)
    yield Criterion(
        "mixed peaks",
        f"{len(mixed)}, the highest {share_text(worst)}" if worst is not None else "none found",
        None,
        f"none of {share_text(limits.mixed)} of the called peak",
        share_text(min(1.0, detection)),
        combine(words),
    )


def _evidence(
    reference: Reference,
    traces: Sequence[Trace],
    laid: Sequence[LaidTrace],
    judged: NDArray[np.bool_],
    depth: Ints,
    limits: TraceLimits,
    differences: Sequence[Difference],
    mixed: Sequence[tuple[Mixed, bool]],
) -> Iterator[str]:
    topology = "circle" if reference.circular else "line"
    if any(item.simulated for item in traces):
        yield "origin: simulated"
    yield f"reference: {reference.name}, {topology} of {len(reference)} bases, SHA-256 {reference.digest}"
    by_name = {item.trace.name: item for item in laid}
    for trace in traces:
        yield f"trace {trace.name}, SHA-256 {trace.digest}: {_trace_words(trace, by_name.get(trace.name), reference)}"
    yield f"judged: {int(judged.sum())} of {len(reference)} bases, at Q{limits.quality} or better"
    gaps = stretches(judged & (depth < limits.depth))
    yield from (f"not covered: {start + 1}-{end}" for start, end in gaps[:MOST_LISTED])
    if len(gaps) > MOST_LISTED:
        yield f"and {len(gaps) - MOST_LISTED} more stretches not covered"
    yield from _coded(reference, laid)
    for item in differences[:MOST_LISTED]:
        place = "" if item.inside else ", outside what is judged"
        sure = "" if item.sure else ", refuted by other traces" if item.refuted else ", in doubt"
        yield f"difference: {item.words}, Q{item.score} in {', '.join(item.traces)}{sure}{place}"
    for one, both in mixed[:MOST_LISTED]:
        yield f"mixed peak at {one.site + 1}: {one.base} at {share_text(one.ratio)} of the called peak" + (
            "" if both else ", in one trace only"
        )


def _coded(reference: Reference, laid: Sequence[LaidTrace]) -> Iterator[str]:
    """Letters of the reference that allow several bases, and what the traces show there; others are differences."""
    found: dict[int, Counter[str]] = {}
    for item in laid:
        for site, base in item.coded:
            found.setdefault(site, Counter())[base] += 1
    for site, bases in sorted(found.items())[:MOST_LISTED]:
        shown = " and ".join(
            f"{base} in {many}" for base, many in sorted(bases.items(), key=lambda one: (-one[1], one))
        )
        yield f"letter {reference.sequence[site]} of the reference at {site + 1}: {shown} traces, allowed"


def _trace_words(trace: Trace, laid: LaidTrace | None, reference: Reference) -> str:
    if laid is None:
        return f"{trace.end - trace.start} good bases of {len(trace.sequence)}, too few"
    if not laid.laid.segments:
        return f"{trace.end - trace.start} good bases, which lie nowhere on the reference"
    first = laid.laid.segments[0]
    strand = "forward" if first.strand > 0 else "reverse"
    low, high = first.start % len(reference), (first.end - 1) % len(reference)
    return (
        f"{trace.end - trace.start} good bases, {strand} from {low + 1} to {high + 1}, "
        f"identity {share_text(laid.identity)}"
    )


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"seedtrain": seedtrain.__version__, "biopython": version("biopython"), "mappy": version("mappy")}
