"""A running batch as somebody watches it: phases, values with their targets and trends, alarms, gaps.

Everything is read from the record and the telemetry, so that another process runs the batch and this one may come and
go.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from seedtrain.automation._alarms import AlarmBook, AlarmState, Standing
from seedtrain.automation._fold import BatchState
from seedtrain.base import InputError
from seedtrain.quantity import QuantityError, convert, parse
from seedtrain.recipe import State
from seedtrain.record import QUALITIES, Event, Ledger, Telemetry, Trend, time_of

MOST_GAPS: Final = 5


@dataclass(frozen=True)
class WatchedPhase:
    """The phase that a unit runs, since `hours` h."""

    unit: str
    path: str
    hours: float


@dataclass(frozen=True)
class WatchedTag:
    """A tag: its last `value` in `measure` and where it should be, in the same unit; `trend` by time, oldest first.

    - `times`: h since the batch began, `trend`: values, both of shape "point", decimated so that they look the same.
    - `alarm`: the state of the gravest alarm of this tag that is not normal, or empty.
    """

    unit: str
    tag: str
    measure: str
    origin: str
    value: float
    quality: str
    at: datetime
    target: float | None
    alarm: str
    times: tuple[float, ...]
    trend: tuple[float, ...]


@dataclass(frozen=True)
class Watched:
    """One look at a batch; `now` and `hours` on the process clock, `hours` since it began."""

    batch: str
    recipe: str
    state: State
    simulated: bool
    now: datetime
    hours: float
    phases: tuple[WatchedPhase, ...]
    tags: tuple[WatchedTag, ...]
    alarms: tuple[Standing, ...]
    gaps: tuple[Mapping[str, Any], ...]

    def to_data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "batch": self.batch,
            "recipe": self.recipe,
            "state": self.state.value,
            "simulated": self.simulated,
            "now": self.now.isoformat(),
            "batch_h": self.hours,
            "phases": [asdict(item) for item in self.phases],
            "tags": [{**asdict(item), "at": item.at.isoformat()} for item in self.tags],
            "alarms": [item.to_data() for item in self.alarms],
            "gaps": [dict(item) for item in self.gaps],
        }


class BatchWatch:
    """Looks at one batch again and again; each look reads only what the record has gained."""

    def __init__(self, ledger: Ledger, telemetry: Telemetry, batch: str) -> None:
        self._ledger, self._telemetry = ledger, telemetry
        self._state, self._book = BatchState(batch), AlarmBook()
        self._running: dict[str, tuple[str, datetime]] = {}
        self._gaps: list[Mapping[str, Any]] = []
        self._catch_up()
        if self._state.created is None or self._state.begun is None:
            raise InputError(f"the ledger has no batch {batch!r}", remedy="See: seedtrain batch list.")

    def look(
        self, *, hours: float = 1.0, points: int = 160, units: Collection[str] = (), tags: Collection[str] = ()
    ) -> Watched:
        """The batch now, with trends of the last `hours` in at most so many `points`; only `units`, only `tags`."""
        self._catch_up()
        state, begun = self._state, self._state.begun
        assert state.created is not None
        assert begun is not None
        ended = state.state() in (State.COMPLETE, State.STOPPED, State.ABORTED)
        clock = state.clock or begun
        latest = self._telemetry.latest
        now = clock if ended or latest is None else max(clock, latest)
        known = [tag for tag in self._telemetry.tags() if not tags or tag in tags]
        start = max(now - timedelta(hours=hours), begun)
        end = now + timedelta(microseconds=1)
        trends = self._telemetry.trends(known, start, end, points=max(points, 3)) if known else ()
        found = [self._tag(item, begun) for item in trends if len(item.time)]
        return Watched(
            batch=state.batch,
            recipe=str(state.created.get("recipe", "")),
            state=state.state(),
            simulated=state.created.get("origin") == "simulated",
            now=now,
            hours=(now - begun).total_seconds() / 3600.0,
            phases=tuple(
                WatchedPhase(unit, path, (now - since).total_seconds() / 3600.0)
                for unit, (path, since) in sorted(self._running.items())
            ),
            tags=tuple(item for item in sorted(found, key=_order) if not units or item.unit in units),
            alarms=self._book.standing,
            gaps=tuple(self._gaps[-MOST_GAPS:]),
        )

    def _catch_up(self) -> None:
        for event in self._ledger.events(subject=self._state.batch, after=self._state.seq):
            self._state.apply(event)
            self._book.apply(event)
            self._take(event)

    def _take(self, event: Event) -> None:
        unit, path = str(event.payload.get("unit", "")), str(event.payload.get("phase", ""))
        if event.type == "step.started":
            self._running[unit] = (path, event.occurred)
        elif event.type == "step.completed":
            self._running = {name: item for name, item in self._running.items() if item[0] != path}
        elif event.type == "telemetry.gap":
            self._gaps.append(event.payload)

    def _tag(self, trend: Trend, begun: datetime) -> WatchedTag:
        unit = trend.device.removesuffix(f".{trend.tag}")
        value, mark = float(trend.value[-1]), int(trend.quality[-1])
        alarms = [item for item in self._book.standing if (item.unit, item.tag) == (unit, trend.tag)]
        quiet = (AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE)
        alarm = next((item.state.value for item in alarms if item.state not in quiet), "")
        zero = int(begun.timestamp() * 1e6)
        return WatchedTag(
            unit=unit,
            tag=trend.tag,
            measure=trend.unit,
            origin=trend.origin,
            value=value,
            quality=QUALITIES[mark],
            at=time_of(int(trend.time[-1])),
            target=self._target(unit, trend),
            alarm=alarm,
            times=tuple(((trend.time - zero) / 3.6e9).tolist()),
            trend=tuple(np.where(trend.quality < QUALITIES.index("bad"), trend.value, math.nan).tolist()),
        )

    def _target(self, unit: str, trend: Trend) -> float | None:
        """The set point of the phase that runs, or what a person has set instead, in the unit of the readings."""
        path, _ = self._running.get(unit, ("", None))
        words = self._state.settings.get(path, {}).get(trend.tag)
        for _seq, item in self._state.overrides:
            if (item["phase"], item["tag"]) == (path, trend.tag):
                words = f"{item['value']} {item['unit_of_measure']}".strip()
        if words is None:
            return None
        try:
            given = parse(str(words), like=trend.unit)
            return float(convert(given.value, given.unit, trend.unit))
        except (QuantityError, InputError):
            return None


def _order(item: WatchedTag) -> tuple[str, bool, str]:
    return item.unit, item.target is None, item.tag
