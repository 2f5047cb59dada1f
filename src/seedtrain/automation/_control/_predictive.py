"""Model-predictive feeding: as fast as the tank can give oxygen, and no faster than the culture burns clean.

The filter's own model is run ahead under each candidate feed, with the stirrer at its highest speed; the candidate with
the most biomass at the horizon is taken, of those whose oxygen and overflow stay within their limits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from seedtrain.automation._control._filter import CultureFilter
from seedtrain.simulation import LiveTank, TankInputs

AHEAD: Final = 0.1  # h of one step of the prediction
GONE: Final = 0.05  # g/L of substrate
STEPS: Final = (0.5, 0.8, 0.93, 1.0, 1.05, 1.12, 1.25, 1.6)
"""Candidates: the feed over that of now; each then grows with `growth_rate`."""


@dataclass
class PredictiveFeed:
    """Feeds by looking ahead. `follow` is called with every reading of the exit gas, `step` as of any strategy.

    - `filter`: of the culture, in the state that it has when the feed begins. `initial`, `least`, `most`: L/h.
    - `growth_rate`: 1/h, how a candidate grows within the horizon. `horizon`, `every`: h.
    - `least_oxygen`: of air saturation at full speed. `most_overflow`: g/L of acetate; `most_left`: g/L of glucose.
    """

    filter: CultureFilter
    initial: float
    most: float
    growth_rate: float = 0.1
    least: float = 0.0
    horizon: float = 1.0
    every: float = 0.2
    least_oxygen: float = 0.2
    most_overflow: float = 0.5
    most_left: float = 0.5
    _rate: float = field(default=math.nan)
    _decided: float = field(default=-math.inf)
    _inputs: TankInputs = field(default_factory=TankInputs)
    _ahead: LiveTank | None = None

    def follow(self, inputs: TankInputs, dt: float, measured: Mapping[str, float]) -> dict[str, float]:
        """What the filter finds after `dt` hours under `inputs`."""
        self._inputs = inputs
        return self.filter.step(inputs, dt, measured)

    def step(self, hours: float, dt: float, seen: Mapping[str, float]) -> float:
        """As `Feeding.step`."""
        if math.isnan(self._rate):
            self._rate = self.initial
            self._substrate_gone()
        if hours - self._decided >= self.every - 1e-9:
            self._decided = hours
            self._rate = self._choose()
        return self._rate

    def _substrate_gone(self) -> None:
        """The feed begins because the substrate of the batch is used up, whatever the model thinks."""
        name = self.filter.model.culture.symbol("glucose")
        if name is not None:
            left = float(self.filter.model.amounts([f"m_{name}"])[0])
            self.filter.model.correct([f"m_{name}"], np.array([min(left, GONE * self.filter.model.amounts(["v"])[0])]))

    def _choose(self) -> float:
        rates = [min(max(self._rate * factor, self.least), self.most) for factor in STEPS]
        found = [(self._look(rate), rate) for rate in dict.fromkeys(rates)]
        good = [(biomass, rate) for (biomass, within), rate in found if within]
        return max(good)[1] if good else max(min(rates), self.least)

    def _look(self, rate: float) -> tuple[float, bool]:
        """Biomass at the horizon, g, and whether oxygen and overflow stayed within their limits."""
        model = self.filter.model
        if self._ahead is None:
            self._ahead = LiveTank(model.culture, model.vessel)
        tank = self._ahead
        tank.restore(model.to_data())
        for name in self.filter.parameters:
            tank.set_parameter(name, model.parameter(name))
        within, hours = True, 0.0
        while hours < self.horizon - 1e-9:
            inputs = self._held(tank, rate * math.exp(self.growth_rate * hours))
            tank.advance(AHEAD, inputs)
            hours += AHEAD
            seen = tank.read(inputs)
            enough = seen["dissolved_oxygen"] >= self.least_oxygen
            within = within and enough and self._content(seen, "acetate") <= self.most_overflow
        seen = tank.read(self._inputs)
        within = within and self._content(seen, "glucose") <= self.most_left
        return seen["cells"] * seen["volume"], within

    def _content(self, seen: Mapping[str, float], known_as: str) -> float:
        return seen.get(self.filter.model.culture.symbol(known_as) or "", 0.0)

    def _held(self, tank: LiveTank, feed: float) -> TankInputs:
        """Inputs under which temperature and pH stay about where they are, the stirrer at its highest speed."""
        inlet = tank.holding_inlet(self._inputs)
        return replace(self._inputs, speed=tank.vessel.stirrer_speed[1], feed=feed, jacket_inlet=inlet)
