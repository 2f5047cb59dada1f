"""Scale-up and economics in the dossier."""

from __future__ import annotations

from collections.abc import Iterator

from seedtrain.base import translate as _
from seedtrain.development import Driver, ScaleResult, economics_blocks, scale_blocks
from seedtrain.program._dossier_case import Case, traced
from seedtrain.program._dossier_design import oxygen_floor
from seedtrain.program._dossier_words import exact, number, status_words
from seedtrain.program._run_figures import run_figure, scales_figure
from seedtrain.report import Block, Cell, Column, Figure, Heading, Notice, Step, StepPlot, Table

DRIVERS = 12
"""How many factors the table of assumptions shows of cost and of carbon."""
SHOWN_REDUCTION = 2
"""Decimals of a log reduction below which a step is left out of the plot."""


def scale_section(case: Case) -> Iterator[Block]:
    """The production at every scale: side by side, each run, the tables, endotoxin through the train."""
    note = case.stage_note("bench", "scale")
    yield Heading(_("Scale-up"))
    runs = {result.unit: result.production for result in case.scales}
    blocks = traced(scale_blocks(case.scales), note)
    first = next((at for at, block in enumerate(blocks) if isinstance(block, Heading)), len(blocks))
    yield from (block for block in blocks[:first] if isinstance(block, Notice))
    yield Figure(scales_figure(runs), _("The production at each scale"), note)
    yield from (block for block in blocks[:first] if not isinstance(block, Notice))
    for result in case.scales[1:]:
        own = case.stage_note("scale")
        yield Heading(_("Course of the production in {unit}").format(unit=result.unit), level=3)
        figure = run_figure(result.production, oxygen_floor=oxygen_floor(result.control.recipe), mark="")
        yield Figure(figure, _("The production in {unit}").format(unit=result.unit), own)
    yield from blocks[first:]
    if any(row.endotoxin > 0 for row in case.production.mass_yield):
        yield Heading(_("Endotoxin through the downstream steps"), level=3)
        yield Figure(
            _endotoxin(case, case.production),
            _("Endotoxin after each step that changes it, {unit}").format(unit=case.production.unit),
            case.stage_note("scale"),
        )


def _endotoxin(case: Case, result: ScaleResult) -> StepPlot:
    found = [row for row in result.mass_yield if row.endotoxin > 0]
    rows = [
        row for row in found if row in (found[0], found[-1]) or round(abs(row.log_reduction), SHOWN_REDUCTION) > 0.0
    ]
    limit = case.limit("endotoxin")
    return StepPlot(
        alt=_("Endotoxin falls from {first} to {last} EU/mg over {count} steps.").format(
            first=number(rows[0].endotoxin), last=number(rows[-1].endotoxin), count=len(found) - 1
        ),
        x_title=_("endotoxin, EU/mg"),
        steps=[
            Step(
                _("broth") if row.path == "broth" else row.path.partition("/")[2].replace("/", ", "),
                row.endotoxin,
                "" if row.path == "broth" else number(row.log_reduction, 2),
            )
            for row in rows
        ],
        limit=limit,
        limit_label="" if limit is None else _("need {limit}").format(limit=exact(limit, "EU/mg")),
        note_title=_("log10 removed"),
    )


def economics_section(case: Case) -> Iterator[Block]:
    """Cost and carbon with their ranges, what drives them, and what is assumed."""
    note = case.stage_note("economics")
    found = case.economics
    limits = {name: case.limit(name) for name in ("cost", "carbon")}
    targets = {name: limit for name, limit in limits.items() if limit is not None}
    yield Heading(_("Cost and carbon"))
    yield from traced(economics_blocks({case.production.unit: found}, targets=targets), note)
    yield Heading(_("Assumptions behind cost and carbon"), level=3)
    yield _assumptions(found.cost.drivers, _("Factors that move the cost most, and where they come from"), note)
    yield _assumptions(found.carbon.drivers, _("Factors that move the carbon most, and where they come from"), note)


def _assumptions(drivers: tuple[Driver, ...], caption: str, note: str) -> Table:
    heads = (
        Column(_("Factor"), width=22),
        Column(_("Value"), "right"),
        Column(_("Range")),
        Column(_("Measured in")),
        Column(_("Kind of source")),
        Column(_("Source"), width=40),
    )
    rows = [
        (
            item.factor.name,
            number(item.factor.value),
            f"{number(item.factor.low)} .. {number(item.factor.high)}",
            item.factor.unit,
            Cell(status_words(item.factor.status), style="muted" if item.factor.status == "assumed" else ""),
            item.factor.source,
        )
        for item in drivers[:DRIVERS]
    ]
    return Table(heads, rows, caption, note, small=True)
