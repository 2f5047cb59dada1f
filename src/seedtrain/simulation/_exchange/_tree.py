"""Formulas as trees: what SBML's mathematics and the engine's expressions have in common, and their exact value."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from seedtrain.base import parse_expression, parse_python

RELATIONS: Final = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
LOGIC: Final = frozenset({"and", "or", "not", "xor", "implies", "true", "false"})
BOOLEAN: Final = RELATIONS | LOGIC
AVOGADRO: Final = 6.02214179e23
"""1/mol, as SBML Level 3 fixes it for the csymbol `avogadro` (Version 2 Core, section 3.4.6); not the SI value."""
TIME: Final = "time"


@dataclass(frozen=True)
class Tree:
    """A node: `op` with its `parts`; `num` has a `value` (its `name` is the id of a unit), `sym` and `rateof` a `name`.

    Ops: num sym time rateof delay, + * (any number of parts) - / ^ neg, the relations lt le gt ge eq ne, and or not xor
    implies true false, piecewise (value, condition, ..., otherwise), and functions by their MathML name.
    """

    op: str
    parts: tuple[Tree, ...] = ()
    value: float = 0.0
    name: str = ""

    def walk(self) -> Iterator[Tree]:
        """Every node, this one first."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.parts))

    @property
    def names(self) -> frozenset[str]:
        """The symbols that it reads; `rateof` reads its name through time and is not among them."""
        return frozenset(node.name for node in self.walk() if node.op == "sym")

    @property
    def ops(self) -> frozenset[str]:
        """Every op in it."""
        return frozenset(node.op for node in self.walk())


def num(value: float) -> Tree:
    """A number."""
    return Tree("num", value=float(value))


def sym(name: str) -> Tree:
    """A symbol."""
    return Tree("sym", name=name)


def call(op: str, *parts: Tree) -> Tree:
    """`op` of `parts`."""
    return Tree(op, parts)


def total(terms: list[Tree]) -> Tree:
    """The sum of `terms`, 0 of none."""
    return num(0.0) if not terms else terms[0] if len(terms) == 1 else Tree("+", tuple(terms))


def product(*factors: Tree) -> Tree:
    """The product of `factors` without those that are plain 1."""
    kept = tuple(item for item in factors if not (item.op == "num" and item.value == 1.0))
    return num(1.0) if not kept else kept[0] if len(kept) == 1 else Tree("*", kept)


def substituted(tree: Tree, values: Mapping[str, Tree]) -> Tree:
    """`tree` with trees for symbols (and for the names that `rateof` reads, where they become symbols)."""
    if tree.op == "sym":
        return values.get(tree.name, tree)
    if tree.op == "rateof" and tree.name in values and values[tree.name].op == "sym":
        return Tree("rateof", name=values[tree.name].name)
    if not tree.parts:
        return tree
    return Tree(tree.op, tuple(substituted(part, values) for part in tree.parts), tree.value, tree.name)


class NoValueError(ArithmeticError):
    """A formula that has no value: a piecewise in which nothing holds, a domain error, a rate that nobody knows."""


def evaluate(tree: Tree, lookup: Callable[[str], float], time: float, rate: Callable[[str], float]) -> float:
    """The value of `tree` in double precision; booleans are 1 and 0.

    `lookup` gives a symbol's value and `rate` its derivative by time. Raises `NoValueError`.
    """

    def value(node: Tree) -> float:
        op, parts = node.op, node.parts
        if op == "num":
            return node.value
        if op == "sym":
            return lookup(node.name)
        if op == "time":
            return time
        if op == "rateof":
            return rate(node.name)
        if op == "and":
            return float(all(value(part) != 0 for part in parts))
        if op == "or":
            return float(any(value(part) != 0 for part in parts))
        if op == "piecewise":
            return _piece(parts, value)
        if op not in OPERATIONS:
            raise NoValueError(f"{op} has no value here")
        return OPERATIONS[op](*(value(part) for part in parts))

    try:
        return float(value(tree))
    except (ArithmeticError, ValueError, TypeError) as error:
        raise error if isinstance(error, NoValueError) else NoValueError(str(error)) from None


def _piece(parts: tuple[Tree, ...], value: Callable[[Tree], float]) -> float:
    for at in range(0, len(parts) - 1, 2):
        if value(parts[at + 1]) != 0:
            return value(parts[at])
    if len(parts) % 2 == 0:
        raise NoValueError("no condition of a piecewise holds, and it has no otherwise")
    return value(parts[-1])


