"""Soft sensors of integrated tanks, and feeds that go by what sensors show."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from typing import Any

import pytest

from seedtrain.automation import FaultEntry
from seedtrain.automation._bench._tank import driven_tank
from seedtrain.automation._control import CultureFilter
from seedtrain.automation._plant._instruments import Instruments
from seedtrain.automation._plant._live_tank import DrivenTank
from seedtrain.automation._plant._live_unit import LiveUnit
from seedtrain.quantity import Quantity
from seedtrain.simulation import Liquid, LiveTank, TrajectoryError, read_culture
from tests.automation.test_example import UNIT, Example
from tests.automation_plant.driven import (
    FED,
    Driver,
    fed_as,
    scenario,
    world,
)


def test_a_mu_stat_holds_the_growth_rate_that_its_soft_sensor_finds(example: Example, calm):
    wanted = example.control.recipe.phase(FED).number("growth_rate", "1/h")
    driver = fed_as(example, calm, {"strategy": "mu_stat"})
    unit = driver.world.units[UNIT]
    assert isinstance(unit, LiveUnit)
    later = slice(len(driver.values(FED, "mu")) // 2, None)
    found = {tag: driver.values(FED, tag)[later] for tag in ("mu", "RQ", "biomass_estimate", "biomass", "feed_rate")}
    assert sum(found["mu"]) / len(found["mu"]) == pytest.approx(wanted, abs=0.01)
    assert all(0.8 < value < 1.4 for value in found["RQ"])
    assert found["biomass_estimate"][-1] == pytest.approx(unit._truths[FED]["biomass"], rel=0.08)
    rose = math.log(found["feed_rate"][-1] / found["feed_rate"][0]) / (0.1 * (len(found["feed_rate"]) - 1))
    assert rose == pytest.approx(wanted, abs=0.04)


def test_every_culture_has_soft_sensors_that_say_when_they_are_to_be_trusted(example: Example, calm):
    """Uncertain until the exit gas tells enough; what is good lies where it should; a hand's additions are entered."""
    driver, _ = calm
    for name in ("SEED-20", UNIT):
        unit = driver.world.units[name]
        for path, (began, ending) in unit.results.items():
            do = next(step.phase.do for step in driver.steps if step.path == path)
            past = {tag: unit.past(tag, began, ending.time) for tag in ("mu", "RQ", "biomass_estimate", "biomass")}
            if do not in ("grow", "feed", "induce"):
                assert all(len(items) <= 1 for items in past.values()), path  # the start of the next phase
                continue
            assert {len(items) for items in past.values()} == {len(past["biomass"])}
            good = {tag: [item for item in items if item.quality == "good"] for tag, items in past.items()}
            assert all(0.5 < item.value < 1.5 for item in good["RQ"]), path
            by_time = {item.at: item.value for item in past["biomass"]}
            off = [item.value / by_time[item.at] for item in good["biomass_estimate"]]
            assert not off or 0.8 < sum(off) / len(off) < 1.2, path
            if path.endswith("/batch"):
                assert past["mu"][0].quality == past["biomass_estimate"][0].quality == "uncertain"
                assert good["mu"]
                assert past["mu"][len(past["mu"]) * 9 // 10].quality == "good"  # before the sugar ends
    rates = [item for item in unit.past("mu", *_of(unit, FED)) if item.quality == "good"]
    grown = unit.past("biomass", *_of(unit, FED))
    hours = (grown[-1].at - grown[0].at).total_seconds() / 3600.0
    held = math.log(grown[-1].value * driver.values(FED, "broth_volume")[-1])
    held -= math.log(grown[0].value * driver.values(FED, "broth_volume")[0])
    assert sum(item.value for item in rates) / len(rates) == pytest.approx(held / hours, abs=0.02)


def _of(unit: Any, path: str) -> tuple[Any, Any]:
    began, ending = unit.results[path]
    return began, ending.time


def test_soft_sensors_without_an_analyser_are_uncertain_and_go_on(example: Example, calm):
    made = scenario(example, faults=[_silent("OUR"), _silent("CER")])
    driver = Driver(example, world(made))
    unit = driver.world.units[UNIT]
    assert isinstance(unit, LiveUnit)
    unit.restore(json.loads(json.dumps(calm[0].kept_fed[0])))
    assert unit.to_data()["driven"]["soft"] == calm[0].kept_fed[0]["driven"]["soft"]  # a killed plant knows as much
    driver.at = began = calm[0].kept_fed[1]
    driver.begin(next(step for step in driver.steps if step.path == FED))
    driver.at = driver.world.advance(began + timedelta(hours=2), driver.told.append)
    for tag in ("mu", "RQ", "biomass_estimate"):
        by_hour = {
            (item.at - began).total_seconds() / 3600.0: item.quality for item in unit.past(tag, began, driver.at)
        }
        assert {quality for hour, quality in by_hour.items() if 1.2 < hour < 1.9} == {"uncertain"}, tag
    assert {item.quality for item in driver.told if item.tag == "mu"} == {"good", "uncertain"}


def _silent(tag: str) -> FaultEntry:
    window = {"after": Quantity(1.0, "h"), "duration": Quantity(1.0, "h")}
    return FaultEntry(unit=UNIT, phase=FED, tag=tag, kind="failure", what="the analyser is out", **window)


def test_a_filter_that_is_lost_begins_anew_and_the_tank_goes_on(monkeypatch: pytest.MonkeyPatch):
    tank, step = driven_tank(0), CultureFilter.step
    lost: list[CultureFilter] = []

    def fails_once(own: CultureFilter, *given: Any) -> dict[str, float]:
        if not lost:
            lost.append(own)
            raise TrajectoryError("the model is lost", time=0.0, last={}, remedy="Begin anew.")
        assert own is not lost[0]
        return step(own, *given)

    monkeypatch.setattr(CultureFilter, "step", fails_once)
    seen = []
    for _ in range(4 * 12):
        tank.look(1 / 120, ())
        tank.move(0.0, 1 / 120, ())
        seen.append((tank.seen["biomass_estimate"], tank.quality("biomass_estimate")))
    assert lost
    assert {quality for _, quality in seen} <= {"good", "uncertain"}
    assert seen[-1][0] == pytest.approx(tank.truth()["biomass"], rel=0.3)


def test_carbon_dioxide_that_dissolves_first_misleads_no_soft_sensor():
    """A yeast on much sugar gives off more than the broth lets out in its first hour: not less growth, but late gas."""
    made = driven_tank(0)
    culture = read_culture("yeast_bottleneck")
    tank, sugar = LiveTank(culture, made.vessel), culture.symbol("glucose")
    assert culture.biomass
    assert sugar
    tank.charge(Liquid({culture.biomass: 1.0, sugar: 10.0}, water=970.0, minerals=10.0), 90.0, temperature=37.0)
    driven = DrivenTank(tank, made.control, Instruments("YEAST", 1), made.base_liquid)
    driven.look(0.0, ())
    driven.estimate()
    for _ in range(180):
        driven.look(1 / 120, ())
        driven.move(0.0, 1 / 120, ())
    true = driven.truth()
    assert driven.seen["CER"] < 0.95 * tank.read(driven._inputs)["CER"]  # what the analyser sees is behind
    assert driven.quality("mu") == "good"
    # By the rates in the broth alone it would be 27 % too low.
    assert driven.seen["mu"] == pytest.approx(true["mu"], rel=0.17)
    assert driven.seen["biomass_estimate"] == pytest.approx(true["biomass"], rel=0.12)


def test_an_estimate_is_good_only_while_filter_and_analysers_are_sure_enough():
    """One gas alone corrects too little; what the filter doubts, or a jump of the uptake, is uncertain."""
    tank = driven_tank(0)
    soft = tank.soft
    assert soft is not None
    gas = {"OUR": 40.0, "CER": 41.0}
    sure = {"RQ": 1.0, "mu": 0.3, "mu_sd": 0.01, "biomass": 5.0, "biomass_sd": 0.2}

    def told(gas: dict[str, float], **more: float) -> dict[str, str]:
        soft._tell(sure | more, gas, corrected=len(gas) == 2)
        return {tag: item.quality for tag, item in soft.told.items()}

    told(gas)
    good = {"RQ": "good", "mu": "good", "biomass_estimate": "good"}
    assert told(gas) == good
    assert told(gas, biomass_sd=0.6) == good | {"biomass_estimate": "uncertain"}
    assert told(gas, mu_sd=0.04) == good | {"mu": "uncertain"}
    assert told(gas, mu=0.01, mu_sd=0.015) == good  # near nothing it is the error itself that counts
    assert told({"OUR": 60.0, "CER": 61.0}) == good | {"RQ": "uncertain"}
    assert told(gas | {"OUR": 0.5, "CER": 0.5})["RQ"] == "uncertain"  # lost in the noise
    for tag in gas:
        soft.follow(tank._inputs, 0.1, {tag: gas[tag]})
        assert {item.quality for item in soft.told.values()} == {"uncertain"}, tag


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "tag", "threshold"),
    [("DO_stat", "feed_above_dissolved_oxygen", "40 %"), ("pH_stat", "feed_above_pH", "7.02")],
)
def test_a_stat_feeds_in_pulses_while_the_value_is_high(
    example: Example, calm, strategy: str, tag: str, threshold: str
):
    initial = example.control.recipe.phase(FED).number("initial_rate", "L/h")
    pulse = 4.0 * initial
    change = {"strategy": strategy, "rate": f"{initial} L/h", "pulse_rate": f"{pulse} L/h", tag: threshold}
    driver = fed_as(example, calm, change, "initial_rate", "growth_rate")
    rates = driver.values(FED, "feed_rate")
    assert {round(rate / pulse) for rate in rates} == {0, 1}
    assert all(min(abs(rate), abs(rate - pulse)) < 0.03 * pulse for rate in rates)
    assert max(driver.values(FED, "glucose")[10:]) < 1.0  # it gives what is eaten
    ending = driver.world.units[UNIT].results[FED][1]
    fed = next(item.amount for item in ending.additions if item.material == "glucose-feed")
    assert fed > 0.0
    grown = driver.values(FED, "biomass")
    assert grown[-1] > 1.2 * grown[0]
