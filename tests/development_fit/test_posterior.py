"""Posterior draws: exact where the posterior is known, refused where chains do not agree, the same after a kill."""

import json
from pathlib import Path

import numpy as np
import pytest

from seedtrain.base import InputError, read_document
from seedtrain.development import (
    ErrorModel,
    Fit,
    MeasuredRun,
    Problem,
    culture_problem,
    fit_problem,
    read_draws,
    read_petab,
    sample_posterior,
)
from seedtrain.development._estimation import Prior, effective, split_rhat
from seedtrain.development._estimation._chain import Chain, Target
from seedtrain.development._fit_bench._fed_batch import CASES, SCATTER
from seedtrain.recipe import read_recipe
from seedtrain.simulation import Run, Variable, VesselEntry, read_culture, simulate
from tests.development.own_data import command
from tests.development_fit import small

LINE = (("b", "lin", -50, 50, 0.1, 1), ("A_0", "lin", -200, 200, 1, 1), ("sigma", "lin", 0.01, 10, 0.4, 0))


def fitted(folder: Path, **more) -> Fit:
    return fit_problem(read_petab(small.write(folder, **more)), count=0, profiles=())


@pytest.fixture(scope="module")
def decay(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("decay"), parameters=small.DECAY, rows=small.decay_rows())


def test_the_posterior_of_a_straight_line_is_its_normal(tmp_path):
    """Flat priors and a known deviation: mean and covariance are those of least squares."""
    t = np.linspace(0, 9, 10)
    y = 3.0 + 0.7 * t + 0.4 * np.random.default_rng(5).normal(size=10)
    rows = list(zip(t.tolist(), y.tolist(), strict=True))
    found = sample_posterior(fitted(tmp_path, rate="b", parameters=LINE, rows=rows), 1600, seed=1)
    A = np.stack([t, np.ones(10)], axis=1)
    covariance = 0.16 * np.linalg.inv(A.T @ A)
    mean, deviation = np.linalg.solve(A.T @ A, A.T @ y), np.sqrt(np.diag(covariance))
    draws = found.draws.reshape(-1, 2)
    assert found.mixed
    assert (np.abs(draws.mean(axis=0) - mean) < 0.12 * deviation).all()  # four standard errors of 1,100 draws
    assert np.cov(draws.T) == pytest.approx(covariance, rel=0.2)
    for at, item in enumerate(found.marginals):
        assert item.low == pytest.approx(mean[at] - 1.645 * deviation[at], abs=0.25 * deviation[at])
        assert item.high == pytest.approx(mean[at] + 1.645 * deviation[at], abs=0.25 * deviation[at])


def test_the_density_has_the_gradient_that_it_says(decay):
    parameters = list(decay.problem.parameters)
    parameters[0] = type(parameters[0])("k", "log10", 0.001, 100, 5, prior=Prior("normal", 0.3, 0.1))
    parameters[1] = type(parameters[1])("A_0", "log10", 0.1, 1000, 10, prior=Prior("logNormal", 3.0, 0.5))
    target = Target(type(decay.problem)("p", tuple(parameters), decay.problem.experiments))
    z = target.logits(decay.best.x) + 0.01
    _value, slope = target.density(z)
    for at in range(3):
        step = np.eye(3)[at] * 1e-3
        up, down = target.density(z + step)[0], target.density(z - step)[0]
        assert slope[at] == pytest.approx((up - down) / 2e-3, rel=2e-2, abs=2e-2)


def test_a_prior_on_a_value_is_a_density_of_the_value(decay):
    """The same prior told of the value, and of its logarithm with the change of variables."""
    parameters = list(decay.problem.parameters)
    first, second = (list(parameters) for _ in range(2))
    first[0] = type(parameters[0])("k", "log", 0.001, 100, 5, prior=Prior("logNormal", -1.0, 0.3))
    second[0] = type(parameters[0])("k", "log", 0.001, 100, 5, prior=Prior("parameterScaleNormal", -1.0, 0.3))
    one, two = (Target(type(decay.problem)("p", tuple(p), decay.problem.experiments)) for p in (first, second))
    x = decay.best.x.copy()
    x[0] = np.log(0.3)
    gaps = []
    for shift in (0.0, 0.1):
        z = one.logits(x) + np.array([shift, 0, 0])
        gaps.append(one.density(z)[0] - two.density(z)[0])
    assert gaps[0] == pytest.approx(gaps[1], abs=1e-6)


