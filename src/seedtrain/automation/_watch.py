"""Watching a phase while it runs: orders of people, overrides, interlocks, lost connections; then its end."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final

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


LOOKS_FOR_HISTORY: Final = 3
"""More looks for what a server's history lacks of a lost connection, before it is marked as lacking."""
PAST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Up to when the process clock is moved by a look that moves it not at all."""


class Watch:
    """One phase that a unit runs, looked at again and again until it has ended; `seen`: up to when it was recorded."""

    def __init__(self, job: Job, state: BatchState, step: PhaseAt) -> None:
        self.job, self.state, self.step = job, state, step
        self.live = live_of(job)
        self.unit = self.live.plant.unit(unit_name(step))
        began = state.started[step.path].time
        self._ramp = Ramp(step.phase, began)
        self._lost, self.seen = False, began - timedelta(microseconds=1)
        self._outages: list[Outage] = []
        if self.live.recorder is not None:
            self.live.recorder.phase(self.unit.name, step.path, step.phase.do, began)

    @property
    def moves(self) -> bool:
        """Whether its targets move, so that no long time may pass between two looks."""
        return bool(ramped(self.step.phase))

    def look(self, *, wait: bool) -> Ending | None:
        """Orders, interlocks, targets and readings; how the phase ended once the batch runs, or None.

        - `wait`: let process time pass where it has not ended.

        Raises `Overtaken` where its unit no longer runs it; the caller brings the unit where it belongs.
        """
        job, state, step, unit = self.job, self.state, self.step, self.unit
        try:
            _follow_overrides(job, state, step, unit)
            _mind_interlocks(job, state, step, unit)
            _step_targets(state, step, unit, self._ramp)
            ending = unit.poll(step.path) if wait else unit.poll(step.path, PAST)
            self._mark_gaps()
            self.keep()
        except UnavailableError as error:
            if not self._lost:
                self.live.tell(_("{unit} cannot be reached: {error}").format(unit=unit.name, error=error.message))
            self._lost = True
            if wait:
                time.sleep(self.live.look_s)
            return None
        except NotRunning as error:
            hold_for(job, state, unit.now(), error.message, of=step)
            raise Overtaken from None
        if self._lost:
            self.live.tell(_("{unit} is reached again").format(unit=unit.name))
            self._lost = False
        if ending is not None and state.state() is State.RUNNING:
            return ending
        if ending is not None and wait:
            time.sleep(self.live.look_s)
        return None

    def _mark_gaps(self) -> None:
        """One `telemetry.gap` a tag for each lost connection, with its exact span and whether history fills it.

        A server that was busy may write its history up only after it answers again, so it is given some looks.
        """
        self._outages += self.unit.outages()
        longest = self.job.interval.total_seconds() / 3600.0
        while self._outages:
            outage = self._outages[0]
            for again in range(1 + LOOKS_FOR_HISTORY):
                time.sleep(self.live.look_s if again else 0.0)
                filled = self.unit.filled(self.step.path, outage, longest)
                if all(filled.values()):
                    break
            told = (gap(self.job, self.state, self.step, self.unit, tag, outage, done) for tag, done in filled.items())
            commit(self.job, self.state, list(told))
            del self._outages[0]

    def pass_time(self, until: datetime | None) -> None:
        """Let process time pass, towards `until` at most where it is given."""
        try:
            self.unit.poll(self.step.path, until)
        except (UnavailableError, NotRunning):  # the next look says so
            time.sleep(self.live.look_s)

    def close(self, ending: Ending) -> None:
        """The phase has ended: where a ramp leads stands, and nothing of it is watched any more."""
        if ramped(self.step.phase):
            self.unit.override(self._ramp.end(overridden(self.state, self.step)))
        if self.live.recorder is not None:
            self.live.recorder.phase(self.unit.name, "", "", ending.time)

    def keep(self) -> None:
        """Give the recorder what the unit's history has beyond what it gave before.

        It is asked of the history, so that what was measured while nobody was connected comes too.
        """
        if self.live.recorder is None:
            return
        readings = self.unit.fresh(self.step.path, self.seen)
        self.live.recorder.take(self.unit.name, readings)
        self.seen = readings[-1].time if readings else self.seen


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


def hold_for(job: Job, state: BatchState, at: datetime, reason: str, *, of: PhaseAt | None = None) -> None:
    """Record that the batch is Held, and why; because of a phase that may be held alone, its unit procedure."""
    drafts = held_drafts(job, state, max(at, state.clock or at), reason[:500], of=of)
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
    """Where an interlock holds the unit goes to its safe state, and the batch, or the unit alone, is Held."""
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
    commit(job, state, [tripped, *held_drafts(job, state, at, words, of=step)])
    raise Overtaken


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
