"""What goes along with runs: tables of runs, features, spectra; and tables made to try it on."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedtrain.base import InputError, SeedtrainError
from seedtrain.cli import main
from seedtrain.development import check_files, read_data
from tests.development_data.test_data import rows, write

CHANNELS = [str(400 + 50 * at) for at in range(12)]


def table(path: Path, heads: list[str], body: list[list[Any]]) -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([heads, *body])
    return path


def spectra(runs: tuple[str, ...] = ("B1", "B2", "B3")) -> list[list[Any]]:
    """A band that grows with time, twelve spectra a run, with a little noise; in each run a step at the sixth."""
    rng = np.random.default_rng(1)
    places = np.arange(12)
    found: list[list[Any]] = []
    for run in runs:
        for hour in range(12):
            height = 1 + 0.2 * hour + 3 * (hour > 5)
            light = 5 + height * np.exp(-0.5 * ((places - 6) / 1.5) ** 2) + rng.normal(0, 0.01, 12)
            found.append([run, hour, *(f"{value:.4f}" for value in light)])
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lab = tmp_path / "lab"
    lab.mkdir()
    write(lab / "assays.csv", rows())
    heads = ["run", "scale", "vessel", "feed factor", "initial biomass [mg/L]", "fed glucose [g/L]", "origin", "ompF"]
    table(lab / "runs.csv", heads, [
        ["B1", "bench", "R-1", "0.9", "200", "500", "simulated", "1.5"],
        ["B2", "bench", "R-1", "", "210", "500", "simulated", "1.25"],
        ["B3", "Pilot", "R-2", "1.1", "", "500", "simulated", ""],
    ])  # fmt: skip
    table(lab / "raman.csv", ["run", "time [h]", *CHANNELS], spectra())
    return lab


def test_a_table_of_runs_fills_the_draft_and_its_other_numbers_are_features(folder: Path) -> None:
    files = sorted(folder.glob("*.csv"))
    found, text = check_files(files)
    assert text.startswith('data: "lab"\norigin: simulated\n')
    assert '"B1": {scale: bench, vessel: "R-1", feed_factor: 0.9, initial: {X: 0.2}, fed: {S: 500}}' in text
    assert found.about["B3"].scale == "pilot"
    assert found.about["B2"].feed_factor == 1.0
    assert found.features == {"B1": {"ompF": 1.5}, "B2": {"ompF": 1.25}, "B3": {}}
    (folder / "mapping.yaml").write_text(text)
    again = read_data(folder / "mapping.yaml")
    assert again.about == found.about
    assert again.features == found.features
    assert all(run.origin == "simulated" for run in again.runs.values())


def test_spectra_go_along_with_their_runs_and_what_is_wrong_with_one_is_told(folder: Path) -> None:
    found, _text = check_files(sorted(folder.glob("*.csv")))
    (made,) = found.spectra
    assert (made.name, made.x.shape, made.channels[0]) == ("raman", (36, 12), 400.0)
    assert set(made.run) == {"B1", "B2", "B3"}
    assert not [item for item in found.findings if item.symbol == "raman"]  # a step of the broth is no outlier
    broken = spectra()
    broken[3][5] = "n.d."
    broken[8][2:] = [f"{5 + 0.3 * at:.4f}" for at in range(12)]  # another shape altogether
    broken[20][4:8] = ["60000"] * 4
    table(folder / "raman.csv", ["run", "time [h]", *CHANNELS], broken)
    found, _text = check_files(sorted(folder.glob("*.csv")))
    told = {(item.kind, item.position.line) for item in found.findings if item.symbol == "raman" and item.position}
    assert {("missing", 5), ("outlier", 10), ("outlier", 22)} <= told
    assert len(found.spectra[0].run) == 35


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "words"),
    [
        ("runs.csv", "Pilot", "giant", 4, "no scale 'giant'"),
        ("runs.csv", "210", "-3", 3, "'-3' is no such number"),
        ("runs.csv", "0.9", "0,9", 2, "point"),
        ("runs.csv", "simulated,1.25", "made up,1.25", 3, "simulated"),
        ("raman.csv", "B3,11", "B9,11", 37, "no table has readings of run B9"),
    ],
)
def test_what_is_wrong_beside_is_refused_at_its_line(
    folder: Path, file: str, old: str, new: str, line: int, words: str
) -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    cell = f'"{new}"' if "," in new and file == "runs.csv" and "made" not in new else new
    path.write_text(text.replace(old, cell, 1))
    with pytest.raises(SeedtrainError) as error:
        check_files(sorted(folder.glob("*.csv")))
    assert words in str(error.value)
    assert error.value.parts[0].position is not None
    assert (Path(error.value.parts[0].position.file).name, error.value.parts[0].position.line) == (file, line)
    assert error.value.parts[0].remedy


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{file: x.csv, kind: features, run: run, time: {column: t, unit: h}}", "one row a run"),
        ("{file: x.csv, kind: features}", "needs `run`"),
        ("{file: x.csv, kind: spectra, run: run}", "needs `time`"),
        ("{file: x.csv, run: run, columns: [{column: a, symbol: X}]}", "needs `time`"),
    ],
)
def test_a_mapping_that_says_too_little_or_too_much_is_refused(tmp_path: Path, entry: str, words: str) -> None:
    (tmp_path / "mapping.yaml").write_text(f"data: d\ntables:\n  - {entry}\n")
    with pytest.raises(InputError, match=words):
        read_data(tmp_path / "mapping.yaml")


def test_a_feed_that_nobody_described_leaves_the_balance_out(tmp_path: Path) -> None:
    """Instead of a carbon balance that is far off."""
    heads = ["run", "time [h]", "biomass [g/L]", "glucose [g/L]", "volume [L]", "feed [L/h]", "CER [mmol/L/h]"]
    body = [["B1", hour, 1 + hour, 5 + hour, 1 + 0.1 * hour, 0.1, 5] for hour in range(8)]
    table(tmp_path / "a.csv", heads, body)
    found, text = check_files([tmp_path / "a.csv"], culture="ecoli_balanced")
    (told,) = [item for item in found.findings if item.kind == "balance"]
    assert "nothing says what the feed holds" in told.words
    assert "fed: {S: 500}" in told.remedy
    assert not found.runs["B1"].balances
    (tmp_path / "m.yaml").write_text(text.replace("scale: bench", "scale: bench, fed: {S: 500}"))
    assert read_data(tmp_path / "m.yaml").runs["B1"].balances


def test_tables_to_try_on_are_read_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe, lab = "examples/collagen/recipe.yaml", tmp_path / "lab"
    with pytest.raises(SystemExit) as left:
        main(["data", "example", recipe, "--runs", "2", "--true", "Y_em=0.45", "-o", str(lab)])
    assert left.value.code == 0
    assert "simulated" in capsys.readouterr().out
    found, text = check_files(sorted(lab.glob("*.csv")), culture="ecoli_balanced")
    assert "origin: simulated" in text
    assert set(found.runs) == {"B1", "B2"}
    assert all(item.initial and item.fed == {"S": 500.0} for item in found.about.values())
    assert all(abs(run.balances[0].relative) < 0.06 for run in found.runs.values())  # assays of 4 %
    assert len(found.spectra[0].run) == 22
    for arguments, words in (
        (["-o", str(lab)], "not empty"),
        (["--runs", "0", "-o", str(tmp_path / "a")], "0 runs"),
        (["--true", "Y_em=high", "-o", str(tmp_path / "a")], "--true"),
        (["--true", "nothing=1", "-o", str(tmp_path / "a")], "no parameter 'nothing'"),
    ):
        with pytest.raises(SystemExit) as left:
            main(["data", "example", recipe, *arguments])
        assert left.value.code == 2
        assert words in capsys.readouterr().err
        assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time [h],foo\n1,2\n2,3\n", "no column but the time was understood"),
        ("run,scale\nB1,bench\n", "hold no readings over time"),
    ],
)
def test_tables_that_tell_nothing_are_refused_at_their_own_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=words) as error:
        check_files([tmp_path / "a.csv"])
    assert error.value.position is not None
    assert error.value.position.file.endswith("a.csv")


def test_what_was_guessed_or_left_is_told_without_a_draft_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`titre mg/L` has its unit; OD is not taken for anything, and glucose without a unit is a guess."""
    (tmp_path / "a.csv").write_text("run,time,OD600,glucose,titre mg/L\nB1,0,1,2,3000\nB1,1,1,2,3500\n")
    found, _text = check_files([tmp_path / "a.csv"])
    assert found.runs["B1"]["P"].tolist() == [3.0, 3.5]
    with pytest.raises(SystemExit) as left:
        main(["data", "check", str(tmp_path / "a.csv")])
    assert left.value.code == 0
    out = capsys.readouterr().out
    assert 'not understood: "OD600"' in out
    assert 'column: "glucose"' in out
    assert "titre" not in out.partition("nothing was changed")[2]


def test_decimal_commas_are_read_where_the_mapping_says_so_and_drafted_where_they_are_sure(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("run;time [h];biomass [g/L]\nB1;0;1,25\nB1;0,5;2,5\nB1;1;3\n")
    found, text = check_files([path])
    assert found.runs["B1"]["X"].tolist() == [1.25, 2.5, 3.0]
    assert 'decimal: ","' in text
    (tmp_path / "m.yaml").write_text(text)
    assert read_data(tmp_path / "m.yaml").runs["B1"].time.tolist() == [0.0, 0.5, 1.0]
    (tmp_path / "m.yaml").write_text(text.replace('    decimal: ","\n', ""))
    with pytest.raises(InputError, match="decimal"):
        read_data(tmp_path / "m.yaml")
    # A comma before three digits may be thousands, and a point elsewhere says what a comma is not: neither is guessed.
    for cells in ("1,250", "1,5\nB1;2;2.5"):
        path.write_text(f"run;time [h];biomass [g/L]\nB1;0;{cells}\n")
        with pytest.raises(InputError, match="is not a number"):
            check_files([path])
