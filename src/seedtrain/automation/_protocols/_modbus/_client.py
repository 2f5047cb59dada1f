"""A Modbus TCP device, read and written by its register map."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

from seedtrain.automation._devices import Identity, Plain, Tag, TagValue
from seedtrain.automation._protocols._address import Address
from seedtrain.automation._protocols._modbus._map import Register, RegisterMap, decoded, encoded
from seedtrain.automation._protocols._modbus._wire import (
    BITS,
    HEADER,
    MOST_BITS,
    MOST_REGISTERS,
    Fault,
    FaultAnswer,
    Table,
    WireError,
    ask_identity,
    ask_read,
    ask_write,
    check_answer,
    frame,
    read_header,
    read_identity,
    read_values,
)
from seedtrain.base import InputError, UnavailableError

Answer = TypeVar("Answer")
REQUEST_S: Final = 5.0
"""s that one request may take."""
PATIENCE_S: Final = 10.0
PAUSE_S: Final = 0.2
_OURS: Final = (Fault.ILLEGAL_FUNCTION, Fault.ILLEGAL_DATA_ADDRESS, Fault.ILLEGAL_DATA_VALUE)
_REMEDIES: Final[Mapping[int, str]] = {
    Fault.ILLEGAL_FUNCTION: "Correct the table in the register map: the device does not have it.",
    Fault.ILLEGAL_DATA_ADDRESS: "Correct the address or the type in the register map; a manual's 40001 is holding 0.",
    Fault.ILLEGAL_DATA_VALUE: "Write a value within the device's own limits.",
}


class ModbusConnection:
    """One connection; a lost one is made again for `patience` s, so that what is asked must be safe to ask twice."""

    def __init__(self, address: Address, *, patience: float = PATIENCE_S, timeout: float = REQUEST_S) -> None:
        self.address = address
        self.unit = _unit_id(address)
        self._patience, self._timeout = patience, timeout
        self._socket: socket.socket | None = None
        self._transaction = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        """Leave the device."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    def ask(self, request: bytes) -> bytes:
        """What the device answers after the function code. Raises `FaultAnswer` for its exceptions, `UnavailableError`
        where it does not answer."""
        with self._lock:
            return self._patiently(lambda: check_answer(request, self._exchange(request)))

    def _patiently(self, work: Callable[[], Answer]) -> Answer:
        ends = time.monotonic() + self._patience
        while True:
            try:
                return work()
            except FaultAnswer as answer:
                if answer.code != Fault.SERVER_DEVICE_BUSY or time.monotonic() + PAUSE_S > ends:
                    raise
            except (OSError, WireError) as error:
                self._drop()
                if time.monotonic() + PAUSE_S > ends:
                    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
                    raise UnavailableError(
                        f"{self.address} cannot be reached: {why}",
                        remedy="Start the device, or check its address, port and unit id.",
                    ) from None
            time.sleep(PAUSE_S)

    def _exchange(self, request: bytes) -> bytes:
        if self._socket is None:
            self._socket = socket.create_connection((self.address.host, self.address.port), self._timeout)
        self._transaction = (self._transaction + 1) % 65536
        self._socket.sendall(frame(self._transaction, self.unit, request))
        while True:
            transaction, length, _ = read_header(self._receive(HEADER.size))
            answer = self._receive(length)
            if transaction == self._transaction:  # an older one answers what nobody waits for any more
                return answer

    def _receive(self, count: int) -> bytes:
        assert self._socket is not None
        found = b""
        while len(found) < count:
            part = self._socket.recv(count - len(found))
            if not part:
                raise ConnectionError("the device hung up")
            found += part
        return found

    def read(self, table: Table, address: int, count: int) -> list[int]:
        """Bits or registers."""
        return read_values(table, count, self.ask(ask_read(table, address, count)))


