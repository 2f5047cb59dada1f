"""Plates: a column for each well as a run for each well, and layouts that name wells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, Position, SeedtrainError, collect
from seedtrain.development._data_check._table import Sheet, read_sheet

WELL: Final = re.compile(r"([A-P])0?(\d{1,2})")
LARGEST: Final = 24
"""Columns of the largest plate, of 384 wells."""


def well_name(text: str) -> str:
    """`A1` of `A1` or `A01`; empty for what is no well of a plate of up to 384."""
    match = WELL.fullmatch(text.strip())
    return f"{match[1]}{int(match[2])}" if match and 1 <= int(match[2]) <= LARGEST else ""


def is_plate(sheet: Sheet) -> bool:
    """Whether a table has a column for each of several wells."""
    return sum(bool(well_name(name)) for name in sheet.header) >= 4


def unfolded(sheet: Sheet, time: str, value: str) -> Sheet:
    """The plate's table with a row for each well and time: columns well, `time`, `value`."""
    at = sheet.column(time)
    wells = [(place, well_name(name)) for place, name in enumerate(sheet.header) if well_name(name)]
    if not wells:
        raise InputError(
            "no column is a well", position=Position(sheet.file, 1, 1), remedy="Name the columns A1, A2, ... H12."
        )
    rows, lines = [], []
    for number, row in enumerate(sheet.rows):
        for place, well in wells:
            rows.append((well, row[at], row[place]))
            lines.append(sheet.lines[number])
    return Sheet(sheet.file, ("well", time, value), tuple(rows), tuple(lines))


def read_layout(path: Path) -> dict[str, str]:
    """The run of each well (or other name): a table with columns `well` and `run`, or a grid as the plate lies.

    A grid has the numbers of the columns as its header, and the letter of the row first. A cell without a name is a
    well that is not read. Raises `InputErrors` with lines.
    """
    sheet = read_sheet(path)
    if "well" in sheet.header and "run" in sheet.header:
        return _listed(sheet)
    if all(name.isdigit() for name in sheet.header[1:]) and len(sheet.header) > 1:
        return _grid(sheet)
    raise InputError(
        "this is no layout of a plate", position=Position(str(path), 1, 1),
        remedy="Give columns `well` and `run`, or a grid with a header row,1,2,3,... and a letter before each row.",
    )  # fmt: skip


def _listed(sheet: Sheet) -> dict[str, str]:
    well, run = sheet.column("well"), sheet.column("run")
    found: dict[str, str] = {}
    faults: list[SeedtrainError] = []
    for number, row in enumerate(sheet.rows):
        name = well_name(row[well]) or row[well]
        if not name or name in found:
            words = f"the well {name} stands twice" if name else "the row names no well"
            faults.append(InputError(words, position=sheet.place(number), remedy="Give each well one row."))
        found[name] = row[run]
    collect(faults[:20])
    return found


def _grid(sheet: Sheet) -> dict[str, str]:
    found: dict[str, str] = {}
    faults: list[SeedtrainError] = []
    for number, row in enumerate(sheet.rows):
        for name, cell in zip(sheet.header[1:], row[1:], strict=True):
            well = well_name(f"{row[0].upper()}{name}")
            if not well or well in found:
                words = f"{row[0]}{name} is no well" if not well else f"the row {row[0]} stands twice"
                faults.append(InputError(words, position=sheet.place(number), remedy="Name rows A, B, C, ... once."))
                break
            found[well] = cell
    collect(faults[:20])
    return found


def placed(names: Mapping[str, str], name: str) -> str | None:
    """The run of a well by a layout; None where the layout does not know it, empty where it is not to be read."""
    return names.get(well_name(name) or name)
