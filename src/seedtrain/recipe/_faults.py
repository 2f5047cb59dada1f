"""Gathering every fault of a recipe's file, each under a name that a person knows: the phase, then the key."""

from __future__ import annotations

from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from seedtrain.base import Document, InputError, InputErrors, Location, SeedtrainError
from seedtrain.recipe._kinds import choose

ModelT = TypeVar("ModelT", bound=BaseModel)

_LISTS: Final = {"procedure": "unit_procedure", "operations": "operation", "phases": "phase"}
_LINES: Final = ("control_strategy", "specification")


class Faults:
    """The faults found so far in one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._found: list[SeedtrainError] = []

    def add(self, location: Location, message: str, remedy: str = "", *, at_key: bool = False) -> None:
        """Note a fault of what stands at `location`; `at_key` points at the key and not at its value."""
        document = self.document
        keys = document.keys if at_key and location in document.keys else {}
        where = keys.get(location) or document.position(location)
        name = readable(document.data, location)
        text = f"{name}: {message}" if name else message
        excerpt = document.excerpt(where)
        self._found.append(InputError(text, position=where, remedy=remedy, excerpt=excerpt))

    def take(self, model: type[ModelT], location: Location = ()) -> ModelT | None:
        """What stands at `location` as `model`, or None with its faults noted."""
        data = self.document.data
        for step in location:
            data = data[step]
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for entry in error.errors(include_url=False, include_context=False):
                self._explain(entry, model, location)
            return None

    def raise_all(self) -> None:
        """Raise every fault in the order of the file, each once."""
        if self._found:
            unique = {(str(item.position), item.message): item for item in self._found}
            raise InputErrors(tuple(sorted(unique.values(), key=_place)))

    def _explain(self, entry: Any, model: type[BaseModel], location: Location) -> None:
        steps = entry["loc"]
        for step in steps:
            if (*location, step) in self.document.positions:
                location = (*location, step)
        kind, message = entry["type"], str(entry["msg"])
        if kind == "missing":
            self.add(location, f"the key {str(steps[-1])!r} is missing", "Add it.")
        elif kind == "extra_forbidden":
            name = str(steps[-1])
            self.add(location, f"the key {name!r} is unknown", choose(name, _keys(model, steps[:-1])), at_key=True)
        elif kind == "value_error":
            words, _, remedy = message.removeprefix("Value error, ").partition(" | ")
            self.add(location, words, remedy)
        elif kind in ("model_type", "dict_type", "model_attributes_type"):
            self.add(location, "a mapping of keys to values is wanted here", "Write 'key: value' lines, indented.")
        elif kind == "list_type":
            self.add(location, "a list is wanted here", "Start each item with '- '.")
        elif kind == "string_type":
            self.add(location, "one value is wanted here, not a list or a mapping", "Write plain text.")
        else:
            self.add(location, message[:1].lower() + message[1:])


def readable(data: Any, location: Location) -> str:
    """`location` as a person names it: "production/growth/fed-batch: set.rate", at most two keys after the path."""
    names: list[str] = []
    keys: list[str] = []
    current = data
    parent = ""
    for step in location:
        current = _step(current, step)
        if isinstance(step, int) and isinstance(current, str):
            continue  # one of several words under a key
        if isinstance(step, int):
            if keys:
                keys.pop()
            names.append(_item_name(current, parent, step))
        else:
            keys.append(step)
            parent = step
    if location[:1] == ("materials",) and len(location) > 1:
        names, keys = ["materials", str(location[1])], [str(item) for item in location[2:]]
    elif names and location[0] in _LINES:
        names.insert(0, str(location[0]))
    return ": ".join(part for part in ("/".join(names), ".".join(keys[-2:])) if part)


def _item_name(item: Any, parent: str, index: int) -> str:
    key = _LISTS.get(parent, "attribute")
    name = item.get(key) if isinstance(item, dict) else None
    return name if isinstance(name, str) and name else f"{key.replace('_', ' ')} {index + 1}"


def _step(current: Any, step: str | int) -> Any:
    if isinstance(current, dict):
        return current.get(str(step))
    if isinstance(current, list) and isinstance(step, int) and step < len(current):
        return current[step]
    return None


def _keys(model: type[BaseModel], steps: tuple[Any, ...]) -> tuple[str, ...]:
    """The keys that `model` takes at `steps`."""
    current: Any = model
    for step in steps:
        fields = current.model_fields if isinstance(current, type) and issubclass(current, BaseModel) else {}
        if isinstance(step, str) and step in fields:
            current = _inner(fields[step].annotation)
    return tuple(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else ()


def _inner(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner(part)) is not None), None)


def _place(error: SeedtrainError) -> tuple[int, int]:
    return (error.position.line, error.position.column) if error.position else (0, 0)
