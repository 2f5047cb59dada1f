"""What deviations, investigations, CAPAs and studies share: signed steps of a case, each safe to repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import could
from seedtrain.gmp._master._approval import at_head
from seedtrain.record import Draft, Event, Ledger, append_signed, moment

_INVESTIGATE: Final = (
    *("deviation.classified", "deviation.investigated", "deviation.assessed", "deviation.capa_linked"),
    *("oos.assessed", "oos.investigated", "retest.planned", "capa.opened", "capa.action_added", "capa.effect_checked"),
)
_APPROVE: Final = (
    *("deviation.closed", "result.invalidated", "retest.approved", "oos.closed", "capa.approved", "capa.closed"),
    "stability.protocol_approved",
    "document.approved",
)
DUTY_OF: Final = {
    **dict.fromkeys(_INVESTIGATE, "quality.investigate"),
    **dict.fromkeys(_APPROVE, "quality.approve"),
    **dict.fromkeys(("batch.released", "batch.rejected", "batch.on_hold"), "batch.release"),
    **dict.fromkeys(("batch.reviewed", "exception.acknowledged"), "batch.review"),
}
"""What the actor of an event must have been allowed to do when it was written, or it counts for nothing."""

SITE: Final = "site"
"""What a deviation is filed under that concerns no batch or lot."""


def take_step(
    ledger: Ledger, subject: str, meaning: str, step: Callable[[tuple[Event, ...]], Draft | Event]
) -> tuple[Event, Event]:
    """Read the events of `subject`, let `step` say what follows, and append that signed; again where somebody wrote.

    `step` returns a draft, or the stored event where nothing new is to be said. Returns the event and its signature.
    """

    def decide(head: int) -> tuple[Event, Event]:
        found = step(tuple(ledger.events(subject=subject)))
        if isinstance(found, Event):
            return found, signature_over(ledger, found)
        return append_signed(ledger, found, meaning, at_head=head)

    return at_head(ledger, decide)


def signature_over(ledger: Ledger, event: Event) -> Event:
    """The actor's signature over their event."""
    for item in ledger.events(subject=event.subject, type="signature.applied", after=event.seq):
        if item.payload["record_digest"] == event.digest and item.actor == event.actor:
            return item
    raise InputError(f"event {event.seq} ({event.type}) has no signature", remedy="Record it again, signed.")


def step_draft(
    events: Sequence[Event],
    type: str,
    subject: str,
    case: tuple[str, str],
    payload: Mapping[str, Any],
    actor: str,
    *,
    reason: str | None = None,
    at: datetime | None = None,
) -> Draft | Event:
    """The draft of a step of a case, or the stored event where the last one of this type says the same already.

    - `case`: key and name by which the payload names its case, such as `("deviation", "B-1-DEV-01")`.
    """
    whole = {case[0]: case[1], **payload}
    mine = [item for item in events if item.type == type and item.payload.get(case[0]) == case[1]]
    if mine and (dict(mine[-1].payload), mine[-1].actor, mine[-1].reason) == (whole, actor, reason):
        return mine[-1]
    identity = digest([type, subject, case[1], len(mine)])[:32]
    return Draft(type, subject, whole, actor, at, reason=reason, id=identity)


def signed_pairs(events: Iterable[Event]) -> frozenset[tuple[str, str]]:
    """(digest, person) of every signature among the events."""
    return frozenset(
        (str(item.payload["record_digest"]), item.actor) for item in events if item.type == "signature.applied"
    )


def said(name: str, words: str, source: str) -> str:
    """`words` without blanks around them; `InputError` if nothing is left."""
    if not words.strip():
        raise InputError(f"there is no {name}", remedy=f"Say what the {name} is ({source}).")
    return words.strip()


def day(text: str, what: str) -> str:
    """A date as `2026-03-01`; `InputError` for anything else."""
    from datetime import date

    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError(f"{what} {text!r} is not a date", remedy="Write year-month-day, such as 2026-03-31.") from None


def later_day(time: str, days: int) -> str:
    """The day that lies `days` after a time of the ledger."""
    from datetime import timedelta

    return (moment(time) + timedelta(days=days)).date().isoformat()


def is_product(ledger: Ledger, name: str) -> bool:
    """Whether the ledger knows a batch or lot of this id."""
    return any(item.type == "batch.created" or item.type.startswith("lot.") for item in ledger.events(subject=name))


def counting(ledger: Ledger, events: Iterable[Event]) -> tuple[Event, ...]:
    """The events without those whose actor had no role for them then: what is written past the commands."""
    return tuple(item for item in events if not _strange(ledger, item))


def strange(ledger: Ledger, events: Iterable[Event]) -> tuple[Event, ...]:
    """What `counting` leaves out."""
    return tuple(item for item in events if _strange(ledger, item))


def _strange(ledger: Ledger, event: Event) -> bool:
    duty = DUTY_OF.get(event.type)
    return duty is not None and not could(ledger, event, duty)
