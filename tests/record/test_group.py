"""Group commit: many threads, few commits, every acknowledged event on the disk, and each caller's fault its own."""

import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from seedtrain.base import InputError, UnavailableError
from seedtrain.record import ConflictError, Draft, append_signed, bench_record, enrol_person, open_ledger, verify
from seedtrain.record._group import LONGEST_WAIT_S, GroupCommit
from tests.record.ledgers import connection_of, reading


@pytest.fixture
def path(tmp_path):
    return tmp_path / "record.db"


def commits(ledger):
    return len(list(ledger._store.notes()))


def test_many_threads_share_commits_and_each_gets_its_own_events(path):
    with open_ledger(path) as ledger, ThreadPoolExecutor(64) as pool:
        made = list(pool.map(lambda number: (number, ledger.append(reading(number), reading(-number))), range(400)))
        for number, events in made:
            assert [event.payload["number"] for event in events] == [number, -number]
            assert events[1].seq == events[0].seq + 1
            assert ledger.find(events[0].id) == events[0]
        assert sorted(event.seq for _, events in made for event in events) == list(range(2, 802))
        assert commits(ledger) < 200
    assert verify(path).verdict == "pass"


def held(group):
    """A commit that waits until it is let go, so that others queue up behind it."""
    entered, leave = threading.Event(), threading.Event()

    def hold(_events):
        entered.set()
        leave.wait(30)
        return reading(0)

    thread = threading.Thread(target=lambda: group.append(hold))
    thread.start()
    entered.wait(30)
    return thread, leave


def queue_up(ledger, *calls):
    """Run the calls in one group, in this order; what each returns or raises."""
    first, leave = held(ledger)
    results: list[Any] = [None] * len(calls)

    def run(at):
        try:
            results[at] = calls[at]()
        except Exception as error:  # noqa: BLE001
            results[at] = error

    threads = []
    for at in range(len(calls)):
        waiting = len(ledger._group._queue)
        threads.append(threading.Thread(target=run, args=(at,)))
        threads[-1].start()
        deadline = time.monotonic() + 5
        while len(ledger._group._queue) == waiting and threads[-1].is_alive() and time.monotonic() < deadline:
            time.sleep(0.001)
    leave.set()
    for thread in [first, *threads]:
        thread.join()
    return results


def test_one_callers_fault_leaves_the_others_of_its_group_alone(path):
    bad = Draft("step.started", "B", {"value": 7.01}, "system")
    with open_ledger(path) as ledger:
        before = commits(ledger)
        one, two, three = queue_up(
            ledger,
            lambda: ledger.append(reading(1)),
            lambda: ledger.append(reading(2), bad),
            lambda: ledger.append(reading(3)),
        )
        assert isinstance(two, InputError)
        assert one[0].seq + 1 == three[0].seq
        assert [event.payload["number"] for event in ledger.events(after=2)] == [1, 3]
        assert commits(ledger) == before + 2  # the one that was held, and the group
    assert verify(path).verdict == "pass"


def test_a_draft_given_twice_within_a_group_is_stored_once(path):
    draft = Draft("lot.consumed", "B", {"lot": "L1"}, "system", id="same")
    other = Draft("lot.consumed", "B", {"lot": "L2"}, "system", id="same")
    with open_ledger(path) as ledger:
        one, two, three = queue_up(ledger, *(lambda item=item: ledger.append(item) for item in (draft, draft, other)))
        assert one == two
        assert isinstance(three, InputError)


def test_what_depends_on_the_ledger_sees_all_that_came_before_it(path):
    """`at_head`, later drafts, enrolments and signatures begin a commit: nothing unwritten stands before them."""
    with open_ledger(path) as ledger:
        actor = enrol_person(ledger, "A", ["qa"], scripted=True)
        stored = ledger.enrolment(actor)
        assert stored is not None
        enrolment = dict(stored.payload)
        head = ledger.head.seq
        seen: list[int] = []

        def later(_events):
            seen.append(max(event.seq for event in ledger.events()))
            return reading(9)

        results = queue_up(
            ledger,
            lambda: ledger.append(reading(1)),
            lambda: ledger.append(reading(2), at_head=head),
            lambda: ledger.append(later),
            lambda: append_signed(ledger, Draft("step.checked", "B", {}, actor), "checked"),
            lambda: ledger.append(Draft("person.enrolled", "person-2", enrolment, "system")),
            lambda: ledger.append(Draft("person.enrolled", "person-2", enrolment, "system")),
        )
        assert isinstance(results[1], ConflictError)
        assert seen == [results[2][0].seq - 1]
        assert results[4][0].subject == "person-2"
        assert isinstance(results[5], InputError)
    assert verify(path).verdict == "pass"


