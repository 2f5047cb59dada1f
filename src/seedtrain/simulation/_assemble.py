"""From the pieces of an integration to a `Run`: stored points, phases, events, balances, parameters, totals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seedtrain.recipe import MasterRecipe
from seedtrain.simulation._culture import Culture
from seedtrain.simulation._elements import CO2_MASS, NH3_MASS, O2_MASS, Composition
from seedtrain.simulation._kernel import OBSERVED, Kernel
from seedtrain.simulation._piece import Piece
from seedtrain.simulation._plan import Liquid, Plan, base_liquid
from seedtrain.simulation._run import Balance, Floats, ParameterUse, PhaseSpan, Run, RunEvent, Variable
from seedtrain.simulation._surroundings import Surroundings
from seedtrain.simulation._transfer import (
    DRIVE_EFFICIENCY,
    HEAT_OF_RESPIRATION,
    kLa_coalescing,
    kLa_non_coalescing,
    speed_of_power,
)
from seedtrain.simulation._vessel import ShakeFlask, StirredTank, Vessel

JOULES_PER_KWH: Final = 3.6e6
NEGATIVE: Final = -1e-7
"""g/L or mmol/L below which a stored concentration is a fault of the integration and no rounding."""


def assemble(
    culture: Culture,
    vessel: Vessel,
    recipe: MasterRecipe,
    unit_procedure: str,
    plan: Plan,
    kernel: Kernel,
    around: Surroundings,
    pieces: list[Piece],
    points: int,
) -> Run:
    """The run that `pieces` make; `points` stored times, evenly spread, beside both ends of every phase."""
    grid = _grid(pieces, points)
    rows = [_state(pieces, number, time) for number, time in grid]
    time = np.array([when for _, when in grid])
    states = np.array(rows)
    observed = np.array(
        [kernel.observe(when, row, pieces[number].numbers) for (number, when), row in zip(grid, rows, strict=True)]
    )
    table = _Table(tuple(pieces[number] for number, _ in grid), states, observed, kernel, plan.volume)
    variables = _variables(culture, vessel, table)
    flows = _flows(culture, recipe, plan, kernel, pieces)
    return Run(
        origin="simulated",
        recipe_digest=recipe.digest,
        culture=culture.name,
        vessel=vessel.name,
        unit_procedure=unit_procedure,
        time=time,
        variables=variables,
        phases=_spans(plan, pieces),
        events=_events(vessel, pieces, variables),
        balances=_balances(culture, kernel, plan, pieces, flows),
        parameters=_parameters(culture, around),
        totals=_totals(culture, vessel, kernel, plan, pieces, flows, variables),
    )


def _grid(pieces: list[Piece], points: int) -> list[tuple[int, float]]:
    """(piece, time) of every stored point: the ends of each piece, and an even grid inside."""
    end = pieces[-1].end
    even = np.linspace(0.0, end, max(points, 2))
    found: list[tuple[int, float]] = []
    for number, piece in enumerate(pieces):
        inner = even[(even > piece.start) & (even < piece.end)]
        found.append((number, piece.start))
        found += [(number, float(when)) for when in inner]
        if piece.end > piece.start:
            found.append((number, piece.end))
    return found


def _state(pieces: list[Piece], number: int, time: float) -> Floats:
    piece = pieces[number]
    if time <= piece.start:
        found = piece.initial
    elif time >= piece.end:
        found = piece.final
    else:
        starts = [before for before, _, _ in piece.steps]
        at = max(int(np.searchsorted(starts, time, side="right")) - 1, 0)
        found = np.asarray(piece.steps[at][2](time), dtype=float)
    return np.asarray(found, dtype=float)


@dataclass(frozen=True)
class _Table:
    """Every stored point: its piece, time, state and observations."""

    pieces: tuple[Piece, ...]  # of each point
    states: Floats
    observed: Floats
    kernel: Kernel
    volume: float  # at the start, L

    def state(self, name: str) -> Floats:
        """A state by name, shape "time"."""
        return np.asarray(self.states[:, self.kernel.index(name)], dtype=float)

    def content(self, name: str) -> Floats:
        """A state per volume; a hair below zero becomes zero, more is a fault of the integration."""
        values = self.state(name) / self.state("v")
        assert values.min() > NEGATIVE, f"{name} falls to {values.min()}"
        return np.asarray(np.maximum(values, 0.0), dtype=float)

    def seen(self, name: str) -> Floats:
        """An observation by name, shape "time"."""
        return np.asarray(self.observed[:, OBSERVED.index(name)], dtype=float)

    def fact(self, name: str) -> Floats:
        """A fact of each point's segment."""
        return np.array([getattr(piece.conditions.facts, name) for piece in self.pieces], dtype=float)


