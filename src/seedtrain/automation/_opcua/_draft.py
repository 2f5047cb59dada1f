"""The mapping file that follows from what a server offers: from the types of LADS, else from names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from seedtrain.automation._opcua._browse import Offered
from seedtrain.base import InputError
from seedtrain.quantity import QuantityError, same_dimension

_METHODS: Final = {
    "prepare": "Prepare",
    "start": "StartProgram",
    "hold": "Hold",
    "abort": "Abort",
    "sample": "DrawSample",
}
_LADS: Final = {
    "machine": ("FunctionalUnitState",),
    "start": ("FunctionalUnitState", "StartProgram"),
    "abort": ("FunctionalUnitState", "Abort"),
    "stop": ("FunctionalUnitState", "Stop"),
    "running": ("FunctionalUnitState", "RunningStateMachine"),
    "hold": ("FunctionalUnitState", "RunningStateMachine", "Hold"),
    "unhold": ("FunctionalUnitState", "RunningStateMachine", "Unhold"),
    "templates": ("ProgramManager", "ProgramTemplateSet"),
    "results": ("ProgramManager", "ResultSet"),
}
"""Where LADS has what drives a unit's programs."""
_SETS: Final = {"templates": "ProgramTemplateSet", "results": "ResultSet"}


def draft_mapping(root: Offered, url: str) -> str:
    """A mapping file for every functional unit: of the types of LADS, or else with its nouns; where there is none, for
    every object that holds numbers, as a server without programs has them.

    Raises `InputError` where the server has no number at all.
    """
    units = {name: _unit(device, unit) for name, device, unit in _units(root)}
    words = "the types of LADS are" if any(item.lads for _, item in root.walk()) else "names are"
    if not units:
        units = {name: {"origin": "measured", "functions": item} for name, item in _plain(root)}
    if not units:
        raise InputError(
            f"{url} offers no number that could be read",
            remedy="Write the mapping by hand: docs/how-to/connect-a-server.md shows each key.",
        )
    data: dict[str, Any] = {"server": url}
    names = [str(node) for node in _leaves(units)]
    spaces = [name.rpartition(";")[0].removeprefix("nsu=") for name in names if name.startswith("nsu=")]
    namespace = max(sorted(set(spaces)), key=spaces.count, default="")
    if namespace:
        data["namespace"] = namespace
    clock = root.find("Clock")
    if clock is not None:
        parts = {"object": clock, **{key: clock.find(name) for key, name in _CLOCK.items()}}
        data["clock"] = {key: item.node for key, item in parts.items() if item is not None}
    data["units"] = units
    lines = [f"# Drafted by `seedtrain plant browse`. Check every line: {words} all that it went by."]
    return "\n".join([*lines, *_yaml(data, 0, f"nsu={namespace};")]) + "\n"


_CLOCK: Final = {"time": "Time", "lock_step": "LockStep", "advance": "Advance"}


def _units(root: Offered) -> Iterator[tuple[str, Offered, Offered]]:
    """Functional units with their name and device: by their type where any has one, else below a FunctionalUnitSet.
    Two of one name are told apart by their devices."""
    found = list(_typed(root, root)) or list(_named(root))
    names = [unit.name for _, unit in found]
    for device, unit in found:
        yield unit.name if names.count(unit.name) == 1 else f"{device.name}.{unit.name}", device, unit


def _typed(here: Offered, device: Offered) -> Iterator[tuple[Offered, Offered]]:
    for item in here.children.values():
        if item.lads == "FunctionalUnitType":
            yield device, item
        else:
            yield from _typed(item, item if item.lads == "LADSDeviceType" else device)


def _named(root: Offered) -> Iterator[tuple[Offered, Offered]]:
    for _, device in root.walk():
        inner = device.find("FunctionalUnitSet")
        for unit in inner.children.values() if inner is not None else ():
            yield device, unit


def _unit(device: Offered, unit: Offered) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, name in (("manufacturer", "Manufacturer"), ("model", "Model"), ("origin", "Origin")):
        item = device.find(name) or device.find("Identification", name)
        found[key] = item.node if item is not None else "measured" if key == "origin" else "?"
    machine = unit.find("FunctionalUnitState")
    state = machine.find("CurrentState") or machine if machine is not None else None
    found["state"] = state.node if state is not None else "?"
    within = machine.find("RunningStateMachine", "CurrentState") if machine is not None else None
    if within is not None:
        found["substate"] = within.node
    manager = unit.find("ProgramManager")
    own = manager is not None and any(manager.find(name) is not None for name in _METHODS.values())
    lads = machine is not None and machine.lads == "FunctionalUnitStateMachineType" and not own
    found["lads" if lads else "program"] = _lads(unit) if lads else _program(manager)
    found["functions"] = dict(_functions(unit, ""))
    return found


