"""How long a reviewer waits until a batch is open for review."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from seedtrain.base import Progress, silent
from seedtrain.gmp._master._approval import approve_recipe
from seedtrain.gmp._quality._review import open_review
from seedtrain.quantity import Quantity
from seedtrain.recipe import ControlRecipe, at_scale, parse_recipe
from seedtrain.record import Draft, enrol_person, open_ledger

EVENTS: Final = 10_000
GOAL_S: Final = 1.0
_BATCH: Final = "BENCH-1"
_PHASE: Final = "production/main/grow"
_START: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)
_RECIPE: Final = """
recipe: bench
title: Bench
version: "1"
product: thing
culture: none
basis: {unit: T, volume: 10 L}
materials: {}
procedure:
  - unit_procedure: production
    unit_class: production_vessel
    operations:
      - operation: main
        phases:
          - phase: grow
            do: grow
            set: {temperature: 37 degC, pH: 7.0}
            until: elapsed >= 6 h
            limits: {pH: 6.8 .. 7.2}
specification:
  - {attribute: purity, method: gel, limit: ">= 95 %"}
"""


def bench_review(
    *, quick: bool = False, folder: Path | None = None, progress: Progress = silent
) -> list[dict[str, Any]]:
    """Rows as `seedtrain.record.bench_record` gives them: opening a batch of 10,000 events for review, in s.

    Every hundredth reading is out of its limits, alone, so that there are exceptions to find. The ledger is opened
    anew for each round, as a command does; the median of the rounds counts.
    """
    count = 500 if quick else EVENTS
    with tempfile.TemporaryDirectory(dir=folder, prefix="seedtrain-bench-") as name:
        path = Path(name) / "record.db"
        progress(0.0, "a batch to review")
        _make(path, count)
        spans = []
        for turn in range(1 if quick else 5):
            progress(0.5 + turn / 10, "reviews opened")
            start = time.perf_counter()
            with open_ledger(path, create=False, read_only=True) as ledger:
                found = open_review(ledger, _BATCH)
            spans.append(time.perf_counter() - start)
    row = {
        "bench": "record",
        "case": f"a batch of {count} events opened for review, {len(found.exceptions)} exceptions",
        "ours": median(spans),
        "ours_range": [min(spans), median(spans), max(spans)],
        "peer": None,
        "peer_name": None,
        "peer_version": None,
        "unit": "s",
        "ratio": None,
        "goal": GOAL_S,
        "goal_kind": "limit",
        "met": median(spans) <= GOAL_S,
    }
    return [row]


def _make(path: Path, count: int) -> None:
    control = at_scale(parse_recipe(_RECIPE, "bench"), unit="T", volume=Quantity(10, "L"), seeds=())
    with open_ledger(path) as ledger:
        author = enrol_person(ledger, "Author", ["author"], scripted=True)
        approver = enrol_person(ledger, "Approver", ["quality_assurance"], scripted=True)
        approve_recipe(ledger, control, author=author, approver=approver, at=_START)
        ledger.append(*_drafts(control, count))


def _drafts(control: ControlRecipe, count: int) -> Iterator[Draft]:
    created = {
        "recipe": control.recipe.name,
        "recipe_digest": control.digest,
        "master_digest": control.master_digest,
        "unit": control.unit,
        "volume": str(control.volume),
        "origin": "measured",
    }
    yield Draft("batch.created", _BATCH, created, "executor", _START)
    started = {"phase": _PHASE, "unit": "T", "do": "grow", "settings": {}, "line": 1}
    yield Draft("step.started", _BATCH, started, "executor", _START, device="T")
    for number in range(count - 2):
        out = number % 100 == 50
        value = {
            "phase": _PHASE,
            "tag": "pH",
            "value": "6.50" if out else "7.01",
            "unit": "",
            "low": "6.8",
            "high": "7.2",
            "within": not out,
            "kind": "reading",
            "origin": "measured",
            "time_h": str(number),
        }
        yield Draft("step.value_recorded", _BATCH, value, "executor", _START, device="T.pH")
