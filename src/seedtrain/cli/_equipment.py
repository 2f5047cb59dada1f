"""`seedtrain equipment`: the register, calibration, cleaning, and the log of use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._arguments import EquipmentName
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Signer, open_record, signing

if TYPE_CHECKING:
    from seedtrain.gmp import Equipment
    from seedtrain.record import Ledger

app = App(name="equipment", help="Register equipment, its calibration and cleaning; its log of use.")
_Act = Callable[["Ledger", str], "Equipment"]


@app.command
def register(
    equipment: EquipmentName,
    *,
    kind: Annotated[str, Parameter(name="--class", help="Its class, as recipes name it: balance, pH-meter ...")],
    name: Annotated[str, Parameter(help="What people call it.")] = "",
    calibrated: Annotated[bool, Parameter(negative="", help="It needs calibration.")] = False,
    cleaned: Annotated[bool, Parameter(negative="", help="It touches product: it is cleaned between batches.")] = False,
    dirty_hold: Annotated[float | None, Parameter(help="Hours that it may wait before it is cleaned.")] = None,
    clean_hold: Annotated[float | None, Parameter(help="Hours that it stays clean.")] = None,
    campaign: Annotated[int, Parameter(help="Batches of one product that may follow without cleaning.")] = 1,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Give a piece of equipment its identity; it is in service from then on.

    Example: seedtrain equipment register BAL-1 --class balance --calibrated --as person-5 --record record.db
    """
    from seedtrain.gmp import register_equipment

    def do(ledger: Ledger, actor: str) -> Equipment:
        return register_equipment(
            ledger,
            equipment,
            actor,
            name=name or equipment,
            kind=kind,
            calibrated=calibrated,
            cleaned=cleaned,
            dirty_hold_h=dirty_hold,
            clean_hold_h=clean_hold,
            campaign=campaign,
        )

    return _acted(do, signer, record, common)


@app.command
def calibrate(
    equipment: EquipmentName,
    *,
    certificate: Annotated[str, Parameter(help="The number of the certificate.")],
    due: Annotated[str, Parameter(help="The last day on which it holds: 2027-01-31.")],
    failed: Annotated[bool, Parameter(negative="", help="It was out of tolerance: none holds.")] = False,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record a calibration.

    Example: seedtrain equipment calibrate BAL-1 --certificate C-17 --due 2027-01-31 --as person-5 --record record.db
    """
    from seedtrain.gmp import calibrate_equipment

    try:
        until = date.fromisoformat(due)
    except ValueError:
        raise InputError(f"--due: {due!r} is not a day", remedy="Write it as 2027-01-31.") from None
    return _acted(
        lambda ledger, actor: calibrate_equipment(
            ledger, equipment, actor, certificate=certificate, due=until, passed=not failed
        ),
        signer,
        record,
        common,
    )


@app.command
def clean(
    equipment: EquipmentName,
    *,
    procedure: Annotated[str, Parameter(help="By which procedure.")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record a cleaning; another person has to check it.

    Example: seedtrain equipment clean MIX-1 --procedure "SOP-12, CIP 3" --as person-1 --record record.db
    """
    from seedtrain.gmp import clean_equipment

    return _acted(
        lambda ledger, actor: clean_equipment(ledger, equipment, actor, procedure=procedure), signer, record, common
    )


@app.command
def check(equipment: EquipmentName, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Check a cleaning as another person, and sign: the equipment is clean.

    Example: seedtrain equipment check MIX-1 --as person-2 --record record.db
    """
    from seedtrain.gmp import check_cleaning

    return _acted(lambda ledger, actor: check_cleaning(ledger, equipment, actor), signer, record, common)


@app.command
def status(
    equipment: EquipmentName,
    status: Literal["in_service", "out_of_service", "quarantined"],
    *,
    reason: Annotated[str, Parameter(help="Why; it stands in the record.")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Take equipment out of service, quarantine it, or put it back.

    Example: seedtrain equipment status BAL-1 out_of_service --reason "display dead" --as person-5 --record record.db

    Parameters
    ----------
    status
        What it becomes: whoever uses it may stop it, who keeps it or quality puts it back.
    """
    from seedtrain.gmp import change_equipment_status

    return _acted(
        lambda ledger, actor: change_equipment_status(ledger, equipment, status, reason, actor),
        signer,
        record,
        common,
    )


@app.command(name="list")
def list_equipment(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Everything that is registered, and whether it may be used now.

    Example: seedtrain equipment list --record record.db
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import equipment_list

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        found, now = equipment_list(ledger), ledger.now
        if options.json:
            print_json([_data(item, ledger) for item in found])
            return EXIT_DONE
        for item in found:
            fault = item.fault(now)
            words = _("may be used") if fault is None else fault.reason
            print(f"{item.id:<16} {item.kind:<20} {item.due or '-'!s:<12} {words}")
    return EXIT_DONE


@app.command
def log(equipment: EquipmentName, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """The log of use and cleaning of one piece of equipment, and what was written about it that does not count.

    Example: seedtrain equipment log MIX-1 --record record.db
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import find_equipment, uncounted

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        found, others = find_equipment(ledger, equipment), uncounted(ledger, equipment)
        if options.json:
            rows = [{"seq": item.seq, "type": item.type, "actor": item.actor, "signed": it} for item, it in others]
            print_json({**_data(found, ledger), "uncounted": rows})
            return EXIT_DONE
        lines = [(use.seq, use.started_at, f"{use.batch}  {use.product}  {use.phase}") for use in found.uses]
        for item in found.cleanings:
            words = _("cleaned by {procedure}: {person}, checked: {checker}")
            names = {"procedure": item.procedure, "person": item.cleaned_by, "checker": item.checked_by or "-"}
            lines.append((item.seq, item.cleaned_at, words.format(**names)))
        for event, signed in others:
            words = _("does not count: {type} by {person}, who had no role for it") if signed else ""
            words = words or _("does not count: {type} by {person}, without a signature")
            lines.append((event.seq, event.occurred_at, words.format(type=event.type, person=event.actor)))
        for _seq, time, text in sorted(lines):
            print(f"{time}  {text}")
    return EXIT_DONE


def _acted(do: _Act, signer: Signer, record: str | None, common: Common | None) -> int:
    from seedtrain.base import use_language

    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang):
        with signing(ledger, signer) as actor:
            found = do(ledger, actor)
        if options.json:
            print_json(_data(found, ledger))
        else:
            fault = found.fault(ledger.now)
            print(f"{found.id}: {_('may be used') if fault is None else fault.reason}")
    return EXIT_DONE


def _data(found: Equipment, ledger: Ledger) -> dict[str, Any]:
    """The equipment for machines; `fault`: why it may not be used now, null where it may."""
    fault = found.fault(ledger.now)
    data = asdict(found)
    due = found.due.isoformat() if found.due else None
    return data | {"due": due, "clean": found.clean, "fault": fault.reason if fault else None}
