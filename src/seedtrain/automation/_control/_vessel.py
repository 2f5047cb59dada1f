"""The controllers of one stirred tank: temperature, pH, dissolved oxygen and foam."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from seedtrain.automation._control._pid import Pid, PidSettings
from seedtrain.automation._control._split import Stage, split
from seedtrain.simulation import HEATING_WATER, Liquid, StirredTank, TankInputs

OXYGEN_SHARE: Final = 0.4  # of the gas that may be pure oxygen at the end of the cascade, assumed
BASE_PER_HOUR: Final = 0.03  # of the working volume that the base pump gives at most, 1/h; assumed
ANTIFOAM_DOSE: Final = 0.0004  # of the working volume per hour while it foams, 1/h; assumed
FOAM_LIMIT: Final = 0.12  # m at which antifoam is dosed, assumed

# Tuned on a driven tank of 200 L (`tests/automation_control`); rules of thumb for other volumes.
TEMPERATURE: Final = PidSettings(gain=8.0, integral_time=0.5, low=2.0, high=HEATING_WATER)  # jacket degC per degC
JACKET: Final = PidSettings(gain=3.0, integral_time=0.05, low=2.0, high=HEATING_WATER)  # inlet degC per degC
ACIDITY: Final = PidSettings(gain=60.0, integral_time=0.5, low=-100.0, high=100.0, dead_band=0.02)  # % per pH
OXYGEN: Final = PidSettings(gain=60.0, integral_time=0.05, fall=100.0)  # % per share of air saturation
"""It falls slowly, so that a feed that stops for some minutes finds its oxygen when it comes back."""


@dataclass(frozen=True)
class SetPoints:
    """What a phase wants; None is "not controlled".

    - `temperature` degC, `dissolved_oxygen` of air saturation, `head_pressure` bar gauge.
    - `stirrer_speed` 1/min: fixed, or with a set point of oxygen the most that the cascade uses. `aeration` vvm: fixed;
      the cascade enriches it where it is `enriched`.
    """

    temperature: float | None = None
    pH: float | None = None
    dissolved_oxygen: float | None = None
    stirrer_speed: float | None = None
    aeration: float | None = None
    head_pressure: float = 0.0
    enriched: bool = False  # whether the cascade may use pure oxygen


@dataclass(frozen=True)
class Actuators:
    """What drive, valves and pumps are told: 1/min, normal L/min, L/h, degC, bar gauge."""

    speed: float = 0.0
    air: float = 0.0
    oxygen: float = 0.0
    carbon_dioxide: float = 0.0
    base: float = 0.0
    acid: float = 0.0
    antifoam: float = 0.0
    jacket_inlet: float = 20.0
    head_pressure: float = 0.0

    def inputs(self, feed: float, *, feed_liquid: Liquid, base_liquid: Liquid) -> TankInputs:
        """What a tank gets where every actuator does as it is told; `feed` in L/h, liquids as in their bottles."""
        return TankInputs(**asdict(self), feed=feed, feed_liquid=feed_liquid, base_liquid=base_liquid)


@dataclass
class VesselControl:
    """Every loop of one tank."""

    vessel: StirredTank
    set_points: SetPoints = field(default_factory=SetPoints)
    actuators: Actuators = field(default_factory=Actuators)

    def __post_init__(self) -> None:
        coolant = self.vessel.coolant_temperature
        self.temperature = Pid(replace(TEMPERATURE, low=coolant), 20.0)
        self.jacket = Pid(replace(JACKET, low=coolant), 20.0)
        self.acidity = Pid(ACIDITY)
        self.oxygen = Pid(OXYGEN)
        self._stages: tuple[Stage, ...] = ()
        self._volume = self.vessel.working_volume[1]
        self.want(self.set_points)

    @property
    def loops(self) -> Mapping[str, Pid]:
        """Every loop by the tag that it controls."""
        return {
            "temperature": self.temperature,
            "jacket_temperature": self.jacket,
            "pH": self.acidity,
            "dissolved_oxygen": self.oxygen,
        }

    def want(self, set_points: SetPoints) -> None:
        """New set points; the loops go on from where they stand."""
        self.set_points = set_points
        low, high = self.vessel.stirrer_speed
        speed = high if set_points.stirrer_speed is None else min(max(set_points.stirrer_speed, low), high)
        lowest, highest = self.vessel.aeration
        gas = lowest if set_points.aeration is None else min(max(set_points.aeration, lowest), highest)
        if set_points.dissolved_oxygen is None:
            steady = low if set_points.stirrer_speed is None else speed
            self._stages = (
                Stage("speed", 0, 0, steady, steady),
                Stage("gas", 0, 0, gas, gas),
                Stage("rich", 0, 0, 0, 0),
            )
            return
        rich = OXYGEN_SHARE if set_points.enriched else 0.0
        self._stages = (
            Stage("speed", 0.0, 80.0 if set_points.enriched else 100.0, low, speed),
            Stage("gas", 0.0, 0.0, gas, gas),
            Stage("rich", 80.0, 100.0, 0.0, rich),
        )

    def to_data(self) -> dict[str, Any]:
        """Set points, actuators and the state of every loop, JSON-ready."""
        loops = {name: loop.to_data() for name, loop in self.loops.items()}
        return {"set_points": asdict(self.set_points), "actuators": asdict(self.actuators), "loops": loops}

    def restore(self, data: Mapping[str, Any]) -> None:
        """The state of `to_data`."""
        self.want(SetPoints(**data["set_points"]))
        self.actuators = Actuators(**data["actuators"])
        for name, loop in self.loops.items():
            loop.restore(data["loops"][name])

    def step(self, measured: Mapping[str, float], dt: float) -> Actuators:
        """What the actuators are told for the next `dt` hours, from what the instruments show.

        `measured`: temperature, jacket_temperature (degC), pH, dissolved_oxygen (of air saturation), foam (m), volume
        (L); what is missing leaves its loop where it is.
        """
        wanted, seen = self.set_points, {**_MISSING, **measured}
        volume = seen["volume"] if seen["volume"] > 0 else self._volume
        share = self.oxygen.output
        if wanted.dissolved_oxygen is not None:
            share = self.oxygen.step(wanted.dissolved_oxygen, seen["dissolved_oxygen"], dt)
        placed = split(self._stages, share)
        gas = placed["gas"] * volume
        self.actuators = Actuators(
            speed=placed["speed"],
            air=gas * (1.0 - placed["rich"]),
            oxygen=gas * placed["rich"],
            jacket_inlet=self._inlet(seen, dt),
            head_pressure=wanted.head_pressure,
            **self._titrants(seen, volume, dt),
            antifoam=ANTIFOAM_DOSE * volume if seen["foam"] > FOAM_LIMIT else 0.0,
        )
        return self.actuators

    def _inlet(self, seen: Mapping[str, float], dt: float) -> float:
        """The water into the jacket: the broth's loop sets the jacket's, which sets the valves."""
        wanted = self.set_points.temperature
        if wanted is None:
            return self.actuators.jacket_inlet
        jacket = self.temperature.step(wanted, seen["temperature"], dt)
        return self.jacket.step(jacket, seen["jacket_temperature"], dt)

    def _titrants(self, seen: Mapping[str, float], volume: float, dt: float) -> dict[str, float]:
        if self.set_points.pH is None:
            return {"base": 0.0, "acid": 0.0}
        output = self.acidity.step(self.set_points.pH, seen["pH"], dt)
        most = BASE_PER_HOUR * volume / 100.0
        return {"base": max(output, 0.0) * most, "acid": abs(min(output, 0.0)) * most}


_MISSING: Final = dict.fromkeys(
    ("temperature", "jacket_temperature", "pH", "dissolved_oxygen", "foam", "volume"), math.nan
)
