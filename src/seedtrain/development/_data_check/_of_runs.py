"""Tables with one row a run: what is known of each run, and further features of it (omics, images, counts)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, get_args

from seedtrain.base import InputError, Position, SeedtrainError, collect
from seedtrain.development._data_check._clock import moment
from seedtrain.development._data_check._headers import RUNS, TIMES, TOLD, first_of, is_number, split_header, symbol_of
from seedtrain.development._data_check._mapping import UNITS, Scale
from seedtrain.development._data_check._table import Sheet
from seedtrain.quantity import QuantityError, convert

SETTING: Final = re.compile(r"[A-Za-z][\w-]*(/[\w-]+)+:\w+")
"""A column of what runs were set to: a phase of the recipe and one of its parameters."""
CONTENT: Final = re.compile(r"(initial|start|fed)[ _](.+)")


def is_runs(sheet: Sheet) -> bool:
    """Whether a table says of each run where it was made or what it started with: a run a row, and no time."""
    run = first_of(sheet.header, RUNS)
    return is_features(sheet) and any(told_of_run(name) for name in sheet.header if name != run)


def is_features(sheet: Sheet) -> bool:
    """Whether a table has one row a run, and no time."""
    run = first_of(sheet.header, RUNS)
    if not run or first_of(sheet.header, TIMES):
        return False
    names = [row[sheet.column(run)] for row in sheet.rows]
    return all(names) and len(set(names)) == len(names)


def told_of_run(header: str) -> str:
    """The mapping's key that a column of a table of runs holds, such as scale or initial; empty where it holds none."""
    name = split_header(header)[0].lower()
    if SETTING.fullmatch(split_header(header)[0]):
        return "set"
    found = CONTENT.fullmatch(name)
    if found and symbol_of(split_header(header)[0][found.start(2) :]):
        return "fed" if found[1] == "fed" else "initial"
    return TOLD.get(name, "")


def runs_told(sheet: Sheet) -> dict[str, dict[str, str]]:
    """What a table of runs says of each, as the values of a mapping's `runs`; every fault at once, with its line."""
    run = sheet.column(first_of(sheet.header, RUNS))
    kept = [(at, name, told_of_run(name)) for at, name in enumerate(sheet.header) if at != run and told_of_run(name)]
    found: dict[str, dict[str, str]] = {}
    faults: list[SeedtrainError] = []
    for number, row in enumerate(sheet.rows):
        place = sheet.place(number)
        about: dict[str, str] = {}
        contents: dict[str, list[str]] = {}
        for at, header, key in kept:
            if not row[at]:
                continue
            try:
                text = _READ[key](header, row[at], place)
            except SeedtrainError as error:
                faults.append(error)
                continue
            if key in ("initial", "fed", "set"):
                contents.setdefault(key, []).append(text)
            else:
                about[key] = text
        found[row[run]] = about | {key: f"{{{', '.join(texts)}}}" for key, texts in contents.items()}
    collect(faults[:20])
    return found


def _scale(header: str, cell: str, place: Position) -> str:
    known = [name for name in get_args(Scale) if name]
    if cell.lower() not in known:
        raise InputError(f"{header}: there is no scale {cell!r}", position=place,
                         remedy=f"Use one of: {', '.join(known)}.")  # fmt: skip
    return cell.lower()


def _origin(header: str, cell: str, place: Position) -> str:
    if cell not in ("measured", "simulated"):
        raise InputError(f"{header}: {cell!r}", position=place, remedy="Write measured or simulated.")
    return cell


def _began(header: str, cell: str, place: Position) -> str:
    try:
        return f'"{moment(cell).isoformat(timespec="seconds")}"'
    except ValueError:
        raise InputError(
            f"{header}: {cell!r} is no timestamp", position=place, remedy="Write 2026-03-01T08:00."
        ) from None


def _factor(header: str, cell: str, place: Position) -> str:
    return f"{_not_negative(header, cell, place):g}"


def _content(header: str, cell: str, place: Position) -> str:
    name, unit = split_header(header)
    found = CONTENT.fullmatch(name.lower())
    assert found is not None
    symbol = symbol_of(name[found.start(2) :])
    assert symbol is not None
    value = _not_negative(header, cell, place)
    try:
        value = convert(value, unit or UNITS[symbol], UNITS[symbol])
    except QuantityError as error:
        raise InputError(f"{header}: {error.message}", position=place, remedy=f"Give it in {UNITS[symbol]}.") from None
    return f"{symbol}: {value:.10g}"


def _setting(header: str, cell: str, place: Position) -> str:
    name, unit = split_header(header)
    if not is_number(cell):
        remedy = "Write 12.5, with a point." if "," in cell else "Give a number, or empty the cell."
        raise InputError(f"{header}: {cell!r} is not a number", position=place, remedy=remedy)
    return f'"{name}": {cell} {unit}'.rstrip()


def _not_negative(header: str, cell: str, place: Position) -> float:
    if not is_number(cell) or float(cell) < 0:
        remedy = "Write 12.5, with a point." if "," in cell else "Give a number of 0 or more, or empty the cell."
        raise InputError(f"{header}: {cell!r} is no such number", position=place, remedy=remedy)
    return float(cell)


def _text(header: str, cell: str, place: Position) -> str:
    return '"' + cell.replace("\\", "\\\\").replace('"', '\\"') + '"'


_READ: Final[Mapping[str, Callable[[str, str, Position], str]]] = {
    "began": _began, "scale": _scale, "vessel": _text, "feed_factor": _factor, "origin": _origin, "initial": _content,
    "fed": _content, "set": _setting,
}  # fmt: skip


def read_features(sheet: Sheet, run: str, names: list[str]) -> dict[str, dict[str, float]]:
    """Features by run, of the columns `names` (all others but `run` if none): empty cells are left out.

    Raises `InputErrors` with lines for a run without a name or with two rows, and for what is no number.
    """
    at = sheet.column(run)
    columns = [(name, sheet.column(name)) for name in names or [name for name in sheet.header if name != run]]
    found: dict[str, dict[str, float]] = {}
    faults: list[SeedtrainError] = []
    for number, row in enumerate(sheet.rows):
        place, name = sheet.place(number), row[at]
        if not name or name in found:
            words = f"run {name!r} stands twice" if name else "the row names no run"
            remedy = "Give one row a run: means of its replicates, for instance."
            faults.append(InputError(words, position=place, remedy=remedy))
            continue
        found[name] = {}
        for column, where in columns:
            if not row[where]:
                continue
            if is_number(row[where]):
                found[name][column] = float(row[where])
            else:
                faults.append(InputError(f"{column}: {row[where]!r} is not a number", position=place,
                                         remedy="Give one, or empty the cell."))  # fmt: skip
    collect(faults[:20])
    return found
