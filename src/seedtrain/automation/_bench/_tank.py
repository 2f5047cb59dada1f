"""A tank that is integrated, for load: the shipped balanced culture growing in a pilot vessel."""

from __future__ import annotations

from typing import Final

from seedtrain.automation._control import ConstantFeed, SetPoints, VesselControl
from seedtrain.automation._plant._instruments import Instruments
from seedtrain.automation._plant._live_tank import DrivenTank
from seedtrain.automation._plant._soft import EVERY_H
from seedtrain.simulation import Liquid, LiveTank, StirredTank, TankInputs, VesselEntry, read_culture

VESSEL: Final = {
    "kind": "stirred_tank",
    "scale": "pilot",
    "nominal_volume": "200 L",
    "working_volume": "60 .. 150 L",
    "diameter": "0.55 m",
    "impellers": "2",
    "impeller": "rushton",
    "impeller_diameter": "0.22 m",
    "stirrer_speed": "50 .. 450 1/min",
    "motor_power": "2.2 kW",
    "aeration": "0.1 .. 1.5 vvm",
    "head_pressure": "0 .. 1.0 bar",
    "cooling_area": "1.6 m2",
    "heat_transfer_coefficient": "450 W/m2/K",
    "coolant_temperature": "10 degC",
}
SUGAR: Final = 20.0  # g/L in the medium
CELLS: Final = 2.0  # g/L at the start
STRIDE: Final = 0.618034  # of the time between two looks at the exit gas, by which one tank is behind the next


def driven_tank(number: int) -> DrivenTank:
    """The tank of a number, with noise of its own; it has been looked at once."""
    culture = read_culture("ecoli_balanced")
    vessel = VesselEntry.model_validate(VESSEL).vessel(f"T{number}")
    assert isinstance(vessel, StirredTank)
    assert culture.biomass is not None
    sugar = culture.symbol("glucose") or ""
    tank = LiveTank(culture, vessel)
    medium = Liquid({sugar: SUGAR, culture.biomass: CELLS}, water=970.0, minerals=10.0, ammonia=100.0)
    tank.charge(medium, 90.0, temperature=37.0, pH=7.0)
    points = SetPoints(temperature=37.0, pH=7.0, dissolved_oxygen=0.3, aeration=1.0)
    driven = DrivenTank(
        tank, VesselControl(vessel, points), Instruments(vessel.name, number), Liquid(ammonia=7000.0, water=900.0)
    )
    driven.feed_liquid = Liquid({sugar: 500.0}, water=700.0)
    driven.feeding = ConstantFeed(0.2)
    driven.estimate()
    assert driven.soft is not None
    # Each tank's filter has its turn at another time, so that a short bench sees as many of them as a long one.
    driven.soft.follow(TankInputs(), 0.99 * EVERY_H * (number * STRIDE % 1.0), {})
    driven.look(0.0, ())
    return driven
