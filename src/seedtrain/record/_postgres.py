"""Where events rest when several machines write: PostgreSQL through pg8000, with the methods of `SqliteStore`.

    postgresql://USER@HOST:PORT/DATABASE?ledger=NAME&files=FOLDER

`ledger` is the schema (default `seedtrain`); FOLDER, on this machine, holds `NAME.anchors` and `NAME.keys`. The
password comes from the environment (`PGPASSWORD`) or the URL, and is in no error.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from seedtrain.base import InputError, IntegrityError, Position, UnavailableError
from seedtrain.record._event import Event, decode
from seedtrain.record._store import Tail, unchanged

PAGE_ROWS: Final = 5000
LOCK_MS: Final = 10_000
_SCHEME: Final = re.compile(r"postgres(ql)?://")
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,40}")
# The columns beside `body` serve searching; that they say what the signed bytes say is checked by `faults`.
_TABLES: Final = """
CREATE TABLE {s}.event (
  seq bigint PRIMARY KEY, body bytea NOT NULL, leaf bytea NOT NULL CHECK (length(leaf) = 32),
  prev text NOT NULL UNIQUE, id text NOT NULL UNIQUE, type text NOT NULL, subject text NOT NULL);
CREATE INDEX event_subject ON {s}.event (subject, seq);
CREATE INDEX event_type ON {s}.event (type, seq);
CREATE TABLE {s}.checkpoint (size bigint PRIMARY KEY, note text NOT NULL, peaks bytea NOT NULL);
"""
_FUNCTIONS: Final = {
    "refuse": "BEGIN RAISE EXCEPTION 'the ledger only grows'; END",
    "next_event": (
        "BEGIN IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM {s}.event) THEN "
        "RAISE EXCEPTION 'the ledger only grows at its end'; END IF; RETURN NEW; END"
    ),
    "next_checkpoint": (
        "BEGIN IF NEW.size <= (SELECT coalesce(max(size), 0) FROM {s}.checkpoint) THEN "
        "RAISE EXCEPTION 'checkpoints only grow'; END IF; RETURN NEW; END"
    ),
}
_TRIGGERS: Final = tuple(  # as `pg_get_triggerdef` gives them back
    f"CREATE TRIGGER {table}_{word} BEFORE {when} ON {{s}}.{table} FOR EACH {each} EXECUTE FUNCTION {{s}}.{function}()"
    for table in ("event", "checkpoint")
    for word, when, each, function in (
        ("next", "INSERT", "ROW", f"next_{table}"),
        ("change", "DELETE OR UPDATE", "ROW", "refuse"),
        ("empty", "TRUNCATE", "STATEMENT", "refuse"),
    )
)


@dataclass(frozen=True)
class Place:
    """What a URL says; its text leaves the password out."""

    user: str
    host: str
    port: int
    database: str
    schema: str
    files: Path
    password: str | None = field(repr=False)

    def __str__(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}?ledger={self.schema}"


def is_postgres(url: str | Path) -> bool:
    """Whether this is the URL of a PostgreSQL database."""
    return bool(_SCHEME.match(str(url)))


def read_url(url: str) -> Place:
    """The parts of a URL; `InputError` says what is missing."""
    parts = urlsplit(url)
    query = parse_qs(parts.query, strict_parsing=bool(parts.query))
    schema = query.pop("ledger", ["seedtrain"])[0]
    files = query.pop("files", [""])[0]
    example = "Write postgresql://USER@HOST/DATABASE?ledger=NAME&files=FOLDER (FOLDER takes the keys and anchors)."
    if query or not files or not parts.hostname or not parts.username or not parts.path.strip("/"):
        raise InputError("this URL does not say where the ledger is", remedy=example)
    if not _NAME.fullmatch(schema):
        raise InputError(f"{schema!r} is not a name for a ledger", remedy="Use small letters, digits and underscores.")
    password = unquote(parts.password) if parts.password else os.environ.get("PGPASSWORD")
    database, folder = unquote(parts.path.strip("/")), Path(files)
    return Place(unquote(parts.username), parts.hostname, parts.port or 5432, database, schema, folder, password)


class PostgresStore:
    """One ledger in one schema. Writing and reading have a connection each: readers see only what is durable."""

    def __init__(self, url: str, *, create: bool = False, read_only: bool = False) -> None:
        self.place = read_url(url)
        self.path = self.place.files / self.place.schema
        self._read_only = read_only
        self._connections: dict[str, Any] = {}
        self._lock = threading.RLock()
        (fsync,) = self._run("SHOW fsync")[0]
        if fsync != "on":
            self.close()
            raise UnavailableError(
                f"this server has fsync = {fsync}: it can lose committed events",
                position=Position(str(self.place)),
                remedy="Set fsync = on in postgresql.conf.",
            )
        if self.empty and not create:
            self.close()
            raise InputError("there is no such ledger", position=Position(str(self.place)), remedy="Check the URL.")

    @property
    def empty(self) -> bool:
        """Whether nobody has put the tables in yet."""
        return not self._run("SELECT 1 WHERE to_regclass(:name) IS NOT NULL", name=f"{self.place.schema}.event")

    def lay_out(self) -> None:
        """Put the tables in, inside a transaction. Nobody may change a row, not even their owner."""
        schema = self.place.schema
        parts = [f"CREATE SCHEMA IF NOT EXISTS {schema}", *_TABLES.format(s=schema).strip().split(";\n")]
        for name, body in _FUNCTIONS.items():
            text = body.format(s=schema)
            parts.append(f"CREATE FUNCTION {schema}.{name}() RETURNS trigger LANGUAGE plpgsql AS $$ {text} $$")
        parts += [text.format(s=schema) for text in _TRIGGERS]
        for role in ("PUBLIC", "CURRENT_USER"):
            parts.append(f"REVOKE UPDATE, DELETE, TRUNCATE ON {schema}.event, {schema}.checkpoint FROM {role}")
        for part in parts:
            self._run(part.rstrip(";"), by="writer")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the only right to write; what was written is durable when the block ends, or was never there."""
        with self._lock:
            self._run("BEGIN", by="writer")
            try:
                self._run(f"SET LOCAL lock_timeout = {LOCK_MS}", by="writer")
                self._run("SET LOCAL synchronous_commit = on", by="writer")
                self._run("SELECT pg_advisory_xact_lock(hashtext(:name))", by="writer", name=self.place.schema)
                yield
                self._run("COMMIT", by="writer")
            except BaseException:
                self._drop("writer")  # the server rolls back what a lost connection left open
                raise

    def add(self, events: Sequence[Event], leaves: Sequence[bytes], note: str, peaks: bytes) -> None:
        """Insert events, their leaf hashes and the checkpoint that covers them, inside a transaction."""
        self._run(
            f"INSERT INTO {self.place.schema}.event (seq, body, leaf, prev, id, type, subject) "  # noqa: S608
            "SELECT * FROM unnest(CAST(:seq AS bigint[]), CAST(:body AS bytea[]), CAST(:leaf AS bytea[]), "
            "CAST(:prev AS text[]), CAST(:id AS text[]), CAST(:type AS text[]), CAST(:subject AS text[]))",
            by="writer",
            seq=[event.seq for event in events],
            body=[event.body for event in events],
            leaf=list(leaves),
            prev=[event.prev for event in events],
            id=[event.id for event in events],
            type=[event.type for event in events],
            subject=[event.subject for event in events],
        )
        self._run(
            f"INSERT INTO {self.place.schema}.checkpoint VALUES (:size, :note, :peaks)",  # noqa: S608
            by="writer",
            size=events[-1].seq,
            note=note,
            peaks=peaks,
        )

    def tail(self) -> Tail | None:
        """The last event and checkpoint; None in an empty ledger. `IntegrityError` if the two do not meet."""
        schema = self.place.schema
        rows = self._run(
            "SELECT e.seq, e.body, c.size, c.note, c.peaks FROM "  # noqa: S608
            f"(SELECT seq, body FROM {schema}.event ORDER BY seq DESC LIMIT 1) e FULL JOIN "
            f"(SELECT size, note, peaks FROM {schema}.checkpoint ORDER BY size DESC LIMIT 1) c ON true"
        )
        if not rows:
            return None
        seq, body, size, note, peaks = rows[0]
        if seq is None or seq != size:
            raise IntegrityError(
                f"the last event is {seq} and the last checkpoint stands at {size}",
                position=Position(str(self.place)),
                remedy="Stop writing and run: seedtrain record verify.",
            )
        return Tail(seq, bytes(body), note, bytes(peaks))

    def size(self) -> int:
        """The seq of the last event."""
        return int(self._run(f"SELECT coalesce(max(seq), 0) FROM {self.place.schema}.event")[0][0])  # noqa: S608

    def bodies(
        self, *, after: int = 0, until: int | None = None, subject: str | None = None, type: str | None = None
    ) -> Iterator[bytes]:
        """The exact bytes of the events in (after, until], read page by page so that writing may go on meanwhile."""
        given = {name: value for name, value in (("subject", subject), ("type", type)) if value is not None}
        where = "".join(f" AND {name} = :{name}" for name in given)
        for row in self._pages(
            "event", "seq", "body, leaf", after, self.size() if until is None else until, where, given
        ):
            yield unchanged(row[0], bytes(row[1]), bytes(row[2]))

    def find(self, identity: str) -> bytes | None:
        """The bytes of the event of this id."""
        rows = self._run(f"SELECT seq, body, leaf FROM {self.place.schema}.event WHERE id = :id", id=identity)  # noqa: S608
        return unchanged(rows[0][0], bytes(rows[0][1]), bytes(rows[0][2])) if rows else None

    def leaves(self) -> Iterator[tuple[bytes, bytes]]:
        """Exact bytes and stored leaf hash of every event; in one reading within `reading()`."""
        for row in self._pages("event", "seq", "body, leaf"):
            yield row[1], row[2]

    def notes(self, *, after: int = 0) -> Iterator[str]:
        """The signed checkpoints in order."""
        for row in self._pages("checkpoint", "size", "note", after):
            yield row[1]

    def _pages(
        self,
        table: str,
        key: str,
        columns: str,
        after: int = 0,
        until: int = 2**62,
        where: str = "",
        given: dict[str, str] | None = None,
    ) -> Iterator[list[Any]]:
        query = (
            f"SELECT {key}, {columns} FROM {self.place.schema}.{table} WHERE {key} > :after AND {key} <= :last"  # noqa: S608
            f"{where} ORDER BY {key} LIMIT {PAGE_ROWS}"
        )
        while True:
            rows = self._run(query, after=after, last=until, **(given or {}))
            yield from rows
            if len(rows) < PAGE_ROWS:
                return
            after = rows[-1][0]

    def faults(self) -> tuple[str, ...]:
        """Which guards are gone or changed, and where a searched column says something else than the signed bytes."""
        schema = self.place.schema
        found = []
        triggers = self._run(
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O' AND "
            "tgrelid IN (to_regclass(:event), to_regclass(:checkpoint))",
            event=f"{schema}.event",
            checkpoint=f"{schema}.checkpoint",
        )
        here = {row[0] for row in triggers}
        found += [
            f"missing or changed: {text.split(' BEFORE')[0]}" for text in _TRIGGERS if text.format(s=schema) not in here
        ]
        sources = dict(
            self._run(
                "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = CAST(:schema AS regnamespace)", schema=schema
            )
        )
        for name, body in _FUNCTIONS.items():
            if sources.get(name, "").strip() != body.format(s=schema):
                found.append(f"missing or changed: FUNCTION {name}")
        for row in self._pages("event", "seq", "body, prev, id, type, subject"):
            try:
                event = decode(bytes(row[1]))
                same = (event.seq, event.prev, event.id, event.type, event.subject) == (row[0], *row[2:])
            except (ValueError, TypeError):
                same = False
            if not same:
                found.append(f"the columns of seq {row[0]} are not what its bytes say")
        return tuple(found[:20])

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read one unchanging state of the ledger inside the block."""
        self._run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            self._run("ROLLBACK")

    def close(self) -> None:
        """Let the server go."""
        with self._lock:
            for name in list(self._connections):
                self._drop(name)

    def _run(self, query: str, *, by: str = "reader", **values: Any) -> list[Any]:
        with self._lock, _Typed(self, by):
            connection = self._connections.get(by) or self._connect(by)
            return connection.run(query, **values) or []

    def _connect(self, name: str) -> Any:
        try:
            from pg8000.native import Connection  # type: ignore[import-untyped]
        except ImportError as error:
            raise InputError(
                "PostgreSQL needs the package pg8000", remedy="pip install 'seedtrain[postgres]'"
            ) from error
        place = self.place
        connection = Connection(place.user, place.host, place.database, place.port, place.password, timeout=60)
        connection.run("SET client_encoding = 'UTF8'")
        self._connections[name] = connection
        return connection

    def _drop(self, name: str) -> None:
        connection = self._connections.pop(name, None)
        if connection is not None:
            with suppress(Exception):
                connection.close()


class _Typed:
    """Turn the driver's exceptions into ours, and forget a connection that is lost."""

    def __init__(self, store: PostgresStore, by: str) -> None:
        self.store, self.by = store, by

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None or isinstance(error, (InputError, IntegrityError, UnavailableError)):
            return
        from pg8000.exceptions import DatabaseError, InterfaceError  # type: ignore[import-untyped]

        details = error.args[0] if isinstance(error, DatabaseError) and error.args else {}
        code = str(details.get("C", "")) if isinstance(details, dict) else ""
        words = str(details.get("M", error)) if isinstance(details, dict) else str(error)
        where = Position(str(self.store.place))
        if code[:2] in ("23", "P0", "XX", "42") and code != "42501":
            remedy = "Stop writing, run `seedtrain record verify` and restore a backup."
            raise IntegrityError(f"the ledger refused: {words}", position=where, remedy=remedy) from error
        if code or isinstance(error, (InterfaceError, OSError, DatabaseError)):
            if code not in ("55P03", "53100"):
                self.store._drop(self.by)
            remedy = "Try again when the server answers and has room: nothing was acknowledged."
            raise UnavailableError(f"the ledger's server says: {words}", position=where, remedy=remedy) from error
