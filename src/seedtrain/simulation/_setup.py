"""A unit procedure, a culture and a vessel as the engine's schedule: numbers, additions, what is awaited."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from seedtrain.base import InputError
from seedtrain.quantity import Quantity, QuantityError
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation._airlift import COLUMN_EXPONENT, COLUMN_FACTOR
from seedtrain.simulation._culture import Culture, Override
from seedtrain.simulation._engine import END_STRETCH, END_TRAJECTORY, IGNORE, LOG, Schedule, System
from seedtrain.simulation._equations import Kind, Layout, culture_system
from seedtrain.simulation._plan import Liquid, Outflow, Plan, Segment, base_liquid, content, plan_of, speed_range
from seedtrain.simulation._retention import check_retention
from seedtrain.simulation._run import Floats, Run
from seedtrain.simulation._shaken import check_shaken, shaken_transfer
from seedtrain.simulation._surroundings import Surroundings, surroundings_of
from seedtrain.simulation._transfer import (
    OXYGEN_IN_AIR,
    mean_pressure,
    oxygen_solubility,
    water_vapour,
)
from seedtrain.simulation._vessel import Airlift, ShakeFlask, StirredTank, Vessel, WaveBag, Well
from seedtrain.simulation._zones import zone_exchange, zones_of

START_CO2: Final = 0.05  # mmol/L of inorganic carbon in fresh medium, assumed: near what air leaves


@dataclass(frozen=True)
class Setup:
    """Everything that one run is made from; `schedule` is for the engine."""

    culture: Culture
    vessel: Vessel
    recipe: MasterRecipe
    unit_procedure: str
    plan: Plan
    around: Surroundings
    initial: Mapping[str, float]
    inoculum: Run | None

    @cached_property
    def layout(self) -> Layout:
        """What decides the equations."""
        outflow = any(segment.outflow is not None for segment in self.plan.segments)
        if not isinstance(self.vessel, StirredTank):
            return Layout(self.culture, kind_of(self.vessel), outflow=outflow)
        beside = self.vessel.side_compartment
        if beside is not None:
            aerated = beside.aerated
            return Layout(self.culture, "stirred", 2, outflow, 0, 1, side=True, side_gas=aerated, cascade=self._cascade)
        zones = zones_of(self.vessel)
        top = zones.count - 1
        places = (top - zones.feed, top - zones.probe)
        return Layout(self.culture, "stirred", zones.count, outflow, *places, cascade=self._cascade)

    @cached_property
    def _cascade(self) -> tuple[str, ...]:
        """What holds oxygen beside the stirrer, by what the vessel has; none where no phase asks for oxygen.

        What a recipe sets does not decide, for it may vary within an ensemble or along a sensitivity.
        """
        vessel = self.vessel
        assert isinstance(vessel, StirredTank)
        if all(segment.dissolved_oxygen is None for segment in self.plan.segments):
            return ()
        has = {"stirrer_speed": True, "aeration": vessel.aeration[1] > vessel.aeration[0]}
        has["oxygen_share"] = vessel.pure_oxygen > 0
        stages = tuple(name for name in vessel.oxygen_cascade if has[name])
        return stages if set(stages) - {"stirrer_speed"} else ()

    @cached_property
    def system(self) -> System:
        """The equations."""
        return culture_system(self.layout)

    @cached_property
    def schedule(self) -> Schedule:
        """The engine's input, for one trajectory."""
        segments = self.plan.segments
        return Schedule(
            initial=self._start()[None],
            numbers=np.array([[self._numbers(segment) for segment in segments]]),
            jumps=np.array([[self._jump(segment) for segment in segments]]),
            lengths=np.array([[segment.longest for segment in segments]]),
            actions=np.array([[self._actions(segment) for segment in segments]], dtype=np.int8),
        )

    def index(self, state: str) -> int:
        """Where a state stands."""
        return self._places[state]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.system.states)}

    def number(self, segment: int, name: str) -> float:
        """A number of a segment."""
        return float(self.schedule.numbers[0, segment, self.layout.numbers.index(name)])

    def amounts(self, states: Floats, name: str) -> Floats:
        """A species or a part of the liquid, per litre at the start, over all zones; `states` ends in the state."""
        places = [self.index(f"{name}{suffix}") for suffix in self.layout.suffixes]
        return np.asarray(states[..., places].sum(axis=-1), dtype=float)

    def oxygen(self, states: Floats) -> Floats:
        """Dissolved oxygen where the probe sits, mmol/L; `states` ends in the state."""
        zone = self.layout.probe_zone
        held = states[..., self.index(f"n_O{self.layout.suffixes[zone]}")]
        return np.asarray(held / self.size(zone, states[..., self.index("v")]), dtype=float)

    def size(self, zone: int, volume: Floats) -> Floats:
        """The volume of a zone, where that of all is `volume`; both over the volume at the start."""
        if not self.layout.side:
            return volume / self.layout.zones
        assert isinstance(self.vessel, StirredTank)
        assert self.vessel.side_compartment is not None
        side = self.vessel.side_compartment.volume / self.plan.volume
        return np.full_like(volume, side) if zone == 0 else volume - side

    def _start(self) -> Floats:
        """The state after inoculation."""
        plan, culture = self.plan, self.culture
        mixed = mix([*plan.medium, (inoculum_liquid(culture, plan, self.inoculum), plan.inoculum)])
        values = {f"m_{name}": mixed.species.get(name, 0.0) for name in culture.species}
        first = plan.segments[0]
        values |= {"n_I": mixed.inducer, "n_N": mixed.ammonia, "m_W": mixed.water, "m_Z": mixed.minerals}
        # The medium is saturated with air before inoculation.
        values |= {"n_O": _saturation(self.vessel, first, self.around, plan.volume), "n_C": START_CO2}
        for symbol, value in self.initial.items():
            state = {"I": "n_I", "NH": "n_N", "DO": "n_O"}.get(symbol, f"m_{symbol}")
            if state not in values:
                known = ", ".join([*culture.species, "I", "NH", "DO"])
                raise InputError(f"the run starts with no {symbol!r}", remedy=f"Use one of: {known}.")
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"{symbol} starts at {value}", remedy="Give a concentration of 0 or more.")
            values[state] = float(value)
        shares = [float(self.size(zone, np.ones(1))[0]) for zone in range(self.layout.zones)]
        return self._spread(values, {"v": 1.0, "T": first.temperature}, shares)

    def _jump(self, segment: Segment) -> Floats:
        if segment.addition is None:
            return np.zeros(len(self.system.states))
        added, amount = segment.addition
        share = amount / self.plan.volume
        values = {f"m_{name}": mass * share for name, mass in added.species.items()}
        values |= {"n_I": added.inducer * share, "n_N": added.ammonia * share}
        values |= {"m_W": added.water * share, "m_Z": added.minerals * share}
        equal = [1.0 / self.layout.zones] * self.layout.zones
        return self._spread(values, {"v": share}, [0.0, 1.0] if self.layout.side else equal)

    def _spread(self, zoned: Mapping[str, float], whole: Mapping[str, float], shares: Sequence[float]) -> Floats:
        """A state with amounts in all zones, each its part of `shares`."""
        found = np.zeros(len(self.system.states))
        suffixes = self.layout.suffixes
        for name, value in zoned.items():
            for suffix, share in zip(suffixes, shares, strict=True):
                found[self.index(f"{name}{suffix}")] = value * share
        for name, value in whole.items():
            found[self.index(name)] = value
        return found

    def _actions(self, segment: Segment) -> list[int]:
        chosen = {"full": END_TRAJECTORY, "nitrogen_limited": LOG}
        if kind_of(self.vessel) != "still":
            chosen["cooling_limited"] = LOG
            if segment.dissolved_oxygen is not None:
                chosen["oxygen_limited"] = LOG
        if segment.do == "grow":
            chosen["depleted"] = LOG
        if segment.until is not None:
            chosen[f"aim_{self._reading(segment)[0]}"] = END_STRETCH
        return [chosen.get(name, IGNORE) for name, _ in self.system.gauges]

    def _reading(self, segment: Segment) -> tuple[str, str]:
        """What a segment waits for: the gauge's name, and the unit that its aim is given in."""
        assert segment.until is not None
        word = segment.until.quantity
        if word in _READINGS:
            return word, _READINGS[word]
        symbol = self.culture.symbol(word)
        if symbol is None:
            known = [item.known_as for item in self.culture.species.values()]
            raise InputError(
                f"{segment.path}: culture {self.culture.name} cannot tell when {segment.until}",
                position=self.recipe.position(segment.path),
                remedy=f"End the phase by one of: elapsed, {', '.join([*known, *_READINGS])}.",
            )
        return f"m_{symbol}", self.culture.species[symbol].unit

    def _aim(self, segment: Segment) -> float:
        """What a segment waits for, in the unit of its reading."""
        assert segment.until is not None
        assert isinstance(segment.until.value, Quantity)
        word, value = segment.until.quantity, segment.until.value
        symbol = self.culture.symbol(word)
        try:
            if symbol is not None and word not in _READINGS:
                return content(self.culture, symbol, value)
            return value.magnitude(self._reading(segment)[1])
        except QuantityError as error:
            raise InputError(
                f"{segment.path}: {word} is awaited in {value.unit}: {error.message}",
                position=self.recipe.position(segment.path),
                remedy=f"Write it in {self._reading(segment)[1]}.",
            ) from None

    def _numbers(self, segment: Segment) -> list[float]:
        values: dict[str, float] = {f"u_{name}": value for name, value in self.culture.values.items()}
        values |= (
            self._settings(segment)
            | self._feed(segment)
            | _vessel_numbers(self.vessel, segment, self.around, self.plan.volume)
        )
        if self.layout.outflow:
            values |= self._outflow(segment)
        return [values[name] for name in self.layout.numbers]

    def _settings(self, segment: Segment) -> dict[str, float]:
        around, vessel = self.around, self.vessel
        base = base_liquid(self.culture, self.recipe) if kind_of(vessel) != "still" else None
        aim, sign = 0.0, 1.0
        if segment.until is not None:
            aim = self._aim(segment)
            sign = 1.0 if segment.until.operator == ">=" else -1.0
        return {
            "V_0": self.plan.volume,
            "B_N": base.ammonia if base else 0.0,
            "B_W": base.water if base else 0.0,
            "T_set": segment.temperature,
            "pH": segment.pH,
            "DO_share": -1.0 if segment.dissolved_oxygen is None else segment.dissolved_oxygen,
            "vvm": aeration_of(vessel, segment)[0],
            "p_head": segment.head_pressure if kind_of(vessel) != "still" else 0.0,
            "soluble": around["oxygen_solubility_factor"],
            "T_condenser": around["condenser_temperature"],
            "pK": around["pK_carbonic"],
            "V_most": vessel.working_volume[1] * (1 + 1e-9),
            "aim": aim,
            "aim_sign": sign,
        }

    def _outflow(self, segment: Segment) -> dict[str, float]:
        outflow, device = segment.outflow or Outflow(), getattr(self.vessel, "retention", None)
        cells, product = outflow.keep, outflow.keep_product
        if device is not None:
            cells = device.cells if cells is None else cells
            product = device.product if product is None else product
        if cells is None:
            raise InputError(
                f"{segment.path}: {self.vessel.name} has no device that retains cells",
                position=self.recipe.position(segment.path),
                remedy="Give the vessel a retention in the plant file, or the phase a retention of its own.",
            )
        return {
            "H_0": -1.0 if outflow.harvest is None else outflow.harvest,
            "D_0": outflow.bleed,
            "keep": cells,
            "keep_product": product or 0.0,
        }

    def _feed(self, segment: Segment) -> dict[str, float]:
        stream, rate, growth = segment.feed or (Liquid(), 0.0, 0.0)
        found = {"F_0": rate, "F_mu": growth, "dilution": segment.dilution}
        found |= {"F_I": stream.inducer, "F_N": stream.ammonia, "F_W": stream.water, "F_Z": stream.minerals}
        return found | {f"F_{name}_": stream.species.get(name, 0.0) for name in self.culture.species}


