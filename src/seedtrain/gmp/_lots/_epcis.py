"""The life of lots as EPCIS 2.0 events in JSON-LD: what, when, where, why and how, from the ledger's own events.

Source: GS1 EPCIS 2.0 and CBV 2.0 (2022). A correction is an `errorDeclaration` on what was said before, with the
event that puts it right; nothing is left out. Amounts carry units of UN/ECE Recommendation 20.
"""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from seedtrain.base import Position, UnavailableError
from seedtrain.gmp._lots._amounts import amount_in
from seedtrain.gmp._lots._book import LotBook, lot_book
from seedtrain.gmp._lots._goods import NO_EXPIRY
from seedtrain.gmp._lots._gs1 import CHARACTERS, check_digit
from seedtrain.record import Event, Ledger, moment

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
VOCABULARY: Final = "urn:uuid:3c5d4a5e-9d0c-5f0e-8a55-6a1f4a0b7c21#"
"""The namespace of our own fields (`seedtrain:`): seq and digest of the ledger's event, reason, hold, simulated."""

_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {"kg": "KGM", "g": "GRM", "mg": "MGM", "t": "TNE", "L": "LTR", "mL": "MLT", "m2": "MTK", "m3": "MTQ", "IU": "NIU"}
)
_STATUS: Final = {"quarantined": "unavailable", "released": "available", "rejected": "non_conformant"}
_STATES: Final = {"conforms": "conformant", "oos": "non_conformant", "invalid": "unknown"}
_DECIDED: Final = {
    "batch.released": "conformant",
    "batch.rejected": "non_conformant",
    "batch.on_hold": "unavailable",
}
Made = dict[str, Any]


