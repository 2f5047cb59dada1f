"""The fit.json that `seedtrain fit -o` wrote, as what comes after a fit takes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
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

    All in `unit`.
    """

    name: str
    unit: str
    value: float
    low: float
    high: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class FitFile:
    """What a fit says of the parameters of one culture; `key`: the digest of the files that say it.

    - `draws`: of the posterior, by parameter, where the fit drew it and its chains agree. - `source`: in words.
    """

    rows: tuple[FitRow, ...]
    draws: Mapping[str, Floats] | None
    source: str
    key: str


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
    draws, source, key = None, path.name, digest_file(path)
    if isinstance(sampled, dict) and sampled.get("mixed"):
        beside = path.with_name("draws.csv")
        draws = _draws([row["name"] for row in rows], beside, int(sampled["draws"]))
        source, key = f"{sampled['draws']} draws, {beside.name}", digest([key, digest_file(beside)])
    elif data["level"] != 0.9:
        raise InputError(
            f"the fit's intervals are at {data['level']:g}", position=Position(str(path)), remedy="Fit with --level 90."
        )
    return FitFile(tuple(map(_row, rows)), draws, source, key)


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


def _draws(names: list[str], path: Path, count: int) -> dict[str, Floats]:
    draws = read_draws(path)
    if not set(names) <= set(draws) or len(next(iter(draws.values()))) != count:
        raise InputError(
            "these are not the draws of the fit beside it", position=Position(str(path)),
            remedy="Keep fit.json and draws.csv of one run of 'seedtrain fit --posterior' together.",
        )  # fmt: skip
    return {name: draws[name] for name in names}
