"""What every trajectory of an ensemble runs, and the shape of what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, digest
from seedtrain.simulation._engine import CROSSINGS_KEPT, REASONS, Schedule, System, Trajectories
from seedtrain.simulation._ensemble._draw import Floats, Spread
from seedtrain.simulation._ensemble._netcdf import Field, Layout, letters

REFUSED: Final = -1
"""Status of a trajectory whose values allow no run; its reason is the problem's own."""


@dataclass(frozen=True)
class Shown:
    """A variable that is kept: its unit as in docs/symbols.md, and words for people."""

    unit: str
    words: str = ""


@dataclass(frozen=True, eq=False)
class Filled:
    """The schedule of a chunk; `refused` (N,) marks rows whose values allow no run, and were filled with others."""

    schedule: Schedule
    refused: NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """One system and how drawn values become its schedule.

    - `fill(columns, count)`: the schedule of `count` trajectories from one value of each parameter for each; it may
      depend on nothing else than its arguments, and can be pickled.
    - `variables`: states or observed symbols of the system that are kept, by name. - `times`: h.
    - `stretches`: how many stretches the schedule has, by name. - `units`: of the parameters.
    - `identity`: what decides `fill` beside its arguments, as text; a half-written file is only gone on with where it,
      the system, the times and all settings are the same.
    - `refusal`: the reason of refused trajectories. - `attributes`: of the whole result.
    """

    system: System
    times: Floats
    variables: Mapping[str, Shown]
    fill: Callable[[Mapping[str, Floats], int], Filled]
    stretches: tuple[str, ...] = ("run",)
    units: Mapping[str, str] = field(default_factory=dict)
    identity: str = ""
    refusal: str = "the drawn values allow no run"
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = (*self.system.states, *self.system.observed)
        missing = [name for name in self.variables if name not in known]
        if missing:
            raise InputError(
                f"system {self.system.name!r} has no state or observed symbol {', '.join(missing)}",
                remedy=f"Use some of: {', '.join(known)}.",
            )


@dataclass(frozen=True)
class Settings:
    """Tolerances and method of the integration, as `Compiled.run` takes them."""

    rtol: float = 1e-6
    atol: float | tuple[float, ...] = 1e-8
    method: str = "auto"
    most_steps: int = 100_000


def identity_of(problem: Problem, spreads: Mapping[str, Spread], n: int, seed: int, settings: Settings) -> str:
    """Digest of everything that decides an ensemble's numbers."""
    drawn = {
        name: digest(spread.tobytes().hex()) if isinstance(spread, np.ndarray) else repr(spread)
        for name, spread in spreads.items()
    }
    times = np.asarray(problem.times, dtype=float).tobytes().hex()
    parts = [problem.system.digest, times, list(problem.variables), list(problem.stretches), problem.identity]
    return digest([*parts, drawn, n, seed, repr(settings)])


