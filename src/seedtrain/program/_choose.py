"""Set points at which it is most probable that every criterion is met, on the fitted model and what it leaves open.

The production is simulated at the best parameters over the admitted set points, and a Gaussian process stands for each
attribute. What parameters, downstream models and prices leave open is drawn once at the recipe's own set points, and
is taken to scale the attributes alike elsewhere; where a candidate changes how much of the vessel's limit is used, the
feed follows the limit to first order. Both are approximations that only choose the candidate: it is then scaled and
drawn in full, and taken only where that finds it better than the recipe's own.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import Progress, SeedtrainError, silent
from seedtrain.development import Space, Surrogate, fit_surrogate
from seedtrain.program._campaign import Factor
from seedtrain.program._need import ATTRIBUTES, CriterionEntry
from seedtrain.program._outlook import Outlook, weight_of
from seedtrain.program._sensitivity import FEED_STEP, feed_derivatives
from seedtrain.program._situation import FEED_PARAMETERS, Situation
from seedtrain.quantity import Quantity, Range
from seedtrain.recipe import MasterRecipe

Floats = NDArray[np.float64]
POINTS: Final = 48
CANDIDATES: Final = 2048
INSIDE: Final = 0.15
"""Part of the width of a limit that a chosen set point keeps from both its ends: control is not perfect."""
LEAST_MARGIN: Final = -0.3
"""Of a limit, beyond which the first-order move of the feed is not believed."""
SECOND: Final = 0.1
THIRD: Final = 0.1
"""Weights of the mean probability of the single criteria, and of the mean shortfall, beside the probability that all
are met: they decide where that is the same everywhere, at 0 for instance."""


@dataclass(frozen=True)
class Reach:
    """Where a set point may be chosen: `low` .. `high` in the recipe's unit, inside what the recipe registers."""

    factor: Factor
    low: float
    high: float


def reaches(factors: Sequence[Factor], recipe: MasterRecipe, limited: Sequence[str]) -> tuple[Reach, ...]:
    """The factors that can be chosen: not held by a limit of the vessel, and with room inside the recipe's limits."""
    found = []
    for item in factors:
        if not item.choose or (item.path in limited and item.parameter in FEED_PARAMETERS):
            continue
        low, high = item.low, item.high
        for ends in _registered(recipe, item):
            room = INSIDE * (ends[1] - ends[0]) if math.isfinite(ends[1] - ends[0]) else 0.0
            low, high = max(low, ends[0] + room), min(high, ends[1] - room)
        if low < high:
            found.append(Reach(item, low, high))
    return tuple(found)


def _registered(recipe: MasterRecipe, item: Factor) -> list[tuple[float, float]]:
    """What the phase's own limits, its samples and the control strategy say of the set point, in its unit."""
    phase = recipe.phase(item.path)
    ranges = [
        line.range for line in recipe.control_strategy if (line.at, line.parameter) == (item.path, item.parameter)
    ]
    limit = phase.limits.get(item.parameter)
    if item.parameter == "until" and phase.until is not None:
        limit = phase.sample.get(phase.until.quantity)
        if phase.until.quantity == "elapsed" and phase.at_most is not None:
            limit = Range(None, phase.at_most)
    return [
        (
            -math.inf if one.low is None else one.low.magnitude(item.unit),
            math.inf if one.high is None else one.high.magnitude(item.unit),
        )
        for one in (*ranges, *((limit,) if limit is not None else ()))
    ]


def score(found: Outlook, criteria: Sequence[CriterionEntry]) -> float:
    """What is made as large as possible: that all criteria are met, then the single ones, then less shortfall."""
    asked = [item for item in criteria if ATTRIBUTES[item.attribute].unit]
    if not asked:
        return 1.0
    single = np.average([found.probability(item) for item in asked], weights=[weight_of(item) for item in asked])
    return found.joint(asked) + SECOND * float(single) - THIRD * float(found.shortfall(asked).mean())


@dataclass(frozen=True, eq=False)
class _Standin:
    """Logarithms of the attributes over the places of the set points, and the margins of the limited phases."""

    attributes: Mapping[str, Surrogate]
    margins: tuple[Surrogate, ...]
    feed_f: Floats
    feed_g: Floats
    target: Floats
    room: Floats

    def logs(self, places: Floats) -> tuple[dict[str, Floats], NDArray[np.bool_]]:
        """By attribute at each place, the feed along its limits; and where that can be believed."""
        found = {name: item.predicted(places)[0] for name, item in self.attributes.items()}
        if not self.margins:
            return found, np.ones(len(places), dtype=bool)
        margins = np.stack([item.predicted(places)[0] for item in self.margins], axis=1)
        moves = np.linalg.solve(self.feed_g, (self.target - margins).T).T
        moves = np.minimum(moves, self.room)
        for at, name in enumerate(self.attributes):
            found[name] = found[name] + moves @ self.feed_f[at]
        return found, np.asarray(margins.min(axis=1) >= LEAST_MARGIN)


