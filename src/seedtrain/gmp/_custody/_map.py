"""A box on paper: which vial stands where, as lines of text and as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.gmp._custody._banks import Inventory, Vial
from seedtrain.gmp._custody._places import Box, Grid, Place

CELL: Final = 74  # px, wide enough for "WCB-12" over "003"
_FILL: Final = {"free": "#ffffff", "stored": "#dbeafe", "hold": "#fde68a", "rejected": "#fecaca"}


def box_map(held: Inventory, box: str) -> tuple[Grid, Mapping[str, Vial]]:
    """The grid of a box, and its vials by position. Raises `InputError` for a box that holds nothing."""
    where = Box.parse(box)
    if where not in held.boxes:
        known = ", ".join(str(item) for item in held.boxes) or "none"
        raise InputError(f"no vial was ever put into a box {box!r}", remedy=f"Boxes: {known}.")
    grid = held.boxes[where]
    found = {position: held.at.get(Place(where, position)) for position in grid.positions()}
    return grid, {position: held.vials[name] for position, name in found.items() if name is not None}


def vial_words(vial: Vial) -> str:
    """How things stand with a vial, in the language in use."""
    if vial.state != "stored":
        return {"withdrawn": _("withdrawn"), "destroyed": _("destroyed")}[vial.state]
    if vial.rejected:
        return _("not to be used")
    return _("on hold") if vial.open_holds else _("stored")


def box_svg(held: Inventory, box: str) -> str:
    """The box as an SVG picture: one square a position, coloured by how things stand with the vial."""
    grid, vials = box_map(held, box)
    width, height = (grid.columns + 1) * CELL, (grid.rows + 2) * CELL
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12" text-anchor="middle">',
        f"<title>{escape(box)}</title>",
        f'<text x="{CELL // 2}" y="{CELL // 2}" text-anchor="start" font-size="16">{escape(box)}</text>',
    ]
    parts += [
        f'<text x="{column * CELL + CELL // 2}" y="{CELL - 8}">{column}</text>' for column in range(1, grid.columns + 1)
    ]
    for at, position in enumerate(grid.positions()):
        row, column = divmod(at, grid.columns)
        if column == 0:
            parts.append(f'<text x="{CELL - 16}" y="{(row + 1) * CELL + CELL // 2}">{position[0]}</text>')
        parts.append(_cell((column + 1) * CELL, (row + 1) * CELL, position, vials.get(position)))
    parts.append(_legend(grid))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _cell(x: int, y: int, position: str, vial: Vial | None) -> str:
    kind = "free" if vial is None else "rejected" if vial.rejected else "hold" if vial.open_holds else "stored"
    square = (
        f'<rect x="{x + 2}" y="{y + 2}" width="{CELL - 4}" height="{CELL - 4}" rx="6" fill="{_FILL[kind]}" '
        f'stroke="#64748b"/>'
    )
    if vial is None:
        return f'{square}<text x="{x + CELL // 2}" y="{y + CELL // 2 + 4}" fill="#94a3b8">{position}</text>'
    middle = x + CELL // 2
    return (
        f"<g><title>{escape(vial.id)}: {escape(vial_words(vial))}</title>{square}"
        f'<text x="{middle}" y="{y + CELL // 2}">{escape(vial.bank)}</text>'
        f'<text x="{middle}" y="{y + CELL // 2 + 16}">{vial.number:03d}</text></g>'
    )


def _legend(grid: Grid) -> str:
    y = (grid.rows + 1) * CELL + CELL // 2
    words = {"free": _("free"), "stored": _("stored"), "hold": _("on hold"), "rejected": _("not to be used")}
    parts = []
    for at, (kind, word) in enumerate(words.items()):
        x = CELL + at * 2 * CELL
        parts.append(
            f'<rect x="{x}" y="{y - 12}" width="16" height="16" fill="{_FILL[kind]}" stroke="#64748b"/>'
            f'<text x="{x + 24}" y="{y + 1}" text-anchor="start">{escape(word)}</text>'
        )
    return "".join(parts)
