"""Labels with machine-readable symbols on sheets or rolls, as PDF; knows no biology and no barcode."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from seedtrain.base import InputError, UnavailableError, language
from seedtrain.report._fonts import chinese_family, covered, require_chinese_family, typst_fonts
from seedtrain.report._text import cleaned, spelled_out

SMALLEST_MODULE_MM: Final = 0.254  # GS1 General Specifications, section 5.12: GS1 DataMatrix and GS1-128 in healthcare
LARGEST_MODULE_MM: Final = 0.5  # assumed: larger than most scanners need at arm's length
SMALLEST_BAR_MM: Final = 5.0
_SMALL_LETTER_MM: Final = 1.2  # a letter of the fixed-width font at 5.5 pt, and the line that it stands on
_SMALL_LINE_MM: Final = 2.8


@dataclass(frozen=True)
class Label:
    """One label.

    - `title`: set large. `lines`: term and text, term may be empty. `marks`: warnings, set white on black.
    - `matrix`: the modules of a two-dimensional symbol, row by row, dark is True; `bars`: those of a linear one.
    - `below`: what the symbols say in letters and digits, one line each.
    """

    title: str
    lines: Sequence[tuple[str, str]] = ()
    marks: Sequence[str] = ()
    matrix: Sequence[Sequence[bool]] = ()
    bars: Sequence[bool] = ()
    below: Sequence[str] = ()


@dataclass(frozen=True)
class LabelSheet:
    """A sheet of labels, all lengths in mm; `left` and `top` of the first label, `across` and `down` from one to the
    next."""

    width: float
    height: float
    columns: int
    rows: int
    label_width: float
    label_height: float
    left: float = 0.0
    top: float = 0.0
    across: float = 0.0
    down: float = 0.0


def _a4(columns: int, rows: int, width: float, height: float, gap: float = 0.0) -> LabelSheet:
    left = (210.0 - columns * width - (columns - 1) * gap) / 2
    top = (297.0 - rows * height) / 2
    return LabelSheet(210, 297, columns, rows, width, height, left, top, width + gap, height)


SHEETS: Final = MappingProxyType(
    {
        "a4-2x4": _a4(2, 4, 99.1, 67.7, 2.5),
        "a4-2x7": _a4(2, 7, 99.1, 38.1, 2.5),
        "a4-3x8": _a4(3, 8, 70.0, 37.0),
        "a4-4x10": _a4(4, 10, 48.5, 25.4),
        "roll-100x70": LabelSheet(100, 70, 1, 1, 100, 70),
        "roll-70x40": LabelSheet(70, 40, 1, 1, 70, 40),
        "roll-50x25": LabelSheet(50, 25, 1, 1, 50, 25),
    }
)
"""Sheets by name: A4 by columns and rows, and single labels of a roll by their size in mm."""


def render_labels(labels: Sequence[Label], sheet: LabelSheet, *, first: int = 1, title: str = "") -> bytes:
    """Labels as PDF in the language in use, the same bytes in every run.

    - `first`: the place on the first sheet at which they begin (1: the first), for a sheet that is partly used.

    Raises `InputError` where the symbols or the text do not fit the label at a size that can be read, and
    `UnavailableError` where Chinese is wanted and no font has it.
    """
    import typst

    if not labels:
        raise InputError("there is no label to print", remedy="Name a lot at least.")
    if not 1 <= first <= sheet.columns * sheet.rows:
        raise InputError(
            f"the sheet has {sheet.columns * sheet.rows} places, and {first} is none of them", remedy="Give a place."
        )
    data = {"title": title, "language": language(), "first": first - 1, "sheet": dataclasses.asdict(sheet)}
    data["labels"] = [_placed(cleaned(label), sheet) for label in labels]
    family = _chinese(data)
    data = spelled_out(data, covered(bool(family)).__contains__)
    data["fonts"] = ["DejaVu Sans", *([family] if family else [])]
    try:
        made: Any = typst.compile(
            _template(),
            format="pdf",
            font_paths=typst_fonts(bool(family)),
            ignore_system_fonts=not family,
            sys_inputs={"labels": json.dumps(data, ensure_ascii=False, allow_nan=False)},
            timestamp=946684800,  # no clock: the same labels are the same bytes
        )
    except typst.TypstError as error:
        if "does not fit" in error.message:
            raise InputError(
                f"the text of a label does not fit {sheet.label_width:g} x {sheet.label_height:g} mm",
                remedy="Take a larger label, or print fewer lines.",
            ) from error
        raise UnavailableError(f"the labels cannot be set: {error.message}", remedy="Report this.") from error
    assert isinstance(made, bytes)
    return made


def _placed(label: Label, sheet: LabelSheet) -> dict[str, Any]:
    """The label as the template takes it, each symbol as a drawing with its size in mm."""
    inner_width, inner_height = sheet.label_width - 4.0, sheet.label_height - 4.0
    placed: dict[str, Any] = {
        "title": label.title,
        "lines": [list(line) for line in label.lines],
        "marks": list(label.marks),
        "below": list(label.below),
        "said": sum(math.ceil(len(line) * _SMALL_LETTER_MM / inner_width) for line in label.below) * _SMALL_LINE_MM,
        "matrix": None,
        "bars": None,
    }
    if label.bars:
        across = len(label.bars) + 20  # quiet zones of ten modules
        module = min(LARGEST_MODULE_MM, inner_width / across)
        height = max(SMALLEST_BAR_MM, inner_height * 0.22)
        _legible(module, "the bars", inner_width)
        placed["bars"] = {"svg": _svg([label.bars], 10, height / module), "width": module * across, "height": height}
    if label.matrix:
        side = len(label.matrix) + 2  # a quiet zone of one module
        room = inner_height - (placed["bars"]["height"] + 3.0 if placed["bars"] else 0.0)
        module = min(LARGEST_MODULE_MM, room / side, inner_width * 0.5 / side)
        _legible(module, "the matrix", room)
        placed["matrix"] = {"svg": _svg(label.matrix, 1, 1), "width": module * side, "height": module * side}
    return placed


def _legible(module: float, what: str, room: float) -> None:
    if module < SMALLEST_MODULE_MM:
        raise InputError(
            f"{what} would have modules of {module:.3f} mm in {room:.0f} mm; the least is {SMALLEST_MODULE_MM} mm",
            remedy="Take a larger label, or put less into the symbol.",
        )


def _svg(rows: Sequence[Sequence[bool]], quiet: int, tall: float) -> str:
    """One path of the dark runs; `quiet` modules of light left and right, and above and below for a matrix."""
    above = quiet if len(rows) > 1 else 0
    path = []
    for y, row in enumerate(rows):
        text = "".join("1" if cell else "0" for cell in row)
        path += [
            f"M{found.start() + quiet} {(y + above) * tall:g}h{len(found[0])}v{tall:g}h-{len(found[0])}z"
            for found in re.finditer("1+", text)
        ]
    width, height = len(rows[0]) + 2 * quiet, (len(rows) + 2 * above) * tall
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}">'
        f'<path d="{"".join(path)}" fill="#000"/></svg>'
    )


def _chinese(data: Any) -> str:
    if data["language"] == "zh":
        return require_chinese_family()
    needed = re.search("[\u2e80-\u9fff\uff00-\uffef]", json.dumps(data, ensure_ascii=False))
    found = chinese_family() if needed else None
    return found[0] if found else ""


@cache
def _template() -> bytes:
    return files("seedtrain.report").joinpath("templates/labels.typ").read_bytes()
