"""Plots with rows: stacked bars, tornado, gap, and steps on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from seedtrain.base import translate as _
from seedtrain.report._canvas import (
    INK,
    PALETTE,
    SMALL,
    SOFT,
    STATE_COLOURS,
    TEXT,
    WIDTH,
    Canvas,
    draw_legend,
    inches,
    legend_rows,
    log_axis,
    power_of_ten,
    wrapped,
)
from seedtrain.report._figures import Drawing, GapPlot, GapRow, StackPlot, StepPlot, TornadoPlot

_ROW: Final = 0.3
_WIDEST_LABEL: Final = 1.9


def _label_room(labels: Sequence[str]) -> float:
    return min(max((inches(label) for label in labels), default=0.5) + 0.12, _WIDEST_LABEL)


def row_height(labels: Sequence[str]) -> float:
    """The height of a row, inch: more where a label needs two lines."""
    room = _label_room(labels) - 0.1
    breaks = max((wrapped(label, room).count("\n") for label in labels), default=0)
    return max(_ROW, 0.09 + 0.135 * (breaks + 1))


def row_axes(canvas: Canvas, top: float, labels: Sequence[str], right: float) -> Any:
    """Axes with one row per label, the first on top, the labels at the left."""
    left = _label_room(labels)
    axes = canvas.axes(left, top, WIDTH - left - right, row_height(labels) * len(labels))
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), [wrapped(label, left - 0.1, TEXT) for label in labels])
    axes.tick_params(axis="y", labelsize=TEXT, labelcolor=INK, pad=5)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    return axes


def _whisker(axes: Any, low: float, high: float, row: float) -> None:
    axes.plot([low, high], [row, row], color=INK, linewidth=1.0, solid_capstyle="butt", zorder=4)
    for end in (low, high):
        axes.plot([end, end], [row - 0.13, row + 0.13], color=INK, linewidth=1.0, zorder=4)


def _end_note(axes: Any, row: float, words: str, colour: str = INK) -> None:
    axes.annotate(
        words,
        (1.0, row),
        xycoords=("axes fraction", "data"),
        xytext=(6, 0),
        textcoords="offset points",
        size=SMALL,
        color=colour,
        va="center",
    )


def draw_foot(canvas: Canvas, words: str) -> None:
    canvas.text(WIDTH - 0.06, canvas.height - 0.06, words, ha="right", size=SMALL, color=SOFT)


def draw_stacks(plot: StackPlot, mark: str | None) -> Drawing:
    """Stacked horizontal bars with the range of their totals."""
    entries = [(name, {"color": PALETTE[at % len(PALETTE)], "linewidth": 5}) for at, name in enumerate(plot.part_names)]
    head = 0.04 + 0.16 * len(legend_rows(plot.part_names, WIDTH - 0.1)) + 0.1
    head += 0.16 if plot.target is not None else 0.0
    canvas = Canvas(head + row_height([stack.label for stack in plot.stacks]) * len(plot.stacks) + 0.5)
    canvas.mark(mark)
    draw_legend(canvas, 0.02, entries, left=0.02, right=WIDTH)
    right = max((inches(stack.text, SMALL) for stack in plot.stacks), default=0.0) + 0.15
    axes = row_axes(canvas, head, [stack.label for stack in plot.stacks], right)
    for row, stack in enumerate(plot.stacks):
        start = 0.0
        for at, value in enumerate(stack.parts):
            axes.barh(
                row, value, left=start, height=0.6, color=PALETTE[at % len(PALETTE)], edgecolor="#ffffff", linewidth=0.6
            )
            start += value
        if stack.low is not None and stack.high is not None:
            _whisker(axes, stack.low, stack.high, row)
        _end_note(axes, row, stack.text)
    axes.set_xlim(left=0)
    if plot.target is not None:
        axes.set_xlim(right=max(axes.get_xlim()[1], plot.target * 1.05))
        _reference(axes, plot.target, plot.target_label)
    draw_foot(canvas, plot.x_title)
    return canvas.drawing(plot.alt)


def _reference(axes: Any, value: float, label: str, colour: str = STATE_COLOURS["missed"]) -> None:
    axes.axvline(value, color=colour, linewidth=1.0, linestyle=(0, (4, 2)), zorder=3)
    low, high = axes.transData.inverted().transform(axes.transAxes.transform([(0, 0), (1, 1)]))[:, 0]
    place = (value - low) / (high - low) if high != low else 0.5
    side = "right" if place > 0.8 else "left" if place < 0.2 else "center"
    axes.annotate(
        label,
        (value, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 4),
        textcoords="offset points",
        size=SMALL,
        color=colour,
        ha=side,
    )


def draw_tornado(plot: TornadoPlot, mark: str | None) -> Drawing:
    """Horizontal bars around a base value."""
    head = 0.04 + 0.2
    canvas = Canvas(head + row_height([swing.label for swing in plot.swings]) * len(plot.swings) + 0.5)
    canvas.mark(mark)
    draw_legend(
        canvas,
        head - 0.2,
        [
            (_("input at its low end"), {"color": PALETTE[4], "linewidth": 5}),
            (_("input at its high end"), {"color": PALETTE[0], "linewidth": 5}),
        ],
        left=0.02,
        right=WIDTH,
    )
    axes = row_axes(canvas, head, [swing.label for swing in plot.swings], 0.15)
    widest = max(
        (abs(value - plot.base) for swing in plot.swings for value in (swing.at_low, swing.at_high)), default=1
    )
    for row, swing in enumerate(plot.swings):
        for value, text, colour in (
            (swing.at_low, swing.low_text, PALETTE[4]),
            (swing.at_high, swing.high_text, PALETTE[0]),
        ):
            axes.barh(row, value - plot.base, left=plot.base, height=0.56, color=colour, linewidth=0)
            _beside(axes, value, row, text, rightwards=value >= plot.base, crowd=swing.at_low, other=swing.at_high)
    room = max((inches(text, 6.6) for swing in plot.swings for text in (swing.low_text, swing.high_text)), default=0.0)
    share = min(room / (WIDTH - _label_room([swing.label for swing in plot.swings])), 0.3)
    reach = (widest or 1.0) * (1.08 + 2.4 * share)
    axes.set_xlim(plot.base - reach, plot.base + reach)
    axes.axvline(plot.base, color=INK, linewidth=0.9)
    draw_foot(canvas, plot.x_title)
    return canvas.drawing(plot.alt)


def _beside(axes: Any, value: float, row: int, text: str, *, rightwards: bool, crowd: float, other: float) -> None:
    if not text or (value != crowd and value == other and crowd == other):
        return
    axes.annotate(
        text,
        (value, row),
        xytext=(4 if rightwards else -4, 0),
        textcoords="offset points",
        size=6.6,
        color=SOFT,
        ha="left" if rightwards else "right",
        va="center",
    )


def draw_gap(plot: GapPlot, mark: str | None) -> Drawing:
    """Every criterion around its limit on one logarithmic axis."""
    head = 0.26
    canvas = Canvas(head + row_height([row.label for row in plot.rows]) * len(plot.rows) + (0.46 if mark else 0.3))
    canvas.mark(mark)
    right = max((inches(row.text, SMALL) for row in plot.rows), default=0.0) + 0.2
    axes = row_axes(canvas, head, [row.label for row in plot.rows], right)
    low, high = _reach(plot.rows)
    for at, row in enumerate(plot.rows):
        _gap_row(axes, at, row, low, high)
        _end_note(axes, at, row.text, STATE_COLOURS[row.state])
    edge = 0.03 * (high - low)
    axes.set_xlim(low - edge, high + edge)
    ticks = _gap_ticks(low, high)
    axes.set_xticks(ticks, [_times(tick) for tick in ticks])
    axes.axvline(0.0, color=INK, linewidth=1.1, zorder=3)
    for x, side, words in ((-edge / 2, "right", _("missed")), (edge / 2, "left", _("met"))):
        axes.annotate(
            f"◂ {words}" if side == "right" else f"{words} ▸",
            (x, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 4),
            textcoords="offset points",
            size=SMALL,
            ha=side,
            color=STATE_COLOURS["missed" if side == "right" else "met"],
        )
    return canvas.drawing(plot.alt)


def _gap_row(axes: Any, at: int, row: GapRow, low: float, high: float) -> None:
    colour = STATE_COLOURS[row.state]
    if row.margin is None:
        ring = {"boxstyle": "circle,pad=0.25", "facecolor": "#ffffff", "edgecolor": colour, "linewidth": 1.0}
        axes.annotate(
            "?", (0.0, at), ha="center", va="center", size=9, weight="bold", color=colour, zorder=5, bbox=ring
        )
        return
    end = _held(_log2(row.margin), low, high)
    hatched = {"facecolor": "none", "edgecolor": colour, "hatch": "/////", "linewidth": 0.8}
    axes.barh(at, end, height=0.56, **(hatched if row.state == "unknown" else {"color": colour, "linewidth": 0}))
    if abs(end) < 0.02 * (high - low):
        axes.plot([end], [at], marker="D", markersize=4.5, color=colour, zorder=5)
    if row.low is not None and row.high is not None:
        ends = sorted((_held(_log2(row.low), low, high), _held(_log2(row.high), low, high)))
        _whisker(axes, ends[0], ends[1], at)


def _log2(ratio: float) -> float:
    return math.log2(ratio) if ratio > 0 else -math.inf


def _held(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _reach(rows: Sequence[GapRow]) -> tuple[float, float]:
    """How far the axis goes to both sides of the limit, in powers of two: one at least, ten at most."""
    ends = [_log2(value) for row in rows for value in (row.margin, row.low, row.high) if value is not None]
    return max(min([-1.0, *ends]), -10.0), min(max([1.0, *ends]), 10.0)


def _gap_ticks(low: float, high: float) -> list[float]:
    step = next(step for step in (1, 2, 3, 4, 5) if (high - low) / step <= 8)
    return [float(at * step) for at in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _times(power: float) -> str:
    if power == 0:
        return _("limit")
    return f"×{2 ** int(power)}" if power > 0 else f"÷{2 ** int(-power)}"


def draw_steps(plot: StepPlot, mark: str | None) -> Drawing:
    """A quantity after each step on a logarithmic axis, from top to bottom."""
    head = 0.04 + (0.2 if plot.limit is not None or plot.note_title else 0.04)
    canvas = Canvas(head + row_height([step.label for step in plot.steps]) * len(plot.steps) + 0.5)
    canvas.mark(mark)
    right = max((inches(step.note, SMALL) for step in plot.steps), default=0.0) + 0.2
    right = max(right, inches(plot.note_title, SMALL) + 0.12)
    axes = row_axes(canvas, head, [step.label for step in plot.steps], right)
    axes.set_xscale("log")
    log_axis(axes.xaxis)
    found = [(row, step) for row, step in enumerate(plot.steps) if step.value > 0 and math.isfinite(step.value)]
    for (row, step), (after, lower) in pairwise(found):
        half = (row + after) / 2
        axes.plot(
            [step.value, step.value, lower.value, lower.value],
            [row, half, half, after],
            color=PALETTE[0],
            linewidth=1.2,
            alpha=0.45,
            solid_joinstyle="round",
        )
    for row, step in found:
        missed = plot.limit is not None and row == len(plot.steps) - 1 and step.value > plot.limit
        colour = STATE_COLOURS["missed"] if missed else PALETTE[0]
        right_end = step.value
        if step.low and step.high:
            _whisker(axes, step.low, step.high, row)
            right_end = step.high
        axes.plot([step.value], [row], marker="o", markersize=5, color=colour, markeredgecolor="#ffffff", zorder=5)
        axes.annotate(
            power_of_ten(float(f"{step.value:.3g}")),
            (right_end, row),
            xytext=(7, 0),
            textcoords="offset points",
            size=6.6,
            color=INK,
            va="center",
            zorder=6,
            bbox={"boxstyle": "square,pad=0.12", "facecolor": "#ffffff", "edgecolor": "none", "alpha": 0.85},
        )
        _end_note(axes, row, step.note, SOFT)
    low, high = axes.get_xlim()
    room = 10 ** max(0.3, 0.24 * math.log10(high / low))  # for the value beside the rightmost point
    axes.set_xlim(low / 1.5, high * room)
    if plot.limit is not None:
        axes.set_xlim(left=min(low / 1.5, plot.limit / 2))
        _reference(axes, plot.limit, plot.limit_label)
    canvas.text(WIDTH - right + 0.085, head - 0.09, plot.note_title, size=SMALL, color=SOFT)
    draw_foot(canvas, plot.x_title)
    return canvas.drawing(plot.alt)
