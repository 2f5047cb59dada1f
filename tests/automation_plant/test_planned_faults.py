"""Faults that the script plans show in the tank and its instruments."""

from __future__ import annotations

from typing import Any

import pytest

from seedtrain.automation import FaultEntry
from seedtrain.automation._plant._live_unit import LiveUnit
from seedtrain.base import InputErrors
from tests.automation.test_example import UNIT, Example
from tests.automation_plant.driven import (
    EXPRESS,
    Driver,
    scenario,
    world,
)


def fault(**more: Any) -> FaultEntry:
    base = {"unit": UNIT, "phase": EXPRESS, "after": "2 h", "duration": "45 min", "what": "planned"}
    return FaultEntry.model_validate(base | more)


def seen(example: Example, calm: tuple[Driver, dict[str, Any]], *faults: FaultEntry) -> Driver:
    """The last phase again, with faults."""
    driver = Driver(example, world(scenario(example, faults=faults)))
    unit = driver.world.units[UNIT]
    assert isinstance(unit, LiveUnit)
    unit.restore(calm[0].kept[0])
    driver.at = calm[0].kept[1]
    driver.run(driver.steps[-1])
    return driver


def window(driver: Driver, tag: str) -> list[float]:
    """From two hours of expression on, until half an hour after the fault."""
    return driver.values(EXPRESS, tag)[20:32]


@pytest.mark.parametrize(
    ("given", "tag", "sign", "least"),
    [
        ({"kind": "base_blocked"}, "pH", -1, 0.2),
        ({"kind": "feed_blocked"}, "dissolved_oxygen", 1, 30.0),
        ({"kind": "air_lost"}, "dissolved_oxygen", -1, 20.0),
        ({"kind": "power_dip"}, "stirrer_speed", -1, 200.0),
        ({"kind": "foaming", "offset": "6"}, "foam", 1, 5.0),
        ({"tag": "temperature", "offset": "1.5"}, "jacket_temperature", -1, 1.3),  # it is cooled for nothing
        ({"kind": "drift", "tag": "dissolved_oxygen", "offset": "40"}, "dissolved_oxygen", 1, 1.0),
    ],
)
def test_a_planned_fault_shows(example: Example, calm: tuple[Driver, dict[str, Any]], given, tag, sign, least):
    found = seen(example, calm, fault(**given))
    pairs = zip(window(found, tag), window(calm[0], tag), strict=True)
    assert max(sign * (value - usual) for value, usual in pairs) > least


def test_a_stuck_instrument_shows_one_value_and_a_failed_one_none(
    example: Example, calm: tuple[Driver, dict[str, Any]]
):
    stuck = window(seen(example, calm, fault(kind="stuck", tag="pH")), "pH")
    assert len(set(stuck[1:7])) == 1
    failed = seen(example, calm, fault(kind="failure", tag="pH"))
    assert len(failed.values(EXPRESS, "pH")) < len(failed.values(EXPRESS, "temperature")) - 5


def test_contamination_eats_what_the_culture_should_have(example: Example, calm: tuple[Driver, dict[str, Any]]):
    found = seen(example, calm, fault(kind="contamination", offset="0.5"))
    tank = {item.tag: item.value for item in found.world.units[UNIT].sample(EXPRESS, {"product": "g/L"})}
    usual = {item.tag: item.value for item in calm[0].world.units[UNIT].sample(EXPRESS, {"product": "g/L"})}
    assert tank["product"] < usual["product"] - 0.1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": "gremlins"}, "there is no kind of fault 'gremlins'"),
        ({"kind": "drift"}, "has a tag"),
        ({"kind": "feed_blocked", "tag": "pH"}, "has no tag"),
        ({"kind": "foaming"}, "has an `offset`"),
        ({"kind": "contamination", "offset": "-1"}, "is negative"),
    ],
)
def test_a_fault_that_means_nothing_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        fault(**given)


def test_a_unit_that_plays_back_refuses_what_only_a_tank_can_have(example: Example):
    wrong = fault(kind="power_dip", unit="LYO-10", phase="drying/lyophilisation/freeze-dry")
    names = {step.unit_procedure.unit for step in example.control.recipe.phases()}
    assert names
    with pytest.raises(InputErrors, match=r"plays .* back and knows no 'power_dip'|there is no unit|does not run on"):
        scenario(example, faults=[wrong])
