"""What people do about alarms: acknowledge, reset, shelve for a time, take out of service; each an event of theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from seedtrain.automation._alarms._fold import PREFIX, Standing, alarm_book
from seedtrain.automation._alarms._states import AlarmHappening, next_alarm_state
from seedtrain.automation._alarms._watch import happened
from seedtrain.base import InputError
from seedtrain.record import Draft, Ledger, append_signed, moment, timestamp

LONGEST_SHELVING: Final = timedelta(hours=8)
"""One shift; assumed. ISA-18.2 asks for a limit, so that nothing is shelved and forgotten."""

_WANTED: Final = {
    AlarmHappening.ACKNOWLEDGED: "unacknowledged",
    AlarmHappening.RESET: "latched and acknowledged",
    AlarmHappening.SHELVED: "not shelved yet",
    AlarmHappening.UNSHELVED: "shelved",
    AlarmHappening.REMOVED: "in service",
    AlarmHappening.RESTORED: "out of service",
}


def batch_now(ledger: Ledger, batch: str) -> datetime:
    """The time on the process clock of a batch: the ledger's, or for a simulated batch that of its latest event."""
    latest, simulated = None, False
    for event in ledger.events(subject=batch):
        simulated |= event.payload.get("origin") == "simulated"
        at = moment(str(event.payload["at"])) if event.type.startswith(PREFIX) and "at" in event.payload else None
        at = event.occurred if at is None and event.type.startswith(("batch.", "step.")) else at
        latest = at if latest is None or (at is not None and at > latest) else latest
    return latest if simulated and latest is not None else ledger.now


def acknowledge_alarm(ledger: Ledger, batch: str, name: str, actor: str, *, unit: str = "", reason: str = "") -> None:
    """Somebody has seen an alarm; raises `InputError` where there is none to acknowledge."""
    _act(ledger, batch, name, actor, AlarmHappening.ACKNOWLEDGED, unit, reason)


def reset_alarm(ledger: Ledger, batch: str, name: str, actor: str, *, unit: str = "", reason: str = "") -> None:
    """Let go of a latched alarm whose condition is gone and that was acknowledged."""
    _act(ledger, batch, name, actor, AlarmHappening.RESET, unit, reason)


def shelve_alarm(
    ledger: Ledger,
    batch: str,
    name: str,
    actor: str,
    *,
    duration: timedelta,
    reason: str,
    unit: str = "",
    longest: timedelta = LONGEST_SHELVING,
) -> datetime:
    """Keep an alarm quiet for a time, which has a limit; returns when it ends on the process clock."""
    if not timedelta(0) < duration <= longest:
        raise InputError(
            f"shelving for {duration} is not between 0 and {longest}",
            remedy="Shelve for a shorter time; what is wrong for longer is taken out of service.",
        )
    end = batch_now(ledger, batch) + duration
    _act(ledger, batch, name, actor, AlarmHappening.SHELVED, unit, _given(reason), until=lambda: end)
    return end


def unshelve_alarm(ledger: Ledger, batch: str, name: str, actor: str, *, unit: str = "", reason: str = "") -> None:
    """End shelving before its time."""
    _act(ledger, batch, name, actor, AlarmHappening.UNSHELVED, unit, reason)


def remove_alarm(ledger: Ledger, batch: str, name: str, actor: str, *, reason: str, unit: str = "") -> None:
    """Take an alarm out of service, as for maintenance, until somebody returns it."""
    _act(ledger, batch, name, actor, AlarmHappening.REMOVED, unit, _given(reason))


def restore_alarm(ledger: Ledger, batch: str, name: str, actor: str, *, unit: str = "", reason: str = "") -> None:
    """Return an alarm to service."""
    _act(ledger, batch, name, actor, AlarmHappening.RESTORED, unit, reason)


def _given(reason: str) -> str:
    if not reason.strip():
        raise InputError("no reason is given", remedy="Say why, for the review of the batch.")
    return reason


def _act(
    ledger: Ledger,
    batch: str,
    name: str,
    actor: str,
    word: AlarmHappening,
    unit: str,
    reason: str,
    *,
    until: Callable[[], datetime] | None = None,
) -> None:
    found = _find(ledger, batch, name, unit)
    if next_alarm_state(found.layers, word, latching=found.latching) is None:
        raise InputError(
            f"alarm {name} of {found.unit} is {found.state.value.replace('_', ' ')}, not {_WANTED[word]}",
            remedy=f"See where it stands: seedtrain batch alarms {batch}.",
        )
    payload: dict[str, Any] = happened(found, batch_now(ledger, batch))
    payload |= {"by": actor, "reason": reason, "until": None if until is None else timestamp(until())}
    draft = Draft(f"{PREFIX}{word.value}", batch, payload, actor, reason=reason or None)
    append_signed(ledger, draft, f"alarm {word.value.replace('_', ' ')}")


def _find(ledger: Ledger, batch: str, name: str, unit: str) -> Standing:
    alarms = alarm_book(ledger, batch).alarms.values()
    found = [item for item in alarms if item.name == name and unit in ("", item.unit)]
    if len(found) == 1:
        return found[0]
    if found:
        units = ", ".join(sorted(item.unit for item in found))
        raise InputError(f"{units} have an alarm {name!r} each", remedy="Give --unit.")
    known = ", ".join(sorted(item.name for item in alarms)) or "none yet"
    where = f"{unit} of batch {batch}" if unit else f"batch {batch}"
    raise InputError(f"{where} has no alarm {name!r}", remedy=f"Alarms so far: {known}.")
