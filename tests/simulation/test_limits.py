"""What vessels can do: one gas for the table and for the run, every kind of vessel, and the check that people read."""

from __future__ import annotations

import json
import math

import pytest

from seedtrain.base import InputError
from seedtrain.simulation import WaveBag, Well, check_vessel, simulate, transfer_limits
from seedtrain.simulation import _transfer as t
from seedtrain.simulation._airlift import column_kLa
from seedtrain.simulation._limits import highest_OTR, highest_speed
from seedtrain.simulation._vessel import Transfer
from tests.simulation import cases
from tests.simulation.test_airlift import column

WELL = Well("A1", "screening", 4e-4, (1e-4, 2e-4), Transfer(100.0, 2e-4, -1.0, status="derived", spread=0.5))
BAG = WaveBag("BAG", "seed", 20.0, (2.0, 10.0), Transfer(10.0, 10.0, -1.0, 0.02), (0.02, 0.2))


def test_gas_that_floods_is_cut_to_what_the_impeller_disperses():
    slow = cases.tank(stirrer_speed=(50.0, 120.0))
    pressure = t.mean_pressure(slow, 12.0, 0.0)
    wanted = t.gas_flow(2.0, 12.0, 37.0, pressure)
    most = t.flooding_gas_flow(slow, 120.0).value
    assert most < wanted
    assert t.dispersed_gas(slow, wanted, 120.0) == most
    assert t.dispersed_gas(slow, most / 2, 120.0) == most / 2
    limits = transfer_limits(slow, 12.0, aeration=2.0, head_pressure=0.0)
    assert limits.flooded
    assert limits.gas_velocity * slow.area == pytest.approx(most)
    assert limits.aeration == pytest.approx(2.0 * most / wanted)
    same = transfer_limits(slow, 12.0, aeration=limits.aeration * (1 - 1e-12), head_pressure=0.0)
    assert not same.flooded
    assert same.OTR_coalescing == pytest.approx(limits.OTR_coalescing)
    assert not transfer_limits(cases.tank(), 12.0, aeration=1.0).flooded


def test_the_run_has_the_gas_of_the_table():
    """Flooded at the highest speed of the recipe's cascade: `simulate` cuts the gas to the same flow."""
    tank = cases.tank(stirrer_speed=(50.0, 130.0))
    run = simulate(cases.culture(), tank, cases.recipe({"until: biomass >= 14 g/L": "until: biomass >= 4 g/L"}))
    start = run["V"][0]
    pressure = t.mean_pressure(tank, start, 0.1)
    wanted = t.gas_flow(1.0, start, 37.0, pressure)
    kept = t.dispersed_gas(tank, wanted, 130.0)
    assert kept < wanted
    assert run["gas"][0] == pytest.approx(1.0 * start * kept / wanted, rel=1e-9)
    limits = transfer_limits(tank, start, aeration=1.0, head_pressure=0.1)
    assert limits.aeration * start == pytest.approx(run["gas"][0], rel=1e-9)


def test_a_speed_that_the_motor_cannot_hold_is_lowered():
    weak = cases.tank(motor_power=20.0)
    limits = transfer_limits(weak, 12.0, aeration=1.0, speed=900.0)
    assert limits.speed < 900.0
    assert limits.power_per_volume * 0.012 == pytest.approx(20.0, rel=1e-6)
    flow = limits.gas_velocity * weak.area
    assert limits.speed == pytest.approx(highest_speed(weak, flow, 12.0))


