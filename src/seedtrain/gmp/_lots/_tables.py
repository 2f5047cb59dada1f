"""The read model of lots: tables beside the ledger, so that a trace over 100,000 lots does not read every event."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from seedtrain.gmp._lots._genealogy import edges_of
from seedtrain.record import Event, Projection, register

SCHEMA: Final = """
CREATE TABLE lot_node (
  lot TEXT PRIMARY KEY,
  kind TEXT NOT NULL,      -- named, batch, produced, received, split, merged
  batch TEXT NOT NULL,     -- the batch that made it or is making it
  named TEXT NOT NULL,     -- the material that its use or its production names
  status TEXT NOT NULL,    -- as a person decided it; holds stand in lot_hold
  location TEXT NOT NULL,
  gtin TEXT NOT NULL,
  supplier_lot TEXT NOT NULL,
  statement TEXT NOT NULL  -- the payload by which it was stated last, empty for what never was
) STRICT, WITHOUT ROWID;
CREATE INDEX lot_supplier ON lot_node (supplier_lot) WHERE supplier_lot <> '';
CREATE TABLE lot_edge (
  source TEXT NOT NULL,
  target TEXT NOT NULL,
  seq INTEGER NOT NULL,
  line INTEGER NOT NULL,
  PRIMARY KEY (source, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX lot_edge_target ON lot_edge (target, seq, line, source);
CREATE TABLE lot_movement (
  seq INTEGER NOT NULL,
  line INTEGER NOT NULL,
  lot TEXT NOT NULL,
  kind TEXT NOT NULL,
  amount TEXT NOT NULL,
  unit TEXT NOT NULL,
  other TEXT NOT NULL,     -- the batch, lot or consignee on the other side
  document TEXT NOT NULL,
  at TEXT NOT NULL,
  event TEXT NOT NULL,
  PRIMARY KEY (seq, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX lot_movement_lot ON lot_movement (lot, seq, line);
CREATE TABLE lot_hold (
  lot TEXT NOT NULL,
  hold TEXT NOT NULL,
  seq INTEGER NOT NULL,
  root TEXT NOT NULL,
  through TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (lot, hold)
) STRICT, WITHOUT ROWID;
"""
_NODE: Final = "INSERT OR IGNORE INTO lot_node VALUES (?, 'named', '', '', '', '', '', '', '')"
_MOVEMENT: Final = "INSERT INTO lot_movement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_STATE: Final = (
    "UPDATE lot_node SET statement = ?, status = ?, location = ?, gtin = ?, supplier_lot = ? WHERE lot = ? AND kind = ?"
)


def _apply(connection: Any, event: Event) -> None:
    handler = _HANDLERS.get(event.type)
    if handler is not None:
        handler(connection, event, event.payload)


def _join(connection: Any, event: Event) -> None:
    for line, (source, target) in enumerate(edges_of(event)):
        connection.execute(_NODE, (source,))
        connection.execute(_NODE, (target,))
        connection.execute("INSERT OR IGNORE INTO lot_edge VALUES (?, ?, ?, ?)", (source, target, event.seq, line))


def _moved_amount(connection: Any, event: Event, line: int, lot: str, kind: str, part: Mapping[str, Any]) -> None:
    values = (event.seq, line, lot, kind, str(part["amount"]), str(part["unit"]))
    document = str(part.get("document", part.get("reference", "")))
    connection.execute(_MOVEMENT, (*values, str(part.get("to", "")), document, event.occurred_at, event.id))


def _begins(connection: Any, event: Event, _payload: Mapping[str, Any]) -> None:
    connection.execute(_NODE, (event.subject,))
    connection.execute(
        "UPDATE lot_node SET kind = iif(kind = 'named', 'batch', kind), batch = ? WHERE lot = ?",
        (event.subject, event.subject),
    )


def _states(connection: Any, event: Event, payload: Mapping[str, Any]) -> None:
    lot, kind = event.subject, event.type.removeprefix("lot.")
    connection.execute(_NODE, (lot,))
    if connection.execute("SELECT statement FROM lot_node WHERE lot = ?", (lot,)).get:
        return  # a lot is stated once; the ledger's own id sees to it
    connection.execute("UPDATE lot_node SET kind = ? WHERE lot = ?", (kind, lot))
    _statement(connection, lot, kind, payload)
    _join(connection, event)
    inward = {"amount": payload["quantity"], "unit": payload["unit"], "to": payload["supplier"]}
    _moved_amount(connection, event, 0, lot, kind, inward)
    for line, part in enumerate(payload.get("from", ()), start=1):
        _moved_amount(connection, event, line, str(part["lot"]), f"{kind}_off", {**part, "to": lot})


def _statement(connection: Any, lot: str, kind: str, payload: Mapping[str, Any]) -> None:
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    particulars = (str(payload.get(name, "")) for name in ("location", "gtin", "supplier_lot"))
    connection.execute(_STATE, (text, payload["status"], *particulars, lot, kind))


def _restates(connection: Any, event: Event, payload: Mapping[str, Any]) -> None:
    kind = connection.execute("SELECT kind FROM lot_node WHERE lot = ? AND statement <> ''", (event.subject,)).get
    if kind is None:
        return
    _statement(connection, event.subject, kind, payload)
    connection.execute(
        "UPDATE lot_movement SET amount = ?, unit = ? WHERE lot = ? AND kind = ?",
        (str(payload["quantity"]), str(payload["unit"]), event.subject, kind),
    )


def _decides(connection: Any, event: Event, payload: Mapping[str, Any]) -> None:
    connection.execute(
        "UPDATE lot_node SET status = ? WHERE lot = ? AND statement <> ''", (str(payload["status"]), event.subject)
    )


def _moves(connection: Any, event: Event, payload: Mapping[str, Any]) -> None:
    connection.execute("UPDATE lot_node SET location = ? WHERE lot = ?", (str(payload["location"]), event.subject))


def _consumes(connection: Any, event: Event, payload: Mapping[str, Any]) -> None:
    _join(connection, event)
    lot = str(payload["lot"])
    connection.execute("UPDATE lot_node SET named = ? WHERE lot = ? AND named = ''", (str(payload["material"]), lot))
    _moved_amount(connection, event, 0, lot, "consumed", {**payload, "to": event.subject})


def _corrects(connection: Any, event: Event, payload: Mapping[str, Any]) -> None:
    connection.execute(
        "UPDATE lot_movement SET amount = ?, unit = ? WHERE event = ? AND kind = 'consumed'",
        (str(payload["amount"]), str(payload["unit"]), str(event.corrects)),
    )


def _produces(connection: Any, event: Event, payload: Mapping[str, Any]) -> None:
    lot = str(payload["lot"])
    connection.execute(_NODE, (lot,))
    connection.execute(
        "UPDATE lot_node SET kind = iif(statement = '', 'produced', kind), batch = ?, named = ? WHERE lot = ?",
        (event.subject, str(payload["material"]), lot),
    )
    _join(connection, event)
    _moved_amount(connection, event, 0, lot, "produced", {**payload, "to": event.subject})


def _leaves(connection: Any, event: Event, payload: Mapping[str, Any]) -> None:
    _moved_amount(connection, event, 0, event.subject, event.type.removeprefix("lot."), payload)


def _holds(connection: Any, event: Event, payload: Mapping[str, Any]) -> None:
    values = (event.subject, str(payload["hold"]), event.seq, str(payload["root"]), str(payload["into"]))
    connection.execute("INSERT OR IGNORE INTO lot_hold VALUES (?, ?, ?, ?, ?, ?)", (*values, event.reason or ""))


def _lifts(connection: Any, event: Event, payload: Mapping[str, Any]) -> None:
    connection.execute("DELETE FROM lot_hold WHERE lot = ? AND hold = ?", (event.subject, str(payload["hold"])))


_HANDLERS: Final[Mapping[str, Callable[[Any, Event, Mapping[str, Any]], None]]] = {
    "batch.created": _begins,
    "lot.received": _states,
    "lot.split": _states,
    "lot.merged": _states,
    "lot.amended": _restates,
    "lot.status_changed": _decides,
    "lot.moved": _moves,
    "lot.consumed": _consumes,
    "lot.consumption_corrected": _corrects,
    "lot.produced": _produces,
    "lot.discarded": _leaves,
    "lot.shipped": _leaves,
    "lot.held": _holds,
    "lot.hold_lifted": _lifts,
}

LOTS: Final = register(Projection("lots", 2, SCHEMA, _apply))
