"""What people do in a phase: read with positions, checked, digested, compared, scaled; formulas and their units."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.quantity import Quantity
from seedtrain.recipe import at_scale, diff, parse_recipe, read_formula, read_recipe, rounded
from seedtrain.recipe._formula import FormulaUnitError
from tests.recipe.examples import ROOT

BUFFER = ROOT / "examples" / "buffer" / "recipe.yaml"
TEXT = BUFFER.read_text("utf-8")


def faults(before: str, after: str) -> list[str]:
    assert before in TEXT
    with pytest.raises(InputError) as caught:
        parse_recipe(TEXT.replace(before, after, 1), "recipe.yaml")
    return [f"{item.position}: {item.message}" for item in caught.value.parts]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("alert: 7.35 .. 7.45", "alert: 7.1 .. 7.45", "the alert limits 7.1 .. 7.45 do not lie within"),
        ("proven: 7.20 .. 7.60", "proven: 7.20 .. 7.90", "the proven limits 7.2 .. 7.9 do not lie within"),
        ("gross: {unit: g}", "gross: {unit: gg}", "gg"),
        ("gross: {unit: g}", "gross: {unit: L}", "made.formula: parts in different units meet in 'gross - tare'"),
        ("gross: {unit: g}", "gross: {unit: kg}", "parts in different units meet"),
        ("(gross - tare) / density", "(gross - tara) / density", "nothing before this is called 'tara'"),
        ("(gross - tare) / density", "gross - tare", "is not in mL"),
        ("(gross - tare) / density", "(gross - tare / density", "is not an expression"),
        ("(gross - tare) / density", "open('x')", "unknown function"),
        ("(gross - tare) / density", "(gross - tare).real", "attribute"),
        ("accept: [clear]", "accept: [cleer]", "'cleer' is none of the choices"),
        ("temperature: {unit: degC", "temperature: {choices: [warm], unit: degC", "only a number has a unit"),
        ("tolerance: 1 %}\n          - phase: salts", "tolerance: 1 g}\n          - phase: salts", "not a"),
        ("{amount: 800 g", "{amount: 0 g", "is not above 0"),
        ("theoretical: 1000 mL", "theoretical: 1000 g", "not a volume"),
        ("reconcile:\n              bottle:", "reconcile:\n              botle:", "nothing of 'botle' is dispensed"),
        ("accounted: filled", "accounted: volume", "parts in different units meet"),
        (
            "places: 1\n                action: 995",
            "places: 1.5\n                action: 995",
            "no number of decimal places",
        ),
        ("made:\n                formula", "gross:\n                formula", "'gross' stands in this phase already"),
        ("entries:\n              pH:", "limits: {}\n            entries:\n              p H:", "is not a name"),
        ("course: weighing", "course: ''", "a text is wanted"),
        ("equipment: [balance]", "equipment: balance", "a list is wanted"),
        ("instrument: pH-meter", "instrumint: pH-meter", "the key 'instrumint' is unknown"),
    ],
)
def test_a_fault_is_found_where_it_stands(before, after, words):
    found = faults(before, after)
    assert any(words in item for item in found), found
    assert all(item.startswith("recipe.yaml:") for item in found)


def test_all_faults_of_a_file_are_told_at_once():
    text = TEXT.replace("alert: 7.35", "alert: 7.0").replace("accept: [clear]", "accept: [no]")
    with pytest.raises(InputError) as caught:
        parse_recipe(text.replace("gross - tare", "gross - tore"), "recipe.yaml")
    assert len(caught.value.parts) == 3


def test_what_people_do_round_trips_and_every_value_is_in_the_digest():
    recipe = read_recipe(BUFFER)
    again = parse_recipe(recipe.to_yaml(), "again.yaml")
    assert (again, again.digest) == (recipe, recipe.digest)
    seen = {recipe.digest}
    for before, after in [
        ("(gross - tare) / density", "(gross - tare) / density + 0 * (gross / density)"),
        ("action: 995 .. 1005 mL", "action: 990 .. 1005 mL"),
        ("action: 18 .. 25 degC", "proven: 18 .. 25 degC"),
        ("course: aseptic filling", "course: filling"),
        ("clear: FILL-1", "clear: FILL-2"),
        ("{amount: 8.0 g, tolerance: 1 %}", "{amount: 8.0 g, tolerance: 2 %}"),
        ("accept: [clear]", "accept: [clear, hazy]"),
        ("theoretical: 1000 mL", "theoretical: 990 mL"),
        ("accounted: filled + rejected", "accounted: filled + 1 * rejected"),
        ("instrument: pH-meter", "instruction: Read twice."),
    ]:
        assert before in TEXT
        changed = parse_recipe(TEXT.replace(before, after, 1), "changed.yaml")
        assert changed.digest not in seen
        seen.add(changed.digest)
        changes = diff(recipe, changed)
        assert len(changes) in (1, 2), [str(item) for item in changes]
        assert all(item.position.line for item in changes)


def test_the_collagen_recipe_keeps_its_digest():
    """Keys that a recipe does not use leave its digest as it was: batches stay bound to what they pinned."""
    digest = "c02983f897dc6b1dd73d936917d70c770f1bddddff51e27c4517516465995674"
    text = (ROOT / "examples" / "collagen" / "recipe.yaml").read_text("utf-8")
    if 'version: "1"' in text:
        assert read_recipe(ROOT / "examples" / "collagen" / "recipe.yaml").digest == digest


def test_amounts_grow_with_the_volume_and_percentages_stay():
    recipe = read_recipe(BUFFER)
    grown = at_scale(recipe, unit="MIX-50", volume=Quantity(50, "L")).recipe
    salts = grown.phase("preparation/dissolve/salts").manual.dispense
    assert salts["sodium-chloride"].amount == Quantity(400, "g")
    assert salts["sodium-chloride"].tolerance_percent == "1"
    fill = grown.phase("filling/fill/filter-and-fill").manual
    assert fill.yields["yield"].theoretical == Quantity(50000, "mL")
    assert fill.yields["yield"].bands == recipe.phase("filling/fill/filter-and-fill").manual.yields["yield"].bands
    back = at_scale(grown, unit="MIX-1", volume=Quantity(1, "L")).recipe
    assert {
        item.path.split("/")[0] for item in diff(at_scale(recipe, unit="MIX-1", volume=Quantity(1, "L")).recipe, back)
    } <= {""}


def test_what_is_dispensed_must_be_in_the_store():
    assert set(read_recipe(BUFFER).store_materials()) >= {"bottle", "sodium-chloride", "water-for-injection"}


NAMES = ("a", "b", "c")
NUMBERS = st.decimals(min_value="-1000", max_value="1000", places=3)
LEAVES = st.one_of(st.sampled_from(NAMES), st.integers(0, 50).map(str), st.sampled_from(["0.1", "2.5", "1e3"]))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda part: f"({' '.join(part)})"),
        inner.map(lambda part: f"(-{part})"),
        st.tuples(inner, inner, inner).map(lambda part: f"({part[0]} if {part[1]} > 1 else {part[2]})"),
        st.tuples(inner, inner).map(lambda part: f"max({part[0]}, {part[1]})"),
        inner.map(lambda part: f"abs({part})"),
    ),
    max_leaves=12,
)


@given(TREES, st.tuples(NUMBERS, NUMBERS, NUMBERS), st.integers(0, 6))
def test_a_formula_gives_what_exact_fractions_give(text, values, places):
    """The judge: Python's own evaluation in fractions, rounded half up."""
    formula = read_formula(text)
    known = dict(zip(NAMES, values, strict=True))
    exactly = text.replace("0.1", "F('0.1')").replace("2.5", "F('2.5')").replace("1e3", "F(1000)")
    space = {"F": Fraction, "abs": abs, "max": max, **{name: Fraction(value) for name, value in known.items()}}
    exact = eval(exactly, space)  # noqa: S307  # written above, from a grammar of a few signs
    found = formula.compute(known, places)
    scale = 10**places
    sign = -1 if exact < 0 else 1
    assert Fraction(found) == sign * Fraction(math.floor(abs(Fraction(exact)) * scale + Fraction(1, 2)), scale)


