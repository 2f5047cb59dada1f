"""Vessel entries: read with units, refused with positions."""

from __future__ import annotations

import pytest

from seedtrain.base import InputError, parse_document, validate
from seedtrain.simulation import ShakeFlask, StirredTank, VesselEntry
from tests.simulation import cases

TANK = """\
kind: stirred_tank
scale: bench
nominal_volume: 1 L
working_volume: 0.3 .. 0.8 L
diameter: 10 cm
impellers: 2
impeller: rushton
impeller_diameter: 0.045 m
stirrer_speed: 200 .. 1500 1/min
motor_power: 0.03 kW
aeration: 0.1 .. 2 vvm
head_pressure: 0 .. 100 mbar
cooling_area: 0.02 m2
heat_transfer_coefficient: 300 W/m2/K
coolant_temperature: 10 degC
seeds: [FLASK]
"""
FLASK = "kind: shake_flask\nscale: seed\nnominal_volume: 250 mL\nworking_volume: 15 .. 60 mL\nkLa: 150 1/h\n"


def entry(text: str) -> VesselEntry:
    return validate(parse_document(text, "plant.yaml"), VesselEntry)


def test_a_tank_comes_in_the_units_of_the_room():
    tank = entry(TANK).vessel("BENCH")
    assert isinstance(tank, StirredTank)
    assert tank.name == "BENCH"
    assert tank.diameter == pytest.approx(0.1)
    assert tank.motor_power == pytest.approx(30.0)
    assert tank.working_volume == pytest.approx((0.3, 0.8))
    assert tank.head_pressure == pytest.approx((0.0, 0.1))
    assert tank.seeds == ("FLASK",)
    assert tank.height(1000 * tank.area) == pytest.approx(1.0)


def test_a_flask_has_a_transfer_coefficient_and_nothing_else():
    flask = entry(FLASK).vessel("FLASK")
    assert isinstance(flask, ShakeFlask)
    assert flask.kLa == pytest.approx(150.0)
    assert flask.working_volume == pytest.approx((0.015, 0.06))


def test_the_example_s_plant_reads():
    assert {vessel.kind for vessel in cases.plant().values()} == {"stirred_tank", "shake_flask"}


@pytest.mark.parametrize(
    ("text", "before", "after", "what"),
    [
        (TANK, "diameter: 10 cm\n", "diameter: 10 L\n", "volume"),
        (TANK, "diameter: 10 cm\n", "diameter: 10 cm\ncolour: red\n", "'colour' is unknown"),
        (TANK, "diameter: 10 cm\n", "", "needs 'diameter'"),
        (TANK, "0.3 .. 0.8 L", "0.8 .. 0.3 L", "ends below"),
        (TANK, "0.3 .. 0.8 L", "0.3 .. 1.8 L", "above the nominal"),
        (TANK, "0.3 .. 0.8 L", "<= 0.8 L", "open or reaches below"),
        (TANK, "200 .. 1500 1/min", '">= 200 1/min"', "open or reaches below"),
        (TANK, "impellers: 2", "impellers: 1.5", "whole number"),
        (TANK, "impeller: rushton", "impeller: spoon", "rushton"),
        (TANK, "impeller_diameter: 0.045 m", "impeller_diameter: 0.1 m", "not below the vessel's diameter"),
        (TANK, "motor_power: 0.03 kW", "motor_power: 0 kW", "not above zero"),
        (TANK, "seeds: [FLASK]", "kLa: 100 1/h", "has no 'kLa'"),
        (TANK, "kind: stirred_tank", "kind: shake_flask", "has no 'cooling_area'"),
        (FLASK, "kLa: 150 1/h\n", "", "needs 'kLa'"),
        (FLASK, "scale: seed\n", "scale: seed\ndiameter: 1 m\n", "has no 'diameter'"),
        (FLASK, "kLa: 150 1/h", "kLa: 150", "no unit"),
    ],
)
def test_what_cannot_be_a_vessel_is_refused_at_its_place(text, before, after, what):
    assert before in text
    with pytest.raises(InputError) as caught:
        entry(text.replace(before, after, 1))
    assert any(what in str(fault) for fault in caught.value.parts)
    assert all(fault.position and fault.position.line for fault in caught.value.parts)


def test_a_fault_of_a_field_points_at_the_field():
    with pytest.raises(InputError) as caught:
        entry(TANK.replace("impeller_diameter: 0.045 m", "impeller_diameter: 0.2 m"))
    assert str(caught.value).startswith("plant.yaml:8:20")
    assert "remedy: A Rushton turbine" in str(caught.value)
