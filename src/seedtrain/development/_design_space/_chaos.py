"""A polynomial in independent inputs, orthonormal in their distributions: its coefficients are the Sobol indices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HIGHEST: Final = 4


@dataclass(frozen=True, eq=False)
class Chaos:
    """`outcome` (or its logarithm) as a polynomial of standard inputs.

    - `terms`: powers by input, shape "terms inputs". `factors`: how many inputs come first as uniform; the others are
      normal.
    - `noise`: standard deviation of what the polynomial leaves, by leaving one out. `explained`: part of the variance
      that it predicts of runs that it has not seen, 1 for all.
    """

    terms: NDArray[np.intp]
    coefficients: Floats
    factors: int
    logarithmic: bool
    noise: float
    explained: float

    def __call__(self, x: Floats, error: Floats | None = None) -> Floats:
        """Values at `x`, shape "points inputs"; with `error` (standard normal, shape "points") what it leaves too."""
        found: Floats = basis(x, self.terms, self.factors) @ self.coefficients
        if error is not None:
            found = found + self.noise * error
        return np.exp(found) if self.logarithmic else found

    def total_indices(self) -> Floats:
        """Total Sobol index of each input, shape "inputs"; 0 for an outcome that does not vary."""
        squares = self.coefficients**2
        varies = self.terms.any(axis=1)
        whole = float(squares[varies].sum())
        if whole <= 0:
            return np.zeros(self.terms.shape[1])
        return np.array([squares[self.terms[:, at] > 0].sum() / whole for at in range(self.terms.shape[1])])


def term_powers(factors: int, others: int) -> NDArray[np.intp]:
    """Powers of the terms: factors to the fourth, their pairs to the third, others squared, factors by others."""
    size = factors + others
    found: list[tuple[int, ...]] = [(0,) * size]

    def one(**powers: int) -> None:
        row = [0] * size
        for key, power in powers.items():
            row[int(key[1:])] = power
        found.append(tuple(row))

    for at in range(size):
        for power in range(1, (HIGHEST if at < factors else 2) + 1):
            one(**{f"i{at}": power})
    for first, second in combinations(range(size), 2):
        if first >= factors:
            continue
        one(**{f"i{first}": 1, f"i{second}": 1})
        if second < factors:
            one(**{f"i{first}": 2, f"i{second}": 1})
            one(**{f"i{first}": 1, f"i{second}": 2})
    return np.array(found, dtype=np.intp)


def basis(x: Floats, terms: NDArray[np.intp], factors: int) -> Floats:
    """Orthonormal Legendre polynomials of the factors (-1 .. 1) times Hermite ones of the others, "points terms"."""
    columns: list[list[Floats]] = []
    for at in range(x.shape[1]):
        uniform = at < factors
        columns.append([_polynomial(x[:, at], power, uniform=uniform) for power in range(HIGHEST + 1)])
    found = np.ones((x.shape[0], terms.shape[0]))
    for row, powers in enumerate(terms.tolist()):
        for at, power in enumerate(powers):
            if power:
                found[:, row] *= columns[at][power]
    return found


def _polynomial(x: Floats, power: int, *, uniform: bool) -> Floats:
    unit = np.zeros(power + 1)
    unit[power] = 1.0
    if uniform:
        return np.asarray(math.sqrt(2 * power + 1) * np.polynomial.legendre.legval(x, unit), dtype=float)
    return np.asarray(np.polynomial.hermite_e.hermeval(x, unit) / math.sqrt(math.factorial(power)), dtype=float)


def fit_chaos(x: Floats, y: Floats, factors: int) -> Chaos:
    """The polynomial through `y` at `x`, of the outcome or of its logarithm, whichever predicts unseen runs better."""
    choices = [_fit(x, y, factors, logarithmic=False)]
    if y.min() > 0:
        choices.append(_fit(x, np.log(y), factors, logarithmic=True))
    return max(choices, key=lambda item: item.explained)


def _fit(x: Floats, y: Floats, factors: int, *, logarithmic: bool) -> Chaos:
    terms = term_powers(factors, x.shape[1] - factors)
    matrix = basis(x, terms, factors)
    if np.ptp(y) <= 1e-12 * max(abs(float(y.mean())), 1e-300):
        flat = np.zeros(len(terms))
        flat[0] = y.mean()
        return Chaos(terms, flat, factors, logarithmic, 0.0, 1.0)
    # A little ridge on everything but the mean keeps few runs with many terms from following their noise.
    ridge = 1e-6 * len(y) * np.diag([0.0, *np.ones(len(terms) - 1)])
    inverse = np.linalg.inv(matrix.T @ matrix + ridge)
    coefficients = inverse @ (matrix.T @ y)
    leverage = np.clip(np.einsum("ij,jk,ik->i", matrix, inverse, matrix), 0.0, 0.999)
    left = (y - matrix @ coefficients) / (1.0 - leverage)
    explained = 1.0 - float((left**2).mean()) / float(y.var())
    return Chaos(terms, coefficients, factors, logarithmic, float(np.sqrt((left**2).mean())), explained)


def ranked(names: Sequence[str], model: Chaos) -> dict[str, float]:
    """Total Sobol indices by name, largest first."""
    pairs: list[Any] = sorted(zip(names, model.total_indices().tolist(), strict=True), key=lambda pair: -pair[1])
    return dict(pairs)
