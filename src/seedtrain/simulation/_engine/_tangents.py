"""Directional derivatives of a system's functions, a block of directions at a time.

What does not depend on the direction (the partial derivatives) is computed once, as single numbers; the directions pass
through the statements as vectors. Arrays of directions hold `blocks` vectors for each of their rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from seedtrain.simulation._engine._graph import Graph, Node
from seedtrain.simulation._engine._model import Linear
from seedtrain.simulation._engine._programs import SCALAR, Programs
from seedtrain.simulation._engine._writer import Writer

Terms = list[tuple[Node, str]]


class _Blocks:
    """The statements of one loop over blocks."""

    def __init__(self, graph: Graph, writer: Writer) -> None:
        self.graph = graph
        self.writer = writer
        self.lines: list[str] = []
        self.text: dict[Node, str] = {}

    def leaf(self, node: Node) -> str:
        """The direction of an input, read once."""
        if node not in self.text:
            key = self.graph.keys[node]
            assert key[0] == "input"
            self.text[node] = f"d{key[1]}{key[2]}"
            place = "b" if key[1] == "t" else f"{key[2]} * blocks + b"
            self.lines.append(f"{self.text[node]} = get(d{key[1]}, {place})")
        return self.text[node]

    def total(self, terms: Terms) -> str:
        """The sum of factors times directions."""
        found = ""
        for factor, direction in terms:
            value = self.graph.value(factor)
            if value in (1.0, -1.0):
                sign = "+" if value == 1.0 else "-"
                found = f"{found} {sign} {direction}" if found else (direction if value == 1.0 else f"-{direction}")
                continue
            scalar = self.writer.text[factor]
            found = f"fma({scalar}, {direction}, {found})" if found else f"{scalar} * {direction}"
        return found or "0.0"


def _head(name: str, arguments: str, lines: list[str], inner: list[str]) -> str:
    body = [*lines, "for b in range(blocks):", *(f"    {line}" for line in [*inner, "pass"])]
    return "\n    ".join([f"def {name}({arguments}):", *body]) + "\n"


def _reads(programs: Programs, writer: Writer) -> list[str]:
    known = programs.reads
    words = set(" ".join(writer.lines).replace("(", " ").replace(")", " ").replace(",", " ").replace("-", " ").split())
    words |= set(writer.text.values())
    return [f"{name} = {text}" for name, text in known.items() if name in words]


def tangent(programs: Programs, name: str, roots: Sequence[Node], kinds: str) -> str:
    """`name(t, y, c, blocks, dt, dy, dc, out)`: how `roots` vary along directions of inputs of `kinds`."""
    graph = programs.model.graph
    linear = Linear.of(graph, roots, frozenset(kinds)).eliminate(fully=False)
    partials = [factor for part in (*linear.edges.values(), *linear.outputs) for factor in part.values()]
    programs.settle(partials)
    writer = programs.writer(SCALAR)
    writer.compute(partials)
    blocks = _Blocks(graph, writer)
    for node in linear.order:
        terms = [(factor, blocks.text.get(leaf) or blocks.leaf(leaf)) for leaf, factor in linear.edges[node].items()]
        blocks.lines.append(f"n{node} = {blocks.total(terms)}")
        blocks.text[node] = f"n{node}"
    for i, part in enumerate(linear.outputs):
        terms = [(factor, blocks.text.get(leaf) or blocks.leaf(leaf)) for leaf, factor in part.items()]
        blocks.lines.append(f"put(out, {i} * blocks + b, {blocks.total(terms)})")
    arguments = "t: D, y: P, c: P, blocks: I, dt: P, dy: P, dc: P, out: P"
    return _head(name, arguments, [*_reads(programs, writer), *writer.lines], blocks.lines)


def second(programs: Programs) -> str:
    """`second(t, y, c, blocks, u, ut, dy, dc, out)`: how the tangents of the rates vary along (ut, u) of (t, y)."""
    model, graph = programs.model, programs.model.graph
    linear = Linear.of(graph, model.rates, frozenset("yc")).eliminate(fully=False)
    direction = {state: graph.input("u", i) for i, state in enumerate(model.y)}
    direction[model.t] = graph.input("ut", 0)
    known: dict[Node, Node] = {}
    parts = [*linear.edges.values(), *linear.outputs]
    bent = [{leaf: graph.along(factor, direction, known) for leaf, factor in part.items()} for part in parts]
    needed = [factor for part in (*parts, *bent) for factor in part.values()]
    programs.settle(needed)
    writer = programs.writer(SCALAR)
    writer.compute(needed)
    blocks = _Blocks(graph, writer)
    curved: dict[Node, str] = {}

    def terms(part: dict[Node, Node], more: dict[Node, Node]) -> Terms:
        found = [(more[leaf], blocks.text.get(leaf) or blocks.leaf(leaf)) for leaf in part if more[leaf] != graph.zero]
        return found + [(factor, curved[leaf]) for leaf, factor in part.items() if leaf in curved]

    for number, node in enumerate(linear.order):
        bend = terms(parts[number], bent[number])
        first = [(f, blocks.text.get(leaf) or blocks.leaf(leaf)) for leaf, f in parts[number].items()]
        blocks.lines.append(f"n{node} = {blocks.total(first)}")
        blocks.text[node] = f"n{node}"
        if bend:
            blocks.lines.append(f"m{node} = {blocks.total(bend)}")
            curved[node] = f"m{node}"
    for i in range(len(model.rates)):
        at = len(linear.order) + i
        blocks.lines.append(f"put(out, {i} * blocks + b, {blocks.total(terms(parts[at], bent[at]))})")
    arguments = "t: D, y: P, c: P, blocks: I, u: P, ut: D, dy: P, dc: P, out: P"
    return _head("second", arguments, [*_reads(programs, writer), *writer.lines], blocks.lines)


MOST_CURVATURES: Final = 500
"""Derivatives of the Jacobian's entries up to which they are worth writing out."""


