"""What people do in a phase, as frozen data: entries, calculated values, dispensing, yields, reconciliation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from seedtrain.quantity import Quantity, Range, number_text

BANDS: Final = ("alert", "action", "proven", "specification")
DISPENSED: Final = "dispensed"
THEORETICAL: Final = "theoretical"
RESERVED: Final = (DISPENSED, THEORETICAL)
"""Symbols that a yield and a reconciliation bring into their formulas themselves."""


@dataclass(frozen=True)
class Bands:
    """The limits of one value, which are four things: `alert` warns, at `action` somebody acts, `proven` is the range
    in which the process is proven to give the product, `specification` the limit of the material's attribute.

    Each lies within the next.
    """

    alert: Range | None = None
    action: Range | None = None
    proven: Range | None = None
    specification: Range | None = None

    def given(self) -> dict[str, Range]:
        """Those that the recipe gives, by name, the narrowest first."""
        found = {name: getattr(self, name) for name in BANDS}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def binding(self) -> Range | None:
        """The one whose crossing is an excursion: the narrowest beyond the alert."""
        return self.action or self.proven or self.specification

    def to_data(self) -> dict[str, str]:
        """As the recipe's file writes them."""
        return {name: str(value) for name, value in self.given().items()}


@dataclass(frozen=True)
class ManualEntry:
    """A value that a person enters: a number in `unit`, one of `choices`, or, with neither number nor choice, a text.

    - `accept`: the choices that are in order; any where it is empty. `instrument`: a class of equipment.
    """

    unit: str = ""
    text: bool = False
    choices: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    bands: Bands = field(default_factory=Bands)
    instrument: str = ""
    instruction: str = ""

    @property
    def is_number(self) -> bool:
        """Whether a number is entered."""
        return not self.choices and not self.text

    def to_data(self) -> dict[str, object]:
        """As the recipe's file writes it."""
        data: dict[str, object] = {}
        if self.is_number:
            data["unit"] = self.unit
        if self.text:
            data["text"] = "true"
        for name in ("choices", "accept"):
            if getattr(self, name):
                data[name] = list(getattr(self, name))
        data |= self.bands.to_data()
        for name in ("instrument", "instruction"):
            if getattr(self, name):
                data[name] = getattr(self, name)
        return data


@dataclass(frozen=True)
class Calculation:
    """A value computed from others by `formula`, in `unit`, rounded to `places`.

    - `inputs`: what a symbol stands for: a tag of this phase, `unit procedure/operation/phase/tag`, `dispensed
      <material>` (all that the batch took of it), or a constant with its unit. Other symbols are tags of this phase.
    """

    formula: str
    unit: str
    places: int | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    bands: Bands = field(default_factory=Bands)

    def to_data(self) -> dict[str, object]:
        """As the recipe's file writes it."""
        return {"formula": self.formula, "unit": self.unit} | _rest(self.places, self.inputs, self.bands)


@dataclass(frozen=True)
class Dispensing:
    """An amount of a material to be weighed or measured, with its tolerance in percent (21 CFR 211.101)."""

    amount: Quantity
    tolerance_percent: str

    def to_data(self) -> dict[str, object]:
        """As the recipe's file writes it."""
        return {"amount": str(self.amount), "tolerance": f"{self.tolerance_percent} %"}


@dataclass(frozen=True)
class TheoreticalYield:
    """Actual over theoretical yield, in percent (21 CFR 211.103); both in `unit`, `actual` a formula."""

    actual: str
    unit: str
    theoretical: Quantity
    places: int | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    bands: Bands = field(default_factory=Bands)

    def calculation(self) -> Calculation:
        """What is computed."""
        theoretical = f"{number_text(self.theoretical.magnitude(self.unit))} {self.unit}".strip()
        inputs = {**self.inputs, THEORETICAL: theoretical}
        return Calculation(f"100 * ({self.actual}) / {THEORETICAL}", "%", self.places, inputs, self.bands)

    def to_data(self) -> dict[str, object]:
        """As the recipe's file writes it."""
        head: dict[str, object] = {"actual": self.actual, "unit": self.unit, "theoretical": str(self.theoretical)}
        return head | _rest(self.places, self.inputs, self.bands)


@dataclass(frozen=True)
class Reconciliation:
    """What of a dispensed material is accounted for, in percent of what was dispensed, both in `unit`."""

    accounted: str
    unit: str
    places: int | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    bands: Bands = field(default_factory=Bands)

    def calculation(self, material: str) -> Calculation:
        """What is computed for `material`."""
        inputs = {**self.inputs, DISPENSED: f"{DISPENSED} {material}"}
        return Calculation(f"100 * ({self.accounted}) / {DISPENSED}", "%", self.places, inputs, self.bands)

    def to_data(self) -> dict[str, object]:
        """As the recipe's file writes it."""
        return {"accounted": self.accounted, "unit": self.unit} | _rest(self.places, self.inputs, self.bands)


@dataclass(frozen=True)
class Manual:
    """All that a phase asks of people; empty where it asks nothing.

    - `course`: training that whoever acts in it must hold. `equipment`: classes of equipment that it needs beside its
      unit. `clear`: the line that must be cleared before it.
    - By tag: `entries`, `calculate`, `yields`; by material: `dispense`, `reconcile`.
    """

    course: str = ""
    equipment: tuple[str, ...] = ()
    clear: str = ""
    dispense: Mapping[str, Dispensing] = field(default_factory=dict)
    entries: Mapping[str, ManualEntry] = field(default_factory=dict)
    calculate: Mapping[str, Calculation] = field(default_factory=dict)
    yields: Mapping[str, TheoreticalYield] = field(default_factory=dict)
    reconcile: Mapping[str, Reconciliation] = field(default_factory=dict)

    def calculations(self) -> dict[str, Calculation]:
        """Every value that the phase computes, by tag, in an order in which each has its inputs."""
        found = dict(self.calculate)
        found |= {name: item.calculation() for name, item in self.yields.items()}
        found |= {reconciled(name): item.calculation(name) for name, item in self.reconcile.items()}
        return found

    def to_data(self) -> dict[str, object]:
        """What is not empty, as the recipe's file writes it."""
        data: dict[str, object] = {}
        if self.course:
            data["course"] = self.course
        if self.equipment:
            data["equipment"] = list(self.equipment)
        if self.clear:
            data["clear"] = self.clear
        for key in ("dispense", "entries", "calculate", "yields", "reconcile"):
            if getattr(self, key):
                data[key] = {name: item.to_data() for name, item in getattr(self, key).items()}
        return data


def reconciled(material: str) -> str:
    """The tag under which the reconciliation of a material is recorded."""
    return f"reconciled-{material}"


def _rest(places: int | None, inputs: Mapping[str, str], bands: Bands) -> dict[str, object]:
    data: dict[str, object] = {}
    if places is not None:
        data["places"] = str(places)
    if inputs:
        data["inputs"] = dict(inputs)
    return data | bands.to_data()
