"""The oxygen cascade and the split range of the pH: laws of the stages, and what they do for a culture."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seedtrain.automation._bench._tank import VESSEL as PILOT
from seedtrain.automation._control import (
    Actuators,
    ConstantFeed,
    ControlScheme,
    SetPoints,
    Stage,
    VesselControl,
    split,
)
from seedtrain.automation._control._scheme import highest_output, output_at
from seedtrain.automation._control._vessel import BASE_PER_HOUR
from seedtrain.base import InputError
from seedtrain.simulation import Liquid, LiveTank, StirredTank, TankInputs, VesselEntry, read_culture
from tests.automation_control.driven import SET, Rig
from tests.simulation_live.test_tank import STEP, VESSEL, filled

assert isinstance(VESSEL, StirredTank)
TANK: StirredTank = VESSEL
VOLUME = 100.0
ORDERS = st.permutations(["stirrer_speed", "aeration", "oxygen_share"]).flatmap(
    lambda names: st.integers(1, 3).map(lambda count: tuple(names[:count]))
)
ACIDS = st.sampled_from([("carbon_dioxide_share", "acid"), ("acid", "carbon_dioxide_share"), ("carbon_dioxide_share",)])
SCHEMES = st.builds(ControlScheme, st.floats(0, 0.6), st.floats(0, 0.4), ORDERS, ACIDS)
POINTS = st.builds(
    SetPoints,
    st.none(),
    st.none() | st.floats(6.0, 8.0),
    st.none() | st.floats(0.1, 1.0),
    st.none() | st.floats(0, 900),
    st.none() | st.floats(0, 3),
    aeration_high=st.none() | st.floats(0, 3),
)


def within(told: Actuators, scheme: ControlScheme, points: SetPoints) -> None:
    """Everything that an actuator is told lies within vessel, scheme and set points."""
    low, high = TANK.stirrer_speed
    most = high if points.stirrer_speed is None else min(max(points.stirrer_speed, low), high)
    assert low - 1e-9 <= told.speed <= most + 1e-9
    assert TANK.aeration[0] - 1e-9 <= told.gas / VOLUME <= TANK.aeration[1] + 1e-9
    if points.aeration_high is not None and points.aeration is not None and points.aeration <= points.aeration_high:
        assert told.gas / VOLUME <= max(points.aeration_high, TANK.aeration[0]) + 1e-9
    assert 0 <= told.oxygen <= scheme.oxygen_share * told.gas + 1e-9
    assert 0 <= told.carbon_dioxide <= scheme.carbon_dioxide_share * told.gas + 1e-9
    assert told.air >= -1e-9
    most = BASE_PER_HOUR * VOLUME
    assert 0 <= told.base <= most + 1e-9
    assert 0 <= told.acid <= most + 1e-9
    assert told.base == 0 or (told.acid == 0 and told.carbon_dioxide == 0)  # never against each other


@settings(max_examples=150, deadline=None)
@given(
    scheme=SCHEMES,
    points=st.lists(POINTS, min_size=1, max_size=3),
    seen=st.lists(st.tuples(st.floats(0, 3), st.floats(3, 11)), min_size=1, max_size=25),
)
def test_no_limit_is_ever_passed(scheme: ControlScheme, points: list[SetPoints], seen: list[tuple[float, float]]):
    control = VesselControl(TANK, scheme=scheme)
    for wanted in points:
        control.want(wanted)
        for oxygen, pH in seen:
            told = control.step({"dissolved_oxygen": oxygen, "pH": pH, "volume": VOLUME}, STEP)
            within(told, scheme, wanted)


@settings(max_examples=150, deadline=None)
@given(scheme=SCHEMES, output=st.floats(0, 700), step=st.floats(0, 5))
def test_a_hand_over_is_no_bump_and_stages_move_one_after_the_other(scheme: ControlScheme, output: float, step: float):
    stages = scheme.oxygen_stages(TANK, speed=400.0, aeration=0.5, aeration_high=None)
    before, after = split(stages, output), split(stages, output + step)
    for stage in stages:
        slope = (stage.high - stage.low) / (stage.end - stage.start) if stage.end > stage.start else 0.0
        assert -1e-9 <= after[stage.actuator] - before[stage.actuator] <= slope * step + 1e-9
    moved = [stage for stage in stages if stage.low < before[stage.actuator] < stage.high]
    assert len(moved) <= 1  # the others stand at one of their ends
    assert output_at(stages, before) == pytest.approx(min(output, highest_output(stages)), abs=1e-6)
    assert split(stages, output_at(stages, before)) == pytest.approx(before, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(scheme=SCHEMES, output=st.floats(0, 1), more=st.floats(0.0, 1.0))
def test_new_limits_that_allow_where_the_actuators_stand_move_none_of_them(
    scheme: ControlScheme, output: float, more: float
):
    """A phase that lets the gas rise further goes on from where it is, and learns nothing wrong from it."""
    points = SetPoints(dissolved_oxygen=0.3, stirrer_speed=400.0, aeration=0.5, aeration_high=1.2)
    control = VesselControl(TANK, points, scheme=scheme)
    stages = scheme.oxygen_stages(TANK, speed=400.0, aeration=0.5, aeration_high=1.2)
    gas = split(stages, output * highest_output(stages))
    control.oxygen.output = output * highest_output(stages)
    before = control.step({"dissolved_oxygen": 0.3, "volume": VOLUME}, STEP)
    assert before.gas / VOLUME == pytest.approx(gas["aeration"], abs=0.02)
    control.want(replace(points, aeration_high=1.2 + 0.3 * more))
    after = control.step({"dissolved_oxygen": 0.3, "volume": VOLUME}, STEP)
    full = {stage.actuator: stage.high for stage in stages}
    later = [name for name in scheme.oxygen_cascade if name != "aeration"]
    if (
        before.gas / VOLUME < full["aeration"] - 1e-6
        or scheme.oxygen_cascade[-1] == "aeration"
        or more == 0
        or not later
    ):
        assert after.speed == pytest.approx(before.speed, abs=1e-6)
        assert after.gas == pytest.approx(before.gas, abs=1e-6)
        assert after.oxygen == pytest.approx(before.oxygen, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(
    scheme=SCHEMES,
    name=st.sampled_from(["aeration", "stirrer_speed"]),
    seen=st.lists(st.floats(0, 2), min_size=3, max_size=20),
)
def test_what_a_person_sets_stays_and_the_cascade_goes_on_with_the_others(
    scheme: ControlScheme, name: str, seen: list[float]
):
    free = SetPoints(dissolved_oxygen=0.3, stirrer_speed=300.0, aeration=0.6)
    control = VesselControl(TANK, free, scheme=scheme)
    for oxygen in seen:
        control.step({"dissolved_oxygen": oxygen, "volume": VOLUME}, STEP)
    control.want(replace(free, by_hand=(name,)))
    for oxygen in seen:
        told = control.step({"dissolved_oxygen": oxygen, "volume": VOLUME}, STEP)
        assert {"aeration": told.gas / VOLUME, "stirrer_speed": told.speed}[name] == pytest.approx(
            {"aeration": 0.6, "stirrer_speed": 300.0}[name]
        )
    for _ in range(round(2.0 / STEP)):
        told = control.step({"dissolved_oxygen": 0.0, "volume": VOLUME}, STEP)
    others = {"stirrer_speed": (told.speed, 300.0), "aeration": (told.gas / VOLUME, TANK.aeration[1])}
    for other in set(scheme.oxygen_cascade) & set(others) - {name}:
        assert others[other][0] == pytest.approx(others[other][1])
    again = VesselControl(TANK, scheme=scheme)
    again.restore(json.loads(json.dumps(control.to_data())))
    assert again.set_points == control.set_points


def test_the_integral_does_not_wind_up_however_long_oxygen_is_short():
    scheme = ControlScheme(oxygen_share=0.4)
    back = []
    for hours in (1.0, 8.0):
        control = VesselControl(TANK, SET, scheme=scheme)
        for _ in range(round(hours / STEP)):
            told = control.step({"dissolved_oxygen": 0.0, "volume": VOLUME}, STEP)
        assert (told.speed, told.gas / VOLUME) == (TANK.stirrer_speed[1], TANK.aeration[1])
        assert told.oxygen / told.gas == pytest.approx(0.4)
        most, steps = control.oxygen.output, 1
        control.step({"dissolved_oxygen": 0.6, "volume": VOLUME}, STEP)
        assert control.oxygen.output < most - 10  # at the first look, at the rate at which it may fall
        while control.actuators.oxygen > 0:
            control.step({"dissolved_oxygen": 0.6, "volume": VOLUME}, STEP)
            steps += 1
        back.append(steps)
    assert back[0] == back[1]
    assert back[1] * STEP < 0.45


def test_a_scheme_that_cannot_be_is_refused():
    with pytest.raises(InputError, match="cannot use aeration, aeration one after the other"):
        ControlScheme(oxygen_cascade=("aeration", "aeration"))
    with pytest.raises(InputError, match=r"0\.8 of the gas as oxygen and 0\.3 as carbon dioxide"):
        ControlScheme(oxygen_share=0.8, carbon_dioxide_share=0.3)


def demand_step(scheme: ControlScheme, feed: float) -> tuple[Rig, float, float]:
    """A culture whose feed rises by half to `feed` L/h: the rig, its mean DO in the last half hour, its worst there."""
    made = Rig(filled(cells=22.0), scheme=scheme)
    made.run(1.5, ConstantFeed(feed / 1.5))
    log = made.run(1.5, ConstantFeed(feed))
    late = [seen["dissolved_oxygen"] for hours, seen in log if hours > made.hours - 0.5]
    return made, float(np.mean(late)), max(abs(value - 0.3) for value in late)


def test_oxygen_comes_back_after_a_step_of_demand_that_agitation_alone_cannot_meet():
    alone, mean, _ = demand_step(ControlScheme(oxygen_cascade=("stirrer_speed",)), 1.95)
    assert mean < 0.2
    assert alone.inputs.speed == pytest.approx(TANK.stirrer_speed[1])
    assert (alone.inputs.air + alone.inputs.oxygen) / alone.tank.volume == pytest.approx(1.0, abs=0.01)
    all_of_it, mean, worst = demand_step(ControlScheme(oxygen_share=0.4), 1.95)
    assert mean == pytest.approx(0.3, abs=0.01)
    assert worst < 0.03
    told = all_of_it.inputs
    assert told.speed == pytest.approx(TANK.stirrer_speed[1])
    assert (told.air + told.oxygen) / all_of_it.tank.volume == pytest.approx(TANK.aeration[1], abs=0.01)
    assert 0.0 < told.oxygen / (told.air + told.oxygen) < 0.4


def test_air_helps_a_vessel_without_pure_oxygen_and_the_vessel_chooses_the_order():
    """Stirrer and gas at their ends give more than the stirrer alone; gas first leaves the stirrer slower."""
    _, short, _ = demand_step(ControlScheme(oxygen_cascade=("stirrer_speed",)), 1.3)
    _, longer, _ = demand_step(ControlScheme(), 1.3)
    assert longer > short + 0.05
    speeds = []
    for order in (("stirrer_speed", "aeration"), ("aeration", "stirrer_speed")):
        made = Rig(filled(cells=22.0), scheme=ControlScheme(oxygen_cascade=order))
        made.run(2.0, ConstantFeed(0.6))
        speeds.append((made.inputs.speed, made.inputs.air / made.tank.volume))
    (fast, little), (slow, much) = speeds
    assert slow < fast - 10
    assert (little, much) == (pytest.approx(1.0, abs=0.01), pytest.approx(1.5, abs=0.01))


CELL_CULTURE = VesselEntry.model_validate(
    PILOT
    | {
        "impeller": "pitched_blade",
        "stirrer_speed": "40 .. 200 1/min",
        "motor_power": "0.5 kW",
        "aeration": "0.01 .. 0.1 vvm",
        "head_pressure": "0 .. 0.5 bar",
        "heat_transfer_coefficient": "300 W/m2/K",
        "oxygen_share": "60 %",
        "carbon_dioxide_share": "20 %",
    }
)


def cells(scheme: ControlScheme, hours: float, *, pH: float) -> tuple[LiveTank, TankInputs, dict[str, float]]:
    """CHO cells in a medium with 24 mmol/L of bicarbonate: the tank, its inputs, and L of acid and base."""
    vessel = CELL_CULTURE.vessel("CHO-200")
    assert isinstance(vessel, StirredTank)
    tank = LiveTank(read_culture("cho_balanced"), vessel)
    medium = Liquid({"X": 0.3, "S": 6.0, "G": 0.6, "AA": 6.0}, water=980.0, minerals=8.0)
    tank.charge(medium, 100.0, temperature=36.5, pH=7.2, bicarbonate=24.0)
    control = VesselControl(vessel, SetPoints(36.5, pH, 0.4, aeration=0.05), scheme=scheme)
    inputs, used, draws = TankInputs(jacket_inlet=36.5), {"acid": 0.0, "base": 0.0}, np.random.default_rng(3)
    for _ in range(round(hours / STEP)):
        true = tank.read(inputs)
        told = control.step(true | {"pH": true["pH"] + 0.015 * draws.standard_normal()}, STEP)
        inputs = told.inputs(0.0, feed_liquid=Liquid(), base_liquid=Liquid(water=960.0), strong_base=1000.0)
        tank.advance(STEP, inputs)
        used = {name: amount + getattr(inputs, name) * STEP for name, amount in used.items()}
    return tank, inputs, used


def test_carbon_dioxide_lowers_the_pH_of_a_culture_with_bicarbonate_and_saves_the_acid():
    """Air strips the medium's CO2 and the pH climbs, as it does in cell culture; CO2 brings it back without acid."""
    loose, _, _ = cells(
        ControlScheme(pH_lowered_by=("carbon_dioxide_share",)), 2.0, pH=7.1
    )  # no line: nothing lowers it
    assert loose.broth().pH > 7.5
    with_gas, inputs, used = cells(ControlScheme(carbon_dioxide_share=0.2), 5.0, pH=7.1)
    assert with_gas.broth().pH == pytest.approx(7.1, abs=0.04)
    assert used["acid"] == 0.0
    gas = inputs.air + inputs.oxygen + inputs.carbon_dioxide
    assert 0.04 < inputs.carbon_dioxide / gas < 0.1  # 5 to 10 % is what incubators and tanks are given
    with_acid, inputs, used = cells(ControlScheme(), 5.0, pH=7.1)
    assert with_acid.broth().pH == pytest.approx(7.1, abs=0.05)
    assert used["acid"] > 0.3
    assert inputs.carbon_dioxide == 0.0
    # Bicarbonate that acid has destroyed is gone; with CO2 it is still there.
    assert with_gas.broth().carbon > 22.0 > 16.0 > with_acid.broth().carbon


