"""`seedtrain compare` on tables of one's own, as a user runs it, and with wrong input."""

import json
from pathlib import Path

import numpy as np
import pytest

from seedtrain.cli import main
from tests.comparison.tables import PLAN, titre, written


def ran(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["compare", *map(str, arguments)])
    captured = capsys.readouterr()
    return left.value.code, captured.out, captured.err


@pytest.fixture
def folder(tmp_path):
    written(tmp_path, "bench", "bench", 8, titre, 1)
    written(tmp_path, "pilot", "pilot", 5, titre, 2)
    written(tmp_path, "slow", "pilot", 5, lambda rng: titre(rng, slope=0.25), 3)
    (tmp_path / "plan.yaml").write_text(PLAN)
    return tmp_path


def test_equivalent_runs_pass_with_a_page_and_a_plot(folder, capsys):
    out = folder / "out"
    code, text, _err = ran(
        capsys, folder / "bench.yaml", folder / "pilot.yaml", "--plan", folder / "plan.yaml", "-o", out
    )
    assert code == 0
    assert "simulated" in text
    data = json.loads((out / "comparison.json").read_text())
    assert data["verdict"] == "pass"
    assert [item["verdict"] for item in data["criteria"]] == ["pass"] * 4
    page = (out / "comparison.html").read_text()
    assert "simulated" in page
    assert "<svg" in page


def test_same_target_another_slope_fails(folder, capsys):
    """The case that a test of set points misses."""
    code, text, _err = ran(
        capsys, folder / "bench.yaml", folder / "slow.yaml", "--plan", folder / "plan.yaml", "--json"
    )
    assert code == 1
    words = {item["name"]: item["verdict"] for item in json.loads(text)["criteria"]}
    assert words["P, end: pilot"] == "pass"
    assert words["P, slope (2 .. 10 h): pilot"] == "fail"


def test_a_draft_is_a_plan_that_runs(folder, capsys):
    bench, pilot, draft = folder / "bench.yaml", folder / "pilot.yaml", folder / "draft.yaml"
    assert ran(capsys, bench, pilot, "--draft", draft)[0] == 0
    assert "1.5 SD" in draft.read_text()
    assert ran(capsys, bench, pilot, "--plan", draft)[0] in (0, 3)
    code, _text, err = ran(capsys, bench, pilot, "--draft", draft)
    assert code == 2
    assert "exists" in err


def test_the_same_answer_again_and_in_chinese(folder, capsys):
    arguments = folder / "bench.yaml", folder / "pilot.yaml", "--plan", folder / "plan.yaml"
    assert ran(capsys, *arguments, "--json")[1] == ran(capsys, *arguments, "--json")[1]
    assert "合格" in ran(capsys, *arguments, "--lang", "zh")[1]


def test_too_few_runs_are_inconclusive(folder, capsys):
    written(folder, "one", "pilot", 1, titre, 4)
    code, text, _err = ran(capsys, folder / "bench.yaml", folder / "one.yaml", "--plan", folder / "plan.yaml")
    assert code == 3
    assert "the least" in text


@pytest.mark.parametrize(("lang", "words"), [
    ("en", "pilot1 was read from 0 to 4 h alone, where runs usually are from 0 to 10 h"),
    ("zh", "pilot1 仅在 0 至 4 h 有读数"),
])  # fmt: skip
def test_a_run_that_ended_early_is_named_and_its_shape_is_not_the_whole(folder, capsys, lang, words):
    """Its last reading was taken for the end of a culture, and hours that nobody read for a shape that is the same."""
    rows = (folder / "pilot.csv").read_text().splitlines()
    kept = [row for row in rows if not (row.startswith("pilot1,") and float(row.split(",")[1]) > 4)]
    (folder / "pilot.csv").write_text("\n".join(kept) + "\n")
    arguments = (folder / "bench.yaml", folder / "pilot.yaml", "--plan", folder / "plan.yaml", "--lang", lang)
    code, text, _err = ran(capsys, *arguments)
    assert code in (1, 3)
    assert words in text
    if lang == "en":
        assert "every run covers 0 to 4 h alone, of 0 to 10 h: no equivalence of the whole shape" in text
        (folder / "plan.yaml").write_text(PLAN.replace("margin: 0.5 g/L", "margin: 0.5 g/L, to: 4 h"))
        assert "no equivalence of the whole shape" not in ran(capsys, *arguments)[1]


