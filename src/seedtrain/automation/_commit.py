"""How events of a batch reach the ledger: in one commit each, numbered, and not past an order nobody has seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from seedtrain.automation._fold import WHOLE, BatchState, counted
from seedtrain.automation._job import Job
from seedtrain.base import digest
from seedtrain.recipe import Command, PhaseAt, State, earlier, holds_alone, next_state
from seedtrain.record import ConflictError, Draft, Ledger, append_signed

LONGEST_MEANING: Final = 200


class Overtaken(Exception):
    """The batch's state is another than when the executor decided; it looks again."""


class PeopleFirst(Exception):
    """The phase waits for what people have to do before it; `words` say what."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def batch_state(ledger: Ledger, batch: str) -> BatchState:
    """What the ledger says of a batch so far, running or not."""
    state = BatchState(batch)
    for event in ledger.events(subject=batch):
        state.apply(event)
    return state


def catch_up(job: Job, state: BatchState) -> None:
    """Fold what the ledger holds of this batch beyond `state`, whoever wrote it."""
    for event in job.ledger.events(subject=job.batch, after=state.seq):
        state.apply(event)


def commit(job: Job, state: BatchState, drafts: Sequence[Draft], *, checked: Draft | None = None) -> None:
    """Append in one commit, with `checked` and its actor's signature last, and fold what the ledger then holds."""
    if job.live is not None:
        _commit_at_head(job, state, _numbered(job, state, drafts))
    elif checked is None:
        job.ledger.append(*_numbered(job, state, drafts))
    else:
        *before, last = _numbered(job, state, [*drafts, checked])
        append_signed(job.ledger, last, str(checked.payload["meaning"]), more=before)
    catch_up(job, state)


def _commit_at_head(job: Job, state: BatchState, drafts: Sequence[Draft]) -> None:
    """Append where people write too: not after an order that this executor has not seen (`Overtaken`)."""
    while True:
        head = job.ledger.head.seq
        since = job.ledger.events(subject=job.batch, after=state.seq, until=head)
        if any(event.type in ("batch.state_changed", "batch.attached") for event in since):
            catch_up(job, state)
            raise Overtaken
        try:
            job.ledger.append(*drafts, at_head=head)
        except ConflictError:
            continue
        return


def _numbered(job: Job, state: BatchState, drafts: Sequence[Draft]) -> list[Draft]:
    """Each event of the batch named by its kind and its number in the record, so that the same event asked for twice,
    even by two executors, is stored once."""
    counts = Counter(state.counts)
    numbered = []
    for draft in drafts:
        if draft.subject == job.batch:
            key = counted(draft.type, draft.payload)
            if draft.id is None:
                draft = replace(draft, id=digest([job.batch, *key, counts[key]])[:32])
            counts[key] += 1
        numbered.append(draft)
    return numbered


def commands(
    job: Job, unit_procedure: str, unit: str, at: datetime, before: State, *given: Command, reason: str | None = None
) -> list[Draft]:
    """`batch.state_changed` for each command in turn; an illegal one is refused here, before anything is recorded."""
    drafts = []
    for command in given:
        after = next_state(before, command)
        payload = {
            "unit_procedure": unit_procedure,
            "unit": unit,
            "command": command.value,
            "before": before.value,
            "after": after.value,
        }
        drafts.append(job.draft("batch.state_changed", payload, at, reason=reason))
        before = after
    return drafts


def held_drafts(
    job: Job, state: BatchState, at: datetime, reason: str | None = None, *, of: PhaseAt | None = None
) -> list[Draft]:
    """The commands that take every running unit procedure, and the batch, to Held; none where it is.

    - `of`: the phase because of which. Where the recipe lets its unit procedure run beside others, that one alone.
    """
    scopes = [name for name in state.states if name != WHOLE] + [WHOLE]
    if of is not None and holds_alone(job.control.recipe, of.unit_procedure):
        scopes = [of.unit_procedure.name]
    running = (State.RUNNING, State.PAUSED)
    return [
        draft
        for scope in scopes
        if state.state(scope) in running
        for draft in commands(job, scope, "", at, state.state(scope), Command.HOLD, Command.COMPLETE, reason=reason)
    ]


def asked_at(job: Job, state: BatchState, step: PhaseAt) -> datetime:
    """The time on the process clock from which a phase may start: when all that it waits for was over.

    Where nothing runs beside anything else, that is the latest time in the record.
    """
    recipe = job.control.recipe
    assert state.begun is not None
    assert state.clock is not None
    if not job.parallel:
        return state.clock
    before = earlier(recipe, step.path)
    return max((at for name, at in state.clocks.items() if name in before), default=state.begun)


def signed_hold_points(state: BatchState) -> set[str]:
    """Paths of the completed phases over whose end a signature stands that releases them."""
    return {path for path, mark in state.completed.items() if mark.digest in state.released}
