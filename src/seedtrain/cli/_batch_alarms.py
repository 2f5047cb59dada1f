"""`seedtrain batch alarms` and what operators do about an alarm: acknowledge, reset, shelve, take out of service."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._arguments import AlarmName, BatchName
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Signer, open_record, signing

if TYPE_CHECKING:
    from seedtrain.automation import Standing
    from seedtrain.record import Ledger

Unit = Annotated[str, Parameter(name="--unit", help="The unit, where several have an alarm of this name.")]
Reason = Annotated[str, Parameter(name="--reason", help="Why.")]


def add_to(app: App) -> None:
    """Put the commands among those of `seedtrain batch`."""
    app.command(alarms)
    app.command(acknowledge_alarm, name="acknowledge-alarm")
    app.command(reset_alarm, name="reset-alarm")
    app.command(shelve)
    app.command(unshelve)
    app.command(alarm_out_of_service, name="alarm-out-of-service")
    app.command(alarm_in_service, name="alarm-in-service")


def state_words(item: Standing) -> str:
    """The state of an alarm as people read it."""
    return {
        "normal": _("normal"),
        "unacknowledged": _("unacknowledged"),
        "acknowledged": _("acknowledged"),
        "returned_unacknowledged": _("returned, unacknowledged"),
        "latched_unacknowledged": _("latched, unacknowledged"),
        "latched_acknowledged": _("latched, acknowledged"),
        "shelved": _("shelved"),
        "suppressed_by_design": _("suppressed by design"),
        "out_of_service": _("out of service"),
    }[item.state.value]


def alarm_line(item: Standing) -> str:
    """One alarm in a line."""
    priority = {"critical": _("critical"), "high": _("high"), "medium": _("medium"), "low": _("low")}
    words = f"{priority.get(item.priority, item.priority):<8} {state_words(item):<24} {item.unit} {item.name}"
    if item.value and item.limit:
        words += f"  {item.value} {item.measure}".rstrip() + f" ({_('limit')} {item.limit})"
    words += f"  {item.raised_at:%Y-%m-%d %H:%M:%S}Z" if item.raised_at is not None else ""
    words += f"  {_('first-out')}" if item.first_out else ""
    words += f"  {_('until')} {item.until:%Y-%m-%d %H:%M:%S}Z" if item.until is not None else ""
    words += f"  {_('simulated')}" if item.origin == "simulated" else ""
    return words + (f"\n           {item.action}" if item.action else "")


def alarms(
    batch: BatchName,
    *,
    every: Annotated[bool, Parameter(name="--all", help="Those that are normal again too.", negative="")] = False,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """The alarms of a batch: state, priority, value against limit, since when; what needs somebody stands first.

    Example: seedtrain batch alarms RHCOL3-001 --record record.db
    """
    from seedtrain.automation import alarm_book
    from seedtrain.base import use_language
    from seedtrain.record import batch_begin

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        if batch_begin(ledger, batch) is None:
            raise InputError(f"the ledger has no batch {batch!r}", remedy="See: seedtrain batch list.")
        book = alarm_book(ledger, batch)
        known = {item.key for item in book.standing}
        rows = [*book.standing, *(item for item in book.alarms.values() if every and item.key not in known)]
        if options.json:
            print_json({"batch": batch, "alarms": [item.to_data() for item in rows]})
            return EXIT_DONE
        for item in rows:
            print(alarm_line(item))
        if not rows:
            print(_("no alarm stands"))
    return EXIT_DONE


def acknowledge_alarm(
    batch: BatchName,
    alarm: AlarmName,
    *,
    unit: Unit = "",
    reason: Reason = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Acknowledge an alarm: you have seen it and act on it.

    Example: seedtrain batch acknowledge-alarm RHCOL3-001 pH.low --as person-1 --record record.db
    """
    from seedtrain.automation import acknowledge_alarm as act

    def done(ledger: Ledger, who: str) -> None:
        act(ledger, batch, alarm, who, unit=unit, reason=reason)

    return _act(batch, alarm, unit, signer, record, common, done)


