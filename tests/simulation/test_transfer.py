"""Transfer correlations: published values, their ranges, and the laws between them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.simulation import _limits
from seedtrain.simulation import _transfer as t
from seedtrain.simulation._estimate import GRAVITY
from tests.simulation import cases


@pytest.mark.parametrize(
    ("temperature", "milligrams"),
    # Standard Methods 4500-O, table of solubility in fresh water under moist air at 101.325 kPa, mg/L.
    [(0.0, 14.621), (10.0, 11.288), (20.0, 9.092), (25.0, 8.263), (30.0, 7.559), (37.0, 6.727)],
)
def test_oxygen_solubility_is_that_of_the_table(temperature, milligrams):
    pressure = t.OXYGEN_IN_AIR * (t.ATMOSPHERE - t.water_vapour(temperature))
    assert t.oxygen_solubility(temperature) * pressure * 31.998 == pytest.approx(milligrams, rel=2e-3)


@pytest.mark.parametrize(("temperature", "kilopascal"), [(10, 1.228), (25, 3.170), (37, 6.282), (100, 101.4)])
def test_water_vapour_is_that_of_steam_tables(temperature, kilopascal):
    assert t.water_vapour(temperature) * 100 == pytest.approx(kilopascal, rel=3e-3)


def test_carbon_dioxide_dissolves_some_twenty_five_times_better_than_oxygen():
    assert t.carbon_dioxide_solubility(25.0) == pytest.approx(33.0)
    assert 20 < t.carbon_dioxide_solubility(37.0) / t.oxygen_solubility(37.0) < 30


def test_kLa_of_van_t_riet_in_1_per_h_with_its_ranges():
    # 0.026 x 1000^0.4 x 0.01^0.5 = 0.0412 1/s and 0.002 x 1000^0.7 x 0.01^0.2 = 0.1003 1/s
    coalescing, salty = t.kLa_coalescing(1000, 0.01, 100), t.kLa_non_coalescing(1000, 0.01, 100)
    assert coalescing.value == pytest.approx(148.3, rel=1e-3)
    assert salty.value == pytest.approx(361.0, rel=1e-3)
    assert coalescing.in_range
    assert salty.in_range
    assert not t.kLa_coalescing(20_000, 0.01, 100).in_range
    assert not t.kLa_coalescing(1000, 0.01, 4000).in_range
    assert t.kLa_non_coalescing(1000, 0.01, 4000).in_range
    assert not t.kLa_non_coalescing(1000, 0.01, 1).in_range


SPEEDS = st.floats(120, 900)
FLOWS = st.floats(1e-5, 2e-3)


@settings(max_examples=60, deadline=None)
@given(SPEEDS, FLOWS, st.floats(5, 15))
def test_gas_takes_power_and_never_adds_any(speed, flow, volume):
    tank = cases.tank()
    bare = t.ungassed_power(tank, speed)
    gassed = t.gassed_power(tank, speed, flow, volume).value
    assert 0 < gassed <= bare
    assert t.gassed_power(tank, speed, 2 * flow, volume).value <= gassed * (1 + 1e-12)
    assert t.gassed_power(tank, speed * 1.1, flow, volume).value > gassed
    assert t.gassed_power(tank, speed, 0.0, volume).value == bare
    assert t.speed_of_power(tank, gassed, flow, volume) == pytest.approx(speed, rel=1e-9)
    assert t.speed_of_power(tank, bare, 0.0, volume) == pytest.approx(speed, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(FLOWS)
def test_flooding_speed_is_the_inverse_of_flooding_gas_flow(flow):
    tank = cases.tank()
    speed = t.flooding_speed(tank, flow)
    assert t.flooding_gas_flow(tank, speed).value == pytest.approx(flow, rel=1e-9)


def test_flooding_follows_the_flow_number():
    tank = cases.tank()
    n, d = 300 / 60, tank.impeller_diameter
    flow = t.flooding_gas_flow(tank, 300).value
    froude = n**2 * d / GRAVITY
    assert flow / (n * d**3) == pytest.approx(30 * (d / tank.diameter) ** 3.5 * froude)


def test_power_without_gas_is_the_power_number():
    tank = cases.tank(impellers=1)
    assert t.ungassed_power(tank, 60) == pytest.approx(5.0 * 1020.0 * 0.1**5)


def test_larger_vessels_mix_more_slowly_at_the_same_power_density():
    small, large = cases.tank(), cases.tank(diameter=2.4, impeller_diameter=1.0)
    quick = t.mixing_time(small, 1000, 1000 * small.area * small.diameter)
    slow = t.mixing_time(large, 1000, 1000 * large.area * large.diameter)
    assert slow.value / quick.value == pytest.approx(10 ** (2 / 3), rel=1e-9)
    tall = t.mixing_time(small, 1000, 2000 * small.area * small.diameter)
    assert tall.value / quick.value == pytest.approx(2**2.43, rel=1e-9)


def test_mixing_time_in_round_figures():
    # 5.9 x 1^2/3 x (1020/1020)^-1/3 x (1/3)^-1/3 = 8.5 s at T = H = 1 m, 1 W/kg, D = T/3
    tank = cases.tank(diameter=1.0, impeller_diameter=1 / 3)
    assert t.mixing_time(tank, 1020.0, 1000 * tank.area).value == pytest.approx(8.51, rel=1e-3)


def test_gassed_power_in_round_figures():
    # 0.10 (Q/NV)^-0.25 (N2 D4 / (g D/5 V^2/3))^-0.20 for N 5 1/s, D 0.1 m, V 10 L, Q 1.667e-4 m3/s
    ratio = t.hughmark_ratio(cases.tank(), 300.0, 1.667e-4, 10.0)
    assert ratio == pytest.approx(0.10 * 4.1616 * 1.2950, rel=2e-3)


def test_eddies_heat_and_tip_speed_in_round_figures():
    assert t.kolmogorov_length(1020.0) == pytest.approx(3.1e-5, rel=0.02)  # (1e-6^3 / 1)^0.25 = 32 um at 1 W/kg
    assert t.metabolic_heat(150.0) == pytest.approx(19_000, rel=0.02)  # 150 mmol/L/h means some 19 kW/m3
    assert t.tip_speed(cases.tank(), 600) == pytest.approx(math.pi)


def test_cooling_stops_where_the_broth_is_as_cold_as_the_coolant():
    tank = cases.tank()
    assert t.cooling_capacity(tank, 10.0) == 0.0
    assert t.cooling_capacity(tank, 5.0) == 0.0
    assert t.cooling_capacity(tank, 30.0) == pytest.approx(400 * 0.4 * 20)


def test_limits_of_a_vessel_hang_together():
    tank = cases.tank()
    limits = _limits.transfer_limits(tank, 12.0, aeration=1.0, head_pressure=0.1)
    assert limits.speed <= tank.stirrer_speed[1]
    assert t.gassed_power(tank, limits.speed, limits.gas_velocity * tank.area, 12.0).value <= tank.motor_power * 1.001
    assert limits.OTR_coalescing < limits.OTR_non_coalescing
    # With unlimited gas the transfer would be kLa x (C* - DO); supply and its own depletion leave less.
    pressure = t.mean_pressure(tank, 12.0, 0.1)
    star = t.oxygen_solubility(37) * t.OXYGEN_IN_AIR * (pressure - t.water_vapour(37))
    assert limits.OTR_coalescing < limits.kLa_coalescing.value * 0.7 * star
    more = _limits.transfer_limits(tank, 12.0, aeration=1.0, head_pressure=1.0)
    assert more.OTR_coalescing > limits.OTR_coalescing
    assert _limits.transfer_limits(tank, 12.0, dissolved_oxygen=0.1).OTR_coalescing > limits.OTR_coalescing
    assert (
        _limits.transfer_limits(tank, 12.0, aeration=1.0, speed=200).kLa_coalescing.value < limits.kLa_coalescing.value
    )


def test_a_weak_motor_bounds_the_speed():
    weak = cases.tank(motor_power=20.0)
    limits = _limits.transfer_limits(weak, 12.0)
    assert limits.speed < weak.stirrer_speed[1]
    assert limits.power_per_volume * 12.0 / 1000 == pytest.approx(20.0, rel=1e-6)


def test_a_flask_is_its_own_figure():
    limits = _limits.transfer_limits(cases.flask(kLa=150.0), 10.0)
    assert limits.kLa_coalescing.value == limits.kLa_non_coalescing.value == 150.0
    assert 10 < limits.OTR_coalescing < 150 * 0.21
