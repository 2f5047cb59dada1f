"""Sealing keeps every reading once, whatever comes late and wherever it stops; files are held to the ledger."""

import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, IntegrityError, UnavailableError, digest_file
from seedtrain.record import Draft, Telemetry, open_ledger, seal_segments, segment_folder, segment_path, verify
from seedtrain.record._telemetry import _seal
from tests.judges import needs
from tests.record_telemetry.plant import DO, HOUR_US, PH, START_US, at, hours, spool, value_of

pq = pytest.importorskip("pyarrow.parquet")
pytestmark = needs("duckdb")


def everything(ledger):
    with Telemetry(ledger) as telemetry:
        trends = telemetry.trends(telemetry.tags()) if telemetry.tags() else ()
        return {(item.tag, item.device): (item.time.tolist(), item.value.tolist()) for item in trends}


def digests(ledger):
    return [item.payload["digest"] for item in ledger.events(type="segment.stored")]


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(tmp_path / "record.db") as opened:
        yield opened


def test_hours_that_ended_are_sealed_and_the_running_one_at_the_end(ledger):
    count = hours(ledger, 0, 3)
    before = everything(ledger)
    done = seal_segments(ledger)
    assert done.count == count * 2 // 3
    assert len(done.made) == 2
    assert everything(ledger) == before
    assert seal_segments(ledger) == _seal.Sealed((), (), 0, 0)
    assert seal_segments(ledger, everything=True).count == count // 3
    assert everything(ledger) == before
    assert digests(ledger) == [digest_file(segment_path(segment_folder(ledger), name)) for name in digests(ledger)]
    assert verify(ledger.path).verdict == "pass"


def test_a_segment_is_sorted_by_tag_and_time_and_says_what_it_holds(ledger):
    hours(ledger, 0, 1)
    seal_segments(ledger, everything=True)
    (event,) = ledger.events(type="segment.stored")
    table = pq.read_table(segment_path(segment_folder(ledger), event.payload["digest"]))
    keys = list(zip(table["tag"].to_pylist(), table["time"].cast("int64").to_pylist(), strict=True))
    assert keys == sorted(keys)
    assert len(keys) == event.payload["count"] == 120
    assert event.payload["tags"] == ["DO", "pH"]
    assert event.payload["origin"] == "simulated"
    assert (event.payload["start_h"], event.payload["end_h"]) == ("0", "0.983333333")
    assert set(table["quality"].to_pylist()) == {"good"}
    assert set(table["unit"].to_pylist()) == {"1", "%"}


def test_hours_of_a_batch_count_from_its_beginning(ledger):
    ledger.append(Draft("batch.created", "B-1", {"origin": "simulated"}, "system", at(-0.5)))
    hours(ledger, 0, 1)
    seal_segments(ledger, subject="B-1", everything=True)
    (event,) = ledger.events(subject="B-1", type="segment.stored")
    assert (event.payload["start_h"], event.payload["end_h"]) == ("0.5", "1.48333333")


moves = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 5), st.integers(1, 30)),
        st.tuples(st.just("seal"), st.booleans(), st.sampled_from([0.0, 1.0, 24.0])),
    ),
    max_size=12,
)


@settings(max_examples=10)
@given(moves=moves)
def test_late_readings_and_seals_in_any_order_keep_everything(tmp_path_factory, moves):
    """Every reading has a time of its own, so that a lost and a doubled one both show."""
    with open_ledger(tmp_path_factory.mktemp("late") / "record.db") as ledger:
        sent, number = [], 0
        with spool(ledger) as target:
            for kind, one, two in moves:
                if kind == "put":
                    times = START_US + one * HOUR_US + np.arange(number, number + two) * 1000
                    number += two
                    target.put_many(PH, times, value_of(0, times))
                    target.flush()
                    sent += times.tolist()
                else:
                    seal_segments(ledger, everything=one, keep_h=two)
                found = everything(ledger).get(("pH", "T1-AE1"), ([], []))
                assert found[0] == sorted(sent)
                assert found[1] == value_of(0, sorted(sent)).tolist()


@pytest.mark.parametrize("place", ["plan", "file", "event"])
def test_interrupted_anywhere_it_goes_on_where_it_was(ledger, monkeypatch, place):
    hours(ledger, 0, 2)
    before = everything(ledger)

    def fail(*_, **__):
        raise UnavailableError("the power is gone")

    with monkeypatch.context() as patch:
        if place == "plan":
            patch.setattr(_seal, "_settle", fail)
        elif place == "file":
            patch.setattr(_seal, "write_atomic", fail)
        else:
            patch.setattr(ledger, "append", fail)
        with pytest.raises(UnavailableError):
            seal_segments(ledger)
    assert everything(ledger) == before
    with spool(ledger) as target:  # late, after the plan: it must not change the planned segment
        target.put_many(DO, [START_US + 1], [5.0])
    seal_segments(ledger)
    assert len(digests(ledger)) == 2
    found = everything(ledger)
    assert found[("pH", "T1-AE1")] == before[("pH", "T1-AE1")]
    assert len(found[("DO", "T1-AE2")][0]) == len(before[("DO", "T1-AE2")][0]) + 1


