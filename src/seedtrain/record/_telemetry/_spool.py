"""The spool: where readings are safe within a second, in the order in which they came.

One row of the table is one flush: its readings of one hour as columns with a checksum. That is two commits' worth of
pages a second at 1,000 readings/s, and no index to keep; order by tag comes when the hour is sealed.
"""

from __future__ import annotations

import math
import threading
import time as clock
import uuid
import zlib
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike

from seedtrain.base import InputError, IntegrityError, Position, SeedtrainError, UnavailableError
from seedtrain.record._store import require_sound_sqlite
from seedtrain.record._telemetry._rows import (
    HOUR_US,
    ORIGINS,
    QUALITIES,
    Quality,
    Rows,
    Source,
    from_bytes,
    joined,
    microseconds,
)

FLUSH_S: Final = 1.0
MOST_WAITING: Final = 1_000_000  # readings held in memory while the disk cannot take them
BUSY_MS: Final = 10_000
APPLICATION_ID: Final = 0x53445450  # "SDTP"
LAYOUT: Final = 1
_QUALITY: Final = {name: number for number, name in enumerate(QUALITIES)}
_SCHEMA: Final = """
CREATE TABLE spool (id TEXT NOT NULL) STRICT;
CREATE TABLE source (
  id INTEGER PRIMARY KEY, tag TEXT NOT NULL, unit TEXT NOT NULL, device TEXT NOT NULL, origin TEXT NOT NULL,
  UNIQUE (tag, unit, device, origin)
) STRICT;
CREATE TABLE flush (
  id INTEGER PRIMARY KEY AUTOINCREMENT, hour INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  count INTEGER NOT NULL, checksum INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX flush_hour ON flush (hour, id);
CREATE TABLE segment (
  hour INTEGER NOT NULL, part INTEGER NOT NULL, after INTEGER NOT NULL, until INTEGER NOT NULL,
  digest TEXT NOT NULL, payload TEXT NOT NULL, subject TEXT NOT NULL, pruned INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (hour, part)
) STRICT;
CREATE TRIGGER flush_update BEFORE UPDATE ON flush BEGIN SELECT RAISE(ABORT, 'the spool only grows'); END;
CREATE TRIGGER flush_delete BEFORE DELETE ON flush
WHEN NOT EXISTS (SELECT 1 FROM segment WHERE hour = OLD.hour AND pruned = 1 AND OLD.id > after AND OLD.id <= until)
BEGIN SELECT RAISE(ABORT, 'only sealed readings leave the spool'); END;
"""


@dataclass
class _Waiting:
    """Readings that are not on the disk yet; `series` counts the sources that this process has met."""

    series: array[int] = field(default_factory=lambda: array("I"))
    time: array[int] = field(default_factory=lambda: array("q"))
    value: array[float] = field(default_factory=lambda: array("d"))
    quality: array[int] = field(default_factory=lambda: array("b"))

    def extend(self, other: _Waiting) -> None:
        for name in ("series", "time", "value", "quality"):
            getattr(self, name).extend(getattr(other, name))

    def rows(self) -> Rows:
        return Rows(
            np.array(self.series, np.uint32),
            np.array(self.time, np.int64),
            np.array(self.value, np.float64),
            np.array(self.quality, np.int8),
        )


