"""Cost and carbon per kilogram from the inventory of one batch and the table of factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.development._draws import central, draw, whole
from seedtrain.development._factor_table import CATEGORIES, Factor, FactorTable
from seedtrain.development._factors import read_factors
from seedtrain.development._inventory import Batch
from seedtrain.development._inventory import inventory as inventory_of
from seedtrain.development._line import Line, Powers, lines_of, product_of
from seedtrain.development._schedule import Schedule, drawn_batches, schedule
from seedtrain.development._use import BATCHES, Inventory
from seedtrain.development._variance import first_order
from seedtrain.quantity import Uncertain

Floats = NDArray[np.float64]
Kind = Literal["price", "carbon"]

MOST_DRAWS: Final = 2_000_000
_SCHEDULE: Final = ("operating_days", "vessel_turnaround", "suite_turnaround")


@dataclass(frozen=True)
class Contribution:
    """One line of a cost or a footprint: `value` per kg of product with its 5-95 % interval, `share` of the total."""

    category: str
    item: str
    where: str
    amount: float
    unit: str
    value: Uncertain
    share: float


@dataclass(frozen=True)
class Driver:
    """What the total becomes when one factor alone goes to its low and its high end, in the total's unit."""

    factor: Factor
    at_low: float
    at_high: float

    @property
    def swing(self) -> float:
        """The width of the bar in the tornado."""
        return abs(self.at_high - self.at_low)


@dataclass(frozen=True)
class Breakdown:
    """A cost (USD/kg) or a footprint (kg CO2e/kg) with its parts.

    - `total`: at the central values, with the 5-95 % interval of the draws; `mean` of the draws.
    - `parts` by category and `places` by unit procedure add up to the total; `contributions` are the single lines,
      largest first; `drivers` the tornado, widest first.
    - `variance`: the part of the draws' variance that each factor explains alone (first-order Sobol index), largest
      first; what they leave of 1 is interplay. Empty for few draws.
    """

    total: Uncertain
    mean: float
    parts: Mapping[str, Uncertain]
    places: Mapping[str, float]
    contributions: tuple[Contribution, ...]
    drivers: tuple[Driver, ...]
    variance: Mapping[str, float]

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "total": self.total.to_data(),
            "mean": self.mean,
            "parts": {name: part.to_data() for name, part in self.parts.items()},
            "places": dict(self.places),
            "variance": dict(self.variance),
            "contributions": [
                {
                    "category": line.category,
                    "item": line.item,
                    "where": line.where,
                    "amount": line.amount,
                    "unit": line.unit,
                    "value": line.value.to_data(),
                    "share": line.share,
                }
                for line in self.contributions
            ],
            "drivers": [
                {"factor": bar.factor.to_data(), "at_low": bar.at_low, "at_high": bar.at_high} for bar in self.drivers
            ],
        }


