"""What people do to a running batch, one command each; every one is signed in, checked and recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from seedtrain.base import translate as _
from seedtrain.cli._acted import acted as signed_act
from seedtrain.cli._arguments import BatchName, PhaseName
from seedtrain.cli._batch_words import batch_data, on_plant, stand_lines
from seedtrain.cli._common import Common
from seedtrain.cli._signing import RecordUrl, Signer

if TYPE_CHECKING:
    from seedtrain.gmp import BatchRecord
    from seedtrain.recipe import ControlRecipe
    from seedtrain.record import Ledger

Reason = Annotated[str, Parameter(help="Why; it stands in the record.")]
_Act = Callable[["Ledger", str], "BatchRecord"]


def begin(
    batch: BatchName,
    phase: PhaseName,
    *,
    unit: Annotated[str, Parameter(help="The unit, where the recipe names a class of units only.")] = "",
    equipment: Annotated[tuple[str, ...], Parameter(negative="", help="Equipment by id; repeat it for more.")] = (),
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Begin the phase whose turn it is.

    Example: seedtrain batch begin PBS-001 salts --equipment BAL-1 --as person-1 --record record.db
    """
    from seedtrain.gmp import begin_phase

    def do(ledger: Ledger, actor: str) -> BatchRecord:
        path = _path(ledger, batch, phase)
        return begin_phase(ledger, batch, path, actor, unit=unit, equipment=equipment)

    return acted(do, signer, record, common)


