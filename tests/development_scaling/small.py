"""A plant from a well to 20 m3 and a batch recipe written in a shake flask."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from seedtrain.base import parse_document
from seedtrain.recipe import MasterRecipe, parse_recipe
from seedtrain.simulation import Vessel, VesselEntry
from tests.development.plant import vessels as stirred

PLANT = """\
WELL:
  kind: well
  scale: screening
  nominal_volume: 0.4 mL
  working_volume: 0.1 .. 0.2 mL
  diameter: 6.5 mm
  shaking_frequency: 200 .. 1000 1/min
  shaking_diameter: 3 mm
  evaporation: 1 mg/h
  seeds: [FLASK]
FLASK:
  kind: shake_flask
  scale: seed
  nominal_volume: 250 mL
  working_volume: 10 .. 40 mL
  diameter: 8.2 cm
  shaking_frequency: 100 .. 350 1/min
  shaking_diameter: 50 mm
  seeds: [FLASK-250]
MINI:
  kind: stirred_tank
  scale: bench
  nominal_volume: 20 mL
  working_volume: 8 .. 15 mL
  diameter: 2.5 cm
  impellers: 1
  impeller: pitched_blade
  impeller_diameter: 1.1 cm
  stirrer_speed: 300 .. 2000 1/min
  motor_power: 1 W
  aeration: 0.1 .. 2 vvm
  head_pressure: 0 .. 0.05 bar
  cooling_area: 10 cm2
  heat_transfer_coefficient: 200 W/m2/K
  coolant_temperature: 10 degC
  seeds: [FLASK-250]
"""

RECIPE = """\
recipe: batch
title: A batch from the plate to the plant
version: "1"
product: protein
culture: ecoli_balanced
basis: {unit: FLASK, volume: 25 mL}
materials:
  seed-medium:
    composition: {glucose: 5 g/L, mineral-salts: 9 g/L, water: 0.98 kg/L}
  medium:
    composition: {glucose: 5 g/L, mineral-salts: 14 g/L, water: 0.98 kg/L}
  sugar:
    composition: {glucose: 200 g/L, mineral-salts: 6 g/L, water: 0.9 kg/L}
procedure:
  - unit_procedure: seed-flask
    unit_class: shake_flask
    operations:
      - operation: expansion
        phases:
          - {phase: thaw, do: thaw, set: {inoculum: bank, inoculum_fraction: 1 %, biomass: 8 g/L}, duration: 15 min}
          - {phase: fill, do: charge, set: {material: seed-medium, volume: 10 mL}, duration: 10 min}
          - {phase: grow, do: grow, set: {temperature: 37 degC, pH: 7.0}, until: biomass >= 1.5 g/L, at_most: 20 h}
  - unit_procedure: seed-tank
    unit_class: seed_tank
    repeat: every seed tank of the production vessel
    operations:
      - operation: expansion
        phases:
          - {phase: fill-tank, do: charge, set: {material: seed-medium, fill: 1.0}, duration: 30 min}
          - {phase: inoculate, do: inoculate, set: {inoculum_fraction: 3 %}, duration: 10 min}
          - phase: grow
            do: grow
            set: {temperature: 37 degC, pH: 7.0, dissolved_oxygen: 30 %, aeration: 1 vvm}
            until: biomass >= 1.5 g/L
            at_most: 16 h
  - unit_procedure: production
    unit_class: production_vessel
    operations:
      - operation: culture
        phases:
          - {phase: fill, do: charge, set: {material: medium, volume: 25 mL}, duration: 30 min}
          - {phase: inoculate, do: inoculate, set: {inoculum_fraction: 3 %}}
          - phase: grow
            do: grow
            set: {temperature: 37 degC, pH: 7.0, shaking_frequency: 250 1/min}
            until: glucose <= 0.2 g/L
            at_most: 16 h
            limits: {dissolved_oxygen: 20 .. 110 %}
FEED
specification:
  - {attribute: purity, method: SDS-PAGE, limit: ">= 95 %", assay_cv: 1 %}
"""
FEED = """\
          - phase: feed
            do: feed
            set: {material: sugar, rate: 0.4 mL/h, temperature: 37 degC, pH: 7.0, shaking_frequency: 250 1/min}
            until: elapsed >= 4 h
            at_most: 4 h
"""


@cache
def vessels() -> Mapping[str, Vessel]:
    """By name: WELL, FLASK, MINI, and those of the example."""
    units = parse_document(PLANT, "plant.yaml").data
    small = {name: VesselEntry.model_validate(entry).vessel(name) for name, entry in units.items()}
    return {**stirred(), **small}


def recipe(*, fed: bool = False) -> MasterRecipe:
    """The batch in 25 mL of the flask, or with a feed after it."""
    return parse_recipe(RECIPE.replace("FEED\n", FEED if fed else ""), "recipe.yaml")
