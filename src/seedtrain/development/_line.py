"""What a batch uses as lines of money and of carbon: each a coefficient times factors to whole powers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, SeedtrainError, collect
from seedtrain.development._factor_table import Factor, FactorTable, Item
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
    `share`: size over the largest that is made, 0 where there is no such limit; above 1, several are bought.
    """

    use: Use
    category: str
    coefficient: float
    powers: Powers
    exponent: float = 1.0
    share: float = 0.0

    def grown(self, times: Any, *, smooth: bool = False) -> Any:
        """What the coefficient is multiplied by where the use's amount is `times` as large, a number or an array.

        - `smooth`: machines count in part, so that nothing jumps.
        """
        found = times**self.exponent
        if not self.share:
            return found
        ratio = machines_for(self.share * times, smooth=smooth) / machines_for(self.share)
        return found * ratio ** (1.0 - self.exponent)

    def at(self, values: Values) -> Any:
        """The line's value per batch at `values`, a number or shape "draws"."""
        return self.coefficient * product_of(self.powers, values)


def machines_for(share: Any, *, smooth: bool = False) -> Any:
    """How many machines a size takes that is `share` of the largest; numbers, arrays and complex numbers alike."""
    needed = np.real(share)
    if smooth:
        return np.where(needed >= 1.0, share, 1.0)
    return np.maximum(1.0, np.ceil(needed - 1e-9))


def product_of(powers: Powers, values: Mapping[str, Any]) -> Any:
    """The factors of a line multiplied, a number or shape "draws"."""
    found: Any = 1.0
    for name, power in powers:
        found = found * values[name] if power == 1 else found / values[name] ** -float(power)
    return found


def lines_of(
    uses: Sequence[Use], table: FactorTable, *, smooth: bool = False
) -> tuple[list[Line], list[Line], dict[str, str]]:
    """The lines of the cost and of the footprint, and the items without emission factor with their reasons.

    - `smooth`: machines beyond the largest that is made count in part.
    """
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
            cost.append(_line_of(use, item, item.price, smooth))
            if item.carbon is not None:
                footprint.append(_line_of(use, item, item.carbon, smooth))
            else:
                excluded[item.name] = item.carbon_excluded
        except SeedtrainError as error:
            unknown.add(use.item)
            errors.append(error)
    collect(errors)
    return cost, footprint, excluded


def _line_of(use: Use, item: Item, factor: Factor | None, smooth: bool) -> Line:
    assert factor is not None, "the table holds no item without a price"
    if use.amount < 0:
        raise InputError(
            f"{use.where}: {use.amount:g} {use.unit} of {use.item} is negative", remedy="Check the recipe."
        )
    share = 0.0
    if item.reference is not None:
        size = in_unit(use, item.reference_unit)
        amount = (size / item.reference) ** item.exponent
        if item.largest is not None:
            share = size / item.largest
            amount *= float(machines_for(share, smooth=smooth)) ** (1.0 - item.exponent)
    else:
        amount = in_unit(use, factor.per)
    amount *= use.pieces
    life = ((f"{item.name}.life", -1),) if item.life is not None else ()
    powers = ((factor.name, 1), *life, *use.times, _RELEASED)
    return Line(use, use.category or item.category, amount, powers, item.exponent if item.reference else 1.0, share)


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
