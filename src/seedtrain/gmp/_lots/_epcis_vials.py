"""Vials of banks as EPCIS events: each vial has an identity of its own, from its filling to its use or destruction.

Source: GS1 EPCIS 2.0 (ObjectEvent with instances in `epcList`) and CBV 2.0 (business steps and dispositions).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from seedtrain.gmp._lots._epcis_writer import Handler, Made, Writer
from seedtrain.record import Event


def vial_id(bank: str, number: int) -> str:
    """`MCB-1-007`: a vial's identity, which stands on its label."""
    return f"{bank}-{number:03d}"


def _vials(writer: Writer, event: Event, step: str, disposition: str, vials: Iterable[str]) -> Made:
    made = writer.event("ObjectEvent", event)
    made |= {"action": "OBSERVE", "bizStep": step, "disposition": disposition}
    return made | {"epcList": [writer.names.vial(name) for name in vials]}


def _filled(writer: Writer, event: Event) -> Iterator[Made]:
    names = [vial_id(event.subject, number) for number in range(1, int(event.payload["vials"]) + 1)]
    writer.vials.update(names)
    yield _vials(writer, event, "commissioning", "active", names) | {"action": "ADD"}


def _placed(writer: Writer, event: Event) -> Iterator[Made]:
    """Where they stand: the box; the position in it as our own word."""
    places = event.payload["places"]
    made = _vials(writer, event, "storing", "in_progress", places)
    made["bizLocation"] = {"id": writer.names.place(str(event.payload["box"]))}
    yield made | {"seedtrain:positions": dict(places)}


def _withdrawn(writer: Writer, event: Event) -> Iterator[Made]:
    payload = event.payload
    if payload["purpose"] == "destruction":
        made = _vials(writer, event, "destroying", "destroyed", payload["vials"]) | {"action": "DELETE"}
    else:
        made = _vials(writer, event, "picking", "in_progress", payload["vials"])
    yield made | {"seedtrain:purpose": str(payload["purpose"]), "seedtrain:for": str(payload["for"])}


def _held(writer: Writer, event: Event) -> Iterator[Made]:
    payload = event.payload
    if payload["vials"]:
        made = _vials(writer, event, "holding", "unavailable", payload["vials"])
        yield made | {"seedtrain:excursion": str(payload["excursion"])}


VIALS: Final[Mapping[str, Handler]] = {
    "bank.filled": _filled,
    "bank.placed": _placed,
    "bank.moved": _placed,
    "bank.withdrawn": _withdrawn,
    "bank.excursion_found": _held,
}
"""The events of banks that belong into the export, by type."""
