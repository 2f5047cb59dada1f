"""Wells, flasks, wave bags, airlifts and zoned tanks in a plant file: read with units, every fault at its place."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, parse_document, validate
from seedtrain.simulation import (
    Airlift,
    Retention,
    ShakeFlask,
    StirredTank,
    VesselEntry,
    WaveBag,
    Well,
    check_vessel,
    zones_of,
)
from seedtrain.simulation._shaken import shaken_transfer
from seedtrain.simulation._surface import bag_kLa, flask_kLa, well_kLa
from seedtrain.simulation._vessel import Shaking, SideCompartment, Transfer
from tests.simulation.test_vessel import TANK

WELL = """\
kind: well
scale: screening
nominal_volume: 0.4 mL
working_volume: 0.1 .. 0.2 mL
diameter: 6.5 mm
shaking_frequency: 300 rpm
shaking_diameter: 5 cm
evaporation: 1 mg/h
"""
FLASK = """\
kind: shake_flask
scale: seed
nominal_volume: 250 mL
working_volume: 15 .. 30 mL
diameter: 83 mm
shaking_frequency: 200 1/min
shaking_diameter: 25 mm
gas_exchange: 2 vvm
"""
BAG = """\
kind: wave_bag
scale: seed
nominal_volume: 20 L
working_volume: 2 .. 10 L
rocking_rate: 30 1/min
rocking_degrees: 8
aeration: 0.02 .. 0.2 vvm
retention:
  cells: 99 %
  product: 0 %
  harvest_rate: 0 .. 20 mL/min
