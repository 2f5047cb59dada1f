"""Trees as text of the engine's language, exactly or not at all: what it cannot say is refused, never approximated."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from seedtrain.base import FUNCTIONS
from seedtrain.simulation._exchange._tree import BOOLEAN, NoValueError, Tree, call, evaluate, num

DEEPEST: Final = 24
"""Nesting from which a part becomes a line of its own; the engine's language stops at 60."""
WIDEST: Final = 12
"""Terms or factors from which a sum or a product is written as a balanced tree."""
_RELATION: Final = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_PLAIN: Final = {op: op for op in FUNCTIONS if op not in ("log", "sqrt", "min", "max")} | {"ln": "log"}
"""MathML's name of each function of one value that the engine's language has."""
_ALTERNATIVE, _SUM, _PRODUCT, _UNARY, _POWER, _ATOM = 0, 2, 3, 4, 5, 9


class UnsupportedError(Exception):
    """A formula that the engine's language cannot say exactly: what, and what to do instead."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


class _Text(NamedTuple):
    text: str
    rank: int
    depth: int


class Emitter:
    """Writes trees as expressions; parts that are too deep become `lines`, in order.

    - `names`: the engine's symbol of each name. - `new`: makes a fresh symbol from a stem.
    - `derive`: a symbol whose value is the tree's, computed before the start, where the tree never changes; else None.
    """

    def __init__(
        self, names: Mapping[str, str], new: Callable[[str], str], derive: Callable[[Tree], str | None]
    ) -> None:
        self.names = names
        self.new = new
        self.derive = derive
        self.lines: list[tuple[str, str]] = []

    def text(self, tree: Tree) -> str:
        """`tree` as one expression; raises `UnsupportedError`."""
        return self._emit(tree).text

    def hoisted(self, tree: Tree, stem: str = "part") -> str:
        """A symbol with the value of `tree`: its own where it is one, else that of a new line."""
        found = self._emit(tree)
        return found.text if found.rank == _ATOM and found.text.isidentifier() else self._line(found.text, stem)

    def _line(self, text: str, stem: str = "part") -> str:
        symbol = self.new(stem)
        self.lines.append((symbol, text))
        return symbol

    def _emit(self, tree: Tree) -> _Text:
        found = self._raw(tree)
        if found.depth > DEEPEST:
            return _Text(self._line(found.text), _ATOM, 0)
        return found

    def _inner(self, tree: Tree, least: int) -> _Text:
        found = self._emit(tree)
        return found if found.rank >= least else _Text(f"({found.text})", _ATOM, found.depth)

    def _raw(self, tree: Tree) -> _Text:
        op = tree.op
        if op == "num":
            return self._number(tree.value)
        if op == "sym":
            return _Text(self.names[tree.name], _ATOM, 0)
        if op == "time":
            return _Text(self.names["time"], _ATOM, 0)
        if op in BOOLEAN:
            return self._truth(tree)
        if op == "piecewise":
            return self._piecewise(tree.parts)
        if op in ("+", "*"):
            return self._chain(op, tree.parts)
        if op in ("-", "/", "^", "neg"):
            return self._operator(op, tree.parts)
        return self._function(tree)

    def _number(self, value: float) -> _Text:
        if not math.isfinite(value):
            raise UnsupportedError("a number that is not finite", "Write a finite number.")
        return _Text(repr(value), _UNARY if value < 0 else _ATOM, 1 if value < 0 else 0)

    def _chain(self, op: str, parts: tuple[Tree, ...]) -> _Text:
        if len(parts) > WIDEST:
            half = len(parts) // 2
            return self._chain(op, (Tree(op, parts[:half]), Tree(op, parts[half:])))
        rank = _SUM if op == "+" else _PRODUCT
        found = [self._inner(part, rank if at == 0 else rank + 1) for at, part in enumerate(parts)]
        found = [item if at == 0 else _bracketed(item) for at, item in enumerate(found)]
        depth = max(item.depth + len(parts) - max(at, 1) for at, item in enumerate(found))
        return _Text(f" {op} ".join(item.text for item in found), rank, depth)

    def _operator(self, op: str, parts: tuple[Tree, ...]) -> _Text:
        if op == "neg":
            inner = self._inner(parts[0], _POWER)
            return _Text(f"-{inner.text}", _UNARY, inner.depth + 1)
        rank = {"-": _SUM, "/": _PRODUCT, "^": _POWER}[op]
        left = self._inner(parts[0], _ATOM if op == "^" else rank)
        right = self._inner(parts[1], _ATOM if op == "^" else rank + 1)
        right = right if op == "^" else _bracketed(right)
        sign = "**" if op == "^" else op
        return _Text(f"{left.text} {sign} {right.text}", rank, max(left.depth, right.depth) + 1)

    def _piecewise(self, parts: tuple[Tree, ...]) -> _Text:
        parts = _completed(parts)
        if len(parts) % 2 == 0:
            raise UnsupportedError("a piecewise without <otherwise> has no value where no condition holds", "Add one.")
        found = self._emit(parts[-1])
        for at in range(len(parts) - 3, -1, -2):
            value, (condition, deep) = self._inner(parts[at], _SUM), self._condition(parts[at + 1])
            if found.depth > DEEPEST:
                found = _Text(self._line(found.text), _ATOM, 0)
            depth = max(value.depth, deep, found.depth) + 1
            found = _Text(f"{value.text} if {condition} else {found.text}", _ALTERNATIVE, depth)
        return found

    def _condition(self, tree: Tree) -> tuple[str, int]:
        if tree.op in _RELATION:
            left, right = self._inner(tree.parts[0], _SUM), self._inner(tree.parts[1], _SUM)
            return f"{left.text} {_RELATION[tree.op]} {right.text}", max(left.depth, right.depth)
        found = self._truth(tree)
        text = found.text if found.rank >= _SUM else f"({found.text})"
        return f"{text} > 0.5", found.depth

    def _truth(self, tree: Tree) -> _Text:
        """1 where `tree` holds, else 0; a number holds where it is not zero."""
        op, parts = tree.op, tree.parts
        if op in ("true", "false"):
            return _Text("1.0" if op == "true" else "0.0", _ATOM, 0)
        if op in _RELATION:
            condition, depth = self._condition(tree)
            return _Text(f"1.0 if {condition} else 0.0", _ALTERNATIVE, depth + 1)
        if op in ("eq", "ne"):
            gap = self.hoisted(call("-", *parts), "gap")
            yes, no = ("1.0", "0.0") if op == "eq" else ("0.0", "1.0")
            return _Text(f"({yes} if {gap} >= 0.0 else {no}) if {gap} <= 0.0 else {no}", _ALTERNATIVE, 2)
        if op == "not":
            return self._chosen(parts[0], _Text("0.0", _ATOM, 0), _Text("1.0", _ATOM, 0))
        if op in ("and", "or"):
            return self._all_or_any(op, parts)
        if op == "xor":
            found = num(0.0)
            for part in parts:
                found = call("abs", call("-", found, call("and", part)))
            return self._emit(found)
        if op == "implies":
            return self._truth(call("or", call("not", parts[0]), parts[1]))
        return self._truth(call("ne", tree, num(0.0)))

    def _chosen(self, condition: Tree, yes: _Text, no: _Text) -> _Text:
        text, depth = self._condition(condition)
        shown = yes.text if yes.rank >= _SUM else f"({yes.text})"
        return _Text(f"{shown} if {text} else {no.text}", _ALTERNATIVE, max(depth, yes.depth, no.depth) + 1)

    def _all_or_any(self, op: str, parts: tuple[Tree, ...]) -> _Text:
        one, zero = _Text("1.0", _ATOM, 0), _Text("0.0", _ATOM, 0)
        if not parts:
            return one if op == "and" else zero
        found = self._truth(parts[-1])
        for part in reversed(parts[:-1]):
            if found.depth > DEEPEST:
                found = _Text(self._line(found.text), _ATOM, 0)
            found = self._chosen(part, found, zero) if op == "and" else self._chosen(part, one, found)
        return found

    def _function(self, tree: Tree) -> _Text:
        op, parts = tree.op, tree.parts
        if op in _PLAIN:
            inner = self._emit(parts[0])
            return _Text(f"{_PLAIN[op]}({inner.text})", _ATOM, inner.depth + 1)
        if op in ("min", "max"):
            if len(parts) > 8:
                return self._function(_folded(op, parts))
            several = [self._emit(part) for part in parts]
            depth = max(item.depth for item in several) + 1
            return _Text(f"{op}({', '.join(item.text for item in several)})", _ATOM, depth)
        if op == "root" and parts[0] == num(2.0):
            inner = self._emit(parts[1])
            return _Text(f"sqrt({inner.text})", _ATOM, inner.depth + 1)
        if op in _REWRITTEN:
            return self._emit(_REWRITTEN[op](*parts))
        return self._never_changing(tree)

    def _never_changing(self, tree: Tree) -> _Text:
        """A function that the language lacks: fine where its value never changes, as it is then computed beforehand."""
        if not tree.names and not {"time", "rateof", "delay"} & tree.ops:
            try:
                value = evaluate(tree, lambda _: math.nan, math.nan, lambda _: math.nan)
            except NoValueError as error:
                raise UnsupportedError(f"{tree.op}() here has no value: {error}", "Correct the formula.") from None
            return self._number(value)
        symbol = self.derive(tree)
        if symbol is None:
            raise UnsupportedError(
                f"{tree.op}() of something that changes with time is not in the engine's language",
                "Use + - * / ^, exp, ln, log, root, tanh, sinh, cosh, abs, min, max and piecewise.",
            )
        return _Text(symbol, _ATOM, 0)


_OPPOSITE: Final = {"lt": "ge", "ge": "lt", "gt": "le", "le": "gt", "eq": "ne", "ne": "eq"}
_MIRROR: Final = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "ne"}


def _completed(parts: tuple[Tree, ...]) -> tuple[Tree, ...]:
    """A piecewise without otherwise, with its last needed piece as the otherwise where two conditions leave no gap."""
    if len(parts) % 2:
        return parts
    seen: set[Tree] = set()
    for at in range(1, len(parts), 2):
        condition = parts[at]
        if condition.op == "true" or condition in seen:
            return parts[:at]
        if condition.op in _OPPOSITE:
            other = Tree(_OPPOSITE[condition.op], condition.parts)
            seen |= {other, Tree(_MIRROR[other.op], other.parts[::-1])}
        seen.add(call("not", condition))
        if condition.op == "not":
            seen.add(condition.parts[0])
    return parts


def _folded(op: str, parts: tuple[Tree, ...]) -> Tree:
    while len(parts) > 8:
        parts = (Tree(op, parts[:8]), *parts[8:])
    return Tree(op, parts)


def _bracketed(item: _Text) -> _Text:
    return _Text(f"({item.text})", _ATOM, item.depth) if item.text.startswith("-") else item


def _cosh(a: Tree) -> Tree:
    return call("/", call("+", call("exp", a), call("exp", call("neg", a))), num(2.0))


def _root(degree: Tree, a: Tree) -> Tree:
    # Real odd roots of negative numbers are no powers; a power with such a base has no value, as in MathML's own power.
    return call("^", a, call("/", num(1.0), degree))


_REWRITTEN: Final[Mapping[str, Callable[..., Tree]]] = {
    "log": lambda base, a: call("/", call("ln", a), call("ln", base)),
    "root": _root,
    "cosh": _cosh,
    "sinh": lambda a: call("*", call("tanh", a), _cosh(a)),
    "sech": lambda a: call("/", num(1.0), _cosh(a)),
    "csch": lambda a: call("/", num(1.0), call("*", call("tanh", a), _cosh(a))),
    "coth": lambda a: call("/", num(1.0), call("tanh", a)),
    "arctanh": lambda a: call("/", call("ln", call("/", call("+", num(1.0), a), call("-", num(1.0), a))), num(2.0)),
    "arccoth": lambda a: call("/", call("ln", call("/", call("+", a, num(1.0)), call("-", a, num(1.0)))), num(2.0)),
    "arccosh": lambda a: call("ln", call("+", a, call("root", num(2.0), call("-", call("*", a, a), num(1.0))))),
}
"""Identities, exact to rounding wherever the function is defined."""
