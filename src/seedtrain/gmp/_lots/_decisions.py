"""What quality decides on lots: tests, status, and whether a lot may be used."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, get_args

from seedtrain.base import InputError, decimal_text, digest
from seedtrain.gmp._authority import another_person, authorise, could
from seedtrain.gmp._lots._book import lot_book
from seedtrain.gmp._lots._genealogy import unknown_lot
from seedtrain.gmp._lots._holds import hold_downstream, open_holds
from seedtrain.gmp._lots._received import STATED, stated_lots, stated_particulars
from seedtrain.quality import Limit, LotStatus, Result, Specification, SpecificationLine, judge
from seedtrain.quantity import Quantity
from seedtrain.record import Draft, Event, Ledger, append_signed

IDENTITY: Final = "identity"
"""The attribute without which no component is released: 21 CFR 211.84(d)(1) asks for one test of identity at least."""
_STATES: Final = {"pass": "conforms", "fail": "oos", "inconclusive": "invalid"}


def change_lot_status(
    ledger: Ledger, lot: str, status: LotStatus, reason: str, actor: str, *, at: datetime | None = None
) -> tuple[Event, ...]:
    """A person releases, quarantines or rejects a lot, and signs; nothing happens if it has that status already.

    A lot that came in quarantined is released only after tests that conform, identity among them (21 CFR 211.84), and
    by another person than who tested it: a second person reviews a test before it decides (211.194(a)(8)). When
    a lot is quarantined or rejected, everything that it went into is put on hold; to lift that hold is a decision of
    its own (`lift_hold`). Raises `InputError` for an actor who may not decide, and for a release that tests forbid.
    """
    known = stated_lots(ledger.events(subject=lot)).get(lot)
    if known is None:
        raise InputError(f"the ledger knows no lot {lot!r}", remedy="Receive it first.")
    if status not in get_args(LotStatus):
        raise InputError(f"there is no status {status!r}", remedy=f"Use one of: {', '.join(get_args(LotStatus))}.")
    if known.status == status:
        return ()
    if not reason.strip():
        raise InputError(f"lot {lot} cannot become {status} without a reason", remedy="Say why.")
    authorise(ledger, actor, "lot.decide")
    if status == "released":
        _may_be_released(ledger, lot, actor)
    draft = Draft("lot.status_changed", lot, {"before": known.status, "status": status}, actor, at, reason=reason)
    events = append_signed(ledger, draft, f"lot {status}")
    if status != "released":
        hold_downstream(ledger, lot, f"lot {lot} is {status}: {reason}", actor, cause=events[0].id, itself=False, at=at)
    return events


def _may_be_released(ledger: Ledger, lot: str, actor: str) -> None:
    events = list(ledger.events(subject=lot))
    tests = valid_tests(events)
    failing = [event for event in tests if event.payload["state"] == "oos"]
    if failing:
        named = ", ".join(f"{event.payload['attribute']} {event.payload['reported']}" for event in failing)
        raise InputError(
            f"lot {lot} cannot be released: {named} out of specification",
            remedy="Reject the lot; or investigate, and have quality invalidate the test (21 CFR 211.84(e), 211.192).",
        )
    another_person(ledger, actor, [event.actor for event in tests], f"the release of lot {lot}")
    first = next(event for event in events if event.type in STATED)
    was_free = first.payload["status"] == "released" or any(
        event.type == "lot.status_changed" and event.payload["status"] == "released" for event in events
    )
    if was_free:
        return
    conforming = {str(event.payload["attribute"]).lower() for event in tests if event.payload["state"] == "conforms"}
    if IDENTITY not in conforming:
        raise InputError(
            f"lot {lot} cannot be released: no test of its identity conforms",
            remedy=f"Record it: seedtrain lot test {lot} {IDENTITY} VALUE --limit LIMIT --method METHOD "
            "--sample SAMPLE (21 CFR 211.84(d)(1)).",
        )


def record_lot_test(
    ledger: Ledger,
    lot: str,
    attribute: str,
    value: Quantity | str,
    limit: str,
    method: str,
    actor: str,
    *,
    sample: str,
    valid: bool = True,
    at: datetime | None = None,
) -> Event:
    """Record the result of a test on a received lot: conforms, oos, or invalid. One that fails holds all downstream.

    - `value`: a quantity or a word; rounded as the limit is written, then compared with it (USP General Notices 7.20).
    - `sample`: what was tested; a result stands for ever under sample, attribute and method. `valid`: false where the
      test itself failed.

    Raises `InputError` for an unknown lot, another value under the same sample, or an actor who may not record.
    """
    if lot not in stated_lots(ledger.events(subject=lot)):
        raise InputError(f"the ledger knows no lot {lot!r}", remedy="Receive it first.")
    authorise(ledger, actor, "result.record")
    line = SpecificationLine(attribute, method, Limit.parse(limit))
    state = _STATES[judge(Specification((line,)), [Result(attribute, value, method, sample, valid=valid)]).verdict]
    number, unit, reported = (
        (value, "", value)
        if isinstance(value, str)
        else (decimal_text(value.value, 9), value.unit, line.limit.reportable(value))
    )
    payload = {
        "sample": sample,
        "attribute": attribute,
        "method": method,
        "value": number,
        "unit": unit,
        "reported": reported,
        "limit": line.limit.text,
        "state": state,
    }
    identity = digest(["lot.tested", lot, sample, attribute, method])[:32]
    event, _ = append_signed(ledger, Draft("lot.tested", lot, payload, actor, at, id=identity), "result")
    if state == "oos":
        reason = f"{attribute} of lot {lot} is {payload['reported']}, the limit is {payload['limit']}"
        hold_downstream(ledger, lot, reason, actor, cause=event.id, at=at)
    return event


def invalidate_lot_test(
    ledger: Ledger, lot: str, test: str, reason: str, actor: str, *, at: datetime | None = None
) -> Event:
    """Quality declares a test of a lot invalid after an investigation, with a reason, and signs; the result stays.

    - `test`: the id of its `lot.tested`. The hold that it placed is lifted apart from this (`lift_hold`).
    """
    event = ledger.find(test)
    if event is None or event.type != "lot.tested" or event.subject != lot:
        raise InputError(
            f"lot {lot} has no test {test!r}", remedy="Give the event's id: seedtrain lot show LOT --json."
        )
    authorise(ledger, actor, "quality.approve")
    identity = digest(["lot.test_invalidated", test])[:32]
    draft = Draft("lot.test_invalidated", lot, {"test": test}, actor, at, reason=reason, corrects=test, id=identity)
    return append_signed(ledger, draft, "test invalidated")[0]


def valid_tests(events: list[Event]) -> list[Event]:
    """The tests of one lot that were not invalidated."""
    gone = {event.corrects for event in events if event.type == "lot.test_invalidated"}
    return [event for event in events if event.type == "lot.tested" and event.id not in gone]


def lot_faults(ledger: Ledger, lot: str, on: date) -> tuple[str, ...]:
    """Why a lot may not be used on this day, one reason a line; empty where it may be.

    - Received, split off or merged: status, expiry, retest date. Produced by a batch: that batch must be released by
      a signed decision. Every lot: holds on it or on what it was made from.

    Read from the ledger itself, so it may decide a hard stop. Raises `InputError` for a lot that the ledger does not
    know. 21 CFR 211.80(d), 211.84(a), 211.87, 211.110(c), 211.142.
    """
    held = [
        f"lot {lot} is on hold ({item.hold}){'' if item.lot == lot else f' through {item.lot}'}: {item.reason}"
        for item in open_holds(ledger, lot)
    ]
    known = stated_lots(ledger.events(subject=lot)).get(lot)
    if known is None:
        return (*_product_faults(ledger, lot), *held)
    reasons = []
    if known.status != "released":
        reasons.append(f"lot {lot} ({known.material}) is {known.status}")
    if known.expiry < on:
        reasons.append(f"lot {lot} ({known.material}) expired on {known.expiry.isoformat()}")
    retest = stated_particulars(ledger.events(subject=lot)).retest
    if retest is not None and retest <= on:
        reasons.append(f"lot {lot} ({known.material}) is to be tested again since {retest.isoformat()}")
    return (*reasons, *held)


def _product_faults(ledger: Ledger, lot: str) -> tuple[str, ...]:
    with lot_book(ledger) as book:
        batch = book.batch_of(lot)
    made = (
        any(event.payload["lot"] == lot for event in ledger.events(subject=batch, type="lot.produced"))
        if batch
        else False
    )
    if not made:
        raise unknown_lot(lot)
    signed = {(event.payload["record_digest"], event.actor) for event in ledger.events(batch, "signature.applied")}
    last = ""
    for event in ledger.events(subject=batch):
        if (
            event.type in ("batch.released", "batch.rejected", "batch.on_hold")
            and (event.digest, event.actor) in signed
            and could(ledger, event, "batch.release")
        ):
            last = event.type
    return () if last == "batch.released" else (f"lot {lot} of batch {batch} is not released",)
