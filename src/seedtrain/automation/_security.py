"""Who a side of an OPC UA connection is, and whom it trusts: certificates, and a user with a password."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from seedtrain.base import InputError, Position, SeedtrainError, collect

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

PASSWORD: Final = "SEEDTRAIN_OPCUA_PASSWORD"  # noqa: S105 - the name of the variable, not a password
"""The environment variable that holds the user's password: no secret stands in a file or an argument."""


@dataclass(frozen=True)
class Security:
    """One side of a connection that is signed and encrypted (Basic256Sha256).

    - `certificate`, `private_key`: its own, PEM or DER. `trusted`: certificates of the other side, and no others.
    - `user`: name of the user, whose password stands in SEEDTRAIN_OPCUA_PASSWORD; empty for none.
    """

    certificate: Path
    private_key: Path
    trusted: tuple[Path, ...]
    user: str = ""

    @property
    def password(self) -> str:
        """The user's password; raises `InputError` where there is a user without one."""
        found = os.environ.get(PASSWORD, "")
        if self.user and not found:
            raise InputError(f"the user {self.user!r} has no password", remedy=f"Set the variable {PASSWORD}.")
        return found

    def check(self, now: datetime | None = None) -> None:
        """Every file is there, and every certificate is valid `now`. Raises `InputErrors`."""
        errors: list[SeedtrainError] = []
        for path in (self.certificate, *self.trusted):
            try:
                _check_validity(path, read_certificate(path), now or datetime.now(UTC))
            except InputError as error:
                errors += error.parts
        if not self.private_key.is_file():
            errors.append(_fault(self.private_key, "there is no such private key", "Name the file of the key."))
        if not self.trusted:
            errors.append(InputError("no certificate is trusted", remedy="Name the certificate of the other side."))
        collect(errors)

    @property
    def application(self) -> str:
        """The application URI that its certificate is for, or empty."""
        from cryptography.x509 import ExtensionNotFound, SubjectAlternativeName, UniformResourceIdentifier

        try:
            names = read_certificate(self.certificate).extensions.get_extension_for_class(SubjectAlternativeName)
        except ExtensionNotFound:
            return ""
        return next(iter(names.value.get_values_for_type(UniformResourceIdentifier)), "")

    def arguments(self) -> list[str]:
        """As arguments of the plant's process; the password goes by the environment."""
        trusted = [part for path in self.trusted for part in ("--trust", str(path))]
        user = ["--user", self.user] if self.user else []
        return ["--certificate", str(self.certificate), "--private-key", str(self.private_key), *trusted, *user]


def read_certificate(path: Path) -> Certificate:
    """A certificate, PEM or DER by the file's name; anything else is an `InputError`."""
    from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate

    try:
        raw = path.read_bytes()
        return (load_der_x509_certificate if path.suffix == ".der" else load_pem_x509_certificate)(raw)
    except OSError as error:
        raise _fault(
            path, f"the certificate cannot be read: {error.strerror}", "Name the file of the certificate."
        ) from None
    except ValueError:
        raise _fault(path, "this is not a certificate", "Give a PEM file, or a DER file named *.der.") from None


def _check_validity(path: Path, certificate: Certificate, now: datetime) -> None:
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > last:
        raise _fault(path, f"the certificate expired on {last:%Y-%m-%d}", "Have a new one issued.")
    if now < first:
        raise _fault(path, f"the certificate is not valid before {first:%Y-%m-%d}", "Check the clock of this machine.")


def _fault(path: Path, message: str, remedy: str) -> InputError:
    return InputError(message, position=Position(str(path)), remedy=remedy)
