"""Carbon, water and product balance through every stage, from the vial to the filled container."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedtrain.bioinformatics import read_protein
from seedtrain.development import ScaleResult, result_from_data
from seedtrain.program import read_plant
from seedtrain.record import open_ledger
from seedtrain.simulation import COMPONENTS, read_culture
from tests.worked import COLLAGEN

SCALES = ("BENCH-1L", "PILOT-200", "PLANT-20M3")
ATOMS = {"C": 12.011, "H": 1.008, "O": 15.999, "N": 14.007, "S": 32.06}
CLOSURE = 1e-6
"""Relative; the integration's own tolerance."""
ASSAY = 0.02
"""Relative standard deviation of the simulated determination of product after a step."""
CARBON = {"glucose": 6 / 180.156, "acetate": 2 / 60.052}
"""mol C per g; from the molar masses."""


@pytest.fixture(scope="module")
def scales(finished: Path) -> dict[str, ScaleResult]:
    vessels = read_plant(finished / "plant.yaml").vessels
    stored: dict[str, Any] = {}
    for stage in ("bench", "scale"):
        (file,) = (finished / "out" / "stages" / stage).glob("*/result.json")
        stored |= json.loads(file.read_text())
    assert set(stored) == set(SCALES)
    return {name: result_from_data(data, vessels) for name, data in stored.items()}


@pytest.mark.parametrize("unit", SCALES)
def test_every_culture_of_the_seed_train_closes_its_balances(scales, unit) -> None:
    runs = (*scales[unit].seeds, scales[unit].production)
    assert len(runs) == {"BENCH-1L": 2, "PILOT-200": 3, "PLANT-20M3": 4}[unit]
    for run in runs:
        found = {balance.name: balance for balance in run.balances}
        assert {"carbon", "nitrogen", "oxygen", "mass", "volume", "product"} <= set(found)
        for balance in found.values():
            size = max(abs(balance.inlet), abs(balance.outlet), abs(balance.accumulated))
            assert abs(balance.residual) <= CLOSURE * size + 1e-12, (run.vessel, balance)


@pytest.mark.parametrize("unit", SCALES)
def test_carbon_dioxide_is_not_carbon_by_difference(scales, unit) -> None:
    """CER and OUR integrated here give the RQ that growth on glucose with this biomass and product allows."""
    run = scales[unit].production
    released = np.trapezoid(run["CER"] * run["V"], run.time)
    taken_up = np.trapezoid(run["OUR"] * run["V"], run.time)
    assert 0.95 < released / taken_up < 1.2
    carbon = next(item for item in run.balances if item.name == "carbon")
    assert released / 1000 == pytest.approx(run.totals["carbon_dioxide"][0], rel=0.01)
    assert carbon.outlet == pytest.approx(run.totals["carbon_dioxide"][0], rel=1e-6)
    assert carbon.inlet == pytest.approx(run.totals["glucose_fed"][0] * CARBON["glucose"], rel=1e-3)


@pytest.mark.parametrize("unit", SCALES)
def test_carbon_in_cells_product_and_gas_is_the_carbon_of_the_glucose(scales, unit) -> None:
    """From elemental compositions, worked out here: C of all that is there at the end = C of all that went in."""
    run = scales[unit].production
    biomass = read_culture("ecoli_balanced").species["X"]
    protein = read_protein(COLLAGEN / "product.fasta")
    cells = {element: float(item.text) for element, item in biomass.formula.items()}
    per_gram = {
        "X": (1 - biomass.ash) * cells["C"] / sum(count * ATOMS[element] for element, count in cells.items()),
        "P": protein.elements["C"] / protein.molar_mass,
        "S": CARBON["glucose"],
        "A": CARBON["acetate"],
    }
    there = [
        sum(float(run[symbol][at]) * fraction for symbol, fraction in per_gram.items()) * float(run["V"][at])
        for at in (0, -1)
    ]
    fed, gone = run.totals["glucose_fed"][0] * CARBON["glucose"], run.totals["carbon_dioxide"][0]
    assert there[1] - there[0] == pytest.approx(fed - gone, rel=0.02)


