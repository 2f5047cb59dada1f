"""Who may do what: duties and the roles that allow them, and the second pair of eyes.

Clauses: 21 CFR 11.10(g) authority checks, (i) training; 211.22 the quality unit, 211.25 qualified people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from seedtrain.base import InputError
from seedtrain.record import (
    Event,
    Ledger,
    Person,
    access,
    find_person,
    is_trained,
    people,
    person_name,
    same_name,
)

ADMINISTRATOR: Final = "administrator"
SAME_ROLE: Final[Mapping[str, str]] = MappingProxyType({"qa": "quality_assurance", "qc": "quality_control"})
_QUALITY: Final = ("quality_assurance", "authorised_person")
_MAKERS: Final = (
    *("author", "operator", "shift_leader", "process_development", "production_management"),
    *("quality_control", "maintenance", "warehouse", "reviewer"),
)
DUTIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "batch.execute": ("operator", "checker", "shift_leader"),
        "batch.review": ("reviewer", *_QUALITY),
        "batch.release": _QUALITY,
        "recipe.author": ("author", "process_development"),
        "recipe.review": ("reviewer", "process_development", "production_management", *_QUALITY),
        "recipe.approve": ("production_management", *_QUALITY),
        "change.open": (*_MAKERS, *_QUALITY),
        "change.assess": ("author", "process_development", "production_management", "quality_control", *_QUALITY),
        "lot.receive": ("warehouse", "quality_control"),
        "lot.decide": ("quality_control", *_QUALITY),
        "quality.investigate": ("shift_leader", "process_development", "quality_control", *_QUALITY),
        "quality.approve": _QUALITY,
        "equipment.register": ("maintenance", "metrology", *_QUALITY),
        "equipment.calibrate": ("maintenance", "metrology", "quality_control"),
        "equipment.clean": ("maintenance", "operator", "checker", "shift_leader"),
        "equipment.stop": ("maintenance", "metrology", "operator", "shift_leader", "quality_control", *_QUALITY),
        "equipment.maintain": ("maintenance", "metrology", *_QUALITY),
        "bank.keep": ("operator", "shift_leader", "warehouse", "quality_control", *_QUALITY),
        "bank.withdraw": ("shift_leader", "process_development", "quality_control", *_QUALITY),
        "custody.hand_over": ("courier", "operator", "shift_leader", "warehouse", "quality_control"),
        "assurance.decide": ("assurance_officer", *_QUALITY),
        "person.administer": (ADMINISTRATOR,),
        "result.record": ("analyst", "quality_control"),
        "sample.take": ("operator", "shift_leader", "analyst", "quality_control"),
    }
)
"""The roles, any one of which allows a duty. The names of the roles are ours; the split follows 21 CFR 211.22: what
decides on quality is the quality unit's. Who makes the product cleans equipment and takes it out of use; that it is fit
(registered, calibrated, put back into service) is said by those who keep it (211.67, 211.68(a), 211.160(b)(4))."""


def authorise(ledger: Ledger, actor: str, duty: str, course: str | None = None) -> Person:
    """The person, if they may do this now: enrolled, in service, in a role that the duty allows, trained if asked.

    - `duty`: one of `DUTIES`. `course`: training that must be valid now (21 CFR 11.10(i), 211.25).

    Raises `InputError` saying what is missing and who could do it.
    """
    person = in_service(ledger, actor)
    allowed = DUTIES[duty]
    if duty not in duties_of(person):
        raise InputError(
            f"{actor} may not do {duty}: their roles are {', '.join(person.roles)}",
            remedy=f"Have it done by somebody in the role {' or '.join(allowed)} (21 CFR 11.10(g)).",
        )
    if course is not None and not is_trained(ledger, actor, course):
        raise InputError(
            f"{actor} is not trained in {course}, or the training has lapsed",
            remedy=f'Train the person, then record it: seedtrain person train {actor} "{course}".',
        )
    return person


def may(ledger: Ledger, actor: str, duty: str) -> bool:
    """Whether the person's roles allow a duty; for what depends on it, not as a guard: that is `authorise`."""
    person = find_person(ledger, actor)
    return person is not None and duty in duties_of(person)


def could(ledger: Ledger, event: Event, duty: str) -> bool:
    """Whether the event's actor had a role for this duty when it was written; if not, the event counts for nothing."""
    person = find_person(ledger, event.actor, before=event.seq)
    return person is not None and duty in duties_of(person)


def duties_of(person: Person) -> tuple[str, ...]:
    """The duties that the person's roles allow."""
    roles = {SAME_ROLE.get(role, role) for role in person.roles}
    return tuple(duty for duty, allowed in DUTIES.items() if roles & set(allowed))


def keep_an_administrator(ledger: Ledger, actor: str, roles: Iterable[str] = ()) -> None:
    """Refuse to take the role of administrator from the last one in service (`roles`: what the person would have)."""
    if ADMINISTRATOR in roles:
        return
    left = [
        person.actor
        for person in people(ledger)
        if ADMINISTRATOR in person.roles and person.actor != actor and not access(ledger, person.actor).retired
    ]
    if not left:
        raise InputError(
            f"{actor} is the last administrator in service",
            remedy="Enrol another administrator first: nobody could enrol or unlock people any more.",
        )


def check_roles(roles: Iterable[str]) -> None:
    """Refuse roles that no duty knows: a misspelt one would silently allow nothing."""
    known = {role for allowed in DUTIES.values() for role in allowed} | set(SAME_ROLE)
    unknown = sorted(set(roles) - known)
    if unknown:
        raise InputError(
            f"{', '.join(repr(role) for role in unknown)}: no duty knows such a role",
            remedy=f"The roles are {', '.join(sorted(known))}.",
        )


def in_service(ledger: Ledger, actor: str) -> Person:
    """The person of this identity; `InputError` for somebody who is not enrolled, or retired."""
    person = find_person(ledger, actor)
    if person is None:
        raise InputError(f"{actor!r} is not enrolled", remedy="See: seedtrain person list.")
    if access(ledger, actor).retired:
        raise InputError(f"{actor} is retired and may not act", remedy="Have somebody in service do it.")
    return person


def another_person(ledger: Ledger, actor: str, others: Iterable[str], what: str) -> None:
    """Refuse an actor who is one of `others`: four eyes, which one person with two roles or identities cannot satisfy.

    - `others`: the identities that must be other people (the author, the operators); a program among them is nobody.
    - `what`: what is asked for, in words for the error: "the approval of recipe short 1".

    Raises `InputError`. Source: 21 CFR 211.186(a), 211.101(d), 11.200(a)(3).
    """
    in_service(ledger, actor)
    for other in dict.fromkeys(others):
        if find_person(ledger, other) is not None and same_person(ledger, actor, other):
            raise InputError(
                f"{what} needs another person than {other}, and {actor} is the same person",
                remedy="Have somebody else do it; another role or identity of one person does not count.",
            )


def same_person(ledger: Ledger, actor: str, other: str) -> bool:
    """Whether two identities are one person: the same, or of the same name as far as names can be opened."""
    if actor == other:
        return True
    names = [person_name(ledger, item) for item in (actor, other)]
    return None not in names and same_name(*(str(name) for name in names))
