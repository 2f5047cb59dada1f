"""Formulas of calculated values: read once, computed in decimal, and their units checked before anything is.

A formula computes with numbers as the record states them, each in its own unit, so that anybody can calculate it again
with a pocket calculator from the printed record.
"""

from __future__ import annotations

import ast
import decimal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from seedtrain.base import Expression, parse_expression, parse_python
from seedtrain.quantity import read_unit

_DIGITS: Final = 28
SIGNIFICANT: Final = 9
"""Digits of a calculated value whose recipe states no places."""

_Scale = tuple[tuple[tuple[str, Fraction], ...], Fraction]


class FormulaUnitError(ValueError):
    """Units that do not fit together; the text is "what is wrong | remedy"."""


@dataclass(frozen=True)
class Formula:
    """A checked formula; `names`: the symbols that it reads."""

    text: str
    names: frozenset[str]

    def compute(self, values: Mapping[str, Decimal], places: int | None = None) -> Decimal:
        """Its value, rounded half up to `places` (`SIGNIFICANT` digits where None), in decimal arithmetic of 28 digits.

        Raises `ArithmeticError` where it has none: a division by zero, the root of a negative number.
        """
        with decimal.localcontext(decimal.Context(prec=_DIGITS)):
            found = _value(_tree(self.text), values)
            if not found.is_finite():
                raise ArithmeticError(f"{self.text} has no finite value")
            return rounded(found, places)

    def check_units(self, units: Mapping[str, str], unit: str) -> None:
        """Raises `FormulaUnitError` unless the formula over symbols in `units` gives a number in `unit`.

        A percentage may be written as 100 times a ratio.
        """
        dimension, factor = _scale(_tree(self.text), units)
        wanted = read_unit(unit)
        if dimension != _powers(wanted.dimension):
            raise FormulaUnitError(f"{self.text!r} is not in {unit or 'a plain number'} | Check its parts' units.")
        ratio = factor / wanted.factor
        if ratio != 1 and not (not dimension and factor == 1):
            raise FormulaUnitError(
                f"{self.text!r} comes out in {unit or 'a plain number'} times {float(ratio):g} | "
                "State every part in units that need no conversion."
            )


def read_formula(text: str) -> Formula:
    """The formula that `text` writes; raises `ValueError("what is wrong | remedy")`."""
    found: Expression = parse_expression(text)
    return Formula(found.text, found.names)


def rounded(value: Decimal, places: int | None) -> Decimal:
    """Half up, as USP General Notices 7.20 rounds; to `SIGNIFICANT` digits where no places are stated."""
    if places is None:
        if not value:
            return Decimal(0)
        places = SIGNIFICANT - 1 - value.adjusted()
    with decimal.localcontext(decimal.Context(prec=_DIGITS + max(0, value.adjusted()) + max(0, places))):
        return value.quantize(Decimal(1).scaleb(-places), rounding=decimal.ROUND_HALF_UP)


@lru_cache(maxsize=1024)
def _tree(text: str) -> ast.expr:
    return parse_python(text, "eval").body


def _tanh(value: Decimal) -> Decimal:
    raised = (2 * value).exp()
    return (raised - 1) / (raised + 1)


_FUNCTIONS: Final[Mapping[str, Callable[..., Decimal]]] = {
    "exp": Decimal.exp,
    "log": Decimal.ln,
    "sqrt": Decimal.sqrt,
    "tanh": _tanh,
    "abs": abs,
    "min": min,
    "max": max,
}


