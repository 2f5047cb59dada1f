"""Tables from bench and pilot: read in any format, faults at their lines, what is wrong found, nothing changed."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.development import check_files, draft_mapping, read_data
from seedtrain.simulation import read_culture
from tests.development.own_data import command

HEADER = ["batch", "time [h]", "biomass [g/L]", "glucose [mg/L]"]


def rows(runs=("B1", "B2", "B3"), count=12):
    found = []
    for at, run in enumerate(runs):
        for time in np.linspace(0, 11, count):
            X, S = 0.5 * np.exp(0.2 * time) + 0.01 * at, 12000 * np.exp(-0.15 * time) + 10 * at
            found.append([run, f"{time:g}", f"{X:.4f}", f"{S:.2f}"])
    return found


def write(path: Path, table, header=HEADER) -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *table])
    return path


def mapping(folder: Path, file="assays.csv", **changes) -> Path:
    text = draft_mapping([folder / file])
    for old, new in changes.get("replaced", []):
        assert old in text
        text = text.replace(old, new)
    path = folder / "mapping.yaml"
    path.write_text(text + changes.get("added", ""))
    return path


def test_tables_become_runs_in_the_units_of_the_house(tmp_path):
    write(tmp_path / "assays.csv", rows())
    found = read_data(mapping(tmp_path))
    assert set(found.runs) == {"B1", "B2", "B3"}
    run = found.runs["B1"]
    assert run.origin == "measured"
    assert run["S"][0] == pytest.approx(12.0)
    assert run.variables["S"].unit == "g/L"
    assert run["X"][-1] == pytest.approx(float(rows()[11][2]))
    assert found.readings == 72
    assert found.findings == ()


def test_every_format_gives_the_same_runs(tmp_path):
    openpyxl, pyarrow, parquet = (pytest.importorskip(n) for n in ("openpyxl", "pyarrow", "pyarrow.parquet"))
    table = rows()
    write(tmp_path / "assays.csv", table)
    book = openpyxl.Workbook()
    for row in [HEADER, *[[r[0], *map(float, r[1:])] for r in table]]:
        book.active.append(row)
    book.save(tmp_path / "assays.xlsx")
    columns = list(zip(*table, strict=True))
    data = {name: [*map(float, c)] if at else list(c) for at, (name, c) in enumerate(zip(HEADER, columns, strict=True))}
    parquet.write_table(pyarrow.table(data), tmp_path / "assays.parquet")
    (tmp_path / "assays.tsv").write_text("\n".join("\t".join(row) for row in [HEADER, *table]))
    first = check_files([tmp_path / "assays.csv"])[0]
    for name in ("assays.xlsx", "assays.parquet", "assays.tsv"):
        other = check_files([tmp_path / name])[0]
        assert {k: r.to_data() for k, r in other.runs.items()} == {k: r.to_data() for k, r in first.runs.items()}


@pytest.mark.parametrize(
    ("place", "value", "kind", "words"),
    [
        (5, "7.3", "outlier", "neighbours say"),
        (5, "1359.1", "unit_slip", "1000"),
        (5, "-0.2", "negative", "below zero"),
        (5, "<0.1", "censored", "'<0.1'"),
        (5, "n.d.", "missing", "no reading"),
    ],
)
def test_what_is_wrong_with_one_cell_is_found_at_its_line_and_kept(tmp_path, place, value, kind, words):
    table = rows()
    table[place][2] = value
    write(tmp_path / "assays.csv", table)
    found = read_data(mapping(tmp_path))
    mine = [item for item in found.findings if item.kind == kind]
    assert len(mine) == 1
    assert words in mine[0].words
    assert mine[0].position is not None
    assert mine[0].position.line == place + 2
    if kind in ("outlier", "unit_slip", "negative"):
        assert found.runs["B1"]["X"][place] == float(value)  # reported, not changed


def test_a_run_in_another_unit_a_gap_and_a_repeated_time_are_found(tmp_path):
    table = rows()
    for row in table[24:]:
        row[3] = f"{float(row[3]) / 1000:.5f}"  # grams in a column of milligrams
    del table[3:9]
    table.insert(1, [*table[0][:2], "0.52", ""])
    write(tmp_path / "assays.csv", table)
    kinds = {(item.kind, item.run) for item in read_data(mapping(tmp_path)).findings}
    assert ("unit_slip", "B3") in kinds
    assert ("gap", "B1") in kinds
    assert ("repeated", "B1") in kinds


def test_replicates_are_both_kept(tmp_path):
    table = [*rows(("B1",))]
    table.insert(1, ["B1", "0", "0.6", "12100"])
    write(tmp_path / "assays.csv", table)
    run = read_data(mapping(tmp_path)).runs["B1"]
    assert sorted(run["X"][:2]) == [0.5, 0.6]


def test_timestamps_count_from_the_first_row_of_a_run(tmp_path):
    table = [[r[0], f"2026-03-0{1 + at // 12}T{at % 12:02d}:30:00", *r[2:]] for at, r in enumerate(rows())]
    write(tmp_path / "assays.csv", table, ["batch", "timestamp", *HEADER[2:]])
    found = read_data(mapping(tmp_path))
    assert found.runs["B2"].time.tolist() == list(range(12))


def test_the_carbon_of_a_run_closes_or_is_told(tmp_path):
    """A litre of glucose burnt to CO2: 180.156 g/mol, six carbons."""
    hours = np.linspace(0, 10, 41)
    burnt = 10 * (1 - hours / 20)
    rate = 0.5 / 180.156 * 6 * 1000  # mmol/L/h of CO2 from 0.5 g/L/h
    table = [["B1", f"{h:g}", "1", f"{s:.6f}", "1", f"{rate:.6f}"] for h, s in zip(hours, burnt, strict=True)]
    header = ["batch", "time [h]", "biomass [g/L]", "glucose [g/L]", "volume [L]", "CER [mmol/L/h]"]
    write(tmp_path / "assays.csv", table, header)
    culture = [("origin: measured", "culture: ecoli_balanced\norigin: measured")]
    closed = read_data(mapping(tmp_path, replaced=culture))
    assert abs(closed.runs["B1"].balances[0].relative) < 1e-4
    assert not [item for item in closed.findings if item.kind == "balance"]
    write(tmp_path / "assays.csv", [[*row[:5], f"{0.2 * rate:.6f}"] for row in table], header)
    opened = read_data(mapping(tmp_path, replaced=culture))
    assert [item for item in opened.findings if item.kind == "balance"]


def test_the_carbon_is_told_from_dry_weight_and_where_pools_were_not_read_at_the_same_times(tmp_path):
    """Dry weight with the product in it; glucose below its limit at the end, product read late: the balance stands."""
    hours = np.linspace(0, 10, 41)
    culture = read_culture("ecoli_balanced")
    carbon = {name: culture.compositions[name].elements["C"] for name in ("X", "S", "P")}
    made = np.clip(hours - 6, 0, None) * 0.5
    cells = 1 + 0.3 * hours
    left = np.clip(12 - 2 * hours, 0, None)
    held = carbon["X"] * cells + carbon["S"] * left + carbon["P"] * made
    rate = -np.gradient(held, hours) * 1000
    table = [
        [
            "B1",
            f"{h:g}",
            f"{x + p:.6f}",
            f"{s:.6f}" if s > 0.4 else "<0.4",
            f"{p:.6f}" if p > 0 else "",
            "1",
            f"{r:.6f}",
        ]
        for h, x, s, p, r in zip(hours, cells, left, made, rate, strict=True)
    ]
    heads = ["batch", "time [h]", "DCW [g/L]", "glucose [g/L]", "titre [g/L]", "volume [L]", "CER [mmol/L/h]"]
    write(tmp_path / "assays.csv", table, heads)
    read = read_data(mapping(tmp_path, replaced=[("origin: measured", "culture: ecoli_balanced\norigin: measured")]))
    assert abs(read.runs["B1"].balances[0].relative) < 0.05


def test_sampling_is_told_with_its_correction(tmp_path):
    table = [[*row[:3], "1.0", "0.01"] for row in rows(("B1",))]
    write(tmp_path / "assays.csv", table, [*HEADER[:3], "volume [L]", "sample volume [L]"])
    mine = [item for item in read_data(mapping(tmp_path)).findings if item.kind == "sampling"]
    assert len(mine) == 1
    assert f"{1 / 0.99**12:.4g}" in mine[0].words


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("", "the table is empty", 1),
        ("a,b\n", "no row below a header", 1),
        ("1,2\n3,4\n", "holds numbers", 1),
        ("batch,time [h],time [h]\nB,1,2\n", "stands twice", 1),
        ("batch,time [h],biomass [g/L]\nB,1,2\nB,2\n", "2 cells, the header 3", 3),
        ("batch,time [h],biomass [g/L]\nB,1,2\nB,2,high\n", "'high' is not a number", 3),
        ('batch;time [h];biomass [g/L]\nB;1;2\nB;2;"1,250"\n', "12.5, with a point", 3),
        ("batch,time [h],biomass [g/L]\nB,2,2\nB,1,3\n", "time goes back", 3),
        ("batch,time [h],biomass [g/L]\n,1,2\n", "names no run", 2),
        ("batch,time [h],biomass [g/L]\nB,,2\n", "has no time", 2),
    ],
)
def test_malformed_tables_are_refused_at_their_line(tmp_path, text, words, line):
    path = tmp_path / "assays.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        check_files([path])
    assert words in str(caught.value)
    position = caught.value.parts[0].position
    assert position is not None
    assert position.line == line


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('unit: "mg/L"', 'unit: "mg/furlong"', "mg/furlong"),
        ('unit: "mg/L"', 'unit: "h"', "S is in g/L"),
        ('column: "glucose [mg/L]"', 'column: "sugar"', "no column 'sugar'"),
        ('"B3": {scale: bench}', '"B9": {scale: bench}', "no table has this run"),
        ('    run: "batch"\n', "", "exactly one of"),
        ("scale: bench", "scale: large", "'large'"),
        ("kind: offline", "kind: offline\n    colour: red", "'colour' is unknown"),
        ("assays.csv", "other.csv", "no such table"),
    ],
)
def test_faults_of_a_mapping_are_told(tmp_path, old, new, words):
    write(tmp_path / "assays.csv", rows())
    with pytest.raises(InputError, match=words.replace("(", r"\(")) as caught:
        read_data(mapping(tmp_path, replaced=[(old, new)]))
    assert caught.value.parts[0].position is not None


def test_the_command_drafts_checks_and_refuses(tmp_path):
    write(tmp_path / "assays.csv", rows())
    first = command(tmp_path, "data", "check", "assays.csv", "--draft", "mapping.yaml")
    assert first.returncode == 0, first.stderr
    assert "nothing was changed" in first.stdout
    again = command(tmp_path, "data", "check", "mapping.yaml", "--json", "--csv", "runs")
    assert json.loads(again.stdout)["readings"] == 72
    assert (tmp_path / "runs" / "B1.csv").exists()
    (tmp_path / "assays.csv").write_text("batch,time\nB,x\n")
    bad = command(tmp_path, "data", "check", "mapping.yaml")
    assert bad.returncode == 2
    assert "remedy" in bad.stderr
    assert "Traceback" not in bad.stderr


def test_headers_of_another_laboratory_are_understood_and_a_wrong_guess_can_be_corrected(tmp_path):
    """Minutes of EFT, decimal commas, `batch_id`: the draft reads; glucose in mmol/L is refused, the draft kept."""
    lines = [f"FB-{n};{60 * t};{t + 1},5;{t},25" for n in (1, 2) for t in range(3)]
    (tmp_path / "a.csv").write_text("\n".join(["Batch_ID;EFT (min);CDW [g/L];Glc [g/L]", *lines]) + "\n")
    good = command(tmp_path, "data", "check", "a.csv", "--draft", "a.yaml", "--csv", "runs")
    assert good.returncode == 0, good.stderr
    found = read_data(tmp_path / "a.yaml").runs
    assert list(found) == ["FB-1", "FB-2"]
    assert found["FB-2"].time.tolist() == [0, 1, 2]
    assert found["FB-2"]["DCW"].tolist() == [1.5, 2.5, 3.5]
    (tmp_path / "b.csv").write_text((tmp_path / "a.csv").read_text().replace("Glc [g/L]", "Glc [mmol/L]"))
    bad = command(tmp_path, "data", "check", "b.csv", "--draft", "b.yaml")
    assert bad.returncode == 2
    assert "S is in g/L" in bad.stderr
    draft = (tmp_path / "b.yaml").read_text()
    (tmp_path / "b.yaml").write_text(draft.replace('unit: "mmol/L"', 'unit: "g/L", factor: 0.180156'))
    assert read_data(tmp_path / "b.yaml").runs["FB-1"]["S"].tolist() == pytest.approx([0.045039, 0.225195, 0.405351])
