"""One chain of Hamiltonian Monte Carlo on a fit's posterior, which can be put aside and gone on with.

Coordinates are the logits of the places between the bounds, so that no step leaves them; the mass is the information at
the optimum, then the chain's own covariance. **Source** Neal 2011 (Handbook of Markov Chain Monte Carlo, chapter 5);
step size by dual averaging, Hoffman & Gelman 2014 (JMLR 15:1593), algorithm 5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from seedtrain.development._estimation._inputs import Floats
from seedtrain.development._estimation._parameters import LN10
from seedtrain.development._estimation._problem import Problem

TARGET: Final = 0.8
"""Acceptance that the step size is set for."""
SHRINK, DELAY, FORGET = 0.05, 10.0, 0.75
LONGEST: Final = 24
"""Most steps of a trajectory; it is about a quarter of a turn of a normal posterior, half to one and a half times."""
DIVERGED: Final = 1000.0
"""Error of the energy at which a trajectory counts as failed."""
ROUGH: Final = 1e-4
"""Relative error of a step of the model: some 0.003 of a fed batch's log density, far below what a draw turns on."""
EDGE: Final = 1e-4
FLATTEST: Final = 0.05
OWN: Final = 10.0
"""So many draws' weight has the information at the optimum beside a chain's own covariance."""


