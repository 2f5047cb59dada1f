"""Ensembles of a culture in one or several vessels through a recipe: what varies, and what is kept of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedtrain.base import InputError, Progress, digest_bytes, silent
from seedtrain.quantity import Quantity
from seedtrain.recipe import MasterRecipe, levers
from seedtrain.simulation._assemble import UNTRAINED, beyond
from seedtrain.simulation._culture import Culture, Override, Parameter
from seedtrain.simulation._engine import END_TRAJECTORY, LOG, RAISED, Schedule, Trajectories, compile_system
from seedtrain.simulation._ensemble._draw import Floats, LogNormal, Normal, Spread
from seedtrain.simulation._ensemble._problem import Problem, Settings, Shown
from seedtrain.simulation._ensemble._run import run_ensemble
from seedtrain.simulation._flight import ATOL, NEGATIVE, WORDS
from seedtrain.simulation._metabolism import Span
from seedtrain.simulation._run import Run
from seedtrain.simulation._setup import Setup, setup_of
from seedtrain.simulation._surroundings import surroundings_of
from seedtrain.simulation._vessel import Vessel

FEED_FACTOR: Final = "feed_factor"
INITIAL: Final = "initial."
LONGER: Final = 1.5
"""How much longer than the nominal run the stored times go, where phases may last that long; what a trajectory does
later stands in its final values."""
OUTSIDE: Final = "a rate that was learned from data leaves what it was trained on"
FREED: Final = 1e-6
"""mmol of O2 per unit of a conversion that may be freed before a draw is refused; rounding, as `OXYGEN_SLACK`."""
Given = Spread | tuple[float, float] | ArrayLike
"""How something varies: a distribution, (low, high), or one number for each trajectory."""


def simulate_ensemble(
    culture: Culture,
    vessel: Vessel | Sequence[Vessel],
    recipe: MasterRecipe,
    *,
    n: int,
    seed: int = 0,
    spread: float | None = None,
    vary: Mapping[str, Given] | None = None,
    unit_procedure: str = "production",
    initial: Mapping[str, float] | None = None,
    parameters: Mapping[str, Override] | None = None,
    feed_factor: float = 1.0,
    inoculum: Run | None = None,
    keep: Sequence[str] | None = None,
    times: ArrayLike | None = None,
    points: int = 100,
    rtol: float = 1e-6,
    threads: int = 0,
    chunk: int | None = None,
    to: Path | str | None = None,
    executor: Any = None,
    progress: Progress = silent,
) -> Any:
    """`n` runs of `culture` in `vessel` through `recipe`, on all cores, as an xarray Dataset with units in attrs.

    What varies, each on its own:

    - by default every parameter of the culture, even over the range that its file gives; with `spread` (0.2 for
      +/- 20 %) only that part of its value, cut at the range;
    - `vary` chooses instead, by name: a parameter of culture or surroundings, "feed_factor", "initial.X" (a
      concentration after inoculation), or a value of the recipe as "production/growth/fed-batch:growth_rate" in the
      recipe's own unit. It takes a `Span`, `Normal` or `LogNormal`, (low, high), or one number for each trajectory.

    Several vessels get the same draws each: `vessel_number` and `draw` tell the rows apart. `keep`: variables by the
    names of a `Run`; the most used where left out. `times` (h), or `points` of them evenly to a little beyond the
    nominal end: from its end on, a trajectory's final values stand. The other arguments are those of `simulate` and
    `run_ensemble`. A draw whose yields close no balance, an overfilled vessel and a failed integration are rows with
    their status, never missing. Raises `InputError` for what cannot be run at all.
    """
    vessels = [vessel] if not isinstance(vessel, Sequence) else list(vessel)
    if not vessels:
        raise InputError("there is no vessel", remedy="Give one or more.")
    spreads = _spreads(culture, recipe, spread, vary, n)
    bases = [
        _Base(culture, item, recipe, unit_procedure, dict(initial or {}), dict(parameters or {}), feed_factor, inoculum)
        for item in vessels
    ]
    setups = [base.setup for base in bases]
    progress(0.0, setups[0].system.name)
    grid = np.asarray(times, dtype=float) if times is not None else _grid(setups, points, rtol)
    kept = _variables(culture, keep)
    units = _units(culture, recipe, spreads)
    problems = [_problem(base, spreads, kept, grid, units) for base in bases]
    settings = Settings(rtol=rtol, atol=ATOL)
    return run_ensemble(
        problems, spreads, n=n, seed=seed, settings=settings, threads=threads, chunk=chunk, to=to, executor=executor,
        progress=progress,
    )  # fmt: skip


@dataclass(frozen=True)
class _Base:
    """The run that everything varies around."""

    culture: Culture
    vessel: Vessel
    recipe: MasterRecipe
    unit_procedure: str
    initial: Mapping[str, float]
    parameters: Mapping[str, Override]
    feed_factor: float
    inoculum: Run | None

    @cached_property
    def setup(self) -> Setup:
        """With nothing varied."""
        return self.changed({})

    @cached_property
    def identity(self) -> str:
        """Text that changes with anything that decides the run."""
        run = "" if self.inoculum is None else digest_bytes(json.dumps(self.inoculum.to_data()).encode())
        parts = [self.culture.digest, repr(self.vessel), self.recipe.digest, self.unit_procedure, run]
        return "\n".join([*parts, repr(self.initial), repr(self.parameters), repr(self.feed_factor)])

    def changed(self, values: Mapping[str, float]) -> Setup:
        """The setup with some of its values replaced; names as in `vary`."""
        recipe, factor = self.recipe, self.feed_factor
        initial, parameters = dict(self.initial), dict(self.parameters)
        for name, value in values.items():
            if name == FEED_FACTOR:
                factor = value
            elif name.startswith(INITIAL):
                initial[name.removeprefix(INITIAL)] = value
            elif ":" in name:
                recipe = _with_value(recipe, name, value)
            else:
                parameters[name] = value
        return setup_of(
            self.culture, self.vessel, recipe, unit_procedure=self.unit_procedure, initial=initial,
            parameters=parameters, feed_factor=factor, inoculum=self.inoculum,
        )  # fmt: skip


def _with_value(recipe: MasterRecipe, name: str, value: float) -> MasterRecipe:
    path, _, parameter = name.partition(":")
    lever = next(item for item in levers(recipe) if (item.path, item.parameter) == (path, parameter))
    return recipe.with_value(path, parameter, Quantity(value, lever.quantity.unit))


@dataclass(frozen=True)
class _Fill:
    """The schedule of a chunk. Parameters of the culture are numbers of the equations; other values make a new plan."""

    base: _Base

    def __call__(self, columns: Mapping[str, Floats], count: int) -> Schedule:
        own = [name for name in columns if name in self.base.culture.parameters]
        others = [name for name in columns if name not in own]
        if others:
            rows = zip(*(columns[name].tolist() for name in others), strict=True)
            every = [self.base.changed(dict(zip(others, row, strict=True))).schedule for row in rows]
            parts = {
                item.name: np.concatenate([getattr(one, item.name) for one in every])
                for item in dataclasses.fields(Schedule)
            }
            found = Schedule(**parts)
        else:
            found = self.base.setup.schedule
        numbers = np.array(np.broadcast_to(found.numbers, (count, *found.numbers.shape[1:])))
        places = self.base.setup.layout.numbers
        for name in own:
            numbers[:, :, places.index(f"u_{name}")] = columns[name][:, None]
        return dataclasses.replace(found, numbers=numbers)


def _problem(
    base: _Base, spreads: Mapping[str, Spread], kept: Mapping[str, Shown], grid: Floats, units: Mapping[str, str]
) -> Problem:
    setup = base.setup
    told = (setup.schedule.actions == LOG) | (setup.schedule.actions == END_TRAJECTORY)
    reader = _Read(setup, tuple(kept))
    reasons = {RAISED: f"the broth reaches more than {setup.vessel.name} may hold"}
    return Problem(
        system=setup.system,
        times=grid,
        variables=kept,
        fill=_Fill(base),
        name=setup.vessel.name,
        read=reader,
        refuse=_Refuse(setup),
        stretches=tuple(segment.path for segment in setup.plan.segments),
        events={name: _happening(name) for at, (name, _) in enumerate(setup.system.gauges) if told[:, :, at].any()}
        | {f"{UNTRAINED}:{rate}": OUTSIDE for rate in base.culture.trained},
        watch=_Watch(reader, base.culture.trained) if base.culture.trained else None,
        units=units,
        identity=base.identity,
        refusal="the drawn values close no balance, or let a content fall below zero",
        reasons=reasons,
        attributes={
            "culture": setup.culture.name,
            "culture_status": setup.culture.status,
            "vessel": setup.vessel.name,
            "recipe_digest": setup.recipe.digest,
            "unit_procedure": setup.unit_procedure,
        },
    )


def _happening(name: str) -> str:
    return WORDS[name][0] if name in WORDS else "the vessel is full"


_RATES: Final = {
    "mu": ("1/h", "specific growth rate"),
    "q_S": ("g/g/h", "specific glucose uptake"),
    "q_P": ("g/g/h", "specific product formation"),
    "q_O2": ("mmol/g/h", "specific oxygen uptake"),
    "OUR": ("mmol/L/h", "oxygen uptake rate"),
    "OTR": ("mmol/L/h", "oxygen transfer rate"),
    "CER": ("mmol/L/h", "carbon dioxide evolution rate"),
    "kLa": ("1/h", "oxygen transfer coefficient"),
    "C_CO2": ("mmol/L", "dissolved carbon dioxide"),
}
"""Observed symbols that are kept as they are."""
_USUAL: Final = ("DCW", "DO_percent", "V", "T", "mu", "q_S", "OUR", "CER")


def _variables(culture: Culture, keep: Sequence[str] | None) -> dict[str, Shown]:
    """What is kept, with units and words as in a `Run`."""
    known = {name: Shown(item.unit, item.words) for name, item in culture.species.items()}
    known |= {
        "DCW": Shown("g/L", "dry cell weight, product included"),
        "DO": Shown("mmol/L", "dissolved oxygen"),
        "DO_percent": Shown("%", "dissolved oxygen, of air saturation"),
        "NH": Shown("mmol/L", "ammonium and ammonia"),
        "I": Shown("mmol/L", "inducer"),
        "V": Shown("L", "broth volume"),
        "T": Shown("degC", "temperature"),
        "F": Shown("L/h", "feed rate"),
        **{name: Shown(unit, words) for name, (unit, words) in _RATES.items()},
    }
    wanted = [*culture.species, *_USUAL] if keep is None else list(dict.fromkeys(keep))
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise InputError(
            f"an ensemble keeps no {', '.join(unknown) or 'variable'}", remedy=f"Use some of: {', '.join(known)}."
        )
    return {name: known[name] for name in wanted}


@dataclass(frozen=True)
class _Read:
    """The kept variables of a chunk, as a `Run` has them, shape (trajectory, time)."""

    setup: Setup
    names: tuple[str, ...]

    def __call__(self, schedule: Schedule, found: Trajectories) -> dict[str, Floats]:
        return {name: self.one(name, schedule, found) for name in self.names}

    def one(self, name: str, schedule: Schedule, found: Trajectories) -> Floats:
        """One variable of the chunk by its name in a `Run`."""
        culture, start = self.setup.culture, schedule.numbers[:, :1, self.setup.layout.numbers.index("V_0")]
        match name:
            case "V":
                return np.asarray(found.states[:, :, self.setup.index("v")] * start)
            case "F":
                return np.asarray(self._seen("F", found) * start)
            case "T":
                return found.states[:, :, self.setup.index("T")]
            case "NH" | "I":
                return self._content({"NH": "n_N", "I": "n_I"}[name], found)
            case "DO":
                return self._oxygen(found)
            case "DO_percent":
                return np.asarray(100 * self._oxygen(found) / self._seen("saturation", found))
            case "DCW":
                inside = [species for species, item in culture.species.items() if item.intracellular]
                parts = [self._content(f"m_{species}", found) * culture.masses[species] for species in inside]
                return np.asarray(sum(parts, np.zeros(found.states.shape[:2])))
        return self._seen(name, found) if name in _RATES else self._content(f"m_{name}", found)

    def _seen(self, name: str, found: Trajectories) -> Floats:
        return found.observed[:, :, self.setup.system.observed.index(name)]

    def _oxygen(self, found: Trajectories) -> Floats:
        return np.asarray(np.maximum(self.setup.oxygen(found.states), 0.0))

    def _probe(self, found: Trajectories) -> Floats:
        """Dissolved oxygen in the zone of the probe."""
        return np.asarray(np.maximum(self.setup.oxygen(found.states), 0.0))

    def _content(self, name: str, found: Trajectories) -> Floats:
        """An amount per volume; what rounding makes of nothing is nothing."""
        values = self.setup.amounts(found.states, name) / found.states[:, :, self.setup.index("v")]
        return np.asarray(np.maximum(values, 0.0))


@dataclass(frozen=True)
class _Watch:
    """Where each rate that was learned from data reads what none of that data showed."""

    read: _Read
    trained: Mapping[str, Mapping[str, tuple[float, float]]]

    def __call__(self, schedule: Schedule, found: Trajectories) -> dict[str, NDArray[np.bool_]]:
        # The pH is a set point, not a course: a run on its own tells where it leaves what was trained on.
        return {
            f"{UNTRAINED}:{rate}": np.logical_or.reduce(
                [beyond(self.read.one(name, schedule, found), *ends) for name, ends in ranges.items() if name != "pH"]
            )
            for rate, ranges in self.trained.items()
            if set(ranges) - {"pH"}
        }


@dataclass(frozen=True)
class _Refuse:
    """Draws that no culture has: a conversion that would free oxygen, a formula with less than no atoms, and those that
    let a content fall below zero, as a rate does that goes on without what it consumes."""

    setup: Setup

    def __call__(self, found: Trajectories) -> NDArray[np.bool_]:
        held = [symbol for symbol, _ in self.setup.system.held]
        conversions = range(len(self.setup.culture.conversions))
        used = [held.index(f"z{number}_O") for number in conversions if f"z{number}_O" in held]
        atoms = [at for at, symbol in enumerate(held) if symbol.startswith("k_")]
        first = np.asarray(found.held[:, 0])
        names = [name for name in self.setup.system.states if name.startswith(("m_", "n_"))]
        places = [self.setup.index(name) for name in names]
        contents = found.states[:, :, places] / found.states[:, :, [self.setup.index("v")]]
        negative = (contents * self.setup.layout.zones <= NEGATIVE).any(axis=(1, 2))
        return np.asarray((first[:, used] < -FREED).any(axis=1) | (first[:, atoms] < 0).any(axis=1) | negative)


def _grid(setups: Sequence[Setup], points: int, rtol: float) -> Floats:
    """Stored times: evenly to a little beyond the longest nominal run, or as long as the phases may last."""
    if points < 2:
        raise InputError(f"{points} points are no curve", remedy="Give 2 or more.")
    ends = []
    for setup in setups:
        found = compile_system(setup.system).run(setup.schedule, [0.0], rtol=rtol, atol=ATOL)
        ends.append(min(LONGER * float(found.ends[0, -1]), float(setup.schedule.lengths.sum())))
    return np.linspace(0.0, max(ends), points)


def _spreads(
    culture: Culture, recipe: MasterRecipe, spread: float | None, vary: Mapping[str, Given] | None, n: int
) -> dict[str, Spread]:
    """How every varied value varies, checked by name."""
    if vary is None:
        return _ranges(culture, spread)
    if spread is not None:
        raise InputError("both spread and vary are given", remedy="Give one of them.")
    around = surroundings_of({}, culture)[1].parameters
    steps = {f"{item.path}:{item.parameter}" for item in levers(recipe)}
    found: dict[str, Spread] = {}
    for name, given in vary.items():
        known = name in culture.parameters or name in around or name in steps or name == FEED_FACTOR
        if not known and not name.startswith(INITIAL):
            close = [item for item in steps if item.partition(":")[2] == name.partition(":")[2]]
            names = [*culture.parameters, *around, FEED_FACTOR, f"{INITIAL}{culture.biomass}", *close]
            raise InputError(f"nothing varies as {name!r}", remedy=f"Use some of: {', '.join(names)}.")
        if isinstance(given, tuple) and len(given) == 2:
            found[name] = Span(float(given[0]), float(given[1]))
        elif isinstance(given, Span | Normal | LogNormal):
            found[name] = given
        else:
            found[name] = np.asarray(given, dtype=float)
    return found


def _ranges(culture: Culture, spread: float | None) -> dict[str, Spread]:
    """Every parameter that has a range, even over it or over `spread` of its value within it."""
    if spread is not None and not 0 <= spread < 1:
        raise InputError(f"a spread of {spread:g}", remedy="Give a part of each value, such as 0.2 for +/- 20 %.")
    found: dict[str, Spread] = {}
    for name, item in culture.parameters.items():
        low, high = item.low, item.high
        if spread is not None:
            reach = abs(item.value) * spread
            low, high = max(low, item.value - reach), min(high, item.value + reach)
        if low < high:
            found[name] = Span(low, high)
    return found


def _units(culture: Culture, recipe: MasterRecipe, spreads: Mapping[str, Spread]) -> dict[str, str]:
    around: dict[str, Parameter] = dict(surroundings_of({}, culture)[1].parameters)
    known = {name: item.unit for name, item in (around | dict(culture.parameters)).items()}
    known |= {f"{item.path}:{item.parameter}": item.quantity.unit for item in levers(recipe)}
    known |= {f"{INITIAL}{name}": item.unit for name, item in culture.species.items()}
    return {name: known.get(name, "mmol/L" if name.startswith(INITIAL) else "") for name in spreads}
