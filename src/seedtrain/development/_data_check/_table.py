"""Tables from bench and pilot as text cells with their places: CSV, Excel, Parquet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, Position, SeedtrainError, UnavailableError, collect, read_text

MOST_ROWS: Final = 2_000_000
SUFFIXES: Final = (".csv", ".tsv", ".txt", ".xlsx", ".parquet")

COMMA: Final = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")
POINT: Final = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?")
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


def read_sheet(path: Path, sheet: str = "") -> Sheet:
    """The table in a file; `sheet` names one of a workbook (its first if not given).

    Raises `InputErrors` for what is no table: no header, a name twice, a row of the wrong length.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"a table ends in {', '.join(SUFFIXES)}, not {suffix or 'nothing'!r}",
            position=Position(str(path)),
            remedy="Save the table as CSV.",
        )
    reader = {".xlsx": _excel, ".parquet": _parquet}.get(suffix)
    rows = reader(path, sheet) if reader else _text(path)
    rows = [(line, cells) for line, cells in rows if any(cells)]
    if len(rows) < 2:
        raise InputError("there is no row below a header", position=Position(str(path), 1, 1), remedy="Give data.")
    return _sheet(str(path), rows)


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


def _sheet(file: str, rows: list[tuple[int, tuple[str, ...]]]) -> Sheet:
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


def _text(path: Path) -> list[tuple[int, tuple[str, ...]]]:
    text = read_text(path, what="table")
    head = next((line for line in text.splitlines() if line.strip()), "")
    separator = max("\t;,", key=head.count) if any(head.count(mark) for mark in "\t;,") else ","
    found: list[tuple[int, tuple[str, ...]]] = []
    reader = csv.reader(text.splitlines(), delimiter=separator)
    try:
        for cells in reader:
            found.append((reader.line_num, tuple(cell.strip() for cell in cells)))
    except csv.Error as error:
        place = Position(str(path), reader.line_num, 1)
        raise InputError(f"this is no table: {error}", position=place, remedy="Check its quotes.") from None
    return found


def _excel(path: Path, sheet: str) -> list[tuple[int, tuple[str, ...]]]:
    openpyxl = _needed("openpyxl", path)
    _exists(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # noqa: BLE001 - openpyxl raises anything on a damaged file
        raise InputError(
            f"this is no workbook: {error}", position=Position(str(path)), remedy="Save it as .xlsx again, or as CSV."
        ) from None
    with_name = sheet or book.sheetnames[0]
    if with_name not in book.sheetnames:
        known = ", ".join(book.sheetnames)
        raise InputError(f"there is no sheet {sheet!r}", position=Position(str(path)), remedy=f"Use one of: {known}.")
    rows = book[with_name].iter_rows(values_only=True)
    return _limited(path, enumerate(rows, 1))


def _parquet(path: Path, sheet: str) -> list[tuple[int, tuple[str, ...]]]:
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


def _limited(path: Path, rows: Iterable[tuple[int, Iterable[Any]]]) -> list[tuple[int, tuple[str, ...]]]:
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
    return value.isoformat(" ") if hasattr(value, "isoformat") else str(value).strip()


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
