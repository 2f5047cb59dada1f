"""What a Gaussian process computes over and over, compiled: its posterior with gradient, and its predictions.

Columns of a point: continuous factors, then numbers of levels. `theta`: logarithms of the lengths, of the rates of the
levels, of the signal's and of the noise's variance. `smooth`: the squared exponential instead of Matérn 5/2.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST: Final = 1e-6
"""Of the noise's variance, beside what is fitted: keeps matrices regular."""


@njit(cache=True, fastmath=True)
def covariance(theta: Floats, split: int, smooth: bool, a: Floats, b: Floats) -> Floats:
    """Of the response without noise between points `a` and `b`, shape "a b"."""
    columns = a.shape[1]
    scaled = np.exp(-2.0 * theta[:split])
    rates = np.exp(theta[split:columns])
    height = math.exp(theta[columns])
    found = np.empty((a.shape[0], b.shape[0]))
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            squares, apart = 0.0, 0.0
            for k in range(split):
                squares += scaled[k] * (a[i, k] - b[j, k]) ** 2
            for k in range(split, columns):
                if a[i, k] != b[j, k]:
                    apart += rates[k - split]
            if smooth:
                found[i, j] = height * math.exp(-0.5 * squares - apart)
            else:
                r = math.sqrt(5.0 * squares)
                found[i, j] = height * (1.0 + r + r * r / 3.0) * math.exp(-r - apart)
    return found


@njit(cache=True)
def slopes(
    theta: Floats, split: int, smooth: bool, x: Floats, kernel: Floats, inverse: Floats, weights: Floats
) -> Floats:
    """Gradient of the negative log likelihood, by the derivative of the covariance."""
    n, columns = x.shape
    gradient = np.zeros(len(theta))
    scaled = np.exp(-2.0 * theta[:split])
    rates = np.exp(theta[split:columns])
    trace = 0.0
    for i in range(n):
        inner = inverse[i, i] - weights[i] * weights[i]
        trace += inner
        gradient[columns] += 0.5 * inner * kernel[i, i]
        for j in range(i):
            inner = inverse[i, j] - weights[i] * weights[j]  # of 2 dL/dK, and twice for both halves
            own = inner * kernel[i, j]
            gradient[columns] += own
            steep = own
            if not smooth:
                squares = 0.0
                for k in range(split):
                    squares += scaled[k] * (x[i, k] - x[j, k]) ** 2
                r = math.sqrt(5.0 * squares)
                steep = own * (5.0 / 3.0) * (1.0 + r) / (1.0 + r + r * r / 3.0)
            for k in range(split):
                gradient[k] += steep * scaled[k] * (x[i, k] - x[j, k]) ** 2
            for k in range(split, columns):
                if x[i, k] != x[j, k]:
                    gradient[k] -= own * rates[k - split]
    gradient[-1] = 0.5 * math.exp(theta[-1]) * trace
    return gradient


@njit(cache=True)
def objective(
    theta: Floats, split: int, smooth: bool, x: Floats, y: Floats, centres: Floats, spreads: Floats
) -> tuple[float, Floats]:
    """Negative log posterior of `theta`, and its gradient; the priors are normal."""
    n, size = len(x), len(theta)
    kernel = covariance(theta, split, smooth, x, x)
    noise = math.exp(theta[-1])
    whole = kernel.copy()
    for i in range(n):
        whole[i, i] += noise + LEAST
    if not np.isfinite(whole).all():
        return 1e10, np.zeros(size)
    factor = lower(whole)
    if factor[0, 0] < 0.0:
        return 1e10, np.zeros(size)
    inverse = inverted(factor)
    weights = inverse @ y
    value = 0.5 * np.dot(y, weights)
    for i in range(n):
        value += math.log(factor[i, i])
    gradient = slopes(theta, split, smooth, x, kernel, inverse, weights)
    for k in range(size):
        away = (theta[k] - centres[k]) / spreads[k]
        value += 0.5 * away * away
        gradient[k] += away / spreads[k]
    return value, gradient


@njit(cache=True, fastmath=True)
def lower(whole: Floats) -> Floats:
    """The Cholesky factor; its first entry is -1 where the matrix is not positive definite."""
    n = whole.shape[0]
    found = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            total = whole[i, j]
            for k in range(j):
                total -= found[i, k] * found[j, k]
            if i == j:
                if total <= 0.0:
                    found[0, 0] = -1.0
                    return found
                found[i, i] = math.sqrt(total)
            else:
                found[i, j] = total / found[j, j]
    return found


@njit(cache=True, fastmath=True)
def inverted(factor: Floats) -> Floats:
    """The inverse of the matrix whose Cholesky factor it is."""
    n = factor.shape[0]
    half = np.zeros((n, n))  # rows are columns of the factor's inverse
    for i in range(n):
        half[i, i] = 1.0 / factor[i, i]
        for j in range(i + 1, n):
            total = 0.0
            for k in range(i, j):
                total -= factor[j, k] * half[i, k]
            half[i, j] = total / factor[j, j]
    found = np.empty((n, n))
    for i in range(n):
        for j in range(i + 1):
            total = 0.0
            for k in range(i, n):
                total += half[i, k] * half[j, k]
            found[i, j] = total
            found[j, i] = total
    return found


@njit(cache=True, fastmath=True)
def moments(
    thetas: Floats, split: int, smooth: bool, x: Floats, weights: Floats, inverses: Floats, points: Floats
) -> tuple[Floats, Floats]:
    """Mean and variance of several processes of the same runs at `points`, shape "process point".

    - `thetas`: "process parameter"; `weights`: "process run"; `inverses`: "process run run".
    """
    count, n = weights.shape
    mean = np.empty((count, points.shape[0]))
    variance = np.empty((count, points.shape[0]))
    for m in range(count):
        kernel = covariance(thetas[m], split, smooth, points, x)
        height = math.exp(thetas[m, x.shape[1]])
        image = kernel @ inverses[m]
        for p in range(points.shape[0]):
            total, known = 0.0, 0.0
            for i in range(n):
                total += kernel[p, i] * weights[m, i]
                known += kernel[p, i] * image[p, i]
            mean[m, p] = total
            variance[m, p] = max(height - known, 1e-12)
    return mean, variance