"""
AIRLIFT = """\
kind: airlift
scale: pilot
nominal_volume: 2 m3
working_volume: 0.8 .. 1.5 m3
diameter: 80 cm
draft_tube_diameter: 55 cm
clearance: 10 cm
aeration: 0.1 .. 1.5 vvm
head_pressure: 0 .. 0.5 bar
cooling_area: 6 m2
heat_transfer_coefficient: 500 W/m2/K
coolant_temperature: 10 degC
seeds: [BAG]
"""
ZONED = TANK + "zones: 3\nprobe_zone: 2\nretention: {cells: 0.98, product: 10 %, harvest_rate: 0 .. 1 L/h}\n"


def entry(text: str) -> VesselEntry:
    return validate(parse_document(text, "plant.yaml"), VesselEntry)


def transfer(text: str) -> Transfer:
    vessel = entry(text).vessel("F")
    assert isinstance(vessel, ShakeFlask)
    return vessel.transfer


def faults(text: str) -> str:
    with pytest.raises(InputError) as caught:
        entry(text)
    assert all(fault.position and fault.position.line for fault in caught.value.parts)
    assert all(fault.remedy or "input should be" in fault.message for fault in caught.value.parts)
    return str(caught.value)


def test_a_well_takes_its_transfer_from_how_it_is_shaken():
    well = entry(WELL).vessel("A1")
    assert isinstance(well, Well)
    assert well.working_volume == pytest.approx((1e-4, 2e-4))
    assert well.transfer.reference_volume == pytest.approx(2e-4)
    assert well.transfer.evaporation == pytest.approx(1e-3)
    for volume in (1e-4, 2e-4):
        assert well.transfer.kLa_at(volume) == pytest.approx(well_kLa(300, 0.05, 0.0065, volume).value)
    assert well.transfer.status == "derived"


def test_a_shaker_s_range_and_a_feed_line_are_read():
    text = FLASK.replace("200 1/min", "100 .. 200 1/min") + "feed_rate: 0 .. 2 mL/h\n"
    flask = entry(text).vessel("F")
    assert isinstance(flask, ShakeFlask)
    assert flask.shaking == Shaking((100.0, 200.0), 0.025, 0.083)
    assert flask.feed_rate == pytest.approx((0.0, 2e-3))
    assert flask.transfer.kLa == pytest.approx(flask_kLa(200, 0.025, 0.083, 0.03, 0.25).value), "at the highest"
    slow = shaken_transfer(flask, 0.02, 120.0)
    assert slow.kLa == pytest.approx(flask_kLa(120, 0.025, 0.083, 0.02, 0.25).value)
    assert shaken_transfer(flask, 0.02, 50.0).kLa < slow.kLa, "held at the lowest"
    assert {item.name for item in check_vessel(flask).figures} >= {"power_per_volume", "phase_number"}


def test_a_flask_takes_its_transfer_from_how_it_is_shaken():
    flask = entry(FLASK).vessel("F")
    assert isinstance(flask, ShakeFlask)
    assert flask.transfer.gas_exchange == 2.0
    for volume in (0.015, 0.03):
        assert flask.transfer.kLa_at(volume) == pytest.approx(flask_kLa(200, 0.025, 0.083, volume, 0.25).value)
    assert flask.kLa == flask.transfer.kLa
    assert flask.transfer.in_range


def test_a_measured_kLa_holds_at_every_filling_unless_its_own_is_told():
    own = FLASK.replace("diameter: 83 mm\nshaking_frequency: 200 1/min\nshaking_diameter: 25 mm\n", "kLa: 2 1/min\n")
    flat = transfer(own)
    assert (flat.kLa_at(0.015), flat.kLa_at(0.03)) == pytest.approx((120.0, 120.0))
    steep = transfer(own + "kLa_volume: 20 mL\n")
    assert steep.kLa_at(0.02) == pytest.approx(120.0)
    assert steep.kLa_at(0.03) == pytest.approx(120.0 * 1.5**-0.83)
    assert flat.source == steep.source == "the vessel's own figure"


def test_a_bag_has_gas_over_the_liquid_and_a_device_that_keeps_cells():
    bag = entry(BAG).vessel("B")
    assert isinstance(bag, WaveBag)
    assert bag.transfer.kLa == pytest.approx(bag_kLa(30, 8, 0.5).value)
    assert bag.aeration == pytest.approx((0.02, 0.2))
    assert bag.transfer.gas_exchange == pytest.approx(0.02)
    assert bag.retention is not None
    assert (bag.retention.cells, bag.retention.product) == pytest.approx((0.99, 0.0))
    assert bag.retention.harvest_rate == pytest.approx((0.0, 1.2))
    assert bag.transfer.status == "assumed"


def test_an_airlift_has_a_draft_tube_and_no_stirrer():
    column = entry(AIRLIFT).vessel("AL")
    assert isinstance(column, Airlift)
    assert column.riser_area + column.downcomer_area == pytest.approx(column.area)
    assert column.gap_area == pytest.approx(3.14159 * 0.55 * 0.1, rel=1e-5)
    assert column.height(1000 * column.area) == pytest.approx(1.0)
    assert column.seeds == ("BAG",)
    open_gap = entry(AIRLIFT.replace("clearance: 10 cm\n", "")).vessel("AL")
    assert isinstance(open_gap, Airlift)
    assert open_gap.gap_area == pytest.approx(open_gap.downcomer_area)


def test_a_tank_may_have_zones_fed_at_the_top_with_the_probe_where_it_is_told():
    tank = entry(ZONED).vessel("T")
    assert isinstance(tank, StirredTank)
    zones = zones_of(tank)
    assert (zones.count, zones.feed, zones.probe) == (3, 2, 1)
    assert tank.retention == Retention(0.98, 0.1, (0.0, 1.0))
    plain = entry(TANK).vessel("T")
    assert isinstance(plain, StirredTank)
    assert zones_of(plain).feed == zones_of(plain).probe == 0
    below = entry(TANK + "zones: 4\nfeed_zone: 1\n").vessel("T")
    assert isinstance(below, StirredTank)
    assert zones_of(below).feed == 0


@pytest.mark.parametrize(
    ("text", "before", "after", "line", "what"),
    [
        (WELL, "diameter: 6.5 mm", "diameter: 6.5 mL", 5, "volume"),
        (WELL, "shaking_frequency: 300 rpm", "shaking_frequency: 0 rpm", 6, "not above zero"),
        (WELL, "shaking_frequency: 300 rpm", "shaking_frequency: '>= 300 rpm'", 6, "open"),
        (WELL, "shaking_frequency: 300 rpm", "shaking_frequency: fast", 6, "fast"),
        (WELL, "shaking_frequency: 300 rpm", "shaking_frequency: 300 mm", 6, "length"),
        (FLASK, "gas_exchange: 2 vvm", "feed_rate: 0 .. 2 mL", 8, "volume"),
        (BAG, "aeration: 0.02 .. 0.2 vvm", "feed_rate: 0 .. 2 mL/h", 7, "has no"),
        (WELL, "shaking_diameter: 5 cm\n", "", 1, "needs 'shaking_diameter'"),
        (WELL, "shaking_diameter: 5 cm\n", "shaking_diameter: -5 cm\n", 7, "not above zero"),
        (WELL, "evaporation: 1 mg/h", "evaporation: -1 mg/h", 8, "below zero"),
        (WELL, "evaporation: 1 mg/h", "evaporation: 1 mg", 8, "mass"),
        (WELL, "evaporation: 1 mg/h", "aeration: 0 .. 1 vvm", 8, "has no 'aeration'"),
        (WELL, "evaporation: 1 mg/h", "kLa: 100 1/h", 1, "has no 'diameter', 'shaking_diameter', 'shaking_frequency'"),
        (FLASK, "gas_exchange: 2 vvm", "gas_exchange: 0 vvm", 8, "not above zero"),
        (FLASK, "gas_exchange: 2 vvm", "kLa_volume: 20 mL", 1, "needs 'kLa'"),
        (FLASK, "gas_exchange: 2 vvm", "retention: {cells: 1, product: 0, harvest_rate: 0 .. 1 L/h}", 8, "has no"),
        (BAG, "rocking_rate: 30 1/min\n", "", 1, "needs 'rocking_rate'"),
        (BAG, "rocking_rate: 30 1/min", "rocking_rate: 30 1/min\nkLa: 10 1/h", 1, "has no 'rocking_degrees'"),
        (BAG, "rocking_degrees: 8", "rocking_degrees: 60", 6, "rocks 60 degrees"),
        (BAG, "aeration: 0.02 .. 0.2 vvm\n", "", 1, "needs 'aeration'"),
        (BAG, "cells: 99 %", "cells: 990 %", 9, "not a part"),
        (BAG, "product: 0 %", "product: -1 %", 10, "not a part"),
        (BAG, "harvest_rate: 0 .. 20 mL/min", "harvest_rate: '>= 1 mL/min'", 11, "open"),
        (BAG, "harvest_rate: 0 .. 20 mL/min", "harvest_rate: 0 .. 20 mL", 11, "volume"),
        (BAG, "  product: 0 %\n", "", 9, "'product' is missing"),
        (BAG, "  product: 0 %\n", "  product: 0 %\n  colour: red\n", 11, "'colour' is unknown"),
        (AIRLIFT, "draft_tube_diameter: 55 cm", "draft_tube_diameter: 80 cm", 6, "not below the vessel's diameter"),
        (AIRLIFT, "draft_tube_diameter: 55 cm\n", "", 1, "needs 'draft_tube_diameter'"),
        (AIRLIFT, "clearance: 10 cm", "clearance: 0 cm", 7, "not above zero"),
        (AIRLIFT, "clearance: 10 cm", "impellers: 2", 7, "has no 'impellers'"),
        (ZONED, "zones: 3", "zones: 2.5", 17, "not a whole number"),
        (ZONED, "zones: 3", "zones: 50", 17, "more than 20"),
        (ZONED, "zones: 3", "zones: 0", 17, "not a whole number"),
        (ZONED, "probe_zone: 2", "probe_zone: 4", 18, "the tank has 3 zones"),
        (ZONED, "zones: 3\n", "", 17, "the tank has one zone"),
        (ZONED, "kind: stirred_tank", "kind: bucket", 1, "bucket"),
        (ZONED, "probe_zone: 2", "side_compartment: {volume: 1 L, flow: 5 L/h}", 18, "zones and a side compartment"),
        (TANK, "kind: stirred_tank", "side_compartment: {volume: 1 m3, flow: 5 L/h}", 1, "not below the lowest"),
        (TANK, "kind: stirred_tank", "side_compartment: {volume: 1 L, flow: 0 L/h}", 1, "not above zero"),
        (BAG, "rocking_degrees: 8", "side_compartment: {volume: 1 L, flow: 5 L/h}", 6, "has no"),
    ],
)
def test_what_cannot_be_a_vessel_is_refused_at_its_line(text, before, after, line, what):
    assert before in text
    said = faults(text.replace(before, after, 1))
    assert what in said
    assert f"plant.yaml:{line}:" in said


def test_every_fault_of_a_vessel_is_told_at_once():
    said = faults(BAG.replace("cells: 99 %", "cells: 2").replace("rocking_degrees: 8", "rocking_degrees: -8"))
    assert "plant.yaml:6:" in said
    assert "plant.yaml:9:" in said


def test_a_flask_without_figures_is_told_both_ways_to_give_them():
    said = faults("kind: well\nscale: s\nnominal_volume: 1 mL\nworking_volume: 0.1 .. 0.5 mL\n")
    assert "needs 'kLa'" in said
    assert "or give shaking_frequency, shaking_diameter, diameter instead" in said


JUNK = st.sampled_from(
    [
        "",
        "[]",
        "{}",
        "0",
        "-1",
        "3 parsecs",
        "nan L",
        "inf m",
        "1e400 L",
        "5 .. 1 L",
        "5",
        "true",
        "~",
        "a: b",
        "1 mL .. 2 L",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([WELL, FLASK, BAG, AIRLIFT, ZONED]), st.integers(0, 30), JUNK)
def test_whatever_stands_in_a_field_is_taken_or_refused_with_its_place(text, number, junk):
    lines = text.splitlines()
    number %= len(lines)
    key, _, _ = lines[number].partition(":")
    lines[number] = f"{key}: {junk}"
    refused, vessel = None, None
    try:
        vessel = entry("\n".join(lines) + "\n").vessel("V")
    except InputError as error:
        refused = error.parts
    if vessel is None:
        assert refused
        assert all(fault.position for fault in refused)
    else:
        low, high = vessel.working_volume
        assert 0 < low <= high <= vessel.nominal_volume
        assert all(math.isfinite(value) for value in numbers(dataclasses.asdict(vessel))), vessel


def numbers(value: object) -> Iterator[float]:
    if isinstance(value, dict):
        for item in value.values():
            yield from numbers(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, int | float):
        yield float(value)


def test_a_side_compartment_is_read_and_checked():
    text = TANK + "side_compartment: {volume: 0.2 L, flow: 1 L/min, aerated: yes}\n"
    tank = entry(text).vessel("RIG")
    assert isinstance(tank, StirredTank)
    assert tank.side_compartment == SideCompartment(0.2, 60.0, aerated=True)
    (stay,) = [item for item in check_vessel(tank).figures if item.name == "side_stay"]
    assert (stay.low, stay.unit) == (pytest.approx(12.0), "s")