class SpoolFile:
    """The tables of a spool; every read or write of them is here or in `_seal`."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        import apsw

        require_sound_sqlite(apsw.SQLITE_VERSION_NUMBER)
        self.path = path
        if not create and not path.exists():
            raise InputError("there is no such telemetry spool", position=Position(str(path)), remedy="Check the path.")
        flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
        with typed(path, "opened"):
            if create:
                path.parent.mkdir(parents=True, exist_ok=True)
            self.connection = apsw.Connection(str(path), flags=flags)
            try:
                self._open(create)
            except BaseException:
                self.connection.close()
                raise

    def _open(self, create: bool) -> None:
        connection = self.connection
        connection.set_busy_timeout(BUSY_MS)
        if create and not connection.execute("SELECT count(*) FROM sqlite_schema").get:
            connection.pragma("journal_mode", "wal")
            connection.pragma("synchronous", 2)
            with self.writing():
                if not connection.execute("SELECT count(*) FROM sqlite_schema").get:  # nobody was faster
                    connection.execute(_SCHEMA)
                    connection.execute("INSERT INTO spool VALUES (?)", (uuid.uuid4().hex,))
                    connection.pragma("application_id", APPLICATION_ID)
                    connection.pragma("user_version", LAYOUT)
        if (connection.pragma("application_id"), connection.pragma("user_version")) != (APPLICATION_ID, LAYOUT):
            raise InputError(
                "this file is not a telemetry spool of this version",
                position=Position(str(self.path)),
                remedy="Give the record.db.telemetry of a ledger, or a path where no file is.",
            )
        connection.pragma("synchronous", 2)  # what is acknowledged outlives a loss of power
        self.id = str(connection.execute("SELECT id FROM spool").get)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """One transaction, all or nothing, on the disk when the block ends."""
        with typed(self.path, "written"):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """One unchanging state of the spool."""
        with typed(self.path, "read"):
            self.connection.execute("BEGIN")
            try:
                yield self.connection
            finally:
                self.connection.execute("ROLLBACK")

    def number(self, source: Source) -> int:
        """The number of a source, inside `writing`."""
        self.connection.execute(
            "INSERT INTO source (tag, unit, device, origin) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", source
        )
        query = "SELECT id FROM source WHERE (tag, unit, device, origin) = (?, ?, ?, ?)"
        return int(self.connection.execute(query, source).get)

    def sources(self) -> dict[int, Source]:
        """The sources by number."""
        rows = self.connection.execute("SELECT id, tag, unit, device, origin FROM source")
        return {row[0]: Source(*row[1:]) for row in rows}

    def rows(self, hour: int, after: int, until: int | None = None) -> tuple[Rows, int]:
        """The readings of an hour from the flushes in (`after`, `until`], as they came, and the last such flush."""
        query = "SELECT id, checksum, body FROM flush WHERE hour = ? AND id > ? AND id <= ? ORDER BY id"
        last, parts = after, []
        for number, checksum, body in self.connection.execute(query, (hour, after, 2**62 if until is None else until)):
            parts.append(from_bytes(body, checksum, f"{number} in {self.path}"))
            last = number
        return joined(parts), last

    def close(self) -> None:
        """Let the file go."""
        self.connection.close()


class Spool:
    """Takes readings and acknowledges them once they are on the disk: at most `flush_s` after they came.

    Safe to share between threads; several processes may write to one file. `put` only remembers; a thread writes all
    that came in one commit. While the disk refuses, readings wait in memory, `flush` and `wait` raise, and `put` raises
    when a million wait.
    """

    def __init__(self, path: Path, *, flush_s: float = FLUSH_S) -> None:
        if not 0 < flush_s <= FLUSH_S:
            raise InputError(f"a flush every {flush_s} s", remedy=f"Flush at least every {FLUSH_S} s.")
        self._file = SpoolFile(path, create=True)
        self._flush_s = flush_s
        self._sources: dict[Source, int] = {}
        self._numbers: list[int] = []  # in the file, of the sources of this process
        self._waiting, self._put, self._durable = _Waiting(), 0, 0
        self._changed = threading.Condition()
        self._write = threading.Lock()
        self._fault: SeedtrainError | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry spool", daemon=True)
        self._thread.start()

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    @property
    def acknowledged(self) -> int:
        """How many of the readings of this `Spool` are on the disk; the first so many, in the order of `put`."""
        return self._durable

    def put(
        self,
        tag: str,
        value: float,
        unit: str,
        time: datetime,
        *,
        quality: Quality = "good",
        origin: str = "measured",
        device: str = "",
    ) -> int:
        """Take one reading; returns its ticket for `wait`.

        - `value`: in `unit`; not a number only where `quality` is bad. `time`: the source's, zone aware.
        - `origin`: measured or simulated. `device`: the instrument's id.
        """
        source = Source(tag, unit, device, origin)
        if source not in self._sources:
            _require_source(source)
        if quality not in _QUALITY:
            raise InputError(f"{quality!r} is not a quality", remedy=f"Use one of: {', '.join(QUALITIES)}.")
        if not math.isfinite(value) and quality != "bad":
            raise InputError(f"{tag} at {time}: {value} is {quality}", remedy="Mark it as bad.")
        stamp = microseconds(time)
        with self._changed:
            self._require_room(1)
            waiting = self._waiting
            waiting.series.append(self._local(source))
            waiting.time.append(stamp)
            waiting.value.append(value)
            waiting.quality.append(_QUALITY[quality])
            return self._came(1)

    def put_many(self, source: Source, time: ArrayLike, value: ArrayLike, quality: ArrayLike | None = None) -> int:
        """Take readings of one source; returns the ticket of the last.

        - `time`: microseconds since 1970, shape "row"; `value`: same shape; `quality`: index into `QUALITIES`, or good.
        """
        times, values = np.asarray(time, np.int64), np.asarray(value, np.float64)
        marks = np.zeros(len(times), np.int8) if quality is None else np.asarray(quality, np.int8)
        if not times.shape == values.shape == marks.shape or times.ndim != 1:
            raise InputError(f"{source.tag}: {times.shape} times, {values.shape} values, {marks.shape} qualities")
        if np.any((marks < 0) | (marks >= len(QUALITIES))) or np.any(~np.isfinite(values) & (marks != 2)):
            raise InputError(f"{source.tag}: a value that is no number, or no quality", remedy="Mark it as bad (2).")
        _require_source(source)
        with self._changed:
            self._require_room(len(times))
            self._waiting.series.extend([self._local(source)] * len(times))
            self._waiting.time.frombytes(times.tobytes())
            self._waiting.value.frombytes(values.tobytes())
            self._waiting.quality.frombytes(marks.tobytes())
            return self._came(len(times))

    def _local(self, source: Source) -> int:
        return self._sources.setdefault(source, len(self._sources))

    def _came(self, count: int) -> int:
        first = len(self._waiting.time) == count
        self._put += count
        if first and count:
            self._changed.notify_all()
        return self._put

    def _require_room(self, count: int) -> None:
        if self._closing.is_set():
            raise InputError("this spool is closed", remedy="Open it again.")
        if len(self._waiting.time) and len(self._waiting.time) + count > MOST_WAITING:
            raise self._fault or UnavailableError(
                f"{MOST_WAITING} readings wait for the disk", position=Position(str(self.path)), remedy="Free the disk."
            )

    def wait(self, ticket: int, timeout_s: float = 30.0) -> None:
        """Return once the reading of this ticket is on the disk; raises `UnavailableError` where it cannot be."""
        until = clock.monotonic() + timeout_s
        with self._changed:
            while self._durable < ticket:
                left = until - clock.monotonic()
                if self._fault is not None:
                    raise self._fault
                if left <= 0:
                    raise UnavailableError(f"readings waited {timeout_s} s for the disk", remedy="Free the disk.")
                self._changed.wait(left)

    def flush(self) -> int:
        """Bring everything that came to the disk now; returns `acknowledged`."""
        with self._write:
            with self._changed:
                taken, self._waiting = self._waiting, _Waiting()
                sources = list(self._sources)[len(self._numbers) :]
            count = len(taken.time)
            try:
                if count:
                    self._numbers.extend(self._store(taken.rows(), sources))
            except BaseException as error:
                with self._changed:
                    taken.extend(self._waiting)
                    self._waiting = taken
                    self._fault = error if isinstance(error, SeedtrainError) else None
                    self._changed.notify_all()
                raise
            with self._changed:
                self._durable += count
                self._fault = None
                self._changed.notify_all()
                return self._durable

    def _store(self, rows: Rows, sources: Sequence[Source]) -> list[int]:
        hours = rows.time // HOUR_US
        with self._file.writing() as connection:
            fresh = [self._file.number(source) for source in sources]
            numbers = np.array([*self._numbers, *fresh], np.uint32)
            for hour in np.unique(hours).tolist():
                part = rows.take(hours == hour)
                body = Rows(numbers[part.series], part.time, part.value, part.quality).to_bytes()
                line = (hour, int(part.time.min()), int(part.time.max()), len(part), zlib.crc32(body), body)
                connection.execute(
                    "INSERT INTO flush (hour, first, last, count, checksum, body) VALUES (?, ?, ?, ?, ?, ?)", line
                )
        return fresh

    def _run(self) -> None:
        while not self._closing.is_set():
            with self._changed:
                while not len(self._waiting.time) and not self._closing.is_set():
                    self._changed.wait()
            self._closing.wait(self._flush_s)  # the others of this flush
            try:
                self.flush()
            except SeedtrainError:
                continue  # `wait` and `flush` tell the caller; the readings wait for the next turn

    def close(self) -> None:
        """Bring everything to the disk and let the file go."""
        if self._closing.is_set():
            return
        try:
            self.flush()
        finally:
            self._closing.set()
            with self._changed:
                self._changed.notify_all()
            self._thread.join()
            try:
                self.flush()  # what came meanwhile
            finally:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()


def _require_source(source: Source) -> None:
    for name, text in source._asdict().items():
        if len(text) > 200 or (text and not text.isprintable()) or (name == "tag" and not text.strip()):
            raise InputError(f"{text!r} is not a {name}", remedy="Give 1 to 200 printable characters.")
    if source.origin not in ORIGINS:
        raise InputError(f"{source.origin!r} is not an origin", remedy=f"Use one of: {', '.join(ORIGINS)}.")


@contextmanager
def typed(path: Path, done: str) -> Iterator[None]:
    """Turn the exceptions of the database and the disk into ours."""
    import apsw

    where = Position(str(path))
    try:
        yield
    except apsw.NotADBError as error:
        raise InputError(f"this is not a telemetry spool: {error}", position=where, remedy="Give a spool.") from error
    except (apsw.CorruptError, apsw.ConstraintError, apsw.SQLError) as error:
        words = f"the telemetry spool could not be {done}: {error}"
        raise IntegrityError(words, position=where, remedy="Stop writing and restore a backup.") from error
    except (apsw.Error, OSError) as error:
        words = f"the telemetry spool could not be {done}: {error}"
        remedy = "Free space, make the folder writable, or wait for the other writer: nothing was acknowledged."
        raise UnavailableError(words, position=where, remedy=remedy) from error
