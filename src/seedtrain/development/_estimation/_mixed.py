"""Runs that differ, as a linear model about every run's own values: its readings, its parts, and where it settles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seedtrain.development._estimation._inputs import Floats
from seedtrain.development._estimation._intervals import Interval
from seedtrain.development._estimation._problem import (
    RTOL,
    Evaluation,
    NDArrayInt,
    Problem,
    joined,
    predict,
    transformed,
)
from seedtrain.development._estimation._restricted import Crossed, Restricted, restricted
from seedtrain.development._estimation._search import box_step

Given = tuple[float | None, ...]
ROUNDS: Final = 30
SETTLED: Final = 0.02
"""Of a standard deviation: a step below which nothing moves any more."""
TIMES: Final = 1e-6
NEAR: Final = 1e-6
"""Of a long step: a parameter this near to a bound stays there."""


@dataclass(frozen=True, eq=False)
class Seen:
    """All readings where every run has its own point: residual, slopes, deviation, all on the readings' scale."""

    residual: Floats
    by: Floats
    sigma: Floats
    predicted: Floats


@dataclass(frozen=True, eq=False)
class Layout:
    """What is estimated how: `mean`, columns of the typical run; `noise`, factors on deviations, by group; `moving`,
    places in `mean` that differ between runs; `run`, `group` of each reading, group 0 where its deviation is known."""

    mean: tuple[int, ...]
    noise: tuple[int, ...]
    moving: tuple[int, ...]
    run: NDArrayInt
    group: NDArrayInt

    @property
    def differ(self) -> list[int]:
        """The parameters that differ between runs."""
        return [self.mean[at] for at in self.moving]


def layout_of(problem: Problem, best: Evaluation, seen: Seen, differ: tuple[int, ...]) -> Layout:
    sizes = [len(item.readings) for item in problem.experiments]
    group = np.zeros(problem.count, dtype=np.int64)
    noise: list[int] = []
    for at, mine in _scatters(problem, best.x):
        noise.append(at)
        group[mine] = len(noise)
    told = np.abs(seen.by).max(axis=0) > 0
    mean = tuple(at for at in range(len(best.x)) if told[at] and at not in noise)
    moving = tuple(mean.index(at) for at in differ if at in mean)
    return Layout(mean, tuple(noise), moving, np.repeat(np.arange(len(sizes)), sizes), group)


def _scatters(problem: Problem, x: Floats) -> list[tuple[int, Any]]:
    """Parameters that are a factor on standard deviations and nothing else, with their readings."""
    readings, found = joined(problem), []
    for at in sorted(set(readings.sigma_parameter.tolist()) - {-1}):
        if at in problem.noise:
            found.append((at, readings.sigma_parameter == at))
    values = problem.values(x)
    slopes = np.array([item.slope(value) for item, value in zip(problem.parameters, values, strict=True)])
    parts = [predict(item, values, slopes, RTOL) for item in problem.experiments]
    if any(part is None for part in parts):
        return found
    _seen, by, sigma, sigma_by = (np.concatenate([part[at] for part in parts if part is not None]) for at in range(4))
    for at in range(len(x)):
        share = sigma_by[:, at] / sigma * values[at] / slopes[at]
        mine = (np.abs(share) > 1e-9) & (readings.sigma_of >= 0)
        alone = mine.any() and not np.abs(by[:, at]).any() and not problem.parameters[at].prior.kind
        if alone and np.allclose(share[mine], 1.0, atol=TIMES):
            found.append((at, mine))
    return found


def read_runs(problem: Problem, points: Floats) -> Seen | None:
    """The readings with run r at `points[r]`; nothing where a run cannot be simulated there."""
    parts = []
    for item, x in zip(problem.experiments, points, strict=True):
        values = problem.values(x)
        slopes = np.array([each.slope(value) for each, value in zip(problem.parameters, values, strict=True)])
        part = predict(item, values, slopes, RTOL)
        if part is None:
            return None
        seen, by, sigma, _sigma_by = part
        free = item.readings.sigma_parameter
        parts.append((seen, by, np.where(free >= 0, values[free], sigma)))
    predicted, by, sigma = (np.concatenate([part[at] for part in parts]) for at in range(3))
    readings = joined(problem)
    found, found_by = transformed(readings.transform, predicted, by)
    residual = readings.measured - found
    if not (np.isfinite(residual).all() and np.isfinite(found_by).all() and (sigma > 0).all()):
        return None
    return Seen(residual, found_by, sigma, predicted)


