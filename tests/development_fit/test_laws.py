"""Laws of estimation, on problems that have an answer in closed form."""

import json
import math
import os
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from seedtrain.base import InputError
from seedtrain.development import fit_problem, petab_problem, read_petab, read_petab_tables, write_petab
from seedtrain.development._estimation import _fit
from seedtrain.development._estimation._search import box_step, search
from seedtrain.development._estimation._tied import tied_parameters
from tests.development_fit import small


def test_known_parameters_come_back_from_data_without_noise(tmp_path):
    parameters = (
        ("k", "log10", 0.001, 100, 5, 1),
        ("A_0", "log10", 0.1, 1000, 100, 1),
        ("sigma", "lin", 0.01, 1, 0.1, 0),
    )
    path = small.write(tmp_path, parameters=parameters, rows=small.decay_rows(sigma=0.0))
    found = fit_problem(read_petab(path), count=5, profiles=())
    assert found.values == pytest.approx({"k": 0.3, "A_0": 20.0}, rel=1e-4)
    assert found.reached >= 5


def test_another_optimiser_on_the_closed_form_finds_nothing_better(tmp_path):
    rows = small.decay_rows()
    found = fit_problem(read_petab(small.write(tmp_path, parameters=small.DECAY, rows=rows)), count=4, profiles=())
    t, y = np.array(rows).T

    def objective(x):
        k, A_0, sigma = 10.0 ** np.array(x)
        return float((0.5 * ((y - A_0 * np.exp(-k * t)) / sigma) ** 2 + np.log(sigma * math.sqrt(2 * math.pi))).sum())

    other = optimize.differential_evolution(objective, [(-3, 2), (-1, 3), (-6, 1)], seed=1, tol=1e-10)
    assert found.best.objective == pytest.approx(other.fun, abs=1e-4)
    assert np.log10(list(found.values.values())) == pytest.approx(other.x, abs=1e-3)


def test_units_and_the_scale_of_the_search_change_nothing_but_a_constant(tmp_path):
    rows = small.decay_rows()
    plain = fit_problem(read_petab(small.write(tmp_path / "a", parameters=small.DECAY, rows=rows)), count=3)
    milli = small.write(
        tmp_path / "b", parameters=(*small.DECAY[:2], ("sigma", "log10", 1e-3, 1e4, 1000, 1)), observable="1000*A",
        rows=[(t, 1000 * y) for t, y in rows],
    )  # fmt: skip
    scaled = fit_problem(read_petab(milli), count=3)
    assert scaled.best.objective - plain.best.objective == pytest.approx(len(rows) * math.log(1000), abs=1e-3)
    linear = tuple((name, "lin", 0.01 if name == "sigma" else low, min(high, 40), 1, 1)
                   for name, _, low, high, _, _ in small.DECAY)  # fmt: skip
    other = fit_problem(read_petab(small.write(tmp_path / "c", parameters=linear, rows=rows)), count=3)
    for fit in (scaled, other):
        for name in ("k", "A_0"):
            assert fit.values[name] == pytest.approx(plain.values[name], rel=2e-3)
            assert fit.intervals[name].low == pytest.approx(plain.intervals[name].low, rel=0.01)
            assert fit.intervals[name].high == pytest.approx(plain.intervals[name].high, rel=0.01)


def test_profiles_of_a_straight_line_are_students_intervals(tmp_path):
    dice = np.random.default_rng(5)
    t = np.linspace(0, 9, 10)
    y = 3.0 + 0.7 * t + 0.4 * dice.normal(size=10)
    parameters = (("b", "lin", -5, 5, 0.1, 1), ("A_0", "lin", -20, 20, 1, 1), ("sigma", "log10", 1e-3, 10, 1, 1))
    path = small.write(tmp_path, rate="b", parameters=parameters, rows=list(zip(t.tolist(), y.tolist(), strict=True)))
    found = fit_problem(read_petab(path), count=3)
    line = stats.linregress(t, y)
    half = stats.t.ppf(0.95, 8) * line.stderr
    assert found.intervals["b"].low == pytest.approx(line.slope - half, abs=0.03 * half)
    assert found.intervals["b"].high == pytest.approx(line.slope + half, abs=0.03 * half)
    half = stats.t.ppf(0.95, 8) * line.intercept_stderr
    assert found.intervals["A_0"].high == pytest.approx(line.intercept + half, abs=0.03 * half)


