"""From the pieces of an integration to a `Run`: stored points, phases, events, balances, parameters, totals."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.recipe import MasterRecipe
from seedtrain.simulation._culture import Culture
from seedtrain.simulation._elements import CO2_MASS, NH3_MASS, O2_MASS
from seedtrain.simulation._kernel import OBSERVED, Kernel
from seedtrain.simulation._plan import Liquid, Plan, base_liquid
from seedtrain.simulation._run import Balance, ParameterUse, PhaseSpan, Run, RunEvent, Variable
from seedtrain.simulation._surroundings import Surroundings
from seedtrain.simulation._transfer import DRIVE_EFFICIENCY, HEAT_OF_RESPIRATION, flooding_speed
from seedtrain.simulation._vessel import ShakeFlask, StirredTank, Vessel

Floats = NDArray[np.float64]
JOULES_PER_KWH: Final = 3.6e6
NEGATIVE: Final = -1e-6
"""g/L or mmol/L below which a stored concentration is a fault of the integration and no rounding."""

_UNITS: Final = {
    "mu": ("1/h", "specific growth rate"),
    "q_S": ("g/g/h", "specific glucose uptake"),
    "q_P": ("g/g/h", "specific product formation"),
    "q_O2": ("mmol/g/h", "specific oxygen uptake"),
    "kLa": ("1/h", "oxygen transfer coefficient"),
    "OTR": ("mmol/L/h", "oxygen transfer rate"),
    "OUR": ("mmol/L/h", "oxygen uptake rate"),
    "CER": ("mmol/L/h", "carbon dioxide evolution rate"),
}


def assemble(
    culture: Culture,
    vessel: Vessel,
    recipe: MasterRecipe,
    unit_procedure: str,
    plan: Plan,
    kernel: Kernel,
    around: Surroundings,
    pieces: list[Any],
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
    variables = _variables(culture, vessel, kernel, plan, grid, states, observed, pieces)
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
        events=_events(pieces),
        balances=_balances(culture, kernel, plan, pieces, flows),
        parameters=_parameters(culture, around),
        totals=_totals(culture, vessel, kernel, plan, pieces, flows, variables),
    )


def _grid(pieces: list[Any], points: int) -> list[tuple[int, float]]:
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


def _state(pieces: list[Any], number: int, time: float) -> Floats:
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


def _variables(
    culture: Culture,
    vessel: Vessel,
    kernel: Kernel,
    plan: Plan,
    grid: list[tuple[int, float]],
    states: Floats,
    observed: Floats,
    pieces: list[Any],
) -> dict[str, Variable]:
    v = states[:, kernel.index("v")]
    volume = v * plan.volume
    found: dict[str, Variable] = {}

    def add(name: str, unit: str, values: Floats, words: str) -> None:
        found[name] = Variable(name, unit, np.ascontiguousarray(values, dtype=float), words)

    def content(state: str) -> Floats:
        values: Floats = np.asarray(states[:, kernel.index(state)] / v, dtype=float)
        assert values.min() > NEGATIVE, f"{state} falls to {values.min()}"
        clipped: Floats = np.asarray(np.maximum(values, 0.0), dtype=float)
        return clipped

    for name, item in culture.species.items():
        add(name, "g/L", content(f"m_{name}"), item.words)
    dry = np.sum([found[name].values for name, item in culture.species.items() if item.intracellular], axis=0)
    add("DCW", "g/L", dry, "dry cell weight, product included")
    columns = {name: observed[:, at] for at, name in enumerate(OBSERVED)}
    saturation = np.array([pieces[number].conditions.facts.saturation for number, _ in grid])
    add("DO", "mmol/L", content("n_O"), "dissolved oxygen")
    add("DO_percent", "%", 100 * found["DO"].values / saturation, "dissolved oxygen, of air saturation in the phase")
    add("C_CO2", "mmol/L", columns["C_CO2"], "dissolved CO2")
    add("NH", "mmol/L", content("n_N"), "ammonium and ammonia")
    add("I", "mmol/L", content("n_I"), "inducer")
    add("V", "L", volume, "broth volume")
    for name, (unit, words) in _UNITS.items():
        add(name, unit, columns[name], words)
    OUR, CER = found["OUR"].values, found["CER"].values
    add("RQ", "mol/mol", np.where(OUR > 1e-9, CER / np.maximum(OUR, 1e-9), 1.0), "respiratory quotient of the cells")
    add("F", "L/h", columns["F"] * plan.volume, "feed rate")
    add("B", "L/h", columns["B"] * plan.volume, "base rate")
    add("T", "degC", states[:, kernel.index("T")], "temperature")
    add("pH", "", np.array([pieces[number].segment.pH for number, _ in grid]), "pH, held by the base")
    add("P_V", "W/m3", columns["power"] / v * 1000, "stirrer power per volume, with gas")
    speed = [
        _speed(vessel, pieces[n].conditions.facts, p * plan.volume, vol, pieces[n])
        for (n, _), p, vol in zip(grid, columns["power"], volume, strict=True)
    ]
    add("N", "1/min", np.array(speed), "stirrer speed")
    add("gas", "L/min", np.array([pieces[number].conditions.facts.gas for number, _ in grid]), "air, normal litres")
    add("heat", "kW", (columns["heat"] + columns["power"]) * plan.volume / 1000, "heat of respiration and stirring")
    add("cooling", "kW", columns["cooling"] * plan.volume / 1000, "heat that the jacket takes")
    add("cooling_capacity", "kW", columns["capacity"] * plan.volume / 1000, "heat that the jacket could take")
    add("kLa_max", "1/h", columns["kLa_high"], "oxygen transfer coefficient at the highest speed")
    add("O2_out", "%", columns["x_O2_out"] * 100, "oxygen in dry exit gas")
    add("CO2_out", "%", columns["x_CO2_out"] * 100, "CO2 in dry exit gas")
    add("water", "g/L", content("m_W"), "water")
    add("minerals", "g/L", content("m_Z"), "minerals and what is not eaten")
    return found


def _speed(vessel: Vessel, facts: Any, power: float, volume: float, piece: Any) -> float:
    """The stirrer speed that draws `power` (W) in `volume` (L), by bisection of the power correlation."""
    if isinstance(vessel, ShakeFlask):
        return 0.0
    from seedtrain.simulation._transfer import gassed_power

    low, high = facts.speeds
    if gassed_power(vessel, high, facts.flow, volume).value <= power * (1 + 1e-9):
        return float(high)
    for _ in range(50):
        middle = (low + high) / 2
        if gassed_power(vessel, middle, facts.flow, volume).value < power:
            low = middle
        else:
            high = middle
    return float(high)


def _spans(plan: Plan, pieces: list[Any]) -> tuple[PhaseSpan, ...]:
    """Every phase; those before inoculation end at time 0 and so begin before it."""
    found: list[PhaseSpan] = []
    start = -sum(duration for _, duration in plan.before)
    for path, duration in plan.before:
        found.append(PhaseSpan(path, start, start + duration))
        start += duration
    return (*found, *(PhaseSpan(piece.segment.path, piece.start, piece.end) for piece in pieces))


def _events(pieces: list[Any]) -> tuple[RunEvent, ...]:
    found = [RunEvent(0.0, "inoculation", "the culture starts")]
    for piece in pieces:
        found.append(RunEvent(piece.start, "phase", piece.segment.path))
        if piece.segment.addition is not None:
            found.append(RunEvent(piece.start, "induction", "inducer is added"))
        found += [RunEvent(when, kind, words) for when, kind, words in piece.notes if when <= piece.end]
    found.append(RunEvent(pieces[-1].end, "end", "the last phase ends"))
    return tuple(sorted(found, key=lambda item: item.time))


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


def _flows(culture: Culture, recipe: MasterRecipe, plan: Plan, kernel: Kernel, pieces: list[Any]) -> _Flows:
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


def _balances(culture: Culture, kernel: Kernel, plan: Plan, pieces: list[Any], flows: _Flows) -> tuple[Balance, ...]:
    """Closure of what came and left (pump laws, integrated gas fluxes) against the change of the state."""
    first, last = pieces[0].initial, pieces[-1].final

    def change(name: str) -> float:
        at = kernel.index(name)
        return float(last[at] - first[at]) * plan.volume

    def passed(name: str) -> float:
        return float(last[kernel.index(name)] - first[kernel.index(name)]) * plan.volume

    held = {name: change(f"m_{name}") for name in culture.species}
    came = {name: flows.amount(lambda item, name=name: item.species.get(name, 0.0)) for name in culture.species}
    elements = culture.compositions

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
    pieces: list[Any],
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


__all__ = ["StirredTank", "assemble", "flooding_speed"]
