"""Tables from bench and pilot as text cells with their places: CSV, Excel, Parquet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, Position, SeedtrainError, UnavailableError, collect
from seedtrain.development._data_check._beginning import (
    Beginning,
    beginning_of,
    decoded,
    guessed_encoding,
    joined,
    likely_header,
    separator_of,
)
from seedtrain.development._data_check._region import Region, Row
from seedtrain.development._data_check._several import tables_of, title_above

MOST_ROWS: Final = 2_000_000
SUFFIXES: Final = (".csv", ".tsv", ".txt", ".xlsx", ".parquet")

FORMATTED: Final = 100
"""Rows of a sheet in which cells in percent are looked for: how each cell is shown takes twice the time to read."""
COMMA: Final = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?(?: ?%)?")
POINT: Final = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?(?: ?%)?")
THOUSANDS: Final = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")


@dataclass(frozen=True)
class Sheet:
    """A table: its header, its rows of cells as text, and the line (row of the sheet) of each."""

    file: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def column(self, name: str) -> int:
        """Where a column stands; an unknown one is an `InputError` with the known ones."""
        if name not in self.header:
            known = ", ".join(self.header)
            raise InputError(
                f"there is no column {name!r}", position=Position(self.file, 1, 1), remedy=f"Use one of: {known}."
            )
        return self.header.index(name)

    def place(self, row: int) -> Position:
        """Where a row stands."""
        return Position(self.file, self.lines[row], 1)


def read_sheet(path: Path, sheet: str = "", *, beginning: Beginning | None = None) -> Sheet:
    """The table in a file; `sheet` names one of a workbook (its first if not given).

    - `beginning`: its encoding, and the lines of the names and of the first reading where they are not the first two.

    Raises `InputErrors` for what is no table: no header, a name twice, a row of the wrong length.
    """
    begins = beginning or Beginning()
    found = _rows(path, sheet, begins)
    if not any(any(cells) for _line, cells in found):
        raise InputError("the table is empty", position=Position(str(path), 1, 1),
                         remedy="Export it again, or take it out of the folder.")  # fmt: skip
    found = begins.region.cut(found, str(path)) if begins.region else found
    rows = [(line, cells) for line, cells in found if any(cells) and line >= begins.header]
    if begins.header and (not rows or rows[0][0] != begins.header):
        raise InputError(f"there is no row {begins.header} with names", position=Position(str(path), begins.header, 1),
                         remedy="Correct `header` of the table.")  # fmt: skip
    rows = rows[:1] + [(line, cells) for line, cells in rows[1:] if line >= begins.first]
    over = next((cells for line, cells in found if line == begins.over), ())
    if over and rows:
        rows[0] = (rows[0][0], joined(over, rows[0][1]))
    if len(rows) < 2:
        raise InputError("there is no row below a header", position=Position(str(path), 1, 1),
                         remedy="Give readings below the names, or take the table out of the folder.")  # fmt: skip
    return _sheet(f"{path}[{sheet}]" if sheet else str(path), _without_spacers(rows))


def read_sheet_as_written(path: Path) -> Sheet:
    """`read_sheet` without a mapping: as the table lies in its file, decimal commas as points where they are sure."""
    found = read_sheet(path, beginning=guessed_beginning(path))
    return with_points(found) if has_decimal_commas(found) else found


def is_note(path: Path) -> bool:
    """Whether a file that lies among tables is none: empty, or a text of which fewer than two lines have columns."""
    if not path.stat().st_size:
        return True
    if path.suffix.lower() != ".txt":
        return False
    with path.open("rb") as stream:
        lines = stream.read(100_000).splitlines()
    return sum(any(mark in line for mark in (b"\t", b";", b",")) for line in lines) < 2


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook that hold more than one row; one empty name for any other table."""
    if path.suffix.lower() != ".xlsx":
        return [""]
    with closing(_book(path)) as book:
        sheets = book.worksheets  # without sheets of charts
        kept = [sheet.title for sheet in sheets if sum(any(row) for row in sheet.iter_rows(values_only=True)) > 1]
        return kept if len(kept) > 1 or kept != [sheet.title for sheet in sheets[:1]] else [""]


def guessed_beginning(path: Path, sheet: str = "") -> Beginning:
    """How the table lies in its file as far as its first rows tell: for a draft that a person corrects."""
    return _guessed(path, sheet)[0]


