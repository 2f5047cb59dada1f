"""Differences: none exactly where the digests agree, and each at its place in both files."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.quantity import Quantity
from seedtrain.recipe import diff, levers, parse_recipe
from tests.recipe.examples import SMALL, dressed, example, plain, small
from tests.recipe.test_digest import other_recipes, scalars


def test_every_value_of_a_recipe_shows_in_the_differences():
    data = plain(SMALL)
    for path in scalars(data):
        for other in other_recipes(data, path):
            assert diff(small(), other), path
            assert len(diff(small(), other)) == len(diff(other, small())), path


def test_no_difference_in_another_layout():
    assert diff(small(), parse_recipe(dressed(plain(SMALL), flow=True))) == ()
    assert diff(example(), parse_recipe(example().to_yaml())) == ()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(levers(example())), st.floats(0.5, 0.99))
def test_one_changed_value_is_one_difference(lever, factor):
    value = Quantity(lever.quantity.value * factor or 0.5, lever.quantity.unit)
    if not lever.lowest <= value.value <= lever.highest:
        return
    (change,) = diff(example(), example().with_value(lever.path, lever.parameter, value))
    assert (change.path, change.parameter) == (lever.path, lever.parameter)
    assert change.before.endswith(str(lever.quantity))
    assert change.after.endswith(str(value))
    assert change.position == example().position(lever.path, lever.parameter)


def test_both_positions_are_given():
    text = SMALL.replace("recipe: small\n", "# moved by\n# two lines\nrecipe: small\n").replace("22 g/L", "20 g/L")
    (change,) = diff(small(), parse_recipe(text, "new.yaml"))
    assert (change.path, change.parameter) == ("production/culture/feed", "until")
    assert (change.before, change.after) == ("biomass >= 22 g/L", "biomass >= 20 g/L")
    assert change.position_before is not None
    assert change.position_after is not None
    assert change.position_before.file == "small.yaml"
    assert change.position_after.file == "new.yaml"
    assert change.position_after.line == change.position_before.line + 2
    assert change.position == change.position_after
    assert str(change) == f"{change.position}: production/culture/feed: until: biomass >= 22 g/L -> biomass >= 20 g/L"


def test_what_comes_and_goes():
    rest = SMALL[SMALL.index("          - phase: rest") : SMALL.index("control_strategy")]
    (gone,) = diff(small(), parse_recipe(SMALL.replace(rest, "")))
    assert (gone.path, gone.parameter, gone.after) == ("production/culture/rest", "", "")
    assert gone.before == "feed, material feed, rate 2 mL/h, duration 1 h"
    assert gone.position_after is None
    assert gone.position == small().position("production/culture/rest")
    (come,) = diff(parse_recipe(SMALL.replace(rest, "")), small())
    assert (come.path, come.before, come.after) == ("production/culture/rest", "", gone.before)
    (set_now,) = diff(small(), parse_recipe(SMALL.replace("rate: 2 mL/h", "rate: 2 mL/h, pH: 7")))
    assert (set_now.parameter, set_now.before, set_now.after) == ("pH", "", "7")
    assert set_now.position_before is None


@pytest.mark.parametrize(
    ("key", "where", "parameter"),
    [("phases", "production/culture", "order of phases"), ("specification", "", "order of specification")],
)
def test_another_order_is_a_difference(key, where, parameter):
    data = plain(SMALL)
    items = data["procedure"][1]["operations"][0] if key == "phases" else data
    items[key] = items[key][:-2] + items[key][-2:][::-1]
    other = parse_recipe(dressed(data))
    (change,) = diff(small(), other)
    assert (change.path, change.parameter) == (where, parameter)
    assert sorted(change.before.split(", ")) == sorted(change.after.split(", "))
    assert other.digest != small().digest
