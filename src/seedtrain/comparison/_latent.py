"""Latent variables: principal components with their limits, PLS, and OPLS; plain arrays, shape "row, column"."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.automation import nipals

Floats = NDArray[np.float64]
TINY: Final = 1e-12


@dataclass(frozen=True)
class Scaling:
    """Columns less their `centre`, over their `spread` (1 where a column does not vary); both of shape "column"."""

    centre: Floats
    spread: Floats

    @staticmethod
    def of(x: Floats, *, unit_variance: bool = True) -> Scaling:
        """That of the rows of `x`."""
        centre = x.mean(0)
        spread = x.std(0, ddof=1) if unit_variance else np.ones(x.shape[1])
        return Scaling(centre, np.where(spread > TINY * np.maximum(np.abs(centre), 1e-300), spread, 1.0))

    def __call__(self, x: Floats) -> Floats:
        """`x`, scaled."""
        found: Floats = (x - self.centre) / self.spread
        return found


@dataclass(frozen=True)
class Components:
    """Principal components of scaled rows.

    - `loadings`: "column, component"; `variances`: of the scores, "component"; `explained`: part of the variance.
    - `residuals`: SPE (sum of squares) of the rows that it was made of, "row".
    """

    scaling: Scaling
    loadings: Floats
    variances: Floats
    explained: Floats
    residuals: Floats
    rows: int

    def judged(self, x: Floats) -> tuple[Floats, Floats]:
        """Hotelling's T2 and the squared prediction error (SPE) of each row of `x`; both of shape "row"."""
        scaled = self.scaling(x)
        scores = scaled @ self.loadings
        apart = scaled - scores @ self.loadings.T
        return (scores**2 / self.variances).sum(1), (apart**2).sum(1)

    def limits(self, level: float) -> tuple[float, float]:
        """T2 and SPE that a new row of the same kind exceeds with probability 1 - `level`.

        T2 by the F distribution for a new observation (Nomikos & MacGregor 1995, Technometrics 37:41). SPE by a
        prediction interval of its logarithm, from rows left out one by one: with ten runs the usual weighted
        chi-squared (Box 1954) is exceeded four times as often as it says, this as often.
        """
        from scipy import stats

        n, a = self.rows, len(self.variances)
        t2 = a * (n**2 - 1) / (n * (n - a)) * float(stats.f.ppf(level, a, n - a)) if n > a else math.inf
        logs = np.log(np.maximum(self.residuals, 1e-300))
        wide = float(stats.t.ppf(level, n - 1)) * float(logs.std(ddof=1)) * math.sqrt(1 + 1 / n)
        return t2, math.exp(min(float(logs.mean()) + wide, 700.0))


def components(x: Floats, count: int) -> Components:
    """The first `count` principal components of the rows of `x`, scaled to unit variance.

    The residuals that the limits rest on are of each row under a model of the others: a row's own model flatters it.
    """
    scaling, loadings, values = _decomposed(x, count)
    total = float((scaling(x) ** 2).sum()) or 1.0
    residuals = []
    for row in range(len(x)):
        scale, others, _values = _decomposed(np.delete(x, row, 0), count)
        scaled = scale(x[row : row + 1])
        residuals.append(float(((scaled - scaled @ others @ others.T) ** 2).sum()))
    variances = np.maximum(values**2 / (len(x) - 1), TINY)
    return Components(scaling, loadings, variances, values**2 / total, np.array(residuals), len(x))


def _decomposed(x: Floats, count: int) -> tuple[Scaling, Floats, Floats]:
    scaling = Scaling.of(x)
    _u, values, directions = np.linalg.svd(scaling(x), full_matrices=False)
    return scaling, directions[:count].T, values[:count]


@dataclass(frozen=True)
class Regression:
    """PLS with one response: `coefficients` of scaled columns, shape "components, column", for 1 .. all components."""

    scaling: Scaling
    mean: float
    coefficients: Floats
    weights: Floats
    scores: Floats

    def predicted(self, x: Floats, count: int | None = None) -> Floats:
        """The response at each row of `x`, by `count` components (all by default)."""
        found: Floats = self.scaling(x) @ self.coefficients[(count or len(self.coefficients)) - 1] + self.mean
        return found


def pls(x: Floats, y: Floats, count: int, *, unit_variance: bool = True) -> Regression:
    """PLS of one response `y` ("row") on `x` by NIPALS (Wold, Sjöström & Eriksson 2001, Chemom Intell Lab 58:109)."""
    scaling, mean = Scaling.of(x, unit_variance=unit_variance), float(y.mean())
    weights, loadings, scores, gains = nipals(scaling(x), y - mean, min(count, x.shape[0] - 1, x.shape[1]))
    if not len(gains):
        nothing = np.zeros((1, x.shape[1]))
        return Regression(scaling, mean, nothing, nothing.T, np.zeros((len(x), 1)))
    inner = loadings.T @ weights
    coefficients = [weights[:, :k] @ np.linalg.solve(inner[:k, :k], gains[:k]) for k in range(1, len(gains) + 1)]
    return Regression(scaling, mean, np.array(coefficients), weights, scores)


@dataclass(frozen=True)
class Orthogonal:
    """OPLS: what of `x` goes with the response (`predictive`, "row"), and what varies apart from it ("row, count")."""

    predictive: Floats
    orthogonal: Floats
    weights: Floats
    scaling: Scaling
    orthogonal_weights: Floats
    orthogonal_loadings: Floats
    slope: float
    mean: float

    def predicted(self, x: Floats) -> Floats:
        """The response at each row of `x`."""
        rest = self.scaling(x)
        for weight, loading in zip(self.orthogonal_weights.T, self.orthogonal_loadings.T, strict=True):
            rest = rest - np.outer(rest @ weight, loading)
        found: Floats = rest @ self.weights * self.slope + self.mean
        return found


def opls(x: Floats, y: Floats, orthogonal: int) -> Orthogonal:
    """OPLS of one response with `orthogonal` components apart from it (Trygg & Wold 2002, J Chemometrics 16:119)."""
    scaling = Scaling.of(x)
    rest, mean = scaling(x), float(y.mean())
    left = y - mean
    weight = rest.T @ left
    weight = weight / max(float(np.linalg.norm(weight)), 1e-300)
    taken: list[tuple[Floats, Floats, Floats]] = []
    for _component in range(orthogonal):
        score = rest @ weight
        loading = rest.T @ score / max(float(score @ score), 1e-300)
        apart = loading - (weight @ loading) * weight
        size = float(np.linalg.norm(apart))
        if size <= 1e-9:
            break
        apart = apart / size
        other = rest @ apart
        carried = rest.T @ other / max(float(other @ other), 1e-300)
        rest = rest - np.outer(other, carried)
        taken.append((other, apart, carried))
    score = rest @ weight
    slope = float(left @ score) / max(float(score @ score), 1e-300)
    columns = (len(x), x.shape[1], x.shape[1])
    stacked = [np.array([item[k] for item in taken]).reshape(len(taken), columns[k]).T for k in range(3)]
    return Orthogonal(score, stacked[0], weight, scaling, stacked[1], stacked[2], slope, mean)