def enter(
    batch: BatchName,
    phase: PhaseName,
    tag: str,
    value: Annotated[str, Parameter(allow_leading_hyphen=True)],
    unit: str = "",
    *,
    instrument: Annotated[str, Parameter(help="The device it was read on.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Enter a value that was read, in the unit of the recipe; out of its limits it is recorded as it is.

    Example: seedtrain batch enter PBS-001 volume gross 2509.0 g --as person-1 --record record.db

    Parameters
    ----------
    tag
        What was read, as the recipe calls it.
    value
        The number, the choice or the text.
    unit
        The unit; none for a plain number and for words.
    """
    from seedtrain.gmp import enter_value

    def do(ledger: Ledger, actor: str) -> BatchRecord:
        path = _path(ledger, batch, phase)
        found = enter_value(ledger, batch, path, tag, value, unit, actor, instrument=instrument)
        _tell_limits(found, path, tag, common)
        return found

    return acted(do, signer, record, common)


def dispense(
    batch: BatchName,
    phase: PhaseName,
    lot: str,
    amount: str,
    unit: str = "",
    *,
    reference: Annotated[str, Parameter(help="The ticket's number: tells two equal weighings apart.")] = "",
    instrument: Annotated[str, Parameter(help="The balance.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Put an amount of a lot into the phase: released, in date, of the right material, in the unit of the recipe.

    Example: seedtrain batch dispense PBS-001 salts NACL-7 8.02 g --as person-1 --record record.db

    Parameters
    ----------
    lot
        The lot.
    amount
        How much.
    unit
        The unit; none for a number of pieces.
    """
    from seedtrain.gmp import dispense as put_in

    def do(ledger: Ledger, actor: str) -> BatchRecord:
        path, head = _path(ledger, batch, phase), ledger.head
        found = put_in(ledger, batch, path, lot, amount, unit, actor, reference=reference, instrument=instrument)
        if ledger.head == head and not (common is not None and common.json):
            print(_("recorded before, nothing was added; --reference tells another weighing of this amount apart"))
        _tell_tolerance(found, path, lot, common)
        return found

    return acted(do, signer, record, common)


def complete(
    batch: BatchName,
    phase: PhaseName,
    *,
    reason: Annotated[str, Parameter(help="Why you complete it, where you have not acted in it.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Complete a phase in which everything is there, and sign for having performed it.

    Example: seedtrain batch complete PBS-001 salts --as person-1 --record record.db
    """
    from seedtrain.gmp import complete_phase

    def do(ledger: Ledger, actor: str) -> BatchRecord:
        return complete_phase(ledger, batch, _path(ledger, batch, phase), actor, reason=reason)

    return acted(do, signer, record, common)


def check(
    batch: BatchName, phase: PhaseName, *, signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Check a complete phase as a second person, and sign.

    Example: seedtrain batch check PBS-001 salts --as person-2 --record record.db
    """
    from seedtrain.gmp import check_by_second

    return acted(
        lambda ledger, actor: check_by_second(ledger, batch, _path(ledger, batch, phase), actor),
        signer,
        record,
        common,
    )


def sign(
    batch: BatchName, phase: PhaseName, *, signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Sign a hold point, as another person; or sign anew for a phase in which a value was corrected.

    Example: seedtrain batch sign PBS-001 adjust --as person-3 --record record.db
    """
    from seedtrain.gmp import sign_phase

    return acted(
        lambda ledger, actor: sign_phase(ledger, batch, _path(ledger, batch, phase), actor), signer, record, common
    )


def clear(
    batch: BatchName,
    line: str,
    *,
    found: Annotated[str, Parameter(help="What was looked at and found: empty, labels counted ...")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Clear a line: it was inspected, and holds nothing of a batch before.

    Example: seedtrain batch clear PBS-001 FILL-1 --found "empty, no labels left" --as person-1 --record record.db

    Parameters
    ----------
    line
        The line, as the recipe calls it.
    """
    from seedtrain.gmp import clear_line

    return acted(lambda ledger, actor: clear_line(ledger, batch, line, actor, found=found), signer, record, common)


def comment(
    batch: BatchName,
    text: str,
    *,
    phase: Annotated[str, Parameter(help="The phase that it is about; the whole batch if not given.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Remark something; the reviewer reads it.

    Example: seedtrain batch comment PBS-001 "stirrer noisy, mechanic informed" --as person-1 --record record.db

    Parameters
    ----------
    text
        The remark.
    """
    from seedtrain.gmp import comment_on

    def do(ledger: Ledger, actor: str) -> BatchRecord:
        path = _path(ledger, batch, phase) if phase else ""
        return comment_on(ledger, batch, text, actor, phase=path)

    return acted(do, signer, record, common)


def correct(
    batch: BatchName,
    phase: PhaseName,
    tag: str,
    value: Annotated[str, Parameter(allow_leading_hyphen=True)],
    unit: str = "",
    *,
    reason: Reason,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Put right an entry; the old value stays visible, and signatures of the phase have to be given again.

    Example: seedtrain batch correct PBS-001 volume tare 1505.0 --reason misread --as person-1 --record record.db

    Parameters
    ----------
    tag
        What was entered wrongly.
    value
        What is right.
    unit
        The unit of the entry, as it was entered; may be left out.
    """
    from seedtrain.gmp import correct_entry

    def do(ledger: Ledger, actor: str) -> BatchRecord:
        path = _path(ledger, batch, phase)
        found = correct_entry(ledger, batch, path, tag, value, actor, unit=unit, reason=reason)
        _tell_limits(found, path, tag, common)
        return found

    return acted(do, signer, record, common)


def lift(
    batch: BatchName,
    phase: PhaseName,
    gate: str,
    subject: str,
    *,
    deviation: Annotated[str, Parameter(help="The deviation under which it goes on.")],
    reason: Reason,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """As quality, let a phase go on past a hard stop, under a deviation.

    Example: seedtrain batch lift PBS-001 salts lot.unfit NACL-7 --deviation PBS-001-DEV-01 --reason "retested, \
conforms" --as person-4 --record record.db

    Parameters
    ----------
    gate
        Which check stopped it, as the stop says.
    subject
        Because of what: the lot, the device, the person.
    """
    from seedtrain.gmp import lift_stop

    def do(ledger: Ledger, actor: str) -> BatchRecord:
        path = _path(ledger, batch, phase)
        return lift_stop(ledger, batch, path, gate, subject, actor, deviation=deviation, reason=reason)

    return acted(do, signer, record, common)


def acted(do: _Act, signer: Signer, record: str | None, common: Common | None) -> int:
    """Sign in, do it, and say how the batch stands."""
    from seedtrain.gmp import batch_recipe

    def act(ledger: Ledger, actor: str) -> tuple[BatchRecord, ControlRecipe, list[str]]:
        found = do(ledger, actor)
        control = batch_recipe(ledger, found)
        return found, control, on_plant(ledger, found, control)

    return signed_act(
        *(signer, record, common, act),
        lambda done: stand_lines(*done),
        data=lambda done: batch_data(*done[:2]),
    )


def _path(ledger: Ledger, batch: str, phase: str) -> str:
    """The path of a phase that is named by its last part."""
    from seedtrain.gmp import batch_recipe, batch_record, phase_path

    found = batch_record(ledger.events(subject=batch, type="batch.created"), batch)  # its recipe stands there
    return phase_path(batch_recipe(ledger, found).recipe, phase)


def _tell_limits(found: BatchRecord, phase: str, tag: str, common: Common | None) -> None:
    """Say at once that a value, or one calculated from it, is out of its limits."""
    if common is not None and common.json:
        return
    for name, item in found.values_of(phase).items():
        value = f"{item.current} {item.unit}".rstrip()
        if name != tag and item.kind != "calculated":
            continue
        if not (item.within and item.keeps_limits):
            words = _("{tag} {value} is outside {limits}: an excursion, which needs a deviation")
            if replace(item, value=item.current, corrections=()).keeps_limits:
                words = _("{tag} {value} is within {limits}; what stood there before was not, and needs a deviation")
            print(words.format(tag=name, value=value, limits=item.limits))
        elif item.outside:
            print(_("{tag} {value} is outside its alert limits").format(tag=name, value=value))


def _tell_tolerance(found: BatchRecord, phase: str, lot: str, common: Common | None) -> None:
    if common is not None and common.json:
        return
    line = next(item for item in reversed(found.consumed) if (item.phase, item.lot) == (phase, lot))
    if not line.keeps_limits:
        words = _("{tag} {value} is outside {limits}: an excursion, which needs a deviation")
        limits = " .. ".join(edge or "" for edge in line.bounds)
        print(words.format(tag=lot, value=f"{line.amount} {line.unit}".rstrip(), limits=limits))
