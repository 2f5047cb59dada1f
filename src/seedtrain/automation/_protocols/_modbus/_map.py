"""The register map file: which register of a device is which value, in which type and unit."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from seedtrain.automation._devices import Origin, Plain, Tag, TagKind
from seedtrain.automation._protocols._modbus._wire import ADDRESSES, BITS, MOST_REGISTERS_WRITTEN, Table
from seedtrain.automation._protocols._times import milliseconds, moment
from seedtrain.base import Document, InputError, SeedtrainError, collect, load, parse_document, validate
from seedtrain.quantity import QuantityError, same_dimension

RegisterType = Literal[
    "bit", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "time64", "text"
]
FORMATS: Final[Mapping[str, str]] = {
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
    "time64": "Q",
}
"""How `struct` packs each type; time64 is ms since 1970 in UTC."""


def _unit(text: object) -> object:
    try:
        same_dimension(str(text), "g")
    except QuantityError as error:
        raise ValueError(f"{error.message} | {error.remedy}") from None
    return text


class Register(BaseModel):
    """One value. What people read is `scale` times the number in the register plus `offset`, in `unit`.

    - `address`: from 0, as on the wire (a manual's 40001 is holding register 0). `length`: registers of a text.
    - `word_order`: big: the high word stands first; None for the map's. Bytes within a register are always high first.
    - `codes`: words for the numbers of a state. `read_back`: whether a written value can be read again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: Table = "holding"
    address: int = Field(ge=0, lt=ADDRESSES)
    type: RegisterType = "uint16"
    length: int = Field(default=0, ge=0, le=MOST_REGISTERS_WRITTEN)
    word_order: Literal["big", "little"] | None = None
    scale: float = 1.0
    offset: float = 0.0
    unit: Annotated[str, BeforeValidator(_unit)] = ""
    codes: dict[int, str] = Field(default_factory=dict)
    writable: bool = False
    read_back: bool = True
    words: str = ""

    @property
    def count(self) -> int:
        """Registers or bits that it takes."""
        if self.type == "bit":
            return 1
        return self.length if self.type == "text" else struct.calcsize(FORMATS[self.type]) // 2

    @property
    def kind(self) -> TagKind:
        """What it holds."""
        if self.codes or self.type == "text":
            return "text"
        return "truth" if self.type == "bit" else "time" if self.type == "time64" else "number"


class RegisterMapEntry(BaseModel):
    """The whole file. `largest_gap`: registers between two that may be read along, where the device allows it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: str = ""
    origin: Origin
    word_order: Literal["big", "little"] = "big"
    largest_gap: int = Field(default=0, ge=0, le=100)
    registers: dict[str, Register] = Field(min_length=1)


@dataclass(frozen=True)
class RegisterMap:
    """A register map and its file, for positions."""

    entry: RegisterMapEntry
    document: Document

    def register(self, name: str) -> Register:
        """The register called `name`; an unknown one is an `InputError` with the known ones."""
        try:
            return self.entry.registers[name]
        except KeyError:
            known = ", ".join(list(self.entry.registers)[:8])
            raise InputError(
                f"{self.document.file} has no register {name!r}", remedy=f"Map it; mapped are: {known}."
            ) from None

    def order(self, register: Register) -> Literal["big", "little"]:
        """Its word order."""
        return register.word_order or self.entry.word_order

    def tags(self) -> tuple[Tag, ...]:
        """Every register as a tag."""
        return tuple(
            Tag(name, item.kind, item.unit, item.writable, item.words or f"{item.table} {item.address}, {item.type}")
            for name, item in self.entry.registers.items()
        )


def read_register_map(path: Path) -> RegisterMap:
    """Read a register map; raises `InputErrors` with every fault and its place."""
    entry, document = load(path, RegisterMapEntry, what="register map")
    return _checked(entry, document)


def parse_register_map(text: str, file: str) -> RegisterMap:
    """`read_register_map` on text; `file` names it in errors."""
    document = parse_document(text, file)
    return _checked(validate(document, RegisterMapEntry), document)


def _checked(entry: RegisterMapEntry, document: Document) -> RegisterMap:
    errors: list[SeedtrainError] = []
    taken: dict[tuple[Table, int], str] = {}
    for name, item in entry.registers.items():
        place = ("registers", name)
        if (item.type == "bit") is not (item.table in BITS):
            message = f"{item.table} {item.address} does not hold {item.type}"
            errors.append(document.error((*place, "type"), message, remedy="Coils and discrete inputs hold a bit."))
        if (item.type == "text") is not bool(item.length):
            errors.append(document.error(place, "a text, and nothing else, has a length", remedy="Give its registers."))
        if item.address + item.count > ADDRESSES:
            errors.append(document.error((*place, "address"), "it ends beyond register 65535", remedy="Look it up."))
        if item.writable and item.table not in ("coil", "holding"):
            message = f"{item.table} {item.address} cannot be written"
            errors.append(document.error((*place, "writable"), message, remedy="Only coil and holding can."))
        if not math.isfinite(item.scale) or item.scale == 0.0 or not math.isfinite(item.offset):
            errors.append(document.error(place, "this scale loses the value", remedy="Give a finite one, not 0."))
        if item.codes and item.type not in ("int16", "uint16", "int32", "uint32"):
            errors.append(document.error((*place, "codes"), f"codes of {item.type}", remedy="Codes are whole numbers."))
        for address in range(item.address, item.address + item.count):
            other = taken.setdefault((item.table, address), name)
            if other != name:
                message = f"{item.table} {address} belongs to {other} already"
                errors.append(document.error((*place, "address"), message, remedy="Correct address or type."))
                break
    collect(errors)
    return RegisterMap(entry, document)


def decoded(register: Register, order: Literal["big", "little"], words: Sequence[int]) -> Plain | None:
    """The value in these registers or bits; None for what is not a number, and for a code without a word."""
    if register.type == "bit":
        return bool(words[0])
    if register.type == "text":
        return struct.pack(f">{len(words)}H", *words).rstrip(b"\0 ").decode("utf-8", "replace")
    ordered = words if order == "big" else list(reversed(words))
    (number,) = struct.unpack(f">{FORMATS[register.type]}", struct.pack(f">{len(words)}H", *ordered))
    if register.codes:
        return register.codes.get(int(number))
    if register.type == "time64":
        return moment(int(number))
    value = float(number) * register.scale + register.offset
    return value if math.isfinite(value) else None


def encoded(register: Register, order: Literal["big", "little"], value: Plain, name: str) -> list[int]:
    """The registers or bits that hold a value; raises `InputError` for one that they cannot hold."""
    if register.type == "bit":
        if not isinstance(value, bool):
            raise InputError(f"{name} is yes or no, not {value!r}", remedy="Write true or false.")
        return [int(value)]
    if register.type == "text":
        raw = str(value).encode()
        if len(raw) > 2 * register.length:
            raise InputError(f"{value!r} takes {len(raw)} bytes, {name} holds {2 * register.length}", remedy="Shorten.")
        return list(struct.unpack(f">{register.length}H", raw.ljust(2 * register.length, b"\0")))
    number = _number(register, value, name)
    try:
        raw = struct.pack(f">{FORMATS[register.type]}", number)
    except (struct.error, OverflowError):
        raise InputError(
            f"{name}: {value} is {number} in the register, more than {register.type} holds",
            remedy="Write less, or correct type and scale in the register map.",
        ) from None
    words = list(struct.unpack(f">{register.count}H", raw))
    return words if order == "big" else words[::-1]


def _number(register: Register, value: Plain, name: str) -> float | int:
    if register.codes:
        found = next((number for number, word in register.codes.items() if word == value), None)
        if found is None:
            known = ", ".join(register.codes.values())
            raise InputError(f"{name} knows no {value!r}", remedy=f"Use one of: {known}.")
        return found
    if register.type == "time64" and isinstance(value, datetime):
        return milliseconds(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"{name} is a number, not {value!r}", remedy="Write a finite number.")
    scaled = (value - register.offset) / register.scale
    return scaled if register.type.startswith("float") else round(scaled)
