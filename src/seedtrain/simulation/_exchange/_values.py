"""Values of an imported model in the terms of its file: at the start, and at any point of a trajectory.

They are computed from the file's own formulas, with every function of SBML, and not from the engine's text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Position, SeedtrainError, collect
from seedtrain.simulation._exchange._build import RATE
from seedtrain.simulation._exchange._model import Quantity, SbmlModel
from seedtrain.simulation._exchange._tree import NoValueError, Tree, evaluate

Floats = NDArray[np.float64]


@dataclass
class Point:
    """An instant of a model: the `time`, and the value of what carries each quantity, by the engine's symbol."""

    model: SbmlModel
    time: float
    carried: dict[str, float]
    _known: dict[str, float] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> float:
        """The value of an id in the meaning of the file; raises `NoValueError` where it has none."""
        if name not in self._known:
            self._known[name] = self._value(name)
        return self._known[name]

    def _value(self, name: str) -> float:
        formula = self.model.formulas.get(name)
        if formula is not None:
            return self.of(formula)
        item = self.model.quantities.get(name.removeprefix("amount."))
        if item is None or item.held_in not in self.carried:
            raise NoValueError(f"{name} has no value")
        return self.carried[item.held_in]

    def of(self, formula: Tree) -> float:
        """The value of a formula here."""
        return evaluate(formula, self.__getitem__, self.time, lambda name: self[RATE + name])

    def after(self, step: float) -> Point:
        """Where the model is a very short `step` later."""
        moved = dict(self.carried)
        for name, formula in self.model.rates.items():
            moved[self.model.quantities[name].held_in] += step * self.of(formula)
        return Point(self.model, self.time + step, moved)

    def assigned(self, values: Mapping[str, float]) -> Point:
        """The same instant with new values in the meaning of the file; amounts behind concentrations follow."""
        moved = dict(self.carried)
        items = [self.model.quantities[name] for name in values]
        for item in items:
            if item.held_in == item.symbol:
                moved[item.held_in] = values[item.id]
        for item in items:
            if item.held_in != item.symbol:
                # Assignments of one event are made of the state before all of them: so with the size before it as well.
                moved[item.held_in] = values[item.id] * self[item.size]
        return Point(self.model, self.time, moved)


class Start:
    """Initial values: rules and initial assignments, then what the file gives; `values` replace those of the file."""

    def __init__(self, model: SbmlModel, values: Mapping[str, float] | None = None) -> None:
        self.model = model
        self.given = dict(values or {})
        self._species = {item.id: item for item in model.source.species}
        self._known: dict[str, float] = {}
        self._busy: set[str] = set()
        self.without: dict[str, float] = {}
        """Symbols of numbers that nothing reads and that have no finite value, with what they have instead."""
        unknown = sorted(set(self.given) - set(model.quantities))
        if unknown:
            known = ", ".join(sorted(model.quantities))
            raise InputError(f"{model.id} has no quantity {unknown[0]!r}", remedy=f"Use one of: {known}.")

    def __getitem__(self, name: str) -> float:
        if name in self._busy:
            raise NoValueError(f"the initial value of {name} depends on itself")
        if name not in self._known:
            self._busy.add(name)
            try:
                self._known[name] = self._value(name)
            finally:
                self._busy.discard(name)
        return self._known[name]

    def of(self, formula: Tree) -> float:
        """The value of a formula at the start."""
        return evaluate(formula, self.__getitem__, 0.0, lambda name: self[RATE + name])

    def _value(self, name: str) -> float:
        model = self.model
        if name.startswith("amount."):
            return self._amount(model.quantities[name.removeprefix("amount.")])
        if name in self.given:
            return float(self.given[name])
        item = model.quantities.get(name)
        if name in model.formulas and (item is None or item.role == "assigned"):
            return self.of(model.formulas[name])
        if name in model.initial:
            return self.of(model.initial[name])
        if name in self._species:
            return self._as_given(model.quantities[name])
        if item is None or item.start is None:
            raise NoValueError(f"{name} has no value")
        return item.start

    def _as_given(self, item: Quantity) -> float:
        species = self._species[item.id]
        if item.size:
            if species.concentration is not None:
                return species.concentration
            if species.amount is not None:
                return species.amount / self[item.size]
        else:
            if species.amount is not None:
                return species.amount
            if species.concentration is not None:
                return species.concentration * self[species.compartment]
        raise NoValueError(f"{item.id} has no value")

    def _amount(self, item: Quantity) -> float:
        species = self._species[item.id]
        plain = item.id not in self.given and item.id not in self.model.initial
        if plain and species.amount is not None:
            return species.amount
        return self[item.id] * self[item.size]

    def point(self) -> Point:
        """The model at time 0, before its events; what is read and has no value is an `InputError` at its line."""
        model, faults = self.model, list[SeedtrainError]()
        carried: dict[str, float] = {}
        read = _read_anywhere(model)
        for item in model.quantities.values():
            if item.role == "assigned":
                continue
            value = math.nan
            try:
                value = self[f"amount.{item.id}" if item.held_in != item.symbol else item.id]
                if not math.isfinite(value):
                    raise NoValueError(f"its value is {value}")
                carried[item.held_in] = value
            except (NoValueError, ZeroDivisionError) as error:
                carried[item.held_in] = 0.0
                self.without[item.held_in] = value
                if item.id in read or item.role == "state" or item.id in model.initial:
                    faults.append(self._fault(item, error))
        collect(faults)
        for symbol, formula in model.derived.items():
            try:
                carried[symbol] = self.of(formula)
            except NoValueError as error:
                raise InputError(
                    f"{model.id}: a constant formula has no value: {error}", remedy="Correct it."
                ) from None
        return Point(model, 0.0, carried)

    def _fault(self, item: Quantity, error: ArithmeticError) -> InputError:
        return InputError(
            f"{item.kind} {item.id!r} has no value at the start: {error}",
            position=Position(self.model.file, item.line, 1),
            remedy="Give it a value, an initial assignment or a rule.",
        )


def _read_anywhere(model: SbmlModel) -> set[str]:
    """Every id that a formula, a rate or an event reads."""
    found: set[str] = set()
    for formula in _every_formula(model):
        found |= formula.names
    found |= {name.removeprefix("amount.") for name in found}
    return found | {item.size for item in model.quantities.values() if item.held_in != item.symbol}


def _every_formula(model: SbmlModel) -> Iterable[Tree]:
    yield from model.formulas.values()
    yield from model.rates.values()
    for event in model.events:
        yield from (item for item in (event.trigger, event.delay, event.priority) if item is not None)
        yield from (formula for _, formula in event.assignments)
