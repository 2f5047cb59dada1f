"""What the virtual plant offers to protocols without objects and methods: named points that are read and written."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from seedtrain.automation._devices import Plain, TagKind
from seedtrain.automation._plant._base import LEASE_S, PlantUnit
from seedtrain.automation._plant._world import World
from seedtrain.base import InputError
from seedtrain.recipe import State

CLOCK: Final = "Clock/Time"
COMMANDS: Final = ("none", "start", "hold", "abort")
ENDS: Final = ("none", "condition", "duration", "at_most")
NOTHING: Final = "none"
TOTAL, OUTLET, SAMPLE = "Total", "Outlet", "Sample"
AMOUNTS: Final = (TOTAL, OUTLET, SAMPLE)


@dataclass(frozen=True)
class Point:
    """One value: `device` is its unit (empty: the plant), `name` stands within it. `choices`: all texts it can hold."""

    device: str
    name: str
    kind: TagKind
    unit: str = ""
    writable: bool = False
    choices: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Its name in the plant."""
        return f"{self.device}/{self.name}" if self.device else self.name


class Driven(Protocol):
    """The server of a plant, as points drive it."""

    world: World

    async def write_target(self, unit: str, tag: str, value: float) -> None:
        """Tell a controller what is wanted, as any client would."""

    async def tell(self, unit: str, word: str, path: str, owner: str) -> None:
        """Start, hold or abort a phase; a refusal is an `InputError`."""


class Points:
    """The points of one plant, for one protocol, which is the `owner` of what is started over it."""

    def __init__(self, plant: Driven, owner: str) -> None:
        self._plant, self._owner = plant, owner
        self.all = tuple(_points(plant.world))
        self.by_path = {point.path: point for point in self.all}
        self._named: dict[str, str] = {}
        self._ready: dict[str, tuple[str, datetime]] = {}
        self._claims: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._refused: dict[str, str] = {}

    def unit(self, point: Point) -> PlantUnit:
        """The unit of a point."""
        return self._plant.world.units[point.device]

    def heard(self) -> None:
        """Somebody who drives over this protocol is there; a unit whose executor is silent goes to its safe state."""
        self._plant.world.renew(self._owner)

    def now(self) -> datetime:
        """The process time."""
        return self._plant.world.clock.now()

    def value(self, point: Point) -> tuple[Plain | None, datetime]:
        """What it holds now and since when; None where it has no value yet."""
        if point.path == CLOCK:
            return self.now(), self.now()
        unit = self.unit(point)
        tag, _, role = point.name.rpartition("/")
        if role == "current":
            past = unit.history[tag]
            when, value, _ = past[-1] if past else (self.now(), math.nan, "bad")
            return (value if math.isfinite(value) else None), when
        if role == "target":
            value = self._plant.world.units[point.device].targets[tag]
            return (value if math.isfinite(value) else None), self.now()
        found = self._amount(unit, point) if tag in AMOUNTS else self._program(unit, role)
        return found, self.now()

    def doubted(self, point: Point) -> bool:
        """Whether what it holds now is uncertain."""
        tag, _, role = point.name.rpartition("/")
        past = self.unit(point).history[tag] if role == "current" else []
        return bool(past) and past[-1].quality == "uncertain"

    def _amount(self, unit: PlantUnit, point: Point) -> float | None:
        """What went in or out in all phases that have ended, and what the laboratory finds of the last one."""
        kind, _, name = point.name.partition("/")
        endings = [ending for _, ending in unit.results.values()]
        if kind == TOTAL:
            return sum(item.amount for ending in endings for item in ending.additions if item.material == name)
        if kind == OUTLET:
            return sum((ending.outlet or {}).get(name, (0.0, ""))[0] for ending in endings)
        last = unit.program
        if last is None or last.ending is None:
            return None
        try:
            (found,) = unit.sample(last.path, {name: point.unit})
        except InputError:
            return None  # nothing of it is known in that phase
        return found.value

    def _program(self, unit: PlantUnit, role: str) -> Plain | None:
        ended = unit.program.ending if unit.program is not None else None
        texts: dict[str, Callable[[], Plain | None]] = {
            "name": lambda: unit.active or self._named.get(unit.name, NOTHING),
            "command": lambda: self._told.get(unit.name, NOTHING),
            "state": lambda: unit.state.value,
            "refusal": lambda: self._refused.get(unit.name, ""),
            "stopped": lambda: ended.time if ended is not None else None,
            "ended_by": lambda: ended.ended_by if ended is not None else NOTHING,
            "ready": lambda: self._ready[unit.name][1] if unit.name in self._ready else None,
            "owner": lambda: self._driver(unit),
        }
        return texts[role]()

    async def write(self, point: Point, value: Any) -> None:
        """Write a point; raises `InputError` for one that cannot be written and for a value that it cannot hold.

        A command that the unit refuses is no error here: why is in the point `Program/refusal`.
        """
        if not point.writable:
            raise InputError(f"{point.path} can only be read", remedy="Write a target or a command.")
        tag, _, role = point.name.rpartition("/")
        if role == "target":
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise InputError(f"{point.path} is a number, not {value!r}", remedy="Write a finite number.")
            await self._plant.write_target(point.device, tag, float(value))
            self._plant.world.units[point.device].targets[tag] = float(value)
            return
        if role == "owner":
            self._claim(self.unit(point), str(value))
            return
        if role == "name":  # one that the unit cannot run is refused when it is to start
            self._named[point.device] = str(value)
            self._change_over(self.unit(point), str(value))
            return
        if value not in point.choices:
            raise InputError(f"{point.path} knows no {value!r}", remedy=f"Write one of: {', '.join(point.choices)}.")
        self._told[point.device], self._refused[point.device] = str(value), ""
        if value != NOTHING:
            try:
                name = self._named.get(point.device, NOTHING)
                if value == "start":
                    self._require_ready(self.unit(point), name)
                owner = self._claims.get(point.device, self._owner)
                await self._plant.tell(point.device, str(value), name, owner)
            except InputError as error:
                self._refused[point.device] = error.message

    def _driver(self, unit: PlantUnit) -> str:
        """Who has claimed the unit over a point and was heard of lately, or who runs it; empty for nobody."""
        if unit.owner is None or unit.owner[0] == self._owner:
            return ""
        alive = time.monotonic() - unit.owner[1] < LEASE_S
        return unit.owner[0] if alive or unit.state is State.RUNNING else ""

    def _claim(self, unit: PlantUnit, owner: str) -> None:
        """Give the unit to who asks for it, or (empty) to nobody; refused while another one has it."""
        held = self._driver(unit)
        if owner and held not in ("", owner):
            raise InputError(f"{unit.name} is driven by {held!r}", remedy=f"Stop it, or wait {LEASE_S:g} s.")
        if owner:
            unit.claim(owner)
            self._claims[unit.name] = owner
        elif unit.state is not State.RUNNING and self._claims.pop(unit.name, "") == held:
            unit.owner = None

    def _change_over(self, unit: PlantUnit, path: str) -> None:
        """From now on the unit is made ready for a phase; said again for the same one it goes on."""
        if path in unit.templates and self._ready.get(unit.name, ("", None))[0] != path:
            self._ready[unit.name] = (path, unit.ready(path, self.now()))

    def _require_ready(self, unit: PlantUnit, path: str) -> None:
        """A unit that is being changed over does not start; one that was held goes on."""
        before, (named, ready) = unit.program, self._ready.get(unit.name, ("", self.now()))
        held = before is not None and before.path == path and unit.state is State.HELD
        if named == path and self.now() < ready and not held and unit.active != path:
            raise InputError(
                f"{unit.name} is being changed over for {path} until {ready:%Y-%m-%dT%H:%M:%SZ}",
                remedy="Wait until Program/ready.",
            )
        self._ready.pop(unit.name, None)