class ModbusDevice:
    """A device behind a register map. Values have the time at which they were read: Modbus carries none."""

    def __init__(self, address: Address, registers: RegisterMap, *, patience: float = PATIENCE_S) -> None:
        self._map = registers
        self._connection = ModbusConnection(address, patience=patience)
        self._identity: Identity | None = None

    @property
    def name(self) -> str:
        """Its address."""
        return str(self._connection.address)

    def close(self) -> None:
        """Leave the device."""
        self._connection.close()

    def identify(self) -> Identity:
        """What function 43 says, where the device has it; the origin is the register map's."""
        if self._identity is None:
            found = identification(self._connection)
            device = self._map.entry.device or self.name
            self._identity = Identity(device, found.get(0, ""), found.get(1, ""), self._map.entry.origin)
        return self._identity

    def tags(self) -> tuple[Tag, ...]:
        """Every register of the map."""
        return self._map.tags()

    def read(self, names: Sequence[str]) -> tuple[TagValue, ...]:
        """The registers, in as few requests as their addresses allow."""
        wanted = {name: self._map.register(name) for name in names}
        found: dict[str, Plain | None] = {}
        times: dict[str, datetime] = {}
        for block in blocks(wanted, self._map.entry.largest_gap):
            words = self._read(block.names[0], block.table, block.start, block.end - block.start)
            now = datetime.now(UTC)
            for name in block.names:
                item = wanted[name]
                part = words[item.address - block.start : item.address - block.start + item.count]
                found[name], times[name] = decoded(item, self._map.order(item), part), now
        origin = self._map.entry.origin
        return tuple(
            TagValue(
                name, found[name], wanted[name].unit, times[name], "bad" if found[name] is None else "good", origin
            )
            for name in names
        )

    def write(self, values: Mapping[str, Plain]) -> None:
        """Write each register and read it again; what does not hold is an `InputError`. Nothing is written where one
        of the values does not fit its register."""
        words = {}
        for name, value in values.items():
            item = self._map.register(name)
            if not item.writable:
                remedy = "Name a register that the map calls writable."
                raise InputError(f"{name} ({item.table} {item.address}) cannot be written", remedy=remedy)
            words[name] = encoded(item, self._map.order(item), value, name)
        for name, given in words.items():
            item = self._map.register(name)
            request = ask_write(item.table, item.address, given)
            self._guarded(name, partial(self._connection.ask, request))
            if item.read_back:
                self._verify(name, item, given)

    def _verify(self, name: str, item: Register, given: list[int]) -> None:
        held = self._read(name, item.table, item.address, item.count)
        if held != given:
            order = self._map.order(item)
            kept, wanted = decoded(item, order, held), decoded(item, order, given)
            raise InputError(
                f"{name} was written as {wanted} {item.unit}".rstrip() + f", and holds {kept} {item.unit}".rstrip(),
                remedy="Look at the device's limits and mode; a register that clears itself has `read_back: false`.",
            )

    def _read(self, name: str, table: Table, address: int, count: int) -> list[int]:
        return self._guarded(name, partial(self._connection.read, table, address, count))

    def _guarded(self, name: str, work: Callable[[], Answer]) -> Answer:
        """Exceptions of the device as errors that say what to do."""
        try:
            return work()
        except FaultAnswer as answer:
            item = self._map.register(name)
            message = f"{self.name} answers {answer.words} for {name} ({item.table} {item.address}, {item.type})"
            if answer.code in _OURS:
                raise InputError(message, remedy=_REMEDIES[answer.code]) from None
            raise UnavailableError(message, remedy="Look at the device; call again when it is well.") from None


def identification(connection: ModbusConnection) -> dict[int, str]:
    """The basic identification of a device; empty where it has none."""
    try:
        return read_identity(connection.ask(ask_identity()))
    except (FaultAnswer, WireError):
        return {}


class Block:
    """Registers that are read with one request, from `start` to before `end`."""

    def __init__(self, table: Table, start: int, end: int, names: list[str]) -> None:
        self.table: Table = table
        self.start, self.end, self.names = start, end, names


def blocks(wanted: Mapping[str, Register], gap: int = 0) -> Iterator[Block]:
    """The fewest requests for these registers that leave out gaps longer than `gap`."""
    block: Block | None = None
    for name, item in sorted(wanted.items(), key=lambda pair: (pair[1].table, pair[1].address)):
        most = MOST_BITS if item.table in BITS else MOST_REGISTERS
        end = item.address + item.count
        if block and block.table == item.table and item.address - block.end <= gap and end - block.start <= most:
            block.end = max(block.end, end)
            block.names.append(name)
            continue
        if block:
            yield block
        block = Block(item.table, item.address, end, [name])
    if block:
        yield block


def _unit_id(address: Address) -> int:
    text = address.path or "1"
    if not text.isdecimal() or int(text) > 255:
        raise InputError(
            f"{address} names the unit {text!r}", remedy="Write the unit id, 0 to 255: modbus://host:502/1."
        )
    return int(text)
