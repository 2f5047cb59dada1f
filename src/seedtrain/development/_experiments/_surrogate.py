"""A Gaussian process of one response over mixed factors: what is known, and how well, between the runs that were made.

Continuous factors (0 .. 1) have a Matérn 5/2 kernel with a length each (Rasmussen & Williams 2006), categorical ones a
factor for each pair of different levels. The lengths' prior widens with the number of factors (Hvarfner, Hellsten &
Nardi 2024, ICML: vanilla Bayesian optimisation in high dimensions), so that few runs of many factors mislead less.
Hyperparameters are the maximum of the posterior, by exact gradients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROOT5: Final = math.sqrt(5.0)
LENGTH_SPREAD: Final = math.sqrt(3.0)
NOISE: Final = (-5.0, 1.0)
"""Mean and deviation of the logarithm of the noise's variance, of a response with variance 1."""
LEAST: Final = 1e-6
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


def _distances(space: Space, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Squared distances "continuous, a, b", and differences "categorical, a, b" (0 or 1)."""
    split = space.continuous
    squares = (a[:, None, :split] - b[None, :, :split]) ** 2
    apart = (a[:, None, split:] != b[None, :, split:]).astype(float)
    return np.moveaxis(squares, 2, 0), np.moveaxis(apart, 2, 0)


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A fitted process; `mean` and `spread` undo the scaling of the response."""

    space: Space
    x: Floats
    theta: Floats
    factor: Floats
    weights: Floats
    mean: float
    spread: float

    @property
    def evidence(self) -> float:
        """Logarithm of the density of the responses that it was made of, in their unit."""
        known = self.factor.T @ self.weights
        own = 0.5 * float(known @ known) + float(np.log(np.diag(self.factor)).sum())
        return -own - len(self.x) * math.log(self.spread)

    @property
    def noise(self) -> float:
        """Standard deviation of the noise, in the response's unit."""
        return self.spread * math.exp(0.5 * float(self.theta[-1]))

    @property
    def lengths(self) -> Floats:
        """The length of each continuous factor, part of its range: small where the response changes fast."""
        found: Floats = np.exp(self.theta[: self.space.continuous])
        return found

    def predicted(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the response without noise at `points` ("point, column"); shape "point"."""
        kernel = _kernel(self.space, self.theta, *_distances(self.space, points, self.x))
        half = np.linalg.solve(self.factor, kernel.T)
        variance = np.maximum(math.exp(self.theta[-2]) - (half**2).sum(0), 1e-12)
        return self.mean + self.spread * (kernel @ self.weights), self.spread * np.sqrt(variance)

    def samples(self, points: Floats, count: int, rng: np.random.Generator) -> Floats:
        """Joint draws of the response without noise, shape "draw, point"."""
        kernel = _kernel(self.space, self.theta, *_distances(self.space, points, self.x))
        half = np.linalg.solve(self.factor, kernel.T)
        own = _kernel(self.space, self.theta, *_distances(self.space, points, points))
        cover = own - half.T @ half
        root = np.linalg.cholesky(cover + (1e-9 + 1e-9 * np.trace(cover)) * np.eye(len(points)))
        drawn = kernel @ self.weights + rng.standard_normal((count, len(points))) @ root.T
        return self.mean + self.spread * drawn

    def joined(self, points: Floats, values: Floats) -> Surrogate:
        """The same process once `values` were seen at `points` too, hyperparameters kept."""
        x = np.vstack([self.x, points])
        known = self.factor @ (self.factor.T @ self.weights)
        return _conditioned(
            self.space,
            x,
            np.concatenate([known, (values - self.mean) / self.spread]),
            self.theta,
            self.mean,
            self.spread,
        )


def _kernel(space: Space, theta: Floats, squares: Floats, apart: Floats) -> Floats:
    scaled = np.exp(-2 * theta[: space.continuous])
    radius = ROOT5 * np.sqrt(np.maximum(np.einsum("i,ijk->jk", scaled, squares), 1e-20))
    found: Floats = (1 + radius + radius**2 / 3) * np.exp(-radius) * math.exp(theta[-2])
    if space.levels:
        rates = np.exp(theta[space.continuous : space.continuous + len(space.levels)])
        found = found * np.exp(-np.einsum("i,ijk->jk", rates, apart))
    return found


def _objective(theta: Floats, space: Space, squares: Floats, apart: Floats, y: Floats) -> tuple[float, Floats]:
    """Negative log posterior, and its gradient."""
    d, c, n = space.continuous, len(space.levels), len(y)
    scaled = np.exp(-2 * theta[:d])
    r2 = np.maximum(np.einsum("i,ijk->jk", scaled, squares), 1e-20)
    radius = ROOT5 * np.sqrt(r2)
    decay = np.exp(-radius) * math.exp(theta[-2])
    rates = np.exp(theta[d : d + c])
    mixed = np.exp(-np.einsum("i,ijk->jk", rates, apart)) if c else np.ones_like(radius)
    kernel = (1 + radius + radius**2 / 3) * decay * mixed
    noise = math.exp(theta[-1])
    try:
        factor = np.linalg.cholesky(kernel + (noise + LEAST) * np.eye(n))
    except np.linalg.LinAlgError:
        return 1e10, np.zeros_like(theta)
    inverse = np.linalg.inv(factor)
    whole = inverse.T @ inverse
    weights = whole @ y
    inner = whole - np.outer(weights, weights)  # of 2 dL/dK
    shared = inner * (1 + radius) * decay * mixed * (5 / 3)
    gradient = np.empty_like(theta)
    gradient[:d] = 0.5 * np.einsum("jk,ijk->i", shared, squares) * scaled
    if c:
        gradient[d : d + c] = -0.5 * np.einsum("jk,ijk->i", inner * kernel, apart) * rates
    gradient[-2] = 0.5 * float((inner * kernel).sum())
    gradient[-1] = 0.5 * noise * float(np.trace(inner))
    value = 0.5 * float(y @ weights) + float(np.log(np.diag(factor)).sum())
    centres, spreads = _priors(space)
    apart_from = (theta - centres) / spreads
    return value + 0.5 * float(apart_from @ apart_from), gradient + apart_from / spreads


def _priors(space: Space) -> tuple[Floats, Floats]:
    """Normal priors of the logarithms: lengths, rates of the levels, signal's and noise's variance."""
    d, c = space.continuous, len(space.levels)
    length = math.sqrt(2) + 0.5 * math.log(max(d, 1)) - LENGTH_SPREAD**2
    centres = [length] * d + [0.0] * c + [0.0, NOISE[0]]
    return np.array(centres), np.array([LENGTH_SPREAD] * d + [1.0] * c + [1.0, NOISE[1]])


def fit_surrogate(space: Space, x: Floats, y: Floats, *, start: Floats | None = None) -> Surrogate:
    """The process of `y` ("run") at points `x` ("run, column"); `start`: hyperparameters to begin from too."""
    from scipy import optimize

    mean, spread = float(y.mean()), float(y.std())
    if spread <= 1e-12 * abs(mean) or spread == 0:  # the same everywhere, but for rounding
        spread = 1.0
    scaled = (y - mean) / spread
    squares, apart = _distances(space, x, x)
    centres, _spreads = _priors(space)
    best: tuple[float, Floats] | None = None
    short = centres.copy()
    short[: space.continuous] = math.log(0.5)
    limits = [(-4.0, 4.0)] * space.continuous + [(-5.0, 4.0)] * len(space.levels) + [(-5.0, 5.0), (-13.0, 1.0)]
    for point in (centres, short, *(() if start is None else (start,))):
        found = optimize.minimize(
            _objective, point, (space, squares, apart, scaled), jac=True, method="L-BFGS-B", bounds=limits,
            options={"maxiter": 60},
        )  # fmt: skip
        if best is None or found.fun < best[0]:
            best = (float(found.fun), found.x)
    assert best is not None
    return _conditioned(space, x, scaled, best[1], mean, spread)


def sample_surrogates(found: Surrogate, y: Floats, count: int, rng: np.random.Generator) -> tuple[Surrogate, ...]:
    """Processes with hyperparameters drawn from their posterior, from `found` on, by Hamiltonian Monte Carlo.

    With few runs one set of lengths is a guess; the runs that many sets agree on are better chosen.
    """
    space, x = found.space, found.x
    scaled = (y - found.mean) / found.spread
    squares, apart = _distances(space, x, x)
    theta, step, drawn = found.theta, 0.12, list[Surrogate]()
    value, gradient = _objective(theta, space, squares, apart, scaled)
    for turn in range(WARM_UP + THIN * count):
        momentum = rng.standard_normal(len(theta))
        energy = value + 0.5 * float(momentum @ momentum)
        to, slope, height = theta, gradient, value
        for _leap in range(LEAPS):
            momentum = momentum - 0.5 * step * slope
            to = np.clip(to + step * momentum, -14.0, 6.0)
            height, slope = _objective(to, space, squares, apart, scaled)
            momentum = momentum - 0.5 * step * slope
        change = energy - height - 0.5 * float(momentum @ momentum)
        accepted = math.log(max(rng.random(), 1e-300)) < change
        if accepted:
            theta, value, gradient = to, height, slope
        if turn < WARM_UP:
            step *= 1.15 if accepted else 0.7
        elif (turn - WARM_UP) % THIN == THIN - 1:
            drawn.append(_conditioned(space, x, scaled, theta, found.mean, found.spread))
    return tuple(drawn)


def _conditioned(space: Space, x: Floats, scaled: Floats, theta: Floats, mean: float, spread: float) -> Surrogate:
    kernel = _kernel(space, theta, *_distances(space, x, x))
    factor = np.asarray(np.linalg.cholesky(kernel + (math.exp(theta[-1]) + LEAST) * np.eye(len(x))), float)
    weights = np.linalg.solve(factor.T, np.linalg.solve(factor, scaled))
    return Surrogate(space, x, theta, factor, weights, mean, spread)
