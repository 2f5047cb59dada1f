"""Telemetry of a phase as an immutable file of columns, named by its digest and kept beside the ledger."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedtrain.automation._devices import Function, Reading
from seedtrain.base import IntegrityError, Position, digest_bytes, read_text, write_atomic

Floats = NDArray[np.float64]
SIGNIFICANT_DIGITS = 7


@dataclass(frozen=True)
class Segment:
    """The readings of one phase as columns.

    - `time`: h since the batch began, shape "time"; `columns[tag]`: values in `units[tag]`, same shape.
    - `origin`: simulated or measured, of every value; `quality`: the worst quality of each row, shape "time".
    """

    time: Floats
    columns: dict[str, Floats]
    units: dict[str, str]
    origin: str
    quality: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many values it holds."""
        return len(self.time) * len(self.columns)

    def to_bytes(self) -> bytes:
        """The file's bytes: one header line, then one line a time point; the same readings give the same bytes."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["time [h]", *(f"{tag} [{self.units[tag]}]" for tag in self.columns), "quality", "origin"])
        columns = [[_text(value) for value in column] for column in self.columns.values()]
        for index, time in enumerate(self.time):
            row = [column[index] for column in columns]
            writer.writerow([f"{time:.9g}", *row, self.quality[index], self.origin])
        return stream.getvalue().encode("utf-8")


def _text(value: float) -> str:
    return f"{value:.{SIGNIFICANT_DIGITS}g}"


def segment_of(readings: Sequence[Reading], functions: Sequence[Function], batch_start: datetime) -> Segment:
    """The readings of one phase as columns; every function must have read at the same times."""
    assert readings, "a phase without readings has no segment"
    order = {"good": 0, "uncertain": 1, "bad": 2}
    by_tag: dict[str, list[Reading]] = {item.tag: [] for item in functions}
    for reading in readings:
        by_tag[reading.tag].append(reading)
    times = [item.time for item in by_tag[functions[0].tag]]
    assert all([item.time for item in rows] == times for rows in by_tag.values()), "ragged readings"
    worst = ["good"] * len(times)
    for rows in by_tag.values():
        worst = [max(old, row.quality, key=order.__getitem__) for old, row in zip(worst, rows, strict=True)]
    return Segment(
        time=np.array([(time - batch_start).total_seconds() / 3600.0 for time in times]),
        # Rounded as the file has them, so that a figure is the same whether it comes from memory or from the file.
        columns={tag: np.array([float(_text(item.value)) for item in rows]) for tag, rows in by_tag.items()},
        units={item.tag: item.unit for item in functions},
        origin=readings[0].origin,
        quality=tuple(worst),
    )


def store(segment: Segment, folder: Path) -> str:
    """Write the segment under its digest, whole or not at all, and read it back; returns the digest."""
    raw = segment.to_bytes()
    name = digest_bytes(raw)
    path = segment_path(folder, name)
    if not path.exists():
        write_atomic(path, raw)
    assert digest_bytes(path.read_bytes()) == name, f"{path} does not hold what was written"
    return name


def segment_path(folder: Path, digest: str) -> Path:
    """Where the segment with `digest` lies."""
    return folder / f"{digest}.csv"


def read_segment(folder: Path, digest: str) -> Segment:
    """The segment that was stored as `digest`; raises `IntegrityError` where the file is not what was stored."""
    path = segment_path(folder, digest)
    text = read_text(path, what="telemetry segment")
    found = digest_bytes(text.encode("utf-8"))
    if found != digest:
        raise IntegrityError(
            f"the telemetry segment has digest {found[:16]}..., the record has {digest[:16]}...",
            position=Position(str(path)),
            remedy="Restore the file from a backup; the record names it.",
        )
    header, *rows = list(csv.reader(io.StringIO(text)))
    names = [cell.removesuffix("]").rsplit(" [", 1) for cell in header[1:-2]]
    return Segment(
        time=np.array([float(row[0]) for row in rows]),
        columns={tag: np.array([float(row[index + 1]) for row in rows]) for index, (tag, _) in enumerate(names)},
        units={name[0]: name[1] for name in names},
        origin=rows[0][-1],
        quality=tuple(row[-2] for row in rows),
    )
