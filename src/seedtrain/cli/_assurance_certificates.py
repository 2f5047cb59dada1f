"""`seedtrain assurance certificate`: what other bodies certified of materials, and what a revocation holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.cli._acted import acted, shown
from seedtrain.cli._common import Common
from seedtrain.cli._signing import RecordUrl, Signer

if TYPE_CHECKING:
    from datetime import date

    from seedtrain.gmp import HoldOrder, MaterialCertificate, Revocation
    from seedtrain.record import Ledger

app = App(name="certificate", help="Certificates of materials: record, revoke, list.")


@app.command
def issue(
    number: str,
    *,
    scheme: Annotated[str, Parameter(help="The scheme, as rule sets name it.")],
    issuer: Annotated[str, Parameter(help="The body that issued it.")],
    material: Annotated[str, Parameter(help="The material, as lots name it.")],
    supplier: Annotated[str, Parameter(help="Its supplier, as lots name it.")],
    valid_from: str,
    valid_until: Annotated[str | None, Parameter(help="The last day; none where it holds until revoked.")] = None,
    scope: Annotated[str, Parameter(help="What it covers, in its own words.")] = "",
    lot: Annotated[list[str] | None, Parameter(negative="", help="Only this lot; repeat it.")] = None,
    document: Annotated[Path | None, Parameter(help="Its file; the ledger keeps the SHA-256.")] = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record a certificate that another body issued for a material of a supplier.

    Example: seedtrain assurance certificate issue C-17 --scheme BPJPH --issuer BPJPH --material gelatine
    --supplier "Good Gel" --valid-from 2026-01-01 --as person-1

    Parameters
    ----------
    number
        The certificate's number.
    """
    from seedtrain.gmp import MaterialCertificate, issue_certificate

    found = MaterialCertificate(
        number=number,
        scheme=scheme,
        issuer=issuer,
        scope=scope,
        material=material,
        supplier=supplier,
        valid_from=_day(valid_from),
        valid_until=None if valid_until is None else _day(valid_until),
        lots=tuple(lot or ()),
        document=_paper(document) if document is not None else "",
    )

    def act(ledger: Ledger, actor: str) -> MaterialCertificate:
        issue_certificate(ledger, found, actor)
        return found

    return acted(signer, record, common, act, lambda item: [_certificate_line(item)], data=_certificate_data)


@app.command
def revoke(
    number: str,
    *,
    reason: Annotated[str, Parameter(help="Why it no longer counts.")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Revoke a certificate: every lot that it alone covered, and all that they went into, is on hold; prints the trace.

    Example: seedtrain assurance certificate revoke C-17 --reason "letter of the issuer of 3 March" --as person-1

    Parameters
    ----------
    number
        The certificate's number.
    """
    from seedtrain.gmp import revoke_certificate

    def data(found: Revocation) -> dict[str, Any]:
        orders = [order_data(order) for order in found.orders]
        held, covered = list(found.held), list(found.covered)
        return {"certificate": number, "held": held, "covered_by_another": covered, "orders": orders}

    def tell(found: Revocation) -> Iterator[str]:
        yield _("{number} revoked: {count} lots and batches on hold").format(number=number, count=len(found.held))
        for order in found.orders:
            yield from order_lines(order)
        for lot in found.covered:
            yield _("{lot}: another certificate covers it").format(lot=lot)

    return acted(
        *(signer, record, common),
        lambda ledger, actor: revoke_certificate(ledger, number, reason, actor),
        tell,
        data=data,
    )


@app.command(name="list")
def list_certificates(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every certificate: for which material and supplier, from when to when, and whether it was revoked.

    Example: seedtrain assurance certificate list --record record.db
    """
    from seedtrain.gmp import material_certificates

    return shown(
        *(record, common, material_certificates),
        lambda found: map(_certificate_line, found),
        data=lambda found: [_certificate_data(item) for item in found],
    )


def _certificate_line(item: MaterialCertificate) -> str:
    until = item.valid_until.isoformat() if item.valid_until else _("no end")
    state = _("revoked") if item.revoked else ""
    names = f"{item.number:<12} {item.scheme:<16} {item.material:<18} {item.supplier:<18}"
    return f"{names} {item.valid_from} .. {until}  {state}".rstrip()


def _certificate_data(item: MaterialCertificate) -> dict[str, Any]:
    return {
        "number": item.number,
        "scheme": item.scheme,
        "issuer": item.issuer,
        "scope": item.scope,
        "material": item.material,
        "supplier": item.supplier,
        "valid_from": item.valid_from.isoformat(),
        "valid_until": item.valid_until.isoformat() if item.valid_until else None,
        "lots": list(item.lots),
        "document": item.document or None,
        "revoked": item.revoked.isoformat() if item.revoked else None,
        "reason": item.reason or None,
    }


def order_data(order: HoldOrder) -> dict[str, Any]:
    lots = [{"lot": line.lot, "material": line.material, "from": line.into, "depth": line.depth} for line in order.lots]
    return {"hold": order.hold, "root": order.root, "reason": order.reason, "fresh": order.fresh, "lots": lots}


def order_lines(order: HoldOrder) -> Iterator[str]:
    from seedtrain.gmp import recorded_words

    yield f"{order.hold}  {order.root}: {recorded_words(order.reason)}"
    for line in order.lots:
        yield f"  {'  ' * line.depth}{line.lot} {line.material}".rstrip()


def _day(text: str) -> date:
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a date", remedy="Write year-month-day, such as 2027-12-31.") from None


def _paper(document: Path) -> str:
    from seedtrain.base import Position, digest_file

    try:
        return digest_file(document)
    except OSError as error:
        raise InputError(
            f"this file cannot be read: {error.strerror}", position=Position(str(document)), remedy="Check the path."
        ) from error
