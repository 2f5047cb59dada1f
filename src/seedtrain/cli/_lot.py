"""`seedtrain lot`: what comes in, and how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.cli._acted import acted, shown
from seedtrain.cli._arguments import LotName
from seedtrain.cli._common import Common
from seedtrain.cli._lot_words import stated_lines, test_line
from seedtrain.cli._signing import RecordUrl, Signer

if TYPE_CHECKING:
    from seedtrain.gmp import Import, LotBook, LotEntry
    from seedtrain.record import Event, Ledger

app = App(name="lot", help="Receive, test, release, split, use, ship, trace, recall, label and scan lots.")
Dates = Annotated[str, Parameter(help="How dates are written: YYYY-MM-DD, DD.MM.YYYY ...")]
Reason = Annotated[str, Parameter(help="Why; it stands in the record.")]


@app.command
def receive(
    lot: str,
    *,
    material: Annotated[str, Parameter(help="What it is, as recipes name it.")],
    quantity: Annotated[str, Parameter(help="How much, with its unit: '25 kg'; a bare number is pieces.")],
    supplier: Annotated[str, Parameter(help="Who delivered it.")],
    expiry: Annotated[str, Parameter(help="The last day of use.")] = "",
    retest: Annotated[str, Parameter(help="To be tested again from this day.")] = "",
    field: Annotated[
        list[str] | None, Parameter(negative="", help="More, as NAME=TEXT: supplier_lot, storage, gtin ...; repeat it.")
    ] = None,
    dates: Dates = "YYYY-MM-DD",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Receive a delivery into quarantine; the same once more changes nothing.

    Example: seedtrain lot receive S-1 --material sugar --quantity "25 kg" --supplier Acme --expiry 2028-01-31 --as p-2

    Parameters
    ----------
    lot
        Our own id for it.
    """
    from seedtrain.gmp import read_one, receive_goods

    texts = {"lot": lot, "material": material, "quantity": quantity, "supplier": supplier}
    texts |= {"expiry": expiry, "retest": retest, **_named(field or [])}
    goods = read_one(texts, dates)

    def act(ledger: Ledger, actor: str) -> tuple[bool, list[str]]:
        return receive_goods(ledger, goods, actor), _late(ledger, [lot])

    def tell(found: tuple[bool, list[str]]) -> list[str]:
        said = _("{lot} is received, in quarantine") if found[0] else _("{lot} was received like this before")
        return [said.format(lot=lot), *found[1]]

    return acted(
        *(signer, record, common, act, tell),
        data=lambda found: {"lot": lot, "fresh": found[0], "expired": bool(found[1])},
    )


