"""The anchor file beside a ledger: every signed checkpoint once more, outside the database, so that a cut tail shows.

One line per commit, only ever appended. Keep a copy on write-once storage: what stands there cannot be unsaid.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from seedtrain.base import Position, UnavailableError, signed_bytes
from seedtrain.record._verifier import anchor_note, parse_checkpoint

_TAIL_BYTES: Final = 16 * 1024
_QUOTE: Final = json.encoder.encode_basestring


class AnchorFile:
    """Appends checkpoints to the file and tells the newest one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None
        self._owed: list[str] = []
        self._end = -1  # where our own last line ended: nobody has written since if the file ends there
        self._length = 0

    def owe(self, note: str) -> None:
        """Keep a checkpoint that could not be written; the next `append` writes it first, or fails."""
        self._owed.append(note)

    def append(self, notes: Iterable[str]) -> None:
        """Write one line per checkpoint; a line torn by a power loss is closed off first."""
        owed, self._owed = self._owed, []
        try:
            self._write([*owed, *notes])
        except UnavailableError:
            self._owed = owed
            raise

    def append_stamp(self, note: str, token: bytes) -> None:
        """Write a checkpoint once more, with the time stamp token (DER) that an authority gave for it."""
        self._write_lines([signed_bytes({"checkpoint": note, "token": base64.b64encode(token).decode("ascii")})])

    def _write(self, notes: Iterable[str]) -> None:
        self._write_lines([f'{{"checkpoint":{_QUOTE(note)}}}'.encode() for note in notes])  # what `signed_bytes` writes

    def _write_lines(self, lines: Iterable[bytes]) -> None:
        try:
            if self._handle is None:
                self._handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            for text in lines:
                line = b"\n" + text + b"\n" if self._torn() else text + b"\n"
                written = os.write(self._handle, line)
                if written != len(line):
                    raise OSError(28, "no space left on device")
                self._end = self._length + written
        except OSError as error:
            raise UnavailableError(
                f"the anchors cannot be written: {error.strerror}",
                position=Position(str(self.path)),
                remedy="Free space, or make the file writable: nothing more is recorded before that.",
            ) from error

    def newest(self) -> tuple[int, bytes] | None:
        """Size and root of the largest checkpoint in the file; None if it holds none."""
        try:
            with self.path.open("rb") as stream:
                length = stream.seek(0, os.SEEK_END)
                stream.seek(max(0, length - _TAIL_BYTES))
                found = _largest(stream.read())
                if found is None and length > _TAIL_BYTES:
                    stream.seek(0)
                    found = _largest(stream.read())
                return found
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnavailableError(
                f"the anchors cannot be read: {error.strerror}", position=Position(str(self.path))
            ) from error

    def close(self) -> None:
        """Let the file go, flushed to the disk."""
        if self._handle is not None:
            os.fsync(self._handle)
            os.close(self._handle)
            self._handle = None

    def _torn(self) -> bool:
        assert self._handle is not None
        self._length = os.fstat(self._handle).st_size
        return self._length not in (0, self._end) and os.pread(self._handle, 1, self._length - 1) != b"\n"


def _largest(data: bytes) -> tuple[int, bytes] | None:
    lines = data.decode("utf-8", errors="replace").splitlines()
    parsed = [parse_checkpoint(anchor_note(line).partition("\n\n")[0] + "\n") for line in lines]
    return max(((item[1], item[2]) for item in parsed if item), default=None)
