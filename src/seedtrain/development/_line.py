"""What a batch uses as lines of money and of carbon: each a coefficient times factors to whole powers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, SeedtrainError, collect
from seedtrain.development._factors import Factor, FactorTable, Item
from seedtrain.development._use import Use
from seedtrain.quantity import QuantityError, convert

Floats = NDArray[np.float64]
Powers = tuple[tuple[str, int], ...]
Values = Mapping[str, float] | Mapping[str, Floats]

# Every kilogram is a released one: what failed batches used is carried by the batches that are released.
_RELEASED: Final = ("batch_success", -1)


@dataclass(frozen=True)
class Line:
    """`coefficient` times a product of factors to whole powers, per batch.

    `exponent`: how the coefficient grows with the use's amount, below 1 for what is cheaper by the litre when larger.
    """

    use: Use
    category: str
    coefficient: float
    powers: Powers
    exponent: float = 1.0

    def at(self, values: Values) -> Any:
        """The line's value per batch at `values`, a number or shape "draws"."""
        return self.coefficient * product_of(self.powers, values)


def product_of(powers: Powers, values: Mapping[str, Any]) -> Any:
    """The factors of a line multiplied, a number or shape "draws"."""
    found: Any = 1.0
    for name, power in powers:
        found = found * values[name] if power == 1 else found / values[name] ** -float(power)
    return found


def lines_of(uses: Sequence[Use], table: FactorTable) -> tuple[list[Line], list[Line], dict[str, str]]:
    """The lines of the cost and of the footprint, and the items without emission factor with their reasons."""
    errors: list[SeedtrainError] = []
    cost: list[Line] = []
    footprint: list[Line] = []
    excluded: dict[str, str] = {}
    unknown: set[str] = set()
    for use in uses:
        if not use.amount or use.item in unknown:
            continue
        try:
            item = table.item(use.item)
            cost.append(_line_of(use, item, item.price))
            if item.carbon is not None:
                footprint.append(_line_of(use, item, item.carbon))
            else:
                excluded[item.name] = item.carbon_excluded
        except SeedtrainError as error:
            unknown.add(use.item)
            errors.append(error)
    collect(errors)
    return cost, footprint, excluded


def _line_of(use: Use, item: Item, factor: Factor | None) -> Line:
    assert factor is not None, "the table holds no item without a price"
    if use.amount < 0:
        raise InputError(
            f"{use.where}: {use.amount:g} {use.unit} of {use.item} is negative", remedy="Check the recipe."
        )
    amount = use.amount
    if item.reference is not None:
        amount = (in_unit(use, item.reference_unit) / item.reference) ** item.exponent
    else:
        amount = in_unit(use, factor.per)
    amount *= use.pieces
    life = ((f"{item.name}.life", -1),) if item.life is not None else ()
    powers = ((factor.name, 1), *life, *use.times, _RELEASED)
    return Line(use, use.category or item.category, amount, powers, item.exponent if item.reference else 1.0)


def in_unit(use: Use, unit: str) -> float:
    """The amount of `use` in `unit`; an `InputError` that names both where they do not fit."""
    try:
        return convert(use.amount, use.unit, unit)
    except QuantityError as error:
        raise InputError(
            f"{use.where}: {use.item} is used in {use.unit or 'pieces'} but priced per {unit or 'piece'}: "
            f"{error.message}",
            remedy=f"Give {use.item} a price per {use.unit or 'piece'} in the factors file.",
        ) from None
