"""What every assay answers: estimates with intervals, and whether the run was valid."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedtrain.base import InputError
from seedtrain.quality import Criterion, Limit, VerdictWord
from seedtrain.vectors._units import bounds_of


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval and unit.

    - `limit_of_detection`: in the same unit, where the assay has one. `detected`: false where nothing was found;
      `high` then is the one-sided 95 % bound and `value` zero.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str = ""
    limit_of_detection: float | None = None
    detected: bool = True

    @staticmethod
    def of(name: str, ends: Iterable[float], unit: str, limit_of_detection: float | None = None) -> Estimate:
        """From value, lower and upper end."""
        value, low, high = ends
        return Estimate(name, value, low, high, unit, limit_of_detection)


@dataclass(frozen=True)
class Finding:
    """The answer of one assay: estimates (the first is the one that a limit is for), validity, notes."""

    kind: str
    estimates: tuple[Estimate, ...]
    validity: tuple[Criterion, ...]
    notes: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """A number of the method that the file does not hold: its default, range, and where that comes from."""

    name: str
    default: float
    low: float
    high: float
    words: str


def read_settings(given: Mapping[str, str], known: Sequence[Setting]) -> dict[str, float]:
    """Settings by name, defaults for the rest. Raises `InputError` for an unknown name or a value out of range."""
    names = {item.name: item for item in known}
    values = {item.name: item.default for item in known}
    for name, text in given.items():
        if name not in names:
            offered = ", ".join(names) or "none for this assay"
            raise InputError(f"there is no setting {name!r}", remedy=f"Use: {offered}.")
        try:
            number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            number = float("nan")
        item = names[name]
        if not item.low <= number <= item.high:
            raise InputError(
                f"{name}={text!r} is out of {item.low:g} .. {item.high:g}", remedy=f"It is the {item.words}."
            )
        values[name] = number
    return values


def power(base: float, exponent: float) -> float:
    """`base` to the exponent; infinite where no float holds it, as at the ends of an interval that nothing bounds."""
    try:
        return float(base**exponent)
    except OverflowError:
        return math.inf


def text_of(value: float, unit: str) -> str:
    """A number of four digits with its unit."""
    return f"{value:.4g} {unit}".rstrip()


def check(name: str, value: str | float | None, limit: str, *, met: bool | None) -> Criterion:
    """A criterion of validity; `None` where it could not be looked at."""
    word: VerdictWord = "inconclusive" if met is None else "pass" if met else "fail"
    return Criterion(name, value, None, limit, None, word)


def judge_estimate(item: Estimate, limit: Limit | None, *, valid: bool) -> Criterion:
    """An estimate against a limit: its whole interval on one side, or inconclusive; an invalid run says nothing.

    Without a limit, the criterion passes where the run is valid. A limit of detection above an upper limit is
    inconclusive.
    """
    value = text_of(item.value, item.unit) if item.detected else f"< {text_of(item.high, item.unit)}"
    interval = (text_of(item.low, item.unit), text_of(item.high, item.unit))
    found = None if item.limit_of_detection is None else text_of(item.limit_of_detection, item.unit)
    word: VerdictWord = "pass" if valid else "inconclusive"
    if limit is not None:
        start, end = bounds_of(limit, item.unit)
        if not valid:
            word = "inconclusive"
        elif start <= item.low and item.high <= end:
            blind = item.limit_of_detection is not None and item.limit_of_detection > end
            word = "inconclusive" if blind else "pass"
        else:
            word = "fail" if item.high < start or item.low > end else "inconclusive"
    return Criterion(item.name, value, interval, limit.text if limit else None, found, word)
