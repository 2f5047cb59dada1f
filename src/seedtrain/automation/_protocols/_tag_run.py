"""What is remembered of one phase on a device that keeps no history."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from seedtrain.automation._devices import Ending, Origin, Reading, TagValue
from seedtrain.automation._protocols._mapping import TagFunction
from seedtrain.recipe import Phase


@dataclass
class TagRun:
    """One phase: since when, what was read of each function and at which process time, how it ended.

    - `stood`: how long it was held; its durations do not count that.
    - `totals`: what every totaliser and outlet counted at its start, by tag.
    """

    path: str
    phase: Phase
    began: datetime
    unit: str
    functions: Mapping[str, TagFunction]
    origin: Origin
    seen: dict[str, list[tuple[datetime, TagValue]]] = field(default_factory=dict)
    totals: dict[str, float] = field(default_factory=dict)
    ending: Ending | None = None
    stood: timedelta = timedelta(0)

    def note(self, tag: str, at: datetime, value: TagValue) -> None:
        """Remember one look at a function."""
        self.seen.setdefault(tag, []).append((at, value))

    def last(self, tag: str) -> tuple[float, str] | None:
        """The last good value of a function and its unit, or None."""
        looks = self.seen.get(tag)
        if not looks:
            return None
        value = looks[-1][1]
        good = value.quality != "bad" and isinstance(value.value, float)
        return (value.value, self.functions[tag].unit) if good and isinstance(value.value, float) else None

    def _reading(self, tag: str, at: datetime, value: TagValue | None, *, fresh: bool = True) -> Reading:
        number = value.value if value is not None and isinstance(value.value, float) else None
        quality = value.quality if value is not None and number is not None and fresh else "bad"
        unit, device = self.functions[tag].unit, f"{self.unit}.{tag}"
        return Reading(tag, 0.0 if number is None else number, unit, at, quality, self.origin, device)

    def fresh(self, after: datetime) -> tuple[Reading, ...]:
        """Every look later than `after`, in the order of time; where the device gave no number, nothing."""
        found = [
            self._reading(tag, at, value)
            for tag, looks in self.seen.items()
            for at, value in looks
            if at > after and isinstance(value.value, float)
        ]
        return tuple(sorted(found, key=lambda item: item.time))

    def held(self, end: datetime, interval: timedelta) -> tuple[Reading, ...]:
        """Every function each `interval` from the start and at `end`, as it was read last by then.

        Where nothing was read for longer than an interval the last value stands and is bad, so that a gap shows as
        exactly the rows that it covers; so does the first value before it was read.
        """
        moments = [self.began]
        while moments[-1] + interval < end:
            moments.append(moments[-1] + interval)
        if moments[-1] < end:
            moments.append(end)
        return tuple(self._at(tag, moment, interval) for tag in self.functions for moment in moments)

    def _at(self, tag: str, moment: datetime, interval: timedelta) -> Reading:
        looks = self.seen.get(tag, [])
        if not looks:
            return self._reading(tag, moment, None)
        index = bisect_right(looks, moment, key=lambda item: item[0]) - 1
        when, value = looks[max(index, 0)]
        return self._reading(tag, moment, value, fresh=abs(moment - when) <= interval)
