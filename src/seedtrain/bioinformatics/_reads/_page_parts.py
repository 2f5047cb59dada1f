"""What the pages of clones and of traces share."""

from __future__ import annotations

from typing import Final

from seedtrain.base import translate as _
from seedtrain.bioinformatics._told import value_words
from seedtrain.quality import Criterion, Verdict, verdict_words
from seedtrain.report import Cell, Column, State, Table

STATES: Final[dict[str, State]] = {"pass": "met", "fail": "missed", "inconclusive": "unknown"}


def criterion_words(name: str) -> str:
    """A criterion's name in the language in use; a name that is none of ours as it stands."""
    return criterion_names().get(name, name)


def criterion_names() -> dict[str, str]:
    """Every criterion of reads and traces, in the language in use."""
    return {
        "reads of the clone": _("reads of the clone"),
        "thinnest strand of any site": _("thinnest strand of any site"),
        "reads across any site, unbroken": _("reads across any site, unbroken"),
        "bases of something else": _("bases of something else"),
        "edit distance of the consensus": _("edit distance of the consensus"),
        "other bases at a site": _("other bases at a site"),
        "small insertions and deletions at a site": _("small insertions and deletions at a site"),
        "Dam and Dcm sites": _("Dam and Dcm sites"),
        "length of homopolymers": _("length of homopolymers"),
        "insertions, deletions and junctions": _("insertions, deletions and junctions"),
        "reads around more than once": _("reads around more than once"),
        "usable traces": _("usable traces"),
        "traces of something else": _("traces of something else"),
        "bases covered by traces": _("bases covered by traces"),
        "differences from the reference": _("differences from the reference"),
        "mixed peaks": _("mixed peaks"),
        "identity": _("identity"),
        "parental plasmid": _("parental plasmid"),
        "mixture": _("mixture"),
        "host": _("host"),
        "helper": _("helper"),
        "unknown": _("of no sequence given"),
        "multimers": _("multimers"),
        "poly-A length": _("poly-A length"),
        "reads": _("reads"),
    }


def verdict_cell(item: Criterion) -> Cell:
    """A criterion's verdict, in colour."""
    return Cell(verdict_words(item.verdict), state=STATES[item.verdict])


def criteria_table(verdict: Verdict) -> Table:
    """Every criterion of a verdict."""
    rows: list[list[str | Cell]] = [
        [
            criterion_words(item.name),
            value_words(item.value),
            "" if item.interval is None else f"{item.interval[0]} .. {item.interval[1]}",
            value_words(item.limit),
            "" if item.limit_of_detection is None else str(item.limit_of_detection),
            verdict_cell(item),
        ]
        for item in verdict.criteria
    ]
    heads = [_("Criterion"), _("Value"), _("95 % interval"), _("Limit"), _("Limit of detection"), _("Verdict")]
    return Table([Column(item) for item in heads], rows, small=True)
