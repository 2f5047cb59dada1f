"""Cultures as data: species with compositions, parameters with sources, and specific rates as checked expressions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal

from seedtrain.base import Expression, InputError, digest
from seedtrain.simulation._elements import (
    ATOMIC_MASS,
    CO2_MASS,
    ELEMENTS,
    NH3_MASS,
    O2_MASS,
    Composition,
    Exchange,
    close,
    composition,
)

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
LOCAL_UNITS: Final = {
    "DO": "mmol/L",
    "DO_percent": "",
    "C_CO2": "mmol/L",
    "NH": "mmol/L",
    "I": "mmol/L",
    "T": "degC",
    "pH": "",
}
"""Units of `LOCALS`; `DO_percent` is the plain number 30 at 30 % of air saturation."""
RUN_NAMES: Final = frozenset(
    {"V", "DOT", "DOT_probe", "DCW", "DO_percent", "water", "minerals", "mu", "q_S", "q_P", "q_O2", "OUR", "OTR",
     "CER", "RQ", "F", "B", "H", "D", "kLa", "kLa_max", "N", "P_V", "gas", "O2_out", "CO2_out", "heat", "cooling",
     "cooling_capacity", "vvm", "O2_share"}
)  # fmt: skip
"""What every run has beside the species, whose symbols must not hide it."""
GASES: Final = {"O2": O2_MASS, "CO2": CO2_MASS, "NH3": NH3_MASS}
"""What `rates` may name beside species, with its molar mass, g/mol."""

Basis = Literal["biomass", "volume"]

Override = float | tuple[float, str, str]
"""A parameter's new value, or (value, status, source)."""


@dataclass(frozen=True)
class Parameter:
    """A number of a culture: `value` in `unit`, its plausible range, `status` sourced|fitted|derived|assumed.

    The unit is one that cultures compute in: what a file writes as 38 mg/L is 0.038 g/L here.
    """

    name: str
    value: float
    unit: str
    low: float
    high: float
    status: str
    source: str


@dataclass(frozen=True)
class Species:
    """What a culture takes up, forms or consists of, in `unit`: g/L, mmol/L, or a count per volume (1e9 cells/L).

    - `known_as`: its word in recipes (`glucose`, `biomass`).
    - `formula`: atoms by element, each an expression of parameters; empty where nothing is closed. `ash`: g of minerals
      per g.
    - `protons`: mol of H+ that one mol of the formula gives off at the culture's pH (an acid that base neutralises).
    - `intracellular`: counts as dry cell weight and leaves with the cells.
    - `lipopolysaccharide`: g per g of it; only Gram-negative cells have any.
    - `mass`: g of one unit of amount (a cell), where neither mass nor amount of substance is counted.
    - `weightless`: counts, but belongs to no balance: an activity, a copy number.
    - `intensive`: its unit is not per volume, so that a feed does not dilute it: a state of the cells.
    """

    name: str
    known_as: str
    words: str
    formula: Mapping[str, Expression]
    ash: float = 0.0
    protons: float = 0.0
    intracellular: bool = False
    unit: str = "g/L"
    mass: float = 0.0
    weightless: bool = False
    intensive: bool = False
    lipopolysaccharide: float = 0.0


@dataclass(frozen=True)
class Conversion:
    """One lumped reaction: `rate` in some unit of its own per unit of the culture's basis and hour.

    `amounts` are in each species' own unit of amount (g, mmol, cells) per unit of the rate: with a rate in g of glucose
    per g of biomass and hour, g of each species per g of glucose. O2, CO2, NH3, H2O, sulphate and minerals are never
    written down: they follow from the compositions.
    """

    name: str
    words: str
    rate: Expression
    amounts: Mapping[str, Expression]  # negative sign of what is consumed is part of the expression


