"""A system as graphs: what is computed once per stretch, what at every (t, y), and how it varies.

Constants of a stretch: `c`, each maximal part of an equation that reads neither time nor states; then `e`, parts of
derivatives that read `c` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from seedtrain.simulation._engine._graph import Graph, Node, read_text
from seedtrain.simulation._engine._system import TIME, System

Edges = dict[Node, dict[Node, Node]]


class Model:
    """The equations of a system.

    `before` is the graph of what is evaluated at the start of a stretch (inputs `p`, `y`, `h`), with `held` and
    `constants`; `graph` that of every (t, y) (inputs `t`, `y`, `c`), with `rates`, `gauges` and `observed`.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        self.before = before = Graph()
        self.graph = Graph()
        code = {text: item.code for text, item in system.expressions.items()}
        states = [before.input("y", i) for i in range(len(system.states))]
        symbols = dict(zip(system.states, states, strict=True))
        symbols |= {name: before.input("p", i) for i, name in enumerate(system.numbers)}
        self.held: list[Node] = []
        for i, (symbol, text) in enumerate(system.held):
            self.held.append(read_text(before, code[text], symbols))
            symbols[symbol] = before.input("h", i)
        symbols[TIME] = before.input("t", 0)
        for symbol, text in system.lines:
            symbols[symbol] = before.name(symbol, read_text(before, code[text], symbols))
        rates = [read_text(before, code[text], symbols) for text in system.rates]
        gauges = [read_text(before, code[text], symbols) for _, text in system.gauges]
        observed = [symbols[name] for name in system.observed]
        self._static: dict[Node, bool] = {}
        self.constants: list[Node] = []
        self._moved: dict[Node, Node] = {}
        self._collect([*rates, *gauges, *observed])
        self.rates = [self._move(node) for node in rates]
        self.gauges = [self._move(node) for node in gauges]
        self.observed = [self._move(node) for node in observed]
        self.t = self.graph.input("t", 0)
        self.y = [self.graph.input("y", i) for i in range(len(states))]

    def _is_static(self, node: Node) -> bool:
        """Whether a node of `before` reads numbers and held symbols alone."""
        if node not in self._static:
            key = self.before.keys[node]
            if key[0] == "input":
                self._static[node] = key[1] in ("p", "h")
            else:
                self._static[node] = all(self._is_static(a) for a in self.before.arguments(node))
        return self._static[node]

    def _collect(self, roots: Sequence[Node]) -> None:
        """Find `constants`: static nodes that are roots or that a moving node reads."""
        order = self.before.order(roots)
        for node in order:
            self._is_static(node)
        edge = {a for node in order if not self._static[node] for a in self.before.arguments(node)}
        found = dict.fromkeys(self._meaning(a) for a in sorted(edge | set(roots)) if self._static[a])
        self.constants = [node for node in found if self.before.value(node) is None]
        place = {node: i for i, node in enumerate(self.constants)}
        for node in order:
            if self._static[node] and (meaning := self._meaning(node)) in place:
                self._moved[node] = self.graph.input("c", place[meaning])

    def _meaning(self, node: Node) -> Node:
        while self.before.keys[node][0] == "name":
            node = self.before.keys[node][2]
        return node

    def _move(self, node: Node) -> Node:
        """A node of `before` as one of `graph`."""
        for item in self.before.order([node], stop=lambda a: a in self._moved):
            if item not in self._moved:
                self._moved[item] = self._rebuilt(item)
        return self._moved[node]

    def _rebuilt(self, node: Node) -> Node:
        key, graph = self.before.keys[node], self.graph
        match key[0]:
            case "number":
                return graph.number(key[1])
            case "input":
                return graph.input(key[1], key[2])
            case "name":
                return graph.name(key[1], self._moved[key[2]])
            case "choose":
                return graph.choose(key[1], *(self._moved[a] for a in key[2:]))
            case "exp" | "log" | "sqrt" | "tanh" | "abs":
                return graph.call(key[0], self._moved[key[1]])
        operation = getattr(graph, key[0])
        return int(operation(*(self._moved[a] for a in key[1:])))


@dataclass
class Linear:
    """How `roots` vary: for each name in `order` and each root, its partial derivatives by names and inputs."""

    graph: Graph
    roots: list[Node]
    order: list[Node] = field(default_factory=list)
    edges: Edges = field(default_factory=dict)
    outputs: list[dict[Node, Node]] = field(default_factory=list)

    @classmethod
    def of(cls, graph: Graph, roots: Iterable[Node], kinds: frozenset[str]) -> Linear:
        """The linearisation of `roots` by inputs of `kinds`, statement by statement."""
        found = cls(graph, list(roots))
        for node in graph.order(found.roots):
            if graph.keys[node][0] == "name":
                partials = found._partials(graph.keys[node][2], kinds)
                if partials:
                    found.order.append(node)
                    found.edges[node] = partials
        found.outputs = [found._partials(root, kinds) for root in found.roots]
        return found

    def _partials(self, node: Node, kinds: frozenset[str]) -> dict[Node, Node]:
        found = {}
        for leaf in sorted(self.graph.leaves(node)):
            key = self.graph.keys[leaf]
            varies = key[1] in kinds if key[0] == "input" else leaf in self.edges
            if varies and (partial := self.graph.derivative(node, leaf)) != self.graph.zero:
                found[leaf] = partial
        return found

    def _users(self) -> dict[Node, list[dict[Node, Node]]]:
        users: dict[Node, list[dict[Node, Node]]] = {name: [] for name in self.order}
        for partials in (*self.edges.values(), *self.outputs):
            for leaf in partials:
                if leaf in users:
                    users[leaf].append(partials)
        return users

    def eliminate(self, *, fully: bool) -> Linear:
        """Without the names that cost more than they save, or without any; cheapest first (Markowitz 1957)."""
        users = self._users()
        while users:
            name = min(users, key=lambda item: (len(users[item]) * len(self.edges[item]), item))
            into, out = len(self.edges[name]), len(users[name])
            if not fully and into * out > into + out:
                break
            inner = self.edges.pop(name)
            self.order.remove(name)
            for partials in users.pop(name):
                self._pass_on(partials, name, inner, users)
            for leaf in inner:
                if leaf in users:
                    users[leaf] = [item for item in users[leaf] if item is not inner]
        return self

    def _pass_on(
        self, partials: dict[Node, Node], name: Node, inner: dict[Node, Node], users: dict[Node, list[dict[Node, Node]]]
    ) -> None:
        factor = partials.pop(name)
        for leaf, slope in inner.items():
            more = self.graph.mul(factor, slope)
            if leaf in partials:
                partials[leaf] = self.graph.add(partials[leaf], more)
            else:
                partials[leaf] = more
                if leaf in users:
                    users[leaf].append(partials)