def write_epcis(ledger: Ledger, path: Path, *, lot: str = "", base: str = "") -> int:
    """Write the document to a file, whole or not at all, and return the number of its events; see `epcis_events`."""
    head = {
        "@context": [CONTEXT, {"seedtrain": VOCABULARY}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": _millis(ledger.now.isoformat()),
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
    writer = _Writer(_Names(base or _base(ledger), gtins), ledger.id, batches)
    for event in ledger.events():
        handler = _HANDLERS.get(event.type)
        if handler is not None and (wanted is None or wanted & _concerned(event)):
            yield from handler(writer, event)


def _concerned(event: Event) -> set[str]:
    named = {event.subject, str(event.payload.get("lot", ""))}
    parts = event.payload.get("from", ())
    return named | {str(part["lot"]) if isinstance(part, Mapping) else str(part) for part in parts}


def _products(book: LotBook) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in book.entries():
        if item.kind == "produced":
            found.setdefault(item.batch, []).append(item.id)
    return found


def _base(ledger: Ledger) -> str:
    return f"urn:uuid:{uuid.UUID(hex=ledger.id.rpartition('/')[2])}#"


@dataclass(frozen=True)
class _Names:
    """URIs of what the events speak of: GS1 Digital Links where there is a GS1 key, else our own."""

    base: str
    gtins: Mapping[str, str]

    def lot(self, lot: str) -> str:
        gtin = self.gtins.get(lot)
        if gtin and len(lot) <= 20 and set(lot) <= CHARACTERS:
            return f"https://id.gs1.org/01/{gtin}/10/{quote(lot, safe='')}"
        return self._own("lot", lot)

    def place(self, name: str) -> str:
        return f"https://id.gs1.org/414/{name}" if _is_key(name, 13) else self._own("location", name)

    def container(self, name: str) -> str:
        return f"https://id.gs1.org/00/{name}" if _is_key(name, 18) else self._own("container", name)

    def party(self, name: str) -> str:
        return f"https://id.gs1.org/417/{name}" if _is_key(name, 13) else self._own("party", name)

    def batch(self, name: str) -> str:
        return self._own("batch", name)

    def document(self, name: str) -> str:
        return self._own("document", name)

    def device(self, name: str) -> str:
        return self._own("device", name)

    def _own(self, kind: str, name: str) -> str:
        return f"{self.base}{kind}/{quote(name, safe='')}"


def _is_key(text: str, length: int) -> bool:
    return len(text) == length and text.isdecimal() and text.isascii() and check_digit(text[:-1]) == text[-1]


@dataclass
class _Writer:
    """Turns events of the ledger into EPCIS events; remembers what was said of a lot, for a later correction."""

    names: _Names
    ledger: str
    products: Mapping[str, list[str]]
    stated: dict[str, Made] = field(default_factory=dict)
    tests: dict[str, Made] = field(default_factory=dict)
    used: dict[str, Made] = field(default_factory=dict)

    def event(self, kind: str, event: Event, part: str = "") -> Made:
        """What every EPCIS event has: times, identity, and where in the ledger it stands."""
        identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.ledger}/{event.id}/{part}")
        made: Made = {
            "type": kind,
            "eventID": f"urn:uuid:{identity}",
            "eventTime": _millis(event.occurred_at),
            "eventTimeZoneOffset": "+00:00",
            "recordTime": _millis(event.recorded_at),
            "seedtrain:seq": event.seq,
            "seedtrain:digest": event.digest,
        }
        if event.reason:
            made["seedtrain:reason"] = event.reason
        if event.payload.get("origin") == "simulated":
            made["seedtrain:simulated"] = True
        return made

    def amount(self, lot: str, amount: object = None, unit: str = "") -> Made:
        """A quantity of a lot; of a unit that Recommendation 20 has no code for, only that there was some."""
        made: Made = {"epcClass": self.names.lot(lot)}
        text = str(amount or "")
        if unit and unit not in _UNITS:
            unit, text = next(
                ((to, str(found)) for to in ("g", "L", "m2") if (found := amount_in(text, unit, to)) is not None),
                ("?", ""),
            )
        if text and unit != "?":
            number = Decimal(text)
            made["quantity"] = int(number) if number == number.to_integral_value() else float(number)
            if unit:
                made["uom"] = _UNITS[unit]
        return made

    def observed(self, event: Event, step: str, disposition: str, lots: list[str] | None = None) -> Made:
        """An ObjectEvent that only observes lots."""
        made = self.event("ObjectEvent", event) | {"action": "OBSERVE", "bizStep": step, "disposition": disposition}
        made["quantityList"] = [self.amount(lot) for lot in lots or [event.subject]]
        return made

    def moved(self, made: Made, source: str = "", destination: str = "") -> Made:
        """With the parties between which it changed hands."""
        if source:
            made["sourceList"] = [{"type": "possessing_party", "source": self.names.party(source)}]
        if destination:
            made["destinationList"] = [{"type": "possessing_party", "destination": self.names.party(destination)}]
        return made


def _received(writer: _Writer, event: Event) -> Iterator[Made]:
    made = _receipt(writer, event, event.payload)
    writer.stated[event.subject] = made
    yield made


def _receipt(writer: _Writer, event: Event, payload: Mapping[str, Any]) -> Made:
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


def _amended(writer: _Writer, event: Event) -> Iterator[Made]:
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
        "declarationTime": _millis(event.recorded_at),
        "reason": "incorrect_data",
        "correctiveEventIDs": [after["eventID"]],
    }


def _decided(writer: _Writer, event: Event) -> Iterator[Made]:
    yield writer.observed(event, "inspecting", _STATUS[str(event.payload["status"])])


def _tested(writer: _Writer, event: Event) -> Iterator[Made]:
    payload = event.payload
    made = writer.observed(event, "inspecting", _STATES[str(payload["state"])])
    said = f"{payload['attribute']} {payload['reported']}, limit {payload['limit']}, by {payload['method']}"
    made["seedtrain:result"] = said
    writer.tests[event.id] = made
    yield made


def _invalidated(writer: _Writer, event: Event) -> Iterator[Made]:
    after = writer.observed(event, "inspecting", "unknown")
    before = writer.tests.get(str(event.payload["test"]))
    if before is not None:
        yield before | {"errorDeclaration": _declared(event, after)}
    yield after


def _moved(writer: _Writer, event: Event) -> Iterator[Made]:
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


