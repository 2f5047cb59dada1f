"""Instruments of a tank that is integrated: each lags behind the truth, is noisy, and can fail."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from seedtrain.automation._faults import Fault
from seedtrain.automation._plant._probes import Probes
from seedtrain.automation._sensors import CULTURE_SENSORS, GAS_SENSORS, Sensor, generator

LIVE_SENSORS: Final[Mapping[str, Sensor]] = {
    **CULTURE_SENSORS,
    **{
        item.tag: item
        for item in (
            Sensor("jacket_temperature", "degC", 0.05, delay=0.008, lowest=None, source="assumed: as the broth's"),
            Sensor("exit_oxygen", "%", 0.01, delay=0.008),
            Sensor("exit_carbon_dioxide", "%", 0.01, delay=0.008),
            Sensor("base_rate", "L/h", 0.0, relative=0.003),
            Sensor("foam", "cm", 0.2),
        )
    },
}
"""What an integrated tank reports."""


def sensors_of(oxygen: bool, carbon_dioxide: bool) -> dict[str, Sensor]:
    """What an integrated tank reports that has these gas lines."""
    lines: tuple[str, ...] = ("oxygen_share",) if oxygen else ()
    lines += ("carbon_dioxide_share", "dissolved_carbon_dioxide", "acid_rate") if carbon_dioxide else ()
    return {**LIVE_SENSORS, **{tag: GAS_SENSORS[tag] for tag in lines}}


FILM_DELAY: Final = 0.008  # h of an instrument that answers at once, where a film is to slow it; assumed


@dataclass
class Instrument:
    """One sensor. `show` gives what it shows after `dt` hours more of a truth."""

    sensor: Sensor
    unit: str
    seed: int
    shown: float = math.nan
    _seen: float = math.nan
    _stuck: float = math.nan

    def __post_init__(self) -> None:
        self._draws = generator(self.seed, self.unit, self.sensor.tag, "live sensor")

    def show(self, truth: float, dt: float, faults: Iterable[tuple[Fault, float]] = ()) -> float:
        """What it shows; `faults` with the hours since each began. Not a number where it shows nothing."""
        delay = self.sensor.delay
        for fault, _ in faults:
            delay = max(delay, FILM_DELAY) * fault.offset if fault.kind == "fouling" else delay
        share = 1.0 if delay <= 0 or math.isnan(self._seen) else 1.0 - math.exp(-dt / delay)
        if math.isfinite(truth):
            self._seen = truth if math.isnan(self._seen) else self._seen + share * (truth - self._seen)
        scale = self.sensor.noise + self.sensor.relative * abs(self._seen)
        value, draw = self._seen, float(self._draws.standard_normal())
        for fault, since in faults:
            if fault.kind == "noise":
                scale *= fault.offset
            elif fault.kind == "offset":
                value += fault.offset
            elif fault.kind == "drift":
                value += fault.offset * since
        value += scale * draw
        if self.sensor.lowest is not None:
            value = max(value, self.sensor.lowest)
        kinds = {fault.kind for fault, _ in faults}
        if "stuck" in kinds:
            value = self._stuck = self.shown if math.isnan(self._stuck) else self._stuck
        else:
            self._stuck = math.nan
        if "failure" in kinds:
            value = math.nan
        self.shown = value
        return value

    def to_data(self) -> dict[str, Any]:
        """Its state, JSON-ready; not a number is None."""
        numbers = (self.shown, self._seen, self._stuck)
        return {"values": [None if math.isnan(n) else n for n in numbers], "draws": self._draws.bit_generator.state}

    def restore(self, data: Mapping[str, Any]) -> None:
        """The state of `to_data`."""
        self.shown, self._seen, self._stuck = (math.nan if n is None else float(n) for n in data["values"])
        self._draws.bit_generator.state = data["draws"]


@dataclass
class Instruments:
    """Every sensor of one unit."""

    unit: str
    seed: int
    sensors: Mapping[str, Sensor] = field(default_factory=lambda: LIVE_SENSORS)
    all: dict[str, Instrument] = field(init=False)
    probes: Probes = field(default_factory=Probes)

    def __post_init__(self) -> None:
        self.all = {tag: Instrument(sensor, self.unit, self.seed) for tag, sensor in self.sensors.items()}

    def show(self, truth: Mapping[str, float], dt: float, faults: Iterable[tuple[Fault, float]]) -> dict[str, float]:
        """What each shows of a truth by tag, in the sensors' units; a tag without a truth shows nothing."""
        wrong: dict[str, list[tuple[Fault, float]]] = {}
        for fault, since in faults:
            wrong.setdefault(fault.tag, []).append((fault, since))
        return {
            tag: self.probes.shown(tag, item.show(truth.get(tag, math.nan), dt, wrong.get(tag, ())))
            for tag, item in self.all.items()
        }
