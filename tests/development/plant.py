"""The example's recipe, culture and vessels, and its batches at three scales, made once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from seedtrain.base import read_document
from seedtrain.development import ScaleResult, scale
from seedtrain.recipe import MasterRecipe, read_recipe
from seedtrain.simulation import Culture, StirredTank, Vessel, VesselEntry, read_culture

EXAMPLE = Path(__file__).parents[2] / "examples" / "collagen"
BENCH, PILOT, PLANT = "BENCH-1L", "PILOT-200", "PLANT-20M3"


@cache
def recipe() -> MasterRecipe:
    return read_recipe(EXAMPLE / "recipe.yaml")


@cache
def culture() -> Culture:
    return read_culture("ecoli_balanced")


@cache
def vessels() -> Mapping[str, Vessel]:
    units = read_document(EXAMPLE / "plant.yaml").data["units"]
    return {name: VesselEntry.model_validate(entry).vessel(name) for name, entry in units.items()}


def tank(name: str) -> StirredTank:
    found = vessels()[name]
    assert isinstance(found, StirredTank)
    return found


@cache
def batches() -> Mapping[str, ScaleResult]:
    results = scale(culture(), vessels(), recipe(), targets=[BENCH, PILOT, PLANT])
    return {result.unit: result for result in results}
