"""The certificate of analysis as plain data for print: what was tested, against what, and what quality decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seedtrain.base import translate as _
from seedtrain.gmp._batch._judged_lines import DecisionLine
from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.gmp._documents._print import Sheet
from seedtrain.gmp._quality._oos import Investigation
from seedtrain.gmp._quality._reportable import reportable
from seedtrain.quality import Specification, Verdict, judge, verdict_words


@dataclass(frozen=True)
class CertificateLine:
    """One test; `verdict` is pass, fail or inconclusive (no valid result)."""

    attribute: str
    method: str
    limit: str
    result: str
    verdict: str


@dataclass(frozen=True)
class Certificate:
    """A certificate of analysis (ICH Q7, 11.4). `released` only where quality released the batch and signed.

    - `simulated`: the batch was never made; to be printed on every page.
    """

    batch: str
    product: str
    amount: str
    recipe: str
    recipe_digest: str
    unit: str
    volume: str
    simulated: bool
    lines: tuple[CertificateLine, ...]
    verdict: Verdict
    decision: DecisionLine | None

    @property
    def released(self) -> bool:
        """Whether the batch is released."""
        return self.decision is not None and self.decision.decision == "released" and self.decision.signed


def certificate(record: BatchRecord, specification: Specification, found: Sequence[Investigation] = ()) -> Certificate:
    """What was tested, by which method, against which limit, with what result, and what quality decided.

    - `found`: the investigations of the batch, by which an out-of-specification result counts or does not.
    """
    verdict = judge(specification, reportable(record, found))
    lines = []
    for line in specification.lines:
        mine = [item for item in verdict.criteria if item.name == line.attribute]
        worst = max((item.verdict for item in mine), key=("pass", "inconclusive", "fail").index)
        result = "; ".join("-" if item.value is None else str(item.value) for item in mine)
        lines.append(CertificateLine(line.attribute, line.method, line.limit.text, result, worst))
    header = record.header
    return Certificate(
        batch=record.batch,
        product=record.material,
        amount=record.amount,
        recipe=header.recipe,
        recipe_digest=header.recipe_digest,
        unit=header.unit,
        volume=header.volume,
        simulated=record.simulated,
        lines=tuple(lines),
        verdict=verdict,
        decision=record.decision,
    )


def certificate_sheet(found: Certificate) -> Sheet:
    """The tests of a certificate as a table."""
    columns = (_("Attribute"), _("Method"), _("Limit"), _("Result"), _("Verdict"))
    rows = tuple(
        (item.attribute, item.method, item.limit, item.result, verdict_words(item.verdict)) for item in found.lines
    )
    return Sheet("certificate", _("Certificate of analysis"), columns, rows)
