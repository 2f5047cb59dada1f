"""The inversion: what titre, rate, yield or recovery a target requires, and the plane of any two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.development._costing._levers import LEVERS, Levers

Floats = NDArray[np.float64]
REACH: Final = 50.0
"""How many times the present value a lever is tried at."""
_HIGHEST: Final[Mapping[str, float]] = {"recovery": 1.0, "yield": 1.0}
_POINTS: Final = 600
CONTOUR_POINTS: Final = 61


@dataclass(frozen=True)
class Requirement:
    """What one lever alone has to become so that a figure meets its target.

    - `required`: the value nearest to the present one that meets it, with whole batches; None where none does.
    - `reached`: the figure there; or the best that the lever alone gives, at `tried`.
    """

    lever: str
    unit: str
    figure: str
    target: float
    present: float
    required: float | None
    reached: float
    tried: float

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return dict(vars(self))


def required(levers: Levers, figure: str, target: float) -> tuple[Requirement, ...]:
    """For each lever alone, what `figure` at its `target` requires of it.

    - `figure`: cost or carbon (at most the target), or amount (at least).
    """
    if figure not in ("cost", "carbon", "amount"):
        raise InputError(f"{figure!r} is no figure of a batch", remedy="Use one of: cost, carbon, amount.")
    if not (np.isfinite(target) and target > 0):
        raise InputError(f"the target of the {figure} is {target:g}", remedy="Give a target above 0.")
    return tuple(_one(levers, name, figure, target) for name in LEVERS if name in levers.base)


def _one(levers: Levers, name: str, figure: str, target: float) -> Requirement:
    sign = -1.0 if figure == "amount" else 1.0
    present = levers.base[name]
    highest = max(min(present * REACH, _HIGHEST.get(name, np.inf)), present)
    grid = np.unique(np.append(np.geomspace(present / REACH, highest, _POINTS), present))

    def short(value: Any) -> Any:
        """Above 0 where the target is missed."""
        return sign * (getattr(levers.figures({name: value}), figure) - target)

    gap = np.broadcast_to(np.asarray(short(grid), dtype=float), grid.shape)
    meets = gap <= 0
    best = int(np.argmin(gap))
    if not meets.any():
        return Requirement(
            name, LEVERS[name], figure, target, present, None, float(gap[best]) * sign + target, float(grid[best])
        )
    nearest = int(np.flatnonzero(meets)[np.argmin(np.abs(np.log(grid[meets] / present)))])
    found = float(grid[nearest])
    if not float(short(present)) <= 0:
        missed = nearest - 1 if found > present else nearest + 1
        found = _edge(short, float(grid[missed]), found)
    else:
        found = present
    value = float(short(found)) * sign + target
    return Requirement(name, LEVERS[name], figure, target, present, found, value, found)


def _edge(short: Any, missed: float, met: float) -> float:
    """Where the target is just met, between a value that misses it and one that meets it."""
    for _ in range(60):
        middle = (missed * met) ** 0.5
        if float(short(middle)) <= 0:
            met = middle
        else:
            missed = middle
    return met


@dataclass(frozen=True)
class Plane:
    """A figure over two levers: `values` rows by `y`, columns by `x`; whole batches."""

    x_lever: str
    y_lever: str
    figure: str
    x: Floats
    y: Floats
    values: Floats


def plane(levers: Levers, x_lever: str, y_lever: str, figure: str = "cost", *, reach: float = 6.0) -> Plane:
    """`figure` from a `reach`-th to `reach` times the present values of two levers, in equal ratios."""
    axes = []
    for name in (x_lever, y_lever):
        present = levers.base[name]
        high = max(min(present * reach, _HIGHEST.get(name, np.inf)), present)
        axes.append(np.geomspace(present / reach, high, CONTOUR_POINTS))
    x, y = axes
    found = levers.figures({x_lever: x[None, :], y_lever: y[:, None]})
    return Plane(x_lever, y_lever, figure, x, y, np.broadcast_to(getattr(found, figure), (len(y), len(x))))
