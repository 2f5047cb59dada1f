"""What a simulated SBML model gives: a table of its quantities over its own time."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seedtrain.base import InputError
from seedtrain.simulation._exchange._build import RATE
from seedtrain.simulation._exchange._model import Quantity, SbmlModel
from seedtrain.simulation._exchange._values import Floats
from seedtrain.simulation._run import Variable


@dataclass(frozen=True)
class SbmlRun:
    """A trajectory of an imported model.

    - `time`: in `time_unit` of the model, shape "time".
    - `variables`: every quantity and reaction by its id, in the meaning of the file (a species' symbol may be its
      concentration or its amount).
    - `amounts`, `concentrations`: of the species, whatever their symbols mean.
    - `moving`: the ids whose values can change. - `events`: when which event was executed.
    """

    model: str
    file: str
    time: Floats
    time_unit: str
    variables: Mapping[str, Variable]
    amounts: Mapping[str, Floats]
    concentrations: Mapping[str, Floats]
    moving: tuple[str, ...] = ()
    events: tuple[tuple[float, str], ...] = ()

    def __getitem__(self, name: str) -> Floats:
        """The values of an id, shape "time"; an unknown one is an `InputError` that lists the known ones."""
        try:
            return self.variables[name].values
        except KeyError:
            known = ", ".join(self.variables)
            raise InputError(f"the run has no variable {name!r}", remedy=f"Use one of: {known}.") from None

    def final(self, name: str) -> float:
        """The last value of an id."""
        return float(self[name][-1])

    def to_csv(self) -> str:
        """One row a time point; the header names each variable that can change, with its unit where there is one."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        shown = [self.variables[name] for name in self.moving]
        writer.writerow([_head("time", self.time_unit), *(_head(item.name, item.unit) for item in shown)])
        columns = [self.time, *(item.values for item in shown)]
        for row in zip(*columns, strict=True):
            writer.writerow([repr(float(value)) for value in row])
        return stream.getvalue()

    def to_data(self) -> dict[str, Any]:
        """The run as JSON-ready data."""
        return {
            "model": self.model,
            "file": self.file,
            "time": self.time.tolist(),
            "time_unit": self.time_unit,
            "variables": {
                name: {"unit": item.unit, "words": item.words, "values": item.values.tolist()}
                for name, item in self.variables.items()
            },
            "events": [[when, name] for when, name in self.events],
        }


def _head(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name


def assemble(
    model: SbmlModel,
    times: Floats,
    rows: Sequence[Floats],
    observed: Sequence[Floats],
    legs: Sequence[int],
    numbers: Sequence[Mapping[str, float]],
    events: tuple[tuple[float, str], ...],
) -> SbmlRun:
    """The run that stored rows make; `legs` says which of `numbers` each row had."""
    states, seen = np.array(rows), np.array(observed)
    system = model.system
    columns = {name: states[:, at] for at, name in enumerate(system.states)}
    columns |= {name: seen[:, at] for at, name in enumerate(system.observed)}
    for name in system.numbers:
        columns[name] = np.array([numbers[leg][name] for leg in legs])
    shown = {name: item for name, item in model.quantities.items() if item.kind != "local"}
    variables = {name: Variable(name, item.unit, columns[item.symbol], item.name) for name, item in shown.items()}
    symbols = _formula_symbols(model)
    for reaction in model.source.reactions:
        if reaction.id in symbols:
            variables[reaction.id] = Variable(reaction.id, "", columns[symbols[reaction.id]], reaction.name)
    amounts, concentrations = {}, {}
    for species in model.source.species:
        item = model.quantities[species.id]
        size = variables[species.compartment].values
        amounts[species.id], concentrations[species.id] = _both(item, variables[species.id].values, size, columns)
    still = {name for name, item in shown.items() if item.role == "number" and item.kind != "species"}
    moving = tuple(name for name in variables if name not in still)
    return SbmlRun(model.id, model.file, times, model.time_unit, variables, amounts, concentrations, moving, events)


def _both(item: Quantity, values: Floats, size: Floats, columns: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    if item.size:
        return (columns[item.held_in] if item.held_in != item.symbol else values * size), values
    with np.errstate(divide="ignore", invalid="ignore"):
        return values, values / size


def _formula_symbols(model: SbmlModel) -> dict[str, str]:
    """The engine's symbol of each formula that is no derivative, in the order of the observed ones."""
    names = [name for name in model.formulas if not name.startswith(RATE)]
    return dict(zip(names, model.system.observed[len(model.system.states) :], strict=True))
