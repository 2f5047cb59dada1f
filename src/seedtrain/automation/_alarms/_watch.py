"""Watching readings for alarms: limits with dead band and delays, and what follows in the record."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seedtrain.automation._alarms._declare import Alarm
from seedtrain.automation._alarms._fold import PREFIX, AlarmBook, Standing
from seedtrain.automation._alarms._notify import Notifier, NotifyEntry
from seedtrain.automation._alarms._states import AlarmHappening, AlarmState
from seedtrain.base import decimal_text, digest
from seedtrain.record import Draft, Ledger, timestamp

SYSTEM = "system"
_LOG = logging.getLogger(__name__)


@dataclass
class Detector:
    """Whether the condition of one alarm is there. It comes after `on_delay` outside the limit without a break, and
    goes after `off_delay` inside it by the dead band; a value that cannot be used changes nothing (but `bad` itself).

    Readings up to `last` are passed over: what was sent again after a kill, and what a server's history filled in late.
    """

    alarm: Alarm
    present: bool = False
    last: datetime | None = None
    turning: datetime | None = None  # since when it has been otherwise than `present` says
    _limits: dict[str, float] = field(default_factory=dict)

    def see(self, value: float, unit: str, quality: str, at: datetime) -> bool:
        """Take a reading; whether `present` has changed."""
        if self.last is not None and at <= self.last:
            return False
        self.last = at
        usable = quality != "bad" and math.isfinite(value)
        if self.alarm.kind == "bad":
            there = not usable
        elif not usable:
            return False
        else:
            there = self._beyond(value, unit)
        if there is self.present:
            self.turning = None
            return False
        self.turning = at if self.turning is None else min(self.turning, at)
        delay = self.alarm.off_delay if self.present else self.alarm.on_delay
        if at - self.turning < delay:
            return False
        self.present, self.turning = there, None
        return True

    def _beyond(self, value: float, unit: str) -> bool:
        limit = self._limits.get(unit)
        if limit is None:
            assert self.alarm.limit is not None
            limit = self._limits[unit] = self.alarm.limit.magnitude(unit)
        band = self.alarm.dead_band if self.present else 0.0
        return value > limit - band if self.alarm.kind == "high" else value < limit + band


class AlarmWatch:
    """The alarms of one running batch: it takes readings and phases, and writes what happens into the ledger.

    - `origin`: simulated or measured. `notify`: who is told of what comes.

    Made anew after a kill it goes on from the record: nothing is raised twice, and nothing that stands is forgotten.
    """

    def __init__(
        self,
        ledger: Ledger,
        batch: str,
        alarms: Iterable[Alarm],
        *,
        origin: str,
        notify: Sequence[NotifyEntry] = (),
    ) -> None:
        self.ledger, self.batch, self.origin = ledger, batch, origin
        self.book = AlarmBook()
        self._detectors: dict[tuple[str, str], list[Detector]] = {}
        self._running: dict[str, tuple[str, str, datetime]] = {}
        self._notifier = Notifier(notify, self._told) if notify else None
        self._catch_up()
        for alarm in alarms:
            standing = self.book.get(*alarm.key)
            detector = Detector(alarm)
            if standing is not None:
                detector.present, detector.last = standing.layers.present, standing.turned_at
            self._detectors.setdefault((alarm.unit, alarm.tag), []).append(detector)

    def phase(self, unit: str, path: str, do: str, at: datetime) -> None:
        """A phase begins in a unit (`path` and `do` empty: none runs): what follows for alarms bound to phases."""
        self._running[unit] = (path, do, at)
        self._catch_up()
        for detector in self._all():
            alarm = detector.alarm
            if alarm.unit != unit:
                continue
            if alarm.phases and path not in alarm.phases and detector.present:
                detector.present, detector.turning = False, None
                self._write(AlarmHappening.RETURNED, alarm, at, reason="the phase is over")
            if alarm.suppressed_in:
                silent = path in alarm.suppressed_in or do in alarm.suppressed_in
                standing = self.book.get(*alarm.key)
                if silent is not (standing is not None and standing.layers.suppressed):
                    word = AlarmHappening.SUPPRESSED if silent else AlarmHappening.UNSUPPRESSED
                    self._write(word, alarm, at, reason=f"{path or 'no phase'} runs")

    def see(
        self,
        unit: str,
        tag: str,
        value: float,
        measure: str,
        quality: str,
        at: datetime,
        *,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Take a reading of a tag, `value` in `measure`; `details` go into the record with what follows from it."""
        for detector in self._detectors.get((unit, tag), ()):
            alarm = detector.alarm
            if alarm.phases and not self._is_there(alarm, at):
                continue
            if detector.see(value, measure, quality, at):
                self._catch_up()
                word = AlarmHappening.RAISED if detector.present else AlarmHappening.RETURNED
                limit = None if alarm.limit is None else alarm.limit.magnitude(measure)
                self._write(word, alarm, at, value=value, limit=limit, measure=measure, details=details)

    def present(self, unit: str, name: str) -> bool:
        """Whether the condition of an alarm is there."""
        return any(item.present for item in self._all() if item.alarm.key == (unit, name))

    def tick(self, now: datetime) -> None:
        """What time alone does: shelving ends. Call it now and then."""
        self._catch_up()
        for standing in list(self.book.alarms.values()):
            if standing.until is not None and standing.layers.shelved and now >= standing.until:
                self._append(AlarmHappening.UNSHELVED, standing, standing.until, {"reason": "its time is over"})

    def close(self) -> None:
        """Tell what waits to be told."""
        if self._notifier is not None:
            self._notifier.close()

    def _all(self) -> Iterable[Detector]:
        return (item for items in self._detectors.values() for item in items)

    def _is_there(self, alarm: Alarm, at: datetime) -> bool:
        path, _, began = self._running.get(alarm.unit, ("", "", at))
        return path in alarm.phases and at >= began + alarm.settling

    def _write(
        self,
        word: AlarmHappening,
        alarm: Alarm,
        at: datetime,
        *,
        reason: str = "",
        value: float | None = None,
        limit: float | None = None,
        measure: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        standing = self.book.get(*alarm.key) or Standing(alarm.unit, alarm.name, alarm.tag, alarm.priority)
        more = {
            "reason": reason,
            "priority": alarm.priority,
            "latching": alarm.latching,
            "group": alarm.group,
            "action": alarm.action,
            "value": None if value is None or not math.isfinite(value) else decimal_text(value, 6),
            "limit": None if limit is None else decimal_text(limit, 6),
            "measure": measure,
            **(details or {}),
        }
        self._append(word, standing, at, more)

    def _append(self, word: AlarmHappening, standing: Standing, at: datetime, more: Mapping[str, Any]) -> None:
        payload = happened(standing, at) | {"origin": self.origin} | dict(more)
        # The place in the alarm's own history makes a repeat after a kill harmless, and two at one time different.
        identity = digest(["alarm", self.batch, *standing.key, word.value, timestamp(at), standing.count])[:32]
        silent = standing.layers.silent
        self.ledger.append(Draft(f"{PREFIX}{word.value}", self.batch, payload, SYSTEM, at, id=identity))
        self._catch_up()
        found = self.book.get(*standing.key)
        comes = found is not None and found.state is AlarmState.UNACKNOWLEDGED
        if self._notifier is not None and comes and (word is AlarmHappening.RAISED or silent):
            assert found is not None
            self._notifier.tell({**payload, "first_out": found.first_out, "batch": self.batch})

    def _told(self, alarm: Mapping[str, Any], way: str, fault: str | None) -> None:
        """Put into the record whether somebody was told."""
        payload = {name: alarm[name] for name in ("unit", "tag", "alarm", "priority", "at")}
        payload |= {"way": way, "told": fault is None, "fault": fault}
        if fault is not None:
            _LOG.warning("nobody was told of the alarm %s by %s: %s", alarm["alarm"], way, fault)
        self.ledger.append(Draft(f"{PREFIX}notified", self.batch, payload, SYSTEM))

    def _catch_up(self) -> None:
        for event in self.ledger.events(subject=self.batch, after=self.book.seq):
            self.book.apply(event)


def happened(standing: Standing, at: datetime) -> dict[str, Any]:
    """The payload that every happening of an alarm has."""
    return {
        "unit": standing.unit,
        "tag": standing.tag,
        "alarm": standing.name,
        "priority": standing.priority,
        "at": timestamp(at),
        "reason": "",
        "by": None,
        "until": None,
    }