class Target:
    """The log density of a problem's posterior in logits: flat between bounds, on the search's scale, without a prior.

    A prior on a value that is searched by its logarithm counts as a density of the value.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.width = problem.high - problem.low
        rises = {"lin": 0.0, "log": 1.0, "log10": LN10}
        self.rise = np.array(
            [rises[item.scale] if item.prior.kind in ("normal", "logNormal") else 0.0 for item in problem.parameters]
        )

    def point(self, z: Floats) -> Floats:
        """The point of the search."""
        return np.asarray(self.problem.low + self.width * _share(z))

    def logits(self, x: Floats) -> Floats:
        """The logits of a point, kept off the bounds."""
        share = np.clip((x - self.problem.low) / self.width, EDGE, 1 - EDGE)
        return np.asarray(np.log(share / (1 - share)))

    def density(self, z: Floats) -> tuple[float, Floats]:
        """Log density, up to a constant, and its gradient; minus infinity where the model cannot be simulated."""
        share = _share(z)
        slope = share * (1 - share)
        if not (slope > 0).all():
            return -math.inf, np.zeros_like(z)
        x = self.problem.low + self.width * share
        found = self.problem.evaluate(x, rtol=ROUGH)
        if not (found.good and np.isfinite(found.gradient).all()):
            return -math.inf, np.zeros_like(z)
        value = -found.objective + float(self.rise @ x + np.log(self.width * slope).sum())
        return value, np.asarray((self.rise - found.gradient) * self.width * slope + 1 - 2 * share)

    def covariance(self, x: Floats) -> Floats:
        """The inverse of the information at `x`, in logits."""
        share = _share(self.logits(x))
        slope = share * (1 - share)
        by = self.width * slope
        curvature = self.problem.evaluate(x).fisher * np.outer(by, by)
        return np.asarray(np.linalg.inv(curvature + np.diag(np.maximum(2 * slope, FLATTEST))))


def _share(z: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * z)))


class Chain:
    """Draws of one chain: `warm` iterations that set step and mass, then `count` that are kept.

    `draws` are logits; `heights` their log density; `diverged` counts failed trajectories among those kept.
    """

    def __init__(self, target: Target, warm: int, count: int, covariance: Floats) -> None:
        self.target, self.warm, self.count, self.prior = target, warm, count, covariance
        self.root = np.linalg.cholesky(covariance)
        self.done = self.evaluations = self.diverged = 0
        self.z = self.slope = np.zeros(len(covariance))
        self.height = -math.inf
        self.accepted = 0.0
        self.window: list[list[float]] = []
        self.draws: list[list[float]] = []
        self.heights: list[float] = []
        self.dice = np.random.default_rng(0)
        self._restart(0.5)

    @property
    def finished(self) -> bool:
        """Whether every draw was made."""
        return self.done >= self.warm + self.count

    def begin(self, optimum: Floats, seed: int, number: int) -> None:
        """Start beside the optimum, spread wider than the information says."""
        self.dice = np.random.default_rng([seed, number])
        centre = self.target.logits(optimum)
        spread = 2.0
        while True:
            self.z = centre + spread * (self.root @ self.dice.normal(size=len(centre)))
            self.height, self.slope = self.target.density(self.z)
            self.evaluations += 1
            if math.isfinite(self.height) or spread < 1e-6:
                return
            spread *= 0.7

    def iterate(self) -> None:
        """One trajectory, accepted or not."""
        turn = math.pi / 2 * self.dice.uniform(0.5, 1.5)
        step = self.step if self.done < self.warm else self.steady
        momentum = self.dice.normal(size=len(self.z))
        before = self.height - 0.5 * float(momentum @ momentum)
        z, height, slope = self.z, self.height, self.slope
        for _ in range(min(max(round(turn / step), 1), LONGEST)):
            momentum = momentum + 0.5 * step * (self.root.T @ slope)
            z = z + step * (self.root @ momentum)
            height, slope = self.target.density(z)
            self.evaluations += 1
            if not math.isfinite(height):
                break
            momentum = momentum + 0.5 * step * (self.root.T @ slope)
        rise = height - 0.5 * float(momentum @ momentum) - before if math.isfinite(height) else -math.inf
        chance = math.exp(min(rise, 0.0))
        if self.dice.random() < chance:
            self.z, self.height, self.slope = z, height, slope
        self.done += 1
        if self.done <= self.warm:
            self._adapt(chance)
        else:
            self.accepted += chance
            self.diverged += rise < -DIVERGED
            self.draws.append(self.z.tolist())
            self.heights.append(self.height)

    def _restart(self, step: float) -> None:
        self.step = self.steady = step
        self.centre, self.error, self.turns = math.log(5 * step), 0.0, 0

    def _adapt(self, chance: float) -> None:
        self.turns += 1
        share = 1 / (self.turns + DELAY)
        self.error = (1 - share) * self.error + share * (TARGET - chance)
        log_step = min(self.centre - math.sqrt(self.turns) / SHRINK * self.error, math.log(2.0))
        weight = self.turns**-FORGET
        self.steady = math.exp(weight * log_step + (1 - weight) * math.log(self.steady))
        self.step = math.exp(log_step)
        self.window.append(self.z.tolist())
        if self.done in (self.warm // 3, 2 * self.warm // 3):
            self._learn()

    def _learn(self) -> None:
        """The mass from the window's own draws, after its first third."""
        seen = np.array(self.window[len(self.window) // 3 :])
        self.window = []
        if len(seen) > 3 * len(self.z):
            own = np.atleast_2d(np.cov(seen.T))
            mixed = (len(seen) * own + OWN * self.prior) / (len(seen) + OWN)
            self.root = np.linalg.cholesky(mixed)
        self._restart(max(self.steady, 1e-3))

    def to_data(self) -> dict[str, Any]:
        """Everything that the next draw depends on, JSON-ready."""
        plain = {name: getattr(self, name) for name in _NUMBERS}
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        return {**plain, **arrays, "window": self.window, "draws": self.draws, "heights": self.heights,
                "dice": self.dice.bit_generator.state}  # fmt: skip

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on where `to_data` stood."""
        size = len(self.z)
        for name in _NUMBERS:
            setattr(self, name, type(getattr(self, name))(data[name]))
        for name, shape in (("z", (size,)), ("slope", (size,)), ("root", (size, size))):
            setattr(self, name, np.array(data[name], dtype=float).reshape(shape))
        self.window, self.draws, self.heights = list(data["window"]), list(data["draws"]), list(data["heights"])
        if len(self.draws) != max(self.done - self.warm, 0) or any(len(row) != size for row in self.draws):
            raise ValueError("draws")
        self.dice.bit_generator.state = data["dice"]


_NUMBERS: Final = (
    "done",
    "evaluations",
    "diverged",
    "height",
    "accepted",
    "step",
    "steady",
    "centre",
    "error",
    "turns",
)
_ARRAYS: Final = ("z", "slope", "root")
