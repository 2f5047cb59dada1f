"""The life of lots as EPCIS 2.0 events in JSON-LD: what, when, where, why and how, from the ledger's own events.

Source: GS1 EPCIS 2.0 and CBV 2.0 (2022). A correction is an `errorDeclaration` on what was said before, with the
event that puts it right; nothing is left out. Amounts carry units of UN/ECE Recommendation 20.
"""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from seedtrain.base import Position, UnavailableError
from seedtrain.gmp._lots._book import LotBook, lot_book
from seedtrain.gmp._lots._epcis_vials import VIALS
from seedtrain.gmp._lots._epcis_writer import Handler, Made, Names, Writer, millis
from seedtrain.gmp._lots._goods import NO_EXPIRY
from seedtrain.record import Event, Ledger

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
VOCABULARY: Final = "urn:uuid:3c5d4a5e-9d0c-5f0e-8a55-6a1f4a0b7c21#"
"""The namespace of our own fields (`seedtrain:`): seq and digest of the ledger's event, reason, hold, simulated."""

_STATUS: Final = {"quarantined": "unavailable", "released": "available", "rejected": "non_conformant"}
_STATES: Final = {"conforms": "conformant", "oos": "non_conformant", "invalid": "unknown"}
_DECIDED: Final = {
    "batch.released": "conformant",
    "batch.rejected": "non_conformant",
    "batch.on_hold": "unavailable",
}


