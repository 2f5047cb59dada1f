"""Exports of instruments as tables: BioLector, Pioreactor and Allotrope Simple Model, each with a first mapping.

Nothing is computed: cells are those of the file, one column for each thing that the instrument reports.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, Position, read_text
from seedtrain.development._data_check._table import SUFFIXES, Sheet, read_sheet

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


def detect(path: Path) -> str:
    """The instrument whose export a file is by its beginning: biolector, pioreactor, asm, or none."""
    if path.suffix.lower() == ".json":
        return "asm"
    if path.suffix.lower() not in SUFFIXES or path.suffix.lower() in (".xlsx", ".parquet") or not path.is_file():
        return ""
    with path.open("rb") as stream:
        first = stream.readline(4096).removeprefix(b"\xef\xbb\xbf").strip()
    if first.startswith((b"FILENAME;", b"=====")):
        return "biolector"
    return "pioreactor" if b"pioreactor_unit" in first.replace(b'"', b"").split(b",") else ""


def read_export(path: Path, instrument: str) -> tuple[ExportTable, ...]:
    """The tables of an export.

    - `instrument`: biolector, pioreactor, asm, or a vendor of allotropy such as `AGILENT_GEN5`.

    Raises `InputErrors`, with the line, for what is no such export.
    """
    from seedtrain.development._data_check._asm import asm_tables, converted
    from seedtrain.development._data_check._biolector import biolector_tables

    if instrument == "biolector":
        return biolector_tables(path)
    if instrument == "pioreactor":
        return _pioreactor(path)
    return asm_tables(path, None if instrument == "asm" else converted(path, instrument))


def read_table(path: Path, sheet: str = "", instrument: str = "") -> Sheet:
    """The table in a file: `read_sheet`, or the one called `sheet` of an instrument's export."""
    if not instrument:
        return read_sheet(path, sheet)
    tables = read_export(path, instrument)
    for table in tables:
        if table.name == sheet:
            return table.sheet
    known = ", ".join(table.name or "(no name)" for table in tables)
    raise InputError(f"the export has no table {sheet!r}", position=Position(str(path)), remedy=f"Use one of: {known}.")


PIOREACTOR: Final = {
    "normalized_od_reading": ("OD_normalized", "", "over its value at the start"),
    "rate": ("mu", "1/h", ""), "growth_rate": ("mu", "1/h", ""),
    "temperature_c": ("T", "degC", ""), "measured_rpm": ("N", "rpm", ""),
}  # fmt: skip
"""Columns of Pioreactor's tables that are readings; `avg_` of its roll-up means the same. **Source** the tables of
Pioreactor's database (github.com/Pioreactor, create_tables.sql) and its export_experiment_data, MIT."""


def _pioreactor(path: Path) -> tuple[ExportTable, ...]:
    """A dataset of Pioreactor's Export Data page: a run for each experiment and unit, a column for each OD channel."""
    sheet = read_sheet(path)
    units, experiments = sheet.column("pioreactor_unit"), sheet.column("experiment")
    hours = "hours_since_experiment_created"
    time = hours if hours in sheet.header else "timestamp"
    at = sheet.column(time)
    seen = {name: name.removeprefix("avg_") for name in sheet.header}
    kept = [name for name, plain in seen.items() if plain in PIOREACTOR]
    light = next((name for name, plain in seen.items() if plain == "od_reading"), "")
    happened = next((name for name in ("event", "event_name") if name in sheet.header), "")
    words = next((name for name in ("volume_change_ml", "message") if name in sheet.header), "")
    found, channels = Pivot("run", time), dict[str, None]()
    for number, row in enumerate(sheet.rows):
        cells = {"run": f"{row[experiments]} {row[units]}".strip(), time: row[at]}
        cells |= {name: row[sheet.column(name)] for name in (*kept, happened, words) if name}
        if light:
            channel = _channel(sheet, row)
            channels[channel] = None
            cells[channel] = row[sheet.column(light)]
        found.add(sheet.lines[number], cells)
    columns = [Suggestion(name, *_named("OD", name), note="in units of the sensor") for name in sorted(channels)]
    columns += [Suggestion(name, symbol, unit, note=note) for name in kept
                for symbol, unit, note in [PIOREACTOR[seen[name]]]]  # fmt: skip
    taken = {"pioreactor_unit", "experiment", time, light, "channel", "angle", happened, words, *kept, "timestamp",
             "timestamp_localtime", "id"}  # fmt: skip
    left = tuple(name for name in sheet.header if name not in taken)
    unit = "h" if time == hours else "timestamp"
    if happened and not columns:
        return (ExportTable("", found.sheet(str(path)), "run", time, unit, (), happened, words, left),)
    return (ExportTable("", found.sheet(str(path)), "run", time, unit, tuple(columns), left=left),)


def _channel(sheet: Sheet, row: tuple[str, ...]) -> str:
    words = [f"{name} {row[sheet.column(name)]}" for name in ("channel", "angle") if name in sheet.header]
    return " ".join(["od_reading", *words])


def _named(stem: str, column: str) -> tuple[str]:
    parts = column.split()
    return (f"{stem}_{parts[2]}" if len(parts) > 2 and parts[2].isdigit() else stem,)


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
