"""Electricity from own photovoltaics and a battery beside the grid: how much of a plant's year each supplies."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.development._use import Inventory, Use

Floats = NDArray[np.float64]
_DAYS: Final = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_MIDDLES: Final = np.cumsum(_DAYS) - _DAYS / 2
_STEPS: Final = 96
EFFICIENCY: Final = 0.88
"""Energy out of a battery over energy in, with its converters; assumed, usual for lithium iron phosphate."""


@dataclass(frozen=True)
class Photovoltaics:
    """Own panels and battery.

    - `peak`: kW. `specific_yield`: kWh a year per kW of peak. `storage`: kWh that the battery takes in and out.
    - `latitude`: degrees, which shapes the day and the year.
    """

    peak: float
    storage: float = 0.0
    specific_yield: float = 1100.0
    latitude: float = 32.0

    def __post_init__(self) -> None:
        """Refuse what no roof holds."""
        checks = (
            (self.peak > 0, f"{self.peak:g} kW of panels", "Give more than 0 kW, or leave photovoltaics out."),
            (self.storage >= 0, f"{self.storage:g} kWh of storage", "Give 0 kWh or more."),
            (
                300 <= self.specific_yield <= 2600,
                f"{self.specific_yield:g} kWh/kW a year",
                "Give 300 to 2600: nothing on earth gives more.",
            ),
            (-66 <= self.latitude <= 66, f"latitude {self.latitude:g}", "Give -66 to 66 degrees."),
        )
        for good, message, remedy in checks:
            if not good:
                raise InputError(message, remedy=remedy)


@dataclass(frozen=True)
class PowerMix:
    """Where a year's electricity comes from: fractions of what the plant uses, `surplus` of what the panels make.

    - `used`, `made`: kWh a year. Surplus is given away: no income and no carbon is claimed for it.
    """

    direct: float
    stored: float
    grid: float
    surplus: float
    used: float
    made: float

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return dict(vars(self))


def power_mix(own: Photovoltaics, used: float) -> PowerMix:
    """How a plant that uses `used` kWh evenly over the year is supplied.

    A clear-sky day of each month in quarter hours, by the sun's height at the latitude, with the year's yield as given;
    the battery takes what is left over and gives it back as soon as it is missing, day after the same day. Weather
    within a month is left out, which flatters the battery somewhat. **Source** of the sun's height: Cooper 1969, Solar
    Energy 12:333 (declination).
    """
    if not used > 0:
        raise InputError(f"the plant uses {used:g} kWh a year", remedy="Give the case electricity to supply.")
    hours = 24.0 / _STEPS
    sun = _sun(own.latitude)
    # kWh of a quarter hour, shape (12, 96), such that the year adds up to the yield.
    made = sun / float((sun * _DAYS[:, None]).sum()) * own.peak * own.specific_yield
    need = used / 8760.0 * hours
    direct = np.minimum(made, need)
    stored = np.array([_through_battery(day - need, own.storage) for day in made])
    yearly = float((made * _DAYS[:, None]).sum())
    from_panels = float((direct * _DAYS[:, None]).sum())
    from_battery = float((stored * _DAYS).sum())
    taken = from_panels + from_battery / EFFICIENCY
    grid = 1.0 - (from_panels + from_battery) / used
    return PowerMix(
        from_panels / used,
        from_battery / used,
        grid if grid > 1e-9 else 0.0,
        max(1.0 - taken / yearly, 0.0),
        used,
        yearly,
    )


def _sun(latitude: float) -> Floats:
    """Sine of the sun's height, 0 at night, shape (12, 96)."""
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + _MIDDLES) / 365)
    hour = (np.arange(_STEPS) + 0.5) / _STEPS * 2 * np.pi - np.pi
    phi = math.radians(latitude)
    height = np.sin(phi) * np.sin(declination)[:, None] + np.cos(phi) * np.cos(declination)[:, None] * np.cos(hour)
    found: Floats = np.maximum(height, 0.0)
    return found


def _through_battery(balance: Floats, storage: float) -> float:
    """kWh that a battery gives in one day of a row of equal days; `balance`: surplus above 0, need below."""
    held = given = 0.0
    for _ in range(2):  # the second day starts with what the first one left
        given = 0.0
        for step in balance:
            if step > 0:
                held += min(float(step) * EFFICIENCY, storage - held)
            else:
                out = min(held, -float(step))
                held, given = held - out, given + out
    return given


def supplied(inventory: Inventory, mix: PowerMix) -> Inventory:
    """The inventory with its electricity from the grid, from the panels and through the battery."""
    uses: list[Use] = []
    for use in inventory.uses:
        if use.item != "electricity":
            uses.append(use)
            continue
        shares = (
            ("electricity", mix.grid),
            ("photovoltaic-electricity", mix.direct),
            ("stored-electricity", mix.stored),
        )
        uses += [dataclasses.replace(use, item=item, amount=use.amount * share) for item, share in shares if share > 0]
    return dataclasses.replace(inventory, uses=tuple(uses))