def _variables(culture: Culture, vessel: Vessel, table: _Table) -> dict[str, Variable]:
    rows = [*_contents(culture, table), *_rates(table), *_equipment(vessel, table)]
    return {name: Variable(name, unit, np.ascontiguousarray(values), words) for name, unit, values, words in rows}


_Row = tuple[str, str, Floats, str]


def _contents(culture: Culture, table: _Table) -> list[_Row]:
    rows: list[_Row] = [(name, "g/L", table.content(f"m_{name}"), item.words) for name, item in culture.species.items()]
    inside = [table.content(f"m_{name}") for name, item in culture.species.items() if item.intracellular]
    oxygen = table.content("n_O")
    return [
        *rows,
        ("DCW", "g/L", np.asarray(np.sum(inside, axis=0), dtype=float), "dry cell weight, product included"),
        ("DO", "mmol/L", oxygen, "dissolved oxygen"),
        (
            "DO_percent",
            "%",
            100 * oxygen / table.fact("saturation"),
            "dissolved oxygen, of air saturation",
        ),
        ("C_CO2", "mmol/L", table.seen("C_CO2"), "dissolved carbon dioxide"),
        ("NH", "mmol/L", table.content("n_N"), "ammonium and ammonia"),
        ("I", "mmol/L", table.content("n_I"), "inducer"),
        ("water", "g/L", table.content("m_W"), "water"),
        ("minerals", "g/L", table.content("m_Z"), "minerals and what is not eaten"),
        ("V", "L", table.state("v") * table.volume, "broth volume"),
    ]


def _rates(table: _Table) -> list[_Row]:
    OUR, CER = table.seen("OUR"), table.seen("CER")
    quotient = np.where(OUR > 1e-9, CER / np.maximum(OUR, 1e-9), 1.0)
    return [
        ("mu", "1/h", table.seen("mu"), "specific growth rate"),
        ("q_S", "g/g/h", table.seen("q_S"), "specific glucose uptake"),
        ("q_P", "g/g/h", table.seen("q_P"), "specific product formation"),
        ("q_O2", "mmol/g/h", table.seen("q_O2"), "specific oxygen uptake"),
        ("OUR", "mmol/L/h", OUR, "oxygen uptake rate"),
        ("OTR", "mmol/L/h", table.seen("OTR"), "oxygen transfer rate"),
        ("CER", "mmol/L/h", CER, "carbon dioxide evolution rate"),
        ("RQ", "mol/mol", np.asarray(quotient, dtype=float), "respiratory quotient"),
        ("F", "L/h", table.seen("F") * table.volume, "feed rate"),
        ("B", "L/h", table.seen("B") * table.volume, "base rate"),
    ]


def _equipment(vessel: Vessel, table: _Table) -> list[_Row]:
    volume, kilo = table.state("v") * table.volume, table.volume / 1000
    power = table.seen("power")
    return [
        ("kLa", "1/h", table.seen("kLa"), "oxygen transfer coefficient"),
        ("kLa_max", "1/h", table.seen("kLa_high"), "oxygen transfer coefficient at the highest speed"),
        ("N", "1/min", _speeds(vessel, table, power * table.volume, volume), "stirrer speed"),
        ("P_V", "W/m3", power / table.state("v") * 1000, "stirrer power per volume, with gas"),
        ("gas", "L/min", table.fact("gas"), "air, at 0 degC and 1 atm"),
        ("O2_out", "%", table.seen("x_O2_out") * 100, "oxygen in dry exit gas"),
        ("CO2_out", "%", table.seen("x_CO2_out") * 100, "carbon dioxide in dry exit gas"),
        ("T", "degC", table.state("T"), "temperature"),
        ("pH", "", np.array([piece.segment.pH for piece in table.pieces]), "pH at its set point"),
        ("heat", "kW", (table.seen("heat") + power) * kilo, "heat of respiration and stirring"),
        ("cooling", "kW", table.seen("cooling") * kilo, "heat that the jacket takes"),
        ("cooling_capacity", "kW", table.seen("capacity") * kilo, "heat that the jacket could take"),
    ]


