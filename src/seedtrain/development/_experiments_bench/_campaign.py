"""One campaign: runs chosen one after the other by one tool, kept so that a bench goes on where it was stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import digest, write_json
from seedtrain.development._experiments import Bofire, SheetRow, first_runs, suggest
from seedtrain.development._experiments._acquire import spread_points
from seedtrain.development._experiments_bench._problems import Problem

Floats = NDArray[np.float64]
FORMAT: Final = "seedtrain campaign 1"
Chooser = Callable[[Problem, list[SheetRow], int], tuple[Floats, float]]
"""The next point and the CPU seconds that it took, given the rows so far and the campaign's seed."""


@dataclass(frozen=True)
class Campaign:
    """The true best value that holds the limits after each run, and the CPU seconds of a chosen run (median)."""

    best: tuple[float, ...]
    cpu_s: float


def campaign(problem: Problem, tool: str, choose: Chooser, runs: int, seed: int, keep: Path | None) -> Campaign:
    """`runs` runs of a problem; every tool reads the same noise in the same run of the same seed.

    - `keep`: a folder that holds the runs made so far by tool, problem and seed: a campaign goes on where it stopped.
    """
    key = digest([FORMAT, tool, problem.name, repr(problem.study), repr(problem.noise), repr(problem.best), seed])
    path = keep / f"{key[:24]}.json" if keep is not None else None
    told = {"tool": tool, "problem": problem.name, "seed": seed}
    made: list[dict[str, Any]] = json.loads(path.read_text())["runs"] if path is not None and path.is_file() else []
    for number in range(len(made) + 1, runs + 1):
        rows = [SheetRow(at, item["values"], item["read"]) for at, item in enumerate(made, 1)]
        point, cpu = choose(problem, rows, seed)
        values = problem.study.values(point)
        read = problem.read(values, np.random.default_rng([seed, number]))
        made.append({"values": values, "read": read, "cpu_s": cpu})
        if path is not None:
            write_json(path, told | {"runs": made})
    reached = [problem.reached(item["values"]) for item in made[:runs]]
    chosen = [float(item["cpu_s"]) for item in made[first_runs(problem.study) : runs]]
    return Campaign(tuple(np.maximum.accumulate(reached).tolist()), float(np.median(chosen)) if chosen else 0.0)


def by_seedtrain(problem: Problem, rows: list[SheetRow], seed: int) -> tuple[Floats, float]:
    """Seedtrain's own choice, without a prior."""
    started = time.process_time()
    (found,) = suggest(problem.study, rows, 1, seed=seed)
    return found.point, time.process_time() - started


class WithPrior:
    """Seedtrain's own choice with the problem's model as prior; a model for each seed."""

    def __init__(self) -> None:
        self._prior: tuple[str, int, Any] = ("", -1, None)

    def __call__(self, problem: Problem, rows: list[SheetRow], seed: int) -> tuple[Floats, float]:
        if self._prior[:2] != (problem.name, seed):
            self._prior = (problem.name, seed, problem.prior(seed))
        started = time.process_time()
        (found,) = suggest(problem.study, rows, 1, seed=seed, prior=self._prior[2])
        return found.point, time.process_time() - started


def by_spreading(problem: Problem, rows: list[SheetRow], seed: int) -> tuple[Floats, float]:
    """The next point of a scrambled Sobol sequence."""
    return spread_points(problem.study.region, 256, seed)[len(rows)], 0.0


class ByBofire:
    """BoFire's choice after as many spread runs as Seedtrain begins with."""

    def __init__(self, peer: Bofire) -> None:
        self._peer = peer

    def __call__(self, problem: Problem, rows: list[SheetRow], seed: int) -> tuple[Floats, float]:
        study = problem.study
        if len(rows) < first_runs(study):
            return by_spreading(problem, rows, seed)
        x = np.array([study.point(row.values) for row in rows])
        y = {item.name: np.array([row.readings[item.name] for row in rows]) for item in study.responses}
        before = self._peer.cpu_s
        points = self._peer.suggest(study, x, y, np.zeros((0, x.shape[1])), 1, seed)
        return points[0], self._peer.cpu_s - before
