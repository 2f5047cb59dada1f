"""The arrays that a kernel reads and fills."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.simulation._engine._machine import host
from seedtrain.simulation._engine._schedule import (
    CROSSING,
    CROSSINGS_KEPT,
    DONE,
    RAISED,
    Crossings,
    Floats,
    Schedule,
    Seeds,
    Trajectories,
)
from seedtrain.simulation._engine._system import System


def aligned(*shape: int) -> Floats:
    """Zeros that begin where a vector of eight numbers may."""
    size = int(np.prod(shape))
    raw = np.zeros(size + 8)
    skip = (-raw.ctypes.data % 64) // 8
    return raw[skip : skip + size].reshape(shape)


def _padded(part: Floats, width: int) -> Floats:
    found = aligned(*part.shape[:-1], width)
    found[..., : part.shape[-1]] = part
    return found


_AT_ONCE: Final = 4_000_000  # numbers


def _natural(schedule: Schedule, seeds: Seeds) -> Floats:
    """One over the natural step along each direction, shape (N or 1, K): the least that doubles a scheduled value.

    0 for a direction along which no value has a size.
    """
    names = ("initial", "numbers", "jumps", "lengths")
    count = max(len(part) for name in names for part in (getattr(seeds, name), getattr(schedule, name)))
    found = np.zeros((count, seeds.directions))
    for name in names:
        value, by = np.abs(getattr(schedule, name)), np.abs(getattr(seeds, name))
        over = np.divide(1.0, value, out=np.zeros_like(value), where=value > 0)[..., None]
        rows = max(_AT_ONCE // max(by[0].size, 1), 1)
        for first in range(0, max(len(over), len(by)), rows):
            part = slice(first, first + rows)
            steep = (over if len(over) == 1 else over[part]) * (by if len(by) == 1 else by[part])
            most = steep.reshape(len(steep), -1, seeds.directions).max(axis=1, initial=0.0)
            target = found if len(over) == len(by) == 1 else found[part]
            np.maximum(target, most, out=target)
    return found


class Results:
    """Room for what becomes of a schedule's trajectories, and by each direction of `seeds`."""

    def __init__(self, system: System, schedule: Schedule, times: Floats, seeds: Seeds | None) -> None:
        count, stretches = schedule.trajectories, schedule.stretches
        self.schedule = schedule
        self.times = times
        self.kept = CROSSINGS_KEPT if schedule.actions.any() else 0
        n, rows, held = len(system.states), len(times), len(system.held)
        self.floats = {
            "states": np.zeros((count, rows, n)),
            "observed": np.zeros((count, rows, len(system.observed))),
            "starts": np.zeros((count, stretches, n)),
            "finals": np.zeros((count, stretches, n)),
            "ends": np.zeros((count, stretches)),
            "held": np.zeros((count, stretches, held)),
            "gauges": np.zeros((count, stretches, len(system.gauges))),
            "reached": np.zeros(count),
        }
        names = ("status", "stretch", "crossed", "steps", "rejected", "rates")
        self.whole: dict[str, NDArray[Any]] = {name: np.zeros(count, dtype=np.int64) for name in names}
        self.crossings = np.zeros((count, self.kept), dtype=CROSSING)
        self.directions = seeds.directions if seeds is not None else 0
        lanes = host()["lanes"]
        self.blocks = -(-self.directions // lanes)
        self.by: dict[str, Any] = {}
        if seeds is not None:
            width = self.blocks * lanes
            names = ("states", "observed", "starts", "finals", "ends", "held")
            self.by = {f"{name}_by": aligned(*self.floats[name].shape, width) for name in names}
            for name in ("initial", "numbers", "jumps", "lengths"):
                part = _padded(getattr(seeds, name), width)
                self.by |= {f"d_{name}": part, f"d_{name}_step": part[0].size if part.shape[0] > 1 else 0}
            natural = _padded(_natural(schedule, seeds), width)
            self.by |= {"d_natural": natural, "d_natural_step": self.blocks if natural.shape[0] > 1 else 0}

    def arguments(self) -> dict[str, Any]:
        """Arrays and numbers by the names of a kernel's arguments."""
        schedule = self.schedule
        inputs: dict[str, Any] = {
            name: getattr(schedule, name) for name in ("initial", "numbers", "jumps", "lengths", "actions")
        }
        steps = {f"{name}_step": part[0].size if part.shape[0] > 1 else 0 for name, part in inputs.items()}
        more = {
            "crossings": self.crossings,
            "stretches": schedule.stretches,
            "times": self.times,
            "rows": len(self.times),
            "kept": self.kept,
            "blocks": self.blocks,
        }
        return {**inputs, **steps, **self.floats, **self.whole, **self.by, **more}

    def trajectories(self) -> Trajectories:
        """The results by their names."""
        f, w = self.floats, self.whole
        by = {name: part[..., : self.directions] for name, part in self.by.items() if name.endswith("_by")}
        failed = np.flatnonzero((w["status"] != DONE) & (w["status"] != RAISED))
        for part in by.values():  # a failure can leave derivatives without a value
            part[failed] = np.nan_to_num(part[failed], nan=0.0, posinf=0.0, neginf=0.0)
        return Trajectories(
            self.times, f["states"], f["observed"], f["starts"], f["finals"], f["ends"], f["held"], f["gauges"],
            w["status"], f["reached"], w["stretch"], Crossings(w["crossed"], self.crossings), w["steps"],
            w["rejected"], w["rates"], **by,
        )  # fmt: skip
