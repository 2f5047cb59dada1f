"""A setup integrated: its stretches, its stored points, and what happened on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from seedtrain.base import Progress, silent
from seedtrain.simulation import _engine
from seedtrain.simulation._engine import Schedule, Seeds, Trajectories, compile_system
from seedtrain.simulation._equations import GASES
from seedtrain.simulation._errors import OverfillError, TrajectoryError
from seedtrain.simulation._evaluate import evaluator
from seedtrain.simulation._plan import speed_range
from seedtrain.simulation._run import Floats
from seedtrain.simulation._setup import Setup, aeration_of
from seedtrain.simulation._vessel import StirredTank

ATOL: Final = 1e-8  # g, mmol and L per litre at the start
NEGATIVE: Final = -1e-7
"""g/L or mmol/L below which a stored concentration is a fault of the culture or of the integration and no rounding."""
Note = tuple[float, str, str]


@dataclass(frozen=True)
class Flight:
    """One trajectory of `setup`.

    - `starts`, `finals`: states at both ends of every segment, shape "segment state"; `begins`, `ends`: h.
    - `segments`, `times`, `states`: of every stored point; both ends of each segment are among them.
    - `notes`: (h, kind, words) of what happened, by segment.
    - `extrapolated`: carried along a direction, so that a content may fall below zero to first order.
    """

    setup: Setup
    starts: Floats
    finals: Floats
    begins: Floats
    ends: Floats
    segments: tuple[int, ...]
    times: Floats
    states: Floats
    notes: tuple[tuple[Note, ...], ...]
    extrapolated: bool = False

    def held(self) -> list[tuple[float, ...]]:
        """The held symbols of every segment."""
        read = evaluator(self.setup.system)
        numbers = self.setup.schedule.numbers[0]
        return [read.held(row, start) for row, start in zip(numbers.tolist(), self.starts.tolist(), strict=True)]

    @cached_property
    def observed(self) -> Floats:
        """The system's observations at every stored point, shape "point observation"."""
        read, held = evaluator(self.setup.system), self.held()
        numbers = self.setup.schedule.numbers[0].tolist()
        rows = zip(self.segments, self.times.tolist(), self.states.tolist(), strict=True)
        return np.array([read.observed(t - self.begins[s], state, numbers[s], held[s]) for s, t, state in rows])

    def moved(self, setup: Setup, by: FlightSlope, direction: int) -> Flight:
        """This flight carried along one direction to a neighbouring `setup`, to first order in the states."""
        return dataclasses.replace(
            self,
            setup=setup,
            starts=self.starts + by.starts[..., direction],
            finals=self.finals + by.finals[..., direction],
            begins=self.begins + by.begins[..., direction],
            ends=self.ends + by.ends[..., direction],
            times=self.times + by.times[..., direction],
            states=self.states + by.states[..., direction],
            extrapolated=True,
        )


@dataclass(frozen=True)
class FlightSlope:
    """How a flight changes along each of K directions; shapes as in `Flight`, with K last."""

    starts: Floats
    finals: Floats
    begins: Floats
    ends: Floats
    times: Floats
    states: Floats


def fly(setup: Setup, *, rtol: float, points: int, progress: Progress = silent) -> Flight:
    """Integrate `setup`; raises `OverfillError` and `TrajectoryError`."""
    compiled = compile_system(setup.system, progress=progress)
    relative, absolute = _tolerances(setup, rtol)
    first = compiled.run(setup.schedule, [0.0], rtol=relative, atol=absolute)
    refuse(setup, first)
    grid = _grid(first.ends[0], points)
    found = compiled.run(setup.schedule, grid, rtol=relative, atol=absolute)
    return flight_of(setup, found, grid)


def _tolerances(setup: Setup, rtol: float) -> tuple[float, Floats]:
    """Such that the sums of gas, which nothing follows, take no part in the choice of a step."""
    states = setup.system.states
    counted = np.array([name not in GASES for name in states])
    share = float(np.sqrt(counted.sum() / len(states)))  # the error's norm is a mean over all states
    return rtol * share, np.where(counted, ATOL * share, 1e6)


