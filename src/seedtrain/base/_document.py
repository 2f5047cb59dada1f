"""YAML read as strings with every position kept, and validated with pydantic so that all errors come at once.

A YAML number, date or boolean never arrives as one (`lot: 012` would become 10 and `no` would become False): a scalar
is the text that the user wrote, and the field's own type decides what it means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from seedtrain.base._errors import InputError, InputErrors, Position, SeedtrainError
from seedtrain.base._files import read_text

if TYPE_CHECKING:
    from pydantic import BaseModel

DEEPEST_NESTING = 60
PLAIN_TAGS = frozenset(("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "seq", "map"))
_STANDARD_TAG = "tag:yaml.org,2002:"
ModelT = TypeVar("ModelT", bound="BaseModel")
Location = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """One YAML file: its data as nested dicts, lists and strings, and the position of every key and value.

    `positions[("procedure", 0, "unit")]` is where that value stands, `keys[...]` where its key stands.
    """

    file: str
    lines: tuple[str, ...]
    data: Any
    positions: Mapping[Location, Position] = field(repr=False)
    keys: Mapping[Location, Position] = field(repr=False)

    def position(self, location: Location) -> Position:
        """Where the value at `location` stands, or the nearest place above it that exists."""
        return _nearest(self.positions, location, self.file)

    def error(self, location: Location, message: str, *, remedy: str = "", at_key: bool = False) -> InputError:
        """An error that points at `location` with a caret."""
        places = self.keys if at_key and location in self.keys else self.positions
        where = _nearest(places, location, self.file)
        path = ".".join(str(part) for part in location)
        text = f"{path}: {message}" if path else message
        return InputError(text, position=where, remedy=remedy, excerpt=self.excerpt(where))

    def excerpt(self, where: Position) -> str:
        """The line of `where` with a caret under its column."""
        if not 0 < where.line <= len(self.lines):
            return ""
        number = f"{where.line:>6}"
        return f"{number} | {self.lines[where.line - 1]}\n{' ' * len(number)} | {' ' * (where.column - 1)}^"


def read_document(path: Path, *, what: str = "file") -> Document:
    """Read one YAML file as strings; a syntax fault, duplicate key or tag is an `InputError` with its place."""
    return parse_document(read_text(path, what=what), str(path))


def parse_document(text: str, file: str) -> Document:
    """`read_document` on text that is already in memory; `file` names it in errors."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    lines = tuple(text.splitlines())
    blank = Document(file, lines, None, {}, {})
    try:
        node = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
        raise InputError(
            f"this is not YAML: {error.problem or error.context}",
            position=where,
            remedy="Check indentation, colons and quotes.",
            excerpt=blank.excerpt(where),
        ) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"this is not YAML: {error}", position=Position(file)) from None
    if node is None:
        raise InputError(
            "the file is empty", position=Position(file, 1, 1), remedy="Write a mapping of keys to values."
        )
    builder = _Builder(file, blank)
    data = builder.build(node, ())
    if builder.errors:
        raise InputErrors(tuple(builder.errors))
    return Document(file, lines, data, builder.positions, builder.keys)


def validate(document: Document, model: type[ModelT], location: Location = ()) -> ModelT:
    """`document.data` (or the part at `location`) as `model`; all faults at once, each with its place and a caret.

    A validator that raises `ValueError("what is wrong | remedy")` has its remedy printed apart.
    """
    from pydantic import ValidationError

    data = document.data
    for step in location:
        data = data[step]
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InputErrors(tuple(_explain(document, location, entry, model) for entry in error.errors())) from None


def load(path: Path, model: type[ModelT], *, what: str = "file") -> tuple[ModelT, Document]:
    """Read and validate one YAML file."""
    document = read_document(path, what=what)
    return validate(document, model), document


def collect(errors: list[SeedtrainError]) -> None:
    """Raise what was gathered, if anything was."""
    if errors:
        raise InputErrors(tuple(part for error in errors for part in error.parts))


