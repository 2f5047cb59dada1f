"""What every plot shares: palette, type, a canvas measured in inches, and SVG that is the same in every run."""

from __future__ import annotations

import io
import logging
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from seedtrain.report._figures import Drawing
from seedtrain.report._fonts import chinese_font_file

WIDTH: Final = 6.7
"""Width of a figure, inch: the text width of an A4 page with its margins."""

INK: Final = "#1b2733"
SOFT: Final = "#5a6775"
RULE: Final = "#cdd5dd"
PAPER: Final = "#ffffff"
BAND: Final = "#f1f5f8"
AMBER: Final = "#9a5b00"
# Blue, vermilion, green, purple, sky, ochre, grey, wine: after Okabe & Ito 2008 (Color Universal Design), darkened
# where a line on white needs it, so that colour-blind readers tell them apart.
PALETTE: Final = ("#0068a8", "#d1540a", "#00876a", "#a8538f", "#3b9fd6", "#b98500", "#66727e", "#7a2f4f")
STATE_COLOURS: Final = {"": "#0068a8", "met": "#00796b", "missed": "#c2410c", "unknown": "#66727e"}
SMALL: Final = 7.2
TEXT: Final = 8.0

_RC: Final = {
    "font.family": ["DejaVu Sans"],
    "font.size": TEXT,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.labelcolor": SOFT,
    "axes.labelsize": SMALL,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    "axes.formatter.limits": (-4, 5),
    "grid.color": RULE,
    "grid.linewidth": 0.45,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 2.5,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.5,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "svg.hashsalt": "seedtrain",
    "path.simplify": True,
    "path.simplify_threshold": 0.2,
    "path.sketch": None,
}


