"""By which actuators a vessel's oxygen and pH are held, one after the other, and where one hands over to the next."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from seedtrain.automation._control._split import Stage
from seedtrain.base import InputError
from seedtrain.simulation import OXYGEN_ACTUATORS, StirredTank

ACID_ACTUATORS: Final = ("carbon_dioxide_share", "acid")
"""What can lower the pH, in the order in which it is used where nothing else is said."""
STIRRER_SPAN: Final = 100.0
"""Of the controller's output, percent. The other spans are such that a percent of the output moves dissolved oxygen
about as much on both sides of a hand-over, so that one tuning fits all: by 0.01 of air saturation near 30 % of it. At
the end of a stirrer that goes ninefold transfer rises by 1.4 % a percent (it follows speed to the power 1.6: Hughmark
1980 with the mean exponent of van 't Riet 1979), and 0.7 of air saturation drive it; derived."""
AERATION_SPAN: Final = 25.0
"""For each e-fold of gas: transfer follows it to the power 0.2 once the loss of power is counted, and more oxygen stays
in the gas; derived."""
OXYGEN_SPAN: Final = 400.0
"""For all of the gas as pure oxygen, which raises the saturation from 1 to 4.8 times that of air; derived."""
LEAST_PART: Final = 0.05  # of a flow's highest, from which its span is counted where the stage begins without gas
ACID_SPAN: Final = 100.0
"""Of the controller's output, percent, for the pump of acid; assumed."""
CARBON_DIOXIDE_SPAN: Final = 500.0
"""For all of the gas as carbon dioxide, whatever its valve's limit is; assumed: 0.2 % of the gas a percent."""


@dataclass(frozen=True)
class ControlScheme:
    """The gas lines of a vessel and the order of its actuators.

    - `oxygen_share`, `carbon_dioxide_share`: highest part of the gas that may be pure oxygen, carbon dioxide; 0: no
      such line.
    - `oxygen_cascade`: of `OXYGEN_ACTUATORS`, the first one first; what is left out stays where it is set.
    - `pH_lowered_by`: of `ACID_ACTUATORS`, likewise.
    """

    oxygen_share: float = 0.0
    carbon_dioxide_share: float = 0.0
    oxygen_cascade: tuple[str, ...] = OXYGEN_ACTUATORS
    pH_lowered_by: tuple[str, ...] = ACID_ACTUATORS

    def __post_init__(self) -> None:
        for order, known in ((self.oxygen_cascade, OXYGEN_ACTUATORS), (self.pH_lowered_by, ACID_ACTUATORS)):
            if len(set(order)) != len(order) or not set(order) <= set(known):
                raise InputError(
                    f"a controller cannot use {', '.join(order)} one after the other",
                    remedy=f"Name each once, of: {', '.join(known)}.",
                )
        shares = (self.oxygen_share, self.carbon_dioxide_share)
        if not (min(shares) >= 0 and sum(shares) <= 1):
            raise InputError(
                f"{shares[0]:.4g} of the gas as oxygen and {shares[1]:.4g} as carbon dioxide are not parts of it",
                remedy="Give parts of 0 or more, together 1 at most.",
            )

    def acid_stages(self) -> tuple[Stage, ...]:
        """What lowers the pH, over the controller's output below zero, counted from there; acid as part of the pump's
        most."""
        most = {"carbon_dioxide_share": self.carbon_dioxide_share, "acid": 1.0}
        used = [name for name in self.pH_lowered_by if most[name] > 0]
        spans = {"carbon_dioxide_share": CARBON_DIOXIDE_SPAN * self.carbon_dioxide_share, "acid": ACID_SPAN}
        return _in_order(used, {name: (0.0, most[name]) for name in most}, spans)

    def oxygen_stages(
        self,
        vessel: StirredTank,
        *,
        speed: float | None,
        aeration: float | None,
        aeration_high: float | None,
        by_hand: Collection[str] = (),
    ) -> tuple[Stage, ...]:
        """The cascade of a vessel under control: `speed` (1/min) is the highest that it uses, `aeration` (vvm) where
        the gas begins, `aeration_high` where it ends; None: the vessel's own limit. What is set `by_hand` takes no part
        in it and stands where it is set."""
        low, high = vessel.stirrer_speed
        top = high if speed is None else min(max(speed, low), high)
        least = gas_flow(vessel, aeration)
        most = vessel.aeration[1] if aeration_high is None else min(aeration_high, vessel.aeration[1])
        ends = {
            "stirrer_speed": (low, top),
            "aeration": (least, max(least, most)),
            "oxygen_share": (0.0, self.oxygen_share),
        }
        spans = {
            "stirrer_speed": STIRRER_SPAN,
            "aeration": AERATION_SPAN * _folds(*ends["aeration"]),
            "oxygen_share": OXYGEN_SPAN * self.oxygen_share,
        }
        fixed = {"stirrer_speed": top, "aeration": least, "oxygen_share": 0.0}
        used = [name for name in self.oxygen_cascade if name not in by_hand]
        held = (Stage(name, 0, 0, fixed[name], fixed[name]) for name in fixed if name not in used)
        return (*_in_order(used, ends, spans), *held)


GAS_AS_SET: Final = ControlScheme(oxygen_cascade=("stirrer_speed",))
"""Oxygen is held by the stirrer alone."""


def gas_flow(vessel: StirredTank, aeration: float | None) -> float:
    """The gas that is set, vvm, within the vessel's limits; its lowest where none is set."""
    low, high = vessel.aeration
    return low if aeration is None else min(max(aeration, low), high)


def steady_stages(vessel: StirredTank, *, speed: float | None, aeration: float | None) -> tuple[Stage, ...]:
    """Everything where it is set, because nobody asks for oxygen; the stirrer's lowest speed where none is set."""
    low, high = vessel.stirrer_speed
    kept = low if speed is None else min(max(speed, low), high)
    places = {"stirrer_speed": kept, "aeration": gas_flow(vessel, aeration), "oxygen_share": 0.0}
    return tuple(Stage(name, 0, 0, place, place) for name, place in places.items())


def highest_output(stages: Sequence[Stage]) -> float:
    """Where the last stage ends; beyond it nothing moves."""
    return max((stage.end for stage in stages), default=0.0)


def output_at(stages: Sequence[Stage], places: Mapping[str, float]) -> float:
    """The output under which actuators stand at `places`: the first stage that is not at its end decides."""
    found = 0.0
    for stage in sorted((item for item in stages if item.end > item.start), key=lambda item: item.start):
        share = min(max((places[stage.actuator] - stage.low) / (stage.high - stage.low), 0.0), 1.0)
        found = stage.start + share * (stage.end - stage.start)
        if share < 1.0 - 1e-9:
            break
    return found


def _folds(low: float, high: float) -> float:
    return math.log(high / max(low, LEAST_PART * high)) if high > 0 else 0.0


def _in_order(
    names: Sequence[str], ends: Mapping[str, tuple[float, float]], spans: Mapping[str, float]
) -> tuple[Stage, ...]:
    """Stages one after the other; one that has nothing to give takes no part of the output."""
    found: list[Stage] = []
    start = 0.0
    for name in names:
        low, high = ends[name]
        end = start + (spans[name] if high > low else 0.0)
        found.append(Stage(name, start, end, low, high))
        start = end
    return tuple(found)
