"""The functions of a system in the kernel's language: rates, their derivatives, gauges, what is observed, the start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from seedtrain.simulation._engine._graph import Node
from seedtrain.simulation._engine._model import Linear, Model
from seedtrain.simulation._engine._writer import Writer

Put = Callable[[str, int, str], str]


@dataclass(frozen=True)
class Access:
    """How a program reads and writes the arrays of one trajectory or of many: `kind` of a number, texts of access."""

    kind: str
    read: str  # of {array} and {index}
    write: str  # of {array}, {index} and {value}
    suffix: str = ""
    stride: int = 1  # of the constants, in numbers

    def get(self, array: str, index: int) -> str:
        """The text of an entry."""
        return self.read.format(array=array, index=index * self.stride if array == "c" else index)

    def put(self, array: str, index: int, value: str) -> str:
        """The statement that sets an entry."""
        return self.write.format(array=array, index=index, value=value)


LANES = Access("V", "at({array}, {index})", "set({array}, {index}, {value})")
SCALAR = Access("D", "{array}[{index}]", "{array}[{index}] = {value}")


@dataclass
class Programs:
    """Texts for one model; constants that only these programs need are gathered while they are written.

    Ask for every program before `start`, which computes the constants of them all.
    """

    model: Model
    extra: list[Node] = field(default_factory=list)
    reads: dict[str, str] = field(default_factory=dict)
    _static: dict[Node, bool] = field(default_factory=dict)

    # -- constants of a stretch ---------------------------------------------------------------------------------------

    def is_static(self, node: Node) -> bool:
        """Whether a node reads constants of a stretch alone."""
        graph = self.model.graph
        if node not in self._static:
            key = graph.keys[node]
            if key[0] == "input":
                self._static[node] = key[1] == "c"
            else:
                self._static[node] = all(self.is_static(a) for a in graph.arguments(node))
        return self._static[node]

    def settle(self, roots: Iterable[Node]) -> None:
        """Make every maximal constant part of `roots` a constant of the stretch."""
        graph = self.model.graph
        roots = list(roots)
        order = graph.order(roots)
        for node in order:
            self.is_static(node)
        edge = {a for node in order if not self._static[node] for a in graph.arguments(node)}
        known = set(self.extra)
        for node in sorted(edge | set(roots)):
            if self._static[node] and graph.keys[node][0] not in ("input", "number") and node not in known:
                self.extra.append(node)

    @property
    def constants(self) -> int:
        """How many numbers a stretch has: constants of the equations, then of their derivatives."""
        return len(self.model.constants) + len(self.extra)

    def writer(self, access: Access) -> Writer:
        """A writer that knows the constants; `reads` says how a text gets those that it names."""
        base = len(self.model.constants)

        def place(kind: str, index: int) -> str:
            return kind if kind in ("t", "ut") else access.get(kind, index)

        writer = Writer(self.model.graph, place)
        for number, node in enumerate(self.extra):
            name = f"e{number}"
            writer.text[node] = name
            self.reads[name] = access.get("c", base + number)
        return writer

    def _finished(self, head: str, writer: Writer, tail: list[str]) -> str:
        used = " ".join([*writer.lines, *tail])
        words = set(used.replace("(", " ").replace(")", " ").replace(",", " ").replace("-", " ").split())
        reads = [f"{name} = {text}" for name, text in self.reads.items() if name in words]
        return "\n    ".join([head, *reads, *writer.lines, *tail, "pass"]) + "\n"

    # -- programs -----------------------------------------------------------------------------------------------------

    def _plain(self, name: str, roots: Sequence[Node], access: Access) -> str:
        """`name(t, y, c, out)`: the values of `roots`."""
        self.settle(roots)
        writer = self.writer(access)
        writer.compute(roots)
        head = f"def {name}{access.suffix}(t: {access.kind}, y: P, c: P, out: P):"
        return self._finished(head, writer, [access.put("out", i, writer.text[node]) for i, node in enumerate(roots)])

    def rates(self, access: Access) -> str:
        """`rates(t, y, c, out)`: d/dt of each state."""
        return self._plain("rates", self.model.rates, access)

    def gauges(self, access: Access) -> str:
        """`gauges(t, y, c, out)`."""
        return self._plain("gauges", self.model.gauges, access)

    def observe(self, access: Access) -> str:
        """`observe(t, y, c, out)`."""
        return self._plain("observe", self.model.observed, access)

    @cached_property
    def jacobian(self) -> tuple[list[tuple[int, int]], list[Node], list[Node]]:
        """Where the Jacobian has entries, their nodes, and d rate / dt."""
        graph = self.model.graph
        linear = Linear.of(graph, self.model.rates, frozenset("yt")).eliminate(fully=True)
        places, nodes, by_time = [], [], []
        for i, partials in enumerate(linear.outputs):
            by_time.append(partials.get(self.model.t, graph.zero))
            for j, state in enumerate(self.model.y):
                if state in partials and partials[state] != graph.zero:
                    places.append((i, j))
                    nodes.append(partials[state])
        return places, nodes, by_time

    @property
    def timed(self) -> bool:
        """Whether a rate reads the time."""
        return any(node != self.model.graph.zero for node in self.jacobian[2])

    def linearise(self, access: Access) -> str:
        """`linearise(t, y, c, out, J, by_time)`: rates, the Jacobian's entries, d rate / dt."""
        _, nodes, by_time = self.jacobian
        roots = [*self.model.rates, *nodes, *by_time]
        self.settle(roots)
        writer = self.writer(access)
        writer.compute(roots)
        groups = (("out", self.model.rates), ("J", nodes), ("by_time", by_time))
        tail = [access.put(name, i, writer.text[node]) for name, group in groups for i, node in enumerate(group)]
        kind = access.kind
        head = f"def linearise{access.suffix}(t: {kind}, y: P, c: P, out: P, J: P, by_time: P):"
        return self._finished(head, writer, tail)

    def start(self, stride: int) -> str:
        """`start(p, y, held, c)`: held symbols, then every constant of the stretch (`stride` numbers apart)."""
        model = self.model

        def place(kind: str, index: int) -> str:
            return f"{kind}[{index}]"

        before = Writer(model.before, place, "u")
        tail = []
        for i, node in enumerate(model.held):
            before.compute([node])
            before.given({model.before.input("h", i): before.text[node]})
            tail.append(f"held[{i}] = {before.text[node]}")
        before.compute(model.constants)
        after = Writer(model.graph, place)
        for i, node in enumerate(model.constants):
            after.text[model.graph.input("c", i)] = before.text[node]
        after.compute(self.extra)
        values = [*(before.text[node] for node in model.constants), *(after.text[node] for node in self.extra)]
        tail += [f"c[{i * stride}] = {value}" for i, value in enumerate(values)]
        head = "def start(p: P, y: P, held: P, c: P):"
        return "\n    ".join([head, *before.lines, *after.lines, *tail, "pass"]) + "\n"
