"""Sealing: an hour of the spool becomes a segment whose digest the ledger holds.

Whatever the moment of a kill, nothing is lost and nothing is sealed twice: first the plan (which flushes, which digest)
is in the spool, then the file on the disk, then the event in the ledger under an id that the plan gives.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.base import IntegrityError, Position, decimal_text, digest, digest_bytes, write_atomic
from seedtrain.record._event import SYSTEM, Draft, timestamp
from seedtrain.record._ledger import Ledger
from seedtrain.record._telemetry._bands import batch_begin
from seedtrain.record._telemetry._rows import HOUR_US, Rows, Source, needed, time_of
from seedtrain.record._telemetry._segment import (
    FORMAT,
    STORED,
    arrow_table,
    is_whole,
    parquet_bytes,
    segment_folder,
    segment_path,
    telemetry_path,
)
from seedtrain.record._telemetry._spool import SpoolFile

NO_BATCH: Final = "telemetry"
KEEP_H: Final = 24.0


@dataclass(frozen=True)
class Sealed:
    """What sealing did: digests of segments made, and of those made again because their file was torn or gone.

    - `pruned`: how many flushes left the spool; `count`: readings in the new segments.
    """

    made: tuple[str, ...]
    again: tuple[str, ...]
    count: int
    pruned: int


@dataclass(frozen=True)
class _Plan:
    hour: int
    part: int
    after: int
    until: int
    digest: str
    payload: Mapping[str, Any]
    subject: str


def seal_segments(
    ledger: Ledger, *, subject: str | None = None, everything: bool = False, keep_h: float = KEEP_H
) -> Sealed:
    """Seal every hour of the ledger's spool that a later reading has closed, and check what was sealed.

    - `subject`: of the events: a batch; `telemetry` if not given.
    - `everything`: the running hour too, as at the end of a batch; what comes later makes another part of it.
    - `keep_h`: readings that were sealed stay in the spool until it has come so many hours further.

    A segment whose file is not what the ledger says is made again while the spool holds its readings; the other file
    is kept beside as `refused-...`. Raises `InputError` (no spool), `IntegrityError` (damage that cannot be undone).
    """
    spool = SpoolFile(telemetry_path(ledger.path))
    try:
        folder = segment_folder(ledger)
        planned = (_plan(spool, ledger, hour, subject or NO_BATCH) for hour in _closed_hours(spool, everything))
        made = [plan for plan in planned if plan is not None]
        again = []
        for plan in _plans(spool):
            if _settle(spool, ledger, folder, plan):
                again.append(plan.digest)
        fresh = {plan.digest for plan in made}
        pruned = _prune(spool, keep_h)
        count = sum(int(plan.payload["count"]) for plan in made)
        made_now = tuple(plan.digest for plan in made)
        return Sealed(made_now, tuple(item for item in again if item not in fresh), count, pruned)
    finally:
        spool.close()


def _closed_hours(spool: SpoolFile, everything: bool) -> list[int]:
    """Hours with readings that no segment has."""
    with spool.reading() as connection:
        running = connection.execute("SELECT max(hour) FROM flush").get
        query = (
            "SELECT DISTINCT hour FROM flush WHERE id > "
            "(SELECT coalesce(max(until), 0) FROM segment WHERE segment.hour = flush.hour) ORDER BY hour"
        )
        hours = [row[0] for row in connection.execute(query)]
    return [hour for hour in hours if everything or hour < running]


def _plan(spool: SpoolFile, ledger: Ledger, hour: int, subject: str) -> _Plan | None:
    """Decide which flushes the next segment of an hour has, and keep that with its digest in the spool.

    None where another process decided it meanwhile.
    """
    begin = batch_begin(ledger, subject)
    with spool.reading() as connection:  # the recorder goes on writing meanwhile
        query = "SELECT coalesce(max(part), -1) + 1, coalesce(max(until), 0) FROM segment WHERE hour = ?"
        part, after = connection.execute(query, (hour,)).fetchone()
        rows, until = spool.rows(hour, after)
        sources = spool.sources()
    name = digest_bytes(parquet_bytes(arrow_table(rows, sources)))
    zero = hour * HOUR_US if begin is None else begin
    payload = _payload(rows, sources, zero) | {"digest": name, "part": part, "spool": spool.id}
    payload |= {"hour": timestamp(time_of(hour * HOUR_US)), "until_flush": until}
    line = (hour, part, after, until, name, json.dumps(payload), subject)
    with spool.writing() as connection:
        before = connection.total_changes()
        connection.execute(
            "INSERT INTO segment (hour, part, after, until, digest, payload, subject) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            line,
        )
        if connection.total_changes() == before:
            return None
    return _Plan(hour, part, after, until, name, payload, subject)


def _payload(rows: Rows, sources: Mapping[int, Source], zero: int) -> dict[str, Any]:
    """What the ledger says of a segment; `start_h` and `end_h` count from `zero_at`."""
    first, last = int(rows.time.min()), int(rows.time.max())
    here = [sources[number] for number in np.unique(rows.series).tolist()]
    origins = {source.origin for source in here}
    return {
        "format": FORMAT,
        "writer": f"pyarrow {needed('pyarrow').__version__}",
        "tags": sorted({source.tag for source in here}),
        "first": timestamp(time_of(first)),
        "last": timestamp(time_of(last)),
        "zero_at": timestamp(time_of(zero)),
        "start_h": decimal_text((first - zero) / HOUR_US, 9),
        "end_h": decimal_text((last - zero) / HOUR_US, 9),
        "count": len(rows),
        # Who reads it must not take anything simulated for measured.
        "origin": "simulated" if "simulated" in origins else "measured",
        "origins": sorted(origins),
    }


def _plans(spool: SpoolFile) -> list[_Plan]:
    """The segments whose readings the spool still holds."""
    query = (
        "SELECT hour, part, after, until, digest, payload, subject FROM segment WHERE pruned = 0 ORDER BY hour, part"
    )
    with spool.reading() as connection:
        rows = connection.execute(query).fetchall()
    return [
        _Plan(hour, part, after, until, name, json.loads(payload), subject)
        for hour, part, after, until, name, payload, subject in rows
    ]


def _settle(spool: SpoolFile, ledger: Ledger, folder: Path, plan: _Plan) -> bool:
    """Have the segment's file on the disk and its event in the ledger; returns whether the file had to be made."""
    made = not is_whole(folder, plan.digest)
    if made:
        with spool.reading():
            rows, _ = spool.rows(plan.hour, plan.after, plan.until)
            raw = parquet_bytes(arrow_table(rows, spool.sources()))
        path = segment_path(folder, plan.digest)
        if digest_bytes(raw) != plan.digest:
            raise IntegrityError(
                f"the spool gives another segment than {plan.digest[:16]}..., which {plan.payload['writer']} wrote",
                position=Position(str(path)),
                remedy=f"Seal with {plan.payload['writer']} (this is pyarrow {needed('pyarrow').__version__}), "
                "or restore the file from a backup.",
            )
        if path.exists():
            os.replace(path, path.with_name(f"refused-{path.name}"))
        write_atomic(path, raw)
        _keep_name(folder)
        assert is_whole(folder, plan.digest), f"{path} does not hold what was written"
    identity = digest(["telemetry segment", spool.id, plan.hour, plan.part])
    if ledger.find(identity) is None:
        # It has happened when its last reading came: on the clock of the process, whenever it was sealed.
        ledger.append(Draft(STORED, plan.subject, plan.payload, SYSTEM, plan.payload["last"], id=identity))
    return made


def _keep_name(folder: Path) -> None:
    """Bring the folder's list of names to the disk, before the ledger says that the file is there."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _prune(spool: SpoolFile, keep_h: float) -> int:
    """Let go of readings that are in a segment which was checked just now, and are older than `keep_h`."""
    with spool.writing() as connection:
        newest = connection.execute("SELECT max(hour) FROM flush").get
        if newest is None:
            return 0
        limit = newest - keep_h
        connection.execute("UPDATE segment SET pruned = 1 WHERE pruned = 0 AND hour < ?", (limit,))
        before = connection.total_changes()
        connection.execute(
            "DELETE FROM flush WHERE EXISTS (SELECT 1 FROM segment WHERE segment.hour = flush.hour AND pruned = 1 "
            "AND flush.id > after AND flush.id <= until) AND hour < ?",
            (limit,),
        )
        return int(connection.total_changes() - before)
