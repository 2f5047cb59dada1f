"""Watching a phase while it runs: orders of people, overrides, interlocks, lost connections; then its end."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from seedtrain.automation._commit import Overtaken, catch_up, commit, held_drafts
from seedtrain.automation._devices import Ending
from seedtrain.automation._fold import BatchState
from seedtrain.automation._job import Job, Live, unit_name
from seedtrain.automation._observed import NotRunning, Outage, WatchedUnit
from seedtrain.automation._ramp import Ramp, ramped
from seedtrain.base import InputError, UnavailableError, decimal_text
from seedtrain.base import translate as _
from seedtrain.quantity import Quantity, parse
from seedtrain.recipe import PhaseAt, State
from seedtrain.record import Draft, timestamp

GOES_ON = (State.RUNNING, State.PAUSING, State.PAUSED)
"""States of the batch in which a phase that runs goes on: a pause waits for its end (ISA-88: the next safe place)."""


class TakenOver(InputError):
    """Another executor drives this batch now."""


def watched_end(job: Job, state: BatchState, step: PhaseAt) -> Ending:
    """Watch the phase until it has ended and the batch runs.

    Raises `Overtaken` where the batch does not go on, by whomever; the caller brings its units where it belongs.
    """
    live = live_of(job)
    unit = live.plant.unit(unit_name(step))
    lost, seen = False, state.started[step.path].time - timedelta(microseconds=1)
    ramp = Ramp(step.phase, state.started[step.path].time)
    if live.recorder is not None:
        live.recorder.phase(unit.name, step.path, step.phase.do, state.started[step.path].time)
    while True:
        look(job, state)
        if state.state() not in GOES_ON:
            raise Overtaken
        try:
            _follow_overrides(job, state, step, unit)
            _mind_interlocks(job, state, step, unit)
            _step_targets(state, step, unit, ramp)
            ending = unit.poll(step.path)
            _mark_gaps(job, state, step, unit)
            seen = _keep(live, step, unit, seen)
        except UnavailableError as error:
            if not lost:
                live.tell(_("{unit} cannot be reached: {error}").format(unit=unit.name, error=error.message))
            lost = True
            time.sleep(live.look_s)
            continue
        except NotRunning as error:
            hold_for(job, state, unit.now(), error.message)
            raise Overtaken from None
        if lost:
            live.tell(_("{unit} is reached again").format(unit=unit.name))
            lost = False
        if ending is not None and state.state() is State.RUNNING:
            if ramped(step.phase):
                unit.override(ramp.end(overridden(state, step)))
            if live.recorder is not None:
                live.recorder.phase(unit.name, "", "", ending.time)
            return ending
        if ending is not None:
            time.sleep(live.look_s)


def _keep(live: Live, step: PhaseAt, unit: WatchedUnit, seen: datetime) -> datetime:
    """Give the recorder what the unit's history has beyond `seen`; returns how far that goes.

    It is asked of the history, so that what was measured while nobody was connected comes too.
    """
    if live.recorder is None:
        return seen
    readings = unit.fresh(step.path, seen)
    live.recorder.take(unit.name, readings)
    return readings[-1].time if readings else seen


def live_of(job: Job) -> Live:
    """What a batch has in which people act."""
    assert job.live is not None
    return job.live


def look(job: Job, state: BatchState) -> None:
    """Take what was recorded meanwhile; raises `TakenOver` where another executor has the batch."""
    catch_up(job, state)
    if state.executor and state.executor != live_of(job).executor:
        raise TakenOver(
            f"another executor drives batch {job.batch} since {state.attached.recorded_at if state.attached else ''}",
            remedy="Leave it to that one; this one has stopped and commands nothing more.",
        )


def hold_for(job: Job, state: BatchState, at: datetime, reason: str) -> None:
    """Record that the batch is Held, and why."""
    drafts = held_drafts(job, state, max(at, state.clock or at), reason[:500])
    if drafts:
        live_of(job).tell(_("held: {reason}").format(reason=reason))
        commit(job, state, drafts)


def overridden(state: BatchState, step: PhaseAt) -> dict[str, Quantity]:
    """The targets of this phase that people have set by hand; the last one of each stands."""
    return {
        str(item["tag"]): parse(f"{item['value']} {item['unit_of_measure']}".strip())
        for _seq, item in state.overrides
        if item["phase"] == step.path
    }


def _follow_overrides(job: Job, state: BatchState, step: PhaseAt, unit: WatchedUnit) -> None:
    """Set what people have overridden since the phase was started or last looked at, and record that it is set."""
    wanted = [
        (seq, item)
        for seq, item in state.overrides
        if item["phase"] == step.path and (seq, unit.name) not in state.obeyed
    ]
    if not wanted:
        return
    unit.override(overridden(state, step))
    at = max(unit.now(), state.clock or unit.now())
    commit(job, state, [obeyed(job, unit, step.path, "override", seq, at) for seq, _item in wanted])


def _step_targets(state: BatchState, step: PhaseAt, unit: WatchedUnit, ramp: Ramp) -> None:
    """Move the targets of a ramp on; it stands still with its unit, and what people set by hand stays theirs."""
    if not ramped(step.phase):
        return
    now = unit.now()
    values = ramp.due(now, state.stood_by(step.path, now), overridden(state, step))
    if values:
        unit.override(values)


def obeyed(job: Job, unit: WatchedUnit, phase: str, command: str, order: int, at: datetime) -> Draft:
    """The event that says that a unit did what was ordered."""
    payload = {
        "unit": unit.name,
        "phase": phase,
        "command": command,
        "order": order,
        "state": unit.state.value,
        "origin": job.origin_of(unit),
    }
    return job.draft("step.commanded", payload, at, device=unit.name)


def _mind_interlocks(job: Job, state: BatchState, step: PhaseAt, unit: WatchedUnit) -> None:
    """Where an interlock holds the unit goes to its safe state, and the batch is Held."""
    found = unit.tripped()
    if found is None:
        return
    interlock, value = found
    unit.hold(step.path)
    at = max(unit.now(), state.clock or unit.now())
    payload = {
        "alarm": interlock.words,
        "unit": unit.name,
        "phase": step.path,
        "tag": interlock.tag,
        "value": decimal_text(value),
        "limit": decimal_text(interlock.value),
        "unit_of_measure": interlock.unit,
        "origin": job.origin_of(unit),
    }
    words = f"interlock {interlock.words}: {interlock.tag} is {decimal_text(value, 4)} {interlock.unit}".rstrip()
    live_of(job).tell(_("held: {reason}").format(reason=words))
    tripped = job.draft("alarm.interlock", payload, at, device=unit.name)
    commit(job, state, [tripped, *held_drafts(job, state, at, words)])
    raise Overtaken


def _mark_gaps(job: Job, state: BatchState, step: PhaseAt, unit: WatchedUnit) -> None:
    """One `telemetry.gap` a tag for each lost connection, with its exact span and whether history fills it."""
    for outage in unit.outages():
        filled = unit.filled(step.path, outage, job.interval.total_seconds() / 3600.0)
        drafts = [gap(job, state, step, unit, tag, outage, done) for tag, done in filled.items()]
        commit(job, state, drafts)


def gap(
    job: Job, state: BatchState, step: PhaseAt, unit: WatchedUnit, tag: str, outage: Outage, backfilled: bool
) -> Draft:
    """The event of one gap in the readings of a tag; `start_h`, `end_h` are h since the batch began."""
    assert state.begun is not None
    hours = [(when - state.begun).total_seconds() / 3600.0 for when in (outage.lost, outage.found)]
    payload = {
        "unit": unit.name,
        "phase": step.path,
        "tag": tag,
        "from": timestamp(outage.lost),
        "to": timestamp(outage.found),
        "cause": "connection lost",
        "backfilled": backfilled,
        "start_h": decimal_text(hours[0], 9),
        "end_h": decimal_text(hours[1], 9),
        "origin": job.origin_of(unit),
    }
    return job.draft("telemetry.gap", payload, outage.found, device=unit.name)
