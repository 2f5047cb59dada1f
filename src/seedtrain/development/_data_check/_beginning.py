"""Where a table begins in its file: the encoding, the separator, the line of the names, the first line of readings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, read_text
from seedtrain.development._data_check._headers import RUNS, TIMES, first_of
from seedtrain.development._data_check._region import Region, Row
from seedtrain.quantity import QuantityError, read_unit

ENCODINGS: Final = ("utf-8", "utf-16", "cp1252", "gb18030")
MARKS: Final = "\t;,"
QUOTED: Final = re.compile(r'"[^"]*"')
WESTERN: Final = frozenset("äöüÄÖÜßàâçèéêëîïôùûñáíóúåæøÅÆØ°µ²³·±×%–’")
"""What a western laboratory writes beyond ASCII; bytes that read otherwise as cp1252 are another encoding's."""
LOOKED_AT: Final = 200
HIGHEST: Final = 60
"""The last line of a file in which a header is looked for."""


@dataclass(frozen=True)
class Beginning:
    """How a table lies in its file; 0 and empty: as usual (UTF-8, names in the first row, readings below it).

    - `header`, `first`: lines of the names and of the first reading. - `over`: the line above the names that heads
      several columns together. - `units`: by name, where a row below the names holds them. - `region`: its cells, where
      the sheet holds more than one table.
    """

    encoding: str = ""
    header: int = 0
    first: int = 0
    units: Mapping[str, str] = field(default_factory=dict)
    over: int = 0
    region: Region | None = None


def decoded(path: Path, encoding: str = "") -> str:
    """The text of a table's file, in UTF-8 (UTF-16 where its first bytes say so) if no `encoding` is given."""
    try:
        return read_text(path, what="table", encoding=encoding or _marked(path))
    except InputError as error:
        if not isinstance(error.__context__, UnicodeError):
            raise
        remedy = f"Save the table as UTF-8, or say `encoding` of it in its mapping: {', '.join(ENCODINGS)}."
        raise InputError(error.message, position=error.position, remedy=remedy) from None


def _marked(path: Path) -> str:
    if not path.is_file():
        return "utf-8"
    with path.open("rb") as stream:
        return "utf-16" if stream.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8"


def guessed_encoding(path: Path) -> str:
    """The encoding of a table that is not UTF-8: cp1252 or gb18030 as its letters tell; empty where none does."""
    raw = path.read_bytes() if path.is_file() else b""
    try:
        raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    else:
        return ""
    if _marked(path) == "utf-16":
        return ""
    for encoding, likely in (("cp1252", WESTERN.__contains__), ("gb18030", _chinese)):
        try:
            letters = {letter for letter in raw.decode(encoding) if ord(letter) > 127}
        except UnicodeDecodeError:
            continue
        if all(map(likely, letters)):
            return encoding
    return ""


def _chinese(letter: str) -> bool:
    return "\u4e00" <= letter <= "\u9fff" or "\u3000" <= letter <= "\u303f" or "\uff00" <= letter <= "\uffef" or (
        letter in WESTERN or letter in "℃μ"
    )  # fmt: skip


def separator_of(text: str, header: int) -> str:
    """What parts the cells of a text table: the mark of the line of the names that most rows have as often."""
    lines = text.splitlines()
    head = lines[header - 1] if 0 < header <= len(lines) else next((line for line in lines if line.strip()), "")
    head = QUOTED.sub("", head)
    if not any(head.count(mark) for mark in MARKS):
        return ","
    begins = lines.index(head) if head in lines else max(header - 1, 0)
    below = [QUOTED.sub("", line) for line in lines[begins + 1 : begins + LOOKED_AT] if line.strip()]
    # `Time, h;DCW, g/L` has as many commas: the mark is the one that the rows have as often as the names.
    alike = {mark: sum(line.count(mark) == head.count(mark) > 0 for line in below) for mark in MARKS}
    return max(MARKS, key=lambda mark: (2 * alike[mark] > len(below), head.count(mark)))


