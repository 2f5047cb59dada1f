"""What the data say of each parameter: profile likelihoods, refused where they stay open, and what would close them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seedtrain.base import Progress, silent
from seedtrain.development._estimation._inputs import Floats
from seedtrain.development._estimation._problem import Evaluation, Experiment, Problem
from seedtrain.development._estimation._search import Descent, descend

POINTS: Final = 24
"""Most points of one side of a profile."""
CLOSE: Final = 0.02
"""Relative, of the root of the threshold: where a profile counts as having met it."""
ASSUMED_ERROR: Final = 0.05
"""Of its largest value: standard deviation of a state that was never measured; assumed."""
CANDIDATE_TIMES: Final = 24
HELPS: Final = 0.8
"""A reading is worth proposing where it shortens the standard deviation to this part."""


@dataclass(frozen=True)
class Interval:
    """`low` and `high` in the parameter's unit; None where the data leave that side open up to its bound.

    - `method`: profile, curvature or between runs. - `points`: (value, objective above the best) of the profile, for
      plots. - `tied`: the parameters with which alone the data know it; there is then no interval.
    """

    low: float | None
    high: float | None
    method: str
    points: tuple[tuple[float, float], ...] = ()
    threshold: float = 0.0
    tied: tuple[str, ...] = ()

    @property
    def identified(self) -> bool:
        """Whether both ends stand."""
        return self.low is not None and self.high is not None

    def to_data(self) -> dict[str, Any]:
        """JSON-ready; a refused interval has neither end, and says which side is open."""
        sides = [word for word, end in (("below", self.low), ("above", self.high)) if end is None]
        if sides:
            return {"low": None, "high": None, "open": sides, "one_sided": {"low": self.low, "high": self.high},
                    "method": self.method, **({"known_only_with": list(self.tied)} if self.tied else {})}  # fmt: skip
        return {"low": self.low, "high": self.high, "open": [], "method": self.method}


@dataclass(frozen=True)
class Advice:
    """What to measure for a parameter that the data leave open; an empty `reading` where nothing measured would help.

    - `run`, `time`: where and when, in `time_unit`; `label`: what people call the reading, with its unit; `known`:
      whether the data have it already.
    - `factor`: the parameter's standard deviation after one such reading over that before.
    """

    parameter: str
    reading: str
    run: str
    time: float
    factor: float
    known: bool
    along: tuple[tuple[str, float], ...]
    label: str = ""
    time_unit: str = ""

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return dataclasses.asdict(self) | {"along": dict(self.along)}


def threshold(problem: Problem, level: float) -> float:
    """How far a profile may rise at `level`.

    Half the chi-square quantile where standard deviations are given; where they are estimated, what Student's t gives
    for as many readings less parameters of the model: n/2 log(1 + t^2/(n-p)), exact for a linear model
    with one of them.
    """
    from scipy import stats

    free = problem.count - (len(problem.parameters) - len(problem.noise))
    if not problem.noise or free < 1:
        return 0.5 * float(stats.chi2.ppf(level, 1))
    return 0.5 * problem.count * math.log1p(float(stats.t.ppf(0.5 + level / 2, free)) ** 2 / free)


def intervals(
    problem: Problem,
    best: Evaluation,
    level: float,
    profiles: Sequence[str] | None = None,
    *,
    progress: Progress = silent,
) -> tuple[Evaluation, dict[str, Interval]]:
    """Intervals of every parameter; the best point moves where a profile finds a lower one."""
    names = problem.names if profiles is None else tuple(profiles)
    limit = threshold(problem, level)
    for _ in range(3):
        found: dict[str, Interval] = {}
        lower = best
        for number, name in enumerate(problem.names):
            progress(number / len(problem.names), name)
            if name not in names:
                found[name] = by_curvature(problem, best, problem.names.index(name), limit)
                continue
            found[name], seen = profile(problem, best, problem.names.index(name), limit)
            if seen.objective < lower.objective - 0.05 * limit:
                lower = seen
        if lower is best:
            break
        best = problem.evaluate(descend(problem, lower.x).end.x)
    return best, found


Reading = Callable[[int, Floats], Floats]
"""Place of the run and slope of a reading, over its standard deviation: the slope as it tells of the typical run."""


def advise(
    problem: Problem, best: Evaluation, found: Mapping[str, Interval], reading: Reading | None = None
) -> tuple[Advice, ...]:
    """What would tell the parameters whose intervals stay open; `reading`: where the fit counts how runs differ."""
    opened = [
        name for name, item in found.items() if not item.identified and problem.names.index(name) not in problem.noise
    ]
    return tuple(advice(problem, best, opened, reading))


def covariance(problem: Problem, at: Evaluation) -> Floats:
    """Inverse information, on the search's scale, with what the bounds themselves say (a uniform spread)."""
    spread = 12.0 / (problem.high - problem.low) ** 2
    return np.asarray(np.linalg.inv(at.fisher + np.diag(spread)))


