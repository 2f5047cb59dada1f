"""Reading with typed errors, writing whole or not at all, and the cache folder."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from seedtrain.base._errors import InputError, Position, UnavailableError

LARGEST_TEXT_BYTES = 64 * 1024 * 1024


def read_text(path: Path, *, what: str = "file", encoding: str = "utf-8") -> str:
    """The text of `path`, UTF-8 if no other `encoding` is given, without its byte-order mark.

    A missing, unreadable, huge or undecodable file is an `InputError`.
    """
    position = Position(str(path))
    try:
        if path.stat().st_size > LARGEST_TEXT_BYTES:
            raise InputError(f"the {what} is larger than 64 MiB", position=position, remedy="Give a smaller file.")
        return path.read_bytes().decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except FileNotFoundError:
        raise InputError(f"there is no such {what}", position=position, remedy="Check the path.") from None
    except IsADirectoryError:
        raise InputError(f"this is a folder, not a {what}", position=position, remedy="Give a file.") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} is not {encoding.upper()} text", position=position, remedy="Save the file as UTF-8."
        ) from None
    except OSError as error:
        raise UnavailableError(f"the {what} cannot be read: {error.strerror}", position=position) from error


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write `path` whole or not at all: a temporary file beside it, flushed to the disk, then renamed."""
    raw = data.encode("utf-8") if isinstance(data, str) else data
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(raw)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, 0o644)  # a result is for others to read
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UnavailableError(
            f"cannot write: {error.strerror}",
            position=Position(str(path)),
            remedy="Free space or choose another folder.",
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all; not-a-number is refused."""
    write_atomic(path, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def finite(value: Any) -> Any:
    """`value` for JSON: what is not finite becomes null."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def cache_folder(*parts: str) -> Path:
    """A folder of the user's cache: `$SEEDTRAIN_CACHE`, else `$XDG_CACHE_HOME/seedtrain`, else `~/.cache/seedtrain`."""
    root = os.environ.get("SEEDTRAIN_CACHE")
    base = Path(root) if root else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seedtrain"
    folder = base.joinpath(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(
            f"the cache folder cannot be made: {error.strerror}",
            position=Position(str(folder)),
            remedy="Set SEEDTRAIN_CACHE to a folder that can be written.",
        ) from error
    return folder
