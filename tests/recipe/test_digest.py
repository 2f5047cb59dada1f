"""The digest: blind to how the file is written, changed by any value; and the way back to YAML."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.quantity import Quantity
from seedtrain.recipe import levers, parse_recipe
from tests.recipe.examples import EXAMPLE, SMALL, dressed, example, plain, small


def shuffled(data: Any, choice: random.Random) -> Any:
    """`data` with the keys of every mapping in another order."""
    if isinstance(data, dict):
        keys = choice.sample(list(data), len(data))
        return {key: shuffled(data[key], choice) for key in keys}
    return [shuffled(item, choice) for item in data] if isinstance(data, list) else data


@settings(max_examples=60, deadline=None)
@given(
    st.randoms(use_true_random=False),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, '"', "'"]),
    st.sampled_from([40.0, 1e9]),
)
def test_layout_quotes_and_key_order_do_not_matter(choice, flow, quote, width):
    text = dressed(shuffled(plain(SMALL), choice), flow=flow, quote=quote, width=width)
    again = parse_recipe(text, "other.yaml")
    assert again.digest == small().digest
    assert again == small()


@given(st.sets(st.integers(0, SMALL.count("\n") - 1)), st.integers(0, 3))
def test_comments_and_blank_lines_do_not_matter(where, spaces):
    lines = [
        f"\n  # before\n{line}{' ' * spaces} # after: it" if number in where else line
        for number, line in enumerate(SMALL.splitlines())
    ]
    assert parse_recipe("\n".join(lines)).digest == small().digest


def test_spelling_of_a_number_or_a_unit_does_not_matter():
    other = SMALL.replace("0.15 1/h", "0.150 1/h").replace("1.8 mL/h", "1.80 ml/h").replace("16 h", "16.0 h")
    assert other != SMALL
    assert parse_recipe(other).digest == small().digest


def scalars(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(data, dict):
        return [found for key, item in data.items() for found in scalars(item, (*path, key))]
    if isinstance(data, list):
        return [found for index, item in enumerate(data) for found in scalars(item, (*path, index))]
    return [path]


def changed(text: str) -> list[str]:
    """Other values that may stand in the place of `text`."""
    if text in ("true", "false"):
        return ["false" if text == "true" else "true"]
    numbers = list(re.finditer(r"\d+(\.\d+)?", text))
    nudged = [
        f"{text[: number.start()]}{float(number[0]) * factor:.6g}{text[number.end() :]}"
        for number in numbers
        for factor in (1.01, 0.99)
    ]
    return [*nudged, f"{text}x", "seed_tank", "medium", "feed", "production/culture/rest"]


def replaced(data: Any, path: tuple[Any, ...], value: str) -> Any:
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = replaced(data[path[0]], path[1:], value)
    return copy


def other_recipes(data: Any, path: tuple[Any, ...]):
    old: Any = data
    for step in path:
        old = old[step]
    for value in (item for item in changed(old) if item != old):
        try:
            yield parse_recipe(dressed(replaced(data, path, value)))
        except InputError:
            continue


def test_every_value_of_a_recipe_changes_the_digest():
    whole = plain(SMALL)
    # The strategy names phases, so that none of them could be renamed alone.
    bare = {key: value for key, value in whole.items() if key != "control_strategy"}
    bound = {("procedure", 0, "unit_class"), ("procedure", 0, "repeat")}
    for path in scalars(whole):
        data = bare if path[0] == "procedure" else whole
        digest = parse_recipe(dressed(data)).digest
        found = list(other_recipes(data, path))
        assert all(recipe.digest != digest for recipe in found), path
        assert found or path in bound or path[-1] in ("do", "parameter"), path


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(scalars(plain(EXAMPLE.read_text(encoding="utf-8")))))
def test_any_value_of_the_example_changes_its_digest(path):
    data = plain(EXAMPLE.read_text(encoding="utf-8"))
    for recipe in other_recipes(data, path):
        assert recipe.digest != example().digest
        break


@pytest.mark.parametrize("recipe", [small(), example()], ids=["small", "example"])
def test_yaml_and_back(recipe):
    again = parse_recipe(recipe.to_yaml())
    assert again == recipe
    assert again.digest == recipe.digest
    assert again.to_yaml() == recipe.to_yaml()


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=40), st.floats(0.0101, 0.99))
def test_any_text_and_any_number_come_back(words, number):
    data = plain(SMALL)
    data["title"] = words
    data["specification"][0]["assay_cv"] = f"{number!r} %"
    try:
        recipe = parse_recipe(dressed(data))
    except InputError:
        return  # blank, or what YAML cannot hold
    assert parse_recipe(recipe.to_yaml()).digest == recipe.digest


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(levers(example())), st.floats(0.5, 0.999))
def test_a_value_put_in_is_the_value_that_comes_out(lever, factor):
    value = Quantity(lever.quantity.value * factor if lever.quantity.value else 0.5, lever.quantity.unit)
    if not lever.lowest <= value.value <= lever.highest:
        with pytest.raises(InputError):
            example().with_value(lever.path, lever.parameter, value)
        return
    other = example().with_value(lever.path, lever.parameter, value)
    assert other.digest != example().digest
    if lever.path.startswith("materials/"):
        assert other.materials[lever.path.removeprefix("materials/")][lever.parameter] == value
    else:
        assert other.phase(lever.path).quantity(lever.parameter) == value
    assert other.with_value(lever.path, lever.parameter, lever.quantity) == example()


def test_values_that_cannot_be_put_in():
    path = "production/culture/feed"
    for parameter, value, words in (
        ("growth_rate", Quantity(1, "g/L"), "concentration"),
        ("growth_rate", Quantity(-1, "1/h"), "not above"),
        ("growth_rate", "fast", "not a quantity"),
        ("grwth_rate", Quantity(0.1, "1/h"), "no parameter"),
        ("material", "none", "no material"),
        ("material", Quantity(1, "g"), "not a name"),
        ("until", Quantity(1, "h"), "cannot replace"),
        ("duration", Quantity(1, "h"), "no 'duration'"),
        ("at_most", Quantity(0, "h"), "not above 0"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            small().with_value(path, parameter, value)
        assert str(caught.value.position).startswith("small.yaml:")
    with pytest.raises(InputError, match="no constituent"):
        small().with_value("materials/feed", "water", Quantity(1, "g/L"))
    with pytest.raises(InputError, match="concentration"):
        small().with_value("materials/feed", "glucose", Quantity(-1, "g/L"))
    with pytest.raises(InputError, match="no material"):
        small().with_value("materials/fed", "glucose", Quantity(1, "g/L"))
    assert small().with_value(path, "material", "medium").phase(path).word("material") == "medium"
    # Beyond the recipe's own limits, for a sensitivity.
    assert small().with_value(path, "temperature", Quantity(39, "degC")).phase(path).number("temperature", "degC") == 39


PARTS = ["name", "title", "version", "product", "culture", "basis", "materials", "procedure", "control_strategy"]


def test_a_part_changes_only_with_what_is_in_it():
    parts = [*PARTS, "specification", "materials/feed", "procedure/production", "procedure/production/culture"]
    parts += ["procedure/production/culture/feed", "procedure/production/culture/rest", "procedure/seed"]

    def differ(text_before, text_after):
        other = parse_recipe(SMALL.replace(text_before, text_after, 1))
        return {part for part in parts if other.digest_of(part) != small().digest_of(part)}

    assert differ("glucose: 500", "glucose: 400") == {"materials", "materials/feed"}
    assert differ("0.15 1/h", "0.14 1/h") == {
        "procedure",
        "procedure/production",
        "procedure/production/culture",
        "procedure/production/culture/feed",
    }
    assert differ(">= 95 %", ">= 96 %") == {"specification"}
    assert differ("recipe: small", "recipe: tiny") == {"name"}
    assert differ("Lower the feed.", "Stop.") == {"control_strategy"}
    assert small().digest_of("materials", "basis") != small().digest_of("materials")


@pytest.mark.parametrize("part", ["", "nothing", "materials/none", "procedure/none", "procedure/seed/a", "basis/unit"])
def test_an_unknown_part_is_refused(part):
    with pytest.raises(InputError, match="no part"):
        small().digest_of(part)
    assert small().digest_of("control_strategy")
