"""What an append and a verification cost, beside raw inserts of the same bytes that last as surely, in one run."""

from __future__ import annotations

import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from seedtrain.base import Progress, part, silent
from seedtrain.record._bench_faults import bench_faults
from seedtrain.record._event import Draft
from seedtrain.record._group import GroupCommit, Request
from seedtrain.record._ledger import Ledger, open_ledger
from seedtrain.record._store import SCHEMA
from seedtrain.record._verify import verify

CLIENTS: Final = 256
ROUNDS: Final = 5  # ours and the peer's in turn, so that both meet the same disk; the median counts
GOAL_RATIO: Final = 0.8
GOAL_VERIFIED: Final = 150_000.0
Row = dict[str, Any]
_SAME: Final[Row] = {"peer_name": "raw apsw inserts, our indexes", "goal": None, "goal_kind": None, "met": None}
_SEQ: Final = re.compile(r'"seq":([0-9]+),"subject"')
_LEAF: Final = b"\x00" * 32


def bench_record(*, quick: bool = False, folder: Path | None = None, progress: Progress = silent) -> list[Row]:
    """Rows `{bench, case, ours, peer, peer_name, peer_version, unit, ratio, goal, goal_kind, met}`.

    - `folder`: where the ledgers are made and removed again, on the disk to measure. A temporary folder if not given.
    - `quick`: little work, to see that it runs; no measurement.

    The peers write the very bytes of our events to SQLite through apsw, with write-ahead log and `synchronous=FULL`, in
    commits of the same size, by the same number of threads; they hash and sign nothing. One has a table of bodies and
    nothing else, the other our table with its guards and indexes: the same rows, found again in the same ways.
    """
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=folder, prefix="seedtrain-bench-") as name:
        place = Path(name)
        cases = ((1, 100), (100, 40), (10_000, 1))
        for step, (size, commits) in enumerate(cases):
            commits = max(1, commits // 20) if quick else commits
            size = min(size, 500) if quick else size
            progress(step / 6, f"appends, {size} a commit")
            rows += _single(place, size, commits, 1 if quick else ROUNDS)
        rows += _single(place, 100, 2 if quick else 20, 1 if quick else ROUNDS, callers=2)
        progress(3 / 6, f"appends by {CLIENTS} threads")
        rows += _many(place, 2 if quick else 20, 1 if quick else ROUNDS)
        progress(4 / 6, "verification")
        rows.append(_verification(place, 2_000 if quick else 1_000_000))
        rows += bench_faults(place, quick=quick, progress=part(progress, 5 / 6, 1.0))
    return rows


class RawTable:
    """The peer: bodies in one table, durable when `insert` returns. `indexed`: the table is ours."""

    def __init__(self, path: Path, *, indexed: bool) -> None:
        import apsw

        self.connection = apsw.Connection(str(path))
        self.connection.pragma("journal_mode", "wal")
        self.connection.pragma("synchronous", 2)
        self.indexed = indexed
        self.lock = threading.Lock()
        self.connection.execute(
            SCHEMA if indexed else "CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)"
        )
        self.group: GroupCommit[str, bool] = GroupCommit(self._write)
        self._fed: Iterator[str] = iter(())

    def insert(self, bodies: Sequence[str]) -> None:
        """One commit."""
        with self.connection:
            if self.indexed:
                rows = ((int(_SEQ.findall(body)[-1]), body, _LEAF) for body in bodies)
                self.connection.executemany("INSERT INTO event (seq, body, leaf) VALUES (?, ?, ?)", rows)
            else:
                self.connection.executemany("INSERT INTO event (body) VALUES (?)", ((body,) for body in bodies))

    def insert_next(self, parts: Iterator[Sequence[str]], _turn: int) -> None:
        """One commit of the next part, by one caller after the other."""
        with self.lock:
            self.insert(next(parts))

    def feed(self, bodies: Iterator[str]) -> None:
        """What wishes write that ask for nothing: these, in their order, as the table of ours wants them."""
        self._fed = bodies

    def _write(self, group: list[Request[str, bool]], _linked: Callable[[], None]) -> None:
        self.insert([request.asked or next(self._fed) for request in group])
        for request in group:
            request.answer = True

    def close(self) -> None:
        """Let the file go."""
        self.connection.close()


def _draft(number: int) -> Draft:
    payload = {"phase": "production/growth/batch", "tag": "pH", "value": "7.01", "number": number, "origin": "bench"}
    return Draft("step.value_recorded", "B-1", payload, "system")


def _single(place: Path, size: int, commits: int, rounds: int, callers: int = 1) -> list[Row]:
    """Callers who each hand over `size` events at a time, which are one commit; and the processor time of an event."""
    ours, peers = _Taken(size * commits * callers), {False: _Taken(size * commits * callers)}
    peers[True] = _Taken(ours.events)
    name = f"{callers}-{size}.db"
    with (
        open_ledger(place / f"ours-{name}") as ledger,
        closing(RawTable(place / f"raw-{name}", indexed=False)) as raw,
        closing(RawTable(place / f"same-{name}", indexed=True)) as same,
    ):
        same.insert([event.body.decode("utf-8") for event in ledger.events()])
        for turn in range(rounds):
            drafts = [[[_draft(turn + item) for item in range(size)] for _ in range(commits)] for _ in range(callers)]
            before = ledger.head.seq
            ours.measure([partial(_each, parts, lambda part: ledger.append(*part)) for parts in drafts])
            stored = [event.body.decode("utf-8") for event in ledger.events(after=before)]
            bodies = [stored[at : at + size] for at in range(0, len(stored), size)]
            for table in (raw, same):
                shared = iter(bodies)
                call = partial(table.insert_next, shared)
                peers[table.indexed].measure([partial(_each, range(commits), call) for _ in range(callers)])
    case = f"durable appends, {'one caller' if callers == 1 else f'{callers} callers'}, {size} a commit"
    spent = _row(f"processor time for one event, {case.split(', ', 1)[1]}", ours.cpu_us, peers[False].cpu_us)
    return [
        _row(case, ours.rates, peers[False].rates),
        {**_row(case, ours.rates, peers[True].rates), **_SAME},
        {**spent, "unit": "us", "goal": None, "goal_kind": None, "met": None},
    ]


class _Taken:
    """Events a second and microseconds of processor time for one, round by round."""

    def __init__(self, events: int) -> None:
        self.events = events
        self.rates: list[float] = []
        self.cpu_us: list[float] = []

    def measure(self, works: Sequence[Callable[[], None]]) -> None:
        """Do the works, each in a thread of its own, or the only one in this."""
        threads = [threading.Thread(target=work) for work in works]
        start, spent = time.perf_counter(), time.process_time()
        if len(works) == 1:
            works[0]()
        else:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.rates.append(self.events / (time.perf_counter() - start))
        self.cpu_us.append((time.process_time() - spent) / self.events * 1e6)


def _each(parts: Iterable[Any], call: Callable[[Any], object]) -> None:
    for item in parts:
        call(item)


def _many(place: Path, each: int, rounds: int) -> list[Row]:
    """Many threads, one event a call; and how long a call takes for 99 of 100."""
    ours, peer, waits, peer_waits = [], [], [], []
    same_rows = []
    with (
        open_ledger(place / "many.db") as ledger,
        closing(RawTable(place / "raw-many.db", indexed=False)) as raw,
        closing(RawTable(place / "same-many.db", indexed=True)) as same,
    ):
        for _ in range(rounds):
            before = ledger.head.seq
            rate, took = _clients(lambda number: ledger.append(_draft(number)), each)
            ours.append(rate)
            waits.append(took)
            bodies = [event.body.decode("utf-8") for event in ledger.events(after=before)]
            raw.feed(iter(bodies))
            rate, took = _clients(lambda _: raw.group.ask(""), each)
            peer.append(rate)
            peer_waits.append(took)
            if before == 1:
                same.insert([event.body.decode("utf-8") for event in ledger.events(until=1)])
            same.feed(iter(bodies))
            rate, _ = _clients(lambda _: same.group.ask(""), each)
            same_rows.append(rate)
    case = f"durable appends, {CLIENTS} client threads, one event a call"
    latency = _row(f"99 of 100 durable appends under {CLIENTS} client threads take at most", waits, peer_waits)
    return [
        _row(case, ours, peer),
        {**_row(case, ours, same_rows), **_SAME},
        {**latency, "unit": "ms", "goal": None, "goal_kind": None, "met": None},
    ]


def _clients(append: Callable[[int], object], each: int) -> tuple[float, float]:
    """Events per second, and the 99th percentile of the milliseconds of a call."""
    waits: list[float] = []
    ready = threading.Barrier(CLIENTS + 1)

    def client(first: int) -> None:
        mine = []
        ready.wait()
        for number in range(first, first + each):
            start = time.perf_counter()
            append(number)
            mine.append(time.perf_counter() - start)
        waits.extend(mine)

    threads = [threading.Thread(target=client, args=(number * each,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    rate = CLIENTS * each / (time.perf_counter() - start)
    return rate, sorted(waits)[int(0.99 * len(waits))] * 1000.0


def _verification(place: Path, events: int) -> Row:
    path = place / "verified.db"
    with open_ledger(path) as ledger:
        _fill(ledger, events)
    start = time.perf_counter()
    verdict = verify(path)
    rate = events / (time.perf_counter() - start)
    assert verdict.verdict == "pass", verdict.evidence
    return {
        **_row(f"verification of {events} events, 100 a commit, with SQLite's own check of the file", [rate], None),
        "goal": GOAL_VERIFIED,
        "goal_kind": "limit",
        "met": rate >= GOAL_VERIFIED,
    }


def _fill(ledger: Ledger, events: int) -> None:
    for first in range(0, events, 100):
        ledger.append(*(_draft(first + item) for item in range(100)))


def _row(case: str, ours: Sequence[float], peer: Sequence[float] | None) -> Row:
    import apsw

    ratio = None if peer is None else median(one / other for one, other in zip(ours, peer, strict=True))
    return {
        "bench": "record",
        "case": case,
        "ours": median(ours),
        "ours_range": [min(ours), median(ours), max(ours)],
        "peer": None if peer is None else median(peer),
        "peer_name": None if peer is None else "raw apsw inserts",
        "peer_version": None if peer is None else apsw.apsw_version(),
        "unit": "events/s",
        "ratio": ratio,
        "goal": None if ratio is None else GOAL_RATIO,
        "goal_kind": None if ratio is None else "ratio",
        "met": None if ratio is None else ratio >= GOAL_RATIO,
    }
