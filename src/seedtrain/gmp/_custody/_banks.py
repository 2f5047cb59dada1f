"""Banks and their vials as the ledger tells them: a pure fold, in which no place holds two vials.

A bank has one of three tiers. A working bank is made from a vial of a master bank, so that every batch starts equally
far from the cells that were tested most (ICH Q5D section 2.2: the two-tiered cell bank).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from seedtrain.base import InputError, IntegrityError
from seedtrain.gmp._custody._places import Box, Grid, Place
from seedtrain.record import Event, Ledger

Tier = Literal["research", "master", "working"]
TIERS: Final[tuple[Tier, ...]] = ("research", "master", "working")
Kind = Literal["cell", "vector", "microbial"]
KINDS: Final[tuple[Kind, ...]] = ("cell", "microbial", "vector")
VialState = Literal["stored", "withdrawn", "destroyed"]
PURPOSES: Final = ("production", "bank", "testing", "transfer", "destruction")
EVENTS: Final = (
    "bank.created",
    "bank.filled",
    "bank.placed",
    "bank.moved",
    "bank.withdrawal_asked",
    "bank.withdrawn",
    "bank.excursion_found",
    "bank.excursion_assessed",
)


@dataclass(frozen=True)
class Stay:
    """How long a vial stood where: from `since` until `until` (ISO 8601; None: it stands there)."""

    place: Place
    since: str
    until: str | None = None


@dataclass(frozen=True)
class Vial:
    """One vial. `place`: None while it was not put anywhere, and once it is out. `stays`: everywhere it stood.

    - `open_holds`: excursions that nobody has assessed yet. `rejected`: an assessment that went against it, or empty.
    - `purpose`, `used_for`: what it was taken out for, and into which batch or bank.
    """

    id: str
    bank: str
    number: int
    state: VialState = "stored"
    place: Place | None = None
    stays: tuple[Stay, ...] = ()
    purpose: str = ""
    used_for: str = ""
    open_holds: tuple[str, ...] = ()
    rejected: str = ""

    @property
    def on_hold(self) -> bool:
        """Whether nobody may use it."""
        return bool(self.open_holds or self.rejected)

    @property
    def why_held(self) -> str:
        """The excursions and assessments that hold it, in one line."""
        return ", ".join((*self.open_holds, *((self.rejected,) if self.rejected else ())))


@dataclass(frozen=True)
class Asked:
    """A withdrawal from a master bank that a first person asked for and a second has not decided."""

    id: str
    vials: tuple[str, ...]
    purpose: str
    used_for: str
    reason: str
    actor: str


@dataclass(frozen=True)
class Bank:
    """A bank: what is in it, from which vial, how old, and how many vials it had when it was made.

    - `parent`: the vial or lot that it was made from. `age` and `age_limit`: in `age_unit` (passages, generations);
      the limit is that of in vitro age for production.
    - `reserve`: at fewer stored vials than this, every withdrawal warns. `plan`: the testing plan, as data.
    - `contains`: what is in a vial and its origin (`name`, `origin`), for the genealogy. `expiry`: a day.
    """

    id: str
    tier: Tier
    kind: Kind
    material: str
    parent: str
    age: int
    age_limit: int
    age_unit: str
    reserve: int
    plan: Mapping[str, Any]
    contains: tuple[Mapping[str, Any], ...] = ()
    expiry: str = ""
    made: int = 0
    content: str = ""
    created_by: str = ""
    created_at: str = ""
    asked: Mapping[str, Asked] = field(default_factory=dict)


@dataclass(frozen=True)
class Excursion:
    """A freezer out of its limit for longer than allowed, or a logger that was silent for as long.

    - `start`, `end`: ISO 8601; `peak`: in degC, empty for a silence. `vials`: those that stood there meanwhile.
    """

    id: str
    freezer: str
    kind: Literal["temperature", "no data"]
    start: str
    end: str
    minutes: str
    peak: str
    limit: str
    vials: tuple[str, ...]
    decision: str = ""
    assessed_by: str = ""
    assessment: str = ""


@dataclass(frozen=True)
class Inventory:
    """All banks, vials, boxes and excursions of a ledger. `at`: which vial stands at a place."""

    banks: Mapping[str, Bank]
    vials: Mapping[str, Vial]
    boxes: Mapping[Box, Grid]
    at: Mapping[Place, str]
    excursions: Mapping[str, Excursion]

    def bank(self, name: str) -> Bank:
        """The bank of this id; `InputError` with the known ones."""
        if name not in self.banks:
            known = ", ".join(self.banks) or "none"
            raise InputError(f"there is no bank {name!r}", remedy=f"The ledger has: {known}.")
        return self.banks[name]

    def vial(self, name: str) -> Vial:
        """The vial of this id; `InputError` for an unknown one."""
        if name not in self.vials:
            raise InputError(f"there is no vial {name!r}", remedy="See: seedtrain bank show BANK.")
        return self.vials[name]

    def of(self, bank: str) -> tuple[Vial, ...]:
        """The vials of a bank, by number."""
        return tuple(item for item in self.vials.values() if item.bank == bank)

    def count(self, bank: str, state: VialState) -> int:
        """How many vials of a bank are in a state; the three add up to what was made."""
        return sum(item.state == state for item in self.of(bank))


def vial_id(bank: str, number: int) -> str:
    """`MCB-1-007`: a vial's identity, which stands on its label."""
    return f"{bank}-{number:03d}"


