"""A fit: searches from many starts that can be interrupted, the best of them polished, and what it tells."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError, Progress, digest, part, silent, write_json
from seedtrain.base import translate as _
from seedtrain.development._estimation._between import Between, BetweenRuns, Counted, between_runs
from seedtrain.development._estimation._drawn_runs import Linear
from seedtrain.development._estimation._inputs import Floats
from seedtrain.development._estimation._intervals import Advice, Interval, advise, intervals, threshold
from seedtrain.development._estimation._problem import Evaluation, Problem, joined
from seedtrain.development._estimation._search import descend, search, starts
from seedtrain.development._estimation._tied import Tied, refused_together, tied_parameters

NEAR: Final = 0.1
"""Ends within this of the lowest negative log likelihood count as the same."""
POLISHED: Final = 3.0
FORMAT: Final = "seedtrain fit 1"


@dataclass(frozen=True)
class StartEnd:
    """Where one start led."""

    objective: float
    x: tuple[float, ...]
    evaluations: int


@dataclass(frozen=True)
class Direction:
    """An eigenvector of the information: `information` per squared unit of the search's scale, largest parts first."""

    information: float
    parts: tuple[tuple[str, float], ...]


@dataclass(frozen=True, eq=False)
class Fit:
    """The result.

    - `values`: by parameter; `starts`: every start's end, lowest first. - `intervals`: at `level`, by parameter.
    - `directions`: stiffest first, sloppiest last. - `advice`: for what the data do not identify.
    - `between`: whether runs differ from one another, where that was asked. Where the fit counts it, `values` are those
      of the typical run, predictions those of each run's own values, and the objective still that of runs taken alike.
    - `tied`: sets of parameters that the data know only together; they have no interval.
    - `linear`: the model about every run's own values, where the fit counts how runs differ.
    """

    problem: Problem
    best: Evaluation
    starts: tuple[StartEnd, ...]
    level: float
    intervals: Mapping[str, Interval]
    directions: tuple[Direction, ...]
    advice: tuple[Advice, ...]
    evaluations: int
    warnings: tuple[str, ...] = field(default=())
    between: BetweenRuns | None = None
    tied: tuple[Tied, ...] = ()
    linear: Linear | None = None

    @property
    def values(self) -> dict[str, float]:
        """The best value of every parameter."""
        return dict(zip(self.problem.names, self.problem.values(self.best.x).tolist(), strict=True))

    @property
    def reached(self) -> int:
        """How many starts ended at the best objective."""
        return sum(item.objective < self.best.objective + NEAR for item in self.starts)

    @property
    def residuals(self) -> Floats:
        """(measured - predicted) / standard deviation of every reading, on its transformed scale."""
        readings = joined(self.problem)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(self.best.predicted) / np.where(readings.transform == 2, np.log(10.0), 1.0)
        shown = np.where(readings.transform == 0, self.best.predicted, logs)
        return np.asarray((readings.measured - shown) / self.best.sigma)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        problem = self.problem
        rows = []
        for item, value in zip(problem.parameters, problem.values(self.best.x).tolist(), strict=True):
            row: dict[str, Any] = {"name": item.name, "value": value, "unit": item.unit, "scale": item.scale}
            row |= {"low": item.low, "high": item.high}
            found = self.intervals.get(item.name)
            rows.append(row | ({"interval": found.to_data()} if found else {}))
        names = joined(problem).names
        return {
            "problem": problem.name,
            "simulated": problem.simulated,
            "negative_log_likelihood": self.best.objective,
            "readings": problem.count,
            "level": self.level,
            "parameters": rows,
            "starts": {
                "count": len(self.starts),
                "reached": self.reached,
                "objectives": [item.objective for item in self.starts],
                "evaluations": self.evaluations,
            },
            "directions": [
                {"information": item.information, "parts": dict(item.parts)} for item in self.directions
            ],
            "advice": [item.to_data() for item in self.advice],
            "residuals": {
                name: {"count": int(mask.sum()), "mean": float(self.residuals[mask].mean()),
                       "root_mean_square": float(np.sqrt((self.residuals[mask] ** 2).mean()))}
                for name in dict.fromkeys(names)
                for mask in [np.array([other == name for other in names])]
            },
            "known_only_together": [item.to_data() for item in self.tied],
            "between_runs": self.between.to_data() if self.between else None,
            "warnings": list(self.warnings),
        }  # fmt: skip


def fit_problem(
    problem: Problem,
    *,
    count: int = 20,
    seed: int = 0,
    hops: int = 0,
    nominal: bool = True,
    level: float = 0.9,
    profiles: Sequence[str] | None = None,
    between: Between | None = None,
    keep: Path | None = None,
    progress: Progress = silent,
) -> Fit:
    """The lowest negative log likelihood from `count` starts spread over the bounds.

    - `hops`: attempts of every start to leave the valley that it ended in. - `nominal`: start at nominal values too.
    - `level`: of the intervals; `profiles`: the parameters that get one by profile likelihood, all if not given; the
      others get the curvature's.
    - `between`: parameters that may differ from run to run, with their standard deviation where it is known; `auto`:
      asked of all that runs share, and counted where it may be so; all runs alike if not given.
    - `keep`: a file of finished starts: the same fit goes on where it was interrupted.

    Raises `InputError` for fewer readings (and priors) than parameters.
    """
    _check_enough(problem)
    points = starts(problem, count, seed) if count else np.zeros((0, len(problem.parameters)))
    points = np.concatenate([points, problem.scaled({})[None]]) if nominal or not count else points
    ends = _all(problem, points, seed, hops, keep, part(progress, 0.0, 0.6))
    _polish(problem, ends)
    best = problem.evaluate(np.array(ends[0].x))
    best, found = intervals(problem, best, level, profiles, progress=part(progress, 0.6, 1.0))
    warnings = _warnings(problem, best, ends)
    differ = None if between is None else between_runs(problem, best, between, level, found)
    linear, closed = None, frozenset[str]()
    if isinstance(differ, Counted):
        closed = frozenset(name for name, item in found.items() if item.identified)
        best, found, linear, differ = differ.best, dict(differ.intervals), differ.linear, differ.told
    tied = tied_parameters(problem, best, math.sqrt(2 * threshold(problem, level)))
    found = refused_together(found, tied)
    # What is open because runs differ alone is told by further runs, not by a reading.
    asked = {name: item for name, item in found.items() if name not in closed or item.tied}
    advice = advise(problem, best, asked, linear.reading if linear else None)
    progress(1.0, problem.name)
    total = sum(item.evaluations for item in ends)
    return Fit(problem, best, tuple(ends), level, found, directions(problem, best), advice, total, warnings,
               differ, tied, linear)  # fmt: skip


