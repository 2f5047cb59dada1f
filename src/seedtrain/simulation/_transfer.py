"""Gas, mixing and heat in vessels: published correlations, each with the range in which it was measured.

Every correlation returns an `Estimate`: the value and whether its inputs lie inside the published range.
"""

from __future__ import annotations

import math
from typing import Final

from seedtrain.simulation._estimate import BROTH_DENSITY, BROTH_VISCOSITY, GRAVITY
from seedtrain.simulation._estimate import Estimate as Estimate
from seedtrain.simulation._vessel import FLASK_EXCHANGE as FLASK_EXCHANGE
from seedtrain.simulation._vessel import Airlift, Sparged, StirredTank, Vessel

GAS_CONSTANT: Final = 8.314462618  # J/mol/K
ATMOSPHERE: Final = 1.01325  # bar
NORMAL_VOLUME: Final = 22.413969  # L/mol at 0 degC and 1 atm (CODATA)
OXYGEN_IN_AIR: Final = 0.20946  # mol/mol of dry air
CO2_IN_AIR: Final = 0.00042  # mol/mol of dry air
HEAT_CAPACITY: Final = 4.1e6  # J/m3/K of broth, assumed: near water
HEAT_OF_RESPIRATION: Final = 460.0
"""kJ/mol O2. Heat follows oxygen uptake: Cooney, Wang & Mateles 1969, Biotechnol. Bioeng. 11:269; the round figure for
aerobic growth: Doran 2013, Bioprocess Engineering Principles, 2nd ed., section 5.9."""
CO2_TRANSFER_RATIO: Final = 0.89  # kLa of CO2 over that of O2. Royce & Thornhill 1991, AIChE J. 37:1680
KLA_SPREAD: Final = 0.4  # of both correlations: van 't Riet 1979 says 20 to 40 %, the wider end is shown
DRIVE_EFFICIENCY: Final = 0.85  # shaft power over electric power, assumed


def kLa_coalescing(power_per_volume: float, gas_velocity: float, volume: float) -> Estimate:
    """Oxygen transfer coefficient in coalescing (pure) liquid, 1/h, within some 20 to 40 %.

    - `power_per_volume`: gassed, W/m3. - `gas_velocity`: superficial, m/s. - `volume`: L.
    **Source** van 't Riet 1979, Ind. Eng. Chem. Process Des. Dev. 18:357, eq. for 2 L to 2.6 m3, 500 to 10000 W/m3.
    """
    value = 3600 * 0.026 * power_per_volume**0.4 * gas_velocity**0.5
    return Estimate(
        value,
        500 <= power_per_volume <= 10_000 and 2 <= volume <= 2600,
        "van 't Riet 1979, coalescing",
        spread=KLA_SPREAD,
    )


def kLa_non_coalescing(power_per_volume: float, gas_velocity: float, volume: float) -> Estimate:
    """Oxygen transfer coefficient in non-coalescing (salty) liquid, 1/h, within some 20 to 40 %.

    Arguments and **source** as `kLa_coalescing`; measured from 2 L to 4.4 m3.
    """
    value = 3600 * 0.002 * power_per_volume**0.7 * gas_velocity**0.2
    in_range = 500 <= power_per_volume <= 10_000 and 2 <= volume <= 4400
    return Estimate(value, in_range, "van 't Riet 1979, non-coalescing", spread=KLA_SPREAD)


def ungassed_power(tank: StirredTank, speed: float) -> float:
    """Shaft power of all impellers without gas, W; `speed` in 1/min, turbulent."""
    return tank.impellers * tank.power_number * BROTH_DENSITY * (speed / 60) ** 3 * tank.impeller_diameter**5


