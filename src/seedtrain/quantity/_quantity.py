"""Values with units, and ranges of them; what stands in files round-trips through their text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from seedtrain.quantity._unit import (
    QuantityError,
    article,
    convert,
    dimension_error,
    dimension_words,
    normal_text,
    read_unit,
    same_dimension,
)

_NUMBER: Final = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY: Final = re.compile(rf"({_NUMBER})(?![\d.,])\s*(.*)")
_BOUND: Final = re.compile(r"(>=|<=|=|>|<|≥|≤)\s*(.*)")


@dataclass(frozen=True)
class Quantity:
    """A value with its unit, the unit in its normal spelling; `str` gives text that `parse` reads back."""

    value: float
    unit: str

    def __post_init__(self) -> None:
        """Normalise the unit; a value that is not finite is refused."""
        object.__setattr__(self, "value", float(self.value))
        if not math.isfinite(self.value):
            raise QuantityError(f"{self.value} is not a finite number", remedy="Write a finite number.")
        object.__setattr__(self, "unit", read_unit(self.unit).spelling)

    def magnitude(self, unit: str) -> float:
        """The value in `unit`; raises `QuantityError` across dimensions."""
        return convert(self.value, self.unit, unit)

    def to(self, unit: str) -> Quantity:
        """The same quantity in `unit`."""
        return Quantity(self.magnitude(unit), unit)

    def __str__(self) -> str:
        return f"{number_text(self.value)} {self.unit}".rstrip()


@dataclass(frozen=True)
class Range:
    """Everything from `low` to `high`, both ends included; `None` is open. One end at least is given."""

    low: Quantity | None
    high: Quantity | None

    def __post_init__(self) -> None:
        """Refuse an empty range and ends of two dimensions."""
        if self.low is None and self.high is None:
            raise QuantityError("a range needs at least one end", remedy="Write '>= 95 %' or '36 .. 38 degC'.")
        if self.low is not None and self.high is not None and self.low.value > self.high.magnitude(self.low.unit):
            raise QuantityError(
                f"the range starts at {self.low} and ends below it, at {self.high}",
                remedy="Write the lower value first.",
            )

    @property
    def unit(self) -> str:
        """The unit of the end that is given (of the upper one where both are)."""
        end = self.high if self.high is not None else self.low
        assert end is not None
        return end.unit

    def contains(self, quantity: Quantity) -> bool:
        """Whether `quantity` lies in the range; raises `QuantityError` across dimensions."""
        return (self.low is None or quantity.magnitude(self.low.unit) >= self.low.value) and (
            self.high is None or quantity.magnitude(self.high.unit) <= self.high.value
        )

    def bounds(self, unit: str) -> tuple[float, float]:
        """Both ends as numbers in `unit`, infinite where open."""
        low = -math.inf if self.low is None else self.low.magnitude(unit)
        return low, math.inf if self.high is None else self.high.magnitude(unit)

    def __str__(self) -> str:
        if self.low is None:
            return f"<= {self.high}"
        if self.high is None:
            return f">= {self.low}"
        if self.low == self.high:
            return f"= {self.low}"
        low = number_text(self.low.value) if self.low.unit == self.high.unit else str(self.low)
        return f"{low} .. {self.high}"


def number_text(value: float) -> str:
    """The shortest text of a float that reads back as the same float, without a trailing `.0`."""
    return repr(value).removesuffix(".0")


def parse(text: str, *, like: str | None = None) -> Quantity:
    """The quantity that `text` writes, for instance `0.5 EU/mg`.

    - `like`: a unit of the dimension that is wanted. A bare number then needs `like` to be a plain number (`""`).

    Raises `QuantityError` for what is no number, an unknown or ambiguous unit, or another dimension.
    """
    plain = normal_text(text)
    found = _QUANTITY.fullmatch(plain)
    if found is None:
        raise _no_number(text, plain, like)
    quantity = Quantity(float(found[1]), found[2])
    _check(quantity, text, like)
    return quantity


def _no_number(text: str, plain: str, like: str | None) -> QuantityError:
    example = (
        f"Write a number and a unit, for instance '1.5 {like or 'g/L'}'." if like != "" else "Write a number: 1.5."
    )
    if re.match(r"[+-]?\d+,\d", plain):
        return QuantityError(
            f"the comma in {text!r} may be a decimal sign or part thousands",
            remedy="Write a decimal point and no thousands separator: 1234.5.",
        )
    return QuantityError(f"{text!r} is not a number with a unit", remedy=example)


def _check(quantity: Quantity, text: str, like: str | None) -> None:
    if like is None:
        return
    if not same_dimension(quantity.unit, like):
        if not quantity.unit:
            raise _bare(text, like)
        raise dimension_error(quantity.unit, like)
    if not quantity.unit and like:
        raise _bare(text, like)


def _bare(text: str, like: str) -> QuantityError:
    words, shown = dimension_words(like), read_unit(like).spelling
    return QuantityError(
        f"{text.strip()!r} has no unit, and {article(words)} is wanted", remedy=f"Add the unit: {text.strip()} {shown}."
    )


def parse_range(text: str, *, like: str | None = None) -> Range:
    """The range that `text` writes: `36 .. 38 degC`, `>= 95 %`, `<= 0.5 EU/mg` or `= 5 mg`. Errors as in `parse`."""
    plain = normal_text(text)
    if ".." in plain:
        return _between(text, plain, like)
    found = _BOUND.fullmatch(plain)
    if found is None:
        raise QuantityError(
            f"{text!r} is not a range", remedy="Write '36 .. 38 degC', '>= 95 %', '<= 0.5 EU/mg' or '= 5 mg'."
        )
    sign, end = found[1], parse(found[2], like=like)
    if sign in ("<", ">"):
        raise QuantityError(
            f"{text!r} leaves out its own limit", remedy=f"Write '{sign}=': limits here include their value."
        )
    if sign == "=":
        return Range(end, end)
    return Range(end, None) if sign in (">=", "≥") else Range(None, end)


def _between(text: str, plain: str, like: str | None) -> Range:
    if "..." in plain:
        raise QuantityError(f"{text!r} has too many dots", remedy="Write '36 .. 38 degC'.")
    left, _, right = (part.strip() for part in plain.partition(".."))
    high = parse(right, like=like)
    if re.fullmatch(_NUMBER, left):
        return Range(Quantity(float(left), high.unit), high)
    low = parse(left, like=like)
    if not same_dimension(low.unit, high.unit):
        raise QuantityError(
            f"{text!r} starts as a {dimension_words(low.unit)} and ends as a {dimension_words(high.unit)}",
            remedy="Write both ends in units of one dimension.",
        )
    return Range(low, high)
