"""A recipe's parts as the data of its file, every number as its normal text; what is digested and what is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.quality import Specification
from seedtrain.quantity import Quantity
from seedtrain.recipe._kinds import choose
from seedtrain.recipe._phase import Operation, Phase, StrategyLine, UnitProcedure

_LEVELS: Final = (("unit_procedure", "operations"), ("operation", "phases"), ("phase", ""))
_LISTS: Final = ("control_strategy", "specification")


def formula_data(materials: Mapping[str, Mapping[str, Quantity]]) -> dict[str, Any]:
    """The prepared materials with their compositions."""
    return {
        name: {"composition": {item: str(amount) for item, amount in composition.items()}}
        for name, composition in materials.items()
    }


def unit_procedure_data(procedure: UnitProcedure) -> dict[str, Any]:
    """A unit procedure with everything in it."""
    data: dict[str, Any] = {"unit_procedure": procedure.name, "unit_class": procedure.unit_class}
    if procedure.unit is not None:
        data["unit"] = procedure.unit
    if procedure.repeat:
        data["repeat"] = procedure.repeat
    if procedure.after is not None:
        data["after"] = list(procedure.after)
    if procedure.holds:
        data["holds"] = procedure.holds
    data["operations"] = [_operation_data(operation) for operation in procedure.operations]
    return data


def _operation_data(operation: Operation) -> dict[str, Any]:
    after = {"after": list(operation.after)} if operation.after else {}
    return {"operation": operation.name, **after, "phases": [phase_data(phase) for phase in operation.phases]}


def phase_data(phase: Phase) -> dict[str, Any]:
    """A phase without what it leaves out."""
    data: dict[str, Any] = {"phase": phase.name, "do": phase.do}
    if phase.set:
        data["set"] = {name: str(value) for name, value in phase.set.items()}
    for key in ("until", "at_most", "duration"):
        if getattr(phase, key) is not None:
            data[key] = str(getattr(phase, key))
    for key in ("limits", "sample"):
        if getattr(phase, key):
            data[key] = {name: str(value) for name, value in getattr(phase, key).items()}
    for key in ("instruction", "hold_point"):
        if getattr(phase, key):
            data[key] = getattr(phase, key)
    if phase.second_person:
        data["second_person"] = "true"
    if phase.automatic_restart:
        data["automatic_restart"] = "true"
    if phase.hold_time is not None:
        data["hold_time"] = str(phase.hold_time)
    return data | phase.manual.to_data()


def strategy_data(lines: Iterable[StrategyLine]) -> list[dict[str, str]]:
    """The control strategy."""
    names = ("attribute", "at", "parameter", "range", "detector", "sample", "action")
    return [{name: str(getattr(line, name)) for name in names} for line in lines]


def specification_data(specification: Specification) -> list[dict[str, str]]:
    """The release specification."""
    lines = []
    for line in specification.lines:
        data = {"attribute": line.attribute, "method": line.method, "limit": line.limit.text}
        if line.assay_cv is not None:
            data["assay_cv"] = f"{line.assay_cv * 100:.12g} %"
        if line.note:
            data["note"] = line.note
        lines.append(data)
    return lines


def numbered(names: Iterable[str]) -> list[str]:
    """Names made different by a number where one stands twice."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return found


def part_of(data: Mapping[str, Any], part: str) -> Any:
    """The part of a recipe's data that `part` names (`MasterRecipe.digest_of`); raises `InputError` for none."""
    head, *names = part.split("/")
    head = "recipe" if head == "name" else head
    node = data.get(head, [] if head in _LISTS and not names else None)
    if head == "procedure":
        node = _walk(node, names)
    elif names:
        node = node.get(names[0]) if head == "materials" and len(names) == 1 and node else None
    if node is None:
        known = [f"materials/{name}" for name in data["materials"]]
        known += [f"procedure/{item['unit_procedure']}" for item in data["procedure"]]
        raise InputError(f"the recipe has no part {part!r}", remedy=choose(part, [*data, *known]))
    return node


def _walk(node: Any, names: list[str]) -> Any:
    if len(names) > len(_LEVELS):
        return None
    for index, (name, (key, children)) in enumerate(zip(names, _LEVELS, strict=False)):
        node = next((item for item in node if item[key] == name), None)
        if node is None or index == len(names) - 1:
            return node
        node = node[children]
    return node


def yaml_text(data: dict[str, Any]) -> str:
    """`data` (dicts, lists and strings) as YAML that reads back as the same data; mappings of scalars on one line."""
    import yaml

    class _Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=118, default_flow_style=None)
    return str(text)
