"""What an administrator does by `seedtrain person`: roles, training, unlocking, contact data, retirement, erasure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Secrets, Signer, open_record, signing

if TYPE_CHECKING:
    from seedtrain.record import Ledger


def retire(person: str, *, reason: str, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """End a person's right to sign; the identity is never used again, and what they signed stays signed.

    Example: seedtrain person retire person-2 --reason "left the company" --as person-1 --record record.db

    Parameters
    ----------
    person
        The identity, such as person-1.
    reason
        Why.
    """
    from seedtrain.gmp import keep_an_administrator
    from seedtrain.record import retire as end

    options = common or Common()
    with _administration(record, signer, options) as (opened, actor):
        keep_an_administrator(opened, person)
        event = end(opened, person, reason, by=actor)
    return done(options, person, {"retired_at": event.recorded_at})


def train(
    person: str,
    course: str,
    *,
    until: str | None = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record that a person is trained in something.

    Example: seedtrain person train person-2 "aseptic filling" --until 2027-01-01T00:00:00Z --as person-1

    Parameters
    ----------
    person
        The identity, such as person-1.
    course
        In what.
    until
        When it lapses (ISO 8601 with a zone); never if not given.
    """
    from seedtrain.record import train as note

    options = common or Common()
    with _administration(record, signer, options) as (opened, actor):
        event = note(opened, person, course, until=until, by=actor)
    return done(options, person, {"course": event.payload["course"], "until": event.payload["until"]})


def set_role(
    person: str,
    *,
    role: Annotated[list[str], Parameter(negative="", help="What the person may do from now on; repeat it for more.")],
    reason: str,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Give a person these roles instead of the ones they have; nobody changes their own.

    Example: seedtrain person role person-2 --role operator --role checker --reason "trained" --as person-1

    Parameters
    ----------
    person
        The identity, such as person-2.
    reason
        Why.
    """
    from seedtrain.gmp import check_roles, keep_an_administrator
    from seedtrain.record import set_roles

    options = common or Common()
    check_roles(role)
    with _administration(record, signer, options) as (opened, actor):
        keep_an_administrator(opened, person, role)
        event = set_roles(opened, person, role, reason, by=actor)
    return done(options, person, {"roles": event.payload["roles"], "before": event.payload["before"]})


def unlock(person: str, *, reason: str, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """End a lockout before its time, once it is known who tried.

    Example: seedtrain person unlock person-2 --reason "a new keyboard" --as person-1 --record record.db

    Parameters
    ----------
    person
        The identity, such as person-2.
    reason
        What was found.
    """
    from seedtrain.record import unlock_access

    options = common or Common()
    with _administration(record, signer, options) as (opened, actor):
        event = unlock_access(opened, person, reason, by=actor)
    return done(options, person, {"unlocked_at": event.recorded_at})


def contact(
    person: str,
    field: str,
    *,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Keep a telephone number, an address and the like, sealed; the value is typed, or read after the password.

    Example: seedtrain person contact person-2 telephone --as person-1 --record record.db

    Parameters
    ----------
    person
        The identity, such as person-2; or a patient's token.
    field
        What it is, in one word; the word is not sealed.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import authorise
    from seedtrain.record import seal

    options = common or Common()
    given = Secrets(signer.password_fd)
    with open_record(record) as opened, use_language(options.lang), signing(opened, signer, given) as actor:
        if actor != person:
            authorise(opened, actor, "person.administer")
        seal(opened, person, field, given.ask(_("Value:")), by=actor)
    return done(options, person, {"field": field})


def erase(
    person: str,
    *,
    reason: str,
    only_contact: Annotated[
        bool, Parameter(name="--contact", negative="", help="Only what is not the name; at any time.")
    ] = False,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Erase a person's data for good: its key is destroyed, and the ledger still verifies.

    Refused while the person is in service, or a record that they acted in must be kept (`seedtrain retention`).

    Example: seedtrain person erase person-2 --reason "request of 2027-03-01" --as person-1 --record record.db

    Parameters
    ----------
    person
        The identity, such as person-2; or a patient's token.
    reason
        Why, and on whose request.
    """
    from seedtrain.gmp import erase_personal

    options = common or Common()
    with _administration(record, signer, options) as (opened, actor):
        event = erase_personal(opened, person, contact_only=only_contact, reason=reason, by=actor)
    return done(options, person, {"erased": event.payload["keys"], "at": event.recorded_at})


@contextmanager
def _administration(record: str | None, signer: Signer, options: Common) -> Iterator[tuple[Ledger, str]]:
    """The ledger, and the administrator who signs in it."""
    from seedtrain.base import use_language
    from seedtrain.gmp import authorise

    with open_record(record) as opened, use_language(options.lang), signing(opened, signer) as actor:
        authorise(opened, actor, "person.administer")
        yield opened, actor


def done(options: Common, person: str, data: dict[str, object]) -> int:
    if options.json:
        print_json({"person": person, **data})
    else:
        told = {name: ", ".join(value) if isinstance(value, list) else value for name, value in data.items()}
        print(person, *(f"{name}: {value}" for name, value in told.items()), sep="  ")
    return EXIT_DONE