_READINGS: Final = {
    "biomass": "g/L",
    "volume": "L",
    "temperature": "degC",
    "dissolved_oxygen": "",
    "oxygen_uptake_rate": "mmol/L/h",
    "carbon_dioxide_evolution_rate": "mmol/L/h",
}
"""What an aim may compare beside species, with the unit of its reading."""


def setup_of(
    culture: Culture,
    vessel: Vessel,
    recipe: MasterRecipe,
    *,
    unit_procedure: str = "production",
    initial: Mapping[str, float] | None = None,
    parameters: Mapping[str, Override] | None = None,
    feed_factor: float = 1.0,
    inoculum: Run | None = None,
) -> Setup:
    """The setup of one run; arguments and errors as `simulate`."""
    if not culture.design:
        raise InputError(
            f"culture {culture.name} is kept for reproduction only: {culture.title}",
            remedy="Simulate with a culture that closes its balances, such as ecoli_balanced; see `reproduce`.",
        )
    if not (math.isfinite(feed_factor) and feed_factor >= 0):
        raise InputError(f"feed_factor is {feed_factor}", remedy="Give a factor of 0 or more.")
    own, around = surroundings_of(parameters or {}, culture)
    culture = culture.with_parameters(own) if own else culture
    plan = plan_of(culture, vessel, recipe, unit_procedure, feed_factor)
    check_retention(vessel, recipe, plan.segments)
    check_shaken(vessel, recipe, plan.segments)
    return Setup(culture, vessel, recipe, unit_procedure, plan, around, dict(initial or {}), inoculum)


