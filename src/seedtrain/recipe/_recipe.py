"""The master recipe: header, formula, procedure, control strategy and specification in one frozen value."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from seedtrain.base import Document, InputError, Location, Position, digest
from seedtrain.quality import Specification
from seedtrain.quantity import Quantity
from seedtrain.recipe._catalogue import PHASE_KINDS
from seedtrain.recipe._change import changed_formula, changed_phase, replaced
from seedtrain.recipe._data import (
    formula_data,
    part_of,
    specification_data,
    strategy_data,
    unit_procedure_data,
    yaml_text,
)
from seedtrain.recipe._kinds import MATERIAL, NEAREST, WORD, choose, closest
from seedtrain.recipe._phase import PRODUCTION, Phase, PhaseAt, StrategyLine, UnitProcedure, Value

_HOLDERS: Final = ("set", "composition", "limits", "sample", "entries", "calculate", "yields", "dispense", "reconcile")


@dataclass(frozen=True)
class MasterRecipe:
    """A master recipe, or one that was derived from it; equal recipes have equal digests.

    - `materials`: the formula's prepared materials: constituent -> mass per volume.
    - `basis_unit`, `basis_volume`: the unit and the volume charged in production for which its amounts are written.
    - `document`, `places`: where it was read from; no part of its value.
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
        data: dict[str, Any] = {
            "recipe": self.name,
            "title": self.title,
            "version": self.version,
            "product": self.product,
            "culture": self.culture,
            "basis": {"unit": self.basis_unit, "volume": str(self.basis_volume)},
            "materials": formula_data(self.materials),
            "procedure": [unit_procedure_data(procedure) for procedure in self.unit_procedures],
        }
        if self.control_strategy:
            data["control_strategy"] = strategy_data(self.control_strategy)
        if self.specification.lines:
            data["specification"] = specification_data(self.specification)
        return data

    def to_yaml(self) -> str:
        """The recipe as a file; `parse_recipe` reads it back to the same digest."""
        return yaml_text(self._data)

    @cached_property
    def _data(self) -> dict[str, Any]:
        return self.to_data()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical bytes of `to_data`, maps sorted: layout, comments and quotes do not matter."""
        return digest(self._data)

    def digest_of(self, *parts: str) -> str:
        """Digest of some parts only, for the key of a stage that depends on nothing else.

        A part is `name`, `title`, `version`, `product`, `culture`, `basis`, `materials`, `materials/<name>`,
        `procedure`, `procedure/<unit procedure>[/<operation>[/<phase>]]`, `control_strategy` or `specification`.
        Raises `InputError` for a part that the recipe lacks.
        """
        return digest({part: part_of(self._data, part) for part in parts})

    @cached_property
    def _by_path(self) -> dict[str, PhaseAt]:
        places = (
            PhaseAt(f"{procedure.name}/{operation.name}/{phase.name}", procedure, operation, phase)
            for procedure in self.unit_procedures
            for operation in procedure.operations
            for phase in operation.phases
        )
        return {place.path: place for place in places}

    @property
    def is_parallel(self) -> bool:
        """Whether unit procedures may run beside each other: some say what they begin `after`."""
        return any(procedure.after is not None for procedure in self.unit_procedures)

    def phases(self) -> Iterator[PhaseAt]:
        """Every phase in the order of the procedure."""
        return iter(self._by_path.values())

    def phase_at(self, path: str) -> PhaseAt:
        """The phase at "unit procedure/operation/phase" with its place; raises `InputError` for an unknown path."""
        try:
            return self._by_path[path]
        except KeyError:
            near = closest(path, self._by_path)[:NEAREST]
            raise InputError(f"the recipe has no phase {path!r}", remedy=choose(path, near)) from None

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
        """The unit procedure of the production vessel; raises `InputError` where there is none."""
        for procedure in self.unit_procedures:
            if procedure.unit_class == PRODUCTION:
                return procedure
        raise InputError(
            f"no unit procedure has the unit_class {PRODUCTION}",
            position=self.position(""),
            remedy=f"Give the unit procedure of the production culture 'unit_class: {PRODUCTION}'.",
        )

    @cached_property
    def known_materials(self) -> frozenset[str]:
        """Names that a `material` may have: prepared materials and their constituents."""
        return frozenset({*self.materials, *(item for composition in self.materials.values() for item in composition)})

    def store_materials(self) -> tuple[str, ...]:
        """What the store must hold, sorted: constituents of the prepared materials, resins, filters, containers ..."""
        names = {item for composition in self.materials.values() for item in composition}
        for place in self.phases():
            kinds = PHASE_KINDS[place.phase.do].parameters
            for parameter, value in place.phase.set.items():
                unit = kinds[parameter].unit
                if unit == WORD or (unit == MATERIAL and value not in self.materials):
                    names.add(str(value))
            names.update(name for name in place.phase.manual.dispense if name not in self.materials)
        return tuple(sorted(names))

    def position(self, path: str, parameter: str = "") -> Position:
        """Where `path` (or the value of its `parameter`) stands in the file, or the nearest place above.

        `path` is a phase, operation or unit procedure, "materials/<name>", "specification/<attribute>", or "".
        """
        if self.document is None:
            return Position(f"recipe {self.name}")
        location = self.places.get(path, ())
        steps = (tuple(parameter.split(".")), *((key, parameter) for key in _HOLDERS))
        for step in steps if parameter else ():
            if (*location, *step) in self.document.positions:
                location = (*location, *step)
                break
        return self.document.position(location)

    def error(self, path: str, parameter: str, message: str, *, remedy: str = "") -> InputError:
        """An error about `path` (and `parameter`, or ""), with its position, and its line with a caret."""
        where = self.position(path, parameter)
        excerpt = self.document.excerpt(where) if self.document else ""
        name = f"{path}: {parameter}" if parameter else path
        return InputError(f"{name}: {message}", position=where, remedy=remedy, excerpt=excerpt)

    def with_value(self, path: str, parameter: str, value: Value) -> MasterRecipe:
        """A copy in which `parameter` of the phase at `path` is `value`; `path` may also be "materials/<name>".

        `parameter` is one of `set`, or until, at_most, duration, hold_time. Raises `InputError` for an unknown path or
        parameter, another dimension, or a value outside the catalogue's bounds. The recipe's own `limits` and
        strategy are not checked, so that a sensitivity may step over them; such a recipe does not read back.
        """
        name = path.removeprefix("materials/")
        phase = self.phase(path) if name == path else None
        try:
            if phase is None:
                return dataclasses.replace(self, materials=changed_formula(self.materials, name, parameter, value))
            new = changed_phase(phase, parameter, value, self.known_materials)
        except InputError as error:
            raise self.error(path, parameter, error.message, remedy=error.remedy) from None
        return dataclasses.replace(self, unit_procedures=replaced(self.unit_procedures, path, new))

    def without(self, path: str, parameter: str) -> MasterRecipe:
        """A copy in which the phase at `path` sets no `parameter`, and the control strategy has no range for it.

        For a vessel in which it means nothing. Raises `InputError` for an unknown path.
        """
        phase = self.phase(path)
        kept = dataclasses.replace(phase, set={name: value for name, value in phase.set.items() if name != parameter})
        strategy = tuple(line for line in self.control_strategy if (line.at, line.parameter) != (path, parameter))
        procedures = replaced(self.unit_procedures, path, kept)
        return dataclasses.replace(self, unit_procedures=procedures, control_strategy=strategy)
