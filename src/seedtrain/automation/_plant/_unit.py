"""One unit of the virtual plant: it plays back what the simulator computed, seen through instruments.

Its durations, amounts and true values come from the simulated runs; sensor noise and assay error are drawn from seeds
that depend on the phase and the tag alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from seedtrain.automation._devices import Addition, EndedBy, Ending, Function, Identity, Reading
from seedtrain.automation._plant._probes import Probes
from seedtrain.automation._plant._state import UnitState
from seedtrain.automation._ramp import CONTROL_INTERVAL
from seedtrain.automation._scenario import UnitScenario
from seedtrain.automation._sensors import DEFAULT_ASSAY_ERROR, assayed, generator
from seedtrain.automation._truth import PhaseTruth
from seedtrain.base import InputError
from seedtrain.quantity import Quantity, convert
from seedtrain.recipe import CALIBRATE, Phase, State

WEIGHT_ERROR: Final = 0.002
"""Relative standard deviation of an amount by scale or totaliser; assumed."""

OUTLET_ERROR: Final = 0.01
"""Relative standard deviation of an amount of product that leaves a phase (volume times assay); assumed."""


class SimulatedUnit:
    """A unit of the virtual plant. Its commands state intent: given twice they do what they do once."""

    def __init__(self, scenario: UnitScenario) -> None:
        self.name = scenario.name
        self._phases = scenario.phases
        self._faults = scenario.faults
        self._assay_error = scenario.assay_error
        self._seed = scenario.seed
        self._changeover = scenario.changeover
        self._unit = UnitState(scenario.name, scenario.phases)
        self._probes = Probes()

    @property
    def state(self) -> State:
        """The unit's ISA-88 state."""
        return self._unit.state

    def identify(self) -> Identity:
        """A simulated unit, and it says so."""
        return Identity(self.name, "Seedtrain", "simulated unit", "simulated")

    def functions(self, path: str, phase: Phase) -> tuple[Function, ...]:
        """What it can report during the phase."""
        sensors = self._truth(path).sensors
        return tuple(Function(tag, item.unit, f"{self.name}.{tag}") for tag, item in sensors.items())

    def connected(self, path: str, phase: Phase) -> tuple[str, ...]:
        """What goes in during the phase."""
        return tuple(dict.fromkeys(item.material for item in self._truth(path).additions))

    def await_ready(self, path: str, at: datetime) -> datetime:
        """The changeover before the first phase of a unit procedure; no wait before the others."""
        self._truth(path)
        return at + timedelta(hours=self._changeover.get(path, 0.0))

    def command(self, path: str, set_points: Mapping[str, Quantity | str]) -> None:
        """Take the set points of the phase."""
        self._unit.command(path)

    def start(self, path: str, phase: Phase, at: datetime) -> None:
        """Run the phase from `at`; refused while another one runs, and before its set points are known."""
        self._unit.start(path, at)

    def hold(self, path: str) -> None:
        """Go to the safe state; an idle unit is there."""
        self._unit.hold(path)

    def abort(self, path: str) -> None:
        """Stop for good."""
        self._unit.abort(path)

    def reset(self) -> None:
        """Be ready for another phase."""
        self._unit.reset()

    def await_end(self, path: str) -> Ending:
        """Play the phase to its end."""
        began = self._began(path)
        truth = self._phases[path]
        if truth.phase.do == CALIBRATE:
            shown = self.read(path, CONTROL_INTERVAL)
            times = [(item.time - began).total_seconds() / 3600.0 for item in shown]
            self._probes.calibrate(truth.phase, truth.hours, times, [item.value for item in shown])
        self._unit.end()
        phase = truth.phase
        ended_by: EndedBy = "at_most" if not truth.reached else "condition" if phase.until else "duration"
        outlet = None
        if truth.product is not None:
            noise = generator(self._seed, path, "product", "outlet").standard_normal()
            outlet = {"product": (truth.product * (1.0 + OUTLET_ERROR * noise), "g")}
        return Ending(
            began + timedelta(hours=truth.hours),
            ended_by,
            tuple(self._weighed(path, item) for item in truth.additions),
            outlet,
        )

    def _weighed(self, path: str, addition: Addition) -> Addition:
        if addition.unit not in ("g", "kg", "L", "mL"):
            return addition  # pieces and areas are counted
        noise = generator(self._seed, path, addition.material, "weight").standard_normal()
        return Addition(addition.material, addition.amount * (1.0 + WEIGHT_ERROR * noise), addition.unit)

    def read(self, path: str, interval: timedelta) -> tuple[Reading, ...]:
        """Every tag from start to end, each `interval` and at the end, with noise and faults."""
        began = self._began(path)
        truth = self._phases[path]
        step = interval.total_seconds() / 3600.0
        times = np.arange(0.0, truth.hours, step)
        if not len(times) or truth.hours - times[-1] > 1e-6:
            times = np.append(times, truth.hours)
        moments = [began + timedelta(hours=float(time)) for time in times]
        readings: list[Reading] = []
        for tag, sensor in truth.sensors.items():
            trace = truth.traces[tag]
            draws = generator(self._seed, path, tag, "sensor").standard_normal(len(times))
            shown = sensor.read(trace.times, trace.values, times, draws)
            for fault in self._faults:
                if fault.path == path and fault.tag == tag:
                    shown = shown + fault.offset * ((times >= fault.start) & (times < fault.end))
            device = f"{self.name}.{tag}"
            readings += [
                Reading(tag, self._probes.shown(tag, float(value)), sensor.unit, moment, "good", "simulated", device)
                for value, moment in zip(shown, moments, strict=True)
            ]
        return tuple(readings)

    def draw_sample(self, path: str, attributes: Mapping[str, str]) -> tuple[Reading, ...]:
        """What the laboratory finds at the phase's end: the true value with the method's error."""
        began = self._began(path)
        truth = self._phases[path]
        at = began + timedelta(hours=truth.hours)
        readings = []
        for name, unit in attributes.items():
            if name not in truth.attributes:
                known = ", ".join(truth.attributes) or "nothing"
                raise InputError(f"{path}: nothing is known of {name!r}", remedy=f"Sample one of: {known}.")
            value, own_unit = truth.attributes[name]
            cv = self._assay_error.get(name, DEFAULT_ASSAY_ERROR)
            draw = float(generator(self._seed, path, name, "assay").standard_normal())
            found = assayed(convert(value, own_unit, unit), unit, cv, draw)
            readings.append(Reading(name, found, unit, at, "good", "simulated", f"laboratory.{name}"))
        return tuple(readings)

    def _truth(self, path: str) -> PhaseTruth:
        self._unit.check(path)
        return self._phases[path]

    def _began(self, path: str) -> datetime:
        return self._unit.began(path)
