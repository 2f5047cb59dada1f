"""What may stop a phase before it starts: declared here, implemented by `gmp`, handed to the executor by `program`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class PermitRequest:
    """The question whether a phase may start now, on this unit, with these lots.

    - `batch`: its id; `phase_path`: "unit procedure/operation/phase"; `lots`: ids of the lots that it would consume.
    - `time`: the process clock.
    """

    batch: str
    phase_path: str
    unit: str
    lots: tuple[str, ...]
    time: datetime


@dataclass(frozen=True)
class Refusal:
    """Why a phase may not start, and what to do about it."""

    reason: str
    remedy: str


@runtime_checkable
class Permit(Protocol):
    """A hard stop: an expired lot, a missing signature, an uncalibrated probe."""

    def check(self, request: PermitRequest) -> Refusal | None:
        """None where the phase may start."""
        ...
