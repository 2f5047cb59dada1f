"""What people read of experiments: designs, suggestions and effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seedtrain.base import translate as _
from seedtrain.development._experiments._analysis import Analysis
from seedtrain.development._experiments._designs import Terms, model_matrix
from seedtrain.development._experiments._entry import Experiment
from seedtrain.development._experiments._sheet import SheetRow
from seedtrain.development._words import number
from seedtrain.report import (
    Block,
    Cell,
    Column,
    CurvePlot,
    Figure,
    FigureSpec,
    Heading,
    Line,
    LinePlot,
    Panel,
    Paragraph,
    Swing,
    Table,
    TornadoPlot,
)


def design_facts(study: Experiment, rows: Sequence[SheetRow], terms: Terms) -> dict[str, float]:
    """How good a design is for a model: D-efficiency (%, 100 for an orthogonal one), largest variance inflation, terms.

    Empty where its runs cannot tell the terms.
    """
    points = np.array([study.point(row.values) for row in rows])
    matrix, _titles = model_matrix(study, points, terms)
    n, p = matrix.shape
    if n < p or np.linalg.matrix_rank(matrix) < p:
        return {}
    information = matrix.T @ matrix
    efficiency = 100 * float(np.exp(np.linalg.slogdet(information)[1] / p)) / n
    scaled = information / np.sqrt(np.outer(np.diag(information), np.diag(information)))
    return {"terms": p, "D-efficiency": efficiency, "inflation": float(np.diag(np.linalg.inv(scaled)).max())}


def analysis_lines(found: Analysis) -> list[str]:
    """The effects of one response for a screen, the surest first."""
    words = _("{response}: {runs} runs, R2 {explained}, of runs left out {predicted}, scatter {deviation} {unit}")
    lines = [words.format(response=found.response, runs=found.runs, explained=f"{found.explained:.3f}",
                          predicted=f"{found.predicted:.3f}", deviation=number(found.deviation),
                          unit=found.unit).rstrip()]  # fmt: skip
    if found.lack_of_fit is not None:
        lines.append("  " + _("lack of fit against replicates: p = {p}").format(p=f"{found.lack_of_fit:.3g}"))
    for item in sorted(found.effects, key=lambda effect: effect.p):
        if item.term != "1":
            lines.append(
                f"  {item.term}: {number(item.value)} [{number(item.low)} .. {number(item.high)}], p {item.p:.2g}"
            )
    return lines


def analysis_blocks(found: Sequence[Analysis]) -> tuple[Block, ...]:
    """A page: effects as a table and a tornado, predicted against measured, for each response."""
    blocks: list[Block] = []
    figures = analysis_figures(found)
    for item in found:
        blocks += [Heading(item.response), Paragraph(analysis_lines(item)[0]), _effects(item)]
        blocks += [Figure(plot, plot.alt) for name, plot in figures.items() if name.startswith(f"{item.response}-")]
    blocks.append(Paragraph(_(
        "An effect is half the change of the response from a factor's low to its high. R2 of runs left out is what the "
        "model is worth for new runs; far below R2, it has too many terms."
    )))  # fmt: skip
    return tuple(blocks)


def _effects(found: Analysis) -> Table:
    rows: list[list[str | Cell]] = []
    for item in found.effects:
        sure = Cell(item.term, style="strong") if item.p < 0.05 else item.term
        rows.append([sure, number(item.value), f"{number(item.low)} .. {number(item.high)}", f"{item.p:.2g}"])
    heads = [_("term"), _("effect"), _("95 % interval"), "p"]
    return Table([Column(head, "right" if at else "left") for at, head in enumerate(heads)], rows, small=True)


def analysis_figures(found: Sequence[Analysis]) -> Mapping[str, FigureSpec]:
    """Plots by the name of their file."""
    plots: dict[str, FigureSpec] = {}
    for item in found:
        centre = next((effect.value for effect in item.effects if effect.term == "1"), float(item.measured.mean()))
        wide = sorted((e for e in item.effects if e.term != "1"), key=lambda e: -abs(e.value))[:12]
        unit = f", {item.unit}" if item.unit else ""
        if wide:
            plots[f"{item.response}-effects"] = TornadoPlot(
                alt=_("Effects on {response}").format(response=item.response),
                x_title=f"{item.response}{unit}",
                base=centre,
                swings=[Swing(e.term, centre - e.value, centre + e.value) for e in wide],
            )
        ends = [float(min(item.measured.min(), item.fitted.min())), float(max(item.measured.max(), item.fitted.max()))]
        plots[f"{item.response}-fit"] = CurvePlot(
            alt=_("{response}: by the model against as measured").format(response=item.response),
            x_title=_("measured") + unit, y_title=_("by the model") + unit,
            curves=[Line(_("the same"), ends, ends, style="dashed"),
                    Line(_("runs"), item.measured, item.fitted, style="points")],
        )  # fmt: skip
    return plots


def progress_figure(study: Experiment, rows: Sequence[SheetRow]) -> FigureSpec | None:
    """Each run's reading of the first goal in the order of work, and the best so far; None where there is none."""
    goal = next((item for item in study.responses if item.goal != "none"), None)
    if goal is None:
        return None
    done = [row for row in sorted(rows, key=lambda row: row.number) if np.isfinite(row.readings[goal.name])]
    if not done:
        return None
    values = np.array([row.readings[goal.name] for row in done])
    holds = np.array(
        [all(r.low <= row.readings[r.name] <= r.high for r in study.responses if r.limited) for row in done]
    )
    inside = np.where(holds, values, -np.inf if goal.goal == "maximise" else np.inf)
    best = (np.maximum if goal.goal == "maximise" else np.minimum).accumulate(inside)
    best = np.where(np.isfinite(best), best, np.nan)
    numbers = [row.number for row in done]
    title = f"{goal.name}, {goal.unit}".rstrip(", ")
    lines = [Line(_("runs"), numbers, values, style="points"), Line(_("best that holds the limits"), numbers, best)]
    return LinePlot(alt=_("Readings in the order of work"), x_title=_("run"), panels=[Panel(title, lines)])
