"""Disc-stack centrifuge by the Sigma concept: what settles faster than the flux Q/Sigma is recovered."""

from __future__ import annotations

import dataclasses
import math
from typing import Final

from seedtrain.simulation._downstream._mix import chill, solids, split
from seedtrain.simulation._downstream._operation import Carry, Operation, Settings, assumed, share
from seedtrain.simulation._downstream._result import course, result
from seedtrain.simulation._downstream._sources import AMBLER_1959, HARRISON_2015, RICHARDSON_ZAKI_1954
from seedtrain.simulation._stream import StepResult

GRAVITY: Final = 9.81
"""m/s2."""
RICHARDSON_ZAKI: Final = 4.65
"""Exponent of hindered settling at low Reynolds number (Richardson & Zaki 1954)."""
DRY_VOLUME: Final = 0.75e-3
"""L per g of dry biomass; assumed, the partial specific volume of protein."""

LEVERS: Final = (
    assumed("density_difference", 70.0, 30.0, 110.0, "g/L", "assumed: cells of 1.07 g/mL; debris and flocs are alike"),
    assumed("viscosity", 1.5, 1.2, 3.0, "mPa s", "assumed: broth at 10 degC, a little above water (1.31)"),
    assumed("size_spread", 1.5, 1.2, 2.2, "", "assumed: geometric standard deviation of the particle size"),
    assumed("cell_volume", 3.2, 2.8, 4.0, "mL/g", "assumed: packed wet cells per dry mass (28 % dry, 1.1 g/mL)"),
    assumed("debris_volume", 2.5, 2.0, 4.0, "mL/g", "assumed: packed wet debris and precipitate per dry mass"),
    share("discharge_loss", 0.01, 0.0, 0.03, "assumed: solids lost with discharges and flushing"),
    assumed("run_time", 3.0, 1.0, 8.0, "h", "assumed: the centrifuge is chosen so large that this holds"),
    assumed("specific_energy", 7.0, 2.0, 12.0, "kWh/m3", "assumed: bowl drive of a disc stack at high Sigma"),
)


def settling_velocity(diameter: float, density_difference: float, viscosity: float, solids_volume: float) -> float:
    """Velocity of a particle under gravity, hindered by the others, m/s.

    - `diameter` um, `density_difference` g/L, `viscosity` mPa s, `solids_volume` L of wet solids per L.

    **Source** Stokes (Harrison et al. 2015, eq. 5.2.2); Richardson & Zaki 1954.
    """
    stokes = density_difference * GRAVITY * (diameter * 1e-6) ** 2 / (18.0 * viscosity * 1e-3)
    return float(stokes * (1.0 - min(solids_volume, 0.6)) ** RICHARDSON_ZAKI)


def recovery(median_velocity: float, spread: float, flux: float) -> float:
    """Mass of particles recovered, as a fraction.

    - `median_velocity` m/s: settling velocity of the particle of median size; `spread`: geometric standard deviation
      of a log-normal size distribution by mass; `flux` m/s: Q/Sigma.

    A particle of velocity v is recovered with probability min(1, v/flux) (plug flow between discs), which integrates
    in closed form because v grows with the square of the size. **Source** Ambler 1959 for Sigma.
    """
    if median_velocity <= 0:
        return 0.0
    sigma = math.log(max(spread, 1.0 + 1e-9))
    cut = 0.5 * math.log(flux / median_velocity)
    above = _normal(-cut / sigma)
    below = (median_velocity / flux) * math.exp(2.0 * sigma**2) * _normal(cut / sigma - 2.0 * sigma)
    return min(1.0, above + below)


def _normal(value: float) -> float:
    return 0.5 * math.erfc(-value / math.sqrt(2.0))


def run(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Separate; the side that holds most of the product goes on."""
    flux, packing = settings.number("flux"), settings.number("solids_fraction")
    feed, cooling = chill(carry.stream, settings.number("temperature", carry.stream.temperature))
    bound = solids(feed)
    wet = _wet_volume(settings, bound)
    velocity = settling_velocity(
        feed.particle_size,
        settings.lever("density_difference"),
        settings.lever("viscosity"),
        wet / feed.volume if feed.volume > 0 else 0.0,
    )
    settled = recovery(velocity, settings.lever("size_spread"), flux) * (1.0 - settings.lever("discharge_loss"))
    volume = min(settled * wet / packing, 0.95 * feed.volume)
    dry = sum(value for key, value in bound.items() if key != "endotoxin") * DRY_VOLUME
    free = feed.volume - dry
    liquid = min(1.0, max(0.0, (volume - settled * dry) / free)) if free > 0 else 1.0
    heavy, light = split(feed, ("sediment", "supernatant"), volume, lambda _: liquid, lambda _: settled)
    keep_heavy = heavy.masses.get("product", 0.0) >= light.masses.get("product", 0.0)
    kept, waste = (heavy, light) if keep_heavy else (light, heavy)
    hours = settings.lever("run_time")
    sigma = feed.volume / 1000.0 / 3600.0 / hours / flux
    size = settings.bounded("sigma", sigma)
    number = settings.parallel("sigma", size)
    power = settings.lever("specific_energy") * feed.volume / 1000.0
    step = result(
        settings,
        (carry.stream,),
        kept,
        (waste,),
        hours * sigma / size,
        utilities={"electricity": (power, "kWh"), "cooling": (cooling + power, "kWh")},
        performance={
            "cell_loss": (100.0 * (1.0 - settled), "%"),
            "solids_recovery": (100.0 * settled, "%"),
            "settling_velocity": (velocity, "m/s"),
            "flux": (flux, "m/s"),
            "solids_fraction": (settled * wet / volume if volume > 0 else 0.0, ""),
        },
        equipment={"sigma": (size / number, "m2"), "parallel": (float(number), "")},
        trajectory=course(hours * sigma / size, volume=lambda time: feed.volume * time / (hours * sigma / size)),
        sources=(AMBLER_1959, RICHARDSON_ZAKI_1954, HARRISON_2015),
    )
    return step, dataclasses.replace(carry, stream=kept)


def _wet_volume(settings: Settings, bound: dict[str, float]) -> float:
    """L of packed wet solids."""
    intact = bound["cells"] > 0 and bound["debris"] <= 0
    if intact:
        dry = sum(value for key, value in bound.items() if key != "endotoxin")
        return dry * settings.lever("cell_volume") * 1e-3
    rest = sum(value for key, value in bound.items() if key not in ("endotoxin", "cells"))
    return (bound["cells"] * settings.lever("cell_volume") + rest * settings.lever("debris_volume")) * 1e-3


CENTRIFUGE: Final = Operation(
    "centrifuge", {"flux": "m/s", "solids_fraction": "", "temperature": "degC"}, (), LEVERS, run
)