def layout_of(problem: Problem, spreads: Mapping[str, Spread], n: int, seed: int, settings: Settings) -> Layout:
    """Dimensions, variables and attributes of the result."""
    events = [name for name, _ in problem.system.gauges]
    lists = {"parameter": list(spreads), "event": events, "stretch": list(problem.stretches)}
    lists = {name: found for name, found in lists.items() if found}
    sizes = {"trajectory": n, "time": len(problem.times), **{name: len(found) for name, found in lists.items()}}
    sizes |= {f"{name}_letters": letters(found)[1] for name, found in lists.items()}
    units = [problem.units.get(name, "") for name in spreads]
    if spreads:
        sizes["unit_letters"] = letters(units)[1]
    text = {"_Encoding": "utf-8"}
    fields = [Field("time", ("time",), "f8", {"units": "h", "long_name": "time"})]
    fields += [Field(name, (name, f"{name}_letters"), "S1", text) for name in lists]
    for name, shown in problem.variables.items():
        named = {"units": shown.unit, "long_name": shown.words or name}
        fields.append(Field(name, ("trajectory", "time"), "f8", named))
        fields.append(
            Field(f"final_{name}", ("trajectory",), "f8", named | {"long_name": f"{named['long_name']}, at the end"})
        )
    codes = {REFUSED: problem.refusal, **REASONS}
    flags = {"flag_values": np.array(list(codes), dtype=np.int32), "flag_meanings": "\n".join(codes.values())}
    fields += [
        Field("status", ("trajectory",), "i4", {"long_name": "how the trajectory ended", **flags}),
        Field("reached", ("trajectory",), "f8", {"units": "h", "long_name": "time of the last good state"}),
        Field("stretch_end", ("trajectory", "stretch"), "f8", {"units": "h", "long_name": "end of each stretch"}),
    ]
    if events:
        words = "when it first happened, not a number where it did not"
        fields += [
            Field("event_time", ("trajectory", "event"), "f8", {"units": "h", "long_name": words}),
            Field("event_count", ("trajectory", "event"), "i4", {"long_name": "how often it happened"}),
        ]
    if spreads:
        fields += [
            Field("parameters", ("trajectory", "parameter"), "f8", {"long_name": "values drawn or given"}),
            Field("parameter_unit", ("parameter", "unit_letters"), "S1", text),
        ]
    attributes = {
        **problem.attributes,
        "origin": "simulated",
        "seed": str(seed),
        "settings": repr(settings),
        "seedtrain_digest": identity_of(problem, spreads, n, seed, settings),
    }
    return Layout(sizes, fields, attributes)


def fixed_values(problem: Problem, spreads: Mapping[str, Spread]) -> dict[str, NDArray[Any]]:
    """What does not depend on trajectories: times and names."""
    found: dict[str, NDArray[Any]] = {"time": np.asarray(problem.times, dtype=float)}
    events = [name for name, _ in problem.system.gauges]
    for name, texts in (("parameter", list(spreads)), ("event", events), ("stretch", list(problem.stretches))):
        if texts:
            found[name] = letters(texts)[0]
    if spreads:
        found["parameter_unit"] = letters([problem.units.get(name, "") for name in spreads])[0]
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
    problem: Problem, columns: Mapping[str, Floats], filled: Filled, found: Trajectories
) -> dict[str, NDArray[Any]]:
    """The rows of one chunk by the names of the layout; `found` has one time more, beyond every end."""
    values: dict[str, NDArray[Any]] = {}
    for name in problem.variables:
        states = problem.system.states
        every = found.states[:, :, states.index(name)] if name in states else None
        if every is None:
            every = found.observed[:, :, problem.system.observed.index(name)]
        values[name], values[f"final_{name}"] = every[:, :-1], every[:, -1]
    values |= {"status": found.status.astype(np.int32), "reached": found.reached, "stretch_end": found.ends}
    if filled.refused is not None:
        values["status"] = np.where(filled.refused, REFUSED, values["status"]).astype(np.int32)
        values["reached"] = np.where(filled.refused, 0.0, values["reached"])
    if problem.system.gauges:
        values["event_time"], values["event_count"] = _events(found, len(problem.system.gauges))
    if columns:
        values["parameters"] = np.stack(list(columns.values()), axis=1)
    return values


def _events(found: Trajectories, gauges: int) -> tuple[Floats, NDArray[np.int32]]:
    """When each gauge first rose, and how often."""
    rows = found.crossings.rows
    kept = np.arange(rows.shape[1])[None] < found.crossings.counts[:, None]
    first = np.full((len(rows), gauges), np.nan)
    count = np.zeros((len(rows), gauges), dtype=np.int32)
    for gauge in range(gauges):
        rose = kept & (rows["gauge"] == gauge) & (rows["direction"] > 0)
        count[:, gauge] = rose.sum(axis=1)
        some = count[:, gauge] > 0
        first[some, gauge] = rows["time"][some, rose[some].argmax(axis=1)]
    return first, count
