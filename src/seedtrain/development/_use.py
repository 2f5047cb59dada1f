"""What one batch uses, as amounts without money: the bridge between runs and prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from seedtrain.development._schedule import Occupancy

Growth = Literal["batch", "time", "substrate", "product", "released"]
"""What an amount grows with while the volume of broth stays: nothing (one batch), the time of the production culture,
the substrate that it takes, the product in the broth, or the product that is released."""
BATCHES: Final = "batches_per_year"
"""Stands in `Use.times` for the whole batches of a year, which follow from the schedule."""


@dataclass(frozen=True)
class Use:
    """`amount` of the factor table's `item` in `unit`, used `where` (a path of the recipe).

    `times` multiplies it by parameters of the table, each with its power: heat over the chiller's performance, hours
    times people, yearly charge over batches a year. The unit is that after the multiplication; nothing means pieces.
    `category` is the item's own unless it says otherwise; `pieces` of that amount are used. `part` of the amount grows
    with what `grows` says, the rest stays.
    """

    item: str
    amount: float
    unit: str
    where: str
    times: tuple[tuple[str, int], ...] = ()
    category: str = ""
    pieces: float = 1.0
    grows: Growth = "batch"
    part: float = 1.0


@dataclass(frozen=True)
class Performance:
    """What the production culture and the train do: the levers of a cost.

    - `titre`: product in the broth at harvest, g/L. `rate`: titre over the time from inoculation to harvest, g/L/h.
    - `product_yield`: product in the broth per substrate, g/g, or None where no substrate is known.
    - `recovery`: product released over product in the broth, a fraction. `suite`: where the culture grows.
    """

    titre: float
    rate: float
    product_yield: float | None
    recovery: float
    suite: str

    @property
    def hours(self) -> float:
        """Time of the culture, h."""
        return self.titre / self.rate


@dataclass(frozen=True)
class Inventory:
    """One batch: `product` g of released quality, what it used, how long it kept what busy.

    - `lead_time`: h. `biogenic_co2`: kg of carbon dioxide from plant sugar, reported apart.
    - `performance`: what the culture and the train did, where it is known.
    """

    product: float
    uses: tuple[Use, ...]
    occupancies: tuple[Occupancy, ...]
    lead_time: float
    biogenic_co2: float = 0.0
    performance: Performance | None = None

    def amounts(self) -> dict[str, tuple[float, str]]:
        """Sum of the uses that no parameter multiplies, by item: amount and unit."""
        found: dict[str, tuple[float, str]] = {}
        for use in self.uses:
            if not use.times:
                before, _ = found.get(use.item, (0.0, use.unit))
                found[use.item] = (before + use.amount, use.unit)
        return found

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "product_g": self.product,
            "biogenic_co2_kg": self.biogenic_co2,
            "uses": [
                [use.item, use.amount, use.unit, use.where, [list(pair) for pair in use.times]] for use in self.uses
            ],
        }
