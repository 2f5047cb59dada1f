"""A model of good batches, and a running batch beside it: Hotelling's T2, squared prediction error, contributions.

Batches are unfolded batch-wise: a row is a batch, a column a tag at a time of the phase, each centred and scaled over
the batches, so that what is modelled is how batches differ from their mean trajectory, not the trajectory itself.

**Source** Nomikos & MacGregor 1994, AIChE J. 40:1361; 1995, Technometrics 37:41.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.automation._monitoring._latent import Floats, Latent, components_of, pca, pls
from seedtrain.base import InputError

LEVEL: Final = 0.99
FOLDS: Final = 10
NEIGHBOURS: Final = 3  # times to either side whose SPE counts for the limit of a time
IN_A_ROW: Final = 3
"""Points beyond the limit of T2 or SPE before it is an alarm."""
WINDOW: Final = 10
"""Points whose mean SPE is looked at beside that of one: what is small and stays shows there."""
WINDOW_LEVEL: Final = 0.999
"""Of the limit of that mean, which is an alarm at once."""
HOUR: Final = "SPE of the last hour"
FEWEST: Final = 12
LEAST_SCALE: Final = 1e-9


@dataclass(frozen=True)
class Golden:
    """Aligned batches: `values` in the shape "batch time tag", not a number where nothing was read.

    - `hours`: of the phase, shape "time". `outcome`: what the batches gave, shape "batch", or None.
    """

    tags: tuple[str, ...]
    hours: Floats
    values: Floats
    outcome: Floats | None = None

    def __post_init__(self) -> None:
        if self.values.shape[1:] != (len(self.hours), len(self.tags)):
            raise InputError(
                f"the batches have the shape {self.values.shape}, {len(self.hours)} times and {len(self.tags)} tags",
                remedy="Give values in the shape batch, time, tag.",
            )


@dataclass(frozen=True)
class Trace:
    """A batch beside the model, each of shape "time".

    - `t2`, `spe`: Hotelling's T2 of the scores so far, and the squared prediction error of the values of the time,
      each tag's error over what is usual for it, so that a precise instrument counts as much as a restless one.
    - `spe_mean`: of the last `WINDOW` times.
    - `outcome`: the outcome as far as it can be told, in its unit; None where the model has none.
    """

    t2: Floats
    spe: Floats
    spe_mean: Floats
    outcome: Floats | None


@dataclass(frozen=True)
class Finding:
    """The first alarm: when (h of the phase), by which statistic, and what gives most to it, the largest first."""

    hours: float
    place: int
    statistic: str
    contributions: Mapping[str, float]


@dataclass(frozen=True)
class GoldenModel:
    """What good batches are like.

    - `mean`, `scale`: "column". `spread`: covariance of the scores known at each time, "time component component".
    - `usual`: "tag", the standard deviation of a good batch's error, scaled as its column is.
    - `t2_limit`, `spe_limit`, at `level`, and `spe_mean_limit`, at `WINDOW_LEVEL`: "time".
    - `outcome_scale`: mean and standard deviation of the outcome. `outcome_error`: "time": standard deviation of the
      outcome told at that time, for batches that were left out.
    """

    tags: tuple[str, ...]
    hours: Floats
    mean: Floats
    scale: Floats
    latent: Latent
    spread: Floats
    usual: Floats
    t2_limit: Floats
    spe_limit: Floats
    spe_mean_limit: Floats
    level: float
    count: int
    outcome_scale: tuple[float, float] | None = None
    outcome_error: Floats | None = None

    def trace(self, values: Floats) -> Trace:
        """A whole batch, or as much of it as there is: `values` of shape "time tag"."""
        t2, spe, told = [], [], []
        for place in range(len(values)):
            scores, z, _ = self._scores(values[: place + 1])
            t2.append(self._t2(scores, place))
            spe.append(float(np.nansum(self._residual(scores, z, place) ** 2)) * self._missing(z, place))
            told.append(self._told(scores))
        outcome = None if self.latent.outcome is None else np.array(told, dtype=float)
        return Trace(np.array(t2), np.array(spe), _moving_mean(np.array(spe)), outcome)

    def first_alarm(self, values: Floats) -> Finding | None:
        """The first time at which a statistic is an alarm; None: never."""
        trace = self.trace(values)
        found: list[tuple[int, str]] = []
        for name, seen, limit, times in (
            ("SPE", trace.spe, self.spe_limit, IN_A_ROW),
            ("T2", trace.t2, self.t2_limit, IN_A_ROW),
            (HOUR, trace.spe_mean, self.spe_mean_limit, 1),
        ):
            beyond = seen > limit[: len(seen)]
            runs = np.convolve(beyond, np.ones(times), "full")[: len(beyond)] >= times - 0.5
            if runs.any():
                found.append((int(np.argmax(runs)), name))
        if not found:
            return None
        place, name = min(found)
        return Finding(float(self.hours[place]), place, name, self.contributions(values, place, name))

    def contributions(self, values: Floats, place: int, statistic: str) -> dict[str, float]:
        """What each tag gives to a statistic at a time; they add up to it, and the largest comes first.

        **Source** Westerhuis, Gurden & Smilde 2000, Chemom. Intell. Lab. Syst. 51:95.
        """
        scores, z, projection = self._scores(values[: place + 1])
        if statistic == HOUR:
            near = range(max(place - WINDOW + 1, 0), place + 1)
            each = [self.contributions(values, item, "SPE") for item in near]
            by_tag = np.array([sum(item[tag] for item in each) / len(each) for tag in self.tags])
        elif statistic == "SPE":
            by_tag = np.nan_to_num(self._residual(scores, z, place)) ** 2 * self._missing(z, place)
        else:
            weight = np.linalg.solve(self.spread[place], scores) @ projection
            known = np.isfinite(z)
            columns = np.zeros(len(z))
            columns[known] = weight * z[known]
            by_tag = columns.reshape(-1, len(self.tags)).sum(axis=0)
        order = np.argsort(-np.abs(by_tag))
        return {self.tags[number]: float(by_tag[number]) for number in order}

    def _scores(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        """Scores from what is known, all known columns scaled, and the projection that was used."""
        z = (np.asarray(values, dtype=float).ravel() - self.mean[: values.size]) / self.scale[: values.size]
        known = np.isfinite(z)
        projection = self.latent.projection(np.flatnonzero(known))
        return projection @ z[known], z, projection

    def _residual(self, scores: Floats, z: Floats, place: int) -> Floats:
        width = len(self.tags)
        columns = slice(place * width, (place + 1) * width)
        return np.asarray((z[columns] - self.latent.loadings[columns] @ scores) / self.usual, dtype=float)

    def _missing(self, z: Floats, place: int) -> float:
        """What makes the error of the tags that were read comparable to that of all."""
        width = len(self.tags)
        known = int(np.isfinite(z[place * width : (place + 1) * width]).sum())
        return width / known if known else 0.0

    def _t2(self, scores: Floats, place: int) -> float:
        return float(scores @ np.linalg.solve(self.spread[place], scores))

    def _told(self, scores: Floats) -> float:
        if self.latent.outcome is None or self.outcome_scale is None:
            return float("nan")
        mean, size = self.outcome_scale
        return mean + size * float(self.latent.outcome @ scores)


def fit_golden(
    golden: Golden, *, components: int | None = None, level: float = LEVEL, towards_outcome: bool = False
) -> GoldenModel:
    """The model of good batches; `towards_outcome` with PLS, else with PCA.

    Limits come from batches that a model made without them has judged, for a model is kinder to those it was made of:
    of SPE by g chi2(h) matched to their mean and variance at each time, of T2 by F.

    - `components`: how many; by parallel analysis if not given. `level`: share of good points within each limit.

    Raises `InputError` for too few batches.

    **Source** of the limits: Nomikos & MacGregor 1995; Ramaker et al. 2006, J. Chemom. 20:148, on left-out batches.
    """
    rows = len(golden.values)
    if rows < FEWEST:
        raise InputError(f"{rows} batches are too few for a model", remedy=f"Give {FEWEST} good batches or more.")
    if towards_outcome and golden.outcome is None:
        raise InputError("the batches have no outcome", remedy="Give one, or model them without.")
    count = components or components_of(_table(golden.values)[0])
    model = _fitted(golden, range(rows), count, towards_outcome, level)
    errors, told = _left_out(golden, count, towards_outcome, level)
    usual = np.maximum(np.sqrt(np.nanmean(errors**2, axis=(0, 1))), LEAST_SCALE)
    read = np.isfinite(errors).sum(axis=2)
    spe = np.nansum((errors / usual) ** 2, axis=2) * len(golden.tags) / np.maximum(read, 1)
    error = None
    if told is not None and golden.outcome is not None:
        error = np.sqrt(np.mean((told - golden.outcome[:, None]) ** 2, axis=0))
    limits = {
        "usual": usual,
        "spe_limit": _spe_limit(spe, level),
        "spe_mean_limit": _spe_limit(np.array([_moving_mean(row) for row in spe]), WINDOW_LEVEL),
    }
    return GoldenModel(**{**vars(model), **limits, "outcome_error": error})


def _table(values: Floats) -> tuple[Floats, Floats, Floats]:
    """The unfolded table, centred and scaled; a cell that was not read is at its mean."""
    flat = values.reshape(len(values), -1)
    mean, scale = np.nanmean(flat, axis=0), np.nanstd(flat, axis=0, ddof=1)
    # A column that hardly varies over the good batches must not turn the last digit of a new one into an alarm.
    scale = np.maximum(scale, np.maximum(LEAST_SCALE, 1e-6 * np.abs(mean)))
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
    spread = []
    for place in range(times):
        columns = slice(0, (place + 1) * width)
        scores = table[:, columns] @ latent.projection(columns).T
        spread.append(np.atleast_2d(np.cov(scores, rowvar=False)) + 1e-9 * np.diag(latent.variance))
    limit = np.full(times, _t2_limit(latent.count, len(table), level))
    none, ones = np.full(times, np.inf), np.ones(width)
    return GoldenModel(
        golden.tags,
        golden.hours,
        mean,
        scale,
        latent,
        np.array(spread),
        ones,
        limit,
        none,
        none,
        level,
        len(table),
        size,
    )


def _t2_limit(count: int, rows: int, level: float) -> float:
    """Of a new batch, whose scores are not among those of the covariance."""
    from scipy.special import fdtri

    return float(count * (rows**2 - 1) / (rows * (rows - count)) * fdtri(count, rows - count, level))


def _left_out(golden: Golden, count: int, towards_outcome: bool, level: float) -> tuple[Floats, Floats | None]:
    """Errors ("batch time tag") and told outcome ("batch time") of every batch by a model made without it."""
    rows = len(golden.values)
    errors = np.empty(golden.values.shape)
    told = np.empty(golden.values.shape[:2]) if towards_outcome else None
    for fold in range(min(FOLDS, rows)):
        out = range(fold, rows, min(FOLDS, rows))
        model = _fitted(golden, [row for row in range(rows) if row not in out], count, towards_outcome, level)
        for row in out:
            for place in range(len(golden.hours)):
                scores, z, _ = model._scores(golden.values[row, : place + 1])
                errors[row, place] = model._residual(scores, z, place)
                if told is not None:
                    told[row, place] = model._told(scores)
    return errors, told


def _moving_mean(spe: Floats) -> Floats:
    """Of the last `WINDOW` values, of as many as there are at the beginning."""
    total = np.concatenate(([0.0], np.cumsum(spe)))
    last = np.arange(1, len(spe) + 1)
    first = np.maximum(last - WINDOW, 0)
    return np.asarray((total[last] - total[first]) / (last - first), dtype=float)


def _spe_limit(spe: Floats, level: float) -> Floats:
    """By g chi2(h) with the mean and variance of a time and its neighbours (Box 1954, after Nomikos & MacGregor)."""
    from scipy.special import chdtri

    found = []
    for place in range(spe.shape[1]):
        near = spe[:, max(place - NEIGHBOURS, 0) : place + NEIGHBOURS + 1]
        mean, variance = float(near.mean()), float(near.var(ddof=1))
        found.append(variance / (2 * mean) * float(chdtri(2 * mean**2 / variance, 1.0 - level)))
    return np.array(found)
