"""The certificate of analysis as a document and as data (ICH Q7, section 11.4)."""

from __future__ import annotations

from typing import Any

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.gmp._documents._batch_page import Printed, mark_of
from seedtrain.gmp._documents._case import Case, plain_time, table
from seedtrain.gmp._documents._certificate import Certificate, certificate, certificate_sheet
from seedtrain.gmp._documents._print import decision_words
from seedtrain.gmp._phrases import recorded_words
from seedtrain.gmp._quality._oos import investigations
from seedtrain.report import Block, Cell, Definitions, Heading, Notice, Page, SignatureLine, Signatures, State


def certificate_of(case: Case) -> Certificate:
    """What the certificate says; raises `InputError` where nobody put the recipe with its specification up."""
    if case.approval is None or case.recipe is None:
        fault = case.approval.fault if case.approval else ""
        raise InputError(
            f"batch {case.batch} has no specification in the ledger" + (f": {fault}" if fault else ""),
            remedy="Approve the recipe with its specification; a certificate states results against it.",
        )
    return certificate(case.record, case.recipe.specification, investigations(case.counted))


def print_certificate(case: Case) -> Printed:
    """The certificate in the language in use; one that is not released says so on every page."""
    found = certificate_of(case)
    sheet = certificate_sheet(found)
    states: dict[str, State] = {"pass": "met", "fail": "missed", "inconclusive": "unknown"}
    rows = [
        (
            Cell(line.attribute, style="strong"),
            line.method,
            line.limit,
            line.result,
            Cell(row[-1], states[line.verdict]),
        )
        for line, row in zip(found.lines, sheet.rows, strict=True)
    ]
    blocks: list[Block] = [
        *_standing(found),
        Heading(_("Results")),
        table(sheet.columns, rows, widths=(20, 28, 16, 16, 12)),
        Heading(_("Decision and signature")),
        *_signed(case, found),
    ]
    marks = [mark_of(simulated=found.simulated), "" if found.released else _("not released")]
    page = Page(
        title=sheet.title,
        subtitle=f"{found.product or found.recipe} \u00b7 {case.record.lot or found.batch}",
        label=_("Certificate of analysis"),
        mark=" \u00b7 ".join(mark for mark in marks if mark),
        facts=_facts(case, found),
        blocks=blocks,
        date=case.last.date(),
    )
    return Printed(page, ())


def certificate_data(case: Case) -> dict[str, Any]:
    """The same as plain data, words as the record has them."""
    found = certificate_of(case)
    decision = found.decision
    return {
        "batch": found.batch,
        "lot": case.record.lot,
        "product": found.product,
        "amount": found.amount,
        "recipe": found.recipe,
        "recipe_digest": found.recipe_digest,
        "simulated": found.simulated,
        "released": found.released,
        "decision": decision.decision if decision else None,
        "decided_by": decision.actor if decision else None,
        "decided_at": decision.occurred_at if decision else None,
        "tests": [vars(line) for line in found.lines],
        "verdict": found.verdict.verdict,
        "ledger": case.ledger.id,
        "events": [event.seq for event in case.events if event.type in ("result.recorded", "value.corrected")],
    }


def _standing(found: Certificate) -> list[Block]:
    blocks: list[Block] = []
    if found.simulated:
        text = _("The results are simulated: no batch was made and no sample was tested.")
        blocks.append(Notice(text, _("Simulated batch, not for use."), "warning"))
    if not found.released:
        blocks.append(Notice(_("The batch is not released: these are its results so far."), kind="missed"))
    return blocks


def _facts(case: Case, found: Certificate) -> tuple[tuple[str, str], ...]:
    made = max((item.completed_at or "" for item in case.record.steps), default="")
    return (
        (_("Product"), found.product or found.recipe),
        (_("Lot"), case.record.lot or found.batch),
        (_("Amount"), found.amount or "\u2013"),
        (_("Recipe"), found.recipe),
        (_("Made"), plain_time(made)[:10] or "\u2013"),
        (_("Samples"), ", ".join(dict.fromkeys(item.sample for item in case.record.results)) or "\u2013"),
        (_("Digest of the control recipe"), found.recipe_digest),
    )


def _signed(case: Case, found: Certificate) -> list[Block]:
    decision = found.decision
    if decision is None:
        return [Definitions(((_("Decision"), _("not decided")),)), Signatures((SignatureLine(_("release")),))]
    lines = tuple(
        SignatureLine(
            recorded_words(item.meaning),
            case.name(item.actor),
            item.actor,
            f"{plain_time(item.occurred_at)} UTC",
            item.record_digest,
        )
        for item in case.record.signatures
        if item.over == decision.seq
    )
    words = f"{decision_words(decision.decision)}, {plain_time(decision.occurred_at)} UTC"
    return [Definitions(((_("Decision"), words),)), Signatures(lines or (SignatureLine(_("release")),))]
