"""What costing takes and how far it is from a published plant, in one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from seedtrain.base import Progress, UnavailableError, silent
from seedtrain.development._costing import Levers, PlantCase, Task, assess_plant, read_case, timetable
from seedtrain.development._costing._gantt import SECONDS
from seedtrain.development._costing._gantt_process import timed_elsewhere
from seedtrain.development._economics import appraise
from seedtrain.development._factor_table import FactorTable
from seedtrain.development._factors import read_factors
from seedtrain.development._schedule import Occupancy
from seedtrain.development._use import Inventory, Performance, Use

CASES: Final = Path(__file__).with_name("cases")
DRAWS: Final = 100_000
ETHANOL: Final = 0.6927338
"""USD_2007/kg: the lowest selling price of `cases/corn-stover.yaml` by BioSTEAM 2.51.19 itself."""
ROUNDS: Final = 5
Row = dict[str, Any]


def bench_development(*, quick: bool = False, progress: Progress = silent) -> list[Row]:
    """Rows `{bench, case, ours, peer, peer_name, peer_version, unit, ratio, goal, goal_kind, met}`.

    `quick`: little work, to see that it runs; no measurement. Nothing is compared with another program in this run: the
    goals are limits, and the published figure was made by its own program once.
    """
    table = read_factors()
    batch = whole_train(table)
    rounds, draws = (1, 2000) if quick else (ROUNDS, DRAWS)
    progress(0.1, "draws")
    drawn = _fastest(lambda: appraise(batch, table, draws=draws), rounds)
    progress(0.5, "derivatives")
    levers = Levers(batch, table)
    derived = _fastest(levers.sensitivities, rounds)
    progress(0.6, "timetable")
    tasks = antibody_train()
    scheduled = _fastest(lambda: timetable(tasks, {"production": 4}, 10), rounds)
    progress(0.7, "one by one")
    placed = _placed(tasks, 3 if quick else 10)
    progress(0.8, "published plant")
    case = read_case(CASES / "corn-stover.yaml")
    assert isinstance(case, PlantCase)
    error = 100.0 * abs(assess_plant(case).price / ETHANOL - 1.0)
    count = len(batch.uses)
    return [
        _row(f"Monte Carlo of cost and carbon, {draws} draws, {count} lines, Sobol shares", drawn, "CPU s", 1.0),
        _row("exact derivatives of the cost by every lever and factor", 1000.0 * derived, "CPU ms", None),
        _row("timetable of 10 batches of 11 steps with shared cleaning", 1000.0 * scheduled, "CPU ms", None),
        *placed,
        _row("corn-stover ethanol's lowest price, off BioSTEAM's 0.69273 USD/kg", error, "%", 0.5),
    ]


def _placed(tasks: list[Task], batches: int) -> list[Row]:
    """The same train placed one by one, where the solver is installed; no row without it."""
    try:
        timed_elsewhere(tasks, {"production": 4}, 1, None, SECONDS)  # the process is there, the library loaded
        found, spent = timed_elsewhere(tasks, {"production": 4}, batches, None, SECONDS)
    except UnavailableError:
        return []
    proof = "proven shortest" if found.optimal else f"within {100 * (found.makespan / found.bound - 1):.1f} %"
    return [_row(f"{batches} batches of 11 steps placed one by one, {proof}", spent, "CPU s", 4.0)]


def whole_train(table: FactorTable) -> Inventory:
    """A made-up batch with every item of the table at eight places: as many lines as a recipe's own."""
    uses = []
    for place in range(8):
        for item in table.items.values():
            assert item.price is not None
            unit = item.reference_unit if item.reference is not None else item.price.per
            uses.append(Use(item.name, 10.0 + place, unit, f"step {place}", grows="product"))
    steps = (Occupancy("production", 46.0, "vessel_turnaround"), Occupancy("drying", 45.0, "suite_turnaround"))
    return Inventory(28_000.0, tuple(uses), steps, 160.0, performance=Performance(4.0, 0.1, 0.05, 0.5, "production"))


def antibody_train() -> list[Task]:
    """Eleven steps of an antibody's train in hours of usual size, each vessel cleaned by one shared skid."""
    hours = (72, 96, 120, 336, 12, 18, 6, 16, 14, 8, 10)
    names = ("flask", "seed 1", "seed 2", "production", "harvest", "capture", "inactivation", "exchange", "polish",
             "virus filtration", "ultrafiltration")  # fmt: skip
    found, now = [], 0.0
    for name, length in zip(names, hours, strict=True):
        found.append(Task(name, name, now, now + length, now + length + 6.0))
        now += length
        if length > 60:
            found.append(Task(f"clean {name}", "cleaning skid", now, now + 3.0, now + 3.0))
    return found


def _fastest(work: Callable[[], object], rounds: int) -> float:
    """CPU s of the best of so many rounds."""
    best = float("inf")
    for _round in range(rounds):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def _row(case: str, ours: float, unit: str, limit: float | None) -> Row:
    return {
        "bench": "development",
        "case": case,
        "ours": ours,
        "peer": None,
        "peer_name": None,
        "peer_version": None,
        "unit": unit,
        "ratio": None,
        "goal": limit,
        "goal_kind": None if limit is None else "limit",
        "met": None if limit is None else ours <= limit,
    }
