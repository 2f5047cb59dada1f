"""`seedtrain compare` with tables as they come: too few runs, other units, one name twice, no common time."""

import dataclasses
import json
import math
import re

import numpy as np
import pytest

from seedtrain.base import InputError, use_language
from seedtrain.cli import main
from seedtrain.comparison import (
    Margin,
    Pair,
    compare_runs,
    comparison_blocks,
    comparison_lines,
    conformal,
    equivalence,
    multivariate,
    prediction_errors,
    profiles,
    reconcile,
    simulated_mark,
)
from seedtrain.comparison._reason import here
from seedtrain.development import read_data
from tests.comparison.tables import PLAN, titre, written


def ran(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["compare", *map(str, arguments)])
    captured = capsys.readouterr()
    return left.value.code, captured.out, captured.err


@pytest.fixture
def folder(tmp_path):
    written(tmp_path, "bench", "bench", 4, titre, 1)
    written(tmp_path, "pilot", "pilot", 3, titre, 2)
    (tmp_path / "plan.yaml").write_text(PLAN)
    return tmp_path


def test_a_reference_of_few_runs_has_no_model_and_says_so(folder, capsys):
    code, text, _err = ran(capsys, folder / "bench.yaml", folder / "pilot.yaml", "--plan", folder / "plan.yaml")
    assert code == 3
    assert "4 runs of the reference; a model of them needs 6" in text
    assert "runs outside" not in text


def test_runs_that_share_no_time_are_inconclusive(folder, capsys):
    table = folder / "pilot.csv"
    head, *rows = table.read_text().splitlines()
    late = [",".join([run, f"{float(hour) + 100:g}", value]) for run, hour, value in (row.split(",") for row in rows)]
    table.write_text("\n".join([head, *late]))
    code, text, _err = ran(capsys, folder / "bench.yaml", folder / "pilot.yaml", "--plan", folder / "plan.yaml")
    assert code == 3
    assert "there is no time that all runs cover" in text


def test_two_mappings_of_one_name_are_refused(folder, capsys):
    """Their runs would be held against themselves: a difference of 0."""
    copy = folder / "copy.yaml"
    copy.write_text((folder / "bench.yaml").read_text().replace("scale: bench", "scale: pilot"))
    code, text, err = ran(capsys, folder / "bench.yaml", copy, "--plan", folder / "plan.yaml")
    assert code == 2
    assert not text
    assert "same name and the same runs" in err


def test_pilot_in_milligrams_is_the_same_comparison(folder, capsys):
    one = ran(capsys, folder / "bench.yaml", folder / "pilot.yaml", "--plan", folder / "plan.yaml", "--json")[1]
    table, mapping = folder / "pilot.csv", folder / "pilot.yaml"
    head, *rows = table.read_text().splitlines()
    more = [f"{run},{hour},{1000 * float(value):.2f}" for run, hour, value in (row.split(",") for row in rows)]
    table.write_text("\n".join([head, *more]))
    mapping.write_text(mapping.read_text().replace("unit: g/L", "unit: mg/L"))
    other = ran(capsys, folder / "bench.yaml", mapping, "--plan", folder / "plan.yaml", "--json")[1]
    first, second = (json.loads(text)["numbers"][0]["difference"] for text in (one, other))
    assert second == pytest.approx(first, rel=1e-4)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("take: end", "take: value", "take: value needs a time"),
        ("from: 2 h, to: 10 h", "from: 10 h, to: 2 h", "is no time"),
        ("symbol: P, margin: 0.5 g/L", "symbol: P, margin: 5 degC", "degC"),
    ],
)
def test_a_wrong_plan_is_refused_at_its_place(folder, capsys, old, new, words):
    plan = folder / "plan.yaml"
    assert old in PLAN
    plan.write_text(PLAN.replace(old, new))
    code, text, err = ran(capsys, folder / "bench.yaml", folder / "pilot.yaml", "--plan", plan)
    assert code == 2
    assert not text
    assert words in err
    assert "plan.yaml:" in err


def in_milligrams(run, symbol):
    variable = run.variables[symbol]
    changed = dataclasses.replace(variable, values=1000 * np.asarray(variable.values), unit="mg/L")
    return dataclasses.replace(run, variables={**run.variables, symbol: changed})


def test_sensor_prediction_and_shape_in_another_unit_are_turned_into_one(folder):
    runs = read_data(folder / "bench.yaml").runs
    other = {name: in_milligrams(run, "P") for name, run in runs.items()}
    shape = profiles(list(runs.values()), list(other.values()), "P", 0.5, "absolute")
    assert np.allclose(shape.difference, 0, atol=1e-9)
    pairs = [Pair(name, "bench", run, other[name]) for name, run in runs.items()]
    assert prediction_errors(pairs)[0].rmse == pytest.approx(0, abs=1e-9)
    both = {
        name: dataclasses.replace(run, variables={**run.variables, "S": other[name].variables["P"]})
        for name, run in runs.items()
    }
    assert reconcile(both, "S", "P", 0.1).bias == pytest.approx(0, abs=1e-9)


