"""The search: Fisher scoring in a box, from many starts.

A step minimises the quadratic model inside the bounds and a box around the point, whose size follows how well the model
told the objective (a trust region in the maximum norm; Conn, Gould & Toint 2000, Trust-Region Methods, chapter 6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.development._estimation._inputs import Floats
from seedtrain.development._estimation._problem import RTOL, Evaluation, Problem

RIDGE: Final = 1e-11
"""Of the largest curvature: keeps directions that the data do not see from making the equations singular."""
GAIN: Final = 1e-5
"""Expected gain in the objective at which a search ends: far below what any statistic resolves."""
SMALLEST: Final = 1e-7
MOST: Final = 400
SHORT: Final = 60
COARSE: Final = 0.02
"""Most simulations, and the gain at which it ends, of a descent that only finds out which valley it is in."""
PAIRS: Final = 15
DRAWN: Final = 64
KEPT: Final = 4
GLANCE: Final = 25
WORTH: Final = 0.5
"""A hop draws `DRAWN` points for each of up to `PAIRS` pairs, descends from `KEPT` of them for `GLANCE` simulations,
and goes on where that comes within `WORTH` of the lowest objective. Chosen on Boehm's problem (docs/validation.md)."""


@dataclass(frozen=True)
class Descent:
    """One search: where it ended, how often the model was simulated, and why it ended."""

    end: Evaluation
    evaluations: int
    converged: bool
    words: str


def descend(
    problem: Problem,
    start: Floats,
    *,
    held: tuple[int, ...] = (),
    most: int = MOST,
    rtol: float = RTOL,
    gain: float = GAIN,
    radius: float = 1.0,
) -> Descent:
    """The nearest minimum from `start` with the parameters `held` where they are; arguments on the search's scale."""
    best_noise = not set(held) & set(problem.noise)
    here = problem.evaluate(np.clip(start, problem.low, problem.high), best_noise=best_noise, rtol=rtol)
    count, words, flat = 1, "the most simulations allowed were made", 0
    free = np.array([at not in held and not (best_noise and at in problem.noise) for at in range(len(start))])
    if not here.good or not free.any():
        return Descent(here, count, here.good, "nothing to search" if here.good else "the start cannot be simulated")
    size = radius
    while count < most:
        low, high = _box(problem, here.x, size, free)
        step = box_step(here.gradient, here.fisher, low, high)
        expected = -float(here.gradient @ step + 0.5 * step @ here.fisher @ step)
        if expected < gain * (0.1 if size < 0.1 else 1.0):
            words = "converged"
            break
        there = problem.evaluate(here.x + step, best_noise=best_noise, rtol=rtol)
        count += 1
        actual = here.objective - there.objective
        quality = actual / expected if math.isfinite(actual) else -1.0
        long = float(np.max(np.abs(step[free]) / problem.widths[free]))
        if quality < 0.25:
            size = 0.3 * min(size, long)
        elif quality > 0.75 and long > 0.8 * size:
            size = min(2.5 * size, 4.0)
        if actual > 0:
            flat = flat + 1 if actual < gain else 0
            here = there
            if flat >= 3:
                words = "converged"
                break
        elif size < SMALLEST or (math.isfinite(actual) and abs(actual) < gain and expected < 10 * gain):
            words = "converged"
            break
    return Descent(here, count, words == "converged", words)


