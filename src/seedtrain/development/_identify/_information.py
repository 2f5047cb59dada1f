"""What a run that was never made would tell: sensitivities of its readings, each over its standard deviation."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import SeedtrainError
from seedtrain.development._estimation import Ahead, MeasuredRun, Problem, RunSlopes, culture_problem, weighted_slopes
from seedtrain.development._identify._sampling import Floats
from seedtrain.quantity import Quantity
from seedtrain.recipe import levers
from seedtrain.simulation import Culture, Run, Variable, simulate

ROUGH = 1e-4
"""Relative error of a step where a run is only weighed against others."""
GRID = 60
"""Times at which a sample may be taken."""
NEW = "new"


@dataclass(frozen=True)
class Vary:
    """What may be chosen of a run: `initial.S`, `feed_factor`, or a value of the recipe, `PATH:NAME`, in `unit`."""

    name: str
    low: float
    high: float
    unit: str = ""


@dataclass(frozen=True)
class RunBound:
    """A limit that the whole run holds: `low` <= `variable` <= `high`, in the run's unit."""

    variable: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Told:
    """A run as the model tells it, with what each sample adds to the information, shape (time, K, K).

    - `readings`: of all samples, `at` the places of their times.
    """

    run: Run
    times: Floats
    parts: Floats
    readings: RunSlopes
    at: NDArray[np.int64]

    def sampled(self, places: Sequence[int]) -> RunSlopes:
        """The readings of the samples at `places`, each as often as it stands there."""
        rows = np.concatenate([np.flatnonzero(self.at == place) for place in places])
        return RunSlopes(self.readings.slopes[rows], tuple(self.readings.names[row] for row in rows.tolist()))


def changed(like: MeasuredRun, values: Mapping[str, float]) -> MeasuredRun:
    """The run `like` with some of its settings replaced; names as in `Vary`."""
    initial, recipe, factor = dict(like.initial), like.recipe, like.feed_factor
    for name, value in values.items():
        path, colon, parameter = name.partition(":")
        if colon:
            unit = next(
                item.quantity.unit for item in levers(recipe) if (item.path, item.parameter) == (path, parameter)
            )
            recipe = recipe.with_value(path, parameter, Quantity(value, unit))
        elif name == "feed_factor":
            factor = value
        else:
            initial[name.removeprefix("initial.")] = value
    return dataclasses.replace(like, name=NEW, initial=initial, recipe=recipe, feed_factor=factor)


class Teller:
    """Tells what runs would say of the parameters `names` at their fitted `values`."""

    def __init__(
        self, culture: Culture, fit: Sequence[str], values: Mapping[str, float], names: Sequence[str],
        measure: Sequence[str], options: Mapping[str, Any], ahead: Ahead | None = None,
    ) -> None:  # fmt: skip
        self.culture, self.fit, self.values, self.names = culture, tuple(fit), values, tuple(names)
        self.measure, self.options, self.ahead = tuple(measure), options, ahead
        self.own = {name: value for name, value in values.items() if name in culture.parameters}

    def tell(self, setting: MeasuredRun, bounds: Sequence[RunBound]) -> Told | None:
        """The run of `setting`, or nothing where it cannot be run or breaks a limit."""
        try:
            run = self._run(setting)
        except SeedtrainError:
            return None
        for item in bounds:
            values = run[item.variable]
            if (values < item.low).any() or (values > item.high).any():
                return None
        times = np.round(np.linspace(0.0, float(run.time[-1]), GRID + 1)[1:], 2)
        times = np.unique(times[times <= run.time[-1]])
        return self._told(setting, run, times)

    def _run(self, setting: MeasuredRun) -> Run:
        return simulate(
            self.culture, setting.vessel, setting.recipe, unit_procedure=setting.recipe.production.name,
            parameters={**setting.parameters, **self.own}, initial=setting.initial, feed_factor=setting.feed_factor,
        )  # fmt: skip

    def _told(self, setting: MeasuredRun, run: Run, times: Floats) -> Told | None:
        problem = self._asked(setting, run, times)
        inside = {item.name: min(max(self.values.get(item.name, item.nominal), item.low), item.high)
                  for item in problem.parameters}  # fmt: skip
        slopes = weighted_slopes(problem, problem.scaled(inside), ROUGH)
        if slopes is None:
            return None
        columns = [self.names.index(name) for name in problem.names if name in self.names]
        kept = [at for at, name in enumerate(problem.names) if name in self.names]
        parts = np.zeros((len(times), len(self.names), len(self.names)))
        at = problem.experiments[0].readings.at
        seen, scatter = (np.zeros((len(at), len(self.names))) for _ in slopes)
        seen[:, columns], scatter[:, columns] = slopes[0][:, kept], slopes[1][:, kept]
        if self.ahead is not None:
            scatter[:, self.ahead.columns] = 0.0  # such a fit reads its parameters from the readings alone
        for rows, factor in ((seen, 1.0), (scatter, 2.0)):
            np.add.at(parts, at, factor * rows[:, :, None] * rows[:, None, :])
        return Told(run, times, parts, RunSlopes(seen, problem.experiments[0].readings.names), at)

    def _asked(self, setting: MeasuredRun, run: Run, times: Floats) -> Problem:
        """The problem whose one run is read at all `times`."""
        seen = {}
        for name in self.measure:
            values = np.array([max(run.at(name, time), 1e-9) for time in times.tolist()])
            seen[name] = Variable(name, run.variables[name].unit, values)
        asked = Run("simulated", run.recipe_digest, run.culture, run.vessel, run.unit_procedure, times, seen)
        return culture_problem(
            self.culture, [dataclasses.replace(setting, run=asked)], self.fit,
            **{**self.options, "observables": self.measure},
        )  # fmt: skip
