"""Certified compilation: cuts are added until every vertex of their envelope is an optimum of the linear programme.

The value of the programme is concave in the moving bounds, and every optimal basis bounds it from above by an affine
cut. Once the programme attains the envelope at each of the envelope's vertices, it attains it everywhere in between
(concavity), so that the table of cuts is the value function on the whole box: completeness is proven, not sampled
(outer approximation: Benson 1998, doi:10.1023/A:1008215702611). The same argument holds for the fluxes of each region,
as a convex combination of optimal fluxes is optimal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Progress, UnavailableError, silent
from seedtrain.base import translate as _
from seedtrain.simulation._metabolism._envelope import EnumerationError, cell, vertices
from seedtrain.simulation._metabolism._program import Floats, Program
from seedtrain.simulation._metabolism._solver import Region, Solver

GAP: Final = 2e-9
"""1/h: how far the envelope may lie above the programme at a vertex."""
LOOSE_GAP: Final = 1e-8
"""1/h: the same after `PATIENT` rounds: the solver's tolerance leaves as much, and chasing it breeds cuts of noise."""
PATIENT: Final = 6
SAME_CUT: Final = 4e-9
"""In units of the box: cuts nearer than this are one; nearer ones would break the enumeration."""
STARTS: Final = 60
MOST_ROUNDS: Final = 100
MOST_REGIONS: Final = 4000
_GRID: Final = 8  # decimals of unit coordinates in which two vertices are the same


@dataclass
class Cover:
    """The cuts found so far, and the optimum at every vertex that was looked at."""

    program: Program
    solver: Solver
    alpha: list[Floats] = field(default_factory=list)
    beta: list[float] = field(default_factory=list)
    optima: dict[bytes, tuple[float, Floats]] = field(default_factory=dict)
    dual_slack: float = 0.0
    gap: float = 0.0  # largest at a vertex of the last round
    floor: float = -math.inf  # below every value in the box

    def theta(self, unit: Floats) -> Floats:
        """Box coordinates of unit ones."""
        return np.asarray(self.program.low + (self.program.high - self.program.low) * unit)

    @property
    def cuts(self) -> tuple[Floats, Floats]:
        """All cuts as arrays."""
        return np.array(self.alpha), np.array(self.beta)

    def height(self, unit: Floats) -> Floats:
        """The envelope at unit coordinates (k x p)."""
        alpha, beta = self.cuts
        return np.asarray((self.theta(unit) @ alpha.T + beta).min(axis=1))

    def optimum(self, unit: Floats) -> tuple[float, Floats]:
        """Value and outputs at a vertex, solved once."""
        key = _key(unit)
        if key not in self.optima:
            found = self.solver.solve(self.theta(unit))
            self.optima[key] = found.value, found.outputs
        return self.optima[key]

    def add(self, theta: Floats) -> bool:
        """The cut of the optimal basis at `theta`; whether it was new."""
        region = self.solver.region(theta)
        self.dual_slack = max(self.dual_slack, region.dual_slack)
        if self.alpha and self._nearest(region.alpha, region.beta) < SAME_CUT:
            return False
        self.alpha.append(region.alpha)
        self.beta.append(region.beta)
        return True

    def _nearest(self, alpha: Floats, beta: float) -> float:
        size = self.program.high - self.program.low
        steep = np.abs((np.array(self.alpha) - alpha) * size).max(axis=1)
        return float(np.maximum(steep, np.abs(np.array(self.beta) - beta)).min())


@dataclass(frozen=True)
class Facets:
    """The finished envelope: for each cut that bounds it, its vertices in unit coordinates."""

    alpha: Floats
    beta: Floats
    corners: tuple[Floats, ...]


def cover(program: Program, solver: Solver, *, seed: int = 0, progress: Progress = silent) -> tuple[Cover, Facets]:
    """Cuts until no vertex of the envelope, enumerated in two independent ways, lies above the programme.

    Raises `InputError` where there are too many regions to certify, `UnavailableError` where the vertices cannot be
    enumerated.
    """
    found = Cover(program, solver)
    # More uptake and less demand never cost growth, but for the tie-break's small change: the worst corner is known.
    worst = np.array([item.low if item.kind == "uptake" else item.high for item in program.moving])
    least = solver.solve(worst).value
    found.floor = least - 0.5 * abs(least) - 1.0
    draw = np.random.default_rng(seed)
    for _start in range(STARTS):
        found.add(found.theta(draw.random(len(program.low))))
    for number in range(MOST_ROUNDS):
        corners, heights = _enumerate(found)
        allowed = GAP if number < PATIENT else LOOSE_GAP
        added = _tighten(found, corners, heights, allowed)
        if not added:
            facets = _cells(found)
            corners = np.unique(np.vstack(facets.corners), axis=0)
            added = _tighten(found, corners, found.height(corners), allowed)
            if not added:
                words = _("{regions} regions hold at {vertices} vertices")
                progress(0.9, words.format(regions=len(facets.beta), vertices=len(corners)))
                return found, facets
        share = min(max(math.log10(max(found.gap, 1e-8)) / -8.0, 0.0), 1.0)
        words = _("round {number}: {cuts} cuts, {vertices} vertices, gap {gap} 1/h")
        gap = f"{found.gap:.1e}"
        progress(0.9 * share, words.format(number=number + 1, cuts=len(found.beta), vertices=len(corners), gap=gap))
        if len(found.beta) > MOST_REGIONS:
            break
    raise InputError(
        f"the table of {program.name} has more than {len(found.beta)} regions (gap {found.gap:.1e} 1/h)",
        remedy="Move fewer bounds, narrow their ranges, or compile lazily (lazy=True).",
    )


