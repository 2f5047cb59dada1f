"""The gates of equipment: unit, line and devices of a phase may be used, and the line is cleared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from seedtrain.gmp._batch._gate import Asked
from seedtrain.gmp._equipment_state import Equipment, Equipments, equipment_of
from seedtrain.recipe import PhaseAt, Refusal
from seedtrain.record import Ledger


def equipment_gate(asked: Asked) -> Iterator[Refusal]:
    """Unit, line and equipment of a phase: registered, of the right class, in service, calibrated, clean."""
    request, place = asked.request, asked.place
    if place is None:
        return
    register = Register(asked.ledger, asked.memory)
    line = place.phase.manual.clear
    wanted = dict.fromkeys((request.unit, *((line,) if line else ()), *request.equipment))
    found = {name: item for name in wanted if (item := register.find(name)) is not None}
    measured = asked.record.header.origin != "simulated"
    for name in wanted:
        if name not in found and (name in request.equipment or (request.actor and measured)):
            remedy = "Register it: seedtrain equipment register (21 CFR 211.105)."
            yield Refusal(f"{name} is not registered as equipment", remedy, "equipment.unknown", name)
    if request.actor:
        yield from _missing(place, found)
    for item in found.values():
        refusal = item.fault(request.time, request.batch, asked.control.recipe.product)
        if refusal is not None:
            yield refusal


def _missing(place: PhaseAt, found: Mapping[str, Equipment]) -> Iterator[Refusal]:
    """The classes of equipment that a phase needs and nobody named one of."""
    kinds = [item.kind for item in found.values()]
    for wanted in place.phase.manual.equipment:
        if wanted not in kinds:
            remedy = f"Name one: --equipment and the id of a {wanted}."
            yield Refusal(f"the phase needs a {wanted}", remedy, "equipment.missing", wanted)


def clearance_gate(asked: Asked) -> Iterator[Refusal]:
    """The line was cleared for this batch, signed, and no other batch was on it since (21 CFR 211.130(e))."""
    place = asked.place
    line = place.phase.manual.clear if place is not None else ""
    if place is None or not line or asked.record.step(place.path) is not None:
        return
    cleared = [item.seq for item in asked.record.clearances if item.line == line and item.signed]
    remedy = f"Clear it: seedtrain batch clear {asked.request.batch} {line}."
    if not cleared:
        yield Refusal(f"the line {line} is not cleared for {asked.request.batch}", remedy, "line.clearance", line)
        return
    known = Register(asked.ledger, asked.memory).find(line)
    others = [use for use in known.uses if use.batch != asked.request.batch] if known else []
    if others and others[-1].seq > cleared[-1]:
        words = f"the line {line} was used for {others[-1].batch} after it was cleared"
        yield Refusal(words, remedy, "line.clearance", line)


class Register:
    """Equipment folded as far as it was read; each call reads what is new. `memory` outlives the register."""

    def __init__(self, ledger: Ledger, memory: MutableMapping[str, Any]) -> None:
        self._ledger = ledger
        self._memory = memory

    def find(self, equipment: str) -> Equipment | None:
        """The equipment of this id as it stands now; None where it is not registered."""
        known: Equipments
        seq, known = self._memory.get(f"equipment {equipment}", (0, Equipments()))
        events = list(self._ledger.events(subject=equipment, after=seq))
        if events:
            known = equipment_of(self._ledger, events, known)
            self._memory[f"equipment {equipment}"] = (events[-1].seq, known)
        return known.get(equipment)
