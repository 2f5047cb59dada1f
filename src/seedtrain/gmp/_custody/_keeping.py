"""Making banks and putting their vials in places. Every act is signed by a person who may do it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._custody._banks import KINDS, TIERS, Bank, Inventory, Vial, inventory
from seedtrain.gmp._custody._places import Box, Grid, Place
from seedtrain.gmp._lots._epcis_vials import vial_id
from seedtrain.gmp._master._approval import at_head
from seedtrain.quality import Constituent
from seedtrain.record import Draft, Event, Ledger, append_signed

KEEP: Final = "bank.keep"
MOST_VIALS: Final = 5000
AGE_UNITS: Final = ("passages", "generations", "population doublings")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


def create_bank(
    ledger: Ledger,
    name: str,
    actor: str,
    *,
    tier: str,
    kind: str,
    material: str,
    age: int,
    age_limit: int,
    parent: str = "",
    age_unit: str = "passages",
    reserve: int = 0,
    plan: Mapping[str, Any] | None = None,
    contains: Sequence[Constituent] = (),
    expiry: date = date.max,
    at: datetime | None = None,
) -> tuple[Event, ...]:
    """Begin a bank; the same again changes nothing.

    - `parent`: the vial it is made from: a withdrawn one of a master bank for a working bank, which nothing else may
      be; of a research bank, or any lot, or nothing for a master bank.
    - `age`, `age_limit`: of the cells in this bank and at most in production, in `age_unit`.
    - `plan`: the testing plan as data (`read_plan(...).to_data()`).
    - `contains`: what is in a vial and where it comes from; nothing said is unknown to every rule on origins.

    Raises `InputError`. Source: ICH Q5D section 2.2 (two tiers), ICH Q5A and Q5B (the limit of in vitro cell age).
    """
    authorise(ledger, actor, KEEP)
    payload: dict[str, Any] = {
        "tier": tier,
        "kind": kind,
        "material": material.strip(),
        "parent": parent,
        "age": age,
        "age_limit": age_limit,
        "age_unit": age_unit,
        "reserve": reserve,
        "plan": dict(plan or {}),
        "contains": [{"name": item.name, "origin": item.origin} for item in contains],
        "expiry": expiry.isoformat(),
    }
    draft = Draft("bank.created", name, payload, actor, at, id=digest(["bank.created", name])[:32])

    def decide(head: int) -> tuple[Event, ...]:
        held = inventory(ledger)
        if name not in held.banks:
            _check_new(held, name, payload)
        return append_signed(ledger, draft, "bank created", at_head=None if name in held.banks else head)

    return at_head(ledger, decide)


def _check_new(held: Inventory, name: str, payload: Mapping[str, Any]) -> None:
    _choose(payload["tier"], TIERS, "tier of a bank")
    _choose(payload["kind"], KINDS, "kind of bank")
    _choose(payload["age_unit"], AGE_UNITS, "unit of age")
    age, limit = payload["age"], payload["age_limit"]
    if not _NAME.fullmatch(name) or not payload["material"]:
        raise InputError(
            f"{name!r} cannot be a bank's id, or the bank holds nothing", remedy="Write MCB-1, and what is in it."
        )
    if min(age, payload["reserve"]) < 0 or age > limit:
        raise InputError(
            f"{name}: {age} {payload['age_unit']} are beyond the limit of in vitro age, {limit}",
            remedy="Make the bank from younger cells, or justify another limit.",
        )
    parent = held.vials.get(payload["parent"])
    if payload["tier"] == "working" and (parent is None or held.bank(parent.bank).tier != "master"):
        raise InputError(
            f"the working bank {name} is not made from a vial of a master bank",
            remedy="Withdraw a vial of the master bank for it, and name it: --from MCB-1-001 (ICH Q5D section 2.2).",
        )
    if parent is not None:
        _check_parent(held, name, payload, parent)


def _check_parent(held: Inventory, name: str, payload: Mapping[str, Any], parent: Vial) -> None:
    mother = held.bank(parent.bank)
    if payload["tier"] == "master" and mother.tier != "research":
        raise InputError(
            f"the master bank {name} cannot be made from {parent.id}, a vial of a {mother.tier} bank",
            remedy="Make it from a vial of a research bank, or from a lot that was received.",
        )
    if parent.state != "withdrawn" or parent.purpose != "bank" or parent.used_for not in ("", name) or parent.on_hold:
        why = f"on hold ({parent.why_held})" if parent.on_hold else parent.state
        raise InputError(
            f"{parent.id} is {why}, for {parent.purpose or 'nothing'} {parent.used_for}".rstrip(),
            remedy=f"Withdraw it first: seedtrain bank withdraw {mother.id} --vial {parent.id} --purpose bank "
            f"--for {name}.",
        )
    other = next((bank.id for bank in held.banks.values() if bank.parent == parent.id), None)
    if other is not None:
        raise InputError(f"{parent.id} was used for {other}", remedy="Use another vial.")
    if (payload["kind"], payload["age_unit"]) != (mother.kind, mother.age_unit):
        raise InputError(
            f"{name} is a {payload['kind']} bank in {payload['age_unit']}, {mother.id} a {mother.kind} bank in "
            f"{mother.age_unit}",
            remedy="State both alike.",
        )
    if payload["age"] < mother.age or payload["age_limit"] > mother.age_limit:
        raise InputError(
            f"{name} at {payload['age']} of {payload['age_limit']} {mother.age_unit} cannot come from {mother.id} at "
            f"{mother.age} of {mother.age_limit}",
            remedy="Cells do not grow younger, and a derived bank has no higher limit.",
        )


def fill_bank(
    ledger: Ledger, name: str, vials: int, actor: str, *, content: str = "", at: datetime | None = None
) -> tuple[Event, ...]:
    """Say how many vials the bank has, once and for all: `MCB-1-001` and so on. It becomes a lot of its own.

    - `content`: of each vial, as its label says it: "1 mL, 1e7 cells".
    """
    authorise(ledger, actor, KEEP)
    if not 1 <= vials <= MOST_VIALS:
        raise InputError(f"{vials} vials are out of 1 .. {MOST_VIALS}", remedy="Give the number that was filled.")

    def decide(head: int) -> tuple[Event, ...]:
        bank = inventory(ledger).bank(name)
        draft = Draft(
            "bank.filled",
            name,
            {"vials": vials, "content": content, "first": vial_id(name, 1), "last": vial_id(name, vials)},
            actor,
            at,
            id=digest(["bank.filled", name])[:32],
        )
        if bank.made:
            return append_signed(ledger, draft, "bank filled")
        return append_signed(ledger, draft, "bank filled", more=_as_lot(bank, vials, actor, at), at_head=head)

    return at_head(ledger, decide)


def _as_lot(bank: Bank, vials: int, actor: str, at: datetime | None) -> list[Draft]:
    """The genealogy: the vial before it went in, the bank came out."""
    made = {"lot": bank.id, "material": bank.material, "amount": str(vials), "unit": "", "from": []}
    drafts = [Draft("lot.produced", bank.id, made, actor, at)]
    if bank.parent:
        used = {"lot": bank.parent, "material": bank.material, "amount": "1", "unit": "", "phase": ""}
        drafts.insert(0, Draft("lot.consumed", bank.id, used, actor, at))
    return drafts


def place_vials(
    ledger: Ledger,
    name: str,
    box: str,
    actor: str,
    *,
    vials: Sequence[str] = (),
    first: str = "",
    grid: str = "",
    at: datetime | None = None,
) -> tuple[Event, ...]:
    """Put vials that stand nowhere into a box; all or none.

    - `vials`: which; all that stand nowhere if not given. `first`: they take this position and those after it, row by
      row; the free ones of the box from A1 on if not given. `grid`: of a new box; 9x9 if not given.

    Raises `InputError` for a place that is taken and for a box that is too small. The same again changes nothing.
    """
    authorise(ledger, actor, KEEP)
    where = Box.parse(box)

    def decide(head: int) -> tuple[Event, ...]:
        held = inventory(ledger)
        bank = held.bank(name)
        chosen = [held.vial(item) for item in vials] or [
            item for item in held.of(bank.id) if item.state == "stored" and item.place is None
        ]
        for vial in chosen:
            _placeable(bank, vial)
        shape = _shape(held, where, grid)
        if vials and first and [item.place for item in chosen] == _in_row(where, shape, first, len(chosen)):
            return ()  # they stand there already
        if not chosen:
            raise InputError(f"every vial of {name} has its place", remedy="Move vials: seedtrain bank move.")
        elsewhere = next((item for item in chosen if item.place is not None), None)
        if elsewhere is not None:
            raise InputError(f"{elsewhere.id} stands at {elsewhere.place}", remedy="Move it: seedtrain bank move.")
        places = dict(zip((item.id for item in chosen), _free(held, where, shape, first, len(chosen)), strict=True))
        return _put(ledger, "bank.placed", name, where, shape, places, actor, at, head)

    return at_head(ledger, decide)


def move_vials(
    ledger: Ledger,
    moves: Mapping[str, str],
    actor: str,
    *,
    grid: str = "",
    reason: str = "",
    at: datetime | None = None,
) -> tuple[Event, ...]:
    """Move vials of one bank into one box, all at once (so two may change places): vial -> place, `F1/R2/B3/A1`."""
    authorise(ledger, actor, KEEP)
    wanted = {name: Place.parse(text) for name, text in moves.items()}
    boxes = {place.box for place in wanted.values()}
    if len(boxes) != 1 or len(set(wanted.values())) != len(wanted):
        raise InputError(
            "the moves do not lead into one box, or two vials to one place", remedy="Move them box by box."
        )
    where = boxes.pop()

    def decide(head: int) -> tuple[Event, ...]:
        held = inventory(ledger)
        found = [held.vial(name) for name in wanted]
        bank = held.bank(found[0].bank)
        for vial in found:
            _placeable(bank, vial)
        if all(vial.place == wanted[vial.id] for vial in found):
            return ()
        shape = _shape(held, where, grid)
        for vial in found:
            place = wanted[vial.id]
            other = held.at.get(place)
            if not shape.holds(place.position) or (other is not None and other not in wanted):
                raise InputError(
                    f"{place} holds {other}" if other else f"the box {where} has no position {place.position}",
                    remedy="Choose a free place: seedtrain bank map BOX.",
                )
        places = {name: place.position for name, place in wanted.items()}
        return _put(ledger, "bank.moved", bank.id, where, shape, places, actor, at, head, reason=reason)

    return at_head(ledger, decide)


def _put(
    ledger: Ledger,
    type: str,
    bank: str,
    box: Box,
    grid: Grid,
    places: Mapping[str, str],
    actor: str,
    at: datetime | None,
    head: int,
    *,
    reason: str = "",
) -> tuple[Event, ...]:
    payload = {"box": str(box), "grid": str(grid), "places": dict(places)}
    draft = Draft(type, bank, payload, actor, at, reason=reason or None)
    return append_signed(ledger, draft, "vials moved" if type == "bank.moved" else "vials placed", at_head=head)


def _placeable(bank: Bank, vial: Vial) -> None:
    if vial.bank != bank.id:
        raise InputError(f"{vial.id} belongs to the bank {vial.bank}", remedy="Act on one bank at a time.")
    if vial.state != "stored":
        raise InputError(f"{vial.id} is {vial.state}", remedy="Only a stored vial has a place.")


def _shape(held: Inventory, box: Box, grid: str) -> Grid:
    known = held.boxes.get(box)
    if known is None:
        return Grid.parse(grid or "9x9")
    if grid and Grid.parse(grid) != known:
        raise InputError(f"the box {box} is {known}, not {grid}", remedy="Leave out --grid for a box that is known.")
    return known


def _in_row(box: Box, grid: Grid, first: str, count: int) -> list[Place]:
    if not grid.holds(first.upper()):
        raise InputError(f"the box {box} is {grid} and has no position {first}", remedy="Write A1, B7 ...")
    return [Place(box, position) for position in grid.following(first.upper(), count)]


def _free(held: Inventory, box: Box, grid: Grid, first: str, count: int) -> list[str]:
    if first:
        found = _in_row(box, grid, first, count)
        taken = next((place for place in found if place in held.at), None)
        if taken is not None:
            raise InputError(f"{taken} holds {held.at[taken]}", remedy="Choose free places: seedtrain bank map BOX.")
    else:
        found = [Place(box, position) for position in grid.positions() if Place(box, position) not in held.at][:count]
    if len(found) < count:
        raise InputError(
            f"the box {box} ({grid}) has room for {len(found)} vials here, not for {count}",
            remedy="Name the vials for this box, and another box for the others.",
        )
    return [place.position for place in found]


def _choose(value: str, allowed: Sequence[str], what: str) -> None:
    if value not in allowed:
        raise InputError(f"there is no {what} {value!r}", remedy=f"Use one of: {', '.join(allowed)}.")
