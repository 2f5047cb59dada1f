"""A file that an ensemble is streamed to: whole or not there, and gone on with after a kill."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Position, UnavailableError
from seedtrain.simulation._ensemble._netcdf import Layout, Writer


class Stream:
    """Rows of trajectories into `path`, by way of a file beside it that has its final form from the start.

    A journal beside it holds the digest of the problem and the size of a chunk, then a line for every chunk that is on
    the disk: what it names was flushed before. `finish` gives the file its name. Raises `InputError` where another
    ensemble was begun there or another process is writing, `UnavailableError` where the disk fails.
    """

    def __init__(self, path: Path, layout: Layout, fixed: Mapping[str, NDArray[Any]], chunk: int) -> None:
        self.path, self.chunk = path, chunk  # a file that was begun keeps its own chunk
        self.partial = path.with_name(f".{path.name}.partial")
        self.journal = path.with_name(f".{path.name}.journal")
        self.done: set[int] = set()
        self._data: int | None = None
        self._log: int | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._log = os.open(self.journal, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            self._lock()
            self._open(layout, fixed)
        except OSError as error:
            self.close()
            raise self._unavailable(error) from error
        except BaseException:
            self.close()
            raise

    def put(self, first: int, values: Mapping[str, NDArray[Any]]) -> None:
        """Write the chunk that begins at trajectory `first`; it is kept, whatever comes, when this returns."""
        assert self._log is not None
        try:
            for name, rows in values.items():
                self._writer.put(name, first, rows)
            self._writer.sync()
            os.write(self._log, f"{first}\n".encode())
            os.fsync(self._log)
        except OSError as error:
            raise self._unavailable(error) from error
        self.done.add(first)

    def finish(self) -> None:
        """Every chunk is there: give the file its name."""
        try:
            self._writer.sync()
            os.replace(self.partial, self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
            self.journal.unlink()
        except OSError as error:
            raise self._unavailable(error) from error

    def close(self) -> None:
        """Let go of the files; what is not finished stays for the next time."""
        for handle in (self._data, self._log):
            if handle is not None:
                os.close(handle)
        self._data = self._log = None

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _lock(self) -> None:
        assert self._log is not None
        try:
            fcntl.flock(self._log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                "another process is writing this ensemble",
                position=Position(str(self.path)),
                remedy="Wait for it, or give another file.",
            ) from None

    def _open(self, layout: Layout, fixed: Mapping[str, NDArray[Any]]) -> None:
        assert self._log is not None
        digest = layout.attributes["seedtrain_digest"]
        head, self.done = self._read()
        if head is not None and head["digest"] != digest:
            raise InputError(
                f"another ensemble was begun here ({self.partial.name}: other parameters, settings or model)",
                position=Position(str(self.path)),
                remedy=f"Go on with that one, remove {self.partial.name} and {self.journal.name}, or give another.",
            )
        going_on = head is not None and self.partial.is_file()
        self._data = os.open(self.partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._writer = Writer(self._data, layout)
        if going_on and os.fstat(self._data).st_size == self._writer.size:
            assert head is not None
            self.chunk = int(head["chunk"])
            return
        self.done = set()
        os.ftruncate(self._data, 0)
        os.ftruncate(self._log, 0)
        self._writer.prepare()
        for name, values in fixed.items():
            self._writer.put(name, 0, values)
        self._writer.sync()
        os.lseek(self._log, 0, os.SEEK_SET)
        os.write(self._log, (json.dumps({"digest": digest, "chunk": self.chunk}) + "\n").encode())
        os.fsync(self._log)

    def _read(self) -> tuple[dict[str, Any] | None, set[int]]:
        """Head and chunks of the journal; a line that a kill cut short does not count, and is taken away."""
        assert self._log is not None
        raw = os.pread(self._log, os.fstat(self._log).st_size, 0)
        whole = raw[: raw.rfind(b"\n") + 1]
        os.ftruncate(self._log, len(whole))
        os.lseek(self._log, 0, os.SEEK_END)
        lines = whole.decode(errors="replace").splitlines()
        if not lines:
            return None, set()
        try:
            head = json.loads(lines[0])
            return {"digest": str(head["digest"]), "chunk": int(head["chunk"])}, {int(line) for line in lines[1:]}
        except (ValueError, TypeError, KeyError):
            raise InputError(
                "the journal of a half-written ensemble is damaged",
                position=Position(str(self.journal)),
                remedy=f"Remove {self.journal.name} and {self.partial.name}; the ensemble starts anew.",
            ) from None

    def _unavailable(self, error: OSError) -> UnavailableError:
        return UnavailableError(
            f"cannot write: {error.strerror}",
            position=Position(str(self.path)),
            remedy="Free space or choose another folder; the same call goes on where it was.",
        )


class Memory:
    """The same in memory: arrays by name."""

    def __init__(self, layout: Layout, fixed: Mapping[str, NDArray[Any]], chunk: int) -> None:
        self.chunk = chunk
        kinds = {"f8": np.float64, "i4": np.int32}
        self.arrays: dict[str, NDArray[Any]] = {
            item.name: np.zeros(layout.shape(item.name), dtype=kinds[item.kind])
            for item in layout.fields
            if item.kind in kinds
        }
        self.arrays |= fixed
        self.done: set[int] = set()

    def put(self, first: int, values: Mapping[str, NDArray[Any]]) -> None:
        """Keep the chunk that begins at trajectory `first`."""
        for name, rows in values.items():
            self.arrays[name][first : first + len(rows)] = rows
        self.done.add(first)
