"""A problem of estimation: experiments with their data, and what a set of parameters is worth.

The objective is the negative log likelihood of all readings plus that of the priors. Derivatives are the engine's exact
forward sensitivities, of the observations themselves: observables and noise models are lines of its system.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.development._estimation._inputs import Floats, Inputs
from seedtrain.development._estimation._parameters import LN10, FitParameter
from seedtrain.simulation import CompiledSystem

LIN, LOG, LOG10 = 0, 1, 2
NDArrayInt = NDArray[np.int64]
LOG_2PI: Final = math.log(2 * math.pi)
RTOL: Final = 1e-6


@dataclass(frozen=True, eq=False)
class Readings:
    """What was measured along one trajectory; every array has shape "reading".

    - `at`: place of its time in the experiment's times; `of`: place of its observable among what the system observes.
    - `value`; `transform`: `LIN`, `LOG` or `LOG10`, on which the error is normal.
    - its standard deviation: `sigma` where that is a number, else `sigma_of`, a place among what the system observes,
      else `sigma_parameter`, an estimated parameter (-1: not so).
    - `names`: the observable of each, for people.
    """

    at: NDArrayInt
    of: NDArrayInt
    value: Floats
    transform: NDArrayInt
    sigma: Floats
    sigma_of: NDArrayInt
    sigma_parameter: NDArrayInt
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.value)

    @cached_property
    def measured(self) -> Floats:
        """The values on their transformed scale."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(self.transform == LIN, self.value, np.log(np.maximum(self.value, 1e-300)))
        return np.where(self.transform == LOG10, found / LN10, found)

    @cached_property
    def constant(self) -> float:
        """What the transform adds to the negative log likelihood."""
        logs = np.log(self.value[self.transform != LIN])
        return float(logs.sum() + (self.transform == LOG10).sum() * math.log(LN10))


@dataclass(frozen=True, eq=False)
class Experiment:
    """One trajectory and its readings.

    - `times`: of the readings, in the system's unit, sorted. - `readable`: the states that could be read as well, by
      the name that people read them by; every state by its own if not given. - `labels`: what people call a reading,
      with its unit, by that name.
    """

    name: str
    compiled: CompiledSystem
    inputs: Inputs
    times: Floats
    readings: Readings
    atol: float = 1e-8
    readable: Mapping[str, str] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The objective at one point of the search: `fisher` is the expected information, on the search's scale.

    - `predicted`, `sigma`: of every reading, all experiments one after the other.
    """

    x: Floats
    objective: float
    gradient: Floats
    fisher: Floats
    predicted: Floats
    sigma: Floats

    @property
    def good(self) -> bool:
        """Whether the trajectories could be computed at all."""
        return math.isfinite(self.objective)


@dataclass(frozen=True, eq=False)
class Problem:
    """Estimated parameters and the experiments that tell of them.

    - `time_unit`, `name`: for people. - `fixed`: values of parameters that are not estimated, for reports.
    """

    name: str
    parameters: tuple[FitParameter, ...]
    experiments: tuple[Experiment, ...]
    time_unit: str = "h"
    fixed: Mapping[str, float] = field(default_factory=dict)
    simulated: bool = False

    def __post_init__(self) -> None:
        if not self.parameters:
            raise InputError(f"{self.name}: nothing is to be estimated", remedy="Name at least one parameter.")
        if not self.count:
            raise InputError(f"{self.name}: there are no measurements", remedy="Give measurements.")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The parameters' names."""
        return tuple(item.name for item in self.parameters)

    @cached_property
    def count(self) -> int:
        """How many readings there are."""
        return sum(len(item.readings) for item in self.experiments)

    @cached_property
    def together(self) -> Readings:
        """The readings of all experiments, one after the other."""
        parts = [item.readings for item in self.experiments]
        arrays = ("at", "of", "value", "transform", "sigma", "sigma_of", "sigma_parameter")
        chained = {name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays}
        return Readings(**chained, names=tuple(name for part in parts for name in part.names))

    @cached_property
    def low(self) -> Floats:
        """Lower bounds on the scale of the search."""
        return np.array([item.scaled(item.low) for item in self.parameters])

    @cached_property
    def high(self) -> Floats:
        """Upper bounds on the scale of the search."""
        return np.array([item.scaled(item.high) for item in self.parameters])

    @cached_property
    def widths(self) -> Floats:
        """What counts as a long step in each direction."""
        return np.array([item.width for item in self.parameters])

    @cached_property
    def noise(self) -> tuple[int, ...]:
        """Parameters that are nothing but standard deviations, without a prior: best values follow from residuals."""
        found = {int(item) for run in self.experiments for item in run.readings.sigma_parameter if item >= 0}
        moved = {at for run in self.experiments for at in run.inputs.moving}
        return tuple(sorted(at for at in found - moved if not self.parameters[at].prior.kind))

    def values(self, x: Floats) -> Floats:
        """The parameters' values at a point of the search."""
        return np.array([item.value(float(at)) for item, at in zip(self.parameters, x, strict=True)])

    def scaled(self, values: Mapping[str, float]) -> Floats:
        """The point of the search for values by name, the nominal one where none is given."""
        return np.array([item.scaled(values.get(item.name, item.nominal)) for item in self.parameters])

    def evaluate(self, x: Floats, *, best_noise: bool = False, rtol: float = RTOL) -> Evaluation:
        """The objective with gradient and information at `x`.

        - `best_noise`: take for the parameters in `noise` their best values at `x`; their gradient is then 0, and the
          information is that of the others.
        """
        return evaluate(self, np.asarray(x, dtype=float), best_noise, rtol)

    def objectives(self, points: Floats, *, rtol: float = 1e-4) -> Floats:
        """The objective at many points, shape "point", standard deviations at their best; in the engine's lanes."""
        return objectives(self, points, rtol)


