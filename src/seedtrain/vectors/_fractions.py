"""Intervals of counted fractions."""

from __future__ import annotations

import math
from typing import Final

Z95: Final = 1.959963984540054


def wilson(found: float, total: float, z: float = Z95) -> tuple[float, float]:
    """Interval of a fraction, 95 % by default; (0, 1) without any trial.

    **Source** Wilson 1927, J Am Stat Assoc 22:209.
    """
    if total <= 0:
        return 0.0, 1.0
    share = found / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(0.0, round(middle - half, 12)), min(1.0, round(middle + half, 12))


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