def _program(manager: Offered | None) -> dict[str, str]:
    """Methods and sets of a program manager; what it lacks is left to the reader."""
    found: dict[str, str] = {"object": manager.node if manager is not None else "?"}
    for key, name in (*_METHODS.items(), *_SETS.items()):
        item = manager.find(name) if manager is not None else None
        found[key] = item.node if item is not None else "?"
    active = _active(manager)
    return found | ({"active": active.node} if active is not None else {})


def _lads(unit: Offered) -> dict[str, str]:
    """What LADS itself has to drive programs by; what is optional there, and not here, is left out."""
    found: dict[str, str] = {}
    for key, path in _LADS.items():
        item = unit.find(*path)
        if item is not None:
            found[key] = item.node
        elif key in ("machine", "start", "abort", *_SETS):
            found[key] = "?"
    active = _active(unit.find("ProgramManager"))
    return found | ({"active": active.node} if active is not None else {})


def _active(manager: Offered | None) -> Offered | None:
    active = manager.find("ActiveProgram") if manager is not None else None
    return active.find("CurrentProgramTemplate") if active is not None and active.kind == "Object" else active


def _functions(holder: Offered, above: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The functions of a unit, and those of a function, each with what can be read or told; others are left out."""
    functions = holder.find("FunctionSet")
    for tag, item in functions.children.items() if functions is not None else ():
        entry = _function(item)
        if entry:
            yield f"{above}{tag}", entry
        yield from _functions(item, f"{above}{tag}.")


def _function(function: Offered) -> dict[str, str]:
    current = function.find("CurrentValue") or function.find("SensorValue")
    target = function.find("TargetValue")
    if current is None:
        return {}
    found = {"current": current.node}
    if target is not None:
        found["target"] = target.node
    if current.unit:
        found["unit"] = current.unit
    return found


_VALUES: Final = ("PV", "CurrentValue", "Current", "current", "Value", "value")
_TARGETS: Final = ("SP", "TargetValue", "Target", "target", "Setpoint", "SetPoint", "setpoint")
"""Last words of names by which a value and its target belong together."""


def _plain(root: Offered) -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """Objects that hold numbers, with their functions: `X.PV` and `X.SP` are one, and so are `PV` and `SP` of `X`."""
    for _, item in root.walk():
        if item.kind != "Object":
            continue
        found: dict[str, dict[str, str]] = {}
        for name, child in item.children.items():
            if child.kind != "Variable" or isinstance(child.value, bool) or not isinstance(child.value, (int, float)):
                continue
            head, role = _role(name)
            entry = found.setdefault(head or item.name, {})
            entry[role] = child.node
            if child.unit and _spelt(child.unit):
                entry["unit"] = child.unit
        numbers = {name: entry for name, entry in found.items() if "current" in entry}
        if numbers:
            yield item.name, numbers


def _role(name: str) -> tuple[str, str]:
    """What a number is called without its last word, and whether it is a current value or a target."""
    for sign in "._/ ":
        head, _, last = name.rpartition(sign)
        if last in (*_VALUES, *_TARGETS):
            return head, "target" if last in _TARGETS else "current"
    return name, "current"


def _spelt(unit: str) -> bool:
    try:
        same_dimension(unit, "g")
    except QuantityError:
        return False
    return True


def _leaves(data: Any) -> Iterator[Any]:
    if isinstance(data, Mapping):
        for item in data.values():
            yield from _leaves(item)
    else:
        yield data


def _yaml(data: Mapping[str, Any], depth: int, prefix: str) -> Iterator[str]:
    """YAML with every text quoted where it needs it; node ids lose the namespace that the file names."""
    for key, value in data.items():
        start = "  " * depth + (key if key.replace("_", "").replace("-", "").isalnum() else json.dumps(key))
        if isinstance(value, Mapping) and value:
            yield f"{start}:"
            yield from _yaml(value, depth + 1, prefix)
        else:
            text = "{}" if isinstance(value, Mapping) else str(value).removeprefix(prefix if len(prefix) > 5 else "")
            plain = text == "{}" or all(letter not in text for letter in ":#{}[]&*!|>'\"%@`?,")
            yield f"{start}: {text if plain else json.dumps(text, ensure_ascii=False)}"
