"""What a server offers, and the mapping file that follows from it as far as names tell."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from seedtrain.automation._lads import LADS_SPACE, LADS_TYPES, unit_text
from seedtrain.automation._opcua._session import Session
from seedtrain.base import InputError, Progress, UnavailableError, silent

DEEPEST: Final = 12
MOST_NODES: Final = 20_000
OBJECTS: Final = "i=85"
_GROUP: Final = "nsu=http://opcfoundation.org/UA/DI/;i=1005"
"""FunctionalGroupType of OPC 10000-100."""
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


@dataclass
class Offered:
    """One node of the server with what hangs below it; `value` and `unit` where it is a variable.

    - `type`: the node id of its type. `lads`: the type of LADS that this is or is derived from, by its name.
    """

    name: str
    node: str
    kind: str
    children: dict[str, Offered] = field(default_factory=dict)
    value: Any = None
    unit: str = ""
    writable: bool = False
    type: str = ""
    lads: str = ""

    def find(self, *path: str) -> Offered | None:
        """What hangs below it at a path of browse names."""
        here: Offered | None = self
        for name in path:
            here = here.children.get(name) if here is not None else None
        return here

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Offered]]:
        """It and everything below, with the depth of each."""
        yield depth, self
        for child in self.children.values():
            yield from child.walk(depth + 1)


def browse(session: Session, *, limit: float = math.inf, progress: Progress = silent) -> Offered:
    """Everything below the server's Objects, but the server's own diagnostics.

    - `limit`: s that it may take. Raises `UnavailableError` beyond that, and where nobody answers.
    """
    began = time.monotonic()
    root = Offered("Objects", OBJECTS, "Object")
    seen = {OBJECTS}
    level, depth = [root], 0
    variables: list[Offered] = []
    while level and depth < DEEPEST and len(seen) < MOST_NODES:
        following: list[Offered] = []
        level.sort(key=lambda item: item.type == _GROUP)  # a group only points at what others hold
        for parent, below in zip(level, session.children([item.node for item in level]), strict=True):
            for name, item in below.items():
                if item.node in seen or (parent is root and item.node.startswith("i=")):
                    continue
                seen.add(item.node)
                child = Offered(name, item.node, item.kind, type=item.type)
                parent.children[name] = child
                if item.kind == "Variable":
                    variables.append(child)
                if item.kind in ("Object", "Variable"):
                    following.append(child)
        level, depth = following, depth + 1
        progress(depth / DEEPEST, f"{session.url}: {len(seen)}")
        if time.monotonic() - began > limit:
            raise UnavailableError(
                f"{session.url} was not browsed within {limit:g} s: {len(seen)} nodes by then",
                remedy="Give a longer --limit.",
            )
    _fill(session, variables)
    _recognise(session, root)
    return root


def _recognise(session: Session, root: Offered) -> None:
    """Name the LADS type of every object, climbing from the server's own types, which may be derived from those."""
    known = {f"nsu={LADS_SPACE};i={number}": name for name, number in LADS_TYPES.items()}
    objects = [item for _, item in root.walk() if item.kind == "Object" and item.type]
    standing = {item.type: item.type for item in objects if not item.type.startswith("i=")}
    while left := [own for own, here in standing.items() if here and here not in known]:
        standing |= dict(zip(left, session.above([standing[own] for own in left]), strict=True))
    for item in objects:
        item.lads = known.get(standing.get(item.type, ""), "")


def _fill(session: Session, variables: list[Offered]) -> None:
    """Value, unit and access of every variable, in two requests."""
    nodes = [item.node for item in variables]
    values = session.read(nodes)
    access = session.read(nodes, "UserAccessLevel")
    for item, value, level in zip(variables, values, access, strict=True):
        item.value = getattr(value.value, "Text", value.value) if value is not None else None
        item.writable = bool(level is not None and int(level.value or 0) & 2)
    for item in variables:
        engineering = item.find("EngineeringUnits")
        item.unit = (unit_text(engineering.value) if engineering is not None else None) or ""


def draft_mapping(root: Offered, url: str) -> str:
    """A mapping file for every functional unit: of the types of LADS, or else with its nouns.

    Raises `InputError` where the server has none: then the file is to be written by hand.
    """
    units = {name: _unit(device, unit) for name, device, unit in _units(root)}
    if not units:
        raise InputError(
            f"{url} has no functional units of LADS, by type or by name",
            remedy="Write the mapping by hand: docs/how-to/connect-a-server.md shows each key.",
        )
    typed = any(item.lads for _, item in root.walk())
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
    words = "the types of LADS are" if typed else "names are"
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
