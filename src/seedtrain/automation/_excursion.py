"""Values against their limits, and stretches of readings outside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import decimal_text
from seedtrain.quantity import Range, convert

Floats = NDArray[np.float64]

MOST_READINGS_RECORDED: Final = 24
"""Of one excursion: a longer one is recorded by this many of its readings, its worst among them; the telemetry segment
holds all."""

READINGS_TO_RETURN: Final = 5
"""An excursion is over once this many readings in a row are within limits (an off-delay, as ISA-18.2 calls it);
assumed."""

SETTLING_H: Final = 0.5
"""h that a controlled value may take to come within its limits after its set point has changed; assumed. Until then
its alarm is suppressed by design (ISA-18.2), and the time that it took is recorded."""


@dataclass(frozen=True)
class Excursion:
    """A stretch of values of one tag outside its limits.

    - `value`: the worst, in `unit`; `low`, `high`: the limits in `unit`, None where open.
    - `start_h`, `end_h`: first and last value outside, h of the phase; `occurred_at`: the last one's time.
    - `kind`: reading, sample or calculated; `device`: what measured it; `count`: how many values.
    """

    batch: str
    phase: str
    unit_name: str
    tag: str
    value: float
    unit: str
    low: float | None
    high: float | None
    start_h: float
    end_h: float
    occurred_at: datetime
    kind: str
    device: str | None
    count: int
    origin: str

    @property
    def words(self) -> str:
        """The excursion in one English line."""
        low = "" if self.low is None else decimal_text(self.low)
        high = "" if self.high is None else decimal_text(self.high)
        limits = f"{low} .. {high}" if low and high else f">= {low}" if low else f"<= {high}"
        value = f"{decimal_text(self.value, 4)} {self.unit}".rstrip()
        when = f"from {self.start_h:.2f} to {self.end_h:.2f} h" if self.count > 1 else f"at {self.start_h:.2f} h"
        return f"{self.tag} {value} outside {limits} {self.unit}".rstrip() + f", {when} of {self.phase}"


def bound(value: float | None) -> str | None:
    """A limit as the record holds it; None is open."""
    return None if value is None else decimal_text(value)


def bounds(limits: Range | None, unit: str) -> tuple[float | None, float | None]:
    """Both limits as numbers in `unit`, None where open."""
    if limits is None:
        return None, None
    low = None if limits.low is None else limits.low.magnitude(unit)
    high = None if limits.high is None else limits.high.magnitude(unit)
    return low, high


def is_within(value: float, low: float | None, high: float | None) -> bool:
    """Whether the recorded `value` keeps its limits, both ends included."""
    recorded = float(decimal_text(value))
    return (low is None or recorded >= float(decimal_text(low))) and (
        high is None or recorded <= float(decimal_text(high))
    )


@dataclass(frozen=True)
class Stretch:
    """Where a column leaves its limits: every row outside, and the row of the worst value."""

    outside: tuple[int, ...]
    worst: int

    @property
    def first(self) -> int:
        """The first row outside."""
        return self.outside[0]

    @property
    def last(self) -> int:
        """The last row outside."""
        return self.outside[-1]

    def rows(self) -> list[int]:
        """The rows to record: all of a short stretch, else evenly spread ones with first, worst and last."""
        if len(self.outside) <= MOST_READINGS_RECORDED:
            return list(self.outside)
        spread = np.linspace(0, len(self.outside) - 1, MOST_READINGS_RECORDED - 1).round()
        return sorted({*(self.outside[int(index)] for index in spread), self.worst})


def stretches(
    column: Floats, low: float | None, high: float | None, *, after: int = 0, join: int = READINGS_TO_RETURN
) -> list[Stretch]:
    """The stretches of `column` outside `low` .. `high`, from row `after` on.

    Two are one where fewer than `join` readings between them are within: a value that flickers about its limit is one
    excursion.
    """
    rounded = np.array([float(decimal_text(value)) for value in column])
    beyond = np.zeros(len(column))
    if low is not None:
        beyond = np.maximum(beyond, float(decimal_text(low)) - rounded)
    if high is not None:
        beyond = np.maximum(beyond, rounded - float(decimal_text(high)))
    beyond[:after] = 0.0
    outside = np.flatnonzero(beyond > 0)
    if not len(outside):
        return []
    groups = np.split(outside, np.flatnonzero(np.diff(outside) > join) + 1)
    return [Stretch(tuple(int(row) for row in rows), int(rows[np.argmax(beyond[rows])])) for rows in groups]


def in_unit(column: Floats, unit: str, wanted: str) -> Floats:
    """A column of values in another unit of the same dimension (all conversions are linear with an offset)."""
    if unit == wanted:
        return column
    offset = convert(0.0, unit, wanted)
    slope = convert(1.0, unit, wanted) - offset
    return column * slope + offset


def row_time(start: datetime, hours: float) -> datetime:
    """The process clock at `hours` after `start`."""
    return start + timedelta(hours=hours)
