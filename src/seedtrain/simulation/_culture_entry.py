"""A culture file as pydantic reads it; what it means together is checked in `_culture_check`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.functional_validators import BeforeValidator

from seedtrain.base import Expression, parse_expression
from seedtrain.quantity import Measure, MeasureRange, Quantity, Range

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
    unit: str
    composition: dict[str, Formula] = Field(default_factory=dict)
    ash: Annotated[Quantity, Measure("%")] = Quantity(0.0, "%")
    protons: Annotated[Quantity, Measure("")] = Quantity(0.0, "")
    intracellular: Literal["true", "false"] = "false"
    mass: Annotated[Quantity, Measure(None)] | None = None
    weightless: Literal["true", "false"] = "false"
    lipopolysaccharide: Annotated[Quantity, Measure("%")] = Quantity(0.0, "%")


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
    basis: Literal["biomass", "volume"] = "biomass"
    biomass: str = ""
    species: dict[str, SpeciesEntry] = Field(min_length=1)
    parameters: dict[str, ParameterEntry] = Field(min_length=1)
    constants: dict[str, Annotated[Quantity, Measure(None)]] = Field(default_factory=dict)
    expressions: dict[str, Formula] = Field(default_factory=dict)
    conversions: dict[str, ConversionEntry] = Field(default_factory=dict)
    rates: dict[str, Formula] = Field(default_factory=dict)
    outputs: dict[str, str] = Field(default_factory=dict)
    trained: dict[str, dict[str, Annotated[Range, MeasureRange(None)]]] = Field(default_factory=dict)
