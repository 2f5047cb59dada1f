"""The programs of a unit as the executor commands them, by the methods that its mapping names one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from seedtrain.automation._lads import RESULT_FIELDS
from seedtrain.automation._opcua._mapping import ProgramEntry
from seedtrain.automation._opcua._past import aware
from seedtrain.automation._opcua._session import Child, Session
from seedtrain.automation._structures import name_of
from seedtrain.base import InputError


@dataclass(frozen=True)
class Template:
    """What the server says of a program: the functions that it reports and the materials that it draws by itself."""

    functions: tuple[str, ...]
    materials: tuple[str, ...]


@dataclass(frozen=True)
class Side:
    """One unit's side of a connection: its name, and how node ids of the mapping are read. `owner`: who drives it."""

    name: str
    session: Session
    node: Callable[[str], str]
    owner: str

    def objects(self, node: str) -> dict[str, Child]:
        """The objects of a set; it may have properties besides."""
        below = self.session.children([self.node(node)])[0]
        return {name: item for name, item in below.items() if item.kind == "Object"}

    def call(self, holder: str, method: str, *arguments: tuple[str, Any]) -> list[Any]:
        """Call a method of an object, both as the mapping names them."""
        return self.session.call(self.node(holder), self.node(method), *arguments)


class Programs(Protocol):
    """The programs of one unit."""

    def templates(self) -> dict[str, Template]:
        """What can be run, by the recipe's path."""

    def active(self) -> str | None:
        """The path of what runs, empty for none; None where the server does not say."""

    def ready(self, path: str, at: datetime) -> datetime:
        """When the unit can take the phase, asked at `at`."""

    def start(self, path: str, at: datetime, properties: Mapping[str, str]) -> None:
        """Run the phase; given twice for one `at` it runs once."""

    def hold(self, path: str) -> None:
        """Go to the safe state."""

    def abort(self, path: str) -> None:
        """Stop for good."""

    def result(self, path: str, began: datetime) -> Mapping[str, Any] | None:
        """What came of the run that was started for `began`, by the fields of `RESULT_FIELDS`; None before its end."""

    def sample(self, path: str, names: Sequence[str], units: Sequence[str]) -> tuple[list[float], datetime]:
        """What the unit's analyser finds of each attribute, and when it was drawn."""


class MappedPrograms:
    """Programs whose every method is mapped, and answers with a refusal and a remedy."""

    def __init__(self, side: Side, entry: ProgramEntry) -> None:
        self._side, self._entry = side, entry
        self._results = {path: item.node for path, item in side.objects(entry.results).items()}

    def templates(self) -> dict[str, Template]:
        """As the server says."""
        below = self._side.objects(self._entry.templates)
        parts = self._side.session.children([item.node for item in below.values()])
        nodes = [part[key].node for part in parts for key in ("Functions", "Materials")]
        values = self._side.session.read(nodes)
        texts = [tuple(value.value or ()) if value is not None else () for value in values]
        return {
            path: Template(functions, materials)
            for path, functions, materials in zip(below, texts[::2], texts[1::2], strict=True)
        }

    def active(self) -> str | None:
        """The program that runs, where the server says; empty for none."""
        return shown_program(self._side, self._entry.active)

    def ready(self, path: str, at: datetime) -> datetime:
        """As the server answers."""
        return cast(datetime, self._ask("prepare", *self._named(path, at))[0])

    def start(self, path: str, at: datetime, properties: Mapping[str, str]) -> None:
        """Run the phase; refused by the unit while it runs another one."""
        given = [f"{name}={value}" for name, value in properties.items()]
        self._ask("start", *self._named(path, at), ("String", given))

    def hold(self, path: str) -> None:
        """Go to the safe state."""
        self._ask("hold", ("String", path))

    def abort(self, path: str) -> None:
        """Stop for good."""
        self._ask("abort", ("String", path))

    def result(self, path: str, began: datetime) -> Mapping[str, Any] | None:
        """What stands in the phase's result, once it is that of this run."""
        parts = self._side.session.children([self._results[path]])[0]
        values = self._side.session.read([parts[name].node for name in RESULT_FIELDS])
        found = {
            name: ([] if value is None or value.value is None else value.value)
            for name, value in zip(RESULT_FIELDS, values, strict=True)
        }
        return found if aware(found["Started"]) == began else None

    def sample(self, path: str, names: Sequence[str], units: Sequence[str]) -> tuple[list[float], datetime]:
        """As the server answers."""
        values, at = self._ask("sample", ("String", path), ("String", list(names)), ("String", list(units)))
        return values, aware(at)

    def _named(self, path: str, at: datetime) -> tuple[tuple[str, Any], ...]:
        return (("String", self._side.owner), ("String", path), ("DateTime", at))

    def _ask(self, method: str, *arguments: tuple[str, Any]) -> list[Any]:
        """Call a method; its refusal is an `InputError` with the unit's own remedy."""
        answer = self._side.call(self._entry.object, str(getattr(self._entry, method)), *arguments)
        *values, refusal, remedy = answer
        if refusal:
            raise InputError(str(refusal), remedy=str(remedy or ""))
        return values


def shown_program(side: Side, node: str | None) -> str | None:
    """The program that a node names: as a text, or as AMB's structure of name and node; None where it has no value."""
    if node is None:
        return None
    (value,) = side.session.read([side.node(node)])
    if value is None or value.quality == "bad":
        return None
    return value.value if isinstance(value.value, str) else name_of(value.value)
