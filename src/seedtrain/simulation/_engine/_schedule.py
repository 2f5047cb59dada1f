"""What a system is run with, and what comes back: plain arrays with a leading axis of trajectories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.simulation._engine._system import System

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# What a trajectory ends with.
DONE: Final = 0  # every stretch ran
RAISED: Final = 1  # a gauge with action 3 rose through zero, or was not below it where a stretch starts
STEP_TOO_SMALL: Final = 2
TOO_MANY_STEPS: Final = 3
NOT_FINITE: Final = 4  # a rate has no finite value
REASONS: Final = {
    DONE: "done",
    RAISED: "a gauge that ends the trajectory rose through zero",
    STEP_TOO_SMALL: "the step size became too small: the equations are singular or not smooth there",
    TOO_MANY_STEPS: "the most steps allowed were taken",
    NOT_FINITE: "a rate, a held symbol or a gauge has no finite value there",
}

# What a gauge does in a stretch.
IGNORE: Final = 0
LOG: Final = 1
END_STRETCH: Final = 2  # when it rises through zero, or is not below zero at the start
END_TRAJECTORY: Final = 3  # when it rises through zero, or is not below zero at the start

CROSSING: Final = np.dtype([("time", "f8"), ("stretch", "i8"), ("gauge", "i8"), ("direction", "i8")])
CROSSINGS_KEPT: Final = 64  # per trajectory; `Crossings.counts` says when there were more


@dataclass(frozen=True, eq=False)
class Schedule:
    """What happens along every trajectory, stretch by stretch; a leading axis N of 1 is shared by all.

    - `initial` (N, n): the state at time 0.
    - `numbers` (N, S, P): the system's numbers in each of S stretches.
    - `jumps` (N, S, n): added to the state at the start of the stretch, before held symbols are evaluated.
    - `lengths` (N, S): h, the longest the stretch lasts.
    - `actions` (N, S, G) int8: for each gauge `IGNORE`, `LOG`, `END_STRETCH` or `END_TRAJECTORY`.
    """

    initial: Floats
    numbers: Floats
    jumps: Floats
    lengths: Floats
    actions: NDArray[np.int8]

    @property
    def trajectories(self) -> int:
        """How many trajectories there are."""
        return max(len(part) for part in (self.initial, self.numbers, self.jumps, self.lengths, self.actions))

    @property
    def stretches(self) -> int:
        """How many stretches a trajectory has."""
        return int(self.lengths.shape[1])


@dataclass(frozen=True, eq=False)
class Seeds:
    """K directions of forward sensitivities: derivatives of the schedule by each, with or without a leading axis N.

    `initial` (n, K), `numbers` (S, P, K), `jumps` (S, n, K), `lengths` (S, K).
    """

    initial: Floats
    numbers: Floats
    jumps: Floats
    lengths: Floats

    @property
    def directions(self) -> int:
        """How many directions there are."""
        return int(self.initial.shape[-1])


@dataclass(frozen=True, eq=False)
class Crossings:
    """Zero crossings of gauges with an action, in order of time; `rows` (N, kept) of `CROSSING`.

    `counts` (N,) tells how many there were; where it is more than `rows` has room for, the later ones are not kept.
    """

    counts: Whole
    rows: NDArray[Any]

    def of(self, trajectory: int) -> NDArray[Any]:
        """The rows of one trajectory."""
        return self.rows[trajectory, : min(int(self.counts[trajectory]), self.rows.shape[1])]

    @property
    def overflowed(self) -> NDArray[np.bool_]:
        """Which trajectories crossed more often than was kept, shape (N,)."""
        return np.asarray(self.counts > self.rows.shape[1])


@dataclass(frozen=True, eq=False)
class Trajectories:
    """What became of every trajectory; free of not-a-number.

    Beyond the end, or a failure, the last good values stand. At a time where one stretch ends and the next begins the
    value is that of the next, after its jump. `*_by` are derivatives by each of K directions, event times included.
    """

    times: Floats  # (T,) h, as asked for
    states: Floats  # (N, T, n)
    observed: Floats  # (N, T, o)
    starts: Floats  # (N, S, n) after the jump
    finals: Floats  # (N, S, n)
    ends: Floats  # (N, S) h
    held: Floats  # (N, S, h)
    gauges_at_start: Floats  # (N, S, G)
    status: Whole  # (N,)
    reached: Floats  # (N,) h
    stretch: Whole  # (N,) where it stopped
    crossings: Crossings
    steps: Whole
    rejected: Whole
    rates: Whole
    states_by: Any = None  # (N, T, n, K), like those below an array where there were seeds
    observed_by: Any = None
    starts_by: Any = None  # (N, S, n, K)
    finals_by: Any = None
    ends_by: Any = None  # (N, S, K)
    held_by: Any = None  # (N, S, h, K)

    def reason(self, trajectory: int) -> str:
        """Why a trajectory stopped, in words."""
        return REASONS[int(self.status[trajectory])]


def checked_schedule(system: System, schedule: Schedule) -> Schedule:
    """`schedule` with contiguous arrays of the right type; raises `InputError` where shapes or values do not fit."""
    n, numbers, gauges = len(system.states), len(system.numbers), len(system.gauges)
    lengths = _plain(system, "lengths", schedule.lengths, np.float64, 2)
    stretches = lengths.shape[1]
    if stretches == 0:
        raise InputError(f"system {system.name!r}: the schedule has no stretch", remedy="Give at least one stretch.")
    parts: dict[str, Any] = {"lengths": lengths}
    wanted: dict[str, tuple[tuple[int, ...], Any]] = {
        "initial": ((n,), np.float64),
        "numbers": ((stretches, numbers), np.float64),
        "jumps": ((stretches, n), np.float64),
        "actions": ((stretches, gauges), np.int8),
    }
    for name, (shape, kind) in wanted.items():
        part = _plain(system, name, getattr(schedule, name), kind, len(shape) + 1)
        if part.shape[1:] != shape:
            raise InputError(
                f"system {system.name!r}: {name} of the schedule has shape {part.shape}, not (N, {str(shape)[1:]}",
                remedy="Give one value for every trajectory, stretch and symbol.",
            )
        parts[name] = part
    counts = {part.shape[0] for part in parts.values()} - {1}
    if len(counts) > 1 or 0 in counts:
        raise InputError(
            f"system {system.name!r}: the schedule's arrays are for {sorted(counts)} trajectories",
            remedy="Give every array the same leading axis, or 1 where all trajectories share it.",
        )
    _check_values(system, parts)
    return Schedule(**parts)


def _plain(system: System, name: str, value: Any, kind: Any, axes: int) -> NDArray[Any]:
    found = np.ascontiguousarray(value, dtype=kind)
    if found.ndim != axes:
        raise InputError(
            f"system {system.name!r}: {name} of the schedule has {found.ndim} axes, not {axes}",
            remedy="Put the axis of trajectories first; it may be 1.",
        )
    return found


def _check_values(system: System, parts: dict[str, Any]) -> None:
    symbols: dict[str, tuple[str, ...]] = {
        "initial": system.states,
        "numbers": system.numbers,
        "jumps": system.states,
        "lengths": (),
    }
    for name, names in symbols.items():
        bad = np.argwhere(~np.isfinite(parts[name]))
        if len(bad):
            place = tuple(int(item) for item in bad[0])
            what = f"{name} of {names[place[-1]]!r}" if names else name
            raise InputError(
                f"system {system.name!r}: {what} is {parts[name][place]} (trajectory {place[0]})",
                remedy="Give a finite number.",
            )
    if (parts["lengths"] < 0).any():
        raise InputError(
            f"system {system.name!r}: a stretch lasts {parts['lengths'].min()} h", remedy="Give a length of at least 0."
        )
    if parts["actions"].size and not ((parts["actions"] >= IGNORE) & (parts["actions"] <= END_TRAJECTORY)).all():
        raise InputError(f"system {system.name!r}: an action is not 0, 1, 2 or 3", remedy="Use a known action.")


def checked_seeds(system: System, schedule: Schedule, seeds: Seeds) -> Seeds:
    """`seeds` with a leading axis (1 or N) everywhere; raises `InputError` where shapes do not fit."""
    n, stretches, numbers = len(system.states), schedule.stretches, len(system.numbers)
    shapes = {
        "initial": (n,),
        "numbers": (stretches, numbers),
        "jumps": (stretches, n),
        "lengths": (stretches,),
    }
    count = schedule.trajectories
    parts = {}
    for name, shape in shapes.items():
        part = np.ascontiguousarray(getattr(seeds, name), dtype=np.float64)
        part = part[None] if part.ndim == len(shape) + 1 else part
        fits = part.ndim == len(shape) + 2 and part.shape[1:-1] == shape and part.shape[0] in (1, count)
        if not fits or part.shape[-1] != seeds.directions:
            raise InputError(
                f"system {system.name!r}: {name} of the seeds has shape {part.shape}, not ({str((*shape, 'K'))[1:]}",
                remedy="Give the derivative of each value of the schedule by each direction.",
            )
        if not np.isfinite(part).all():
            raise InputError(
                f"system {system.name!r}: {name} of the seeds is not finite", remedy="Give finite numbers."
            )
        parts[name] = np.ascontiguousarray(part)
    return Seeds(**parts)


def checked_times(system: System, times: Any) -> Floats:
    """Output times as an array that does not decrease; raises `InputError` otherwise."""
    found = np.ascontiguousarray(times, dtype=np.float64)
    if found.ndim != 1 or not np.isfinite(found).all() or (np.diff(found) < 0).any() or (found < 0).any():
        raise InputError(
            f"system {system.name!r}: the output times are not finite, not below 0 or not sorted",
            remedy="Give times in h from 0 that do not decrease.",
        )
    return found
