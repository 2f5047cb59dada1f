"""`seedtrain person`: people of a ledger. Secrets come from a prompt or a file descriptor, never from an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli import _person_admin as admin
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import PasswordFd, RecordUrl, Secrets, Signer, open_record, signing

if TYPE_CHECKING:
    from seedtrain.record import Ledger, Person

_ABOUT_PEOPLE = ("person.", "personal.", "alert.")
app = App(name="person", help="Enrol, train and retire people; their passwords.")
app.command(admin.train)
app.command(admin.set_role, name="role")
app.command(admin.unlock)
app.command(admin.contact)
app.command(admin.retire)
app.command(admin.erase)


@app.command
def enrol(
    name: str,
    *,
    role: Annotated[list[str], Parameter(negative="", help="What the person may do; repeat it for more.")],
    totp: Annotated[bool, Parameter(negative="", help="Ask for one-time codes too; prints the secret once.")] = False,
    days: Annotated[int, Parameter(help="How long the password lasts.")] = 90,
    namesake: Annotated[bool, Parameter(negative="", help="Another person of a name that is enrolled.")] = False,
    by: Annotated[str | None, Parameter(name="--as", help="The administrator who enrols, such as person-1.")] = None,
    record: RecordUrl = None,
    password_fd: PasswordFd = None,
    common: Common | None = None,
) -> int:
    """Enrol a person, who types a password twice, and print the identity that stands for them.

    The first person of a ledger becomes its administrator; whoever comes later is enrolled by one, who signs first.

    Example: seedtrain person enrol "Wang Fang" --role operator --as person-1 --record record.db

    Parameters
    ----------
    name
        The person's name; it is stored sealed.
    """
    from contextlib import nullcontext

    from seedtrain.base import use_language
    from seedtrain.gmp import ADMINISTRATOR, authorise, check_roles
    from seedtrain.record import SYSTEM, check_password, enrol_person, ledger_path

    options = common or Common()
    check_roles(role)
    given = Secrets(password_fd)
    password = ""
    if by is None and record and not ledger_path(record).exists():
        with use_language(options.lang):  # before a ledger is made that nobody could use
            password = _typed_twice(given)
        check_password(password)
    with open_record(record, create=by is None) as opened, use_language(options.lang):
        first = _first_or_by(opened, by)
        _no_namesake(opened, name, namesake)
        roles = list(dict.fromkeys([*role, ADMINISTRATOR] if first else role))
        with nullcontext() if by is None else signing(opened, Signer(by), given):
            if by is not None:
                authorise(opened, by, "person.administer")
            password = password or _typed_twice(given)
            shown: list[str] = []
            actor = enrol_person(
                opened, name, roles, password=password, totp=totp, days=days, show=shown.append, by=by or SYSTEM
            )
    if options.json:
        print_json({"person": actor, "roles": roles, "totp": shown[0] if shown else None})
    else:
        print(actor, *shown, sep="\n")
    return EXIT_DONE


def _typed_twice(given: Secrets) -> str:
    password = given.ask(_("Password:"))
    if given.ask(_("The same again:")) != password:
        raise InputError("the two passwords differ", remedy="Type the same password twice.")
    return password


def _first_or_by(ledger: Ledger, by: str | None) -> bool:
    """Whether this is the first real person; every later one needs somebody who enrols them."""
    from seedtrain.record import people

    first = all(item.scripted for item in people(ledger))
    if first and by is not None:
        raise InputError(f"{by} is not enrolled: nobody is", remedy="Enrol the administrator first, without --as.")
    if not first and by is None:
        raise InputError("nobody is named who enrols", remedy="Give --as with the identity of an administrator.")
    return first


def _no_namesake(ledger: Ledger, name: str, namesake: bool) -> None:
    from seedtrain.record import people, person_name, same_name

    here = [item for item in people(ledger) if not item.scripted]
    taken = [item.actor for item in here if same_name(person_name(ledger, item.actor) or "", name)]
    if taken and not namesake:
        raise InputError(
            f"{name} is enrolled as {', '.join(taken)}",
            remedy="One person has one identity, with all their roles; --namesake for another person.",
        )


@app.command
def password(
    person: str,
    *,
    days: Annotated[int, Parameter(help="How long the new password lasts.")] = 90,
    record: RecordUrl = None,
    password_fd: PasswordFd = None,
    common: Common | None = None,
) -> int:
    """Change a password: the old one, then the new one twice. Nobody else can do it, and a lost one cannot be reset.

    Example: seedtrain person password person-1 --record record.db

    Parameters
    ----------
    person
        The identity, such as person-1.
    """
    from seedtrain.base import use_language
    from seedtrain.record import access, change_password

    options = common or Common()
    given = Secrets(password_fd)
    with open_record(record) as opened, use_language(options.lang):
        old = given.ask(_("Password:"))
        with_code = access(opened, person).credentials == "password+totp"
        number = given.ask(_("One-time code:")) if with_code else None
        new = given.ask(_("New password:"))
        if given.ask(_("The same again:")) != new:
            raise InputError("the two passwords differ", remedy="Type the same password twice.")
        event = change_password(opened, person, old, new, code=number, days=days)
    return admin.done(options, person, {"expires_at": event.payload["expires_at"]})


@app.command(name="list")
def list_people(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Everybody enrolled, with roles, training and how their access stands; names only where their key is.

    Example: seedtrain person list --record record.db
    """
    from seedtrain.record import people

    options = common or Common()
    with open_record(record, read_only=True) as opened:
        rows = [_row(opened, item) for item in people(opened)]
    if options.json:
        print_json(rows)
        return EXIT_DONE
    for row in rows:
        print(f"{row['person']:<12} {row['name'] or '-':<24} {', '.join(row['roles']):<24} {_marks(row)}")
    return EXIT_DONE