@pytest.mark.parametrize("unit", SCALES)
def test_what_grows_into_the_vessel_is_what_is_harvested(scales, unit) -> None:
    result = scales[unit]
    run, broth = result.production, result.broth
    volume = run.final("V")
    assert broth.volume == pytest.approx(volume, rel=1e-9)
    for symbols, component in (("P", "product"), ("S", "glucose"), ("AM", "acetate")):  # mixed acids count as acetate
        amount = sum(run.final(symbol) for symbol in symbols) * volume
        assert broth.masses[component] == pytest.approx(amount, rel=1e-6, abs=1e-9), component
    assert broth.masses["cells"] == pytest.approx(run.final("X") * volume, rel=1e-6)
    assert broth.masses["water"] == pytest.approx(run.final("water") * volume, rel=2e-4)
    assert result.titre == pytest.approx(run.final("P"), rel=1e-9)


@pytest.mark.parametrize("unit", SCALES)
def test_every_step_of_the_train_takes_what_the_last_one_gave_and_loses_nothing(scales, unit) -> None:
    result = scales[unit]
    before = result.broth
    for step in result.steps:
        assert step.inlets[0].masses == before.masses, step.path
        assert step.inlets[0].endotoxin == before.endotoxin
        for balance in step.balances():
            assert abs(balance.relative) < CLOSURE, (step.path, balance)
        made = sum(step.converted.values())
        came = sum(stream.mass for stream in step.inlets)
        left = step.outlet.mass + sum(stream.mass for stream in step.wastes)
        assert made == pytest.approx(0.0, abs=1e-9 * came)
        assert left == pytest.approx(came, rel=1e-9), step.path
        assert min((*step.outlet.masses.values(), 0.0)) >= 0.0
        before = step.outlet
    assert set(before.masses) <= set(COMPONENTS)


@pytest.mark.parametrize("unit", SCALES)
def test_product_from_the_broth_to_the_container(scales, unit) -> None:
    """The product of all step yields is the yield of the train, and all that is missing lies in a waste."""
    result = scales[unit]
    harvested = result.broth.masses["product"]
    overall = math.prod(step.step_yield for step in result.steps)
    assert result.product == pytest.approx(overall * harvested, rel=1e-9)
    wasted = sum(stream.masses.get("product", 0.0) for step in result.steps for stream in step.wastes)
    changed = -sum(step.converted.get("product", 0.0) for step in result.steps)
    assert result.product + wasted + changed == pytest.approx(harvested, rel=1e-9)
    assert 0.2 < overall < 0.9


def test_the_batch_fills_what_the_pilot_run_makes_within_its_weighing(finished, scales) -> None:
    """The ledger's own amounts: nothing is made of more than was consumed, and the lot is the train's outlet."""
    pilot = scales["PILOT-200"]
    with open_ledger(finished / "out" / "record.db", create=False, read_only=True) as ledger:
        (made,) = (event.payload for event in ledger.events(type="lot.produced"))
        consumed = [event.payload for event in ledger.events(type="lot.consumed")]
    assert made["unit"] == "g"
    # The batch holds the hidden truth of the campaign, which the fitted culture tells as well as bench tells pilot.
    assert float(made["amount"]) == pytest.approx(pilot.product, rel=0.15)
    aimed = [line for line in consumed if line["target"] is not None]
    assert len(aimed) > 20
    for line in aimed:
        error = abs(float(line["amount"]) / float(line["target"]) - 1.0)
        assert 100 * error <= float(line["tolerance_percent"]), line
    assert set(made["from"]) == {line["lot"] for line in consumed}


def test_scales_agree_on_what_each_cell_makes_until_a_limit_parts_them(scales) -> None:
    """Without a limit, or hardly one, the same recipe gives the same titre per volume at the bench and in the pilot."""
    bench, pilot = scales["BENCH-1L"], scales["PILOT-200"]
    assert all(factor > 0.9 for result in (bench, pilot) for factor in result.feed.factors.values())
    assert pilot.titre == pytest.approx(bench.titre, rel=0.1)
