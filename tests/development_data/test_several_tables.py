"""Several tables on one sheet, columns that name their runs, lists of readings, days beside times of day, long logs."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.cli import main
from seedtrain.development import check_files, read_data, tables_of_folder
from seedtrain.development._data_check import _findings
from seedtrain.development._data_check._clock import clock
from seedtrain.development._data_check._region import Region
from seedtrain.development._data_check._several import run_of_title
from tests.development_data.test_as_written import kept

NAMES = ["Time [h]", "DCW [g/L]", "Glucose [g/L]"]


def block(run: str, first: float) -> list[list[str]]:
    """A titled table of four readings."""
    return [[f"Run {run}", "by AK"], NAMES, *([str(2 * at), f"{first + at:g}", f"{15 - at:g}"] for at in range(4))]


@settings(max_examples=25, deadline=None)
@given(
    across=st.integers(1, 3),
    down=st.integers(1, 3),
    gap=st.integers(1, 2),
    above=st.booleans(),
    tight=st.booleans(),
)
def test_tables_are_found_wherever_they_lie_on_a_sheet(
    tmp_path_factory: pytest.TempPathFactory, across: int, down: int, gap: int, *, above: bool, tight: bool
) -> None:
    """Any grid of titled tables, parted by empty columns and by empty rows, or each by its title alone."""
    folder = tmp_path_factory.mktemp("sheet")
    runs = [[f"{chr(65 + row)}{column}" for column in range(across)] for row in range(down)]
    lines: list[list[str]] = [["Lab book, page 7"], []] if above else []
    for row in runs:
        blocks = [block(run, float(ord(run[0]) + int(run[1]))) for run in row]
        for cells in zip(*blocks, strict=True):
            line: list[str] = []
            for part in cells:
                line += [*part, *[""] * (3 - len(part) + gap)]
            lines.append(line)
        lines += [] if tight and across == 1 else [[]]
    with (folder / "book.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(lines)
    found = kept(folder, "book.csv").runs
    assert set(found) == {run for row in runs for run in row}
    for name, run in found.items():
        assert run.time.tolist() == [0, 2, 4, 6]
        assert run["DCW"].tolist() == [float(ord(name[0]) + int(name[1])) + at for at in range(4)]
        assert run["S"].tolist() == [15, 14, 13, 12]


def test_a_table_that_grew_below_its_range_is_refused_where_it_goes_on(tmp_path: Path) -> None:
    lines = [*block("A", 1), [], *block("B", 2)]
    (tmp_path / "a.csv").write_text("\n".join(",".join(line) for line in lines) + "\n")
    kept(tmp_path, "a.csv")
    with (tmp_path / "a.csv").open("a") as stream:
        stream.write("8,9,2\n")
    with pytest.raises(InputError, match="goes on below its range A9:C13") as refused:
        read_data(tmp_path / "mapping.yaml")
    assert refused.value.position is not None
    assert refused.value.position.line == 14


def test_an_empty_row_within_a_table_and_notes_beside_it_leave_it_whole(tmp_path: Path) -> None:
    text = "Batch;B7\nVolume;1,2\nStrain;BL21\n;\nTime (h);DCW (g/L);Glucose (g/L)\n0;0,5;15\n2;0,9;13\n\n4;1,6;10\n"
    (tmp_path / "a.csv").write_text(text)
    run = kept(tmp_path, "a.csv").runs["B7"]
    assert run["DCW"].tolist() == [0.5, 0.9, 1.6]
    assert "range" not in (tmp_path / "mapping.yaml").read_text()


@pytest.mark.parametrize("over", [False, True])
def test_columns_that_name_their_runs_are_runs(tmp_path: Path, over: bool) -> None:
    head = ["Time [h],F1,,F2,", ",DCW [g/L],Glucose [g/L],DCW [g/L],Glucose [g/L]"]
    one = ["Time [h],F1 DCW [g/L],Glucose F1 [g/L],F2_DCW [g/L],glucose_F2 [g/L]"]
    (tmp_path / "a.csv").write_text("\n".join([*(head if over else one), "0,1,15,2,14", "1,2,14,3,13", "2,3,13,4,12"]))
    found = kept(tmp_path, "a.csv").runs
    assert {name: (run["DCW"].tolist(), run["S"].tolist()) for name, run in found.items()} == {
        "F1": ([1, 2, 3], [15, 14, 13]),
        "F2": ([2, 3, 4], [14, 13, 12]),
    }
    assert (tmp_path / "mapping.yaml").read_text().count("run guessed") == 2


def test_two_streams_of_one_run_are_no_runs_and_an_empty_column_parts_for_the_eye(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Time [h],,broth glucose [g/L],feed glucose [g/L]\n0,,9,500\n1,,8,500\n")
    found = kept(tmp_path, "a.csv")
    assert set(found.runs) == {"a"}
    assert found.runs["a"]["S"].tolist() == [9, 8]


def test_a_table_without_a_title_does_not_take_that_of_the_table_above(tmp_path: Path) -> None:
    lines = [*block("A", 1), [], *block("B", 2)[1:]]
    (tmp_path / "book.csv").write_text("\n".join(",".join(line) for line in lines) + "\n")
    assert set(kept(tmp_path, "book.csv").runs) == {"A", "book"}
    short = [*block("A", 1)[:4], [], *block("B", 2)[1:]]
    (tmp_path / "short.csv").write_text("\n".join(",".join(line) for line in short) + "\n")
    assert set(check_files([tmp_path / "short.csv"])[0].runs) == {"A", "short"}


def test_two_probes_of_one_vessel_are_no_runs(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Time [h],DCW [g/L],glucose feed [L/h],glucose [g/L]\n0,1,0.1,9\n1,2,0.1,8\n")
    run = kept(tmp_path, "a.csv").runs["a"]
    assert run["S"].tolist() == [9, 8]


def test_a_sheet_for_each_run_is_a_run_for_each_sheet_and_sheets_of_one_run_stay_one(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    for file, heads in (("runs.xlsx", [NAMES, NAMES]), ("kinds.xlsx", [NAMES, ["Time [h]", "DO [%]", "pH"]])):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, head in zip(("one", "two"), heads, strict=True):
            sheet = book.create_sheet(name)
            sheet.append(head)
            for hour in range(4):
                sheet.append([hour, 1 + hour, 7])
        book.save(tmp_path / file)
    assert set(check_files([tmp_path / "runs.xlsx"])[0].runs) == {"one", "two"}
    assert set(check_files([tmp_path / "kinds.xlsx"])[0].runs) == {"kinds"}


def test_a_list_with_a_row_for_each_reading_is_read_and_mixed_units_are_refused_at_their_line(tmp_path: Path) -> None:
    head = "Sample ID,Batch,Time [h],Analyte,Result,Unit"
    rows = ["1,B1,0,Glucose,15000,mg/L", "2,B1,1,Glucose,14000,mg/L", "3,B1,0,DCW,1,g/L", "4,B1,1,DCW,<2,g/L"]
    (tmp_path / "a.csv").write_text("\n".join([head, *rows]))
    found = kept(tmp_path, "a.csv")
    assert found.runs["B1"]["S"].tolist() == [15, 14]
    assert [(item.kind, item.position and item.position.line) for item in found.findings] == [("censored", 5)]
    (tmp_path / "a.csv").write_text("\n".join([head, rows[0], "2,B1,1,Glucose,14,g/L", *rows[2:]]))
    with pytest.raises(InputError, match="Glucose is in g/L here, in mg/L by the mapping") as refused:
        check_files([tmp_path / "a.csv"])
    assert refused.value.position is not None
    assert refused.value.position.line == 3


def test_a_day_and_a_time_of_day_in_two_columns_are_one_moment_over_midnight(tmp_path: Path) -> None:
    """Read as the day alone they would all be readings of one moment; as the time alone they would go back."""
    rows = ["01.03.2026;22:00;0,5", "01.03.2026;23:30;0,7", "02.03.2026;01:00;0,9"]
    (tmp_path / "a.csv").write_text("\n".join(["Datum;Uhrzeit;BTM [g/L]", *rows]))
    assert kept(tmp_path, "a.csv").runs["a"].time.tolist() == [0, 1.5, 3]


def test_a_table_of_runs_above_the_readings_of_one_sheet_tells_of_them(tmp_path: Path) -> None:
    runs = ["批次,接种时间,规模,", "批1,2026/03/02 08:00,bench,", "批2,2026/03/03 08:00,pilot,", ",,,"]
    rows = [f"批{run},2026/03/0{run + 1} {hour}:00,{hour / 10},{20 - hour}" for run in (1, 2) for hour in (10, 12)]
    (tmp_path / "a.csv").write_text("\n".join([*runs, "批次,取样时间,干重(g/L),残糖(g/L)", *rows]), encoding="gb18030")
    found = kept(tmp_path, "a.csv")
    assert {name: (about.scale, found.runs[name].time.tolist()) for name, about in found.about.items()} == {
        "批1": ("bench", [2, 4]),
        "批2": ("pilot", [2, 4]),
    }


def test_a_guess_of_when_a_run_began_is_marked_and_a_table_of_runs_tells_better(tmp_path: Path) -> None:
    """The first sample, taken hours after inoculation, makes time 0: a fit of it is wrong, so that it is said."""
    (tmp_path / "a.csv").write_text(
        "run,timestamp,DCW [g/L]\nA,2026-03-01 11:30,1\nA,2026-03-01 13:00,2\nB,2026-03-02 11:30,1\n"
    )
    kept(tmp_path, "a.csv")
    assert (tmp_path / "mapping.yaml").read_text().count("# began guessed as the first time: put the inoculation") == 2
    (tmp_path / "online.csv").write_text("run,time [min],pH\nA,0,7\nA,30,7\n")
    two = check_files([tmp_path / "a.csv", tmp_path / "online.csv"])[1]
    assert two.count("put the moment where the hours of its other tables are 0") == 1
    (tmp_path / "runs.csv").write_text("run,scale,inoculation\nA,bench,01.03.2026 08:00\nB,pilot,\n")
    assert kept(tmp_path, "a.csv", "runs.csv").runs["A"].time.tolist() == [3.5, 5]
    assert (tmp_path / "mapping.yaml").read_text().count("began guessed") == 1
    (tmp_path / "runs.csv").write_text("run,scale,inoculation\nA,bench,early\n")
    with pytest.raises(InputError, match="'early' is no timestamp"):
        check_files([tmp_path / "a.csv", tmp_path / "runs.csv"])


@pytest.mark.parametrize(
    ("title", "run"),
    [
        ("Run B1", ("B1", True)), ("Run A", ("A", True)), ("Batch: my second", ("my second", True)),
        ("Charge Nr. 12", ("12", True)),
        ("罐批：2601", ("2601", True)), ("B1", ("B1", False)), ("Batch size 12", ("Batch size 12", False)),
        ("Experiment overview", ("", False)), ("Offline assays", ("", False)),
    ],
)  # fmt: skip
def test_titles_that_name_a_run(title: str, run: tuple[str, bool]) -> None:
    assert run_of_title(title) == run


@pytest.mark.parametrize(("text", "hours"), [("22:30", 22.5), ("10:30 PM", 22.5), ("12:15am", 0.25), ("12:00 PM", 12)])
def test_times_of_day(text: str, hours: float) -> None:
    assert clock(text) == hours


@pytest.mark.parametrize("text", ["24:00", "13:00 PM", "0:30 am", "noon", ""])
def test_what_is_no_time_of_day(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        clock(text)


def test_a_table_that_lies_on_its_side_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Time [h],0,2,4,6,8\nDCW [g/L],0.5,0.9,1.6,3,5\nGlucose [g/L],15,13,10,5,0.1\n")
    with pytest.raises(InputError, match="names in the first column") as refused:
        check_files([tmp_path / "a.csv"])
    assert "transposed" in refused.value.remedy


def test_a_comma_within_quotes_does_not_move_the_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('run,time [h],biomass [g/L]\nB1,0,"1,234"\nB1,1,"1,345"\nB1,2,"2,222"\n')
    with pytest.raises(InputError, match="'1,234' is not a number"):
        check_files([tmp_path / "a.csv"])


def test_a_column_without_readings_is_told_and_errors_of_spreadsheets_are_none(tmp_path: Path) -> None:
    """Formulas that no spreadsheet has calculated are empty cells: a column that silently vanishes misleads."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["run", "time [h]", "DCW [g/L]", "glucose [g/L]"])
    for hour in range(4):
        book.active.append(["A", hour, f"=1+{hour}", "#DIV/0!" if hour == 2 else 9 - hour])
    sheet = book.create_chartsheet("plot")
    chart = openpyxl.chart.LineChart()
    chart.add_data(openpyxl.chart.Reference(book.worksheets[0], min_col=4, min_row=1, max_row=5))
    sheet.add_chart(chart)
    book.save(tmp_path / "a.xlsx")
    found = kept(tmp_path, "a.xlsx")
    assert set(found.runs["A"].variables) == {"S"}
    assert [(item.symbol, item.position and item.position.line) for item in found.findings] == [("DCW", 1), ("S", 4)]


