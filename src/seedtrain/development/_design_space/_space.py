"""The probability that every attribute passes, over the set points; ranges that keep it, and edges where it is lost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.development._design_space._chaos import Chaos, basis, fit_chaos, ranked
from seedtrain.development._design_space._inputs import Input
from seedtrain.development._design_space._study import Attribute, Study, check_runs

Floats = NDArray[np.float64]
DRAWS: Final = 512
GRID: Final = 31
LINE: Final = 81
LEAST_EXPLAINED: Final = 0.8
"""Part of an attribute's variance that the polynomial has to predict of unseen runs, or nothing is concluded."""
_EDGE: Final = 0.5


@dataclass(frozen=True)
class FactorRange:
    """One set point.

    - `normal`: its target with two standard deviations of the control (normal operating range).
    - `proven`: the widest range around the target, the others at theirs, in which the probability stays at or above the
      reliability; None where the target itself does not reach it. `box`: the range that holds for all factors at once.
    - `edges`: where the probability falls below a half, None where it does not within what was studied.
    - `limiting`: the attribute that fails first outside `proven`.
    """

    input: Input
    normal: tuple[float, float]
    proven: tuple[float, float] | None
    box: tuple[float, float] | None
    edges: tuple[float | None, float | None]
    limiting: str


@dataclass(frozen=True, eq=False)
class _Parts:
    """Terms of the factors alone with their coefficients ("terms attributes"); what the others give ("draws
    attributes"), and with the first power of each factor ("factors draws attributes")."""

    terms: NDArray[np.intp]
    alone: Floats
    others: Floats
    together: Floats