def _box(problem: Problem, x: Floats, size: float, free: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    reach = np.where(free, size * problem.widths, 0.0)
    return np.maximum(problem.low - x, -reach), np.minimum(problem.high - x, reach)


def box_step(gradient: Floats, curvature: Floats, low: Floats, high: Floats) -> Floats:
    """The minimum of g'p + p'Hp/2 over low <= p <= high (which hold 0), H not negative: an active-set method."""
    n = len(gradient)
    step = np.zeros(n)
    H = curvature + RIDGE * max(float(np.abs(np.diag(curvature)).max()), 1e-300) * np.eye(n)
    free = (low < high) & ~((low >= 0) & (gradient > 0)) & ~((high <= 0) & (gradient < 0))
    for _ in range(6 * n + 6):
        slope = gradient + H @ step
        if free.any():
            move = np.zeros(n)
            chosen = np.flatnonzero(free)
            try:
                move[chosen] = np.linalg.solve(H[np.ix_(chosen, chosen)], -slope[chosen])
            except np.linalg.LinAlgError:
                move[chosen] = -slope[chosen] / np.diag(H)[chosen]
            room = np.where(move > 0, high - step, low - step)
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.where(np.abs(move) > 0, room / move, np.inf)
            first = int(np.argmin(np.where(free, share, np.inf)))
            if share[first] < 1.0:
                step = np.clip(step + max(share[first], 0.0) * move, low, high)
                step[first] = high[first] if move[first] > 0 else low[first]
                free[first] = False
                continue
            step = np.clip(step + move, low, high)
            slope = gradient + H @ step
        wrong = np.where(~free & (low < high), np.where(step <= low, -slope, slope), 0.0)
        wrong = np.where((step <= low) & (step >= high), 0.0, wrong)
        worst = int(np.argmax(wrong))
        if wrong[worst] <= 1e-12 * (1.0 + np.abs(gradient).max()):
            break
        free[worst] = True
    return step


def starts(problem: Problem, count: int, seed: int, screen: int = 1) -> Floats:
    """`count` starting points, spread by Sobol's sequence over the bounds; the nominal values are not among them.

    - `screen`: so many times more are simulated, many at a time, and the best kept.
    """
    from scipy.stats import qmc

    wanted = count * max(screen, 1)
    spread = qmc.Sobol(len(problem.parameters), seed=seed).random(2 ** max(math.ceil(math.log2(wanted)), 0))[:wanted]
    points = problem.low + (problem.high - problem.low) * spread
    if screen <= 1:
        return np.asarray(points)
    order = np.argsort(problem.objectives(points), kind="stable")
    return np.asarray(points[order[:count]])


def search(problem: Problem, start: Floats, *, seed: int = 0, hops: int = 0) -> Descent:
    """A descent from `start`, then `hops` attempts to leave its valley; the lowest end of all.

    A hop moves pairs of coordinates of the lowest point anywhere in their bounds, simulates all of that in the engine's
    lanes, and descends a little from the best pairs: where a flat direction has run into a bound, two parameters must
    move together before the objective falls.
    """
    dice = np.random.default_rng(seed)
    best = descend(problem, start, most=SHORT, gain=COARSE)
    count = best.evaluations
    for _ in range(hops):
        found = [
            descend(problem, point, most=GLANCE, gain=2 * COARSE) for point in _elsewhere(problem, best.end.x, dice)
        ]
        count += sum(item.evaluations for item in found)
        found.sort(key=lambda item: item.end.objective)
        if found and found[0].end.objective < best.end.objective + WORTH:
            further = descend(problem, found[0].end.x, most=SHORT, gain=COARSE)
            count += further.evaluations
            best = further if further.end.objective < best.end.objective - COARSE else best
    return Descent(best.end, count, best.converged, best.words)


def _elsewhere(problem: Problem, x: Floats, dice: np.random.Generator) -> list[Floats]:
    """Points that differ from `x` in two coordinates by a long step each: the best of the best pairs."""
    searched = [at for at in range(len(x)) if at not in problem.noise]
    pairs = list(combinations(searched, 2))
    chosen = [pairs[at] for at in dice.permutation(len(pairs))[:PAIRS]]
    groups = []
    for pair in chosen:
        points = np.tile(x, (DRAWN, 1))
        for at in pair:
            points[:, at] = dice.uniform(problem.low[at], problem.high[at], DRAWN)
        far = (np.abs(points - x)[:, list(pair)] > 1.5 * problem.widths[list(pair)]).all(axis=1)
        if far.any():
            groups.append(points[far])
    if not groups:
        return []
    worth = np.split(problem.objectives(np.concatenate(groups)), np.cumsum([len(group) for group in groups])[:-1])
    best = [(float(each.min()), group[int(np.argmin(each))]) for each, group in zip(worth, groups, strict=True)]
    best.sort(key=lambda item: item[0])
    return [point for value, point in best[:KEPT] if math.isfinite(value)]
