"""Two thousand tags once a second from a server to the disk, and twenty plants on one core, measured."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.automation._alarms import Alarm
from seedtrain.automation._recorder import Recorder
from seedtrain.base import InputError, Progress, UnavailableError, part, silent
from seedtrain.quantity import Quantity
from seedtrain.record import Draft, Telemetry, bench_telemetry, open_ledger

TAGS: Final = 2000
PUBLISH_MS: Final = 250.0
QUEUE: Final = 60  # values that the server keeps for a client that is slow
PLANTS: Final = 20
STARTS_S: Final = 120.0
LOOK_S: Final = 0.01
PATIENCE_S: Final = 60.0  # for an answer, on a machine that does other work too
Row = dict[str, Any]


def bench_plant(
    *, minutes: float = 1.0, quick: bool = False, folder: Path | None = None, progress: Progress = silent
) -> list[Row]:
    """Rows of a bench: readings lost and latency of 2,000 tags at 1 Hz for `minutes`, twenty plants, telemetry.

    - `folder`: where the record is made and removed again, on the disk to measure. - `quick`: no measurement.
    """
    if not 0 < minutes <= 600:
        raise InputError(f"{minutes:g} minutes cannot be measured", remedy="Give up to 600 minutes.")
    tags, seconds = (50, 3) if quick else (TAGS, round(60 * minutes))
    with tempfile.TemporaryDirectory(dir=folder, prefix="seedtrain-bench-") as name:
        rows = _many_tags(Path(name) / "record.db", tags, seconds, part(progress, 0.0, 0.5))
    progress(0.5, f"{PLANTS} plants")
    rows.append(_many_plants(2 if quick else PLANTS, 3 if quick else 60))
    return [*rows, *bench_telemetry(quick=quick, folder=folder, progress=part(progress, 0.6, 1.0))]


@dataclass
class _Ends:
    """When readings came to the client and to the disk, in the order of coming; s since 1970."""

    source: list[float] = field(default_factory=list)
    came: list[float] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)


def _many_tags(path: Path, tags: int, seconds: int, progress: Progress) -> list[Row]:
    """A server's tags, subscribed to, through the recorder (with an alarm a tag) to the disk."""
    with open_ledger(path) as ledger, _server("counters", tags, seconds) as server:
        ledger.append(Draft("batch.created", "BENCH", {"origin": "simulated"}, "system", datetime.now(UTC)))
        names = [f"tag-{number}" for number in range(tags)]
        alarms = [Alarm("bench", name, f"{name}.high", "high", Quantity(1e9, "")) for name in names]
        ends = _Ends()
        cpu = time.process_time()
        with Recorder(ledger, "BENCH", origin="simulated", alarms=alarms) as recorder:
            told = asyncio.run(_subscribe(server, names, seconds, recorder, ends, progress))
            recorder.flush()
            assert len(ends.kept) == len(ends.came), "the disk has what came"
        share = (time.process_time() - cpu) / (seconds + 2)
        with Telemetry(ledger) as telemetry, telemetry.view() as connection:
            kept = dict(
                connection.execute(
                    "SELECT tag, count(DISTINCT value) FROM reading WHERE value >= 0 GROUP BY tag"
                ).fetchall()
            )
    lost = tags * seconds - sum(min(kept.get(name, 0), seconds) for name in names)
    words = f"{tags:,} tags at 1 Hz for {seconds} s over OPC UA to the disk"
    came = np.array(ends.came) - np.array(ends.source)
    disk = np.array(ends.kept) - np.array(ends.source)[: len(ends.kept)]
    note = f"client {share:.2f}, server {told['share']:.2f} of a core; server late by {told['late_s']:.2f} s at most"
    return [
        _row(f"{words}: readings lost", float(lost), "", 0.0, note),
        _row(f"{words}: p99 from source to client", float(np.quantile(came, 0.99)), "s"),
        _row(f"{words}: p99 from source to disk", float(np.quantile(disk, 0.99)), "s"),
    ]


