"""Every batch of a ledger in one line each, read without the record of any."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from seedtrain.gmp._batch._content import WHOLE
from seedtrain.gmp._batch._judged import DECISIONS
from seedtrain.recipe import Command, IllegalCommand, State, next_state
from seedtrain.record import Ledger


@dataclass
class BatchRow:
    """One batch: its state, and the last decision on it, empty where there is none."""

    batch: str
    recipe: str
    recipe_digest: str
    origin: str
    created_at: str
    created_by: str
    state: State = State.IDLE
    decision: str = ""

    def to_data(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self) | {"state": self.state.value}


def batch_list(ledger: Ledger) -> tuple[BatchRow, ...]:
    """Every batch, the first created first. Decisions are those recorded; whether they are signed, its record tells."""
    rows: dict[str, BatchRow] = {}
    for event in ledger.events(type="batch.created"):
        payload = event.payload
        row = BatchRow(
            batch=event.subject,
            recipe=str(payload.get("recipe", "")),
            recipe_digest=str(payload.get("recipe_digest", "")),
            origin=str(payload.get("origin", "")),
            created_at=event.occurred_at,
            created_by=event.actor,
        )
        rows.setdefault(event.subject, row)
    for event in ledger.events(type="batch.state_changed"):
        known = rows.get(event.subject)
        if known is not None and event.payload.get("unit_procedure") == WHOLE:
            try:
                known.state = next_state(known.state, Command(str(event.payload.get("command"))))
            except (IllegalCommand, ValueError):
                continue  # the record of the batch shows it as a fault
    for type, word in DECISIONS.items():
        for event in ledger.events(type=type):
            if event.subject in rows:
                rows[event.subject].decision = word
    return tuple(rows.values())
