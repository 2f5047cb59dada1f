"""One door to every plot."""

from __future__ import annotations

from typing import Final

from seedtrain.base import digest, language
from seedtrain.report._bars import draw_gap, draw_stacks, draw_steps, draw_tornado
from seedtrain.report._canvas import styled
from seedtrain.report._figures import (
    ContourPlot,
    CurvePlot,
    Drawing,
    FigureSpec,
    GanttPlot,
    GapPlot,
    LinePlot,
    StackPlot,
    StepPlot,
    TornadoPlot,
)
from seedtrain.report._lines import draw_curves, draw_lines
from seedtrain.report._page import plain
from seedtrain.report._plane import draw_contours, draw_gantt
from seedtrain.report._text import clean, cleaned

KEPT: Final = 64
_drawn: dict[str, Drawing] = {}
"""The last drawings by what they show: a page that is written in two forms is drawn once."""


def draw(figure: FigureSpec | Drawing, mark: str = "") -> Drawing:
    """`figure` as SVG, the same bytes in every run with the same data, fonts and matplotlib; a drawing as it is.

    - `mark`: printed where the figure's own is `""`.

    Raises `InputError` where the figure has nothing to draw or its columns do not match.
    """
    if isinstance(figure, Drawing):
        return figure
    figure = cleaned(figure)
    shown = clean(mark) if figure.mark == "" else figure.mark
    key = digest([language(), shown, plain(figure)])
    if key not in _drawn:
        while len(_drawn) >= KEPT:
            _drawn.pop(next(iter(_drawn)), None)
        _drawn[key] = _draw(figure, shown)
    return _drawn[key]


def _draw(figure: FigureSpec, shown: str | None) -> Drawing:
    with styled():
        match figure:
            case LinePlot():
                return draw_lines(figure, shown)
            case CurvePlot():
                return draw_curves(figure, shown)
            case StackPlot():
                return draw_stacks(figure, shown)
            case TornadoPlot():
                return draw_tornado(figure, shown)
            case GapPlot():
                return draw_gap(figure, shown)
            case StepPlot():
                return draw_steps(figure, shown)
            case ContourPlot():
                return draw_contours(figure, shown)
            case GanttPlot():
                return draw_gantt(figure, shown)