@dataclass(frozen=True, eq=False)
class DesignSpace:
    """The study with a polynomial for every attribute; `reliability`: the probability that is wanted."""

    study: Study
    models: Mapping[str, Chaos]
    reliability: float

    @cached_property
    def _draws(self) -> tuple[Floats, Floats, Floats]:
        """Standard normals of the control (by factor), of the other inputs and of what the models leave."""
        from scipy.special import ndtri
        from scipy.stats import qmc

        factors, others = self.study.factors, len(self.study.inputs) - self.study.factors
        size = factors + others + len(self.models)
        unit = qmc.Sobol(size, scramble=True, seed=self.study.seed + 1).random(DRAWS)
        z = np.clip(ndtri(unit), -3.0, 3.0)
        return z[:, :factors], z[:, factors : factors + others], z[:, factors + others :]

    @property
    def factors(self) -> tuple[Input, ...]:
        """The set points, in order."""
        return self.study.inputs[: self.study.factors]

    @property
    def target(self) -> Floats:
        """The recipe's own set points."""
        return np.array([item.target for item in self.factors])

    @property
    def inconclusive(self) -> tuple[str, ...]:
        """Attributes whose model predicts too little of unseen runs."""
        return tuple(name for name, model in self.models.items() if model.explained < LEAST_EXPLAINED)

    def passes(self, points: Floats) -> dict[str, Floats]:
        """Probability that each attribute passes, and `all` together, at set points of shape "points factors"."""
        control, _others, errors = self._draws
        parts = self._parts
        deviations = np.array([item.deviation for item in self.factors])
        ends = np.array([item.ends for item in self.factors])
        count, size = len(points), self.study.factors
        values = points[:, None, :] + deviations * control
        scaled = (2 * (values - ends[:, 0]) / (ends[:, 1] - ends[:, 0]) - 1).reshape(count * DRAWS, size)
        y = (basis(scaled, parts.terms, size) @ parts.alone).reshape(count, DRAWS, -1) + parts.others
        first = math.sqrt(3.0) * scaled.reshape(count, DRAWS, size)  # the first Legendre polynomial
        y += np.einsum("pdk,kda->pda", first, parts.together)
        together = np.ones((count, DRAWS), dtype=bool)
        found: dict[str, Floats] = {}
        for at, attribute in enumerate(self.study.attributes):
            model = self.models[attribute.name]
            outcome = y[:, :, at] + model.noise * errors[:, at]
            outcome = np.exp(outcome) if model.logarithmic else outcome
            good = (outcome >= attribute.low) & (outcome <= attribute.high)
            found[attribute.name] = good.mean(axis=1)
            together &= good
        return {**found, "all": together.mean(axis=1)}

    @cached_property
    def _parts(self) -> _Parts:
        """The polynomials as factors alone, others alone, and first powers of both: the others are drawn once."""
        _control, others, _errors = self._draws
        size, models = self.study.factors, list(self.models.values())
        terms, coefficients = models[0].terms, np.array([model.coefficients for model in models]).T
        of_factors, of_others = terms[:, :size].any(axis=1), terms[:, size:].any(axis=1)
        mixed = of_factors & of_others
        rest = others @ np.zeros((others.shape[1], len(models)))
        if of_others.any():
            pure = of_others & ~of_factors
            rest = basis(others, terms[pure][:, size:], 0) @ coefficients[pure]
        together = np.zeros((size, DRAWS, len(models)))
        for row in np.flatnonzero(mixed):
            first, other = int(terms[row, :size].argmax()), int(terms[row, size:].argmax())
            together[first] += others[:, other, None] * coefficients[row]
        return _Parts(terms[~of_others][:, :size], coefficients[~of_others], rest, together)

    def at_target(self) -> dict[str, float]:
        """The probabilities at the recipe's own set points."""
        return {name: float(value[0]) for name, value in self.passes(self.target[None, :]).items()}

    def plane(self, first: int, second: int) -> tuple[Floats, Floats, Floats]:
        """Two factors and the probability that all pass over them, rows by the second; the others at their targets."""
        x, y = (np.linspace(self.factors[at].low, self.factors[at].high, GRID) for at in (first, second))
        points = np.tile(self.target, (GRID * GRID, 1))
        points[:, first], points[:, second] = np.tile(x, GRID), np.repeat(y, GRID)
        parts = [self.passes(block)["all"] for block in np.array_split(points, 16)]
        return x, y, np.concatenate(parts).reshape(GRID, GRID)

    @cached_property
    def ranges(self) -> tuple[FactorRange, ...]:
        """Normal, proven and common range, and edges, of every factor."""
        lines = [self._line(at) for at in range(len(self.factors))]
        box = self._box([proven for proven, _edges, _limiting in lines])
        found = []
        for item, (proven, edges, limiting), common in zip(self.factors, lines, box, strict=True):
            normal = (item.target - 2 * item.deviation, item.target + 2 * item.deviation)
            found.append(FactorRange(item, normal, proven, common, edges, limiting))
        return tuple(found)

    def _line(self, at: int) -> tuple[tuple[float, float] | None, tuple[float | None, float | None], str]:
        item = self.factors[at]
        values = np.unique(np.append(np.linspace(item.low, item.high, LINE), item.target))
        points = np.tile(self.target, (len(values), 1))
        points[:, at] = values
        found = self.passes(points)
        middle = int(np.searchsorted(values, item.target))
        good, half = found["all"] >= self.reliability, found["all"] >= _EDGE
        low, high = _around(good, middle)
        proven = (float(values[low]), float(values[high])) if good[middle] else None
        first, last = _around(half, middle)
        edges = (
            float(values[first]) if half[middle] and first > 0 else None,
            float(values[last]) if half[middle] and last < len(values) - 1 else None,
        )
        outside = [end for end in (low - 1, high + 1) if 0 <= end < len(values)] if proven else [middle]
        weakest = {
            name: min(float(p[end]) for end in outside) for name, p in found.items() if name != "all" and outside
        }
        limiting = min(weakest, key=lambda name: weakest[name]) if weakest else ""
        return proven, edges, limiting

    def _box(self, proven: list[tuple[float, float] | None]) -> list[tuple[float, float] | None]:
        """The largest share of all proven ranges, shrunk to the targets alike, whose corners and inside all pass."""
        if any(item is None for item in proven):
            return [None] * len(proven)
        ends = np.array([item for item in proven if item is not None])
        inside = np.random.default_rng(self.study.seed).uniform(-1, 1, (64, len(ends)))
        corners = np.array(list(product((-1.0, 1.0), repeat=len(ends)))) if len(ends) <= 6 else np.sign(inside)
        shape = np.concatenate([corners, inside])
        low, high = self.target - ends[:, 0], ends[:, 1] - self.target

        def fits(share: float) -> bool:
            points = self.target + share * np.where(shape < 0, shape * low, shape * high)
            return bool((self.passes(points)["all"] >= self.reliability).all())

        least, most = 0.0, 1.0
        if fits(1.0):
            least = 1.0
        else:
            for _step in range(12):
                middle = 0.5 * (least + most)
                least, most = (middle, most) if fits(middle) else (least, middle)
        return [
            (float(target - least * below), float(target + least * above))
            for target, below, above in zip(self.target, low, high, strict=True)
        ]

    def ranking(self) -> dict[str, dict[str, float]]:
        """Total Sobol indices of the inputs by attribute: what makes it vary over all that was studied."""
        names = [item.label for item in self.study.inputs]
        return {name: ranked(names, model) for name, model in self.models.items()}

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "runs": self.study.asked,
            "finished": len(self.study.x),
            "failures": dict(self.study.failures),
            "untrained": dict(self.study.untrained),
            "seed": self.study.seed,
            "reliability": self.reliability,
            "simulated": True,
            "inputs": [item.to_data() for item in self.study.inputs],
            "attributes": [
                {
                    "name": item.name,
                    "limit": item.text,
                    "unit": item.unit,
                    "explained": self.models[item.name].explained,
                }
                for item in self.study.attributes
            ],
            "probability_at_target": self.at_target(),
            "inconclusive": list(self.inconclusive),
            "ranges": [
                {
                    "factor": row.input.label,
                    "unit": row.input.unit,
                    "target": row.input.target,
                    "normal": list(row.normal),
                    "proven": row.proven and list(row.proven),
                    "box": row.box and list(row.box),
                    "edges": list(row.edges),
                    "limiting": row.limiting,
                }
                for row in self.ranges
            ],
            "ranking": self.ranking(),
        }


def _around(good: NDArray[np.bool_], middle: int) -> tuple[int, int]:
    """The ends of the run of true values that holds `middle`."""
    low = high = middle
    while low > 0 and good[low - 1]:
        low -= 1
    while high < len(good) - 1 and good[high + 1]:
        high += 1
    return low, high


def check_reliability(reliability: float) -> None:
    """Refuse a probability that no study can show, or that nobody wants."""
    if not 0.5 <= reliability < 1:
        raise InputError(f"a reliability of {reliability:g}", remedy="Give 0.5 to below 1, such as 0.9.")


def design_space(found: Study, reliability: float = 0.9) -> DesignSpace:
    """The design space of a study; `reliability` from 0.5 to below 1."""
    check_reliability(reliability)
    check_runs(found.inputs, len(found.x))
    return DesignSpace(found, {name: fit_chaos(found.x, y, found.factors) for name, y in found.y.items()}, reliability)


__all__ = ["Attribute", "DesignSpace", "FactorRange", "design_space"]
