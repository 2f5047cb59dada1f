"""What every EPCIS event has, and the URIs and amounts that it speaks of."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from seedtrain.gmp._lots._amounts import amount_in
from seedtrain.gmp._lots._gs1 import CHARACTERS, check_digit
from seedtrain.record import Event, moment

_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {"kg": "KGM", "g": "GRM", "mg": "MGM", "t": "TNE", "L": "LTR", "mL": "MLT", "m2": "MTK", "m3": "MTQ", "IU": "NIU"}
)
Made = dict[str, Any]


@dataclass(frozen=True)
class Names:
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

    def vial(self, name: str) -> str:
        return self._own("vial", name)

    def device(self, name: str) -> str:
        return self._own("device", name)

    def _own(self, kind: str, name: str) -> str:
        return f"{self.base}{kind}/{quote(name, safe='')}"


def _is_key(text: str, length: int) -> bool:
    return len(text) == length and text.isdecimal() and text.isascii() and check_digit(text[:-1]) == text[-1]


@dataclass
class Writer:
    """Turns events of the ledger into EPCIS events; remembers what was said of a lot, for a later correction.

    - `vials`: those that have an identity of their own.
    """

    names: Names
    ledger: str
    products: Mapping[str, list[str]]
    stated: dict[str, Made] = field(default_factory=dict)
    tests: dict[str, Made] = field(default_factory=dict)
    used: dict[str, Made] = field(default_factory=dict)
    vials: set[str] = field(default_factory=set)

    def event(self, kind: str, event: Event, part: str = "") -> Made:
        """What every EPCIS event has: times, identity, and where in the ledger it stands."""
        identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.ledger}/{event.id}/{part}")
        made: Made = {
            "type": kind,
            "eventID": f"urn:uuid:{identity}",
            "eventTime": millis(event.occurred_at),
            "eventTimeZoneOffset": "+00:00",
            "recordTime": millis(event.recorded_at),
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


def millis(time: str) -> str:
    """Milliseconds, as EPCIS recommends; the ledger's microseconds are cut, not rounded."""
    return moment(time).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Handler = Callable[[Writer, Event], Iterator[Made]]
"""What turns an event of the ledger into events of the export."""
