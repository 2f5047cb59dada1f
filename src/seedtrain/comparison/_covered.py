"""How much of a culture each run was read over: one that ended early has no end, and no shape, of the whole."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from seedtrain.base import translate as _
from seedtrain.comparison._reason import Reason

Span = tuple[float, float]
ENOUGH: Final = 0.8
"""Of the usual time from the first reading to the last: what covers less is told; assumed."""


def span(times: Sequence[float], start: float, end: float) -> Span:
    """The first and the last of the times (h) of readings from `start` to `end`; not-a-number where there is none."""
    inside = [time for time in times if start <= time <= end]
    return (min(inside), max(inside)) if inside else (math.nan, math.nan)


def usual(spans: Sequence[Span]) -> Span:
    """The time that runs were usually read over, h: from the median of the first to the median of the last readings."""
    known = [item for item in spans if item[1] >= item[0]]
    if not known:
        return math.nan, math.nan
    low, high = (float(np.median([item[at] for item in known])) for at in (0, 1))
    return low, high


def part_of(item: Span, whole: Span) -> float:
    """How much of the time `whole` the readings of `item` lie over; 1 where it has no length."""
    length = whole[1] - whole[0]
    return (min(item[1], whole[1]) - max(item[0], whole[0])) / length if length > 0 else 1.0


def short_runs(spans: Mapping[str, Span]) -> str:
    """What is to be said of runs that cover much less than is usual; empty where none does."""
    whole = usual(list(spans.values()))
    short = {name: item for name, item in spans.items() if part_of(item, whole) < ENOUGH}
    if not short:
        return ""

    def say() -> str:
        text = _("{run} was read from {low} to {high} h alone, where runs usually are from {first} to {last} h")
        return "; ".join(
            text.format(run=name, low=_hours(item[0]), high=_hours(item[1]), first=_hours(whole[0]),
                        last=_hours(whole[1]))
            for name, item in short.items()
        )  # fmt: skip

    return Reason(say)


def partly(covered: Span, whole: Span) -> str:
    """That a shape is told over a part of the time alone."""

    def say() -> str:
        text = _("every run covers {low} to {high} h alone, of {first} to {last} h: no equivalence of the whole shape")
        return text.format(low=_hours(covered[0]), high=_hours(covered[1]), first=_hours(whole[0]),
                           last=_hours(whole[1]))  # fmt: skip

    return Reason(say)


def _hours(value: float) -> str:
    return f"{value:.3g}"
