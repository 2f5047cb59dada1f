"""`seedtrain telemetry`: ask, export and seal the readings that belong to a ledger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, open_record

if TYPE_CHECKING:
    from datetime import datetime

    from seedtrain.record import BatchTime, Telemetry, Trend

app = App(name="telemetry", help="Readings of the plant: ask, export and seal them.")


@Parameter(name="*")
@dataclass(frozen=True)
class Window:
    """Which readings: of which batch, phase, time and instrument."""

    batch: Annotated[str | None, Parameter(help="Of this batch, from its beginning to its end, with its phases.")] = (
        None
    )
    phase: Annotated[str | None, Parameter(help="Only while this phase of the batch ran, and of its unit.")] = None
    start: Annotated[str | None, Parameter(help="From here on: an ISO 8601 time, or hours of the batch.")] = None
    end: Annotated[str | None, Parameter(help="Before this: an ISO 8601 time, or hours of the batch.")] = None
    device: Annotated[str | None, Parameter(help="Only of this instrument.")] = None


@app.command
def query(
    tags: Annotated[tuple[str, ...], Parameter(name="--tag", negative="")],
    *,
    window: Window | None = None,
    points: int | None = None,
    method: Literal["minmax", "lttb"] = "minmax",
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Show the readings of tags, from sealed segments and from what is not sealed yet.

    Example: seedtrain telemetry query --record record.db --tag pH --batch RHCOL3-001 --points 50

    Parameters
    ----------
    tags
        A tag; repeat it for several.
    points
        Show at most so many points of each trend.
    method
        How points are chosen: the least and most of each stretch, or the shape (largest triangles).
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.record import Telemetry, batch_time

    asked = window or Window()
    with open_record(record, read_only=True) as ledger, Telemetry(ledger) as telemetry:
        batch = batch_time(ledger, asked.batch)
        trends = _trends(telemetry, tags, asked, batch)
        if points is not None:
            trends = tuple(item.decimated(points, method) for item in trends)
    if options.json:
        print_json({"batch": asked.batch, "trends": [_data(item, batch) for item in trends]})
        return EXIT_DONE
    with use_language(options.lang):
        for item in trends:
            _show(item, batch)
    return EXIT_DONE


@app.command
def export(
    file: Path,
    tags: Annotated[tuple[str, ...], Parameter(name="--tag", negative="")] = (),
    *,
    window: Window | None = None,
    every: Annotated[float | None, Parameter(help="Means over so many seconds instead of every reading.")] = None,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Write readings to a Parquet file (long), a CSV (wide) or JSON in the style of Allotrope, by the suffix.

    Example: seedtrain telemetry export trends.csv --record record.db --batch RHCOL3-001 --every 60

    Parameters
    ----------
    file
        A new file, one that does not exist, that ends with .parquet, .csv or .json.
    tags
        A tag; repeat it for several. Every tag if none is given.
    """
    options = common or Common()
    from seedtrain.base import Position, use_language
    from seedtrain.record import Telemetry, batch_time, write_trends

    if file.exists():
        raise InputError("the file exists", position=Position(str(file)), remedy="Give another name, or remove it.")
    asked = window or Window()
    with open_record(record, read_only=True) as ledger, Telemetry(ledger) as telemetry:
        batch = batch_time(ledger, asked.batch)
        trends = _trends(telemetry, tags or telemetry.tags(), asked, batch)
    if every is not None:
        trends = tuple(item.averaged(every) for item in trends)
    write_trends(trends, file, batch)
    count = sum(len(item.time) for item in trends)
    if options.json:
        print_json({"file": str(file), "trends": len(trends), "count": count})
        return EXIT_DONE
    with use_language(options.lang):
        print(_("{file}: {count} values of {trends} trends").format(file=file, count=count, trends=len(trends)))
    return EXIT_DONE


