"""Batches that start one after another at equal intervals: the shortest interval, exactly, and who is where when."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.base import InputError

MOST_BATCHES: Final = 60
_SAME: Final = 1e-9


@dataclass(frozen=True)
class Task:
    """A batch keeps `suite` busy from `start` to `end`, h after the batch begins, and it is made ready `until`.

    - `cleaner`: a suite (a cleaning skid) that makes it ready, and is busy meanwhile.
    - `people`: who is needed from `start` to `end`. `wait`: h that the step may begin later than the one before it
      ends, while that one keeps its suite. Only `gantt` counts either; the timetable knows no waiting.
    """

    name: str
    suite: str
    start: float
    end: float
    until: float
    cleaner: str = ""
    people: float = 0.0
    wait: float = 0.0

    def __post_init__(self) -> None:
        """Refuse time that runs backwards."""
        if not 0 <= self.start <= self.end <= self.until < math.inf:
            raise InputError(
                f"{self.name}: busy from {self.start:g} to {self.end:g} h and ready at {self.until:g} h",
                remedy="Give hours that do not run backwards, counted from the start of the batch.",
            )
        if not (0 <= self.people < math.inf and 0 <= self.wait < math.inf):
            raise InputError(
                f"{self.name}: {self.people:g} people, {self.wait:g} h of waiting", remedy="Give 0 or more of both."
            )

    @property
    def cleaning(self) -> Task | None:
        """What the cleaner does after this task, or None where the suite is made ready without one."""
        if not self.cleaner or self.until <= self.end:
            return None
        return Task(f"clean {self.name}", self.cleaner, self.end, self.until, self.until)


@dataclass(frozen=True)
class Slot:
    """One task of one batch on one unit of its suite, h from the start of the first batch."""

    batch: int
    task: str
    suite: str
    unit: int
    start: float
    end: float
    until: float


@dataclass(frozen=True)
class Timetable:
    """Batches at equal intervals.

    - `interval`: the shortest time between two starts, h; `bound`: the busiest suite's hours over its units, which no
      schedule of any kind can pass; `bottleneck`: that suite. - `slots`: who is where, for the batches asked for.
    """

    interval: float
    bound: float
    bottleneck: str
    units: Mapping[str, int]
    slots: tuple[Slot, ...]

    @property
    def exact(self) -> bool:
        """Whether no schedule, of equal intervals or not, can be faster in the long run."""
        return math.isclose(self.interval, self.bound, rel_tol=1e-9)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "interval_h": self.interval,
            "bound_h": self.bound,
            "bottleneck": self.bottleneck,
            "units": dict(self.units),
            "slots": [dict(vars(slot)) for slot in self.slots],
        }


def timetable(tasks: Sequence[Task], units: Mapping[str, int], batches: int = 3) -> Timetable:
    """The timetable of `batches` equal batches whose steps follow each other without waiting.

    - `units`: how many of each suite there are, 1 where nothing is said. Several tasks may share a suite, for instance
      a cleaning skid.

    An interval works where no more of a suite's tasks than it has units overlap when time is folded to the interval
    (a circle of tasks repeats itself; an interval graph needs as many units as overlap). What works changes only where
    an end meets a start, so that the shortest interval is the bound or one of these meetings: no search is needed, and
    no solver. Raises `InputError` for no task, no unit, or more than 60 batches.
    """
    if not tasks:
        raise InputError("there is no step to schedule", remedy="Give one step or more with its suite and hours.")
    tasks = [*tasks, *(found for task in tasks if (found := task.cleaning) is not None)]
    if not 1 <= batches <= MOST_BATCHES:
        raise InputError(f"{batches} batches", remedy=f"Ask for 1 to {MOST_BATCHES} batches.")
    suites = {task.suite: units.get(task.suite, 1) for task in tasks}
    for suite, count in suites.items():
        if count < 1:
            raise InputError(f"{suite}: {count} units", remedy="Give one unit or more.")
    busy = {
        suite: math.fsum(task.until - task.start for task in tasks if task.suite == suite) / count
        for suite, count in suites.items()
    }
    bottleneck = max(busy, key=lambda suite: busy[suite])
    bound = busy[bottleneck]
    if not bound > 0:
        raise InputError("no step takes any time", remedy="Give the steps their hours.")
    interval = next((found for found in _meetings(tasks, bound) if _fits(tasks, suites, found)), None)
    if interval is None:
        raise InputError(
            "one batch alone needs a suite in two steps at the same time",
            remedy="Give the steps suites of their own, more units, or a later start.",
        )
    return Timetable(interval, bound, bottleneck, suites, _slots(tasks, suites, interval, batches))


def _meetings(tasks: Sequence[Task], bound: float) -> list[float]:
    """The intervals at which a task's end meets a start of a later batch, from the bound up."""
    found = {bound}
    for first in tasks:
        for second in tasks:
            if first.suite != second.suite:
                continue
            gap = first.until - second.start
            for count in range(1, math.floor(gap / bound + _SAME) + 1):
                found.add(max(gap / count, bound))
    return sorted(found)


def _fits(tasks: Sequence[Task], units: Mapping[str, int], interval: float) -> bool:
    """Whether no more tasks than units overlap in any suite once time is folded to `interval`."""
    slack = _SAME * interval
    for suite, count in units.items():
        always, turns = 0, []
        for task in tasks:
            if task.suite != suite:
                continue
            length = task.until - task.start
            rounds = math.floor(length / interval + _SAME)
            always += rounds
            rest = length - rounds * interval
            if rest <= slack:
                continue
            start = task.start % interval
            end = start + rest
            turns += [(start, 1), (min(end, interval), -1)]
            if end > interval + slack:
                turns += [(0.0, 1), (end - interval, -1)]
        # An end counts before a start at the same moment.
        turns.sort(key=lambda turn: (round(turn[0] / slack) if slack else turn[0], turn[1]))
        overlap = always
        if overlap > count:
            return False
        for _, change in turns:
            overlap += change
            if overlap > count:
                return False
    return True


def _slots(tasks: Sequence[Task], units: Mapping[str, int], interval: float, batches: int) -> tuple[Slot, ...]:
    """Every task on the first unit of its suite that is free."""
    free = {suite: [0.0] * count for suite, count in units.items()}
    found = []
    entries = sorted(
        ((batch * interval + task.start, batch, task) for batch in range(batches) for task in tasks),
        key=lambda entry: (entry[0], entry[1]),
    )
    for start, batch, task in entries:
        times = free[task.suite]
        unit = next(at for at, time in enumerate(times) if time <= start + 1e-6 * interval)
        shift = start - task.start
        times[unit] = task.until + shift
        found.append(Slot(batch + 1, task.name, task.suite, unit + 1, start, task.end + shift, task.until + shift))
    return tuple(found)
