"""TCID50 of an endpoint dilution: Spearman-Kaerber, Reed-Muench and maximum likelihood."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from seedtrain.base import InputError, Position
from seedtrain.vectors._assays._estimate import Estimate, Finding, Setting, check, power
from seedtrain.vectors._fractions import Z95
from seedtrain.vectors._table import Column, Sheet

COLUMNS: Final = (
    Column("plate", "word", "1"),
    Column("role", "word", "sample", words=("sample", "control")),
    Column("log10_dilution", "number", "0", -20.0, 0.0),
    Column("wells", "count", None, 1, 10_000),
    Column("infected", "count", None, 0, 10_000),
)
SETTINGS: Final = (Setting("inoculum", 0.1, 1e-4, 100.0, "volume put on each well, mL"),)
LEAST_WELLS: Final = 5


@dataclass(frozen=True)
class Titration:
    """One plate: wells and infected wells at each dilution, from the least diluted on; log10 of the dilutions."""

    dilutions: tuple[float, ...]
    wells: tuple[int, ...]
    infected: tuple[int, ...]

    @property
    def step(self) -> float:
        """log10 of the dilution factor."""
        return self.dilutions[0] - self.dilutions[1]

    @property
    def shares(self) -> tuple[float, ...]:
        """Infected share at each dilution."""
        return tuple(found / total for found, total in zip(self.infected, self.wells, strict=True))

    @property
    def closed(self) -> bool:
        """Whether it runs from all infected to none, as the method wants."""
        return self.shares[0] == 1 and self.shares[-1] == 0


def spearman_kaerber(plate: Titration) -> tuple[float, float]:
    """log10 of the TCID50 per inoculum and its standard error.

    A dilution before the first is taken for all infected, one after the last for none. **Source** Kaerber 1931, Arch
    Exp Pathol Pharmakol 162:480; Finney 1978, Statistical Method in Biological Assay, ch. 18 (variance).
    """
    shares = plate.shares
    endpoint = -plate.dilutions[0] - plate.step / 2 + plate.step * sum(shares)
    variance = sum(p * (1 - p) / max(1, n - 1) for p, n in zip(shares, plate.wells, strict=True))
    return endpoint, plate.step * math.sqrt(variance)


def reed_muench(plate: Titration) -> float | None:
    """log10 of the TCID50 per inoculum, a point without an interval; `None` where 50 % is not crossed.

    **Source** Reed & Muench 1938, Am J Hyg 27:493.
    """
    negative = [total - found for total, found in zip(plate.wells, plate.infected, strict=True)]
    size = len(plate.wells)
    up = [sum(plate.infected[index:]) for index in range(size)]
    down = [sum(negative[: index + 1]) for index in range(size)]
    shares = [high / (high + low) if high + low else 0.0 for high, low in zip(up, down, strict=True)]
    for index in range(size - 1):
        if shares[index] >= 0.5 > shares[index + 1]:
            distance = (shares[index] - 0.5) / (shares[index] - shares[index + 1])
            return -plate.dilutions[index] + distance * plate.step
    return None


def most_likely(plates: Sequence[Titration]) -> tuple[float, float, float] | None:
    """log10 of infectious units per inoculum by maximum likelihood, and its 95 % profile interval.

    One unit infects a well: P = 1 - exp(-units at that dilution). `None` where all or no wells are infected.
    **Source** Fisher 1922, Phil Trans R Soc A 222:309; interval by the likelihood ratio.
    """
    from scipy.optimize import brentq, minimize_scalar

    cells = [
        (10.0**dilution, total, found)
        for plate in plates
        for dilution, total, found in zip(plate.dilutions, plate.wells, plate.infected, strict=True)
    ]
    if not any(found for _dose, _total, found in cells) or all(found == total for _dose, total, found in cells):
        return None

    def loss(log10_units: float) -> float:
        units = 10.0**log10_units
        total_loss = 0.0
        for dose, total, found in cells:
            rate = units * dose
            if found:
                total_loss -= found * math.log(max(-math.expm1(-rate), 1e-300))
            total_loss += (total - found) * rate
        return total_loss

    low, high = -max(item[0] for item in map(_span, plates)) - 4, -min(item[1] for item in map(_span, plates)) + 4
    best = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-9})
    bar = float(best.fun) + Z95**2 / 2
    at = float(best.x)
    start = brentq(lambda x: loss(x) - bar, low - 6, at)
    end = brentq(lambda x: loss(x) - bar, at, high + 6)
    return at, float(start), float(end)


def _span(plate: Titration) -> tuple[float, float]:
    return plate.dilutions[0], plate.dilutions[-1]


def analyse_tcid50(sheet: Sheet, settings: Mapping[str, float]) -> Finding:
    """TCID50 per mL by all three methods; maximum likelihood first, since its interval holds best with few wells.

    Two plates or more: a t interval of their Spearman-Kaerber titres holds what lies between plates as well.
    """
    plates = _plates(sheet)
    controls = [row for row in sheet.rows if row.word("role") == "control"]
    shift = -math.log10(settings["inoculum"])
    estimates, notes = [], []
    likely = most_likely(list(plates.values()))
    if likely is not None:
        # Half of the wells are infected by ln 2 units.
        ends = _between(likely, [most_likely([plate]) for plate in plates.values()])
        values = [power(10, item + shift - math.log10(math.log(2))) for item in ends]
        estimates.append(Estimate.of("titre, maximum likelihood", values, "TCID50/mL"))
        points = [spearman_kaerber(plate) for plate in plates.values()]
        estimates.append(_kaerber(points, shift))
        muench = [item for item in map(reed_muench, plates.values()) if item is not None]
        if muench:
            middle = sum(muench) / len(muench) + shift
            notes.append(f"titre, Reed-Muench, a point without an interval: {10**middle:.4g} TCID50/mL")
    else:
        estimates.append(_extreme(list(plates.values()), settings["inoculum"]))
    least = min(min(plate.wells) for plate in plates.values())
    positive = sum(row.count("infected") for row in controls)
    validity = [
        check("wells at each dilution", least, f">= {LEAST_WELLS}", met=least >= LEAST_WELLS),
        check(
            "dilutions from all infected to none",
            sum(plate.closed for plate in plates.values()),
            f"= {len(plates)}",
            met=True if all(plate.closed for plate in plates.values()) else None,
        ),
        check(
            "infected control wells",
            positive if controls else None,
            "= 0",
            met=positive == 0 if controls else None,
        ),
    ]
    return Finding("tcid50", tuple(estimates), tuple(validity), tuple(notes))


def _between(
    pooled: tuple[float, float, float], single: Sequence[tuple[float, float, float] | None]
) -> tuple[float, float, float]:
    """The pooled titre with the t interval of its plates, never narrower than its own; log10."""
    from scipy.stats import t

    titres = [item[0] for item in single if item is not None]
    if len(titres) < 2 or len(titres) < len(single):
        return pooled
    middle = sum(titres) / len(titres)
    between = sum((item - middle) ** 2 for item in titres) / (len(titres) - 1) / len(titres)
    half = float(t.ppf(0.975, len(titres) - 1)) * math.sqrt(between)
    return pooled[0], min(pooled[1], pooled[0] - half), max(pooled[2], pooled[0] + half)


def _kaerber(points: Sequence[tuple[float, float]], shift: float) -> Estimate:
    from scipy.stats import t

    middle = sum(item[0] for item in points) / len(points)
    within = sum(item[1] ** 2 for item in points) / len(points) ** 2
    half = Z95 * math.sqrt(within)
    if len(points) > 1:
        between = sum((item[0] - middle) ** 2 for item in points) / (len(points) - 1) / len(points)
        half = float(t.ppf(0.975, len(points) - 1)) * math.sqrt(between)
        half = max(half, Z95 * math.sqrt(within))
    ends = [power(10, middle + shift + sign * half) for sign in (0, -1, 1)]
    return Estimate.of("titre, Spearman-Kaerber", ends, "TCID50/mL")


def _extreme(plates: Sequence[Titration], inoculum: float) -> Estimate:
    """All wells infected, or none: a bound only."""
    seen = sum(
        10.0**dilution * total * inoculum
        for plate in plates
        for dilution, total in zip(plate.dilutions, plate.wells, strict=True)
    )
    bound = -math.log(0.05) / seen / math.log(2)
    if not any(sum(plate.infected) for plate in plates):
        return Estimate("titre, maximum likelihood", 0.0, 0.0, bound, "TCID50/mL", bound, detected=False)
    last = min(plate.dilutions[-1] for plate in plates)
    total = sum(plate.wells[-1] for plate in plates)
    least = -math.log(-math.expm1(math.log(0.05) / total)) / (10.0**last * inoculum) / math.log(2)
    return Estimate("titre, maximum likelihood", math.inf, least, math.inf, "TCID50/mL")


def _plates(sheet: Sheet) -> dict[str, Titration]:
    found: dict[str, list[tuple[float, int, int]]] = {}
    for row in sheet.rows:
        if row.count("infected") > row.count("wells"):
            raise sheet.error(row, "more infected wells than wells", "Check the line.")
        if row.word("role") == "sample":
            entry = (row.number("log10_dilution"), row.count("wells"), row.count("infected"))
            held = found.setdefault(row.word("plate"), [])
            if any(abs(entry[0] - other[0]) < 1e-9 for other in held):
                raise sheet.error(row, "this dilution stands twice on the plate", "Add its wells up, or name a plate.")
            held.append(entry)
    plates = {}
    for name, entries in found.items():
        entries.sort(reverse=True)
        steps = [one[0] - two[0] for one, two in pairwise(entries)]
        if not steps or max(steps) - min(steps) > 1e-6:
            raise InputError(
                f"plate {name}: dilutions are not evenly spaced, or there is but one",
                position=Position(sheet.file),
                remedy="Give every dilution of the series, evenly spaced.",
            )
        dilutions, wells, infected = zip(*entries, strict=True)
        plates[name] = Titration(dilutions, wells, infected)
    if not plates:
        raise InputError("no wells of the sample", position=Position(sheet.file), remedy="Add rows of the sample.")
    return plates