def by_curvature(problem: Problem, best: Evaluation, at: int, limit: float) -> Interval:
    """The interval of a parabola with the information's curvature; the parameter's own bounds are no information."""
    told = 1.0 / float(covariance(problem, best)[at, at]) - 12.0 / float(problem.high[at] - problem.low[at]) ** 2
    half = math.sqrt(2 * limit / told) if told > 0 else math.inf
    parameter, x = problem.parameters[at], float(best.x[at])
    low, high = x - half, x + half
    return Interval(
        parameter.value(low) if low > problem.low[at] else None,
        parameter.value(high) if high < problem.high[at] else None,
        "curvature",
        threshold=limit,
    )


def profile(problem: Problem, best: Evaluation, at: int, limit: float) -> tuple[Interval, Evaluation]:
    """The profile likelihood of one parameter up to `limit` on both sides; and the lowest point that was seen."""
    ends: list[float | None] = []
    points = [(problem.parameters[at].value(float(best.x[at])), 0.0)]
    lowest = best
    for sign in (-1.0, 1.0):
        side = _Side(problem, best, at, sign, limit)
        ends.append(side.run())
        points += side.points
        if side.lowest.objective < lowest.objective:
            lowest = side.lowest
    return Interval(ends[0], ends[1], "profile", tuple(sorted(points)), limit), lowest


class _Side:
    """One side of a profile: steps out by the root of the rise, which is nearly straight, then meets the threshold."""

    def __init__(self, problem: Problem, best: Evaluation, at: int, sign: float, limit: float) -> None:
        self.problem, self.best, self.at, self.sign, self.limit = problem, best, at, sign, limit
        self.points: list[tuple[float, float]] = []
        self.lowest = best
        self.inner, self.inner_root, self.x = 0.0, 0.0, best.x
        self.outer: float | None = None
        self.outer_root = math.inf

    def run(self) -> float | None:
        """The parameter's value at the threshold, or nothing where its bound comes first."""
        problem, at = self.problem, self.at
        bound = problem.high[at] if self.sign > 0 else problem.low[at]
        room = abs(float(bound - self.best.x[at]))
        wanted = math.sqrt(self.limit)
        spread = covariance(problem, self.best)
        away = min(math.sqrt(2 * self.limit * float(spread[at, at])), 1.5 * float(problem.widths[at]), room)
        self.slopes = spread[:, at] / spread[at, at]
        for _ in range(POINTS):
            if away < 1e-9 * float(problem.widths[at]):
                return None if room <= away * 2 or self.outer is None else self._value(self.inner)
            root = self._root(away)
            if abs(root - wanted) < CLOSE * wanted:
                return self._value(away)
            if root < wanted:
                self.inner, self.inner_root = away, root
                if away >= room:
                    return None
            else:
                self.outer, self.outer_root = away, root
            away = self._next(wanted, room)
        return self._value(self.inner) if self.outer is not None else None

    def _next(self, wanted: float, room: float) -> float:
        if self.outer is None:
            factor = min(max(wanted / max(self.inner_root, 1e-3 * wanted), 1.3), 4.0)
            return min(self.inner * factor, self.inner + 1.5 * float(self.problem.widths[self.at]), room)
        if not math.isfinite(self.outer_root) or self.outer_root > 3 * wanted:
            return 0.5 * (self.inner + self.outer)
        share = (wanted - self.inner_root) / (self.outer_root - self.inner_root)
        return self.inner + min(max(share, 0.1), 0.9) * (self.outer - self.inner)

    def _root(self, away: float) -> float:
        """The square root of how far the objective rises where the parameter is held `away` from the best."""
        problem, at = self.problem, self.at
        start = self.x + self.slopes * self.sign * (away - self.inner)
        start[at] = self.best.x[at] + self.sign * away
        found: Descent = descend(problem, start, held=(at,), most=60, gain=1e-3 * self.limit, radius=0.5)
        rise = found.end.objective - self.best.objective
        if not math.isfinite(rise):
            return math.inf
        if found.end.objective < self.lowest.objective:
            self.lowest = found.end
        if rise < self.limit:
            self.x = found.end.x.copy()
        self.points.append((problem.parameters[at].value(float(start[at])), max(rise, 0.0)))
        return math.sqrt(max(rise, 0.0))

    def _value(self, away: float) -> float:
        return self.problem.parameters[self.at].value(float(self.best.x[self.at] + self.sign * away))


@dataclass(frozen=True)
class _Candidate:
    reading: str
    run: str
    time: float
    known: bool
    slope: Floats  # over its standard deviation


