"""What is estimated: parameters with bounds, a scale on which they are searched, and what is known of them before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from seedtrain.base import InputError

Scale = Literal["lin", "log", "log10"]
PriorKind = Literal["", "normal", "logNormal", "parameterScaleNormal"]
SCALES: Final[Mapping[str, Scale]] = {"lin": "lin", "log": "log", "log10": "log10"}
LN10: Final = math.log(10.0)


@dataclass(frozen=True)
class Prior:
    """What is known before the data: mean and standard deviation, on the scale that `kind` says (PEtab's words)."""

    kind: PriorKind = ""
    mean: float = 0.0
    deviation: float = 1.0


@dataclass(frozen=True)
class FitParameter:
    """One estimated parameter: `low` and `high` bound its value in `unit`; the search runs on `scale`."""

    name: str
    scale: Scale
    low: float
    high: float
    nominal: float
    unit: str = ""
    prior: Prior = Prior()

    def __post_init__(self) -> None:
        ends = f"{self.name} may lie between {self.low:g} and {self.high:g}"
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise InputError(ends, remedy="Give finite bounds, the lower first.")
        if self.scale != "lin" and self.low <= 0:
            raise InputError(f"{ends}, and is searched by its logarithm", remedy="Give a lower bound above 0.")
        if self.prior.kind and not self.prior.deviation > 0:
            raise InputError(f"the prior of {self.name} has deviation {self.prior.deviation:g}", remedy="Give one > 0.")

    def scaled(self, value: float) -> float:
        """`value` on the scale of the search."""
        return value if self.scale == "lin" else math.log(value) if self.scale == "log" else math.log10(value)

    def value(self, scaled: float) -> float:
        """The value where the search stands."""
        return scaled if self.scale == "lin" else math.exp(scaled) if self.scale == "log" else 10.0**scaled

    def slope(self, value: float) -> float:
        """d value / d scaled."""
        return {"lin": 1.0, "log": value, "log10": value * LN10}[self.scale]

    @property
    def width(self) -> float:
        """What counts as a long step of the search: a decade, a factor e, a tenth of the bounds of a plain value."""
        return (self.high - self.low) / 10 if self.scale == "lin" else 1.0

    def prior_terms(self, scaled: float) -> tuple[float, float, float]:
        """Negative log density of the prior, up to a constant; its first derivative and its curvature by `scaled`."""
        kind, mean, deviation = self.prior.kind, self.prior.mean, self.prior.deviation
        if not kind:
            return 0.0, 0.0, 0.0
        value = self.value(scaled)
        at, slope = value, self.slope(value)
        extra = extra_slope = 0.0
        if kind == "parameterScaleNormal":
            at, slope = scaled, 1.0
        elif kind == "logNormal":
            at, slope = math.log(value), self.slope(value) / value
            extra, extra_slope = math.log(value), slope
        away = (at - mean) / deviation
        constant = math.log(deviation) + 0.5 * math.log(2 * math.pi)
        return constant + 0.5 * away**2 + extra, away * slope / deviation + extra_slope, (slope / deviation) ** 2
