"""The gap in the dossier: criterion by criterion, in plain words, with the levers on what is not met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from seedtrain.base import translate as _
from seedtrain.development import words as limit_name
from seedtrain.program._dossier_case import Case
from seedtrain.program._dossier_words import (
    STATES,
    amount,
    attribute_words,
    change,
    exact,
    group_words,
    lever_label,
    lever_words,
    move_words,
    need_words,
    number,
    percent,
    priority_words,
    rounded,
    sentences,
    span,
    state_word,
    status_words,
)
from seedtrain.quality import origin_words
from seedtrain.report import (
    Block,
    Cell,
    Column,
    Figure,
    GapPlot,
    GapRow,
    Heading,
    Paragraph,
    Swing,
    Table,
    TornadoPlot,
)

Row = Mapping[str, Any]
ALONG_LIMIT: Final = 0.1
"""Part of a lever's effect that must come through the feed before the text says so."""


def gap_blocks(case: Case) -> Iterator[Block]:
    """The gap: all criteria together, then each that is not met with its levers."""
    note = case.stage_note("gap")
    yield Heading(_("The gap between need and process"))
    yield Figure(_gap_plot(case), _("Every criterion around its limit"), note)
    yield _criteria_table(case, note)
    for row in case.criteria:
        if row["state"] != "met":
            yield from _criterion(case, row, note)
    skipped = case.results["gap"].data["skipped"]
    if skipped:
        text = _("Levers that could not be moved: {levers}.")
        yield Paragraph(text.format(levers="; ".join(f"{name} ({reason})" for name, reason in skipped)))


def _gap_plot(case: Case) -> GapPlot:
    rows = []
    for row in case.criteria:
        found = row["prediction"]
        value, low, high = (_margin(row, found[end]) if found else None for end in ("value", "low", "high"))
        rows.append(GapRow(attribute_words(row["attribute"]), row["state"], value, low, high, _beside(case, row)))
    words = "; ".join(f"{attribute_words(row['attribute'])}: {state_word(row['state'])}" for row in case.criteria)
    return GapPlot(alt=words, rows=rows)


def _margin(row: Row, value: float | None) -> float | None:
    """Above 1 where the limit is kept."""
    if value is None or not row["limit"] or value <= 0:
        return None
    return float(value / row["limit"] if row["operator"] == ">=" else row["limit"] / value)


def _beside(case: Case, row: Row) -> str:
    if row["prediction"]:
        found = amount(row["prediction"]["value"], row["unit"])
        return _("{found}; need {need}").format(found=found, need=need_words(row, ""))
    lots = [item for item in case.origin(case.asked(row))["criteria"] if item["verdict"] != "pass"]
    return _("lots not cleared: {count}").format(count=len(lots))


def _criteria_table(case: Case, note: str) -> Table:
    heads = (
        Column(_("Criterion"), width=13),
        Column(_("Need"), width=16),
        Column(_("Priority")),
        Column(_("Prediction, {unit}").format(unit=case.production.unit), width=20),
        Column(_("Batch, {unit}").format(unit=case.pilot.unit), width=22),
        Column(_("State")),
    )
    rows = [
        (
            Cell(attribute_words(row["attribute"]), style="strong"),
            need_words(row, case.asked(row)),
            priority_words(row["priority"]),
            _predicted(row),
            _measured(row),
            Cell(state_word(row["state"]), row["state"]),
        )
        for row in case.criteria
    ]
    caption = _("Need, prediction with its 5 to 95 % interval, and batch, criterion by criterion")
    return Table(heads, rows, caption, f"{case.program.need.document.file.rpartition('/')[2]}; {note}")


def _predicted(row: Row) -> Cell:
    found = row["prediction"]
    if not found:
        return Cell("–", style="muted")
    reach = span(found["low"], found["high"])
    text = amount(found["value"], row["unit"])
    text = f"{text} ({reach})" if reach else text
    if row.get("probability") is not None:
        text += "; " + _("met with {probability}").format(probability=percent(row["probability"], 2))
    return Cell(text, STATES[found["verdict"]])


def _measured(row: Row) -> Cell:
    found = row["batch"]
    return Cell(rounded(found["value"], 3), STATES[found["verdict"]]) if found else Cell("–", style="muted")


def _criterion(case: Case, row: Row, note: str) -> Iterator[Block]:
    heading = _("{what}: {state}").format(what=attribute_words(row["attribute"]), state=state_word(row["state"]))
    yield Heading(heading, level=3)
    yield Paragraph(explanation(case, row))
    if not row["levers"]:
        return
    caption = _("The strongest lever of each group on: {what}").format(what=attribute_words(row["attribute"]))
    yield Figure(_lever_plot(row), caption, note)
    yield _lever_table(row, caption, note)


