"""A driven tank under its controllers, for tests."""

from __future__ import annotations

import numpy as np

from seedtrain.automation._control import ControlScheme, Feeding, SetPoints, VesselControl
from seedtrain.simulation import LiveTank, StirredTank, TankInputs
from tests.simulation_live.test_tank import BASE, FEED, STEP, VESSEL

SET = SetPoints(37.0, 6.9, 0.3, aeration=1.0, head_pressure=0.3)


class Rig:
    """A tank and its controllers, moved on by 30 s; `log` holds (h, what is true) after each step."""

    def __init__(
        self,
        tank: LiveTank,
        set_points: SetPoints = SET,
        *,
        seed: int = 1,
        scheme: ControlScheme | None = None,
    ) -> None:
        assert isinstance(VESSEL, StirredTank)
        self.tank, self.control = tank, VesselControl(VESSEL, set_points, scheme=scheme or ControlScheme())
        self.rng = np.random.default_rng(seed)
        self.hours = 0.0
        self.inputs = TankInputs(speed=100.0, air=90.0, jacket_inlet=37.0)
        self.log: list[tuple[float, dict[str, float]]] = []

    def noisy(self) -> dict[str, float]:
        true = self.tank.read(self.inputs)
        draw = self.rng.standard_normal(3)
        return true | {
            "pH": true["pH"] + 0.015 * draw[0],
            "dissolved_oxygen": true["dissolved_oxygen"] + 0.005 * draw[1],
            "temperature": true["temperature"] + 0.05 * draw[2],
        }

    def step(self, feed: float = 0.0) -> TankInputs:
        told = self.control.step(self.noisy(), STEP)
        self.inputs = told.inputs(feed, feed_liquid=FEED, base_liquid=BASE)
        self.tank.advance(STEP, self.inputs)
        self.hours += STEP
        self.log.append((self.hours, self.tank.read(self.inputs)))
        return self.inputs

    def run(self, hours: float, feeding: Feeding | None = None) -> list[tuple[float, dict[str, float]]]:
        start, first = self.hours, len(self.log)
        for _ in range(round(hours / STEP)):
            since = self.hours - start
            self.step(feeding.step(since, STEP, self.tank.read(self.inputs)) if feeding else 0.0)
        return self.log[first:]
