"""What the pages of this room share."""

from __future__ import annotations

from seedtrain.base import translate as _
from seedtrain.quality import Verdict, verdict_words
from seedtrain.report import Cell, Column, State, Table
from seedtrain.vectors._evidence import value_words
from seedtrain.vectors._words import criterion_words

STATES: dict[str, State] = {"pass": "met", "fail": "missed", "inconclusive": "unknown"}


def criteria_table(verdict: Verdict) -> Table:
    """Every criterion of a verdict."""
    rows: list[list[str | Cell]] = [
        [
            criterion_words(item.name),
            "" if item.value is None else value_words(str(item.value)),
            "" if item.interval is None else f"{item.interval[0]} .. {item.interval[1]}",
            value_words(item.limit or ""),
            "" if item.limit_of_detection is None else str(item.limit_of_detection),
            Cell(verdict_words(item.verdict), state=STATES[item.verdict]),
        ]
        for item in verdict.criteria
    ]
    heads = [_("Criterion"), _("Value"), _("95 % interval"), _("Limit"), _("Limit of detection"), _("Verdict")]
    return Table([Column(item) for item in heads], rows, small=True)
