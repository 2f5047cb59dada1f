"""Sparse factors of 1/(h gamma) - J, planned when a kernel is generated.

Pivots stay on the diagonal, in the order of least fill (Markowitz 1957); as h shrinks they are the largest of their
rows, and a step with a small pivot is tried again shorter. A state that no rate reads has a column of its own alone, so
that it costs one product a solve.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

SMALLEST_PIVOT: Final = 1e-8  # of 1 / (h gamma)


@dataclass(frozen=True)
class Plan:
    """`places` of the factors' entries by (row, column) and the `order` of pivots."""

    n: int
    order: tuple[int, ...]
    places: dict[tuple[int, int], int]
    given: tuple[tuple[int, int], ...]  # where the Jacobian has entries, in the order of its values

    @property
    def size(self) -> int:
        """How many numbers the factors are."""
        return len(self.places)

    def below(self, k: int) -> list[int]:
        """The rows that pivot `k` acts on, in the order of elimination."""
        place = {item: number for number, item in enumerate(self.order)}
        return sorted((i for i, j in self.places if j == k and place[i] > place[k]), key=place.__getitem__)

    def right(self, k: int) -> list[int]:
        """The columns of pivot `k`'s row behind it, in the order of elimination."""
        place = {item: number for number, item in enumerate(self.order)}
        return sorted((j for i, j in self.places if i == k and place[j] > place[k]), key=place.__getitem__)

    @property
    def work(self) -> int:
        """How many products the factors cost."""
        return sum(len(self.below(k)) * len(self.right(k)) for k in range(self.n))


def plan(n: int, entries: Iterable[tuple[int, int]]) -> Plan:
    """The order of elimination and the fill for a Jacobian with `entries`."""
    given = tuple(entries)
    rows: list[set[int]] = [{i} for i in range(n)]
    columns: list[set[int]] = [{i} for i in range(n)]
    for i, j in given:
        rows[i].add(j)
        columns[j].add(i)
    left = set(range(n))
    order: list[int] = []
    filled = {(i, j) for i in range(n) for j in rows[i]}
    while left:
        k = min(left, key=lambda item: ((len(rows[item] & left) - 1) * (len(columns[item] & left) - 1), item))
        left.remove(k)
        order.append(k)
        for i in columns[k] & left:
            for j in rows[k] & left:
                rows[i].add(j)
                columns[j].add(i)
                filled.add((i, j))
    return Plan(n, tuple(order), {place: number for number, place in enumerate(sorted(filled))}, given)


def factor_text(p: Plan, read: str, write: str, kind: str) -> str:
    """`factor(s, J, M)`: the factors of s - J into M, with reciprocal pivots; 1 where a pivot is too small, else 0."""
    entries = set(p.given)
    lines = [f"def factor(s: {kind}, J: P, M: P) -> {kind}:", f"    small = s * {SMALLEST_PIVOT}", "    bad = s * 0.0"]
    for number, (i, j) in enumerate(p.given):
        value = read.format(array="J", index=number)
        lines.append(f"    m{i}_{j} = {'s - ' if i == j else '-'}{value}")
    names = {(i, j): f"m{i}_{j}" for i, j in entries}
    for i in range(p.n):
        if (i, i) not in names:
            names[i, i] = "s"
    version = 0
    for k in p.order:
        pivot = names[k, k]
        lines.append(f"    bad = select(abs({pivot}) < small, 1.0, bad)")
        lines.append(f"    r{k} = 1.0 / {pivot}")
        names[k, k] = f"r{k}"
        for i in p.below(k):
            version += 1
            lines.append(f"    l{version} = {names[i, k]} * r{k}")
            names[i, k] = f"l{version}"
            for j in p.right(k):
                version += 1
                known = names.get((i, j))
                a, b = names[i, k], names[k, j]
                lines.append(f"    w{version} = " + (f"fma(-{a}, {b}, {known})" if known else f"-{a} * {b}"))
                names[i, j] = f"w{version}"
    for spot, number in p.places.items():
        lines.append("    " + write.format(array="M", index=number, value=names[spot]))
    return "\n".join([*lines, "    return bad"])


