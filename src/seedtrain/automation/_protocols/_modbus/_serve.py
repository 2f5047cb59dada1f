"""A Modbus TCP server over a register map."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from seedtrain.automation._protocols._modbus._wire import (
    ADDRESSES,
    BITS,
    HEADER,
    IDENTIFY,
    MOST_BITS,
    MOST_BITS_WRITTEN,
    MOST_REGISTERS,
    MOST_REGISTERS_WRITTEN,
    READ,
    WRITE_COILS,
    WRITE_ONE_COIL,
    WRITE_ONE_REGISTER,
    WRITE_REGISTERS,
    Fault,
    Table,
    WireError,
    frame,
    pack_bits,
    read_header,
    unpack_bits,
)
from seedtrain.base import UnavailableError

_TABLES: Final[dict[int, Table]] = {code: table for table, code in READ.items()}


class Store(Protocol):
    """What a server reads and writes; a `ServerFault` is answered as the exception that it names."""

    @property
    def identity(self) -> Sequence[str]:
        """Vendor, product and revision."""

    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        """Bits or registers."""

    async def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Write bits or registers."""


class ServerFault(Exception):
    """A request that is answered with an exception."""

    def __init__(self, code: Fault) -> None:
        super().__init__(code.name)
        self.code = code


async def serve_modbus(store: Store, host: str, port: int) -> asyncio.Server:
    """Serve a store; raises `UnavailableError` where it cannot listen."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, WireError):
            while True:
                transaction, length, unit = read_header(await reader.readexactly(HEADER.size))
                request = await reader.readexactly(length)
                writer.write(frame(transaction, unit, await answer(store, request)))
                await writer.drain()
        writer.close()

    try:
        return await asyncio.start_server(talk, host, port)
    except OSError as error:
        raise UnavailableError(
            f"Modbus cannot listen on {host}:{port}: {error.strerror or error}",
            remedy="Give another port in `speaks`.",
        ) from None


async def answer(store: Store, request: bytes) -> bytes:
    """The answer to one request."""
    function = request[0]
    try:
        return bytes((function,)) + await _data(store, function, request[1:])
    except ServerFault as fault:
        return bytes((function | 0x80, fault.code))
    except (struct.error, IndexError):
        return bytes((function | 0x80, Fault.ILLEGAL_DATA_VALUE))


async def _data(store: Store, function: int, data: bytes) -> bytes:
    if function in _TABLES:
        return _read(store, _TABLES[function], data)
    writes: dict[int, Callable[[bytes], tuple[Table, int, list[int], bytes]]] = {
        WRITE_ONE_COIL: _one_coil,
        WRITE_ONE_REGISTER: _one_register,
        WRITE_COILS: _coils,
        WRITE_REGISTERS: _registers,
    }
    if function in writes:
        table, address, values, echo = writes[function](data)
        await store.write(table, address, values)
        return echo
    if function == IDENTIFY and data[:1] == b"\x0e":
        return _identity(store)
    raise ServerFault(Fault.ILLEGAL_FUNCTION)


def _read(store: Store, table: Table, data: bytes) -> bytes:
    address, count = struct.unpack(">HH", data)
    most = MOST_BITS if table in BITS else MOST_REGISTERS
    if not 1 <= count <= most:
        raise ServerFault(Fault.ILLEGAL_DATA_VALUE)
    if address + count > ADDRESSES:
        raise ServerFault(Fault.ILLEGAL_DATA_ADDRESS)
    values = store.read(table, address, count)
    raw = pack_bits([bool(item) for item in values]) if table in BITS else struct.pack(f">{count}H", *values)
    return bytes((len(raw),)) + raw


def _one_coil(data: bytes) -> tuple[Table, int, list[int], bytes]:
    address, value = struct.unpack(">HH", data)
    if value not in (0, 0xFF00):
        raise ServerFault(Fault.ILLEGAL_DATA_VALUE)
    return "coil", address, [int(value == 0xFF00)], data


def _one_register(data: bytes) -> tuple[Table, int, list[int], bytes]:
    address, value = struct.unpack(">HH", data)
    return "holding", address, [value], data


def _coils(data: bytes) -> tuple[Table, int, list[int], bytes]:
    address, count, length = struct.unpack(">HHB", data[:5])
    if not 1 <= count <= MOST_BITS_WRITTEN or length != (count + 7) // 8 or len(data) != 5 + length:
        raise ServerFault(Fault.ILLEGAL_DATA_VALUE)
    return "coil", address, [int(item) for item in unpack_bits(data[5:], count)], data[:4]


def _registers(data: bytes) -> tuple[Table, int, list[int], bytes]:
    address, count, length = struct.unpack(">HHB", data[:5])
    if not 1 <= count <= MOST_REGISTERS_WRITTEN or length != 2 * count or len(data) != 5 + length:
        raise ServerFault(Fault.ILLEGAL_DATA_VALUE)
    return "holding", address, list(struct.unpack(f">{count}H", data[5:])), data[:4]


def _identity(store: Store) -> bytes:
    objects = b"".join(
        bytes((number, len(text.encode()))) + text.encode() for number, text in enumerate(store.identity)
    )
    return bytes((14, 1, 1, 0, 0, len(store.identity))) + objects
