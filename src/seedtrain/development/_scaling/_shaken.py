"""What a flask or a well cannot do for a culture: hold its pH, its oxygen, or feed it; told from its run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from seedtrain.development._scale import ScaleResult
from seedtrain.simulation import StirredTank


@dataclass(frozen=True)
class ShakenLimits:
    """A production run in a shaken vessel.

    - `acid`: mmol/L of acid that ammonium leaves behind where cells take it up, and nothing neutralises: what the
      medium's buffer must hold. The run takes the pH at its set point all the same.
    - `lowest_oxygen`: % of air, at its lowest. - `fed`: whether a line to the vessel feeds it.
    - `evaporated`: part of the broth that dries up.
    """

    acid: float
    lowest_oxygen: float
    fed: bool
    evaporated: float

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return dict(vars(self))


def shaken_limits(result: ScaleResult) -> ShakenLimits:
    """What the run of `result` lacks in its shaken vessel."""
    run, vessel = result.production, result.vessel
    assert not isinstance(vessel, StirredTank)
    volume = run["V"]
    taken = run["NH"] * volume
    acid = max(float(taken[0] - taken[-1]), 0.0) / float(volume[-1])
    dried = vessel.transfer.evaporation * float(run.time[-1] - run.time[0]) / 1000.0 / float(volume[0])
    return ShakenLimits(acid, float(np.min(run["DO_percent"])), vessel.feed_rate is not None, dried)
