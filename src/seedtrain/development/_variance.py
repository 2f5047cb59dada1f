"""How much of an outcome's variance each input explains: first-order Sobol indices out of the draws themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS: Final = 32
FEWEST: Final = 1000
"""Draws below which no share is told: the bins would hold noise."""


def first_order(inputs: Mapping[str, Floats], outcome: Floats) -> dict[str, float]:
    """The part of the outcome's variance that goes with each input alone, largest first; `{}` for too few draws.

    The variance of the outcome's means within bins of one input, over the whole variance, less what bins of chance
    would show. The inputs are independent, so that what the parts leave of 1 is their interplay.
    **Source** the correlation ratio of Pearson 1905 as an estimator of the index of Sobol' 1993; given-data form as in
    Plischke, Borgonovo & Smith 2013, Eur. J. Oper. Res. 226:536.
    """
    draws = outcome.size
    if draws < FEWEST:
        return {}
    centred = outcome - outcome.mean()
    whole = float(centred @ centred)
    if not whole > 0:
        return {}
    found = {name: _share(values, centred, whole) for name, values in inputs.items() if np.ptp(values) > 0}
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def _share(values: Floats, centred: Floats, whole: float) -> float:
    draws = centred.size
    # Bins of equal width between the outer draws, in the logarithm where that is theirs; they need no equal counts.
    scale = np.log(values) if values.min() > 0 else values
    low, high = np.quantile(scale[: max(FEWEST, draws // 20)], (0.01, 0.99))
    place = np.clip((scale - low) * (BINS / max(high - low, 1e-300)), 0, BINS - 1).astype(np.intp)
    counts = np.bincount(place, minlength=BINS)
    sums = np.bincount(place, weights=centred, minlength=BINS)
    used = counts > 0
    between = float((sums[used] ** 2 / counts[used]).sum()) / whole
    bins = int(used.sum())
    return max(1.0 - (1.0 - between) * (draws - 1) / (draws - bins), 0.0)
