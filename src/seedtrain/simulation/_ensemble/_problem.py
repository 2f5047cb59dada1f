"""What every trajectory of an ensemble runs, and the shape of what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, digest
from seedtrain.simulation._engine import CROSSINGS_KEPT, REASONS, Method, Schedule, System, Trajectories
from seedtrain.simulation._ensemble._draw import Floats, Spread
from seedtrain.simulation._ensemble._netcdf import Field, Layout, letters

REFUSED: Final = -1
"""Status of a trajectory whose values allow no run; its reason is the problem's own."""


@dataclass(frozen=True)
class Shown:
    """A variable that is kept: its unit as in docs/symbols.md, and words for people."""

    unit: str
    words: str = ""


Read = Callable[[Schedule, Trajectories], Mapping[str, Floats]]
Refuse = Callable[[Trajectories], NDArray[np.bool_]]
Watch = Callable[[Schedule, Trajectories], Mapping[str, NDArray[np.bool_]]]


@dataclass(frozen=True, eq=False)
class Problem:
    """One system and how drawn values become its schedule. All functions can be pickled.

    - `fill(columns, count)`: the schedule of `count` trajectories from one value of each parameter for each; it depends
      on nothing else.
    - `variables`: what is kept, by name; states or observed symbols of the system, or what `read` makes of a chunk,
      shape (trajectory, time). - `times`: h. - `stretches`: the names of the schedule's. - `units`: of the parameters.
    - `events`: gauges of the system that are told of, with words. - `reasons`: own words for a status of the engine.
    - `watch(schedule, found)`: by the name of an event without a gauge, when it is so, shape (trajectory, time).
    - `refuse(found)`: which trajectories have values that no culture has; their status is `REFUSED`, told as `refusal`.
    - `identity`: what decides all this beside system and arguments, as text: a half-written file is only gone on with
      where it, the system, the times and all settings are the same. - `attributes`: of the whole result.
    """

    system: System
    times: Floats
    variables: Mapping[str, Shown]
    fill: Callable[[Mapping[str, Floats], int], Schedule]
    name: str = ""
    read: Read | None = None
    refuse: Refuse | None = None
    watch: Watch | None = None
    stretches: tuple[str, ...] = ("run",)
    events: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    identity: str = ""
    refusal: str = "the drawn values allow no run"
    reasons: Mapping[int, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = (*self.system.states, *self.system.observed)
        missing = [name for name in self.variables if name not in known]
        if missing and self.read is None:
            raise InputError(
                f"system {self.system.name!r} has no state or observed symbol {', '.join(missing)}",
                remedy=f"Use some of: {', '.join(known)}.",
            )


@dataclass(frozen=True)
class Settings:
    """Tolerances and method of the integration, as `Compiled.run` takes them."""

    rtol: float = 1e-6
    atol: float | tuple[float, ...] = 1e-8
    method: Method = "auto"
    most_steps: int = 100_000


Problems = Sequence[Problem]
"""One problem, or several that differ in their vessel: each is run with the same draws, one after the other."""


def identity_of(problems: Problems, spreads: Mapping[str, Spread], n: int, seed: int, settings: Settings) -> str:
    """Digest of everything that decides an ensemble's numbers."""
    drawn = {
        name: digest(spread.tobytes().hex()) if isinstance(spread, np.ndarray) else repr(spread)
        for name, spread in spreads.items()
    }
    parts = [
        [
            problem.system.digest,
            np.asarray(problem.times, dtype=float).tobytes().hex(),
            list(problem.variables),
            list(problem.stretches),
            list(problem.events),
            problem.identity,
        ]
        for problem in problems
    ]
    return digest(["seedtrain ensemble", parts, drawn, n, seed, repr(settings)])


def events_of(problems: Problems) -> dict[str, str]:
    """The events of any of them, each once, with words."""
    return {name: words for problem in problems for name, words in problem.events.items()}


def layout_of(problems: Problems, spreads: Mapping[str, Spread], n: int, seed: int, settings: Settings) -> Layout:
    """Dimensions, variables and attributes of the result."""
    first = problems[0]
    lists = _lists(problems, spreads)
    sizes = {"trajectory": n * len(problems), "time": len(first.times)}
    sizes |= {name: len(found) for name, found in lists.items()}
    sizes |= {f"{name}_letters": letters(found)[1] for name, found in lists.items()}
    text = {"_Encoding": "utf-8"}
    fields = [Field("time", ("time",), "f8", {"units": "h", "long_name": "time"})]
    fields += [Field(name, (name, f"{name}_letters"), "S1", text) for name in lists]
    for name, shown in first.variables.items():
        words = shown.words or name
        fields.append(Field(name, ("trajectory", "time"), "f8", {"units": shown.unit, "long_name": words}))
        final = {"units": shown.unit, "long_name": f"{words}, at the end"}
        fields.append(Field(f"final_{name}", ("trajectory",), "f8", final))
    fields += _endings(first)
    if "event" in lists:
        fields += _happenings()
        sizes["words_letters"] = letters(list(events_of(problems).values()))[1]
    if len(problems) > 1:
        fields += [
            Field("vessel_number", ("trajectory",), "i4", {"long_name": "place in vessel"}),
            Field("draw", ("trajectory",), "i4", {"long_name": "number of the draw, shared by all vessels"}),
        ]
    if spreads:
        sizes["unit_letters"] = letters([first.units.get(name, "") for name in spreads])[1]
        fields += [
            Field("parameters", ("trajectory", "parameter"), "f8", {"long_name": "values drawn or given"}),
            Field("parameter_unit", ("parameter", "unit_letters"), "S1", text),
        ]
    attributes = {
        **first.attributes,
        "origin": "simulated",
        "seed": str(seed),
        "settings": repr(settings),
        "seedtrain_digest": identity_of(problems, spreads, n, seed, settings),
    }
    return Layout(sizes, fields, attributes)


def _lists(problems: Problems, spreads: Mapping[str, Spread]) -> dict[str, list[str]]:
    """The dimensions that have names."""
    vessels = [problem.name for problem in problems] if len(problems) > 1 else []
    found = {
        "parameter": list(spreads),
        "event": list(events_of(problems)),
        "stretch": list(problems[0].stretches),
        "vessel": vessels,
    }
    return {name: texts for name, texts in found.items() if texts}


def _endings(problem: Problem) -> list[Field]:
    """How trajectories end."""
    codes = {REFUSED: problem.refusal, **REASONS, **problem.reasons}
    flags = {"flag_values": np.array(list(codes), dtype=np.int32), "flag_meanings": "\n".join(codes.values())}
    return [
        Field("status", ("trajectory",), "i4", {"long_name": "how the trajectory ended", **flags}),
        Field("reached", ("trajectory",), "f8", {"units": "h", "long_name": "time of the last good state"}),
        Field("stretch_end", ("trajectory", "stretch"), "f8", {"units": "h", "long_name": "end of each stretch"}),
    ]


def _happenings() -> list[Field]:
    """What happens on the way."""
    words = "when it first happened, not a number where it did not"
    return [
        Field("event_words", ("event", "words_letters"), "S1", {"_Encoding": "utf-8"}),
        Field("event_time", ("trajectory", "event"), "f8", {"units": "h", "long_name": words}),
        Field("event_count", ("trajectory", "event"), "i4", {"long_name": "how often it happened"}),
    ]


def fixed_values(problems: Problems, spreads: Mapping[str, Spread], n: int) -> dict[str, NDArray[Any]]:
    """What does not depend on trajectories: times and names, and which vessel and draw a row is."""
    first = problems[0]
    found: dict[str, NDArray[Any]] = {"time": np.asarray(first.times, dtype=float)}
    found |= {name: letters(texts)[0] for name, texts in _lists(problems, spreads).items()}
    if spreads:
        found["parameter_unit"] = letters([first.units.get(name, "") for name in spreads])[0]
    if "event" in found:
        found["event_words"] = letters(list(events_of(problems).values()))[0]
    if len(problems) > 1:
        found["vessel_number"] = np.repeat(np.arange(len(problems), dtype=np.int32), n)
        found["draw"] = np.tile(np.arange(n, dtype=np.int32), len(problems))
    return found


def bytes_each(problem: Problem, stretches: int) -> int:
    """Memory that one trajectory takes while its chunk runs."""
    system = problem.system
    rows = len(system.states) + len(system.observed)
    per_stretch = 3 * len(system.states) + len(system.numbers) + len(system.held) + 2 * len(system.gauges)
    # The engine's arrays, and the copies that are kept.
    kept = (len(problem.times) + 1) * (rows + len(problem.variables))
    return 8 * (kept + stretches * per_stretch) + 32 * CROSSINGS_KEPT


def chunk_values(
    problem: Problem, events: Sequence[str], columns: Mapping[str, Floats], schedule: Schedule, found: Trajectories
) -> dict[str, NDArray[Any]]:
    """The rows of one chunk by the names of the layout; `found` has one time more, beyond every end."""
    values: dict[str, NDArray[Any]] = {}
    shown = (problem.read or _plain(problem.system))(schedule, found)
    for name in problem.variables:
        values[name], values[f"final_{name}"] = shown[name][:, :-1], shown[name][:, -1]
    values |= {"status": found.status.astype(np.int32), "reached": found.reached, "stretch_end": found.ends}
    if problem.refuse is not None:
        values["status"] = np.where(problem.refuse(found), REFUSED, values["status"]).astype(np.int32)
    if events:
        gauges = [name for name, _ in problem.system.gauges]
        places = [gauges.index(name) if name in problem.events and name in gauges else -1 for name in events]
        first, count = _events(found, places)
        times = np.minimum(np.append(problem.times, np.inf), found.reached[:, None])
        for name, so in ({} if problem.watch is None else problem.watch(schedule, found)).items():
            at = events.index(name)
            count[:, at] = so.any(axis=1)
            first[:, at] = np.where(
                so.any(axis=1), np.take_along_axis(times, so.argmax(axis=1)[:, None], 1)[:, 0], np.nan
            )
        values["event_time"], values["event_count"] = first, count
    if columns:
        values["parameters"] = np.stack(list(columns.values()), axis=1)
    return values


def _plain(system: System) -> Read:
    """States and observed symbols by their own names."""

    def read(schedule: Schedule, found: Trajectories) -> dict[str, Floats]:
        states = {name: found.states[:, :, at] for at, name in enumerate(system.states)}
        return states | {name: found.observed[:, :, at] for at, name in enumerate(system.observed)}

    return read


def _events(found: Trajectories, places: Sequence[int]) -> tuple[Floats, NDArray[np.int32]]:
    """When each gauge first rose, and how often; -1 is one that this problem does not have."""
    rows = found.crossings.rows
    kept = np.arange(rows.shape[1])[None] < found.crossings.counts[:, None]
    first = np.full((len(rows), len(places)), np.nan)
    count = np.zeros((len(rows), len(places)), dtype=np.int32)
    for at, gauge in enumerate(places):
        rose = kept & (rows["gauge"] == gauge) & (rows["direction"] > 0)
        count[:, at] = rose.sum(axis=1)
        some = count[:, at] > 0
        first[some, at] = rows["time"][some, rose[some].argmax(axis=1)]
    return first, count
