"""Modbus on the wire by its specification, register maps, and the fewest requests."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.automation import parse_address
from seedtrain.automation._protocols._modbus import Fault, ModbusDevice, Register, decoded, encoded, parse_register_map
from seedtrain.automation._protocols._modbus._client import blocks
from seedtrain.automation._protocols._modbus._map import FORMATS
from seedtrain.automation._protocols._modbus._serve import ServerFault, answer
from seedtrain.automation._protocols._modbus._wire import (
    FaultAnswer,
    Table,
    WireError,
    ask_read,
    ask_write,
    check_answer,
    frame,
    read_header,
    read_values,
)
from seedtrain.base import InputError, InputErrors, UnavailableError


def register(**entry: Any) -> Register:
    return Register.model_validate({"address": 0, **entry})


class Store:
    """The registers and coils of the specification's examples."""

    identity = ("a", "b", "c")

    def __init__(self) -> None:
        self.held: dict[tuple[Table, int], int] = {
            ("holding", 107): 0x022B,
            ("holding", 108): 0,
            ("holding", 109): 0x64,
        }
        bits = [1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1]  # CD 6B 05
        self.held |= {("coil", 19 + index): bit for index, bit in enumerate(bits)}

    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        try:
            return [self.held[table, address + index] for index in range(count)]
        except KeyError:
            raise ServerFault(Fault.ILLEGAL_DATA_ADDRESS) from None

    async def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        self.held |= {(table, address + index): value for index, value in enumerate(values)}


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        ("03 006B 0003", "03 06 022B 0000 0064"),  # 6.3 read holding registers
        ("01 0013 0013", "01 03 CD6B05"),  # 6.1 read coils
        ("05 00AC FF00", "05 00AC FF00"),  # 6.5 write single coil
        ("06 0001 0003", "06 0001 0003"),  # 6.6 write single register
        ("0F 0013 000A 02 CD01", "0F 0013 000A"),  # 6.11 write multiple coils
        ("10 0001 0002 04 000A 0102", "10 0001 0002"),  # 6.12 write multiple registers
        ("03 FFFF 0002", "83 02"),
        ("03 006B 007E", "83 03"),  # more than 125
        ("10 0001 0002 03 000A01", "90 03"),
        ("05 00AC 1234", "85 03"),
        ("63 00", "E3 01"),
        ("03 00", "83 03"),
    ],
)
def test_the_examples_of_the_specification(request_: str, response: str):
    """MODBUS Application Protocol V1.1b3; the refusals by its state diagrams."""
    store = Store()
    assert asyncio.run(answer(store, bytes.fromhex(request_))) == bytes.fromhex(response)


def test_what_the_examples_ask_is_what_we_ask():
    assert ask_read("holding", 107, 3) == bytes.fromhex("03006B0003")
    assert ask_write("holding", 1, [10, 258]) == bytes.fromhex("100001000204000A0102")
    assert ask_write("coil", 19, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]) == bytes.fromhex("0F0013000A02CD01")
    assert frame(0x1501, 0xFF, b"\x03") == bytes.fromhex("1501 0000 0002 FF 03")
    data = check_answer(ask_read("coil", 19, 19), bytes.fromhex("0103CD6B05"))
    assert read_values("coil", 19, data) == [1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1]
    with pytest.raises(FaultAnswer) as caught:
        check_answer(ask_read("holding", 0, 1), b"\x83\x02")
    assert caught.value.words == "illegal data address"
    for wrong in (b"", b"\x04\x02\x00\x00"):
        with pytest.raises(WireError):
            check_answer(ask_read("holding", 0, 1), wrong)
    with pytest.raises(WireError):
        read_header(bytes.fromhex("0001 0001 0002 01"))


@given(st.binary(min_size=1, max_size=253))
@settings(max_examples=100, deadline=None)
def test_any_request_has_an_answer(request_: bytes):
    found = asyncio.run(answer(Store(), request_))
    assert found[0] & 0x7F == request_[0] & 0x7F
    assert len(found) <= 253


@given(st.data(), st.sampled_from(sorted(FORMATS)), st.sampled_from(["big", "little"]))
@settings(max_examples=150, deadline=None)
def test_registers_hold_what_was_written(data: st.DataObject, kind: str, order: Any):
    item = register(type=kind)
    if kind == "time64":
        return
    if kind.startswith("float"):
        number = data.draw(st.floats(width=32 if kind == "float32" else 64, allow_nan=False, allow_infinity=False))
    else:
        bits, signed = int(kind.lstrip("uint")), not kind.startswith("u")
        widest = min(bits, 53)  # beyond which a float is not exact
        number = data.draw(st.integers(-(2 ** (widest - 1)) if signed else 0, 2 ** (widest - 1) - 1))
    words = encoded(item, order, number, "x")
    assert len(words) == item.count
    assert decoded(item, order, words) == number