def kind_of(vessel: Vessel) -> Kind:
    """How gas comes into a vessel."""
    if isinstance(vessel, Airlift):
        return "airlift"
    return "stirred" if isinstance(vessel, StirredTank) else "still"


def aeration_of(vessel: Vessel, segment: Segment) -> tuple[float, bool]:
    """Normal volumes of air per volume and minute, and whether the recipe's figure fits the vessel."""
    if isinstance(vessel, ShakeFlask | Well):
        return vessel.transfer.gas_exchange, True
    wanted = vessel.aeration[0] if segment.aeration is None else segment.aeration
    kept = min(max(wanted, vessel.aeration[0]), vessel.aeration[1])
    return kept, kept == wanted


def _vessel_numbers(vessel: Vessel, segment: Segment, around: Surroundings, volume: float) -> dict[str, float]:
    """The vessel's figures in the units of the equations; `volume` L at the start of the run."""
    if isinstance(vessel, ShakeFlask | Well | WaveBag):
        wanted = segment.shaking_frequency
        known = vessel.transfer if isinstance(vessel, WaveBag) else shaken_transfer(vessel, volume, wanted)
        return {
            "k_ref": known.kLa,
            "V_ref": known.reference_volume,
            "k_exponent": known.volume_exponent,
            "w_still": known.evaporation,
        }
    jacket = {
        "U_jacket": vessel.heat_transfer_coefficient,
        "A_jacket": vessel.cooling_area,
        "T_cool": vessel.coolant_temperature,
        "T_heat": around["heating_temperature"],
    }
    if isinstance(vessel, Airlift):
        return jacket | {"D_T": vessel.diameter, "k_gas": COLUMN_FACTOR, "n_gas": COLUMN_EXPONENT}
    low, high, _ = speed_range(vessel, segment)
    most = vessel.aeration[1] if segment.aeration_high is None else min(segment.aeration_high, vessel.aeration[1])
    zoned = {"Q_zone": zone_exchange(vessel, volume, high)} if vessel.zones > 1 else {}
    if vessel.side_compartment is not None:
        zoned = {"Q_zone": vessel.side_compartment.flow, "V_side": vessel.side_compartment.volume}
    return (
        jacket
        | zoned
        | {
            "coalescence": around["coalescence"],
            "speed_low": low,
            "speed_high": high,
            "D_T": vessel.diameter,
            "D_i": vessel.impeller_diameter,
            "impellers": float(vessel.impellers),
            "P_number": vessel.power_number,
            "P_motor": vessel.motor_power,
            "vvm_high": most,
            "share_high": vessel.pure_oxygen,
        }
    )


