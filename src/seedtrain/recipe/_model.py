"""The recipe as frozen data: ISA-88 procedure, unit procedure, operation, phase; formula, strategy, specification."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from seedtrain.base import Document, InputError, Location, Position, digest
from seedtrain.quality import Specification
from seedtrain.quantity import Quantity, Range, same_dimension
from seedtrain.recipe._catalogue import PHASE_KINDS
from seedtrain.recipe._kinds import MATERIAL, WORD, ParameterKind, choose
from seedtrain.recipe._write import yaml_text

Value = Quantity | str
PRODUCTION: Final = "production_vessel"
TIMED: Final = ("until", "at_most", "duration", "hold_time")
"""What `with_value` and `Phase.number` take beside the parameters of `set`."""


@dataclass(frozen=True)
class Condition:
    """A transition: `biomass >= 22 g/L`, or `signature reviewer` (operator "by", value the role that signs)."""

    quantity: str
    operator: str
    value: Value

    @property
    def is_signature(self) -> bool:
        """Whether the phase ends when someone signs."""
        return self.quantity == "signature"

    def holds(self, value: Quantity) -> bool:
        """Whether `value` meets the condition; raises `QuantityError` across dimensions."""
        assert isinstance(self.value, Quantity)
        number = value.magnitude(self.value.unit)
        return number >= self.value.value if self.operator == ">=" else number <= self.value.value

    def __str__(self) -> str:
        return f"signature {self.value}" if self.is_signature else f"{self.quantity} {self.operator} {self.value}"


@dataclass(frozen=True)
class Phase:
    """One phase. `set` holds its parameters (numbers and names); the catalogue `PHASE_KINDS[do]` says what they mean.

    - `until`, `at_most`, `duration`: when it ends; at `at_most` it is ended whatever `until` says.
    - `limits`: in-process limits of what is measured on line; `sample`: those of what is measured in a sample.
    - `second_person`: another person checks it. `hold_point`: a signature is needed before the next phase, and why.
    - `hold_time`: how long what it leaves may wait.
    """

    name: str
    do: str
    set: Mapping[str, Value] = field(default_factory=dict)
    until: Condition | None = None
    at_most: Quantity | None = None
    duration: Quantity | None = None
    limits: Mapping[str, Range] = field(default_factory=dict)
    sample: Mapping[str, Range] = field(default_factory=dict)
    instruction: str = ""
    second_person: bool = False
    hold_point: str = ""
    hold_time: Quantity | None = None

    def quantity(self, parameter: str) -> Quantity | None:
        """The number that `parameter` has (of `set`, or until, at_most, duration, hold_time), or None."""
        if parameter == "until":
            value = self.until.value if self.until else None
        elif parameter in TIMED:
            value = getattr(self, parameter)
        else:
            value = self.set.get(parameter)
        return value if isinstance(value, Quantity) else None

    def number(self, parameter: str, unit: str, default: float | None = None) -> float:
        """`parameter` as a plain number in `unit`; `default` where the phase does not set it.

        Raises `InputError` where it is not set and has no default, `QuantityError` for another dimension.
        """
        value = self.quantity(parameter)
        if value is not None:
            return value.magnitude(unit)
        if default is not None:
            return default
        raise InputError(
            f"the phase {self.name!r} ({self.do}) does not set {parameter!r}",
            remedy=f"Set {parameter} in this phase, in {unit or 'no unit'}.",
        )

    def word(self, parameter: str, default: str | None = None) -> str:
        """The name that `parameter` gives (a material, a resin ...); raises `InputError` where there is none."""
        value = self.set.get(parameter, default)
        if isinstance(value, str):
            return value
        raise InputError(
            f"the phase {self.name!r} ({self.do}) does not name its {parameter!r}", remedy=f"Set {parameter}."
        )


@dataclass(frozen=True)
class Operation:
    """Phases in their order."""

    name: str
    phases: tuple[Phase, ...]


@dataclass(frozen=True)
class UnitProcedure:
    """Operations on one unit. `unit_class` says what unit it needs, `unit` which one it got; `repeat` that it runs in
    every unit of its class (`at_scale` writes these out)."""

    name: str
    unit_class: str
    operations: tuple[Operation, ...]
    unit: str | None = None
    repeat: str = ""


@dataclass(frozen=True)
class PhaseAt:
    """A phase with where it stands; `path` is "unit procedure/operation/phase"."""

    path: str
    unit_procedure: UnitProcedure
    operation: Operation
    phase: Phase


@dataclass(frozen=True)
class StrategyLine:
    """One line of the control strategy: what keeps `attribute` right, and what to do once `parameter` leaves it."""

    attribute: str
    at: str
    parameter: str
    range: Range
    detector: str
    sample: str
    action: str
    position: Position = field(default=Position(""), compare=False)


@dataclass(frozen=True)
class MasterRecipe:
    """A master recipe, or one that was derived from it; equal recipes have equal digests.

    - `materials`: the formula's prepared materials: constituent -> mass per volume.
    - `basis_unit`, `basis_volume`: the unit and the volume charged in production for which its amounts are written.
    """

    name: str
    title: str
    version: str
    product: str
    culture: str
    basis_unit: str
    basis_volume: Quantity
    materials: Mapping[str, Mapping[str, Quantity]]
    unit_procedures: tuple[UnitProcedure, ...]
    control_strategy: tuple[StrategyLine, ...]
    specification: Specification
    document: Document | None = field(default=None, compare=False, repr=False)
    places: Mapping[str, Location] = field(default_factory=dict, compare=False, repr=False)

    def __hash__(self) -> int:
        return hash(self.digest)

    def to_data(self) -> dict[str, Any]:
        """The recipe as the data of its file, every number as its normal text."""
        return _recipe_data(self)

    def to_yaml(self) -> str:
        """The recipe as a file; `parse_recipe` reads it back to the same digest."""
        return yaml_text(self.to_data())

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical bytes of `to_data`, its maps sorted: layout, comments, quotes do not matter."""
        return digest(self.to_data())

    def digest_of(self, *parts: str) -> str:
        """Digest of some parts only, for the key of a stage that depends on nothing else.

        A part is `name`, `culture`, `product`, `basis`, `materials`, `materials/<name>`, `procedure`,
        `procedure/<unit procedure>[/<operation>[/<phase>]]`, `control_strategy` or `specification`.
        """
        return digest({part: self._part(part) for part in parts})

    def _part(self, part: str) -> Any:
        data = self._data
        head, _, rest = part.partition("/")
        if head == "procedure" and rest:
            keys = {rest, *(rest.split("/")[:1])}
            found = [_procedure_part(item, rest) for item in self.unit_procedures if item.name in keys or "/" in rest]
            hits = [item for item in found if item is not None]
            if hits:
                return hits[0]
        elif head == "materials" and rest:
            if rest in self.materials:
                return data["materials"][rest]
        elif not rest:
            known = {"name": "recipe", **{key: key for key in data}}
            if head in known:
                return data[known[head]]
            if head in ("control_strategy", "specification"):
                return []
        raise InputError(f"the recipe has no part {part!r}", remedy=choose(head, (*data, "name")))

    @cached_property
    def _data(self) -> dict[str, Any]:
        return self.to_data()

    @cached_property
    def _by_path(self) -> dict[str, PhaseAt]:
        return {
            f"{procedure.name}/{operation.name}/{phase.name}": PhaseAt(
                f"{procedure.name}/{operation.name}/{phase.name}", procedure, operation, phase
            )
            for procedure in self.unit_procedures
            for operation in procedure.operations
            for phase in operation.phases
        }

    def phases(self) -> Iterator[PhaseAt]:
        """Every phase in the order of the procedure."""
        return iter(self._by_path.values())

    def phase_at(self, path: str) -> PhaseAt:
        """The phase at "unit procedure/operation/phase" with its place; raises `InputError` for an unknown path."""
        try:
            return self._by_path[path]
        except KeyError:
            raise InputError(f"the recipe has no phase {path!r}", remedy=choose(path, self._by_path)) from None

    def phase(self, path: str) -> Phase:
        """The phase at "unit procedure/operation/phase"; raises `InputError` for an unknown path."""
        return self.phase_at(path).phase

    def unit_procedure(self, name: str) -> UnitProcedure:
        """The unit procedure `name`; raises `InputError` for an unknown one."""
        for procedure in self.unit_procedures:
            if procedure.name == name:
                return procedure
        names = [procedure.name for procedure in self.unit_procedures]
        raise InputError(f"the recipe has no unit procedure {name!r}", remedy=choose(name, names))

    @property
    def production(self) -> UnitProcedure:
        """The unit procedure of the production vessel; there is exactly one."""
        return next(item for item in self.unit_procedures if item.unit_class == PRODUCTION)

    def store_materials(self) -> tuple[str, ...]:
        """What the store must hold, sorted: constituents of the prepared materials, resins, filters, containers ..."""
        names = {item for composition in self.materials.values() for item in composition}
        for place in self.phases():
            for parameter, value in place.phase.set.items():
                kind = PHASE_KINDS[place.phase.do].parameters[parameter]
                if kind.unit == WORD or (kind.unit == MATERIAL and value not in self.materials):
                    names.add(str(value))
        return tuple(sorted(names))

    def position(self, path: str, parameter: str = "") -> Position:
        """Where `path` (or its `parameter`) stands in the file; the nearest place above where it stands nowhere."""
        document, location = self._locate(path, parameter)
        if document is None:
            return Position("recipe")
        return document.position(location)

    def error(self, path: str, parameter: str, message: str, *, remedy: str = "") -> InputError:
        """An error about `path` (and `parameter`, or ""), with its position and line."""
        where = self.position(path, parameter)
        excerpt = self.document.excerpt(where) if self.document else ""
        name = f"{path}: {parameter}" if parameter else path
        return InputError(f"{name}: {message}", position=where, remedy=remedy, excerpt=excerpt)

    def _locate(self, path: str, parameter: str) -> tuple[Document | None, Location]:
        if self.document is None:
            return None, ()
        location = self.places.get(path, ())
        if parameter:
            steps = ((parameter,), ("set", parameter), ("composition", parameter), ("limits", parameter))
            for step in steps:
                if (*location, *step) in self.document.positions:
                    return self.document, (*location, *step)
        return self.document, location

    def with_value(self, path: str, parameter: str, value: Value) -> MasterRecipe:
        """A copy in which `parameter` of the phase at `path` is `value`; `path` may also be "materials/<name>".

        `parameter` is one of `set`, or until, at_most, duration, hold_time. Raises `InputError` for an unknown path or
        parameter, another dimension, or a value outside the catalogue's bounds. The recipe's own `limits` are not
        checked, so that a sensitivity may step over them.
        """
        if path.startswith("materials/"):
            return self._with_constituent(path.removeprefix("materials/"), parameter, value)
        at = self.phase_at(path)
        phase = self._changed(at, parameter, value)
        procedures = tuple(
            dataclasses.replace(
                procedure,
                operations=tuple(
                    dataclasses.replace(
                        operation, phases=tuple(phase if item is at.phase else item for item in operation.phases)
                    )
                    if operation is at.operation
                    else operation
                    for operation in procedure.operations
                ),
            )
            if procedure is at.unit_procedure
            else procedure
            for procedure in self.unit_procedures
        )
        return dataclasses.replace(self, unit_procedures=procedures)

    def _with_constituent(self, material: str, constituent: str, value: Value) -> MasterRecipe:
        if material not in self.materials:
            raise InputError(f"the recipe has no material {material!r}", remedy=choose(material, self.materials))
        composition = self.materials[material]
        if constituent not in composition:
            raise self.error(
                f"materials/{material}",
                "",
                f"there is no constituent {constituent!r}",
                remedy=choose(constituent, composition),
            )
        if not isinstance(value, Quantity) or not same_dimension(value.unit, "g/L") or value.value < 0:
            raise self.error(f"materials/{material}", constituent, f"{value} is not a concentration of 0 g/L or more")
        materials = {**self.materials, material: {**composition, constituent: value}}
        return dataclasses.replace(self, materials=materials)

    def _changed(self, at: PhaseAt, parameter: str, value: Value) -> Phase:
        phase = at.phase
        if parameter in TIMED:
            before = phase.quantity(parameter)
            if before is None or not isinstance(value, Quantity):
                raise self.error(at.path, parameter, "the phase has no such number", remedy="Choose another parameter.")
            if not same_dimension(before.unit, value.unit):
                raise self.error(at.path, parameter, f"{value} cannot replace {before}")
            if value.value < 0:
                raise self.error(at.path, parameter, f"{value} is negative")
            if parameter == "until":
                assert phase.until is not None
                return dataclasses.replace(phase, until=dataclasses.replace(phase.until, value=value))
            change: dict[str, Any] = {parameter: value}
            return dataclasses.replace(phase, **change)
        kinds = PHASE_KINDS[phase.do].parameters
        if parameter not in kinds:
            names = [*kinds, *(name for name in TIMED if phase.quantity(name))]
            raise self.error(
                at.path, "", f"a {phase.do} phase has no parameter {parameter!r}", remedy=choose(parameter, names)
            )
        self._check(at.path, kinds[parameter], value)
        return dataclasses.replace(phase, set={**phase.set, parameter: value})

    def _check(self, path: str, kind: ParameterKind, value: Value) -> None:
        if not kind.is_number:
            known = {*self.materials, *(name for item in self.materials.values() for name in item)}
            if not isinstance(value, str) or not value:
                raise self.error(path, kind.name, f"{value} is not a name", remedy="Give the name of a material.")
            if kind.unit == MATERIAL and value not in known:
                raise self.error(path, kind.name, f"there is no material {value!r}", remedy=choose(value, known))
            return
        if not isinstance(value, Quantity):
            raise self.error(path, kind.name, f"{value!r} is not a quantity", remedy=f"Give a value in {kind.unit}.")
        if not same_dimension(value.unit, kind.unit):
            raise self.error(path, kind.name, f"{value} is not a value in {kind.unit or 'no unit'}")
        fault = kind.fault(value)
        if fault:
            raise self.error(path, kind.name, fault[0], remedy=fault[1])


