"""A case that is a plant: its yearly flows and its capital, with the place of every fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seedtrain.base import Document, InputError, Location
from seedtrain.development._costing._case_entry import CaseFile
from seedtrain.development._costing._cash_flow import Finance, Venture, shares_of_years
from seedtrain.quantity import Quantity, QuantityError, convert


@dataclass(frozen=True)
class Flow:
    """What a plant buys (above 0) or sells (below 0) in a year: money a year."""

    name: str
    yearly: float
    source: str


@dataclass(frozen=True)
class PlantCase:
    """A plant by its yearly flows: `venture` in `currency`, `flows` bought and sold, `fixed` by name."""

    name: str
    currency: str
    venture: Venture
    finance: Finance
    flows: tuple[Flow, ...]
    fixed: dict[str, float]
    targets: dict[str, float]
    source: str


def targets_of(file: CaseFile, document: Document, currency: str) -> dict[str, float]:
    """The targets of a case in the units that its figures have."""
    units = {"cost": f"{currency}/kg", "carbon": "kg CO2e/kg", "amount": "kg/year"}
    return {
        name: _in(document, ("targets", name), value, units[name])
        for name in units
        if (value := getattr(file.targets, name)) is not None
    }


def _in(document: Document, place: Location, value: Quantity, unit: str) -> float:
    try:
        return value.magnitude(unit)
    except QuantityError as error:
        raise document.error(place, error.message, remedy=f"Give it in {unit}.") from None


def plant_case(file: CaseFile, document: Document, finance: Finance) -> PlantCase:
    """A plant by its yearly flows; raises `InputError` at the place of what does not fit."""
    entry, money = file.venture, file.currency
    assert entry is not None
    base: Location = ("venture",)
    flows = [
        _flow(document, (*base, kind, name), name, item, money, sign)
        for kind, items, sign in (("buys", entry.buys, 1.0), ("sells", entry.sells, -1.0))
        for name, item in items.items()
    ]
    fixed = {name: _in(document, (*base, "fixed", name), value, f"{money}/year") for name, value in entry.fixed.items()}
    again = [
        (year, _in(document, (*base, "replaced", at, "amount"), item.amount, money))
        for at, item in enumerate(entry.replaced)
        for year in range(item.every, finance.life, item.every)
    ]
    apart = tuple(
        (
            _in(document, (*base, "written_apart", at, "amount"), part.amount, money),
            _schedule(document, (*base, "written_apart", at, "depreciation"), part.depreciation, finance),
        )
        for at, part in enumerate(entry.written_apart)
    )
    depreciable = entry.depreciable
    try:
        venture = Venture(
            capital=_in(document, (*base, "capital"), entry.capital, money),
            fixed=sum(fixed.values()),
            variable=sum(flow.yearly for flow in flows),
            output=entry.output.magnitude("kg/year"),
            depreciable=None if depreciable is None else _in(document, (*base, "depreciable"), depreciable, money),
            written_apart=apart,
            replacements=tuple(again),
        )
    except InputError as error:
        raise error if error.position else document.error(base, error.message, remedy=error.remedy) from None
    targets = targets_of(file, document, money)
    return PlantCase(file.case, money, venture, finance, tuple(flows), fixed, targets, entry.source)


def _schedule(document: Document, place: Location, depreciation: str, finance: Finance) -> str:
    try:
        shares_of_years(depreciation, finance.life)
    except InputError as error:
        raise document.error(place, error.message, remedy=error.remedy) from None
    return depreciation


def _flow(document: Document, place: Location, name: str, item: Any, money: str, sign: float) -> Flow:
    amount, price = item.amount, item.price
    per = amount.unit.rpartition("/")[0]
    try:
        year = convert(1.0, amount.unit, f"{per}/year") if per else None
    except QuantityError:
        year = None
    if year is None:
        raise document.error(
            (*place, "amount"), f"{amount} is no amount a year", remedy="Write it as 913 kt/year or 43 kg/h."
        )
    value = _in(document, (*place, "price"), price, f"{money}/{per}")
    return Flow(name, sign * amount.value * year * value, item.source)