class _Taker:
    """Takes what the server tells, in the order of its telling.

    - `names`: the tag of each node. `awaited`: the tags whose `last` value has not come yet.
    """

    def __init__(self, recorder: Recorder, ends: _Ends, names: dict[Any, str], last: float) -> None:
        self.recorder, self.ends, self.names = recorder, ends, names
        self.last, self.awaited = last, set(names.values())

    def datachange_notification(self, node: Any, value: float, data: Any) -> None:
        """A value, as asyncua tells it."""
        if value < 0:
            return  # as it was before the load began
        if value >= self.last:
            self.awaited.discard(self.names[node.nodeid])
        at = data.monitored_item.Value.SourceTimestamp.replace(tzinfo=UTC)
        self.ends.source.append(at.timestamp())
        self.ends.came.append(time.time())
        self.recorder.put("bench", self.names[node.nodeid], at, value, "", origin="simulated")

    def status_change_notification(self, status: Any) -> None:
        """The subscription changed; what is lost by it shows in the count."""


async def _subscribe(
    server: subprocess.Popen[str],
    names: Sequence[str],
    seconds: int,
    recorder: Recorder,
    ends: _Ends,
    progress: Progress,
) -> dict[str, Any]:
    from asyncua import Client, ua

    assert server.stdin is not None
    assert server.stdout is not None
    logging.getLogger("asyncua").setLevel(logging.ERROR)
    url = server.stdout.readline().strip()
    watching = threading.Event()
    watcher = threading.Thread(target=_follow, args=(recorder, ends, watching), daemon=True)
    async with Client(url, timeout=PATIENCE_S, watchdog_intervall=PATIENCE_S) as client:
        index = await client.get_namespace_index("urn:seedtrain:bench")
        nodes = [client.get_node(ua.NodeId(name, index)) for name in names]
        taker = _Taker(
            recorder, ends, {node.nodeid: name for node, name in zip(nodes, names, strict=True)}, seconds - 1.0
        )
        subscription = await client.create_subscription(PUBLISH_MS, taker)
        await subscription.subscribe_data_change(nodes, queuesize=QUEUE)
        watcher.start()
        server.stdin.write("go\n")
        server.stdin.flush()
        for second in range(seconds + 2):
            progress(second / (seconds + 2), "tags over OPC UA")
            await asyncio.sleep(1.0)
        line = await asyncio.get_running_loop().run_in_executor(None, server.stdout.readline)
        await _heard_out(taker)
        await subscription.delete()
    recorder.flush()
    watching.set()
    watcher.join()
    found: dict[str, Any] = json.loads(line)
    return found


async def _heard_out(taker: _Taker) -> None:
    """Wait for the last value of every tag: on a loaded machine it comes late, and late is not lost.

    Nothing before a tag's last value comes after it, so that what is missing then is lost; and so is a last value that
    has not come in `PATIENCE_S`.
    """
    until = time.monotonic() + PATIENCE_S
    while taker.awaited and time.monotonic() < until:
        await asyncio.sleep(0.1)


def _follow(recorder: Recorder, ends: _Ends, over: threading.Event) -> None:
    """Note when readings are acknowledged: on the disk."""
    while True:
        ended = over.is_set()
        now, count = time.time(), recorder.acknowledged
        ends.kept += [now] * (count - len(ends.kept))
        if ended:
            return
        time.sleep(LOOK_S)


@contextmanager
def _server(kind: str, count: int, seconds: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "seedtrain.automation._bench._server", kind, str(count), str(seconds)]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _many_plants(count: int, seconds: int) -> Row:
    """Tanks of 20 tags each, integrated and served in real time by one process: its share of a core."""
    with _server("tanks", count, seconds) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        if not server.stdout.readline().startswith("opc.tcp://"):
            raise UnavailableError("the server of the bench did not start", remedy="pip install 'seedtrain[plant]'")
        server.stdin.write("go\n")
        server.stdin.flush()
        told = json.loads(server.stdout.readline())
    words = f"{count} plants of 20 tags in real time for {seconds} s: share of a core"
    return _row(words, told["share"], "", 1.0, f"late by {told['late_s']:.2f} s at most")


def _row(case: str, ours: float, unit: str, goal: float | None = None, note: str = "") -> Row:
    return {
        "bench": "plant",
        "case": case,
        "ours": ours,
        "peer": None,
        "peer_name": None,
        "peer_version": None,
        "unit": unit,
        "ratio": None,
        "goal": goal,
        "goal_kind": "limit",
        "origin": "simulated",
        "met": None if goal is None else ours <= goal,
        "note": note,
    }
