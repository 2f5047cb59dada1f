"""Trends of stability data: poolability of batches, shelf life, and points out of trend.

**Source** ICH Q1E, Evaluation of Stability Data (2003): batches are pooled where slopes, then intercepts do not differ
at the level 0.25; the shelf life is the earliest time at which the 95 % confidence limit of the mean meets the limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError

POOLING_LEVEL: Final = 0.25
CONFIDENCE: Final = 0.95
OUT_OF_TREND_LEVEL: Final = 0.01  # assumed: both sides together
FEWEST_FOR_TREND: Final = 4  # assumed: earlier points of the batch before a new one is judged by them
HORIZON: Final = 10.0  # a crossing is sought up to this many times the last time point
Model = Literal["common", "common slope", "separate"]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class StabilityPoint:
    """One result of a stability study.

    - `time`: since storage began, months. `value`: in the unit of the limit.
    """

    batch: str
    time: float
    value: float


@dataclass(frozen=True)
class TrendLine:
    """A fitted line of one batch, or of all pooled ones (`batch` empty).

    - `intercept`: unit of the attribute. `slope`: unit of the attribute per month.
    - `crossing`: months at which the confidence limit of the mean meets a limit, None if not before the horizon.
    - `standard_error`, `degrees`, `scale`: residual standard deviation, degrees of freedom, and the inverse of the
      normal matrix for (1, time), from which the confidence limit follows.
    """

    batch: str
    intercept: float
    slope: float
    crossing: float | None
    standard_error: float
    degrees: int
    scale: tuple[tuple[float, float], tuple[float, float]]

    def mean(self, time: float) -> float:
        """The fitted mean at `time` (months)."""
        return self.intercept + self.slope * time

    def half_width(self, time: float, probability: float) -> float:
        """Distance of the confidence limit of the mean from it; `probability` of one tail's quantile, such as 0.95."""
        from scipy.stats import t

        leverage = self.scale[0][0] + 2 * self.scale[0][1] * time + self.scale[1][1] * time * time
        return float(t.ppf(probability, self.degrees)) * self.standard_error * math.sqrt(max(leverage, 0.0))


@dataclass(frozen=True)
class ShelfLife:
    """What the data of a study support.

    - `model`: how the batches were pooled. `p_slopes`, `p_intercepts`: of the tests; None where there was one batch.
    - `f_slopes`, `f_intercepts`: their F ratios, both against the mean square error of the full model.
    - `months`: the earliest crossing, None if no limit is met before the horizon; `batch`: whose it is (empty: all).
    - `covered`: months that the data span. What lies beyond them is extrapolation.
    """

    model: Model
    f_slopes: float | None
    p_slopes: float | None
    f_intercepts: float | None
    p_intercepts: float | None
    lines: tuple[TrendLine, ...]
    months: float | None
    batch: str
    covered: float

    @property
    def longest(self) -> float:
        """The longest that may be proposed, months: no more than twice what is covered, nor 12 months beyond it, where
        statistics and accelerated data support it (ICH Q1E, 2.4.1)."""
        bound = min(2 * self.covered, self.covered + 12.0)
        return bound if self.months is None else min(self.months, bound)


def shelf_life(
    points: Sequence[StabilityPoint],
    *,
    low: float | None,
    high: float | None,
    direction: Literal["falling", "rising", "unknown"] = "unknown",
) -> ShelfLife:
    """Pool the batches as far as they allow, and find where the confidence limit of the mean meets a limit.

    - `low`, `high`: the acceptance criterion, in the unit of the values; at least one.
    - `direction`: of the change, where it is known: the limit is one-sided then, two-sided otherwise (ICH Q1E, B.1).

    Each batch needs three points at two times. Where the slopes differ, every batch is fitted by itself and the
    shortest shelf life counts. Raises `InputError` for too few points, or no limit.
    """
    groups = _groups(points, low, high)
    tails = CONFIDENCE if direction != "unknown" else (1 + CONFIDENCE) / 2
    below = low if direction != "rising" else None
    above = high if direction != "falling" else None
    pooled = [item for group in groups.values() for item in group]
    model, f_slopes, p_slopes, f_intercepts, p_intercepts = _pooling(groups)
    covered = max(item.time for item in points)

    def crossing(line: TrendLine) -> float | None:
        return _crossing(line, below, above, tails, HORIZON * covered)

    lines: list[TrendLine]
    if model == "separate":
        lines = [_line(name, group, {name: group}, crossing) for name, group in groups.items()]
    elif model == "common slope":
        lines = [_line(name, pooled, groups, crossing) for name in groups]
    else:
        lines = [_line("", pooled, {"": pooled}, crossing)]
    met = [line for line in lines if line.crossing is not None]
    first = min(met, key=lambda line: line.crossing or 0.0) if met else None
    return ShelfLife(
        model,
        f_slopes,
        p_slopes,
        f_intercepts,
        p_intercepts,
        tuple(lines),
        first.crossing if first else None,
        first.batch if first else "",
        covered,
    )


