"""Beta-binomial errors: what a class of sites does by itself, and what that leaves detectable."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.bioinformatics._reads._reference import Ints

LEAST_DISPERSION: Final = 1e-6
MOST_DISPERSION: Final = 0.5
TRIMMED: Final = 0.05
"""Share of the highest sites left out of the first fit, so that true differences do not teach the error."""


@dataclass(frozen=True)
class Profile:
    """Errors of a class of sites on one strand: mean rate and overdispersion rho of a beta-binomial."""

    mean: float
    dispersion: float
    sites: int

    @property
    def shape(self) -> tuple[float, float]:
        """The two parameters of the beta distribution."""
        weight = 1 / self.dispersion - 1
        return self.mean * weight, (1 - self.mean) * weight


def learn(found: Ints, depth: Ints, *, trim: float = 0.0) -> Profile:
    """The profile of sites with `found` errors in `depth` reads (one strand), by moments.

    - `trim`: share of the sites with the highest rate that is left out.

    **Source** Kleinman 1973, J Am Stat Assoc 68:46 (moments of the beta-binomial, equal weights per read).
    """
    kept = depth > 1
    k, n = found[kept].astype(np.float64), depth[kept].astype(np.float64)
    if trim and len(k):
        order = np.argsort(k / n, kind="stable")
        order = order[: max(1, len(k) - max(1, math.ceil(trim * len(k))))]
        k, n = k[order], n[order]
    if not len(k):
        return Profile(0.5, MOST_DISPERSION, 0)
    # Half an error is added: a class without any still has a rate above nought.
    mean = min(0.99, float((k.sum() + 0.5) / (n.sum() + 1)))
    spread = mean * (1 - mean)
    excess = float(((k - n * mean) ** 2).sum() - (n * spread).sum())
    rho = excess / float((n * (n - 1) * spread).sum())
    return Profile(mean, min(MOST_DISPERSION, max(LEAST_DISPERSION, rho)), len(k))


def tail(k: int, n: int, a: float, b: float) -> float:
    """Probability of `k` or more errors in `n` reads under a beta-binomial with parameters `a` and `b`."""
    if k <= 0:
        return 1.0
    if k > n:
        return 0.0
    return float(_tails(n, a, b)[k])


@lru_cache(maxsize=4096)
def _tails(n: int, a: float, b: float) -> NDArray[np.float64]:
    from scipy.special import betaln, gammaln

    counts = np.arange(n + 1)
    log = (
        gammaln(n + 1)
        - gammaln(counts + 1)
        - gammaln(n - counts + 1)
        + betaln(counts + a, n - counts + b)
        - betaln(a, b)
    )
    sums: NDArray[np.float64] = np.cumsum(np.exp(log)[::-1])[::-1]
    return np.minimum(sums, 1.0)


def critical(n: int, a: float, b: float, level: float) -> int:
    """The least count in `n` reads whose tail is at most `level`; `n + 1` where none is."""
    tails = _tails(n, a, b)
    below = np.flatnonzero(tails <= level)
    return int(below[0]) if len(below) else n + 1


def detectable(counts: tuple[int, int], depths: tuple[int, int], means: tuple[float, float], power: float) -> float:
    """The least fraction of molecules for which both strands reach their critical `counts` with probability `power`.

    1 where no fraction does. Sampling of molecules is binomial; the error's own spread is in the counts.
    """
    from scipy.stats import binom

    def reached(fraction: float) -> float:
        product = 1.0
        for count, depth, mean in zip(counts, depths, means, strict=True):
            product *= float(binom.sf(count - 1, depth, min(1.0, fraction + mean * (1 - fraction))))
        return product

    if any(count > depth for count, depth in zip(counts, depths, strict=True)) or reached(1.0) < power:
        return 1.0
    low, high = 0.0, 1.0
    for _each in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) >= power else (middle, high)
    return high


def wilson(found: float, total: float, z: float = 1.959964) -> tuple[float, float]:
    """Interval of a fraction, 95 % by default (Wilson 1927, J Am Stat Assoc 22:209); (0, 1) without any reads."""
    if total <= 0:
        return 0.0, 1.0
    share = found / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(0.0, round(middle - half, 12)), min(1.0, round(middle + half, 12))


def poisson_tail(k: int, mean: float) -> float:
    """Probability of `k` or more events where `mean` are expected."""
    from scipy.stats import poisson

    return float(poisson.sf(k - 1, mean))
