"""The file form of a culture: YAML through pydantic, then names, units and balances checked together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.functional_validators import BeforeValidator

from seedtrain.base import Document, Location, SeedtrainError, collect, digest, validate
from seedtrain.quantity import Measure, MeasureRange, Quantity, QuantityError, Range
from seedtrain.simulation._culture import LOCALS, Conversion, Culture, Parameter, Species, closure_faults
from seedtrain.simulation._elements import ELEMENTS
from seedtrain.simulation._expression import FUNCTIONS, Expression, is_symbol, parse_expression

Status = Literal["sourced", "fitted", "derived", "assumed"]


def _expression(value: object) -> Expression:
    if isinstance(value, Expression):
        return value
    if not isinstance(value, str):
        raise ValueError("an expression is text | Write an expression such as q_S_max * S / (S + K_S).")
    return parse_expression(value)


Formula = Annotated[Expression, BeforeValidator(_expression)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class ParameterEntry(_Entry):
    """One parameter of a culture file."""

    value: Annotated[Quantity, Measure(None)]
    range: Annotated[Range, MeasureRange(None)] | None = None
    status: Status
    source: str = Field(min_length=1)


class SpeciesEntry(_Entry):
    """One species of a culture file."""

    words: str
    known_as: str
    unit: Literal["g/L"]
    composition: dict[str, Formula] = Field(min_length=1)
    ash: Annotated[Quantity, Measure("%")] = Quantity(0.0, "%")
    protons: Annotated[Quantity, Measure("")] = Quantity(0.0, "")
    intracellular: Literal["true", "false"] = "false"


class ConversionEntry(_Entry):
    """One conversion of a culture file."""

    words: str = ""
    rate: Formula
    consumes: dict[str, Formula] = Field(min_length=1)
    produces: dict[str, Formula] = Field(default_factory=dict)


class CultureEntry(_Entry):
    """A whole culture file."""

    culture: str
    title: str
    source: str
    status: Literal["verified", "unverified", "reproduction"]
    design: Literal["true", "false"]
    biomass: str
    species: dict[str, SpeciesEntry] = Field(min_length=1)
    parameters: dict[str, ParameterEntry] = Field(min_length=1)
    expressions: dict[str, Formula] = Field(default_factory=dict)
    conversions: dict[str, ConversionEntry] = Field(default_factory=dict)
    rates: dict[str, Formula] = Field(default_factory=dict)
    outputs: dict[str, str] = Field(default_factory=dict)


def build(document: Document) -> Culture:
    """The culture that `document` writes; raises `InputErrors` with every fault at its place."""
    entry = validate(document, CultureEntry)
    collect(_faults(document, entry))
    culture = Culture(
        name=entry.culture,
        title=entry.title,
        status=entry.status,
        design=entry.design == "true",
        source=entry.source,
        biomass=entry.biomass,
        species={name: _species(name, item) for name, item in entry.species.items()},
        parameters={name: _parameter(name, item) for name, item in entry.parameters.items()},
        expressions=dict(entry.expressions),
        conversions=tuple(_conversion(name, item) for name, item in entry.conversions.items()),
        rates=dict(entry.rates),
        outputs=dict(entry.outputs),
        structure=_structure(document),
    )
    collect([document.error(place, fault, remedy=remedy) for place, fault, remedy in closure_faults(culture)])
    return culture


def _species(name: str, item: SpeciesEntry) -> Species:
    return Species(
        name=name,
        known_as=item.known_as,
        words=item.words,
        formula=dict(item.composition),
        ash=item.ash.magnitude(""),
        protons=item.protons.magnitude(""),
        intracellular=item.intracellular == "true",
    )


def _parameter(name: str, item: ParameterEntry) -> Parameter:
    unit = item.value.unit
    low, high = item.range.bounds(unit) if item.range else (item.value.value, item.value.value)
    return Parameter(name, item.value.value, unit, low, high, item.status, item.source)


def _conversion(name: str, item: ConversionEntry) -> Conversion:
    amounts = {symbol: parse_expression(f"-({text.text})") for symbol, text in item.consumes.items()}
    for symbol, text in item.produces.items():
        both = f"{amounts[symbol].text} + ({text.text})" if symbol in amounts else text.text
        amounts[symbol] = parse_expression(both)
    return Conversion(name, item.words, item.rate, amounts)


def _structure(document: Document) -> str:
    data = dict(document.data)
    data["parameters"] = sorted(data["parameters"])
    return digest(data)


def _faults(document: Document, entry: CultureEntry) -> list[SeedtrainError]:
    faults: list[SeedtrainError] = []

    def fault(place: Location, message: str, remedy: str, *, at_key: bool = False) -> None:
        faults.append(document.error(place, message, remedy=remedy, at_key=at_key))

    _check_symbols(entry, fault)
    _check_roles(entry, fault)
    _check_parameters(entry, fault)
    _check_names(entry, fault)
    return faults


def _check_symbols(entry: CultureEntry, fault: object) -> None:
    seen: dict[str, str] = dict.fromkeys(LOCALS, "the surroundings")
    for group in ("species", "parameters", "expressions"):
        for name in getattr(entry, group):
            place = (group, name)
            if not is_symbol(name) or name in FUNCTIONS or name == "t":
                _say(fault, place, f"{name!r} cannot be a symbol", "Use letters, digits and underscores: q_S_max.")
            elif name in seen:
                _say(fault, place, f"{name!r} already stands in {seen[name]}", "Choose another name.")
            seen.setdefault(name, group)


def _check_roles(entry: CultureEntry, fault: object) -> None:
    if entry.biomass not in entry.species:
        _say(fault, ("biomass",), f"{entry.biomass!r} is not a species", f"Use one of: {', '.join(entry.species)}.")
    if bool(entry.conversions) == bool(entry.rates):
        _say(
            fault,
            (),
            "a culture has either conversions or rates",
            "Write conversions; rates are for published models that close no balance.",
        )
    if entry.rates and entry.design == "true":
        _say(fault, ("design",), "rates close no balance, so that nothing can be designed with them", "Write false.")
    for name, item in entry.species.items():
        for element in item.composition:
            if element not in ELEMENTS:
                _say(
                    fault,
                    ("species", name, "composition", element),
                    f"the element {element!r} is not counted",
                    f"Use {', '.join(ELEMENTS)}; minerals are ash.",
                )
        if item.protons.value and "C" not in item.composition:
            _say(fault, ("species", name, "protons"), "an acid without carbon cannot be counted", "Add C.")
        if not 0 <= item.ash.magnitude("") < 1:
            _say(fault, ("species", name, "ash"), f"{item.ash} is no mass fraction below 100 %", "Write 5 %.")


def _check_parameters(entry: CultureEntry, fault: object) -> None:
    for name, item in entry.parameters.items():
        if item.range is None:
            continue
        try:
            inside = item.range.contains(item.value)
        except QuantityError as error:
            _say(fault, ("parameters", name, "range"), error.message, error.remedy)
            continue
        if not inside:
            _say(
                fault,
                ("parameters", name, "value"),
                f"{item.value} lies outside its range {item.range}",
                "Correct the value or the range.",
            )


def _check_names(entry: CultureEntry, fault: object) -> None:
    parameters = set(entry.parameters)
    known = parameters | set(entry.species) | set(LOCALS)
    for name, text in entry.expressions.items():
        _check(fault, ("expressions", name), text, known, "an expression reads only what stands above it")
        known.add(name)
    for name, item in entry.species.items():
        for element, text in item.composition.items():
            _check(fault, ("species", name, "composition", element), text, parameters, "a composition is constant")
    for name, conversion in entry.conversions.items():
        _check(fault, ("conversions", name, "rate"), conversion.rate, known, "")
        for group in ("consumes", "produces"):
            for symbol, text in getattr(conversion, group).items():
                place = ("conversions", name, group, symbol)
                if symbol not in entry.species:
                    _say(fault, place, f"{symbol!r} is not a species", f"Use one of: {', '.join(entry.species)}.")
                _check(fault, place, text, parameters, "a yield is constant, so that its conversion can be closed")
    for name, text in entry.rates.items():
        if name not in entry.species and name != "O2":
            _say(fault, ("rates", name), f"{name!r} is not a species", f"Use O2, {', '.join(entry.species)}.")
        _check(fault, ("rates", name), text, known, "")
    for name, symbol in entry.outputs.items():
        if symbol not in known:
            _say(fault, ("outputs", name), f"{symbol!r} is not defined", "Name an expression.")


def _check(fault: object, place: Location, text: Expression, known: set[str], why: str) -> None:
    for name in sorted(text.names - known):
        words = f"; {why}" if why else ""
        _say(fault, place, f"the symbol {name!r} is undefined here{words}", f"Use one of: {', '.join(sorted(known))}.")


def _say(fault: object, place: Location, message: str, remedy: str) -> None:
    assert callable(fault)
    fault(place, message, remedy)