def choose(
    situation: Situation,
    master: MasterRecipe,
    reach: Sequence[Reach],
    known: Outlook,
    criteria: Sequence[CriterionEntry],
    seed: int,
    *,
    progress: Progress = silent,
) -> tuple[float, ...] | None:
    """The candidate set points in the order of `reach`; nothing where no place looks better than the recipe's own.

    - `situation`: production at the recipe's own set points; `known`: the outlook there.
    """
    from scipy.stats import qmc

    own = np.array([[(item.factor.value - item.low) / (item.high - item.low) for item in reach]])
    own = np.clip(own, 0.0, 1.0)
    places = np.vstack([own, qmc.Sobol(len(reach), seed=seed).random_base2(math.ceil(math.log2(POINTS)))[: POINTS - 1]])
    standin = _standin(situation, master, reach, places, known, progress)
    drawn = qmc.Sobol(len(reach), seed=seed + 1).random_base2(int(math.log2(CANDIDATES)))
    tried = np.vstack([own, drawn])
    logs, believed = standin.logs(tried)
    best, found = -math.inf, 0
    for at in range(len(tried)):
        if at and not believed[at]:
            continue
        moved = _moved(known, {name: float(column[at] - column[0]) for name, column in logs.items()})
        now = score(moved, criteria)
        if now > best + 1e-9:
            best, found = now, at
    if found == 0:
        return None
    return tuple(
        item.low + place * (item.high - item.low) for item, place in zip(reach, tried[found].tolist(), strict=True)
    )


def _moved(known: Outlook, shift: Mapping[str, float]) -> Outlook:
    """`known` with every attribute times a factor, given by its logarithm."""
    values, central = {}, {}
    for name, column in known.values.items():
        factor = math.exp(shift.get(name, 0.0))
        values[name], central[name] = column * factor, known.central[name] * factor
    return Outlook(central, values)


def _standin(
    situation: Situation,
    master: MasterRecipe,
    reach: Sequence[Reach],
    places: Floats,
    known: Outlook,
    progress: Progress,
) -> _Standin:
    names = tuple(known.central)
    kept, rows, margins = [], [], []
    for at, place in enumerate(places.tolist()):
        progress(at / len(places), f"set points {at + 1} of {len(places)}")
        try:
            found = set_to(situation, master, reach, _values(reach, place)).outcome()
        except SeedtrainError:
            continue
        kept.append(place)
        rows.append([math.log(max(found.values[name], 1e-300)) for name in names])
        margins.append(found.margins)
    x, y, g = np.array(kept), np.array(rows), np.array(margins).reshape(len(kept), len(situation.limited))
    space = Space(len(reach))
    feeds = [[situation.with_feed(n, 1 + sign * FEED_STEP) for sign in (1, -1)] for n in range(len(situation.limited))]
    feed_f, feed_g = feed_derivatives(feeds, names)
    factors = [situation.base.feed.factors[path] for path in situation.limited]
    return _Standin(
        {name: fit_surrogate(space, x, y[:, at]) for at, name in enumerate(names)},
        tuple(fit_surrogate(space, x, g[:, at]) for at in range(g.shape[1])),
        feed_f,
        feed_g,
        np.array(situation.outcome().margins),
        np.array([math.log(1.0 / factor) for factor in factors]),
    )


def _values(reach: Sequence[Reach], place: Sequence[float]) -> list[float]:
    return [item.low + at * (item.high - item.low) for item, at in zip(reach, place, strict=True)]


def set_to(
    situation: Situation, master: MasterRecipe, reach: Sequence[Reach], values: Sequence[float]
) -> Situation:  # fmt: skip
    """`situation` with other set points of the master recipe, what grows with the volume grown."""
    recipe = situation.recipe
    for item, value in zip(reach, values, strict=True):
        factor = item.factor
        here = recipe.phase(factor.path).quantity(factor.parameter)
        assert here is not None
        same = here.unit == factor.unit and math.isclose(here.value, factor.value, rel_tol=1e-9)
        at_scale = value if same else here.magnitude(factor.unit) * value / factor.value
        recipe = recipe.with_value(factor.path, factor.parameter, Quantity(at_scale, factor.unit))
    return dataclasses.replace(situation, recipe=recipe, known={})
