"""One driven tank: charged, inoculated, advanced step by step under its inputs, sampled, emptied."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError
from seedtrain.simulation._culture import Culture, Override
from seedtrain.simulation._engine import DONE, Schedule, Seeds, Trajectories, compile_system
from seedtrain.simulation._errors import TrajectoryError
from seedtrain.simulation._evaluate import evaluator
from seedtrain.simulation._live._system import (
    AMMONIUM_PK,
    HEAD_SHARE,
    JACKET_SHARE,
    JACKET_TURNOVER,
    PHOSPHATE_PK,
    WATER_PK,
    live_system,
    numbers_of,
)
from seedtrain.simulation._plan import Liquid
from seedtrain.simulation._run import Floats
from seedtrain.simulation._surroundings import surroundings_of
from seedtrain.simulation._transfer import CO2_IN_AIR, HEAT_CAPACITY, OXYGEN_IN_AIR
from seedtrain.simulation._vessel import StirredTank

RTOL: Final = 1e-5
ATOL: Final = 1e-7
EMPTY: Final = 1e-4  # of the largest working volume: below it a tank counts as empty
START_OXYGEN: Final = 0.2  # mmol/L in fresh medium, assumed: about what air dissolves in it at 37 degC
START_CO2: Final = 0.05  # mmol/L of inorganic carbon in fresh medium, assumed: near what air leaves
PHOSPHATE: Final = 60.0  # mmol/L in medium, assumed: 5 to 15 g/L of phosphates are usual for high cell densities
CULTURE_PHOSPHATE: Final = 1.0  # mmol/L in a medium that bicarbonate buffers, assumed: as in media for animal cells


@dataclass(frozen=True)
class TankInputs:
    """What drive, valves and pumps do over a step.

    - `speed` 1/min; `air`, `oxygen`, `nitrogen`, `carbon_dioxide` normal L/min; `head_pressure` bar gauge.
    - `feed`, `base`, `acid`, `antifoam`, `outlet` L/h; `feed_liquid`, `base_liquid`: what is in the bottles.
    - `strong_base`: mmol/L of hydroxide in the base, beside its ammonia; `acid_protons`: mmol/L.
    - `jacket_inlet`: degC. `foaming`: 1 as usual. `contaminant_growth`: 1/h, of a contaminant that is in the tank.
    """

    speed: float = 0.0
    air: float = 0.0
    oxygen: float = 0.0
    nitrogen: float = 0.0
    carbon_dioxide: float = 0.0
    head_pressure: float = 0.0
    feed: float = 0.0
    base: float = 0.0
    acid: float = 0.0
    antifoam: float = 0.0
    outlet: float = 0.0
    jacket_inlet: float = 20.0
    feed_liquid: Liquid = field(default_factory=Liquid)
    base_liquid: Liquid = field(default_factory=Liquid)
    strong_base: float = 0.0
    acid_protons: float = 2000.0
    foaming: float = 1.0
    contaminant_growth: float = 0.0


@dataclass(frozen=True)
class Broth:
    """What is taken out of a tank, per litre: `liquid`, O2, inorganic carbon, phosphate, its pH, degC.

    - `contaminant` g/L; `antifoam` mL/L.
    """

    liquid: Liquid
    oxygen: float
    carbon: float
    phosphate: float
    pH: float
    temperature: float
    contaminant: float = 0.0
    antifoam: float = 0.0


class LiveTank:
    """A culture in a stirred tank that answers to its inputs.

    Unlike a run, nothing is controlled: temperature, pH, dissolved oxygen, pressure and volume follow from what the
    inputs do. It starts empty.

    - `parameters`: new values of the culture's or of the surroundings' parameters.

    Raises `InputError` for a vessel that is no stirred tank, and for a culture that closes no balances.
    """

    def __init__(
        self, culture: Culture, vessel: StirredTank, *, parameters: Mapping[str, Override] | None = None
    ) -> None:
        if not isinstance(vessel, StirredTank):
            raise InputError(f"{vessel.name} is no stirred tank", remedy="Drive a stirred tank.")
        if not culture.design:
            raise InputError(
                f"culture {culture.name} is kept for reproduction only: {culture.title}",
                remedy="Drive a culture that closes its balances, such as ecoli_balanced.",
            )
        own, around = surroundings_of(parameters or {}, culture)
        self.culture = culture.with_parameters(own) if own else culture
        self.vessel = vessel
        self._system = live_system(self.culture)
        self._compiled = compile_system(self._system)
        self._read = evaluator(self._system)
        self._places = {name: number for number, name in enumerate(self._system.states)}
        self._fixed = {f"u_{name}": value for name, value in self.culture.values.items()}
        self._fixed |= {
            "V_0": vessel.working_volume[1],
            "D_T": vessel.diameter,
            "D_i": vessel.impeller_diameter,
            "impellers": float(vessel.impellers),
            "P_number": vessel.power_number,
            "P_motor": vessel.motor_power,
            "U_jacket": vessel.heat_transfer_coefficient,
            "A_jacket": vessel.cooling_area,
            "coalescence": around["coalescence"],
            "soluble": around["oxygen_solubility_factor"],
            "T_condenser": around["condenser_temperature"],
            "pK": around["pK_carbonic"],
        }
        self._state = np.zeros(len(self._system.states))
        self._set(T=20.0, T_jacket=20.0, pH=7.0, y_O=OXYGEN_IN_AIR, y_C=CO2_IN_AIR)

    @property
    def volume(self) -> float:
        """L of liquid."""
        return self._get("v") * self._fixed["V_0"]

    @property
    def empty(self) -> bool:
        """Whether there is too little in it to be a culture."""
        return self._get("v") < EMPTY

    @property
    def room(self) -> float:
        """L that can still be added."""
        return max(HEAD_SHARE * self._fixed["V_0"] - self.volume, 0.0)

    def charge(
        self, liquid: Liquid, volume: float, *, temperature: float = 20.0, pH: float = 7.0, bicarbonate: float = 0.0
    ) -> None:
        """Add `volume` (L) of a fresh liquid at once; it comes with phosphate buffer, in balance with air, or with
        `bicarbonate` (mmol/L of inorganic carbon, not yet in balance with any gas)."""
        phosphate = CULTURE_PHOSPHATE if bicarbonate > 0 else PHOSPHATE
        phosphate = phosphate if liquid.minerals > 0 else 0.0
        self.add(Broth(liquid, START_OXYGEN, max(bicarbonate, START_CO2), phosphate, pH, temperature), volume)

    def add(self, broth: Broth, volume: float) -> None:
        """Add `volume` (L) of broth at once: amounts, heat and charge are kept.

        Raises `InputError` where it does not go in.
        """
        if not (math.isfinite(volume) and volume >= 0):
            raise InputError(f"{volume} L cannot be added", remedy="Give a volume of 0 L or more.")
        if volume > self.room:
            raise InputError(
                f"{self.vessel.name} holds {self.volume:.4g} L and cannot take {volume:.4g} L more",
                remedy=f"Add at most {self.room:.4g} L.",
            )
        share = volume / self._fixed["V_0"]
        if share == 0.0:
            return
        before = self._get("v")
        charge = self._protons(self._get("pH")) if before > 0 else 0.0
        temperature = (self._get("T") * before + broth.temperature * share) / (before + share)
        added = self._state_of(broth) * share
        charge += _protons(broth.pH, self._fixed["pK"], added, self._places)
        whole = ("T", "T_jacket", "pH", "y_O", "y_C", "foam")
        added[[self._places[name] for name in whole]] = 0.0
        self._state = self._state + added
        from scipy.optimize import brentq  # heavy, and seldom needed

        pH = brentq(lambda value: self._protons(value) - charge, 1.0, 13.0, xtol=1e-10)
        self._set(T=temperature, pH=float(pH))
        if before < EMPTY:  # the jacket has had time to follow
            self._set(T_jacket=temperature)

    def _state_of(self, broth: Broth) -> Floats:
        """One litre of broth as amounts."""
        found = np.zeros_like(self._state)
        liquid = broth.liquid
        known = {f"m_{name}": amount for name, amount in liquid.species.items()}
        known |= {"n_I": liquid.inducer, "n_O": broth.oxygen, "n_C": broth.carbon, "n_N": liquid.ammonia}
        known |= {"n_P": broth.phosphate, "m_W": liquid.water, "m_Z": liquid.minerals, "v": 1.0}
        known |= {"killer": broth.antifoam, "weed": broth.contaminant}
        for name, value in known.items():
            found[self._places[name]] = value
        return found

    def draw(self, volume: float) -> Broth:
        """Take `volume` (L) of broth out at once; raises `InputError` where there is less."""
        if not (math.isfinite(volume) and 0 < volume <= self.volume * (1 + 1e-9)):
            raise InputError(
                f"{self.vessel.name} holds {self.volume:.4g} L, {volume:.4g} L cannot be drawn",
                remedy="Draw what is there.",
            )
        broth = self.broth()
        left = max(1.0 - volume / self.volume, 0.0)
        amounts = [place for name, place in self._places.items() if name[:2] in ("m_", "n_") or name in _AMOUNTS]
        self._state[amounts] *= left
        return broth

    def empty_out(self) -> None:
        """Take everything out."""
        if self.volume > 0:
            self.draw(self.volume)

    def broth(self) -> Broth:
        """What a litre holds now."""
        if self.volume <= 0:
            raise InputError(f"{self.vessel.name} is empty", remedy="Charge it first.")
        per = 1.0 / self._get("v")
        species = {name: max(self._get(f"m_{name}"), 0.0) * per for name in self.culture.species}
        liquid = Liquid(
            species, self._get("m_W") * per, self._get("m_Z") * per, self._get("n_N") * per, self._get("n_I") * per
        )
        return Broth(
            liquid,
            self._get("n_O") * per,
            self._get("n_C") * per,
            self._get("n_P") * per,
            self._get("pH"),
            self._get("T"),
            self._get("weed") * per,
            self._get("killer") * per,
        )

    def contaminate(self, concentration: float) -> None:
        """Let `concentration` (g/L) of a contaminant in."""
        self._state[self._places["weed"]] += concentration * self._get("v")

    def advance(self, hours: float, inputs: TankInputs) -> None:
        """Integrate over `hours` under constant inputs; an empty tank stays as it is, but fills.

        Raises `TrajectoryError` where the equations cannot be integrated.
        """
        if self.empty:
            self._fill(hours, inputs)
            return
        self._take(self._integrated(hours, inputs, None))

    def advance_along(
        self, hours: float, inputs: TankInputs, states: Sequence[str], parameters: Sequence[str] = ()
    ) -> Floats:
        """As `advance`; returns how the end of `states` follows from their start and `parameters`, "state source".

        `states` as in `amounts`; exact, by forward sensitivities.
        """
        places = [self._places[name] for name in states]
        numbers = [numbers_of(self.culture).index(f"u_{name}") for name in parameters]
        count = len(places) + len(numbers)
        initial = np.zeros((len(self._state), count))
        initial[places, range(len(places))] = 1.0
        given = np.zeros((1, len(numbers_of(self.culture)), count))
        given[0, numbers, range(len(places), count)] = 1.0
        none = np.zeros((1, len(self._state), count))
        found = self._integrated(hours, inputs, Seeds(initial, given, none, np.zeros((1, count))))
        self._take(found)
        assert found.finals_by is not None
        return np.asarray(found.finals_by[0, 0][places], dtype=float)

    def _integrated(self, hours: float, inputs: TankInputs, seeds: Seeds | None) -> Trajectories:
        schedule = Schedule(
            initial=self._state[None],
            numbers=np.array([[self._numbers(inputs)]]),
            jumps=np.zeros((1, 1, len(self._state))),
            lengths=np.array([[hours]]),
            actions=np.zeros((1, 1, 0), dtype=np.int8),
        )
        return self._compiled.run(schedule, _NO_TIMES, rtol=RTOL, atol=ATOL, threads=1, seeds=seeds)

    def _take(self, found: Trajectories) -> None:
        if int(found.status[0]) != DONE:
            raise TrajectoryError(
                f"{self.culture.name} in {self.vessel.name}: {found.reason(0)}",
                time=float(found.reached[0]),
                last=self.to_data(),
                remedy="Look at the inputs: a pump, a gas or a temperature beyond what a tank can take.",
            )
        self._state = found.finals[0, 0].copy()
        self._state[: self._places["v"]] = np.maximum(self._state[: self._places["v"]], 0.0)

    def amounts(self, states: Sequence[str]) -> Floats:
        """States by name (`m_X` ... : in the species' unit per litre of the largest working volume)."""
        return self._state[[self._places[name] for name in states]].copy()

    def correct(self, states: Sequence[str], values: Floats) -> None:
        """Put states right, as an estimator does; nothing falls below zero."""
        self._state[[self._places[name] for name in states]] = np.maximum(values, 0.0)

    def parameter(self, name: str) -> float:
        """A parameter of the culture as it is used."""
        return self._fixed[f"u_{name}"]

    def set_parameter(self, name: str, value: float) -> None:
        """Another value of a parameter of the culture from now on."""
        if f"u_{name}" not in self._fixed:
            known = ", ".join(self.culture.parameters)
            raise InputError(f"there is no parameter {name!r}", remedy=f"Use one of: {known}.")
        self._fixed[f"u_{name}"] = float(value)

    def _fill(self, hours: float, inputs: TankInputs) -> None:
        if inputs.feed > 0:
            self.charge(inputs.feed_liquid, inputs.feed * hours)

    def read(self, inputs: TankInputs) -> dict[str, float]:
        """What is true now: volume L, temperature and jacket degC, pH, dissolved oxygen (of air saturation) and more.

        Concentrations by symbol in their units; OUR, CER mmol/L/h; `kLa` 1/h; `power` W; exit gas mole fractions `y_O`
        and `y_C`; `C_CO2` dissolved CO2 without its bicarbonate; `foam` m; `heat`, `cooling` W.
        """
        if self.empty:
            return {"volume": self.volume, "temperature": self._get("T"), "pressure": inputs.head_pressure}
        numbers = self._numbers(inputs)
        state = self._state.tolist()
        seen = dict(
            zip(self._system.observed, self._read.observed(0.0, state, numbers, self._held(numbers)), strict=True)
        )
        per = 1.0 / self._get("v")
        V_0 = self._fixed["V_0"]
        return {
            "volume": self.volume,
            "temperature": self._get("T"),
            "jacket_temperature": self._get("T_jacket"),
            "pH": self._get("pH"),
            "dissolved_oxygen": seen["DO"] / seen["saturation"],
            "pressure": inputs.head_pressure,
            "exit_oxygen": self._get("y_O"),
            "exit_carbon_dioxide": self._get("y_C"),
            "foam": self._get("foam"),
            "contaminant": self._get("weed") * per,
            "C_CO2": self._get("n_C") * per / (1.0 + math.pow(10.0, self._get("pH") - self._fixed["pK"])),
            "NH": self._get("n_N") * per,
            "I": self._get("n_I") * per,
            **{name: self._get(f"m_{name}") * per for name in self.culture.species},
            **{name: seen[name] for name in ("OUR", "CER", "kLa", "mu", "velocity", "cut", "cells")},
            **{name: seen[name] * V_0 for name in ("power", "heat", "cooling")},
        }

    def holding_inlet(self, inputs: TankInputs) -> float:
        """degC of the water into the jacket under which the temperature stays where it is, under `inputs`."""
        seen = self.read(inputs)
        jacket = seen["temperature"] - seen["heat"] / (self._fixed["U_jacket"] * self._fixed["A_jacket"])
        renewed = JACKET_SHARE * JACKET_TURNOVER * HEAT_CAPACITY * 1e-3 * self._fixed["V_0"]  # J/h/K
        return jacket - seen["heat"] * 3600.0 / renewed

    def passed(self) -> dict[str, float]:
        """What has crossed the boundary or been made since the start: O2 taken from gas, CO2 given to it and O2 used
        (mmol), water evaporated (g), protons set free (mmol), heat removed (J)."""
        V_0 = self._fixed["V_0"]
        names = {"oxygen": "x_O", "carbon_dioxide": "x_C", "evaporated": "x_E", "protons": "x_H", "heat": "x_Q"}
        return {word: self._get(name) * V_0 for word, name in (names | {"oxygen_used": "x_U"}).items()}

    def _held(self, numbers: list[float]) -> tuple[float, ...]:
        return self._read.held(numbers, self._state.tolist())

    def _numbers(self, inputs: TankInputs) -> list[float]:
        feed, base = inputs.feed_liquid, inputs.base_liquid
        values = {
            **self._fixed,
            **{name: getattr(inputs, name) for name in _SAME},
            "p_head": inputs.head_pressure,
            "T_inlet": inputs.jacket_inlet,
            "weed_mu": inputs.contaminant_growth,
            "F_I": feed.inducer,
            "F_N": feed.ammonia,
            "F_W": feed.water,
            "F_Z": feed.minerals,
            "B_N": base.ammonia,
            "B_strong": inputs.strong_base,
            "B_W": base.water,
            "A_H": inputs.acid_protons,
            "A_W": 950.0,
            **{f"F_{name}_": feed.species.get(name, 0.0) for name in self.culture.species},
        }
        return [values[name] for name in numbers_of(self.culture)]

    def _protons(self, pH: float) -> float:
        return _protons(pH, self._fixed["pK"], self._state, self._places)

    def _get(self, name: str) -> float:
        return float(self._state[self._places[name]])

    def _set(self, **values: float) -> None:
        for name, value in values.items():
            self._state[self._places[name]] = value

    def to_data(self) -> dict[str, Any]:
        """The whole state, JSON-ready."""
        return dict(zip(self._system.states, self._state.tolist(), strict=True))

    def restore(self, data: Mapping[str, float]) -> None:
        """The state of `to_data`; raises `InputError` where it is another culture's."""
        if set(data) != set(self._places):
            raise InputError("the state is that of another culture", remedy="Restore a tank of the same culture.")
        self._set(**{name: float(value) for name, value in data.items()})


_SAME: Final = (
    *("speed", "air", "oxygen", "nitrogen", "carbon_dioxide"),
    *("feed", "base", "acid", "antifoam", "outlet", "foaming"),
)
_AMOUNTS: Final = ("v", "killer", "weed")
_NO_TIMES: Final = np.zeros(1)


def _protons(pH: float, pK: float, state: Floats, places: Mapping[str, int]) -> float:
    """The charge balance of amounts at a pH: protons beyond CO2(aq), NH4+ and H2PO4-, mmol."""

    def loose(own: float) -> float:
        return 1.0 / (1.0 + math.pow(10.0, own - pH))

    free = 1000.0 * (math.pow(10.0, -pH) - math.pow(10.0, pH - WATER_PK))
    bound = sum(
        float(state[places[name]]) * loose(own)
        for name, own in (("n_C", pK), ("n_N", AMMONIUM_PK), ("n_P", PHOSPHATE_PK))
    )
    return float(state[places["v"]]) * free - float(bound)
