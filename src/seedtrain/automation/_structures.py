"""Structures of LADS and AMB as bytes (OPC UA part 6, 5.2.6): read and written without asyncua's table of types, which
is one for the whole process, while every server numbers its namespaces as it likes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def text_structure(encoding: Any, *fields: str) -> Any:
    """A structure of strings, such as LADS' KeyValueType; `encoding`: the node id of its binary encoding."""
    from asyncua import ua
    from asyncua.ua.ua_binary import Primitives

    return ua.ExtensionObject(encoding, b"".join(Primitives.String.pack(field) for field in fields))


def text_fields(value: Any, count: int) -> tuple[str, ...]:
    """The first `count` strings of a structure as it came over the wire; empty ones where it is none."""
    from asyncua.common.utils import Buffer
    from asyncua.ua.ua_binary import Primitives

    body = Buffer(getattr(value, "Body", None) or b"\xff\xff\xff\xff" * count)
    return tuple(str(Primitives.String.unpack(body) or "") for _ in range(count))


def name_and_node(encoding: Any, name: str, node: Any) -> Any:
    """AMB's NameNodeIdDataType."""
    from asyncua import ua
    from asyncua.ua.ua_binary import nodeid_to_binary, struct_to_binary

    return ua.ExtensionObject(encoding, bytes(struct_to_binary(ua.LocalizedText(name))) + bytes(nodeid_to_binary(node)))


def name_of(value: Any) -> str:
    """The name in AMB's NameNodeIdDataType as it came over the wire; empty where it is none."""
    from asyncua import ua
    from asyncua.common.utils import Buffer
    from asyncua.ua.ua_binary import struct_from_binary

    body = getattr(value, "Body", None)
    return str(struct_from_binary(ua.LocalizedText, Buffer(body)).Text or "") if body else ""


def pairs(values: Sequence[Any] | None) -> dict[str, str]:
    """LADS' KeyValueType, many of them."""
    fields = (text_fields(value, 2) for value in values or ())
    return {item[0]: item[1] for item in fields}
