"""qPCR against a standard curve: efficiency, outliers, and unknowns by inverse prediction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from seedtrain.base import InputError, Position
from seedtrain.quality import Criterion
from seedtrain.vectors._assays._estimate import Estimate, Finding, check, power
from seedtrain.vectors._table import NO_CYCLE, Column, Row, Sheet

COLUMNS: Final = (
    Column("role", "word", None, words=("standard", "unknown", "blank")),
    Column("target", "word", ""),
    Column("name", "word", ""),
    Column("copies", "number", "", 1e-3, 1e15),
    Column("dilution", "number", "1", 1.0, 1e15),
    Column("cq", "number", "", 0.0, 100.0, empties=NO_CYCLE),
)
LEAST_STANDARDS: Final = 5
EFFICIENCY: Final = (0.90, 1.10)
"""As most validation guides have it (MIQE: Bustin et al. 2009, Clin Chem 55:611, asks to state it; limits assumed)."""
LEAST_R2: Final = 0.98
BLANK_MARGIN: Final = 3.32
"""Cycles by which a blank must come after the last standard or unknown: a tenth of it (assumed)."""


@dataclass(frozen=True)
class Curve:
    """Cq = intercept + slope log10(copies), by least squares.

    - `sd`: residual standard deviation, cycles; `spread`: sum of squares of log10 copies about their `centre`.
    """

    intercept: float
    slope: float
    sd: float
    centre: float
    spread: float
    wells: int
    r2: float

    @property
    def efficiency(self) -> float:
        """Copies gained a cycle, per copy: 10^(-1/slope) - 1."""
        return power(10, -1 / self.slope) - 1

    def efficiency_interval(self) -> tuple[float, float]:
        """95 %, from the t interval of the slope."""
        from scipy.stats import t

        half = float(t.ppf(0.975, self.wells - 2)) * self.sd / math.sqrt(self.spread)
        ends = [power(10, -1 / min(self.slope + sign * half, -1e-9)) - 1 for sign in (-1, 1)]
        return min(ends), max(ends)


def fit_curve(copies: Sequence[float], cq: Sequence[float]) -> Curve:
    """The curve through wells of known copies. Raises `InputError` where it does not fall."""
    x, y = np.log10(np.asarray(copies)), np.asarray(cq)
    centre, spread = float(x.mean()), float(((x - x.mean()) ** 2).sum())
    if spread <= 0:
        raise InputError("all standards hold the same copies", remedy="Give a dilution series of the standard.")
    slope = float(((x - centre) * (y - y.mean())).sum() / spread)
    if slope >= 0:
        raise InputError(f"the curve's slope is {slope:.3g}, and should be near -3.32", remedy="Check copies and Cq.")
    intercept = float(y.mean() - slope * centre)
    residuals = y - intercept - slope * x
    total = float(((y - y.mean()) ** 2).sum())
    sd = math.sqrt(float((residuals**2).sum()) / max(1, len(x) - 2))
    return Curve(intercept, slope, sd, centre, spread, len(x), 1 - float((residuals**2).sum()) / total)


def outliers(copies: Sequence[float], cq: Sequence[float]) -> list[int]:
    """Wells whose externally studentised residual is beyond its Bonferroni limit at 1 %.

    **Source** Cook & Weisberg 1982, Residuals and Influence in Regression, 2.2.2.
    """
    from scipy.stats import t

    x, y = np.log10(np.asarray(copies)), np.asarray(cq)
    curve, size = fit_curve(copies, cq), len(cq)
    if size < 5:
        return []
    leverage = 1 / size + (x - curve.centre) ** 2 / curve.spread
    residuals = y - curve.intercept - curve.slope * x
    ssr = float((residuals**2).sum())
    variance = (ssr - residuals**2 / (1 - leverage)) / (size - 3)
    studentised = residuals / np.sqrt(np.maximum(variance, 1e-12) * (1 - leverage))
    bar = float(t.ppf(1 - 0.01 / (2 * size), size - 3))
    return [int(index) for index in np.flatnonzero(np.abs(studentised) > bar)]


def predict(curve: Curve, cq: Sequence[float]) -> tuple[float, float, float]:
    """log10 copies of an unknown with its wells, and the 95 % interval (Fieller 1954, J R Stat Soc B 16:175).

    The curve's residual spread stands for that of the unknown's wells.
    """
    from scipy.stats import t

    quantile = float(t.ppf(0.975, curve.wells - 2))
    x = (float(np.mean(cq)) - curve.intercept) / curve.slope
    g = (quantile * curve.sd / curve.slope) ** 2 / curve.spread
    if g >= 1:
        return x, -math.inf, math.inf
    distance = x - curve.centre
    inner = (1 - g) * (1 / len(cq) + 1 / curve.wells) + distance**2 / curve.spread
    half = quantile * curve.sd / abs(curve.slope) * math.sqrt(inner)
    return x, curve.centre + (distance - half) / (1 - g), curve.centre + (distance + half) / (1 - g)


def analyse_qpcr(sheet: Sheet, settings: Mapping[str, float]) -> Finding:
    """Copies of each unknown (in the standard's unit, times its dilution), by the curve of its target.

    Blanks without a target are of every target.
    """
    targets = list(dict.fromkeys(row.word("target") for row in sheet.rows if row.word("role") != "blank")) or [""]
    found = [_target(sheet, item) for item in targets]
    if len(found) > 1:
        found = [_named(item, target or "no target") for item, target in zip(found, targets, strict=True)]
    return Finding(
        "qpcr",
        tuple(one for item in found for one in item.estimates),
        tuple(one for item in found for one in item.validity),
        tuple(one for item in found for one in item.notes),
    )


def _named(item: Finding, target: str) -> Finding:
    """A finding whose names tell the target."""
    return Finding(
        item.kind,
        tuple(replace(one, name=f"{target}: {one.name}") for one in item.estimates),
        tuple(replace(one, name=f"{target}: {one.name}") for one in item.validity),
        tuple(f"{target}: {one}" for one in item.notes),
    )


def _target(whole: Sheet, target: str) -> Finding:
    sheet = replace(
        whole,
        rows=tuple(
            row
            for row in whole.rows
            if row.word("target") == target or (row.word("role") == "blank" and not row.word("target"))
        ),
    )
    standards = [row for row in sheet.rows if row.word("role") == "standard" and row.word("cq")]
    for row in standards:
        if not row.word("copies"):
            raise sheet.error(row, "a standard without copies", "Write how many copies the well holds.")
    copies, cq = [row.number("copies") for row in standards], [row.number("cq") for row in standards]
    if len(standards) < 3:
        of = f" of {target}" if target else ""
        raise InputError(
            f"{len(standards)} standards{of}, at least 3 are needed",
            position=Position(sheet.file),
            remedy="Add standards with their copies; of an instrument's file by a layout of its wells (--layout).",
        )
    dropped = outliers(copies, cq)
    kept = [index for index in range(len(cq)) if index not in dropped]
    curve = fit_curve([copies[index] for index in kept], [cq[index] for index in kept])
    notes = [
        f"line {standards[index].line}: standard left out as an outlier, Cq {cq[index]:g} at {copies[index]:g} copies"
        for index in dropped
    ]
    notes.append(f"Cq = {curve.intercept:.5g} + {curve.slope:.5g} log10(copies), residual {curve.sd:.3g} cycles")
    estimates, beyond, partly = _unknowns(sheet, curve, min(copies), max(copies))
    validity = _validity(sheet, curve, copies, dropped)
    if partly:
        # The mean of the wells that amplified says too much: those without a Cq held less.
        validity.append(check("unknowns with a Cq in some wells only", ", ".join(partly), "none", met=None))
    return Finding("qpcr", tuple(estimates), tuple(validity), (*notes, *beyond))


def _unknowns(sheet: Sheet, curve: Curve, low: float, high: float) -> tuple[list[Estimate], list[str], list[str]]:
    """Estimates, notes, and the names of those with a Cq in some of their wells only."""
    groups: dict[str, list[Row]] = {}
    for row in sheet.rows:
        if row.word("role") == "unknown":
            groups.setdefault(row.word("name") or "unknown", []).append(row)
    estimates, notes, partly = [], [], []
    for name, rows in groups.items():
        dilution = rows[0].number("dilution")
        if any(row.number("dilution") != dilution for row in rows):
            raise sheet.error(rows[0], f"{name} stands here with several dilutions", "Name each dilution apart.")
        seen = [row.number("cq") for row in rows if row.word("cq")]
        if not seen:
            # Wells of the lowest standard may be empty by chance where it holds a few copies only.
            bound = max(low, -math.log(0.05) / len(rows)) * dilution
            estimates.append(Estimate(name, 0.0, 0.0, bound, "copies", bound, detected=False))
            continue
        if len(seen) < len(rows):
            notes.append(f"{name}: {len(rows) - len(seen)} of {len(rows)} wells without a Cq")
            partly.append(name)
        x, start, end = predict(curve, seen)
        if not low <= power(10, x) <= high:
            notes.append(f"{name}: {power(10, x):.3g} copies a well lie outside the standards, {low:g} .. {high:g}")
        estimates.append(
            Estimate.of(name, (power(10, item) * dilution for item in (x, start, end)), "copies", low * dilution)
        )
    return estimates, notes, partly


def _validity(sheet: Sheet, curve: Curve, copies: Sequence[float], dropped: Sequence[int]) -> list[Criterion]:
    low, high = curve.efficiency_interval()
    levels = len(set(copies))
    inside = EFFICIENCY[0] <= curve.efficiency <= EFFICIENCY[1]
    blanks = [row for row in sheet.rows if row.word("role") == "blank"]
    early = [row.number("cq") for row in blanks if row.word("cq")]
    latest = max(
        (row.number("cq") for row in sheet.rows if row.word("role") != "blank" and row.word("cq")), default=math.inf
    )
    clean = all(item >= latest + BLANK_MARGIN for item in early) if blanks else None
    unknown = [row for row in sheet.rows if row.word("role") == "unknown" and row.word("cq")]
    reach = [(row.number("cq") - curve.intercept) / curve.slope for row in unknown]
    inner = all(math.log10(min(copies)) - 0.3 <= item <= math.log10(max(copies)) + 0.3 for item in reach)
    return [
        check("levels of the standard", levels, f">= {LEAST_STANDARDS}", met=levels >= LEAST_STANDARDS),
        check(
            "efficiency",
            f"{100 * curve.efficiency:.3g} % ({100 * low:.3g} .. {100 * high:.3g})",
            "90 .. 110 %",
            met=inside,
        ),
        check("r2", round(curve.r2, 5), f">= {LEAST_R2}", met=curve.r2 >= LEAST_R2),
        check(
            "outliers among the standards",
            len(dropped),
            f"<= {len(copies) // 10}",
            met=len(dropped) <= len(copies) // 10,
        ),
        check(
            "blanks",
            "none was run" if not blanks else f"{len(early)} of {len(blanks)} with a Cq",
            "late or none",
            met=clean,
        ),
        check("unknowns inside the curve", "yes" if inner else "no", "yes", met=inner),
    ]
