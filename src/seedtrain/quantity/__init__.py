"""Numbers with units and uncertainty; the only place that parses a unit."""

from seedtrain.quantity._fields import Measure, MeasureRange
from seedtrain.quantity._quantity import Quantity, Range, number_text, parse, parse_range
from seedtrain.quantity._uncertain import STATUSES, Uncertain
from seedtrain.quantity._unit import QuantityError, Unit, convert, dimension_words, read_unit, same_dimension

__all__ = [
    "STATUSES",
    "Measure",
    "MeasureRange",
    "Quantity",
    "QuantityError",
    "Range",
    "Uncertain",
    "Unit",
    "convert",
    "dimension_words",
    "number_text",
    "parse",
    "parse_range",
    "read_unit",
    "same_dimension",
]
