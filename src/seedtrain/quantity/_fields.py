"""Quantities and ranges as fields of pydantic models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seedtrain.quantity._quantity import Quantity, Range, parse, parse_range
from seedtrain.quantity._unit import QuantityError, dimension_error, same_dimension


@dataclass(frozen=True)
class Measure:
    """`Annotated[Quantity, Measure("g/L")]`: text of that dimension in a file, a `Quantity` in the model.

    `Measure(None)` takes any dimension. The error's message is "what is wrong | remedy", as `base.validate` wants it.
    """

    unit: str | None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """The validator for pydantic."""
        return _schema(lambda value: _take(value, self.unit, Quantity, parse))


@dataclass(frozen=True)
class MeasureRange:
    """`Annotated[Range, MeasureRange("degC")]`: text such as `36 .. 38 degC` in a file, a `Range` in the model."""

    unit: str | None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """The validator for pydantic."""
        return _schema(lambda value: _take(value, self.unit, Range, parse_range))


def _schema(check: Callable[[Any], Any]) -> Any:
    from pydantic_core import core_schema

    return core_schema.no_info_plain_validator_function(
        check, serialization=core_schema.plain_serializer_function_ser_schema(str)
    )


def _take(value: Any, unit: str | None, kind: type[Any], read: Callable[..., Any]) -> Any:
    try:
        if isinstance(value, kind):
            if unit is not None and not same_dimension(value.unit, unit):
                raise dimension_error(value.unit, unit)
            return value
        if not isinstance(value, str):
            raise QuantityError(f"{value!r} is not text", remedy="Write a number and a unit.")
        return read(value, like=unit)
    except QuantityError as error:
        raise ValueError(f"{error.message} | {error.remedy}") from None
