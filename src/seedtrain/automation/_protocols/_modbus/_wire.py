"""Modbus TCP on the wire: a header of seven bytes and a protocol data unit.

**Source** MODBUS Application Protocol Specification V1.1b3 (2012): function codes of its section 6, exceptions of its
section 7; MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 3.1 (header).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

Table = Literal["coil", "discrete", "holding", "input"]

READ: Final[dict[Table, int]] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
WRITE_COILS: Final = 15
WRITE_REGISTERS: Final = 16
WRITE_ONE_COIL: Final = 5
WRITE_ONE_REGISTER: Final = 6
IDENTIFY: Final = 43
BITS: Final[tuple[Table, ...]] = ("coil", "discrete")
MOST_BITS, MOST_REGISTERS = 2000, 125
MOST_BITS_WRITTEN, MOST_REGISTERS_WRITTEN = 1968, 123
HEADER: Final = struct.Struct(">HHHB")
LONGEST: Final = 254
"""Bytes after the length field at most: unit id and 253 bytes of data unit."""
ADDRESSES: Final = 65536


class Fault(IntEnum):
    """Exception codes of a server."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_DATA_ADDRESS = 2
    ILLEGAL_DATA_VALUE = 3
    SERVER_DEVICE_FAILURE = 4
    ACKNOWLEDGE = 5
    SERVER_DEVICE_BUSY = 6
    MEMORY_PARITY_ERROR = 8
    GATEWAY_PATH_UNAVAILABLE = 10
    GATEWAY_TARGET_FAILED = 11


@dataclass(frozen=True)
class FaultAnswer(Exception):
    """A server's exception to a function code."""

    function: int
    code: int

    @property
    def words(self) -> str:
        """The exception's name."""
        known = {int(item): item.name.lower().replace("_", " ") for item in Fault}
        return known.get(self.code, f"exception {self.code}")


class WireError(Exception):
    """Bytes that are no Modbus."""


def frame(transaction: int, unit: int, unit_of_data: bytes) -> bytes:
    """A whole message."""
    return HEADER.pack(transaction, 0, len(unit_of_data) + 1, unit) + unit_of_data


def read_header(raw: bytes) -> tuple[int, int, int]:
    """Transaction, bytes of the data unit that follow, and unit; raises `WireError` for another protocol."""
    transaction, protocol, length, unit = HEADER.unpack(raw)
    if protocol != 0 or not 2 <= length <= LONGEST:
        raise WireError(f"protocol {protocol}, length {length}")
    return transaction, length - 1, unit


def pack_bits(bits: Sequence[bool]) -> bytes:
    """Bits as bytes, the first bit lowest."""
    found = bytearray((len(bits) + 7) // 8)
    for index, bit in enumerate(bits):
        found[index // 8] |= bit << index % 8
    return bytes(found)


def unpack_bits(raw: bytes, count: int) -> list[bool]:
    """The inverse of `pack_bits`."""
    return [bool(raw[index // 8] >> index % 8 & 1) for index in range(count)]


def ask_read(table: Table, address: int, count: int) -> bytes:
    """A request for `count` bits or registers."""
    return struct.pack(">BHH", READ[table], address, count)


def ask_write(table: Table, address: int, values: Sequence[int]) -> bytes:
    """A request that writes coils or holding registers."""
    if table == "coil":
        raw = pack_bits([bool(item) for item in values])
        return struct.pack(">BHHB", WRITE_COILS, address, len(values), len(raw)) + raw
    raw = struct.pack(f">{len(values)}H", *values)
    return struct.pack(">BHHB", WRITE_REGISTERS, address, len(values), len(raw)) + raw


def check_answer(request: bytes, answer: bytes) -> bytes:
    """What an answer carries after its function code; raises `FaultAnswer` or `WireError`."""
    if len(answer) >= 2 and answer[0] == request[0] | 0x80:
        raise FaultAnswer(request[0], answer[1])
    if not answer or answer[0] != request[0]:
        raise WireError(f"an answer to function {answer[:1].hex() or 'nothing'}, asked was {request[:1].hex()}")
    return answer[1:]


def read_values(table: Table, count: int, data: bytes) -> list[int]:
    """The bits or registers of an answer to `ask_read`."""
    wanted = (count + 7) // 8 if table in BITS else 2 * count
    if len(data) != wanted + 1 or data[0] != wanted:
        raise WireError(f"{len(data)} bytes for {count} values of {table}")
    if table in BITS:
        return [int(item) for item in unpack_bits(data[1:], count)]
    return list(struct.unpack(f">{count}H", data[1:]))


def ask_identity() -> bytes:
    """A request for the basic device identification (function 43, MEI type 14)."""
    return bytes((IDENTIFY, 14, 1, 0))


def read_identity(data: bytes) -> dict[int, str]:
    """Objects of the device identification: 0 vendor, 1 product, 2 revision."""
    found: dict[int, str] = {}
    try:
        position = 6
        for _ in range(data[5]):
            number, length = data[position], data[position + 1]
            found[number] = data[position + 2 : position + 2 + length].decode("utf-8", "replace")
            position += 2 + length
    except IndexError:
        raise WireError("a device identification that ends early") from None
    return found