@app.command
def seal(
    *,
    batch: Annotated[str | None, Parameter(help="The batch that the segments belong to.")] = None,
    everything: Annotated[bool, Parameter(name="--all", help="Seal the running hour too.", negative="")] = False,
    keep_h: Annotated[float, Parameter(help="Hours for which sealed readings stay in the spool too.")] = 24.0,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Seal the hours that have ended: a file each, its digest in the ledger; torn files are made again.

    Example: seedtrain telemetry seal --record record.db --batch RHCOL3-001
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.record import batch_begin, seal_segments

    with open_record(record) as ledger:
        if batch is not None and batch_begin(ledger, batch) is None:
            raise InputError(f"the ledger has no batch {batch!r}", remedy="See: seedtrain batch list.")
        done = seal_segments(ledger, subject=batch, everything=everything, keep_h=keep_h)
    if options.json:
        print_json(vars(done))
        return EXIT_DONE
    with use_language(options.lang):
        words = _("{count} readings sealed in {segments} segments, {again} segments made again")
        print(words.format(count=done.count, segments=len(done.made), again=len(done.again)))
        for name in (*done.made, *done.again):
            print(f"  {name}")
    return EXIT_DONE


def _trends(telemetry: Telemetry, tags: tuple[str, ...], asked: Window, batch: BatchTime) -> tuple[Trend, ...]:
    from datetime import UTC, datetime, timedelta

    from seedtrain.record import bands_of

    def at(microseconds: int) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)

    start, end = _time(asked.start, batch), _time(asked.end, batch)
    if start is None and batch.begin is not None:  # what another batch read before or after is none of this one's
        start = at(min([batch.begin, *(item.start for item in batch.bands)]))
    if end is None and batch.end is not None:
        end = at(batch.end + 1)
    if asked.phase is not None:
        if not batch.batch:
            raise InputError(f"phase {asked.phase} of no batch", remedy="Give --batch.")
        band = batch.band(asked.phase)
        begin, until = at(band.start), None if band.end is None else at(band.end)
        start = begin if start is None else max(start, begin)
        end = until if end is None or until is None else min(end, until)
    found = telemetry.trends(tags, start, end, device=asked.device)
    if asked.phase is None:
        return found
    return tuple(item for item in found if batch.band(asked.phase) in bands_of(batch.bands, item.device))


def _time(text: str | None, batch: BatchTime) -> datetime | None:
    """An ISO 8601 time, or hours since the batch began."""
    from datetime import UTC, datetime, timedelta

    from seedtrain.record import moment

    if text is None:
        return None
    try:
        hours = float(text)
    except ValueError:
        return moment(text)
    if batch.begin is None:
        raise InputError(f"{text} hours of no batch", remedy="Give --batch, or a time like 2026-03-01T08:00:00Z.")
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=batch.begin, hours=hours)
    except (OverflowError, ValueError):
        raise InputError(f"{text} h is not a time of the batch", remedy="Give hours like 12.5.") from None


def _data(trend: Trend, batch: BatchTime) -> dict[str, Any]:
    from seedtrain.record import QUALITIES, bands_of, phase_at, time_of, timestamp

    return {
        "tag": trend.tag,
        "unit": trend.unit,
        "device": trend.device,
        "origin": trend.origin,
        "count": trend.count,
        "time": [timestamp(time_of(item)) for item in trend.time.tolist()],
        "batch_h": batch.hours(trend.time),
        "phase": phase_at(bands_of(batch.bands, trend.device), trend.time),
        "value": trend.value.tolist(),
        "quality": [QUALITIES[mark] for mark in trend.quality.tolist()],
    }


def _show(trend: Trend, batch: BatchTime) -> None:
    words = _("{tag} [{unit}] of {device}, {origin}: {count} readings")
    origin = _("simulated") if trend.origin == "simulated" else _("measured")
    device = trend.device or "-"
    print(words.format(tag=trend.tag, unit=trend.unit, device=device, origin=origin, count=trend.count))
    data = _data(trend, batch)
    for time, hour, phase, value, quality in zip(
        data["time"], data["batch_h"], data["phase"], data["value"], data["quality"], strict=True
    ):
        relative = "" if hour is None else f"{hour:10.4f} h"
        print(f"  {time} {relative} {value:>12.7g} {'' if quality == 'good' else quality:<10}{phase}".rstrip())
