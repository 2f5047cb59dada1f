"""What a further run tells where runs differ: as generalised least squares and a fit with that run find it."""

import dataclasses
import json
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.linalg import block_diag

from seedtrain.base import use_language
from seedtrain.cli._fit import _opened
from seedtrain.development import (
    Differing,
    ErrorModel,
    Vary,
    culture_problem,
    few_runs_words,
    fit_problem,
    next_blocks,
    next_lines,
    next_runs,
    run_information,
)
from seedtrain.development._estimation import Ahead, RunSlopes, weighted_slopes
from seedtrain.development._estimation._intervals import Interval, advise
from seedtrain.development._estimation._restricted import (
    Crossed,
    expected_information,
    further,
    of_innovation,
    of_typical,
    restricted,
    state,
)
from seedtrain.development._identify._information import changed
from seedtrain.program._dossier_campaign import _differ, _experiments
from seedtrain.report import Paragraph
from seedtrain.simulation import Run, Variable, culture_of_text, simulate
from tests.development.own_data import command, keep_readings
from tests.development_fit.test_between import FIT, crossed, line, problem_of, read_again
from tests.development_hybrid import strain

VARIANCES = np.array([0.6, 0.05])
OPTIONS: dict[str, Any] = {
    "observables": ("X", "S"),
    "errors": {name: ErrorModel("constant", size) for name, size in strain.SCATTER.items()},
    "bounds": {"Y_XS": (0.3, 0.6)},
}


# a linear model, against formulas of others


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), rank=st.integers(1, 4), count=st.integers(2, 9))
def test_runs_tell_no_more_than_how_far_they_differ_and_two_of_them_more_than_one_of_twice_the_readings(
    seed, rank, count
):
    dice = np.random.default_rng(seed)
    rows = dice.normal(size=(rank, 4))
    told, between = rows.T @ rows, np.diag(dice.uniform(0.01, 2.0, 2))
    one = of_typical(told, (0, 2), np.diag(between))
    if rank == 4:
        whole = np.linalg.inv(told)
        whole[np.ix_((0, 2), (0, 2))] += between
        assert one == pytest.approx(np.linalg.inv(whole), rel=1e-6, abs=1e-9 * np.abs(told).max())
    for more in (told - one, count * one - of_typical(count * told, (0, 2), np.diag(between))):
        assert np.linalg.eigvalsh(more).min() > -1e-9 * np.abs(told).max()
    many = of_typical(1e6 * told, (0, 2), np.diag(between))
    own = np.eye(4)[:, [0, 2]]
    if rank == 4:
        least = np.linalg.inv(many)[np.ix_((0, 2), (0, 2))]
        assert np.linalg.eigvalsh(least - between).min() > -1e-3
    assert own.T @ of_typical(told, (0, 2), np.zeros(2)) @ own == pytest.approx(own.T @ told @ own)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), rank=st.integers(1, 6))
def test_a_further_reading_adds_its_innovation(seed, rank):
    """What a run tells of the typical one with a reading more, less what it tells without."""
    dice = np.random.default_rng(seed)
    rows, slope = dice.normal(size=(rank, 4)), dice.normal(size=4)
    told, variances = rows.T @ rows, dice.uniform(0.01, 2.0, 2)
    more = of_typical(told + np.outer(slope, slope), (0, 2), variances) - of_typical(told, (0, 2), variances)
    found = of_innovation(told, (0, 2), variances, slope)
    assert np.outer(found, found) == pytest.approx(more, abs=1e-9 * np.abs(told).max())


def further_line(count=5):
    t = np.linspace(-0.5, 3.0, count)
    return np.stack([np.ones(count), t], axis=1)


