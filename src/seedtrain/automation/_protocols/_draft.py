"""What a device offers, for people, and the mapping file that follows from it as far as names tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from seedtrain.automation._devices import Identity, Tag
from seedtrain.automation._protocols._address import Address
from seedtrain.base import InputError
from seedtrain.quantity import QuantityError, same_dimension

_TARGETS: Final = ("TargetValue", "target", "Target", "setpoint", "SetPoint", "SP")
_CURRENTS: Final = ("CurrentValue", "current", "Current", "value", "PV")
_SAFE: Final = re.compile(r"[A-Za-z0-9_.+-]+")
_PROGRAM: Final = ("name", "command", "state", "refusal", "stopped", "ended_by", "ready", "owner")
_AMOUNTS: Final = {"Total": "totalisers", "Outlet": "outlets", "Sample": "samples"}
"""First words of the virtual plant's names for amounts, and the key of the mapping for each."""
PROGRAM: Final = "Program"
CLOCK: Final = "Clock/Time"


def draft_tag_mapping(address: Address, identity: Identity, tags: Sequence[Tag], *, registers: str = "") -> str:
    """A mapping file with every number that the device offers, by unit; raises `InputError` where it offers none.

    Names tell a target from a current value: `X/target` and `X/current`, `target_X` and `X`, `SetX` and `X`.
    """
    units: dict[str, dict[str, Any]] = {}
    for tag in tags:
        unit, function, role = _place(address, tag.name)
        if tag.kind == "number" and role:
            entry = units.setdefault(unit, {}).setdefault(function, {})
            entry[role] = tag.name
            if tag.unit and _known(tag.unit):
                entry["unit"] = tag.unit
    found = {name: _unit(address, name, identity, functions, tags) for name, functions in units.items()}
    found = {name: entry for name, entry in found.items() if entry["functions"]}
    if not found:
        raise InputError(
            f"{address} offers no number that could be read",
            remedy="Let its devices send something, or write the mapping by hand: docs/reference/plant-protocols.md.",
        )
    data: dict[str, Any] = {"server": str(address)}
    if registers:
        data["registers"] = registers
    clock = next((tag.name for tag in tags if tag.kind == "time" and tag.name.endswith(CLOCK)), "")
    if clock:
        data["clock"] = clock
    data["units"] = found
    lines = ["# Drafted by `seedtrain plant browse`. Check every line: names are all that it went by."]
    return "\n".join([*lines, *_yaml(data, 0)]) + "\n"


def _unit(
    address: Address, name: str, identity: Identity, functions: Mapping[str, dict[str, str]], tags: Sequence[Tag]
) -> dict[str, Any]:
    entry: dict[str, Any] = {"origin": identity.origin}
    program = {
        key: tag.name
        for key in _PROGRAM
        for tag in tags
        if _place(address, tag.name)[0] == name and tag.name.endswith(f"/{PROGRAM}/{key}")
    }
    if {"name", "command", "state"} <= set(program):
        owner = program.pop("owner", "")
        entry |= {"owner": owner} if owner else {}
        entry["program"] = program
    entry["functions"] = {key: item for key, item in functions.items() if "current" in item}
    for role, key in _AMOUNTS.items():
        amounts = {name: {"tag": item[role], **_unit_of(item)} for name, item in functions.items() if role in item}
        amounts = {name.partition("/")[2]: item for name, item in amounts.items()}
        if amounts:
            entry[key] = amounts
    return entry


def _unit_of(item: Mapping[str, str]) -> dict[str, str]:
    """Its unit; none is written as an empty one."""
    return {"unit": item.get("unit", "")}


def _place(address: Address, name: str) -> tuple[str, str, str]:
    """The unit, the function and the role (`current`, `target` or none) of a tag, from its name."""
    if address.scheme == "sila":
        unit, _, own = name.partition(".")
        return unit, *_role(own)
    parts = name.split("/")
    if address.scheme.startswith("mqtt"):
        group_edge, parts = parts[:2], parts[2:]
        if address.path.startswith("pioreactor"):
            return group_edge[0], *_role("_".join(parts[1:]) if parts[0] != "od_reading" else "_".join(parts))
        unit = parts[0] or group_edge[1]
        return unit, *_role("/".join(parts[1:]))
    return (parts[0], *_role("/".join(parts[1:]))) if len(parts) > 1 else ("device", *_role(name))


def _role(name: str) -> tuple[str, str]:
    head, _, last = name.rpartition("/")
    if head in _AMOUNTS:
        return f"{head}/{last}", head
    if head and last in _TARGETS:
        return _short(head), "target"
    if head and last in _CURRENTS:
        return _short(head), "current"
    if f"/{PROGRAM}/" in f"/{name}":
        return name, ""
    if name.startswith("target_"):
        return name.removeprefix("target_").replace("rpm", "measured_rpm"), "target"
    if name.startswith("Set") and name[3:4].isupper():
        return name.removeprefix("Set"), "target"
    return (name.removeprefix("Current") or name, "current")


def _short(name: str) -> str:
    return name.removeprefix("FunctionSet/")


def _known(unit: str) -> bool:
    try:
        same_dimension(unit, "g")
    except QuantityError:
        return False
    return True


def _yaml(data: Mapping[str, Any], depth: int) -> Iterator[str]:
    for key, value in data.items():
        start = "  " * depth + (key if _SAFE.fullmatch(key) else json.dumps(key, ensure_ascii=False))
        if isinstance(value, Mapping) and value:
            yield f"{start}:"
            yield from _yaml(value, depth + 1)
        else:
            text = "{}" if isinstance(value, Mapping) else str(value)
            plain = text == "{}" or (
                all(letter not in text for letter in ":#{}[]&*!|>'\"%@`?,") and text.strip() == text
            )
            yield f"{start}: {text if plain and text else json.dumps(text, ensure_ascii=False)}"