def crossed(problem: Problem, layout: Layout, seen: Seen, points: Floats, x: Floats) -> Crossed:
    """The linear model about `points`: what each reading would be where its run is the typical one, and slopes."""
    mean = list(layout.mean)
    offset = points[layout.run][:, mean]
    A = seen.by[:, mean]
    w = seen.residual + (A * offset).sum(axis=1)
    rows = np.column_stack([A, w]) / seen.sigma[:, None]
    groups, count, size = len(layout.noise) + 1, len(problem.experiments), len(mean) + 1
    products, counts = np.zeros((groups, count, size, size)), np.zeros((groups, count))
    for group in range(groups):
        for run in range(count):
            part = rows[(layout.run == run) & (layout.group == group)]
            products[group, run], counts[group, run] = part.T @ part, len(part)
    known = [problem.parameters[at].prior_terms(float(x[at])) for at in mean]
    spread = 12.0 / (problem.high - problem.low)[mean] ** 2
    bends = np.array([item[2] for item in known]) + spread
    middle = bends * x[mean] - np.array([item[1] for item in known])
    top = (0.5 * (problem.high - problem.low)[layout.differ]) ** 2
    return Crossed(products, counts, (False, *(True for _ in layout.noise)), np.diag(bends), middle, layout.moving, top)


@dataclass(frozen=True, eq=False)
class Settled:
    """Where the iteration ended: the typical run `x`, every run's own `points`, variances, readings, linear model."""

    x: Floats
    points: Floats
    found: Restricted
    seen: Seen
    runs: Crossed
    settled: bool


class Mixed:
    """The fit that counts how runs differ: linearise about every run's own values, estimate, move, again."""

    def __init__(self, problem: Problem, best: Evaluation, layout: Layout, held: Given) -> None:
        self.problem, self.layout, self.held = problem, layout, held
        self.x = best.x.copy()
        self.own = np.zeros((len(problem.experiments), len(layout.moving)))

    def settle(self, first: Restricted) -> Settled | None:
        """The end of the iteration from the linear estimate `first`; nothing where runs cannot be simulated."""
        found, done = first, False
        seen = read_runs(self.problem, self._points(self.x, self.own))
        if seen is None:
            return None
        for _ in range(ROUNDS):
            seen, moved = self._move(found, seen)
            points = self._points(self.x, self.own)
            runs = crossed(self.problem, self.layout, seen, points, self.x)
            found = restricted(runs, self.held, begin=found.variances)
            done = moved < SETTLED
            if done:
                break
        return Settled(self.x, points, found, seen, runs, done)

    def _points(self, x: Floats, own: Floats) -> Floats:
        points = np.tile(x, (len(own), 1))
        differ = self.layout.differ
        points[:, differ] += own
        points[:, differ] = np.clip(points[:, differ], self.problem.low[differ], self.problem.high[differ])
        return points

    def _move(self, found: Restricted, seen: Seen) -> tuple[Seen, float]:
        """Towards the estimate, as far as the weighted squares fall; the readings there, and how far it went."""
        problem, mean, noise = self.problem, list(self.layout.mean), self.layout.noise
        x, here = self.x.copy(), self.x[mean]
        slope = found.state.precision @ (here - found.state.x)
        x[mean] += box_step(slope, found.state.precision, problem.low[mean] - here, problem.high[mean] - here)
        own = found.state.own(x[mean], found.variances)
        factors = np.concatenate([[1.0], np.exp(found.factors[1:])])[self.layout.group]
        for group, at in enumerate(noise, 1):
            about = problem.parameters[at]
            value = about.value(float(x[at])) * math.exp(float(found.factors[group]))
            x[at] = about.scaled(min(max(value, about.low), about.high))
        long = np.abs(x - self.x)[mean] / np.sqrt(np.diag(found.state.covariance))
        before, share = self._squares(seen, factors * seen.sigma, found, self.own), 1.0
        for _ in range(6):
            here = self.x + share * (x - self.x)
            here[list(noise)] = x[list(noise)]
            mine = self.own + share * (own - self.own)
            after = read_runs(problem, self._points(here, mine))
            if after is not None and self._squares(after, after.sigma, found, mine) < before + 1e-3:
                self.x, self.own = here, mine
                return after, float(long.max(initial=0.0)) * share
            share *= 0.4
        return seen, 0.0

    def _squares(self, seen: Seen, sigma: Floats, found: Restricted, own: Floats) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            away = np.where(found.variances > 0, own**2 / found.variances, 0.0)
        return float(((seen.residual / sigma) ** 2).sum() + away.sum())


