"""One executor a batch and a unit on this machine: files that are locked while its process lives."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from seedtrain.base import InputError, SeedtrainError, collect
from seedtrain.record import Ledger, timestamp

LOCKS: Final = "executors"
"""The folder beside the ledger in which each batch and unit that is driven has a locked file."""
LOOKERS: Final = 10


def is_driven(ledger: Ledger, batch: str) -> bool:
    """Whether a process of this machine drives the batch now."""
    path = _path(ledger.path.parent / LOCKS, "batch", batch)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _path(folder: Path, kind: str, name: str) -> Path:
    return folder / f"{kind}-{quote(name, safe='')}.lock"


@contextmanager
def lock_units(ledger: Ledger, batch: str, units: Iterable[str]) -> Iterator[None]:
    """Hold the lock of the batch and of each unit on this machine; the kernel frees them when the process dies.

    Raises `InputErrors`, one for each that another executor holds.
    """
    folder = ledger.path.parent / LOCKS
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        errors: list[SeedtrainError] = []
        for kind, name in (("batch", batch), *(("unit", unit) for unit in units)):
            path = _path(folder, kind, name)
            try:
                held.enter_context(_locked(path, batch))
            except BlockingIOError:
                errors.append(_taken(path, kind, name))
        collect(errors)
        yield


@contextmanager
def _locked(path: Path, batch: str) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor)
        os.ftruncate(descriptor, 0)
        words = {"batch": batch, "process": os.getpid(), "since": timestamp(datetime.now(UTC))}
        os.pwrite(descriptor, json.dumps(words).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Lock a file; somebody who only looks whether it is locked has it for a moment."""
    for left in range(LOOKERS, -1, -1):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not left:
                raise
            time.sleep(0.02)
        else:
            return


def _taken(path: Path, kind: str, name: str) -> InputError:
    try:
        by = json.loads(path.read_text(encoding="utf-8"))
        whom = f"batch {by['batch']}, process {by['process']}, since {by['since']}"
    except (OSError, ValueError, KeyError):
        whom = "another process"
    return InputError(
        f"{kind} {name} is driven by another executor ({whom})",
        remedy="Let it run, or end that process; then call again.",
    )
