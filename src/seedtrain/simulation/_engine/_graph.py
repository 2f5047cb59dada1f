"""Expressions as one graph of operations, each kept once, with piecewise exact derivatives.

A quotient is a product with a reciprocal, so that one division serves a value and its derivatives. A `name` node stands
for a statement's result: derivatives stop there and are put together statement by statement.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from seedtrain.base import parse_python

Node = int
Key = tuple[Any, ...]
_SQUARINGS: Final = 16  # whole exponents up to here are products
_FOLD: Final[dict[str, Callable[..., float]]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "inv": lambda a: 1.0 / a,
    "neg": lambda a: -a,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "abs": abs,
    "power": lambda a, b: math.pow(a, b),
}
_COMPARE: Final = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_HOLDS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class Graph:
    """Nodes by number, in an order in which arguments come first."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self._found: dict[Key, Node] = {}
        self._derivatives: dict[tuple[Node, Node], Node] = {}
        self._reads: list[frozenset[Node]] = []  # the inputs and names that a node reads, not looking behind names
        self.zero = self.number(0.0)
        self.one = self.number(1.0)

    def _add(self, key: Key, reads: frozenset[Node] | None = None) -> Node:
        if key in self._found:
            return self._found[key]
        node = len(self.keys)
        self.keys.append(key)
        self._found[key] = node
        if reads is None:
            reads = frozenset().union(*(self._reads[a] for a in self.arguments(node)))
        self._reads.append(frozenset({node}) if reads == frozenset({-1}) else reads)
        return node

    def number(self, value: float) -> Node:
        """A constant."""
        return self._add(("number", float(value) + 0.0), frozenset())

    def input(self, kind: str, place: int) -> Node:
        """Something given from outside, such as ("y", 2)."""
        return self._add(("input", kind, place), frozenset({-1}))

    def name(self, label: str, meaning: Node) -> Node:
        """The result of a statement; one that is a constant or an input stays what it is."""
        if self.keys[meaning][0] in ("number", "input", "name"):
            return meaning
        return self._add(("name", label, meaning), frozenset({-1}))

    def value(self, node: Node) -> float | None:
        """The constant that a node is."""
        key = self.keys[node]
        return key[1] if key[0] == "number" else None

    def arguments(self, node: Node) -> tuple[Node, ...]:
        """The nodes that a node is computed from; a name from its meaning."""
        key = self.keys[node]
        if key[0] in ("number", "input"):
            return ()
        if key[0] == "name":
            return (key[2],)
        return key[2:] if key[0] == "choose" else key[1:]

    def leaves(self, node: Node) -> frozenset[Node]:
        """The inputs and names that a node reads directly."""
        return self._reads[node]

    def _plain(self, kind: str, *arguments: Node) -> Node:
        values = [self.value(a) for a in arguments]
        if all(v is not None for v in values):
            try:
                folded = _FOLD[kind](*values)
                if math.isfinite(folded):
                    return self.number(folded)
            except (ArithmeticError, ValueError):
                pass  # left for the run, where it has no finite value
        return self._add((kind, *arguments))

    def add(self, a: Node, b: Node) -> Node:
        if a == self.zero:
            return b
        if b == self.zero:
            return a
        if self.keys[b][0] == "neg":
            return self.sub(a, self.keys[b][1])
        if self.keys[a][0] == "neg":
            return self.sub(b, self.keys[a][1])
        return self._plain("add", *sorted((a, b)))

    def sub(self, a: Node, b: Node) -> Node:
        if b == self.zero:
            return a
        if a == self.zero:
            return self.neg(b)
        if a == b:
            return self.zero
        if self.keys[b][0] == "neg":
            return self.add(a, self.keys[b][1])
        return self._plain("sub", a, b)

    def neg(self, a: Node) -> Node:
        if self.keys[a][0] == "neg":
            return int(self.keys[a][1])
        if self.keys[a][0] == "sub":
            return self.sub(self.keys[a][2], self.keys[a][1])
        return self._plain("neg", a)

    def mul(self, a: Node, b: Node) -> Node:
        if self.zero in (a, b):
            return self.zero
        if a == self.one:
            return b
        if b == self.one:
            return a
        if self.keys[a][0] == "neg":
            return self.neg(self.mul(self.keys[a][1], b))
        if self.keys[b][0] == "neg":
            return self.neg(self.mul(a, self.keys[b][1]))
        return self._plain("mul", *sorted((a, b)))

    def inv(self, a: Node) -> Node:
        return self._plain("inv", a)

    def div(self, a: Node, b: Node) -> Node:
        if a == self.zero:
            return a
        key = self.keys[a]
        if key[0] == "mul" and self.value(b) is None:  # (p / q) / b is p / (q b): one division less
            for p, q in ((key[1], key[2]), (key[2], key[1])):
                if self.keys[q][0] == "inv":
                    return self.mul(p, self.inv(self.mul(self.keys[q][1], b)))
        return self.mul(a, self.inv(b))

    def call(self, kind: str, a: Node) -> Node:
        """exp, log, sqrt, tanh or abs."""
        return self._plain(kind, a)

    def choose(self, sign: str, left: Node, right: Node, then: Node, other: Node) -> Node:
        """`then` where `left sign right` holds, else `other`."""
        if then == other:
            return then
        a, b = self.value(left), self.value(right)
        if a is not None and b is not None:
            return then if _HOLDS[sign](a, b) else other
        return self._add(("choose", sign, left, right, then, other))

    def power(self, a: Node, b: Node) -> Node:
        """a ** b; small whole exponents are products and halves square roots."""
        exponent = self.value(b)
        if exponent is None:
            return self._plain("power", a, b)
        if exponent == 0:
            return self.one
        if exponent < 0:
            return self.inv(self.power(a, self.number(-exponent)))
        if exponent == 0.5:
            return self.call("sqrt", a)
        if exponent == 1.5:
            return self.mul(a, self.call("sqrt", a))
        if exponent != int(exponent) or exponent > _SQUARINGS:
            return self._plain("power", a, b)
        found, square, rest = self.one, a, int(exponent)
        while rest:
            if rest & 1:
                found = self.mul(found, square)
            rest >>= 1
            if rest:
                square = self.mul(square, square)
        return found

    # -- derivatives -------------------------------------------------------------------------------------------------

    def derivative(self, node: Node, leaf: Node) -> Node:
        """d node / d leaf, where `leaf` is an input or a name; other names count as constants."""
        if node == leaf:
            return self.one
        if leaf not in self._reads[node]:
            return self.zero
        known = self._derivatives.get((node, leaf))
        if known is None:
            known = self._derivatives[node, leaf] = self._differentiate(node, lambda a: self.derivative(a, leaf))
        return known

    def _differentiate(self, node: Node, by: Callable[[Node], Node]) -> Node:
        """The derivative of one operation from `by`, the derivatives of its arguments."""
        key = self.keys[node]
        match key[0]:
            case "add":
                return self.add(by(key[1]), by(key[2]))
            case "sub":
                return self.sub(by(key[1]), by(key[2]))
            case "neg":
                return self.neg(by(key[1]))
            case "mul":
                return self.add(self.mul(by(key[1]), key[2]), self.mul(by(key[2]), key[1]))
            case "inv":
                return self.neg(self.mul(by(key[1]), self.mul(node, node)))
            case "choose":
                return self.choose(key[1], key[2], key[3], by(key[4]), by(key[5]))
            case "power":
                return self._power_derivative(node, by)
            case kind:
                return self.mul(by(key[1]), self._slope(kind, node, key[1]))

    def _slope(self, kind: str, node: Node, a: Node) -> Node:
        match kind:
            case "exp":
                return node
            case "log":
                return self.inv(a)
            case "sqrt":
                return self.mul(self.number(0.5), self.inv(node))
            case "tanh":
                return self.sub(self.one, self.mul(node, node))
            case "abs":
                return self.choose(">=", a, self.zero, self.one, self.number(-1.0))
        raise AssertionError(kind)

    def _power_derivative(self, node: Node, by: Callable[[Node], Node]) -> Node:
        _, a, b = self.keys[node]
        found = self.zero
        if (base := by(a)) != self.zero:
            less = self.power(a, self.sub(b, self.one))
            found = self.mul(base, self.mul(b, less))
        if (exponent := by(b)) != self.zero:
            grows = self.mul(node, self.call("log", self.choose(">", a, self.zero, a, self.one)))
            found = self.add(found, self.mul(exponent, grows))
        return found

    def along(self, node: Node, direction: Mapping[Node, Node], known: dict[Node, Node]) -> Node:
        """The derivative of `node` along `direction` (of inputs), looking through names; the caller keeps `known`."""
        stack = [node]
        while stack:
            top = stack[-1]
            if top in known:
                stack.pop()
                continue
            if self.keys[top][0] == "input":
                known[top] = direction.get(top, self.zero)
                continue
            waiting = [a for a in self.arguments(top) if a not in known]
            if waiting:
                stack += waiting
                continue
            if self.keys[top][0] == "number":
                known[top] = self.zero
            elif self.keys[top][0] == "name":
                known[top] = known[self.keys[top][2]]
            else:
                known[top] = self._differentiate(top, lambda a: known[a])
        return known[node]

    def order(self, roots: Iterable[Node], stop: Callable[[Node], bool] = lambda _: False) -> list[Node]:
        """Every node that `roots` need, arguments first, not looking behind those that `stop`."""
        needed: set[Node] = set()
        stack = list(roots)
        while stack:
            node = stack.pop()
            if node not in needed:
                needed.add(node)
                if not stop(node):
                    stack += self.arguments(node)
        return sorted(needed)  # arguments have lower numbers


