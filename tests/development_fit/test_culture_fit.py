"""A culture fitted to runs of a recipe: what made the data comes back, and the file that is written can be read."""

import json
from pathlib import Path

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.development import MeasuredRun, culture_problem, fit_problem
from seedtrain.development._estimation._intervals import _candidates
from seedtrain.program import recipe_in_vessel
from seedtrain.simulation import Run, Variable, culture_of_text, read_culture, simulate
from tests.development.own_data import COLUMNS, command, keep_readings
from tests.development_hybrid import strain

EXAMPLES = Path(__file__).parents[2] / "examples" / "collagen"
TRUTH = {"q_S_max": 0.70, "Y_em": 0.50}


@pytest.fixture(scope="module")
def setting():
    return recipe_in_vessel(EXAMPLES / "recipe.yaml")


@pytest.fixture(scope="module")
def measured(setting):
    """Two simulated runs with different starts and feeds, read without error."""
    culture, vessel, recipe = setting
    found = []
    for name, initial, feed in (("B1", {"X": 0.2, "S": 9.0}, 0.9), ("B2", {"X": 0.3, "S": 11.0}, 1.1)):
        run = simulate(
            culture, vessel, recipe, parameters=TRUTH, initial=initial, feed_factor=feed, rtol=1e-8, points=400
        )
        times = np.array([2.0, 5.0, 8.0, 20.0, 30.0])
        variables = {
            symbol: Variable(symbol, run.variables[symbol].unit, np.array([run.at(symbol, time) for time in times]))
            for symbol in ("X", "S", "OUR")
        }
        read = Run("simulated", recipe.digest, culture.name, vessel.name, "production", times, variables)
        found.append(MeasuredRun(name, read, recipe, vessel, initial=initial, feed_factor=feed))
    return found


@pytest.fixture(scope="module")
def problem(setting, measured):
    return culture_problem(setting[0], measured, tuple(TRUTH))


def test_the_parameters_that_made_the_data_come_back(problem):
    assert problem.simulated
    found = fit_problem(problem, count=0, profiles=())
    for name, value in TRUTH.items():
        assert found.values[name] == pytest.approx(value, rel=2e-3)


def test_gradient_of_a_fed_batch_is_that_of_tight_differences(problem):
    x = problem.scaled({"q_S_max": 0.72, "Y_em": 0.49})
    found = problem.evaluate(x, rtol=1e-8)
    for at in range(2):
        step = np.eye(len(x))[at] * 1e-4
        up, down = (problem.evaluate(x + sign * step, rtol=1e-9).objective for sign in (1, -1))
        assert found.gradient[at] == pytest.approx((up - down) / 2e-4, rel=2e-3)


def test_what_could_be_measured_besides_is_of_the_broth_and_within_the_run(problem, tmp_path):
    found = _candidates(problem, problem.evaluate(problem.scaled(TRUTH)), problem.experiments[0])
    names = {item.reading for item in found}
    assert {"X", "S", "OUR", "A", "DO", "NH"} <= names <= {*read_culture("ecoli_balanced").species, "OUR", "DO", "NH"}
    assert all((item.reading in ("X", "S", "OUR")) == item.known for item in found)
    (batch,) = strain.batches(tmp_path, "monod", ("B3",))  # which its recipe ends after nine hours
    problem = culture_problem(culture_of_text(strain.text("monod"), "monod"), [batch], ("K_S",))
    found = _candidates(problem, problem.evaluate(problem.scaled({})), problem.experiments[0])
    assert 8 < max(item.time for item in found) <= 9


def test_what_cannot_be_fitted_is_refused_by_name(setting, measured):
    with pytest.raises(InputError, match="no parameter 'q_max'"):
        culture_problem(setting[0], measured, ("q_max",))
    for option in ({"per_run": ("K_S",)}, {"bounds": {"K_S": (0.1, 1.0)}}, {"priors": {"K_S": (0.0, 1.0)}}):
        with pytest.raises(InputError, match="but is not fitted"):
            culture_problem(setting[0], measured, ("q_S_max",), **option)
    with pytest.raises(InputError, match="does not tell 'viability'"):
        culture_problem(setting[0], measured, ("K_S",), observables=("viability",))
    with pytest.raises(InputError, match="no runs"):
        culture_problem(setting[0], [], ("K_S",))
    with pytest.raises(InputError, match="same name"):
        culture_problem(setting[0], [measured[0], measured[0]], ("K_S",))


def test_the_command_writes_a_culture_that_can_be_read(tmp_path, measured):
    for file in ("recipe.yaml", "plant.yaml"):
        (tmp_path / file).write_text((EXAMPLES / file).read_text())
    keep_readings(tmp_path, measured, COLUMNS | {"OUR [mmol/L/h]": "OUR"})
    options = ("--data", "mapping.yaml", "--fit", "q_S_max,Y_em", "--starts", "0", "--profiles", "none")
    done = command(tmp_path, "fit", "recipe.yaml", *options, "-o", "fitted", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["simulated"] is True
    culture = read_culture(tmp_path / "fitted" / "culture.yaml")
    fitted = culture.parameters["q_S_max"]
    assert fitted.value == pytest.approx(0.70, rel=0.01)
    assert fitted.status == "fitted"
    assert culture.status == "unverified"
    assert "simulated" in fitted.source
    assert "simulated" in (tmp_path / "fitted" / "fit.html").read_text()
    for words, fault in (
        (("fit", "recipe.yaml", "--fit", "K_S"), "without --data"),
        (("fit", "recipe.yaml", "--data", "mapping.yaml"), "without --fit"),
        (("fit", "recipe.yaml", *options[:2], "--fit", "K_Q"), "no parameter 'K_Q'"),
        (("fit", "recipe.yaml"), "no PEtab problem"),
    ):
        bad = command(tmp_path, *words)
        assert bad.returncode == 2
        assert fault in bad.stderr
        assert "Traceback" not in bad.stderr
