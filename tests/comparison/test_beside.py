"""Spectra and features that lie with the runs, and what machines read in any language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedtrain.cli import main
from tests.comparison.tables import HOURS, PLAN, titre, written

CHANNELS = [f"{400 + 40 * at}" for at in range(30)]


def ran(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[Any, str, str]:
    with pytest.raises(SystemExit) as left:
        main(["compare", *map(str, arguments)])
    captured = capsys.readouterr()
    return left.value.code, captured.out, captured.err


def with_spectra(folder: Path, name: str, scale: str, count: int, seed: int, gain: float = 1.0) -> Path:
    """Runs of `written`, and a spectrum 0.1 h after each sample: a band as high as the product beside one that stays
    (water), times a gain; and two features of each run.
    """
    path = written(folder, name, scale, count, titre, seed)
    rng = np.random.default_rng(seed)
    places = np.arange(30)
    water = 4 * np.exp(-0.5 * ((places - 24) / 2) ** 2)
    lines = [",".join(["run", "time [h]", *CHANNELS])]
    for line in (folder / f"{name}.csv").read_text().splitlines()[1:]:
        run, hour, product = line.split(",")
        light = 2 + water + float(product) * np.exp(-0.5 * ((places - 14) / 3) ** 2)
        seen = gain * light + rng.normal(0, 0.01, 30)
        lines.append(",".join([run, f"{float(hour) + 0.1:g}", *(f"{value:.5f}" for value in seen)]))
    (folder / f"{name}_raman.csv").write_text("\n".join(lines) + "\n")
    features = [f"{name}{run + 1},{rng.normal(5, 0.1):.4f},{rng.normal(2, 0.1):.4f}" for run in range(count)]
    (folder / f"{name}_rna.csv").write_text("\n".join(["run,ompF,acs", *features]) + "\n")
    more = f"""  - file: {name}_raman.csv
    kind: spectra
    spectra: raman
    run: run
    time: {{column: "time [h]", unit: h}}
  - file: {name}_rna.csv
    kind: features
    run: run
runs:
"""
    path.write_text(path.read_text().replace("runs:\n", more))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with_spectra(tmp_path, "bench", "bench", 8, 1)
    with_spectra(tmp_path, "pilot", "pilot", 4, 2, gain=1.3)
    (tmp_path / "plan.yaml").write_text(PLAN + "spectra:\n  - {assay: P, made_at: bench, limit: 0.3}\n")
    return tmp_path


def test_spectra_of_the_mappings_meet_their_assay_in_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A gain of the other vessel ruins the calibration on raw light; the treatment that takes it out holds."""
    arguments = folder / "bench.yaml", folder / "pilot.yaml", "--plan", folder / "plan.yaml"
    code, text, _err = ran(capsys, *arguments, "--json")
    data = json.loads(text)
    errors = {item["treatment"]: item["at"]["pilot"]["rmse"] for item in data["spectra"]}
    assert errors["none"] > 0.5 > 0.3 > errors["SNV"]
    assert {item["made_at"] for item in data["spectra"]} == {"bench"}
    assert any(item["name"].startswith("P by spectra") for item in data["criteria"])
    assert code in (0, 1)
    plan = folder / "plan.yaml"
    before = plan.read_text()
    for old, new, words in (
        ("limit: 0.3", "limit: 0.3, within: 0.05 h", "no spectrum lies within 0.05 h"),
        ("limit: 0.3", "limit: 0.3, of: nir", "no mapping has spectra called 'nir'"),
        ("assay: P", "assay: Q", "no run has readings of 'Q'"),
        ("limit: 0.3", "limit: 0.3, file: a.csv, of: raman", "Keep one of"),
    ):
        plan.write_text(before.replace(old, new))
        code, _text, err = ran(capsys, *arguments)
        assert code == 2
        assert words in err
        assert "plan.yaml:" in err


def test_features_of_the_mappings_are_columns_of_the_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = folder / "bench.yaml", folder / "pilot.yaml", "--plan", folder / "plan.yaml", "--json"
    code, text, _err = ran(capsys, *arguments)
    (same,) = json.loads(text)["multivariate"]
    assert code in (0, 1)
    assert {"ompF", "acs"} <= set(same["columns"])
    path = folder / "pilot_rna.csv"
    path.write_text(path.read_text().replace("pilot2,", "pilot2,9", 1))  # 95 instead of 5
    (other,) = json.loads(ran(capsys, *arguments)[1])["multivariate"]
    assert "pilot2" in other["outside"]
    twice = folder / "pilot.yaml"
    twice.write_text(
        twice.read_text().replace("runs:\n", "  - {file: pilot_rna.csv, kind: features, run: run}\nruns:\n")
    )
    code, _text, err = ran(capsys, *arguments[:-1])
    assert code == 2
    assert "in another table too" in err


def test_machines_read_english_whatever_people_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = folder / "bench.yaml", folder / "pilot.yaml", "--plan", folder / "plan.yaml"
    english = ran(capsys, *arguments, "--json")[1]
    assert ran(capsys, *arguments, "--json", "--lang", "zh")[1] == english
    names = [item["name"] for item in json.loads(english)["criteria"]]
    assert "P, end: pilot" in names
    assert "P, shape: pilot" in names
    screen = ran(capsys, *arguments, "--lang", "zh")[1]
    assert "P, end: pilot" not in screen
    assert "界" in screen or "以内" in screen or "之内" in screen


def test_a_drafted_plan_leaves_out_what_only_changes_with_the_vessel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, scale, litres in (("bench", "bench", 1.0), ("pilot", "pilot", 200.0)):
        path = written(tmp_path, name, scale, 3, titre, 1)
        table = tmp_path / f"{name}.csv"
        head, *body = table.read_text().splitlines()
        table.write_text("\n".join([f"{head},volume [L]", *(f"{line},{litres}" for line in body)]))
        column = ', {column: "volume [L]", symbol: V, unit: L}]'
        path.write_text(path.read_text().replace("unit: g/L}]", "unit: g/L}" + column))
    draft = tmp_path / "draft.yaml"
    assert ran(capsys, tmp_path / "bench.yaml", tmp_path / "pilot.yaml", "--draft", draft)[0] == 0
    assert "symbol: V" not in draft.read_text()
    assert "because they change with the vessel: V" in draft.read_text()
    assert len(HOURS) == 11
