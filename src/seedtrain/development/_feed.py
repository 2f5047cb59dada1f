"""The largest feed that a vessel's oxygen transfer and cooling allow, phase by phase."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from seedtrain.base import Progress, silent
from seedtrain.quantity import Quantity
from seedtrain.recipe import MasterRecipe, Phase
from seedtrain.simulation import OverfillError, PhaseSpan, Run

Limit = Literal["oxygen", "cooling", "none"]
SEARCH_TOLERANCE: Final = 0.01
LOWEST_FACTOR: Final = 0.05
FLOOR_OF_SET_POINT: Final = 0.5
"""Floor of dissolved oxygen over its set point where the recipe states no in-process limit; assumed."""
_NO_LIMIT: Final = 1e9


@dataclass(frozen=True)
class Margins:
    """Dissolved oxygen above its floor, and cooling above the heat, each as a fraction; a passed limit is negative."""

    oxygen: float
    cooling: float

    @property
    def smallest(self) -> float:
        """Below 0 where a limit is passed."""
        return min(self.oxygen, self.cooling)

    @property
    def limit(self) -> Limit:
        """Which of the two is passed, the further one where both are."""
        if self.smallest >= 0:
            return "none"
        return "oxygen" if self.oxygen <= self.cooling else "cooling"


@dataclass(frozen=True)
class FeedLimit:
    """The outcome of the search.

    - `limited_by`: what the recipe's own feed runs into. `factors`: by the path of each feed phase, the largest part of
      its feed that keeps both limits (0: none does down to 5 %, so that the feed is not the reason).
    - `factor`: glucose fed at the limit over glucose fed by the recipe's own feed.
    - `margins`: over the feed phases at the recipe's own feed; `limited`: at `factors`; `unfed`: over the culture
      phases without feed, where no feed can help.
    - `titre_full`, `titre`: product at the end, g/L of broth, at the recipe's own feed and at `factors`.
    - `runs`: how many simulations it took.
    """

    limited_by: Limit
    factors: Mapping[str, float]
    factor: float
    margins: Margins
    limited: Margins
    unfed: Margins
    titre_full: float
    titre: float
    runs: int

    @property
    def titre_lost(self) -> float:
        """Titre that the limit costs, as a fraction of that at the recipe's own feed."""
        return 1.0 - self.titre / self.titre_full if self.titre_full > 0 else 0.0

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "limited_by": self.limited_by,
            "factors": dict(self.factors),
            "factor": self.factor,
            "margins": dict(vars(self.margins)),
            "limited_margins": dict(vars(self.limited)),
            "unfed_margins": dict(vars(self.unfed)),
            "titre_full": self.titre_full,
            "titre": self.titre,
            "titre_lost": self.titre_lost,
            "runs": self.runs,
        }


def margins(run: Run, recipe: MasterRecipe, *, kinds: tuple[str, ...] = ("feed",), path: str | None = None) -> Margins:
    """The smallest margins in `run` over the culture phases of production of these `kinds`, or in the one at `path`."""
    oxygen = cooling = _NO_LIMIT
    for name, phase in _cultures(recipe):
        span = next((span for span in run.phases if span.path == name), None)
        if span is None or phase.do not in kinds or (path is not None and name != path):
            continue
        inside = within(run, span)
        floor = oxygen_floor(phase)
        if floor:
            oxygen = min(oxygen, float(np.min(run["DO_percent"][inside])) / floor - 1.0)
        heat, capacity = run["heat"][inside], run["cooling_capacity"][inside]
        cooling = min(cooling, float(np.min((capacity - heat) / np.maximum(capacity, 1e-12))))
    return Margins(oxygen, cooling)


def within(run: Run, span: PhaseSpan) -> slice:
    """The stored points of one phase: both its ends are stored, beside the end of the phase before at the same time."""
    first = int(np.searchsorted(run.time, span.start, side="right")) - 1
    last = int(np.searchsorted(run.time, span.end, side="left"))
    return slice(max(min(first, last), 0), max(first, last) + 1)


def oxygen_floor(phase: Phase) -> float | None:
    """Lowest dissolved oxygen that the phase allows, % of air: its in-process limit, else half its set point."""
    limit = phase.limits.get("dissolved_oxygen")
    if limit is not None and limit.low is not None:
        return limit.low.magnitude("%")
    wanted = phase.quantity("dissolved_oxygen")
    return None if wanted is None else FLOOR_OF_SET_POINT * wanted.magnitude("%")


def feed_phases(recipe: MasterRecipe) -> Iterator[tuple[str, Phase]]:
    """The feed phases of production with their paths."""
    return ((path, phase) for path, phase in _cultures(recipe) if phase.do == "feed")


def _cultures(recipe: MasterRecipe) -> Iterator[tuple[str, Phase]]:
    for place in recipe.phases():
        if place.unit_procedure is recipe.production and place.phase.do in ("feed", "grow"):
            yield place.path, place.phase


