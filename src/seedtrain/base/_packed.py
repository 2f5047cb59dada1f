"""Files that may be gzip, told by their first bytes and not by their names."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import Final

from seedtrain.base._errors import InputError, Position, UnavailableError

GZIP: Final = b"\x1f\x8b"


@contextmanager
def open_packed(path: Path, *, what: str = "file", give: str = "Give a file.") -> Iterator[BufferedIOBase]:
    """The bytes of `path`, of any size, unpacked where they are gzip; pipes too.

    - `what`: what messages call it. - `give`: the remedy where it is something else.

    Also while it is read, raises `InputError` for a path that is missing or a folder and for gzip that is damaged or
    cut off, and `UnavailableError` for what cannot be read.
    """
    position = Position(str(path))
    try:
        with path.open("rb") as raw:
            if raw.peek(2)[:2] == GZIP:
                with gzip.GzipFile(fileobj=raw) as stream:
                    yield stream
            else:
                yield raw
    except FileNotFoundError:
        raise InputError(f"there is no such {what}", position=position, remedy="Check the path.") from None
    except IsADirectoryError:
        raise InputError(f"this is a folder, not a {what}", position=position, remedy=give) from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise InputError("the gzip file is damaged or cut off", position=position, remedy="Copy it again.") from None
    except OSError as error:
        raise UnavailableError(f"the {what} cannot be read: {error.strerror}", position=position) from error


def read_packed(path: Path, *, what: str = "file", give: str = "Give a file.", encoding: str = "ascii") -> str:
    """The whole text of `open_packed`, no byte-order mark before it; `InputError` for bytes of another `encoding`."""
    with open_packed(path, what=what, give=give) as stream:
        raw = stream.read()
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        fault = f"byte {error.start} is not {encoding.upper()} text"
        raise InputError(fault, position=Position(str(path)), remedy=give) from None
