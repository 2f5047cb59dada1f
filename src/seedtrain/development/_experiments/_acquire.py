"""Where the next runs tell most: expected improvement, the chance that limits hold, batches, several responses."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.development._experiments._surrogate import Space

Floats = NDArray[np.float64]
Score = Callable[[Floats], Floats]
CANDIDATES: Final = 512
REFINED: Final = 4
STEP: Final = 1e-6
"""Of a factor's range, for differences."""
INCUMBENTS: Final = 4
MOST_DRAWN: Final = 13
"""Logarithm (base 2) of the most points of one draw."""


def log_improvement(mean: Floats, deviation: Floats, best: float | Floats) -> Floats:
    """Logarithm of the expected improvement over `best`, exact far below it (Ament et al. 2023, NeurIPS: LogEI)."""
    from scipy import special

    z = (mean - best) / deviation
    near = np.maximum(z, -6.0)
    density = np.exp(-0.5 * near**2) / math.sqrt(2 * math.pi)
    plain = np.log(np.maximum(density + near * special.ndtr(near), 1e-300))
    below = np.maximum(-z, 6.0) ** -2
    series = np.log1p(-3 * below + 15 * below**2 - 105 * below**3 + 945 * below**4)  # of Mills' ratio
    far = -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + np.log(below) + series
    found: Floats = np.where(z > -6.0, plain, far) + np.log(deviation)
    return found


def log_chance(mean: Floats, deviation: Floats, low: float, high: float) -> Floats:
    """Logarithm of the probability that a response lies from `low` to `high` (either may be infinite)."""
    from scipy import special

    found: Floats
    if math.isinf(low):
        found = special.log_ndtr((high - mean) / deviation)
    elif math.isinf(high):
        found = special.log_ndtr((mean - low) / deviation)
    else:
        inside = special.ndtr((high - mean) / deviation) - special.ndtr((low - mean) / deviation)
        found = np.log(np.maximum(inside, 1e-300))
    return found


@dataclass(frozen=True)
class Region:
    """Where points may lie: the space, linear limits `rows @ continuous <= bounds`, and, of steps, the grid."""

    space: Space
    rows: Floats
    bounds: Floats

    def admits(self, points: Floats) -> NDArray[np.bool_]:
        """Which points hold the limits, shape "point"."""
        if not len(self.bounds):
            return np.ones(len(points), bool)
        sums: Floats = points[:, : self.space.continuous] @ self.rows.T
        return np.asarray(np.all(sums <= self.bounds + 1e-9, axis=1))


def spread_points(region: Region, count: int, seed: int) -> Floats:
    """`count` admitted points that fill the region evenly: scrambled Sobol (Owen), levels in turn.

    Where limits leave so little room that hardly any falls inside, points between its corners fill it. Raises
    `InputError` where no point holds the limits.
    """
    from scipy.stats import qmc

    space = region.space
    sampler = qmc.Sobol(max(space.size, 1), seed=seed)
    found: list[Floats] = []
    total = 0
    for _attempt in range(40):
        # Powers of two keep the sequence balanced: each further draw doubles what was drawn.
        size = max(5, math.ceil(math.log2(max(count, 2)))) if sampler.num_generated == 0 else _exponent(sampler)
        if size > MOST_DRAWN:
            break
        drawn = sampler.random_base2(size)
        for at, levels in enumerate(space.levels, space.continuous):
            drawn[:, at] = np.minimum(np.floor(drawn[:, at] * levels), levels - 1)
        kept = drawn[region.admits(drawn)]
        found.append(kept)
        total += len(kept)
        if total >= count:
            break
    if total < count:
        found.append(_between_corners(region, count - total, seed))
    return np.vstack(found)[:count]


def _exponent(sampler: Any) -> int:
    return int(sampler.num_generated).bit_length() - 1


def corners(region: Region, count: int, rng: np.random.Generator) -> Floats:
    """`count` points where limits meet, by linear programs in drawn directions, with drawn levels; "point, column"."""
    from scipy import optimize

    split = region.space.continuous
    found = []
    for _direction in range(count):
        limits = {"A_ub": region.rows, "b_ub": region.bounds} if len(region.bounds) else {}
        corner = optimize.linprog(rng.standard_normal(split), bounds=[(0, 1)] * split, **limits)
        if corner.status != 0:
            raise InputError("no run holds all limits between factors", remedy="Loosen one of the constraints.")
        found.append([*corner.x, *(rng.integers(levels) for levels in region.space.levels)])
    return np.array(found)


def _between_corners(region: Region, count: int, seed: int) -> Floats:
    """Points that are drawn between the corners of the region; limits are linear, so they hold between them too."""
    rng = np.random.default_rng(seed)
    ends = corners(region, 50, rng)
    split = region.space.continuous
    shares = rng.dirichlet(np.full(len(ends), 1 / split), size=count)
    levels = [rng.integers(item, size=count) for item in region.space.levels]
    return np.column_stack([np.clip(shares @ ends[:, :split], 0, 1), *levels])


