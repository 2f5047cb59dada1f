"""Amounts of lots as exact decimals: what came in, what went where, and what remains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import Final

from seedtrain.base import InputError
from seedtrain.quantity import QuantityError, read_unit, same_dimension

_DIGITS: Final = 60
INWARD: Final = ("received", "produced", "split", "merged")
PASSED_ON: Final = ("split_off", "merged_off")
ROUNDING: Final = Decimal("1e-5")
"""Share of what came in by which recorded uses may exceed it: amounts are recorded with six digits; assumed."""


@dataclass(frozen=True)
class Movement:
    """An amount that came into a lot or left it; `kind` one of `INWARD`, `PASSED_ON`, consumed, discarded, shipped.

    - `other`: the batch, lot, supplier or consignee on the other side; `document`: a despatch note, an order or a
      weighing ticket; `at`: when it happened.
    """

    seq: int
    kind: str
    amount: str
    unit: str
    other: str
    document: str
    at: str
    event: str


@dataclass(frozen=True)
class Stock:
    """What became of a lot, in `unit`: `taken_in` = consumed + discarded + shipped + passed_on + remaining.

    - `passed_on`: to lots that were split off it or merged with it. `remaining` is negative where more was recorded
      as used than there was. `unreckoned`: movements of another dimension, or without a number; they are in no sum.
    """

    unit: str
    taken_in: Decimal
    consumed: Decimal = Decimal(0)
    discarded: Decimal = Decimal(0)
    shipped: Decimal = Decimal(0)
    passed_on: Decimal = Decimal(0)
    unreckoned: tuple[Movement, ...] = field(default=())

    @property
    def remaining(self) -> Decimal:
        """What is left."""
        with localcontext(prec=_DIGITS):
            return self.taken_in - self.consumed - self.discarded - self.shipped - self.passed_on

    @property
    def overdrawn(self) -> bool:
        """Whether more was recorded as used than there was, by more than rounding."""
        with localcontext(prec=_DIGITS):
            return self.remaining < -ROUNDING * self.taken_in


def stock_of(movements: Iterable[Movement], unit: str) -> Stock:
    """The stock after these movements of one lot, in `unit`."""
    sums = {name: Decimal(0) for name in ("taken_in", "consumed", "discarded", "shipped", "passed_on")}
    odd: list[Movement] = []
    with localcontext(prec=_DIGITS):
        for item in movements:
            amount = amount_in(item.amount, item.unit, unit)
            if amount is None:
                odd.append(item)
            else:
                name = "taken_in" if item.kind in INWARD else "passed_on" if item.kind in PASSED_ON else item.kind
                sums[name] += amount
    return Stock(unit, **sums, unreckoned=tuple(odd))


def amount_in(amount: str, unit: str, to: str) -> Decimal | None:
    """A recorded amount in another unit, exactly; None for another dimension, an unknown unit or no number."""
    try:
        if not same_dimension(unit, to):
            return None
        number = Decimal(amount)
    except (QuantityError, InvalidOperation):
        return None
    if not number.is_finite():
        return None
    above, below = _factor(unit, to)
    with localcontext(prec=_DIGITS):
        return number * above / below


@lru_cache(maxsize=1024)
def _factor(unit: str, to: str) -> tuple[Decimal, Decimal]:
    ratio = Fraction(read_unit(unit).factor) / Fraction(read_unit(to).factor)
    return Decimal(ratio.numerator), Decimal(ratio.denominator)


def read_amount(amount: str, unit: str) -> Decimal:
    """A positive decimal in a unit of mass, volume, area, activity or number; `InputError` for anything else."""
    shown = f"{amount} {unit}".rstrip()
    try:
        number = Decimal(amount)
        spelled = read_unit(unit)
    except InvalidOperation:
        raise InputError(
            f"{amount!r} is not a decimal number", remedy="Write digits and a decimal point: 12.5."
        ) from None
    if not number.is_finite() or number <= 0:
        raise InputError(f"{shown} is no amount: it must be above 0", remedy="Give a positive amount.")
    if spelled.offset or dict(spelled.dimension).get("time"):
        raise InputError(
            f"{spelled.spelling} is no amount of a material", remedy="Give a mass, a volume, an area or a number."
        )
    return number


def plain_text(number: Decimal) -> str:
    """A decimal without exponent and without zeros at its end."""
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
