"""`seedtrain retention`: how long records are kept, and what still holds a person's data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import App

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Signer, open_record, signing

if TYPE_CHECKING:
    from seedtrain.gmp import Kept
    from seedtrain.record import Ledger

app = App(name="retention", help="How long records are kept; what still holds a person's or patient's data.")
RecordClass = Literal["batch", "lot", "traceability", "other"]


@app.command
def rules(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """The years for each class of records: after the product's expiry, and after the record's last event.

    Example: seedtrain retention rules --record record.db
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import retention_rules

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        found = list(retention_rules(ledger).values())
        if options.json:
            print_json([asdict(item) for item in found])
            return EXIT_DONE
        for item in found:
            words = _("{years} years after expiry, {more} after the last event").format(
                years=item.after_expiry, more=item.after_last
            )
            print(f"{item.record_class:<14} {words}  ({item.source})")
    return EXIT_DONE


@app.command(name="set")
def set_(
    record_class: RecordClass,
    *,
    after_expiry: int,
    after_last: int,
    reason: str,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Keep a class of records longer than the law asks; quality signs.

    Example: seedtrain retention set batch --after-expiry 5 --after-last 10 --reason "SOP 17" --as person-4

    Parameters
    ----------
    record_class
        Which records.
    after_expiry
        Years after the expiry of the product.
    after_last
        Years after the record's last event.
    reason
        Why.
    """
    from seedtrain.gmp import set_rule

    with _signed(record, signer, common) as (ledger, actor, options):
        rule = set_rule(ledger, record_class, after_expiry=after_expiry, after_last=after_last, reason=reason, by=actor)
    if options.json:
        print_json(asdict(rule))
    else:
        print(f"{rule.record_class}: {rule.after_expiry}, {rule.after_last} ({rule.source})")
    return EXIT_DONE


@app.command
def state(
    name: str,
    *,
    expiry: str,
    reason: str,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Say when the product of a record expires, from which its time runs; quality signs.

    Example: seedtrain retention state B-1 --expiry 2028-03-01 --reason "stability report 3" --as person-4

    Parameters
    ----------
    name
        The batch, lot, chain or other record.
    expiry
        The day (2028-03-01).
    reason
        Where it is from.
    """
    from datetime import date

    from seedtrain.gmp import state_expiry

    try:
        day = date.fromisoformat(expiry)
    except ValueError:
        raise InputError(f"--expiry: {expiry!r} is not a day", remedy="Write it as 2028-03-01.") from None
    with _signed(record, signer, common) as (ledger, actor, options):
        _show([state_expiry(ledger, name, day, reason=reason, by=actor)], options)
    return EXIT_DONE


@app.command
def check(subject: str, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """The records that a person or patient belongs to, and until when each is kept.

    Example: seedtrain retention check person-2 --record record.db

    Parameters
    ----------
    subject
        The identity, such as person-2; or a patient's token.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import kept, records_of

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        _show([kept(ledger, name) for name in records_of(ledger, subject)], options)
    return EXIT_DONE


@contextmanager
def _signed(record: str | None, signer: Signer, common: Common | None) -> Iterator[tuple[Ledger, str, Common]]:
    from seedtrain.base import use_language

    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer) as actor:
        yield ledger, actor, options


def _show(found: list[Kept], options: Common) -> None:
    rows: list[dict[str, Any]] = [
        {**asdict(item), "until": None if item.until is None else item.until.isoformat()} for item in found
    ]
    if options.json:
        print_json(rows)
        return
    for row in rows:
        print(f"{row['record'][:40]:<40} {row['record_class']:<14} {row['until'] or '-':<10}  {row['why']}")
