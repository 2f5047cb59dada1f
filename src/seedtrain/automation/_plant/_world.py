"""The virtual plant without its server: units that run programs, and the process clock that all of them share."""

from __future__ import annotations

import math
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from seedtrain.automation._devices import Ending, Reading
from seedtrain.automation._plant._unit import SimulatedUnit
from seedtrain.automation._scenario import Scenario, UnitScenario
from seedtrain.base import InputError
from seedtrain.quantity import Quantity, parse, same_dimension
from seedtrain.recipe import State

LEASE_S: Final = 10.0
"""s of wall time after which a unit is free again when its executor is not heard of."""

Value = tuple[datetime, float]


@dataclass(frozen=True)
class Signal:
    """What the plant tells its server: a new value of a function, or (tag empty) a new state of the unit."""

    unit: str
    tag: str = ""
    time: datetime | None = None
    value: float = math.nan


@dataclass
class Clock:
    """The process clock. `speed` None: lock-step, it moves only when it is told to; else it runs by itself.

    - `at`: where it stands (lock-step) or stood at `anchor` of the monotonic clock (running).
    """

    at: datetime
    speed: float | None = None
    anchor: float = field(default_factory=time.monotonic)

    @property
    def lock_step(self) -> bool:
        """Whether it moves only when told to."""
        return self.speed is None

    def now(self) -> datetime:
        """The process time."""
        if self.speed is None:
            return self.at
        return self.at + timedelta(seconds=(time.monotonic() - self.anchor) * self.speed)

    def move(self, to: datetime) -> None:
        """In lock-step: move on to `to`; it never goes back."""
        if self.speed is None:
            self.at = max(self.at, to)


@dataclass
class Program:
    """A phase that a unit runs or ran last: its instruments' readings in their order of time, and how it ended."""

    path: str
    began: datetime
    end: datetime
    readings: tuple[Reading, ...]
    shown: int = 0
    ending: Ending | None = None


class PlantUnit:
    """One unit of the plant: a simulated unit, played along the clock."""

    def __init__(self, scenario: UnitScenario, interval: timedelta) -> None:
        self.scenario = scenario
        self.name = scenario.name
        self.interval = interval
        self.targets: dict[str, float] = dict.fromkeys(_targets(scenario), math.nan)
        self.functions = _functions(scenario)
        self.program: Program | None = None
        self.history: dict[str, list[Value]] = {tag: [] for tag in self.functions}
        self.results: dict[str, tuple[datetime, Ending]] = {}
        self.owner: tuple[str, float] | None = None
        self._simulated = SimulatedUnit(scenario)

    @property
    def state(self) -> State:
        """The unit's ISA-88 state."""
        return self._simulated.state

    def claim(self, owner: str) -> None:
        """Take the unit for an executor; refused while another one that was heard of lately has it."""
        if self.owner is not None and self.owner[0] != owner:
            silent = time.monotonic() - self.owner[1]
            if silent < LEASE_S and self.state is State.RUNNING:
                raise InputError(
                    f"{self.name} runs {self.program.path if self.program else ''} for {self.owner[0]!r}, "
                    f"heard of {silent:.1f} s ago, and cannot be driven by {owner!r}",
                    remedy=f"Stop the other executor, or wait {LEASE_S:g} s.",
                )
        self.owner = (owner, time.monotonic())

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
        readings = sorted(self._simulated.read(path, self.interval), key=lambda item: item.time)
        for past in self.history.values():
            del past[bisect_left(past, (at, -math.inf)) :]  # a repeated phase writes its own history anew
        self.program = Program(path, at, at + timedelta(hours=truth.hours), tuple(readings))

    def _check_settings(self, path: str, wanted: Mapping[str, Quantity | str], properties: Mapping[str, str]) -> None:
        """The plant plays what was simulated: it refuses set points for which it was not."""
        for name, value in wanted.items():
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
        """Go to the safe state."""
        self._simulated.hold(path)

    def abort(self, path: str) -> None:
        """Stop for good."""
        self._simulated.abort(path)

    def sample(self, path: str, attributes: Mapping[str, str]) -> tuple[Reading, ...]:
        """What the laboratory finds at the end of the phase."""
        if self.program is None or self.program.path != path or self.program.ending is None:
            raise InputError(f"{self.name} has not ended {path}", remedy="Wait until the phase has ended.")
        return self._simulated.draw_sample(path, attributes)

    @property
    def due(self) -> datetime | None:
        """When the running program ends, or None."""
        running = self.program
        if running is None or running.ending is not None or self.state is not State.RUNNING:
            return None
        return running.end

    @property
    def next_reading(self) -> datetime | None:
        """When the running program has its next value or ends, or None."""
        if self.due is None or self.program is None:
            return None
        left = self.program.readings[self.program.shown : self.program.shown + 1]
        return min([self.due, *(item.time for item in left)])

    def play(self, until: datetime, tell: Callable[[Signal], None]) -> bool:
        """Show every value up to `until`, and end the program where its time has come; says whether it ended."""
        running, due = self.program, self.due
        if running is None or due is None:
            return False
        while running.shown < len(running.readings) and running.readings[running.shown].time <= until:
            item = running.readings[running.shown]
            self.history[item.tag].append((item.time, item.value))
            tell(Signal(self.name, item.tag, item.time, item.value))
            running.shown += 1
        if due > until:
            return False
        running.ending = self._simulated.await_end(running.path)
        self.results[running.path] = (running.began, running.ending)
        tell(Signal(self.name))
        return True

    def past(self, tag: str, start: datetime, end: datetime) -> Sequence[Value]:
        """The values of a function from `start` to `end`, both held."""
        values = self.history[tag]
        return values[bisect_left(values, (start, -math.inf)) : bisect_right(values, (end, math.inf))]


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


