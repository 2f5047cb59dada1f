"""Protocol buffers messages made from tables, so that no compiler and no generated module is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.base import UnavailableError

SCALARS: Final = {
    "double": 1,
    "float": 2,
    "int64": 3,
    "uint64": 4,
    "int32": 5,
    "bool": 8,
    "string": 9,
    "bytes": 12,
    "uint32": 13,
}
"""Scalar types with their numbers in `google.protobuf.FieldDescriptorProto.Type`."""
_MESSAGE, _ENUM = 11, 14
_OPTIONAL, _REPEATED = 1, 3


@dataclass(frozen=True)
class Field:
    """One field: `kind` is a scalar, or the full name of a message or an enumeration of the same file or another."""

    name: str
    number: int
    kind: str
    repeated: bool = False
    oneof: str = ""
    enumeration: bool = False


@dataclass(frozen=True)
class MessageTable:
    """A message with its fields, and the messages and enumerations (name -> words in order) inside it."""

    name: str
    fields: tuple[Field, ...] = ()
    inner: tuple[MessageTable, ...] = ()
    enumerations: Mapping[str, tuple[str, ...]] | None = None


class Messages:
    """The classes of one package's messages."""

    def __init__(self, package: str, tables: Iterable[MessageTable], *, imports: Messages | None = None) -> None:
        descriptors, pools, factory = _protobuf("descriptor_pb2", "descriptor_pool", "message_factory")
        self._factory = factory
        self._package = package
        self.pool: Any = imports.pool if imports is not None else pools.DescriptorPool()
        self.file = f"{package}.proto"
        made = descriptors.FileDescriptorProto(name=self.file, package=package, syntax="proto3")
        if imports is not None:
            made.dependency.append(imports.file)
        for table in tables:
            _fill(made.message_type.add(), table)
        self.pool.Add(made)

    def make(self, name: str) -> Any:
        """The class of a message, by its name in the package; one inside another after a dot."""
        return self._factory.GetMessageClass(self.pool.FindMessageTypeByName(f"{self._package}.{name}"))


def _fill(made: Any, table: MessageTable) -> None:
    made.name = table.name
    oneofs: list[str] = []
    for field in table.fields:
        item = made.field.add(name=field.name, number=field.number, label=_REPEATED if field.repeated else _OPTIONAL)
        if field.kind in SCALARS:
            item.type = SCALARS[field.kind]
        else:
            item.type = _ENUM if field.enumeration else _MESSAGE
            item.type_name = f".{field.kind}"
        if field.oneof:
            if field.oneof not in oneofs:
                oneofs.append(field.oneof)
                made.oneof_decl.add(name=field.oneof)
            item.oneof_index = oneofs.index(field.oneof)
    for inner in table.inner:
        _fill(made.nested_type.add(), inner)
    for name, words in (table.enumerations or {}).items():
        enumeration = made.enum_type.add(name=name)
        for number, word in enumerate(words):
            enumeration.value.add(name=word, number=number)


def _protobuf(*modules: str) -> list[Any]:
    import importlib

    try:
        return [importlib.import_module(f"google.protobuf.{name}") for name in modules]
    except ModuleNotFoundError as error:
        raise UnavailableError(
            f"this protocol needs the package {error.name}", remedy="Install it with: pip install seedtrain[protocols]"
        ) from None


def decode_error() -> type[Exception]:
    """What protobuf raises for bytes that are no such message."""
    (module,) = _protobuf("message")
    found: type[Exception] = module.DecodeError
    return found
