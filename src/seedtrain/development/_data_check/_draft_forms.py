"""The draft of one table, by what its header holds: readings, events, spectra, a plate, a list, a table of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, Position
from seedtrain.development._data_check._clock import DURATION, clock, form_of, moment
from seedtrain.development._data_check._found import Found
from seedtrain.development._data_check._headers import (
    CELLS,
    OPTICAL,
    RUNS,
    TIMES,
    as_unit,
    first_of,
    is_number,
    is_unit,
    known_as,
    split_header,
    symbol_of,
)
from seedtrain.development._data_check._mapping import CLOCK, TIME_UNITS, UNITS
from seedtrain.development._data_check._of_culture import culture_words, molar_factor
from seedtrain.development._data_check._of_runs import is_features, is_runs, told_of_run
from seedtrain.development._data_check._plates import is_plate, well_name
from seedtrain.development._data_check._spectra import FEWEST_CHANNELS, channels_of
from seedtrain.development._data_check._table import Sheet
from seedtrain.development._data_check._wide import ANALYTES, UNIT_NAMES, VALUES, is_long, wide_runs
from seedtrain.quantity import same_dimension
from seedtrain.simulation import Culture

NOT_UNDERSTOOD: Final = "# no header was understood"
HAPPENED: Final = ("event", "events", "action", "note", "comment", "what happened", "ereignis", "事件", "操作")

DETAILS: Final = (
    "words", "details", "detail", "description", "note", "notes", "comment", "remark", "remarks", "message",
    "bemerkung", "kommentar", "beschreibung", "说明", "备注",
)  # fmt: skip


DAYS: Final = ("date", "datum", "day", "日期", "取样日期")
DAYS_OF_SHEETS: Final = (36_500.0, 73_000.0)
"""From the end of 1999 to the end of 2099, as spreadsheets count days: a time that begins there is a date."""
CLOCKS: Final = ("time", "uhrzeit", "clock", "clock time", "time of day", "zeit", "时间", "时刻", "取样时间")


WITHIN_TIMES: Final = ("time", "hour", "zeit", "dauer", "stunde", "时", "日期")
"""What tells of a time from inside a longer name."""
LOOKED_AT: Final = 20


@dataclass(frozen=True)
class Draft:
    """The draft of one table: the lines of its entries in the mapping, and the runs that it names with their scale."""

    lines: tuple[str, ...]
    runs: Mapping[str, str] = field(default_factory=dict)


def draft_of(path: Path, found: Found) -> Draft:
    """The draft of a table without an instrument; `InputError` for one whose times stand in a row, or nowhere."""
    sheet = found.sheet
    _check_upright(sheet)
    if is_runs(sheet) or is_features(sheet):
        return Draft(tuple(_of_features(path, found)))
    if len(channels_of(sheet)) >= FEWEST_CHANNELS:
        return Draft(tuple(_of_spectra(path, found)))
    if is_plate(sheet):
        wells = {well_name(name): "well" for name in sheet.header if well_name(name)}
        return Draft(tuple(_of_plate(path, found)), wells)
    _check_timed(sheet)
    listed = is_long(sheet)
    wide = {} if listed or first_of(sheet.header, RUNS) else wide_runs(sheet.header, time_columns(sheet))
    if wide:
        return _of_wide(path, found, wide)
    return _of_list(path, found) if listed else _of_table(path, found)


def _check_upright(sheet: Sheet) -> None:
    first = sheet.header[0]
    turned = first_of([first], TIMES) and len(sheet.header) > 2 and all(map(is_number, sheet.header[1:]))
    if turned and not any(row[0][:1].isdigit() for row in sheet.rows):
        words = f"{first} stands over a row of times: this table has its names in the first column"
        remedy = "Turn it (in a spreadsheet: copy, paste transposed), so that each time has a row."
        raise InputError(words, position=Position(sheet.file, sheet.lines[0] - 1, 1), remedy=remedy)


def time_columns(sheet: Sheet) -> tuple[str, str]:
    """The column of the time, and that of the time of day where a day stands by itself; empty where there is none."""
    day, hour = first_of(sheet.header, DAYS), first_of(sheet.header, CLOCKS)
    if day and hour and day != hour:
        pairs = [(row[sheet.column(day)], row[sheet.column(hour)]) for row in sheet.rows]
        pairs = [pair for pair in pairs if all(pair)]
        form = form_of([text for text, _hour in pairs])[0]
        if pairs and all(_is_day(text, form) and _is_clock(time) for text, time in pairs):
            return day, hour
    run = first_of(sheet.header, RUNS)
    others = [name for name in sheet.header if name != run]
    time = first_of(sheet.header, TIMES) or next((name for name in others if _is_time(sheet, name)), "")
    return time or (others or [*sheet.header])[0], ""


def _is_time(sheet: Sheet, name: str) -> bool:
    """Whether a column that no word for a time heads may be one: by its unit, its name or its timestamps."""
    plain, unit = split_header(name)
    if unit:
        return same_dimension(unit, "h")
    if _told_unit(plain) or any(word in plain.lower() for word in WITHIN_TIMES):
        return True
    cells = [cell for cell in (row[sheet.column(name)] for row in sheet.rows) if cell][:LOOKED_AT]
    return bool(cells) and all(DURATION.fullmatch(cell) or _is_moment(cell, form_of(cells)[0]) for cell in cells)


def _told_unit(name: str) -> str:
    """The unit that a time's own name tells: `Day`, `Culture day`, `Hours`; empty where it tells none."""
    last = name.split()[-1] if name.split() else ""
    return as_unit(last) if as_unit(last) in TIME_UNITS and (len(last) > 1 or last == "h") else ""