def test_what_only_a_product_decides_gets_no_interval_and_says_so(tmp_path):
    parameters = (("k", "log10", 0.001, 100, 1, 1), ("m", "log10", 0.001, 100, 1, 1), *small.DECAY[1:])
    path = small.write(tmp_path, rate="-k*m*A", parameters=parameters, rows=small.decay_rows(sigma=0.2))
    found = fit_problem(read_petab(path), count=3)
    assert not found.intervals["k"].identified
    assert not found.intervals["m"].identified
    assert found.intervals["A_0"].identified
    assert found.directions[-1].information < 1e-6 * found.directions[0].information
    assert {name for name, _ in found.directions[-1].parts} == {"k", "m"}
    (tied,) = found.tied
    assert tied.names == ("k", "m")
    assert tied.index > 1000
    assert tied.combination == "k * m"
    assert tied.low < 0.3 < tied.high
    advice = {item.parameter: item for item in found.advice}
    assert set(advice) == {"k", "m"}
    assert advice["k"].reading == ""  # nothing that the model tells parts the two


def test_a_bound_of_the_one_gives_the_other_no_interval(tmp_path):
    """The profile of k ends where m meets its bounds, and not where the data object."""
    parameters = (("k", "log10", 0.001, 100, 1, 1), ("m", "log10", 0.5, 2, 1, 1), *small.DECAY[1:])
    rows = small.decay_rows(sigma=0.2)
    for rate, words in (("-k*m*A", "k * m"), ("-k/m*A", "k / m")):
        found = fit_problem(
            read_petab(small.write(tmp_path / "a", rate=rate, parameters=parameters, rows=rows)), count=2
        )
        assert found.intervals["k"].tied == ("m",)
        assert not found.intervals["k"].identified
        assert found.tied[0].combination == words
        assert found.tied[0].low < 0.3 < found.tied[0].high
        assert found.tied[0].value == pytest.approx(0.3, rel=0.1)
        assert found.to_data()["parameters"][0]["interval"]["known_only_with"] == ["m"]
    known = (("k", "log10", 0.001, 100, 1, 1, "parameterScaleNormal", "0;0.1"), *parameters[1:])
    path = small.write(tmp_path / "b", rate="-k*m*A", parameters=known, rows=rows)
    text = (
        (path.parent / "parameters.tsv")
        .read_text()
        .replace("estimate\n", "estimate\tobjectivePriorType\tobjectivePriorParameters\n")
    )
    (path.parent / "parameters.tsv").write_text(text)
    assert not fit_problem(read_petab(path), count=2, profiles=()).tied  # what is known from elsewhere parts them


@pytest.mark.parametrize(("beside", "names"), [(0.02, ("a", "b")), (0.5, ("a", "b", "c"))])
def test_what_hardly_moves_along_what_the_data_do_not_see_is_not_tied(beside, names):
    """It goes 1.4 of its deviations that way, not 5; and with 33 it does."""
    unseen = np.array([1.0, -1.0, beside])
    unseen /= np.linalg.norm(unseen)
    best: Any = SimpleNamespace(x=np.array([-1.0, 0.5, 0.5]), fisher=1e4 * (np.eye(3) - np.outer(unseen, unseen)))
    problem: Any = SimpleNamespace(
        noise=(), low=np.zeros(3), high=np.ones(3), names=("a", "b", "c"), parameters=(None, None, None),
        values=lambda x: x,
    )  # fmt: skip
    assert [item.names for item in tied_parameters(problem, best, 1.645)] == [names]


