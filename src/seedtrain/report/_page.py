"""Pages as data: blocks in reading order, and the digest of what they say."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from seedtrain.base import digest
from seedtrain.report._figures import Drawing, FigureSpec, State
from seedtrain.report._formula import Formula
from seedtrain.report._text import clean

Align = Literal["left", "right", "center"]
NoticeKind = Literal["info", "warning", "missed", "met"]


@dataclass(frozen=True)
class Heading:
    """A heading of `level` 2 (a numbered section) or 3 (inside one); `new_page` starts one in print."""

    text: str
    level: Literal[2, 3] = 2
    new_page: bool = False


@dataclass(frozen=True)
class Paragraph:
    """Plain text; a line break in it stays one. `lead` sets it larger, as an opening."""

    text: str
    lead: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table: its head and how its cells stand. `width` weighs it in print; 0 lets its text decide."""

    head: str
    align: Align = "left"
    width: float = 0.0


@dataclass(frozen=True)
class Cell:
    """A cell with a state (met, missed, unknown), set in bold, muted, or as code (digests, sequences)."""

    text: str
    state: State = ""
    style: Literal["", "strong", "muted", "code"] = ""


@dataclass(frozen=True)
class Symbol:
    """A cell that holds a formula, set as mathematics."""

    formula: Formula


@dataclass(frozen=True)
class Table:
    """Rows under columns, with a caption and the source of its figures. Every row has a cell per column."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str | Cell | Symbol]]
    caption: str = ""
    source: str = ""
    small: bool = False


@dataclass(frozen=True)
class Equation:
    """A formula on a line of its own, with its unit or a few words beside it."""

    formula: Formula
    note: str = ""


@dataclass(frozen=True)
class Equations:
    """Formulas one below the other, with what they are."""

    lines: Sequence[Equation]
    caption: str = ""


@dataclass(frozen=True)
class Figure:
    """A plot, or a drawing made elsewhere, with its caption and the source of its data."""

    plot: FigureSpec | Drawing
    caption: str = ""
    source: str = ""


@dataclass(frozen=True)
class KeyFigure:
    """One number that matters, with its unit, its state and a few words."""

    label: str
    value: str
    unit: str = ""
    state: State = ""
    note: str = ""


@dataclass(frozen=True)
class KeyFigures:
    """Key figures side by side."""

    items: Sequence[KeyFigure]


@dataclass(frozen=True)
class Notice:
    """Something the reader must not miss."""

    text: str
    title: str = ""
    kind: NoticeKind = "info"


@dataclass(frozen=True)
class Definitions:
    """Terms and what they are, in two columns."""

    items: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class SignatureLine:
    """Who signed what: the meaning, and name, role, time and digest; an empty name leaves a line to sign on."""

    meaning: str
    name: str = ""
    role: str = ""
    time: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Signatures:
    """Signature lines."""

    lines: Sequence[SignatureLine]


@dataclass(frozen=True)
class Folded:
    """Blocks that a screen shows when their title is chosen, and print always; without a level 2 heading in them."""

    title: str
    blocks: Sequence[Block]


Block = Equations | Folded | Heading | Paragraph | Table | Figure | KeyFigures | Notice | Definitions | Signatures


@dataclass(frozen=True)
class Page:
    """A document: what stands at its head, and its blocks in reading order.

    - `mark`: printed on every page and in every plot, for instance "simulated batch, not for use".
    - `facts`: what identifies it (product, batch, recipe digest ...), under the title.
    - `label`: a short name of the kind of document, above the title.
    - `date`: the day that the PDF names as its own, from the record; a fixed one where it is not given.
    """

    title: str
    blocks: Sequence[Block]
    subtitle: str = ""
    mark: str = ""
    label: str = ""
    facts: Sequence[tuple[str, str]] = ()
    date: datetime.date | None = None


def page_digest(page: Page) -> str:
    """SHA-256 of all that the page says, figures by their data; independent of fonts and of how it is rendered."""
    return digest(plain(page))


def plain(value: Any) -> Any:
    """A page, a block or a figure as data with a canonical form."""
    if dataclasses.is_dataclass(value):
        items = {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **items}
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float) or not hasattr(value, "__len__"):
        number = float(value)
        return number if math.isfinite(number) else repr(number)
    return [plain(item) for item in value]
