"""What a mapping of tags says of safety: the safe state of each unit, and its interlocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from seedtrain.automation._observed import Interlock
from seedtrain.automation._protocols._mapping import TagFunction, TagMapping, TagUnitEntry
from seedtrain.base import InputError, SeedtrainError
from seedtrain.quantity import parse

_CONDITION: Final = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*(>=|<=)\s*(.+?)\s*")


def interlocks_of(entry: TagUnitEntry) -> tuple[Interlock, ...]:
    """The interlocks of a unit; raises `InputError` for one that is none."""
    return tuple(_interlock(item.when, item.why, entry.functions) for item in entry.interlocks)


def safe_targets(entry: TagUnitEntry) -> dict[str, float]:
    """What the targets of a unit are in its safe state, by tag of the device; raises `InputError` for one that is
    none."""
    found = {}
    for name, text in entry.safe.targets.items():
        function = _function(name, entry.functions)
        if function.target is None:
            raise InputError(f"{name} has no target that could be set", remedy="Map its `target`, or leave it out.")
        found[function.target] = parse(text, like=function.unit).magnitude(function.unit)
    return found


def safe_faults(mapping: TagMapping) -> Iterator[SeedtrainError]:
    """The first fault of each unit's safe state and interlocks, at its place."""
    for name, unit in mapping.entry.units.items():
        if unit.safe.program and unit.program is None:
            message = f"{name} runs no programs, so {unit.safe.program!r} cannot bring it to its safe state"
            place = ("units", name, "safe", "program")
            yield mapping.document.error(place, message, remedy="Map its `program`, or name safe `targets`.")
        checks: tuple[tuple[str, Callable[[TagUnitEntry], object]], ...] = (
            ("safe", safe_targets),
            ("interlocks", interlocks_of),
        )
        for key, check in checks:
            try:
                check(unit)
            except InputError as error:
                yield mapping.document.error(("units", name, key), error.message, remedy=error.remedy)


def _function(tag: str, functions: Mapping[str, TagFunction]) -> TagFunction:
    if tag not in functions:
        raise InputError(f"no function {tag!r} is mapped", remedy=f"Use one of: {', '.join(functions) or 'none'}.")
    return functions[tag]


def _interlock(when: str, why: str, functions: Mapping[str, TagFunction]) -> Interlock:
    found = _CONDITION.fullmatch(when)
    if found is None:
        raise InputError(f"{when!r} is no condition", remedy="Write it as `broth_volume >= 180 L`.")
    tag, operator, text = found.groups()
    unit = _function(tag, functions).unit
    return Interlock(tag, operator, parse(text, like=unit).magnitude(unit), unit, why or when.strip())
