"""`seedtrain quality deviation`: opened, classified, investigated, assessed, closed by another person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from seedtrain.base import translate as _
from seedtrain.cli._arguments import BatchName, DeviationName
from seedtrain.cli._common import Common
from seedtrain.cli._quality_shared import listed, signed
from seedtrain.cli._quality_words import Names, deviation_line, deviation_lines
from seedtrain.cli._signing import RecordUrl, Signer

if TYPE_CHECKING:
    from seedtrain.gmp import Deviation
    from seedtrain.record import Ledger

app = App(name="deviation", help="Deviations: open, classify, investigate, assess, close.")


@app.command(name="open")
def open_(
    subject: str,
    words: str,
    *,
    phase: Annotated[str, Parameter(help="The phase where it happened.")] = "",
    tag: Annotated[str, Parameter(help="With the phase: the recorded excursion that it covers.")] = "",
    link: Annotated[list[str] | None, Parameter(negative="", help="Another batch or lot that it concerns.")] = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Open a deviation on a batch, a lot, or the site; prints its name.

    Example: seedtrain quality deviation open B-1 "the vial stood 20 min at room temperature" --as person-2

    Parameters
    ----------
    subject
        The batch or lot, or the word site.
    words
        What happened.
    """
    from seedtrain.gmp import raise_deviation

    return signed(
        signer,
        record,
        common,
        lambda ledger, actor: raise_deviation(ledger, subject, words, actor, phase=phase, tag=tag, linked=link or ()),
        deviation_lines,
    )


@app.command
def find(batch: BatchName, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Open a deviation for every excursion of a batch that has none.

    Example: seedtrain quality deviation find B-1 --as person-2
    """
    from seedtrain.gmp import find_deviation, open_deviations

    def act(ledger: Ledger, actor: str) -> dict[str, Any]:
        names = [str(event.payload["deviation"]) for event in open_deviations(ledger, batch, actor)]
        return {"opened": names, "cases": [find_deviation(ledger, name) for name in names]}

    def tell(found: dict[str, Any], names: Names) -> Iterator[str]:
        for item in found["cases"]:
            yield from deviation_lines(item, names)
        if not found["cases"]:
            yield _("every excursion has its deviation already")

    return signed(signer, record, common, act, tell)


@app.command
def classify(
    deviation: DeviationName,
    classification: Literal["minor", "major", "critical"],
    *,
    reason: str,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """State how grave a deviation is.

    Example: seedtrain quality deviation classify B-1-DEV-01 major --reason "may reduce viability" --as person-6

    Parameters
    ----------
    classification
        A major or critical one needs an investigation, a disposition, and a CAPA or the reason for none.
    reason
        Why.
    """
    from seedtrain.gmp import classify_deviation

    return signed(
        signer,
        record,
        common,
        lambda ledger, actor: classify_deviation(ledger, deviation, classification, reason, actor),
        deviation_lines,
    )


@app.command
def investigate(
    deviation: DeviationName,
    *,
    findings: str,
    cause: str,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record what the investigation found, and the root cause.

    Example: seedtrain quality deviation investigate B-1-DEV-01 --findings "..." --cause "valve stuck" --as person-6

    Parameters
    ----------
    findings
        What was looked at, and what was found.
    cause
        The root cause.
    """
    from seedtrain.gmp import investigate_deviation

    return signed(
        signer,
        record,
        common,
        lambda ledger, actor: investigate_deviation(ledger, deviation, findings=findings, cause=cause, actor=actor),
        deviation_lines,
    )


@app.command
def assess(
    deviation: DeviationName,
    *,
    impact: str,
    disposition: Literal["use", "rework", "hold", "reject"],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record the impact on product and patient, and what becomes of the product.

    Example: seedtrain quality deviation assess B-1-DEV-01 --impact "none" --disposition use --as person-6

    Parameters
    ----------
    impact
        On product and patient.
    disposition
        Anything but use keeps the batch back.
    """
    from seedtrain.gmp import assess_deviation

    return signed(
        signer,
        record,
        common,
        lambda ledger, actor: assess_deviation(ledger, deviation, impact=impact, disposition=disposition, actor=actor),
        deviation_lines,
    )


@app.command
def capa(
    deviation: DeviationName,
    capa: str = "",
    *,
    none_because: Annotated[str, Parameter(help="Why there is none.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Name the CAPA that follows from a deviation, or say why there is none.

    Example: seedtrain quality deviation capa B-1-DEV-01 CAPA-001 --as person-6

    Parameters
    ----------
    capa
        The CAPA.
    """
    from seedtrain.gmp import link_capa

    return signed(
        signer,
        record,
        common,
        lambda ledger, actor: link_capa(ledger, deviation, actor, capa=capa, no_capa=none_because),
        deviation_lines,
    )


@app.command
def close(
    deviation: DeviationName,
    *,
    action: str,
    impact: Annotated[str, Parameter(help="By default what was assessed.")] = "",
    cause: Annotated[str, Parameter(help="By default what the investigation found.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Close a deviation: quality, and neither who opened it, nor who ran the phase, nor who investigated.

    Example: seedtrain quality deviation close B-1-DEV-01 --action "valve replaced" --as person-7

    Parameters
    ----------
    action
        What was done.
    """
    from seedtrain.gmp import close_deviation, find_deviation

    def act(ledger: Ledger, actor: str) -> Deviation:
        subject = find_deviation(ledger, deviation).subject
        close_deviation(ledger, subject, deviation, impact=impact, cause=cause, action=action, actor=actor)
        return find_deviation(ledger, deviation)

    return signed(signer, record, common, act, deviation_lines)


@app.command(name="list")
def list_(
    *,
    open_only: Annotated[bool, Parameter(name="--open", negative="", help="Only those that are not closed.")] = False,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Every deviation, oldest first.

    Example: seedtrain quality deviation list --open --record record.db
    """
    from seedtrain.gmp import all_deviations

    def read(ledger: Ledger) -> list[Deviation]:
        return [item for item in all_deviations(ledger) if not (open_only and item.closed)]

    return listed(record, common, read, lambda rows, _names: map(deviation_line, rows))


@app.command
def show(deviation: DeviationName, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """A deviation with everything that was stated of it, who did it, and what is missing.

    Example: seedtrain quality deviation show B-1-DEV-01 --record record.db
    """
    from seedtrain.gmp import find_deviation

    return listed(record, common, lambda ledger: find_deviation(ledger, deviation), deviation_lines)
