"""What the integration of one segment leaves for the run that is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from seedtrain.simulation._conditions import Conditions
from seedtrain.simulation._plan import Segment
from seedtrain.simulation._run import Floats


@dataclass
class Piece:
    """What one segment left: its span, the solver's interpolants, and the kernel's numbers for it."""

    segment: Segment
    conditions: Conditions
    start: float
    end: float
    numbers: tuple[float, ...]
    initial: Floats
    final: Floats
    steps: list[tuple[float, float, Callable[[Any], Any]]]
    notes: list[tuple[float, str, str]] = field(default_factory=list)
