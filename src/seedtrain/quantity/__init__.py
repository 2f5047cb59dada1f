"""Numbers with units and uncertainty; the only place that parses a unit."""

from seedtrain.quantity._fields import Measure, MeasureRange
from seedtrain.quantity._quantity import Quantity, Range, number_text, parse, parse_range
from seedtrain.quantity._uncertain import STATUSES, Uncertain
from seedtrain.quantity._unit import QuantityError, convert, dimension_words, same_dimension

__all__ = [
    "STATUSES",
    "Measure",
    "MeasureRange",
    "Quantity",
    "QuantityError",
    "Range",
    "Uncertain",
    "convert",
    "dimension_words",
    "number_text",
    "parse",
    "parse_range",
    "same_dimension",
]
