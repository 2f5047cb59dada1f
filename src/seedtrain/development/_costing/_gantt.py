"""Up to ten batches placed one by one by a solver: waits, people, shared equipment and cleaning, no equal intervals.

The timetable in closed form tells how often a batch can start for ever; this tells when each of the next few starts,
where steps may wait and people are few. Where nothing may wait and the bottleneck is one unit, both say the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from seedtrain.base import InputError
from seedtrain.development._costing._gantt_plan import Gantt
from seedtrain.development._costing._gantt_process import placed_elsewhere
from seedtrain.development._costing._timetable import Task

__all__ = ["Gantt", "gantt"]

MOST: Final = 10
"""Batches beyond which the solver seldom ends in reasonable time; the closed form tells what follows."""
SECONDS: Final = 20.0


def gantt(
    tasks: Sequence[Task],
    units: Mapping[str, int],
    batches: int,
    *,
    crew: float | None = None,
    seconds: float = SECONDS,
) -> Gantt:
    """The shortest time in which `batches` equal batches can be made, and when each step of each is done.

    - `units`: how many of each suite (and cleaner) there are, 1 where nothing is said. `crew`: people on duty at once.
    - `seconds`: of the solver's own deterministic clock, about as many of a processor's; what it found by then is told
      with its bound. The same input gives the same schedule.

    Raises `InputError` for fewer than 1 or more than 10 batches, a step that needs more people than there are, and
    steps of one batch that are in each other's way; `UnavailableError` without OR-Tools. **Source** constraint
    programming with cumulative resources: Baptiste, Le Pape & Nuijten 2001, Constraint-Based Scheduling; by CP-SAT.
    """
    _check(tasks, batches, crew)
    return placed_elsewhere(tasks, units, batches, crew, seconds)


def _check(tasks: Sequence[Task], batches: int, crew: float | None) -> None:
    if not tasks:
        raise InputError("there is no step to schedule", remedy="Give one step or more with its suite and hours.")
    if not 1 <= batches <= MOST:
        raise InputError(
            f"{batches} batches one by one", remedy=f"Ask for 1 to {MOST}; the equal intervals tell what follows."
        )
    if crew is None:
        return
    if not 0 < crew < math.inf:
        raise InputError(f"a crew of {crew:g}", remedy="Give one person or more.")
    if not any(task.people for task in tasks):
        raise InputError("no step says how many people it takes", remedy="Give steps `people`, or leave the crew out.")
    for task in tasks:
        if task.people > crew:
            raise InputError(
                f"{task.name} needs {task.people:g} people, and {crew:g} are there",
                remedy="Give a larger crew, or fewer people to the step.",
            )
