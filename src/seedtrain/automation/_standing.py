"""How a batch on a plant stands, from its record alone: what runs, since when, and what is waited for, of whom."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from seedtrain.automation._commit import batch_state, signed_hold_points
from seedtrain.automation._fold import BatchState
from seedtrain.automation._job import by_people, completed_by_people, unit_name
from seedtrain.automation._lock import is_driven
from seedtrain.base import translate as _
from seedtrain.recipe import ControlRecipe, HoldPoint, Phase, PhaseAt, State, earlier, next_phases, state_words
from seedtrain.record import Ledger, timestamp


@dataclass(frozen=True)
class Waits:
    """What is waited for: `words` for people; `of` whom, `equipment` or a role; `command` that answers it."""

    words: str
    of: str
    phase: str = ""
    command: str = ""

    @property
    def of_people(self) -> bool:
        """Whether nothing goes on before somebody has done something."""
        return self.of != "equipment"


def all_waits(control: ControlRecipe, state: BatchState, people: Collection[str]) -> tuple[Waits, ...]:
    """What the batch waits for now: one thing for each branch that may go on, what units are held for first."""
    whole = state.state()
    if whole is State.HELD:
        reason = (state.ordered.reason or "") if state.ordered is not None else ""
        words = _("held: {reason}; somebody confirms that it goes on").format(reason=reason)
        return (Waits(words, "operator", command=f"batch confirm {state.batch}"),)
    if whole is State.PAUSED:
        return (Waits(_("paused: somebody lets it go on"), "operator", command=f"batch resume {state.batch}"),)
    found = list(_of_units(control, state))
    unchecked = _unchecked(control, state)
    for path in unchecked:
        words = _("a second person checks {phase}").format(phase=path)
        found.append(Waits(words, "checker", path, f"batch check {state.batch} {path}"))
    following = next_phases(control.recipe, state.completed, signed_hold_points(state))
    for item in following:
        if isinstance(item, HoldPoint):
            words = _("another person signs the hold point of {phase}: {words}")
            words = words.format(phase=item.path, words=item.words)
            found.append(Waits(words, "shift_leader", item.path, f"batch sign {state.batch} {item.path}"))
        elif state.state(item.unit_procedure.name) is not State.HELD and (
            item.path in state.started or not earlier(control.recipe, item.path) & set(unchecked)
        ):
            found.append(_in_phase(state, item, people))
    return tuple(found) if found or following else (Waits(_("every phase is complete"), "equipment"),)


def waits(control: ControlRecipe, state: BatchState, people: Collection[str]) -> Waits:
    """What the batch waits for first: of people, if it waits for any."""
    found = all_waits(control, state, people)
    return next((item for item in found if item.of_people), found[0])


def _unchecked(control: ControlRecipe, state: BatchState) -> list[str]:
    """Complete phases that a second person has yet to check."""
    return [
        step.path
        for step in control.recipe.phases()
        if step.path in state.completed and step.phase.second_person and step.path not in state.checked
    ]


def _of_units(control: ControlRecipe, state: BatchState) -> Iterator[Waits]:
    """Unit procedures that are held by themselves, while the batch goes on."""
    for procedure in control.recipe.unit_procedures:
        if state.state(procedure.name) is State.HELD:
            unit = procedure.unit or procedure.unit_class
            words = _("{unit} is held: {reason}; somebody confirms that it goes on")
            words = words.format(unit=unit, reason=state.orders[procedure.name].reason or "")
            yield Waits(words, "operator", command=f"batch confirm {state.batch} --unit {unit}")


def waits_of(control: ControlRecipe, state: BatchState) -> tuple[Waits, ...]:
    """What a batch on a plant waits for, of each branch; nothing where it is over, or does not run on a plant."""
    live = (state.created or {}).get("live")
    if not isinstance(live, dict) or state.state().is_final:
        return ()
    return all_waits(control, state, live["people"])


def _in_phase(state: BatchState, step: PhaseAt, people: Collection[str]) -> Waits:
    path, until = step.path, step.phase.until
    if by_people(step, people):
        role = str(until.value) if until is not None and until.is_signature else "operator"
        begun = path in state.started
        what = "complete" if begun else "begin"
        words = _("somebody completes {phase}") if begun else _("somebody begins {phase}")
        return Waits(words.format(phase=path), role, path, f"batch {what} {state.batch} {path}")
    if path in state.ended and completed_by_people(step):
        words = _("the equipment has ended {phase}: somebody enters what it asks for, and completes it")
        return Waits(words.format(phase=path), "operator", path, f"batch complete {state.batch} {path}")
    if path in state.started:
        words = _("{unit} runs {phase} until {end}").format(unit=unit_name(step), phase=path, end=end_words(step.phase))
    else:
        words = _("{unit} starts {phase}").format(unit=unit_name(step), phase=path)
    return Waits(words, "equipment", path)


def end_words(phase: Phase) -> str:
    """By what a phase ends, as the recipe says it."""
    if phase.until is not None:
        return f"{phase.until}, {phase.at_most}" if phase.at_most is not None else str(phase.until)
    return str(phase.duration) if phase.duration is not None else "-"


def batch_people(ledger: Ledger, batch: str) -> tuple[str, ...]:
    """The units of a batch on a plant that people run, as they were when it began."""
    live = (batch_state(ledger, batch).created or {}).get("live")
    return tuple(live["people"]) if isinstance(live, dict) else ()


def live_status(ledger: Ledger, batch: str, control: ControlRecipe) -> dict[str, Any] | None:
    """How the batch stands, for machines; None where it does not run on a plant."""
    state = batch_state(ledger, batch)
    live = (state.created or {}).get("live")
    if not isinstance(live, dict):
        return None
    everything = all_waits(control, state, live["people"])
    now = waits(control, state, live["people"])
    attached = state.attached
    return {
        "state": state.state().value,
        "since": None if state.ordered is None else timestamp(state.ordered.occurred),
        "executor": state.executor,
        "driven": is_driven(ledger, batch),
        "not_obeyed": _not_obeyed(control, state, live["people"]),
        "attached_at": None if attached is None else attached.recorded_at,
        "found": dict(attached.payload["found"]) if attached is not None else {},
        "found_beside": [dict(item) for item in attached.payload.get("beside", ())] if attached is not None else [],
        "units": [_unit(control, state, name) for name in [*live["units"], *live["people"]]],
        "waits_for": None if state.state().is_final else {"words": now.words, "of": now.of, "phase": now.phase},
        "command": now.command if not state.state().is_final else "",
        "waits_beside": [vars(item) for item in everything if item != now and not state.state().is_final],
        "overrides": [dict(item) for _seq, item in state.overrides if item["phase"] not in state.completed],
    }


def _not_obeyed(control: ControlRecipe, state: BatchState, people: Collection[str]) -> list[str]:
    """Units that run a phase and have not followed the last order to hold, stop or abort; one that was held before, and
    not restarted, is in its safe state whatever was ordered since."""
    stopping = (State.HELD, State.STOPPED, State.ABORTED)
    return [
        unit_name(step)
        for step in control.recipe.phases()
        if step.path in state.started
        and step.path not in state.completed
        and step.path not in state.ended
        and step.path not in state.still
        and (state.state() in stopping or state.state(step.unit_procedure.name) in stopping)
        and not by_people(step, people)
        and (state.order_of(step.unit_procedure.name), unit_name(step)) not in state.obeyed
    ]


def _unit(control: ControlRecipe, state: BatchState, name: str) -> dict[str, Any]:
    """One unit: its unit procedure's state, the phase that it runs, and since when."""
    steps = [step for step in control.recipe.phases() if unit_name(step) == name]
    running = [step.path for step in steps if step.path in state.started and step.path not in state.completed]
    scopes = {step.unit_procedure.name for step in steps}
    states = [state.state(scope) for scope in scopes]
    lively = next((item for item in states if item is not State.IDLE and not item.is_final), None)
    shown = lively or (State.COMPLETE if states and all(item.is_final for item in states) else State.IDLE)
    since = state.started[running[-1]].time if running else None
    return {
        "unit": name,
        "state": shown.value,
        "phase": running[-1] if running else "",
        "since": None if since is None else timestamp(since),
        "done": sum(step.path in state.completed for step in steps),
        "phases": len(steps),
    }


def live_words(status: dict[str, Any]) -> list[str]:
    """`live_status` as lines that people read."""
    lines = []
    for unit in status["units"]:
        words = f"  {unit['unit']:<14} {state_words(State(unit['state'])):<10} {unit['done']}/{unit['phases']}"
        lines.append(f"{words}  {unit['phase']}  {unit['since'] or ''}".rstrip())
    for name in status["not_obeyed"]:
        lines.append("  " + _("{unit} has not been brought to its safe state by the executor yet").format(unit=name))
    if status["waits_for"] is not None and not status["driven"]:
        lines.append("  " + _("no executor drives it on this machine: seedtrain batch resume --mapping"))
    if status["waits_for"] is not None:
        waiting = status["waits_for"]
        lines.append("  " + _("waits for {whom}: {words}").format(whom=waiting["of"], words=waiting["words"]))
    if status["command"]:
        lines.append(f"    seedtrain {status['command']}")
    for waiting in status["waits_beside"]:
        lines.append("  " + _("waits for {whom}: {words}").format(whom=waiting["of"], words=waiting["words"]))
        lines += [f"    seedtrain {waiting['command']}"] if waiting["command"] else []
    return lines