def test_the_covariance_after_a_further_run_is_that_of_statsmodels_generalised_least_squares():
    A, run, y = line()
    found = restricted(crossed(A, run, y, scatter=0.2), VARIANCES.tolist())
    more = further_line()
    after = further(
        crossed(A, run, y, scatter=0.2), found,
        crossed(more, np.zeros(len(more), dtype=int), np.zeros(len(more)), scatter=0.2), VARIANCES.tolist(),
    )  # fmt: skip
    parts = [*(A[run == each] for each in range(6)), more]
    stacked = np.concatenate(parts)
    V = block_diag(*(part @ np.diag(VARIANCES) @ part.T + 0.04 * np.eye(len(part)) for part in parts))
    sm = import_module("statsmodels.api")
    theirs = sm.GLS(np.zeros(len(stacked)), stacked, sigma=V).fit().normalized_cov_params
    assert after.state.covariance == pytest.approx(theirs, rel=1e-9)
    assert np.isinf(after.freedom).all()  # nothing was estimated


def test_a_further_run_of_a_balanced_design_gives_students_interval_of_one_run_more():
    _A, run, y = line(own=(0.8, 0.0))
    runs = crossed(np.ones((len(y), 1)), run, y, moving=(0,))
    found = restricted(runs)
    more = crossed(np.ones((8, 1)), np.zeros(8, dtype=int), np.zeros(8), moving=(0,))
    after = further(runs, found, more)
    means = np.array([y[run == each].mean() for each in range(6)])
    assert np.sqrt(after.state.covariance[0, 0]) == pytest.approx(means.std(ddof=1) / np.sqrt(7), rel=1e-4)
    assert after.freedom[0] == pytest.approx(6.0, rel=1e-2)
    assert found.freedom[0] == pytest.approx(5.0, rel=1e-2)


def test_the_promise_is_what_restricted_likelihood_gives_with_the_run_on_the_mean():
    """Squares of the interval of fits with a seventh run, drawn 60 times from the variances of the first six."""
    A, run, y = line(own=(0.8, 0.3))
    runs = crossed(A, run, y)
    found = restricted(runs)
    more = further_line(8)
    promised = further(runs, found, crossed(more, np.zeros(8, dtype=int), np.zeros(8)))
    dice = np.random.default_rng(3)
    seen = []
    scatter = np.exp(found.factors[1])
    for _ in range(60):
        own = found.state.x + np.sqrt(found.variances + np.diag(found.state.covariance)) * dice.normal(size=2)
        read = more @ own + scatter * dice.normal(size=8)
        again = restricted(crossed(np.concatenate([A, more]), np.append(run, np.full(8, 6)), np.append(y, read)))
        seen.append(np.diag(again.state.covariance) * stats.t.ppf(0.95, again.freedom) ** 2)
    expected = np.diag(promised.state.covariance) * stats.t.ppf(0.95, promised.freedom) ** 2
    error = np.std(seen, axis=0) / np.sqrt(len(seen))
    assert (np.abs(np.mean(seen, axis=0) - expected) < 3 * error + 0.03 * expected).all()


def test_what_runs_tell_of_variances_is_half_the_trace():
    """Harville 1977, section 5, with matrices written out: two variances between runs, two groups of readings."""
    dice = np.random.default_rng(5)
    designs = [dice.normal(size=(size, 3)) for size in (5, 7)]
    of = [dice.integers(0, 2, len(part)) for part in designs]
    products = np.array([
        [np.pad(part[mine == group].T @ part[mine == group], (0, 1)) for part, mine in zip(designs, of, strict=True)]
        for group in (0, 1)
    ])  # fmt: skip
    counts = np.array([[float((mine == group).sum()) for mine in of] for group in (0, 1)])
    runs = Crossed(products, counts, (True, True), np.zeros((3, 3)), np.zeros(3), (0, 2), np.full(2, 1e4))
    factors = np.array([0.3, -0.4])
    expected = np.zeros((4, 4))
    for part, mine in zip(designs, of, strict=True):
        Z, scatter = part[:, [0, 2]], np.exp(2 * factors)[mine]
        inverse = np.linalg.inv(Z @ np.diag(VARIANCES) @ Z.T + np.diag(scatter))
        by = [np.outer(z, z) for z in Z.T] + [np.diag(2 * scatter * (mine == group)) for group in (0, 1)]
        expected += [[0.5 * np.trace(inverse @ one @ inverse @ other) for other in by] for one in by]
    assert expected_information(runs, VARIANCES, factors) == pytest.approx(expected, rel=1e-9)


