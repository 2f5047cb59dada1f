"""What a vessel can do at one filling: oxygen, heat, mixing, each with whether its correlation is in range."""

from __future__ import annotations

import math
from dataclasses import dataclass

from seedtrain.simulation._airlift import column_kLa, column_mixing_time, gas_power
from seedtrain.simulation._estimate import Estimate
from seedtrain.simulation._shaken import shaken_power, shaken_transfer
from seedtrain.simulation._transfer import (
    ATMOSPHERE,
    NORMAL_VOLUME,
    OXYGEN_IN_AIR,
    cooling_capacity,
    dispersed_gas,
    gas_flow,
    gassed_power,
    kLa_coalescing,
    kLa_non_coalescing,
    kolmogorov_length,
    mean_pressure,
    metabolic_heat,
    mixing_time,
    oxygen_solubility,
    tip_speed,
    water_vapour,
)
from seedtrain.simulation._vessel import Airlift, Sparged, StirredTank, SurfaceAerated, Vessel, WaveBag


@dataclass(frozen=True)
class TransferLimits:
    """What a vessel can do at one filling: kLa 1/h by both correlations, OTR mmol/L/h, heat W, mixing s.

    `OTR` pairs with each kLa at the dissolved oxygen that was asked for. `flooded` tells that more gas was asked for
    than the impeller disperses at that speed: everything here is then for the gas that it does disperse, as in
    `simulate`; `aeration` is that gas, vvm. A vessel without a stirrer has one kLa, told twice; `speed` of a shaken one
    is the shaker's. What has no meaning in a vessel, or no source, is not a number.
    """

    volume: float
    speed: float
    power_per_volume: float
    gas_velocity: float
    kLa_coalescing: Estimate
    kLa_non_coalescing: Estimate
    OTR_coalescing: float
    OTR_non_coalescing: float
    cooling: float
    cooling_OUR: float
    mixing_time: Estimate
    tip_speed: float
    kolmogorov_length: float
    flooded: bool
    aeration: float = 0.0
    power_in_range: bool = True


def highest_speed(tank: StirredTank, flow: float, volume: float) -> float:
    """The highest speed that both the drive's range and its power allow under gas, 1/min; `flow` m3/s, `volume` L."""
    low, high = tank.stirrer_speed
    if gassed_power(tank, high, flow, volume).value <= tank.motor_power:
        return high
    for _ in range(60):
        middle = (low + high) / 2
        if gassed_power(tank, middle, flow, volume).value <= tank.motor_power:
            low = middle
        else:
            high = middle
    return low


def transfer_limits(
    vessel: Vessel,
    volume: float,
    *,
    temperature: float = 37.0,
    aeration: float | None = None,
    head_pressure: float | None = None,
    dissolved_oxygen: float = 0.3,
    speed: float | None = None,
    oxygen_share: float = 0.0,
) -> TransferLimits:
    """What `vessel` can transfer with `volume` (L) in it, at its limits where nothing is said.

    - `aeration` vvm, `head_pressure` bar gauge, `speed` 1/min: the vessel's highest where left out. Gas that floods
      the impeller at that speed is cut to what it disperses there, as `simulate` cuts it at the highest speed of a
      phase, and a speed that the drive's power cannot hold is lowered.
    - `dissolved_oxygen`: fraction of saturation that stays in the broth.
    - `oxygen_share`: of a stirred tank's gas that is pure oxygen.
    """
    if not isinstance(vessel, StirredTank | Airlift):
        return _surface_limits(vessel, volume, temperature, dissolved_oxygen, aeration, speed)
    vvm = vessel.aeration[1] if aeration is None else aeration
    head = vessel.head_pressure[1] if head_pressure is None else head_pressure
    pressure = mean_pressure(vessel, volume, head)
    if isinstance(vessel, Airlift):
        return _airlift_limits(vessel, volume, vvm, pressure, temperature, dissolved_oxygen)
    wanted = gas_flow(vvm, volume, temperature, pressure)
    low, high = vessel.stirrer_speed
    flow = dispersed_gas(vessel, wanted, high if speed is None else min(max(speed, low), high))
    if flow < wanted:
        vvm *= flow / wanted
    rate = min(highest_speed(vessel, flow, volume), math.inf if speed is None else speed)
    density = gassed_power(vessel, rate, flow, volume).value / (volume / 1000)
    velocity = flow / vessel.area
    coalescing = kLa_coalescing(density, velocity, volume)
    salty = kLa_non_coalescing(density, velocity, volume)
    cooling, share = _cooling(vessel, volume, temperature, density)
    gas = (vvm, pressure, temperature, dissolved_oxygen, oxygen_share)
    return TransferLimits(
        volume=volume,
        speed=rate,
        power_per_volume=density,
        gas_velocity=velocity,
        kLa_coalescing=coalescing,
        kLa_non_coalescing=salty,
        OTR_coalescing=highest_OTR(coalescing.value, *gas),
        OTR_non_coalescing=highest_OTR(salty.value, *gas),
        cooling=cooling,
        cooling_OUR=share,
        mixing_time=mixing_time(vessel, density, volume),
        tip_speed=tip_speed(vessel, rate),
        kolmogorov_length=kolmogorov_length(density),
        flooded=flow < wanted,
        aeration=vvm,
    )


