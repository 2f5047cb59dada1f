"""The folder of keys beside a ledger: private keys never enter the ledger, a log or an error.

`record.db.keys/` (mode 0700) holds `server.pem` and `server.pub`, and for each person `people/KEY.sealed` (the signing
key, under a password; `people/ID.pem` for a script), `people/ID.name` (the key under which the name is sealed) and
`people/ID.data` (the key of other personal data). To erase what is sealed is to destroy its key.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from seedtrain.base import InputError, IntegrityError, Position, UnavailableError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAME_BLOCK_BYTES: Final = 64  # a sealed name is padded, so that its length tells nothing
_CIPHER: Final = "chacha20-poly1305"
_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 key; `public` is 32 bytes."""

    private: Ed25519PrivateKey
    public: bytes

    def __repr__(self) -> str:
        return f"SigningKey({self.public.hex()})"

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of an RFC 8032 signature."""
        return self.private.sign(message)


class KeyFolder:
    """The keys of one ledger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def server_public(self) -> bytes | None:
        """The server's public key as the folder states it; None if it does not."""
        try:
            return bytes.fromhex((self.folder / "server.pub").read_text("ascii").strip())
        except (OSError, ValueError):
            return None

    @property
    def authorities(self) -> bytes:
        """Certificates (PEM) by which time stamp authorities are trusted; empty if none were given."""
        try:
            return (self.folder / "tsa.pem").read_bytes()
        except OSError:
            return b""

    def trust(self, certificates: bytes) -> None:
        """Keep certificates by which time stamp authorities are trusted, beside those that are kept."""
        if certificates.strip() not in (kept := self.authorities):
            path = self.folder / "tsa.pem"
            try:
                path.write_bytes(kept + certificates.strip() + b"\n")
            except OSError as error:
                raise UnavailableError(
                    f"the certificate cannot be kept: {error.strerror}", position=Position(str(path))
                ) from error

    def server(self, *, create: bool) -> SigningKey:
        """The server's signing key."""
        key = self._signing("server.pem", create=create)
        if create:
            _create(self.folder / "server.pub", lambda: key.public.hex().encode("ascii") + b"\n", mode=0o644)
        return key

    def person(self, actor: str, *, create: bool = False) -> SigningKey:
        """A person's signing key."""
        return self._signing(f"people/{actor}.pem", create=create)

    def put_sealed(self, public: bytes, content: bytes) -> None:
        """Keep a person's sealed key, in place of the one before: whole and on the disk."""
        path = self._sealed_path(public)
        self._folders()
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
            _flush_folder(path.parent)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise _unavailable(path, error) from error

    def sealed(self, public: bytes) -> bytes:
        """What `put_sealed` keeps of this person."""
        return _read(self._sealed_path(public))

    def _sealed_path(self, public: bytes) -> Path:
        return self.folder / f"people/{public.hex()[:32]}.sealed"

    def seal_name(self, actor: str, name: str) -> str:
        """`name` sealed under a key of this person's own, bound to `actor`."""
        return self._seal(self._personal(actor, "name"), name, actor)

    def open_name(self, actor: str, sealed: str) -> str | None:
        """The name behind `sealed`; None once its key is destroyed. `IntegrityError` if it is not this person's."""
        return self._open(self._personal(actor, "name"), sealed, actor, f"the sealed name of {actor}")

    def seal_field(self, subject: str, field: str, text: str) -> str:
        """Other personal data, sealed under another key of the same person, bound to `subject` and `field`."""
        return self._seal(self._personal(subject, "data"), text, f"{subject}/{field}")

    def open_field(self, subject: str, field: str, sealed: str) -> str | None:
        """The text behind `sealed`; None once its key is destroyed. `IntegrityError` if it is not this field's."""
        return self._open(self._personal(subject, "data"), sealed, f"{subject}/{field}", f"{field} of {subject}")

    def destroy(self, subject: str, kind: Literal["name", "data"]) -> bool:
        """Overwrite and remove a person's key; whether there was one. What was sealed under it opens no more."""
        path = self._personal(subject, kind)
        try:
            handle = os.open(path, os.O_WRONLY)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unavailable(path, error) from error
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(secrets.token_bytes(32))
                stream.flush()
                os.fsync(stream.fileno())
            path.unlink()
            _flush_folder(path.parent)
        except OSError as error:
            raise _unavailable(path, error) from error
        return True

    def _personal(self, subject: str, kind: str) -> Path:
        if not _SAFE.fullmatch(subject):
            raise InputError(f"{subject!r} is not an identity", remedy="Use letters, digits, '-' and '_', 64 at most.")
        return self.folder / f"people/{subject}.{kind}"

    def _seal(self, path: Path, text: str, bound: str) -> str:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        self._folders()
        _create(path, lambda: secrets.token_bytes(32), mode=0o600)
        raw = text.encode("utf-8")
        padded = raw + b"\x00" * (-len(raw) % NAME_BLOCK_BYTES)
        nonce = secrets.token_bytes(12)
        sealed = nonce + ChaCha20Poly1305(_read(path)).encrypt(nonce, padded, bound.encode("ascii"))
        return f"{_CIPHER} {base64.b64encode(sealed).decode('ascii')}"

    def _open(self, path: Path, sealed: str, bound: str, what: str) -> str | None:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        if not path.exists():
            return None
        raw = base64.b64decode(sealed.removeprefix(_CIPHER).strip())
        try:
            padded = ChaCha20Poly1305(_read(path)).decrypt(raw[:12], raw[12:], bound.encode("ascii"))
        except (InvalidTag, ValueError):
            raise IntegrityError(f"{what} does not open under its key") from None
        return padded.rstrip(b"\x00").decode("utf-8")

    def _signing(self, name: str, *, create: bool) -> SigningKey:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        path = self.folder / name
        if create:
            self._folders()
            _create(path, _new_pem, mode=0o600)
        try:
            private = serialization.load_pem_private_key(_read(path), password=None)
        except ValueError:
            raise IntegrityError(
                "this is not a private key", position=Position(str(path)), remedy="Restore the folder of keys."
            ) from None
        assert isinstance(private, Ed25519PrivateKey)
        return SigningKey(private, private.public_key().public_bytes_raw())

    def _folders(self) -> None:
        try:
            for folder in (self.folder, self.folder / "people"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unavailable(self.folder, error) from error


def _new_pem() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _create(path: Path, content: Callable[[], bytes], *, mode: int) -> None:
    """Write a file that is not there yet, whole and on the disk; of two writers the first one's content stays."""
    if path.exists():
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content())
                stream.flush()
                os.fsync(stream.fileno())
            os.link(temporary, path)
            _flush_folder(path.parent)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    except OSError as error:
        raise _unavailable(path, error) from error


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unavailable(path, error) from error


def _unavailable(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"the key cannot be read or written: {error.strerror}",
        position=Position(str(path)),
        remedy="Restore the folder of keys beside the ledger, or make it writable.",
    )
