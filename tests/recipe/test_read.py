"""Reading: the example, every value where it stands, and every fault of a file at once, at its place."""

from __future__ import annotations

import pickle

import pytest

from seedtrain.base import InputError, InputErrors
from seedtrain.quantity import Quantity, QuantityError
from seedtrain.recipe import PHASE_KINDS, Condition, parse_recipe, read_recipe
from tests.recipe.examples import EXAMPLE, SMALL, example, faults, small, small_with


def test_the_example_is_read_whole():
    recipe = example()
    text = EXAMPLE.read_text(encoding="utf-8")
    assert sum(1 for _ in recipe.phases()) == text.count("- phase:")
    assert [item.name for item in recipe.unit_procedures] == [
        line.split(":")[1].strip() for line in text.splitlines() if "- unit_procedure:" in line
    ]
    assert len(recipe.control_strategy) == text.count("parameter: ")
    assert {place.phase.do for place in recipe.phases()} <= set(PHASE_KINDS)
    assert f"volume: {recipe.basis_volume}" in text
    assert recipe.production.name == "production"


CONTINUOUS = {"perfuse", "chemostat", "withdraw"}  # the example's culture is a fed-batch
LIVE = {"wait", "ramp", "calibrate"}  # tests/automation_live runs them
ELSEWHERE = {"salt_out", "inactivate"}  # its product stays dissolved in acid, and comes from bacteria


def test_every_other_kind_of_the_catalogue_is_used_by_the_example():
    assert {place.phase.do for place in example().phases()} == set(PHASE_KINDS) - CONTINUOUS - ELSEWHERE - LIVE


def test_a_choice_is_one_of_its_words():
    text = EXAMPLE.read_text(encoding="utf-8")
    load = "do: load\n            set: {velocity: 200 cm/h"
    assert text.count(load) == 1
    chosen = parse_recipe(text.replace(load, load + ", model: general_rate"), "chosen.yaml")
    assert chosen.phase("capture/cation-exchange/load").set["model"] == "general_rate"
    assert "general_rate" not in chosen.store_materials()
    with pytest.raises(InputError, match="'general' is no model") as caught:
        parse_recipe(text.replace(load, load + ", model: general"), "chosen.yaml")
    assert "general_rate" in caught.value.remedy
    assert caught.value.position is not None
    changed = chosen.with_value("capture/cation-exchange/load", "model", "lumped_rate")
    assert changed.phase("capture/cation-exchange/load").set["model"] == "lumped_rate"
    with pytest.raises(InputError, match="is no model"):
        chosen.with_value("capture/cation-exchange/load", "model", "none")


def test_a_phase_answers_in_the_unit_that_is_asked_for():
    phase = small().phase("production/culture/feed")
    assert phase.number("initial_rate", "L/h") == pytest.approx(0.0018)
    assert phase.number("temperature", "degC") == 37.0
    assert phase.number("at_most", "min") == pytest.approx(960.0)
    assert phase.number("until", "g/L") == 22.0
    assert phase.number("oxygen", "%", default=21.0) == 21.0
    assert phase.until == Condition("biomass", ">=", Quantity(22, "g/L"))
    assert phase.word("material") == "feed"
    with pytest.raises(InputError, match="does not set 'oxygen'"):
        phase.number("oxygen", "%")
    with pytest.raises(QuantityError, match="flow"):
        phase.number("initial_rate", "g/L")
    with pytest.raises(InputError, match="does not name"):
        phase.word("resin")


def test_a_condition_compares():
    condition = (
        parse_recipe(small_with("biomass >= 22 g/L", "glucose <= 0.2 g/L")).phase("production/culture/feed").until
    )
    assert condition is not None
    assert condition.holds(Quantity(200, "mg/L"))
    assert not condition.holds(Quantity(201, "mg/L"))
    until = small().phase("production/culture/feed").until
    assert until is not None
    assert until.holds(Quantity(0.022, "kg/L"))
    assert not until.holds(Quantity(21.9, "g/L"))


def test_positions_are_those_of_the_file():
    lines = SMALL.splitlines()
    for path, parameter, text in (
        ("production/culture/feed", "growth_rate", "0.15 1/h"),
        ("production/culture/feed", "at_most", "16 h"),
        ("production/culture/feed", "limits.temperature", "36 .. 38 degC"),
        ("materials/feed", "glucose", "500 g/L"),
        ("", "basis.volume", "0.5 L"),
        ("control_strategy/titre", "range", "0.10 .. 0.18 1/h"),
        ("specification/purity", "assay_cv", "1 %"),
    ):
        where = small().position(path, parameter)
        assert lines[where.line - 1][where.column - 1 :].startswith(text)
    assert small().position("production/culture/feed", "nothing") == small().position("production/culture/feed")
    assert small().control_strategy[0].position.file == "small.yaml"


