"""Ensembles and sensitivities of the fed-batch: Seedtrain and every installed peer, interleaved in one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.base import Progress, silent
from seedtrain.simulation._bench import _ours, _peers, _reference
from seedtrain.simulation._bench import _problem as problem
from seedtrain.simulation._bench._peers import Peer
from seedtrain.simulation._bench._problem import Floats
from seedtrain.simulation._bench._rows import Figures, Row, compared, compared_once
from seedtrain.simulation._bench._worker import Worker, WorkerError, installed

ENSEMBLE_GOALS: Final = {"numbalsoda": 3.0, "libroadrunner": 8.0}
SENSITIVITY_GOALS: Final = {"casadi CVODES, forward": 10.0, "AMICI, forward": 10.0}
WHERE_INSTALLED: Final = ("AMICI, forward",)
"""Goals that are only asked where the peer is there: it takes a quarter of an hour and a compiler to install."""


@dataclass(frozen=True)
class Size:
    """How much is run: `count` draws for those who do them within `seconds` (CPU) a repeat, fewer for the others."""

    count: int
    judged: int  # draws whose error is measured
    repeats: int
    seconds: float


FULL: Final = {"ensemble": Size(10_000, 32, 5, 6.0), "sensitivities": Size(2_000, 8, 5, 6.0)}
QUICK: Final = {"ensemble": Size(300, 4, 2, 0.3), "sensitivities": Size(40, 2, 2, 0.3)}


def bench_ensemble(size: Size, *, progress: Progress = silent) -> list[Row]:
    """Trajectories per CPU second at rtol 1e-6, against every peer; then what each takes to be ready."""
    Worker("ensemble", _ours.ENSEMBLE[0].name).close()  # ours is compiled, and on the disk, before anything is measured
    found = measure("ensemble", (*_ours.ENSEMBLE, *_peers.ENSEMBLE), size, progress=progress)
    case = f"ensemble: {size.count} fed-batches, 7 states, 22 parameters +/- 20 %, rtol 1e-6"
    rows = _against(case, found, ENSEMBLE_GOALS)
    words = "until the first result, in a process that has loaded numpy (ours: compiled before)"
    ready = [compared_once(words, found[0].setup, item.figures, item.setup) for item in found[1:] if item.figures.rates]
    return rows + ready


def bench_sensitivities(size: Size, *, progress: Progress = silent) -> list[Row]:
    """Trajectories per CPU second with the derivatives of all states at all outputs by 22 parameters."""
    everyone = (*_ours.SENSITIVITIES, *_peers.SENSITIVITIES)
    found = measure("sensitivities", everyone, size, progress=progress)
    case = f"sensitivities: {size.count} fed-batches with 22 directions, rtol 1e-6"
    return _against(case, found, SENSITIVITY_GOALS)


@dataclass(frozen=True)
class Measured:
    """Figures of one of the compared, and its CPU seconds until the first result."""

    figures: Figures
    setup: float = 0.0


def measure(group: str, everyone: Sequence[Peer], size: Size, *, progress: Progress = silent) -> list[Measured]:
    """Everybody in a process of their own, one repeat each in turn, so that what disturbs the machine disturbs all."""
    judge = _judge(group, size.judged)
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        notes: dict[str, str] = {}
        for at, peer in enumerate(everyone):
            progress(0.3 * at / len(everyone), f"{group}: building {peer.name}")
            if installed(peer) is None:
                notes[peer.name] = f"not installed: {peer.package}"
                continue
            try:
                workers[peer.name] = stack.enter_context(Worker(group, peer.name))
            except WorkerError as error:
                notes[peer.name] = f"it failed: {error}"
        _must_run(everyone[0], notes)
        counts = {name: _count(worker, size) for name, worker in workers.items()}
        rates: dict[str, list[float]] = {name: [] for name in workers}
        for repeat in range(size.repeats):
            for at, (name, worker) in enumerate(workers.items()):
                progress(0.3 + 0.6 * (repeat + at / len(workers)) / size.repeats, f"{group}: {name}")
                rates[name].append(counts[name] / max(worker.run(counts[name]), 1e-9))
        found = []
        for peer in everyone:
            if peer.name not in workers:
                found.append(Measured(Figures(peer.name, installed(peer), note=notes[peer.name])))
                continue
            worker = workers[peer.name]
            note = "" if counts[peer.name] == size.count else f"the first {counts[peer.name]} draws"
            off = judge(worker.results(size.judged))
            found.append(Measured(Figures(peer.name, installed(peer), rates[peer.name], off, note), worker.setup))
        progress(1.0, group)
        return found


def _must_run(ours: Peer, notes: dict[str, str]) -> None:
    """Ours failing is a fault of Seedtrain, not a row."""
    if ours.name in notes:
        raise RuntimeError(f"{ours.name}: {notes[ours.name]}")


def _count(worker: Worker, size: Size) -> int:
    """As many draws as fit the time of one repeat, found with a few."""
    few = min(size.count, 20)
    each = worker.run(few) / few
    return max(few, min(size.count, int(size.seconds / max(each, 1e-9))))


def _judge(group: str, count: int) -> Callable[[Floats], tuple[float, float]]:
    states = _reference.states(count)
    exact = _reference.sensitivities(count) if group == "sensitivities" else states

    def judge(found: Floats) -> tuple[float, float]:
        if found.shape != exact.shape:
            return float("nan"), float("nan")
        if group == "sensitivities":
            off = problem.sensitivity_errors(found, exact, states, problem.draws(count))
        else:
            off = problem.errors(found, exact)
        return float(np.median(off)), float(off.max())

    return judge


def _against(case: str, found: list[Measured], goals: dict[str, float]) -> list[Row]:
    ours = found[0].figures
    unit = "1/CPU s"
    rows = []
    for item in found[1:]:
        name = item.figures.name
        asked = name not in WHERE_INSTALLED or bool(item.figures.rates)
        rows.append(compared(case, ours, item.figures, unit=unit, goal=goals.get(name) if asked else None))
    return rows
