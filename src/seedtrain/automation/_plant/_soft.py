"""Soft sensors of a tank: RQ from the exit gas, biomass and growth rate by a filter with the culture's own model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from seedtrain.automation._control import CultureFilter
from seedtrain.automation._sensors import generator
from seedtrain.simulation import LiveTank, TankInputs

SOFT_SENSORS: Final[Mapping[str, str]] = {"RQ": "", "mu": "1/h", "biomass_estimate": "g/L"}
"""What they report, each with its unit."""
LEARNT: Final = ("q_S_max", "Y_em")
"""Parameters of a culture that the filter learns, where it has them."""
EVERY_H: Final = 0.1
"""h between two readings of the exit gas that correct the filter; assumed."""
GUESSED: Final = 0.1
"""How far the contents from which the filter begins are off, as a relative standard deviation; assumed."""
LEAST_UPTAKE: Final = 1.0
"""mmol/L/h of oxygen below which a respiratory quotient says nothing."""


class SoftSensors:
    """Follows one tank from what is known of its contents now, `GUESSED` off; it sees instruments alone after that."""

    def __init__(self, tank: LiveTank, unit: str, seed: int) -> None:
        model = LiveTank(tank.culture, tank.vessel)
        model.restore(tank.to_data())
        states = [f"m_{name}" for name in tank.culture.species]
        draws = generator(seed, unit, "soft sensors", "contents").standard_normal(len(states))
        model.correct(states, model.amounts(states) * np.exp(GUESSED * draws))
        known = [name for name in LEARNT if name in tank.culture.parameters]
        self._filter = CultureFilter(model, known)
        self._due = 0.0
        self.told: dict[str, float] = dict.fromkeys(SOFT_SENSORS, math.nan)

    def follow(self, inputs: TankInputs, dt: float, seen: Mapping[str, float]) -> None:
        """Take `dt` hours under `inputs`, after which the instruments show `seen`, by tag in the sensors' units."""
        self._due += dt
        if self._due < EVERY_H - 1e-9:
            return
        gas = {tag: seen.get(tag, math.nan) for tag in ("OUR", "CER")}
        told = self._filter.step(inputs, self._due, gas)
        self._due = 0.0
        uptake = gas["OUR"]
        self.told = {
            "RQ": gas["CER"] / uptake if uptake > LEAST_UPTAKE else math.nan,
            "mu": told["mu"],
            "biomass_estimate": told["biomass"],
        }
