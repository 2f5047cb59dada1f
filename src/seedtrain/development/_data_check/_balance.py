"""What amounts say: how much sampling took, and whether the carbon of a run is all there."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

import numpy as np

from seedtrain.base import translate as _
from seedtrain.development._data_check._findings import Finding, Floats
from seedtrain.simulation import Balance, Culture, Run

SAMPLED: Final = 0.03
"""Part of the broth that samples may take before it is told; assumed."""
OPEN: Final = 0.10
"""Part of the carbon that may be missing before it is told; assumed: what assays and exit gas together resolve."""


def _known(run: Run, symbol: str) -> tuple[Floats, Floats] | None:
    if symbol not in run.variables:
        return None
    values = run[symbol]
    kept = np.isfinite(values)
    return (run.time[kept], values[kept]) if kept.any() else None


def sampling(name: str, run: Run) -> list[Finding]:
    """How much of the broth samples took, and by which factor amounts per run must be corrected for it."""
    taken, volume = _known(run, "sample_volume"), _known(run, "V")
    if taken is None or volume is None:
        return []
    times, drawn = taken
    shares = drawn / np.maximum(np.interp(times, *volume), 1e-300)
    kept = float(np.prod(1.0 - np.clip(shares, 0.0, 1.0)))
    if 1.0 - kept < SAMPLED:
        return []
    words = _(
        "{count} samples took {litres} L, {percent} % of what was in the vessel: amounts at the end times {factor} are "
        "those without sampling; concentrations need no correction"
    ).format(count=len(drawn), litres=f"{drawn.sum():.3g}", percent=f"{100 * (1 - kept):.1f}", factor=f"{1 / kept:.4g}")
    remedy = _("Take smaller samples, or put them into the recipe.")
    return [Finding("sampling", name, "sample_volume", words, remedy)]


def carbon(name: str, run: Run, fed: Mapping[str, float], culture: Culture) -> tuple[Run, list[Finding]]:
    """The run with its carbon balance, where volume, every large pool and exit gas were measured, else as it is.

    - `fed`: g/L (or the culture's unit) of each species in the feed `F`.

    From the first to the last reading of biomass. Biomass that was read as dry cell weight alone is that less what else
    was read of the cells; a pool keeps its first and last readings, but a product is none before its first.
    """
    volume, gas = _known(run, "V"), _known(run, "CER")
    known = _pools(run, culture)
    pools = list(known)
    if volume is None or gas is None or culture.biomass not in pools or len(pools) < 2:
        return run, []
    made = {symbol: culture.species[symbol].intracellular and symbol != culture.biomass for symbol in pools}
    per_unit = {symbol: culture.compositions[symbol].elements["C"] for symbol in {*pools, *fed} & set(culture.species)}

    def pool(time: float) -> float:
        litres = float(np.interp(time, *volume))
        return litres * sum(per_unit[s] * float(_held(time, known[s], product=made[s])) for s in pools)

    times = known[culture.biomass][0]
    begin, end = max(float(times[0]), float(gas[0][0])), min(float(times[-1]), float(gas[0][-1]))
    if not end > begin:
        return run, []
    grid = np.unique(np.concatenate([[begin, end], gas[0][(gas[0] > begin) & (gas[0] < end)]]))
    left = _integral(grid, np.interp(grid, *gas) * np.interp(grid, *volume)) / 1000
    feed = _known(run, "F")
    if feed is not None and not fed and bool((feed[1] > 0).any()):
        words = _("the carbon balance is left out: nothing says what the feed holds")
        remedy = _("Write it into the mapping, g/L of each species: fed: {S: 500}.")
        return run, [Finding("balance", name, "carbon", words, remedy)]
    came = 0.0
    if feed is not None and fed:
        fine = np.unique(np.concatenate([[begin, end], feed[0][(feed[0] > begin) & (feed[0] < end)]]))
        came = _integral(fine, np.interp(fine, *feed)) * sum(per_unit.get(s, 0.0) * value for s, value in fed.items())
    balance = Balance("carbon", "mol", came + pool(begin), left, pool(end))
    run = dataclasses.replace(run, balances=(*run.balances, balance))
    if abs(balance.relative) <= OPEN:
        return run, []
    side = _("missing") if balance.residual > 0 else _("too much")
    text = _("carbon: {came} mol came, {left} left as CO2 and {there} are there at the end: {percent} % {side}")
    words = text.format(
        came=f"{balance.inlet:.4g}", left=f"{balance.outlet:.4g}", there=f"{balance.accumulated:.4g}",
        percent=f"{100 * abs(balance.relative):.0f}", side=side,
    )  # fmt: skip
    remedy = _("Check units, the exit gas and the feed's content; or measure what else is formed.")
    return run, [Finding("balance", name, "carbon", words, remedy)]


def _held(time: float | Floats, read: tuple[Floats, Floats], *, product: bool) -> Floats:
    """Readings at other times: on lines between them, and as the nearest beyond; a `product` is 0 before its first."""
    return np.asarray(np.interp(time, *read, left=0.0 if product else None))


def _pools(run: Run, culture: Culture) -> dict[str, tuple[Floats, Floats]]:
    """Times and readings of every species that was read, in its unit."""
    found = {symbol: read for symbol in culture.species if (read := _known(run, symbol)) is not None}
    cells = _known(run, "DCW")
    if culture.biomass in found or cells is None:
        return found
    times, weight = cells
    for symbol, (when, values) in found.items():
        if culture.species[symbol].intracellular:
            weight = weight - culture.masses[symbol] * _held(times, (when, values), product=True)
    return {culture.biomass: (times, np.maximum(weight, 0.0) / culture.masses[culture.biomass]), **found}


def _integral(x: Floats, y: Floats) -> float:
    return float(np.sum(0.5 * (y[1:] + y[:-1]) * np.diff(x)))
