"""Feeding strategies beside each other in closed loop, on driven tanks whose culture is not quite the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seedtrain.automation._control._feeding import ExponentialFeed, Feeding, MuStat, RiseStat
from seedtrain.automation._control._filter import CultureFilter
from seedtrain.automation._control._predictive import PredictiveFeed
from seedtrain.automation._control._scheme import GAS_AS_SET
from seedtrain.automation._control._vessel import SetPoints, VesselControl
from seedtrain.base import InputError, Progress, silent
from seedtrain.base import translate as _
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import Culture, Liquid, LiveTank, Plan, StirredTank, TankInputs, base_liquid, plan_of

CELL_WATER: Final = 980.0  # g/L in a suspension of washed cells, assumed
TICK_H: Final = 30 / 3600
GAS_TICKS: Final = 12  # between two readings of the exit gas: six minutes
SPREAD: Final[Mapping[str, float]] = {"q_S_max": 0.10, "Y_em": 0.05, "p_A_max": 0.20}
"""Standard deviation of the logarithm by which the culture of a run is not the model's; assumed."""
LEARNT: Final = ("q_S_max", "Y_em")
SHORT: Final = 0.1  # of air saturation, below which oxygen counts as short
STRATEGIES: Final = ("exponential", "mu_stat", "do_stat", "predictive")


@dataclass(frozen=True)
class Case:
    """What is compared: a culture fed in a vessel as a recipe's production does it."""

    culture: Culture
    vessel: StirredTank
    plan: Plan
    base: Liquid
    set_points: SetPoints
    feed: Liquid
    rate: float
    growth_rate: float
    substrate: str

    @property
    def most(self) -> float:
        """The feed pump's limit, L/h: ten times the recipe's first rate."""
        return 10.0 * self.rate


def feeding_case(culture: Culture, vessel: StirredTank, recipe: MasterRecipe) -> Case:
    """The case of a recipe whose production grows on a batch of substrate and is then fed exponentially.

    Raises `InputError` where it does not.
    """
    plan = plan_of(culture, vessel, recipe, recipe.production.name, 1.0)
    segment = next((item for item in plan.segments if item.feed is not None and item.feed[2] > 0), None)
    substrate = culture.symbol("glucose")
    if segment is None or segment.feed is None or substrate is None:
        raise InputError(
            f"the production of {recipe.name} has no exponential feed of a substrate that the culture takes up",
            remedy="Compare with a recipe that feeds with an initial_rate and a growth_rate.",
        )
    points = SetPoints(
        segment.temperature, segment.pH, segment.dissolved_oxygen, None, segment.aeration, segment.head_pressure
    )
    base = base_liquid(culture, recipe) or Liquid()
    return Case(culture, vessel, plan, base, points, segment.feed[0], segment.feed[1], segment.feed[2], substrate)


