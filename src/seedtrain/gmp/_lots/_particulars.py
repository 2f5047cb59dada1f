"""What is known of a delivery beside material, quantity and expiry: where it came from and how it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Particulars:
    """What a receipt states of a lot beside `Lot` (21 CFR 211.184(a)); what it does not state is None or empty.

    - `supplier_lot`: the supplier's own number. `manufacturer`: who made it, where another sold it.
    - `retest`: the day from which it must be tested again before use; `expiry` stands in the lot.
    - `storage`: the condition (2 to 8 degC). `location`: where it stands. `containers`: how many.
    - `certificates`: references of certificates that came with it. `order`: the purchase order.
    - `gtin`: the GS1 number of the trade item, 14 digits. `patient`: an opaque token where the lot is for one patient.
    - `origin`: `measured`, or `simulated` for a lot that does not exist.
    """

    supplier_lot: str = ""
    manufacturer: str = ""
    retest: date | None = None
    storage: str = ""
    location: str = ""
    containers: int | None = None
    certificates: tuple[str, ...] = ()
    order: str = ""
    gtin: str = ""
    patient: str = ""
    origin: str = ""

    def to_data(self) -> dict[str, Any]:
        """What is stated, as the payload of `lot.received` holds it."""
        data: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value not in (None, "", ()):
                data[field.name] = value.isoformat() if isinstance(value, date) else value
        if self.certificates:
            data["certificates"] = list(self.certificates)
        return data

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Particulars:
        """What `to_data` wrote, from a payload that may hold more."""
        known = {field.name: data[field.name] for field in fields(Particulars) if field.name in data}
        if "retest" in known:
            known["retest"] = date.fromisoformat(known["retest"])
        if "certificates" in known:
            known["certificates"] = tuple(known["certificates"])
        return Particulars(**known)
