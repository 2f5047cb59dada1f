"""The virtual plant's units without their server, so that the executor's many cases run in milliseconds.

`tests/automation_opcua` holds a batch on the served plant to the same record, event by event.
"""

from __future__ import annotations

from typing import Any

from seedtrain.automation._plant._unit import SimulatedUnit
from seedtrain.automation._scenario import scenario_of
from seedtrain.base import InputError
from seedtrain.recipe import ControlRecipe


class PlayedPlant:
    """The units of one simulated batch; takes what `served_plant` takes."""

    def __init__(self, control: ControlRecipe, **given: Any) -> None:
        scenario = scenario_of(control, **given)
        self._units = {name: SimulatedUnit(unit) for name, unit in scenario.units.items()}

    def unit(self, name: str) -> SimulatedUnit:
        try:
            return self._units[name]
        except KeyError:
            raise InputError(
                f"the plant has no unit {name!r}", remedy=f"Use one of: {', '.join(self._units)}."
            ) from None
