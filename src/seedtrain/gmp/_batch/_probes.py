"""The calibration of a probe in a batch, as its event tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seedtrain.gmp._batch._tally import Tally
from seedtrain.record import Event


@dataclass(frozen=True)
class CalibrationLine:
    """One calibration; `why` it has not passed, empty where it has. Numbers as recorded, in the probe's unit."""

    seq: int
    phase: str
    unit: str
    tag: str
    device: str
    slope: str
    offset: str
    passed: bool
    why: str
    valid_until: str
    actor: str
    occurred_at: str


def calibrated(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    """Add the line."""
    words = {name: str(payload[name]) for name in ("phase", "unit", "tag", "device", "slope", "offset", "valid_until")}
    why = str(payload.get("why", ""))
    passed = payload["passed"] is True
    tally.lines.append(
        CalibrationLine(event.seq, **words, passed=passed, why=why, actor=event.actor, occurred_at=event.occurred_at)
    )
