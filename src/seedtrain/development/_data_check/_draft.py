"""A first mapping of tables by their headers, for a person to correct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from seedtrain.development._data_check._beginning import Beginning
from seedtrain.development._data_check._clock import DURATION, form_of, moment
from seedtrain.development._data_check._export_table import EVENTS, ExportTable
from seedtrain.development._data_check._exports import detect, read_export
from seedtrain.development._data_check._headers import (
    OPTICAL,
    RUNS,
    TIMES,
    first_of,
    is_number,
    split_header,
    symbol_of,
)
from seedtrain.development._data_check._mapping import CLOCK, TIME_UNITS, UNITS
from seedtrain.development._data_check._of_runs import is_features, is_runs, runs_told, told_of_run
from seedtrain.development._data_check._plates import is_plate, well_name
from seedtrain.development._data_check._spectra import FEWEST_CHANNELS, channels_of
from seedtrain.development._data_check._table import (
    Sheet,
    guessed_beginning,
    has_decimal_commas,
    read_sheet,
    sheet_names,
    with_points,
)
from seedtrain.quantity import same_dimension

NOT_UNDERSTOOD: Final = "# no header was understood"
HAPPENED: Final = ("event", "events", "action", "note", "comment", "what happened", "ereignis", "事件", "操作")

DETAILS: Final = (
    "words", "details", "detail", "description", "note", "notes", "comment", "remark", "remarks", "message",
    "bemerkung", "kommentar", "beschreibung", "说明", "备注",
)  # fmt: skip


def draft_mapping(files: Sequence[Path], *, name: str = "my data", instrument: str = "", culture: str = "") -> str:
    """A mapping of `files` as far as headers tell it, as YAML; what was guessed is for a person to check.

    - `instrument`: whose exports the files are; where not given, BioLector, Pioreactor and Allotrope Simple Model are
      known by their beginning. - `culture`: whose species the symbols are; the carbon balance needs it.
    """
    lines: list[str] = []
    runs: dict[str, str] = {}
    told: dict[str, dict[str, str]] = {}
    began: dict[str, datetime] = {}
    for path in files:
        export = instrument or detect(path)
        if export:
            for table in read_export(path, export):
                lines += _of_export(path, export, table, runs)
            continue
        for name_there in sheet_names(path):
            begins = guessed_beginning(path, name_there)
            sheet = read_sheet(path, name_there, beginning=begins)
            commas = has_decimal_commas(sheet)
            sheet = with_points(sheet) if commas else sheet
            if is_runs(sheet):
                for item, about in runs_told(sheet).items():
                    told[item] = told.get(item, {}) | about
            drafted = _of_sheet(path, sheet, runs, begins.units)
            lying = _lying(name_there, begins, commas=commas)
            lines += [*drafted[:1], *(lying if drafted else []), *drafted[1:]]
            _note_beginnings(sheet, runs, began)
    for item, moment_there in began.items():
        told.setdefault(item, {}).setdefault("began", f'"{moment_there.isoformat(timespec="minutes")}"')
    origins = {about["origin"] for about in told.values() if "origin" in about}
    made = origins == {"simulated"}
    top = [f"data: {_quoted(name)}", "origin: simulated" if made else "origin: measured # or simulated"]
    top += [f"culture: {_quoted(culture)}"] if culture else []
    top.append("tables:")
    if runs:
        words = "initial: contents after inoculation, g/L; feed_factor: on the recipe's feed"
        words += "; began: the first time of each run, put the inoculation" if began else ""
        lines.append(f"runs: # {words}")
    for item, scale in runs.items():
        about = {"scale": scale} | {key: text for key, text in told.get(item, {}).items() if key != "origin"}
        lines.append(f"  {_quoted(item)}: {{{', '.join(f'{key}: {text}' for key, text in about.items())}}}")
    return "\n".join([*top, *lines]) + "\n"


def _lying(name: str, begins: Beginning, *, commas: bool) -> list[str]:
    """What a mapping says of how a table lies in its file."""
    lines = [f"    sheet: {_quoted(name)}"] if name else []
    lines += [f"    encoding: {begins.encoding} # guessed"] if begins.encoding else []
    lines += [f"    header: {begins.header} # the line of the names, guessed"] if begins.header else []
    lines += [f"    first: {begins.first} # the line of the first reading, guessed"] if begins.first else []
    return lines + (['    decimal: ","'] if commas else [])


def _note_beginnings(sheet: Sheet, runs: Mapping[str, str], began: dict[str, datetime]) -> None:
    """The first timestamp of each run that a table of readings has, into `began`."""
    time, run = first_of(sheet.header, TIMES), first_of(sheet.header, RUNS)
    if not time or not run:
        return
    at, cells = sheet.column(run), [row[sheet.column(time)] for row in sheet.rows]
    form = form_of(cells)[0]
    for row, cell in zip(sheet.rows, cells, strict=True):
        try:
            seen = moment(cell, form)
        except ValueError:
            continue
        if row[at] in runs and (row[at] not in began or _earlier(seen, began[row[at]])):
            began[row[at]] = seen


def _earlier(one: datetime, other: datetime) -> bool:
    return (one.tzinfo is None) == (other.tzinfo is None) and one < other


def _of_sheet(path: Path, sheet: Sheet, runs: dict[str, str], units: Mapping[str, str]) -> list[str]:
    """The draft of a table without an instrument, by what its header holds; `units` of a row below the names."""
    if is_runs(sheet) or is_features(sheet):
        return _of_features(path, sheet)
    if len(channels_of(sheet)) >= FEWEST_CHANNELS:
        return _of_spectra(path, sheet)
    return _of_plate(path, sheet, runs) if is_plate(sheet) else _of_table(path, sheet, runs, units)


def _of_table(path: Path, sheet: Sheet, runs: dict[str, str], units: Mapping[str, str]) -> list[str]:
    """The draft of a table with a header; its runs are added to `runs`, each with its scale."""
    time, run = first_of(sheet.header, TIMES), first_of(sheet.header, RUNS)
    time = time or next((name for name in sheet.header if name != run), sheet.header[0])
    known, rest = _columns(sheet, (time, run), units)
    event = "" if known else first_of(sheet.header, HAPPENED)
    of_run = "" if run or event else path.stem
    if not event:
        names = (row[sheet.column(run)] for row in sheet.rows) if run else [of_run]
        runs |= {name: "bench" for name in names if name and name not in runs}
    lines = [f"  - file: {_quoted(path.name)}", f"    kind: {'events' if event else _kind(sheet)}"]
    lines += [f"    run: {_quoted(run)}"] if run else [f"    of_run: {_quoted(of_run)}"] if of_run else []
    lines.append(_time_line(sheet, time, zero=bool(event) and not run, units=units))
    if event:
        rest = [item for item in rest if item != event]
        lines.append(f"    event: {_quoted(event)}")
        details = first_of(rest, DETAILS)
        return lines + ([f"    words: {_quoted(details)}"] if details else [])
    lines.append("    columns:")
    lines += known or [f"      []  {NOT_UNDERSTOOD}: name column, symbol and unit"]
    product = not any("symbol: P," in line for line in known)
    return lines + [f"      # not understood: {_quoted(name)}{_hint(name, units, product=product)}" for name in rest]


def _hint(header: str, units: Mapping[str, str], *, product: bool) -> str:
    """What a person may make of a column that is no symbol; `product`: nothing is taken for the product yet."""
    name, unit = split_header(header)
    unit = unit or units.get(header, "")
    if OPTICAL.fullmatch(name):
        return f"; with your g/L per unit: {{column: {_quoted(header)}, symbol: DCW, unit: g/L, factor: 0.4}}"
    if product and unit and same_dimension(unit, "g/L"):
        return f"; your product? {{column: {_quoted(header)}, symbol: P, unit: {_quoted(unit)}}}"
    return ""


def _of_features(path: Path, sheet: Sheet) -> list[str]:
    """Further columns of a table with one row a run; none where it holds only what a mapping says of runs."""
    run = first_of(sheet.header, RUNS)
    names = [name for name in sheet.header if name != run and not told_of_run(name)]
    cells = {name: [row[sheet.column(name)] for row in sheet.rows if row[sheet.column(name)]] for name in names}
    numbers = [name for name in names if cells[name] and all(map(is_number, cells[name]))]
    if not numbers:
        return []
    lines = [f"  - file: {_quoted(path.name)}", "    kind: features", f"    run: {_quoted(run)}"]
    if len(numbers) < len(sheet.header) - 1:
        lines.append(f"    features: [{', '.join(_quoted(name) for name in numbers)}]")
    return lines + [f"    # not understood: {_quoted(name)}" for name in names if name not in numbers]


def _of_spectra(path: Path, sheet: Sheet) -> list[str]:
    rest = [name for name in sheet.header if not is_number(name)]
    time, run = first_of(rest, TIMES) or rest[0], first_of(rest, RUNS)
    return [
        f"  - file: {_quoted(path.name)}", "    kind: spectra", f"    spectra: {_quoted(path.stem)}",
        f"    run: {_quoted(run)}" if run else f"    of_run: {_quoted(path.stem)}",
        _time_line(sheet, time),
        *(f"    # not read: {_quoted(name)}" for name in rest if name not in (time, run)),
    ]  # fmt: skip


def _of_plate(path: Path, sheet: Sheet, runs: dict[str, str]) -> list[str]:
    time = first_of(sheet.header, TIMES) or sheet.header[0]
    for name in sheet.header:
        if well_name(name):
            runs.setdefault(well_name(name), "well")
    rest = [name for name in sheet.header if name != time and not well_name(name)]
    return [
        f"  - file: {_quoted(path.name)}", "    kind: plate",
        _time_line(sheet, time),
        '    plate: {symbol: reading, unit: ""} # what the wells hold; or symbol X, unit g/L and a factor',
        "    # layout: layout.csv # names the run of each well",
        *(f"    # not understood: {_quoted(name)}" for name in rest),
    ]  # fmt: skip


def _of_export(path: Path, instrument: str, table: ExportTable, runs: dict[str, str]) -> list[str]:
    lines = [f"  - file: {_quoted(path.name)}", f"    instrument: {_quoted(instrument)}"]
    lines += [f"    sheet: {_quoted(table.name)}"] if table.name else []
    happened = table.name == EVENTS or bool(table.event)
    lines.append(f"    kind: {'events' if happened else _kind(table.sheet)}")
    lines += [f"    run: {_quoted(table.run)}"] if table.run else []
    lines.append(f"    time: {{column: {_quoted(table.time)}, unit: {table.time_unit}}} # 0 is to be the inoculation")
    if happened:
        lines.append(f"    event: {_quoted(table.event)}")
        return lines + ([f"    words: {_quoted(table.words)}"] if table.words else [])
    at = table.sheet.column(table.run)
    scale = "well" if instrument == "biolector" else "bench" if instrument == "pioreactor" else '""'
    for row in table.sheet.rows:
        if row[at]:
            runs.setdefault(row[at], scale)
    lines.append("    # layout: layout.csv # columns well and run: names the run of each")
    lines.append("    columns:")
    for item in table.columns:
        factor = f", factor: {item.factor:g}" if item.factor != 1 else ""
        text = f"column: {_quoted(item.column)}, symbol: {item.symbol}, unit: {_quoted(item.unit)}{factor}"
        lines.append(f"      - {{{text}}}" + (f" # {item.note}" if item.note else ""))
    lines += [] if table.columns else ["      []  # nothing was understood: name column, symbol and unit"]
    return lines + [f"      # not read: {_quoted(name)}" for name in table.left]


def _columns(sheet: Sheet, taken: Sequence[str], units: Mapping[str, str]) -> tuple[list[str], list[str]]:
    found, rest, used = [], [], set[str]()
    for header in sheet.header:
        if header in taken:
            continue
        name, unit = split_header(header)
        unit = unit or units.get(header, "")
        symbol = symbol_of(name)
        if symbol is None or symbol in used:
            rest.append(header)
            continue
        used.add(symbol)
        shown = unit or UNITS[symbol]
        note = "" if unit else " # unit guessed"
        found.append(f"      - {{column: {_quoted(header)}, symbol: {symbol}, unit: {_quoted(shown)}}}{note}")
    return found, rest


def _time_line(sheet: Sheet, column: str, *, zero: bool = False, units: Mapping[str, str] | None = None) -> str:
    """The entry of the time's column; `zero`: timestamps count from a moment that a person has to set."""
    unit, note = split_header(column)[1] or (units or {}).get(column, ""), ""
    cells = [row[sheet.column(column)] for row in sheet.rows]
    first = next(filter(None, cells), "")
    if DURATION.fullmatch(first):
        unit = CLOCK
    elif unit not in TIME_UNITS or not is_number(first):
        unit, note = ("h", " # unit guessed") if is_number(first) or not first else ("timestamp", "")
    text = f"column: {_quoted(column)}"
    form, sure = form_of(cells) if unit == "timestamp" else ("", True)
    if form:
        text, note = f'{text}, format: "{form}"', "" if sure else " # unit guessed: is the day or the month first?"
    if zero and unit == "timestamp":
        text, note = f"{text}, zero: {_quoted(first)}", " # put the inoculation"
    return f"    time: {{{text}, unit: {unit}}}{note}"


def _kind(sheet: Sheet) -> str:
    return "online" if len(sheet.rows) > 200 else "offline"


def _quoted(text: str) -> str:
    plain = " ".join(text.split()) if any(ord(letter) < 32 for letter in text) else text
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