def gassed_power(tank: StirredTank, speed: float, gas_flow: float, volume: float) -> Estimate:
    """Shaft power with gas, W; `speed` 1/min, `gas_flow` m3/s at vessel conditions, `volume` L.

    **Source** Hughmark 1980, Ind. Eng. Chem. Process Des. Dev. 19:638: Pg/P = 0.10 (Q/NV)^-0.25 (N2 D4/g W V^2/3)^-0.20
    for Rushton turbines with blade width W = D/5; never above the power without gas.
    """
    bare = ungassed_power(tank, speed)
    if gas_flow <= 0 or speed <= 0:
        return Estimate(bare, True, "no gas")
    ratio = hughmark_ratio(tank, speed, gas_flow, volume)
    in_range = tank.impeller == "rushton" and 0.1 <= ratio <= 1
    return Estimate(bare * min(1.0, ratio), in_range, "Hughmark 1980")


def hughmark_ratio(tank: StirredTank, speed: float, gas_flow: float, volume: float) -> float:
    """Power with gas over power without, as `gassed_power` states it but without its upper bound of 1."""
    n, d, v = speed / 60, tank.impeller_diameter, volume / 1000
    return float(0.10 * (gas_flow / (n * v)) ** -0.25 * (n**2 * d**4 / (GRAVITY * d / 5 * v ** (2 / 3))) ** -0.20)


GASSED_SPEED_EXPONENT: Final = 3 + 0.25 - 2 * 0.20
"""How gassed power grows with speed by Hughmark 1980: N^3 (N^-1)^-0.25 (N^2)^-0.20."""


def speed_of_power(tank: StirredTank, power: float, gas_flow: float, volume: float) -> float:
    """The speed that draws `power` (W) under gas, 1/min; the inverse of `gassed_power` in the speed."""
    bare = ungassed_power(tank, 60.0)
    free = 60 * (power / bare) ** (1 / 3)
    if gas_flow <= 0:
        return float(free)
    gassed = bare * hughmark_ratio(tank, 60.0, gas_flow, volume)
    return float(max(free, 60 * (power / gassed) ** (1 / GASSED_SPEED_EXPONENT)))


def flooding_gas_flow(tank: StirredTank, speed: float) -> Estimate:
    """Gas flow at which the lowest impeller floods, m3/s at vessel conditions; `speed` in 1/min.

    **Source** Nienow 1998, Appl. Mech. Rev. 51:3: Fl = 30 (D/T)^3.5 Fr for Rushton turbines.
    """
    n, d = speed / 60, tank.impeller_diameter
    value: float = 30 * (d / tank.diameter) ** 3.5 * (n**2 * d / GRAVITY) * n * d**3
    ratio = d / tank.diameter
    return Estimate(value, tank.impeller == "rushton" and 0.22 <= ratio <= 0.55, "Nienow 1998")


def flooding_speed(tank: StirredTank, gas_flow: float) -> float:
    """The lowest speed at which `gas_flow` (m3/s) does not flood the impeller, 1/min."""
    if gas_flow <= 0:
        return 0.0
    return float(60 * (gas_flow / flooding_gas_flow(tank, 60.0).value) ** (1 / 3))


def mixing_time(tank: StirredTank, power_per_volume: float, volume: float) -> Estimate:
    """Time to 95 % homogeneity, s.

    **Source** Nienow 1998, Appl. Mech. Rev. 51:3: 5.9 T^2/3 e^-1/3 (D/T)^-1/3 at H = T. Taller liquid under several
    radial impellers takes (H/T)^2.43 times as long: the exponent of Cooke, Middleton & Bush 1988 for H/D, carried over
    (assumed).
    """
    specific = max(power_per_volume, 1e-9) / BROTH_DENSITY
    ratio = tank.impeller_diameter / tank.diameter
    value = 5.9 * tank.diameter ** (2 / 3) * specific ** (-1 / 3) * ratio ** (-1 / 3)
    slenderness = tank.height(volume) / tank.diameter
    if slenderness > 1:
        value *= slenderness**2.43
    return Estimate(value, 0.5 <= slenderness <= 3 and 0.2 <= ratio <= 0.7, "Nienow 1998")