@pytest.mark.parametrize(
    ("name", "words"), [("a.xls", "not '.xls'"), ("a.xlsx", "locked by a password"), ("a.pdf", "not '.pdf'")]
)
def test_old_and_locked_workbooks_are_refused_as_what_they_are(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0" + bytes(500))
    with pytest.raises(InputError, match=words):
        check_files([tmp_path / name])


def test_dates_that_a_spreadsheet_counts_are_questioned(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("run,timestamp,DCW [g/L]\nA,46082.5,1\nA,46082.6,2\n")
    assert "days as a spreadsheet counts them?" in check_files([tmp_path / "a.csv"])[1]


def test_a_noisy_sensor_does_not_fill_the_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{at},{-1 - at % 7},7" for at in range(100)]
    (tmp_path / "a.csv").write_text("\n".join(["time [h],OUR [mmol/L/h],pH", *rows]))
    with pytest.raises(SystemExit):
        main(["data", "check", str(tmp_path)])
    said = capsys.readouterr().out
    assert said.count("is below zero") == 7  # of one value in words each, with how many more
    (tmp_path / "a.csv").write_text("\n".join(["time [h],OUR [mmol/L/h]", *(f"{at},{-at - 1}" for at in range(100))]))
    with pytest.raises(SystemExit):
        main(["data", "check", str(tmp_path)])
    said = capsys.readouterr().out
    assert said.count("is below zero") == 10
    assert "OUR: 90 more of this kind" in said


def test_a_folder_gives_its_tables_and_names_what_is_none(tmp_path: Path) -> None:
    for name in ("b.csv", "a.xlsx", "mapping.yaml", ".hidden.csv", "~$a.xlsx", "notes.docx", "export.json"):
        (tmp_path / name).write_text("time [h],DCW [g/L]\n0,1\n")
    tables, others = tables_of_folder(tmp_path)
    assert [path.name for path in tables] == ["a.xlsx", "b.csv", "export.json"]
    assert [path.name for path in others] == ["notes.docx"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no table in this folder"):
        tables_of_folder(tmp_path / "empty")


def test_a_table_in_the_place_of_a_mapping_is_told_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Time [h],DCW [g/L]\n0,1\n1,2\n")
    with pytest.raises(InputError, match="no mapping says what it holds") as refused:
        read_data(tmp_path / "a.csv")
    assert "--draft" in refused.value.remedy


@given(st.integers(1, 10**4), st.integers(1, 700), st.integers(1, 10**4), st.integers(0, 700))
def test_a_range_reads_as_it_is_written(top: int, left: int, rows: int, columns: int) -> None:
    region = Region(top, left, top + rows, left + columns)
    assert Region.read(str(region)) == region


@pytest.mark.parametrize("text", ["A2", "A2:B1", "B1:A9", "1:9", "A0:B9", "A2:D14:F3"])
def test_what_is_no_range_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text("Time [h],DCW [g/L]\n0,1\n1,2\n")
    mapping = check_files([tmp_path / "a.csv"])[1].replace("kind: offline", f'kind: offline\n    range: "{text}"')
    (tmp_path / "m.yaml").write_text(mapping)
    with pytest.raises(InputError, match=r"tables\.0\.range"):
        read_data(tmp_path / "m.yaml")


def test_readings_are_held_against_their_neighbours_as_one_by_one() -> None:
    """The line of Theil and Sen through the neighbours of each reading, by its definition, ends and repeats too."""
    rng = np.random.default_rng(3)
    window = _findings.WINDOW
    for count in (6, 7, 25):
        times, values = np.sort(np.round(rng.uniform(0, 5, count), 1)), rng.normal(20, 5, count)
        found = _findings._neighbours(_findings.Series("r", "X", "g/L", "offline", times, values, ()))
        for at in range(count):
            near = [i for i in range(max(at - window, 0), min(at + window + 1, count)) if i != at]
            slopes = [
                (values[j] - values[i]) / (times[j] - times[i]) for i in near for j in near if times[j] > times[i]
            ]
            level = values[near] - (np.median(slopes) if slopes else 0) * (times[near] - times[at])
            middle = np.median(level)
            assert found[0][at] == pytest.approx(middle)
            assert found[1][at] == pytest.approx(1.4826 * np.median(np.abs(level - middle)))


def test_numbers_beside_the_tables_of_a_sheet_are_named(tmp_path: Path) -> None:
    """They were passed over without a word: wider than the table above them, they do not go on with it."""
    two = "Run B1\nTime [h],DCW [g/L]\n0,1\n2,2\n\nRun B2\nTime [h],DCW [g/L]\n0,1\n2,2\n"
    (tmp_path / "a.csv").write_text(f"{two}\n7,8,9,10\n8,9,9,11\n")
    found, text = check_files([tmp_path / "a.csv"])
    assert {name: run["DCW"].tolist() for name, run in found.runs.items()} == {"B1": [1, 2], "B2": [1, 2]}
    assert '# not read: A11:D12 of "a.csv", numbers without a row of names' in text
    (tmp_path / "a.csv").write_text(f"{two}\n4,3\n")  # goes on after the empty row
    found, text = check_files([tmp_path / "a.csv"])
    assert found.runs["B2"]["DCW"].tolist() == [1, 2, 3]
    assert "not read" not in text


@pytest.mark.parametrize("between", ["", "\n"])
def test_the_last_row_of_a_table_is_no_title_of_the_next(tmp_path: Path, between: str) -> None:
    table = "Time [h],DCW [g/L],glucose [g/L]\n0,1,9\n2,2,8\n"
    (tmp_path / "a.csv").write_text(f"Run B1\n{table}5,,\n{between}{table}")
    found, _text = check_files([tmp_path / "a.csv"])
    assert list(found.runs) == ["B1", "a"]


def test_when_a_run_began_goes_before_the_zero_of_its_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("run,time,DCW [g/L]\nB1,2026-03-01T10:00,1\nB2,2026-03-01T10:00,1\n")
    (tmp_path / "mapping.yaml").write_text("""\
data: a
tables:
  - file: a.csv
    run: run
    time: {column: time, unit: timestamp, zero: "2026-03-01T08:00"}
    columns: [{column: "DCW [g/L]", symbol: DCW, unit: g/L}]
runs:
  B1: {began: "2026-03-01T09:00"}
""")
    assert {name: run.time[0] for name, run in read_data(tmp_path / "mapping.yaml").runs.items()} == {"B1": 1, "B2": 2}