def compare_feeding(
    case: Case,
    *,
    runs: int,
    hours: float = 20.0,
    seed: int = 0,
    strategies: Sequence[str] = STRATEGIES,
    progress: Progress = silent,
) -> dict[str, dict[str, list[float]]]:
    """Each strategy in the same `runs` cultures, `hours` after inoculation; by strategy and figure, shape "run".

    Figures: `biomass` g, `yield` g of dry cells per g of substrate given, `acetate` the most g/L while fed, `short` h
    with oxygen below a tenth of air saturation.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for number, name in enumerate(strategies):
        rows = []
        for run in range(runs):
            progress((number + run / runs) / len(strategies), name)
            rows.append(_Trial(case, name, [seed, run]).run(hours))
        found[name] = {figure: [row[figure] for row in rows] for figure in rows[0]}
    progress(1.0, "feeding")
    return found


def culture_of_run(case: Case, seed: Sequence[int]) -> LiveTank:
    """A tank that was charged and inoculated; its culture is the model's but for `SPREAD`, and the seed's own."""
    tank, draws = _filled(case), np.random.default_rng([*seed, 0])
    for name, spread in SPREAD.items():
        draw = math.exp(spread * draws.standard_normal())
        if name in case.culture.parameters:
            tank.set_parameter(name, tank.parameter(name) * draw)
    return tank


def _filled(case: Case) -> LiveTank:
    tank = LiveTank(case.culture, case.vessel)
    first = case.plan.segments[0]
    for medium, volume in case.plan.medium:
        tank.charge(medium, volume, temperature=first.temperature, pH=first.pH)
    cells = case.culture.biomass
    seed = {cells: case.plan.seed / case.culture.masses[cells]} if cells else {}
    tank.charge(Liquid(seed, water=CELL_WATER), case.plan.inoculum, temperature=first.temperature)
    return tank


class _Trial:
    """One culture under one strategy.

    Culture, instruments and gas analyser draw from generators of their own, so that a strategy that has the exit gas
    analysed meets the same culture and the same noise of the instruments as one that has not.
    """

    def __init__(self, case: Case, strategy: str, seed: Sequence[int]) -> None:
        self.case = case
        self.tank, model = culture_of_run(case, seed), _filled(case)
        self.instruments, self.analyser = (np.random.default_rng([*seed, use]) for use in (1, 2))
        known = [name for name in LEARNT if name in case.culture.parameters]
        self.filter = CultureFilter(model, known)
        self.control = VesselControl(case.vessel, case.set_points, scheme=GAS_AS_SET)
        self.inputs = TankInputs(jacket_inlet=case.set_points.temperature or 37.0)
        makers: dict[str, Callable[[], Feeding]] = {
            "exponential": lambda: ExponentialFeed(case.rate, case.growth_rate, case.most),
            "mu_stat": lambda: MuStat(case.rate, case.growth_rate, case.most),
            "do_stat": lambda: RiseStat("dissolved_oxygen", 0.4, case.most / 2, 0.05, 0.0),
            "predictive": lambda: PredictiveFeed(self.filter, case.rate, case.most, least=0.3 * case.rate),
        }
        if strategy not in makers:
            raise InputError(f"there is no strategy {strategy!r}", remedy=f"Use one of: {', '.join(makers)}.")
        self.feeding = makers[strategy]()
        self.watched = strategy in ("mu_stat", "predictive")
        self.told: dict[str, float] = {}

    def run(self, hours: float) -> dict[str, float]:
        """The whole trial."""
        start: float | None = None
        given = self.tank.broth().liquid.species[self.case.substrate] * self.tank.volume
        most_acetate = short = 0.0
        for number in range(round(hours / TICK_H)):
            time = number * TICK_H
            if start is None and self.tank.read(self.inputs)[self.case.substrate] < 0.1:
                start = time
            self._tick(None if start is None else time - start)
            seen = self.tank.read(self.inputs)
            if start is not None:
                given += self.inputs.feed * TICK_H * self.case.feed.species[self.case.substrate]
                most_acetate = max(most_acetate, seen.get(self.case.culture.symbol("acetate") or "", 0.0))
                short += TICK_H * (seen["dissolved_oxygen"] < SHORT)
            if self.watched and number % GAS_TICKS == GAS_TICKS - 1:
                self._analyse(seen)
        biomass = seen["cells"] * seen["volume"]
        return {"biomass": biomass, "yield": biomass / given, "acetate": most_acetate, "short": short}

    def _tick(self, since: float | None) -> None:
        seen = self.tank.read(self.inputs)
        draws = self.instruments.standard_normal(3)
        noisy = {
            **seen,
            "dissolved_oxygen": seen["dissolved_oxygen"] + 0.005 * draws[0],
            "pH": seen["pH"] + 0.015 * draws[1],
            "temperature": seen["temperature"] + 0.05 * draws[2],
            "mu": self.told.get("mu", math.nan),
        }
        told = self.control.step(noisy, TICK_H)
        feed = 0.0 if since is None else self.feeding.step(since, TICK_H, noisy)
        self.inputs = told.inputs(feed, feed_liquid=self.case.feed, base_liquid=self.case.base)
        self.tank.advance(TICK_H, self.inputs)

    def _analyse(self, seen: Mapping[str, float]) -> None:
        draws = self.analyser.standard_normal(2)
        pairs = zip(("OUR", "CER"), draws, strict=True)
        read = {tag: seen[tag] * (1 + 0.02 * draw) + 0.3 * draw for tag, draw in pairs}
        hours = GAS_TICKS * TICK_H
        follow: Any = self.feeding.follow if isinstance(self.feeding, PredictiveFeed) else self.filter.step
        self.told = follow(self.inputs, hours, read)


UNITS: Final = {"biomass": "g", "yield": "g/g", "acetate": "g/L", "short": "h"}


def feeding_rows(found: Mapping[str, Mapping[str, Sequence[float]]]) -> list[dict[str, Any]]:
    """What `compare_feeding` found as rows of a bench: medians, with the predictive feed beside every other.

    Its goal is to make at least as much biomass as the exponential feed (a ratio of 1).
    """
    ours = found.get("predictive", {})
    return [
        {
            "bench": "feeding",
            "case": f"{figure} at the end" if figure == "biomass" else figure,
            "ours": _median(ours.get(figure, ())),
            "ours_range": _range(ours.get(figure, ())),
            "peer": _median(figures[figure]),
            "peer_range": _range(figures[figure]),
            "peer_name": name.replace("_", "-"),
            "peer_version": None,
            "unit": unit,
            "ratio": _ratio(_median(ours.get(figure, ())), _median(figures[figure])),
            "goal": 1.0 if figure == "biomass" and name == "exponential" else None,
            "goal_kind": "ratio",
            "origin": "simulated",
            "note": _ahead(ours.get(figure, ()), figures[figure]) if figure in ("biomass", "yield") else None,
            "met": (_median(ours.get(figure, ())) or 0.0) >= (_median(figures[figure]) or 0.0),
        }
        for figure, unit in UNITS.items()
        for name, figures in found.items()
        if name != "predictive"
    ]


def _ahead(ours: Sequence[float], theirs: Sequence[float]) -> str | None:
    """In how many of the same cultures ours gave more."""
    if not len(ours):
        return None
    more = sum(mine > other for mine, other in zip(ours, theirs, strict=True))
    return _("more in {more} of {runs} cultures").format(more=more, runs=len(ours))


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if len(values) else None


def _range(values: Sequence[float]) -> list[float] | None:
    return [float(min(values)), float(np.median(values)), float(max(values))] if len(values) else None


def _ratio(ours: float | None, peer: float | None) -> float:
    if ours is None or peer is None:
        return math.nan
    return ours / peer if peer else 1.0 if ours == peer else math.inf