def test_effective_draws_and_agreement_are_those_of_known_series():
    dice = np.random.default_rng(3)
    independent = dice.normal(size=(4, 2000))
    assert split_rhat(independent) < 1.01
    assert effective(independent)[0] == pytest.approx(8000, rel=0.15)
    series = np.zeros((4, 4000))
    for at in range(1, 4000):
        series[:, at] = 0.9 * series[:, at - 1] + dice.normal(size=4)
    assert effective(series)[0] == pytest.approx(16000 * 0.1 / 1.9, rel=0.25)
    assert split_rhat(independent + np.array([0, 0, 0, 1.0])[:, None]) > 1.05
    assert split_rhat(independent * np.array([1, 1, 1, 4.0])[:, None]) > 1.05
    assert not split_rhat(np.ones((4, 100))) <= 1.03


def test_what_made_the_data_lies_in_the_posterior_and_its_intervals_are_the_profiles(decay):
    found = sample_posterior(decay, 800, seed=2)
    profiles = fit_problem(decay.problem, count=0, profiles=("k", "A_0")).intervals
    assert found.mixed
    for name, truth in (("k", 0.3), ("A_0", 20.0)):
        item = next(each for each in found.marginals if each.name == name)
        low, high = profiles[name].low, profiles[name].high
        assert item.low is not None
        assert item.high is not None
        assert low is not None
        assert high is not None
        assert item.low < truth < item.high
        assert item.low == pytest.approx(low, abs=0.2 * (high - low))
        assert item.high == pytest.approx(high, abs=0.2 * (high - low))


def test_a_side_that_only_a_bound_closes_is_refused(tmp_path):
    """All decay is over at the first reading after the start: the rate has a lower limit and no upper one."""
    parameters = (("k", "log10", 0.1, 1000, 10, 1), ("A_0", "log10", 1, 100, 20, 1), ("sigma", "lin", 0.1, 1, 0.5, 0))
    rows = [(0.0, 20.3), (0.0, 19.6), (2.0, 0.2), (2.0, -0.3), (4.0, 0.1)]
    found = sample_posterior(fitted(tmp_path, parameters=parameters, rows=rows), 400, seed=1)
    rate, amount = found.marginals
    assert rate.high is None
    if found.mixed:
        assert rate.low is not None
        assert amount.low is not None


def test_draws_after_a_kill_are_those_without_one(decay, tmp_path):
    whole = sample_posterior(decay, 400, seed=4, keep=tmp_path / "whole")
    data = json.loads((tmp_path / "whole" / "chain-2.json").read_text())
    target = Target(decay.problem)
    half = Chain(target, 200, 100, target.covariance(decay.best.x))
    half.begin(decay.best.x, 4, 1)
    while half.done < 150:
        half.iterate()
    part = tmp_path / "part"
    part.mkdir()
    (part / "chain-2.json").write_text(json.dumps({"key": data["key"], "chain": half.to_data()}))
    (part / "chain-3.json").write_text("{")
    again = sample_posterior(decay, 400, seed=4, keep=part)
    assert again.draws.tolist() == whole.draws.tolist()
    assert sample_posterior(decay, 400, seed=4, keep=part).to_csv() == whole.to_csv()


def test_too_few_draws_and_damaged_tables_are_refused(decay, tmp_path):
    with pytest.raises(InputError, match="100 draws"):
        sample_posterior(decay, 100)
    path = tmp_path / "draws.csv"
    for text, words in (("k,l\n1,2\n", "no column"), ("chain,draw,negative_log_posterior,k\n1,1,0.5,x\n", "k is 'x'")):
        path.write_text(text)
        with pytest.raises(InputError, match=words) as caught:
            read_draws(path)
        assert caught.value.parts[0].position is not None


