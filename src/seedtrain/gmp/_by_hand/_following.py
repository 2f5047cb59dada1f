"""What comes next in a batch, read off its record: for the person at the bench, one thing after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from seedtrain.base import translate as _
from seedtrain.gmp._batch._lines import StepLine, limit_words
from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.gmp._by_hand._values import edges
from seedtrain.gmp._permit import unchecked_phases
from seedtrain.recipe import ControlRecipe, HoldPoint, ManualEntry, PhaseAt, State, earlier, next_phases

What = Literal["clear", "begin", "dispense", "enter", "complete", "check", "sign", "restart", "resume", "finish"]


@dataclass(frozen=True)
class Following:
    """One thing to do: `words` for the person, `subject` the tag, material or line that it is about.

    - `instruction`: of the phase or of the entry; `limits`: of a value, or the amount to be dispensed.
    """

    what: What
    phase: str
    subject: str
    words: str
    instruction: str = ""
    limits: str = ""


def following(record: BatchRecord, control: ControlRecipe) -> tuple[Following, ...]:
    """Everything that may be done next, the most pressing first; empty once the batch is at its end."""
    return tuple(_following(record, control))


def _following(record: BatchRecord, control: ControlRecipe) -> Iterator[Following]:
    if record.state.is_final:
        return
    if record.state is State.HELD:
        yield Following("restart", "", "", _("the batch is held: bring it back once it may go on"))
        return
    if record.state is State.PAUSED:
        yield Following("resume", "", "", _("the batch is paused: let it go on"))
        return
    running = record.all_running
    for item in running:
        yield from _in_phase(record, control.recipe.phase_at(item.phase), item)
    waiting = list(_signatures(record, control))
    wanted = {item.phase for item in waiting}
    if not running or control.recipe.is_parallel:
        yield from waiting
    completed = [item.phase for item in record.steps if item.completed_at is not None]
    signed = [item.phase for item in record.steps if item.hold_signatures]
    expected = next_phases(control.recipe, completed, signed)
    for place in expected:
        if place.path in wanted | {item.phase for item in running} or wanted & earlier(control.recipe, place.path):
            continue
        if isinstance(place, HoldPoint):
            words = _("another person signs the hold point: {words}").format(words=place.words)
            yield Following("sign", place.path, "", words)
        else:
            yield from _beginning(record, place)
    if not expected and not waiting:
        yield Following("finish", "", "", _("every phase is complete: end the batch"))


def _signatures(record: BatchRecord, control: ControlRecipe) -> Iterator[Following]:
    if record.header.manual:
        for item in record.steps:
            if item.completed_at is not None and not item.performed:
                words = _("{person} signs for the phase anew").format(person=item.completed_by)
                yield Following("sign", item.phase, "", words)
    for path in unchecked_phases(control.recipe, record):
        yield Following("check", path, "", _("a second person checks the phase"))


def _beginning(record: BatchRecord, place: PhaseAt) -> Iterator[Following]:
    manual = place.phase.manual
    if manual.clear and not any(item.line == manual.clear and item.signed for item in record.clearances):
        words = _("inspect and clear the line {line}").format(line=manual.clear)
        yield Following("clear", place.path, manual.clear, words)
    unit = place.unit_procedure.unit or place.unit_procedure.unit_class
    words = _("begin the phase on {unit}").format(unit=unit)
    if manual.equipment:
        words += "; " + _("needed: {equipment}").format(equipment=", ".join(manual.equipment))
    yield Following("begin", place.path, unit, words, place.phase.instruction)


def _in_phase(record: BatchRecord, place: PhaseAt, step: StepLine) -> Iterator[Following]:
    path, instruction = place.path, place.phase.instruction
    for material, wanted in place.phase.manual.dispense.items():
        lines = record.consumed_in(path, material)
        if lines and not lines[-1].partial:
            continue
        limits = f"{wanted.amount} \u00b1 {wanted.tolerance_percent} %"
        yield Following("dispense", path, material, _("weigh or count the material"), instruction, limits)
    known = record.values_of(path)
    for tag, entry in place.phase.entries().items():
        if tag not in known:
            words = _("read and enter the value")
            yield Following("enter", path, tag, words, entry.instruction or instruction, entry_limits(entry))
    yield Following("complete", path, "", _("complete the phase once everything is there"), instruction)


def entry_limits(entry: ManualEntry) -> str:
    """What an entry may be, in one line: its choices, or its unit and limits."""
    if entry.choices:
        return ", ".join(entry.choices)
    limits = limit_words(*edges(entry.bands.binding, entry.unit))
    return f"{limits} {entry.unit}".strip()
