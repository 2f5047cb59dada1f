"""What drives, valves and pumps really do of what they are told: small moves are lost in their dead band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from seedtrain.automation._control import BASE_PER_HOUR, Actuators
from seedtrain.simulation import HEATING_WATER, StirredTank


@dataclass
class Actuation:
    """The actuators of one tank. An actuator stays where it is until it is told to move by more than `band` of its
    span; it always closes, and always opens fully. `places`: where each stands."""

    band: float
    spans: Mapping[str, float]
    places: dict[str, float] = field(default_factory=dict)

    def follow(self, told: Actuators) -> Actuators:
        """Where the actuators stand after they were told."""
        if self.band <= 0.0:
            return told
        for name, span in self.spans.items():
            wanted = float(getattr(told, name))
            if wanted == 0.0 or wanted >= span or abs(wanted - self.places.get(name, 0.0)) > self.band * span:
                self.places[name] = wanted
        return replace(told, **self.places)


def actuation_of(vessel: StirredTank, band: float) -> Actuation:
    """The actuators of a vessel whose dead band is `band` of their span."""
    volume = vessel.working_volume[1]
    gas, titrant = vessel.aeration[1] * volume, BASE_PER_HOUR * volume
    spans = {
        "speed": vessel.stirrer_speed[1],
        "air": gas,
        "oxygen": gas,
        "carbon_dioxide": gas,
        "base": titrant,
        "acid": titrant,
        "jacket_inlet": HEATING_WATER,
        "head_pressure": vessel.head_pressure[1],
    }
    return Actuation(band, {name: span for name, span in spans.items() if span > 0})
