"""A fit as a report: estimates, what the data cannot tell and what would, residuals, profiles, starts."""

from __future__ import annotations

import math

import numpy as np

from seedtrain.base import translate as _
from seedtrain.development._estimation._between_blocks import between_blocks
from seedtrain.development._estimation._fit import Fit
from seedtrain.development._estimation._intervals import Advice, Interval
from seedtrain.development._estimation._problem import joined
from seedtrain.development._estimation._scatter import scatter_words
from seedtrain.development._estimation._tied import MOST_INDEX, Tied
from seedtrain.report import (
    Block,
    Cell,
    Column,
    CurvePlot,
    Figure,
    Folded,
    Heading,
    KeyFigure,
    KeyFigures,
    Line,
    LinePlot,
    Notice,
    Panel,
    Paragraph,
    State,
    Table,
    Threshold,
)

MOST_PROFILES = 12


def fit_blocks(fit: Fit) -> tuple[Block, ...]:
    """The blocks of a page about `fit`."""
    problem = fit.problem
    return (
        KeyFigures(
            (
                KeyFigure(_("negative log likelihood"), f"{fit.best.objective:.3f}"),
                KeyFigure(_("readings"), str(problem.count)),
                KeyFigure(_("starts that reached it"), f"{fit.reached} / {len(fit.starts)}"),
            )
        ),
        *(Notice(warning, kind="warning") for warning in fit.warnings),
        *(Notice(words, kind="warning") for words in [scatter_words(fit)] if words),
        Heading(_("Estimates")),
        _estimates(fit),
        *between_blocks(fit),
        *(Notice(tied_words(item), title=", ".join(item.names), kind="warning") for item in fit.tied),
        *(Notice(advice_words(item), title=item.parameter, kind="warning") for item in advice_beside(fit)),
        Heading(_("Measured and fitted")),
        *_courses(fit),
        Heading(_("Residuals")),
        _residuals(fit),
        _residual_table(fit),
        Heading(_("What the data tell")),
        Paragraph(
            _(
                "Directions in the space of the parameters, the best determined first; along the last ones the data "
                "hardly change."
            )
        ),
        _directions(fit),
        Folded(_("Profiles"), tuple(_profiles(fit))),
        Figure(_starts(fit), _("Ends of the starts, lowest first")),
    )


def interval_words(item: Interval | None) -> str:
    """An interval, or why there is none."""
    if item is None:
        return ""
    if item.identified:
        return f"{item.low:.4g} .. {item.high:.4g}"
    if item.tied:
        return _("refused: known only together with {others}").format(others=", ".join(item.tied))
    if item.low is None and item.high is None:
        return _("refused: open on both sides")
    if item.low is None:
        return _("refused: open below, at most {high}").format(high=f"{item.high:.4g}")
    return _("refused: open above, at least {low}").format(low=f"{item.low:.4g}")


def advice_beside(fit: Fit) -> tuple[Advice, ...]:
    """The advice that says more than what is said of parameters that are known only together."""
    tied = {name for item in fit.tied for name in item.names}
    return tuple(item for item in fit.advice if item.reading or item.parameter not in tied)


def tied_words(item: Tied) -> str:
    """What the data know of parameters only together, and what to do."""
    index = f"> {MOST_INDEX:.0f}" if item.index >= MOST_INDEX else f"{item.index:.3g}"
    words = {"names": ", ".join(item.names), "index": index}
    first = _("The data know {names} only together (collinearity index {index}; above 15 none can be told apart).")
    second = _("Fix one of them, give a prior from elsewhere, or measure what tells them apart.")
    found = first.format(**words)
    if item.combination:
        known = f"{item.combination} = {item.value:.4g} ({item.low:.4g} .. {item.high:.4g})"
        found += " " + _("What they tell is {known}.").format(known=known)
    return found + " " + second


def advice_words(item: Advice) -> str:
    """What to measure for a parameter, in a sentence."""
    along = ", ".join(f"{name} {part:+.2f}" for name, part in item.along)
    first = _("The data leave {parameter} open; they hardly change along: {along}.").format(
        parameter=item.parameter, along=along
    )
    if not item.reading:
        return (
            first + " " + _("No reading that the model tells would help much: give a prior from elsewhere, or fix it.")
        )
    time = f"{item.time:.3g} {item.time_unit}".strip()
    words = {"reading": item.label or item.reading, "time": time, "run": item.run, "factor": f"{item.factor:.2g}"}
    if item.known:
        return (
            first
            + " "
            + _(
                "One more reading of {reading} at {time} in run {run} would bring its standard deviation to "
                "{factor} of what it is."
            ).format(**words)
        )
    return (
        first
        + " "
        + _(
            "Measure {reading}, which was not read so far: once at {time} in run {run}, to 5 %, it would bring "
            "the standard deviation to {factor} of what it is."
        ).format(**words)
    )