def _speeds(vessel: Vessel, table: _Table, power: Floats, volume: Floats) -> Floats:
    """The stirrer speed at every stored point, 1/min."""
    if isinstance(vessel, ShakeFlask):
        return np.zeros_like(power)
    facts = [piece.conditions.facts for piece in table.pieces]
    rows = zip(facts, power.tolist(), volume.tolist(), strict=True)
    return np.array([min(speed_of_power(vessel, watts, item.flow, held), item.speeds[1]) for item, watts, held in rows])


def _spans(plan: Plan, pieces: list[Piece]) -> tuple[PhaseSpan, ...]:
    """Every phase; those before inoculation end at time 0 and so begin before it."""
    found: list[PhaseSpan] = []
    start = -sum(duration for _, duration in plan.before)
    for path, duration in plan.before:
        found.append(PhaseSpan(path, start, start + duration))
        start += duration
    return (*found, *(PhaseSpan(piece.segment.path, piece.start, piece.end) for piece in pieces))


def _events(vessel: Vessel, pieces: list[Piece], variables: dict[str, Variable]) -> tuple[RunEvent, ...]:
    found = [RunEvent(0.0, "inoculation", "the culture starts")]
    if isinstance(vessel, StirredTank) and _extrapolated(variables):
        found.append(RunEvent(0.0, "extrapolated", "oxygen transfer lies outside the range of van 't Riet 1979"))
    for piece in pieces:
        found.append(RunEvent(piece.start, "phase", piece.segment.path))
        if piece.segment.addition is not None:
            found.append(RunEvent(piece.start, "induction", "inducer is added"))
        found += [RunEvent(when, kind, words) for when, kind, words in piece.notes if when <= piece.end]
    found.append(RunEvent(pieces[-1].end, "end", "the last phase ends"))
    return tuple(sorted(found, key=lambda item: item.time))


def _extrapolated(variables: dict[str, Variable]) -> bool:
    """Whether volume or highest power density leave the range of either correlation for kLa."""
    power, volume = float(variables["P_V"].values.max()), variables["V"].values
    return not all(
        correlation(power, 0.01, float(size)).in_range
        for correlation in (kLa_coalescing, kLa_non_coalescing)
        for size in (volume.min(), volume.max())
    )


def _parameters(culture: Culture, around: Surroundings) -> tuple[ParameterUse, ...]:
    both = {**culture.parameters, **around.parameters}
    return tuple(ParameterUse(item.name, item.value, item.unit, item.status, item.source) for item in both.values())


class _Flows:
    """What was poured, fed and added, L, from the pumps' own laws and not from the state."""

    def __init__(self) -> None:
        self.liquids: list[tuple[Liquid, float]] = []
        self.fed = 0.0
        self.base: Liquid | None = None
        self.base_volume = 0.0
        self.air = 0.0  # normal m3

    def amount(self, pick: Any) -> float:
        return float(sum(pick(item) * volume for item, volume in self.liquids))


def _flows(culture: Culture, recipe: MasterRecipe, plan: Plan, kernel: Kernel, pieces: list[Piece]) -> _Flows:
    flows = _Flows()
    for piece in pieces:
        segment, span = piece.segment, piece.end - piece.start
        if segment.addition is not None:
            flows.liquids.append(segment.addition)
        if segment.feed is not None:
            stream, rate, growth = segment.feed
            fed = rate * (math.expm1(growth * span) / growth if growth else span)
            flows.liquids.append((stream, fed))
            flows.fed += fed
        flows.air += piece.conditions.facts.gas * span * 60 / 1000
    flows.base = base_liquid(culture, recipe)
    flows.base_volume = float(pieces[-1].final[kernel.index("x_B")]) * plan.volume
    if flows.base is not None:
        flows.liquids.append((flows.base, flows.base_volume))
    return flows


def _compositions(culture: Culture) -> dict[str, Composition]:
    return culture.compositions


