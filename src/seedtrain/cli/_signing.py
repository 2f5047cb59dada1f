"""Who signs at the command line, and for which ledger: shared by every command that writes to the record.

Both components of a signature are asked for each time (21 CFR 11.200(a)(1)); no secret is ever an argument.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from seedtrain.base import InputError
from seedtrain.base import translate as _

if TYPE_CHECKING:
    from seedtrain.record import Ledger, StoredError
    from seedtrain.report import Authority

RecordUrl = Annotated[
    str | None,
    Parameter(name="--record", env_var="SEEDTRAIN_RECORD", help="The ledger: a file, or the URL of a PostgreSQL one."),
]
PasswordFd = Annotated[
    int | None,
    Parameter(name="--password-fd", help="Read passwords and codes from this descriptor, one a line; else a prompt."),
]

TimeStampAuthority = Annotated[
    str | None,
    Parameter(
        name="--tsa",
        env_var="SEEDTRAIN_TSA",
        help="Have the signature time-stamped by this authority (RFC 3161).",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True)
class Signer:
    """Options of every command that somebody signs."""

    actor: Annotated[str, Parameter(name="--as", help="Who signs: the identity, such as person-1.")]
    password_fd: PasswordFd = None


def open_record(record: str | None, *, create: bool = False, read_only: bool = False) -> Ledger:
    """The ledger that `--record` names; `InputError` where it is not given."""
    from seedtrain.record import open_ledger

    if not record:
        raise InputError("no ledger is named", remedy="Give --record FILE, or set SEEDTRAIN_RECORD.")
    return open_ledger(record, create=create, read_only=read_only)


def authority_at(address: str | None) -> Authority | None:
    """The time stamp authority at an address; None where none is given."""
    if address is None:
        return None
    from seedtrain.record import ask_authority

    return lambda request: ask_authority(address, request)


@contextmanager
def signing(ledger: Ledger, signer: Signer, secrets: Secrets | None = None) -> Iterator[str]:
    """Ask for the password, and for the one-time code where the person has them; within the block the person signs.

    - `secrets`: where the command reads more secrets than these, so that one descriptor serves all.

    Yields the identity. Raises `RefusedError` (wrong, locked, expired or retired; the attempt is in the ledger).
    """
    from seedtrain.record import StoredError, access, signing_as, unlock

    asked = secrets or Secrets(signer.password_fd)
    password = asked.ask(_("Password of {person}:").format(person=signer.actor))
    with_code = access(ledger, signer.actor).credentials == "password+totp"
    code = asked.ask(_("One-time code:")) if with_code else None
    with signing_as(unlock(ledger, signer.actor, password, code=code)):
        try:
            yield signer.actor
        except StoredError as error:
            raise _as_recorded(ledger, error) from None


_INSTEAD: Final = {
    "lot.tested": "Test another sample: --sample; or have quality take the first one back: seedtrain lot "
    "invalidate-test.",
    "lot.consumed": "Give another weighing its own --reference; correct this one: seedtrain lot correct-consumption.",
    "lot.received": "Give the other delivery an id of its own; state this one anew: seedtrain lot amend.",
    "lot.discarded": "Give another discarding its own --reference.",
    "lot.shipped": "Give another shipment its own --document.",
    "bank.created": "What a bank was begun with stays; begin another bank under another id.",
    "bank.filled": "A bank is filled once. Vials that are wanting or broken are withdrawn for destruction, with a "
    "reason; open a deviation where the number was wrong.",
    "bank.excursion_assessed": "An excursion is assessed once. Where the decision was wrong, open a deviation; vials "
    "that are kept may still be withdrawn for destruction.",
    "deviation.opened": "Comment on it, or open another deviation.",
    "result.recorded": "Correct it with a reason: seedtrain quality correct; or test another sample.",
    "retest.recorded": "A retest is recorded once, whatever it gives; the next one has the next number.",
    "certificate.issued": "Revoke it, and record the other one under its own number.",
    "batch.created": "Start the other batch under an id of its own.",
}
"""What to do instead, by what is recorded already."""


def _as_recorded(ledger: Ledger, error: StoredError) -> InputError:
    """What stands there already, when and by whom, in words for people, and what to do instead."""
    from seedtrain.record import differences, person_name

    stored = error.stored
    name = person_name(ledger, stored.actor)
    who = f"{name} ({stored.actor})" if name else stored.actor
    said = "; ".join(differences(stored, error.draft))
    return InputError(
        f"{stored.subject}: {stored.type.replace('.', ' ').replace('_', ' ')} already, by {who} at "
        f"{stored.occurred_at}. It says {said}",
        remedy=_INSTEAD.get(stored.type, error.remedy),
    )


class Secrets:
    """Secrets as they are typed, or line by line from a file descriptor."""

    def __init__(self, descriptor: int | None) -> None:
        self.stream = None
        if descriptor is not None:
            try:
                self.stream = os.fdopen(descriptor, encoding="utf-8", closefd=False)
            except OSError as error:
                raise InputError(
                    f"file descriptor {descriptor}: {error.strerror}", remedy="Give an open one."
                ) from error

    def ask(self, words: str) -> str:
        """One secret, without its end of line."""
        if self.stream is not None:
            try:
                line = self.stream.readline()
            except (OSError, ValueError):  # closed at the start, it is by now a file of our own
                raise InputError(
                    "the file descriptor gives no text", remedy="Give one that is open for reading, as UTF-8."
                ) from None
            if not line:
                raise InputError("the file descriptor ended before the last secret", remedy="Give one a line.")
            return line.rstrip("\r\n")
        import getpass
        import sys

        if not sys.stdin.isatty():
            raise InputError("there is nobody to ask for the password", remedy="Give --password-fd.")
        return getpass.getpass(words + " ")
