"""One phase from its permit to its recorded end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from seedtrain.automation._commit import (
    LONGEST_MEANING,
    Overtaken,
    PeopleFirst,
    asked_at,
    catch_up,
    commands,
    commit,
    held_drafts,
)
from seedtrain.automation._devices import Ending, FunctionalUnit
from seedtrain.automation._excursion import Excursion
from seedtrain.automation._fold import WHOLE, BatchState
from seedtrain.automation._job import CHECKER, Job, completed_by_people, unit_name
from seedtrain.automation._materials import ShortOfMaterial, named_materials, split, target
from seedtrain.automation._phase import hold_time_value, in_order, open_store, phase_findings
from seedtrain.automation._ramp import Steered, ramped, set_points, standing, stepped_end
from seedtrain.automation._view import Findings, PhaseView
from seedtrain.automation._watch import Watch, live_of, obeyed, overridden
from seedtrain.base import InputError, UnavailableError, decimal_text
from seedtrain.quantity import Quantity
from seedtrain.recipe import Command, PermitRequest, PhaseAt, Refusal, State, directly_before, holds_alone
from seedtrain.record import Draft, sign

_HELD: Final = (Command.HOLD, Command.COMPLETE)


class PermitRefused(InputError):
    """A hard stop: the phase `path` may not go on. The batch is Held; `execute` again restarts it there."""

    def __init__(self, path: str, refusal: Refusal) -> None:
        super().__init__(f"{path} may not go on: {refusal.reason}", remedy=refusal.remedy)
        self.path = path
        self.refusal = refusal


def run_phase(job: Job, state: BatchState, step: PhaseAt) -> None:
    """Run the next phase of the batch, or what is left of it, to its recorded end."""
    unit = job.plant.unit(unit_name(step))
    if step.path not in state.started:
        start_phase(job, state, step, unit.await_ready(step.path, asked_at(job, state, step)))
    record_phase(job, state, step, _run(job, state, step, unit, state.started[step.path].time))


def record_phase(job: Job, state: BatchState, step: PhaseAt, ending: Ending) -> None:
    """Record what a phase that ended gave, its check and its end."""
    unit, began = job.plant.unit(unit_name(step)), state.started[step.path].time
    if ending.time < began:
        raise UnavailableError(
            f"{unit.name} says that {step.path} ended at {ending.time}, before it began at {began}",
            remedy="Check the unit's clock.",
        )
    _record(PhaseView(job, state, step, unit, ending, job.origin_of(unit)))


def _run(job: Job, state: BatchState, step: PhaseAt, unit: FunctionalUnit, began: datetime) -> Ending:
    unit.command(step.path, set_points(step.phase))
    unit.start(step.path, step.phase, began)
    if ramped(step.phase) and isinstance(unit, Steered):
        return stepped_end(unit, step, began)
    return unit.await_end(step.path)


def take_up(job: Job, state: BatchState, step: PhaseAt) -> Watch:
    """Start the phase, or take it up where it stands: what it set, what stood before it, what people set by hand."""
    unit, began = live_of(job).plant.unit(unit_name(step)), state.started[step.path].time
    now = unit.now()
    held, stood = step.path in state.still, state.stood_by(step.path, now)
    by_hand = overridden(state, step)
    before = standing(step) if held else {}
    unit.command(step.path, {**before, **set_points(step.phase, now - began - stood), **by_hand})
    counts = {str(tag): float(value) for tag, value in state.starts[step.path].get("counts", {}).items()}
    unit.recall(step.path, stood, counts)
    unit.start(step.path, step.phase, began)
    if held:
        order = state.order_of(step.unit_procedure.name)
        commit(job, state, [obeyed(job, unit, step.path, "restart", order, max(now, state.clock or now))])
    return Watch(job, state, step)


def start_phase(job: Job, state: BatchState, step: PhaseAt, ready: datetime) -> None:
    """Ask for the permit and record the start at `ready`; a refusal records Held and is raised."""
    unit, name = job.plant.unit(unit_name(step)), step.unit_procedure.name
    idle = state.state(name) is State.IDLE
    drafts = commands(job, name, unit.name, ready, State.IDLE, Command.START) if idle else []
    refusal = _refusal(job, state, step, unit, ready)
    if refusal is not None and refusal.gate == "place" and job.live is not None:
        raise PeopleFirst(refusal.reason)
    if refusal is not None:
        _hold(job, state, step, unit, ready, drafts, refusal)
        raise PermitRefused(step.path, refusal)
    drafts += _restart(job, state, step, unit, ready)
    found = _waited(job, state, step, unit, ready)
    payload = {
        "phase": step.path,
        "unit": unit.name,
        "do": step.phase.do,
        "settings": {key: _setting(value) for key, value in step.phase.set.items()},
        "line": job.control.recipe.position(step.path).line,
    }
    if job.live is not None:
        counts = live_of(job).plant.unit(unit.name).counts()
        payload |= {"counts": {tag: decimal_text(value, 15) for tag, value in counts.items()}} if counts else {}
    started = job.draft("step.started", payload, ready, device=unit.name)
    commit(job, state, [*drafts, *found.drafts, started])
    _tell(job, state, found.excursions)


def _setting(value: Quantity | str) -> str:
    return value if isinstance(value, str) else str(Quantity(float(decimal_text(value.value)), value.unit))


def _refusal(job: Job, state: BatchState, step: PhaseAt, unit: FunctionalUnit, at: datetime) -> Refusal | None:
    """Why the phase may not start: no lot to take, or the permit's own reason."""
    try:
        lots = _lots(job, state, step, unit, at)
    except ShortOfMaterial as error:
        return Refusal(error.message, error.remedy)
    return job.permit.check(PermitRequest(job.batch, step.path, unit.name, lots, at))


