"""Prediction against measurement, by scale and kind of data: errors, and how far a new run may lie off.

The interval for a new run is conformal (Vovk, Gammerman & Shafer 2005; Lei et al. 2018, J Am Stat Assoc 113:1094): of
`n` runs of the same scale, the rank ceil((n + 1) level) of their largest errors bounds a further one with probability
`level`, whatever the model; so 90 % needs nine runs. At a scale that has fewer it is taken from all scales, labelled
approximate, and told with how often it held when each scale in turn was left out. It is then never below the largest
error of that scale's own runs, for the many runs of another scale must not drown them; at a scale without runs it is
widened by as much as the worst of the scales that were left out lay beyond the bound of the others. What `n` runs of
the scale say by themselves is told beside it: their largest error bounds a further run with probability n / (n + 1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.comparison._profiles import readings
from seedtrain.comparison._reason import Reason
from seedtrain.simulation import Run

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """A measured run, what was predicted of it before it was looked at, and its scale."""

    name: str
    scale: str
    measured: Run
    predicted: Run


@dataclass(frozen=True)
class Errors:
    """Predicted less measured of one `symbol` at one `scale`, in `unit`; runs weigh alike.

    - `bias`, `rmse`; `relative`: rmse over the range of what was measured there. - `biases`, `largest`: of each run,
      shape "run".
    """

    symbol: str
    unit: str
    scale: str
    runs: int
    readings: int
    bias: float
    rmse: float
    relative: float
    biases: Floats
    largest: Floats

    def interval(self, level: float) -> tuple[float, float]:
        """Where the bias over runs of this scale lies with confidence `level`; not-a-number for one run."""
        from scipy import stats

        if self.runs < 2:
            return math.nan, math.nan
        error = float(self.biases.std(ddof=1)) / math.sqrt(self.runs)
        wide = float(stats.t.ppf((1 + level) / 2, self.runs - 1)) * error
        return self.bias - wide, self.bias + wide

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**vars(self), "biases": self.biases.tolist(), "largest": self.largest.tolist()}


@dataclass(frozen=True)
class Bound:
    """How far a new run of `scale` may lie off at any reading, in the symbol's unit, with probability `level`.

    - `approximate`: it rests on other scales. - `held`: of the scales left out in turn, how many the others' bound held
      at every reading of all their runs, and how many there were. - `why`: why there is none.
    - `widened`: over the bound of all runs alike. - `own_runs`, `own_largest`: of the scale itself.
    """

    symbol: str
    unit: str
    scale: str
    value: float
    level: float
    approximate: bool
    held: tuple[int, int]
    why: str = ""
    widened: float = 1.0
    own_runs: int = 0
    own_largest: float = math.nan

    @property
    def own_probability(self) -> float:
        """With which the scale's own largest error bounds a further run there, by itself."""
        return self.own_runs / (self.own_runs + 1)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        value = self.value if math.isfinite(self.value) else None
        return {"symbol": self.symbol, "unit": self.unit, "scale": self.scale, "bound": value, "level": self.level,
                "approximate": self.approximate, "held": list(self.held), "why": self.why,
                "widened": self.widened, "own_runs": self.own_runs, "own_probability": self.own_probability,
                "own_largest": self.own_largest if self.own_runs else None}  # fmt: skip


def prediction_errors(pairs: Sequence[Pair], symbols: Sequence[str] = ()) -> tuple[Errors, ...]:
    """Errors of each symbol that was both predicted and measured (or of `symbols`), at each scale."""
    if not pairs:
        raise InputError("there is no run to compare", remedy="Give measured runs.")
    known = list(dict.fromkeys(s for item in pairs for s in item.measured.variables if s in item.predicted.variables))
    for name in symbols:
        if name not in known:
            raise InputError(
                f"{name!r} was not both predicted and measured", remedy=f"Use some of: {', '.join(known) or 'none'}."
            )
    found = []
    for symbol in symbols or known:
        unit = next(item.measured.variables[symbol].unit for item in pairs if symbol in item.measured.variables)
        for scale in dict.fromkeys(item.scale for item in pairs):
            mine = [item for item in pairs if item.scale == scale]
            errors = [e for e in (_apart(item, symbol, unit) for item in mine) if e is not None]
            if errors:
                found.append(_summed(symbol, unit, scale, errors))
    return tuple(found)