def advice(
    problem: Problem, best: Evaluation, names: Sequence[str], reading: Reading | None = None
) -> list[Advice]:  # fmt: skip
    """For each of `names` the one reading that would shorten its standard deviation most."""
    if not names:
        return []
    candidates = []
    for place, run in enumerate(problem.experiments):
        for item in _candidates(problem, best, run):
            slope = item.slope if reading is None else reading(place, item.slope)
            candidates.append(dataclasses.replace(item, slope=slope))
    spread = covariance(problem, best)
    strengths, vectors = np.linalg.eigh(best.fisher)
    loose = 1.0 / np.maximum(strengths, 1e-12 * max(float(strengths[-1]), 1e-300))
    found = []
    for name in names:
        at = problem.names.index(name)
        sloppiest = vectors[:, int(np.argmax(vectors[at] ** 2 * loose))]  # which makes most of its variance
        parts = sorted(zip(problem.names, sloppiest.tolist(), strict=True), key=lambda item: -abs(item[1]))
        along = tuple(item for item in parts[:4] if abs(item[1]) > 0.1)
        kept = [(_factor(spread, item.slope, at), item) for item in candidates]
        known = min((item for item in kept if item[1].known), key=lambda item: item[0], default=None)
        new = min((item for item in kept if not item[1].known), key=lambda item: item[0], default=None)
        best_one = known if known and (new is None or known[0] < HELPS or known[0] < new[0]) else new
        if best_one is None or best_one[0] > HELPS:
            found.append(Advice(name, "", "", 0.0, 1.0, False, along))
        else:
            item = best_one[1]
            labels = next(run.labels for run in problem.experiments if run.name == item.run)
            label = labels.get(item.reading, item.reading)
            found.append(Advice(name, item.reading, item.run, item.time, best_one[0], item.known, along, label,
                                problem.time_unit))  # fmt: skip
    return found


def _factor(spread: Floats, slope: Floats, at: int) -> float:
    """sd after over sd before, of one more reading (Sherman & Morrison 1950)."""
    moved = spread @ slope
    return math.sqrt(max(1.0 - float(moved[at]) ** 2 / (1.0 + float(slope @ moved)) / float(spread[at, at]), 0.0))


def _candidates(problem: Problem, best: Evaluation, run: Experiment) -> list[_Candidate]:
    """Every observable of a run, and every state that can be read, at times over the run.

    A run goes on to twice its last reading, one of a recipe no further than its phases do.
    """
    values = problem.values(best.x)
    slopes = np.array([item.slope(value) for item, value in zip(problem.parameters, values, strict=True)])
    schedule, moving = run.inputs.schedule(values), list(run.inputs.moving)
    if not moving:
        return []
    alone = schedule.lengths.shape[1] == 1 and run.readable is None
    end = float(run.times[-1]) * (2.0 if alone else 1.0)
    if run.readable is not None:
        end = min(2.0 * end, float(schedule.lengths.sum()))
    if alone:
        schedule = dataclasses.replace(schedule, lengths=np.full_like(schedule.lengths, end))
    times = np.linspace(end / CANDIDATE_TIMES, end, CANDIDATE_TIMES)
    seeds = run.inputs.seeds(values, slopes)
    found = run.compiled.run(schedule, times, rtol=1e-6, atol=run.atol, seeds=seeds, threads=1)
    if int(found.status[0]) != 0 or found.observed_by is None or found.states_by is None:
        return []
    candidates: list[_Candidate] = []
    ends = float(found.ends[0, -1])

    def add(reading: str, known: bool, sigma: Floats, by: Floats) -> None:
        for at, time in enumerate(times.tolist()):
            if sigma[at] > 0 and time <= ends:
                slope = np.zeros(len(values))
                slope[moving] = by[at] / sigma[at]
                candidates.append(_Candidate(reading, run.name, time, known, slope))

    first = {name: at for at, name in reversed(list(enumerate(run.readings.names)))}
    for name, at in first.items():
        readings = run.readings
        column, given, free = int(readings.of[at]), int(readings.sigma_of[at]), int(readings.sigma_parameter[at])
        sigma = found.observed[0][:, given] if given >= 0 else np.full(len(times), readings.sigma[at])
        sigma = np.full(len(times), values[free]) if free >= 0 else sigma
        seen, by = found.observed[0][:, column], found.observed_by[0][:, column]
        if readings.transform[at]:
            by = by / np.where(np.abs(seen) > 0, seen, np.inf)[:, None]
            by = by / (math.log(10.0) if readings.transform[at] == 2 else 1.0)
        add(name, True, sigma, by)
    for at, state in enumerate(run.compiled.system.states):
        name = state if run.readable is None else run.readable.get(state, "")
        if not name or name in first:
            continue
        size = float(np.abs(found.states[0][:, at]).max())
        add(name, False, np.full(len(times), ASSUMED_ERROR * size), found.states_by[0][:, at])
    return candidates
