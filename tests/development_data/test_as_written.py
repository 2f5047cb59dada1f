"""Tables as laboratories write them: other encodings, dates, languages, titles, rows of units, several sheets."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.development import Dataset, check_files, read_data, tables_of_folder
from seedtrain.development._data_check._clock import duration, form_of, moment
from seedtrain.development._data_check._headers import split_header, symbol_of, words_of
from seedtrain.recipe import read_recipe

START = datetime(2026, 3, 2, 8, 28)


def kept(folder: Path, *names: str) -> Dataset:
    """The runs by the draft, which says the same when it is read from its file."""
    found, text = check_files([folder / name for name in names])
    (folder / "mapping.yaml").write_text(text, encoding="utf-8")
    again = read_data(folder / "mapping.yaml")
    assert {name: run.to_csv() for name, run in again.runs.items()} == {n: r.to_csv() for n, r in found.runs.items()}
    return again


@pytest.mark.parametrize(
    ("encoding", "heads", "run"),
    [
        ("cp1252", "Ansatz;Zeitstempel;Rührer [1/min];Füllvolumen [L];Glukose [g/L];Temp [°C]", "FB-Größe"),
        ("gb18030", "批号;时间;转速 [1/min];体积 [L];葡萄糖 [g/L];温度 [℃]", "发酵一"),
        ("utf-16", "批号;时间;转速 [1/min];体积 [L];葡萄糖 [g/L];温度 [°C]", "F-1"),
        ("utf-8-sig", "Run;Timestamp;Stirrer [1/min];Volume [L];Glucose [g/L];Temp [°C]", "F-1"),
    ],
)
def test_another_encoding_another_language_and_dates_with_the_day_first_are_read(
    tmp_path: Path, encoding: str, heads: str, run: str
) -> None:
    rows = [
        f"{run};{START + timedelta(hours=hour):%d.%m.%Y %H:%M:%S};{300 + hour};1,{hour}5;{9 - hour},25;37,1"
        for hour in range(6)
    ]
    (tmp_path / "trend.csv").write_bytes("\n".join([heads, *rows]).encode(encoding))
    found = kept(tmp_path, "trend.csv").runs[run]
    assert found.time.tolist() == [0, 1, 2, 3, 4, 5]
    assert found["N"].tolist() == [300, 301, 302, 303, 304, 305]
    assert found["V"][2] == pytest.approx(1.25)
    assert found["S"][1] == pytest.approx(8.25)
    assert found["T"][0] == pytest.approx(37.1)


def test_bytes_of_no_known_encoding_are_refused_with_what_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"run,time [h],biomass [g/L]\nA\x81\xff,1,2\n")
    with pytest.raises(InputError) as caught:
        check_files([tmp_path / "a.csv"])
    assert "not UTF-8" in str(caught.value)
    assert "gb18030" in caught.value.remedy


def test_a_title_above_the_names_and_a_row_of_units_below_them_are_found(tmp_path: Path) -> None:
    """The units of the row count, so that 12000 mg/L are 12 g/L."""
    rows = [f"{hour},{0.5 + hour},{12000 - 1000 * hour}" for hour in range(5)]
    text = "\n".join(["Fermentation report, line 3", "Operator: AK,,", "", "Time,Biomass,Glucose", "h,g/L,mg/L", *rows])
    (tmp_path / "a.csv").write_text(text)
    run = kept(tmp_path, "a.csv").runs["a"]
    assert "header: 4" in (tmp_path / "mapping.yaml").read_text()
    assert "first: 6" in (tmp_path / "mapping.yaml").read_text()
    assert run["S"].tolist() == [12, 11, 10, 9, 8]
    assert run["X"][0] == 0.5


def test_a_header_that_is_not_where_the_mapping_says_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("run,time [h],biomass [g/L]\nA,1,2\nA,2,3\n")
    text = check_files([tmp_path / "a.csv"])[1].replace("kind: offline", "kind: offline\n    header: 9")
    (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(InputError, match="there is no row 9"):
        read_data(tmp_path / "m.yaml")


def test_every_sheet_of_a_workbook_is_drafted_and_places_name_the_sheet(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    book.active.append(["written by AK"])
    for at, name in enumerate(("Bench", "Pilot")):
        sheet = book.create_sheet(name)
        sheet.append(["Run", "EFT", "CDW (g/L)", "rhCOL (g/L)", "OD600"])
        for hour in range(5):
            row = [f"{name}-1", timedelta(hours=hour, minutes=30), 2.0 + hour + at, 0.1 * hour, 5.0 * hour]
            sheet.append(row if hour != 3 else [*row[:2], "n.b.", *row[3:]])
    book.save(tmp_path / "a.xlsx")
    found = kept(tmp_path, "a.xlsx")
    draft = (tmp_path / "mapping.yaml").read_text()
    assert set(found.runs) == {"Bench-1", "Pilot-1"}
    assert found.runs["Pilot-1"].time.tolist() == [0.5, 1.5, 2.5, 4.5]
    assert found.runs["Pilot-1"]["DCW"][0] == 3.0
    places = {str(item.position.file) for item in found.findings if item.position and item.kind == "missing"}
    assert places == {str(tmp_path / "a.xlsx[Bench]"), str(tmp_path / "a.xlsx[Pilot]")}
    assert 'your product? {column: "rhCOL (g/L)", symbol: P, unit: "g/L"}' in draft
    assert "g/L per unit" in draft


def test_events_count_from_when_each_run_began(tmp_path: Path) -> None:
    began = {"A": START, "B": START + timedelta(days=2)}
    readings = [f"{run},{began[run] + timedelta(hours=hour)},{1 + hour}" for run in began for hour in range(4)]
    (tmp_path / "a.csv").write_text("\n".join(["run,timestamp,biomass [g/L]", *readings]))
    log = [f"{run},{began[run] + timedelta(hours=1.5):%Y/%m/%d %H:%M},antifoam,AK" for run in began]
    (tmp_path / "log.csv").write_text("\n".join(["Batch ID,Date/time,What happened,Who", *log]))
    found = kept(tmp_path, "a.csv", "log.csv")
    assert {name: [event.time for event in run.events] for name, run in found.runs.items()} == {"A": [1.5], "B": [1.5]}
    text = (tmp_path / "mapping.yaml").read_text()
    (tmp_path / "mapping.yaml").write_text(text.replace(', began: "2026-03-04T08:28"', ""))
    with pytest.raises(InputError, match="B lacks it"):
        read_data(tmp_path / "mapping.yaml")


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)), st.booleans())
def test_what_is_written_is_what_is_read(when: datetime, american: bool) -> None:
    when = when.replace(microsecond=0)
    assert moment(f"{when:%d.%m.%Y %H:%M:%S}") == moment(f"{when:%Y/%m/%d %H:%M:%S}") == when
    date = "%m/%d/%Y" if american else "%d/%m/%Y"
    form, sure = form_of([when.strftime(f"{date} %I:%M:%S %p")])
    assert sure == (when.day > 12)
    if sure:
        assert moment(when.strftime(f"{date} %I:%M:%S %p"), form) == when
    since = (when - datetime(2000, 1, 1)) % timedelta(hours=900)
    assert duration(str(since)) == pytest.approx(since.total_seconds() / 3600)


@pytest.mark.parametrize("text", ["03/04/2026", "2026-13-01", "12:61", "yesterday", "32.01.2026"])
def test_what_may_mean_two_things_or_none_is_no_moment(text: str) -> None:
    for read in (moment, duration):
        with pytest.raises(ValueError):  # noqa: PT011 - datetime's own words
            read(text)


def test_a_slip_in_a_short_series_is_told_by_other_runs_and_a_larger_vessel_is_no_slip(tmp_path: Path) -> None:
    """Four readings of a product are too few to judge one by the rest; the volume is sixty times larger by right."""
    rows = [
        f"{run},{hour},{value * (1000 if (run, hour) == ('B3', 30) else 1)},{size}"
        for run, size in (("B1", 1.0), ("B2", 1.1), ("B3", 1.05), ("P1", 62.0), ("P2", 61.0))
        for hour, value in ((26, 0.8), (28, 1.7), (30, 2.9), (32, 4.1))
    ]
    (tmp_path / "a.csv").write_text("\n".join(["run,time [h],titre [g/L],volume [L]", *rows]))
    told = "\n".join(
        ["run,scale", *(f"{run},{'pilot' if run[0] == 'P' else 'bench'}" for run in ["B1", "B2", "B3", "P1", "P2"])]
    )
    (tmp_path / "runs.csv").write_text(told)
    found = kept(tmp_path, "a.csv", "runs.csv").findings
    assert [(item.kind, item.run, item.symbol) for item in found] == [("unit_slip", "B3", "P")]
    assert found[0].position is not None
    assert found[0].position.line == 12


def test_what_scatters_about_nothing_has_not_slipped(tmp_path: Path) -> None:
    """A product that is not made yet: an assay's noise differs by sixty from run to run."""
    rows = ["run,time [h],product [g/L]"]
    for run, first in (("B1", 0.0036), ("B2", 0.0034), ("B3", 0.00006)):
        rows += [f"{run},{hour},{value}" for hour, value in ((2, first), (20, 1.0), (30, 3.0), (38, 4.2))]
    (tmp_path / "a.csv").write_text("\n".join(rows) + "\n")
    assert not kept(tmp_path, "a.csv").findings


