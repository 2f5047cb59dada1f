"""The tables of one file as they lie there, for a draft: sheet, cells, and the run where no column names it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seedtrain.development._data_check._beginning import Beginning
from seedtrain.development._data_check._headers import RUNS, first_of, split_header, symbol_of
from seedtrain.development._data_check._several import run_of_title
from seedtrain.development._data_check._table import (
    Sheet,
    guessed_beginnings,
    has_decimal_commas,
    read_sheet,
    sheet_names,
    with_points,
)
from seedtrain.simulation import Culture


@dataclass(frozen=True)
class Found:
    """A table: `sheet_name` of a workbook, how it lies there, its cells; `own`: its run, where no column tells it.

    - `guessed`: whether `own` is a guess. - `commas`: whether its numbers had decimal commas, now points.
    - `culture`: whose species the columns hold, where that is known. - `left`: of the first table of a sheet, ranges
      of numbers that are of none.
    """

    sheet_name: str
    begins: Beginning
    sheet: Sheet
    commas: bool
    own: str
    guessed: bool = False
    culture: Culture | None = None
    left: tuple[str, ...] = ()


def tables_in(path: Path, culture: Culture | None = None) -> list[Found]:
    """Every table of a file; without a column of runs, each is of a run of its own if they hold the same symbols."""
    raw: list[tuple[str, Beginning, Sheet, bool, str]] = []
    left: dict[int, tuple[str, ...]] = {}
    for name in sheet_names(path):
        beginnings, besides = guessed_beginnings(path, name)
        left[len(raw)] = tuple(map(str, besides))
        for begins, title in beginnings:
            sheet = read_sheet(path, name, beginning=begins)
            commas = has_decimal_commas(sheet)
            raw.append((name, begins, with_points(sheet) if commas else sheet, commas, title))
    nameless = [at for at, item in enumerate(raw) if not first_of(item[2].header, RUNS)]
    own = _names(path.stem, [(raw[at][0], raw[at][4], raw[at][2]) for at in nameless])
    of = dict(zip(nameless, own, strict=True))
    return [
        Found(name, begins, sheet, commas, of.get(at, path.stem), at in of and of[at] != path.stem, culture,
              left.get(at, ()))
        for at, (name, begins, sheet, commas, _title) in enumerate(raw)
    ]  # fmt: skip


def _names(stem: str, tables: Sequence[tuple[str, str, Sheet]]) -> list[str]:
    """The run of each table by its sheet's name, its title and what it holds."""
    symbols = [{symbol_of(split_header(name)[0]) for name in sheet.header} - {None} for _n, _t, sheet in tables]
    shared = any(count > 1 for count in Counter(symbol for held in symbols for symbol in held).values())
    titles = [run_of_title(title) for _name, title, _sheet in tables]
    if not shared and not any(told for _text, told in titles):
        return [stem] * len(tables)  # parts of one run: what was read at the reactor, and what in the laboratory
    sheets = len({name for name, _title, _sheet in tables}) > 1
    wanted = [
        text or (name if sheets else "") or stem for (name, _t, _s), (text, _told) in zip(tables, titles, strict=True)
    ]
    count = Counter(wanted)
    seen: Counter[str] = Counter()
    found = []
    for name, (_text, told) in zip(wanted, titles, strict=True):
        seen[name] += 1
        found.append(f"{name}-{seen[name]}" if count[name] > 1 and not told else name)
    return found
