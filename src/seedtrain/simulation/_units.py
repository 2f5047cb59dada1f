"""Units of a culture's expressions: derived from what they are made of, and checked before anything is computed.

A culture computes in g, mmol, L and h, with temperatures in degC or K as written. A count (cells, copies, IU ...) is
counted in what its species uses: `1e9 cells/L` makes 1e9 cells the unit of cells in that file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from seedtrain.base import parse_python
from seedtrain.quantity import Quantity, QuantityError, Unit, read_unit

Powers = tuple[tuple[str, Fraction], ...]
"""Powers of base dimensions, sorted by name, without zeros."""

PLAIN: Final[Powers] = ()
SIZES: Final = {
    "mass": Fraction(1),  # g
    "length": Fraction(1, 10),  # dm, whose cube is the litre
    "time": Fraction(3600),  # h, in s
    "amount": Fraction(1, 1000),  # mmol, in mol
    "temperature": Fraction(1),
}
"""Size of what a culture computes in, over the bases of `seedtrain.quantity`."""
_SYMBOLS: Final = {
    "mass": "g",
    "time": "h",
    "amount": "mmol",
    "temperature": "K",
    "cell count": "cells",
    "copy number": "copies",
    "international unit": "IU",
    "endotoxin": "EU",
    "colony count": "CFU",
    "optical density": "OD600",
    "turbidity": "NTU",
    "base pairs": "bp",
    "current": "A",
}
_SCALED: Final = re.compile(r"(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*(?=[A-Za-z(/])(.*)")


def powers_of(unit: str) -> Powers:
    """The dimension of `unit`."""
    return tuple((name, Fraction(power)) for name, power in read_unit(unit).dimension)


def times(a: Powers, b: Powers, sign: int = 1) -> Powers:
    """The dimension of a product, or with `sign` -1 of a quotient."""
    found = dict(a)
    for name, power in b:
        found[name] = found.get(name, Fraction(0)) + sign * power
    return tuple(sorted((name, power) for name, power in found.items() if power))


def raised(a: Powers, power: Fraction) -> Powers:
    """The dimension of a power."""
    return tuple((name, item * power) for name, item in a if power)


@dataclass
class UnitSystem:
    """What one culture file computes in: `SIZES`, and for each count what its species counts in."""

    sizes: dict[str, Fraction] = field(default_factory=dict)

    def species(self, text: str) -> Powers:
        """The dimension of a species' unit such as `g/L`, `mmol/L` or `1e9 cells/L`, which fixes what counts are in.

        Raises `QuantityError` for a unit that is none of them.
        """
        scale, unit = _scaled(text)
        ratio = unit.factor * scale / self._factor(unit)
        if ratio == 1:
            return powers_of(unit.spelling)
        counted = [name for name, power in unit.dimension if name not in SIZES and power == 1]
        if not counted:
            fits = f"Write {self.spell(powers_of(unit.spelling))} and its numbers in that unit."
            if dict(unit.dimension) == {"length": -3}:
                fits = "Say what is counted: 1e9 cells/L, copies/L, IU/L."
            raise QuantityError(f"{text!r} is not what cultures compute in", remedy=fits)
        if counted[0] in self.sizes:
            raise QuantityError(
                f"{text!r} counts in another unit than the species above it", remedy="Count in one unit in all species."
            )
        self.sizes[counted[0]] = ratio
        return powers_of(unit.spelling)

    def value(self, quantity: Quantity) -> tuple[float, str]:
        """`quantity` as the number and unit that the culture computes with; a unit that fits already is kept."""
        unit = read_unit(quantity.unit)
        ratio = unit.factor / self._factor(unit)
        if ratio == 1 or unit.offset:
            return quantity.value, unit.spelling
        return float(Fraction(quantity.value) * ratio), self.spell(powers_of(unit.spelling))

    def spell(self, powers: Powers) -> str:
        """The unit of `powers` as people write it: g/L/h; a plain number is `1`."""
        above: list[str] = []
        below: list[str] = []
        for name, power in _readable(powers):
            shown = self._symbol(name) + ("" if abs(power) == 1 else f"{abs(power)}" if power % 1 == 0 else f"^{power}")
            (above if power > 0 else below).append(shown)
        return "/".join(["*".join(above) or "1", *below])

    def _symbol(self, name: str) -> str:
        size = self.sizes.get(name, Fraction(1))
        return _SYMBOLS.get(name, name) if size == 1 else f"{float(size):g} {_SYMBOLS.get(name, name)}"

    def _factor(self, unit: Unit) -> Fraction:
        found = Fraction(1)
        for name, power in unit.dimension:
            found *= self.sizes.get(name, SIZES.get(name, Fraction(1))) ** power
        return found


def _scaled(text: str) -> tuple[Fraction, Unit]:
    found = _SCALED.fullmatch(text.strip())
    if found is None:
        return Fraction(1), read_unit(text)
    rest = found[2]
    return Fraction(found[1]), read_unit(f"1{rest}" if rest.startswith("/") else rest)


def _readable(powers: Powers) -> Iterator[tuple[str, Fraction]]:
    order = {"mass": 0, "amount": 1}
    for name, power in sorted(powers, key=lambda pair: (order.get(pair[0], 3 if pair[0] == "time" else 2), pair[0])):
        if name == "length":
            yield ("L", power / 3) if power % 3 == 0 else ("dm", power)
        else:
            yield name, power


class UnitFault(ValueError):
    """An expression whose units do not fit: `message` and `remedy`."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def powers_of_expression(code: str, known: Mapping[str, Powers | None], system: UnitSystem) -> Powers | None:
    """The dimension of an expression, given those of its symbols; None where a symbol's is not known, or it is 0.

    Raises `UnitFault` where unlike units are added or compared, a function is given what has a unit, or an exponent is
    no plain number.
    """
    return _Reader(known, system).read(parse_python(code, "eval").body)