def test_unknown_paths_name_the_closest():
    with pytest.raises(InputError, match="no phase") as caught:
        example().phase("production/growth/fedbatch")
    assert caught.value.remedy.startswith("Use one of: production/growth/fed-batch,")
    with pytest.raises(InputError, match="no unit procedure"):
        example().unit_procedure("produktion")


def test_a_recipe_is_a_value():
    assert read_recipe(EXAMPLE) == example()
    assert len({read_recipe(EXAMPLE), example()}) == 1
    copy = pickle.loads(pickle.dumps(example()))  # noqa: S301 - our own bytes
    assert copy == example()
    assert copy.position("production/growth/batch", "pH") == example().position("production/growth/batch", "pH")


def test_store_materials_are_constituents_and_what_is_taken_as_it_is():
    assert small().store_materials() == ("glucose", "water")
    names = example().store_materials()
    assert {"working-cell-bank", "bottle", "iptg", "sterile-filter"} <= set(names)
    assert "inducer" not in names


WRONG = [
    # what is replaced, by what, words of the message, words of the remedy, what the caret points at
    ("volume: 0.5 L}\nmaterials", "volume: -0.5 L}\nmaterials", "-0.5 L is not above 0", "above 0 L", "-0.5 L"),
    ("volume: 0.5 L}\nmaterials", "volume: 0.5 kg}\nmaterials", "'kg' is a mass, not a volume", "L", "0.5 kg"),
    ("volume: 0.5 L}\n          -", "volume: 0 L}\n          -", "0 L is not above 0 L", "up to", "0 L"),
    ("culture: ecoli_balanced\n", "", "'culture' is missing", "Add it", "recipe"),
    ("title: A", "titel: A", "'titel' is unknown", "Use one of: title,", "titel"),
    ("do: charge", "do: chrage", "no phase kind 'chrage'", "Use one of: charge,", "chrage"),
    ("fill: 0.9", "fil: 0.9", "no parameter 'fil'", "Use one of: fill,", "fil"),
    ("fill: 0.9", "fill: 1.2", "1.2 is above 1", "from 0 to 1", "1.2"),
    (", fill: 0.9", "", "needs volume or fill", "at least one", "{material"),
    ("material: feed, initial", "material: fed, initial", "no material 'fed'", "Use one of: feed,", "fed"),
    (
        "initial_rate: 1.8 mL/h",
        "initial_rate: 1.8 g/L",
        "'g/L' is a concentration, not a flow (like L/h)",
        "L/h",
        "1.8",
    ),
    ("initial_rate: 1.8 mL/h", "initial_rate: -1 mL/h", "-1 mL/h is not above 0 L/h", "above", "-1"),
    ("initial_rate: 1.8 mL/h", "initial_rate: 1.8", "'1.8' has no unit", "1.8 L/h", "1.8"),
    ("initial_rate: 1.8 mL/h", "initial_rate: fast", "'fast' is not a number with a unit", "L/h", "fast"),
    ("initial_rate: 1.8 mL/h, ", "", "needs one of rate and initial_rate", "exactly one", "{material"),
    ("rate: 2 mL/h", "rate: 2 mL/h, initial_rate: 1 mL/h", "only one of", "exactly one", "{material"),
    ("growth_rate: 0.15 1/h, ", "", "belong together", "Set growth_rate", "{material"),
    ("growth_rate: 0.15 1/h", "growth_rate: 0.2 1/h", "lies outside 0.1 .. 0.18 1/h", "Change", "0.10 .. 0.18"),
    ("temperature: 37 degC, aer", "temperature: 39 degC, aer", "outside the limits 36 .. 38", "Change", "39 degC"),
    ("temperature: 36 .. 38 degC", "temperature: 38 .. 36 degC", "ends below it", "lower value", "38 .. 36"),
    ("temperature: 36 .. 38 degC", "temprature: 36 .. 38 degC", "neither sets nor", "Use one of: temper", "temprature"),
    ("biomass: 18 .. 26 g/L", "biomas: 18 .. 26 g/L", "no attribute 'biomas'", "Write biomass", "biomas"),
    ("biomass: 18 .. 26 g/L", "biomass: 18 .. 26 h", "'h' is a time, not a concentration", "g/L", "18 .. 26 h"),
    ("until: biomass >= 22 g/L", "until: biomass 22 g/L", "is not a condition", "biomass >= 22 g/L", "biomass"),
    ("until: biomass >= 22 g/L", "until: bimass >= 22 g/L", "'bimass' cannot end", "Use one of: biomass,", "bimass"),
    ("until: biomass >= 22 g/L", "until: biomass > 22 g/L", "operator '>'", ">= or <=", "biomass >"),
    ("until: biomass >= 22 g/L", "until: biomass >= 22 h", "'h' is a time", "g/L", "biomass"),
    ("until: biomass >= 22 g/L", "until: signature", "does not say who signs", "signature reviewer", "signature"),
    ("until: biomass >= 22 g/L", "until: elapsed <= 2 h", "holds from the start", "elapsed >=", "elapsed"),
    ("until: biomass >= 22 g/L", "until: elapsed >= 20 h", "ends the phase before", "longer", "16 h"),
    ("at_most: 16 h\n            limits", "limits", "'at_most' is missing", "at_most", "biomass >="),
    ("duration: 1 h", "hold_time: 1 h", "needs an end", "until", "phase: rest"),
    ("duration: 1 h", "duration: 0 h", "0 h is not above 0", "above 0 h", "0 h"),
    ("second_person: true", "second_person: yes", "neither true nor false", "true or false", "yes"),
    ("repeat: every seed tank of", "repeat: each seed tank of", "does not say", "every seed tank of", "each seed"),
    ("- phase: inoculate", "- phase: fill", "stands in line 32 already", "name", "fill"),
    ("- phase: inoculate", "- phase: a/b", "'a/b' is not a name", "letters", "a/b"),
    ("at: production/culture/feed", "at: production/culture/fed", "no phase", "culture/feed", "production/culture"),
    ("parameter: growth_rate", "parameter: growth", "neither sets nor", "Use one of: growth_rate", "growth"),
    ("range: 0.10 .. 0.18 1/h", "range: 0.10 .. 0.18 h", "'h' is a time", "1/h", "0.10 .."),
    ('limit: ">= 95 %"', "limit: 95 %", "is not a range", ">= 95 %", "95 %"),
    ("attribute: identity", "attribute: purity", "stands in line", "Remove", "purity"),
    ("assay_cv: 1 %", "assay_cv: 1 g", "is a mass", "", "1 g"),
    (
        "unit_class: seed_tank",
        "unit_class: production_vessel",
        "stands in line 14 already",
        "unit_class",
        "production_v",
    ),
    ("glucose: 500 g/L", "glucose: -5 g/L", "-5 g/L is negative", "0 g/L or more", "-5 g/L"),
    ("composition: {glucose: 500 g/L}", "composition: glucose", "a mapping", "key: value", "glucose"),
    ("instruction: Check the label.", "instruction: [a]", "one value is wanted", "plain text", "[a]"),
]


