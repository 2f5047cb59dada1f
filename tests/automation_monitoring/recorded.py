"""A ledger with batches whose phase `production/main/fed` ran, and their telemetry, made of drawn profiles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from seedtrain.record import Draft, Ledger, Source, Spool, open_ledger, telemetry_path
from tests.automation_monitoring.test_model import TAGS, TIMES, batches

PHASE, UNIT, RECIPE = "production/main/fed", "T-1", "fed batch"
START = datetime(2026, 3, 1, tzinfo=UTC)
EVERY = timedelta(minutes=6)
MEASURES = dict(zip(TAGS, ("", "%", "1/min", "L/h", "mmol/L/h"), strict=True))


def begin(ledger: Ledger, batch: str, day: int, *, recipe: str = RECIPE, origin: str = "simulated") -> datetime:
    """Create a batch and start its phase an hour later; when that is."""
    created, started = START + timedelta(days=day), START + timedelta(days=day, hours=1)
    ledger.append(
        Draft("batch.created", batch, {"recipe": recipe, "origin": origin}, "system", created),
        Draft("batch.state_changed", batch, _changed("start", "idle", "running"), "system", created),
        Draft("step.started", batch, {"phase": PHASE, "unit": UNIT, "settings": {}}, "system", started),
    )
    return started


def end(ledger: Ledger, batch: str, at: datetime, *, amount: str = "") -> None:
    """Complete the phase and the batch."""
    drafts = [Draft("step.completed", batch, {"phase": PHASE, "unit": UNIT}, "system", at)]
    if amount:
        produced = {"lot": batch, "material": "product", "amount": amount, "unit": "g", "from": []}
        drafts.append(Draft("lot.produced", batch, produced, "system", at))
    changed = _changed("complete", "running", "complete")
    ledger.append(*drafts, Draft("batch.state_changed", batch, changed, "system", at))


def _changed(command: str, before: str, after: str) -> dict[str, Any]:
    return {"unit_procedure": "", "unit": "", "command": command, "before": before, "after": after}


def commanded(ledger: Ledger, batch: str, command: str, at: datetime) -> None:
    """A hold or a restart of the unit."""
    payload = {"unit": UNIT, "phase": PHASE, "command": command, "order": 1, "state": "held"}
    ledger.append(Draft("step.commanded", batch, payload, "system", at))


def tell(
    ledger: Ledger, started: datetime, values: Any, first: int = 0, *, late: timedelta = timedelta(0), origin: str = ""
) -> None:
    """The readings of points from `first` on, two in each six minutes; `late`: by which they come later."""
    with Spool(telemetry_path(ledger.path)) as spool:
        for column, (tag, unit) in enumerate(MEASURES.items()):
            source = Source(tag, unit, f"{UNIT}.{tag}", origin or "simulated")
            for place, value in enumerate(values[:, column], start=first):
                at = started + EVERY * place + late
                times = [round((at + EVERY * part).timestamp() * 1e6) for part in (0.5, 1.0)]
                spool.put_many(source, times, [value - 0.01, value + 0.01])


def warmed(ledger: Ledger, batch: str, until: datetime) -> None:
    """A phase before on another unit, of which one thermometer tells."""
    began, phase = until - timedelta(hours=1), {"phase": "production/main/warm", "unit": "T-0"}
    ledger.append(
        Draft("step.started", batch, {**phase, "settings": {}}, "system", began),
        Draft("step.completed", batch, phase, "system", until),
    )
    with Spool(telemetry_path(ledger.path)) as spool:
        times = [round((began + EVERY * (place + 0.5)).timestamp() * 1e6) for place in range(10)]
        spool.put_many(Source("warmth", "degC", "T-0.warmth", "simulated"), times, [37.0 + 0.1 * n for n in range(10)])


def golden_ledger(folder: Path, count: int = 20) -> Ledger:
    """`count` good batches, complete, G-00 ..."""
    ledger = open_ledger(folder / "record.db")
    made = batches(count, 0)
    assert made.outcome is not None
    for number in range(count):
        name = f"G-{number:02d}"
        started = begin(ledger, name, number)
        warmed(ledger, name, started)
        tell(ledger, started, made.values[number])
        end(ledger, name, started + EVERY * TIMES, amount=f"{made.outcome[number]:.4f}")
    return ledger


def names(count: int = 20) -> list[str]:
    return [f"G-{number:02d}" for number in range(count)]
