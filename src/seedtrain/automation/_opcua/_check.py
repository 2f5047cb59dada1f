"""A mapping checked against the server that it maps, before anything moves: all faults at once, each at its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from seedtrain.automation._job import by_people, unit_name
from seedtrain.automation._lads import unit_text
from seedtrain.automation._opcua._mapping import FunctionEntry, UnitEntry
from seedtrain.automation._opcua._mapping import Mapping as PlantMapping
from seedtrain.automation._opcua._past import aware
from seedtrain.automation._opcua._programs import Template
from seedtrain.automation._opcua._session import Session, Value
from seedtrain.automation._ramp import ramped
from seedtrain.base import Location, SeedtrainError, collect
from seedtrain.quantity import Quantity, same_dimension
from seedtrain.recipe import CALIBRATE, ControlRecipe, PhaseAt, references

_READ, _WRITE, _HISTORY = 1, 2, 4
"""Bits of the attribute UserAccessLevel (OPC UA part 3, 8.57)."""
_NUMBERS: Final = frozenset((*range(2, 12), 26, 27, 28))
"""Numbers of the built-in data types that are numbers (part 3, 8)."""
_ORIGINS: Final = ("measured", "simulated")
_CURRENT_TIME: Final = "i=2258"
"""Server_ServerStatus_CurrentTime (part 5), in UTC."""
LARGEST_SKEW: Final = timedelta(seconds=5)
"""Between the server's clock and ours; assumed."""
_PROGRAM_CLASSES: Final = {
    **dict.fromkeys(("object", "machine", "running", "templates", "results"), "Object"),
    "active": "Variable",
}
"""What a node of a program manager is; a method where it is not here."""
_CLASSES: Final = {"Object": 1, "Variable": 2, "Method": 4}


@dataclass(frozen=True)
class _Wanted:
    """A node of the mapping, where it stands and what it must be."""

    place: Location
    node: str
    kind: str
    function: FunctionEntry | None = None
    writable: bool = False


def check_nodes(mapping: PlantMapping, session: Session, control: ControlRecipe | None = None) -> None:
    """Every node exists and is of its kind; current values are numbers with history, in the unit that the mapping
    says; target values can be written; safe states and interlocks mean something; the server's clock is ours; every
    unit of `control` is mapped or run by people. Raises `InputErrors`."""
    wanted = list(_wanted(mapping))
    nodes = [item.node for item in wanted]
    classes = session.read(nodes, "NodeClass")
    access = session.read(nodes, "UserAccessLevel")
    executable = session.read(nodes, "UserExecutable")
    types = session.read(nodes, "DataType")
    units, origins = _properties(session, wanted)
    errors: list[SeedtrainError] = []
    for index, item in enumerate(wanted):
        found = classes[index]
        message, remedy = "", ""
        if found is None:
            message = f"the server has no node {item.node}"
            remedy = f"See what it has: seedtrain plant browse {mapping.entry.server}"
        elif int(found.value) != _CLASSES[item.kind]:
            message, remedy = f"{item.node} is no {item.kind.lower()}", f"Name a {item.kind.lower()}."
        elif item.kind == "Method" and not _true(executable[index]):
            message, remedy = f"this user may not call {item.node}", "Ask for the right, or connect as another user."
        elif item.function is not None:
            level = _number(access[index])
            message, remedy = _variable_fault(item, level, types[index], units.get(item.node))
        if message:
            errors.append(mapping.document.error(item.place, message, remedy=remedy))
    errors += _origin_faults(mapping, origins)
    errors += _clock_faults(mapping, session)
    errors += mapping.safe_faults()
    if errors and control is not None:
        errors += mapping.unit_faults(control)  # else they are found phase by phase
    collect(errors)


def _origin_faults(mapping: PlantMapping, origins: Mapping[str, str]) -> Iterator[SeedtrainError]:
    """A mapping may not call measured what its server calls simulated."""
    for name, unit in mapping.entry.units.items():
        said = {origins.get(mapping.node(function.current), unit.origin) for function in unit.functions.values()}
        if unit.origin in _ORIGINS and said - {unit.origin}:
            message = f"the server says that values of {name} are {', '.join(sorted(said - {unit.origin}))}"
            place = ("units", name, "origin")
            yield mapping.document.error(place, message, remedy="Name the node that says so, or write the same.")