def fly_along(
    setup: Setup, neighbours: Sequence[Setup], *, rtol: float, points: int, progress: Progress = silent
) -> tuple[Flight, FlightSlope]:
    """As `fly`, with forward sensitivities along the way to each of `neighbours`, which have the same stretches."""
    compiled = compile_system(setup.system, progress=progress)
    relative, absolute = _tolerances(setup, rtol)
    first = compiled.run(setup.schedule, [0.0], rtol=relative, atol=absolute)
    refuse(setup, first)
    grid = _grid(first.ends[0], points)
    found = compiled.run(
        setup.schedule, grid, rtol=relative, atol=absolute, seeds=_seeds(setup.schedule, neighbours), progress=progress
    )
    flight = flight_of(setup, found, grid)
    return flight, _slope(flight, found)


def _seeds(schedule: Schedule, neighbours: Sequence[Setup]) -> Seeds:
    others = [item.schedule for item in neighbours]

    def difference(name: str) -> Floats:
        base = getattr(schedule, name)[0]
        return np.stack([getattr(item, name)[0] - base for item in others], axis=-1)

    return Seeds(*(difference(name) for name in ("initial", "numbers", "jumps", "lengths")))


def _grid(ends: Floats, points: int) -> Floats:
    """An even grid over the whole run, without the ends of segments: those are stored anyway."""
    even = np.linspace(0.0, float(ends[-1]), max(points, 2))
    return even[~np.isin(even, [0.0, *ends])]


def _rows(begins: Floats, ends: Floats, grid: Floats) -> list[tuple[int, int]]:
    """(segment, which) of every stored point; `which` is its place in the grid, or -1 for start and -2 for end."""
    found: list[tuple[int, int]] = []
    for number, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        found.append((number, -1))
        found += [(number, int(at)) for at in np.flatnonzero((grid > begin) & (grid < end))]
        if end > begin:
            found.append((number, -2))
    return found


def flight_of(setup: Setup, found: Trajectories, grid: Floats) -> Flight:
    """The flight of the one trajectory of `found`, stored at the times of `grid` within it."""
    ends = found.ends[0]
    begins = np.concatenate([[0.0], ends[:-1]])
    rows = _rows(begins, ends, grid)
    chosen = {-1: (found.starts[0], begins), -2: (found.finals[0], ends)}
    states = [chosen[which][0][segment] if which < 0 else found.states[0, which] for segment, which in rows]
    times = [chosen[which][1][segment] if which < 0 else grid[which] for segment, which in rows]
    return Flight(
        setup=setup,
        starts=found.starts[0],
        finals=found.finals[0],
        begins=begins,
        ends=ends,
        segments=tuple(segment for segment, _ in rows),
        times=np.array(times),
        states=np.array(states),
        notes=_notes(setup, found, begins),
    )


def _slope(flight: Flight, found: Trajectories) -> FlightSlope:
    assert found.states_by is not None
    assert found.starts_by is not None
    assert found.finals_by is not None
    assert found.ends_by is not None
    starts, finals, ends = found.starts_by[0], found.finals_by[0], found.ends_by[0]
    begins = np.concatenate([np.zeros((1, ends.shape[1])), ends[:-1]])
    inner = iter(found.states_by[0])
    times, states = [], []
    rows = _rows(flight.begins, flight.ends, found.times)
    for segment, which in rows:
        states.append({-1: starts, -2: finals}[which][segment] if which < 0 else next(inner))
        times.append({-1: begins, -2: ends}[which][segment] if which < 0 else np.zeros(ends.shape[1]))
    return FlightSlope(starts, finals, begins, ends, np.array(times), np.array(states))


