"""A page made ready for a renderer, as plain data: numbers, anchors, drawn figures, the words that the report adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from seedtrain.base import InputError, language
from seedtrain.base import translate as _
from seedtrain.report._draw import draw
from seedtrain.report._formula import Formula, box_data, mathml
from seedtrain.report._page import (
    Block,
    Cell,
    Column,
    Definitions,
    Equations,
    Figure,
    Folded,
    Heading,
    KeyFigures,
    Notice,
    Page,
    Paragraph,
    Signatures,
    Symbol,
    Table,
    page_digest,
)
from seedtrain.report._text import clean

LANGUAGE_TAGS: Final = {"en": "en", "zh": "zh-Hans"}


def words() -> dict[str, str]:
    """What the report room itself prints, in the language in use."""
    return {
        "contents": _("Contents"),
        "skip": _("Skip to the content"),
        "source": _("Source:"),
        "table": _("Table"),
        "figure": _("Figure"),
        "met": _("met"),
        "missed": _("missed"),
        "unknown": _("unknown"),
        "name": _("Name"),
        "time": _("Time"),
        "signature": _("Signature"),
        "digest": _("Document digest"),
        "not_signed": _("not signed"),
    }


class _Numbering:
    def __init__(self) -> None:
        self.section = self.part = self.tables = self.figures = 0

    def heading(self, level: int, text: str) -> str:
        if level == 3 and self.section == 0:
            raise InputError(
                f"the heading {text!r} stands inside no section", remedy="Put a level 2 heading before it."
            )
        if level == 2:
            self.section, self.part = self.section + 1, 0
            return str(self.section)
        self.part += 1
        return f"{self.section}.{self.part}"


def lay_out(page: Page) -> dict[str, Any]:
    """Everything that a template needs, cleaned of characters that cannot be printed.

    Raises `InputError` for a page without a title, a table whose rows do not match its columns, and a figure that
    cannot be drawn or has no words.
    """
    if not page.title.strip():
        raise InputError("the page has no title", remedy="Give one: a document is found and read by it.")
    numbering = _Numbering()
    blocks = [_block(block, page, numbering) for block in page.blocks]
    return {
        "language": language(),
        "language_tag": LANGUAGE_TAGS[language()],
        "title": clean(page.title),
        "subtitle": clean(page.subtitle),
        "label": clean(page.label),
        "mark": clean(page.mark),
        "facts": [[clean(term), clean(text)] for term, text in page.facts],
        "digest": page_digest(page),
        "blocks": blocks,
        "contents": _contents(blocks),
        "words": words(),
    }


def _contents(blocks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    sections: list[dict[str, Any]] = []
    for block in blocks:
        if block["kind"] == "heading":
            entry = {"id": block["id"], "number": block["number"], "text": block["text"], "parts": []}
            (sections if block["level"] == 2 or not sections else sections[-1]["parts"]).append(entry)
    return sections


def _block(block: Block, page: Page, numbering: _Numbering) -> dict[str, Any]:
    match block:
        case Heading():
            number = numbering.heading(block.level, block.text)
            return {
                "kind": "heading",
                "level": block.level,
                "text": clean(block.text),
                "number": number,
                "id": f"s-{number.replace('.', '-')}",
                "new_page": block.new_page,
            }
        case Paragraph():
            return {"kind": "paragraph", "lines": clean(block.text).strip().split("\n"), "lead": block.lead}
        case Table():
            numbering.tables += 1
            return _table(block, numbering.tables)
        case Figure():
            numbering.figures += 1
            if not block.plot.alt.strip():
                raise InputError(
                    f"figure {numbering.figures} has no words", remedy="Say in `alt` what is to be seen in it."
                )
            drawing = draw(block.plot, page.mark)
            return {
                "kind": "figure",
                "number": numbering.figures,
                "caption": clean(block.caption),
                "source": clean(block.source),
                "svg": drawing.svg,
                "alt": drawing.alt,
                "width": drawing.width,
                "height": drawing.height,
            }
        case Equations():
            equations = [{**_formula(line.formula, block=True), "note": clean(line.note)} for line in block.lines]
            return {"kind": "equations", "lines": equations, "caption": clean(block.caption)}
        case Folded():
            inner = [_block(item, page, numbering) for item in block.blocks]
            return {"kind": "folded", "title": clean(block.title), "blocks": inner}
        case KeyFigures():
            return {"kind": "key_figures", "items": [_strings(item) for item in block.items]}
        case Notice():
            lines = clean(block.text).strip().split("\n")
            return {"kind": "notice", "title": clean(block.title), "lines": lines, "tone": block.kind}
        case Definitions():
            return {"kind": "definitions", "items": [[clean(term), clean(text)] for term, text in block.items]}
        case Signatures():
            return {"kind": "signatures", "lines": [_strings(line) for line in block.lines]}


def _strings(item: Any) -> dict[str, str]:
    return {name: clean(str(value)) for name, value in vars(item).items()}


def _formula(formula: Formula, *, block: bool = False) -> dict[str, Any]:
    markup = mathml(formula, block=block)
    return {"formula": box_data(formula.box), "text": clean(formula.text), "mathml": markup}


def _cell(cell: str | Cell | Symbol) -> dict[str, Any]:
    if isinstance(cell, Symbol):
        return {**_formula(cell.formula), "state": "", "style": "formula"}
    plain = cell if isinstance(cell, Cell) else Cell(str(cell))
    return {"text": clean(plain.text), "state": plain.state, "style": plain.style}


def _table(block: Table, number: int) -> dict[str, Any]:
    rows = [[_cell(cell) for cell in row] for row in block.rows]
    for at, row in enumerate(rows):
        if len(row) != len(block.columns):
            raise InputError(
                f"row {at + 1} of the table {block.caption!r} has {len(row)} cells for {len(block.columns)} columns"
            )
    return {
        "kind": "table",
        "number": number,
        "caption": clean(block.caption),
        "source": clean(block.source),
        "small": block.small,
        "columns": [{"head": clean(column.head), "align": column.align} for column in block.columns],
        "widths": [_width(column, [row[at]["text"] for row in rows]) for at, column in enumerate(block.columns)],
        "rows": rows,
    }


def _width(column: Column, texts: Sequence[str]) -> float:
    """The weight of a column in print; 0 is as wide as its longest cell, for columns of short cells."""
    if column.width:
        return column.width
    lengths = sorted((_ems(text) for text in (column.head, *texts)), reverse=True)
    if lengths[0] <= 16:
        return 0.0
    typical = (min(lengths[0], 45.0) + lengths[len(lengths) // 4]) / 2
    return min(max(typical, 10.0), 45.0)


def _ems(text: str) -> float:
    return sum(2.0 if ord(letter) > 0x2E7F else 1.0 for letter in text)
