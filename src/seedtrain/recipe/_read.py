"""Reading a recipe's file: all its faults at once, or a `MasterRecipe`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from seedtrain.base import Document, Location, parse_document, read_text
from seedtrain.quality import Specification, SpecificationEntry, SpecificationLine
from seedtrain.quantity import Range
from seedtrain.recipe._check import Settings, check
from seedtrain.recipe._data import numbered
from seedtrain.recipe._entries import OperationEntry, PhaseEntry, RecipeEntry, StrategyEntry, UnitProcedureEntry
from seedtrain.recipe._faults import Faults
from seedtrain.recipe._phase import Operation, Phase, StrategyLine, UnitProcedure
from seedtrain.recipe._recipe import MasterRecipe


def read_recipe(path: Path) -> MasterRecipe:
    """The recipe in the file at `path`.

    Raises `InputErrors` with every fault of the file, each with line, column, a caret and what is allowed; a file that
    is not YAML gives its first syntax fault only.
    """
    return parse_recipe(read_text(path, what="recipe"), str(path))


def parse_recipe(text: str, file: str = "recipe.yaml") -> MasterRecipe:
    """`read_recipe` on text that is already in memory; `file` names it in errors."""
    document = parse_document(text, file)
    faults = Faults(document)
    entry = faults.take(RecipeEntry)
    settings, ranges = check(faults)
    specification = _specification(faults)
    faults.raise_all()
    assert entry is not None
    recipe = MasterRecipe(
        name=entry.recipe,
        title=entry.title,
        version=entry.version,
        product=entry.product,
        culture=entry.culture,
        basis_unit=entry.basis.unit,
        basis_volume=entry.basis.volume,
        materials={name: dict(item.composition) for name, item in entry.materials.items()},
        unit_procedures=tuple(
            _unit_procedure(item, settings, ("procedure", index)) for index, item in enumerate(entry.procedure)
        ),
        control_strategy=tuple(
            _strategy_line(document, item, ranges, ("control_strategy", index))
            for index, item in enumerate(entry.control_strategy)
        ),
        specification=specification,
    )
    return dataclasses.replace(recipe, document=document, places=_places(recipe))


def _specification(faults: Faults) -> Specification:
    data = faults.document.data
    items = data.get("specification") if isinstance(data, dict) else None
    lines: list[SpecificationLine] = []
    seen: dict[str, int] = {}
    for index in range(len(items) if isinstance(items, list) else 0):
        place: Location = ("specification", index)
        entry = faults.take(SpecificationEntry, place)
        if entry is None:
            continue
        if entry.attribute in seen:
            words = f"the attribute {entry.attribute!r} stands in line {seen[entry.attribute]} already"
            faults.add((*place, "attribute"), words, "Remove one of the two.")
            continue
        seen[entry.attribute] = faults.document.position((*place, "attribute")).line
        lines.append(entry.line())
    return Specification(tuple(lines))


def _unit_procedure(entry: UnitProcedureEntry, settings: dict[Location, Settings], place: Location) -> UnitProcedure:
    operations = tuple(
        _operation(item, settings, (*place, "operations", index)) for index, item in enumerate(entry.operations)
    )
    return UnitProcedure(
        entry.unit_procedure,
        entry.unit_class,
        operations,
        entry.unit,
        entry.repeat,
        after=None if entry.after is None else tuple(entry.after),
        holds=entry.holds,
    )


def _operation(entry: OperationEntry, settings: dict[Location, Settings], place: Location) -> Operation:
    phases = tuple(_phase(item, settings[(*place, "phases", index)]) for index, item in enumerate(entry.phases))
    return Operation(entry.operation, phases, tuple(entry.after))


def _phase(entry: PhaseEntry, settings: Settings) -> Phase:
    return Phase(
        name=entry.phase,
        do=entry.do,
        set=settings.set,
        until=entry.until,
        at_most=entry.at_most,
        duration=entry.duration,
        limits=settings.limits,
        sample=settings.sample,
        instruction=entry.instruction,
        second_person=entry.second_person,
        automatic_restart=entry.automatic_restart,
        hold_point=entry.hold_point,
        hold_time=entry.hold_time,
        manual=settings.manual,
    )


def _strategy_line(
    document: Document, entry: StrategyEntry, ranges: dict[Location, Range], place: Location
) -> StrategyLine:
    return StrategyLine(
        attribute=entry.attribute,
        at=entry.at,
        parameter=entry.parameter,
        range=ranges[place],
        detector=entry.detector,
        sample=entry.sample,
        action=entry.action,
        position=document.position(place),
    )


def _places(recipe: MasterRecipe) -> dict[str, Location]:
    places: dict[str, Location] = {key: (key,) for key in ("culture", "basis")}
    places |= {f"materials/{name}": ("materials", name, "composition") for name in recipe.materials}
    for i, procedure in enumerate(recipe.unit_procedures):
        places[procedure.name] = ("procedure", i)
        for j, operation in enumerate(procedure.operations):
            places[f"{procedure.name}/{operation.name}"] = ("procedure", i, "operations", j)
            for k, phase in enumerate(operation.phases):
                path = f"{procedure.name}/{operation.name}/{phase.name}"
                places[path] = ("procedure", i, "operations", j, "phases", k)
    for key, lines in (("control_strategy", recipe.control_strategy), ("specification", recipe.specification.lines)):
        for index, name in enumerate(numbered(f"{key}/{line.attribute}" for line in lines)):
            places[name] = (key, index)
    return places