def holds_readings(found: Found) -> bool:
    """Whether a table has a time, or a row for each run; a cover sheet has neither."""
    sheet = found.sheet
    return is_features(sheet) or _is_time(sheet, time_columns(sheet)[0]) or bool(first_of(sheet.header, TIMES))


def _check_timed(sheet: Sheet) -> None:
    column = time_columns(sheet)[0]
    if first_of([column], TIMES) or _is_time(sheet, column):
        return
    raise InputError(
        "no column is headed as the time of its readings", position=Position(sheet.file, sheet.lines[0] - 1, 1),
        remedy="Head it `time [h]` (or min, d, a date), or write the mapping by hand (docs/reference/data.md).",
    )  # fmt: skip


def _is_moment(text: str, form: str) -> bool:
    try:
        moment(text, form)
    except ValueError:
        return False
    return True


def _is_day(text: str, form: str) -> bool:
    try:
        found = moment(text, form)
    except ValueError:
        return False
    return (found.hour, found.minute, found.second) == (0, 0, 0)


def _is_clock(text: str) -> bool:
    try:
        clock(text)
    except ValueError:
        return False
    return True


def _top(path: Path, found: Found, kind: str) -> list[str]:
    """What an entry begins with: the file, what it is, and how the table lies in it."""
    begins = found.begins
    lines = [f"  - file: {quoted(path.name)}", f"    kind: {kind}"]
    lines += [f"    sheet: {quoted(found.sheet_name)}"] if found.sheet_name else []
    lines += [f"    range: {begins.region}"] if begins.region else []
    lines += [f"    encoding: {begins.encoding} # guessed"] if begins.encoding else []
    lines += [f"    header: {begins.header} # the line of the names, guessed"] if begins.header else []
    lines += (
        [f"    over: {begins.over} # the line above them that heads several columns, guessed"] if begins.over else []
    )
    lines += [f"    first: {begins.first} # the line of the first reading, guessed"] if begins.first else []
    return lines + (['    decimal: ","'] if found.commas else [])


def _of_table(path: Path, found: Found) -> Draft:
    """The draft of a table with a column for each thing measured, or of events."""
    sheet, units = found.sheet, found.begins.units
    times, run = time_columns(sheet), first_of(sheet.header, RUNS)
    known, rest = _columns([name for name in sheet.header if name not in (*times, run)], units, culture=found.culture)
    event = "" if known else first_of(sheet.header, HAPPENED)
    of_run = "" if run or event else found.own
    lines = _top(path, found, "events" if event else kind_of(sheet))
    lines += _whose(run, of_run, guessed=found.guessed)
    lines.append(_time_line(sheet, times, zero=bool(event) and not run, units=units))
    if event:
        lines.append(f"    event: {quoted(event)}")
        details = first_of([item for item in rest if item != event], DETAILS)
        return Draft((*lines, *([f"    words: {quoted(details)}"] if details else [])))
    names = (row[sheet.column(run)] for row in sheet.rows) if run else [of_run]
    runs = {name: "bench" for name in names if name}
    return Draft((*lines, "    columns:", *_known(known), *_rest(rest, units, known)), runs)


