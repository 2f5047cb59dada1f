"""Training without some runs, many at a time, kept on the disk; and what each predicts of the runs left out."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from seedtrain.base import Progress, digest, write_json
from seedtrain.base import translate as _
from seedtrain.development._estimation import Experiment, Problem, descend, problem_key
from seedtrain.development._hybrid._visited import Floats

FORMAT: Final = "seedtrain hybrid 1"
MOST: Final = 80
GAIN: Final = 1e-2
LEAST: Final = 0.05
"""Of the largest reading: below it a relative error is of that instead."""


@dataclass(frozen=True)
class Trained:
    """Where one training ended, on the search's scale."""

    objective: float
    x: tuple[float, ...]


class Folds:
    """Every training of a study: the culture's own form (`None`) and the hybrid at each strength.

    - `starts`: values from which the hybrid is trained, the best end counts; `own`: the same of the culture's own form.
    """

    def __init__(
        self,
        own: Problem,
        hybrid: Mapping[float, Problem],
        starts: Sequence[Mapping[str, float]],
        own_start: Mapping[str, float],
        keep: Path | None,
    ) -> None:
        self.problems: dict[float | None, Problem] = {None: own}
        for strength, problem in hybrid.items():
            self.problems[strength] = problem
        self.starts, self.own_start, self.keep = starts, own_start, keep
        self.done: dict[str, Trained] = {}
        self.seen: dict[tuple[float | None, frozenset[int], int], dict[str, Floats]] = {}
        keys = [problem_key(item) for item in self.problems.values()]
        self.key = digest([FORMAT, *keys, repr([sorted(item.items()) for item in (*starts, own_start)])])
        self._load()

    def train(self, wanted: Sequence[tuple[float | None, frozenset[int]]], progress: Progress) -> None:
        """Train all that is wanted, on all cores."""
        waiting = [item for item in wanted if _label(*item) not in self.done]

        def one(item: tuple[float | None, frozenset[int]]) -> tuple[str, Trained]:
            return _label(*item), self._train(*item)

        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for label, end in pool.map(one, waiting):
                self.done[label] = end
                if self.keep is not None:
                    rows = {name: [e.objective, list(e.x)] for name, e in self.done.items() if e.objective < math.inf}
                    write_json(self.keep, {"key": self.key, "trained": rows})
                progress(1 - (len(wanted) - len(self.done)) / len(wanted), _("leaving runs out"))

    def hybrid(self, strength: float, out: frozenset[int]) -> Trained:
        """The training at a strength without some runs."""
        return self.done[_label(strength, out)]

    def predicted(self, strength: float | None, out: frozenset[int], run: int) -> dict[str, Floats]:
        """Errors of a left-out run's readings by observable; infinite where it cannot be simulated."""
        key = (strength, out, run)
        if key not in self.seen:
            self.seen[key] = _errors(self.problems[strength], self.done[_label(strength, out)].x, run)
        return self.seen[key]

    @cached_property
    def units(self) -> dict[str, tuple[str, float]]:
        """Unit of the error of every observable, and its usual size: that of the culture's own form, held out."""
        problem = self.problems[None]
        count = len(problem.experiments)
        errors = [self.predicted(None, frozenset({at}), at) for at in range(count)]
        found = {}
        for name in dict.fromkeys(name for item in errors for name in item):
            together = np.concatenate([item[name] for item in errors if name in item])
            finite = together[np.isfinite(together)]
            found[name] = (_unit(problem, name), float(np.sqrt(np.mean(finite**2))) if len(finite) else 1.0)
        return found

    @cached_property
    def scales(self) -> dict[str, float]:
        """The usual size of an error by observable."""
        return {name: max(size, 1e-300) for name, (_unit, size) in self.units.items()}

    def sides(
        self, own: Sequence[dict[str, Floats]], hybrid: Sequence[dict[str, Floats]]
    ) -> dict[str, tuple[Floats, Floats, Floats]]:
        """Readings of every observable over all runs, with the errors of own form and hybrid."""
        found = {}
        for name in self.units:
            measured = [_measured(item, name) for item in self.problems[None].experiments]
            found[name] = (np.concatenate([item for item in measured if len(item)]),
                           np.concatenate([item[name] for item in own if name in item]),
                           np.concatenate([item[name] for item in hybrid if name in item]))  # fmt: skip
        return found

    def _train(self, strength: float | None, out: frozenset[int]) -> Trained:
        problem = without(self.problems[strength], out)
        ends = []
        for start in self.starts if strength is not None else (self.own_start,):
            known = {name: value for name, value in start.items() if name in problem.names}
            low = {item.name: (item.low, item.high) for item in problem.parameters}
            inside = {name: min(max(value, low[name][0]), low[name][1]) for name, value in known.items()}
            end = descend(problem, problem.scaled(inside), most=MOST, gain=GAIN).end
            ends.append(Trained(end.objective, tuple(end.x.tolist())))
        return min(ends, key=lambda item: item.objective)

    def _load(self) -> None:
        """What the same study trained before; another's, or a damaged file, counts as none."""
        if self.keep is None or not self.keep.exists():
            return
        try:
            data = json.loads(self.keep.read_text("utf-8"))
            if data["key"] == self.key:
                self.done = {name: Trained(float(o), tuple(map(float, x))) for name, (o, x) in data["trained"].items()}
        except (OSError, ValueError, KeyError, TypeError):
            self.done = {}


def without(problem: Problem, out: frozenset[int]) -> Problem:
    """The problem without some of its runs."""
    return dataclasses.replace(
        problem, experiments=tuple(item for at, item in enumerate(problem.experiments) if at not in out)
    )


def error_of(errors: Mapping[str, Floats], scales: Mapping[str, float]) -> float:
    """Mean square over a run's observables, each by its usual size."""
    return float(np.mean([np.mean((values / scales[name]) ** 2) for name, values in errors.items()]))


def _label(strength: float | None, out: frozenset[int]) -> str:
    return f"{'own' if strength is None else strength} without {sorted(out)}"


def _errors(problem: Problem, x: Sequence[float], run: int) -> dict[str, Floats]:
    """measured - predicted of one run: in the observable's unit; of logarithms or relative where its error is so."""
    item = problem.experiments[run]
    alone = dataclasses.replace(problem, experiments=(item,))
    found = alone.evaluate(np.array(x))
    readings, errors = item.readings, {}
    for name in dict.fromkeys(readings.names):
        mine = np.array([other == name for other in readings.names])
        value, told = readings.value[mine], found.predicted[mine]
        with np.errstate(all="ignore"):
            left = np.log(value / told) if readings.transform[mine][0] else value - told
        if readings.sigma_of[mine][0] >= 0:
            left = left / np.maximum(np.abs(value), LEAST * np.abs(value).max())
        errors[name] = np.where(np.isfinite(left), left, np.inf)
    return errors


def _measured(item: Experiment, name: str) -> Floats:
    return np.asarray(item.readings.value[np.array([other == name for other in item.readings.names])])


def _unit(problem: Problem, name: str) -> str:
    for item in problem.experiments:
        for at, other in enumerate(item.readings.names):
            if other == name and (item.readings.transform[at] or item.readings.sigma_of[at] >= 0):
                return ""
    return next((item.unit for item in problem.parameters if item.name == f"sigma_{name}"), "")