def read_text(graph: Graph, code: str, symbols: Mapping[str, Node]) -> Node:
    """The node of a checked expression's code."""
    return _read(graph, parse_python(code, "eval").body, symbols)


def _read(graph: Graph, part: ast.expr, symbols: Mapping[str, Node]) -> Node:
    def inner(item: ast.expr) -> Node:
        return _read(graph, item, symbols)

    match part:
        case ast.Constant(value=value):
            return graph.number(float(value))  # type: ignore[arg-type]
        case ast.Name(id=name):
            return symbols[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return graph.neg(inner(operand))
        case ast.UnaryOp(operand=operand):
            return inner(operand)
        case ast.BinOp(left=left, op=op, right=right):
            kinds = {ast.Add: graph.add, ast.Sub: graph.sub, ast.Mult: graph.mul, ast.Div: graph.div}
            return kinds.get(type(op), graph.power)(inner(left), inner(right))
        case ast.IfExp(test=ast.Compare(left=left, ops=[sign], comparators=[right]), body=body, orelse=orelse):
            return graph.choose(_COMPARE[type(sign)], inner(left), inner(right), inner(body), inner(orelse))
        case ast.Call(func=ast.Name(id="min" | "max" as name), args=args):
            found = inner(args[0])
            for item in args[1:]:
                other = inner(item)
                found = graph.choose("<" if name == "min" else ">", other, found, other, found)
            return found
        case ast.Call(func=ast.Name(id=name), args=[item]):
            return graph.call(name, inner(item))
    raise AssertionError(ast.dump(part))  # the whitelist of `parse_expression` has no more
