"""The cheapest experiment that would tell, and what to expect of it.

Of a criterion that is not known: whether it is met. The logarithm of an attribute is taken for normal about its
prediction, its variance for the sum of what parameters of the culture, of the downstream models, and prices leave open
(first order; the sensitivities of the gap). An experiment takes a part of that variance away. Before it is done its
outcome is not known: the prediction will move by about as much variance as it takes away, and the criterion is told
where the 5 to 95 % interval that is left lies on one side of the limit (the expected probability of that; Raiffa &
Schlaifer 1961, Applied Statistical Decision Theory, preposterior analysis).

Of a criterion that is known to be missed: whether a lever helps as much as the model says. Two arms are compared, with
the lever where it is and moved; as many runs in each as find the expected gain with the probability `TELLS_LEVER`
where an attribute is read with the relative error `READ_ERROR` (comparison of two means, normal quantiles).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from seedtrain.development import Economics
from seedtrain.program._fitted import Fitted, Floats
from seedtrain.program._sensitivity import Sensitivities
from seedtrain.simulation import TrainParameter

NORMAL_90: Final = 1.6448536269514722
TELLS: Final = 0.5
"""Probability of telling from which on an experiment counts as one that would tell."""
STEP_ERROR: Final = 0.05
"""Relative standard deviation with which a test of one downstream step tells its parameter; assumed."""
QUOTE_LEFT: Final = 0.1
"""Part of a price's variance that a quote leaves; assumed."""
MOVES: Final = 10.0
SHIFTS: Final = 2.0
"""Steps of a lever for which a gain is told: 10 %, or 2 K and 0.2 of pH, where first order is still near."""
SETTABLE: Final = ("recipe", "vessel", "downstream")
COUNTS: Final = (1, 2, 4, 8, 16)
FEWEST_OPEN: Final = 1e-12
SURE: Final = 0.02
"""Probability below which a criterion counts as known to be missed."""
READ_ERROR: Final = 0.05
"""Relative standard deviation with which a run tells an attribute; assumed."""
TELLS_LEVER: Final = 0.9
ONE_SIDED: Final = 1.6448536269514722 + 1.2815515655446004
"""Normal quantiles of 95 % (what is taken for a gain) and of `TELLS_LEVER`."""
MOST_RUNS: Final = 64
LEAST_GAIN: Final = 0.005
MOST_STEPS: Final = 3
FEWEST_DRAWS: Final = 20


@dataclass(frozen=True)
class Candidate:
    """One experiment: `kind` and `subject` say what is done, `runs` how often, `cost` USD in all.

    - `tells`: probability that it tells; `of`: what, the `criterion` or a `lever`. - `share`: part of the variance that
      it takes away, of the criterion.
    """

    kind: str
    subject: str
    runs: int
    cost: float
    share: float
    tells: float
    of: str = "criterion"

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Open:
    """What is not known of one attribute: variance of its logarithm by source.

    - `slopes`: by the fitted parameters, on the scale of their search. - `steps`: by downstream parameter what its
      range leaves open, and what a test would leave; `prices`: by factor. - `other`: what no experiment takes away.
    """

    slopes: Floats
    fitted: Fitted
    steps: Mapping[str, tuple[float, float]]
    prices: Mapping[str, float]
    other: float

    @property
    def culture(self) -> float:
        """Of the culture's parameters together."""
        return float(self.slopes @ self.fitted.covariance @ self.slopes)

    @property
    def total(self) -> float:
        """All of it."""
        return self.culture + sum(now for now, _left in self.steps.values()) + sum(self.prices.values()) + self.other


def open_of(
    attribute: str,
    fitted: Fitted,
    found: Sensitivities,
    ranges: Mapping[str, TrainParameter],
    money: Economics,
) -> Open:
    """What leaves `attribute` open, from the sensitivities of the gap."""
    mine = [item for item in found.effects if item.attribute == attribute]
    relative = {item.lever.name: item.total / item.lever.scale.per for item in mine if not item.lever.scale.shift}
    shifts = {item.lever.name: item.total / item.lever.scale.per for item in mine if item.lever.scale.shift}
    cells = {item.lever.name for item in mine if item.lever.group in ("gene", "culture")}
    slopes = fitted.slopes(
        {name: value for name, value in relative.items() if name in cells},
        {name: value for name, value in shifts.items() if name in cells},
    )
    steps = {}
    for item in mine:
        known = ranges.get(item.lever.name)
        if item.lever.group == "downstream" and known is not None:
            slope, spread = (item.total / item.lever.scale.per) ** 2, _triangular(known)
            steps[item.lever.name] = slope * spread, slope * min(STEP_ERROR**2, spread)
    part = {"cost": money.cost, "carbon": money.carbon}.get(attribute)
    if part is None or part.total.low is None or part.total.high is None or not part.total.low > 0:
        return Open(slopes, fitted, steps, {}, 0.0)
    spread = (math.log(part.total.high / part.total.low) / (2 * NORMAL_90)) ** 2
    prices = {name: share * spread for name, share in part.variance.items() if share > 0}
    return Open(slopes, fitted, steps, prices, max(spread - sum(prices.values()), 0.0))


def _triangular(known: TrainParameter) -> float:
    """Relative variance of a triangular distribution about the value."""
    low, middle, high = known.low, min(max(known.value, known.low), known.high), known.high
    spread = low**2 + middle**2 + high**2 - low * middle - low * high - middle * high
    return spread / 18.0 / known.value**2


