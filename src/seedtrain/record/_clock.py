"""The wall clock beside the recorded times: how far it stands behind, and the event that says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from seedtrain.base import decimal_text
from seedtrain.record._event import SYSTEM, Draft, moment, timestamp

CLOCK_TOLERANCE_S: Final = 1.0  # assumed: a clock that is disciplined by NTP steps back by less
Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


def behind_s(wall: datetime, stamp: str, last: str) -> float:
    """Seconds by which the clock, `stamp` in the ledger's form, stands behind the last recorded time ("": none)."""
    if stamp >= last:  # times in one form sort as their texts
        return 0.0
    return max(0.0, (moment(last) - wall).total_seconds())


def clock_draft(wall: datetime, last: str, behind: float) -> Draft:
    """The event that says so; `behind` in s."""
    payload = {"state": "behind", "wall": timestamp(wall), "last": last, "behind_s": decimal_text(behind, 12)}
    return Draft("clock.checked", "clock", payload, SYSTEM, occurred_at=wall)
