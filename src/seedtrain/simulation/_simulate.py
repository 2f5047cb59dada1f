"""One unit procedure of a recipe, run by one culture in one vessel: `simulate` returns the `Run`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError, Progress, SeedtrainError, silent
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation._assemble import assemble
from seedtrain.simulation._conditions import Condition, conditions_of
from seedtrain.simulation._culture import Culture, Override
from seedtrain.simulation._kernel import Kernel, constants, kernel_of
from seedtrain.simulation._piece import Piece
from seedtrain.simulation._plan import Liquid, Plan, Segment, plan_of
from seedtrain.simulation._run import Floats, Run
from seedtrain.simulation._surroundings import Surroundings, settings_of, surroundings_of
from seedtrain.simulation._vessel import Vessel

MOST_STEPS: Final = 100_000


class OverfillError(InputError):
    """The recipe puts more into a vessel than it may hold."""


class TrajectoryError(SeedtrainError):
    """An integration that could not go on; `last` is its last good state by name, `time` (h) when that was."""

    def __init__(self, message: str, *, time: float, last: Mapping[str, float], remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.time = time
        self.last = dict(last)


def simulate(
    culture: Culture,
    vessel: Vessel,
    recipe: MasterRecipe,
    *,
    unit_procedure: str = "production",
    initial: Mapping[str, float] | None = None,
    parameters: Mapping[str, Override] | None = None,
    feed_factor: float = 1.0,
    inoculum: Run | None = None,
    rtol: float = 1e-6,
    points: int = 200,
    progress: Progress = silent,
) -> Run:
    """`culture` in `vessel` through the phases of the recipe's `unit_procedure`, from inoculation (time 0) on.

    - `initial`: concentrations right after inoculation by symbol (g/L; `I`, `NH`, `DO` mmol/L), over what the recipe
      gives; `inoculum`: the run of the seed vessel before, whose broth inoculates.
    - `parameters`: new values of the culture's or of the surroundings' parameters.
    - `feed_factor`: multiplies every feed rate. - `points`: how many times are stored, evenly, beside phase ends.

    **Returns** a simulated `Run` in the units of docs/symbols.md. Raises `InputError` for what cannot be run,
    `OverfillError` with volume and limit, `TrajectoryError` with the last good state.
    """
    if not culture.design:
        raise InputError(
            f"culture {culture.name} is kept for reproduction only: {culture.title}",
            remedy="Simulate with a culture that closes its balances, such as ecoli_balanced; see `reproduce`.",
        )
    if not (math.isfinite(feed_factor) and feed_factor >= 0):
        raise InputError(f"feed_factor is {feed_factor}", remedy="Give a factor of 0 or more.")
    own, around = surroundings_of(parameters or {}, culture)
    culture = culture.with_parameters(own) if own else culture
    plan = plan_of(culture, vessel, recipe, unit_procedure, feed_factor)
    kernel = kernel_of(culture)
    start = _start(culture, kernel, plan, around, initial or {}, inoculum)
    flight = _Flight(culture, vessel, recipe, plan, kernel, around, rtol, unit_procedure)
    pieces = flight.run(start, progress)
    return assemble(culture, vessel, recipe, unit_procedure, plan, kernel, around, pieces, points)


def _start(
    culture: Culture,
    kernel: Kernel,
    plan: Plan,
    around: Surroundings,
    initial: Mapping[str, float],
    inoculum: Run | None,
) -> Floats:
    """The state after inoculation, amounts per litre."""
    mixed = mix([*plan.medium, (inoculum_liquid(culture, plan, inoculum), plan.inoculum)])
    values = {f"m_{name}": mixed.species.get(name, 0.0) for name in culture.species}
    first = plan.segments[0]
    values |= {"n_I": mixed.inducer, "n_N": mixed.ammonia, "m_W": mixed.water, "m_Z": mixed.minerals}
    values |= {"v": 1.0, "T": first.temperature, "n_O": math.nan, "n_C": 0.05}
    for symbol, value in initial.items():
        state = {"I": "n_I", "NH": "n_N", "DO": "n_O"}.get(symbol, f"m_{symbol}")
        if state not in values:
            known = ", ".join([*culture.species, "I", "NH", "DO"])
            raise InputError(f"the run starts with no {symbol!r}", remedy=f"Use one of: {known}.")
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"{symbol} starts at {value}", remedy="Give a concentration of 0 or more.")
        values[state] = float(value)
    return np.array([values.get(name, 0.0) for name in kernel.states])


def inoculum_liquid(culture: Culture, plan: Plan, run: Run | None) -> Liquid:
    """What a litre of inoculum holds: the end of the seed run, or washed-out medium with the recipe's biomass."""
    if run is None:
        return Liquid({culture.biomass: plan.seed}, water=980.0)
    if run.final("V") < plan.inoculum * (1 - 1e-9):
        raise InputError(
            f"{plan.inoculum:.4g} L of inoculum are wanted, and {run.vessel} holds {run.final('V'):.4g} L at the end",
            remedy="Charge more into the seed vessel, or choose a larger one.",
        )
    species = {name: run.final(name) for name in culture.species if name in run.variables}
    water = run.final("water")
    return Liquid(species, water, run.final("minerals"), run.final("NH"), run.final("I"))


