"""A stirred tank as equal layers that exchange liquid: how much, and where feed, probe, gas and power are."""

from __future__ import annotations

import math
from dataclasses import dataclass

from seedtrain.simulation._transfer import gassed_power, mixing_time
from seedtrain.simulation._vessel import StirredTank


@dataclass(frozen=True)
class Zones:
    """Layers of equal volume, from the bottom (0) up; every tuple has `count` members.

    - `feed`, `probe`: the zone of each. - `power`: share of the stirrer's power, equal, for impellers are spread evenly
      (assumed). - `gas`: share of the fresh gas that enters there, all of it at the bottom; it rises through the rest.
    - `depth`: of each zone's middle under the surface, as a part of the liquid's height (the mean is 1/2).
    """

    count: int
    feed: int
    probe: int
    power: tuple[float, ...]
    gas: tuple[float, ...]
    depth: tuple[float, ...]


def zones_of(tank: StirredTank) -> Zones:
    """The zones of `tank` in numbers."""
    count = tank.zones
    return Zones(
        count=count,
        feed=(tank.feed_zone or count) - 1,
        probe=tank.probe_zone - 1,
        power=(1 / count,) * count,
        gas=(1.0, *(0.0,) * (count - 1)),
        depth=tuple(1 - (at + 0.5) / count for at in range(count)),
    )


def exchange_of_time(volume: float, zones: int, time: float) -> float:
    """Flow each way between neighbours that makes `zones` equal layers 95 % homogeneous in `time`, L/h.

    `volume` L of all of them; `time` s; a pulse enters the top layer and is within 5 % of the mean everywhere. The
    slowest mode of the chain decays with 4 Q (N/V) sin^2(pi / 2N) and starts at 2 cos^2(pi / 2N) (derived; the faster
    modes are below 1e-4 by then). Two layers: Q = V ln 20 / (4 t).
    """
    if zones < 2:
        return math.inf
    angle = math.pi / (2 * zones)
    return volume / zones * math.log(40 * math.cos(angle) ** 2) / (4 * math.sin(angle) ** 2 * time) * 3600


def exchange_of_power(tank: StirredTank, volume: float, power_per_volume: float) -> float:
    """Flow each way between neighbouring zones, L/h; `volume` L of the whole tank, `power_per_volume` W/m3.

    From the mixing time of Nienow 1998 (`mixing_time`), so it grows with the cube root of the power density.
    """
    return exchange_of_time(volume, tank.zones, mixing_time(tank, power_per_volume, volume).value)


def zone_exchange(tank: StirredTank, volume: float, speed: float, gas_flow: float = 0.0) -> float:
    """Flow each way between neighbouring zones, L/h; inf for a tank of one zone.

    - `volume` L of the whole tank; `speed` 1/min; `gas_flow` m3/s at vessel conditions.
    Where N Rushton turbines stir N zones it lies near what they pump towards each neighbour, 0.1 Np N D^3 (the flow
    of the compartment models of Vrabel et al. 1999 and 2000 in the form of a 22 m3 fermenter's published model).
    """
    power = gassed_power(tank, speed, gas_flow, volume).value
    return exchange_of_power(tank, volume, power / (volume / 1000))
