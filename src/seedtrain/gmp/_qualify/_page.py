"""The report of a qualification: what was checked, with what result, which clauses that is about, and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from seedtrain.base import digest_bytes, language
from seedtrain.base import translate as _
from seedtrain.gmp._documents._batch_page import Printed
from seedtrain.gmp._documents._case import table
from seedtrain.gmp._qualify._clauses import Clause, Kind, check_words, duties, rules
from seedtrain.gmp._qualify._run import Qualification
from seedtrain.quality import VerdictWord, verdict_words
from seedtrain.report import (
    Attachment,
    Block,
    Cell,
    Heading,
    KeyFigure,
    KeyFigures,
    Notice,
    Page,
    Paragraph,
    SignatureLine,
    Signatures,
    State,
)

STATES: Final[dict[VerdictWord, State]] = {"pass": "met", "fail": "missed", "inconclusive": "unknown"}
LONGEST_LINE: Final = 700


def print_qualification(found: Qualification, data: dict[str, Any]) -> Printed:
    """The report in the language in use, its data attached."""
    text = json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    attached = Attachment("qualification.json", text, "application/json", _("this report as data"), "data")
    page = Page(
        title=_("Qualification of this installation"),
        subtitle=_("Installation (IQ) and operation (OQ): the supplier's checks, run on the user's machine"),
        label="Seedtrain",
        facts=_facts(found),
        blocks=[*_head(found), *_checks(found), *_clauses(found), *_duties(), *_signing(digest_bytes(text.encode()))],
        date=found.started.date(),
    )
    return Printed(page, (attached,))


def kind_words(kind: Kind) -> str:
    """What shows a clause."""
    return {"tested": _("tested here"), "procedural": _("with the user's procedure"), "user": _("user's duty")}[kind]


def _facts(found: Qualification) -> tuple[tuple[str, str], ...]:
    versions = found.facts.get("versions", {})
    return (
        (_("Software"), f"seedtrain {versions.get('seedtrain', '')}"),
        (_("Python"), versions.get("python", "")),
        (_("System"), versions.get("system", "")),
        (_("Started"), f"{found.started:%Y-%m-%d %H:%M:%S} UTC"),
        (_("Took"), f"{found.seconds:.0f} s"),
        (_("Digest of the installed files"), str(found.facts.get("files", {}).get("digest", "\u2013"))),
    )


def _head(found: Qualification) -> Iterator[Block]:
    counts = {word: sum(item.verdict == word for item in found.results) for word in STATES}
    yield KeyFigures(
        (
            KeyFigure(_("Checks"), verdict_words(found.verdict), state=STATES[found.verdict]),
            KeyFigure(_("Passed"), str(counts["pass"])),
            KeyFigure(_("Failed"), str(counts["fail"])),
            KeyFigure(_("Not decided"), str(counts["inconclusive"])),
        )
    )
    yield Notice(
        _(
            "This is the supplier's test evidence on one installation. It is not the validation of the intended use, "
            "and it is no judgement on whether anybody or anything meets a regulation: that is the user's to show."
        ),
        _("What this report is"),
        "warning",
    )


def _checks(found: Qualification) -> Iterator[Block]:
    for group, title in (("IQ", _("Installation qualification")), ("OQ", _("Operational qualification"))):
        yield Heading(title)
        rows = [
            (
                Cell(item.id, style="strong"),
                check_words(item.id),
                Cell(verdict_words(item.verdict), STATES[item.verdict]),
                _short("\n".join(item.evidence)),
                f"{item.seconds:.2f}",
            )
            for item in found.results
            if item.id.startswith(group)
        ]
        heads = (_("Check"), _("What it shows"), _("Verdict"), _("Evidence"), _("Time, s"))
        yield table(heads, rows, widths=(8, 30, 13, 48, 7))


def _clauses(found: Qualification) -> Iterator[Block]:
    for rule in rules():
        yield Heading(rule.name)
        yield Paragraph(rule.title)
        if any(not item.checked for item in rule.clauses):
            yield Paragraph(
                _("Marked *: the wording was not compared with the official text when this version was made.")
            )
        rows = [
            (
                item.clause + ("" if item.checked else " *"),
                item.words,
                kind_words(item.kind),
                ", ".join(item.tests) or "\u2013",
                _verdict(found, item),
                item.note,
            )
            for item in rule.clauses
        ]
        heads = (_("Clause"), _("In brief"), _("Shown by"), _("Checks"), _("The checks say"), _("Note"))
        yield table(heads, rows, widths=(13, 34, 14, 15, 13, 22))


def _verdict(found: Qualification, clause: Clause) -> Cell | str:
    verdict = found.clause_verdict(clause)
    return "\u2013" if verdict is None else Cell(verdict_words(verdict), STATES[verdict])


def _duties() -> Iterator[Block]:
    yield Heading(_("What stays with the user"))
    yield table(
        ("", _("Duty")), [(str(number), words) for number, words in enumerate(duties(), start=1)], widths=(4, 90)
    )


def _signing(digest: str) -> Iterator[Block]:
    yield Heading(_("Signatures"))
    words = _("The data of this report have the SHA-256 {digest}.")
    yield Paragraph(words.format(digest=digest))
    yield Signatures((SignatureLine(_("executed by")), SignatureLine(_("reviewed by"))))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else text[:LONGEST_LINE] + " \u2026"


def qualification_data(found: Qualification) -> dict[str, Any]:
    """The report as plain data, in the language in use."""
    return {
        "verdict": found.verdict,
        "language": language(),
        "started": found.started.isoformat(),
        "seconds": round(found.seconds, 1),
        "facts": found.facts,
        "checks": [
            {
                "id": item.id,
                "shows": check_words(item.id),
                "verdict": item.verdict,
                "evidence": list(item.evidence),
                "seconds": round(item.seconds, 3),
            }
            for item in found.results
        ],
        "clauses": [
            {
                "rule": rule.name,
                "clause": item.clause,
                "words": item.words,
                "kind": item.kind,
                "tests": list(item.tests),
                "verdict": found.clause_verdict(item),
                "note": item.note,
                "wording_checked": item.checked,
                "section": item.place,
            }
            for rule in rules()
            for item in rule.clauses
        ],
        "duties": list(duties()),
    }