def inventory(ledger: Ledger) -> Inventory:
    """Read all banks. Raises `IntegrityError` where the ledger tells of two vials in one place."""
    events = [event for type in EVENTS for event in ledger.events(type=type)]
    return fold_banks(sorted(events, key=lambda event: event.seq))


def fold_banks(events: Iterable[Event]) -> Inventory:
    """Fold the events of banks, in the order of the record."""
    fold = _Fold()
    for event in events:
        handler = _HANDLERS.get(event.type)
        if handler is None:
            continue
        try:
            handler(fold, event, event.payload)
        except (KeyError, ValueError, TypeError, InputError) as error:
            raise IntegrityError(
                f"event {event.seq} ({event.type}) of {event.subject} does not follow from what is before it: {error}",
                remedy="Check the ledger with `seedtrain record verify`, then ask who wrote this event.",
            ) from error
    return Inventory(fold.banks, fold.vials, fold.boxes, fold.at, fold.excursions)


@dataclass
class _Fold:
    banks: dict[str, Bank] = field(default_factory=dict)
    vials: dict[str, Vial] = field(default_factory=dict)
    boxes: dict[Box, Grid] = field(default_factory=dict)
    at: dict[Place, str] = field(default_factory=dict)
    excursions: dict[str, Excursion] = field(default_factory=dict)

    def created(self, event: Event, payload: Mapping[str, Any]) -> None:
        if event.subject in self.banks:
            raise ValueError("the bank is created twice")
        self.banks[event.subject] = Bank(
            id=event.subject,
            tier=payload["tier"],
            kind=payload["kind"],
            material=str(payload["material"]),
            parent=str(payload["parent"]),
            age=int(payload["age"]),
            age_limit=int(payload["age_limit"]),
            age_unit=str(payload["age_unit"]),
            reserve=int(payload["reserve"]),
            plan=payload["plan"],
            contains=tuple(payload["contains"]),
            expiry=str(payload["expiry"]),
            created_by=event.actor,
            created_at=event.occurred_at,
        )

    def filled(self, event: Event, payload: Mapping[str, Any]) -> None:
        bank = self.banks[event.subject]
        if bank.made:
            raise ValueError("the bank is filled twice")
        made = int(payload["vials"])
        self.banks[bank.id] = replace(bank, made=made, content=str(payload["content"]))
        for number in range(1, made + 1):
            name = vial_id(bank.id, number)
            self.vials[name] = Vial(name, bank.id, number)

    def placed(self, event: Event, payload: Mapping[str, Any]) -> None:
        """Put vials somewhere, or move them: all leave their places before the first arrives."""
        box, grid = Box.parse(payload["box"]), Grid.parse(payload["grid"])
        if self.boxes.setdefault(box, grid) != grid:
            raise ValueError(f"box {box} is {self.boxes[box]}, not {grid}")
        steps = [(self.vials[name], Place(box, position)) for name, position in payload["places"].items()]
        for vial, _place in steps:
            self.leave(vial, event.occurred_at)
        for vial, place in steps:
            if place in self.at:
                raise ValueError(f"{place} holds {self.at[place]}")
            if vial.state != "stored" or not grid.holds(place.position):
                raise ValueError(f"{vial.id} cannot stand at {place}")
            self.at[place] = vial.id
            now = self.vials[vial.id]
            self.vials[vial.id] = replace(now, place=place, stays=(*now.stays, Stay(place, event.occurred_at)))

    def leave(self, vial: Vial, time: str) -> None:
        if vial.place is not None:
            del self.at[vial.place]
            stays = (*vial.stays[:-1], replace(vial.stays[-1], until=time))
            self.vials[vial.id] = replace(vial, place=None, stays=stays)

    def asked(self, event: Event, payload: Mapping[str, Any]) -> None:
        bank = self.banks[event.subject]
        asked = Asked(
            str(payload["request"]),
            tuple(payload["vials"]),
            str(payload["purpose"]),
            str(payload["for"]),
            event.reason or "",
            event.actor,
        )
        self.banks[bank.id] = replace(bank, asked={**bank.asked, asked.id: asked})

    def withdrawn(self, event: Event, payload: Mapping[str, Any]) -> None:
        bank = self.banks[event.subject]
        left = {name: item for name, item in bank.asked.items() if name != payload.get("request")}
        self.banks[bank.id] = replace(bank, asked=left)
        purpose = str(payload["purpose"])
        for name in payload["vials"]:
            vial = self.vials[name]
            if vial.state != "stored" or vial.bank != bank.id:
                raise ValueError(f"{name} is {vial.state}")
            self.leave(vial, event.occurred_at)
            self.vials[name] = replace(
                self.vials[name],
                state="destroyed" if purpose == "destruction" else "withdrawn",
                purpose=purpose,
                used_for=str(payload["for"]),
            )

    def found(self, event: Event, payload: Mapping[str, Any]) -> None:
        excursion = Excursion(
            id=str(payload["excursion"]),
            freezer=event.subject,
            kind=payload["kind"],
            start=str(payload["start"]),
            end=str(payload["end"]),
            minutes=str(payload["minutes"]),
            peak=str(payload["peak"]),
            limit=str(payload["limit"]),
            vials=tuple(payload["vials"]),
        )
        self.excursions[excursion.id] = excursion
        for name in excursion.vials:
            vial = self.vials[name]
            self.vials[name] = replace(vial, open_holds=(*vial.open_holds, excursion.id))

    def assessed(self, event: Event, payload: Mapping[str, Any]) -> None:
        excursion = self.excursions[str(payload["excursion"])]
        decision = str(payload["decision"])
        self.excursions[excursion.id] = replace(
            excursion, decision=decision, assessed_by=event.actor, assessment=event.reason or ""
        )
        for name in excursion.vials:
            vial = self.vials[name]
            holds = tuple(item for item in vial.open_holds if item != excursion.id)
            rejected = vial.rejected or (excursion.id if decision == "reject" else "")
            self.vials[name] = replace(vial, open_holds=holds, rejected=rejected)


_HANDLERS: Final[Mapping[str, Callable[[_Fold, Event, Mapping[str, Any]], None]]] = {
    "bank.created": _Fold.created,
    "bank.filled": _Fold.filled,
    "bank.placed": _Fold.placed,
    "bank.moved": _Fold.placed,
    "bank.withdrawal_asked": _Fold.asked,
    "bank.withdrawn": _Fold.withdrawn,
    "bank.excursion_found": _Fold.found,
    "bank.excursion_assessed": _Fold.assessed,
}
