"""The batch schedule in closed form: how often a batch can start, and how many fit into a year."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Occupancy:
    """How long one batch keeps a suite busy, h, without the turnaround; `units` suites of that kind work in turn.

    - `turnaround`: the factor that is added between batches, `vessel_turnaround` or `suite_turnaround`; "" for none.
    """

    suite: str
    hours: float
    turnaround: str
    units: int = 1


@dataclass(frozen=True)
class Schedule:
    """How batches follow one another.

    - `cycle_time`: h between two starts; `bottleneck`: the suite that sets it.
    - `lead_time`: h from thawing the vial to the last container of one batch.
    - `batches_per_year`: whole batches finished in `operating_hours`; `utilisation`: busy time over cycle by suite.
    """

    cycle_time: float
    bottleneck: str
    lead_time: float
    operating_hours: float
    batches_per_year: int
    occupancies: tuple[Occupancy, ...]
    utilisation: dict[str, float]

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "cycle_time_h": self.cycle_time,
            "bottleneck": self.bottleneck,
            "lead_time_h": self.lead_time,
            "operating_hours": self.operating_hours,
            "batches_per_year": self.batches_per_year,
            "occupancies": [[item.suite, item.hours, item.units] for item in self.occupancies],
            "utilisation": dict(self.utilisation),
        }


def schedule(
    occupancies: Sequence[Occupancy],
    lead_time: float,
    operating_hours: float,
    vessel_turnaround: float,
    suite_turnaround: float,
) -> Schedule:
    """The closed-form schedule: cycle time = max over suites of (occupancy + turnaround) / units. All times in h.

    The last batch has to be finished within the year: 1 + floor((operating hours - lead time) / cycle time) batches,
    exactly. Raises `InputError` where not even one batch fits. **Source** the usual cycle-time rule of batch plants,
    e.g. Biegler, Grossmann & Westerberg 1997, Systematic Methods of Chemical Process Design, chapter 6.
    """
    assert occupancies
    turnaround = {"vessel_turnaround": vessel_turnaround, "suite_turnaround": suite_turnaround, "": 0.0}
    busy = {item.suite: (item.hours + turnaround[item.turnaround]) / item.units for item in occupancies}
    bottleneck = max(busy, key=lambda suite: busy[suite])
    cycle = busy[bottleneck]
    if lead_time > operating_hours:
        raise InputError(
            f"one batch takes {lead_time:.0f} h, and the plant runs {operating_hours:.0f} h a year",
            remedy="Shorten the recipe, or raise operating_days in the factors file.",
        )
    return Schedule(
        cycle_time=cycle,
        bottleneck=bottleneck,
        lead_time=lead_time,
        operating_hours=operating_hours,
        batches_per_year=whole_batches(lead_time, operating_hours, cycle),
        occupancies=tuple(occupancies),
        utilisation={suite: hours / cycle for suite, hours in busy.items()},
    )


def whole_batches(lead_time: float, operating_hours: float, cycle_time: float) -> int:
    """Whole batches that are finished in `operating_hours` (h)."""
    return 1 + math.floor((operating_hours - lead_time) / cycle_time + 1e-9)


def drawn_batches(
    occupancies: Sequence[Occupancy],
    lead_time: float,
    operating_hours: Floats,
    turnarounds: dict[str, Floats],
    *,
    whole: bool = True,
) -> Floats:
    """`batches_per_year` for arrays of operating hours and turnarounds (h), shape "draws"; at least 1.

    - `whole`: finished batches, as they are counted. Without it the last one counts in part: what has no jumps can be
      differentiated.
    """
    cycle = np.zeros_like(operating_hours)
    for item in occupancies:
        np.maximum(cycle, (item.hours + turnarounds.get(item.turnaround, 0.0)) / item.units, out=cycle)
    following = (operating_hours - lead_time) / cycle
    return np.maximum(1.0, 1.0 + (np.floor(following + 1e-9) if whole else following))