def likely_header(text: str) -> int:
    """The line of the names in a text table with something above it; 0 where the first line is as wide as the rest."""
    lines = [QUOTED.sub("", line) for line in text.splitlines()[:LOOKED_AT]]
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    for mark in MARKS:  # rows that all end in one mark more than the names do have no cell there
        if lines[first : first + 1] and not lines[first].rstrip().endswith(mark) and all(
            line.endswith(mark) for line in lines[first + 1 :] if line.strip()
        ):  # fmt: skip
            lines = [*lines[: first + 1], *(line.removesuffix(mark) for line in lines[first + 1 :])]
    counts = {mark: Counter(line.count(mark) for line in lines if line.count(mark)) for mark in MARKS}
    mark, usual = max(
        ((mark, found.most_common(1)[0]) for mark, found in counts.items() if found), key=lambda item: item[1][1],
        default=("", (0, 0)),
    )  # fmt: skip
    often = [count for count, times in counts.get(mark, {}).items() if times > 2 and 4 * times >= len(lines)]
    usual = (max([usual[0], *often]), usual[1])  # notes above a short table may be more lines than it has
    if not mark or len(lines) < 3 or lines[first].count(mark) >= usual[0]:
        return 0
    return next((at + 1 for at, line in enumerate(lines[:HIGHEST]) if line.count(mark) >= usual[0]), 0)


def beginning_of(rows: Sequence[Row], *, encoding: str = "") -> Beginning:
    """What the first rows of a table tell: a title above the names, and a row of units below them."""
    shown = [(line, cells) for line, cells in rows[:LOOKED_AT] if any(cells)]
    if len(shown) < 2:
        return Beginning(encoding)
    width = Counter(sum(map(bool, cells)) for _line, cells in shown).most_common(1)[0][0]
    at, over = 0, _heads_several(shown)
    if over:
        at, shown[over] = over, (shown[over][0], joined(shown[over - 1][1], shown[over][1]))
    elif sum(map(bool, shown[0][1])) <= 0.6 * width or not first_of(shown[0][1], (*TIMES, *RUNS)):
        at = _likely(shown, width)
    header = shown[at][0] if at else 0
    below = shown[at + 1 : at + 3]
    units = _units(shown[at][1], below[0][1]) if len(below) == 2 else {}
    return Beginning(encoding, header, below[1][0] if units else 0, units, shown[at - 1][0] if over else 0)


def _likely(shown: Sequence[Row], width: int) -> int:
    """Which row below a title or notes holds the names: one with a time among them, else, below a short row, any."""
    likely = [at for at, (line, cells) in enumerate(shown) if line <= HIGHEST and _names(cells, width)]
    timed = [at for at in likely if first_of(shown[at][1], TIMES)]
    short = sum(map(bool, shown[0][1])) <= 0.6 * width
    return (timed or (likely if short else []) or [0])[0]


def joined(over: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Names with what heads them: a cell of the row above stands over its own column and the empty ones after it."""
    found, above = [], ""
    for at, name in enumerate(names):
        above = (over[at] if at < len(over) else "") or above
        found.append(f"{above} {name}".strip() if name else over[at] if at < len(over) else "")
    return tuple(found)


def _heads_several(shown: Sequence[Row]) -> int:
    """Which of the first rows holds names that stand more than once, under a row that tells them apart; 0 if none."""
    for at in range(1, min(len(shown) - 1, 6)):
        above, names = shown[at - 1][1], shown[at][1]
        named = [cell for cell in names if cell]
        if len(set(named)) == len(named) or any(map(_plain_number, named)) or any(map(_begins_as_number, named)):
            continue
        if not any(above) or _units(above, names):
            continue
        both = [cell for cell in joined(above, names) if cell]
        if len(set(both)) == len(both) and any(map(_plain_number, shown[at + 1][1])):
            return at
    return 0


def _names(cells: Sequence[str], width: int) -> bool:
    """Whether a row may hold the names: most of the usual number of cells, none twice, none a number."""
    named = [cell for cell in cells if cell]
    return len(named) > 0.6 * width and len(set(named)) == len(named) and not any(map(_begins_as_number, named))


def _begins_as_number(cell: str) -> bool:
    return bool(re.fullmatch(r"[-+]?[\d.,:/ -]*\d", cell)) and len(cell) > 3


def _units(names: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """Units by name of a row below the names; none where the row is no row of units."""
    found: dict[str, str] = {}
    for name, cell in zip(names, cells, strict=False):
        text = cell.strip("[]() ")
        if not text or text == "-":
            continue
        try:
            read_unit(text.replace("·", "*").replace("°C", "degC"))
        except QuantityError:
            return {}
        found[name] = text.replace("·", "*").replace("°C", "degC")
    return found if len(found) > 1 and not any(map(_plain_number, found.values())) else {}


def _plain_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
