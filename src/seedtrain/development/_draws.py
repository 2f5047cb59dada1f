"""Random draws of factors, each from its own stream: what else is drawn never changes them."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import digest
from seedtrain.development._factor_table import Factor

Z_95: Final = 1.6448536269514722
"""The 95 % point of the standard normal distribution: `low` and `high` of a factor lie at 5 and 95 %."""


def draw(factor: Factor, draws: int, seed: int) -> NDArray[np.float64]:
    """`draws` values of `factor`, in its unit; the same seed and name give the same values.

    A lognormal factor has `value` as its median and `low`, `high` as its 5 and 95 % points, each side with its own
    width; a lifetime in uses is rounded to whole uses.
    """
    if factor.spread == "fixed" or factor.low == factor.high:
        return np.full(draws, factor.value)
    random = np.random.default_rng([seed, int(digest(factor.name)[:8], 16)])
    if factor.spread == "triangular":
        found = random.triangular(factor.low, factor.value, factor.high, draws)
    else:
        below, above = (math.log(factor.value / factor.low) / Z_95, math.log(factor.high / factor.value) / Z_95)
        score = random.standard_normal(draws)
        found = factor.value * np.exp(np.where(score < 0, below, above) * score)
    return np.maximum(1.0, np.rint(found)) if whole(factor) else found


def whole(factor: Factor) -> bool:
    """Whether the factor counts uses, which are whole."""
    return factor.name.endswith(".life")


def central(factor: Factor) -> float:
    """The value that the deterministic result uses."""
    return max(1.0, float(round(factor.value))) if whole(factor) else factor.value
