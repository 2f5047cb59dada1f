"""Small SBML models written by hand, with formulas in infix."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from seedtrain.simulation import SbmlModel, read_sbml

NAMESPACES = {2: "http://www.sbml.org/sbml/level2/version4", 3: "http://www.sbml.org/sbml/level3/version2/core"}


def math(formula: str) -> str:
    """MathML of an infix formula (libsbml's, in which `time` is the time)."""
    library = import_module("libsbml")
    tree = library.parseL3Formula(formula)
    assert tree is not None, library.getLastParseL3Error()
    return str(library.writeMathMLToString(tree)).partition("?>")[2]


def rule(kind: str, variable: str, formula: str) -> str:
    """An assignmentRule or rateRule."""
    return f'<{kind}Rule variable="{variable}">{math(formula)}</{kind}Rule>'


def initial(symbol: str, formula: str) -> str:
    """An initialAssignment."""
    return f'<initialAssignment symbol="{symbol}">{math(formula)}</initialAssignment>'


def event(trigger: str, assignments: dict[str, str], *, more: str = "", **attributes: str) -> str:
    """An event; `initially` and `persistent` belong to the trigger, `more` is its delay or priority."""
    initially, persistent = attributes.pop("initially", "true"), attributes.pop("persistent", "true")
    given = {"useValuesFromTriggerTime": "true", **attributes}
    shown = " ".join(f'{name}="{value}"' for name, value in given.items())
    made = "".join(
        f'<eventAssignment variable="{name}">{math(text)}</eventAssignment>' for name, text in assignments.items()
    )
    return (
        f'<event {shown}><trigger initialValue="{initially}" persistent="{persistent}">{math(trigger)}</trigger>{more}'
        f"<listOfEventAssignments>{made}</listOfEventAssignments></event>"
    )


def sbml(level: int = 3, attributes: str = "", **lists: str) -> str:
    """A document with the given lists, such as `Parameters`, in the order in which SBML wants them."""
    version = {2: 4, 3: 2}[level]
    order = ("FunctionDefinitions", "UnitDefinitions", "Compartments", "Species", "Parameters", "InitialAssignments")
    body = "\n".join(
        f"<listOf{name}>\n{lists.pop(name)}\n</listOf{name}>"
        for name in (*order, "Rules", "Reactions", "Events")
        if name in lists
    )
    assert not lists
    head = f'<sbml xmlns="{NAMESPACES[level]}" level="{level}" version="{version}">'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n<model id="small" {attributes}>\n{body}\n</model>\n</sbml>\n'
    )


def parameter(name: str, value: str = "", *, constant: bool = False) -> str:
    """A parameter."""
    given = f' value="{value}"' if value else ""
    return f'<parameter id="{name}"{given} constant="{str(constant).lower()}"/>'


def box(size: str = "1", *, constant: bool = True, name: str = "c") -> str:
    """A compartment."""
    fixed = str(constant).lower()
    return f'<compartment id="{name}" spatialDimensions="3" size="{size}" constant="{fixed}"/>'


def species(name: str, start: str, *, only_substance: bool = False, boundary: bool = False, more: str = "") -> str:
    """A species in the compartment c."""
    return (
        f'<species id="{name}" compartment="c" {start} hasOnlySubstanceUnits="{str(only_substance).lower()}" '
        f'boundaryCondition="{str(boundary).lower()}" constant="false" {more}/>'
    )


def reaction(name: str, left: dict[str, str], right: dict[str, str], law: str, *, local: str = "") -> str:
    """A reaction with the stoichiometry of each reactant and product."""

    def side(kind: str, parts: dict[str, str]) -> str:
        items = "".join(
            f'<speciesReference species="{item}" stoichiometry="{amount}" constant="true"/>'
            for item, amount in parts.items()
        )
        return f"<listOf{kind}>{items}</listOf{kind}>" if parts else ""

    own = f"<listOfLocalParameters>{local}</listOfLocalParameters>" if local else ""
    return (
        f'<reaction id="{name}" reversible="false">{side("Reactants", left)}{side("Products", right)}'
        f"<kineticLaw>{math(law)}{own}</kineticLaw></reaction>"
    )


def read(folder: Path, text: str) -> SbmlModel:
    """The model in a text, by way of a file."""
    path = folder / "small.xml"
    path.write_text(text, encoding="utf-8")
    return read_sbml(path)