def _lots(job: Job, state: BatchState, step: PhaseAt, unit: FunctionalUnit, at: datetime) -> tuple[str, ...]:
    """The lots that the phase would take: for the amount that the recipe states, else the next one of each material."""
    recipe = job.control.recipe
    store = open_store(job)
    chosen: dict[str, None] = {}
    for name in dict.fromkeys((*named_materials(step.phase), *unit.connected(step.path, step.phase))):
        wanted = target(recipe, step, name, None)
        if wanted is not None:
            parts = split(recipe, name, wanted.value, wanted.unit)
        for material in recipe.materials.get(name, {name: None}):
            amount, measure = parts[material] if wanted is not None else (None, "")
            chosen.update(dict.fromkeys(store.choose(material, amount, measure, at.date())))
    return tuple(chosen)


def _hold(
    job: Job,
    state: BatchState,
    step: PhaseAt,
    unit: FunctionalUnit,
    at: datetime,
    drafts: Sequence[Draft],
    refusal: Refusal,
) -> None:
    """Bring the unit to its safe state and record Held, once."""
    unit.hold(step.path)
    alone = job.live is not None and holds_alone(job.control.recipe, step.unit_procedure)
    if state.held or (alone and state.state(step.unit_procedure.name) is State.HELD):
        return
    if job.live is not None:
        stop = {"phase": step.path, "gate": refusal.gate, "subject": refusal.subject, "reason": refusal.reason}
        refused = job.draft("permit.refused", {**stop, "origin": job.origin}, at)
        held = held_drafts(job, state, at, refusal.reason, of=step)
        if alone and not held:  # refused at its very beginning: Held is where it waits all the same
            scope = step.unit_procedure.name
            held = [*drafts, *commands(job, scope, "", at, State.RUNNING, *_HELD, reason=refusal.reason)]
        commit(job, state, [refused, *held])
        return
    scopes = ((step.unit_procedure.name, unit.name), (WHOLE, ""))
    held = [
        draft for scope, scope_unit in scopes for draft in commands(job, scope, scope_unit, at, State.RUNNING, *_HELD)
    ]
    commit(job, state, [*drafts, *held])


def _restart(job: Job, state: BatchState, step: PhaseAt, unit: FunctionalUnit, at: datetime) -> list[Draft]:
    """The commands that take a Held batch back to running; none where it runs."""
    if not state.held:
        return []
    if job.live is not None:
        raise Overtaken  # a person restarts it
    scopes = ((WHOLE, ""), (step.unit_procedure.name, unit.name))
    return [
        draft
        for scope, scope_unit in scopes
        for draft in commands(job, scope, scope_unit, at, state.state(scope), Command.RESTART, Command.COMPLETE)
    ]


