"""How a batch on a plant stands, from its record alone: what runs, since when, and what is waited for, of whom."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from seedtrain.automation._commit import batch_state, signed_hold_points
from seedtrain.automation._fold import BatchState
from seedtrain.automation._job import by_people, completed_by_people, unit_name
from seedtrain.automation._lock import is_driven
from seedtrain.base import translate as _
from seedtrain.recipe import ControlRecipe, HoldPoint, Phase, PhaseAt, State, next_phase, state_words
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


def waits(control: ControlRecipe, state: BatchState, people: Collection[str]) -> Waits:
    """What the batch waits for now."""
    whole = state.state()
    if whole is State.HELD:
        reason = (state.ordered.reason or "") if state.ordered is not None else ""
        words = _("held: {reason}; somebody confirms that it goes on").format(reason=reason)
        return Waits(words, "operator", command=f"batch confirm {state.batch}")
    if whole is State.PAUSED:
        return Waits(_("paused: somebody lets it go on"), "operator", command=f"batch resume {state.batch}")
    for step in control.recipe.phases():
        if step.path in state.completed and step.phase.second_person and step.path not in state.checked:
            words = _("a second person checks {phase}").format(phase=step.path)
            return Waits(words, "checker", step.path, f"batch check {state.batch} {step.path}")
    following = next_phase(control.recipe, state.completed, signed_hold_points(state))
    if following is None:
        return Waits(_("every phase is complete"), "equipment")
    if isinstance(following, HoldPoint):
        words = _("another person signs the hold point of {phase}: {words}")
        words = words.format(phase=following.path, words=following.words)
        return Waits(words, "shift_leader", following.path, f"batch sign {state.batch} {following.path}")
    return _in_phase(state, following, people)


def waits_of(control: ControlRecipe, state: BatchState) -> Waits | None:
    """What a batch on a plant waits for; None where it is over, or does not run on a plant."""
    live = (state.created or {}).get("live")
    if not isinstance(live, dict) or state.state().is_final:
        return None
    return waits(control, state, live["people"])


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
        "units": [_unit(control, state, name) for name in [*live["units"], *live["people"]]],
        "waits_for": None if state.state().is_final else {"words": now.words, "of": now.of, "phase": now.phase},
        "command": now.command if not state.state().is_final else "",
        "overrides": [dict(item) for _seq, item in state.overrides if item["phase"] not in state.completed],
    }


def _not_obeyed(control: ControlRecipe, state: BatchState, people: Collection[str]) -> list[str]:
    """Units that run a phase and have not followed the last order to hold, stop or abort."""
    if state.state() not in (State.HELD, State.STOPPED, State.ABORTED):
        return []
    return [
        unit_name(step)
        for step in control.recipe.phases()
        if step.path in state.started
        and step.path not in state.completed
        and step.path not in state.ended
        and not by_people(step, people)
        and (state.order, unit_name(step)) not in state.obeyed
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
    return lines
