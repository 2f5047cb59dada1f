"""Executing a control recipe phase by phase; the record is the only memory, so that a killed run just goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from seedtrain.automation._commit import (
    LONGEST_MEANING,
    batch_state,
    catch_up,
    commands,
    commit,
    signed_hold_points,
)
from seedtrain.automation._devices import Plant
from seedtrain.automation._fold import HOLD_POINT, WHOLE, BatchState
from seedtrain.automation._job import SHIFT_LEADER, Job, OnExcursion, check_operators, unit_name
from seedtrain.automation._phase import PRODUCT_AMOUNT
from seedtrain.automation._recorder import Recorder
from seedtrain.automation._result import batch_run
from seedtrain.automation._running import run_phase
from seedtrain.base import InputError, Progress, silent
from seedtrain.base import translate as _
from seedtrain.quality import Lot
from seedtrain.recipe import Command, ControlRecipe, HoldPoint, Permit, State, next_phase
from seedtrain.record import Ledger, sign
from seedtrain.simulation import Run

READING_INTERVAL: Final = timedelta(minutes=6)
"""Between two readings of a tag, of process time; assumed. A real plant records far more often."""

_BATCH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def execute(
    control: ControlRecipe,
    plant: Plant,
    ledger: Ledger,
    *,
    batch: str,
    operators: Mapping[str, str],
    lots: Iterable[Lot],
    permit: Permit,
    start: datetime,
    on_excursion: OnExcursion | None = None,
    progress: Progress = silent,
    segments: Path | None = None,
    interval: timedelta = READING_INTERVAL,
    recorder: Recorder | None = None,
) -> Run:
    """Run `control` on `plant` to its end, each step an event in `ledger`, and give the production as it was measured.

    Called again with a batch that was killed, it goes on from the record: no command and no consumption twice. A batch
    that is complete is only read. A Held batch restarts, not before `start`.

    - `operators`: the actor's id by role: `operator`, `checker` where the recipe asks for a second person (never the
      same), `shift_leader` where it has hold points, and every role that a transition names.
    - `lots`: what the store holds; of each material the released lot with the oldest expiry goes first.
    - `permit`: asked before every phase. `start`: time zone aware, on the process clock.
    - `on_excursion`: told of every stretch of values outside limits once it is recorded, for instance to open its
      deviation. A kill may come between the two: what is missing then follows from the record.
    - `segments`: where telemetry files go; the folder `segments` beside the ledger if not given.
    - `recorder`: given the readings of each phase, for the ledger's telemetry and alarms; the caller closes it.

    Raises `PermitRefused` with the batch Held, `InputError` for a crew, batch or plant that does not fit.
    """
    check_given(batch, start)
    folder = ledger.path.parent / "segments" if segments is None else segments
    held = tuple(lots)
    job = Job(
        control,
        plant,
        ledger,
        batch,
        dict(operators),
        lambda: held,
        permit,
        on_excursion,
        folder,
        interval,
        recorder=recorder,
    )
    check_operators(job.steps(), operators)
    for step in job.steps():
        plant.unit(unit_name(step))  # an unknown unit is refused before anything is recorded
    state = batch_state(ledger, batch)
    _open(job, state, start.astimezone(UTC))
    while state.state() is not State.COMPLETE:
        following = next_phase(control.recipe, state.completed, signed_hold_points(state))
        if following is None:
            finish(job, state)
        elif isinstance(following, HoldPoint):
            _sign_hold_point(job, state, following)
        else:
            progress(len(state.completed) / len(job.steps()), _("phase {path}").format(path=following.path))
            run_phase(job, state, following)
    progress(1.0, _("batch {batch} is complete").format(batch=batch))
    return batch_run(job, state)


def check_batch_id(batch: str) -> None:
    """Refuse what is no id of a batch."""
    if not _BATCH.fullmatch(batch):
        raise InputError(f"{batch!r} is not a batch id", remedy="Use up to 40 letters, digits, dots and dashes.")


def check_given(batch: str, start: datetime) -> None:
    """Refuse a batch id or a start that is none."""
    check_batch_id(batch)
    if start.tzinfo is None:
        raise InputError(f"the start {start} has no time zone", remedy="Give an aware time, best in UTC.")


def _open(job: Job, state: BatchState, start: datetime) -> None:
    """Create the batch, or make sure that it is the one of this recipe."""
    if state.created is None:
        payload = {
            "recipe": job.control.recipe.name,
            "recipe_digest": job.control.digest,
            "master_digest": job.control.master_digest,
            "unit": job.control.unit,
            "volume": str(job.control.volume),
            "origin": job.origin,
        }
        created = job.draft("batch.created", payload, start)
        commit(job, state, [created, *commands(job, WHOLE, "", start, State.IDLE, Command.START)])
        return
    if state.created["recipe_digest"] != job.control.digest:
        raise InputError(
            f"batch {job.batch} was made with the recipe {state.created['recipe_digest'][:16]}..., "
            f"not with {job.control.digest[:16]}...",
            remedy="Give another batch id, or the recipe with which it was started.",
        )
    if state.state() in (State.STOPPED, State.ABORTED):
        raise InputError(f"batch {job.batch} is {state.state().value}", remedy="Give another batch id.")
    if state.held:
        assert state.clock is not None
        state.clock = max(state.clock, start)  # somebody restarts it: not before they say so


def _sign_hold_point(job: Job, state: BatchState, point: HoldPoint) -> None:
    """The shift leader signs the end of the phase."""
    meaning = f"{HOLD_POINT}: {point.words}"[:LONGEST_MEANING]
    end = state.completed[point.path].digest
    sign(job.ledger, job.operators[SHIFT_LEADER], end, meaning, subject=job.batch, occurred_at=state.clock)
    catch_up(job, state)


def finish(job: Job, state: BatchState) -> None:
    """Record what the batch produced, from which lots, and that it is complete."""
    assert state.clock is not None
    amounts = [str(item["value"]) for _, item in state.values if item["tag"] == PRODUCT_AMOUNT]
    payload = {
        "lot": job.batch,
        "material": job.control.recipe.product,
        "amount": amounts[-1] if amounts else "",
        "unit": "g",
        "from": sorted({str(item["lot"]) for item in state.consumed}),
        "origin": job.origin,
    }
    produced = [job.draft("lot.produced", payload, state.clock)] if amounts else []
    commit(job, state, [*produced, *commands(job, WHOLE, "", state.clock, state.state(), Command.COMPLETE)])
