"""`seedtrain experiments` with narrow limits, strayed runs, edited sheets and readings that tell nothing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from seedtrain.base import InputError
from seedtrain.cli import main
from seedtrain.development import (
    Experiment,
    ExperimentFactor,
    Response,
    SheetRow,
    analyse,
    design,
    first_runs,
    fit_surrogate,
    model_matrix,
    read_experiment,
    rows_of,
    suggest,
)
from seedtrain.development._experiments._acquire import log_improvement
from seedtrain.program._prior import places_of
from tests.development_experiments.studies import MEDIUM, numbers, plain, written

TWO = """study: two
factors:
  a: {low: 0 g/L, high: 10 g/L, step: 1 g/L}
  b: {low: 0 g/L, high: 10 g/L, step: 0.5 g/L}
constraints: ["a + b <= 3.3"]
responses:
  y: {unit: g/L, goal: maximise}
"""


def ran(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["experiments", *map(str, arguments)])
    captured = capsys.readouterr()
    return left.value.code, captured.out, captured.err


@pytest.mark.parametrize("bound", [">= 19.99", ">= 15", "<= 0.01", "<= 3.3"])
def test_a_small_corner_of_the_ranges_is_filled(tmp_path, bound):
    study = read_experiment(written(tmp_path, TWO.replace("<= 3.3", bound).replace(", step: 1 g/L", "")
                                    .replace(", step: 0.5 g/L", "")))  # fmt: skip
    points = design(study, "space-filling", runs=40)
    assert len(points) == 40
    assert study.region.admits(points).all()
    assert len(design(study, "d-optimal", runs=8, terms="linear")) == 8


@pytest.mark.parametrize(
    "asked", [("suggest",), ("design", "--runs", 8), ("design", "--kind", "d-optimal", "--runs", 8)]
)
def test_limits_that_cannot_hold_are_refused(tmp_path, capsys, asked):
    study = written(tmp_path, TWO.replace("<= 3.3", ">= 30"))
    code, text, err = ran(capsys, asked[0], study, *asked[1:])
    assert (code, text) == (2, "")
    assert "no run holds all limits" in err


def test_steps_do_not_break_a_limit(tmp_path):
    study = read_experiment(written(tmp_path, TWO))
    for point in design(study, "space-filling", runs=200):
        values = numbers(study.values(point))
        assert values["a"] + values["b"] <= 3.3 + 1e-9
        assert values["a"] == round(values["a"])
        assert 2 * values["b"] == round(2 * values["b"])


@pytest.mark.parametrize("limit", ["a b <= 3", "a + <= 3", "a + 2 <= 3", "a + b < 3"])
def test_no_sum_of_factors(tmp_path, capsys, limit):
    code, _text, err = ran(capsys, "suggest", written(tmp_path, TWO.replace("a + b <= 3.3", limit)))
    assert code == 2
    assert "study.yaml:5" in err


def test_a_mixture_is_not_chosen_one_after_the_other(tmp_path, capsys):
    """Its components would not sum to a whole."""
    text = TWO.replace("0 g/L, high: 10 g/L, step: 1 g/L", "0 %, high: 100 %, mixture: true")
    text = text.replace("0 g/L, high: 10 g/L, step: 0.5 g/L", "0 %, high: 100 %, mixture: true")
    code, _text, err = ran(capsys, "suggest", written(tmp_path, text))
    assert code == 2
    assert "mixture" in err


def test_twenty_factors_are_refused_a_central_composite_at_once():
    with pytest.raises(InputError, match="1048616 runs"):
        design(plain(20), "central-composite")


@given(seed=st.integers(0, 200))
@settings(max_examples=20, deadline=None)
def test_blocks_go_along_with_no_main_effect(seed):
    study = plain(2)
    points = design(study, "factorial")
    rows = rows_of(study, points, blocks=2, replicates=2, seed=seed)
    matrix = model_matrix(study, np.array([study.point(row.values) for row in rows]), "interactions")[0]
    block = np.array([1.0 if row.block == "1" else -1.0 for row in rows])
    assert matrix.T @ block == pytest.approx(0)


def test_appended_runs_leave_the_rest_of_a_sheet_alone(tmp_path, capsys):
    study, sheet = written(tmp_path), tmp_path / "sheet.csv"
    ran(capsys, "design", study, "--runs", 4, "-o", sheet)
    lines = sheet.read_text().splitlines()
    old = [lines[0] + ",remark", *(line + ",kept" for line in lines[1:])]
    text = "\r\n".join(line.replace(",", ";") for line in old) + "\r\n"
    sheet.write_bytes(text.encode())
    assert ran(capsys, "suggest", study, sheet, "-n", 2, "--append")[0] == 0
    new = sheet.read_bytes().decode()
    assert new.startswith(text)
    more = new[len(text) :].split("\r\n")
    assert [line.split(";")[0] for line in more] == ["5", "6", ""]
    assert ran(capsys, "suggest", study, sheet)[0] == 0


def test_nothing_is_appended_to_a_workbook(tmp_path, capsys):
    sheet = tmp_path / "sheet.xlsx"
    code, _text, err = ran(capsys, "suggest", written(tmp_path), sheet, "--append")
    assert code == 2
    assert "CSV" in err
    assert not sheet.exists()


def test_a_slip_in_a_factor_is_refused_and_a_strayed_one_is_not(tmp_path, capsys):
    study, sheet = written(tmp_path), tmp_path / "sheet.csv"
    head = "run,temperature [degC],feed [mL/h],inducer,titre [g/L],acetate [g/L],reason\n"
    sheet.write_text(head + "1,37.4,5,IPTG,3,1,\n")
    assert ran(capsys, "suggest", study, sheet)[0] == 0
    sheet.write_text(head + "1,374,5,IPTG,3,1,\n")
    code, _text, err = ran(capsys, "suggest", study, sheet)
    assert code == 2
    assert "far outside 28 to 37 degC" in err


def test_a_response_without_readings_does_not_keep_the_others_back(tmp_path, capsys):
    study, sheet = written(tmp_path, MEDIUM), tmp_path / "sheet.csv"
    ran(capsys, "design", study, "--kind", "d-optimal", "--runs", 14, "-o", sheet)
    head, *rows = sheet.read_text().splitlines()
    code, _text, err = ran(capsys, "analyse", study, sheet)
    assert code == 2
    assert "no run has a reading of titre" in err
    filled = [",".join([*row.split(",")[:4], f"{at % 5}.{at}", "0.1", ""]) for at, row in enumerate(rows)]
    sheet.write_text("\n".join([head, *filled]))
    code, text, err = ran(capsys, "analyse", study, sheet, "--terms", "linear")
    assert code == 0
    assert "titre: 14 runs" in text
    assert "acetate is 0.1 in all 14 runs" in err


def test_equal_readings_have_no_effects_and_no_scale():
    study = plain(1)
    rows = [SheetRow(at, {"x1": at / 10}, {"y": 0.1 + 0.2}) for at in range(10)]
    with pytest.raises(InputError, match="no effect"):
        analyse(study, rows, "y", "linear")
    y = np.array([0.3, 0.1 + 0.2] * 5)  # the same, but for rounding
    assert fit_surrogate(study.space, np.linspace(0, 1, 10)[:, None], y).spread == 1.0
    assert 0 <= numbers(study.values(suggest(study, rows)[0].point))["x1"] <= 1


def test_duplicate_runs_are_replicates():
    study = plain(1)
    rows = [SheetRow(at, {"x1": (at % 3) / 2}, {"y": float(at % 3)}) for at in range(first_runs(study) + 5)]
    assert 0 <= numbers(study.values(suggest(study, rows)[0].point))["x1"] <= 1


@pytest.mark.parametrize("z", [-5.0, -5.99, -6.01, -8.0, -15.0])
def test_expected_improvement_is_exact_far_below(z):
    """Against the integral of its definition, its largest factor taken out."""
    found = float(log_improvement(np.array([z]), np.array([1.0]), 0.0)[0])
    told, _error = integrate.quad(lambda u: u * math.exp(-0.5 * u**2 + z * u), 0, 30)
    assert found == pytest.approx(math.log(told) + float(stats.norm.logpdf(z)), abs=2e-3)


def test_a_log_factor_of_the_recipe_stands_where_the_study_puts_it():
    """The model is simulated evenly in the unit; the study's places are even in the logarithm."""
    feed, heat = ExperimentFactor("feed", "mL/h", 1, 100, log=True), ExperimentFactor("heat", "degC", 20, 40)
    study = Experiment("s", (feed, heat), (Response("y", "", "maximise"),))
    shares = np.array([[0.0, 0.0], [9 / 99, 0.5], [1.0, 1.0]])
    places = places_of([feed, heat], shares)
    assert places == pytest.approx(np.array([[0, 0], [0.5, 0.5], [1, 1]]))
    assert numbers(study.values(places[1])) == pytest.approx({"feed": 10, "heat": 30})


