"""`seedtrain experiments` from a study file to effects, as a user runs it, and with wrong input."""

import csv
import json
import math

import numpy as np
import pytest

from seedtrain.cli import main
from tests.development_experiments.studies import MEDIUM, written

pytest.importorskip("pyDOE3", reason="classical designs need pyDOE3")


def ran(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["experiments", *map(str, arguments)])
    captured = capsys.readouterr()
    return left.value.code, captured.out, captured.err


def filled(path, truth):
    with path.open() as stream:
        rows = list(csv.reader(stream))
    head = rows[0]
    at = {name: head.index(name) for name in head}
    for row in rows[1:]:
        if row[at["titre [g/L]"]] == "":
            values = truth(float(row[at["temperature [degC]"]]), float(row[at["feed [mL/h]"]]), row[at["inducer"]])
            row[at["titre [g/L]"]], row[at["acetate [g/L]"]] = (f"{v:.4f}" for v in values)
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)


def read(path):
    with path.open() as stream:
        return list(csv.DictReader(stream))


def truth(temperature, feed, inducer):
    titre = 5 - 0.05 * (temperature - 32) ** 2 + 1.5 * math.log(feed) - (0.8 if inducer == "lactose" else 0)
    return titre, 0.25 * feed


def test_a_design_goes_to_the_bench_and_comes_back_as_effects(tmp_path, capsys):
    study, sheet = written(tmp_path), tmp_path / "sheet.csv"
    code, text, _err = ran(
        capsys, "design", study, "--kind", "d-optimal", "--runs", 14, "--blocks", 2, "--plate", 24, "-o", sheet
    )
    assert code == 0
    assert "D-efficiency" in text
    rows = read(sheet)
    assert {row["block"] for row in rows} == {"1", "2"}
    assert rows[0]["well"] == "1:A1"
    assert all((float(row["temperature [degC]"]) * 2) % 1 == 0 for row in rows)
    filled(sheet, truth)
    code, text, _err = ran(capsys, "analyse", study, sheet, "-o", tmp_path / "report", "--json")
    assert code == 0
    effects = {item["term"]: item for item in json.loads(text)[0]["effects"]}
    assert effects["inducer=IPTG"]["value"] == pytest.approx(0.4, abs=0.01)
    assert effects["feed"]["value"] == pytest.approx(0.75 * math.log(5), abs=0.02)
    assert effects["temperature^2"]["value"] == pytest.approx(-0.05 * 4.5**2, rel=0.05)
    page = (tmp_path / "report" / "experiments.html").read_text()
    assert "<svg" in page
    assert "titre" in page


def test_suggestions_go_into_the_sheet_and_find_the_best(tmp_path, capsys):
    study, sheet = written(tmp_path), tmp_path / "sheet.csv"
    for _round in range(5):
        assert ran(capsys, "suggest", study, sheet, "-n", 3, "--append")[0] == 0
        filled(sheet, truth)
    rows = read(sheet)
    assert [row["run"] for row in rows] == [str(k + 1) for k in range(15)]
    held = [float(row["titre [g/L]"]) for row in rows if float(row["acetate [g/L]"]) <= 2]
    assert max(held) > truth(32, 8, "IPTG")[0] - 0.25
    assert "expected, best so far" in rows[-1]["reason"]
    code, text, _err = ran(capsys, "suggest", study, sheet, "--json")
    assert code == 0
    assert set(json.loads(text)[0]) == {"run", "factors", "reason", "expected"}
    told = ran(capsys, "suggest", study, sheet, "--lang", "zh")[1]
    assert "第 16 次运行：temperature" in told
    assert " degC, feed" in told


