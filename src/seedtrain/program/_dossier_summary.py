"""What a decision maker reads first: how many criteria are met, the key figures, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seedtrain.base import translate as _
from seedtrain.gmp import decision_words
from seedtrain.program._dossier_case import Case
from seedtrain.program._dossier_words import NoticeKind, attribute_words, listed, need_words, number, span
from seedtrain.report import Block, Heading, KeyFigure, KeyFigures, Notice, Paragraph, State


def summary_blocks(case: Case) -> Iterator[Block]:
    """What a decision maker reads first."""
    counts = {state: sum(row["state"] == state for row in case.criteria) for state in ("met", "missed", "unknown")}
    yield Heading(_("What was asked and what came out"))
    yield Paragraph(_opening(case, counts), lead=True)
    yield KeyFigures(tuple(_key_figures(case, counts)))
    yield _verdict(case)


def _opening(case: Case, counts: Mapping[str, int]) -> str:
    text = _(
        "{met} of {count} criteria are met, {missed} missed, {unknown} not known. The prediction is for {vessel}; the "
        "batch {batch} ran in {pilot} and was decided: {decision}."
    )
    return text.format(
        **counts,
        count=len(case.criteria),
        vessel=case.production.unit,
        batch=case.batch,
        pilot=case.pilot.unit,
        decision=decision_words(str(case.results["batch"].data["decision"])),
    )


def _key_figures(case: Case, counts: Mapping[str, int]) -> Iterator[KeyFigure]:
    states = _("{missed} missed, {unknown} not known").format(**counts)
    overall: State = "missed" if counts["missed"] else "unknown" if counts["unknown"] else "met"
    yield KeyFigure(_("Criteria met"), f"{counts['met']} / {len(case.criteria)}", "", overall, states)
    limit = case.criterion("titre")
    for place, result in enumerate(case.scales):
        state: State = limit["state"] if limit and place == len(case.scales) - 1 else ""
        words = _("at harvest; need {need}").format(need=need_words(limit, "")) if limit else _("at harvest")
        yield KeyFigure(_("Titre, {unit}").format(unit=result.unit), number(result.titre), "g/L", state, words)
    for attribute in ("cost", "carbon", "endotoxin"):
        row = case.criterion(attribute)
        if row is not None and row["prediction"]:
            found = row["prediction"]
            words = _("need {need}").format(need=need_words(row, ""))
            reach = span(found["low"], found["high"])
            note = f"{reach}; {words}" if reach else words
            yield KeyFigure(attribute_words(attribute), number(found["value"]), row["unit"], row["state"], note)
    decision = str(case.results["batch"].data["decision"])
    yield KeyFigure(
        _("Release decision"),
        decision_words(decision),
        "",
        "",
        f"{case.batch}, {case.pilot.unit}",
    )


def _verdict(case: Case) -> Notice:
    """Whether the process answers the need, and what stands in the way."""
    musts = [row for row in case.criteria if row["priority"] == "must"]
    missed = [attribute_words(row["attribute"]) for row in musts if row["state"] == "missed"]
    unknown = [attribute_words(row["attribute"]) for row in musts if row["state"] == "unknown"]
    kind: NoticeKind = "missed" if missed else "warning" if unknown else "met"
    title = {
        "missed": _("The process does not yet answer the need."),
        "warning": _("Whether the process answers the need is not known."),
        "met": _("The process answers the need."),
    }[kind]
    lines = []
    if missed:
        lines.append(_("Musts that are missed: {names}.").format(names=listed(missed)))
    if unknown:
        lines.append(_("Musts that are not known: {names}.").format(names=listed(unknown)))
    if lines and case.results["batch"].data["decision"] == "released":
        lines.append(_("The batch was released against its specification; the need asks for more than that."))
    return Notice("\n".join(lines) or _("Every must is met."), title, kind)
