"""What the recipe tests share: the worked example, a small recipe, and YAML of them in other clothes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from seedtrain.base import InputError, SeedtrainError, parse_document
from seedtrain.recipe import MasterRecipe, parse_recipe, read_recipe

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "collagen" / "recipe.yaml"

SMALL = """\
recipe: small
title: A culture of two vessels
version: "1"
product: protein
culture: ecoli_balanced
basis: {unit: BENCH-1L, volume: 0.5 L}
materials:
  medium:
    composition: {glucose: 10 g/L, water: 0.98 kg/L}
  feed:
    composition: {glucose: 500 g/L}
procedure:
  - unit_procedure: seed
    unit_class: seed_tank
    repeat: every seed tank of the production vessel
    operations:
      - operation: expansion
        phases:
          - phase: fill
            do: charge
            set: {material: medium, fill: 0.9}
          - phase: grow
            do: grow
            set: {temperature: 37 degC}
            until: biomass >= 4 g/L
            at_most: 16 h
  - unit_procedure: production
    unit_class: production_vessel
    operations:
      - operation: culture
        phases:
          - phase: fill
            do: charge
            set: {material: medium, volume: 0.5 L}
          - phase: inoculate
            do: inoculate
            set: {inoculum_fraction: 3 %}
            instruction: Check the label.
            second_person: true
          - phase: feed
            do: feed
            set: {material: feed, initial_rate: 1.8 mL/h, growth_rate: 0.15 1/h, temperature: 37 degC, aeration: 1 vvm}
            until: biomass >= 22 g/L
            at_most: 16 h
            limits: {temperature: 36 .. 38 degC}
            sample: {biomass: 18 .. 26 g/L}
            hold_point: The shift leader releases the broth.
            hold_time: 4 h
          - phase: rest
            do: feed
            set: {material: feed, rate: 2 mL/h}
            duration: 1 h
control_strategy:
  - attribute: titre
    at: production/culture/feed
    parameter: growth_rate
    range: 0.10 .. 0.18 1/h
    detector: off-gas
    sample: biomass
    action: Lower the feed.
specification:
  - {attribute: purity, method: SDS-PAGE, limit: ">= 95 %", assay_cv: 1 %}
  - {attribute: identity, method: peptide map, limit: "= conforms", note: By mass.}
"""


@cache
def example() -> MasterRecipe:
    """The collagen recipe."""
    return read_recipe(EXAMPLE)


@cache
def small() -> MasterRecipe:
    """A recipe with one of everything."""
    return parse_recipe(SMALL, "small.yaml")


def small_with(before: str, after: str) -> str:
    """The small recipe's text with one piece of it replaced."""
    assert SMALL.count(before) >= 1, before
    return SMALL.replace(before, after, 1)


def faults(text: str) -> tuple[SeedtrainError, ...]:
    """The faults that reading `text` reports."""
    with pytest.raises(InputError) as caught:
        parse_recipe(text, "recipe.yaml")
    return caught.value.parts


def plain(text: str) -> Any:
    """The data of a YAML text, every scalar as text."""
    return parse_document(text, "x.yaml").data


def dressed(data: Any, *, flow: bool | None = None, quote: str | None = None, width: float = 80) -> str:
    """`data` as YAML in another style."""
    return str(
        yaml.safe_dump(
            data, sort_keys=False, allow_unicode=True, default_flow_style=flow, default_style=quote, width=width
        )
    )
