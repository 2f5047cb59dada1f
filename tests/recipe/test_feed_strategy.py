"""A feed that follows the culture: each strategy has all that it needs, and nothing of another."""

from __future__ import annotations

import pytest

from seedtrain.recipe import parse_recipe
from tests.recipe.examples import SMALL, faults

OPEN = "initial_rate: 1.8 mL/h, growth_rate: 0.15 1/h"
MU = f"strategy: mu_stat, {OPEN}"
OXYGEN = "strategy: DO_stat, rate: 2 mL/h, pulse_rate: 8 mL/h, feed_above_dissolved_oxygen: 40 %"
PH = "strategy: pH_stat, rate: 2 mL/h, pulse_rate: 8 mL/h, feed_above_pH: 7.1"


def text(feed: str) -> str:
    assert OPEN in SMALL
    line, other = (
        "parameter: growth_rate\n    range: 0.10 .. 0.18 1/h",
        "parameter: temperature\n    range: 36 .. 38 degC",
    )
    return SMALL.replace(OPEN, feed, 1).replace(line, other)


@pytest.mark.parametrize("feed", [MU, OXYGEN, PH])
def test_what_is_whole_is_read_and_scales(feed: str):
    recipe = parse_recipe(text(feed))
    assert recipe.phase("production/culture/feed").word("strategy") in feed
    assert parse_recipe(recipe.to_yaml()).digest == recipe.digest


@pytest.mark.parametrize(
    ("feed", "words"),
    [
        (MU.replace("mu_stat", "mu-stat"), "'mu-stat' is no strategy"),
        (OXYGEN.replace("pulse_rate: 8 mL/h, ", ""), "a DO_stat needs pulse_rate"),
        (OXYGEN.replace("dissolved_oxygen: 40 %", "pH: 7"), "feed_above_pH belongs to another strategy"),
        (OXYGEN.replace("strategy: DO_stat, ", ""), "pulse_rate belongs to a strategy"),
        ("strategy: mu_stat, rate: 2 mL/h", "a mu_stat needs initial_rate and growth_rate"),
        (PH.replace("7.1", "71"), "71 is above 14"),
    ],
)
def test_what_is_not_whole_is_refused(feed: str, words: str):
    assert any(words in item.message for item in faults(text(feed)))
