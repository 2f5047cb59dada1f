"""Readings as columns, and as the bytes of one flush of the spool."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, IntegrityError, Position, UnavailableError

Quality = Literal["good", "uncertain", "bad"]
QUALITIES: Final[tuple[Quality, ...]] = ("good", "uncertain", "bad")
ORIGINS: Final = ("measured", "simulated")
HOUR_US: Final = 3_600_000_000
Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Bytes = NDArray[np.int8]
_LAYOUT: Final = (("series", "<u4"), ("time", "<i8"), ("value", "<f8"), ("quality", "<i1"))
_ROW_BYTES: Final = sum(np.dtype(kind).itemsize for _, kind in _LAYOUT)


class Source(NamedTuple):
    """What a row of values is of: the tag, its unit, the instrument, and whether it was measured or simulated."""

    tag: str
    unit: str
    device: str
    origin: str


@dataclass(frozen=True)
class Rows:
    """Readings of any sources, all of shape "row".

    - `series`: the number of the source; `time`: source time, microseconds since 1970 (UTC).
    - `value`: in the source's unit; `quality`: index into `QUALITIES`.
    """

    series: NDArray[np.uint32]
    time: Longs
    value: Floats
    quality: Bytes

    def __len__(self) -> int:
        return len(self.time)

    def take(self, which: NDArray[Any]) -> Rows:
        """The rows of these places (or where a mask holds)."""
        return Rows(self.series[which], self.time[which], self.value[which], self.quality[which])

    def to_bytes(self) -> bytes:
        """The columns one after the other, little-endian."""
        columns = (self.series, self.time, self.value, self.quality)
        return b"".join(
            np.ascontiguousarray(column, kind).tobytes() for column, (_, kind) in zip(columns, _LAYOUT, strict=True)
        )


def from_bytes(body: bytes, checksum: int, where: str) -> Rows:
    """The rows of a flush; `IntegrityError` where the bytes are not those that were written (CRC-32)."""
    count, rest = divmod(len(body), _ROW_BYTES)
    if rest or zlib.crc32(body) != checksum:
        raise IntegrityError(
            f"flush {where} of the telemetry spool is damaged",
            remedy="Restore the spool from a backup; what was sealed before is not touched by this.",
        )
    columns, at = [], 0
    for _, kind in _LAYOUT:
        columns.append(np.frombuffer(body, kind, count, at))
        at += count * np.dtype(kind).itemsize
    return Rows(*columns)


def joined(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts, in this order."""
    if not parts:
        return Rows(np.empty(0, np.uint32), np.empty(0, np.int64), np.empty(0), np.empty(0, np.int8))
    names = ("series", "time", "value", "quality")
    return Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def microseconds(time: datetime) -> int:
    """A time as microseconds since 1970 (UTC); a time without a zone is refused."""
    if time.tzinfo is None:
        raise InputError(f"{time!s} has no time zone", remedy="Give an aware time, best in UTC.")
    return round(time.timestamp() * 1e6)


def time_of(microseconds: int) -> datetime:
    """The time of microseconds since 1970."""
    seconds, rest = divmod(int(microseconds), 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def needed(module: str) -> Any:
    """An optional package; `UnavailableError` with the remedy where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise UnavailableError(
            f"telemetry segments need {package}, which is not installed",
            remedy="Install it with: pip install 'seedtrain[telemetry]'.",
        ) from None


def changed(path: Any, found: str, expected: str) -> IntegrityError:
    """What is raised where a segment is not what the ledger says."""
    return IntegrityError(
        f"the telemetry segment has digest {found[:16]}..., the record has {expected[:16]}...",
        position=Position(str(path)),
        remedy="Run `seedtrain telemetry seal`: it makes the segment again if the spool still holds its readings; "
        "otherwise restore the file from a backup.",
    )