def _balances(culture: Culture, kernel: Kernel, plan: Plan, pieces: list[Piece], flows: _Flows) -> tuple[Balance, ...]:
    """Closure of what came and left (pump laws, integrated gas fluxes) against the change of the state."""
    first, last = pieces[0].initial, pieces[-1].final

    def change(name: str) -> float:
        at = kernel.index(name)
        return float(last[at] - first[at]) * plan.volume

    def passed(name: str) -> float:
        return float(last[kernel.index(name)] - first[kernel.index(name)]) * plan.volume

    held = {name: change(f"m_{name}") for name in culture.species}
    came = {name: flows.amount(lambda item, name=name: item.species.get(name, 0.0)) for name in culture.species}
    elements = _compositions(culture)

    def atoms(amounts: dict[str, float], element: str) -> float:
        return sum(mass * elements[name].elements[element] for name, mass in amounts.items())

    def electrons(amounts: dict[str, float]) -> float:
        return sum(mass * elements[name].reduction for name, mass in amounts.items())

    oxygen, carbon = passed("x_O") / 1000, passed("x_C") / 1000
    ammonia = flows.amount(lambda item: item.ammonia) / 1000
    iptg = flows.amount(lambda item: item.iptg)
    mass = flows.amount(lambda item: item.mass) - iptg
    stored = sum(held.values()) + change("m_W") + change("m_Z")
    stored += change("n_N") / 1000 * NH3_MASS + change("n_O") / 1000 * O2_MASS + change("n_C") / 1000 * CO2_MASS
    volume = sum(amount for _, amount in flows.liquids)
    evaporated = passed("x_E")
    product = culture.symbol("product")
    found = [
        Balance("carbon", "mol", atoms(came, "C"), carbon, atoms(held, "C") + change("n_C") / 1000),
        Balance("nitrogen", "mol", atoms(came, "N") + ammonia, 0.0, atoms(held, "N") + change("n_N") / 1000),
        Balance("mass", "g", mass + oxygen * O2_MASS, carbon * CO2_MASS + evaporated, stored),
        Balance("oxygen", "mol", oxygen, passed("x_U") / 1000, change("n_O") / 1000),
        Balance("electrons", "mol", electrons(came), 4 * oxygen, electrons(held) - 4 * change("n_O") / 1000),
        Balance("volume", "L", volume, evaporated / 1000, change("v")),
        Balance("inducer", "mmol", flows.amount(lambda item: item.inducer), 0.0, change("n_I")),
    ]
    if product:
        found.append(Balance("product", "g", came[product] + passed("x_P"), 0.0, held[product]))
    return tuple(found)


def _totals(
    culture: Culture,
    vessel: Vessel,
    kernel: Kernel,
    plan: Plan,
    pieces: list[Piece],
    flows: _Flows,
    variables: dict[str, Variable],
) -> dict[str, tuple[float, str]]:
    last = pieces[-1].final

    def passed(name: str) -> float:
        return float(last[kernel.index(name)]) * plan.volume

    glucose, product = culture.symbol("glucose"), culture.symbol("product")
    charged = sum(item.species.get(glucose or "", 0.0) * amount for item, amount in plan.medium)
    antifoam = sum(item.antifoam * amount for item, amount in [*plan.medium, *flows.liquids])
    iptg = sum(item.iptg * amount for item, amount in [*plan.medium, *flows.liquids])
    volume = float(variables["V"].values[-1])
    fed = flows.amount(lambda item: item.species.get(glucose or "", 0.0))
    found: dict[str, tuple[float, str]] = {
        "duration": (pieces[-1].end, "h"),
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
        "oxygen": (passed("x_O") / 1000, "mol"),
        "carbon_dioxide": (passed("x_C") / 1000, "mol"),
        "evaporated": (passed("x_E"), "g"),
        "stirrer_energy": (passed("x_S") / JOULES_PER_KWH / DRIVE_EFFICIENCY, "kWh"),
        "metabolic_heat": (passed("x_U") / 1000 * HEAT_OF_RESPIRATION / 3600, "kWh"),
        "cooling": (passed("x_Q") / JOULES_PER_KWH, "kWh"),
    }
    if product:
        titre = float(variables[product].values[-1])
        found |= {"titre": (titre, "g/L"), "product": (titre * volume, "g")}
        eaten = charged + fed
        found["yield_on_glucose"] = (titre * volume / eaten if eaten else 0.0, "g/g")
    return found
