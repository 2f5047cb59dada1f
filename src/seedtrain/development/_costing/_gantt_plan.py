"""The model of batches placed one by one, and what the solver makes of it: runs in the solver's own process."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from seedtrain.base import InputError, UnavailableError
from seedtrain.development._costing._timetable import Slot, Task

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel, CpSolver, IntVar

PER_HOUR: Final = 60
"""Steps of the solver's clock an hour: durations are rounded up to a minute."""
PARTS: Final = 100
"""Of a person, as the solver counts them."""
REMEDY: Final = (
    "Install the group scheduling: pip install 'seedtrain[scheduling]'. The timetable of equal intervals needs nothing."
)


@dataclass(frozen=True)
class Gantt:
    """Batches placed one by one.

    - `slots`: who is where when, h from the start of the first batch. `makespan`: h until the last batch's last step
      ends; `bound`: no schedule is shorter; `optimal`: whether this one is the shortest.
    - `interval`: h between two starts, on average. `waited`: h that steps waited in all. `crew`: people on duty, None
      where they were not counted; `busiest`: the most that were needed at once.
    """

    batches: int
    slots: tuple[Slot, ...]
    units: Mapping[str, int]
    makespan: float
    bound: float
    optimal: bool
    interval: float
    waited: float
    crew: float | None
    busiest: float

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "batches": self.batches, "makespan_h": self.makespan, "bound_h": self.bound, "optimal": self.optimal,
            "interval_h": self.interval, "waited_h": self.waited, "crew": self.crew, "busiest": self.busiest,
            "units": dict(self.units), "slots": [dict(vars(slot)) for slot in self.slots],
        }  # fmt: skip


def placed(tasks: Sequence[Task], units: Mapping[str, int], batches: int, crew: float | None, seconds: float) -> Gantt:
    """The shortest schedule, solved here; see `gantt`."""
    cp = _solver()
    plan = _Plan(cp.CpModel(), tasks, units, batches, crew)
    plan.model.minimize(plan.makespan)
    solver = cp.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = seconds
    status = solver.solve(plan.model)
    if status == cp.INFEASIBLE:
        raise InputError(
            "the steps of one batch are in each other's way", remedy="Give them more units, a longer `wait`, or people."
        )
    if status not in (cp.OPTIMAL, cp.FEASIBLE):
        raise InputError(f"no schedule was found in {seconds:g} s", remedy="Ask for fewer batches, or for more time.")
    bound, best = solver.best_objective_bound, solver.value(plan.makespan)
    proven = status == cp.OPTIMAL
    # Of all schedules as short: the one whose batches begin late and wait little, so that nothing is made for stock.
    plan.calm(solver, best)
    solver.parameters.max_deterministic_time = seconds / 4
    if solver.solve(plan.model) not in (cp.OPTIMAL, cp.FEASIBLE):
        raise AssertionError("a schedule that was found is lost")
    return plan.told(solver, bound / PER_HOUR, proven)


def _solver() -> Any:
    try:
        from ortools.sat.python import cp_model
    except ImportError as error:
        raise UnavailableError(f"placing batches one by one needs OR-Tools: {error}", remedy=REMEDY) from error
    return cp_model


