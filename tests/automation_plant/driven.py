"""Drives a virtual plant's world as the executor does, phase after phase, in lock-step."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from seedtrain.automation import LivePlant
from seedtrain.automation._plant._base import Signal
from seedtrain.automation._plant._live_unit import LiveUnit
from seedtrain.automation._plant._world import Clock, World
from seedtrain.automation._scenario import Scenario, scenario_of
from seedtrain.quantity import Quantity
from seedtrain.recipe import PhaseAt, parse_recipe
from seedtrain.recipe._data import yaml_text
from tests.automation.made import START
from tests.automation.test_example import UNIT, Example

INTERVAL = timedelta(minutes=6)
EXPRESS = "production/induction/express"
FED = "production/growth/fed-batch"
GROWN = "production/growth/batch"
FILLED = "seed-tank-1/expansion/fill-tank"


def scenario(example: Example, **more: Any) -> Scenario:
    live = LivePlant(example.control.recipe.culture, example.document.data["units"])
    return scenario_of(
        example.control,
        production=example.production,
        seeds=example.seeds,
        steps=example.steps,
        units=tuple(example.vessels),
        document=example.document,
        live=live,
        **more,
    )


def vessel_steps(example: Example) -> list[PhaseAt]:
    return [step for step in example.control.recipe.phases() if step.unit_procedure.name.startswith(("seed", "prod"))]


class Driver:
    """Drives a world as the executor does, phase after phase, in lock-step."""

    def __init__(self, example: Example, world: World) -> None:
        self.world, self.at = world, START
        self.steps = vessel_steps(example)
        self.told: list[Signal] = []
        self.kept: tuple[dict[str, Any], Any] = ({}, None)
        self.kept_fed: tuple[dict[str, Any], Any] = ({}, None)

    def begin(self, step: PhaseAt) -> Any:
        unit = self.world.units[step.unit_procedure.unit or step.unit_procedure.unit_class]
        for name, value in step.phase.set.items():
            if name in unit.targets and isinstance(value, Quantity):
                unit.targets[name] = value.magnitude(unit.functions[name])
        self.world.start("test", unit.name, step.path, self.at, {k: str(v) for k, v in step.phase.set.items()})
        return unit

    def run(self, step: PhaseAt) -> Any:
        self.begin(step)
        return self.end(step)

    def end(self, step: PhaseAt) -> Any:
        """Play on until the phase has ended; how it ended."""
        unit = self.world.units[step.unit_procedure.unit or step.unit_procedure.unit_class]
        while unit.program is not None and unit.program.ending is None:
            self.at = self.world.advance(self.at + timedelta(hours=6), self.told.append)
        assert unit.program is not None
        return unit.program.ending

    def all(self) -> dict[str, Any]:
        return {step.path: self.run(step) for step in self.steps}

    def values(self, path: str, tag: str) -> list[float]:
        began, ending = self.world.units[UNIT].results[path]
        return [item.value for item in self.world.units[UNIT].past(tag, began, ending.time)]


def world(scenario: Scenario, state: Path | None = None) -> World:
    return World(scenario, Clock(START), INTERVAL, state)


def fed_as(example: Example, calm: tuple[Driver, dict[str, Any]], change: dict[str, str], *leave: str) -> Driver:
    """The fed phase alone, from the tank of the calm batch, with other settings of its feed."""
    data = example.control.recipe.to_data()
    for procedure in data["procedure"]:
        for operation in procedure["operations"]:
            for phase in operation["phases"]:
                if f"{procedure['unit_procedure']}/{operation['operation']}/{phase['phase']}" == FED:
                    phase["set"] = {name: text for name, text in phase["set"].items() if name not in leave} | change
    control = replace(example.control, recipe=parse_recipe(yaml_text(data)))
    driver = Driver(example, world(scenario(replace(example, control=control))))
    unit = driver.world.units[UNIT]
    assert isinstance(unit, LiveUnit)
    unit.restore(calm[0].kept_fed[0])
    driver.at = calm[0].kept_fed[1]
    driver.run(control.recipe.phase_at(FED))
    return driver
