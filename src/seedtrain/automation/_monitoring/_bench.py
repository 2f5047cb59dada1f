"""What monitoring finds: planted faults on the virtual plant, how late, and how often it cries for nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seedtrain.automation._control import Case
from seedtrain.automation._monitoring._fit import FALSE_ALARMS, fit_golden
from seedtrain.automation._monitoring._golden import (
    POINT_TICKS,
    SOFT_TAGS,
    TAGS,
    TICK_H,
    Planted,
    golden_batch,
    planted_faults,
)
from seedtrain.automation._monitoring._model import Finding, Golden, GoldenModel
from seedtrain.base import InputError, Progress, silent
from seedtrain.base import translate as _

COUNTS: Final = (12, 20, 30)
"""Golden batches that a model is learnt from besides, to see what few of them cost."""
CHOICES: Final = 6
"""Models of each count, each of other batches: how often one cries says little of the next."""
SURE: Final = 0.95
"""Of the intervals of shares."""


@dataclass(frozen=True)
class Learnt:
    """What models of so many batches did, on average and each: `false` alarms of the good batches that each was not
    learnt from, `judged` different ones in all, and the share of faults `found`."""

    false: tuple[float, ...]
    judged: int
    found: tuple[float, ...]


@dataclass(frozen=True)
class Tried:
    """What a method did: alarms of fresh good batches, and of each fault's batches since the fault began."""

    method: str
    components: int
    good: Sequence[Finding | None]
    faulty: Mapping[str, Sequence[Finding | None]]
    began: float
    outcome_error: tuple[float, float] | None  # relative, at the beginning and at the end
    learnt: Mapping[int, Learnt]  # by batches learnt from


def bench_monitoring(
    case: Case,
    *,
    golden: int = 60,
    fresh: int = 40,
    batches: int = 10,
    hours: float = 10.0,
    seed: int = 0,
    soft: bool = False,
    faults: Sequence[Planted] | None = None,
    progress: Progress = silent,
) -> list[Tried]:
    """Learn from `golden` batches, then judge `fresh` good ones and `batches` with each fault, by PCA and by PLS.

    Faults begin at four tenths of the `hours` of feed that are watched. Besides, several models of few and of `golden`
    batches, chosen by chance among all good ones, judge those that they were not learnt from. `soft`: with soft sensors
    among the tags.
    """
    if golden < 12 or fresh < 1 or batches < 1 or hours < 1:
        raise InputError(
            f"{golden} golden, {fresh} fresh, {batches} faulty batches of {hours:g} h",
            remedy="Give 12 golden batches or more, one of the others, and an hour.",
        )
    planted = planted_faults() if faults is None else tuple(faults)
    whole, done = golden + fresh + len(planted) * batches, 0

    def batch(number: int, *more: Any) -> tuple[Any, float]:
        nonlocal done
        progress(done / whole, _("simulated batches"))
        done += 1
        return golden_batch(case, [seed, number], hours=hours, faults=more)

    made = [batch(number) for number in range(golden + fresh)]
    at = np.array([TICK_H * POINT_TICKS * place for place in range(1, len(made[0][0]) + 1)])
    tags = (*TAGS, *SOFT_TAGS) if soft else TAGS
    values, outcome = (np.array([item[place] for item in made]) for place in (0, 1))
    good = Golden(tags, at, values[:, :, : len(tags)], outcome)
    began = 0.4 * hours
    faulty = {
        item.name: [
            batch(golden + fresh + place * batches + number, item.at(began))[0][:, : len(tags)]
            for number in range(batches)
        ]
        for place, item in enumerate(planted)
    }
    found = [judged(good, golden, method, faulty, began) for method in ("PCA", "PLS")]
    progress(1.0, _("simulated batches"))
    return found


def judged(good: Golden, golden: int, method: str, faulty: Mapping[str, Sequence[Any]], began: float) -> Tried:
    """Learn from the first `golden` of the good batches and judge the others and the faulty ones; then by few."""
    model = _model(good, range(golden), method)
    error = None
    if model.outcome_error is not None and good.outcome is not None:
        size = float(np.mean(good.outcome[:golden]))
        error = (float(model.outcome_error[0]) / size, float(model.outcome_error[-1]) / size)
    counts = sorted({*(item for item in COUNTS if item < golden), golden})
    return Tried(
        method,
        model.latent.count,
        [model.first_alarm(values) for values in good.values[golden:]],
        {name: [model.first_alarm(values) for values in items] for name, items in faulty.items()},
        began,
        error,
        {count: _learnt(good, count, method, faulty, began) for count in counts},
    )


