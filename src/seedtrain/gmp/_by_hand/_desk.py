"""What every act on a batch goes through: its record and recipe as they stand now, the checks, one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from seedtrain.base import InputError, IntegrityError
from seedtrain.gmp._batch._record import WHOLE, BatchRecord, RunningRecord, batch_record
from seedtrain.gmp._equipment_gates import Register
from seedtrain.gmp._master._approval import approval, at_head
from seedtrain.gmp._permit import first_refusal
from seedtrain.quantity import parse
from seedtrain.recipe import (
    Command,
    ControlRecipe,
    MasterRecipe,
    PermitRequest,
    PhaseAt,
    Refusal,
    State,
    next_state,
    parse_recipe,
)
from seedtrain.record import Draft, Ledger, append_signed

LONGEST_MEANING: Final = 200
INCOMPLETE: Final = "incomplete"
SLIPS: Final = ("place", "equipment.missing", INCOMPLETE)
"""Gates that stop somebody who is too early, or has not said everything yet: that is told, and not recorded."""


class HardStop(InputError):
    """A gate refuses; the attempt stands in the record. `refusal` says which gate and because of what."""

    def __init__(self, batch: str, phase: str, refusal: Refusal) -> None:
        remedy = refusal.remedy
        if refusal.liftable:
            remedy += (
                f" Or open a deviation, and have quality let it go on: seedtrain batch lift {batch} {phase} "
                f"{refusal.gate} {refusal.subject}."
            )
        super().__init__(f"{phase}: {refusal.reason}", remedy=remedy)
        self.phase = phase
        self.refusal = refusal


@dataclass(frozen=True)
class Desk:
    """A batch as it stands, with the recipe that it pins. `at`: the clock of the process; None: the ledger's own."""

    ledger: Ledger
    record: BatchRecord
    control: ControlRecipe
    actor: str
    at: datetime | None = None

    @property
    def batch(self) -> str:
        """Its id."""
        return self.record.batch

    @property
    def now(self) -> datetime:
        """The time of the act."""
        return self.at or self.ledger.now

    def place(self, phase: str) -> PhaseAt:
        """The phase of the recipe; raises `InputError` for one that it lacks."""
        return self.control.recipe.phase_at(phase)

    def draft(self, type: str, payload: dict[str, object], *, actor: str = "", reason: str | None = None) -> Draft:
        """An event of this batch, marked as simulated where the batch is."""
        whole = {**payload, "origin": self.record.header.origin}
        return Draft(type, self.batch, whole, actor or self.actor, self.at, reason=reason)

    def must_be_open(self) -> None:
        """Refuse an act once quality has decided on the batch."""
        if self.record.decision is not None and self.record.decision.decision != "on_hold":
            words = f"batch {self.batch} is {self.record.decision.decision}"
            raise InputError(words, remedy="Nothing is added to it any more.")

    def must_run(self) -> None:
        """Refuse an act while the batch does not run (ISA-88)."""
        self.must_be_open()
        state = self.record.state
        if state is not State.RUNNING:
            way = {State.HELD: "batch restart", State.PAUSED: "batch resume"}.get(state)
            remedy = f"Bring it back: seedtrain {way} {self.batch}." if way else "Start another batch."
            raise InputError(f"batch {self.batch} is {state.value}, and only a running one takes this", remedy=remedy)

    def must_go_on(self, place: PhaseAt) -> None:
        """Refuse an act in a phase whose unit procedure is held by itself, while the batch goes on."""
        name = place.unit_procedure.name
        if self.record.states.get(name) is State.HELD:
            unit = place.unit_procedure.unit or place.unit_procedure.unit_class
            remedy = f"Bring it back: seedtrain batch restart {self.batch} --unit {unit}."
            raise InputError(f"{name} is held, and only a running unit procedure takes this", remedy=remedy)

    def running_phase(self, phase: str) -> PhaseAt:
        """The phase, where it was begun and is not complete; raises `InputError` otherwise."""
        self.must_run()
        place = self.place(phase)
        self.must_go_on(place)
        step = self.record.step(phase)
        if step is None:
            raise InputError(f"{phase} was not begun", remedy=f"Begin it: seedtrain batch begin {self.batch} {phase}.")
        if step.completed_at is not None:
            raise InputError(
                f"{phase} is complete since {step.completed_at}",
                remedy=f"Correct a value with a reason: seedtrain batch correct {self.batch} {phase}.",
            )
        return place

    def permit(self, phase: str, unit: str, *, lots: tuple[str, ...] = (), equipment: tuple[str, ...] = ()) -> None:
        """Every gate; raises `HardStop`."""
        request = PermitRequest(self.batch, phase, unit, lots, self.now, equipment, self.actor)
        refusal = first_refusal(self.ledger, self.control, self.record, request)
        if refusal is not None:
            raise HardStop(self.batch, phase, refusal)

    def commands(self, scope: str, unit: str, *given: Command) -> list[Draft]:
        """`batch.state_changed` for each command in turn; raises `IllegalCommand` before anything is recorded."""
        before = self.record.states.get(scope, State.IDLE)
        drafts = []
        for command in given:
            after = next_state(before, command)
            payload: dict[str, object] = {
                "unit_procedure": scope,
                "unit": unit,
                "command": command.value,
                "before": before.value,
                "after": after.value,
            }
            drafts.append(self.draft("batch.state_changed", payload))
            before = after
        return drafts

    def active(self) -> list[str]:
        """Unit procedures that were begun and are not at their end."""
        return [
            name
            for name, state in self.record.states.items()
            if name != WHOLE and state is not State.IDLE and not state.is_final
        ]


