"""`seedtrain person`: people of a ledger. Secrets come from a prompt or a file descriptor, never from an argument."""

from __future__ import annotations

import os
from typing import Annotated, Any

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError, use_language
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json

app = App(name="person", help="Enrol, train and retire people; their passwords.")
Secret = Annotated[
    int | None, Parameter(name="--password-fd", help="Read passwords and codes from here, one a line; else a prompt.")
]


@app.command
def enrol(
    ledger: str,
    name: str,
    *,
    role: Annotated[list[str], Parameter(negative="", help="What the person may do; repeat it for more.")],
    totp: Annotated[bool, Parameter(negative="", help="Ask for one-time codes too; prints the secret once.")] = False,
    days: Annotated[int, Parameter(help="How long the password lasts.")] = 90,
    namesake: Annotated[bool, Parameter(negative="", help="Another person of a name that is enrolled.")] = False,
    password_fd: Secret = None,
    common: Common | None = None,
) -> int:
    """Enrol a person, who types a password twice, and print the identity that stands for them.

    Example: seedtrain person enrol record.db "Wang Fang" --role operator

    Parameters
    ----------
    ledger
        The ledger; it is made if there is none.
    name
        The person's name; it is stored sealed.
    """
    from seedtrain.record import enrol_person, open_ledger, people, person_name, same_name

    options = common or Common()
    given = _Secrets(password_fd)
    with open_ledger(ledger) as opened, use_language(options.lang):
        here = [item for item in people(opened) if not item.scripted]
        taken = [item.actor for item in here if same_name(person_name(opened, item.actor) or "", name)]
        if taken and not namesake:
            raise InputError(
                f"{name} is enrolled as {', '.join(taken)}",
                remedy="One person has one identity, with all their roles; --namesake for another person.",
            )
        password = given.ask(_("Password:"))
        if given.ask(_("The same again:")) != password:
            raise InputError("the two passwords differ", remedy="Type the same password twice.")
        shown: list[str] = []
        actor = enrol_person(opened, name, role, password=password, totp=totp, days=days, show=shown.append)
    if options.json:
        print_json({"person": actor, "roles": role, "totp": shown[0] if shown else None})
    else:
        print(actor, *shown, sep="\n")
    return EXIT_DONE


@app.command
def password(
    ledger: str,
    person: str,
    *,
    code: Annotated[bool, Parameter(negative="", help="A one-time code is asked for after the old password.")] = False,
    days: Annotated[int, Parameter(help="How long the new password lasts.")] = 90,
    password_fd: Secret = None,
    common: Common | None = None,
) -> int:
    """Change a password: the old one, then the new one twice. Nobody else can do it, and a lost one cannot be reset.

    Example: seedtrain person password record.db person-1

    Parameters
    ----------
    ledger
        The ledger.
    person
        The identity, such as person-1.
    """
    from seedtrain.record import change_password, open_ledger

    options = common or Common()
    given = _Secrets(password_fd)
    with open_ledger(ledger, create=False) as opened, use_language(options.lang):
        old = given.ask(_("Password:"))
        number = given.ask(_("One-time code:")) if code else None
        new = given.ask(_("New password:"))
        if given.ask(_("The same again:")) != new:
            raise InputError("the two passwords differ", remedy="Type the same password twice.")
        event = change_password(opened, person, old, new, code=number, days=days)
    return _done(options, person, {"expires_at": event.payload["expires_at"]})


@app.command
def retire(ledger: str, person: str, *, reason: str, common: Common | None = None) -> int:
    """End a person's right to sign; the identity is never used again, and what they signed stays signed.

    Example: seedtrain person retire record.db person-1 --reason "left the company"

    Parameters
    ----------
    ledger
        The ledger.
    person
        The identity, such as person-1.
    reason
        Why.
    """
    from seedtrain.record import open_ledger
    from seedtrain.record import retire as end

    with open_ledger(ledger, create=False) as opened:
        event = end(opened, person, reason)
    return _done(common or Common(), person, {"retired_at": event.recorded_at})


@app.command
def train(ledger: str, person: str, course: str, *, until: str | None = None, common: Common | None = None) -> int:
    """Record that a person is trained in something.

    Example: seedtrain person train record.db person-1 "aseptic filling" --until 2027-01-01T00:00:00Z

    Parameters
    ----------
    ledger
        The ledger.
    person
        The identity, such as person-1.
    course
        In what.
    until
        When it lapses (ISO 8601 with a zone); never if not given.
    """
    from seedtrain.record import open_ledger
    from seedtrain.record import train as note

    with open_ledger(ledger, create=False) as opened:
        event = note(opened, person, course, until=until)
    return _done(common or Common(), person, {"course": event.payload["course"], "until": event.payload["until"]})


@app.command(name="list")
def list_people(ledger: str, *, common: Common | None = None) -> int:
    """Everybody enrolled, with roles, training and how their access stands; names only where their key is.

    Example: seedtrain person list record.db

    Parameters
    ----------
    ledger
        The ledger.
    """
    from seedtrain.record import access, open_ledger, people, person_name

    options = common or Common()
    rows: list[dict[str, Any]] = []
    with open_ledger(ledger, create=False, read_only=True) as opened:
        for item in people(opened):
            stands = access(opened, item.actor)
            rows.append(
                {
                    "person": item.actor,
                    "name": person_name(opened, item.actor),
                    "roles": list(item.roles),
                    "credentials": "script" if item.scripted else item.credentials,
                    "locked_until": stands.locked_until,
                    "expires_at": stands.expires_at,
                    "retired": stands.retired,
                    "trained": [{"course": course, "until": until} for course, until in stands.trained],
                }
            )
    if options.json:
        print_json(rows)
        return EXIT_DONE
    for row in rows:
        marks = [str(row["credentials"])]
        marks += [f"{word} {row[word]}" for word in ("locked_until", "expires_at") if row[word]]
        marks += ["retired"] if row["retired"] else []
        print(f"{row['person']:<12} {row['name'] or '-':<24} {', '.join(row['roles']):<24} {', '.join(marks)}")
    return EXIT_DONE


class _Secrets:
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
        if self.stream is not None:
            line = self.stream.readline()
            if not line:
                raise InputError("the file descriptor ended before the last secret", remedy="Give one a line.")
            return line.rstrip("\r\n")
        import getpass
        import sys

        if not sys.stdin.isatty():
            raise InputError("there is nobody to ask for the password", remedy="Give --password-fd.")
        return getpass.getpass(words + " ")


def _done(options: Common, person: str, data: dict[str, object]) -> int:
    if options.json:
        print_json({"person": person, **data})
    else:
        print(person, *(f"{name}: {value}" for name, value in data.items()), sep="  ")
    return EXIT_DONE
