"""The next run that tells most: published designs come out, and what is promised is what a repeated study finds."""

import csv
import dataclasses
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.development import (
    Aim,
    ErrorModel,
    MeasuredRun,
    RunBound,
    Vary,
    choose,
    culture_problem,
    fit_problem,
    next_blocks,
    next_runs,
    next_sheet,
    read_sheet,
)
from seedtrain.development._identify._information import changed
from seedtrain.simulation import Run, Variable, culture_of_text, simulate
from tests.development.own_data import command, keep_readings
from tests.development_hybrid import strain

ERRORS = {name: ErrorModel("constant", size) for name, size in strain.SCATTER.items()}
FIT = ("q_S_max", "K_S", "Y_XS")


@pytest.mark.parametrize(("K", "top"), [(1.0, 10.0), (5.0, 10.0), (0.3, 20.0)])
def test_the_two_best_substrates_of_michaelis_and_menten_are_the_published_ones(K, top):
    """Endrenyi & Chan 1981 (J. Theor. Biol. 90:241): the highest, and K top / (2 K + top), at constant error."""
    S = np.linspace(top / 2000, top, 2000)
    slopes = np.stack([S / (K + S), -2.0 * S / (K + S) ** 2], axis=1)
    parts = slopes[:, :, None] * slopes[:, None, :]
    aim = Aim("D", (0, 1), 1e-9 * np.eye(2), np.ones(2))
    chosen, _worth = choose(parts, S, aim, 2, 0.0)
    assert S[list(chosen)] == pytest.approx([K * top / (2 * K + top), top], abs=2 * top / 2000)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(1, 6), apart=st.sampled_from([0.0, 0.5, 2.0]))
def test_samples_keep_their_distance_and_more_of_them_tell_more(seed, count, apart):
    dice = np.random.default_rng(seed)
    times = np.linspace(0.25, 20.0, 80)
    slopes = np.cumsum(dice.normal(size=(80, 3)), axis=0)
    parts = slopes[:, :, None] * slopes[:, None, :]
    for criterion in ("D", "A", "E"):
        aim = Aim(criterion, (0, 1, 2), np.eye(3), np.ones(3))
        chosen, worth = choose(parts, times, aim, count, apart)
        assert len(chosen) == count
        assert (np.diff(times[list(chosen)]) >= apart - 1e-9).all()
        # None of 50 drawn sets of the same size is better than what the exchange ended with by much.
        if criterion == "D":
            more = choose(parts, times, aim, count + 1, apart)[1]
            assert more >= worth - 1e-9
            if not apart:
                drawn = [aim.worth(parts[dice.integers(0, 80, count)].sum(axis=0)) for _ in range(50)]
                assert worth >= max(drawn) - 1e-9


DECAY = """culture: decay
title: A substance that decays
source: invented for tests
status: unverified
design: true
basis: volume
biomass: E
species:
  E: {words: enzyme, known_as: biomass, unit: g/L, composition: {C: 1, H: 1.6, O: 0.3, N: 0.27}, intracellular: true}
  S: {words: what decays, known_as: glucose, unit: g/L, composition: {C: 6, H: 12, O: 6}}
  Q: {words: what it becomes, known_as: fructose, unit: g/L, composition: {C: 6, H: 12, O: 6}}
parameters:
  k: {value: 0.4 1/h, range: 0.05 .. 3 1/h, status: assumed, source: invented}
expressions: {v: k * S}
conversions:
  decay: {words: decay, rate: v, consumes: {S: 1}, produces: {Q: 1}}
outputs: {v: v}
"""