def _clock_faults(mapping: PlantMapping, session: Session) -> Iterator[SeedtrainError]:
    """A server whose clock is not ours would file its readings under other times than the record has."""
    if mapping.entry.clock is not None:
        return  # a simulated plant keeps the time itself
    before = ours()
    (found,) = session.read([_CURRENT_TIME])
    after = ours()
    if found is None or not isinstance(found.value, datetime):
        return
    there = aware(found.value)
    skew = there - after if there > after else there - before if there < before else timedelta(0)
    if abs(skew) > LARGEST_SKEW:
        seconds, side = abs(skew.total_seconds()), "ahead of" if skew > timedelta(0) else "behind"
        message = f"the server's clock is {seconds:.1f} s {side} ours; {LARGEST_SKEW.total_seconds():g} s are allowed"
        yield mapping.document.error(("server",), message, remedy="Set both by the same time server (NTP).")


def ours() -> datetime:
    """What our clock shows."""
    return datetime.now(UTC)


def _type_name(kind: Any) -> str:
    """A data type by its name in part 6 of the standard; by its node id where the server made it."""
    from asyncua import ua

    if getattr(kind, "NamespaceIndex", 0) == 0:
        return str(ua.ObjectIdNames.get(getattr(kind, "Identifier", None), "unknown"))
    return str(kind.to_string())


def _variable_fault(item: _Wanted, level: int, kind: Value | None, unit: str | None) -> tuple[str, str]:
    """What is wrong with the value of a function, and what to do; empty where it is right."""
    assert item.function is not None
    number = kind.value if kind is not None else None
    name = getattr(number, "Identifier", None)
    if getattr(number, "NamespaceIndex", 0) != 0 or name not in _NUMBERS:
        said = f"{item.node} is not a number but of data type {_type_name(number)}"
        return said, "Name a variable that holds a number."
    if item.writable and not level & _WRITE:
        return f"{item.node} can only be read", "Name a target that can be written, or leave `target` away."
    if not item.writable and not level & _READ:
        return f"this user may not read {item.node}", "Ask for the right, or connect as another user."
    if not item.writable and not level & _HISTORY:
        return f"the server keeps no history of {item.node}", "Let the server historise it."
    if unit is not None and unit != item.function.unit:
        return (
            f"{item.node} is in {unit or 'no unit'}, the mapping says {item.function.unit or 'no unit'}",
            f"Write `unit: {unit}`." if unit else "Remove `unit`.",
        )
    return "", ""


def _properties(session: Session, wanted: list[_Wanted]) -> tuple[dict[str, str], dict[str, str]]:
    """The unit and the origin that the server gives for each value that has one."""
    values = [item.node for item in wanted if item.function is not None]
    below = session.children(values)

    def ask(name: str) -> dict[str, Value]:
        places = {node: found[name].node for node, found in zip(values, below, strict=True) if name in found}
        read = zip(places, session.read(list(places.values())), strict=True)
        return {node: item for node, item in read if item is not None and item.value is not None}

    said = {node: unit_text(item.value) for node, item in ask("EngineeringUnits").items()}
    units = {node: unit for node, unit in said.items() if unit is not None}
    return units, {node: str(item.value) for node, item in ask("Origin").items()}


def _true(value: Value | None) -> bool:
    return value is not None and bool(value.value)


def _number(value: Value | None) -> int:
    return int(value.value or 0) if value is not None else 0


