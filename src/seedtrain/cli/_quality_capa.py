"""`seedtrain quality capa`: corrective and preventive actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from seedtrain.cli._arguments import CapaName
from seedtrain.cli._common import Common
from seedtrain.cli._quality_shared import listed, signed
from seedtrain.cli._quality_words import capa_lines
from seedtrain.cli._signing import RecordUrl, Signer

if TYPE_CHECKING:
    from seedtrain.gmp import Capa
    from seedtrain.record import Ledger

app = App(name="capa", help="Corrective and preventive actions, with owner, due date and effectiveness check.")


@app.command(name="open")
def open_(
    title: str,
    *,
    cause: str,
    criterion: str,
    check_due: Annotated[str, Parameter(help="When the effect is judged, year-month-day.")],
    source: Annotated[
        list[str] | None,
        Parameter(
            negative="", help="What it follows from: a case by name, or complaint:TEXT, audit:TEXT ...; repeat it."
        ),
    ] = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Open a CAPA; prints its name.

    Example: seedtrain quality capa open valve --cause wear --criterion "no case" --check-due 2027-01-31 --as person-6

    Parameters
    ----------
    title
        What it is about.
    cause
        The root cause.
    criterion
        How its effect will be judged.
    """
    from seedtrain.gmp import open_capa

    def act(ledger: Ledger, actor: str) -> Capa:
        return open_capa(
            ledger, title, actor, cause=cause, criterion=criterion, check_due=check_due, sources=source or ()
        )

    return signed(signer, record, common, act, capa_lines)


@app.command
def action(
    capa: CapaName,
    words: str,
    *,
    kind: Literal["corrective", "preventive"],
    owner: Annotated[str, Parameter(help="Who does it: an identity.")],
    due: Annotated[str, Parameter(help="By when, year-month-day.")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Add an action to the plan.

    Example: seedtrain quality capa action CAPA-001 "new valve" --kind corrective --owner person-9 --due 2026-12-01
    --as person-6

    Parameters
    ----------
    words
        What is to be done.
    """
    from seedtrain.gmp import add_action

    return signed(
        signer,
        record,
        common,
        lambda ledger, actor: add_action(ledger, capa, actor, kind=kind, words=words, owner=owner, due=due),
        capa_lines,
    )


@app.command
def approve(capa: CapaName, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Approve the plan: quality, and neither who opened it nor an owner.

    Example: seedtrain quality capa approve CAPA-001 --as person-7
    """
    from seedtrain.gmp import approve_capa

    return signed(signer, record, common, lambda ledger, actor: approve_capa(ledger, capa, actor), capa_lines)


@app.command
def done(
    capa: CapaName,
    number: int,
    *,
    evidence: str,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Say that an action is done, and where that can be seen: its owner.

    Example: seedtrain quality capa done CAPA-001 1 --evidence "work order 4711" --as person-9

    Parameters
    ----------
    number
        Which action: 1, 2 and so on.
    evidence
        Where it can be seen.
    """
    from seedtrain.gmp import finish_action

    return signed(
        *(signer, record, common),
        lambda ledger, actor: finish_action(ledger, capa, number, evidence, actor),
        capa_lines,
    )


@app.command
def check(
    capa: CapaName,
    *,
    effective: Annotated[bool, Parameter(negative="--ineffective", help="Whether the criterion is met.")],
    evidence: str,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Judge the effect by the criterion that was set at the beginning.

    Example: seedtrain quality capa check CAPA-001 --effective --evidence "12 batches without a case" --as person-6

    Parameters
    ----------
    evidence
        What was seen.
    """
    from seedtrain.gmp import check_effect

    return signed(
        signer,
        record,
        common,
        lambda ledger, actor: check_effect(ledger, capa, actor, effective=effective, evidence=evidence),
        capa_lines,
    )


@app.command
def close(capa: CapaName, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Close an effective CAPA: quality, and neither who opened it nor an owner.

    Example: seedtrain quality capa close CAPA-001 --as person-7
    """
    from seedtrain.gmp import close_capa

    return signed(signer, record, common, lambda ledger, actor: close_capa(ledger, capa, actor), capa_lines)


@app.command(name="list")
def list_(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every CAPA with its state and actions.

    Example: seedtrain quality capa list --record record.db
    """
    from seedtrain.gmp import all_capas

    return listed(
        record, common, all_capas, lambda rows, names: (line for item in rows for line in capa_lines(item, names))
    )
