"""The solver's own process, asked over pipes: a library of OR-Tools and one of highspy have one name.

Whichever of the two a process loads second fails to load, so that OR-Tools never is loaded into this one.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Final

from seedtrain.base import InputError, UnavailableError, Worker
from seedtrain.development._costing._gantt_plan import REMEDY, Gantt
from seedtrain.development._costing._timetable import Slot, Task

WORKER: Final = "seedtrain.development._costing._gantt_worker"


def placed_elsewhere(
    tasks: Sequence[Task], units: Mapping[str, int], batches: int, crew: float | None, seconds: float
) -> Gantt:
    """The schedule that the solver's process finds.

    Raises what it refuses; `UnavailableError` where OR-Tools is not installed or the process ends before it answers.
    """
    return timed_elsewhere(tasks, units, batches, crew, seconds)[0]


def timed_elsewhere(
    tasks: Sequence[Task], units: Mapping[str, int], batches: int, crew: float | None, seconds: float
) -> tuple[Gantt, float]:
    """`placed_elsewhere`, and the CPU s that the solver's process spent on it: none of this one's clock tells them."""
    if find_spec("ortools") is None:
        raise UnavailableError("placing batches one by one needs OR-Tools, which is not installed", remedy=REMEDY)
    question = {
        "tasks": [vars(task) for task in tasks], "units": dict(units), "batches": batches, "crew": crew,
        "seconds": seconds,
    }  # fmt: skip
    answer = _solver().ask_json(question)
    if "error" in answer:
        kind = UnavailableError if answer["unavailable"] else InputError
        raise kind(answer["error"], remedy=answer["remedy"])
    told = answer["gantt"]
    return Gantt(**{**told, "slots": tuple(Slot(**slot) for slot in told["slots"])}), float(answer["spent"])


@cache
def _solver() -> Worker:
    """The one process of this one, ended with it."""
    found = Worker(
        [sys.executable, "-P", "-m", WORKER], name="the solver's process", again=True,
        remedy="Ask again, with fewer batches if memory is short; the equal intervals need no solver.",
        environment={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    atexit.register(found.close)
    return found