def _value(node: ast.expr, values: Mapping[str, Decimal]) -> Decimal:
    def inner(part: ast.expr) -> Decimal:
        return _value(part, values)

    match node:
        case ast.Constant(value=int() | float() as number):
            return Decimal(repr(number))
        case ast.Name(id=name):
            return values[name]
        case ast.UnaryOp(op=op, operand=operand):
            return -inner(operand) if isinstance(op, ast.USub) else +inner(operand)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = inner(left), inner(right)
            if isinstance(op, ast.Add):
                return a + b
            if isinstance(op, ast.Sub):
                return a - b
            if isinstance(op, ast.Mult):
                return a * b
            return a / b if isinstance(op, ast.Div) else a**b
        case ast.IfExp(test=ast.Compare(left=left, ops=[op], comparators=[right]), body=body, orelse=orelse):
            return inner(body) if _holds(op, inner(left), inner(right)) else inner(orelse)
        case ast.Call(func=ast.Name(id=name), args=args):
            return _FUNCTIONS[name](*(inner(part) for part in args))
    raise AssertionError(ast.dump(node))  # `parse_expression` lets nothing else through


def _holds(op: ast.cmpop, a: Decimal, b: Decimal) -> bool:
    if isinstance(op, ast.Lt):
        return a < b
    if isinstance(op, ast.LtE):
        return a <= b
    return a > b if isinstance(op, ast.Gt) else a >= b


def _powers(dimension: object) -> tuple[tuple[str, Fraction], ...]:
    return tuple((name, Fraction(power)) for name, power in dimension)  # type: ignore[attr-defined]


def _scale(node: ast.expr, units: Mapping[str, str]) -> _Scale:
    """Dimension and factor of what a part gives; a plain number has none and 1."""

    def inner(part: ast.expr) -> _Scale:
        return _scale(part, units)

    match node:
        case ast.Constant():
            return (), Fraction(1)
        case ast.Name(id=name):
            unit = read_unit(units[name])
            return _powers(unit.dimension), unit.factor
        case ast.UnaryOp(operand=operand):
            return inner(operand)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            return _alike(node, inner(left), inner(right))
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
            return _product(inner(left), inner(right), -1 if isinstance(op, ast.Div) else 1)
        case ast.BinOp(left=left, right=right):
            return _power(node, inner(left), right)
        case ast.IfExp(test=ast.Compare(left=left, comparators=[right]), body=body, orelse=orelse):
            _alike(node, inner(left), inner(right))
            return _alike(node, inner(body), inner(orelse))
        case ast.Call(func=ast.Name(id=name), args=args):
            found = [inner(part) for part in args]
            if name == "sqrt":
                return _root(node, found[0])
            if name in ("exp", "log", "tanh") and found[0][0]:
                raise _unit_fault(node, f"{name}() takes a plain number")
            for other in found[1:]:
                _alike(node, found[0], other)
            return found[0] if name in ("abs", "min", "max") else ((), Fraction(1))
    raise AssertionError(ast.dump(node))


def _alike(node: ast.expr, a: _Scale, b: _Scale) -> _Scale:
    if a != b:
        raise _unit_fault(node, "parts in different units meet")
    return a


def _product(a: _Scale, b: _Scale, sign: int) -> _Scale:
    found = dict(a[0])
    for name, power in b[0]:
        found[name] = found.get(name, Fraction(0)) + sign * power
    return tuple(sorted((name, power) for name, power in found.items() if power)), a[1] * b[1] ** sign


def _power(node: ast.expr, base: _Scale, exponent: ast.expr) -> _Scale:
    if not base[0] and base[1] == 1:
        return base
    match exponent:
        case ast.Constant(value=int() | float() as number) if float(number).is_integer() and 0 < number <= 9:
            found = base
            for _ in range(int(number) - 1):
                found = _product(found, base, 1)
            return found
    raise _unit_fault(node, "a quantity with a unit takes whole powers from 1 to 9")


def _root(node: ast.expr, found: _Scale) -> _Scale:
    if found[0] or found[1] != 1:
        raise _unit_fault(node, "sqrt() takes a plain number")
    return found


def _unit_fault(node: ast.expr, what: str) -> FormulaUnitError:
    return FormulaUnitError(f"{what} in {ast.unparse(node)!r} | State the parts in units that fit.")
