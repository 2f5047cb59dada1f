"""Vessels for a new program from their nominal volumes alone: proportions of usual stirred tanks, to be replaced by
the plant's own figures.

Geometric similarity holds diameter, height and impeller in proportion (liquid height 1.7 diameters, impeller 0.4
diameters); what does not scale follows power laws through usual figures of 1 L, 200 L and 20 m3 vessels. All of them
are assumptions, and the plant file that is written says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from seedtrain.quantity import Quantity

INOCULUM_FRACTION = 0.03
LARGEST_FLASK = 0.45  # L of medium
FLASK_FILL = 0.3
SEED_FILL = 0.65


@dataclass(frozen=True)
class TankSize:
    """One unit of a new plant; volumes in L, lengths in m, power in W, areas in m2, speeds in 1/min."""

    name: str
    kind: str
    scale: str
    nominal: float
    lowest: float
    highest: float
    seeds: tuple[str, ...] = ()

    @property
    def diameter(self) -> float:
        """m; from the nominal volume at a height of 1.7 diameters."""
        return _rounded((4 * self.nominal / 1000 / (1.7 * math.pi)) ** (1 / 3))

    @property
    def impeller_diameter(self) -> float:
        """m."""
        return _rounded(0.4 * self.diameter)

    @property
    def motor_power(self) -> float:
        """W; 30 kW/m3 at 1 L falling to 2.5 kW/m3 at 20 m3."""
        return _rounded(5300 * (self.nominal / 1000) ** 0.75)

    @property
    def top_speed(self) -> float:
        """1/min; tip speed 3.5 m/s at 1 L rising to 6.3 m/s at 20 m3."""
        tip = 5.3 * (self.nominal / 1000) ** 0.06
        return _rounded(60 * tip / (math.pi * self.impeller_diameter))

    @property
    def lowest_speed(self) -> float:
        """1/min; an eighth of the top speed."""
        return _rounded(self.top_speed / 8)

    @property
    def cooling_area(self) -> float:
        """m2."""
        return _rounded(5 * (self.nominal / 1000) ** 0.8)

    @property
    def heat_transfer(self) -> float:
        """W/m2/K."""
        return _rounded(500 * (self.nominal / 1000) ** 0.08)

    @property
    def top_pressure(self) -> float:
        """bar above the atmosphere: glass does not hold any."""
        return 0.1 if self.nominal < 10 else 1.0


def size_plant(bench: Quantity, pilot: Quantity, plant: Quantity) -> tuple[TankSize, ...]:
    """The three vessels and the seed vessels that each needs, every unit once."""
    sizes: dict[str, TankSize] = {}
    for scale, quantity in (("bench", bench), ("pilot", pilot), ("plant", plant)):
        nominal = quantity.magnitude("L")
        seeds = tuple(_seed_chain(0.5 * nominal, sizes))
        sizes[f"{scale.upper()}-{_short(nominal)}"] = TankSize(
            f"{scale.upper()}-{_short(nominal)}", "stirred_tank", scale, nominal, 0.25 * nominal, 0.8 * nominal, seeds
        )
    return tuple(sizes.values())


def _seed_chain(batch_volume: float, sizes: dict[str, TankSize]) -> list[str]:
    """Names from the flask up to the last seed vessel, adding to `sizes` what it lacks."""
    needed = INOCULUM_FRACTION * batch_volume
    if needed <= LARGEST_FLASK:
        flask = _flask(needed)
        sizes.setdefault(flask.name, flask)
        return [flask.name]
    nominal = _rounded(needed / SEED_FILL * 1.2)
    name = f"SEED-{_short(nominal)}"
    chain = _seed_chain(needed, sizes)
    sizes.setdefault(name, TankSize(name, "stirred_tank", "seed", nominal, 0.15 * nominal, 0.75 * nominal))
    return [*chain, name]


def _flask(volume: float) -> TankSize:
    nominal = next(size for size in (0.05, 0.1, 0.25, 0.5, 1.0, 2.0) if size * FLASK_FILL >= volume)
    return TankSize(f"FLASK-{nominal * 1000:.0f}", "shake_flask", "seed", nominal, 0.05 * nominal, 0.4 * nominal)


def _rounded(value: float) -> float:
    """Two significant digits: these are assumptions, not measurements."""
    return float(f"{value:.2g}")


def _short(litres: float) -> str:
    """A volume in a name: 500ML, 200L, 20M3."""
    if litres < 1:
        return f"{litres * 1000:g}ML"
    return f"{litres / 1000:g}M3" if litres >= 1000 else f"{litres:g}L"