def _wanted(mapping: PlantMapping) -> Iterator[_Wanted]:
    entry = mapping.entry
    if entry.clock is not None:
        for key, kind in (("object", "Object"), ("time", "Variable"), ("lock_step", "Variable"), ("advance", "Method")):
            yield _Wanted(("clock", key), mapping.node(getattr(entry.clock, key)), kind)
    for name, unit in entry.units.items():
        for key in ("manufacturer", "model", "origin", "state"):
            text = getattr(unit, key)
            if text not in _ORIGINS:
                yield _Wanted(("units", name, key), mapping.node(text), "Variable")
        if unit.substate is not None:
            yield _Wanted(("units", name, "substate"), mapping.node(unit.substate), "Variable")
        for key, programs in (("program", unit.program), ("lads", unit.lads)):
            for part, text in dict(programs or ()).items():
                if isinstance(text, str):
                    kind = _PROGRAM_CLASSES.get(part, "Method")
                    yield _Wanted(("units", name, key, part), mapping.node(text), kind)
        for tag, function in unit.functions.items():
            place = ("units", name, "functions", tag)
            yield _Wanted((*place, "current"), mapping.node(function.current), "Variable", function)
            if function.target is not None:
                yield _Wanted((*place, "target"), mapping.node(function.target), "Variable", function, writable=True)


def check_recipe(
    control: ControlRecipe, mapping: PlantMapping, templates: Mapping[str, Mapping[str, Template]]
) -> None:
    """Every phase of the recipe finds its unit, its program, and functions for its limits and set points.

    - `templates`: by unit and path. Raises `InputErrors`, each at the recipe's or the mapping's line.
    """
    errors: list[SeedtrainError] = []
    errors += mapping.unit_faults(control)
    for step in control.recipe.phases():
        name = unit_name(step)
        unit = mapping.entry.units.get(name)
        if unit is None or name in mapping.entry.people:
            continue
        template = templates.get(name, {}).get(step.path)
        if template is None and by_people(step, ()):
            continue
        if template is None:
            message = f"{name} has no program {step.path!r}"
            remedy = "Start the plant with this recipe, or add the program to the unit."
            errors.append(control.recipe.error(step.path, "", message, remedy=remedy))
            continue
        errors += _phase_faults(control, step, name, unit, template, mapping)
    collect(errors)


def _phase_faults(
    control: ControlRecipe, step: PhaseAt, name: str, unit: UnitEntry, template: Template, mapping: PlantMapping
) -> Iterator[SeedtrainError]:
    for tag in template.functions:
        if tag not in unit.functions:
            place = ("units", name, "functions")
            message = f"{step.path} reports {tag!r}, which is not mapped"
            yield mapping.document.error(place, message, remedy=f"Map {tag} with the node of its current value.")
    for tag, limits in step.phase.watched.items():
        function = unit.functions.get(tag)
        if tag not in template.functions or function is None:
            message = f"{name} does not report {tag!r} in this phase, so nothing can tell whether it is within limits"
            yield control.recipe.error(step.path, tag, message, remedy="Add the instrument, or remove the limit.")
        elif not same_dimension(limits.unit, function.unit):
            message = f"{name} reports {tag!r} in {function.unit or 'no unit'}, not in {limits.unit or 'no unit'}"
            yield control.recipe.error(step.path, tag, message, remedy="Write the limit in that unit.")
    if step.phase.sample and unit.lads is not None:
        message = f"{name} draws no samples: LADS has no method for it"
        yield control.recipe.error(step.path, "sample", message, remedy="Sample in a phase of people.")
    if step.phase.do == CALIBRATE and (probe := references(step.phase)[0]) not in template.functions:
        message = f"{name} does not report {probe!r} while it is calibrated"
        yield control.recipe.error(step.path, "", message, remedy=f"Let its program report {probe}.")
    for tag in ramped(step.phase):
        if tag not in unit.functions or unit.functions[tag].target is None:
            message = f"{name} has no target of {tag!r} that could be moved"
            yield control.recipe.error(step.path, tag, message, remedy="Map its target, or set it in one step.")
    for key, value in step.phase.set.items():
        function = unit.functions.get(key)
        if function is None or function.target is None or not isinstance(value, Quantity):
            continue
        if not same_dimension(value.unit, function.unit):
            message = f"{name} controls {key!r} in {function.unit or 'no unit'}, not in {value.unit or 'no unit'}"
            yield control.recipe.error(step.path, key, message, remedy="Write the set point in that unit.")
