"""A compiled metabolism as a declared culture: the same rates, closed by the engine, in any vessel and recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.simulation import (
    Constant,
    Culture,
    GasSupply,
    Kinetics,
    Monod,
    RegionTable,
    Run,
    compile_metabolism,
    culture_from_metabolism,
    demand,
    read_culture,
    uptake,
    usual_kinetics,
)
from seedtrain.simulation._metabolism._matter import biomass, substance
from tests.simulation_metabolism.cases import ACETATE, GLUCOSE, OXYGEN, core_json, small
from tests.worked import COLLAGEN, called

MOVING = (uptake(GLUCOSE, 12.0), uptake(OXYGEN, 20.0), uptake(ACETATE, 8.0), demand("ATPM", 0.0, 12.0))
KINETICS = Kinetics(
    {
        GLUCOSE: Monod(10.0, 0.015, ACETATE, 90.0),
        OXYGEN: Monod(15.0, 0.003),
        ACETATE: Monod(5.0, 0.2),
        "ATPM": Constant(8.39, "sourced", 'its own "model"'),
    }
)


def _one_gram(data) -> None:
    """The core model's biomass holds 3.7 mmol of phosphorus and weighs 1.54 g: give most back, and make it 1 g."""
    growth = next(item for item in data["reactions"] if item["id"] == "Biomass_Ecoli_core")
    given = {**growth["metabolites"], "pi_c": growth["metabolites"].get("pi_c", 0.0) + 3.38}
    weight = 1.540767 - 3.38 * 95.979 / 1000
    growth["metabolites"] = {name: value / weight for name, value in given.items()}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return core_json(tmp_path_factory.mktemp("model"), _one_gram)


@pytest.fixture(scope="module")
def table(model: Path) -> RegionTable:
    found = compile_metabolism(model, moving=MOVING)
    assert isinstance(found, RegionTable)
    return found


@pytest.fixture(scope="module")
def culture(table: RegionTable) -> Culture:
    return culture_from_metabolism(table, KINETICS, name="core")


def surroundings(culture: Culture, draw: np.random.Generator) -> dict[str, float]:
    """Every expression of the culture at a random place."""
    found = dict(culture.values) | dict.fromkeys(culture.species, 0.0)
    found |= {
        "X": 1.0,
        "S": 10 ** draw.uniform(-4, 1),
        "A": 10 ** draw.uniform(-4, 1),
        "DO": 10 ** draw.uniform(-5, -1),
    }
    found |= {
        "q_ATPM": draw.uniform(0, 12),
        "NH": 5.0,
        "T": 37.0,
        "pH": 7.0,
        "C_CO2": 1.0,
        "DO_percent": 30.0,
        "I": 0.0,
    }
    for name, text in culture.expressions.items():
        found[name] = text.evaluate(found)
    return found


def test_its_rates_are_the_tables(table: RegionTable, culture: Culture) -> None:
    draw = np.random.default_rng(1)
    for _ in range(150):
        at = surroundings(culture, draw)
        cells = table.evaluate([at["x0"], at["x1"], at["x2"], at["x3"]])
        out = dict(zip(table.exchanges, cells.exchanges, strict=True))
        assert at["mu"] == pytest.approx(float(cells.growth), abs=1e-9)
        assert at["r_S"] == pytest.approx(out[GLUCOSE], abs=1e-9)
        assert at["r_A"] == pytest.approx(out[ACETATE], abs=1e-9)
        assert at["deficit_ATPM"] == pytest.approx(float(cells.deficit[0]), abs=1e-9)
        inhibited = 90.0 / (90.0 + at["A"] / 60.052e-3)
        assert at["x0"] == pytest.approx(10.0 * at["S"] / (0.015 * 0.180156 + at["S"]) * inhibited, rel=1e-4)


def test_its_conversions_close_to_the_models_own_gases(table: RegionTable, culture: Culture) -> None:
    draw, checked = np.random.default_rng(2), 0
    for _ in range(150):
        at = surroundings(culture, draw)
        out = dict(zip(table.exchanges, table.evaluate([at[f"x{k}"] for k in range(4)]).exchanges, strict=True))
        net, gas = dict.fromkeys(culture.species, 0.0), np.zeros(2)
        for conversion in culture.conversions:
            rate, exchange = conversion.rate.evaluate(at), culture.exchange(conversion)
            gas += rate * 1000 * np.array([exchange.O2, exchange.CO2])
            for name, amount in culture.amounts(conversion).items():
                net[name] += rate * amount
        assert net["X"] == pytest.approx(at["mu"], abs=1e-9)
        assert net["S"] == pytest.approx(at["r_S"] * 0.180156, abs=1e-5)
        assert net["A"] == pytest.approx(at["r_A"] * 0.060052, abs=1e-5)
        if abs(out["carbon_elsewhere"]) < 1e-9:  # nothing leaves that is not followed
            assert gas == pytest.approx([out[OXYGEN], out["EX_co2_e"]], abs=1e-4)
            checked += 1
    assert checked > 100


