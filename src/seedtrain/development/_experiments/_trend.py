"""A model's prediction made to fit the readings: its landscape moved along the factors, then stretched and raised.

A model whose constants are off has the right shape in the wrong place: its best point, and the edge beyond which all
breaks down, lie a little beside the true ones. A process that departs from it would need many runs to tell an edge
from its shadow; moved by a number for each factor it needs few.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Told = Callable[[Floats], Floats]
"""What a model predicts of one response at points ("point, column"), in its unit."""
MOVED: Final = 0.1
"""Of each factor's range: standard deviation of how far a model's landscape is thought to lie off."""
TRUSTED: Final = 4.0
"""Runs that a model's own scale counts as, against the scale that the runs tell."""
STEP: Final = 1e-3
"""Of a factor's range, for differences."""
LEAST: Final = 0.05
"""Of the readings' spread: the least that a model is thought to miss them by."""
ROUNDS, TRIES = 3, 6


@dataclass(frozen=True, eq=False)
class Trend:
    """`slope` times the model's prediction at the point moved by `moved` ("continuous column") plus `offset`.

    `worth`: logarithm of how much likelier the readings' model is for having been free to move, against unmoved, before
    what it gains in fit: its prior and the share of it that the readings left (Laplace); 0 or less.
    """

    told: Told
    moved: Floats
    slope: float
    offset: float
    worth: float

    def __call__(self, points: Floats) -> Floats:
        found: Floats = self.slope * self.told(_beside(points, self.moved)) + self.offset
        return found


def fitted_trend(x: Floats, y: Floats, told: Told, continuous: int) -> Trend | None:
    """The model as it fits readings `y` ("run") at `x` ("run, column"); None where it says the same everywhere.

    It is stretched towards 1, the model as it stands, with the weight of `TRUSTED` runs, and moved by a robust (Cauchy)
    fit, because runs beyond an edge that it misses are far off.
    """
    own = told(x)
    if not np.isfinite(own).all() or np.ptp(own) == 0:
        return None
    spread = float(y.std()) or 1.0
    slope, offset = _stretched(own, y)
    scale = max(float(np.sqrt(np.mean((y - slope * own - offset) ** 2))), LEAST * spread)
    moved, steep = np.zeros(continuous), np.zeros((len(x), continuous))
    for _round in range(ROUNDS):
        moved, left, steep = _moved(x, y, told, moved, scale)
        scale = max(1.4826 * float(np.median(np.abs(left))), LEAST * spread)
    curved = np.eye(continuous) + MOVED**2 * steep.T @ steep / scale**2
    worth = -0.5 * float(np.linalg.slogdet(curved)[1]) - 0.5 * float(moved @ moved) / MOVED**2
    return Trend(told, moved, *_stretched(told(_beside(x, moved)), y), worth)


def _beside(points: Floats, moved: Floats) -> Floats:
    found = points.copy()
    found[:, : len(moved)] = np.clip(found[:, : len(moved)] + moved, 0.0, 1.0)
    return found


def _stretched(own: Floats, y: Floats) -> tuple[float, float]:
    """Slope and offset that take the model's predictions to the readings."""
    centred = own - own.mean()
    weight = TRUSTED * float(np.var(own))
    whole = float(centred @ centred) + weight
    slope = max((float(centred @ (y - y.mean())) + weight) / whole, 0.0) if whole > 0 else 0.0
    return slope, float(y.mean()) - slope * float(own.mean())


def _moved(x: Floats, y: Floats, told: Told, moved: Floats, scale: float) -> tuple[Floats, Floats, Floats]:
    """A few steps of Levenberg and Marquardt from `moved`: where they end, what is left, and its slopes."""
    split, damping = len(moved), 1e-2

    def at(place: Floats) -> tuple[float, Floats, Floats]:
        batch = np.vstack([_beside(x, place), *(_beside(x, place + STEP * unit) for unit in np.eye(split))])
        own = told(batch).reshape(split + 1, len(x))
        slope, offset = _stretched(own[0], y)
        left = y - slope * own[0] - offset
        cost = 0.5 * float(np.log1p((left / scale) ** 2).sum()) + 0.5 * float(place @ place) / MOVED**2
        return (cost if np.isfinite(own).all() else np.inf), left, slope * (own[1:] - own[0]).T / STEP

    cost, left, steep = at(moved)
    for _try in range(TRIES):
        weights = 1.0 / (scale**2 + left**2)
        curved = steep.T @ (steep * weights[:, None]) + np.eye(split) / MOVED**2
        down = steep.T @ (weights * left) - moved / MOVED**2
        further = moved + np.linalg.solve(curved + damping * np.diag(np.diag(curved)), down)
        new = at(further)
        if not new[0] < cost:
            damping *= 5.0
            continue
        done = cost - new[0] < 1e-2
        moved, (cost, left, steep), damping = further, new, 0.3 * damping
        if done:
            break
    return moved, left, steep
