"""A wave bag and an airlift are not costed as steel tanks."""

from __future__ import annotations

import pytest

from seedtrain.development import ScaleResult, read_factors
from seedtrain.development._line import lines_of
from seedtrain.development._upstream_use import culture_equipment, culture_uses
from seedtrain.development._use import Use
from seedtrain.development._volumes import seed_procedures
from seedtrain.simulation import Vessel, VesselEntry
from tests.development.plant import PILOT, batches

BAG = {
    "kind": "wave_bag",
    "scale": "seed",
    "nominal_volume": "50 L",
    "working_volume": "5 .. 25 L",
    "kLa": "10 1/h",
    "aeration": "0.1 .. 0.3 vvm",
}
COLUMN = {
    "kind": "airlift",
    "scale": "seed",
    "nominal_volume": "50 L",
    "working_volume": "10 .. 40 L",
    "diameter": "0.25 m",
    "draft_tube_diameter": "0.17 m",
    "aeration": "0.1 .. 1.5 vvm",
    "head_pressure": "0 .. 0.5 bar",
    "cooling_area": "0.3 m2",
    "heat_transfer_coefficient": "300 W/m2/K",
    "coolant_temperature": "10 degC",
}


def uses_in(vessel: Vessel) -> list[Use]:
    """What the pilot's seed culture would take in `vessel`."""
    batch: ScaleResult = batches()[PILOT]
    recipe = batch.control.recipe
    procedure = seed_procedures(recipe)[-1]
    run = batch.seeds[-1]
    return [*culture_uses(recipe, procedure, run, vessel), *culture_equipment(procedure, run, vessel)]


def items(uses: list[Use]) -> set[str]:
    return {use.item for use in uses}


@pytest.fixture(scope="module")
def in_bag() -> list[Use]:
    return uses_in(VesselEntry.model_validate(BAG).vessel("BAG-50"))


def test_a_bag_needs_a_rocker_and_a_new_bag_but_no_steam_and_no_cleaning(in_bag: list[Use]) -> None:
    found = items(in_bag)
    assert {"rocking-platform", "culture-bag"} <= found
    assert "stirred-tank" not in found
    parameters = {name for use in in_bag for name, _ in use.times}
    assert not {"sip_steam", "cip_water", "cip_alkali", "air_electricity"} & parameters
    (bag,) = (use for use in in_bag if use.item == "culture-bag")
    assert (bag.amount, bag.unit, bag.times) == (50.0, "L", ())


def test_a_larger_bag_costs_more_but_less_by_the_litre() -> None:
    table = read_factors()
    one, four = (lines_of([Use("culture-bag", size, "L", "seed")], table)[0][0].coefficient for size in (20.0, 80.0))
    assert one == pytest.approx(1.0)
    assert four == pytest.approx(4**0.6)


def test_an_airlift_is_cleaned_and_steamed_but_has_no_drive() -> None:
    column = uses_in(VesselEntry.model_validate(COLUMN).vessel("AIR-50"))
    assert "airlift" in items(column)
    assert "stirred-tank" not in items(column)
    assert {"sip_steam", "cip_water"} <= {name for use in column for name, _ in use.times}
    table = read_factors()
    assert table.factor("airlift.price").value < table.factor("stirred-tank.price").value