def fed_at(recipe: MasterRecipe, factors: Mapping[str, float]) -> dict[tuple[str, str], Quantity]:
    """The set points that give every feed phase of `factors` its part of the feed, rounded down to four digits.

    An exponential feed keeps its shape at a lower growth rate: start and growth rate both take the factor, so that the
    feed per cell is that part of the recipe's. (A lower start alone would only come to the same peak later.) The growth
    rate stays within the recipe's limits and control strategy; below them the start alone goes on falling.
    """
    found: dict[tuple[str, str], Quantity] = {}
    for path, phase in feed_phases(recipe):
        factor = factors.get(path, 1.0)
        if factor in (0.0, 1.0):
            continue
        for name in ("rate", "initial_rate", "growth_rate"):
            value = phase.quantity(name)
            if value is None:
                continue
            lowered = _down(value.value * factor)
            if name == "growth_rate":
                lowered = min(max(lowered, _lowest(recipe, path, value.unit)), value.value)
            found[path, name] = Quantity(lowered, value.unit)
    return found


def growth_rate_is_lowest(recipe: MasterRecipe, path: str) -> bool:
    """Whether the feed phase at `path` grows at the lowest rate that `fed_at` gives it: its start alone then falls."""
    value = recipe.phase(path).quantity("growth_rate")
    return value is not None and value.value <= _lowest(recipe, path, value.unit) * (1 + 1e-9)


def _lowest(recipe: MasterRecipe, path: str, unit: str) -> float:
    """The lowest growth rate that the phase's limits and the control strategy allow, 0 where they are silent."""
    ranges = [line.range for line in recipe.control_strategy if (line.at, line.parameter) == (path, "growth_rate")]
    limit = recipe.phase(path).limits.get("growth_rate")
    ends = [item.low.magnitude(unit) for item in (*ranges, *((limit,) if limit else ())) if item.low is not None]
    return max(ends, default=0.0)


def largest_feed(
    simulated: Callable[[Mapping[str, float]], Run], recipe: MasterRecipe, *, progress: Progress = silent
) -> FeedLimit:
    """The largest part of each feed phase's feed within the limits.

    - `simulated(factors)`: runs production with the parts of the feeds (by path; 1 where a path is missing). A loose
      tolerance is enough.

    One phase after the other in the order of the recipe, each to 1 % by interpolation inside a bracket; every factor
    that is returned was simulated and kept both limits in its phase.
    """
    full = simulated({})
    first = margins(full, recipe)
    titre, glucose = full.totals["titre"][0], full.totals["glucose_fed"][0]
    factors: dict[str, float] = {}
    best, runs = full, 1
    paths = [path for path, _ in feed_phases(recipe)]
    for number, path in enumerate(paths):
        now = margins(best, recipe, path=path)
        if now.smallest >= 0:
            continue
        progress(number / len(paths), path)
        factor, found, tried = _largest(simulated, recipe, factors, path, now.smallest)
        factors[path] = factor
        best, runs = found or best, runs + tried
    return FeedLimit(
        limited_by=first.limit,
        factors=factors,
        factor=best.totals["glucose_fed"][0] / glucose if glucose > 0 else 1.0,
        margins=first,
        limited=margins(best, recipe),
        unfed=margins(full, recipe, kinds=("grow",)),
        titre_full=titre,
        titre=best.totals["titre"][0],
        runs=runs,
    )


def _largest(
    simulated: Callable[[Mapping[str, float]], Run],
    recipe: MasterRecipe,
    before: Mapping[str, float],
    path: str,
    margin: float,
) -> tuple[float, Run | None, int]:
    """The factor of the phase at `path`, its run, and how many runs it took; 0 where none keeps the limits."""
    low, high = 0.0, 1.0
    at_low, at_high = math.nan, margin
    best: Run | None = None
    tried = 0
    while high - low > SEARCH_TOLERANCE and high > LOWEST_FACTOR:
        trial = _between(low, high, at_low, at_high)
        tried += 1
        try:
            run = simulated({**before, path: trial})
        except OverfillError:  # a lower feed makes phases longer, and the base may fill the vessel
            high, at_high = trial, math.nan
            continue
        value = margins(run, recipe, path=path).smallest
        if value >= 0:
            low, at_low, best = trial, value, run
        else:
            high, at_high = trial, value
    return low, best, tried


def _between(low: float, high: float, at_low: float, at_high: float) -> float:
    """Where to look next: by interpolation, kept off the ends, or the middle while the limit is saturated."""
    width = high - low
    if math.isnan(at_low) or math.isnan(at_high) or at_high < -0.9:
        return low + 0.5 * width
    guess = low + width * at_low / (at_low - at_high)
    # Half a tolerance to the safe side, so that the bracket closes from both ends.
    return min(max(guess - 0.5 * SEARCH_TOLERANCE, low + 0.1 * width), high - 0.1 * width)


def _down(value: float) -> float:
    unit = 10.0 ** (math.floor(math.log10(value)) - 3)
    return float(f"{math.floor(value / unit + 1e-9) * unit:.6g}")
