"""From parameter values to the engine's schedule, with its derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.simulation import EngineSchedule, EngineSeeds

Floats = NDArray[np.float64]
Build = Callable[[Floats], EngineSchedule]
PARTS: Final = ("initial", "numbers", "jumps", "lengths")
STRAIGHT: Final = 1e-9
"""Relative departure from a straight line above which a schedule is not affine in the parameters."""
STEP: Final = 1e-3  # relative, of the fourth-order difference where it is not


@dataclass(frozen=True, eq=False)
class Inputs:
    """The schedule that the values of K parameters make, by `build`; affine ones (almost all) are built once.

    - `low`, `high`: bounds of the values. - `build`: the schedule of one trajectory; it may be slow.
    """

    build: Build
    low: Floats
    high: Floats
    nominal: Floats

    @cached_property
    def _shapes(self) -> tuple[tuple[int, ...], ...]:
        return tuple(getattr(self._first, name).shape for name in PARTS)

    @cached_property
    def _first(self) -> EngineSchedule:
        return self.build(self.nominal)

    @cached_property
    def _affine(self) -> tuple[Floats, Floats] | None:
        """Constant and matrix of the flattened schedule, or nothing where it bends."""
        base = _flat(self._first)
        slopes = np.zeros((len(base), len(self.nominal)))
        for at, value in enumerate(self.nominal):
            step = _doubling(value, self.low[at], self.high[at])
            moved = self.nominal.copy()
            moved[at] = value + step
            slopes[:, at] = (_flat(self.build(moved)) - base) / step
        constant = base - slopes @ self.nominal
        dice = np.random.default_rng(1)
        for _ in range(3):
            values = self.low + (self.high - self.low) * dice.random(len(self.nominal))
            found, straight = _flat(self.build(values)), constant + slopes @ values
            if (np.abs(found - straight) > STRAIGHT * (np.abs(found) + np.abs(slopes) @ np.abs(values))).any():
                return None
        return constant, slopes

    @cached_property
    def moving(self) -> tuple[int, ...]:
        """The parameters that the schedule depends on at all."""
        if self._affine is not None:
            return tuple(np.flatnonzero(np.abs(self._affine[1]).max(axis=0) > 0).tolist())
        return tuple(range(len(self.nominal)))

    def schedule(self, values: Floats) -> EngineSchedule:
        """The schedule; `values` of shape (K,) or, for many trajectories, (N, K)."""
        rows = np.atleast_2d(values)
        if self._affine is None:
            flat = np.array([_flat(self.build(row)) for row in rows])
        else:
            flat = self._affine[0] + rows @ self._affine[1].T
        return EngineSchedule(**self._parts(flat), actions=self._first.actions)

    def seeds(self, values: Floats, slopes: Floats) -> EngineSeeds:
        """Derivatives by each of the `moving` parameters times its `slopes`."""
        by = self._affine[1] if self._affine is not None else self._differences(values)
        chosen = by[:, list(self.moving)] * slopes[list(self.moving)]
        found = self._parts(np.ascontiguousarray(chosen.T))
        return EngineSeeds(**{name: np.moveaxis(part, 0, -1) for name, part in found.items()})

    def _differences(self, values: Floats) -> Floats:
        """Fourth-order central differences of the schedule (not of the trajectory): exact to some 1e-11."""
        columns = []
        for at, value in enumerate(values):
            step = STEP * (abs(value) or 1.0)
            found = []
            for factor in (-2, -1, 1, 2):
                moved = values.copy()
                moved[at] = value + factor * step
                found.append(_flat(self.build(moved)))
            columns.append((found[0] - 8 * found[1] + 8 * found[2] - found[3]) / (12 * step))
        return np.array(columns).T

    def _parts(self, flat: Floats) -> dict[str, Any]:
        parts, start = {}, 0
        for name, shape in zip(PARTS, self._shapes, strict=True):
            size = int(np.prod(shape))
            parts[name] = np.ascontiguousarray(flat[:, start : start + size]).reshape(len(flat), *shape[1:])
            start += size
        return parts


def _flat(schedule: EngineSchedule) -> Floats:
    return np.concatenate([np.asarray(getattr(schedule, name), dtype=float).ravel() for name in PARTS])


def _doubling(value: float, low: float, high: float) -> float:
    """A step whose quotient of a value that is passed on unchanged is exactly 1."""
    for step in (value, -value / 2):
        if step and low <= value + step <= high:
            return step
    return (high - value) or (low - value)
