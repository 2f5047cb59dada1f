"""What looks wrong in a series of readings; each rule reports, none changes a value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import Position
from seedtrain.base import translate as _

Floats = NDArray[np.float64]
Kind = Literal[
    "missing", "censored", "gap", "outlier", "unit_slip", "negative", "repeated", "order", "sampling", "balance"
]
GAP: Final = 5.0
"""A step in time longer than this many median steps is a gap; assumed."""
WINDOW: Final = 3
"""Readings on either side that an outlier is held against."""
FAR: Final = 6.0
"""Robust standard deviations from the line through its neighbours at which a reading is an outlier; assumed, after
Hampel's identifier (Pearson 2002, doi:10.1109/87.974338), which takes 3 and flags too many of a short series."""
LEAST: Final = 0.05
"""Of a series' spread: what is nearer to its neighbours than this is no outlier."""
SLIPS: Final = (1000.0, 60.0, 3600.0, 100.0)
"""Factors that units slip by: milli, minutes or seconds for hours, a part for percent."""
NEAR_SLIP: Final = 0.35  # of the logarithm (natural): a series as a whole varies
NEAR_POINT: Final = 0.15
OF_THE_VESSEL: Final = frozenset({"V", "F", "gas", "N", "sample_volume"})
"""What another vessel has more of, or less, without a slip of units."""
BLOCK: Final = 50_000
"""Readings that are held against their neighbours together, for the memory."""
SAME_TIME: Final = 0.25
SAME_VALUE: Final = 0.5
"""Relative: a peak that another run shows that near in time and height is no outlier; assumed."""
STEADY: Final = 0.2
"""Of their middle: neighbours that scatter more, as where a substrate runs out, tell no slip of a single reading."""


@dataclass(frozen=True)
class Finding:
    """One thing to look at: what `kind` of, where it stands, in words, and what may be done about it."""

    kind: Kind
    run: str
    symbol: str
    words: str
    remedy: str
    position: Position | None = None

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        place = self.position
        return {
            "kind": self.kind, "run": self.run, "symbol": self.symbol, "words": self.words, "remedy": self.remedy,
            "file": place.file if place else None, "line": place.line if place else None,
        }  # fmt: skip


@dataclass(frozen=True)
class Series:
    """Readings of one symbol of one run, in its unit, in order of time, each with its place."""

    run: str
    symbol: str
    unit: str
    kind: str
    time: Floats
    values: Floats
    places: tuple[Position, ...]


def look_at(series: Series, others: Sequence[Series] = ()) -> Iterator[Finding]:
    """Every finding of one series; what `others` of the same symbol show at the same time is no outlier."""
    yield from _repeated(series)
    yield from _gaps(series)
    yield from _negative(series)
    if len(series.values) < 2 * WINDOW:
        return
    around = _neighbours(series)
    others = [other for other in others if other.run != series.run]
    slipped = set()
    for at, found in _point_slips(series, *around):
        slipped.add(at)
        yield found
    for at, found in _outliers(series, *around):
        if at not in slipped and not any(_shows(other, series, at) for other in others):
            yield found


def _shows(other: Series, series: Series, at: int) -> bool:
    """Whether another run has such a value around that time."""
    time, value = float(series.time[at]), float(series.values[at])
    near = SAME_TIME * max(time, 1.0)
    low, high = np.searchsorted(other.time, time - near, "right"), np.searchsorted(other.time, time + near, "left")
    return bool((np.abs(other.values[low:high] - value) <= SAME_VALUE * abs(value)).any())


