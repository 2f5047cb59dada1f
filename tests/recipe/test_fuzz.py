"""Whatever is in the file: a recipe or an `InputError`, never anything else; and thousands of phases at once."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.recipe import levers, parse_recipe
from tests.recipe.examples import EXAMPLE, SMALL, dressed, faults, plain
from tests.recipe.test_digest import replaced, scalars

TOKENS = [
    "",
    "-",
    ":",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "#",
    "'",
    '"',
    "&a",
    "*a",
    "!x",
    "|",
    ">",
    "null",
    "1e999",
    "-0 L",
    "0",
]
TOKENS += [
    "37 degC",
    "1 g/L",
    "nan",
    "inf g/L",
    "∞",
    "..",
    "a .. b",
    "true",
    "\t",
    "\n",
    "\x00",
    "\ufeff",
    "µL",
    "１ g/L",
]
DATA = plain(SMALL)
PLACES = scalars(DATA)
ANYTHING = st.recursive(
    st.one_of(st.text(max_size=12), st.sampled_from(TOKENS)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abc_:/", max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def told(error: InputError) -> bool:
    return bool(str(error)) and all(part.position is not None and part.message for part in error.parts)


def reads_or_refuses(text):
    try:
        recipe = parse_recipe(text, "fuzz.yaml")
    except InputError as error:
        refusal = error
        recipe = None
    if recipe is None:
        assert told(refusal)
        return
    assert parse_recipe(recipe.to_yaml()).digest == recipe.digest
    assert levers(recipe) is not None


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text(text):
    reads_or_refuses(text)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_recipe_with_anything_in_the_place_of_a_value(data):
    path = data.draw(st.sampled_from(PLACES))
    path = path[: data.draw(st.integers(1, len(path)))]
    reads_or_refuses(dressed(replaced(DATA, path, data.draw(ANYTHING))))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_text_that_was_cut_doubled_or_overwritten(data):
    text = SMALL
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 60)))
        middle = data.draw(st.one_of(st.sampled_from(TOKENS), st.just(text[start:end] * 2), st.text(max_size=5)))
        text = text[:start] + middle + text[end:]
    reads_or_refuses(text)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_example_with_lines_lost_or_doubled(data):
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at : at + data.draw(st.integers(1, 3))] = data.draw(
        st.sampled_from([[], [lines[at]] * 2, ["  " + lines[at]]])
    )
    reads_or_refuses("\n".join(lines))


def many(count: int) -> str:
    start = SMALL.index("          - phase: rest")
    block = SMALL[start : SMALL.index("control_strategy")]
    copies = "".join(block.replace("rest", f"rest-{number}") for number in range(count))
    return SMALL[:start] + copies + SMALL[start:]


def test_two_thousand_phases_are_read_in_a_moment():
    text = many(2000)
    start = time.process_time()
    recipe = parse_recipe(text)
    taken = time.process_time() - start
    assert sum(1 for _ in recipe.phases()) == 2006
    assert taken < 8, "about 0.5 s of CPU on the machine where this was written"


def test_thousands_of_faults_are_told_in_a_moment():
    start = time.process_time()
    found = faults(many(2000).replace("rate: 2 mL/h", "rat: 2 mL/h"))
    assert len(found) == 2 * 2001  # the unknown parameter, and the missing one
    assert time.process_time() - start < 10


@pytest.mark.parametrize("text", ["x: " * 50000, "[" * 5000, "{a: " * 5000, "- " * 5000, "a:\n" * 5000, "é" * 10000])
def test_what_would_bring_a_parser_down(text):
    assert faults(text)


def test_other_line_ends_and_a_byte_order_mark(tmp_path):
    from seedtrain.recipe import read_recipe

    path = tmp_path / "recipe.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert read_recipe(path).digest == parse_recipe(SMALL).digest
