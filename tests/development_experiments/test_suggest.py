"""The next runs: a process that interpolates, better than chance, limits held, a prior that saves runs."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern

from seedtrain.base import InputError
from seedtrain.development import (
    Experiment,
    ExperimentFactor,
    Response,
    SheetRow,
    Space,
    fit_surrogate,
    sample_surrogates,
    suggest,
)
from seedtrain.development._experiments._acquire import Region, best_point, log_chance, log_improvement, pareto
from seedtrain.development._experiments._believed import believe
from seedtrain.development._experiments._kernels import objective
from seedtrain.development._experiments._suggest import first_runs
from seedtrain.development._experiments._surrogate import priors
from tests.development_experiments.studies import hartmann, numbers, plain


def drawn(seed, runs=12):
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.random((runs, 3)), rng.integers(3, size=runs)])
    return Space(3, (3,)), x, np.sin(5 * x[:, 0]) + x[:, 1] ** 2 + 0.5 * x[:, 3] + 0.01 * rng.normal(size=runs)


@pytest.mark.parametrize("smooth", [False, True])
def test_the_gradient_of_the_posterior_is_that_of_differences(smooth):
    space, x, y = drawn(1)
    y = (y - y.mean()) / y.std()
    given = (space.continuous, smooth, x, y, *priors(space))
    rng = np.random.default_rng(2)
    for _ in range(3):
        theta = rng.normal(0, 0.7, 6)
        exact = objective(theta, *given)[1]
        differences = optimize.approx_fprime(theta, lambda t: objective(t, *given)[0], 1e-6)
        assert exact == pytest.approx(differences, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("smooth", [False, True])
def test_a_prediction_is_that_of_textbook_algebra(smooth):
    """Rasmussen & Williams 2006, eq. 2.25 and 2.26, with scikit-learn's kernels."""
    space, x, y = Space(3), drawn(5)[1][:, :3].copy(), drawn(5)[2]
    found = fit_surrogate(space, x, y, smooth=smooth)
    lengths = np.exp(found.theta[:3])
    shape = RBF(lengths) if smooth else Matern(lengths, nu=2.5)
    kernel = ConstantKernel(math.exp(found.theta[-2])) * shape
    points = np.random.default_rng(6).random((5, 3))
    whole = kernel(x) + (math.exp(found.theta[-1]) + 1e-6) * np.eye(len(x))
    across = kernel(points, x)
    mean = y.mean() + y.std() * across @ np.linalg.solve(whole, (y - y.mean()) / y.std())
    variance = np.diag(kernel(points) - across @ np.linalg.solve(whole, across.T))
    told = found.predicted(points)
    assert told[0] == pytest.approx(mean, rel=1e-6)
    assert told[1] == pytest.approx(y.std() * np.sqrt(variance), rel=1e-5)


def test_a_process_goes_through_quiet_data_and_knows_where_it_does_not_know():
    space, x, y = drawn(3, 30)
    found = fit_surrogate(space, x, y)
    mean, deviation = found.predicted(x)
    assert mean == pytest.approx(y, abs=0.1)
    far = np.array([[0.5, 0.5, 0.5, 0.0]])
    assert found.predicted(far)[1] > deviation.mean()
    assert found.lengths[2] > 2 * found.lengths[0]  # the third factor does nothing
    one = found.samples(far, 4000, np.random.default_rng(0))
    assert one.mean() == pytest.approx(found.predicted(far)[0][0], abs=4 * one.std() / 60)
    assert len(sample_surrogates(found, 3, np.random.default_rng(1))) == 3


def test_a_process_that_saw_a_point_is_surer_there():
    space, x, y = drawn(4)
    found = fit_surrogate(space, x, y)
    point = np.array([[0.1, 0.9, 0.5, 2.0]])
    after = found.joined(point)
    assert after.predicted(point)[1] < found.predicted(point)[1]
    assert after.predicted(point)[0] == pytest.approx(found.predicted(point)[0], rel=0.01)
    assert after.predicted(x)[0] == pytest.approx(found.predicted(x)[0], abs=0.5)


