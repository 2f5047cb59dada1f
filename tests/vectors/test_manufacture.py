"""Recipes of vectors at 2, 50 and 500 L, and the window of a transfection; all simulated."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from seedtrain.base import InputError
from seedtrain.program import read_plant
from seedtrain.recipe import read_recipe
from seedtrain.simulation import PublishedPhase, StirredTank, read_culture, reproduce
from seedtrain.vectors import Point, at_edge, best_points, pareto, simulate_scales, transfection_window

EXAMPLES = Path(__file__).parents[2] / "examples" / "vectors"


def given(name):
    folder = EXAMPLES / name
    master = read_recipe(folder / "recipe.yaml")
    culture = read_culture(folder / "culture.yaml" if (folder / "culture.yaml").is_file() else master.culture)
    vessels = [item for item in read_plant(folder / "plant.yaml").vessels.values() if isinstance(item, StirredTank)]
    return master, culture, vessels


def test_the_culture_of_the_example_is_the_published_mechanism():
    """Without growth, death and loss of complexes it must give what the published form gives."""
    copies, hours = 7.6e4, 46.0
    published = read_culture("aav_nguyen_published").with_parameters({"c_1": 0.0})
    start = {"C": 1e9, "R_out": copies, "V_out": copies, "H_out": copies}
    theirs = reproduce(published, start, [PublishedPhase("p", hours)], points=5)
    culture = read_culture(EXAMPLES / "aav" / "culture.yaml")
    masses = {"R_out": 7.9e-18, "V_out": 7.0e-18, "H_out": 1.25e-17}
    quiet = culture.with_parameters({"mu_max": 0.0, "k_d": 0.0, "k_lost": 0.0})
    begin = {"X": 0.35, "S": 6.0, "G": 0.9, "AA": 4.0, **{name: copies * 1e9 * mass for name, mass in masses.items()}}
    ours = reproduce(quiet, begin, [PublishedPhase("p", hours)], points=5)
    total = sum(ours.final(name) for name in ("E_cap", "E_rep", "F_cap"))
    assert total == pytest.approx(theirs.final("capsids"), rel=2e-3)
    assert ours.final("F_cap") == pytest.approx(theirs.final("full_capsids"), rel=2e-3)


def test_the_recipe_gives_the_same_at_every_scale_where_oxygen_suffices():
    master, culture, vessels = given("aav")
    small, _middle, large = simulate_scales(master, culture, vessels)
    assert (small.vessel, large.vessel) == ("SUB-2", "SUB-500")
    assert large.product == pytest.approx(small.product, rel=0.01)
    assert large.full is not None
    assert small.full is not None
    assert large.full == pytest.approx(small.full, rel=0.01)
    assert min(small.oxygen, large.oxygen) > 20


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plasmid", "ivt"])
def test_plasmid_and_messenger_are_made_in_every_vessel(name):
    found = simulate_scales(*given(name))
    assert len(found) == 3
    assert all(item.product == pytest.approx(found[0].product, rel=0.02) and item.product > 0 for item in found)


def test_the_window_is_where_most_are_full():
    master, culture, vessels = given("aav")
    points = transfection_window(master, culture, vessels[0], doses=[1.0], ratios=[0.5, 2.0], hours=[24.0, 60.0])
    at = {(item.ratio, item.hours): item for item in points}
    assert all(0 < item.full < 1 for item in points)
    assert at[2.0, 60.0].full_per_litre > at[2.0, 24.0].full_per_litre  # nothing is lost in this model
    assert best_points(points)[0] in pareto(points)
    assert "hours" in at_edge(points)
    with pytest.raises(InputError, match="past the end"):
        transfection_window(master, culture, vessels[0], doses=[1.0], ratios=[1.0], hours=[200.0])
    none = replace(master, materials={})
    with pytest.raises(InputError, match="no material transfection-mix"):
        transfection_window(none, culture, vessels[0], doses=[1.0], ratios=[1.0], hours=[24.0])


def test_no_point_of_the_frontier_is_beaten():
    points = [Point(1, 1, 24, full, full / share) for full, share in ((3, 0.1), (2, 0.3), (1, 0.2), (3, 0.05))]
    assert [item.full_per_litre for item in pareto(points)] == [3, 2]
    assert at_edge(points) == ()


def test_the_commands_print_what_was_simulated(capsys, tmp_path):
    from seedtrain.cli._vector import app

    words = ["window", str(EXAMPLES / "aav" / "recipe.yaml"), "--dose", "1", "--ratio", "0.5,1", "--hours", "48"]
    page = tmp_path / "w.html"
    assert app([*words, "--json", "--html", str(page)], result_action="return_value") == 0
    assert {item["origin"] for item in json.loads(capsys.readouterr().out)} == {"simulated"}
    assert "simulated" in page.read_text(encoding="utf-8")
    with pytest.raises(InputError, match="no stirred tank"):
        app([*words, "--unit", "X"], result_action="return_value")
    with pytest.raises(InputError, match="--dose"):
        app([*words[:2], "--dose", "-1"], result_action="return_value")
    assert (EXAMPLES / "aav" / "plant.yaml").read_text().split("\n", 1)[1] == (
        EXAMPLES / "ivt" / "plant.yaml"
    ).read_text().split("\n", 1)[1]
