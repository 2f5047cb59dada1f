"""Everything about libsbml: a file becomes a `Source`, a `Source` becomes a file, and its validator's verdict.

libsbml is LGPL and optional: it is imported when it is needed, and its absence is an `UnavailableError`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import pairwise
from typing import Any, Final

from seedtrain.base import InputError, Position, SeedtrainError, UnavailableError, collect
from seedtrain.simulation._exchange._guard import Checked
from seedtrain.simulation._exchange._source import (
    Compartment,
    Event,
    Parameter,
    Participant,
    Reaction,
    Rule,
    Source,
    Species,
    UnitPart,
)
from seedtrain.simulation._exchange._tree import AVOGADRO, OPERATIONS, RELATIONS, Tree, call, num, sym

DEEPEST: Final = 120
"""Nesting of a formula with its functions written out; published models stay below 30."""
MOST_NODES: Final = 500_000
"""Of all formulas together, functions written out: nested definitions can grow without bound."""


def load() -> Any:
    """The module libsbml; raises `UnavailableError` where it is not installed."""
    try:
        return import_module("libsbml")
    except ImportError:
        raise UnavailableError(
            "SBML needs the package python-libsbml, which is not installed",
            remedy="Install it: pip install 'seedtrain[sbml]'.",
        ) from None


def read_source(checked: Checked) -> Source:
    """The model in a checked file; every fault and every unsupported feature at once, each at its line."""
    library = load()
    document = library.readSBMLFromString(checked.text)
    collect(list(_faults(library, document, checked.file)))
    level, version = document.getLevel(), document.getVersion()
    if level == 1:
        raise InputError(
            "sbml: Level 1 is not supported",
            position=Position(checked.file, 1),
            remedy="Convert it to Level 3 (libsbml, COPASI and Tellurium do).",
        )
    model = document.getModel()
    if model is None:
        raise InputError("sbml: there is no model", position=Position(checked.file, 1), remedy="Give a model.")
    reader = _Reader(library, model, checked.file)
    source = reader.read(level, version)
    collect(reader.faults)
    document.setConsistencyChecks(library.LIBSBML_CAT_UNITS_CONSISTENCY, False)
    document.setConsistencyChecks(library.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.checkConsistency()
    collect(list(_faults(library, document, checked.file)))
    return source


def _faults(library: Any, document: Any, file: str) -> Iterator[SeedtrainError]:
    for at in range(document.getNumErrors()):
        error = document.getError(at)
        if error.getSeverity() >= library.LIBSBML_SEV_ERROR:
            words = " ".join(error.getMessage().split())
            yield InputError(
                f"SBML rule {error.getErrorId()}: {words}",
                position=Position(file, error.getLine(), max(error.getColumn(), 1)),
                remedy="Correct the file, or export it again from a tool that checks what it writes.",
            )


class _Reader:
    def __init__(self, library: Any, model: Any, file: str) -> None:
        self.library = library
        self.model = model
        self.file = file
        self.faults: list[SeedtrainError] = []
        self.functions = {item.getId(): item for item in model.getListOfFunctionDefinitions()}
        self.kinds = kinds_of(library)
        self.nodes = 0
        self.element = "model"
        self.place = Position(file)

    def refuse(self, what: str, remedy: str) -> None:
        self.faults.append(InputError(f"{self.element}: {what}", position=self.place, remedy=remedy))

    def at(self, item: Any, kind: str, name: str) -> None:
        self.element = f"{kind} {name!r}" if name else kind
        self.place = Position(self.file, item.getLine(), max(item.getColumn(), 1))

    def read(self, level: int, version: int) -> Source:
        model = self.model
        return Source(
            id=model.getId() or "model",
            file=self.file,
            level=level,
            version=version,
            name=model.getName(),
            units={item.getId(): _unit_parts(item) for item in model.getListOfUnitDefinitions()},
            time_unit=_model_unit(model, level, "time", "second"),
            substance_unit=_model_unit(model, level, "substance", "mole"),
            extent_unit=model.getExtentUnits() if level > 2 else "",
            volume_unit=_model_unit(model, level, "volume", "litre"),
            factor=model.getConversionFactor() if level > 2 else "",
            compartments=tuple(self.compartment(item) for item in model.getListOfCompartments()),
            species=tuple(self.species(item) for item in model.getListOfSpecies()),
            parameters=tuple(_parameter(item) for item in model.getListOfParameters()),
            rules=tuple(self.rules()),
            reactions=tuple(self.reaction(item) for item in model.getListOfReactions()),
            events=tuple(found for item in model.getListOfEvents() if (found := self.event(item)) is not None),
        )

    def compartment(self, item: Any) -> Compartment:
        dimensions = item.getSpatialDimensionsAsDouble()
        return Compartment(
            item.getId(),
            item.getName(),
            _number(item.isSetSize(), item.getSize()),
            item.getUnits(),
            item.getConstant(),
            3.0 if dimensions != dimensions else dimensions,
            item.getLine(),
        )

    def species(self, item: Any) -> Species:
        return Species(
            item.getId(),
            item.getCompartment(),
            item.getName(),
            _number(item.isSetInitialAmount(), item.getInitialAmount()),
            _number(item.isSetInitialConcentration(), item.getInitialConcentration()),
            item.getSubstanceUnits(),
            item.getHasOnlySubstanceUnits(),
            item.getBoundaryCondition(),
            item.getConstant(),
            item.getConversionFactor(),
            item.getLine(),
        )

    def rules(self) -> Iterator[Rule]:
        for item in self.model.getListOfInitialAssignments():
            self.at(item, "initialAssignment of", item.getSymbol())
            yield Rule("initial", item.getSymbol(), self.math(item), item.getLine())
        for item in self.model.getListOfRules():
            if item.isAlgebraic():
                self.at(item, "algebraicRule", "")
                self.refuse("algebraic rules are not supported", "Solve it for one variable: an assignmentRule.")
                continue
            kind = "assignment" if item.isAssignment() else "rate"
            self.at(item, f"{kind}Rule of", item.getVariable())
            yield Rule(kind, item.getVariable(), self.math(item), item.getLine())

    def reaction(self, item: Any) -> Reaction:
        self.at(item, "reaction", item.getId())
        if item.isSetFast() and item.getFast():
            self.refuse("fast reactions are not supported", "Write it with finite rates, or its equilibrium as a rule.")
        law = item.getKineticLaw()
        local: tuple[Parameter, ...] = ()
        env: dict[str, Tree] = {}
        if law is not None:
            found = [*law.getListOfParameters(), *law.getListOfLocalParameters()]
            local = tuple({entry.getId(): _parameter(entry) for entry in found}.values())
            env = {entry.id: sym(f"{item.getId()}.{entry.id}") for entry in local}
        return Reaction(
            item.getId(),
            tuple(self.participant(entry) for entry in item.getListOfReactants()),
            tuple(self.participant(entry) for entry in item.getListOfProducts()),
            self.math(law, env) if law is not None else None,
            local,
            tuple(entry.getSpecies() for entry in item.getListOfModifiers()),
            item.getName(),
            item.getReversible(),
            item.getLine(),
        )

    def participant(self, item: Any) -> Participant:
        formula = self.math(item.getStoichiometryMath()) if item.isSetStoichiometryMath() else None
        level2 = self.model.getLevel() < 3
        return Participant(
            item.getSpecies(),
            item.getStoichiometry() if level2 or item.isSetStoichiometry() else None,
            formula,
            item.getId(),
            (formula is None) if level2 else item.getConstant(),
            item.getLine(),
        )

    def event(self, item: Any) -> Event | None:
        self.at(item, "event", item.getId())
        level = self.model.getLevel()
        trigger = item.getTrigger()
        condition = self.math(trigger) if trigger is not None else None
        if item.getTimeUnits():
            self.refuse("an event with its own timeUnits is not supported", "Use the model's unit of time.")
        assignments = []
        for entry in item.getListOfEventAssignments():
            formula = self.math(entry)
            if formula is not None:
                assignments.append((entry.getVariable(), formula))
        if condition is None:
            return None
        return Event(
            item.getId(),
            condition,
            tuple(assignments),
            self.math(item.getDelay()) if item.getDelay() is not None else None,
            self.math(item.getPriority()) if level > 2 and item.getPriority() is not None else None,
            trigger.getInitialValue() if level > 2 else True,
            trigger.getPersistent() if level > 2 else True,
            item.getUseValuesFromTriggerTime(),
            item.getName(),
            item.getLine(),
        )

    def math(self, item: Any, env: Mapping[str, Tree] | None = None) -> Tree | None:
        """The formula of an element, functions written out; None where it has none."""
        node = item.getMath()
        if node is None:
            return None
        return self.tree(node, env or {})

    def tree(self, node: Any, env: Mapping[str, Tree], inside: tuple[str, ...] = (), depth: int = 0) -> Tree:
        self.nodes += 1
        if depth > DEEPEST:
            self.refuse(f"a formula is nested more than {DEEPEST} deep", "Split it with assignment rules.")
            return num(0.0)
        if self.nodes > MOST_NODES:
            raise InputError(
                f"{self.element}: with its functions written out the model has more than {MOST_NODES} terms",
                position=self.place,
                remedy="Give a smaller model.",
            )
        library, kind = self.library, node.getType()
        if node.isNumber():
            return num(_literal(library, node))
        if kind in (library.AST_CONSTANT_E, library.AST_CONSTANT_PI):
            return num(math.e if kind == library.AST_CONSTANT_E else math.pi)
        if kind == library.AST_NAME:
            return env.get(node.getName(), sym(node.getName()))
        if kind == library.AST_NAME_TIME:
            return Tree("time")
        if kind == library.AST_NAME_AVOGADRO:
            return num(AVOGADRO)
        if kind == library.AST_FUNCTION:
            return self.written_out(node, env, inside, depth)
        if kind == library.AST_FUNCTION_RATE_OF:
            name = env.get(node.getChild(0).getName(), sym(node.getChild(0).getName()))
            return Tree("rateof", name=name.name)
        op = self.kinds.get(kind)
        if op is None:
            shown = "delay()" if kind == library.AST_FUNCTION_DELAY else f"<{node.getName() or kind}>"
            remedy = "Write the delay as a chain of states." if "delay" in shown else "Use SBML Core's mathematics."
            self.refuse(f"{shown} is not supported", remedy)
            return num(0.0)
        parts = [self.tree(part, env, inside, depth + 1) for part in _chain(library, node, op)]
        return _shaped(op, parts)

    def written_out(self, node: Any, env: Mapping[str, Tree], inside: tuple[str, ...], depth: int) -> Tree:
        name = node.getName()
        definition = self.functions.get(name)
        if definition is None or name in inside:
            self.refuse(f"the function {name!r} is not defined, or calls itself", "Define it before it is used.")
            return num(0.0)
        values = [self.tree(node.getChild(at), env, inside, depth + 1) for at in range(node.getNumChildren())]
        if definition.getBody() is None or definition.getNumArguments() != len(values):
            self.refuse(f"the function {name!r} has no body, or another number of arguments", "Correct its definition.")
            return num(0.0)
        own = {definition.getArgument(at).getName(): value for at, value in enumerate(values)}
        return self.tree(definition.getBody(), own, (*inside, name), depth + 1)


def _literal(library: Any, node: Any) -> float:
    if node.getType() == library.AST_REAL_E:
        # Mantissa times ten to the exponent would round twice.
        return float(f"{node.getMantissa()!r}e{node.getExponent()}")
    return float(node.getValue())


def _chain(library: Any, node: Any, op: str) -> list[Any]:
    """The operands of `node`; of sums, products, and, or those of the nested left one as well, without recursion."""
    parts: list[Any] = []
    while op in ("+", "*", "and", "or") and node.getNumChildren() == 2 and node.getType() == node.getChild(0).getType():
        parts.append(node.getChild(1))
        node = node.getChild(0)
    return [*(node.getChild(at) for at in range(node.getNumChildren())), *reversed(parts)]


def _shaped(op: str, parts: list[Tree]) -> Tree:
    if op in ("+", "*") and len(parts) < 2:
        return parts[0] if parts else num(0.0 if op == "+" else 1.0)
    if op == "-" and len(parts) == 1:
        return call("neg", parts[0])
    if op in RELATIONS and len(parts) != 2:
        return call("and", *(call(op, a, b) for a, b in pairwise(parts)))
    if op in ("root", "log") and len(parts) == 1:
        return call(op, num(2.0 if op == "root" else 10.0), parts[0])
    if op in ("min", "max") and len(parts) == 1:
        return parts[0]
    return Tree(op, tuple(parts))


def kinds_of(library: Any) -> dict[int, str]:
    """The op of each of libsbml's types of node."""
    special = {
        "PLUS": "+",
        "MINUS": "-",
        "TIMES": "*",
        "DIVIDE": "/",
        "POWER": "^",
        "FUNCTION_POWER": "^",
        "CONSTANT_TRUE": "true",
        "CONSTANT_FALSE": "false",
        "FUNCTION_PIECEWISE": "piecewise",
        "LOGICAL_IMPLIES": "implies",
        **{f"RELATIONAL_{a}": b for a, b in zip(("LT", "LEQ", "GT", "GEQ", "EQ", "NEQ"), _SIX, strict=True)},
        **{f"LOGICAL_{name.upper()}": name for name in ("and", "or", "not", "xor")},
    }
    functions = {f"FUNCTION_{name.upper()}": name for name in OPERATIONS if name.isalpha()}
    return {getattr(library, f"AST_{key}"): op for key, op in {**functions, **special}.items() if _has(library, key)}


_SIX: Final = ("lt", "le", "gt", "ge", "eq", "ne")


def _has(library: Any, key: str) -> bool:
    return hasattr(library, f"AST_{key}")


def _number(given: bool, value: float) -> float | None:
    return float(value) if given and value == value else None


def _parameter(item: Any) -> Parameter:
    return Parameter(
        item.getId(),
        _number(item.isSetValue(), item.getValue()),
        item.getName(),
        item.getUnits(),
        item.getConstant(),
        item.getLine(),
    )


def _unit_parts(item: Any) -> tuple[UnitPart, ...]:
    found = []
    for unit in item.getListOfUnits():
        kind = re.sub("^(liter|meter)$", lambda hit: {"liter": "litre", "meter": "metre"}[hit[1]], _kind_name(unit))
        found.append((kind, unit.getExponentAsDouble(), unit.getScale(), unit.getMultiplier()))
    return tuple(found)


def _kind_name(unit: Any) -> str:
    return str(load().UnitKind_toString(unit.getKind()))


def _model_unit(model: Any, level: int, what: str, base: str) -> str:
    if level > 2:
        return str(getattr(model, f"get{what.capitalize()}Units")())
    return what if model.getUnitDefinition(what) is not None else base
