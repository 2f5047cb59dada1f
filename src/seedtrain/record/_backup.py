"""A copy of a ledger that is in use, taken at one moment and verified before it counts as a copy."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

from seedtrain.base import InputError, IntegrityError, Position, UnavailableError
from seedtrain.quality import Verdict
from seedtrain.record._keys import KeyFolder
from seedtrain.record._postgres import is_postgres
from seedtrain.record._store import SqliteStore
from seedtrain.record._stores import anchor_path, key_path, ledger_path
from seedtrain.record._verify import verify


def backup(path: str | Path, folder: Path) -> Verdict:
    """Copy a SQLite ledger and its anchors into a new folder while it is written: whole and verified, or not at all.

    Keys are not copied: they are backed up apart from the ledger. To restore, put the files where the ledger was,
    beside its keys. Raises `IntegrityError` where the copy does not verify (then neither does the ledger), and
    `InputError` for a taken folder.
    """
    if is_postgres(path):
        raise InputError(
            "this ledger rests in PostgreSQL", remedy="Back it up with pg_dump, then verify the restored one."
        )
    place = ledger_path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("this folder is taken", position=Position(str(folder)), remedy="Name a new folder.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            verdict = _copy(place, building)
            os.replace(building, folder)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    except OSError as error:
        raise UnavailableError(
            f"the copy cannot be written: {error.strerror}", position=Position(str(folder)), remedy="Free space."
        ) from error
    return verdict


def _copy(place: Path, folder: Path) -> Verdict:
    copy = folder / place.name
    with closing(SqliteStore(place, read_only=True)) as store:
        if anchor_path(place).exists():  # before the events: an anchor may be missing, but no event behind one
            shutil.copyfile(anchor_path(place), anchor_path(copy))
        store.copy_to(copy)
    for item in folder.iterdir():
        with item.open("rb") as stream:
            os.fsync(stream.fileno())
    keys = KeyFolder(key_path(place))
    key = keys.server_public
    trusted = keys.folder / "tsa.pem" if keys.authorities else None
    verdict = verify(copy, server_key=key.hex() if key else None, authorities=trusted)
    if not (log := copy.with_name(copy.name + "-wal")).exists() or not log.stat().st_size:
        for suffix in ("-wal", "-shm"):  # empty leftovers of reading
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)
    if verdict.verdict == "fail":
        raise IntegrityError(
            f"the copy does not verify: {verdict.evidence[0]}",
            position=Position(str(place)),
            remedy="Stop writing and run: seedtrain record verify.",
        )
    return verdict
