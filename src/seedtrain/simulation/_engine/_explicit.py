"""The text of one step of an explicit pair, for every lane at once, with a test for stiffness."""

from __future__ import annotations

from typing import Final

from seedtrain.simulation._engine._step import Closing, closing_lines, weighted
from seedtrain.simulation._engine._tableaus import Explicit

STIFF: Final = 6
"""The status of a trajectory that the stiff method should run instead."""


def explicit_step(method: Explicit, n: int, *, by: bool) -> str:
    """`step(a, w, tol)`: the new state, its error and the step's factor, from the state, its rate, t and h.

    STAGE holds h times the rates. The test for stiffness estimates h times the largest eigenvalue from the last two
    stages (Hairer & Wanner 1996, IV.2).
    """

    def stage(s: int) -> str:
        return f"at(w, STAGE + {s * n} + i)"

    def stage_by(s: int) -> str:
        return f"get(d, (D_STAGE + {s * n}) * blocks + q)"

    lines = ["def step(a: PI, w: P, tol: P):", "    t = at(w, TIME)", "    h = at(w, STEP)", "    bad = h * 0.0"]
    if by:
        lines += ["    d = numbers_at(a[ARG_d_work])", "    blocks = a[ARG_blocks]", "    unit = blocks * DIRECTIONS"]
    last = method.stages - 1
    for s in range(method.stages):
        place = "NEW" if s == last else "POINT"
        if s == 0:
            place, value = "STATE", "at(w, RATE + i)"
        else:
            value = "at(w, SLOPE + i)"
            moved = weighted([(a, stage(j)) for j, a in enumerate(method.a[s]) if a], "at(w, STATE + i)")
            lines += [
                f"    for i in range({n}):",
                f"        set(w, {place} + i, {moved})",
                f"    rates(fma({method.c[s]!r}, h, t), shift(w, {place} * WIDTH), shift(w, CONSTANT * WIDTH), "
                "shift(w, SLOPE * WIDTH))",
            ]
        lines += [f"    for i in range({n}):", f"        set(w, STAGE + {s * n} + i, h * {value})"]
        if by:
            point = "D_STATE" if s == 0 else f"D_{place}"
            if s:
                moved = weighted(
                    [(a, stage_by(j)) for j, a in enumerate(method.a[s]) if a], "get(d, D_STATE * blocks + q)"
                )
                lines += [f"    for q in range({n} * blocks):", f"        put(d, {point} * blocks + q, {moved})"]
            lines += [
                f"    rates_by(fma({method.c[s]!r}, h, t), shift(w, {place}), shift(w, CONSTANT), blocks, d, "
                f"shift(d, {point} * unit), shift(d, D_CONSTANT * unit), shift(d, D_SLOPE * unit))",
                f"    for q in range({n} * blocks):",
                f"        put(d, (D_STAGE + {s * n}) * blocks + q, h * get(d, D_SLOPE * blocks + q))",
            ]
    by_stage = [f"get(d, (D_STAGE + {s * n} + i) * blocks + b)" for s in range(method.stages)]
    closing = Closing(
        new="at(w, NEW + i)",
        error=weighted([(e, stage(s)) for s, e in enumerate(method.error) if e], "0.0"),
        new_by="get(d, (D_NEW + i) * blocks + b)",
        error_by=weighted([(e, by_stage[s]) for s, e in enumerate(method.error) if e], "0.0"),
    )
    stiffness = [
        "    above = h * 0.0",
        "    below = h * 0.0",
        f"    for i in range({n}):",
        f"        e = {stage(last)} - {stage(last - 1)}",
        "        above = fma(e, e, above)",
        "        e2 = at(w, NEW + i) - at(w, POINT + i)",
        "        below = fma(e2, e2, below)",
        "    set(w, STIFFNESS, sqrt(above / (below + 1e-300)))",
    ]
    return "\n".join([*lines, *closing_lines(closing, n, method.order, by=by), *stiffness]) + _METHOD


_METHOD: Final = """

def begin_method(w: P, l: I, f: P):
    for i in range(COUNT):
        w[(RATE + i) * WIDTH + l] = f[i]


def accept_method(a: PI, w: P, k: PI, l: I) -> I:
    for i in range(COUNT):
        w[(RATE + i) * WIDTH + l] = w[(SLOPE + i) * WIDTH + l]
    if w[STIFFNESS * WIDTH + l] > 3.25:
        k[LANE_CALM * WIDTH + l] = 0
        k[LANE_STIFF * WIDTH + l] += 1
        if k[LANE_STIFF * WIDTH + l] >= 15:
            return a[ARG_stop_when_stiff]
    else:
        k[LANE_CALM * WIDTH + l] += 1
        if k[LANE_CALM * WIDTH + l] == 6:
            k[LANE_STIFF * WIDTH + l] = 0
    return 0
"""
