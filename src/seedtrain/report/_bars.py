"""Plots with rows: stacked bars, tornado, gap, and steps on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    wrapped,
)
from seedtrain.report._figures import Drawing, GapPlot, GapRow, StackPlot, StepPlot, TornadoPlot

_ROW: Final = 0.3
_WIDEST_LABEL: Final = 1.9


def _label_room(labels: Sequence[str]) -> float:
    return min(max((inches(label) for label in labels), default=0.5) + 0.12, _WIDEST_LABEL)


def _row_axes(canvas: Canvas, top: float, labels: Sequence[str], right: float) -> Any:
    """Axes with one row per label, the first on top, the labels at the left."""
    left = _label_room(labels)
    axes = canvas.axes(left, top, WIDTH - left - right, _ROW * len(labels))
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


def _foot(canvas: Canvas, words: str) -> None:
    canvas.text(WIDTH - 0.06, canvas.height - 0.06, words, ha="right", size=SMALL, color=SOFT)


def draw_stacks(plot: StackPlot, mark: str | None) -> Drawing:
    """Stacked horizontal bars with the range of their totals."""
    entries = [(name, {"color": PALETTE[at % len(PALETTE)], "linewidth": 5}) for at, name in enumerate(plot.part_names)]
    head = (0.2 if mark else 0.04) + 0.16 * len(legend_rows(plot.part_names, WIDTH - 0.1)) + 0.1
    head += 0.16 if plot.target is not None else 0.0
    canvas = Canvas(head + _ROW * len(plot.stacks) * 1.15 + 0.5)
    canvas.mark(mark)
    draw_legend(canvas, 0.18 if mark else 0.02, entries, left=0.02, right=WIDTH)
    right = max((inches(stack.text, SMALL) for stack in plot.stacks), default=0.0) + 0.15
    axes = _row_axes(canvas, head, [stack.label for stack in plot.stacks], right)
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
    _foot(canvas, plot.x_title)
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
    head = (0.2 if mark else 0.04) + 0.2
    canvas = Canvas(head + _ROW * len(plot.swings) + 0.5)
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
    axes = _row_axes(canvas, head, [swing.label for swing in plot.swings], 0.15)
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
    _foot(canvas, plot.x_title)
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
    head = (0.2 if mark else 0.04) + 0.34
    canvas = Canvas(head + _ROW * len(plot.rows) + 0.34)
    canvas.mark(mark)
    right = max((inches(row.text, SMALL) for row in plot.rows), default=0.0) + 0.2
    axes = _row_axes(canvas, head, [row.label for row in plot.rows], right)
    reach = _reach(plot.rows)
    for at, row in enumerate(plot.rows):
        _gap_row(axes, at, row, reach)
        _end_note(axes, at, row.text, STATE_COLOURS[row.state])
    axes.set_xlim(-reach * 1.04, reach * 1.04)
    ticks = _gap_ticks(reach)
    axes.set_xticks(ticks, [_times(tick) for tick in ticks])
    axes.axvline(0.0, color=INK, linewidth=1.1, zorder=3)
    for x, side, words in ((-0.03, "right", _("missed")), (0.03, "left", _("met"))):
        axes.annotate(
            f"◂ {words}" if side == "right" else f"{words} ▸",
            (x * reach, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 4),
            textcoords="offset points",
            size=SMALL,
            ha=side,
            color=STATE_COLOURS["missed" if side == "right" else "met"],
        )
    return canvas.drawing(plot.alt)


def _gap_row(axes: Any, at: int, row: GapRow, reach: float) -> None:
    colour = STATE_COLOURS[row.state]
    if row.margin is None:
        axes.annotate(
            "?",
            (0.0, at),
            ha="center",
            va="center",
            size=9,
            weight="bold",
            color=colour,
            zorder=5,
            bbox={"boxstyle": "circle,pad=0.25", "facecolor": "#ffffff", "edgecolor": colour, "linewidth": 1.0},
        )
        return
    end = _held(_log2(row.margin), reach)
    hatched = {"facecolor": "none", "edgecolor": colour, "hatch": "/////", "linewidth": 0.8}
    axes.barh(at, end, height=0.56, **(hatched if row.state == "unknown" else {"color": colour, "linewidth": 0}))
    if abs(end) < 0.02 * reach:
        axes.plot([end], [at], marker="D", markersize=4.5, color=colour, zorder=5)
    if row.low is not None and row.high is not None:
        low, high = sorted((_held(_log2(row.low), reach), _held(_log2(row.high), reach)))
        _whisker(axes, low, high, at)


def _log2(ratio: float) -> float:
    return math.log2(ratio) if ratio > 0 else -math.inf


def _held(value: float, reach: float) -> float:
    return min(max(value, -reach), reach)


def _reach(rows: Sequence[GapRow]) -> float:
    ends = [abs(_log2(value)) for row in rows for value in (row.margin, row.low, row.high) if value]
    return min(max([1.0, *(end for end in ends if math.isfinite(end))]), 10.0)


def _gap_ticks(reach: float) -> list[float]:
    step = next(step for step in (1, 2, 3, 4, 5) if reach / step <= 4)
    top = int(reach // step)
    return [float(at * step) for at in range(-top, top + 1)]


def _times(power: float) -> str:
    if power == 0:
        return _("limit")
    return f"×{2 ** int(power)}" if power > 0 else f"÷{2 ** int(-power)}"


def draw_steps(plot: StepPlot, mark: str | None) -> Drawing:
    """A quantity after each step on a logarithmic axis, from top to bottom."""
    head = (0.2 if mark else 0.04) + (0.2 if plot.limit is not None or plot.note_title else 0.04)
    canvas = Canvas(head + _ROW * len(plot.steps) + 0.5)
    canvas.mark(mark)
    right = max((inches(step.note, SMALL) for step in plot.steps), default=0.0) + 0.2
    right = max(right, inches(plot.note_title, SMALL) + 0.12)
    axes = _row_axes(canvas, head, [step.label for step in plot.steps], right)
    axes.set_xscale("log")
    found = [(row, step) for row, step in enumerate(plot.steps) if step.value > 0 and math.isfinite(step.value)]
    axes.step(
        [step.value for _row, step in found],
        [row for row, _step in found],
        where="mid",
        color=PALETTE[0],
        linewidth=1.2,
        alpha=0.45,
    )
    for row, step in found:
        missed = plot.limit is not None and row == len(plot.steps) - 1 and step.value > plot.limit
        colour = STATE_COLOURS["missed"] if missed else PALETTE[0]
        if step.low and step.high:
            _whisker(axes, step.low, step.high, row)
        axes.plot([step.value], [row], marker="o", markersize=5, color=colour, markeredgecolor="#ffffff", zorder=5)
        axes.annotate(
            f"{step.value:.3g}", (step.value, row), xytext=(6, 4), textcoords="offset points", size=6.6, color=INK
        )
        _end_note(axes, row, step.note, SOFT)
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.5, high * 4)
    if plot.limit is not None:
        axes.set_xlim(left=min(low / 1.5, plot.limit / 2))
        _reference(axes, plot.limit, plot.limit_label)
    canvas.text(WIDTH - right + 0.085, head - 0.09, plot.note_title, size=SMALL, color=SOFT)
    _foot(canvas, plot.x_title)
    return canvas.drawing(plot.alt)
