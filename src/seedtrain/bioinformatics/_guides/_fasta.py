"""Genomes from FASTA as a stream of two-bit codes, with a position for whatever is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Position, open_packed

Codes = NDArray[np.uint8]

AMBIGUOUS: Final = 4
"""The code of a letter that stands for several bases; A, C, G and T are 0 to 3."""
_SPACE: Final = 254
_INVALID: Final = 255
BLOCK_BYTES: Final = 4 * 1024 * 1024
LONGEST_HEADER_BYTES: Final = 1024 * 1024
LETTERS: Final = "ACGTN"


def _code_table() -> Codes:
    table = np.full(256, _INVALID, dtype=np.uint8)
    for group, code in (("A", 0), ("C", 1), ("G", 2), ("TU", 3), ("NRYSWKMBDHV", AMBIGUOUS)):
        for letter in group + group.lower():
            table[ord(letter)] = code
    table[list(b" \t\r\n")] = _SPACE
    return table


CODE_OF: Final = _code_table()


def codes_of(sequence: str) -> Codes:
    """Codes of letters; every letter must be one of IUPAC's for nucleic acids."""
    codes = CODE_OF[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)]
    assert not len(codes) or codes.max() <= AMBIGUOUS
    return codes


def letters_of(codes: Codes) -> str:
    """Letters of codes; `N` for whatever is ambiguous."""
    return np.frombuffer(LETTERS.encode("ascii"), dtype=np.uint8)[codes].tobytes().decode("ascii")


def complement(sequence: str) -> str:
    """The reverse complement of A, C, G, T and N."""
    return sequence.translate(str.maketrans("ACGTN", "TGCAN"))[::-1]


def read_contigs(path: Path) -> Iterator[tuple[str, Codes]]:
    """Each contig of a FASTA file (plain or gzip) as `(name, codes)`, a long one in several pieces of one name.

    Memory does not grow with the file. Raises `InputError` with file, line and column for a letter that is no
    nucleotide, a missing header, an empty contig, a name used twice, a truncated gzip, an empty file.
    """
    with open_packed(path, what="genome", give="Give a FASTA file.") as stream:
        yield from _Parser(path, stream).contigs()


class _Parser:
    """One reading of one file."""

    def __init__(self, path: Path, stream: BufferedIOBase) -> None:
        self._path = path
        self._stream = stream
        self._line = 1
        self._name = ""
        self._bases = 0
        self._seen: set[str] = set()

    def contigs(self) -> Iterator[tuple[str, Codes]]:
        carry, at_start = b"", True
        while block := self._stream.read(BLOCK_BYTES):
            data, place = carry + block, 0
            carry = b""
            while place < len(data):
                if at_start and data[place : place + 1] == b">":
                    end = data.find(b"\n", place)
                    if end < 0:
                        carry = data[place:]
                        self._check_header(carry)
                        break
                    self._header(data[place + 1 : end])
                    place = end + 1
                    continue
                end = data.find(b"\n>", place) + 1 or len(data)
                codes = self._codes(data[place:end])
                at_start = data[end - 1 : end] == b"\n"
                place = end
                if len(codes):
                    yield self._name, codes
        if carry:
            self._header(carry[1:])
        self._finish()

    def _check_header(self, text: bytes) -> None:
        if len(text) > LONGEST_HEADER_BYTES:
            raise self._error("this header never ends", remedy="Give a FASTA file with line ends.")

    def _error(self, message: str, *, remedy: str, column: int = 1, line: int = 0) -> InputError:
        return InputError(message, position=Position(str(self._path), line or self._line, column), remedy=remedy)

    def _header(self, text: bytes) -> None:
        if self._seen:
            self._check_not_empty()
        words = text.decode("utf-8", errors="replace").split()
        if not words:
            raise self._error("a contig without a name", remedy="Write a name behind '>'.")
        if words[0] in self._seen:
            raise self._error(f"the contig {words[0]!r} stands twice", remedy="Give each contig a name of its own.")
        self._name, self._bases = words[0], 0
        self._seen.add(words[0])
        self._line += 1

    def _codes(self, text: bytes) -> Codes:
        raw = CODE_OF[np.frombuffer(text, dtype=np.uint8)]
        codes: Codes = raw[raw != _SPACE]
        if len(codes) and not self._seen:
            remedy = "Begin the FASTA file with '>' and a name; of GenBank, export the sequence as FASTA."
            raise self._error("sequence before the first header", remedy=remedy)
        if len(codes) and codes.max() == _INVALID:
            at = int(np.argmax(raw == _INVALID))
            line = self._line + text.count(b"\n", 0, at)
            letter = chr(text[at])
            raise self._error(
                f"{letter!r} is no nucleotide",
                line=line,
                column=at - (text.rfind(b"\n", 0, at) + 1) + 1,
                remedy="Give DNA: A, C, G, T, or an IUPAC letter such as N where the base is not known.",
            )
        self._line += text.count(b"\n")
        self._bases += len(codes)
        return codes

    def _check_not_empty(self) -> None:
        if not self._bases:
            raise self._error(
                f"the contig {self._name!r} has no sequence", line=max(1, self._line - 1), remedy="Fill or drop it."
            )

    def _finish(self) -> None:
        if not self._seen:
            raise InputError(
                "the file is empty", position=Position(str(self._path)), remedy="Give a FASTA file with a sequence."
            )
        self._check_not_empty()
