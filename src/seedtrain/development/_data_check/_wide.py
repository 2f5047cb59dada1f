"""Tables whose columns name their runs: `B1 DCW (g/L)`, `glucose_F2`; and lists with a row for each reading."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from seedtrain.development._data_check._headers import first_of, known_as, split_header
from seedtrain.development._data_check._table import Sheet

ANALYTES: Final = (
    "analyte", "parameter", "component", "compound", "variable", "measurement", "measurand", "test", "assay", "species",
    "quantity", "messgröße", "analyt", "komponente", "检测项目", "项目", "指标", "参数",
)  # fmt: skip
VALUES: Final = (
    "value", "result", "reading", "measured value", "concentration", "amount", "wert", "messwert", "ergebnis", "结果",
    "数值", "测定值", "检测结果",
)  # fmt: skip
UNIT_NAMES: Final = ("unit", "units", "uom", "einheit", "单位")
PARTS: Final = re.compile(r"[\s_.:/|-]+")


def wide_runs(header: Sequence[str], taken: Sequence[str]) -> dict[str, dict[str, str]]:
    """Runs that the columns beside `taken` name, each with its columns and the name of what they hold; else none.

    Every run's name has a digit, or all hold the same two or more symbols; one symbol at least is of several runs.
    """
    found: dict[str, dict[str, str]] = {}
    for column in header:
        parted = None if column in taken else _parted(split_header(column)[0])
        if parted:
            found.setdefault(parted[0], {})[column] = parted[1]
    held = [frozenset(known_as(name) for name in names.values()) for names in found.values()]
    if len(found) < 2 or not frozenset.intersection(*held):
        return {}
    if any(len(symbols) < len(names) for symbols, names in zip(held, found.values(), strict=True)):
        return {}
    numbered = all(any(letter.isdigit() for letter in run) for run in found)
    return found if numbered or (len(set(held)) == 1 and len(held[0]) > 1) else {}


def _parted(name: str) -> tuple[str, str] | None:
    """Run and measured thing of a header such as `B1 DCW` or `glucose, F2`; none where it is one word, or no symbol."""
    parts = [part for part in PARTS.split(name.replace(",", " ")) if part]
    for count in range(len(parts) - 1, 0, -1):
        for thing, rest in ((parts[-count:], parts[:-count]), (parts[:count], parts[count:])):
            text = " ".join(thing)
            if len(text) > 1 and known_as(text):  # one letter alone may be a run's
                return "-".join(rest), text
    return None


def is_long(sheet: Sheet) -> bool:
    """Whether a table has a row for each reading: what was measured, and its value."""
    return bool(first_of(sheet.header, ANALYTES) and first_of(sheet.header, VALUES))


def unlisted(sheet: Sheet, name: str, value: str) -> Sheet:
    """A list as a table with a column for each thing measured: row by row, so that every reading keeps its line."""
    at, where = sheet.column(name), sheet.column(value)
    names = list(dict.fromkeys(row[at] for row in sheet.rows if row[at]))
    kept = [place for place in range(len(sheet.header)) if place not in (at, where)]
    others = [item for item in names if item not in sheet.header]
    header = (*(sheet.header[place] for place in kept), *others)
    spots = {item: number for number, item in enumerate(others)}
    rows = []
    for row in sheet.rows:
        cells = [""] * len(others)
        if row[at] in spots:
            cells[spots[row[at]]] = row[where]
        rows.append((*(row[place] for place in kept), *cells))
    return Sheet(sheet.file, header, tuple(rows), sheet.lines)
