"""The documents of a batch as signed PDF/A."""

from __future__ import annotations

from typing import Any

from seedtrain.base import translate as _
from seedtrain.gmp._documents._batch_page import Printed, print_batch
from seedtrain.gmp._documents._case import Case
from seedtrain.gmp._documents._certificate_page import certificate_data, print_certificate
from seedtrain.record import Ledger
from seedtrain.report import DocumentSigner, render_pdf, sign_pdf


def batch_pdf(ledger: Ledger, batch: str, *, signer: DocumentSigner | None = None, full: bool = False) -> bytes:
    """The batch record as PDF/A-3a in the language in use, its events attached.

    - `signer`: signs the PDF; None leaves it unsigned. Before that the same record gives the same bytes.
    - `full`: print every device reading, also those that kept their limits.

    Raises `InputError` where the ledger holds no such batch.
    """
    case = Case.of(ledger, batch, full=full)
    return _signed(print_batch(case), signer, _("batch record {batch} as issued").format(batch=batch))


def certificate_pdf(ledger: Ledger, batch: str, *, signer: DocumentSigner | None = None) -> bytes:
    """The certificate of analysis of a batch as PDF/A-2a in the language in use; one not released says so."""
    case = Case.of(ledger, batch)
    return _signed(print_certificate(case), signer, _("certificate of {batch} as issued").format(batch=batch))


def certificate_json(ledger: Ledger, batch: str) -> dict[str, Any]:
    """The certificate of analysis as plain data."""
    return certificate_data(Case.of(ledger, batch))


def _signed(printed: Printed, signer: DocumentSigner | None, reason: str) -> bytes:
    pdf = render_pdf(printed.page, printed.attachments)
    return pdf if signer is None else sign_pdf(pdf, signer, reason=reason)
