"""What every mapping file says, whatever its plant speaks: units of measure, safe states, interlocks, people."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Final, Generic, Protocol, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from seedtrain.automation._devices import FunctionalUnit, Origin
from seedtrain.automation._job import by_people, unit_name
from seedtrain.automation._observed import Interlock
from seedtrain.base import Document, InputError, Location, SeedtrainError, digest
from seedtrain.quantity import QuantityError, parse, same_dimension
from seedtrain.recipe import ControlRecipe

_CONDITION: Final = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*(>=|<=)\s*(.+?)\s*")


def _unit(text: object) -> object:
    try:
        same_dimension(str(text), "g")
    except QuantityError as error:
        raise ValueError(f"{error.message} | {error.remedy}") from None
    return text


UnitText = Annotated[str, BeforeValidator(_unit)]
"""A unit of measure, or nothing."""


class Entry(BaseModel):
    """What all entries share: nothing unknown, nothing changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SafeEntry(Entry):
    """The safe state of a unit, beside what its own `hold` does: values for its targets, each with its unit."""

    targets: dict[str, str] = Field(default_factory=dict)


class InterlockEntry(Entry):
    """`when` (as `broth_volume >= 180 L`) is true while a phase runs, the unit goes to its safe state; `why`."""

    when: str
    why: str = ""


class MappedFunction(Protocol):
    """What a mapping says of a function, as far as every mapping does."""

    @property
    def target(self) -> str | None:
        """Where its target is written; None or empty where nothing is controlled."""

    @property
    def unit(self) -> str:
        """Of its values."""


class MappedUnit(Protocol):
    """What a mapping says of a unit, as far as every mapping does."""

    @property
    def functions(self) -> Mapping[str, MappedFunction]:
        """By the recipe's words."""

    @property
    def safe(self) -> SafeEntry:
        """Its safe state."""

    @property
    def interlocks(self) -> Sequence[InterlockEntry]:
        """What must not be while it runs."""


class MappedFile(Protocol):
    """What a whole mapping says, as far as every mapping does."""

    @property
    def people(self) -> Sequence[str]:
        """Units that people run."""

    @property
    def units(self) -> Mapping[str, MappedUnit]:
        """Units that the plant runs."""

    def model_dump(self, *, mode: str) -> dict[str, object]:
        """What it says, as JSON has it."""


FileEntry = TypeVar("FileEntry", bound=MappedFile)
Unit = TypeVar("Unit", bound=FunctionalUnit)


@dataclass(frozen=True)
class MappingFile(Generic[FileEntry]):
    """A mapping and its file, for positions."""

    entry: FileEntry
    document: Document

    @property
    def folder(self) -> Path:
        """Where the mapping stands; other files are seen from there."""
        return Path(self.document.file).parent

    @property
    def digest(self) -> str:
        """SHA-256 of what the file says, for the record of a batch."""
        return digest(self.entry.model_dump(mode="json"))

    def safe_faults(self) -> Iterator[SeedtrainError]:
        """Every fault of safe states and interlocks, each at its line."""
        for name, unit in self.entry.units.items():
            for tag, text in unit.safe.targets.items():
                try:
                    _target(tag, text, unit.functions)
                except InputError as error:
                    yield self._at(("units", name, "safe", "targets", tag), error)
            for index, item in enumerate(unit.interlocks):
                try:
                    _interlock(item, unit.functions)
                except InputError as error:
                    yield self._at(("units", name, "interlocks", index, "when"), error)

    def unit_faults(self, control: ControlRecipe) -> Iterator[SeedtrainError]:
        """Phases of the recipe whose unit neither the plant nor people run; one fault a unit."""
        seen: set[str] = set()
        for step in control.recipe.phases():
            name = unit_name(step)
            if name in seen or name in self.entry.units or by_people(step, self.entry.people):
                continue
            seen.add(name)
            known = ", ".join(self.entry.units)
            message = f"{self.document.file} has no unit {name!r}"
            remedy = f"Map it, or name it under `people`; mapped are: {known}."
            yield control.recipe.error(step.path, "", message, remedy=remedy)

    def _at(self, place: Location, error: InputError) -> SeedtrainError:
        return self.document.error(place, error.message, remedy=error.remedy)


def interlocks_of(unit: MappedUnit) -> tuple[Interlock, ...]:
    """The interlocks of a unit; raises `InputError` for one that is none."""
    return tuple(_interlock(item, unit.functions) for item in unit.interlocks)


def safe_targets(unit: MappedUnit) -> dict[str, float]:
    """What the targets of a unit are in its safe state, by function, each in its unit; `InputError` for one that is
    none."""
    return {tag: _target(tag, text, unit.functions) for tag, text in unit.safe.targets.items()}


def _function(tag: str, functions: Mapping[str, MappedFunction]) -> MappedFunction:
    if tag not in functions:
        raise InputError(f"no function {tag!r} is mapped", remedy=f"Use one of: {', '.join(functions) or 'none'}.")
    return functions[tag]


def _target(tag: str, text: str, functions: Mapping[str, MappedFunction]) -> float:
    function = _function(tag, functions)
    if not function.target:
        raise InputError(f"{tag} has no target that could be set", remedy="Map its `target`, or leave it out.")
    return parse(text, like=function.unit).magnitude(function.unit)


def _interlock(entry: InterlockEntry, functions: Mapping[str, MappedFunction]) -> Interlock:
    found = _CONDITION.fullmatch(entry.when)
    if found is None:
        raise InputError(f"{entry.when!r} is no condition", remedy="Write it as `broth_volume >= 180 L`.")
    tag, operator, text = found.groups()
    unit = _function(tag, functions).unit
    return Interlock(tag, operator, parse(text, like=unit).magnitude(unit), unit, entry.why or entry.when.strip())


class MappedPlant(ABC, Generic[Unit]):
    """The units that a mapping names, behind one connection. A context manager; leaving it closes the connection."""

    _units: dict[str, Unit]

    def unit(self, name: str) -> Unit:
        """The unit called `name`; raises `InputError` with the known ones."""
        try:
            return self._units[name]
        except KeyError:
            known = ", ".join(self._units)
            raise InputError(f"the plant has no unit {name!r}", remedy=f"Use one of: {known}.") from None

    @property
    def origin(self) -> Origin:
        """Measured only where every unit measures."""
        origins = {unit.identify().origin for unit in self._units.values()}
        return "measured" if origins == {"measured"} else "simulated"

    @abstractmethod
    def close(self) -> None:
        """Close the connection; the plant goes on with what it does."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()
