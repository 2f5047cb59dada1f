"""The knock-outs that force the most product at the fastest growth, by a search that can prove its answer.

Let v be the flux distribution of the fastest growth with the least product. A further knock-out can only force more
product if it takes away a reaction that v uses: otherwise v stays possible, still the fastest, with as little product.
So every better design contains one of those reactions, and a tree that branches on them, to the depth of the knock-outs
asked for, misses none. It is walked best first, so that it has something to show when time runs out; walked to its end,
its best design is proven.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import Progress, UnavailableError, silent
from seedtrain.base import translate as _
from seedtrain.simulation import Network

Floats = NDArray[np.float64]

USED: Final = 1e-7
"""mmol/gDW/h: a smaller flux is none."""
AT_BEST: Final = 1e-6
"""Relative: how far below the fastest growth a flux distribution still counts as it."""
BETTER: Final = 1e-4
"""mmol/gDW/h of product: what counts as more."""
SPONTANEOUS: Final = ("s0001", "S0001")
"""The gene that BiGG models give to what needs none, such as diffusion: nobody can knock it out."""


class WarmFluxes:
    """Growth and product of a network whose reactions are closed and opened, by one warm HiGHS instance."""

    def __init__(self, network: Network, product: str) -> None:
        try:
            import highspy
        except ImportError:
            remedy = "Install the group of packages for metabolic models: pip install 'seedtrain[metabolism]'."
            raise UnavailableError("strain design needs highspy, which is not installed", remedy=remedy) from None
        api: Any = highspy
        self._network, self._good = network, api.HighsModelStatus.kOptimal
        self._growth, self._product = network.column(network.growth), network.column(product)
        rows, columns = network.stoichiometry.shape
        problem = api.HighsLp()
        problem.num_col_, problem.num_row_ = columns, rows
        problem.col_cost_ = np.zeros(columns)
        problem.col_lower_, problem.col_upper_ = network.lower.copy(), network.upper.copy()
        problem.row_lower_, problem.row_upper_ = np.zeros(rows), np.zeros(rows)
        problem.a_matrix_.format_ = api.MatrixFormat.kColwise
        problem.a_matrix_.start_ = network.stoichiometry.indptr
        problem.a_matrix_.index_ = network.stoichiometry.indices
        problem.a_matrix_.value_ = network.stoichiometry.data
        problem.sense_ = api.ObjSense.kMaximize
        self._highs = api.Highs()
        options: dict[str, Any] = {"output_flag": False, "threads": 1, "presolve": "off", "solver": "simplex"}
        options |= {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
        for name, value in options.items():
            self._highs.setOptionValue(name, value)
        self._highs.passModel(problem)
        self._closed: frozenset[int] = frozenset()

    def close(self, columns: frozenset[int]) -> None:
        """Close exactly these reactions."""
        network = self._network
        for column in self._closed - columns:
            self._highs.changeColBounds(column, float(network.lower[column]), float(network.upper[column]))
        for column in columns - self._closed:
            self._highs.changeColBounds(column, 0.0, 0.0)
        self._closed = columns

    def fastest(self) -> float:
        """The fastest growth, 1/h; 0 where no flux is possible."""
        found = self._optimum(self._growth, 1.0)
        return 0.0 if found is None else float(found[self._growth])

    def least_product(self, growth: float) -> Floats | None:
        """Fluxes with the least product at the fastest growth, which is `growth`."""
        return self._held(growth * (1 - AT_BEST), -1.0)

    def most_product(self, growth: float) -> float:
        """The most product, mmol/gDW/h, at a growth of at least `growth`."""
        found = self._held(growth, 1.0)
        return 0.0 if found is None else float(found[self._product])

    def _held(self, growth: float, direction: float) -> Floats | None:
        network, column = self._network, self._growth
        self._highs.changeColBounds(column, growth, float(network.upper[column]))
        found = self._optimum(self._product, direction)
        self._highs.changeColBounds(column, float(network.lower[column]), float(network.upper[column]))
        return found

    def _optimum(self, column: int, direction: float) -> Floats | None:
        highs = self._highs
        highs.changeColCost(column, direction)
        highs.run()
        good = highs.getModelStatus() == self._good
        if not good:
            highs.clearSolver()
            highs.run()
            good = highs.getModelStatus() == self._good
        found = np.asarray(highs.getSolution().col_value) if good else None
        highs.changeColCost(column, 0.0)
        return found


@dataclass(frozen=True)
class Searched:
    """Sets of knocked out reactions, best first; `proven` where no set of so many forces more; sets looked at."""

    designs: tuple[tuple[str, ...], ...]
    proven: bool
    looked_at: int


def force_product(
    network: Network,
    product: str,
    *,
    most: int,
    least_growth: float,
    keep: frozenset[str] = frozenset(),
    seconds: float = 60.0,
    designs: int = 3,
    floor: float = 0.0,
    progress: Progress = silent,
) -> Searched:
    """Up to `most` reactions with a gene rule, without which the fastest growth makes the most product at least.

    - `least_growth`: 1/h. `keep`: reactions that stay. `floor`: mmol/gDW/h of product that a design must force.
    """
    fluxes = WarmFluxes(network, product)
    allowed = _candidates(network, product, keep)
    fluxes.close(frozenset())
    bound = fluxes.most_product(least_growth)
    end, started = time.perf_counter() + seconds, time.perf_counter()
    seen: set[frozenset[int]] = {frozenset()}
    queue: list[tuple[int, float, float, int, frozenset[int]]] = [(0, 0.0, 0.0, 0, frozenset())]
    found: list[tuple[float, float, frozenset[int]]] = []
    best, looked_at = max(floor, BETTER), 0
    while queue and time.perf_counter() < end and best < bound - BETTER:
        closed = heapq.heappop(queue)[-1]
        if not closed <= allowed:
            continue
        fluxes.close(closed)
        looked_at += 1
        growth = fluxes.fastest()
        made = fluxes.least_product(growth) if growth >= least_growth else None
        if made is None:
            if len(closed) == 1:
                allowed -= closed  # what alone is too much is too much in every set
            continue
        forced = float(made[network.column(product)])
        if forced > BETTER:
            found.append((forced, growth, closed))
            best = max(best, forced)
        if looked_at % 100 == 0:
            words = _("search: {count} sets of knock-outs, best {best} mmol/gDW/h")
            share = min((time.perf_counter() - started) / seconds, 1.0)
            progress(share, words.format(count=looked_at, best=f"{best:.4g}"))
        if len(closed) == most:
            continue
        for column in map(int, np.flatnonzero(np.abs(made) > USED)):
            child = closed | {column}
            if column in allowed and child not in seen:
                seen.add(child)
                # Single ones first, as they tell which are too much; then from where most is forced.
                heapq.heappush(queue, (min(len(closed), 1), -forced, -growth, len(seen), child))
    names = [tuple(sorted(network.reactions[column] for column in closed)) for closed in _best(found)[:designs]]
    return Searched(tuple(names), not queue or best >= bound - BETTER, looked_at)


def _best(found: list[tuple[float, float, frozenset[int]]]) -> list[frozenset[int]]:
    """The sets that force most first, without those that a smaller one makes vain; of what is forced, growth, set."""
    ranked = sorted(found, key=lambda item: (len(item[2]), -round(item[0], 4), -round(item[1], 6), sorted(item[2])))
    told: list[tuple[float, frozenset[int]]] = []
    for forced, _growth, closed in ranked:
        if not any(less <= closed and before > forced - BETTER for before, less in told):
            told.append((forced, closed))
    told.sort(key=lambda item: (-round(item[0], 4), len(item[1])))
    return [closed for _forced, closed in told]


def can_lose(rule: str) -> bool:
    """Whether a reaction with this gene rule can be knocked out."""
    return bool(rule) and not any(name in rule for name in SPONTANEOUS)


def _candidates(network: Network, product: str, keep: frozenset[str]) -> set[int]:
    """Reactions that may be knocked out, one of each chain whose fluxes stand in a fixed ratio."""
    parent = list(range(len(network.reactions)))

    def root(item: int) -> int:
        while parent[item] != item:
            item = parent[item]
        return item

    turned = network.stoichiometry.tocsr()
    for row in range(turned.shape[0]):
        users = turned.indices[turned.indptr[row] : turned.indptr[row + 1]]
        if len(users) == 2:  # what one makes, only the other takes
            parent[root(int(users[0]))] = root(int(users[1]))
    stay = {root(network.column(name)) for name in (*keep, product, network.growth) if name in network.reactions}
    kept: dict[int, int] = {}
    for column in np.flatnonzero(~network.exchanges):
        if can_lose(network.rules[column]) and root(int(column)) not in stay:
            kept.setdefault(root(int(column)), int(column))
    return set(kept.values())
