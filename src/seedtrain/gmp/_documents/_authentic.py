"""Whether a printed document is what the ledger's server, or a person it certified, signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedtrain.base import InputError
from seedtrain.quality import Criterion, Verdict, VerdictWord
from seedtrain.report import PdfSignature, certificates_in, check_pdf

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def verify_document(pdf: bytes, server_key: bytes | None, authorities: bytes = b"") -> Verdict:
    """Pass: signed, unchanged to the last byte, by the server of this key. Fail: changed, or by somebody else.

    - `server_key`: the ledger's public key, 32 bytes; None: it is not known, and the signer stays inconclusive.
    - `authorities`: certificates (PEM) of time stamp authorities; a stamp for which none vouches is inconclusive.

    A document without a signature is inconclusive. Raises `InputError` for what is no PDF.
    """
    roots = [item for item in certificates_in(pdf) if _is_key(item, server_key)]
    found = check_pdf(pdf, roots, _certificates(authorities))
    if not found:
        lines = [Criterion(name, None, None, limit, None, "inconclusive") for name, limit in _LIMITS.items()]
        return Verdict.of(lines, ["the document carries no signature"])
    words: VerdictWord = "pass" if all(item.intact and not item.fault for item in found) else "fail"
    whole: VerdictWord = "pass" if all(item.whole for item in found) else "fail"
    signer: VerdictWord = "pass" if any(item.trusted for item in found) else "fail"
    if server_key is None:
        signer = "inconclusive"
    verdicts = dict(zip(_LIMITS, (words, whole, signer), strict=True))
    criteria = [
        Criterion(name, _value(name, found), None, limit, None, verdicts[name]) for name, limit in _LIMITS.items()
    ]
    stamps = [item for item in found if item.stamp]
    if stamps:
        word: VerdictWord = "pass" if all(item.stamp_trusted for item in stamps) else "inconclusive"
        times = "; ".join(item.stamp for item in stamps)
        criteria.append(
            Criterion("time stamp", times, None, "by an authority that a certificate vouches for", None, word)
        )
    return Verdict.of(criteria, [_line(item) for item in found])


_LIMITS = {
    "signature": "every byte that was signed is as it was",
    "document": "nothing was added afterwards but signatures",
    "signer": "certified by the server key of the ledger",
}


def _certificates(pem: bytes) -> list[Certificate]:
    from cryptography import x509

    return x509.load_pem_x509_certificates(pem) if pem.strip() else []


def _is_key(certificate: Certificate, key: bytes | None) -> bool:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    public = certificate.public_key()
    return key is not None and isinstance(public, Ed25519PublicKey) and public.public_bytes_raw() == key


def _value(name: str, found: tuple[PdfSignature, ...]) -> str:
    if name == "signer":
        return "; ".join(item.signer or "unknown" for item in found)
    return f"{len(found)} signature{'s' if len(found) > 1 else ''}"


def _line(item: PdfSignature) -> str:
    words = f"{item.field}: {item.reason}, {item.time}, by {item.signer or 'nobody known'}"
    return f"{words}: {item.fault}" if item.fault else words


def server_key_of(text: str) -> bytes:
    """A public key from 64 hexadecimal digits; raises `InputError` for anything else."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise InputError(f"{text!r} is not a public key", remedy="Give the 64 hexadecimal digits of keys.json.")
    return key
