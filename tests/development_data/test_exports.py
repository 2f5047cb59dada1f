"""Exports of instruments, events and plates as runs: values as in the file, faults at their lines.

The BioLector files here are made after the layout of bletl's example files, which were read too (docs/validation.md).
"""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedtrain.base import SeedtrainError
from seedtrain.development import check_files, draft_mapping, read_data

FIRST = """FILENAME;result.csv
PROTOCOL;p
FILE_VERSION;3.3;
DATE START;2026-03-01;08:41:02
PLATETYPE;MTP-48-FlowerPlate;LOT;UNKOWN

FILTERSET;FILTERNAME;EX [nm];EM [nm];LAYOUT;FILTERNR;GAIN;PROCESS PARAMETER
 1;Biomass;620;620;48MTP;1;10;SET TEMPERATURE [\xb0C];30.00
 2;pO2-hc;520;600;48MTP;4;30;SET HUMIDITY [rH];85.00
;;;;;;;SET O2 [%];20.95

READING;WELLNUM;CONTENT;DESCRIPTION;FILTERSET;TIME [h];AMPLITUDE;PHASE;ACT TEMP [\xb0C];COMMENTS
K;;;;;0.00339;;;;Open Cover, ;
R;;;;1;0.00358;159.32;0.0;26.80;reference ;
C1;A01;X1;;1;0.00531;13.24;0.0;27.00; ;
C1;A02;X2;;1;0.00577;REFOVERLD;0.0;27.00;;
C1;A01;X1;;2;0.02;7.5;48.25;27.00;;
C2;A01;X1;;1;0.20531;14.24;0.0;27.00; ;
"""
PRO = """=====process=====
[process] 107
[start_date_time] 2026-03-01, 12:39:30
===== measurement channels =====
[01_name] Biomass
[01_filter_type] Intensity
===== measurement channels =====
[02_name] DO(PSt3)
[02_filter_type] DO
===== fermentation =====
[001_well] A01
[001_content] X1
===== fermentation =====
[002_well] A02
=====data=====
Type;Cycle;Well;Filterset;Time;Amp_1;Amp_2;AmpRef_1;AmpRef_2;Phase;Cal;Temp_up;User_Comment;Sys_Comment
C;0001;;;9;;;;;;;;;COVER CLOSED;;
R;0001;;01;45;131.68;0.00;;;;;27.80;;;
M;0001;001;01;36;3.85;0.00;3.56;0.00;-1.82;0.00;27.90;;;
M;0001;002;01;72;3.67;0.00;3.39;0.00;-1.85;0.00;27.90;;;
M;0001;001;02;108;3.67;0.00;3.39;0.00;55.5;98.25;27.90;;;
=====data=====
M;0002;001;01;3600;4.85;0.00;4.56;0.00;-1.82;0.00;27.90;;;
"""
PIO_HEADER = "experiment,pioreactor_unit,timestamp,{},timestamp_localtime,hours_since_experiment_created"
PIO = f"""{PIO_HEADER.format("od_reading,angle,channel")}
E1,pio01,2026-03-01T08:00:00.000Z,0.1,90,2,2026-03-01 09:00:00,0.5
E1,pio02,2026-03-01T08:00:00.000Z,0.2,90,2,2026-03-01 09:00:00,0.5
E1,pio01,2026-03-01T08:00:05.000Z,0.3,45,1,2026-03-01 09:00:05,0.6
"""