@app.command(name="import")
def import_file(
    file: Path,
    *,
    map_: Annotated[
        list[str] | None, Parameter(name="--map", negative="", help="An own head: lot=Charge; repeat it.")
    ] = None,
    skip: Annotated[list[str] | None, Parameter(negative="", help="A head to leave out; repeat it.")] = None,
    encoding: Annotated[str, Parameter(help="Of a file without a byte order mark.")] = "utf-8",
    delimiter: Annotated[str, Parameter(help="What stands between cells; found if not given.")] = "",
    dates: Dates = "YYYY-MM-DD",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Receive every lot of a CSV file into quarantine, all or none; repeating it changes nothing.

    Example: seedtrain lot import deliveries.csv --map lot=Charge --dates DD.MM.YYYY --as person-2 --record record.db

    Parameters
    ----------
    file
        Columns: lot, material, quantity, unit, supplier, expiry or retest, and more (docs/how-to/lots-and-labels.md).
    """
    from seedtrain.gmp import import_lots

    more: dict[str, Any] = {"encoding": encoding, "delimiter": delimiter, "dates": dates}
    columns = _named(map_ or [])

    def act(ledger: Ledger, actor: str) -> tuple[Import, list[str]]:
        made = import_lots(ledger, file, actor, columns=columns, skip=skip or (), **more)
        return made, _late(ledger, made.fresh)

    def tell(found: tuple[Import, list[str]]) -> list[str]:
        words = _("{fresh} lots received, in quarantine; {known} were received like this before")
        return [words.format(fresh=len(found[0].fresh), known=len(found[0].known)), *found[1]]

    return acted(
        *(signer, record, common, act, tell),
        data=lambda found: {"fresh": list(found[0].fresh), "known": list(found[0].known)},
    )


@app.command(name="list")
def list_lots(
    *,
    material: Annotated[str | None, Parameter(help="Only of this material.")] = None,
    status: Annotated[str | None, Parameter(help="Only quarantined, released, rejected, or 'on hold'.")] = None,
    location: Annotated[str | None, Parameter(help="Only what stands here.")] = None,
    expiring: Annotated[str | None, Parameter(help="Only what expires, or is to be retested, by this day.")] = None,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """The lots with status, expiry, and what remains.

    Example: seedtrain lot list --material sugar --status quarantined --record record.db
    """
    from seedtrain.gmp import lot_book, read_date

    limit = read_date(expiring) if expiring else None

    def read(ledger: Ledger) -> list[tuple[dict[str, Any], str]]:
        today = ledger.now.date()
        with lot_book(ledger) as book:
            return [
                (_row(book, item, today), item.words(today))
                for item in book.entries(material=material, location=location)
                if item.kind not in ("named", "batch") and status in (None, item.status) and _expires_by(item, limit)
            ]

    def tell(found: list[tuple[dict[str, Any], str]]) -> Iterator[str]:
        for row, words in found:
            marks = f"{words or '-':<12} {row['expiry'] or '-':<10}"
            yield f"{row['lot']:<20} {row['material']:<24} {marks} {row['remaining']:>12} {row['unit']}"
        yield _("{count} lots").format(count=len(found))

    return shown(record, common, read, tell, data=lambda found: [row for row, _words in found])


@app.command
def show(lot: LotName, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """Everything about a lot: what was stated, what became of it, tests, holds, and whether it may be used today.

    Example: seedtrain lot show S-1 --record record.db
    """
    from seedtrain.gmp import lot_book, recorded_words

    def tell(data: dict[str, Any]) -> Iterator[str]:
        yield f"{data['lot']}  {data['material']}  {data['words']}".rstrip()
        yield from stated_lines(data["stated"])
        if data["stock"]:
            words = _(
                "  {taken_in} {unit} in, {consumed} used, {discarded} discarded, {shipped} shipped, {remaining} left"
            )
            yield words.format(**data["stock"])
        yield from (test_line(item) for item in data["tests"])
        yield from (f"  ! {recorded_words(reason)}" for reason in data["faults"])

    def read(ledger: Ledger) -> dict[str, Any]:
        with lot_book(ledger) as book:
            words = book.entry(lot).words(ledger.now.date())
        return _whole(ledger, lot) | {"words": words}

    return shown(record, common, read, tell, data=lambda data: {k: v for k, v in data.items() if k != "words"})


@app.command
def amend(
    lot: LotName,
    *,
    set_: Annotated[list[str], Parameter(name="--set", negative="", help="NAME=TEXT, as in a CSV file; repeat it.")],
    reason: Reason,
    dates: Dates = "YYYY-MM-DD",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """State fields of a lot anew, with a reason; what was stated before stays in the record.

    Example: seedtrain lot amend S-1 --set retest=2027-06-01 --reason "retested, report R-9" --as person-3
    """
    from seedtrain.gmp import restate_lot

    def tell(events: tuple[Event, ...]) -> list[str]:
        said = _("{lot} is stated anew") if events else _("{lot} was stated like this already")
        return [said.format(lot=lot)]

    return acted(
        *(signer, record, common),
        lambda ledger, actor: restate_lot(ledger, lot, _named(set_), reason, actor, dates=dates),
        tell,
        data=lambda events: {"lot": lot, "changed": bool(events)},
    )


def _named(items: list[str]) -> dict[str, str]:
    """NAME=TEXT options as a mapping."""
    found: dict[str, str] = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not equals or not name.strip():
            raise InputError(f"{item!r} is not NAME=TEXT", remedy="Write it like storage='2 to 8 degC'.")
        if name.strip() in found:
            raise InputError(f"{name.strip()} is given twice", remedy="Give it once.")
        found[name.strip()] = text.strip()
    return found


def _expires_by(item: LotEntry, limit: date | None) -> bool:
    if limit is None:
        return True
    days = [item.lot.expiry] if item.lot else []
    days += [item.particulars.retest] if item.particulars.retest else []
    return any(day <= limit for day in days)


def _row(book: LotBook, item: LotEntry, today: date) -> dict[str, Any]:
    from seedtrain.gmp import plain_text

    stock = book.stock(item.id)
    return {
        "lot": item.id,
        "material": item.material,
        "kind": item.kind,
        "batch": item.batch,
        "status": item.status,
        "expiry": item.expiry,
        "expired": item.expired(today),
        "retest": item.particulars.retest.isoformat() if item.particulars.retest else "",
        "location": item.particulars.location,
        "remaining": "" if stock is None else plain_text(stock.remaining),
        "unit": "" if stock is None else stock.unit,
        "holds": list(item.holds),
    }


def _whole(ledger: Ledger, lot: str) -> dict[str, Any]:
    from dataclasses import asdict

    from seedtrain.gmp import lot_book, lot_faults, open_holds, plain_text

    with lot_book(ledger) as book:
        entry, stock, movements = book.entry(lot), book.stock(lot), book.movements(lot)
        row = _row(book, entry, ledger.now.date())
    events = list(ledger.events(subject=lot))
    sums = ("taken_in", "consumed", "discarded", "shipped", "passed_on", "remaining")
    amounts = {} if stock is None else {name: plain_text(getattr(stock, name)) for name in sums}
    stated = (
        {} if entry.lot is None else {**entry.lot.to_data(), **entry.particulars.to_data(), "status": entry.decided}
    )
    tests = [{"id": item.id, "seq": item.seq, **item.payload} for item in events if item.type == "lot.tested"]
    return row | {
        "stated": stated,
        "stock": {} if stock is None else {**amounts, "unit": stock.unit, "overdrawn": stock.overdrawn},
        "movements": [asdict(item) for item in movements],
        "tests": tests,
        "open_holds": [asdict(item) for item in open_holds(ledger, lot)],
        "faults": [] if entry.kind in ("named", "batch") else list(lot_faults(ledger, lot, ledger.now.date())),
        "events": [
            {"seq": item.seq, "type": item.type, "at": item.occurred_at, "reason": item.reason} for item in events
        ],
    }


def _late(ledger: Ledger, lots: Iterable[str]) -> list[str]:
    """A line for each lot that had expired when it was received: it can be received, and not be used."""
    from seedtrain.gmp import lot_book

    words = _("warning: {lot} expired on {day}; it stays in quarantine and cannot be used. Send it back or discard it.")
    today = ledger.now.date()
    with lot_book(ledger) as book:
        found = [book.entry(lot) for lot in lots]
    return [words.format(lot=item.id, day=item.expiry) for item in found if item.expired(today)]
