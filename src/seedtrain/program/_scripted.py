"""A scripted crew: a program in place of people, for simulated batches alone. Everything that it signs is marked so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from seedtrain.automation import Waits, batch_state, waits_of
from seedtrain.base import InputError, decimal_text
from seedtrain.gmp import (
    BatchRecord,
    Following,
    batch_recipe,
    batch_record,
    begin_phase,
    check_by_second,
    command_batch,
    complete_phase,
    dispense,
    enter_value,
    equipment_list,
    following,
    received_lots,
    sign_phase,
)
from seedtrain.quantity import Quantity, Range
from seedtrain.recipe import CALIBRATE, PROBES, Command, ControlRecipe, ManualEntry, PhaseAt, references
from seedtrain.record import Ledger, enrol_person

CREW: Final = ("operator", "checker", "shift_leader")
CONFIRMED: Final = "scripted: the state was looked at"


def scripted_crew(ledger: Ledger, control: ControlRecipe) -> dict[str, str]:
    """Enrol a program for every role that the recipe's batch needs, and give the identities by role."""
    signers = {
        str(step.phase.until.value)
        for step in control.recipe.phases()
        if step.phase.until is not None and step.phase.until.is_signature
    }
    crew = {role: enrol_person(ledger, f"Scripted {role}", [role], scripted=True) for role in CREW}
    for role in sorted(signers - set(CREW)):
        # who ends a phase acts in it, and so has to be of the crew too
        crew[role] = enrol_person(ledger, f"Scripted {role}", [role, "operator"], scripted=True)
    return crew


def answer(ledger: Ledger, batch: str, crew: Mapping[str, str], *, confirm: bool = False) -> str:
    """Do the one thing for which the batch waits, as a scripted person; returns what was done, empty for nothing.

    - `confirm`: restart the batch too where it is Held.

    Raises `InputError` for a batch that is not simulated: a program is nobody who could vouch for a real one.
    """
    record = batch_record(ledger.events(subject=batch), batch)
    if not record.simulated:
        raise InputError(f"batch {batch} is not simulated", remedy="People answer what it asks for.")
    state = batch_state(ledger, batch)
    control = batch_recipe(ledger, record)
    asked = [item for item in waits_of(control, state) if item.command]
    if not confirm:
        asked = [item for item in asked if item.command.split()[1] != "confirm"]
    if not asked:
        return ""
    waiting = asked[0]
    clock = state.clock or ledger.now
    verb = waiting.command.split()[1]
    if verb == "confirm":
        unit = waiting.command.partition("--unit ")[2]
        command_batch(ledger, batch, Command.RESTART, crew["operator"], unit=unit, reason=_numbered(record), at=clock)
    elif verb == "check":
        check_by_second(ledger, batch, waiting.phase, crew["checker"], at=clock)
    elif verb == "sign":
        sign_phase(ledger, batch, waiting.phase, crew["shift_leader"], at=clock)
    elif verb in ("begin", "complete"):
        _perform(ledger, batch, record, control, waiting, crew, clock)
    else:
        return ""
    return waiting.command


def _numbered(record: BatchRecord) -> str:
    """A reason that differs each time, so that a restart is not taken for the last one told again."""
    return f"{CONFIRMED} ({sum(item.command == 'hold' for item in record.interventions)})"


def _perform(
    ledger: Ledger,
    batch: str,
    record: BatchRecord,
    control: ControlRecipe,
    waiting: Waits,
    crew: Mapping[str, str],
    clock: datetime,
) -> None:
    """Begin a phase of people; or fill in what it asks for, and complete it when its time is over."""
    actor, place = crew[waiting.of], control.recipe.phase_at(waiting.phase)
    if record.step(place.path) is None:
        begin_phase(ledger, batch, place.path, actor, equipment=_equipment(ledger, place), at=clock)
        return
    for item in (item for item in following(record, control) if item.phase == place.path):
        if item.what == "dispense":
            _dispense(ledger, batch, place, item, actor, clock)
        elif item.what == "enter":
            value, unit = _shown(place, item.subject) or likely(place.phase.entries()[item.subject])
            enter_value(ledger, batch, place.path, item.subject, value, unit, actor, at=clock)
    complete_phase(ledger, batch, place.path, actor, reason="scripted", at=clock + _lasts(place))


def _shown(place: PhaseAt, tag: str) -> tuple[str, str] | None:
    """What a probe in good order shows in its references; None of another kind of phase."""
    names = ("reading", "second_reading")
    if place.phase.do != CALIBRATE or tag not in names:
        return None
    probe, known = references(place.phase)
    return decimal_text(known[names.index(tag)]), PROBES[probe]


def _lasts(place: PhaseAt) -> timedelta:
    until, duration = place.phase.until, place.phase.duration
    if duration is None and until is not None and until.quantity == "elapsed" and isinstance(until.value, Quantity):
        duration = until.value
    return timedelta(hours=0.0 if duration is None else duration.magnitude("h"))


def _equipment(ledger: Ledger, place: PhaseAt) -> list[str]:
    """One piece of each class that the phase needs, the first that is registered."""
    known = equipment_list(ledger)
    wanted = place.phase.manual.equipment
    return [next((item.id for item in known if item.kind == kind), kind) for kind in wanted]


def _dispense(ledger: Ledger, batch: str, place: PhaseAt, item: Following, actor: str, clock: datetime) -> None:
    wanted = place.phase.manual.dispense[item.subject].amount
    lots = received_lots(ledger.events()).values()
    usable = next((lot for lot in lots if (lot.material, lot.status) == (item.subject, "released")), None)
    if usable is None:
        raise InputError(f"there is no released lot of {item.subject}", remedy="Receive one: seedtrain lot receive.")
    dispense(ledger, batch, place.path, usable.id, decimal_text(wanted.value), wanted.unit, actor, at=clock)


def likely(entry: ManualEntry) -> tuple[str, str]:
    """A value in order: an accepted choice, the middle of the limits, else words that say that nothing was read."""
    if entry.choices:
        return (entry.accept or entry.choices)[0], ""
    if entry.text:
        return "scripted", ""
    limits: Range | None = entry.bands.alert or entry.bands.binding
    ends = [] if limits is None else [item for item in (limits.low, limits.high) if item is not None]
    value = sum(item.magnitude(entry.unit) for item in ends) / len(ends) if ends else 1.0
    return decimal_text(value, 6), entry.unit
