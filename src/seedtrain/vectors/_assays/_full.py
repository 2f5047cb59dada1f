"""Full capsids: shares by AUC, ratios by SEC-MALS or ddPCR over ELISA, with propagated error; never cut at 100 %."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.quality import Criterion
from seedtrain.vectors._assays._estimate import Estimate, Finding, check, power, text_of
from seedtrain.vectors._fractions import Z95
from seedtrain.vectors._table import Column, Row, Sheet

METHODS: Final = ("auc", "sec-mals", "ddpcr-elisa")
QUANTITIES: Final = ("full", "partial", "empty", "genomes", "capsids")
COLUMNS: Final = (
    Column("method", "word", None, words=METHODS),
    Column("quantity", "word", None, words=QUANTITIES),
    Column("value", "number", None, 1e-30, 1e30),
    Column("cv", "number", "0", 0.0, 1.0),
    Column("unit", "word", ""),
)
MOST_FULL: Final = 200.0
"""Genomes in % of the capsids beyond which units or dilutions differ rather than the vector (assumed)."""


@dataclass(frozen=True)
class Mean:
    """A quantity on the logarithm: mean, squared error of the mean with its degrees of freedom, and common error."""

    log: float
    error: float
    freedom: float
    common: float


def mean_of(rows: Sequence[Row]) -> Mean:
    """Replicates of one quantity; `cv` is what they share (a reference standard, an extinction coefficient)."""
    logs = np.log([row.number("value") for row in rows])
    size = len(logs)
    error = float(logs.var(ddof=1)) / size if size > 1 else 0.0
    return Mean(float(logs.mean()), error, size - 1, max(row.number("cv") for row in rows) ** 2)


def _interval(middle: float, parts: Sequence[tuple[float, Mean]]) -> float:
    """Half of the 95 % interval: Welch-Satterthwaite for replicates, the normal for what is common."""
    from scipy.stats import t

    replicated = sum(weight**2 * item.error for weight, item in parts)
    common = sum(weight**2 * item.common for weight, item in parts)
    half_squared = Z95**2 * common
    if replicated > 0:
        below = sum((weight**2 * item.error) ** 2 / item.freedom for weight, item in parts if item.error > 0)
        half_squared += float(t.ppf(0.975, replicated**2 / below)) ** 2 * replicated
    return math.sqrt(half_squared)


def analyse_full(sheet: Sheet, settings: Mapping[str, float]) -> Finding:
    """The share of full capsids by each method, and whether the methods agree.

    AUC: full over full, partial and empty, on the logit; the others: genomes over capsids, on the logarithm, which may
    exceed 100 %.
    """
    estimates, logs, validity, notes = [], [], [], []
    for method in dict.fromkeys(row.word("method") for row in sheet.rows):
        rows = [row for row in sheet.rows if row.word("method") == method]
        wanted = ("full", "empty") if method == "auc" else ("genomes", "capsids")
        groups = {name: [row for row in rows if row.word("quantity") == name] for name in QUANTITIES}
        for name in wanted:
            if not groups[name]:
                raise sheet.error(rows[0], f"{method} needs {' and '.join(wanted)}", f"Add rows of {name}.")
        units = sorted({row.word("unit") for row in rows if row.word("unit")})
        if len(units) > 1:
            raise sheet.error(rows[0], f"{method} in {' and '.join(units)}", "Give all values of a method in one unit.")
        means = {name: mean_of(items) for name, items in groups.items() if items}
        if method == "auc":
            item, error = _share(means)
        else:
            item, error = _ratio(method, means)
        estimates.append(item)
        logs.append((math.log(item.value), error))
        bare = [name for name, mean in means.items() if mean.freedom < 1 and not mean.common]
        if bare:
            notes.append(f"{method}: {', '.join(bare)} with neither replicates nor a cv, so that no error is known")
        known = f"of {len(means) - len(bare)} of {len(means)} quantities"
        validity.append(check(f"{method}: error known", known, "of all", met=None if bare else True))
        if method != "auc":
            ratio = text_of(item.value, "%")
            plausible = item.value <= MOST_FULL
            validity.append(check(f"{method}: genomes over capsids", ratio, f"<= {MOST_FULL:g} %", met=plausible))
    if len(logs) > 1 and all(error > 0 for _log, error in logs):
        validity.append(_agreement(logs))
    return Finding("full", tuple(estimates), tuple(validity), tuple(notes))


def _ratio(method: str, means: Mapping[str, Mean]) -> tuple[Estimate, float]:
    parts = [(1.0, means["genomes"]), (-1.0, means["capsids"])]
    middle = sum(weight * item.log for weight, item in parts)
    half = _interval(middle, parts)
    ends = [100 * power(math.e, middle + sign * half) for sign in (0, -1, 1)]
    return Estimate.of(f"full capsids, {method}", ends, "%"), half / Z95


def _share(means: Mapping[str, Mean]) -> tuple[Estimate, float]:
    rest = [means[name] for name in ("partial", "empty") if name in means]
    amounts = [math.exp(item.log) for item in rest]
    total = sum(amounts)
    middle = means["full"].log - math.log(total)
    parts = [(1.0, means["full"])]
    parts += [(-amount / total, item) for amount, item in zip(amounts, rest, strict=True)]
    half = _interval(middle, parts)
    shares = [1 / (1 + power(math.e, -(middle + sign * half))) for sign in (0, -1, 1)]
    value = Estimate.of("full capsids, auc", (100 * item for item in shares), "%")
    return value, half / Z95 * (1 - shares[0])


def _agreement(logs: Sequence[tuple[float, float]]) -> Criterion:
    from scipy.stats import chi2

    weights = [1 / error**2 for _log, error in logs]
    middle = sum(weight * log for weight, (log, _e) in zip(weights, logs, strict=True)) / sum(weights)
    q = sum(weight * (log - middle) ** 2 for weight, (log, _e) in zip(weights, logs, strict=True))
    chance = float(chi2.sf(q, len(logs) - 1))
    return check("methods agree", f"P = {chance:.3g}", "P >= 0.05", met=chance >= 0.05)
