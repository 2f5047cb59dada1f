"""Soft sensors of a tank: RQ from the exit gas, biomass and growth rate by a filter with the culture's own model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seedtrain.automation._control import EXIT_GAS, CultureFilter
from seedtrain.automation._devices import Quality
from seedtrain.automation._sensors import CULTURE_SENSORS, generator
from seedtrain.simulation import Culture, Liquid, LiveTank, StirredTank, TankInputs, TrajectoryError

SOFT_SENSORS: Final[Mapping[str, str]] = {"RQ": "", "mu": "1/h", "biomass_estimate": "g/L"}
"""What they report, each with its unit."""
LEARNT: Final = ("q_S_max", "Y_em")
"""Parameters of a culture that the filter learns, where it has them."""
EVERY_H: Final = 0.1
"""h between two readings of the exit gas that correct the filter; assumed."""
GUESSED: Final = 0.1
"""How far the contents from which the filter begins are off, as a relative standard deviation; assumed."""
TRUSTED: Final = 0.1
"""Relative standard deviation up to which an estimate is good, by the filter's covariance or the analysers' noise;
assumed."""
STEADY: Final = 0.2
"""Of the uptake, by which it may change from one look to the next for the quotient of two gases that lag to be good;
assumed."""
TRUSTED_RATE: Final = 0.02
"""1/h, the same of a growth rate that is near nothing; assumed."""


@dataclass(frozen=True)
class Told:
    """What a soft sensor says, and how far it is to be trusted."""

    value: float
    quality: Quality


class SoftSensors:
    """Follows one tank from what is known of its contents now, `GUESSED` off; it sees instruments alone after that.

    An estimate is uncertain until the exit gas has corrected it, while the filter itself doubts it, and while the exit
    gas is not analysed; the quotient besides while the uptake is too small, or changes too fast. What cannot be read
    from the gas then is the model's own. `lost`: the model can no longer follow; somebody has to begin anew.
    """

    def __init__(self, tank: LiveTank, unit: str, seed: int) -> None:
        model = LiveTank(tank.culture, tank.vessel)
        model.restore(tank.to_data())
        states = [f"m_{name}" for name in tank.culture.species]
        draws = generator(seed, unit, "soft sensors", "contents").standard_normal(len(states))
        model.correct(states, model.amounts(states) * np.exp(GUESSED * draws))
        known = [name for name in LEARNT if name in tank.culture.parameters]
        self._filter = CultureFilter(model, known, EXIT_GAS)
        self._due = 0.0
        self._uptake = math.nan
        self.lost = False
        self.told: dict[str, Told] = {}

    def begin(self, inputs: TankInputs) -> None:
        """Say what is expected before any gas was analysed."""
        self._tell(self._filter.told(inputs), {}, corrected=False)

    def follow(self, inputs: TankInputs, dt: float, seen: Mapping[str, float]) -> None:
        """Take `dt` hours under `inputs`, after which the instruments show `seen`, by tag in the sensors' units."""
        self._due += dt
        if self._due < EVERY_H - 1e-9:
            return
        gas = {tag: value for tag in ("OUR", "CER") if math.isfinite(value := seen.get(tag, math.nan))}
        try:
            told = self._filter.step(inputs, self._due, gas)
        except TrajectoryError:
            self.lost = True
            return
        self._due = 0.0
        self._tell(told, gas, corrected=len(gas) == 2)

    def charge(self, liquid: Liquid, volume: float, temperature: float) -> None:
        """Something was added by hand, and its amount entered."""
        self._filter.model.charge(liquid, volume, temperature=temperature)

    def draw(self, volume: float) -> None:
        """Broth was taken by hand, and its amount entered."""
        self._filter.draw(volume)

    def _tell(self, told: Mapping[str, float], gas: Mapping[str, float], *, corrected: bool) -> None:
        uptake, before = gas.get("OUR", math.nan), self._uptake
        self._uptake = uptake
        analysed = corrected and _error_of_quotient(gas) <= TRUSTED and abs(uptake - before) <= STEADY * uptake
        quotient = gas["CER"] / gas["OUR"] if analysed else told["RQ"]
        sure = corrected and told["biomass_sd"] <= TRUSTED * told["biomass"]
        steady = corrected and told["mu_sd"] <= max(TRUSTED * abs(told["mu"]), TRUSTED_RATE)
        self.told = {
            "RQ": Told(quotient, _quality(sure=analysed)),
            "mu": Told(told["mu"], _quality(sure=steady)),
            "biomass_estimate": Told(told["biomass"], _quality(sure=sure)),
        }

    def to_data(self) -> dict[str, Any]:
        """Its state, JSON-ready."""
        told = {tag: [item.value, item.quality] for tag, item in self.told.items()}
        uptake = None if math.isnan(self._uptake) else self._uptake
        return {"filter": self._filter.to_data(), "due": self._due, "uptake": uptake, "told": told}

    def restore(self, data: Mapping[str, Any]) -> None:
        """The state of `to_data`."""
        self._filter.restore(data["filter"])
        self._due = float(data["due"])
        self._uptake = math.nan if data["uptake"] is None else float(data["uptake"])
        self.told = {tag: Told(*item) for tag, item in data["told"].items()}


def _error_of_quotient(gas: Mapping[str, float]) -> float:
    """Relative standard deviation of CER over OUR by the analysers' noise; where nothing is taken up it is infinite."""
    parts = []
    for tag, value in gas.items():
        sensor = CULTURE_SENSORS[tag]
        parts.append((sensor.noise + sensor.relative * abs(value)) / value if value > 0 else math.inf)
    return math.hypot(*parts)


def _quality(*, sure: bool) -> Quality:
    return "good" if sure else "uncertain"


def warm(culture: Culture, vessel: StirredTank) -> None:
    """Make or load what the tank and its filter run on, so that a clock that runs does not wait for a compiler."""
    tank = LiveTank(culture, vessel)
    tank.charge(Liquid(dict.fromkeys(culture.species, 1e-3), water=900.0, minerals=1.0), vessel.working_volume[0])
    inputs = TankInputs(air=1.0)
    tank.advance(1e-4, inputs)
    tank.advance_along(1e-4, inputs, [f"m_{name}" for name in culture.species])
