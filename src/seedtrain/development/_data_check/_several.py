"""Several tables on one sheet: parted by empty rows and columns, or each with its own row of names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from seedtrain.development._data_check._headers import RUNS, TIMES, TOLD, first_of, is_number, split_header, symbol_of
from seedtrain.development._data_check._region import NUMBER, Region, Row

MOST_ROWS: Final = 20_000
"""Rows of a sheet beyond which it is taken to hold one table: a logger's, not a person's."""
DEEPEST: Final = 6
"""Lines of a part in which its row of names is looked for."""
NEAR: Final = 3
"""Lines above a table in which its title may stand."""
LONGEST: Final = 30
"""Letters of a title that may be the name of a run."""
SHORT: Final = 3
"""Letters of a word after `Run` that is a name without a number in it: `Run A`, but not `Experiment overview`."""


@dataclass(frozen=True)
class _Part:
    """Cells with nothing but empty ones around them; `names`: its line of names, 0 where it has none."""

    region: Region
    rows: tuple[Row, ...]
    names: int = 0


def tables_of(rows: Sequence[Row]) -> tuple[list[tuple[Region, str]], list[Region]]:
    """The regions of the tables of a sheet, from their names on, each with its title; none where it holds only one.

    A table has a row of names with a time or a run among them, and a row below it. The other regions hold numbers that
    are of none of them.
    """
    if not 2 < len(rows) <= MOST_ROWS:
        return [], []
    width = max(len(cells) for _line, cells in rows)
    square = [(line, (*cells, *("",) * (width - len(cells)))) for line, cells in rows if any(cells)]
    parts = [part for piece in _pieces(square, 0, width) for part in _by_names(piece)]
    tables = _continued([part for part in parts if part.names], [part for part in parts if not part.names])
    if len(tables) < 2:
        return [], []
    read = {line for part in tables for line, _cells in part.rows}
    left = [part.region for part in parts if not part.names and _holds_numbers(part) and part.rows[0][0] not in read]
    return [(_from_names(part), _title(part, parts, rows)) for part in tables], left


def _holds_numbers(part: _Part) -> bool:
    return any(sum(bool(NUMBER.fullmatch(cell)) for cell in cells) > 1 for _line, cells in part.rows)


def _pieces(rows: Sequence[Row], left: int, right: int) -> Iterator[_Part]:
    """Cut at empty rows, then at empty columns, and again, until nothing is left to cut: columns `left` to `right`."""
    rows = [(line, cells) for line, cells in rows if any(cells[left:right])]
    if not rows:
        return
    bands = _split([line for line, _cells in rows])
    if len(bands) > 1:
        for band in bands:
            yield from _pieces([row for row in rows if band[0] <= row[0] <= band[1]], left, right)
        return
    used = [at for at in range(left, right) if any(cells[at] for _line, cells in rows)]
    columns = _split(used)
    if len(columns) > 1:
        for first, last in columns:
            yield from _pieces(rows, first, last + 1)
        return
    region = Region(rows[0][0], used[0] + 1, rows[-1][0], used[-1] + 1)
    yield _Part(region, tuple((line, cells[used[0] : used[-1] + 1]) for line, cells in rows))


def _split(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Unbroken stretches of rising whole numbers."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _by_names(part: _Part) -> Iterator[_Part]:
    """A part for each row of names in it, with the title above; the part itself where there is none."""
    starts = [at for at in range(min(len(part.rows), DEEPEST)) if _are_names(part.rows, at)][:1]
    if not starts:
        yield part
        return
    first = part.rows[starts[0]][1]
    key = first_of([cell for cell in first if cell], (*TIMES, *RUNS))
    at = first.index(key)
    starts += [n for n in range(starts[0] + 1, len(part.rows))
               if part.rows[n][1][at] == key and _are_names(part.rows, n)]  # fmt: skip
    begins = [0, *(start - _is_title(part.rows[start - 1][1]) for start in starts[1:]), len(part.rows)]
    for start, low, high in zip(starts, begins, begins[1:], strict=False):
        rows = part.rows[low:high]
        region = replace(part.region, top=rows[0][0], bottom=rows[-1][0])
        yield _Part(region, rows, part.rows[start][0] if high - start > 1 else 0)


def _is_title(cells: Sequence[str]) -> bool:
    """Whether a row may be a title: one cell alone that is no reading, or one that says which run it is."""
    alone = [cell for cell in cells if cell]
    return (len(alone) == 1 and not NUMBER.fullmatch(alone[0])) or any(run_of_title(cell)[1] for cell in cells)


def _are_names(rows: Sequence[Row], at: int) -> bool:
    """Whether a row may be one of names: a time over times, or a run beside what has a unit or a symbol."""
    cells = rows[at][1]
    named = [cell for cell in cells if cell]
    if len(named) < 2 or sum(map(is_number, named)) * 2 >= len(named):
        return False
    below = [row for _line, row in rows[at + 1 : at + 4]]
    time, run = first_of(named, TIMES), first_of(named, RUNS)
    if time:
        return any(row[cells.index(time)][:1].isdigit() for row in below)
    others = [split_header(name) for name in named if name != run]
    if run and below and any(name.lower() in TOLD for name, _unit in others):
        return True
    told = any(symbol_of(name) or unit for name, unit in others)
    return bool(run) and told and any(NUMBER.fullmatch(cell) for row in below for cell in row)


def _continued(tables: Sequence[_Part], others: Sequence[_Part]) -> list[_Part]:
    """The tables, each with what goes on below it after an empty row: rows that hold numbers where its own do."""
    found = []
    for table in tables:
        while more := next((item for item in others if _goes_on(table, item)), None):
            region = replace(table.region, bottom=more.region.bottom)
            table = replace(table, region=region, rows=(*table.rows, *more.rows))
        found.append(table)
    return found


def _goes_on(table: _Part, more: _Part) -> bool:
    last, first = table.rows[-1][1], more.rows[0][1]
    mine, other = table.region, more.region
    if not (mine.bottom < other.top <= mine.bottom + NEAR and mine.left == other.left and other.right <= mine.right):
        return False
    return bool(NUMBER.fullmatch(last[0])) == bool(NUMBER.fullmatch(first[0])) and any(map(NUMBER.fullmatch, first))


def _from_names(part: _Part) -> Region:
    """From the row of names, or the row right above it that heads several columns together."""
    at = next(number for number, (line, _cells) in enumerate(part.rows) if line == part.names)
    named = [cell for cell in part.rows[at][1] if cell]
    over = at > 0 and len(set(named)) < len(named)
    return replace(part.region, top=part.rows[at - over][0])


def _title(part: _Part, parts: Sequence[_Part], rows: Sequence[Row]) -> str:
    """What stands in the nearest row above the names: the cell that names a run, or the only one; else empty."""
    area = part.region
    beside = [item.region for item in parts if item.names and item.names != part.names]
    above = [item.bottom for item in beside
             if item.bottom < part.names and item.left <= area.right and area.left <= item.right]  # fmt: skip
    highest = max([part.names - NEAR, *(bottom + 1 for bottom in above)])
    for _line, cells in reversed([row for row in rows if highest <= row[0] < part.names]):
        inside = [cell for cell in cells[area.left - 1 : area.right] if cell]
        if inside:
            naming = [cell for cell in inside if run_of_title(cell)[1]]
            return naming[0] if naming else inside[0] if len(inside) == 1 else ""
    return ""


def run_of_title(title: str) -> tuple[str, bool]:
    """The run that a title names, and whether it says that it is one: `Run B1`, `Batch: 12`, `罐批 3`, or just `B1`."""
    words = "|".join(sorted(map(re.escape, RUNS), key=len, reverse=True))
    match = re.fullmatch(rf"(?:{words})\s*((?:no\.?|nr\.?|number|[#:：=])\s*)*(\S.*)", title.strip(), re.IGNORECASE)
    short = match is not None and " " not in match[2] and (_numbered(match[2]) or len(match[2]) <= SHORT)
    if match and len(match[2]) <= LONGEST and (match[1] or short):
        return match[2].strip(), True
    plain = title.strip().rstrip(":：")
    return (plain if len(plain) <= LONGEST and _numbered(plain) else ""), False


def title_above(rows: Sequence[Row], names: int) -> str:
    """The cell, or the two beside each other, that names a run above the line of the names; empty where none does."""
    for _line, cells in reversed([row for row in rows if row[0] < names]):
        pairs = [f"{one}: {other}" for one, other in pairwise(cells) if one.rstrip(":：") and other]
        for text in (*cells, *(text.replace("::", ":").replace("：:", ":") for text in pairs)):
            if run_of_title(text)[1]:
                return text
    return ""


def _numbered(text: str) -> bool:
    return any(letter.isdigit() for letter in text)
