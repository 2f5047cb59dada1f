"""What other programs read: three formats with the same readings, phases and time of the batch."""

import csv
import dataclasses
import json

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.record import (
    Band,
    BatchTime,
    Draft,
    Telemetry,
    bands,
    bands_of,
    batch_hours,
    batch_time,
    open_ledger,
    phase_at,
    seal_segments,
    write_trends,
)
from tests.judges import needs
from tests.record_telemetry.plant import START_US, at, hours

pq = pytest.importorskip("pyarrow.parquet")
pytestmark = needs("duckdb")
BATCH = "B-1"
SEED, GROW = "seed/growth/culture", "production/growth/batch"


def rows_of(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """Two hours of readings; the seed runs from 0.25 to 1.25 h of the clock, production from 1 h on, unended."""
    with open_ledger(tmp_path_factory.mktemp("export") / "record.db") as opened:
        opened.append(
            Draft("batch.created", BATCH, {"origin": "simulated"}, "system", at(0)),
            Draft("step.started", BATCH, {"phase": SEED, "unit": "T1"}, "system", at(0.25)),
            Draft("step.started", BATCH, {"phase": GROW, "unit": "T2"}, "system", at(1)),
            Draft("step.completed", BATCH, {"phase": SEED}, "system", at(1.25)),
            Draft("step.started", BATCH, {"phase": SEED, "unit": "T1"}, "system", at(1.5)),  # after a kill
        )
        hours(opened, 0, 2)
        seal_segments(opened)
        yield opened


@pytest.fixture(scope="module")
def trends(ledger):
    with Telemetry(ledger) as telemetry:
        return telemetry.trends(["DO", "pH"])


def test_bands_are_where_the_phases_were(ledger):
    seed, grow = bands(ledger, BATCH)
    assert (seed.phase, seed.unit, grow.phase, grow.end) == (SEED, "T1", GROW, None)
    time = np.array([0, 0.24, 0.25, 0.99, 1.0, 1.24, 1.25, 9.0]) * 3.6e9 + START_US
    words = ["", "", SEED, SEED, f"{SEED}; {GROW}", f"{SEED}; {GROW}", GROW, GROW]
    assert phase_at((seed, grow), time.astype(np.int64)) == words
    np.testing.assert_allclose(batch_hours(START_US, time.astype(np.int64)), [0, 0.24, 0.25, 0.99, 1, 1.24, 1.25, 9])


def test_the_three_formats_hold_the_same_readings(ledger, trends, tmp_path):
    batch = batch_time(ledger, BATCH)
    for suffix in ("parquet", "csv", "json"):
        write_trends(trends, tmp_path / f"a.{suffix}", batch)
    table = pq.read_table(tmp_path / "a.parquet")
    rows = rows_of(tmp_path / "a.csv")
    cubes = json.loads((tmp_path / "a.json").read_text())["measurement aggregate document"]["measurement document"]
    for trend, cube in zip(trends, cubes, strict=True):
        values = trend.value.tolist()
        mine = [tag == trend.tag for tag in table["tag"].to_pylist()]
        assert table["value"].filter(mine).to_pylist() == values
        assert [float(row[f"{trend.tag} [{trend.unit}]"]) for row in rows] == values
        data = cube["process data cube"]["data"]
        assert data["measures"] == [values, ["good"] * len(values)]
        assert [second / 3600 for second in data["dimensions"][0]] == pytest.approx(batch.hours(trend.time))
        assert cube["origin"] == trend.origin
    assert [float(row["batch_h"]) for row in rows] == pytest.approx(table["batch_h"].to_pylist()[: len(rows)])
    assert [row["phase"] for row in rows] == table["phase"].to_pylist()[: len(rows)]
    assert {row["phase"] for row in rows} == {"", SEED, f"{SEED}; {GROW}", GROW}
    assert {row["origin"] for row in rows} == {"simulated"}  # one simulated value marks the row


def test_tags_that_share_a_name_are_told_apart_and_gaps_stay_blank(tmp_path, trends):
    first = trends[0]
    other = dataclasses.replace(first, device="T2-AE2", time=first.time[::2], value=first.value[::2] + 1)
    other = dataclasses.replace(other, quality=np.full(len(other.time), 1, np.int8))
    write_trends((first, other), tmp_path / "a.csv", BatchTime())
    rows = rows_of(tmp_path / "a.csv")
    assert [row["DO T2-AE2 [%]"] == "" for row in rows[:4]] == [False, True, False, True]
    assert [row["quality"] for row in rows[:4]] == ["uncertain", "good", "uncertain", "good"]
    assert {row["batch_h"] for row in rows} == {""}


def test_what_is_no_number_is_null_in_json_and_nothing_is_an_empty_table(tmp_path, trends):
    holed = dataclasses.replace(trends[0], value=np.full(len(trends[0].time), np.nan))
    write_trends((holed,), tmp_path / "a.json", BatchTime())
    assert "NaN" not in (tmp_path / "a.json").read_text()
    for suffix in ("parquet", "csv", "json"):
        write_trends((), tmp_path / f"empty.{suffix}", BatchTime())
    assert pq.read_table(tmp_path / "empty.parquet").num_rows == 0
    assert (tmp_path / "empty.csv").read_text() == "time,batch_h,phase,quality,origin\n"


def test_other_suffixes_and_batches_are_refused(tmp_path, ledger, trends):
    with pytest.raises(InputError, match=r"\.xlsx") as caught:
        write_trends(trends, tmp_path / "a.xlsx", BatchTime())
    assert ".parquet" in caught.value.remedy
    assert not (tmp_path / "a.xlsx").exists()
    with pytest.raises(InputError, match="no batch 'B-2'"):
        batch_time(ledger, "B-2")
    with pytest.raises(InputError, match="has not run") as caught:
        batch_time(ledger, BATCH).band("harvest")
    assert SEED in caught.value.remedy


def test_a_reading_belongs_to_the_phase_of_its_own_unit():
    """Two units run at one time; an instrument of neither belongs to whatever runs."""
    grow, wash = Band("seed/expansion/grow", "F-1", 0, 10), Band("column/clean/wash", "S-1", 5, 20)
    time = np.array([4, 7, 12])
    assert phase_at(bands_of((grow, wash), "F-1.pH"), time) == [grow.phase, grow.phase, ""]
    assert phase_at(bands_of((grow, wash), "S-1.pH"), time) == ["", wash.phase, wash.phase]
    assert phase_at(bands_of((grow, wash), "room.humidity"), time)[1] == f"{grow.phase}; {wash.phase}"
