"""Where a batch was when: its beginning, and the phases over its telemetry, from the ledger's events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seedtrain.base import InputError
from seedtrain.record._ledger import Ledger
from seedtrain.record._telemetry._rows import HOUR_US, Floats, Longs, microseconds


@dataclass(frozen=True)
class Band:
    """A phase of a batch: `start` and `end` in microseconds since 1970; `end` is None while it runs."""

    phase: str
    unit: str
    start: int
    end: int | None

    def covers(self, time: Longs) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which times are in the band, its end not."""
        found = time >= self.start
        return found if self.end is None else found & (time < self.end)


def batch_begin(ledger: Ledger, batch: str) -> int | None:
    """When a batch began, microseconds since 1970: `batch.created`, else its first `step.started`; None: neither."""
    for kind in ("batch.created", "step.started"):
        event = next(ledger.events(subject=batch, type=kind), None)
        if event is not None:
            return microseconds(event.occurred)
    return None


def batch_end(ledger: Ledger, batch: str) -> int | None:
    """When a batch was over, microseconds since 1970, and the last of its phases was; None: not yet.

    A person's order bears the time of day, which on a plant whose clock runs faster is before the last phase's end.
    """
    found = [
        event
        for event in ledger.events(subject=batch, type="batch.state_changed")
        if not event.payload.get("unit_procedure") and event.payload.get("after") in ("complete", "stopped", "aborted")
    ]
    ends = [item.end for item in bands(ledger, batch)]
    if not found or None in ends:
        return None
    return max([microseconds(found[-1].occurred), *(item for item in ends if item is not None)])


def require_begin(ledger: Ledger, batch: str) -> int:
    """When a batch began; `InputError` where the ledger has no such batch."""
    begin = batch_begin(ledger, batch)
    if begin is None:
        raise InputError(f"the ledger has no batch {batch!r}", remedy="See: seedtrain batch list.")
    return begin


def bands(ledger: Ledger, batch: str) -> tuple[Band, ...]:
    """The phases of a batch in the order of their start; the first start and the first end of a phase stand."""
    started: dict[str, Band] = {}
    for event in ledger.events(subject=batch, type="step.started"):
        payload = event.payload
        band = Band(str(payload["phase"]), str(payload.get("unit", "")), microseconds(event.occurred), None)
        started.setdefault(band.phase, band)
    ended: dict[str, int] = {}
    for event in ledger.events(subject=batch, type="step.completed"):
        ended.setdefault(str(event.payload["phase"]), microseconds(event.occurred))
    found = (Band(item.phase, item.unit, item.start, ended.get(item.phase)) for item in started.values())
    return tuple(sorted(found, key=lambda band: (band.start, band.phase)))


def bands_of(found: Sequence[Band], device: str) -> tuple[Band, ...]:
    """The phases of the unit of which `device` (`unit.tag`) is an instrument; all of them where it is of none."""
    own = tuple(band for band in found if band.unit and device.startswith(f"{band.unit}."))
    return own or tuple(found)


def phase_at(found: Sequence[Band], time: Longs) -> list[str]:
    """The phases that run at each time, joined by `; ` where units run at once; empty between phases."""
    codes = np.zeros(len(time), np.int64)
    names: dict[int, str] = {0: ""}
    for band in found:
        inside = band.covers(time)
        for code in np.unique(codes[inside]).tolist():
            words = "; ".join(filter(None, (names[code], band.phase)))
            names[len(names)] = words
            codes[inside & (codes == code)] = len(names) - 1
    return [names[code] for code in codes.tolist()]


def batch_hours(begin: int, time: Longs) -> Floats:
    """Hours since the batch began, shape of `time`."""
    return np.asarray((time - begin) / HOUR_US, np.float64)
