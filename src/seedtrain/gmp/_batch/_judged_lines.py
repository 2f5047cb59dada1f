"""The lines of a batch record that say how it was tested, reviewed and decided on, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from seedtrain.gmp._batch._lines import Correction

ResultState = Literal["conforms", "oos", "invalid"]
DecisionWord = Literal["released", "rejected", "on_hold"]


@dataclass(frozen=True)
class SampleLine:
    """A sample that was taken."""

    seq: int
    sample: str
    phase: str
    attributes: tuple[str, ...]
    actor: str
    occurred_at: str


@dataclass(frozen=True)
class ResultLine:
    """A result of quality control, with its state when it was recorded."""

    seq: int
    id: str
    sample: str
    attribute: str
    method: str
    value: str
    unit: str
    reported: str
    limit: str
    state: ResultState
    detected: bool
    origin: str
    actor: str
    occurred_at: str
    corrections: tuple[Correction, ...] = ()

    @property
    def current(self) -> str:
        """The value that counts."""
        return self.corrections[-1].value if self.corrections else self.value


@dataclass(frozen=True)
class Closure:
    """How a deviation was closed."""

    seq: int
    impact: str
    cause: str
    action: str
    actor: str
    occurred_at: str
    signed: bool


@dataclass(frozen=True)
class DeviationLine:
    """A deviation; `covers`: the seqs of the first and last value of its excursion, None where it names none."""

    seq: int
    deviation: str
    phase: str
    tag: str
    value: str
    unit: str
    low: str | None
    high: str | None
    start_h: str
    end_h: str
    words: str
    opened_by: str
    occurred_at: str
    covers: tuple[int, int] | None = None
    closure: Closure | None = None


@dataclass(frozen=True)
class ReviewItem:
    """One exception that a reviewer looks at; `seq` of the event that shows it, 0 where something is missing."""

    kind: str
    seq: int
    words: str


@dataclass(frozen=True)
class ReviewLine:
    """A review by exception. `stale`: something of substance was recorded after it."""

    seq: int
    actor: str
    occurred_at: str
    exceptions: tuple[ReviewItem, ...]
    acknowledged: tuple[int, ...]
    signed: bool
    stale: bool


@dataclass(frozen=True)
class DecisionLine:
    """A decision on the batch."""

    seq: int
    decision: DecisionWord
    reasons: tuple[str, ...]
    verdict: Mapping[str, Any]
    actor: str
    occurred_at: str
    signed: bool
