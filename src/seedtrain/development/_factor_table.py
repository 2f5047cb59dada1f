"""Prices and emission factors: one number with its range and source, one item, and the table of all of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

from seedtrain.base import InputError, Position

Category = Literal["raw_materials", "consumables", "utilities", "labour", "quality_control", "facility", "waste"]
CATEGORIES: Final[tuple[str, ...]] = get_args(Category)
"""The parts of a cost or a footprint, in the order in which they are printed."""

Spread = Literal["lognormal", "triangular", "fixed"]


@dataclass(frozen=True)
class Factor:
    """One number of the table: `value` within `low` .. `high` in `unit`, and where it comes from.

    - `spread`: `lognormal` (value is the median, low and high are the 5 % and 95 % points, each side with its own
      width), `triangular` (lowest, most likely, highest) or `fixed`.
    - `status`: sourced, fitted, derived or assumed; `verified`: somebody compared it with its source.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    spread: Spread
    boundary: str
    geography: str
    year: str
    source: str
    licence: str
    status: str
    verified: bool
    position: Position

    @property
    def per(self) -> str:
        """What a price or an emission factor is counted per: `kg` of `USD/kg`, nothing for a piece."""
        return self.unit.partition("/")[2]

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data, without the place in the file."""
        return {key: getattr(self, key) for key in _DATA_KEYS}


@dataclass(frozen=True)
class Item:
    """Something that a batch uses: its price, its carbon, and how many uses it lasts (`life`, uses).

    `reference` (with its unit) and `exponent` belong to equipment, whose price grows as (size / reference)^exponent up
    to the `largest` that is made, in the same unit; beyond that there are several.
    `carbon_excluded` says why an item has no emission factor; an item has one or the other, never neither.
    """

    name: str
    what: str
    category: str
    price: Factor | None
    carbon: Factor | None
    carbon_excluded: str
    life: Factor | None
    reference: float | None
    reference_unit: str
    exponent: float
    largest: float | None = None


@dataclass(frozen=True)
class FactorTable:
    """All items and parameters with the currency and the warming potentials that they share."""

    name: str
    currency: str
    gwp: str
    items: Mapping[str, Item] = field(repr=False)
    parameters: Mapping[str, Factor] = field(repr=False)

    def item(self, name: str) -> Item:
        """The item `name`; an unknown one is an `InputError` that says what to write into a factors file."""
        if name not in self.items:
            near = difflib.get_close_matches(name, self.items, n=1)
            meant = f"Write {near[0]} if that is meant; or give" if near else "Give"
            raise InputError(
                f"the factor table {self.name!r} has no price and no emission factor for {name!r}",
                remedy=f"{meant} a factors file with 'items: {{{name}: {{category: ..., price: {{...}}, "
                "carbon: {...}}}' (docs/reference/factors.md shows the form).",
            )
        return self.items[name]

    def factor(self, name: str) -> Factor:
        """A parameter (`operating_days`) or one number of an item (`glucose.price`)."""
        if name in self.parameters:
            return self.parameters[name]
        item_name, _, kind = name.rpartition(".")
        found: Factor | None = getattr(self.item(item_name), kind) if kind in ("price", "carbon", "life") else None
        if found is None:
            raise InputError(f"the factor table {self.name!r} has no {name!r}", remedy="Add it to a factors file.")
        return found

    def with_value(self, name: str, value: float) -> FactorTable:
        """The table with one factor moved to `value`, its range moved in proportion."""
        old = self.factor(name)
        ratio = value / old.value
        new = replace(old, value=value, low=old.low * ratio, high=old.high * ratio)
        if name in self.parameters:
            return replace(self, parameters={**self.parameters, name: new})
        item_name, _, kind = name.rpartition(".")
        changed: Any = {kind: new}
        item = replace(self.items[item_name], **changed)
        return replace(self, items={**self.items, item_name: item})


_DATA_KEYS: Final = tuple(key for key in Factor.__dataclass_fields__ if key != "position")