def compare(all_series: Sequence[Series], scales: Mapping[str, str]) -> Iterator[Finding]:
    """Slips of units between runs: the same symbol, a factor of 1000 or 60 apart as a whole.

    - `scales`: of each run; what grows with the vessel is held against runs of the same scale alone.
    """
    groups: dict[tuple[str, str], list[Series]] = {}
    for item in all_series:
        scale = scales.get(item.run, "") if item.symbol in OF_THE_VESSEL else ""
        groups.setdefault((item.symbol, scale), []).append(item)
    for (symbol, _scale), mine in groups.items():
        for item in mine:
            yield from _slips_beside(item, [other for other in mine if other is not item])
        sizes = [_size(item.values) for item in mine]
        for at, item in enumerate(mine):
            others = [size for other, size in enumerate(sizes) if other != at and size > 0]
            if not others or sizes[at] <= 0:
                continue
            ratio = sizes[at] / float(np.median(others))
            slip = _slip(ratio, NEAR_SLIP)
            # With two runs alone it cannot be told which has slipped: the first is taken as the measure.
            if slip and (len(mine) > 2 or at > 0):
                yield Finding(
                    "unit_slip", item.run, symbol,
                    _("the whole series is {ratio} times that of the other runs: a slip by {slip}?").format(
                        ratio=f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.3g}", slip=slip
                    ),
                    _("Check the unit in the mapping."), item.places[0],
                )  # fmt: skip


def _slips_beside(series: Series, others: Sequence[Series]) -> list[Finding]:
    """Single slips in a series too short to be held against itself, beside what other runs show at the same times."""
    if len(series.values) >= 2 * WINDOW:
        return []
    found = []
    size = _size(np.concatenate([np.zeros(1), *(other.values for other in others)]))
    for at, (hours, value) in enumerate(zip(series.time.tolist(), series.values.tolist(), strict=True)):
        beside = [float(np.interp(hours, other.time, other.values)) for other in others
                  if len(other.time) > 1 and other.time[0] <= hours <= other.time[-1]]  # fmt: skip
        middle = float(np.median(beside)) if len(beside) > 1 else 0.0
        if max(value, middle) < LEAST * size:  # the scatter about nothing has no unit to slip by
            continue
        if middle > 0 and value > 0 and (slip := _slip(value / middle, NEAR_SLIP)):
            words = _("{value} {unit} at {hours} h, where other runs show {middle}: a slip by {slip}?").format(
                value=f"{value:.4g}", unit=series.unit, hours=f"{hours:.4g}", middle=f"{middle:.4g}", slip=slip
            )
            found.append(
                Finding("unit_slip", series.run, series.symbol, words, _("Correct the cell."), series.places[at])
            )
    return found if 2 * len(found) < len(series.values) else []  # else the whole series has slipped


def _size(values: Floats) -> float:
    kept = np.abs(values[values != 0])
    return float(np.quantile(kept, 0.9)) if len(kept) else 0.0


def _slip(ratio: float, near: float) -> str:
    for factor in SLIPS:
        if abs(abs(math.log(ratio)) - math.log(factor)) < near:
            return f"{factor:g}"
    return ""


def _repeated(series: Series) -> Iterator[Finding]:
    for at in np.flatnonzero(np.diff(series.time) == 0).tolist():
        first, second = series.values[at], series.values[at + 1]
        yield Finding(
            "repeated", series.run, series.symbol,
            _("two readings at {hours} h: {first} and {second} {unit}").format(
                hours=f"{series.time[at]:.5g}", first=f"{first:.4g}", second=f"{second:.4g}", unit=series.unit
            ).rstrip(),
            _("Keep both if they are replicates; else correct the time."), series.places[at + 1],
        )  # fmt: skip


def _gaps(series: Series) -> Iterator[Finding]:
    steps = np.diff(series.time)
    if len(steps) < 5:
        return
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    for at in np.flatnonzero(steps > GAP * usual).tolist() if usual else ():
        yield Finding(
            "gap", series.run, series.symbol,
            _("nothing between {start} and {end} h; usual is every {usual} h").format(
                start=f"{series.time[at]:.4g}", end=f"{series.time[at + 1]:.4g}", usual=f"{usual:.3g}"
            ),
            _("Check the logger; a fit uses what is there."), series.places[at + 1],
        )  # fmt: skip


