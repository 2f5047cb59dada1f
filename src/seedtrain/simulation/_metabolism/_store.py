"""Arrays and their description kept in the cache, checked by digest when they are read back.

A pair of files by key: `KEY.npz` (arrays, never pickled objects) and `KEY.json`, which holds the digest of the first.
Whatever does not hold (cut short, edited, of another format) counts as absent, since a cache can be made again.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import cache_folder, digest, digest_bytes, write_atomic

FORMAT: Final = 3
"""Counts up when what is stored, or how it is computed, changes."""

Arrays = Mapping[str, NDArray[Any]]


def folder() -> Path:
    """Where compiled metabolism is cached."""
    return cache_folder("metabolism")


def save(key: str, arrays: Arrays, data: Mapping[str, Any]) -> Path:
    """Store `arrays` and `data` (JSON-ready) under `key`; returns the path of the description."""
    assert all(item.dtype.kind in "bif" for item in arrays.values()), "objects would need pickle"
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **dict(arrays))
    raw = stream.getvalue()
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, allow_nan=False)
    path = folder() / f"{key}.json"
    write_atomic(path.with_suffix(".npz"), raw)
    head = {"format": FORMAT, "arrays": digest_bytes(raw), "description": digest_bytes(text.encode()), "data": data}
    write_atomic(path, json.dumps(head, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n")
    return path


def load(key: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    """What `save` stored under `key`, or nothing where it is absent or not what was written."""
    path = folder() / f"{key}.json"
    try:
        head = json.loads(path.read_bytes())
        raw = path.with_suffix(".npz").read_bytes()
        text = json.dumps(head["data"], ensure_ascii=False, sort_keys=True, allow_nan=False)
        whole = head["arrays"] == digest_bytes(raw) and head["description"] == digest_bytes(text.encode())
        if head["format"] != FORMAT or not whole:
            return None
        with np.load(io.BytesIO(raw), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}, dict(head["data"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def kept(key: str) -> bool:
    """Whether something is kept under `key`, be it sound or not."""
    return (folder() / f"{key}.json").exists()


def key_of(kind: str, *parts: Any) -> str:
    """The key of something of `kind` that `parts` decide."""
    return f"{kind}-{digest([FORMAT, *parts])[:32]}"
