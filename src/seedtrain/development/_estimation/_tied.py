"""Parameters that the data know only together: each would be well told if the others were known, none is by itself.

The information is taken over the bounds: where it says less along a direction than the bounds do, and several
parameters lie along it, a profile ends where the bound of another one is met, and tells nothing of its own.
**Source** of the collinearity index: Brun, Reichert & Kuensch 2001 (doi:10.1029/2000WR900350), equation 12; they take
more than 10 to 15 for a set that cannot be told apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.development._estimation._intervals import Interval, covariance
from seedtrain.development._estimation._problem import Evaluation, Problem

UNIFORM: Final = 12.0
"""Information of an even spread over a range of 1: a direction that has less is the bounds', not the data's."""
MOVED: Final = 5.0
"""Of its deviation, the others known: how far a parameter goes along what the data do not see before it takes part."""
ALONG: Final = 0.1
"""Cosine in what the data do not see from which two parameters go together."""
MOST_INDEX: Final = 1e4
"""An index above this is that of columns that are the same."""
PAIR: Final = 0.02


@dataclass(frozen=True)
class Tied:
    """Parameters that are known only together.

    - `index`: their collinearity index. - `combination`: what the data know of a pair (`k * m`), with its `value` and
      interval; empty where it is no such form.
    """

    names: tuple[str, ...]
    index: float
    combination: str = ""
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        found: dict[str, Any] = {"names": list(self.names), "collinearity_index": min(self.index, MOST_INDEX)}
        if self.combination:
            found |= {"combination": self.combination, "value": self.value, "low": self.low, "high": self.high}
        return found


def tied_parameters(problem: Problem, best: Evaluation, reach: float) -> tuple[Tied, ...]:
    """The sets of parameters that the data know only together; `reach`: half an interval over its deviation."""
    model = [at for at in range(len(best.x)) if at not in problem.noise]
    wide = (problem.high - problem.low)[model]
    scaled = best.fisher[np.ix_(model, model)] * np.outer(wide, wide)
    values, vectors = np.linalg.eigh(scaled)
    unseen = vectors[:, values < UNIFORM]
    share = unseen @ unseen.T
    far = np.sqrt(np.diag(share))
    takes_part = far * np.sqrt(np.maximum(np.diag(scaled), 0.0)) > MOVED
    cosine = np.abs(share) / np.maximum(np.outer(far, far), 1e-300)
    found = []
    for group in _groups((cosine > ALONG) & np.outer(takes_part, takes_part)):
        if len(group) > 1:
            found.append(_tied(problem, best, [model[at] for at in group], reach))
    return tuple(found)


def _groups(near: NDArray[np.bool_]) -> list[list[int]]:
    """Connected sets of what lies near each other; what is not even near itself is in none."""
    waiting, found = [at for at in range(len(near)) if near[at, at]], []
    while waiting:
        group, edge = set(), {waiting[0]}
        while edge:
            group |= edge
            edge = {other for at in edge for other in waiting if near[at, other]} - group
        found.append(sorted(group))
        waiting = [at for at in waiting if at not in group]
    return found


def _tied(problem: Problem, best: Evaluation, group: list[int], reach: float) -> Tied:
    names = tuple(problem.names[at] for at in group)
    own = best.fisher[np.ix_(group, group)]
    size = 1.0 / np.sqrt(np.diag(own))
    values = np.linalg.eigvalsh(own * np.outer(size, size))
    index = float(1.0 / math.sqrt(max(float(values[0]), MOST_INDEX**-2)))
    if len(group) != 2:
        return Tied(names, index)
    return _pair(problem, best, group, names, index, reach)


def _pair(
    problem: Problem, best: Evaluation, group: list[int], names: tuple[str, ...], index: float, reach: float
) -> Tied:
    """A product or ratio of two parameters, where that is what the data know."""
    first, second = (problem.parameters[at] for at in group)
    values = problem.values(best.x)[group]
    if not (values > 0).all():
        return Tied(names, index)
    # Relative slopes: what the data know is the direction of the largest information in the logarithms.
    rises = np.array([first.slope(float(values[0])), second.slope(float(values[1]))]) / values
    vector = np.linalg.eigh(best.fisher[np.ix_(group, group)] / np.outer(rises, rises))[1][:, -1]
    if abs(abs(vector[0]) - abs(vector[1])) > PAIR:
        return Tied(names, index)
    sign = 1.0 if vector[0] * vector[1] > 0 else -1.0
    words = f"{names[0]} {'*' if sign > 0 else '/'} {names[1]}"
    weights = np.array([1.0, sign]) * rises
    deviation = math.sqrt(max(float(weights @ covariance(problem, best)[np.ix_(group, group)] @ weights), 0.0))
    value = float(values[0] * values[1] ** sign)
    spread = math.exp(reach * deviation)
    return Tied(names, index, words, value, value / spread, value * spread)


def refused_together(found: Mapping[str, Interval], tied: tuple[Tied, ...]) -> dict[str, Interval]:
    """The intervals without those of parameters that are known only together, which say with which."""
    others = {name: tuple(other for other in item.names if other != name) for item in tied for name in item.names}
    return {
        name: Interval(None, None, item.method, item.points, item.threshold, others[name]) if name in others else item
        for name, item in found.items()
    }
