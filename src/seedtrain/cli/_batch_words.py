"""What the commands of a batch print: how it stands, what comes next, and that it is simulated where it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from seedtrain.base import translate as _
from seedtrain.cli._common import Common
from seedtrain.cli._signing import open_record

if TYPE_CHECKING:
    from seedtrain.gmp import BatchRecord
    from seedtrain.recipe import ControlRecipe
    from seedtrain.record import Ledger


@contextmanager
def with_batch(record: str | None, batch: str, options: Common) -> Iterator[tuple[Ledger, BatchRecord, ControlRecipe]]:
    """A batch with its recipe, for reading."""
    from seedtrain.base import use_language
    from seedtrain.gmp import batch_recipe, batch_record

    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        found = batch_record(ledger.events(subject=batch), batch)
        yield ledger, found, batch_recipe(ledger, found)


def batch_data(found: BatchRecord, control: ControlRecipe) -> dict[str, Any]:
    """How a batch stands, for machines."""
    from seedtrain.gmp import following

    phases = [
        {
            "phase": item.phase,
            "unit": item.unit,
            "equipment": list(item.equipment),
            "started_at": item.started_at,
            "started_by": item.started_by,
            "completed_at": item.completed_at,
            "completed_by": item.completed_by,
            "performed": item.performed,
            "checked": item.checked,
            "hold_point": bool(item.hold_signatures),
        }
        for item in found.steps
    ]
    return {
        "batch": found.batch,
        "recipe": found.header.recipe,
        "recipe_digest": found.header.recipe_digest,
        "simulated": found.simulated,
        "state": found.state.value,
        "decision": found.decision.decision if found.decision and found.decision.signed else None,
        "states": {name: state.value for name, state in found.states.items() if name},
        "phases": phases,
        "values": [_value(item) for item in found.values],
        "stops": [asdict(item) for item in found.stops],
        "illegal": [{"seq": seq, "words": words} for seq, words in found.illegal],
        "next": [asdict(item) for item in following(found, control)],
    }


def _value(item: Any) -> dict[str, Any]:
    names = ("phase", "tag", "unit", "low", "high", "kind", "actor", "occurred_at")
    corrections = [{"value": fix.value, "reason": fix.reason, "actor": fix.actor} for fix in item.corrections]
    return {name: getattr(item, name) for name in names} | {
        "value": item.current,
        "recorded": item.value,
        "within": item.within and item.keeps_limits,
        "outside": list(item.outside),
        "corrections": corrections,
    }


def on_plant(ledger: Ledger, found: BatchRecord, control: ControlRecipe) -> list[str]:
    """How the units stand and what is waited for, where an executor drives the batch on a plant; else nothing."""
    if found.header.manual:
        return []
    from seedtrain.automation import live_status, live_words

    live = live_status(ledger, found.batch, control)
    return [] if live is None else live_words(live)


def stand_lines(found: BatchRecord, control: ControlRecipe, plant: Sequence[str] = ()) -> Iterator[str]:
    """How a batch stands after an act, and what comes next: on a plant what is waited for, nothing to enter by hand."""
    from seedtrain.recipe import state_words

    if found.simulated:
        yield _("SIMULATED: nothing was made")
    yield f"{found.batch}: {state_words(found.state)}"
    yield from plant or next_lines(found, control)


def next_lines(found: BatchRecord, control: ControlRecipe) -> Iterator[str]:
    """What comes next, each with its phase and what it is about, and the instruction once."""
    from seedtrain.gmp import following

    shown = ""
    for item in following(found, control):
        if item.instruction and item.instruction != shown:
            yield f"  {item.instruction}"
            shown = item.instruction
        about = " ".join(part for part in (item.what, item.phase, item.subject) if part)
        limits = f" [{item.limits}]" if item.limits else ""
        yield f"  batch {about}{limits}: {item.words}"


def say_simulated(found: BatchRecord) -> None:
    """The mark of a simulated batch, on every screen."""
    if found.simulated:
        print(_("SIMULATED: nothing was made"))