class World:
    """All units and their clock."""

    def __init__(self, scenario: Scenario, clock: Clock, interval: timedelta) -> None:
        self.scenario = scenario
        self.clock = clock
        self.units = {name: PlantUnit(unit, interval) for name, unit in scenario.units.items()}

    def prepare(self, owner: str, unit: str, path: str, at: datetime) -> datetime:
        """When the unit can take the phase, asked at `at`: a clock that runs has often gone past that."""
        item = self.units[unit]
        item.claim(owner)
        return item.ready(path, at if self.clock.lock_step else max(at, self.clock.now()))

    def start(self, owner: str, unit: str, path: str, at: datetime, properties: Mapping[str, str]) -> None:
        """Run a phase from `at`, which lies in the past of a clock that runs and moves one in lock-step on."""
        item = self.units[unit]
        item.claim(owner)
        if not self.clock.lock_step and at > self.clock.now():
            raise InputError(
                f"{unit} is to start {path} at {at}, but its clock shows {self.clock.now()}",
                remedy="Wait until the unit is ready; check the clocks.",
            )
        item.start(path, at, properties)
        self.clock.move(at)

    def renew(self, owner: str) -> None:
        """An executor was heard of."""
        for unit in self.units.values():
            if unit.owner is not None and unit.owner[0] == owner:
                unit.owner = (owner, time.monotonic())

    def advance(self, to: datetime, tell: Callable[[Signal], None]) -> datetime:
        """Play all units up to `to`, or in lock-step to the first end of a program; returns the process time."""
        while True:
            ends = [due for unit in self.units.values() if (due := unit.due) is not None and due <= to]
            stop = min(ends, default=to)
            for unit in self.units.values():
                unit.play(stop, tell)
            self.clock.move(stop)
            if not ends or self.clock.lock_step:
                return self.clock.now()

    def next_event(self) -> datetime | None:
        """When something happens next, or None."""
        return min((when for unit in self.units.values() if (when := unit.next_reading) is not None), default=None)