def test_an_airlift_transfers_by_its_gas_alone():
    vessel = column()
    limits = transfer_limits(vessel, 1200.0, aeration=1.0, head_pressure=0.2)
    pressure = t.mean_pressure(vessel, 1200.0, 0.2)
    assert pressure > 1.01325 + 0.2
    assert limits.gas_velocity == pytest.approx(t.gas_velocity(vessel, 1.0, 1200.0, 37.0, pressure))
    assert limits.kLa_coalescing == limits.kLa_non_coalescing == column_kLa(limits.gas_velocity)
    assert limits.OTR_coalescing == highest_OTR(limits.kLa_coalescing.value, 1.0, pressure, 37.0, 0.3)
    assert limits.cooling == pytest.approx(500.0 * 6.0 * 27.0)
    assert limits.cooling_OUR * t.metabolic_heat(1.0) * 1.2 == pytest.approx(limits.cooling)
    assert transfer_limits(vessel, 1200.0, aeration=1.5).OTR_coalescing > limits.OTR_coalescing
    none = transfer_limits(vessel, 1200.0, aeration=0.0)
    assert none.OTR_coalescing == none.kLa_coalescing.value == 0.0
    assert none.mixing_time.value == math.inf


def test_a_vessel_without_stirrer_transfers_at_its_filling():
    full, half = transfer_limits(WELL, 2e-4), transfer_limits(WELL, 1e-4)
    assert half.kLa_coalescing.value == pytest.approx(2 * full.kLa_coalescing.value) == pytest.approx(200.0)
    assert full.OTR_coalescing < half.OTR_coalescing < 2 * full.OTR_coalescing
    assert full.kLa_coalescing.status == "derived"
    thin, rich = transfer_limits(BAG, 10.0), transfer_limits(BAG, 10.0, aeration=0.2)
    assert thin.aeration == 0.02
    assert thin.OTR_coalescing < rich.OTR_coalescing


def test_no_gas_no_transfer():
    assert transfer_limits(cases.tank(), 12.0, aeration=0.0).OTR_non_coalescing == 0.0
    assert transfer_limits(BAG, 5.0, aeration=0.0).OTR_coalescing == 0.0
    assert t.kLa_coalescing(1000.0, 0.0, 100.0).value == 0.0
    assert t.kLa_non_coalescing(1000.0, 0.0, 100.0).value == 0.0


@pytest.mark.parametrize("vessel", [cases.tank(), cases.tank(zones=3), column(), WELL, BAG, cases.flask()])
def test_every_kind_of_vessel_has_its_figures(vessel):
    found = check_vessel(vessel)
    assert found.volume == vessel.working_volume[1]
    figures = {item.name: item for item in found.figures}
    assert all(math.isfinite(item.low) and 0 <= item.low <= item.high for item in found.figures)
    limits = transfer_limits(vessel, found.volume)
    both = (limits.kLa_coalescing, limits.kLa_non_coalescing)
    assert figures["kLa"].low == min(item.value * (1 - item.spread) for item in both)
    assert figures["kLa"].high == max(item.value * (1 + item.spread) for item in both)
    assert figures["OTR"].low <= limits.OTR_coalescing * (1 + 1e-12)
    assert figures["OTR"].high >= limits.OTR_non_coalescing * (1 - 1e-12)
    assert ("zone_exchange" in figures) == (getattr(vessel, "zones", 1) > 1)
    assert ("tip_speed" in figures) == (vessel.kind == "stirred_tank")
    assert ("gas_hold_up" in figures) == (vessel.kind == "airlift")
    json.dumps(found.to_data(), allow_nan=False)


def test_notes_say_what_holds_a_vessel_back():
    assert "floods" in " ".join(check_vessel(cases.tank(stirrer_speed=(50.0, 120.0))).notes)
    assert "motor's power" in " ".join(check_vessel(cases.tank(motor_power=20.0)).notes)
    assert "incubator" in " ".join(check_vessel(cases.flask()).notes)
    assert check_vessel(cases.tank(aeration=(0.1, 0.5))).notes == ()


def test_a_volume_that_the_vessel_does_not_take_is_refused():
    with pytest.raises(InputError, match=r"TANK: 20 L is outside its working volume of 5 \.\. 15 L"):
        check_vessel(cases.tank(), 20.0)
    assert check_vessel(cases.tank(), 6.0).volume == 6.0
