"""The inventory of a batch agrees with its runs and steps, and its cost behaves as a cost should."""

from __future__ import annotations

import dataclasses

import pytest

from seedtrain.base import InputError, InputErrors, use_language
from seedtrain.development import (
    ScaleResult,
    cost_and_carbon,
    economics_blocks,
    factors_markdown,
    inventory,
    read_factors,
    scale,
    scale_blocks,
)
from seedtrain.development._inventory import CO2_MASS
from seedtrain.report import Heading, Page, Table, render_html
from tests.development.plant import EXAMPLE, PILOT, PLANT, batches, culture, recipe, vessels

ALL = pytest.mark.parametrize("name", [PILOT, PLANT])


def amount(found: ScaleResult, item: str) -> float:
    return inventory(found).amounts()[item][0]


@ALL
def test_raw_materials_are_those_of_the_runs(name: str) -> None:
    found = batches()[name]
    runs = (*found.seeds, found.production)
    glucose = sum(run.totals["glucose_charged"][0] + run.totals["glucose_fed"][0] for run in runs)
    assert amount(found, "glucose") == pytest.approx(glucose, rel=1e-6)
    assert amount(found, "iptg") == pytest.approx(sum(run.totals["iptg"][0] for run in runs), rel=1e-6)
    assert amount(found, "antifoam") == pytest.approx(sum(run.totals["antifoam"][0] for run in runs), rel=1e-6)
    base = sum(run.totals["base"][0] for run in runs)
    per_litre = recipe().materials["ammonia"]["ammonia-water"].magnitude("g/L")
    assert amount(found, "ammonia-water") == pytest.approx(base * per_litre, rel=1e-6)
    vial = recipe().phase("seed-flask/expansion/thaw").number("inoculum_fraction", "")
    assert amount(found, "working-cell-bank") == pytest.approx(1000 * vial * runs[0].totals["medium"][0])


@ALL
def test_buffers_filters_and_containers_are_those_of_the_steps(name: str) -> None:
    found = batches()[name]
    salts = sum(
        volume * recipe().materials[material]["buffer-salts"].magnitude("g/L")
        for step in found.steps
        for material, (volume, unit) in step.materials.items()
        if unit == "L" and "buffer-salts" in recipe().materials.get(material, {})
    )
    assert amount(found, "buffer-salts") == pytest.approx(salts)
    assert amount(found, "bottle") == found.steps[-1].performance["containers"][0]
    assert float(amount(found, "bottle")).is_integer()


def test_carbon_dioxide_is_that_of_every_culture() -> None:
    found = batches()[PLANT]
    carbon = sum(run.totals["carbon_dioxide"][0] for run in (*found.seeds, found.production))
    assert inventory(found).biogenic_co2 == pytest.approx(carbon * CO2_MASS / 1000)


def test_every_unit_procedure_has_people_equipment_and_an_occupancy() -> None:
    found = batches()[PLANT]
    names = {procedure.name for procedure in found.control.recipe.unit_procedures}
    uses = inventory(found).uses
    assert {use.where.partition("/")[0] for use in uses if use.item == "operator"} >= names
    assert {item.suite for item in inventory(found).occupancies} == names
    capital = {use.where for use in uses if any(name == "annual_charge" for name, _ in use.times)}
    assert capital >= names
    assert all(use.amount > 0 for use in uses)


def test_the_production_vessel_is_busy_until_it_is_harvested() -> None:
    found = batches()[PLANT]
    busy = {item.suite: item.hours for item in inventory(found).occupancies}
    harvest = sum(step.duration for step in found.steps if step.path.startswith("harvest/"))
    totals = found.production.totals
    assert busy["production"] == pytest.approx(totals["preparation"][0] + totals["duration"][0] + harvest)


def test_cost_and_carbon_per_kg_fall_with_the_scale_and_with_the_titre() -> None:
    pilot, plant = (cost_and_carbon(batches()[name], draws=100) for name in (PILOT, PLANT))
    assert plant.cost.total.value < 0.5 * pilot.cost.total.value
    assert plant.carbon.total.value < pilot.carbon.total.value
    strong = culture().with_parameters({"q_P_max": 1.2 * culture().parameters["q_P_max"].value})
    (more,) = scale(strong, vessels(), recipe(), targets=[PLANT])
    assert more.titre > batches()[PLANT].titre
    better = cost_and_carbon(more, draws=100)
    assert better.cost.total.value < plant.cost.total.value
    assert better.carbon.total.value < plant.carbon.total.value


def test_a_material_without_a_factor_is_named_with_the_remedy() -> None:
    found = batches()[PILOT]
    strange = dict(found.control.recipe.materials)
    strange["lysis-buffer"] = {"moon-dust": strange["lysis-buffer"]["buffer-salts"]}
    changed = dataclasses.replace(found.control.recipe, materials=strange)
    batch = dataclasses.replace(found, control=dataclasses.replace(found.control, recipe=changed))
    with pytest.raises(InputErrors, match="'moon-dust'"):
        cost_and_carbon(batch)


