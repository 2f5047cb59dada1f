"""What the virtual plant needs to integrate a tank while it is driven: culture, vessel, recipe, what inoculates it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from seedtrain.automation._job import unit_name
from seedtrain.recipe import ControlRecipe, UnitProcedure
from seedtrain.simulation import Run

LIVE_KINDS: Final = (
    *("thaw", "inoculate", "charge", "sterilise", "grow", "feed", "induce", "withdraw"),
    *("clean", "wait", "ramp", "manual", "calibrate"),
)
"""Kinds of phase that an integrated tank can run."""


@dataclass(frozen=True)
class LivePlant:
    """What to integrate: the culture (a shipped one's name, or a path) and every vessel as the plant file has it.

    - `parameters`: values of the culture's parameters that are not those of its file.
    """

    culture: str
    vessels: Mapping[str, Mapping[str, Any]]
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Inoculum:
    """What inoculates a unit procedure: the broth of another integrated `unit`, else what a run ended with.

    - `contents`: last values of the run's variables by symbol, in its units. Without either, washed cells in water.
    """

    unit: str = ""
    contents: Mapping[str, float] | None = None


@dataclass(frozen=True)
class LiveTankScenario:
    """One integrated tank: `recipe` is the control recipe as a file, `procedures` its unit procedures that run here."""

    culture: str
    parameters: Mapping[str, float]
    vessel: Mapping[str, Any]
    recipe: str
    procedures: tuple[str, ...]
    inocula: Mapping[str, Inoculum]

    def to_data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "culture": self.culture,
            "parameters": dict(self.parameters),
            "vessel": dict(self.vessel),
            "recipe": self.recipe,
            "procedures": list(self.procedures),
            "inocula": {name: vars(item) for name, item in self.inocula.items()},
        }

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> LiveTankScenario:
        """The inverse of `to_data`."""
        inocula = {name: Inoculum(**item) for name, item in data["inocula"].items()}
        return LiveTankScenario(
            data["culture"], data["parameters"], data["vessel"], data["recipe"], tuple(data["procedures"]), inocula
        )


def live_tanks(control: ControlRecipe, live: LivePlant, seeds: Sequence[Run]) -> dict[str, LiveTankScenario]:
    """The units of a control recipe that can be integrated: stirred tanks with phases of `LIVE_KINDS` alone."""
    units: dict[str, list[UnitProcedure]] = {}
    for step in control.recipe.phases():
        held = units.setdefault(unit_name(step), [])
        if step.unit_procedure not in held:
            held.append(step.unit_procedure)
    text = control.recipe.to_yaml()
    found = {
        name: (live.vessels[name], procedures)
        for name, procedures in units.items()
        if live.vessels.get(name, {}).get("kind") == "stirred_tank" and all(_can_live(item) for item in procedures)
    }
    order = list(control.recipe.unit_procedures)
    runs = {run.unit_procedure: run for run in seeds}
    return {
        name: LiveTankScenario(
            live.culture,
            live.parameters,
            vessel,
            text,
            tuple(item.name for item in procedures),
            {item.name: _inoculum(order[: order.index(item)], runs, found) for item in procedures},
        )
        for name, (vessel, procedures) in found.items()
    }


def _can_live(procedure: UnitProcedure) -> bool:
    kinds = {phase.do for operation in procedure.operations for phase in operation.phases}
    return kinds <= set(LIVE_KINDS) and "charge" in kinds


def _inoculum(before: Sequence[UnitProcedure], runs: Mapping[str, Run], live: Mapping[str, Any]) -> Inoculum:
    """From the unit procedure before: its tank where it is integrated, else the broth with which its run ended."""
    for procedure in reversed(before):
        if (procedure.unit or procedure.unit_class) in live:
            return Inoculum(procedure.unit or procedure.unit_class)
        if procedure.name in runs:
            run = runs[procedure.name]
            return Inoculum("", {symbol: run.final(symbol) for symbol in run.variables})
    return Inoculum()
