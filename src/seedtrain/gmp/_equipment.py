"""What people do to equipment: register, calibrate, clean, check, take out of service; each signed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Final, get_args

from seedtrain.base import InputError, decimal_text, digest
from seedtrain.gmp._authority import another_person, authorise
from seedtrain.gmp._equipment_state import Equipment, EquipmentStatus, equipment_of
from seedtrain.record import Draft, Event, Ledger, append_signed, moment

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def register_equipment(
    ledger: Ledger,
    equipment: str,
    actor: str,
    *,
    name: str,
    kind: str,
    calibrated: bool = False,
    cleaned: bool = False,
    dirty_hold_h: float | None = None,
    clean_hold_h: float | None = None,
    campaign: int = 1,
    at: datetime | None = None,
) -> Equipment:
    """Give a piece of equipment its identity (21 CFR 211.105); the same again changes nothing.

    Raises `InputError` for an id that is taken by another one or cannot be one, and for somebody who may not.
    """
    authorise(ledger, actor, "equipment.register")
    if not _ID.fullmatch(equipment) or not _ID.fullmatch(kind):
        raise InputError(
            f"{equipment!r} of class {kind!r} cannot be registered",
            remedy="Write letters, digits, '.', '_' and '-', 40 at most.",
        )
    for words, value in (("dirty hold", dirty_hold_h), ("clean hold", clean_hold_h), ("campaign", campaign)):
        if value is not None and value <= 0:
            raise InputError(f"a {words} of {value:g} is not above 0", remedy="Give a time, or a number of batches.")
    payload = {
        "name": name,
        "kind": kind,
        "calibrated": calibrated,
        "cleaned": cleaned,
        "dirty_hold_h": None if dirty_hold_h is None else decimal_text(dirty_hold_h),
        "clean_hold_h": None if clean_hold_h is None else decimal_text(clean_hold_h),
        "campaign": campaign,
    }
    identity = digest(["equipment.registered", equipment])[:32]
    return _signed(ledger, Draft("equipment.registered", equipment, payload, actor, at, id=identity), "registration")


def calibrate_equipment(
    ledger: Ledger,
    equipment: str,
    actor: str,
    *,
    certificate: str,
    due: date,
    passed: bool = True,
    at: datetime | None = None,
) -> Equipment:
    """Record a calibration with its certificate and the day until which it holds; a failed one ends the one before."""
    authorise(ledger, actor, "equipment.calibrate")
    known = find_equipment(ledger, equipment)
    if not certificate.strip():
        raise InputError(f"the calibration of {equipment} names no certificate", remedy="Give its number.")
    today = (at or ledger.now).date()
    if passed and due < today:
        raise InputError(f"the calibration of {equipment} is due on {due}, before {today}", remedy="Give a later day.")
    payload = {"certificate": certificate, "due": due.isoformat(), "passed": passed}
    identity = digest(["equipment.calibrated", equipment, certificate, due.isoformat(), passed])[:32]
    draft = Draft("equipment.calibrated", known.id, payload, actor, at, id=identity)
    return _signed(ledger, draft, "calibration")


def clean_equipment(
    ledger: Ledger, equipment: str, actor: str, *, procedure: str, at: datetime | None = None
) -> Equipment:
    """Record a cleaning; it counts once another person has checked it (`check_cleaning`)."""
    authorise(ledger, actor, "equipment.clean")
    known = find_equipment(ledger, equipment)
    if not procedure.strip():
        raise InputError(f"the cleaning of {equipment} names no procedure", remedy="Say by which one.")
    open_use = next((item for item in known.uses if item.ended_at is None), None)
    if open_use is not None:
        raise InputError(
            f"{equipment} is in use for {open_use.phase} of {open_use.batch}", remedy="Complete the phase first."
        )
    waited = 0.0
    if known.uses and not known.clean:
        waited = ((at or ledger.now) - moment(known.uses[-1].ended_at or "")).total_seconds() / 3600.0
    payload = {"procedure": procedure, "waited_h": decimal_text(max(0.0, waited), 4)}
    return _signed(ledger, Draft("equipment.cleaned", equipment, payload, actor, at), "cleaning")


def check_cleaning(ledger: Ledger, equipment: str, actor: str, *, at: datetime | None = None) -> Equipment:
    """Another person checks the last cleaning and signs; from then on the equipment is clean."""
    authorise(ledger, actor, "equipment.clean")
    known = find_equipment(ledger, equipment)
    last = known.cleanings[-1] if known.cleanings else None
    if last is None or (known.uses and known.uses[-1].seq > last.seq):
        raise InputError(f"{equipment} was not cleaned since it was used", remedy="Have it cleaned first.")
    if last.checked_by:
        return known
    another_person(ledger, actor, [last.cleaned_by], f"the check of the cleaning of {equipment}")
    draft = Draft("equipment.cleaning_checked", equipment, {"cleaning": last.id}, actor, at)
    return _signed(ledger, draft, "cleaning checked")


def change_equipment_status(
    ledger: Ledger, equipment: str, status: EquipmentStatus, reason: str, actor: str, *, at: datetime | None = None
) -> Equipment:
    """Take equipment out of service or quarantine it, which whoever uses it may; or put it back, which they may not.

    Signed, with a reason.
    """
    authorise(ledger, actor, "equipment.maintain" if status == "in_service" else "equipment.stop")
    known = find_equipment(ledger, equipment)
    if status not in get_args(EquipmentStatus):
        raise InputError(f"there is no status {status!r}", remedy=f"Use: {', '.join(get_args(EquipmentStatus))}.")
    if not reason.strip():
        raise InputError(f"{equipment} cannot become {status} without a reason", remedy="Say why.")
    if known.status == status:
        return known
    payload = {"before": known.status, "status": status}
    return _signed(ledger, Draft("equipment.status_changed", equipment, payload, actor, at, reason=reason), status)


def find_equipment(ledger: Ledger, equipment: str) -> Equipment:
    """The equipment of this id; raises `InputError` for one that is not registered."""
    found = equipment_of(ledger, ledger.events(subject=equipment)).get(equipment)
    if found is None:
        raise InputError(f"no equipment {equipment!r} is registered", remedy="See: seedtrain equipment list.")
    return found


def equipment_list(ledger: Ledger) -> tuple[Equipment, ...]:
    """Everything that is registered, by id."""
    ids = sorted({event.subject for event in ledger.events(type="equipment.registered")})
    found = (equipment_of(ledger, ledger.events(subject=item)).get(item) for item in ids)
    return tuple(item for item in found if item is not None)


def uncounted(ledger: Ledger, equipment: str) -> tuple[tuple[Event, bool], ...]:
    """What the ledger says of a piece of equipment and what counts for nothing; with each whether it is signed."""
    found = equipment_of(ledger, ledger.events(subject=equipment))
    return (*((event, False) for event in found.unsigned.values()), *((event, True) for event in found.barred))


def use_drafts(
    equipment: Iterable[str], batch: str, phase: str, product: str, actor: str, at: datetime | None
) -> Iterator[Draft]:
    """The lines of the log that a phase opens when it starts."""
    for item in equipment:
        payload = {"batch": batch, "phase": phase, "product": product}
        identity = digest(["equipment.used", item, batch, phase])[:32]
        yield Draft("equipment.used", item, payload, actor, at, id=identity)


def use_end_drafts(
    equipment: Iterable[str], batch: str, phase: str, actor: str, at: datetime | None
) -> Iterator[Draft]:
    """The lines of the log that a phase closes when it ends."""
    for item in equipment:
        identity = digest(["equipment.use_ended", item, batch, phase])[:32]
        yield Draft("equipment.use_ended", item, {"batch": batch, "phase": phase}, actor, at, id=identity)


def _signed(ledger: Ledger, draft: Draft, meaning: str) -> Equipment:
    append_signed(ledger, draft, f"equipment: {meaning}")
    return find_equipment(ledger, draft.subject)
