"""What an imported model starts from, for callers that run its `System` themselves."""

from __future__ import annotations

from collections.abc import Mapping

from seedtrain.base import InputError, Position
from seedtrain.simulation._exchange._model import SbmlModel
from seedtrain.simulation._exchange._values import Start


def sbml_start(model: SbmlModel, values: Mapping[str, float] | None = None) -> dict[str, float]:
    """The value of every state and number of `model.system` at time 0.

    - `values`: initial values by id, in the meaning of the file, in place of the file's.

    Raises `InputError` for an unknown id, for a value that cannot be had, and for a model whose events or gauges need
    `simulate_sbml`.
    """
    if model.events or model.gauges:
        place = Position(model.file, model.events[0].line if model.events else 0, 1 if model.events else 0)
        raise InputError(
            f"{model.id} has events or formulas that jump: it does not run as one stretch",
            position=place,
            remedy="Write the model without events, or simulate it with `simulate_sbml`.",
        )
    start = Start(model, values)
    carried = start.point().carried | start.without
    if model.time_number:
        carried[model.time_number] = 0.0
    return {name: carried[name] for name in (*model.system.states, *model.system.numbers)}
