"""Fewer points that look the same: least and most of each bucket, or largest triangles."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedtrain.base import InputError

Method = Literal["minmax", "lttb"]
FEWEST_POINTS = 4
Places = NDArray[np.intp]


def decimate(x: ArrayLike, y: ArrayLike, points: int, method: Method = "minmax") -> Places:
    """Places of at most `points` points of a line, in order, the first and the last among them.

    - `x`: never falling, shape "row"; `y`: same shape. Points whose `y` is no number are left out.
    - `method`: `minmax` keeps the least and most of each bucket of as many points, so that no peak is lost; `lttb`
      keeps the shape (largest triangle, three buckets).

    **Source** Steinarsson 2013, Downsampling Time Series for Visual Representation (LTTB).
    """
    abscissa, ordinate = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if points < FEWEST_POINTS:
        raise InputError(f"{points} points", remedy=f"Ask for at least {FEWEST_POINTS}.")
    if abscissa.shape != ordinate.shape or abscissa.ndim != 1:
        raise InputError(f"x has shape {abscissa.shape} and y {ordinate.shape}", remedy="Give two rows of one length.")
    if method not in ("minmax", "lttb"):
        raise InputError(f"{method!r} is not a way to decimate", remedy="Use minmax or lttb.")
    finite = np.isfinite(ordinate)
    if not finite.all():
        kept = np.flatnonzero(finite)
        return kept[decimate(abscissa[kept], ordinate[kept], points, method)]
    if len(ordinate) <= points:
        return np.arange(len(ordinate))
    return _minmax(ordinate, points) if method == "minmax" else _lttb(abscissa, ordinate, points)


def _minmax(y: NDArray[np.float64], points: int) -> Places:
    last = len(y) - 1
    inner = y[1:last]
    buckets = (points - 2) // 2
    size, rest = divmod(len(inner), buckets)
    # The first `rest` buckets hold one point more, so that all are full.
    split = rest * (size + 1)
    found = [np.array([0, last])]
    for part, start, width in ((inner[:split], 1, size + 1), (inner[split:], 1 + split, size)):
        if not len(part) or not width:
            continue
        table = part.reshape(-1, width)
        base = start + np.arange(len(table)) * width
        found += [base + table.argmin(axis=1), base + table.argmax(axis=1)]
    return np.unique(np.concatenate(found))


def _lttb(x: NDArray[np.float64], y: NDArray[np.float64], points: int) -> Places:
    last = len(x) - 1
    edges = np.linspace(1, last, points - 1).astype(np.intp)
    x, y = x - x[0], y - y[0]  # times since 1970 would cost digits
    counts = np.diff(edges)
    centre_x = [*(np.add.reduceat(x[:last], edges[:-1]) / counts)[1:].tolist(), float(x[last])]
    centre_y = [*(np.add.reduceat(y[:last], edges[:-1]) / counts)[1:].tolist(), float(y[last])]
    bounds: list[int] = edges.tolist()
    found, at = [0], 0
    for bucket in range(points - 2):
        low, high = bounds[bucket], bounds[bucket + 1]
        before_x, before_y = float(x[at]), float(y[at])
        area: NDArray[Any] = (x[low:high] - before_x) * (centre_y[bucket] - before_y)
        area -= (y[low:high] - before_y) * (centre_x[bucket] - before_x)
        at = low + int(np.abs(area, out=area).argmax())
        found.append(at)
    return np.array([*found, last], np.intp)
