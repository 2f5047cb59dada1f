"""A plant whose tanks are integrated: a batch runs as it was simulated, is held, told otherwise, and cleaned."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from seedtrain.automation import FaultEntry, short_words
from seedtrain.automation._excursion import bounds
from seedtrain.automation._plant._live_unit import LiveUnit
from seedtrain.automation._scenario import scenario_from_data
from seedtrain.base import InputError
from seedtrain.quantity import Quantity
from seedtrain.recipe import State, parse_recipe
from seedtrain.recipe._data import yaml_text
from seedtrain.simulation import RunEvent, plan_of
from tests.automation.made import START
from tests.automation.test_example import UNIT, Example
from tests.automation_plant.driven import (
    EXPRESS,
    FED,
    INTERVAL,
    Driver,
    scenario,
    world,
)


def test_only_stirred_tanks_are_integrated_and_the_file_keeps_everything(example: Example):
    made = scenario(example)
    assert {name for name, unit in made.units.items() if unit.live is not None} == {"SEED-20", UNIT}
    data = made.to_data()
    assert scenario_from_data(json.loads(json.dumps(data))).to_data() == data


def test_a_calm_batch_runs_as_it_was_simulated(example: Example, calm: tuple[Driver, dict[str, Any]]):
    driver, endings = calm
    for path, hours in (("production/growth/batch", 2.5), ("production/growth/fed-batch", 1.0), (EXPRESS, 0.01)):
        began, ending = driver.world.units[UNIT].results[path]
        span = example.production.phase(path)
        # The seed culture comes in fresher than the recipe's figure, so that the first phase is shorter.
        assert (ending.time - began).total_seconds() / 3600 == pytest.approx(span.end - span.start, abs=hours)
        assert ending.ended_by == "condition"
    truth = driver.world.units[UNIT].sample(EXPRESS, {"biomass": "g/L", "product": "g/L", "temperature": "degC"})
    found = {item.tag: item.value for item in truth}
    assert found["biomass"] == pytest.approx(example.production.final("DCW"), rel=0.1)
    assert found["product"] == pytest.approx(example.production.final("P"), rel=0.12)
    assert endings[EXPRESS].outlet["product"][0] == pytest.approx(
        example.production.final("P") * example.production.final("V"), rel=0.05
    )


def test_the_controllers_keep_what_the_recipe_limits(example: Example, calm: tuple[Driver, dict[str, Any]]):
    driver, _ = calm
    for step in driver.steps:
        if step.phase.do not in ("grow", "feed") or not step.path.startswith("production"):
            continue
        for tag, limits in step.phase.limits.items():
            unit = driver.world.units[UNIT].functions[tag]
            values = driver.values(step.path, tag)[10:]  # after the first hour
            low, high = bounds(limits, unit)
            assert values
            least, most = -math.inf if low is None else low, math.inf if high is None else high
            outside = [value for value in values if not least <= value <= most]
            assert not outside, (step.path, tag, outside[:3])


def test_the_same_inputs_read_the_same(example: Example, calm: tuple[Driver, dict[str, Any]]):
    again = Driver(example, world(scenario(example)))
    assert again.all() == calm[1]
    assert again.told == calm[0].told


def test_a_target_that_somebody_changes_holds_at_once(example: Example, calm: tuple[Driver, dict[str, Any]]):
    driver = Driver(example, world(scenario(example)))
    unit = driver.world.units[UNIT]
    assert isinstance(unit, LiveUnit)
    unit.restore(calm[0].kept[0])
    driver.at = calm[0].kept[1]
    driver.begin(driver.steps[-1])
    driver.at = driver.world.advance(driver.at + timedelta(hours=4), driver.told.append)
    unit.retarget({"temperature": 28.0, "aeration": 0.2})
    driver.at = driver.world.advance(driver.at + timedelta(hours=2), driver.told.append)
    assert unit.past("temperature", driver.at - INTERVAL, driver.at)[-1].value == pytest.approx(28.0, abs=0.4)
    # Gas that a person sets stays, though the oxygen is short and the cascade would give more.
    since = driver.at - timedelta(hours=1)
    assert all(item.value == pytest.approx(0.2, rel=0.05) for item in unit.past("aeration", since, driver.at))
    assert max(item.value for item in unit.past("dissolved_oxygen", since, driver.at)) < 27.0
    unit.retarget({"aeration": 1.0})  # what the recipe gives: it is the cascade's again
    driver.at = driver.world.advance(driver.at + timedelta(minutes=30), driver.told.append)
    assert unit.past("aeration", driver.at - INTERVAL, driver.at)[-1].value >= 0.97
    assert unit.past("dissolved_oxygen", driver.at - INTERVAL, driver.at)[-1].value == pytest.approx(30.0, abs=3.0)


def test_the_safe_state_of_a_mapping_is_followed_in_hold_and_left_afterwards(example: Example, calm):
    driver = Driver(example, world(scenario(example)))
    unit = driver.world.units[UNIT]
    assert isinstance(unit, LiveUnit)
    unit.restore(calm[0].kept_fed[0])
    driver.at = began = calm[0].kept_fed[1]
    step = next(step for step in driver.steps if step.path == FED)
    driver.begin(step)
    driver.at = driver.world.advance(began + timedelta(hours=1), driver.told.append)
    unit.hold(FED)
    assert unit.follows
    unit.retarget({"temperature": 30.0, "stirrer_speed": 200.0})
    driver.at = driver.world.advance(driver.at + timedelta(hours=2), driver.told.append)
    assert unit.past("temperature", driver.at - INTERVAL, driver.at)[-1].value == pytest.approx(30.0, abs=1.0)
    assert unit.past("stirrer_speed", driver.at - INTERVAL, driver.at)[-1].value == pytest.approx(200.0, abs=3.0)
    driver.at, now = began, driver.at
    driver.begin(step)
    driver.at = driver.world.advance(now + timedelta(hours=2), driver.told.append)
    assert unit.past("temperature", driver.at - INTERVAL, driver.at)[-1].value == pytest.approx(37.0, abs=0.5)
    assert unit._driven.control.set_points.by_hand == ()


@pytest.mark.parametrize("path", [EXPRESS, FED])
def test_a_held_phase_resumes_where_it_stood(example: Example, path: str, calm: tuple[Driver, dict[str, Any]]):
    """Nothing is charged or added twice, totals go on, and the feed takes up its curve where it left it."""
    driver = Driver(example, world(scenario(example)))
    unit = driver.world.units[UNIT]
    assert isinstance(unit, LiveUnit)
    kept, began = calm[0].kept if path == EXPRESS else calm[0].kept_fed
    unit.restore(kept)
    driver.at = began
    step = next(step for step in driver.steps if step.path == path)
    driver.begin(step)
    driver.at = driver.world.advance(began + timedelta(hours=1), driver.told.append)
    rate, fed, volume = unit._driven.feed_rate, unit._driven.fed, unit._driven.tank.volume
    unit.hold(path)
    driver.at = driver.world.advance(driver.at + timedelta(hours=2), driver.told.append)
    assert unit._driven.feed_rate == 0.0
    assert unit._driven.fed == fed
    assert unit._driven.tank.volume == pytest.approx(volume, rel=0.02)  # base and evaporation alone
    shown = [item.at for item in unit.past("temperature", began + timedelta(hours=1), driver.at)]
    assert len(shown) >= 19  # its instruments are read in hold too
    held = unit._driven.tank.volume
    driver.at, now = began, driver.at
    driver.begin(step)
    assert unit._driven.tank.volume == held
    driver.at = driver.world.advance(now + timedelta(minutes=1), driver.told.append)
    assert unit._driven.feed_rate == pytest.approx(rate, rel=0.01)
    assert unit._driven.fed >= fed
    assert unit.state is State.RUNNING


def test_wrong_commands_are_refused(example: Example):
    driver = Driver(example, world(scenario(example)))
    unit = driver.world.units[UNIT]
    with pytest.raises(InputError, match="cannot run"):
        driver.world.start("test", UNIT, "production/none", START, {})
    with pytest.raises(InputError, match="is not told"):
        driver.world.start("test", UNIT, "production/growth/fed-batch", START, {})
    with pytest.raises(InputError, match="has not ended"):
        unit.sample(EXPRESS, {"product": "g/L"})


def test_a_probe_that_is_calibrated_in_the_medium_reads_true_afterwards(example: Example):
    """Two buffers, then the broth: the transmitter undoes what its probe is off, and a restarted plant keeps that."""
    probe = {"pH_reference": "7.00", "pH_second_reference": "4.01", "valid": "720 h"}
    data = example.control.recipe.to_data()
    phases = next(item for item in data["procedure"] if item["unit_procedure"] == "production")["operations"][0][
        "phases"
    ]
    limits = {"slope": "90 .. 110 %", "offset": "-0.5 .. 0.5"}
    phases.insert(2, {"phase": "probe", "do": "calibrate", "set": probe, "limits": limits, "duration": "30 min"})
    recipe = parse_recipe(yaml_text(data))
    control = replace(example.control, recipe=recipe)
    path = "production/preparation/probe"
    window = {"after": Quantity(0, "h"), "duration": Quantity(9, "h")}
    off = FaultEntry(unit=UNIT, phase=path, tag="pH", offset=0.3, **window)
    made = scenario(replace(example, control=control), faults=[off])
    driver = Driver(example, world(made))
    driver.steps = [step for step in recipe.phases() if step.path.startswith("production/preparation")][:3]
    driver.all()
    shown = driver.values(path, "pH")
    assert (shown[10], shown[-1]) == pytest.approx((7.3, 4.31), abs=0.1)
    unit = driver.world.units[UNIT]
    assert isinstance(unit, LiveUnit)
    (adopted,) = unit._driven.instruments.probes.adopted["pH"]
    assert (adopted.slope, adopted.offset) == pytest.approx((100.0, 0.3), abs=0.5)
    true = unit._driven.truth()["pH"]
    seen = [unit._driven.look(0.01, ())["pH"] for _ in range(50)]  # the fault was in the phase alone: it is now too low
    assert sum(seen) / 50 == pytest.approx(true - adopted.offset * 100.0 / adopted.slope, abs=0.05)
    again = world(made).units[UNIT]
    assert isinstance(again, LiveUnit)
    again.restore(json.loads(json.dumps(unit.to_data())))
    assert again._driven.instruments.probes == unit._driven.instruments.probes


def test_a_tank_is_cleaned_in_place_before_its_batch_and_never_with_broth_in_it(example: Example, calm):
    data = example.control.recipe.to_data()
    production = next(item for item in data["procedure"] if item["unit_procedure"] == "production")
    agent = {"material": "cip-alkali", "volumes": "0.5", "contact_time": "20 min"}
    for place, name in ((0, "cip"), (len(production["operations"][0]["phases"]) + 1, "again")):
        production["operations"][0]["phases"].insert(place, {"phase": name, "do": "clean", "set": agent})
    recipe = parse_recipe(yaml_text(data))
    own = replace(example, control=replace(example.control, recipe=recipe))
    driver = Driver(own, world(scenario(own)))
    unit = driver.world.units[UNIT]
    assert isinstance(unit, LiveUnit)  # still integrated, not played
    unit.restore(calm[0].kept[0])  # the batch before is still in it
    driver.at = began = calm[0].kept[1]
    driver.steps = [step for step in driver.steps if step.path.startswith("production/preparation")]
    ending = driver.run(driver.steps[0])
    assert unit._driven.tank.empty
    assert (ending.time - began).total_seconds() == pytest.approx(20 * 60)
    full = unit._driven.vessel.working_volume[1]
    assert [(item.material, item.unit) for item in ending.additions] == [("cip-alkali", "L")]
    assert ending.additions[0].amount == pytest.approx(0.5 * full, rel=0.01)
    for step in driver.steps[1:3]:
        driver.run(step)
    assert not unit._driven.tank.empty
    with pytest.raises(InputError, match="cannot be cleaned"):
        driver.begin(recipe.phase_at("production/preparation/again"))
    assert unit.state is State.COMPLETE
    both = (recipe, example.control.recipe)
    plans = [plan_of(unit.culture, unit._driven.vessel, item, "production", 1.0) for item in both]
    assert plans[0].segments == plans[1].segments  # the culture is the same
    assert dict(plans[0].before)["production/preparation/cip"] == pytest.approx(1 / 3)


def test_a_plant_says_where_its_run_was_short_of_oxygen(example: Example):
    short = replace(example.production, events=(RunEvent(12.34, "oxygen_limited", "short"),))
    made = scenario(example)
    assert short_words(made, [*example.seeds, example.production]) == []
    (words,) = short_words(made, [*example.seeds, short])
    assert f"{UNIT}: as simulated" in words
    assert "from 12.3 h on" in words
    played = replace(made, units={**made.units, UNIT: replace(made.units[UNIT], live=None)})
    assert short_words(played, [short]) == []  # it is what was simulated
