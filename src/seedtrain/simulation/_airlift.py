"""Bubble columns and airlifts: gas hold-up, oxygen transfer and the circulation that rising gas drives."""

from __future__ import annotations

import math
from typing import Final

from seedtrain.simulation._estimate import BROTH_DENSITY, GRAVITY, Estimate
from seedtrain.simulation._vessel import Airlift

COLUMN_FACTOR: Final = 3600 * 0.32  # kLa = COLUMN_FACTOR u^COLUMN_EXPONENT, 1/h with u in m/s, see `column_kLa`
COLUMN_EXPONENT: Final = 0.7
HOLD_UP_FACTOR: Final = 0.6  # of the same source: gas hold-up 0.6 u^0.7
DOWNCOMER_SHARE: Final = 0.89
"""Gas hold-up of the downcomer over that of the riser. Bello, Robinson & Moo-Young 1985, Biotechnol. Bioeng. 27:369;
unverified."""
CIRCULATIONS: Final = 5.0  # circulations until 95 % homogeneity, assumed: 4 to 7 are quoted for airlifts


def column_kLa(gas_velocity: float) -> Estimate:
    """Oxygen transfer coefficient of a bubble column or airlift in coalescing liquid, 1/h, within some 30 %.

    - `gas_velocity`: superficial, over the whole cross section, at the mean pressure, m/s.
    **Source** Heijnen & van 't Riet 1984, Chem. Eng. J. 28:B21: 0.32 u^0.7 in 1/s for coarse bubbles, columns 0.08 to
    11.6 m wide, u up to 0.3 m/s (from memory of the field; the original was not at hand). Salts that hinder
    coalescence raise it.
    """
    value = COLUMN_FACTOR * gas_velocity**COLUMN_EXPONENT if gas_velocity > 0 else 0.0
    return Estimate(value, 0.01 <= gas_velocity <= 0.3, "Heijnen & van 't Riet 1984", "unverified", 0.3)


def gas_hold_up(gas_velocity: float) -> Estimate:
    """Part of the dispersion that is gas; `gas_velocity` and **source** as `column_kLa`."""
    value = HOLD_UP_FACTOR * gas_velocity**COLUMN_EXPONENT if gas_velocity > 0 else 0.0
    return Estimate(value, 0.01 <= gas_velocity <= 0.3, "Heijnen & van 't Riet 1984", "unverified")


def gas_power(gas_velocity: float) -> float:
    """Power of the rising gas, W/m3: weight of the liquid times the gas velocity. **Source** Chisti 1989, ch. 3."""
    return BROTH_DENSITY * GRAVITY * gas_velocity


def circulation_velocity(vessel: Airlift, gas_velocity: float, volume: float) -> Estimate:
    """Superficial velocity of the liquid in the riser, m/s; `gas_velocity` over the whole column m/s, `volume` L.

    **Source** Chisti, Halard & Moo-Young 1988, Chem. Eng. Sci. 43:451: (2 g h (e_r - e_d) / (K_B (A_r/A_d)^2 /
    (1 - e_d)^2))^0.5 with K_B = 11.402 (A_d/A_b)^0.789 for 0.2 < A_d/A_b < 1.8 (from memory of the field; the original
    was not at hand). The hold-ups of riser and downcomer share that of the column (derived).
    """
    riser, downcomer = vessel.riser_area, vessel.downcomer_area
    total = gas_hold_up(gas_velocity).value
    in_riser = total * vessel.area / (riser + DOWNCOMER_SHARE * downcomer)
    in_downcomer = DOWNCOMER_SHARE * in_riser
    ratio = downcomer / vessel.gap_area
    loss = 11.402 * ratio**0.789 * (riser / downcomer) ** 2 / (1 - in_downcomer) ** 2
    value = math.sqrt(2 * GRAVITY * vessel.height(volume) * (in_riser - in_downcomer) / loss)
    in_range = 0.01 <= gas_velocity <= 0.3 and 0.2 < ratio < 1.8
    return Estimate(value, in_range, "Chisti et al. 1988", "unverified")


def circulation_time(vessel: Airlift, gas_velocity: float, volume: float) -> Estimate:
    """Time in which the liquid passes the riser once, s: `volume` (L) over what the riser carries; inf without gas."""
    speed = circulation_velocity(vessel, gas_velocity, volume)
    flow = speed.value * vessel.riser_area
    return Estimate(volume / 1000 / flow if flow > 0 else math.inf, speed.in_range, speed.source, speed.status)


def column_mixing_time(vessel: Airlift, gas_velocity: float, volume: float) -> Estimate:
    """Time to 95 % homogeneity, s: some circulations (`CIRCULATIONS`, assumed)."""
    once = circulation_time(vessel, gas_velocity, volume)
    return Estimate(CIRCULATIONS * once.value, once.in_range, once.source, once.status)
