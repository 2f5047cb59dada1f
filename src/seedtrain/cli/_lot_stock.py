"""`seedtrain lot`: what happens to the amount of a lot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.cli._acted import acted
from seedtrain.cli._arguments import LotName
from seedtrain.cli._common import Common
from seedtrain.cli._lot import Reason, app
from seedtrain.cli._signing import RecordUrl, Signer

if TYPE_CHECKING:
    from seedtrain.record import Ledger

Quantity = Annotated[str, Parameter(help="How much, with its unit: '1.5 kg'; a bare number is pieces.")]
Reference = Annotated[
    str, Parameter(help="A ticket or document: tells two movements of one amount apart; the same again adds nothing.")
]


@app.command
def split(
    lot: LotName,
    *,
    part: Annotated[list[str], Parameter(negative="", help="NEW-ID=QUANTITY, with @PLACE where it goes; repeat it.")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Give parts of a lot ids of their own, each with its own status from then on; the rest remains.

    Example: seedtrain lot split S-1 --part "S-1a=5 kg" --part "S-1b=2 kg@cold room" --as person-2 --record record.db
    """
    from seedtrain.gmp import Part, split_lot

    parts = []
    for item in part:
        name, equals, rest = item.partition("=")
        quantity, _at, place = rest.partition("@")
        if not equals:
            raise InputError(f"{item!r} is not NEW-ID=QUANTITY", remedy="Write it like 'S-1a=5 kg'.")
        parts.append(Part(name.strip(), *_amount(quantity), place.strip()))

    def act(ledger: Ledger, actor: str) -> None:
        split_lot(ledger, lot, parts, actor)

    return _moved(signer, record, common, act, lot, {"parts": [item.lot for item in parts]})


@app.command
def merge(
    lots: Annotated[list[str], Parameter(negative="")],
    *,
    into: Annotated[str, Parameter(help="The id of the new lot.")],
    location: Annotated[str, Parameter(help="Where it stands.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Put all that remains of several lots of one material together under a new id.

    Example: seedtrain lot merge S-1a S-2 --into S-M1 --as person-2 --record record.db

    Parameters
    ----------
    lots
        Their ids.
    """
    from seedtrain.gmp import merge_lots

    def act(ledger: Ledger, actor: str) -> None:
        merge_lots(ledger, lots, into, actor, location=location)

    return _moved(signer, record, common, act, into, {"from": lots})


@app.command
def move(
    lot: LotName,
    location: str,
    *,
    container: Annotated[str, Parameter(help="The box or shipper that it is put in (an SSCC, or our id).")] = "",
    logger: Annotated[str, Parameter(help="The temperature logger that goes with it.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record where a lot stands now.

    Example: seedtrain lot move S-1 "cold room, shelf 2" --as person-2 --record record.db

    Parameters
    ----------
    location
        The place (a GLN, or our name of it).
    """
    from seedtrain.gmp import move_lot

    def act(ledger: Ledger, actor: str) -> None:
        move_lot(ledger, lot, location, actor, container=container, logger=logger)

    return _moved(signer, record, common, act, lot, {"location": location})


@app.command
def consume(
    lot: LotName,
    quantity: str,
    *,
    batch: Annotated[str, Parameter(help="The batch that uses it.")],
    reference: Reference = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record the use of an amount of a lot in a batch; more than remains, or a lot that may not be used, is refused.

    Example: seedtrain lot consume S-1 "1.5 kg" --batch B-7 --reference W-118 --as person-2 --record record.db

    Parameters
    ----------
    quantity
        How much.
    """
    from seedtrain.gmp import consume_lot

    def act(ledger: Ledger, actor: str) -> None:
        consume_lot(ledger, lot, *_amount(quantity), batch, actor, reference=reference)

    return _moved(signer, record, common, act, lot, {"batch": batch}, option="--reference")


@app.command(name="correct-consumption")
def correct_use(
    lot: LotName,
    quantity: str,
    *,
    batch: Annotated[str, Parameter(help="The batch that used it.")],
    reason: Reason,
    was: Annotated[str, Parameter(help="The amount that is wrong, where the lot was weighed more than once.")] = "",
    reference: Annotated[str, Parameter(help="Or the number of its ticket.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Put right how much of a lot went into a batch; the first amount stays in sight, the phase is signed for anew.

    Example: seedtrain lot correct-consumption S-1 "1.4 kg" --batch B-7 --reason "tare not taken" --as person-2

    Parameters
    ----------
    quantity
        How much it was.
    """
    from seedtrain.gmp import correct_consumption

    def act(ledger: Ledger, actor: str) -> None:
        before = _amount(was) if was else None
        correct_consumption(
            *(ledger, lot, batch, *_amount(quantity), actor), reason=reason, was=before, reference=reference
        )

    return _moved(signer, record, common, act, lot, {"batch": batch})


@app.command
def discard(
    lot: LotName,
    quantity: str,
    *,
    reason: Reason,
    reference: Reference = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record that an amount of a lot was destroyed or sent back.

    Example: seedtrain lot discard S-1 "200 g" --reason "spilt, swept up and burnt" --as person-2 --record record.db

    Parameters
    ----------
    quantity
        How much.
    """
    from seedtrain.gmp import discard_lot

    def act(ledger: Ledger, actor: str) -> None:
        discard_lot(ledger, lot, *_amount(quantity), reason, actor, reference=reference)

    return _moved(signer, record, common, act, lot, {"reason": reason}, option="--reference")


@app.command
def ship(
    lot: LotName,
    quantity: str,
    *,
    to: Annotated[str, Parameter(help="The consignee with the address (or a GLN).")],
    document: Reference = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record what went to whom; a lot that may not be used is not shipped.

    Example: seedtrain lot ship P-9 "40 g" --to "City Clinic, 1 Long Road" --document DN-55 --as person-2

    Parameters
    ----------
    quantity
        How much.
    """
    from seedtrain.gmp import ship_lot

    def act(ledger: Ledger, actor: str) -> None:
        ship_lot(ledger, lot, *_amount(quantity), to, actor, document=document)

    return _moved(signer, record, common, act, lot, {"to": to, "document": document}, option="--document")


def _amount(text: str) -> tuple[str, str]:
    """An amount with its unit as the exact texts of both."""
    from seedtrain.gmp import split_amount

    return split_amount(text)


def _moved(
    signer: Signer,
    record: str | None,
    common: Common | None,
    act: Callable[[Ledger, str], object],
    lot: str,
    more: dict[str, Any],
    *,
    option: str = "",
) -> int:
    """Sign in, act, and say what is left of the lot; `option` tells two movements of one amount apart."""

    def take(ledger: Ledger, actor: str) -> dict[str, Any]:
        from seedtrain.gmp import lot_book, plain_text

        head = ledger.head
        act(ledger, actor)
        with lot_book(ledger) as book:
            stock = book.stock(lot)
        remaining = "" if stock is None else plain_text(stock.remaining)
        unit = "" if stock is None else stock.unit
        return {"lot": lot, "remaining": remaining, "unit": unit, "fresh": ledger.head != head, **more}

    def tell(said: dict[str, Any]) -> Iterator[str]:
        if not said["fresh"]:
            words = _("recorded before, nothing was added; {option} tells another movement of this amount apart")
            yield words.format(option=option) if option else _("recorded like this already, nothing was added")
        yield _("{lot}: {remaining} {unit} left").format(**said)

    return acted(signer, record, common, take, tell)
