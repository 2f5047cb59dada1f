"""A company's need: criteria with operator, value, unit, weight and priority."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from seedtrain.base import Document, InputError, SeedtrainError, collect, load
from seedtrain.quality import ORIGINS
from seedtrain.quantity import Measure, Quantity, QuantityError, parse


@dataclass(frozen=True)
class Attribute:
    """What a need can ask for: its unit (none for a word), the operators that make sense, and what it means."""

    name: str
    unit: str | None
    operators: tuple[str, ...]
    words: str


ATTRIBUTES: Final = {
    item.name: item
    for item in (
        Attribute("titre", "g/L", (">=",), "product in the broth at harvest, production scale"),
        Attribute("purity", "%", (">=",), "product over all protein and DNA in the filled product"),
        Attribute("endotoxin", "EU/mg", ("<=",), "endotoxin per product in the filled product"),
        Attribute("host_protein", "ng/mg", ("<=",), "host-cell protein per product in the filled product"),
        Attribute("dna", "ng/mg", ("<=",), "host DNA per product in the filled product"),
        Attribute("cost", "USD/kg", ("<=",), "cost of goods per mass of filled product"),
        Attribute("carbon", "kg CO2e/kg", ("<=",), "greenhouse gases, cradle to gate, per mass of filled product"),
        Attribute("amount", "kg/year", (">=",), "filled product a year from the plant's vessel"),
        Attribute("animal_origin", None, ("excludes",), "origin of everything in any lot's genealogy"),
    )
}


def _one_of(allowed: tuple[str, ...], what: str) -> Any:
    def check(text: object) -> object:
        if text not in allowed:
            near = difflib.get_close_matches(str(text), allowed, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise ValueError(f"{text!r} is not a known {what} | {hint}Use one of: {', '.join(allowed)}.")
        return text

    return BeforeValidator(check)


def _weight(text: object) -> object:
    try:
        value = float(str(text))
    except ValueError:
        raise ValueError(f"{text!r} is not a number | Give a weight from 0 to 10.") from None
    if not 0 <= value <= 10:
        raise ValueError(f"the weight {text} is outside 0 .. 10 | Give a weight from 0 to 10.")
    return value


class CriterionEntry(BaseModel):
    """One criterion of `need.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attribute: Annotated[str, _one_of(tuple(ATTRIBUTES), "attribute")]
    operator: str
    value: str
    weight: Annotated[float, BeforeValidator(_weight)] = 1.0
    priority: Annotated[Literal["must", "want"], _one_of(("must", "want"), "priority")] = "must"
    why: str = ""

    @property
    def quantity(self) -> Quantity:
        """The limit; only for an attribute with a unit."""
        return parse(self.value, like=ATTRIBUTES[self.attribute].unit)

    @property
    def limit(self) -> float:
        """The limit in the attribute's own unit."""
        unit = ATTRIBUTES[self.attribute].unit
        assert unit is not None
        return self.quantity.magnitude(unit)

    @property
    def words(self) -> str:
        """The criterion in one line, for instance "titre >= 4 g/L"."""
        return f"{self.attribute} {self.operator} {self.value}"


class NeedEntry(BaseModel):
    """The whole of `need.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    need: str = Field(min_length=1)
    title: str
    company: str = ""
    product: str
    host: Annotated[str, _one_of(("e_coli",), "host")] = "e_coli"
    amount: Annotated[Quantity, Measure("kg/year")]
    criteria: list[CriterionEntry] = Field(min_length=1)

    @model_validator(mode="after")
    def _positive(self) -> NeedEntry:
        if self.amount.value <= 0:
            raise ValueError(f"the amount {self.amount} is not positive | Give the amount that a year needs.")
        return self


@dataclass(frozen=True)
class Need:
    """A need as read from a file, with the file for positions."""

    entry: NeedEntry
    document: Document

    @property
    def criteria(self) -> tuple[CriterionEntry, ...]:
        """The criteria in the file's order."""
        return tuple(self.entry.criteria)


def read_need(path: Path) -> Need:
    """Read `need.yaml`; raises `InputErrors` with every fault and its place."""
    entry, document = load(path, NeedEntry, what="need")
    errors: list[SeedtrainError] = []
    seen: set[tuple[str, str]] = set()
    for index, criterion in enumerate(entry.criteria):
        error = _check(criterion, document, index)
        if error:
            errors.append(error)
        if (criterion.attribute, criterion.operator) in seen:
            errors.append(
                document.error(
                    ("criteria", index, "attribute"),
                    f"{criterion.attribute!r} stands twice",
                    remedy="Keep one of them.",
                )
            )
        seen.add((criterion.attribute, criterion.operator))
    collect(errors)
    return Need(entry, document)


def _check(criterion: CriterionEntry, document: Document, index: int) -> InputError | None:
    attribute = ATTRIBUTES[criterion.attribute]
    place = ("criteria", index)
    if criterion.operator not in attribute.operators:
        return document.error(
            (*place, "operator"),
            f"{criterion.operator!r} does not go with {attribute.name}",
            remedy=f"Use {' or '.join(attribute.operators)}.",
        )
    if attribute.unit is None:
        if criterion.value not in ORIGINS:
            return document.error(
                (*place, "value"), f"{criterion.value!r} is not an origin", remedy=f"Use one of: {', '.join(ORIGINS)}."
            )
        return None
    try:
        found = criterion.quantity
    except QuantityError as error:
        return document.error((*place, "value"), error.message, remedy=error.remedy)
    if found.value < 0:
        return document.error((*place, "value"), f"{criterion.value!r} is negative", remedy="Give a positive limit.")
    return None
