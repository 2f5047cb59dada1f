"""A culture in vessels through a recipe, many times: each row is the run that `simulate` gives, and nothing is lost."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from seedtrain.base import InputError
from seedtrain.program import read_plant
from seedtrain.quantity import Quantity
from seedtrain.recipe import levers, parse_recipe, read_recipe
from seedtrain.simulation import Normal, Span, StirredTank, ensemble_reason, read_culture, simulate, simulate_ensemble
from tests.simulation import cases
from tests.simulation_cultures.test_in_a_vessel import SUGAR
from tests.worked import COLLAGEN

CULTURE = read_culture("ecoli_balanced")
RECIPE = read_recipe(COLLAGEN / "recipe.yaml")
PLANT = read_plant(COLLAGEN / "plant.yaml")
BENCH, PILOT = PLANT.vessel("BENCH-1L"), PLANT.vessel("PILOT-200")
FED = "production/growth/fed-batch:growth_rate"
SHOWN = ("P", "X", "DO_percent", "V", "OUR", "F")


@pytest.fixture(scope="module")
def rows():
    """Eight runs with every parameter within 10 %."""
    return simulate(CULTURE, BENCH, RECIPE, n=8, seed=4, spread=0.1)


def drawn(rows, at: int) -> dict[str, float]:
    """The parameters of one row."""
    return dict(zip(rows["parameter"].values.tolist(), rows["parameters"].values[at].tolist(), strict=True))


def test_a_row_is_the_run_of_its_own_parameters(rows) -> None:
    for at in (0, 5):
        run = simulate(CULTURE, BENCH, RECIPE, parameters=drawn(rows, at))
        for name in ("P", "X", "V", "S"):
            assert rows[f"final_{name}"].values[at] == pytest.approx(run.final(name), rel=1e-5, abs=1e-6)
        assert rows["stretch_end"].values[at, -1] == pytest.approx(run.time[-1], rel=1e-6)
        times, inner = np.unique(run.time), ~np.isin(np.unique(run.time), [span.end for span in run.phases])
        vary = {name: [value] for name, value in drawn(rows, at).items()}
        again = simulate(CULTURE, BENCH, RECIPE, n=1, vary=vary, times=times, keep=SHOWN)
        for name in SHOWN:
            exact = np.array([run.at(name, time) for time in times])
            assert again[name].values[0, inner] == pytest.approx(exact[inner], rel=1e-4, abs=1e-5), name
        known = {event.kind: event.time for event in run.events}
        for event, time in zip(rows["event"].values.tolist(), rows["event_time"].values[at].tolist(), strict=True):
            assert np.isnan(time) == (event not in known), event
            if event in known:
                assert time == pytest.approx(known[event], rel=1e-4)


def test_units_and_words_are_those_of_a_run(rows) -> None:
    run = simulate(CULTURE, BENCH, RECIPE)
    for name in rows.data_vars:
        if name in run.variables:
            assert rows[name].attrs == {"units": run.variables[name].unit, "long_name": run.variables[name].words}
    units = dict(zip(rows["parameter"].values.tolist(), rows["parameter_unit"].values.tolist(), strict=True))
    assert units == {name: CULTURE.parameters[name].unit for name in units}
    assert rows.attrs["culture"] == CULTURE.name
    assert rows.attrs["origin"] == "simulated"
    words = dict(zip(rows["event"].values.tolist(), rows["event_words"].values.tolist(), strict=True))
    assert words["nitrogen_limited"] == "ammonium runs out"


def test_draws_lie_within_the_file_s_ranges_and_the_spread(rows) -> None:
    everything = {name for name, item in CULTURE.parameters.items() if item.low < item.high}
    assert set(rows["parameter"].values.tolist()) == everything
    for at, name in enumerate(rows["parameter"].values.tolist()):
        item, values = CULTURE.parameters[name], rows["parameters"].values[:, at]
        assert (values >= max(item.low, 0.9 * item.value) - 1e-12).all()
        assert (values <= min(item.high, 1.1 * item.value) + 1e-12).all()
        assert np.ptp(values) > 0


def test_recipe_values_feed_and_start_vary_as_a_recipe_with_those_values(rows) -> None:
    ranges = {
        FED: [0.13, 0.15],
        "feed_factor": [1.0, 0.8],
        "initial.X": [0.1, 0.2],
        "coalescence": [0.4, 0.6],
        "q_S_max": [0.6, 0.7],
    }
    found = simulate_ensemble(CULTURE, BENCH, RECIPE, n=2, vary=ranges, keep=SHOWN)
    place, name = FED.split(":")
    unit = next(item for item in levers(RECIPE) if (item.path, item.parameter) == (place, name)).quantity.unit
    assert found["parameter_unit"].values.tolist()[0] == unit
    for at in range(2):
        run = simulate(
            CULTURE,
            BENCH,
            RECIPE.with_value(place, name, Quantity(ranges[FED][at], unit)),
            feed_factor=ranges["feed_factor"][at],
            initial={"X": ranges["initial.X"][at]},
            parameters={"coalescence": ranges["coalescence"][at], "q_S_max": ranges["q_S_max"][at]},
        )
        for symbol in ("P", "X", "V", "DO_percent"):
            assert found[f"final_{symbol}"].values[at] == pytest.approx(run.final(symbol), rel=1e-4), symbol
    assert set(found.data_vars) >= {*SHOWN, *(f"final_{symbol}" for symbol in SHOWN)}
    assert "S" not in found.data_vars


def test_vessels_share_their_draws() -> None:
    found = simulate(CULTURE, [BENCH, PILOT], RECIPE, n=2, seed=4, vary={"q_P_max": Span(0.01, 0.02)}, keep=["P"])
    assert found["vessel"].values.tolist() == ["BENCH-1L", "PILOT-200"]
    assert found["parameters"].values[:2].tolist() == found["parameters"].values[2:].tolist()
    alone = simulate(CULTURE, PILOT, RECIPE, n=2, seed=4, vary={"q_P_max": Span(0.01, 0.02)}, keep=["P"])
    assert found["final_P"].values[2:] == pytest.approx(alone["final_P"].values, rel=1e-12)


def test_a_tank_of_zones_shows_what_its_probe_reads() -> None:
    assert isinstance(PILOT, StirredTank)
    tank = dataclasses.replace(PILOT, zones=3)
    assert tank.probe_zone != 3
    found = simulate(CULTURE, tank, RECIPE, n=1, vary={"q_P_max": [0.018]}, keep=["DO_percent", "DO", "X", "V"])
    run = simulate(CULTURE, tank, RECIPE)
    for name in ("DO_percent", "DO", "X", "V"):
        assert found[f"final_{name}"].values[0] == pytest.approx(run.final(name), rel=1e-3), name


def test_what_is_not_alive_varies_as_well() -> None:
    """Twice the enzyme's rate eats the sugar sooner, and nothing that only cells have stops it."""
    recipe = parse_recipe(SUGAR, "sugar.yaml")
    culture = read_culture("invertase")
    found = simulate(culture, cases.tank(), recipe, n=4, seed=1)
    assert (found["status"].values == 0).all()
    assert set(found["parameter"].values.tolist()) <= set(culture.parameters)
    assert np.ptp(found["final_S"].values) > 0
    run = simulate(culture, cases.tank(), recipe, parameters=drawn(found, 2))
    # What is left lies below the tolerance of the integration, whose steps an ensemble chooses by itself.
    assert found["final_S"].values[2] == pytest.approx(run.final("S"), rel=1e-5, abs=1e-10)
    assert found["S"].attrs["units"] == run.variables["S"].unit


