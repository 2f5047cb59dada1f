"""What every part of a printed batch record draws on: record, recipe, ledger, names and times as printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from seedtrain.base import translate as _
from seedtrain.gmp._batch._record import BatchRecord, batch_record
from seedtrain.gmp._documents._print import Names, names_of
from seedtrain.gmp._master._approval import Approval, approval
from seedtrain.gmp._quality._case import counting
from seedtrain.gmp._quality._review import carried_recipe
from seedtrain.recipe import MasterRecipe
from seedtrain.record import Event, Ledger, find_person, moment
from seedtrain.report import Cell, Column, Paragraph, Table

_TIME: Final = re.compile(r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
Row = Sequence[str | Cell]


@dataclass(frozen=True)
class Case:
    """A batch to print.

    - `full`: every reading in print; otherwise device readings that kept their limits are summed up, tag by tag.
    - `name`: what is printed for an actor.
    """

    ledger: Ledger
    batch: str
    events: tuple[Event, ...]
    record: BatchRecord
    approval: Approval | None
    name: Names
    full: bool = False

    @staticmethod
    def of(ledger: Ledger, batch: str, *, full: bool = False) -> Case:
        """Read from the ledger; raises `InputError` where it holds no such batch."""
        events = tuple(ledger.events(subject=batch))
        record = batch_record(counting(ledger, events), batch)  # a decision of somebody without the role is none
        found = approval(ledger, record.header.recipe_digest)
        return Case(ledger, batch, events, record, found, names_of(ledger), full)

    @property
    def recipe(self) -> MasterRecipe | None:
        """The batch's own recipe, if its text is in the ledger and gives the digest that was signed or is pinned."""
        return self.copied[0]

    @cached_property
    def copied(self) -> tuple[MasterRecipe | None, str]:
        """The recipe as it was approved, else as the batch carries it, and what is wrong with that text."""
        found = self.approval
        return (found.recipe, found.fault) if found else carried_recipe(self.record.header)

    @cached_property
    def counted(self) -> tuple[Event, ...]:
        """The events without what somebody wrote who had no role for it."""
        return counting(self.ledger, self.events)

    @cached_property
    def last(self) -> datetime:
        """When the last event of the batch was recorded: the date of the document."""
        return moment(self.events[-1].recorded_at)

    def person(self, actor: str) -> str:
        """Name, identity and roles of an actor; a program is only named."""
        found = find_person(self.ledger, actor)
        if found is None:
            return actor
        roles = ", ".join(role.replace("_", " ") for role in found.roles)
        return f"{self.name(actor)} ({actor}; {roles})"


def plain_time(text: str) -> str:
    """Times to the second, in UTC as they are stored."""
    return _TIME.sub(r"\1 \2", text)


def table(heads: Sequence[str], rows: Sequence[Row], *, widths: Sequence[float] = (), caption: str = "") -> Table:
    """A small table; `widths` weigh the columns in print."""
    columns = [Column(head, width=widths[at] if widths else 0.0) for at, head in enumerate(heads)]
    cells = [[item if isinstance(item, Cell) else _cell(item) for item in row] for row in rows]
    return Table(columns, cells, caption, small=True)


def none_or(rows: Sequence[object], made: Callable[[], Table]) -> Table | Paragraph:
    """The table, or the words that there is nothing: an empty section was looked at and is empty."""
    return made() if rows else Paragraph(_("None."))


def _cell(text: str) -> str | Cell:
    if len(text) == 64 and not set(text) - set("0123456789abcdef"):
        return Cell(text, style="code")
    return plain_time(text)
