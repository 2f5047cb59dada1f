"""A probe that people calibrate: what they read in its references, against the limits of the phase."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from seedtrain.base import decimal_text
from seedtrain.gmp._batch._lines import StepLine
from seedtrain.gmp._by_hand._desk import Desk
from seedtrain.gmp._by_hand._values import judged
from seedtrain.recipe import CALIBRATE, PROBES, Bands, Calibration, PhaseAt, Refusal, calibration, references
from seedtrain.record import SYSTEM, Draft, timestamp

READINGS = ("reading", "second_reading")


def calibration_refusal(desk: Desk, place: PhaseAt) -> Iterator[Refusal]:
    """Why the phase cannot be completed yet: slope or offset out of limits; quality may let it go on, without it."""
    made = _made(desk, place)
    outside = made.outside(place.phase) if made is not None else ()
    if made is not None and outside:
        words = (
            f"{' and '.join(outside)} of the {made.tag} probe out of limits: slope {decimal_text(made.slope, 4)} %, "
        )
        words += f"offset {decimal_text(made.offset, 4)} {made.unit}".rstrip()
        remedy = (
            f"Clean or replace the probe, and correct the readings: seedtrain batch correct {desk.batch} {place.path}."
        )
        yield Refusal(words, remedy, "calibration", made.tag, liftable=True)


def calibration_drafts(desk: Desk, place: PhaseAt, step: StepLine) -> Iterator[Draft]:
    """Slope, offset and `probe.calibrated`; nothing of another kind of phase."""
    made = _made(desk, place)
    if place.phase.do != CALIBRATE:
        return
    tag, known = references(place.phase)
    values = [] if made is None else [("slope", made.slope, "%"), ("offset", made.offset, made.unit)]
    for name, value, unit in values if len(known) > 1 else values[1:]:
        text = decimal_text(value, 6)
        payload = {"phase": place.path, "tag": name, "value": text, "unit": unit, "kind": "calculated"}
        bands = Bands(action=place.phase.limits.get(name))
        yield desk.draft("step.value_recorded", payload | judged(text, bands, unit), actor=SYSTEM)
    outside = made.outside(place.phase) if made is not None else ("readings missing",)
    device = step.equipment[0] if step.equipment else f"{step.unit}.{tag}"
    valid = desk.now + timedelta(hours=place.phase.number("valid", "h"))
    yield desk.draft(
        "probe.calibrated",
        {
            "phase": place.path,
            "unit": step.unit,
            "tag": tag,
            "device": device,
            "references": [decimal_text(item) for item in known],
            "readings": [] if made is None else [decimal_text(reading) for _reference, reading in made.points],
            "unit_of_measure": PROBES[tag],
            "slope": "" if made is None else decimal_text(made.slope),
            "offset": "" if made is None else decimal_text(made.offset),
            "passed": not outside,
            "why": " and ".join(outside) + (" out of limits" if made is not None and outside else ""),
            "valid_until": timestamp(valid),
        },
    )


def _made(desk: Desk, place: PhaseAt) -> Calibration | None:
    """What the readings give; None of another kind of phase, and where a reading is missing."""
    if place.phase.do != CALIBRATE:
        return None
    lines = desk.record.values_of(place.path)
    wanted = READINGS[: len(references(place.phase)[1])]
    if any(name not in lines for name in wanted):
        return None
    return calibration(place.phase, [float(lines[name].current) for name in wanted])
