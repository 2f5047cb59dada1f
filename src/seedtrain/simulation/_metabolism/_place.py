"""Where a reaction stands in a model's file, for error messages."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path

from seedtrain.base import Position


def find(file: str, identifier: str) -> Position:
    """The line and column where `identifier` is declared in an SBML or JSON `file`; the file alone where it is not."""
    try:
        raw = Path(file).read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8", errors="replace")
    except (OSError, EOFError, zlib.error):
        return Position(file)
    name = re.escape(identifier)
    found = re.search(rf'(?:\bid="(?:R_|M_)?{name}"|"id"\s*:\s*"{name}")', text)
    if found is None:
        return Position(file)
    start = found.start()
    return Position(file, text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))