def test_a_belief_is_of_its_sets():
    space, x, y = drawn(7)
    found = believe(space, x, y, None, np.random.default_rng(0))
    points = np.column_stack([np.random.default_rng(1).random((4, 3)), np.arange(4) % 3])
    mean, deviation = found.each(points)
    for at, item in enumerate(found.sets):
        assert item.predicted(points)[0] == pytest.approx(mean[at])
        assert item.predicted(points)[1] == pytest.approx(deviation[at])
    assert found.predicted(points)[0] == pytest.approx(mean.mean(0))
    assert (found.predicted(points)[1] ** 2 >= (deviation**2).mean(0) - 1e-12).all()


@given(st.floats(-30, 3), st.floats(0.01, 10))
def test_the_logarithm_of_the_improvement_is_its_integral(z, deviation):
    exact = integrate.quad(lambda t: t * stats.norm.pdf(t - z), 0, max(z, 0) + 12)[0]
    found = log_improvement(np.array([z * deviation]), np.array([deviation]), 0.0)[0]
    if exact > 1e-200:
        assert found == pytest.approx(math.log(exact * deviation), abs=0.06 if z < -5.99 else 1e-3)


def test_chances_of_limits_and_the_front():
    one = np.ones(1)
    assert np.exp(log_chance(0 * one, one, -math.inf, 1.0)) == pytest.approx(stats.norm.cdf(1))
    assert np.exp(log_chance(0 * one, one, -1.0, 2.0)) == pytest.approx(stats.norm.cdf(2) - stats.norm.cdf(-1))
    assert list(pareto(np.array([[1, 2], [2, 1], [0, 0], [1, 1], [2, 1]]))) == [True, True, False, False, True]


def campaign(study, truth, runs, *, seed=0, prior=None, count=1):
    rows: list[SheetRow] = []
    while len(rows) < runs:
        for item in suggest(study, rows, count, seed=seed, prior=prior):
            values = study.values(item.point)
            rows.append(SheetRow(len(rows) + 1, values, truth(values), reason=item.reason))
    return rows


@pytest.mark.slow
def test_runs_chosen_beat_runs_spread():
    """25 runs of Hartmann's function of six: a Sobol sequence's median is 1.7 after 30."""
    study = plain(6)
    best = [
        max(
            row.readings["y"]
            for row in campaign(study, lambda v: {"y": hartmann(np.array(list(v.values())))}, 25, seed=seed)
        )
        for seed in (0, 2, 3)
    ]
    assert np.median(best) > 2.4


def limited():
    factors = (ExperimentFactor("a"), ExperimentFactor("b"), ExperimentFactor("c", levels=("u", "v")))
    responses = (Response("y", "g/L", "maximise"), Response("z", "%", "none", 20.0))
    return Experiment("limited", factors, responses)


def truth(values):
    a, b = values["a"], values["b"]
    y = 6 * a * math.exp(-3 * (b - 0.4) ** 2) * (1.0 if values["c"] == "v" else 0.6)
    return {"y": y, "z": 100 - 110 * a}


def test_a_limit_is_found_and_held():
    """The best without the limit is a = 1; with it a = 0.727."""
    rows = campaign(limited(), truth, 20, seed=1)
    held = [row for row in rows if row.readings["z"] >= 20]
    assert max(row.readings["y"] for row in held) > 0.95 * truth({"a": 0.727, "b": 0.4, "c": "v"})["y"]
    assert len(held) > 10
    assert "holds its limit" in rows[-1].reason


def test_a_batch_is_of_different_runs_and_runs_under_way_are_not_asked_again():
    rows = campaign(limited(), truth, 10, seed=2)
    found = suggest(limited(), rows, 4, seed=2)
    points = np.array([item.point for item in found])
    assert min(np.abs(points[a] - points[b]).max() for a in range(4) for b in range(a)) > 0.01
    under_way = [dataclasses.replace(rows[-1], number=11, values=limited().values(points[0]),
                                     readings={"y": math.nan, "z": math.nan})]  # fmt: skip
    (again,) = suggest(limited(), [*rows, *under_way], 1, seed=2)
    assert np.abs(again.point - points[0]).max() > 0.01


