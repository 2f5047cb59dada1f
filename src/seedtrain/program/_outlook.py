"""How probable it is that a process meets each criterion: the process again and again over what is not known of it.

Three things are drawn together for every draw: parameters of the culture, of the downstream models (triangular over
their ranges), and prices and emission factors (the spread of their own draws, as a factor on the total).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import Progress, SeedtrainError, digest, silent
from seedtrain.development import Economics
from seedtrain.program._need import ATTRIBUTES, CriterionEntry
from seedtrain.program._situation import Situation
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import TrainParameter, train_parameters

Floats = NDArray[np.float64]
DRAWS: Final = 128
NORMAL_90: Final = 1.6448536269514722
NO_PROCESS: Final = 5.0
"""Shortfall of a draw that makes no process, or next to nothing: a factor of about 150 from the limit."""
LEAST_WEIGHT: Final = 0.1
SPREAD_OF: Final = ("titre", "amount", "cost", "carbon", "purity", "endotoxin", "host_protein", "dna")


@dataclass(frozen=True, eq=False)
class Outlook:
    """Attributes of a need over draws of what is not known: `values` by attribute, shape "draw"; not-a-number where a
    draw makes no process. `central`: at the best values."""

    central: Mapping[str, float]
    values: Mapping[str, Floats]

    def interval(self, attribute: str) -> tuple[float, float]:
        """5 and 95 % points, the central value between them."""
        values = self.values[attribute]
        low, high = np.percentile(values[np.isfinite(values)], [5, 95])
        middle = self.central[attribute]
        return min(float(low), middle), max(float(high), middle)

    def probability(self, criterion: CriterionEntry) -> float:
        """Part of the draws that meet a criterion with a unit; one without a process meets none."""
        return float(self.meets(criterion).mean())

    def meets(self, criterion: CriterionEntry) -> NDArray[np.bool_]:
        """Which draws meet it."""
        values = self.values[criterion.attribute]
        kept = values >= criterion.limit if criterion.operator == ">=" else values <= criterion.limit
        return np.asarray(np.isfinite(values) & kept)

    def joint(self, criteria: Sequence[CriterionEntry]) -> float:
        """Part of the draws that meet all of `criteria` with a unit."""
        asked = [self.meets(item) for item in criteria if ATTRIBUTES[item.attribute].unit]
        return float(np.logical_and.reduce(asked).mean()) if asked else 1.0

    def shortfall(self, criteria: Sequence[CriterionEntry]) -> Floats:
        """How far each draw falls short of the limits, shape "draw": the weighted mean over `criteria` with a unit of
        the logarithm of value to limit, 0 where a limit is kept. A draw without a process falls `NO_PROCESS` short."""
        asked = [item for item in criteria if ATTRIBUTES[item.attribute].unit]
        parts = []
        for item in asked:
            with np.errstate(divide="ignore"):
                short = np.log(item.limit / self.values[item.attribute])
            short = np.nan_to_num(short if item.operator == ">=" else -short, nan=NO_PROCESS, posinf=NO_PROCESS)
            parts.append(np.clip(short, 0.0, NO_PROCESS))
        return np.average(np.array(parts), axis=0, weights=[weight_of(item) for item in asked])

    def to_data(self) -> dict[str, Any]:
        """JSON-ready; a draw without a process is null."""
        return {
            "central": dict(self.central),
            "values": {
                name: [value if math.isfinite(value) else None for value in column.tolist()]
                for name, column in self.values.items()
            },
        }

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Outlook:
        """What `to_data` wrote."""
        values = {
            name: np.array([math.nan if value is None else value for value in column], dtype=float)
            for name, column in data["values"].items()
        }
        return Outlook(dict(data["central"]), values)


def weight_of(item: CriterionEntry) -> float:
    """A criterion's weight; none counts for nothing."""
    return max(item.weight, LEAST_WEIGHT)


def ranged_levers(recipe: MasterRecipe) -> dict[str, TrainParameter]:
    """The parameters of the downstream models that have a range, by name; a range may begin at 0."""
    known = train_parameters(recipe).items()
    return {name: item for name, item in known if item.value > 0 and item.low < item.high < math.inf}


def outlook(
    situation: Situation,
    drawn: Sequence[Mapping[str, float]],
    money: Economics,
    seed: int,
    *,
    progress: Progress = silent,
) -> Outlook:
    """The attributes at production scale for every draw of the culture's parameters in `drawn`.

    - `money`: cost and carbon at the central values, for their spread. - `seed`: of the other draws, which are the
      same for every situation, so that two situations compare draw by draw.
    """
    levers = ranged_levers(situation.recipe)
    rng = np.random.default_rng([seed, int(digest("outlook")[:8], 16)])
    rows: list[dict[str, float]] = []
    central = dict(situation.outcome().values)
    for at, values in enumerate(drawn):
        progress(at / len(drawn), f"draw {at + 1} of {len(drawn)}")
        factors = {
            name: rng.triangular(item.low, min(max(item.value, item.low), item.high), item.high) / item.value
            for name, item in levers.items()
        }
        noise = {name: _factor(total, rng.standard_normal()) for name, total in _totals(money)}
        try:
            culture = situation.culture.with_parameters(dict(values))
            moved = dataclasses.replace(situation, culture=culture, train={**situation.train, **factors}, known={})
            found = moved.outcome().values
        except SeedtrainError:
            rows.append({})
            continue
        rows.append({name: value * noise.get(name, 1.0) for name, value in found.items()})
    names: list[str] = [name for name in SPREAD_OF if name in central]
    columns = {name: np.array([row.get(name, math.nan) for row in rows]) for name in names}
    return Outlook({name: central[name] for name in names}, columns)


def _totals(money: Economics) -> tuple[tuple[str, tuple[float, float, float]], ...]:
    return tuple(
        (name, (part.total.value, _end(part.total.low, part.total.value), _end(part.total.high, part.total.value)))
        for name, part in (("cost", money.cost), ("carbon", money.carbon))
    )


def _end(end: float | None, value: float) -> float:
    return value if end is None else end


def _factor(total: tuple[float, float, float], standard: float) -> float:
    """A draw of a total over its central value: log-normal through its 5 and 95 % points."""
    value, low, high = total
    if not 0 < low < high:
        return 1.0
    middle = math.sqrt(low * high) / value
    return middle * math.exp(math.log(high / low) / (2 * NORMAL_90) * standard)


def criteria_rows(found: Outlook, criteria: Sequence[CriterionEntry]) -> list[dict[str, Any]]:
    """Each criterion with a unit: its predicted value, interval, and the probability that it is met."""
    rows = []
    for item in criteria:
        unit = ATTRIBUTES[item.attribute].unit
        if unit is None:
            continue
        low, high = found.interval(item.attribute)
        rows.append(
            {"attribute": item.attribute, "operator": item.operator, "limit": item.limit, "unit": unit,
             "priority": item.priority, "words": item.words, "value": found.central[item.attribute], "low": low,
             "high": high, "probability": found.probability(item)}
        )  # fmt: skip
    return rows