def information(problem: Problem, layout: Layout, here: Settled, typical: Evaluation) -> Floats:
    """The information of every parameter, on the search's scale, that stays where runs differ."""
    mean = list(layout.mean)
    whole = np.zeros_like(typical.fisher)
    rest = [at for at in range(len(whole)) if at not in mean]
    whole[rest, rest] = np.diag(typical.fisher)[rest]
    spread = 12.0 / (problem.high - problem.low)[mean] ** 2
    whole[np.ix_(mean, mean)] = np.linalg.inv(here.found.state.covariance) - np.diag(spread)
    for at, deviation in scatter_deviations(problem, layout, here.x, here.found):
        whole[at, at] = deviation**-2
    return whole


def scatter_deviations(problem: Problem, layout: Layout, x: Floats, found: Restricted) -> list[tuple[int, float]]:
    """Of each estimated scatter, the standard deviation of its place on the search's scale."""
    told = []
    for group, at in enumerate(layout.noise, 1):
        about = problem.parameters[at]
        value = about.value(float(x[at]))
        told.append((at, max(float(found.factor_deviation[group]), 1e-9) * value / about.slope(value)))
    return told


def student_half(problem: Problem, at: int, variance: float, freedom: float, level: float) -> float:
    """Half of Student's interval of a parameter, whose bounds are no information though `variance` counts them."""
    from scipy import stats

    told = 1.0 / variance - 12.0 / float(problem.high[at] - problem.low[at]) ** 2
    reach = float(stats.t.ppf(0.5 + level / 2, min(freedom, 1e9)))
    return reach / math.sqrt(told) if told > 0 else math.inf


def student_intervals(
    problem: Problem, layout: Layout, here: Settled, level: float, plain: Mapping[str, Interval], alike: Floats
) -> dict[str, Interval]:
    """Student's interval of each parameter on the search's scale.

    A side that the fit of runs taken alike leaves open (`plain`) stays so, unless it had run into a bound.
    """
    from scipy import stats

    intervals = dict(plain)
    spread = np.diag(here.found.state.covariance)
    halves = {}
    for place, at in enumerate(layout.mean):
        halves[at] = student_half(problem, at, float(spread[place]), float(here.found.freedom[place]), level)
    reach = float(stats.norm.ppf(0.5 + level / 2))
    halves |= {at: reach * deviation for at, deviation in scatter_deviations(problem, layout, here.x, here.found)}
    near = NEAR * problem.widths
    stuck = (alike < problem.low + near) | (alike > problem.high - near)
    for at, half in halves.items():
        about, x = problem.parameters[at], float(here.x[at])
        before, low, high = plain[about.name], x - half, x + half
        intervals[about.name] = Interval(
            about.value(low) if low > problem.low[at] and (before.low is not None or stuck[at]) else None,
            about.value(high) if high < problem.high[at] and (before.high is not None or stuck[at]) else None,
            "between runs",
        )  # fmt: skip
    return intervals
