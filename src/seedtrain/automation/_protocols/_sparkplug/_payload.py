"""Sparkplug B payloads: metrics with their data types, as bytes.

**Source** Eclipse Sparkplug specification 3.0.0, chapter 6 (payloads); field numbers and data types of its table 6.4.
Property sets are read and written one deep. Data sets, templates and arrays are recognised and carried as no value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from functools import cache
from typing import Any, Final

from seedtrain.automation._protocols._proto import Field, Messages, MessageTable, decode_error
from seedtrain.automation._protocols._times import milliseconds, moment
from seedtrain.base import InputError

PACKAGE: Final = "org.eclipse.tahu.protobuf"

Content = int | float | bool | str | bytes | datetime


class DataType(IntEnum):
    """Data types of metrics and of properties."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATE_TIME = 13
    TEXT = 14
    UUID = 15
    DATA_SET = 16
    BYTES = 17
    FILE = 18
    TEMPLATE = 19


INTEGERS: Final[Mapping[DataType, tuple[int, bool]]] = {
    DataType.INT8: (8, True),
    DataType.INT16: (16, True),
    DataType.INT32: (32, True),
    DataType.INT64: (64, True),
    DataType.UINT8: (8, False),
    DataType.UINT16: (16, False),
    DataType.UINT32: (32, False),
    DataType.UINT64: (64, False),
}
"""Bits of each integer type, and whether it is signed; a negative one travels as its two's complement."""
NUMBERS: Final = (*INTEGERS, DataType.FLOAT, DataType.DOUBLE)
TEXTS: Final = (DataType.STRING, DataType.TEXT, DataType.UUID)
_LONG: Final = (DataType.INT64, DataType.UINT64, DataType.DATE_TIME)
_KNOWN: Final = frozenset(int(item) for item in DataType)
GOOD, BAD, STALE = 192, 0, 500
"""Values of the property `Quality` (section 6.4.16)."""


@dataclass(frozen=True)
class Property:
    """One entry of a metric's property set."""

    type: DataType
    value: Content | None


@dataclass(frozen=True)
class Metric:
    """One value. `name` stands in births and may be left away with an `alias`; `value` None is null.

    - `time`: when the source had the value.
    """

    name: str = ""
    type: DataType | None = None
    value: Content | None = None
    time: datetime | None = None
    alias: int | None = None
    historical: bool = False
    properties: Mapping[str, Property] = field(default_factory=dict)


@dataclass(frozen=True)
class Payload:
    """The whole of a message: `seq` 0 to 255, None in a death certificate and in commands."""

    metrics: tuple[Metric, ...] = ()
    time: datetime | None = None
    seq: int | None = None


@cache
def _messages() -> Messages:
    """The official messages as far as they are used; what they have beyond it is skipped as unknown."""
    name = f"{PACKAGE}.Payload"
    value = (
        ("float_value", "float"),
        ("double_value", "double"),
        ("boolean_value", "bool"),
        ("string_value", "string"),
    )

    def values(first: int) -> tuple[Field, ...]:
        kinds = (("int_value", "uint32"), ("long_value", "uint64"), *value)
        return tuple(Field(key, first + index, kind, oneof="value") for index, (key, kind) in enumerate(kinds))

    property_value = MessageTable(
        "PropertyValue", (Field("type", 1, "uint32"), Field("is_null", 2, "bool"), *values(3))
    )
    keys = (Field("keys", 1, "string", repeated=True), Field("values", 2, f"{name}.PropertyValue", repeated=True))
    head = (("name", 1, "string"), ("alias", 2, "uint64"), ("timestamp", 3, "uint64"), ("datatype", 4, "uint32"))
    flags = (("is_historical", 5, "bool"), ("is_transient", 6, "bool"), ("is_null", 7, "bool"))
    present = tuple(Field(key, number, kind, oneof=f"_{key}") for key, number, kind in (*head, *flags))
    extra = (Field("properties", 9, f"{name}.PropertySet"), Field("bytes_value", 16, "bytes", oneof="value"))
    metric = MessageTable("Metric", (*present, *values(10), *extra))
    whole = (
        Field("timestamp", 1, "uint64", oneof="_timestamp"),
        Field("metrics", 2, f"{name}.Metric", repeated=True),
        Field("seq", 3, "uint64", oneof="_seq"),
        Field("uuid", 4, "string"),
        Field("body", 5, "bytes"),
    )
    inner = (property_value, MessageTable("PropertySet", keys), metric)
    return Messages(PACKAGE, [MessageTable("Payload", whole, inner)])


