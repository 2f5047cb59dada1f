"""Soft sensors from the exit gas."""

from __future__ import annotations

from typing import Final

from seedtrain.simulation import CO2_IN_AIR, NORMAL_VOLUME, OXYGEN_IN_AIR

MOLE: Final = 60.0 / NORMAL_VOLUME * 1000.0  # mmol/h in one normal L/min


def gas_balance(
    air: float,
    oxygen: float,
    nitrogen: float,
    carbon_dioxide: float,
    exit_oxygen: float,
    exit_carbon_dioxide: float,
    volume: float,
) -> dict[str, float]:
    """Oxygen uptake and carbon dioxide evolution, mmol/L/h, and their quotient, from dry gas in and out.

    - gas in: normal L/min of each. - exit: mole fractions in dry gas. - `volume`: L of broth.

    What is inert goes in and out alike, so that the flow out need not be measured. Without inert gas nothing can be
    said: zeros.
    """
    inert = air * (1 - OXYGEN_IN_AIR - CO2_IN_AIR) + nitrogen
    left = 1.0 - exit_oxygen - exit_carbon_dioxide
    if inert <= 0 or left <= 0 or volume <= 0:
        return {"OUR": 0.0, "CER": 0.0, "RQ": float("nan")}
    out = inert / left
    OUR = (air * OXYGEN_IN_AIR + oxygen - out * exit_oxygen) * MOLE / volume
    CER = (out * exit_carbon_dioxide - air * CO2_IN_AIR - carbon_dioxide) * MOLE / volume
    return {"OUR": OUR, "CER": CER, "RQ": CER / OUR if OUR > 0 else float("nan")}
