"""A bench rig whose cells live what the large vessel's cells live: two coupled compartments, or a pulsed feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

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

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return dict(vars(self))


def rig(found: Gradients, volume: float) -> Rig:
    """The rig for `volume` L that reproduces the gradients `found`; raises `InputError` for no volume.

    The side compartment holds the share 1/N of the zone that is fed. With the flow Q per volume of the large vessel the
    cells' stay and return are those of the zone model. What the fed zone holds above the mean of the others is, for an
    even uptake, F/Q sum_j [j - j (j + 1) / 2N] / (N - 1) in a chain of N zones and F (1 - 1/N) / Q' in the rig, which
    gives Q' (derived: F mass of substrate a time, each zone takes F/N).
    """
    if not volume > 0:
        raise InputError(f"a rig of {volume:g} L", remedy="Give the broth of the bench vessel in L.")
    count = found.count
    flow = found.exchange * volume / found.volume
    contrast = chain_contrast(count)
    to_match = flow * (1.0 - 1.0 / count) / contrast
    side = volume / count
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
        feasible=flow <= LARGEST_FLOW,
    )


def chain_contrast(count: int) -> float:
    """Substrate of the fed zone above the mean of the others, times Q/F, in a chain of `count` equal zones."""
    return sum(step - step * (step + 1) / (2 * count) for step in range(1, count)) / (count - 1)