def test_spectra_features_and_sensors_of_a_plan(folder, capsys):
    rng = np.random.default_rng(5)
    channels = np.linspace(400, 1800, 40)
    head = ",".join(["run", "scale", "glucose", *(f"{c:.0f}" for c in channels)])
    lines = [head]
    for scale, count in (("bench", 6), ("pilot", 3)):
        for k in range(count):
            for level in rng.uniform(0, 10, 6):
                light = level * np.exp(-0.5 * ((channels - 1125) / 60) ** 2) + rng.normal(0, 0.02, 40)
                lines.append(",".join([f"{scale}{k}", scale, f"{level:.4f}", *(f"{v:.5f}" for v in light)]))
    (folder / "raman.csv").write_text("\n".join(lines) + "\n")
    names = [f"bench{k}" for k in range(1, 9)] + [f"pilot{k}" for k in range(1, 6)]
    (folder / "omics.csv").write_text("run,gene\n" + "".join(f"{n},{rng.normal():.4f}\n" for n in names))
    more = """spectra:
  - {file: raman.csv, run: run, scale: scale, assay: glucose, unit: g/L, made_at: bench, limit: 1}
features:
  - {file: omics.csv, run: run}
"""
    (folder / "plan.yaml").write_text(PLAN + more)
    code, text, _err = ran(
        capsys, folder / "bench.yaml", folder / "pilot.yaml", "--plan", folder / "plan.yaml", "--json"
    )
    data = json.loads(text)
    assert code == 0
    assert any("error at pilot" in item["name"] for item in data["criteria"])
    assert "pilot" in data["spectra"][0]["at"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("reference: bench", "reference: plant", "no run is of scale 'plant'"),
        ("symbol: P, take: end", "symbol: Q, take: end", "no run has readings of 'Q'"),
        ("margin: 0.5 g/L", "margin: 0.5 h", "margin"),
        ("margin: 10 %", "margin: -3", "margin"),
        ("level: 90 %", "level: 190 %", "level"),
        ("take: end", "take: best", "best"),
    ],
)
def test_a_wrong_plan_is_refused_at_its_place(folder, capsys, old, new, words):
    (folder / "plan.yaml").write_text(PLAN.replace(old, new))
    code, _text, err = ran(capsys, folder / "bench.yaml", folder / "pilot.yaml", "--plan", folder / "plan.yaml")
    assert code == 2
    assert words in err
    assert "plan.yaml:" in err


def test_runs_without_a_scale_and_a_lone_group_are_refused(folder, capsys):
    path = folder / "pilot.yaml"
    path.write_text(path.read_text().replace("{scale: pilot}", "{}"))
    code, _text, err = ran(capsys, folder / "bench.yaml", path, "--plan", folder / "plan.yaml")
    assert code == 2
    assert "has no scale" in err
    code, _text, err = ran(capsys, folder / "bench.yaml", "--plan", folder / "plan.yaml")
    assert code == 2
    assert "nothing to compare" in err


def test_predictions_by_a_recipe_are_held_against_the_runs(tmp_path, capsys):
    """Runs made with the recipe's own culture, with scatter, are predicted; the same runs read 30 % high are not."""
    from seedtrain.development import culture_text, fitted_culture, read_data
    from seedtrain.program import simulate_recipe
    from seedtrain.simulation import read_culture

    recipe = "examples/collagen/recipe.yaml"
    made = simulate_recipe(Path(recipe))
    rng = np.random.default_rng(6)
    for name, factor in (("right", 1.0), ("high", 1.3)):
        rows = ["run,time [h],biomass [g/L]"]
        for run in ("B1", "B2", "B3"):
            gain = factor * rng.normal(1, 0.01)
            rows += [f"{run},{t:.3f},{gain * made.at('X', t):.5f}" for t in np.linspace(0.5, made.time[-1] - 0.5, 12)]
        (tmp_path / f"{name}.csv").write_text("\n".join(rows) + "\n")
        (tmp_path / f"{name}.yaml").write_text(
            f"data: {name}\norigin: simulated\ntables:\n  - file: {name}.csv\n    run: run\n"
            '    time: {column: "time [h]", unit: h}\n'
            '    columns: [{column: "biomass [g/L]", symbol: X, unit: g/L}]\n'
            "runs:\n  B1: {scale: bench}\n  B2: {scale: bench}\n  B3: {scale: bench}\n"
        )
    plan = tmp_path / "plan.yaml"
    plan.write_text("comparison: prediction\nreference: bench\npredictions:\n  - {symbol: X, margin: 5 %}\n")
    code, text, _err = ran(capsys, tmp_path / "right.yaml", "--plan", plan, "--recipe", recipe, "--json")
    data = json.loads(text)
    assert code == 0
    assert data["bounds"][0]["why"] == "3 runs; 9 are needed"
    assert data["errors"][0]["readings"] == 36
    assert data["fitted_to"] == []
    # a culture that says it was fitted to these very runs predicts nothing of them, and that is told
    key = read_data(tmp_path / "right.yaml").digest
    culture = tmp_path / "fitted.yaml"
    culture.write_text(fitted_culture(culture_text("ecoli_balanced"), read_culture("ecoli_balanced"), {"Y_em": 0.53},
                                      f"fitted to 36 readings, data {key[:16]}", "mine"))  # fmt: skip
    told = ran(capsys, tmp_path / "right.yaml", "--plan", plan, "--recipe", recipe, "--culture", str(culture))[1]
    assert "The culture was fitted to the runs of right" in told
    assert ran(capsys, tmp_path / "high.yaml", "--plan", plan, "--recipe", recipe)[0] == 1
    code, _text, err = ran(capsys, tmp_path / "right.yaml", "--plan", plan)
    assert code == 2
    assert "--recipe" in err
