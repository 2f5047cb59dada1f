"""What telemetry costs: taking readings, asking for an hour of a tag out of two weeks, thinning a million points."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.base import Progress, silent
from seedtrain.record._ledger import open_ledger
from seedtrain.record._telemetry._decimate import Method, decimate
from seedtrain.record._telemetry._query import Telemetry
from seedtrain.record._telemetry._rows import Source
from seedtrain.record._telemetry._seal import seal_segments
from seedtrain.record._telemetry._segment import telemetry_path
from seedtrain.record._telemetry._spool import Spool

TAGS: Final = 100
RATE_HZ: Final = 10
DAYS: Final = 14
EVERY_S: Final = 10
POINTS: Final = 1_000_000
KEPT: Final = 2_000
REPEATS: Final = 9
METHODS: Final[tuple[tuple[Method, str], ...]] = (("minmax", "min/max"), ("lttb", "LTTB"))
START: Final = datetime(2026, 3, 1, tzinfo=UTC)
Row = dict[str, Any]


def bench_telemetry(*, quick: bool = False, folder: Path | None = None, progress: Progress = silent) -> list[Row]:
    """Rows of a bench: CPU share of 100 tags at 10 Hz, one tag-hour out of 14 days, decimation of a million points.

    - `folder`: where the spool is made and removed again, on the disk to measure. - `quick`: no measurement.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix="seedtrain-bench-") as name:
        progress(0.0, "readings taken")
        rows = [_taking(Path(name) / "taken.db", 2.0 if quick else 20.0)]
        progress(0.2, "two weeks of readings")
        rows += _asking(Path(name) / "asked.db", 1 if quick else DAYS, progress)
    progress(0.9, "decimation")
    return [*rows, *_thinning(20_000 if quick else POINTS)]


def _taking(path: Path, seconds: float) -> Row:
    """One `put` a reading, in real time: the CPU time of this process over wall time."""
    with Spool(path) as spool:
        values = np.sin(np.arange(TAGS))
        began, cpu = time.perf_counter(), time.process_time()
        for turn in range(round(seconds * RATE_HZ)):
            now = datetime.now(UTC)
            for number, value in enumerate(values.tolist()):
                spool.put(f"tag-{number}", value + turn, "1", now)
            time.sleep(max(began + (turn + 1) / RATE_HZ - time.perf_counter(), 0.0))
        spool.flush()
        share = (time.process_time() - cpu) / (time.perf_counter() - began)
    return _row("100 tags at 10 Hz taken: share of a core", share, "", 0.1)


def _asking(path: Path, days: int, progress: Progress) -> list[Row]:
    """Days of 100 tags every ten seconds, sealed hour by hour; then an hour of one tag in their middle."""
    with open_ledger(path) as ledger:
        hours, per = 24 * days, 3600 // EVERY_S
        rng = np.random.default_rng(0)
        sources = [Source(f"tag-{number}", "1", "bench", "simulated") for number in range(TAGS)]
        zero = int(START.timestamp() * 1e6)
        with Spool(telemetry_path(path)) as spool:
            for hour in range(hours):
                times = zero + hour * 3_600_000_000 + np.arange(per) * EVERY_S * 1_000_000
                for source in sources:
                    spool.put_many(source, times, np.cumsum(rng.standard_normal(per)))
                spool.flush()
                if hour % 24 == 23:
                    seal_segments(ledger, everything=True, keep_h=1)
                    progress(0.2 + 0.7 * hour / hours, "two weeks of readings")
        first = START + timedelta(hours=hours // 2)
        with Telemetry(ledger) as telemetry:
            telemetry.trends(["tag-1"], first, first + timedelta(hours=1))  # DuckDB is loaded
            asked = _best(lambda: telemetry.trends(["tag-42"], first, first + timedelta(hours=1)))
    case = f"an hour of one tag out of {days} days of 100 tags, every {EVERY_S} s"
    return [_row(case, 1000.0 * asked, "ms", 50.0)]


def _thinning(points: int) -> list[Row]:
    rng = np.random.default_rng(0)
    times, values = np.arange(points, dtype=np.int64) * 100_000, np.cumsum(rng.standard_normal(points))
    found = []
    for method, name in METHODS:
        decimate(times[:5000], values[:5000], 100, method)
        spent = _best(partial(decimate, times, values, KEPT, method))
        found.append(_row(f"{points:,} points to {KEPT:,} by {name}", 1000.0 * spent, "ms", 20.0))
    return found


def _best(do: Callable[[], object]) -> float:
    """CPU s of the best of some repeats."""
    spent = []
    for _ in range(REPEATS):
        began = time.process_time()
        do()
        spent.append(time.process_time() - began)
    return min(spent)


def _row(case: str, ours: float, unit: str, goal: float) -> Row:
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
        "met": ours <= goal,
    }
