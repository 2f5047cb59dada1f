"""From nodes of a graph to statements of the kernel's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from seedtrain.simulation._engine._graph import Graph, Node

Place = Callable[[str, int], str]


class Writer:
    """Statements that compute nodes, each once; `place(kind, index)` is the text of an input."""

    def __init__(self, graph: Graph, place: Place, prefix: str = "v") -> None:
        self.graph = graph
        self.place = place
        self.prefix = prefix
        self.lines: list[str] = []
        self.text: dict[Node, str] = {}

    def given(self, values: Mapping[Node, str]) -> None:
        """Take these nodes as already computed."""
        self.text |= values

    def compute(self, roots: Iterable[Node]) -> None:
        """Write what `roots` need and is not written yet."""
        order = [n for n in self.graph.order(roots, stop=self.text.__contains__) if n not in self.text]
        uses = self._uses(order, roots)
        fused = {n for n in order if self.graph.keys[n][0] == "mul" and uses.get(n) == ["sum"]}
        for node in order:
            if node not in fused:
                self._write(node, fused)

    def _uses(self, order: list[Node], roots: Iterable[Node]) -> dict[Node, list[str]]:
        """For each node what reads it; the first product of a sum may be fused with it."""
        uses: dict[Node, list[str]] = {}
        taken: set[Node] = set()
        for node in order:
            key = self.graph.keys[node]
            fusing = key[0] in ("add", "sub")
            for argument in self.graph.arguments(node):
                fuse = fusing and node not in taken and self.graph.keys[argument][0] == "mul"
                uses.setdefault(argument, []).append("sum" if fuse else "other")
                if fuse:
                    taken.add(node)
        for root in roots:
            uses.setdefault(root, []).append("other")
        return uses

    def _write(self, node: Node, fused: set[Node]) -> None:
        key = self.graph.keys[node]
        if key[0] == "number":
            self.text[node] = repr(key[1]) if key[1] >= 0 else f"({key[1]!r})"
        elif key[0] == "name":
            self.text[node] = self.text[key[2]]
        else:
            text = self.place(key[1], key[2]) if key[0] == "input" else self._operation(key, fused)
            self.text[node] = f"{self.prefix}{node}"
            self.lines.append(f"{self.text[node]} = {text}")

    def _operation(self, key: tuple[str, ...], fused: set[Node]) -> str:
        if key[0] in ("add", "sub"):
            return self._sum(key, fused)
        if key[0] == "choose":
            left, right, then, other = (self.text[int(a)] for a in key[2:])
            return f"select({left} {key[1]} {right}, {then}, {other})"
        arguments = [self.text[int(a)] for a in key[1:]]
        match key[0]:
            case "mul":
                return f"{arguments[0]} * {arguments[1]}"
            case "inv":
                return f"1.0 / {arguments[0]}"
            case "neg":
                return f"-{arguments[0]}"
        return f"{key[0]}({', '.join(arguments)})"

    def _sum(self, key: tuple[str, ...], fused: set[Node]) -> str:
        a, b = int(key[1]), int(key[2])
        minus = key[0] == "sub"
        for product, rest in ((a, b), (b, a)):
            if product in fused:
                p, q = (self.text[n] for n in self.graph.arguments(product))
                if not minus:
                    return f"fma({p}, {q}, {self.text[rest]})"
                return f"fma({p}, {q}, -{self.text[b]})" if product == a else f"fma(-{p}, {q}, {self.text[a]})"
        return f"{self.text[a]} {'-' if minus else '+'} {self.text[b]}"
