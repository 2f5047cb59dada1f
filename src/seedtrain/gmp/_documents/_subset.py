"""Which events a stranger needs to judge one batch, and no others."""

from __future__ import annotations

from collections.abc import Callable

from seedtrain.gmp._batch._record import batch_record
from seedtrain.gmp._lots._genealogy import genealogy
from seedtrain.record import Event, Ledger

_NAMED_BY = (
    "batch",
    "lot",
    "deviation",
    "sample",
    "equipment",
    "master_digest",
    "digest",
    "record_digest",
    "capa",
    "change",
)
"""Parts of a payload by which an event filed elsewhere says what it is about."""
_OF_OTHERS = ("batch.created", "lot.consumed", "lot.produced", "batch.released", "batch.rejected")


def belonging(ledger: Ledger, batch: str) -> Callable[[Event], bool]:
    """Whether an event belongs to the batch: filed under it, its recipe, its lots or its equipment, or naming them.

    Signatures over such an event belong too, wherever they are filed, and so does what the clock said meanwhile. Of
    another batch whose product went into this one: what it took and made, and the decision on it, and nothing else.
    Raises `InputError` where the ledger holds no such batch.
    """
    record = batch_record(ledger.events(subject=batch), batch)
    header = record.header
    subjects = {batch, record.lot or batch, header.recipe_digest, header.master_digest}
    lines = genealogy(ledger.events(), record.lot or batch)
    subjects |= {line.lot for line in lines if not line.batch}
    others = {line.batch for line in lines if line.batch} - {batch}
    subjects |= {name for step in record.steps for name in (step.unit, *step.equipment)}
    subjects |= {item.device for item in record.values if item.device}
    subjects |= {item.instrument for item in record.consumed if item.instrument}
    subjects |= {item.deviation for item in record.deviations} | {item.sample for item in record.samples}
    named = {batch, record.lot or batch, *(item.deviation for item in record.deviations)}
    named |= {item.sample for item in record.samples}
    first = next(iter(ledger.events(subject=batch))).seq
    digests: set[str] = set()

    def chosen(event: Event) -> bool:
        about = event.subject in subjects or any(str(event.payload.get(key)) in named for key in _NAMED_BY)
        about |= event.subject in others and event.type in _OF_OTHERS
        clock = event.type == "clock.checked" and first <= event.seq
        signed = event.type == "signature.applied" and event.payload.get("record_digest") in digests
        if about or clock or signed:
            digests.add(event.digest)
            return True
        return False

    return chosen
