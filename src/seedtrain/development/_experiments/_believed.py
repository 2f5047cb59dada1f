"""What is believed of each response: how smooth it is, from which trend it departs; several sets of hyperparameters.

Which of these holds is told by the evidence of the runs; hyperparameters are drawn, because one set is a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.development._experiments._kernels import moments
from seedtrain.development._experiments._surrogate import Space, Surrogate, fit_surrogate, sample_surrogates
from seedtrain.development._experiments._trend import Told, fitted_trend

Floats = NDArray[np.float64]
SETS: Final = 8
"""Sets of hyperparameters that a suggestion is agreed by."""


@dataclass(frozen=True, eq=False)
class Belief:
    """Processes of one response that differ in hyperparameters alone."""

    sets: tuple[Surrogate, ...]

    def each(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation by every set, shape "set, point"."""
        one = self.sets[0]
        mean, variance = moments(
            np.stack([item.theta for item in self.sets]), one.space.continuous, one.smooth, one.x,
            np.stack([item.weights for item in self.sets]), np.stack([item.inverse for item in self.sets]),
            np.ascontiguousarray(points),
        )  # fmt: skip
        trend = 0.0 if one.trend is None else one.trend(points)
        return one.mean + one.spread * (mean + trend), one.spread * np.sqrt(variance)

    def predicted(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation over all sets, shape "point"."""
        mean, deviation = self.each(points)
        return mean.mean(0), np.sqrt((deviation**2).mean(0) + mean.var(0))

    def joined(self, points: Floats) -> Belief:
        """The same once what is expected of `points` was seen there."""
        return Belief(tuple(item.joined(points) for item in self.sets)) if len(points) else self


def believe(space: Space, x: Floats, y: Floats, told: Told | None, rng: np.random.Generator) -> Belief:
    """What runs at `x` with readings `y` say, and the model `told` where the runs do not speak against it."""
    likeliest = _likeliest(space, x, y, told)
    return Belief(sample_surrogates(likeliest, SETS, rng))


def _likeliest(space: Space, x: Floats, y: Floats, told: Told | None) -> Surrogate:
    rough = fit_surrogate(space, x, y)
    found = [rough, fit_surrogate(space, x, y, smooth=True, start=rough.theta)]
    best = max(found, key=lambda item: item.evidence)
    trend = None if told is None else fitted_trend(x, y, told, space.continuous)
    if trend is not None:
        departed = fit_surrogate(space, x, y, smooth=best.smooth, trend=trend)
        return departed if departed.evidence + trend.worth > best.evidence else best
    return best
