"""The next run of a fitted culture: settings and sampling times that tell most, and what is expected of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError, Progress, silent
from seedtrain.development._estimation import MeasuredRun, Problem
from seedtrain.development._identify._information import NEW, RunBound, Teller, Told, Vary, changed
from seedtrain.development._identify._sampling import Aim, Criterion, Floats, choose
from seedtrain.simulation import Culture

TRIED: Final = 32
"""Settings tried over the whole of what may vary, before the best is moved."""
STEPS: Final = (0.2, 0.1, 0.05)
"""How far the best setting is moved along each factor, of its range."""


@dataclass(frozen=True)
class PlannedRun:
    """One run: its settings by name (in the unit of what varies), and the times of its samples, h."""

    settings: Mapping[str, float]
    times: tuple[float, ...]


@dataclass(frozen=True)
class Expected:
    """Of one parameter: its standard deviation over what it is now, with the plan and with as many samples as usual.

    - `closes`: whether an interval that the data leave open is expected to lie within the bounds after the plan; None
      where the data do not leave it open.
    """

    name: str
    factor: float
    usual: float
    closes: bool | None = None


@dataclass(frozen=True, eq=False)
class NextRuns:
    """The plan. `usual`: the run that it is compared with: settings as before, samples evenly over the run."""

    runs: tuple[PlannedRun, ...]
    usual: PlannedRun
    measure: Mapping[str, str]
    varied: tuple[Vary, ...]
    expected: tuple[Expected, ...]
    criterion: Criterion
    tried: int
    refused: int
    courses: tuple[Told, ...]
    level: float

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        units = {item.name: item.unit for item in self.varied}
        return {
            "criterion": self.criterion,
            "runs": [
                {"settings": dict(item.settings), "units": units, "times": list(item.times)} for item in self.runs
            ],
            "usual": {"settings": dict(self.usual.settings), "times": list(self.usual.times)},
            "measure": dict(self.measure),
            "expected": [dataclasses.asdict(item) for item in self.expected],
            "tried": self.tried,
            "refused": self.refused,
        }


def next_runs(
    culture: Culture,
    problem: Problem,
    x: Floats,
    like: MeasuredRun,
    fit: Sequence[str],
    vary: Sequence[Vary],
    *,
    options: Mapping[str, Any],
    measure: Sequence[str] = (),
    bounds: Sequence[RunBound] = (),
    runs: int = 1,
    samples: int = 8,
    apart: float | None = None,
    criterion: Criterion = "D",
    aims: Sequence[str] = (),
    opened: Sequence[str] = (),
    level: float = 0.9,
    seed: int = 0,
    progress: Progress = silent,
) -> NextRuns:
    """The `runs` that tell most of the parameters of `problem` beside what its data tell at `x`.

    - `like`: the run whose settings hold where nothing varies. - `measure`: what every sample is read for, all
      observables of the fit if not given. - `apart`: least time between samples, h; a third of even spacing if not
      given. - `aims`: the parameters to be told, all but standard deviations if not given; `opened`: those whose
      interval the data leave open.

    Raises `InputError` for unknown names, limits that the usual run breaks, and samples that do not fit.
    """
    names = (*problem.names, *(f"{name}@{NEW}" for name in options.get("per_run", ())))
    aim = _aim(problem, x, names, criterion, aims)
    values = dict(zip(problem.names, problem.values(x).tolist(), strict=True))
    read = tuple(measure) or tuple(dict.fromkeys(name for item in problem.experiments for name in item.readings.names))
    teller = Teller(culture, fit, values, names, read, options)
    usual = teller.tell(changed(like, {}), bounds)
    if usual is None:
        raise InputError(
            f"the run as {like.name} cannot be simulated at the fitted values, or breaks a limit",
            remedy="Give limits that it holds, or another run: --like NAME.",
        )
    gap = apart if apart is not None else float(usual.times[-1]) / (3 * samples)
    plan = _Search(teller, like, tuple(vary), tuple(bounds), samples, gap, seed)
    base, made, courses = aim.base, [], []
    for number in range(runs):
        now = dataclasses.replace(aim, base=base)
        settings, told, chosen = plan.best(now, lambda share, n=number: progress((n + share) / runs, problem.name))
        base = base + told.parts[list(chosen)].sum(axis=0)
        made.append(PlannedRun(settings, tuple(told.times[list(chosen)].tolist())))
        courses.append(told)
    even = _even(usual.times, samples)
    other = aim.base + runs * usual.parts[list(even)].sum(axis=0)
    expected = _expected(problem, x, aim, base, other, opened, level)
    return NextRuns(
        tuple(made), PlannedRun({}, tuple(usual.times[list(even)].tolist())),
        {name: usual.run.variables[name].unit for name in read}, tuple(vary), expected, criterion, plan.tried,
        plan.refused, tuple(courses), level,
    )  # fmt: skip


def _aim(problem: Problem, x: Floats, names: Sequence[str], criterion: Criterion, aims: Sequence[str]) -> Aim:
    known = [name for at, name in enumerate(problem.names) if at not in problem.noise]
    for name in aims:
        if name not in known:
            raise InputError(f"{name} is not estimated", remedy=f"Use some of: {', '.join(known)}.")
    wanted = tuple(problem.names.index(name) for name in (aims or known))
    K, extra = len(problem.names), len(names) - len(problem.names)
    base = np.zeros((len(names), len(names)))
    base[:K, :K] = problem.evaluate(x).fisher + np.diag(12.0 / (problem.high - problem.low) ** 2)
    base[range(K, K + extra), range(K, K + extra)] = 1.0
    return Aim(criterion, wanted, base, np.concatenate([problem.widths, np.ones(extra)]))


def _even(times: Floats, samples: int) -> tuple[int, ...]:
    wanted = np.linspace(float(times[-1]) / samples, float(times[-1]), samples)
    return tuple(int(np.argmin(np.abs(times - time))) for time in wanted)


def _expected(
    problem: Problem, x: Floats, aim: Aim, after: Floats, usual: Floats, opened: Sequence[str], level: float
) -> tuple[Expected, ...]:
    from scipy import stats

    now, then, other = (np.sqrt(np.diag(np.linalg.inv(item))) for item in (aim.base, after, usual))
    reach = float(stats.norm.ppf(0.5 + level / 2))
    found = []
    for at in aim.wanted:
        name = problem.names[at]
        low, high = float(x[at] - reach * then[at]), float(x[at] + reach * then[at])
        closes = bool(low > problem.low[at] and high < problem.high[at]) if name in opened else None
        found.append(Expected(name, float(then[at] / now[at]), float(other[at] / now[at]), closes))
    return tuple(found)


class _Search:
    """Settings spread over what may vary, then the best moved along each factor."""

    def __init__(
        self, teller: Teller, like: MeasuredRun, vary: tuple[Vary, ...], bounds: tuple[RunBound, ...], samples: int,
        apart: float, seed: int,
    ) -> None:  # fmt: skip
        self.teller, self.like, self.vary, self.bounds = teller, like, vary, bounds
        self.samples, self.apart, self.seed = samples, apart, seed
        self.known: dict[tuple[float, ...], Told | None] = {}

    @property
    def tried(self) -> int:
        """How many settings were simulated."""
        return len(self.known)

    @property
    def refused(self) -> int:
        """How many could not be run, or broke a limit."""
        return sum(item is None for item in self.known.values())

    def best(self, aim: Aim, progress: Any) -> tuple[dict[str, float], Told, tuple[int, ...]]:
        """The settings and samples of the run that adds most."""
        points = self._spread()
        total = len(points) + 2 * len(STEPS) * len(self.vary)
        found: tuple[float, tuple[float, ...], tuple[int, ...]] = (-math.inf, (), ())
        for at, point in enumerate(points):
            found = self._better(found, point, aim)
            progress(at / total)
        done = len(points)
        for step in STEPS if self.vary and found[1] else ():
            for place in range(len(self.vary)):
                for sign in (-1, 1):
                    moved = list(found[1])
                    moved[place] = min(max(moved[place] + sign * step, 0.0), 1.0)
                    found = self._better(found, tuple(moved), aim)
                    done += 1
                    progress(min(done / total, 1.0))
        told = self.known.get(found[1])
        if told is None:
            raise InputError(
                "no setting within what may vary can be run within the limits",
                remedy="Widen --vary, or loosen --limit.",
            )
        return self._settings(found[1]), told, found[2]

    def _spread(self) -> list[tuple[float, ...]]:
        from scipy.stats import qmc

        wide = len(self.vary)
        if not wide:
            return [()]
        drawn = qmc.Sobol(wide, seed=self.seed).random(TRIED).tolist()
        return [tuple(0.5 for _ in range(wide)), *(tuple(row) for row in drawn)]

    def _better(
        self, found: tuple[float, tuple[float, ...], tuple[int, ...]], point: tuple[float, ...], aim: Aim
    ) -> tuple[float, tuple[float, ...], tuple[int, ...]]:
        if point not in self.known:
            self.known[point] = self.teller.tell(changed(self.like, self._settings(point)), self.bounds)
        told = self.known[point]
        if told is None:
            return found
        chosen, worth = choose(told.parts, told.times, aim, self.samples, self.apart)
        return (worth, point, chosen) if worth > found[0] else found

    def _settings(self, point: Sequence[float]) -> dict[str, float]:
        return {
            item.name: float(f"{item.low + (item.high - item.low) * at:.4g}")
            for item, at in zip(self.vary, point, strict=True)
        }
