"""A sensor against the assay of the same thing: bias, drift, proportional error, limits of agreement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import translate as _
from seedtrain.comparison._equivalence import Group
from seedtrain.comparison._profiles import readings
from seedtrain.comparison._reason import Reason
from seedtrain.quality import VerdictWord
from seedtrain.simulation import Run

Floats = NDArray[np.float64]
FEWEST_PAIRS: Final = 5


@dataclass(frozen=True)
class Reconciled:
    """Sensor less assay at the times of the assay, in `unit`; readings of one run are not independent, runs are.

    - `pairs`: run -> (hours, assay, sensor), each of shape "pair". - `bias` with `low` and `high`: mean over runs.
    - `agreement`: where 95 % of differences lie, between and within runs (Bland & Altman 2007, J Biopharm Stat 17:571).
    - `slope`, `intercept`: of the sensor on the assay, both with error (Deming; equal variances), each with an interval
      from runs left out one by one. - `drift`: of the difference, unit per h, with its interval over runs.
    """

    sensor: str
    assay: str
    unit: str
    margin: float
    pairs: Mapping[str, tuple[Floats, Floats, Floats]]
    bias: float
    low: float
    high: float
    agreement: tuple[float, float]
    slope: tuple[float, float, float]
    intercept: tuple[float, float, float]
    drift: tuple[float, float, float]
    level: float
    why: str = ""

    @property
    def verdict(self) -> VerdictWord:
        """Pass: the bias is surely within the margin. Fail: surely outside."""
        if self.why or not math.isfinite(self.low):
            return "inconclusive"
        if -self.margin < self.low and self.high < self.margin:
            return "pass"
        return "fail" if self.low >= self.margin or self.high <= -self.margin else "inconclusive"

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        if self.why:
            return {"sensor": self.sensor, "assay": self.assay, "verdict": self.verdict, "why": self.why}
        return {
            "sensor": self.sensor, "assay": self.assay, "unit": self.unit, "verdict": self.verdict,
            "margin": self.margin, "bias": [self.bias, self.low, self.high], "agreement": list(self.agreement),
            "slope": list(self.slope), "intercept": list(self.intercept), "drift": list(self.drift),
            "pairs": sum(len(item[0]) for item in self.pairs.values()), "runs": len(self.pairs),
        }  # fmt: skip


def reconcile(runs: Mapping[str, Run], sensor: str, assay: str, margin: float, *, level: float = 0.90) -> Reconciled:
    """The sensor's readings, at the assay's times, against the assay; `margin`: the bias that does not matter, in the
    assay's unit, which the sensor's readings are turned into.

    Assays before the sensor's first or after its last reading are left out.
    """
    pairs = {}
    unit = next((run.variables[assay].unit for run in runs.values() if assay in run.variables), "")
    for name, run in runs.items():
        if sensor in run.variables and assay in run.variables:
            found = _paired(run, sensor, assay, unit)
            if len(found[0]):
                pairs[name] = found
    count = sum(len(item[0]) for item in pairs.values())
    none = (math.nan, math.nan, math.nan)
    if count < FEWEST_PAIRS or len(pairs) < 2:
        why = Reason(
            lambda: _("{count} pairs of {runs} runs; {fewest} pairs of 2 runs are the least").format(
                count=count, runs=len(pairs), fewest=FEWEST_PAIRS
            )
        )
        return Reconciled(sensor, assay, unit, margin, pairs, math.nan, math.nan, math.nan, (math.nan, math.nan),
                          none, none, none, level, why)  # fmt: skip
    apart = [item[2] - item[1] for item in pairs.values()]
    bias, low, high = _interval(np.array([item.mean() for item in apart]), level)
    slope, intercept = _deming_of_runs([(a, s) for _hours, a, s in pairs.values()], level)
    drifts = [
        float(np.polyfit(item[0] - item[0].mean(), item[2] - item[1], 1)[0])
        for item in pairs.values()
        if len(item[0]) >= 3
    ]
    drift = _interval(np.array(drifts), level) if len(drifts) >= 2 else none
    return Reconciled(
        sensor, assay, unit, margin, pairs, bias, low, high, _agreement(apart, bias), slope, intercept, drift, level
    )


def _paired(run: Run, sensor: str, assay: str, unit: str) -> tuple[Floats, Floats, Floats]:
    times, sensed = readings(run, sensor, unit)
    hours, assayed = readings(run, assay, unit)
    inside = (hours >= times[0]) & (hours <= times[-1]) if len(times) else np.zeros(len(hours), bool)
    hours = hours[inside]
    return hours, assayed[inside], np.interp(hours, times, sensed) if len(hours) else hours


def _interval(values: Floats, level: float) -> tuple[float, float, float]:
    """Mean over runs, and its interval."""
    from scipy import stats

    group = Group.of(values)
    wide = float(stats.t.ppf((1 + level) / 2, group.count - 1)) * math.sqrt(group.of_mean)
    return group.mean, group.mean - wide, group.mean + wide


def _agreement(apart: list[Floats], bias: float) -> tuple[float, float]:
    """Limits of agreement from the variance between and within runs, by analysis of variance of unequal groups."""
    counts = np.array([len(item) for item in apart])
    total = counts.sum()
    means = np.array([item.mean() for item in apart])
    whole = float((counts * means).sum() / total)
    within = sum(float(((item - item.mean()) ** 2).sum()) for item in apart) / max(total - len(apart), 1)
    between = float((counts * (means - whole) ** 2).sum()) / (len(apart) - 1)
    size = (total - (counts**2).sum() / total) / (len(apart) - 1)
    spread = math.sqrt(within + max(0.0, (between - within) / size))
    return bias - 1.96 * spread, bias + 1.96 * spread


def deming(assay: Floats, sensor: Floats) -> tuple[float, float]:
    """Slope and intercept of `sensor` on `assay` where both have the same error variance (Deming 1943)."""
    x, y = assay - assay.mean(), sensor - sensor.mean()
    sxx, syy, sxy = float(x @ x), float(y @ y), float(x @ y)
    if sxy == 0:
        return 0.0 if sxx >= syy else math.inf, float(sensor.mean())
    slope = (syy - sxx + math.sqrt((syy - sxx) ** 2 + 4 * sxy**2)) / (2 * sxy)
    return slope, float(sensor.mean() - slope * assay.mean())


def _deming_of_runs(
    pairs: list[tuple[Floats, Floats]], level: float
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Slope and intercept with intervals by the jackknife over runs (Linnet 1993, Clin Chem 39:424)."""
    from scipy import stats

    whole = np.array(deming(*_joined(pairs)))
    count = len(pairs)
    others = np.array([deming(*_joined(pairs[:k] + pairs[k + 1 :])) for k in range(count)])
    pseudo = count * whole - (count - 1) * others
    wide = float(stats.t.ppf((1 + level) / 2, count - 1)) * pseudo.std(0, ddof=1) / math.sqrt(count)
    low, high = whole - wide, whole + wide
    return (
        (float(whole[0]), float(low[0]), float(high[0])),
        (float(whole[1]), float(low[1]), float(high[1])),
    )


def _joined(pairs: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    return np.concatenate([a for a, _s in pairs]), np.concatenate([s for _a, s in pairs])
