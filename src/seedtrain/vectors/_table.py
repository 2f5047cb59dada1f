"""CSV tables with typed cells: all faults of a file at once, each with its line."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, Position, SeedtrainError, collect, read_text

MOST_ROWS: Final = 200_000


@dataclass(frozen=True)
class Column:
    """One column: a word of `words` (any where empty), or a number from `low` to `high`.

    - `kind`: `word`, `number` or `count` (a whole number). `default`: for an empty cell or a missing column; `None`
      demands a value, `""` leaves the cell empty. `empties`: words that instruments write where there is no value.
    """

    name: str
    kind: str = "number"
    default: str | None = None
    low: float = -math.inf
    high: float = math.inf
    words: tuple[str, ...] = ()
    empties: tuple[str, ...] = ()


NO_CYCLE: Final = ("undetermined", "n/a", "na", "nan", "no ct", "no cq", "not detected")
"""What instruments write in place of a Cq where nothing amplified."""


@dataclass(frozen=True)
class Row:
    """One line: its number in the file, and its cells by column as text that was checked."""

    line: int
    cells: Mapping[str, str]

    def word(self, name: str) -> str:
        """The cell as text."""
        return self.cells[name]

    def number(self, name: str) -> float:
        """The cell as a number."""
        return float(self.cells[name])

    def count(self, name: str) -> int:
        """The cell as a whole number."""
        return int(float(self.cells[name]))


@dataclass(frozen=True)
class Sheet:
    """A file of rows."""

    file: str
    rows: tuple[Row, ...]

    def error(self, row: Row, message: str, remedy: str) -> InputError:
        """An error that points at a row."""
        return InputError(message, position=Position(self.file, row.line, 1), remedy=remedy)


def read_sheet(path: Path, columns: Sequence[Column], *, what: str = "table") -> Sheet:
    """The rows of a CSV file. Raises `InputErrors` with every fault: column, line, value and what is allowed."""
    return parse_sheet(read_text(path, what=what), str(path), columns)


def parse_sheet(text: str, file: str, columns: Sequence[Column]) -> Sheet:
    """`read_sheet` on text in memory. Lines that begin with # and empty lines are skipped.

    Cells are apart by commas; by semicolons or tabs where the line of heads holds no comma.
    """
    kept = _kept(text)
    if not kept:
        raise InputError("the table is empty", position=Position(file), remedy=f"Write: {_names(columns)}.")
    if len(kept) > MOST_ROWS:
        raise InputError(f"over {MOST_ROWS} rows", position=Position(file), remedy="Split the file.")
    mark, head = _mark(kept[0][1]), heads_of(text)
    faults: list[SeedtrainError] = _head_faults(head, columns, Position(file, kept[0][0], 1))
    collect(faults)
    rows = []
    for number, line in kept[1:]:
        cells = [item.strip() for item in _cells(line, mark)]
        here = Position(file, number, 1)
        if len(cells) != len(head):
            faults.append(
                InputError(f"{len(cells)} cells under {len(head)} heads", position=here, remedy="Complete the line.")
            )
            continue
        given = dict(zip(head, cells, strict=True))
        found = {}
        for column in columns:
            value = given.get(column.name, "")
            if not value or value.lower() in column.empties:
                value = column.default or ""
            fault = _fault(column, value)
            if fault:
                faults.append(InputError(f"{column.name}: {fault}", position=here, remedy=_allowed(column)))
            found[column.name] = value
        rows.append(Row(number, found))
    collect(faults)
    if not rows:
        raise InputError(
            "the table has no rows", position=Position(file), remedy=f"Write rows under {_names(columns)}."
        )
    return Sheet(file, tuple(rows))


def heads_of(text: str) -> list[str]:
    """The heads of a table, in lower case; none of one that is empty."""
    kept = _kept(text)
    return [item.strip().lower() for item in _cells(kept[0][1], _mark(kept[0][1]))] if kept else []


def _kept(text: str) -> list[tuple[int, str]]:
    lines = enumerate(text.removeprefix("\ufeff").splitlines(), start=1)
    return [(number, line) for number, line in lines if line.strip() and not line.lstrip().startswith("#")]


def _mark(line: str) -> str:
    return next((item for item in ",;\t" if item in line), ",")


def _cells(line: str, mark: str) -> list[str]:
    return next(csv.reader(io.StringIO(line), delimiter=mark), [])


def _names(columns: Sequence[Column]) -> str:
    return ",".join(column.name for column in columns)


def _head_faults(head: Sequence[str], columns: Sequence[Column], here: Position) -> list[SeedtrainError]:
    faults: list[SeedtrainError] = []
    known = {column.name for column in columns}
    for name in dict.fromkeys(item for item in head if item not in known or head.count(item) > 1):
        words = "stands twice" if name in known else "is unknown"
        faults.append(InputError(f"the column {name!r} {words}", position=here, remedy=f"Use: {_names(columns)}."))
    for column in columns:
        if column.default is None and column.name not in head:
            faults.append(
                InputError(f"the column {column.name!r} is missing", position=here, remedy=f"Use: {_names(columns)}.")
            )
    return faults


def _fault(column: Column, value: str) -> str:
    if not value:
        return "" if column.default == "" else "is empty"
    if column.kind == "word":
        return f"{value!r} is not known" if column.words and value not in column.words else ""
    try:
        number = float(value)
    except ValueError:
        return f"{value!r} is no number"
    if not math.isfinite(number) or not column.low <= number <= column.high:
        return f"{value} is out of {column.low:g} .. {column.high:g}"
    return f"{value} is no whole number" if column.kind == "count" and number != int(number) else ""


def _allowed(column: Column) -> str:
    if column.kind == "word":
        return f"Use one of: {', '.join(column.words)}." if column.words else "Write a word."
    kind = "whole number" if column.kind == "count" else "number"
    return f"Write a {kind} from {column.low:g} to {column.high:g}."
