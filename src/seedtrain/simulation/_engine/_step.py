"""What the steps of all methods share: the error and its norm, the next step's size, the interpolant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from seedtrain.simulation._engine._tableaus import Explicit, Rosenbrock


def weighted(terms: list[tuple[float, str]], start: str) -> str:
    """Nested multiply-adds, the last term innermost."""
    for factor, name in terms:
        start = f"fma({factor!r}, {name}, {start})"
    return start


SMALL_PART: Final = 0.03
"""A sensitivity is small where a natural step along its direction moves its state by less than this part of it."""


@dataclass(frozen=True)
class Closing:
    """Texts of a state's new value and of its error (of `i`), and of a sensitivity's (of `i` and `b`)."""

    new: str
    error: str
    new_by: str
    error_by: str


def closing_lines(closing: Closing, n: int, order: int, *, by: bool) -> list[str]:
    """The end of a step: NEW, ERROR (the root mean square of errors over tolerances) and FACTOR."""
    lines = [
        "    total = h * 0.0",
        f"    for i in range({n}):",
        "        old = at(w, STATE + i)",
        f"        new = {closing.new}",
        "        set(w, NEW + i, new)",
        "        size = select(abs(new) > abs(old), abs(new), abs(old))",
        f"        e = {closing.error} / fma(tol[0], size, tol[i + 1])",
        "        total = fma(e, e, total)",
        f"    error = sqrt(total * {1 / n!r})",
    ]
    if by:
        lines += _error_by(closing, n)
    return [
        *lines,
        "    error = select(bad > 0.0, 1e6, error)",
        "    set(w, ERROR, error)",
        f"    set(w, FACTOR, 0.9 * exp(log(select(error > 1e-10, error, 1e-10)) * {-1 / order!r}))",
    ]


def _error_by(closing: Closing, n: int) -> list[str]:
    """The error of every direction, on a scale of its own, so that the unit of what it is by does not matter."""
    return [
        f"    for i in range({n}):",
        "        large = abs(w[STATE + i])",
        "        w[SCRATCH + i] = select(abs(w[NEW + i]) > large, abs(w[NEW + i]), large) + tol[i + 1] / tol[0]",
        "        w[SCRATCH_MORE + i] = 1.0 / w[SCRATCH + i]",
        "    at_natural = wholes_at(a[ARG_whole])[LANE_TRAJECTORY] * a[ARG_d_natural_step]",
        "    for b in range(blocks):",
        "        most = get(numbers_at(a[ARG_d_natural]), at_natural + b)",
        f"        for i in range({n}):",
        f"            value = {closing.new_by}",
        "            put(d, (D_NEW + i) * blocks + b, value)",
        "            part = abs(value) * w[SCRATCH_MORE + i]",
        "            most = select(part > most, part, most)",
        "        sums = all_lanes(0.0)",
        f"        for i in range({n}):",
        "            before = abs(get(d, (D_STATE + i) * blocks + b))",
        "            after = abs(get(d, (D_NEW + i) * blocks + b))",
        f"            scale = fma({SMALL_PART!r} * w[SCRATCH + i], most, select(after > before, after, before))",
        f"            ratio = {closing.error_by} / fma(tol[0], scale, 1e-300)",
        "            sums = fma(ratio, ratio, sums)",
        f"        worst = sqrt(highest(sums) * {1 / n!r})",
        "        error = select(worst <= error, error, worst)",
    ]


def _nested(rows: list[str], part: str) -> str:
    """A polynomial in `part`, the lowest power first."""
    found = rows[-1]
    for row in reversed(rows[:-1]):
        found = f"fma({part}, {found}, {row})"
    return found


def dense_text(method: Rosenbrock | Explicit, n: int, *, by: bool) -> str:
    """`dense(a, w)`: inner coefficients of a step's interpolant; `inside(part, ...)` and `middle(w)`: its values."""
    lines = ["def dense(a: PI, w: P):", f"    for i in range({n}):"]
    for row, weights in enumerate(method.dense):
        text = weighted([(value, f"at(w, STAGE + {s * n} + i)") for s, value in enumerate(weights[1:], 1)], "0.0")
        lines.append(f"        set(w, DENSE + {row * n} + i, fma({weights[0]!r}, at(w, STAGE + i), {text}))")
    if by:
        lines += [
            "    d = numbers_at(a[ARG_d_work])",
            "    blocks = a[ARG_blocks]",
            f"    for q in range({n} * blocks):",
        ]
        for row, weights in enumerate(method.dense):
            text = weighted([(v, f"get(d, (D_STAGE + {s * n}) * blocks + q)") for s, v in enumerate(weights)], "0.0")
            lines.append(f"        put(d, (D_DENSE + {row * n}) * blocks + q, {text})")
    inner = "w[(DENSE + ROWS + i) * WIDTH + l]"
    nested = _nested([inner.replace("ROWS", str(row * n)) for row in range(len(method.dense))], "a")
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
    nested = _nested([f"at(w, DENSE + {row * n} + i)" for row in range(len(method.dense))], "0.5")
    lines.append(f"        set(w, POINT + i, 0.5 * (at(w, STATE + i) + fma(0.5, {nested}, at(w, NEW + i))))")
    return "\n".join(lines) + "\n"