# a culture


@pytest.fixture(scope="module")
def batches(tmp_path_factory):
    names = ("B2", "B3", "B4", "B5", "B3")
    found = [strain.batches(tmp_path_factory.mktemp("strain"), "monod", (name,))[0] for name in names]
    return [dataclasses.replace(item, name=f"R{number}") for number, item in enumerate(found, 1)]


@pytest.fixture(scope="module")
def different(batches):
    """Four runs that differ and a fifth, set as the second, and the fit of the four."""
    problem = read_again(problem_of(batches), np.random.default_rng(4), {"q_S_max": 0.05, "Y_XS": 0.03})
    four = dataclasses.replace(problem, experiments=problem.experiments[:4])
    declared = {"q_S_max": 0.055, "Y_XS": 0.0135}
    return problem, fit_problem(four, count=0, profiles=(), between=declared)


def ahead_of(fit):
    assert fit.linear is not None
    return Ahead(fit.problem, fit.linear)


def plan_of(fit, like, differing, **more):
    culture = culture_of_text(strain.text("monod"), "monod")
    more = {"vary": [], "samples": 8, "options": OPTIONS, **more}
    return next_runs(culture, fit.problem, fit.best.x, like, tuple(FIT), differing=differing, **more)


@pytest.mark.parametrize(
    ("per_run", "errors", "between", "near"),
    [
        pytest.param((), {}, {"q_S_max": 0.055, "Y_XS": 0.0135}, 0.01, id="constant"),
        pytest.param(("Y_XS",), {}, {"q_S_max": 0.055}, 0.02, id="per run"),
        # A system of its own to compile; how far K_S differs bends the readings.
        pytest.param(
            (),
            {"X": ErrorModel("proportional", 0.02)},
            {"q_S_max": 0.055, "K_S": 0.1},
            0.06,
            id="proportional",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_expected_interval_is_that_of_a_fit_with_the_planned_run(
    batches, different, per_run, errors, between, near
):
    """How far runs differ is declared, and the planned run is read where the model expects it."""
    read, culture = different[0].experiments[:4], culture_of_text(strain.text("monod"), "monod")
    options = {**OPTIONS, "per_run": per_run, "errors": {**OPTIONS["errors"], **errors}}

    def problem_with(runs):
        """The readings of runs that differ, and one more where there is one."""
        found = culture_problem(culture, runs, tuple(FIT), **options)
        kept = [
            dataclasses.replace(item, readings=dataclasses.replace(item.readings, value=seen.readings.value))
            for item, seen in zip(found.experiments, read, strict=False)
        ]
        return dataclasses.replace(found, experiments=(*kept, *found.experiments[4:]))

    fit = fit_problem(problem_with(batches[:4]), count=0, profiles=(), between=between)
    plan = plan_of(fit, batches[1], Differing.of(fit), options=options, aims=("q_S_max", "K_S"))
    values = {name: value for name, value in fit.values.items() if "@" not in name}
    setting, times = changed(batches[1], plan.runs[0].settings), np.array(plan.runs[0].times)
    run = simulate(culture, setting.vessel, setting.recipe, initial=setting.initial, parameters=values)
    seen = {name: Variable(name, "g/L", np.array([run.at(name, time) for time in times])) for name in strain.SCATTER}
    made = Run("simulated", run.recipe_digest, "strain", run.vessel, "production", times, seen)
    five = problem_with([*batches[:4], dataclasses.replace(setting, name="made", run=made)])
    again = fit_problem(five, count=0, profiles=(), between=between)
    for item in plan.expected:
        about, found = five.parameters[five.names.index(item.name)], again.intervals[item.name]
        half, expected = (0.5 * (about.scaled(ends.high) - about.scaled(ends.low)) for ends in (found, item))
        assert expected == pytest.approx(half, rel=near)
    alike = plan_of(fit, batches[1], None, options=options)
    assert alike.expected[0].high - alike.expected[0].low < 0.5 * (plan.expected[0].high - plan.expected[0].low)


def test_errors_that_are_estimated_are_told_better_by_further_runs_each_by_its_own_readings(batches):
    """So many readings again halve the variance of the scatter of X; those of S stay as they are."""
    drawn = read_again(problem_of(batches[:4], known=False), np.random.default_rng(4), {"q_S_max": 0.05})
    fit = fit_problem(drawn, count=0, profiles=(), between={"q_S_max": None})
    ahead = ahead_of(fit)
    slopes = weighted_slopes(drawn, fit.best.x)
    assert slopes is not None
    names = np.array(drawn.together.names)
    runs = [
        RunSlopes(slopes[0][mine], tuple(names[mine]))
        for number in range(4)
        for mine in [(np.repeat(np.arange(4), 16) == number) & (names == "X")]
    ]
    now, then = ahead.after([], 0.9), ahead.after(runs, 0.9)
    X, S = (drawn.names.index(f"sigma_{name}") for name in ("X", "S"))
    assert then.deviations[X] == pytest.approx(now.deviations[X] * np.sqrt(0.5), rel=0.05)
    assert then.deviations[S] == pytest.approx(now.deviations[S], rel=0.02)
    assert then.halves[0] < 0.75 * now.halves[0]  # eight runs, and seven degrees of freedom


def test_a_reading_that_a_fit_advises_is_one_more_of_its_run(different):
    """The standard deviation after it is that of the linear model with the reading among those of the run."""
    _problem, fit = different
    name = "q_S_max"
    opened = {name: Interval(None, None, "between runs")}
    (alike,), (told,) = advise(fit.problem, fit.best, opened), advise(fit.problem, fit.best, opened, fit.linear.reading)
    assert told.factor > alike.factor + 0.02  # what counts runs as alike promises more
    runs, place = fit.linear.here.runs, [item.name for item in fit.problem.experiments].index(told.run or "R1")
    slope = np.array([30.0, 4.0, -6.0])
    found, factors = fit.linear.here.found, np.full(len(runs.free), 0.3)  # errors larger than given
    products = runs.products.copy()
    products[0, place, :3, :3] += np.exp(2 * 0.3) * np.outer(slope, slope)
    with_it = state(dataclasses.replace(runs, products=products), found.variances, factors)
    without = state(runs, found.variances, factors)
    larger = dataclasses.replace(fit.linear.here, found=dataclasses.replace(found, factors=factors))
    added = dataclasses.replace(fit.linear, here=larger).reading(place, slope)
    assert with_it.precision - without.precision == pytest.approx(np.outer(added, added), rel=1e-6, abs=1e-6)


def test_what_stays_open_because_runs_differ_is_asked_of_a_further_run(different):
    _problem, fit = different
    nothing = Interval(None, None, "between runs")
    opened = {**fit.intervals, "Y_XS": nothing}
    assert _opened(dataclasses.replace(fit, intervals=opened, advice=())) == ["Y_XS"]
    assert _opened(dataclasses.replace(fit, intervals=opened)) == ["Y_XS"]
    assert _opened(fit) == []


@pytest.mark.slow
def test_fits_with_a_seventh_run_give_the_interval_that_was_expected(batches):
    """Twenty data sets of six runs that differ, as docs/validation.md has more of them; nothing is declared."""
    seven = problem_of([*batches, *(dataclasses.replace(item, name=f"{item.name}b") for item in batches[:2])])
    dice, parts = np.random.default_rng(12), []
    for _ in range(20):
        problem = read_again(seven, dice, {"q_S_max": 0.05, "Y_XS": 0.03})
        six = dataclasses.replace(problem, experiments=problem.experiments[:6])
        fit, again = (fit_problem(item, count=0, profiles=(), between="auto") for item in (six, problem))
        slopes = weighted_slopes(dataclasses.replace(problem, experiments=problem.experiments[6:]), fit.best.x)
        assert slopes is not None
        told = ahead_of(fit).after([RunSlopes(slopes[0], problem.experiments[6].readings.names)], 0.9)
        parts.append(np.log(ahead_of(again).after([], 0.9).halves / told.halves))
    print("given over expected:", np.exp(np.mean(parts, axis=0)))
    assert (np.abs(np.mean(parts, axis=0)) < 0.2).all()


def test_runs_beside_one_another_and_what_no_number_of_samples_brings(batches, different):
    _problem, fit = different
    one, two = (
        plan_of(fit, batches[1], Differing.of(fit), samples=count, runs=runs, aims=("q_S_max",))
        for count, runs in ((8, 1), (4, 2))
    )
    assert two.expected[0].width < 0.98 * one.expected[0].width
    assert two.expected[0].usual_width < 0.98 * one.expected[0].usual_width
    assert one.expected[0].least <= one.expected[0].width
    ahead = ahead_of(fit)
    now = ahead.after([], 0.9).deviations[0]
    # K_S is then known, and of the others as much as runs do not differ.
    left = np.linalg.inv(ahead.base[np.ix_((0, 2), (0, 2))] + np.diag(1 / fit.linear.here.found.variances))
    assert one.expected[0].least == pytest.approx(np.sqrt(left[0, 0]) / now, rel=0.01)
    # Nothing was estimated, so that there are no degrees of freedom to gain; bounds count in the deviation alone.
    assert one.expected[0].factor == pytest.approx(one.expected[0].width, rel=1e-3)


def test_every_sample_is_chosen_for_what_its_run_tells_of_the_typical_one_beside_the_runs_before(batches, different):
    _problem, fit = different
    plan = plan_of(fit, batches[1], Differing.of(fit), samples=1, runs=2)
    ahead = ahead_of(fit)
    base = ahead.base
    for course, run in zip(plan.courses, plan.runs, strict=True):
        places = base + ahead.of_typical(course.parts)
        best = int(np.argmax(np.linalg.slogdet(places)[1]))
        assert course.times[best] == run.times[0]
        base = places[best]
    again = plan.courses[0].sampled((3, 3))
    assert again.slopes.T @ again.slopes == pytest.approx(2 * plan.courses[0].parts[3], rel=1e-9, abs=1e-9)


def test_a_stored_fit_expects_the_same_and_other_data_are_refused(batches, different):
    problem, _fit = different
    four = dataclasses.replace(problem, experiments=problem.experiments[:4])
    given = fit_problem(four, count=0, profiles=(), between={"q_S_max": 0.05, "Y_XS": None})
    assert given.between is not None
    again = Differing.from_data(four, given.best.x, json.loads(json.dumps(given.between.to_data())))
    assert again.linear is not None
    assert again.linear.here.found.freedom == pytest.approx(ahead_of(given).linear.here.found.freedom, rel=1e-3)
    fit = fit_problem(four, count=0, profiles=(), between="auto")
    assert fit.between is not None
    assert fit.between.counted
    kept = json.loads(json.dumps(fit.between.to_data()))
    read = Differing.from_data(four, fit.best.x, kept)
    assert read.linear is not None
    first, second = ahead_of(fit), Ahead(four, read.linear)
    assert second.base == pytest.approx(first.base, rel=1e-6)  # errors are known here; else within 1e-3
    now = first.after([], 0.9)
    assert second.after([], 0.9).halves == pytest.approx(now.halves, rel=1e-6)
    for at, name in enumerate(four.names):
        item = fit.intervals[name]
        if item.identified:
            assert four.parameters[at].scaled(item.high) - fit.best.x[at] == pytest.approx(now.halves[at], rel=1e-6)
    plan = plan_of(fit, batches[1], read)
    assert all(item.least <= item.width for item in plan.expected)  # samples more can leave fewer degrees of freedom
    faults: tuple[dict[str, Any], ...] = (
        {"runs": [*kept["runs"][:3], "R9"]},
        {"own_values": {}},
        {"deviations": [{"name": "K_S"}]},
        {"deviations": [*kept["deviations"], {**kept["deviations"][0], "name": "mu"}]},
    )
    for fault in faults:
        with pytest.raises((KeyError, TypeError, ValueError)):
            Differing.from_data(four, fit.best.x, {**kept, **fault})


def test_runs_that_are_alike_expect_what_they_did(batches):
    """The same to the last digit with and without what the fit says of its runs, and where they hardly differ."""
    problem = problem_of(batches[:4])
    asked = fit_problem(problem, count=0, profiles=(), between="auto")
    assert asked.between is not None
    assert not asked.between.counted
    plain = plan_of(asked, batches[1], None, vary=[Vary("initial.S", 5.0, 20.0, "g/L")])
    same = plan_of(asked, batches[1], Differing.of(asked), vary=[Vary("initial.S", 5.0, 20.0, "g/L")])
    assert same.runs == plain.runs
    assert same.expected == plain.expected
    assert plain.expected[0].width is None
    slight = fit_problem(problem, count=0, profiles=(), between={"q_S_max": 1e-6, "Y_XS": 1e-6})
    near = plan_of(slight, batches[1], Differing.of(slight))
    alike = plan_of(slight, batches[1], None)
    assert near.runs == alike.runs
    for one, other in zip(near.expected, alike.expected, strict=True):
        assert one.factor == pytest.approx(other.factor, rel=1e-5)
        assert one.usual == pytest.approx(other.usual, rel=1e-5)
    assert "All runs are taken alike" in " ".join(next_lines(plain))
    assert "not evident" in " ".join(next_lines(same))


def test_a_campaign_counts_further_runs_as_a_plan_does(different):
    """`run_information` added so many times is what so many further runs are expected to leave."""
    _problem, fit = different
    told = run_information(fit)
    alone = dataclasses.replace(fit.problem, experiments=fit.problem.experiments[1:2])
    slopes = weighted_slopes(alone, fit.best.x)
    assert slopes is not None
    ahead = ahead_of(fit)
    runs = [RunSlopes(slopes[0], alone.experiments[0].readings.names)] * 3
    left = np.linalg.inv(ahead.base + 3 * told["R2"])
    assert np.sqrt(np.diag(left)) == pytest.approx(ahead.after(runs, 0.9).deviations, rel=1e-9)
    plain = dataclasses.replace(fit, linear=None)
    assert run_information(plain)["R2"][0, 0] > 1.5 * told["R2"][0, 0]


def told_of_experiments(between):
    """What a dossier says below the experiments that it names."""
    experiment = {"kind": "bench run", "subject": "V1", "runs": 2, "cost": 5000.0, "share": 0.3, "tells": 0.6,
                  "of": "criterion"}  # fmt: skip
    row = {"attribute": "titre", "state": "unknown", "open": {"culture": 1.0}, "experiment": experiment,
           "gain": None}  # fmt: skip
    case: Any = SimpleNamespace(criteria=[row], results={"fit": SimpleNamespace(data={"between_runs": between})},
                                stage_note=lambda *_names: "")  # fmt: skip
    return " ".join(block.text for block in _experiments(case) if isinstance(block, Paragraph))


def test_it_says_on_what_it_rests_in_both_languages(batches, different):
    problem, fit = different
    plan = plan_of(fit, batches[1], Differing.of(fit), samples=3)
    assert "differ as declared" in " ".join(next_lines(plan))
    assert "any number of samples" in " ".join(next_lines(plan))
    three = dataclasses.replace(fit.problem, experiments=problem.experiments[:3])
    few = fit_problem(three, count=0, profiles=(), between={"q_S_max": None})
    plan = plan_of(few, batches[1], Differing.of(few), samples=3)
    assert "3 runs are too few to tell how far runs differ" in next_lines(plan)[-3]
    assert "twice as wide" in next_lines(plan)[-2]
    assert next_blocks(plan)
    uncounted = dataclasses.replace(plan, between=dataclasses.replace(plan.between, counted=False))
    assert "twice as wide" not in " ".join(next_lines(uncounted))
    assert few.between is not None
    assert few_runs_words(few.between) == [next_lines(plan)[-3]]
    kept = json.loads(json.dumps(few.between.to_data()))
    told = [block.text for block in _differ(kept) if isinstance(block, Paragraph)]
    assert "differ from one another in q_S_max" in told[0]
    assert told[1:] == few_runs_words(few.between)  # in a program's dossier too
    assert list(_differ(None)) == []
    assert json.loads(json.dumps(plan.to_data()))["between_runs"]["counted"] is True
    assert "Further bench runs are expected to differ" in told_of_experiments(kept)
    assert "Further bench runs" not in told_of_experiments({**kept, "counted": False})
    with use_language("zh"):
        words = " ".join(next_lines(plan))
    assert "3 个批次太少" in words
    assert "取任意多样品" in words


def test_the_command_counts_how_runs_differ_and_refuses_a_fit_that_it_cannot_read(tmp_path, batches, different):
    problem, _fit = different
    strain.write(tmp_path, "monod")
    runs = []
    for item, read in zip(batches[:4], problem.experiments, strict=False):
        seen = {
            name: dataclasses.replace(
                item.run.variables[name],
                values=np.array([value for value, of in zip(read.readings.value, read.readings.names, strict=True)
                                 if of == name]),
            )
            for name in strain.SCATTER
        }  # fmt: skip
        runs.append(dataclasses.replace(item, run=dataclasses.replace(item.run, variables=seen)))
    keep_readings(tmp_path, runs)
    fit = ("recipe.yaml", "--data", "mapping.yaml", "--fit", "q_S_max,Y_XS", "--bounds", "Y_XS=0.3..0.6",
           "--starts", "0", "--profiles", "none")  # fmt: skip
    assert command(tmp_path, "fit", *fit, "-o", "fitted").returncode == 0
    kept = json.loads((tmp_path / "fitted" / "fit.json").read_text())
    assert kept["between_runs"]["counted"] is True
    done = command(tmp_path, "experiments", "identify", "fitted/fit.json", "--samples", "4", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["between_runs"]["deviations"] == kept["between_runs"]["deviations"]
    assert all(item["least"] <= item["width"] for item in told["expected"])
    for row, item in zip(kept["parameters"], told["expected"], strict=False):
        size = np.log if row["scale"] == "log10" else np.asarray
        now, then = (size(ends["high"]) - size(ends["low"]) for ends in (row["interval"], item))
        assert then == pytest.approx(item["width"] * now, rel=1e-3)
    before = {key: value for key, value in kept.items() if key != "between_runs"}
    (tmp_path / "fitted" / "before.json").write_text(json.dumps(before))
    done = command(tmp_path, "experiments", "identify", "fitted/before.json", "--samples", "4")
    assert done.returncode == 0, done.stderr
    assert "All runs are taken alike" in done.stdout
    del kept["between_runs"]["own_values"]["Y_XS"]
    (tmp_path / "fitted" / "fit.json").write_text(json.dumps(kept))
    bad = command(tmp_path, "experiments", "identify", "fitted/fit.json")
    assert bad.returncode == 2
    assert "how runs differ cannot be read" in bad.stderr