def write_epcis(ledger: Ledger, path: Path, *, lot: str = "", base: str = "") -> int:
    """Write the document to a file, whole or not at all, and return the number of its events; see `epcis_events`."""
    head = {
        "@context": [CONTEXT, {"seedtrain": VOCABULARY}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": millis(ledger.now.isoformat()),
    }
    count = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "epcisBody": {"eventList": [')
                for event in epcis_events(ledger, lot=lot, base=base):
                    stream.write((",\n" if count else "\n") + json.dumps(event, ensure_ascii=False, allow_nan=False))
                    count += 1
                stream.write("\n]}}\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UnavailableError(
            f"cannot write: {error.strerror}", position=Position(str(path)), remedy="Free space, or name another file."
        ) from error
    return count


def epcis_events(ledger: Ledger, *, lot: str = "", base: str = "") -> Iterator[Made]:
    """The EPCIS events in the order of the ledger, each with its own stable `eventID`.

    - `lot`: only what concerns this lot, all upstream and all downstream of it; every lot if not given.
    - `base`: what the URIs of lots without a GTIN, of batches, places and parties begin with; if not given, a URN of
      the ledger's own identity, so that a restored copy gives the same ones.

    Raises `InputError` for a lot that the ledger does not know.
    """
    with lot_book(ledger) as book:
        wanted = {line.lot for line in (*book.genealogy(lot), *book.where_used(lot))} if lot else None
        gtins = {item.id: item.particulars.gtin for item in book.entries() if item.particulars.gtin}
        batches = _products(book)
    writer = Writer(Names(base or _base(ledger), gtins), ledger.id, batches)
    for event in ledger.events():
        handler = _HANDLERS.get(event.type)
        if handler is not None and (wanted is None or wanted & _concerned(event)):
            yield from handler(writer, event)


def _concerned(event: Event) -> set[str]:
    named = {event.subject, str(event.payload.get("lot", ""))}
    named |= {str(item) for name in ("vials", "places") for item in _listed(event.payload.get(name))}
    parts = event.payload.get("from", ())
    return named | {str(part["lot"]) if isinstance(part, Mapping) else str(part) for part in parts}


def _listed(value: object) -> Iterable[Any]:
    return value if isinstance(value, (list, tuple, Mapping)) else ()


def _products(book: LotBook) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in book.entries():
        if item.kind == "produced":
            found.setdefault(item.batch, []).append(item.id)
    return found


def _base(ledger: Ledger) -> str:
    return f"urn:uuid:{uuid.UUID(hex=ledger.id.rpartition('/')[2])}#"


def _received(writer: Writer, event: Event) -> Iterator[Made]:
    made = _receipt(writer, event, event.payload)
    writer.stated[event.subject] = made
    yield made


def _receipt(writer: Writer, event: Event, payload: Mapping[str, Any]) -> Made:
    made = writer.event("ObjectEvent", event)
    made |= {"action": "ADD", "bizStep": "receiving", "disposition": _STATUS[str(payload["status"])]}
    made["quantityList"] = [writer.amount(event.subject, payload["quantity"], str(payload["unit"]))]
    if payload.get("location"):
        made["bizLocation"] = {"id": writer.names.place(str(payload["location"]))}
    if payload.get("order"):
        order = writer.names.document(str(payload["order"]))
        made["bizTransactionList"] = [{"type": "po", "bizTransaction": order}]
    ilmd = {"cbvmda:lotNumber": str(payload.get("supplier_lot") or event.subject)}
    if payload["expiry"] != NO_EXPIRY.isoformat():
        ilmd["cbvmda:itemExpirationDate"] = str(payload["expiry"])
    made["ilmd"] = ilmd
    return writer.moved(made, source=str(payload["supplier"]))


def _amended(writer: Writer, event: Event) -> Iterator[Made]:
    """What was said before, declared an error, and what is right: at the time of the first event, recorded now."""
    before = writer.stated.get(event.subject)
    after = _receipt(writer, event, event.payload)
    if before is not None:
        after["eventTime"] = before["eventTime"]
        if before["type"] == "TransformationEvent":
            kept = {
                name: before[name] for name in before if name.endswith("QuantityList") or name == "transformationID"
            }
            after = {name: item for name, item in after.items() if name not in ("action", "quantityList", "ilmd")}
            after |= {"type": "TransformationEvent", "bizStep": before["bizStep"], **kept}
            after.pop("sourceList", None)
        yield before | {"errorDeclaration": _declared(event, after)}
    writer.stated[event.subject] = after
    yield after


def _declared(event: Event, after: Made) -> Made:
    return {
        "declarationTime": millis(event.recorded_at),
        "reason": "incorrect_data",
        "correctiveEventIDs": [after["eventID"]],
    }


def _decided(writer: Writer, event: Event) -> Iterator[Made]:
    yield writer.observed(event, "inspecting", _STATUS[str(event.payload["status"])])


def _tested(writer: Writer, event: Event) -> Iterator[Made]:
    payload = event.payload
    made = writer.observed(event, "inspecting", _STATES[str(payload["state"])])
    said = f"{payload['attribute']} {payload['reported']}, limit {payload['limit']}, by {payload['method']}"
    made["seedtrain:result"] = said
    writer.tests[event.id] = made
    yield made


def _invalidated(writer: Writer, event: Event) -> Iterator[Made]:
    after = writer.observed(event, "inspecting", "unknown")
    before = writer.tests.get(str(event.payload["test"]))
    if before is not None:
        yield before | {"errorDeclaration": _declared(event, after)}
    yield after


def _moved(writer: Writer, event: Event) -> Iterator[Made]:
    payload = event.payload
    where = {"bizLocation": {"id": writer.names.place(str(payload["location"]))}}
    container, logger = (str(payload.get(name, "")) for name in ("container", "logger"))
    if container:
        made = writer.event("AggregationEvent", event) | {"action": "ADD", "bizStep": "packing"} | where
        yield made | {
            "parentID": writer.names.container(container),
            "childQuantityList": [writer.amount(event.subject)],
        }
    else:
        yield writer.observed(event, "storing", "in_progress") | where
    if logger:
        made = writer.event("AssociationEvent", event, "logger") | {"action": "ADD", "bizStep": "installing"} | where
        parent = writer.names.container(container) if container else writer.names.place(str(payload["location"]))
        yield made | {"parentID": parent, "childEPCs": [writer.names.device(logger)]}


def _consumed(writer: Writer, event: Event) -> Iterator[Made]:
    payload = event.payload
    made = writer.event("TransformationEvent", event) | {"bizStep": "commissioning", "disposition": "in_progress"}
    made["transformationID"] = writer.names.batch(event.subject)
    lot = str(payload["lot"])
    if lot in writer.vials:
        made["inputEPCList"] = [writer.names.vial(lot)]
    else:
        made["inputQuantityList"] = [writer.amount(lot, payload["amount"], str(payload["unit"]))]
    writer.used[event.id] = made
    yield made


def _amount_corrected(writer: Writer, event: Event) -> Iterator[Made]:
    """The use as it was said first, declared an error, and the amount that is right, at the time of the first."""
    before = writer.used.get(str(event.corrects))
    for made in _consumed(writer, event):
        after = made | {} if before is None else made | {"eventTime": before["eventTime"]}
        if before is not None:
            yield before | {"errorDeclaration": _declared(event, after)}
        writer.used[str(event.corrects)] = after
        yield after


def _produced(writer: Writer, event: Event) -> Iterator[Made]:
    payload = event.payload
    made = writer.event("TransformationEvent", event) | {"bizStep": "commissioning", "disposition": "unavailable"}
    made["transformationID"] = writer.names.batch(event.subject)
    sources = [writer.amount(str(source)) for source in payload.get("from", ())]
    made |= {"inputQuantityList": sources} if sources else {}
    yield made | {"outputQuantityList": [writer.amount(str(payload["lot"]), payload["amount"], str(payload["unit"]))]}


def _divided(writer: Writer, event: Event) -> Iterator[Made]:
    payload = event.payload
    made = writer.event("TransformationEvent", event) | {"bizStep": "repackaging"}
    made["disposition"] = _STATUS[str(payload["status"])]
    made["inputQuantityList"] = [writer.amount(str(p["lot"]), p["amount"], str(p["unit"])) for p in payload["from"]]
    made["outputQuantityList"] = [writer.amount(event.subject, payload["quantity"], str(payload["unit"]))]
    writer.stated[event.subject] = made
    yield made


def _discarded(writer: Writer, event: Event) -> Iterator[Made]:
    made = writer.event("ObjectEvent", event) | {
        "action": "DELETE",
        "bizStep": "destroying",
        "disposition": "destroyed",
    }
    yield made | {"quantityList": [writer.amount(event.subject, event.payload["amount"], str(event.payload["unit"]))]}


def _shipped(writer: Writer, event: Event) -> Iterator[Made]:
    payload = event.payload
    document = str(payload.get("document", ""))
    made = writer.event("TransactionEvent" if document else "ObjectEvent", event)
    made |= {"action": "ADD" if document else "OBSERVE", "bizStep": "shipping", "disposition": "in_transit"}
    if document:
        made["bizTransactionList"] = [{"type": "desadv", "bizTransaction": writer.names.document(document)}]
    made["quantityList"] = [writer.amount(event.subject, payload["amount"], str(payload["unit"]))]
    yield writer.moved(made, destination=str(payload["to"]))


def _held(writer: Writer, event: Event) -> Iterator[Made]:
    yield writer.observed(event, "holding", "unavailable") | {
        "seedtrain:hold": str(event.payload["hold"]),
        "seedtrain:root": writer.names.lot(str(event.payload["root"])),
    }


def _lifted(writer: Writer, event: Event) -> Iterator[Made]:
    yield writer.observed(event, "inspecting", "available") | {"seedtrain:hold": str(event.payload["hold"])}


def _batch_decided(writer: Writer, event: Event) -> Iterator[Made]:
    lots = writer.products.get(event.subject)
    if lots:
        yield writer.observed(event, "inspecting", _DECIDED[event.type], lots)


_HANDLERS: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        "lot.received": _received,
        "lot.amended": _amended,
        "lot.status_changed": _decided,
        "lot.tested": _tested,
        "lot.test_invalidated": _invalidated,
        "lot.moved": _moved,
        "lot.consumed": _consumed,
        "lot.consumption_corrected": _amount_corrected,
        "lot.produced": _produced,
        "lot.split": _divided,
        "lot.merged": _divided,
        "lot.discarded": _discarded,
        "lot.shipped": _shipped,
        "lot.held": _held,
        "lot.hold_lifted": _lifted,
        **VIALS,
        **dict.fromkeys(_DECIDED, _batch_decided),
    }
)
