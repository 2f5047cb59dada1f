"""Expressions in a data file: parsed with a whitelist, so that the file can compute and do nothing else."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from seedtrain.base._python import parse_python

FUNCTIONS: Final[dict[str, Callable[..., float]]] = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "abs": abs,
    "min": min,
    "max": max,
}
"""What an expression may call; all take and give plain numbers."""

_BINARY: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_UNARY: Final = (ast.UAdd, ast.USub)
_COMPARE: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_ARGUMENTS: Final = {"min": (2, 9), "max": (2, 9)}
DEEPEST: Final = 60


@dataclass(frozen=True)
class Expression:
    """A checked expression: its text, the symbols that it reads, and the Python source made from its nodes."""

    text: str
    names: frozenset[str]
    code: str

    def evaluate(self, values: dict[str, float]) -> float:
        """Its value with `values` for its symbols; raises `ArithmeticError` where it has none."""
        found = _compiled(self.code)({**FUNCTIONS, **values})
        if isinstance(found, complex) or not math.isfinite(found):
            raise ArithmeticError(f"{self.text} has no finite value")
        return float(found)


@lru_cache(maxsize=8192)
def parse_expression(text: str) -> Expression:
    """`text` as an expression of numbers, symbols, + - * / **, comparisons in `a if b > c else d`, and `FUNCTIONS`.

    Raises `ValueError("what is wrong | remedy")` that names the column in the text.
    """
    plain = text.strip()
    if not plain:
        raise ValueError("the expression is empty | Write an expression such as q_S_max * S / (S + K_S).")
    try:
        tree = parse_python(plain, "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = getattr(error, "offset", None) or 1
        raise ValueError(
            f"{plain!r} is not an expression (column {column}) | Use numbers, symbols, + - * / ** and parentheses."
        ) from None
    names: set[str] = set()
    code = _emit(tree.body, names, plain, 0)
    return Expression(plain, frozenset(names), code)


def is_symbol(text: str) -> bool:
    """Whether `text` can name a state, a parameter or an expression."""
    import keyword

    return text.isascii() and text.isidentifier() and not keyword.iskeyword(text) and not text.startswith("_")


def unknown_names(expression: Expression, known: Iterable[str]) -> tuple[str, ...]:
    """The symbols of `expression` that `known` lacks, sorted."""
    return tuple(sorted(expression.names - set(known)))


@lru_cache(maxsize=4096)
def _compiled(code: str) -> Callable[[dict[str, Any]], Any]:
    compiled = compile(code, "<expression>", "eval")
    # The code was generated from whitelisted nodes only, and sees no builtins.
    return lambda values: eval(compiled, {"__builtins__": {}}, values)  # noqa: S307


def _refuse(node: ast.AST, text: str, what: str) -> ValueError:
    column = getattr(node, "col_offset", 0) + 1
    allowed = ", ".join(FUNCTIONS)
    return ValueError(
        f"{what} in {text!r} (column {column}) | Use numbers, symbols, + - * / **, a if b > c else d, and {allowed}."
    )


def _emit(node: ast.expr, names: set[str], text: str, depth: int) -> str:
    if depth > DEEPEST:
        raise _refuse(node, text, "nesting that goes too deep")

    def inner(part: ast.expr) -> str:
        return _emit(part, names, text, depth + 1)

    match node:
        case ast.Constant(value=bool()):
            raise _refuse(node, text, "a truth value")
        case ast.Constant(value=int() | float() as value):
            number = float(value)
            if not math.isfinite(number):
                raise _refuse(node, text, "a number that is not finite")
            return repr(number)
        case ast.Name(id=name):
            if name in FUNCTIONS or not is_symbol(name):
                raise _refuse(node, text, f"the symbol {name!r}")
            names.add(name)
            return name
        case ast.UnaryOp(op=op, operand=operand) if isinstance(op, _UNARY):
            return f"({'-' if isinstance(op, ast.USub) else '+'}{inner(operand)})"
        case ast.BinOp(op=ast.Div(), right=ast.Constant(value=0)):
            raise _refuse(node, text, "a division by zero")
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _BINARY):
            sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}[type(op)]
            return f"({inner(left)} {sign} {inner(right)})"
        case ast.IfExp(test=ast.Compare(left=left, ops=[op], comparators=[right]), body=body, orelse=orelse) if (
            isinstance(op, _COMPARE)
        ):
            sign = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}[type(op)]
            return f"({inner(body)} if {inner(left)} {sign} {inner(right)} else {inner(orelse)})"
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            least, most = _ARGUMENTS.get(name, (1, 1))
            if not least <= len(args) <= most:
                raise _refuse(node, text, f"{name}() with {len(args)} values")
            return f"{name}({', '.join(inner(part) for part in args)})"
        case ast.Call(func=ast.Name(id=name)):
            raise _refuse(node, text, f"the unknown function {name!r}")
        case _:
            raise _refuse(node, text, f"{type(node).__name__.lower()!r}")