def _procedure_part(procedure: UnitProcedure, path: str) -> Any:
    names = path.split("/")
    if procedure.name != names[0]:
        return None
    data: Any = _unit_procedure_data(procedure)
    for name, (children, key) in zip(names[1:], (("operations", "operation"), ("phases", "phase")), strict=False):
        data = next((item for item in data[children] if item[key] == name), None)
        if data is None:
            return None
    return data if len(names) <= 3 else None


def _recipe_data(recipe: MasterRecipe) -> dict[str, Any]:
    data: dict[str, Any] = {
        "recipe": recipe.name,
        "title": recipe.title,
        "version": recipe.version,
        "product": recipe.product,
        "culture": recipe.culture,
        "basis": {"unit": recipe.basis_unit, "volume": str(recipe.basis_volume)},
        "materials": {
            name: {"composition": {item: str(amount) for item, amount in composition.items()}}
            for name, composition in recipe.materials.items()
        },
        "procedure": [_unit_procedure_data(procedure) for procedure in recipe.unit_procedures],
    }
    if recipe.control_strategy:
        data["control_strategy"] = [_strategy_data(line) for line in recipe.control_strategy]
    lines = specification_data(recipe.specification)
    if lines:
        data["specification"] = lines
    return data


def _unit_procedure_data(procedure: UnitProcedure) -> dict[str, Any]:
    data: dict[str, Any] = {"unit_procedure": procedure.name, "unit_class": procedure.unit_class}
    if procedure.unit is not None:
        data["unit"] = procedure.unit
    if procedure.repeat:
        data["repeat"] = procedure.repeat
    data["operations"] = [
        {"operation": operation.name, "phases": [phase_data(phase) for phase in operation.phases]}
        for operation in procedure.operations
    ]
    return data