def test_suggestions_take_the_next_free_wells(tmp_path, capsys):
    study, sheet = written(tmp_path), tmp_path / "sheet.csv"
    assert ran(capsys, "design", study, "--runs", 5, "--plate", 6, "-o", sheet)[0] == 0
    assert ran(capsys, "suggest", study, sheet, "-n", 2, "--plate", 6, "--append")[0] == 0
    assert [row["well"] for row in read(sheet)] == ["1:A1", "1:A2", "1:A3", "1:B1", "1:B2", "1:B3", "2:A1"]
    bare = tmp_path / "bare.csv"
    assert ran(capsys, "design", study, "--runs", 5, "-o", bare)[0] == 0
    code, _text, err = ran(capsys, "suggest", study, bare, "--plate", 6, "--append")
    assert code == 2
    assert "no column for wells" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--fit", "fit.json"], "--fit without --recipe"),
        (["--culture", "ecoli-fed-batch"], "--culture without --recipe"),
        (["--backend", "bofire", "--recipe", "recipe.yaml"], "takes no model"),
        (["--plate", "7"], "a plate of 7 wells"),
        (["--count", "385"], "most are 384"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, capsys, options, words):
    code, _text, err = ran(capsys, "suggest", written(tmp_path), *options)
    assert code == 2
    assert words in err


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("high: 37 degC", "high: 20 degC", "not above low"),
        ("high: 37 degC", "high: 3 g/L", "degC"),
        ("[IPTG, lactose]", "[IPTG]", "two different levels"),
        ("goal: maximise", "goal: best", "best"),
        ('"<= 2 g/L"', "two", "no limit"),
        ('"<= 2 g/L"', '"<= 2 h"', "g/L"),
        ("low: 2 mL/h", "low: -2 mL/h", "logarithm"),
        ("responses:", 'constraints: ["feed + colour <= 3"]\nresponses:', "no factor"),
        ("responses:", 'constraints: ["temperature + <= x"]\nresponses:', "no limit"),
    ],
)
def test_a_wrong_study_is_refused_at_its_place(tmp_path, capsys, old, new, words):
    assert old in MEDIUM
    study = written(tmp_path, MEDIUM.replace(old, new))
    code, _text, err = ran(capsys, "suggest", study)
    assert code == 2
    assert words in err
    assert "study.yaml:" in err


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("IPTG", "glucose", "Use one of: IPTG"), ("titre [g/L]", "titre", "there is no column"),
     (",,,", ",much,,", "no number"), ("\n2,", "\n1,", "stands twice")],
)  # fmt: skip
def test_a_wrong_sheet_is_refused_with_its_line_and_kept(tmp_path, capsys, old, new, words):
    study, sheet = written(tmp_path), tmp_path / "sheet.csv"
    ran(capsys, "design", study, "--runs", 6, "-o", sheet)
    text = sheet.read_text()
    assert old in text
    sheet.write_text(text.replace(old, new, 1))
    code, _text, err = ran(capsys, "suggest", study, sheet, "--append")
    assert code == 2
    assert words in err
    assert sheet.read_text() == text.replace(old, new, 1)


def test_factors_that_changed_together_are_named(tmp_path, capsys):
    study, sheet = written(tmp_path), tmp_path / "sheet.csv"
    lines = ["run,temperature [degC],feed [mL/h],inducer,titre [g/L],acetate [g/L],reason"]
    rng = np.random.default_rng(0)
    for run, place in enumerate(np.linspace(0, 1, 9), 1):
        lines.append(f"{run},{28 + 9 * place:.6f},{2 * 5**place:.6f},IPTG,{rng.random():.4f},1,")
    sheet.write_text("\n".join(lines) + "\n")
    code, _text, err = ran(capsys, "analyse", study, sheet, "--terms", "linear")
    assert code == 2
    assert "feed from temperature" in err
    assert "inducer=IPTG from what is the same in all" in err


def test_a_sheet_is_never_written_over(tmp_path, capsys):
    study, sheet = written(tmp_path), tmp_path / "sheet.csv"
    ran(capsys, "design", study, "--runs", 6, "-o", sheet)
    code, _text, err = ran(capsys, "design", study, "--runs", 6, "-o", sheet)
    assert code == 2
    assert "may hold results" in err
