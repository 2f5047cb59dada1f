"""Commits that overlap: the next is linked while one is written, and nothing rests on what is not there."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import apsw
import pytest

from seedtrain.base import InputError, UnavailableError
from seedtrain.record import Draft, open_ledger, verify
from tests.record.ledgers import connection_of, reading


class Disk:
    """Holds each commit of a ledger between its events being linked and being written."""

    def __init__(self, ledger, monkeypatch):
        self.ledger = ledger
        self.entered, self.go_on = threading.Semaphore(0), threading.Semaphore(0)
        self.fault = None
        self.linked: list[Any] = []  # the pending commit that was written, each time
        add = ledger._store.add

        def held(events, *rest):
            self.entered.release()
            self.go_on.acquire()
            fault, self.fault = self.fault, None
            if fault is not None:
                raise fault
            self.linked.append(events)
            add(events, *rest)

        monkeypatch.setattr(ledger._store, "add", held)

    def wait_until_linked(self, count=1):
        deadline = time.monotonic() + 20
        while self.ledger._linked is None or self.ledger._linked.granted < count:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return self.ledger._linked.events


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(tmp_path / "record.db") as made:
        yield made


@pytest.fixture
def disk(ledger, monkeypatch):
    return Disk(ledger, monkeypatch)


def chain_of(ledger):
    return [event.payload["number"] for event in ledger.events(type="step.value_recorded")]


def queued(ledger, count):
    deadline = time.monotonic() + 20
    while len(ledger._group._queue) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_the_next_commit_is_linked_while_one_is_written_and_told_after_it(ledger, disk):
    with ThreadPoolExecutor(4) as pool:
        one = pool.submit(ledger.append, reading(1), reading(2))
        assert disk.entered.acquire(timeout=20)
        two = pool.submit(ledger.append, reading(3))
        ahead = disk.wait_until_linked()
        assert not one.done()
        assert not two.done()
        three = pool.submit(ledger.append, reading(4))  # comes in time for the same commit
        queued(ledger, 1)
        disk.go_on.release()
        first = one.result(20)
        assert not two.done()
        disk.go_on.release()
        assert two.result(20)[0].prev == first[1].digest
        assert three.result(20)[0].prev == two.result()[0].digest
        assert disk.linked[1] is ahead  # what was linked ahead is what was written
    assert len(list(ledger._store.notes())) == 3
    assert verify(ledger.path).verdict == "pass"


@pytest.mark.parametrize("fault", [apsw.FullError("database or disk is full"), apsw.IOError("disk I/O error")])
def test_what_was_linked_to_a_commit_that_failed_is_linked_anew(ledger, disk, fault):
    before = ledger.head
    with ThreadPoolExecutor(4) as pool:
        disk.fault = fault
        one = pool.submit(ledger.append, reading(1))
        assert disk.entered.acquire(timeout=20)
        two = pool.submit(ledger.append, reading(2), reading(3))
        assert disk.wait_until_linked(1)[0].seq == before.seq + 2
        disk.go_on.release(2)
        assert isinstance(one.exception(20), UnavailableError)
        made = two.result(20)
    assert (made[0].seq, made[0].prev) == (before.seq + 1, before.digest)
    assert chain_of(ledger) == [2, 3]
    assert verify(ledger.path).verdict == "pass"


def test_both_are_refused_where_the_disk_stays_full(ledger, disk):
    before = ledger.head
    connection = connection_of(ledger)
    many = [reading(number) for number in range(200)]
    with ThreadPoolExecutor(4) as pool:
        connection.pragma("max_page_count", connection.pragma("page_count"))
        one = pool.submit(ledger.append, *many)
        assert disk.entered.acquire(timeout=20)
        two = pool.submit(ledger.append, *many)
        disk.wait_until_linked()
        disk.go_on.release(2)
        assert isinstance(one.exception(20), UnavailableError)
        assert isinstance(two.exception(20), UnavailableError)
    connection.pragma("max_page_count", 2**30)
    assert ledger.head == before
    disk.go_on.release()
    assert ledger.append(reading(1))[0].prev == before.digest
    assert verify(ledger.path).verdict == "pass"


def test_what_another_process_writes_in_between_is_linked_to(ledger, disk, monkeypatch):
    begin = ledger._store.transaction
    with open_ledger(ledger.path) as other, ThreadPoolExecutor(4) as pool:
        one = pool.submit(ledger.append, reading(1))
        assert disk.entered.acquire(timeout=20)
        two = pool.submit(ledger.append, reading(2))
        disk.wait_until_linked()
        between: list[Any] = []

        def after_the_other():
            between.extend(other.append(reading(9)))
            return begin()

        monkeypatch.setattr(ledger._store, "transaction", after_the_other)
        disk.go_on.release(2)
        assert two.result(20)[0].prev == between[0].digest
        assert one.result(20)[0].digest == between[0].prev
    assert chain_of(ledger) == [1, 9, 2]
    assert verify(ledger.path).verdict == "pass"


def test_a_fault_of_one_caller_found_ahead_is_told_to_nobody_else(ledger, disk):
    half_a_pair = Draft("step.value_recorded", "B", {"number": "\ud800"}, "system")
    with ThreadPoolExecutor(4) as pool:
        disk.fault = apsw.FullError("database or disk is full")
        one = pool.submit(ledger.append, reading(1))
        assert disk.entered.acquire(timeout=20)
        two = pool.submit(ledger.append, half_a_pair)
        disk.wait_until_linked()
        three = pool.submit(ledger.append, reading(3))
        queued(ledger, 1)
        disk.go_on.release(2)
        assert isinstance(one.exception(20), UnavailableError)
        assert isinstance(two.exception(20), InputError)
        assert three.result(20)
    assert chain_of(ledger) == [3]


def test_nobody_reads_what_is_not_on_the_disk_yet(ledger, monkeypatch):
    entered, leave = threading.Event(), threading.Event()
    add = ledger._store.add

    def written_and_not_committed(*given):
        add(*given)
        entered.set()
        leave.wait(20)
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr(ledger._store, "add", written_and_not_committed)
    with ThreadPoolExecutor(1) as pool:
        one = pool.submit(ledger.append, reading(1))
        assert entered.wait(20)
        assert [event.seq for event in ledger.events()] == [1]
        leave.set()
        assert isinstance(one.exception(20), UnavailableError)


def test_readers_and_writers_of_one_ledger_do_not_meet_on_a_connection(ledger):
    stop = threading.Event()

    def read():
        seen = 0
        while not stop.is_set():
            for event in ledger.events(after=max(0, seen - 20)):
                seen = event.seq
                assert ledger.find(event.id) == event
        return seen

    def write(at):
        return [ledger.append(reading(at)) for _ in range(60)]

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        writers = [pool.submit(write, at) for at in range(3)]
        made = [events[0] for writer in writers for events in writer.result(60)]
        stop.set()
        assert all(reader.result(60) for reader in readers)
    assert sorted(event.seq for event in made) == list(range(2, 182))


@pytest.mark.parametrize("asked", ["an id", "a correction", "the head", "a function"])
def test_what_depends_on_what_is_stored_waits_for_it(ledger, disk, asked):
    disk.go_on.release()
    (first,) = ledger.append(reading(0))
    assert disk.entered.acquire(timeout=20)
    other = Draft("step.value_recorded", "B", {"number": 1}, "system", id="once")
    calls = {
        "an id": lambda: ledger.append(other),
        "a correction": lambda: ledger.append(
            Draft("value.corrected", "B", {"number": 2}, "system", reason="misread", corrects=first.id)
        ),
        "the head": lambda: ledger.append(reading(1), at_head=first.seq + 1),
        "a function": lambda: ledger.append(lambda _: reading(ledger.head.seq)),
    }
    with ThreadPoolExecutor(4) as pool:
        one = pool.submit(ledger.append, other)
        assert disk.entered.acquire(timeout=20)
        two = pool.submit(calls[asked])
        time.sleep(0.05)
        assert ledger._linked is None
        disk.go_on.release(2)
        assert two.result(20)[0].seq == one.result(20)[0].seq + (asked != "an id")
    assert verify(ledger.path).verdict == "pass"


def test_a_clock_set_back_meanwhile_is_flagged_in_the_chain(tmp_path, monkeypatch):
    now = [datetime(2026, 3, 1, 8, tzinfo=UTC)]
    with open_ledger(tmp_path / "record.db", clock=lambda: now[0]) as ledger, ThreadPoolExecutor(4) as pool:
        disk = Disk(ledger, monkeypatch)
        one = pool.submit(ledger.append, reading(1))
        assert disk.entered.acquire(timeout=20)
        now[0] -= timedelta(hours=1)
        two = pool.submit(ledger.append, reading(2))
        time.sleep(0.05)
        disk.go_on.release(2)
        one.result(20)
        two.result(20)
        types = [event.type for event in ledger.events(after=1)]
        assert types == ["step.value_recorded", "clock.checked", "step.value_recorded"]
        stamps = [event.recorded_at for event in ledger.events()]
        assert stamps == sorted(stamps)
    assert verify(tmp_path / "record.db").verdict == "pass"
