"""A batch finds its executor: created and signed, or taken over from one that is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from seedtrain.automation._commit import Overtaken, batch_state, catch_up, commit, held_drafts
from seedtrain.automation._fold import LOST, WHOLE, BatchState
from seedtrain.automation._job import Job, by_people, unit_name
from seedtrain.automation._watch import live_of
from seedtrain.base import InputError, SeedtrainError, collect, digest
from seedtrain.base import translate as _
from seedtrain.recipe import Command, PhaseAt, State, next_state
from seedtrain.record import Draft, Ledger, append_signed


def open_batch(
    job: Job,
    state: BatchState,
    actor: str,
    units: Iterable[str],
    mapping: str,
    missing: Sequence[Mapping[str, object]] = (),
) -> None:
    """Create the batch with its recipe's text, signed by the person who starts it.

    - `missing`: materials that the store did not cover then, and that the person started without.

    Raises `InputError` where another batch that is not over runs on one of the units.
    """
    if next(iter(job.ledger.events(subject=job.batch)), None) is not None:
        raise InputError(f"the id {job.batch} is taken", remedy="Give another batch id.")
    live, names = live_of(job), tuple(units)
    collect(list(occupied(job.ledger, job.batch, names)))
    payload: dict[str, Any] = {
        "recipe": job.control.recipe.name,
        "recipe_digest": job.control.digest,
        "master_digest": job.control.master_digest,
        "unit": job.control.unit,
        "volume": str(job.control.volume),
        "origin": job.origin,
        "trial": live.trial,
        "text": job.control.recipe.to_yaml(),
        "live": {"units": list(names), "people": sorted(live.people), "mapping": mapping},
    }
    if missing:
        payload["missing"] = [dict(item) for item in missing]
    at = _now(job, state)
    created = Draft("batch.created", job.batch, payload, actor, at, id=digest(["batch.created", job.batch])[:32])
    started = {
        "unit_procedure": WHOLE,
        "unit": "",
        "command": Command.START.value,
        "before": State.IDLE.value,
        "after": next_state(State.IDLE, Command.START).value,
        "origin": job.origin,
    }
    running = Draft("batch.state_changed", job.batch, started, actor, at, id=digest(["batch.started", job.batch])[:32])
    append_signed(job.ledger, running, f"start of batch {job.batch}", more=[created])
    catch_up(job, state)


def attached_before(state: BatchState) -> bool:
    """Whether some executor has driven this batch."""
    return state.attached is not None


def attach(job: Job, state: BatchState, mapping: str, *, before: bool) -> None:
    """Record that this executor has the batch, with what it found; one that takes over from another holds it.

    Whatever ran goes to its safe state first, unless it declares `automatic_restart`.
    """
    live = live_of(job)
    if state.created is None or "live" not in state.created:
        raise InputError(
            f"batch {job.batch} was not started on a plant",
            remedy="People run it: seedtrain batch step. Start another batch with --mapping.",
        )
    if before and (state.attached is None or state.lost < state.attached.seq):
        hold_lost(job, state)  # unless that was done before the plant was reached, and perhaps confirmed since
    while True:
        payload = {"executor": live.executor, "mapping": mapping, **_found(job, running_phases(job, state))}
        try:
            commit(job, state, [job.draft("batch.attached", {**payload, "origin": job.origin}, _now(job, state))])
        except Overtaken:
            continue  # somebody gave an order meanwhile: what is found may be another thing
        return


def hold_lost(job: Job, state: BatchState) -> None:
    """Hold a batch whose executor is gone, by its record alone: the plant need not be reached yet."""
    running = running_phases(job, state)
    if running and all(step.phase.automatic_restart for step in running):
        return
    assert state.clock is not None
    where = ", ".join(f"{step.path} on {unit_name(step)}" for step in running) or "between two phases"
    drafts = held_drafts(job, state, state.clock, f"{LOST}: found {where}")
    if drafts:
        commit(job, state, drafts)
        live_of(job).tell(_("held: {reason}").format(reason=f"{LOST}: found {where}"))


def running_phases(job: Job, state: BatchState) -> list[PhaseAt]:
    """The phases that the equipment runs by the record."""
    people = live_of(job).people
    return [
        step
        for step in job.steps()
        if step.path in state.started
        and step.path not in state.completed
        and step.path not in state.ended
        and not by_people(step, people)
    ]


def _found(job: Job, steps: Sequence[PhaseAt]) -> dict[str, Any]:
    """What each unit that runs a phase says of itself, its state and its program; `beside`: all but the first."""
    found = []
    for step in steps:
        unit = live_of(job).plant.unit(unit_name(step))
        program = unit.program
        said = {"phase": step.path, "unit": unit.name, "state": unit.state.value}
        found.append(said if program is None else {**said, "program": program})
    first: dict[str, Any] = {"found": found[0] if found else {}}
    return {**first, "beside": found[1:]} if found[1:] else first


def _now(job: Job, state: BatchState) -> datetime:
    """The process clock, never before what is recorded; a simulated clock that nobody has set counts from now."""
    live = live_of(job)
    units = [unit_name(step) for step in job.steps() if not by_people(step, live.people)]
    now = live.plant.unit(units[0]).now() if units else datetime.now(UTC)
    if state.clock is not None:
        return max(now, state.clock)
    return now if now.year > 1970 else datetime.now(UTC).replace(microsecond=0)


def occupied(ledger: Ledger, batch: str, units: Iterable[str]) -> Iterator[SeedtrainError]:
    """A fault for each unit on which another batch is under way by the record."""
    wanted = set(units)
    for event in ledger.events(type="batch.created"):
        live = event.payload.get("live")
        shared = wanted & set(live["units"]) if isinstance(live, dict) else set()
        if event.subject == batch or not shared:
            continue
        other = batch_state(ledger, event.subject)
        if other.state().is_final:
            continue
        begun = {str(item["unit"]) for item in (other.starts.values())} & shared
        for name in sorted(begun):
            yield InputError(
                f"unit {name} belongs to batch {event.subject}, which is {other.state().value}",
                remedy=f"Finish or abort that batch first: seedtrain batch status {event.subject}.",
            )


def clock_behind(ledger: Ledger, batch: str, units: Iterable[str], now: datetime) -> tuple[str, datetime] | None:
    """The other batch that used one of the units after `now` on the process clock, and until when; None where none did.

    A virtual plant that is started anew begins where it is told: what two batches read at one time of its clock cannot
    be told apart in their telemetry.
    """
    wanted, latest = set(units), None
    for event in ledger.events(type="batch.created"):
        live = event.payload.get("live")
        if event.subject == batch or not isinstance(live, dict) or not wanted & set(live["units"]):
            continue
        until = batch_state(ledger, event.subject).clock
        if until is not None and until > now and (latest is None or until > latest[1]):
            latest = event.subject, until
    return latest