@dataclass(frozen=True)
class _Reader:
    known: Mapping[str, Powers | None]
    system: UnitSystem

    def read(self, node: ast.expr) -> Powers | None:
        match node:
            case ast.Constant(value=value):
                return None if value == 0 else PLAIN
            case ast.Name(id=name):
                return self.known.get(name)
            case ast.UnaryOp(operand=operand):
                return self.read(operand)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(left, right)
            case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
                a, b = self.read(left), self.read(right)
                return None if a is None or b is None else times(a, b, 1 if isinstance(op, ast.Mult) else -1)
            case ast.BinOp(left=left, op=op, right=right):
                return self._same([left, right], "adds" if isinstance(op, ast.Add) else "subtracts")
            case ast.IfExp(test=ast.Compare(left=left, comparators=[right]), body=body, orelse=orelse):
                self._same([left, right], "compares")
                return self._same([body, orelse], "chooses between")
            case ast.Call(func=ast.Name(id=name), args=args):
                return self._call(name, args)
        raise AssertionError(ast.dump(node))

    def _call(self, name: str, args: list[ast.expr]) -> Powers | None:
        if name in ("min", "max", "abs"):
            return self._same(args, "compares")
        found = self.read(args[0])
        if name == "sqrt":
            return None if found is None else raised(found, Fraction(1, 2))
        if found:
            unit = self.system.spell(found)
            raise UnitFault(
                f"{name} takes a plain number, and {_text(args[0])} is in {unit}",
                f"Divide it by a parameter in {unit}.",
            )
        return PLAIN

    def _power(self, base: ast.expr, exponent: ast.expr) -> Powers | None:
        below, above = self.read(base), self.read(exponent)
        if above:
            raise UnitFault(
                f"the exponent {_text(exponent)} is in {self.system.spell(above)}",
                f"Divide it by a parameter in {self.system.spell(above)}.",
            )
        if not below:
            return below
        number = _number(exponent)
        if number is None:
            raise UnitFault(
                f"{_text(base)} is in {self.system.spell(below)}: its power {_text(exponent)} has no fixed unit",
                f"Divide it by a parameter in {self.system.spell(below)} first: (S / K_S) ** n.",
            )
        return raised(below, number)

    def _same(self, parts: list[ast.expr], verb: str) -> Powers | None:
        found = [(part, powers) for part in parts if (powers := self.read(part)) is not None]
        if not found:
            return None
        first, wanted = found[0]
        for part, powers in found[1:]:
            if powers == wanted:
                continue
            numbers = [item for item in (first, part) if _number(item) is not None]
            unit = self.system.spell(wanted if numbers == [part] else powers)
            factor = self.system.spell(times(wanted, powers, -1))
            remedy = f"Multiply {_text(part)} by a parameter in {factor}, or correct a unit."
            if numbers:
                remedy = f"Give {_text(numbers[0])} its unit: a constant or a parameter in {unit}."
            raise UnitFault(
                f"it {verb} unlike units: {_text(first)} is in {self.system.spell(wanted)}, "
                f"{_text(part)} in {self.system.spell(powers)}",
                remedy,
            )
        return wanted


def _number(node: ast.expr) -> Fraction | None:
    match node:
        case ast.Constant(value=int() | float() as value):
            return Fraction(value).limit_denominator(1000)
        case ast.UnaryOp(op=op, operand=operand):
            inner = _number(operand)
            return None if inner is None else -inner if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            above, below = _number(left), _number(right)
            return None if above is None or not below else above / below
        case _:
            return None


def _text(node: ast.expr) -> str:
    text = re.sub(r"(\d)\.0\b(?!\d)", r"\1", ast.unparse(node))
    return repr(text) if len(text) <= 60 else repr(f"{text[:57]}...")
