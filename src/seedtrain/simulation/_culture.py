"""Cultures as data: species with compositions, parameters with sources, and specific rates as checked expressions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from seedtrain.base import InputError, digest
from seedtrain.simulation._elements import ELEMENTS, Composition, Exchange, close, composition
from seedtrain.simulation._expression import Expression

LOCALS: Final = {
    "DO": "dissolved oxygen, mmol/L",
    "DO_percent": "dissolved oxygen, % of air saturation",
    "C_CO2": "dissolved CO2, mmol/L",
    "NH": "ammonium and ammonia, mmol/L",
    "I": "inducer, mmol/L",
    "T": "temperature, degC",
    "pH": "pH",
}
"""What an expression may read of its surroundings beside the species, the parameters and earlier expressions."""

Override = float | tuple[float, str, str]
"""A parameter's new value, or (value, status, source)."""


@dataclass(frozen=True)
class Parameter:
    """A number of a culture: `value` in `unit`, its plausible range, `status` sourced|fitted|derived|assumed."""

    name: str
    value: float
    unit: str
    low: float
    high: float
    status: str
    source: str


@dataclass(frozen=True)
class Species:
    """What a culture takes up, forms or consists of, in g/L of broth.

    - `known_as`: its word in recipes (`glucose`, `biomass`).
    - `formula`: atoms by element, each an expression of parameters; `ash`: g of minerals per g.
    - `protons`: mol of H+ that one mol of the formula gives off at the culture's pH (an acid that base neutralises).
    - `intracellular`: counts as dry cell weight and leaves with the cells.
    """

    name: str
    known_as: str
    words: str
    formula: Mapping[str, Expression]
    ash: float = 0.0
    protons: float = 0.0
    intracellular: bool = False


@dataclass(frozen=True)
class Conversion:
    """One lumped reaction: `rate` in g of its reference per g of biomass and hour; g of species per g of reference.

    O2, CO2, NH3, H2O, sulphate and minerals are never written down: they follow from the compositions.
    """

    name: str
    words: str
    rate: Expression
    amounts: Mapping[str, Expression]  # negative sign of what is consumed is part of the expression


@dataclass(frozen=True)
class Culture:
    """What cells do, as data: see docs/reference/culture.md.

    - `status`: verified, unverified or reproduction; `design`: whether it may be used to predict.
    - `biomass`: the species that specific rates refer to.
    - `expressions`: named intermediates in the order of evaluation.
    - `conversions`: closed lumped reactions, or `rates`: net rates as published (g/g/h, `O2` too), which close nothing.
    """

    name: str
    title: str
    status: str
    design: bool
    source: str
    biomass: str
    species: Mapping[str, Species]
    parameters: Mapping[str, Parameter]
    expressions: Mapping[str, Expression]
    conversions: tuple[Conversion, ...]
    rates: Mapping[str, Expression]
    outputs: Mapping[str, str]
    structure: str = field(default="", repr=False)  # digest of everything but the parameters' values

    @cached_property
    def values(self) -> dict[str, float]:
        """Every parameter's value by name."""
        return {name: item.value for name, item in self.parameters.items()}

    @cached_property
    def digest(self) -> str:
        """Digest of the structure and of every parameter's value."""
        return digest({"structure": self.structure, "values": {k: repr(v) for k, v in self.values.items()}})

    @cached_property
    def formulas(self) -> dict[str, dict[str, float]]:
        """Atoms of each species by element, with the present parameters."""
        found = {}
        for name, item in self.species.items():
            found[name] = {element: text.evaluate(self.values) for element, text in item.formula.items()}
        return found

    @cached_property
    def compositions(self) -> dict[str, Composition]:
        """mol of C, H, O, N, S and g of ash per g of each species, with the present parameters."""
        return {name: composition(self.formulas[name], item.ash) for name, item in self.species.items()}

    @cached_property
    def acidity(self) -> dict[str, float]:
        """mol of H+ that a gram of each species gives off."""
        found = {}
        for name, item in self.species.items():
            per_formula = self.compositions[name].elements["C"] / self.formulas[name]["C"] if item.protons else 0.0
            found[name] = item.protons * per_formula
        return found

    def amounts(self, conversion: Conversion) -> dict[str, float]:
        """g of each species (negative where consumed) per g of the conversion's reference."""
        return {name: text.evaluate(self.values) for name, text in conversion.amounts.items()}

    def exchange(self, conversion: Conversion) -> Exchange:
        """mol of O2, CO2, NH3, H2O, sulphate and g of minerals per g of the conversion's reference."""
        return close(self.amounts(conversion), self.compositions)

    def with_parameters(self, values: Mapping[str, Override]) -> Culture:
        """A culture with some parameters replaced; an unknown name, or values that close no balance, are refused."""
        changed = dict(self.parameters)
        for name, override in values.items():
            if name not in changed:
                raise InputError(
                    f"culture {self.name} has no parameter {name!r}", remedy=f"Use one of: {', '.join(changed)}."
                )
            number, status, source = override if isinstance(override, tuple) else (override, "assumed", "given")
            if not math.isfinite(number):
                raise InputError(f"parameter {name} is {number}", remedy="Give a finite number.")
            changed[name] = replace(changed[name], value=float(number), status=status, source=source)
        culture = replace(self, parameters=changed)
        faults = closure_faults(culture)
        if faults:
            raise InputError(f"culture {self.name}: {faults[0][1]}", remedy=faults[0][2])
        return culture

    def symbol(self, known_as: str) -> str | None:
        """The species that recipes know as `known_as`, if the culture has it."""
        return next((name for name, item in self.species.items() if item.known_as == known_as), None)


OXYGEN_SLACK: Final = 1e-9
"""mol of O2 per g that a conversion may free before it is refused; rounding of the compositions."""


def closure_faults(culture: Culture) -> list[tuple[tuple[str, ...], str, str]]:
    """What keeps the conversions from closing: (place in the file, fault, remedy) of each."""
    faults: list[tuple[tuple[str, ...], str, str]] = []
    for name in culture.species:
        try:
            formula = culture.formulas[name]
            assert set(formula) <= set(ELEMENTS)
            if min(formula.values(), default=0.0) < 0 or sum(formula.values()) <= 0:
                raise ArithmeticError("an amount of atoms is negative, or all are zero")
        except ArithmeticError as error:
            faults.append((("species", name), f"composition of {name}: {error}", "Give atoms that are not negative."))
    if faults:
        return faults
    for conversion in culture.conversions:
        place = ("conversions", conversion.name)
        try:
            exchange = culture.exchange(conversion)
        except ArithmeticError as error:
            faults.append((place, f"{conversion.name}: {error}", "Check the yields."))
            continue
        if exchange.O2 > OXYGEN_SLACK:
            faults.append(
                (
                    place,
                    f"{conversion.name} would free {exchange.O2 * 1000:.3g} mmol of O2 per g: more is made than the "
                    "electrons of what is consumed allow",
                    "Lower the yield.",
                )
            )
    return faults