def guessed_beginnings(path: Path, sheet: str = "") -> tuple[list[tuple[Beginning, str]], list[Region]]:
    """How each table of a sheet lies there, with the title above it; the one of `guessed_beginning` where it is one.

    And what holds numbers besides, and is of no table.
    """
    whole, rows = _guessed(path, sheet)
    found = []
    tables, left = tables_of(rows)
    for region, title in tables:
        begins = beginning_of(region.cut(rows, str(path)), encoding=whole.encoding)
        found.append((replace(begins, region=region), title))
    return found or [(whole, title_above(rows, whole.over or whole.header))], left


def _guessed(path: Path, sheet: str) -> tuple[Beginning, list[Row]]:
    if _suffix(path) in (".xlsx", ".parquet"):
        rows = _rows(path, sheet, Beginning())
        return beginning_of(rows), rows
    encoding = guessed_encoding(path)
    above = likely_header(decoded(path, encoding))
    rows = _rows(path, sheet, Beginning(encoding, above))
    found = beginning_of([row for row in rows if row[0] >= above], encoding=encoding)
    return replace(found, header=found.header or (above if above > 1 else 0)), rows


def _suffix(path: Path) -> str:
    """How the file's name ends, where that is a table's; else refused."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"a table ends in {', '.join(SUFFIXES)}, not {suffix or 'nothing'!r}",
            position=Position(str(path)),
            remedy="Save the table as CSV, or a workbook as .xlsx.",
        )
    return suffix


def _rows(path: Path, sheet: str, begins: Beginning) -> list[Row]:
    suffix = _suffix(path)
    reader = {".xlsx": _excel, ".parquet": _parquet}.get(suffix)
    return reader(path, sheet) if reader else _text(path, begins)


def has_decimal_commas(sheet: Sheet) -> bool:
    """Whether a table writes numbers with a decimal comma: some have one, none a point, not all look like thousands.

    `1,234` alone may be either, so that a table of nothing else is not taken for one with decimal commas.
    """
    cells = [cell for row in sheet.rows for cell in row]
    commas = [cell for cell in cells if COMMA.fullmatch(cell)]
    if not commas or any(POINT.fullmatch(cell) for cell in cells):
        return False
    return not all(THOUSANDS.fullmatch(cell) for cell in commas)


def with_points(sheet: Sheet) -> Sheet:
    """The table with the decimal commas of its numbers (channels in the header too) as points."""

    def pointed(cells: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(cell.replace(",", ".") if COMMA.fullmatch(cell) else cell for cell in cells)

    return Sheet(sheet.file, pointed(sheet.header), tuple(map(pointed, sheet.rows)), sheet.lines)


def _without_spacers(rows: list[Row]) -> list[Row]:
    """The rows without columns that are empty throughout, names and all: they part others for the eye."""
    width = len(rows[0][1])
    last = max((at for at, name in enumerate(rows[0][1]) if name), default=-1)
    spare = {at for at in range(last) if not any(at < len(cells) and cells[at] for _line, cells in rows)}
    if not spare:
        return rows
    return [(line, tuple(cell for at, cell in enumerate(cells[:width]) if at not in spare) + cells[width:])
            for line, cells in rows]  # fmt: skip


def _sheet(file: str, rows: list[Row]) -> Sheet:
    top, header = rows[0]
    while header and not header[-1]:
        header = header[:-1]
    faults: list[SeedtrainError] = []
    for at, name in enumerate(header, 1):
        if not name:
            faults.append(InputError(f"column {at} has no name", position=Position(file, top, at), remedy="Name it."))
    for name in sorted({name for name in header if name and header.count(name) > 1}):
        faults.append(
            InputError(f"the column {name!r} stands twice", position=Position(file, top, 1), remedy="Rename one.")
        )
    if header and all(_is_number(name) for name in header):
        faults.append(InputError("the first row holds numbers, no names", position=Position(file, top, 1),
                                 remedy="Put a header above the data."))  # fmt: skip
    kept = []
    for line, cells in rows[1:]:
        if any(cells[len(header) :]) or len(cells) < len(header):
            faults.append(
                InputError(
                    f"the row has {len(cells)} cells, the header {len(header)}",
                    position=Position(file, line, 1),
                    remedy="Check separators and decimal commas.",
                )
            )
        kept.append(cells[: len(header)])
    collect(faults[:20])
    return Sheet(file, header, tuple(kept), tuple(line for line, _ in rows[1:]))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _text(path: Path, begins: Beginning) -> list[Row]:
    text = decoded(path, begins.encoding)
    header = begins.header or (begins.region.top if begins.region else 0)
    try:
        return list(_parsed(text, separator_of(text, header)))
    except csv.Error as error:
        place = Position(str(path), *error.args[1:])
        raise InputError(f"this is no table: {error.args[0]}", position=place, remedy="Check its quotes.") from None


@lru_cache(maxsize=1)
def _parsed(text: str, separator: str) -> tuple[Row, ...]:
    """The rows of a text; a long one is looked at several times in a row, to guess how it lies and to read it."""
    found: list[Row] = []
    # A quote that nothing closes would take the rest of the file for one cell.
    reader = csv.reader(text.splitlines(), delimiter=separator, strict=text.count('"') % 2 == 1)
    try:
        for cells in reader:
            found.append((reader.line_num, tuple([cell.strip() for cell in cells])))
    except csv.Error as error:
        raise csv.Error(str(error), reader.line_num, 1) from None
    return tuple(found)


def forget() -> None:
    """Let go of the last text: its rows are many times as large as the file."""
    _parsed.cache_clear()


def _book(path: Path) -> Any:
    openpyxl = _needed("openpyxl", path)
    _exists(path)
    with path.open("rb") as stream:
        if stream.read(4) == b"\xd0\xcf\x11\xe0":
            words = "this workbook is locked by a password, or an old .xls by another name"
            raise InputError(words, position=Position(str(path)), remedy="Save it as .xlsx without a password.")
    try:
        return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # noqa: BLE001 - openpyxl raises anything on a damaged file
        raise InputError(
            f"this is no workbook: {error}", position=Position(str(path)), remedy="Save it as .xlsx again, or as CSV."
        ) from None


def _excel(path: Path, sheet: str) -> list[Row]:
    with closing(_book(path)) as book:
        sheets = {item.title: item for item in book.worksheets}
        named = sheet or next(iter(sheets), "")
        if named not in sheets:
            known = ", ".join(sheets) or "none"
            raise InputError(
                f"there is no sheet {sheet!r}", position=Position(str(path)), remedy=f"Use one of: {known}."
            )
        found = sheets[named]
        if any(_is_percent(cell) for row in found.iter_rows(max_row=FORMATTED) for cell in row):
            return _limited(path, enumerate((map(_shown, row) for row in found.iter_rows()), 1))
        return _limited(path, enumerate(found.iter_rows(values_only=True), 1))


def _is_percent(cell: Any) -> bool:
    """Whether a workbook's cell shows its number in percent: it holds 0.3 where people read 30 %."""
    return isinstance(cell.value, (int, float)) and "%" in cell.number_format