def phase_data(phase: Phase) -> dict[str, Any]:
    """A phase as the data of its file, without what it leaves out."""
    data: dict[str, Any] = {"phase": phase.name, "do": phase.do}
    for key in ("set", "limits", "sample"):
        if getattr(phase, key):
            data[key] = {name: str(value) for name, value in getattr(phase, key).items()}
    for key in ("until", "at_most", "duration", "hold_time"):
        if getattr(phase, key) is not None:
            data[key] = str(getattr(phase, key))
    for key in ("instruction", "hold_point"):
        if getattr(phase, key):
            data[key] = getattr(phase, key)
    if phase.second_person:
        data["second_person"] = "true"
    return data


def specification_data(specification: Specification) -> list[dict[str, str]]:
    """The specification as the data of its file."""
    lines = []
    for line in specification.lines:
        data = {"attribute": line.attribute, "method": line.method, "limit": line.limit.text}
        if line.assay_cv is not None:
            data["assay_cv"] = f"{line.assay_cv * 100:.12g} %"
        if line.note:
            data["note"] = line.note
        lines.append(data)
    return lines


def _strategy_data(line: StrategyLine) -> dict[str, str]:
    names = ("attribute", "at", "parameter", "range", "detector", "sample", "action")
    return {name: str(getattr(line, name)) for name in names}