class _Builder:
    def __init__(self, file: str, blank: Document) -> None:
        self.file = file
        self.blank = blank
        self.positions: dict[Location, Position] = {}
        self.keys: dict[Location, Position] = {}
        self.errors: list[InputError] = []
        # A node that comes twice is an alias: few of them, nested, would write out to more than a disk holds.
        self._seen: set[int] = set()

    def build(self, node: Any, location: Location) -> Any:
        import yaml

        self.positions[location] = where = self._place(node)
        if id(node) in self._seen or len(location) > DEEPEST_NESTING:
            self._refuse(where, "an alias or nesting that goes too deep", "Write the value out.")
            return ""
        self._seen.add(id(node))
        if node.tag and node.tag.removeprefix(_STANDARD_TAG) not in PLAIN_TAGS:
            self._refuse(where, f"the tag {node.tag.removeprefix(_STANDARD_TAG)!r} is not allowed", "Remove the tag.")
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*location, index)) for index, item in enumerate(node.value)]
        return dict(self._pairs(node, location))

    def _pairs(self, node: Any, location: Location) -> Iterator[tuple[str, Any]]:
        import yaml

        seen: set[str] = set()
        for key_node, value_node in node.value:
            where = self._place(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(where, "a key must be a plain word", "Write the key as text.")
                continue
            key = str(key_node.value)
            if key in seen:
                self._refuse(where, f"the key {key!r} stands twice", "Remove one of the two.")
                continue
            seen.add(key)
            self.keys[(*location, key)] = where
            yield key, self.build(value_node, (*location, key))

    def _place(self, node: Any) -> Position:
        return Position(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _refuse(self, where: Position, message: str, remedy: str) -> None:
        self.errors.append(InputError(message, position=where, remedy=remedy, excerpt=self.blank.excerpt(where)))


def _nearest(places: Mapping[Location, Position], location: Location, file: str) -> Position:
    for length in range(len(location), -1, -1):
        if location[:length] in places:
            return places[location[:length]]
    return Position(file)


def _explain(document: Document, base: Location, entry: Any, model: type[BaseModel]) -> InputError:
    # pydantic puts the names of union members and of custom validators into the location: keep what the file has.
    location = base
    for step in entry["loc"]:
        if (*location, step) in document.positions:
            location = (*location, step)
    kind, message, remedy = entry["type"], str(entry["msg"]), ""
    if kind == "missing":
        return document.error(location, f"the key {str(entry['loc'][-1])!r} is missing", remedy="Add it.")
    if kind == "extra_forbidden":
        name = str(entry["loc"][-1])
        allowed = allowed_keys(model, entry["loc"][:-1])
        words = f"Use one of: {', '.join(allowed)}." if allowed else "Remove it."
        return document.error(location, f"the key {name!r} is unknown", remedy=words, at_key=True)
    if kind in {"value_error", "assertion_error"}:
        message = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
        message, _, remedy = message.partition(" | ")
    else:
        message = f"{entry.get('input')!r}: {message[:1].lower()}{message[1:]}"
    return document.error(location, message, remedy=remedy)


def allowed_keys(model: Any, loc: tuple[Any, ...]) -> tuple[str, ...]:
    """The keys that `model` takes at `loc`, as far as they can be told."""
    from pydantic import BaseModel

    current: Any = model
    for step in loc:
        if isinstance(step, int):
            continue
        if isinstance(current, type) and issubclass(current, BaseModel):
            found = next((item for name, item in current.model_fields.items() if step in (name, item.alias)), None)
            current = _inner_model(found.annotation) if found else None
    if isinstance(current, type) and issubclass(current, BaseModel):
        return tuple(item.alias or name for name, item in current.model_fields.items())
    return ()


def _inner_model(annotation: Any) -> Any:
    from typing import get_args

    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner_model(part)) is not None), None)
