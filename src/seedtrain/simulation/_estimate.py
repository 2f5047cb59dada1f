"""A correlation's result, and the constants that correlations share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GRAVITY: Final = 9.80665  # m/s2
BROTH_DENSITY: Final = 1020.0  # kg/m3, assumed
BROTH_VISCOSITY: Final = 1.0e-3  # Pa s, assumed: a bacterial broth, near water
SURFACE_TENSION: Final = 0.072  # N/m, water at 25 degC; medium with antifoam has less


@dataclass(frozen=True)
class Estimate:
    """A value, whether its inputs lie inside the published range, where the correlation comes from, and its status.

    `status`: `sourced` (the published form), `derived` (from sourced figures by a stated rule), `assumed`, or
    `unverified` (quoted from memory of the field; the original was not at hand). `spread`: how far the truth may lie
    off, relative, either way; 0 where nobody says.
    """

    value: float
    in_range: bool
    source: str
    status: str = "sourced"
    spread: float = 0.0
