"""Biomass and growth rate from the exit gas: an extended Kalman filter with the culture's own model.

Source: Jazwinski 1970, Stochastic Processes and Filtering Theory, chapter 8 (continuous-discrete extended filter); the
covariance is put right in Joseph's form. The model's derivative along a step is exact, by forward sensitivities.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.automation._control._soft import gas_balance
from seedtrain.base import InputError
from seedtrain.simulation import LiveTank, TankInputs

Floats = NDArray[np.float64]

START_SPREAD: Final = 0.2  # of every content at the start, relative
DRIFT: Final = 0.03  # of every content, relative, per square root of an hour
PARAMETER_SPREAD: Final = 0.25  # of every parameter at the start, relative
PARAMETER_DRIFT: Final = 0.02  # relative, per square root of an hour
FLOOR: Final = 1e-3  # of a content below which its spread no longer shrinks, g/L
SURPRISE: Final = 2.0
NUDGE: Final = 1e-4  # relative, for the derivative of a reading


@dataclass(frozen=True)
class Observed:
    """A reading that corrects the filter: `tag` of `LiveTank.read`, its noise, and the same as a part of the value.

    - `at_exit`: a rate found by the balance of the gas over the tank, which follows the rate in the broth late: carbon
      dioxide is dissolved first, and head space holds gas.
    """

    tag: str
    noise: float
    relative: float = 0.0
    at_exit: bool = False


GAS: Final = (Observed("OUR", 0.3, 0.02), Observed("CER", 0.3, 0.02))
"""Exit gas: noise of the analysers and of the flow, mmol/L/h; assumed."""
EXIT_GAS: Final = tuple(replace(item, at_exit=True) for item in GAS)
"""The same where the rates come by the balance over the tank, as on a plant."""


@dataclass
class CultureFilter:
    """Follows a culture: `model` is a tank in the same state, driven with the same inputs as the real one.

    - `parameters`: of the culture, known within `PARAMETER_SPREAD` alone, which the filter learns.
    - `observed`: what corrects it.

    Raises `InputError` for a parameter that the culture does not have.
    """

    model: LiveTank
    parameters: Sequence[str] = ()
    observed: Sequence[Observed] = GAS
    covariance: Floats = field(init=False)

    def __post_init__(self) -> None:
        culture = self.model.culture
        for name in self.parameters:
            if name not in culture.parameters:
                raise InputError(
                    f"the culture has no parameter {name!r}", remedy=f"Use one of: {', '.join(culture.parameters)}."
                )
        self.states = [f"m_{name}" for name in culture.species]
        spread = START_SPREAD * np.maximum(self.model.amounts(self.states), FLOOR)
        own = [PARAMETER_SPREAD * abs(self.model.parameter(name)) for name in self.parameters]
        self.covariance = np.diag(np.square([*spread, *own]))

    def step(self, inputs: TankInputs, dt: float, measured: Mapping[str, float]) -> dict[str, float]:
        """Follow `dt` hours under `inputs`, then correct by what is measured; readings that are missing are left out.

        **Returns** what `told` does.
        """
        self._predict(inputs, dt)
        for item in self.observed:
            value = measured.get(item.tag, math.nan)
            if math.isfinite(value):
                self._correct(item, value, inputs)
        return self.told(inputs)

    def draw(self, volume: float) -> None:
        """Broth is taken out, L: what is left is known as well as it was, in proportion."""
        before = self.model.volume
        self.model.draw(volume)
        left = np.ones(len(self.covariance))
        left[: len(self.states)] = self.model.volume / before
        self.covariance *= np.outer(left, left)

    def _predict(self, inputs: TankInputs, dt: float) -> None:
        along = self.model.advance_along(dt, inputs, self.states, self.parameters)
        size, count = len(self.covariance), len(self.states)
        step = np.eye(size)
        step[:count] = along
        drift = DRIFT * np.maximum(self.model.amounts(self.states), FLOOR)
        own = [PARAMETER_DRIFT * abs(self.model.parameter(name)) for name in self.parameters]
        self.covariance = step @ self.covariance @ step.T + np.diag(np.square([*drift, *own])) * dt

    def _values(self) -> Floats:
        return np.array([*self.model.amounts(self.states), *(self.model.parameter(name) for name in self.parameters)])

    def _put(self, values: Floats) -> None:
        count = len(self.states)
        self.model.correct(self.states, values[:count])
        for name, value in zip(self.parameters, values[count:], strict=True):
            known = self.model.culture.parameters[name].value
            self.model.set_parameter(name, float(np.clip(value, 0.3 * known, 3.0 * known)))

    def _correct(self, item: Observed, value: float, inputs: TankInputs) -> None:
        here = self._values()
        expected = self._expected(item, inputs)
        slope = self._slope(item.tag, inputs)
        noise = (item.noise + item.relative * abs(value)) ** 2
        # Where the substrate ends a moment earlier or later than in the model, a reading is off by far more than noise:
        # it counts for what a surprise of `SURPRISE` deviations would.
        spread = float(slope @ self.covariance @ slope)
        noise += max((value - expected) ** 2 / SURPRISE**2 - spread - noise, 0.0)
        gain = self.covariance @ slope / (spread + noise)
        keep = np.eye(len(here)) - np.outer(gain, slope)
        self.covariance = keep @ self.covariance @ keep.T + noise * np.outer(gain, gain)
        self._put(here + gain * (value - expected))

    def _expected(self, item: Observed, inputs: TankInputs) -> float:
        """What is to be read now."""
        seen = self.model.read(inputs)
        if not item.at_exit:
            return seen[item.tag]
        gas = (inputs.air, inputs.oxygen, inputs.nitrogen, inputs.carbon_dioxide)
        return gas_balance(*gas, seen["exit_oxygen"], seen["exit_carbon_dioxide"], seen["volume"])[item.tag]

    def _slope(self, tag: str, inputs: TankInputs) -> Floats:
        """How a reading follows from contents and parameters; the model is left as it is."""
        here = self._values()
        expected = self.model.read(inputs)[tag]
        slope = np.zeros(len(here))
        for index in range(len(here)):
            moved = here.copy()
            moved[index] += max(NUDGE * abs(here[index]), 1e-9)
            self._put(moved)
            slope[index] = (self.model.read(inputs)[tag] - expected) / (moved[index] - here[index])
        self._put(here)
        return slope

    def told(self, inputs: TankInputs) -> dict[str, float]:
        """What is thought now, under `inputs`: contents by symbol in their units, `biomass` g/L, `mu` 1/h, `RQ`.

        `biomass_sd`, `mu_sd`: standard deviations by the filter's covariance.
        """
        seen = self.model.read(inputs)
        culture = self.model.culture
        inside = [name for name, item in culture.species.items() if item.intracellular]
        per = self.model.vessel.working_volume[1] / self.model.volume
        weights = np.array([culture.masses[name] if name in inside else 0.0 for name in culture.species])
        block = self.covariance[: len(weights), : len(weights)]
        rate = self._slope("mu", inputs)
        return {
            **{name: seen[name] for name in culture.species},
            "biomass": sum(seen[name] * culture.masses[name] for name in inside),
            "biomass_sd": per * math.sqrt(max(float(weights @ block @ weights), 0.0)),
            "mu": seen["mu"],
            "mu_sd": math.sqrt(max(float(rate @ self.covariance @ rate), 0.0)),
            "RQ": seen["CER"] / seen["OUR"] if seen["OUR"] > 1e-9 else 1.0,
        }

    def to_data(self) -> dict[str, Any]:
        """Its state, JSON-ready."""
        known = {name: self.model.parameter(name) for name in self.parameters}
        return {"model": self.model.to_data(), "parameters": known, "covariance": self.covariance.tolist()}

    def restore(self, data: Mapping[str, Any]) -> None:
        """The state of `to_data`."""
        self.model.restore(data["model"])
        for name, value in data["parameters"].items():
            self.model.set_parameter(name, float(value))
        self.covariance = np.array(data["covariance"], dtype=float)