def explanation(case: Case, row: Row) -> str:
    """One criterion in plain words: how far it is from the limit, why it is not met, and what moves it most."""
    if row["limit"] is None:
        return _origin_words(case, row)
    parts = [_distance(case, row)]
    if row["batch"]:
        parts.append(_batch_words(case, row))
    if row["levers"]:
        parts.append(_lever_sentence(case, row))
    return sentences(parts)


def _distance(case: Case, row: Row) -> str:
    found, limit = row["prediction"], row["limit"]
    facts = {
        "what": attribute_words(row["attribute"]),
        "value": amount(found["value"], row["unit"]),
        "unit": case.production.unit,
        "limit": exact(limit, row["unit"]),
        "far": percent(abs(found["value"] / limit - 1.0)) if limit else "–",
        "low": number(found["low"]),
        "high": number(found["high"]),
    }
    if found["value"] < limit:
        text = _("{what} is predicted at {value} in {unit}, {far} below the limit of {limit}.")
    else:
        text = _("{what} is predicted at {value} in {unit}, {far} above the limit of {limit}.")
    if found["verdict"] == "inconclusive" and found["low"] is not None:
        reach = _("The interval from {low} to {high} reaches across the limit: too little is known to decide.")
        text = sentences((text, reach))
    elif found["verdict"] == "inconclusive":
        text = sentences(
            (text, _("How far off it may be is not known before runs were fitted: it cannot count as met."))
        )
    return text.format(**facts)


def _batch_words(case: Case, row: Row) -> str:
    value = rounded(row["batch"]["value"], 3)
    texts = {
        "pass": _("The batch in {unit} had {value} and keeps the limit."),
        "fail": _("The batch in {unit} had {value} and does not keep the limit."),
        "inconclusive": _("The batch in {unit} does not decide it: {value}."),
    }
    return texts[row["batch"]["verdict"]].format(unit=case.pilot.unit, value=value)


def _lever_sentence(case: Case, row: Row) -> str:
    best = row["levers"][0]
    text = _("The strongest lever is {lever} ({group}): {per} moves it by {total}.")
    parts = [
        text.format(
            lever=lever_words(best), group=group_words(best["group"]), per=best["per"], total=change(best["total"])
        )
    ]
    if abs(best["total"] - best["direct"]) > ALONG_LIMIT * abs(best["total"]):
        text = _(
            "With the feed held it would be {direct}: the rest comes because the feed follows the limit ({limit})."
        )
        parts.append(text.format(direct=change(best["direct"]), limit=limit_name(case.production.limited_by)))
    closing = [lever for lever in row["levers"] if lever["needed"] is not None]
    if closing:
        text = _("To first order, {move} of {lever} would close the gap.")
        first = closing[0]
        parts.append(
            text.format(move=move_words(first["per"], first["needed"], first["unit"]), lever=lever_words(first))
        )
    elif row["state"] == "missed":
        parts.append(_("No single lever closes the gap within the reach of a first-order estimate."))
    return sentences(parts)


def _origin_words(case: Case, row: Row) -> str:
    verdict = case.origin(case.asked(row))
    facts = {
        "lot": case.record.lot or case.batch,
        "origin": origin_words(case.asked(row)),
        "evidence": "; ".join(verdict["evidence"]),
    }
    if verdict["verdict"] == "fail":
        text = _("The genealogy of lot {lot} holds material of {origin}: {evidence}. Replace the lot.")
    else:
        text = _(
            "Whether the genealogy of lot {lot} is free of material of {origin} is not known: {evidence}. What is not "
            "declared is never taken for absent; ask the supplier for a declaration, or replace the lot."
        )
    return text.format(**facts)


def _lever_plot(row: Row) -> TornadoPlot:
    what = attribute_words(row["attribute"])
    return TornadoPlot(
        alt="; ".join(f"{lever_words(item)}: {item['per']}, {change(item['total'])}" for item in row["levers"]),
        x_title=_("{what}, change in %").format(what=what),
        base=0.0,
        swings=[
            Swing(
                lever_label(item),
                -100.0 * item["total"],
                100.0 * item["total"],
                item["per"].replace("+", "−"),
                item["per"],
            )
            for item in row["levers"]
        ],
    )


def _lever_table(row: Row, caption: str, note: str) -> Table:
    heads = (
        Column(_("Group")),
        Column(_("Lever"), width=30),
        Column(_("Value now"), "right"),
        Column(_("Kind of source")),
        Column(_("Step")),
        Column(_("Total effect"), "right"),
        Column(_("Feed held"), "right"),
        Column(_("Needed"), "right"),
    )
    rows = [
        (
            group_words(item["group"]),
            lever_words(item),
            amount(item["value"], item["unit"]),
            Cell(status_words(item["status"]), style="muted" if item["status"] == "assumed" else ""),
            item["per"],
            change(item["total"]),
            change(item["direct"]),
            "–" if item["needed"] is None else move_words(item["per"], item["needed"], item["unit"]),
        )
        for item in row["levers"]
    ]
    return Table(heads, rows, caption, note, small=True)
