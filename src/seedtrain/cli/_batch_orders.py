"""The orders that people give to a whole batch: hold, restart, pause, resume, stop, abort, and its end."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from seedtrain.cli._arguments import BatchName
from seedtrain.cli._batch_acts import Reason, acted
from seedtrain.cli._common import Common
from seedtrain.cli._signing import RecordUrl, Signer

OfUnit = Annotated[str, Parameter(help="This unit alone, where the recipe lets others run beside it.")]


def finish(
    batch: BatchName,
    amount: str = "",
    unit: str = "",
    *,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """End a batch of which every phase is complete, checked and signed; what it made becomes a lot.

    Example: seedtrain batch finish PBS-001 950 mL --as person-1 --record record.db

    Parameters
    ----------
    amount
        How much of the product was made; none where nothing was.
    unit
        The unit of it.
    """
    from seedtrain.gmp import finish_batch

    return acted(
        lambda ledger, actor: finish_batch(ledger, batch, actor, amount=amount, unit=unit), signer, record, common
    )


def hold(
    batch: BatchName,
    *,
    unit: OfUnit = "",
    reason: Reason,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Hold a batch, or one unit of it: it is brought to its safe state and waits.

    Example: seedtrain batch hold PBS-001 --reason "power dip" --as person-1 --record record.db
    """
    return _ordered(batch, "hold", reason, signer, record, common, unit)


def restart(
    batch: BatchName,
    *,
    unit: OfUnit = "",
    reason: Reason = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Bring a held batch, or one unit of it, back.

    Example: seedtrain batch restart PBS-001 --as person-1 --record record.db
    """
    return _ordered(batch, "restart", reason, signer, record, common, unit)


def pause(
    batch: BatchName, *, reason: Reason = "", signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Pause a batch.

    Example: seedtrain batch pause PBS-001 --as person-1 --record record.db
    """
    return _ordered(batch, "pause", reason, signer, record, common)


def resume(
    batch: BatchName, *, reason: Reason = "", signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Let a paused batch go on.

    Example: seedtrain batch resume PBS-001 --as person-1 --record record.db
    """
    return _ordered(batch, "resume", reason, signer, record, common)


def stop(
    batch: BatchName, *, reason: Reason, signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Stop a batch in order; it does not go on.

    Example: seedtrain batch stop PBS-001 --reason "order withdrawn" --as person-1 --record record.db
    """
    return _ordered(batch, "stop", reason, signer, record, common)


def abort(
    batch: BatchName, *, reason: Reason, signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Abort a batch at once; it does not go on.

    Example: seedtrain batch abort PBS-001 --reason "vessel leaks" --as person-1 --record record.db
    """
    return _ordered(batch, "abort", reason, signer, record, common)


def _ordered(
    batch: str, name: str, reason: str, signer: Signer, record: str | None, common: Common | None, unit: str = ""
) -> int:
    from seedtrain.gmp import command_batch
    from seedtrain.recipe import Command

    command: Command = Command(name)
    return acted(
        lambda ledger, actor: command_batch(ledger, batch, command, actor, unit=unit, reason=reason),
        signer,
        record,
        common,
    )
