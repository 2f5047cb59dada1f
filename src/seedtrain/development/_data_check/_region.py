"""A rectangle of cells on a sheet that holds more than one table: `A2:D14`, as spreadsheets write it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from seedtrain.base import InputError, Position

Row = tuple[int, tuple[str, ...]]
"""A line (row of the sheet) and its cells as text."""
NUMBER: Final = re.compile(r"[-+<>]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?(?: ?%)?")
RANGE: Final = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6}):([A-Z]{1,3})([1-9]\d{0,6})")


@dataclass(frozen=True)
class Region:
    """Rows `top` to `bottom` and columns `left` to `right`, from 1, the ends with them."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def read(cls, text: str) -> Region:
        """The region that a range names; raises `ValueError` for what is none."""
        match = RANGE.fullmatch(text.strip().upper())
        if not match:
            raise ValueError(f"{text!r} is no range | Write A2:D14: the columns by letters, the rows by numbers.")
        left, top, right, bottom = match.groups()
        found = cls(int(top), _number(left), int(bottom), _number(right))
        if found.bottom <= found.top or found.right < found.left:
            raise ValueError(f"{text!r} ends before it begins | Write A2:D14: the row of the names first.")
        return found

    def __str__(self) -> str:
        return f"{_letters(self.left)}{self.top}:{_letters(self.right)}{self.bottom}"

    def cut(self, rows: Sequence[Row], file: str) -> list[Row]:
        """The rows in it, of equal length; raises `InputError` where the table goes on below: rows would be lost."""
        width = self.right - self.left + 1
        found = []
        for line, cells in rows:
            inside = cells[self.left - 1 : self.right]
            if self.top <= line <= self.bottom:
                found.append((line, (*inside, *("",) * (width - len(inside)))))
            elif line == self.bottom + 1 and sum(bool(NUMBER.fullmatch(cell)) for cell in inside) > 1:
                words = f"the table goes on below its range {self}"
                remedy = "Make `range` of the table longer in the mapping, or draft the mapping again."
                raise InputError(words, position=Position(file, line, self.left), remedy=remedy)
        return found


def _number(letters: str) -> int:
    found = 0
    for letter in letters:
        found = 26 * found + ord(letter) - ord("A") + 1
    return found


def _letters(number: int) -> str:
    found = ""
    while number:
        number, rest = divmod(number - 1, 26)
        found = chr(ord("A") + rest) + found
    return found
