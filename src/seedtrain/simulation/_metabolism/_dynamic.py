"""Dynamic flux balance analysis: one culture over time, as the same `Run` that any other simulation gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedtrain.base import InputError, digest
from seedtrain.base import translate as _
from seedtrain.simulation._errors import TrajectoryError
from seedtrain.simulation._metabolism._integrate import REASONS, DynamicSettings, Trajectories, integrate
from seedtrain.simulation._metabolism._kernels._structure import DONE, MONOD
from seedtrain.simulation._metabolism._kinetics import ACETATE_MASS, GLUCOSE_MASS, Feed, Kinetics
from seedtrain.simulation._metabolism._program import OTHER_CARBON, Floats
from seedtrain.simulation._metabolism._reactor import BIOMASS, VOLUME, Reactor, reactor
from seedtrain.simulation._metabolism._table import CompiledMetabolism, Evaluation
from seedtrain.simulation._run import Balance, ParameterUse, Run, RunEvent, Variable

OXYGEN: Final = "EX_o2_e"
CARBON_DIOXIDE: Final = "EX_co2_e"
ALIASES: Final = {
    "EX_glc__D_e": ("S", GLUCOSE_MASS / 1000),
    "EX_ac_e": ("A", ACETATE_MASS / 1000),
}
"""BiGG exchanges that other cultures give in g/L: symbol, g/mmol."""
DEPLETED_SHARE: Final = 0.01
"""Of K_S: a substrate below this has run out."""
STARVING: Final = 1e-6
"""mmol/gDW/h of demand that is not met, above which cells starve."""
_ROUNDS: Final = 5
_PIECES: Final = 24
_GRID: Final = 400


def dynamic_fba(
    table: CompiledMetabolism,
    kinetics: Kinetics,
    initial: Mapping[str, float],
    times: ArrayLike,
    *,
    feeds: Iterable[Feed] = (),
    track: Iterable[str] | None = None,
    parameters: Mapping[str, float] | None = None,
    start: float = 0.0,
    settings: DynamicSettings | None = None,
    vessel: str = "stirred reactor",
    events: bool = True,
) -> Run:
    """Simulate a batch or fed-batch culture whose metabolism is a compiled genome-scale model.

    - `table`: from `compile_metabolism`. `kinetics`: what each moving bound depends on.
    - `initial`: `X` gDW/L, dissolved exchanges mmol/L, and `V` L where something is fed.
    - `times`: h, rising from `start`; the run has exactly these points. `feeds`, `track`: see `reactor`.
    - `parameters`: other values by name, such as `{"EX_glc__D_e.q_max": 9.0}`.
    - `events`: whether to find them, which takes longer than the trajectory itself.

    The run's variables are `X`, each exchange (mmol/L), `mu` (1/h), `q:EXCHANGE` and `deficit:DEMAND` (mmol/gDW/h),
    `OUR` and `CER` (mmol/L/h), and glucose `S` and acetate `A` in g/L, as far as the model has them; its events are
    changes of what limits growth, depletion, and starvation. Raises `InputError` for input that cannot be used, and
    `TrajectoryError`, with the last good state, where the integration cannot go on.
    """
    culture = reactor(table, kinetics, initial, feeds=feeds, track=track)
    return simulate_reactor(
        culture, times, parameters=parameters, start=start, settings=settings, vessel=vessel, events=events
    )


def simulate_reactor(
    culture: Reactor,
    times: ArrayLike,
    *,
    parameters: Mapping[str, float] | None = None,
    start: float = 0.0,
    settings: DynamicSettings | None = None,
    vessel: str = "stirred reactor",
    events: bool = True,
) -> Run:
    """`dynamic_fba` of a reactor that is made already."""
    grid = check_times(times, start)
    settings = settings or DynamicSettings()
    vector = culture.vector(parameters)
    found = integrate(culture, vector[None], start, grid, settings=settings)
    _refuse_failure(culture, vector, found)
    states = found.states[0]
    observed = culture.table.evaluate(culture.bounds_at(states, vector), outside="solve")
    uses = _uses(culture, vector)
    return Run(
        origin="simulated",
        recipe_digest=digest({"times": grid.tolist(), "parameters": vector.tolist(), "start": start}),
        culture=culture.table.program.name,
        vessel=vessel,
        unit_procedure="fed-batch" if culture.feeds else "batch",
        time=grid,
        variables={item.name: item for item in _variables(culture, grid, states, observed, vector)},
        events=_events(culture, vector, start, float(grid[-1]), settings) if events else (),
        balances=_balances(culture, vector, start, float(grid[-1]), states[-1]),
        parameters=uses,
        totals={"steps": (float(found.steps[0]), ""), "rate_evaluations": (float(found.rates[0]), "")},
    )


@dataclass(frozen=True)
class Sensitivities:
    """How the states of a culture move with its parameters.

    - `states`: shape (time, state), in the order of `state_names`.
    - `values`: shape (time, state, parameter): derivative of each state by each parameter of `names`.
    """

    time: Floats
    state_names: tuple[str, ...]
    names: tuple[str, ...]
    states: Floats
    values: Floats


def dynamic_fba_sensitivities(
    culture: Reactor,
    times: ArrayLike,
    names: Sequence[str],
    *,
    parameters: Mapping[str, float] | None = None,
    start: float = 0.0,
    settings: DynamicSettings | None = None,
) -> Sensitivities:
    """Derivatives of the states by the parameters `names`, as further states under the same error control.

    The field is continuous where regions meet, so that nothing jumps there. Raises as `dynamic_fba` does. **Source**
    Hindmarsh et al. 2005, doi:10.1145/1089014.1089020 (forward sensitivities under error control).
    """
    grid = check_times(times, start)
    for name in names:
        if name not in culture.places:
            raise culture.unknown(name)
    vector = culture.vector(parameters)
    wanted = np.array([culture.places[name] for name in names], dtype=np.int64)
    found = integrate(culture, vector[None], start, grid, wanted=wanted, settings=settings)
    _refuse_failure(culture, vector, found)
    n = len(culture.states)
    states = found.states[0]
    values = states[:, n:].reshape(len(grid), len(names), n).transpose(0, 2, 1)
    return Sensitivities(grid, culture.states, tuple(names), states[:, :n], np.ascontiguousarray(values))


def check_times(times: ArrayLike, start: float) -> Floats:
    """`times` as an array; refuses none at all, not-a-number, and times that fall or lie before `start`."""
    grid = np.atleast_1d(np.asarray(times, dtype=float))
    if grid.ndim != 1 or len(grid) == 0 or not np.isfinite(grid).all():
        raise InputError(f"times of shape {grid.shape} are no list of finite hours", remedy="Give rising times in h.")
    if (np.diff(grid) < 0).any() or grid[0] < start:
        raise InputError(f"times must rise from the start at {start:g} h", remedy="Sort them.")
    return np.ascontiguousarray(grid)


def _refuse_failure(culture: Reactor, vector: Floats, found: Trajectories) -> None:
    if found.status[0] == DONE:
        return
    n = len(culture.states)
    last = found.states[0, -1, :n]
    reason = REASONS[int(found.status[0])]
    bounds = culture.bounds_at(last, vector)
    program = culture.table.program
    beyond = [
        f"{item.reaction} {value:.6g} (box {item.low:g} .. {item.high:g})"
        for item, value in zip(program.moving, bounds, strict=True)
        if not item.low <= value <= item.high
    ]
    remedy = "Loosen the tolerances or allow more steps."
    if reason == REASONS[2]:
        remedy = "Compile a wider box, or allow the linear programme outside it (outside='solve')."
    raise TrajectoryError(
        f"the simulation stopped at {found.reached[0]:.6g} h: {reason}{': ' if beyond else ''}{', '.join(beyond)}",
        time=float(found.reached[0]),
        last=dict(zip(culture.states, map(float, last), strict=True)),
        remedy=remedy,
    )


def _variables(culture: Reactor, grid: Floats, states: Floats, observed: Evaluation, vector: Floats) -> list[Variable]:
    found = [Variable(BIOMASS, "g/L", states[:, 0].copy(), _("biomass"))]
    for place, name in enumerate(culture.states[1:], 1):
        if name == VOLUME:
            found.append(Variable(VOLUME, "L", states[:, place].copy(), _("broth volume")))
            continue
        found.append(Variable(name, "mmol/L", states[:, place].copy(), _("outside the cells")))
        if name in ALIASES:
            symbol, mass = ALIASES[name]
            named = _("glucose") if symbol == "S" else _("acetate")
            found.append(Variable(symbol, "g/L", states[:, place] * mass, named))
    found.append(Variable("mu", "1/h", observed.growth, _("specific growth rate")))
    for number, name in enumerate(culture.table.exchanges):
        found.append(Variable(f"q:{name}", "mmol/gDW/h", observed.exchanges[:, number], _("out of the cells")))
        if name in (OXYGEN, CARBON_DIOXIDE):
            symbol, sign = ("OUR", -1.0) if name == OXYGEN else ("CER", 1.0)
            rate = sign * observed.exchanges[:, number] * states[:, 0]
            words = _("oxygen uptake rate") if sign < 0 else _("carbon dioxide evolution rate")
            found.append(Variable(symbol, "mmol/L/h", rate, words))
    for number, name in enumerate(culture.table.demands):
        found.append(Variable(f"deficit:{name}", "mmol/gDW/h", observed.deficit[:, number], _("demand not met")))
    if culture.feeds:
        found.append(Variable("F", "L/h", _feed(culture, grid, vector), _("feed rate")))
    return found


def _feed(culture: Reactor, grid: Floats, vector: Floats) -> Floats:
    total = np.zeros(len(grid))
    for number, feed in enumerate(culture.feeds):
        rate, growth = vector[culture.structure.feed_place(number) :][:2]
        running = (grid >= feed.start) & (grid < feed.end)
        total += np.where(running, rate * np.exp(growth * np.where(running, grid - feed.start, 0.0)), 0.0)
    return total


def _uses(culture: Reactor, vector: Floats) -> tuple[ParameterUse, ...]:
    found = []
    for name, use in culture.uses.items():
        value = float(vector[culture.places[name]])
        changed = value != use.value
        found.append(
            ParameterUse(name, value, use.unit, "assumed" if changed else use.status, "" if changed else use.source)
        )
    return tuple(found)


def _balances(culture: Reactor, vector: Floats, start: float, end: float, last: Floats) -> tuple[Balance, ...]:
    """Carbon there at the start and fed, against carbon there at the end: mmol, in a batch per litre.

    Told only where the model's formulas are known, everything with carbon is followed in the liquid, and no cells die.
    """
    program = culture.table.program
    carbon = dict(zip(program.outputs, program.carbon, strict=True))
    whole = all(name in culture.solutes for name in culture.table.exchanges if carbon[name] != 0.0)
    leaves = any(carbon[name] for name in culture.kinetics.gas)
    known = OTHER_CARBON in program.outputs and np.isfinite(program.biomass_carbon)
    if not known or not whole or leaves or vector[0] != 0.0:
        return ()
    weights = np.array(
        [program.biomass_carbon if name == BIOMASS else carbon.get(name, 0.0) for name in culture.states]
    )
    first = vector[culture.initial_places]
    before, after, fed = float(weights @ first), float(weights @ last), 0.0
    if culture.feeds:
        volume = culture.states.index(VOLUME)
        before, after = before * float(first[volume]), after * float(last[volume])
        fed = sum(_fed(culture, vector, number, start, end, carbon) for number in range(len(culture.feeds)))
    return (Balance("carbon", "mmol", before + fed, 0.0, after),)


def _fed(culture: Reactor, vector: Floats, number: int, start: float, end: float, carbon: Mapping[str, float]) -> float:
    """mmol C that a feed brought."""
    feed, o = culture.feeds[number], culture.structure.feed_place(number)
    rate, growth = vector[o], vector[o + 1]
    since, until = max(start, feed.start) - feed.start, min(end, feed.end) - feed.start
    if until <= since:
        return 0.0
    span = until - since if growth == 0 else (np.exp(growth * until) - np.exp(growth * since)) / growth
    content = sum(carbon[name] * vector[culture.fed_place(number, name)] for name in culture.solutes)
    return float(rate * span * content)


def _events(
    culture: Reactor, vector: Floats, start: float, end: float, settings: DynamicSettings
) -> tuple[RunEvent, ...]:
    """When what limits growth changes, a substrate runs out, or cells begin or cease to starve; to about 1e-8 h."""
    if end <= start:
        return ()
    table, limits = culture.table, _limits(culture, vector)

    def signature(times: Floats) -> NDArray[np.int64]:
        """Number of the limiting bounds, then for each substrate whether it is gone, then whether cells starve."""
        states = integrate(culture, vector[None], start, times, settings=settings).states[0]
        found = table.evaluate(culture.bounds_at(states, vector), outside="solve")
        gone = states[:, [place for place, _limit in limits]] <= [limit for _place, limit in limits]
        starving = (found.deficit > STARVING).any(axis=1)
        kinds = np.array([names.setdefault(table.limiting(int(item)), len(names)) for item in found.region])
        return np.column_stack([kinds, gone, starving]).astype(np.int64)

    names: dict[tuple[str, ...], int] = {}
    grid = np.linspace(start, end, _GRID + 1)
    rows = signature(grid)
    found = [RunEvent(start, "limitation", _words(names, int(rows[0, 0])))]
    changed = np.flatnonzero((rows[1:] != rows[:-1]).any(axis=1))
    borders = [(grid[item], grid[item + 1]) for item in changed]
    for _round in range(_ROUNDS):
        if not borders:
            break
        fine = np.concatenate([np.linspace(low, high, _PIECES + 1) for low, high in borders])
        rows = signature(fine)
        steps = [item for item in range(len(fine) - 1) if (item + 1) % (_PIECES + 1) != 0]
        kept = [item for item in steps if (rows[item] != rows[item + 1]).any()]
        borders = [(fine[item], fine[item + 1]) for item in kept]
        before, after = rows[kept], rows[[item + 1 for item in kept]]
    for (_low, when), old, new in zip(borders, before, after, strict=True) if borders else ():
        found += _changes(culture, names, [place for place, _limit in limits], float(when), old, new)
    return tuple(found)


def _changes(
    culture: Reactor,
    names: Mapping[tuple[str, ...], int],
    places: Sequence[int],
    when: float,
    old: NDArray[np.int64],
    new: NDArray[np.int64],
) -> list[RunEvent]:
    found = []
    for number, place in enumerate(places, 1):
        if new[number] > old[number]:
            found.append(RunEvent(when, "depleted", _("{exchange} has run out").format(exchange=culture.states[place])))
    if new[0] != old[0]:
        found.append(RunEvent(when, "limitation", _words(names, int(new[0]))))
    if new[-1] != old[-1]:
        words = _("maintenance can no longer be met") if new[-1] else _("maintenance is met again")
        found.append(RunEvent(when, "starvation" if new[-1] else "recovery", words))
    return found


def _words(names: Mapping[tuple[str, ...], int], number: int) -> str:
    found = next(key for key, value in names.items() if value == number)
    if not found:
        return _("growth depends on no moving bound")
    return _("growth depends on {bounds}").format(bounds=", ".join(found))


def _limits(culture: Reactor, vector: Floats) -> list[tuple[int, float]]:
    """Each substrate's state and the concentration below which it has run out."""
    found = []
    for number, bound in enumerate(culture.structure.bounds):
        if bound.kind == MONOD:
            limit = DEPLETED_SHARE * vector[culture.structure.bound_place(number) + 1]
            found.append((bound.substrate, float(limit)))
    return found
