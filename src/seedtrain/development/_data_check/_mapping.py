"""The mapping file: which column of which table is what, in which unit, of which run; and a first draft of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

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


class TableEntry(_Entry):
    """One table: `run` names the column that tells runs apart, `of_run` one run for the whole table."""

    file: str
    sheet: str = ""
    kind: Literal["online", "offline"] = "offline"
    run: str = ""
    of_run: str = ""
    time: TimeEntry
    columns: list[ColumnEntry] = Field(min_length=1)


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


def draft_mapping(files: Sequence[Path], *, name: str = "my data") -> str:
    """A mapping of `files` as far as headers tell it, as YAML; what was guessed is for a person to check."""
    lines = [f"data: {_quoted(name)}", "origin: measured # or simulated", "tables:"]
    runs: dict[str, None] = {}
    for path in files:
        sheet = read_sheet(path)
        time, run = _first(sheet.header, TIMES), _first(sheet.header, RUNS)
        of_run = "" if run else path.stem
        if run:
            runs |= dict.fromkeys(row[sheet.column(run)] for row in sheet.rows if row[sheet.column(run)])
        else:
            runs[of_run] = None
        time = time or sheet.header[0]
        lines += [f"  - file: {_quoted(path.name)}", f"    kind: {_kind(sheet)}"]
        lines.append(f"    run: {_quoted(run)}" if run else f"    of_run: {_quoted(of_run)}")
        lines.append(f"    time: {{column: {_quoted(time)}, unit: {_time_unit(sheet, time)}}}")
        lines.append("    columns:")
        known, rest = _columns(sheet, (time, run))
        lines += known or ["      []  # no header was understood: name column, symbol and unit"]
        lines += [f"      # not understood: {_quoted(name)}" for name in rest]
    if runs:
        lines.append("runs: # initial: contents after inoculation, g/L; feed_factor: on the recipe's feed")
    lines += [f"  {_quoted(item)}: {{scale: bench}}" for item in runs]
    return "\n".join(lines) + "\n"


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
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