def _shown(cell: Any) -> Any:
    return f"{float(f'{100 * cell.value:.12g}'):g}%" if _is_percent(cell) else cell.value


def _parquet(path: Path, sheet: str) -> list[Row]:
    pyarrow = _needed("pyarrow.parquet", path)
    _exists(path)
    try:
        table = pyarrow.read_table(path)
    except Exception as error:  # noqa: BLE001 - pyarrow raises anything on a damaged file
        raise InputError(
            f"this is no Parquet file: {error}", position=Position(str(path)), remedy="Write it again."
        ) from None
    columns = [table.column(name).to_pylist() for name in table.column_names]
    rows = [tuple(table.column_names), *zip(*columns, strict=True)]
    return _limited(path, enumerate(rows, 1))


def _limited(path: Path, rows: Iterable[tuple[int, Iterable[Any]]]) -> list[Row]:
    found = []
    for line, cells in rows:
        if line > MOST_ROWS:
            raise InputError(
                f"the table has more than {MOST_ROWS} rows", position=Position(str(path)), remedy="Split it."
            )
        found.append((line, tuple(_cell(cell) for cell in cells)))
    return found


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if value != value else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, (date, time)) else str(value).strip()


def _exists(path: Path) -> None:
    if not path.is_file():
        raise InputError("there is no such table", position=Position(str(path)), remedy="Check the path.")


def _needed(module: str, path: Path) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise UnavailableError(
            f"reading {path.suffix} needs {package}, which is not installed",
            position=Position(str(path)),
            remedy=f"Install it with: pip install {package}; or save the table as CSV.",
        ) from None
