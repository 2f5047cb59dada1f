"""A small problem with an exact solution, an event and failures, for laws of ensembles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seedtrain.simulation._engine import LOG, Schedule, System
from seedtrain.simulation._ensemble import Problem, Shown
from seedtrain.simulation._ensemble._draw import Floats
from seedtrain.simulation._metabolism import Span

DECAY = System(
    name="decay that may blow up",
    states=("y",),
    numbers=("k", "b"),
    held=(),
    lines=(),
    rates=("-k * y + b * y ** 2",),
    gauges=(("half", "0.5 - y"),),
    observed=(),
)
TIMES = np.linspace(0.0, 2.0, 5)
SPREADS = {"k": Span(0.5, 1.5), "b": Span(0.0, 0.0)}


def fill(columns: Mapping[str, Floats], count: int) -> Schedule:
    """y starts at 1 and decays for 2 h; with a large b it grows without bound instead."""
    numbers = np.stack([columns["k"], columns["b"]], axis=1)[:, None]
    assert len(numbers) == count
    return Schedule(
        initial=np.ones((1, 1)),
        numbers=numbers,
        jumps=np.zeros((1, 1, 1)),
        lengths=np.full((1, 1), 2.0),
        actions=np.full((1, 1, 1), LOG, dtype=np.int8),
    )


PROBLEM = Problem(
    DECAY,
    TIMES,
    {"y": Shown("g/L", "what is left")},
    fill,
    events={"half": "half is left"},
    units={"k": "1/h", "b": "L/g/h"},
)
