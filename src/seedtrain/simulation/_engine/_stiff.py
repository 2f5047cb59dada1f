"""The text of one step of a Rosenbrock method, for every lane at once."""

from __future__ import annotations

from typing import Final

from seedtrain.simulation._engine._step import Closing, closing_lines, weighted
from seedtrain.simulation._engine._tableaus import Rosenbrock


def stiff_step(method: Rosenbrock, n: int, *, timed: bool, by: bool, curved: bool) -> str:
    """`step(a, w, tol)`: the new state, its error and the step's factor, from the state, t and h of every lane.

    With `by` also the sensitivities of one trajectory, on the same factors: their Jacobian is the state's, and what
    couples them to the state's stages is `second`, or `bend` where the Jacobian's variation is `curved` once a step.
    """
    lines = [
        "def step(a: PI, w: P, tol: P):",
        "    t = at(w, TIME)",
        "    h = at(w, STEP)",
        "    ih = 1.0 / h",
        "    linearise(t, shift(w, STATE * WIDTH), shift(w, CONSTANT * WIDTH), shift(w, RATE * WIDTH), "
        "shift(w, JACOBIAN * WIDTH), shift(w, BY_TIME * WIDTH))",
        f"    bad = factor(ih * {1 / method.gamma!r}, shift(w, JACOBIAN * WIDTH), shift(w, FACTORS * WIDTH))",
    ]
    if by:
        lines += ["    d = numbers_at(a[ARG_d_work])", "    blocks = a[ARG_blocks]", "    unit = blocks * DIRECTIONS"]
    if curved:
        lines.append(
            "    curvature(t, shift(w, STATE), shift(w, CONSTANT), blocks, d, shift(d, D_STATE * unit), "
            "shift(d, D_CONSTANT * unit), shift(d, D_CURVE * unit))"
        )
    for s in range(method.stages):
        lines += _stage(method, n, s, timed=timed)
        if by:
            lines += _stage_by(method, n, s, curved=curved)
    last = method.stages - 1
    own_last = f"at(w, STAGE + {last * n} + i)"
    by_last = f"get(d, (D_STAGE + {last * n} + i) * blocks + b)"
    closing = Closing(
        new=f"at(w, POINT + i) + {own_last}",
        error=own_last,
        new_by=f"get(d, (D_POINT + i) * blocks + b) + {by_last}",
        error_by=by_last,
    )
    return "\n".join([*lines, *closing_lines(closing, n, method.order, by=by), *_IDLE]) + "\n"


def _stage(method: Rosenbrock, n: int, s: int, *, timed: bool) -> list[str]:
    """Stage `s` of the state."""

    def stage(j: int) -> str:
        return f"at(w, STAGE + {j * n} + i)"

    lines, base = [], "at(w, RATE + i)"
    if s:
        if s < len(method.a):
            point = weighted([(a, stage(j)) for j, a in enumerate(method.a[s])], "at(w, STATE + i)")
        else:
            point = f"at(w, POINT + i) + {stage(s - 1)}"
        carried = weighted([(C, stage(j)) for j, C in enumerate(method.C[s])], "0.0")
        base = f"fma(ih, {carried}, at(w, SLOPE + i))"
        lines = [
            f"    for i in range({n}):",
            f"        set(w, POINT + i, {point})",
            f"    rates(fma({method.c[s]!r}, h, t), shift(w, POINT * WIDTH), shift(w, CONSTANT * WIDTH), "
            "shift(w, SLOPE * WIDTH))",
        ]
    if timed and method.d[s]:
        base = f"fma(h * {method.d[s]!r}, at(w, BY_TIME + i), {base})"
    return [
        *lines,
        f"    for i in range({n}):",
        f"        set(w, STAGE + {s * n} + i, {base})",
        f"    solve(shift(w, FACTORS * WIDTH), shift(w, (STAGE + {s * n}) * WIDTH))",
    ]


_IDLE: Final = (
    "",
    "def begin_method(w: P, l: I, f: P):",
    "    pass",
    "",
    "def accept_method(a: PI, w: P, k: PI, l: I) -> I:",
    "    return 0",
)


def _stage_by(method: Rosenbrock, n: int, s: int, *, curved: bool) -> list[str]:
    """The sensitivities of stage `s`; the state's is known."""

    def stage(j: int) -> str:
        return f"get(d, (D_STAGE + {j * n}) * blocks + q)"

    lines = []
    point, place, time = "D_STATE", "STATE", "t"
    if s > 0:
        if s < len(method.a):
            moved = weighted([(a, stage(j)) for j, a in enumerate(method.a[s])], "get(d, D_STATE * blocks + q)")
        else:
            moved = f"get(d, D_POINT * blocks + q) + {stage(s - 1)}"
        lines += [f"    for q in range({n} * blocks):", f"        put(d, D_POINT * blocks + q, {moved})"]
        point, place, time = "D_POINT", "POINT", f"fma({method.c[s]!r}, h, t)"
    carried = weighted([(C, stage(j)) for j, C in enumerate(method.C[s])], "0.0")
    stage_place = f"shift(w, STAGE + {s * n}), h * {method.d[s]!r}"
    given = "blocks, d, shift(d, POINT * unit), shift(d, D_CONSTANT * unit), shift(d, D_SLOPE * unit)"
    lines += [
        f"    rates_by({time}, shift(w, {place}), shift(w, CONSTANT), {given.replace('POINT', point)})",
        f"    bend(blocks, {stage_place}, shift(d, D_CURVE * unit), shift(d, D_BEND * unit))"
        if curved
        else f"    second(t, shift(w, STATE), shift(w, CONSTANT), blocks, {stage_place}, shift(d, D_STATE * unit), "
        "shift(d, D_CONSTANT * unit), shift(d, D_BEND * unit))",
        f"    for q in range({n} * blocks):",
        "        rest = get(d, D_SLOPE * blocks + q) + get(d, D_BEND * blocks + q)",
        f"        put(d, (D_STAGE + {s * n}) * blocks + q, fma(ih, {carried}, rest))",
        f"    solve_by(shift(w, FACTORS), shift(d, (D_STAGE + {s * n}) * unit), blocks)",
    ]
    return lines
