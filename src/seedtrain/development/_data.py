"""A `ScaleResult` as data and back, for stages that are kept on disk."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from seedtrain.base import InputError
from seedtrain.development._agitation import Agitation, AgitationNote, Criterion, Operating
from seedtrain.development._feed import FeedLimit, Margins
from seedtrain.development._scalable import scalable
from seedtrain.development._scale import ScaleResult
from seedtrain.development._transfer import Transfer
from seedtrain.quantity import parse
from seedtrain.recipe import ControlRecipe, parse_recipe
from seedtrain.simulation import (
    Estimate,
    Run,
    StepResult,
    Stream,
    TransferLimits,
    Vessel,
    step_to_data,
)

_PAIRS = ("materials", "utilities", "performance", "equipment")


def result_to_data(result: ScaleResult) -> dict[str, Any]:
    """Everything in `result`, JSON-ready; `result_from_data` gives an equal result back."""
    control = result.control
    return {
        "unit": result.unit,
        "seed_units": [vessel.name for vessel in result.seed_vessels],
        "control": {
            "recipe": control.recipe.to_yaml(),
            "master_digest": control.master_digest,
            "unit": control.unit,
            "volume": str(control.volume),
            "ratio": control.ratio,
        },
        "agitation": dataclasses.asdict(result.agitation),
        "transfer": dataclasses.asdict(result.transfer),
        "feed": dataclasses.asdict(result.feed),
        "seeds": [run.to_data() for run in result.seeds],
        "production": result.production.to_data(),
        "broth": dataclasses.asdict(result.broth),
        "steps": [step_to_data(step) for step in result.steps],
        "quality": {name: list(pair) for name, pair in result.quality.items()},
    }


def result_from_data(data: Mapping[str, Any], vessels: Mapping[str, Vessel]) -> ScaleResult:
    """The result that `result_to_data` wrote, in the vessels of that plant; raises `InputError` for one it lacks."""
    tank = scalable(_vessel(vessels, data["unit"]))
    stored, feed, agitation = data["control"], data["feed"], data["agitation"]
    control = ControlRecipe(
        recipe=parse_recipe(stored["recipe"], f"control recipe for {stored['unit']}"),
        master_digest=stored["master_digest"],
        unit=stored["unit"],
        volume=parse(stored["volume"], like="L"),
        ratio=stored["ratio"],
    )
    return ScaleResult(
        vessel=tank,
        control=control,
        agitation=Agitation(
            **{
                **agitation,
                "reference": Operating(**agitation["reference"]),
                "scaled": Operating(**agitation["scaled"]),
                "criteria": tuple(Criterion(**row) for row in agitation["criteria"]),
                "notes": tuple(AgitationNote(**{**row, "values": tuple(row["values"])}) for row in agitation["notes"]),
            }
        ),
        transfer=Transfer(
            **{
                **data["transfer"],
                "matched": _limits(data["transfer"]["matched"]),
                "highest": _limits(data["transfer"]["highest"]),
            }
        ),
        feed=FeedLimit(**{**feed, **{name: Margins(**feed[name]) for name in ("margins", "limited", "unfed")}}),
        seed_vessels=tuple(_vessel(vessels, name) for name in data["seed_units"]),
        seeds=tuple(Run.from_data(run) for run in data["seeds"]),
        production=Run.from_data(data["production"]),
        broth=Stream(**data["broth"]),
        steps=tuple(step_from_data(step) for step in data["steps"]),
        quality={name: (float(value), str(unit)) for name, (value, unit) in data["quality"].items()},
    )


def step_from_data(data: Mapping[str, Any]) -> StepResult:
    """The step that `step_to_data` wrote."""
    return StepResult(
        **{
            **data,
            "inlets": tuple(Stream(**stream) for stream in data["inlets"]),
            "outlet": Stream(**data["outlet"]),
            "wastes": tuple(Stream(**stream) for stream in data["wastes"]),
            "sources": tuple(data["sources"]),
            "trajectory": {name: tuple(column) for name, column in data["trajectory"].items()},
            **{key: {name: (pair[0], pair[1]) for name, pair in data[key].items()} for key in _PAIRS},
        }
    )


def _limits(data: Mapping[str, Any]) -> TransferLimits:
    fields: dict[str, Any] = {
        name: Estimate(**value) if isinstance(value, Mapping) else value for name, value in data.items()
    }
    return TransferLimits(**fields)


def _vessel(vessels: Mapping[str, Vessel], name: str) -> Vessel:
    if name not in vessels:
        raise InputError(f"the plant has no vessel {name!r}", remedy=f"Use one of: {', '.join(vessels)}.")
    return vessels[name]
