"""The virtual plant without its server: units that run programs, and the process clock that all of them share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from seedtrain.automation._faults import NETWORK
from seedtrain.automation._plant._base import LEASE_S, PlantUnit, Signal
from seedtrain.automation._plant._live_unit import LiveUnit
from seedtrain.automation._plant._memory import Memory
from seedtrain.automation._plant._played_unit import PlayedUnit
from seedtrain.automation._scenario import Scenario
from seedtrain.base import InputError, digest


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


class World:
    """All units and their clock.

    - `state`: the file of its memory; without it a plant that was killed starts empty. `own_state`: one of another
      scenario is refused.
    """

    def __init__(
        self,
        scenario: Scenario,
        clock: Clock,
        interval: timedelta,
        state: Path | None = None,
        *,
        own_state: bool = False,
    ) -> None:
        self.scenario = scenario
        self.clock = clock
        self.units: dict[str, PlantUnit] = {
            name: LiveUnit(unit, interval, self._live) if unit.live is not None else PlayedUnit(unit, interval)
            for name, unit in scenario.units.items()
        }
        known = None if state is None else Memory(state, digest(scenario.to_data()), own=own_state)
        self._memory = known
        if self._memory is not None:
            self._put_back(self._memory.tanks())

    def _live(self, name: str) -> LiveUnit:
        unit = self.units[name]
        assert isinstance(unit, LiveUnit)
        return unit

    def _put_back(self, tanks: Mapping[str, Any]) -> None:
        for name, kept in tanks.items():
            self._live(name).restore(kept)

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
                remedy="Wait until the unit is ready; a virtual plant that was started again needs --clock.",
            )
        known = self._memory is None or item.active == path or item.resumes(path, at)
        if isinstance(item, LiveUnit) and self._memory is not None and not known:
            tanks = {name: self._live(name).to_data() for name in (unit, *item.draws_from(path))}
            self._put_back(self._memory.before(unit, path, at, tanks))
        item.start(path, at, properties)
        self.clock.move(at)

    def _at_rest(self) -> dict[str, Any]:
        """Every integrated tank in which no phase runs, JSON-ready."""
        live = (unit for unit in self.units.values() if isinstance(unit, LiveUnit))
        return {
            unit.name: unit.to_data() for unit in live if unit.program is not None and unit.program.ending is not None
        }

    def renew(self, owner: str) -> None:
        """An executor was heard of."""
        for unit in self.units.values():
            if unit.owner is not None and unit.owner[0] == owner:
                unit.owner = (owner, time.monotonic())

    def advance(self, to: datetime, tell: Callable[[Signal], None]) -> datetime:
        """Play all units up to `to`, or in lock-step to the first end of a program; returns the process time."""
        self._watch()
        while True:
            dues = [due for unit in self.units.values() if (due := unit.due) is not None and due <= to]
            stop = min(dues, default=to)
            ended = [unit.play(stop, tell) for unit in self.units.values()]
            self.clock.move(stop)
            if self._memory is not None and any(ended):
                self._memory.after(self._at_rest())
            if not dues or (self.clock.lock_step and any(ended)):
                return self.clock.now()

    def _watch(self) -> None:
        """The watchdog of a clock that runs: a unit whose executor is silent goes to its safe state by itself."""
        if self.clock.lock_step:
            return
        for unit in self.units.values():
            if unit.owner is not None and unit.active and time.monotonic() - unit.owner[1] > LEASE_S:
                unit.hold(unit.active)

    @property
    def network_lost(self) -> bool:
        """Whether a fault keeps everybody from the plant now; in lock-step never, for then time would stand still."""
        if self.clock.lock_step:
            return False
        now = self.clock.now()
        for name, unit in self.units.items():
            running = unit.program
            if running is None or not unit.active:
                continue
            hours = (now - running.began).total_seconds() / 3600.0
            faults = self.scenario.units[name].faults
            if any(
                item.kind == NETWORK and item.path == unit.active and item.start <= hours < item.end for item in faults
            ):
                return True
        return False

    def next_event(self) -> datetime | None:
        """When something happens next, or None."""
        return min((when for unit in self.units.values() if (when := unit.next_event) is not None), default=None)
