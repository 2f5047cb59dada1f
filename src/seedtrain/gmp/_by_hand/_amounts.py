"""An amount of a lot that was recorded wrongly is put right: with a reason, signed, the first one in sight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._batch._record import BatchRecord, batch_record
from seedtrain.gmp._by_hand._desk import Act, Desk, act
from seedtrain.gmp._by_hand._remarks import calculated_anew
from seedtrain.gmp._by_hand._values import Figures
from seedtrain.gmp._lots._amounts import amount_in, plain_text, read_amount
from seedtrain.gmp._lots._book import lot_book
from seedtrain.gmp._lots._holds import at_head
from seedtrain.gmp._permit import EXECUTE
from seedtrain.gmp._quality._results import must_be_undecided
from seedtrain.record import Draft, Event, Ledger, append_signed

CORRECTED: Final = "lot.consumption_corrected"
Correct = Callable[[], Draft | None]


@dataclass(frozen=True)
class Used:
    """A use of a lot in a batch as it counts now; `fixes`: how often it was corrected."""

    event: Event
    amount: str
    fixes: int

    @property
    def unit(self) -> str:
        """The unit in which it was recorded."""
        return str(self.event.payload["unit"])

    @property
    def words(self) -> str:
        """For an error: the amount, and the ticket where there is one."""
        ticket = str(self.event.payload.get("reference", ""))
        return f"{self.amount} {self.unit}".rstrip() + (f" ({ticket})" if ticket else "")


def correct_consumption(
    ledger: Ledger,
    lot: str,
    batch: str,
    amount: str,
    unit: str,
    actor: str,
    *,
    reason: str,
    was: tuple[str, str] | None = None,
    reference: str = "",
    at: datetime | None = None,
) -> Event | None:
    """Put right how much of a lot went into a batch, with a reason and signed; the first amount stays in the record.

    - `amount`, `unit`: what is right. `reference`: of which weighing; `was`: amount and unit of it as they count now,
      where the lot was weighed more than once.

    The stock is reckoned anew, and so is what the recipe calculates from it; whoever signed for the phase does it
    again; an amount that was out of its tolerance stays an excursion. None where it is so already. Raises `InputError`
    for an amount that the lot has not, and for a batch that is decided.
    """
    authorise(ledger, actor, EXECUTE)
    if not reason.strip():
        raise InputError("a correction has no reason", remedy="Say why: --reason TEXT (21 CFR 11.10(e)).")

    def correction() -> Draft | None:
        used = _meant(uses_of(ledger, batch, lot), lot, batch, was, reference)
        text = _right(ledger, lot, used, amount, unit)
        if Decimal(text) == Decimal(used.amount):
            return None
        names = ("lot", "material", "phase")
        payload = {name: used.event.payload.get(name, "") for name in names}
        payload |= {"amount": text, "unit": used.unit, "before": used.amount}
        identity = digest([CORRECTED, used.event.id, used.fixes])[:32]
        return Draft(CORRECTED, batch, payload, actor, at, reason=reason.strip(), corrects=used.event.id, id=identity)

    created = next(iter(ledger.events(subject=batch, type="batch.created")), None)
    if created is not None and batch_record([created], batch).header.manual:
        return _in_a_batch(ledger, batch, actor, correction, at)

    def decide(head: int) -> Event | None:
        if created is not None:
            must_be_undecided(batch_record(ledger.events(subject=batch), batch), "a correction")
        draft = correction()
        return None if draft is None else append_signed(ledger, draft, "correction", at_head=head)[0]

    return at_head(ledger, decide)


def uses_of(ledger: Ledger, batch: str, lot: str) -> tuple[Used, ...]:
    """Every use of a lot in a batch, in order, each with the amount that counts."""
    found: dict[str, Used] = {}
    for event in ledger.events(subject=batch):
        if event.type == "lot.consumed" and event.payload["lot"] == lot:
            found[event.id] = Used(event, str(event.payload["amount"]), 0)
        elif event.type == CORRECTED and event.corrects in found:
            known = found[str(event.corrects)]
            found[str(event.corrects)] = replace(known, amount=str(event.payload["amount"]), fixes=known.fixes + 1)
    return tuple(found.values())


def _meant(uses: Sequence[Used], lot: str, batch: str, was: tuple[str, str] | None, reference: str) -> Used:
    """The one use that is meant; an error that lists them where it is none or several."""
    if not uses:
        raise InputError(f"no use of lot {lot} in {batch} is recorded", remedy=f"See: seedtrain lot show {lot} --json.")
    found = [item for item in uses if reference in ("", item.event.payload.get("reference", ""))]
    if was is not None:
        found = [item for item in found if amount_in(*was, item.unit) == Decimal(item.amount)]
    if len(found) != 1:
        raise InputError(
            f"{'none' if not found else len(found)} of the uses of lot {lot} in {batch} is meant: "
            f"{', '.join(item.words for item in uses)}",
            remedy="Say which: --was and its amount, or --reference and the number of its ticket.",
        )
    return found[0]


def _right(ledger: Ledger, lot: str, used: Used, amount: str, unit: str) -> str:
    """The new amount in the unit of the first, if the lot has that much."""
    number = amount_in(plain_text(read_amount(amount, unit)), unit, used.unit)
    if number is None:
        raise InputError(
            f"{amount} {unit} does not convert to {used.unit or 'pieces'}, in which it was recorded",
            remedy=f"Give it in {used.unit or 'pieces'}.",
        )
    with lot_book(ledger) as book:
        stock = book.stock(lot)
    if stock is not None:
        free = amount_in(used.amount, used.unit, stock.unit)
        wanted = amount_in(plain_text(number), used.unit, stock.unit)
        if free is not None and wanted is not None and wanted > stock.remaining + free:
            left = plain_text(stock.remaining + free)
            raise InputError(
                f"lot {lot} had {left} {stock.unit} left, and {amount} {unit} is said to be right".replace("  ", " "),
                remedy="Check the weighing; count the stock.",
            )
    return plain_text(number)


def _in_a_batch(ledger: Ledger, batch: str, actor: str, correction: Correct, at: datetime | None) -> Event | None:
    """The same in a batch that people run: what the recipe calculates from the amount is calculated anew with it."""
    made: list[Draft] = []

    def do(desk: Desk) -> Act:
        desk.must_be_open()
        draft = correction()
        if draft is None:
            return Act()
        figures = Figures(_with(desk.record, draft), desk.control.recipe)
        again = list(calculated_anew(desk, figures, f"amount of {draft.payload['lot']} corrected: {draft.reason}"))
        made[:] = [draft]
        return Act([*again, draft], f"correction: {draft.payload['phase']}")

    act(ledger, batch, actor, do, at=at)
    return ledger.find(str(made[0].id)) if made else None


def _with(record: BatchRecord, draft: Draft) -> BatchRecord:
    """The record as it reads with the amount that is right."""
    lines = tuple(
        replace(item, amount=str(draft.payload["amount"])) if item.id == draft.corrects else item
        for item in record.consumed
    )
    return replace(record, consumed=lines)