def test_dissolved_carbon_dioxide_is_what_henry_and_henderson_hasselbalch_say():
    """Without cells, and long enough, the liquid is in balance with the gas: Sander 2015 for Henry's coefficient, and
    pH = pK + log([HCO3-] / [CO2])."""
    vessel = CELL_CULTURE.vessel("CHO-200")
    assert isinstance(vessel, StirredTank)
    tank = LiveTank(read_culture("cho_balanced"), vessel)
    tank.charge(Liquid(water=990.0, minerals=8.0), 100.0, temperature=37.0, pH=7.4, bicarbonate=24.0)
    inputs = TankInputs(speed=200.0, air=9.5, carbon_dioxide=0.5, jacket_inlet=37.0)
    for _ in range(200):
        tank.advance(0.1, replace(inputs, jacket_inlet=tank.holding_inlet(inputs)))
    true = tank.read(inputs)
    henry = 33.0 * math.exp(2400 * (1 / (true["temperature"] + 273.15) - 1 / 298.15))  # mmol/L per bar
    height = 4 * 0.1 / (math.pi * 0.55**2)
    pressure = 1.01325 + 1000 * 9.81 * height / 2 * 1e-5 - 0.0628  # less the vapour at 37 degC, bar
    assert true["C_CO2"] == pytest.approx(henry * 0.0504 * pressure, rel=0.02)
    carbon = tank.broth().carbon
    assert true["pH"] == pytest.approx(6.1 + math.log10((carbon - true["C_CO2"]) / true["C_CO2"]), abs=1e-6)
    assert 7.1 < true["pH"] < 7.5  # 5 % CO2 over 24 mmol/L


def test_a_vessel_entry_says_what_is_wrong_with_its_gas_lines():
    def refused(**given: object) -> str:
        data = CELL_CULTURE.model_dump(exclude_none=True) | given
        with pytest.raises(ValidationError) as caught:
            VesselEntry.model_validate(data)
        return str(caught.value)

    assert "not a part of the gas" in refused(oxygen_share="120 %")
    assert "exceed the gas" in refused(oxygen_share="90 %")
    assert "one thing twice" in refused(oxygen_cascade=["aeration", "aeration"])
    assert "no line for carbon_dioxide_share" in refused(
        carbon_dioxide_share=None, pH_lowered_by=["carbon_dioxide_share"]
    )
    assert "oxygen_cascade" in refused(oxygen_cascade=["nitrogen"])


def test_stages_are_data_that_anybody_can_read():
    stages = ControlScheme(oxygen_share=0.4).oxygen_stages(TANK, speed=450.0, aeration=1.0, aeration_high=None)
    assert stages[0] == Stage("stirrer_speed", 0.0, 100.0, 50.0, 450.0)
    assert [stage.actuator for stage in stages] == ["stirrer_speed", "aeration", "oxygen_share"]
    assert stages[1].start == stages[0].end
    assert stages[2].start == stages[1].end
