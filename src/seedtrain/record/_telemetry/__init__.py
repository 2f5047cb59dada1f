"""Telemetry: a spool that loses nothing, segments that the ledger vouches for, and questions to both."""

from seedtrain.record._telemetry._bands import Band, bands, bands_of, batch_begin, batch_hours, phase_at
from seedtrain.record._telemetry._bench import bench_telemetry
from seedtrain.record._telemetry._decimate import Method, decimate
from seedtrain.record._telemetry._export import BatchTime, batch_time, write_trends
from seedtrain.record._telemetry._query import Telemetry, Trend
from seedtrain.record._telemetry._rows import QUALITIES, Source, time_of
from seedtrain.record._telemetry._seal import KEEP_H, Sealed, seal_segments
from seedtrain.record._telemetry._segment import Segment, segment_folder, segment_path, telemetry_path
from seedtrain.record._telemetry._spool import Spool

__all__ = [
    "KEEP_H",
    "QUALITIES",
    "Band",
    "BatchTime",
    "Method",
    "Sealed",
    "Segment",
    "Source",
    "Spool",
    "Telemetry",
    "Trend",
    "bands",
    "bands_of",
    "batch_begin",
    "batch_hours",
    "batch_time",
    "bench_telemetry",
    "decimate",
    "phase_at",
    "seal_segments",
    "segment_folder",
    "segment_path",
    "telemetry_path",
    "time_of",
    "write_trends",
]
