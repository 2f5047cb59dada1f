"""Strategies are compared on the same cultures, with the same noise."""

from __future__ import annotations

import math

import pytest

from seedtrain.automation import feeding_case, feeding_rows
from seedtrain.automation._control._compare import STRATEGIES, _Trial
from seedtrain.quantity import Quantity
from seedtrain.recipe import at_scale
from seedtrain.simulation import StirredTank
from tests.simulation_live.test_tank import CULTURE, RECIPE, VESSEL


def test_before_the_feed_every_strategy_meets_the_same_culture_and_the_same_noise():
    assert isinstance(VESSEL, StirredTank)
    control = at_scale(RECIPE, unit=VESSEL.name, volume=Quantity(90, "L"))
    case = feeding_case(CULTURE, VESSEL, control.recipe)
    for seed in ([3, 0], [3, 1]):
        trials = {name: _Trial(case, name, seed) for name in STRATEGIES}
        for trial in trials.values():
            trial.run(0.5)
        states = {name: trial.tank.to_data() for name, trial in trials.items()}
        assert all(state == states["exponential"] for state in states.values())
        assert trials["mu_stat"].told, "the exit gas was analysed"
    assert _Trial(case, "exponential", [3, 0]).tank.parameter("q_S_max") != pytest.approx(
        _Trial(case, "exponential", [3, 1]).tank.parameter("q_S_max")
    )


def test_the_rows_say_that_they_are_simulated_and_compare_medians():
    figures = {
        name: {"biomass": [1.0, 3.0, 2.0], "yield": [0.4], "acetate": [0.0], "short": [0.0]} for name in STRATEGIES
    }
    figures["predictive"]["biomass"] = [4.0, 2.5, 4.5]
    rows = feeding_rows(figures)
    assert {row["origin"] for row in rows} == {"simulated"}
    goal = next(row for row in rows if row["goal"] is not None)
    assert (goal["ours"], goal["peer"], goal["ratio"], goal["met"]) == (4.0, 2.0, 2.0, True)
    assert goal["note"] == "more in 2 of 3 cultures"
    assert all(math.isfinite(row["ratio"]) for row in rows)
