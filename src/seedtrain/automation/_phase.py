"""What one phase leaves in the record: materials, readings out of limits, summaries, samples, calculated values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np

from seedtrain.automation._devices import Ending, FunctionalUnit, Reading
from seedtrain.automation._excursion import (
    SETTLING_H,
    Excursion,
    Floats,
    bounds,
    in_unit,
    is_within,
    row_time,
    stretches,
)
from seedtrain.automation._fold import BatchState
from seedtrain.automation._job import OPERATOR, SYSTEM, Job, unit_name
from seedtrain.automation._materials import TOLERANCE_PERCENT, Share, Store, split, target
from seedtrain.automation._telemetry import Segment, segment_of, store
from seedtrain.base import decimal_text
from seedtrain.quantity import Quantity, Range
from seedtrain.recipe import PhaseAt
from seedtrain.record import Draft

PRODUCT_AMOUNT: Final = "product_amount"
YIELD: Final = "yield"
PERFORMED: Final = "performed"


@dataclass
class Findings:
    """What a phase gave: events to append, and the excursions among them."""

    drafts: list[Draft] = field(default_factory=list)
    excursions: list[Excursion] = field(default_factory=list)


@dataclass(frozen=True)
class PhaseView:
    """A phase that ended, with all that its record is made from."""

    job: Job
    state: BatchState
    step: PhaseAt
    unit: FunctionalUnit
    ending: Ending
    origin: str

    @property
    def began(self) -> datetime:
        """When it started, on the process clock."""
        return self.state.started[self.step.path].time

    @property
    def hours(self) -> float:
        """How long it took, h."""
        return (self.ending.time - self.began).total_seconds() / 3600.0

    @property
    def batch_start(self) -> datetime:
        """When the batch began, on the process clock."""
        assert self.state.begun is not None
        return self.state.begun


def phase_findings(view: PhaseView) -> Findings:
    """Everything that the phase's record needs but its start, its check and its end."""
    found = Findings()
    if view.step.phase.instruction and view.job.live is None:
        found.drafts.append(_entry(view))
    found.drafts += _consumed(view)
    _telemetry(view, found)
    _samples(view, found)
    _transition(view, found)
    found.drafts += _product(view)
    return found


def _entry(view: PhaseView) -> Draft:
    return view.job.value(
        view.step.path,
        PERFORMED,
        "yes",
        "",
        view.ending.time,
        kind="entry",
        origin=view.origin,
        actor=view.job.operators[OPERATOR],
        more={"instruction": view.step.phase.instruction},
    )


def _consumed(view: PhaseView) -> list[Draft]:
    """One `lot.consumed` a lot; the target is the lot's share of what the recipe asks for, where it says."""
    recipe, path = view.job.control.recipe, view.step.path
    drafts = []
    lots = open_store(view.job)
    by_hand = view.step.phase.manual.dispense if view.job.live is not None else {}  # people record these themselves
    for addition in view.ending.additions:
        wanted = target(recipe, view.step, addition.material, view.hours)
        targets = {} if wanted is None else split(recipe, addition.material, wanted.value, wanted.unit)
        for material, (amount, unit) in split(recipe, addition.material, addition.amount, addition.unit).items():
            if material in by_hand:
                continue
            for share in lots.draw(material, amount, unit, view.ending.time.date()):
                lots.take(share)
                part = share.amount / amount if amount else 0.0
                aim = targets[material][0] * part if material in targets else None
                payload = _consumed_payload(share, aim, path, view.origin)
                drafts.append(view.job.draft("lot.consumed", payload, view.ending.time, device=view.unit.name))
    return drafts


def _consumed_payload(share: Share, aim: float | None, path: str, origin: str) -> dict[str, object]:
    return {
        "lot": share.lot,
        "material": share.material,
        "amount": decimal_text(share.amount),
        "unit": share.unit,
        "target": None if aim is None else decimal_text(aim),
        "tolerance_percent": None if aim is None else decimal_text(TOLERANCE_PERCENT),
        "phase": path,
        "origin": origin,
    }


def open_store(job: Job) -> Store:
    """The lots and what is left of them after everything that the ledger says was used, by this batch or another."""
    used = [
        Share(str(item["lot"]), str(item["material"]), float(str(item["amount"])), str(item["unit"]))
        for event in job.ledger.events(type="lot.consumed")
        for item in (event.payload,)
    ]
    return Store(job.stock(), used)


def _telemetry(view: PhaseView, found: Findings) -> None:
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
        _one_value(view, found, draft, limits)
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


def excursion(
    view: PhaseView,
    tag: str,
    value: float,
    unit: str,
    limits: Range | None,
    *,
    span: tuple[float, float],
    at: datetime,
    kind: str,
    device: str | None = None,
    count: int = 1,
) -> Excursion:
    """An excursion of this phase; `span` in h of the phase."""
    low, high = bounds(limits, unit)
    return Excursion(
        batch=view.job.batch,
        phase=view.step.path,
        unit_name=unit_name(view.step),
        tag=tag,
        value=value,
        unit=unit,
        low=low,
        high=high,
        start_h=span[0],
        end_h=span[1],
        occurred_at=at,
        kind=kind,
        device=device,
        count=count,
        origin=view.origin,
    )