def highest_OTR(
    kLa: float, vvm: float, pressure: float, temperature: float, fraction: float, oxygen_share: float = 0.0
) -> float:
    """OTR (mmol/L/h) with a well-mixed gas that loses what the liquid takes, its CO2 replacing its O2.

    - `kLa` 1/h; `vvm` of gas, air but for `oxygen_share` of pure oxygen; `pressure` bar absolute; `temperature` degC;
      `fraction` of saturation that stays.
    """
    if vvm <= 0:
        return 0.0
    supply = vvm * 60 / NORMAL_VOLUME * 1000  # mmol of dry gas per L of broth and h
    henry = oxygen_solubility(temperature) * (pressure - water_vapour(temperature))
    # kLa (henry (x_in - OTR/supply) - DO) = OTR
    kept = fraction * henry * OXYGEN_IN_AIR
    coming = OXYGEN_IN_AIR + oxygen_share * (1 - OXYGEN_IN_AIR)
    return max(kLa * (henry * coming - kept) / (1 + kLa * henry / supply), 0.0)


def _cooling(vessel: Sparged, volume: float, temperature: float, density: float) -> tuple[float, float]:
    """W of the jacket, and the OUR (mmol/L/h) whose heat it takes beside stirring of `density` W/m3."""
    cooling = cooling_capacity(vessel, temperature)
    spare = max(cooling - density * volume / 1000, 0.0)
    return cooling, spare / (volume / 1000) / metabolic_heat(1.0)


def _airlift_limits(
    vessel: Airlift, volume: float, vvm: float, pressure: float, temperature: float, fraction: float
) -> TransferLimits:
    velocity = gas_flow(vvm, volume, temperature, pressure) / vessel.area
    density = gas_power(velocity)
    found = column_kLa(velocity)
    rate = highest_OTR(found.value, vvm, pressure, temperature, fraction)
    # The gas that expands cools as much as its friction heats: its power loads no jacket.
    cooling, share = _cooling(vessel, volume, temperature, 0.0)
    mixing = column_mixing_time(vessel, velocity, volume)
    return TransferLimits(
        volume=volume,
        speed=0.0,
        power_per_volume=density,
        gas_velocity=velocity,
        kLa_coalescing=found,
        kLa_non_coalescing=found,
        OTR_coalescing=rate,
        OTR_non_coalescing=rate,
        cooling=cooling,
        cooling_OUR=share,
        mixing_time=mixing,
        tip_speed=0.0,
        kolmogorov_length=kolmogorov_length(density),
        flooded=False,
        aeration=vvm,
    )


def _surface_limits(
    vessel: SurfaceAerated,
    volume: float,
    temperature: float,
    fraction: float,
    aeration: float | None,
    frequency: float | None,
) -> TransferLimits:
    shaking = None if isinstance(vessel, WaveBag) else vessel.shaking
    transfer = vessel.transfer if isinstance(vessel, WaveBag) else shaken_transfer(vessel, volume, frequency)
    known = Estimate(transfer.kLa_at(volume), transfer.in_range, transfer.source, transfer.status, transfer.spread)
    exchange = transfer.gas_exchange if aeration is None else aeration
    rate = highest_OTR(known.value, exchange, ATMOSPHERE, temperature, fraction)
    power = None if isinstance(vessel, WaveBag) else shaken_power(vessel, volume, frequency)
    return TransferLimits(
        volume=volume,
        speed=shaking.at(frequency) if shaking else 0.0,
        power_per_volume=power.value if power else math.nan,
        gas_velocity=math.nan,
        kLa_coalescing=known,
        kLa_non_coalescing=known,
        OTR_coalescing=rate,
        OTR_non_coalescing=rate,
        cooling=math.inf,
        cooling_OUR=math.inf,
        mixing_time=Estimate(math.nan, False, f"not known for a {vessel.kind}", "assumed"),
        tip_speed=math.nan,
        kolmogorov_length=kolmogorov_length(power.value) if power else math.nan,
        flooded=False,
        aeration=exchange,
        power_in_range=power.in_range if power else True,
    )
