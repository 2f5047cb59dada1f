"""Many trajectories of one problem: drawn by place, run in chunks, kept in memory or streamed to a file."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Progress, UnavailableError, silent
from seedtrain.base import translate as _
from seedtrain.simulation._engine import compile_system
from seedtrain.simulation._ensemble._draw import Floats, Spread, check_spreads, draw
from seedtrain.simulation._ensemble._netcdf import text_attribute
from seedtrain.simulation._ensemble._problem import (
    Problem,
    Problems,
    Settings,
    bytes_each,
    chunk_values,
    events_of,
    fixed_values,
    layout_of,
)
from seedtrain.simulation._ensemble._stream import Memory, Stream

CHUNK_BYTES: Final = 64 * 1024**2
"""What the arrays of one chunk of trajectories may take."""
MOST_IN_MEMORY: Final = 2 * 1024**3
"""Bytes of results that are kept in memory; more goes to a file."""
STEPS_OF_PROGRESS: Final = 100
LEAST: Final = 64
"""Trajectories of a chunk at least: below, handing them out costs as much as running them."""
AHEAD: Final = 2
"""Chunks that wait on a cluster for each of its threads: what one client must be able to hold."""
RETRIES: Final = 5
"""How often a chunk is given to another worker when the one that had it is lost."""

Rows = dict[str, NDArray[Any]]


def run_ensemble(
    problem: Problem | Problems,
    spreads: Mapping[str, Spread],
    *,
    n: int,
    seed: int = 0,
    settings: Settings | None = None,
    threads: int = 0,
    chunk: int | None = None,
    to: Path | str | None = None,
    executor: Any = None,
    progress: Progress = silent,
) -> Any:
    """`n` trajectories of `problem` with parameters drawn from `spreads`, as an xarray Dataset with units in attrs.

    Several problems (one culture in several vessels) are run one after the other with the same `n` draws each, and
    `vessel_number` tells them apart; they keep the same variables at the same times.

    - `seed`: the same seed gives the same numbers, whatever the threads, chunks, executor, or other parameters.
    - `threads`: 0 for one per core. `chunk`: trajectories at a time (what fits 64 MiB where left out).
    - `to`: a netCDF file that chunks are streamed to, so that memory does not grow with `n`; killed, the same call goes
      on where it was; the file appears when it is whole, and is read lazily. A file there that holds this very
      ensemble is returned as it is.
    - `executor`: "dask" for the Dask client of this process (or the scheduler that Dask is configured for), the address
      of a scheduler (tcp://host:8786), or a `distributed.Client`; lost workers' chunks are run by others.

    The dataset has each variable by (trajectory, time), `final_*` at each trajectory's own end, `parameters`, `status`
    with its reasons as flag_meanings, `reached` (h), ends of stretches, and for each event when it first happened and
    how often. From where a trajectory failed, its last good values stand. Raises `InputError` for what cannot be drawn
    or kept, `UnavailableError` where disk or cluster fail.
    """
    settings = settings or Settings()
    if n < 1:
        raise InputError(f"an ensemble of {n} trajectories is none", remedy="Give n above zero.")
    if chunk is not None and chunk < 1:
        raise InputError(f"a chunk of {chunk} trajectories is none", remedy="Give a number above zero.")
    check_spreads(spreads, n)
    problems = [problem] if isinstance(problem, Problem) else list(problem)
    _check_alike(problems)
    layout = layout_of(problems, spreads, n, seed, settings)
    total = n * len(problems)
    if to is not None and Path(to).exists():
        if text_attribute(Path(to), "seedtrain_digest") != layout.attributes["seedtrain_digest"]:
            raise InputError(
                f"{to} is there already and holds something else", remedy="Give another name, or remove the file."
            )
        progress(1.0, _("runs: {done} of {total}").format(done=total, total=total))
        return read_ensemble(Path(to))
    fixed, size = fixed_values(problems, spreads, n), chunk or _chunk(problems[0], total)
    with ExitStack() as stack:
        sink: Memory | Stream
        if to is None:
            _fits(layout)
            sink = Memory(layout, fixed, size)
        else:
            sink = stack.enter_context(Stream(Path(to), layout, fixed, size))
        tasks = _tasks(len(problems), n, sink)
        done = total - sum(task.count for task in tasks)
        work = _Work(problems, spreads, seed, settings, threads)
        progress(done / total, _("runs: {done} of {total}").format(done=done, total=total))
        for task, rows in _here(work, tasks) if executor is None else _on_cluster(work, tasks, executor):
            sink.put(task.row, rows)
            done += task.count
            progress(done / total, _("runs: {done} of {total}").format(done=done, total=total))
        if isinstance(sink, Stream):
            sink.finish()
    if isinstance(sink, Memory):
        return _dataset(layout, sink.arrays)
    return read_ensemble(sink.path)


def read_ensemble(path: Path) -> Any:
    """A streamed ensemble as a Dataset that reads from the file what is asked for."""
    import xarray

    try:
        return xarray.open_dataset(path, engine="scipy", cache=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{path} is no ensemble: {error}", remedy="Give a file that an ensemble was written to."
        ) from None


def ensemble_reason(dataset: Any, trajectory: int) -> str:
    """How a trajectory ended, in words."""
    flags = dataset["status"].attrs
    words = dict(zip(np.atleast_1d(flags["flag_values"]).tolist(), flags["flag_meanings"].split("\n"), strict=True))
    return str(words[int(dataset["status"][trajectory])])


def ensemble_percentiles(dataset: Any, name: str, levels: tuple[float, ...] = (5, 25, 50, 75, 95)) -> Floats:
    """Percentiles of a variable over the trajectories that came to their end, shape (level, time); a part at a time."""
    every = dataset[name]
    good = np.flatnonzero(np.asarray(dataset["status"]) == 0)
    if len(good) == 0:
        raise InputError("no trajectory came to its end", remedy="Look at status and reached of the ensemble.")
    width = max(1, int(CHUNK_BYTES // (8 * every.shape[0])))
    columns = [
        np.percentile(np.asarray(every[:, at : at + width])[good], levels, axis=0)
        for at in range(0, every.shape[1], width)
    ]
    return np.asarray(np.concatenate(columns, axis=1))


@dataclass(frozen=True)
class _Task:
    """Draws `first` to `first + count` of one problem; `row` is where they stand in the result."""

    problem: int
    first: int
    count: int
    row: int


@dataclass(frozen=True)
class _Work:
    """What every chunk needs."""

    problems: list[Problem]
    spreads: Mapping[str, Spread]
    seed: int
    settings: Settings
    threads: int

    def arguments(self, task: _Task) -> tuple[Problem, list[str], dict[str, Floats], int, Settings]:
        """What `run_chunk` wants, but the threads; the draws of this chunk and no more."""
        columns = draw(self.spreads, self.seed, task.first, task.count)
        return self.problems[task.problem], list(events_of(self.problems)), columns, task.count, self.settings


def _tasks(count: int, n: int, sink: Memory | Stream) -> list[_Task]:
    """The chunks that are not done yet."""
    found = [
        _Task(number, first, min(sink.chunk, n - first), number * n + first)
        for number in range(count)
        for first in range(0, n, sink.chunk)
    ]
    return [task for task in found if task.row not in sink.done]


def run_chunk(
    problem: Problem, events: Sequence[str], columns: Mapping[str, Floats], count: int, settings: Settings, threads: int
) -> Rows:
    """One chunk; what a worker of a cluster does."""
    schedule = problem.fill(columns, count)
    # One time more, which lies beyond every end: there the last good values stand.
    beyond = float(schedule.lengths.sum(axis=1).max())
    times = np.append(problem.times, max(beyond, float(problem.times[-1])))
    found = compile_system(problem.system).run(
        schedule,
        times,
        rtol=settings.rtol,
        atol=settings.atol,
        method=settings.method,
        threads=threads,
        most_steps=settings.most_steps,
    )
    return chunk_values(problem, events, columns, schedule, found)


def _here(work: _Work, tasks: list[_Task]) -> Iterator[tuple[_Task, Rows]]:
    for task in tasks:
        problem, events, columns, count, settings = work.arguments(task)
        yield task, run_chunk(problem, events, columns, count, settings, work.threads)


def _on_cluster(work: _Work, tasks: list[_Task], executor: Any) -> Iterator[tuple[_Task, Rows]]:
    """Chunks from a Dask cluster in the order in which they are ready; a few wait for each of its threads."""
    with _client(executor) as client:
        distributed: Any = import_module("distributed")
        run, places = f"seedtrain-ensemble-{uuid.uuid4().hex[:12]}", dict[str, _Task]()
        waiting, ready = iter(tasks), distributed.as_completed(loop=client.loop)

        def submit(task: _Task) -> None:
            # One thread for each chunk: the cluster's workers run several beside one another.
            arguments, key = work.arguments(task), f"{run}-{task.row}"
            future = client.submit(run_chunk, *arguments, threads=1, key=key, pure=False, retries=RETRIES)
            places[future.key] = task
            ready.add(future)

        for task in islice(waiting, AHEAD * max(1, sum(client.nthreads().values()))):
            submit(task)
        for future in ready:
            try:
                rows = future.result()
            except distributed.KilledWorker as error:
                raise UnavailableError(
                    f"the cluster lost several workers on one chunk: {error}",
                    remedy="Give its workers more memory, or smaller chunks; the same call goes on where it was.",
                ) from None
            future.release()
            task = places.pop(future.key)
            following = next(waiting, None)
            if following is not None:
                submit(following)
            yield task, rows


@contextmanager
def _client(executor: Any) -> Iterator[Any]:
    """The Dask client that is meant; one that is made here is closed again."""
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise InputError(
            "Dask is not installed", remedy='Install the extra "cluster": pip install "seedtrain[cluster]".'
        ) from None
    if isinstance(executor, distributed.Client):
        yield executor
        return
    address = executor if isinstance(executor, str) and "://" in executor else None
    if address is None and executor != "dask":
        raise InputError(
            f"there is no executor {executor!r}",
            remedy='Use "dask", the address of a scheduler such as tcp://host:8786, or a distributed.Client.',
        )
    found = None if address else _present(distributed)
    if found is not None:
        yield found
        return
    address = address or import_module("dask").config.get("scheduler-address", None)
    if address is None:
        raise InputError(
            "this process has no Dask client",
            remedy="Make one first (distributed.Client(...)), or set DASK_SCHEDULER_ADDRESS.",
        )
    try:
        made = distributed.Client(address, timeout=5, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UnavailableError(
            f"the Dask scheduler at {address} does not answer: {error}", remedy="Start it, or correct the address."
        ) from None
    with made:
        yield made


def _present(distributed: Any) -> Any:
    """The client that this process has already; None where it has none."""
    try:
        return distributed.get_client()
    except ValueError:
        return None


def _check_alike(problems: Problems) -> None:
    assert problems, "no problem"
    first = problems[0]
    for other in problems[1:]:
        assert list(first.variables) == list(other.variables)
        assert first.stretches == other.stretches
        assert np.array_equal(first.times, other.times)


def _chunk(problem: Problem, n: int) -> int:
    fitting = CHUNK_BYTES // bytes_each(problem, len(problem.stretches))
    return max(1, min(fitting, max(LEAST, -(-n // STEPS_OF_PROGRESS))))


def _fits(layout: Any) -> None:
    size = sum(layout.bytes_of(item) for item in layout.fields)
    if size > MOST_IN_MEMORY:
        raise InputError(
            f"the results take {size / 1e9:.1f} GB, above the {MOST_IN_MEMORY / 1e9:.1f} GB that are kept in memory",
            remedy='Stream them to a file (to="ensemble.nc"), or save fewer times or variables.',
        )


def _dataset(layout: Any, arrays: Rows) -> Any:
    """The same dataset as from a file, in memory."""
    import xarray

    found = {}
    for item in layout.fields:
        values, dimensions = arrays[item.name], item.dimensions
        attributes = {name: value for name, value in item.attributes.items() if name != "_Encoding"}
        if item.kind == "S1":
            joined = np.ascontiguousarray(values).view(f"S{values.shape[1]}")[:, 0]
            values, dimensions = np.array([text.decode() for text in joined.tolist()], dtype=object), dimensions[:1]
        found[item.name] = (dimensions, values, attributes)
    return xarray.Dataset(found, attrs=dict(layout.attributes))