def out_of_trend(points: Sequence[StabilityPoint]) -> tuple[StabilityPoint, ...]:
    """Points that lie outside the prediction interval (99 %) of the earlier points of their own batch.

    A batch's first points cannot be judged: four are needed before. **Source** the regression control
    chart of PhRMA's CMC statistics and stability teams (Pharm. Technol. 27(4), 2003, 38-52); the level is ours.
    """
    from scipy.stats import t

    found = []
    for name in dict.fromkeys(item.batch for item in points):
        mine = sorted((item for item in points if item.batch == name), key=lambda item: item.time)
        for item in mine:
            earlier = [other for other in mine if other.time < item.time]
            if len(earlier) < FEWEST_FOR_TREND or len({other.time for other in earlier}) < 2:
                continue
            line = _line(name, earlier, {name: earlier}, lambda _: None)
            leverage = line.half_width(item.time, 0.95) / max(float(t.ppf(0.95, line.degrees)), 1e-300)
            spread = math.hypot(line.standard_error, leverage)
            width = float(t.ppf(1 - OUT_OF_TREND_LEVEL / 2, line.degrees)) * spread
            if abs(item.value - line.mean(item.time)) > width + 1e-9 * abs(item.value):
                found.append(item)
    return tuple(found)


_Groups = dict[str, list[StabilityPoint]]


def _groups(points: Sequence[StabilityPoint], low: float | None, high: float | None) -> _Groups:
    if low is None and high is None:
        raise InputError("a shelf life needs a limit", remedy="Give the limit of the attribute's specification.")
    groups: _Groups = {}
    for item in points:
        groups.setdefault(item.batch, []).append(item)
    if not groups:
        raise InputError("there are no stability results", remedy="Record the results of pulled samples first.")
    for name, group in groups.items():
        times = {item.time for item in group}
        if len(group) < 3 or len(times) < 2:
            raise InputError(
                f"batch {name} has {len(group)} results at {len(times)} times, and a trend needs 3 at 2 times",
                remedy="Wait for the next time points.",
            )
    return groups


def _pooling(groups: _Groups) -> tuple[Model, float | None, float | None, float | None, float | None]:
    """Slopes first, then intercepts, each against the mean square error of the full model (ICH Q1E, B.2)."""
    if len(groups) == 1:
        return "common", None, None, None, None
    pooled = [item for group in groups.values() for item in group]
    full = sum(_residual(_design_one(group), group) for group in groups.values())
    slope = _residual(_design_common_slope(groups), pooled)
    one = _residual(_design_one(pooled), pooled)
    degrees = len(pooled) - 2 * len(groups)
    f_slopes, p_slopes = _ratio(slope - full, len(groups) - 1, full, degrees)
    f_intercepts, p_intercepts = _ratio(one - slope, len(groups) - 1, full, degrees)
    model: Model = "common"
    if p_slopes < POOLING_LEVEL:
        model = "separate"
    elif p_intercepts < POOLING_LEVEL:
        model = "common slope"
    return model, f_slopes, p_slopes, f_intercepts, p_intercepts


def _ratio(more: float, more_degrees: int, error: float, degrees: int) -> tuple[float, float]:
    from scipy.stats import f

    if error <= 1e-18 * max(more, 1e-300):
        return (math.inf, 0.0) if more > 1e-18 else (0.0, 1.0)
    ratio = max(more, 0.0) / more_degrees / (error / degrees)
    return ratio, float(f.sf(ratio, more_degrees, degrees))


def _design_one(group: Sequence[StabilityPoint]) -> Array:
    return np.array([[1.0, item.time] for item in group])


def _design_common_slope(groups: _Groups) -> Array:
    rows = [
        [float(name == other) for other in groups] + [item.time] for name, group in groups.items() for item in group
    ]
    return np.array(rows)


def _residual(design: Array, group: Sequence[StabilityPoint]) -> float:
    values = np.array([item.value for item in group])
    found = np.linalg.lstsq(design, values, rcond=None)[0]
    return float(np.sum((values - design @ found) ** 2))


def _line(
    name: str, points: Sequence[StabilityPoint], groups: _Groups, crossing: Callable[[TrendLine], float | None]
) -> TrendLine:
    """The line of `name` in the model with one slope and one intercept a group."""
    design = _design_common_slope(groups) if len(groups) > 1 else _design_one(points)
    values = np.array([item.value for item in points])
    coefficients = np.linalg.lstsq(design, values, rcond=None)[0]
    degrees = len(points) - design.shape[1]
    error = math.sqrt(float(np.sum((values - design @ coefficients) ** 2)) / degrees)
    inverse = np.linalg.inv(design.T @ design)
    place, last = list(groups).index(name), design.shape[1] - 1
    scale = (
        (float(inverse[place, place]), float(inverse[place, last])),
        (float(inverse[last, place]), float(inverse[last, last])),
    )
    line = TrendLine(name, float(coefficients[place]), float(coefficients[last]), None, error, degrees, scale)
    return TrendLine(name, line.intercept, line.slope, crossing(line), error, degrees, scale)


def _crossing(
    line: TrendLine, low: float | None, high: float | None, probability: float, horizon: float
) -> float | None:
    """The first time at which the confidence limit of the mean meets a limit; 0 where it is outside at the start."""

    def room(time: float) -> float:
        width = line.half_width(time, probability)
        mean = line.mean(time)
        below = mean - width - low if low is not None else math.inf
        above = high - mean - width if high is not None else math.inf
        return min(below, above)

    if room(0.0) < 0:
        return 0.0
    times = np.linspace(0.0, horizon, 2001)
    outside = next((index for index, time in enumerate(times) if room(float(time)) < 0), None)
    if outside is None:
        return None
    from scipy.optimize import brentq

    return float(brentq(room, float(times[outside - 1]), float(times[outside]), xtol=1e-10))
