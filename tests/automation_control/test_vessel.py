"""The controllers of a tank hold it through growth, feed, a shift of temperature and a feed that stops."""

from __future__ import annotations

import dataclasses

import pytest

from seedtrain.automation._control import ConstantFeed, ControlScheme, ExponentialFeed, MuStat, RiseStat
from tests.automation_control.driven import SET, Rig
from tests.simulation_live.test_tank import filled

Log = list[tuple[float, dict[str, float]]]


def worst(log: Log, tag: str, set_point: float, after: float = 0.0) -> float:
    found: float = max(abs(seen[tag] - set_point) for hours, seen in log if hours >= after)
    return found


def test_growth_feed_and_a_shift_of_temperature_are_held():
    rig = Rig(filled(cells=2.0))
    log = rig.run(3.0)
    assert worst(log, "temperature", 37.0, 1.5) < 0.5
    assert worst(log, "pH", 6.9, 0.5) < 0.12
    assert worst(log, "dissolved_oxygen", 0.3, 1.0) < 0.06
    log = rig.run(6.0, ExponentialFeed(0.4, 0.12, 3.0))
    assert worst(log, "temperature", 37.0) < 0.5
    assert worst(log, "pH", 6.9) < 0.2
    rig.control.want(dataclasses.replace(SET, temperature=30.0))
    log = rig.run(2.0, ConstantFeed(0.8))
    assert worst(log, "temperature", 30.0, rig.hours - 1.0) < 0.4
    assert min(seen["temperature"] for _, seen in log) > 28.5  # no dive below it


def test_a_feed_that_stops_for_ten_minutes_finds_its_oxygen_when_it_comes_back():
    rig = Rig(filled(cells=15.0))
    feed = ConstantFeed(0.9)
    rig.run(2.0, feed)
    rig.run(1 / 6)
    low = [seen["dissolved_oxygen"] for _, seen in rig.run(0.5, feed)]
    assert min(low) > 0.1


def test_pure_oxygen_comes_in_only_where_the_cascade_may_use_it():
    plain, rich = Rig(filled(cells=35.0)), Rig(filled(cells=35.0), scheme=ControlScheme(oxygen_share=0.4))
    feed = ConstantFeed(3.0)
    plain.run(1.5, feed)
    rich.run(1.5, feed)
    assert plain.inputs.oxygen == 0.0
    assert rich.inputs.oxygen > 5.0
    assert rich.tank.read(rich.inputs)["dissolved_oxygen"] > plain.tank.read(plain.inputs)["dissolved_oxygen"]


def test_a_do_stat_feeds_when_the_substrate_is_gone_and_never_floods():
    rig = Rig(filled(cells=20.0))
    rig.run(1.5)  # to the end of the glucose
    log = rig.run(3.0, RiseStat("dissolved_oxygen", 0.45, rate=2.0, pulse=0.05))
    fed = rig.tank.volume
    assert fed > 94.5
    assert max(seen["S"] for hours, seen in log if hours > 2.0) < 1.5


def test_a_mu_stat_brings_the_growth_rate_to_its_set_point():
    rig = Rig(filled(cells=6.0))
    rig.run(2.5)
    log = rig.run(8.0, MuStat(0.3, 0.12))
    late = [seen["mu"] for hours, seen in log if hours > rig.hours - 2]
    assert sum(late) / len(late) == pytest.approx(0.12, abs=0.015)
