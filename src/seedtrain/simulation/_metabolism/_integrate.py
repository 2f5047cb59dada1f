"""Trajectories of a reactor: kernels run on all cores, regions solved where a table lacks them."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.simulation._metabolism._kernels import _structure as codes
from seedtrain.simulation._metabolism._program import Floats
from seedtrain.simulation._metabolism._reactor import Reactor
from seedtrain.simulation._metabolism._table import Arrays, Outside

Method = Literal["auto", "explicit", "stiff"]

BLOCK: Final = 64
"""Trajectories that a thread takes at a time."""
REASONS: Final = {
    codes.DONE: "",
    codes.LEFT_BOX: "a bound left the box that was compiled",
    codes.STEP_TOO_SMALL: "the step fell below what time can resolve",
    codes.TOO_MANY_STEPS: "more steps were needed than allowed",
    codes.NOT_FINITE: "a rate was no finite number",
}


@dataclass(frozen=True)
class DynamicSettings:
    """How to integrate: `rtol`, `atol` (gDW/L, mmol/L), most steps of a trajectory, method, and threads (0: all)."""

    rtol: float = 1e-6
    atol: float = 1e-8
    most_steps: int = 100_000
    method: Method = "auto"
    outside: Outside = "refuse"
    threads: int = 0

    def __post_init__(self) -> None:
        """Refuse tolerances and a method that mean nothing."""
        if not (1e-13 <= self.rtol <= 0.1 and self.atol > 0 and self.most_steps > 0):
            message = f"rtol {self.rtol:g}, atol {self.atol:g}, {self.most_steps} steps: not all are usable"
            raise InputError(message, remedy="Take rtol from 1e-13 to 0.1, and the others above zero.")
        if self.method not in ("auto", "explicit", "stiff"):
            raise InputError(f"there is no method {self.method!r}", remedy="Use auto, explicit or stiff.")


@dataclass(frozen=True)
class Trajectories:
    """What an integration left, by trajectory: none has fewer points than were asked for, nor a not-a-number.

    - `states`: shape (trajectory, time, state), then, for sensitivities, behind the states of each time, those by each
      wanted parameter. From where a trajectory failed on, its last good state stands.
    - `status`: see `REASONS`; `reached`: h, the last good time; `steps`, `rates`: accepted steps and evaluations.
    """

    states: Floats
    status: NDArray[np.int64]
    reached: Floats
    steps: NDArray[np.int64]
    rates: NDArray[np.int64]


@dataclass
class _Course:
    """Where each trajectory is."""

    z: Floats
    clock: Floats
    count: NDArray[np.int64]
    states: Floats
    status: NDArray[np.int64]
    theta: Floats


def integrate(
    reactor: Reactor,
    parameters: Floats,
    start: float,
    times: Floats,
    *,
    wanted: NDArray[np.int64] | None = None,
    settings: DynamicSettings | None = None,
) -> Trajectories:
    """Integrate one trajectory for each row of `parameters` (from `reactor.matrix`) and report it at `times`.

    `times` (h) rise from `start`. `wanted`: places of parameters whose sensitivities are carried along, by the stiff
    method. Neither the number of rows nor that of threads changes a trajectory over a certified table.
    """
    settings = settings or DynamicSettings()
    assert len(times) > 0
    assert (np.diff(times) >= 0).all()
    assert times[0] >= start
    places = np.zeros(0, dtype=np.int64) if wanted is None else wanted
    course = _begin(reactor, parameters, start, len(times), places)
    if times[-1] <= start:
        course.states[:] = course.z[:, None, :]
        return _finish(reactor, course)
    stiff = np.full(len(parameters), settings.method == "stiff" or len(places) > 0)
    todo = np.arange(len(parameters))
    while len(todo):
        arrays = reactor.arrays()
        for is_stiff in (False, True):
            use = todo[stiff[todo] == is_stiff]
            if len(use):
                _advance(reactor, parameters, arrays, start, times, places, settings, is_stiff, use, course)
        stiff[course.status == codes.STIFF] = True
        todo = todo[np.isin(course.status[todo], (codes.STIFF, codes.NEEDS_REGION))]
        _learn(reactor, course, todo)
    return _finish(reactor, course)


def _begin(reactor: Reactor, parameters: Floats, start: float, times: int, wanted: NDArray[np.int64]) -> _Course:
    count, n, first = len(parameters), len(reactor.states), reactor.initial_places
    z = np.zeros((count, n * (1 + len(wanted))))
    z[:, :n] = parameters[:, first]
    for number, place in enumerate(wanted, 1):
        z[:, n * number + np.flatnonzero(first == place)] = 1.0  # an initial state begins with itself
    clock = np.zeros((count, codes.CLOCKS))
    clock[:, codes.NOW], clock[:, codes.STEP], clock[:, codes.LAST_ERROR] = start, -1.0, 1e-4
    return _Course(
        z=z,
        clock=clock,
        count=np.zeros((count, codes.COUNTS), dtype=np.int64),
        states=np.zeros((count, times, z.shape[1])),
        status=np.zeros(count, dtype=np.int64),
        theta=np.zeros((count, len(reactor.structure.bounds))),
    )


def _advance(
    reactor: Reactor,
    parameters: Floats,
    arrays: Arrays,
    start: float,
    times: Floats,
    wanted: NDArray[np.int64],
    settings: DynamicSettings,
    is_stiff: bool,
    use: NDArray[np.int64],
    course: _Course,
) -> None:
    from seedtrain.simulation._metabolism._kernels._build import explicit_kernel, stiff_kernel

    edges, running, begun = reactor.segments(start, float(times[-1]))
    structure = reactor.structure
    kernel = stiff_kernel(structure).stiff_many if is_stiff else explicit_kernel(structure).explicit_many
    choice: Any = wanted if is_stiff else settings.method == "auto"
    options = (float(settings.rtol), float(settings.atol), float(settings.most_steps))
    outside = settings.outside == "refuse"

    def run(part: NDArray[np.int64]) -> None:
        kernel(
            parameters, *arrays, running, begun, edges, outside, options, choice, part, course.z, course.clock,
            course.count, times, course.states, course.status, course.theta,
        )  # fmt: skip

    _spread(run, use, settings.threads or os.cpu_count() or 1)


def _spread(run: Callable[[NDArray[np.int64]], None], use: NDArray[np.int64], threads: int) -> None:
    """Run blocks of trajectories on threads: the kernels hold no lock, and each writes its own rows."""
    blocks = [use[at : at + BLOCK] for at in range(0, len(use), BLOCK)]
    if len(blocks) == 1 or threads == 1:
        for block in blocks:
            run(block)
        return
    run(blocks[0])  # compiles, if need be, once
    with ThreadPoolExecutor(min(threads, len(blocks))) as pool:
        for _ in pool.map(run, blocks[1:]):
            pass


def _learn(reactor: Reactor, course: _Course, todo: NDArray[np.int64]) -> None:
    """Solve for the regions that trajectories wait for, in their order; one may serve several."""
    waiting = todo[course.status[todo] == codes.NEEDS_REGION]
    table = reactor.table
    while len(waiting):
        table.learn(course.theta[waiting[0]].copy())
        arrays = table.arrays
        first, p = arrays.starts[-2], course.theta.shape[1]
        halves = arrays.halves[first:]
        inside = (course.theta[waiting] @ halves[:, :p].T <= halves[:, p] + 1e-9).all(axis=1)
        inside[0] = True
        waiting = waiting[~inside]


def _finish(reactor: Reactor, course: _Course) -> Trajectories:
    n = len(reactor.states)
    for number in np.flatnonzero(course.status != codes.DONE):
        course.states[number, course.count[number, codes.NEXT_OUTPUT] :] = course.z[number]
    for place in reactor.substrates:
        # What is used up ends within the tolerance of zero, on either side.
        np.maximum(course.states[:, :, place], 0.0, out=course.states[:, :, place])
    assert np.isfinite(course.states[:, :, :n]).all()
    return Trajectories(
        states=course.states,
        status=course.status,
        reached=course.clock[:, codes.NOW],
        steps=course.count[:, codes.STEPS],
        rates=course.count[:, codes.RATES],
    )
