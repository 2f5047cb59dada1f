"""A model of good batches, and a running batch beside it: Hotelling's T2, squared prediction error, contributions.

Batches are unfolded batch-wise: a row is a batch, a column a tag at a time of the phase, each centred and scaled over
the batches, so that what is modelled is how batches differ from their mean trajectory, not the trajectory itself.

**Source** Nomikos & MacGregor 1994, AIChE J. 40:1361; 1995, Technometrics 37:41.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from seedtrain.automation._monitoring._latent import Floats, Latent
from seedtrain.base import InputError

IN_A_ROW: Final = 3
"""Points that T2 or SPE must be beyond an alarm's limit: one point alone is never an alarm."""
WINDOW: Final = 10
"""Points whose mean SPE is looked at beside that of one: what is small and stays shows there."""
STATISTICS: Final = ("SPE", "T2", "mean SPE")
"""Of which the last is the mean of the last `WINDOW` points."""
MEAN: Final = STATISTICS[2]


@dataclass(frozen=True)
class Golden:
    """Aligned batches: `values` in the shape "batch time tag", not a number where nothing was read.

    - `hours`: of the phase, shape "time". `outcome`: what the batches gave, shape "batch", or None.
    """

    tags: tuple[str, ...]
    hours: Floats
    values: Floats
    outcome: Floats | None = None

    def __post_init__(self) -> None:
        if self.values.shape[1:] != (len(self.hours), len(self.tags)):
            raise InputError(
                f"the batches have the shape {self.values.shape}, {len(self.hours)} times and {len(self.tags)} tags",
                remedy="Give values in the shape batch, time, tag.",
            )

    def batches(self, rows: Sequence[int]) -> Golden:
        """Some of the batches."""
        some = list(rows)
        return replace(self, values=self.values[some], outcome=None if self.outcome is None else self.outcome[some])


@dataclass(frozen=True)
class Trace:
    """A batch beside the model, each of shape "time".

    - `t2`, `spe`: Hotelling's T2 of the scores so far, and the squared prediction error of the values of the time,
      each tag's error over what is usual for it, so that a precise instrument counts as much as a restless one.
    - `spe_mean`: of the last `WINDOW` times. `errors`: of each tag, over what is usual for it, "time tag".
    - `outcome`: the outcome as far as it can be told, in its unit; None where the model has none.
    """

    t2: Floats
    spe: Floats
    spe_mean: Floats
    outcome: Floats | None
    errors: Floats


@dataclass(frozen=True)
class Finding:
    """An alarm: when (h of the phase), by which statistic, and what gives most to it, the largest first."""

    hours: float
    place: int
    statistic: str
    contributions: Mapping[str, float]


