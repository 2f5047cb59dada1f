"""Appending: order, atomicity, safe repetition, and refusals that acknowledge nothing."""

import stat
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, IntegrityError, UnavailableError, signed_bytes
from seedtrain.record import (
    ConflictError,
    Draft,
    anchor_path,
    key_path,
    open_ledger,
    timestamp,
    verify,
)
from seedtrain.record._store import _SCHEMAS, require_sound_sqlite
from seedtrain.record._verifier import NO_EVENT
from tests.record.ledgers import build, connection_of, first_bad, reading, unguarded

FIELDS = (
    *("seq", "prev", "id", "type", "subject", "occurred_at", "recorded_at"),
    *("actor", "device", "payload", "reason", "corrects"),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "record.db"


def test_events_come_back_as_they_were_given_in_one_gap_free_chain(path):
    build(path)
    with open_ledger(path, create=False) as ledger:
        events = list(ledger.events())
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [event.prev for event in events] == [NO_EVENT, *(event.digest for event in events[:-1])]
        assert events[0].type == "ledger.created"
        for event in events:
            assert event.body == signed_bytes({name: getattr(event, name) for name in FIELDS})
        assert ledger.head.seq == len(events)
        assert ledger.head.digest == events[-1].digest
        chosen = [event for event in events if event.subject == "RHCOL3-001" and event.type == "step.value_recorded"]
        assert list(ledger.events(subject="RHCOL3-001", type="step.value_recorded")) == chosen
        assert list(ledger.events(after=4)) == events[4:]
        assert ledger.find(events[3].id) == events[3]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PAYLOAD = st.dictionaries(
    st.text("abcdefghij_", min_size=1, max_size=6),
    TEXT | st.integers(-(2**53), 2**53) | st.booleans() | st.none() | st.lists(TEXT, max_size=3),
    max_size=4,
)


@settings(max_examples=40)
@given(st.lists(PAYLOAD, min_size=1, max_size=5))
def test_any_payload_of_the_signed_kind_comes_back(tmp_path_factory, payloads):
    path = tmp_path_factory.mktemp("ledger") / "record.db"
    with open_ledger(path) as ledger:
        ledger.append(*(Draft("step.started", "B", payload, "system") for payload in payloads))
        assert [event.payload for event in ledger.events(subject="B")] == payloads
    assert verify(path).verdict == "pass"


@pytest.mark.parametrize(
    "draft",
    [
        Draft("step.started", "B", {"value": 7.01}, "system"),
        Draft("step.started", "B", {"größe": "1"}, "system"),
        Draft("step.started", "B", {"text": "\ud800"}, "system"),
        Draft("step.started", "B", {"text": "x" * 2**20}, "system"),
        Draft("started", "B", {}, "system"),
        Draft("step.started", "", {}, "system"),
        Draft("step.started", "B", {}, "Wang Fang"),
        Draft("step.started", "B", {}, "system", datetime(2026, 3, 1)),
        Draft("step.started", "B", {}, "system", "yesterday"),
        Draft("step.started", "B", {}, "system", corrects="nothing", reason="typed wrongly"),
    ],
)
def test_what_cannot_be_stored_is_refused_and_leaves_no_trace(path, draft):
    with open_ledger(path) as ledger:
        before = ledger.head
        with pytest.raises(InputError):
            ledger.append(reading(1), draft)
        assert ledger.head == before
    assert verify(path).verdict == "pass"


def test_a_draft_with_an_id_is_stored_once_however_often_it_is_given(path):
    draft = Draft("lot.consumed", "B", {"lot": "L1", "amount": "3"}, "system", id="B-consume-1")
    with open_ledger(path) as ledger:
        first = ledger.append(draft)
        assert ledger.append(draft, reading(2))[0] == first[0]
        assert len(list(ledger.events(subject="B"))) == 1
        other = Draft("lot.consumed", "B", {"lot": "L1", "amount": "4"}, "system", id="B-consume-1")
        with pytest.raises(InputError, match="is recorded already"):
            ledger.append(other)


def test_a_correction_needs_a_reason_and_keeps_the_old_value(path):
    with open_ledger(path) as ledger:
        (wrong,) = ledger.append(reading(1, "17.01"))
        draft = Draft("value.corrected", wrong.subject, {"value": "7.01"}, "system", corrects=wrong.id)
        with pytest.raises(InputError, match="no reason"):
            ledger.append(draft)
        ledger.append(replace(draft, reason="typing error"))
        old = ledger.find(wrong.id)
        assert old is not None
        assert old.payload["value"] == "17.01"


def test_at_head_appends_only_to_what_the_caller_has_seen(path):
    with open_ledger(path) as ledger, open_ledger(path) as other:
        seen = ledger.head.seq
        other.append(reading(1))
        with pytest.raises(ConflictError):
            ledger.append(reading(2), at_head=seen)
        assert ledger.append(reading(2), at_head=seen + 1)[0].seq == seen + 2


def test_a_later_draft_sees_the_events_of_its_commit(path):
    with open_ledger(path) as ledger:
        events = ledger.append(reading(1), lambda made: Draft("step.checked", "B", {"of": made[-1].digest}, "system"))
        assert events[1].payload["of"] == events[0].digest


def test_two_ledger_objects_and_many_threads_write_one_chain(path):
    with open_ledger(path) as one, open_ledger(path) as two:
        made: list[int] = []

        def write(ledger, start):
            made.extend(event.seq for number in range(15) for event in ledger.append(reading(start + number)))

        threads = [threading.Thread(target=write, args=(ledger, at)) for ledger, at in ((one, 0), (one, 50), (two, 90))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(made) == list(range(2, 47))
    assert verify(path).verdict == "pass"


def test_a_second_writer_gets_a_typed_refusal_while_the_first_holds_the_lock(path, monkeypatch):
    monkeypatch.setattr("seedtrain.record._store.BUSY_MS", 50)
    with open_ledger(path) as ledger:
        holder = apsw.Connection(str(path))
        holder.execute("BEGIN IMMEDIATE")
        before = ledger.head
        with pytest.raises(UnavailableError, match="locked"):
            ledger.append(reading(1))
        holder.execute("ROLLBACK")
        assert ledger.head == before
        assert ledger.append(reading(1))[0].seq == before.seq + 1


def test_a_full_disk_acknowledges_nothing_and_the_ledger_goes_on_when_there_is_room(path):
    build(path)
    with open_ledger(path) as ledger:
        before = ledger.head
        connection = connection_of(ledger)
        connection.pragma("max_page_count", connection.pragma("page_count"))
        with pytest.raises(UnavailableError, match="full"):
            ledger.append(*(reading(number) for number in range(500)))
        assert ledger.head == before
        connection.pragma("max_page_count", 2**30)
        ledger.append(reading(1))
    assert verify(path).verdict == "pass"


def test_without_room_for_its_anchors_the_ledger_takes_nothing_more(path, monkeypatch):
    with open_ledger(path) as ledger:
        ledger.append(reading(1))

        def full(handle, data):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("seedtrain.record._anchors.os.write", full)
            assert ledger.append(reading(2))  # durable, hence acknowledged: the anchor is owed
            head = ledger.head
            with pytest.raises(UnavailableError, match="anchors"):
                ledger.append(reading(3))
            assert ledger.head == head
        ledger.append(reading(3))
    assert verify(path).verdict == "pass"
    assert len(anchor_path(path).read_text().splitlines()) == 4


def test_a_read_only_ledger_reads_and_refuses_to_write(path):
    size = build(path)
    with open_ledger(path, create=False, read_only=True) as ledger:
        assert ledger.head.seq == size
        with pytest.raises(UnavailableError, match="reading only"):
            ledger.append(reading(1))


@pytest.fixture
def open_folder():
    """A folder that every user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def test_a_ledger_that_its_user_may_not_write_refuses_and_still_verifies(open_folder):
    path, warm = open_folder / "record.db", open_folder / "warm.db"
    build(path)
    program = f"""
import os
from pathlib import Path
from seedtrain.base import UnavailableError
from seedtrain.record import open_ledger, verify
from tests.record.ledgers import build, reading
build(Path({str(warm)!r}))  # imports what it needs while it still may
verify({str(warm)!r})
os.chmod({str(open_folder)!r}, 0o555)
if os.geteuid() == 0:  # root may write anything
    os.setgid(65534)
    os.setuid(65534)
try:
    open_ledger({str(path)!r}).append(reading(1))
except UnavailableError:
    print("refused")
print(verify({str(path)!r}).verdict)
"""
    for item in (path, anchor_path(path), key_path(path) / "server.pub"):
        item.chmod(0o444)
    key_path(path).chmod(0o555)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["refused", "pass"], done.stderr


def test_a_clock_set_back_keeps_the_order_is_flagged_once_and_never_lowers_recorded_at(path):
    now = datetime(2026, 3, 1, 9, tzinfo=UTC)
    with open_ledger(path, clock=lambda: now) as ledger:
        ledger.append(reading(1))
        now -= timedelta(hours=1)
        made = ledger.append(reading(2))
        ledger.append(reading(3))
        now += timedelta(hours=2)
        ledger.append(reading(4))
        assert [event.payload["number"] for event in made] == [2]
        events = list(ledger.events())
        times = [event.recorded_at for event in events]
        assert times == sorted(times)
        flags = [event for event in events if event.type == "clock.checked"]
        assert [event.payload["behind_s"] for event in flags] == ["3600"]
        assert flags[0].seq == made[0].seq - 1
        assert times[-1] == timestamp(now)
    assert verify(path).verdict == "pass"


def test_updates_deletes_and_replacements_are_refused_by_the_database_itself(path):
    build(path)
    connection = apsw.Connection(str(path))
    for statement in (
        "UPDATE event SET body = body",
        "DELETE FROM event",
        "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
        "INSERT OR REPLACE INTO event (seq, body, leaf) SELECT seq, body, leaf FROM event WHERE seq = 3",
        "INSERT INTO event (seq, body, leaf) SELECT max(seq) + 2, body, zeroblob(32) FROM event",
        "UPDATE checkpoint SET note = ''",
        "DELETE FROM checkpoint",
        "INSERT OR REPLACE INTO checkpoint SELECT * FROM checkpoint",
    ):
        with pytest.raises(apsw.ConstraintError):
            connection.execute(statement)
    connection.close()
    assert verify(path).verdict == "pass"


TWIN = (
    "INSERT INTO event (seq, body, leaf) SELECT ?, json_set(body, '$.id', 'twin', '$.seq', ?), leaf "
    "FROM event WHERE seq = ?"
)


def test_a_fork_is_refused_and_found_where_the_guards_were_off(path):
    size = build(path)
    connection = apsw.Connection(str(path))
    for seq in (size, size + 2):  # in the place of another, or leaving one out
        with pytest.raises(apsw.ConstraintError, match="grow"):
            connection.execute(TWIN, (seq, seq, size))
    connection.close()
    connection = unguarded(path)
    connection.execute(TWIN, (size + 1, size + 1, size))  # two events that name the same one before them
    connection.close()
    assert first_bad(verify(path)) == size + 1


def test_a_ledger_of_the_first_layout_goes_on_as_it_is(path, monkeypatch):
    monkeypatch.setattr("seedtrain.record._store.LAYOUT", 1)
    monkeypatch.setattr("seedtrain.record._store.SCHEMA", _SCHEMAS[1])
    size = build(path)
    monkeypatch.undo()
    with open_ledger(path, create=False) as ledger:
        assert ledger.append(*(reading(number) for number in range(7)))[-1].seq == size + 7
        assert connection_of(ledger).pragma("user_version") == 1
    verdict = verify(path)
    assert verdict.verdict == "pass", verdict.evidence
    connection = unguarded(path)
    with pytest.raises(apsw.ConstraintError, match="prev"):
        connection.execute(TWIN, (size + 8, size + 8, size))
    connection.execute("DROP INDEX event_prev")
    connection.close()
    assert any("event_prev" in line for line in verify(path).evidence)


def test_opening_after_the_tail_was_cut_is_refused(path):
    size = build(path)
    connection = unguarded(path)
    connection.execute("DELETE FROM event WHERE seq > ?", (size - 2,))
    connection.execute("DELETE FROM checkpoint WHERE size > ?", (size - 2,))
    connection.close()
    with pytest.raises(IntegrityError, match="cut"):
        open_ledger(path)


def test_a_missing_anchor_is_written_at_the_next_opening_and_a_torn_one_mended(path):
    build(path)
    whole = anchor_path(path).read_bytes()
    lines = whole.splitlines(keepends=True)
    for kept in (b"", b"".join(lines[:-1]), whole[:-30], b"".join(lines[:-3]) + lines[-3][:50]):
        anchor_path(path).write_bytes(kept)
        open_ledger(path).close()
        verdict = verify(path)
        assert verdict.verdict == "pass", verdict.evidence
        assert set(lines) <= set(anchor_path(path).read_bytes().splitlines(keepends=True))


def test_files_that_are_no_ledgers_are_refused(path, tmp_path):
    with pytest.raises(InputError, match="no such ledger"):
        open_ledger(path, create=False)
    assert not path.exists()
    with pytest.raises(InputError, match="folder"):
        open_ledger(tmp_path)
    path.write_text("not a database, but a text of some length " * 50)
    with pytest.raises(InputError):
        open_ledger(path)
    other = tmp_path / "other.db"
    connection = apsw.Connection(str(other))
    connection.execute("CREATE TABLE things (a)")
    connection.close()
    with pytest.raises(InputError, match="not a ledger"):
        open_ledger(other)
    with pytest.raises(InputError, match="postgresql"):
        open_ledger("postgresql://host/records")
    assert open_ledger(f"sqlite:///{tmp_path / 'sub' / 'new.db'}").path == tmp_path / "sub" / "new.db"


def test_every_commit_waits_for_the_disk(path):
    for _ in range(2):  # made, and opened again
        with open_ledger(path) as ledger:
            assert connection_of(ledger).pragma("synchronous") == 2
            assert connection_of(ledger).pragma("journal_mode") == "wal"


def test_a_sqlite_that_can_lose_commits_is_refused():
    for unsound in (3_040_001, 3_044_005, 3_045_000, 3_050_006, 3_051_002):
        with pytest.raises(UnavailableError, match="WAL-reset"):
            require_sound_sqlite(unsound)
    for sound in (3_044_006, 3_050_007, 3_051_003, 3_054_001):
        require_sound_sqlite(sound)


def test_private_keys_are_readable_by_their_owner_only_and_never_in_the_ledger(path):
    build(path)
    secrets = [item for item in key_path(path).rglob("*") if item.is_file() and item.suffix != ".pub"]
    assert {item.name for item in secrets} == {"server.pem", "person-1.pem", "person-1.name"}
    assert stat.S_IMODE(key_path(path).stat().st_mode) == 0o700
    stored = path.read_bytes() + anchor_path(path).read_bytes()
    for item in secrets:
        assert stat.S_IMODE(item.stat().st_mode) == 0o600
        raw = item.read_bytes()
        core = raw.splitlines()[1] if item.suffix == ".pem" else raw
        assert core not in stored
        assert core.hex().encode() not in stored


def test_without_its_key_a_ledger_reads_and_writes_nothing(path):
    build(path)
    (key_path(path) / "server.pem").unlink()
    with open_ledger(path) as ledger:
        before = ledger.head
        with pytest.raises(UnavailableError, match="key"):
            ledger.append(reading(1))
        assert ledger.head == before
