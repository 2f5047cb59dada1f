"""Runs that differ: variances as another program finds them, intervals that hold, and silence where runs are alike."""

import dataclasses
import warnings
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from seedtrain.base import InputError
from seedtrain.development import ErrorModel, Problem, culture_problem, fit_problem, sample_posterior
from seedtrain.development._estimation._between import BetweenRuns, Counted, between_runs, chance_of
from seedtrain.development._estimation._between_blocks import between_words
from seedtrain.development._estimation._intervals import Interval
from seedtrain.development._estimation._mixed import read_runs, student_intervals
from seedtrain.development._estimation._restricted import Crossed, restricted, state
from seedtrain.simulation import culture_of_text
from tests.development.own_data import command, keep_readings
from tests.development_hybrid import strain

FIT = {"q_S_max": 1.1, "K_S": 0.5, "Y_XS": 0.45}


def line(seed=2, count=6, own=(0.8, 0.3), scatter=0.2):
    """Straight lines of runs that differ in height and slope: design, run and reading of each row."""
    dice = np.random.default_rng(seed)
    t = np.tile(np.linspace(-1, 1, 8), count)
    run = np.repeat(np.arange(count), 8)
    lines = np.array([1.0, 2.0]) + dice.normal(size=(count, 2)) * own
    A = np.stack([np.ones_like(t), t], axis=1)
    return A, run, (A * lines[run]).sum(axis=1) + scatter * dice.normal(size=len(t))


def crossed(A, run, y, moving=(0, 1), scatter=None):
    """The rows as cross-products; their scatter is estimated where it is not given."""
    size = A.shape[1]
    rows, runs = np.column_stack([A, y]) / (scatter or 1.0), int(run.max()) + 1
    products = np.zeros((2, runs, size + 1, size + 1))
    counts = np.zeros((2, runs))
    for each in range(runs):
        part = rows[run == each]
        products[0 if scatter else 1, each] = part.T @ part
        counts[0 if scatter else 1, each] = len(part)
    nothing = np.zeros((size, size))
    return Crossed(
        products, counts, (False, scatter is None), nothing, np.zeros(size), moving, np.full(len(moving), 1e4)
    )