@app.command
def show(person: str, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """One person: roles, training, access, the duties that the roles allow, and what has happened to the access.

    Example: seedtrain person show person-2 --record record.db

    Parameters
    ----------
    person
        The identity, such as person-2.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import duties_of
    from seedtrain.record import find_person

    options = common or Common()
    with open_record(record, read_only=True) as opened, use_language(options.lang):
        found = find_person(opened, person)
        if found is None:
            raise InputError(f"{person!r} is not enrolled", remedy="See: seedtrain person list.")
        row = _row(opened, found) | {"duties": list(duties_of(found)), "contact": _contact(opened, person)}
        told = [
            item for item in opened.events(subject=person) if item.type.startswith(("person.", "personal.", "alert."))
        ]
        row["events"] = [
            {"seq": item.seq, "at": item.recorded_at, "type": item.type, "by": item.actor, "reason": item.reason}
            for item in told
        ]
        if options.json:
            print_json(row)
            return EXIT_DONE
        print(f"{person}  {row['name'] or '-'}  {', '.join(row['roles'])}  {_marks(row)}")
        print(_("Duties: {duties}").format(duties=", ".join(row["duties"]) or "-"))
        for field, value in row["contact"].items():
            print(f"{field}: {value}")
        for item in row["trained"]:
            print(_("Trained: {course}, until {until}").format(course=item["course"], until=item["until"] or "-"))
        for item in row["events"]:
            print(f"{item['seq']:>6} {item['at']} {item['type']:<22} {item['by']} {item['reason'] or ''}".rstrip())
    return EXIT_DONE


@app.command
def alerts(*, every: bool = False, record: RecordUrl = None, common: Common | None = None) -> int:
    """What somebody in charge must look at now: lockouts, refused signatures.

    Example: seedtrain person alerts --record record.db

    Parameters
    ----------
    every
        Those that are over, too.
    """
    from seedtrain.record import alerts as raised

    options = common or Common()
    with open_record(record, read_only=True) as opened:
        rows = [
            {"at": item.at, "kind": item.kind, "subject": item.subject, "words": item.words, "open": item.open}
            for item in raised(opened)
            if item.open or every
        ]
    if options.json:
        print_json(rows)
    else:
        for row in rows:
            print(f"{row['at']} {row['kind']:<10} {row['subject']:<12} {row['words']}")
    return EXIT_DONE


def _row(ledger: Ledger, person: Person) -> dict[str, Any]:
    from seedtrain.record import access, person_name

    stands = access(ledger, person.actor)
    return {
        "person": person.actor,
        "name": person_name(ledger, person.actor),
        "roles": list(person.roles),
        "credentials": "script" if person.scripted else person.credentials,
        "failures": stands.failures,
        "locked_until": stands.locked_until,
        "expires_at": stands.expires_at,
        "retired": stands.retired,
        "trained": [{"course": course, "until": until} for course, until in stands.trained],
    }


def _contact(ledger: Ledger, person: str) -> dict[str, str]:
    """What stands sealed in the ledger and still opens here."""
    from seedtrain.record import unseal

    fields = dict.fromkeys(str(item.payload["field"]) for item in ledger.events(person, "personal.sealed"))
    values = {field: unseal(ledger, person, field) for field in fields}
    return {field: value for field, value in values.items() if value is not None}


def _marks(row: dict[str, Any]) -> str:
    marks = [str(row["credentials"])]
    marks += [f"{word} {row[word]}" for word in ("locked_until", "expires_at") if row[word]]
    return ", ".join([*marks, "retired"] if row["retired"] else marks)
