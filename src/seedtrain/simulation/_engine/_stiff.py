"""The text of one step of a Rosenbrock method, for every lane at once."""

from __future__ import annotations

from seedtrain.simulation._engine._tableaus import Rosenbrock


def _sum(terms: list[tuple[float, str]], start: str) -> str:
    """Nested multiply-adds, the last term innermost."""
    for factor, name in terms:
        start = f"fma({factor!r}, {name}, {start})"
    return start


def stiff_step(method: Rosenbrock, n: int, timed: bool) -> str:
    """`step(w, tol)`: the new state, its error and the step's factor, from the state, t and h of every lane."""

    def stage(s: int) -> str:
        return f"at(w, STAGE + {s * n} + i)"

    lines = [
        "def step(w: P, tol: P):",
        "    t = at(w, TIME)",
        "    h = at(w, STEP)",
        "    ih = 1.0 / h",
        "    linearise(t, shift(w, STATE * WIDTH), shift(w, CONSTANT * WIDTH), shift(w, RATE * WIDTH), "
        "shift(w, JACOBIAN * WIDTH), shift(w, BY_TIME * WIDTH))",
        f"    bad = factor(ih * {1 / method.gamma!r}, shift(w, JACOBIAN * WIDTH), shift(w, FACTORS * WIDTH))",
    ]
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
        "    error = select(bad > 0.0, 1e6, error)",
        "    set(w, ERROR, error)",
        f"    set(w, FACTOR, 0.9 * exp(log(select(error > 1e-10, error, 1e-10)) * {-1 / method.order!r}))",
    ]
    return "\n".join(lines) + "\n"


def stiff_dense(method: Rosenbrock, n: int) -> str:
    """`dense(w)`: the inner coefficients of the step's interpolant, and `inside(a, ...)`: its value at a part of it."""
    lines = ["def dense(w: P):", f"    for i in range({n}):"]
    for row, weights in enumerate(method.dense):
        text = _sum([(value, f"at(w, STAGE + {s * n} + i)") for s, value in enumerate(weights[1:], 1)], "0.0")
        lines.append(f"        set(w, DENSE + {row * n} + i, fma({weights[0]!r}, at(w, STAGE + i), {text}))")
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