def encode(payload: Payload) -> bytes:
    """The bytes of a payload; raises `InputError` for a value that its data type cannot hold."""
    made = _messages().make("Payload")()
    if payload.time is not None:
        made.timestamp = milliseconds(payload.time)
    if payload.seq is not None:
        made.seq = payload.seq
    for metric in payload.metrics:
        item = made.metrics.add()
        if metric.name:
            item.name = metric.name
        if metric.alias is not None:
            item.alias = metric.alias
        if metric.time is not None:
            item.timestamp = milliseconds(metric.time)
        if metric.historical:
            item.is_historical = True
        if metric.type is not None:
            item.datatype = int(metric.type)
            _put(item, metric.type, metric.value, metric.name or f"alias {metric.alias}")
        for key, entry in metric.properties.items():
            item.properties.keys.append(key)
            slot = item.properties.values.add()
            slot.type = int(entry.type)
            _put(slot, entry.type, entry.value, key)
    found: bytes = made.SerializeToString()
    return found


def _put(item: Any, kind: DataType, value: Content | None, name: str) -> None:
    if value is None:
        item.is_null = True
    elif kind in INTEGERS:
        setattr(item, "long_value" if kind in _LONG else "int_value", _wire_integer(kind, value, name))
    elif kind is DataType.FLOAT:
        item.float_value = float(_number(value, name))
    elif kind is DataType.DOUBLE:
        item.double_value = float(_number(value, name))
    elif kind is DataType.BOOLEAN and isinstance(value, bool):
        item.boolean_value = value
    elif kind in TEXTS and isinstance(value, str):
        item.string_value = value
    elif kind is DataType.DATE_TIME and isinstance(value, datetime):
        item.long_value = milliseconds(value)
    elif kind in (DataType.BYTES, DataType.FILE) and isinstance(value, bytes):
        item.bytes_value = value
    else:
        raise InputError(f"{name}: {value!r} is no {kind.name}", remedy="Give a value of the metric's data type.")


def _number(value: Content, name: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{name}: {value!r} is no number", remedy="Give a value of the metric's data type.")
    return value


def _wire_integer(kind: DataType, value: Content, name: str) -> int:
    bits, signed = INTEGERS[kind]
    number = _number(value, name)
    lowest, highest = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if not math.isfinite(number) or int(number) != number or not lowest <= number <= highest:
        raise InputError(
            f"{name}: {number} is no {kind.name}", remedy=f"Give a whole number from {lowest} to {highest}."
        )
    return int(number) & ((1 << (64 if kind in _LONG else 32)) - 1)


def decode(raw: bytes) -> Payload:
    """A payload out of its bytes; raises `InputError` for bytes that are none."""
    made = _messages().make("Payload")()
    try:
        made.ParseFromString(raw)
    except decode_error() as error:
        raise InputError(f"{len(raw)} bytes are no Sparkplug B payload: {error}", remedy="See who sent them.") from None
    return Payload(
        tuple(_metric(item) for item in made.metrics),
        moment(made.timestamp) if made.HasField("timestamp") else None,
        int(made.seq) if made.HasField("seq") else None,
    )


def _metric(item: Any) -> Metric:
    kind = _kind(item.datatype) if item.HasField("datatype") else None
    pairs = zip(item.properties.keys, item.properties.values, strict=False)
    return Metric(
        item.name,
        kind,
        None if item.is_null else _get(item, kind),
        moment(item.timestamp) if item.HasField("timestamp") else None,
        int(item.alias) if item.HasField("alias") else None,
        bool(item.is_historical),
        {
            key: Property(known, None if entry.is_null else _get(entry, known))
            for key, entry in pairs
            if (known := _kind(entry.type)) is not None
        },
    )


def _kind(number: int) -> DataType | None:
    return DataType(number) if number in _KNOWN else None


def resolve(metric: Metric, kind: DataType) -> Metric:
    """A metric that came without its data type, read as the birth certificate declared it."""
    if metric.type is not None or not isinstance(metric.value, (int, float)) or isinstance(metric.value, bool):
        return replace(metric, type=metric.type or kind)
    value: Content = metric.value
    if kind in INTEGERS:
        value = _signed(kind, int(metric.value))
    elif kind is DataType.DATE_TIME:
        value = moment(int(metric.value))
    return replace(metric, type=kind, value=value)


def _signed(kind: DataType, number: int) -> int:
    bits, signed = INTEGERS[kind]
    number &= (1 << bits) - 1
    return number - (1 << bits) if signed and number >> bits - 1 else number


def _get(item: Any, kind: DataType | None) -> Content | None:
    which = item.WhichOneof("value")
    if which is None:
        return None
    value: Content = getattr(item, which)
    if kind is not None and kind in INTEGERS and isinstance(value, int):
        return _signed(kind, value)
    if kind is DataType.DATE_TIME and isinstance(value, int):
        return moment(value)
    return value


def number_of(metric: Metric) -> float | None:
    """The value of a metric as a number, None where it has none."""
    value = metric.value
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def text_property(properties: Mapping[str, Property], *names: str) -> str:
    """The first of the named properties that is a text, whatever the case of its name; empty without one."""
    folded = {key.casefold(): entry.value for key, entry in properties.items()}
    found: Sequence[Any] = [folded.get(name.casefold()) for name in names]
    return next((value for value in found if isinstance(value, str)), "")