def _consumed(writer: _Writer, event: Event) -> Iterator[Made]:
    payload = event.payload
    made = writer.event("TransformationEvent", event) | {"bizStep": "commissioning", "disposition": "in_progress"}
    made["transformationID"] = writer.names.batch(event.subject)
    made |= {"inputQuantityList": [writer.amount(str(payload["lot"]), payload["amount"], str(payload["unit"]))]}
    writer.used[event.id] = made
    yield made


def _amount_corrected(writer: _Writer, event: Event) -> Iterator[Made]:
    """The use as it was said first, declared an error, and the amount that is right, at the time of the first."""
    before = writer.used.get(str(event.corrects))
    for made in _consumed(writer, event):
        after = made | {} if before is None else made | {"eventTime": before["eventTime"]}
        if before is not None:
            yield before | {"errorDeclaration": _declared(event, after)}
        writer.used[str(event.corrects)] = after
        yield after


def _produced(writer: _Writer, event: Event) -> Iterator[Made]:
    payload = event.payload
    made = writer.event("TransformationEvent", event) | {"bizStep": "commissioning", "disposition": "unavailable"}
    made["transformationID"] = writer.names.batch(event.subject)
    sources = [writer.amount(str(source)) for source in payload.get("from", ())]
    made |= {"inputQuantityList": sources} if sources else {}
    yield made | {"outputQuantityList": [writer.amount(str(payload["lot"]), payload["amount"], str(payload["unit"]))]}


def _divided(writer: _Writer, event: Event) -> Iterator[Made]:
    payload = event.payload
    made = writer.event("TransformationEvent", event) | {"bizStep": "repackaging"}
    made["disposition"] = _STATUS[str(payload["status"])]
    made["inputQuantityList"] = [writer.amount(str(p["lot"]), p["amount"], str(p["unit"])) for p in payload["from"]]
    made["outputQuantityList"] = [writer.amount(event.subject, payload["quantity"], str(payload["unit"]))]
    writer.stated[event.subject] = made
    yield made


def _discarded(writer: _Writer, event: Event) -> Iterator[Made]:
    made = writer.event("ObjectEvent", event) | {
        "action": "DELETE",
        "bizStep": "destroying",
        "disposition": "destroyed",
    }
    yield made | {"quantityList": [writer.amount(event.subject, event.payload["amount"], str(event.payload["unit"]))]}


def _shipped(writer: _Writer, event: Event) -> Iterator[Made]:
    payload = event.payload
    document = str(payload.get("document", ""))
    made = writer.event("TransactionEvent" if document else "ObjectEvent", event)
    made |= {"action": "ADD" if document else "OBSERVE", "bizStep": "shipping", "disposition": "in_transit"}
    if document:
        made["bizTransactionList"] = [{"type": "desadv", "bizTransaction": writer.names.document(document)}]
    made["quantityList"] = [writer.amount(event.subject, payload["amount"], str(payload["unit"]))]
    yield writer.moved(made, destination=str(payload["to"]))


def _held(writer: _Writer, event: Event) -> Iterator[Made]:
    yield writer.observed(event, "holding", "unavailable") | {
        "seedtrain:hold": str(event.payload["hold"]),
        "seedtrain:root": writer.names.lot(str(event.payload["root"])),
    }


def _lifted(writer: _Writer, event: Event) -> Iterator[Made]:
    yield writer.observed(event, "inspecting", "available") | {"seedtrain:hold": str(event.payload["hold"])}


def _batch_decided(writer: _Writer, event: Event) -> Iterator[Made]:
    lots = writer.products.get(event.subject)
    if lots:
        yield writer.observed(event, "inspecting", _DECIDED[event.type], lots)


def _millis(time: str) -> str:
    """Milliseconds, as EPCIS recommends; the ledger's microseconds are cut, not rounded."""
    return moment(time).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_HANDLERS: Final[Mapping[str, Callable[[_Writer, Event], Iterator[Made]]]] = MappingProxyType(
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
        **dict.fromkeys(_DECIDED, _batch_decided),
    }
)
