"""The next run of a fitted culture: settings and sampling times that tell most, and what is expected of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError, Progress, silent
from seedtrain.development._estimation import (
    Ahead,
    BetweenRuns,
    Differing,
    Known,
    MeasuredRun,
    Problem,
    RunSlopes,
)
from seedtrain.development._identify._information import NEW, RunBound, Teller, Told, Vary, changed
from seedtrain.development._identify._sampling import Aim, Criterion, Floats, choose
from seedtrain.simulation import Culture

TRIED: Final = 32
"""Settings tried over the whole of what may vary, before the best is moved."""
STEPS: Final = (0.2, 0.1, 0.05)
"""How far the best setting is moved along each factor, of its range."""
MANY: Final = 1e4
"""So often every possible sample: as good as any number of them."""
Sampled = tuple[Told, Sequence[int]]
"""A run, and the places of its samples."""


@dataclass(frozen=True)
class PlannedRun:
    """One run: its settings by name (in the unit of what varies), and the times of its samples, h."""

    settings: Mapping[str, float]
    times: tuple[float, ...]


@dataclass(frozen=True)
class Expected:
    """Of one parameter: its standard deviation over what it is now, with the plan and with as many samples as usual.

    - `closes`: whether an interval that the data leave open is expected to lie within the bounds after the plan; None
      where the data do not leave it open. - `low`, `high`: where the interval is then expected about the value of now,
      in the parameter's unit; None where that side lies beyond its bound.
    - where the fit counts how runs differ, `width` and `usual_width`: the same two of the interval, whose degrees of
      freedom grow with the runs too; `least`: that of so many runs with any number of samples. None where now there is
      no interval, or runs are alike.
    """

    name: str
    factor: float
    usual: float
    closes: bool | None = None
    low: float | None = None
    high: float | None = None
    width: float | None = None
    usual_width: float | None = None
    least: float | None = None


@dataclass(frozen=True, eq=False)
class NextRuns:
    """The plan. `usual`: the run that it is compared with: settings as before, samples evenly over the run.

    - `between`: what the fit says of how runs differ; nothing where it took all runs alike unasked.
    """

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
    between: BetweenRuns | None = None

    @property
    def differ(self) -> bool:
        """Whether what is expected counts that runs differ."""
        return self.between is not None and self.between.counted

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
            "level": self.level,
            "between_runs": self.between.to_data() if self.between else None,
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
    differing: Differing | None = None,
    level: float = 0.9,
    seed: int = 0,
    progress: Progress = silent,
) -> NextRuns:
    """The `runs` that tell most of the parameters of `problem` beside what its data tell at `x`.

    - `like`: the run whose settings hold where nothing varies. - `measure`: what every sample is read for, all
      observables of the fit if not given. - `apart`: least time between samples, h; a third of even spacing if not
      given. - `aims`: the parameters to be told, all but standard deviations if not given; `opened`: those whose
      interval the data leave open. - `differing`: how runs differ, as the fit found it (`Differing.of(fit)`); all
      runs are taken alike if not given, or where the fit does not count it.

    Raises `InputError` for unknown names, limits that the usual run breaks, and samples that do not fit.
    """
    names = (*problem.names, *(f"{name}@{NEW}" for name in options.get("per_run", ())))
    linear = differing.linear if differing else None
    ahead = Ahead(problem, linear, len(names) - len(problem.names)) if linear else None
    aim = _aim(problem, x, names, criterion, aims, ahead)
    values = dict(zip(problem.names, problem.values(x).tolist(), strict=True))
    read = tuple(measure) or tuple(dict.fromkeys(name for item in problem.experiments for name in item.readings.names))
    teller = Teller(culture, fit, values, names, read, options, ahead)
    usual = teller.tell(changed(like, {}), bounds)
    if usual is None:
        raise InputError(
            f"the run as {like.name} cannot be simulated at the fitted values, or breaks a limit",
            remedy="Give limits that it holds, or another run: --like NAME.",
        )
    gap = apart if apart is not None else float(usual.times[-1]) / (3 * samples)
    plan = _Search(teller, like, tuple(vary), tuple(bounds), samples, gap, seed)
    base, made, courses, places = aim.base, [], [], []
    for number in range(runs):
        now = dataclasses.replace(aim, base=base)
        settings, told, chosen = plan.best(now, lambda share, n=number: progress((n + share) / runs, problem.name))
        base = base + aim.adds(told.parts[list(chosen)].sum(axis=0))
        made.append(PlannedRun(settings, tuple(told.times[list(chosen)].tolist())))
        courses.append(told)
        places.append(chosen)
    even = _even(usual.times, samples)
    other = aim.base + runs * aim.adds(usual.parts[list(even)].sum(axis=0))
    outlook = _Outlook(problem, x, aim, level, tuple(opened))
    if ahead is None:
        expected = outlook.alike(base, other)
    else:
        expected = outlook.differing(ahead, [*zip(courses, places, strict=True)], [(usual, even)] * runs)
    return NextRuns(
        tuple(made), PlannedRun({}, tuple(usual.times[list(even)].tolist())),
        {name: usual.run.variables[name].unit for name in read}, tuple(vary), expected, criterion, plan.tried,
        plan.refused, tuple(courses), level, differing.told if differing else None,
    )  # fmt: skip


def _aim(
    problem: Problem, x: Floats, names: Sequence[str], criterion: Criterion, aims: Sequence[str], ahead: Ahead | None
) -> Aim:  # fmt: skip
    known = [name for at, name in enumerate(problem.names) if at not in problem.noise]
    for name in aims:
        if name not in known:
            raise InputError(f"{name} is not estimated", remedy=f"Use some of: {', '.join(known)}.")
    wanted = tuple(problem.names.index(name) for name in (aims or known))
    K, extra = len(problem.names), len(names) - len(problem.names)
    widths = np.concatenate([problem.widths, np.ones(extra)])
    if ahead is not None:
        return Aim(criterion, wanted, ahead.base, widths, ahead)
    base = np.zeros((len(names), len(names)))
    base[:K, :K] = problem.evaluate(x).fisher + np.diag(12.0 / (problem.high - problem.low) ** 2)
    base[range(K, K + extra), range(K, K + extra)] = 1.0
    return Aim(criterion, wanted, base, widths)


def _even(times: Floats, samples: int) -> tuple[int, ...]:
    wanted = np.linspace(float(times[-1]) / samples, float(times[-1]), samples)
    return tuple(int(np.argmin(np.abs(times - time))) for time in wanted)


@dataclass(frozen=True, eq=False)
class _Outlook:
    """What is expected of the parameters that a plan is to tell."""

    problem: Problem
    x: Floats
    aim: Aim
    level: float
    opened: tuple[str, ...]

    def alike(self, after: Floats, usual: Floats) -> tuple[Expected, ...]:
        """Of runs that are alike, from the information after the plan and after usual runs."""
        from scipy import stats

        now, then, other = (np.sqrt(np.diag(np.linalg.inv(item))) for item in (self.aim.base, after, usual))
        reach = float(stats.norm.ppf(0.5 + self.level / 2))
        return tuple(
            self._with_ends(Expected(self.problem.names[at], float(then[at] / now[at]), float(other[at] / now[at])),
                            at, reach * float(then[at]))
            for at in self.aim.wanted
        )  # fmt: skip

    def differing(self, ahead: Ahead, plan: Sequence[Sampled], usual: Sequence[Sampled]) -> tuple[Expected, ...]:
        """Of runs that differ, by Student's intervals of the typical run."""
        now = ahead.after([], self.level)
        then, other = (ahead.after([told.sampled(at) for told, at in item], self.level) for item in (plan, usual))
        every = [told.sampled(range(len(told.times))) for told, _at in plan]
        most = ahead.after([RunSlopes(math.sqrt(MANY) * item.slopes, item.names) for item in every], self.level)
        found = []
        for at in self.aim.wanted:
            factor, usually = (float(item.deviations[at] / now.deviations[at]) for item in (then, other))
            width, usual_width, least = (_part(item, now, at) for item in (then, other, most))
            least = least if least is None or width is None else min(least, width)
            item = Expected(self.problem.names[at], factor, usually, width=width, usual_width=usual_width, least=least)
            found.append(self._with_ends(item, at, float(then.halves[at])))
        return tuple(found)

    def _with_ends(self, item: Expected, at: int, half: float) -> Expected:
        """With the ends of the interval, and whether they lie within the bounds."""
        problem, about = self.problem, self.problem.parameters[at]
        low, high = float(self.x[at] - half), float(self.x[at] + half)
        inside = low > problem.low[at], high < problem.high[at]
        return dataclasses.replace(
            item, closes=all(map(bool, inside)) if item.name in self.opened else None,
            low=about.value(low) if inside[0] else None, high=about.value(high) if inside[1] else None,
        )  # fmt: skip


def _part(after: Known, now: Known, at: int) -> float | None:
    """An interval of what it is now; nothing where there is none."""
    found = float(after.halves[at] / now.halves[at]) if math.isfinite(now.halves[at]) else math.inf
    return found if math.isfinite(found) else None


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
