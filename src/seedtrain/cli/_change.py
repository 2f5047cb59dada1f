"""`seedtrain change`: change control. What changes and why, its impact, who approved it, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Signer, open_record, signing

if TYPE_CHECKING:
    from seedtrain.gmp import ChangeRequest
    from seedtrain.record import Ledger

app = App(name="change", help="Change control: ask for a change, assess, approve, implement and close it.")
Kind = Literal["recipe", "specification", "equipment", "method"]
Risk = Literal["low", "medium", "high"]


@app.command(name="open")
def open_(
    kind: Kind,
    about: str,
    *,
    proposal: str,
    reason: str,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Ask for a change; prints the identity that it has from now on.

    Example: seedtrain change open recipe collagen --proposal "feed to 14 mL/L/h" --reason "report 12" --as person-2

    Parameters
    ----------
    kind
        What changes.
    about
        Which one: the name of the recipe, specification or method, or the identity of the equipment.
    proposal
        What is to be different.
    reason
        Why.
    """
    from seedtrain.gmp import open_change

    return _signed(
        signer,
        record,
        common,
        lambda ledger, actor: open_change(ledger, actor, kind, about, proposal=proposal, reason=reason),
    )


@app.command
def assess(
    change: str,
    *,
    impact: str,
    risk: Risk,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Say what the change means for product, process and registration; several people may, each for their field.

    Example: seedtrain change assess CC-1 --impact "yield +3 %, no new impurity" --risk low --as person-3

    Parameters
    ----------
    change
        The change request, such as CC-1.
    impact
        What it means.
    risk
        How large the risk is.
    """
    from seedtrain.gmp import assess_change

    return _signed(
        signer, record, common, lambda ledger, actor: assess_change(ledger, change, actor, impact=impact, risk=risk)
    )


@app.command
def approve(
    change: str,
    *,
    comment: str,
    reject: Annotated[bool, Parameter(negative="", help="Turn it down; the comment says why.")] = False,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Approve an assessed change, or turn it down: quality, and another person than who asked for it.

    Example: seedtrain change approve CC-1 --comment "as assessed" --as person-4 --record record.db

    Parameters
    ----------
    change
        The change request, such as CC-1.
    comment
        The decision's grounds.
    """
    from seedtrain.gmp import approve_change

    return _signed(
        signer,
        record,
        common,
        lambda ledger, actor: approve_change(ledger, change, actor, comment=comment, approve=not reject),
    )


@app.command
def implement(change: str, *, done: str, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Say what was done; for a recipe, once a version is effective under the change.

    Example: seedtrain change implement CC-1 --done "collagen@2 effective, operators trained" --as person-2

    Parameters
    ----------
    change
        The change request, such as CC-1.
    done
        What was done.
    """
    from seedtrain.gmp import implement_change

    return _signed(signer, record, common, lambda ledger, actor: implement_change(ledger, change, actor, done=done))


@app.command
def close(change: str, *, outcome: str, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Close an implemented change: its aim was met and nothing suffered; quality, and not who implemented it.

    Example: seedtrain change close CC-1 --outcome "three batches in trend" --as person-4 --record record.db

    Parameters
    ----------
    change
        The change request, such as CC-1.
    outcome
        What came of it.
    """
    from seedtrain.gmp import close_change

    return _signed(signer, record, common, lambda ledger, actor: close_change(ledger, change, actor, outcome=outcome))


@app.command(name="list")
def list_changes(
    *,
    unfinished: Annotated[bool, Parameter(negative="", help="Only those that are neither closed nor refused.")] = False,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Every change request: what, why, how far, and the recipe versions that it made effective.

    Example: seedtrain change list --unfinished --record record.db
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import change_requests

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        found = [item for item in change_requests(ledger) if not unfinished or item.state not in ("closed", "rejected")]
        if options.json:
            print_json([asdict(item) for item in found])
        else:
            for item in found:
                print("\n".join(_lines(item)))
    return EXIT_DONE


def _signed(
    signer: Signer, record: str | None, common: Common | None, take: Callable[[Ledger, str], ChangeRequest]
) -> int:
    from seedtrain.base import use_language

    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer) as actor:
        found = take(ledger, actor)
        if options.json:
            print_json(asdict(found))
        else:
            print(_lines(found)[0])
    return EXIT_DONE


def _lines(item: ChangeRequest) -> list[str]:
    from seedtrain.gmp import change_words

    told = [f"{item.change:<8} {change_words(item.state):<12} {item.kind} {item.about}: {item.proposal}"]
    told.append("  " + _("reason: {words}").format(words=item.reason))
    for found in item.assessments:
        told.append("  " + _("impact, risk {risk}: {words}").format(risk=found.risk, words=found.impact))
    for digest in item.made:
        told.append("  " + _("made effective: {digest}").format(digest=digest[:16]))
    if item.outcome:
        told.append("  " + _("outcome: {words}").format(words=item.outcome))
    return told
