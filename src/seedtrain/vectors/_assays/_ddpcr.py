"""Droplet digital PCR: copies per mL from positive droplets, with every variance that is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.base import InputError, Position
from seedtrain.quality import Criterion
from seedtrain.vectors._assays._estimate import Estimate, Finding, Setting, check, power
from seedtrain.vectors._fractions import Z95
from seedtrain.vectors._table import Column, Row, Sheet

COLUMNS: Final = (
    Column("name", "word", ""),
    Column("target", "word", ""),
    Column("role", "word", "sample", words=("sample", "blank", "control")),
    Column("series", "word", "1"),
    Column("dilution", "number", "1", 1.0, 1e15),
    Column("positive", "count", None, 0, 1e9),
    Column("accepted", "count", None, 1, 1e9),
    Column("volume", "number", "", 0.01, 100.0),
)
SETTINGS: Final = (
    Setting("volume", 0.85, 0.01, 100.0, "droplet volume in nL (0.85: Bio-Rad QX200, the maker's software)"),
    Setting("volume_cv", 0.03, 0.0, 0.5, "relative standard deviation of the droplet volume between lots (assumed)"),
    Setting(
        "dilution_cv", 0.03, 0.0, 0.5, "relative standard deviation of a whole dilution, where one series (assumed)"
    ),
)
LEAST_WELLS: Final = 2
"""Wells of which the scatter between wells can be seen."""
LEAST_DROPLETS: Final = 10_000
"""Accepted droplets of a valid well (dMIQE group 2020, Clin Chem 66:1012, as the field has it; assumed here)."""
MOST_POSITIVE: Final = 0.95
"""Share of positive droplets beyond which a well says little; such wells are left out (assumed)."""


@dataclass(frozen=True)
class Well:
    """One well: copies per droplet, its Poisson variance on the logarithm, and the copies per mL of the sample."""

    row: Row
    copies: float
    variance: float
    concentration: float


def copies_per_droplet(positive: int, accepted: int) -> float:
    """Mean copies of a droplet: -ln(1 - positive/accepted) (Hindson et al. 2011, Anal Chem 83:8604)."""
    return -math.log1p(-positive / accepted)


def analyse_ddpcr(sheet: Sheet, settings: Mapping[str, float]) -> Finding:
    """Copies per mL of every sample (`name`) and target; blanks and positive controls are of their target, or
    of all where they name none.

    With two series or more, independent dilutions, their spread holds dilution, well and droplets: a t interval on the
    logarithm of their means. With one, a t interval of its wells and the setting `dilution_cv`. The droplet volume is
    common to all, and its variance is added in either case (Jacobs et al. 2014, BMC Bioinformatics 15:283). Where wells
    without a positive droplet stand beside others, all are counted together (`_pooled`).
    """
    for row in sheet.rows:
        if row.count("positive") > row.count("accepted"):
            raise sheet.error(row, "more positive than accepted droplets", "Check the line.")
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in sheet.rows:
        if row.word("role") == "sample":
            groups.setdefault((row.word("name"), row.word("target")), []).append(row)
    if not groups:
        raise InputError("no wells of a sample", position=Position(sheet.file), remedy="Add rows with the role sample.")
    found = []
    for (name, target), rows in groups.items():
        label = f"{name}, {target or 'target'}" if name else target or "target"
        others = [row for row in sheet.rows if row.word("target") in ("", target) and row.word("role") != "sample"]
        found.append(_one(label, rows, others, settings))
    notes = [note for item in found for note in item.notes]
    given = sorted({row.number("volume") for row in sheet.rows if row.word("volume")})
    if given:
        notes.append(f"droplet volume by the table, not the setting: {given[0]:g} .. {given[-1]:g} nL")
    return Finding(
        "ddpcr",
        tuple(one for item in found for one in item.estimates),
        tuple(one for item in found for one in item.validity),
        tuple(notes),
    )


def _one(label: str, rows: Sequence[Row], others: Sequence[Row], settings: Mapping[str, float]) -> Finding:
    """One sample and target; `others` are its blanks and positive controls."""
    validity = _controls(label, rows, others)
    notes = []
    below = [row for row in rows if row.count("positive") <= MOST_POSITIVE * row.count("accepted")]
    found = [row for row in below if row.count("positive")]
    if not found and len(below) < len(rows):
        validity.append(check(f"{label}: wells below saturation", 0, ">= 1", met=False))
        return Finding("ddpcr", (), tuple(validity))
    if len(below) < len(rows):
        notes.append(f"{label}: {len(rows) - len(below)} wells with more positive droplets than tell were left out")
    if not found:
        return Finding("ddpcr", (_nothing(label, rows, settings),), tuple(validity))
    wells = _wells(found, settings)
    if len(found) == len(below):
        item = _estimate(label, wells, rows, settings)
    else:
        notes.append(f"{label}: {len(below) - len(found)} wells without a positive droplet: all are pooled")
        item = _pooled(label, below, settings)
    enough = True if len(below) >= LEAST_WELLS else None
    validity.append(check(f"{label}: wells", len(below), f">= {LEAST_WELLS}", met=enough))
    return Finding("ddpcr", (item,), (*validity, *_linearity(label, wells)), tuple(notes))


def _controls(label: str, samples: Sequence[Row], others: Sequence[Row]) -> list[Criterion]:
    """Droplets enough, clean blanks, and a positive control where it was run or where nothing else shows the assay."""
    blanks = [row for row in others if row.word("role") == "blank"]
    controls = [row for row in others if row.word("role") == "control"]
    least = min(row.count("accepted") for row in samples)
    found = [check(f"{label}: least accepted droplets", least, f">= {LEAST_DROPLETS}", met=least >= LEAST_DROPLETS)]
    noise = sum(row.count("positive") for row in blanks) / max(1, sum(row.count("accepted") for row in blanks))
    rate = sum(row.count("positive") for row in samples) / sum(row.count("accepted") for row in samples)
    words = f"{noise:.2g} of the droplets" if blanks else "none was run"
    wanted, met = ("at most a tenth of the sample's", noise <= 0.1 * rate) if rate else ("none positive", noise == 0)
    found.append(check(f"{label}: blanks", words, wanted, met=met if blanks else None))
    if controls or not rate:
        working = sum(row.count("positive") > 0 for row in controls)
        words = f"{working} of {len(controls)} with positive droplets" if controls else "none was run"
        met_all = working == len(controls) if controls else None
        found.append(check(f"{label}: positive controls", words, "all positive", met=met_all))
    return found


def volume_of(row: Row, settings: Mapping[str, float]) -> float:
    """The droplet's volume, mL: of the row, or the setting."""
    return (row.number("volume") if row.word("volume") else settings["volume"]) * 1e-6


