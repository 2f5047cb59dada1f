"""What a fit would know after further runs, where runs differ from one another.

A further run has values of its own too: what it tells of the typical run is the inverse of (how far runs differ + the
inverse of what it tells of its own values), and no number of its readings brings it beyond the inverse of the first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from seedtrain.development._estimation._between import BetweenRuns
from seedtrain.development._estimation._drawn_runs import Linear
from seedtrain.development._estimation._fit import Fit
from seedtrain.development._estimation._inputs import Floats
from seedtrain.development._estimation._mixed import (
    Settled,
    crossed,
    layout_of,
    read_runs,
    scatter_deviations,
    student_half,
)
from seedtrain.development._estimation._problem import Problem, joined, weighted_slopes
from seedtrain.development._estimation._restricted import (
    Crossed,
    Restricted,
    as_estimated,
    further,
    of_typical,
    state,
)


@dataclass(frozen=True, eq=False)
class Differing:
    """How runs differ, as a fit found it: `told`, and its `linear` model where the fit counts it."""

    told: BetweenRuns
    linear: Linear | None

    @staticmethod
    def of(fit: Fit) -> Differing | None:
        """What `fit` says of its runs; nothing where it was not asked, or has one run."""
        return None if fit.between is None else Differing(fit.between, fit.linear)

    @staticmethod
    def from_data(problem: Problem, x: Floats, data: Mapping[str, Any]) -> Differing:
        """The same from `between_runs` of the fit's data, `x` its typical run: the runs are simulated once more.

        Raises `KeyError`, `TypeError` or `ValueError` where these are no data of a fit of `problem`.
        """
        told = BetweenRuns.from_data(data)
        return Differing(told, _linear(problem, x, told) if told.counted else None)


def _linear(problem: Problem, x: Floats, told: BetweenRuns) -> Linear:
    if told.runs != tuple(item.name for item in problem.experiments):
        raise ValueError("other runs")
    points, held, variances = np.tile(x, (len(told.runs), 1)), [], []
    differ = tuple(problem.names.index(item.name) for item in told.deviations)
    for at, item in zip(differ, told.deviations, strict=True):
        about = problem.parameters[at]
        points[:, at] = [about.scaled(value) for value in told.own[item.name]]
        variances.append((item.deviation / about.slope(about.value(float(x[at])))) ** 2)
        held.append(variances[-1] if item.given else None)
    seen = read_runs(problem, points)
    if seen is None:
        raise ValueError("runs that cannot be simulated")
    layout = layout_of(problem, problem.evaluate(x), seen, differ)
    if tuple(layout.differ) != differ:
        raise ValueError("other parameters")
    runs = crossed(problem, layout, seen, points, x)
    found = as_estimated(runs, np.array(variances), held)
    return Linear(layout, Settled(x, points, found, seen, runs, told.settled), tuple(held))


@dataclass(frozen=True, eq=False)
class RunSlopes:
    """Readings of a run that was not made: `slopes` by all parameters, each over the reading's standard deviation, of
    shape "reading parameter"; `names` of what is read."""

    slopes: Floats
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of every parameter: standard deviation on the search's scale (what the bounds say counted), and
    half of Student's interval (not counted; infinite where nothing is told)."""

    deviations: Floats
    halves: Floats