def _apart(pair: Pair, symbol: str, unit: str) -> tuple[Floats, Floats] | None:
    """Errors and measured values of one run; readings beyond the prediction's end are left out."""
    if symbol not in pair.measured.variables or symbol not in pair.predicted.variables:
        return None
    times, values = readings(pair.measured, symbol, unit)
    when, told = readings(pair.predicted, symbol, unit)
    inside = (times >= when[0]) & (times <= when[-1]) if len(when) else np.zeros(len(times), bool)
    if not inside.any():
        return None
    return np.interp(times[inside], when, told) - values[inside], values[inside]


def _summed(symbol: str, unit: str, scale: str, errors: Sequence[tuple[Floats, Floats]]) -> Errors:
    biases = np.array([apart.mean() for apart, _values in errors])
    rmse = math.sqrt(float(np.mean([(apart**2).mean() for apart, _values in errors])))
    wide = float(np.ptp(np.concatenate([values for _apart, values in errors])))
    largest = np.array([np.abs(apart).max() for apart, _values in errors])
    count = sum(len(apart) for apart, _values in errors)
    return Errors(symbol, unit, scale, len(errors), count, float(biases.mean()), rmse,
                  rmse / wide if wide > 0 else math.nan, biases, largest)  # fmt: skip


def bounds(errors: Sequence[Errors], scales: Sequence[str], *, level: float = 0.90) -> tuple[Bound, ...]:
    """The bound of each symbol at each of `scales`: from its own runs where they are enough, else from other scales."""
    found = []
    for symbol in dict.fromkeys(item.symbol for item in errors):
        mine = {item.scale: item for item in errors if item.symbol == symbol}
        for scale in scales:
            found.append(_bound(symbol, scale, mine, level))
    return tuple(found)


def _bound(symbol: str, scale: str, mine: Mapping[str, Errors], level: float) -> Bound:
    unit = next(iter(mine.values())).unit
    here = mine.get(scale)
    own = conformal(here.largest, level) if here else math.inf
    held = _held(mine, level)
    there: dict[str, Any] = {}
    if here:
        there = {"own_runs": here.runs, "own_largest": float(here.largest.max())}
    if math.isfinite(own):
        return Bound(symbol, unit, scale, own, level, approximate=False, held=held, **there)
    if here is None and len(mine) < 2:
        alone = Reason(lambda: _("one scale alone was measured: nothing tells how errors change with scale"))
        return Bound(symbol, unit, scale, math.inf, level, approximate=True, held=held, why=alone)
    pooled = conformal(np.concatenate([item.largest for item in mine.values()]), level)
    count = sum(item.runs for item in mine.values())
    few = Reason(lambda: _("{count} runs; {fewest} are needed").format(count=count, fewest=fewest(level)))
    why = "" if math.isfinite(pooled) else few
    widened = max(here.largest.max() / pooled, 1.0) if here and pooled > 0 else _farthest(mine, level)
    widened = float(widened) if math.isfinite(pooled) else 1.0
    value = widened * pooled
    return Bound(symbol, unit, scale, value, level, approximate=True, held=held, why=why, widened=widened, **there)


def conformal(largest: Floats, level: float) -> float:
    """The bound of a further run's largest error; infinite where the runs are too few for `level`."""
    rank = math.ceil((len(largest) + 1) * level - 1e-9)
    return float(np.sort(largest)[rank - 1]) if rank <= len(largest) else math.inf


def fewest(level: float) -> int:
    """Runs that a conformal bound of `level` needs."""
    return math.ceil(level / (1 - level) - 1e-9)


def _held(mine: Mapping[str, Errors], level: float) -> tuple[int, int]:
    """Of the scales, each left out in turn: where the bound of the others held for all its runs; and how many."""
    beyond = _beyond(mine, level)
    return sum(item <= 1.0 for item in beyond), len(beyond)


def _farthest(mine: Mapping[str, Errors], level: float) -> float:
    """How far beyond the bound of the others the worst of the scales left out lay; 1 where none did."""
    return max([1.0, *_beyond(mine, level)])


def _beyond(mine: Mapping[str, Errors], level: float) -> list[float]:
    """Of every scale that can be left out, its largest error over the bound of the others."""
    found = []
    for scale in mine:
        rest = [item.largest for name, item in mine.items() if name != scale]
        bound = conformal(np.concatenate(rest), level) if rest else math.inf
        if math.isfinite(bound) and bound > 0:
            found.append(float(mine[scale].largest.max()) / bound)
    return found
