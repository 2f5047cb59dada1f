"""What the quality unit did about a batch, in print: investigations with every retest, deviations, acknowledgements."""

from __future__ import annotations

from collections.abc import Iterator

from seedtrain.base import translate as _
from seedtrain.gmp._documents._case import Case, none_or, plain_time, table
from seedtrain.gmp._quality._deviations import concerning
from seedtrain.gmp._quality._oos import Investigation, investigations
from seedtrain.gmp._quality._review import kind_words
from seedtrain.report import Block, Definitions, Heading


def quality_section(case: Case) -> Iterator[Block]:
    """Out-of-specification investigations to their end (21 CFR 211.192), how deviations were judged, what the reviewer
    acknowledged with which comment."""
    yield Heading(_("Work of the quality unit"))
    yield Heading(_("Out-of-specification investigations"), level=3)
    found = investigations(case.events)
    if not found:
        yield none_or((), lambda: table((), ()))
    for item in found:
        yield Heading(f"{item.name}  {item.attribute}", level=3)
        yield _investigation(case, item)
        rows = [(str(one.number), one.reported, one.state, case.name(one.analyst)) for one in item.retests]
        if rows:
            yield table((_("Retest"), _("Result"), _("State"), _("Tested by")), rows)
    yield Heading(_("Judgement of deviations"), level=3)
    judged = [
        (
            item.name,
            item.classification or "\u2013",
            item.findings or "\u2013",
            item.disposition or "\u2013",
            item.capa or item.no_capa or "\u2013",
            _("closed") if item.closed else _("open"),
        )
        for item in concerning(case.ledger, case.batch, case.events)
    ]
    heads = (_("Deviation"), _("Class"), _("Findings"), _("Disposition"), _("CAPA"), _("State"))
    yield none_or(judged, lambda: table(heads, judged, widths=(12, 8, 30, 10, 20, 8)))
    yield Heading(_("Exceptions as acknowledged"), level=3)
    shown = list(_acknowledged(case))
    columns = (_("Kind"), _("What"), _("Comment"), _("Reviewed by"))
    yield none_or(shown, lambda: table(columns, shown, widths=(12, 36, 30, 12)))


def _investigation(case: Case, item: Investigation) -> Definitions:
    plan = item.plan
    error = {None: "\u2013", True: _("an error of the laboratory"), False: _("no error of the laboratory")}
    return Definitions(
        (
            (_("Original result"), f"{item.reported} ({item.limit}), {item.sample}, {case.name(item.analyst)}"),
            (_("Laboratory assessment"), f"{error[item.assignable]}. {item.laboratory}".strip()),
            (_("Full-scale investigation"), item.findings or "\u2013"),
            (_("Cause"), item.cause or "\u2013"),
            (_("Retests planned"), f"{plan.retests}: {plan.why}" if plan else "\u2013"),
            (_("Plan approved by"), case.name(plan.approved_by) if plan and plan.approved_by else "\u2013"),
            (_("Conclusion"), f"{item.conclusion}: {item.words}" if item.conclusion else _("open")),
            (_("Closed by"), case.name(item.closed_by) if item.closed_by else "\u2013"),
            (_("Faults"), "; ".join(item.faults) or "\u2013"),
        )
    )


def _acknowledged(case: Case) -> Iterator[tuple[str, ...]]:
    """Of the last review."""
    reviews = [event for event in case.events if event.type == "batch.reviewed"]
    for row in reviews[-1].payload["exceptions"] if reviews else ():
        name = f"{case.name(reviews[-1].actor)}, {plain_time(reviews[-1].occurred_at)}"
        yield kind_words(str(row["kind"])), str(row["words"]), str(row.get("comment", "")), name