def test_what_a_run_was_set_to_is_its_recipe_and_a_phase_that_is_none_is_refused_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("run,time [h],biomass [g/L]\nA,1,2\nA,2,3\nB,1,2\nB,2,3\n")
    rate, until = "production/growth/fed-batch:growth_rate", "production/growth/fed-batch:until"
    (tmp_path / "runs.csv").write_text(f"run;scale;{rate} [1/h];{until} [g/L]\nA;bench;0,14;22\nB;bench;;\n")
    found = kept(tmp_path, "a.csv", "runs.csv")
    recipe = read_recipe(Path("examples/collagen/recipe.yaml"))
    phase = found.recipe_of("A", recipe).phase("production/growth/fed-batch")
    assert str(phase.quantity("growth_rate")) == "0.14 1/h"
    assert str(phase.quantity("until")) == "22 g/L"
    assert found.recipe_of("B", recipe) == recipe
    text = (tmp_path / "mapping.yaml").read_text()
    for old, new, words in (("fed-batch:growth", "fedbatch:growth", "fedbatch"), ("0.14 1/h", "0.14 g/L", "1/h")):
        (tmp_path / "mapping.yaml").write_text(text.replace(old, new))
        with pytest.raises(InputError, match=words) as caught:
            read_data(tmp_path / "mapping.yaml").recipe_of("A", recipe)
        assert caught.value.position is not None
        assert Path(caught.value.position.file).name == "mapping.yaml"