def test_one_sample_of_a_decay_is_taken_after_its_time_constant(tmp_path):
    """Box & Lucas 1959 (Biometrika 46:77): the slope of exp(-k t) is steepest in k at 1/k."""
    (seen,) = strain.batches(tmp_path, "monod", ("B3",))
    culture = culture_of_text(DECAY, "decay")
    like = dataclasses.replace(seen, initial={"E": 0.1, "S": 10.0, "Q": 0.0})
    problem = culture_problem(culture, [like], ("k",), observables=("S",), errors={"S": ErrorModel("constant", 0.1)})
    x = problem.scaled({"k": 0.4})
    plan = next_runs(culture, problem, x, like, ("k",), [], samples=1,
                     options={"observables": ("S",), "errors": {"S": ErrorModel("constant", 0.1)}})  # fmt: skip
    assert plan.runs[0].times[0] == pytest.approx(1 / 0.4, abs=0.16)


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Two batches, and the plan of a third."""
    runs = strain.batches(tmp_path_factory.mktemp("plan"), "monod", ("B1", "B3"))
    culture = culture_of_text(strain.text("monod"), "monod")
    problem = culture_problem(culture, runs, FIT, errors=ERRORS)
    fit = fit_problem(problem, count=0, profiles=())
    options = {"observables": ("X", "S"), "errors": ERRORS}
    plan = next_runs(
        culture, problem, fit.best.x, runs[1], FIT, [Vary("initial.S", 1.0, 20.0, "g/L")], options=options, samples=6,
        apart=0.4, bounds=[RunBound("S", -np.inf, 15.0)], opened=("K_S",),
    )  # fmt: skip
    return culture, runs, fit, plan


def test_limits_are_kept_and_the_plan_is_better_than_the_usual_run(planned):
    plan = planned[3]
    (run,) = plan.runs
    assert 1.0 <= run.settings["initial.S"] <= 15.0
    assert len(run.times) == 6
    assert min(np.diff(run.times)) >= 0.4 - 1e-9
    assert plan.refused > 0  # what starts above the limit
    product = np.prod([item.factor / item.usual for item in plan.expected])
    assert product < 0.8
    assert all(item.factor < 1 for item in plan.expected)
    assert next_blocks(plan)
    told = {item["name"]: item["closes"] for item in json.loads(json.dumps(plan.to_data()))["expected"]}
    assert told["K_S"] in (True, False)
    assert told["q_S_max"] is None


def test_what_the_plan_promises_is_what_a_repeated_study_finds(planned):
    """The planned and the usual third run are made (simulated, with scatter), and everything is fitted again."""
    culture, runs, fit, plan = planned
    found = {}
    now = np.sqrt(np.diag(np.linalg.inv(fit.best.fisher)))
    for name, item in (("planned", plan.runs[0]), ("usual", plan.usual)):
        spreads = []
        for seed in range(2):
            third = measured(runs[1], item, seed)
            problem = culture_problem(culture, [*runs, third], FIT, errors=ERRORS)
            again = fit_problem(problem, count=0, profiles=())
            spreads.append(np.sqrt(np.diag(np.linalg.inv(again.best.fisher))))
        found[name] = np.mean(spreads, axis=0) / now
    expected = {"planned": [item.factor for item in plan.expected], "usual": [item.usual for item in plan.expected]}
    for name in found:
        assert found[name] == pytest.approx(expected[name], rel=0.2)
    assert np.prod(found["planned"]) < 0.85 * np.prod(found["usual"])


def measured(like: MeasuredRun, item, seed: int) -> MeasuredRun:
    """The planned run as the true strain makes it."""
    dice = np.random.default_rng([7, seed])
    setting = changed(like, item.settings)
    truth = culture_of_text(strain.text("monod"), "monod")
    run = simulate(truth, setting.vessel, setting.recipe, initial=setting.initial)
    times = np.array(item.times)
    variables = {
        name: Variable(name, "g/L", np.array([run.at(name, t) for t in times]) + size * dice.normal(size=len(times)))
        for name, size in strain.SCATTER.items()
    }
    read = Run("simulated", run.recipe_digest, "strain", run.vessel, "production", times, variables)
    return dataclasses.replace(setting, name="third", run=read)


def test_the_sheet_is_a_table_to_fill_in(planned, tmp_path):
    plan = planned[3]
    path = tmp_path / "next.csv"
    path.write_text(next_sheet(plan))
    sheet = read_sheet(path)
    assert len(sheet.rows) == 6
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert [float(row["time [h]"]) for row in rows] == list(plan.runs[0].times)
    assert all(row["X [g/L]"] == "" for row in rows)


def test_what_cannot_be_planned_is_refused(planned):
    culture, runs, fit, _plan = planned
    options = {"observables": ("X", "S"), "errors": ERRORS}

    def plan(**more):
        return next_runs(culture, fit.problem, fit.best.x, runs[1], FIT, [], options=options, **more)

    with pytest.raises(InputError, match="not estimated"):
        plan(aims=("K_Z",))
    with pytest.raises(InputError, match="do not fit"):
        plan(samples=8, apart=3.0)
    with pytest.raises(InputError, match="breaks a limit"):
        plan(bounds=[RunBound("S", -np.inf, 5.0)])


@pytest.mark.slow
def test_the_command_plans_from_a_fit_and_refuses_changed_data(tmp_path):
    keep_readings(tmp_path, strain.batches(tmp_path, "monod", ("B3",)))
    fit = (
        "fit",
        "recipe.yaml",
        "--data",
        "mapping.yaml",
        "--fit",
        "q_S_max,Y_XS",
        "--starts",
        "0",
        "--profiles",
        "none",
    )
    assert command(tmp_path, *fit, "-o", "fitted").returncode == 0
    ask = ("experiments", "identify", "fitted/fit.json")
    done = command(
        tmp_path, *ask, "--vary", "initial.S=2..20", "--samples", "4", "--limit", "S <= 15", "-o", "next", "--json"
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told["runs"][0]["times"]) == 4
    assert told["runs"][0]["settings"]["initial.S"] <= 15
    assert {path.name for path in (tmp_path / "next").iterdir()} == {
        f"next-runs.{end}" for end in ("csv", "json", "html")
    }
    assert "simulated" in (tmp_path / "next" / "next-runs.html").read_text()
    for more, words in (
        (("--vary", "initial.Q=1..2"), "nothing of that name"), (("--limit", "S < 3"), "--limit"),
        (("--vary", "initial.S=5..2"), "lower end first"), (("--like", "B9"), "no such run"),
    ):  # fmt: skip
        bad = command(tmp_path, *ask, *more)
        assert bad.returncode == 2
        assert words in bad.stderr
    with (tmp_path / "assays.csv").open("a") as file:
        file.write("\nB3,8.9,2.0,0.1")
    bad = command(tmp_path, *ask)
    assert bad.returncode == 2
    assert "changed since" in bad.stderr
