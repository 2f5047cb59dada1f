"""A batch begins, is held, paused, brought back, stopped, and ends: the ISA-88 commands of the whole batch."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Final

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._batch._record import WHOLE, BatchRecord
from seedtrain.gmp._by_hand._desk import Act, Desk, act, logged, read_batch
from seedtrain.gmp._equipment import use_end_drafts
from seedtrain.gmp._lots._amounts import amount_in, read_amount
from seedtrain.gmp._master._approval import approval
from seedtrain.gmp._permit import EXECUTE, unchecked_phases, unsigned_phases
from seedtrain.quantity import read_unit
from seedtrain.recipe import (
    Command,
    ControlRecipe,
    HoldPoint,
    IllegalCommand,
    State,
    holds_alone,
    next_phase,
    next_state,
)
from seedtrain.record import Draft, Ledger, append_signed, timestamp

_BATCH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
ENDING: Final = {Command.HOLD, Command.PAUSE, Command.RESTART, Command.STOP, Command.ABORT}
"""Commands after which people bring the process where it belongs; once they have, the state is reached."""

ORDERS: Final = (Command.HOLD, Command.RESTART, Command.PAUSE, Command.RESUME, Command.STOP, Command.ABORT)
NEEDS_REASON: Final = {Command.HOLD, Command.STOP, Command.ABORT}


def start_batch(
    ledger: Ledger,
    control: ControlRecipe,
    batch: str,
    actor: str,
    *,
    simulated: bool = False,
    at: datetime | None = None,
) -> BatchRecord:
    """Create a batch that people run by `control`, signed; the same again changes nothing.

    - `simulated`: a trial on paper: the recipe need not be effective, and every page says that nothing was made.

    Raises `InputError` for a recipe whose digest is not effective (21 CFR 211.100(a), 211.188(a)), a batch id that is
    taken, and somebody who may not.
    """
    authorise(ledger, actor, EXECUTE)
    if not _BATCH.fullmatch(batch):
        raise InputError(f"{batch!r} is not a batch id", remedy="Use up to 40 letters, digits, dots and dashes.")
    first = next(iter(ledger.events(subject=batch)), None)
    if first is not None:
        known = read_batch(ledger, batch) if first.type == "batch.created" else None
        asked = (control.digest, actor, simulated)
        if known and (known.header.recipe_digest, known.header.created_by, known.header.trial) == asked:
            return known
        raise InputError(f"the id {batch} is taken since {first.occurred_at}", remedy="Give another batch id.")
    if not simulated:
        _must_be_effective(ledger, control, at)
    payload = {
        "recipe": control.recipe.name,
        "recipe_digest": control.digest,
        "master_digest": control.master_digest,
        "unit": control.unit,
        "volume": str(control.volume),
        "origin": "simulated" if simulated else "measured",
        "trial": simulated,
        "manual": True,
        "text": control.recipe.to_yaml(),
    }
    created = Draft("batch.created", batch, payload, actor, at, id=digest(["batch.created", batch])[:32])
    started = {
        "unit_procedure": WHOLE,
        "unit": "",
        "command": Command.START.value,
        "before": State.IDLE.value,
        "after": next_state(State.IDLE, Command.START).value,
        "origin": payload["origin"],
    }
    running = Draft("batch.state_changed", batch, started, actor, at, id=digest(["batch.started", batch])[:32])
    append_signed(ledger, running, f"start of batch {batch}", more=[created])
    return read_batch(ledger, batch)


def _must_be_effective(ledger: Ledger, control: ControlRecipe, at: datetime | None) -> None:
    name = f"{control.recipe.name} {control.recipe.version} ({control.digest[:16]}...)"
    found = approval(ledger, control.digest)
    objection = f"the recipe {name} was never approved"
    if found is not None:
        objection = found.fault or found.objection(timestamp(at or ledger.now))
        if found.retired and not objection:
            objection = f"the recipe {name} is retired"
    if objection:
        raise InputError(
            objection,
            remedy="Have it approved and made effective: seedtrain recipe submit; or run a trial: --simulated.",
        )


def command_batch(
    ledger: Ledger,
    batch: str,
    command: Command,
    actor: str,
    *,
    unit: str = "",
    reason: str = "",
    at: datetime | None = None,
) -> BatchRecord:
    """Hold, restart, pause, resume, stop or abort the whole batch, signed; `reason` where one stops it.

    - `unit`: hold or restart what runs on this unit alone, where the recipe lets it run beside other units.

    The last command given again by the same person for the same reason changes nothing. Raises `IllegalCommand` where
    the state does not take it.
    """
    authorise(ledger, actor, EXECUTE)
    if command not in ORDERS:  # a batch starts by `start_batch`, ends by `finish_batch`, and is never set back
        raise IllegalCommand(
            f"the command {command.value!r} is no order that people give to a batch",
            remedy=f"Give one of: {', '.join(ORDERS)}.",
        )
    if command in NEEDS_REASON and not reason.strip():
        raise InputError(f"{command.value} needs a reason", remedy="Say why: --reason TEXT.")

    def do(desk: Desk) -> Act:
        if unit:
            return _of_unit(desk, command, unit, reason.strip())
        last = desk.record.last_order
        if last is not None and (last.command, last.actor, last.reason) == (command.value, actor, reason.strip()):
            return Act()
        given = (command, Command.COMPLETE) if command in ENDING else (command,)
        drafts = []
        for scope in desk.active():
            state = desk.record.states[scope]
            if (state, command) in _legal():
                drafts += desk.commands(scope, "", *given)
        if command in (Command.STOP, Command.ABORT):
            drafts += _freed(desk)
        # with the order, which the reviewer reads, and with the last event, which is the one that is signed
        drafts += [
            Draft(item.type, item.subject, item.payload, actor, at, reason=reason.strip() or None)
            for item in desk.commands(WHOLE, "", *given)
        ]
        return Act(drafts, f"{command.value} of batch {batch}")

    return act(ledger, batch, actor, do, at=at)


def _of_unit(desk: Desk, command: Command, unit: str, reason: str) -> Act:
    """Hold or restart what is active on one unit; the rest of the batch goes on."""
    desk.must_run()
    if command not in (Command.HOLD, Command.RESTART):
        raise InputError(f"{command.value} is an order to the whole batch", remedy="Leave --unit away.")
    recipe, active = desk.control.recipe, desk.active()
    here = [item for item in recipe.unit_procedures if (item.unit or item.unit_class) == unit and item.name in active]
    if not here:
        known = ", ".join(item.unit or item.unit_class for item in recipe.unit_procedures if item.name in active)
        raise InputError(f"batch {desk.batch} runs nothing on {unit!r} now", remedy=f"Name one of: {known or 'none'}.")
    procedure = here[0]
    if not holds_alone(recipe, procedure):
        raise InputError(
            f"{procedure.name} on {unit} is not held alone: by its recipe nothing runs beside it, or a hold holds all",
            remedy=f"Give the order to the batch: seedtrain batch {command.value} {desk.batch}.",
        )
    drafts = [
        Draft(item.type, item.subject, item.payload, desk.actor, desk.at, reason=reason or None)
        for item in desk.commands(procedure.name, unit, command, Command.COMPLETE)
    ]
    return Act(drafts, f"{command.value} of {unit} in batch {desk.batch}")


def _freed(desk: Desk) -> list[Draft]:
    """The running phases let go of their units and equipment: they wait to be cleaned."""
    drafts: list[Draft] = []
    for running in desk.record.all_running:
        used = logged(desk, desk.place(running.phase), running.unit, running.equipment)
        drafts += use_end_drafts(used, desk.batch, running.phase, desk.actor, desk.at)
    return drafts


def _legal() -> frozenset[tuple[State, Command]]:
    from seedtrain.recipe import commands

    return frozenset((state, command) for state in State for command in commands(state))


def finish_batch(
    ledger: Ledger, batch: str, actor: str, *, amount: str = "", unit: str = "", at: datetime | None = None
) -> BatchRecord:
    """End a batch whose every phase is complete, checked and signed, and record what it produced as a lot.

    - `amount`, `unit`: of the product; both empty where nothing was made.

    The same again changes nothing, whatever was decided since. Raises `InputError` with what is missing, and for
    another end than the one that is there.
    """
    authorise(ledger, actor, EXECUTE)
    if amount:
        read_amount(amount, unit)

    def do(desk: Desk) -> Act:
        if desk.record.state is State.COMPLETE:
            return _ended_before(desk, amount, unit)
        desk.must_run()
        _must_be_whole(desk)
        drafts = []
        if amount:
            payload: dict[str, object] = {
                "lot": batch,
                "material": desk.control.recipe.product,
                "amount": amount,
                "unit": read_unit(unit).spelling,
                "from": sorted({item.lot for item in desk.record.consumed}),
            }
            drafts.append(desk.draft("lot.produced", payload))
        drafts += [item for scope in desk.active() for item in desk.commands(scope, "", Command.COMPLETE)]
        drafts += desk.commands(WHOLE, "", Command.COMPLETE)
        return Act(drafts, f"end of batch {batch}")

    return act(ledger, batch, actor, do, at=at)


def _ended_before(desk: Desk, amount: str, unit: str) -> Act:
    """Nothing, where the same end is given again; raises `InputError` with what is there otherwise."""
    record = desk.record
    number, _, measure = record.amount.partition(" ")
    same = amount_in(amount, unit, measure) == Decimal(number) if amount and number else amount == number
    if same and record.completed_by == desk.actor:
        return Act()
    product = record.amount or "no product"
    raise InputError(
        f"batch {record.batch} was ended by {record.completed_by}, with {product}",
        remedy="A batch ends once; open a deviation if its amount is wrong: seedtrain quality deviation open.",
    )


def _must_be_whole(desk: Desk) -> None:
    """Nothing is missing: every phase run, checked, signed for, and every hold point released."""
    record, recipe = desk.record, desk.control.recipe
    completed = [item.phase for item in record.steps if item.completed_at is not None]
    signed = [item.phase for item in record.steps if item.hold_signatures]
    following = next_phase(recipe, completed, signed)
    if isinstance(following, HoldPoint):
        raise InputError(f"the hold point of {following.path} is not signed", remedy="Have it signed: batch sign.")
    if following is not None:
        raise InputError(f"{following.path} was not completed", remedy=f"See: seedtrain batch step {record.batch}.")
    missing = (*unchecked_phases(recipe, record), *unsigned_phases(record))
    if missing:
        raise InputError(
            f"{missing[0]} lacks a signature that is still good", remedy=f"See: seedtrain batch step {record.batch}."
        )
