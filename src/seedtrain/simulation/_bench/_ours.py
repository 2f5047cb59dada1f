"""Seedtrain's own engine on the fed-batch of `_problem`, in the same form as the peers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from seedtrain.simulation._bench import _problem as problem
from seedtrain.simulation._bench._peers import Integrate, Peer
from seedtrain.simulation._bench._problem import ATOL, END_H, RTOL, Floats

if TYPE_CHECKING:
    from seedtrain.simulation._engine import Schedule, Seeds, System


def system(name: str = "fedbatch", extra: str = "") -> System:
    """The fed-batch as the engine wants it; `extra` is added to the biomass's rate, to make a text of its own."""
    from seedtrain.simulation._engine import System

    return System(
        name=name,
        states=tuple(problem.START),
        numbers=tuple(problem.NUMBERS),
        held=(),
        lines=problem.LINES,
        rates=(problem.RATES[0] + extra, *problem.RATES[1:]),
    )


def schedule(numbers: Floats) -> Schedule:
    """One stretch of 24 h with each row of `numbers`, shape (trajectory, 26)."""
    from seedtrain.simulation._engine import Schedule

    return Schedule(
        initial=problem.start()[None],
        numbers=np.ascontiguousarray(numbers[:, None, :]),
        jumps=np.zeros((1, 1, 7)),
        lengths=np.full((1, 1), END_H),
        actions=np.zeros((1, 1, 0), dtype=np.int8),
    )


def seeds() -> Seeds:
    """The 22 directions of the varied numbers."""
    from seedtrain.simulation._engine import Seeds

    count = len(problem.VARIED)
    numbers = np.zeros((1, len(problem.NUMBERS), count))
    numbers[0, problem.varied(), np.arange(count)] = 1
    return Seeds(
        initial=np.zeros((7, count)), numbers=numbers, jumps=np.zeros((1, 7, count)), lengths=np.zeros((1, count))
    )


def ensemble() -> Integrate:
    """States of the ensemble, one thread."""
    from seedtrain.simulation._engine import compile_system

    compiled, times = compile_system(system()), problem.times()

    def run(numbers: Floats) -> Floats:
        return compiled.run(schedule(numbers), times, rtol=RTOL, atol=ATOL, threads=1).states

    return run


def sensitivities() -> Integrate:
    """Derivatives of the states by the 22 varied numbers, one thread."""
    from seedtrain.simulation._engine import compile_system

    compiled, times, directions = compile_system(system()), problem.times(), seeds()

    def run(numbers: Floats) -> Floats:
        found = compiled.run(schedule(numbers), times, rtol=RTOL, atol=ATOL, seeds=directions, threads=1)
        assert found.states_by is not None
        return np.asarray(found.states_by)

    return run


ENSEMBLE: Final = (Peer("Seedtrain", "seedtrain", "seedtrain", ensemble),)
SENSITIVITIES: Final = (Peer("Seedtrain, forward", "seedtrain", "seedtrain", sensitivities),)
