"""A campaign: faults in its file all at once, virtual runs that say so, and a fit that finds what they follow."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError, SeedtrainError, digest, silent
from seedtrain.development import MeasuredRun, culture_problem, fit_problem, read_data
from seedtrain.program import read_plant
from seedtrain.program._campaign import Campaign, read_campaign
from seedtrain.program._campaign_stages import CampaignStages
from seedtrain.program._design_stages import DesignStages
from seedtrain.program._directory import read_program
from seedtrain.program._engine import StageResult
from seedtrain.program._fitted import Fitted, fitted_of, read_fitted
from seedtrain.program._informed import truth_culture
from seedtrain.program._outlook_stages import OutlookStages
from seedtrain.program._virtual import (
    LATEST,
    bench_run,
    check_apart,
    designed,
    hidden_truth,
    mapping_text,
    prior_draws,
    read_off,
    readings_table,
    settings_table,
    virtual_runs,
)
from seedtrain.recipe import read_recipe
from seedtrain.simulation import Run, read_culture
from tests.worked import COLLAGEN

SMALL = """\
campaign: small
runs: 6
seed: 3
truth: 5
factors:
  - {at: production/growth/fed-batch, parameter: growth_rate, range: 0.10 .. 0.16 1/h}
  - {at: production/induction/express, parameter: rate, range: 4.5 .. 7.5 mL/h}
measure:
  - {symbol: DCW, every: 4 h, error: 5 %}
  - {symbol: S, every: 4 h, error: 0.1 g/L, least: 0.2 g/L}
  - {symbol: P, every: 3 h, error: 6 %, least: 0.1 g/L}
fit: [q_S_max, Y_em, q_P_max]
ranges:
  q_S_max: 0.54 .. 0.76 g/g/h
  Y_em: 0.47 .. 0.55 g/g
  q_P_max: 0.008 .. 0.035 g/g/h
"""


@cache
def recipe():
    return read_recipe(COLLAGEN / "recipe.yaml")


@cache
def culture():
    return read_culture("ecoli_balanced")


@cache
def bench():
    return read_plant(COLLAGEN / "plant.yaml").vessel("BENCH-1L")


def campaign(folder: Path, text: str = SMALL) -> Campaign:
    (folder / "campaign.yaml").write_text(text)
    return read_campaign(folder / "campaign.yaml", recipe(), culture())


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Campaign:
    return campaign(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def settings(small):
    return designed(small)


@pytest.fixture(scope="module")
def runs(small, settings) -> dict[str, Run]:
    truth = truth_culture(culture(), hidden_truth(small, culture()))
    return virtual_runs(small, truth, bench(), recipe(), settings)


# the file


def test_the_examples_own_campaign_is_in_order_and_asks_for_24_runs() -> None:
    found = read_campaign(COLLAGEN / "campaign.yaml", recipe(), culture())
    assert found.virtual
    assert len(designed(found)) == 24
    for name, (low, high) in found.ranges.items():
        assert low < culture().parameters[name].value < high


SECOND = "  - {at: production/induction/express, parameter: rate, range: 4.5 .. 7.5 mL/h}\n"
THIRD = """\
  - {at: production/growth/fed-batch, parameter: until, range: 15 .. 25 g/L}
  - {at: production/induction/express, parameter: until, range: 9 .. 13.5 h}
  - {at: production/induction/express, parameter: temperature, range: 31.2 .. 32.8 degC}
