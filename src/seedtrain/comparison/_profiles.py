"""Readings over time of two groups of runs: one number a run from each, and whole shapes against each other.

A number (value at a time, largest, mean, slope) goes to `equivalence`. Shapes are equivalent where the difference of
the mean profiles is within the margin at every time: each time is tested by itself, and all must pass (an
intersection-union test needs no correction: Berger 1982, Technometrics 24:295; for curves Fogarty & Small 2014, J Am
Stat Assoc 109:1459). They differ where the simultaneous band leaves the margin; its width comes from drawn curves with
the runs' own covariance (Degras 2011, Stat Sinica 21:1735), by Student's t for few runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.comparison._covered import ENOUGH, Span, part_of, span, usual
from seedtrain.comparison._reason import Reason
from seedtrain.quality import VerdictWord
from seedtrain.quantity import convert
from seedtrain.simulation import Run

Floats = NDArray[np.float64]
Feature = Literal["end", "maximum", "mean", "value", "slope", "log slope"]
GRID: Final = 25
DRAWS: Final = 4000
FEWEST_READINGS: Final = 3


def readings(run: Run, symbol: str, unit: str | None = None) -> tuple[Floats, Floats]:
    """Times (h) and values of what was read of `symbol`, each of shape "reading"; repeated times are averaged.

    - `unit`: what the values are turned into; the run's own if not given. Raises `QuantityError` where it cannot be.
    """
    values = run[symbol]
    own = run.variables[symbol].unit
    if unit is not None and unit != own:
        zero, one = convert(0.0, own, unit), convert(1.0, own, unit)
        values = zero + (one - zero) * values
    seen = np.isfinite(values)
    times, places = np.unique(run.time[seen], return_inverse=True)
    return times, np.bincount(places, values[seen]) / np.maximum(np.bincount(places), 1)


def feature(
    run: Run, symbol: str, kind: Feature, *, start: float = -math.inf, end: float = math.inf, unit: str | None = None
) -> float:
    """One number of a run's readings of `symbol` (in `unit`) from `start` to `end` (h); a slope is per hour.

    `value` is that at `end`, between two readings; not-a-number where the readings do not reach it, or are too few.
    """
    times, values = readings(run, symbol, unit)
    if kind == "value":
        covered = len(times) > 0 and times[0] <= end <= times[-1]
        return float(np.interp(end, times, values)) if covered else math.nan
    inside = (times >= start) & (times <= end)
    times, values = times[inside], values[inside]
    if not len(times):
        return math.nan
    if kind == "end":
        return float(values[-1])
    if kind == "maximum":
        return float(values.max())
    if kind == "mean":
        return float(np.trapezoid(values, times) / np.ptp(times)) if len(times) > 1 else float(values[0])
    if kind == "log slope":
        above = values > 0
        times, values = times[above], np.log(values[above])
    if len(times) < FEWEST_READINGS:
        return math.nan
    return float(np.polyfit(times - times.mean(), values, 1)[0])


@dataclass(frozen=True)
class Profiles:
    """Two mean profiles of `symbol`: `time` h; `reference` and `tested` of shape "run, time"; all in `unit`.

    - `margin`: of the difference, shape "time". - `point`: half the width at each time by itself; `band`: for all times
      at once; shape "time".
    - `whole`: from when to when runs are usually read, h, of which `time` may be a part.
    """

    symbol: str
    unit: str
    time: Floats
    reference: Floats
    tested: Floats
    margin: Floats
    point: Floats
    band: Floats
    level: float
    why: str = ""
    whole: Span = (math.nan, math.nan)

    @property
    def partial(self) -> bool:
        """Whether the time that every run covers is much less than usual, for one of them ended early or began late."""
        return not self.why and part_of((float(self.time[0]), float(self.time[-1])), self.whole) < ENOUGH

    @property
    def difference(self) -> Floats:
        """Tested minus reference, shape "time"."""
        found: Floats = self.tested.mean(0) - self.reference.mean(0)
        return found

    @property
    def verdict(self) -> VerdictWord:
        """Pass: at every time within the margin. Fail: the band leaves it somewhere. Else inconclusive.

        A shape of which the runs cover but a part cannot pass.
        """
        if self.why:
            return "inconclusive"
        apart = np.abs(self.difference)
        if (apart + self.point < self.margin).all():
            return "inconclusive" if self.partial else "pass"
        return "fail" if (apart - self.band >= self.margin).any() else "inconclusive"

    @property
    def worst(self) -> int:
        """The place in `time` where the difference uses most of its margin."""
        return int(np.argmax((np.abs(self.difference) + self.point) / self.margin))

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        if self.why:
            return {"symbol": self.symbol, "verdict": self.verdict, "why": self.why}
        return {
            "symbol": self.symbol, "unit": self.unit, "verdict": self.verdict, "level": self.level,
            "usual_time": list(self.whole), "partial": self.partial,
            "time": self.time.tolist(), "difference": self.difference.tolist(), "margin": self.margin.tolist(),
            "point": self.point.tolist(), "band": self.band.tolist(),
        }  # fmt: skip


def profiles(
    reference: Sequence[Run],
    tested: Sequence[Run],
    symbol: str,
    margin: float,
    kind: Literal["absolute", "relative", "deviations"] = "deviations",
    *,
    start: float = -math.inf,
    end: float = math.inf,
    level: float = 0.90,
    seed: int = 0,
) -> Profiles:
    """The profiles of `symbol` on a grid over what every run covers, between `start` and `end` (h).

    A relative `margin` is a part of the largest value of the reference's mean profile; one in `deviations` counts the
    reference's standard deviation, averaged over the time; that it is estimated widens the intervals.
    """
    if not margin > 0:
        raise InputError(f"a margin is {margin:g}", remedy="Give one above 0.")
    unit = next((run.variables[symbol].unit for run in (*reference, *tested) if symbol in run.variables), "")
    first, second = (_read(runs, symbol, unit) for runs in (reference, tested))
    none = np.zeros(0)
    why = ""
    if len(first) < 2 or len(second) < 2:
        counts = {"first": len(first), "second": len(second)}
        why = Reason(lambda: _("{first} and {second} runs with readings; 2 of each are the least").format(**counts))
    else:
        low = max(start, *(times[0] for times, _values in (*first, *second)))
        high = min(end, *(times[-1] for times, _values in (*first, *second)))
        why = "" if high > low else Reason(lambda: _("there is no time that all runs cover"))
        if not why and kind == "deviations" and len(first) < 3:
            why = Reason(lambda: _("2 runs of the reference; a margin in their deviations needs 3"))
    if why:
        empty = np.zeros((0, 0))
        return Profiles(symbol, unit, none, empty, empty, none, none, none, level, why)
    grid = np.linspace(low, high, GRID)
    one, other = (np.array([np.interp(grid, *pair) for pair in group]) for group in (first, second))
    wide, band = _widths(one, other, level, seed)
    margins = _margins(one, margin, kind)
    if kind == "deviations":
        wide, band = _with_margin(wide, band, margins, len(one), level)
    whole = usual([span(times.tolist(), start, end) for times, _values in (*first, *second)])
    return Profiles(symbol, unit, grid, one, other, margins, wide, band, level, whole=whole)


def _with_margin(wide: Floats, band: Floats, margins: Floats, runs: int, level: float) -> tuple[Floats, Floats]:
    """Half widths that hold too that the margin, in deviations, is known from few runs alone.

    The limits of a difference and of a deviation are put together by the method of variance estimates recovery (Zou &
    Donner 2008, Stat Med 27:1693), the deviation's own limits being those of `runs` normal values.
    """
    from scipy import stats

    low, high = (math.sqrt((runs - 1) / float(stats.chi2.ppf((1 + sign * level) / 2, runs - 1))) for sign in (1, -1))
    return np.sqrt(wide**2 + (margins * (1 - low)) ** 2), np.sqrt(band**2 + (margins * (high - 1)) ** 2)


def _read(runs: Sequence[Run], symbol: str, unit: str) -> list[tuple[Floats, Floats]]:
    found = [readings(run, symbol, unit) for run in runs if symbol in run.variables]
    return [pair for pair in found if len(pair[0]) >= FEWEST_READINGS]


def _margins(reference: Floats, margin: float, kind: str) -> Floats:
    if kind == "relative":
        margin *= float(np.abs(reference.mean(0)).max())
    elif kind == "deviations":
        margin *= float(np.sqrt(reference.var(0, ddof=1).mean()))
    return np.full(reference.shape[1], max(margin, 1e-300))


def _widths(reference: Floats, tested: Floats, level: float, seed: int) -> tuple[Floats, Floats]:
    """Half widths at each time alone, and for all at once."""
    from scipy import stats

    parts = [group.var(0, ddof=1) / len(group) for group in (reference, tested)]
    total = np.maximum(parts[0] + parts[1], 1e-300)
    weights = [part**2 / (len(group) - 1) for part, group in zip(parts, (reference, tested), strict=True)]
    degrees = np.where(sum(weights) > 0, total**2 / np.maximum(sum(weights), 1e-300), 1e6)
    error = np.sqrt(total)
    point: Floats = stats.t.ppf((1 + level) / 2, degrees) * error
    drawn = np.random.default_rng(seed)
    curves = np.zeros((DRAWS, reference.shape[1]))
    for group in (reference, tested):
        apart = (group - group.mean(0)) / math.sqrt((len(group) - 1) * len(group))
        curves += drawn.standard_normal((DRAWS, len(group))) @ apart
    least = float(degrees.min())
    chance = np.sqrt(drawn.chisquare(least, DRAWS) / least)
    highest = np.abs(curves / error).max(1) / chance
    return point, float(np.quantile(highest, level)) * error
