"""From a flight to a `Run`: stored points, phases, events, parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from seedtrain.simulation._airlift import COLUMN_FACTOR, column_kLa
from seedtrain.simulation._books import balances, flows_of, totals
from seedtrain.simulation._culture import Culture
from seedtrain.simulation._equations import SHARE
from seedtrain.simulation._errors import TrajectoryError
from seedtrain.simulation._flight import NEGATIVE, Flight
from seedtrain.simulation._plan import Segment
from seedtrain.simulation._run import Floats, ParameterUse, PhaseSpan, Run, RunEvent, Variable
from seedtrain.simulation._setup import Setup
from seedtrain.simulation._shaken import shaken_transfer
from seedtrain.simulation._transfer import kLa_coalescing, kLa_non_coalescing, speed_of_power
from seedtrain.simulation._vessel import (
    Airlift,
    ShakeFlask,
    Shaking,
    StirredTank,
    SurfaceAerated,
    Transfer,
    Vessel,
    WaveBag,
    Well,
)

UNTRAINED: Final = "untrained"
"""The kind of event of a run that leaves what a learned rate was trained on."""
SLACK: Final = 0.02
"""Of the width of a trained range: so little beyond its ends says nothing."""
_LIQUID_WORDS: Final = {
    "n_I": "the inducer",
    "n_O": "dissolved oxygen",
    "n_C": "inorganic carbon",
    "n_N": "ammonium",
    "m_W": "water",
    "m_Z": "the minerals",
}


def assemble(flight: Flight) -> Run:
    """The run that `flight` makes."""
    setup = flight.setup
    table = _Table(flight)
    variables = _variables(table)
    flows = flows_of(flight)
    return Run(
        origin="simulated",
        recipe_digest=setup.recipe.digest,
        culture=setup.culture.name,
        vessel=setup.vessel.name,
        unit_procedure=setup.unit_procedure,
        time=flight.times,
        variables=variables,
        phases=_spans(flight),
        events=_events(flight, variables),
        balances=balances(flight, flows),
        parameters=_parameters(setup),
        totals=totals(flight, flows, variables),
        status=setup.culture.status,
    )


@dataclass(frozen=True)
class _Table:
    """Every stored point: its state and observations."""

    flight: Flight

    @cached_property
    def observed(self) -> dict[str, Floats]:
        """Observations by name, shape "time"."""
        values = self.flight.observed
        return {name: values[:, at] for at, name in enumerate(self.flight.setup.system.observed)}

    @property
    def volume(self) -> float:
        """At the start, L."""
        return self.flight.setup.plan.volume

    def state(self, name: str) -> Floats:
        """A state of the whole vessel by name, shape "time"."""
        return np.asarray(self.flight.states[:, self.flight.setup.index(name)], dtype=float)

    def content(self, name: str) -> Floats:
        """An amount per volume, mean over zones; a hair below zero becomes zero, more is a fault of the integration."""
        return self._kept(name, self.flight.setup.amounts(self.flight.states, name) / self.state("v"))

    def local(self, name: str, zone: int) -> Floats:
        """An amount per volume in one zone."""
        setup = self.flight.setup
        held = self.state(f"{name}{setup.layout.suffixes[zone]}")
        return self._kept(name, np.asarray(held / setup.size(zone, self.state("v")), dtype=float))

    def _kept(self, name: str, values: Floats) -> Floats:
        if values.min() <= NEGATIVE and not self.flight.extrapolated:
            self._refuse(name, values)
        return np.asarray(np.maximum(values, 0.0), dtype=float)

    def _refuse(self, name: str, values: Floats) -> NoReturn:
        setup, at = self.flight.setup, int(np.argmax(values <= NEGATIVE))
        symbol = name.removeprefix("m_")
        words = setup.culture.species[symbol].words if symbol in setup.culture.species else _LIQUID_WORDS[name]
        time, before = float(self.flight.times[at]), self.flight.states[max(at - 1, 0)]
        raise TrajectoryError(
            f"{words} falls below zero at {time:.4g} h, to {values[at]:.3g} in {setup.vessel.name}: culture "
            f"{setup.culture.name} goes on using what is not there",
            time=time,
            last=dict(zip(setup.system.states, before.tolist(), strict=True)),
            remedy=f"Let the culture's rates fall to zero with {words}, or give the vessel more of it.",
        )

    def seen(self, name: str) -> Floats:
        """An observation by name, shape "time"."""
        return self.observed[name]


def _variables(table: _Table) -> dict[str, Variable]:
    setup = table.flight.setup
    rows = [*_contents(setup.culture, table), *_rates(table), *_equipment(setup.vessel, table), *_zones(table)]
    return {name: Variable(name, unit, np.ascontiguousarray(values), words) for name, unit, values, words in rows}


_Row = tuple[str, str, Floats, str]


def _contents(culture: Culture, table: _Table) -> list[_Row]:
    rows: list[_Row] = [
        (name, item.unit, table.content(f"m_{name}"), item.words) for name, item in culture.species.items()
    ]
    inside = [table.content(f"m_{name}") * culture.masses[name] for name in _inside(culture)]
    oxygen = table.local("n_O", table.flight.setup.layout.probe_zone)
    return [
        *rows,
        (
            "DCW",
            "g/L",
            np.asarray(sum(inside, 0.0 * oxygen), dtype=float),
            "dry cell weight, product included",
        ),
        ("DO", "mmol/L", oxygen, "dissolved oxygen"),
        ("DO_percent", "%", 100 * oxygen / table.seen("saturation"), "dissolved oxygen, of air saturation"),
        ("C_CO2", "mmol/L", table.seen("C_CO2"), "dissolved carbon dioxide"),
        ("NH", "mmol/L", table.content("n_N"), "ammonium and ammonia"),
        ("I", "mmol/L", table.content("n_I"), "inducer"),
        ("water", "g/L", table.content("m_W"), "water"),
        ("minerals", "g/L", table.content("m_Z"), "minerals and what is not eaten"),
        ("V", "L", table.state("v") * table.volume, "broth volume"),
    ]


def _inside(culture: Culture) -> list[str]:
    return [name for name, item in culture.species.items() if item.intracellular]


def _rates(table: _Table) -> list[_Row]:
    OUR, CER = table.seen("OUR"), table.seen("CER")
    quotient = np.where(OUR > 1e-9, CER / np.maximum(OUR, 1e-9), 1.0)
    rows: list[_Row] = [
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
    if table.flight.setup.layout.outflow:
        rows.append(("H", "L/h", table.seen("H") * table.volume, "harvest rate"))
        rows.append(("D", "L/h", table.seen("D") * table.volume, "bleed rate"))
    return rows


def _equipment(vessel: Vessel, table: _Table) -> list[_Row]:
    kilo = table.volume / 1000
    power = table.seen("power")
    pH = [table.flight.setup.plan.segments[segment].pH for segment in table.flight.segments]
    return [
        ("kLa", "1/h", table.seen("kLa"), "oxygen transfer coefficient"),
        ("kLa_max", "1/h", table.seen("kLa_high"), "oxygen transfer coefficient at the highest speed"),
        ("N", "1/min", _speeds(vessel, table), "shaking frequency" if _shaking(vessel) else "stirrer speed"),
        ("P_V", "W/m3", power / table.state("v") * 1000, "stirrer power per volume, with gas"),
        ("gas", "L/min", table.seen("gas"), _gas_words(table)),
        *_gas_control(table),
        ("O2_out", "%", table.seen("x_O2_out") * 100, "oxygen in dry exit gas"),
        ("CO2_out", "%", table.seen("x_CO2_out") * 100, "carbon dioxide in dry exit gas"),
        ("T", "degC", table.state("T"), "temperature"),
        ("pH", "", np.array(pH), "pH at its set point"),
        ("heat", "kW", (table.seen("heat") + power) * kilo, "heat of respiration and stirring"),
        ("cooling", "kW", table.seen("cooling") * kilo, "heat that the jacket takes"),
        ("cooling_capacity", "kW", table.seen("capacity") * kilo, "heat that the jacket could take"),
    ]


def _gas_words(table: _Table) -> str:
    mixed = table.flight.setup.layout.oxygen_follows
    return "air and pure oxygen, at 0 degC and 1 atm" if mixed else "air, at 0 degC and 1 atm"


def _gas_control(table: _Table) -> list[_Row]:
    """What the cascade does beside the stirrer, where it may."""
    layout = table.flight.setup.layout
    rows: list[_Row] = []
    if layout.gas_follows:
        begun = table.flight.starts[list(table.flight.segments), table.flight.setup.index("v")] * table.volume
        rows.append(("vvm", "vvm", table.seen("gas") / begun, "gas per broth volume at the phase's start and minute"))
    if layout.oxygen_follows:
        rows.append(("O2_share", "%", 100 * table.seen(SHARE), "part of the gas that is pure oxygen"))
    return rows


def _speeds(vessel: Vessel, table: _Table) -> Floats:
    """The speed of the stirrer, or of the shaker, at every stored point, 1/min."""
    shaking, plan = _shaking(vessel), table.flight.setup.plan
    if shaking is not None:
        return np.array([shaking.at(plan.segments[number].shaking_frequency) for number in table.flight.segments])
    power, volume = table.seen("power") * table.volume, table.state("v") * table.volume
    if not isinstance(vessel, StirredTank):
        return np.zeros_like(power)
    highest = [table.flight.setup.number(segment, "speed_high") for segment in table.flight.segments]
    rows = zip(highest, power.tolist(), table.seen("flow").tolist(), volume.tolist(), strict=True)
    return np.array([min(speed_of_power(vessel, watts, flow, held), high) for high, watts, flow, held in rows])


def _shaking(vessel: Vessel) -> Shaking | None:
    """How the vessel is shaken, where that is known."""
    return vessel.shaking if isinstance(vessel, ShakeFlask | Well) else None


def _zones(table: _Table) -> list[_Row]:
    """What differs between the zones of a tank, as `S[1]` from the bottom up."""
    layout, setup = table.flight.setup.layout, table.flight.setup
    if layout.zones == 1:
        return []
    rows: list[_Row] = []
    for zone in range(layout.zones):
        number = layout.zones - zone
        for name, item in setup.culture.species.items():
            rows.append((f"{name}[{number}]", item.unit, table.local(f"m_{name}", zone), item.words))
        rows.append((f"DO[{number}]", "mmol/L", table.local("n_O", zone), "dissolved oxygen"))
    return rows


def _spans(flight: Flight) -> tuple[PhaseSpan, ...]:
    """Every phase; those before inoculation end at time 0 and so begin before it."""
    plan = flight.setup.plan
    found: list[PhaseSpan] = []
    start = -sum(duration for _, duration in plan.before)
    for path, duration in plan.before:
        found.append(PhaseSpan(path, start, start + duration))
        start += duration
    spans = zip(plan.segments, flight.begins.tolist(), flight.ends.tolist(), strict=True)
    for segment, begin, end in spans:
        if found and found[-1].path == segment.path:  # the steps of a ramp are one phase
            begin = found.pop().start
        found.append(PhaseSpan(segment.path, begin, end))
    return tuple(found)


def _events(flight: Flight, variables: dict[str, Variable]) -> tuple[RunEvent, ...]:
    found = [RunEvent(0.0, "inoculation", "the culture starts")]
    words = _extrapolated(flight, variables)
    if words:
        found.append(RunEvent(0.0, "extrapolated", words))
    found += _untrained(flight, variables)
    for number, segment in enumerate(flight.setup.plan.segments):
        begin, end = float(flight.begins[number]), float(flight.ends[number])
        if not number or flight.setup.plan.segments[number - 1].path != segment.path:
            found.append(RunEvent(begin, "phase", segment.path))
        if segment.addition is not None:
            found.append(RunEvent(begin, "induction", "inducer is added"))
        found += [RunEvent(when, kind, words) for when, kind, words in flight.notes[number] if when <= end]
    found.append(RunEvent(float(flight.ends[-1]), "end", "the last phase ends"))
    return tuple(sorted(found, key=lambda item: item.time))


def _untrained(flight: Flight, variables: dict[str, Variable]) -> list[RunEvent]:
    """Where a rate that was learned from data reads what none of that data showed, from its first moment on."""
    found, times = [], flight.times
    for rate, ranges in flight.setup.culture.trained.items():
        for symbol, (low, high) in ranges.items():
            values = variables[symbol].values
            outside = beyond(values, low, high)
            if outside.any():
                at = int(np.argmax(outside))
                far = float(values[int(np.argmax(np.maximum(low - values, values - high)))])
                words = f"{rate} was learned for {symbol} of {low:.4g} to {high:.4g} {variables[symbol].unit}".rstrip()
                found.append(RunEvent(float(times[at]), UNTRAINED, f"{words}; here it reaches {far:.4g}"))
    return found


def beyond(values: Floats, low: float, high: float) -> NDArray[np.bool_]:
    """Where `values` lie outside a trained range by more than says nothing."""
    slack = max(SLACK * (high - low), 1e-3 * abs(high))  # a state that never moved has no width
    return np.asarray((values < low - slack) | (values > high + slack))


def untrained_rates(run: Run, culture: Culture) -> tuple[str, ...]:
    """The rates of `culture`, learned from data, that read in `run` what none of that data showed."""
    return tuple(
        rate
        for rate, ranges in culture.trained.items()
        if any(beyond(run[symbol], low, high).any() for symbol, (low, high) in ranges.items())
    )


def _extrapolated(flight: Flight, variables: dict[str, Variable]) -> str:
    """Where volume, highest power density or gas leave the range in which kLa was measured: so in words."""
    vessel = flight.setup.vessel
    if isinstance(vessel, StirredTank):
        power, volume = float(variables["P_V"].values.max()), variables["V"].values
        inside = all(
            correlation(power, 0.01, float(size)).in_range
            for correlation in (kLa_coalescing, kLa_non_coalescing)
            for size in (volume.min(), volume.max())
        )
        return "" if inside else "oxygen transfer lies outside the range of van 't Riet 1979"
    if isinstance(vessel, Airlift):
        at = [symbol for symbol, _ in flight.setup.system.held].index("velocity")
        inside = all(column_kLa(float(held[at])).in_range for held in flight.held())
        return "" if inside else "oxygen transfer lies outside the range of Heijnen & van 't Riet 1984"
    plan = flight.setup.plan
    inside = all(_surface_transfer(vessel, plan.volume, segment).in_range for segment in plan.segments)
    return "" if inside else "oxygen transfer lies outside the range of the source of its kLa"


def _surface_transfer(vessel: SurfaceAerated, volume: float, segment: Segment) -> Transfer:
    """Transfer through the surface in one segment of a run that starts with `volume` L."""
    if isinstance(vessel, WaveBag):
        return vessel.transfer
    return shaken_transfer(vessel, volume, segment.shaking_frequency)


def _parameters(setup: Setup) -> tuple[ParameterUse, ...]:
    both = {**setup.culture.parameters, **setup.around.parameters}
    found = [ParameterUse(item.name, item.value, item.unit, item.status, item.source) for item in both.values()]
    vessel = setup.vessel
    if isinstance(vessel, Airlift):
        source = column_kLa(0.0).source
        found.append(ParameterUse("kLa at 1 m/s of gas", COLUMN_FACTOR, "1/h", "assumed", f"{source}, unverified"))
    elif not isinstance(vessel, StirredTank):
        known = _surface_transfer(vessel, setup.plan.volume, setup.plan.segments[0])
        words = f"kLa at {known.reference_volume:.6g} L"
        found.append(ParameterUse(words, known.kLa, "1/h", known.status, known.source))
    return tuple(found)
