"""A first mapping of tables by their headers, for a person to correct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from pathlib import Path

from seedtrain.development._data_check._clock import day_at, form_of, moment
from seedtrain.development._data_check._draft_forms import draft_of, holds_readings, kind_of, quoted, time_columns
from seedtrain.development._data_check._export_table import EVENTS, ExportTable
from seedtrain.development._data_check._exports import detect, read_export
from seedtrain.development._data_check._found import Found, tables_in
from seedtrain.development._data_check._headers import RUNS, first_of, is_number
from seedtrain.development._data_check._of_runs import is_runs, runs_told
from seedtrain.simulation import read_culture


def draft_mapping(files: Sequence[Path], *, name: str = "my data", instrument: str = "", culture: str = "") -> str:
    """A mapping of `files` as far as headers tell it, as YAML; what was guessed is for a person to check.

    - `instrument`: whose exports the files are; where not given, BioLector, Pioreactor and Allotrope Simple Model are
      known by their beginning. - `culture`: whose species the symbols are; the carbon balance needs it.
    """
    lines: list[str] = []
    runs: dict[str, str] = {}
    told: dict[str, dict[str, str]] = {}
    began: dict[str, datetime] = {}
    elapsed: set[str] = set()
    known = read_culture(culture) if culture else None
    for path in files:
        export = instrument or detect(path)
        if export:
            for table in read_export(path, export):
                lines += _of_export(path, export, table, runs)
            continue
        tables = tables_in(path, known)
        for found in tables:
            if len(tables) > 1 and not holds_readings(found) and any(map(holds_readings, tables)):
                lines.append(
                    f"  # not read: sheet {quoted(found.sheet_name)} of {quoted(path.name)}, which has no time"
                )
                continue
            if is_runs(found.sheet):
                for item, about in runs_told(found.sheet).items():
                    told[item] = told.get(item, {}) | about
            draft = draft_of(path, found)
            lines += draft.lines
            lines += [f"  # not read: {place} of {quoted(path.name)}, numbers without a row of names"
                      for place in found.left]  # fmt: skip
            runs |= {item: scale for item, scale in draft.runs.items() if item not in runs}
            if not _note_beginnings(found, draft.runs, began):
                elapsed |= set(draft.runs)
    guessed = {item for item in began if "began" not in told.get(item, {})}
    for item in guessed:
        told.setdefault(item, {})["began"] = f'"{began[item].isoformat(timespec="minutes")}"'
    origins = {about["origin"] for about in told.values() if "origin" in about}
    made = origins == {"simulated"}
    top = [f"data: {quoted(name)}", "origin: simulated" if made else "origin: measured # or simulated"]
    top += [f"culture: {quoted(culture)}"] if culture else []
    top.append("tables:")
    return "\n".join([*top, *lines, *_of_runs(runs, told, guessed, elapsed)]) + "\n"


def _of_runs(
    runs: Mapping[str, str], told: Mapping[str, Mapping[str, str]], guessed: Set[str], elapsed: Set[str]
) -> list[str]:
    """What the mapping says of each run.

    - `guessed`: those of which only their first time tells when they began. - `elapsed`: those with a table of hours.
    """
    if not runs:
        return []
    lines = ["runs: # initial: contents after inoculation, g/L; feed_factor: on the recipe's feed"]
    for item, scale in runs.items():
        about = {"scale": scale} | {key: text for key, text in told.get(item, {}).items() if key != "origin"}
        right = "the moment where the hours of its other tables are 0" if item in elapsed else "the inoculation"
        note = f" # began guessed as the first time: put {right}" if item in guessed else ""
        lines.append(f"  {quoted(item)}: {{{', '.join(f'{key}: {text}' for key, text in about.items())}}}{note}")
    return lines


def _note_beginnings(found: Found, runs: Mapping[str, str], began: dict[str, datetime]) -> bool:
    """The first timestamp of each run that a table of readings has, into `began`; whether it has timestamps."""
    sheet = found.sheet
    day, hour = time_columns(sheet)
    run = first_of(sheet.header, RUNS)
    cells = [row[sheet.column(day)] for row in sheet.rows]
    form, stamped = form_of(cells)[0], False
    for row, cell in zip(sheet.rows, cells, strict=True):
        if is_number(cell):
            continue
        try:
            seen = day_at(cell, row[sheet.column(hour)], form) if hour else moment(cell, form)
        except ValueError:
            continue
        stamped = True
        for item in [row[sheet.column(run)]] if run else runs:
            if item in runs and (item not in began or _earlier(seen, began[item])):
                began[item] = seen
    return stamped


def _earlier(one: datetime, other: datetime) -> bool:
    return (one.tzinfo is None) == (other.tzinfo is None) and one < other


def _of_export(path: Path, instrument: str, table: ExportTable, runs: dict[str, str]) -> list[str]:
    lines = [f"  - file: {quoted(path.name)}", f"    instrument: {quoted(instrument)}"]
    lines += [f"    sheet: {quoted(table.name)}"] if table.name else []
    happened = table.name == EVENTS or bool(table.event)
    lines.append(f"    kind: {'events' if happened else kind_of(table.sheet)}")
    lines += [f"    run: {quoted(table.run)}"] if table.run else []
    lines.append(f"    time: {{column: {quoted(table.time)}, unit: {table.time_unit}}} # 0 is to be the inoculation")
    if happened:
        lines.append(f"    event: {quoted(table.event)}")
        return lines + ([f"    words: {quoted(table.words)}"] if table.words else [])
    at = table.sheet.column(table.run)
    scale = "well" if instrument == "biolector" else "bench" if instrument == "pioreactor" else '""'
    for row in table.sheet.rows:
        if row[at]:
            runs.setdefault(row[at], scale)
    lines.append("    # layout: layout.csv # columns well and run: names the run of each")
    lines.append("    columns:")
    for item in table.columns:
        factor = f", factor: {item.factor:g}" if item.factor != 1 else ""
        text = f"column: {quoted(item.column)}, symbol: {item.symbol}, unit: {quoted(item.unit)}{factor}"
        lines.append(f"      - {{{text}}}" + (f" # {item.note}" if item.note else ""))
    lines += [] if table.columns else ["      []  # nothing was understood: name column, symbol and unit"]
    return lines + [f"      # not read: {quoted(name)}" for name in table.left]