def asm():
    def quantity(value, unit):
        return {"value": value, "unit": unit}

    def cells(at, density):
        result = {"viable cell density (cell counter)": quantity(density, "10^6 cells/mL"),
                  "viability (cell counter)": quantity(92.0, "%")}  # fmt: skip
        return {
            "measurement identifier": f"m{at}", "measurement time": f"2026-03-01T{8 + at:02d}:00:00+00:00",
            "sample document": {"sample identifier": "B1"},
            "processed data aggregate document": {"processed data document": [result]},
        }  # fmt: skip

    course = {
        "label": "600.0",
        "cube-structure": {"dimensions": [{"concept": "elapsed time", "unit": "s"}],
                           "measures": [{"concept": "absorbance", "unit": "mAU"}]},
        "data": {"dimensions": [[0.0, 1800.0, 3600.0]], "measures": [[100.0, None, 400.0]]},
    }  # fmt: skip
    kinetic = {"measurement identifier": "k", "sample document": {"location identifier": "A1"},
               "absorption profile data cube": course}  # fmt: skip
    documents = [cells(0, 0.69), cells(2, 1.2), kinetic]
    return {"cell counting aggregate document": {"cell counting document": [
        {"measurement aggregate document": {"measurement document": [item]}} for item in documents]}}  # fmt: skip


