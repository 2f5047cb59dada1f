"""Every calculated value of a batch computed again, from the record and the recipe alone."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from seedtrain.base import InputError
from seedtrain.gmp._batch._lines import ValueLine
from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.gmp._by_hand._values import Figures
from seedtrain.recipe import ControlRecipe, read_formula


@dataclass(frozen=True)
class Recalculation:
    """A calculated value and what it comes to now; `faults`: why the two do not agree, empty where they do."""

    phase: str
    tag: str
    formula: str
    recorded: str
    again: str
    unit: str
    faults: tuple[str, ...]


def recalculate(record: BatchRecord, control: ControlRecipe) -> tuple[Recalculation, ...]:
    """Each calculated value of the record that has a formula, computed again.

    Three things must agree: the recorded value and its own recorded inputs, the recorded formula and the recipe's, and
    the recorded inputs and what the record now says of them.
    """
    figures = Figures(record, control.recipe)
    found = []
    for place in control.recipe.phases():
        known = record.values_of(place.path)
        calculations = place.phase.manual.calculations()
        for tag, line in known.items():
            if line.kind != "calculated" or "formula" not in line.more:
                continue
            faults = list(_own(line))
            again = ""
            calculation = calculations.get(tag)
            if calculation is None or calculation.formula != line.more["formula"]:
                faults.append("the recipe has another formula, or none")
            else:
                try:
                    payload = figures.calculate(place.path, tag, calculation)
                except InputError as error:
                    faults.append(error.message)
                    payload = None
                again = str(payload["value"]) if payload else ""
                if again != line.current:
                    faults.append(f"it comes to {again or 'nothing'} from the values of the record")
            found.append(
                Recalculation(place.path, tag, str(line.more["formula"]), line.current, again, line.unit, tuple(faults))
            )
    return tuple(found)


def _own(line: ValueLine) -> list[str]:
    """Whether the value follows from the inputs that were recorded with it."""
    inputs, places = line.more["inputs"], line.more["places"]
    try:
        values = {name: Decimal(str(item["value"])) for name, item in inputs.items()}
        value = read_formula(str(line.more["formula"])).compute(values, places)
    except (ValueError, ArithmeticError, KeyError) as error:
        return [f"its formula cannot be computed from its inputs: {error!r}"]
    return [] if value == Decimal(line.value) else [f"its own inputs give {value}"]