"""
FAULTS = {
    "too few runs": ("runs: 6", "runs: 4\n", None),
    "fewer runs than any campaign": ("runs: 6", "runs: 3", "from 4 to 200"),
    "fewer runs than factors and two": (SECOND, SECOND + THIRD, "6 runs are too few for 5 factors"),
    "an unknown phase": ("production/growth/fed-batch,", "production/growth/fedbatch,", "no phase"),
    "an unknown parameter": ("parameter: growth_rate", "parameter: growth", "no number 'growth'"),
    "a range of another dimension": ("0.10 .. 0.16 1/h", "0.10 .. 0.16 g/L", "no range of"),
    "a range without the recipe's value": ("0.10 .. 0.16 1/h", "0.12 .. 0.16 1/h", "lies outside"),
    "an unknown symbol": ("symbol: DCW", "symbol: OD", "no 'OD'"),
    "an error of another dimension": ("error: 0.1 g/L", "error: 0.1 h", "no error of S"),
    "an error of nothing": ("every: 4 h, error: 5 %", "every: 4 h, error: 0 %", "none that a method has"),
    "an interval of nothing": ("every: 3 h", "every: 0 h", "no interval"),
    "an unknown parameter to fit": ("Y_em, q_P_max]", "Y_em, mu_max]", "no parameter 'mu_max'"),
    "a parameter twice": ("Y_em, q_P_max]", "Y_em, Y_em, q_P_max]", "fitted twice"),
    "a range of what is not fitted": ("ranges:\n", "ranges:\n  K_P: 0.01 .. 0.1 g/g/h\n", "is not fitted"),
    "a negative cost": ("ranges:\n", "experiments: {bench run: -1 USD}\nranges:\n", "is negative"),
    "an unknown experiment": ("ranges:\n", "experiments: {dream: 1 USD}\nranges:\n", "no experiment"),
    "a sheet without data": ("ranges:\n", "sheet: runs.csv\nranges:\n", "without their readings"),
    "a fit that is not there": ("ranges:\n", "fitted: fit.json\nranges:\n", "no file"),
    "a margin that is none": ("ranges:\n", "margin: 0.5 g/L\nranges:\n", "no margin"),
    "a negative seed": ("seed: 3", "seed: -3", "of 0 or more"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_with_its_place_and_a_remedy(tmp_path, fault) -> None:
    old, new, words = FAULTS[fault]
    text = SMALL.replace(old, new, 1)
    assert text != SMALL
    if words is None:
        assert campaign(tmp_path, text).entry.runs == 4  # the fewest that two factors allow
        return
    with pytest.raises(SeedtrainError) as refused:
        campaign(tmp_path, text)
    assert words in str(refused.value)
    assert "campaign.yaml:" in str(refused.value)
    assert "remedy" in str(refused.value)


def test_all_faults_come_at_once(tmp_path) -> None:
    text = SMALL.replace("symbol: DCW", "symbol: OD").replace("Y_em, q_P_max]", "Y_em, mu_max]")
    with pytest.raises(SeedtrainError) as refused:
        campaign(tmp_path, text)
    assert "'OD'" in str(refused.value)
    assert "'mu_max'" in str(refused.value)


# the design


def test_the_design_stays_in_its_ranges_and_tells_its_factors_apart(small, settings) -> None:
    assert settings.shape == (6, 2)
    for column, item in zip(settings.T, small.factors, strict=True):
        assert item.low <= column.min() < column.max() <= item.high
    check_apart(small, settings)


def test_runs_that_change_factors_together_not_at_all_or_too_seldom_are_refused(small, settings) -> None:
    together = settings.copy()
    together[:, 1] = 4.5 + (together[:, 0] - 0.10) * 50
    with pytest.raises(InputError, match=r"growth_rate and .*rate .*correlation 1\.00") as refused:
        check_apart(small, together)
    assert "changed alone" in refused.value.remedy
    still = settings.copy()
    still[:, 1] = 6.2
    with pytest.raises(InputError, match="do not vary production/induction/express:rate"):
        check_apart(small, still)
    with pytest.raises(InputError, match="3 runs are too few for 2 factors"):
        check_apart(small, settings[[0, 1, 4]])


# virtual runs


@given(st.integers(0, 500))
def test_the_hidden_truth_is_a_draw_of_the_ranges_by_its_own_seed(seed) -> None:
    entry = read_campaign(COLLAGEN / "campaign.yaml", recipe(), culture())
    found = dataclasses.replace(entry, entry=entry.entry.model_copy(update={"truth": seed}))
    truth = hidden_truth(found, culture())
    assert truth == hidden_truth(found, culture())
    assert set(truth) == set(entry.ranges)
    assert all(low <= truth[name] <= high for name, (low, high) in entry.ranges.items())


def test_what_is_drawn_before_the_data_has_the_mean_of_a_triangle() -> None:
    ranges = {"q_S_max": (0.5, 0.9)}
    drawn = [row["q_S_max"] for row in prior_draws(culture(), ranges, 4000, np.random.default_rng(1))]
    assert np.mean(drawn) == pytest.approx((0.5 + 0.635 + 0.9) / 3, abs=0.005)


def test_readings_are_the_runs_with_the_errors_of_the_assays_and_nothing_else(small, runs) -> None:
    """Standardised errors are standard normal: neither a limit of what can be told nor rounding moves their mean."""
    apart: list[float] = []
    for name, run in runs.items():
        for seed in range(12):
            for time, row in read_off(run, small.assays, np.random.default_rng([seed, len(name)])):
                assert time <= run.time[-1] - LATEST + 0.01
                for item in small.assays:
                    if item.symbol in row:
                        value = run.at(item.symbol, time)
                        assert value >= item.least
                        apart.append((row[item.symbol] - value) / (item.error * (value if item.proportional else 1.0)))
    assert len(apart) > 1000
    assert abs(np.mean(apart)) < 4 / math.sqrt(len(apart))
    assert np.std(apart) == pytest.approx(1.0, abs=0.06)


def test_every_row_says_that_it_is_simulated_and_the_mapping_reads_it_back(tmp_path, small, settings, runs) -> None:
    text = readings_table(runs, small.assays, small.entry.seed)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["origin"] for row in rows} == {"simulated"}
    assert {row["run"] for row in rows} == set(runs)
    (tmp_path / "readings.csv").write_text(text)
    mapping = mapping_text("small", small.assays, dict.fromkeys(runs, ("bench", "BENCH-1L")), "readings.csv")
    (tmp_path / "mapping.yaml").write_text(mapping)
    data = read_data(tmp_path / "mapping.yaml")
    assert all(run.origin == "simulated" for run in data.runs.values())
    assert data.readings == sum(1 for row in rows for item in small.assays if row[f"{item.symbol} [{item.unit}]"])
    header, *told = settings_table(small, list(runs), settings).splitlines()
    assert header.startswith("run,production/growth/fed-batch:growth_rate [1/h]")
    assert len(told) == len(runs)


# the fit


@pytest.fixture(scope="module")
def problem(small, settings, runs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("readings")
    (folder / "readings.csv").write_text(readings_table(runs, small.assays, small.entry.seed))
    mapping = mapping_text("small", small.assays, dict.fromkeys(runs, ("bench", "BENCH-1L")), "readings.csv")
    (folder / "mapping.yaml").write_text(mapping)
    data = read_data(folder / "mapping.yaml")
    measured = [
        MeasuredRun(name, data.runs[name], small.recipe(recipe(), row), bench())
        for name, row in zip(runs, settings.tolist(), strict=True)
    ]
    return culture_problem(
        culture(), measured, list(small.ranges), observables=[item.symbol for item in small.assays],
        errors={item.symbol: item.model for item in small.assays}, bounds=small.ranges,
    )  # fmt: skip


@pytest.fixture(scope="module")
def fit(problem):
    return fit_problem(problem, count=0, profiles=())


def test_the_fit_finds_the_truth_within_what_it_leaves_open(small, problem, fit) -> None:
    truth = hidden_truth(small, culture())
    there = problem.evaluate(problem.scaled(truth))
    assert fit.best.objective <= there.objective + 1e-6
    # Wilks: twice the difference is chi-square with three degrees of freedom; 16.3 is its 99.9 % point.
    assert 2 * (there.objective - fit.best.objective) < 16.3
    left = fitted_of(fit, culture(), "test")
    away = left.at - problem.scaled(truth)
    assert float(away @ np.linalg.solve(left.covariance, away)) < 16.3


def test_the_fit_moves_away_from_what_is_published_where_the_truth_does(small, fit) -> None:
    truth, found = hidden_truth(small, culture()), fitted_of(fit, culture(), "test").values
    for name, value in truth.items():
        assert abs(found[name] - value) < abs(culture().parameters[name].value - value)


def test_a_parameter_of_which_the_readings_tell_nothing_is_refused_by_name(problem, fit) -> None:
    """As ammonium is always in excess: the likelihood is flat along it."""
    flat = dataclasses.replace(fit.best, fisher=fit.best.fisher * np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0]]))
    with pytest.raises(InputError, match="tell nothing of q_P_max") as refused:
        fitted_of(dataclasses.replace(fit, best=flat), culture(), "test")
    assert "Take it out of `fit`" in refused.value.remedy


# what a fit leaves


def fitted(sizes: list[float], scales: list[str] | None = None) -> Fitted:
    names = ("q_S_max", "Y_em", "q_P_max")[: len(sizes)]
    values = [culture().parameters[name].value for name in names]
    scales = scales or ["lin"] * len(sizes)
    at = [{"lin": lambda x: x, "log": math.log, "log10": math.log10}[s](v) for s, v in zip(scales, values, strict=True)]
    return Fitted(
        names, ("g/g/h", "g/g", "g/g/h")[: len(sizes)], tuple(scales), np.array(at), np.diag(np.array(sizes) ** 2),
        tuple(values), tuple((0.2 * v, 2 * v) for v in values), ((None, None),) * len(sizes), {}, "test",
    )  # fmt: skip


def test_draws_have_the_spread_of_the_fit_and_stay_in_the_ranges() -> None:
    left = fitted([0.02, 0.01])
    drawn = left.draws(3000, np.random.default_rng(2))
    values = np.array([[row[name] for name in left.names] for row in drawn])
    assert values.mean(axis=0) == pytest.approx(left.at, rel=0.01)
    assert values.std(axis=0) == pytest.approx([0.02, 0.01], rel=0.06)
    wide = fitted([5.0]).draws(200, np.random.default_rng(3))
    assert all(0.2 * 0.635 <= row["q_S_max"] <= 2 * 0.635 for row in wide)


def test_a_fit_survives_its_file_and_its_slopes_follow_the_chain_rule() -> None:
    left = fitted([0.02, 0.01, 0.1], ["lin", "log", "log10"])
    again = Fitted.from_data(json.loads(json.dumps(left.to_data())))
    assert again.to_data() == left.to_data()
    slopes = left.slopes({"q_S_max": 2.0, "Y_em": 3.0, "q_P_max": 4.0}, {})
    assert slopes == pytest.approx([2.0 / 0.635, 3.0, 4.0 * math.log(10.0)])
    assert left.slopes({}, {"q_S_max": 0.7})[0] == pytest.approx(0.7)


def test_ones_own_fit_is_read_and_another_file_refused(tmp_path, fit) -> None:
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(fit.to_data()))
    found, key = read_fitted(path, culture())
    assert len(key) == 64
    assert found.values == pytest.approx(fitted_of(fit, culture(), "").values)
    assert found.culture(culture()).parameters["q_P_max"].status == "fitted"
    told = json.loads(path.read_text())
    for text, words in (("{}", "this is no fit"), (json.dumps(told | {"level": 0.5}), "intervals are at 0.5"),
                        (json.dumps(told | {"parameters": []}), "no parameter of the culture")):  # fmt: skip
        path.write_text(text)
        with pytest.raises(InputError, match=words):
            read_fitted(path, culture())


def test_a_virtual_run_is_that_of_the_recipe_with_the_factors_set(small, settings, runs) -> None:
    truth = truth_culture(culture(), hidden_truth(small, culture()))
    moved = recipe()
    for item, value in zip(small.factors, settings[2].tolist(), strict=True):
        moved = moved.with_value(item.path, item.parameter, item.quantity(value))
    again = bench_run(truth, bench(), moved)
    assert again.totals["titre"] == runs["V3"].totals["titre"]


# one's own readings


def own_program(folder: Path, runs: dict[str, Run], settings, sheet: str = "") -> CampaignStages:
    """The worked example with readings of one's own: what the virtual campaign left, in files beside it."""
    for path in COLLAGEN.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    small = campaign(folder)
    (folder / "readings.csv").write_text(readings_table(runs, small.assays, 1, simulated=False))
    groups = dict.fromkeys(runs, ("bench", "BENCH-1L"))
    mapping = mapping_text("own", small.assays, groups, "readings.csv").replace("origin: simulated", "origin: measured")
    (folder / "mapping.yaml").write_text(mapping)
    (folder / "runs.csv").write_text(sheet or settings_table(small, list(runs), settings))
    (folder / "campaign.yaml").write_text(SMALL + "data: mapping.yaml\nsheet: runs.csv\n")
    program = read_program(folder)
    assert program.campaign is not None
    assert not program.campaign.virtual
    return CampaignStages(program, Published(program), program.campaign)


