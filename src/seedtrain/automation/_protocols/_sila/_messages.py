"""The protocol buffers messages of a SiLA 2 feature, and what travels in them.

**Source** SiLA 2 Part (B) v1.1: mapping of features and data types to protocol buffers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from typing import Any, Final

from seedtrain.automation._protocols._proto import Field, Messages, MessageTable
from seedtrain.automation._protocols._sila._feature import Element, Feature, SilaType
from seedtrain.base import InputError

FRAMEWORK: Final = "sila2.org.silastandard"
STATUS: Final = ("waiting", "running", "finishedSuccessfully", "finishedWithError")
FRAMEWORK_ERRORS: Final = (
    "COMMAND_EXECUTION_NOT_ACCEPTED",
    "INVALID_COMMAND_EXECUTION_UUID",
    "COMMAND_EXECUTION_NOT_FINISHED",
    "INVALID_METADATA",
    "NO_METADATA_ALLOWED",
)


def _table(name: str, *fields: tuple[str, str]) -> MessageTable:
    """A message whose fields are numbered in order."""
    return MessageTable(name, tuple(Field(key, number, kind) for number, (key, kind) in enumerate(fields, 1)))


@cache
def framework() -> Messages:
    """The messages that all features share."""

    def own(name: str) -> str:
        return f"{FRAMEWORK}.{name}"

    clock = tuple((name, "uint32") for name in ("second", "minute", "hour"))
    days = tuple((name, "uint32") for name in ("day", "month", "year"))
    zone, last = ("timezone", own("Timezone")), ("millisecond", "uint32")
    union = (Field("value", 1, "bytes", oneof="union"), Field("binaryTransferUUID", 2, "string", oneof="union"))
    errors = ("ValidationError", "DefinedExecutionError", "UndefinedExecutionError", "FrameworkError")
    either = tuple(
        Field(name[0].lower() + name[1:], number, own(name), oneof="error") for number, name in enumerate(errors, 1)
    )
    status = Field("commandStatus", 1, own("ExecutionInfo.CommandStatus"), enumeration=True)
    info = (
        status,
        Field("progressInfo", 2, own("Real")),
        Field("estimatedRemainingTime", 3, own("Duration")),
        Field("updatedLifetimeOfExecution", 4, own("Duration")),
    )
    kind = Field("errorType", 1, own("FrameworkError.ErrorType"), enumeration=True)
    return Messages(
        FRAMEWORK,
        [
            _table("String", ("value", "string")),
            _table("Integer", ("value", "int64")),
            _table("Real", ("value", "double")),
            _table("Boolean", ("value", "bool")),
            MessageTable("Binary", union),
            _table("Date", *days, zone),
            _table("Time", *clock, zone, last),
            _table("Timestamp", *clock, *days, zone, last),
            _table("Any", ("type", "string"), ("payload", "bytes")),
            _table("Timezone", ("hours", "int32"), ("minutes", "uint32")),
            _table("Duration", ("seconds", "int64"), ("nanos", "int32")),
            _table("CommandExecutionUUID", ("value", "string")),
            _table(
                "CommandConfirmation",
                ("commandExecutionUUID", own("CommandExecutionUUID")),
                ("lifetimeOfExecution", own("Duration")),
            ),
            MessageTable("ExecutionInfo", info, enumerations={"CommandStatus": STATUS}),
            MessageTable("SiLAError", either),
            _table("ValidationError", ("parameter", "string"), ("message", "string")),
            _table("DefinedExecutionError", ("errorIdentifier", "string"), ("message", "string")),
            _table("UndefinedExecutionError", ("message", "string")),
            MessageTable(
                "FrameworkError", (kind, Field("message", 2, "string")), enumerations={"ErrorType": FRAMEWORK_ERRORS}
            ),
        ],
    )


def messages_of(feature: Feature) -> Messages:
    """The messages of one feature. Metadata of calls is not made: no command here sends any."""
    return Messages(feature.package, _tables(feature), imports=framework())


def _tables(feature: Feature) -> Iterator[MessageTable]:
    for name, kind in feature.types.items():
        yield _message(feature, f"DataType_{name}", (Element(name, kind),))
    for command in feature.commands.values():
        yield _message(feature, f"{command.identifier}_Parameters", command.parameters)
        yield _message(feature, f"{command.identifier}_Responses", command.responses)
        if command.intermediate:
            yield _message(feature, f"{command.identifier}_IntermediateResponses", command.intermediate)
    for item in feature.properties.values():
        name = property_method(item)
        yield MessageTable(f"{name}_Parameters")
        yield _message(feature, f"{name}_Responses", (item,))


def property_method(item: Element) -> str:
    """The call that gives a property."""
    return ("Subscribe_" if item.observable else "Get_") + item.identifier


def _message(feature: Feature, name: str, elements: Sequence[Element], parent: str = "") -> MessageTable:
    here = f"{parent or feature.package}.{name}"
    fields = []
    inner = []
    for number, element in enumerate(elements, 1):
        kind = element.type.items or element.type
        if kind.elements:
            inner.append(_message(feature, f"{element.identifier}_Struct", kind.elements, here))
            full = f"{here}.{element.identifier}_Struct"
        elif kind.named:
            full = f"{feature.package}.DataType_{kind.named}"
        elif kind.basic:
            full = f"{FRAMEWORK}.{kind.basic}"
        else:
            raise InputError(f"{here}.{element.identifier} is a list of lists", remedy="SiLA 2 has none.")
        fields.append(Field(element.identifier, number, full, repeated=element.type.items is not None))
    return MessageTable(name, tuple(fields), tuple(inner))


def fill(message: Any, elements: Sequence[Element], given: Mapping[str, Any], feature: Feature) -> Any:
    """Put values by identifier into a message; raises `InputError` for one that is missing, unknown or of another
    type."""
    names = [element.identifier for element in elements]
    for name in given:
        if name not in names:
            raise InputError(f"{name!r} is not asked for", remedy=f"Give {', '.join(names) or 'nothing'}.")
    for element in elements:
        if element.identifier not in given:
            raise InputError(f"{element.identifier!r} is missing", remedy=f"Give {', '.join(names)}.")
        value, slot = given[element.identifier], getattr(message, element.identifier)
        if element.type.items is not None:
            if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
                raise _wrong(element, value, "list")
            for item in value:
                _put(slot.add(), element, element.type.items, item, feature)
        else:
            slot.SetInParent()
            _put(slot, element, element.type, value, feature)
    return message


def _put(slot: Any, element: Element, kind: SilaType, value: Any, feature: Feature) -> None:
    if kind.elements:
        if not isinstance(value, Mapping):
            raise _wrong(element, value, "structure")
        fill(slot, kind.elements, value, feature)
    elif kind.named:
        inner = Element(kind.named, feature.types[kind.named], element.words)
        fill(slot, (inner,), {kind.named: value}, feature)
    else:
        _put_basic(slot, element, kind.basic, value)


def _put_basic(slot: Any, element: Element, basic: str, value: Any) -> None:
    plain: Mapping[str, tuple[type, ...]] = {
        "String": (str,),
        "Integer": (int,),
        "Real": (int, float),
        "Boolean": (bool,),
        "Binary": (bytes,),
    }
    if basic in plain:
        if not isinstance(value, plain[basic]) or (isinstance(value, bool) and basic != "Boolean"):
            raise _wrong(element, value, basic)
        try:
            slot.value = value
        except ValueError as error:
            raise InputError(f"{element.identifier}: {error}", remedy="Give a smaller number.") from None
    elif basic == "Timestamp" and isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        for name in ("second", "minute", "hour", "day", "month", "year"):
            setattr(slot, name, getattr(aware, name))
        slot.millisecond = aware.microsecond // 1000
        _put_zone(slot, aware.utcoffset())
    else:
        raise _wrong(element, value, basic)


def _put_zone(slot: Any, offset: timedelta | None) -> None:
    minutes = int((offset or timedelta()).total_seconds() // 60)
    slot.timezone.hours, slot.timezone.minutes = minutes // 60, minutes % 60


def _wrong(element: Element, value: Any, kind: str) -> InputError:
    return InputError(f"{element.identifier} is {value!r}, which is no {kind}", remedy=f"Give a {kind}.")


def values_of(message: Any, elements: Sequence[Element], feature: Feature) -> dict[str, Any]:
    """What a message holds, by identifier."""
    found: dict[str, Any] = {}
    for element in elements:
        slot = getattr(message, element.identifier)
        if element.type.items is not None:
            found[element.identifier] = [_get(item, element.type.items, feature) for item in slot]
        else:
            found[element.identifier] = _get(slot, element.type, feature)
    return found


def _get(slot: Any, kind: SilaType, feature: Feature) -> Any:
    if kind.elements:
        return values_of(slot, kind.elements, feature)
    if kind.named:
        inner = Element(kind.named, feature.types[kind.named])
        return values_of(slot, (inner,), feature)[kind.named]
    if kind.basic == "Date":
        return date(slot.year, slot.month, slot.day)
    if kind.basic == "Time":
        return time(slot.hour, slot.minute, slot.second, slot.millisecond * 1000, _zone(slot))
    if kind.basic == "Timestamp":
        day = (slot.year, slot.month, slot.day)
        return datetime(*day, slot.hour, slot.minute, slot.second, slot.millisecond * 1000, _zone(slot))
    return (slot.type, slot.payload) if kind.basic == "Any" else slot.value


def _zone(slot: Any) -> timezone:
    return timezone(timedelta(hours=slot.timezone.hours, minutes=slot.timezone.minutes))