def test_moles_of_a_species_are_drafted_as_grams_and_refused_otherwise_with_the_factor(tmp_path: Path) -> None:
    """Glucose, 180.156 g/mol (CIAAW atomic masses)."""
    (tmp_path / "a.csv").write_text("run,time [h],DCW [g/L],glucose [mmol/L]\nA,1,2,20\nA,2,3,18\n")
    found, text = check_files([tmp_path / "a.csv"], culture="ecoli_balanced")
    assert found.runs["A"]["S"] == pytest.approx([3.60312, 3.242808], rel=1e-5)
    plain = text.replace('unit: "g/L", factor: 0.180156', 'unit: "mmol/L"')
    assert plain != text
    (tmp_path / "mapping.yaml").write_text(plain)
    with pytest.raises(InputError, match="S is in g/L") as refused:
        read_data(tmp_path / "mapping.yaml")
    assert "unit: g/L, factor: 0.18015" in refused.value.remedy


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        ("DCW / g L-1", ("DCW", "g L-1")), ("t / h", ("t", "h")), ("Time, h", ("Time", "h")),
        ("Biomass, g/L", ("Biomass", "g/L")), ("Time_min", ("Time", "min")), ("Process time h", ("Process time", "h")),
        ("Biomass_g_L", ("Biomass", "g/L")), ("Glucose_mg_per_mL", ("Glucose", "mg/mL")),
        ("Volume_mL", ("Volume", "mL")),
        ("Time (hrs)", ("Time", "h")), ("Zeit [Minuten]", ("Zeit", "min")), ("葡萄糖（g/L）", ("葡萄糖", "g/L")),
        ("时间（小时）", ("时间", "h")), ("DO_%", ("DO", "%")),
        # names, not units
        ("DO_percent", ("DO_percent", "")), ("K_s", ("K_s", "")), ("T_C", ("T_C", "")), ("OD_600", ("OD_600", "")),
        ("glucose_m2", ("glucose_m2", "")), ("A / B ratio", ("A / B ratio", "")),
    ],
)  # fmt: skip
def test_units_in_headers_as_people_write_them(header: str, parts: tuple[str, str]) -> None:
    assert split_header(header) == parts


