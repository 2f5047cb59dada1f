"""The key with which a ledger's server signs documents, and the certificates that lead from it to the ledger's own key.

PDF readers do not know the ledger's Ed25519 key; what they know is a certificate. So the server's key certifies a
P-256 key for documents, and where a person signs a PDF, the key of that person: whoever knows the server's public key
(it stands in the ledger, in every export and in print) needs nothing else to check a document.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from seedtrain.base import IntegrityError, Position, UnavailableError
from seedtrain.record import Ledger, Unlocked, moment, person_name
from seedtrain.report import DocumentSigner

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

NO_END: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # RFC 5280, 4.1.2.5: no well-defined expiry
KEY_FILE: Final = "documents.pem"
CERTIFICATE_FILE: Final = "documents.crt"


def root_certificate(ledger: Ledger) -> Certificate:
    """The ledger's server key as a certificate that issues others; the same bytes each time it is made."""
    server = ledger.keys.server(create=False)
    name = _name("Seedtrain ledger", ledger.id)
    first = next(ledger.events(type="ledger.created"))
    begin = moment(first.recorded_at).replace(microsecond=0)
    return _certificate(name, name, server.private.public_key(), server.private, begin, authority=1)


def document_signer(ledger: Ledger) -> DocumentSigner:
    """The server's key for documents with its certificates; made once and kept beside the server's own key.

    Raises `UnavailableError` where the keys cannot be read or written, `IntegrityError` where they do not belong
    together.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import serialization

    key_path, path = ledger.keys.folder / KEY_FILE, ledger.keys.folder / CERTIFICATE_FILE
    root = root_certificate(ledger)
    if not (key_path.exists() and path.exists()):
        _make(ledger, root, key_path, path)
    try:
        key = serialization.load_pem_private_key(_read(key_path), password=None)
        certificate = x509.load_pem_x509_certificate(_read(path))
        certificate.verify_directly_issued_by(root)
        together = certificate.public_key() == key.public_key()
    except (ValueError, TypeError, InvalidSignature):
        together = False
    if not together:
        raise IntegrityError(
            "the key for documents and its certificate are not this ledger's",
            position=Position(str(path)),
            remedy=f"Restore the folder of keys, or remove {KEY_FILE} and {CERTIFICATE_FILE}: new ones are made.",
        )
    return DocumentSigner(certificate, key, (root,))


def person_signer(ledger: Ledger, person: Unlocked) -> DocumentSigner:
    """A person's own ledger key, certified by the server under the name that is printed.

    It signs through a P-256 key of the moment that it certifies: many PDF readers do not know Ed25519. The server lets
    it certify that one name and no other.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    root = root_certificate(ledger)
    words = person_name(ledger, person.actor) or person.actor
    name, holder = _name(words, person.actor), _name(f"{words} (ledger key)", person.actor)
    begin, server, own = root.not_valid_before_utc, ledger.keys.server(create=False), person.key.private
    middle = _certificate(holder, root.subject, own.public_key(), server.private, begin, authority=0, only=name)
    key = ec.generate_private_key(ec.SECP256R1())
    return DocumentSigner(_certificate(name, holder, key.public_key(), own, begin), key, (middle, root))


def passing_signer(words: str, now: datetime) -> DocumentSigner:
    """A key for one document that is kept nowhere: it shows that nothing was changed since, and not who signed."""
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Seedtrain", words)
    begin = now.replace(microsecond=0) - timedelta(minutes=1)
    return DocumentSigner(_certificate(name, name, key.public_key(), key, begin), key)


def _make(ledger: Ledger, root: Certificate, key_path: Path, path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    if not key_path.exists():
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _keep(key_path, pem, 0o600)
    key = serialization.load_pem_private_key(_read(key_path), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    server = ledger.keys.server(create=False)
    name = _name("Seedtrain documents", ledger.id)
    made = _certificate(name, root.subject, key.public_key(), server.private, root.not_valid_before_utc)
    _keep(path, made.public_bytes(serialization.Encoding.PEM), 0o644)


def _name(common: str, identity: str) -> Any:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    parts = ((NameOID.COMMON_NAME, common), (NameOID.ORGANIZATIONAL_UNIT_NAME, identity))
    return x509.Name([x509.NameAttribute(oid, text[:64]) for oid, text in parts])


def _certificate(
    subject: Any,
    issuer: Any,
    public: Any,
    signer: Any,
    begin: datetime,
    authority: int | None = None,
    only: Any = None,
) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    raw = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    serial = int.from_bytes(hashlib.sha256(subject.public_bytes() + raw).digest()[:16], "big") | 1
    issues = authority is not None
    usage = x509.KeyUsage(
        digital_signature=not issues,
        content_commitment=not issues,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder(issuer, subject, public, serial, begin, NO_END)
        .add_extension(x509.BasicConstraints(ca=issues, path_length=authority), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    if only is not None:
        permitted = [x509.DirectoryName(only)]
        builder = builder.add_extension(x509.NameConstraints(permitted, None), critical=True)
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def _keep(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is not there, whole; of two writers the first one's content stays."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    except OSError as error:
        raise UnavailableError(
            f"the key for documents cannot be written: {error.strerror}",
            position=Position(str(path)),
            remedy="Make the folder of keys writable, or print without a signature (--unsigned).",
        ) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnavailableError(
            f"the key for documents cannot be read: {error.strerror}", position=Position(str(path))
        ) from error
