"""Cultures of this folder in a tank by a recipe: what is not alive, and what eats something else than glucose."""

from __future__ import annotations

import numpy as np
import pytest

from seedtrain.recipe import parse_recipe
from seedtrain.simulation import PublishedPhase, read_culture, reproduce, simulate
from tests.simulation import cases

SUGAR = """\
recipe: sugar
title: Sucrose to invert sugar
version: "1"
product: invert-sugar
culture: invertase
basis: {unit: TANK, volume: 10 L}
materials:
  medium:
    composition: {sucrose: 100 g/L, water: 0.93 kg/L}
procedure:
  - unit_procedure: production
    unit_class: production_vessel
    operations:
      - operation: culture
        phases:
          - {phase: fill, do: charge, set: {material: medium, volume: 10 L}, duration: 30 min}
          - {phase: inoculate, do: inoculate, set: {inoculum_fraction: 5 %}}
          - phase: batch
            do: grow
            set:
              temperature: 25 degC
              pH: 5.0
              stirrer_speed: 300 1/min
              aeration: 0.2 vvm
              head_pressure: 0.1 bar
              dissolved_oxygen: 10 %
            until: elapsed >= 4 h
            at_most: 20 h
specification:
  - {attribute: purity, method: SDS-PAGE, limit: ">= 95 %", assay_cv: 1 %}
"""


def test_an_enzyme_in_a_tank_is_the_enzyme_of_its_paper():
    culture = read_culture("invertase")
    run = simulate(culture, cases.tank(), parse_recipe(SUGAR, "sugar.yaml"))
    np.testing.assert_allclose(run["Glc"], run["Fru"], rtol=1e-9, atol=1e-9)
    assert run["OUR"].max() == pytest.approx(0.0, abs=1e-9)
    for balance in run.balances:
        assert abs(balance.relative) < 1e-6, balance.name
    # The same in a plain volume, but for the water that the exit gas takes along.
    plain = reproduce(culture, {"S": float(run["S"][0])}, [PublishedPhase("batch", 4.0)], points=50)
    assert run.final("S") == pytest.approx(plain.final("S"), rel=2e-3)
    assert run.status == "verified"


def test_methanol_fed_to_pichia_becomes_cells_and_product():
    changes = {
        "glucose: 8 g/L": "glycerol: 30 g/L",
        "glucose: 500 g/L": "methanol: 600 g/L",
        "until: glucose <= 0.2 g/L": "until: elapsed >= 14 h",
        "biomass >= 14 g/L": "biomass >= 24 g/L",
        "37 degC": "30 degC",
        "32 degC": "29 degC",
    }
    run = simulate(read_culture("pichia_methanol"), cases.tank(), cases.recipe(changes))
    assert run.final("X") > 20
    assert run.final("P") > 0.01
    assert run["G"].min() < 0.1
    for balance in run.balances:
        assert abs(balance.relative) < 1e-6, balance.name
    assert run.status == "unverified"
