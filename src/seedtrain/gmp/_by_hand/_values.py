"""Values of a phase as payloads: entries against their limits, and calculated values with formula and inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from seedtrain.base import InputError, decimal_text
from seedtrain.gmp._batch._content import BatchRecord
from seedtrain.gmp._batch._lines import inside, plain
from seedtrain.gmp._lots._amounts import amount_in
from seedtrain.quantity import Quantity, Range, number_text, parse
from seedtrain.recipe import DISPENSED, Bands, Calculation, ManualEntry, MasterRecipe, read_formula

LONGEST_TEXT: Final = 1000
_EDGE_DIGITS: Final = 12


@dataclass(frozen=True)
class Input:
    """What a symbol of a formula stood for: `value`, a decimal as recorded, in `unit`, and where it stands."""

    value: str
    unit: str
    source: str

    def to_data(self) -> dict[str, object]:
        """As the record holds it."""
        return {"value": self.value, "unit": self.unit, "source": self.source}


def entry_payload(phase: str, tag: str, entry: ManualEntry, value: str, unit: str) -> dict[str, object]:
    """The payload of an entry; raises `InputError` for what the recipe does not take here."""
    text = value.strip()
    if entry.is_number:
        text = number(text, tag)
        if unit.strip() != entry.unit:
            given = f"in {unit.strip()!r}" if unit.strip() else "without a unit"
            raise InputError(
                f"{tag} is given {given}; the record states it in {entry.unit or 'no unit'}",
                remedy=f"Convert it, and enter it in {entry.unit or 'no unit'}.",
            )
        return {"phase": phase, "tag": tag, "value": text, "unit": entry.unit, **judged(text, entry.bands, entry.unit)}
    if unit.strip():
        raise InputError(f"{tag} is a word and has no unit", remedy="Leave the unit out.")
    if entry.choices and text not in entry.choices:
        raise InputError(f"{text!r} is no choice of {tag}", remedy=f"Enter one of: {', '.join(entry.choices)}.")
    if not text or len(text) > LONGEST_TEXT:
        raise InputError(f"{tag} has {len(text)} characters", remedy=f"Enter 1 to {LONGEST_TEXT}.")
    within = not entry.accept or text in entry.accept
    payload: dict[str, object] = {"phase": phase, "tag": tag, "value": text, "unit": "", "low": None, "high": None}
    return payload | {"within": within} | ({"accepted": list(entry.accept)} if entry.accept else {})


def number(text: str, tag: str) -> str:
    """A decimal number as it was written; raises `InputError` for anything else."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise InputError(
            f"{tag}: {text!r} is not a decimal number", remedy="Write digits and a decimal point: 7.42."
        ) from None
    if not found.is_finite() or abs(found.adjusted()) > 30:
        raise InputError(f"{tag}: {text} cannot be meant", remedy="Write digits and a decimal point: 7.42.")
    return format(found, "f")


def judged(value: str, bands: Bands, unit: str) -> dict[str, object]:
    """The limits of a number and whether it keeps them; `levels` where the recipe gives more than one kind."""
    low, high = edges(bands.binding, unit)
    payload: dict[str, object] = {"low": low, "high": high, "within": inside(value, low, high)}
    levels = {name: dict(zip(("low", "high"), edges(item, unit), strict=True)) for name, item in bands.given().items()}
    return payload | ({"levels": levels} if levels else {})


def edges(limits: Range | None, unit: str) -> tuple[str | None, str | None]:
    """Both ends of a range as decimal texts in `unit`; None for an open one."""
    return (None, None) if limits is None else (_edge(limits.low, unit), _edge(limits.high, unit))


def _edge(edge: Quantity | None, unit: str) -> str | None:
    return None if edge is None else decimal_text(edge.magnitude(unit), _EDGE_DIGITS)


class Figures:
    """The numbers of a batch that formulas read: those of the record, and over them those of a commit being made."""

    def __init__(self, record: BatchRecord, recipe: MasterRecipe) -> None:
        self._record = record
        self._recipe = recipe
        self._new: dict[str, Input] = {}

    def put(self, phase: str, tag: str, value: str, unit: str) -> None:
        """Take a value that is about to be recorded, or put right."""
        self._new[f"{phase}/{tag}"] = Input(value, unit, f"{phase}/{tag}")

    def read(self, phase: str, reference: str) -> Input | None:
        """What an input of a formula in `phase` stands for; None while it is missing."""
        head, _, material = reference.partition(" ")
        if head == DISPENSED and material:
            return self._dispensed(material.strip())
        path, _, tag = reference.rpartition("/")
        name = f"{path or phase}/{tag}"
        if name in self._new:
            return self._new[name]
        line = self._record.values_of(path or phase).get(tag)
        if line is not None:
            return Input(line.current, line.unit, name)
        return _constant(reference)

    def calculate(self, phase: str, tag: str, calculation: Calculation) -> dict[str, object] | None:
        """The payload of a calculated value, which later ones may read; None while an input is missing.

        Raises `InputError` where the formula has no value for these inputs: a division by zero.
        """
        formula = read_formula(calculation.formula)
        found = {name: self.read(phase, calculation.inputs.get(name, name)) for name in sorted(formula.names)}
        inputs = {name: item for name, item in found.items() if item is not None}
        if len(inputs) < len(found):
            return None
        try:
            value = formula.compute({name: Decimal(item.value) for name, item in inputs.items()}, calculation.places)
        except ArithmeticError as error:
            known = ", ".join(f"{name} = {item.value}" for name, item in inputs.items())
            raise InputError(
                f"{tag} of {phase} cannot be calculated: {calculation.formula} with {known}",
                remedy="Correct the entry that is wrong.",
            ) from error
        text = format(value, "f") if calculation.places is not None else plain(value)
        self.put(phase, tag, text, calculation.unit)
        return {
            "phase": phase,
            "tag": tag,
            "value": text,
            "unit": calculation.unit,
            **judged(text, calculation.bands, calculation.unit),
            "kind": "calculated",
            "formula": calculation.formula,
            "places": calculation.places,
            "inputs": {name: item.to_data() for name, item in inputs.items()},
        }

    def _dispensed(self, material: str) -> Input | None:
        """All that the batch took of a material, in the unit in which the recipe dispenses it first."""
        units = (place.phase.manual.dispense.get(material) for place in self._recipe.phases())
        unit = next((item.amount.unit for item in units if item is not None), "")
        amounts = [
            amount_in(item.amount, item.unit, unit) for item in self._record.consumed if item.material == material
        ]
        if not amounts:
            return None
        total = sum((item for item in amounts if item is not None), Decimal(0))
        return Input(plain(total), unit, f"{DISPENSED} {material}")


def is_of_amounts(calculation: Calculation) -> bool:
    """Whether it needs what was dispensed, which is whole only at the end of a phase."""
    return any(item.startswith(f"{DISPENSED} ") for item in calculation.inputs.values())


def pending(record: BatchRecord, recipe: MasterRecipe, phase: str) -> Iterator[tuple[str, Calculation]]:
    """The calculated values of a phase that the record lacks, in the order in which they can be computed."""
    known = record.values_of(phase)
    for tag, calculation in recipe.phase(phase).manual.calculations().items():
        if tag not in known:
            yield tag, calculation


def _constant(reference: str) -> Input | None:
    try:
        found = parse(reference)
    except InputError:
        return None
    return Input(plain(Decimal(number_text(found.value))), found.unit, "recipe")