def evaluate(problem: Problem, x: Floats, best_noise: bool, rtol: float) -> Evaluation:
    """`Problem.evaluate`."""
    x = x.copy()
    values = problem.values(x)
    slopes = np.array([item.slope(value) for item, value in zip(problem.parameters, values, strict=True)])
    parts = [predict(item, values, slopes, rtol) for item in problem.experiments]
    K = len(x)
    if any(part is None for part in parts):
        bad = np.full(problem.count, np.nan)
        return Evaluation(x, math.inf, np.zeros(K), np.zeros((K, K)), bad, bad)
    predicted, by, sigma, sigma_by = (
        np.concatenate([part[at] for part in parts if part is not None]) for at in range(4)
    )
    readings = joined(problem)
    found, found_by = transformed(readings.transform, predicted, by)
    residual = readings.measured - found
    if not np.isfinite(residual).all():
        return Evaluation(x, math.inf, np.zeros(K), np.zeros((K, K)), predicted, sigma)
    for at in problem.noise if best_noise else ():
        mine = readings.sigma_parameter == at
        parameter = problem.parameters[at]
        best = math.sqrt(float(np.mean(residual[mine] ** 2)))
        x[at] = values[at] = min(max(best, parameter.low), parameter.high)
        x[at] = parameter.scaled(values[at])
        slopes[at] = 0.0
    for at in set(readings.sigma_parameter.tolist()) - {-1}:
        mine = readings.sigma_parameter == at
        sigma[mine], sigma_by[mine, at] = values[at], slopes[at]
    if not (np.isfinite(sigma) & (sigma > 0)).all():
        return Evaluation(x, math.inf, np.zeros(K), np.zeros((K, K)), predicted, sigma)
    scaled = residual / sigma
    total = float((0.5 * scaled**2 + np.log(sigma)).sum()) + 0.5 * len(residual) * LOG_2PI + readings.constant
    a, b = found_by / sigma[:, None], sigma_by / sigma[:, None]
    gradient = -(scaled @ a) + (1.0 - scaled**2) @ b
    fisher = a.T @ a + 2.0 * b.T @ b
    for at, parameter in enumerate(problem.parameters):
        value, slope, curvature = parameter.prior_terms(float(x[at]))
        total, gradient[at], fisher[at, at] = total + value, gradient[at] + slope, fisher[at, at] + curvature
    return Evaluation(x, total, gradient, fisher, predicted, sigma)


def weighted_slopes(problem: Problem, x: Floats, rtol: float = RTOL) -> tuple[Floats, Floats] | None:
    """Derivatives of every reading, and of its standard deviation, by all parameters, over that standard deviation.

    With `a` and `b` the information is a'a + 2 b'b. Nothing where the model cannot be simulated at `x`.
    """
    values = problem.values(x)
    slopes = np.array([item.slope(value) for item, value in zip(problem.parameters, values, strict=True)])
    parts = [predict(item, values, slopes, rtol) for item in problem.experiments]
    if any(part is None for part in parts):
        return None
    predicted, by, sigma, sigma_by = (
        np.concatenate([part[at] for part in parts if part is not None]) for at in range(4)
    )
    readings = joined(problem)
    found, found_by = transformed(readings.transform, predicted, by)
    for at in set(readings.sigma_parameter.tolist()) - {-1}:
        mine = readings.sigma_parameter == at
        sigma[mine], sigma_by[mine, at] = values[at], slopes[at]
    good = np.isfinite(found) & np.isfinite(sigma) & (sigma > 0)
    with np.errstate(all="ignore"):
        a, b = found_by / sigma[:, None], sigma_by / sigma[:, None]
    return np.where(good[:, None], a, 0.0), np.where(good[:, None], b, 0.0)


