"""Plots with lines: panels over a shared axis, and curves in one plane."""

from __future__ import annotations

import math
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.report._canvas import (
    BAND,
    INK,
    PALETTE,
    SMALL,
    SOFT,
    STATE_COLOURS,
    WIDTH,
    Canvas,
    draw_legend,
    inches,
    legend_rows,
    log_axis,
    rows_for,
)
from seedtrain.report._figures import CurvePlot, Drawing, Floats, Line, LinePlot, Panel

_LEFT: Final = 0.5
_RIGHT: Final = WIDTH - 0.08
_PANEL: Final = 1.15
FAR: Final = 0.35
"""Of the highest value: where the lowest lies above it, an axis does not begin at 0."""
_DASHES: Final = {"solid": "-", "dashed": (0, (4, 2)), "dotted": (0, (1, 1.6)), "points": ""}


def line_key(line: Line, place: int) -> dict[str, Any]:
    """How `line` is drawn."""
    colour = PALETTE[(place if line.colour is None else line.colour) % len(PALETTE)]
    key: dict[str, Any] = {"color": colour, "linestyle": _DASHES[line.style]}
    if line.style == "points":
        key |= {"linestyle": "none", "marker": "o", "markersize": 3.2, "markeredgewidth": 0}
    return key


def _finite(values: Floats) -> list[float]:
    return [float(value) if value is not None and math.isfinite(value) else math.nan for value in values]


def _check(line: Line) -> None:
    sizes = {len(item) for item in (line.x, line.y, line.low, line.high) if item is not None}
    if len(sizes) != 1:
        raise InputError(f"the line {line.label!r} has columns of different lengths: {sorted(sizes)}")


def _draw_line(axes: Any, line: Line, place: int) -> None:
    _check(line)
    key = line_key(line, place)
    if line.low is not None and line.high is not None:
        axes.fill_between(
            _finite(line.x), _finite(line.low), _finite(line.high), color=key["color"], alpha=0.15, linewidth=0
        )
    axes.plot(_finite(line.x), _finite(line.y), **key)


def draw_lines(plot: LinePlot, mark: str | None) -> Drawing:
    """Panels above one another over one axis, with labelled bands."""
    span = _span(plot)
    width = _RIGHT - _LEFT
    scale = width / (span[1] - span[0])
    bands = [band for band in plot.bands if band.end > span[0] and band.start < span[1]]
    centres = [((max(band.start, span[0]) + min(band.end, span[1])) / 2 - span[0]) * scale for band in bands]
    labels = [
        (_held(at, inches(band.label, 6.6), width), inches(band.label, 6.6))
        for band, at in zip(bands, centres, strict=True)
    ]
    rows = rows_for(labels, 0.1)
    top = 0.04 + (0.14 * (max(rows) + 1) + 0.04 if rows else 0.0)
    heads = [_head_height(panel) for panel in plot.panels]
    heights = [_PANEL * panel.height for panel in plot.panels]
    canvas = Canvas(top + sum(heads) + sum(heights) + 0.12 * (len(heights) - 1) + 0.42)
    canvas.mark(mark)
    first = top - 0.05
    for (at, _width), row, band in zip(labels, rows, bands, strict=True):
        canvas.text(_LEFT + at, first - 0.14 * row, band.label, ha="center", size=6.6, color=SOFT)
    y = top
    for panel, head, height in zip(plot.panels, heads, heights, strict=True):
        _head(canvas, panel, y)
        axes = canvas.axes(_LEFT, y + head, width, height)
        _panel(axes, panel, plot, span, head / height)
        y += head + height + 0.12
        axes.tick_params(labelbottom=panel is plot.panels[-1])
    canvas.text(_LEFT + width, y + 0.24, plot.x_title, ha="right", size=SMALL, color=SOFT)
    return canvas.drawing(plot.alt)


def _held(centre: float, width: float, whole: float) -> float:
    return min(max(centre, width / 2 - 0.3), whole - width / 2)


def _span(plot: LinePlot) -> tuple[float, float]:
    values = [value for panel in plot.panels for line in panel.lines for value in _finite(line.x) if value == value]
    if not values:
        raise InputError(f"the figure {plot.alt!r} has nothing to draw")
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _head_height(panel: Panel) -> float:
    room = _RIGHT - _LEFT - inches(panel.title, SMALL) * 1.15
    one_row = len(panel.lines) < 2 or len(legend_rows([line.label for line in panel.lines], room)) == 1
    return 0.2 if one_row else 0.2 + 0.16 * len(legend_rows([line.label for line in panel.lines], _RIGHT - 0.02))


def _head(canvas: Canvas, panel: Panel, top: float) -> None:
    canvas.text(0.02, top + 0.1, panel.title, size=SMALL, weight="bold", color=INK)
    if len(panel.lines) < 2:
        return
    entries = [(line.label, line_key(line, at)) for at, line in enumerate(panel.lines)]
    below = _head_height(panel) > 0.2
    draw_legend(canvas, top + (0.16 if below else 0.0), entries, left=0.02, right=_RIGHT + 0.1)


