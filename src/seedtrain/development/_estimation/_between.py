"""Runs that differ from one another: a random effect of the run on parameters of a problem, and what it does to a fit.

Linearised about each run's own values and estimated by restricted maximum likelihood, again until nothing moves.
**Source** Lindstrom & Bates 1990 (doi:10.2307/2532087).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from seedtrain.base import InputError
from seedtrain.development._estimation._drawn_runs import Linear
from seedtrain.development._estimation._inputs import Floats
from seedtrain.development._estimation._intervals import Interval
from seedtrain.development._estimation._mixed import (
    Given,
    Layout,
    Mixed,
    crossed,
    information,
    layout_of,
    read_runs,
    student_intervals,
)
from seedtrain.development._estimation._problem import Evaluation, Problem
from seedtrain.development._estimation._restricted import Crossed, Restricted, restricted, variance_ends

Between = Mapping[str, float | None] | Literal["auto"]
"""Parameters that differ between runs, with a standard deviation in the parameter's unit where it is known; or `auto`:
any that the runs share, where the runs say so."""
Verdict = Literal["evident", "possible", "not evident", "declared"]
EVIDENT: Final = 0.05
POSSIBLE: Final = 0.2
"""Probability by chance below which variation is told, and below which `auto` counts it all the same: to leave out what
is there costs more than to count what is not (docs/validation.md)."""
SLIGHT: Final = 0.5
"""The same for `SLIGHTLY` runs, which hide a variation that matters: with it their intervals widen little by chance."""
SLIGHTLY: Final = range(3, 6)
LARGER: Final = 6.63
"""Twice a gain in log likelihood that chance makes once in a hundred, by one factor."""
FEW: Final = 3
"""So many runs or fewer tell hardly how far runs differ."""


@dataclass(frozen=True)
class Deviation:
    """How far one parameter differs between runs: standard deviation in the parameter's unit, and between what it may
    lie (`low` 0: the data allow none; `high` None: they set no limit). `given`: it was declared."""

    name: str
    deviation: float
    low: float
    high: float | None
    given: bool = False


@dataclass(frozen=True, eq=False)
class BetweenRuns:
    """Whether runs differ from one another, and how far.

    - `runs`: how many; `probability`: of so much by chance alone, None where all was declared. - `counted`: whether
      values and intervals of the fit count it. - `own`: values by run, of the parameters that vary.
    - `freedom`: Student's degrees of freedom of each interval.
    """

    runs: tuple[str, ...]
    verdict: Verdict
    probability: float | None
    counted: bool
    deviations: tuple[Deviation, ...]
    own: Mapping[str, tuple[float, ...]]
    freedom: Mapping[str, float]
    settled: bool = True

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "runs": list(self.runs), "verdict": self.verdict, "probability_by_chance": self.probability,
            "counted": self.counted, "deviations": [dataclasses.asdict(item) for item in self.deviations],
            "own_values": {name: dict(zip(self.runs, row, strict=True)) for name, row in self.own.items()},
            "degrees_of_freedom": {name: _finite(value) for name, value in self.freedom.items()},
            "settled": self.settled,
        }  # fmt: skip

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> BetweenRuns:
        """What `to_data` wrote; raises `KeyError` or `TypeError` on other data."""
        runs = tuple(data["runs"])
        freedom = {name: math.inf if value is None else float(value)
                   for name, value in data["degrees_of_freedom"].items()}  # fmt: skip
        return BetweenRuns(
            runs, data["verdict"], data["probability_by_chance"], bool(data["counted"]),
            tuple(Deviation(**item) for item in data["deviations"]),
            {name: tuple(float(row[run]) for run in runs) for name, row in data["own_values"].items()},
            freedom, bool(data["settled"]),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Counted:
    """A fit that counts how runs differ: `best` has every run's own predictions and the information that is left."""

    best: Evaluation
    intervals: Mapping[str, Interval]
    told: BetweenRuns
    linear: Linear


def between_runs(problem: Problem, best: Evaluation, asked: Between, level: float,
                 plain: Mapping[str, Interval]) -> Counted | BetweenRuns | None:  # fmt: skip
    """What the runs say of how they differ, and the fit that counts it where it was asked for or the runs show it.

    - `best`, `plain`: the fit that takes all runs alike, and its intervals: a side that is open there stays open.

    Nothing where there is one run or nothing that runs share. Raises `InputError` for names that cannot vary.
    """
    at_once = len(problem.experiments)
    given = _given(problem, best, asked)
    points = np.tile(best.x, (at_once, 1))
    seen = read_runs(problem, points)
    if at_once < 2 or not given or seen is None:
        return None
    layout = layout_of(problem, best, seen, tuple(given))
    held = tuple(given[at] for at in layout.differ)
    if asked != "auto" and len(held) < len(given):
        still = ", ".join(problem.names[at] for at in given if at not in layout.differ)
        raise InputError(f"no reading tells {still}", remedy="Let parameters vary on which readings depend.")
    if not held:
        return None
    runs = crossed(problem, layout, seen, points, best.x)
    first = restricted(runs, held)
    estimated = sum(item is None for item in held)
    chance = chance_of(_gain(runs, first, held), estimated) if estimated else None
    most = 1.0 if asked != "auto" else SLIGHT if at_once in SLIGHTLY else POSSIBLE
    told = BetweenRuns(tuple(item.name for item in problem.experiments), _verdict(chance), chance, False,
                       _deviations(problem, layout, runs, first, held, level, best.x), {}, {})  # fmt: skip
    here = Mixed(problem, best, layout, held).settle(first) if chance is None or chance <= most else None
    if here is None:
        return told
    return _counted(problem, best, told, Linear(layout, here, held), level, plain)


