"""Which database a URL means, and where on this machine the keys and anchors of that ledger stand."""

from __future__ import annotations

from pathlib import Path

from seedtrain.base import InputError
from seedtrain.record._postgres import PostgresStore, is_postgres, read_url
from seedtrain.record._store import SqliteStore

Store = SqliteStore | PostgresStore


def open_store(url: str | Path, *, create: bool = False, read_only: bool = False) -> Store:
    """The events behind a URL: a path, `sqlite:///` and a path, or `postgresql://`."""
    if is_postgres(url):
        return PostgresStore(str(url), create=create, read_only=read_only)
    return SqliteStore(ledger_path(url), create=create, read_only=read_only)


def ledger_path(url: str | Path) -> Path:
    """The file behind a ledger's URL; for a database server the path beside which its keys and anchors stand."""
    text = str(url)
    if is_postgres(text):
        place = read_url(text)
        return place.files / place.schema
    if "://" not in text:
        return Path(text)
    scheme, _, rest = text.partition("://")
    if scheme != "sqlite" or not rest.removeprefix("/"):
        raise InputError(
            f"{scheme}:// is not a ledger", remedy="Give a file, sqlite:/// and its path, or postgresql://."
        )
    return Path(rest.removeprefix("/"))


def anchor_path(path: Path) -> Path:
    """Where the anchors of the ledger at `path` stand unless said otherwise."""
    return path.with_name(path.name + ".anchors")


def key_path(path: Path) -> Path:
    """Where the keys of the ledger at `path` stand."""
    return path.with_name(path.name + ".keys")


def view_path(path: Path) -> Path:
    """Where the read models of the ledger at `path` stand; they can be thrown away."""
    return path.with_name(path.name + ".views")
