"""Who drives a unit over points, and when it may start: without a server, on the plant's own units and clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from seedtrain.automation._plant._base import LEASE_S
from seedtrain.automation._plant._points import Points
from seedtrain.automation._plant._world import Clock, World
from seedtrain.base import InputError
from seedtrain.recipe import State
from tests.automation_opcua.served import small_scenario

pytest.importorskip("asyncua", reason="the group `plant` is not installed")
START = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Driven:
    """What a server does for points."""

    def __init__(self) -> None:
        self.world = World(small_scenario(), Clock(START), timedelta(minutes=6))

    async def write_target(self, unit: str, tag: str, value: float) -> None:
        self.world.units[unit].targets[tag] = value

    async def tell(self, unit: str, word: str, path: str, owner: str) -> None:
        if word == "start":
            phase = self.world.scenario.units[unit].phases[path].phase
            self.world.start(owner, unit, path, self.world.clock.now(), {k: str(v) for k, v in phase.set.items()})
        else:
            self.world.units[unit].hold(path)


def write(points: Points, path: str, value: str) -> None:
    asyncio.run(points.write(points.by_path[path], value))


def value(points: Points, path: str) -> object:
    return points.value(points.by_path[path])[0]


def first_phase(driven: Driven, unit: str) -> str:
    return next(iter(driven.world.scenario.units[unit].changeover))


def test_a_unit_that_is_changed_over_starts_when_it_is_ready() -> None:
    driven = Driven()
    points = Points(driven, "ModbusSpeaker")
    path = first_phase(driven, "F")
    hours = driven.world.scenario.units["F"].changeover[path]
    assert hours > 0
    assert value(points, "F/Program/ready") is None
    write(points, "F/Program/name", path)
    ready = START + timedelta(hours=hours)
    assert value(points, "F/Program/ready") == ready
    write(points, "F/Program/command", "start")
    assert "is being changed over" in str(value(points, "F/Program/refusal"))
    assert driven.world.units["F"].state is State.IDLE
    driven.world.clock.move(START + timedelta(hours=hours / 2))
    write(points, "F/Program/name", path)
    assert value(points, "F/Program/ready") == ready, "said again it does not begin anew"
    driven.world.clock.move(ready)
    write(points, "F/Program/command", "none")
    write(points, "F/Program/command", "start")
    assert value(points, "F/Program/refusal") == ""
    assert driven.world.units["F"].state is State.RUNNING


def test_one_executor_keeps_others_away_over_every_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    driven = Driven()
    modbus, sparkplug = Points(driven, "ModbusSpeaker"), Points(driven, "SparkplugSpeaker")
    path = first_phase(driven, "F")
    write(modbus, "F/Program/owner", "B-1")
    assert value(modbus, "F/Program/owner") == value(sparkplug, "F/Program/owner") == "B-1"
    for points in (modbus, sparkplug):
        with pytest.raises(InputError, match="F is driven by 'B-1'"):
            write(points, "F/Program/owner", "B-2")
    write(modbus, "F/Program/name", path)
    driven.world.clock.move(START + timedelta(days=1))
    write(modbus, "F/Program/command", "start")
    unit = driven.world.units["F"]
    assert (unit.state, unit.owner and unit.owner[0]) == (State.RUNNING, "B-1")
    with pytest.raises(InputError, match="runs"):
        driven.world.prepare("B-2", "F", path, START)  # as an executor over OPC UA would
    write(sparkplug, "F/Program/name", path)
    write(sparkplug, "F/Program/command", "start")
    assert "for 'B-1'" in str(value(sparkplug, "F/Program/refusal")), "who has claimed nothing is not taken for B-1"
    write(modbus, "F/Program/owner", "")
    assert value(modbus, "F/Program/owner") == "B-1", "a unit that runs is not let go"
    unit.hold(path)
    write(modbus, "F/Program/owner", "")
    assert value(sparkplug, "F/Program/owner") == ""
    write(sparkplug, "F/Program/owner", "B-2")
    late = unit.owner[1] + LEASE_S + 1 if unit.owner else 0.0
    monkeypatch.setattr("seedtrain.automation._plant._points.time.monotonic", lambda: late)
    assert value(modbus, "F/Program/owner") == "", "and free again when its executor is silent"