class Published(DesignStages):
    """The culture as it is shipped, so that no gene and no strain is needed."""

    def literature(self, results):
        return culture()


def test_ones_own_readings_take_the_place_of_virtual_ones(tmp_path, runs, settings) -> None:
    stages = own_program(tmp_path, runs, settings)
    output = stages.stages()[0].work({}, silent)
    assert output.data["simulated"] is False
    assert output.data["truth"] == {}
    assert list(output.data["runs"].values()) == settings.tolist()
    # nothing virtual follows: vessels hold what was fitted
    data = json.loads(json.dumps(output.data))
    result = StageResult("campaign", "key", data, tmp_path, "digest", ran=True)
    assert stages.design.nature({"campaign": result}).digest == culture().digest


def test_other_readings_redo_the_fit_and_not_what_was_known_before(tmp_path, runs, settings) -> None:
    stages = own_program(tmp_path, runs, settings)

    def keys() -> tuple[str, str]:
        looked = OutlookStages(stages.program, stages.design, stages.campaign, ())
        return digest(stages.stages()[0].inputs({})), digest(looked.before().inputs({}))

    first = keys()
    assert keys() == first
    text = (tmp_path / "readings.csv").read_text()
    (tmp_path / "readings.csv").write_text(text.replace("V1,4,", "V1,4.1,", 1))
    then = keys()
    assert then[0] != first[0]
    assert then[1] == first[1]


def test_a_sheet_that_does_not_fit_the_readings_is_refused_with_its_place(tmp_path, runs, settings, small) -> None:
    whole = settings_table(small, list(runs), settings)
    lines = whole.splitlines()
    together = settings.copy()
    together[:, 1] = 4.5 + (together[:, 0] - 0.10) * 50
    faults = {
        "\n".join(lines[:-1]) + "\n": "does not say what V6 was set to",
        whole.replace(lines[1], lines[1].rpartition(",")[0] + ",fast"): "a setting that is no number",
        settings_table(small, list(runs), together): "nothing tells their effects apart",
    }
    for number, (sheet, words) in enumerate(faults.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(InputError, match=words) as refused:
            own_program(folder, runs, settings, sheet).stages()[0].work({}, silent)
        assert "runs.csv" in str(refused.value)
        assert refused.value.remedy