def test_the_command_writes_draws_and_refuses_too_few(tmp_path):
    small.write(tmp_path, parameters=small.DECAY, rows=small.decay_rows())
    options = ("fit", "small.yaml", "--starts", "0", "--hops", "0", "--profiles", "none")
    done = command(tmp_path, *options, "--posterior", "600", "-o", "fitted", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["posterior"]
    assert told["draws"] == 600
    assert told["mixed"]
    assert json.loads((tmp_path / "fitted" / "fit.json").read_text())["posterior"] == told
    draws = read_draws(tmp_path / "fitted" / "draws.csv")
    assert set(draws) == {"k", "A_0", "sigma"}
    assert np.median(draws["k"]) == pytest.approx(told["parameters"]["k"]["median"])
    assert "Posterior" in (tmp_path / "fitted" / "fit.html").read_text()
    bad = command(tmp_path, *options, "--posterior", "10")
    assert bad.returncode == 2
    assert "400 draws" in bad.stderr


@pytest.mark.slow
def test_chains_on_a_bent_ridge_do_not_agree_and_give_no_interval(tmp_path):
    parameters = (("k", "log10", 0.001, 100, 1, 1), ("m", "log10", 0.001, 100, 1, 1), *small.DECAY[1:])
    fit = fitted(tmp_path, rate="-k*m*A", parameters=parameters, rows=small.decay_rows(sigma=0.2))
    found = sample_posterior(fit, 800, seed=1)
    assert not found.mixed
    assert all(item.low is None and item.high is None for item in found.marginals)
    assert "do not agree" in found.warnings[0]


@pytest.mark.slow
def test_nine_in_ten_quantile_intervals_cover_what_was_drawn_from_the_prior(tmp_path):
    """150 data sets, three parameters drawn from their priors each: the standard error of the share is 1.4 %."""
    bounds = {"k": (0.1, 1.0), "A_0": (10.0, 40.0), "sigma": (0.2, 1.0)}
    parameters = tuple((name, "log10", low, high, low * 2, 1) for name, (low, high) in bounds.items())
    dice = np.random.default_rng(11)
    covered = count = 0
    for seed in range(150):
        truth = {name: float(np.exp(dice.uniform(*np.log(pair)))) for name, pair in bounds.items()}
        rows = small.decay_rows(**truth, count=12, seed=seed)
        found = sample_posterior(fitted(tmp_path / str(seed), parameters=parameters, rows=rows), 400, seed=seed)
        for at, value in enumerate(truth.values()):
            low, high = np.quantile(found.draws[..., at], [0.05, 0.95])
            covered += low <= value <= high
            count += 1
    assert 0.86 <= covered / count <= 0.94
    print(f"covered {covered} of {count}")


BOUNDS = {"q_S_max": (0.45, 0.95), "Y_em": (0.40, 0.60), "p_A_max": (0.10, 0.35)}


def fed_batch(seed: int) -> tuple[Problem, dict[str, float]]:
    """One fed batch read eight times for four variables, scatter known; and the constants that made it."""
    culture, recipe = read_culture("ecoli_balanced"), read_recipe(CASES / "fed-batch.yaml")
    units = read_document(CASES / "fed-batch-plant.yaml").data["units"]
    vessel = VesselEntry.model_validate(units["BENCH-1L"]).vessel("BENCH-1L")
    dice = np.random.default_rng([7, seed])
    truth = {name: dice.uniform(0.7 * a + 0.3 * b, 0.3 * a + 0.7 * b) for name, (a, b) in BOUNDS.items()}
    initial = {"X": 0.2, "S": 9.0, "A": 0.0}
    run = simulate(culture, vessel, recipe, parameters=truth, initial=initial)
    times = np.linspace(2.0, float(run.time[-1]) - 0.1, 8)
    seen = {
        name: Variable(name, run.variables[name].unit,
                       np.array([run.at(name, time) for time in times]) + SCATTER[name] * dice.normal(size=len(times)))
        for name in ("X", "S", "A", "OUR")
    }  # fmt: skip
    read = Run("simulated", recipe.digest, culture.name, vessel.name, "production", times, seen)
    errors = {name: ErrorModel("constant", SCATTER[name]) for name in seen}
    measured = MeasuredRun("B1", read, recipe, vessel, initial=initial)
    return culture_problem(culture, [measured], tuple(BOUNDS), errors=errors, bounds=BOUNDS), truth


@pytest.mark.slow
def test_nine_in_ten_quantile_intervals_of_fed_batches_cover_what_made_them():
    """Eight CPU s a data set; docs/validation.md has the share of more of them."""
    covered = count = 0
    for seed in range(20):
        problem, truth = fed_batch(seed)
        fit = fit_problem(problem, count=0, profiles=())
        target = Target(problem)
        chain = Chain(target, 100, 200, target.covariance(fit.best.x))
        chain.begin(fit.best.x, seed, 0)
        while not chain.finished:
            chain.iterate()
        draws = np.array([problem.values(target.point(np.array(row))) for row in chain.draws])
        for at, value in enumerate(truth.values()):
            low, high = np.quantile(draws[:, at], [0.05, 0.95])
            covered += low <= value <= high
            count += 1
    print(f"covered {covered} of {count}")
    assert 0.8 <= covered / count <= 0.99