def next_experiment(
    row: Mapping[str, Any], open_: Open, costs: Mapping[str, float], values: Floats
) -> tuple[Candidate | None, tuple[Candidate, ...]]:
    """The cheapest experiment that would tell, else the one that tells most for its cost; and all that were weighed.

    - `values`: draws of the attribute: their median and the variance of their logarithm stand for what is known;
      `open_` says which part of that comes from where. None where nothing is open, or nothing that can be measured.
    """
    logs = np.log(values[np.isfinite(values) & (values > 0)])
    if open_.total < FEWEST_OPEN or len(logs) < FEWEST_DRAWS:
        return None, ()
    missing, total = math.log(row["limit"]) - float(np.median(logs)), float(logs.var())
    weighed = [
        Candidate(kind, subject, runs, runs * costs[kind], gone / open_.total, told(missing, total, share * total))
        for kind, subject, runs, gone in _experiments(open_)
        if (share := gone / open_.total) > 0
    ]
    if not weighed:
        return None, ()
    telling = [item for item in weighed if item.tells >= TELLS]
    if telling:
        return min(telling, key=lambda item: (item.cost, -item.tells)), tuple(weighed)
    return max(weighed, key=lambda item: item.share / max(item.cost, 1.0)), tuple(weighed)


def told(missing: float, total: float, gone: float) -> float:
    """Probability that the interval lies on one side of the limit once variance `gone` of `total` is taken away.

    - `missing`: logarithm by which the prediction lies short of the limit.
    """
    left = max(total - gone, 0.0)
    reach = NORMAL_90 * math.sqrt(left)
    moves = math.sqrt(gone)
    if moves == 0:
        return float(abs(missing) > reach)
    return 1.0 - _normal((missing + reach) / moves) + _normal((missing - reach) / moves)


def _normal(z: float) -> float:
    return 0.5 * (1.0 + math.erf(z / math.sqrt(2.0)))


def _experiments(open_: Open) -> Iterator[tuple[str, str, int, float]]:
    """(kind, subject, how often, variance that it takes away)."""
    yield from _bench_runs(open_)
    steps = sorted(open_.steps.items(), key=lambda item: item[1][1] - item[1][0])[:MOST_STEPS]
    for count in range(1, len(steps) + 1):
        gone = sum(now - left for _name, (now, left) in steps[:count])
        yield "step test", ", ".join(name for name, _both in steps[:count]), count, gone
    price, variance = max(open_.prices.items(), key=lambda item: item[1], default=("", 0.0))
    yield "supplier quote", price, 1, variance * (1.0 - QUOTE_LEFT)


def _bench_runs(open_: Open) -> Iterator[tuple[str, str, int, float]]:
    """More runs of the campaign: the one whose repetition tells most of this attribute, so many times."""
    fitted, slopes = open_.fitted, open_.slopes
    if not fitted.information or open_.culture <= 0:
        return
    precision = np.linalg.inv(fitted.covariance)
    gains = {name: open_.culture - _after(precision + item, slopes) for name, item in fitted.information.items()}
    best = max(gains, key=lambda name: gains[name])
    for count in COUNTS:
        yield "bench run", best, count, open_.culture - _after(precision + count * fitted.information[best], slopes)


def _after(precision: Floats, slopes: Floats) -> float:
    return float(slopes @ np.linalg.solve(precision, slopes))


def lever_gain(
    row: Mapping[str, Any], levers: Sequence[Mapping[str, Any]], values: Floats
) -> dict[str, Any] | None:  # fmt: skip
    """What moving the strongest lever that somebody can set is expected to gain, to first order.

    - `values`: draws of the attribute, all of which the move changes alike: the right way, by `MOVES` steps.
    """
    settable = [item for item in levers if item["group"] in SETTABLE] or list(levers)
    if not settable or row["prediction"] is None:
        return None
    lever = max(settable, key=lambda item: abs(item["total"]) * _steps(item))
    up = row["operator"] == ">="
    steps = math.copysign(_steps(lever), lever["total"]) * (1.0 if up else -1.0)
    factor = math.exp(abs(lever["total"]) * _steps(lever) * (1.0 if up else -1.0))
    before, after = (_met(row, values * moved) for moved in (1.0, factor))
    return {
        "lever": lever["name"], "group": lever["group"], "per": lever["per"], "unit": lever["unit"], "steps": steps,
        "change": factor - 1.0, "before": before, "after": after,
    }  # fmt: skip


def _met(row: Mapping[str, Any], values: Floats) -> float:
    kept = values >= row["limit"] if row["operator"] == ">=" else values <= row["limit"]
    return float((np.isfinite(values) & kept).mean())


def _steps(lever: Mapping[str, Any]) -> float:
    return MOVES if str(lever["per"]).endswith("%") else SHIFTS


def lever_experiment(
    levers: Sequence[Mapping[str, Any]], costs: Mapping[str, float], production: str
) -> Candidate | None:
    """The cheapest comparison that would tell whether a lever helps; None where none helps enough.

    - `production`: the unit procedure that is run at the bench.
    """
    found = []
    for item in levers:
        gain = abs(item["total"]) * _steps(item)
        if gain < LEAST_GAIN:
            continue
        arm = max(math.ceil(2.0 * (ONE_SIDED * READ_ERROR / gain) ** 2), 2)
        if arm > MOST_RUNS:
            continue
        kind = _kind_of(item, production)
        found.append(Candidate(kind, item["name"], 2 * arm, 2 * arm * costs[kind], 0.0, TELLS_LEVER, "lever"))
    return min(found, key=lambda item: item.cost, default=None)


def _kind_of(lever: Mapping[str, Any], production: str) -> str:
    """What a lever is tried with: production at the bench, one step at small scale, or the pilot vessel."""
    if lever["group"] == "vessel":
        return "pilot run"
    if lever["group"] == "downstream":
        return "step test"
    name = str(lever["name"])
    upstream = "/" not in name or name.startswith((f"{production}/", "materials/"))
    return "bench run" if upstream else "step test"
