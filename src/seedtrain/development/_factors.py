"""Prices and emission factors as data: read, completed by defaults, overridden by the user's own file, checked."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seedtrain.base import Document, InputError, SeedtrainError, collect, load
from seedtrain.development._factor_table import CATEGORIES, Category, Factor, FactorTable, Item, Spread
from seedtrain.development._price_index import restated
from seedtrain.quantity import QuantityError, parse, same_dimension

_MONEY: Final = re.compile(r"\b[A-Z]{3}(?:_\d{4})?\b")
_SHIPPED: Final = Path(__file__).with_name("factors.yaml")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Defaults(_Strict):
    boundary: str | None = None
    geography: str | None = None
    year: str | None = None
    source: str | None = None
    licence: str | None = None
    status: Literal["sourced", "fitted", "derived", "assumed"] | None = None
    verified: bool | None = None


class _Number(_Defaults):
    value: float = Field(allow_inf_nan=False)
    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    unit: str = ""
    spread: Spread = "lognormal"

    @model_validator(mode="after")
    def _ordered(self) -> _Number:
        if min(self.value, self.low, self.high) < 0:
            raise ValueError(
                f"{min(self.value, self.low, self.high)} is negative | Prices and factors are zero or more; "
                "write a credit as its own line of your accounts."
            )
        if not self.low <= self.value <= self.high:
            raise ValueError(
                f"{self.value} lies outside {self.low} .. {self.high} | Give a range that holds the value."
            )
        if self.spread == "lognormal" and self.low <= 0:
            raise ValueError(
                "a lognormal range starts above 0 | Write 'spread: triangular', or 'fixed' for a true zero."
            )
        if self.spread == "fixed" and not self.low == self.value == self.high:
            raise ValueError("a fixed number has no range | Write the same value three times, or another spread.")
        return self


class _Parameter(_Number):
    what: str = ""


class _ItemEntry(_Strict):
    what: str = ""
    category: Category | None = None
    price: _Number | None = None
    carbon: _Number | None = None
    carbon_excluded: str = ""
    life: _Number | None = None
    reference: str = ""
    largest: str = ""
    exponent: float = Field(default=1.0, gt=0, le=1.5)
    price_year: int | None = None


class _Source(_Strict):
    text: str
    licence: str


class _File(_Strict):
    factors: str
    version: str = "1"
    currency: str
    gwp: str
    sources: dict[str, _Source] = {}
    defaults: dict[Literal["price", "carbon", "life", "parameter"], _Defaults] = {}
    items: dict[str, _ItemEntry] = {}
    parameters: dict[str, _Parameter] = {}


FactorsFile = _File  # which a case extends


def factors_in(file: _File, document: Document, below: FactorTable) -> FactorTable:
    """The entries of a file that is already read, over the table `below`; errors as `read_factors`."""
    return _table(file, document, below)


def read_factors(path: Path | None = None) -> FactorTable:
    """The shipped table, or with `path` the shipped table with the entries of the user's file in place of its own.

    Raises `InputError`s with their places: negative price, unordered range, unit of another dimension, a currency or
    a year of prices other than the table's, warming potentials of another report, an item without emission factor.
    """
    shipped = _table(*load(_SHIPPED, _File, what="factor table"), None)
    if path is None:
        return shipped
    return _table(*load(path, _File, what="factors file"), shipped)


def _table(file: _File, document: Document, below: FactorTable | None) -> FactorTable:
    errors: list[SeedtrainError] = []
    if below is not None:
        _same_basis(file, document, below, errors)
    reader = _Reader(file, document, errors)
    items = dict(below.items) if below else {}
    for name, entry in file.items.items():
        reader.item(name, entry, items)
    parameters = dict(below.parameters) if below else {}
    for name, number in file.parameters.items():
        if below is not None and name not in below.parameters:
            known = ", ".join(below.parameters)
            errors.append(document.error(("parameters", name), "is unknown", remedy=f"Use one of: {known}."))
            continue
        factor = reader.factor(("parameters", name), name, number, "parameter")
        unit = below.parameters[name].unit if below else factor.unit
        if not _alike(factor.unit, unit):
            message = f"{factor.unit!r} is not {unit!r}"
            errors.append(document.error(("parameters", name), message, remedy=f"Add 'unit: {unit}'."))
        parameters[name] = factor
    collect(errors)
    return FactorTable(file.factors, file.currency, file.gwp, items, parameters)


def _same_basis(file: _File, document: Document, below: FactorTable, errors: list[SeedtrainError]) -> None:
    if file.currency != below.currency:
        errors.append(
            document.error(
                ("currency",),
                f"{file.currency} and the table's {below.currency} are not added up: mixed currency years",
                remedy=f"Restate your prices in {below.currency} and name the index in 'source'.",
            )
        )
    if file.gwp != below.gwp:
        errors.append(
            document.error(
                ("gwp",),
                f"{file.gwp!r} and the table's {below.gwp!r} are not added up",
                remedy=f"Restate your emission factors on {below.gwp}.",
            )
        )


class _Reader:
    """Turns the entries of one file into factors, gathering what is wrong with them."""

    def __init__(self, file: _File, document: Document, errors: list[SeedtrainError]) -> None:
        self.file = file
        self.document = document
        self.errors = errors

    def item(self, name: str, entry: _ItemEntry, items: dict[str, Item]) -> None:
        """Put the item into `items`, over what stands there."""
        at = ("items", name)
        old = items.get(name)
        price = self._money(at, name, entry.price, entry.price_year) or (old.price if old else None)
        carbon = self._footprint(at, name, entry.carbon) or (old.carbon if old else None)
        excluded = entry.carbon_excluded or (old.carbon_excluded if old and carbon is None else "")
        category = entry.category or (old.category if old else "")
        if not category:
            words = ", ".join(CATEGORIES)
            self.errors.append(self.document.error(at, "has no category", remedy=f"Add 'category:', one of {words}."))
        if price is None:
            self.errors.append(self.document.error(at, "has no price", remedy="Add 'price: {value, low, high, unit}'."))
        if (carbon is None) == (not excluded):
            remedy = (
                "Give either 'carbon: {value, low, high, unit}' or 'carbon_excluded: why', so that no zero is silent."
            )
            self.errors.append(self.document.error(at, "has no emission factor, or has two minds", remedy=remedy))
        life = old.life if old else None
        if entry.life:
            life = self.factor((*at, "life"), f"{name}.life", entry.life, "life")
        reference, unit = (old.reference, old.reference_unit) if old else (None, "")
        if entry.reference:
            try:
                size = parse(entry.reference)
                reference, unit = size.value, size.unit
            except QuantityError as error:
                self.errors.append(self.document.error((*at, "reference"), error.message, remedy=error.remedy))
        largest = self._largest(at, entry, unit, old)
        exponent = entry.exponent if entry.reference or old is None else old.exponent
        what = entry.what or (old.what if old else name)
        items[name] = Item(name, what, category, price, carbon, excluded, life, reference, unit, exponent, largest)

    def _largest(self, at: tuple[str, ...], entry: _ItemEntry, unit: str, old: Item | None) -> float | None:
        """The largest size that is made, in the reference's unit; the table's own where the entry has none."""
        if not entry.largest:
            return old.largest if old and (not entry.reference or _alike(old.reference_unit, unit)) else None
        try:
            if not unit and not entry.reference:
                raise QuantityError("a largest size without a reference size", remedy="Give 'reference:' too.")
            size = parse(entry.largest, like=unit).magnitude(unit)
            if not size > 0:
                raise QuantityError(f"{entry.largest} is not above 0", remedy="Give the largest that is made.")
            return size
        except QuantityError as error:
            self.errors.append(self.document.error((*at, "largest"), error.message, remedy=error.remedy))
            return None

    def _money(self, at: tuple[str, ...], name: str, number: _Number | None, year: int | None) -> Factor | None:
        if number is None:
            return None
        place = (*at, "price")
        factor = self.factor(place, f"{name}.price", number, "price")
        if year is not None:
            factor = self._of_year(at, factor, year)
        money = number.unit.partition("/")[0]
        if _MONEY.fullmatch(money) and not _alike(money, self.file.currency):
            self.errors.append(
                self.document.error(
                    (*place, "unit"),
                    f"{money} in a table of {self.file.currency}: mixed currencies or years are not added up",
                    remedy=f"Restate the price in {self.file.currency} and name the index in 'source'.",
                )
            )
        else:
            self._dimension(place, factor, self.file.currency)
        return factor

    def _of_year(self, at: tuple[str, ...], factor: Factor, year: int) -> Factor:
        """A price of equipment of another year in the table's money, by the plant cost index."""
        try:
            found = restated(year, int(self.file.currency[-4:]))
        except InputError as error:
            self.errors.append(self.document.error((*at, "price_year"), error.message, remedy=error.remedy))
            return factor
        times = found.factor
        return replace(
            factor,
            value=factor.value * times,
            low=factor.low * times,
            high=factor.high * times,
            year=str(year),
            source="; ".join(filter(None, (factor.source, found.words))),
        )

    def _footprint(self, at: tuple[str, ...], name: str, number: _Number | None) -> Factor | None:
        if number is None:
            return None
        factor = self.factor((*at, "carbon"), f"{name}.carbon", number, "carbon")
        self._dimension((*at, "carbon"), factor, "kg CO2e")
        return factor

    def _dimension(self, place: tuple[str, ...], factor: Factor, above: str) -> None:
        wanted = f"{above}/{factor.per}" if factor.per else above
        if not _alike(factor.unit, wanted):
            self.errors.append(
                self.document.error(
                    (*place, "unit"),
                    f"{factor.unit!r} is not {above} or {above} per something",
                    remedy=f"Write '{above}/kg'.",
                )
            )

    def factor(self, place: tuple[str, ...], name: str, number: _Number, kind: Any) -> Factor:
        """The entry with what the file's defaults add to it."""
        default = self.file.defaults.get(kind, _Defaults())

        def given(key: str, otherwise: Any) -> Any:
            own = getattr(number, key)
            stated = (own, getattr(default, key), otherwise)
            return next((value for value in stated if value is not None), None)

        source = given("source", "")
        known = self.file.sources.get(source)
        status = given("status", "sourced" if source else "assumed")
        if status == "sourced" and not source:
            self.errors.append(self.document.error(place, "is 'sourced' without a source", remedy="Add 'source:'."))
        return Factor(
            name=name,
            value=number.value,
            low=number.low,
            high=number.high,
            unit=number.unit,
            spread=number.spread,
            boundary=given("boundary", ""),
            geography=given("geography", ""),
            year=given("year", ""),
            source=known.text if known else source,
            licence=known.licence if known else given("licence", ""),
            status=status,
            verified=bool(given("verified", False)),
            position=self.document.position((*place, "value")),
        )


def _alike(unit: str, wanted: str) -> bool:
    try:
        return same_dimension(unit, wanted)
    except QuantityError:
        return False
