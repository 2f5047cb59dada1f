"""What a mapping says beside nodes: the safe state of each unit, its interlocks, and who runs a unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from seedtrain.automation._job import by_people, unit_name
from seedtrain.automation._observed import Interlock
from seedtrain.automation._opcua._mapping import FunctionEntry
from seedtrain.automation._opcua._mapping import Mapping as PlantMapping
from seedtrain.base import InputError, Location, SeedtrainError
from seedtrain.quantity import Quantity, parse
from seedtrain.recipe import ControlRecipe

_CONDITION: Final = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*(>=|<=)\s*(.+?)\s*")


def interlocks_of(mapping: PlantMapping, unit: str) -> tuple[Interlock, ...]:
    """The interlocks of a unit whose mapping was checked."""
    entry = mapping.entry.units[unit]
    return tuple(_interlock(item.when, item.why, entry.functions) for item in entry.interlocks)


def safe_targets(mapping: PlantMapping, unit: str) -> dict[str, float]:
    """What the targets of a unit are in its safe state, each in its function's unit."""
    entry = mapping.entry.units[unit]
    return {tag: _target(tag, text, entry.functions) for tag, text in entry.safe.targets.items()}


def safe_faults(mapping: PlantMapping) -> Iterator[SeedtrainError]:
    """Every fault of safe states and interlocks, each at its line."""
    for name, unit in mapping.entry.units.items():
        for tag, text in unit.safe.targets.items():
            try:
                _target(tag, text, unit.functions)
            except InputError as error:
                yield _at(mapping, ("units", name, "safe", "targets", tag), error)
        for index, item in enumerate(unit.interlocks):
            try:
                _interlock(item.when, item.why, unit.functions)
            except InputError as error:
                yield _at(mapping, ("units", name, "interlocks", index, "when"), error)


def unit_faults(mapping: PlantMapping, control: ControlRecipe) -> Iterator[SeedtrainError]:
    """Phases of the recipe whose unit neither the plant nor people run; one fault a unit."""
    seen: set[str] = set()
    for step in control.recipe.phases():
        name = unit_name(step)
        if name in seen or name in mapping.entry.units or by_people(step, mapping.entry.people):
            continue
        seen.add(name)
        known = ", ".join(mapping.entry.units)
        message = f"{mapping.document.file} has no unit {name!r}"
        remedy = f"Map it, or name it under `people`; mapped are: {known}."
        yield control.recipe.error(step.path, "", message, remedy=remedy)


def _at(mapping: PlantMapping, place: Location, error: InputError) -> SeedtrainError:
    return mapping.document.error(place, error.message, remedy=error.remedy)


def _function(tag: str, functions: Mapping[str, FunctionEntry]) -> FunctionEntry:
    if tag not in functions:
        raise InputError(f"no function {tag!r} is mapped", remedy=f"Use one of: {', '.join(functions) or 'none'}.")
    return functions[tag]


def _target(tag: str, text: str, functions: Mapping[str, FunctionEntry]) -> float:
    function = _function(tag, functions)
    if function.target is None:
        raise InputError(f"{tag} has no target that could be set", remedy="Map its `target`, or leave it out.")
    return _number(text, function.unit)


def _number(text: str, unit: str) -> float:
    value: Quantity = parse(text, like=unit)
    return value.magnitude(unit)


def _interlock(when: str, why: str, functions: Mapping[str, FunctionEntry]) -> Interlock:
    found = _CONDITION.fullmatch(when)
    if found is None:
        raise InputError(f"{when!r} is no condition", remedy="Write it as `broth_volume >= 180 L`.")
    tag, operator, text = found.groups()
    unit = _function(tag, functions).unit
    return Interlock(tag, operator, _number(text, unit), unit, why or when.strip())
