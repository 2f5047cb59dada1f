"""Traceability in the dossier: inputs, stages with their digests, the ledger, and the versions that made it."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import seedtrain
from seedtrain.base import digest
from seedtrain.base import translate as _
from seedtrain.program._dossier_case import Case
from seedtrain.program._dossier_words import stage_words
from seedtrain.program._engine import code_digest
from seedtrain.report import Block, Cell, Column, Definitions, Heading, Paragraph, Table


def trace_section(case: Case) -> Iterator[Block]:
    """From every figure back to a stage or an event, and from there to the files that the user wrote."""
    yield Heading(_("Traceability"))
    yield Paragraph(
        _(
            "Every table and figure names the stage or the events that it is from. A stage is kept under a key, the "
            "digest of all that goes into it; its result has a digest of its own. The same inputs give the same "
            "results."
        )
    )
    yield _stages(case)
    yield _inputs(case)
    head = case.ledger.head
    own = sum(event.subject == case.batch for event in case.events)
    yield Definitions(
        (
            (_("Ledger"), "out/record.db"),
            (
                _("Events"),
                _("{all} in the ledger, {own} of batch {batch}").format(
                    all=len(case.events), own=own, batch=case.batch
                ),
            ),
            (_("Head of the ledger"), f"{head.seq}: {head.digest}"),
            (_("To verify it"), "seedtrain record verify out/record.db"),
        )
    )
    yield Heading(_("Versions"))
    yield _versions(case)


def _stages(case: Case) -> Table:
    heads = (Column(_("Stage")), Column(_("Key"), width=30), Column(_("Digest of the result"), width=30))
    rows = [
        (
            Cell(stage_words(name), style="strong"),
            Cell(result.key, style="code"),
            Cell(result.digest, style="code"),
        )
        for name, result in case.results.items()
        if name != "dossier"
    ]
    return Table(heads, rows, _("Stages"), "out/stages/*/*/stage.json", small=True)


def _inputs(case: Case) -> Table:
    """The user's files by what they say."""
    program = case.program
    found = [
        (program.need.document.file, digest(program.need.document.data)),
        ("recipe.yaml", program.recipe.digest),
        (program.plant.document.file, digest(program.plant.document.data)),
        (program.need.entry.product, digest(program.protein.to_data())),
    ]
    if program.campaign is not None:
        found.append((program.campaign.document.file, digest(program.campaign.document.data)))
    if program.factors is not None:
        found.append((program.factors.name, digest(program.factors.read_text(encoding="utf-8"))))
    heads = (Column(_("File")), Column("SHA-256", width=60))
    rows = [(Path(name).name, Cell(text, style="code")) for name, text in found]
    source = _("digests of what the files say: layout and comments do not change them")
    return Table(heads, rows, _("What the user wrote"), source, small=True)


def _versions(case: Case) -> Definitions:
    versions = {"Python": platform.python_version(), "seedtrain": seedtrain.__version__}
    versions |= {name: str(text) for name, text in case.gene.checks.versions.items()}
    versions |= {name: str(text) for name, text in case.strain.versions.items() if not name.endswith("sha256")}
    versions["seedtrain"] = seedtrain.__version__
    return Definitions(
        (
            (_("Software"), ", ".join(f"{name} {text}" for name, text in sorted(versions.items()))),
            (_("Digest of the code"), code_digest()),
            (_("Metabolic model"), f"{case.strain.model}: {case.strain.versions.get('model_sha256', '–')}"),
            (_("Seed of what is random"), str(case.program.seed)),
        )
    )
