"""Where events rest: SQLite through apsw. Another database takes this class's place, with the same methods."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from seedtrain.base import InputError, IntegrityError, Position, UnavailableError
from seedtrain.record._event import Event
from seedtrain.record._verifier import leaf_hash

APPLICATION_ID: Final = 0x5344544C  # "SDTL"
LAYOUT: Final = 2
PAGE_ROWS: Final = 1000
BUSY_MS: Final = 10_000
# The columns beside `body` are computed from it, so that none of them can say anything else than the signed bytes.
# `INSERT OR REPLACE` fires no DELETE trigger, hence the trigger that allows only the next seq. It also keeps the chain
# from forking: there is one event of each seq, and one writer at a time.
SCHEMA: Final = """
CREATE TABLE event (
  seq INTEGER PRIMARY KEY CHECK (seq = body ->> '$.seq'),
  body TEXT NOT NULL,
  leaf BLOB NOT NULL CHECK (length(leaf) = 32),
  id TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.id') VIRTUAL,
  type TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.type') VIRTUAL,
  subject TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.subject') VIRTUAL
) STRICT;
CREATE UNIQUE INDEX event_id ON event (id);
CREATE INDEX event_subject ON event (subject, seq);
CREATE INDEX event_type ON event (type, seq);
CREATE TABLE checkpoint (
  size INTEGER PRIMARY KEY,
  note TEXT NOT NULL,
  peaks BLOB NOT NULL
) STRICT;
CREATE TRIGGER event_next BEFORE INSERT ON event
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM event)
BEGIN SELECT RAISE(ABORT, 'the ledger only grows at its end'); END;
CREATE TRIGGER event_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER event_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER checkpoint_next BEFORE INSERT ON checkpoint
WHEN NEW.size <= (SELECT coalesce(max(size), 0) FROM checkpoint)
BEGIN SELECT RAISE(ABORT, 'checkpoints only grow'); END;
CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoints only grow'); END;
CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoints only grow'); END;
"""
# Ledgers of layout 1 had an index more, random in its order and the dearest of all; they go on as they are.
_SCHEMAS: Final = {
    LAYOUT: SCHEMA,
    1: SCHEMA.replace(
        "  id TEXT", "  prev TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.prev') VIRTUAL,\n  id TEXT"
    ).replace(
        "CREATE UNIQUE INDEX event_id", "CREATE UNIQUE INDEX event_prev ON event (prev);\nCREATE UNIQUE INDEX event_id"
    ),
}
# One statement for all rows, which runs without the interpreter: other threads work meanwhile.
_INSERT: Final = """
INSERT INTO event (seq, body, leaf)
SELECT ?1 + rowid, CAST(value AS TEXT), substr(?2, 32 * rowid - 31, 32) FROM carray(?3)
"""
_INSERT_ONE: Final = "INSERT INTO event (seq, body, leaf) VALUES (?, ?, ?)"


@dataclass(frozen=True)
class Tail:
    """The end of the ledger as stored: the last event and the last checkpoint."""

    size: int
    body: bytes
    note: str
    peaks: bytes


def unchanged(seq: int, body: bytes, leaf: bytes) -> bytes:
    """The bytes of an event, if they are those that its hash was stored with; so that nobody acts on an altered row.

    Who rewrites the hash too is found by `verify`, which reads checkpoints, signatures and anchors as well.
    """
    if leaf_hash(body) != leaf:
        raise IntegrityError(
            f"seq {seq}: the event's bytes are not those that its stored hash was made of",
            remedy="Write nothing more; run `seedtrain record verify` and restore a backup.",
        )
    return body


def require_sound_sqlite(version: int) -> None:
    """Refuse a SQLite that can lose committed writes (the WAL-reset bug of 3.7.0 to 3.51.2; sqlite.org/wal.html).

    `version` is SQLite's own number, such as 3051003; 3.50.7 and 3.44.6 carry the repair too.
    """
    if version >= 3_051_003 or 3_050_007 <= version < 3_051_000 or 3_044_006 <= version < 3_045_000:
        return
    words = f"{version // 1_000_000}.{version // 1000 % 1000}.{version % 1000}"
    raise UnavailableError(
        f"SQLite {words} can lose committed events (WAL-reset bug); 3.51.3 or newer is needed",
        remedy="Install a newer apsw: pip install --upgrade apsw.",
    )


class SqliteStore:
    """One ledger file. Writing happens inside `transaction()`; an acknowledged commit is on the disk.

    Writing and reading have a connection each: who reads sees only what is durable, also while a commit is written.
    """

    def __init__(self, path: Path, *, create: bool = False, read_only: bool = False) -> None:
        import apsw

        require_sound_sqlite(apsw.SQLITE_VERSION_NUMBER)
        require_sound_sqlite(_number(apsw.sqlite_lib_version()))
        self.path = path
        if not path.exists() and not create:
            raise InputError("there is no such ledger", position=Position(str(path)), remedy="Check the path.")
        if path.is_dir():
            raise InputError("this is a folder, not a ledger", position=Position(str(path)), remedy="Give a file.")
        with self._typed("open"):
            self._connection = self._reader = _connect(path, create=create, read_only=read_only)
        self._reading = threading.Lock()  # a connection serves one thread at a time
        try:
            with self._typed("open"):
                self._open(create)
                if not read_only:
                    self._reader = _connect(path, create=False, read_only=False)
                    self._reader.set_busy_timeout(BUSY_MS)
                    self._reader.pragma("query_only", True)
        except BaseException:
            self.close()
            raise

    def _open(self, create: bool) -> None:
        connection = self._connection
        connection.set_busy_timeout(BUSY_MS)
        # In this order: another process may lay the tables out meanwhile, and marks the file in the same transaction.
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
        marked = connection.pragma("application_id")
        if marked == APPLICATION_ID and connection.pragma("user_version") in _SCHEMAS:
            if not connection.readonly("main"):
                connection.pragma("synchronous", 2)
        elif tables or not create:
            raise InputError(
                "this file is not a ledger of this version",
                position=Position(str(self.path)),
                remedy="Give the record.db of a program, or a path where no file is.",
            )
        else:
            connection.pragma("journal_mode", "wal")
            connection.pragma("synchronous", 2)

    @property
    def empty(self) -> bool:
        """Whether nobody has put the tables in yet."""
        return not self._rows("SELECT count(*) FROM sqlite_schema")[0][0]

    def lay_out(self) -> None:
        """Put the tables in, inside a transaction."""
        self._connection.execute(SCHEMA)
        self._connection.pragma("application_id", APPLICATION_ID)
        self._connection.pragma("user_version", LAYOUT)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the only right to write; what was written is durable when the block ends, or was never there."""
        with self._typed("write"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def add(self, events: Sequence[Event], leaves: Sequence[bytes], note: str, peaks: bytes) -> None:
        """Insert events, their leaf hashes and the checkpoint that covers them, inside a transaction."""
        if len(events) == 1:
            self._connection.execute(_INSERT_ONE, (events[0].seq, events[0].body.decode("utf-8"), leaves[0]))
        else:
            bodies = tuple([event.body for event in events])
            self._connection.execute(_INSERT, (events[0].seq - 1, b"".join(leaves), _array(bodies)))
        self._connection.execute("INSERT INTO checkpoint VALUES (?, ?, ?)", (events[-1].seq, note, peaks))

    def tail(self) -> Tail | None:
        """The last event and checkpoint; None in an empty ledger. `IntegrityError` if the two do not meet."""
        rows = self._rows(
            "SELECT seq, CAST(body AS BLOB), size, note, peaks "
            "FROM (SELECT seq, body FROM event ORDER BY seq DESC LIMIT 1) "
            "FULL JOIN (SELECT size, note, peaks FROM checkpoint ORDER BY size DESC LIMIT 1) ON true"
        )
        if not rows:
            return None
        seq, body, size, note, peaks = rows[0]
        if seq is None or seq != size:
            raise IntegrityError(
                f"the last event is {seq} and the last checkpoint stands at {size}",
                position=Position(str(self.path)),
                remedy="Stop writing and run: seedtrain record verify.",
            )
        return Tail(seq, body, note, peaks)

    def size(self) -> int:
        """The seq of the last event."""
        return int(self._rows("SELECT coalesce(max(seq), 0) FROM event")[0][0])

    def bodies(
        self, *, after: int = 0, until: int | None = None, subject: str | None = None, type: str | None = None
    ) -> Iterator[bytes]:
        """The exact bytes of the events in (after, until], read page by page so that writing may go on meanwhile."""
        where = "seq > :after AND seq <= :last"
        where += " AND subject = :subject" if subject is not None else ""
        if type is not None:
            # The plus keeps the index on types out where a subject is asked for: a subject has few events, a type many.
            where += " AND +type = :type" if subject is not None else " AND type = :type"
        last = self.size() if until is None else until
        query = f"SELECT seq, CAST(body AS BLOB), leaf FROM event WHERE {where} ORDER BY seq LIMIT {PAGE_ROWS}"  # noqa: S608
        while True:
            rows = self._rows(query, {"after": after, "last": last, "subject": subject, "type": type})
            for seq, body, leaf in rows:
                yield unchanged(seq, body, leaf)
            if len(rows) < PAGE_ROWS:
                return
            after = rows[-1][0]

    def find(self, identity: str) -> bytes | None:
        """The bytes of the event of this id."""
        rows = self._rows("SELECT seq, CAST(body AS BLOB), leaf FROM event WHERE id = ?", (identity,))
        return unchanged(*rows[0]) if rows else None

    def leaves(self) -> Iterator[tuple[bytes, bytes]]:
        """Exact bytes and stored leaf hash of every event, in one reading, within `reading()`."""
        rows: Iterator[tuple[bytes, bytes]] = self._reader.execute(
            "SELECT CAST(body AS BLOB), leaf FROM event ORDER BY seq"
        )
        return rows

    def notes(self, *, after: int = 0) -> Iterator[str]:
        """The signed checkpoints in order."""
        query = f"SELECT size, CAST(note AS BLOB) FROM checkpoint WHERE size > ? ORDER BY size LIMIT {PAGE_ROWS}"  # noqa: S608
        while rows := self._rows(query, (after,)):
            yield from (note.decode("utf-8", errors="replace") for _, note in rows)
            after = rows[-1][0]

    def faults(self) -> tuple[str, ...]:
        """What SQLite itself finds wrong with the file, and which guards are gone."""
        found = [str(row[0]) for row in self._reader.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
        here = {row[0] for row in self._reader.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}
        schema = _SCHEMAS[self._reader.pragma("user_version")]
        wanted = [
            part.strip() for part in schema.replace("END;", "END\x00").replace(";\nCREATE", "\x00CREATE").split("\x00")
        ]
        gone = [part for part in wanted if part and part.rstrip(";") not in {text.rstrip(";") for text in here}]
        return (*found, *(f"missing or changed: {part.split('(')[0].splitlines()[0].strip()}" for part in gone))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read one unchanging state of the ledger inside the block; damage is an `IntegrityError`."""
        with self._typed("read"):
            self._reader.execute("BEGIN")
            try:
                yield
            finally:
                self._reader.execute("ROLLBACK")

    def copy_to(self, path: Path) -> None:
        """Write the ledger as it is at one moment to a new file, while others may go on writing to this one."""
        import apsw

        target = apsw.Connection(str(path))
        try:
            with self._typed("read"), target.backup("main", self._reader, "main") as work:
                work.step(-1)
        finally:
            target.close()

    def close(self) -> None:
        """Let the file go."""
        with self._reading:
            self._reader.close()
        self._connection.close()

    def _rows(self, query: str, values: Any = ()) -> list[Any]:
        with self._typed("read"), self._reading:
            rows: list[Any] = self._reader.execute(query, values).fetchall()
            return rows

    def _typed(self, doing: str) -> _Typed:
        return _Typed(self.path, doing)


class _Typed:
    """Turn the database's exceptions into ours."""

    def __init__(self, path: Path, doing: str) -> None:
        self.path, self.doing = path, doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        import apsw

        if not isinstance(error, apsw.Error):
            return
        where, words = Position(str(self.path)), f"the ledger could not be {_PAST[self.doing]}: {error}"
        if isinstance(error, apsw.BusyError):
            remedy = "Another process is writing: try again when it has finished."
            raise UnavailableError(words, position=where, remedy=remedy) from error
        if isinstance(error, apsw.NotADBError):
            raise InputError(words, position=where, remedy="Give a ledger file.") from error
        if isinstance(error, (apsw.CorruptError, apsw.ConstraintError, apsw.SQLError)):
            remedy = "Stop writing, run `seedtrain record verify` and restore a backup."
            raise IntegrityError(words, position=where, remedy=remedy) from error
        if isinstance(
            error, (apsw.FullError, apsw.ReadOnlyError, apsw.IOError, apsw.CantOpenError, apsw.PermissionsError)
        ):
            remedy = "Free space, or make the folder writable, and try again: nothing was acknowledged."
            raise UnavailableError(words, position=where, remedy=remedy) from error


def _array(values: tuple[bytes, ...]) -> Any:
    import apsw

    return apsw.carray(values)


_PAST: Final = {"open": "opened", "read": "read", "write": "written"}


def _number(version: str) -> int:
    major, minor, patch = (int(part) for part in version.split(".")[:3])
    return major * 1_000_000 + minor * 1000 + patch


def _connect(path: Path, *, create: bool, read_only: bool) -> Any:
    import apsw

    if not read_only:
        flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
        return apsw.Connection(str(path), flags=flags)
    from urllib.parse import quote

    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    connection = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        # A ledger on read-only storage has no room for the index of its write-ahead log. Without that log it is whole.
        connection.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        connection = apsw.Connection(uri + "&immutable=1", flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    return connection
