"""The mapping file: which column of which table is what, in which unit, of which run; and a first draft of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from seedtrain.development._data_check._export_table import EVENTS, ExportTable
from seedtrain.development._data_check._exports import detect, read_export
from seedtrain.development._data_check._plates import is_plate, well_name
from seedtrain.development._data_check._table import Sheet, read_sheet
from seedtrain.quantity import QuantityError, read_unit

UNITS: Final = {
    "X": "g/L", "S": "g/L", "A": "g/L", "P": "g/L", "M": "g/L", "DCW": "g/L", "DO_percent": "%", "OUR": "mmol/L/h",
    "CER": "mmol/L/h", "OTR": "mmol/L/h", "V": "L", "F": "L/h", "T": "degC", "pH": "", "N": "1/min", "NH": "mmol/L",
    "sample_volume": "L", "mu": "1/h", "gas": "L/min", "O2_out": "%", "CO2_out": "%",
}  # fmt: skip
"""Symbols that have a unit of their own here; species of a culture are in g/L or mmol/L as the culture file says."""
WORDS: Final = {
    "X": ("biomass", "cell", "cdw", "x"),
    "DCW": ("dcw", "dry cell weight"), "S": ("glucose", "substrate", "sugar", "s"),
    "A": ("acetate", "acetic", "a"), "P": ("product", "titre", "titer", "p"),
    "DO_percent": ("do", "po2", "do_percent", "dissolved oxygen", "dot"), "OUR": ("our", "oxygen uptake"),
    "CER": ("cer", "co2 evolution"), "V": ("volume", "v", "weight"), "F": ("feed", "f", "feed rate"),
    "T": ("temperature", "temp", "t_broth"), "pH": ("ph",), "N": ("stirrer", "rpm", "agitation", "n"),
    "NH": ("ammonium", "ammonia", "nh", "nh4"), "sample_volume": ("sample volume", "sample_volume"),
}  # fmt: skip
TIMES: Final = ("time", "t", "hours", "elapsed", "age", "timestamp", "date", "zeit", "时间")
RUNS: Final = ("run", "batch", "experiment", "reactor", "vessel", "id", "批次")
HAPPENED: Final = ("event", "events", "action", "note", "comment", "what happened", "ereignis", "事件", "操作")
TIME_UNITS: Final = {"h": 1.0, "min": 1 / 60, "s": 1 / 3600, "d": 24.0}
KINDS: Final = ("online", "offline")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnEntry(_Entry):
    """One column: its `symbol`, the `unit` that it is written in, and a `factor` to it (an OD's g/L per unit)."""

    column: str
    symbol: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    unit: str = ""
    factor: float = Field(default=1.0, gt=0)

    @field_validator("unit")
    @classmethod
    def _known(cls, unit: str) -> str:
        try:
            read_unit(unit)
        except QuantityError as error:
            raise ValueError(f"{error} | Write a unit such as g/L, mmol/L/h or %.") from None
        return unit


class TimeEntry(_Entry):
    """The time's column and base; `timestamp` counts from `zero`, or from the first row of a run."""

    column: str
    unit: Literal["h", "min", "s", "d", "timestamp"]
    zero: str = ""


class PlateEntry(_Entry):
    """What the wells of a plate hold: one `symbol`, the `unit` that it is written in, and a `factor` to it."""

    symbol: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    unit: str = ""
    factor: float = Field(default=1.0, gt=0)


class TableEntry(_Entry):
    """One table: `run` names the column that tells runs apart, `of_run` one run for the whole table.

    - `instrument`: the export is biolector's, pioreactor's, asm, or one that allotropy reads. - `layout`: a file that
      names the run of each well (or other name in `run`). - `event`, `words`: columns of a table of events; one with
      neither `run` nor `of_run` tells of every run. - `plate`: what a table with a column for each well holds.
    """

    file: str
    sheet: str = ""
    instrument: str = ""
    kind: Literal["online", "offline", "events", "plate"] = "offline"
    run: str = ""
    of_run: str = ""
    layout: str = ""
    time: TimeEntry
    columns: list[ColumnEntry] = Field(default_factory=list)
    plate: PlateEntry | None = None
    event: str = ""
    words: str = ""

    @model_validator(mode="after")
    def _whole(self) -> TableEntry:
        needs = {"events": ("event", self.event), "plate": ("plate", self.plate)}
        name, given = needs.get(self.kind, ("columns", self.columns))
        if not given:
            raise ValueError(f"a table of kind {self.kind} needs `{name}` | See docs/reference/data.md.")
        if self.kind == "events" and self.columns:
            raise ValueError("a table of events has no `columns` | Read its columns as another table.")
        return self


class RunEntry(_Entry):
    """What is known of a run beside its tables. `fed`: g/L of each species in the feed; `initial`: by symbol."""

    scale: Literal["", "well", "bench", "pilot", "plant"] = ""
    vessel: str = ""
    feed_factor: float = Field(default=1.0, ge=0)
    initial: dict[str, float] = Field(default_factory=dict)
    fed: dict[str, float] = Field(default_factory=dict)


class MappingEntry(_Entry):
    """The whole mapping file."""

    data: str = Field(min_length=1)
    origin: Literal["measured", "simulated"] = "measured"
    culture: str = ""
    tables: list[TableEntry] = Field(min_length=1)
    runs: dict[str, RunEntry] = Field(default_factory=dict)


def draft_mapping(files: Sequence[Path], *, name: str = "my data", instrument: str = "") -> str:
    """A mapping of `files` as far as headers tell it, as YAML; what was guessed is for a person to check.

    - `instrument`: whose exports the files are; where not given, BioLector, Pioreactor and Allotrope Simple Model are
      known by their beginning.
    """
    lines = [f"data: {_quoted(name)}", "origin: measured # or simulated", "tables:"]
    runs: dict[str, str] = {}
    for path in files:
        export = instrument or detect(path)
        if export:
            for table in read_export(path, export):
                lines += _of_export(path, export, table, runs)
            continue
        sheet = read_sheet(path)
        lines += _of_plate(path, sheet, runs) if is_plate(sheet) else _of_table(path, sheet, runs)
    if runs:
        lines.append("runs: # initial: contents after inoculation, g/L; feed_factor: on the recipe's feed")
    lines += [f"  {_quoted(item)}: {{scale: {scale}}}" for item, scale in runs.items()]
    return "\n".join(lines) + "\n"


def _of_table(path: Path, sheet: Sheet, runs: dict[str, str]) -> list[str]:
    """The draft of a table with a header; its runs are added to `runs`, each with its scale."""
    time, run = _first(sheet.header, TIMES), _first(sheet.header, RUNS)
    time = time or sheet.header[0]
    known, rest = _columns(sheet, (time, run))
    event = "" if known else _first(sheet.header, HAPPENED)
    of_run = "" if run or event else path.stem
    if not event:
        names = (row[sheet.column(run)] for row in sheet.rows) if run else [of_run]
        runs |= {name: "bench" for name in names if name and name not in runs}
    lines = [f"  - file: {_quoted(path.name)}", f"    kind: {'events' if event else _kind(sheet)}"]
    lines += [f"    run: {_quoted(run)}"] if run else [f"    of_run: {_quoted(of_run)}"] if of_run else []
    unit = _time_unit(sheet, time)
    zero = ""
    if event and unit == "timestamp":
        zero = f", zero: {_quoted(sheet.rows[0][sheet.column(time)])}"
    lines.append(f"    time: {{column: {_quoted(time)}{zero}, unit: {unit}}}" + (" # put the inoculation" * bool(zero)))
    if event:
        rest = [item for item in rest if item != event]
        lines.append(f"    event: {_quoted(event)}")
        lines += [f"    words: {_quoted(rest[0])}"] if rest else []
        return lines
    lines.append("    columns:")
    lines += known or ["      []  # no header was understood: name column, symbol and unit"]
    return lines + [f"      # not understood: {_quoted(name)}" for name in rest]


def _of_plate(path: Path, sheet: Sheet, runs: dict[str, str]) -> list[str]:
    time = _first(sheet.header, TIMES) or sheet.header[0]
    for name in sheet.header:
        if well_name(name):
            runs.setdefault(well_name(name), "well")
    rest = [name for name in sheet.header if name != time and not well_name(name)]
    return [
        f"  - file: {_quoted(path.name)}", "    kind: plate",
        f"    time: {{column: {_quoted(time)}, unit: {_time_unit(sheet, time)}}}",
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


def _columns(sheet: Sheet, taken: Sequence[str]) -> tuple[list[str], list[str]]:
    found, rest, used = [], [], set[str]()
    for header in sheet.header:
        if header in taken:
            continue
        name, unit = split_header(header)
        symbol = _symbol(name)
        if symbol is None or symbol in used:
            rest.append(header)
            continue
        used.add(symbol)
        shown = unit or UNITS[symbol]
        note = "" if unit else " # unit guessed"
        found.append(f"      - {{column: {_quoted(header)}, symbol: {symbol}, unit: {_quoted(shown)}}}{note}")
    return found, rest


def split_header(header: str) -> tuple[str, str]:
    """Name and unit of a header such as `glucose [g/L]` or `OUR (mmol/L/h)`; no unit where it is none."""
    match = re.fullmatch(r"(.*?)\s*[\[(]([^\])]*)[\])]\s*", header)
    if not match:
        return header.strip(), ""
    unit = match[2].strip().replace("·", "*").replace("°C", "degC")
    try:
        read_unit(unit)
    except QuantityError:
        return match[1].strip(), ""
    return match[1].strip(), unit


def _symbol(name: str) -> str | None:
    plain = name.lower().replace("_", " ").strip()
    for symbol, words in WORDS.items():
        if name == symbol or plain in (word.replace("_", " ") for word in words):
            return symbol
    return next((s for s, words in WORDS.items() if any(len(w) > 3 and w in plain for w in words)), None)


def _first(header: Sequence[str], words: Sequence[str]) -> str:
    plain = {name: split_header(name)[0].lower() for name in header}
    return next((name for word in words for name in header if plain[name] == word), "")


def _time_unit(sheet: Sheet, column: str) -> str:
    unit = split_header(column)[1]
    if unit in TIME_UNITS:
        return unit
    first = sheet.rows[0][sheet.column(column)]
    try:
        float(first)
    except ValueError:
        return "timestamp"
    return "h # guessed"


def _kind(sheet: Sheet) -> str:
    return "online" if len(sheet.rows) > 200 else "offline"


def _quoted(text: str) -> str:
    plain = " ".join(text.split()) if any(ord(letter) < 32 for letter in text) else text
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