def test_a_run_is_looked_for_no_further_away_than_it_may_lie():
    """Uphill everywhere: the answer is the far corner of where it may lie."""
    near = np.array([[0.3, 0.9, 1.0]])
    whole = Region(Space(2, (2,)), np.zeros((0, 2)), np.zeros(0))
    for reach, corner in ((0.2, (0.5, 1.0)), (1.0, (1.0, 1.0))):
        found, _height = best_point(whole, lambda points: points.sum(1), near, 1, reach)
        assert found == pytest.approx([*corner, 1.0], abs=1e-6)
    small = Region(whole.space, np.array([[1.0, 1.0]]), np.array([0.1]))
    found, _height = best_point(small, lambda points: points.sum(1), near, 1, 0.2)  # the best run broke the limit
    assert found[:2].sum() == pytest.approx(0.1, abs=1e-6)


def test_every_second_run_lies_around_the_best():
    """A response that is flat but for a peak in a corner: runs far away would tell more of it."""
    study = plain(3)
    rows = campaign(study, lambda v: {"y": math.exp(-20 * sum((float(x) - 0.1) ** 2 for x in v.values()))}, 14, seed=5)
    for number in range(first_runs(study), len(rows)):
        best = max(rows[:number], key=lambda row: row.readings["y"])
        away = max(abs(rows[number].values[name] - best.values[name]) for name in best.values)
        assert number % 2 == 0 or away <= 0.2 + 1e-9


def test_the_same_sheet_gets_the_same_suggestion():
    rows = campaign(limited(), truth, 8, seed=3)
    one, other = (suggest(limited(), rows, 1, seed=3)[0] for _ in range(2))
    assert (one.point == other.point).all()
    assert one.reason == other.reason


def test_a_goal_to_minimise_goes_down():
    rows = campaign(
        plain(2, goal="minimise"), lambda v: {"y": (float(v["x1"]) - 0.3) ** 2 + (float(v["x2"]) - 0.6) ** 2}, 8
    )
    assert np.mean([row.readings["y"] for row in rows[4:]]) < 0.1  # spread over the square: 0.2


@pytest.mark.slow
def test_two_goals_spread_along_their_front():
    study = Experiment("two", (ExperimentFactor("a"), ExperimentFactor("b")),
                       (Response("up", "", "maximise"), Response("down", "", "minimise")))  # fmt: skip
    rows = campaign(
        study, lambda v: {"up": v["a"] - (v["b"] - 0.5) ** 2, "down": v["a"] ** 2 + (v["b"] - 0.5) ** 2}, 20
    )
    front = [row for row in rows[8:] if abs(row.values["b"] - 0.5) < 0.2]
    assert len(front) >= 8
    assert np.ptp([row.values["a"] for row in front]) > 0.4


def test_a_prior_that_is_right_saves_runs_and_a_wrong_one_is_overcome():
    study = plain(6)
    right = campaign(study, lambda v: {"y": hartmann(np.array(list(v.values())))}, 12, seed=4,
                     prior=lambda points: {"y": np.array([0.8 * hartmann(p + 0.03) for p in points])})  # fmt: skip
    assert max(row.readings["y"] for row in right) > 2.9  # 12 spread runs: 1.4
    wrong = campaign(limited(), truth, 14, seed=4, prior=lambda points: {"y": 6 * (1 - points[:, 0])})
    assert max(row.readings["y"] for row in wrong if row.readings["z"] >= 20) > 0.9 * 0.727 * 6


@given(st.integers(0, 1000))
@settings(max_examples=25)
def test_what_is_suggested_can_be_set(seed):
    factors = (ExperimentFactor("a", "degC", 28, 37, step=0.5), ExperimentFactor("b", "mL/h", 2, 10, log=True))
    study = Experiment("steps", factors, (Response("y", "", "maximise"),))
    (found,) = suggest(study, [], 1, seed=seed)
    values = numbers(study.values(found.point))
    assert (values["a"] * 2) % 1 == 0
    assert 2 <= values["b"] <= 10
    assert study.values(study.point(values)) == values


def test_nothing_to_optimise_and_no_run_asked_for_are_refused():
    aimless = Experiment("aimless", (ExperimentFactor("a"),), (Response("y", "", "none", 0.0),))
    with pytest.raises(InputError, match="no response has a goal"):
        suggest(aimless, [], 1)
    with pytest.raises(InputError, match="0 runs"):
        suggest(plain(2), [], 0)
