"""Exports of instruments as tables: BioLector, Pioreactor and Allotrope Simple Model, each with a first mapping.

Nothing is computed: cells are those of the file, one column for each thing that the instrument reports.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from seedtrain.base import InputError, Position
from seedtrain.development._data_check._asm import asm_tables, converted
from seedtrain.development._data_check._beginning import Beginning
from seedtrain.development._data_check._biolector import biolector_tables
from seedtrain.development._data_check._export_table import ExportTable, Pivot, Suggestion
from seedtrain.development._data_check._table import SUFFIXES, Sheet, read_sheet


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
    if instrument == "biolector":
        return biolector_tables(path)
    if instrument == "pioreactor":
        return _pioreactor(path)
    return asm_tables(path, None if instrument == "asm" else converted(path, instrument))


def read_table(path: Path, sheet: str = "", instrument: str = "", *, beginning: Beginning | None = None) -> Sheet:
    """The table in a file: `read_sheet`, or the one called `sheet` of an instrument's export."""
    if not instrument:
        return read_sheet(path, sheet, beginning=beginning)
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