@dataclass(frozen=True)
class Culture:
    """What cells or enzymes do, as data: see docs/reference/culture.md.

    - `status`: verified, unverified or reproduction; `design`: whether it may be used to predict.
    - `basis`: rates are per unit of `biomass` (g, or cells) and hour, or per L of broth (`volume`) and hour.
    - `biomass`: the species that specific rates refer to; "" where there is none.
    - `expressions`: named intermediates in the order of evaluation.
    - `conversions`: closed lumped reactions, or `rates`: net rates as published, which close nothing: each species in
      its own unit of amount, and `O2`, `CO2`, `NH3` in mmol (negative where taken up).
    - `units`: of every symbol that expressions read, and of every expression as it follows from them.
    - `trained`: of an expression that was learned from data, the range of each thing that it reads: (low, high).
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
    basis: Basis = "biomass"
    units: Mapping[str, str] = field(default_factory=dict, repr=False)
    trained: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)

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
    def masses(self) -> dict[str, float]:
        """g of one unit of amount of each species: 1 for g/L, the molar mass over 1000 for mmol/L, 0 if weightless."""
        return {name: self._mass(name, item) for name, item in self.species.items()}

    def _mass(self, name: str, item: Species) -> float:
        if item.weightless or item.intensive:
            return 0.0
        if item.unit == "g/L":
            return 1.0
        formula = self.formulas[name]
        if item.mass or not formula:
            return item.mass
        molar = sum(ATOMIC_MASS[element] * count for element, count in formula.items())
        return molar / 1000 / (1 - item.ash)

    @cached_property
    def compositions(self) -> dict[str, Composition]:
        """mol of C, H, O, N, S and g of ash per g of each species (per mmol, per cell), with the present parameters."""
        found = {}
        for name, item in self.species.items():
            formula, mass = self.formulas[name], self.masses[name]
            per_gram = composition(formula, item.ash) if formula else Composition(dict.fromkeys(ELEMENTS, 0.0))
            elements = {element: amount * mass for element, amount in per_gram.elements.items()}
            found[name] = Composition(elements, per_gram.ash * mass)
        return found

    @cached_property
    def acidity(self) -> dict[str, float]:
        """mol of H+ that a gram (a mmol) of each species gives off."""
        found = {}
        for name, item in self.species.items():
            per_formula = self.compositions[name].elements["C"] / self.formulas[name]["C"] if item.protons else 0.0
            found[name] = item.protons * per_formula
        return found

    def amounts(self, conversion: Conversion) -> dict[str, float]:
        """g (mmol, cells) of each species, negative where consumed, per unit of the conversion's rate."""
        return {name: text.evaluate(self.values) for name, text in conversion.amounts.items()}

    def exchange(self, conversion: Conversion) -> Exchange:
        """mol of O2, CO2, NH3, H2O, sulphate and g of minerals per unit of the conversion's rate."""
        return close(self.amounts(conversion), self.compositions)

    def with_parameters(self, values: Mapping[str, Override]) -> Culture:
        """A culture with some parameters replaced, each in its parameter's unit.

        An unknown name, or values that close no balance, are an `InputError`.
        """
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

    def to_data(self) -> dict[str, Any]:
        """All of it as JSON-ready data."""
        return {
            "name": self.name,
            "title": self.title,
            "status": self.status,
            "design": self.design,
            "source": self.source,
            "basis": self.basis,
            "biomass": self.biomass,
            "digest": self.digest,
            "species": {name: {"unit": item.unit, "words": item.words} for name, item in self.species.items()},
            "parameters": [asdict(item) for item in self.parameters.values()],
            "expressions": {
                name: {"text": text.text, "unit": self.units.get(name, "")} for name, text in self.expressions.items()
            },
            "conversions": [
                {"name": item.name, "words": item.words, "rate": item.rate.text, "amounts": self.amounts(item)}
                for item in self.conversions
            ],
            "rates": {name: text.text for name, text in self.rates.items()},
            "outputs": dict(self.outputs),
            "trained": {name: {symbol: list(ends) for symbol, ends in item.items()}
                        for name, item in self.trained.items()},
        }  # fmt: skip

    def symbol(self, known_as: str) -> str | None:
        """The species that recipes know as `known_as`, if the culture has it."""
        return next((name for name, item in self.species.items() if item.known_as == known_as), None)


OXYGEN_SLACK: Final = 1e-9
"""mol of O2 per unit of rate that a conversion may free before it is refused; rounding of the compositions."""


def closure_faults(culture: Culture) -> list[tuple[tuple[str, ...], str, str]]:
    """What keeps the conversions from closing: (place in the file, fault, remedy) of each."""
    faults: list[tuple[tuple[str, ...], str, str]] = []
    for name in culture.species:
        try:
            formula = culture.formulas[name]
            assert set(formula) <= set(ELEMENTS)
            if formula and (min(formula.values()) < 0 or sum(formula.values()) <= 0):
                raise ArithmeticError("an amount of atoms is negative, or all are zero")
        except ArithmeticError as error:
            faults.append((("species", name), f"composition of {name}: {error}", "Give atoms that are not negative."))
    if faults:
        return faults
    for conversion in culture.conversions:
        place = ("conversions", conversion.name)
        try:
            exchange = culture.exchange(conversion)
            amounts = culture.amounts(conversion)
        except ArithmeticError as error:
            faults.append((place, f"{conversion.name}: {error}", "Check the yields."))
            continue
        # A peroxide holds oxygen that it may set free; nothing else that is consumed does.
        oxidant = any(amount < 0 and culture.compositions[name].reduction < 0 for name, amount in amounts.items())
        if exchange.O2 > OXYGEN_SLACK and not oxidant:
            faults.append(
                (
                    place,
                    f"{conversion.name} would free {exchange.O2 * 1000:.3g} mmol of O2 per unit of its rate: more is "
                    "made than the electrons of what is consumed allow",
                    "Lower the yield.",
                )
            )
    return faults
