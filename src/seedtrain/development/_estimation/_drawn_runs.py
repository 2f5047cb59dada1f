"""Draws of the posterior where runs differ: variances by Metropolis on their restricted likelihood, values given them.

The model is the linear one about every run's own values at which the fit ended, so that no draw costs a simulation. How
far runs differ is half normal before the data (Gelman 2006, doi:10.1214/06-BA117A), parameters even between their
bounds. Steps after Haario, Saksman & Tamminen 2001 (doi:10.2307/3318737), their size set while warming up only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.development._estimation._inputs import Floats
from seedtrain.development._estimation._mixed import Layout, Settled
from seedtrain.development._estimation._problem import Problem
from seedtrain.development._estimation._restricted import State, of_innovation, state

BEFORE: Final = 0.2
"""Of a parameter's range on the search's scale: deviation of the half normal that runs differ by before the data."""
WARM: Final = 800
THIN: Final = 8
TRIES: Final = 60
LOWEST: Final = 1e-6
"""Of what one run tells of it: a variance this small is none."""


@dataclass(frozen=True, eq=False)
class Linear:
    """The linear model at which a fit that counts how runs differ ended; `held`: variances that were declared."""

    layout: Layout
    here: Settled
    held: tuple[float | None, ...]

    def reading(self, run: int, slope: Floats) -> Floats:
        """The slope of one further reading of the run at place `run` as it tells of the typical run; all parameters."""
        mean, runs, found = list(self.layout.mean), self.here.runs, self.here.found
        products = runs.products[:, run, : len(mean), : len(mean)]
        own = np.einsum("g,gij->ij", np.exp(-2.0 * found.factors), products)
        told = slope.copy()
        told[mean] = of_innovation(own, runs.moving, found.variances, slope[mean])
        return told


@dataclass(frozen=True, eq=False)
class DrawnRuns:
    """Draws on the search's scale, shape "draw parameter", with minus their log density; `between`: variances."""

    points: Floats
    heights: Floats
    between: Floats
    accepted: float


class RunDraws:
    """One chain."""

    def __init__(self, problem: Problem, linear: Linear, seed: int, number: int) -> None:
        self.problem, self.linear = problem, linear
        self.dice = np.random.default_rng([seed, number])
        self.sought = [at for at, item in enumerate(linear.held) if item is None]
        self.groups = [at for at, free in enumerate(linear.here.runs.free) if free]
        self.before = BEFORE * (problem.high - problem.low)[linear.layout.differ]

    def draws(self, count: int) -> DrawnRuns:
        """`count` draws after warming up."""
        z, size = self._begin(), len(self.sought) + len(self.groups)
        here, height = self._at(z)
        seen: list[Floats] = []
        root, accepted = np.asarray(0.3 * np.eye(size)), 0
        points, heights, between = [], [], []
        for turn in range(WARM + THIN * count):
            there = z + root @ self.dice.normal(size=size)
            found, other = self._at(there)
            chance = math.exp(min(other - height, 0.0))
            if self.dice.random() < chance:
                z, here, height = there, found, other
                accepted += turn >= WARM
            if turn < WARM:
                seen.append(z)
                if turn in (WARM // 5, 2 * WARM // 5, WARM // 2, WARM - 1):
                    spread = np.atleast_2d(np.cov(np.array(seen[len(seen) // 2 :]).T)) + 1e-6 * np.eye(size)
                    root = np.asarray(2.38 / math.sqrt(size) * np.linalg.cholesky(spread))
            elif (turn - WARM) % THIN == THIN - 1:
                points.append(self._point(z, here))
                heights.append(-height)
                between.append(self._parts(z)[0])
        return DrawnRuns(np.array(points), np.array(heights), np.array(between), accepted / (THIN * count))

    def _begin(self) -> Floats:
        runs, found = self.linear.here.runs, self.linear.here.found
        least = 0.05 * runs.unit
        variances = np.log(np.maximum(found.variances, least)[self.sought])
        start = np.concatenate([variances, found.factors[self.groups]])
        return np.asarray(start + 0.1 * self.dice.normal(size=len(start)))

    def _parts(self, z: Floats) -> tuple[Floats, Floats]:
        runs = self.linear.here.runs
        variances = np.array([0.0 if item is None else item for item in self.linear.held])
        variances[self.sought] = np.exp(z[: len(self.sought)])
        factors = np.zeros(len(runs.free))
        factors[self.groups] = z[len(self.sought) :]
        return variances, factors

    def _at(self, z: Floats) -> tuple[State | None, float]:
        runs = self.linear.here.runs
        variances, factors = self._parts(z)
        drawn = variances[self.sought]
        low, top = (LOWEST * runs.unit)[self.sought], runs.top[self.sought]
        if (drawn < low).any() or (drawn > top).any() or (np.abs(factors) > 7).any():
            return None, -math.inf
        found = state(runs, variances, factors)
        prior = 0.5 * np.log(drawn) - 0.5 * drawn / self.before[self.sought] ** 2
        return found, float(-0.5 * found.value + prior.sum())

    def _point(self, z: Floats, here: State | None) -> Floats:
        """Values given the variances; what the data say nothing of lies anywhere between its bounds."""
        assert here is not None
        problem, layout = self.problem, self.linear.layout
        mean = list(layout.mean)
        low, high = problem.low, problem.high
        x = self.linear.here.x.copy()
        root = np.linalg.cholesky(here.covariance)
        for _ in range(TRIES):
            drawn = here.x + root @ self.dice.normal(size=len(mean))
            if ((drawn >= low[mean]) & (drawn <= high[mean])).all():
                break
        x[mean] = np.clip(drawn, low[mean], high[mean])
        for at in set(range(len(x))) - set(mean) - set(layout.noise):
            x[at] = self.dice.uniform(low[at], high[at])
        _variances, factors = self._parts(z)
        for group, at in enumerate(layout.noise, 1):
            about = problem.parameters[at]
            value = about.value(float(x[at])) * math.exp(float(factors[group]))
            x[at] = about.scaled(min(max(value, about.low), about.high))
        return x
