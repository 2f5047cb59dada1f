"""What `simulate` does with a recipe: phases, events, limits, refusals, the seed train and the broth."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.quantity import Quantity
from seedtrain.recipe import SeedUnit, at_scale, read_recipe
from seedtrain.simulation import (
    OverfillError,
    Run,
    TrajectoryError,
    broth,
    run_train,
    setup_of,
    simulate,
    simulate_neighbours,
    simulate_seed_train,
)
from tests.simulation import cases

PATH = "production/culture/"
QUICK = {"until: elapsed >= 5 h": "until: elapsed >= 1 h", "biomass >= 14 g/L": "biomass >= 7 g/L"}


def kinds(run: Run) -> list[str]:
    return [event.kind for event in run.events]


def test_phases_follow_each_other_and_time_counts_from_inoculation():
    run = cases.run()
    names = [span.path.removeprefix(PATH) for span in run.phases]
    assert names == ["fill", "inoculate", "batch", "feed", "induce", "express"]
    assert run.phase(PATH + "fill").start == pytest.approx(-0.5)
    assert run.phase(PATH + "batch").start == 0.0
    for before, after in zip(run.phases, run.phases[1:], strict=False):
        assert before.end == pytest.approx(after.start)
    assert np.all(np.diff(run.time) >= 0)
    assert run.time[0] == 0.0


def test_a_phase_ends_exactly_where_its_condition_is_met():
    run = cases.run()
    assert run.at("S", run.phase(PATH + "batch").end) == pytest.approx(0.2, abs=1e-7)
    assert run.at("DCW", run.phase(PATH + "feed").end - 1e-12) == pytest.approx(14.0, abs=1e-5)
    express = run.phase(PATH + "express")
    assert express.end - express.start == pytest.approx(5.0, abs=1e-9)
    induce = run.phase(PATH + "induce")
    assert induce.end - induce.start == pytest.approx(1 / 6, abs=1e-9)


@pytest.mark.parametrize(
    ("condition", "symbol", "value"),
    [
        ("oxygen_uptake_rate >= 20 mmol/L/h", "OUR", 20.0),
        ("carbon_dioxide_evolution_rate >= 20 mmol/L/h", "CER", 20.0),
        ("acetate >= 0.1 g/L", "A", 0.1),
        ("dissolved_oxygen <= 60 %", "DO_percent", 60.0),
        ("biomass >= 2 g/L", "DCW", 2.0),
    ],
)
def test_a_phase_may_end_by_what_is_measured(condition, symbol, value):
    changed = {**QUICK, "until: glucose <= 0.2 g/L": f"until: {condition}"}
    run = simulate(cases.culture(), cases.tank(), cases.recipe(changed))
    assert run.at(symbol, run.phase(PATH + "batch").end - 1e-12) == pytest.approx(value, rel=1e-4)


def test_a_phase_that_cannot_meet_its_aim_ends_at_its_longest_time_and_says_so():
    changed = {
        **QUICK,
        "until: glucose <= 0.2 g/L\n            at_most: 20 h": "until: biomass >= 90 g/L\n            at_most: 3 h",
    }
    run = simulate(cases.culture(), cases.tank(), cases.recipe(changed))
    assert run.phase(PATH + "batch").end == pytest.approx(3.0, abs=1e-9)
    assert "at_most" in kinds(run)
    assert "at_most" not in kinds(cases.run())


def test_an_aim_that_nothing_here_measures_is_refused():
    with pytest.raises(InputError, match="cannot tell when conductivity"):
        simulate(
            cases.culture(),
            cases.tank(),
            cases.recipe({"until: glucose <= 0.2 g/L": "until: conductivity >= 12 mS/cm"}),
        )


def test_the_feed_pumps_what_the_recipe_says():
    run = cases.run()
    feed, express = run.phase(PATH + "feed"), run.phase(PATH + "express")
    hours = feed.end - feed.start
    wanted = 0.020 * (np.exp(0.12 * hours) - 1) / 0.12 + 0.090 * (express.end - express.start)
    assert run.totals["feed"][0] == pytest.approx(wanted, rel=1e-9)
    assert run.totals["glucose_fed"][0] == pytest.approx(500 * wanted, rel=1e-9)
    assert run.at("F", feed.start + 1e-9) == pytest.approx(0.020, rel=1e-6)
    assert run.at("F", feed.end - 1e-9) == pytest.approx(0.020 * np.exp(0.12 * hours), rel=1e-4)
    half = simulate(cases.culture(), cases.tank(), cases.recipe(), feed_factor=0.5)
    assert half.at("F", half.phase(PATH + "express").start + 0.1) == pytest.approx(0.045, rel=1e-9)


def test_product_appears_after_induction_and_only_then():
    run = cases.run()
    induced = run.phase(PATH + "induce").start
    assert run["P"][run.time < induced].max() < 1e-12
    assert run.final("P") > 0.3
    assert run.at("I", induced + 0.01) == pytest.approx(
        100 / 238.3 * 23.8 * 0.1 / run.at("V", induced + 0.01) * 10, rel=0.01
    )
    without = simulate(cases.culture(), cases.tank(), cases.recipe(), parameters={"q_P_max": 0.0})
    assert without.final("P") == 0.0
    assert without.final("X") > run.final("X")  # the product is paid for with glucose


def test_a_costlier_product_leaves_less_for_growth():
    dear = simulate(cases.culture(), cases.tank(), cases.recipe(), parameters={"Y_PS": 0.2})
    cheap = simulate(cases.culture(), cases.tank(), cases.recipe(), parameters={"Y_PS": 0.6})
    assert dear.final("X") < cheap.final("X")


def test_the_cascade_holds_dissolved_oxygen_until_the_stirrer_is_at_its_end():
    run = cases.run()
    held = (run["N"] < 699) & (run["N"] > 1.05 * run["N"].min())
    assert held.sum() > 20
    assert np.abs(run["DO_percent"][held] - 30).max() < 3.5
    assert run["N"].max() <= 700 * (1 + 1e-9)
    weak = simulate(cases.culture(), cases.tank(stirrer_speed=(100.0, 300.0)), cases.recipe(QUICK))
    assert "oxygen_limited" in kinds(weak)
    assert "set_point_clamped" in kinds(weak)  # the recipe asks for 700 1/min
    assert weak["N"].max() <= 300 * (1 + 1e-9)
    assert weak["DO_percent"].min() < 15
    np.testing.assert_array_less(weak["kLa"], weak["kLa_max"] * (1 + 1e-9))


def test_a_small_jacket_lets_the_broth_warm_up_and_that_is_seen():
    run = simulate(cases.culture(), cases.tank(cooling_area=0.004), cases.recipe(QUICK))
    assert "cooling_limited" in kinds(run)
    assert run["T"].max() > 37.5
    limited = run["T"] > 37.6
    np.testing.assert_allclose(run["cooling"][limited], run["cooling_capacity"][limited], rtol=1e-6)
    cool = cases.run()
    assert "cooling_limited" not in kinds(cool)
    assert cool["T"][cool.time < cool.phase(PATH + "induce").end].max() < 37.01


def test_a_broth_without_ammonia_stops_growing_and_says_so():
    starved = {**QUICK, "mineral-salts: 14 g/L, antifoam": "antifoam", "{ammonia-water: 0.9 kg/L}": "{water: 0.9 kg/L}"}
    run = simulate(cases.culture(), cases.tank(), cases.recipe(starved), initial={"NH": 5.0})
    assert "nitrogen_limited" in kinds(run)
    assert run["X"].max() < 2.0
    assert run["NH"].min() >= 0.0


def test_depletion_is_an_event_of_a_phase_that_goes_on():
    changed = {**QUICK, "until: glucose <= 0.2 g/L": "until: elapsed >= 19 h"}
    run = simulate(cases.culture(), cases.tank(), cases.recipe(changed))
    depleted = next(event for event in run.events if event.kind == "depleted")
    assert run.at("S", depleted.time) == pytest.approx(0.01, abs=0.01)
    assert run.at("DO_percent", run.phase(PATH + "batch").end - 0.01) > 85  # nothing left to burn but biomass
    assert run.at("X", run.phase(PATH + "batch").end - 0.01) < run["X"][run.time < depleted.time + 2].max()


def test_too_much_feed_overfills_and_the_error_has_volume_limit_and_place():
    with pytest.raises(OverfillError) as caught:
        simulate(cases.culture(), cases.tank(working_volume=(5.0, 10.8)), cases.recipe())
    assert "10.8 L" in str(caught.value)
    assert caught.value.position is not None
    assert caught.value.position.line > 0
    assert caught.value.remedy


def test_a_trajectory_that_cannot_go_on_names_its_last_good_state():
    room = "  room: sqrt(2.3807 - X / K_ia)\n  induced: room / room * I"
    spoiled = cases.build_culture(cases.culture_text({"  induced: I": room}))
    with pytest.raises(TrajectoryError) as caught:
        simulate(spoiled, cases.tank(), cases.recipe(QUICK))
    assert caught.value.time > 1.0
    assert caught.value.last["m_X"] == pytest.approx(3.0, rel=0.05)
    assert "no finite value" in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"parameters": {"q_X": 1.0}}, "no parameter 'q_X'"),
        ({"parameters": {"coalescence": 3.0}}, "outside 0 .. 1"),
        ({"initial": {"Q": 1.0}}, "no 'Q'"),
        ({"initial": {"X": -1.0}}, "X starts at -1"),
        ({"feed_factor": -0.1}, "feed_factor is -0.1"),
        ({"feed_factor": float("nan")}, "feed_factor is nan"),
        ({"unit_procedure": "harvest"}, "no unit procedure 'harvest'"),
    ],
)
def test_what_cannot_be_run_is_refused(options, what):
    with pytest.raises(InputError, match=what):
        simulate(cases.culture(), cases.tank(), cases.recipe(), **options)


def test_a_run_is_the_same_to_the_last_bit_and_survives_its_data():
    again = simulate(cases.culture(), cases.tank(), cases.recipe())
    first = cases.run()
    assert json.dumps(again.to_data()) == json.dumps(first.to_data())
    assert json.dumps(Run.from_data(json.loads(json.dumps(first.to_data()))).to_data()) == json.dumps(first.to_data())
    assert first.recipe_digest == cases.recipe().digest
    assert first.origin == "simulated"


def test_every_parameter_is_in_the_run_with_status_and_source():
    run = simulate(cases.culture(), cases.tank(), cases.recipe(QUICK), parameters={"Y_PS": (0.5, "derived", "strain")})
    uses = {use.name: use for use in run.parameters}
    assert (uses["Y_PS"].value, uses["Y_PS"].status, uses["Y_PS"].source) == (0.5, "derived", "strain")
    assert uses["coalescence"].status == "assumed"
    assert set(cases.culture().parameters) <= set(uses)


def test_progress_rises_to_one():
    seen: list[float] = []
    simulate(cases.culture(), cases.tank(), cases.recipe(QUICK), progress=lambda done, words: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_initial_values_win_over_the_recipe():
    run = simulate(cases.culture(), cases.tank(), cases.recipe(QUICK), initial={"X": 1.0, "S": 3.0, "DO": 0.1})
    assert run["X"][0] == 1.0
    assert run["S"][0] == 3.0
    assert run["DO"][0] == pytest.approx(0.1)


def test_outside_the_correlations_range_is_said():
    assert "extrapolated" not in kinds(cases.run())
    bench = simulate(
        cases.culture(), cases.plant()["BENCH-1L"], read_recipe(cases.ROOT / "examples" / "collagen" / "recipe.yaml")
    )
    assert "extrapolated" in kinds(bench)


def _control(flask: str = "200 mL"):
    recipe = read_recipe(cases.ROOT / "examples" / "collagen" / "recipe.yaml")
    seeds = [
        SeedUnit("FLASK-500", "shake_flask", Quantity(float(flask.split()[0]), flask.split()[1])),
        SeedUnit("SEED-20", "seed_tank", Quantity(6, "L")),
    ]
    return at_scale(recipe, unit="PILOT-200", volume=Quantity(100, "L"), seeds=seeds)


def test_the_seed_train_hands_its_cells_on():
    control, vessels = _control("185 mL"), cases.plant()
    runs = simulate_seed_train(cases.culture(), vessels, control)
    assert [run.vessel for run in runs] == ["FLASK-500", "SEED-20"]
    assert runs[0].final("X") == pytest.approx(4.0, abs=1e-4)
    # 3 % of the medium's volume comes as inoculum: the cells of the flask in 1.03 volumes.
    assert runs[1]["X"][0] == pytest.approx(runs[0].final("X") * 0.03 / 1.03, rel=1e-9)
    production = simulate(cases.culture(), vessels["PILOT-200"], control.recipe, inoculum=runs[-1])
    assert production["X"][0] == pytest.approx(runs[1].final("X") * 0.03 / 1.03, rel=1e-9)
    assert 3.0 < production.totals["titre"][0] < 9.0


def test_a_seed_that_holds_too_little_is_refused():
    with pytest.raises(InputError, match="of inoculum are wanted, and FLASK-500 holds"):
        simulate_seed_train(cases.culture(), cases.plant(), _control("60 mL"))
    with pytest.raises(InputError, match="has no vessel"):
        simulate_seed_train(cases.culture(), {}, _control())


def test_the_broth_is_what_the_run_ends_with():
    run = cases.run()
    stream = broth(run, cases.culture())
    V = run.final("V")
    assert stream.volume == pytest.approx(V)
    assert stream.masses["product"] == pytest.approx(run.final("P") * V)
    assert stream.masses["cells"] == pytest.approx(run.final("X") * V)
    assert stream.masses["iptg"] == pytest.approx(run.totals["iptg"][0], rel=1e-6)
    assert stream.masses["antifoam"] == pytest.approx(1.0)
    whole = sum(run.final(name) for name in (*cases.culture().species, "water", "minerals")) * V
    assert stream.mass == pytest.approx(whole + run.totals["iptg"][0] + run.final("NH") * V * 17.031 / 1000, rel=1e-4)
    # 3.4 % lipopolysaccharide at 10 EU/ng is 3.4e8 EU per g of dry cells; the product inside them has none.
    assert stream.endotoxin == pytest.approx(3.4e8 * run.final("X") * V, rel=1e-9)
    assert stream.temperature == pytest.approx(32.0, abs=0.1)
    early = broth(run, cases.culture(), index=0)
    assert early.masses.get("product", 0.0) == 0.0


def test_the_broth_of_another_culture_is_refused():
    renames = {"  M:\n    words": "  L:\n    words", "{M: 1}": "{L: 1}", "A + M": "A + L", "* M / (M +": "* L / (L +"}
    other = cases.build_culture(cases.culture_text(renames))
    with pytest.raises(InputError, match="has no L"):
        broth(cases.run(), other)


def test_the_broth_goes_through_the_whole_train():
    recipe = read_recipe(cases.ROOT / "examples" / "collagen" / "recipe.yaml")
    run = simulate(cases.culture(), cases.plant()["BENCH-1L"], recipe)
    steps = run_train(recipe, broth(run, cases.culture()))
    product = steps[-1].outlet.masses["product"]
    assert 0 < product < run.totals["product"][0]


def test_what_is_charged_or_added_above_the_vessel_overfills_it_too():
    small = cases.tank(working_volume=(1.0, 10.3))  # 10 L of medium and half a litre of inoculum
    with pytest.raises(OverfillError, match=r"10\.5 L at 0\.00 h"):
        simulate(cases.culture(), small, cases.recipe())
    added = cases.recipe({"volume: 100 mL": "volume: 5 L"})
    with pytest.raises(OverfillError, match="induce"):
        simulate(cases.culture(), cases.tank(working_volume=(5.0, 15.0)), added)


@pytest.mark.parametrize("what", ["q_S_max", "Y_em", "impeller_diameter", "feed_factor"])
def test_a_neighbour_by_sensitivities_is_the_run_that_is_simulated_for_it(what):
    """To first order: its states, rates and totals, and the ends of its phases, which move as well."""
    step = 1e-3
    culture, tank, recipe = cases.culture(), cases.tank(), cases.recipe()
    values = culture.values
    other = culture.with_parameters({what: values[what] * (1 + step)}) if what in values else culture
    larger = cases.tank(impeller_diameter=tank.impeller_diameter * (1 + step)) if "impeller" in what else tank
    feed = 1 + step if what == "feed_factor" else 1.0
    base = setup_of(culture, tank, recipe)
    here, (near,) = simulate_neighbours(base, [setup_of(other, larger, recipe, feed_factor=feed)], rtol=1e-9)
    true = simulate(other, larger, recipe, rtol=1e-9, feed_factor=feed)
    moved = []
    for name in ("duration", "oxygen", "stirrer_energy", "product", "base"):
        start, first_order, exact = (run.totals[name][0] for run in (here, near, true))
        # What first order leaves is of the second: a hundredth of the change at a step of 0.1 %.
        assert first_order - start == pytest.approx(exact - start, rel=0.01, abs=1e-6 * abs(start)), name
        moved.append(abs(exact - start) > 1e-5 * abs(start))
    assert any(moved)
    for name in ("X", "P", "OUR", "kLa", "V"):
        assert near.final(name) - here.final(name) == pytest.approx(
            true.final(name) - here.final(name), rel=0.02, abs=3e-6 * abs(here.final(name))
        ), name
    for span, wanted in zip(near.phases, true.phases, strict=True):
        assert span.end == pytest.approx(wanted.end, abs=1e-4)
