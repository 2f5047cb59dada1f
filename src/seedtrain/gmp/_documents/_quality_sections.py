"""What quality did, as the batch record prints it: deviations, investigations, hard stops, review, decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seedtrain.base import translate as _
from seedtrain.gmp._batch._judged_lines import ReviewItem
from seedtrain.gmp._documents._case import Case, Row, none_or, plain_time, table
from seedtrain.gmp._documents._print import batch_sheets, decision_words, item_words
from seedtrain.gmp._phrases import recorded_words, state_word
from seedtrain.gmp._quality._capa import capa_of
from seedtrain.gmp._quality._deviations import Deviation, concerning
from seedtrain.gmp._quality._oos import Investigation, investigations
from seedtrain.report import Block, Definitions, Heading, Notice, Paragraph

_NOTHING = "\u2013"


def deviations_section(case: Case) -> Iterator[Block]:
    """Each deviation, each investigation of a result, their CAPAs, and the hard stops (21 CFR 211.192)."""
    yield Heading(_("Deviations and investigations"))
    found = concerning(case.ledger, case.batch, case.counted)
    tested = investigations(case.counted)
    if not found and not tested:
        yield Paragraph(_("None."))
    for item in found:
        yield Heading(item.name, level=3)
        yield Definitions(tuple(_deviation(case, item)))
    for one in tested:
        yield Heading(one.name, level=3)
        yield Definitions(tuple(_investigation(case, one)))
    yield from _capas(case, found)
    yield from _stops(case)


def _deviation(case: Case, item: Deviation) -> Iterator[tuple[str, str]]:
    closing = item.closing
    yield _("What"), recorded_words(item.words)
    if item.phase:
        yield _("Phase"), item.phase
    yield _("Opened"), f"{plain_time(item.opened_at)}, {case.name(item.opened_by)}"
    yield _("Classification"), grade_words(item.classification) if item.classification else _NOTHING
    if item.findings:
        yield _("Findings"), item.findings
    yield _("Cause"), (closing.cause if closing else item.cause) or _NOTHING
    yield _("Impact"), (closing.impact if closing else item.impact) or _NOTHING
    if item.disposition:
        yield _("Disposition of the product"), grade_words(item.disposition)
    yield _("Action"), closing.action if closing else _NOTHING
    if item.capa or item.no_capa:
        yield _("CAPA"), item.capa or item.no_capa
    yield _("State"), _("closed") if item.closed else _("open")
    if closing:
        yield _("Closed by"), f"{case.name(closing.actor)}, {plain_time(closing.occurred_at)}"


def _investigation(case: Case, item: Investigation) -> Iterator[tuple[str, str]]:
    """A result out of specification: the laboratory first, then the whole, retests by their plan only."""
    yield _("Result"), f"{item.attribute} {item.reported} ({item.limit}), {item.sample}, {item.method}"
    yield _("Tested by"), case.name(item.analyst)
    if item.assessed_by:
        yield _("Laboratory"), f"{item.laboratory} ({case.name(item.assessed_by)})"
    if item.findings:
        yield _("Findings"), item.findings
    if item.cause:
        yield _("Cause"), item.cause
    if item.plan is not None:
        who = case.name(item.plan.approved_by) if item.plan.approved_by else _("nobody")
        words = _("{count} retests: {why}; approved by {who}")
        yield _("Plan of retests"), words.format(count=item.plan.retests, why=item.plan.why, who=who)
    if item.retests:
        yield (
            _("Retests"),
            "; ".join(f"{one.number}: {one.reported} ({case.name(one.analyst)})" for one in item.retests),
        )
    if item.faults:
        yield _("Faults"), "; ".join(recorded_words(fault) for fault in item.faults)
    concluded = f"{state_word(item.conclusion)}: {item.words} ({case.name(item.closed_by)})"
    closed = concluded if item.conclusion else _("open")
    yield _("Conclusion"), closed


def _capas(case: Case, found: Sequence[Deviation]) -> Iterator[Block]:
    rows: list[Row] = []
    for name in dict.fromkeys(item.capa for item in found if item.capa):
        capa = capa_of(case.ledger.events(subject=name))
        if capa is not None:
            actions = "; ".join(f"{one.words} ({case.name(one.owner)}, {one.due})" for one in capa.actions)
            rows.append(
                (
                    name,
                    capa.title,
                    actions,
                    capa_words(capa.state),
                    case.name(capa.approved_by) if capa.approved_by else "",
                )
            )
    if rows:
        yield Heading(_("Corrective and preventive actions"), level=3)
        heads = (_("CAPA"), _("Title"), _("Action"), _("State"), _("Approved by"))
        yield table(heads, rows, widths=(12, 22, 34, 11, 14))


def _stops(case: Case) -> Iterator[Block]:
    yield Heading(_("Hard stops"), level=3)
    lifts = {item.seq: item for item in case.record.lifts}
    rows: list[Row] = []
    for stop in case.record.stops:
        lift = lifts.get(stop.lifted_by) if stop.lifted_by is not None else None
        way = f"{lift.deviation}: {lift.reason} ({case.name(lift.actor)})" if lift else ""
        why = recorded_words(stop.reason)
        rows.append((stop.occurred_at, stop.phase, stop.gate, stop.subject, why, way, case.name(stop.actor)))
    heads = (_("Time"), _("Phase"), _("Gate"), _("Because of"), _("Reason"), _("Lifted"), _("Met by"))
    yield none_or(rows, lambda: table(heads, rows, widths=(11, 15, 9, 12, 24, 20, 12)))


def decision_section(case: Case) -> Iterator[Block]:
    """Reviews with every exception that was acknowledged and what was said of it, and the decisions."""
    yield Heading(_("Review and decision"))
    counted = {item.seq for item in case.counted}
    odd = [item for item in case.events if item.seq not in counted]
    if odd:
        named = ", ".join(f"{item.seq} {item.type} ({case.name(item.actor)})" for item in odd)
        words = _("Written by people who had no role for it, and counted for nothing: {events}")
        yield Notice(words.format(events=named), kind="missed")
    if not case.record.reviews:
        yield Paragraph(_("Not reviewed yet."))
    sheets = {item.name: item for item in batch_sheets(case.record, case.name)}
    if case.record.reviews:
        last = case.record.reviews[-1]
        words = _("{name} reviewed the record on {time} (UTC).")
        yield Paragraph(words.format(name=case.person(last.actor), time=plain_time(last.occurred_at)))
        if last.stale:
            yield Notice(_("Something was recorded after this review: it does not count any more."), kind="missed")
        (event,) = [item for item in case.events if item.seq == last.seq]
        told = event.payload["exceptions"]
        items = [ReviewItem(str(item["kind"]), int(item["seq"]), str(item["words"])) for item in told]
        said = {item_words(item): str(row.get("comment", "")) for item, row in zip(items, told, strict=True)}
        heads = (*sheets["review"].columns, _("Comment"))
        lines = [(*row, said.get(row[2], "")) for row in sheets["review"].rows]
        yield table(heads, lines, widths=(13, 7, 40, 13, 20))
    rows: list[Row] = [
        (
            *(item.occurred_at, decision_words(item.decision)),
            "; ".join(recorded_words(reason) for reason in item.reasons),
            case.person(item.actor),
        )
        for item in case.record.decisions
    ]
    columns = (_("Time"), _("Decision"), _("Reasons"), _("Decided by"))
    yield none_or(rows, lambda: table(columns, rows, widths=(12, 10, 40, 18)))


def grade_words(word: str) -> str:
    """How grave a deviation is, or what becomes of the product, in the language in use."""
    return {
        "minor": _("minor"),
        "major": _("major"),
        "critical": _("critical"),
        "use": _("use"),
        "rework": _("rework"),
        "hold": _("hold"),
        "reject": _("reject"),
    }.get(word, word)


def capa_words(state: str) -> str:
    """The state of a CAPA in the language in use."""
    return {
        "open": _("open"),
        "approved": _("approved"),
        "done": _("done"),
        "effective": _("found effective"),
        "ineffective": _("found ineffective"),
        "closed": _("closed"),
    }[state]