def _negative(series: Series) -> Iterator[Finding]:
    if series.symbol in ("T", "pH"):
        return
    for at in np.flatnonzero(series.values < 0).tolist():
        yield Finding(
            "negative", series.run, series.symbol,
            _("{value} {unit} is below zero").format(value=f"{series.values[at]:.4g}", unit=series.unit),
            _("Check the sensor's zero or the blank."), series.places[at],
        )  # fmt: skip


def _neighbours(series: Series) -> tuple[Floats, Floats]:
    """What the readings around each one say of it, by a robust line through them, and how much they scatter about it.

    The line has the median slope of all pairs (Sen 1968, doi:10.1080/01621459.1968.10480934); readings at one time make
    none.
    """
    count = len(series.values)
    middles, scatters = [], []
    for low in range(0, count, BLOCK):
        here = np.arange(low, min(low + BLOCK, count))[:, None]
        near = here + np.array([step for step in range(-WINDOW, WINDOW + 1) if step])
        there = (near >= 0) & (near < count)
        near = np.where(there, near, here)
        t, y = series.time[near] - series.time[here], np.where(there, series.values[near], np.nan)
        first, second = np.triu_indices(2 * WINDOW, 1)
        step = t[:, second] - t[:, first]
        slopes = (y[:, second] - y[:, first]) / np.where(step > 0, step, np.nan)
        level = y - np.nan_to_num(_median(slopes))[:, None] * t
        middle = _median(level)
        middles.append(middle)
        scatters.append(1.4826 * _median(np.abs(level - middle[:, None])))
    return np.concatenate(middles), np.concatenate(scatters)


def _median(rows: Floats) -> Floats:
    """The median of each row without what is not-a-number in it."""
    ordered = np.sort(rows, axis=1)
    count = np.isfinite(rows).sum(axis=1)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    at = np.arange(len(rows))
    return np.asarray((ordered[at, low] + ordered[at, np.minimum(high, rows.shape[1] - 1)]) / 2)


def _outliers(series: Series, middles: Floats, scatter: Floats) -> Iterator[tuple[int, Finding]]:
    spread = float(np.quantile(series.values, 0.95) - np.quantile(series.values, 0.05))
    away = np.abs(series.values - middles)
    far = (away > np.maximum(FAR * scatter, LEAST * spread)) & (away > 0)
    for at in (np.flatnonzero(far[1:-1]) + 1).tolist():
        if _alone(series, at):
            middle = float(middles[at])
            yield at, Finding(
                "outlier", series.run, series.symbol,
                _("{value} {unit} at {hours} h, where its neighbours say {middle}").format(
                    value=f"{series.values[at]:.4g}", unit=series.unit, hours=f"{series.time[at]:.4g}",
                    middle=f"{middle:.4g}",
                ),
                _("Look it up; leave it out by emptying the cell."), series.places[at],
            )  # fmt: skip


def _alone(series: Series, at: int) -> bool:
    """Whether a reading stands beyond both of its neighbours: a step or a bend does not."""
    before, here, after = series.values[at - 1 : at + 2]
    return bool((here - before) * (here - after) > 0)


def _point_slips(series: Series, middles: Floats, scatter: Floats) -> Iterator[tuple[int, Finding]]:
    told = (scatter < STEADY * middles) & (series.values > 0)
    ratio = np.divide(series.values, middles, out=np.ones_like(middles), where=told)
    told &= np.abs(np.log(np.where(told, ratio, 1.0))) > math.log(min(SLIPS)) - NEAR_POINT
    for at in np.flatnonzero(told).tolist():
        middle, value = float(middles[at]), float(series.values[at])
        if slip := _slip(value / middle, NEAR_POINT):
            yield at, Finding(
                "unit_slip", series.run, series.symbol,
                _("{value} {unit} at {hours} h, where its neighbours say {middle}: a slip by {slip}?").format(
                    value=f"{value:.4g}", unit=series.unit, hours=f"{series.time[at]:.4g}", middle=f"{middle:.4g}",
                    slip=slip,
                ),
                _("Correct the cell."), series.places[at],
            )  # fmt: skip
