"""The same results by scipy's integrators and generated Python: slow, and independent of the compiled kernel."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from seedtrain.base import FUNCTIONS
from seedtrain.simulation._engine._schedule import (
    CROSSING,
    CROSSINGS_KEPT,
    DONE,
    END_STRETCH,
    END_TRAJECTORY,
    NOT_FINITE,
    RAISED,
    STEP_TOO_SMALL,
    Crossings,
    Floats,
    Schedule,
    Seeds,
    Trajectories,
)
from seedtrain.simulation._engine._system import TIME, System

_STEP: Final = 1e-6  # relative, of the central differences


class Plain:
    """A system as Python functions."""

    def __init__(self, system: System) -> None:
        self.system = system
        code = {text: item.code for text, item in system.expressions.items()}
        states, numbers = ", ".join(system.states), ", ".join(system.numbers)
        names = [symbol for symbol, _ in system.held]
        unpack = [f"    {states}, = y"]
        if system.numbers:
            unpack.append(f"    {numbers}, = p")
        given = [f"    {', '.join(names)}, = h"] if names else []
        lines = [f"    {symbol} = {code[text]}" for symbol, text in system.lines]
        held = [f"    {symbol} = {code[text]}" for symbol, text in system.held]

        def listed(items: list[str]) -> str:
            return f"    return [{', '.join(items)}]"

        body = [f"def hold({TIME}, y, p):", *unpack, *held, listed(names)]
        for name, items in (
            ("rates", [code[text] for text in system.rates]),
            ("gauges", [code[text] for _, text in system.gauges]),
            ("observe", list(system.observed)),
        ):
            body += [f"def {name}({TIME}, y, p, h):", *unpack, *given, *lines, listed(items)]
        scope: dict[str, Any] = {**FUNCTIONS, "math": math}
        exec(compile("\n".join(body), f"<system {system.name}>", "exec"), scope)  # noqa: S102 - whitelisted nodes only
        self.hold: Callable[..., list[float]] = scope["hold"]
        self.rates: Callable[..., list[float]] = scope["rates"]
        self.gauges: Callable[..., list[float]] = scope["gauges"]
        self.observe: Callable[..., list[float]] = scope["observe"]

    def run(
        self, schedule: Schedule, times: Floats, *, rtol: float, atol: Any, method: str, seeds: Seeds | None
    ) -> Trajectories:
        """Every trajectory in turn."""
        method = {"explicit": "DOP853"}.get(method, "Radau")
        found = _empty(self.system, schedule, times)
        for i in range(schedule.trajectories):
            _one(self, schedule, i, found, rtol, atol, method)
        if seeds is None:
            return found
        return _differences(self, schedule, times, found, seeds, {"rtol": rtol, "atol": atol, "method": method})


def _empty(system: System, schedule: Schedule, times: Floats) -> Trajectories:
    count, stretches, n = schedule.trajectories, schedule.stretches, len(system.states)

    def zeros(*shape: int) -> Floats:
        return np.zeros((count, *shape))

    whole: list[Any] = [np.zeros(count, dtype=np.int64) for _ in range(6)]
    return Trajectories(
        times,
        zeros(len(times), n),
        zeros(len(times), len(system.observed)),
        zeros(stretches, n),
        zeros(stretches, n),
        zeros(stretches),
        zeros(stretches, len(system.held)),
        zeros(stretches, len(system.gauges)),
        whole[0],
        zeros(),
        whole[1],
        Crossings(whole[2], np.zeros((count, CROSSINGS_KEPT), dtype=CROSSING)),
        whole[3],
        whole[4],
        whole[5],
    )


def _row(part: Any, i: int) -> Any:
    return part[i if part.shape[0] > 1 else 0]


def _one(plain: Plain, schedule: Schedule, i: int, out: Trajectories, rtol: float, atol: Any, method: str) -> None:
    from scipy.integrate import solve_ivp

    times, y, now, row = out.times, _row(schedule.initial, i).copy(), 0.0, 0
    status, last = DONE, schedule.stretches - 1
    p: list[float] = []
    h: list[float] = []
    for s in range(schedule.stretches):
        p = _row(schedule.numbers, i)[s].tolist()
        actions = _row(schedule.actions, i)[s]
        y = y + _row(schedule.jumps, i)[s]
        out.starts[i, s], out.stretch[i] = y, s
        length = float(_row(schedule.lengths, i)[s])
        try:
            h = plain.hold(0.0, y.tolist(), p)
            first = np.array(plain.gauges(0.0, y.tolist(), p, h))
            plain.rates(0.0, y.tolist(), p, h)
        except (ArithmeticError, ValueError):
            status = NOT_FINITE
            break
        out.held[i, s], out.gauges_at_start[i, s] = h, first
        t = 0.0
        sign = first >= 0
        if (sign & (actions == END_TRAJECTORY)).any():
            status = RAISED
            break
        if not (length > 0 and not (sign & (actions == END_STRETCH)).any()):
            length = 0.0
        while t < length:

            def rhs(t: float, y: Floats, p: Any = p, h: Any = h) -> list[float]:
                return plain.rates(t, y.tolist(), p, h)

            events = []
            for g in range(len(sign)):

                def event(t: float, y: Floats, g: int = g, p: Any = p, h: Any = h) -> float:
                    return plain.gauges(t, y.tolist(), p, h)[g]

                event.terminal = bool(actions[g])  # type: ignore[attr-defined]
                event.direction = -1.0 if sign[g] else 1.0  # type: ignore[attr-defined]
                events.append(event)
            try:
                part = solve_ivp(
                    rhs, (t, length), y, method=method, rtol=rtol, atol=atol, dense_output=True, events=events
                )
            except (ArithmeticError, ValueError):
                status = NOT_FINITE
                break
            end = float(part.t[-1])
            out.steps[i] += len(part.t) - 1
            out.rates[i] += part.nfev
            inside = end - 1e-12 * max(1.0, now + end)
            while row < len(times) and times[row] - now < inside:
                when = max(times[row] - now, t)
                out.states[i, row] = part.sol(when) if when > t else y
                out.observed[i, row] = plain.observe(when, out.states[i, row].tolist(), p, h)
                row += 1
            t, y = end, part.y[:, -1]
            if part.status < 0:
                status = STEP_TOO_SMALL
                break
            stop = False
            for g, hits in enumerate(part.t_events or ()):
                if len(hits) and actions[g] and abs(hits[-1] - end) <= 1e-12 * max(1.0, end):
                    sign[g] = not sign[g]
                    k = out.crossings.counts[i]
                    if k < CROSSINGS_KEPT:
                        out.crossings.rows[i, k] = (now + end, s, g, 1 if sign[g] else -1)
                    out.crossings.counts[i] += 1
                    if sign[g] and actions[g] == END_TRAJECTORY:
                        status = RAISED
                    stop = stop or bool(sign[g] and actions[g] >= END_STRETCH)
            if stop:
                break
        now += t
        out.finals[i, s], out.ends[i, s] = y, now
        if status != DONE:
            break
    s = int(out.stretch[i])
    out.finals[i, s:], out.ends[i, s:], out.status[i], out.reached[i] = y, now, status, now
    for later in range(s + 1, last + 1):
        out.starts[i, later], out.held[i, later] = y, out.held[i, s]
        out.gauges_at_start[i, later] = out.gauges_at_start[i, s]
    if row < len(times):
        out.states[i, row:] = y
        length = float(out.ends[i, s] - (out.ends[i, s - 1] if s else 0.0))
        out.observed[i, row:] = plain.observe(length, y.tolist(), p, h)


def _differences(
    plain: Plain, schedule: Schedule, times: Floats, base: Trajectories, seeds: Seeds, options: dict[str, Any]
) -> Trajectories:
    names = ("states", "observed", "starts", "finals", "ends", "held")
    found = {name: np.zeros((*getattr(base, name).shape, seeds.directions)) for name in names}
    for k in range(seeds.directions):
        scale = 0.0
        for name in ("initial", "numbers", "jumps", "lengths"):
            value, by = getattr(schedule, name), getattr(seeds, name)[..., k]
            scale = max(scale, float(np.max(np.abs(by) / np.maximum(np.abs(value), 1e-3), initial=0.0)))
        step = _STEP / scale if scale else 0.0
        both = []
        for side in (step, -step):
            moved = {
                name: np.ascontiguousarray(getattr(schedule, name) + side * getattr(seeds, name)[..., k])
                for name in ("initial", "numbers", "jumps", "lengths")
            }
            both.append(plain.run(replace(schedule, **moved), times, seeds=None, **options))
        for name in names:
            difference = getattr(both[0], name) - getattr(both[1], name)
            found[name][..., k] = difference / (2 * step) if step else 0.0
    parts: dict[str, Any] = {f"{name}_by": value for name, value in found.items()}
    return replace(base, **parts)
