"""What an executor calls with every sample: it keeps the telemetry, watches the alarms and marks the gaps."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from seedtrain.automation._alarms import Alarm, AlarmWatch, NotifyEntry
from seedtrain.automation._devices import Origin, Quality, Reading
from seedtrain.base import InputError, UnavailableError, digest
from seedtrain.record import Draft, Ledger, Spool, seal_segments, telemetry_path, timestamp

SYSTEM = "system"
_LOG = logging.getLogger(__name__)


class Recorder:
    """The telemetry of one batch: into the spool beside its ledger, sealed hour by hour under digests in the ledger.

    - `alarms`, `notify`: what is watched, and who is told. `origin`: of the plant, for alarms.

    Time is the source's, on the process clock. Readings are on the disk within a second of `put`, all of them when
    `close` returns; what a killed process sends again is kept once. Thread-safe as `Spool` is, but for `phase`.
    """

    def __init__(
        self,
        ledger: Ledger,
        batch: str,
        *,
        origin: Origin,
        alarms: Iterable[Alarm] = (),
        notify: Sequence[NotifyEntry] = (),
    ) -> None:
        self.ledger, self.batch = ledger, batch
        self.alarms = AlarmWatch(ledger, batch, alarms, origin=origin, notify=notify)
        self._spool = Spool(telemetry_path(ledger.path))
        self._hour: int | None = None
        self._told = ""

    def put(
        self,
        unit: str,
        tag: str,
        at: datetime,
        value: float,
        measure: str,
        *,
        origin: Origin,
        quality: Quality = "good",
        device: str = "",
    ) -> None:
        """Take one sample of a tag of a unit: `value` in `measure`, at the source's time; returns at once.

        A value that is not a number is kept as bad, whatever the source calls it.
        """
        mark: Quality = quality if math.isfinite(value) else "bad"
        name = device or f"{unit}.{tag}"
        self._spool.put(tag, value, measure, at, quality=mark, origin=origin, device=name)
        self.alarms.see(unit, tag, value, measure, mark, at)

    def take(self, unit: str, readings: Iterable[Reading]) -> None:
        """`put` of each reading, in the order of time, so that alarms come and go as they did."""
        last = None
        for item in sorted(readings, key=lambda item: item.time):
            self.put(
                unit,
                item.tag,
                item.time,
                item.value,
                item.unit,
                origin=item.origin,
                quality=item.quality,
                device=item.device,
            )
            last = item.time
        if last is not None:
            self.tick(last)

    def phase(self, unit: str, path: str, do: str, at: datetime) -> None:
        """A phase begins in a unit; empty words: it has ended and none runs."""
        self.alarms.phase(unit, path, do, at)

    def gap(
        self, unit: str, tag: str, start: datetime, end: datetime, cause: str, *, backfilled: bool, origin: Origin
    ) -> None:
        """Say in the record that a tag (empty: every tag of the unit) was not heard of from `start` to `end`.

        - `backfilled`: whether its values came later, from the server's history. Saying it again changes nothing.
        """
        if end < start:
            raise InputError(f"a gap from {start} to {end}", remedy="Give an end after the start.")
        payload = {
            "unit": unit,
            "tag": tag,
            "from": timestamp(start),
            "to": timestamp(end),
            "cause": cause,
            "backfilled": backfilled,
            "origin": origin,
        }
        identity = digest(["telemetry.gap", self.batch, payload])[:32]
        self.ledger.append(Draft("telemetry.gap", self.batch, payload, SYSTEM, end, id=identity))

    def tick(self, now: datetime) -> None:
        """What time alone does, on the process clock: shelving ends, and an hour that is over is sealed."""
        self.alarms.tick(now)
        hour = int(now.timestamp() // 3600)
        if self._hour is not None and hour > self._hour:
            self._spool.flush()
            self._seal()
        self._hour = hour if self._hour is None else max(self._hour, hour)

    @property
    def acknowledged(self) -> int:
        """How many of the samples that this recorder took are on the disk."""
        return self._spool.acknowledged

    def flush(self) -> None:
        """Return once everything that came is on the disk."""
        self._spool.flush()

    def close(self, *, seal: bool = True) -> None:
        """Bring everything to the disk, and with `seal` the running hour into a segment, as at the end of a batch."""
        self.alarms.close()
        self._spool.close()
        if seal:
            self._seal(everything=True)

    def _seal(self, *, everything: bool = False) -> None:
        """Seal what is over. Where that cannot be done the batch goes on: the spool keeps every reading till then.

        The same reason is told once, not every hour of the process clock.
        """
        try:
            seal_segments(self.ledger, subject=self.batch, everything=everything)
            self._told = ""
        except UnavailableError as error:
            if str(error) != self._told:
                _LOG.warning("telemetry of %s stays in the spool: %s", self.batch, error)
            self._told = str(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close(seal=kind is None)
