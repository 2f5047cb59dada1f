"""The gate of probes: a phase that measures or controls with one that the recipe calibrates needs that calibration."""

from __future__ import annotations

from collections.abc import Iterator

from seedtrain.gmp._batch._gate import Asked
from seedtrain.gmp._batch._probes import CalibrationLine
from seedtrain.gmp._equipment_gates import Register
from seedtrain.recipe import CALIBRATE, PROBES, PhaseAt, Refusal, earlier, references
from seedtrain.record import moment


def probe_gate(asked: Asked) -> Iterator[Refusal]:
    """Every probe that a phase sets, limits or waits for, and that was to be calibrated before it: the last calibration
    has passed, and still holds when the phase begins (21 CFR 211.160(b)(4)).

    A later calibration of the instrument by somebody, signed and in date, counts as well.
    """
    place = asked.place
    if place is None or place.phase.do == CALIBRATE or asked.record.step(place.path) is not None:
        return
    until = place.phase.until
    needed = {*place.phase.set, *place.phase.limits, *({until.quantity} if until is not None else ())}
    before = earlier(asked.control.recipe, place.path)
    for tag in PROBES:
        phases = [
            item.path
            for item in asked.control.recipe.phases()
            if item.path in before and item.phase.do == CALIBRATE and _probe(item) == (_unit(place), tag)
        ]
        if tag not in needed or not phases:
            continue
        last = next((item for item in reversed(asked.record.calibrations) if item.phase in phases), None)
        device = last.device if last is not None else f"{asked.request.unit}.{tag}"
        why = _fault(asked, last)
        if why and not _by_hand(asked, device, last.seq if last is not None else 0):
            remedy = f"Calibrate or replace it, and record that: seedtrain equipment calibrate {device}."
            yield Refusal(f"the probe {device} {why}", remedy, "probe.calibration", device, liftable=True)


def _unit(place: PhaseAt) -> str:
    return place.unit_procedure.unit or place.unit_procedure.unit_class


def _probe(place: PhaseAt) -> tuple[str, str]:
    return _unit(place), references(place.phase)[0]


def _fault(asked: Asked, last: CalibrationLine | None) -> str:
    """Why the last calibration does not count; empty where it does."""
    if last is None:
        return "was not calibrated"
    if not last.passed:
        return f"failed its calibration in {last.phase} ({last.why})"
    if asked.request.time > moment(last.valid_until):
        return f"was calibrated in {last.phase}, which held until {last.valid_until}"
    return ""


def _by_hand(asked: Asked, device: str, after: int) -> bool:
    """Whether somebody has calibrated the instrument since."""
    known = Register(asked.ledger, asked.memory).find(device)
    since = asked.ledger.events(subject=device, type="equipment.calibrated")
    if known is None or known.due is None or known.due < asked.request.time.date():
        return False
    return any(event.seq > after for event in since)
