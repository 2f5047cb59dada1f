"""`seedtrain lot`: what comes in, how it stands, and what quality decides on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, EXIT_FAIL, InputError, use_language
from seedtrain.base import translate as _
from seedtrain.cli._acted import shown
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._lot_words import stated_lines, test_line
from seedtrain.cli._signing import RecordUrl, Signer, open_record, signing

if TYPE_CHECKING:
    from seedtrain.gmp import LotBook, LotEntry
    from seedtrain.record import Ledger

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
    with open_record(record, create=False) as ledger, spoken(common), signing(ledger, signer) as actor:
        fresh = receive_goods(ledger, goods, actor)
        said = _("{lot} is received, in quarantine") if fresh else _("{lot} was received like this before")
        late = _late(ledger, [lot])
        return _said(common, {"lot": lot, "fresh": fresh, "expired": bool(late)}, [said.format(lot=lot), *late])


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
    with open_record(record) as ledger, spoken(common), signing(ledger, signer) as actor:
        made = import_lots(ledger, file, actor, columns=columns, skip=skip or (), **more)
        words = _("{fresh} lots received, in quarantine; {known} were received like this before")
        said = words.format(fresh=len(made.fresh), known=len(made.known))
        return _said(
            common,
            {"fresh": list(made.fresh), "known": list(made.known)},
            [said, *_late(ledger, made.fresh)],
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

    options = common or Common()
    limit = read_date(expiring) if expiring else None
    with open_record(record, read_only=True) as ledger, lot_book(ledger) as book:
        found = [
            item
            for item in book.entries(material=material, location=location)
            if item.kind not in ("named", "batch") and status in (None, item.status) and _expires_by(item, limit)
        ]
        today = ledger.now.date()
        rows = [_row(book, item, today) for item in found]
        words = [item.words for item in found]
    if options.json:
        print_json(rows)
        return EXIT_DONE
    with use_language(options.lang):
        for row, how in zip(rows, words, strict=True):
            marks = f"{how(today) or '-':<12} {row['expiry'] or '-':<10}"
            print(f"{row['lot']:<20} {row['material']:<24} {marks} {row['remaining']:>12} {row['unit']}")
        print(_("{count} lots").format(count=len(rows)))
    return EXIT_DONE


@app.command
def show(lot: str, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """Everything about a lot: what was stated, what became of it, tests, holds, and whether it may be used today.

    Example: seedtrain lot show S-1 --record record.db

    Parameters
    ----------
    lot
        Its id.
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
def status(
    lot: str,
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
    lot
        Its id.
    to
        The status that it gets.
    """
    from seedtrain.gmp import change_lot_status, lot_book, status_words

    with open_record(record) as ledger, spoken(common), signing(ledger, signer) as actor:
        events = change_lot_status(ledger, lot, to, reason, actor)
        with lot_book(ledger) as book:
            held = [line.lot for line in book.where_used(lot)[1:]] if events and to != "released" else []
        said = _("{lot} is {status}").format(lot=lot, status=status_words(to))
        said += _("; on hold with it: {lots}").format(lots=", ".join(held)) if held else ""
        return _said(common, {"lot": lot, "status": to, "changed": bool(events), "held": held}, said)


@app.command(name="test")
def record_test(
    lot: str,
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
    lot
        Its id.
    attribute
        What was tested; `identity` must conform before a lot is released.
    value
        What was found: a number with its unit, or a word.
    """
    from seedtrain.gmp import record_lot_test, result_words
    from seedtrain.quality import Limit
    from seedtrain.quantity import parse

    found = value if Limit.parse(limit).word else parse(value)
    with open_record(record) as ledger, spoken(common), signing(ledger, signer) as actor:
        event = record_lot_test(ledger, lot, attribute, found, limit, method, actor, sample=sample, valid=not invalid)
        state = str(event.payload["state"])
        _said(
            common,
            {"lot": lot, "test": event.id, **event.payload},
            f"{lot}  {attribute}  {event.payload['reported']}  {result_words(state)}",
        )
        return {"conforms": EXIT_DONE, "oos": EXIT_FAIL, "invalid": 3}[state]


@app.command(name="invalidate-test")
def invalidate_test(
    lot: str, test: str, *, reason: Reason, signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Quality declares a test invalid after an investigation; the result stays in the record.

    Example: seedtrain lot invalidate-test S-1 6f0c... --reason "wrong dilution, I-4" --as person-3 --record record.db

    Parameters
    ----------
    lot
        Its id.
    test
        The id of the test: seedtrain lot show LOT --json.
    """
    from seedtrain.gmp import invalidate_lot_test

    with open_record(record) as ledger, spoken(common), signing(ledger, signer) as actor:
        event = invalidate_lot_test(ledger, lot, test, reason, actor)
        return _said(
            common, {"lot": lot, "test": test, "seq": event.seq}, _("{lot}: the test is invalid").format(lot=lot)
        )


@app.command
def amend(
    lot: str,
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

    Parameters
    ----------
    lot
        Its id.
    """
    from seedtrain.gmp import restate_lot

    with open_record(record) as ledger, spoken(common), signing(ledger, signer) as actor:
        events = restate_lot(ledger, lot, _named(set_), reason, actor, dates=dates)
        said = _("{lot} is stated anew") if events else _("{lot} was stated like this already")
        return _said(common, {"lot": lot, "changed": bool(events)}, said.format(lot=lot))


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

    with open_record(record) as ledger, spoken(common), signing(ledger, signer) as actor:
        authorise(ledger, actor, "lot.decide")
        order = hold_downstream(ledger, lot, reason, actor, cause=cause)
        lines = [
            {"lot": line.lot, "material": line.material, "depth": line.depth, "into": line.into} for line in order.lots
        ]
        said = "\n".join(
            [
                _("{hold}: {count} lots and batches are on hold, {fresh} of them now").format(
                    hold=order.hold, count=len(lines), fresh=order.fresh
                ),
                *(f"{'  ' * line.depth}{line.lot}  {line.material}" for line in order.lots),
            ]
        )
        return _said(common, {"hold": order.hold, "root": lot, "lots": lines, "fresh": order.fresh}, said)


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

    with open_record(record) as ledger, spoken(common), signing(ledger, signer) as actor:
        lots = lift_hold(ledger, hold, reason, actor, lots=lot)
        return _said(
            common,
            {"hold": hold, "lots": list(lots)},
            _("{hold} is lifted from: {lots}").format(hold=hold, lots=", ".join(lots)),
        )


def spoken(common: Common | None) -> AbstractContextManager[None]:
    """The language that people read, within the block."""
    return use_language((common or Common()).lang)


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


def _said(common: Common | None, data: dict[str, Any], words: str | list[str]) -> int:
    options = common or Common()
    if options.json:
        print_json(data)
    else:
        print(*([words] if isinstance(words, str) else words), sep="\n")
    return EXIT_DONE