@pytest.mark.parametrize(
    "asked", [("design", "--runs", 8, "--seed", -1), ("design", "--runs", 8, "--centre", -1), ("suggest", "--seed", -1)]
)
def test_numbers_below_nothing_are_refused(tmp_path, capsys, asked):
    code, text, err = ran(capsys, asked[0], written(tmp_path, TWO), *asked[1:])
    assert (code, text) == (2, "")
    assert "seed" in err


def test_a_decimal_comma_is_named(tmp_path, capsys):
    study, sheet = written(tmp_path, TWO), tmp_path / "sheet.csv"
    sheet.write_text("run;a [g/L];b [g/L];y [g/L]\r\n1;1;0,5;3\r\n")
    code, _text, err = ran(capsys, "suggest", study, sheet)
    assert code == 2
    assert "decimal point" in err


@pytest.mark.parametrize(("apart", "told"), [(0.0, False), (0.005, False), (0.15, True)])
def test_factors_that_were_changed_together_are_named_though_their_settings_are_rounded(apart, told):
    """Settings of a sheet are rounded: what is left of one factor beside the other is the rounding's."""
    study, rng = plain(2), np.random.default_rng(1)
    first = np.linspace(0.1, 0.9, 12)
    second = np.clip(first + apart * rng.choice([-1.0, 1.0], 12), 0, 1)
    rows = [SheetRow(at, {"x1": float(a), "x2": float(b)}, {"y": float(2 * a + 0.01 * rng.normal())})
            for at, (a, b) in enumerate(zip(first, second, strict=True), 1)]  # fmt: skip
    if told:
        assert analyse(study, rows, "y", "linear").explained > 0.9
    else:
        with pytest.raises(InputError, match="cannot tell x2 from x1"):
            analyse(study, rows, "y", "linear")
