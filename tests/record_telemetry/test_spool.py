"""The spool: what comes in is what is stored, in order; only what is on the disk is acknowledged."""

import threading
import time
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, IntegrityError, UnavailableError
from seedtrain.record import Source, Spool
from seedtrain.record._telemetry._spool import SpoolFile
from tests.record_telemetry.plant import DO, HOUR_US, PH, START, START_US, at


def stored(path):
    """Every reading in the order in which it was stored, hour by hour: (source, time, value, quality)."""
    file = SpoolFile(path)
    try:
        sources, found = file.sources(), []
        hours: Any = file.connection.execute("SELECT DISTINCT hour FROM flush ORDER BY hour").fetchall()
        for (hour,) in hours:
            rows, _ = file.rows(hour, 0)
            columns = (rows.series, rows.time, rows.value, rows.quality)
            found += [
                (sources[series], when, value, mark)
                for series, when, value, mark in zip(*(column.tolist() for column in columns), strict=True)
            ]
        return found
    finally:
        file.close()


readings = st.lists(
    st.tuples(
        st.sampled_from([PH, DO, Source("pH", "1", "other", "measured")]),
        st.integers(START_US - 10 * HOUR_US, START_US + 10 * HOUR_US),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from([0, 1, 2]),
    ),
    max_size=40,
)


@settings(max_examples=25)
@given(batches=st.lists(readings, max_size=4))
def test_every_reading_comes_back_as_it_was(tmp_path_factory, batches):
    path = tmp_path_factory.mktemp("spool") / "a.telemetry"
    sent = []
    for batch in batches:
        with Spool(path) as spool:
            for source, when, value, mark in batch:
                spool.put_many(source, [when], [value], [mark])
            assert spool.flush() == len(batch)
        sent += batch
    if batches:
        by_hour = sorted(sent, key=lambda item: item[1] // HOUR_US)  # stable: the order of arrival within an hour
        assert stored(path) == by_hour


def test_a_reading_is_on_the_disk_within_a_second_without_being_asked(tmp_path):
    with Spool(tmp_path / "a") as spool:
        assert spool._file.connection.pragma("synchronous") == 2
        assert spool._file.connection.pragma("journal_mode") == "wal"
        began = time.monotonic()
        ticket = spool.put("pH", 7.01, "1", START, origin="simulated", device="T1-AE1")
        assert spool.acknowledged == 0
        spool.wait(ticket, timeout_s=20)
        assert spool.acknowledged == 1
        assert time.monotonic() - began < 10  # a second, on a machine that others load
        assert stored(tmp_path / "a") == [(PH, START_US, 7.01, 0)]


def test_threads_and_processes_share_one_file(tmp_path):
    path = tmp_path / "a"
    with Spool(path, flush_s=0.01) as one, Spool(path, flush_s=0.01) as other:

        def work(spool, number):
            source = Source(f"tag{number}", "1", "", "measured")
            for item in range(50):
                ticket = spool.put_many(source, [START_US + item], [item])
            spool.wait(ticket)

        threads = [threading.Thread(target=work, args=(spool, n)) for n, spool in enumerate([one, one, other, other])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for number in range(4):
        mine = [value for source, _, value, _ in stored(path) if source.tag == f"tag{number}"]
        assert mine == list(range(50))


def test_a_full_disk_acknowledges_nothing_and_loses_nothing(tmp_path):
    path = tmp_path / "a"
    with Spool(path) as spool:
        spool.put_many(PH, [START_US], [1.0])
        spool.flush()
        pages = spool._file.connection.pragma("page_count")
        spool._file.connection.pragma("max_page_count", pages)
        ticket = spool.put_many(DO, START_US + np.arange(5000), np.arange(5000.0))
        with pytest.raises(UnavailableError, match="nothing was acknowledged"):
            spool.flush()
        with pytest.raises(UnavailableError):
            spool.wait(ticket)
        assert spool.acknowledged == 1
        spool._file.connection.pragma("max_page_count", 2**30)
        assert spool.flush() == 5001
        spool.wait(ticket)
    assert [value for source, _, value, _ in stored(path) if source == DO] == list(range(5000))


def test_memory_is_bounded_while_the_disk_refuses(tmp_path, monkeypatch):
    monkeypatch.setattr("seedtrain.record._telemetry._spool.MOST_WAITING", 10)
    with Spool(tmp_path / "a") as spool:
        spool.put_many(PH, [START_US] * 10, [1.0] * 10)
        with pytest.raises(UnavailableError, match="wait for the disk"):
            spool.put("pH", 7.0, "1", START)
        spool.flush()
        spool.put("pH", 7.0, "1", START)


def test_a_damaged_flush_is_refused_by_its_checksum(tmp_path):
    path = tmp_path / "a"
    with Spool(path) as spool:
        spool.put_many(PH, [START_US], [7.01])
    file = SpoolFile(path)
    with pytest.raises(Exception, match="only grows"):
        file.connection.execute("UPDATE flush SET count = 2")
    with pytest.raises(Exception, match="only sealed readings leave"):
        file.connection.execute("DELETE FROM flush")
    file.connection.execute("DROP TRIGGER flush_update")
    body: Any = file.connection.execute("SELECT body FROM flush").get
    file.connection.execute("UPDATE flush SET body = ?", (bytes([body[0] ^ 1]) + body[1:],))
    with pytest.raises(IntegrityError, match="is damaged"):
        file.rows(START_US // HOUR_US, 0)
    file.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tag": ""}, "not a tag"),
        ({"tag": "a\nb"}, "not a tag"),
        ({"unit": "x" * 201}, "not a unit"),
        ({"time": datetime(2026, 3, 1)}, "time zone"),
        ({"value": float("nan")}, "Mark it as bad"),
        ({"value": float("inf"), "quality": "uncertain"}, "Mark it as bad"),
        ({"quality": "fine"}, "not a quality"),
        ({"origin": "guessed"}, "not an origin"),
    ],
)
def test_bad_readings_are_refused_and_nothing_of_them_is_kept(tmp_path, change, words):
    good: dict[str, Any] = {"tag": "pH", "value": 7.0, "unit": "1", "time": START}
    with Spool(tmp_path / "a") as spool:
        with pytest.raises(InputError, match=words):
            spool.put(**(good | change))
        spool.put(**(good | {"time": at(1), "value": float("nan"), "quality": "bad"}))
        with pytest.raises(InputError, match="2,"):
            spool.put_many(PH, [1, 2], [1.0])
        assert spool.flush() == 1
    with pytest.raises(InputError, match="closed"):
        spool.put(**good)


def test_another_file_is_not_taken_for_a_spool(tmp_path):
    (tmp_path / "a").write_text("no database, but long enough to be one " * 40)
    with pytest.raises(InputError, match="not a telemetry spool"):
        Spool(tmp_path / "a")
    with pytest.raises(InputError, match="at least every"):
        Spool(tmp_path / "b", flush_s=5)
