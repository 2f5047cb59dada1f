"""Scaling: what stays, what grows, and that the way there does not matter."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.quantity import Quantity
from seedtrain.recipe import PHASE_KINDS, SeedUnit, at_scale, check_volumes, diff, fillings, levers, parse_recipe
from tests.recipe.examples import SMALL, example, small

LITRES = st.floats(0.01, 50_000).map(lambda value: float(f"{value:.4g}"))
BASIS = example().basis_volume
IN_FLASK = example().phase("seed-flask/expansion/fill-flask").quantity("volume")
assert IN_FLASK is not None
FLASK = SeedUnit("FLASK-250", "shake_flask", IN_FLASK)
TANKS = (SeedUnit("SEED-20", "seed_tank", Quantity(9, "L")), SeedUnit("SEED-1M3", "seed_tank", Quantity(0.3, "m3")))


def amounts(recipe):
    """Every number of the recipe in the unit of the catalogue, with its scaling."""
    found = {}
    for lever in levers(recipe):
        unit = lever.quantity.unit
        if (
            not lever.path.startswith("materials/")
            and lever.parameter in PHASE_KINDS[recipe.phase(lever.path).do].parameters
        ):
            unit = PHASE_KINDS[recipe.phase(lever.path).do].parameters[lever.parameter].unit
        found[lever.path, lever.parameter] = (lever.quantity.magnitude(unit), lever.scaling)
    return found


@settings(max_examples=60, deadline=None)
@given(LITRES)
def test_amounts_grow_with_the_volume_and_all_else_stays(litres):
    master = example()
    control = at_scale(master, unit="TANK", volume=Quantity(litres, "L"), seeds=(FLASK, *TANKS))
    before, after = amounts(master), amounts(control.recipe)
    ratio = litres / master.basis_volume.magnitude("L")
    assert control.ratio == pytest.approx(ratio)
    extensive = 0
    for (path, parameter), (value, scaling) in before.items():
        for name in ("seed-tank-1", "seed-tank-2") if path.startswith("seed-tank/") else (path.split("/")[0],):
            there = after["/".join([name, *path.split("/")[1:]]), parameter]
            if scaling == "intensive":
                assert there == (value, scaling)
            elif path.startswith("production/"):
                extensive += 1
                assert there[0] == pytest.approx(value * ratio, rel=1e-11)
    assert extensive == 4
    assert control.recipe.materials == master.materials
    assert control.recipe.specification == master.specification
    for place in master.phases():
        if not place.path.startswith("seed-tank/"):
            phase = control.recipe.phase(place.path)
            assert (phase.until, phase.at_most, phase.duration) == (
                place.phase.until,
                place.phase.at_most,
                place.phase.duration,
            )
            assert (phase.limits, phase.sample, phase.hold_time) == (
                place.phase.limits,
                place.phase.sample,
                place.phase.hold_time,
            )


@settings(max_examples=40, deadline=None)
@given(LITRES)
def test_feed_per_volume_and_filling_stay(litres):
    control = at_scale(small(), unit="TANK", volume=Quantity(litres, "L"))
    before, after = fillings(small()), fillings(control.recipe)
    assert [item.path for item in before] == [item.path for item in after]
    for old, new in zip(before, after, strict=True):
        assert new.volume / litres == pytest.approx(old.volume / 0.5, rel=1e-10)


@settings(max_examples=60, deadline=None)
@given(LITRES, LITRES)
def test_two_scalings_are_one(first, second):
    seeds = (FLASK, *TANKS)
    once = at_scale(example(), unit="B", volume=Quantity(second, "L"), seeds=seeds).recipe
    middle = at_scale(example(), unit="A", volume=Quantity(first, "L"), seeds=seeds).recipe
    twice = at_scale(middle, unit="B", volume=Quantity(second, "L"), seeds=seeds).recipe
    there = amounts(twice)
    assert amounts(once).keys() == there.keys()
    for key, (value, scaling) in amounts(once).items():
        assert there[key] == (pytest.approx(value, rel=1e-10), scaling)


@pytest.mark.parametrize(("first", "second"), [(100, 10000), (10000, 100), (0.2, 14000)])
def test_two_scalings_are_one_to_the_digest(first, second):
    once = at_scale(example(), unit="B", volume=Quantity(second, "L"), seeds=(FLASK, *TANKS)).recipe
    middle = at_scale(example(), unit="A", volume=Quantity(first, "L"), seeds=(FLASK, *TANKS)).recipe
    assert at_scale(middle, unit="B", volume=Quantity(second, "L"), seeds=(FLASK, *TANKS)).recipe.digest == once.digest


def test_the_same_volume_is_the_identity():
    control = at_scale(example(), unit=example().basis_unit, volume=BASIS, seeds=(FLASK, *TANKS[:1]))
    changes = diff(example(), control.recipe)
    assert {(item.path, item.parameter) for item in changes if "seed-tank" not in item.path} == {
        ("seed-flask", "unit"),
        ("production", "unit"),
    }
    again = at_scale(control.recipe, unit=example().basis_unit, volume=BASIS, seeds=(FLASK, *TANKS[:1]))
    assert again.recipe.digest == control.recipe.digest
    assert again.master_digest == control.recipe.digest


def test_a_repeated_unit_procedure_is_written_out():
    control = at_scale(example(), unit="PLANT", volume=Quantity(10, "m3"), seeds=(FLASK, *TANKS))
    recipe = control.recipe
    assert [item.name for item in recipe.unit_procedures[:4]] == [
        "seed-flask",
        "seed-tank-1",
        "seed-tank-2",
        "production",
    ]
    assert [item.unit for item in recipe.unit_procedures[:4]] == ["FLASK-250", "SEED-20", "SEED-1M3", "PLANT"]
    assert not any(item.repeat for item in recipe.unit_procedures)
    assert recipe.phase("seed-tank-1/expansion/fill-tank").number("volume", "L") == 9
    assert recipe.phase("seed-tank-2/expansion/fill-tank").number("volume", "L") == 300
    assert recipe.position("seed-tank-2/expansion/grow") == example().position("seed-tank/expansion/grow")
    assert parse_recipe(recipe.to_yaml()).digest == recipe.digest
    bench = at_scale(example(), unit="BENCH", volume=BASIS, seeds=(FLASK,)).recipe
    assert [item.name for item in bench.unit_procedures[:2]] == ["seed-flask", "production"]


def test_without_a_seed_train_a_master_recipe_gets_another_basis():
    recipe = at_scale(example(), unit="BENCH-2L", volume=Quantity(1, "L")).recipe
    assert [item.name for item in recipe.unit_procedures] == [item.name for item in example().unit_procedures]
    assert [item.repeat for item in recipe.unit_procedures] == [item.repeat for item in example().unit_procedures]
    flask = recipe.phase("seed-flask/expansion/fill-flask").number("volume", "L")
    assert flask == pytest.approx(FLASK.volume.magnitude("L") / BASIS.magnitude("L"))
    (change,) = diff(example(), at_scale(example(), unit=example().basis_unit, volume=BASIS).recipe)
    assert (change.path, change.parameter) == ("production", "unit")


def test_fill_is_a_share_of_the_seed_vessel():
    seed = SeedUnit("S", "seed_tank", Quantity(20, "L"))
    recipe = at_scale(small(), unit="T", volume=Quantity(100, "L"), seeds=(seed,)).recipe
    assert recipe.phase("seed-1/expansion/fill").number("volume", "L") == pytest.approx(18)
    assert recipe.phase("seed-1/expansion/fill").number("fill", "") == 0.9


def test_amounts_of_a_seed_vessel_follow_its_medium():
    text = SMALL.replace("do: grow", "do: feed").replace(
        "set: {temperature: 37 degC}", "set: {material: feed, rate: 2 mL/h}"
    )
    seed = SeedUnit("S", "seed_tank", Quantity(20, "L"))
    with pytest.raises(InputError, match="written for no volume") as caught:
        at_scale(parse_recipe(text), unit="T", volume=Quantity(100, "L"), seeds=(seed,))
    assert caught.value.position is not None
    assert caught.value.position.line == 24
    master = parse_recipe(text.replace("fill: 0.9", "fill: 0.9, volume: 0.9 L"))
    recipe = at_scale(master, unit="T", volume=Quantity(100, "L"), seeds=(seed,)).recipe
    assert recipe.phase("seed-1/expansion/grow").number("rate", "mL/h") == pytest.approx(40)
    assert str(recipe.phase("seed-1/expansion/fill").set["volume"]) == "18 L"


def test_set_points_are_applied_last_and_to_every_copy():
    recipe = at_scale(
        example(),
        unit="PLANT",
        volume=Quantity(10, "m3"),
        seeds=(FLASK, *TANKS),
        set_points={
            ("production/growth/batch", "stirrer_speed"): Quantity(110, "1/min"),
            ("production/induction/express", "rate"): Quantity(100, "L/h"),
            ("seed-tank/expansion/grow", "aeration"): Quantity(0.8, "vvm"),
            ("seed-tank-2/expansion/grow", "stirrer_speed"): Quantity(250, "1/min"),
        },
    ).recipe
    assert recipe.phase("production/growth/batch").number("stirrer_speed", "1/min") == 110
    assert recipe.phase("production/growth/fed-batch").number("stirrer_speed", "1/min") == 1450
    assert recipe.phase("production/induction/express").number("rate", "L/h") == 100
    assert [recipe.phase(f"seed-tank-{n}/expansion/grow").number("aeration", "vvm") for n in (1, 2)] == [0.8, 0.8]
    before = example().phase("seed-tank/expansion/grow").set.get("stirrer_speed")
    assert recipe.phase("seed-tank-1/expansion/grow").set.get("stirrer_speed") == before
    assert recipe.phase("seed-tank-2/expansion/grow").number("stirrer_speed", "1/min") == 250
    with pytest.raises(InputError, match="no phase"):
        at_scale(example(), unit="P", volume=Quantity(1, "L"), set_points={("a/b/c", "pH"): Quantity(7, "")})


def test_the_strategy_follows_its_phases():
    text = SMALL.replace("at: production/culture/feed", "at: seed/expansion/grow").replace(
        "parameter: growth_rate\n    range: 0.10 .. 0.18 1/h", "parameter: temperature\n    range: 36 .. 38 degC"
    )
    seeds = [SeedUnit(name, "seed_tank", Quantity(1, "L")) for name in "AB"]
    master = parse_recipe(text)
    both = at_scale(master, unit="T", volume=Quantity(9, "L"), seeds=seeds).recipe
    assert [line.at for line in both.control_strategy] == ["seed-1/expansion/grow", "seed-2/expansion/grow"]
    assert parse_recipe(both.to_yaml()).digest == both.digest
    assert at_scale(master, unit="T", volume=Quantity(9, "L"), seeds=()).recipe.control_strategy == ()


@pytest.mark.parametrize("volume", [Quantity(0, "L"), Quantity(-1, "L"), Quantity(1, "kg")])
def test_a_volume_that_is_none_is_refused(volume):
    with pytest.raises(InputError, match=r"T: .*volume"):
        at_scale(small(), unit="T", volume=volume)
    with pytest.raises(InputError, match=r"S: .*volume"):
        at_scale(small(), unit="T", volume=Quantity(1, "L"), seeds=[SeedUnit("S", "seed_tank", volume)])


def test_a_repeated_name_that_is_taken_is_refused():
    text = SMALL.replace("unit_procedure: production", "unit_procedure: seed-1").replace(
        "at: production/", "at: seed-1/"
    )
    with pytest.raises(InputError, match="second 'seed-1'"):
        at_scale(parse_recipe(text), unit="T", volume=Quantity(1, "L"), seeds=TANKS[:1])


def test_two_seed_vessels_alike_are_two():
    twin = SeedUnit("S", "seed_tank", Quantity(1, "L"))
    recipe = at_scale(small(), unit="T", volume=Quantity(1, "L"), seeds=[twin, twin]).recipe
    assert [item.name for item in recipe.unit_procedures] == ["seed-1", "seed-2", "production"]


def test_a_seed_vessel_without_work_is_refused():
    with pytest.raises(InputError, match="FLASK-250"):
        at_scale(small(), unit="T", volume=Quantity(1, "L"), seeds=(FLASK,))
    control = at_scale(example(), unit="T", volume=Quantity(1, "L"), seeds=(FLASK,))
    with pytest.raises(InputError, match="SEED-20"):
        at_scale(control.recipe, unit="T", volume=Quantity(1, "L"), seeds=(FLASK, *TANKS))


def test_the_control_digest_covers_master_unit_and_volume():
    one = at_scale(small(), unit="A", volume=Quantity(1, "L"))
    assert one.digest == at_scale(small(), unit="A", volume=Quantity(1, "L")).digest
    assert len({one.digest, at_scale(small(), unit="B", volume=Quantity(1, "L")).digest}) == 2
    other = parse_recipe(SMALL.replace("title: A", "title: Another"))
    assert at_scale(other, unit="A", volume=Quantity(1, "L")).digest != one.digest


def test_numbers_stay_readable():
    recipe = at_scale(small(), unit="P", volume=Quantity(14, "m3")).recipe
    assert str(recipe.phase("production/culture/rest").set["rate"]) == "56 L/h"
    assert str(recipe.phase("production/culture/feed").set["initial_rate"]) == "50.4 L/h"
    assert str(recipe.phase("production/culture/fill").set["volume"]) == "14 m3"
    tiny = at_scale(small(), unit="P", volume=Quantity(1, "mL")).recipe
    assert str(tiny.phase("production/culture/rest").set["rate"]) == "4 uL/h"


def test_what_overfills_a_vessel_is_refused_at_the_phase_that_does_it():
    # 0.5 + 0.015 + 1.8e-3/0.15*(exp(2.4)-1) + 2e-3 L by hand
    assert check_volumes(small(), Quantity(0.7, "L")).magnitude("L") == pytest.approx(0.637278, abs=1e-6)
    with pytest.raises(InputError, match=r"0\.6353 L .*0\.1203 L added.* above 620 mL.* of BENCH") as caught:
        check_volumes(small(), Quantity(620, "mL"), vessel="BENCH")
    assert str(caught.value.position) == f"small.yaml:{SMALL.splitlines().index('          - phase: feed') + 1}:13"
    assert "production/culture/feed" in caught.value.message
    assert caught.value.remedy
    assert "^" in caught.value.excerpt
    with pytest.raises(InputError, match="production/culture/fill"):
        check_volumes(small(), Quantity(0.4, "L"))
    with pytest.raises(InputError, match="not a volume"):
        check_volumes(small(), Quantity(0.4, "kg"))
    fed = parse_recipe(
        SMALL.replace("growth_rate: 0.15 1/h", "growth_rate: 2.9 1/h")
        .replace("16 h", "4000 h")
        .replace("0.10 .. 0.18", "1 .. 3")
    )
    with pytest.raises(InputError, match="above"):
        check_volumes(fed, Quantity(1, "m3"))


def test_elapsed_ends_a_feed_before_at_most_does():
    text = SMALL.replace("until: biomass >= 22 g/L", "until: elapsed >= 1 h").replace(
        "volume: 0.5 L}\n          -", "volume: 0.4 L}\n          -"
    )
    found = {item.path: item.added for item in fillings(parse_recipe(text))}
    assert found["production/culture/feed"] == pytest.approx(0.0018 / 0.15 * (2.718281828459045**0.15 - 1))
    assert found["production/culture/inoculate"] == pytest.approx(0.012)
    assert found["production/culture/rest"] == pytest.approx(0.002)