def _polish(problem: Problem, ends: list[StartEnd]) -> None:
    """Bring the ends near the lowest to it, and sort them.

    What already ends beside the lowest needs no more digits; what ends a little above may get there.
    """
    lowest = math.inf
    for at in sorted(range(len(ends)), key=lambda at: ends[at].objective):
        if ends[at].objective > lowest + POLISHED or abs(ends[at].objective - lowest) < 0.5 * NEAR:
            continue
        item = descend(problem, np.array(ends[at].x), radius=0.3)
        ends[at] = StartEnd(item.end.objective, tuple(item.end.x.tolist()), ends[at].evaluations + item.evaluations)
        lowest = min(lowest, item.end.objective)
    ends.sort(key=lambda item: item.objective)


def _check_enough(problem: Problem) -> None:
    """Refuse a fit that no data can decide, whatever they are."""
    told = problem.count + sum(bool(item.prior.kind) for item in problem.parameters)
    if told < len(problem.parameters):
        raise InputError(
            f"{problem.name}: {problem.count} readings cannot tell {len(problem.parameters)} parameters "
            f"({', '.join(problem.names)})",
            remedy="Estimate fewer, give errors of known size (--error X=constant:0.3) or priors, or add runs.",
        )


def _all(
    problem: Problem, points: Floats, seed: int, hops: int, keep: Path | None, progress: Progress
) -> list[StartEnd]:
    key = digest([FORMAT, problem_key(problem), seed, hops, len(points)])
    known = _kept(keep, key)
    waiting = [at for at in range(len(points)) if at not in known]

    def one(at: int) -> tuple[int, StartEnd]:
        found = search(problem, points[at], seed=seed + at, hops=hops)
        return at, StartEnd(found.end.objective, tuple(found.end.x.tolist()), found.evaluations)

    if waiting:
        joined(problem)  # once, before threads ask for it
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for at, end in pool.map(one, waiting):
            known[at] = end
            if keep is not None:
                rows = {
                    str(i): [e.objective, list(e.x), e.evaluations] for i, e in known.items() if e.objective < np.inf
                }
                write_json(keep, {"key": key, "starts": rows})
            progress(len(known) / len(points), problem.name)
    return [known[at] for at in range(len(points))]


def _kept(keep: Path | None, key: str) -> dict[int, StartEnd]:
    """Finished starts of the same fit; what another fit left, or a damaged file, counts as none."""
    if keep is None or not keep.exists():
        return {}
    try:
        data = json.loads(keep.read_text("utf-8"))
        if data["key"] != key:
            return {}
        return {int(at): StartEnd(float(o), tuple(x), int(n)) for at, (o, x, n) in data["starts"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def problem_key(problem: Problem) -> str:
    """Digest of everything that decides a fit."""
    readings = joined(problem)
    parts: list[Any] = [repr(item) for item in problem.parameters]
    for run in problem.experiments:
        schedule = run.inputs.schedule(run.inputs.nominal)
        parts += [run.name, run.compiled.system.digest, repr(run.times.tolist())]
        parts += [repr(getattr(schedule, name).tolist()) for name in ("initial", "numbers", "jumps", "lengths")]
    for name in ("at", "of", "value", "transform", "sigma", "sigma_of", "sigma_parameter"):
        parts.append(repr(getattr(readings, name).tolist()))
    return digest(parts)


def directions(problem: Problem, at: Evaluation) -> tuple[Direction, ...]:
    """Eigenvectors of the information at a point, the stiffest first."""
    values, vectors = np.linalg.eigh(at.fisher)
    found = []
    for place in range(len(values))[::-1]:
        parts = sorted(zip(problem.names, vectors[:, place].tolist(), strict=True), key=lambda item: -abs(item[1]))
        found.append(Direction(max(float(values[place]), 0.0), tuple(item for item in parts if abs(item[1]) > 0.1)))
    return tuple(found)


def _warnings(problem: Problem, best: Evaluation, ends: Sequence[StartEnd]) -> tuple[str, ...]:
    found = []
    if len(ends) > 1 and sum(item.objective < ends[0].objective + NEAR for item in ends) == 1:
        found.append(_("one start alone reached the lowest objective: there may be a lower one; use more starts"))
    failed = sum(not item.objective < np.inf for item in ends)
    if failed:
        found.append(_("{failed} of {count} starts could not be simulated").format(failed=failed, count=len(ends)))
    if problem.count <= len(problem.parameters):
        words = _("{readings} readings for {parameters} parameters: too few to judge a fit")
        found.append(words.format(readings=problem.count, parameters=len(problem.parameters)))
    return tuple(found)