def mix(parts: list[tuple[Liquid, float]]) -> Liquid:
    """The mixture of liquids, each with its volume in L."""
    volume = sum(amount for _, amount in parts)

    def blend(pick: Callable[[Liquid], float]) -> float:
        return sum(pick(item) * amount for item, amount in parts) / volume

    names = {name for item, _ in parts for name in item.species}
    return Liquid(
        {name: blend(lambda item, name=name: item.species.get(name, 0.0)) for name in sorted(names)},  # type: ignore[misc]
        blend(lambda item: item.water),
        blend(lambda item: item.minerals),
        blend(lambda item: item.ammonia),
        blend(lambda item: item.inducer),
        blend(lambda item: item.antifoam),
        blend(lambda item: item.iptg),
    )


class _Flight:
    """The integration of one plan; holds what every segment needs."""

    def __init__(
        self,
        culture: Culture,
        vessel: Vessel,
        recipe: MasterRecipe,
        plan: Plan,
        kernel: Kernel,
        around: Surroundings,
        rtol: float,
        unit_procedure: str,
    ) -> None:
        self.culture, self.vessel, self.recipe, self.plan = culture, vessel, recipe, plan
        self.kernel, self.around, self.rtol, self.unit_procedure = kernel, around, rtol, unit_procedure
        self.constants = constants(culture)
        self.volume = plan.volume
        self.atol = np.full(len(kernel.states), 1e-8)
        self.active: set[str] = set()  # limits that hold now, over the ends of segments

    def run(self, state: Floats, progress: Progress) -> list[Piece]:
        pieces: list[Piece] = []
        time = 0.0
        for number, segment in enumerate(self.plan.segments):
            progress(number / len(self.plan.segments), segment.path)
            state = self._pour(state, segment)
            piece = self._segment(state, segment, time)
            pieces.append(piece)
            state, time = piece.final, piece.end
        progress(1.0, self.unit_procedure)
        return pieces

    def _pour(self, state: Floats, segment: Segment) -> Floats:
        if segment.addition is None:
            return state
        added, amount = segment.addition
        share = amount / self.volume
        after = state.copy()
        for name, mass in added.species.items():
            after[self.kernel.index(f"m_{name}")] += mass * share
        for name, content in (
            ("n_I", added.inducer),
            ("n_N", added.ammonia),
            ("m_W", added.water),
            ("m_Z", added.minerals),
            ("v", 1.0),
        ):
            after[self.kernel.index(name)] += content * share
        return after

    def _segment(self, state: Floats, segment: Segment, time: float) -> Piece:
        volume = float(state[self.kernel.index("v")]) * self.volume
        settings, facts = settings_of(
            self.culture, self.vessel, segment, self.around, self.plan, volume, time, self.recipe
        )
        numbers = (*self.constants, *settings)
        start = state.copy()
        oxygen = self.kernel.index("n_O")
        if math.isnan(start[oxygen]):  # the medium is saturated with air before inoculation
            start[oxygen] = facts.saturation * start[self.kernel.index("v")]
        conditions = conditions_of(self.culture, self.kernel, self.vessel, segment, facts, self.volume, numbers)
        piece = Piece(segment, conditions, time, time, numbers, start, start, [], list(facts.notes))
        if segment.longest > 0:
            self._integrate(piece)
        return piece

    def _integrate(self, piece: Piece) -> None:
        from scipy.integrate import LSODA

        numbers, rhs = piece.numbers, self.kernel.rhs
        stop = piece.start + piece.segment.longest
        watch = piece.conditions.watch
        values = [item.gauge(piece.initial) for item in watch]
        if any(item.ends and value >= 0 for item, value in zip(watch, values, strict=True)):
            return  # the phase's aim is met before it starts
        armed = [value < 0 for value in values]
        for item, free in zip(watch, armed, strict=True):
            if free and item.kind in self.active:
                self._ends(piece, item, piece.start)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # LSODA warns, then fails; the failure is reported below
            solver = LSODA(
                lambda t, y: rhs(t, y, numbers), piece.start, piece.initial, stop, rtol=self.rtol, atol=self.atol
            )
            for _ in range(MOST_STEPS):
                try:
                    message = solver.step()
                except (ArithmeticError, ValueError) as error:
                    raise self._failure(piece, str(error)) from None
                if solver.status == "failed" or not np.all(np.isfinite(solver.y)):
                    raise self._failure(piece, message or "a value that is not a number")
                dense = solver.dense_output()
                piece.steps.append((solver.t_old, solver.t, dense))
                piece.end, piece.final = solver.t, solver.y.copy()
                if self._passed(piece, watch, armed, dense, solver.t_old, solver.t):
                    return
                if solver.status == "finished":
                    break
            else:
                raise self._failure(piece, f"more than {MOST_STEPS} steps")
        if not piece.segment.fixed:
            words = "the phase ends at its longest time, its aim not met"
            piece.notes.append((piece.end, "at_most", words))

    def _passed(
        self, piece: Piece, watch: tuple[Condition, ...], armed: list[bool], dense: Any, before: float, now: float
    ) -> bool:
        """Record what was crossed in this step; True where the phase ended, and the piece is cut there."""
        crossed: list[tuple[float, Condition]] = []
        for number, item in enumerate(watch):
            value = item.gauge(piece.final)
            if value < 0:
                if not armed[number] and item.kind in self.active:
                    self._ends(piece, item, _root(item, dense, before, now))
                armed[number] = True
            elif armed[number]:
                armed[number] = False
                crossed.append((_root(item, dense, before, now), item))
        for time, item in sorted(crossed, key=lambda pair: pair[0]):
            if item.raises:
                state = dense(time)
                held = float(state[self.kernel.index("v")]) * self.volume
                raise OverfillError(
                    f"{piece.segment.path}: the broth reaches {held:.4g} L at {time:.2f} h, above what "
                    f"{self.vessel.name} may hold ({self.vessel.working_volume[1]:g} L)",
                    position=self.recipe.position(piece.segment.path),
                    remedy="Charge less, feed less, or use a larger vessel.",
                )
            if item.kind and item.kind not in self.active:
                piece.notes.append((time, item.kind, item.words))
                if item.leave:
                    self.active.add(item.kind)
            if item.ends:
                piece.end, piece.final = time, np.asarray(dense(time), dtype=float)
                return True
        return False

    def _ends(self, piece: Piece, item: Condition, time: float) -> None:
        self.active.discard(item.kind)
        piece.notes.append((time, f"{item.kind}_end", item.leave))

    def _failure(self, piece: Piece, why: str) -> TrajectoryError:
        last = dict(zip(self.kernel.states, piece.final.tolist(), strict=True))
        return TrajectoryError(
            f"{piece.segment.path}: the integration stopped at {piece.end:.4g} h: {why}",
            time=piece.end,
            last=last,
            remedy="Check the culture's parameters and the recipe's rates; the last good state is attached.",
        )


def _root(item: Condition, dense: Any, low: float, high: float) -> float:
    """When the gauge changes sign in (low, high], by bisection on the solver's own interpolant, to 1e-12 h."""
    sign = item.gauge(dense(high)) >= 0
    for _ in range(80):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if (item.gauge(dense(middle)) >= 0) == sign:
            high = middle
        else:
            low = middle
    return high
