"""Questions to telemetry: DuckDB over the sealed segments and what the spool holds beyond them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from seedtrain.base import InputError
from seedtrain.record._ledger import Ledger
from seedtrain.record._telemetry._decimate import Method, decimate
from seedtrain.record._telemetry._rows import (
    HOUR_US,
    QUALITIES,
    Bytes,
    Floats,
    Longs,
    Rows,
    Source,
    from_bytes,
    joined,
    needed,
    time_of,
)
from seedtrain.record._telemetry._rows import microseconds as exact
from seedtrain.record._telemetry._segment import (
    COLUMNS,
    STORED,
    Segment,
    arrow_table,
    require_whole,
    segment_folder,
    segment_of,
    telemetry_path,
)
from seedtrain.record._telemetry._spool import SpoolFile

_ALWAYS: Final = (-(2**62), 2**62)


@dataclass(frozen=True)
class Trend:
    """The readings of one tag of one instrument, in the order of their time, all of shape "row".

    - `time`: source time, microseconds since 1970; `value`: in `unit`; `quality`: index into good, uncertain, bad.
    - `origin`: measured or simulated. `count`: how many readings there were before decimation.
    """

    tag: str
    unit: str
    device: str
    origin: str
    time: Longs
    value: Floats
    quality: Bytes
    count: int

    def averaged(self, every_s: float) -> Trend:
        """The mean of what is not bad in each interval, at the interval's beginning, with the worst quality in it."""
        step = round(every_s * 1e6)
        if step < 1:
            raise InputError(f"a mean over {every_s} s", remedy="Give a positive number of seconds.")
        usable = (self.quality < QUALITIES.index("bad")) & np.isfinite(self.value)
        time, value = self.time[usable] // step * step, self.value[usable]
        starts, first, count = np.unique(time, return_index=True, return_counts=True)
        if not len(starts):
            return replace(self, time=time, value=value, quality=self.quality[usable])
        all_starts, all_first = np.unique(self.time // step * step, return_index=True)
        worst = np.maximum.reduceat(self.quality, all_first)[np.searchsorted(all_starts, starts)]
        return replace(self, time=starts, value=np.add.reduceat(value, first) / count, quality=worst)

    def decimated(self, points: int, method: Method = "minmax") -> Trend:
        """At most so many of the points, that look the same."""
        places = decimate(self.time, self.value, points, method)
        return replace(self, time=self.time[places], value=self.value[places], quality=self.quality[places])


class Telemetry:
    """The telemetry of a ledger, for questions; keep it open where many are asked.

    A segment is used only where its bytes are those of the digest in the ledger; within one `Telemetry` they are
    checked again where the file's size or time of change differ.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._folder = segment_folder(ledger)
        path = telemetry_path(ledger.path)
        self._spool = SpoolFile(path) if path.exists() else None
        self._segments: list[Segment] = []
        self._seq = 0
        self._checked: dict[str, tuple[int, int, int]] = {}
        self._duck: Any = None

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The sealed segments that the ledger has now."""
        until = self._ledger.head.seq
        for event in self._ledger.events(type=STORED, after=self._seq, until=until):
            found = segment_of(event)
            if found is not None:
                self._segments.append(found)
        self._seq = until
        return tuple(self._segments)

    @contextmanager
    def view(self, start: datetime | None = None, end: datetime | None = None) -> Iterator[Any]:
        """A DuckDB connection with a view `reading` of every reading in [start, end), for SQL of one's own.

        Columns: tag, device, unit, origin, time (UTC), value, quality. What was sent twice is there twice.
        """
        with self._reading(*_window(start, end), None) as connection:
            yield connection

    def trends(
        self,
        tags: Iterable[str],
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        device: str | None = None,
        points: int | None = None,
        method: Method = "minmax",
    ) -> tuple[Trend, ...]:
        """The readings of tags in [start, end), a trend for each tag and instrument, decimated where `points` is given.

        What was sent twice (the same time, value and quality) is there once.

        Raises `InputError` (an unknown tag), `IntegrityError` (a segment that was changed or is gone).
        """
        wanted = tuple(dict.fromkeys(tags))
        if not wanted:
            raise InputError("no tag is asked for", remedy="Name one or more tags.")
        self._require_known(wanted)
        first, last = _window(start, end)
        query = (
            "SELECT tag, unit, device, origin, epoch_us(time) AS time, value, "
            "list_position(['good', 'uncertain', 'bad'], quality::VARCHAR) - 1 AS quality FROM reading"
        )
        values: list[str] = []
        if device is not None:
            query, values = f"{query} WHERE device = ?", [device]
        with self._reading(first, last, wanted) as connection:
            found = connection.execute(
                f"{query} ORDER BY tag, unit, device, origin, time, quality, value", values
            ).fetchnumpy()
        trends = tuple(_split(found))
        return trends if points is None else tuple(item.decimated(points, method) for item in trends)

    def tags(self) -> tuple[str, ...]:
        """Every tag that has a reading."""
        known = {tag for segment in self.segments for tag in segment.tags}
        if self._spool is not None:
            with self._spool.reading():
                known |= {source.tag for source in self._spool.sources().values()}
        return tuple(sorted(known))

    @property
    def latest(self) -> datetime | None:
        """The source time of the latest reading; None where there is none."""
        last = [segment.last for segment in self.segments]
        if self._spool is not None:
            with self._spool.reading() as connection:
                found = connection.execute("SELECT max(last) FROM flush").get
            last += [] if found is None else [int(found)]
        return time_of(max(last)) if last else None

    def _require_known(self, wanted: Sequence[str]) -> None:
        known = self.tags()
        unknown = [tag for tag in wanted if tag not in known]
        if unknown:
            remedy = f"Tags with readings: {', '.join(known[:40])}." if known else "Nothing was recorded yet."
            raise InputError(f"no telemetry of {', '.join(map(repr, unknown))}", remedy=remedy)

    @contextmanager
    def _reading(self, start: int, end: int, tags: Sequence[str] | None) -> Iterator[Any]:
        # The spool first: what is sealed after that is left out by the ledger's own account of the flushes.
        parts, sources = self._unsealed(start, end)
        segments = self.segments
        rows = self._beyond(parts, segments, sources, tags)
        chosen = [item for item in segments if item.meets(start, end) and (tags is None or set(tags) & set(item.tags))]
        files = [str(self._whole(item)) for item in chosen]
        if self._duck is None:
            self._duck = needed("duckdb").connect(config={"threads": 1})
            self._duck.execute("SET TimeZone = 'UTC'")
        connection = self._duck.cursor()
        try:
            connection.register("unsealed", arrow_table(rows, sources))
            connection.execute(_view(files, start, end, tags))
            yield connection
        finally:
            connection.execute("DROP VIEW IF EXISTS reading")
            connection.unregister("unsealed")
            connection.close()

    def _unsealed(self, start: int, end: int) -> tuple[list[tuple[int, int, bytes, int]], Mapping[int, Source]]:
        """The flushes of the spool that may have readings in [start, end), and the sources."""
        if self._spool is None:
            return [], {}
        sealed = self._sealed(self.segments)
        with self._spool.reading() as connection:
            found = []
            for (hour,) in connection.execute("SELECT DISTINCT hour FROM flush").fetchall():
                if (hour + 1) * HOUR_US <= start or hour * HOUR_US >= end:
                    continue
                query = (
                    "SELECT hour, id, body, checksum FROM flush "
                    "WHERE hour = ? AND id > ? AND first < ? AND last >= ? ORDER BY id"
                )
                found += connection.execute(query, (hour, sealed.get(hour, 0), end, start)).fetchall()
            return found, self._spool.sources()

    def _beyond(
        self,
        parts: Sequence[tuple[int, int, bytes, int]],
        segments: Sequence[Segment],
        sources: Mapping[int, Source],
        tags: Sequence[str] | None,
    ) -> Rows:
        """The readings of flushes that no segment has; only of `tags` where given."""
        sealed = self._sealed(segments)
        wanted = np.zeros(max(sources, default=0) + 1, bool)
        wanted[[number for number, source in sources.items() if tags is None or source.tag in tags]] = True
        found = []
        for hour, number, body, checksum in parts:
            if number > sealed.get(hour, 0):
                rows = from_bytes(body, checksum, str(number))
                found.append(rows.take(wanted[rows.series]))
        return joined(found)

    def _sealed(self, segments: Sequence[Segment]) -> dict[int, int]:
        """For each hour the last flush of our spool that a segment has, as the ledger says."""
        found: dict[int, int] = {}
        for item in segments:
            if self._spool is not None and item.spool == self._spool.id:
                hour = item.hour // HOUR_US
                found[hour] = max(found.get(hour, 0), item.until)
        return found

    def _whole(self, segment: Segment) -> Path:
        path = self._folder / f"{segment.digest}.parquet"
        mark = None
        if path.exists():
            state = path.stat()
            mark = (state.st_size, state.st_mtime_ns, state.st_ino)
        if mark is None or self._checked.get(segment.digest) != mark:
            require_whole(self._folder, segment.digest)
            assert mark is not None
            self._checked[segment.digest] = mark
        return path

    def close(self) -> None:
        """Let the files go; the ledger stays open."""
        if self._duck is not None:
            self._duck.close()
        if self._spool is not None:
            self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()


def _window(start: datetime | None, end: datetime | None) -> tuple[int, int]:
    first = _ALWAYS[0] if start is None else exact(start)
    last = _ALWAYS[1] if end is None else exact(end)
    if first >= last:
        raise InputError(f"the window from {start} to {end} is empty", remedy="Give an end after the start.")
    return first, last


def _view(files: Sequence[str], start: int, end: int, tags: Sequence[str] | None) -> str:
    """The view of all readings; a view takes no parameters, so that texts are quoted here."""
    names = ", ".join(COLUMNS)
    where = []
    if (start, end) != _ALWAYS:
        where += [f"time >= make_timestamptz({start})"] if start != _ALWAYS[0] else []
        where += [f"time < make_timestamptz({end})"] if end != _ALWAYS[1] else []
    if tags is not None:
        where.append(f"tag IN ({', '.join(map(_quoted, tags))})")
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    parts = [f"SELECT {names} FROM unsealed{condition}"]  # noqa: S608 - numbers and quoted texts only
    if files:
        source = f"read_parquet([{', '.join(map(_quoted, files))}])"
        parts.append(f"SELECT {names} FROM {source}{condition}")  # noqa: S608
    return f"CREATE OR REPLACE TEMP VIEW reading AS {' UNION ALL '.join(parts)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _split(found: Mapping[str, Any]) -> Iterator[Trend]:
    """The answer of DuckDB cut where tag, unit, device or origin change."""
    names = ("tag", "unit", "device", "origin")
    count = len(found["time"])
    if not count:
        return
    changes = np.zeros(count - 1, bool)
    for name in names:
        column = np.asarray(found[name])
        changes |= column[1:] != column[:-1]
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), count]
    for low, high in pairwise(edges):
        tag, unit, device, origin = (str(found[name][low]) for name in names)
        time = np.asarray(found["time"][low:high], np.int64)
        value = np.asarray(found["value"][low:high], np.float64)
        quality = np.asarray(found["quality"][low:high], np.int8)
        same = (np.diff(time) == 0) & (np.diff(quality) == 0)
        same &= (value[1:] == value[:-1]) | (np.isnan(value[1:]) & np.isnan(value[:-1]))
        once = np.concatenate(([True], ~same))
        yield Trend(tag, unit, device, origin, time[once], value[once], quality[once], int(once.sum()))


assert QUALITIES == ("good", "uncertain", "bad"), "the query of trends names them"
