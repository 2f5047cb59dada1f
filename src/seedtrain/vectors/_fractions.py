"""Intervals of counted fractions."""

from __future__ import annotations

import math
from typing import Final

Z95: Final = 1.959963984540054


def seen_once(trials: int, probability: float = 0.95) -> float:
    """The fraction of which `trials` see at least one with `probability`; 1 without any trial.

    Close to 3/n at 95 %, exactly 1 - 0.05^(1/n).
    """
    if trials <= 0:
        return 1.0
    return -math.expm1(math.log1p(-probability) / trials)


def share_text(value: float) -> str:
    """A fraction as a percentage with three digits."""
    return f"{100 * value:.3g} %"