def test_the_reading_that_is_advised_does_identify(tmp_path):
    """Readings at the plateau tell the amount and no rate; the advice is to read earlier, and there the rate stands."""
    parameters = (
        ("k", "log10", 0.001, 100, 1, 1),
        ("A_0", "log10", 0.1, 1000, 10, 1),
        ("sigma", "lin", 0.1, 1, 0.2, 0),
    )
    rows = [(time, 0.01 * (-1) ** int(time)) for time in (80.0, 85.0, 90.0, 95.0)]
    found = fit_problem(read_petab(small.write(tmp_path / "a", parameters=parameters, rows=rows)), count=4)
    opened = [item for item in found.advice if item.reading == "y"]
    assert opened
    assert opened[0].time < 80.0


def test_a_problem_written_out_is_the_same_problem(tmp_path):
    tables = read_petab_tables(small.write(tmp_path, parameters=small.DECAY, rows=small.decay_rows()))
    first = petab_problem(tables)
    found = fit_problem(first, count=2, profiles=())
    path = write_petab(tables, tmp_path / "out", found.values)
    again = read_petab(path)
    assert again.evaluate(again.scaled({})).objective == pytest.approx(found.best.objective, abs=1e-6)
    assert [item.name for item in again.parameters] == [item.name for item in first.parameters]
    if find_spec("petab") is not None or os.environ.get("SEEDTRAIN_REQUIRE_JUDGES"):
        petab = import_module("petab.v1")

        judged = petab.Problem.from_yaml(str(path))
        assert not petab.lint_problem(judged)
        assert judged.measurement_df.measurement.sum() == pytest.approx(sum(y for _, y in small.decay_rows()))


def test_log_normal_noise_is_least_squares_of_logarithms(tmp_path):
    rows = [(t, abs(y) + 0.1) for t, y in small.decay_rows()]
    path = small.write(tmp_path, parameters=small.DECAY, rows=rows, transform="log")
    found = fit_problem(read_petab(path), count=3, profiles=())
    t, y = np.array(rows).T
    slope, intercept = np.polyfit(t, np.log(y), 1)
    assert found.values["k"] == pytest.approx(-slope, rel=1e-3)
    assert found.values["A_0"] == pytest.approx(math.exp(intercept), rel=1e-3)
    sigma = math.sqrt(float(np.mean((np.log(y) - slope * t - intercept) ** 2)))
    density = stats.lognorm.logpdf(y, sigma, scale=np.exp(slope * t + intercept)).sum()
    assert found.best.objective == pytest.approx(-density, abs=1e-3)


def test_proportional_noise_has_the_density_that_it_says(tmp_path):
    parameters = (*small.DECAY[:2], ("share", "log10", 1e-3, 1, 0.1, 1))
    path = small.write(tmp_path, parameters=parameters, rows=small.decay_rows(), noise="share*A + 0.3")
    problem = read_petab(path)
    values = {"k": 0.25, "A_0": 18.0, "share": 0.07}
    x = problem.scaled(values)
    t, y = np.array(small.decay_rows()).T
    told = 18.0 * np.exp(-0.25 * t)
    density = stats.norm.logpdf(y, told, 0.07 * told + 0.3).sum()
    found = problem.evaluate(x, rtol=1e-10)
    assert found.objective == pytest.approx(-density, abs=1e-6)
    for at in range(3):
        step = np.eye(3)[at] * 1e-4
        up, down = (problem.evaluate(x + sign * step, rtol=1e-11).objective for sign in (1, -1))
        assert found.gradient[at] == pytest.approx((up - down) / 2e-4, rel=1e-4, abs=1e-4)


def test_an_interrupted_fit_goes_on_and_another_problem_starts_anew(tmp_path, monkeypatch):
    path = small.write(tmp_path, parameters=small.DECAY, rows=small.decay_rows())
    keep = tmp_path / "starts.json"
    whole = fit_problem(read_petab(path), count=4, profiles=(), keep=keep)
    data = json.loads(keep.read_text())
    del data["starts"]["2"]
    keep.write_text(json.dumps(data))
    asked = []
    real = search

    def counted(*args, **more):
        asked.append(args)
        return real(*args, **more)

    monkeypatch.setattr(_fit, "search", counted)
    again = fit_problem(read_petab(path), count=4, profiles=(), keep=keep)
    assert len(asked) == 1
    assert again.best.objective == whole.best.objective
    keep.write_text("{")
    fit_problem(read_petab(path), count=4, profiles=(), keep=keep)
    assert len(asked) == 1 + 5


