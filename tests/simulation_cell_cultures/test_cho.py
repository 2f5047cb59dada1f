"""CHO after Xing 2010: what its abstract lets one check, and the balanced culture in a tank by a recipe."""

from __future__ import annotations

from functools import cache

import pytest

from seedtrain.base import InputError
from seedtrain.recipe import MasterRecipe, parse_recipe
from seedtrain.simulation import PublishedPhase, Run, StirredTank, read_culture, reproduce, simulate

RECIPE = """\
recipe: cho
title: A CHO fed-batch
version: "1"
product: antibody
culture: cho_balanced
basis: {unit: TANK, volume: 8 L}
materials:
  medium:
    composition: {glucose: 6 g/L, glutamine: 0.6 g/L, amino_acids: 5 g/L, sodium-chloride: 7 g/L, water: 0.98 kg/L}
  feed:
    composition: {glucose: 60 g/L, glutamine: 6 g/L, amino_acids: 30 g/L, water: 0.93 kg/L}
procedure:
  - unit_procedure: production
    unit_class: production_vessel
    operations:
      - operation: culture
        phases:
          - {phase: fill, do: charge, set: {material: medium, volume: 8 L}, duration: 30 min}
          - {phase: inoculate, do: inoculate, set: {inoculum_fraction: 10 %}}
          - phase: batch
            do: grow
            set: {SETTINGS}
            until: elapsed >= 72 h
            at_most: 80 h
          - phase: feed
            do: feed
            set: {material: feed, rate: 10 mL/h, SETTINGS}
            until: elapsed >= 168 h
            at_most: 200 h
specification:
  - {attribute: purity, method: SEC, limit: ">= 95 %", assay_cv: 1 %}
"""
SETTINGS = (
    "temperature: 37 degC, pH: 7.0, dissolved_oxygen: 40 %, stirrer_speed: 200 1/min, aeration: 0.05 vvm, "
    "head_pressure: 0.1 bar"
)
CELL = 0.35  # g of dry mass in 1e9 cells
INOCULUM = 0.3  # 1e9 cells/L


def recipe() -> MasterRecipe:
    return parse_recipe(RECIPE.replace("SETTINGS", SETTINGS), "cho.yaml")


def tank() -> StirredTank:
    return StirredTank(
        name="TANK",
        scale="pilot",
        nominal_volume=15.0,
        working_volume=(5.0, 12.0),
        diameter=0.22,
        impellers=2,
        impeller="rushton",
        impeller_diameter=0.09,
        stirrer_speed=(30.0, 400.0),
        motor_power=200.0,
        aeration=(0.02, 0.5),
        head_pressure=(0.0, 1.0),
        cooling_area=0.4,
        heat_transfer_coefficient=400.0,
        coolant_temperature=10.0,
    )


@cache
def fed_batch() -> Run:
    return simulate(read_culture("cho_balanced"), tank(), recipe(), initial={"X": INOCULUM * CELL})


@cache
def published(hours: float = 72.0) -> Run:
    """The batch of the recipe by the published form: mmol/L, 1e9 cells/L."""
    start = {"X": INOCULUM, "S": 5.4545 / 0.180156, "G": 0.54545 / 0.146146}
    return reproduce(read_culture("cho_xing_published"), start, [PublishedPhase("batch", hours)], points=73)


def test_the_concentrations_of_the_abstract_are_twice_the_half_saturations():
    # "low concentrations of glucose (0.17 mM) and glutamine (0.09 mM) in the cell culture medium"
    K = read_culture("cho_xing_published").values
    assert round(2 * K["K_S"], 2) == 0.17
    assert round(2 * K["K_G"], 2) == 0.09


def test_maintenance_takes_most_of_the_glucose_in_the_end():
    # The abstract: 83 % in the late phase, under a feeding that it does not give; here a constant one.
    phases = [PublishedPhase("batch", 72.0), PublishedPhase("feed", 240.0, feed=4e-4, inflow={"S": 1500, "G": 150})]
    start = {"X": 0.3, "S": 35.0, "G": 5.0, "L": 0.5, "A": 0.3}
    run = reproduce(read_culture("cho_xing_published"), start, phases, points=60)
    assert run.at("upkeep", 0.0) == pytest.approx(0.30, abs=0.01)
    assert 0.70 < run.final("upkeep") < 0.83
    assert (run["upkeep"][1:] >= run["upkeep"][:-1] - 1e-9).all()
    assert 3e-9 < run["X"].max() * 1e-9 < 4e-9  # 1e12 cells/L


def test_growth_without_inhibition_is_the_published_rate():
    start = {"X": 0.01, "S": 1e4, "G": 1e4}
    run = reproduce(read_culture("cho_xing_published"), start, [PublishedPhase("batch", 1.0)], points=3)
    assert run.at("mu", 0.0) == pytest.approx(0.029, rel=2e-5)


def test_every_balance_closes():
    for balance in fed_batch().balances:
        assert abs(balance.relative) < 1e-9, balance.name


def test_oxygen_uptake_of_a_cell_is_a_published_one():
    # CHO 2.54e-13 (continuous) to 2.85e-13 mol/cell/h (growth phase): Ruffieux 2000, J. Biotechnol. 78:139 (abstract).
    per_cell = fed_batch()["q_O2"] * CELL  # mmol per 1e9 cells and hour
    assert per_cell.min() > 0.254
    assert per_cell.max() < 0.285
    assert fed_batch()["RQ"].min() > 1.0
    assert fed_batch()["RQ"].max() < 1.15


def test_the_balanced_culture_follows_the_published_one_in_a_batch():
    balanced, other = fed_batch(), published()
    assert balanced.at("X", 72.0) / CELL == pytest.approx(other.final("X"), rel=0.08)
    assert balanced.at("S", 72.0) / 0.180156 == pytest.approx(other.final("S"), rel=0.06)
    assert balanced.at("G", 72.0) / 0.146146 == pytest.approx(other.final("G"), rel=0.10)
    assert balanced.at("L", 72.0) / 0.090078 == pytest.approx(other.final("L"), rel=0.15)
    assert balanced.at("NH", 72.0) == pytest.approx(other.final("A"), rel=0.20)


def test_what_the_fed_batch_reaches():
    run = fed_batch()
    assert 2e-9 < run.final("X") / CELL * 1e-9 < 6e-9  # 1e12 cells/L
    assert 0.4 < run.final("P") < 1.5  # g/L of antibody in ten days
    viability = run["X"] / (run["X"] + run["Xd"])
    assert viability[0] == 1
    assert 0.6 < viability[-1] < 0.95


def test_more_capacity_to_respire_makes_less_lactate():
    ample = simulate(
        read_culture("cho_balanced"),
        tank(),
        recipe(),
        initial={"X": INOCULUM * CELL},
        parameters={"q_O_max": 1.2},
        points=20,
    )
    assert ample.final("L") < 0.9 * fed_batch().final("L")
    assert ample.final("X") > fed_batch().final("X")


def test_the_published_form_designs_nothing():
    with pytest.raises(InputError, match="reproduction only"):
        simulate(read_culture("cho_xing_published"), tank(), recipe())