@pytest.mark.parametrize(("before", "after", "words", "remedy", "place"), WRONG, ids=[row[2] for row in WRONG])
def test_a_fault_is_named_at_its_place_with_a_remedy(before, after, words, remedy, place):
    text = small_with(before, after)
    found = [fault for fault in faults(text) if words in fault.message]
    assert found, [fault.message for fault in faults(text)]
    fault = found[0]
    assert remedy in fault.remedy
    assert fault.position is not None
    line = text.splitlines()[fault.position.line - 1]
    assert line[fault.position.column - 1 :].startswith(place)
    shown, caret = fault.excerpt.splitlines()
    assert shown.endswith(line)
    assert caret.index("^") - shown.index(line) == fault.position.column - 1


def test_paths_are_readable():
    text = small_with("initial_rate: 1.8 mL/h", "initial_rate: 1.8 g/L").replace("glucose: 10 g/L", "glucose: 10 h")
    assert [fault.message.split("'")[0] for fault in faults(text)] == [
        "materials/medium: composition.glucose: ",
        "production/culture/feed: set.initial_rate: ",
    ]


def test_all_faults_of_a_file_come_at_once_in_its_order():
    text = SMALL
    expected = 0
    for before, after, *_ in (WRONG[4], WRONG[5], WRONG[10], WRONG[33], WRONG[38], WRONG[40], WRONG[44]):
        assert before in text
        text = text.replace(before, after, 1)
        expected += 2 if before.startswith("title") else 1  # an unknown key, and the one that it should be
    found = faults(text)
    assert len(found) == expected
    lines = [fault.position.line for fault in found if fault.position]
    assert lines == sorted(lines)
    with pytest.raises(InputErrors) as caught:
        parse_recipe(text, "recipe.yaml")
    assert str(caught.value).count("recipe.yaml:") == expected
    assert caught.value.exit_code == 2


def test_a_missing_file_and_what_is_no_yaml(tmp_path):
    with pytest.raises(InputError, match="no such recipe"):
        read_recipe(tmp_path / "none.yaml")
    (fault,) = faults("recipe: x\n  title: y\n")
    assert str(fault).startswith("recipe.yaml:2:8: this is not YAML")
    assert faults("- a\n- b\n")[0].message.startswith("a mapping")
    assert faults("procedure: 3\nmaterials: []\nspecification: x\n")


def test_a_recipe_without_production_is_read_and_says_so_when_asked():
    recipe = parse_recipe(small_with("unit_class: production_vessel", "unit_class: other_vessel"))
    with pytest.raises(InputError, match="production_vessel"):
        _ = recipe.production
