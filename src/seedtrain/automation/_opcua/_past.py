"""What a server's history says of a function: readings, values held at given times, and whether an outage is filled."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from seedtrain.automation._devices import Origin, Reading
from seedtrain.automation._observed import Outage
from seedtrain.automation._opcua._session import Value

_SLACK: Final = timedelta(milliseconds=1)


def aware(when: datetime) -> datetime:
    """OPC UA times are UTC."""
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def moments_of(began: datetime, end: datetime, interval: timedelta) -> list[datetime]:
    """Each `interval` from `began`, and `end`."""
    hours, step = (end - began).total_seconds() / 3600.0, interval.total_seconds() / 3600.0
    times = np.arange(0.0, hours, step)
    moments = [began + timedelta(hours=float(item)) for item in times]
    if not moments or hours - times[-1] > 1e-6:
        moments.append(end)
    return moments


def covers(values: Sequence[Value], outage: Outage, step: timedelta) -> bool:
    """Whether a function has values over an outage, no two further apart than `step`."""
    times = [when for when, _ in _known(values)]
    times = [*times, outage.found] if times else []
    gaps = [(after - before) for before, after in pairwise(times)]
    return bool(gaps) and max(gaps) <= step + _SLACK and times[0] <= outage.lost + _SLACK


@dataclass(frozen=True)
class Past:
    """One function's history as readings: its `tag`, `unit`, `origin` and `device`."""

    tag: str
    unit: str
    origin: Origin
    device: str

    def after(self, values: Sequence[Value], after: datetime) -> Iterator[Reading]:
        """Every value later than `after`, as it came."""
        for when, item in _known(values):
            if when > after:
                yield self._reading(item, when)

    def held(self, values: Sequence[Value], moments: Sequence[datetime], interval: timedelta) -> Iterator[Reading]:
        """The value at each moment, held from its last source time; one older than an interval is bad, and so is the
        first one before it came."""
        known = _known(values)
        times = [when for when, _ in known]
        for moment in moments:
            index = bisect_right(times, moment) - 1
            if index < 0:
                first = float(known[0][1].value) if known else 0.0
                yield Reading(self.tag, first, self.unit, moment, "bad", self.origin, self.device)
                continue
            when, item = known[index]
            yield self._reading(item, moment, fresh=moment - when < interval)

    def _reading(self, item: Value, at: datetime, *, fresh: bool = True) -> Reading:
        quality = item.quality if fresh else "bad"
        return Reading(self.tag, float(item.value), self.unit, at, quality, self.origin, self.device)


def _known(values: Sequence[Value]) -> list[tuple[datetime, Value]]:
    return [(aware(item.time), item) for item in values if item.value is not None and item.time is not None]
