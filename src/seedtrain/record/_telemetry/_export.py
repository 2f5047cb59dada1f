"""Telemetry for other programs: Parquet (long), CSV (wide) and JSON with data cubes in the style of Allotrope."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError, Position, write_atomic
from seedtrain.record._event import timestamp
from seedtrain.record._ledger import Ledger
from seedtrain.record._telemetry._bands import Band, bands, bands_of, batch_end, batch_hours, phase_at, require_begin
from seedtrain.record._telemetry._query import Trend
from seedtrain.record._telemetry._rows import QUALITIES, Longs, needed, time_of


@dataclass(frozen=True)
class BatchTime:
    """The time of a batch: its beginning and end (microseconds since 1970) and its phases; of no batch: none of them.

    - `end`: None too while it runs, or where a phase of it never ended.
    """

    batch: str = ""
    begin: int | None = None
    bands: tuple[Band, ...] = ()
    end: int | None = None

    def hours(self, time: Longs) -> list[float | None]:
        """Hours since the batch began; None where there is no batch."""
        return [None] * len(time) if self.begin is None else [float(item) for item in batch_hours(self.begin, time)]

    def band(self, phase: str) -> Band:
        """The band of a phase; `InputError` where it has not run."""
        found = next((item for item in self.bands if item.phase == phase), None)
        if found is None:
            known = ", ".join(item.phase for item in self.bands) or "none"
            raise InputError(f"phase {phase!r} of {self.batch} has not run", remedy=f"Phases that have: {known}.")
        return found


def batch_time(ledger: Ledger, batch: str | None) -> BatchTime:
    """The time of a batch of this ledger; `InputError` where there is no such batch."""
    if batch is None:
        return BatchTime()
    return BatchTime(batch, require_begin(ledger, batch), bands(ledger, batch), batch_end(ledger, batch))


def write_trends(trends: Sequence[Trend], path: Path, batch: BatchTime) -> None:
    """Write trends to a `.parquet`, `.csv` or `.json` file, whole or not at all."""
    write = WRITERS.get(path.suffix.lower())
    if write is None:
        raise InputError(
            f"no telemetry is written as {path.suffix or 'a file without a suffix'}",
            position=Position(str(path)),
            remedy=f"Use one of: {', '.join(WRITERS)}.",
        )
    write_atomic(path, write(trends, batch))


def _parquet(trends: Sequence[Trend], batch: BatchTime) -> bytes:
    pa, parquet = needed("pyarrow"), needed("pyarrow.parquet")
    time = np.concatenate([item.time for item in trends]) if trends else np.empty(0, np.int64)
    sizes = [len(item.time) for item in trends]
    columns = {
        name: pa.array(
            [text for item, size in zip(trends, sizes, strict=True) for text in [getattr(item, name)] * size],
            pa.string(),
        ).dictionary_encode()
        for name in ("tag", "device", "unit", "origin")
    }
    columns["time"] = pa.array(time).cast(pa.timestamp("us", "UTC"))
    columns["batch_h"] = pa.array(batch.hours(time), pa.float64())
    phases = [name for item in trends for name in phase_at(bands_of(batch.bands, item.device), item.time)]
    columns["phase"] = pa.array(phases, pa.string()).dictionary_encode()
    columns["value"] = pa.array(np.concatenate([item.value for item in trends]) if trends else [], pa.float64())
    marks = [QUALITIES[mark] for item in trends for mark in item.quality.tolist()]
    columns["quality"] = pa.array(marks, pa.string()).dictionary_encode()
    sink = pa.BufferOutputStream()
    table = pa.table(columns).replace_schema_metadata({"batch": batch.batch})
    parquet.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def column_names(trends: Sequence[Trend]) -> list[str]:
    """`tag [unit]`, with the instrument (and the origin) where the tag alone would not tell two columns apart."""
    shortest = [f"{item.tag} [{item.unit}]" for item in trends]
    longer = [f"{item.tag} {item.device} [{item.unit}]" for item in trends]
    longest = [f"{item.tag} {item.device} {item.origin} [{item.unit}]" for item in trends]
    found = []
    for short, long, whole in zip(shortest, longer, longest, strict=True):
        found.append(short if shortest.count(short) == 1 else long if longer.count(long) == 1 else whole)
    return found


def _csv(trends: Sequence[Trend], batch: BatchTime) -> bytes:
    """One row a time, one column a tag; blank where a tag has no reading then; several at one time: the last."""
    every = [item.time for item in trends]
    time = np.unique(np.concatenate(every)) if every else np.empty(0, np.int64)
    table = np.full((len(time), len(trends)), "", dtype=object)
    worst, simulated = np.zeros(len(time), np.int8), np.zeros(len(time), bool)
    for at, item in enumerate(trends):
        places = np.searchsorted(time, item.time)
        table[places, at] = [repr(value) for value in item.value.tolist()]
        np.maximum.at(worst, places, item.quality)
        simulated[places] |= item.origin == "simulated"
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["time", "batch_h", "phase", *column_names(trends), "quality", "origin"])
    hours, phases = batch.hours(time), phase_at(batch.bands, time)
    for row in range(len(time)):
        stamp, hour = timestamp(time_of(time[row])), hours[row]
        origin = "simulated" if simulated[row] else "measured"
        relative = "" if hour is None else f"{hour:.9g}"
        writer.writerow([stamp, relative, phases[row], *table[row], QUALITIES[worst[row]], origin])
    return stream.getvalue().encode("utf-8")


def _json(trends: Sequence[Trend], batch: BatchTime) -> bytes:
    """A measurement document and a data cube for each trend, as Allotrope's Simple Model lays them out.

    It follows that layout and is not checked against Allotrope's schemas: it names no manifest.
    """
    documents = [_measurement(item, batch) for item in trends]
    devices = sorted({item.device for item in trends if item.device})
    data = {
        "measurement aggregate document": {
            "batch identifier": batch.batch or None,
            "batch start time": None if batch.begin is None else timestamp(time_of(batch.begin)),
            "measurement document": documents,
        },
        "device system document": {"device document": [{"device identifier": name} for name in devices]},
        "phase document": [
            {
                "phase": band.phase,
                "unit": band.unit,
                "start time": timestamp(time_of(band.start)),
                "end time": None if band.end is None else timestamp(time_of(band.end)),
            }
            for band in batch.bands
        ],
    }
    return (json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode("utf-8")


def _measurement(trend: Trend, batch: BatchTime) -> dict[str, Any]:
    first = int(trend.time[0]) if len(trend.time) else 0
    zero = first if batch.begin is None else batch.begin
    values = [value if np.isfinite(value) else None for value in trend.value.tolist()]
    return {
        "measurement identifier": f"{trend.tag}/{trend.device}/{trend.origin}",
        "measurement time": timestamp(time_of(first)),
        "device identifier": trend.device,
        "origin": trend.origin,
        "elapsed time zero": timestamp(time_of(zero)),
        "process data cube": {
            "label": trend.tag,
            "cube-structure": {
                "dimensions": [{"@componentDatatype": "double", "concept": "elapsed time", "unit": "s"}],
                "measures": [
                    {"@componentDatatype": "double", "concept": trend.tag, "unit": trend.unit},
                    {"@componentDatatype": "string", "concept": "quality", "unit": "(unitless)"},
                ],
            },
            "data": {
                "dimensions": [((trend.time - zero) / 1e6).tolist()],
                "measures": [values, [QUALITIES[mark] for mark in trend.quality.tolist()]],
            },
        },
    }


WRITERS: Final[dict[str, Callable[[Sequence[Trend], BatchTime], bytes]]] = {
    ".csv": _csv,
    ".json": _json,
    ".parquet": _parquet,
}