def _gain(runs: Crossed, first: Restricted, held: Given) -> float:
    """The gain in likelihood by runs that differ.

    Where readings scatter more than their given errors say inside the runs too (1 % by chi square), it is that beside
    errors larger by a factor: else errors that are too small would pass for runs that differ.
    """
    if runs.free[0] or not runs.counts[0].sum():
        return first.gain
    loose = dataclasses.replace(runs, free=(True, *runs.free[1:]))
    freer = restricted(loose, held)
    larger = freer.factors[0] > 0 and first.state.value - freer.state.value > LARGER
    return min(first.gain, freer.gain) if larger else first.gain


def _counted(
    problem: Problem, alike: Evaluation, told: BetweenRuns, linear: Linear, level: float, plain: Mapping[str, Interval]
) -> Counted:
    """The fit that counts how runs differ; `alike`, `plain`: what taking them alike said."""
    layout, here = linear.layout, linear.here
    own = {problem.names[at]: tuple(problem.parameters[at].value(float(value)) for value in here.points[:, at])
           for at in layout.differ}  # fmt: skip
    told = dataclasses.replace(
        told, counted=True, own=own, settled=here.settled,
        deviations=_deviations(problem, layout, here.runs, here.found, linear.held, level, here.x),
        freedom={problem.names[at]: float(here.found.freedom[place]) for place, at in enumerate(layout.mean)},
    )  # fmt: skip
    typical = problem.evaluate(here.x)
    left = information(problem, layout, here, typical)
    best = Evaluation(here.x, alike.objective, typical.gradient, left, here.seen.predicted, here.seen.sigma)
    return Counted(best, student_intervals(problem, layout, here, level, plain, alike.x), told, linear)


def chance_of(gain: float, count: int) -> float:
    """Probability of so much gain in likelihood by chance, of `count` variances that are none.

    Each is at its bound half of the time: a mixture of chi squares with binomial weights (Self & Liang 1987,
    doi:10.1080/01621459.1987.10478472, case 9; Stram & Lee 1994, doi:10.2307/2533455), exact for large samples and
    variances that are told independently; few runs make it too large, not too small.
    """
    from scipy import stats

    if gain <= 0:
        return 1.0
    return float(sum(math.comb(count, at) * 0.5**count * stats.chi2.sf(gain, at) for at in range(1, count + 1)))


def _verdict(chance: float | None) -> Verdict:
    if chance is None:
        return "declared"
    return "evident" if chance <= EVIDENT else "possible" if chance <= POSSIBLE else "not evident"


def _given(problem: Problem, best: Evaluation, asked: Between) -> dict[int, float | None]:
    """The parameters that may differ, by place, with their variance on the search's scale where it was declared."""
    shared = [at for at in range(len(problem.names))
              if sum(at in run.inputs.moving for run in problem.experiments) > 1]  # fmt: skip
    if asked == "auto":
        return dict.fromkeys(shared)
    found: dict[int, float | None] = {}
    for name, deviation in asked.items():
        at = problem.names.index(name) if name in problem.names else -1
        if at not in shared:
            known = ", ".join(problem.names[each] for each in shared) or "none is shared"
            raise InputError(f"{name} is no parameter that several runs share", remedy=f"Use some of: {known}.")
        if deviation is None:
            found[at] = None
            continue
        if not (math.isfinite(deviation) and deviation > 0):
            raise InputError(f"{name} is to vary by {deviation:g} between runs", remedy="Give a deviation above 0.")
        about = problem.parameters[at]
        found[at] = (deviation / about.slope(about.value(float(best.x[at])))) ** 2
    return found


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _deviations(
    problem: Problem, layout: Layout, runs: Crossed, found: Restricted, held: Given, level: float, x: Floats
) -> tuple[Deviation, ...]:
    from scipy import stats

    drop = float(stats.chi2.ppf(level, 1))
    told = []
    for place, at in enumerate(layout.differ):
        about = problem.parameters[at]
        slope = about.slope(about.value(float(x[at])))
        size = slope * math.sqrt(float(found.variances[place]))
        if held[place] is not None:
            told.append(Deviation(about.name, size, size, size, True))
            continue
        low, high = variance_ends(runs, found, place, drop)
        top = None if high is None else slope * math.sqrt(high)
        told.append(Deviation(about.name, size, slope * math.sqrt(low), top))
    return tuple(told)
