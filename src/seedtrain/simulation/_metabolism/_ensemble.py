"""Many trajectories of one reactor over drawn or given parameters, in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedtrain.base import InputError, Progress, UnavailableError, digest, silent
from seedtrain.base import translate as _
from seedtrain.simulation._metabolism._dynamic import check_times
from seedtrain.simulation._metabolism._integrate import REASONS, DynamicSettings, integrate
from seedtrain.simulation._metabolism._program import Floats
from seedtrain.simulation._metabolism._reactor import Reactor

CHUNK_BYTES: Final = 64 * 1024 * 1024
"""What the states of one chunk of trajectories may take."""


@dataclass(frozen=True)
class Span:
    """A parameter that varies evenly from `low` to `high`, or, with `log`, its logarithm does."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class DynamicEnsemble:
    """Trajectories of one reactor.

    - `time`: h; `state_names`; `states`: shape (trajectory, time, state), in memory or mapped from a file.
    - `names`, `parameters`: what varied, shape (trajectory, parameter).
    - `status` and `reached` (h): by trajectory, 0 where it came to the end; from where one failed, its last good state
      stands at every later time.
    """

    time: Floats
    state_names: tuple[str, ...]
    states: NDArray[Any]
    names: tuple[str, ...]
    parameters: Floats
    status: NDArray[np.int64]
    reached: Floats

    def reason(self, number: int) -> str:
        """Why a trajectory stopped; empty where it did not."""
        return REASONS[int(self.status[number])]


def draw(spans: Mapping[str, Span], count: int, seed: int, first: int = 0) -> dict[str, Floats]:
    """Trajectories `first` to `first + count` of a random ensemble: a value of each parameter for each.

    Every parameter has a stream of its own, derived from `seed` and its name, of which a trajectory takes the number
    at its own place: the same whatever the order, the chunks and the other parameters.
    """
    found: dict[str, Floats] = {}
    for name, span in spans.items():
        if not span.low <= span.high or (span.log and span.low <= 0):
            message = f"{name}: {span.low:g} .. {span.high:g} is no range{' of a logarithm' if span.log else ''}"
            raise InputError(message, remedy="Give the lower end first, above zero for a logarithm.")
        stream = np.random.PCG64([seed, int(digest(name)[:8], 16)])
        stream.advance(first)
        unit = np.random.Generator(stream).random(count)
        low, high = (np.log(span.low), np.log(span.high)) if span.log else (span.low, span.high)
        values = low + (high - low) * unit
        found[name] = np.exp(values) if span.log else values
    return found


def dynamic_fba_ensemble(
    culture: Reactor,
    times: ArrayLike,
    parameters: Mapping[str, Sequence[float] | Floats] | Mapping[str, Span],
    *,
    n: int | None = None,
    seed: int = 0,
    start: float = 0.0,
    settings: DynamicSettings | None = None,
    chunk: int | None = None,
    file: Path | None = None,
    progress: Progress = silent,
) -> DynamicEnsemble:
    """Simulate many cultures on all cores.

    - `parameters`: columns of numbers by parameter, one for each trajectory; or ranges (`Span`) from which `n`
      trajectories are drawn with `seed`.
    - `times`: h, rising from `start`. `settings`: tolerances, method, threads.
    - `chunk`: trajectories at a time (what fits 64 MiB where left out). `file`: a `.npy` file that the states are
      streamed to, so that memory does not grow with `n`; they are then mapped from it.

    Over a certified table a trajectory is the same, to the last bit, whatever the chunks and the threads. Raises
    `InputError` for parameters that cannot be used; a trajectory that fails has its reason in the result.
    """
    grid = check_times(times, start)
    columns, spans, count = _columns(parameters, n)
    width = len(culture.states)
    step = chunk or max(1, CHUNK_BYTES // (8 * len(grid) * width))
    if step < 1:
        raise InputError(f"a chunk of {step} trajectories is none", remedy="Give a number above zero.")
    states = _room(file, (count, len(grid), width))
    status, reached = np.zeros(count, dtype=np.int64), np.zeros(count)
    names = tuple(parameters)
    used = np.zeros((count, len(names)))
    for at in range(0, count, step):
        size = min(step, count - at)
        part = slice(at, at + size)
        values = draw(spans, size, seed, at) if spans else {name: column[part] for name, column in columns.items()}
        found = integrate(culture, culture.matrix(values, size), start, grid, settings=settings)
        states[part], status[part], reached[part] = found.states, found.status, found.reached
        for number, name in enumerate(names):
            used[part, number] = values[name]
        progress((at + size) / count, _("{done} of {total} trajectories").format(done=at + size, total=count))
    if isinstance(states, np.memmap):
        states.flush()
    return DynamicEnsemble(grid, culture.states, states, names, used, status, reached)


def _columns(
    parameters: Mapping[str, Sequence[float] | Floats] | Mapping[str, Span], n: int | None
) -> tuple[dict[str, Floats], dict[str, Span], int]:
    spans = {name: item for name, item in parameters.items() if isinstance(item, Span)}
    columns = {name: np.asarray(item, dtype=float) for name, item in parameters.items() if not isinstance(item, Span)}
    if spans and columns:
        raise InputError("some parameters are ranges and some are columns", remedy="Give all as one or the other.")
    if spans or not columns:
        if n is None or n < 1:
            raise InputError("how many trajectories to draw is not given", remedy="Give n above zero.")
        return {}, spans, n
    lengths = {len(column) for column in columns.values() if column.ndim == 1}
    if len(lengths) != 1 or any(column.ndim != 1 for column in columns.values()) or lengths == {0}:
        raise InputError("the columns of parameters are not equally long lists", remedy="Give one number a trajectory.")
    count = lengths.pop()
    if n is not None and n != count:
        raise InputError(f"n is {n} and the columns have {count} numbers", remedy="Leave n out.")
    return columns, {}, count


def _room(file: Path | None, shape: tuple[int, ...]) -> NDArray[Any]:
    if file is None:
        return np.zeros(shape)
    try:
        return np.lib.format.open_memmap(file, mode="w+", dtype=np.float64, shape=shape)
    except OSError as error:
        raise UnavailableError(f"{file} cannot be written: {error.strerror}", remedy="Free space there.") from error