def _model(good: Golden, rows: Sequence[int], method: str) -> GoldenModel:
    return fit_golden(good.batches(rows), towards_outcome=method == "PLS")


def _learnt(good: Golden, count: int, method: str, faulty: Mapping[str, Sequence[Any]], began: float) -> Learnt:
    """Models of `count` of the good batches, chosen by chance; each judges all others and the faulty ones."""
    whole, rng = len(good.values), np.random.default_rng(count)
    false, found, seen = [], [], set()
    for _choice in range(CHOICES):
        order = rng.permutation(whole).tolist()
        model = _model(good, order[:count], method)
        seen |= set(order[count:])
        false.append(float(np.mean([model.first_alarm(good.values[row]) is not None for row in order[count:]])))
        alarms = [model.first_alarm(values) for items in faulty.values() for values in items]
        found.append(float(np.mean([alarm is not None and alarm.hours > began for alarm in alarms])))
    return Learnt(tuple(false), len(seen), tuple(found))


def share_interval(share: float, count: int) -> tuple[float, float]:
    """Where a share that was seen in `count` may lie, by `SURE`.

    **Source** Clopper & Pearson 1934, Biometrika 26:404.
    """
    from scipy.special import betaincinv

    hits, tail = share * count, (1.0 - SURE) / 2
    low = 0.0 if hits <= 0 else float(betaincinv(hits, count - hits + 1, tail))
    high = 1.0 if hits >= count else float(betaincinv(hits + 1, count - hits, 1.0 - tail))
    return low, high


def monitoring_rows(found: Sequence[Tried]) -> list[dict[str, Any]]:
    """Rows of a bench: false alarms, and for each fault the share found and the median delay, h.

    An alarm before the fault began is a false one, and its batch does not count as found. A share of false alarms meets
    its goal unless the interval of what was seen is above it: forty batches tell no more.
    """
    rows = []
    for item in found:
        false = sum(finding is not None for finding in item.good) / len(item.good)
        note = _("{count} components").format(count=item.components)
        rows.append(_false_row(item, _("good batches with an alarm"), false, len(item.good), note))
        for count, learnt in item.learnt.items():
            case = _("good batches with an alarm, learnt from {count}").format(count=count)
            note = _("{least} to {most} by model; {share} of all faults found").format(
                least=f"{min(learnt.false):.1%}", most=f"{max(learnt.false):.1%}", share=f"{np.mean(learnt.found):.0%}"
            )
            rows.append(_false_row(item, case, float(np.mean(learnt.false)), learnt.judged, note))
        for name, findings in item.faulty.items():
            rows.append(_fault_row(item, name, findings))
        if item.outcome_error is not None:
            early, late = item.outcome_error
            note = _("{early} at the first point").format(early=f"{early:.1%}")
            rows.append(_row(item, _("biomass at the end, told at the last point: error"), late, "", note=note))
    return rows


def _false_row(item: Tried, case: str, share: float, count: int, note: str) -> dict[str, Any]:
    low, high = share_interval(share, count)
    words = _("{low} to {high} of {count} batches").format(low=f"{low:.1%}", high=f"{high:.1%}", count=count)
    return _row(item, case, share, "", goal=FALSE_ALARMS, met=low <= FALSE_ALARMS, note=f"{words}; {note}")


def _fault_row(item: Tried, name: str, findings: Sequence[Finding | None]) -> dict[str, Any]:
    hit = [finding for finding in findings if finding is not None and finding.hours > item.began]
    share = len(hit) / len(findings)
    delay = float(np.median([finding.hours - item.began for finding in hit])) if hit else None
    early = sum(finding is not None and finding.hours <= item.began for finding in findings)
    first = Counter(next(iter(finding.contributions)) for finding in hit).most_common(1)
    by = Counter(finding.statistic for finding in hit).most_common(1)
    words = _("{hit} of {count} found")
    note = words.format(hit=len(hit), count=len(findings))
    note += f"; {by[0][0]}, {first[0][0]}" if hit else ""
    note += "; " + _("{early} false before it").format(early=early) if early else ""
    return {**_row(item, name, delay, "h", note=note), "found": share, "goal": None}


def _row(
    item: Tried,
    case: str,
    ours: float | None,
    unit: str,
    *,
    goal: float | None = None,
    met: bool | None = None,
    note: str = "",
) -> dict[str, Any]:
    return {
        "bench": "monitoring",
        "case": f"{item.method}: {case}",
        "ours": ours,
        "peer": None,
        "peer_name": None,
        "peer_version": None,
        "unit": unit,
        "ratio": None,
        "goal": goal,
        "goal_kind": "limit",
        "origin": "simulated",
        "met": met,
        "note": note,
    }
