"""What an instrument's export holds: its tables, and what each column is taken for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, read_text
from seedtrain.development._data_check._table import Sheet

EVENTS: Final = "events"
"""The sheet of an export that holds its events."""


@dataclass(frozen=True)
class Suggestion:
    """What a column of an export is taken for; `note` says what a person must check."""

    column: str
    symbol: str
    unit: str = ""
    factor: float = 1.0
    note: str = ""


@dataclass(frozen=True)
class ExportTable:
    """One table of an export: `name` of its sheet, the columns of run and time, and what the others are taken for.

    - `event`, `words`: columns of an event's kind and words, of a table of events. - `left`: what is not read.
    """

    name: str
    sheet: Sheet
    run: str
    time: str
    time_unit: str
    columns: tuple[Suggestion, ...] = ()
    event: str = ""
    words: str = ""
    left: tuple[str, ...] = ()


class Pivot:
    """Rows of one reading each, gathered under a header that grows with what is read."""

    def __init__(self, *first: str) -> None:
        self.header = dict.fromkeys(first)
        self.rows: list[tuple[int, dict[str, str]]] = []

    def add(self, line: int, cells: dict[str, str]) -> None:
        """A row from that line of the file."""
        self.header |= dict.fromkeys(cells)
        self.rows.append((line, cells))

    def sheet(self, file: str) -> Sheet:
        """The table."""
        names = tuple(self.header)
        rows = tuple(tuple(cells.get(name, "") for name in names) for _line, cells in self.rows)
        return Sheet(file, names, rows, tuple(line for line, _cells in self.rows))


def unique(columns: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """The suggestions with a symbol each: a second of one symbol gets a number."""
    count: dict[str, int] = {}
    found = []
    for item in columns:
        count[item.symbol] = count.get(item.symbol, 0) + 1
        again = f"_{count[item.symbol]}" if count[item.symbol] > 1 else ""
        found.append(Suggestion(item.column, item.symbol + again, item.unit, item.factor, item.note))
    return tuple(found)


def decoded(path: Path, encoding: str) -> str:
    """The text of an older instrument's file, in UTF-8 or its own `encoding`."""
    try:
        return read_text(path, what="export")
    except InputError as error:
        if "UTF-8" not in str(error):
            raise
        return path.read_bytes().decode(encoding)