def _enumerate(found: Cover) -> tuple[Floats, Floats]:
    program = found.program
    try:
        return vertices(*found.cuts, program.low, program.high, found.floor)
    except EnumerationError:
        raise _coplanar(program) from None


def _cells(found: Cover) -> Facets:
    """The cuts that are the lowest somewhere in full dimension, each with the vertices of its region."""
    program = found.program
    keep, own = [], []
    for number in range(len(found.beta)):
        try:
            corners = cell(number, *found.cuts, program.low, program.high)
        except EnumerationError:
            raise _coplanar(program) from None
        if corners is not None:
            keep.append(number)
            own.append(corners)
    alpha, beta = found.cuts
    return Facets(alpha[keep], beta[keep], tuple(own))


def _coplanar(program: Program) -> UnavailableError:
    return UnavailableError(
        f"the regions of {program.name} are too close to coplanar to be enumerated",
        remedy="Narrow the ranges of the moving bounds a little, or compile lazily (lazy=True).",
    )


def _tighten(found: Cover, corners: Floats, heights: Floats, allowed: float) -> int:
    """Cut off every vertex that lies above the programme by more than `allowed`; how many cuts that took."""
    order = sorted(range(len(corners)), key=lambda item: tuple(np.round(corners[item], 3)))
    before, found.gap = len(found.beta), 0.0
    for item in order:  # neighbours after each other: their optimal bases are alike
        unit, height = corners[item], heights[item]
        if len(found.beta) > before:
            fresh = np.array(found.alpha[before:]) @ found.theta(unit) + np.array(found.beta[before:])
            if fresh.min() < height - allowed:
                continue  # a cut of this round already removed it
        gap = float(height - found.optimum(unit)[0])
        found.gap = max(found.gap, gap)
        if gap > allowed:
            found.add(found.theta(unit))
    return len(found.beta) - before


@dataclass(frozen=True)
class Maps:
    """Outputs on each region: `A` (regions x outputs x p), `b`; `gap` (regions): largest error at its vertices."""

    A: Floats
    b: Floats
    gap: Floats
    fitted: int


def flux_maps(found: Cover, facets: Facets) -> Maps:
    """The affine map of the outputs on each region, held against the optimal fluxes at all of the region's vertices."""
    slopes, offsets, gaps, fitted = [], [], [], 0
    for alpha, beta, corners in zip(facets.alpha, facets.beta, facets.corners, strict=True):
        theta = found.theta(corners)
        wanted = np.array([found.optimum(unit)[1] for unit in corners])
        region = _inside(found, theta, alpha, float(beta))
        slope, offset = _fit(theta, wanted) if region is None else (region.A, region.b)
        fitted += region is None
        slopes.append(slope)
        offsets.append(offset)
        gaps.append(float(np.abs(theta @ slope.T + offset - wanted).max()))
    return Maps(np.array(slopes), np.array(offsets), np.array(gaps), fitted)


def _inside(found: Cover, theta: Floats, alpha: Floats, beta: float) -> Region | None:
    """The region whose basis gives the cut (alpha, beta): at the centroid or, if that is a tie, at further points."""
    draw = np.random.default_rng(0)
    size = found.program.high - found.program.low
    for number in range(6):
        mix = np.full(len(theta), 1 / len(theta)) if number == 0 else draw.dirichlet(np.ones(len(theta)))
        region = found.solver.region(mix @ theta)
        if max(np.abs((region.alpha - alpha) * size).max(), abs(region.beta - beta)) < SAME_CUT:
            return region
    return None


def _fit(theta: Floats, wanted: Floats) -> tuple[Floats, Floats]:
    """The affine map through the vertices by least squares: between optimal vertices every mixture is optimal."""
    middle = theta.mean(axis=0)
    design = np.column_stack([theta - middle, np.ones(len(theta))])
    found, *_ = np.linalg.lstsq(design, wanted, rcond=1e-12)
    slope = found[:-1].T
    return slope, found[-1] - slope @ middle


def _key(unit: Floats) -> bytes:
    rounded: NDArray[np.float64] = np.round(unit, _GRID) + 0.0  # no negative zero
    return rounded.tobytes()
