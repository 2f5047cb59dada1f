"""Certificates per material and supplier: recorded, valid from a day to a day, revoked; and what a revocation holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from seedtrain.base import InputError, digest
from seedtrain.gmp._assurance._composition import DECIDE, alike, key_of
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._lots._holds import HoldOrder, hold_downstream
from seedtrain.gmp._standing import Standing
from seedtrain.quality import Lot
from seedtrain.quantity import Quantity
from seedtrain.record import Draft, Event, Ledger, Projection, append_signed, moment, projected, register

_NOTHING: Final = Quantity(0.0, "")  # of a lot that is asked for by its names only
ISSUED: Final = "certificate.issued"
REVOKED: Final = "certificate.revoked"


@dataclass(frozen=True)
class MaterialCertificate:
    """A certificate that another body issued, for a material of a supplier.

    - `valid_until`: None where it holds until it is revoked. `lots`: only these; empty for every lot of the material.
    - `document`: SHA-256 of its file, empty where none was given. `revoked`: the day, and why.
    """

    number: str
    scheme: str
    issuer: str
    scope: str
    material: str
    supplier: str
    valid_from: date
    valid_until: date | None
    lots: tuple[str, ...] = ()
    document: str = ""
    revoked: date | None = None
    reason: str = ""

    def names(self, lot: Lot) -> bool:
        """Whether it is about this lot."""
        return (
            alike(self.material, lot.material)
            and alike(self.supplier, lot.supplier)
            and (not self.lots or lot.id in self.lots)
        )

    def fault(self, day: date) -> str:
        """Why it does not count for something received on `day`; empty where it does."""
        if self.revoked is not None:
            return f"revoked on {self.revoked.isoformat()}: {self.reason}"
        if day < self.valid_from:
            return f"valid from {self.valid_from.isoformat()} only"
        if self.valid_until is not None and day > self.valid_until:
            return f"expired on {self.valid_until.isoformat()}"
        return ""


@dataclass(frozen=True)
class Revocation:
    """What became of a revocation.

    - `orders`: a hold for each lot that it alone covered, with everything that the lot went into. `covered`: the lots
      that another certificate of the same scheme covers.
    """

    certificate: MaterialCertificate
    orders: tuple[HoldOrder, ...]
    covered: tuple[str, ...]

    @property
    def held(self) -> tuple[str, ...]:
        """Every lot and batch on hold by it, each once."""
        return tuple(dict.fromkeys(line.lot for order in self.orders for line in order.lots))


def issue_certificate(
    ledger: Ledger, certificate: MaterialCertificate, actor: str, *, at: datetime | None = None
) -> tuple[Event, ...]:
    """Record a certificate, signed by who saw it; the same again changes nothing.

    Raises `InputError` for a number that is taken, and for one that ends before it begins.
    """
    authorise(ledger, actor, DECIDE)
    missing = [
        name for name in ("number", "scheme", "issuer", "material", "supplier") if not getattr(certificate, name)
    ]
    if missing:
        raise InputError(f"the certificate has no {missing[0]}", remedy="Copy it from the document.")
    until = certificate.valid_until
    if until is not None and until < certificate.valid_from:
        raise InputError(
            f"the certificate {certificate.number} ends on {until}, before it begins on {certificate.valid_from}",
            remedy="Check the two days.",
        )
    payload: dict[str, Any] = {
        "scheme": certificate.scheme,
        "issuer": certificate.issuer,
        "scope": certificate.scope,
        "material": certificate.material,
        "supplier": certificate.supplier,
        "valid_from": certificate.valid_from.isoformat(),
        "valid_until": None if until is None else until.isoformat(),
        "lots": list(certificate.lots),
        "document": certificate.document,
    }
    identity = digest([ISSUED, certificate.number])[:32]
    return append_signed(
        ledger, Draft(ISSUED, certificate.number, payload, actor, at, id=identity), "certificate recorded"
    )


def revoke_certificate(
    ledger: Ledger, number: str, reason: str, actor: str, *, at: datetime | None = None
) -> Revocation:
    """Record that a certificate no longer counts, and put every lot that it alone covered, and all that they went
    into, on hold. Asked again, it holds what was received or made meanwhile.

    Raises `InputError` for an unknown certificate.
    """
    authorise(ledger, actor, DECIDE)
    found = certificate_of(ledger, number)
    if not reason.strip():
        raise InputError(f"{number} is not revoked without a reason", remedy="Say why: --reason.")
    if found.revoked is None:
        draft = Draft(REVOKED, number, {}, actor, at, reason=reason, id=digest([REVOKED, number])[:32])
        append_signed(ledger, draft, "certificate revoked")
        found = certificate_of(ledger, number)
    others = [item for item in material_certificates(ledger) if item.number != number and item.scheme == found.scheme]
    orders, covered = [], []
    words = f"certificate {number} ({found.scheme}) revoked: {found.reason}"
    for lot, day in lots_of(ledger, found):
        named = Lot(lot, found.material, found.supplier, _NOTHING, date.max, "quarantined")
        if any(item.names(named) and not item.fault(day) for item in others):
            covered.append(lot)
        else:
            orders.append(hold_downstream(ledger, lot, words, actor, cause=number, at=at))
    return Revocation(found, tuple(orders), tuple(covered))


def material_certificates(ledger: Ledger) -> tuple[MaterialCertificate, ...]:
    """Every certificate, as it was recorded and signed, with its revocation (which counts as it stands)."""
    standing = Standing(ledger)
    found = {
        event.subject: _certificate(event) for event in ledger.events(type=ISSUED) if standing.counts(event, DECIDE)
    }
    for event in ledger.events(type=REVOKED):
        if event.subject in found:
            found[event.subject] = replace(
                found[event.subject], revoked=moment(event.occurred_at).date(), reason=event.reason or ""
            )
    return tuple(found.values())


def certificate_of(ledger: Ledger, number: str) -> MaterialCertificate:
    """The certificate of this number; `InputError` for an unknown one."""
    found = next((item for item in material_certificates(ledger) if item.number == number), None)
    if found is None:
        raise InputError(f"there is no certificate {number!r}", remedy="See: seedtrain assurance certificate list.")
    return found


def _certificate(event: Event) -> MaterialCertificate:
    payload = event.payload
    until = payload["valid_until"]
    return MaterialCertificate(
        number=event.subject,
        scheme=str(payload["scheme"]),
        issuer=str(payload["issuer"]),
        scope=str(payload["scope"]),
        material=str(payload["material"]),
        supplier=str(payload["supplier"]),
        valid_from=date.fromisoformat(payload["valid_from"]),
        valid_until=None if until is None else date.fromisoformat(until),
        lots=tuple(payload["lots"]),
        document=str(payload["document"]),
    )


def lots_of(ledger: Ledger, certificate: MaterialCertificate) -> tuple[tuple[str, date], ...]:
    """The lots that a certificate names, with the day of their receipt."""
    query = "SELECT lot, day FROM certified_lot WHERE material = ? AND supplier = ? ORDER BY lot"
    with projected(ledger, MATERIALS) as connection:
        rows = list(connection.execute(query, (key_of(certificate.material), key_of(certificate.supplier))))
    return tuple((lot, date.fromisoformat(day)) for lot, day in rows if not certificate.lots or lot in certificate.lots)


def _apply(connection: Any, event: Event) -> None:
    if event.type not in ("lot.received", "lot.amended"):
        return  # what is split off a lot is downstream of it
    material, supplier = (key_of(str(event.payload[name])) for name in ("material", "supplier"))
    connection.execute(
        "INSERT INTO certified_lot VALUES (?, ?, ?, ?) ON CONFLICT (lot) DO UPDATE SET material = ?, supplier = ?",
        (event.subject, material, supplier, event.occurred_at[:10], material, supplier),
    )


_SCHEMA: Final = """
CREATE TABLE certified_lot (
  lot TEXT PRIMARY KEY,
  material TEXT NOT NULL,
  supplier TEXT NOT NULL,
  day TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX certified_lot_material ON certified_lot (material, supplier, lot);
"""
MATERIALS: Final = register(Projection("certified_lots", 1, _SCHEMA, _apply))
"""Which lots there are of which material and supplier: a certificate names no lot."""
