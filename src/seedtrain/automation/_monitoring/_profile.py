"""Readings of a phase on the time of the phase: means of equal stretches, so that batches lie beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.automation._monitoring._latent import Floats
from seedtrain.quantity import convert
from seedtrain.record import QUALITIES, BatchTime, Event, Trend, time_of

OWN: Final = "golden."
"""How the tags begin that monitoring itself writes."""
HOUR_US: Final = 3_600_000_000
GOOD: Final = QUALITIES.index("good")
Longs = NDArray[np.int64]


@dataclass(frozen=True)
class PhaseTime:
    """When a phase of a batch ran in its `unit`, microseconds since 1970; `end` None: it runs.

    - `still`: when it was held, from and to: its own clock stands still then, and what was read says nothing.
    """

    path: str
    unit: str
    start: int
    end: int | None
    still: tuple[tuple[int, int | None], ...] = ()

    def hours(self, time: Longs) -> Floats:
        """h on the phase's own clock; not a number before its start, in a hold and after its end."""
        found = (time - self.start).astype(float)
        outside = time < self.start
        if self.end is not None:
            outside |= time > self.end
        for begin, end in self.still:
            until = np.iinfo(np.int64).max if end is None else end
            found -= np.clip(time, begin, until) - begin
            outside |= (time > begin) & (time <= until)
        found[outside] = np.nan
        return np.asarray(found / HOUR_US, dtype=float)

    def moment(self, hours: float) -> datetime:
        """When the phase's own clock showed so many hours."""
        at = self.start + round(hours * HOUR_US)
        for begin, end in self.still:
            if at > begin:
                at += (begin if end is None else end) - begin
        return time_of(at)


def phase_times(time: BatchTime, events: Iterable[Event]) -> dict[str, PhaseTime]:
    """The phases of a batch by path; `events`: those of the batch, which say when a unit was held."""
    still: dict[str, list[tuple[int, int | None]]] = {}
    for event in events:
        if event.type != "step.commanded":
            continue
        spans, command = still.setdefault(str(event.payload["phase"]), []), event.payload["command"]
        at, open_ = _microseconds(event.occurred), bool(spans and spans[-1][1] is None)
        if command == "hold" and not open_:
            spans.append((at, None))
        elif command == "restart" and open_:
            spans[-1] = (spans[-1][0], at)
    return {
        band.phase: PhaseTime(band.phase, band.unit, band.start, band.end, tuple(still.get(band.phase, ())))
        for band in time.bands
    }


def _microseconds(time: datetime) -> int:
    return round(time.timestamp() * 1e6)


def own_tags(trends: Sequence[Trend], unit: str) -> dict[str, list[Trend]]:
    """The trends of a unit's instruments, by tag; what monitoring itself has written is none."""
    found: dict[str, list[Trend]] = {}
    for item in trends:
        if item.device.startswith(f"{unit}.") and not item.tag.startswith(OWN):
            found.setdefault(item.tag, []).append(item)
    return found


def profile(
    trends: Mapping[str, Sequence[Trend]], phase: PhaseTime, units: Mapping[str, str], every: float, count: int
) -> Floats:
    """Means over `every` seconds of the phase's clock, "time tag" of `units`, not a number where nothing was read.

    Only what is good counts: an uncertain soft sensor says what its model expects, not what this batch does.
    What is read as seldom as that comes now early, now late: an empty stretch has what the one before it had, once.
    """
    found = np.full((count, len(units)), np.nan)
    for column, (tag, unit) in enumerate(units.items()):
        total, number = np.zeros(count), np.zeros(count)
        for item in trends.get(tag, ()):
            hours = phase.hours(item.time)
            place = np.ceil(hours * 3600.0 / every - 1e-6) - 1
            good = (
                np.isfinite(hours) & (item.quality == GOOD) & np.isfinite(item.value) & (place >= 0) & (place < count)
            )
            values = item.value[good] if item.unit == unit else _converted(item.value[good], item.unit, unit)
            np.add.at(total, place[good].astype(int), values)
            np.add.at(number, place[good].astype(int), 1.0)
        column_values = np.divide(total, number, out=np.full(count, np.nan), where=number > 0)
        empty = np.flatnonzero(np.isnan(column_values[1:])) + 1
        column_values[empty] = column_values[empty - 1].copy()
        found[:, column] = column_values
    return found


def _converted(values: Any, unit: str, wanted: str) -> Floats:
    """Values in another unit; raises `QuantityError` where that cannot be."""
    return np.array([convert(float(item), unit, wanted) for item in values], dtype=float)