def test_a_seed_train_of_another_recipe_is_refused() -> None:
    found = batches()[PLANT]
    with pytest.raises(InputError, match="seed unit procedures, with 1 runs"):
        inventory(dataclasses.replace(found, seeds=found.seeds[:1]))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_blocks_render_in_both_languages(language: str) -> None:
    with use_language(language):
        results = list(batches().values())
        blocks = [Heading("1"), *scale_blocks(results), Heading("2")]
        blocks += economics_blocks({PLANT: cost_and_carbon(results[-1], draws=50)}, targets={"cost": 900.0})
        page = render_html(Page("Scale and cost", blocks))
    for result in results:
        assert result.unit in page
    tables = [block for block in blocks if isinstance(block, Table)]
    assert all(len(row) == len(table.columns) for table in tables for row in table.rows)


def test_the_reference_page_shows_the_shipped_table() -> None:
    page = (EXAMPLE.parents[1] / "docs" / "reference" / "factors.md").read_text(encoding="utf-8")
    shown = page.partition("<!-- factors: begin -->\n")[2].partition("<!-- factors: end -->")[0]
    assert shown == factors_markdown(read_factors()), "print seedtrain.development.factors_markdown(read_factors())"


@ALL
def test_what_is_cooled_is_paid_as_the_electricity_of_a_chiller(name: str) -> None:
    found = batches()[name]
    tanks = [run for run in (*found.seeds, found.production) if run.totals["stirrer_energy"][0] > 0]
    heat = sum(run.totals["cooling"][0] for run in tanks)
    heat += sum(step.utilities["cooling"][0] for step in found.steps if "cooling" in step.utilities)
    chilled = [use for use in inventory(found).uses if ("chiller_performance", -1) in use.times]
    assert heat > 0
    assert {use.item for use in chilled} == {"electricity"}
    assert sum(use.amount for use in chilled) == pytest.approx(heat)


def test_the_classified_building_is_ventilated_all_year() -> None:
    """800 m2 (`cleanroom_area`) stand for a plant of 20 m3; 8760 h a year, shared by the batches."""
    uses = [use for use in inventory(batches()[PLANT]).uses if use.where == "building"]
    (air,) = [use for use in uses if use.item == "electricity"]
    assert (air.amount, air.unit) == (pytest.approx(8760.0), "kWh")
    assert air.times == (("cleanroom_area", 1), ("cleanroom_power", 1), ("batches_per_year", -1))


@ALL
def test_machines_have_the_throughput_of_their_step(name: str) -> None:
    found = batches()[name]
    spins = [step for step in found.steps if step.kind == "centrifuge"]
    uses = [use for use in inventory(found).uses if use.item == "centrifuge"]
    assert {use.unit for use in uses} == {"L/h"}
    for step in spins:
        (use,) = [use for use in uses if use.where == step.path.partition("/")[0]]
        assert use.pieces * use.amount == pytest.approx(step.inlets[0].volume / step.duration)
        assert use.pieces == step.equipment["parallel"][0]


@ALL
def test_no_machine_is_larger_than_it_is_made(name: str) -> None:
    """Each is as large as its step says, and there are as many as run in parallel."""
    found = batches()[name]
    kinds = {"freeze-dryer": ("lyophilise", "shelf_area"), "homogeniser": ("homogenise", "homogeniser_flow")}
    for item, (kind, size) in kinds.items():
        (step,) = [step for step in found.steps if step.kind == kind]
        (use,) = [use for use in inventory(found).uses if use.item == item]
        assert use.amount == pytest.approx(step.equipment[size][0])
        assert use.pieces == step.equipment["parallel"][0]
        (smooth,) = [use for use in inventory(found, whole=False).uses if use.item == item]
        assert smooth.pieces * smooth.amount == pytest.approx(use.pieces * use.amount)
        assert smooth.pieces <= use.pieces < smooth.pieces + 1
    if name == PLANT:
        dryer = next(step for step in found.steps if step.kind == "lyophilise")
        assert dryer.equipment["parallel"][0] > 1
        assert dryer.equipment["shelf_area"][0] <= 40.0
        (part,) = [use for use in inventory(found, whole=False).uses if use.item == "freeze-dryer"]
        assert part.amount == pytest.approx(40.0)  # m2: of the largest, the last counted in part
        assert part.pieces < dryer.equipment["parallel"][0]


@ALL
def test_what_holds_cells_is_inactivated_with_steam(name: str) -> None:
    found = batches()[name]
    killed = [use for use in inventory(found).uses if use.times == (("kill_steam", 1),)]
    wastes = [waste for step in found.steps for waste in step.wastes]
    live = sum(waste.volume for waste in wastes if waste.masses.get("cells", 0) + waste.masses.get("debris", 0) > 0)
    names = {procedure.name for procedure in found.control.recipe.unit_procedures if "seed" in procedure.name}
    assert {(use.item, use.unit) for use in killed} == {("steam", "kg")}
    assert sum(use.amount for use in killed if use.where not in names) == pytest.approx(live)
