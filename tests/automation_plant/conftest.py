"""One batch without faults, which many tests go on from."""

from __future__ import annotations

from typing import Any

import pytest

from seedtrain.automation._plant._live_unit import LiveUnit
from tests.automation.test_example import UNIT, Example, worked_example
from tests.automation_plant.driven import (
    EXPRESS,
    FED,
    Driver,
    scenario,
    world,
)


@pytest.fixture(scope="session")
def example() -> Example:
    return worked_example()


@pytest.fixture(scope="session")
def calm(example: Example) -> tuple[Driver, dict[str, Any]]:
    """A batch without faults. `kept`, `kept_fed`: its tank, and the time, before the last phase, and the fed one."""
    driver = Driver(example, world(scenario(example)))
    unit = driver.world.units[UNIT]
    assert isinstance(unit, LiveUnit)
    endings = {}
    for step in driver.steps[:-1]:
        if step.path == FED:
            driver.kept_fed = unit.to_data(), driver.at
        endings[step.path] = driver.run(step)
    driver.kept = unit.to_data(), driver.at
    return driver, endings | {EXPRESS: driver.run(driver.steps[-1])}
