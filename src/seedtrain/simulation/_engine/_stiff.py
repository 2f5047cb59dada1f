"""The text of one step of a Rosenbrock method, for every lane at once."""

from __future__ import annotations

from typing import Final

from seedtrain.simulation._engine._tableaus import Rosenbrock


def _sum(terms: list[tuple[float, str]], start: str) -> str:
    """Nested multiply-adds, the last term innermost."""
    for factor, name in terms:
        start = f"fma({factor!r}, {name}, {start})"
    return start


def stiff_step(method: Rosenbrock, n: int, timed: bool, by: bool) -> str:
    """`step(a, w, tol)`: the new state, its error and the step's factor, from the state, t and h of every lane.

    With `by` also the sensitivities of one trajectory, on the same factors: their Jacobian is the state's, and what
    couples them to the state's stages is `second`.
    """

    def stage(s: int) -> str:
        return f"at(w, STAGE + {s * n} + i)"

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
    for s in range(method.stages):
        if s == 0:
            base = "at(w, RATE + i)"
        else:
            lines.append(f"    for i in range({n}):")
            if s < len(method.a):
                point = _sum([(a, stage(j)) for j, a in enumerate(method.a[s])], "at(w, STATE + i)")
            else:
                point = f"at(w, POINT + i) + {stage(s - 1)}"
            lines.append(f"        set(w, POINT + i, {point})")
            lines.append(
                f"    rates(fma({method.c[s]!r}, h, t), shift(w, POINT * WIDTH), shift(w, CONSTANT * WIDTH), "
                "shift(w, SLOPE * WIDTH))"
            )
            carried = _sum([(C, stage(j)) for j, C in enumerate(method.C[s])], "0.0")
            base = f"fma(ih, {carried}, at(w, SLOPE + i))"
        if timed and method.d[s]:
            base = f"fma(h * {method.d[s]!r}, at(w, BY_TIME + i), {base})"
        lines += [
            f"    for i in range({n}):",
            f"        set(w, STAGE + {s * n} + i, {base})",
            f"    solve(shift(w, FACTORS * WIDTH), shift(w, (STAGE + {s * n}) * WIDTH))",
        ]
        if by:
            lines += _stage_by(method, n, s)
    last = stage(method.stages - 1)
    lines += [
        "    total = h * 0.0",
        f"    for i in range({n}):",
        "        old = at(w, STATE + i)",
        f"        new = at(w, POINT + i) + {last}",
        "        set(w, NEW + i, new)",
        "        size = select(abs(new) > abs(old), abs(new), abs(old))",
        f"        e = {last} / fma(tol[0], size, tol[i + 1])",
        "        total = fma(e, e, total)",
        f"    error = sqrt(total * {1 / n!r})",
        *(_error_by(method, n) if by else []),
        "    error = select(bad > 0.0, 1e6, error)",
        "    set(w, ERROR, error)",
        f"    set(w, FACTOR, 0.9 * exp(log(select(error > 1e-10, error, 1e-10)) * {-1 / method.order!r}))",
    ]
    return "\n".join(lines) + "\n"


def _stage_by(method: Rosenbrock, n: int, s: int) -> list[str]:
    """The sensitivities of stage `s`; the state's is known."""

    def stage(j: int) -> str:
        return f"get(d, (D_STAGE + {j * n}) * blocks + q)"

    lines = []
    point, place, time = "D_STATE", "STATE", "t"
    if s > 0:
        if s < len(method.a):
            moved = _sum([(a, stage(j)) for j, a in enumerate(method.a[s])], "get(d, D_STATE * blocks + q)")
        else:
            moved = f"get(d, D_POINT * blocks + q) + {stage(s - 1)}"
        lines += [f"    for q in range({n} * blocks):", f"        put(d, D_POINT * blocks + q, {moved})"]
        point, place, time = "D_POINT", "POINT", f"fma({method.c[s]!r}, h, t)"
    carried = _sum([(C, stage(j)) for j, C in enumerate(method.C[s])], "0.0")
    given = "blocks, d, shift(d, POINT * unit), shift(d, D_CONSTANT * unit), shift(d, D_SLOPE * unit)"
    lines += [
        f"    rates_by({time}, shift(w, {place}), shift(w, CONSTANT), {given.replace('POINT', point)})",
        f"    second(t, shift(w, STATE), shift(w, CONSTANT), blocks, shift(w, STAGE + {s * n}), h * {method.d[s]!r}, "
        "shift(d, D_STATE * unit), shift(d, D_CONSTANT * unit), shift(d, D_BEND * unit))",
        f"    for q in range({n} * blocks):",
        "        rest = get(d, D_SLOPE * blocks + q) + get(d, D_BEND * blocks + q)",
        f"        put(d, (D_STAGE + {s * n}) * blocks + q, fma(ih, {carried}, rest))",
        f"    solve_by(shift(w, FACTORS), shift(d, (D_STAGE + {s * n}) * unit), blocks)",
    ]
    return lines


