"""The calibration of a probe in the record: what it showed in its references, and whether what follows may be used."""

from __future__ import annotations

from datetime import timedelta

from seedtrain.automation._job import SYSTEM
from seedtrain.automation._ramp import CONTROL_INTERVAL
from seedtrain.automation._view import Findings, PhaseView, one_value
from seedtrain.base import InputError, decimal_text
from seedtrain.quantity import Range, convert
from seedtrain.recipe import CALIBRATE, PROBES, Calibration, calibration, references, settled
from seedtrain.record import Draft, timestamp


def take_calibration(view: PhaseView, found: Findings) -> None:
    """Slope and offset against their limits, and `probe.calibrated`; nothing of another kind of phase.

    One that is out of limits, was interrupted by a hold, or lacks readings has not passed: the instrument does not
    use it, and phases that need the probe are refused by the permit.
    """
    if view.step.phase.do != CALIBRATE:
        return
    try:
        made, why = _made(view), ""
    except InputError as error:
        made, why = None, error.message
    if made is not None:
        outside = made.outside(view.step.phase)
        why = f"{' and '.join(outside)} out of limits" if outside else ""
        for name, value, unit in (("slope", made.slope, "%"), ("offset", made.offset, made.unit)):
            if name == "offset" or len(made.points) > 1:
                _value(view, found, name, value, unit)
    if view.state.stood.get(view.step.path):
        why = "it was held meanwhile"
    found.drafts.append(_event(view, made, why))


def _made(view: PhaseView) -> Calibration:
    phase = view.step.phase
    tag, _known = references(phase)
    readings = [
        item for item in view.unit.read(view.step.path, CONTROL_INTERVAL) if item.tag == tag and item.quality == "good"
    ]
    hours = [(item.time - view.began).total_seconds() / 3600.0 for item in readings]
    values = [convert(item.value, item.unit, PROBES[tag]) for item in readings]
    return calibration(phase, settled(phase, view.hours, hours, values))


def _value(view: PhaseView, found: Findings, name: str, value: float, unit: str) -> None:
    limits: Range | None = view.step.phase.limits.get(name)
    draft = view.job.value(
        view.step.path, name, value, unit, view.ending.time, limits=limits, kind="calculated", origin=view.origin
    )
    one_value(view, found, draft, limits)


def _event(view: PhaseView, made: Calibration | None, why: str) -> Draft:
    tag, known = references(view.step.phase)
    valid = view.ending.time + timedelta(hours=view.step.phase.number("valid", "h"))
    payload: dict[str, object] = {
        "phase": view.step.path,
        "unit": view.unit.name,
        "tag": tag,
        "device": f"{view.unit.name}.{tag}",
        "references": [decimal_text(item) for item in known],
        "readings": [] if made is None else [decimal_text(reading) for _reference, reading in made.points],
        "unit_of_measure": PROBES[tag],
        "slope": "" if made is None else decimal_text(made.slope),
        "offset": "" if made is None else decimal_text(made.offset),
        "passed": not why,
        "why": why,
        "valid_until": timestamp(valid),
        "origin": view.origin,
    }
    at, device = view.ending.time, f"{view.unit.name}.{tag}"
    return view.job.draft("probe.calibrated", payload, at, actor=SYSTEM, device=device)
