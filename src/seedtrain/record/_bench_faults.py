"""What is lost when a ledger is killed, cut off, has no room or meets a wrong clock: the acknowledged events gone.

`python -m seedtrain.record._bench_faults LEDGER THREADS` is the writer that is killed: it says what was acknowledged.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from seedtrain.base import Progress, UnavailableError, silent
from seedtrain.record._event import Draft, Event
from seedtrain.record._ledger import open_ledger
from seedtrain.record._store import SqliteStore
from seedtrain.record._stores import key_path
from seedtrain.record._verify import verify

THREADS: Final = 128  # in each of two processes
ROUNDS: Final = 20  # `make slow` has five hundred, through the command line
Acknowledged = dict[int, str]


def bench_faults(folder: Path, *, quick: bool = False, progress: Progress = silent) -> list[dict[str, Any]]:
    """Rows as `bench_record` gives them; what is lost must be nothing, and what is left must verify."""
    rounds = 1 if quick else ROUNDS
    cases: tuple[tuple[str, Callable[[Path], Acknowledged]], ...] = (
        (f"kill -9, {rounds} times, of two processes of {THREADS} threads", lambda path: _killed(path, rounds)),
        ("a power loss that tears the last write, at 8 places", _torn),
        ("a disk that is full, and then has room", _full),
        ("a clock set back an hour", _set_back),
    )
    rows = []
    for step, (name, cause) in enumerate(cases):
        progress(step / len(cases), name)
        place = folder / f"fault-{step}"
        place.mkdir()
        rows.append(_row(f"{name}: acknowledged events lost", _lost(place / "record.db", cause)))
        shutil.rmtree(place)
    return rows


def _lost(path: Path, cause: Callable[[Path], Acknowledged]) -> int:
    """How many acknowledged events are not in the ledger; all of them where it does not verify."""
    acknowledged = cause(path)
    assert acknowledged
    with open_ledger(path, create=False) as ledger:
        stored = {event.seq: event.digest for event in ledger.events()}
    lost = sum(stored.get(seq) != digest for seq, digest in acknowledged.items())
    return lost if verify(path).verdict == "pass" else len(acknowledged)


def _draft(number: int) -> Draft:
    return Draft("step.value_recorded", "B-1", {"tag": "pH", "value": "7.01", "number": number}, "system")


def _marks(events: tuple[Event, ...]) -> Acknowledged:
    return {event.seq: event.digest for event in events}


def _killed(path: Path, rounds: int) -> Acknowledged:
    generator = random.Random(2026)  # noqa: S311  # when to kill
    acknowledged: Acknowledged = {}
    for _ in range(rounds):
        outs = [path.with_name(f"told-{at}") for at in range(2)]
        processes = []
        for out in outs:
            command = [sys.executable, "-m", "seedtrain.record._bench_faults", str(path), str(THREADS)]
            with out.open("wb") as stream:
                processes.append(subprocess.Popen(command, stdout=stream, stderr=subprocess.DEVNULL))  # noqa: S603
        deadline = time.monotonic() + 60
        while not all(out.stat().st_size for out in outs) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(generator.random() * 0.2)
        for process in processes:
            process.kill()
            process.wait()
        for mark in " ".join(out.read_text().rpartition("\n")[0] for out in outs).split():
            seq, _, digest = mark.partition(":")
            acknowledged[int(seq)] = digest
    return acknowledged


def _torn(path: Path) -> Acknowledged:
    log = path.with_name(path.name + "-wal")
    with open_ledger(path) as ledger:
        acknowledged = _marks(ledger.append(*(_draft(number) for number in range(200))))
        whole = log.stat().st_size
        files = {item: item.read_bytes() for item in path.parent.iterdir() if item.is_file()}
        ledger.append(*(_draft(number) for number in range(200)))
        longer = log.read_bytes()
    keys = key_path(path)
    for part in range(8):
        place = path.parent / f"torn-{part}"
        place.mkdir()
        shutil.copytree(keys, key_path(place / path.name))
        for item, content in files.items():
            if not item.name.endswith("-shm"):
                (place / item.name).write_bytes(content)
        cut = whole + (len(longer) - whole) * part // 8 + 1
        (place / log.name).write_bytes(longer[:cut])
        with open_ledger(place / path.name, create=False) as ledger:
            stored = {event.seq: event.digest for event in ledger.events()}
        if not acknowledged.items() <= stored.items() or verify(place / path.name).verdict != "pass":
            return {0: "lost"}  # no event has this seq
    return acknowledged


def _full(path: Path) -> Acknowledged:
    with open_ledger(path) as ledger:
        store = ledger._store
        assert isinstance(store, SqliteStore)
        connection = store._connection
        connection.pragma("max_page_count", connection.pragma("page_count") + 60)
        acknowledged: Acknowledged = {}
        refused = 0
        while not refused:
            try:
                acknowledged |= _marks(ledger.append(*(_draft(number) for number in range(50))))
            except UnavailableError:
                refused += 1
        before = ledger.head.seq
        assert before == max(acknowledged), "what was refused is stored"
        connection.pragma("max_page_count", 2**30)
        return acknowledged | _marks(ledger.append(_draft(0)))


def _set_back(path: Path) -> Acknowledged:
    times = iter(_times())
    with open_ledger(path, clock=lambda: next(times)) as ledger:
        made = [ledger.append(_draft(number)) for number in range(200)]
        stamps = [event.recorded_at for event in ledger.events()]
    assert stamps == sorted(stamps)
    return {seq: digest for events in made for seq, digest in _marks(events).items()}


def _times() -> Iterator[datetime]:
    now = datetime.now(UTC)
    for number in range(10**9):
        yield now + timedelta(milliseconds=number) - timedelta(hours=1 if number > 100 else 0)


def _row(case: str, lost: int) -> dict[str, Any]:
    return {
        "bench": "record",
        "case": case,
        "ours": lost,
        "ours_range": [lost, lost, lost],
        "peer": None,
        "peer_name": None,
        "peer_version": None,
        "unit": "events",
        "ratio": None,
        "goal": 0,
        "goal_kind": "limit",
        "met": lost == 0,
    }


def _write(path: str, threads: int) -> None:
    lock = threading.Lock()

    def client(first: int) -> None:
        for number in range(first, first + 10**6):
            with suppress(UnavailableError):  # the other process holds the pen for long
                events = ledger.append(_draft(number))
                with lock:
                    print(*(f"{event.seq}:{event.digest}" for event in events), flush=True)

    with open_ledger(path) as ledger:
        clients = [threading.Thread(target=client, args=(at * 10**6,)) for at in range(threads)]
        for one in clients:
            one.start()
        for one in clients:
            one.join()


if __name__ == "__main__":
    _write(sys.argv[1], int(sys.argv[2]))
