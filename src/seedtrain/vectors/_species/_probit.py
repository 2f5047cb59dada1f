"""The level that is found in 95 % of the tests, from replicates at known levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.base import InputError
from seedtrain.vectors._fractions import Z95, lower_bound

LEAST_LEVELS: Final = 4


@dataclass(frozen=True)
class Probit:
    """Chance of detection = Phi(intercept + slope log10(level)); LOD95 with its 95 % interval, in the levels' unit.

    The upper end is infinite where the slope's own interval holds nought.
    """

    intercept: float
    slope: float
    lod95: float
    low: float
    high: float


def fit_probit(levels: Sequence[float], replicates: Sequence[int], detected: Sequence[int]) -> Probit:
    """Maximum likelihood; interval by Fieller 1954 (J R Stat Soc B 16:175) from the information matrix.

    Raises `InputError` for fewer than four levels, or where no level is found sometimes but not always: then the data
    fix no slope.
    """
    from scipy.optimize import minimize
    from scipy.stats import norm

    x = np.log10(np.asarray(levels, dtype=float))
    n, k = np.asarray(replicates, dtype=float), np.asarray(detected, dtype=float)
    partial = int(((k > 0) & (k < n)).sum())
    if len(set(levels)) < LEAST_LEVELS or partial < 2:
        raise InputError(
            f"{len(set(levels))} levels, of which {partial} were found in some replicates but not in all",
            remedy="Test four levels or more, two of them found sometimes.",
        )

    def loss(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        z = values[0] + values[1] * x
        return -float((k * norm.logcdf(z) + (n - k) * norm.logcdf(-z)).sum())

    done = minimize(loss, np.array([0.0, 1.0]), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11})
    intercept, slope = (float(item) for item in done.x)
    z = intercept + slope * x
    # By logarithms: far from the middle both the density and the chances are nought.
    weight = n * np.exp(2 * norm.logpdf(z) - norm.logcdf(z) - norm.logsf(z))
    information = np.array([[weight.sum(), (weight * x).sum()], [(weight * x).sum(), (weight * x * x).sum()]])
    covariance = np.linalg.inv(information)
    target = float(norm.ppf(0.95))
    middle = (target - intercept) / slope
    low, high = _fieller(target, intercept, slope, covariance)
    return Probit(intercept, slope, *(_power(item) for item in (middle, low, high)))


def demonstrated(levels: Sequence[float], replicates: Sequence[int], detected: Sequence[int]) -> float | None:
    """The lowest level from which on all are found in 95 % of the tests or more, by the lower bound of each share.

    One-sided bounds of Clopper & Pearson 1934 (Biometrika 26:404) that hold together with 95 %: 59 of 59 at a single
    level. `None` where no level was tested so often.
    """
    totals: dict[float, tuple[int, int]] = {}
    for level, many, found in zip(levels, replicates, detected, strict=True):
        before = totals.get(level, (0, 0))
        totals[level] = before[0] + many, before[1] + found
    confidence = 1 - 0.05 / len(totals)
    lowest = None
    for level, (many, found) in sorted(totals.items(), reverse=True):
        if lower_bound(found, many, confidence) < 0.95:
            break  # a level that is missed makes whatever was found below it chance
        lowest = level
    return lowest


def _power(value: float) -> float:
    return math.inf if value > 300 else 10**value


def _fieller(
    target: float, intercept: float, slope: float, covariance: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> tuple[float, float]:
    """All x for which intercept + slope x - target is within its own error: the roots of a quadratic."""
    vaa, vab, vbb = float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])
    shift, zz = intercept - target, Z95**2
    a, b, c = slope**2 - zz * vbb, shift * slope - zz * vab, shift**2 - zz * vaa
    if a <= 0 or slope <= 0 or b * b < a * c:
        return -math.inf, math.inf
    root = math.sqrt(b * b - a * c)
    return (-b - root) / a, (-b + root) / a