def _waited(job: Job, state: BatchState, step: PhaseAt, unit: FunctionalUnit, ready: datetime) -> Findings:
    """How long what the phases before left has waited, against their hold times; nothing where they have none."""
    found = Findings()
    for before in directly_before(job.control.recipe, step.path):
        if before.phase.hold_time is None:
            continue
        ended = state.completed[before.path].time
        view = PhaseView(job, state, before, unit, Ending(ended, "condition"), job.origin_of(unit))
        draft, excursion = hold_time_value(view, (ready - ended).total_seconds() / 3600.0, ready)
        found.drafts.append(draft)
        found.excursions += [excursion] if excursion else []
    return found


def _tell(job: Job, state: BatchState, excursions: Sequence[Excursion]) -> None:
    """Tell of the excursions that are now recorded, and fold what the listener wrote about them."""
    if job.on_excursion is None or not excursions:
        return
    for excursion in excursions:
        job.on_excursion(excursion)
    catch_up(job, state)


def _record(view: PhaseView) -> None:
    """Record what the phase gave, its check and its end."""
    job, state, step, at = view.job, view.state, view.step, view.ending.time
    if step.path in state.completed:
        return  # another executor of this batch was faster
    if job.live is not None:
        _record_for_people(view)
        return
    drafts: list[Draft] = []
    found = Findings()
    if step.path not in state.checked:
        found = _findings(view)
        drafts = in_order(found.drafts)
        if step.phase.second_person:
            payload = {"phase": step.path, "meaning": f"checked: {step.path}"[:LONGEST_MEANING]}
            checked = job.draft("step.checked", payload, at, actor=job.operators[CHECKER], device=view.unit.name)
            commit(job, state, drafts, checked=checked)
            drafts = []
    until = step.phase.until
    if until is not None and until.is_signature and state.started[step.path].digest not in state.signed:
        meaning = f"transition: {step.path}"[:LONGEST_MEANING]
        sign(job.ledger, job.operators[str(until.value)], state.started[step.path].digest, meaning, subject=job.batch)
        catch_up(job, state)
    ended_by = "signature" if until is not None and until.is_signature else view.ending.ended_by
    payload = {"phase": step.path, "duration_h": decimal_text(view.hours, 9), "ended_by": ended_by}
    drafts.append(job.draft("step.completed", payload, at, device=view.unit.name))
    drafts += procedure_end(job, state, step, at)
    commit(job, state, drafts)
    _tell(job, state, found.excursions)


def procedure_end(job: Job, state: BatchState, step: PhaseAt, at: datetime) -> list[Draft]:
    """The unit procedure is complete after its last phase."""
    procedure = step.unit_procedure
    before = state.state(procedure.name)
    if step.phase is not procedure.operations[-1].phases[-1] or before.is_final:
        return []
    return commands(job, procedure.name, unit_name(step), at, before, Command.COMPLETE)


def _record_for_people(view: PhaseView) -> None:
    """Record what the phase gave, and its end; where a person completes it, that its equipment is done."""
    job, state, step, at = view.job, view.state, view.step, view.ending.time
    if step.path in state.ended:
        return
    found = _findings(view)
    payload = {"phase": step.path, "duration_h": decimal_text(view.hours, 9), "ended_by": view.ending.ended_by}
    if completed_by_people(step):
        end = [job.draft("step.ended", {**payload, "origin": view.origin}, at, device=view.unit.name)]
    else:
        end = [job.draft("step.completed", payload, at, device=view.unit.name), *procedure_end(job, state, step, at)]
    commit(job, state, [*in_order(found.drafts), *end])
    _tell(job, state, found.excursions)


def _findings(view: PhaseView) -> Findings:
    """What the phase gave. Lots that it took beyond those permitted at its start need a permit too, or it is Held."""
    job, state, step, at = view.job, view.state, view.step, view.ending.time
    refusal = None
    try:
        permitted = _lots(job, state, step, view.unit, view.began)
        found = phase_findings(view)
        taken = {str(item.payload["lot"]) for item in found.drafts if item.type == "lot.consumed"}
        further = tuple(sorted(taken.difference(permitted)))
        if further:
            refusal = job.permit.check(PermitRequest(job.batch, step.path, view.unit.name, further, at))
    except ShortOfMaterial as error:
        refusal = Refusal(error.message, error.remedy)
    if refusal is not None:
        _hold(job, state, step, view.unit, at, (), refusal)
        raise PermitRefused(step.path, refusal)
    if state.held and job.live is None:
        commit(job, state, _restart(job, state, step, view.unit, at))
    return found
