"""Zones of a stirred tank: what they exchange mixes them in the tank's mixing time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.simulation import zone_exchange, zones_of
from seedtrain.simulation._transfer import gassed_power, mixing_time
from seedtrain.simulation._zones import exchange_of_power, exchange_of_time
from tests.simulation import cases


def largest_deviation(zones: int, exchange: float, volume: float, hours: float) -> float:
    """Largest difference from the mean, over the mean, after a pulse into the top zone; by matrix exponential."""
    from scipy.linalg import expm

    chain = np.zeros((zones, zones))
    for here in range(zones - 1):
        flow = exchange / (volume / zones)
        chain[here, here] -= flow
        chain[here, here + 1] += flow
        chain[here + 1, here + 1] -= flow
        chain[here + 1, here] += flow
    pulse = np.zeros(zones)
    pulse[-1] = zones
    return float(np.abs(expm(chain * hours) @ pulse - 1).max())


@pytest.mark.parametrize("zones", [2, 3, 4, 6, 10])
def test_a_pulse_at_the_top_is_mixed_in_the_mixing_time(zones):
    volume, seconds = 15_000.0, 47.0
    flow = exchange_of_time(volume, zones, seconds)
    assert largest_deviation(zones, flow, volume, seconds / 3600) == pytest.approx(0.05, rel=2e-3)
    assert largest_deviation(zones, flow, volume, 0.5 * seconds / 3600) > 0.15


def test_two_zones_in_closed_form_and_one_zone_without_limit():
    assert exchange_of_time(1000.0, 2, 36.0) == pytest.approx(1000.0 * math.log(20) / (4 * 36.0) * 3600)
    assert exchange_of_time(1000.0, 1, 36.0) == math.inf
    assert zone_exchange(cases.tank(), 10.0, 300.0) == math.inf


def test_the_tank_s_exchange_follows_its_mixing_time():
    tank = cases.tank(zones=3)
    power = gassed_power(tank, 400.0, 1e-4, 12.0).value / 0.012
    seconds = mixing_time(tank, power, 12.0).value
    flow = zone_exchange(tank, 12.0, 400.0, 1e-4)
    assert flow == pytest.approx(exchange_of_time(12.0, 3, seconds))
    assert exchange_of_power(tank, 12.0, 8 * power) == pytest.approx(2 * flow)
    assert zone_exchange(tank, 12.0, 400.0) > flow  # gas takes power


def test_the_exchange_is_near_what_impellers_pump():
    """Half of 0.2 Np N D^3 flows to each neighbour in published compartment models of tanks with a turbine a zone."""
    tank = cases.tank(
        diameter=2.3, impeller_diameter=0.9, impellers=3, zones=3, stirrer_speed=(20.0, 80.0), motor_power=45e3
    )
    pumped = 0.1 * tank.power_number * (80 / 60) * tank.impeller_diameter**3 * 1000 * 3600
    assert 0.4 < zone_exchange(tank, 15_000.0, 80.0) / pumped < 2.5


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.floats(20, 900), st.floats(1.01, 3))
def test_faster_stirring_exchanges_more_and_shares_add_up(count, speed, factor):
    tank = cases.tank(zones=count)
    assert zone_exchange(tank, 10.0, speed * factor) == pytest.approx(zone_exchange(tank, 10.0, speed) * factor)
    zones = zones_of(tank)
    assert sum(zones.power) == pytest.approx(1.0)
    assert sum(zones.gas) == 1.0
    assert sum(zones.depth) / count == pytest.approx(0.5)
    assert zones.depth[0] > zones.depth[-1] > 0
    assert (zones.feed, zones.probe) == (count - 1, 0)