def _points(world: World) -> list[Point]:
    found = [Point("", CLOCK, "time")]
    for name, unit in world.units.items():
        for tag, measure in unit.functions.items():
            found.append(Point(name, f"{tag}/current", "number", measure))
            if tag in unit.targets:
                found.append(Point(name, f"{tag}/target", "number", measure, writable=True))
        found += [Point(name, path, "number", measure) for path, measure in _amounts(world, name).items()]
        states = tuple(state.value for state in State)
        found += [
            Point(name, "Program/name", "text", writable=True, choices=(NOTHING, *unit.templates)),
            Point(name, "Program/command", "text", writable=True, choices=COMMANDS),
            Point(name, "Program/state", "text", choices=states),
            Point(name, "Program/refusal", "text"),
            Point(name, "Program/stopped", "time"),
            Point(name, "Program/ended_by", "text", choices=ENDS),
            Point(name, "Program/ready", "time"),
            Point(name, "Program/owner", "text", writable=True),
        ]
    return found


def _amounts(world: World, name: str) -> dict[str, str]:
    """What goes in, comes out and can be found in a sample, each with its unit."""
    found: dict[str, str] = {}
    for truth in world.scenario.units[name].phases.values():
        found |= {f"{TOTAL}/{item.material}": item.unit for item in truth.additions}
        found |= {f"{OUTLET}/product": "g"} if truth.product is not None else {}
        found |= {f"{SAMPLE}/{attribute}": measure for attribute, (_, measure) in truth.attributes.items()}
    return found
