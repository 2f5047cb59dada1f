"""Actuators with a dead band, and a probe that is fouled."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.automation._control import Actuators
from seedtrain.automation._faults import Fault
from seedtrain.automation._plant._actuation import Actuation, actuation_of
from seedtrain.automation._plant._instruments import LIVE_SENSORS, Instrument
from seedtrain.simulation import StirredTank
from tests.simulation_live.test_tank import VESSEL

assert isinstance(VESSEL, StirredTank)
TANK: StirredTank = VESSEL


@given(st.lists(st.floats(0.0, 450.0), min_size=1, max_size=40), st.floats(0.0, 0.2))
def test_an_actuator_is_never_farther_from_what_it_is_told_than_its_dead_band(told: list[float], band: float):
    stirrer, before = actuation_of(TANK, band), 0.0
    for wanted in told:
        found = stirrer.follow(Actuators(speed=wanted)).speed
        assert abs(found - wanted) <= band * 450.0 + 1e-9
        assert found in (before, wanted)
        assert found == wanted or 0.0 < wanted < 450.0  # it closes, and opens fully
        before = found


def test_without_a_dead_band_everything_does_as_it_is_told():
    told = Actuators(speed=213.4, air=101.0, base=0.02, jacket_inlet=31.0)
    assert actuation_of(TANK, 0.0).follow(told) is told
    assert Actuation(0.0, {}).follow(told) is told


def test_a_fouled_probe_answers_as_many_times_more_slowly():
    """First order: after its delay a probe has done 63 % of a step; one fouled tenfold after ten times as long."""
    fouled = Fault("T", "p", "dissolved_oxygen", 10.0, 0.0, 1.0, "a film", "fouling")
    for faults, times in (((), 1.0), (((fouled, 0.0),), 10.0)):
        probe = Instrument(LIVE_SENSORS["dissolved_oxygen"], "T", 1)
        probe.show(0.0, 0.0)
        delay = LIVE_SENSORS["dissolved_oxygen"].delay * times
        for _ in range(1000):
            probe.show(100.0, delay / 1000, faults)
        assert probe._seen == pytest.approx(100.0 * (1 - math.exp(-1)), rel=1e-6)
