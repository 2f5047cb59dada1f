"""A cryptographic signature on a finished PDF (ISO 32000-1, section 12.8; ETSI EN 319 142-1, PAdES B-B), and its check.

With a time stamp of an authority in it (RFC 3161) it is PAdES B-T: somebody else says when it existed at the latest.

The signature is appended and changes no byte of what was there; one byte changed afterwards and it does not hold. The
document stays PDF/A and PDF/UA: its metadata are left alone, and the signature's own field has no area.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from seedtrain.base import InputError, IntegrityError, UnavailableError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

FIELD: Final = "Signature"
LONGEST_CONTENTS: Final = 32_768  # bytes kept for the signature; a chain of a few certificates takes some 4,000


Authority = Callable[[bytes], bytes]
"""A time stamp authority: its answer to a request, both DER as RFC 3161 writes them."""


@dataclass(frozen=True)
class DocumentSigner:
    """A private key with its certificate and those above it, up to the one that a reader may trust.

    - `authority`: has each signature time-stamped; its token stands in the signature.
    """

    certificate: Certificate
    key: PrivateKeyTypes = field(repr=False)
    chain: tuple[Certificate, ...] = ()
    authority: Authority | None = None


@dataclass(frozen=True)
class PdfSignature:
    """What one signature in a PDF is worth.

    - `intact`: not a byte that it covers was changed. `whole`: it covers the document to its last byte, or what stands
      behind it is nothing but further signatures, the last of which does.
    - `trusted`: its certificate leads to one of those that the caller trusts. `fault`: why it does not hold, or empty.
    - `stamp`: the time that an authority put to it (ISO 8601) with the authority's name; empty where none did.
      `stamp_trusted`: whether the caller trusts that authority.
    """

    field: str
    signer: str
    reason: str
    time: str
    intact: bool
    whole: bool
    trusted: bool
    fault: str
    stamp: str = ""
    stamp_trusted: bool = False

    @property
    def holds(self) -> bool:
        """Whether the document is what was signed, by somebody whom the caller trusts."""
        return self.intact and self.whole and self.trusted and not self.fault


def read_pkcs12(content: bytes, passphrase: str, name: str = "") -> DocumentSigner:
    """A person's own key and certificate (RFC 7292); `name` is the file's, for the errors."""
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

    try:
        held = load_pkcs12(content, passphrase.encode("utf-8"))
    except ValueError:
        raise InputError(
            f"{name or 'this'} cannot be opened as PKCS#12 with this passphrase",
            remedy="Check the passphrase, and that the file is a .p12 or .pfx.",
        ) from None
    if held.key is None or held.cert is None:
        raise InputError(f"{name or 'this'} holds no private key with its certificate", remedy="Export both together.")
    above = tuple(item.certificate for item in held.additional_certs)
    return DocumentSigner(held.cert.certificate, held.key, above)


def sign_pdf(pdf: bytes, signer: DocumentSigner, *, reason: str, name: str = "", location: str = "") -> bytes:
    """`pdf` with a signature appended; the time is the clock's, everything before it stays as it was.

    - `reason`: what the signature means. `name`, `location`: who signed and where, if they are to be shown.

    Raises `InputError` for a key that PDFs cannot be signed with, `UnavailableError` where pyhanko is not installed,
    `IntegrityError` for an answer of the signer's time stamp authority that is no time stamp of this signature.
    """
    with _pyhanko():
        from pyhanko.sign import fields, signers

        # PDF/A (6.1.9) wants an end of line before each object; what is appended begins with one.
        writer = _writer(pdf if pdf.endswith(b"\n") else pdf + b"\n")
        taken = sum(1 for _ in fields.enumerate_sig_fields(writer, filled_status=True))
        target = FIELD if not taken else f"{FIELD}{taken + 1}"
        _add_field(writer, target, reason)
        metadata = signers.PdfSignatureMetadata(
            field_name=target,
            md_algorithm=_digest_of(signer),
            reason=reason,
            name=name or None,
            location=location or None,
            subfilter=fields.SigSeedSubFilter.PADES,
        )
        stamper = None if signer.authority is None else _stamper(signer.authority)
        with _sound_stamps() if stamper else nullcontext():
            whole = signers.PdfSigner(metadata, _signer(signer), timestamper=stamper)
            made = whole.sign_pdf(writer, bytes_reserved=LONGEST_CONTENTS)
        content: bytes = made.getvalue()
    assert content.startswith(pdf)
    return content


def check_pdf(
    pdf: bytes, trusted: Sequence[Certificate] = (), authorities: Sequence[Certificate] = ()
) -> tuple[PdfSignature, ...]:
    """Every signature in a PDF, checked by pyhanko; none where there is none.

    - `trusted`: certificates that the caller trusts, of signers or of those who issued theirs. `authorities`: of time
      stamp authorities.

    Raises `InputError` for what is no PDF.
    """
    with _pyhanko():
        found = _embedded(pdf)
        return tuple(_check(one, trusted, authorities, last=one is found[-1]) for one in found)


def certificates_in(pdf: bytes) -> tuple[Certificate, ...]:
    """Every certificate that the signatures of a PDF carry; nothing is known of them but that they are there."""
    from cryptography import x509

    with _pyhanko():
        found = [item for one in _embedded(pdf) for item in (one.signer_cert, *one.other_embedded_certs)]
    return tuple(x509.load_der_x509_certificate(item.dump()) for item in found)


def _embedded(pdf: bytes) -> list[Any]:
    from pyhanko.pdf_utils.misc import PdfError, PdfReadError
    from pyhanko.pdf_utils.reader import PdfFileReader

    try:
        return list(PdfFileReader(io.BytesIO(pdf), strict=False).embedded_regular_signatures)
    except (PdfReadError, PdfError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        words = f"this is not a PDF that can be read: {error}"
        raise InputError(words, remedy="Give the file as it was.") from error


def _check(one: Any, trusted: Sequence[Certificate], authorities: Sequence[Certificate], *, last: bool) -> PdfSignature:
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    told: dict[str, Any] = {
        "field": str(one.field_name),
        "reason": str(one.sig_object.get("/Reason", "")),
        "time": "" if one.self_reported_timestamp is None else one.self_reported_timestamp.isoformat(),
    }
    context, stamps = (
        ValidationContext(trust_roots=[_asn1(item) for item in roots], allow_fetching=False)
        for roots in (trusted, authorities)
    )
    try:
        with _silent():
            status = validate_pdf_signature(one, context, ts_validation_context=stamps)
    except Exception as error:  # noqa: BLE001  # the bytes are hostile: whatever they provoke, they do not hold
        words = str(error) or repr(error)
        return PdfSignature(signer="", intact=False, whole=False, trusted=False, fault=words, **told)
    entire = status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    level = status.modification_level
    signed_again = not last and level is not None and level <= ModificationLevel.FORM_FILLING
    stamped = status.timestamp_validity
    bad_stamp = stamped is not None and not (stamped.intact and stamped.valid)
    faults = [
        *(["its time stamp is not of this signature"] if bad_stamp else []),
        *([] if status.intact else ["the bytes that were signed are not these"]),
        *([] if status.valid else ["the signature is not that of this certificate"]),
        *([] if entire or signed_again else ["the document was changed after it was signed"]),
    ]
    return PdfSignature(
        signer=status.signing_cert.subject.human_friendly,
        intact=bool(status.intact and status.valid),
        whole=entire or signed_again,
        trusted=bool(status.trusted),
        fault="; ".join(faults),
        stamp="" if stamped is None else f"{stamped.timestamp.isoformat()}, {_name_of(stamped.signing_cert)}",
        stamp_trusted=stamped is not None and bool(stamped.trusted),
        **told,
    )


def _name_of(certificate: Any) -> str:
    return str(certificate.subject.human_friendly)


def _writer(pdf: bytes) -> Any:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    class Appending(IncrementalPdfFileWriter):
        """Leaves metadata and version of the document alone: as pyhanko rewrites them it is PDF/A no more."""

        def _update_meta(self) -> None:
            pass

        def ensure_output_version(self, version: tuple[int, int]) -> None:
            pass

        def register_extension(self, ext: Any) -> None:
            pass

    return Appending(io.BytesIO(pdf))


def _add_field(writer: Any, name: str, words: str) -> None:
    """A field without area and outside the sheet, so that it needs neither a look (PDF/A) nor a tag (PDF/UA)."""
    from pyhanko.pdf_utils import generic
    from pyhanko.sign import fields

    fields.append_signature_field(writer, fields.SigFieldSpec(sig_field_name=name))
    number: Any = generic.NumberObject
    found = next(item for item in fields.enumerate_sig_fields(writer, with_name=name))
    widget = found[2].get_object()
    widget["/Rect"] = generic.ArrayObject([number(-1)] * 4)
    widget["/TU"] = generic.pdf_string(words)
    widget["/Contents"] = generic.pdf_string(words)


def _signer(signer: DocumentSigner) -> Any:
    from asn1crypto.keys import PrivateKeyInfo  # type: ignore[import-untyped]
    from cryptography.hazmat.primitives import serialization
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    store: Any = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register_multiple([_asn1(item) for item in signer.chain])
    raw = signer.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SimpleSigner(_asn1(signer.certificate), PrivateKeyInfo.load(raw), store)


def _stamper(authority: Authority) -> Any:
    from asn1crypto.tsp import TimeStampReq, TimeStampResp  # type: ignore[import-untyped]
    from pyhanko.sign.timestamps import TimeStamper

    class Asking(TimeStamper):
        """Asks by the way that we were given; pyhanko checks that the answer is to this very request."""

        async def async_request_tsa_response(self, req: TimeStampReq) -> TimeStampResp:
            return TimeStampResp.load(authority(req.dump()))

    made: Any = Asking
    return made()


@contextmanager
def _sound_stamps() -> Iterator[None]:
    from pyhanko.sign.timestamps import TimestampRequestError

    try:
        yield
    except (TimestampRequestError, ValueError, TypeError, KeyError) as error:
        raise IntegrityError(
            f"the answer of the time stamp authority does not hold: {error}",
            remedy="Nothing was written. Ask another one, or leave SEEDTRAIN_TSA out.",
        ) from error


def _digest_of(signer: DocumentSigner) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(signer.key, ed25519.Ed25519PrivateKey):
        return "sha512"  # RFC 8419, section 3.1
    if isinstance(signer.key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
        return "sha256"
    raise InputError(
        f"PDFs are not signed with a key of the kind {type(signer.key).__name__}",
        remedy="Use an RSA, ECDSA or Ed25519 key.",
    )


def _asn1(certificate: Certificate) -> Any:
    from asn1crypto.x509 import Certificate as Parsed  # type: ignore[import-untyped]
    from cryptography.hazmat.primitives.serialization import Encoding

    return Parsed.load(certificate.public_bytes(Encoding.DER))


@contextmanager
def _silent() -> Iterator[None]:
    """What pyhanko logs as it fails to build a path is in the status that it returns."""
    log = logging.getLogger("pyhanko")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)


@contextmanager
def _pyhanko() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise UnavailableError(
            f"signatures in PDFs need pyhanko, which is not installed ({error})",
            remedy="Run `pip install 'seedtrain[gmp]'`, or print without a signature.",
        ) from error