def test_a_header_with_commas_in_a_table_with_semicolons(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Time, h;Biomass, g/L;Glucose, g/L\n0;0.5;15\n2;0.9;13\n4;1.6;10\n")
    run = kept(tmp_path, "a.csv").runs["a"]
    assert run["X"].tolist() == [0.5, 0.9, 1.6]
    assert run.time.tolist() == [0, 2, 4]


def test_minutes_in_the_name_of_a_time_are_minutes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Time_min,Dry weight (g/L)\n0,0.5\n120,0.9\n240,1.6\n")
    run = kept(tmp_path, "a.csv").runs["a"]
    assert run.time.tolist() == [0, 2, 4]
    assert run["DCW"].tolist() == [0.5, 0.9, 1.6]  # no weight of the vessel, which would be its volume


@pytest.mark.parametrize("heads", ["run,DCW [g/L],glucose [g/L]", "run,sample,DCW [g/L]"])
def test_readings_without_a_time_are_refused(tmp_path: Path, heads: str) -> None:
    """The first column was taken for hours, biomass or number of a sample as it might be."""
    (tmp_path / "a.csv").write_text(f"{heads}\nB1,1,15\nB1,2,13\nB1,3,10\n")
    with pytest.raises(InputError, match="no column is headed as the time") as refused:
        check_files([tmp_path / "a.csv"])
    assert refused.value.position is not None
    assert refused.value.position.line == 1


@pytest.mark.parametrize(
    ("head", "day"), [("Day", 1), ("Culture day", 1), ("Hours", 1 / 24), ("Elapsed minutes", 1 / 1440)]
)
def test_a_time_whose_name_is_its_unit(tmp_path: Path, head: str, day: float) -> None:
    """The day of a culture was taken for hours, where it was not the first column not at all."""
    (tmp_path / "a.csv").write_text(f"Sample,{head},Glucose [g/L]\n1,0,6\n2,3,4\n3,5,2\n")
    run = kept(tmp_path, "a.csv").runs["a"]
    assert run.time == pytest.approx(np.array([0, 3, 5]) * 24 * day)
    assert "unit guessed" not in (tmp_path / "mapping.yaml").read_text()


def test_percent_is_read_as_it_is_shown(tmp_path: Path) -> None:
    """A workbook holds 0.3 where people read 30 %; a text says 30 %."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["time [h]", "DO", "DCW [g/L]"])
    for hour in range(4):
        book.active.append([hour, 0.9 - 0.2 * hour, 0.3])
        book.active.cell(book.active.max_row, 2).number_format = "0%"
    book.save(tmp_path / "a.xlsx")
    (tmp_path / "b.csv").write_text("Zeit [h];DO;BTM [g/L]\n0;90,0%;0,3\n1;70 %;0,3\n2;50%;0,3\n3;30%;0,3\n")
    for name, run in {**kept(tmp_path, "a.xlsx").runs, **kept(tmp_path, "b.csv").runs}.items():
        assert run["DO_percent"] == pytest.approx([90, 70, 50, 30]), name
        assert run["DCW"].tolist() == [0.3] * 4
    (tmp_path / "c.csv").write_text("time [h],DCW [g/L]\n0,3%\n1,4%\n")
    with pytest.raises(InputError, match="'3%' is not a number"):
        check_files([tmp_path / "c.csv"])


def test_a_cover_sheet_is_left_out_and_named(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "Info"
    for row in (["Project", "rhCOL3"], ["Operator", "Li"], ["Remarks", "see lab book 12"]):
        book.active.append(row)
    sheet = book.create_sheet("FB02")
    for cells in (["EFT (h)", "CDW [g/L]"], [0, 0.5], [2, 0.9], [4, 1.6]):
        sheet.append(cells)
    book.save(tmp_path / "a.xlsx")
    found = kept(tmp_path, "a.xlsx")
    assert [run["DCW"].tolist() for run in found.runs.values()] == [[0.5, 0.9, 1.6]]
    assert '# not read: sheet "Info" of "a.xlsx"' in (tmp_path / "mapping.yaml").read_text(encoding="utf-8")


def test_notes_and_empty_files_in_a_folder_are_no_tables(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time [h],DCW [g/L]\n0,0.5\n1,0.6\n")
    (tmp_path / "b.txt").write_text("time [h];DCW [g/L]\n0;0.5\n1;0.6\n")
    (tmp_path / "notes.txt").write_text("Hello, Li.\nThe probe was changed.\n")
    (tmp_path / "empty.csv").touch()
    tables, others = tables_of_folder(tmp_path)
    assert [path.name for path in tables] == ["a.csv", "b.txt"]
    assert [path.name for path in others] == ["empty.csv", "notes.txt"]


def test_a_quote_that_nothing_closes_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('Time [h],DCW [g/L]\n0,"0.5\n2,0.9\n4,1.2\n')
    with pytest.raises(InputError, match="no table") as refused:
        check_files([tmp_path / "a.csv"])
    assert "quotes" in refused.value.remedy


def test_rows_that_end_in_a_separator_have_no_cell_there(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Time [h],DCW [g/L]\n0,0.5,\n2,0.9,\n4,1.2,\n")
    assert kept(tmp_path, "a.csv").runs["a"]["DCW"].tolist() == [0.5, 0.9, 1.2]


def test_days_that_lie_nearer_together_are_taken_where_the_month_is_not_sure() -> None:
    assert form_of(["3/4/2026 8:00 AM", "3/5/2026 4:00 PM"]) == ("%m/%d/%Y %I:%M %p", False)
    assert form_of(["03/04/2026", "04/04/2026"]) == ("%d/%m/%Y", False)
    assert form_of(["03/04/2026"]) == ("%d/%m/%Y", False)


def test_the_culture_says_what_its_species_are_called(tmp_path: Path) -> None:
    """`A` is ammonia in one culture and acetate in another; amounts become masses by the formula, and that is told."""
    (tmp_path / "a.csv").write_text("Time [h],Biomass [g/L],Glycerol [g/L],MeOH [g/L]\n0,1,40,0\n9,5,10,1\n")
    found, _text = check_files([tmp_path / "a.csv"], culture="pichia_methanol")
    assert {symbol: found.runs["a"][symbol].tolist() for symbol in "XGM"} == {"X": [1, 5], "G": [40, 10], "M": [0, 1]}
    (tmp_path / "b.csv").write_text(
        "Time [d],Glc (mM),Lac (mM),NH4 (mM),VCD (1e6 cells/mL)\n0,40,0,0,0.3\n2,30,9,1,2\n"
    )
    found, text = check_files([tmp_path / "b.csv"], culture="cho_xing_published")
    assert set(found.runs["b"].variables) == {"S", "L", "A"}
    assert "g/L per 1e6 cells/mL" in text
    found, text = check_files([tmp_path / "b.csv"], culture="cho_balanced")
    assert found.runs["b"]["L"] == pytest.approx([0, 9 * 0.090078], rel=1e-4)  # lactic acid, 90.078 g/mol
    assert "# unit guessed: from mM by the molar mass" in text


def test_methanol_is_no_ethanol_though_its_name_holds_it() -> None:
    words = words_of({"E": "ethanol", "Al": "alanine"})
    assert [symbol_of(name, words) for name in ("Ethanol", "Methanol", "Phenylalanine")] == ["E", None, None]
    assert symbol_of("Restglukose") == "S"


def test_a_symbol_that_is_none_is_refused_with_what_one_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time [h],DCW [g/L]\n0,1\n1,2\n")
    text = check_files([tmp_path / "a.csv"])[1].replace("symbol: DCW", 'symbol: "9x"')
    (tmp_path / "mapping.yaml").write_text(text)
    with pytest.raises(InputError, match="'9x' is no symbol") as refused:
        read_data(tmp_path / "mapping.yaml")
    assert "Begin with a letter" in refused.value.remedy
