"""Holds: a lot that is in doubt stops everything that it went into, and everything that comes of it later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._lots._book import lot_book
from seedtrain.gmp._lots._genealogy import GenealogyLine, edges_of, walk
from seedtrain.gmp._lots._received import STATED
from seedtrain.record import SYSTEM, ConflictError, Draft, Event, Ledger, append_signed

T = TypeVar("T")
_MADE_FROM = ("lot.consumed", "lot.produced", "lot.split", "lot.merged")


@dataclass(frozen=True)
class Hold:
    """One hold on one lot or batch.

    - `hold`: the id that all lots held for the same cause share. `root`: the lot in doubt.
    - `into`: the lot through which the doubt came, empty for the root; `depth`: how many steps from it.
    """

    hold: str
    lot: str
    root: str
    reason: str
    into: str
    depth: int
    actor: str
    seq: int
    recorded_at: str


@dataclass(frozen=True)
class HoldOrder:
    """What one call of `hold_downstream` came to: the trace (the root leads), and how many were not held before."""

    hold: str
    root: str
    reason: str
    lots: tuple[GenealogyLine, ...]
    fresh: int


def hold_downstream(
    ledger: Ledger,
    lot: str,
    reason: str,
    actor: str = SYSTEM,
    *,
    cause: str = "",
    itself: bool = True,
    at: datetime | None = None,
) -> HoldOrder:
    """Put a lot, and every lot and batch that it went into, on hold in one commit, and return the trace.

    - `lot`: the lot in doubt, or a batch; one that the ledger does not know is an `InputError`.
    - `reason`: why, as people will read it on every lot held.
    - `actor`: who orders it: a person then signs (unlock first), a program (`SYSTEM`) does not.
    - `cause`: what the hold hangs on (a certificate's id, a result's event id), so that the same cause asked for
      again changes nothing; the reason if not given. Asked again later, it holds what was made in the meantime, and
      leaves alone what was freed from it.
    - `itself`: whether the lot too is held; not where its status already stops it.

    Each lot gets its own `lot.held` with the way by which the doubt reached it. A lot on hold reads as quarantined in
    `received_lot`; `open_holds` and `lot_faults` also find holds on what a lot was made from, so what is produced
    after the order is stopped too. Only `lift_hold` ends it. 21 CFR 211.110(c), 211.192.
    """
    if not reason.strip():
        raise InputError(f"lot {lot} cannot be held without a reason", remedy="Say why.")

    def order(head: int) -> HoldOrder:
        with lot_book(ledger) as book:
            lines = book.where_used(lot)
        name = _hold_name(ledger, lot, cause or reason)
        wanted = lines if itself else lines[1:]
        fresh = [line for line in wanted if name not in _ever_held(ledger, line.lot)]
        drafts = [_held(line, name, lot, reason, cause, actor, at) for line in reversed(fresh)]
        if not drafts:
            return HoldOrder(name, lot, reason, lines, 0)
        if actor == SYSTEM:
            ledger.append(*drafts, at_head=head)
        else:
            append_signed(ledger, drafts[-1], "hold", more=drafts[:-1], at_head=head)
        return HoldOrder(name, lot, reason, lines, len(fresh))

    return at_head(ledger, order)


def lift_hold(
    ledger: Ledger,
    hold: str,
    reason: str,
    actor: str,
    *,
    lots: Iterable[str] | None = None,
    at: datetime | None = None,
) -> tuple[str, ...]:
    """A person ends a hold with a reason, and signs; the lots that are free of it now.

    - `hold`: its id. `lots`: only these; all that it holds if not given.

    A lot may still be held by another hold, and its status is what it was before. Raises `InputError` for an unknown
    hold, for a lot that it does not hold, and for an actor who may not decide on lots.
    """
    if not reason.strip():
        raise InputError(f"hold {hold} cannot be lifted without a reason", remedy="Say why.")
    authorise(ledger, actor, "lot.decide")

    def lift(head: int) -> tuple[str, ...]:
        held = _held_by(ledger, hold)
        wanted = tuple(held) if lots is None else tuple(dict.fromkeys(lots))
        stray = [lot for lot in wanted if lot not in held]
        if stray or not held:
            raise InputError(
                f"hold {hold} holds no lot {stray[0]!r}" if stray else f"there is no open hold {hold!r}",
                remedy="See: seedtrain lot show LOT.",
            )
        drafts = [Draft("lot.hold_lifted", lot, {"hold": hold}, actor, at, reason=reason) for lot in reversed(wanted)]
        append_signed(ledger, drafts[-1], "hold lifted", more=drafts[:-1], at_head=head)
        return wanted

    return at_head(ledger, lift)


def open_holds(ledger: Ledger, lot: str) -> tuple[Hold, ...]:
    """The open holds that stop a lot or a batch: its own, and those on anything that it was made from.

    Read from the ledger itself, not from a read model, so it may decide a hard stop: a release (21 CFR 211.110(c)), a
    dispensing, a hand-over. Empty: nothing holds it.
    """
    found: dict[str, Hold] = {}
    freed = _lifted(ledger, lot)
    for name, _depth, _into in walk(lot, lambda here: made_from(ledger, here)):
        for hold, event in _open_on(ledger, name).items():
            if hold not in freed:  # somebody decided that it does not reach this lot
                found.setdefault(hold, _hold(event))
    return tuple(found.values())


def held_too(ledger: Ledger, lot: str, into: str, actor: str, at: datetime | None = None) -> list[Draft]:
    """The drafts that put what is made of a held lot on the same holds."""
    return [
        Draft(
            "lot.held",
            into,
            {**event.payload, "into": lot, "depth": int(event.payload["depth"]) + 1},
            actor,
            at,
            reason=event.reason,
            id=_held_id(hold, into),
        )
        for hold, event in _open_on(ledger, lot).items()
    ]


def at_head(ledger: Ledger, decide: Callable[[int], T]) -> T:
    """`decide(head)` until nobody has written between its reading and its writing (`append(..., at_head=head)`)."""
    while True:
        try:
            return decide(ledger.head.seq)
        except ConflictError:
            continue


def _hold_name(ledger: Ledger, lot: str, cause: str) -> str:
    """One id for a cause; the same cause after its hold was lifted is another hold."""
    for turn in range(1000):
        name = f"H-{digest(['hold', lot, cause, turn])[:12]}"
        if name not in _lifted(ledger, lot):
            return name
    raise InputError(f"lot {lot} was held a thousand times for one cause", remedy="Give another reason.")


def _held(line: GenealogyLine, hold: str, root: str, reason: str, cause: str, actor: str, at: datetime | None) -> Draft:
    payload = {"hold": hold, "root": root, "into": line.into, "depth": line.depth, "cause": cause}
    return Draft("lot.held", line.lot, payload, actor, at, reason=reason, id=_held_id(hold, line.lot))


def _held_id(hold: str, lot: str) -> str:
    return digest(["lot.held", hold, lot])[:32]


def _ever_held(ledger: Ledger, lot: str) -> dict[str, Event]:
    """The `lot.held` event of each hold that a lot or batch ever had; a hold takes a lot once."""
    return {str(event.payload["hold"]): event for event in ledger.events(subject=lot, type="lot.held")}


def _lifted(ledger: Ledger, lot: str) -> set[str]:
    return {str(event.payload["hold"]) for event in ledger.events(subject=lot, type="lot.hold_lifted")}


def _open_on(ledger: Ledger, lot: str) -> dict[str, Event]:
    """Those whose hold was not lifted."""
    found = _ever_held(ledger, lot)
    for hold in _lifted(ledger, lot) if found else ():
        found.pop(hold, None)
    return found


def _held_by(ledger: Ledger, hold: str) -> dict[str, Event]:
    held = {event.subject: event for event in ledger.events(type="lot.held") if event.payload["hold"] == hold}
    for event in ledger.events(type="lot.hold_lifted") if held else ():
        if event.payload["hold"] == hold:
            held.pop(event.subject, None)
    return held


def made_from(ledger: Ledger, lot: str) -> Sequence[str]:
    """What a lot or batch was made from directly, read from the ledger itself."""
    found: dict[str, None] = {}
    for type in _MADE_FROM:
        for event in ledger.events(subject=lot, type=type):
            found.update((source, None) for source, target in edges_of(event) if target == lot)
    if not found and not any(event.type in STATED for event in ledger.events(subject=lot)):
        batch = _batch_of(ledger, lot)
        if batch:
            found[batch] = None
    return tuple(found)


def _batch_of(ledger: Ledger, lot: str) -> str:
    """The batch that produced a lot of another id than its own; empty where there is none."""
    with lot_book(ledger) as book:  # where to look; what counts is what the ledger says there
        batch = book.batch_of(lot)
    found = any(event.payload["lot"] == lot for event in ledger.events(subject=batch, type="lot.produced"))
    return batch if found and batch != lot else ""


def _hold(event: Event) -> Hold:
    payload = event.payload
    return Hold(
        hold=str(payload["hold"]),
        lot=event.subject,
        root=str(payload["root"]),
        reason=event.reason or "",
        into=str(payload["into"]),
        depth=int(payload["depth"]),
        actor=event.actor,
        seq=event.seq,
        recorded_at=event.recorded_at,
    )
