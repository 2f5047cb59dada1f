"""Which kernel of a system is meant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """`lanes` trajectories side by side, `method` stiff or explicit, with `sensitivities` or without.

    `outside`: the rates come from a function elsewhere.
    """

    lanes: int = 1
    method: str = "stiff"
    sensitivities: bool = False
    outside: bool = False
