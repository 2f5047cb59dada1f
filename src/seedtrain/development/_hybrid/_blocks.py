"""A hybrid study in words, tables and plots."""

from __future__ import annotations

import numpy as np

from seedtrain.base import translate as _
from seedtrain.development._hybrid._study import LEVEL, HybridStudy
from seedtrain.report import (
    Block,
    Cell,
    Column,
    CurvePlot,
    Figure,
    Heading,
    Line,
    LinePlot,
    Notice,
    Panel,
    Paragraph,
    State,
    Table,
    Threshold,
)


def judgement_words(study: HybridStudy) -> str:
    """The verdict in a sentence."""
    if study.gain is None:
        return {
            "inconclusive": _("inconclusive: too few runs to compare on held-out ones"),
            "no better": _("no better: without some run the learned rate cannot predict it at all"),
        }.get(study.judgement, "")
    words = {
        "better": _("better: on held-out runs the error of the culture's own form is {factor} times the hybrid's "
                    "({low} to {high}, {level} %)"),
        "no better": _("no better: on held-out runs the error of the culture's own form is {factor} times the hybrid's "
                       "({low} to {high}, {level} %)"),
        "inconclusive": _("inconclusive: on held-out runs the error of the culture's own form is {factor} times the "
                          "hybrid's ({low} to {high}, {level} %)"),
    }[study.judgement]  # fmt: skip
    factor, low, high = (f"{value:.3g}" for value in study.gain)
    return words.format(factor=factor, low=low, high=high, level=f"{100 * LEVEL:g}")


def hybrid_lines(study: HybridStudy) -> list[str]:
    """For the terminal."""
    found = [_("hybrid {forms}: {verdict}").format(forms="; ".join(item.written for item in study.forms),
                                                  verdict=judgement_words(study))]  # fmt: skip
    width = max(len(item.name) for item in study.errors)
    found.append(f"  {'':<{width}} {_('own form'):>12} {_('hybrid'):>12}  {_('root mean square error, held out')}")
    for item in study.errors:
        unit = item.unit or _("relative")
        found.append(f"  {item.name:<{width}} {item.own:>12.4g} {item.hybrid:>12.4g}  {unit}")
    for rate, ranges in study.trained.items():
        ends = ", ".join(f"{name} {low:g} .. {high:g} {unit}".rstrip() for name, (low, high, unit) in ranges.items())
        found.append("  " + _("{rate} is known for {ranges}").format(rate=rate, ranges=ends))
    return found


def hybrid_blocks(study: HybridStudy) -> tuple[Block, ...]:
    """For a page."""
    kinds = {"better": "pass", "no better": "fail", "inconclusive": "warning"}
    return (
        Heading(_("Learned rate beside the culture's own form")),
        Notice(judgement_words(study), kind="warning" if kinds[study.judgement] != "pass" else "info"),
        *(Notice(words, kind="warning") for words in study.warnings),
        Paragraph(
            _(
                "Each run in turn was left out of the training of both; the errors below are of runs that training did "
                "not see."
            )
        ),
        _errors(study),
        _runs(study),
        *_residuals(study),
        *_rates(study),
    )


def _errors(study: HybridStudy) -> Table:
    rows = []
    for item in study.errors:
        ratio = item.own / item.hybrid if item.hybrid > 0 else float("inf")
        state: State = "met" if ratio > 1 else "missed"
        rows.append((item.name, item.unit or _("relative"), f"{item.own:.4g}", f"{item.hybrid:.4g}",
                     Cell(f"{ratio:.3g}", state)))  # fmt: skip
    columns = (Column(_("observable")), Column(_("unit")), Column(_("own form"), "right"),
               Column(_("hybrid"), "right"), Column(_("factor"), "right"))  # fmt: skip
    return Table(columns, rows)


def _runs(study: HybridStudy) -> Table:
    rows = [(name, f"{ratio:.3g}") for name, ratio in study.runs.items()]
    return Table((Column(_("run left out")), Column(_("error of the own form over the hybrid's"), "right")), rows)


def _residuals(study: HybridStudy) -> list[Block]:
    panels = []
    for name, (measured, own, hybrid) in study.told.items():
        order = np.argsort(measured)
        lines = [Line(_("own form"), measured[order], own[order], "points"),
                 Line(_("hybrid"), measured[order], hybrid[order], "points")]  # fmt: skip
        panels.append(Panel(name, lines, thresholds=(Threshold(0.0, ""),)))
    title = _("Error of held-out readings, measured less predicted, over what was measured")
    return [Figure(LinePlot(title, _("measured"), [panel]), title) for panel in panels]


def _rates(study: HybridStudy) -> list[Block]:
    found: list[Block] = []
    for rate, curves in study.curves.items():
        for symbol, (x, learned, own) in curves.items():
            unit = study.trained[rate][symbol][2]
            title = _("{rate} over {symbol} where the runs went").format(rate=rate, symbol=symbol)
            lines = (Line(_("hybrid"), x, learned, "points"), Line(_("own form"), x, own, "dashed"))
            found.append(Figure(CurvePlot(title, f"{symbol} {unit}".strip(), rate, lines), title))
    return found
