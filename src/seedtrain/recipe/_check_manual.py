"""What a phase asks of people, read and checked: units, limits within one another, formulas over what is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from seedtrain.base import Location, is_symbol
from seedtrain.quantity import Quantity, QuantityError, Range, parse, parse_range, read_unit, same_dimension
from seedtrain.recipe._faults import Faults
from seedtrain.recipe._formula import FormulaUnitError, read_formula
from seedtrain.recipe._kinds import choose, closest
from seedtrain.recipe._manual import (
    BANDS,
    DISPENSED,
    RESERVED,
    Bands,
    Calculation,
    Dispensing,
    Manual,
    ManualEntry,
    Reconciliation,
    TheoreticalYield,
    reconciled,
)

_Raw = Mapping[str, Any]


@dataclass
class ManualReader:
    """Reads the manual part of one phase after another; what earlier ones record can be an input of later ones.

    - `units`: of every number that can be an input, by "unit procedure/operation/phase/tag".
    - `dispensed`: the unit in which a material was dispensed first.
    """

    faults: Faults
    units: dict[str, str] = field(default_factory=dict)
    dispensed: dict[str, str] = field(default_factory=dict)

    def read(self, path: str, location: Location, data: _Raw) -> Manual:
        """What the phase at `path` asks of people; every fault is noted."""
        measured = frozenset(name for key in ("limits", "sample") for name in _texts(data.get(key)))
        phase = _Phase(self, path, location, measured)
        course, clear = data.get("course"), data.get("clear")
        return Manual(
            course=course.strip() if isinstance(course, str) else "",
            equipment=_words(data.get("equipment")),
            clear=clear if isinstance(clear, str) else "",
            dispense=dict(phase.dispensings(data)),
            entries=dict(phase.manual_entries(data)),
            calculate=dict(phase.calculated(data)),
            yields=dict(phase.yields(data)),
            reconcile=dict(phase.reconciliations(data)),
        )


@dataclass
class _Phase:
    reader: ManualReader
    path: str
    location: Location
    measured: frozenset[str] = frozenset()  # what `limits` and `sample` name
    tags: dict[str, str] = field(default_factory=dict)  # unit by tag of this phase; "" too for what is no number
    numbers: set[str] = field(default_factory=set)

    def add(self, steps: tuple[str, ...], message: str, remedy: str, *, at_key: bool = False) -> None:
        self.reader.faults.add((*self.location, *steps), message, remedy, at_key=at_key)

    def new_tag(self, key: str, tag: str, unit: str, *, number: bool = True) -> None:
        if tag in self.tags or tag in self.measured:
            self.add((key, tag), f"the tag {tag!r} stands in this phase already", "Give each its name.", at_key=True)
        self.tags[tag] = unit
        if number:
            self.numbers.add(tag)
            self.reader.units[f"{self.path}/{tag}"] = unit

    def unit(self, steps: tuple[str, ...], text: Any) -> str | None:
        try:
            return read_unit(text if isinstance(text, str) else "").spelling
        except QuantityError as error:
            self.add((*steps, "unit"), error.message, error.remedy)
            return None

    def quantity(self, steps: tuple[str, ...], text: Any, like: str | None) -> Quantity | None:
        if not isinstance(text, str):
            return None  # the model has noted it
        try:
            found = parse(text, like=like)
        except QuantityError as error:
            self.add(steps, error.message, error.remedy)
            return None
        if found.value <= 0:
            self.add(steps, f"{found} is not above 0", "Give an amount.")
            return None
        return found

    def bands(self, steps: tuple[str, ...], data: _Raw, unit: str) -> Bands:
        found: dict[str, Range] = {}
        for name in BANDS:
            text = data.get(name)
            if not isinstance(text, str):
                continue
            try:
                found[name] = parse_range(text, like=unit)
            except QuantityError as error:
                self.add((*steps, name), error.message, error.remedy)
        inner = ""
        for name in found:
            if inner and not _within(found[inner], found[name], unit):
                words = f"the {inner} limits {found[inner]} do not lie within the {name} limits {found[name]}"
                self.add((*steps, name), words, "Widen these, or narrow the others.")
            inner = name
        return Bands(**found)

    def dispensings(self, data: _Raw) -> Iterator[tuple[str, Dispensing]]:
        for material, item in _mappings(data, "dispense"):
            steps = ("dispense", material)
            amount = self.quantity((*steps, "amount"), item.get("amount"), None)
            tolerance = self.quantity((*steps, "tolerance"), item.get("tolerance"), "%")
            if amount is None or tolerance is None:
                continue
            known = self.reader.dispensed.setdefault(material, amount.unit)
            if not same_dimension(known, amount.unit):
                self.add((*steps, "amount"), f"{material} was dispensed in {known} before", f"Give it in {known}.")
            percent = Decimal(repr(tolerance.magnitude("%")))
            yield material, Dispensing(amount, format(percent.normalize(), "f"))

    def manual_entries(self, data: _Raw) -> Iterator[tuple[str, ManualEntry]]:
        for tag, item in _mappings(data, "entries"):
            steps = ("entries", tag)
            unit = self.unit(steps, item.get("unit"))
            choices, accept = _words(item.get("choices")), _words(item.get("accept"))
            text = item.get("text") == "true"
            number = not choices and not text
            self._kind(steps, item, choices, accept, text)
            self.new_tag("entries", tag, unit or "", number=number)
            bands = self.bands(steps, item, unit) if number and unit is not None else Bands()
            yield (
                tag,
                ManualEntry(
                    unit=unit or "",
                    text=text,
                    choices=choices,
                    accept=accept,
                    bands=bands,
                    instrument=str(item.get("instrument") or ""),
                    instruction=str(item.get("instruction") or "").strip(),
                ),
            )

    def _kind(
        self, steps: tuple[str, ...], item: _Raw, choices: tuple[str, ...], accept: tuple[str, ...], text: bool
    ) -> None:
        """Note what does not go together: a number has a unit and limits, a choice has words, a text has neither."""
        if choices and text:
            self.add((*steps, "text"), "a choice is no free text", "Remove one of the two.", at_key=True)
        for name in ("unit", *BANDS):
            if (choices or text) and name in item:
                self.add((*steps, name), "only a number has a unit and limits", "Remove it.", at_key=True)
        for word in accept:
            if word not in choices:
                self.add((*steps, "accept"), f"{word!r} is none of the choices", choose(word, choices))

    def calculated(self, data: _Raw) -> Iterator[tuple[str, Calculation]]:
        for tag, item in _mappings(data, "calculate"):
            steps = ("calculate", tag)
            unit = self.unit(steps, item.get("unit"))
            inputs = _texts(item.get("inputs"))
            formula = self.formula((*steps, "formula"), item.get("formula"), inputs, unit)
            self.new_tag("calculate", tag, unit or "")
            bands = self.bands(steps, item, unit) if unit is not None else Bands()
            yield tag, Calculation(formula, unit or "", _places(item), inputs, bands)

    def yields(self, data: _Raw) -> Iterator[tuple[str, TheoreticalYield]]:
        for tag, item in _mappings(data, "yields"):
            steps = ("yields", tag)
            unit = self.unit(steps, item.get("unit"))
            theoretical = self.quantity((*steps, "theoretical"), item.get("theoretical"), unit or "")
            inputs = _texts(item.get("inputs"))
            self._reserved(steps, inputs)
            actual = self.formula((*steps, "actual"), item.get("actual"), inputs, unit)
            self.new_tag("yields", tag, "%")
            bands = self.bands(steps, item, "%")
            if theoretical is not None:
                yield tag, TheoreticalYield(actual, unit or "", theoretical, _places(item), inputs, bands)

    def reconciliations(self, data: _Raw) -> Iterator[tuple[str, Reconciliation]]:
        for material, item in _mappings(data, "reconcile"):
            steps = ("reconcile", material)
            unit = self.unit(steps, item.get("unit"))
            known = self.reader.dispensed.get(material)
            if known is None:
                near = closest(material, self.reader.dispensed)
                remedy = f"Dispense it first, or name: {', '.join(near)}." if near else "Dispense it first."
                self.add(steps, f"nothing of {material!r} is dispensed up to here", remedy, at_key=True)
            elif unit is not None and known != unit:
                self.add((*steps, "unit"), f"{material} is dispensed in {known}", f"Account for it in {known}.")
            inputs = _texts(item.get("inputs"))
            self._reserved(steps, inputs)
            accounted = self.formula((*steps, "accounted"), item.get("accounted"), inputs, unit)
            self.new_tag("reconcile", reconciled(material), "%")
            bands = self.bands(steps, item, "%")
            yield material, Reconciliation(accounted, unit or "", _places(item), inputs, bands)

    def _reserved(self, steps: tuple[str, ...], inputs: Mapping[str, str]) -> None:
        for name in RESERVED:
            if name in inputs:
                self.add((*steps, "inputs", name), f"{name!r} means something here", "Rename it.", at_key=True)

    def formula(self, steps: tuple[str, ...], text: Any, inputs: Mapping[str, str], unit: str | None) -> str:
        """The formula's text; every symbol must be known here, and the units must fit."""
        if not isinstance(text, str):
            return ""  # the model has noted it
        try:
            found = read_formula(text)
        except ValueError as error:
            self._note(steps, error)
            return text.strip()
        units: dict[str, str] = {}
        for name in sorted(found.names | inputs.keys()):
            known = self._input((*steps[:-1], "inputs", name) if name in inputs else steps, name, inputs.get(name))
            if known is not None:
                units[name] = known
            if name not in found.names:
                place = (*steps[:-1], "inputs", name)
                self.add(place, f"the formula does not read {name!r}", "Remove it.", at_key=True)
        if unit is not None and found.names <= units.keys():
            try:
                found.check_units(units, unit)
            except FormulaUnitError as error:
                self._note(steps, error)
        return found.text

    def _note(self, steps: tuple[str, ...], error: ValueError) -> None:
        words, _, remedy = str(error).partition(" | ")
        self.add(steps, words, remedy)

    def _input(self, steps: tuple[str, ...], name: str, reference: str | None) -> str | None:
        """The unit of what a symbol stands for; None with the fault noted."""
        known = self.reader.units
        if not is_symbol(name):
            self.add(steps, f"{name!r} is no symbol", "Write letters, digits and '_', and not a digit first.")
            return None
        wanted = (reference or name).strip()
        if wanted in self.numbers:
            return self.tags[wanted]
        if wanted in known and not wanted.startswith(f"{self.path}/"):
            return known[wanted]
        if reference is not None:
            head, _, material = wanted.partition(" ")
            if head == DISPENSED and material.strip() in self.reader.dispensed:
                return self.reader.dispensed[material.strip()]
            try:
                return parse(wanted).unit
            except QuantityError:
                pass
        near = closest(wanted, (*self.numbers, *known))[:5]
        here = f"Use one of: {', '.join(near)}." if near else "Enter it in this phase."
        self.add(steps, f"nothing before this is called {wanted!r}", here)
        return None


def _within(inner: Range, outer: Range, unit: str) -> bool:
    low, high = inner.bounds(unit)
    outer_low, outer_high = outer.bounds(unit)
    return outer_low <= low and high <= outer_high


def _mappings(data: _Raw, key: str) -> Iterator[tuple[str, _Raw]]:
    found = data.get(key)
    if isinstance(found, dict):
        yield from ((name, item) for name, item in found.items() if isinstance(item, dict))


def _words(data: Any) -> tuple[str, ...]:
    return tuple(item.strip() for item in data if isinstance(item, str)) if isinstance(data, list) else ()


def _texts(data: Any) -> dict[str, str]:
    found = data.items() if isinstance(data, dict) else ()
    return {name: text.strip() for name, text in found if isinstance(text, str)}


def _places(item: _Raw) -> int | None:
    text = item.get("places")
    return int(text) if isinstance(text, str) and text.isdigit() else None
