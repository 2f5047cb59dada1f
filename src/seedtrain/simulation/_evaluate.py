"""A system's held symbols and observations at single points, in plain Python.

The engine's compiled code integrates; this reads some hundred stored points, where compiling would cost more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from seedtrain.base import FUNCTIONS, parse_expression
from seedtrain.simulation._engine import System

Values = Sequence[float]


class Evaluator:
    """`held(numbers, state)` and `observed(t, state, numbers, held)` of one system, in the system's order."""

    def __init__(self, system: System) -> None:
        held = [f"{symbol} = {parse_expression(text).code}" for symbol, text in system.held]
        lines = [f"{symbol} = {parse_expression(text).code}" for symbol, text in system.lines]
        give = _assign(system.numbers, "numbers"), _assign(system.states, "state")
        names = tuple(symbol for symbol, _ in system.held)
        self.held: Callable[[Values, Values], tuple[float, ...]] = _function(
            system, ["def made(numbers, state):", *give, *held, f"return {_tuple(names)}"]
        )
        self.observed: Callable[[float, Values, Values, Values], tuple[float, ...]] = _function(
            system,
            [
                "def made(t, state, numbers, held):",
                *give,
                _assign(names, "held"),
                *lines,
                f"return {_tuple(system.observed)}",
            ],
        )


def evaluator(system: System) -> Evaluator:
    """The evaluator of `system`, made once."""
    if system.digest not in _KNOWN:
        _KNOWN[system.digest] = Evaluator(system)
    return _KNOWN[system.digest]


_KNOWN: dict[str, Evaluator] = {}


def _assign(names: Sequence[str], source: str) -> str:
    return f"{_tuple(names)} = {source}" if names else "pass"


def _tuple(names: Sequence[str]) -> str:
    return f"({', '.join(names)},)" if names else "()"


def _function(system: System, lines: list[str]) -> Any:
    scope: dict[str, Any] = {**FUNCTIONS, "__builtins__": {}}
    # Generated from whitelisted expressions alone, and without builtins.
    exec(compile("\n    ".join(lines), f"<{system.name}>", "exec"), scope)  # noqa: S102
    return scope["made"]
