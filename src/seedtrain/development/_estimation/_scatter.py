"""Whether readings lie farther from the fit than their errors say: then the fit does not explain them."""

from __future__ import annotations

import math
from typing import Final

from seedtrain.base import translate as _
from seedtrain.development._estimation._fit import Fit

CHANCE: Final = 0.01
"""Probability by chance below which readings count as scattering more than their errors say; assumed."""


def scatter_of(fit: Fit) -> float:
    """How many times more, in variance, readings scatter about `fit` than their errors say; 1 where it may be chance.

    Where it is more (1 % by chi square), the errors are too small or the equations are not those of the runs.
    **Source** of the ratio: Birge 1932, doi:10.1103/PhysRev.40.207.
    """
    from scipy import stats

    total, freedom = float((fit.residuals**2).sum()), len(fit.residuals) - len(fit.problem.names)
    if freedom < 1 or not math.isfinite(total) or stats.chi2.sf(total, freedom) > CHANCE:
        return 1.0
    return max(total / freedom, 1.0)


def scatter_words(fit: Fit) -> str:
    """What it means where readings scatter more than their errors say; empty where they do not."""
    scatter = scatter_of(fit)
    if scatter <= 1.0:
        return ""
    words = _(
        "The fit does not explain the readings: they lie {root} times as far from it as their errors say, which is no "
        "chance, and the intervals are too short. Look at the residuals for a time 0 that is not the inoculation, a "
        "slip of units, runs set or inoculated otherwise than the mapping says, errors that are too small, or "
        "equations of another strain."
    )
    return words.format(root=f"{math.sqrt(scatter):.2g}")
