"""One value of a recipe replaced by another, under the catalogue's checks."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from seedtrain.base import InputError
from seedtrain.quantity import Quantity, dimension_words, same_dimension
from seedtrain.recipe._catalogue import PHASE_KINDS
from seedtrain.recipe._kinds import MATERIAL, ParameterKind, choose
from seedtrain.recipe._phase import TIMED, Operation, Phase, UnitProcedure, Value


def changed_phase(phase: Phase, parameter: str, value: Value, materials: Collection[str]) -> Phase:
    """`phase` with another `parameter`; raises `InputError` without a position for what cannot be set."""
    if parameter in TIMED:
        return _changed_time(phase, parameter, value)
    kinds = PHASE_KINDS[phase.do].parameters
    if parameter not in kinds:
        names = [*kinds, *(name for name in TIMED if phase.quantity(name))]
        raise InputError(f"a {phase.do} phase has no parameter {parameter!r}", remedy=choose(parameter, names))
    _check(kinds[parameter], value, materials)
    return dataclasses.replace(phase, set={**phase.set, parameter: value})


def _changed_time(phase: Phase, parameter: str, value: Value) -> Phase:
    before = phase.quantity(parameter)
    if before is None:
        raise InputError(f"the phase has no {parameter!r} with a number", remedy="Choose another parameter.")
    if not isinstance(value, Quantity) or not same_dimension(before.unit, value.unit):
        raise InputError(f"{value} cannot replace {before}", remedy=f"Give a value in {before.unit or 'no unit'}.")
    if parameter != "until" and value.value <= 0:
        raise InputError(f"{value} is not above 0", remedy="Give a longer time.")
    change: dict[str, Any] = {parameter: value}
    if parameter == "until":
        assert phase.until is not None
        change = {"until": dataclasses.replace(phase.until, value=value)}
    return dataclasses.replace(phase, **change)


def _check(kind: ParameterKind, value: Value, materials: Collection[str]) -> None:
    if not kind.is_number:
        if not isinstance(value, str) or not value:
            raise InputError(f"{value} is not a name", remedy="Give the name of a material.")
        if kind.choices and value not in kind.choices:
            raise InputError(f"{value!r} is no {kind.name}", remedy=choose(value, kind.choices))
        if kind.unit == MATERIAL and value not in materials:
            raise InputError(f"there is no material {value!r}", remedy=choose(value, sorted(materials)))
        return
    wanted = f"Give a value in {kind.unit or 'no unit'}."
    if not isinstance(value, Quantity):
        raise InputError(f"{value!r} is not a quantity", remedy=wanted)
    if not same_dimension(value.unit, kind.unit):
        words = f"{dimension_words(value.unit)}, not {dimension_words(kind.unit)}"
        raise InputError(f"{value} is of dimension {words}", remedy=wanted)
    fault = kind.fault(value)
    if fault:
        raise InputError(fault[0], remedy=fault[1])


def changed_formula(
    materials: Mapping[str, Mapping[str, Quantity]], material: str, constituent: str, value: Value
) -> dict[str, Mapping[str, Quantity]]:
    """The formula with another concentration; raises `InputError` without a position."""
    if material not in materials:
        raise InputError(f"the recipe has no material {material!r}", remedy=choose(material, materials))
    composition = materials[material]
    if constituent not in composition:
        raise InputError(f"there is no constituent {constituent!r}", remedy=choose(constituent, composition))
    if not isinstance(value, Quantity) or not same_dimension(value.unit, "g/L") or value.value < 0:
        raise InputError(f"{value} is not a concentration of 0 g/L or more", remedy="Give a value in g/L.")
    return {**materials, material: {**composition, constituent: value}}


def replaced(procedures: tuple[UnitProcedure, ...], path: str, phase: Phase) -> tuple[UnitProcedure, ...]:
    """`procedures` with the phase at `path` replaced by `phase`; what does not hold it is the same objects."""
    first, second, third = path.split("/")

    def inside(operation: Operation) -> Operation:
        phases = tuple(phase if item.name == third else item for item in operation.phases)
        return dataclasses.replace(operation, phases=phases) if operation.name == second else operation

    return tuple(
        dataclasses.replace(item, operations=tuple(inside(operation) for operation in item.operations))
        if item.name == first
        else item
        for item in procedures
    )