def test_what_fails_is_a_row_with_its_reason() -> None:
    """A feed that overfills, a yield that makes more than it eats: beside a run that is well."""
    vary = {
        "feed_factor": [1.0, 8.0, 1.0],
        "Y_XA": [0.4, 0.4, 0.45],
        "Y_AS": [0.6, 0.6, 0.6667],
        "Y_em": [0.5, 0.5, 1.4],
    }
    found = simulate_ensemble(CULTURE, BENCH, RECIPE, n=3, vary=vary, keep=["V", "X"])
    assert [ensemble_reason(found, at) for at in range(3)] == [
        "done",
        "the broth reaches more than BENCH-1L may hold",
        "the drawn values close no balance, or let a content fall below zero",
    ]
    assert found["final_V"].values[1] == pytest.approx(BENCH.working_volume[1], rel=1e-4)
    assert found["reached"].values[1] < found["reached"].values[0]
    assert np.isfinite(found["X"].values).all()


def test_a_distribution_and_a_file(tmp_path: Path) -> None:
    options: dict[str, Any] = {"n": 6, "seed": 2, "vary": {"q_P_max": Normal(0.018, 0.002)}, "keep": ["P"]}
    path = tmp_path / "runs.nc"
    with simulate_ensemble(CULTURE, BENCH, RECIPE, to=path, chunk=4, **options) as found:
        xarray.testing.assert_identical(found.load(), simulate_ensemble(CULTURE, BENCH, RECIPE, **options))
    before = path.read_bytes()
    changed = CULTURE.with_parameters({"K_S": 0.05})
    with pytest.raises(InputError, match="holds something else"):  # another culture is another ensemble
        simulate_ensemble(changed, BENCH, RECIPE, to=path, **options)
    assert path.read_bytes() == before


def test_runs_that_make_something_of_nothing_and_runs_that_overfill_are_told_apart() -> None:
    held = CULTURE.with_parameters({"K_S": 0.05})
    found = simulate_ensemble(held, BENCH, RECIPE, n=3, vary={"feed_factor": [0.5, 6.0, 6.0]}, keep=["V"])
    status = found["status"].values
    assert status[0] == 0
    assert (status[1:] != 0).all()
    assert "may hold" in ensemble_reason(found, 1)


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown name": ({"vary": {"q_T_max": (0, 1)}}, "'q_T_max'", "q_S_max"),
    "range turned round": ({"vary": {"q_S_max": (0.7, 0.5)}}, "q_S_max: 0.7 .. 0.5", "lower end first"),
    "too few numbers": ({"vary": {"q_S_max": [0.5]}}, "q_S_max", "one finite number"),
    "both": ({"vary": {"q_S_max": (0.5, 0.7)}, "spread": 0.1}, "both spread and vary", "one of them"),
    "spread in percent": ({"spread": 20.0}, "20", "0.2"),
    "no variable": ({"keep": ["Q"]}, "Q", "DO_percent"),
    "one point": ({"points": 1}, "1 points", "2 or more"),
    "recipe value beyond its kind": ({"vary": {FED: [-1.0, 0.1]}}, "-1", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case) -> None:
    options, value, remedy = BAD[case]
    with pytest.raises(InputError) as caught:
        simulate_ensemble(CULTURE, BENCH, RECIPE, n=2, **options)
    assert value in str(caught.value)
    assert remedy in caught.value.remedy
    with pytest.raises(InputError, match="no vessel"):
        simulate_ensemble(CULTURE, [], RECIPE, n=2)