def test_predictions_of_measured_runs_are_marked_simulated(folder):
    for name in ("bench", "pilot"):
        mapping = folder / f"{name}.yaml"
        mapping.write_text(mapping.read_text().replace("origin: simulated", "origin: measured"))
    data = [read_data(folder / f"{name}.yaml") for name in ("bench", "pilot")]
    plan = folder / "predicted.yaml"
    plan.write_text(PLAN + "predictions:\n  - {symbol: P, margin: 0.5 g/L}\n")
    told = {name: run for item in data for name, run in item.runs.items()}
    found = compare_runs(data, plan, predicted=told)
    assert not found.simulated
    assert simulated_mark(found) == "partly simulated"
    assert any("Predictions are simulated." in line for line in comparison_lines(found))
    assert any(getattr(block, "text", "") == "Predictions" for block in comparison_blocks(found))
    assert simulated_mark(compare_runs(data, folder / "plan.yaml")) == ""


def test_copied_runs_prove_nothing():
    assert equivalence([4.0, 4.0, 4.0], [4.0, 4.0], Margin(0.1, "relative")).verdict == "inconclusive"
    assert equivalence([4.1, 4.0, 3.9], [4.0, 4.0], Margin(0.5, "relative")).verdict == "pass"


def test_the_unit_of_a_column_does_not_matter():
    """A column that is the same in all of the reference's runs has no deviation to count a difference in."""
    rng = np.random.default_rng(0)
    rows = {f"r{at}": {"a": v, "b": w, "same": 1.0} for at, (v, w) in enumerate(rng.normal(0, 1, (10, 2)))}
    for at, (v, w) in enumerate(rng.normal(0, 0.5, (2, 2))):
        rows[f"t{at}"] = {"a": v, "b": w, "same": 1.001}
    tested = ["t0", "t1"]
    reference = [name for name in rows if name not in tested]
    found = multivariate(rows, reference, tested)
    scaled = {name: {**row, "same": 1e6 * row["same"]} for name, row in rows.items()}
    again = multivariate(scaled, reference, tested)
    assert found.left_out == ("same",)
    assert found.outside == again.outside


def test_the_rank_of_a_conformal_bound_survives_rounding():
    """20 * 0.55 is 11.000000000000002 to a computer."""
    assert conformal(np.arange(1.0, 20.0), 0.55) == 11.0


def test_a_margin_above_nothing():
    with pytest.raises(InputError):
        Margin(math.nan)


def test_no_english_on_a_chinese_screen(folder, capsys):
    _code, text, _err = ran(
        capsys, folder / "bench.yaml", folder / "pilot.yaml", "--plan", folder / "plan.yaml", "--lang", "zh"
    )
    criteria = [line for line in text.splitlines() if "[" in line]
    assert len(criteria) == 3
    for word in ("within", "slope", "shape", "end:", "runs", "outside"):
        assert not any(word in line for line in criteria)


def test_a_reason_reads_in_the_language_in_use_and_stays_english_in_data():
    found = equivalence([1.0], [2.0, 3.0], Margin(0.1))
    with use_language("zh"):
        assert here(found.why) == "1 个和 2 个批次；参照组至少需要 2 个，另一组至少 2 个"
        assert json.loads(json.dumps(found.to_data()))["why"].startswith("1 and 2 runs")
    assert here(found.why) == found.why == str(found.why)
    assert here("") == ""


def test_a_refusal_on_a_chinese_screen_has_no_english_reason(folder):
    found = compare_runs([read_data(folder / "bench.yaml"), read_data(folder / "pilot.yaml")], folder / "plan.yaml")
    with use_language("zh"):
        told = " ".join(item.evidence() for item in found.judged)
    assert "参照组有 4 个批次；建立其模型需要 6 个" in told
    assert not re.search(r"\b(runs?|model|needs)\b", told)
    assert any("4 runs of the reference" in line for line in found.verdict.evidence)


def test_runs_that_look_alike_show_no_equivalence_by_themselves(tmp_path):
    """T2 and SPE only object: without a margin nothing is excluded."""
    for name, count, seed in (("bench", 8, 1), ("pilot", 3, 2)):
        written(tmp_path, name, name, count, titre, seed)
    data = [read_data(tmp_path / f"{name}.yaml") for name in ("bench", "pilot")]
    rng = np.random.default_rng(4)
    names = [name for item in data for name in item.runs]
    rows = [f"{name},{rng.normal(5, 1):.4f},{rng.normal(5, 1):.4f}" for name in names]
    (tmp_path / "omics.csv").write_text("\n".join(["run,a,b", *rows]))
    plan = tmp_path / "plan.yaml"
    plan.write_text("comparison: omics\nreference: bench\nfeatures: [{file: omics.csv}]\n")
    found = compare_runs(data, plan)
    assert not found.rows[0][1].outside
    assert found.verdict.verdict == "inconclusive"
    assert "no margin was given" in found.verdict.evidence[0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("features: [{file: nothing.csv}]", "there is no such table"),
        ("features: [{file: bench.csv}]", "stands twice"),
        ("spectra: [{file: no.csv, run: run, scale: scale, assay: P, made_at: bench, limit: 1}]", "no such table"),
        ("spectra: [{file: bench.csv, run: run, scale: scale, assay: P, made_at: bench, limit: 1}]", "scale"),
    ],
)
def test_tables_beside_the_plan_are_checked(folder, capsys, more, words):
    plan = folder / "plan.yaml"
    plan.write_text(PLAN + more)
    code, text, err = ran(capsys, folder / "bench.yaml", folder / "pilot.yaml", "--plan", plan)
    assert code == 2
    assert not text
    assert words in err


def test_a_seed_below_nothing_is_refused(folder, capsys):
    code, _text, err = ran(
        capsys, folder / "bench.yaml", folder / "pilot.yaml", "--plan", folder / "plan.yaml", "--seed", -1
    )
    assert code == 2
    assert "the seed is -1" in err
