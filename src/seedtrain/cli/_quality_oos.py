"""`seedtrain quality investigate` and `retest`: what follows from a result out of specification."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from seedtrain.cli._arguments import InvestigationName
from seedtrain.cli._common import Common
from seedtrain.cli._quality_shared import Tested, result_lines, signed, specification_of, spoken_result, state_code
from seedtrain.cli._quality_words import investigation_lines
from seedtrain.cli._signing import RecordUrl, Signer

investigate = App(name="investigate", help="Investigate a result out of specification: laboratory, full scale, end.")
retest = App(name="retest", help="Retest by a plan that was approved before.")
Conclusion = Literal["laboratory error", "confirmed", "not confirmed"]


@investigate.command
def laboratory(
    oos: InvestigationName,
    *,
    findings: str,
    error: Annotated[bool, Parameter(negative="--no-error", help="An error of the laboratory explains the result.")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Phase I: look for an error of the laboratory; not by the analyst.

    Example: seedtrain quality investigate laboratory B-1-OOS-01 --findings "standards in date" --no-error --as person-6

    Parameters
    ----------
    findings
        What was looked at, and what was found.
    """
    from seedtrain.gmp import assess_laboratory

    return signed(
        signer,
        record,
        common,
        lambda ledger, actor: assess_laboratory(ledger, oos, findings=findings, assignable=error, actor=actor),
        investigation_lines,
    )


@investigate.command
def invalidate(
    oos: InvestigationName, *, cause: str, signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Take the original test as invalid for an assignable error; it stays in the record.

    Example: seedtrain quality investigate invalidate B-1-OOS-01 --cause "pipette 7 off by 8 %" --as person-7

    Parameters
    ----------
    cause
        The error.
    """
    from seedtrain.gmp import invalidate_result

    return signed(
        *(signer, record, common),
        lambda ledger, actor: invalidate_result(ledger, oos, cause=cause, actor=actor),
        investigation_lines,
    )


@investigate.command
def full(
    oos: InvestigationName,
    *,
    findings: str,
    cause: str,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Phase II: the full-scale investigation, with the review of production.

    Example: seedtrain quality investigate full B-1-OOS-01 --findings "..." --cause "not found" --as person-6

    Parameters
    ----------
    findings
        What was looked at, and what was found.
    cause
        The cause, as far as it is known.
    """
    from seedtrain.gmp import investigate_fully

    return signed(
        signer,
        record,
        common,
        lambda ledger, actor: investigate_fully(ledger, oos, findings=findings, cause=cause, actor=actor),
        investigation_lines,
    )


@investigate.command
def close(
    oos: InvestigationName,
    *,
    conclusion: Conclusion,
    words: str,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Conclude: laboratory error, confirmed, or not confirmed (every planned retest conforms).

    Example: seedtrain quality investigate close B-1-OOS-01 --conclusion confirmed --words "..." --as person-7

    Parameters
    ----------
    words
        The reasoning.
    """
    from seedtrain.gmp import close_investigation

    return signed(
        signer,
        record,
        common,
        lambda ledger, actor: close_investigation(ledger, oos, conclusion=conclusion, words=words, actor=actor),
        investigation_lines,
    )


@retest.command
def plan(
    oos: InvestigationName,
    number: int,
    *,
    why: str,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Fix the number of retests before the first of them; it cannot be changed.

    Example: seedtrain quality retest plan B-1-OOS-01 4 --why "repeatability 1 %" --as person-6

    Parameters
    ----------
    number
        How many retests.
    why
        Why so many.
    """
    from seedtrain.gmp import plan_retest

    return signed(
        *(signer, record, common),
        lambda ledger, actor: plan_retest(ledger, oos, retests=number, why=why, actor=actor),
        investigation_lines,
    )


@retest.command
def approve(oos: InvestigationName, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Approve the plan of retests, before any of them: quality, and neither the analyst nor who planned it.

    Example: seedtrain quality retest approve B-1-OOS-01 --as person-7
    """
    from seedtrain.gmp import approve_retest

    return signed(signer, record, common, lambda ledger, actor: approve_retest(ledger, oos, actor), investigation_lines)


@retest.command(name="result")
def retest_result(
    oos: InvestigationName,
    number: int,
    value: Annotated[str, Parameter(allow_leading_hyphen=True)],
    *,
    tested: Tested | None = None,
    recipe: Annotated[Path | None, Parameter(help="The control recipe's file, if not in the ledger.")] = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record a retest of the original sample, by another analyst; every planned one is recorded, whatever it gives.

    Example: seedtrain quality retest result B-1-OOS-01 1 "96.8 %" --as person-8

    Parameters
    ----------
    number
        Which retest: 1, 2 and so on.
    value
        A number with its unit, or a word.
    """
    from seedtrain.gmp import find_investigation, record_retest

    def act(ledger: Any, actor: str) -> dict[str, Any]:
        item = find_investigation(ledger, oos)
        specification = specification_of(ledger, item.batch, recipe)
        line = specification.line(item.attribute)
        found = spoken_result(line, item.attribute, value, item.sample, item.method)
        context = tested.context() if tested else None
        event = record_retest(ledger, oos, specification, found, number, actor, context=context)
        names = ("sample", "attribute", "method", "reported", "limit", "state", "number")
        return {**{name: event.payload[name] for name in names}, "seq": event.seq}

    return signed(signer, record, common, act, result_lines, code=state_code)
