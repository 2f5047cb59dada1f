"""A Gaussian process of one response over mixed factors: what is known, and how well, between the runs that were made.

Continuous factors (0 .. 1) have a length each, in a Matérn 5/2 or a squared exponential kernel (Rasmussen & Williams
2006), categorical ones a factor for each pair of different levels. The lengths' prior widens with the number of factors
(Hvarfner, Hellsten & Nardi 2024, ICML: vanilla Bayesian optimisation in high dimensions), so that few runs of many
factors mislead less. Hyperparameters are the maximum of the posterior, by exact gradients. It may depart from a trend.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.development._experiments._kernels import LEAST, covariance, inverted, lower, moments, objective

Floats = NDArray[np.float64]
Trend = Callable[[Floats], Floats]
LENGTH_SPREAD: Final = math.sqrt(3.0)
NOISE: Final = (-5.0, 1.0)
"""Mean and deviation of the logarithm of the noise's variance, of a response with variance 1."""
ALIKE: Final = -1.5
"""Mean of the logarithm of a level's rate: before the runs tell, two levels go together with a correlation of 0.8."""
WARM_UP: Final = 10
THIN: Final = 3
LEAPS: Final = 8


@dataclass(frozen=True)
class Space:
    """Columns of a point: `continuous` (each 0 .. 1), then `categorical` (the number of a level)."""

    continuous: int
    levels: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """Columns of a point."""
        return self.continuous + len(self.levels)


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A fitted process.

    - `mean`, `spread`: undo the scaling of the response. - `trend`: what it departs from, scaled alike. - `smooth`:
      squared exponential instead of Matérn 5/2. - `evidence`: logarithm of the posterior's density at its maximum.
    """

    space: Space
    x: Floats
    theta: Floats
    weights: Floats
    inverse: Floats
    mean: float
    spread: float
    smooth: bool = False
    trend: Trend | None = None
    evidence: float = 0.0

    @property
    def noise(self) -> float:
        """Standard deviation of the noise, in the response's unit."""
        return self.spread * math.exp(0.5 * float(self.theta[-1]))

    @property
    def lengths(self) -> Floats:
        """The length of each continuous factor, part of its range: small where the response changes fast."""
        found: Floats = np.exp(self.theta[: self.space.continuous])
        return found

    def _trend(self, points: Floats) -> Floats:
        return np.zeros(len(points)) if self.trend is None else self.trend(points)

    def predicted(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the response without noise at `points` ("point, column"); shape "point"."""
        mean, variance = moments(
            self.theta[None], self.space.continuous, self.smooth, self.x, self.weights[None], self.inverse[None],
            np.ascontiguousarray(points),
        )  # fmt: skip
        return self.mean + self.spread * (mean[0] + self._trend(points)), self.spread * np.sqrt(variance[0])

    def expected(self, points: Floats) -> Floats:
        """The mean of `predicted` alone, in a fraction of its time."""
        kernel = covariance(self.theta, self.space.continuous, self.smooth, np.ascontiguousarray(points), self.x)
        found: Floats = self.mean + self.spread * (kernel @ self.weights + self._trend(points))
        return found

    def left_out(self) -> Floats:
        """Log density of each reading, predicted from the others ("run"; Rasmussen & Williams 2006, eq. 5.12)."""
        variance = 1.0 / np.diag(self.inverse)
        away = self.weights * variance
        found: Floats = -0.5 * np.log(2 * math.pi * variance * self.spread**2) - 0.5 * away**2 / variance
        return found

    def samples(self, points: Floats, count: int, rng: np.random.Generator) -> Floats:
        """Joint draws of the response without noise, shape "draw, point"."""
        split = self.space.continuous
        kernel = covariance(self.theta, split, self.smooth, points, self.x)
        cover = covariance(self.theta, split, self.smooth, points, points) - kernel @ self.inverse @ kernel.T
        root = _root(cover, 1e-7 * math.exp(float(self.theta[self.space.size])))
        drawn = kernel @ self.weights + self._trend(points) + rng.standard_normal((count, len(points))) @ root.T
        found: Floats = self.mean + self.spread * drawn
        return found

    def joined(self, points: Floats) -> Surrogate:
        """The same process once what it expects was seen at `points` too, hyperparameters kept."""
        known = self._scaled_readings()
        split = self.space.continuous
        expected = covariance(self.theta, split, self.smooth, points, self.x) @ self.weights
        x, y = np.vstack([self.x, points]), np.concatenate([known, expected])
        return conditioned(self, x, y, self.theta)

    def _scaled_readings(self) -> Floats:
        """What it was made of, scaled, less the trend."""
        kernel = covariance(self.theta, self.space.continuous, self.smooth, self.x, self.x)
        found: Floats = kernel @ self.weights + (math.exp(self.theta[-1]) + LEAST) * self.weights
        return found


def _root(cover: Floats, least: float) -> Floats:
    """A root of a covariance that rounding may have left with eigenvalues a little below 0."""
    try:
        return np.asarray(np.linalg.cholesky(cover + least * np.eye(len(cover))))
    except np.linalg.LinAlgError:
        strengths, directions = np.linalg.eigh(cover)
        return np.asarray(directions * np.sqrt(np.maximum(strengths, least)))


def conditioned(like: Surrogate, x: Floats, scaled: Floats, theta: Floats) -> Surrogate:
    """The process `like`, of the scaled readings less the trend at `x`, with hyperparameters `theta`."""
    kernel = covariance(theta, like.space.continuous, like.smooth, x, x)
    factor = lower(kernel + (math.exp(theta[-1]) + LEAST) * np.eye(len(x)))
    if factor[0, 0] < 0:
        factor = lower(kernel + (math.exp(theta[-1]) + 1e-3) * np.eye(len(x)))
    inverse = inverted(factor)
    return dataclasses.replace(like, x=x, theta=theta, weights=inverse @ scaled, inverse=inverse)


def priors(space: Space) -> tuple[Floats, Floats]:
    """Normal priors of the logarithms: lengths, rates of the levels, signal's and noise's variance."""
    d, c = space.continuous, len(space.levels)
    length = math.sqrt(2) + 0.5 * math.log(max(d, 1)) - LENGTH_SPREAD**2
    centres = [length] * d + [ALIKE] * c + [0.0, NOISE[0]]
    return np.array(centres), np.array([LENGTH_SPREAD] * d + [1.0] * c + [1.0, NOISE[1]])


def fit_surrogate(
    space: Space, x: Floats, y: Floats, *, smooth: bool = False, trend: Trend | None = None, start: Floats | None = None
) -> Surrogate:
    """The process of `y` ("run") at points `x` ("run, column"), the likeliest of a few starts.

    - `trend`: what it departs from, in the response's unit. - `start`: hyperparameters to begin from instead.
    """
    from scipy import optimize

    x = np.ascontiguousarray(x)
    mean, spread = float(y.mean()), float(y.std())
    if spread <= 1e-12 * abs(mean) or spread == 0:  # the same everywhere, but for rounding
        spread = 1.0
    scaled, known = (y - mean) / spread, None
    if trend is not None:
        told = trend
        scaled, known = (y - told(x)) / spread, lambda points: (told(points) - mean) / spread
    centres, spreads = priors(space)
    short = centres.copy()
    short[: space.continuous] = math.log(0.5)
    limits = [(-4.0, 4.0)] * space.continuous + [(-5.0, 4.0)] * len(space.levels) + [(-5.0, 5.0), (-13.0, 1.0)]
    given = (space.continuous, smooth, x, scaled, centres, spreads)
    best: tuple[float, Floats] | None = None
    for point in (centres, short) if start is None else (start,):
        found = optimize.minimize(
            objective, point, given, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": 60}
        )
        if best is None or found.fun < best[0]:
            best = (float(found.fun), found.x)
    assert best is not None
    evidence = -best[0] - len(y) * math.log(spread)
    nothing = Surrogate(space, x, best[1], scaled, np.zeros((0, 0)), mean, spread, smooth, known, evidence)
    return conditioned(nothing, x, scaled, best[1])


def sample_surrogates(found: Surrogate, count: int, rng: np.random.Generator) -> tuple[Surrogate, ...]:
    """Processes with hyperparameters drawn from their posterior, from `found` on, by Hamiltonian Monte Carlo.

    With few runs one set of lengths is a guess; the runs that many sets agree on are better chosen.
    """
    scaled = found._scaled_readings()
    given = (found.space.continuous, found.smooth, found.x, scaled, *priors(found.space))
    theta, step, drawn = found.theta, 0.12, list[Surrogate]()
    value, gradient = objective(theta, *given)
    for turn in range(WARM_UP + THIN * count):
        momentum = rng.standard_normal(len(theta))
        energy = value + 0.5 * float(momentum @ momentum)
        to, slope, height = theta, gradient, value
        for _leap in range(LEAPS):
            momentum = momentum - 0.5 * step * slope
            to = np.clip(to + step * momentum, -14.0, 6.0)
            height, slope = objective(to, *given)
            momentum = momentum - 0.5 * step * slope
        change = energy - height - 0.5 * float(momentum @ momentum)
        accepted = math.log(max(rng.random(), 1e-300)) < change
        if accepted:
            theta, value, gradient = to, height, slope
        if turn < WARM_UP:
            step *= 1.15 if accepted else 0.7
        elif (turn - WARM_UP) % THIN == THIN - 1:
            drawn.append(conditioned(found, found.x, scaled, theta))
    return tuple(drawn)
