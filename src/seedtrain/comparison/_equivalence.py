"""Two groups of runs, one number a run: are their means equivalent?

Equivalence is shown by two one-sided tests (Schuirmann 1987, J Pharmacokinet Biopharm 15:657), with unequal variances
after Welch (1947, Biometrika 34:28). The run is the unit: readings of one run are no replicates of each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.comparison._reason import Reason
from seedtrain.quality import VerdictWord

Floats = NDArray[np.float64]
MarginKind = Literal["absolute", "relative", "deviations"]
DRAWS: Final = 40_000
FEWEST: Final = {"absolute": 2, "relative": 2, "deviations": 3}
"""Runs of a group below which nothing is said, by kind of margin: a deviation needs a third run to be known at all."""


@dataclass(frozen=True)
class Margin:
    """How large a difference of means does not matter.

    - `absolute`: `value` in the attribute's unit. - `relative`: part of the reference's mean. - `deviations`: times the
      standard deviation of the reference's runs; that it is estimated from them widens the interval.
    """

    value: float
    kind: MarginKind = "absolute"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.value > 0):
            raise InputError(f"a margin is {self.value:g}", remedy="Give one above 0, such as 10 %, 0.5 or 1.5 SD.")
        if self.kind == "relative" and self.value >= 1:
            raise InputError(f"a margin is {self.value:.0%} of the mean", remedy="Give one below 100 %.")


@dataclass(frozen=True)
class Group:
    """One number of each run of a group: how many, their mean and standard deviation (0 of one run)."""

    count: int
    mean: float
    deviation: float

    @staticmethod
    def of(values: Sequence[float] | Floats) -> Group:
        """The group of `values`, shape "run"."""
        given = np.asarray(values, float)
        spread = float(given.std(ddof=1)) if len(given) > 1 else 0.0
        return Group(len(given), float(given.mean()) if len(given) else math.nan, spread)

    @property
    def of_mean(self) -> float:
        """Variance of the mean."""
        return self.deviation**2 / self.count


@dataclass(frozen=True)
class Equivalence:
    """What two one-sided tests say: tested minus reference, with the interval of confidence `level`.

    - `scale`: what `difference`, `low`, `high` and `margin` are in: the unit, or the reference's mean or deviation.
    - `p`: the larger of both one-sided tests; equivalence is shown where it is below (1 - level) / 2.
    - `why`: why nothing can be said, where that is so.
    """

    reference: Group
    tested: Group
    scale: MarginKind
    margin: float
    difference: float
    low: float
    high: float
    p: float
    level: float
    why: str = ""

    @property
    def verdict(self) -> VerdictWord:
        """Pass: the interval lies within the margin. Fail: it lies outside. Else inconclusive."""
        if self.why:
            return "inconclusive"
        if -self.margin < self.low and self.high < self.margin:
            return "pass"
        return "fail" if self.low >= self.margin or self.high <= -self.margin else "inconclusive"

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "reference": vars(self.reference), "tested": vars(self.tested), "scale": self.scale, "margin": self.margin,
            "difference": self.difference, "interval": [self.low, self.high], "p": self.p, "level": self.level,
            "verdict": self.verdict, "why": self.why,
        }  # fmt: skip


def equivalence(
    reference: Sequence[float] | Floats,
    tested: Sequence[float] | Floats,
    margin: Margin,
    *,
    level: float = 0.90,
    seed: int = 0,
) -> Equivalence:
    """Are the means of two groups of runs equivalent? `reference` and `tested` hold one number a run, shape "run".

    An absolute margin takes Welch's interval of the difference; a relative one the interval of the ratio of means after
    Fieller (1954, J R Stat Soc B 16:175; both tests after Sasabuchi 1980, Biometrika 67:429); one in deviations the
    generalised interval of difference over deviation (Weerahandi 1993, JASA 88:899), drawn with `seed`.
    """
    first, second = Group.of(reference), Group.of(tested)
    why = _too_little(first, second, margin)
    if why:
        return Equivalence(first, second, margin.kind, margin.value, math.nan, math.nan, math.nan, math.nan, level, why)
    test = {"absolute": _absolute, "relative": _relative, "deviations": _in_deviations}[margin.kind]
    difference, low, high, p = test(first, second, margin.value, level, seed)
    return Equivalence(first, second, margin.kind, margin.value, difference, low, high, p, level)


def _too_little(first: Group, second: Group, margin: Margin) -> str:
    fewest = FEWEST[margin.kind]
    if first.count < fewest or second.count < 2:
        return Reason(
            lambda: _("{first} and {second} runs; {fewest} of the reference and 2 of the other are the least").format(
                first=first.count, second=second.count, fewest=fewest
            )
        )
    if _alike(first) and _alike(second):
        return Reason(
            lambda: _(
                "no run of a group differs from another of it: how far runs scatter is unknown (copied, or rounded?)"
            )
        )
    if margin.kind == "relative" and first.mean == 0:
        return Reason(lambda: _("the reference's mean is 0: nothing is a part of it"))
    if margin.kind == "deviations" and _alike(first):
        return Reason(lambda: _("the reference's runs do not differ: a margin in their deviations is none"))
    return ""


def _alike(group: Group) -> bool:
    """Whether all runs have the same number, but for rounding."""
    return group.deviation <= 1e-12 * abs(group.mean)


def _degrees(parts: Sequence[tuple[float, int]]) -> float:
    """Degrees of freedom of a sum of variances after Welch and Satterthwaite; `parts`: variance of a mean, runs."""
    total = sum(part for part, _count in parts)
    if total == 0:
        return float(sum(count - 1 for _part, count in parts))
    return total**2 / sum(part**2 / (count - 1) for part, count in parts if part > 0)


def _absolute(first: Group, second: Group, margin: float, level: float, seed: int) -> tuple[float, float, float, float]:
    from scipy import stats

    difference = second.mean - first.mean
    error = math.sqrt(first.of_mean + second.of_mean)
    degrees = _degrees([(first.of_mean, first.count), (second.of_mean, second.count)])
    wide = float(stats.t.ppf((1 + level) / 2, degrees)) * error
    if error == 0:
        return difference, difference, difference, 0.0 if abs(difference) < margin else 1.0
    p = max(stats.t.sf((difference + margin) / error, degrees), stats.t.cdf((difference - margin) / error, degrees))
    return difference, difference - wide, difference + wide, float(p)


def _relative(first: Group, second: Group, margin: float, level: float, seed: int) -> tuple[float, float, float, float]:
    """The ratio of means less one: each end of its interval is where a one-sided test of a contrast just objects."""
    ends = [1 - margin, 1 + margin]
    tests = [_contrast(first, second, ratio) for ratio in ends]
    sign = math.copysign(1.0, first.mean)
    p = max(1 - tests[0] if sign > 0 else tests[0], tests[1] if sign > 0 else 1 - tests[1])
    low, high = (_ratio(first, second, part) for part in ((1 + level) / 2, (1 - level) / 2))
    if sign < 0:
        low, high = (_ratio(first, second, part) for part in ((1 - level) / 2, (1 + level) / 2))
    return second.mean / first.mean - 1, low - 1, high - 1, float(p)


def _contrast(first: Group, second: Group, ratio: float) -> float:
    """Student's distribution function at tested - ratio * reference."""
    from scipy import stats

    parts = [(ratio**2 * first.of_mean, first.count), (second.of_mean, second.count)]
    error = math.sqrt(sum(part for part, _count in parts))
    value = second.mean - ratio * first.mean
    if error == 0:
        return 0.5 if value == 0 else float(value > 0)
    return float(stats.t.cdf(value / error, _degrees(parts)))