def _wells(rows: Sequence[Row], settings: Mapping[str, float]) -> list[Well]:
    found = []
    for row in rows:
        positive, accepted = row.count("positive"), row.count("accepted")
        share = positive / accepted
        copies = copies_per_droplet(positive, accepted)
        variance = share / (accepted * (1 - share)) / copies**2
        found.append(Well(row, copies, variance, copies / volume_of(row, settings) * row.number("dilution")))
    return found


def _pooled(label: str, rows: Sequence[Row], settings: Mapping[str, float]) -> Estimate:
    """Copies over volume of all wells, those without a positive droplet included: leaving them out reads too high.

    The exact interval of a Poisson count (Garwood 1936, Biometrika 28:437), on the logarithm, as much wider as the
    wells scatter more than chance (Pearson's chi square over its degrees of freedom).
    """
    from scipy.stats import chi2, t

    copies = [copies_per_droplet(row.count("positive"), row.count("accepted")) * row.count("accepted") for row in rows]
    volumes = [row.count("accepted") * volume_of(row, settings) / row.number("dilution") for row in rows]
    total = sum(copies)
    value = total / sum(volumes)
    excess = 1.0
    if len(rows) > 1:
        squares = sum((k - value * v) ** 2 / (value * v) for k, v in zip(copies, volumes, strict=True))
        excess = max(1.0, math.sqrt(squares / (len(rows) - 1)) * float(t.ppf(0.975, len(rows) - 1)) / Z95)
    one_series = len({row.word("series") for row in rows}) == 1
    common = Z95**2 * (settings["volume_cv"] ** 2 + (settings["dilution_cv"] ** 2 if one_series else 0.0))
    ends = float(chi2.ppf(0.025, 2 * total)) / 2 / total, float(chi2.ppf(0.975, 2 * total + 2)) / 2 / total
    low, high = (math.hypot(excess * math.log(end), math.sqrt(common)) for end in ends)
    return Estimate(
        label, value, value * power(math.e, -low), value * power(math.e, high), "copies/mL", _detectable(rows, settings)
    )


def _estimate(label: str, wells: Sequence[Well], rows: Sequence[Row], settings: Mapping[str, float]) -> Estimate:
    from scipy.stats import t

    series: dict[str, list[Well]] = {}
    for well in wells:
        series.setdefault(well.row.word("series"), []).append(well)
    logs = {name: [math.log(item.concentration) for item in group] for name, group in series.items()}
    if len(logs) > 1:
        means = np.array([np.mean(group) for group in logs.values()])
    else:
        means = np.array(next(iter(logs.values())))
    middle = float(means.mean())
    poisson = sum(well.variance for well in wells) / len(wells) ** 2
    if len(means) > 1:
        # Never below what droplets alone allow.
        spread = max(float(means.var(ddof=1)) / len(means), poisson)
        half_squared = float(t.ppf(0.975, len(means) - 1)) ** 2 * spread
    else:
        half_squared = Z95**2 * poisson
    common = settings["volume_cv"] ** 2 + (settings["dilution_cv"] ** 2 if len(logs) == 1 else 0.0)
    half = math.sqrt(half_squared + Z95**2 * common)
    value = math.exp(middle)
    return Estimate(
        label,
        value,
        value * power(math.e, -half),
        value * power(math.e, half),
        "copies/mL",
        _detectable(rows, settings),
    )


def _detectable(rows: Sequence[Row], settings: Mapping[str, float]) -> float:
    """Copies per mL of which the wells hold one or more with 95 %: 3.0 copies in all droplets, each by its dilution."""
    seen = sum(row.count("accepted") * volume_of(row, settings) / row.number("dilution") for row in rows)
    return -math.log(0.05) / seen


def _nothing(label: str, rows: Sequence[Row], settings: Mapping[str, float]) -> Estimate:
    bound = _detectable(rows, settings)
    return Estimate(label, 0.0, 0.0, bound, "copies/mL", bound, detected=False)


def _linearity(label: str, wells: Sequence[Well]) -> list[Criterion]:
    from scipy.stats import linregress

    dilutions = [math.log10(well.row.number("dilution")) for well in wells]
    if len(set(dilutions)) < 2 or len(wells) < 4:
        return []
    fit = linregress(dilutions, [math.log10(well.concentration) for well in wells])
    bias = 10 ** abs(fit.slope * (max(dilutions) - min(dilutions))) - 1
    return [check(f"{label}: drift over the dilutions", f"{100 * bias:.3g} %", "<= 25 %", met=bias <= 0.25)]
