"""Airlifts: hold-up, transfer and circulation, in round figures and in their limits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.simulation import Airlift
from seedtrain.simulation import _airlift as a
from seedtrain.simulation._estimate import BROTH_DENSITY, GRAVITY


def column(**changes: object) -> Airlift:
    fields: dict[str, object] = {
        "name": "AIR",
        "scale": "pilot",
        "nominal_volume": 2000.0,
        "working_volume": (800.0, 1500.0),
        "diameter": 0.8,
        "draft_tube_diameter": 0.8 / math.sqrt(2),
        "aeration": (0.1, 1.5),
        "head_pressure": (0.0, 0.5),
        "cooling_area": 6.0,
        "heat_transfer_coefficient": 500.0,
        "coolant_temperature": 10.0,
    }
    return Airlift(**{**fields, **changes})  # type: ignore[arg-type]


def test_transfer_and_hold_up_of_a_bubble_column_in_round_figures():
    # 0.32 x 0.05^0.7 = 0.0393 1/s; 0.6 x 0.05^0.7 = 0.0737
    assert a.column_kLa(0.05).value == pytest.approx(141.4, rel=1e-3)
    assert a.gas_hold_up(0.05).value == pytest.approx(0.0737, rel=1e-3)
    assert a.column_kLa(0.05).value == a.COLUMN_FACTOR * 0.05**a.COLUMN_EXPONENT
    assert a.column_kLa(0.05).in_range
    assert not a.column_kLa(0.5).in_range
    assert not a.column_kLa(0.001).in_range


def test_without_gas_nothing_passes_and_nothing_moves():
    assert a.column_kLa(0.0).value == 0.0
    assert a.gas_hold_up(0.0).value == 0.0
    assert a.gas_power(0.0) == 0.0
    assert a.circulation_velocity(column(), 0.0, 1000.0).value == 0.0
    assert a.circulation_time(column(), 0.0, 1000.0).value == math.inf


def test_the_power_of_rising_gas_is_that_of_lifting_the_liquid():
    # Work of gas that expands a little: Q dp over V, with dp = density g h.
    velocity, height, area = 0.04, 1.5, 0.7
    assert a.gas_power(velocity) == pytest.approx(velocity * area * BROTH_DENSITY * GRAVITY * height / (area * height))


def test_circulation_balances_buoyancy_and_friction():
    vessel, velocity, volume = column(), 0.05, 1000.0
    found = a.circulation_velocity(vessel, velocity, volume).value
    total = a.gas_hold_up(velocity).value
    riser = total * 2 / (1 + a.DOWNCOMER_SHARE)  # equal areas: the mean of both hold-ups is the column's
    downcomer = a.DOWNCOMER_SHARE * riser
    buoyancy = GRAVITY * vessel.height(volume) * (riser - downcomer)
    # K_B of a gap as wide as the annulus is 11.402; the liquid is as fast in the gap as in the annulus.
    friction = 11.402 / 2 * (found / (1 - downcomer)) ** 2
    assert found == pytest.approx(math.sqrt(2 * buoyancy * (1 - downcomer) ** 2 / 11.402))
    assert buoyancy == pytest.approx(friction)
    assert 0.1 < found < 1.0  # m/s, what pilot airlifts show
    once = a.circulation_time(vessel, velocity, volume).value
    assert once == pytest.approx(volume / 1000 / (found * vessel.riser_area))
    assert a.column_mixing_time(vessel, velocity, volume).value == pytest.approx(a.CIRCULATIONS * once)


def test_a_narrow_gap_slows_the_liquid_and_leaves_the_range():
    wide, narrow = column(), column(clearance=0.02)
    assert a.circulation_velocity(narrow, 0.05, 1000.0).value < a.circulation_velocity(wide, 0.05, 1000.0).value
    assert a.circulation_velocity(wide, 0.05, 1000.0).in_range
    assert not a.circulation_velocity(narrow, 0.05, 1000.0).in_range


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 0.25), st.floats(1.01, 1.2))
def test_more_gas_transfers_more_and_mixes_faster(velocity, factor):
    vessel = column()
    assert a.column_kLa(velocity * factor).value > a.column_kLa(velocity).value
    assert a.circulation_velocity(vessel, velocity * factor, 1000).value > (
        a.circulation_velocity(vessel, velocity, 1000).value
    )
    assert a.column_mixing_time(vessel, velocity * factor, 1000).value < (
        a.column_mixing_time(vessel, velocity, 1000).value
    )
    assert 0 < a.gas_hold_up(velocity).value < 0.3