@dataclass(frozen=True)
class Act:
    """What is to be appended in one commit; with a `meaning`, the last draft is signed by its actor."""

    drafts: list[Draft] = field(default_factory=list)
    meaning: str = ""


def act(
    ledger: Ledger, batch: str, actor: str, do: Callable[[Desk], Act], *, at: datetime | None = None
) -> BatchRecord:
    """Let `do` say what the act adds to the batch as it stands now, and append that; again where somebody else wrote.

    Returns the record after it. A hard stop is recorded, then raised: that somebody tried is part of the record.
    """

    running = RunningRecord(ledger, batch)

    def decide(head: int) -> BatchRecord:
        record = running.now()
        desk = Desk(ledger, record, batch_recipe(ledger, record), actor, at)
        try:
            found = do(desk)
        except HardStop as stop:
            if stop.refusal.gate not in SLIPS:
                ledger.append(refused(desk, stop.phase, stop.refusal), at_head=head)
            raise
        if not found.drafts:
            return desk.record
        if found.meaning:
            *more, last = found.drafts
            append_signed(ledger, last, found.meaning[:LONGEST_MEANING], more=more, at_head=head)
        else:
            ledger.append(*found.drafts, at_head=head)
        return running.now()

    return at_head(ledger, decide)


def refused(desk: Desk, phase: str, refusal: Refusal) -> Draft:
    """The event that says that a gate refused, and why."""
    payload: dict[str, object] = {
        "phase": phase,
        "gate": refusal.gate,
        "subject": refusal.subject,
        "reason": refusal.reason,
    }
    return desk.draft("permit.refused", payload)


def logged(desk: Desk, place: PhaseAt, unit: str, equipment: Sequence[str]) -> list[str]:
    """What of unit, line and equipment stands in the register: their log of use has a line (21 CFR 211.182)."""
    register = Register(desk.ledger, {})
    line = place.phase.manual.clear
    wanted = dict.fromkeys((unit, *((line,) if line else ()), *equipment))
    return [item for item in wanted if register.find(item) is not None]


def open_desk(ledger: Ledger, batch: str, actor: str, *, at: datetime | None = None) -> Desk:
    """The batch as it stands now."""
    record = read_batch(ledger, batch)
    return Desk(ledger, record, batch_recipe(ledger, record), actor, at)


def read_batch(ledger: Ledger, batch: str) -> BatchRecord:
    """Its record, from the ledger; raises `InputError` for a batch that is not there."""
    return batch_record(ledger.events(subject=batch), batch)


def batch_recipe(ledger: Ledger, record: BatchRecord) -> ControlRecipe:
    """The control recipe that the batch pins, from the batch's own copy or from the approval.

    Raises `IntegrityError` where the text does not give the pinned digest (21 CFR 211.188(a): an accurate copy).
    """
    header = record.header
    if header.text:
        control = _read(header.text, header.master_digest, header.unit, header.volume)
        if control.digest != header.recipe_digest:
            raise IntegrityError(
                f"the recipe in batch {header.batch} gives the digest {control.digest[:16]}..., the batch pins "
                f"{header.recipe_digest[:16]}...",
                remedy="Its text was changed. Check the ledger with `seedtrain record verify`; stop the batch.",
            )
        return control
    found = approval(ledger, header.recipe_digest)
    if found is None or found.control is None:
        raise InputError(
            f"the recipe of batch {header.batch} is not in the ledger", remedy="Run it with its own executor."
        )
    return found.control


@lru_cache(maxsize=8)
def _read(text: str, master_digest: str, unit: str, volume: str) -> ControlRecipe:
    return ControlRecipe(parse_recipe(text, "the recipe of the batch"), master_digest, unit, parse(volume), 1.0)


def phase_path(recipe: MasterRecipe, name: str) -> str:
    """The path of a phase that is given by its path, or by the end of it where no other phase ends so.

    Raises `InputError` for none, and for more than one.
    """
    found = [place.path for place in recipe.phases() if place.path == name or place.path.endswith(f"/{name}")]
    if len(found) > 1 and name not in found:
        raise InputError(f"{name!r} names {len(found)} phases", remedy=f"Give one of: {', '.join(found)}.")
    return found[0] if len(found) == 1 else recipe.phase_at(name).path
