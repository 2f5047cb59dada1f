"""Counted fractions: their intervals, limits as people write them, and the verdict on one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, TypeVar

from seedtrain.base import InputError
from seedtrain.bioinformatics import wilson
from seedtrain.quality import Criterion, VerdictWord

Limits = TypeVar("Limits")

Z95: Final = 1.959963984540054


def seen_once(trials: int, probability: float = 0.95) -> float:
    """The fraction of which `trials` see at least one with `probability`; 1 without any trial.

    Close to 3/n at 95 %, exactly 1 - 0.05^(1/n).
    """
    if trials <= 0:
        return 1.0
    return -math.expm1(math.log1p(-probability) / trials)


def upper_bound(positive: int, replicates: int, confidence: float) -> float:
    """Upper bound of a chance by Clopper & Pearson 1934, Biometrika 26:404."""
    from scipy.stats import beta

    return 1.0 if positive == replicates else float(beta.ppf(confidence, positive + 1, replicates - positive))


def lower_bound(positive: int, replicates: int, confidence: float) -> float:
    """Lower bound of a chance, as `upper_bound`."""
    return 1 - upper_bound(replicates - positive, replicates, confidence)


def share_text(value: float) -> str:
    """A fraction as a percentage with three digits."""
    return f"{100 * value:.3g} %"


def limits_of(kind: type[Limits], texts: Mapping[str, str]) -> Limits:
    """A class of limits from texts by name: `full=60%`, `host=none`, `reads=300`.

    Raises `InputError` for an unknown name or a share out of 0 .. 1.
    """
    described: Any = kind
    known = {item.name for item in fields(described)}
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in known:
            raise InputError(f"there is no limit {name!r}", remedy=f"Use one of: {', '.join(sorted(known))}.")
        words = text.strip()
        if words == "none" and name != "reads":
            values[name] = None
            continue
        try:
            number = float(words.removesuffix("%")) / (100 if words.endswith("%") else 1)
        except ValueError:
            number = -1.0
        if name == "reads" and number >= 1 and number == int(number):
            values[name] = int(number)
        elif name != "reads" and 0 <= number <= 1:
            values[name] = number
        else:
            raise InputError(f"{name}={text!r} is out of range", remedy="Write a share such as 5%, or none.")
    return kind(**values)


def judge_share(name: str, found: int, total: int, limit: float | None, least: bool, *, short: bool) -> Criterion:
    """A share with its Wilson interval: pass or fail where the whole interval lies on one side of the limit.

    - `least`: the limit is the least allowed, else the most. `short`: too few reads for any answer.
    """
    assert limit is not None
    low, high = wilson(found, total)
    met, missed = (low >= limit, high < limit) if least else (high <= limit, low > limit)
    word: VerdictWord = "pass" if met else "fail" if missed else "inconclusive"
    if short or not total:
        word = "inconclusive"
    value = share_text(found / total) if total else None
    return Criterion(
        name,
        value,
        (share_text(low), share_text(high)),
        f"{'>=' if least else '<='} {share_text(limit)}",
        share_text(seen_once(total)),
        word,
    )
