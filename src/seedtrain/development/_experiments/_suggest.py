"""The next runs: Bayesian optimisation over mixed factors with limits, noise, batches, several goals and a prior."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Progress, silent
from seedtrain.base import translate as _
from seedtrain.development._experiments._acquire import best_point, log_chance, spread_points
from seedtrain.development._experiments._believed import believe
from seedtrain.development._experiments._entry import Experiment, Response
from seedtrain.development._experiments._goals import Aim
from seedtrain.development._experiments._regimes import Regime, regime
from seedtrain.development._experiments._sheet import SheetRow

Floats = NDArray[np.float64]
Prior = Callable[[Floats], dict[str, Floats]]
"""What a model predicts at points ("point, column"): by response, shape "point"."""


class Backend(Protocol):
    """Another program that chooses runs."""

    @property
    def name(self) -> str:
        """Its name and version."""
        ...

    def suggest(
        self, study: Experiment, x: Floats, y: dict[str, Floats], pending: Floats, count: int, seed: int
    ) -> Floats:
        """The next `count` points, "run, column", given runs at `x` with readings `y`, and points under way."""
        ...


BROKEN: Final = 10.0
"""How much worse a limit broken by a response's whole range is than a goal missed by its own."""
AWAY: Final = 0.2
"""Of a range: how far apart runs are that a model alone promises."""
NEARBY: Final = 0.2
"""Of a range: how far from the best run every second one lies at most."""
EXHAUSTED: Final = 0.5
"""Of a reading's noise: where less improvement is expected, other levels are tried."""
AROUND: Final = 0.3
"""Of a range: how far from the best run other levels are tried."""
MOST: Final = 384
"""Runs that are chosen at once: the wells of the largest plate."""
SAME: Final = 0.05
"""Of a range: points nearer than this are not made twice while runs are spread."""


@dataclass(frozen=True)
class Suggestion:
    """A run to make next, why, and what is expected of it: mean and standard deviation by response."""

    point: Floats
    reason: str
    expected: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Known:
    """Runs with every reading: points "run, column", readings by response, and points that are under way."""

    x: Floats
    y: dict[str, Floats]
    pending: Floats

    def part(self, which: NDArray[np.bool_]) -> _Known:
        """Of the runs made those that are marked ("run")."""
        return _Known(
            np.ascontiguousarray(self.x[which]), {name: values[which] for name, values in self.y.items()}, self.pending
        )


def first_runs(study: Experiment) -> int:
    """Runs to spread before any is chosen: a model of fewer would only guess."""
    return max(4, min(12, 2 + len(study.factors) + len(study.categorical)))


