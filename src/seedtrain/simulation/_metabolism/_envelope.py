"""The lower envelope of affine cuts over a box, and its vertices."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.spatial import HalfspaceIntersection, QhullError

Floats = NDArray[np.float64]

# Nearly coplanar cuts break the merging of facets in six dimensions: wide merges next, joggled input last.
MERGED: Final = ("Qt Qx", "Qt Qx Q12", "Qx Q12 C-1e-9", "QJ1e-9", "QJ1e-7")
SMALLEST_CELL: Final = 1e-9
"""Radius of the largest ball inside a region, in units of the box, below which it is no region."""


class EnumerationError(Exception):
    """qhull could not enumerate the vertices with any of its options."""


def vertices(alpha: Floats, beta: Floats, low: Floats, high: Floats, floor: float) -> tuple[Floats, Floats]:
    """The vertices of {t <= alpha theta + beta for every cut, theta in the box}, above `floor`.

    - `alpha` (cuts x p), `beta` (cuts); `low`, `high` (p): the box; `floor` closes the body below.

    **Returns** unit coordinates of theta in the box (k x p), and the envelope there (k). Raises `EnumerationError`
    where qhull fails. **Source** Barber, Dobkin & Huhdanpaa 1996, ACM TOMS 22:469 (qhull).
    """
    count, size = len(low), high - low
    cuts = np.column_stack([-alpha * size, np.ones(len(alpha)), -(beta + alpha @ low)])
    one = np.eye(count)
    walls = np.vstack(
        [
            np.column_stack([-one, np.zeros((count, 2))]),
            np.column_stack([one, np.zeros(count), -np.ones(count)]),
            np.concatenate([np.zeros(count), [-1.0, floor]])[None],
        ]
    )
    halves = np.vstack([cuts, walls])
    halves /= np.linalg.norm(halves[:, :-1], axis=1)[:, None]
    middle = float((alpha @ (low + high) / 2 + beta).min())
    inside = np.append(np.full(count, 0.5), middle - 0.05 * abs(middle) - 0.01)
    for option in MERGED:
        try:
            with np.errstate(divide="ignore", invalid="ignore"):  # what meets at infinity is left out below
                found = HalfspaceIntersection(halves, inside, qhull_options=option)
        except QhullError:
            continue
        points = found.intersections
        points = points[np.isfinite(points).all(axis=1)]
        unit = np.clip(points[points[:, count] > floor * (1 - 1e-6)][:, :count], 0.0, 1.0)
        # Where nearly coplanar cuts meet, qhull's height is off by more than the envelope may be: take it anew.
        height = ((low + size * unit) @ alpha.T + beta).min(axis=1)
        # Triangulated output names a vertex several times.
        _, first = np.unique(np.round(unit, 7), axis=0, return_index=True)
        return unit[first], height[first]
    raise EnumerationError


def cell(number: int, alpha: Floats, beta: Floats, low: Floats, high: Floats) -> Floats | None:
    """The vertices (unit coordinates) of the region where cut `number` is the lowest; nothing where there is none.

    Unlike `vertices`, this works inside the box and on differences of cuts, each scaled to length one, so that nearly
    coplanar cuts are told apart. Raises `EnumerationError` where qhull fails.
    """
    count, size = len(low), high - low
    others = np.arange(len(alpha)) != number
    normals = (alpha[number] - alpha[others]) * size
    offsets = beta[others] - beta[number] + (alpha[others] - alpha[number]) @ low
    length = np.linalg.norm(normals, axis=1)
    if (offsets[length == 0] < 0).any():
        return None
    normals, offsets, length = normals[length > 0], offsets[length > 0], length[length > 0]
    one = np.eye(count)
    normals = np.vstack([normals / length[:, None], -one, one])
    offsets = np.concatenate([offsets / length, np.zeros(count), np.ones(count)])
    # The middle of the largest ball that fits: qhull needs a point that is clearly inside.
    ball = linprog(
        np.append(np.zeros(count), -1.0),
        A_ub=np.column_stack([normals, np.ones(len(normals))]),
        b_ub=offsets,
        bounds=[(None, None)] * count + [(0.0, None)],
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if not ball.success or ball.x[count] < SMALLEST_CELL:
        return None
    for option in MERGED:
        try:
            found = HalfspaceIntersection(np.column_stack([normals, -offsets]), ball.x[:count], qhull_options=option)
        except QhullError:
            continue
        points = found.intersections[np.isfinite(found.intersections).all(axis=1)]
        points = np.clip(points, 0.0, 1.0)
        _, first = np.unique(np.round(points, 7), axis=0, return_index=True)
        return np.asarray(points[np.sort(first)])
    raise EnumerationError