def test_a_step_in_a_box_is_scipys():
    dice = np.random.default_rng(2)
    for _ in range(60):
        n = int(dice.integers(1, 8))
        J, r = dice.normal(size=(n + 3, n)), dice.normal(size=n + 3)
        low, high = -dice.random(n), dice.random(n)
        low[dice.random(n) < 0.2] = 0.0
        step = box_step(J.T @ r, J.T @ J, low, high)
        judge = optimize.lsq_linear(J, -r, (low - 1e-300, high + 1e-300), tol=1e-14).x
        assert 0.5 * np.sum((J @ step + r) ** 2) <= 0.5 * np.sum((J @ judge + r) ** 2) + 1e-9
        assert (step >= low).all()
        assert (step <= high).all()


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("measurements.tsv", "\t0.0\n", "\tsoon\n", "time is 'soon'"),
        ("measurements.tsv", "y\tone", "z\tone", "no observable 'z'"),
        ("measurements.tsv", "y\tone", "y\ttwo", "no condition 'two'"),
        ("parameters.tsv", "k\tlog10\t0.001", "k\tlog10\t0", "by its logarithm"),
        ("parameters.tsv", "k\tlog10", "k\tln", "parameterScale is 'ln'"),
        ("observables.tsv", "\tA\t", "\tA*B\t", "'B' in 'A*B' is unknown"),
        ("observables.tsv", "\tA\t", "\tsin(A)\t", "function 'sin'"),
        ("conditions.tsv", "conditionId\tA", "conditionId\tQ", "model has no 'Q'"),
        ("small.yaml", "format_version: 1", "format_version: 2", "version is '2'"),
        ("parameters.tsv", "upperBound", "upper", "no column 'upperBound'"),
    ],
)
def test_faults_of_a_problem_are_told_with_file_and_line(tmp_path, file, old, new, words):
    path = small.write(tmp_path, parameters=small.DECAY, rows=small.decay_rows())
    target = tmp_path / file
    target.write_text(target.read_text().replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_petab(path).evaluate(np.zeros(3))
    assert words in str(caught.value)
    position = caught.value.parts[0].position
    assert position is not None
    assert position.file.endswith(file)
    assert position.line >= 1


@pytest.mark.slow
def test_nine_in_ten_intervals_cover_what_made_the_data(tmp_path):
    """Three observed standard errors of the share are 1.3 %: 400 data sets, two parameters each."""
    truth, covered, count = {"k": 0.3, "A_0": 20.0}, 0, 0
    for seed in range(400):
        path = small.write(tmp_path / str(seed), parameters=small.DECAY, rows=small.decay_rows(seed=seed, count=12))
        found = fit_problem(read_petab(path), count=0, profiles=tuple(truth))
        for name, value in truth.items():
            item = found.intervals[name]
            covered += item.low is not None and item.high is not None and item.low <= value <= item.high
            count += 1
    assert 0.87 <= covered / count <= 0.93


def test_fewer_readings_than_parameters_are_refused_and_bounds_are_no_data(tmp_path):
    rows = small.decay_rows(count=2)
    with pytest.raises(InputError, match=r"2 readings cannot tell 3 parameters \(k, A_0, sigma\)") as caught:
        fit_problem(read_petab(small.write(tmp_path / "few", parameters=small.DECAY, rows=rows)), count=0)
    assert "--error" in caught.value.remedy
    blind = (*small.DECAY, ("m", "log10", 1, 100, 8, 1))
    path = small.write(tmp_path / "blind", rate="-k*A + 0*m", parameters=blind, rows=small.decay_rows())
    found = fit_problem(read_petab(path), count=0, profiles=()).intervals
    assert found["k"].identified
    assert (found["m"].low, found["m"].high) == (None, None)