def joined(problem: Problem) -> Readings:
    """The readings of all experiments, one after the other."""
    return problem.together


def predict(item: Experiment, values: Floats, slopes: Floats, rtol: float) -> tuple[Floats, ...] | None:
    """Predictions and given standard deviations of an experiment's readings, each with its derivatives by all K."""
    schedule = item.inputs.schedule(values)
    moving = list(item.inputs.moving)
    readings, K = item.readings, len(values)
    seeds = item.inputs.seeds(values, slopes) if moving else None
    found = item.compiled.run(schedule, item.times, rtol=rtol, atol=item.atol, seeds=seeds, threads=1)
    if int(found.status[0]) != 0:
        return None
    seen = found.observed[0]
    by = np.zeros((len(readings), K))
    sigma_by = np.zeros((len(readings), K))
    sigma = np.where(readings.sigma_of >= 0, seen[readings.at, readings.sigma_of], readings.sigma)
    if moving:
        assert found.observed_by is not None
        by[:, moving] = found.observed_by[0][readings.at, readings.of]
        given = readings.sigma_of >= 0
        rows = np.flatnonzero(given)
        sigma_by[np.ix_(rows, np.array(moving))] = found.observed_by[0][readings.at[rows], readings.sigma_of[rows]]
    return seen[readings.at, readings.of], by, sigma, sigma_by


def transformed(transform: NDArrayInt, predicted: Floats, by: Floats) -> tuple[Floats, Floats]:
    if not transform.any():
        return predicted, by
    logged = transform != LIN
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(predicted[logged])
        factor = np.where(transform[logged] == LOG10, 1 / LN10, 1.0)
        found, found_by = predicted.copy(), by.copy()
        found[logged] = logs * factor
        found_by[logged] = by[logged] * (factor / predicted[logged])[:, None]
    return found, found_by


def objectives(problem: Problem, points: Floats, rtol: float) -> Floats:
    """`Problem.objectives`."""
    values = np.array([problem.values(row) for row in points])
    readings = joined(problem)
    failed = np.zeros(len(points), dtype=bool)
    predicted, sigmas = [], []
    for item in problem.experiments:
        schedule = item.inputs.schedule(values)
        found = item.compiled.run(schedule, item.times, rtol=rtol, atol=item.atol, most_steps=5000)
        one = len(found.status) == 1 < len(points)  # nothing in the schedule moves
        seen = np.repeat(found.observed, len(points), axis=0) if one else found.observed
        failed |= found.status != 0
        mine = item.readings
        predicted.append(seen[:, mine.at, mine.of])
        sigmas.append(np.where(mine.sigma_of >= 0, seen[:, mine.at, mine.sigma_of], mine.sigma))
    found_all, sigma = np.concatenate(predicted, axis=1), np.concatenate(sigmas, axis=1)
    with np.errstate(all="ignore"):
        shown, _ = transformed(np.tile(readings.transform, (1,)), found_all.T, np.zeros((readings.value.size, 1)))
        residual = readings.measured[:, None] - shown
        sigma = sigma.T.copy()
        for at in set(readings.sigma_parameter.tolist()) - {-1}:
            mine_too = readings.sigma_parameter == at
            chosen = values[:, at]
            if at in problem.noise:
                chosen = np.sqrt((residual[mine_too] ** 2).mean(axis=0))
                chosen = np.clip(chosen, problem.parameters[at].low, problem.parameters[at].high)
            sigma[mine_too] = chosen
        total = (0.5 * (residual / sigma) ** 2 + np.log(sigma)).sum(axis=0)
    total += 0.5 * len(residual) * LOG_2PI + readings.constant
    for at, parameter in enumerate(problem.parameters):
        total += np.array([parameter.prior_terms(float(x))[0] for x in points[:, at]])
    return np.where(failed | ~np.isfinite(total), np.inf, total)
