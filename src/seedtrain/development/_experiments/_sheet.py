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

from seedtrain.base import InputError, Position, SeedtrainError, collect, read_text
from seedtrain.development._data_check import Sheet, read_sheet
from seedtrain.development._experiments._designs import model_matrix
from seedtrain.development._experiments._entry import Experiment, Factor, Value

Floats = NDArray[np.float64]
RUN, BLOCK, WELL, REASON = "run", "block", "well", "reason"
EMPTY: Final = ("", "na", "n/a", "nd", "n.d.", "-")
STRAYED: Final = 0.5
"""Of its range: how far outside it a factor may have been set in a run before that is taken for a slip."""
WAYS: Final = 500
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
    plate: int = 0, taken: int = 0, first: int = 1, seed: int | None = 0,
) -> tuple[SheetRow, ...]:  # fmt: skip
    """Points as runs in a random order within each block (`seed` None keeps theirs), on plates where asked for.

    - `taken`: wells of the plates that are in use.

    Runs are shared between blocks (days, reactors, plates) so that the blocks go along with effects and pairs of
    factors as little as they can: of many random ways to share them, the one that does least.
    """
    if blocks < 1 or replicates < 1 or blocks > len(points) * replicates:
        raise InputError(f"{blocks} blocks of {len(points) * replicates} runs", remedy="Give fewer blocks.")
    if plate and plate not in PLATES:
        raise InputError(f"a plate of {plate} wells", remedy=f"Use one of {', '.join(map(str, PLATES))}.")
    rng = np.random.default_rng(seed)
    order = [at for _copy in range(replicates) for at in range(len(points))]
    if seed is not None:
        order = [int(at) for copy in range(replicates) for at in rng.permutation(len(points))]
    block_of = _shared(study, points, order, blocks, np.random.default_rng(seed))
    placed = sorted(range(len(order)), key=lambda at: block_of[at])
    if seed is not None:
        placed = [at for block in range(blocks) for at in rng.permutation([k for k in placed if block_of[k] == block])]
    found = []
    for number, at in enumerate(placed, first):
        reason = reasons[order[at]] if reasons else ""
        empty = {item.name: math.nan for item in study.responses}
        block = str(block_of[at] + 1) if blocks > 1 else ""
        values = study.values(points[order[at]])
        found.append(SheetRow(number, values, empty, block, _well(taken + number - first, plate), reason))
    return tuple(found)


def _shared(
    study: Experiment, points: Floats, order: Sequence[int], blocks: int, rng: np.random.Generator
) -> list[int]:
    """The block of each run in `order`, equally many in each (but for one)."""
    turns = np.arange(len(order)) % blocks
    if blocks == 1 or not len(points):
        return [int(at) for at in turns]
    main = _centred(model_matrix(study, points, "linear")[0][list(order)])
    both = _centred(model_matrix(study, points, "interactions")[0][list(order)])
    best, least = turns, math.inf
    for _way in range(WAYS):
        way = rng.permutation(turns)
        inside = np.eye(blocks)[way] - 1 / blocks
        # A main effect counts more than a pair, which is more often nothing.
        along = sum(weight * float(((inside.T @ terms) ** 2).sum()) for weight, terms in ((9, main), (1, both)))
        if along < least - 1e-9:
            best, least = way, along
    return [int(at) for at in best]


def _centred(terms: Floats) -> Floats:
    apart: Floats = terms - terms.mean(0)
    found: Floats = apart / np.maximum(np.sqrt((apart**2).mean(0)), 1e-9)
    return found


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


def appended_text(study: Experiment, path: Path, rows: Sequence[SheetRow]) -> str:
    """The sheet at `path` with `rows` below: what stands in it stays, columns that the study does not know too.

    Raises `InputError` for a sheet that is no text, such as a workbook.
    """
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise InputError("runs are added to text alone", position=Position(str(path)),
                         remedy="Save the sheet as CSV, or enter the suggested runs by hand.")  # fmt: skip
    old, header = read_text(path, what="sheet"), read_sheet(path).header
    if WELL not in header and any(row.well for row in rows):
        raise InputError("the sheet has no column for wells", position=Position(str(path), 1),
                         remedy="Add a column 'well' to its first line, or leave --plate out.")  # fmt: skip
    top = next(line for line in old.splitlines() if line.strip())
    mark = max("\t;,", key=top.count)
    stream = io.StringIO()
    out = csv.writer(stream, delimiter=mark, lineterminator="\n")
    for row in rows:
        cells = {RUN: str(row.number), BLOCK: row.block, WELL: row.well, REASON: row.reason}
        for item in study.factors:
            value = row.values[item.name]
            cells[_head(item.name, item.unit)] = f"{value:.10g}" if isinstance(value, float) else value
        out.writerow([cells.get(name, "") for name in header])
    whole = old.rstrip("\r\n") + "\n" + stream.getvalue()
    return whole.replace("\r\n", "\n").replace("\n", "\r\n") if b"\r\n" in path.read_bytes() else whole


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
            f"{item.name} is {text!r}, no number",
            position=place,
            remedy=f"Give it in {item.unit or '1'}, with a decimal point.",
        )
    if not -STRAYED <= item.scaled(value) <= 1 + STRAYED:
        span = f"{item.low:g} to {item.high:g} {item.unit}".rstrip()
        raise InputError(f"{item.name} is {text}, far outside {span}", position=place,
                         remedy="Correct unit or number, or widen the factor's range in the study.")  # fmt: skip
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
                         remedy="Give a number with a decimal point, or leave the cell empty for now.")  # fmt: skip
    return value
