"""The virtual plant as a Modbus TCP server, with a register map that says what is where."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from seedtrain.automation._devices import Plain
from seedtrain.automation._plant._points import Point, Points
from seedtrain.automation._protocols._modbus import (
    Fault,
    RegisterMap,
    ServerFault,
    Table,
    decoded,
    encoded,
    parse_register_map,
    serve_modbus,
)
from seedtrain.base import InputError, write_atomic

IDENTITY: Final = ("Seedtrain", "virtual plant (simulated)", "1")
REFUSAL_REGISTERS: Final = 60
"""Registers of a refusal's text: 120 bytes."""


def register_map(points: Sequence[Point]) -> str:
    """The register map file of a plant with these points; the same plant has the same map."""
    after: dict[str, int] = {"input": 0, "holding": 0}
    lines = [
        "# The registers of a virtual plant, written by `seedtrain plant start`. Everything in it is simulated.",
        "device: virtual plant",
        "origin: simulated",
        "word_order: big",
        "registers:",
    ]
    for point in points:
        table = "holding" if point.writable else "input"
        kind, count, length = _type(point)
        entry: dict[str, Any] = {"table": table, "address": after[table], "type": kind}
        entry |= {"length": length} if length else {}
        entry |= {"unit": point.unit} if point.unit else {}
        entry |= {"writable": True} if point.writable else {}
        if point.choices:
            entry["codes"] = {str(number): word for number, word in enumerate(point.choices)}
        after[table] += count
        lines.append(f"  {json.dumps(point.path)}: {json.dumps(entry, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def _type(point: Point) -> tuple[str, int, int]:
    """Type, registers, and length of a text. A target is as exact as a recipe's number."""
    if point.kind == "time":
        return "time64", 4, 0
    if point.kind == "number":
        return ("float64", 4, 0) if point.writable else ("float32", 2, 0)
    return ("uint16", 1, 0) if point.choices else ("text", REFUSAL_REGISTERS, REFUSAL_REGISTERS)


class PlantRegisters:
    """The plant's points as registers."""

    identity: Sequence[str] = IDENTITY

    def __init__(self, points: Points) -> None:
        self._points = points
        self.map: RegisterMap = parse_register_map(register_map(points.all), "the plant's register map")
        self._at: dict[tuple[Table, int], str] = {
            (item.table, address): name
            for name, item in self.map.entry.registers.items()
            for address in range(item.address, item.address + item.count)
        }

    def read(self, table: Table, address: int, count: int) -> list[int]:
        """Registers; one that is not there makes the whole request illegal."""
        self._points.heard()
        found: list[int] = []
        while len(found) < count:
            here = address + len(found)
            name = self._at.get((table, here))
            if name is None:
                raise ServerFault(Fault.ILLEGAL_DATA_ADDRESS)
            first = self.map.register(name).address
            found += self._words(name)[here - first :]
        return found[:count]

    def _words(self, name: str) -> list[int]:
        item, point = self.map.register(name), self._points.by_path[name]
        value, _ = self._points.value(point)
        if value is None:
            return [0x7FF8, *[0] * (item.count - 1)] if point.kind == "number" else [0] * item.count
        if isinstance(value, str) and item.type == "text":
            value = value.encode()[: 2 * item.length].decode("utf-8", "ignore")
        return encoded(item, self.map.order(item), value, name)

    async def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Whole registers of points that can be written; nothing is written where one of them cannot be."""
        self._points.heard()
        wanted: list[tuple[Point, Plain]] = []
        here = address
        while here < address + len(values):
            name = self._at.get((table, here))
            if name is None:
                raise ServerFault(Fault.ILLEGAL_DATA_ADDRESS)
            item = self.map.register(name)
            part = list(values[here - address : here - address + item.count])
            if not item.writable or here != item.address:
                raise ServerFault(Fault.ILLEGAL_DATA_ADDRESS)
            value = decoded(item, self.map.order(item), part) if len(part) == item.count else None
            if value is None:
                raise ServerFault(Fault.ILLEGAL_DATA_VALUE)
            wanted.append((self._points.by_path[name], value))
            here += item.count
        for point, value in wanted:
            try:
                await self._points.write(point, value)
            except InputError:
                raise ServerFault(Fault.ILLEGAL_DATA_VALUE) from None


class ModbusSpeaker:
    """Serves the plant's registers, and writes out the register map first."""

    def __init__(self, host: str, port: int, write_map: Path | None) -> None:
        self._host, self._port, self._write_map = host, port, write_map
        self._server: Any = None

    async def start(self, points: Points) -> None:
        """Listen; raises `UnavailableError` where the port is taken."""
        registers = PlantRegisters(points)
        self._server = await serve_modbus(registers, self._host, self._port)
        if self._write_map is not None:
            write_atomic(self._write_map, register_map(points.all))

    async def stop(self) -> None:
        """Hang up."""
        if self._server is not None:
            self._server.close()
