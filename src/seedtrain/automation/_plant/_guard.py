"""Whom the plant's server lets in: clients with a trusted certificate, and one user with a password."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Any, Final

from asyncua.crypto.permission_rules import User, UserRole

from seedtrain.automation._security import Security, read_certificate


class Doorkeeper:
    """Asked by the server for every session before it may do anything.

    asyncua leaves an unencrypted channel open for discovery, whatever policies it is given, and lets a session be made
    over it: such a session has no certificate of the client's, and is refused here with everybody else who lacks one.
    """

    def __init__(self, security: Security) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding

        trusted = [read_certificate(path) for path in security.trusted]
        self._trusted: Final = {item.public_bytes(Encoding.DER): item for item in trusted}
        self._user: Final = security.user.encode()
        self._password: Final = security.password.encode()

    def get_user(
        self, server: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        """The user, or None for a certificate that is not trusted or not valid, and for another name or password."""
        known = self._trusted.get(certificate) if isinstance(certificate, bytes) else None
        if known is None or not known.not_valid_before_utc <= datetime.now(UTC) <= known.not_valid_after_utc:
            return None
        right = [
            hmac.compare_digest((given or "").encode(), wanted)
            for given, wanted in ((username, self._user), (password, self._password))
        ]
        return User(role=UserRole.User) if all(right) or not self._user else None
