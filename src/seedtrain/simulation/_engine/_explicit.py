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
    lines = ["def step(a: PI, w: P, tol: P):", "    t = at(w, TIME)", "    h = at(w, STEP)", "    bad = h * 0.0"]
    if by:
        lines += ["    d = numbers_at(a[ARG_d_work])", "    blocks = a[ARG_blocks]", "    unit = blocks * DIRECTIONS"]
    last = method.stages - 1
    for s in range(method.stages):
        place = "STATE" if s == 0 else "NEW" if s == last else "POINT"
        lines += _stage(method, n, s, place)
        if by:
            lines += _stage_by(method, n, s, place)
    stages = [f"at(w, STAGE + {s * n} + i)" for s in range(method.stages)]
    stages_by = [f"get(d, (D_STAGE + {s * n} + i) * blocks + b)" for s in range(method.stages)]
    closing = Closing(
        new="at(w, NEW + i)",
        error=weighted([(e, stages[s]) for s, e in enumerate(method.error) if e], "0.0"),
        new_by="get(d, (D_NEW + i) * blocks + b)",
        error_by=weighted([(e, stages_by[s]) for s, e in enumerate(method.error) if e], "0.0"),
    )
    stiffness = [
        "    above = h * 0.0",
        "    below = h * 0.0",
        f"    for i in range({n}):",
        f"        bent = {stages[last]} - {stages[last - 1]}",
        "        above = fma(bent, bent, above)",
        "        apart = at(w, NEW + i) - at(w, POINT + i)",
        "        below = fma(apart, apart, below)",
        "    set(w, STIFFNESS, sqrt(above / (below + 1e-300)))",
    ]
    return "\n".join([*lines, *closing_lines(closing, n, method.order, by=by), *stiffness]) + _METHOD


def _stage(method: Explicit, n: int, s: int, place: str) -> list[str]:
    """Stage `s` at the point kept in `place`."""
    lines, value = [], "at(w, RATE + i)"
    if s:
        value = "at(w, SLOPE + i)"
        terms = [(a, f"at(w, STAGE + {j * n} + i)") for j, a in enumerate(method.a[s]) if a]
        lines = [
            f"    for i in range({n}):",
            f"        set(w, {place} + i, {weighted(terms, 'at(w, STATE + i)')})",
            f"    rates(fma({method.c[s]!r}, h, t), shift(w, {place} * WIDTH), shift(w, CONSTANT * WIDTH), "
            "shift(w, SLOPE * WIDTH))",
        ]
    return [*lines, f"    for i in range({n}):", f"        set(w, STAGE + {s * n} + i, h * {value})"]


def _stage_by(method: Explicit, n: int, s: int, place: str) -> list[str]:
    """The sensitivities of stage `s`."""
    lines = []
    if s:
        terms = [(a, f"get(d, (D_STAGE + {j * n}) * blocks + q)") for j, a in enumerate(method.a[s]) if a]
        moved = weighted(terms, "get(d, D_STATE * blocks + q)")
        lines = [f"    for q in range({n} * blocks):", f"        put(d, D_{place} * blocks + q, {moved})"]
    return [
        *lines,
        f"    rates_by(fma({method.c[s]!r}, h, t), shift(w, {place}), shift(w, CONSTANT), blocks, d, "
        f"shift(d, D_{place} * unit), shift(d, D_CONSTANT * unit), shift(d, D_SLOPE * unit))",
        f"    for q in range({n} * blocks):",
        f"        put(d, (D_STAGE + {s * n}) * blocks + q, h * get(d, D_SLOPE * blocks + q))",
    ]


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