def _saturation(vessel: Vessel, segment: Segment, around: Surroundings, volume: float) -> float:
    """mmol/L of O2 at which a probe reads 100 % in `segment`."""
    head = segment.head_pressure if kind_of(vessel) != "still" else 0.0
    dry = mean_pressure(vessel, volume, head) - water_vapour(segment.temperature)
    return oxygen_solubility(segment.temperature) * around["oxygen_solubility_factor"] * OXYGEN_IN_AIR * dry


def inoculum_liquid(culture: Culture, plan: Plan, run: Run | None) -> Liquid:
    """What a litre of inoculum holds: the end of the seed run, or washed-out medium with the recipe's biomass."""
    if run is None:
        cells = {culture.biomass: plan.seed / culture.masses[culture.biomass]} if culture.biomass else {}
        return Liquid(cells, water=980.0)
    if run.final("V") < plan.inoculum * (1 - 1e-9):
        raise InputError(
            f"{plan.inoculum:.4g} L of inoculum are wanted, and {run.vessel} holds {run.final('V'):.4g} L at the end",
            remedy="Charge more into the seed vessel, or choose a larger one.",
        )
    species = {name: run.final(name) for name in culture.species if name in run.variables}
    return Liquid(species, run.final("water"), run.final("minerals"), run.final("NH"), run.final("I"))


def mix(parts: list[tuple[Liquid, float]]) -> Liquid:
    """The mixture of liquids, each with its volume in L."""
    volume = sum(amount for _, amount in parts)

    def blend(pick: Callable[[Liquid], float]) -> float:
        return sum(pick(item) * amount for item, amount in parts) / volume

    names = sorted({name for item, _ in parts for name in item.species})
    return Liquid(
        {name: blend(lambda item, name=name: item.species.get(name, 0.0)) for name in names},  # type: ignore[misc]
        blend(lambda item: item.water),
        blend(lambda item: item.minerals),
        blend(lambda item: item.ammonia),
        blend(lambda item: item.inducer),
        blend(lambda item: item.antifoam),
        blend(lambda item: item.iptg),
    )
