"""The next runs: Bayesian optimisation over mixed factors with limits, noise, batches, several goals and a prior."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Progress, silent
from seedtrain.base import translate as _
from seedtrain.development._experiments._acquire import (
    Score,
    best_point,
    improvement_over_draws,
    log_chance,
    pareto,
    spread_points,
    weighted,
)
from seedtrain.development._experiments._entry import Experiment, Response
from seedtrain.development._experiments._sheet import SheetRow
from seedtrain.development._experiments._surrogate import Surrogate, fit_surrogate, sample_surrogates

Floats = NDArray[np.float64]
Prior = Callable[[Floats], dict[str, Floats]]
"""What a model predicts at points ("point, column"): by response, shape "point"."""
SETS: Final = 8
"""Sets of hyperparameters that a suggestion is agreed by."""
FEASIBLE: Final = 0.5
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


def first_runs(study: Experiment) -> int:
    """Runs to spread before any is chosen: a model of fewer would only guess."""
    return max(4, min(12, 2 + len(study.factors) + len(study.categorical)))


def suggest(
    study: Experiment,
    rows: Sequence[SheetRow],
    count: int = 1,
    *,
    prior: Prior | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[Suggestion, ...]:
    """The next `count` runs, given the sheet so far; rows without readings are under way and are not asked for again.

    With a `prior` (a fitted model of the process) its predictions, scaled to the data, are the mean that the process
    departs from; a wrong prior costs a few runs, a right one saves many.
    """
    if count < 1:
        raise InputError(f"{count} runs are asked for", remedy="Ask for one or more.")
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
    shifts, models = {}, {}
    for name, values in known.y.items():
        shifts[name], fitted = _departed(study, known, name, prior)
        models[name] = _models(known, fitted, values - shifts[name](known.x), rng)
    goals = [item for item in study.responses if item.goal != "none"]
    limits = [item for item in study.responses if item.limited]
    objective = _objective(study, known, models, shifts, goals, limits, rng, drawn)
    near = _good(known, models, shifts, goals, limits)
    point, _height = best_point(study.region, objective, near, drawn)
    point = study.point(study.values(point))
    expected = {name: _moments(models[name], shifts[name], point[None]) for name in known.y}
    told = {name: (float(mean[0]), float(deviation[0])) for name, (mean, deviation) in expected.items()}
    return Suggestion(point, _reason(study, known, told, goals, limits), told)


def _spread(study: Experiment, known: _Known, prior: Prior | None, seed: int, needed: int) -> Suggestion:
    """A run of the first ones: far from those before, or, with a prior, where it expects most."""
    taken = np.vstack([known.x, known.pending])
    candidates = spread_points(study.region, 256, seed)
    if prior is not None and len(taken) % 2 == 0:
        goal = next(item for item in study.responses if item.goal != "none")
        sign = 1.0 if goal.goal == "maximise" else -1.0
        told = prior(candidates)
        value = sign * told[goal.name]
        for item in study.responses:
            if item.limited and item.name in told:
                value = np.where(
                    (told[item.name] >= item.low) & (told[item.name] <= item.high), value, value - np.ptp(value) - 1
                )
        order = np.argsort(-value)
        apart = [at for at in order if not len(taken) or _apart(study, candidates[at], taken).min() > SAME]
        return Suggestion(
            study.point(study.values(candidates[apart[0] if apart else order[0]])),
            _("expected by the model (simulated)"),
        )
    rest = [item for item in candidates if not len(taken) or _apart(study, item, taken).min() > SAME]
    point = (rest or list(candidates))[0]
    told_words = _("spread: {count} of {needed} runs that come before any choice")
    words = told_words.format(count=len(known.x), needed=needed)
    return Suggestion(study.point(study.values(point)), words)


def _apart(study: Experiment, point: Floats, others: Floats) -> Floats:
    """Distances, a different level counting as half a range."""
    split = study.space.continuous
    squares = ((others[:, :split] - point[:split]) ** 2).sum(1)
    found: Floats = np.sqrt(squares + 0.25 * (others[:, split:] != point[split:]).sum(1))
    return found


def _shift(name: str, known: _Known, prior: Prior | None) -> Callable[[Floats], Floats]:
    """The prior's prediction of a response, scaled to the data by least squares; nothing without a prior."""
    if prior is None:
        return lambda points: np.zeros(len(points))
    told = prior(known.x).get(name)
    if told is None or np.ptp(told) == 0:
        return lambda points: np.zeros(len(points))
    own = known.y[name]
    # Towards slope 1, the model as it stands, with the weight of four runs.
    centred = told - told.mean()
    weight = 4 * float(np.var(told))
    slope = (float(centred @ (own - own.mean())) + weight) / (float(centred @ centred) + weight)
    slope = max(slope, 0.0)
    offset = float(own.mean()) - slope * float(told.mean())
    return lambda points: slope * prior(points)[name] + offset


