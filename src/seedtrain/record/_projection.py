"""Read models: what the events come to, kept in tables beside the ledger so that a question takes no second reading.

Nothing here is evidence. A read model is a cache of a fold over the ledger: it can be thrown away at any time and made
again identically, and neither verification nor a hard stop that must not be fooled may rest on it.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from seedtrain.base import UnavailableError
from seedtrain.record._event import Event
from seedtrain.record._ledger import Head, Ledger
from seedtrain.record._store import require_sound_sqlite
from seedtrain.record._stores import view_path
from seedtrain.record._verifier import NO_EVENT

BUSY_MS: Final = 30_000  # somebody else may be making the whole of it
_MEMORY: Final = ":memory:"
_NAME: Final = re.compile(r"[a-z][a-z_]{0,40}")
_BOOK: Final = """
CREATE TABLE IF NOT EXISTS projection (
  name TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  origin TEXT NOT NULL,
  seq INTEGER NOT NULL,
  digest TEXT NOT NULL,
  tables TEXT NOT NULL
) STRICT
"""
_REGISTERED: dict[str, Projection] = {}


@dataclass(frozen=True)
class Projection:
    """A read model: tables, and how each event changes them.

    - `name`: names it for ever; `version`: raise it when `schema` or `apply` changes, and it is made anew.
    - `schema`: SQL that lays out the tables (and indexes), which no other projection may have.
    - `apply`: writes what one event comes to through an apsw connection. What it writes depends on the event and the
      tables alone: not on the time, on chance, or on how many events are applied at once.
    """

    name: str
    version: int
    schema: str
    apply: Callable[[Any, Event], None]

    def __post_init__(self) -> None:
        assert _NAME.fullmatch(self.name), self.name


@dataclass(frozen=True)
class Rebuilt:
    """A projection made anew: the digest of its content before (None: there was none that could be used) and after."""

    name: str
    version: int
    events: int
    before: str | None
    after: str

    @property
    def identical(self) -> bool:
        """Whether the read model held what the ledger says."""
        return self.before in (None, self.after)


def register(projection: Projection) -> Projection:
    """Make a projection known to `seedtrain record rebuild`; returns it."""
    other = _REGISTERED.setdefault(projection.name, projection)
    assert other.version == projection.version, f"two projections are called {projection.name}"
    return projection


def registered() -> tuple[Projection, ...]:
    """The projections that the rooms imported so far have registered, by name."""
    return tuple(_REGISTERED[name] for name in sorted(_REGISTERED))


@contextmanager
def projected(ledger: Ledger, projection: Projection) -> Iterator[Any]:
    """An apsw connection on which the tables of `projection` hold the ledger's last event, for reading.

    All queries of one block see one state. Give values as parameters, never within the SQL. The tables are in
    `record.db.views` beside the ledger, or in memory where that file cannot be written.
    """
    views = _views_of(ledger)
    with views.lock:
        views.begin(ledger, projection)
        try:
            views.connection.pragma("query_only", True)
            yield views.connection
        finally:
            views.connection.pragma("query_only", False)
            views.connection.execute("ROLLBACK")


def rebuild(ledger: Ledger, projections: tuple[Projection, ...] | None = None) -> tuple[Rebuilt, ...]:
    """Throw read models away and make them again from the ledger; the registered ones if none are given.

    Where a digest differs from the one before, somebody had changed the read model: now it says what the ledger says.
    """
    import apsw

    views = _views_of(ledger)
    made = []
    with views.lock:
        for item in registered() if projections is None else projections:
            try:
                made.append(_rebuilt(views, ledger, item))
            except (apsw.SQLError, apsw.ConstraintError, apsw.CorruptError):  # the tables are not those that we made
                views.throw_away()
                made.append(replace(_rebuilt(views, ledger, item), before="unreadable"))
    return tuple(made)


def _rebuilt(views: _Views, ledger: Ledger, item: Projection) -> Rebuilt:
    with views.writing():
        until = ledger.head
        mark = views.mark(item)
        before = None
        if mark is not None and views.follows(ledger, mark, until):
            views.advance(ledger, item, mark.seq, until)
            before = views.digest(item)
        views.forget(item)
        views.lay_out(ledger, item)
        views.advance(ledger, item, 0, until)
        return Rebuilt(item.name, item.version, until.seq, before, views.digest(item))


@dataclass(frozen=True)
class _Mark:
    """How far a projection has come, as the views file says."""

    version: int
    origin: str
    seq: int
    digest: str
    tables: tuple[str, ...]


class _Views:
    """The tables of all projections of one ledger, and how far each has come."""

    def __init__(self, path: Path) -> None:
        import apsw

        require_sound_sqlite(apsw.SQLITE_VERSION_NUMBER)
        self.path = path
        self.lock = threading.RLock()
        try:
            self.connection = _opened(str(path))
        except (apsw.NotADBError, apsw.CorruptError):
            _discard(path)
            self.connection = _opened(str(path))
        except _no_room():
            self.connection = _opened(_MEMORY)

    @property
    def in_memory(self) -> bool:
        """Whether the file cannot be written, so that the read models are made for this process alone."""
        return not self.connection.filename

    def begin(self, ledger: Ledger, projection: Projection) -> None:
        """Begin a reading in which the tables stand at the ledger's head."""
        import apsw

        thrown_away = False
        while not self._begun(ledger, projection):
            try:
                with self.writing():
                    self.catch_up(ledger, projection)
            except _no_room():  # for a cache: the question is answered all the same
                self.close()
                self.connection = _opened(_MEMORY)
            except (apsw.SQLError, apsw.ConstraintError, apsw.CorruptError):
                if thrown_away:
                    raise
                self.throw_away()  # somebody has changed the tables; a fault of `apply` itself comes again
                thrown_away = True

    def _begun(self, ledger: Ledger, projection: Projection) -> bool:
        self.connection.execute("BEGIN")
        try:
            mark = self.mark(projection)
            if mark is not None and (mark.seq, mark.digest) == _pair(ledger.head) and mark.origin == ledger.id:
                return True
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("ROLLBACK")
        return False

    def throw_away(self) -> None:
        """Begin with no read model at all."""
        here = self.connection.filename
        self.close()
        if here:
            _discard(self.path)
        self.connection = _opened(str(self.path) if here else _MEMORY)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, all or nothing; one process at a time."""
        import apsw

        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except apsw.BusyError as error:
            raise UnavailableError(
                "another process has been making the read models for long", remedy="Try again when it has finished."
            ) from error
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def catch_up(self, ledger: Ledger, projection: Projection) -> None:
        """Apply what the ledger has grown by; start anew where the tables are not those of this ledger and version."""
        until = ledger.head  # read under the lock: nobody can have come further than this
        mark = self.mark(projection)
        if mark is None or not self.follows(ledger, mark, until):
            self.forget(projection)
            self.lay_out(ledger, projection)
            mark = _Mark(projection.version, ledger.id, 0, NO_EVENT, ())
        self.advance(ledger, projection, mark.seq, until)

    def mark(self, projection: Projection) -> _Mark | None:
        """How far the projection has come; None if it is not there or of another version."""
        query = "SELECT version, origin, seq, digest, tables FROM projection WHERE name = ?"
        row = self.connection.execute(query, (projection.name,)).fetchone()
        if row is None or row[0] != projection.version:
            return None
        return _Mark(row[0], row[1], row[2], row[3], tuple(json.loads(row[4])))

    def follows(self, ledger: Ledger, mark: _Mark, until: Head) -> bool:
        """Whether the ledger holds, at its place, the event up to which the tables have come."""
        if mark.origin != ledger.id or mark.seq > until.seq:
            return False
        if mark.seq == until.seq:
            return mark.digest == until.digest
        following = next(ledger.events(after=mark.seq, until=mark.seq + 1), None)
        return following is not None and following.prev == mark.digest

    def lay_out(self, ledger: Ledger, projection: Projection) -> None:
        """Put the empty tables in."""
        before = self._tables()
        self.connection.execute(projection.schema)
        tables = json.dumps(sorted(self._tables() - before))
        row = (projection.name, projection.version, ledger.id, 0, NO_EVENT, tables)
        self.connection.execute("INSERT INTO projection VALUES (?, ?, ?, ?, ?, ?)", row)

    def forget(self, projection: Projection) -> None:
        """Drop the tables of a projection, of whatever version they are."""
        row = self.connection.execute("SELECT tables FROM projection WHERE name = ?", (projection.name,)).fetchone()
        for table in json.loads(row[0]) if row else ():
            self.connection.execute(f"DROP TABLE IF EXISTS {_quoted(table)}")
        self.connection.execute("DELETE FROM projection WHERE name = ?", (projection.name,))

    def advance(self, ledger: Ledger, projection: Projection, after: int, until: Head) -> None:
        """Apply the events in (after, until]."""
        apply, connection = projection.apply, self.connection
        for event in ledger.events(after=after, until=until.seq):
            apply(connection, event)
        connection.execute("UPDATE projection SET seq = ?, digest = ? WHERE name = ?", (*_pair(until), projection.name))

    def digest(self, projection: Projection) -> str:
        """SHA-256 of the rows of all the tables, whatever the order in which they were written."""
        mark = self.mark(projection)
        assert mark is not None
        content = hashlib.sha256()
        for table in mark.tables:
            columns = [row[1] for row in self.connection.execute(f"PRAGMA table_info({_quoted(table)})")]
            order = ", ".join(str(at) for at in range(1, len(columns) + 1))
            content.update(_line([table, *columns]))
            for row in self.connection.execute(f"SELECT * FROM {_quoted(table)} ORDER BY {order}"):  # noqa: S608
                content.update(_line(row))
        return content.hexdigest()

    def close(self) -> None:
        """Let the file go."""
        self.connection.close()

    def _tables(self) -> set[str]:
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        return {row[0] for row in self.connection.execute(query)}


def _views_of(ledger: Ledger) -> _Views:
    return ledger.beside("views", lambda: _Views(view_path(ledger.path)))


def _opened(name: str) -> Any:
    import apsw

    connection = apsw.Connection(name)
    try:
        if connection.readonly("main"):
            raise apsw.ReadOnlyError(name)
        connection.set_busy_timeout(BUSY_MS)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", 1)  # whole after a power loss; what is missing is made again
        connection.execute(_BOOK)
    except BaseException:
        connection.close()
        raise
    return connection


def _no_room() -> tuple[type[Exception], ...]:
    import apsw

    return (apsw.CantOpenError, apsw.ReadOnlyError, apsw.IOError, apsw.FullError, apsw.PermissionsError)


def _discard(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()


def _pair(head: Head) -> tuple[int, str]:
    return head.seq, head.digest


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _line(values: Any) -> bytes:
    plain = [{"blob": value.hex()} if isinstance(value, bytes) else value for value in values]
    return json.dumps(plain, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"
