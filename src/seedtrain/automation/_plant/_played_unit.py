"""One unit of the virtual plant that plays back what was simulated."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from seedtrain.automation._devices import Reading
from seedtrain.automation._plant._base import PlantUnit, Program, Signal, Template, Value
from seedtrain.automation._plant._unit import SimulatedUnit
from seedtrain.automation._ramp import CONTROL_INTERVAL, INITIAL
from seedtrain.automation._scenario import UnitScenario
from seedtrain.automation._truth import PhaseTruth
from seedtrain.base import InputError
from seedtrain.quantity import Quantity, parse, same_dimension
from seedtrain.recipe import CALIBRATE, State


class PlayedUnit(PlantUnit):
    """A simulated unit, played along the clock."""

    def __init__(self, scenario: UnitScenario, interval: timedelta) -> None:
        templates = {path: _template(truth) for path, truth in scenario.phases.items()}
        super().__init__(scenario.name, _functions(scenario), _targets(scenario), templates)
        self.scenario = scenario
        self.interval = interval
        self._readings: tuple[Reading, ...] = ()
        self._shown = 0
        self._end = datetime.min
        self._at: datetime | None = None
        self._held_at: datetime | None = None
        self._held = timedelta(0)
        self._simulated = SimulatedUnit(scenario)

    @property
    def state(self) -> State:
        """The unit's ISA-88 state."""
        return self._simulated.state

    def ready(self, path: str, at: datetime) -> datetime:
        """When the unit can take the phase."""
        return self._simulated.await_ready(path, at)

    def start(self, path: str, at: datetime, properties: Mapping[str, str]) -> None:
        """Run the phase from `at`; its set points stand in the targets and in `properties`."""
        truth = self.scenario.phases.get(path)
        if truth is not None:
            self._check_settings(path, truth.phase.set, properties)
            self._simulated.command(path, truth.phase.set)
            self._simulated.start(path, truth.phase, at)
        else:
            self._simulated.command(path, {})  # says what it can run
        running = self.program
        if truth is None or (running is not None and (running.path, running.began) == (path, at)):
            return
        interval = min(self.interval, CONTROL_INTERVAL) if truth.phase.do == CALIBRATE else self.interval
        self._readings = tuple(sorted(self._simulated.read(path, interval), key=lambda item: item.time))
        self._forget(at)
        self._shown, self._end = 0, at + timedelta(hours=truth.hours)
        self._held, self._held_at = timedelta(0), None
        self.program = Program(path, at)

    def _check_settings(self, path: str, wanted: Mapping[str, Quantity | str], properties: Mapping[str, str]) -> None:
        """The plant plays what was simulated: it refuses set points for which it was not."""
        for name, value in wanted.items():
            if f"{INITIAL}{name}" in wanted:
                continue  # a ramp moves it while it is played
            if isinstance(value, Quantity) and name in self.targets:
                expected = value.magnitude(self.functions[name])
                given: float | str = self.targets[name]
                right = math.isclose(self.targets[name], expected, rel_tol=1e-9, abs_tol=1e-12)
            else:
                given = properties.get(name, "nothing")
                right = _same(given, value)
            if not right:
                raise InputError(
                    f"{self.name} was simulated with {name} = {value} in {path}, and is told {given}",
                    remedy="Start the plant with the recipe that is executed.",
                )

    def hold(self, path: str) -> None:
        """Go to the safe state: what is played stands still."""
        if self.state is State.RUNNING:
            self._held_at = self._at
        self._simulated.hold(path)

    def abort(self, path: str) -> None:
        """Stop for good."""
        self._simulated.abort(path)

    def reset(self) -> None:
        """Be ready for another program; what was played of the last one is over."""
        self._simulated.reset()

    def sample(self, path: str, attributes: Mapping[str, str]) -> tuple[Reading, ...]:
        """What the laboratory finds at the end of the phase."""
        if self.program is None or self.program.path != path or self.program.ending is None:
            raise InputError(f"{self.name} has not ended {path}", remedy="Wait until the phase has ended.")
        found = self._simulated.draw_sample(path, attributes)
        return tuple(replace(item, time=item.time + self._held) for item in found)

    @property
    def due(self) -> datetime | None:
        """When the running program ends, or None."""
        running = self.program
        if running is None or running.ending is not None or self.state is not State.RUNNING:
            return None
        return self._end

    @property
    def next_event(self) -> datetime | None:
        """When the running program has its next value or ends, or None."""
        if self.due is None:
            return None
        return min([self.due, *(item.time for item in self._readings[self._shown : self._shown + 1])])

    def play(self, until: datetime, tell: Callable[[Signal], None]) -> bool:
        """Show every value up to `until`, and end the program where its time has come; says whether it ended."""
        at, self._at = self._at, until
        self._go_on(at or until)
        running, due = self.program, self.due
        if running is None or due is None:
            return False
        while self._shown < len(self._readings) and self._readings[self._shown].time <= until:
            item = self._readings[self._shown]
            self.history[item.tag].append(Value(item.time, item.value, item.quality))
            tell(Signal(self.name, item.tag, item.time, item.value, item.quality))
            self._shown += 1
        if due > until:
            return False
        ending = self._simulated.await_end(running.path)
        ending = replace(ending, time=ending.time + self._held)
        self.program = replace(running, ending=ending)
        self.results[running.path] = (running.began, ending)
        tell(Signal(self.name))
        return True

    def _go_on(self, now: datetime) -> None:
        """After a hold that ended by `now`, what is left comes later by as long as it lasted."""
        if self._held_at is None or self.state is State.HELD:
            return
        late = max(now - self._held_at, timedelta(0))
        self._held_at = None
        self._held += late
        self._end += late
        left = tuple(replace(item, time=item.time + late) for item in self._readings[self._shown :])
        self._readings = (*self._readings[: self._shown], *left)


def _template(truth: PhaseTruth) -> Template:
    return Template(tuple(truth.sensors), tuple(dict.fromkeys(item.material for item in truth.additions)))


def _same(given: str, value: Quantity | str) -> bool:
    if isinstance(value, str):
        return given == value
    try:
        quantity = parse(given, like=value.unit)
    except InputError:
        return False
    return math.isclose(quantity.magnitude(value.unit), value.value, rel_tol=1e-9, abs_tol=1e-12)


def _functions(scenario: UnitScenario) -> dict[str, str]:
    """Every function of the unit with its unit of measure; one tag must mean one thing on one unit."""
    found: dict[str, str] = {}
    for path, truth in scenario.phases.items():
        for tag, sensor in truth.sensors.items():
            if found.setdefault(tag, sensor.unit) != sensor.unit:
                raise InputError(
                    f"{scenario.name} reports {tag!r} in {found[tag]} and, in {path}, in {sensor.unit}",
                    remedy="Run the two phases on two units.",
                )
    return found


def _targets(scenario: UnitScenario) -> list[str]:
    """The functions that some phase sets and reports, and which are controllers therefore."""
    return sorted(
        {
            name
            for truth in scenario.phases.values()
            for name, value in truth.phase.set.items()
            if isinstance(value, Quantity)
            and name in truth.sensors
            and same_dimension(truth.sensors[name].unit, value.unit)
        }
    )