def _departed(
    study: Experiment, known: _Known, name: str, prior: Prior | None
) -> tuple[Callable[[Floats], Floats], Surrogate]:
    """The prior's share of a response, and the process of the rest; none of it where the runs speak against it."""
    own = known.y[name]
    plain = fit_surrogate(study.space, known.x, own)
    shift = _shift(name, known, prior)
    if prior is not None:
        departing = fit_surrogate(study.space, known.x, own - shift(known.x))
        if departing.evidence >= plain.evidence:
            return shift, departing
    return (lambda points: np.zeros(len(points))), plain


def _models(known: _Known, found: Surrogate, y: Floats, rng: np.random.Generator) -> tuple[Surrogate, ...]:
    """Processes of one response, runs under way filled in with what is expected of them."""
    drawn = sample_surrogates(found, y, SETS, rng)
    if not len(known.pending):
        return drawn
    return tuple(item.joined(known.pending, item.predicted(known.pending)[0]) for item in drawn)


def _moments(models: Sequence[Surrogate], shift: Callable[[Floats], Floats], points: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of a response over all sets of hyperparameters."""
    told = [item.predicted(points) for item in models]
    means = np.array([mean for mean, _deviation in told])
    variance = np.array([deviation**2 for _mean, deviation in told]).mean(0) + means.var(0)
    return means.mean(0) + shift(points), np.sqrt(variance)


def _objective(
    study: Experiment,
    known: _Known,
    models: dict[str, tuple[Surrogate, ...]],
    shifts: dict[str, Callable[[Floats], Floats]],
    goals: Sequence[Response],
    limits: Sequence[Response],
    rng: np.random.Generator,
    seed: int,
) -> Score:
    """The logarithm of the improvement that is expected, times the chance that all limits hold."""
    seen = np.vstack([known.x, known.pending])
    chance = np.exp(_log_chances(models, shifts, limits, seen))
    parts = _goal_scores(study, known, models, shifts, goals, seen, chance, rng, seed)

    def score(points: Floats) -> Floats:
        values = np.stack([part(points) for part in parts])
        top = values.max(0)
        found: Floats = top + np.log(np.exp(values - top).mean(0)) + _log_chances(models, shifts, limits, points)
        return found

    if not (chance > FEASIBLE).any():  # first find where the limits hold at all
        return lambda points: _log_chances(models, shifts, limits, points) + 0.1 * score(points)
    return score


def _log_chances(
    models: dict[str, tuple[Surrogate, ...]],
    shifts: dict[str, Callable[[Floats], Floats]],
    limits: Sequence[Response],
    points: Floats,
) -> Floats:
    total = np.zeros(len(points))
    for item in limits:
        mean, deviation = _moments(models[item.name], shifts[item.name], points)
        total = total + log_chance(mean, deviation, item.low, item.high)
    return total


class _Combined:
    """One goal, or several as one with drawn weights, looking like a process to the acquisition."""

    def __init__(
        self, models: Sequence[Surrogate], shifts: Sequence[Callable[[Floats], Floats]], signs: Sequence[float],
        weights: Sequence[float], scales: Sequence[tuple[float, float]],
    ) -> None:  # fmt: skip
        self.models, self.shifts, self.signs, self.weights, self.scales = models, shifts, signs, weights, scales
        self.spread = models[0].spread if len(models) == 1 else 1.0

    def _one(self, values: Sequence[Floats]) -> Floats:
        """Signed and, of several goals, scaled to 0 .. 1 and joined; the last axis is the point."""
        signed = [sign * value for sign, value in zip(self.signs, values, strict=True)]
        if len(signed) == 1:
            return signed[0]
        scaled = [(v - low) / wide for v, (low, wide) in zip(signed, self.scales, strict=True)]
        stacked = np.stack(scaled, axis=-1)
        return weighted(stacked.reshape(-1, len(signed)), self.weights).reshape(stacked.shape[:-1])

    def samples(self, points: Floats, count: int, rng: np.random.Generator) -> Floats:
        """Joint draws, "draw, point"."""
        pairs = zip(self.models, self.shifts, strict=True)
        return self._one([model.samples(points, count, rng) + shift(points) for model, shift in pairs])

    def predicted(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation, "point"; of several goals by their joined quantiles."""
        pairs = zip(self.models, self.shifts, strict=True)
        both = [(model.predicted(points), shift(points)) for model, shift in pairs]
        told = [(mean + shift, deviation) for (mean, deviation), shift in both]
        if len(told) == 1:
            return self.signs[0] * told[0][0], told[0][1]
        nodes = np.random.default_rng(0).standard_normal((64, len(told)))
        drawn = self._one([m[None] + d[None] * nodes[:, k : k + 1] for k, (m, d) in enumerate(told)])
        return drawn.mean(0), np.maximum(drawn.std(0), 1e-9)


def _goal_scores(
    study: Experiment,
    known: _Known,
    models: dict[str, tuple[Surrogate, ...]],
    shifts: dict[str, Callable[[Floats], Floats]],
    goals: Sequence[Response],
    seen: Floats,
    chance: Floats,
    rng: np.random.Generator,
    seed: int,
) -> list[Score]:
    signs = [1.0 if item.goal == "maximise" else -1.0 for item in goals]
    scales = [
        (float((s * known.y[g.name]).min()), float(np.ptp(known.y[g.name])) or 1.0)
        for s, g in zip(signs, goals, strict=True)
    ]
    found = []
    for at in range(SETS):
        weights = rng.dirichlet(np.ones(len(goals)))
        combined = _Combined(
            [models[item.name][at] for item in goals],
            [shifts[item.name] for item in goals],
            signs,
            list(weights),
            scales,
        )
        found.append(improvement_over_draws(combined, seen, chance, seed + at))
    return found


def _good(
    known: _Known,
    models: dict[str, tuple[Surrogate, ...]],
    shifts: dict[str, Callable[[Floats], Floats]],
    goals: Sequence[Response],
    limits: Sequence[Response],
) -> Floats:
    """Points of runs that are best so far: around them candidates lie."""
    chance = np.exp(_log_chances(models, shifts, limits, known.x))
    columns = [
        (1.0 if g.goal == "maximise" else -1.0) * _moments(models[g.name], shifts[g.name], known.x)[0] for g in goals
    ]
    values = np.column_stack(columns)
    if len(goals) > 1:
        kept = pareto(values) & (chance > FEASIBLE)
        return known.x[kept] if kept.any() else known.x[np.argsort(-chance)[:3]]
    order = np.argsort(-(values[:, 0] - np.where(chance > FEASIBLE, 0.0, np.ptp(values) + 1.0)))
    return known.x[order[:3]]


def _reason(
    study: Experiment,
    known: _Known,
    told: dict[str, tuple[float, float]],
    goals: Sequence[Response],
    limits: Sequence[Response],
) -> str:
    """What is expected, against the best so far."""
    words = []
    inside = np.ones(len(known.x), bool)
    for item in limits:
        inside &= (known.y[item.name] >= item.low) & (known.y[item.name] <= item.high)
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
