"""A CSV file as cells that know where they stand, so that every fault can be shown at its place."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, Position, SeedtrainError, UnavailableError, collect

LARGEST_BYTES: Final = 64 * 1024 * 1024
DELIMITERS: Final = (",", ";", "\t")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Cell:
    """The text of a cell without the spaces around it, and its line and column, counted from 1."""

    text: str
    line: int
    column: int


@dataclass(frozen=True)
class CsvTable:
    """The cells of a file, the head first; faults that do not let a row be read stand apart."""

    file: str
    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    faults: tuple[SeedtrainError, ...]

    def fault(self, cell: Cell, message: str, remedy: str) -> InputError:
        """An error at a cell."""
        return InputError(message, position=Position(self.file, cell.line, cell.column), remedy=remedy)


def read_bytes(path: Path) -> bytes:
    """A file's bytes; `InputError` for one that is missing or huge, `UnavailableError` where the disk fails."""
    where = Position(str(path))
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError("the file is larger than 64 MiB", position=where, remedy="Split it.")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError("there is no such file", position=where, remedy="Check the path.") from None
    except IsADirectoryError:
        raise InputError("this is a folder, not a file", position=where, remedy="Give a file.") from None
    except OSError as error:
        raise UnavailableError(f"the file cannot be read: {error.strerror}", position=where) from error


def read_csv(raw: bytes, file: str, *, encoding: str = "utf-8", delimiter: str = "") -> CsvTable:
    """The cells of a CSV file (RFC 4180), as spreadsheets write it: with or without a byte order mark.

    - `encoding`: of a file without a byte order mark. `delimiter`: found in the head if not given.

    Raises `InputError` for bytes that are no text of the encoding, with their place, and for a file without a head.
    """
    text = _decoded(raw, file, encoding)
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise InputError("the file is empty", position=Position(file, 1, 1), remedy="Write a head and a line a lot.")
    mark = delimiter or max(DELIMITERS, key=first.count)
    rows, faults = _Reader(text, file, mark).read()
    collect([] if rows else faults)
    if not rows:
        raise InputError("the file has no head", position=Position(file, 1, 1), remedy="Name the columns first.")
    return CsvTable(file, rows[0], tuple(rows[1:]), tuple(faults))


def _decoded(raw: bytes, file: str, encoding: str) -> str:
    marked = next(((mark, name) for mark, name in _MARKS if raw.startswith(mark)), None)
    name = marked[1] if marked else encoding
    body = raw[len(marked[0]) :] if marked and marked[1] == "utf-8" else raw
    try:
        text = body.decode(name)
    except LookupError:
        raise InputError(f"there is no encoding {encoding!r}", remedy="Use utf-8, gb18030, cp1252 ...") from None
    except UnicodeDecodeError as error:
        good = body[: error.start].decode(name, errors="replace")
        line, column = good.count("\n") + 1, len(good) - good.rfind("\n")
        raise InputError(
            f"byte 0x{body[error.start]:02x} is not {name} text",
            position=Position(file, line, column),
            remedy="Save the file as UTF-8, or say what it is: --encoding gb18030 or --encoding cp1252.",
        ) from None
    return text.removeprefix("\ufeff")


class _Reader:
    """Splits a text into rows of cells; a row that cannot be split is a fault, and reading goes on after it."""

    def __init__(self, text: str, file: str, delimiter: str) -> None:
        self.text, self.file = text, file
        stop = re.escape(delimiter)
        self.cell = re.compile(rf'[ ]*"((?:[^"]|"")*)"[ ]*(?={stop}|\r|\n|\Z)|([^{stop}\r\n"]*)(?={stop}|\r|\n|\Z)')
        self.delimiter = delimiter
        self.at, self.line, self.start = 0, 1, 0
        self.faults: list[SeedtrainError] = []

    def read(self) -> tuple[list[tuple[Cell, ...]], list[SeedtrainError]]:
        rows = []
        while self.at < len(self.text):
            row = self._row()
            if row and any(cell.text for cell in row):
                rows.append(row)
        return rows, self.faults

    def _row(self) -> tuple[Cell, ...]:
        cells: list[Cell] = []
        while True:
            column = self.at - self.start + 1
            found = self.cell.match(self.text, self.at)
            if found is None:
                self._broken(column)
                return ()
            quoted = found[1]
            text = quoted.replace('""', '"') if quoted is not None else found[2]
            cell = Cell(text.strip(), self.line, column)
            if _CONTROL.search(text):
                self._note(cell.line, column, f"{text[:20]!r} holds a control character", "Remove it.")
            cells.append(cell)
            self.at = found.end()
            if quoted is not None and "\n" in quoted:
                self.line += quoted.count("\n")
                self.start = self.text.rfind("\n", 0, self.at) + 1
            if self.text.startswith(self.delimiter, self.at):
                self.at += 1
                continue
            self._next_line()
            return tuple(cells)

    def _next_line(self) -> None:
        if self.text.startswith("\r\n", self.at):
            self.at += 2
        else:
            self.at += 1
        self.line += 1
        self.start = self.at

    def _broken(self, column: int) -> None:
        """A quotation mark inside a cell, or one that is never closed: the line is left out, and named."""
        here = self.text[self.at : self.at + 20].split("\n")[0]
        self._note(
            self.line,
            column,
            f"the quotation marks of {here!r} do not match",
            'Put the whole cell in quotation marks, and write "" for one inside it.',
        )
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end
        self._next_line()

    def _note(self, line: int, column: int, message: str, remedy: str) -> None:
        self.faults.append(InputError(message, position=Position(self.file, line, column), remedy=remedy))
