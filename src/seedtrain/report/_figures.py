"""Figures as data: what is to be seen, in which unit, and in words for those who cannot see it.

Every figure has `alt`, the same in words, and `mark`, printed inside it (`""` takes the page's mark, `None` prints
none). Values that are not finite are gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Floats: TypeAlias = "Sequence[float] | NDArray[np.float64]"
State = Literal["", "met", "missed", "unknown"]
Style = Literal["solid", "dashed", "dotted", "points"]


@dataclass(frozen=True)
class Line:
    """One line: `x` and `y` of one shape (lists or arrays); `low` and `high`, where given, make a band around it.

    - `colour`: index into the palette; by default the line's place in its panel.
    """

    label: str
    x: Floats
    y: Floats
    style: Style = "solid"
    colour: int | None = None
    low: Floats | None = None
    high: Floats | None = None


@dataclass(frozen=True)
class Threshold:
    """A horizontal limit in a panel."""

    value: float
    label: str


@dataclass(frozen=True)
class Panel:
    """Lines that share one vertical axis; `title` names quantity and unit."""

    title: str
    lines: Sequence[Line]
    log: bool = False
    thresholds: Sequence[Threshold] = ()
    height: float = 1.0


@dataclass(frozen=True)
class Band:
    """A labelled span of the horizontal axis, for instance a phase."""

    label: str
    start: float
    end: float


@dataclass(frozen=True)
class Event:
    """A labelled moment on the horizontal axis."""

    label: str
    at: float


@dataclass(frozen=True)
class LinePlot:
    """Panels above one another with one shared horizontal axis, its bands and its events."""

    alt: str
    x_title: str
    panels: Sequence[Panel]
    bands: Sequence[Band] = ()
    events: Sequence[Event] = ()
    mark: str | None = ""


@dataclass(frozen=True)
class Point:
    """A marked point in a plane of curves."""

    label: str
    x: float
    y: float
    state: State = ""


@dataclass(frozen=True)
class CurvePlot:
    """Envelopes and trade-offs: curves in one plane, the area under those with `filled`, and marked points."""

    alt: str
    x_title: str
    y_title: str
    curves: Sequence[Line]
    filled: Sequence[bool] = ()
    points: Sequence[Point] = ()
    x_log: bool = False
    y_log: bool = False
    mark: str | None = ""


@dataclass(frozen=True)
class Stack:
    """One stacked bar: `parts` by the plot's part names; `low` and `high` bound the total, `text` stands at its end."""

    label: str
    parts: Sequence[float]
    low: float | None = None
    high: float | None = None
    text: str = ""


@dataclass(frozen=True)
class StackPlot:
    """Stacked horizontal bars with the range of their totals, and a target line where there is one."""

    alt: str
    x_title: str
    part_names: Sequence[str]
    stacks: Sequence[Stack]
    target: float | None = None
    target_label: str = ""
    mark: str | None = ""


@dataclass(frozen=True)
class Swing:
    """One row of a tornado: the outcome at the low and at the high end of an input."""

    label: str
    at_low: float
    at_high: float
    low_text: str = ""
    high_text: str = ""


@dataclass(frozen=True)
class TornadoPlot:
    """What an outcome does as each input goes to its ends, around `base`; the widest first as given."""

    alt: str
    x_title: str
    base: float
    swings: Sequence[Swing]
    mark: str | None = ""


@dataclass(frozen=True)
class GapRow:
    """One criterion: `margin` above 1 meets it (value/limit, or limit/value where low is good), `None` is unknown."""

    label: str
    state: State
    margin: float | None
    low: float | None = None
    high: float | None = None
    text: str = ""


@dataclass(frozen=True)
class GapPlot:
    """Every criterion on one logarithmic axis around its limit: right of it is met, left of it is missed."""

    alt: str
    rows: Sequence[GapRow]
    mark: str | None = ""


@dataclass(frozen=True)
class Step:
    """One step of a sequence with its outcome; `note` is what the step did, for instance a log reduction."""

    label: str
    value: float
    note: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class StepPlot:
    """A quantity after each step of a sequence, on a logarithmic axis, from top to bottom, with its limit."""

    alt: str
    x_title: str
    steps: Sequence[Step]
    limit: float | None = None
    limit_label: str = ""
    note_title: str = ""
    mark: str | None = ""


@dataclass(frozen=True)
class ContourPlot:
    """A figure over two others, as lines of equal value.

    - `values`: rows by `y`, columns by `x`. - `target`: what is at or below it is shaded.
    """

    alt: str
    x_title: str
    y_title: str
    x: Floats
    y: Floats
    values: Sequence[Floats]
    target: float | None = None
    target_label: str = ""
    points: Sequence[Point] = ()
    x_log: bool = False
    y_log: bool = False
    mark: str | None = ""


@dataclass(frozen=True)
class Bar:
    """`row` is busy from `start` to `end` for `group`, and is made ready again `until`."""

    row: str
    group: str
    start: float
    end: float
    until: float


@dataclass(frozen=True)
class GanttPlot:
    """What is busy when: a row for each of `rows`, a colour for each of `groups`."""

    alt: str
    x_title: str
    rows: Sequence[str]
    groups: Sequence[str]
    bars: Sequence[Bar]
    mark: str | None = ""


FigureSpec = LinePlot | CurvePlot | StackPlot | TornadoPlot | GapPlot | StepPlot | ContourPlot | GanttPlot


@dataclass(frozen=True)
class Drawing:
    """A drawn figure: SVG text, its size in points, and its words."""

    svg: str
    width: float
    height: float
    alt: str = field(default="")