def test_variances_and_errors_are_those_of_statsmodels():
    A, run, y = line()
    found = restricted(crossed(A, run, y))
    smf = import_module("statsmodels.formula.api")
    table = pd.DataFrame({"y": y, "t": A[:, 1], "run": run, "one": 1.0})
    parts = {"height": "0 + one", "slope": "0 + t"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = smf.mixedlm("y ~ t", table, groups="run", re_formula="0", vc_formula=parts).fit(reml=True)
    assert np.exp(2 * found.factors[1]) == pytest.approx(theirs.scale, rel=1e-3)
    assert found.variances == pytest.approx(np.asarray(theirs.vcomp), rel=2e-3)
    assert found.state.x == pytest.approx(np.asarray(theirs.fe_params), rel=1e-6)
    assert np.sqrt(np.diag(found.state.covariance)) == pytest.approx(np.asarray(theirs.bse_fe), rel=2e-3)


def test_the_interval_of_a_mean_of_runs_is_students_of_the_runs_means():
    """Balanced runs: the variances are those of the analysis of variance, with one degree of freedom less than runs."""
    _A, run, y = line(own=(0.8, 0.0))
    found = restricted(crossed(np.ones((len(y), 1)), run, y, moving=(0,)))
    means = np.array([y[run == each].mean() for each in range(6)])
    within = sum(((y[run == each] - means[each]) ** 2).sum() for each in range(6)) / (len(y) - 6)
    assert np.exp(2 * found.factors[1]) == pytest.approx(within, rel=1e-4)
    assert found.variances[0] == pytest.approx(means.var(ddof=1) - within / 8, rel=1e-4)
    assert np.sqrt(found.state.covariance[0, 0]) == pytest.approx(means.std(ddof=1) / np.sqrt(6), rel=1e-4)
    assert found.freedom[0] == pytest.approx(5.0, rel=1e-2)


def test_slopes_by_variances_are_those_of_differences():
    runs = crossed(*line())
    at = np.array([0.3, 0.05]), np.array([0.0, -1.5])
    here = state(runs, *at)
    for place in range(3):
        ends = []
        for sign in (1, -1):
            moved = [at[0].copy(), at[1].copy()]
            moved[place // 2][place % 2 + place // 2] += sign * 1e-5
            ends.append(state(runs, *moved))
        assert here.slope[place] == pytest.approx((ends[0].value - ends[1].value) / 2e-5, rel=1e-4)
        by = np.diag(ends[0].covariance - ends[1].covariance) / 2e-5
        assert here.covariance_by[place] == pytest.approx(by, rel=1e-3, abs=1e-8)


def test_chance_is_half_of_the_usual_one_at_the_bound():
    assert chance_of(2.7055, 1) == pytest.approx(0.05, rel=1e-3)
    assert chance_of(0.0, 2) == 1.0
    assert chance_of(4.0, 2) == pytest.approx(0.5 * stats.chi2.sf(4, 1) + 0.25 * stats.chi2.sf(4, 2))


@pytest.fixture(scope="module")
def batches(tmp_path_factory):
    return strain.batches(tmp_path_factory.mktemp("strain"), "monod")


def problem_of(batches, known=True) -> Problem:
    culture = culture_of_text(strain.text("monod"), "monod")
    errors = {name: ErrorModel("constant", size if known else None) for name, size in strain.SCATTER.items()}
    return culture_problem(culture, batches, tuple(FIT), errors=errors, bounds={"Y_XS": (0.3, 0.6)})


def read_again(problem: Problem, dice: np.random.Generator, own: dict[str, float]) -> Problem:
    """The problem with other readings: every run with constants of its own, lognormal about `FIT`."""
    points = np.tile(problem.scaled(FIT), (len(problem.experiments), 1))
    for name, deviation in own.items():
        at = problem.names.index(name)
        for row in points:
            row[at] = problem.parameters[at].scaled(FIT[name] * float(np.exp(deviation * dice.normal())))
    seen = read_runs(problem, points)
    assert seen is not None
    runs, start = [], 0
    for item in problem.experiments:
        size = len(item.readings)
        scatter = np.array([strain.SCATTER[name] for name in item.readings.names]) * dice.normal(size=size)
        value = seen.predicted[start : start + size] + scatter
        runs.append(dataclasses.replace(item, readings=dataclasses.replace(item.readings, value=value)))
        start += size
    return dataclasses.replace(problem, experiments=tuple(runs))


@pytest.fixture(scope="module")
def different(batches):
    return read_again(problem_of(batches), np.random.default_rng(4), {"q_S_max": 0.05, "Y_XS": 0.03})


def test_runs_that_differ_are_told_and_the_truth_lies_in_the_intervals(different):
    alike = fit_problem(different, count=0, profiles=())
    found = fit_problem(different, count=0, profiles=(), between="auto")
    assert found.between is not None
    assert found.between.verdict == "evident"
    assert found.between.counted
    for name, truth in FIT.items():
        item = found.intervals[name]
        assert item.low is not None
        assert item.high is not None
        assert item.low < truth < item.high
    held = [name for name, item in alike.intervals.items() if (item.low or 0.0) < FIT[name] < (item.high or np.inf)]
    assert len(held) < 2  # of three; as alike they are several times too narrow
    sizes = {item.name: item for item in found.between.deviations}
    assert sizes["q_S_max"].low < 0.05 * 1.1 < (sizes["q_S_max"].high or np.inf)
    assert np.sqrt((found.residuals**2).mean()) == pytest.approx(1.0, abs=0.2)
    assert np.sqrt((alike.residuals**2).mean()) > 2
    assert "differ from one another" in between_words(found)[0]
    assert found.to_data()["between_runs"]["counted"] is True


def test_draws_of_the_typical_run_spread_as_its_intervals_and_somewhat_more(different):
    """They know besides that how far runs differ is not known."""
    found = fit_problem(different, count=0, profiles=(), between={"q_S_max": None, "Y_XS": None})
    drawn = sample_posterior(found, 800, seed=1)
    assert drawn.mixed
    assert set(drawn.more) == {"between:q_S_max", "between:Y_XS"}
    for item in drawn.marginals[:3]:
        near = found.intervals[item.name]
        assert item.low is not None
        assert item.high is not None
        assert near.low is not None
        assert near.high is not None
        assert item.low < FIT[item.name] < item.high
        assert 0.8 < (item.high - item.low) / (near.high - near.low) < 2.5
    assert found.between is not None
    deviations = {item.name: item for item in found.between.deviations}
    assert drawn.more["between:Y_XS"].mean() == pytest.approx(deviations["Y_XS"].deviation, rel=0.5)
    assert sample_posterior(found, 800, seed=1).to_csv() == drawn.to_csv()
    assert "between:Y_XS" in drawn.to_csv().splitlines()[0]


def test_a_variation_that_is_declared_is_the_one_that_is_counted(different):
    found = fit_problem(different, count=0, profiles=(), between={"q_S_max": 0.055, "Y_XS": None})
    assert found.between is not None
    first, second = found.between.deviations
    assert first.given
    assert first.deviation == pytest.approx(0.055, rel=0.03)
    assert not second.given
    with pytest.raises(InputError, match="no parameter that several runs share"):
        fit_problem(different, count=0, profiles=(), between={"mu": None})
    with pytest.raises(InputError, match="to vary by -1"):
        fit_problem(different, count=0, profiles=(), between={"K_S": -1.0})


def test_runs_that_are_alike_keep_their_intervals(batches):
    for known in (True, False):
        problem = problem_of(batches, known)
        plain = fit_problem(problem, count=0, profiles=())
        found = fit_problem(problem, count=0, profiles=(), between="auto")
        assert found.between is not None
        assert found.between.verdict == "not evident"
        assert not found.between.counted
        assert found.intervals == plain.intervals
        assert all(item.high is not None for item in found.between.deviations)
    assert fit_problem(problem_of(batches[:1]), count=0, profiles=(), between="auto").between is None


def test_errors_that_are_told_too_small_do_not_pass_for_runs_that_differ(batches):
    drawn = read_again(problem_of(batches), np.random.default_rng(2), {})
    runs = [
        dataclasses.replace(item, readings=dataclasses.replace(item.readings, sigma=item.readings.sigma / 3))
        for item in drawn.experiments
    ]
    small = dataclasses.replace(drawn, experiments=tuple(runs))
    found = fit_problem(small, count=0, profiles=(), between="auto")
    assert found.between is not None
    assert found.between.verdict == "not evident"
    assert not found.between.counted


@pytest.mark.parametrize(
    ("runs", "chance", "counted"), [(4, 0.4, True), (4, 0.6, False), (6, 0.4, False), (6, 0.15, True)]
)
def test_few_runs_count_a_slight_variation_for_they_could_hide_a_large_one(
    different, monkeypatch, runs, chance, counted
):
    few = dataclasses.replace(different, experiments=different.experiments[:runs])
    monkeypatch.setattr(import_module(between_runs.__module__), "chance_of", lambda gain, count: chance)
    found = fit_problem(few, count=0, profiles=(), between="auto")
    assert found.between is not None
    assert found.between.verdict == ("possible" if chance <= 0.2 else "not evident")
    assert found.between.counted is counted


def test_a_side_that_is_open_stays_so_unless_the_fit_of_runs_taken_alike_had_run_into_a_bound():
    line = SimpleNamespace(value=lambda x: x)
    problem: Any = SimpleNamespace(
        low=np.zeros(2), high=np.full(2, 10.0), widths=np.full(2, 10.0),
        parameters=[SimpleNamespace(name=name, value=line.value) for name in "ab"],
    )  # fmt: skip
    state = SimpleNamespace(covariance=np.diag([0.01, 0.01]))
    here: Any = SimpleNamespace(x=np.full(2, 5.0), found=SimpleNamespace(state=state, freedom=np.full(2, 3.0)))
    layout: Any = SimpleNamespace(mean=(0, 1), noise=())
    plain = {name: Interval(None, 6.0, "profile") for name in "ab"}
    found = student_intervals(problem, layout, here, 0.9, plain, np.array([0.0, 5.0]))
    # 3 degrees of freedom: t 2.353; the bounds' even spread is taken from the information: 1 / (100 - 0.12)
    half = 2.3534 / np.sqrt(100 - 0.12)
    assert found["a"].low == pytest.approx(5 - half, rel=1e-4)
    assert found["a"].high == pytest.approx(5 + half, rel=1e-4)
    assert found["b"].low is None
    assert found["b"].high == pytest.approx(5 + half, rel=1e-4)


def test_two_runs_are_said_to_be_too_few(different):
    two = dataclasses.replace(different, experiments=different.experiments[1:3])
    found = fit_problem(two, count=0, profiles=(), between={"q_S_max": None})
    assert "2 runs are too few" in " ".join(between_words(found))
    assert found.between is not None
    assert found.between.freedom["q_S_max"] < 3
    if not found.intervals["q_S_max"].identified:
        assert "q_S_max" not in {item.parameter for item in found.advice}
        assert "further runs" in " ".join(between_words(found))


def test_the_command_says_it_and_refuses_what_it_cannot_read(tmp_path, batches):
    strain.write(tmp_path, "monod")
    keep_readings(tmp_path, batches[:3])
    options = ("recipe.yaml", "--data", "mapping.yaml", "--fit", "q_S_max,Y_XS", "--starts", "0", "--profiles", "none")
    done = command(tmp_path, "fit", *options)
    assert done.returncode == 0, done.stderr
    assert "3 runs differ from one another is not evident" in done.stdout
    assert "too few to tell" in done.stdout
    for words, fault in (("K_S", "no parameter that several"), ("Y_XS=2 h", "not a"), ("=", "--between")):
        bad = command(tmp_path, "fit", *options, "--between", words)
        assert bad.returncode == 2
        assert fault in bad.stderr


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False])
def test_nine_in_ten_intervals_cover_where_runs_differ_and_where_they_do_not(batches, known):
    """300 intervals each: the standard error of a share is 1.7 %; docs/validation.md has more of them."""
    problem = problem_of(batches, known)
    for own in ({"q_S_max": 0.05, "Y_XS": 0.03}, {}):
        dice = np.random.default_rng(31)
        covered = count = 0
        for _ in range(100):
            drawn = read_again(problem, dice, own)
            alike = fit_problem(drawn, count=0, profiles=())
            told = between_runs(drawn, alike.best, "auto", 0.9, alike.intervals)
            assert isinstance(told, Counted | BetweenRuns)
            intervals = told.intervals if isinstance(told, Counted) else alike.intervals
            for name, truth in FIT.items():
                item = intervals[name]
                covered += (item.low is None or item.low <= truth) and (item.high is None or truth <= item.high)
                count += 1
        print(f"covered {covered} of {count} with {own or 'no variation'}")
        assert 0.85 <= covered / count <= 0.95
