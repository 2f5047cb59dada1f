"""Banks and their vials as the ledger tells them: a pure fold, in which no place holds two vials.

A bank has one of three tiers. A working bank is made from a vial of a master bank, so that every batch starts equally
far from the cells that were tested most (ICH Q5D section 2.2: the two-tiered cell bank).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from seedtrain.base import InputError
from seedtrain.gmp._custody._places import Box, Grid, Place
from seedtrain.gmp._lots._epcis_vials import vial_id
from seedtrain.gmp._standing import Standing
from seedtrain.record import Event, Ledger, moment

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
DUTIES: Final[Mapping[str, str]] = {
    "bank.created": "bank.keep",
    "bank.filled": "bank.keep",
    "bank.placed": "bank.keep",
    "bank.moved": "bank.keep",
    "bank.withdrawal_asked": "bank.withdraw",
    "bank.withdrawn": "bank.withdraw",
    "bank.excursion_assessed": "quality.approve",
}
"""What somebody must be allowed to do for their event to count. Whatever holds a vial counts as it stands."""


@dataclass(frozen=True)
class Stay:
    """How long a vial stood where: from `since` until `until` (ISO 8601; None: it stands there)."""

    place: Place
    since: str
    until: str | None = None

    def meets(self, start: str, end: str) -> bool:
        """Whether any moment of it lies from `start` to `end`, both included."""
        gone = self.until is not None and moment(self.until) < moment(start)
        return moment(self.since) <= moment(end) and not gone


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
    - `late`: those of them that only an entry recorded after the finding put there; `undecided`: those that no
      assessment has covered yet, all of them before the first one.
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
    found_by: str = ""
    decision: str = ""
    assessed_by: str = ""
    assessment: str = ""
    late: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()

    @property
    def undecided(self) -> tuple[str, ...]:
        """The vials that no assessment has covered yet."""
        return tuple(name for name in self.vials if name not in self.covered)


@dataclass(frozen=True)
class Inventory:
    """All banks, vials, boxes and excursions of a ledger. `at`: which vial stands at a place.

    - `illegal`: events that cannot be, by seq: they changed nothing.
    """

    banks: Mapping[str, Bank]
    vials: Mapping[str, Vial]
    boxes: Mapping[Box, Grid]
    at: Mapping[Place, str]
    excursions: Mapping[str, Excursion]
    illegal: tuple[tuple[int, str], ...] = ()

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


def inventory(ledger: Ledger) -> Inventory:
    """Read all banks. What does not follow from what is before it, or was never signed by who may, changes nothing."""
    events = [event for type in EVENTS for event in ledger.events(type=type)]
    standing = Standing(ledger)
    return fold_banks(
        sorted(events, key=lambda event: event.seq),
        lambda event: event.type not in DUTIES or standing.counts(event, DUTIES[event.type]),
    )


def fold_banks(events: Iterable[Event], counts: Callable[[Event], bool] = lambda event: True) -> Inventory:
    """Fold the events of banks, in the order of the record; those that cannot be are in `illegal`, and nowhere else.

    - `counts`: whether an event is signed by somebody who may.
    """
    fold = _Fold()
    for event in events:
        handler = _HANDLERS.get(event.type)
        if handler is None:
            continue
        try:
            if not counts(event):
                raise ValueError("it is not signed by somebody who may do it")
            handler(fold, event, event.payload)
        except (KeyError, ValueError, TypeError, InputError) as error:
            words = error.message if isinstance(error, InputError) else str(error)
            fold.illegal.append((event.seq, f"{event.type} of {event.subject}: {words}"))
    return Inventory(fold.banks, fold.vials, fold.boxes, fold.at, fold.excursions, tuple(fold.illegal))


@dataclass
class _Fold:
    """Each handler checks everything before it changes anything."""

    banks: dict[str, Bank] = field(default_factory=dict)
    vials: dict[str, Vial] = field(default_factory=dict)
    boxes: dict[Box, Grid] = field(default_factory=dict)
    at: dict[Place, str] = field(default_factory=dict)
    excursions: dict[str, Excursion] = field(default_factory=dict)
    illegal: list[tuple[int, str]] = field(default_factory=list)

    def created(self, event: Event, payload: Mapping[str, Any]) -> None:
        _must(event.subject not in self.banks, "the bank is created twice")
        _must(payload["tier"] in TIERS and payload["kind"] in KINDS, "there is no such tier or kind")
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
        bank, made = self.banks[event.subject], int(payload["vials"])
        _must(not bank.made and made > 0, "the bank is filled twice, or with nothing")
        self.banks[bank.id] = replace(bank, made=made, content=str(payload["content"]))
        for number in range(1, made + 1):
            name = vial_id(bank.id, number)
            self.vials[name] = Vial(name, bank.id, number)

    def placed(self, event: Event, payload: Mapping[str, Any]) -> None:
        """Put vials somewhere, or move them: all leave their places before the first arrives."""
        box, grid = Box.parse(payload["box"]), Grid.parse(payload["grid"])
        _must(self.boxes.get(box, grid) == grid, f"the box {box} is {self.boxes.get(box)}, not {grid}")
        steps = [(self.vials[name], Place(box, position)) for name, position in payload["places"].items()]
        moving = {vial.id for vial, _place in steps}
        _must(len({place for _vial, place in steps}) == len(steps), "two vials go to one place")
        for vial, place in steps:
            _must(vial.bank == event.subject and vial.state == "stored", f"{vial.id} is {vial.state}")
            _must(grid.holds(place.position), f"the box {box} has no position {place.position}")
            _must(self.at.get(place, vial.id) in moving, f"{place} holds {self.at.get(place)}")
        self.boxes[box] = grid
        for vial, _place in steps:
            self.leave(vial, event.occurred_at)
        for vial, place in steps:
            self.at[place] = vial.id
            now = self.vials[vial.id]
            stay = Stay(place, event.occurred_at)
            self.vials[vial.id] = replace(now, place=place, stays=(*now.stays, stay))
            self.overtaken(vial.id, stay)

    def overtaken(self, name: str, stay: Stay) -> None:
        """An entry that is recorded late: the vial stood there during an excursion that was found before."""
        for item in self.excursions.values():
            if name not in item.vials and item.freezer == stay.place.box.freezer and stay.meets(item.start, item.end):
                late = (*item.late, name)
                self.excursions[item.id] = replace(item, vials=(*item.vials, name), late=late)
                vial = self.vials[name]
                self.vials[name] = replace(vial, open_holds=(*vial.open_holds, item.id))

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
        _must(asked.id not in bank.asked, "it was asked for already")
        self.banks[bank.id] = replace(bank, asked={**bank.asked, asked.id: asked})

    def withdrawn(self, event: Event, payload: Mapping[str, Any]) -> None:
        bank, purpose = self.banks[event.subject], str(payload["purpose"])
        vials = [self.vials[name] for name in payload["vials"]]
        _must(all(vial.state == "stored" and vial.bank == bank.id for vial in vials), "a vial is out already")
        if bank.tier == "master":
            asked = bank.asked.get(str(payload["request"]))
            _must(asked is not None and asked.actor != event.actor, "no other person asked for it")
            _must(asked is not None and set(asked.vials) == {vial.id for vial in vials}, "other vials were asked for")
        left = {name: item for name, item in bank.asked.items() if name != payload["request"]}
        self.banks[bank.id] = replace(bank, asked=left)
        for vial in vials:
            self.leave(vial, event.occurred_at)
            self.vials[vial.id] = replace(
                self.vials[vial.id],
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
            found_by=event.actor,
        )
        _must(excursion.id not in self.excursions, "it was found already")
        _must(all(name in self.vials for name in excursion.vials), "it names a vial that there is not")
        self.excursions[excursion.id] = excursion
        for name in excursion.vials:
            vial = self.vials[name]
            self.vials[name] = replace(vial, open_holds=(*vial.open_holds, excursion.id))

    def assessed(self, event: Event, payload: Mapping[str, Any]) -> None:
        excursion, decision = self.excursions[str(payload["excursion"])], str(payload["decision"])
        open_vials = excursion.undecided
        decided = bool(excursion.decision) and not open_vials
        _must(decision in ("keep", "reject") and not decided, "it is decided already, or not at all")
        _must(event.actor != excursion.found_by, "who found it assesses it")
        self.excursions[excursion.id] = replace(
            excursion,
            decision=decision,
            assessed_by=event.actor,
            assessment=event.reason or "",
            covered=excursion.vials,
        )
        for name in open_vials:
            vial = self.vials[name]
            holds = tuple(item for item in vial.open_holds if item != excursion.id)
            rejected = vial.rejected or (excursion.id if decision == "reject" else "")
            self.vials[name] = replace(vial, open_holds=holds, rejected=rejected)


def _must(holds: bool, words: str) -> None:
    if not holds:
        raise ValueError(words)


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