def _one_value(view: PhaseView, found: Findings, draft: Draft, limits: Range | None) -> None:
    """Append a single value, and its excursion where it is out of limits."""
    found.drafts.append(draft)
    payload = draft.payload
    if not payload["within"]:
        found.excursions.append(
            excursion(
                view,
                payload["tag"],
                float(payload["value"]),
                payload["unit"],
                limits,
                span=(view.hours, view.hours),
                at=view.ending.time,
                kind=payload["kind"],
                device=draft.device,
            )
        )


def _samples(view: PhaseView, found: Findings) -> None:
    limits = view.step.phase.sample
    if not limits:
        return
    wanted = {name: item.unit for name, item in limits.items()}
    readings = view.unit.draw_sample(view.step.path, wanted)
    assert {item.tag for item in readings} == set(wanted), "the analyser left an attribute out"
    identity = sample_id(view.job, view.step)
    payload = {"sample": identity, "phase": view.step.path, "attributes": list(wanted), "origin": view.origin}
    found.drafts.append(view.job.draft("sample.taken", payload, view.ending.time, device=view.unit.name))
    for reading in readings:
        draft = _sample_value(view, reading, limits[reading.tag], identity)
        _one_value(view, found, draft, limits[reading.tag])


def _sample_value(view: PhaseView, reading: Reading, limits: Range, identity: str) -> Draft:
    value = Quantity(reading.value, reading.unit).magnitude(limits.unit)
    return view.job.value(
        view.step.path,
        reading.tag,
        value,
        limits.unit,
        reading.time,
        limits=limits,
        kind="sample",
        origin=reading.origin,
        device=reading.device,
        more={"sample": identity},
    )


def sample_id(job: Job, step: PhaseAt) -> str:
    """The id of the sample of a phase: the batch and the phase's number among those that are sampled."""
    sampled = [item.path for item in job.steps() if item.phase.sample]
    return f"{job.batch}-IPC-{sampled.index(step.path) + 1:02d}"


def _transition(view: PhaseView, found: Findings) -> None:
    """A phase that ran into `at_most` before its condition was true: what it was to reach, out of limits."""
    until = view.step.phase.until
    if view.ending.ended_by != "at_most" or until is None or not isinstance(until.value, Quantity):
        return
    limits = Range(until.value, None) if until.operator == ">=" else Range(None, until.value)
    reached = _reached(found.drafts, until.quantity, limits)
    tag, value, unit = (until.quantity, *reached) if reached else ("elapsed", view.hours, "h")
    more: dict[str, object] = {"condition": str(until)}
    if reached is None:
        more["within"] = False  # nothing shows how far it came: only that the time ran out
    shown = limits if reached else None
    draft = view.job.value(
        view.step.path,
        f"{tag}_at_most",
        value,
        unit,
        view.ending.time,
        limits=shown,
        kind="calculated",
        origin=view.origin,
        more=more,
    )
    _one_value(view, found, draft, shown)


def _reached(drafts: Sequence[Draft], tag: str, limits: Range) -> tuple[float, str] | None:
    """How near a phase came to a limit that it did not meet: the best reading, else the sample; None where neither
    shows that it was not met."""
    best = "maximum" if limits.high is None else "minimum"
    for kind, name in (("calculated", best), ("sample", "value")):
        for draft in drafts:
            payload = draft.payload
            if (payload.get("kind"), payload.get("tag")) == (kind, tag) and name in payload:
                value, unit = float(payload[name]), str(payload["unit"])
                if not is_within(value, *bounds(limits, unit)):
                    return value, unit
    return None


def _product(view: PhaseView) -> list[Draft]:
    """The product that left the phase, and its yield over what the last weighed phase left."""
    outlet = view.ending.outlet or {}
    if "product" not in outlet:
        return []
    amount = Quantity(*outlet["product"]).magnitude("g")
    before = [float(item["value"]) for _, item in view.state.values if item["tag"] == PRODUCT_AMOUNT]
    figures = [(PRODUCT_AMOUNT, amount, "g")]
    if before and before[-1] > 0:
        figures.append((YIELD, 100.0 * amount / before[-1], "%"))
    return [
        view.job.value(
            view.step.path, tag, value, unit, view.ending.time, kind="calculated", origin=view.origin, actor=SYSTEM
        )
        for tag, value, unit in figures
    ]


def hold_time_value(view: PhaseView, waited: float, until: datetime) -> tuple[Draft, Excursion | None]:
    """How long what the phase left has waited, h, against its `hold_time`; recorded when the next phase starts."""
    limit = view.step.phase.hold_time
    assert limit is not None
    limits = Range(None, limit)
    draft = view.job.value(
        view.step.path, "hold_time", waited, "h", until, limits=limits, kind="calculated", origin=view.origin
    )
    if draft.payload["within"]:
        return draft, None
    found = excursion(
        view,
        "hold_time",
        waited,
        "h",
        limits,
        span=(view.hours, view.hours + waited),
        at=until,
        kind="calculated",
    )
    return draft, found


def in_order(drafts: Sequence[Draft]) -> list[Draft]:
    """Drafts by their time on the process clock; equal times keep their order."""

    def when(draft: Draft) -> datetime:
        assert isinstance(draft.occurred_at, datetime)
        return draft.occurred_at

    return sorted(drafts, key=when)
