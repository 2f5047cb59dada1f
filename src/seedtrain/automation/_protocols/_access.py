"""Who we are for a server, and which server we trust. No secret stands in a file that is read here, or an argument."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from seedtrain.automation._security import read_certificate
from seedtrain.base import InputError, Position, SeedtrainError, collect

PASSWORD: Final = "SEEDTRAIN_PLANT_PASSWORD"  # noqa: S105 - the name of the variable, not a password
"""The environment variable that holds the user's password."""
PASSWORD_FD: Final = "SEEDTRAIN_PLANT_PASSWORD_FD"  # noqa: S105 - as above
"""Or the number of a file descriptor from which it is read, one line."""


@dataclass(frozen=True)
class Access:
    """`authority`: the certificate (PEM) of the server or of who issued it; without it, the system's are trusted.

    - `certificate`, `private_key`: ours, PEM, where the server asks for one. `user`: our name there.
    """

    authority: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    user: str = ""

    def check(self, now: datetime | None = None) -> None:
        """Every file is there and valid `now`. Raises `InputErrors`."""
        errors: list[SeedtrainError] = []
        at = now or datetime.now(UTC)
        for path in (self.authority, self.certificate):
            try:
                found = read_certificate(path) if path is not None else None
            except InputError as error:
                errors += error.parts
                continue
            if found is not None and not found.not_valid_before_utc <= at <= found.not_valid_after_utc:
                words = f"the certificate is valid from {found.not_valid_before_utc:%Y-%m-%d} to {{end}}, not now"
                message = words.format(end=f"{found.not_valid_after_utc:%Y-%m-%d}")
                errors.append(InputError(message, position=Position(str(path)), remedy="Have a new one issued."))
        if (self.certificate is None) != (self.private_key is None):
            errors.append(InputError("our certificate and its key go together", remedy="Give both, or none."))
        if self.private_key is not None and not self.private_key.is_file():
            place = Position(str(self.private_key))
            errors.append(InputError("there is no such private key", position=place, remedy="Name the key's file."))
        collect(errors)

    @property
    def password(self) -> str:
        """The user's password, or empty without a user; raises `InputError` where there is none for a user."""
        if not self.user:
            return ""
        descriptor = os.environ.get(PASSWORD_FD, "")
        if descriptor:
            try:
                with os.fdopen(int(descriptor), encoding="utf-8", closefd=False) as stream:
                    found = stream.readline().rstrip("\n")
            except (OSError, ValueError):
                raise InputError(
                    f"{PASSWORD_FD} is {descriptor!r}, which is no open file descriptor",
                    remedy="Give the number of a descriptor with the password, for instance 3 and `3<file`.",
                ) from None
        else:
            found = os.environ.get(PASSWORD, "")
        if not found:
            raise InputError(f"the user {self.user!r} has no password", remedy=f"Set {PASSWORD} or {PASSWORD_FD}.")
        return found

    def context(self) -> ssl.SSLContext:
        """TLS as a client that always verifies the server."""
        self.check()
        context = ssl.create_default_context(cafile=str(self.authority) if self.authority else None)
        if self.certificate is not None and self.private_key is not None:
            context.load_cert_chain(str(self.certificate), str(self.private_key))
        return context
