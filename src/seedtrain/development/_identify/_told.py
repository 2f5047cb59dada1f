"""A plan of next runs in words, as a sheet, and as a report."""

from __future__ import annotations

import csv
import io

import numpy as np

from seedtrain.base import translate as _
from seedtrain.development._estimation import few_runs_words, verdict_words
from seedtrain.development._identify._plan import Expected, NextRuns
from seedtrain.report import (
    Block,
    Cell,
    Column,
    Figure,
    Heading,
    Line,
    LinePlot,
    Panel,
    Paragraph,
    Stack,
    StackPlot,
    State,
    Table,
)


def next_lines(plan: NextRuns) -> list[str]:
    """For the terminal."""
    found = []
    units = {item.name: item.unit for item in plan.varied}
    for number, item in enumerate(plan.runs, 1):
        settings = ", ".join(f"{name} {value:g} {units[name]}".rstrip() for name, value in item.settings.items())
        times = ", ".join(f"{time:g}" for time in item.times)
        found.append(_("run {number}: {settings}").format(number=number, settings=settings or _("as the usual run")))
        found.append("  " + _("sample {what} at {times} h").format(what=", ".join(plan.measure), times=times))
    found += _expected_lines(plan)
    found.append(_("{tried} settings tried, {refused} of them cannot be run or break a limit").format(
        tried=plan.tried, refused=plan.refused))  # fmt: skip
    return found


def _expected_lines(plan: NextRuns) -> list[str]:
    """What is expected of every parameter, a line each, and on what it rests."""
    width = max(len(item.name) for item in plan.expected)
    head = _("expected standard deviations, of what they are now (with as many samples evenly in usual runs):")
    if plan.differ:
        head = _(
            "expected intervals, of what they are now (with as many samples evenly in usual runs; with any number of "
            "samples in the planned ones):"
        )
    found = [head]
    for one in plan.expected:
        parts = f"{one.factor:>7.3f}  ({one.usual:.3f})"
        if plan.differ:
            parts = f"{_part(one.width):>7}  ({_part(one.usual_width)}; {_part(one.least)})"
        ends = "" if one.low is None or one.high is None else f"{one.low:.4g} .. {one.high:.4g}"
        found.append(f"  {one.name:<{width}} {parts}  {ends}  {closing_words(one)}".rstrip())
    return [*found, *rests_words(plan)]


def _part(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def rests_words(plan: NextRuns) -> list[str]:
    """Whether what is expected counts that runs differ, and whether that is known from enough of them."""
    if plan.between is None:
        return [
            _("All runs are taken alike, as in the fit: where they differ, intervals are wider than expected here.")
        ]
    few = few_runs_words(plan.between)
    if few and plan.differ:
        few.append(_("What is expected rests on how far so few runs differ: intervals may come out twice as wide."))
    return [verdict_words(plan.between), *few]


def closing_words(item: Expected) -> str:
    """Whether an open interval is expected to close."""
    if item.closes is None:
        return ""
    return _("open now; expected to close") if item.closes else _("open now; expected to stay open")


def next_sheet(plan: NextRuns) -> str:
    """One row a sample, with empty cells for what is read: a table as `seedtrain data check` reads it."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    settings = [f"set {item.name} [{item.unit or '1'}]" for item in plan.varied]
    writer.writerow(["run", "time [h]", *(f"{name} [{unit}]" for name, unit in plan.measure.items()), *settings])
    for number, item in enumerate(plan.runs, 1):
        for time in item.times:
            row = [f"N{number}", f"{time:g}", *("" for _name in plan.measure)]
            writer.writerow([*row, *(f"{item.settings[one.name]:g}" for one in plan.varied)])
    return stream.getvalue()


def next_blocks(plan: NextRuns) -> tuple[Block, ...]:
    """For a page."""
    found: list[Block] = [
        Paragraph(
            _(
                "Computed from the fitted model's sensitivities, to first order: where the fit is wrong, so is the "
                "plan. It is worth most as a choice between runs."
            )
        ),
        Heading(_("What is expected of it")),
        *map(Paragraph, rests_words(plan)),
        _table(plan),
        _bars(plan),
    ]
    for number, item in enumerate(plan.runs, 1):
        found.append(Heading(_("Run {number}").format(number=number)))
        found.append(_settings(plan, number - 1))
        title = _("Run {number} as the model tells it, with its samples").format(number=number)
        found.append(Figure(LinePlot(title, _("time, h"), _panels(plan, number - 1)), title))
        found.append(Paragraph(_("samples at {times} h").format(times=", ".join(f"{time:g}" for time in item.times))))
    return tuple(found)


def _table(plan: NextRuns) -> Table:
    rows = []
    for item in plan.expected:
        words = closing_words(item)
        state: State = "met" if item.closes else "unknown" if item.closes is False else ""
        ends = "" if item.low is None or item.high is None else f"{item.low:.4g} .. {item.high:.4g}"
        parts: list[float | None] = [item.factor, item.usual]
        parts += [item.width, item.usual_width, item.least] if plan.differ else []
        row: list[str | Cell] = [item.name, *map(_part, parts), ends, Cell(words, state)]
        rows.append(row)
    heads = [_("standard deviation after, of now"), _("the same with usual runs")]
    if plan.differ:
        heads += [_("interval after, of now"), _("the same with usual runs"), _("with any number of samples")]
    columns = (Column(_("parameter")), *(Column(words, "right") for words in heads),
               Column(_("{level} % interval expected").format(level=f"{100 * plan.level:g}")),
               Column(_("interval")))  # fmt: skip
    return Table(columns, rows)


def _bars(plan: NextRuns) -> Figure:
    title = _("Standard deviation after the plan, of what it is now")
    if plan.differ:
        title = _("Interval after the plan, of what it is now")
    rows = []
    for item in plan.expected:
        parts = (item.width, item.usual_width) if plan.differ else (item.factor, item.usual)
        for words, value in zip((_("planned"), _("usual runs")), parts, strict=True):
            if value is not None:
                rows.append(Stack(f"{item.name}, {words}", [value], text=f"{value:.2f}"))
    return Figure(StackPlot(title, title, [_("of what it is now")], rows, 1.0, _("now")), title)


def _settings(plan: NextRuns, number: int) -> Table:
    units = {item.name: item.unit for item in plan.varied}
    rows = [(name, f"{value:g}", units[name]) for name, value in plan.runs[number].settings.items()]
    return Table((Column(_("setting")), Column(_("value"), "right"), Column(_("unit"))), rows)


def _panels(plan: NextRuns, number: int) -> list[Panel]:
    run, times = plan.courses[number].run, np.array(plan.runs[number].times)
    found = []
    for name, unit in plan.measure.items():
        seen = np.array([run.at(name, time) for time in times.tolist()])
        lines = [Line(_("model"), run.time, run[name], colour=0), Line(_("samples"), times, seen, "points", colour=1)]
        found.append(Panel(f"{name}, {unit}", lines))
    return found
