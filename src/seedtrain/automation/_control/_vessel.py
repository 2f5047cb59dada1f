"""The controllers of one stirred tank: temperature, pH, dissolved oxygen and foam."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from seedtrain.automation._control._pid import Pid, PidSettings
from seedtrain.automation._control._scheme import ControlScheme, highest_output, output_at, steady_stages
from seedtrain.automation._control._split import Stage, split
from seedtrain.simulation import HEATING_WATER, Liquid, StirredTank, TankInputs

BASE_PER_HOUR: Final = 0.03  # of the working volume that the pump of base or acid gives at most, 1/h; assumed
ANTIFOAM_DOSE: Final = 0.0004  # of the working volume per hour while it foams, 1/h; assumed
FOAM_LIMIT: Final = 0.12  # m at which antifoam is dosed, assumed

# Tuned on a driven tank of 200 L (`tests/automation_control`); rules of thumb for other volumes.
TEMPERATURE: Final = PidSettings(gain=8.0, integral_time=0.5, low=2.0, high=HEATING_WATER)  # jacket degC per degC
JACKET: Final = PidSettings(gain=3.0, integral_time=0.05, low=2.0, high=HEATING_WATER)  # inlet degC per degC
ACIDITY: Final = PidSettings(gain=60.0, integral_time=0.5, low=-100.0, high=100.0, dead_band=0.02)  # % per pH
OXYGEN: Final = PidSettings(gain=60.0, integral_time=0.05, fall=100.0)  # % per share of air saturation
"""It falls slowly, so that a feed that stops for some minutes finds its oxygen when it comes back."""
PURE_OXYGEN_FALL: Final = 2000.0
"""% per h while pure oxygen flows: it is taken back at once, because what nobody uses drives the culture past air."""


@dataclass(frozen=True)
class SetPoints:
    """What a phase wants; None is "not controlled".

    - `temperature` degC, `dissolved_oxygen` of air saturation, `head_pressure` bar gauge.
    - `stirrer_speed` 1/min: fixed, or with a set point of oxygen the most that the cascade uses.
    - `aeration` vvm: fixed, or with a set point of oxygen where the cascade begins; `aeration_high`: the most that it
      uses, the vessel's own limit where it is None.
    - `by_hand`: of these two, which a person has set: it stands there, and the cascade goes on with the others.
    """

    temperature: float | None = None
    pH: float | None = None
    dissolved_oxygen: float | None = None
    stirrer_speed: float | None = None
    aeration: float | None = None
    head_pressure: float = 0.0
    aeration_high: float | None = None
    by_hand: tuple[str, ...] = ()


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

    @property
    def gas(self) -> float:
        """All of it, normal L/min."""
        return self.air + self.oxygen + self.carbon_dioxide

    def inputs(self, feed: float, *, feed_liquid: Liquid, base_liquid: Liquid, strong_base: float = 0.0) -> TankInputs:
        """What a tank gets where every actuator does as it is told; `feed` in L/h, liquids as in their bottles."""
        return TankInputs(
            **asdict(self), feed=feed, feed_liquid=feed_liquid, base_liquid=base_liquid, strong_base=strong_base
        )


@dataclass
class VesselControl:
    """Every loop of one tank.

    Oxygen is held by a cascade: one output moves stirrer, gas and pure oxygen one after the other, in the order and
    within the limits of `scheme`. The output of the pH above zero is base; below it, carbon dioxide and acid in the
    scheme's order.
    """

    vessel: StirredTank
    set_points: SetPoints = field(default_factory=SetPoints)
    actuators: Actuators = field(default_factory=Actuators)
    scheme: ControlScheme = field(default_factory=ControlScheme)

    def __post_init__(self) -> None:
        coolant = self.vessel.coolant_temperature
        self.temperature = Pid(replace(TEMPERATURE, low=coolant), 20.0)
        self.jacket = Pid(replace(JACKET, low=coolant), 20.0)
        self._acids = self.scheme.acid_stages()
        self.acidity = Pid(replace(ACIDITY, low=-max(highest_output(self._acids), _NOTHING)))
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
        """New set points; the loops go on from where their actuators stand."""
        self.set_points = set_points
        given = {"speed": set_points.stirrer_speed, "aeration": set_points.aeration}
        if set_points.dissolved_oxygen is None:
            self._stages = steady_stages(self.vessel, **given)
            return
        stages = self.scheme.oxygen_stages(
            self.vessel, **given, aeration_high=set_points.aeration_high, by_hand=set_points.by_hand
        )
        if stages == self._stages:
            return
        self._stages = stages
        self.oxygen.settings = replace(self.oxygen.settings, high=max(highest_output(stages), _NOTHING))
        self.oxygen.shift(output_at(stages, self._places()))

    def _places(self) -> dict[str, float]:
        """Where the actuators of the cascade stand, in its units."""
        told = self.actuators
        return {
            "stirrer_speed": told.speed,
            "aeration": told.gas / self._volume,
            "oxygen_share": told.oxygen / told.gas if told.gas > 0 else 0.0,
        }

    def to_data(self) -> dict[str, Any]:
        """Set points, actuators and the state of every loop, JSON-ready."""
        loops = {name: loop.to_data() for name, loop in self.loops.items()}
        return {"set_points": asdict(self.set_points), "actuators": asdict(self.actuators), "loops": loops}

    def restore(self, data: Mapping[str, Any]) -> None:
        """The state of `to_data`."""
        self.actuators = Actuators(**data["actuators"])
        self.want(SetPoints(**{**data["set_points"], "by_hand": tuple(data["set_points"].get("by_hand", ()))}))
        for name, loop in self.loops.items():
            loop.restore(data["loops"][name])

    def step(self, measured: Mapping[str, float], dt: float) -> Actuators:
        """What the actuators are told for the next `dt` hours, from what the instruments show.

        `measured`: temperature, jacket_temperature (degC), pH, dissolved_oxygen (of air saturation), foam (m), volume
        (L); what is missing leaves its loop where it is.
        """
        wanted, seen = self.set_points, {**_MISSING, **measured}
        self._volume = seen["volume"] if seen["volume"] > 0 else self._volume
        placed = split(self._stages, self._asked(wanted.dissolved_oxygen, seen["dissolved_oxygen"], dt))
        base, sour = self._titrants(seen["pH"], dt)
        gas, rich, carbonic = placed["aeration"] * self._volume, placed["oxygen_share"], sour["carbon_dioxide_share"]
        most = BASE_PER_HOUR * self._volume
        self.actuators = Actuators(
            speed=placed["stirrer_speed"],
            air=gas * (1.0 - rich - carbonic),
            oxygen=gas * rich,
            carbon_dioxide=gas * carbonic,
            base=base * most,
            acid=sour["acid"] * most,
            jacket_inlet=self._inlet(seen, dt),
            head_pressure=wanted.head_pressure,
            antifoam=ANTIFOAM_DOSE * self._volume if seen["foam"] > FOAM_LIMIT else 0.0,
        )
        return self.actuators

    def _asked(self, wanted: float | None, seen: float, dt: float) -> float:
        """The output of the oxygen's loop."""
        if wanted is None:
            return self.oxygen.output
        fall = PURE_OXYGEN_FALL if self.actuators.oxygen > 0 else OXYGEN.fall
        if self.oxygen.settings.fall != fall:
            self.oxygen.settings = replace(self.oxygen.settings, fall=fall)
        return self.oxygen.step(wanted, seen, dt)

    def _inlet(self, seen: Mapping[str, float], dt: float) -> float:
        """The water into the jacket: the broth's loop sets the jacket's, which sets the valves."""
        wanted = self.set_points.temperature
        if wanted is None:
            return self.actuators.jacket_inlet
        jacket = self.temperature.step(wanted, seen["temperature"], dt)
        return self.jacket.step(jacket, seen["jacket_temperature"], dt)

    def _titrants(self, seen: float, dt: float) -> tuple[float, dict[str, float]]:
        """Base as part of its pump's most, and what lowers the pH: carbon dioxide as part of the gas, acid as base."""
        wanted = self.set_points.pH
        output = 0.0 if wanted is None else self.acidity.step(wanted, seen, dt)
        return max(output, 0.0) / 100.0, _NO_ACID | split(self._acids, max(-output, 0.0))


_NOTHING: Final = 1e-9
"""Of an output behind which there is no actuator: a controller needs some span."""
_NO_ACID: Final = {"carbon_dioxide_share": 0.0, "acid": 0.0}
_MISSING: Final = dict.fromkeys(
    ("temperature", "jacket_temperature", "pH", "dissolved_oxygen", "foam", "volume"), math.nan
)