def best_point(region: Region, score: Score, near: Floats, seed: int, reach: float = 1.0) -> tuple[Floats, float]:
    """The admitted point with the highest score: many candidates, the best refined along its continuous columns.

    - `near`: good points known, "point, column": some candidates lie around them. - `reach`: of each range, how far
      from the first of them the point may lie.
    """
    rng = np.random.default_rng(seed)
    split = region.space.continuous
    middle = np.clip(near[0, :split], 0.0, 1.0) if len(near) else np.full(split, 0.5)
    ends = np.clip([middle - reach, middle + reach], 0.0, 1.0)
    candidates = _candidates(region, near, ends, rng)
    if not len(candidates):  # the best run itself broke the limits between factors
        return best_point(region, score, near, seed)
    scores = score(candidates)
    order = np.argsort(-scores)
    best, value = candidates[order[0]], float(scores[order[0]])
    taken: list[Floats] = []
    for at in order:
        if len(taken) == REFINED:
            break
        if all(np.abs(candidates[at] - other).max() > 0.05 for other in taken):
            taken.append(candidates[at])
    for point in taken:
        found, height = _climbed(region, score, point, ends)
        if height > value:
            best, value = found, height
    others = np.array(_neighbours(region.space, best)).reshape(-1, region.space.size)
    if len(others):
        levels = score(others)
        for at in np.argsort(-levels)[:2]:
            found, height = _climbed(region, score, others[at], ends)
            if height > value:
                best, value = found, height
    return best, value


def _candidates(region: Region, near: Floats, ends: Floats, rng: np.random.Generator) -> Floats:
    """Points to begin from, their continuous columns between `ends` ("end, column")."""
    space = region.space
    spread = spread_points(region, CANDIDATES, int(rng.integers(2**31)))
    spread[:, : space.continuous] = ends[0] + spread[:, : space.continuous] * (ends[1] - ends[0])
    drawn = [spread[region.admits(spread)]]
    for size in (0.05, 0.2):
        if len(near):
            around = near[rng.integers(len(near), size=CANDIDATES // 4)].copy()
            moved = rng.random(around[:, : space.continuous].shape) < 0.5
            shift = rng.normal(0, size, moved.shape) * moved
            around[:, : space.continuous] = np.clip(around[:, : space.continuous] + shift, *ends)
            for at, levels in enumerate(space.levels, space.continuous):
                swap = rng.random(len(around)) < 0.2
                around[swap, at] = rng.integers(levels, size=int(swap.sum()))
            drawn.append(around[region.admits(around)])
    return np.vstack(drawn)


def _climbed(region: Region, score: Score, point: Floats, ends: Floats) -> tuple[Floats, float]:
    """Uphill from `point` along its continuous columns, between `ends` ("end, column"); its levels are kept."""
    from scipy import optimize

    split = region.space.continuous
    value = float(score(point[None])[0])
    if split == 0:
        return point, value
    levels = point[split:]
    method = "SLSQP" if len(region.bounds) else "L-BFGS-B"
    limits = [optimize.LinearConstraint(region.rows, -np.inf, region.bounds)] if len(region.bounds) else ()

    def down(x: Floats) -> tuple[float, Floats]:
        # Inwards at the far end: a step outside would ask where no run can be.
        steps = np.where(x < ends.mean(0), STEP, -STEP)
        points = np.repeat(np.concatenate([x, levels])[None], split + 1, 0)
        points[1 + np.arange(split), np.arange(split)] += steps
        values = score(points)
        return -float(values[0]), -(values[1:] - values[0]) / steps

    found = optimize.minimize(
        down, point[:split], jac=True, method=method, bounds=list(zip(*ends, strict=True)), constraints=limits,
        options={"maxiter": 25},
    )  # fmt: skip
    end = np.concatenate([np.clip(found.x, *ends), levels])
    height = -float(found.fun)
    return (end, height) if height > value and region.admits(end[None])[0] else (point, value)


def _neighbours(space: Space, point: Floats) -> list[Floats]:
    """`point` with another level of one factor, each in turn."""
    found = []
    for at, levels in enumerate(space.levels, space.continuous):
        for level in range(levels):
            if level != point[at]:
                other = point.copy()
                other[at] = level
                found.append(other)
    return found


def weighted(values: Floats, weights: Sequence[float]) -> Floats:
    """Several responses ("point, response", each scaled to 0 .. 1, more is better) as one: augmented Tchebycheff.

    With drawn weights its maxima are the whole Pareto front (Knowles 2006, IEEE Trans Evol Comput 10:50: ParEGO).
    """
    scaled = values * np.asarray(weights)
    found: Floats = scaled.min(1) + 0.05 * scaled.sum(1)
    return found


def pareto(values: Floats) -> NDArray[np.bool_]:
    """Which rows no other row beats in every column ("point, response", more is better)."""
    above = np.all(values[None] >= values[:, None], axis=2) & np.any(values[None] > values[:, None], axis=2)
    return np.asarray(~np.any(above, axis=1))


def over_draws(means: Floats, deviations: Floats, bests: Floats) -> Floats:
    """Logarithm of the improvement that is expected over what the best run so far truly gave, where readings are noisy.

    - `means`, `deviations`: shape "set, point". - `bests`: equally likely values, "set, value" (Letham et al. 2019,
      Bayesian Analysis 14:495).
    """
    values = log_improvement(means[:, None, :], deviations[:, None, :], bests[:, :, None])
    flat = values.reshape(-1, means.shape[1])
    top = flat.max(0)
    found: Floats = top + np.log(np.exp(flat - top).mean(0))
    return found


def incumbents(drawn: Floats, admitted: Floats, spread: float) -> Floats:
    """A few equally likely values of the best run so far.

    - `drawn`: of the runs, "draw, run". - `admitted`: probability that each run holds the limits. - `spread`: how far
      values lie apart: where no run holds them, any value improves.
    """
    if not (admitted > 0.5).any():
        return np.full(INCUMBENTS, float(drawn.min()) - 3 * spread)
    bests = drawn[:, admitted > 0.5].max(1)
    found: Floats = np.quantile(bests, (np.arange(INCUMBENTS) + 0.5) / INCUMBENTS)
    return found