def test_biomass_is_what_the_growth_reaction_takes(table: RegionTable) -> None:
    found = biomass(table.program.network)
    assert found.grams / 1000 + found.ash == pytest.approx(1.0)
    assert found.atoms["C"] == pytest.approx(table.program.biomass_carbon)
    assert 0.01 < found.ash < 0.1
    acid = substance(table.program.network, ACETATE)
    assert acid is not None
    assert (acid.atoms["H"], acid.protons) == (4.0, 1.0)
    assert substance(table.program.network, OXYGEN) is None
    assert substance(table.program.network, "EX_co2_e") is None


def test_parameters_keep_their_status_and_source(culture: Culture) -> None:
    assert culture.parameters["q_ATPM"].status == "sourced"
    assert culture.parameters["q_ATPM"].source == 'its own "model"'
    assert culture.parameters["q_S"].status == "assumed"
    assert culture.status == "unverified"


def test_a_recipe_runs_with_it_and_balances_close(model: Path, tmp_path) -> None:
    path = tmp_path / "core.yaml"
    bounds = ("--bound", f"{GLUCOSE}=0..12", "--bound", f"{OXYGEN}=0..20", "--bound", "ATPM>=0..12")
    said = called("compile", model, *bounds, "--culture", path)
    assert said.code == 0
    assert "edit its parameters" in said.out
    assert read_culture(str(path)).name == "core"
    said = called("simulate", COLLAGEN / "recipe.yaml", "--culture", path, "--json")
    assert said.code == 0, said.err
    run = Run.from_data(said.document)
    assert run.culture == "core"
    assert run.final("X") > 10 * run["X"][0]
    balances = {item.name: item.relative for item in run.balances}
    assert {"carbon", "oxygen", "electrons", "nitrogen", "mass"} <= set(balances)
    assert all(abs(item) < 1e-6 for item in balances.values())


def test_kinetics_without_any_stand_at_the_box(table: RegionTable) -> None:
    found = usual_kinetics(table)
    own = found.bounds[GLUCOSE]
    assert isinstance(own, Monod)
    assert own.q_max == 12.0
    assert culture_from_metabolism(table).values["q_ATPM"] == 0.0


@pytest.mark.parametrize(
    ("changes", "more", "words"),
    [
        ({OXYGEN: GasSupply(15.0, 100.0, 0.2)}, {}, "gas supply, which is the vessel's"),
        ({GLUCOSE: None}, {}, "'EX_glc__D_e' has no kinetics"),
        ({GLUCOSE: Monod(10.0, 0.1, "EX_pyr_e", 1.0)}, {}, "'EX_pyr_e', which the table does not report"),
        ({}, {"k_d": 0.1}, "a culture file has no k_d"),
    ],
)
def test_kinetics_without_a_place_in_a_file_are_refused(table: RegionTable, changes, more, words: str) -> None:
    bounds = {name: item for name, item in {**KINETICS.bounds, **changes}.items() if item is not None}
    with pytest.raises(InputError, match=words) as caught:
        culture_from_metabolism(table, Kinetics(bounds, **more))
    assert all(part.remedy for part in caught.value.parts)


def test_a_model_whose_biomass_is_no_gram_is_refused() -> None:
    with pytest.raises(InputError, match=r"weighs 1\.54 g"):
        culture_from_metabolism(small())


@pytest.mark.slow
def test_a_genome_scale_culture_breathes_as_its_model_does() -> None:
    """What the closure says of oxygen differs from the model only by what is excreted unseen, 0.06 % of it."""
    table = compile_metabolism("iJO1366", moving=MOVING)
    assert isinstance(table, RegionTable)
    culture = culture_from_metabolism(table, KINETICS)
    draw = np.random.default_rng(3)
    for _ in range(50):
        at = surroundings(culture, draw)
        out = dict(zip(table.exchanges, table.evaluate([at[f"x{k}"] for k in range(4)]).exchanges, strict=True))
        oxygen = sum(item.rate.evaluate(at) * culture.exchange(item).O2 * 1000 for item in culture.conversions)
        assert abs(oxygen - out[OXYGEN]) < 2 * abs(out["carbon_elsewhere"]) + 1e-4
