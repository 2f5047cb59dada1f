"""One stretch of an imported model, by the compiled engine or by scipy on generated Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from seedtrain.base import FUNCTIONS, parse_expression
from seedtrain.simulation._engine import END_STRETCH, IGNORE, Schedule, System, compile_system
from seedtrain.simulation._exchange._values import Floats

BETWEEN: Final = (0.25, 0.5, 0.75)
"""Where inside a step a gauge is looked at, beside its end."""


@dataclass(frozen=True)
class Leg:
    """A stretch as it went: rows at the times asked for up to its end, and why it ended.

    - `states` (rows, n), `observed` (rows, o); `end`: how long it lasted; `final`: the state then.
    - `fired`: the gauge that ended it, -1 for none; `failure`: why it could not go on, or empty.
    """

    states: Floats
    observed: Floats
    end: float
    final: Floats
    fired: int = -1
    failure: str = ""


class Integrator(Protocol):
    """Advances a system by one stretch."""

    def advance(self, state: Floats, numbers: Mapping[str, float], length: float, times: Floats, watched: bool) -> Leg:
        """From `state` for at most `length`; `times` count from the start of the stretch. `watched`: gauges end it."""
        ...


class EngineIntegrator:
    """The compiled engine."""

    def __init__(self, system: System, rtol: float, atol: Any) -> None:
        self.system = system
        self.compiled = compile_system(system)
        self.rtol, self.atol = rtol, atol

    def advance(self, state: Floats, numbers: Mapping[str, float], length: float, times: Floats, watched: bool) -> Leg:
        """A schedule of one stretch."""
        system = self.system
        action = END_STRETCH if watched else IGNORE
        schedule = Schedule(
            initial=state[None],
            numbers=np.array([[[numbers[name] for name in system.numbers]]], dtype=float).reshape(1, 1, -1),
            jumps=np.zeros((1, 1, len(state))),
            lengths=np.array([[length]]),
            actions=np.full((1, 1, len(system.gauges)), action, dtype=np.int8),
        )
        found = self.compiled.run(schedule, times, rtol=self.rtol, atol=self.atol)
        end = float(found.ends[0, 0])
        rows = int(np.searchsorted(times, end, side="right"))
        fired = -1
        for row in found.crossings.of(0):
            if row["direction"] > 0 and row["time"] >= end - 1e-9 * max(1.0, end):
                fired = int(row["gauge"])
        started = found.gauges_at_start[0, 0]
        if fired < 0 and watched and end < length and len(started) and float(started.max()) >= 0:
            fired = int(started.argmax())
        failed = found.reason(0) if int(found.status[0]) != 0 else ""
        return Leg(found.states[0, :rows], found.observed[0, :rows], end, found.finals[0, 0], fired, failed)


class PlainIntegrator:
    """LSODA (Hindmarsh 1983; Petzold 1983) on generated Python: slow, nothing to compile, independent of the engine."""

    def __init__(self, system: System, rtol: float, atol: Any) -> None:
        self.system = system
        self.rtol, self.atol = rtol, atol
        self._rates, self._gauges, self._observe = _functions(system)

    def advance(self, state: Floats, numbers: Mapping[str, float], length: float, times: Floats, watched: bool) -> Leg:
        """LSODA step by step; a gauge's root is located on the step's own interpolant."""
        from scipy.integrate import LSODA

        p = [numbers[name] for name in self.system.numbers]
        rows: list[Floats] = []

        def leg(end: float, final: Floats, fired: int = -1, failure: str = "") -> Leg:
            states = np.array(rows).reshape(-1, len(state))
            seen = [self._observe(t, row.tolist(), p) for t, row in zip(times, states, strict=False)]
            seen_rows = np.array(seen).reshape(len(rows), len(self.system.observed))
            return Leg(states, seen_rows, end, final, fired, failure)

        def slope(t: float, y: Floats) -> list[float]:
            try:
                found = self._rates(t, y.tolist(), p)
            except (ArithmeticError, ValueError):
                return [math.nan] * len(y)
            return [math.nan] * len(y) if any(isinstance(item, complex) for item in found) else found

        def fire(t: float, y: Floats) -> Floats:
            return np.array(self._gauges(t, y.tolist(), p), dtype=float)

        if not np.isfinite(slope(0.0, state)).all():
            return leg(0.0, state, failure="a rate has no finite value there")
        if watched and self.system.gauges and (fire(0.0, state) >= 0).any():
            return leg(0.0, state, int(np.argmax(fire(0.0, state))))
        if length == 0 or not len(state):
            rows += [state for _ in times[times <= length]]
            return leg(length, state)
        solver = LSODA(slope, 0.0, state, length, rtol=self.rtol, atol=self.atol)
        while solver.status == "running":
            try:
                words = solver.step()
            except (ArithmeticError, ValueError) as error:
                words, solver.status = str(error), "failed"
            if solver.status == "failed" or not np.isfinite(solver.y).all():
                return leg(float(solver.t), solver.y, failure=words or "a rate has no finite value there")
            dense = solver.dense_output()
            before, now = float(solver.t_old or 0.0), float(solver.t)
            hit = self._first(fire, dense, before, now) if watched and self.system.gauges else None
            end = now if hit is None else hit[0]
            while len(rows) < len(times) and times[len(rows)] <= end:
                rows.append(np.array(dense(times[len(rows)])) if times[len(rows)] > 0 else state)
            if hit is not None:
                return leg(end, np.array(dense(end)), hit[1])
        return leg(length, solver.y)

    def _first(self, fire: Any, dense: Any, before: float, now: float) -> tuple[float, int] | None:
        """When and which gauge first rises through zero between two times."""
        last = before
        for part in (*BETWEEN, 1.0):
            t = before + part * (now - before)
            values = fire(t, dense(t))
            if (values >= 0).any():
                found = [(_root(fire, dense, last, t, at), at) for at in np.flatnonzero(values >= 0).tolist()]
                return min(found)
            last = t
        return None


def _root(fire: Any, dense: Any, low: float, high: float, at: int) -> float:
    """The first time after `low` at which the gauge is not below zero, to the last bit; it holds there."""
    while True:
        middle = low + 0.5 * (high - low)
        if not low < middle < high:
            return high
        if fire(middle, dense(middle))[at] >= 0:
            high = middle
        else:
            low = middle


_Function = Callable[[float, list[float], list[float]], list[float]]


def _functions(system: System) -> tuple[_Function, _Function, _Function]:
    """Rates, gauges and observations of (t, y, p) as Python."""
    # No symbol begins with an underscore.
    unpack = [f"    {', '.join(system.states)}, = _y"]
    unpack += [f"    {', '.join(system.numbers)}, = _p"] if system.numbers else []
    body: list[str] = []
    for name, texts in (("rates", system.rates), ("gauges", [text for _, text in system.gauges])):
        lines = [f"    {symbol} = {code}" for symbol, code in _needed(system, texts)]
        codes = [parse_expression(text).code for text in texts]
        body += [f"def {name}(t, _y, _p):", *unpack, *lines, f"    return [{', '.join(codes)}]"]
    body += ["def observe(t, _y, _p):", *unpack]
    for symbol, code in _needed(system, system.observed):
        # What is only looked at may have no value there, as 0 / 0 before anything has begun.
        body += ["    try:", f"        {symbol} = {code}", "    except (ArithmeticError, ValueError):"]
        body += [f"        {symbol} = _nan"]
    body += [f"    return [{', '.join(system.observed)}]"]
    scope: dict[str, Any] = {**FUNCTIONS, "_nan": math.nan}
    # Generated from whitelisted nodes alone.
    exec(compile("\n".join(body), f"<system {system.name}>", "exec"), scope)  # noqa: S102
    return scope["rates"], scope["gauges"], scope["observe"]


def _needed(system: System, texts: Sequence[str]) -> list[tuple[str, str]]:
    """The lines that expressions need, in order, as symbol and code."""
    wanted = {name for text in texts for name in parse_expression(text).names}
    found = []
    for symbol, text in reversed((*system.held, *system.lines)):
        if symbol in wanted:
            expression = parse_expression(text)
            wanted |= expression.names
            found.append((symbol, expression.code))
    return found[::-1]