def test_word_orders_and_scales_by_hand():
    """1.5 is 3FC00000 in IEEE 754; 100000 is 000186A0."""
    real = register(type="float32")
    assert encoded(real, "big", 1.5, "x") == [0x3FC0, 0]
    assert encoded(real, "little", 1.5, "x") == [0, 0x3FC0]
    whole = register(type="uint32")
    assert decoded(whole, "big", [0x0001, 0x86A0]) == decoded(whole, "little", [0x86A0, 0x0001]) == 100000
    scaled = register(type="int16", scale="0.1", offset="-20")
    assert encoded(scaled, "big", 17.0, "x") == [370]
    assert decoded(scaled, "big", [370]) == pytest.approx(17.0)
    assert decoded(scaled, "big", [0xFFFF]) == pytest.approx(-20.1)
    states = register(codes={"0": "idle", "1": "running"})
    assert (decoded(states, "big", [1]), decoded(states, "big", [9])) == ("running", None)
    assert decoded(real, "big", [0x7FC0, 0]) is None, "not a number has no value"
    text = register(type="text", length=3)
    assert decoded(text, "big", encoded(text, "big", "µL", "x")) == "µL"


@pytest.mark.parametrize(
    ("entry", "value", "words"),
    [
        ({"type": "int16", "scale": "0.01"}, 400.0, "more than int16 holds"),
        ({"type": "uint16"}, -1.0, "more than uint16 holds"),
        ({"type": "float32"}, 1e39, "more than float32 holds"),
        ({"type": "uint16"}, math.nan, "is a number, not nan"),
        ({"type": "uint16"}, True, "is a number, not True"),
        ({"type": "uint16", "codes": {"0": "off"}}, "on", "knows no 'on'"),
        ({"table": "coil", "type": "bit"}, 1.0, "is yes or no"),
        ({"type": "text", "length": 1}, "too long", "takes 8 bytes"),
    ],
)
def test_a_value_that_a_register_cannot_hold_is_refused(entry: dict[str, Any], value: Any, words: str):
    with pytest.raises(InputError, match=words) as caught:
        encoded(register(**entry), "big", value, "x")
    assert caught.value.remedy


registers = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=4),
    st.builds(
        lambda address, kind, table: Register.model_validate({"address": address, "type": kind, "table": table}),
        st.integers(0, 900),
        st.sampled_from(["uint16", "float32", "float64"]),
        st.sampled_from(["holding", "input"]),
    ),
    max_size=30,
)


@given(registers, st.integers(0, 20))
@settings(max_examples=80, deadline=None)
def test_blocks_hold_every_register_once_and_no_more_than_a_request_may(wanted: dict[str, Register], gap: int):
    found = list(blocks(wanted, gap))
    assert sorted(name for block in found for name in block.names) == sorted(wanted)
    for block in found:
        assert 0 < block.end - block.start <= 125
        taken = {
            address
            for name in block.names
            for address in range(wanted[name].address, wanted[name].address + wanted[name].count)
        }
        assert block.start == min(taken)
        assert block.end == max(taken) + 1
        assert all(wanted[name].table == block.table for name in block.names)
        free = sorted(taken)
        assert all(after - before - 1 <= gap for before, after in pairwise(free))


def test_neighbours_are_read_at_once():
    entry = {str(index): Register.model_validate({"address": 2 * index, "type": "float32"}) for index in range(100)}
    assert [(block.start, block.end) for block in blocks(entry)] == [(0, 124), (124, 200)]


def test_faults_of_a_register_map_come_at_once():
    text = """origin: measured
registers:
  a: {address: 0, type: float32}
  b: {address: 1}
  c: {address: 9, table: coil}
  d: {address: 9, table: input, writable: true}
  e: {address: 10, scale: 0}
  f: {address: 11, type: text}
  g: {address: 65535, type: float64}
  h: {address: 30, type: float32, codes: {0: x}}
"""
    with pytest.raises(InputErrors) as caught:
        parse_register_map(text, "registers.yaml")
    said = [(error.message.partition(": ")[2], error.position.line) for error in caught.value.parts if error.position]
    assert said == [
        ("holding 1 belongs to a already", 4),
        ("coil 9 does not hold uint16", 5),
        ("input 9 cannot be written", 6),
        ("this scale loses the value", 7),
        ("a text, and nothing else, has a length", 8),
        ("it ends beyond register 65535", 9),
        ("codes of float32", 10),
    ]
    with pytest.raises(InputErrors, match="furlong"):
        parse_register_map("origin: measured\nregisters:\n  a: {address: 0, unit: furlong9}\n", "registers.yaml")


def test_nobody_there_is_unavailable():
    known = parse_register_map("origin: measured\nregisters:\n  a: {address: 0}\n", "registers.yaml")
    device = ModbusDevice(parse_address("modbus://127.0.0.1:1/1"), known, patience=0.1)
    with pytest.raises(UnavailableError, match="cannot be reached"):
        device.read(("a",))
    with pytest.raises(InputError, match="names the unit 'x'"):
        ModbusDevice(parse_address("modbus://127.0.0.1:1/x"), known)
