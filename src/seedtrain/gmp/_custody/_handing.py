"""Opening a chain, handing over and receiving: at each of them the two identifiers are scanned and compared.

A mismatch is a hard stop: the act is refused, the refusal is in the ledger with a deviation, and nothing goes on until
quality has closed it.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from seedtrain.base import InputError, digest_bytes
from seedtrain.gmp._authority import another_person, authorise
from seedtrain.gmp._custody._chain import (
    CLEAR,
    CONDITIONS,
    HAND_OVER,
    INTACT,
    NEXT,
    STAGES,
    Chain,
    custody_chain,
)
from seedtrain.gmp._custody._gates import Bindings
from seedtrain.gmp._custody._labels import scanned
from seedtrain.gmp._master._approval import at_head
from seedtrain.quantity import parse, parse_range
from seedtrain.record import Draft, Event, Ledger, append_signed, moment, open_text, sealed_text

PATIENT: Final = "patient"  # the field of sealed personal data
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_SYMBOLS: Final = 10  # 50 random bits
_OF_THE_STOP: Final = "identifier does not match"


class CustodyStopError(InputError):
    """A hard stop of the chain of custody; the refusal and its deviation are in the ledger."""


@dataclass(frozen=True)
class Observed:
    """What the person at the hand-over sees: the two identifiers as scanned, the place, the goods.

    - `temperature`: such as `4.1 degC`; `condition`: one of `CONDITIONS`.
    """

    code: str
    token: str
    place: str
    temperature: str
    condition: str = INTACT


def open_custody(
    ledger: Ledger,
    actor: str,
    *,
    patient: str,
    product: str,
    place: str,
    limits: Mapping[str, str] | None = None,
    within_h: str = "",
    evaluated: bool = False,
    lots: tuple[str, ...] = (),
    at: datetime | None = None,
) -> Chain:
    """Open a chain at the collection: a new code and a new token, printed on the label; the patient's data is sealed.

    - `patient`: name, birth date, record number: personal data, which only the sealed form enters the ledger.
    - `limits`: stage (or `all`) to a range of temperature. `within_h`: hours from collection to manufacture.
    - `evaluated`: whether all donor testing and screening was done (otherwise the label says it was not).

    Raises `InputError`. Source: 21 CFR 1271.290(c): the code is made for tracking and holds no name or number.
    """
    authorise(ledger, actor, HAND_OVER)
    if not patient.strip() or not product.strip() or not place.strip():
        raise InputError("a chain needs a patient, a product and a place", remedy="Give all three.")
    for stage, text in (limits or {}).items():
        if stage not in (*STAGES, "all"):
            raise InputError(f"there is no stage {stage!r}", remedy=f"Use one of: {', '.join(STAGES)}, or all.")
        parse_range(text, like="degC")
    if within_h:
        parse(within_h, like="h")
    code, token = f"COI-{_random()}", f"PT-{_random()}"
    payload = {
        "token": token,
        "product": product.strip(),
        "sealed": sealed_text(ledger, token, PATIENT, patient.strip()),
        "limits": dict(limits or {}),
        "within_h": str(parse(within_h, like="h").magnitude("h")) if within_h else "",
        "evaluated": evaluated,
        "place": place.strip(),
        "lots": list(lots),
    }
    for lot in lots:
        _not_bound_elsewhere(ledger, "lot", lot, code)
    append_signed(ledger, Draft("custody.opened", code, payload, actor, at), "collected and labelled")
    return custody_chain(ledger, code)


def bind_to_patient(
    ledger: Ledger, code: str, kind: str, identity: str, actor: str, *, at: datetime | None = None
) -> tuple[Event, ...]:
    """Say that a lot or a batch is this patient's, for ever; the same again changes nothing.

    From then on no phase of the batch takes a lot of another patient, and no other batch takes the lot.
    """
    authorise(ledger, actor, HAND_OVER)
    if kind not in ("lot", "batch"):
        raise InputError(f"a chain has no {kind!r}", remedy="Bind a lot or a batch.")

    def decide(head: int) -> tuple[Event, ...]:
        found = custody_chain(ledger, code)
        _going(found)
        if identity in (found.lots if kind == "lot" else found.batches):
            return ()
        _not_bound_elsewhere(ledger, kind, identity, code)
        draft = Draft("custody.bound", code, {"kind": kind, "id": identity}, actor, at)
        return append_signed(ledger, draft, "bound to the patient", at_head=head)

    return at_head(ledger, decide)


def _not_bound_elsewhere(ledger: Ledger, kind: str, identity: str, code: str) -> None:
    other, _token = Bindings(ledger).of(identity)
    if other not in ("", code):
        raise InputError(
            f"the {kind} {identity} belongs to the chain {other}", remedy="Nothing belongs to two patients."
        )


def hand_over(
    ledger: Ledger, code: str, actor: str, seen: Observed, *, to: str, stage: str, at: datetime | None = None
) -> Chain:
    """The custodian hands over to another person, who must receive it.

    Raises `CustodyStopError` where an identifier does not match (recorded, with a deviation), `InputError` for
    somebody who does not have it, a stage that cannot follow, and a chain that is stopped or under way.
    """
    authorise(ledger, actor, HAND_OVER)

    def decide(head: int) -> Chain:
        found = custody_chain(ledger, code)
        _going(found)
        if found.pending is not None:
            raise InputError(
                f"{code} was handed to {found.pending.to}, who has not received it",
                remedy="Have it received: seedtrain custody receive.",
            )
        if actor != found.custodian:
            raise InputError(f"{code} is with {found.custodian}, not with {actor}", remedy="The custodian hands over.")
        if stage not in NEXT[found.stage]:
            allowed = ", ".join(NEXT[found.stage]) or "nothing: the chain is at its end"
            raise InputError(f"after {found.stage} comes no {stage!r}", remedy=f"Next may be: {allowed}.")
        authorise(ledger, to, HAND_OVER)
        another_person(ledger, to, [actor], f"the receipt of {code}")
        payload = {"to": to, "stage": stage}
        return _act(ledger, found, "custody.handed_over", "handed over", actor, seen, stage, payload, at, head)

    return at_head(ledger, decide)


def receive_custody(ledger: Ledger, code: str, actor: str, seen: Observed, *, at: datetime | None = None) -> Chain:
    """The person to whom it was handed takes it, and compares the identifiers anew. Errors as in `hand_over`."""
    authorise(ledger, actor, HAND_OVER)

    def decide(head: int) -> Chain:
        found = custody_chain(ledger, code)
        _going(found)
        pending = found.pending
        if pending is None:
            raise InputError(f"{code} was handed over to nobody", remedy="First: seedtrain custody hand-over.")
        if actor != pending.to:
            raise InputError(f"{code} was handed to {pending.to}, not to {actor}", remedy="Have that person take it.")
        return _act(ledger, found, "custody.received", "received", actor, seen, pending.stage, {}, at, head)

    return at_head(ledger, decide)


def _act(
    ledger: Ledger,
    found: Chain,
    type: str,
    meaning: str,
    actor: str,
    seen: Observed,
    stage: str,
    payload: Mapping[str, Any],
    at: datetime | None,
    head: int,
) -> Chain:
    """Compare, then record the act; a mismatch is recorded in its place, goods out of limits after it."""
    if not seen.place.strip():
        raise InputError("the hand-over has no place", remedy="Say where: --place.")
    mismatched = _mismatched(found, seen)
    if mismatched:
        stop = _stop(ledger, found, actor, seen, mismatched, at)
        append_signed(ledger, stop[0], "refused", more=stop[1:], at_head=head)
        raise CustodyStopError(
            f"{found.code}: {_OF_THE_STOP}: {', '.join(mismatched)}. Nothing was handed over and the chain is on hold",
            remedy=f"Part the goods, call quality, and close the deviation {stop[0].payload['deviation']}; "
            "then: seedtrain custody resume.",
        )
    faults = goods_faults(found, seen, stage, ledger.now if at is None else at)
    whole = {
        **payload,
        "place": seen.place.strip(),
        "temperature": seen.temperature,
        "condition": seen.condition,
        "faults": list(faults),
    }
    draft = Draft(type, found.code, whole, actor, at)
    if not faults:
        append_signed(ledger, draft, meaning, at_head=head)
        return custody_chain(ledger, found.code)
    words = "; ".join(faults)
    stop = _opened_stop(ledger, found, actor, words, {"mismatch": False, "stage": stage}, at)
    append_signed(ledger, draft, meaning, more=stop, at_head=head)
    return custody_chain(ledger, found.code)


def _mismatched(found: Chain, seen: Observed) -> tuple[str, ...]:
    """Which identifiers differ; both are compared in full, whatever the first one says."""
    pairs = {"chain code": (seen.code, found.code), "patient token": (seen.token, found.token)}
    same = {name: hmac.compare_digest(_plain(one), _plain(other)) for name, (one, other) in pairs.items()}
    return tuple(name for name, matches in same.items() if not matches)


def _plain(text: str) -> bytes:
    return unicodedata.normalize("NFC", scanned(text)).encode("utf-8", "surrogatepass")


def goods_faults(found: Chain, seen: Observed, stage: str, now: datetime) -> tuple[str, ...]:
    """What is wrong with goods of the right patient: temperature, condition, time. Raises `InputError` for no value."""
    if seen.condition not in CONDITIONS:
        raise InputError(f"there is no condition {seen.condition!r}", remedy=f"Use: {', '.join(CONDITIONS)}.")
    value = parse(seen.temperature, like="degC")
    faults = []
    limit = found.limit(stage)
    if limit is not None and not limit.contains(value):
        faults.append(f"temperature {value} is out of {limit} in {stage}")
    if seen.condition != INTACT:
        faults.append(f"the goods are {seen.condition}")
    hours = (now - moment(found.opened_at)).total_seconds() / 3600
    if found.within_h and stage == "manufacture" and hours > float(found.within_h):
        faults.append(f"{hours:.1f} h since collection, the limit is {found.within_h} h")
    return tuple(faults)


def _stop(
    ledger: Ledger, found: Chain, actor: str, seen: Observed, mismatched: tuple[str, ...], at: datetime | None
) -> list[Draft]:
    """The alert. What was scanned is kept as it is only where it names another chain: it might be anything."""
    known = {
        text: event.subject
        for event in ledger.events(type="custody.opened")
        for text in (event.subject, str(event.payload["token"]))
    }
    different = {
        name: {"sha256": digest_bytes(_plain(text)), "belongs_to": known.get(scanned(text), "")}
        for name, text in (("chain code", seen.code), ("patient token", seen.token))
        if name in mismatched
    }
    words = f"{_OF_THE_STOP}: {', '.join(mismatched)}"
    payload = {"mismatch": True, "scanned": different, "place": seen.place, "stage": found.stage}
    return _opened_stop(ledger, found, actor, words, payload, at)


def _opened_stop(
    ledger: Ledger, found: Chain, actor: str, words: str, payload: Mapping[str, Any], at: datetime | None
) -> list[Draft]:
    """The refusal first, then the deviation that it opens, linked with the batches that it concerns."""
    count = sum(1 for _event in ledger.events(subject=found.code, type="deviation.opened"))
    name = f"{found.code}-DEV-{count + 1:02d}"
    blank = dict.fromkeys(("phase", "tag", "value", "unit", "start_h", "end_h"), "")
    deviation = {"deviation": name, "words": words, "low": None, "high": None, "linked": list(found.batches), **blank}
    return [
        Draft("custody.refused", found.code, {**payload, "deviation": name}, actor, at, reason=words),
        Draft("deviation.opened", found.code, deviation, actor, at),
        *(Draft("deviation.linked", batch, {"deviation": name}, actor, at) for batch in found.batches),
    ]


def resume_custody(ledger: Ledger, code: str, actor: str, reason: str, *, at: datetime | None = None) -> Chain:
    """Quality lets a stopped chain go on, once its deviation is closed with everything it needs.

    Raises `InputError` where it is not closed, and for a person who was part of the stop.
    """
    authorise(ledger, actor, CLEAR)
    if not reason.strip():
        raise InputError(f"{code} cannot go on without a reason", remedy="Say why: --reason.")

    def decide(head: int) -> Chain:
        found = custody_chain(ledger, code)
        stop = found.stopped
        if stop is None:
            raise InputError(f"{code} is not stopped", remedy="See: seedtrain custody show.")
        another_person(ledger, actor, [stop.actor], f"the clearing of {stop.deviation}")
        if not _closed(ledger, code, stop.deviation):
            raise InputError(
                f"the deviation {stop.deviation} is not closed",
                remedy="Close it first: seedtrain quality deviation close.",
            )
        draft = Draft("custody.resumed", code, {"deviation": stop.deviation}, actor, at, reason=reason)
        append_signed(ledger, draft, "custody resumed", at_head=head)
        return custody_chain(ledger, code)

    return at_head(ledger, decide)


def reveal_patient(ledger: Ledger, code: str, actor: str, reason: str, *, at: datetime | None = None) -> str | None:
    """Who the patient is; that this person looked, and why, is recorded first. None once the key was destroyed."""
    authorise(ledger, actor, HAND_OVER)
    if not reason.strip():
        raise InputError("nobody looks at a patient's data without a reason", remedy="Say why: --reason.")
    found = custody_chain(ledger, code)
    append_signed(ledger, Draft("custody.revealed", code, {}, actor, at, reason=reason), "patient's data read")
    return open_text(ledger, found.token, PATIENT, found.sealed)


def _closed(ledger: Ledger, code: str, deviation: str) -> bool:
    """Whether the last word on the deviation is a closing that its author signed."""
    events = [
        event
        for event in ledger.events(subject=code)
        if event.type == "signature.applied" or event.payload.get("deviation") == deviation
    ]
    said = [event for event in events if event.type.startswith("deviation.")]
    last = said[-1] if said else None
    return (
        last is not None
        and last.type == "deviation.closed"
        and any(event.payload.get("record_digest") == last.digest and event.actor == last.actor for event in events)
    )


def _going(found: Chain) -> None:
    if found.stopped is not None:
        raise InputError(
            f"{found.code} is on hold: {found.stopped.reason}",
            remedy=f"Close the deviation {found.stopped.deviation}, then: seedtrain custody resume.",
        )


def _random() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_SYMBOLS))
