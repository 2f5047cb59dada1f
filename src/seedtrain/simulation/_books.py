"""The books of a flight: what came, left and stayed, as balances and totals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.simulation._culture import Culture
from seedtrain.simulation._elements import CO2_MASS, NH3_MASS, O2_MASS, Composition
from seedtrain.simulation._equations import GASES, LIQUID
from seedtrain.simulation._flight import Flight
from seedtrain.simulation._plan import Liquid, base_liquid
from seedtrain.simulation._run import Balance, Variable
from seedtrain.simulation._transfer import DRIVE_EFFICIENCY, HEAT_OF_RESPIRATION

JOULES_PER_KWH: Final = 3.6e6


class Flows:
    """What was poured, fed and added, L, from the pumps' own laws and not from the state."""

    def __init__(self) -> None:
        self.liquids: list[tuple[Liquid, float]] = []
        self.fed = 0.0
        self.base: Liquid | None = None
        self.base_volume = 0.0
        self.air = 0.0  # normal m3
        self.pure_oxygen = 0.0  # normal m3

    def amount(self, pick: Callable[[Liquid], float]) -> float:
        """The sum of something over all liquids."""
        return float(sum(pick(item) * volume for item, volume in self.liquids))


def flows_of(flight: Flight) -> Flows:
    """What came in during `flight`."""
    flows, setup = Flows(), flight.setup
    for number, segment in enumerate(setup.plan.segments):
        span = float(flight.ends[number] - flight.begins[number])
        if segment.addition is not None:
            flows.liquids.append(segment.addition)
        if segment.feed is not None:
            stream, rate, growth = segment.feed
            rate += segment.dilution * float(flight.starts[number, setup.index("v")]) * setup.plan.volume
            fed = rate * (math.expm1(growth * span) / growth if growth else span)
            flows.liquids.append((stream, fed))
            flows.fed += fed
    flows.air, flows.pure_oxygen = _gases(flight)
    flows.base = base_liquid(setup.culture, setup.recipe)
    flows.base_volume = float(flight.finals[-1, setup.index("x_B")]) * setup.plan.volume
    if flows.base is not None:
        flows.liquids.append((flows.base, flows.base_volume))
    return flows


def _gases(flight: Flight) -> tuple[float, float]:
    """Air and pure oxygen that came in, normal m3."""
    if flight.setup.layout.cascade:
        both, pure = (_Books(flight).passed(name) / 1000 for name in GASES)
        return both - pure, pure
    gas = [symbol for symbol, _ in flight.setup.system.held].index("gas")
    spans = zip(flight.held(), (flight.ends - flight.begins).tolist(), strict=True)
    return sum(held[gas] * span * 60 / 1000 for held, span in spans), 0.0


@dataclass(frozen=True)
class _Books:
    """What a flight's whole vessel held and gave away, in g, mmol and L."""

    flight: Flight

    def change(self, name: str) -> float:
        """The change of what the vessel holds of a species or a part of the liquid."""
        setup = self.flight.setup
        ends = np.stack([self.flight.starts[0], self.flight.finals[-1]])
        first, last = setup.amounts(ends, name)
        return float(last - first) * setup.plan.volume

    def start(self, name: str) -> float:
        """What the vessel holds of it at the start."""
        setup = self.flight.setup
        return float(setup.amounts(self.flight.starts[0], name)) * setup.plan.volume

    def passed(self, name: str) -> float:
        """What went through a boundary, by the name of its state."""
        at = self.flight.setup.index(name)
        return float(self.flight.finals[-1, at] - self.flight.starts[0, at]) * self.flight.setup.plan.volume

    def left(self, name: str) -> float:
        """What harvest and bleed took of a species or a part of the liquid; `V` for the volume."""
        if not self.flight.setup.layout.outflow:
            return 0.0
        return self.passed(f"l_{name[2:] if name != 'V' else 'V'}")


def balances(flight: Flight, flows: Flows) -> tuple[Balance, ...]:
    """Closure of what came and left (pump laws, integrated gas fluxes) against the change of the state."""
    books = _Books(flight)
    liquid, drawn = ({name: pick(name) for name in LIQUID} for pick in (books.change, books.left))
    at, plan = flight.setup.index("v"), flight.setup.plan
    volume = sum(amount for _, amount in flows.liquids)
    grown = float(flight.finals[-1, at] - flight.starts[0, at]) * plan.volume
    used = (books.passed("x_U") + drawn["n_O"]) / 1000
    inducer = flows.amount(lambda item: item.inducer)
    found = [
        Balance("volume", "L", volume, books.passed("x_E") / 1000 + books.left("V"), grown, plan.volume),
        Balance("inducer", "mmol", inducer, drawn["n_I"], liquid["n_I"], books.start("n_I")),
        Balance("oxygen", "mol", books.passed("x_O") / 1000, used, liquid["n_O"] / 1000, books.start("n_O") / 1000),
    ]
    if flight.setup.culture.conversions:
        found += _closed(flight, flows, books)
    product = flight.setup.culture.symbol("product")
    if product:
        came = _came(flows, product) + books.passed("x_P")
        name = f"m_{product}"
        found.append(Balance("product", "g", came, books.left(name), books.change(name), books.start(name)))
    return tuple(found)


def _came(flows: Flows, name: str) -> float:
    return flows.amount(lambda item: item.species.get(name, 0.0))