def write(folder: Path, name: str, text: str, encoding="utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_a_first_biolector_is_read_as_it_stands(tmp_path):
    path = write(tmp_path, "bl.csv", FIRST, "latin-1")
    found, text = check_files([path])
    run = found.runs["A01"]
    assert run["light_Biomass"][np.isfinite(run["light_Biomass"])].tolist() == [13.24, 14.24]
    assert run.at("phase_pO2_hc", 0.02) == 48.25
    assert "calibration is not in the file" in text
    assert [(event.time, event.kind) for event in run.events] == [(0.00339, "Open Cover")]
    missing = [item for item in found.findings if item.kind == "missing"]
    assert [(item.run, item.position.line) for item in missing if item.position] == [("A02", 16)]
    assert found.about["A01"].scale == "well"


def test_what_an_instrument_did_is_told_of_its_own_runs_alone(tmp_path):
    """The cover of a BioLector opened over its wells, and not over the fermenter whose table lies beside."""
    beside = write(tmp_path, "bench.csv", "run,time [h],biomass [g/L]\nB1,0,1\nB1,1,2\n")
    found, _text = check_files([write(tmp_path, "bl.csv", FIRST, "latin-1"), beside])
    assert [event.kind for event in found.runs["A01"].events] == ["Open Cover"]
    assert found.runs["B1"].events == ()


def test_a_biolector_pro_is_read_as_it_stands(tmp_path):
    found, text = check_files([write(tmp_path, "bl.csv", PRO)])
    run = found.runs["A01"]
    assert run["light_Biomass"][np.isfinite(run["light_Biomass"])].tolist() == [3.56, 4.56]
    assert run.time.tolist() == [0.01, 0.03, 1.0]
    assert run.variables["DO_percent"].unit == "%"
    assert run.at("DO_percent", 0.03) == 98.25
    assert run.events[0].words == "COVER CLOSED"
    assert '# not read: "Temp_up"' in text


def test_an_export_that_goes_back_in_time_is_told_of_and_sorted(tmp_path):
    swapped = PRO.replace("M;0002;001;01;3600", "M;0002;001;01;18")
    found, _text = check_files([write(tmp_path, "bl.csv", swapped)])
    assert [item.position.line for item in found.findings if item.kind == "order" and item.position] == [23]
    assert (np.diff(found.runs["A01"].time) >= 0).all()


def test_pioreactors_datasets_become_runs_and_events(tmp_path):
    doses = PIO_HEADER.format("event,volume_change_ml,source_of_event")
    path = write(tmp_path, "od.csv", PIO)
    other = write(
        tmp_path, "dosing_events.csv", f"{doses}\nE1,pio01,2026-03-01T08:00:00.000Z,add_media,1.5,auto,,0.55\n"
    )
    rates = PIO.splitlines()[0].replace("od_reading,angle,channel", "rate")
    third = write(tmp_path, "growth_rates.csv", f"{rates}\nE1,pio02,2026-03-01T08:00:00.000Z,0.25,,0.7\n")
    found, _text = check_files([path, other, third])
    assert set(found.runs) == {"E1 pio01", "E1 pio02"}
    run = found.runs["E1 pio01"]
    assert {symbol: item[np.isfinite(item)].tolist() for symbol in ("OD_1", "OD_2") for item in [run[symbol]]} == {
        "OD_1": [0.3], "OD_2": [0.1],
    }  # fmt: skip
    assert [(event.time, event.kind, event.words) for event in run.events] == [(0.55, "add_media", "1.5")]
    assert found.runs["E1 pio02"].variables["mu"].unit == "1/h"


def test_any_allotrope_model_of_readings_and_courses_is_read(tmp_path):
    path = write(tmp_path, "asm.json", json.dumps(asm(), indent=1))
    found, _text = check_files([path])
    cells, well = found.runs["B1"], found.runs["A1"]
    assert cells.time.tolist() == [0.0, 2.0]
    assert cells.variables["VCD"].unit == "cells/mL"
    assert cells["VCD"].tolist() == pytest.approx([0.69e6, 1.2e6])
    assert cells["viability"].tolist() == [92.0, 92.0]
    assert well["A600"].tolist() == pytest.approx([0.1, 0.4])
    assert well.time.tolist() == [0.0, 1.0]


@pytest.mark.skipif(find_spec("allotropy") is None, reason="not installed: allotropy")
def test_a_vendors_file_goes_through_allotropy(tmp_path):
    table = "Sample ID,Analysis date/time,Viability (%),Viable (x10^6) cells/mL\nB1,2026-03-01 08:00:00,91.5,0.69\n"
    path = write(tmp_path, "cells.csv", table)
    found, text = check_files([path], instrument="BECKMAN_VI_CELL_BLU")
    assert found.runs["B1"]["VCD"].tolist() == pytest.approx([0.69e6])
    assert 'instrument: "BECKMAN_VI_CELL_BLU"' in text
    with pytest.raises(SeedtrainError, match="unknown"):
        check_files([path], instrument="NO_SUCH")


def test_events_belong_to_their_run_or_to_every_run(tmp_path):
    write(tmp_path, "assays.csv", "batch,time [h],biomass [g/L]\nB1,0,1\nB1,1,2\nB2,0,1\nB2,1,2\n")
    write(tmp_path, "events.csv", "batch,time [h],event,by\nB1,0.5,induction,Li\nB2,0.25,antifoam,Li\n")
    write(tmp_path, "all.csv", "time [min],event\n30,power cut\n")
    found, text = check_files([tmp_path / name for name in ("assays.csv", "events.csv", "all.csv")])
    assert text.count("kind: events") == 2
    assert [(event.time, event.kind) for event in found.runs["B1"].events] == [(0.5, "induction"), (0.5, "power cut")]
    assert [event.kind for event in found.runs["B2"].events] == ["antifoam", "power cut"]
    write(tmp_path, "events.csv", "batch,time [h],event,by\nB9,0.5,induction,Li\n")
    with pytest.raises(SeedtrainError, match="no table has readings of run B9") as caught:
        check_files([tmp_path / name for name in ("assays.csv", "events.csv")])
    assert caught.value.parts[0].position is not None
    assert caught.value.parts[0].position.line == 2


@pytest.mark.parametrize(
    "layout", ["well,run\nA01,low\nA2,low\nB1,high\nB2,\n", "row,1,2\nA,low,low\nB,high,\n"], ids=["listed", "grid"]
)
def test_a_plate_with_its_layout_becomes_runs(tmp_path, layout):
    write(tmp_path, "plate.csv", "time [min],A1,A2,B1,B2\n0,1,1.1,2,9\n60,2,2.1,4,9\n")
    write(tmp_path, "layout.csv", layout)
    plain, text = check_files([tmp_path / "plate.csv"])
    assert set(plain.runs) == {"A1", "A2", "B1", "B2"}
    text = text.partition("runs:")[0].replace("    # layout: layout.csv # names", "    layout: layout.csv # names")
    write(tmp_path, "mapping.yaml", text.replace("symbol: reading", "symbol: X").replace('unit: ""', "unit: g/L"))
    found = read_data(tmp_path / "mapping.yaml")
    assert found.runs["low"]["X"].tolist() == [1.0, 1.1, 2.0, 2.1]
    assert found.runs["high"]["X"].tolist() == [2.0, 4.0]
    assert "B2" not in found.runs
    assert [item.words for item in found.findings if item.run == "B2"] == ["B2 has no run in the layout: not read"]


FAULTS = [
    ("bl.csv", FIRST.replace(";1;0.00531", ";7;0.00531"), "filterset '7' is not in the header", 15),
    ("bl.csv", FIRST.replace("C1;A01;X1;;2", "C1;Q99;X1;;2"), "'Q99' is no well", 17),
    ("bl.csv", FIRST.replace("READING;WELLNUM", "READING;NUM"), "no line READING;WELLNUM", 18),
    ("bl.csv", FIRST.replace("13.24", "high"), "'high' is not a number", 15),
    ("bl.csv", PRO.replace("M;0001;002", "M;0001;042"), "well '042' is not in the header", 20),
    ("bl.csv", PRO.partition("Type;")[0], "no line Type;Cycle;Well", 15),
    ("bl.csv", PRO.replace(";3.39;0.00;55.5;98.25;27.90;;;", ""), "too few", 21),
    ("pio.csv", PIO.replace("0.2,90", "no,90"), "'no' is not a number", 3),
    ("a.json", '{"a": [1, }', "this is not JSON", 1),
    ("a.json", '{"measurement document": []}', "no measurement document with a quantity", 1),
    ("plate.csv", "time [h],A1,A2,A3,A4\n0,1,2,3,x\n", "'x' is not a number", 2),
]


@pytest.mark.parametrize(("name", "text", "words", "line"), FAULTS)
def test_malformed_exports_are_refused_at_their_line(tmp_path, name, text, words, line):
    with pytest.raises(SeedtrainError) as caught:
        check_files([write(tmp_path, name, text)])
    assert words in str(caught.value)
    position = caught.value.parts[0].position
    assert position is not None
    assert position.line == line


@pytest.mark.parametrize(
    "layout", ["a,b\n1,2\n", "well,run\nA1,x\nA1,y\n", "row,1,2\nA,x,y\nA,x,y\n", "row,1,99\nA,x,y\n"]
)
def test_layouts_that_contradict_themselves_are_refused(tmp_path, layout):
    write(tmp_path, "plate.csv", "time [h],A1,A2,A3,A4\n0,1,2,3,4\n1,1,2,3,4\n")
    text = draft_mapping([tmp_path / "plate.csv"]).replace("    # layout:", "    layout:")
    write(tmp_path, "layout.csv", layout)
    with pytest.raises(SeedtrainError) as caught:
        read_data(write(tmp_path, "mapping.yaml", text))
    assert "layout.csv" in str(caught.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["first", "pro", "pio", "asm"]), st.data())
def test_a_damaged_export_is_read_or_refused(tmp_path, which, data):
    """Cut, doubled or overwritten anywhere: runs, or an error of ours."""
    source = {"first": FIRST, "pro": PRO, "pio": PIO, "asm": json.dumps(asm())}[which]
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, min(len(source), start + 60)))
    junk = data.draw(st.sampled_from(["", ";", "\n", "\x00", "NaN", "1e999", '"', "é", "{", source[start:end] * 2]))
    path = write(tmp_path, "damaged.json" if which == "asm" else "damaged.csv", source[:start] + junk + source[end:])
    try:
        found, _text = check_files([path])
    except SeedtrainError:
        return
    assert all(np.isfinite(run.time).all() for run in found.runs.values())
