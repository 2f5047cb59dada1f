"""A `Source` as an SBML file through libsbml, and what libsbml's validator says of a text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import seedtrain
from seedtrain.simulation._exchange._libsbml import kinds_of, load
from seedtrain.simulation._exchange._source import Event, Parameter, Participant, Reaction, Rule, Source
from seedtrain.simulation._exchange._tree import Tree


@dataclass(frozen=True)
class Finding:
    """Something that libsbml's validator says: `severity` info, warning, error or fatal."""

    rule: int
    severity: str
    line: int
    words: str


def check_sbml(text: str, *, units: bool = True) -> tuple[Finding, ...]:
    """What libsbml's consistency checks find in an SBML text, units included."""
    library = load()
    document = library.readSBMLFromString(text)
    document.setConsistencyChecks(library.LIBSBML_CAT_UNITS_CONSISTENCY, units)
    document.setConsistencyChecks(library.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.checkConsistency()
    found = []
    for at in range(document.getNumErrors()):
        error = document.getError(at)
        words = " ".join(error.getMessage().split())
        found.append(Finding(error.getErrorId(), error.getSeverityAsString().lower(), error.getLine(), words))
    return tuple(found)


def sbml_text(source: Source) -> str:
    """`source` as SBML Level 3 Version 2."""
    return _Writer(source).write()


class _Writer:
    def __init__(self, source: Source) -> None:
        self.library = load()
        self.source = source
        self.types = {op: kind for kind, op in kinds_of(self.library).items()}
        self.document = self.library.SBMLDocument(3, 2)
        self.model = self.document.createModel()

    def write(self) -> str:
        source, model = self.source, self.model
        model.setId(source.id)
        if source.name:
            model.setName(source.name)
        if source.notes:
            paragraphs = "".join(f"<p>{escape(line)}</p>" for line in source.notes.split("\n") if line)
            self.done(model.setNotes(f'<body xmlns="http://www.w3.org/1999/xhtml">{paragraphs}</body>'))
        for name, unit in (
            ("setTimeUnits", source.time_unit),
            ("setSubstanceUnits", source.substance_unit),
            ("setExtentUnits", source.extent_unit),
            ("setVolumeUnits", source.volume_unit),
        ):
            if unit:
                self.done(getattr(model, name)(unit))
        self.units()
        self.places()
        for item in source.parameters:
            self.parameter(model.createParameter(), item)
        for rule in source.rules:
            self.rule(rule)
        for reaction in source.reactions:
            self.reaction(reaction)
        for event in source.events:
            self.event(event)
        text = str(self.library.writeSBMLToString(self.document))
        head, mark, rest = text.partition("?>\n")
        return f"{head}{mark}<!-- Written by Seedtrain {seedtrain.__version__}. -->\n{rest}"

    def done(self, code: int) -> None:
        assert code == self.library.LIBSBML_OPERATION_SUCCESS, self.library.OperationReturnValue_toString(code)

    def units(self) -> None:
        for name, parts in self.source.units.items():
            definition = self.model.createUnitDefinition()
            self.done(definition.setId(name))
            for kind, exponent, scale, multiplier in parts:
                unit = definition.createUnit()
                unit.setKind(self.library.UnitKind_forName(kind))
                unit.setExponent(exponent)
                unit.setScale(scale)
                unit.setMultiplier(multiplier)

    def places(self) -> None:
        for box in self.source.compartments:
            made = self.model.createCompartment()
            self.named(made, box.id, box.name)
            made.setSpatialDimensions(box.dimensions)
            made.setConstant(box.constant)
            if box.size is not None:
                made.setSize(box.size)
            if box.unit:
                self.done(made.setUnits(box.unit))
        for item in self.source.species:
            made = self.model.createSpecies()
            self.named(made, item.id, item.name)
            made.setCompartment(item.compartment)
            made.setHasOnlySubstanceUnits(item.only_substance)
            made.setBoundaryCondition(item.boundary)
            made.setConstant(item.constant)
            if item.amount is not None:
                made.setInitialAmount(item.amount)
            if item.concentration is not None:
                made.setInitialConcentration(item.concentration)
            if item.unit:
                self.done(made.setSubstanceUnits(item.unit))
            if item.factor:
                self.done(made.setConversionFactor(item.factor))

    def named(self, made: Any, name: str, words: str) -> None:
        self.done(made.setId(name))
        if words:
            made.setName(words)

    def parameter(self, made: Any, item: Parameter) -> None:
        self.named(made, item.id, item.name)
        if item.value is not None:
            made.setValue(item.value)
        if item.unit:
            self.done(made.setUnits(item.unit))
        if hasattr(made, "setConstant") and made.getTypeCode() == self.library.SBML_PARAMETER:
            made.setConstant(item.constant)

    def rule(self, rule: Rule) -> None:
        assert rule.math is not None
        if rule.kind == "initial":
            made = self.model.createInitialAssignment()
            self.done(made.setSymbol(rule.variable))
        else:
            made = self.model.createAssignmentRule() if rule.kind == "assignment" else self.model.createRateRule()
            self.done(made.setVariable(rule.variable))
        self.done(made.setMath(self.node(rule.math)))

    def reaction(self, item: Reaction) -> None:
        made = self.model.createReaction()
        self.named(made, item.id, item.name)
        made.setReversible(item.reversible)
        for part in item.reactants:
            self.participant(made.createReactant(), part)
        for part in item.products:
            self.participant(made.createProduct(), part)
        for name in item.modifiers:
            self.done(made.createModifier().setSpecies(name))
        if item.law is not None:
            law = made.createKineticLaw()
            local = {f"{item.id}.{entry.id}": entry.id for entry in item.local}
            self.done(law.setMath(self.node(item.law, local)))
            for entry in item.local:
                self.parameter(law.createLocalParameter(), entry)

    def participant(self, made: Any, part: Participant) -> None:
        self.done(made.setSpecies(part.species))
        if part.id:
            self.done(made.setId(part.id))
        if part.stoichiometry is not None:
            made.setStoichiometry(part.stoichiometry)
        made.setConstant(part.constant)

    def event(self, item: Event) -> None:
        made = self.model.createEvent()
        self.named(made, item.id, item.name)
        made.setUseValuesFromTriggerTime(item.values_from_trigger)
        trigger = made.createTrigger()
        trigger.setInitialValue(item.initially)
        trigger.setPersistent(item.persistent)
        self.done(trigger.setMath(self.node(item.trigger)))
        if item.delay is not None:
            self.done(made.createDelay().setMath(self.node(item.delay)))
        if item.priority is not None:
            self.done(made.createPriority().setMath(self.node(item.priority)))
        for name, formula in item.assignments:
            assignment = made.createEventAssignment()
            self.done(assignment.setVariable(name))
            self.done(assignment.setMath(self.node(formula)))

    def node(self, tree: Tree, local: dict[str, str] | None = None) -> Any:
        """`tree` as libsbml has it."""
        library = self.library
        if tree.op == "num":
            made = library.ASTNode(library.AST_REAL)
            made.setValue(tree.value)
            if tree.name:
                self.done(made.setUnits(tree.name))
            return made
        if tree.op == "sym":
            made = library.ASTNode(library.AST_NAME)
            made.setName((local or {}).get(tree.name, tree.name))
            return made
        if tree.op == "time":
            made = library.ASTNode(library.AST_NAME_TIME)
            made.setName("time")
            return made
        parts: Iterable[Tree] = tree.parts
        if tree.op == "neg":
            made = library.ASTNode(library.AST_MINUS)
        else:
            made = library.ASTNode(self.types[tree.op])
        for part in parts:
            self.done(made.addChild(self.node(part, local)))
        return made
