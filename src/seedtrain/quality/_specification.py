"""Limits as they are written, the rounding that they imply, and specifications made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf

from seedtrain.base import InputError
from seedtrain.quantity import Quantity, QuantityError, Range, parse, parse_range

_WORD: Final = re.compile(r"=\s*([^\W\d][\w -]*)")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DIGITS_OF_A_FLOAT: Final = 12
LEAST_WITH_EXPONENT: Final = 10_000_000
"""From eight digits before the point on nobody counts zeros."""


@dataclass(frozen=True)
class Limit:
    """A limit as it is written: a range of values (`>= 95 %`, `90 .. 110 mg`) or a word (`= conforms`).

    - `places`: decimal places of the lower and of the upper end as written; a reportable value is rounded to them.
    """

    text: str
    range: Range | None
    word: str | None
    places: tuple[int, int] = (0, 0)

    @staticmethod
    def parse(text: str) -> Limit:
        """The limit that `text` writes; raises `QuantityError` for anything else."""
        word = _WORD.fullmatch(text.strip())
        if word:
            return Limit(f"= {word[1].strip()}", None, word[1].strip())
        found = parse_range(text)
        ends = [Decimal(item[0]) for part in text.split("..") for item in [_NUMBER.search(part)] if item]
        places = [max(0, -int(end.as_tuple().exponent)) for end in ends]
        return Limit(" ".join(text.split()), found, None, (places[0], places[-1]))

    @property
    def unit(self) -> str:
        """The unit of the limit; `""` for a word."""
        return self.range.unit if self.range else ""

    def reportable(self, value: Quantity) -> str:
        """`value` in the limit's unit, rounded as it is reported and compared (to the finer end of a range)."""
        rounded = round_half_up(value.magnitude(self.unit), max(self.places))
        return f"{figure_text(rounded)} {self.unit}".rstrip()

    def admits(self, value: Quantity | str) -> bool:
        """Whether the rounded reportable `value` meets the limit.

        **Source** USP General Notices 7.20: round the value to the decimal places of the limit expression, looking at
        one digit beyond and taking 5 upwards, then compare. Raises `QuantityError` for another dimension, or a word
        where a number is wanted.
        """
        if self.range is None:
            if not isinstance(value, str):
                raise QuantityError(f"{value} is a number, the limit is {self.text!r}", remedy="Give the word found.")
            return value == self.word
        if isinstance(value, str):
            raise QuantityError(f"{value!r} is a word, the limit is {self.text!r}", remedy="Give a number and a unit.")
        return self._above_low(value) and self._below_high(value)

    def _above_low(self, value: Quantity) -> bool:
        assert self.range is not None
        low = self.range.low
        return low is None or round_half_up(value.magnitude(low.unit), self.places[0]) >= _decimal(low.value)

    def _below_high(self, value: Quantity) -> bool:
        assert self.range is not None
        high = self.range.high
        return high is None or round_half_up(value.magnitude(high.unit), self.places[1]) <= _decimal(high.value)

    def __str__(self) -> str:
        return self.text


def _decimal(value: float) -> Decimal:
    # Twelve digits: what a conversion between units adds beyond them is noise, and must not decide a rounding.
    return Decimal(f"{value:.{_DIGITS_OF_A_FLOAT}g}")


def figure_text(value: Decimal) -> str:
    """A figure as people read it, nothing rounded: plain digits, or 1.6e13 from `LEAST_WITH_EXPONENT` on."""
    return str(value) if abs(value) < LEAST_WITH_EXPONENT else f"{value.normalize():e}".replace("e+", "e")


def round_half_up(value: float, places: int) -> Decimal:
    """`value` rounded to `places` decimals, a 5 upwards in magnitude (USP General Notices 7.20)."""
    return _decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class SpecificationLine:
    """One test of a specification: what, by which method, within which limit.

    - `assay_cv`: the method's relative standard deviation as a fraction, or `None` where it is not known.
    """

    attribute: str
    method: str
    limit: Limit
    assay_cv: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Specification:
    """What QC tests before release; every attribute stands once."""

    lines: tuple[SpecificationLine, ...]

    def __post_init__(self) -> None:
        """Refuse an attribute that stands twice."""
        seen: set[str] = set()
        for line in self.lines:
            if line.attribute in seen:
                raise InputError(f"the attribute {line.attribute!r} stands twice", remedy="Remove one of the two.")
            seen.add(line.attribute)

    def line(self, attribute: str) -> SpecificationLine:
        """The line of `attribute`; raises `InputError` with the known ones."""
        for line in self.lines:
            if line.attribute == attribute:
                return line
        known = ", ".join(line.attribute for line in self.lines)
        raise InputError(f"the specification has no attribute {attribute!r}", remedy=f"Use one of: {known}.")

    def to_data(self) -> list[dict[str, Any]]:
        """JSON-ready; `from_data` gives the same back."""
        return [
            {
                "attribute": line.attribute,
                "method": line.method,
                "limit": line.limit.text,
                "assay_cv": None if line.assay_cv is None else str(line.assay_cv),
                "note": line.note,
            }
            for line in self.lines
        ]

    @staticmethod
    def from_data(data: Sequence[Mapping[str, Any]]) -> Specification:
        """What `to_data` wrote."""
        return Specification(
            tuple(
                SpecificationLine(
                    item["attribute"],
                    item["method"],
                    Limit.parse(item["limit"]),
                    None if item["assay_cv"] is None else float(item["assay_cv"]),
                    item["note"],
                )
                for item in data
            )
        )


def _limit(value: Any) -> Limit:
    if isinstance(value, Limit):
        return value
    try:
        return Limit.parse(str(value))
    except QuantityError as error:
        raise ValueError(f"{error.message} | {error.remedy}") from None


def _fraction(value: Any) -> float | None:
    if value is None or isinstance(value, float):
        return value
    try:
        found = parse(str(value), like="%").magnitude("")
    except QuantityError as error:
        raise ValueError(f"{error.message} | {error.remedy}") from None
    if not 0 <= found < 1:
        raise ValueError(f"a relative standard deviation of {value} is out of 0 .. 100 % | Write, for instance, 5 %.")
    return found


class SpecificationEntry(BaseModel):
    """One entry of a recipe's `specification:`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attribute: Annotated[str, Field(min_length=1)]
    method: Annotated[str, Field(min_length=1)]
    limit: Annotated[InstanceOf[Limit], BeforeValidator(_limit)]
    assay_cv: Annotated[float | None, BeforeValidator(_fraction)] = None
    note: str = ""

    def line(self) -> SpecificationLine:
        """The line that the entry writes."""
        return SpecificationLine(self.attribute, self.method, self.limit, self.assay_cv, self.note)
