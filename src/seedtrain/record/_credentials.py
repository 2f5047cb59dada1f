"""What a person knows and holds: a password that opens the signing key, and optionally a one-time code.

The private key of a person is stored only sealed under a key that Argon2id (RFC 9106) makes of the password. There is
no password hash beside it: the right password is the one that opens the key, and nobody, whatever their rights, can
sign for a person who has not typed it. A lost one cannot be reset: the identity is retired and a new one made.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.record._keys import SigningKey

SHORTEST_PASSWORD: Final = 12  # characters; assumed
LONGEST_PASSWORD: Final = 256
MEMORY_KIB: Final = 65_536  # RFC 9106 section 4, the second recommended option: 3 passes, 4 lanes, 64 MiB
PASSES: Final = 3
LANES: Final = 4
CODE_STEP_S: Final = 30  # RFC 6238
CODE_DIGITS: Final = 6


@dataclass(frozen=True)
class Unlocked:
    """A person whose password was right; the key is in memory only, and in no text of this object.

    - `at`, `seq`: when that was, and the ledger's last event then: a session does not outlive its reasons.
    """

    actor: str
    key: SigningKey = field(repr=False)
    at: datetime
    seq: int


@dataclass(frozen=True)
class Secrets:
    """What the password opens. `totp`: the shared secret of the one-time codes, or None."""

    key: SigningKey = field(repr=False)
    totp: bytes | None = field(repr=False)


def check_password(password: str) -> None:
    """Refuse a password that is too short, too long or of one character; the error does not repeat it."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD or len(set(password)) < 5:
        raise InputError(
            f"this is not a password: {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters, 5 of them different",
            remedy="Take several words.",
        )


def new_secrets(*, totp: bool) -> Secrets:
    """A new signing key and, where asked for, a new secret for one-time codes."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    return Secrets(
        SigningKey(private, private.public_key().public_bytes_raw()), secrets.token_bytes(20) if totp else None
    )


def seal(actor: str, password: str, held: Secrets) -> bytes:
    """The file in which a person's secrets rest, bound to the identity and the public key."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    settings = {"memory_kib": MEMORY_KIB, "passes": PASSES, "lanes": LANES, "salt": salt.hex()}
    content = held.key.private.private_bytes_raw() + (held.totp or b"")
    bound = _bound(actor, held.key.public)
    sealed = ChaCha20Poly1305(_derive(password, settings)).encrypt(nonce, content, bound)
    data = {"kdf": "argon2id", **settings, "nonce": nonce.hex(), "sealed": sealed.hex()}
    return json.dumps(data, indent=1).encode("ascii") + b"\n"


def open_sealed(actor: str, public: bytes, password: str, content: bytes) -> Secrets | None:
    """The secrets behind a password; None if the password is not the right one, or the file not this person's."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    try:
        data = json.loads(content)
        key = _derive(password, data)
        opened = ChaCha20Poly1305(key).decrypt(
            bytes.fromhex(data["nonce"]), bytes.fromhex(data["sealed"]), _bound(actor, public)
        )
    except (InvalidTag, ValueError, KeyError):
        return None
    private = Ed25519PrivateKey.from_private_bytes(opened[:32])
    if not hmac.compare_digest(private.public_key().public_bytes_raw(), public):
        return None
    return Secrets(SigningKey(private, public), opened[32:] or None)


def waste_time(password: str) -> None:
    """Take as long as a real check, for an identity that nobody has."""
    _derive(password, {"memory_kib": MEMORY_KIB, "passes": PASSES, "lanes": LANES, "salt": "00" * 16})


def one_time_code(secret: bytes, step: int) -> str:
    """The code of a step of 30 s (RFC 6238 with SHA-1, 6 digits, as authenticator apps make it)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    at = mac[-1] & 15
    number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def matching_step(secret: bytes, code: str, now_s: float) -> int | None:
    """The step to which a code belongs, of this one and its two neighbours; None for a wrong code."""
    here = int(now_s) // CODE_STEP_S
    given = code.encode("utf-8")
    found = None
    for step in (here - 1, here, here + 1):  # all are compared, whichever matches
        if hmac.compare_digest(one_time_code(secret, step).encode("ascii"), given):
            found = step
    return found


def totp_url(actor: str, ledger: str, secret: bytes) -> str:
    """What an authenticator app takes in; a secret, to be shown once."""
    text = base64.b32encode(secret).decode("ascii").rstrip("=")
    return f"otpauth://totp/Seedtrain:{actor}?secret={text}&issuer={ledger.replace('/', '%2F')}"


def _derive(password: str, settings: dict[str, Any]) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    kdf = Argon2id(
        salt=bytes.fromhex(settings["salt"]),
        length=32,
        iterations=int(settings["passes"]),
        lanes=int(settings["lanes"]),
        memory_cost=int(settings["memory_kib"]),
    )
    return kdf.derive(unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass"))


def _bound(actor: str, public: bytes) -> bytes:
    return b"seedtrain-person/1\x00" + actor.encode("ascii") + b"\x00" + public