def reset_alarm(
    batch: BatchName,
    alarm: AlarmName,
    *,
    unit: Unit = "",
    reason: Reason = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Reset a latched alarm whose condition is gone and that was acknowledged.

    Example: seedtrain batch reset-alarm RHCOL3-001 foam.high --as person-1 --record record.db
    """
    from seedtrain.automation import reset_alarm as act

    def done(ledger: Ledger, who: str) -> None:
        act(ledger, batch, alarm, who, unit=unit, reason=reason)

    return _act(batch, alarm, unit, signer, record, common, done)


def shelve(
    batch: BatchName,
    alarm: AlarmName,
    *,
    duration: Annotated[str, Parameter(name="--for", help="For how long, at most 8 h, such as `30 min`.")],
    reason: Reason,
    unit: Unit = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Keep an alarm quiet for a time; it comes back by itself.

    Example: seedtrain batch shelve RHCOL3-001 pH.low --for "30 min" --reason "probe changed" --as person-1
    """
    from datetime import timedelta

    from seedtrain.automation import shelve_alarm as act
    from seedtrain.quantity import parse

    span = timedelta(hours=parse(duration, like="h").magnitude("h"))

    def shelved(ledger: Ledger, who: str) -> object:
        return act(ledger, batch, alarm, who, duration=span, unit=unit, reason=reason)

    return _act(batch, alarm, unit, signer, record, common, shelved)


def unshelve(
    batch: BatchName,
    alarm: AlarmName,
    *,
    unit: Unit = "",
    reason: Reason = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """End the shelving of an alarm before its time.

    Example: seedtrain batch unshelve RHCOL3-001 pH.low --as person-1 --record record.db
    """
    from seedtrain.automation import unshelve_alarm as act

    def done(ledger: Ledger, who: str) -> None:
        act(ledger, batch, alarm, who, unit=unit, reason=reason)

    return _act(batch, alarm, unit, signer, record, common, done)


def alarm_out_of_service(
    batch: BatchName,
    alarm: AlarmName,
    *,
    reason: Reason,
    unit: Unit = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Take an alarm out of service, as for maintenance, until somebody returns it.

    Example: seedtrain batch alarm-out-of-service RHCOL3-001 foam.high --reason "probe sent away" --as person-1
    """
    from seedtrain.automation import remove_alarm as act

    def done(ledger: Ledger, who: str) -> None:
        act(ledger, batch, alarm, who, unit=unit, reason=reason)

    return _act(batch, alarm, unit, signer, record, common, done)


def alarm_in_service(
    batch: BatchName,
    alarm: AlarmName,
    *,
    unit: Unit = "",
    reason: Reason = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Return an alarm to service.

    Example: seedtrain batch alarm-in-service RHCOL3-001 foam.high --as person-1 --record record.db
    """
    from seedtrain.automation import restore_alarm as act

    def done(ledger: Ledger, who: str) -> None:
        act(ledger, batch, alarm, who, unit=unit, reason=reason)

    return _act(batch, alarm, unit, signer, record, common, done)


def _act(
    batch: str,
    alarm: str,
    unit: str,
    signer: Signer,
    record: str | None,
    common: Common | None,
    act: Callable[[Ledger, str], Any],
) -> int:
    """Ask for the password, check the role, act, and show where the alarm stands then."""
    from seedtrain.automation import alarm_book
    from seedtrain.base import use_language
    from seedtrain.gmp import authorise
    from seedtrain.record import batch_begin

    options = common or Common()
    with use_language(options.lang), open_record(record) as ledger, signing(ledger, signer) as actor:
        if batch_begin(ledger, batch) is None:
            raise InputError(f"the ledger has no batch {batch!r}", remedy="See: seedtrain batch list.")
        authorise(ledger, actor, "batch.execute")
        act(ledger, actor)
        found = [item for item in alarm_book(ledger, batch).alarms.values() if item.name == alarm]
        rows = [item for item in found if unit in ("", item.unit)]
        if options.json:
            print_json({"batch": batch, "alarms": [item.to_data() for item in rows]})
        else:
            for item in rows:
                print(alarm_line(item))
    return EXIT_DONE
