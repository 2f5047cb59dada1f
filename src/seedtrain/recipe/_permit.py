"""What may stop a phase before it starts: declared here, implemented by `gmp`, handed to the executor by `program`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class PermitRequest:
    """The question whether a phase may start now, on this unit, with these lots.

    - `batch`: its id; `phase_path`: "unit procedure/operation/phase"; `lots`: ids of the lots that it would consume.
    - `time`: the process clock. `equipment`: ids of what it uses beside the unit.
    - `actor`: the person who would run it; empty where the control system does.
    """

    batch: str
    phase_path: str
    unit: str
    lots: tuple[str, ...]
    time: datetime
    equipment: tuple[str, ...] = ()
    actor: str = ""


@dataclass(frozen=True)
class Refusal:
    """Why a phase may not start, and what to do about it.

    - `gate`: which check refuses, as `lot.expired`; `subject`: because of what: a lot, a device, a person.
    - `liftable`: whether quality may decide, under a deviation, that the phase goes on all the same.
    """

    reason: str
    remedy: str
    gate: str = ""
    subject: str = ""
    liftable: bool = False


@runtime_checkable
class Permit(Protocol):
    """A hard stop: an expired lot, a missing signature, an uncalibrated probe."""

    def check(self, request: PermitRequest) -> Refusal | None:
        """None where the phase may start."""
        ...
