"""The fit.json that `seedtrain fit -o` wrote, as what comes after a fit takes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Position, digest, digest_file, read_text
from seedtrain.development._estimation import read_draws
from seedtrain.simulation import Culture

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FitRow:
    """A parameter of the culture: its `value`, the range in which it was sought, its 90 % `interval`, None if refused.

    - `between`: standard deviation by which it differs from run to run, 0 where the fit found or counted none. All in
      `unit`.
    """

    name: str
    unit: str
    value: float
    low: float
    high: float
    interval: tuple[float, float] | None
    between: float = 0.0


@dataclass(frozen=True, eq=False)
class FitFile:
    """What a fit says of the parameters of one culture; `key`: the digest of the files that say it.

    - `draws`: of the posterior, by parameter, where the fit drew it and its chains agree; `new_run`: the same of a run
      more, which differs from the typical one as the runs do. - `source`: in words.
    """

    rows: tuple[FitRow, ...]
    draws: Mapping[str, Floats] | None
    source: str
    key: str
    new_run: Mapping[str, Floats] | None = None


def read_fit_file(path: Path, culture: Culture) -> FitFile:
    """The parameters of `culture` in a fit.json, with the draws beside it where they stand for its posterior.

    Raises `InputError` for another file, for a fit of another culture, for draws of another fit, and for intervals that
    are not at 90 %.
    """
    data = parsed_fit(path)
    rows = [row for row in data["parameters"] if row["name"] in culture.parameters]
    if not rows:
        raise InputError(
            f"the fit has no parameter of the culture {culture.name}",
            position=Position(str(path)),
            remedy="Give the fit of this recipe's culture.",
        )
    sampled: Any = data.get("posterior")
    whole, source, key = None, path.name, digest_file(path)
    if isinstance(sampled, dict) and sampled.get("mixed"):
        beside = path.with_name("draws.csv")
        whole = _draws([row["name"] for row in rows], beside, int(sampled["draws"]))
        source, key = f"{sampled['draws']} draws, {beside.name}", digest([key, digest_file(beside)])
    elif data["level"] != 0.9:
        raise InputError(
            f"the fit's intervals are at {data['level']:g}", position=Position(str(path)), remedy="Fit with --level 90."
        )
    between = _between_runs(data)
    found = tuple(replace(_row(row), between=between.get(row["name"], 0.0)) for row in rows)
    draws = None if whole is None else {row.name: whole[row.name] for row in found}
    new_run = None if draws is None or whole is None else of_a_new_run(draws, found, whole)
    return FitFile(found, draws, source, key, new_run)


def parsed_fit(path: Path) -> dict[str, Any]:
    """The document, checked as far as parameters and level; raises `InputError` for another file."""
    try:
        data: dict[str, Any] = json.loads(read_text(path, what="fit"))
        for row in data["parameters"]:
            _numbers = row["name"], row["unit"], float(row["value"]), float(row["low"]), float(row["high"])
        return data | {"level": float(data["level"])}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            "this is no fit", position=Position(str(path)), remedy="Give the fit.json that 'seedtrain fit -o' wrote."
        ) from None


def _row(row: Mapping[str, Any]) -> FitRow:
    interval = row.get("interval") or {}
    low, high = interval.get("low"), interval.get("high")
    ends = None if low is None or high is None else (float(low), float(high))
    return FitRow(str(row["name"]), str(row["unit"]), float(row["value"]), float(row["low"]), float(row["high"]), ends)


def _between_runs(data: Mapping[str, Any]) -> dict[str, float]:
    """Deviations between runs by parameter, of a fit that counts them."""
    told = data.get("between_runs") or {}
    if not told.get("counted"):
        return {}
    return {str(item["name"]): float(item["deviation"]) for item in told["deviations"]}


def of_a_new_run(
    draws: Mapping[str, Floats], rows: Sequence[FitRow], beside: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Draws of what one run more would be, from draws of the typical run and of how far runs differ (`between:NAME`).

    A parameter above 0 stays so: its relative deviation is normal in the logarithm.
    """
    dice, found = np.random.default_rng([0, len(rows)]), dict(draws)
    for row in rows:
        deviation = beside.get(f"between:{row.name}")
        if deviation is None:
            continue
        values, own = draws[row.name], dice.normal(size=len(deviation))
        positive = (values > 0).all()
        found[row.name] = values * np.exp(own * deviation / values) if positive else values + own * deviation
    return found


def _draws(names: list[str], path: Path, count: int) -> dict[str, Floats]:
    draws = read_draws(path)
    if not set(names) <= set(draws) or len(next(iter(draws.values()))) != count:
        raise InputError(
            "these are not the draws of the fit beside it", position=Position(str(path)),
            remedy="Keep fit.json and draws.csv of one run of 'seedtrain fit --posterior' together.",
        )  # fmt: skip
    return draws
