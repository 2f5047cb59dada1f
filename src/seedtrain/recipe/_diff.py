"""What differs between two recipes, value by value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seedtrain.base import Position
from seedtrain.recipe._data import numbered, phase_data
from seedtrain.recipe._recipe import MasterRecipe

_Values = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Change:
    """One difference.

    - `path`: a phase, an operation, a unit procedure, "materials/<name>", "control_strategy/<attribute>",
      "specification/<attribute>", or "" for the head of the file.
    - `parameter`: which value of it; "" where the whole was added or removed, "order" where the order of what it
      holds changed.
    - `before`, `after`: as text, "" for what is not there.
    - `position_before`, `position_after`: in each file, None where it is not there.
    """

    path: str
    parameter: str
    before: str
    after: str
    position_before: Position | None
    position_after: Position | None

    @property
    def position(self) -> Position:
        """Where it stands in the second file, or in the first where the second lacks it."""
        found = self.position_after or self.position_before
        assert found is not None
        return found

    def __str__(self) -> str:
        name = f"{self.path}: {self.parameter}" if self.path and self.parameter else self.path or self.parameter
        return f"{self.position}: {name}: {self.before or 'absent'} -> {self.after or 'absent'}"


def diff(a: MasterRecipe, b: MasterRecipe) -> tuple[Change, ...]:
    """Every difference from `a` to `b`, in the order of the files; empty exactly where their digests are equal."""
    before, after = _parts(a), _parts(b)
    changes: list[Change] = []
    for path in _merged(list(before), list(after)):
        old, new = before.get(path), after.get(path)
        if (old is None or new is None) and "order of phases" in (old or new or {}):
            continue  # an operation comes and goes with its phases, which are listed
        changes.extend(_compare(a, b, path, old, new))
    return tuple(changes)


def _compare(
    a: MasterRecipe, b: MasterRecipe, path: str, before: dict[str, str] | None, after: dict[str, str] | None
) -> list[Change]:
    if before is None:
        assert after is not None
        return [Change(path, "", "", _summary(after), None, b.position(path))]
    if after is None:
        return [Change(path, "", _summary(before), "", a.position(path), None)]
    changes: list[Change] = []
    for name in _merged(list(before), list(after)):
        old, new = before.get(name, ""), after.get(name, "")
        if name.startswith("order of "):
            old, new = _common(old, new), _common(new, old)
        if old == new:
            continue
        places = (a.position(path, name) if old else None, b.position(path, name) if new else None)
        changes.append(Change(path, name, old, new, *places))
    return changes


def _summary(values: Mapping[str, str]) -> str:
    words = [
        value if name in ("do", "unit_class") else f"{name} {value}"
        for name, value in values.items()
        if value and not name.startswith("order of ")
    ]
    return ", ".join(words)


def _common(names: str, others: str) -> str:
    """The names that both lists hold, in the order of the first."""
    known = set(others.split(", "))
    return ", ".join(name for name in names.split(", ") if name in known)


def _merged(a: list[str], b: list[str]) -> list[str]:
    """All names, those of `a` in their order and each of `b`'s own after the one that it follows in `b`."""
    merged = list(a)
    known = set(a)
    last = -1
    for name in b:
        if name in known:
            last = merged.index(name)
        else:
            last += 1
            merged.insert(last, name)
            known.add(name)
    return merged


def _parts(recipe: MasterRecipe) -> dict[str, dict[str, str]]:
    """Everything that the digest covers, as path -> name -> text."""
    data = recipe.to_data()
    head = {name: text for name, text in data.items() if isinstance(text, str)}
    parts: dict[str, dict[str, str]] = {"": {**head, **{f"basis.{name}": text for name, text in data["basis"].items()}}}
    for name, material in data["materials"].items():
        parts[f"materials/{name}"] = dict(material["composition"])
    parts[""]["order of unit procedures"] = _names(procedure.name for procedure in recipe.unit_procedures)
    for procedure in recipe.unit_procedures:
        parts[procedure.name] = {
            "unit_class": procedure.unit_class,
            "unit": procedure.unit or "",
            "repeat": procedure.repeat,
            "after": "" if procedure.after is None else _names(procedure.after) or "nothing",
            "holds": procedure.holds,
            "order of operations": _names(operation.name for operation in procedure.operations),
        }
        for operation in procedure.operations:
            path = f"{procedure.name}/{operation.name}"
            parts[path] = {
                "after": _names(operation.after),
                "order of phases": _names(phase.name for phase in operation.phases),
            }
            for phase in operation.phases:
                parts[f"{path}/{phase.name}"] = _phase_values(phase_data(phase))
    for key in ("control_strategy", "specification"):
        lines = data.get(key, [])
        names = numbered(f"{key}/{line['attribute']}" for line in lines)
        parts[""][f"order of {key}"] = _names(names)
        parts.update({name: dict(line) for name, line in zip(names, lines, strict=True)})
    return parts


def _phase_values(data: Mapping[str, Any]) -> dict[str, str]:
    values: dict[str, str] = {}
    for key, value in data.items():
        if key == "phase":
            continue
        values.update(_flat("" if key == "set" else key, value))
    return values


def _flat(name: str, value: Any) -> dict[str, str]:
    """Each text in `value` under its keys, joined by dots; a list is one text."""
    if isinstance(value, dict):
        parts = ((f"{name}.{key}" if name else key, item) for key, item in value.items())
        return {path: text for part, item in parts for path, text in _flat(part, item).items()}
    return {name: ", ".join(value) if isinstance(value, list) else value}


def _names(names: Any) -> str:
    return ", ".join(names)
