"""The hard stops of a phase, decided on the ledger alone."""

from __future__ import annotations

from seedtrain.base import InputError
from seedtrain.gmp._batch._record import BatchRecord, batch_record
from seedtrain.gmp._lots._received import received_lot
from seedtrain.gmp._master._approval import approval
from seedtrain.recipe import ControlRecipe, HoldPoint, MasterRecipe, PermitRequest, Refusal, next_phase
from seedtrain.record import Event, Ledger


class LedgerPermit:
    """`seedtrain.recipe.Permit` over a ledger; every refusal says why and what to do.

    - `control`: the recipe that the executor runs. It must be the one of the batch and the one that was approved.
    """

    def __init__(self, ledger: Ledger, control: ControlRecipe) -> None:
        self._ledger = ledger
        self._control = control
        self._seen: dict[str, list[Event]] = {}

    def check(self, request: PermitRequest) -> Refusal | None:
        """None where the phase may start."""
        try:
            record = self._record(request.batch)
        except InputError as error:
            return Refusal(error.message, "Create the batch first.")
        return self._recipe(request, record) or self._place(request, record) or self._lots(request)

    def _recipe(self, request: PermitRequest, record: BatchRecord) -> Refusal | None:
        wanted = self._control.digest
        if record.header.recipe_digest != wanted:
            return Refusal(
                f"batch {request.batch} was created with the recipe {record.header.recipe_digest[:16]}..., "
                f"not with {wanted[:16]}...",
                "Run the batch with the recipe that it was created with; a changed recipe needs a new batch.",
            )
        found = approval(self._ledger, wanted)
        if found is None:
            return Refusal(
                f"the recipe {wanted[:16]}... was never approved", "Have it signed by its author and another person."
            )
        if found.fault:
            return Refusal(found.fault, "Open a deviation and have the recipe approved anew.")
        if found.retired:
            return Refusal(f"the recipe {wanted[:16]}... is retired", "Use its successor.")
        if not found.effective:
            return Refusal(
                f"the recipe {wanted[:16]}... is signed by {', '.join(found.signers) or 'nobody'}; two different "
                "persons are needed (21 CFR 211.186)",
                "Have another person approve it.",
            )
        return None

    def _place(self, request: PermitRequest, record: BatchRecord) -> Refusal | None:
        """Order of the procedure, checks and hold points before this phase, and the unit."""
        recipe = self._control.recipe
        if record.decision is not None and record.decision.decision != "on_hold":
            return Refusal(f"batch {request.batch} is {record.decision.decision}", "Start another batch.")
        unchecked = unchecked_phases(recipe, record)
        if unchecked:
            return Refusal(
                f"{unchecked[0]} was not checked by a second person", "Have another person check it and sign."
            )
        completed = [item.phase for item in record.steps if item.completed_at is not None]
        signed = [item.phase for item in record.steps if item.hold_signatures]
        try:
            expected = next_phase(recipe, completed, signed)
        except InputError as error:
            return Refusal(error.message, "Open a deviation: the order of the procedure is broken.")
        if isinstance(expected, HoldPoint):
            return Refusal(f"the hold point of {expected.path} is not signed: {expected.words}", "Have it signed.")
        if expected is None or expected.path != request.phase_path:
            following = "the batch is at its end" if expected is None else f"{expected.path} comes next"
            return Refusal(f"{request.phase_path} is out of order: {following}", "Keep to the order of the recipe.")
        wanted = expected.unit_procedure.unit or expected.unit_procedure.unit_class
        if request.unit != wanted:
            return Refusal(f"{request.phase_path} belongs on {wanted}, not on {request.unit}", f"Run it on {wanted}.")
        return None

    def _lots(self, request: PermitRequest) -> Refusal | None:
        for lot in request.lots:
            refusal = self._lot(lot, request)
            if refusal is not None:
                return refusal
        return None

    def _lot(self, lot: str, request: PermitRequest) -> Refusal | None:
        known = received_lot(self._ledger, lot)
        if known is None:
            return self._produced(lot)
        if known.status != "released":
            return Refusal(
                f"lot {lot} ({known.material}) is {known.status}", "Use a released lot, or have quality release it."
            )
        if known.expiry < request.time.date():
            return Refusal(
                f"lot {lot} ({known.material}) expired on {known.expiry.isoformat()}", "Use a lot that is in date."
            )
        return None

    def _produced(self, lot: str) -> Refusal | None:
        """A lot that another batch produced: usable once that batch is released."""
        for event in self._ledger.events(type="lot.produced"):
            if event.payload["lot"] == lot:
                decision = self._record(event.subject).decision
                if decision is not None and decision.decision == "released" and decision.signed:
                    return None
                return Refusal(f"lot {lot} of batch {event.subject} is not released", "Have the batch released first.")
        return Refusal(f"the ledger knows no lot {lot}", "Receive the lot: material, quantity, expiry and origin.")

    def _record(self, batch: str) -> BatchRecord:
        seen = self._seen.setdefault(batch, [])  # events never change: only the new ones are read
        seen.extend(self._ledger.events(subject=batch, after=seen[-1].seq if seen else 0))
        return batch_record(seen, batch)


def unchecked_phases(recipe: MasterRecipe, record: BatchRecord) -> tuple[str, ...]:
    """Completed phases that ask for a second person and were not checked by one (21 CFR 211.101(c)-(d))."""
    wanted = {item.path for item in recipe.phases() if item.phase.second_person}
    return tuple(item.phase for item in record.steps if item.phase in wanted and item.completed_at and not item.checked)
