"""A numba function as a system: the escape hatch for what the language of equations cannot say."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from seedtrain.base import InputError, is_symbol
from seedtrain.simulation._engine._compiled import Compiled
from seedtrain.simulation._engine._schedule import Schedule, Seeds, Trajectories
from seedtrain.simulation._engine._system import System

Function = Callable[[float, Any, Any, Any], None]


@dataclass(frozen=True, eq=False)
class CompiledFunction(Compiled):
    """A numba function that can be run like a system; it has no sensitivities."""

    alive: Any = None  # the machine code of the function, which must outlive its address

    def run(self, schedule: Schedule, times: Any, *, seeds: Seeds | None = None, **options: Any) -> Trajectories:
        """As `Compiled.run`; raises `InputError` where sensitivities are asked for."""
        if seeds is not None:
            raise InputError(
                f"system {self.system.name!r} is a function, and has no sensitivities",
                remedy="Write its equations as a System, or take differences of runs.",
            )
        return super().run(schedule, times, **options)


def numba_system(function: Function, states: Sequence[str], numbers: Sequence[str], *, name: str = "") -> Compiled:
    """`function(t, y, p, dy)` as something that runs like a system of `states` with `numbers`.

    `function` sets dy, the rates of the states y per hour at t hours since the start of the stretch, from the numbers
    p; numba compiles it (what it cannot compile is a bug, and numba says so). The Jacobian is taken by differences.
    """
    numba: Any = importlib.import_module("numba")
    assert all(is_symbol(symbol) for symbol in (*states, *numbers))
    system = System(name or function.__name__, tuple(states), tuple(numbers), (), (), ("0",) * len(states))
    inner = function if hasattr(function, "py_func") else numba.njit(function)
    n, count = len(states), len(numbers)

    def outside(t: float, y: Any, p: Any, dy: Any) -> None:
        inner(t, numba.carray(y, (n,)), numba.carray(p, (count,)), numba.carray(dy, (n,)))

    types = numba.types
    place = types.CPointer(types.float64)
    compiled = numba.cfunc(types.void(types.float64, place, place, place))(outside)
    return CompiledFunction(system, outside=compiled.address, alive=compiled)