def test_a_commit_that_fails_is_acknowledged_to_nobody(path):
    with open_ledger(path) as ledger:
        connection = connection_of(ledger)
        before = ledger.head
        connection.pragma("max_page_count", connection.pragma("page_count"))
        with ThreadPoolExecutor(32) as pool:
            calls = [pool.submit(ledger.append, *(reading(number) for number in range(400))) for _ in range(32)]
        assert all(isinstance(call.exception(), UnavailableError) for call in calls)
        assert ledger.head == before
        connection.pragma("max_page_count", 2**30)
        ledger.append(reading(1))
    assert verify(path).verdict == "pass"


def test_who_comes_alone_does_not_wait_for_others_and_nobody_waits_longer_than_said():

    def write(requests, _go_on):
        for request in requests:
            request.answer = request.asked

    group: GroupCommit[int, int] = GroupCommit(write)
    for number in range(1, 20):
        assert group.ask(number) == number
    assert group._last == 1
    group._last = 100  # a crowd that never comes back
    start = time.perf_counter()
    assert group.ask(5) == 5
    assert time.perf_counter() - start < LONGEST_WAIT_S + 1.0  # a busy machine may take its time to wake us
    assert group._last == 1


WRITER = """
import sys, threading
from seedtrain.record import open_ledger
from tests.record.ledgers import reading
lock = threading.Lock()
def client(ledger, first):
    number = first
    while True:
        number += 1
        (event,) = ledger.append(reading(number))
        with lock:
            print(f"{event.seq}:{event.digest}", flush=True)
with open_ledger(sys.argv[1]) as ledger:
    threads = [threading.Thread(target=client, args=(ledger, 10**6 * at)) for at in range(int(sys.argv[2]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def killed(path, rounds, clients, writers, seed):
    """What was acknowledged when `writers` processes of `clients` threads were killed, `rounds` times over."""
    generator = random.Random(seed)
    acknowledged: dict[int, str] = {}
    for _ in range(rounds):
        outs = [path.with_name(f"acknowledged-{at}") for at in range(writers)]
        processes = []
        for out in outs:
            with out.open("wb") as stream:
                command = [sys.executable, "-c", WRITER, str(path), str(clients)]
                processes.append(subprocess.Popen(command, stdout=stream, stderr=subprocess.DEVNULL))
        deadline = time.monotonic() + 30
        while not any(out.stat().st_size for out in outs) and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(generator.random() * 0.1)
        for process in processes:
            process.kill()
        assert [process.wait() for process in processes] == [-9] * writers
        for out in outs:
            for mark in out.read_text().rpartition("\n")[0].split():
                seq, _, digest = mark.partition(":")
                assert acknowledged.setdefault(int(seq), digest) == digest
    return acknowledged


def all_kept(path, acknowledged):
    with open_ledger(path) as ledger:
        stored = {event.seq: event.digest for event in ledger.events()}
    assert acknowledged.items() <= stored.items()
    verdict = verify(path)
    assert verdict.verdict == "pass", verdict.evidence


def test_after_kill_9_of_two_processes_of_many_threads_every_acknowledged_event_is_there(path):
    acknowledged = killed(path, 2, 32, 2, 7)
    assert len(acknowledged) > 20
    all_kept(path, acknowledged)


@pytest.mark.slow
def test_after_500_kills_every_acknowledged_event_is_there(path):
    acknowledged = killed(path, int(os.environ.get("SEEDTRAIN_KILLS", "500")), 256, 1, 2026)
    all_kept(path, acknowledged)


@pytest.mark.slow
def test_the_bench_measures_every_case(tmp_path):
    rows = bench_record(quick=True, folder=tmp_path)
    assert len(rows) == 20
    assert all(row["ours"] > 0 for row in rows if row["unit"] != "events")
    faults = [row for row in rows if row["unit"] == "events"]
    assert [row["ours"] for row in faults] == [0] * 4
    assert all(row["met"] for row in faults)
    assert not list(tmp_path.iterdir())
