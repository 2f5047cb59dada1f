"""What the simulation tests share: a small recipe of their own, vessels, runs, and files with one fault each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from seedtrain.base import InputError, SeedtrainError, parse_document, read_document, validate
from seedtrain.recipe import MasterRecipe, parse_recipe
from seedtrain.simulation import Culture, Run, ShakeFlask, StirredTank, Vessel, VesselEntry, read_culture, simulate
from seedtrain.simulation._vessel import Transfer

ROOT = Path(__file__).parents[2]
PLANT = ROOT / "examples" / "collagen" / "plant.yaml"

RECIPE = """\
recipe: trial
title: A fed-batch in one tank
version: "1"
product: protein
culture: ecoli_balanced
basis: {unit: TANK, volume: 10 L}
materials:
  medium:
    composition: {glucose: 8 g/L, mineral-salts: 14 g/L, antifoam: 0.1 g/L, water: 0.98 kg/L}
  feed:
    composition: {glucose: 500 g/L, mineral-salts: 6 g/L, water: 0.68 kg/L}
  base:
    composition: {ammonia-water: 0.9 kg/L}
  inducer:
    composition: {iptg: 23.8 g/L, water: 0.98 kg/L}
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
            set: &culture
              temperature: 37 degC
              pH: 7.0
              dissolved_oxygen: 30 %
              stirrer_speed: 700 1/min
              aeration: 1 vvm
              head_pressure: 0.1 bar
            until: glucose <= 0.2 g/L
            at_most: 20 h
          - phase: feed
            do: feed
            set: {material: feed, initial_rate: 20 mL/h, growth_rate: 0.12 1/h, CULTURE}
            until: biomass >= 14 g/L
            at_most: 16 h
          - {phase: induce, do: induce, set: {material: inducer, volume: 100 mL}, duration: 10 min}
          - phase: express
            do: feed
            set: {material: feed, rate: 90 mL/h, CULTURE32}
            until: elapsed >= 5 h
            at_most: 7 h
specification:
  - {attribute: purity, method: SDS-PAGE, limit: ">= 95 %", assay_cv: 1 %}
"""

SETTINGS = "pH: 7.0, dissolved_oxygen: 30 %, stirrer_speed: 700 1/min, aeration: 1 vvm, head_pressure: 0.1 bar"


def recipe_text(changes: Mapping[str, str] | None = None) -> str:
    """The recipe's text with pieces of it replaced; every piece must stand in it."""
    text = RECIPE.replace("CULTURE32", f"temperature: 32 degC, {SETTINGS}")
    text = text.replace("CULTURE}", f"temperature: 37 degC, {SETTINGS}}}").replace(" &culture", "")
    for before, after in (changes or {}).items():
        assert before in text, before
        text = text.replace(before, after)
    return text


def recipe(changes: Mapping[str, str] | None = None) -> MasterRecipe:
    """The recipe of these tests, with pieces of its text replaced."""
    return parse_recipe(recipe_text(changes), "trial.yaml")


def tank(**changes: object) -> StirredTank:
    """A 20 L tank that carries the recipe with room to spare."""
    fields: dict[str, object] = {
        "name": "TANK",
        "scale": "pilot",
        "nominal_volume": 20.0,
        "working_volume": (5.0, 15.0),
        "diameter": 0.24,
        "impellers": 2,
        "impeller": "rushton",
        "impeller_diameter": 0.1,
        "stirrer_speed": (100.0, 900.0),
        "motor_power": 400.0,
        "aeration": (0.1, 2.0),
        "head_pressure": (0.0, 1.0),
        "cooling_area": 0.4,
        "heat_transfer_coefficient": 400.0,
        "coolant_temperature": 10.0,
    }
    return StirredTank(**{**fields, **changes})  # type: ignore[arg-type]


def flask(volume: float = 15.0, kLa: float = 400.0) -> ShakeFlask:
    """A vessel whose transfer is one number, of any size, and that any line feeds."""
    return ShakeFlask("FLASK", "seed", volume * 4, (volume / 10, volume), Transfer(kLa), feed_rate=(0.0, 1e3))


def culture() -> Culture:
    """The balanced E. coli."""
    return read_culture("ecoli_balanced")


@cache
def run() -> Run:
    """The recipe in the tank."""
    return simulate(culture(), tank(), recipe())


@cache
def plant() -> dict[str, Vessel]:
    """The vessels of the worked example."""
    document = read_document(PLANT)
    return {name: validate(document, VesselEntry, ("units", name)).vessel(name) for name in document.data["units"]}


def culture_text(changes: Mapping[str, str] | None = None, name: str = "ecoli_balanced") -> str:
    """The text of a shipped culture with pieces of it replaced; every piece must stand in it."""
    text = (ROOT / "src" / "seedtrain" / "simulation" / "cultures" / f"{name}.yaml").read_text("utf-8")
    for before, after in (changes or {}).items():
        assert before in text, before
        text = text.replace(before, after)
    return text


def build_culture(text: str) -> Culture:
    """A culture from text."""
    from seedtrain.simulation._culture_file import build

    return build(parse_document(text, "culture.yaml"))


def culture_faults(changes: Mapping[str, str]) -> tuple[SeedtrainError, ...]:
    """The faults of the balanced culture's file with pieces of it replaced."""
    with pytest.raises(InputError) as caught:
        build_culture(culture_text(changes))
    return caught.value.parts