def tip_speed(tank: StirredTank, speed: float) -> float:
    """Speed of the impeller's tip, m/s; `speed` in 1/min."""
    return math.pi * tank.impeller_diameter * speed / 60


def kolmogorov_length(power_per_volume: float) -> float:
    """The smallest eddies' size at the mean dissipation, m. **Source** Kolmogorov 1941: (nu^3 / e)^1/4."""
    viscosity = BROTH_VISCOSITY / BROTH_DENSITY
    return float((viscosity**3 / (max(power_per_volume, 1e-9) / BROTH_DENSITY)) ** 0.25)


def metabolic_heat(OUR: float) -> float:
    """Heat of respiration, W/m3; `OUR` in mmol/L/h. **Source** at `HEAT_OF_RESPIRATION`."""
    return OUR * HEAT_OF_RESPIRATION * 1000 / 3600


def cooling_capacity(tank: Sparged, temperature: float) -> float:
    """Heat that the jacket can take at broth `temperature` (degC), W."""
    return tank.heat_transfer_coefficient * tank.cooling_area * max(temperature - tank.coolant_temperature, 0.0)


def water_vapour(temperature: float) -> float:
    """Vapour pressure of water, bar; `temperature` degC, 0 to 100.

    **Source** Buck Research CR-1A user's manual 1996, appendix 1, which revises Buck 1981, J. Appl. Meteorol. 20:1527.
    """
    return 0.0061121 * math.exp((18.678 - temperature / 234.5) * temperature / (257.14 + temperature))


def oxygen_solubility(temperature: float) -> float:
    """Henry's coefficient of O2 in water, mmol/L per bar of O2; `temperature` degC, 0 to 40.

    **Source** Benson & Krause 1980, Limnol. Oceanogr. 25:662, as in APHA Standard Methods 4500-O: mg/L in fresh water
    under moist air at 1 atm, divided by the oxygen's partial pressure.
    """
    t = temperature + 273.15
    logarithm = -139.34411 + 1.575701e5 / t - 6.642308e7 / t**2 + 1.243800e10 / t**3 - 8.621949e11 / t**4
    return math.exp(logarithm) / 31.998 / (OXYGEN_IN_AIR * (ATMOSPHERE - water_vapour(temperature)))


def carbon_dioxide_solubility(temperature: float) -> float:
    """Henry's coefficient of CO2 in water, mmol/L per bar. **Source** Sander 2015, Atmos. Chem. Phys. 15:4399."""
    return 33.0 * math.exp(2400 * (1 / (temperature + 273.15) - 1 / 298.15))


def mean_pressure(vessel: Vessel, volume: float, head_pressure: float) -> float:
    """Absolute pressure half-way down the liquid, bar; `volume` L, `head_pressure` bar gauge."""
    if not isinstance(vessel, StirredTank | Airlift):
        return ATMOSPHERE
    return ATMOSPHERE + head_pressure + BROTH_DENSITY * GRAVITY * vessel.height(volume) / 2 * 1e-5


def gas_velocity(tank: Sparged, vvm: float, volume: float, temperature: float, pressure: float) -> float:
    """Superficial gas velocity, m/s: `vvm` normal volumes per `volume` (L) and minute, at degC and bar absolute."""
    return gas_flow(vvm, volume, temperature, pressure) / tank.area


def gas_flow(vvm: float, volume: float, temperature: float, pressure: float) -> float:
    """Gas flow at vessel conditions, m3/s; arguments as `gas_velocity`."""
    normal = vvm * volume / 60 / 1000
    return normal * (temperature + 273.15) / 273.15 * ATMOSPHERE / pressure


def dispersed_gas(tank: StirredTank, gas_flow: float, speed: float) -> float:
    """The gas that the lowest impeller disperses at `speed` (1/min): `gas_flow` (m3/s) or where it floods, m3/s.

    Gas beyond that rises past the impeller in large bubbles; what it transfers is left out.
    """
    return min(gas_flow, flooding_gas_flow(tank, speed).value)
