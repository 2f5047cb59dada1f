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
    place = {k: number for number, k in enumerate(p.order)}
    for k in p.order:
        pivot = names[k, k]
        lines.append(f"    bad = select(abs({pivot}) < small, 1.0, bad)")
        lines.append(f"    r{k} = 1.0 / {pivot}")
        names[k, k] = f"r{k}"
        for i in sorted(i for i, j in p.places if j == k and place[i] > place[k]):
            version += 1
            lines.append(f"    l{version} = {names[i, k]} * r{k}")
            names[i, k] = f"l{version}"
            for j in sorted(j for row, j in p.places if row == k and place[j] > place[k]):
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
    place = {k: number for number, k in enumerate(p.order)}
    lines = [f"b{i} = {before.format(index=i)}" for i in range(p.n)]
    names = {i: f"b{i}" for i in range(p.n)}
    for k in p.order:
        for i in sorted((i for i, j in p.places if j == k and place[i] > place[k]), key=place.__getitem__):
            value = read.format(array="M", index=p.places[i, k])
            lines.append(f"f{i}_{k} = fma(-{value}, {names[k]}, {names[i]})")
            names[i] = f"f{i}_{k}"
    for k in reversed(p.order):
        for j in sorted(
            (j for i, j in p.places if i == k and place[j] > place[k]), key=place.__getitem__, reverse=True
        ):
            value = read.format(array="M", index=p.places[k, j])
            lines.append(f"g{k}_{j} = fma(-{value}, {names[j]}, {names[k]})")
            names[k] = f"g{k}_{j}"
        lines.append(f"x{k} = {names[k]} * {read.format(array='M', index=p.places[k, k])}")
        names[k] = f"x{k}"
    return lines
