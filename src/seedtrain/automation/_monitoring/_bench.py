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
    TAGS,
    TICK_H,
    Planted,
    golden_batch,
    planted_faults,
)
from seedtrain.automation._monitoring._model import Finding, Golden
from seedtrain.base import InputError, Progress, silent
from seedtrain.base import translate as _

FEWER: Final = (20, 30)
"""Golden batches that a model is learnt from besides, to see what few of them cost."""
CHOICES: Final = 4


@dataclass(frozen=True)
class Tried:
    """What one model did: alarms of fresh good batches, and of each fault's batches since the fault began."""

    method: str
    components: int
    good: Sequence[Finding | None]
    faulty: Mapping[str, Sequence[Finding | None]]
    began: float
    outcome_error: tuple[float, float] | None  # relative, at the beginning and at the end
    fewer: Mapping[int, tuple[float, float]]  # by batches learnt from: share of false alarms, share of faults found


def bench_monitoring(
    case: Case,
    *,
    golden: int = 60,
    fresh: int = 40,
    batches: int = 10,
    hours: float = 10.0,
    seed: int = 0,
    faults: Sequence[Planted] | None = None,
    progress: Progress = silent,
) -> list[Tried]:
    """Learn from `golden` batches, then judge `fresh` good ones and `batches` with each fault, by PCA and by PLS.

    Faults begin at four tenths of the `hours` of feed that are watched.
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

    made = [batch(number) for number in range(golden)]
    at = np.array([TICK_H * POINT_TICKS * place for place in range(1, len(made[0][0]) + 1)])
    data = Golden(TAGS, at, np.array([item[0] for item in made]), np.array([item[1] for item in made]))
    good = [batch(golden + number)[0] for number in range(fresh)]
    began = 0.4 * hours
    faulty = {
        item.name: [batch(golden + fresh + place * batches + number, item.at(began))[0] for number in range(batches)]
        for place, item in enumerate(planted)
    }
    found = [_tried(data, method, good, faulty, began) for method in ("PCA", "PLS")]
    progress(1.0, _("simulated batches"))
    return found


def _tried(data: Golden, method: str, good: Sequence[Any], faulty: Mapping[str, Sequence[Any]], began: float) -> Tried:
    model = fit_golden(data, towards_outcome=method == "PLS")
    error = None
    if model.outcome_error is not None and data.outcome is not None:
        size = float(np.mean(data.outcome))
        error = (float(model.outcome_error[0]) / size, float(model.outcome_error[-1]) / size)
    return Tried(
        method,
        model.latent.count,
        [model.first_alarm(values) for values in good],
        {name: [model.first_alarm(values) for values in items] for name, items in faulty.items()},
        began,
        error,
        {count: _with_fewer(data, count, method, good, faulty, began) for count in FEWER if count < len(data.values)},
    )


def _with_fewer(
    data: Golden, count: int, method: str, good: Sequence[Any], faulty: Mapping[str, Sequence[Any]], began: float
) -> tuple[float, float]:
    """Shares of false alarms and of faults found, over several choices of `count` golden batches."""
    whole, false, found = len(data.values), [], []
    for first in range(0, whole, whole // CHOICES):
        rows = [(first + place) % whole for place in range(count)]
        assert data.outcome is not None
        part = Golden(data.tags, data.hours, data.values[rows], data.outcome[rows])
        model = fit_golden(part, towards_outcome=method == "PLS")
        false += [model.first_alarm(values) is not None for values in good]
        alarms = [model.first_alarm(values) for items in faulty.values() for values in items]
        found += [alarm is not None and alarm.hours > began for alarm in alarms]
    return float(np.mean(false)), float(np.mean(found))


def monitoring_rows(found: Sequence[Tried]) -> list[dict[str, Any]]:
    """Rows of a bench: false alarms, and for each fault the share found and the median delay, h.

    An alarm before the fault began is a false one, and its batch does not count as found.
    """
    rows = []
    for item in found:
        false = sum(finding is not None for finding in item.good) / len(item.good)
        note = _("{count} components").format(count=item.components)
        rows.append(
            _row(
                item,
                _("good batches with an alarm"),
                false,
                "",
                goal=FALSE_ALARMS,
                met=false <= FALSE_ALARMS,
                note=note,
            )
        )
        for count, (share, found_share) in item.fewer.items():
            case = _("good batches with an alarm, learnt from {count}").format(count=count)
            note = _("{share} of all faults found").format(share=f"{found_share:.0%}")
            rows.append(_row(item, case, share, "", goal=FALSE_ALARMS, met=share <= FALSE_ALARMS, note=note))
        for name, findings in item.faulty.items():
            rows.append(_fault_row(item, name, findings))
        if item.outcome_error is not None:
            early, late = item.outcome_error
            note = _("{early} at the first point").format(early=f"{early:.1%}")
            rows.append(_row(item, _("biomass at the end, told at the last point: error"), late, "", note=note))
    return rows


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