def solve_lines(p: Plan, read: str, before: str) -> list[str]:
    """Statements that solve with the factors into x0, x1 ...; `before` reads entry {index} of the right side."""
    lines = [f"b{i} = {before.format(index=i)}" for i in range(p.n)]
    names = {i: f"b{i}" for i in range(p.n)}
    for k in p.order:
        for i in p.below(k):
            value = read.format(array="M", index=p.places[i, k])
            lines.append(f"f{i}_{k} = fma(-{value}, {names[k]}, {names[i]})")
            names[i] = f"f{i}_{k}"
    for k in reversed(p.order):
        for j in reversed(p.right(k)):
            value = read.format(array="M", index=p.places[k, j])
            lines.append(f"g{k}_{j} = fma(-{value}, {names[j]}, {names[k]})")
            names[k] = f"g{k}_{j}"
        lines.append(f"x{k} = {names[k]} * {read.format(array='M', index=p.places[k, k])}")
        names[k] = f"x{k}"
    return lines


MOST_WRITTEN: Final = 3000
"""Products of a factorisation up to which it is written out; beyond, loops over tables do the same operations."""


def tables(p: Plan) -> dict[str, list[int]]:
    """The whole numbers over which `LOOPS` run."""
    below, right = [p.below(k) for k in p.order], [p.right(k) for k in p.order]
    found: dict[str, list[int]] = {
        "given": [p.places[place] for place in p.given],
        "diagonal": [p.places[i, i] for i in range(p.n)],
        "order": list(p.order),
        "row_start": [0],
        "column_start": [0],
        "row": [],
        "row_state": [],
        "column": [],
        "column_state": [],
        "target": [],
    }
    for k, rows, columns in zip(p.order, below, right, strict=True):
        found["row"] += [p.places[i, k] for i in rows]
        found["row_state"] += rows
        found["column"] += [p.places[k, j] for j in columns]
        found["column_state"] += columns
        found["target"] += [p.places[i, j] for i in rows for j in columns]
        found["row_start"].append(len(found["row"]))
        found["column_start"].append(len(found["column"]))
    return found


LOOPS: Final = """
def factor(s: KIND, J: P, M: P) -> KIND:
    small = s * SMALLEST
    bad = s * 0.0
    for q in range(SIZE):
        set(M, q, s * 0.0)
    for q in range(GIVEN):
        set(M, table_given[q], -at(J, q))
    for i in range(COUNT):
        set(M, table_diagonal[i], s + at(M, table_diagonal[i]))
    spot = 0
    for number in range(COUNT):
        pivot = at(M, table_diagonal[table_order[number]])
        bad = select(abs(pivot) < small, 1.0, bad)
        r = 1.0 / pivot
        set(M, table_diagonal[table_order[number]], r)
        for a in range(table_row_start[number], table_row_start[number + 1]):
            part = at(M, table_row[a]) * r
            set(M, table_row[a], part)
            for c in range(table_column_start[number], table_column_start[number + 1]):
                target = table_target[spot]
                set(M, target, fma(-part, at(M, table_column[c]), at(M, target)))
                spot += 1
    return bad


def solve(M: P, b: P):
    for number in range(COUNT):
        value = at(b, table_order[number])
        for a in range(table_row_start[number], table_row_start[number + 1]):
            i = table_row_state[a]
            set(b, i, fma(-at(M, table_row[a]), value, at(b, i)))
    for number in range(COUNT - 1, -1, -1):
        k = table_order[number]
        for c in range(table_column_start[number + 1] - 1, table_column_start[number] - 1, -1):
            set(b, k, fma(-at(M, table_column[c]), at(b, table_column_state[c]), at(b, k)))
        set(b, k, at(b, k) * at(M, table_diagonal[k]))
"""

LOOPS_BY: Final = """
def solve_by(M: P, d: P, blocks: I):
    for e in range(blocks):
        for number in range(COUNT):
            value = get(d, table_order[number] * blocks + e)
            for a in range(table_row_start[number], table_row_start[number + 1]):
                i = table_row_state[a] * blocks + e
                put(d, i, fma(-M[table_row[a]], value, get(d, i)))
        for number in range(COUNT - 1, -1, -1):
            k = table_order[number]
            total = get(d, k * blocks + e)
            for c in range(table_column_start[number + 1] - 1, table_column_start[number] - 1, -1):
                total = fma(-M[table_column[c]], get(d, table_column_state[c] * blocks + e), total)
            put(d, k * blocks + e, total * M[table_diagonal[k]])
"""


def loops_text(p: Plan, kind: str, *, by: bool) -> str:
    """`factor`, `solve` and with `by` `solve_by`, as loops over `tables`."""
    text = LOOPS + (LOOPS_BY if by else "")
    words = {"KIND": kind, "SMALLEST": repr(SMALLEST_PIVOT), "SIZE": str(p.size), "GIVEN": str(len(p.given))}
    for word, value in words.items():
        text = text.replace(word, value)
    return text
