"""Tests of a finished table against fresh linear programmes, where tables go wrong: faces, kinks, and anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seedtrain.simulation._metabolism._certify import Facets, Maps
from seedtrain.simulation._metabolism._program import Floats, Program
from seedtrain.simulation._metabolism._solver import Solver, best_growth

RANDOM_POINTS = 100
FACE_POINTS = 100
KINKS = 40
GROWTH_POINTS = 30
SHORT = 1e-6  # mmol/gDW/h of a demand not met


@dataclass(frozen=True)
class Examination:
    """Largest differences of any flux, mmol/gDW/h, by kind of point, and of growth, 1/h, against growth alone.

    `growth_while_short`: the fastest growth, 1/h, at a tested point where a demand is not met; above zero where the
    demand's penalty is too small to go before growth.
    """

    random: float
    face: float
    kink: float
    growth_loss: float
    growth_while_short: float


def examine(program: Program, solver: Solver, facets: Facets, maps: Maps, *, seed: int = 1) -> Examination:
    """Hold a table against the programme at points that had no part in making it."""
    draw = np.random.default_rng(seed)
    low, size = program.low, program.high - program.low

    def outputs(theta: Floats) -> Floats:
        region = int(np.argmin(facets.alpha @ theta + facets.beta))
        return np.asarray(maps.A[region] @ theta + maps.b[region])

    def off(theta: Floats) -> float:
        return float(np.abs(outputs(theta) - solver.solve(theta).outputs).max())

    unit = draw.random((RANDOM_POINTS, len(low)))
    anywhere = [low + size * item for item in unit]
    sides = draw.random((FACE_POINTS, len(low)))
    for item in sides:
        chosen = draw.choice(len(low), draw.integers(1, len(low)), replace=False)
        item[chosen] = draw.integers(0, 2, len(chosen)) * (draw.random(len(chosen)) < 0.3)  # more often at zero
    astride = [point for _ in range(KINKS) for point in _kink(draw, low, size, facets)]
    sided = [low + size * item for item in sides]
    tried = [outputs(theta) for theta in (*anywhere, *sided)] if program.deficits else []
    short = [found[0] for found in tried if found[-program.deficits :].max() > SHORT]
    free = best_growth(program)
    loss = max(free.solve(theta).outputs[0] - outputs(theta)[0] for theta in anywhere[:GROWTH_POINTS])
    return Examination(
        random=max(map(off, anywhere)),
        face=max(map(off, sided)),
        kink=max(map(off, astride), default=0.0),
        growth_loss=max(float(loss), 0.0),
        growth_while_short=max(float(max(short, default=0.0)), 0.0),
    )


def _kink(draw: np.random.Generator, low: Floats, size: Floats, facets: Facets) -> list[Floats]:
    """Two points astride a border of regions, as near as numbers allow; none where the two drawn share a region."""

    def region(theta: Floats) -> int:
        return int(np.argmin(facets.alpha @ theta + facets.beta))

    one, other = low + size * draw.random((2, len(low)))
    first = region(one)
    if region(other) == first:
        return []
    for _ in range(55):
        middle = (one + other) / 2
        if region(middle) == first:
            one = middle
        else:
            other = middle
    return [one, other]
