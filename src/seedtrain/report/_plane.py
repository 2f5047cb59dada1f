"""Plots of a plane and of time: contours of a figure over two others, and what is busy when."""

from __future__ import annotations

import math
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.report._bars import draw_foot, row_axes, row_height
from seedtrain.report._canvas import INK, PALETTE, SMALL, SOFT, STATE_COLOURS, WIDTH, Canvas, draw_legend, log_axis
from seedtrain.report._figures import ContourPlot, Drawing, GanttPlot

_LEFT: Final = 0.62
_HEIGHT: Final = 3.1
_LEVELS: Final = 8


def draw_contours(plot: ContourPlot, mark: str | None) -> Drawing:
    """Lines of equal value, and the region that meets the target shaded."""
    import numpy as np

    values = np.asarray(plot.values, dtype=float)
    if values.shape != (len(plot.y), len(plot.x)) or min(values.shape) < 2:
        raise InputError(
            f"{values.shape} values stand over {len(plot.y)} rows and {len(plot.x)} columns",
            remedy="Give one value for each pair, rows by y.",
        )
    from matplotlib.ticker import LogLocator

    canvas = Canvas(_HEIGHT + 0.72)
    canvas.mark(mark)
    canvas.text(0.02, 0.12, plot.y_title, size=SMALL, weight="bold", color=INK)
    axes = canvas.axes(_LEFT, 0.3, WIDTH - _LEFT - 0.1, _HEIGHT)
    for name, axis, log in (("x", axes.xaxis, plot.x_log), ("y", axes.yaxis, plot.y_log)):
        if log:
            getattr(axes, f"set_{name}scale")("log")
            log_axis(axis)
            if max(getattr(plot, name)) < 100 * min(getattr(plot, name)):
                axis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0), numticks=12))
    _shade(axes, plot, values)
    levels = _levels(values)
    if len(levels):
        lines = axes.contour(plot.x, plot.y, values, levels=levels, colors=PALETTE[0], linewidths=0.9)
        axes.clabel(lines, fmt=_label, fontsize=6.6, inline_spacing=2)
    for point in plot.points:
        colour = STATE_COLOURS[point.state] if point.state else INK
        axes.plot([point.x], [point.y], marker="o", markersize=6, color=colour, markeredgecolor="#ffffff", zorder=5)
        axes.annotate(point.label, (point.x, point.y), xytext=(7, 5), textcoords="offset points", size=SMALL, color=INK)
    axes.set_xlim(min(plot.x), max(plot.x))
    axes.set_ylim(min(plot.y), max(plot.y))
    canvas.text(WIDTH - 0.06, canvas.height - 0.06, plot.x_title, ha="right", size=SMALL, color=SOFT)
    return canvas.drawing(plot.alt)


def _shade(axes: Any, plot: ContourPlot, values: Any) -> None:
    """The region at or below the target, and its edge; nothing where no value meets it."""
    import numpy as np

    if plot.target is None or not np.nanmin(values) <= plot.target:
        return
    met = STATE_COLOURS["met"]
    low = min(float(np.nanmin(values)), plot.target) - 1.0
    axes.contourf(plot.x, plot.y, values, levels=[low, plot.target], colors=[met], alpha=0.13)
    if plot.target < np.nanmax(values):
        axes.contour(plot.x, plot.y, values, levels=[plot.target], colors=met, linewidths=1.8)
    words = {"ha": "right", "va": "bottom", "size": SMALL, "color": met, "weight": "bold"}
    axes.annotate(plot.target_label, (1.0, 1.015), xycoords="axes fraction", **words)


def _label(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u202f") if abs(value) >= 1000 else f"{value:.4g}"


def _levels(values: Any) -> list[float]:
    """Round numbers, spread as the values are: equal steps in their logarithm where they span more than threefold."""
    import numpy as np

    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(finite.max())
    if high <= low:
        return []
    if low > 0 and high / low > 3:
        steps = np.geomspace(low, high, _LEVELS + 2)[1:-1]
    else:
        steps = np.linspace(low, high, _LEVELS + 2)[1:-1]
    digits = max(1 - math.floor(math.log10(high - low)), 0)
    return sorted({float(f"{step:.2g}") if low > 0 else round(float(step), digits) for step in steps})


def draw_gantt(plot: GanttPlot, mark: str | None) -> Drawing:
    """Bars on a row each: what is busy from when to when, its turnaround paler."""
    if not plot.bars:
        raise InputError("there is nothing to draw", remedy="Give one bar or more.")
    colours = {name: PALETTE[at % len(PALETTE)] for at, name in enumerate(plot.groups)}
    head = 0.28
    canvas = Canvas(head + row_height(plot.rows) * len(plot.rows) + 0.5)
    canvas.mark(mark)
    entries = [(name, {"color": colour, "linewidth": 5}) for name, colour in colours.items()]
    draw_legend(canvas, 0.02, entries, left=0.02, right=WIDTH)
    axes = row_axes(canvas, head, plot.rows, 0.15)
    for bar in plot.bars:
        row, colour = plot.rows.index(bar.row), colours[bar.group]
        axes.barh(row, bar.end - bar.start, left=bar.start, height=0.56, color=colour, linewidth=0)
        axes.barh(row, bar.until - bar.end, left=bar.end, height=0.56, color=colour, alpha=0.28, linewidth=0)
    axes.set_xlim(min(bar.start for bar in plot.bars), max(max(bar.until, bar.end) for bar in plot.bars))
    draw_foot(canvas, plot.x_title)
    return canvas.drawing(plot.alt)