@dataclass(frozen=True)
class Economics:
    """Cost and carbon of one kilogram of released product, and what stands behind them.

    - `product_per_batch` g, `product_per_year` kg of released product; `capital` installed, USD.
    - `biogenic_co2`: kg per kg from plant sugar, not part of `carbon`.
    - `excluded`: items without an emission factor, with the reason; `assumed_share` of the cost and of the carbon
      that rests on factors without a published source.
    """

    cost: Breakdown
    carbon: Breakdown
    schedule: Schedule
    inventory: Inventory
    product_per_batch: float
    product_per_year: float
    capital: float
    biogenic_co2: float
    excluded: Mapping[str, str]
    assumed_share: Mapping[str, float]
    table: str
    draws: int
    seed: int

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data: amounts, money, carbon, schedule and the factors with their sources."""
        return {
            "cost": self.cost.to_data(),
            "carbon": self.carbon.to_data(),
            "schedule": self.schedule.to_data(),
            "inventory": self.inventory.to_data(),
            "product_per_batch_g": self.product_per_batch,
            "product_per_year_kg": self.product_per_year,
            "capital_usd": self.capital,
            "biogenic_co2": self.biogenic_co2,
            "excluded": dict(self.excluded),
            "assumed_share": dict(self.assumed_share),
            "table": self.table,
            "draws": self.draws,
            "seed": self.seed,
        }


def appraise(inventory: Inventory, table: FactorTable, *, draws: int = 4000, seed: int = 0) -> Economics:
    """Cost and carbon per kg of released product, each with 5-95 % intervals from `draws` of every factor.

    Raises `InputError`s that name every item without a price or emission factor and every amount whose unit does not
    fit; `InputError` where the batch has no product.
    """
    if not inventory.product > 0:
        raise InputError(
            f"the batch ends with {inventory.product:g} g of product, so nothing per kilogram can be given",
            remedy="Look at the mass-yield table for the step that loses it.",
        )
    plan = _plan(inventory, table)
    cost_lines, footprint_lines, excluded = lines_of(inventory.uses, table)
    names = {name for line in (*cost_lines, *footprint_lines) for name, _ in line.powers} - {BATCHES}
    factors = {name: table.factor(name) for name in sorted(names | set(_SCHEDULE))}
    values = _with_batches({name: central(factor) for name, factor in factors.items()}, inventory)
    assert values[BATCHES] == plan.batches_per_year
    sample = _sample(factors, inventory, draws, seed)
    build = _Build(inventory, factors, values, sample)
    cost, carbon = build.breakdown(cost_lines, f"{table.currency}/kg"), build.breakdown(footprint_lines, "kg CO2e/kg")
    capital = sum(float(line.at(values)) for line in cost_lines if "annual_charge" in dict(line.powers))
    success = values["batch_success"]
    return Economics(
        cost=cost,
        carbon=carbon,
        schedule=plan,
        inventory=inventory,
        product_per_batch=inventory.product,
        product_per_year=inventory.product / 1000 * plan.batches_per_year * success,
        capital=capital * plan.batches_per_year / values.get("annual_charge", 1.0) * success,
        biogenic_co2=inventory.biogenic_co2 / (inventory.product / 1000) / success,
        excluded=excluded,
        assumed_share={
            "cost": _assumed(cost_lines, factors, values, "price"),
            "carbon": _assumed(footprint_lines, factors, values, "carbon"),
        },
        table=table.name,
        draws=draws,
        seed=seed,
    )


def cost_and_carbon(batch: Batch, factors: FactorTable | None = None, *, draws: int = 4000, seed: int = 0) -> Economics:
    """`appraise` on the inventory of `batch`, with the shipped factors where none are given."""
    return appraise(inventory_of(batch), factors or read_factors(), draws=draws, seed=seed)


def central_figures(batch: Batch, factors: FactorTable, *, whole_batches: bool = True) -> tuple[float, float, float]:
    """Cost (money/kg), carbon (kg CO2e/kg) and released product (kg/year) at the central values, without any draws.

    The same figures as `cost_and_carbon(...)` has in `cost.total.value`, `carbon.total.value` and `product_per_year`.

    - `whole_batches`: a year counts finished batches, and a machine is there or not. For differences of neighbouring
      figures the last of either has to count in part, or a lever that tips the year over by a batch, or a train into
      another machine, looks many times as strong as it is.
    """
    inventory = inventory_of(batch, whole=whole_batches)
    if not inventory.product > 0:
        raise InputError("the batch ends without product", remedy="Look at the mass-yield table.")
    cost, footprint, _ = lines_of(inventory.uses, factors, smooth=not whole_batches)
    names = {name for line in (*cost, *footprint) for name, _ in line.powers} - {BATCHES}
    middle = {name: central(factors.factor(name)) for name in {*names, *_SCHEDULE}}
    values = _with_batches(middle, inventory, whole_batches)
    kilograms = inventory.product / 1000
    return (
        sum(float(line.at(values)) for line in cost) / kilograms,
        sum(float(line.at(values)) for line in footprint) / kilograms,
        kilograms * values[BATCHES] * values["batch_success"],
    )


def _plan(inventory: Inventory, table: FactorTable) -> Schedule:
    days, vessel, suite = (table.factor(name).value for name in _SCHEDULE)
    return schedule(inventory.occupancies, inventory.lead_time, 24.0 * days, vessel, suite)


def _with_batches(values: dict[str, float], inventory: Inventory, whole_batches: bool = True) -> dict[str, float]:
    """`values` with the batches of a year that follow from them."""
    drawn = _drawn({name: np.array([value]) for name, value in values.items()}, inventory, whole_batches)
    return {**values, BATCHES: float(drawn[0])}


def _drawn(values: Mapping[str, Floats], inventory: Inventory, whole_batches: bool = True) -> Floats:
    days, vessel, suite = (values[name] for name in _SCHEDULE)
    turnarounds = {"vessel_turnaround": vessel, "suite_turnaround": suite}
    return drawn_batches(inventory.occupancies, inventory.lead_time, 24.0 * days, turnarounds, whole=whole_batches)


def _sample(factors: Mapping[str, Factor], inventory: Inventory, draws: int, seed: int) -> dict[str, Floats]:
    if draws < 2:
        raise InputError(f"{draws} draws give no interval", remedy="Ask for 1000 draws or more.")
    if draws > MOST_DRAWS:
        raise InputError(f"{draws} draws", remedy=f"Ask for {MOST_DRAWS} at most: an interval tells no more by then.")
    if seed < 0:
        raise InputError(f"the seed is {seed}", remedy="Give 0 or more.")
    sample = {name: draw(factor, draws, seed) for name, factor in factors.items()}
    return {**sample, BATCHES: _drawn(sample, inventory)}


class _Build:
    """Lines to a breakdown, all per kg of product."""

    def __init__(
        self,
        inventory: Inventory,
        factors: Mapping[str, Factor],
        values: Mapping[str, float],
        sample: Mapping[str, Floats],
    ) -> None:
        self.inventory = inventory
        self.factors = factors
        self.values = dict(values)
        self.sample = sample
        self.product = inventory.product / 1000.0

    def breakdown(self, lines: list[Line], unit: str) -> Breakdown:
        """The lines, their sums by category and place, and the tornado."""
        size = next(iter(self.sample.values())).size
        by_category = {name: np.zeros(size) for name in CATEGORIES if any(line.category == name for line in lines)}
        central_parts = dict.fromkeys(by_category, 0.0)
        places: dict[str, float] = {}
        products = {line.powers: product_of(line.powers, self.sample) for line in lines}
        # Lines of the same factors have the same spread: their ends scale with the coefficient.
        ends = {powers: _ends(drawn) for powers, drawn in products.items()}
        weights: dict[tuple[str, Powers], float] = {}
        rows: list[tuple[Line, float, tuple[float, float]]] = []
        for line in lines:
            share = line.coefficient / self.product
            value = float(line.at(self.values)) / self.product
            low, high = ends[line.powers]
            rows.append((line, value, (low * share, high * share)))
            key = (line.category, line.powers)
            weights[key] = weights.get(key, 0.0) + share
            central_parts[line.category] += value
            place = line.use.where.partition("/")[0]
            places[place] = places.get(place, 0.0) + value
        for (category, powers), weight in weights.items():
            by_category[category] += weight * products[powers]
        total, all_drawn = sum(central_parts.values()), sum(by_category.values(), np.zeros(size))
        found = [
            Contribution(
                line.category,
                line.use.item,
                line.use.where,
                line.coefficient,
                line.use.unit,
                _interval(value, between, unit, self._status(line)),
                value / total if total else 0.0,
            )
            for line, value, between in rows
        ]
        return Breakdown(
            total=_interval(total, _ends(all_drawn), unit, "derived"),
            mean=float(np.mean(all_drawn)),
            parts={
                name: _interval(central_parts[name], _ends(by_category[name]), unit, "derived") for name in by_category
            },
            places=places,
            contributions=tuple(sorted(found, key=lambda line: -line.value.value)),
            drivers=self._tornado(lines),
            variance=self._variance(lines, all_drawn),
        )

    def _status(self, line: Line) -> str:
        statuses = {self.factors[name].status for name, _ in line.powers if name in self.factors}
        return "assumed" if "assumed" in statuses else "derived"

    def _variance(self, lines: list[Line], drawn: Floats) -> dict[str, float]:
        """The shares of the factors on which the lines depend, schedule included."""
        used = {name for line in lines for name, _ in line.powers}
        if BATCHES in used:
            used |= set(_SCHEDULE)
        return first_order({name: self.sample[name] for name in sorted(used - {BATCHES})}, drawn)

    def _tornado(self, lines: list[Line]) -> tuple[Driver, ...]:
        used = {name for line in lines for name, _ in line.powers}
        if BATCHES in used:
            used |= set(_SCHEDULE)
        weights: dict[Powers, float] = {}
        for line in lines:
            weights[line.powers] = weights.get(line.powers, 0.0) + line.coefficient / self.product
        bars = []
        for name in sorted(used - {BATCHES}):
            factor = self.factors[name]
            ends = (self._total(weights, name, factor.low), self._total(weights, name, factor.high))
            bars.append(Driver(factor, *ends))
        return tuple(sorted(bars, key=lambda bar: -bar.swing))

    def _total(self, weights: Mapping[Powers, float], name: str, value: float) -> float:
        moved = {**self.values, name: float(round(value)) if whole(self.factors[name]) else value}
        if name in _SCHEDULE:
            moved = _with_batches({key: moved[key] for key in self.factors}, self.inventory)
        return sum(weight * float(product_of(powers, moved)) for powers, weight in weights.items())


def _ends(drawn: Any) -> tuple[float, float]:
    """The 5 and 95 % points of the draws, or the one value of what is not drawn."""
    low, high = np.percentile(drawn, (5.0, 95.0))
    return float(low), float(high)


def _interval(value: float, ends: tuple[float, float], unit: str, status: str) -> Uncertain:
    source = "factor table, 5 to 95 % of the draws"
    return Uncertain(value, min(ends[0], value), max(ends[1], value), unit, status=status, source=source)


def _assumed(lines: list[Line], factors: Mapping[str, Factor], values: Mapping[str, float], kind: Kind) -> float:
    """The part of the total whose price or emission factor is assumed."""

    def rests(line: Line) -> bool:
        return any(factors[name].status == "assumed" for name, _ in line.powers if name.endswith(f".{kind}"))

    total = sum(float(line.at(values)) for line in lines)
    return sum(float(line.at(values)) for line in lines if rests(line)) / total if total else 0.0
