"""Equipment: its status, calibration and cleaning, its log of use, and whether it may be used now.

Clauses: 21 CFR 211.105 identification, 211.67 cleaning, 211.68(a) and 211.160(b)(4) calibration, 211.182 log of use and
cleaning, in which who did the work and who checked it sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal, get_args

from seedtrain.base import InputError, decimal_text, digest
from seedtrain.gmp._authority import another_person, authorise
from seedtrain.recipe import Refusal
from seedtrain.record import Draft, Event, Ledger, append_signed, moment

EquipmentStatus = Literal["in_service", "out_of_service", "quarantined"]
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@dataclass(frozen=True)
class Use:
    """One line of the log of use: which batch and phase, of which product, from when to when (None: it goes on)."""

    seq: int
    batch: str
    phase: str
    product: str
    started_at: str
    ended_at: str | None = None


@dataclass(frozen=True)
class Cleaning:
    """A cleaning, who did it, and who checked it ("" while nobody has). `waited_h`: since the last use."""

    seq: int
    id: str
    procedure: str
    cleaned_by: str
    cleaned_at: str
    waited_h: str
    checked_by: str = ""


@dataclass(frozen=True)
class Equipment:
    """A piece of equipment as its events tell it.

    - `kind`: its class, as a recipe names it. `calibrated`: whether it needs calibration; `due`: until when the last
      one holds, None where there was none or it failed.
    - `cleaned`: whether it touches product and needs cleaning between batches. `dirty_hold_h`, `clean_hold_h`: how long
      it may wait before and after cleaning. `campaign`: how many batches of one product may follow without cleaning.
    """

    id: str
    name: str
    kind: str
    status: EquipmentStatus
    calibrated: bool
    cleaned: bool
    dirty_hold_h: str | None
    clean_hold_h: str | None
    campaign: int
    due: date | None = None
    certificate: str = ""
    cleanings: tuple[Cleaning, ...] = ()
    uses: tuple[Use, ...] = ()
    status_reason: str = ""

    @property
    def cleaning(self) -> Cleaning | None:
        """The last cleaning that somebody else checked."""
        return next((item for item in reversed(self.cleanings) if item.checked_by), None)

    @property
    def since_cleaning(self) -> tuple[Use, ...]:
        """What it was used for since the last checked cleaning."""
        after = self.cleaning.seq if self.cleaning else 0
        found: list[Use] = []
        for use in reversed(self.uses):
            if use.seq <= after:
                break
            found.append(use)
        return tuple(reversed(found))

    @property
    def clean(self) -> bool:
        """Whether it was cleaned and checked, and not used since."""
        return self.cleaning is not None and not self.since_cleaning

    def fault(self, time: datetime, batch: str = "", product: str = "") -> Refusal | None:
        """Why it may not be used at `time` for `batch` of `product`; None where it may."""
        return self._out_of_service() or self._uncalibrated(time) or self._dirty(time, batch, product)

    def _out_of_service(self) -> Refusal | None:
        if self.status == "in_service":
            return None
        words = self.status.replace("_", " ")
        because = f" ({self.status_reason})" if self.status_reason else ""
        remedy = "Use another, or have it put back into service."
        return Refusal(f"{self.id} ({self.kind}) is {words}{because}", remedy, "equipment.status", self.id)

    def _uncalibrated(self, time: datetime) -> Refusal | None:
        if not self.calibrated or (self.due is not None and time.date() <= self.due):
            return None
        words = "has no valid calibration" if self.due is None else f"was due for calibration on {self.due.isoformat()}"
        remedy = "Have it calibrated, or use another (21 CFR 211.160(b)(4))."
        return Refusal(f"{self.id} ({self.kind}) {words}", remedy, "equipment.calibration", self.id, liftable=True)

    def _dirty(self, time: datetime, batch: str, product: str) -> Refusal | None:
        if not self.cleaned:
            return None
        used = self.since_cleaning
        if used and all(item.batch == batch for item in used):
            return None  # the batch goes on in its own vessel
        last = self.cleaning
        if last is None:
            return self._refuse("cleaning", "is not cleaned, or nobody has checked its cleaning")
        if not used:
            return self._waited(time, last)
        batches = dict.fromkeys(item.batch for item in used)
        if self.campaign > 1 and all(item.product == product for item in used):
            if len(batches.keys() - {batch}) < self.campaign:
                return None
            return self._refuse("cleaning", f"had {len(batches)} batches of {product} in a row, {self.campaign} may be")
        return self._refuse("cleaning", f"is dirty from batch {used[-1].batch}")

    def _waited(self, time: datetime, last: Cleaning) -> Refusal | None:
        if self.dirty_hold_h is not None and float(last.waited_h) > float(self.dirty_hold_h):
            words = f"stood dirty for {last.waited_h} h before it was cleaned, {self.dirty_hold_h} h are validated"
            return self._refuse("dirty_hold", words)
        hours = (time - moment(last.cleaned_at)).total_seconds() / 3600.0
        if self.clean_hold_h is not None and hours > float(self.clean_hold_h):
            words = f"was cleaned {decimal_text(hours, 4)} h ago, {self.clean_hold_h} h are validated"
            return self._refuse("clean_hold", words)
        return None

    def _refuse(self, gate: str, words: str) -> Refusal:
        remedy = "Have it cleaned, and the cleaning checked by another person (21 CFR 211.67, 211.182)."
        return Refusal(f"{self.id} ({self.kind}) {words}", remedy, f"equipment.{gate}", self.id, liftable=True)


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
    found = equipment_of(ledger.events(subject=equipment)).get(equipment)
    if found is None:
        raise InputError(f"no equipment {equipment!r} is registered", remedy="See: seedtrain equipment list.")
    return found


def equipment_list(ledger: Ledger) -> tuple[Equipment, ...]:
    """Everything that is registered, by id."""
    ids = sorted({event.subject for event in ledger.events(type="equipment.registered")})
    return tuple(find_equipment(ledger, item) for item in ids)


def equipment_of(events: Iterable[Event], known: Mapping[str, Equipment] | None = None) -> dict[str, Equipment]:
    """Fold events into the equipment that they register, by id; `known` is what earlier events gave."""
    found = dict(known or {})
    for event in events:
        if event.type == "equipment.registered":
            found.setdefault(event.subject, _registered(event))
        elif event.subject in found and event.type in _CHANGES:
            found[event.subject] = _CHANGES[event.type](found[event.subject], event)
    return found


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


def _registered(event: Event) -> Equipment:
    payload = event.payload
    return Equipment(
        id=event.subject,
        name=str(payload["name"]),
        kind=str(payload["kind"]),
        status="in_service",
        calibrated=payload["calibrated"] is True,
        cleaned=payload["cleaned"] is True,
        dirty_hold_h=payload["dirty_hold_h"],
        clean_hold_h=payload["clean_hold_h"],
        campaign=int(payload["campaign"]),
    )


def _calibrated(item: Equipment, event: Event) -> Equipment:
    due = date.fromisoformat(event.payload["due"]) if event.payload["passed"] else None
    return replace(item, due=due, certificate=str(event.payload["certificate"]))


def _cleaned(item: Equipment, event: Event) -> Equipment:
    payload = event.payload
    line = Cleaning(
        event.seq, event.id, str(payload["procedure"]), event.actor, event.occurred_at, str(payload["waited_h"])
    )
    return replace(item, cleanings=(*item.cleanings, line))


def _cleaning_checked(item: Equipment, event: Event) -> Equipment:
    """Nobody checks their own cleaning, whatever wrote the event."""
    checked = tuple(
        replace(line, checked_by=event.actor)
        if line.id == event.payload["cleaning"] and line.cleaned_by != event.actor
        else line
        for line in item.cleanings
    )
    return replace(item, cleanings=checked)


def _used(item: Equipment, event: Event) -> Equipment:
    payload = event.payload
    line = Use(event.seq, str(payload["batch"]), str(payload["phase"]), str(payload["product"]), event.occurred_at)
    return replace(item, uses=(*item.uses, line))


def _use_ended(item: Equipment, event: Event) -> Equipment:
    named = (event.payload["batch"], event.payload["phase"])
    uses = list(item.uses)
    for place in reversed(range(len(uses))):
        if (uses[place].batch, uses[place].phase) == named:
            uses[place] = replace(uses[place], ended_at=event.occurred_at)
            break
    return replace(item, uses=tuple(uses))


def _status_changed(item: Equipment, event: Event) -> Equipment:
    return replace(item, status=event.payload["status"], status_reason=event.reason or "")


_CHANGES: Final = {
    "equipment.calibrated": _calibrated,
    "equipment.cleaned": _cleaned,
    "equipment.cleaning_checked": _cleaning_checked,
    "equipment.used": _used,
    "equipment.use_ended": _use_ended,
    "equipment.status_changed": _status_changed,
}
