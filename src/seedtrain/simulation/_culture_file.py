"""A culture from its file: read, checked as a whole, then built in the units that cultures compute in."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from seedtrain.base import Document, Expression, collect, digest, parse_expression, validate
from seedtrain.quantity import Quantity, Range
from seedtrain.simulation._culture import GASES, LOCAL_UNITS, Conversion, Culture, Parameter, Species, closure_faults
from seedtrain.simulation._culture_check import check
from seedtrain.simulation._culture_entry import ConversionEntry, CultureEntry, ParameterEntry, SpeciesEntry
from seedtrain.simulation._units import UnitSystem, powers_of


def build(document: Document) -> Culture:
    """The culture that `document` writes; raises `InputErrors` with every fault at its place."""
    entry = validate(document, CultureEntry)
    checked = check(document, entry)
    system, fixed = checked.system, {name: checked.system.value(item)[0] for name, item in entry.constants.items()}
    species = {name: _species(name, item, system, fixed) for name, item in entry.species.items()}
    parameters = {name: _parameter(name, item, system) for name, item in entry.parameters.items()}
    units = {name: item.unit for name, item in species.items()}
    units |= {name: item.unit for name, item in parameters.items()}
    culture = Culture(
        name=entry.culture,
        title=entry.title,
        status=entry.status,
        design=entry.design == "true",
        source=entry.source,
        biomass=entry.biomass,
        species=species,
        parameters=parameters,
        expressions={name: _fixed(text, fixed) for name, text in entry.expressions.items()},
        conversions=tuple(_conversion(name, item, fixed) for name, item in entry.conversions.items()),
        rates={name: _rate(name, _fixed(text, fixed), checked.in_grams) for name, text in entry.rates.items()},
        outputs=dict(entry.outputs),
        structure=_structure(document),
        basis=entry.basis,
        units=LOCAL_UNITS | units | checked.units,
        trained={name: _trained(item, system) for name, item in entry.trained.items()},
    )
    collect([document.error(place, fault, remedy=remedy) for place, fault, remedy in closure_faults(culture)])
    return culture


def _species(name: str, item: SpeciesEntry, system: UnitSystem, fixed: Mapping[str, float]) -> Species:
    powers = UnitSystem().species(item.unit)
    return Species(
        name=name,
        known_as=item.known_as,
        words=item.words,
        formula={element: _fixed(text, fixed) for element, text in item.composition.items()},
        ash=item.ash.magnitude(""),
        protons=item.protons.magnitude(""),
        intracellular=item.intracellular == "true",
        unit=next((unit for unit in ("g/L", "mmol/L") if powers == powers_of(unit)), item.unit),
        mass=system.value(item.mass)[0] if item.mass else 0.0,
        weightless=item.weightless == "true",
        intensive=dict(powers).get("length") != -3,
        lipopolysaccharide=item.lipopolysaccharide.magnitude(""),
    )


def _parameter(name: str, item: ParameterEntry, system: UnitSystem) -> Parameter:
    value, unit = system.value(item.value)
    ends = item.range.bounds(item.value.unit) if item.range else (item.value.value, item.value.value)
    low, high = (system.value(Quantity(end, item.value.unit))[0] if math.isfinite(end) else end for end in ends)
    return Parameter(name, value, unit, low, high, item.status, item.source)


def _trained(entry: Mapping[str, Range], system: UnitSystem) -> dict[str, tuple[float, float]]:
    found = {}
    for symbol, item in entry.items():
        ends = item.bounds(item.unit)
        low, high = (system.value(Quantity(end, item.unit))[0] if math.isfinite(end) else end for end in ends)
        found[symbol] = (low, high)
    return found


def _fixed(text: Expression, fixed: Mapping[str, float]) -> Expression:
    """`text` with the file's constants written out as numbers."""
    if not text.names & set(fixed):
        return text
    words = re.sub(r"\b[A-Za-z]\w*\b", lambda found: _number(found[0], fixed), text.text)
    return parse_expression(words)


def _number(name: str, fixed: Mapping[str, float]) -> str:
    if name not in fixed:
        return name
    return repr(fixed[name]) if fixed[name] >= 0 else f"({fixed[name]!r})"


def _rate(name: str, text: Expression, in_grams: frozenset[str]) -> Expression:
    return parse_expression(f"({text.text}) * {1000 / GASES[name]!r}") if name in in_grams else text


def _conversion(name: str, item: ConversionEntry, fixed: Mapping[str, float]) -> Conversion:
    amounts = {symbol: parse_expression(f"-({_fixed(text, fixed).text})") for symbol, text in item.consumes.items()}
    for symbol, text in item.produces.items():
        made = _fixed(text, fixed).text
        amounts[symbol] = parse_expression(f"{amounts[symbol].text} + ({made})" if symbol in amounts else made)
    return Conversion(name, item.words, _fixed(item.rate, fixed), amounts)


def _structure(document: Document) -> str:
    data = dict(document.data)
    data["parameters"] = sorted(data["parameters"])
    return digest(data)
