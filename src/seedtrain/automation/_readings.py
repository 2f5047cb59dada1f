"""What the readings of a phase leave in its record: a segment, stretches out of limits, and a summary of each tag."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seedtrain.automation._excursion import (
    SETTLING_H,
    Floats,
    bounds,
    in_unit,
    is_within,
    row_time,
    stretches,
)
from seedtrain.automation._job import SYSTEM
from seedtrain.automation._telemetry import Segment, segment_of, store
from seedtrain.automation._view import Findings, PhaseView, excursion, one_value
from seedtrain.base import decimal_text
from seedtrain.quantity import Quantity, Range
from seedtrain.recipe import PhaseAt
from seedtrain.record import Draft


def take_readings(view: PhaseView, found: Findings) -> None:
    job, phase = view.job, view.step.phase
    functions = view.unit.functions(view.step.path, phase)
    readings = view.unit.read(view.step.path, job.interval) if functions else ()
    if not readings:
        return
    if job.recorder is not None:
        job.recorder.phase(view.unit.name, view.step.path, phase.do, view.began)
        job.recorder.take(view.unit.name, readings)
        job.recorder.phase(view.unit.name, "", "", view.ending.time)
    segment = segment_of(readings, functions, view.batch_start)
    payload = {
        "phase": view.step.path,
        "digest": store(segment, job.folder),
        "tags": list(segment.columns),
        "start_h": decimal_text(segment.time[0], 9),
        "end_h": decimal_text(segment.time[-1], 9),
        "count": segment.count,
        "origin": segment.origin,
    }
    found.drafts.append(job.draft("segment.stored", payload, view.ending.time, actor=SYSTEM, device=view.unit.name))
    from_start = segment.time - (view.began - view.batch_start).total_seconds() / 3600.0
    for function in functions:
        limits = phase.limits.get(function.tag)
        unit = function.unit if limits is None else limits.unit
        values = in_unit(segment.columns[function.tag], function.unit, unit)
        column = _Column(function.tag, values, from_start, unit, limits, function.device)
        settled = _settled(view, found, column)
        _outside(view, found, column, settled)
        found.drafts.append(_summary(view, column, settled))
    if phase.quantity("growth_rate") is not None and "feed_rate" in segment.columns:
        found.drafts.append(_feed_growth(view, segment))


def _summary(view: PhaseView, column: _Column, settled: int) -> Draft:
    """Mean, least and most of a tag over the phase, from the row on which its limits apply."""
    values = column.values[settled:]
    more = {
        "minimum": decimal_text(float(np.min(values))),
        "maximum": decimal_text(float(np.max(values))),
        "count": len(values),
    }
    return view.job.value(
        view.step.path,
        column.tag,
        float(np.mean(values)),
        column.unit,
        view.ending.time,
        limits=column.limits,
        kind="calculated",
        origin=view.origin,
        device=column.device,
        more=more,
    )


def _feed_growth(view: PhaseView, segment: Segment) -> Draft:
    """The rate at which the feed really rose: slope of its logarithm over time, by least squares, 1/h."""
    feed = segment.columns["feed_rate"]
    rows = feed > 0
    slope = float(np.polyfit(segment.time[rows], np.log(feed[rows]), 1)[0]) if np.count_nonzero(rows) > 1 else 0.0
    return view.job.value(
        view.step.path, "growth_rate", slope, "1/h", view.ending.time, kind="calculated", origin=segment.origin
    )


@dataclass(frozen=True)
class _Column:
    """The readings of one tag in `unit`, at `hours` of the phase."""

    tag: str
    values: Floats
    hours: Floats
    unit: str
    limits: Range | None
    device: str


def _outside(view: PhaseView, found: Findings, column: _Column, settled: int) -> None:
    """The readings out of limits, each as its own event, then the one that is back within them; and one excursion for
    each stretch."""
    low, high = bounds(column.limits, column.unit)
    for stretch in stretches(column.values, low, high, after=settled):
        back = [stretch.last + 1] if stretch.last + 1 < len(column.values) else []
        for row in [*stretch.rows(), *back]:
            found.drafts.append(
                view.job.value(
                    view.step.path,
                    column.tag,
                    float(column.values[row]),
                    column.unit,
                    row_time(view.began, float(column.hours[row])),
                    limits=column.limits,
                    kind="reading",
                    origin=view.origin,
                    device=column.device,
                    more={"time_h": decimal_text(float(column.hours[row]), 9)},
                )
            )
        found.excursions.append(
            excursion(
                view,
                column.tag,
                float(column.values[stretch.worst]),
                column.unit,
                column.limits,
                span=(float(column.hours[stretch.first]), float(column.hours[stretch.last])),
                at=row_time(view.began, float(column.hours[stretch.last])),
                kind="reading",
                device=column.device,
                count=len(stretch.outside),
            )
        )


def _settled(view: PhaseView, found: Findings, column: _Column) -> int:
    """The row from which limits apply: a value whose set point has just changed is given time to follow it."""
    if column.limits is None or not _set_point_changed(view.step, column.tag):
        return 0
    low, high = bounds(column.limits, column.unit)
    inside = [row for row, value in enumerate(column.values) if is_within(float(value), low, high)]
    row = inside[0] if inside else len(column.values) - 1
    if row > 0:
        limits = Range(None, Quantity(SETTLING_H, "h"))
        draft = view.job.value(
            view.step.path,
            f"{column.tag}_settling",
            float(column.hours[row]),
            "h",
            view.ending.time,
            limits=limits,
            kind="calculated",
            origin=view.origin,
            device=column.device,
        )
        one_value(view, found, draft, limits)
    return min(row, int(np.searchsorted(column.hours, SETTLING_H + 1e-6)))


def _set_point_changed(step: PhaseAt, tag: str) -> bool:
    """Whether a phase sets `tag` to another value than the last phase of its unit procedure that set it."""
    wanted = step.phase.quantity(tag)
    before = None
    for operation in step.unit_procedure.operations:
        for phase in operation.phases:
            if phase is step.phase:
                return wanted is not None and wanted != before
            before = phase.quantity(tag) or before
    return False
