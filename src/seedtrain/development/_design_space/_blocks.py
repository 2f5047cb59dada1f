"""What people read of a design space: lines for a screen, blocks and maps for a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Final

from seedtrain.base import translate as _
from seedtrain.development._design_space._space import DesignSpace, FactorRange
from seedtrain.development._words import attribute_words, number, percent
from seedtrain.report import (
    Block,
    Column,
    ContourPlot,
    Figure,
    FigureSpec,
    Heading,
    Notice,
    Paragraph,
    Point,
    Table,
)

_KINDS: Final[Mapping[str, Callable[[], str]]] = {
    "factor": lambda: _("set point"),
    "raw_material": lambda: _("raw material"),
    "culture": lambda: _("culture"),
}
_SOURCES: Final[Mapping[str, Callable[[], str]]] = {
    "given": lambda: _("as given"),
    "strategy": lambda: _("control strategy"),
    "assumed spread": lambda: _("assumed spread"),
}
MOST_MAPS = 6
SHOWN = 5


def design_space_blocks(found: DesignSpace) -> tuple[Block, ...]:
    """Probabilities at the target, ranges, maps, what makes each attribute vary, and what the study rests on."""
    blocks: list[Block] = [Heading(_("Probability that every limit is met"), level=2)]
    if found.inconclusive:
        text = _("Inconclusive: the runs are too few or too rough to predict {names}.")
        blocks.append(
            Notice(text.format(names=", ".join(attribute_words(name) for name in found.inconclusive)), kind="warning")
        )
    if found.study.untrained:
        blocks.append(Notice(_untrained(found), kind="warning"))
    blocks += [_attributes(found), Heading(_("Ranges of the set points"), level=2), _ranges(found), Paragraph(_said())]
    blocks += [Figure(plot, plot.alt) for plot in design_space_figures(found).values()]
    blocks += [Heading(_("What makes each attribute vary"), level=2), _ranking(found)]
    blocks += [Heading(_("What varies"), level=2), _inputs(found)]
    return tuple(blocks)


def _untrained(found: DesignSpace) -> str:
    rates = ", ".join(f"{rate} ({count} / {found.study.asked})" for rate, count in found.study.untrained.items())
    text = _(
        "Inconclusive: what was learned from data is used beyond what it was trained on, in so many batches: {rates}."
    )
    return text.format(rates=rates) + " " + _("Narrow the ranges, or train it on runs that went there.")


def design_space_figures(found: DesignSpace) -> dict[str, FigureSpec]:
    """Maps of the first pairs of factors by the name of their file; the others at their targets."""
    plots: dict[str, FigureSpec] = {}
    for first, second in list(combinations(range(len(found.factors)), 2))[:MOST_MAPS]:
        plots[f"map-{first + 1}-{second + 1}"] = _map(found, first, second)
    return plots


def _map(found: DesignSpace, first: int, second: int) -> ContourPlot:
    x, y, values = found.plane(first, second)
    names = [f"{found.factors[at].label}, {found.factors[at].unit}".rstrip(", ") for at in (first, second)]
    target = 100.0 * (1.0 - found.reliability)
    return ContourPlot(
        alt=_("Probability that a limit is missed, %"),
        x_title=names[0],
        y_title=names[1],
        x=x,
        y=y,
        values=list(100.0 * (1.0 - values)),
        target=target,
        target_label=_("at most {limit} % missed").format(limit=number(target)),
        points=[Point(_("target"), found.factors[first].target, found.factors[second].target)],
        mark=_("simulated"),
    )


def _attributes(found: DesignSpace) -> Table:
    at = found.at_target()
    rows = [
        [attribute_words(item.name), item.text, percent(at[item.name]), percent(found.models[item.name].explained)]
        for item in found.study.attributes
    ]
    rows.append([_("all together"), "", percent(at["all"]), ""])
    heads = [_("attribute"), _("limit"), _("probability at the target"), _("predicted of unseen runs")]
    return Table([Column(head, "right" if k > 1 else "left") for k, head in enumerate(heads)], rows)


def _ranges(found: DesignSpace) -> Table:
    rows = [
        [
            row.input.label,
            row.input.unit,
            number(row.input.target),
            _pair(row.normal),
            _pair(row.proven),
            _pair(row.box),
            " / ".join("–" if edge is None else number(edge) for edge in row.edges),
            _limiting(row),
        ]
        for row in found.ranges
    ]
    heads = [_("set point"), _("unit"), _("target"), _("normal"), _("proven, alone"), _("for all at once")]
    heads += [_("edges of failure"), _("fails first")]
    return Table([Column(head) for head in heads], rows, small=True)


def _limiting(row: FactorRange) -> str:
    return attribute_words(row.limiting) if row.limiting else "–"


def _pair(ends: tuple[float, float] | None) -> str:
    return "–" if ends is None else f"{number(ends[0])} .. {number(ends[1])}"


def _said() -> str:
    return _(
        "Normal: the target with two standard deviations of the control. Proven: where all limits hold with the wanted "
        "probability while the others stay at their targets. For all at once: the ranges that hold together, corners "
        "included. Edges: where the probability falls below a half; a dash, where it does not within what was studied."
    )


def _ranking(found: DesignSpace) -> Table:
    rows = []
    for name, shares in found.ranking().items():
        for label, share in list(shares.items())[:SHOWN]:
            if share >= 0.01:
                rows.append([attribute_words(name), label, percent(share, 2)])
    heads = [_("attribute"), _("input"), _("total Sobol index")]
    return Table([Column(head, "right" if k == 2 else "left") for k, head in enumerate(heads)], rows, small=True)


def _inputs(found: DesignSpace) -> Table:
    rows = [
        [
            item.label,
            _KINDS[item.kind](),
            _pair((item.low, item.high)),
            item.unit,
            number(item.deviation),
            _SOURCES[item.source]() if item.source in _SOURCES else item.source,
        ]
        for item in found.study.inputs
    ]
    heads = [_("input"), _("kind"), _("range"), _("unit"), _("standard deviation"), _("source")]
    caption = _("{runs} simulated batches, {finished} came to their end; seed {seed}").format(
        runs=found.study.asked, finished=len(found.study.x), seed=found.study.seed
    )
    return Table([Column(head) for head in heads], rows, caption=caption, small=True)


def design_space_lines(found: DesignSpace) -> list[str]:
    """The design space for a screen."""
    at = found.at_target()
    head = _("{runs} simulated batches, {finished} came to their end; seed {seed}")
    lines = [head.format(runs=found.study.asked, finished=len(found.study.x), seed=found.study.seed)]
    for item in found.study.attributes:
        poor = "  " + _("inconclusive") if item.name in found.inconclusive else ""
        lines.append(f"  {attribute_words(item.name):<20} {item.text:<18} {percent(at[item.name]):>8}{poor}")
    lines.append("  " + f"{_('all together'):<39} {percent(at['all']):>8}")
    lines += [_untrained(found)] if found.study.untrained else []
    lines += [_range_line(row) for row in found.ranges]
    for name, shares in found.ranking().items():
        top = [f"{label} {percent(share, 2)}" for label, share in list(shares.items())[:2] if share >= 0.05]
        if top:
            lines.append(f"  {attribute_words(name)}: {', '.join(top)}")
    return lines


def _range_line(row: FactorRange) -> str:
    text = _("{factor}: target {target}, proven {proven}, for all at once {box} {unit}; fails first: {limiting}")
    return text.format(
        factor=row.input.label,
        target=number(row.input.target),
        proven=_pair(row.proven),
        box=_pair(row.box),
        unit=row.input.unit,
        limiting=_limiting(row),
    )