def _panel(axes: Any, panel: Panel, plot: LinePlot, span: tuple[float, float], head: float) -> None:
    axes.set_xlim(*span)
    if panel.log:
        axes.set_yscale("log")
        log_axis(axes.yaxis)
    for at, line in enumerate(panel.lines):
        _draw_line(axes, line, at)
    for at, band in enumerate(plot.bands):
        if at % 2 == 0:
            axes.axvspan(max(band.start, span[0]), min(band.end, span[1]), color=BAND, linewidth=0, zorder=0)
    for event in plot.events:
        axes.axvline(event.at, color=SOFT, linewidth=0.7, linestyle=(0, (2, 2)))
        if panel is plot.panels[0]:
            axes.annotate(
                event.label,
                (event.at, 0.97),
                xycoords=("data", "axes fraction"),
                xytext=(3, 0),
                textcoords="offset points",
                size=6.4,
                color=SOFT,
                va="top",
            )
    _limits(axes, panel)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)


def _limits(axes: Any, panel: Panel) -> None:
    from matplotlib.ticker import MaxNLocator

    if not panel.log:
        low, high = axes.get_ylim()
        drawn = [
            item
            for line in panel.lines
            for part in (line.y, () if line.low is None else line.low)
            for item in _finite(part)
        ]
        low = 0.0 if not any(value < 0 for value in drawn) and low < FAR * high else low
        tallest = max([high, *(item.value * 1.05 for item in panel.thresholds)])
        axes.set_ylim(low, tallest)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    for item in panel.thresholds:
        axes.axhline(item.value, color=STATE_COLOURS["missed"], linewidth=0.8, linestyle=(0, (4, 2)))
        axes.annotate(
            item.label,
            (0.995, item.value),
            xycoords=("axes fraction", "data"),
            xytext=(0, 2),
            textcoords="offset points",
            size=6.4,
            color=STATE_COLOURS["missed"],
            ha="right",
        )


def draw_curves(plot: CurvePlot, mark: str | None) -> Drawing:
    """Curves in one plane with filled areas and marked points."""
    entries = [(line.label, line_key(line, at)) for at, line in enumerate(plot.curves) if line.label]
    head = 0.02
    room = _RIGHT - 0.02
    extra = 0.16 * len(legend_rows([label for label, _key in entries], room)) + 0.06 if len(entries) > 1 else 0.0
    height = 2.75
    canvas = Canvas(head + 0.2 + extra + height + 0.42)
    canvas.mark(mark)
    canvas.text(0.02, head + 0.1, plot.y_title, size=SMALL, weight="bold", color=INK)
    if extra:
        draw_legend(canvas, head + 0.18, entries, left=0.02, right=_RIGHT + 0.1)
    axes = canvas.axes(_LEFT, head + 0.2 + extra, _RIGHT - _LEFT, height)
    axes.set_xscale("log" if plot.x_log else "linear")
    axes.set_yscale("log" if plot.y_log else "linear")
    for axis, log in ((axes.xaxis, plot.x_log), (axes.yaxis, plot.y_log)):
        if log:
            log_axis(axis)
    for at, line in enumerate(plot.curves):
        _draw_line(axes, line, at)
        if at < len(plot.filled) and plot.filled[at]:
            axes.fill_between(
                _finite(line.x), _finite(line.y), color=line_key(line, at)["color"], alpha=0.09, linewidth=0
            )
    _points(axes, plot)
    axes.margins(x=0.03, y=0.08)
    if not plot.y_log and all(value >= 0 for line in plot.curves for value in _finite(line.y) if value == value):
        low, high = axes.get_ylim()
        if low < FAR * high or any(plot.filled):
            axes.set_ylim(bottom=0)
    axes.grid(axis="both")
    axes.spines["left"].set_visible(False)
    canvas.text(_RIGHT, canvas.height - 0.06, plot.x_title, ha="right", size=SMALL, color=SOFT)
    return canvas.drawing(plot.alt)


def _points(axes: Any, plot: CurvePlot) -> None:
    low, high = axes.get_xlim()
    for point in plot.points:
        colour = STATE_COLOURS[point.state] if point.state else INK
        axes.plot(
            [point.x],
            [point.y],
            marker="o",
            markersize=6,
            color=colour,
            markeredgecolor="#ffffff",
            markeredgewidth=1.2,
            linestyle="none",
            zorder=5,
        )
        right = point.x > low + 0.6 * (high - low) and not plot.x_log
        axes.annotate(
            point.label,
            (point.x, point.y),
            xytext=(-7 if right else 7, 5),
            textcoords="offset points",
            size=SMALL,
            color=colour,
            ha="right" if right else "left",
            zorder=6,
            bbox={"boxstyle": "square,pad=0.15", "facecolor": "#ffffff", "edgecolor": "none", "alpha": 0.8},
        )
