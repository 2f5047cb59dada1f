"""A killed plant goes on from its state as if nothing had happened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seedtrain.automation._plant._live_unit import LiveUnit
from seedtrain.automation._plant._world import Clock, World
from seedtrain.base import InputError
from tests.automation.made import START
from tests.automation.test_example import UNIT, Example
from tests.automation_plant.driven import (
    FILLED,
    GROWN,
    INTERVAL,
    Driver,
    scenario,
    world,
)

WITHIN = timedelta(minutes=20)
FURTHER = 3
"""Phases that a restarted plant is followed."""


@dataclass(frozen=True)
class Left:
    """What a batch had left behind at one of its phases: the time of its start, and files of the plant's state."""

    began: datetime
    within: Path
    ended: datetime
    after: Path


@pytest.fixture(scope="module")
def left(example: Example, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Left]:
    """One batch that keeps its state, stopped in every phase of both tanks and after it."""
    folder = tmp_path_factory.mktemp("left")
    state = folder / "state.json"
    driver = Driver(example, world(scenario(example), state))
    found = {}
    for place, step in enumerate(driver.steps[:-1]):
        began = driver.at
        driver.begin(step)
        driver.at = driver.world.advance(began + WITHIN, driver.told.append)
        within = _copy(state, folder / f"within-{place}.json") if state.exists() else state
        driver.end(step)
        after = _copy(state, folder / f"after-{place}.json") if state.exists() else state
        found[place] = Left(began, within, driver.at, after)
    return found


@pytest.mark.parametrize(("where", "ended"), [(6, True), (8, True), (10, False), (11, False)])
def test_a_killed_plant_goes_on_as_if_nothing_had_happened(
    example: Example,
    calm: tuple[Driver, dict[str, Any]],
    left: dict[int, Left],
    tmp_path: Path,
    where: int,
    ended: bool,
):
    """Killed in phase `where`, or after it before the executor knew; the executor asks again, or for the next one."""
    for asked in [where, where + 1] if ended else [where]:
        state = _copy(left[where].after if ended else left[where].within, tmp_path / "state.json")
        second = Driver(example, world(scenario(example), state))
        second.at = left[where].began if asked == where else left[where].ended
        endings = {step.path: second.run(step) for step in second.steps[asked : asked + FURTHER]}
        assert endings == {path: ending for path, ending in calm[1].items() if path in endings}
        assert len(endings) == FURTHER


def test_two_tanks_of_a_killed_plant_each_go_back_to_their_own_phase(example: Example, tmp_path: Path):
    """The pilot tank grows while the next seed is made; both are asked again, the later one first."""
    made, state = scenario(example), tmp_path / "state.json"
    first = Driver(example, world(made, state))
    grown = next(place for place, step in enumerate(first.steps) if step.path == "production/growth/batch")
    for step in first.steps[:grown]:
        first.run(step)
    grows, fills = (next(step for step in first.steps if step.path == path) for path in (GROWN, FILLED))
    began = first.at
    first.begin(grows)
    first.at = later = first.world.advance(began + timedelta(hours=1), first.told.append)
    first.begin(fills)
    first.at = first.world.advance(later + timedelta(minutes=10), first.told.append)
    kept = _copy(state, tmp_path / "copy.json")
    ends = _both_end(first)
    second = Driver(example, world(made, kept))
    for step, at in ((fills, later), (grows, began)):
        second.at = at
        second.begin(step)
    assert _both_end(second) == ends
    third = Driver(example, world(made, _copy(state, tmp_path / "copy.json")))  # killed after both
    for name in ("SEED-20", UNIT):
        now, then = third.world.units[name], first.world.units[name]
        assert isinstance(now, LiveUnit)
        assert isinstance(then, LiveUnit)
        assert now.to_data() == then.to_data()


def _both_end(driver: Driver) -> dict[str, Any]:
    """How the phases of both tanks ended, and what the tanks hold when each has."""
    found: dict[str, Any] = {}
    while len(found) < 2:
        driver.at = driver.world.advance(driver.at + timedelta(hours=6), driver.told.append)
        for name in ("SEED-20", UNIT):
            unit = driver.world.units[name]
            assert isinstance(unit, LiveUnit)
            assert unit.program is not None
            if unit.program.ending is not None and name not in found:
                found[name] = unit.program, unit.to_data()
    return found


def _copy(state: Path, other: Path) -> Path:
    other.write_bytes(state.read_bytes())
    return other


def test_a_file_that_is_no_state_is_refused_and_one_of_another_plant_is_none(example: Example, tmp_path: Path):
    state = tmp_path / "state.json"
    state.write_text("{]")
    with pytest.raises(InputError, match="not the state of a virtual plant"):
        world(scenario(example), state)
    state.write_text(json.dumps({"scenario": "another"}))
    assert isinstance(world(scenario(example), state).units[UNIT], LiveUnit)
    with pytest.raises(InputError, match="tanks of another plant") as said:  # where somebody named the file
        World(scenario(example), Clock(START), INTERVAL, state, own_state=True)
    assert "overwritten" in said.value.remedy
    assert json.loads(state.read_text()) == {"scenario": "another"}
