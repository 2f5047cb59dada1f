"""Who went into whom, both ways, read from events; `_view` answers the same from tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from seedtrain.base import InputError
from seedtrain.gmp._lots._received import received_lots
from seedtrain.quality import Lot, Verdict, judge_origin
from seedtrain.quantity import Quantity
from seedtrain.record import Event


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


def genealogy(events: Iterable[Event], lot: str) -> tuple[GenealogyLine, ...]:
    """Everything that went into `lot` (or a batch's id), directly or not, nearest first; the lot itself leads.

    What a batch consumed counts whether or not its `lot.produced` names it: the record of use is not to be thinned.
    Raises `InputError` for a lot that no event names.
    """
    edges = _Edges(events)
    return edges.lines(lot, edges.inputs)


def where_used(events: Iterable[Event], lot: str) -> tuple[GenealogyLine, ...]:
    """Everything that `lot` went into, directly or not, nearest first; the lot itself leads."""
    edges = _Edges(events)
    return edges.lines(lot, edges.outputs)


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


def edges_of(event: Event) -> Iterator[tuple[str, str]]:
    """The (source, target) pairs of an event: a batch is a lot of its own, and what it produced comes from it."""
    payload: Mapping[str, Any] = event.payload
    if event.type == "lot.consumed":
        yield str(payload["lot"]), event.subject
    elif event.type == "lot.produced":
        if str(payload["lot"]) != event.subject:
            yield event.subject, str(payload["lot"])
        for source in payload.get("from", ()):
            yield str(source), event.subject
    elif event.type in ("lot.split", "lot.merged"):
        for part in payload["from"]:
            yield str(part["lot"]), event.subject


def walk(lot: str, neighbours: Callable[[str], Iterable[str]]) -> Iterator[tuple[str, int, str]]:
    """Breadth first from `lot`, each lot once: (lot, depth, the lot by which it was reached)."""
    found = {lot: (0, "")}
    queue = [lot]
    for here in queue:  # grows while it is walked
        yield here, *found[here]
        for there in neighbours(here):
            if there not in found:
                found[there] = (found[here][0] + 1, here)
                queue.append(there)


def unknown_lot(lot: str) -> InputError:
    """The error for a lot that no event names."""
    return InputError(f"the ledger knows no lot {lot!r}", remedy="Check the lot's id.")


class _Edges:
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
        if event.type == "batch.created":
            self.batches[event.subject] = event.subject
            self.inputs.setdefault(event.subject, {})
        elif event.type == "lot.consumed":
            self.materials.setdefault(str(event.payload["lot"]), str(event.payload["material"]))
        elif event.type == "lot.produced":
            self.materials[str(event.payload["lot"])] = str(event.payload["material"])
            self.batches[str(event.payload["lot"])] = event.subject
        for source, target in edges_of(event):
            self.inputs.setdefault(target, {})[source] = None
            self.outputs.setdefault(source, {})[target] = None

    def lines(self, lot: str, edges: Mapping[str, Mapping[str, None]]) -> tuple[GenealogyLine, ...]:
        known = self.received.keys() | self.inputs.keys() | self.outputs.keys() | self.batches.keys()
        if lot not in known:
            raise unknown_lot(lot)
        return tuple(self._line(*found) for found in walk(lot, lambda here: edges.get(here, {})))

    def _line(self, lot: str, depth: int, into: str) -> GenealogyLine:
        received = self.received.get(lot)
        material = received.material if received else self.materials.get(lot, "")
        return GenealogyLine(lot, material, depth, into, received, self.batches.get(lot, ""))