class Canvas:
    """A figure of `height` inch with axes placed by inches from its upper left corner."""

    def __init__(self, height: float) -> None:
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        self.height = height
        self.figure: Any = Figure(figsize=(WIDTH, height), facecolor="none")
        self.canvas: Any = FigureCanvasSVG(self.figure)

    def axes(self, left: float, top: float, width: float, height: float, **more: Any) -> Any:
        """Axes with their upper left corner at (`left`, `top`), all in inch."""
        return self.figure.add_axes(
            (left / WIDTH, 1.0 - (top + height) / self.height, width / WIDTH, height / self.height), **more
        )

    def text(self, x: float, y: float, words: str, **more: Any) -> Any:
        """Text with its baseline's start at (`x`, `y`) inch from the upper left corner."""
        more.setdefault("va", "baseline")
        return self.figure.text(x / WIDTH, 1.0 - y / self.height, words, **more)

    def mark(self, words: str | None) -> None:
        """The mark, in the lower left corner."""
        if words:
            self.text(0.02, self.height - 0.06, words, size=6.6, color=AMBER, weight="bold")

    def drawing(self, alt: str) -> Drawing:
        """The figure as SVG, without a date or a name of its maker, all numbers as text."""
        stream = io.StringIO()
        self.canvas.print_svg(stream, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        return Drawing(_tidy(stream.getvalue()), WIDTH * 72, self.height * 72, alt)


@contextmanager
def styled() -> Iterator[None]:
    """The plots' settings for the time of one drawing, whatever the user's own are."""
    import matplotlib as mpl

    settings: Any = {key: value for key, value in mpl.rcParamsDefault.items() if key != "backend"}
    settings.update(_RC)
    path = chinese_font_file()
    if path is not None:
        family = _register(path)
        settings["font.family"] = ["DejaVu Sans", family]
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    with mpl.rc_context(settings), warnings.catch_warnings():
        # Where no Chinese font is installed, the page's reader has one: the text is text.
        warnings.filterwarnings("ignore", message=r"(?s).*[Gg]lyph")
        log.setLevel(logging.ERROR)
        try:
            yield
        finally:
            log.setLevel(level)


def _register(path: str) -> str:
    from matplotlib import font_manager

    known = {item.fname: item.name for item in font_manager.fontManager.ttflist}
    if path not in known:
        font_manager.fontManager.addfont(path)
        known = {item.fname: item.name for item in font_manager.fontManager.ttflist}
    return known[path]


def _tidy(svg: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\s*<g id="(?:figure|axes|patch|text|line2d|matplotlib\.axis|xtick|ytick|legend)_\d+">', "\n<g>", svg)
    return re.sub(r"\n\s+", "\n", svg)


_SUPERSCRIPTS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(value: float, _place: object = None) -> str:
    """A value of a logarithmic axis: 0.001 to 1000 plain, others as a power of ten."""
    if value <= 0:
        return ""
    power = math.floor(math.log10(value) + 1e-9)
    if -3 <= power <= 3:
        return f"{value:.4g}"
    digits = value / 10.0**power
    head = "" if abs(digits - 1) < 1e-9 else f"{digits:.3g}×"
    return f"{head}10{str(power).translate(_SUPERSCRIPTS)}"


def log_axis(axis: Any) -> None:
    """Ticks at whole decades, written as people write them."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(base=10, numticks=9))
    axis.set_major_formatter(FuncFormatter(power_of_ten))
    axis.set_minor_formatter(NullFormatter())


def inches(text: str, size: float = TEXT) -> float:
    """About how wide `text` is, inch: an em for a CJK character, 0.6 em for another (DejaVu Sans on average)."""
    ems = sum(1.0 if ord(letter) > 0x2E7F else 0.6 for letter in text)
    return ems * size / 72


def wrapped(text: str, width: float, size: float = TEXT) -> str:
    """`text` broken into lines of at most `width` inch where its words allow."""
    lines: list[str] = []
    current = ""
    for word in re.findall(r"[\u2e80-\uffff]|[^\s\u2e80-\uffff]+|\s+", text):
        if word.isspace():
            current = current and current + " "
        elif current.strip() and inches(current + word, size) > width:
            lines.append(current.strip())
            current = word
        else:
            current += word
    return "\n".join([*lines, current.strip()])


def rows_for(labels: Sequence[tuple[float, float]], gap: float) -> list[int]:
    """The row of each label given as (centre, width), so that none of a row overlap; rows count from 0."""
    ends: list[float] = []
    found = []
    for centre, width in labels:
        start = centre - width / 2
        row = next((at for at, end in enumerate(ends) if end + gap <= start), len(ends))
        ends[row:] = [centre + width / 2, *ends[row + 1 :]]
        found.append(row)
    return found


def legend_rows(labels: Sequence[str], width: float, size: float = SMALL) -> list[list[int]]:
    """Which entries of a legend stand in which of its rows, at most `width` inch wide."""
    rows: list[list[int]] = [[]]
    used = 0.0
    for at, label in enumerate(labels):
        needed = entry_width(label, size)
        if rows[-1] and used + needed > width:
            rows.append([])
            used = 0.0
        rows[-1].append(at)
        used += needed
    return rows


def entry_width(label: str, size: float = SMALL) -> float:
    """The width of one entry of a legend with its key and the space after it, inch."""
    return inches(label, size) + 0.42


def draw_legend(
    canvas: Canvas, top: float, entries: Sequence[tuple[str, dict[str, Any]]], *, left: float, right: float
) -> float:
    """A legend in rows, right-aligned in the room from `left` to `right` inch; gives its height in inch."""
    from matplotlib.lines import Line2D

    rows = legend_rows([label for label, _key in entries], right - left)
    for number, row in enumerate(rows):
        x = right - sum(entry_width(entries[at][0]) for at in row) + 0.16
        y = top + 0.1 + number * 0.16
        for at in row:
            label, key = entries[at]
            ends = [x / WIDTH, (x + 0.17) / WIDTH]
            height = [1.0 - (y - 0.033) / canvas.height] * 2
            shape = {"transform": canvas.figure.transFigure, "solid_capstyle": "butt", **key}
            canvas.figure.add_artist(Line2D(ends, height, **shape))
            canvas.text(x + 0.22, y, label, size=SMALL, color=SOFT)
            x += entry_width(label)
    return 0.16 * len(rows)
