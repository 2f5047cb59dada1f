"""The sheet of runs: a CSV that goes to the bench in random order and comes back with results, again and again."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Position, SeedtrainError, collect
from seedtrain.development._data_check import Sheet, read_sheet
from seedtrain.development._experiments._entry import Experiment, Factor, Value

Floats = NDArray[np.float64]
RUN, BLOCK, WELL, REASON = "run", "block", "well", "reason"
EMPTY: Final = ("", "na", "n/a", "nd", "n.d.", "-")
PLATES: Final = {6: (2, 3), 12: (3, 4), 24: (4, 6), 48: (6, 8), 96: (8, 12), 384: (16, 24)}


@dataclass(frozen=True)
class SheetRow:
    """One run: its number in the order of work, block and well, factors, readings (not-a-number: none), reason."""

    number: int
    values: dict[str, Value]
    readings: dict[str, float]
    block: str = ""
    well: str = ""
    reason: str = ""


def rows_of(
    study: Experiment, points: Floats, *, reasons: Sequence[str] = (), blocks: int = 1, replicates: int = 1,
    plate: int = 0, first: int = 1, seed: int | None = 0,
) -> tuple[SheetRow, ...]:  # fmt: skip
    """Points as runs in a random order within each block (`seed` None keeps theirs), on plates where asked for.

    A block (a day, a reactor, a plate) gets every kind of run in turn, so that it is confounded with none of them.
    """
    if blocks < 1 or replicates < 1 or blocks > len(points) * replicates:
        raise InputError(f"{blocks} blocks of {len(points) * replicates} runs", remedy="Give fewer blocks.")
    if plate and plate not in PLATES:
        raise InputError(f"a plate of {plate} wells", remedy=f"Use one of {', '.join(map(str, PLATES))}.")
    rng = np.random.default_rng(seed)
    order = [at for _copy in range(replicates) for at in range(len(points))]
    if seed is not None:
        order = [int(at) for copy in range(replicates) for at in rng.permutation(len(points))]
    block_of = [at % blocks for at in range(len(order))]
    placed = sorted(range(len(order)), key=lambda at: block_of[at])
    if seed is not None:
        placed = [at for block in range(blocks) for at in rng.permutation([k for k in placed if block_of[k] == block])]
    found = []
    for number, at in enumerate(placed, first):
        reason = reasons[order[at]] if reasons else ""
        empty = {item.name: math.nan for item in study.responses}
        block = str(block_of[at] + 1) if blocks > 1 else ""
        values = study.values(points[order[at]])
        found.append(SheetRow(number, values, empty, block, _well(number - first, plate), reason))
    return tuple(found)


def _well(at: int, plate: int) -> str:
    """Plate and well by the order of work: A1, A2 ..."""
    if not plate:
        return ""
    rows, columns = PLATES[plate]
    number, place = divmod(at, rows * columns)
    row, column = divmod(place, columns)
    return f"{number + 1}:{chr(ord('A') + row)}{column + 1}"


def sheet_text(study: Experiment, rows: Sequence[SheetRow]) -> str:
    """The sheet as CSV: run, block, well, factors and responses with their units, reason."""
    stream = io.StringIO()
    out = csv.writer(stream, lineterminator="\n")
    factors = [_head(item.name, item.unit) for item in study.factors]
    responses = [_head(item.name, item.unit) for item in study.responses]
    more = [name for name in (BLOCK, WELL) if any(getattr(row, name) for row in rows)]
    out.writerow([RUN, *more, *factors, *responses, REASON])
    for row in rows:
        values = [f"{v:.10g}" if isinstance(v, float) else v for v in row.values.values()]
        read = ["" if math.isnan(v) else f"{v:.10g}" for v in row.readings.values()]
        out.writerow([row.number, *(getattr(row, name) for name in more), *values, *read, row.reason])
    return stream.getvalue()


def _head(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name


def read_rows(study: Experiment, path: Path) -> tuple[SheetRow, ...]:
    """A sheet with the results so far; every fault at once, each with its line. An empty cell is a run to come."""
    sheet = read_sheet(path)
    faults: list[SeedtrainError] = []
    places = {}
    heads = [(item.name, item.unit) for item in study.factors] + [(item.name, item.unit) for item in study.responses]
    for name, unit in heads:
        try:
            places[name] = sheet.column(_head(name, unit))
        except InputError as error:
            faults.append(error)
    collect(faults)
    found, seen = [], set[int]()
    for at in range(len(sheet.rows)):
        try:
            row = _row(study, sheet, places, at)
            if row.number in seen:
                raise InputError(f"run {row.number} stands twice", position=sheet.place(at), remedy="Number it anew.")
            seen.add(row.number)
            found.append(row)
        except SeedtrainError as error:
            faults.append(error)
    collect(faults[:20])
    return tuple(found)


def _row(study: Experiment, sheet: Sheet, places: dict[str, int], at: int) -> SheetRow:
    cells, place = sheet.rows[at], sheet.place(at)
    text = {
        name: cells[sheet.header.index(name)] if name in sheet.header else "" for name in (RUN, BLOCK, WELL, REASON)
    }
    if text[RUN] and not text[RUN].isdigit():
        raise InputError(f"the run is {text[RUN]!r}", position=place, remedy="Give each run a number.")
    values = {item.name: _value(item, cells[places[item.name]], place) for item in study.factors}
    readings = {item.name: _reading(item.name, cells[places[item.name]], place) for item in study.responses}
    return SheetRow(int(text[RUN] or at + 1), values, readings, text[BLOCK], text[WELL], text[REASON])


def _value(item: Factor, text: str, place: Position) -> Value:
    if item.levels:
        if text not in item.levels:
            known = ", ".join(item.levels)
            raise InputError(f"{item.name} is {text!r}", position=place, remedy=f"Use one of: {known}.")
        return text
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (item.log and value <= 0):
        raise InputError(
            f"{item.name} is {text!r}, no number", position=place, remedy=f"Give it in {item.unit or '1'}."
        )
    return value


def _reading(name: str, text: str, place: Position) -> float:
    if text.lower() in EMPTY:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{name} is {text!r}, no number", position=place,
                         remedy="Give a number, or leave the cell empty until there is one.")  # fmt: skip
    return value
