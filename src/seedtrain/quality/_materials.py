"""Materials, lots down to the animal origin of what is inside them, and samples."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from seedtrain.quantity import Measure, Quantity, number_text

ANIMAL_ORIGINS: Final = ("porcine", "bovine", "ovine", "avian", "fish", "human", "insect")
ORIGINS: Final = (*ANIMAL_ORIGINS, "plant", "microbial", "mineral", "synthetic")
UNSPECIFIC: Final = "animal"
"""A declaration that names no species: it can rule none out."""

LotStatus = Literal["quarantined", "released", "rejected"]


@dataclass(frozen=True)
class Constituent:
    """Something inside a material, down to where it comes from; `origin` is `None` where nobody declared it."""

    name: str
    origin: str | None


@dataclass(frozen=True)
class Material:
    """What a recipe charges: a raw material, or a mixture of raw materials by `composition`."""

    name: str
    composition: Mapping[str, Quantity] = field(default_factory=dict)

    @property
    def raw(self) -> bool:
        """Whether it is bought as it is, not made up from others."""
        return not self.composition


@dataclass(frozen=True)
class Lot:
    """One delivery or one production of a material; `expiry` is the last day on which it may be used."""

    id: str
    material: str
    supplier: str
    quantity: Quantity
    expiry: date
    status: LotStatus
    contains: tuple[Constituent, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """The lot as the ledger's `lot.received` holds it: JSON-ready, decimals as strings."""
        return {
            "material": self.material,
            "supplier": self.supplier,
            "quantity": number_text(self.quantity.value),
            "unit": self.quantity.unit,
            "expiry": self.expiry.isoformat(),
            "status": self.status,
            "contains": [{"name": item.name, "origin": item.origin} for item in self.contains],
        }

    @staticmethod
    def from_data(identifier: str, data: Mapping[str, Any]) -> Lot:
        """The lot `identifier` that `to_data` wrote; raises `KeyError` or `ValueError` for other data."""
        return Lot(
            id=identifier,
            material=data["material"],
            supplier=data["supplier"],
            quantity=Quantity(float(data["quantity"]), data["unit"]),
            expiry=date.fromisoformat(data["expiry"]),
            status=data["status"],
            contains=tuple(Constituent(item["name"], item["origin"]) for item in data["contains"]),
        )


@dataclass(frozen=True)
class Sample:
    """Something taken for testing: from which batch and phase, and what is to be found in it."""

    id: str
    batch: str
    phase: str
    attributes: tuple[str, ...]


def _iso_date(value: Any) -> date:
    if isinstance(value, date):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a day of the calendar | Write a date such as 2028-05-31.") from None
    raise ValueError(f"{value!r} is not a date | Write year-month-day, such as 2028-05-31.")


def _origin(value: Any) -> str | None:
    if value is None or value in (*ORIGINS, UNSPECIFIC):
        return None if value is None else str(value)
    raise ValueError(
        f"there is no origin {value!r} | Use one of: {', '.join(ORIGINS)}; leave `origin` out where it is not known."
    )


def _positive(value: Quantity) -> Quantity:
    if value.value <= 0:
        raise ValueError(f"the quantity {value} is not above zero | Write how much the lot holds.")
    return value


class ConstituentEntry(BaseModel):
    """One entry of a lot's `contains:`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]
    origin: Annotated[str | None, BeforeValidator(_origin)] = None


class LotEntry(BaseModel):
    """One entry of `lots:` in a plant's file; its key is the lot's id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    material: Annotated[str, Field(min_length=1)]
    supplier: Annotated[str, Field(min_length=1)]
    quantity: Annotated[Quantity, Measure(None), AfterValidator(_positive)]
    expiry: Annotated[date, BeforeValidator(_iso_date)]
    status: LotStatus
    contains: tuple[ConstituentEntry, ...] = ()

    def lot(self, identifier: str) -> Lot:
        """The lot with this id."""
        inside = tuple(Constituent(item.name, item.origin) for item in self.contains)
        return Lot(identifier, self.material, self.supplier, self.quantity, self.expiry, self.status, inside)