def _closed(flight: Flight, flows: Flows, books: _Books) -> list[Balance]:
    """Balances that a culture of closed conversions keeps."""
    culture = flight.setup.culture
    came = {name: _came(flows, name) for name in culture.species}
    sides = []  # what left, what stayed, what was there
    for pick in (books.left, books.change, books.start):
        sides.append(_Side(culture, {n: pick(f"m_{n}") for n in culture.species}, {n: pick(n) for n in LIQUID}))
    left, held, start = sides
    oxygen, carbon = books.passed("x_O") / 1000, books.passed("x_C") / 1000
    ammonia = flows.amount(lambda item: item.ammonia) / 1000
    mass = flows.amount(lambda item: item.mass(culture.masses)) + oxygen * O2_MASS
    gone = carbon * CO2_MASS + books.passed("x_E") + left.mass
    book = _Elements(culture.compositions)
    fed = book.atoms(came, "N") + ammonia
    electrons = 4 * oxygen + left.electrons
    return [
        Balance("carbon", "mol", book.atoms(came, "C"), carbon + left.carbon, held.carbon, start.carbon),
        Balance("nitrogen", "mol", fed, left.nitrogen, held.nitrogen, start.nitrogen),
        Balance("mass", "g", mass, gone, held.mass, start.mass),
        Balance("electrons", "mol", book.electrons(came), electrons, held.electrons, start.electrons),
    ]


@dataclass(frozen=True)
class _Side:
    """An amount of every species and of every part of the liquid, and what it holds: mol, and g of `mass`."""

    culture: Culture
    species: dict[str, float]
    liquid: dict[str, float]

    @property
    def carbon(self) -> float:
        return _Elements(self.culture.compositions).atoms(self.species, "C") + self.liquid["n_C"] / 1000

    @property
    def nitrogen(self) -> float:
        return _Elements(self.culture.compositions).atoms(self.species, "N") + self.liquid["n_N"] / 1000

    @property
    def electrons(self) -> float:
        return _Elements(self.culture.compositions).electrons(self.species) - 4 * self.liquid["n_O"] / 1000

    @property
    def mass(self) -> float:
        found = sum(self.culture.masses[name] * amount for name, amount in self.species.items())
        gases = self.liquid["n_N"] * NH3_MASS + self.liquid["n_O"] * O2_MASS + self.liquid["n_C"] * CO2_MASS
        return found + self.liquid["m_W"] + self.liquid["m_Z"] + gases / 1000


@dataclass(frozen=True)
class _Elements:
    """Sums over species."""

    compositions: dict[str, Composition]

    def atoms(self, amounts: dict[str, float], element: str) -> float:
        return sum(amount * self.compositions[name].elements[element] for name, amount in amounts.items())

    def electrons(self, amounts: dict[str, float]) -> float:
        return sum(amount * self.compositions[name].reduction for name, amount in amounts.items())


def totals(flight: Flight, flows: Flows, variables: dict[str, Variable]) -> dict[str, tuple[float, str]]:
    """Amounts over the whole run by name."""
    culture, plan, books = flight.setup.culture, flight.setup.plan, _Books(flight)
    glucose, product = culture.symbol("glucose"), culture.symbol("product")
    charged = sum(item.species.get(glucose or "", 0.0) * amount for item, amount in plan.medium)
    antifoam = sum(item.antifoam * amount for item, amount in [*plan.medium, *flows.liquids])
    iptg = sum(item.iptg * amount for item, amount in [*plan.medium, *flows.liquids])
    volume = float(variables["V"].values[-1])
    fed = flows.amount(lambda item: item.species.get(glucose or "", 0.0))
    found: dict[str, tuple[float, str]] = {
        "duration": (float(flight.ends[-1]), "h"),
        "preparation": (sum(duration for _, duration in plan.before), "h"),
        "medium": (sum(amount for _, amount in plan.medium), "L"),
        "inoculum": (plan.inoculum, "L"),
        "harvest": (volume, "L"),
        "glucose_charged": (charged, "g"),
        "glucose_fed": (fed, "g"),
        "feed": (flows.fed, "L"),
        "base": (flows.base_volume, "L"),
        "ammonia": (flows.base_volume * (flows.base.ammonia if flows.base else 0.0) * NH3_MASS / 1000, "g"),
        "iptg": (iptg, "g"),
        "antifoam": (antifoam, "g"),
        "air": (flows.air, "m3"),  # at 0 degC and 1 atm
        **({"pure_oxygen": (flows.pure_oxygen, "m3")} if flight.setup.layout.oxygen_follows else {}),
        "oxygen": (books.passed("x_O") / 1000, "mol"),
        "carbon_dioxide": (books.passed("x_C") / 1000, "mol"),
        "evaporated": (books.passed("x_E"), "g"),
        "stirrer_energy": (books.passed("x_S") / JOULES_PER_KWH / DRIVE_EFFICIENCY, "kWh"),
        "metabolic_heat": (books.passed("x_U") / 1000 * HEAT_OF_RESPIRATION / 3600, "kWh"),
        "cooling": (books.passed("x_Q") / JOULES_PER_KWH, "kWh"),
    }
    if flight.setup.layout.outflow:
        found["drawn"] = (books.left("V"), "L")  # harvest and bleed on the way
    if product:
        unit = culture.species[product].unit
        titre = float(variables[product].values[-1])
        found |= {"titre": (titre, unit), "product": (titre * volume, unit.removesuffix("/L"))}
        if flight.setup.layout.outflow:
            found["product_drawn"] = (books.left(f"m_{product}"), unit.removesuffix("/L"))
        eaten = charged + fed
        found["yield_on_glucose"] = (titre * volume / eaten if eaten else 0.0, "g/g")
    return found
