"""`seedtrain lot`: what quality decides: tests, status, holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE, EXIT_FAIL, EXIT_INCONCLUSIVE
from seedtrain.base import translate as _
from seedtrain.cli._acted import acted
from seedtrain.cli._arguments import LotName
from seedtrain.cli._common import Common
from seedtrain.cli._lot import Reason, app
from seedtrain.cli._signing import RecordUrl, Signer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedtrain.gmp import HoldOrder
    from seedtrain.record import Event, Ledger


@app.command
def status(
    lot: LotName,
    to: Literal["quarantined", "released", "rejected"],
    *,
    reason: Reason,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Quality releases, quarantines or rejects a lot; what a quarantined or rejected one went into goes on hold.

    Example: seedtrain lot status S-1 released --reason "tested, report R-7" --as person-3 --record record.db

    Parameters
    ----------
    to
        The status that it gets.
    """
    from seedtrain.gmp import change_lot_status, lot_book, status_words

    def act(ledger: Ledger, actor: str) -> dict[str, Any]:
        events = change_lot_status(ledger, lot, to, reason, actor)
        with lot_book(ledger) as book:
            held = [line.lot for line in book.where_used(lot)[1:]] if events and to != "released" else []
        return {"lot": lot, "status": to, "changed": bool(events), "held": held}

    def tell(found: dict[str, Any]) -> list[str]:
        said = _("{lot} is {status}").format(lot=lot, status=status_words(to))
        held = found["held"]
        return [said + (_("; on hold with it: {lots}").format(lots=", ".join(held)) if held else "")]

    return acted(signer, record, common, act, tell)


@app.command(name="test")
def record_test(
    lot: LotName,
    attribute: str,
    value: str,
    *,
    limit: Annotated[str, Parameter(help="Its limit: '>= 98 %', '= conforms'.")],
    method: Annotated[str, Parameter(help="By which method.")],
    sample: Annotated[str, Parameter(help="Which sample; a result stands for ever under it.")],
    invalid: Annotated[bool, Parameter(negative="", help="The test itself failed and says nothing.")] = False,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record the result of a test on a received lot; one out of specification holds everything downstream (exit 1).

    Example: seedtrain lot test S-1 identity conforms --limit "= conforms" --method FTIR --sample Q-1 --as person-4

    Parameters
    ----------
    attribute
        What was tested; `identity` must conform before a lot is released.
    value
        What was found: a number with its unit, or a word.
    """
    from seedtrain.gmp import record_lot_test, result_words
    from seedtrain.quality import Limit
    from seedtrain.quantity import parse

    found = value if Limit.parse(limit).word else parse(value)
    codes = {"conforms": EXIT_DONE, "oos": EXIT_FAIL}

    def act(ledger: Ledger, actor: str) -> Event:
        return record_lot_test(ledger, lot, attribute, found, limit, method, actor, sample=sample, valid=not invalid)

    def tell(event: Event) -> list[str]:
        told = event.payload
        return [f"{lot}  {attribute}  {told['reported']}  {result_words(str(told['state']))}"]

    return acted(
        *(signer, record, common, act, tell),
        data=lambda event: {"lot": lot, "test": event.id, **event.payload},
        code=lambda event: codes.get(str(event.payload["state"]), EXIT_INCONCLUSIVE),
    )


@app.command(name="invalidate-test")
def invalidate_test(
    lot: LotName, test: str, *, reason: Reason, signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Quality declares a test invalid after an investigation; the result stays in the record.

    Example: seedtrain lot invalidate-test S-1 6f0c... --reason "wrong dilution, I-4" --as person-3 --record record.db

    Parameters
    ----------
    test
        The id of the test: seedtrain lot show LOT --json.
    """
    from seedtrain.gmp import invalidate_lot_test

    return acted(
        *(signer, record, common),
        lambda ledger, actor: invalidate_lot_test(ledger, lot, test, reason, actor),
        lambda _event: [_("{lot}: the test is invalid").format(lot=lot)],
        data=lambda event: {"lot": lot, "test": test, "seq": event.seq},
    )


@app.command
def hold(
    lot: str,
    *,
    reason: Reason,
    cause: Annotated[
        str, Parameter(help="What it hangs on, such as a certificate's id; the reason if not given.")
    ] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Put a lot, and everything that it went into, on hold, and show the trace.

    Example: seedtrain lot hold S-1 --reason "supplier's letter of 3 May" --as person-3 --record record.db

    Parameters
    ----------
    lot
        The lot in doubt.
    """
    from seedtrain.gmp import authorise, hold_downstream

    def act(ledger: Ledger, actor: str) -> HoldOrder:
        authorise(ledger, actor, "lot.decide")
        return hold_downstream(ledger, lot, reason, actor, cause=cause)

    def tell(order: HoldOrder) -> Iterator[str]:
        words = _("{hold}: {count} lots and batches are on hold, {fresh} of them now")
        yield words.format(hold=order.hold, count=len(order.lots), fresh=order.fresh)
        yield from (f"{'  ' * line.depth}{line.lot}  {line.material}" for line in order.lots)

    def data(order: HoldOrder) -> dict[str, Any]:
        names = ("lot", "material", "depth", "into")
        lots = [{name: getattr(line, name) for name in names} for line in order.lots]
        return {"hold": order.hold, "root": lot, "lots": lots, "fresh": order.fresh}

    return acted(signer, record, common, act, tell, data=data)


@app.command
def lift(
    hold: str,
    *,
    reason: Reason,
    lot: Annotated[list[str] | None, Parameter(negative="", help="Only this lot; repeat it for more.")] = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Quality ends a hold, on all that it holds or on single lots.

    Example: seedtrain lot lift H-5c1f0a2b3d4e --reason "certificate renewed" --as person-3 --record record.db

    Parameters
    ----------
    hold
        Its id.
    """
    from seedtrain.gmp import lift_hold

    return acted(
        *(signer, record, common),
        lambda ledger, actor: lift_hold(ledger, hold, reason, actor, lots=lot),
        lambda lots: [_("{hold} is lifted from: {lots}").format(hold=hold, lots=", ".join(lots))],
        data=lambda lots: {"hold": hold, "lots": list(lots)},
    )
