"""What a simulated plant will do in one batch: the truth of every phase, what goes wrong, and how its instruments err.

It is plain data, so that the plant can run in a process of its own.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.automation._devices import Addition
from seedtrain.automation._faults import Fault, FaultEntry, FaultPlace, place_faults
from seedtrain.automation._job import unit_name
from seedtrain.automation._live_scenario import LivePlant, LiveTankScenario, live_tanks
from seedtrain.automation._sensors import RELATIVE_ASSAY_ERROR, Sensor
from seedtrain.automation._truth import PhaseTruth, Trace, truths
from seedtrain.base import Document, InputError, Position, collect, read_text, write_json
from seedtrain.quantity import Quantity, parse_range
from seedtrain.recipe import Condition, ControlRecipe, Phase
from seedtrain.simulation import Run, StepResult

FORMAT: Final = "seedtrain plant scenario 3"

CHANGEOVER_H: Final = 0.5
"""h to transfer to the next unit and make it ready; assumed."""


@dataclass(frozen=True)
class UnitScenario:
    """What one unit will do.

    - `phases`: the truth of each phase by path. `faults`: what goes wrong in them.
    - `assay_error`: relative standard deviation of each in-process method. `seed`: of all noise.
    - `changeover`: h before a phase, by path.
    - `live`: what to integrate, where the unit is not played back but integrated while it is driven.
    """

    name: str
    phases: Mapping[str, PhaseTruth]
    faults: tuple[Fault, ...]
    assay_error: Mapping[str, float]
    seed: int
    changeover: Mapping[str, float]
    live: LiveTankScenario | None = None


@dataclass(frozen=True)
class Scenario:
    """Every unit that a control recipe needs; `recipe_digest` is that of the control recipe."""

    recipe_digest: str
    units: Mapping[str, UnitScenario]

    def to_data(self) -> dict[str, Any]:
        """As JSON has it; `scenario_from_data` gives the same scenario, to the last digit."""
        return {
            "format": FORMAT,
            "recipe_digest": self.recipe_digest,
            "units": {name: _unit_data(unit) for name, unit in self.units.items()},
        }


def scenario_of(
    control: ControlRecipe,
    *,
    production: Run,
    seeds: Sequence[Run] = (),
    steps: Sequence[StepResult] = (),
    faults: Sequence[FaultEntry] = (),
    units: Collection[str] = (),
    document: Document | None = None,
    seed: int = 0,
    changeover: float = CHANGEOVER_H,
    live: LivePlant | None = None,
) -> Scenario:
    """One simulated batch of a control recipe.

    - `production`, `seeds`: runs of the production vessel and of the seed vessels; `steps`: the downstream train.
    - `faults`: what goes wrong on purpose; `units`: every unit of the plant, so that a fault of one that does not run
      here is no error; `document`: the plant's file, for positions.
    - `seed`: of all noise. `changeover`: h between two unit procedures.
    - `live`: culture and vessels; stirred tanks are then integrated while they are driven, the rest is played back.

    Raises `InputErrors` for faults that name nothing real, and for a recipe that asks for values which the simulation
    does not have.
    """
    found = truths(control, production, seeds, steps)
    tanks = live_tanks(control, live, seeds) if live is not None else {}
    collect(list(_unable(control, tanks)))
    places = [
        FaultPlace(path, _master_path(control, path), truth.unit, tuple(truth.sensors), truth.unit in tanks)
        for path, truth in found.items()
    ]
    happening = place_faults(faults, places, units=units, document=document)
    assay = {line.attribute: line.assay_cv for line in control.recipe.specification.lines if line.assay_cv}
    first = {
        "/".join((item.name, item.operations[0].name, item.operations[0].phases[0].name))
        for item in control.recipe.unit_procedures
    }
    scenarios = {
        name: UnitScenario(
            name,
            {path: truth for path, truth in found.items() if truth.unit == name},
            tuple(fault for fault in happening if fault.unit == name),
            assay_error={**RELATIVE_ASSAY_ERROR, **assay},
            seed=seed,
            changeover={path: changeover for path in found if path in first},
            live=tanks.get(name),
        )
        for name in dict.fromkeys(truth.unit for truth in found.values())
    }
    return Scenario(control.digest, scenarios)


def _unable(control: ControlRecipe, tanks: Collection[str]) -> Iterator[InputError]:
    """Feeds that follow the culture, on units that play back what was simulated."""
    for step in control.recipe.phases():
        if "strategy" in step.phase.set and unit_name(step) not in tanks:
            yield control.recipe.error(
                step.path,
                "strategy",
                f"{unit_name(step)} plays back what was simulated, and cannot follow a culture",
                remedy="Use a stirred tank that the plant integrates, or remove the strategy.",
            )


def _master_path(control: ControlRecipe, path: str) -> str:
    """The path in the master recipe, where a repeated unit procedure has no number yet."""
    head, _, rest = path.partition("/")
    base, dash, number = head.rpartition("-")
    same_place = control.recipe.places.get(path) == control.recipe.places.get(f"{base}/{rest}")
    return f"{base}/{rest}" if dash and number.isdecimal() and same_place else path


def write_scenario(path: Path, scenario: Scenario) -> None:
    """Write it as JSON, whole or not at all."""
    write_json(path, scenario.to_data())


def read_scenario(path: Path) -> Scenario:
    """Read what `write_scenario` wrote; raises `InputError` for anything else."""
    try:
        data = json.loads(read_text(path, what="plant scenario"))
        return scenario_from_data(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"this is not a plant scenario: {error!r}",
            position=Position(str(path)),
            remedy="Give a file that `seedtrain plant start --write-scenario` or a batch stage wrote.",
        ) from None


def scenario_from_data(data: Mapping[str, Any]) -> Scenario:
    """The inverse of `to_data`."""
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']!r}, not {FORMAT!r}")
    return Scenario(data["recipe_digest"], {name: _unit_from(name, item) for name, item in data["units"].items()})


def _unit_data(unit: UnitScenario) -> dict[str, Any]:
    return {
        "seed": unit.seed,
        "changeover": dict(unit.changeover),
        "assay_error": dict(unit.assay_error),
        "faults": [asdict(fault) for fault in unit.faults],
        "phases": {path: _truth_data(truth) for path, truth in unit.phases.items()},
        "live": unit.live.to_data() if unit.live is not None else None,
    }


def _unit_from(name: str, data: Mapping[str, Any]) -> UnitScenario:
    return UnitScenario(
        name,
        {path: _truth_from(path, name, item) for path, item in data["phases"].items()},
        tuple(Fault(**fault) for fault in data["faults"]),
        data["assay_error"],
        data["seed"],
        data["changeover"],
        LiveTankScenario.from_data(data["live"]) if data["live"] is not None else None,
    )


def _truth_data(truth: PhaseTruth) -> dict[str, Any]:
    until = truth.phase.until
    return {
        "do": truth.phase.do,
        "set": {name: _value_data(value) for name, value in truth.phase.set.items()},
        "until": [until.quantity, until.operator, _value_data(until.value)] if until else None,
        "limits": {name: str(limits) for name, limits in truth.phase.limits.items()},
        "hours": truth.hours,
        "reached": truth.reached,
        "sensors": {tag: asdict(sensor) for tag, sensor in truth.sensors.items()},
        "traces": {
            tag: {"times": trace.times.tolist(), "values": trace.values.tolist(), "unit": trace.unit}
            for tag, trace in truth.traces.items()
        },
        "attributes": {name: list(item) for name, item in truth.attributes.items()},
        "additions": [asdict(item) for item in truth.additions],
        "product": truth.product,
    }


def _truth_from(path: str, unit: str, data: Mapping[str, Any]) -> PhaseTruth:
    until = data["until"]
    phase = Phase(
        path.rpartition("/")[2],
        data["do"],
        {name: _value_from(item) for name, item in data["set"].items()},
        Condition(until[0], until[1], _value_from(until[2])) if until else None,
        limits={name: parse_range(limits) for name, limits in data["limits"].items()},
    )
    return PhaseTruth(
        path=path,
        unit=unit,
        phase=phase,
        hours=data["hours"],
        reached=data["reached"],
        sensors={tag: Sensor(**item) for tag, item in data["sensors"].items()},
        traces={
            tag: Trace(np.array(item["times"], dtype=float), np.array(item["values"], dtype=float), item["unit"])
            for tag, item in data["traces"].items()
        },
        attributes={name: (item[0], item[1]) for name, item in data["attributes"].items()},
        additions=tuple(Addition(**item) for item in data["additions"]),
        product=data["product"],
    )


def _value_data(value: Quantity | str) -> str | list[Any]:
    return value if isinstance(value, str) else [value.value, value.unit]


def _value_from(data: str | list[Any]) -> Quantity | str:
    return data if isinstance(data, str) else Quantity(data[0], data[1])
