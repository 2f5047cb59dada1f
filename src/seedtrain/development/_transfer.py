"""What a run asked of its vessel at its hardest moment, against what the vessel can give."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seedtrain.base import finite
from seedtrain.development._scalable import Scalable
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import Estimate, Run, StirredTank, TransferLimits, transfer_limits


@dataclass(frozen=True)
class Transfer:
    """Demand at the moment of the highest oxygen uptake, and what the vessel gives there.

    - `time` h, `volume` L, `OUR` mmol/L/h, `heat` kW of respiration and stirring at that moment.
    - `oxygen_time`: how long the oxygen dissolved at its set point feeds the cells, s.
    - `matched`: transfer at the highest speed of the recipe's cascade; `highest`: at the vessel's own highest speed,
      aeration and pressure.
    """

    time: float
    volume: float
    OUR: float
    heat: float
    oxygen_time: float
    matched: TransferLimits
    highest: TransferLimits

    @property
    def kLa_range(self) -> tuple[float, float]:
        """Lowest and highest kLa of both correlations with their spread, 1/h."""
        both = (self.matched.kLa_coalescing, self.matched.kLa_non_coalescing)
        return min(item.value * (1 - item.spread) for item in both), max(
            item.value * (1 + item.spread) for item in both
        )

    @property
    def mixed(self) -> bool:
        """Whether mixing is quicker than the cells use up the dissolved oxygen; slower mixing leaves gradients."""
        return self.matched.mixing_time.value <= self.oxygen_time

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        low, high = self.kLa_range
        return {
            "time_h": self.time,
            "volume_L": self.volume,
            "OUR": self.OUR,
            "heat_kW": self.heat,
            "oxygen_time_s": self.oxygen_time,
            "kLa_low": low,
            "kLa_high": high,
            "mixed": self.mixed,
            "matched": _limits(self.matched),
            "highest": _limits(self.highest),
        }


def transfer(tank: Scalable, recipe: MasterRecipe, run: Run, speed: float) -> Transfer:
    """The demand of `run` and the limits of `tank`; `speed`: highest of the cascade, or of the shaker, 1/min."""
    at = int(np.argmax(run["OUR"]))
    time, volume, temperature = float(run.time[at]), float(run["V"][at]), float(run["T"][at])
    span = next((item for item in run.phases if item.start <= time <= item.end and item.end > item.start), None)
    phase, start = (recipe.phase(span.path), span.start) if span else (None, time)

    def setting(name: str, unit: str, default: float) -> float:
        return default if phase is None else phase.number(name, unit, default)

    oxygen = setting("dissolved_oxygen", "", 0.3)
    low, high = tank.aeration if isinstance(tank, StirredTank) else (tank.transfer.gas_exchange,) * 2
    asked = min(max(setting("aeration", "vvm", low), low), high)
    # The gas that the run itself had: set on the volume at the phase's start, and cut where the impeller floods.
    given, wanted = float(run["gas"][at]), asked * float(np.interp(start, run.time, run["V"]))
    matched = transfer_limits(
        tank,
        volume,
        temperature=temperature,
        aeration=given / volume,
        head_pressure=setting("head_pressure", "bar", 0.0),
        dissolved_oxygen=oxygen,
        speed=speed,
        oxygen_share=float(run["O2_share"][at]) / 100.0 if "O2_share" in run.variables else 0.0,
    )
    matched = replace(matched, flooded=given < wanted * (1 - 1e-6))
    rich = tank.pure_oxygen if isinstance(tank, StirredTank) else 0.0
    highest = transfer_limits(tank, volume, temperature=temperature, dissolved_oxygen=oxygen, oxygen_share=rich)
    OUR, percent = float(run["OUR"][at]), float(run["DO_percent"][at])
    saturation = float(run["DO"][at]) / percent * 100.0 if percent > 0 else 0.0
    oxygen_time = oxygen * saturation / OUR * 3600.0 if OUR > 0 else 0.0
    return Transfer(time, volume, OUR, float(run["heat"][at]), oxygen_time, matched, highest)


def _limits(found: TransferLimits) -> dict[str, Any]:
    return {
        name: finite(dict(vars(value)) if isinstance(value, Estimate) else value) for name, value in vars(found).items()
    }
