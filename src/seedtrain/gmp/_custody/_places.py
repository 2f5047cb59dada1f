"""Where a vial stands: freezer, rack, box and the position in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from seedtrain.base import InputError

_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_POSITION: Final = re.compile(r"([A-Z])([1-9][0-9]?)")
_GRID: Final = re.compile(r"([1-9][0-9]?)\s*[x×]\s*([1-9][0-9]?)")
MOST_ROWS: Final = 26  # rows are letters


@dataclass(frozen=True, order=True)
class Box:
    """A box, by freezer and rack: `F1/R2/B3`."""

    freezer: str
    rack: str
    box: str

    def __str__(self) -> str:
        return f"{self.freezer}/{self.rack}/{self.box}"

    @staticmethod
    def parse(text: str) -> Box:
        """The box that `text` writes. Raises `InputError`."""
        parts = text.strip().split("/")
        if len(parts) != 3 or not all(_PART.fullmatch(part) for part in parts):
            raise InputError(f"{text!r} is not a box", remedy="Write freezer/rack/box, such as F1/R2/B3.")
        return Box(*parts)


@dataclass(frozen=True, order=True)
class Place:
    """One position of a box: `F1/R2/B3/A1`, row A, column 1."""

    box: Box
    position: str

    def __str__(self) -> str:
        return f"{self.box}/{self.position}"

    @staticmethod
    def parse(text: str) -> Place:
        """The place that `text` writes. Raises `InputError`."""
        box, _slash, position = text.strip().rpartition("/")
        if not _POSITION.fullmatch(position.upper()):
            raise InputError(f"{text!r} is not a place", remedy="Write freezer/rack/box/position: F1/R2/B3/A1.")
        return Place(Box.parse(box), position.upper())


@dataclass(frozen=True)
class Grid:
    """How many rows (letters) and columns (numbers) a box has: `9x9`."""

    rows: int
    columns: int

    def __str__(self) -> str:
        return f"{self.rows}x{self.columns}"

    @staticmethod
    def parse(text: str) -> Grid:
        """The grid that `text` writes. Raises `InputError`."""
        found = _GRID.fullmatch(text.strip().lower())
        if found is None or int(found[1]) > MOST_ROWS:
            raise InputError(
                f"{text!r} is not the grid of a box", remedy=f"Write rows x columns, such as 9x9 (rows to {MOST_ROWS})."
            )
        return Grid(int(found[1]), int(found[2]))

    def positions(self) -> Iterator[str]:
        """Every position, row by row: A1, A2 ..."""
        for row in range(self.rows):
            for column in range(1, self.columns + 1):
                yield f"{chr(ord('A') + row)}{column}"

    def holds(self, position: str) -> bool:
        """Whether the grid has this position."""
        found = _POSITION.fullmatch(position)
        return found is not None and ord(found[1]) - ord("A") < self.rows and int(found[2]) <= self.columns

    def following(self, position: str, count: int) -> tuple[str, ...]:
        """`count` positions from this one on, row by row, as many as there are."""
        every = list(self.positions())
        start = every.index(position)
        return tuple(every[start : start + count])
