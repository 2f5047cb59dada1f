"""The hard stops of a phase, decided on the ledger alone: a list of gates, each of which gives its reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.gmp._assurance._required import assurance_gate
from seedtrain.gmp._authority import another_person, authorise
from seedtrain.gmp._batch._gate import Asked, Gate
from seedtrain.gmp._batch._record import BatchRecord, RunningRecord
from seedtrain.gmp._custody._gates import bank_gate, patient_gate
from seedtrain.gmp._equipment_gates import Register, clearance_gate, equipment_gate
from seedtrain.gmp._lots._decisions import lot_faults
from seedtrain.gmp._lots._holds import open_holds
from seedtrain.gmp._lots._received import received_lot
from seedtrain.gmp._master._approval import approval
from seedtrain.gmp._probe_gate import probe_gate
from seedtrain.recipe import (
    ControlRecipe,
    HoldPoint,
    MasterRecipe,
    PermitRequest,
    PhaseAt,
    Refusal,
    earlier,
    next_phases,
)
from seedtrain.record import Ledger, is_trained

EXECUTE: Final = "batch.execute"
LIFT: Final = "quality.approve"


def recipe_gate(asked: Asked) -> Iterator[Refusal]:
    """The batch runs with the recipe that it pins, and that recipe was effective when the batch was created.

    A batch that was created as simulated without an approval needs none: it says so on every page.
    """
    wanted, header = asked.control.digest, asked.record.header
    if header.recipe_digest != wanted:
        yield _recipe_refusal(
            f"batch {header.batch} was created with the recipe {header.recipe_digest[:16]}..., "
            f"not with {wanted[:16]}...",
            "Run the batch with the recipe that it was created with; a changed recipe needs a new batch.",
        )
        return
    if header.trial and header.origin == "simulated":
        return
    found = approval(asked.ledger, wanted)
    if found is None:
        words = f"the recipe {wanted[:16]}... was never approved"
        yield _recipe_refusal(words, "Have it signed by its author and another person.")
    elif found.fault:
        yield _recipe_refusal(found.fault, "Open a deviation and have the recipe approved anew.")
    elif found.retired:
        yield _recipe_refusal(f"the recipe {wanted[:16]}... is retired", "Use its successor.")
    else:
        objection = found.objection(header.created_at)
        if objection:
            yield _recipe_refusal(objection, "Begin a batch with a recipe that is effective: seedtrain recipe list.")


def _recipe_refusal(reason: str, remedy: str) -> Refusal:
    return Refusal(reason, remedy, "recipe")


def place_gate(asked: Asked) -> Iterator[Refusal]:
    """Order of the procedure, checks and hold points before this phase, and the unit."""
    request, record, recipe = asked.request, asked.record, asked.control.recipe
    if record.decision is not None and record.decision.decision != "on_hold":
        yield _place_refusal(f"batch {request.batch} is {record.decision.decision}", "Start another batch.")
        return
    step = record.step(request.phase_path)
    if step is not None and step.completed_at is None:
        return  # it goes on: a correction in an earlier phase stops the next one, and loses nothing of this
    before = _before(recipe, request.phase_path)
    unchecked = [item for item in unchecked_phases(recipe, record) if item in before]
    if unchecked:
        words = f"{unchecked[0]} was not checked by a second person"
        yield _place_refusal(words, "Have another person check it and sign.")
        return
    unsigned = [item for item in unsigned_phases(record) if item in before]
    if unsigned:
        yield _place_refusal(f"{unsigned[0]} lacks a signature that is still good", "Have it signed: batch sign.")
        return
    completed = [item.phase for item in record.steps if item.completed_at is not None]
    signed = [item.phase for item in record.steps if item.hold_signatures]
    try:
        expected = next_phases(recipe, completed, signed)
    except InputError as error:
        yield _place_refusal(error.message, "Open a deviation: the order of the procedure is broken.")
        return
    turn = next((item for item in expected if isinstance(item, PhaseAt) and item.path == request.phase_path), None)
    point = next((item for item in expected if isinstance(item, HoldPoint) and item.path in before), None)
    if turn is not None:
        yield from _unit(asked, turn)
    elif point is not None:
        words = f"the hold point of {point.path} is not signed: {point.words}"
        yield _place_refusal(words, "Have it signed.")
    else:
        names = " or ".join(item.path for item in expected if isinstance(item, PhaseAt))
        following = f"{names} comes next" if names else "the batch is at its end"
        words = f"{request.phase_path} is out of order: {following}"
        yield _place_refusal(words, "Keep to the order of the recipe.")


def _before(recipe: MasterRecipe, path: str) -> frozenset[str]:
    """The phases that come before one; all of them for one that the recipe lacks, which is refused anyway."""
    known = {item.path for item in recipe.phases()}
    return earlier(recipe, path) if path in known else frozenset(known)


def _unit(asked: Asked, place: PhaseAt) -> Iterator[Refusal]:
    """The recipe's own unit; where it names a class only, any unit that is registered under it."""
    wanted, unit = place.unit_procedure.unit, asked.request.unit
    if unit == (wanted or place.unit_procedure.unit_class):
        return
    known = Register(asked.ledger, asked.memory).find(unit) if wanted is None else None
    if known is None or known.kind != place.unit_procedure.unit_class:
        where = wanted or place.unit_procedure.unit_class
        yield _place_refusal(f"{place.path} belongs on {where}, not on {unit}", f"Run it on {where}.")