def refuse(setup: Setup, found: Trajectories) -> None:
    """Raise what kept the trajectory from its end."""
    status = int(found.status[0])
    if status == _engine.DONE:
        return
    segment = setup.plan.segments[int(found.stretch[0])]
    reached, last = float(found.reached[0]), found.finals[0, int(found.stretch[0])]
    if status == _engine.RAISED:
        held = float(last[setup.index("v")]) * setup.plan.volume
        raise OverfillError(
            f"{segment.path}: the broth reaches {held:.4g} L at {reached:.2f} h, above what "
            f"{setup.vessel.name} may hold ({setup.vessel.working_volume[1]:g} L)",
            position=setup.recipe.position(segment.path),
            remedy="Charge less, feed less, or use a larger vessel.",
        )
    raise TrajectoryError(
        f"{segment.path}: the integration stopped at {reached:.4g} h: {found.reason(0)}",
        time=reached,
        last=dict(zip(setup.system.states, last.tolist(), strict=True)),
        remedy="Check the culture's parameters and the recipe's rates; the last good state is attached.",
    )


WORDS: Final[dict[str, tuple[str, str]]] = {
    "oxygen_limited": (
        "dissolved oxygen falls below half of its set point at the highest transfer",
        "dissolved oxygen is back above half of its set point",
    ),
    "cooling_limited": ("the jacket cannot hold the temperature", "the jacket holds the temperature again"),
    "nitrogen_limited": ("ammonium runs out", "there is ammonium again"),
    "depleted": ("glucose is used up", ""),
}
"""What happens when a gauge rises through zero, and when it falls again."""


def _notes(setup: Setup, found: Trajectories, begins: Floats) -> tuple[tuple[Note, ...], ...]:
    names = [name for name, _ in setup.system.gauges]
    crossed = found.crossings.of(0)
    active: set[str] = set()
    notes: list[tuple[Note, ...]] = []
    for number, segment in enumerate(setup.plan.segments):
        mine: list[Note] = list(_clamps(setup, number, float(begins[number]), found))
        actions = setup.schedule.actions[0, number]
        free = found.gauges_at_start[0, number] < 0
        for name in [
            name for at, name in enumerate(names) if actions[at] == _engine.LOG and free[at] and name in active
        ]:
            active.discard(name)
            mine.append((float(begins[number]), f"{name}_end", WORDS[name][1]))
        for row in crossed[crossed["stretch"] == number]:
            mine += _crossing(names[int(row["gauge"])], row, active)
        if segment.until is not None and not _met(setup, found, number, begins):
            words = "the phase ends at its longest time, its aim not met"
            mine.append((float(found.ends[0, number]), "at_most", words))
        notes.append(tuple(mine))
    return tuple(notes)


def _crossing(name: str, row: Any, active: set[str]) -> list[Note]:
    if name not in WORDS:
        return []
    rises, falls = WORDS[name]
    time = float(row["time"])
    if row["direction"] < 0:
        if name not in active:
            return []
        active.discard(name)
        return [(time, f"{name}_end", falls)]
    if name in active:
        return []
    if falls:
        active.add(name)
    return [(time, name, rises)]


def _met(setup: Setup, found: Trajectories, number: int, begins: Floats) -> bool:
    """Whether the segment ended by its aim."""
    awaited = setup.schedule.actions[0, number] == _engine.END_STRETCH
    if (found.gauges_at_start[0, number][awaited] >= 0).any():
        return True
    rows = found.crossings.of(0)
    rows = rows[(rows["stretch"] == number) & (rows["direction"] > 0)]
    return any(awaited[int(row["gauge"])] for row in rows)


def _clamps(setup: Setup, number: int, time: float, found: Trajectories) -> list[Note]:
    """What the vessel cannot do as the recipe asks."""
    segment, vessel = setup.plan.segments[number], setup.vessel
    notes: list[Note] = []
    if isinstance(vessel, StirredTank) and not speed_range(vessel, segment)[2]:
        notes.append((time, "set_point_clamped", "the stirrer speed lies outside the vessel; its limit is used"))
    if not aeration_of(vessel, segment)[1]:
        notes.append((time, "set_point_clamped", "the aeration lies outside the vessel; its limit is used"))
    place = [symbol for symbol, _ in setup.system.held].index("gas_cut")
    if float(found.held[0, number, place]) < 1:
        notes.append((time, "flooding", "the gas is cut to what the impeller disperses at its highest speed"))
    return notes
