"""`seedtrain telemetry` from the spool to the exported file."""

import json

import pytest

from seedtrain.cli import main
from seedtrain.record import Draft, open_ledger, segment_folder, segment_path
from tests.judges import needs
from tests.record_telemetry.plant import at, hours

pytestmark = needs("duckdb", "pyarrow")
GROW = "production/growth/batch"


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "record.db"
    with open_ledger(path) as ledger:
        ledger.append(
            Draft("batch.created", "B-1", {"origin": "simulated"}, "system", at(0)),
            Draft("step.started", "B-1", {"phase": GROW, "unit": "T2"}, "system", at(0.5)),
            Draft("step.completed", "B-1", {"phase": GROW}, "system", at(1.5)),
        )
        hours(ledger, 0, 2)
    return path


@pytest.fixture
def telemetry(record, capsys):
    def run(*words):
        with pytest.raises(SystemExit) as left:
            main(["telemetry", *map(str, words), "--record", str(record)])
        printed = capsys.readouterr()
        return left.value.code, printed.out + printed.err

    return run


def test_seal_query_and_export(telemetry, record, tmp_path):
    code, words = telemetry("seal", "--batch", "B-1", "--all", "--json")
    sealed = json.loads(words)
    assert (code, sealed["count"], len(sealed["made"])) == (0, 240, 2)
    code, words = telemetry("query", "--tag", "pH", "--batch", "B-1", "--phase", GROW, "--end", "1.25", "--json")
    (trend,) = json.loads(words)["trends"]
    assert (code, trend["count"], trend["origin"]) == (0, 45, "simulated")
    assert (trend["batch_h"][0], trend["value"][0], set(trend["phase"])) == (0.5, 0.5, {GROW})
    code, words = telemetry("query", "--tag", "pH", "--tag", "DO", "--points", "6", "--method", "lttb", "--lang", "zh")
    assert code == 0
    assert "模拟" in words
    assert "实测" in words
    assert words.count("2026-03-01T") == 12
    code, words = telemetry("export", tmp_path / "a.csv", "--batch", "B-1", "--every", "600")
    assert (code, "24 values of 2 trends" in words) == (0, True)
    kept = (tmp_path / "a.csv").read_text()
    assert len(kept.splitlines()) == 13
    code, words = telemetry("export", tmp_path / "a.csv", "--batch", "B-1")
    assert (code, "the file exists" in words, (tmp_path / "a.csv").read_text()) == (2, True, kept)


def test_a_batch_has_what_was_read_from_its_beginning_to_its_end_alone(telemetry, record, tmp_path):
    with open_ledger(record) as ledger:
        ledger.append(
            Draft("batch.created", "B-2", {"origin": "simulated"}, "system", at(1.6)),
            Draft("step.started", "B-2", {"phase": GROW, "unit": "T2"}, "system", at(1.7)),
        )
    late = json.loads(telemetry("query", "--tag", "pH", "--batch", "B-2", "--json")[1])["trends"][0]
    assert (late["count"], late["batch_h"][0]) == (24, pytest.approx(0.0))  # a reading a minute until 2 h: it runs on
    with open_ledger(record) as ledger:
        over = {"unit_procedure": "", "command": "abort", "before": "running", "after": "aborted"}
        ledger.append(
            Draft("batch.state_changed", "B-1", over, "system", at(1.25))
        )  # of the day: before its phase ended
    code, words = telemetry("query", "--tag", "pH", "--batch", "B-1", "--json")
    (trend,) = json.loads(words)["trends"]
    assert (code, trend["count"], trend["batch_h"][-1]) == (0, 91, 1.5)
    beyond = telemetry("query", "--tag", "pH", "--batch", "B-1", "--end", "1.75", "--json")[1]  # unless one asks for it
    assert json.loads(beyond)["trends"][0]["count"] == 105


def test_a_changed_segment_ends_with_a_failed_verdict(telemetry, record):
    telemetry("seal")
    with open_ledger(record) as ledger:
        (event,) = ledger.events(type="segment.stored")
        path = segment_path(segment_folder(ledger), event.payload["digest"])
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    code, words = telemetry("query", "--tag", "pH")
    assert code == 1
    assert "the record has" in words
    assert "telemetry seal" in words
    code, words = telemetry("seal")
    assert (code, "1 segments made again" in words) == (0, True)
    assert telemetry("query", "--tag", "pH", "--points", "4")[0] == 0


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("query", "--tag", "mystery"), "no telemetry of 'mystery'"),
        (("query", "--tag", "pH", "--start", "noon"), "'noon' is not an ISO 8601 time"),
        (("query", "--tag", "pH", "--start", "3"), "Give --batch"),
        (("query", "--tag", "pH", "--phase", GROW), "Give --batch"),
        (("query", "--tag", "pH", "--batch", "B-1", "--start", "nan"), "not a time of the batch"),
        (("query", "--tag", "pH", "--batch", "B-9"), "no batch 'B-9'"),
        (("query", "--tag", "pH", "--points", "1"), "1 points"),
        (("export", "a.xlsx"), ".xlsx"),
        (("seal", "--batch", "B-9"), "no batch 'B-9'"),
    ],
)
def test_bad_input_is_refused_with_its_remedy(telemetry, words, fault):
    code, printed = telemetry(*words)
    assert code == 2
    assert fault in printed