def _of_wide(path: Path, found: Found, wide: Mapping[str, Mapping[str, str]]) -> Draft:
    """The draft of a table whose columns name their runs: an entry for each run."""
    sheet, units = found.sheet, found.begins.units
    times = time_columns(sheet)
    lines: list[str] = []
    for run, columns in wide.items():
        lines += [*_top(path, found, kind_of(sheet)), *_whose("", run, guessed=True)]
        lines += [_time_line(sheet, times, units=units), "    columns:", *_columns(columns, units, names=columns)[0]]
    taken = {name for columns in wide.values() for name in columns} | set(times)
    lines += _rest([name for name in sheet.header if name not in taken], units, lines)
    return Draft(tuple(lines), dict.fromkeys(wide, "bench"))


def _of_list(path: Path, found: Found) -> Draft:
    """The draft of a list with one reading a row: what was measured, its value, and its unit."""
    sheet = found.sheet
    times, run = time_columns(sheet), first_of(sheet.header, RUNS)
    name, value, unit = (first_of(sheet.header, words) for words in (ANALYTES, VALUES, UNIT_NAMES))
    measured = list(dict.fromkeys(row[sheet.column(name)] for row in sheet.rows if row[sheet.column(name)]))
    units = {row[sheet.column(name)]: as_unit(row[sheet.column(unit)]) for row in reversed(sheet.rows)} if unit else {}
    units = {key: text for key, text in units.items() if is_unit(text)} | dict(found.begins.units)
    known, rest = _columns(measured, units, culture=found.culture)
    lines = _top(path, found, kind_of(sheet))
    lines += _whose(run, "" if run else found.own, guessed=found.guessed)
    lines.append(_time_line(sheet, times, units=found.begins.units))
    told = f"name: {quoted(name)}, value: {quoted(value)}" + (f", unit: {quoted(unit)}" if unit else "")
    lines.append(f"    readings: {{{told}}} # one reading a row")
    names = (row[sheet.column(run)] for row in sheet.rows) if run else [found.own]
    runs = {item: "bench" for item in names if item}
    return Draft((*lines, "    columns:", *_known(known), *_rest(rest, units, known)), runs)


def _whose(run: str, of_run: str, *, guessed: bool) -> list[str]:
    if run:
        return [f"    run: {quoted(run)}"]
    return [f"    of_run: {quoted(of_run)}" + (" # run guessed" if guessed else "")] if of_run else []


def _known(lines: list[str]) -> list[str]:
    return lines or [f"      []  {NOT_UNDERSTOOD}: name column, symbol and unit"]


def _rest(names: Sequence[str], units: Mapping[str, str], known: Sequence[str]) -> list[str]:
    product = not any("symbol: P," in line for line in known)
    return [f"      # not understood: {quoted(name)}{_hint(name, units, product=product)}" for name in names]


def _hint(header: str, units: Mapping[str, str], *, product: bool) -> str:
    """What a person may make of a column that is no symbol; `product`: nothing is taken for the product yet."""
    name, unit = split_header(header)
    unit = unit or units.get(header, "")
    if OPTICAL.fullmatch(name):
        return f"; with your g/L per unit: {{column: {quoted(header)}, symbol: DCW, unit: g/L, factor: 0.4}}"
    if CELLS.fullmatch(name):
        return f"; with your g/L per 1e6 cells/mL: {{column: {quoted(header)}, symbol: X, unit: g/L, factor: 0.3}}"
    if product and unit and same_dimension(unit, "g/L"):
        return f"; your product? {{column: {quoted(header)}, symbol: P, unit: {quoted(unit)}}}"
    return ""


def _of_features(path: Path, found: Found) -> list[str]:
    """Further columns of a table with one row a run; none where it holds only what a mapping says of runs."""
    sheet = found.sheet
    run = first_of(sheet.header, RUNS)
    names = [name for name in sheet.header if name != run and not told_of_run(name)]
    cells = {name: [row[sheet.column(name)] for row in sheet.rows if row[sheet.column(name)]] for name in names}
    numbers = [name for name in names if cells[name] and all(map(is_number, cells[name]))]
    if not numbers:
        return []
    lines = [*_top(path, found, "features"), f"    run: {quoted(run)}"]
    if len(numbers) < len(sheet.header) - 1:
        lines.append(f"    features: [{', '.join(quoted(name) for name in numbers)}]")
    return lines + [f"    # not understood: {quoted(name)}" for name in names if name not in numbers]


