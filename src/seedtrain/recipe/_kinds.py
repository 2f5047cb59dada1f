"""What a phase kind and its parameters are, and the checks that follow from the catalogue."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from seedtrain.quantity import Quantity, QuantityError, Range, parse

Scaling = Literal["intensive", "extensive"]
WORD: Final = "word"
MATERIAL: Final = "material"
CHOICE: Final = "choice"


@dataclass(frozen=True)
class ParameterKind:
    """One parameter that a phase kind takes.

    - `unit`: an example unit, which gives the dimension; `material` for a material that the recipe prepares, `word`
      for a material taken from the store as it is (resin, filter, container, cell bank); `choice` for one of `choices`.
    - `scaling`: an extensive parameter is an amount and grows with the volume; an intensive one stays.
    - `lowest`, `highest`: in `unit`, what can be meant at all (a typing error lies outside); `above`: `lowest` itself
      is refused too.
    """

    name: str
    unit: str
    words: str
    required: bool = False
    scaling: Scaling = "intensive"
    lowest: float = 0.0
    highest: float = 1.0
    above: bool = False
    choices: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether the value is a quantity and not a name."""
        return self.unit not in (WORD, MATERIAL, CHOICE)

    @property
    def is_material(self) -> bool:
        """Whether the value names a material, prepared or from the store."""
        return self.unit in (WORD, MATERIAL)

    def fault(self, value: Quantity) -> tuple[str, str] | None:
        """What is wrong with the size of `value` (of the right dimension) and the remedy, or None."""
        number = value.magnitude(self.unit)
        low, high = Quantity(self.lowest, self.unit), Quantity(self.highest, self.unit)
        # A conversion may leave the last bits wrong: 8000 mL is not above 8 L.
        slack = 1e-9 * max(abs(self.lowest), abs(self.highest))
        if self.above and number <= self.lowest:
            return f"{value} is not above {low}", f"Give a value above {low} and up to {high}."
        if number < self.lowest - slack:
            return f"{value} is below {low}, the lowest that can be meant", f"Give a value from {low} to {high}."
        if number > self.highest + slack:
            return f"{value} is above {high}, the highest that can be meant", f"Give a value from {low} to {high}."
        return None


@dataclass(frozen=True)
class PhaseKind:
    """One `do` of the catalogue.

    - `monitored`: what its equipment reports beside the parameters, by name with an example unit; `limits` may bind it.
    - `one_of`: groups of parameters of which exactly one is given; `any_of`: at least one; `together`: all or none.
    - `end`: `timed` phases state `duration`; `open` ones state `until` or `duration`; `paced` ones state `duration`
      and no `until`; the others end by their amount.
    """

    name: str
    words: str
    parameters: Mapping[str, ParameterKind]
    monitored: Mapping[str, str] = field(default_factory=dict)
    one_of: tuple[tuple[str, ...], ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    end: Literal["amount", "timed", "open", "paced"] = "amount"

    def limited(self) -> dict[str, str]:
        """What `limits` and the control strategy may name, each with its example unit."""
        numbers = {name: item.unit for name, item in self.parameters.items() if item.is_number}
        return {**numbers, **self.monitored}


CONDITION_UNITS: Final[Mapping[str, str]] = {
    "elapsed": "h",
    "biomass": "g/L",
    "glucose": "g/L",
    "acetate": "g/L",
    "product": "g/L",
    "glycerol": "g/L",
    "methanol": "g/L",
    "ethanol": "g/L",
    "sucrose": "g/L",
    "lactate": "g/L",
    "glutamine": "g/L",
    "volume": "L",
    "dissolved_oxygen": "%",
    "oxygen_uptake_rate": "mmol/L/h",
    "carbon_dioxide_evolution_rate": "mmol/L/h",
    "temperature": "degC",
    "pH": "",
    "pressure": "bar",
    "conductivity": "mS/cm",
}
"""What `until` may compare, with an example unit; `elapsed` counts from the start of the phase."""

SAMPLE_UNITS: Final[Mapping[str, str]] = {
    "biomass": "g/L",
    "glucose": "g/L",
    "acetate": "g/L",
    "product": "g/L",
    "concentration": "g/L",
    "cell_loss": "%",
    "release": "%",
    "step_yield": "%",
    "purity": "%",
    "residual_moisture": "%",
    "turbidity": "NTU",
    "conductivity": "mS/cm",
    "endotoxin": "EU/mg",
    "host_protein": "ng/mg",
    "dna": "ng/mg",
    "detergent": "ug/mg",
    "iptg": "ug/mg",
    "bioburden": "CFU/mL",
    "bubble_point": "bar",
    "pH": "",
}
"""In-process attributes whose dimension is known; a recipe may name others."""


NEAREST: Final = 5
"""How many of many names an error shows."""


def closest(wrong: str, allowed: Iterable[str]) -> list[str]:
    """`allowed` with what is most like `wrong` first."""
    names = list(dict.fromkeys(allowed))
    plain = {name: name.lower().replace("-", "_") for name in names}
    found = difflib.get_close_matches(wrong.lower().replace("-", "_"), plain.values(), n=3, cutoff=0.6)
    near = [name for word in dict.fromkeys(found) for name in names if plain[name] == word]
    return [*near, *(name for name in names if name not in near)]


def choose(wrong: str, allowed: Iterable[str]) -> str:
    """The remedy for an unknown name: what is allowed, the closest first."""
    names = closest(wrong, allowed)
    if not names:
        return "Remove it."
    if len(names) == 1:
        return f"Use {names[0]}."
    return f"Use one of: {', '.join(names)}."


def read_number(text: str, unit: str) -> Quantity:
    """`text` as a quantity of the dimension of `unit`; raises `QuantityError`."""
    value = parse(text, like=unit)
    if value.value != value.value or abs(value.value) == float("inf"):
        raise QuantityError(f"{text!r} is not a finite number", remedy=f"Give a number in {unit or 'no unit'}.")
    return value


def outside(value: Quantity, limits: Range) -> bool:
    """Whether `value` lies outside `limits`, with the last bits of a conversion forgiven."""
    if limits.contains(value):
        return False
    edges = [edge for edge in (limits.low, limits.high) if edge is not None]
    return all(abs(value.magnitude(edge.unit) - edge.value) > 1e-9 * max(abs(edge.value), 1.0) for edge in edges)
