"""Exact canonical bytes and their digests.

Two forms. `signed_bytes` is what the ledger stores and signs: ASCII keys, no floats, decimals as strings (equal to
RFC 8785 for that subset). `canonical_bytes` also takes floats, written as their shortest round-trip text, and serves
as the key of caches and stages.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
_LARGEST: Final = 2**53


def signed_bytes(value: Any) -> bytes:
    """Canonical JSON bytes of `value` without floats; raises `TypeError` for what cannot be signed."""
    return _dump(value if _plain(value) else _checked(value, floats=False))


def canonical_bytes(value: Any) -> bytes:
    """Canonical JSON bytes of `value`; a finite float becomes its shortest text, tuples become lists."""
    return _dump(_checked(value, floats=True))


def digest(value: Any) -> str:
    """SHA-256 of `canonical_bytes`, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def digest_bytes(data: bytes) -> str:
    """SHA-256 of `data`, as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def decimal_text(value: float, significant: int = 6) -> str:
    """A float as the decimal string that signed content holds, rounded to `significant` digits.

    Raises `ValueError` for a value that is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value!r} has no decimal text")
    rounded = Decimal(f"{value:.{significant}g}")
    text = format(rounded, "f")
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def _writer() -> Callable[[Any], str]:
    """What `_ENCODER.encode` does, without making the interpreter's own writer anew at each call."""
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _ENCODER.encode
    write = make(None, _ENCODER.default, json.encoder.encode_basestring, None, ":", ",", True, False, False)
    return lambda value: "".join(write(value, 0))


_write: Final = _writer()


def _dump(value: Any) -> bytes:
    return _write(value).encode("utf-8")


def _plain(value: Any) -> bool:
    """Whether `value` is JSON as it stands, of the built-in types alone and without floats."""
    kind = type(value)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or not key.isascii() or not (type(item) is str or _plain(item)):
                return False
        return True
    if kind is list:
        return all(map(_plain, value))
    return kind is str or value is None or kind is bool or (kind is int and -_LARGEST <= value <= _LARGEST)


def _checked(value: Any, *, floats: bool) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        if abs(value) > 2**53:
            raise TypeError(f"{value} is beyond 2**53: write it as a string")
        return value
    if isinstance(value, float):
        if not floats:
            raise TypeError(f"{value!r} is a float: signed content holds decimals as strings")
        if not math.isfinite(value):
            raise TypeError(f"{value!r} has no canonical form")
        return {"float": repr(value + 0.0)}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str) or not key.isascii():
                raise TypeError(f"the key {key!r} is not an ASCII string")
        return {key: _checked(item, floats=floats) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_checked(item, floats=floats) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")