def test_a_torn_segment_is_made_again_and_the_other_file_kept(ledger):
    hours(ledger, 0, 2)
    before = everything(ledger)
    (name,) = seal_segments(ledger).made
    path = segment_path(segment_folder(ledger), name)
    whole = path.read_bytes()
    for damage in (whole[: len(whole) // 2], b"", None):
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage)
        with pytest.raises(IntegrityError, match=name[:16]):
            everything(ledger)
        assert seal_segments(ledger).again == (name,)
        assert path.read_bytes() == whole
    assert path.with_name(f"refused-{path.name}").read_bytes() == b""
    assert everything(ledger) == before


def test_a_changed_segment_is_refused_even_by_an_open_reader(ledger):
    hours(ledger, 0, 2)
    (name,) = seal_segments(ledger).made
    path = segment_path(segment_folder(ledger), name)
    with Telemetry(ledger) as telemetry:
        telemetry.trends(["pH"])
        table = pq.read_table(path)
        values = table["value"].to_pylist()
        values[3] += 0.01
        pq.write_table(table.set_column(table.column_names.index("value"), "value", [values]), path)
        with pytest.raises(IntegrityError, match="the record has"):
            telemetry.trends(["pH"], at(0), at(1))
        assert len(telemetry.trends(["pH"], at(1))) == 1  # the running hour does not need it


def test_readings_leave_the_spool_only_when_a_whole_segment_has_them(ledger):
    hours(ledger, 0, 6)
    before = everything(ledger)
    done = seal_segments(ledger, keep_h=2)
    assert done.pruned == 3
    assert everything(ledger) == before
    path = segment_path(segment_folder(ledger), done.made[0])
    path.write_bytes(b"torn")
    with pytest.raises(IntegrityError):
        everything(ledger)
    assert seal_segments(ledger, keep_h=2).again == ()  # the spool has it no more: only a backup helps
    with pytest.raises(IntegrityError, match=r"the record has"):
        everything(ledger)


def test_what_the_spool_cannot_give_again_stays_refused(ledger, monkeypatch):
    hours(ledger, 0, 2)
    (name,) = seal_segments(ledger).made
    os.truncate(segment_path(segment_folder(ledger), name), 10)
    monkeypatch.setattr(_seal, "parquet_bytes", lambda table: b"of another version")
    with pytest.raises(IntegrityError, match="another segment") as caught:
        seal_segments(ledger)
    assert "pyarrow" in caught.value.remedy


def test_a_ledger_without_a_spool_says_so(ledger):
    with pytest.raises(InputError, match="no such telemetry spool"):
        seal_segments(ledger)
    with Telemetry(ledger) as telemetry:
        assert telemetry.tags() == ()
        with pytest.raises(InputError, match="no telemetry of 'pH'"):
            telemetry.trends(["pH"])


def test_the_event_is_what_a_batch_record_reads(ledger):
    hours(ledger, 0, 1)
    seal_segments(ledger, everything=True)
    (event,) = ledger.events(type="segment.stored")
    payload = json.loads(event.body)["payload"]
    assert {"digest", "tags", "start_h", "end_h", "count", "origin"} <= payload.keys()


def test_what_comes_while_old_readings_leave_stays(ledger, monkeypatch):
    hours(ledger, 0, 4)
    prune = _seal._prune

    def late(*arguments):
        with spool(ledger) as target:
            target.put_many(DO, [START_US + 7], [5.0])
        return prune(*arguments)

    monkeypatch.setattr(_seal, "_prune", late)
    assert seal_segments(ledger, keep_h=1).pruned == 2
    assert START_US + 7 in everything(ledger)[("DO", "T1-AE2")][0]


def test_a_question_during_a_seal_counts_nothing_twice(ledger, monkeypatch):
    count = hours(ledger, 0, 2)
    unsealed = Telemetry._unsealed

    def meanwhile(self, start, end):
        found = unsealed(self, start, end)
        seal_segments(ledger, everything=True)
        return found

    monkeypatch.setattr(Telemetry, "_unsealed", meanwhile)
    with Telemetry(ledger) as telemetry, telemetry.view() as connection:
        assert connection.execute("SELECT count(*) FROM reading").fetchone() == (count,)
