"""The printed batch record: the whole record of a batch as one document, for people and as PDF/A."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from seedtrain.base import digest_bytes
from seedtrain.base import translate as _
from seedtrain.gmp._documents._batch_sections import (
    corrections_section,
    equipment_section,
    materials_section,
    results_section,
    steps_section,
    values_section,
)
from seedtrain.gmp._documents._case import Case, plain_time
from seedtrain.gmp._documents._closing_sections import (
    places_section,
    signatures_section,
    trail_section,
    verification_section,
)
from seedtrain.gmp._documents._print import decision_words
from seedtrain.gmp._documents._quality_section import acknowledged_section
from seedtrain.gmp._documents._quality_sections import decision_section, deviations_section
from seedtrain.gmp._documents._recipe_section import recipe_section
from seedtrain.gmp._quality._deviations import concerning
from seedtrain.recipe import state_words
from seedtrain.report import Attachment, Block, Heading, KeyFigure, KeyFigures, Page, State

SECTIONS: Final[tuple[tuple[str, Callable[[Case], Iterator[Block]]], ...]] = (
    ("decision", decision_section),
    ("deviations", deviations_section),
    ("acknowledged", acknowledged_section),
    ("corrections", corrections_section),
    ("recipe", recipe_section),
    ("steps", steps_section),
    ("materials", materials_section),
    ("equipment", equipment_section),
    ("values", values_section),
    ("results", results_section),
    ("signatures", signatures_section),
    ("trail", trail_section),
)
"""What must be seen first comes first: the decision, what deviated or was changed; then the record in its order."""


@dataclass(frozen=True)
class Printed:
    """A document ready to be rendered: the page and the files that travel inside it."""

    page: Page
    attachments: tuple[Attachment, ...]


def print_batch(case: Case) -> Printed:
    """The batch record in the language in use, with the exact events and the recipe attached."""
    attachments = _attachments(case)
    parts = {key: list(section(case)) for key, section in SECTIONS}
    numbers = _numbers(parts)
    digests = [digest_bytes(item.text.encode("utf-8")) for item in attachments]
    blocks = [block for blocks in parts.values() for block in blocks]
    blocks += [*places_section(numbers), *verification_section(case, attachments, digests)]
    page = Page(
        title=_("Batch record {batch}").format(batch=case.batch),
        subtitle=" \u00b7 ".join(text for text in (case.record.material, case.record.amount) if text),
        label=_("Batch production and control record"),
        mark=mark_of(simulated=case.record.simulated),
        facts=_facts(case),
        blocks=[_summary(case), *blocks],
        date=case.last.date(),
    )
    return Printed(page, attachments)


def mark_of(*, simulated: bool) -> str:
    """What stands on every page of a document about something that was never made."""
    return _("simulated batch, not for use") if simulated else ""


def _facts(case: Case) -> tuple[tuple[str, str], ...]:
    header, record = case.record.header, case.record
    return (
        (_("Batch"), case.batch),
        (_("Product"), record.material or header.recipe),
        (_("Amount"), record.amount or "\u2013"),
        (_("Lot"), record.lot or "\u2013"),
        (_("Unit"), header.unit),
        (_("Volume"), header.volume),
        (_("Created"), f"{plain_time(header.created_at)} UTC, {case.name(header.created_by)}"),
        (_("Last event"), f"{plain_time(case.events[-1].recorded_at)} UTC"),
        (_("State"), state_words(record.state)),
    )


def _summary(case: Case) -> KeyFigures:
    record = case.record
    decision = record.decision
    states: dict[str, State] = {"released": "met", "rejected": "missed", "on_hold": "unknown"}
    exceptions = len(record.reviews[-1].exceptions) if record.reviews else 0
    found = concerning(case.ledger, case.batch, case.counted)
    open_ones = sum(1 for item in found if not item.closed)
    corrected = sum(len(item.corrections) for item in record.values)
    corrected += sum(len(item.corrections) for item in record.results)
    return KeyFigures(
        (
            KeyFigure(
                _("Decision"),
                decision_words(decision.decision) if decision else _("not decided"),
                state=states[decision.decision] if decision else "unknown",
            ),
            KeyFigure(_("Exceptions"), str(exceptions) if record.reviews else "\u2013"),
            KeyFigure(_("Deviations"), str(len(found)), note=_("{count} open").format(count=open_ones)),
            KeyFigure(_("Corrections"), str(corrected)),
        )
    )


def _numbers(parts: dict[str, list[Block]]) -> dict[str, str]:
    """Number and title of the first heading of each section, as the document will number them."""
    number = 0
    found: dict[str, str] = {}
    for key, blocks in parts.items():
        for block in blocks:
            if isinstance(block, Heading) and block.level == 2:
                number += 1
                found.setdefault(key, f"{number}  {block.text}")
    return found


def _attachments(case: Case) -> tuple[Attachment, ...]:
    events = "".join(event.body.decode("utf-8") + "\n" for event in case.events)
    note = {"checkpoint": case.ledger.note_over(case.events[-1].seq)}
    made = [
        Attachment(
            "events.jsonl", events, "application/jsonl", _("the exact bytes of every event of the batch"), "data"
        ),
        Attachment(
            "checkpoint.json",
            json.dumps(note, ensure_ascii=False) + "\n",
            "application/json",
            _("the signed checkpoint that covers them"),
            "supplement",
        ),
    ]
    text = recipe_text(case)
    if text:
        words = _("the recipe as it was approved") if case.approval else _("the recipe as the batch carries it")
        made.append(Attachment("recipe.yaml", text, "application/yaml", words, "source"))
    return tuple(made)


def recipe_text(case: Case) -> str:
    """The recipe's own text as the ledger holds it; empty where it does not."""
    found = case.approval
    return str(found.event.payload.get("text", "")) if found else case.record.header.text


def sections() -> Sequence[str]:
    """The keys of the sections of a printed batch record."""
    return [key for key, _section in SECTIONS]
