"""Droplet digital PCR: copies per mL from positive droplets, with every variance that is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.quality import Criterion
from seedtrain.vectors._assays._estimate import Estimate, Finding, Setting, check
from seedtrain.vectors._fractions import Z95
from seedtrain.vectors._table import Column, Row, Sheet

COLUMNS: Final = (
    Column("target", "word", "target"),
    Column("role", "word", "sample", words=("sample", "blank")),
    Column("series", "word", "1"),
    Column("dilution", "number", "1", 1.0, 1e15),
    Column("positive", "count", None, 0, 1e9),
    Column("accepted", "count", None, 1, 1e9),
)
SETTINGS: Final = (
    Setting("volume", 0.85, 0.01, 100.0, "droplet volume in nL (0.85: Bio-Rad QX200, the maker's software)"),
    Setting("volume_cv", 0.03, 0.0, 0.5, "relative standard deviation of the droplet volume between lots (assumed)"),
    Setting(
        "dilution_cv", 0.03, 0.0, 0.5, "relative standard deviation of a whole dilution, where one series (assumed)"
    ),
)
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
    """Copies per mL of every target.

    With two series or more, independent dilutions, their spread holds dilution, well and droplets: a t interval on the
    logarithm of their means. With one, a t interval of its wells and the setting `dilution_cv`. The droplet volume is
    common to all, and its variance is added in either case (Jacobs et al. 2014, BMC Bioinformatics 15:283).
    """
    estimates, validity, notes = [], [], []
    for target in dict.fromkeys(row.word("target") for row in sheet.rows):
        rows = [row for row in sheet.rows if row.word("target") == target]
        for row in rows:
            if row.count("positive") > row.count("accepted"):
                raise sheet.error(row, "more positive than accepted droplets", "Check the line.")
        samples = [row for row in rows if row.word("role") == "sample"]
        blanks = [row for row in rows if row.word("role") == "blank"]
        if not samples:
            continue
        least = min(row.count("accepted") for row in samples)
        validity.append(
            check(f"{target}: least accepted droplets", least, f">= {LEAST_DROPLETS}", met=least >= LEAST_DROPLETS)
        )
        noise = sum(row.count("positive") for row in blanks) / max(1, sum(row.count("accepted") for row in blanks))
        rate = sum(row.count("positive") for row in samples) / sum(row.count("accepted") for row in samples)
        words = f"{noise:.2g} of the droplets" if blanks else "none was run"
        validity.append(
            check(
                f"{target}: blanks",
                words,
                "at most a tenth of the sample's",
                met=noise <= 0.1 * rate if blanks else None,
            )
            if rate > 0 or not blanks
            else check(f"{target}: blanks", words, "none positive", met=noise == 0)
        )
        wells = _wells(samples, settings["volume"])
        if wells:
            left_out = len(samples) - len(wells)
            if left_out:
                notes.append(f"{target}: {left_out} wells without a usable share of positive droplets were left out")
            estimates.append(_estimate(target, wells, samples, settings))
            validity += _linearity(target, wells)
        elif all(row.count("positive") == 0 for row in samples):
            estimates.append(_nothing(target, samples, settings))
        else:
            validity.append(check(f"{target}: wells below saturation", 0, ">= 1", met=False))
    return Finding("ddpcr", tuple(estimates), tuple(validity), tuple(notes))


def _wells(rows: Sequence[Row], volume: float) -> list[Well]:
    found = []
    for row in rows:
        positive, accepted = row.count("positive"), row.count("accepted")
        share = positive / accepted
        if not 0 < share <= MOST_POSITIVE:
            continue
        copies = copies_per_droplet(positive, accepted)
        variance = share / (accepted * (1 - share)) / copies**2
        found.append(Well(row, copies, variance, copies / volume * 1e6 * row.number("dilution")))
    return found


def _estimate(target: str, wells: Sequence[Well], rows: Sequence[Row], settings: Mapping[str, float]) -> Estimate:
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
        target, value, value * math.exp(-half), value * math.exp(half), "copies/mL", _detectable(rows, settings)
    )


def _detectable(rows: Sequence[Row], settings: Mapping[str, float]) -> float:
    """Copies per mL of which the wells hold one or more with 95 %: 3.0 copies in all droplets, each by its dilution."""
    seen = sum(row.count("accepted") * settings["volume"] * 1e-6 / row.number("dilution") for row in rows)
    return -math.log(0.05) / seen


def _nothing(target: str, rows: Sequence[Row], settings: Mapping[str, float]) -> Estimate:
    bound = _detectable(rows, settings)
    return Estimate(target, 0.0, 0.0, bound, "copies/mL", bound, detected=False)


def _linearity(target: str, wells: Sequence[Well]) -> list[Criterion]:
    from scipy.stats import linregress

    dilutions = [math.log10(well.row.number("dilution")) for well in wells]
    if len(set(dilutions)) < 2 or len(wells) < 4:
        return []
    fit = linregress(dilutions, [math.log10(well.concentration) for well in wells])
    bias = 10 ** abs(fit.slope * (max(dilutions) - min(dilutions))) - 1
    return [check(f"{target}: drift over the dilutions", f"{100 * bias:.3g} %", "<= 25 %", met=bias <= 0.25)]
