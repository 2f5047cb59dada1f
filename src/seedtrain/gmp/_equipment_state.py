"""Equipment as its events tell it: status, calibration, cleaning and log of use, and whether it may be used now.

Clauses: 21 CFR 211.105 identification, 211.67 cleaning, 211.68(a) and 211.160(b)(4) calibration, 211.182 log of use and
cleaning, in which who did the work and who checked it sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final, Literal

from seedtrain.base import decimal_text
from seedtrain.gmp._authority import could
from seedtrain.recipe import Refusal
from seedtrain.record import Event, Ledger, moment

EquipmentStatus = Literal["in_service", "out_of_service", "quarantined"]


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


@dataclass(frozen=True)
class Equipments:
    """What events tell of several pieces of equipment, by id.

    - `unsigned`: changes over which their actor's signature does not stand yet, by digest. `barred`: signed by somebody
      who had no role for it. Neither counts.
    """

    items: Mapping[str, Equipment] = field(default_factory=dict)
    unsigned: Mapping[str, Event] = field(default_factory=dict)
    barred: tuple[Event, ...] = ()

    def get(self, equipment: str) -> Equipment | None:
        """One of them; None where it is not registered."""
        return self.items.get(equipment)


def equipment_of(ledger: Ledger, events: Iterable[Event], known: Equipments | None = None) -> Equipments:
    """Fold events on top of what earlier ones gave.

    What makes equipment fit or unfit (registration, calibration, cleaning and its check, status) counts from the
    signature of its own actor on, and only if that person had a role for it then: an event alone, whoever put it into
    the ledger, changes nothing (21 CFR 211.182, 11.10(g)). Use is logged by whoever executes, programs included.
    """
    known = known or Equipments()
    items, unsigned, barred = dict(known.items), dict(known.unsigned), list(known.barred)
    for event in events:
        change = _signed_change(event, unsigned) if event.type == "signature.applied" else event
        if change is None:
            continue
        if change.type in _DUTIES and change is event:
            unsigned[event.digest] = event
        elif change.type in _DUTIES and not could(ledger, change, _duty(change)):
            barred.append(change)
        elif change.type == "equipment.registered":
            items.setdefault(change.subject, _registered(change))
        elif change.subject in items and change.type in _CHANGES:
            items[change.subject] = _CHANGES[change.type](items[change.subject], change)
    return Equipments(items, unsigned, tuple(barred))


def _signed_change(signature: Event, unsigned: dict[str, Event]) -> Event | None:
    """The change that this signature is over, if who made it signs; it is waiting no longer then."""
    change = unsigned.get(str(signature.payload["record_digest"]))
    if change is None or change.actor != signature.actor:
        return None
    return unsigned.pop(change.digest)


def _duty(change: Event) -> str:
    if change.type == "equipment.status_changed" and change.payload["status"] != "in_service":
        return "equipment.stop"
    return _DUTIES[change.type]


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
    due = date.fromisoformat(event.payload["due"]) if event.payload["passed"] is True else None
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
_DUTIES: Final = {
    "equipment.registered": "equipment.register",
    "equipment.calibrated": "equipment.calibrate",
    "equipment.cleaned": "equipment.clean",
    "equipment.cleaning_checked": "equipment.clean",
    "equipment.status_changed": "equipment.maintain",
}
