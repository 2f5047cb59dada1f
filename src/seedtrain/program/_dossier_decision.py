"""Lots, review and decision of the batch in the dossier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from seedtrain.base import translate as _
from seedtrain.gmp import batch_sheets, decision_words, genealogy, genealogy_sheet
from seedtrain.program._dossier_case import Case
from seedtrain.program._dossier_sheets import sheet_table, signatures
from seedtrain.program._dossier_words import NOTICES, STATES, attribute_words, plain_time, rounded
from seedtrain.quality import origin_words, verdict_words
from seedtrain.report import Block, Cell, Column, Heading, Notice, State, Table

DECISION_STATES: Final[Mapping[str, State]] = {"released": "met", "rejected": "missed", "on_hold": "unknown"}


def lot_blocks(case: Case) -> Iterator[Block]:
    """The lots that went in, what is inside them, and what the need says of their origin."""
    yield Heading(_("Material lots and what is inside them"), level=3)
    lines = genealogy(case.events, case.record.lot or case.batch)
    for criterion in case.criteria:
        if criterion["limit"] is None:
            yield _origin_notice(case, case.asked(criterion))
    seqs = [event.seq for event in case.events if event.type in ("lot.received", "lot.consumed", "lot.amended")]
    doubtful = _doubtful(case)
    states = tuple((6, doubtful[item.lot]) if item.lot in doubtful else None for item in lines)
    sheet = genealogy_sheet(lines)
    caption = _("Genealogy of lot {lot}").format(lot=case.record.lot or case.batch)
    yield sheet_table(sheet, case.event_note(seqs), caption=caption, states=states)


def _doubtful(case: Case) -> dict[str, State]:
    """Lots that a criterion on origin does not clear."""
    found: dict[str, State] = {}
    for criterion in case.criteria:
        if criterion["limit"] is None:
            for item in case.origin(case.asked(criterion))["criteria"]:
                if item["verdict"] != "pass":
                    found[item["name"]] = STATES[item["verdict"]]
    return found


def _origin_notice(case: Case, excluded: str) -> Notice:
    verdict = case.origin(excluded)
    kind = NOTICES[STATES[verdict["verdict"]]]
    title = _("Material of {origin} in the genealogy: {verdict}.").format(
        origin=origin_words(excluded),
        verdict={"pass": _("none"), "fail": _("found"), "inconclusive": _("not known")}[verdict["verdict"]],
    )
    return Notice("; ".join(verdict["evidence"]) or _("Everything inside every lot is declared."), title, kind)


def decision_blocks(case: Case) -> Iterator[Block]:
    """What the reviewer saw, the grounds of the decision, the decision and the signatures."""
    record = case.record
    sheets = {item.name: item for item in batch_sheets(record, case.name)}
    yield Heading(_("Review by exception and decision"), level=3)
    yield sheet_table(sheets["review"], case.event_note(item.seq for item in record.reviews))
    decision = record.decision
    if decision is None:
        yield Notice(_("Nobody has decided on the batch."), "", "warning")
        return
    yield Table(
        (
            Column(_("Ground of the decision"), width=20),
            Column(_("Asked"), width=30),
            Column(_("Found")),
            Column(_("Verdict")),
        ),
        [
            (
                attribute_words(str(item["name"]))
                if item["limit"] and item["name"] in _tested(case)
                else _ground(item["name"]),
                str(item["limit"] or "–"),
                "–" if item["value"] is None else rounded(str(item["value"])),
                Cell(verdict_words(item["verdict"]), STATES[item["verdict"]]),
            )
            for item in decision.verdict["criteria"]
        ],
        _("Grounds of the decision"),
        case.event_note([decision.seq]),
        small=True,
    )
    kind = NOTICES[DECISION_STATES[decision.decision]]
    words = _("{name}, {time} UTC").format(name=case.name(decision.actor), time=plain_time(decision.occurred_at))
    reasons = "\n".join((words, *decision.reasons))
    yield Notice(reasons, _("Decision: {decision}.").format(decision=decision_words(decision.decision)), kind)
    yield signatures(case)


def _tested(case: Case) -> frozenset[str]:
    return frozenset(item.attribute for item in case.record.results)


def _ground(name: str) -> str:
    return {
        "recipe": _("recipe approved"),
        "phases": _("phases completed"),
        "second-person checks": _("second-person checks"),
        "hold points": _("hold points"),
        "deviations": _("deviations"),
        "record": _("the record itself"),
        "review": _("review"),
    }.get(name, attribute_words(name))
