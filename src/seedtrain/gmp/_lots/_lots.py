"""Lots as the ledger knows them, and their genealogy both ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import get_args

from seedtrain.base import InputError, digest
from seedtrain.quality import Lot, LotStatus, Verdict, judge_origin
from seedtrain.quantity import Quantity
from seedtrain.record import SYSTEM, Draft, Event, Ledger, append_signed


@dataclass(frozen=True)
class GenealogyLine:
    """One lot in a genealogy.

    - `depth`: steps away from the lot asked for, which is 0. `into`: the lot it went into (upwards), or that it came
      from (downwards), on the shortest way; empty for the lot itself.
    - `received`: as it was received, with its present status; None for a produced lot, and for one that the ledger
      does not know. `batch`: the batch that produced it, or is producing it; empty for others.
    """

    lot: str
    material: str
    depth: int
    into: str
    received: Lot | None
    batch: str


def receive_lots(
    ledger: Ledger, lots: Iterable[Lot], actor: str = SYSTEM, *, at: datetime | None = None
) -> tuple[Event, ...]:
    """Record each lot as received, once; raises `InputError` if a lot of this id was received as another one."""
    drafts = [
        Draft("lot.received", lot.id, lot.to_data(), actor, at, id=digest(["lot.received", lot.id])[:32])
        for lot in lots
    ]
    return ledger.append(*drafts) if drafts else ()


def change_lot_status(
    ledger: Ledger, lot: str, status: LotStatus, reason: str, actor: str, *, at: datetime | None = None
) -> tuple[Event, ...]:
    """A person releases, quarantines or rejects a lot, and signs; nothing happens if it has that status already."""
    known = received_lot(ledger, lot)
    if known is None:
        raise InputError(f"the ledger knows no lot {lot!r}", remedy="Receive it first.")
    if status not in get_args(LotStatus):
        raise InputError(f"there is no status {status!r}", remedy=f"Use one of: {', '.join(get_args(LotStatus))}.")
    if known.status == status:
        return ()
    if not reason.strip():
        raise InputError(f"lot {lot} cannot become {status} without a reason", remedy="Say why.")
    draft = Draft("lot.status_changed", lot, {"before": known.status, "status": status}, actor, at, reason=reason)
    return append_signed(ledger, draft, f"lot {status}")


def amend_lot(ledger: Ledger, lot: Lot, reason: str, actor: str, *, at: datetime | None = None) -> tuple[Event, ...]:
    """A person states a received lot anew (quantity, expiry, status, what is inside), with a reason, and signs.

    What was stated before stays in the ledger. Nothing happens if the lot is known like this already.
    """
    received = next((event for event in ledger.events(subject=lot.id, type="lot.received")), None)
    if received is None:
        raise InputError(f"the ledger knows no lot {lot.id!r}", remedy="Receive it first.")
    known = received_lot(ledger, lot.id)
    if known == lot:
        return ()
    assert known is not None
    if known.material != lot.material:
        raise InputError(
            f"lot {lot.id} was received as {known.material} and cannot become {lot.material}",
            remedy="Give the other material a lot of its own.",
        )
    draft = Draft("lot.amended", lot.id, lot.to_data(), actor, at, reason=reason, corrects=received.id)
    return append_signed(ledger, draft, "lot amended")


def received_lot(ledger: Ledger, lot: str) -> Lot | None:
    """A lot as it was received, with its present status; None if it never was."""
    return received_lots(ledger.events(subject=lot)).get(lot)


def received_lots(events: Iterable[Event]) -> dict[str, Lot]:
    """Every lot that was received, by id, as it was stated last and with its present status."""
    lots: dict[str, Lot] = {}
    for event in events:
        if event.type == "lot.received":
            lots.setdefault(event.subject, Lot.from_data(event.subject, event.payload))
        elif event.type == "lot.amended" and event.subject in lots:
            lots[event.subject] = Lot.from_data(event.subject, event.payload)
        elif event.type == "lot.status_changed" and event.subject in lots:
            lots[event.subject] = replace(lots[event.subject], status=event.payload["status"])
    return lots


def genealogy(events: Iterable[Event], lot: str) -> tuple[GenealogyLine, ...]:
    """Everything that went into `lot` (or a batch's id), directly or not, nearest first; the lot itself leads.

    What a batch consumed counts whether or not its `lot.produced` names it: the record of use is not to be thinned.
    Raises `InputError` for a lot that no event names.
    """
    edges = _Edges(events)
    return edges.walk(lot, edges.inputs)


def where_used(events: Iterable[Event], lot: str) -> tuple[GenealogyLine, ...]:
    """Everything that `lot` went into, directly or not, nearest first; the lot itself leads."""
    edges = _Edges(events)
    return edges.walk(lot, edges.outputs)


def assure_origin(events: Iterable[Event], lot: str, excluded: str = "porcine") -> Verdict:
    """Whether anything of the `excluded` origin is in the genealogy of `lot`; what nobody declared is unknown.

    Every received lot upstream is judged; a lot that went in and was never received is undeclared as a whole.
    """
    lines = genealogy(events, lot)
    return judge_origin([_as_lot(line) for line in lines if line.received is not None or not line.batch], excluded)


def _as_lot(line: GenealogyLine) -> Lot:
    if line.received is not None:
        return line.received
    return Lot(line.lot, line.material or "not known", "", Quantity(0.0, ""), date.max, "quarantined")


class _Edges:
    """Who went into whom. A batch is a lot of its own; the lot that it produced comes from it."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.inputs: dict[str, dict[str, None]] = {}
        self.outputs: dict[str, dict[str, None]] = {}
        self.materials: dict[str, str] = {}
        self.batches: dict[str, str] = {}
        kept = [event for event in events if event.type.startswith("lot.") or event.type == "batch.created"]
        self.received = received_lots(kept)
        for event in kept:
            self._take(event)

    def _take(self, event: Event) -> None:
        payload: Mapping[str, object] = event.payload
        if event.type == "batch.created":
            self.batches[event.subject] = event.subject
            self.inputs.setdefault(event.subject, {})
        elif event.type == "lot.consumed":
            self._join(str(payload["lot"]), event.subject)
            self.materials.setdefault(str(payload["lot"]), str(payload["material"]))
        elif event.type == "lot.produced":
            produced = str(payload["lot"])
            self.materials[produced] = str(payload["material"])
            self.batches[produced] = event.subject
            if produced != event.subject:
                self._join(event.subject, produced)
            sources = payload.get("from", ())
            assert isinstance(sources, Sequence)
            for source in sources:
                self._join(str(source), event.subject)

    def _join(self, source: str, target: str) -> None:
        self.inputs.setdefault(target, {})[source] = None
        self.outputs.setdefault(source, {})[target] = None

    def walk(self, lot: str, edges: Mapping[str, Mapping[str, None]]) -> tuple[GenealogyLine, ...]:
        known = self.received.keys() | self.inputs.keys() | self.outputs.keys() | self.batches.keys()
        if lot not in known:
            raise InputError(f"the ledger knows no lot {lot!r}", remedy="Check the lot's id.")
        found = {lot: (0, "")}
        queue = [lot]
        for here in queue:  # grows while it is walked: breadth first, each lot once
            for there in edges.get(here, {}):
                if there not in found:
                    found[there] = (found[here][0] + 1, here)
                    queue.append(there)
        return tuple(self._line(name, *found[name]) for name in queue)

    def _line(self, lot: str, depth: int, into: str) -> GenealogyLine:
        received = self.received.get(lot)
        material = received.material if received else self.materials.get(lot, "")
        return GenealogyLine(lot, material, depth, into, received, self.batches.get(lot, ""))
