"""The worked example's batch over OPC UA, from inoculation to fill: the stand-in's record, within its budget."""

from __future__ import annotations

import resource
import time
from pathlib import Path

from seedtrain.automation import Plant, execute, served_plant
from seedtrain.record import Ledger
from tests.automation.made import BATCH, START, Yes, crew, ledger_in, story
from tests.automation.test_example import Example, example

__all__ = ["example"]  # the fixture

MOST_CPU_S = 20.0
"""Of both processes together; measured 4.3 s (0.3 s on the stand-in)."""


def carried(example: Example, device: Plant, ledger: Ledger) -> tuple[object, object]:
    run = execute(
        example.control,
        device,
        ledger,
        batch=BATCH,
        operators=crew(ledger),
        lots=example.lots,
        permit=Yes(),
        start=START,
    )
    return story(ledger.events(subject=BATCH)), run.to_data()


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_the_batch_is_that_of_the_stand_in(example: Example, tmp_path: Path):
    with ledger_in(tmp_path / "here") as ledger:
        wanted = carried(example, example.plant(), ledger)
    began = time.process_time() + children()
    with (
        ledger_in(tmp_path / "served") as ledger,
        served_plant(
            example.control,
            production=example.production,
            seeds=example.seeds,
            steps=example.steps,
            faults=example.faults,
            units=example.vessels,
            document=example.document,
        ) as device,
    ):
        assert carried(example, device, ledger) == wanted
    assert time.process_time() + children() - began < MOST_CPU_S
    digests = [{path.name for path in (tmp_path / place / "segments").iterdir()} for place in ("here", "served")]
    assert digests[0] == digests[1]
