"""What a fit leaves of the culture's parameters: best values, how far they may be off together, and draws of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.development import Fit, FitRow, Interval, read_fit_file, run_information, scatter_of
from seedtrain.simulation import Culture

Floats = NDArray[np.float64]
NORMAL_90: Final = 1.6448536269514722
NOTHING_LEARNT: Final = 0.97
"""Standard deviation after over before the data, from which on they tell nothing of a parameter."""
TRIES: Final = 60


@dataclass(frozen=True, eq=False)
class Fitted:
    """Parameters of a culture after a fit, normal on the scale of its search within their ranges.

    - `scales`: lin, log or log10 by parameter; `at` and `covariance` on it. - `literature`: values before;
      `ranges`: in which they were sought. - `intervals`: 90 %, (None, None) where the data leave one open.
    - `information`: what one further run like each tells, on the scale of the search; empty where it is not known.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    scales: tuple[str, ...]
    at: Floats
    covariance: Floats
    literature: tuple[float, ...]
    ranges: tuple[tuple[float, float], ...]
    intervals: tuple[tuple[float | None, float | None], ...]
    information: Mapping[str, Floats]
    source: str

    @property
    def values(self) -> dict[str, float]:
        """Best values, in the culture's units."""
        return self._values(self.at)

    def _values(self, x: Floats) -> dict[str, float]:
        return {
            name: _value(scale, point) for name, scale, point in zip(self.names, self.scales, x.tolist(), strict=True)
        }

    def culture(self, culture: Culture) -> Culture:
        """`culture` with the best values, marked as fitted."""
        return culture.with_parameters({name: (value, "fitted", self.source) for name, value in self.values.items()})

    def draws(self, count: int, rng: np.random.Generator) -> list[dict[str, float]]:
        """Values that the data allow; a draw outside the ranges is drawn again."""
        low, high = (
            np.array([_scaled(scale, ends[side]) for scale, ends in zip(self.scales, self.ranges, strict=True)])
            for side in (0, 1)
        )
        root = np.linalg.cholesky(self.covariance + 1e-14 * np.diag(np.diag(self.covariance)))
        found = []
        for _ in range(count):
            point = self.at
            for _again in range(TRIES):
                point = self.at + root @ rng.standard_normal(len(self.at))
                if ((point >= low) & (point <= high)).all():
                    break
            found.append(self._values(np.clip(point, low, high)))
        return found

    def slopes(self, per_relative: Mapping[str, float], per_unit: Mapping[str, float]) -> Floats:
        """Derivatives by the search's own coordinates from those by a relative change, or by the unit itself."""
        found = []
        for name, scale, x in zip(self.names, self.scales, self.at.tolist(), strict=True):
            value = _value(scale, x)
            by_value = per_unit[name] if name in per_unit else per_relative.get(name, 0.0) / value
            found.append(by_value * {"lin": 1.0, "log": value, "log10": value * math.log(10.0)}[scale])
        return np.array(found)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "parameters": [
                {"name": name, "unit": unit, "scale": scale, "value": value, "literature": before,
                 "range": list(ends), "low": low, "high": high}
                for name, unit, scale, value, before, ends, (low, high) in zip(
                    self.names, self.units, self.scales, self.values.values(), self.literature, self.ranges,
                    self.intervals, strict=True)
            ],
            "at": self.at.tolist(),
            "covariance": self.covariance.tolist(),
            "information": {name: item.tolist() for name, item in self.information.items()},
            "source": self.source,
        }  # fmt: skip

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Fitted:
        """What `to_data` wrote."""
        rows = data["parameters"]
        return Fitted(
            tuple(row["name"] for row in rows),
            tuple(row["unit"] for row in rows),
            tuple(row["scale"] for row in rows),
            np.array(data["at"], dtype=float),
            np.array(data["covariance"], dtype=float),
            tuple(row["literature"] for row in rows),
            tuple((row["range"][0], row["range"][1]) for row in rows),
            tuple((row["low"], row["high"]) for row in rows),
            {name: np.array(item, dtype=float) for name, item in data["information"].items()},
            str(data["source"]),
        )


def _value(scale: str, x: float) -> float:
    return x if scale == "lin" else math.exp(x) if scale == "log" else 10.0**x


def _scaled(scale: str, value: float) -> float:
    return value if scale == "lin" else math.log(value) if scale == "log" else math.log10(value)


