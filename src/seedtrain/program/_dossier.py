"""The dossier: one page from the need to the released batch, every figure with the stage or event that it is from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import seedtrain
from seedtrain.base import translate as _
from seedtrain.program._design_stages import DesignStages
from seedtrain.program._directory import Program
from seedtrain.program._dossier_batch import batch_section
from seedtrain.program._dossier_campaign import campaign_section
from seedtrain.program._dossier_case import Case
from seedtrain.program._dossier_design import bench_blocks, gene_blocks, strain_blocks
from seedtrain.program._dossier_gap import gap_blocks
from seedtrain.program._dossier_scale import economics_section, scale_section
from seedtrain.program._dossier_sheets import certificate_section, record_appendix
from seedtrain.program._dossier_summary import summary_blocks
from seedtrain.program._dossier_trace import trace_section
from seedtrain.program._engine import StageResult
from seedtrain.record import Ledger, moment
from seedtrain.report import Block, Page


def dossier_page(
    program: Program,
    design: DesignStages,
    results: Mapping[str, StageResult],
    ledger: Ledger,
    changed: Mapping[str, Any] | None = None,
) -> Page:
    """The dossier of a finished program, in the language in use.

    - `results`: every stage by name, the gap included. `ledger`: that in which the batch is recorded. `changed`: what
      is other than at the results before these.

    The mark stands on every page where anything in the batch is simulated.
    """
    case = Case(program, design, results, ledger, changed)
    need = program.need.entry
    decided = case.record.decision
    return Page(
        title=need.title,
        subtitle=_("From the need to the released batch: what the process makes, what it costs, and what it lacks."),
        label=_("Product dossier"),
        mark=_("simulated batch, not for use") if case.record.simulated else "",
        facts=tuple((term, text) for term, text in _facts(case) if text),
        blocks=tuple(_blocks(case)),
        date=moment(decided.occurred_at if decided else case.record.header.created_at).date(),
    )


def _facts(case: Case) -> Iterator[tuple[str, str]]:
    need, recipe = case.program.need.entry, case.program.recipe
    yield _("Company"), need.company
    yield _("Program"), need.need
    yield _("Product"), case.program.protein.name
    yield _("Batch"), case.batch
    yield _("Scales"), ", ".join(result.unit for result in case.scales)
    yield _("Recipe"), _("{name}, version {version}").format(name=recipe.name, version=recipe.version)
    yield _("Recipe digest"), recipe.digest
    yield _("Made by"), f"Seedtrain {seedtrain.__version__}"


def _blocks(case: Case) -> Iterator[Block]:
    yield from summary_blocks(case)
    yield from gap_blocks(case)
    yield from campaign_section(case)
    yield from economics_section(case)
    yield from scale_section(case)
    yield from batch_section(case)
    yield from certificate_section(case)
    yield from gene_blocks(case)
    yield from strain_blocks(case)
    yield from bench_blocks(case)
    yield from trace_section(case)
    yield from record_appendix(case)
