"""Quantities in models, and uncertain values."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from seedtrain.base import InputError, parse_document, validate
from seedtrain.quantity import STATUSES, Measure, MeasureRange, Quantity, QuantityError, Range, Uncertain


class Tank(BaseModel):
    volume: Annotated[Quantity, Measure("L")]
    working: Annotated[Range, MeasureRange("L")]
    any: Annotated[Quantity | None, Measure(None)] = None


def test_text_becomes_quantities_of_the_dimension():
    tank = Tank.model_validate({"volume": "20 m3", "working": "6 .. 15 m3", "any": "3 EU/mg"})
    assert tank.volume.magnitude("L") == 20000
    assert tank.working.bounds("L") == (6000, 15000)
    assert tank.any == Quantity(3, "EU/mg")
    assert Tank.model_validate(tank.model_dump()) == tank
    assert Tank(volume=tank.volume, working=tank.working) == tank.model_copy(update={"any": None})


def test_faults_are_all_reported_with_place_and_remedy():
    document = parse_document("volume: 3 g\nworking: 36 .. 38 degC\nany: 5 ppm\n", "plant.yaml")
    with pytest.raises(InputError) as caught:
        validate(document, Tank)
    found = caught.value.parts
    assert [str(item.position) for item in found] == ["plant.yaml:1:9", "plant.yaml:2:10", "plant.yaml:3:6"]
    assert "'g' is a mass, not a volume (like L)" in found[0].message
    assert "'degC' is a temperature" in found[1].message
    assert "mg/kg" in found[2].remedy


def test_a_quantity_of_another_dimension_is_refused_in_code_too():
    with pytest.raises(ValueError, match="a mass, not a volume"):
        Tank(volume=Quantity(1, "g"), working=Range(Quantity(1, "L"), None))


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3).map(sorted),
    st.floats(0.01, 1.0),
    st.sampled_from(STATUSES),
)
def test_uncertain_round_trips(values, level, status):
    low, value, high = values
    item = Uncertain(value, low, high, "ml/min", level, status, "a paper")
    assert item.unit == "mL/min"
    assert Uncertain.from_data(item.to_data()) == item
    there = item.to("L/h")
    assert there.low <= there.value <= there.high
    assert there.to("mL/min").value == pytest.approx(value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": 4.0}, "outside its interval"),
        ({"value": float("nan")}, "outside its interval"),
        ({"status": "guessed"}, "not a status"),
        ({"level": 1.5}, "not a probability"),
        ({"unit": "ppm"}, "ambiguous"),
    ],
)
def test_wrong_uncertain_values_are_refused(change, words):
    with pytest.raises(QuantityError, match=words):
        Uncertain(**{"value": 2.0, "low": 1.0, "high": 3.0, "unit": "g/L", **change})
