"""NetCDF classic files (64-bit offsets) whose parts can be written in any order, and again after a kill.

The classic format puts every variable at a fixed place behind one header (The NetCDF Classic Format Specification,
Unidata): a chunk of trajectories is written where it belongs and never moves. Every reader of netCDF reads it, SciPy
alone included; HDF5 would need its own library and may be left unreadable by a kill.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError

TYPES: Final = {"S1": (2, 1), "i4": (4, 4), "f8": (6, 8)}
"""Type code and size in bytes by numpy's name."""
DIMENSIONS, VARIABLES, ATTRIBUTES = 0x0A, 0x0B, 0x0C
MAGIC: Final = b"CDF\x02"
LARGEST: Final = 2**32 - 4
"""Bytes of one variable that the 64-bit-offset format can hold where others follow it."""


@dataclass(frozen=True)
class Field:
    """A variable: `dimensions` by name, `kind` of `TYPES`, and its attributes (text, or numbers)."""

    name: str
    dimensions: tuple[str, ...]
    kind: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """Dimensions by name and size, variables, attributes of the whole."""

    sizes: Mapping[str, int]
    fields: Sequence[Field]
    attributes: Mapping[str, Any]

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a variable."""
        found = next(item for item in self.fields if item.name == name)
        return tuple(self.sizes[dimension] for dimension in found.dimensions)

    def bytes_of(self, item: Field) -> int:
        """Bytes that a variable takes, without filling."""
        return int(np.prod(self.shape(item.name), dtype=np.int64)) * TYPES[item.kind][1]


class Writer:
    """An open file with `layout` on it, into which slabs of the first axis are written at their places."""

    def __init__(self, handle: int, layout: Layout) -> None:
        for item in layout.fields:
            if layout.bytes_of(item) > LARGEST:
                raise InputError(
                    f"{item.name} of {layout.shape(item.name)} takes {layout.bytes_of(item) / 1e9:.1f} GB, above the "
                    f"{LARGEST / 1e9:.1f} GB of one variable of the file format",
                    remedy="Save fewer times, or split the ensemble into several files.",
                )
        self._handle, self._layout = handle, layout
        header, self._begins = _header(layout)
        self.size = len(header) + sum(_filled(layout.bytes_of(item)) for item in layout.fields)
        self._head = header

    def prepare(self) -> None:
        """Write the header and give the file its whole size."""
        os.posix_fallocate(self._handle, 0, self.size)  # a disk that is too small says so now
        _write(self._handle, self._head, 0)

    def put(self, name: str, first: int, values: NDArray[Any]) -> None:
        """Write `values` as rows `first` and on of the variable `name`."""
        item = next(item for item in self._layout.fields if item.name == name)
        shape = self._layout.shape(name)
        assert values.shape[1:] == shape[1:], f"{name}: {values.shape} into {shape}"
        assert first + len(values) <= shape[0]
        width = int(np.prod(shape[1:], dtype=np.int64)) * TYPES[item.kind][1]
        kind = item.kind if item.kind == "S1" else f">{item.kind}"
        _write(self._handle, np.ascontiguousarray(values, dtype=kind).tobytes(), self._begins[name] + first * width)

    def sync(self) -> None:
        """Everything written so far is on the disk when this returns."""
        os.fsync(self._handle)


HEADER_READ: Final = 2**20
"""Bytes in which the attributes of the whole stand: they come before every variable."""


def text_attribute(path: Path, name: str) -> str | None:
    """An attribute in text from the header alone, the file's own before a variable's; None where there is none."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(HEADER_READ)
    except OSError:
        return None
    at = raw.find(_name(name) + struct.pack(">i", 2))
    if not raw.startswith(MAGIC) or at < 0:
        return None
    place = at + len(_name(name)) + 8
    (size,) = struct.unpack_from(">i", raw, place - 4)
    return raw[place : place + size].decode(errors="replace")


def letters(texts: Sequence[str]) -> tuple[NDArray[Any], int]:
    """Texts as rows of single bytes (UTF-8), and the width of a row."""
    raw = [text.encode() for text in texts]
    width = max([1, *(len(item) for item in raw)])
    joined = b"".join(item.ljust(width, b"\0") for item in raw)
    return np.frombuffer(joined, dtype="S1").reshape(len(raw), width), width


def _write(handle: int, data: bytes, place: int) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(handle, view, place)
        view, place = view[done:], place + done


def _filled(size: int) -> int:
    return -(-size // 4) * 4


def _header(layout: Layout) -> tuple[bytes, dict[str, int]]:
    """The header, and where each variable begins; its length does not depend on the places, so two passes do."""
    places = dict.fromkeys((item.name for item in layout.fields), 0)
    place = len(_written(layout, places))
    for item in layout.fields:
        places[item.name] = place
        place += _filled(layout.bytes_of(item))
    return _written(layout, places), places


def _written(layout: Layout, places: Mapping[str, int]) -> bytes:
    names = list(layout.sizes)
    parts = [MAGIC, struct.pack(">i", 0), struct.pack(">ii", DIMENSIONS, len(names))]
    parts += [_name(name) + struct.pack(">i", layout.sizes[name]) for name in names]
    parts += [_attributes(layout.attributes), struct.pack(">ii", VARIABLES, len(layout.fields))]
    for item in layout.fields:
        code, _ = TYPES[item.kind]
        parts += [_name(item.name), struct.pack(">i", len(item.dimensions))]
        parts += [struct.pack(">i", names.index(dimension)) for dimension in item.dimensions]
        parts += [_attributes(item.attributes), struct.pack(">i", code)]
        parts += [struct.pack(">I", _filled(layout.bytes_of(item))), struct.pack(">q", places[item.name])]
    return b"".join(parts)


def _name(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">i", len(raw)) + raw.ljust(_filled(len(raw)), b"\0")


def _attributes(found: Mapping[str, Any]) -> bytes:
    if not found:
        return struct.pack(">ii", 0, 0)
    parts = [struct.pack(">ii", ATTRIBUTES, len(found))]
    for name, value in found.items():
        if isinstance(value, str):
            raw = value.encode()
            parts += [_name(name), struct.pack(">ii", 2, len(raw)), raw.ljust(_filled(len(raw)), b"\0")]
            continue
        numbers = np.atleast_1d(value)
        kind = "i4" if np.issubdtype(numbers.dtype, np.integer) else "f8"
        raw = numbers.astype(f">{kind}").tobytes()
        parts += [_name(name), struct.pack(">ii", TYPES[kind][0], len(numbers)), raw]
    return b"".join(parts)
