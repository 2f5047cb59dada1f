"""Runs that work and runs that broke down: where a response falls off an edge, no one smooth process tells both sides.

The runs that work get a process of their own, and whether a run works is told by the others. That this is worth it is
decided by how well each way predicts the working runs when they are left out one by one: much better, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.development._experiments._surrogate import Space, Surrogate, fit_surrogate

Floats = NDArray[np.float64]
BROKEN_DOWN: Final = 3
"""Runs that broke down, at least, before they are told apart."""
MUCH_LIKELIER: Final = float(np.log(100.0))
"""How much likelier, as a logarithm, the working runs must be for it: decisive after Jeffreys (1961, appendix B)."""


@dataclass(frozen=True, eq=False)
class Regime:
    """Which runs work ("run"), the value they reach at least, and what tells whether others will."""

    works: NDArray[np.bool_]
    least: float
    told: Surrogate
    whole: Surrogate

    def log_chance(self, points: Floats) -> Floats:
        """Logarithm of the chance that runs at `points` ("point, column") work; shape "point".

        Both must say so: the process of works or not, and that of all values.
        """
        from scipy import special

        found: Floats = np.zeros(len(points))
        for process, bound in ((self.told, 0.5), (self.whole, self.least)):
            mean, deviation = process.predicted(points)
            found = found + special.log_ndtr((mean - bound) / np.sqrt(deviation**2 + process.noise**2))
        return found


def regime(space: Space, x: Floats, value: Floats, holds: NDArray[np.bool_], least: int) -> Regime | None:
    """The runs at `x` that work, by their `value` (more is better); None where one process tells all as well.

    A run works that lies in the upper half between the worst and the best that `holds` the limits.

    - `least`: runs that must work.
    """
    if not holds.any():
        return None
    bound = 0.5 * float(value.min() + value[holds].max())
    works = value >= bound
    if works.sum() < least or (~works).sum() < BROKEN_DOWN:
        return None
    upper = np.ascontiguousarray(x[works])
    whole = max((fit_surrogate(space, x, value, smooth=kind) for kind in (False, True)), key=lambda one: one.evidence)
    above = fit_surrogate(space, upper, value[works]), fit_surrogate(space, upper, value[works], smooth=True)
    apart = max(above, key=lambda one: one.evidence)
    if float(apart.left_out().sum()) - float(whole.left_out()[works].sum()) < MUCH_LIKELIER:
        return None
    return Regime(works, bound, fit_surrogate(space, x, works.astype(float)), whole)
