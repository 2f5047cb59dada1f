"""A model of good batches is learnt, and its limits are set by batches that it has not seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from seedtrain.automation._monitoring._latent import Floats, components_of, pca, pls
from seedtrain.automation._monitoring._model import STATISTICS, Golden, GoldenModel, index_of, moving_mean
from seedtrain.base import InputError

LEVEL: Final = 0.99
"""Share of good points within the limit of a time."""
FALSE_ALARMS: Final = 0.05
"""Share of good batches that may have an alarm."""
NEIGHBOURS: Final = 3  # times to either side whose statistics count for the limit of a time
FEWEST: Final = 12
SHARE: Final = 0.75
"""Of the batches, that a tag was read in and a phase has to last for a point to be modelled; assumed."""
LEAST_SCALE: Final = 1e-9


def fit_golden(
    golden: Golden,
    *,
    components: int | None = None,
    level: float = LEVEL,
    false_alarms: float = FALSE_ALARMS,
    towards_outcome: bool = False,
) -> GoldenModel:
    """The model of good batches; `towards_outcome` with PLS, else with PCA.

    Limits come from batches that a model made without them has judged, for a model is kinder to those it was made of:
    at each time by g chi2(h) matched to mean and variance; then, because a batch has many times and each of them may
    give an alarm, times the factor that whole left-out batches ask for, first of each statistic and then of all.

    - `components`: how many; by parallel analysis if not given. `level`: share of good points within each limit.
    - `false_alarms`: share of good batches that may have an alarm at all.

    Raises `InputError` for too few batches.

    **Source** of the limits: Nomikos & MacGregor 1995; Ramaker et al. 2006, Stat. Neerl. 60:339, on how often whole
    batches have an alarm.
    """
    rows = len(golden.values)
    if rows < FEWEST:
        raise InputError(f"{rows} batches are too few for a model", remedy=f"Give {FEWEST} good batches or more.")
    if towards_outcome and golden.outcome is None:
        raise InputError("the batches have no outcome", remedy="Give one, or model them without.")
    if not (0.5 <= level < 1.0 and 0.0 < false_alarms < 1.0):
        raise InputError(
            f"limits of {level:g} with {false_alarms:g} false alarms a batch",
            remedy="Give a level from 0.5 to 1, and a share of false alarms between 0 and 1.",
        )
    count = components or components_of(_table(golden.values)[0])
    model = _fitted(golden, range(rows), count, towards_outcome, level)
    left = _left_out(golden, count, towards_outcome, level)
    usual = np.maximum(np.sqrt(np.nanmean(left.errors**2, axis=(0, 1))), LEAST_SCALE)
    read = np.isfinite(left.errors).sum(axis=2)
    spe = np.nansum((left.errors / usual) ** 2, axis=2) * len(golden.tags) / np.maximum(read, 1)
    statistics = np.array([spe, left.t2, [moving_mean(row) for row in spe]])
    highest = index_of(_left_out_ratios(statistics, level)).max(axis=2)
    # Each statistic comes to its limit as often as the others, so that the restless one does not blunt the rest.
    own = np.array([alarm_factor(item, false_alarms) for item in highest.T])
    error = None
    if left.told is not None and golden.outcome is not None:
        error = np.sqrt(np.mean((left.told - golden.outcome[:, None]) ** 2, axis=0))
    limits = np.array([_box_limit(item, level) for item in statistics]) * own[:, None]
    together = tuple((highest / own).max(axis=1).tolist())
    made = replace(model, usual=usual, limits=limits, outcome_error=error, left_out=together)
    return with_false_alarms(made, false_alarms)


def with_false_alarms(model: GoldenModel, share: float) -> GoldenModel:
    """The model with the limits of alarms that let so many good batches have one."""
    return replace(model, factor=alarm_factor(model.left_out, share), false_alarms=share)


def outstanding(highest: Sequence[float] | Floats, share: float = 0.01) -> dict[int, float]:
    """Which of the left-out batches go beyond what only a `share` would by the others, and how many times."""
    found = {place: item / alarm_factor(np.delete(highest, place), share) for place, item in enumerate(highest)}
    return {place: times for place, times in found.items() if times > 1.0}


def alarm_factor(highest: Sequence[float] | Floats, share: float) -> float:
    """What a new good batch stays below but for a `share` of them, by what `highest` the left-out ones came to.

    The one-sided prediction limit of one more value of a log-normal distribution: with few batches an order statistic
    would be the largest of them, which is whatever it happens to be.

    **Source** of the limit: Hahn & Meeker 1991, Statistical Intervals, chapter 4, here of the logarithms.
    """
    from scipy.special import stdtrit

    logs = np.log(np.maximum(np.asarray(highest, dtype=float), 1e-6))
    count = len(logs)
    reach = float(stdtrit(count - 1, 1.0 - share)) * float(logs.std(ddof=1)) * math.sqrt(1.0 + 1.0 / count)
    return math.exp(float(logs.mean()) + reach)


class _LeftOut(NamedTuple):
    """Of every batch by a model made without it: errors "batch time tag", T2 and told outcome "batch time"."""

    errors: Floats
    t2: Floats
    told: Floats | None


def _left_out_ratios(statistics: Floats, level: float) -> Floats:
    """Each left-out batch over limits of the others, "batch statistic time"."""
    batches = range(statistics.shape[1])
    limits = [[_box_limit(np.delete(item, batch, axis=0), level) for item in statistics] for batch in batches]
    return np.asarray(np.swapaxes(statistics, 0, 1) / np.array(limits))


def _table(values: Floats) -> tuple[Floats, Floats, Floats]:
    """The unfolded table, centred and scaled; a cell that was not read is at its mean.

    A column that fewer than `SHARE` of the batches have is not judged: it has no mean, for that of a few says little.
    """
    flat = values.reshape(len(values), -1)
    read = np.isfinite(flat)
    count = read.sum(axis=0)
    mean = np.where(count >= SHARE * len(values), np.where(read, flat, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    squares = (np.where(read, flat - mean, 0.0) ** 2).sum(axis=0)
    # A column that hardly varies over the good batches must not turn the last digit of a new one into an alarm.
    least = np.maximum(LEAST_SCALE, 1e-6 * np.nan_to_num(np.abs(mean)))
    scale = np.maximum(np.sqrt(np.nan_to_num(squares) / np.maximum(count - 1, 1)), least)
    return np.nan_to_num((flat - mean) / scale), mean, scale


def _fitted(golden: Golden, rows: Sequence[int], count: int, towards_outcome: bool, level: float) -> GoldenModel:
    values = golden.values[list(rows)]
    table, mean, scale = _table(values)
    size = None
    if towards_outcome:
        assert golden.outcome is not None
        outcome = golden.outcome[list(rows)]
        size = (float(outcome.mean()), float(outcome.std(ddof=1)) or 1.0)
        latent = pls(table, (outcome - size[0]) / size[1], count)
    else:
        latent = pca(table, count)
    width, times = len(golden.tags), len(golden.hours)
    scores, _ = latent.path(table.reshape(len(table), times, width))
    apart = scores - scores.mean(axis=0)
    spread = np.einsum("rtk,rtj->tkj", apart, apart) / (len(table) - 1) + 1e-9 * np.diag(latent.variance)
    none = np.full((len(STATISTICS), times), math.inf)
    return GoldenModel(
        golden.tags,
        golden.hours,
        mean,
        scale,
        latent,
        spread,
        np.ones(width),
        none,
        level,
        len(table),
        outcome_scale=size,
    )


def _left_out(golden: Golden, count: int, towards_outcome: bool, level: float) -> _LeftOut:
    traces = []
    for out in range(len(golden.values)):
        rows = [row for row in range(len(golden.values)) if row != out]
        traces.append(_fitted(golden, rows, count, towards_outcome, level).trace(golden.values[out]))
    told = np.array([item.outcome for item in traces]) if towards_outcome else None
    return _LeftOut(np.array([item.errors for item in traces]), np.array([item.t2 for item in traces]), told)


def _box_limit(values: Floats, level: float) -> Floats:
    """By g chi2(h) with the mean and variance of a time and its neighbours (Box 1954, after Nomikos & MacGregor)."""
    from scipy.special import chdtri

    around = [values[:, max(place - NEIGHBOURS, 0) : place + NEIGHBOURS + 1] for place in range(values.shape[1])]
    mean = np.array([item.mean() for item in around])
    variance = np.maximum(np.array([item.var(ddof=1) for item in around]), LEAST_SCALE)
    return np.asarray(variance / (2 * mean) * chdtri(2 * mean**2 / variance, 1.0 - level), dtype=float)
