"""The equations in text against the correlations and the closure in Python, which other tests hold to publications."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.simulation import setup_of
from seedtrain.simulation._elements import H2O_MASS, SULPHATE_MASS
from seedtrain.simulation._evaluate import evaluator
from seedtrain.simulation._setup import Setup
from seedtrain.simulation._transfer import (
    flooding_gas_flow,
    flooding_speed,
    gas_flow,
    gassed_power,
    kLa_coalescing,
    kLa_non_coalescing,
    mean_pressure,
    oxygen_solubility,
    ungassed_power,
    water_vapour,
)
from seedtrain.simulation._vessel import StirredTank
from tests.simulation import cases


def held_of(setup: Setup, segment: int = 0) -> dict[str, float]:
    names = [symbol for symbol, _ in setup.system.held]
    numbers = setup.schedule.numbers[0, segment].tolist()
    return dict(zip(names, evaluator(setup.system).held(numbers, setup.schedule.initial[0].tolist()), strict=True))


@settings(max_examples=40, deadline=None)
@given(
    diameter=st.floats(0.15, 3.0),
    ratio=st.floats(0.25, 0.5),
    slenderness=st.floats(0.8, 2.5),
    top=st.floats(60.0, 1500.0),
    vvm=st.floats(0.1, 2.0),
)
def test_a_stirred_tank_in_text_is_the_tank_of_the_correlations(diameter, ratio, slenderness, top, vvm):
    volume = 1000 * 3.14159 / 4 * diameter**3 * slenderness
    tank = cases.tank(
        diameter=diameter,
        impeller_diameter=ratio * diameter,
        stirrer_speed=(30.0, top),
        aeration=(0.0, 3.0),
        working_volume=(1.0, 2 * volume),
        nominal_volume=3 * volume,
        oxygen_cascade=("stirrer_speed",),
    )
    setup = setup_of(cases.culture(), tank, cases.recipe())
    first = dataclasses.replace(setup.plan.segments[0], aeration=vvm, stirrer_speed=top)
    plan = dataclasses.replace(setup.plan, segments=(first,), medium=((setup.plan.medium[0][0], volume),), inoculum=0.0)
    setup = dataclasses.replace(setup, plan=plan)
    held = held_of(setup)
    pressure = mean_pressure(tank, volume, first.head_pressure)
    wanted = gas_flow(vvm, volume, first.temperature, pressure)
    flow = min(wanted, flooding_gas_flow(tank, top).value)
    assert held["p_s"] == pytest.approx(pressure, rel=1e-12)
    assert held["flow"] == pytest.approx(flow, rel=1e-12)
    assert held["gas_cut"] == pytest.approx(flow / wanted, rel=1e-12)
    assert held["speed_first"] == pytest.approx(min(max(30.0, flooding_speed(tank, flow)), top), rel=1e-12)
    assert held["P_high"] * volume == pytest.approx(ungassed_power(tank, top), rel=1e-12)
    drawn = min(held["G_high"], held["P_high"]) * volume
    assert drawn == pytest.approx(gassed_power(tank, top, flow, volume).value, rel=1e-12)
    density, velocity = drawn / volume * 1000, flow / tank.area
    both = (
        kLa_coalescing(density, velocity, volume).value * kLa_non_coalescing(density, velocity, volume).value
    ) ** 0.5
    assert held["K_L"] * (drawn / volume) ** held["alpha"] == pytest.approx(both, rel=1e-9)
    dry = pressure - water_vapour(first.temperature)
    assert held["saturation"] == pytest.approx(0.95 * oxygen_solubility(first.temperature) * 0.20946 * dry, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.3, 0.55), st.floats(0.1, 0.7), st.floats(2.0, 6.0), st.floats(0.5, 2.0), st.floats(0.0, 0.1))
def test_what_closes_a_conversion_in_text_is_what_closes_it_in_python(biomass, product, hydrogen, nitrogen, sulphur):
    changed = {"Y_em": biomass, "Y_PS": product, "P_H": hydrogen, "P_N": nitrogen, "P_S": sulphur}
    try:
        culture = cases.culture().with_parameters(changed)
    except InputError:
        assume(False)  # values that no culture closes with
    held = held_of(setup_of(culture, cases.tank(), cases.recipe()))
    for index, conversion in enumerate(culture.conversions):
        exchange, amounts = culture.exchange(conversion), culture.amounts(conversion)
        protons = -exchange.NH3 + sum(culture.acidity[name] * mass for name, mass in amounts.items())
        minerals = exchange.minerals + exchange.sulphate * SULPHATE_MASS
        for name, amount in amounts.items():
            assert held[f"s{index}_{name}"] == pytest.approx(amount, rel=1e-12)
        wanted = {
            "O": -1000 * exchange.O2,
            "C": 1000 * exchange.CO2,
            "N": 1000 * exchange.NH3,
            "W": exchange.H2O * H2O_MASS,
            "Z": minerals,
            "H": 1000 * protons,
        }
        for closer, value in wanted.items():
            assert held[f"z{index}_{closer}"] == pytest.approx(value, rel=1e-9, abs=1e-12), (conversion.name, closer)


def test_every_kind_of_vessel_and_every_layout_makes_a_system_that_holds_together():
    from seedtrain.simulation._equations import Layout, culture_system

    for kind in ("stirred", "airlift", "still"):
        for zones in (1, 3):
            for outflow in (False, True):
                layout = Layout(cases.culture(), kind, zones, outflow)
                system = culture_system(layout)
                assert len(system.rates) == len(system.states) == len(layout.states)
                assert system.numbers == layout.numbers


def test_a_tank_of_zones_numbers_them_from_the_bottom_and_feeds_where_it_says():
    tank = cases.tank(zones=3, feed_zone=2)
    assert isinstance(tank, StirredTank)
    assert setup_of(cases.culture(), tank, cases.recipe()).layout.feed_zone == 1
    assert setup_of(cases.culture(), cases.tank(zones=3), cases.recipe()).layout.feed_zone == 0  # the top
