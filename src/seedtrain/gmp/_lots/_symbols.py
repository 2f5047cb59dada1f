"""GS1 DataMatrix and GS1-128 as modules, dark or light; the two encoders are small packages of their own."""

from __future__ import annotations

from typing import Any, Final

from seedtrain.base import InputError, UnavailableError
from seedtrain.gmp._lots._gs1 import GS

Modules = tuple[tuple[bool, ...], ...]
FNC1: Final = 232
"""The codeword that makes a Data Matrix a GS1 one where it stands first, and separates elsewhere (ISO/IEC 16022)."""

_PAD: Final = 129
# Codewords of data that a square symbol holds (ISO/IEC 16022, table 7), up to 120 x 120.
_CAPACITIES: Final = (3, 5, 8, 12, 18, 22, 30, 36, 44, 62, 86, 114, 144, 174, 204, 280, 368, 456, 576, 696, 816, 1050)
_LONGEST_GS1_128: Final = 48  # GS1 General Specifications, section 5.4: characters, separators included
_FNC1_OF_CODE_128: Final = "\xf1"  # how python-barcode writes it


class _Codewords(bytes):
    """Codewords that are encoded already, in the place of the encoder's message."""

    def encode(self, _codec: str) -> bytes:
        return bytes(self)


def data_matrix(text: str) -> Modules:
    """The rows of a square GS1 DataMatrix of an element string, without its quiet zone (one module on each side)."""
    return matrix_of(bytes([FNC1]) + codewords_of(text))


def matrix_of(codewords: bytes) -> Modules:
    """The rows of a square Data Matrix of codewords that are encoded already; it is padded up to the next size."""
    try:
        from ppf.datamatrix import DataMatrix  # type: ignore[import-untyped]
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    made: Any = DataMatrix(_padded(codewords), codecs=["ascii"])
    return tuple(tuple(bool(cell) for cell in row) for row in made.matrix)


def gs1_128(text: str) -> tuple[bool, ...]:
    """The modules of a GS1-128 of an element string, without its quiet zones (ten modules on each side)."""
    try:
        from barcode.codex import Gs1_128  # type: ignore[import-untyped]
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    if len(text) > _LONGEST_GS1_128:
        raise InputError(
            f"{len(text)} characters do not fit a GS1-128, which takes {_LONGEST_GS1_128}",
            remedy="Print a DataMatrix, or leave something out.",
        )
    (bits,) = Gs1_128(text.replace(GS, _FNC1_OF_CODE_128)).build()
    return tuple(bit == "1" for bit in bits)


def codewords_of(text: str) -> bytes:
    """ASCII encodation: two digits in one codeword, FNC1 for the separator."""
    out, at = [], 0
    while at < len(text):
        pair = text[at : at + 2]
        if pair[0] == GS:
            out.append(FNC1)
        elif len(pair) == 2 and pair.isdecimal() and pair.isascii():
            out.append(130 + int(pair))
            at += 1
        elif ord(pair[0]) < 128:
            out.append(ord(pair[0]) + 1)
        else:
            raise InputError(f"{pair[0]!r} cannot stand in a GS1 barcode", remedy="Use letters without accents.")
        at += 1
    return bytes(out)


def _padded(codewords: bytes) -> _Codewords:
    """Filled up to the next symbol by the 253-state algorithm (ISO/IEC 16022, annex B).

    The encoder's own padding is not used: ppf-datamatrix 0.2 writes 0 where the standard has 254, at the 28th codeword.
    """
    capacity = next((size for size in _CAPACITIES if size >= len(codewords)), None)
    if capacity is None:
        raise InputError("this is too long for a DataMatrix", remedy="Leave something out.")
    out = list(codewords)
    if len(out) < capacity:
        out.append(_PAD)
    while len(out) < capacity:
        number = _PAD + (149 * (len(out) + 1)) % 253 + 1
        out.append(number if number <= 254 else number - 254)
    return _Codewords(out)


def _missing(error: ModuleNotFoundError) -> UnavailableError:
    return UnavailableError(
        f"labels need the package that has {error.name}, and it is not installed",
        remedy="Install it: pip install 'seedtrain[gmp]'.",
    )