def _of_spectra(path: Path, found: Found) -> list[str]:
    sheet = found.sheet
    rest = [name for name in sheet.header if not is_number(name)]
    time, run = first_of(rest, TIMES) or rest[0], first_of(rest, RUNS)
    return [
        *_top(path, found, "spectra"), f"    spectra: {quoted(path.stem)}",
        *_whose(run, "" if run else found.own, guessed=found.guessed),
        _time_line(sheet, (time, "")),
        *(f"    # not read: {quoted(name)}" for name in rest if name not in (time, run)),
    ]  # fmt: skip


def _of_plate(path: Path, found: Found) -> list[str]:
    sheet = found.sheet
    time = first_of(sheet.header, TIMES) or sheet.header[0]
    rest = [name for name in sheet.header if name != time and not well_name(name)]
    return [
        *_top(path, found, "plate"),
        _time_line(sheet, (time, "")),
        '    plate: {symbol: reading, unit: ""} # what the wells hold; or symbol X, unit g/L and a factor',
        "    # layout: layout.csv # names the run of each well",
        *(f"    # not understood: {quoted(name)}" for name in rest),
    ]  # fmt: skip


def _columns(
    headers: Iterable[str],
    units: Mapping[str, str],
    names: Mapping[str, str] | None = None,
    culture: Culture | None = None,
) -> tuple[list[str], list[str]]:
    """What each header is taken for, and those that nothing is; whole words go before words within longer names.

    - `names`: what is measured, where a header says more than that.
    """
    symbols: dict[str, str] = {}
    words = culture_words(culture)
    plain = {header: (names or {}).get(header) or split_header(header)[0] for header in headers}
    for known in (known_as, symbol_of):
        for header, name in plain.items():
            symbol = known(name, words)
            if symbol is None or header in symbols or symbol in symbols.values():
                continue
            if _fits(symbol, split_header(header)[1] or units.get(header, "")):
                symbols[header] = symbol
    found = []
    for header in plain:
        if header in symbols:
            unit = split_header(header)[1] or units.get(header, "")
            usual = UNITS.get(symbols[header], "g/L")
            shown, note = unit or usual, "" if unit or not usual else " # unit guessed"
            factor = molar_factor(culture, symbols[header], unit) if unit else None
            if factor is not None:
                shown, note = "g/L", f" # unit guessed: from {unit} by the molar mass"
            found.append(
                f"      - {{column: {quoted(header)}, symbol: {symbols[header]}, unit: {quoted(shown)}"
                + (f", factor: {factor:.6g}" if factor is not None else "")
                + f"}}{note}"
            )
    return found, [header for header in plain if header not in symbols]


def _fits(symbol: str, unit: str) -> bool:
    """Whether a column in `unit` may hold `symbol`: a weight in g/L is no volume.

    Contents in another unit are taken all the same, for their refusal says the factor to g/L.
    """
    usual = UNITS.get(symbol, "g/L")
    return not unit or usual == "g/L" or same_dimension(unit, usual)


def _time_line(
    sheet: Sheet, columns: tuple[str, str], *, zero: bool = False, units: Mapping[str, str] | None = None
) -> str:
    """The entry of the time's column; `zero`: timestamps count from a moment that a person has to set."""
    column, hour = columns
    name, unit = split_header(column)
    unit, note = unit or (units or {}).get(column, "") or _told_unit(name), ""
    cells = [row[sheet.column(column)] for row in sheet.rows]
    first = next(filter(None, cells), "")
    if DURATION.fullmatch(first):
        unit = CLOCK
    elif unit not in TIME_UNITS or not is_number(first):
        unit, note = ("h", " # unit guessed") if is_number(first) or not first else ("timestamp", "")
    if unit == "h" and note and is_number(first) and DAYS_OF_SHEETS[0] < float(first) < DAYS_OF_SHEETS[1]:
        note += ": days as a spreadsheet counts them? Format the cells as dates"
    text = f"column: {quoted(column)}" + (f", clock: {quoted(hour)}" if hour else "")
    form, sure = form_of(cells) if unit == "timestamp" else ("", True)
    if form:
        text, note = f'{text}, format: "{form}"', "" if sure else " # unit guessed: is the day or the month first?"
    if zero and unit == "timestamp":
        text, note = f"{text}, zero: {quoted(first)}", " # put the inoculation"
    return f"    time: {{{text}, unit: {unit}}}{note}"


def kind_of(sheet: Sheet) -> str:
    """Whether a table of readings is a logger's or a laboratory's, by its length."""
    return "online" if len(sheet.rows) > 200 else "offline"


def quoted(text: str) -> str:
    """A text as YAML holds it."""
    plain = " ".join(text.split()) if any(ord(letter) < 32 for letter in text) else text
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