class _Plan:
    """The model: variables of every task of every batch, in minutes."""

    def __init__(
        self, model: CpModel, tasks: Sequence[Task], units: Mapping[str, int], batches: int, crew: float | None
    ) -> None:
        self.model, self.batches, self.crew = model, batches, crew
        self.tasks = sorted(tasks, key=lambda task: task.start)
        self.before = [_before(self.tasks, at) for at in range(len(self.tasks))]
        names = dict.fromkeys(name for task in self.tasks for name in (task.suite, task.cleaner) if name)
        self.units = {name: units.get(name, 1) for name in names}
        for name, count in self.units.items():
            if count < 1:
                raise InputError(f"{name}: {count} units", remedy="Give one unit or more.")
        spent = sum(_minutes(task.until - task.start) + _minutes(task.wait) for task in self.tasks)
        self.horizon = batches * (spent + _minutes(max(task.until for task in self.tasks)))
        self.begin: list[IntVar] = [self._moment(f"batch {b}") for b in range(batches)]
        self.starts: list[list[IntVar]] = []
        self.leaves: list[list[IntVar]] = []
        self.cleans: list[list[IntVar]] = []
        for batch in range(batches):
            self._batch(batch)
        self._in_turn()
        self._resources()
        self.makespan = self._moment("makespan")
        for leaves in self.leaves:
            for leave in leaves:
                model.add(self.makespan >= leave)

    def _moment(self, name: str) -> IntVar:
        return self.model.new_int_var(0, self.horizon, name)

    def _batch(self, batch: int) -> None:
        """Each task after the one before it, at its offset, or up to its `wait` later."""
        model = self.model
        starts = [self._moment(f"start {batch} {task.name}") for task in self.tasks]
        leaves = [self._moment(f"leave {batch} {task.name}") for task in self.tasks]
        cleans = [self._moment(f"clean {batch} {task.name}") for task in self.tasks]
        for at, task in enumerate(self.tasks):
            model.add(leaves[at] >= starts[at] + _minutes(task.end - task.start))
            if task.cleaning is None:
                model.add(cleans[at] == leaves[at])
            else:
                model.add(cleans[at] >= leaves[at])
            before = self.before[at]
            if before is None:
                model.add(starts[at] == self.begin[batch] + round(PER_HOUR * task.start))
                continue
            gap = round(PER_HOUR * (task.start - self.tasks[before].end))
            done = starts[before] + _minutes(self.tasks[before].end - self.tasks[before].start)
            model.add(starts[at] >= done + gap)
            model.add(starts[at] <= done + gap + _minutes(task.wait))
            if task.wait > 0:  # what waits does so where it is
                model.add(leaves[before] >= starts[at])
        self.starts.append(starts)
        self.leaves.append(leaves)
        self.cleans.append(cleans)

    def _in_turn(self) -> None:
        """Batches are alike, so that every step may be taken in the order of the batches."""
        self.model.add(self.begin[0] == 0)
        for batch in range(1, self.batches):
            for earlier, later in zip(self.starts[batch - 1], self.starts[batch], strict=True):
                self.model.add(earlier <= later)
            self.model.add(self.begin[batch - 1] <= self.begin[batch])

    def _resources(self) -> None:
        """Suites and cleaners by their units, people by the crew."""
        model = self.model
        used: dict[str, list[Any]] = {name: [] for name in self.units}
        working, needed = [], []
        for batch in range(self.batches):
            for at, task in enumerate(self.tasks):
                name, start = f"{batch} {task.name}", self.starts[batch][at]
                ready = self.cleans[batch][at] + _minutes(task.until - task.end)
                stay = model.new_int_var(0, self.horizon, f"stay {name}")
                used[task.suite].append(model.new_interval_var(start, stay, ready, f"suite {name}"))
                if task.cleaning is not None:
                    length = _minutes(task.until - task.end)
                    cleaning = model.new_fixed_size_interval_var(self.cleans[batch][at], length, f"cleaning {name}")
                    used[task.cleaner].append(cleaning)
                if self.crew is not None and task.people > 0 and task.end > task.start:
                    length = _minutes(task.end - task.start)
                    working.append(model.new_fixed_size_interval_var(start, length, f"people {name}"))
                    needed.append(math.ceil(PARTS * task.people - 1e-9))
        for name, intervals in used.items():
            if self.units[name] == 1:
                model.add_no_overlap(intervals)
            else:
                model.add_cumulative(intervals, [1] * len(intervals), self.units[name])
        if self.crew is not None:
            model.add_cumulative(working, needed, math.floor(PARTS * self.crew + 1e-9))

    def calm(self, solver: CpSolver, makespan: int) -> None:
        """Keep the makespan; wait as little, and begin as late, as it allows."""
        model = self.model
        for row in (*self.starts, *self.leaves, *self.cleans, self.begin):
            for variable in row:
                model.add_hint(variable, solver.value(variable))
        model.add(self.makespan <= makespan)
        spans = [leave for leaves in self.leaves for leave in leaves]
        model.minimize(sum(spans) - (len(self.tasks) + 1) * sum(self.begin))

    def told(self, solver: CpSolver, bound: float, proven: bool) -> Gantt:
        """The schedule in hours, each task on the first unit of its suite that is free."""
        entries: list[tuple[float, float, float, int, str, str]] = []
        waited = 0.0
        for batch in range(self.batches):
            for at, task in enumerate(self.tasks):
                start, leave, clean = (
                    solver.value(row[batch][at]) / PER_HOUR for row in (self.starts, self.leaves, self.cleans)
                )
                ready = clean + _minutes(task.until - task.end) / PER_HOUR
                entries.append((start, leave, ready, batch + 1, task.name, task.suite))
                waited += leave - start - _minutes(task.end - task.start) / PER_HOUR
                if (cleaning := task.cleaning) is not None:
                    entries.append((clean, ready, ready, batch + 1, cleaning.name, cleaning.suite))
        begins = [solver.value(begin) / PER_HOUR for begin in self.begin]
        return Gantt(
            batches=self.batches,
            slots=_on_units(sorted(entries), self.units),
            units=self.units,
            makespan=solver.value(self.makespan) / PER_HOUR,
            bound=bound,
            optimal=proven,
            interval=(begins[-1] - begins[0]) / (self.batches - 1) if self.batches > 1 else 0.0,
            waited=waited,
            crew=self.crew,
            busiest=self._busiest(solver),
        )

    def _busiest(self, solver: CpSolver) -> float:
        turns = []
        for starts in self.starts:
            for start, task in zip(starts, self.tasks, strict=True):
                begin = solver.value(start)
                turns += [(begin, task.people), (begin + _minutes(task.end - task.start), -task.people)]
        most = now = 0.0
        for _time, change in sorted(turns):
            now += change
            most = max(most, now)
        return most


def _before(tasks: Sequence[Task], at: int) -> int | None:
    """The task that this one follows: of those that end by its start, the last."""
    mine = tasks[at]
    found = [
        other
        for other, task in enumerate(tasks)
        if other != at and task.end <= mine.start + 1e-9 and task.start < task.end
    ]
    return max(found, key=lambda other: (tasks[other].end, tasks[other].start, other), default=None)


def _minutes(hours: float) -> int:
    return math.ceil(PER_HOUR * hours - 1e-6)


def _on_units(
    entries: Sequence[tuple[float, float, float, int, str, str]], units: Mapping[str, int]
) -> tuple[Slot, ...]:
    free = {suite: [-1.0] * count for suite, count in units.items()}
    found = []
    for start, end, ready, batch, name, suite in entries:
        times = free[suite]
        unit = next(at for at, time in enumerate(times) if time <= start + 1e-6)
        times[unit] = ready
        found.append(Slot(batch, name, suite, unit + 1, start, end, ready))
    return tuple(found)
