"""The engine's door: a system compiled once, then run with any schedule."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np

from seedtrain.base import InputError, Progress, silent
from seedtrain.simulation._engine._explicit import STIFF
from seedtrain.simulation._engine._layout import ARGUMENTS
from seedtrain.simulation._engine._machine import Code, host, key_of, recall, store
from seedtrain.simulation._engine._results import Results, aligned
from seedtrain.simulation._engine._schedule import (
    Floats,
    Schedule,
    Seeds,
    Trajectories,
    checked_schedule,
    checked_seeds,
    checked_times,
)
from seedtrain.simulation._engine._system import System
from seedtrain.simulation._engine._variant import Variant

Method = Literal["auto", "explicit", "stiff"]
METHODS: Final = ("auto", "explicit", "stiff")
MOST_STATES_STIFF: Final = 40
"""Up to here factors cost less than the steps that they save, even where a problem is not stiff (assumed)."""
_CHUNK: Final = 512  # trajectories that a thread takes at a time


@dataclass(frozen=True, eq=False)
class Kernel:
    """A loaded kernel."""

    code: Code
    lanes: int
    work: int
    whole: int
    rows: int
    directions: int


@lru_cache(maxsize=128)
def _kernel(system: System, variant: Variant) -> Kernel:
    """The kernel of `system`, from the cache where it is there whole, else made and kept."""
    key = key_of([system.digest, variant.lanes, variant.method, variant.sensitivities, variant.outside])
    found = recall(key)
    if found is None:
        from seedtrain.simulation._engine._kernel import make_kernel

        raw, facts = make_kernel(system, variant)
        store(key, raw, facts)
    else:
        raw, facts = found
    return Kernel(Code(raw), **facts)


@dataclass(frozen=True, eq=False)
class Compiled:
    """A system that can be run; each kind of kernel is made or loaded when it is first needed."""

    system: System
    outside: int = 0  # the address of a function that takes the place of the rates

    def run(
        self,
        schedule: Schedule,
        times: Any,
        *,
        rtol: float = 1e-6,
        atol: Any = 1e-8,
        method: Method = "auto",
        seeds: Seeds | None = None,
        threads: int = 0,
        most_steps: int = 100_000,
        device: Literal["cpu", "cuda"] = "cpu",
        progress: Progress = silent,
    ) -> Trajectories:
        """The trajectories of `schedule` at `times` (h, from 0, not decreasing).

        - `rtol`, `atol` (one, or one per state in its unit): of the error of a step.
        - `seeds`: directions of forward sensitivities, error-controlled with the state.
        - `threads`: 0 for one per core. Results do not depend on it, bit for bit.
        - `most_steps`: of a trajectory, refused ones counted.
        - `device`: "cuda" runs each trajectory in a thread of the first CUDA device, without sensitivities.

        Raises `InputError` where the schedule does not fit the system. A trajectory that fails says so in its status.
        """
        checked = checked_schedule(self.system, schedule)
        by = None if seeds is None else checked_seeds(self.system, checked, seeds)
        when = checked_times(self.system, times)
        tolerances = _tolerances(self.system, rtol, atol)
        if method not in METHODS:
            raise InputError(f"the method {method!r} is unknown", remedy=f"Use one of: {', '.join(METHODS)}.")
        found = Results(self.system, checked, when, by)
        more = {"tolerances": tolerances, "most_steps": most_steps, "stop_when_stiff": method == "auto"}
        more["outside"] = self.outside
        first = "stiff" if method == "auto" and len(self.system.states) <= MOST_STATES_STIFF else method
        first = "explicit" if first == "auto" else first
        count = checked.trajectories
        if device == "cuda":
            if by is not None or self.outside:
                words = f"system {self.system.name!r}: sensitivities and functions do not run on a CUDA device"
                raise InputError(words, remedy='Leave out device="cuda".')
            from seedtrain.simulation._engine._cuda import run_on_device

            run_on_device(self.system, first, found, more, count)
        else:
            self._spread(first, found, more, range(count), threads, progress)
        again = np.flatnonzero(found.whole["status"] == STIFF)
        if len(again):
            self._spread("stiff", found, more, again.tolist(), threads, progress)
        return found.trajectories()

    def _spread(
        self,
        method: str,
        found: Results,
        more: Mapping[str, Any],
        items: Sequence[int],
        threads: int,
        progress: Progress,
    ) -> None:
        """Run the trajectories `items` by one method."""
        many = len(items) > 1 and not found.directions and not self.outside
        lanes = host()["lanes"] if many else 1
        kernel = _kernel(self.system, Variant(lanes, method, found.directions > 0, bool(self.outside)))
        _spread(_Call(kernel, found, more), items, threads, progress)


def compile_system(system: System, *, progress: Progress = silent) -> Compiled:
    """`system` as something that runs; kernels come from the cache, or are made at the first run that needs them."""
    progress(1.0, system.name)
    return Compiled(system)


def _tolerances(system: System, rtol: float, atol: Any) -> Floats:
    n = len(system.states)
    try:
        absolute = np.broadcast_to(np.asarray(atol, dtype=np.float64), (n,))
    except ValueError:
        remedy = f"Give one for all states, or {n}: one for each."
        raise InputError(f"system {system.name!r}: atol has shape {np.shape(atol)}", remedy=remedy) from None
    found = np.concatenate([[float(rtol)], absolute])
    if not (np.isfinite(found) & (found > 0)).all():
        raise InputError(f"the tolerances are {rtol} and {atol}", remedy="Give finite tolerances above 0.")
    return found


_PLACES: Final = {name: place for place, name in enumerate(ARGUMENTS)}


def _address(value: Any) -> int:
    """A whole number, or where an array begins."""
    return int(value.__array_interface__["data"][0]) if isinstance(value, np.ndarray) else int(value)


class _Call:
    """Everything that a kernel is called with, but for the trajectories and the room of one call."""

    def __init__(self, kernel: Kernel, results: Results, more: Mapping[str, Any]) -> None:
        self.kernel = kernel
        self._alive = values = {**results.arguments(), **more}  # the arrays must outlive the addresses
        self.blocks = results.blocks
        self.arguments = np.array([_address(values.get(name, 0)) for name in ARGUMENTS], dtype=np.int64)

    def __call__(self, first: int, end: int) -> None:
        """Run the trajectories from `first` to before `end`."""
        arguments = self.arguments.copy()
        work, d_work = aligned(self.kernel.work), aligned(self.kernel.rows * self.blocks * self.kernel.directions)
        whole = np.zeros(self.kernel.whole, dtype=np.int64)
        values: dict[str, Any] = {
            "first": first,
            "end": end,
            "work": work,
            "whole": whole,
            "d_work": d_work,
        }
        for name, value in values.items():
            arguments[_PLACES[name]] = _address(value)
        self.kernel.code.entry(_address(arguments))


def _cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _spread(call: _Call, items: Sequence[int], threads: int, progress: Progress) -> None:
    """Run the trajectories `items`, chunk by chunk, on `threads` threads (machine code does not hold Python's lock)."""
    workers = threads or _cores()
    count = len(items)
    size = min(_CHUNK, max(call.kernel.lanes * 4, -(-count // (4 * workers))))
    if isinstance(items, range):
        chunks = [(first, min(first + size, count)) for first in range(0, count, size)]
    else:
        chunks = [(item, item + 1) for item in items]
    done = 0
    if workers == 1 or len(chunks) == 1:
        for chunk in chunks:
            call(*chunk)
            done += chunk[1] - chunk[0]
            progress(done / count, "trajectories")
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers) as pool:
        for chunk, _ in zip(chunks, pool.map(lambda chunk: call(*chunk), chunks), strict=True):
            done += chunk[1] - chunk[0]
            progress(done / count, "trajectories")