class Ahead:
    """A fit that counts how runs differ, and what it would know after further runs.

    - `own`: how many parameters further runs have for themselves, after those of the problem, each of variance 1.
    """

    def __init__(self, problem: Problem, linear: Linear, own: int = 0) -> None:
        self.problem, self.linear, self.own = problem, linear, own

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return len(self.problem.names) + self.own

    @property
    def scatters(self) -> tuple[int, ...]:
        """Parameters that are a factor on standard deviations and nothing else."""
        return self.linear.layout.noise

    @cached_property
    def columns(self) -> list[int]:
        """All other parameters, those first that the fit's readings tell."""
        mean = self.linear.layout.mean
        rest = [at for at in range(self.size) if at not in mean and at not in self.scatters]
        return [*mean, *rest]

    @cached_property
    def variances(self) -> Floats:
        """How far runs differ, of every parameter."""
        found = np.zeros(self.size)
        found[self.linear.layout.differ] = self.linear.here.found.variances
        return found

    @cached_property
    def base(self) -> Floats:
        """The information of now on all parameters, with what the bounds say."""
        found = np.zeros((self.size, self.size))
        found[np.ix_(self.columns, self.columns)] = self._now.state.precision
        for at, told in self._scatter(self._now):
            found[at, at] = told
        return found

    def of_typical(self, information: Floats) -> Floats:
        """What a run tells of the typical run, from what it tells of its own values; all parameters."""
        moving = np.flatnonzero(self.variances > 0).tolist()
        return of_typical(information, moving, self.variances[moving])

    def after(self, runs: Sequence[RunSlopes], level: float) -> Known:
        """What is expected to be known at `level` once further runs are made; of none: what is known now."""
        found = self._now
        if runs:
            found = further(self._runs, self._now, self._crossed(runs), self.linear.held)
        spread, freedom = np.zeros(self.size), np.full(self.size, np.inf)
        spread[self.columns] = np.diag(found.state.covariance)
        freedom[self.columns] = found.freedom
        for at, told in self._scatter(found):
            spread[at] = 1.0 / told
        halves = [student_half(self.problem, at, float(spread[at]), float(freedom[at]), level)
                  for at in range(len(self.problem.names))]  # fmt: skip
        return Known(np.sqrt(spread), np.array(halves))

    @cached_property
    def _runs(self) -> Crossed:
        """The fit's runs, with columns of what they do not tell."""
        runs, mean, problem = self.linear.here.runs, len(self.linear.layout.mean), self.problem
        size = len(self.columns)
        kept = [*range(mean), size]
        products = np.zeros((*runs.products.shape[:2], size + 1, size + 1))
        products[..., np.array(kept)[:, None], kept] = runs.products
        prior, prior_at = np.zeros((size, size)), np.zeros(size)
        prior[:mean, :mean], prior_at[:mean] = runs.prior, runs.prior_at
        for place, at in enumerate(self.columns[mean:], mean):
            prior[place, place] = 1.0
            if at < len(problem.names):
                x = float(self.linear.here.x[at])
                bend = problem.parameters[at].prior_terms(x)[2] + 12.0 / float(problem.high[at] - problem.low[at]) ** 2
                prior[place, place], prior_at[place] = bend, bend * x
        return dataclasses.replace(runs, products=products, prior=prior, prior_at=prior_at)

    @cached_property
    def _now(self) -> Restricted:
        """The fit as it ended, with columns of what its runs do not tell."""
        found = self.linear.here.found
        untold = np.full(len(self.columns) - len(self.linear.layout.mean), np.inf)
        here = state(self._runs, found.variances, found.factors)
        return dataclasses.replace(found, state=here, freedom=np.concatenate([found.freedom, untold]))

    @cached_property
    def _groups(self) -> dict[str, int]:
        """The group of standard deviations that each observable of the fit belongs to."""
        return dict(zip(joined(self.problem).names, self.linear.layout.group.tolist(), strict=True))

    def _crossed(self, more: Sequence[RunSlopes]) -> Crossed:
        """Further runs, each reading where the model says it will be."""
        runs = self._runs
        groups, size = len(runs.free), len(self.columns)
        products, counts = np.zeros((groups, len(more), size + 1, size + 1)), np.zeros((groups, len(more)))
        at = np.zeros(self.size)
        at[: len(self.problem.names)] = self.linear.here.x
        for run, item in enumerate(more):
            rows = np.column_stack([item.slopes, item.slopes @ at])[:, [*self.columns, self.size]]
            of = np.array([self._groups.get(name, 0) for name in item.names])
            for group in range(groups):
                mine = rows[of == group]
                products[group, run], counts[group, run] = mine.T @ mine, len(mine)
        return dataclasses.replace(runs, products=products, counts=counts)

    def _scatter(self, found: Restricted) -> list[tuple[int, float]]:
        """Of each estimated scatter, the information on its place on the search's scale, with what its bounds say."""
        problem = self.problem
        told = scatter_deviations(problem, self.linear.layout, self.linear.here.x, found)
        return [(at, deviation**-2 + 12.0 / float(problem.high[at] - problem.low[at]) ** 2) for at, deviation in told]


def run_information(fit: Fit) -> dict[str, Floats]:
    """What one further run like each of the fit's would tell of the parameters, on the search's scale.

    Where the fit counts how runs differ, that is of the typical run.
    """
    problem, found = fit.problem, {}
    for item in problem.experiments:
        alone = dataclasses.replace(problem, experiments=(item,))
        slopes = None if fit.linear is None else weighted_slopes(alone, fit.best.x)
        if fit.linear is None or slopes is None:
            found[item.name] = alone.evaluate(fit.best.x).fisher
        else:
            found[item.name] = Ahead(problem, fit.linear).of_typical(slopes[0].T @ slopes[0])
    return found