def curved_places(programs: Programs) -> list[tuple[int, int, Node]] | None:
    """(row, column, node) of what varies of the Jacobian, d/dt as column n; nothing where that is too much."""
    graph = programs.model.graph
    places, nodes, by_time = programs.jacobian
    found = [(i, j, node) for (i, j), node in zip(places, nodes, strict=True)]
    found += [(i, len(by_time), node) for i, node in enumerate(by_time)]
    found = [item for item in found if graph.leaves(item[2])]
    linear = Linear.of(graph, [node for _, _, node in found], frozenset("yc"))
    size = sum(len(part) for part in (*linear.edges.values(), *linear.outputs))
    rows = [item for item, part in zip(found, linear.outputs, strict=True) if part]
    return rows if size <= MOST_CURVATURES else None


def curvature(programs: Programs, places: list[tuple[int, int, Node]]) -> list[str]:
    """`second` for a small system: how the Jacobian varies along the directions, once a step; then products with it.

    `curvature(t, y, c, blocks, dt, dy, dc, out)` and `bend(blocks, u, ut, curve, out)`.
    """
    n = len(programs.model.rates)
    lines = [f"u{j} = u[{j}]" for j in range(n)] + ["for b in range(blocks):"]
    for i in range(n):
        text = ""
        for at, (row, column, _) in enumerate(places):
            if row == i:
                factor, value = f"u{column}" if column < n else "ut", f"get(curve, {at} * blocks + b)"
                text = f"fma({factor}, {value}, {text})" if text else f"{factor} * {value}"
        lines.append(f"    put(out, {i} * blocks + b, {text or '0.0'})")
    bend = "\n    ".join(["def bend(blocks: I, u: P, ut: D, curve: P, out: P):", *lines]) + "\n"
    return [tangent(programs, "curvature", [node for _, _, node in places], "yc"), bend]


def gauge_slopes(programs: Programs) -> str:
    """`gauge_slopes(t, y, c, u, out)`: d gauge / dt along the solution, where `u` is the rate of the state."""
    model, graph = programs.model, programs.model.graph
    direction = {state: graph.input("u", i) for i, state in enumerate(model.y)}
    direction[model.t] = graph.one
    known: dict[Node, Node] = {}
    roots = [graph.along(node, direction, known) for node in model.gauges]
    programs.settle(roots)
    writer = programs.writer(SCALAR)
    writer.compute(roots)
    lines = [f"out[{i}] = {writer.text[node]}" for i, node in enumerate(roots)]
    head = "def gauge_slopes(t: D, y: P, c: P, u: P, out: P):"
    return "\n    ".join([head, *_reads(programs, writer), *writer.lines, *lines, "pass"]) + "\n"


def start_by(programs: Programs) -> str:
    """`start_by(p, y, blocks, dp, dy, dheld, dc)`: how held symbols and constants of a stretch vary."""
    model, graph = programs.model, programs.model.before
    linear = Linear.of(graph, [*model.held, *model.constants], frozenset("pyh"))
    held, constants = linear.outputs[: len(model.held)], linear.outputs[len(model.held) :]
    needed = [factor for part in (*linear.edges.values(), *linear.outputs) for factor in part.values()]
    writer = Writer(graph, lambda kind, index: f"{kind}[{index}]")
    for i, node in enumerate(model.held):
        writer.compute([node])
        writer.given({graph.input("h", i): writer.text[node]})
    writer.compute(needed)
    blocks = _Blocks(graph, writer)

    def total(part: dict[Node, Node]) -> str:
        return blocks.total([(f, blocks.text.get(leaf) or blocks.leaf(leaf)) for leaf, f in part.items()])

    for i, part in enumerate(held):
        blocks.lines += [f"h{i} = {total(part)}", f"put(dheld, {i} * blocks + b, h{i})"]
        blocks.text[graph.input("h", i)] = f"h{i}"
    for node in linear.order:
        blocks.lines.append(f"n{node} = {total(linear.edges[node])}")
        blocks.text[node] = f"n{node}"
    for i, part in enumerate(constants):
        blocks.lines.append(f"put(dc, {i} * blocks + b, {total(part)})")
    return _head("start_by", "p: P, y: P, blocks: I, dp: P, dy: P, dheld: P, dc: P", writer.lines, blocks.lines)