def _place_refusal(reason: str, remedy: str) -> Refusal:
    return Refusal(reason, remedy, "place")


def people_gate(asked: Asked) -> Iterator[Refusal]:
    """Who runs the phase is enrolled, in service, in a role for it, and trained in what it asks for."""
    actor, place = asked.request.actor, asked.place
    if not actor or place is None:
        return
    try:
        authorise(asked.ledger, actor, EXECUTE)
    except InputError as error:
        yield Refusal(error.message, error.remedy, "person", actor)
        return
    course = place.phase.manual.course
    if course and not is_trained(asked.ledger, actor, course):
        words = f"{actor} is not trained in {course}, or the training has lapsed"
        remedy = "Have somebody trained do it, or train the person and record it (21 CFR 211.25)."
        yield Refusal(words, remedy, "training", actor, liftable=True)


def lots_gate(asked: Asked) -> Iterator[Refusal]:
    """Every lot that the phase would take may be used today: received, released, in date, on no hold."""
    today = asked.request.time.date()
    for lot in asked.request.lots:
        try:
            faults = lot_faults(asked.ledger, lot, today)
        except InputError as error:
            yield Refusal(error.message, error.remedy, "lot.unknown", lot)
            continue
        if faults:
            known = received_lot(asked.ledger, lot)
            # A rejected lot, one on hold and one of a batch that is not released are nobody's to lift.
            liftable = known is not None and known.status != "rejected" and not open_holds(asked.ledger, lot)
            remedy = "Use a released lot that is in date, or have quality decide on this one."
            yield Refusal("; ".join(faults), remedy, "lot.unfit", lot, liftable=liftable)


GATES: Final[Sequence[Gate]] = (
    recipe_gate,
    place_gate,
    people_gate,
    equipment_gate,
    probe_gate,
    clearance_gate,
    lots_gate,
    bank_gate,
    patient_gate,
    assurance_gate,
)
"""Asked in this order. A gate of another kind of object is a function beside that object, and stands here by name."""


class LedgerPermit:
    """`seedtrain.recipe.Permit` over a ledger; every refusal says why and what to do.

    - `control`: the recipe that the executor runs. It must be the one of the batch and the one that was approved.

    One permit serves a whole batch: it reads each event of the ledger once.
    """

    def __init__(self, ledger: Ledger, control: ControlRecipe, gates: Sequence[Gate] = GATES) -> None:
        self._ledger = ledger
        self._control = control
        self._gates = gates
        self._running: dict[str, RunningRecord] = {}
        self._memory: dict[str, Any] = {}

    def check(self, request: PermitRequest) -> Refusal | None:
        """None where the phase may start, or go on; the first reason that nobody lifted."""
        running = self._running.setdefault(request.batch, RunningRecord(self._ledger, request.batch))
        try:
            record = running.now()
        except InputError as error:
            return Refusal(error.message, "Create the batch first.")
        return first_refusal(self._ledger, self._control, record, request, self._gates, self._memory)


def first_refusal(
    ledger: Ledger,
    control: ControlRecipe,
    record: BatchRecord,
    request: PermitRequest,
    gates: Sequence[Gate] = GATES,
    memory: dict[str, Any] | None = None,
) -> Refusal | None:
    """The first reason of any gate that nobody lifted, for a batch that stands as `record` says."""
    try:
        place = control.recipe.phase_at(request.phase_path)
    except InputError:
        place = None  # the order of the procedure refuses it
    asked = Asked(ledger, request, record, control, place, {} if memory is None else memory)
    reasons = (refusal for gate in gates for refusal in gate(asked))
    return next((item for item in reasons if not is_lifted(asked, item)), None)


def is_lifted(asked: Asked, refusal: Refusal) -> bool:
    """Whether quality decided, under a deviation and signed, that this phase goes on past this reason."""
    request = asked.request
    return is_waived(asked.ledger, asked.record, request.phase_path, request.actor, refusal)


def is_waived(ledger: Ledger, record: BatchRecord, phase: str, actor: str, refusal: Refusal) -> bool:
    """`is_lifted` for `actor` in a phase of a batch."""
    key = (phase, refusal.gate, refusal.subject)
    return refusal.liftable and any(
        item.signed
        and (item.phase, item.gate, item.subject) == key
        and _may_lift(ledger, item.actor, {*record.operators, actor})
        for item in record.lifts
    )


def _may_lift(ledger: Ledger, person: str, operators: set[str]) -> bool:
    try:
        authorise(ledger, person, LIFT)
        another_person(ledger, person, operators, "the lifting of a stop")
    except InputError:
        return False
    return True


def unchecked_phases(recipe: MasterRecipe, record: BatchRecord) -> tuple[str, ...]:
    """Completed phases that ask for a second person and were not checked by one (21 CFR 211.101(c)-(d))."""
    wanted = {item.path for item in recipe.phases() if item.phase.second_person}
    return tuple(item.phase for item in record.steps if item.phase in wanted and item.completed_at and not item.checked)


def unsigned_phases(record: BatchRecord) -> tuple[str, ...]:
    """Complete phases of a batch run by people for which who performed them has not signed, or not since a correction
    (21 CFR 211.188(b)(11))."""
    if not record.header.manual:
        return ()
    return tuple(item.phase for item in record.steps if item.completed_at is not None and not item.performed)