def fitted_of(fit: Fit, culture: Culture, source: str) -> Fitted:
    """What `fit` leaves of the parameters of `culture`; the ranges of the search count as uniform spreads.

    Where readings scatter more than their errors say (`scatter_of`), intervals and covariance are wider by that.
    Raises `InputError` for a parameter of which the data tell nothing, with what would.
    """
    problem, scatter = fit.problem, scatter_of(fit)
    names = [name for name in problem.names if name in culture.parameters]
    keep = [problem.names.index(name) for name in names]
    before = 12.0 / (problem.high - problem.low) ** 2
    whole = np.linalg.inv(fit.best.fisher / scatter + np.diag(before))
    covariance = whole[np.ix_(keep, keep)]
    _check_told(fit, names, np.sqrt(np.diag(covariance) * before[keep]))
    found = [problem.parameters[at] for at in keep]
    further = {name: item[np.ix_(keep, keep)] / scatter for name, item in run_information(fit).items()}
    intervals = []
    for item in found:
        known = fit.intervals[item.name]
        intervals.append(_wider(item.scale, fit.values[item.name], known, scatter))
    return Fitted(
        tuple(names),
        tuple(item.unit for item in found),
        tuple(item.scale for item in found),
        np.asarray(fit.best.x[keep], dtype=float),
        np.asarray(covariance, dtype=float),
        tuple(culture.parameters[name].value for name in names),
        tuple((item.low, item.high) for item in found),
        tuple(intervals),
        further,
        source,
    )


def _wider(scale: str, value: float, known: Interval, scatter: float) -> tuple[float | None, float | None]:
    """An interval about a value, its ends farther away by the root of `scatter` on the scale of the search."""
    if known.low is None or known.high is None or not known.identified:
        return None, None
    middle, root = _scaled(scale, value), math.sqrt(scatter)
    low, high = (middle + root * (_scaled(scale, end) - middle) for end in (known.low, known.high))
    return _value(scale, low), _value(scale, high)


def _check_told(fit: Fit, names: list[str], left: Floats) -> None:
    """Refuse a fit with parameters of which the data tell nothing."""
    untold = [name for name, part in zip(names, left.tolist(), strict=True) if part > NOTHING_LEARNT]
    if not untold:
        return
    from seedtrain.development import advice_words

    told = [advice_words(item) for item in fit.advice if item.parameter in untold]
    raise InputError(
        f"the readings tell nothing of {', '.join(untold)}",
        remedy=" ".join([f"Take {'it' if len(untold) == 1 else 'them'} out of `fit`, or measure what tells.", *told]),
    )


def read_fitted(path: Path, culture: Culture) -> tuple[Fitted, str]:
    """What the fit.json of `seedtrain fit -o` leaves of the parameters of `culture`, and the digest of what says so.

    With the draws of a posterior beside it, parameters vary together as they do. Else the file keeps no covariance:
    they are taken for independent, and one whose interval is refused for spread evenly over the range in which it was
    sought.
    """
    found = read_fit_file(path, culture)
    rows = found.rows
    scales = tuple("log" if row.value > 0 and row.low > 0 else "lin" for row in rows)
    if found.draws is not None:
        drawn = np.array([[_scaled(scale, value) for value in found.draws[row.name].tolist()]
                          for row, scale in zip(rows, scales, strict=True)])  # fmt: skip
        at, covariance = np.median(drawn, axis=1), np.atleast_2d(np.cov(drawn))
    else:
        at = np.array([_scaled(scale, row.value) for row, scale in zip(rows, scales, strict=True)])
        covariance = np.diag([_spread(row, scale) ** 2 for row, scale in zip(rows, scales, strict=True)])
    return Fitted(
        tuple(row.name for row in rows),
        tuple(row.unit for row in rows),
        scales,
        at,
        np.asarray(covariance, dtype=float),
        tuple(culture.parameters[row.name].value for row in rows),
        tuple((row.low, row.high) for row in rows),
        tuple(row.interval or (None, None) for row in rows),
        {},
        f"own fit {path.name}, {found.key[:12]}",
    ), found.key


def _spread(row: FitRow, scale: str) -> float:
    """Standard deviation on the scale of the search: of the interval, else of an even spread over the range."""
    low, high = (_scaled(scale, end) for end in row.interval or (row.low, row.high))
    return (high - low) / (2 * NORMAL_90 if row.interval else math.sqrt(12.0))
