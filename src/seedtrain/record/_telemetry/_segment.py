"""A segment: the readings of one hour as a Parquet file, sorted by tag and time and named by its digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.base import IntegrityError, Position, digest_file
from seedtrain.record._event import Event, moment
from seedtrain.record._ledger import Ledger
from seedtrain.record._telemetry._rows import QUALITIES, Rows, Source, changed, microseconds, needed

STORED: Final = "segment.stored"
FORMAT: Final = "parquet"
GROUP_ROWS: Final = 32_768
COLUMNS: Final = ("tag", "device", "unit", "origin", "time", "value", "quality")


@dataclass(frozen=True)
class Segment:
    """A sealed segment as the ledger records it.

    - `hour`: microseconds since 1970 at which its hour begins; `part`: 0, and 1, 2, ... for what came after sealing.
    - `first`, `last`: times of its first and last reading, microseconds since 1970.
    - `spool`, `until`: the spool that it was made from, and that spool's last flush within it.
    """

    seq: int
    subject: str
    digest: str
    hour: int
    part: int
    first: int
    last: int
    count: int
    tags: tuple[str, ...]
    origin: str
    spool: str
    until: int

    def meets(self, start: int, end: int) -> bool:
        """Whether a reading in [start, end) may be in it."""
        return self.first < end and self.last >= start


def segment_folder(ledger: Ledger) -> Path:
    """Where the segments of a ledger lie: beside it, where the batch export looks for them."""
    return ledger.path.parent / "segments"


def telemetry_path(path: Path) -> Path:
    """Where the spool of the ledger at `path` stands."""
    return path.with_name(path.name + ".telemetry")


def segment_path(folder: Path, digest: str) -> Path:
    """Where the segment of this digest lies."""
    return folder / f"{digest}.{FORMAT}"


def segment_of(event: Event) -> Segment | None:
    """The segment that an event records; None where it is of another format."""
    payload = event.payload
    if event.type != STORED or payload.get("format") != FORMAT:
        return None
    return Segment(
        seq=event.seq,
        subject=event.subject,
        digest=str(payload["digest"]),
        hour=microseconds(moment(str(payload["hour"]))),
        part=int(payload["part"]),
        first=microseconds(moment(str(payload["first"]))),
        last=microseconds(moment(str(payload["last"]))),
        count=int(payload["count"]),
        tags=tuple(str(tag) for tag in payload["tags"]),
        origin=str(payload["origin"]),
        spool=str(payload["spool"]),
        until=int(payload["until_flush"]),
    )


def arrow_table(rows: Rows, sources: Mapping[int, Source]) -> Any:
    """The rows as an Arrow table of `COLUMNS`, by tag, unit, device, origin and time; equal times as they came."""
    pa = needed("pyarrow")
    numbers = sorted(np.unique(rows.series).tolist(), key=lambda number: sources[number])
    place = np.zeros(max(numbers, default=0) + 1, np.int32)
    place[numbers] = np.arange(len(numbers))
    rank = place[rows.series]
    order = np.lexsort((rows.time, rank))
    sorted_rows, ranks = rows.take(order), rank[order]
    columns = {}
    for at, name in ((0, "tag"), (2, "device"), (1, "unit"), (3, "origin")):
        words = [sources[number][at] for number in numbers]
        known = sorted(set(words))
        index = np.array([known.index(word) for word in words], np.int32)
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(index[ranks]), pa.array(known, pa.string()))
    columns["time"] = pa.array(sorted_rows.time).cast(pa.timestamp("us", "UTC"))
    columns["value"] = pa.array(sorted_rows.value)
    marks = pa.array(sorted_rows.quality.astype(np.int32))
    columns["quality"] = pa.DictionaryArray.from_arrays(marks, pa.array(QUALITIES, pa.string()))
    return pa.table(columns)


def parquet_bytes(table: Any) -> bytes:
    """The file's bytes; the same table gives the same bytes with one version of pyarrow."""
    pa, parquet = needed("pyarrow"), needed("pyarrow.parquet")
    sink = pa.BufferOutputStream()
    parquet.write_table(
        table,
        sink,
        compression="zstd",
        row_group_size=GROUP_ROWS,
        use_dictionary=["tag", "device", "unit", "origin", "quality"],
        column_encoding={"time": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT"},
    )
    return bytes(sink.getvalue())


def is_whole(folder: Path, digest: str) -> bool:
    """Whether the file is there and holds what was stored."""
    path = segment_path(folder, digest)
    return path.exists() and digest_file(path) == digest


def require_whole(folder: Path, digest: str) -> Path:
    """The path of a segment, its bytes checked against its digest; `IntegrityError` where they differ."""
    path = segment_path(folder, digest)
    if not path.exists():
        raise IntegrityError(
            f"telemetry segment {digest[:16]}... that the record names is not there",
            position=Position(str(path)),
            remedy="Run `seedtrain telemetry seal` to make it again from the spool, or restore it from a backup.",
        )
    found = digest_file(path)
    if found != digest:
        raise changed(path, found, digest)
    return path
