"""Executing a batch in which people act from other processes: the executor waits for them, obeys them, and may die."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from seedtrain.automation._attach import attach, attached_before, hold_lost, open_batch
from seedtrain.automation._branches import Branches
from seedtrain.automation._commit import Overtaken, batch_state, commit, signed_hold_points
from seedtrain.automation._executor import READING_INTERVAL, check_given, finish
from seedtrain.automation._fold import BatchState
from seedtrain.automation._job import OPERATOR, SYSTEM, Job, Live, OnExcursion, by_people, unit_name
from seedtrain.automation._lock import lock_units
from seedtrain.automation._observed import WatchedPlant, WatchedUnit
from seedtrain.automation._recorder import Recorder
from seedtrain.automation._running import procedure_end
from seedtrain.automation._standing import all_waits
from seedtrain.automation._watch import GOES_ON, TakenOver, live_of, look
from seedtrain.base import InputError, UnavailableError
from seedtrain.base import translate as _
from seedtrain.quality import Lot
from seedtrain.recipe import ControlRecipe, Permit, State, next_phases
from seedtrain.record import Ledger

LOOK_S: Final = 0.5
"""s between two looks at the record while people are waited for, or the batch is held."""


def execute_live(
    control: ControlRecipe,
    plant: WatchedPlant,
    ledger: Ledger,
    *,
    batch: str,
    permit: Permit,
    actor: str = "",
    stock: Callable[[], Sequence[Lot]],
    people: Collection[str] = (),
    mapping: str = "",
    simulated: bool = False,
    on_excursion: OnExcursion | None = None,
    tell: Callable[[str], object] = lambda words: None,
    segments: Path | None = None,
    interval: timedelta = READING_INTERVAL,
    look_s: float = LOOK_S,
    recorder: Recorder | None = None,
) -> BatchState:
    """Run `control` on `plant` until the batch is complete, stopped or aborted, and give its state then.

    What people do comes from the record: they begin and complete phases of their own, check, sign, hold, restart and
    abort from other processes. A batch that an executor drove before is taken over: it is Held, with its exact state,
    until somebody restarts it, unless the phase that runs declares `automatic_restart`.

    - `actor`: the person who starts a new batch, and signs for it; a batch that is there already (`start_live`) needs
      none.
    - `people`: units that people run by hand. `mapping`: digest of the mapping file, for the record.
    - `simulated`: a trial, everything of which is marked simulated.
    - `stock`: what the store holds now. `tell`: told what happens and what is waited for, when it changes.
    - `recorder`: given every reading as it comes; the caller closes it.
    - `look_s`: s between two looks at the record while it waits.

    Raises `InputError` where another executor drives the batch or one of its units, and `TakenOver` (an `InputError`)
    once another one has taken the batch; the batch then goes on there.
    """
    live = Live(uuid.uuid4().hex, plant, frozenset(people), simulated, tell, look_s, recorder)
    job = _job(control, ledger, batch, live, permit=permit, stock=stock, segments=segments, interval=interval)
    job = replace(job, on_excursion=on_excursion)
    units = _units(job)
    with lock_units(ledger, batch, units):
        state = batch_state(ledger, batch)
        if state.created is None:
            open_batch(job, state, actor, units, mapping)
        if state.created is None or state.created["recipe_digest"] != control.digest:
            raise InputError(
                f"batch {batch} was made with another recipe", remedy="Give the recipe with which it was started."
            )
        if not state.state().is_final:
            attach(job, state, mapping, before=attached_before(state))
        _drive(job, state)
    return state


def start_live(
    control: ControlRecipe,
    plant: WatchedPlant,
    ledger: Ledger,
    *,
    batch: str,
    actor: str,
    permit: Permit,
    people: Collection[str] = (),
    mapping: str = "",
    simulated: bool = False,
    missing: Sequence[Mapping[str, object]] = (),
) -> None:
    """Create a batch for `execute_live`, signed by `actor`; one that is there stays as it is. Nothing moves yet.

    - `missing`: what of `shortages` the person starts without, for the record.
    """
    live = Live(uuid.uuid4().hex, plant, frozenset(people), simulated, lambda words: None)
    job = _job(control, ledger, batch, live, permit=permit, stock=tuple, segments=None, interval=READING_INTERVAL)
    state, units = batch_state(ledger, batch), _units(job)
    if state.created is None:
        with lock_units(ledger, batch, units):
            open_batch(job, state, actor, units, mapping, missing)


class _Unreached:
    """A plant that is not connected yet."""

    def unit(self, name: str) -> WatchedUnit:
        """Nothing can be asked of it."""
        raise UnavailableError(f"{name} is not connected yet", remedy="Connect to the plant first.")


def hold_lost_batch(
    control: ControlRecipe, ledger: Ledger, batch: str, permit: Permit, people: Collection[str], *, trial: bool
) -> None:
    """Hold a batch whose executor is gone, before the plant is even reached; nothing where it is held, or was never
    driven, or where what runs restarts by itself.

    Raises `InputErrors` where an executor still drives it.
    """
    live = Live(uuid.uuid4().hex, _Unreached(), frozenset(people), trial, lambda words: None)
    job = _job(control, ledger, batch, live, permit=permit, stock=tuple, segments=None, interval=READING_INTERVAL)
    with lock_units(ledger, batch, ()):
        state = batch_state(ledger, batch)
        if attached_before(state) and not state.state().is_final:
            hold_lost(job, state)


def _job(
    control: ControlRecipe,
    ledger: Ledger,
    batch: str,
    live: Live,
    *,
    permit: Permit,
    stock: Callable[[], Sequence[Lot]],
    segments: Path | None,
    interval: timedelta,
) -> Job:
    check_given(batch, datetime.now(UTC))
    folder = ledger.path.parent / "segments" if segments is None else segments
    return Job(control, live.plant, ledger, batch, {OPERATOR: SYSTEM}, stock, permit, None, folder, interval, live)


def _units(job: Job) -> dict[str, None]:
    """The units that the plant runs for this batch; an unknown one is refused here."""
    live = live_of(job)
    names = {unit_name(step): None for step in job.steps() if not by_people(step, live.people)}
    for name in names:
        live.plant.unit(name)
    return names


def _drive(job: Job, state: BatchState) -> None:
    """Do what is next, as often as there is something; else wait for people."""
    live, branches = live_of(job), Branches(job, state)
    told = ""
    while True:
        words = ""
        try:
            look(job, state)
            words = _prepare(job, state, branches)
            if branches.watches and words in ("", told):
                branches.look()
        except Overtaken:
            continue
        except UnavailableError as error:
            words = error.message
        except TakenOver:
            raise
        except InputError as error:
            branches.hold(None, error.message)
            words = error.in_one_line
        if state.state().is_final:
            live.tell(_("batch {batch}: {state}").format(batch=job.batch, state=state.state().value))
            return
        if words and words != told:
            live.tell(words)
        elif not branches.watches and words:
            time.sleep(live.look_s)
        told = words or told


def _prepare(job: Job, state: BatchState, branches: Branches) -> str:
    """Bring units where an order wants them, start what is next, or end the batch; words where it waits."""
    words = [branches.obey()]
    whole = state.state()
    if whole.is_final:
        return ""
    waiting = all_waits(job.control, state, live_of(job).people)
    asked = [item.words for item in waiting if item.of_people]
    if whole is State.RUNNING:
        _close_procedures(job, state)
        if not asked and not next_phases(job.control.recipe, state.completed, signed_hold_points(state)):
            finish(job, state)
            return ""
    if whole in GOES_ON:
        words.append(branches.begin())
    return "; ".join(dict.fromkeys(filter(None, (*asked, *words))))


def _close_procedures(job: Job, state: BatchState) -> None:
    """A unit procedure whose last phase a person completed is complete."""
    if state.clock is None:
        return
    for step in job.steps():
        if step.path in state.completed and state.state(step.unit_procedure.name) is State.RUNNING:
            at = state.clocks[step.path] if job.parallel else state.clock
            drafts = procedure_end(job, state, step, at)
            if drafts:
                commit(job, state, drafts)
