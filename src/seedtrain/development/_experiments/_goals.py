"""What a run is chosen for: improvement of the goals, times the chance that all limits hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.development._experiments._acquire import incumbents, log_chance, over_draws, pareto, weighted
from seedtrain.development._experiments._believed import SETS, Belief
from seedtrain.development._experiments._entry import Experiment
from seedtrain.development._experiments._regimes import Regime

Floats = NDArray[np.float64]
FEASIBLE: Final = 0.5
DRAWS: Final = 32
AT_BEST: Final = 2.0
"""Standard deviations above the mean that a level not yet understood is given credit for."""
HOPELESS: Final = 1e3
NODES: Final = 64
"""Draws by which several goals are joined."""


class Aim:
    """The score of a point, given what is believed; `seen` are the points of the runs made and under way.

    `found`: whether any of these is thought to hold the limits. `regime`: where runs are thought to work at all.
    """

    def __init__(
        self, study: Experiment, beliefs: Mapping[str, Belief], seen: Floats, readings: Mapping[str, Floats],
        rng: np.random.Generator, regime: Regime | None = None,
    ) -> None:  # fmt: skip
        self.beliefs = beliefs
        self.regime = regime
        self.goals = [item for item in study.responses if item.goal != "none"]
        self.limits = [item for item in study.responses if item.limited]
        self.signs = [1.0 if item.goal == "maximise" else -1.0 for item in self.goals]
        chance = np.exp(self.log_chances(seen))
        self.found = bool((chance > FEASIBLE).any())
        self._weights = rng.dirichlet(np.ones(len(self.goals)), size=SETS)
        self._nodes = np.random.default_rng(0).standard_normal((NODES, len(self.goals)))
        self._scales = [
            (float((sign * readings[item.name]).min()), float(np.ptp(readings[item.name])) or 1.0)
            for sign, item in zip(self.signs, self.goals, strict=True)
        ]
        self._bests = np.stack([incumbents(self._drawn(seen, at, rng), chance, self._spread(at)) for at in range(SETS)])

    def log_chances(self, points: Floats) -> Floats:
        """Logarithm of the chance that all limits hold and the run works, as if they broke apart from each other."""
        total = np.zeros(len(points)) if self.regime is None else self.regime.log_chance(points)
        for item in self.limits:
            chances = np.exp(log_chance(*self.beliefs[item.name].each(points), item.low, item.high))
            total = total + np.log(np.maximum(chances.mean(0), 1e-300))
        return total

    def score(self, points: Floats) -> Floats:
        """Logarithm of the expected improvement times the chance; where no run holds the limits, first that chance."""
        gain = over_draws(*self._moments(points), self._bests)
        chance = self.log_chances(points)
        return gain + chance if self.found else chance + 0.1 * (gain + chance)

    @property
    def noise(self) -> float:
        """Standard deviation of a reading of the first goal, in its unit."""
        return float(np.mean([item.noise for item in self.beliefs[self.goals[0].name].sets]))

    def elsewhere(self, points: Floats, home: Floats) -> Floats:
        """What the one goal may reach at best, with other levels than `home` ("column")."""
        belief = self.beliefs[self.goals[0].name]
        mean, deviation = belief.predicted(points)
        split = belief.sets[0].space.continuous
        same = (points[:, split:] == home[split:]).all(1)
        height = (self.signs[0] * mean + AT_BEST * deviation) / belief.sets[0].spread
        return np.asarray(height + np.maximum(self.log_chances(points), -HOPELESS) - np.where(same, 10 * HOPELESS, 0.0))

    def good(self, points: Floats) -> Floats:
        """Which of the runs made are best so far: around them candidates lie."""
        chance = np.exp(self.log_chances(points))
        pairs = zip(self.signs, self.goals, strict=True)
        values = np.column_stack([sign * self.beliefs[item.name].predicted(points)[0] for sign, item in pairs])
        if len(self.goals) > 1:
            kept = pareto(values) & (chance > FEASIBLE)
            return points[kept] if kept.any() else points[np.argsort(-chance)[:3]]
        order = np.argsort(-(values[:, 0] - np.where(chance > FEASIBLE, 0.0, np.ptp(values) + 1.0)))
        return points[order[:3]]

    def _moments(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the one goal, or of several joined, shape "set, point"."""
        told = [self.beliefs[item.name].each(points) for item in self.goals]
        if len(told) == 1:
            return self.signs[0] * told[0][0], told[0][1]
        found = []
        for at in range(SETS):
            drawn = [mean[at] + deviation[at] * self._nodes[:, k, None] for k, (mean, deviation) in enumerate(told)]
            found.append(self._joined(drawn, at))
        joined = np.stack(found)
        return joined.mean(1), np.maximum(joined.std(1), 1e-9)

    def _joined(self, values: list[Floats], at: int) -> Floats:
        """Several goals as one by the weights of a set; the last axis is the point."""
        pairs = zip(values, self.signs, self._scales, strict=True)
        stacked = np.stack([(sign * value - low) / wide for value, sign, (low, wide) in pairs], axis=-1)
        return weighted(stacked.reshape(-1, len(self.goals)), list(self._weights[at])).reshape(stacked.shape[:-1])

    def _drawn(self, points: Floats, at: int, rng: np.random.Generator) -> Floats:
        """Joint draws of what `_moments` tells, shape "draw, point"."""
        sets = [self.beliefs[item.name].sets[at] for item in self.goals]
        if len(sets) == 1:
            return self.signs[0] * sets[0].samples(points, DRAWS, rng)
        return self._joined([item.samples(points, DRAWS, rng) for item in sets], at)

    def _spread(self, at: int) -> float:
        return self.beliefs[self.goals[0].name].sets[at].spread if len(self.goals) == 1 else 1.0