def _power(a: float, b: float) -> float:
    found = a**b
    if isinstance(found, complex):
        raise NoValueError(f"{a} to the power of {b} is no real number")
    return float(found)


def _root(degree: float, a: float) -> float:
    if a < 0 and degree % 2 == 1:
        return -float((-a) ** (1 / degree))
    return _power(a, 1 / degree)


def _factorial(a: float) -> float:
    if a != int(a) or not 0 <= a <= 170:
        raise NoValueError(f"{a} has no factorial")
    return float(math.factorial(int(a)))


OPERATIONS: Final[Mapping[str, Callable[..., float]]] = {
    "+": lambda *p: math.fsum(p) if len(p) > 2 else sum(p),
    "*": lambda *p: math.prod(p),
    "-": lambda a, b: a - b,
    "/": lambda a, b: a / b,
    "^": _power,
    "neg": lambda a: -a,
    "lt": lambda a, b: float(a < b),
    "le": lambda a, b: float(a <= b),
    "gt": lambda a, b: float(a > b),
    "ge": lambda a, b: float(a >= b),
    "eq": lambda a, b: float(a == b),
    "ne": lambda a, b: float(a != b),
    "not": lambda a: float(a == 0),
    "xor": lambda *p: float(sum(item != 0 for item in p) % 2),
    "implies": lambda a, b: float(a == 0 or b != 0),
    "true": lambda: 1.0,
    "false": lambda: 0.0,
    "abs": abs,
    "exp": math.exp,
    "ln": math.log,
    "log": lambda base, a: math.log(a) / math.log(base) if base != 10 else math.log10(a),
    "root": _root,
    "floor": math.floor,
    "ceiling": math.ceil,
    "factorial": _factorial,
    "min": lambda *p: min(p),
    "max": lambda *p: max(p),
    "quotient": lambda a, b: float(int(a / b)),
    "rem": math.fmod,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "sec": lambda a: 1 / math.cos(a),
    "csc": lambda a: 1 / math.sin(a),
    "cot": lambda a: 1 / math.tan(a),
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "sech": lambda a: 1 / math.cosh(a),
    "csch": lambda a: 1 / math.sinh(a),
    "coth": lambda a: 1 / math.tanh(a),
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "arcsec": lambda a: math.acos(1 / a),
    "arccsc": lambda a: math.asin(1 / a),
    "arccot": lambda a: math.atan(1 / a) if a else math.pi / 2,
    "arcsinh": math.asinh,
    "arccosh": math.acosh,
    "arctanh": math.atanh,
    "arcsech": lambda a: math.acosh(1 / a),
    "arccsch": lambda a: math.asinh(1 / a),
    "arccoth": lambda a: math.atanh(1 / a),
}
"""Every function of SBML's subset of MathML 2 (Level 3 Version 2 Core, section 3.4.6), in double precision."""

_BINARY: Final = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "^"}
_COMPARE: Final = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}
_CALLS: Final = {"log": "ln"}


def read_expression(text: str) -> Tree:
    """The tree of an expression of the engine's language; raises `ValueError` as `parse_expression` does."""
    parse_expression(text)
    return _from_python(parse_python(text.strip(), "eval").body)


def _from_python(node: ast.expr) -> Tree:
    match node:
        case ast.Constant(value=int() | float() as value):
            return num(float(value))
        case ast.Name(id=name):
            return sym(name)
        case ast.UnaryOp(op=op, operand=operand):
            inner = _from_python(operand)
            return Tree("neg", (inner,)) if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=op, right=right):
            return _joined(_BINARY[type(op)], _from_python(left), _from_python(right))
        case ast.IfExp(test=ast.Compare(left=left, ops=[op], comparators=[right]), body=body, orelse=orelse):
            condition = Tree(_COMPARE[type(op)], (_from_python(left), _from_python(right)))
            rest = _from_python(orelse)
            tail = rest.parts if rest.op == "piecewise" else (rest,)
            return Tree("piecewise", (_from_python(body), condition, *tail))
        case ast.Call(func=ast.Name(id=name), args=args):
            parts = tuple(_from_python(part) for part in args)
            return Tree("root", (num(2.0), *parts)) if name == "sqrt" else Tree(_CALLS.get(name, name), parts)
    raise AssertionError(ast.dump(node))  # parse_expression lets nothing else through


def _joined(op: str, left: Tree, right: Tree) -> Tree:
    """a + b + c as one sum; a - b stays as it is, and so does every other grouping."""
    if op in ("+", "*") and left.op == op:
        return Tree(op, (*left.parts, right))
    return Tree(op, (left, right))
