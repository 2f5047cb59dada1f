"""A bench rig whose cells live what the large vessel's cells live: two coupled compartments, or a pulsed feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError
from seedtrain.development._scaling._gradients import Gradients

LARGEST_FLOW: Final = 600.0
"""L/h that a pump and its tubing at the bench still carry without harming cells; assumed."""


@dataclass(frozen=True)
class Rig:
    """Settings at `volume` L of broth in all.

    - `side_volume`: the compartment that takes the feed and no air, L (a tube or a second vessel).
    - `flow`: pumped through it, L/h, for the large vessel's times: cells stay `stay` s in it and enter it every
      `return_time` s. `flow_for_contrast`: for its contrast of substrate instead, L/h; no flow gives both.
    - `side_for_swing`, `flow_for_swing`: another compartment and flow, for which what the cells meet swings as far and
      for as long as in the large vessel, L and L/h.
    - `pulse_on`, `pulse_off`: s of a feed in pulses in one vessel, at `pulse_times` the mean rate.
    - `feasible`: whether a bench pump carries the flow.
    """

    volume: float
    side_volume: float
    flow: float
    flow_for_contrast: float
    stay: float
    return_time: float
    pulse_on: float
    pulse_off: float
    pulse_times: float
    feasible: bool
    side_for_swing: float
    flow_for_swing: float

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return dict(vars(self))


def rig(found: Gradients, volume: float) -> Rig:
    """The rig for `volume` L that reproduces the gradients `found`; raises `InputError` for no volume.

    The side compartment holds the share 1/N of the zone that is fed. With the flow Q per volume of the large vessel the
    cells' stay and return are those of the zone model. What the fed zone holds above the mean of the others is, for an
    even uptake, F/Q sum_j [j - j (j + 1) / 2N] / (N - 1) in a chain of N zones and F (1 - 1/N) / Q' in the rig, which
    gives Q' (derived: F mass of substrate a time, each zone takes F/N). Two compartments with the share f and the flow
    Q have the deviation F/Q (1 - f) (f (1 - f))^0.5 over the cells and the persistence f (1 - f) V/Q of it: both can be
    the chain's (`_swing_of_chain`), by another f and another Q (derived likewise).
    """
    if not volume > 0:
        raise InputError(f"a rig of {volume:g} L", remedy="Give the broth of the bench vessel in L.")
    count = found.count
    flow = found.exchange * volume / found.volume
    contrast = chain_contrast(count)
    to_match = flow * (1.0 - 1.0 / count) / contrast
    side = volume / count
    share, relative = _swing_of_chain(count)
    return Rig(
        volume=volume,
        side_volume=side,
        flow=flow,
        flow_for_contrast=to_match,
        stay=side / flow * 3600.0,
        return_time=volume / flow * 3600.0,
        pulse_on=found.stay,
        pulse_off=found.return_time - found.stay,
        pulse_times=float(count),
        feasible=max(flow, relative * flow) <= LARGEST_FLOW,
        side_for_swing=share * volume,
        flow_for_swing=relative * flow,
    )


def _swing_of_chain(count: int) -> tuple[float, float]:
    """Share of the side compartment, and its flow over that between zones, whose swing is that of a chain of `count`.

    Zone j of the chain, from the far end, holds j (j - 1) / 2 times F/NQ more than the farthest. The deviation's size
    over its persistence fixes the share, the persistence then the flow.
    """
    off = np.array([step * (step - 1) / 2 for step in range(1, count + 1)])
    off -= off.mean()
    # Sum of off (graph Laplacian)^-1 off: the squares of what has summed up at each border.
    lasting = float((np.cumsum(off)[:-1] ** 2).sum() / (off**2).sum())
    ratio = float(np.sqrt((off**2).mean()) / lasting)
    share = 1.0 / (1.0 + ratio**2)
    return share, share * (1.0 - share) * count / lasting


def chain_contrast(count: int) -> float:
    """Substrate of the fed zone above the mean of the others, times Q/F, in a chain of `count` equal zones."""
    return sum(step - step * (step + 1) / (2 * count) for step in range(1, count)) / (count - 1)