def _ratio(first: Group, second: Group, probability: float) -> float:
    """The ratio at which the contrast's distribution function is `probability`; infinite where it never is."""
    from scipy import optimize

    ratio = second.mean / first.mean
    if first.deviation == 0 and second.deviation == 0:
        return ratio
    falls = (probability > 0.5) == (first.mean > 0)
    step = max(abs(ratio), 1e-3)
    for power in range(40):
        end = ratio + (-1 if falls else 1) * step * 1.5 ** (power - 20)
        if (_contrast(first, second, end) - probability) * (0.5 - probability) < 0:
            return float(optimize.brentq(lambda at: _contrast(first, second, at) - probability, *sorted((ratio, end))))
    return -math.inf if falls else math.inf


def _in_deviations(
    first: Group, second: Group, margin: float, level: float, seed: int
) -> tuple[float, float, float, float]:
    drawn = np.random.default_rng(seed)
    sigma = first.deviation * np.sqrt((first.count - 1) / drawn.chisquare(first.count - 1, DRAWS))
    other = second.deviation * np.sqrt((second.count - 1) / drawn.chisquare(second.count - 1, DRAWS))
    one = first.mean + drawn.standard_normal(DRAWS) * sigma / math.sqrt(first.count)
    two = second.mean + drawn.standard_normal(DRAWS) * other / math.sqrt(second.count)
    parts = (two - one) / sigma
    low, high = np.quantile(parts, [(1 - level) / 2, (1 + level) / 2])
    p = max(float((parts <= -margin).mean()), float((parts >= margin).mean()))
    return (second.mean - first.mean) / first.deviation, float(low), float(high), p
