"""A value with its interval and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.quantity._unit import QuantityError, convert, read_unit

STATUSES: Final = ("sourced", "fitted", "derived", "assumed")


@dataclass(frozen=True)
class Uncertain:
    """`value` within `low` .. `high` at probability `level`, in `unit`.

    - `status`: sourced, fitted, derived or assumed; `source`: the paper, the data or the reasoning behind it.

    Raises `QuantityError` where the value lies outside its interval, or the status is unknown.
    """

    value: float
    low: float
    high: float
    unit: str
    level: float = 0.9
    status: str = "assumed"
    source: str = ""

    def __post_init__(self) -> None:
        """Normalise the unit and check the order."""
        if not self.low <= self.value <= self.high:
            raise QuantityError(
                f"the value {self.value} lies outside its interval {self.low} .. {self.high} {self.unit}",
                remedy="Give an interval that holds the value.",
            )
        if not 0.0 < self.level <= 1.0:
            raise QuantityError(f"the level {self.level} is not a probability", remedy="Give a level such as 0.9.")
        if self.status not in STATUSES:
            raise QuantityError(f"{self.status!r} is not a status", remedy=f"Use one of: {', '.join(STATUSES)}.")
        object.__setattr__(self, "unit", read_unit(self.unit).spelling)

    def to(self, unit: str) -> Uncertain:
        """The same in `unit`."""
        value, low, high = (convert(item, self.unit, unit) for item in (self.value, self.low, self.high))
        return Uncertain(value, low, high, unit, self.level, self.status, self.source)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready; `from_data` gives the same back."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "level": self.level,
            "status": self.status,
            "source": self.source,
        }

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Uncertain:
        """What `to_data` wrote; raises `KeyError` for other data."""
        return Uncertain(
            float(data["value"]),
            float(data["low"]),
            float(data["high"]),
            str(data["unit"]),
            float(data["level"]),
            str(data["status"]),
            str(data["source"]),
        )