def suggest(
    study: Experiment,
    rows: Sequence[SheetRow],
    count: int = 1,
    *,
    prior: Prior | None = None,
    backend: Backend | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[Suggestion, ...]:
    """The next `count` runs, given the sheet so far; rows without readings are under way and are not asked for again.

    With a `prior` (a fitted model of the process) its predictions, scaled to the data, are the mean that the process
    departs from; a wrong prior costs a few runs, a right one saves many. A `backend` chooses instead once there are
    runs enough; what is expected of its choice is told all the same.
    """
    if count < 1:
        raise InputError(f"{count} runs are asked for", remedy="Ask for one or more.")
    if count > MOST:
        raise InputError(f"{count} runs are asked for at once, most are {MOST}",
                         remedy="Ask for fewer, and again with their results; or spread runs: seedtrain experiments "
                         "design --kind space-filling.")  # fmt: skip
    if seed < 0:
        raise InputError(f"the seed is {seed}", remedy="Give 0 or more.")
    if not any(item.goal != "none" for item in study.responses):
        raise InputError("no response has a goal", remedy="Give one: goal: maximise.")
    if any(item.mixture for item in study.factors):
        raise InputError("the components of a mixture are not chosen one after the other",
                         remedy="Leave one component out and limit the sum of the others: 'a + b <= 1'; or use "
                         "seedtrain experiments design --kind d-optimal.")  # fmt: skip
    from threadpoolctl import threadpool_limits

    known = _known(study, rows)
    if backend is not None and len(known.x) >= first_runs(study):
        return _by(backend, study, known, count, seed)
    found: list[Suggestion] = []
    with threadpool_limits(1):  # small matrices: more threads only wait for each other
        for at in range(count):
            progress(at / count, "next run")
            chosen = _next(study, known, prior, seed)
            found.append(chosen)
            known = _Known(known.x, known.y, np.vstack([known.pending, chosen.point[None]]))
    progress(1.0, "next run")
    return tuple(found)


def _known(study: Experiment, rows: Sequence[SheetRow]) -> _Known:
    used = [item.name for item in study.responses if item.goal != "none" or item.limited]
    whole = [row for row in rows if all(math.isfinite(row.readings[name]) for name in used)]
    rest = [row for row in rows if row not in whole]
    width = len(study.factors)
    x = np.array([study.point(row.values) for row in whole]).reshape(len(whole), width)
    pending = np.array([study.point(row.values) for row in rest]).reshape(len(rest), width)
    return _Known(x, {name: np.array([row.readings[name] for row in whole]) for name in used}, pending)


def _next(study: Experiment, known: _Known, prior: Prior | None, seed: int) -> Suggestion:
    needed = (first_runs(study) + 1) // 2 if prior else first_runs(study)
    if len(known.x) < needed:
        return _spread(study, known, prior, seed, needed)
    drawn = seed + 7919 * (len(known.x) + len(known.pending))
    rng = np.random.default_rng(drawn)
    told = _asked(prior, known)
    working = _working(study, known)
    used = known if working is None else known.part(working.works)
    beliefs = {name: believe(study.space, used.x, values, told.get(name), rng) for name, values in used.y.items()}
    beliefs = {name: item.joined(known.pending) for name, item in beliefs.items()}
    aim = Aim(study, beliefs, np.vstack([known.x, known.pending]), used.y, rng, working)
    point, why = _aimed(study, known, aim, drawn)
    point = study.point(study.values(point))
    expected = {name: item.predicted(point[None]) for name, item in beliefs.items()}
    moments = {name: (float(mean[0]), float(deviation[0])) for name, (mean, deviation) in expected.items()}
    words = [_reason(known, moments, aim.goals, aim.limits), *_working_words(aim, point), *why]
    return Suggestion(point, "; ".join(words), moments)


def _working(study: Experiment, known: _Known) -> Regime | None:
    """The runs that work at all, where others broke down and there is one goal."""
    goals = [item for item in study.responses if item.goal != "none"]
    if len(goals) > 1:
        return None
    value = (1.0 if goals[0].goal == "maximise" else -1.0) * known.y[goals[0].name]
    return regime(study.space, known.x, value, _holding(known, study.responses), 2 * first_runs(study))


def _working_words(aim: Aim, point: Floats) -> list[str]:
    if aim.regime is None:
        return []
    chance = math.exp(float(aim.regime.log_chance(point[None])[0]))
    told = _("{response} does not break down with {chance} %, which the rest supposes")
    return [told.format(response=aim.goals[0].name, chance=f"{100 * chance:.0f}")]


def _aimed(study: Experiment, known: _Known, aim: Aim, drawn: int) -> tuple[Floats, list[str]]:
    """Where the next run tells most, and why if not for what is expected there.

    A response may fall off steeply beside its best: every second run is looked for around the best one alone. Once
    less than noise is to be gained, other levels are tried around it: their own best lies beside it, so that a run
    or two where it is tells too little of them.
    """
    good = aim.good(known.x)
    alone = len(aim.goals) == 1 and aim.found
    nearby = alone and (len(known.x) + len(known.pending)) % 2 == 1
    point, height = best_point(study.region, aim.score, good, drawn, NEARBY if nearby else 1.0)
    if not (alone and study.categorical and height < math.log(EXHAUSTED * aim.noise)):
        return point, []

    def elsewhere(points: Floats) -> Floats:
        return aim.elsewhere(points, good[0])

    point, _height = best_point(study.region, elsewhere, good[:1], drawn, AROUND)
    return point, [_("other levels tried: with those of the best run less than noise is to be gained")]


def _holding(known: _Known, responses: Sequence[Response]) -> NDArray[np.bool_]:
    """Which runs were read to hold all limits."""
    inside = np.ones(len(known.x), bool)
    for item in responses:
        if item.limited:
            inside &= (known.y[item.name] >= item.low) & (known.y[item.name] <= item.high)
    return inside


def _by(backend: Backend, study: Experiment, known: _Known, count: int, seed: int) -> tuple[Suggestion, ...]:
    """The choice of another program, with what is expected of it here."""
    points = backend.suggest(study, known.x, known.y, known.pending, count, seed)
    points = np.array([study.point(study.values(point)) for point in points])
    rng = np.random.default_rng(seed)
    beliefs = {name: believe(study.space, known.x, values, None, rng) for name, values in known.y.items()}
    found = []
    for point in points:
        told = {name: item.predicted(point[None]) for name, item in beliefs.items()}
        moments = {name: (float(mean[0]), float(deviation[0])) for name, (mean, deviation) in told.items()}
        goals = [item for item in study.responses if item.goal != "none"]
        words = _reason(known, moments, goals, [item for item in study.responses if item.limited])
        chosen = _("chosen by {program}").format(program=backend.name)
        found.append(Suggestion(point, f"{chosen}; {words}", moments))
    return tuple(found)


def _asked(prior: Prior | None, known: _Known) -> dict[str, Callable[[Floats], Floats]]:
    """The model's prediction of each response that it knows."""
    if prior is None:
        return {}

    def of(name: str) -> Callable[[Floats], Floats]:
        return lambda points: prior(points)[name]

    return {name: of(name) for name in prior(known.x[:1]) if name in known.y}


def _spread(study: Experiment, known: _Known, prior: Prior | None, seed: int, needed: int) -> Suggestion:
    """A run of the first ones: far from those before, or, with a prior, where it expects most."""
    taken = np.vstack([known.x, known.pending])
    if prior is not None and len(taken) % 2 == 0:
        return Suggestion(_promised(study, prior, taken, seed), _("expected by the model (simulated)"))
    candidates = spread_points(study.region, 256, seed)
    rest = [item for item in candidates if not len(taken) or _apart(study, item, taken).min() > SAME]
    point = (rest or list(candidates))[0]
    told_words = _("spread: {count} of {needed} runs that come before any choice")
    words = told_words.format(count=len(known.x), needed=needed)
    return Suggestion(study.point(study.values(point)), words)


def _promised(study: Experiment, prior: Prior, taken: Floats, seed: int) -> Floats:
    """Where the model alone expects most, its limits held, away from the runs made."""
    goal = next(item for item in study.responses if item.goal != "none")
    sign = 1.0 if goal.goal == "maximise" else -1.0
    told = prior(spread_points(study.region, 256, seed))
    spreads = {name: float(np.ptp(values)) or 1.0 for name, values in told.items()}
    if goal.name not in told:
        return study.point(study.values(spread_points(study.region, 256, seed)[len(taken)]))

    def score(points: Floats) -> Floats:
        here = prior(points)
        value = sign * here[goal.name] / spreads[goal.name]
        for item in study.responses:
            if item.limited and item.name in here:
                broken = np.maximum(here[item.name] - item.high, item.low - here[item.name])
                value = value - BROKEN * np.maximum(broken / spreads[item.name], 0.0)
        if len(taken):
            near = np.array([_apart(study, point, taken).min() for point in points])
            value = value - np.where(near < AWAY, 1.0 - near / AWAY, 0.0)
        return np.asarray(value)

    point, _height = best_point(study.region, score, taken, seed)
    return study.point(study.values(point))


def _apart(study: Experiment, point: Floats, others: Floats) -> Floats:
    """Distances, a different level counting as half a range."""
    split = study.space.continuous
    squares = ((others[:, :split] - point[:split]) ** 2).sum(1)
    found: Floats = np.sqrt(squares + 0.25 * (others[:, split:] != point[split:]).sum(1))
    return found


def _reason(
    known: _Known,
    told: dict[str, tuple[float, float]],
    goals: Sequence[Response],
    limits: Sequence[Response],
) -> str:
    """What is expected, against the best so far."""
    words = []
    inside = _holding(known, limits)
    for item in goals:
        mean, deviation = told[item.name]
        unit = f" {item.unit}" if item.unit else ""
        value = f"{mean:.3g} ± {deviation:.2g}{unit}"
        text = _("{response} {value} expected").format(response=item.name, value=value)
        if inside.any():
            pick = np.max if item.goal == "maximise" else np.min
            best = f"{float(pick(known.y[item.name][inside])):.3g}"
            text += _(", best so far {best}").format(best=best)
        words.append(text)
    for item in limits:
        mean, deviation = told[item.name]
        chance = math.exp(float(log_chance(np.array([mean]), np.array([deviation]), item.low, item.high)[0]))
        told_words = _("{response} holds its limit with {chance} %")
        words.append(told_words.format(response=item.name, chance=f"{100 * chance:.0f}"))
    return "; ".join(words)