@given(st.floats(-20, 20), st.floats(0.01, 50))
def test_functions_agree_with_the_floats(x, y):
    formula = read_formula("exp(x / 5) + log(y) + sqrt(y) + tanh(x) + y ** 2 - min(x, y)")
    want = math.exp(x / 5) + math.log(y) + math.sqrt(y) + math.tanh(x) + y**2 - min(x, y)
    found = formula.compute({"x": Decimal(repr(x)), "y": Decimal(repr(y))})
    assert math.isclose(float(found), want, rel_tol=1e-7, abs_tol=1e-7)


@pytest.mark.parametrize("text", ["a / (b - b)", "log(-1 * a)", "sqrt(-1)", "0 ** (0 - 1)"])
def test_what_has_no_value_raises(text):
    with pytest.raises(ArithmeticError):
        read_formula(text).compute({"a": Decimal(1), "b": Decimal(2)})


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        ("2.345", 2, "2.35"),
        ("-2.345", 2, "-2.35"),
        ("0.5", 0, "1"),
        ("1e-12", 3, "0.000"),
        ("123456.7894", None, "123456.789"),
    ],
)
def test_rounding_is_half_up_as_the_pharmacopoeia_has_it(value, places, text):
    assert format(rounded(Decimal(value), places), "f") == text


UNITS = {"m": "g", "m2": "kg", "v": "mL", "rho": "g/mL", "t": "h", "n": "", "p": "%", "temp": "degC"}


@pytest.mark.parametrize(
    ("text", "unit", "fits"),
    [
        ("m / rho", "mL", True),
        ("m / rho", "L", False),
        ("m / v", "g/mL", True),
        ("m / v", "g/L", False),
        ("m + v", "g", False),
        ("m + m2", "g", False),
        ("m + 1000 * m2", "g", False),
        ("100 * m / m", "%", True),
        ("m / t", "g/h", True),
        ("v ** 2 / v", "mL", True),
        ("v ** n", "mL", False),
        ("exp(n)", "", True),
        ("exp(m)", "", False),
        ("log(m / m)", "", True),
        ("sqrt(m)", "g", False),
        ("max(m, 2 * m)", "g", True),
        ("max(m, v)", "g", False),
        ("m if n > 1 else 2 * m", "g", True),
        ("m if t > 1 else 2 * m", "g", False),
        ("n * 10", "", True),
        ("temp", "degC", True),
    ],
)
def test_units_of_a_formula(text, unit, fits):
    formula = read_formula(text)
    if fits:
        formula.check_units(UNITS, unit)
    else:
        with pytest.raises(FormulaUnitError):
            formula.check_units(UNITS, unit)