SMALL_PART: Final = 0.05
"""A sensitivity counts as small where a natural step along its direction moves its state by less than this part of it."""


def _error_by(method: Rosenbrock, n: int) -> list[str]:
    """The error of every direction, on a scale of its own, so that the unit of what it is by does not matter."""
    last = f"get(d, (D_STAGE + {(method.stages - 1) * n} + i) * blocks + b)"
    return [
        f"    for i in range({n}):",
        "        large = w[STATE + i]",
        "        w[SCRATCH + i] = select(abs(w[NEW + i]) > abs(large), abs(w[NEW + i]), abs(large)) + tol[i + 1] / tol[0]",
        "        w[SCRATCH_MORE + i] = 1.0 / w[SCRATCH + i]",
        "    at_natural = wholes_at(a[ARG_whole])[LANE_TRAJECTORY] * a[ARG_d_natural_step]",
        "    for b in range(blocks):",
        "        most = get(numbers_at(a[ARG_d_natural]), at_natural + b)",
        f"        for i in range({n}):",
        f"            value = get(d, (D_POINT + i) * blocks + b) + {last}",
        "            put(d, (D_NEW + i) * blocks + b, value)",
        "            part = abs(value) * w[SCRATCH_MORE + i]",
        "            most = select(part > most, part, most)",
        "        sums = all_lanes(0.0)",
        f"        for i in range({n}):",
        "            before = abs(get(d, (D_STATE + i) * blocks + b))",
        "            after = abs(get(d, (D_NEW + i) * blocks + b))",
        f"            scale = fma({SMALL_PART!r} * w[SCRATCH + i], most, select(after > before, after, before))",
        f"            ratio = {last} / fma(tol[0], scale, 1e-300)",
        "            sums = fma(ratio, ratio, sums)",
        f"        worst = sqrt(highest(sums) * {1 / n!r})",
        "        error = select(worst <= error, error, worst)",
    ]


def stiff_dense(method: Rosenbrock, n: int, by: bool) -> str:
    """`dense(a, w)`: the inner coefficients of the step's interpolant, and `inside(a, ...)`: its value at a part of it."""
    lines = ["def dense(a: PI, w: P):", f"    for i in range({n}):"]
    for row, weights in enumerate(method.dense):
        text = _sum([(value, f"at(w, STAGE + {s * n} + i)") for s, value in enumerate(weights[1:], 1)], "0.0")
        lines.append(f"        set(w, DENSE + {row * n} + i, fma({weights[0]!r}, at(w, STAGE + i), {text}))")
    if by:
        lines += ["    d = numbers_at(a[ARG_d_work])", "    blocks = a[ARG_blocks]", f"    for q in range({n} * blocks):"]
        for row, weights in enumerate(method.dense):
            text = _sum([(v, f"get(d, (D_STAGE + {s * n}) * blocks + q)") for s, v in enumerate(weights)], "0.0")
            lines.append(f"        put(d, (D_DENSE + {row * n}) * blocks + q, {text})")
    inner = "w[(DENSE + ROWS + i) * WIDTH + l]"
    rows = [inner.replace("ROWS", str(row * n)) for row in range(len(method.dense))]
    nested = rows[-1]
    for row in reversed(rows[:-1]):
        nested = f"fma(a, {nested}, {row})"
    lines += [
        "",
        "def inside(a: D, w: P, l: I, out: P):",
        "    b = 1.0 - a",
        f"    for i in range({n}):",
        f"        middle = fma(b, {nested}, w[(NEW + i) * WIDTH + l])",
        "        out[i] = fma(b, w[(STATE + i) * WIDTH + l], a * middle)",
        "",
        "def middle(w: P):",
        f"    for i in range({n}):",
    ]
    rows = [f"at(w, DENSE + {row * n} + i)" for row in range(len(method.dense))]
    nested = rows[-1]
    for row in reversed(rows[:-1]):
        nested = f"fma(0.5, {nested}, {row})"
    lines.append(f"        set(w, POINT + i, 0.5 * (at(w, STATE + i) + fma(0.5, {nested}, at(w, NEW + i))))")
    return "\n".join(lines) + "\n"