def _estimates(fit: Fit) -> Table:
    values = fit.values
    head = _("interval, {level} %").format(level=f"{100 * fit.level:g}")
    rows = []
    for item in fit.problem.parameters:
        found = fit.intervals.get(item.name)
        state: State = "" if found is None or found.identified else "unknown"
        rows.append(
            (
                item.name,
                f"{values[item.name]:.5g}",
                Cell(interval_words(found), state),
                item.unit,
                f"{item.low:g} .. {item.high:g}",
            )
        )
    columns = (
        Column(_("parameter")), Column(_("estimate"), "right"), Column(head), Column(_("unit")), Column(_("bounds")),
    )  # fmt: skip
    return Table(columns, rows)


def _courses(fit: Fit) -> list[Block]:
    """A plot for every run: what was measured as points, what the model says as a line."""
    blocks: list[Block] = []
    start = 0
    for run in fit.problem.experiments:
        count = len(run.readings)
        predicted = fit.best.predicted[start : start + count]
        times = run.times[run.readings.at]
        panels = []
        for name in dict.fromkeys(run.readings.names):
            mask = np.array([other == name for other in run.readings.names])
            order = np.argsort(times[mask], kind="stable")
            x, y = times[mask][order], run.readings.value[mask][order]
            lines = (Line(_("measured"), x, y, "points"), Line(_("fitted"), x, predicted[mask][order]))
            panels.append(Panel(name, lines))
        start += count
        title = _("time, {unit}").format(unit=fit.problem.time_unit)
        blocks.append(Figure(LinePlot(run.name, title, panels), run.name))
    return blocks


def _residuals(fit: Fit) -> Figure:
    readings, left = joined(fit.problem), fit.residuals
    times = np.concatenate([run.times[run.readings.at] for run in fit.problem.experiments])
    lines = []
    for name in dict.fromkeys(readings.names):
        mask = np.array([other == name for other in readings.names])
        order = np.argsort(times[mask], kind="stable")
        lines.append(Line(name, times[mask][order], left[mask][order], "points"))
    title = _("residual over its standard deviation")
    limits = (Threshold(2.0, ""), Threshold(-2.0, ""), Threshold(0.0, ""))
    panel = Panel(title, lines, thresholds=limits)
    return Figure(LinePlot(title, _("time, {unit}").format(unit=fit.problem.time_unit), [panel]), title)


def _residual_table(fit: Fit) -> Table:
    readings, left = joined(fit.problem), fit.residuals
    rows = []
    for name in dict.fromkeys(readings.names):
        mine = left[np.array([other == name for other in readings.names])]
        rows.append((name, str(len(mine)), f"{mine.mean():+.2f}", f"{math.sqrt(float((mine**2).mean())):.2f}"))
    columns = (Column(_("observable")), Column(_("readings"), "right"), Column(_("mean"), "right"),
               Column(_("root mean square"), "right"))  # fmt: skip
    return Table(columns, rows)


def _directions(fit: Fit) -> Table:
    rows = [
        (f"{item.information:.3g}", ", ".join(f"{name} {part:+.2f}" for name, part in item.parts))
        for item in fit.directions
    ]
    return Table((Column(_("information"), "right"), Column(_("direction"))), rows)


def _profiles(fit: Fit) -> list[Block]:
    found: list[Block] = []
    for item in fit.problem.parameters:
        about = fit.intervals.get(item.name)
        if about is None or len(about.points) < 3 or len(found) >= MOST_PROFILES:
            continue
        x, y = zip(*about.points, strict=True)
        limit = Line(_("limit of the interval"), [min(x), max(x)], [about.threshold] * 2, "dashed")
        curves = (Line(item.name, list(x), [min(value, 4 * about.threshold) for value in y]), limit)
        plot = CurvePlot(
            item.name, f"{item.name} {item.unit}".strip(), _("rise of the objective"), curves, x_log=item.scale != "lin"
        )
        found.append(Figure(plot, item.name))
    return found or [Paragraph(_("No profiles were computed."))]


def _starts(fit: Fit) -> LinePlot:
    ends = [item.objective for item in fit.starts if math.isfinite(item.objective)]
    above = [value - fit.best.objective + 0.01 for value in ends]
    title = _("objective above the best, + 0.01")
    line = Line(_("starts"), [float(at) for at in range(1, len(ends) + 1)], above, "points")
    return LinePlot(title, _("start"), [Panel(title, [line], log=True)])