@dataclass(frozen=True)
class GoldenModel:
    """What good batches are like.

    - `mean`, `scale`: "column". `spread`: covariance of the scores known at each time, "time component component".
    - `usual`: "tag", the standard deviation of a good batch's error, scaled as its column is.
    - `limits`: of each of `STATISTICS` at a time, "statistic time", which a share `false_alarms` of good batches passes
      by each of them alone. `factor`: how many times its limit a statistic must be for an alarm, so that no more do by
      all of them. `left_out`: the most that each good batch comes to, over its limits, by a model made without it.
    - `outcome_scale`: mean and standard deviation of the outcome. `outcome_error`: "time": standard deviation of the
      outcome told at that time, for batches that were left out.
    """

    tags: tuple[str, ...]
    hours: Floats
    mean: Floats
    scale: Floats
    latent: Latent
    spread: Floats
    usual: Floats
    limits: Floats
    level: float
    count: int
    factor: float = 1.0
    false_alarms: float = 0.05
    left_out: tuple[float, ...] = ()
    outcome_scale: tuple[float, float] | None = None
    outcome_error: Floats | None = None

    def trace(self, values: Floats) -> Trace:
        """A whole batch, or as much of it as there is: `values` of shape "time tag"."""
        times = len(values)
        z = self.scaled(values)
        scores = self._latent_of(times).path(z[None])[0][0]
        errors = self._errors(z, scores)
        read = np.isfinite(errors).sum(axis=1)
        spe = np.nansum(errors**2, axis=1) * np.where(read > 0, len(self.tags) / np.maximum(read, 1), 0.0)
        t2 = np.einsum("tk,tk->t", scores, np.linalg.solve(self.spread[:times], scores[..., None])[..., 0])
        outcome = None
        if self.latent.outcome is not None and self.outcome_scale is not None:
            mean, size = self.outcome_scale
            outcome = mean + size * (scores @ self.latent.outcome)
        return Trace(t2, spe, moving_mean(spe), outcome, errors)

    def scaled(self, values: Floats) -> Floats:
        """Values as they are modelled, "time tag"."""
        columns = slice(0, values.size)
        shape = (-1, len(self.tags))
        found = (np.asarray(values, dtype=float) - self.mean[columns].reshape(shape)) / self.scale[columns].reshape(
            shape
        )
        return np.asarray(found, dtype=float)

    def _latent_of(self, times: int) -> Latent:
        return replace(self.latent, loadings=self.latent.loadings[: times * len(self.tags)])

    def _errors(self, z: Floats, scores: Floats) -> Floats:
        loadings = self.latent.loadings[: z.size].reshape(*z.shape, -1)
        return np.asarray((z - np.einsum("twk,tk->tw", loadings, scores)) / self.usual, dtype=float)

    def ratios(self, trace: Trace) -> Floats:
        """Each statistic over its limit for an alarm, "statistic time"."""
        seen = np.array([trace.spe, trace.t2, trace.spe_mean])
        return np.asarray(seen / (self.limits[:, : seen.shape[1]] * self.factor), dtype=float)

    def first_alarm(self, values: Floats) -> Finding | None:
        """The first time at which a statistic is an alarm; None: never."""
        index = index_of(self.ratios(self.trace(values)))
        above = np.flatnonzero(index.max(axis=0) > 1.0)
        return self.finding(values, int(above[0]), STATISTICS[int(index[:, above[0]].argmax())]) if len(above) else None

    def finding(self, values: Floats, place: int, statistic: str) -> Finding:
        """What a statistic is made of at a time."""
        return Finding(float(self.hours[place]), place, statistic, self.contributions(values, place, statistic))

    def contributions(self, values: Floats, place: int, statistic: str) -> dict[str, float]:
        """What each tag gives to a statistic at a time; they add up to it, and the largest comes first.

        **Source** Westerhuis, Gurden & Smilde 2000, Chemom. Intell. Lab. Syst. 51:95.
        """
        until = values[: place + 1]
        if statistic == "T2":
            by_tag = self._t2_parts(until)
        else:
            errors = self.trace(until).errors
            read = np.isfinite(errors).sum(axis=1)
            parts = np.nan_to_num(errors) ** 2 * np.where(read > 0, len(self.tags) / np.maximum(read, 1), 0.0)[:, None]
            by_tag = parts[-WINDOW:].mean(axis=0) if statistic == MEAN else parts[-1]
        order = np.argsort(-np.abs(by_tag))
        return {self.tags[number]: float(by_tag[number]) for number in order}

    def _t2_parts(self, values: Floats) -> Floats:
        """What each tag, over all times so far, gives to the T2 of the last one."""
        z = self.scaled(values)
        (scores,), (held,) = self._latent_of(len(values)).path(z[None])
        weight = np.linalg.solve(held[-1], np.linalg.solve(self.spread[len(values) - 1], scores[-1]))
        loadings = self.latent.loadings[: z.size].reshape(*z.shape, -1)
        return np.asarray((np.nan_to_num(z) * (loadings @ weight)).sum(axis=0), dtype=float)


def moving_mean(spe: Floats) -> Floats:
    """Of the last `WINDOW` values, of as many as there are at the beginning."""
    total = np.concatenate(([0.0], np.cumsum(spe)))
    last = np.arange(1, len(spe) + 1)
    first = np.maximum(last - WINDOW, 0)
    return np.asarray((total[last] - total[first]) / (last - first), dtype=float)


def index_of(ratios: Floats) -> Floats:
    """What stands against 1 for an alarm, "... statistic time": T2 and SPE as the least of the last `IN_A_ROW` points,
    the mean as it is; nothing before there are as many points."""
    found = np.array(ratios, dtype=float)
    for back in range(1, IN_A_ROW):
        found[..., :2, back:] = np.minimum(found[..., :2, back:], ratios[..., :2, :-back])
    found[..., : IN_A_ROW - 1] = 0.0
    return found
